"""What stands before a command line to run it in a sandbox: bubblewrap (bwrap), where Linux has it. Starts no more.

In there a program sees the system's own files, what it is given, and nothing else of the disk; it can write to what it
is given for that, and to a /tmp of its own. It has no network, sees no other processes, gets no more rights, none of
the user's variables but those it needs, and ends with whoever started it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tacit.server.errors import TacitError

VARIABLE = "TACIT_SANDBOX"
"""`on` in the environment: everything runs in a sandbox, whatever the settings say."""
HINT = "Install bubblewrap, or set tacit.sandbox to off."
TRIAL_SECONDS = 20.0
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
_BESIDE = (
    *(f"/etc/{name}" for name in ("alternatives", "group", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime")),
    *("/etc/nsswitch.conf", "/etc/passwd", "/sys/devices/system/cpu"),
)
_VARIABLES = frozenset(
    "ELAN_HOME HOME LANG LANGUAGE LD_LIBRARY_PATH LOGNAME OMP_NUM_THREADS OMP_WAIT_POLICY PATH PYTHONPATH "
    "PYTHONSAFEPATH TERM TZ USER VIRTUAL_ENV XDG_CACHE_HOME".split()
)
_FAMILIES = ("LC_", "LEAN_", "LAKE_", "TACIT_", "GGML_")
_SECRET = ("KEY", "TOKEN", "SECRET", "PASS", "CREDENTIAL", "AUTH")
_WIDE = ("/tmp", "/var/tmp", "/etc", "/proc", "/sys", "/dev", "/run")


class NoSandbox(TacitError):
    """A sandbox is wanted and cannot be had: what was to run in it is not started."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a program is given: files and folders to read, those it may change too, and the folder it starts in."""

    folder: Path
    read: Sequence[Path] = ()
    write: Sequence[Path] = ()


def wanted(setting: bool, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether to run programs in a sandbox: as the settings say, or the environment."""
    return setting or environment.get(VARIABLE, "").strip().lower() in ("on", "1", "true", "yes")


def enclosed(room: Room, environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """What to put before a command line. Raises NoSandbox with one sentence where there is no sandbox to be had.

    It is tried once for each bwrap, some 10 ms.
    """
    given = os.environ if environment is None else environment
    bwrap = _program(given)
    if why := _problem(bwrap):
        raise NoSandbox(f"Nothing runs outside of the sandbox that was asked for, and {why}.", hint=HINT)
    home = Path(given.get("HOME") or "~").expanduser()
    read = [each for each in _each(room.read) if not _is_wide(each, home)]
    write = [each for each in _each(room.write) if not _is_wide(each, home)]
    words = [*_base(bwrap), "--dir", str(home)]
    # Outer folders first: what is bound later covers what was bound before.
    for place in sorted({*read, *write}, key=lambda each: (len(each.parts), str(each))):
        words += ["--bind" if place in write else "--ro-bind", str(place), str(place)]
    # `env`, not --setenv: the first process in a sandbox is bwrap itself, and others there can read its environment.
    return (_env(), "-i", *_variables(given), *words, "--dir", str(room.folder), "--chdir", str(room.folder), "--")


def _base(bwrap: str) -> list[str]:
    words = [bwrap, "--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--hostname", "tacit"]
    for name in _SYSTEM:
        if os.path.islink(name):  # noqa: PTH114
            words += ["--symlink", os.readlink(name), name]  # noqa: PTH115
        else:
            words += ["--ro-bind-try", name, name]
    for name in _BESIDE:
        words += ["--ro-bind-try", name, name]
    return [*words, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]


def _each(places: Iterable[Path]) -> list[Path]:
    """Those that are there, each under its own name and under that where its links lead."""
    found: list[Path] = []
    for place in places:
        absolute = Path(os.path.abspath(place))  # noqa: PTH100  # links stay
        if absolute.exists():
            found += [absolute, absolute.resolve()]
    return list(dict.fromkeys(found))


def _is_wide(place: Path, home: Path) -> bool:
    """Whether a folder holds far more than one project: the user's home, what is above it, the system's own."""
    own = [home, home.resolve(), *map(Path, _WIDE)]
    return any(each == place or each.is_relative_to(place) for each in own)


def _variables(environment: Mapping[str, str]) -> list[str]:
    return [
        f"{name}={value}"
        for name, value in sorted(environment.items())
        if name in _VARIABLES or (name.startswith(_FAMILIES) and not any(each in name for each in _SECRET))
    ]


def _program(environment: Mapping[str, str]) -> str:
    folders = [each for each in environment.get("PATH", "").split(os.pathsep) if os.path.isabs(each)]  # noqa: PTH117
    return (shutil.which("bwrap", path=os.pathsep.join(folders)) or "") if folders else ""


def _env() -> str:
    return next((each for each in ("/usr/bin/env", "/bin/env") if os.path.exists(each)), "env")  # noqa: PTH110


def missing(environment: Mapping[str, str] = os.environ) -> str:
    """Why there is no sandbox to be had, as half a sentence; empty where there is one. It is tried once, some 10 ms."""
    return _problem(_program(environment))


def _problem(bwrap: str) -> str:
    """Why there is no sandbox, as half a sentence; empty where there is one."""
    if not sys.platform.startswith("linux"):
        return "there is one on Linux alone"
    return _tried(bwrap) if bwrap else "bubblewrap (bwrap) is not installed"


@lru_cache(maxsize=8)
def _tried(bwrap: str) -> str:
    try:
        done = subprocess.run(
            [*_base(bwrap), "--", _env(), "true"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=TRIAL_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{bwrap} cannot be started ({type(error).__name__})"
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    said = lines[-1].strip().removeprefix("bwrap: ").rstrip(".") if lines else f"status {done.returncode}"
    return f"bubblewrap cannot make one on this machine ({said[:200]})" if done.returncode else ""
