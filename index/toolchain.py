"""Finds the `lean` that is started in a workspace, and the toolchain whose sources are that Lean's. Fetches nothing.

    leans(named, os.environ)            every place where a `lean` is, in the order of preference
    toolchain_of(workspace, named)      the prefix of the first one's toolchain; `named`: what the settings say

elan's `lean` is never run for this: it might fetch a toolchain. What it would run is told from elan's own files. Any
other `lean` is run, with `--print-prefix`, only where its links lead to no sources: where it is a script around the
real one.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from tacit.index.files import LARGEST_NAME, content_of
from tacit.index.packages import toolchain_sources

log = logging.getLogger(__name__)

SOURCES = "TACIT_LEAN_SOURCES"
"""Names a toolchain's folder, a checkout of Lean or the folder with `Init.lean`; `off`: Lean's sources are left out."""
ASK_SECONDS = 10.0
_NAME = re.compile(r"(?:(?P<origin>\w[\w-]*/\w[\w-]*):)?(?P<release>\w[\w.+-]*)", re.ASCII)
_RELEASE = re.compile(r"v(\d+)\.(\d+)\.(\d+)")
_ORIGIN = "leanprover/lean4"


def leans(named: str, environment: Mapping[str, str]) -> list[tuple[str, str, Path | None]]:
    """(where it was looked for, what is named there, the executable) of each place, in the order of preference.

    A place that the user names is the only one: where nothing is there, the executable is None.
    """
    for origin, said in (("the settings", named), ("TACIT_LEAN", environment.get("TACIT_LEAN", ""))):
        if said:
            # A bare name is one of the PATH: the current folder, most often a workspace, may have a file of that name.
            bare = said not in (".", "..", "~") and os.path.basename(said) == said  # noqa: PTH119
            found = _on_path(said, environment) if bare else _executable(Path(said).expanduser())
            return [(origin, said, found)]
    places: list[tuple[str, str, Path | None]] = []
    if on_path := _on_path("lean", environment):
        places.append(("PATH", "", on_path))
    home = environment.get("HOME") or environment.get("USERPROFILE")
    if home and (elan := _executable(Path(home) / ".elan" / "bin")):
        places.append(("~/.elan/bin", "", elan))
    return places


def toolchain_of(workspace: Path, named: str = "") -> Path | None:
    """The prefix of the toolchain whose Lean works on a workspace, one with sources if there is; None where none is.

    May run a `lean` (see above), so not for an event loop.
    """
    said = os.environ.get(SOURCES, "").strip()
    if said:
        return None if said.lower() == "off" else Path(said).expanduser()
    elan = elan_toolchain(workspace)
    found = []
    for _, _, lean in leans(named, os.environ):
        prefix = None if lean is None else elan if is_elan(lean) else prefix_of(lean)
        if prefix is not None:
            if toolchain_sources(prefix) is not None:
                return prefix
            found.append(prefix)
    # An editor that was started from a desktop may have no elan on its PATH.
    return elan or next(iter(found), None)


def prefix_of(lean: Path) -> Path | None:
    """The prefix of the toolchain that a `lean` belongs to: where its links lead, else what it says."""
    real = Path(os.path.realpath(lean))
    prefix = real.parent.parent
    if real.parent.name == "bin" and toolchain_sources(prefix) is not None:
        return prefix
    try:
        status = real.stat()
    except OSError:
        return None
    return _asked(lean, real, status.st_mtime_ns, status.st_size)


def elan_toolchain(workspace: Path, elan_home: Path | None = None) -> Path | None:
    """The prefix of the toolchain that elan's `lean` runs in a workspace, where elan has installed it."""
    return elan_choice(workspace, os.environ, elan_home)[1]


def elan_choice(
    workspace: Path, environment: Mapping[str, str], elan_home: Path | None = None
) -> tuple[str, Path | None]:
    """The name of the toolchain that elan's `lean` would run in a workspace, and its prefix where it is installed.

    As `elan` chooses: ELAN_TOOLCHAIN, `elan override`, the nearest `lean-toolchain`, the default; empty where none is.
    The name may be any text of somebody's file.
    """
    user = environment.get("HOME") or environment.get("USERPROFILE") or "~"
    home = elan_home or Path(environment.get("ELAN_HOME") or Path(user).expanduser() / ".elan")
    settings = _settings_of_elan(home / "settings.toml")
    name = environment.get("ELAN_TOOLCHAIN") or _chosen_above(workspace, settings) or settings.get("default_toolchain")
    return (name, _installed(home / "toolchains", name)) if isinstance(name, str) else ("", None)


