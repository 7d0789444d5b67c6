"""Tacit in a real VS Code (code-server, headless Chromium), with the real sidecar and a real Lean.

Sizes and activation; from a key to its character with Tacit, with parts of it and without, and the processor time that
each kind of process takes meanwhile; then the demo files are written key by key,
ghost text taken where it appears in the place of a `sorry`, and how soon it does and the memory it takes are noted.
Needs what tests/e2e/setup.sh installs.
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import psutil

from tests.e2e.browser import Browser
from tests.e2e.code_server import CodeServer, until
from tests.e2e.editor import Editor
from tests.e2e.programs import REPOSITORY, Programs, Unavailable, find_programs, package_extension, unpack_extension

PROJECT = REPOSITORY / "lean-project"
PAINTED = Path(__file__).with_name("painted.js").read_text(encoding="utf-8")
ACTIVATIONS = 3
ROUNDS = 5
KEY_SECONDS = 0.08
"""Between two keys where each is measured."""
ARMS: Mapping[str, Mapping[str, Any]] = {
    "without any extension": {},
    "with its language alone": {},
    "with Tacit, ghost text and lenses off": {"tacit.inlineSuggestions.enabled": False, "tacit.codeLens": "off"},
    "with Tacit, ghost text off": {"tacit.inlineSuggestions.enabled": False},
    "with Tacit": {},
}
"""Windows that keys are measured in, by turns, and their settings. The others are compared with the first."""
WITHOUT, LANGUAGE, *_, WITH = ARMS
INDEXED_SECONDS = 600.0
"""How long it is waited for that the index is made, before keys are measured."""
LINE = "exact And.intro h.right h.left"
"""Typed again and again where each key is measured. No bracket in it: VS Code would close it by itself."""
GHOST_SECONDS = 10.0
"""How long ghost text is waited for."""
LISTED = ".runtime-extensions-editor .extension:has(.activation-time)"
SAMPLE_SECONDS = 15.0
MEMORY = ("extension host", "sidecar", "Lean", "model", "indexing and others")

SETTINGS: Mapping[str, Any] = {
    "tacit.serverPath": str(Path(sys.executable).with_name("tacit")),
    "tacit.serverArgs": ["serve"],
    # What is typed lands as it stands, with Tacit and without.
    "editor.autoIndent": "none",
    "editor.autoClosingBrackets": "never",
    "editor.wordBasedSuggestions": "off",
    "editor.minimap.enabled": False,
}


class Report(Protocol):
    """Where lines and figures go."""

    figures: dict[str, object]

    def say(self, line: str = "") -> None:
        """Print a line."""


@dataclass(frozen=True, slots=True)
class Window:
    """One VS Code on a copy of the demo project."""

    server: CodeServer
    editor: Editor

    def painted(self, what: str) -> Any:
        """Something of what painted.js noted."""
        return self.editor.browser.evaluate(f"{PAINTED};window.painted.{what}")


def vscode_section(report: Report, minutes: float) -> None:
    """Everything, with so many minutes of scripted editing."""
    report.say("## In VS Code")
    try:
        programs = find_programs()
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            package = folder / "tacit.vsix"
            package_extension(package)
            _sizes(report, package)
            (folder / "none").mkdir()
            unpack_extension(package, folder / "extensions")
            _language_alone(folder / "extensions", folder / "language")
            with _window(programs, folder / "activation", folder / "extensions") as window:
                _activation(report, window)
                _quiet([window.server], INDEXED_SECONDS)
            with ExitStack() as stack:
                windows: dict[str, Window] = {}
                for number, (name, settings) in enumerate(ARMS.items()):
                    source = {WITHOUT: "none", LANGUAGE: "language"}.get(name, "extensions")
                    # Of its own: the editor writes into it.
                    extensions = shutil.copytree(folder / source, folder / f"extensions-{number}")
                    place = folder / f"keys-{number}"
                    # Each would make an index of its own, and what that takes would count in the others.
                    shutil.copytree(folder / "activation" / "cache", place / "cache")
                    opened = _window(programs, place, extensions, settings)
                    windows[name] = stack.enter_context(opened)
                _keys(report, windows)
            with _window(programs, folder / "writing", folder / "extensions") as window:
                _writing(report, window, 60 * minutes)
    except Unavailable as reason:
        report.say(f"- not measured: {reason}")


@contextmanager
def _window(
    programs: Programs, folder: Path, extensions: Path, settings: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[Window]:
    """A VS Code with these extensions."""
    project = folder / "project"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("recordings", "build", ".lake"))
    server = CodeServer(programs, folder, extensions, {**SETTINGS, **settings})
    try:
        browser = Browser(programs)
        try:
            yield Window(server, Editor(browser, server.url, project))
        finally:
            browser.close()
    finally:
        server.close()


def _language_alone(extensions: Path, to: Path) -> None:
    """An extension that says what a Lean file is, as Tacit does, and does nothing."""
    (folder,) = extensions.iterdir()
    manifest = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    kept = {name: manifest[name] for name in ("name", "publisher", "version", "engines")}
    languages = {"languages": manifest["contributes"]["languages"]}
    (to / folder.name).mkdir(parents=True)
    (to / folder.name / "package.json").write_text(json.dumps({**kept, "contributes": languages}), encoding="utf-8")


def _sizes(report: Report, package: Path) -> None:
    """Of the package as users get it, and of what is in it."""
    with zipfile.ZipFile(package) as archive:
        inside = {each.filename: each for each in archive.infolist()}
    bundles = [name for name in inside if name.startswith("extension/out/") and name.endswith((".js", ".css"))]
    wheels = [name for name in inside if name.endswith(".whl")]
    whole = package.stat().st_size
    report.say(f"- package: {whole / 2**20:.2f} MiB, {len(inside)} files; the sidecar's wheel in it: {len(wheels)}")
    for name in sorted([*bundles, *wheels], key=lambda name: -inside[name].file_size):
        size, packed = inside[name].file_size, inside[name].compress_size
        report.say(f"  - {name.removeprefix('extension/')}: {size / 2**10:.0f} KiB, packed {packed / 2**10:.0f} KiB")
    report.figures["vscode_package_bytes"] = whole
    report.figures["vscode_bundle_bytes"] = inside["extension/out/extension.js"].file_size


def _activation(report: Report, window: Window) -> None:
    """Loading and activating, as VS Code itself counts them, and until the sidecar has answered."""
    editor, server = window.editor, window.server
    name = "Activated.lean"
    spent: list[int] = []
    for _ in range(ACTIVATIONS):
        editor.open(name, "theorem activated : True := by\n  trivial\n")
        until(lambda: len(_started(server.log())) > len(spent), 60, "no sidecar starts")
        editor.run("Developer: Show Running Extensions")

        def counted() -> int | None:
            for row in editor.browser.texts(LISTED):
                if row.startswith("Tacit") and (found := re.search(r"Activation: (\d+)ms", row)):
                    return int(found[1]) or 1
            return None

        try:
            spent.append(until(counted, 15, "VS Code does not tell how long Tacit's activation took"))
        except AssertionError as missed:
            report.say(f"- activation {len(spent) + 1}: {missed}; its list has {editor.browser.texts(LISTED)}")
            break
        Editor(editor.browser, server.url, editor.folder)  # the page anew, and with it the process of the extensions
    if len(spent) < 2:
        return
    answered = _started(server.log())
    report.say(
        f"- activation (code loaded and `activate` called, VS Code's own count), {len(spent)} times: "
        f"first {spent[0]} ms, then median {statistics.median(spent[1:]):.0f} ms, most {max(spent[1:])} ms"
    )
    report.say(
        f"- from there to the sidecar's answer: first {answered[0]:.2f} s, "
        f"then median {statistics.median(answered[1:]):.2f} s"
    )
    report.figures["vscode_activation_ms"] = spent
    report.figures["vscode_sidecar_answers"] = [round(each, 2) for each in answered]


def _started(log: str) -> list[float]:
    """Seconds that each start of the sidecar took, by the log."""
    began: datetime | None = None
    seconds = []
    for time_, said in re.findall(r"^(\S+ \S+) \[info\] (Starting |The sidecar runs as process )", log, re.MULTILINE):
        at = datetime.fromisoformat(time_)
        if said.startswith("Starting"):
            began = at
        elif began is not None:
            seconds.append((at - began).total_seconds())
            began = None
    return seconds


def _keys(report: Report, windows: Mapping[str, Window]) -> None:
    """From each key to its character, in all windows by turns, and what each kind of process does meanwhile."""
    statement = "theorem and_swap (p q : Prop) (h : p ∧ q) : q ∧ p := by\n"
    above = (PROJECT / "Demo" / "Lists.lean").read_text(encoding="utf-8")
    text = f"{above}\n{statement}  "
    servers = [window.server for window in windows.values()]
    for window in windows.values():
        window.editor.open("Keys.lean", text)
        window.editor.press("Control+End")
        window.painted("last")
        _type_slowly(window.editor, LINE)  # unmeasured: what is drawn for the first time takes longer
    with suppress(AssertionError):
        windows[WITH].editor.ghost(timeout=30)
    _quiet(servers, INDEXED_SECONDS)
    found: dict[str, list[float]] = {name: [] for name in windows}
    used: dict[str, dict[str, float]] = {name: {} for name in windows}
    for number in range(ROUNDS):
        order = list(windows)[:: 1 if number % 2 else -1]
        for name in order:
            window = windows[name]
            for key in ("Escape", "Home", "Shift+End", "Delete", "End"):
                window.editor.press(key)
            _quiet(servers)
            window.painted("forget()")
            before = _processor(window)
            _type_slowly(window.editor, LINE)
            time.sleep(0.2)
            for kind, seconds in _processor(window).items():
                used[name][kind] = used[name].get(kind, 0.0) + seconds - before.get(kind, 0.0)
            found[name] += window.painted("keys")
    least = [_share(found[WITHOUT], share) for share in (0.5, 0.95)]
    for name, times in found.items():
        shares = [_share(times, share) for share in (0.5, 0.95)]
        ratios = [share / base for share, base in zip(shares, least, strict=True)]
        report.say(
            f"- from a key to its character, {name}: {len(times)} of {ROUNDS * len(LINE)} keys, "
            f"p50 {shares[0]:.1f} ms (**{ratios[0]:.2f}×**), p95 {shares[1]:.1f} ms ({ratios[1]:.2f}×), "
            f"most {max(times):.0f} ms"
        )
        milliseconds = {kind: 1000 * spent / len(times) for kind, spent in sorted(used[name].items())}
        busy = ", ".join(f"{kind} {spent:.1f}" for kind, spent in milliseconds.items() if spent >= 0.05)
        report.say(f"  - processor time a key, ms: {busy}")
        key = "vscode_key_" + re.sub(r"\W+", "_", name)
        report.figures[key] = [round(each, 2) for each in (*shares, *ratios)]
        report.figures[f"{key}_processor_ms"] = {kind: round(spent, 1) for kind, spent in milliseconds.items()}


def _type_slowly(editor: Editor, text: str) -> None:
    for key in text:
        editor.type(key)
        time.sleep(KEY_SECONDS)


def _quiet(servers: Sequence[CodeServer], seconds: float = 10.0) -> None:
    """Wait until what one window set going has ended: it would count in the other. So many seconds at most."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        before = _sidecar_seconds(servers)
        time.sleep(0.5)
        if _sidecar_seconds(servers) - before < 0.05:
            return


