"""Scripted editing of large files with requests in flight, for as long as asked: does the sidecar keep its size?

    make soak ARGS="--minutes 60 --seed 7"

Drives the real sidecar (`watched.py`: `tacit serve` with one more request) with a real Lean, or `--lean scripted` for
the scripted one. Thirty changes a second, ghost text asked for and cancelled between keys, then a pause in which the
mirrored texts are compared, goals closed, lemmas searched. Every ten seconds the memory, open files and threads of the
sidecar and of all its children are noted. Fails where a text differs, a request is not answered just once, a table or
the memory keeps growing after the first third, or a process is left at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import psutil

from tests.protocol import scripted_lean
from tests.protocol.editor import CAPABILITIES, Editor, alive, editing
from tests.storms.texts import EditorText, large_text, typed
from tests.storms.watched import STATE, digest

WATCHED = Path(__file__).with_name("watched.py")
RULES = Path(scripted_lean.__file__).with_name("lean_rules.py")
MIB = 1 << 20
SAMPLE_SECONDS = 10.0
ANSWER_SECONDS = 180.0
"""What is not answered then is called unanswered."""
SLACK_MIB = 12.0
SLACK_SHARE = 0.05
"""What may have been added at the end of the watched time, along the slope, in all and as a share of what is held."""
DOCUMENTS = 3
PROVED = (
    "rfl",
    "exact h.symm",
    "simp [h]",
    "rw [h]",
    "cases h; rfl",
    "subst h; rfl",
    "have : n = 𝕜 := h\n  simp [this]",
)
QUESTIONS = ("add comm", "List.map append", "_ + _ = _ + _", "Nat.le", "associativity", "𝕜", "∑", "?f ∘ ?g", "prime")


@dataclass
class Sample:
    """One look: seconds since the start, MiB of the sidecar (anonymous and all) and of its children by kind."""

    at: float
    own: float
    resident: float
    children: dict[str, float]
    processes: int
    files: int
    threads: int
    tables: dict[str, int] = field(default_factory=dict)


@dataclass
class Open:
    """An open document and the editor's copy of it."""

    uri: str
    original: str
    document: EditorText
    version: int = 1


