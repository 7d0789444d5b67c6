"""Finds a Lean and the command that starts its language server for a file. Starts nothing but `lean --version`.

Order: the settings, the environment variable TACIT_LEAN, PATH, ~/.elan/bin. Inside a Lake workspace the
command is `lake serve` (it knows the packages and options of the workspace), elsewhere `lean --server`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tacit.index.packages import find_packages, has_lakefile, is_anybodys
from tacit.index.toolchain import elan_choice, is_elan, leans, origin_of
from tacit.server.errors import LeanNotFound
from tacit.server.limits import Limits
from tacit.server.sandbox import NoSandbox, Room, enclosed, wanted

INSTALL_HINT = "Install Lean with elan (https://lean-lang.org/install), or set TACIT_LEAN to a lean executable."
_VERSION = re.compile(r"version (?P<version>\d+\.\d+\.\d+[^\s,)]*)")


OPEN_FILES = 4096
"""Files that a Lean process may have open. It closes each .olean file when that is mapped."""
QUIET = Path(os.path.abspath(os.sep))  # noqa: PTH100
"""A folder in which Lean finds no lakefile that it would run: it looks for one where it is started."""


@dataclass(frozen=True, slots=True)
class LeanSettings:
    """What a user may set: `path` is a `lean` executable or a toolchain folder; `memory_mib` 0 sets no limit.

    `file_mib` is how large a file Lean may write, 0 without a limit. `sandbox`: whether Lean runs in one.
    """

    path: str | None = None
    server_args: tuple[str, ...] = ()
    memory_mib: int | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    file_mib: int = 1024
    sandbox: bool = False


@dataclass(frozen=True, slots=True)
class LeanInstall:
    """A Lean that answered `--version`. `origin` says where it was found, for people."""

    lean: Path
    lake: Path | None
    version: str
    origin: str

    @property
    def key(self) -> tuple[int, ...]:
        """(major, minor, patch)."""
        numbers = re.findall(r"\d+", self.version)[:3]
        return tuple(int(n) for n in numbers)


@dataclass(frozen=True, slots=True)
class ServerCommand:
    """How to start the language server: argument vector, working folder, and whether it is Lake that starts it.

    `limits` are those of each process. `sandbox` is what stands before the arguments to run them in one.
    """

    argv: tuple[str, ...]
    cwd: Path
    lake: bool
    version: str
    limits: Limits = field(default_factory=Limits)
    sandbox: tuple[str, ...] = ()


def workspace_root(file: Path) -> tuple[Path, bool]:
    """(folder, is a Lake workspace): the outermost-needed root for a file, by the nearest lakefile above it."""
    folder = file if os.path.isdir(file) else file.parent  # noqa: PTH112  # Path.is_dir raises for too long a name
    for parent in (folder, *folder.parents):
        if has_lakefile(parent):
            return parent, True
    return folder, False


def candidates(settings: LeanSettings) -> list[tuple[str, Path]]:
    """Every place where a Lean is, in the order of preference, as (where it was found, path).

    Raises LeanNotFound when a place that the user named has none: falling through to another Lean than the
    one asked for would check tactics against the wrong library.
    """
    places = []
    for origin, named, found in leans(settings.path or "", settings.environment):
        if found is None:
            raise LeanNotFound(
                f"{origin} names {named!r} as Lean, but there is no executable lean.",
                hint="Correct it, or remove it to let Tacit look for Lean itself.",
            )
        places.append((origin, found))
    return places


async def read_version(lean: Path, cwd: Path, *, timeout: float = 30.0) -> str:
    """What `lean --version` says, such as `4.27.0`. Raises LeanNotFound with its words when it fails.

    It runs in the workspace because a script around `lean` may choose by folder. elan's is not run, see `installed`.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            str(lean),
            "--version",
            cwd=cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # elan starts lean: both are ended together
        )
    )
    try:
        process = await asyncio.shield(starting)
    except OSError as exc:
        raise LeanNotFound(f"{lean} cannot be started ({exc.strerror}).", hint=INSTALL_HINT) from exc
    except asyncio.CancelledError:
        # It may run already: cancelled in the middle of its start, asyncio would end elan and leave Lean.
        with contextlib.suppress(OSError):
            _kill(await starting)
        raise
    try:
        out, err = await asyncio.wait_for(process.communicate(), timeout)
    except TimeoutError:
        _kill(process)
        await process.wait()
        raise LeanNotFound(
            f"`lean --version` in {cwd} gave no answer in {timeout:.0f} s.",
            hint="Run it there by hand to see what it waits for.",
        ) from None
    except asyncio.CancelledError:
        _kill(process)
        raise
    match = _VERSION.search(out.decode(errors="replace"))
    if process.returncode != 0 or match is None:
        said = (err or out).decode(errors="replace").strip().splitlines()
        raise LeanNotFound(
            f"`lean --version` in {cwd} failed: {said[-1] if said else f'exit code {process.returncode}'}.",
            hint="Run it there by hand to see more of what it says.",
        )
    return match["version"]