def _sidecar_seconds(servers: Sequence[CodeServer]) -> float:
    """Processor time that the sidecars and all that they started have used."""
    sidecars = [sidecar for server in servers for sidecar in server.sidecars("tacit serve")]
    return sum(_seconds(each) for sidecar in sidecars for each in [sidecar, *_children(sidecar)])


def _processor(window: Window) -> dict[str, float]:
    """Seconds of processor time that each kind of process behind a window has used."""
    spent: defaultdict[str, float] = defaultdict(float)
    sidecars = {each.pid for each in window.server.sidecars("tacit serve")}
    hosts = {each.pid for each in window.server.sidecars("--type=extensionHost")}
    for process in window.server.processes():
        kind = "sidecar" if process.pid in sidecars else "extension host" if process.pid in hosts else "server"
        if kind == "server" and sidecars.intersection(each.pid for each in _parents(process)):
            kind = _kind(process)
        spent[kind] += _seconds(process)
    for process in window.editor.browser.processes():
        with suppress(psutil.Error):
            spent["page" if "--type=renderer" in process.cmdline() else "browser"] += _seconds(process)
    return spent


def _seconds(process: psutil.Process) -> float:
    try:
        return float(sum(process.cpu_times()[:2]))
    except psutil.Error:
        return 0.0