class Soak:
    """One run. `failures` says in a sentence each what must not be."""

    def __init__(self, editor: Editor, seed: int, minutes: float, lines: int, rate: float) -> None:
        self.editor = editor
        self.chance = random.Random(seed)
        self.seconds = minutes * 60
        self.lines = lines
        self.rate = rate
        self.samples: list[Sample] = []
        self.failures: list[str] = []
        self.counts: Counter[str] = Counter()
        self.asked: list[tuple[int, asyncio.Future[Any]]] = []
        self.numbers: set[int] = set()
        self.tables: dict[str, int] = {}
        self.malloc: dict[str, int] = {}
        self.process = psutil.Process(editor.process.pid)
        self.began = time.monotonic()

    # ------------------------------------------------------------------ the editor

    def open(self, number: int) -> Open:
        """Open a document anew."""
        above = "--# closes rfl\n--# goal ⊢ 𝕜 = n\n"
        text = large_text(self.chance, self.lines, above, lone=False)
        file = self.editor.folder / f"Soak{number}.lean"
        file.write_text(text, encoding="utf-8", newline="")
        found = Open(file.as_uri(), text, EditorText(text))
        self.editor.open(text, uri=found.uri)
        self.counts["opened"] += 1
        return found

    def change(self, document: Open, *changes: dict[str, Any]) -> None:
        """Send what the copy has already."""
        document.version += 1
        self.editor.change(document.version, *changes, uri=document.uri)
        self.counts["changes"] += len(changes)

    def save(self, document: Open) -> None:
        """Write a document to its file, and say so."""
        file = Path(url2pathname(urlsplit(document.uri).path))
        file.write_text(document.document.text, encoding="utf-8", newline="")
        self.editor.notify("textDocument/didSave", {"textDocument": {"uri": document.uri}})
        self.counts["saved"] += 1

    def ask(self, method: str, params: dict[str, Any]) -> int:
        """A request; its answer is waited for at the pause."""
        number, future = self.editor.begin(method, params)
        self.asked.append((number, future))
        self.numbers.add(number)
        self.counts[f"asked {method}"] += 1
        return number

    def about(self, document: Open, unit: int, **more: Any) -> dict[str, Any]:
        """The parameters that name a place."""
        return {"textDocument": {"uri": document.uri}, "position": document.document.place(unit), **more}

    def at_once(self, document: Open, unit: int) -> int:
        """What an editor asks by itself behind a key."""
        place = self.about(document, unit)
        what = self.chance.random()
        if what < 0.6:
            return self.ask("textDocument/inlineCompletion", place | {"context": {"triggerKind": 2}})
        if what < 0.8:
            spot = {"start": place["position"], "end": place["position"]}
            context = {"diagnostics": [], "triggerKind": 2}
            return self.ask("textDocument/codeAction", {**place, "range": spot, "context": context})
        if what < 0.9:
            return self.ask("tacit/search", {"text": self.chance.choice(QUESTIONS)})
        return self.ask("tacit/suggest", place | {"budget": 3.0, "limit": 5})

    async def keys(self, document: Open, changes: Any) -> None:
        """Send changes at the rate, with requests in flight, most of them cancelled at once."""
        mine: list[int] = []
        for count, change in enumerate(changes):
            self.change(document, change)
            if count % 3 == 0:
                mine.append(self.at_once(document, self.chance.randrange(len(document.document.units))))
                if len(mine) > 2:
                    self.cancel(mine.pop(0))
            await asyncio.sleep(1 / self.rate)
        for number in mine:
            if self.chance.random() < 0.7:
                self.cancel(number)

    def cancel(self, number: int) -> None:
        """Cancel a request, whether it has been answered or not."""
        self.editor.cancel(number)
        self.counts["cancelled"] += 1

    async def in_comments(self, document: Open) -> None:
        """Type anything at all somewhere, then take all of it back in one change of the whole text."""
        await self.keys(document, typed(self.chance, document.document, self.chance.randrange(30, 120)))
        await self.compare(document)
        self.change(document, document.document.whole(document.original))

    async def in_a_proof(self, document: Open) -> None:
        """Write a proof key by key in the place of a `sorry`, ask at its end, close the goal, put `sorry` back."""
        copy = document.document
        places = [each for each in range(len(copy.units)) if copy.units.startswith("by sorry", each)]
        at = self.chance.choice(places) + len("by ")
        self.change(document, copy.replace(at, at + len("sorry"), ""))
        proof, here = self.chance.choice(PROVED), at

        def keys() -> Any:
            nonlocal here
            for letter in proof:
                yield copy.replace(here, here, letter)
                here += len(letter.encode("utf-16-le")) // 2

        await self.keys(document, keys())
        self.ask("textDocument/inlineCompletion", self.about(document, here, context={"triggerKind": 1}))
        await self.settle()
        self.change(document, copy.replace(at, here, "sorry"))
        place = self.about(document, at + 1)
        self.ask("tacit/suggest", place | {"budget": 4.0})
        await self.settle()
        argument = {"uri": document.uri, "position": place["position"], "budget": 4.0}
        number = self.ask("workspace/executeCommand", {"command": "tacit.closeGoal", "arguments": [argument]})
        if self.chance.random() < 0.5:
            await asyncio.sleep(self.chance.random())
            self.cancel(number)
        await self.settle()
        await self.compare(document)

    # ------------------------------------------------------------------ what must hold

    async def settle(self) -> None:
        """Wait until all is answered, each request once."""
        asked, self.asked = self.asked, []
        if asked:
            _, left = await asyncio.wait({future for _, future in asked}, timeout=ANSWER_SECONDS)
            if left:
                self.failures.append(f"{len(left)} of {len(asked)} requests were not answered.")
        for _, future in asked:
            if future.done() and (error := future.exception()) is not None:
                self.counts[f"refused {getattr(error, 'code', error)}"] += 1
            elif future.done():
                self.counts["answered"] += 1
        answers = Counter(each["id"] for each in self.editor.heard if "method" not in each)
        for number, times in answers.items():
            if number in self.numbers and times > 1:
                self.failures.append(f"Request {number} was answered {times} times.")
        self.numbers.clear()
        self.editor.heard.clear()

    async def compare(self, document: Open) -> None:
        """The sidecar's copy is the editor's."""
        await self.settle()
        held = await asyncio.wait_for(self.editor.begin(STATE, {})[1], ANSWER_SECONDS)
        version, theirs = held["documents"][document.uri]
        if (version, theirs) != (document.version, digest(document.document.text)):
            self.failures.append(f"Version {document.version} of {document.uri} is another text in the sidecar.")
        self.tables = held["tables"]
        self.malloc = held["malloc MiB"]
        self.counts["texts compared"] += 1
        self.editor.heard.clear()

    def sample(self) -> None:
        """Look at all processes."""
        children: dict[str, float] = {}
        found = self.process.children(recursive=True)
        for each in found:
            try:
                line = " ".join(each.cmdline())
                kind = "model" if "model.worker" in line else "index" if "index_worker" in line else "Lean"
                children[kind] = children.get(kind, 0.0) + each.memory_info().rss / MIB
            except psutil.Error:
                continue
        memory = self.process.memory_info()
        own = memory.rss - memory.shared
        self.samples.append(
            Sample(
                time.monotonic() - self.began,
                own / MIB,
                memory.rss / MIB,
                children,
                len(found),
                self.process.num_fds(),
                self.process.num_threads(),
                dict(self.tables),
            )
        )

    async def watch(self) -> None:
        """Sample until cancelled."""
        while True:
            self.sample()
            last = self.samples[-1]
            if len(self.samples) % 6 == 1:
                others = ", ".join(f"{kind} {mib:.0f}" for kind, mib in sorted(last.children.items()))
                print(
                    f"{last.at / 60:5.1f} min  sidecar {last.own:.0f} MiB of its own ({last.resident:.0f} resident); "
                    f"{others or 'no children'}; {last.files} files, {last.threads} threads; "
                    f"{last.tables}; malloc {self.malloc}",
                    flush=True,
                )
            await asyncio.sleep(SAMPLE_SECONDS)

    async def run(self) -> None:
        """Everything but the end of the sidecar."""
        watching = asyncio.create_task(self.watch())
        try:
            documents = [self.open(number) for number in range(DOCUMENTS)]
            while time.monotonic() - self.began < self.seconds and not self.failures:
                number = self.chance.randrange(DOCUMENTS)
                await self.chance.choice((self.in_comments, self.in_comments, self.in_a_proof))(documents[number])
                if self.chance.random() < 0.1:
                    self.save(documents[number])
                if self.chance.random() < 0.1:
                    self.editor.notify("textDocument/didClose", {"textDocument": {"uri": documents[number].uri}})
                    documents[number] = self.open(number)
                await asyncio.sleep(self.chance.random() * 2)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        self.sample()

    def judge(self) -> None:
        """What grew."""
        first = self.seconds / 3
        late = [each for each in self.samples if each.at >= first]
        if len(late) < 6:
            print("Too short to say whether memory keeps growing.")
            return
        span = late[-1].at - late[0].at
        grown = slope([(each.at, each.own) for each in late]) * span
        held = statistics.median(each.own for each in late)
        allowed = SLACK_MIB + SLACK_SHARE * held
        print(
            f"After the first third: {grown:+.1f} MiB along the slope, {span / 60:.0f} min; {allowed:.0f} are allowed."
        )
        if grown > allowed:
            self.failures.append(f"The sidecar's memory keeps growing: {grown:.1f} MiB in {span / 60:.0f} min.")
        for what in ("files", "threads", "processes"):
            more = slope([(each.at, getattr(each, what)) for each in late]) * span
            if more > 3:
                self.failures.append(f"The number of {what} keeps growing: {more:.1f} in {span / 60:.0f} min.")
        for name in late[-1].tables:
            more = slope([(each.at, each.tables.get(name, 0)) for each in late]) * span
            if more > 40:
                self.failures.append(f"The table of {name} keeps growing: {more:.0f} in {span / 60:.0f} min.")


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The median of the slopes between pairs of points (Theil and Sen): single peaks do not move it."""
    if len(points) > 400:
        points = points[:: len(points) // 400 + 1]
    found = [(y2 - y1) / (x2 - x1) for i, (x1, y1) in enumerate(points) for x2, y2 in points[i + 1 :] if x2 > x1]
    return statistics.median(found) if found else 0.0


def report(soak: Soak, left: Sequence[int], code: int) -> dict[str, Any]:
    """The figures."""
    first, last = soak.samples[0], soak.samples[-1]
    asked = sum(number for name, number in soak.counts.items() if name.startswith("asked"))
    return {
        "minutes": round(last.at / 60, 1),
        "requests served": asked,
        "counts": dict(sorted(soak.counts.items())),
        "sidecar MiB": [round(each.own, 1) for each in (first, last)],
        "sidecar MiB at a third": round(next((s for s in soak.samples if s.at >= soak.seconds / 3), last).own, 1),
        "sidecar MiB at most": round(max(each.own for each in soak.samples), 1),
        "children MiB": [each.children for each in (first, last)],
        "open files": [first.files, last.files],
        "threads": [first.threads, last.threads],
        "tables": last.tables,
        "processes left": len(left),
        "exit status": code,
        "load": os.getloadavg(),
        "failures": soak.failures,
    }


async def soak(arguments: argparse.Namespace, folder: Path) -> int:
    """Run it, say what came of it."""
    lean = str(scripted_lean.install(folder, rules=RULES)) if arguments.lean == "scripted" else arguments.lean
    environment = {"TACIT_CACHE": str(arguments.cache or folder / "cache"), "TACIT_LEAN": lean} if lean else {}
    print(f"seed {arguments.seed}; {arguments.minutes:g} min; load {os.getloadavg()[0]:.1f}", flush=True)
    # A workspace, so that it is indexed, followed and remembered.
    (folder / "lakefile.toml").write_text('name = "soak"\n')
    async with editing(folder, sys.executable, str(WATCHED), environment=environment) as editor:
        root = {"rootUri": folder.as_uri(), "workspaceFolders": [{"uri": folder.as_uri(), "name": "soak"}]}
        await editor.initialize(capabilities=CAPABILITIES, **root)
        run = Soak(editor, arguments.seed, arguments.minutes, arguments.lines, arguments.rate)
        await run.run()
        if arguments.trace:
            print(json.dumps(await editor.ask(STATE, {"trace": arguments.trace}), indent=1, ensure_ascii=False))
        started = {each.pid for each in run.process.children(recursive=True)}
        code = await editor.shutdown()
        await asyncio.sleep(1.0)
        left = [pid for pid in started if alive(pid)]
    run.judge()
    if left:
        run.failures.append(f"{len(left)} processes were left behind.")
    if editor.garbage:
        run.failures.append("Standard output carried something else than messages.")
    if b"Traceback" in editor.stderr:
        run.failures.append(f"The log holds a traceback: {editor.stderr[-3000:].decode(errors='replace')}")
    found = report(run, left, code)
    print(json.dumps(found, indent=1, ensure_ascii=False))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:  # noqa: ASYNC230, PTH123 - all is over
            json.dump(found | {"samples": [vars(each) for each in run.samples]}, file, indent=1)
    return 1 if run.failures else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=30.0, help="changes a second")
    parser.add_argument("--lean", default="", help="a Lean, or `scripted`; left out, the one that is found")
    parser.add_argument("--cache", default="", help="where indexes are kept; left out, a new folder")
    parser.add_argument("--trace", type=int, default=0, help="print so many kinds of objects at the end")
    parser.add_argument("--json", default="", help="write the figures and samples here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tacit-soak-") as folder:
        return asyncio.run(soak(arguments, Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
