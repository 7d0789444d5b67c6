"""`tacit eval prove SET…`: how many theorems of a set are proved in one step, and by search, side by side.

A set is a Lean file, a folder of them, or a book in Markdown: its theorems with their proofs taken out and nothing
below them; or its `sorry`s, as they stand.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tacit.server.close_sorries import tracer
from tacit.server.command import Engine, Exit, writing
from tacit.server.errors import BadInput, LeanNotFound, NoGoal, TacitError
from tacit.server.patch import shown_path
from tacit.server.prove_project import lean_files
from tacit.server.prover.events import Expanded, Proved, Searched, SearchEvent
from tacit.server.prover.traces import Tracer
from tacit.server.suggest import BatchChecked, Document, Found, GoalFound, Options
from tacit.server.terminal import Terminal, seconds, sparing
from tacit.server.theorems import Goal, proved, sorries
from tacit.server.values import Verdict

ONE_STEP, SEARCH = "one step", "search"
WAYS = (ONE_STEP, SEARCH)
HALVES = ("even", "odd")


@dataclass(slots=True)
class Result:
    """One goal tried one way; times in seconds, from when it was asked."""

    proof: str = ""
    steps: list[tuple[str, str]] = field(default_factory=list)
    """(tactic, source)"""
    seconds: float = 0.0
    checked: int = 0
    states: int = 1
    elaborations: int = 0
    why: str = ""
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked: seconds a goal, goals of each set, the ways, and a file for a line of JSON a goal and way.

    `traces` is a file that what the searches tried is appended to; `half` leaves out the files of the other half.
    """

    budget: float = 10.0
    at_most: int = 100
    ways: tuple[str, ...] = WAYS
    log: Path | None = None
    sorries: bool = False
    traces: Path | None = None
    half: str = ""


async def evaluate_proofs(
    engine: Engine, terminal: Terminal, sets: Sequence[Path], wish: Wish, *, as_json: bool = False
) -> int:
    """Run the command; the exit status."""
    chosen = {
        shown_path(path): goals_of(path, wish.at_most, only_sorries=wish.sorries, half=wish.half) for path in sets
    }
    tables: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        log = stack.enter_context(writing(wish.log)) if wish.log is not None else None
        traces = stack.enter_context(tracer(wish.traces))
        tell = sparing(stack.enter_context(terminal.measured("goals")))
        for name, goals in chosen.items():
            results: dict[str, list[Result]] = {way: [] for way in wish.ways}
            for number, goal in enumerate(goals):
                tell(name, number, len(goals))
                # Each goal every way before the next: whatever the machine does meanwhile, it does to all alike.
                tried = {way: await attempt(engine, goal, wish.budget, way, traces) for way in wish.ways}
                if any(result.skipped for result in tried.values()):
                    continue
                for way, result in tried.items():
                    results[way].append(result)
                    if log is not None:
                        log.write(json.dumps(_line(name, goal, way, result), ensure_ascii=False) + "\n")
                        log.flush()
            tables[name] = {way: table(found) for way, found in results.items()}
            if not as_json:
                _show(terminal, name, tables[name])
    if as_json:
        terminal.json({"budget": wish.budget, "lean": engine.status().version, "sets": tables})
    return Exit.DONE


def half_of(file: Path) -> str:
    """The half a file belongs to, by its name alone: so that what is learned on one half is measured on the other."""
    return HALVES[hashlib.blake2b(file.name.encode("utf-8", "surrogateescape"), digest_size=1).digest()[0] % 2]


