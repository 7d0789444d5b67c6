"""Search as an editor sees it: the real sidecar, asked over its pipes, in a project of a few files beside Mathlib.

`MATHLIB` and `TACIT_CACHE` name what was indexed before (`tacit index build`); without them the project is all.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import psutil

from tacit.index.store import Store
from tacit.server.eval_premises import state_of
from tests.protocol.editor import Editor, editing
from tests.protocol.scripted_lean import install

ROUNDS = 15
WAIT_SECONDS = 120.0
GOALS = 100
RULES = Path(__file__).parents[1] / "protocol" / "lean_rules.py"
QUESTIONS = (
    "a continuous function on a compact set attains its maximum", "mul_comm", "_ + _ = _ + _", "?f ∘ ?g",
    "sum of the first n odd numbers", r"$\sum_{i} a_i b_i \le \sqrt{\sum_i a_i^2}\sqrt{\sum_i b_i^2}$",
    "Nat.Prime", "there are infinitely many primes", "extreme value theorem", "fundamental theorem of algebra",
    "a ≤ b → b ≤ c → a ≤ c", "compact kind:def", "Finset.sum_le_sum", "derivative of a composition",
    "intermediate value",
    "first isomorphism theorem for groups", "every bounded sequence has a convergent subsequence", "Cauchy Schwarz",
    "IsCompact.exists_isMaxOn", "x ∈ closure s ↔ _", "card of a powerset", "zorn", "module:Mathlib.Order lattice",
    "the determinant of a product is the product of the determinants", "norm_add_le", "gcd divides both",
)  # fmt: skip
FILES = {
    "Own/Basic.lean": "theorem own_basic (a b : Nat) : a + b = b + a := Nat.add_comm a b\n",
    "Own/More.lean": "import Own.Basic\n/-- A lemma of the project. -/\ntheorem own_more : 1 = 1 := rfl\n",
    "lakefile.toml": 'name = "own"\n',
}


class Report(Protocol):
    """Where lines and figures go."""

    figures: dict[str, object]

    def say(self, line: str = "") -> None:
        """Print a line."""


def questions_of(file: Path | None) -> list[str]:
    """Every question of a file as `tacit eval search` takes it, in an order that has nothing to do with them."""
    if file is None:
        return list(QUESTIONS)
    found = [
        text
        for each in json.loads(file.read_text(encoding="utf-8"))
        for key, text in each.items()
        if key.startswith("q") and isinstance(text, str) and text
    ]
    random.Random(1).shuffle(found)
    return found


async def editor_section(report: Report, file: Path | None) -> None:
    """Questions, keys, texts typed and saved, and the memory that it takes."""
    report.say("## Search in the editor")
    with tempfile.TemporaryDirectory() as name:
        await _measure(report, _project(Path(name)), questions_of(file))


def _project(folder: Path) -> Path:
    folder = folder.resolve()
    for path, text in FILES.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


async def _measure(report: Report, folder: Path, questions: Sequence[str]) -> None:
    say, figures = report.say, report.figures
    # What Lean does is measured elsewhere; here it fails every tactic, and tells of whatever goal it is to tell of.
    peer = folder.parent / f"{folder.name}-lean"
    peer.mkdir()
    environment = {
        "TACIT_CACHE": os.environ.get("TACIT_CACHE", str(folder / "cache")),
        "TACIT_LEAN": str(install(peer, rules=RULES)),
    }
    async with editing(folder, sys.executable, "-m", "tacit.server.cli", "serve", environment=environment) as editor:
        process = psutil.Process(editor.process.pid)
        began = time.perf_counter()
        await editor.initialize(rootUri=folder.as_uri())
        await editor.ask("tacit/status")
        say(f"- answer to `initialize`: {time.perf_counter() - began:.2f} s; resident {_resident(process)} MiB")
        await _until(editor, lambda state: state["state"] == "idle")
        began = time.perf_counter()
        answer = await _search(editor, questions[0])
        first = time.perf_counter() - began
        say(
            f"- first question: {first:.2f} s, words alone, out of {answer['total']:,} declarations; "
            f"resident {_resident(process)} MiB"
        )
        figures |= {"editor_first": round(first, 3), "editor_total": answer["total"]}
        await _times(report, "words (and vectors, as soon as they are open)", editor, questions[:20])
        began = time.perf_counter()
        with_meanings = await _meanings(editor)
        say(f"- vectors take part: {'yes' if with_meanings else 'no, there are none'}; after {_since(began)} more")
        say(f"  resident {_resident(process)} MiB, at most {_most(process)} MiB while they were opened")
        await _times(report, "questions, each asked for the first time", editor, questions)
        await _times(report, "the same again", editor, questions)
        keys = [each[:length] for each in questions[:12] for length in range(2, min(len(each), 30))]
        await _times(report, "beginnings of questions, key by key", editor, keys)
        document = (folder / "Own" / "More.lean").as_uri()
        editor.open(FILES["Own/More.lean"], uri=document)
        about = {"textDocument": {"uri": document}, "position": {"line": 2, "character": 0}}
        await _times(report, "with a document: what is usable there", editor, questions[:100], **about)
        await _times(report, "only what is usable there", editor, questions[:100], **about, usableHere=True)
        say(f"- resident after {2 * len(questions) + len(keys) + 220} questions: {_resident(process)} MiB")
        figures["editor_mib"] = _resident(process)
        await _goals(report, editor, folder, questions)
        await _typed(report, editor, document, FILES["Own/More.lean"], "unsaved, in a file of three lines")
        lemma = "theorem own_long_{0} (a b : Nat) : a + b + {0} = b + a + {0} := by omega\n"
        long = "".join(lemma.format(number) for number in range(500))
        (folder / "Own" / "Long.lean").write_text(long, encoding="utf-8")
        await _typed(report, editor, (folder / "Own" / "Long.lean").as_uri(), long, "unsaved, in a file of 500 lemmas")
        await _saved(report, editor, folder / "Own")
        say(f"- resident in the end: {_resident(process)} MiB, at most {_most(process)} MiB")
        began = time.perf_counter()
        await editor.shutdown()
        say(f"- shutdown: {time.perf_counter() - began:.2f} s")


async def _times(report: Report, what: str, editor: Editor, questions: Sequence[str], **more: Any) -> None:
    """One question after the other, as the editor sees it and as the search itself takes."""
    seen, inside = [], []
    process = psutil.Process(editor.process.pid)
    before = process.cpu_times()
    for each in questions:
        began = time.perf_counter()
        answer = await _search(editor, each, **more)
        seen.append(1000 * (time.perf_counter() - began))
        inside.append(1000 * answer["elapsed"])
    after = process.cpu_times()
    busy = 1000 * (after.user + after.system - before.user - before.system) / len(seen)
    p50, p95 = statistics.median(seen), _percentile(seen, 0.95)
    report.say(
        f"- {what}: {len(seen)} questions, p50 {p50:.0f} ms, p95 {p95:.0f} ms, most {max(seen):.0f} ms "
        f"(the search itself p50 {statistics.median(inside):.0f} ms, p95 {_percentile(inside, 0.95):.0f} ms); "
        f"{busy:.0f} ms of processor time each"
    )
    report.figures[f"editor_{what.partition(',')[0].replace(' ', '_')}"] = [round(p50, 1), round(p95, 1)]


async def _goals(report: Report, editor: Editor, folder: Path, questions: Sequence[str]) -> None:
    """Suggestions for goals of Mathlib, all of which can be used; and questions in the middle of them."""
    goals = _goals_of_mathlib()
    if not goals:
        return
    process = psutil.Process(editor.process.pid)
    uri = (folder / "Own" / "Goal.lean").as_uri()
    seconds, busy = [], []
    for number, (goal, statement) in enumerate(goals):
        text = f"import Mathlib\n--# goal {goal}\ntheorem own_goal {statement} := by sorry\n"
        editor.change(number + 1, {"text": text}, uri=uri) if number else editor.open(text, uri=uri)
        lines = text.split("\n")
        place = {"line": len(lines) - 2, "character": len(lines[-2].encode("utf-16-le")) // 2 - 2}
        before = process.cpu_times()
        began = time.perf_counter()
        await editor.ask("tacit/suggest", {"textDocument": {"uri": uri}, "position": place, "budget": 10})
        seconds.append(time.perf_counter() - began)
        after = process.cpu_times()
        busy.append(1000 * (after.user + after.system - before.user - before.system))
    report.say(
        f"- suggestions, all of Mathlib imported, a Lean that only answers: {len(goals)} goals, "
        f"first {seconds[0]:.2f} s, then p50 {statistics.median(seconds[1:]):.2f} s, "
        f"p95 {_percentile(seconds[1:], 0.95):.2f} s; processor time of the sidecar p50 "
        f"{statistics.median(busy[1:]):.0f} ms; resident {_resident(process)} MiB"
    )
    report.figures |= {"editor_goals_mib": _resident(process), "editor_goals_first": round(seconds[0], 3)}
    going = True

    async def suggest() -> None:
        number = len(goals)
        while going:
            number += 1
            editor.change(number + 1, {"text": f"{text}-- {number}\n"}, uri=uri)
            await editor.ask("tacit/suggest", {"textDocument": {"uri": uri}, "position": place, "budget": 10})

    asking = asyncio.create_task(suggest())
    await _times(report, "questions while suggestions are made", editor, questions[:100])
    going = False
    await asking


def _goals_of_mathlib() -> list[tuple[str, str]]:
    """Goals as a scripted Lean tells of them, and the statements they come from."""
    cache, found = Path(os.environ.get("TACIT_CACHE", "")), []
    for file in sorted((cache / "index").glob("mathlib-*.db")):
        store = Store.open(file)
        query = "SELECT id FROM premises WHERE kind = 'theorem' AND origin = 'source'"
        ids = random.Random(1).sample([row[0] for row in store.database.execute(query)], GOALS)
        for each in (stored.premise for stored in store.get(ids)):
            state = state_of(each)
            lines = [f"{name} : {type_}" for name, type_ in state.hypotheses] + [f"⊢ {state.target}"]
            statement = f"{each.context} {each.binders} : {each.type}"
            found.append(("\\n".join(" ".join(line.split()) for line in lines), " ".join(statement.split())))
        store.close()
    return found


async def _typed(report: Report, editor: Editor, uri: str, text: str, what: str) -> None:
    """From a key to an answer that has the lemma."""
    editor.open(text, uri=uri) if not uri.endswith("More.lean") else None
    times = []
    for number in range(ROUNDS):
        name = f"typed_gem_{number}_{random.randrange(10**9)}"
        editor.change(number + 2, {"text": f"{text}theorem {name} : 1 = 1 := rfl\n"}, uri=uri)
        times.append(await _until_found(editor, name))
        await asyncio.sleep(0.3)
    _say_times(report, f"searchable after a key, {what}", times)


async def _saved(report: Report, editor: Editor, folder: Path) -> None:
    """From a write to an answer that has the lemma: files that no editor has open."""
    times, renamed = [], []
    for number in range(ROUNDS):
        name = f"saved_gem_{number}_{random.randrange(10**9)}"
        (folder / "Saved.lean").write_text(f"theorem {name} : 1 = 1 := rfl\n", encoding="utf-8")
        times.append(await _until_found(editor, name))
        await asyncio.sleep(0.3)
        name = f"fresh_gem_{number}_{random.randrange(10**9)}"
        (folder / f"Fresh{number}.lean").write_text(f"theorem {name} : 1 = 1 := rfl\n", encoding="utf-8")
        renamed.append(await _until_found(editor, name))
        await asyncio.sleep(0.3)
    _say_times(report, "searchable after a file is written", times)
    _say_times(report, "searchable after a new file is written", renamed)


def _say_times(report: Report, what: str, times: Sequence[float]) -> None:
    p50, p95 = statistics.median(times), _percentile(times, 0.95)
    report.say(f"- {what}: {len(times)} times, p50 {p50:.2f} s, p95 {p95:.2f} s, most {max(times):.2f} s")
    report.figures[f"editor_{what.replace(' ', '_')}"] = [round(p50, 3), round(p95, 3)]


async def _search(editor: Editor, text: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = await editor.ask("tacit/search", {"text": text, **more})
    return found


async def _until_found(editor: Editor, name: str) -> float:
    began = time.perf_counter()
    while time.perf_counter() - began < WAIT_SECONDS:
        if any(each["name"] == name for each in (await _search(editor, name, limit=3))["hits"]):
            break
        await asyncio.sleep(0.01)
    return time.perf_counter() - began


async def _until(editor: Editor, so: Callable[[dict[str, Any]], bool]) -> None:
    """Wait for a state of the index, and for half a second of it."""
    began, calm = time.perf_counter(), 0
    while calm < 5 and time.perf_counter() - began < WAIT_SECONDS:
        calm = calm + 1 if so((await editor.ask("tacit/status"))["index"]) else 0
        await asyncio.sleep(0.3)


async def _meanings(editor: Editor) -> bool:
    """Wait until all vectors that there are take part."""
    for _ in range(40):
        await _search(editor, "waiting for vectors")
        packages = (await editor.ask("tacit/status"))["index"]["packages"]
        if all(each["meanings"] for each in packages if each["open"]):
            return True
        await asyncio.sleep(0.5)
    return False


def _resident(process: psutil.Process) -> int:
    return round(process.memory_info().rss / 2**20)


def _most(process: psutil.Process) -> int:
    """The most that was ever resident."""
    text = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return round(int(text.partition("VmHWM:")[2].split()[0]) / 1024)


def _since(began: float) -> str:
    return f"{time.perf_counter() - began:.1f} s"


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]