def _kill(process: asyncio.subprocess.Process) -> None:
    """End a process and what it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def installed(lean: Path, cwd: Path, environment: Mapping[str, str]) -> Path:
    """The `lean` itself where this one is elan's: the one of the toolchain that elan would choose for a folder.

    elan's own would fetch whatever a file of the workspace names, from whoever it names, and run it. Raises
    LeanNotFound where that toolchain is not installed: only the user may have it fetched.
    """
    if not is_elan(lean):
        return lean
    name, prefix = elan_choice(cwd, environment)
    if prefix is not None:
        found = prefix / "bin" / ("lean.exe" if sys.platform == "win32" else "lean")
        if found.is_file() and os.access(found, os.X_OK) and not is_elan(found):
            return found
    if not name:
        raise LeanNotFound(f"elan has no toolchain for {cwd}.", hint="Choose one in a terminal: `elan default stable`.")
    name, origin = name.strip(), origin_of(name)
    if origin is None:
        raise LeanNotFound(
            f"What elan is to run in {cwd} is no name of a toolchain.", hint="Correct the file lean-toolchain there."
        )
    raise LeanNotFound(
        f"The toolchain {name}, which is to be used in {cwd}, is not installed.",
        hint=f"If you trust this folder and github.com/{origin}: `elan toolchain install {name}` in a terminal.",
    )


async def find_lean(settings: LeanSettings, cwd: Path) -> LeanInstall:
    """The first Lean that answers. Raises LeanNotFound with the reasons when none does."""
    reasons: list[str] = []
    for origin, named in candidates(settings):
        try:
            lean = installed(named, cwd, settings.environment)
            version = await read_version(lean, cwd)
        except LeanNotFound as exc:
            reasons.append(str(exc))
            continue
        return LeanInstall(lean, _lake_beside(lean), version, origin)
    if reasons:
        raise LeanNotFound(" ".join(reasons))
    raise LeanNotFound("No Lean was found in the settings, TACIT_LEAN, PATH or ~/.elan/bin.", hint=INSTALL_HINT)


def _lake_beside(lean: Path) -> Path | None:
    """The `lake` of the same toolchain: beside `lean`, or beside what a link to `lean` points to."""
    for folder in (lean.parent, lean.resolve().parent):
        lake = folder / ("lake.exe" if sys.platform == "win32" else "lake")
        if lake.is_file() and os.access(lake, os.X_OK):
            return lake
    return None


def server_commands(install: LeanInstall, file: Path, settings: LeanSettings) -> list[ServerCommand]:
    """The commands to try in order: `lake serve` where there is a Lake workspace, then `lean --server`.

    The second stays as a fallback: Lake of 2021 reads no `lakefile.toml`, and a broken lakefile should not
    take checking away from a file that imports nothing. Raises LeanNotFound where there is no sandbox that is wanted.
    """
    root, is_lake = workspace_root(file)
    args = list(settings.server_args)
    # Since 4.9 a Lean server waits 200 ms after an edit before it reports; scratch documents need no such
    # calm. (Lean of 2021 takes the same delay from `initializationOptions.editDelay` instead.)
    if install.key >= (4, 9, 0) and not any("server.reportDelayMs" in a for a in args):
        args.append("-Dserver.reportDelayMs=0")
    if not is_lake and is_anybodys(root):
        root = QUIET
    limits = Limits(file=settings.file_mib << 20 if settings.file_mib else None, files=OPEN_FILES)
    sandbox: tuple[str, ...] = ()
    if wanted(settings.sandbox, settings.environment):
        sandbox = _sandbox(install, root, settings.environment, is_lake=is_lake)
    by_lean = ServerCommand((str(install.lean), "--server", *args), root, False, install.version, limits, sandbox)
    if not is_lake or install.lake is None:
        return [by_lean]
    extra = ("--", *args) if args else ()
    return [replace(by_lean, argv=(str(install.lake), "serve", *extra), lake=True), by_lean]


def _sandbox(install: LeanInstall, root: Path, environment: Mapping[str, str], *, is_lake: bool) -> tuple[str, ...]:
    """What runs Lean where it can read its toolchain, the workspace and its packages, and change what Lake compiles of
    lakefiles; nothing else is there. (Lake of 2021 writes down of all that is built that it looked at it.)"""
    real = Path(os.path.realpath(install.lean))
    read = [real.parent.parent if real.parent.name == "bin" else real.parent, real.parent, install.lean.parent]
    packages = [root]
    if is_lake:
        packages += [each.root for each in find_packages(root).packages if has_lakefile(each.root)]
    # Only what lies where it says: a link of the workspace leads Lean to no place that it may change.
    compiled = ".lake/config" if install.key >= (4, 9) else "build"
    write = [each / compiled for each in packages if _is_inside(each, compiled)]
    try:
        return enclosed(Room(root, [*read, *packages], write), environment)
    except NoSandbox as error:
        raise LeanNotFound(error.sentence, hint=error.hint) from error


def _is_inside(package: Path, name: str) -> bool:
    folder = package / name
    return folder.is_dir() and folder.resolve() == package.resolve() / name
