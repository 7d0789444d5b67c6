"""`tacit eval steps SET…`: how many steps of existing proofs would have been suggested.

At each step, with what follows it taken out, suggestions are asked for as an editor does. A suggestion saves the step
where it is the same text, leaves the same goals as the step, or ends the goal.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tacit.server.command import Engine, Exit, json_lines
from tacit.server.errors import BadInput, LeanNotFound, TacitError
from tacit.server.eval_prove import evenly, files_of
from tacit.server.patch import shown_path
from tacit.server.proof_steps import HumanStep, steps_of
from tacit.server.prover.state import states
from tacit.server.question import closes_here, order
from tacit.server.suggest import BatchChecked, Document, Found, Options
from tacit.server.tactics.lexer import signature
from tacit.server.terminal import Terminal, plural, seconds, sparing
from tacit.server.values import CheckedTactic, Goal, Suggestion, Verdict

WORKED = (Verdict.CLOSES, Verdict.PROGRESSES)


@dataclass(slots=True)
class Result:
    """What was suggested at one step, the best first, each with the ways in which it saves the step; seconds.

    `verdict` is Lean's of the step itself, empty where it was not asked. `soonest`: when the first that saves it came.
    """

    suggested: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    """(tactic, source, ways)"""
    verdict: str = ""
    soonest: float | None = None
    skipped: str = ""


async def evaluate_steps(
    engine: Engine,
    terminal: Terminal,
    sets: Sequence[Path],
    budget: float,
    at_most: int,
    log: Path | None = None,
    *,
    as_json: bool = False,
) -> int:
    """Run the command; the exit status. `budget` in seconds a step, `at_most` steps of each set, evenly chosen."""
    chosen = {shown_path(path): _chosen(path, at_most) for path in sets}
    tables: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        write = stack.enter_context(json_lines(log))
        tell = sparing(stack.enter_context(terminal.measured("steps")))
        for name, steps in chosen.items():
            results = []
            for number, step in enumerate(steps):
                tell(name, number, len(steps))
                result = await suggested(engine, step, budget)
                results.append(result)
                write(_line(name, step, result))
            tables[name] = table(results)
            if not as_json:
                _show(terminal, name, tables[name])
    if as_json:
        terminal.json({"budget": budget, "lean": engine.status().version, "sets": tables})
    return Exit.DONE


def _chosen(path: Path, at_most: int) -> list[HumanStep]:
    found = [step for file in files_of(path) for step in steps_of(file)]
    if not found:
        raise BadInput(f"{path} has no proof by tactics.", hint="Name another set.")
    return evenly(found, at_most)


async def suggested(engine: Engine, step: HumanStep, budget: float) -> Result:
    """What is suggested at a step. A place without a goal is skipped, and says why."""
    result = Result()
    document = Document(step.goal.uri, 1, step.goal.text, step.goal.path)
    found: list[Found] = []
    checked: dict[object, CheckedTactic] = {}
    own = signature(step.tactic)
    try:
        # The second time only where no source thought of the very step.
        for options in (Options(budget), Options(budget, sources=frozenset(), given=(step.tactic,))):
            if own in checked:
                break
            async with aclosing(engine.suggest(document, step.goal.position, options)) as events:
                async for event in events:
                    if isinstance(event, Found) and not options.given:
                        found.append(event)
                    elif isinstance(event, BatchChecked):
                        checked |= {signature(each.candidate.text): each for each in event.checked}
    except LeanNotFound:
        raise
    except TacitError as error:
        result.skipped = str(error)
        return result
    human = checked.get(own)
    result.verdict = human.verdict.value if human is not None else ""
    wanted = _result(human.goals) if human is not None and human.verdict in WORKED else None
    for each in sorted(found, key=lambda each: order(each.suggestion)):
        ways = saves(each.suggestion, own, wanted)
        result.suggested.append((each.suggestion.tactic, each.suggestion.source, ways))
        if ways:
            result.soonest = min(each.elapsed, result.soonest if result.soonest is not None else each.elapsed)
    return result


def saves(suggestion: Suggestion, own: object, wanted: object) -> tuple[str, ...]:
    """The ways in which a suggestion saves a step of this signature and result; None for a result that is not known."""
    ways = {
        "same text": signature(suggestion.tactic) == own,
        "same goals": wanted is not None and _result(suggestion.goals) == wanted,
        "closes": closes_here(suggestion),
    }
    return tuple(way for way, holds in ways.items() if holds)


def _result(goals: Sequence[Goal]) -> tuple[object, ...]:
    """What two tactics share that leave the same goals, in whatever order."""
    return tuple(sorted((each.key for each in states(goals)), key=repr))


def table(results: Sequence[Result]) -> dict[str, Any]:
    """The figures of a set: how many steps, and of how many the first suggestion, or any, saves it, and how."""
    asked = [each for each in results if not each.skipped]
    first = [each.suggested[0][2] if each.suggested else () for each in asked]
    any_ = [tuple(way for _, _, ways in each.suggested for way in ways) for each in asked]
    soonest = [each.soonest for each in asked if each.soonest is not None]
    return {
        "steps": len(asked),
        "left out": len(results) - len(asked),
        "Lean takes": sum(each.verdict in {verdict.value for verdict in WORKED} for each in asked),
        "suggested": sum(bool(each.suggested) for each in asked),
        "first": _counts(first),
        "any": _counts(any_),
        "seconds": round(statistics.median(soonest), 3) if soonest else None,
    }


def _counts(ways: Sequence[Sequence[str]]) -> dict[str, int]:
    kinds = ("same text", "same goals", "closes")
    return {"saved": sum(map(bool, ways)), **{kind: sum(kind in each for each in ways) for kind in kinds}}


def _line(name: str, step: HumanStep, result: Result) -> dict[str, Any]:
    goal = step.goal
    return {
        "set": name, "file": shown_path(goal.file), "part": goal.part, "line": goal.position.line + 1,
        "name": goal.name, "tactic": step.tactic, "verdict": result.verdict, "suggested": result.suggested,
        "soonest": result.soonest, "skipped": result.skipped,
    }  # fmt: skip


def _show(terminal: Terminal, name: str, figures: dict[str, Any]) -> None:
    steps = figures["steps"]
    left_out = f", {figures['left out']} left out, where Lean finds no goal" if figures["left out"] else ""
    terminal.line((name, "bold"), f"  {plural(steps, 'step')}{left_out}; something suggested at {figures['suggested']}")
    for which, told in (("first", "the first suggestion"), ("any", "any suggestion")):
        counts = figures[which]
        share = 100 * counts["saved"] / max(1, steps)
        terminal.line(
            f"  saved by {told:<22}", (f"{counts['saved']} ({share:.0f}%)", "bold"),
            f"  same text {counts['same text']}, same goals {counts['same goals']}, closes {counts['closes']}",
        )  # fmt: skip
    if figures["seconds"] is not None:
        terminal.line((f"  p50 {seconds(figures['seconds'])} to the first that saves it", "dim"))