def origin_of(toolchain: str) -> str | None:
    """Whose release a toolchain's name means, as `leanprover/lean4`; None for a text that is no name."""
    said = _NAME.fullmatch(toolchain.strip())
    return None if said is None else said["origin"] or _ORIGIN


# elan.


def is_elan(lean: Path) -> bool:
    """Whether a `lean` is elan: a link to it, or the same program under another name."""
    if Path(os.path.realpath(lean)).stem.startswith("elan"):
        return True
    try:
        return lean.with_name(f"elan{lean.suffix}").stat().st_size == lean.stat().st_size
    except OSError:
        return False


def _settings_of_elan(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(content_of(file).decode())
    except (OSError, ValueError, RecursionError):
        return {}


def _chosen_above(workspace: Path, settings: Mapping[str, Any]) -> str | None:
    overrides = settings.get("overrides")
    for folder in (workspace, *workspace.parents):
        override = overrides.get(str(folder)) if isinstance(overrides, dict) else None
        if isinstance(override, str):
            return override
        with suppress(OSError, UnicodeDecodeError):
            lines = content_of(folder / "lean-toolchain", LARGEST_NAME).decode().splitlines()
            if lines and lines[0].strip():
                return lines[0].strip()
    return None


def _installed(toolchains: Path, name: str) -> Path | None:
    """The folder of a toolchain, by the name that users give it; of a channel the newest one that is there."""
    said = _NAME.fullmatch(name.strip())
    if said is None:
        return None
    release = said["release"]
    if said["origin"] is None and os.path.isdir(toolchains / release):  # noqa: PTH112  # `elan toolchain link`
        return toolchains / release
    origin = said["origin"] or _ORIGIN
    if release.startswith("nightly") and not origin.endswith("-nightly"):
        origin += "-nightly"
    stem = origin.replace("/", "--")
    if release in ("stable", "beta", "nightly"):
        found = [each for each in _folders(toolchains) if each.name.startswith(f"{stem}---")]
        some = [each for each in found if release != "stable" or _RELEASE.fullmatch(_release(each))]
        return max(some, key=_newness, default=None)
    release = f"v{release}" if release[0].isdigit() else release
    prefix = toolchains / f"{stem}---{release}"
    return prefix if os.path.isdir(prefix) else None  # noqa: PTH112


def _folders(parent: Path) -> list[Path]:
    with suppress(OSError):
        return [each for each in parent.iterdir() if os.path.isdir(each)]  # noqa: PTH112
    return []


def _release(prefix: Path) -> str:
    return prefix.name.rpartition("---")[2]


def _newness(prefix: Path) -> tuple[list[int], bool, str]:
    """Numbers first; a release comes after its candidates."""
    release = _release(prefix)
    return [int(each) for each in re.findall(r"\d+", release)[:3]], "-rc" not in release, release


# Any other Lean.


def _on_path(name: str, environment: Mapping[str, str]) -> Path | None:
    """A program of the PATH; what that names relative to the current folder does not count."""
    folders = [each for each in environment.get("PATH", "").split(os.pathsep) if os.path.isabs(each)]  # noqa: PTH117
    found = shutil.which(name, path=os.pathsep.join(folders)) if folders else None
    return Path(found) if found else None


def _executable(path: Path) -> Path | None:
    """`path` itself, or the `lean` in it when it is a toolchain folder."""
    names = ("lean.exe", "lean") if sys.platform == "win32" else ("lean",)
    for candidate in (path, *(path / "bin" / n for n in names), *(path / n for n in names)):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    return None


@lru_cache(maxsize=32)
def _asked(lean: Path, real: Path, modified: int, size: int) -> Path | None:
    """What `lean --print-prefix` says. Asked once for each executable as it stands, whatever comes of it."""
    del modified, size
    try:
        process = subprocess.Popen(
            [str(lean), "--print-prefix"],
            cwd=real.parent,  # no file of a workspace has a say in it
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        log.info("%s cannot be asked for its prefix: %s", lean, error)
        return None
    with process:
        try:
            out, _ = process.communicate(timeout=ASK_SECONDS)
        except subprocess.TimeoutExpired:
            log.info("%s does not say its prefix in %.0f s", lean, ASK_SECONDS)
            _kill(process)
            return None
    lines = os.fsdecode(out).splitlines()
    said = Path(lines[-1].strip()) if process.returncode == 0 and lines else None
    return said if said is not None and said.is_absolute() and os.path.isdir(said) else None  # noqa: PTH112


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started."""
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
