"""`tacit doctor`: what Tacit found on this machine, what is missing and how to get it, and whether suggestions work.

Whether they work is not guessed from what is installed: a small theorem is proved, by the way every request goes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import re
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tacit.index.encoder import DEFAULT, EncoderUnavailable, cache_folder
from tacit.index.onnx_encoder import packaged_model
from tacit.index.places import index_of, packages_behind
from tacit.server import logs, sandbox
from tacit.server.bundle import gather, write
from tacit.server.command import Engine, Exit
from tacit.server.compose import lean_settings
from tacit.server.errors import TacitError
from tacit.server.index_command import describe
from tacit.server.lean.locate import LeanInstall, find_lean, workspace_root
from tacit.server.model.presets import preset_of
from tacit.server.model_choice import INSTALL, can_run, choose
from tacit.server.models import examine
from tacit.server.models_report import millions
from tacit.server.question import closes
from tacit.server.settings import Settings
from tacit.server.show import one_line
from tacit.server.suggest import Document, Found, Options
from tacit.server.terminal import BAD, GOOD, SKIPPED, STYLES, Terminal, megabytes, seconds
from tacit.server.text import Position
from tacit.server.values import Suggestion

log = logging.getLogger(__name__)

THEOREM = "theorem t (p : Prop) (h : p) : p := by\n  sorry\n"
HOLE = Position(1, 2)
BUDGET = 30.0

ELAN_HINT = "https://lean-lang.org/install gets it."
_PIN = re.compile(r"(?:^|:)v?(?P<version>\d+\.\d+\.\d+\S*)$")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked for. `ok` is None for what suggestions do without; `how` says how to get it or mend it."""

    name: str
    ok: bool | None
    said: str
    how: str = ""


async def doctor(
    engine: Engine,
    terminal: Terminal,
    settings: Settings,
    folder: Path,
    version: str,
    *,
    as_json: bool = False,
    bundle: Path | None = None,
) -> int:
    """Run the command; the exit status. `bundle` is where a report of a fault is written, an absolute path."""
    findings: list[Finding] = []
    with terminal.busy("Looking around") as busy:
        try:
            async for finding in _examine(engine, settings, folder, version):
                findings.append(finding)
                if not as_json:
                    _show(terminal, finding)
                if finding.name == "Workspace":
                    busy.say("Starting Lean and checking a small theorem")
        except Exception as error:
            if bundle is None:
                raise
            # What breaks the doctor must not keep its report from whoever is to mend it.
            log.error("the doctor failed", exc_info=error)
            findings.append(Finding("Doctor", False, f"Something went wrong inside Tacit: {type(error).__name__}"))
    works = findings[-1].ok is True
    checks = [{"name": f.name, "ok": f.ok, "said": f.said, "how": f.how} for f in findings]
    written: dict[str, Any] = {}
    if bundle is not None:
        parts = await asyncio.to_thread(gather, checks, settings, folder, version, works=works)
        if not as_json:
            terminal.line()
            terminal.line((f"{bundle} is to hold, and nothing else:", "bold"))
            for part in parts:
                terminal.line(f"  {part.name:<42} {len(part.content):>9,} bytes  ", (part.what, "dim"))
        size = write(parts, bundle)
        contents = [{"name": part.name, "bytes": len(part.content), "what": part.what} for part in parts]
        written = {"bundle": {"file": str(bundle), "bytes": size, "contents": contents}}
    if as_json:
        terminal.json({"works": works, "version": version, "checks": checks, **written})
    else:
        terminal.line()
        if bundle is not None:
            terminal.line(f"Wrote {bundle}. Nothing was sent: look into it, then attach it to your report.")
        terminal.line("Suggestions work." if works else "Suggestions do not work here yet.")
    return Exit.DONE if works else Exit.NO_LEAN


def _show(terminal: Terminal, finding: Finding) -> None:
    mark = {True: GOOD, False: BAD, None: SKIPPED}[finding.ok]
    terminal.line((f"{mark} ", STYLES[mark]), (f"{finding.name:<11}", "bold"), finding.said)
    if finding.how:
        terminal.line((f"{'':<13}{finding.how}", "dim"))