def _children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return process.children(recursive=True)
    return []


def _parents(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return process.parents()
    return []


def _writing(report: Report, window: Window, seconds: float) -> None:
    """The demo files written from their first key to their last, again and again."""
    editor = window.editor
    editor.open("Written.lean", "")
    window.painted("last")
    files = sorted((PROJECT / "Demo").glob("*.lean"))
    shown: list[float] = []
    places = at_once = taken = 0
    samples: list[tuple[float, dict[str, float]]] = []
    began = time.monotonic()
    for file in cycle(files):
        for part, is_goal in _parts(file.read_text(encoding="utf-8")):
            for line in part.splitlines(keepends=True):
                editor.type(line)
            if is_goal:
                places += 1
                milliseconds, before = _ghost(window)
                if milliseconds is None:
                    editor.type("sorry")
                else:
                    editor.press("Tab")
                    taken += 1
                    shown.append(milliseconds / 1000)
                    at_once += before
                now = time.monotonic() - began
                if taken and (not samples or now - samples[-1][0] > SAMPLE_SECONDS):
                    samples.append((now, _memory(window.server)))
            if time.monotonic() - began > seconds:
                break
        if time.monotonic() - began > seconds:
            break
        for key in ("Escape", "Control+A", "Delete"):
            editor.press(key)
    if not shown:
        report.say(f"- no ghost text at any of {places} places within {GHOST_SECONDS:g} s")
        return
    samples.append((time.monotonic() - began, _memory(window.server)))
    report.say(
        f"- from the last key to ghost text: {len(shown)} of {places} goals (the others none within "
        f"{GHOST_SECONDS:g} s), p50 {_share(shown, 0.5):.2f} s, p95 {_share(shown, 0.95):.2f} s, "
        f"most {max(shown):.2f} s; it stood there before the last key at {at_once}"
    )
    report.figures["vscode_ghost"] = [len(shown), places, round(_share(shown, 0.5), 3), round(_share(shown, 0.95), 3)]
    report.say(f"- resident, {samples[-1][0] / 60:.1f} minutes of writing, {len(samples)} samples:")
    for name in MEMORY:
        sizes = [each[name] for _, each in samples]
        growth = _growth([(at, each[name]) for at, each in samples])
        report.say(
            f"  - {name}: {sizes[0]:.0f} MiB at the first ghost text, {sizes[-1]:.0f} MiB in the end, at most "
            f"{max(sizes):.0f} MiB; growth {growth:+.1f} MiB in ten minutes"
        )
        report.figures[f"vscode_mib_{name.replace(' ', '_')}"] = [round(sizes[0]), round(sizes[-1]), round(growth, 1)]
    report.figures["vscode_samples"] = [
        [round(at), *(round(each[name]) for name in MEMORY)] for at, each in samples
    ]  # seconds, then as in MEMORY


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """A text in pieces; behind each but the last stands a `sorry`, which is left out."""
    *before, last = re.split(r"\bsorry\b", text)
    yield from ((part, True) for part in before)
    yield last, False


def _ghost(window: Window) -> tuple[float | None, bool]:
    """Milliseconds from the last key to ghost text, None where there is none; whether it stood there before."""
    deadline = time.monotonic() + GHOST_SECONDS
    while time.monotonic() < deadline:
        last = window.painted("last")
        if last is not None and last["ghost"] is not None:
            return last["ghost"], last["before"]
        time.sleep(0.1)
    return None, False


def _memory(server: CodeServer) -> dict[str, float]:
    """Resident MiB; of several processes the sum, in which what they share counts each time."""
    sizes = dict.fromkeys(MEMORY, 0.0)
    sizes["extension host"] = sum(map(_resident, server.sidecars("--type=extensionHost")))
    for sidecar in server.sidecars("tacit serve"):
        sizes["sidecar"] += _resident(sidecar)
        for process in _children(sidecar):
            with suppress(psutil.Error):
                sizes[_kind(process)] += _resident(process)
    return sizes


def _kind(process: psutil.Process) -> str:
    """Which of MEMORY a process is that the sidecar started."""
    if process.name() in ("lean", "lake"):
        return "Lean"
    return "model" if "tacit.server.model.worker" in process.cmdline() else MEMORY[-1]


def _resident(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / 2**20
    except psutil.Error:
        return 0.0


def _growth(samples: Sequence[tuple[float, float]]) -> float:
    """Growth in ten minutes: the slope of the line closest to all samples but those of the first fifth of the time."""
    settled = [each for each in samples if each[0] >= samples[-1][0] / 5]
    if len(settled) < 3:
        return 0.0
    return statistics.linear_regression(*zip(*settled, strict=True)).slope * 600


def _share(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]
