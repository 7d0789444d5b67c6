"""`tacit eval prove SET…`: how many theorems of a set are proved in several ways, side by side.

A set is a Lean file, a folder of them, or a book in Markdown: its theorems with their proofs taken out and nothing
below them; or its `sorry`s, as they stand. Each goal is tried every way before the next, in the same Lean.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tacit.server.close_sorries import tracer
from tacit.server.command import EVERYTHING, Engine, Exit, json_lines
from tacit.server.errors import BadInput, LeanNotFound, NoGoal, TacitError
from tacit.server.eval_ways import Way
from tacit.server.modules import module_at
from tacit.server.patch import shown_path
from tacit.server.prove_project import lean_files
from tacit.server.prover.events import Expanded, Proved, Searched, SearchEvent
from tacit.server.prover.traces import Tracer
from tacit.server.question import closes, closes_here
from tacit.server.suggest import BatchChecked, Document, Found, GoalFound, Options
from tacit.server.terminal import Terminal, plural, seconds, sparing
from tacit.server.text import LineIndex
from tacit.server.theorems import Goal, in_theorem, proved, sorries

T = TypeVar("T")
SOON = 10.0
"""Seconds: with a larger budget it is told, too, what was closed within these."""
HALVES = ("even", "odd")

Key = tuple[str, int, int, str]
"""A goal in a log: its file, its block, its line, its name."""


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
    but: str = ""
    """What is missing all the same, where the goal is one of several `sorry`s: another one, which this proof uses."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked: the ways, seconds a goal, goals of each set, and a file for a line of JSON a goal and way.

    The goals are `sorries`, else theorems; with `terms`, those that a term proves too. `again` is the log of an earlier
    run: what is closed there is not tried again. `traces` is a file that what the searches tried is appended to; `half`
    leaves out the files of the other half.
    """

    ways: tuple[Way, ...]
    budget: float = 10.0
    at_most: int = 100
    log: Path | None = None
    sorries: bool = False
    terms: bool = False
    again: Path | None = None
    traces: Path | None = None
    half: str = ""


async def evaluate_proofs(
    engine: Engine, terminal: Terminal, sets: Sequence[Path], wish: Wish, *, as_json: bool = False
) -> int:
    """Run the command; the exit status."""
    chosen = {
        shown_path(path): goals_of(path, wish.at_most, only_sorries=wish.sorries, terms=wish.terms, half=wish.half)
        for path in sets
    }
    known = _closed_in(wish.again) if wish.again is not None else {}
    tables: dict[str, dict[str, Any]] = {}
    skipped: dict[str, list[str]] = {}
    with ExitStack() as stack:
        log = stack.enter_context(json_lines(wish.log))
        traces = stack.enter_context(tracer(wish.traces))
        tell = sparing(stack.enter_context(terminal.measured("goals")))
        for name, goals in chosen.items():
            results: dict[str, list[Result]] = {way.name: [] for way in wish.ways}
            skipped[name] = []
            for number, goal in enumerate(goals):
                tell(name, number, len(goals))
                tried = await _every_way(engine, goal, number, wish, known, traces)
                if reasons := [result.skipped for result in tried.values() if result.skipped]:
                    skipped[name].append(f"{goal.file.name}:{goal.position.line + 1} {goal.name}: {reasons[0]}")
                    continue
                for way, result in tried.items():
                    results[way].append(result)
                    log(_line(name, goal, way, wish.budget, result))
            tables[name] = {way: table(found, wish.budget) for way, found in results.items()}
            if not as_json:
                _show(terminal, name, tables[name], skipped[name])
    if as_json:
        lean = engine.status().version
        terminal.json({"budget": wish.budget, "lean": lean, "sets": tables, "skipped": skipped})
    else:
        for each in wish.ways:
            terminal.note((f"{each.name}: {each.told}", "dim"))
    return Exit.DONE


def _half_of(file: Path) -> str:
    """The half a file belongs to, by its name alone: so that what is learned on one half is measured on the other."""
    return HALVES[hashlib.blake2b(file.name.encode("utf-8", "surrogateescape"), digest_size=1).digest()[0] % 2]


def goals_of(
    path: Path, at_most: int, *, only_sorries: bool = False, terms: bool = False, half: str = ""
) -> list[Goal]:
    """So many goals of a set, evenly chosen: its theorems, or its `sorry`s. Raises BadInput where there is none."""
    files = [file for file in files_of(path) if not half or _half_of(file) == half]
    if only_sorries:
        goals = [goal for file in files if file.suffix == ".lean" for goal in sorries(file)]
    else:
        goals = [goal for file in files for goal in proved(file, below=False, terms=terms)]
    if not goals:
        what = "`sorry`" if only_sorries else "theorem" if terms else "theorem that is proved by tactics"
        raise BadInput(f"{path} has no {what}.", hint="Name another set.")
    return evenly(goals, at_most)


def files_of(path: Path) -> list[Path]:
    """The files of a set: Lean files, and chapters in Markdown. Raises BadInput where there is no such path."""
    path = path.expanduser()
    if path.is_dir():
        return [*lean_files(path), *sorted(path.glob("*.md"))]
    if path.is_file():
        return [path]
    raise BadInput(f"There is no {path}.", hint="Name a Lean file, a folder of them, or a book in Markdown.")


def evenly(all_: Sequence[T], at_most: int) -> list[T]:
    """So many of them, evenly chosen."""
    count = min(at_most, len(all_))
    return [all_[number * len(all_) // count] for number in range(count)]


def _closed_in(log: Path) -> dict[tuple[Key, str], Result]:
    """What the log of an earlier run has closed, by goal and way. Raises BadInput."""
    found: dict[tuple[Key, str], Result] = {}
    try:
        for line in log.read_text(encoding="utf-8").splitlines():
            each = json.loads(line)
            if each["proof"]:
                key = each["file"], each["part"], each["line"], each["name"]
                steps = [(tactic, source) for tactic, source in each["steps"]]
                counts = each["checked"], each["states"], each["elaborations"]
                found[key, each["way"]] = Result(each["proof"], steps, each["seconds"], *counts)
    except OSError as error:
        raise BadInput(f"{log} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{log} is no log of `tacit eval prove`.", hint="Name a file that --log has written.") from error
    return found


async def _every_way(
    engine: Engine,
    goal: Goal,
    number: int,
    wish: Wish,
    known: Mapping[tuple[Key, str], Result],
    traces: Tracer | None,
) -> dict[str, Result]:
    """One goal every way; whatever the machine does meanwhile, it does to all alike, and no way is always first."""
    tried: dict[str, Result] = {}
    at = number % len(wish.ways)
    for way in (*wish.ways[at:], *wish.ways[:at]):
        before = known.get((_key(goal), way.name))
        tried[way.name] = before or await attempt(engine, goal, wish.budget, way, traces)
        if tried[way.name].skipped:
            break
    return {way.name: tried[way.name] for way in wish.ways if way.name in tried}


async def attempt(engine: Engine, goal: Goal, budget: float, way: Way, traces: Tracer | None = None) -> Result:
    """Try one goal one way. A place without a goal, or with one that is data, is skipped, and says why.

    The place is opened first, so that starting Lean, and what the way before has left of it, counts for none.
    """
    result = Result()
    document = Document(goal.uri, 1, goal.text, goal.path)
    opening = Options(budget, sources=frozenset())
    options = Options(
        budget,
        stop_at_first_close=True,
        closes_only=not goal.as_it_stands,
        limit=EVERYTHING,
        search=way.search,
        sources=way.sources,
    )
    ends = closes_here if goal.as_it_stands else closes
    began = time.monotonic()
    try:
        async with aclosing(engine.suggest(document, goal.position, opening)) as events:
            async for event in events:
                if isinstance(event, GoalFound) and event.is_data and not in_theorem(goal.text, _offset(goal)):
                    result.skipped = "It is data, not a proof."
                    return result
        began = time.monotonic()
        async with aclosing(engine.suggest(document, goal.position, options)) as events:
            async for event in events:
                if traces is not None and way.search and isinstance(event, GoalFound):
                    about = {"file": shown_path(goal.file), "module": module_at(goal.path)}
                    traces.begin(event.goals, goal.name, **about, budget=budget, lean=engine.status().version)
                elif traces is not None and isinstance(event, SearchEvent):
                    traces.note(event)
                if isinstance(event, Found) and ends(event.suggestion) and (not result.proof or result.but):
                    result.proof, result.seconds = event.suggestion.tactic, time.monotonic() - began
                    result.but = "" if closes(event.suggestion) else event.suggestion.note
                    found = [(event.suggestion.tactic, event.suggestion.source)]
                    result.steps = result.steps if way.search and result.steps else found
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


def table(results: Sequence[Result], budget: float) -> dict[str, Any]:
    """The figures of one way."""
    closed = [each for each in results if each.proof]
    # What was begun in time may end later: then it is closed, but not within the budget.
    within = {
        f"{limit:g}": sum(each.seconds <= limit for each in closed) for limit in sorted({min(SOON, budget), budget})
    }
    return {
        "goals": len(results),
        "closed": len(closed),
        "within": within,
        "by several steps": sum(len(each.steps) > 1 for each in closed),
        "with another sorry": sum(bool(each.but) for each in closed),
        "seconds to a proof": round(statistics.median(each.seconds for each in closed), 3) if closed else None,
        "candidates a goal": round(statistics.mean(each.checked for each in results), 1) if results else 0,
        "states a goal": round(statistics.mean(each.states for each in results), 1) if results else 0,
        "candidates a second": round(_rate(results, lambda each: each.checked), 1),
        "states a second": round(_rate(results, lambda each: each.states), 1),
        "sources": dict(Counter(source for each in closed for _, source in each.steps).most_common()),
    }


def _rate(results: Iterable[Result], count: Callable[[Result], int]) -> float:
    return sum(count(each) for each in results) / max(1e-9, sum(each.seconds for each in results))


def _offset(goal: Goal) -> int:
    return LineIndex(goal.text).offset(goal.position)


def _key(goal: Goal) -> Key:
    return shown_path(goal.file), goal.part, goal.position.line + 1, goal.name


def _line(name: str, goal: Goal, way: str, budget: float, result: Result) -> dict[str, Any]:
    file, part, line, theorem = _key(goal)
    return {
        "set": name, "file": file, "part": part, "line": line, "name": theorem, "way": way, "budget": budget,
        "proof": result.proof, "steps": result.steps, "seconds": round(result.seconds, 3),
        "checked": result.checked, "states": result.states, "elaborations": result.elaborations, "why": result.why,
        "but": result.but,
    }  # fmt: skip


def _show(terminal: Terminal, name: str, ways: Mapping[str, dict[str, Any]], skipped: Sequence[str]) -> None:
    terminal.line((name, "bold"), f"; {plural(len(skipped), 'goal')} left out" if skipped else "")
    for each in skipped:
        terminal.note((f"  left out: {each}", "dim"))
    for way, figures in ways.items():
        middle = seconds(figures["seconds to a proof"]) if figures["seconds to a proof"] is not None else "–"
        some = figures["with another sorry"]
        but = f", {some} with a theorem that is a `sorry` itself or another `sorry` beside it" if some else ""
        within = [f"{count} within {limit} s" for limit, count in figures["within"].items()]
        terminal.line(
            f"  {way:<10}", (f"{figures['closed']} of {figures['goals']}", "bold"),
            f" closed ({', '.join(within)}), {figures['by several steps']} by several steps{but}; p50 {middle};"
            f" {figures['candidates a second']} candidates/s, {figures['states a second']} states/s",
        )  # fmt: skip
        told = ", ".join(f"{source} {count}" for source, count in figures["sources"].items())
        if told:
            terminal.line(("             steps by source: ", "dim"), told)