async def _examine(engine: Engine, settings: Settings, folder: Path, version: str) -> AsyncIterator[Finding]:
    yield Finding("Tacit", True, f"{version} on Python {platform.python_version()}")
    install: LeanInstall | None = None
    try:
        install = await find_lean(lean_settings(settings), folder)
        yield Finding("Lean", True, f"{install.version} at {install.lean} (from {install.origin})")
    except TacitError as exc:
        yield Finding("Lean", False, str(exc.args[0]), exc.hint)
    root, is_lake = workspace_root(folder)
    yield _lake(install, is_lake)
    yield _elan()
    yield _workspace(root, is_lake, install)
    yield _editor()
    yield await asyncio.to_thread(_index, folder, settings.lean_path)
    yield _encoder()
    yield _model(settings)
    yield await asyncio.to_thread(_sandbox, settings)
    yield _log(settings)
    if install is None:
        yield Finding("Check", False, "not tried without Lean")
    else:
        yield await _check(engine, root)


def _lake(install: LeanInstall | None, is_lake: bool) -> Finding:
    if install is not None and install.lake is not None:
        return Finding("Lake", True, str(install.lake))
    if is_lake:
        said = "none beside that Lean" if install else "none without Lean"
        return Finding("Lake", False, f"{said}; what this workspace's files import cannot be found", ELAN_HINT)
    return Finding("Lake", None, "none; only files in a Lake workspace need it")


def _elan() -> Finding:
    home = os.environ.get("ELAN_HOME")
    places = [Path(home) / "bin"] if home else []
    elan = shutil.which("elan") or shutil.which("elan", path=os.pathsep.join(map(str, [*places, _elan_bin()])))
    if elan:
        return Finding("elan", True, elan)
    return Finding("elan", None, "none; it installs Lean versions and picks the one a project names", ELAN_HINT)


def _elan_bin() -> Path:
    return Path.home() / ".elan" / "bin"


def _workspace(root: Path, is_lake: bool, install: LeanInstall | None) -> Finding:
    if not is_lake:
        return Finding("Workspace", None, f"no lakefile in {root} or above; files can import core Lean only")
    said = [str(root)]
    pin = _pinned(root)
    if pin:
        said.append(f"asks for Lean {pin}")
    if pin and install and pin != install.version:
        said.append(f"but {install.version} was found")
        return Finding("Workspace", False, ", ".join(said), f"Let elan pick Lean's version. {ELAN_HINT}")
    built = any((root / folder).is_dir() for folder in (".lake/build", "build"))
    said.append("built" if built else "not built")
    how = "" if built else "Run `lake build` there if its files import each other."
    return Finding("Workspace", True if built else None, ", ".join(said), how)


def _pinned(root: Path) -> str | None:
    """The version that the nearest `lean-toolchain` names, or all of its text when it names no version."""
    for folder in (root, *root.parents):
        try:
            text = (folder / "lean-toolchain").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            continue
        match = _PIN.search(text)
        return match["version"] if match else text
    return None


def _editor() -> Finding:
    for name in ("code", "codium", "code-server"):
        if found := shutil.which(name):
            return Finding("VS Code", True, found)
    return Finding("VS Code", None, "none on the PATH; only the extension needs it")


def _index(folder: Path, lean: str) -> Finding:
    """What can be searched from this folder, and where it lies."""
    named = os.environ.get("MATHLIB", "")
    roots = [folder, *([Path(named)] if named and Path(named).exists() else [])]
    behind = [packages_behind(root, lean) for root in roots]
    packages = {index_of(each): each for found, _ in behind for each in found}
    problems = list(dict.fromkeys(str(each) for _, found in behind for each in found))
    states = [describe(each.name, each.root, index) for index, each in packages.items()]
    there = [each for each in states if each["indexed"]]
    place = cache_folder() / "index"
    if not there:
        how = "`tacit index build` makes what search and premises look things up in."
        return Finding("Index", None, f"nothing of {folder} in {place}", " ".join((how, *problems)))
    size = megabytes(sum(each["bytes"] for each in there))
    said = [f"{each['package']} ({each['premises']:,}{'' if each['encoder'] else ', words only'})" for each in there]
    missing = [each["package"] for each in states if not each["indexed"]]
    what = f"{', '.join(said)}: {size} in {place}" + (f"; not {', '.join(missing)}" if missing else "")
    hints = [*(["`tacit index update` reads the rest."] if missing else []), *problems]
    return Finding("Index", None if missing else True, what, " ".join(hints))