def goals_of(path: Path, at_most: int, *, only_sorries: bool = False, half: str = "") -> list[Goal]:
    """So many goals of a set, evenly chosen: its theorems, or its `sorry`s. Raises BadInput where there is none."""
    path = path.expanduser()
    if path.is_dir():
        files = [*lean_files(path), *sorted(path.glob("*.md"))]
    elif path.is_file():
        files = [path]
    else:
        raise BadInput(f"There is no {path}.", hint="Name a Lean file, a folder of them, or a book in Markdown.")
    if half:
        files = [file for file in files if half_of(file) == half]
    if only_sorries:
        goals = [goal for file in files if file.suffix == ".lean" for goal in sorries(file)]
    else:
        goals = [goal for file in files for goal in proved(file, below=False)]
    if not goals:
        what = "`sorry`" if only_sorries else "theorem that is proved by tactics"
        raise BadInput(f"{path} has no {what}.", hint="Name another set.")
    return [goals[number * len(goals) // min(at_most, len(goals))] for number in range(min(at_most, len(goals)))]


async def attempt(engine: Engine, goal: Goal, budget: float, way: str, traces: Tracer | None = None) -> Result:
    """Try one goal one way. A place without a goal is skipped, and says why."""
    result, began = Result(), time.monotonic()
    document = Document(goal.uri, 1, goal.text, goal.path)
    search = way == SEARCH
    options = Options(budget, stop_at_first_close=True, closes_only=True, limit=10_000, search=search)
    try:
        async for event in engine.suggest(document, goal.position, options):
            if traces is not None and search and isinstance(event, GoalFound):
                lean = engine.status().version
                traces.begin(event.goals, goal.name, file=goal.file.name, module="", budget=budget, lean=lean)
            elif traces is not None and isinstance(event, SearchEvent):
                traces.note(event)
            if isinstance(event, Found) and event.suggestion.verdict is Verdict.CLOSES and not result.proof:
                result.proof, result.seconds = event.suggestion.tactic, time.monotonic() - began
                result.steps = result.steps or [(event.suggestion.tactic, event.suggestion.source)]
            elif isinstance(event, Proved):
                result.steps = [(step.tactic, step.source) for step in event.steps]
            elif isinstance(event, BatchChecked | Expanded):
                result.checked += len(event.checked)
            elif isinstance(event, Searched):
                result.states, result.elaborations, result.why = event.states, event.elaborations, event.why
    except LeanNotFound:
        raise
    except (NoGoal, TacitError) as error:
        result.skipped = str(error)
    if not result.proof:
        result.seconds = time.monotonic() - began
    return result


def table(results: Sequence[Result]) -> dict[str, Any]:
    """The figures of one way."""
    closed = [each for each in results if each.proof]
    return {
        "goals": len(results),
        "closed": len(closed),
        "by several steps": sum(len(each.steps) > 1 for each in closed),
        "seconds to a proof": round(statistics.median(each.seconds for each in closed), 3) if closed else None,
        "candidates a goal": round(statistics.mean(each.checked for each in results), 1) if results else 0,
        "states a goal": round(statistics.mean(each.states for each in results), 1) if results else 0,
        "candidates a second": round(_rate(results, lambda each: each.checked), 1),
        "sources": dict(Counter(source for each in closed for _, source in each.steps).most_common()),
    }


def _rate(results: Sequence[Result], count: Callable[[Result], int]) -> float:
    return sum(count(each) for each in results) / max(1e-9, sum(each.seconds for each in results))


def _line(name: str, goal: Goal, way: str, result: Result) -> dict[str, Any]:
    return {
        "set": name, "file": goal.file.name, "part": goal.part, "line": goal.position.line + 1, "name": goal.name,
        "way": way, "proof": result.proof, "steps": result.steps, "seconds": round(result.seconds, 3),
        "checked": result.checked, "states": result.states, "elaborations": result.elaborations, "why": result.why,
    }  # fmt: skip


def _show(terminal: Terminal, name: str, ways: dict[str, dict[str, Any]]) -> None:
    terminal.line((name, "bold"))
    for way, figures in ways.items():
        middle = seconds(figures["seconds to a proof"]) if figures["seconds to a proof"] is not None else "–"
        terminal.line(
            f"  {way:<10}", (f"{figures['closed']} of {figures['goals']}", "bold"),
            f" closed, {figures['by several steps']} by several steps; p50 {middle};"
            f" {figures['candidates a goal']} candidates in {figures['states a goal']} states a goal,"
            f" {figures['candidates a second']} candidates/s",
        )  # fmt: skip
        told = ", ".join(f"{source} {count}" for source, count in figures["sources"].items())
        if told:
            terminal.line(("             steps by source: ", "dim"), told)