def _encoder() -> Finding:
    try:
        packaged_model()
    except EncoderUnavailable as error:
        return Finding("Encoder", None, f"{DEFAULT} is not installed; search goes by words alone", str(error))
    return Finding("Encoder", True, f"{DEFAULT}, for search by meaning")


def _model(settings: Settings) -> Finding:
    """Which model is used, if one is; it is looked at, not loaded."""
    choice = choose(settings)
    if choice.path is None:
        return Finding("Model", None, choice.sentence.rstrip("."), choice.hint)
    try:
        file = examine(choice.path)
        preset_of(choice.preset, choice.own)
    except TacitError as error:
        return Finding("Model", False, error.sentence.rstrip("."), error.hint)
    if not can_run():
        return Finding("Model", False, f"{choice.path}, but llama-cpp-python is not installed", INSTALL)
    about = f"{millions(file.parameters)} parameters, {megabytes(file.size)}, preset {choice.preset}"
    return Finding("Model", True, f"{choice.sentence.rstrip('.')}: {about}", "`tacit models test` tries it.")


def _sandbox(settings: Settings) -> Finding:
    """Whether Lean and the model run in a sandbox, where that is wanted."""
    if not sandbox.wanted(settings.sandbox == "on"):
        return Finding("Sandbox", None, "not wanted", f"`tacit.sandbox` or {sandbox.VARIABLE} switches it on.")
    if why := sandbox.missing():
        return Finding("Sandbox", False, f"wanted, but {why}: Lean and the model do not start", sandbox.HINT)
    return Finding("Sandbox", True, "Lean and the model run in bubblewrap")


def _log(settings: Settings) -> Finding:
    """Where the logs lie, and what is written to them."""
    folder = cache_folder() / logs.FOLDER
    level = settings.log_level or os.environ.get(logs.ENVIRONMENT, "") or logs.DEFAULT_LEVEL
    if level == "off":
        return Finding("Log", None, "none is written", f"`tacit.log.level` or {logs.ENVIRONMENT} switches it on.")
    if newest := next((each for each in logs.files(folder) if each.suffix == ".log"), None):
        return Finding("Log", True, f"{folder}, the newest {newest.name}")
    return Finding("Log", True, f"{folder}, nothing yet")


async def _check(engine: Engine, root: Path) -> Finding:
    path = root / "TacitDoctor.lean"  # not written: only its folder matters, for Lake
    document = Document(path.as_uri(), 1, THEOREM, path)
    options = Options(BUDGET, stop_at_first_close=True, closes_only=True, limit=100)
    began = time.monotonic()
    found: Suggestion | None = None
    try:
        async with aclosing(engine.suggest(document, HOLE, options)) as events:
            async for event in events:
                if isinstance(event, Found) and closes(event.suggestion):
                    found = event.suggestion
                    break
    except TacitError as exc:
        return Finding("Check", False, str(exc.args[0]), exc.hint)
    took = seconds(time.monotonic() - began)
    if found is None:
        said = f"no tactic proves `{THEOREM.split(' := ')[0]}`, tried for {took}"
        return Finding("Check", False, said, "That should not happen; `tacit -v doctor` says more.")
    axioms = f"with {', '.join(found.axioms)}" if found.axioms else "without axioms"
    status = engine.status()
    command = f", by `{' '.join(map(str, status.command))}`" if status.command else ""
    tactic = one_line(found.tactic, 40)
    return Finding("Check", True, f"a small theorem, proved by `{tactic}` {axioms} in {took}{command}", status.sentence)
