"""Goals closed in one step without a model, by a model alone, and by either; and how soon its candidates are checked.

Each goal is tried all three ways before the next, on the same Lean: `without` has every source but the model, `model`
no other, `all` is what users have. The model is loaded before the first goal.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tacit.server.compose import build_suggester
from tacit.server.errors import NoGoal, TacitError
from tacit.server.model_choice import choose
from tacit.server.premise_library import IndexedPremises
from tacit.server.settings import Settings
from tacit.server.suggest import BatchChecked, Document, Found, Options, Suggester
from tacit.server.theorems import Goal
from tacit.server.values import Verdict

MODEL = "model"
WAYS = ("without", MODEL, "all")
EIGHT = 8
BUDGET = 10.0
"""Seconds a goal and way."""


@dataclass(slots=True)
class Tried:
    """One goal, one way. Times in seconds since it was asked: of the first candidate of the model that was checked, and
    of the eighth."""

    closed: str = ""
    sources: set[str] = field(default_factory=set)
    written: int = 0
    first: float | None = None
    eighth: float | None = None
    skipped: str = ""
    seconds: float = 0.0


async def attempt(suggester: Suggester, goal: Goal) -> Tried:
    """Ask for everything that closes a goal."""
    tried, began = Tried(), time.perf_counter()
    document = Document(goal.file.resolve().as_uri(), 1, goal.text, goal.file)
    try:
        async for event in suggester.suggest(document, goal.position, Options(BUDGET, closes_only=True, limit=1000)):
            if isinstance(event, Found):
                if event.suggestion.verdict is Verdict.CLOSES:
                    tried.closed = tried.closed or event.suggestion.tactic
            elif isinstance(event, BatchChecked):
                for each in event.checked:
                    if each.verdict is Verdict.CLOSES and not each.candidate.query:
                        tried.sources.add(each.candidate.source)
                    if each.candidate.source == MODEL:
                        tried.written += 1
                        now = time.perf_counter() - began
                        tried.first = tried.first if tried.first is not None else now
                        tried.eighth = now if tried.written == EIGHT else tried.eighth
    except NoGoal as exc:
        tried.skipped = str(exc)
    except TacitError as exc:
        tried.skipped = f"failed: {exc}"
    tried.seconds = time.perf_counter() - began
    return tried


async def section(
    say: Callable[[str], None], sets: dict[str, Sequence[Goal]], settings: Settings, packages: Sequence[Path]
) -> dict[str, object]:
    """Measure every set of goals; the figures."""
    say("## Goals closed in one step, with a model and without")
    choice = choose(settings)
    if choice.path is None:
        say(f"- left out: {choice.sentence}")
        return {}
    say(f"- model: {choice.path.name}, asked as {choice.preset}")
    premises = IndexedPremises(packages)
    suggesters = {
        "without": build_suggester(premises=premises),
        MODEL: build_suggester(settings, premises=premises, choose=lambda all_: [s for s in all_ if s.name == MODEL]),
        "all": build_suggester(settings, premises=premises),
    }
    figures: dict[str, object] = {}
    try:
        for name, goals in sets.items():
            figures[name] = await _set(say, name, goals, suggesters)
    finally:
        for suggester in suggesters.values():
            await suggester.aclose()
        await premises.aclose()
    return figures


async def _set(
    say: Callable[[str], None], name: str, goals: Sequence[Goal], suggesters: dict[str, Suggester]
) -> dict[str, object]:
    done: list[dict[str, Tried]] = []
    begun = time.perf_counter()
    for number, goal in enumerate(goals):
        each = {way: await attempt(suggesters[way], goal) for way in WAYS}
        if any(tried.skipped for tried in each.values()):
            continue
        done.append(each)
        if each[MODEL].closed and not each["without"].closed:
            say(f"  - only the model: {goal.name}: {each[MODEL].closed!r}")
        if each["without"].closed and not each["all"].closed:
            say(f"  - lost beside the model: {goal.name}: {each['without'].closed!r}")
        if (number + 1) % 20 == 0:
            say(f"  - {number + 1} of {len(goals)}, {time.perf_counter() - begun:.0f} s")
    if not done:
        say(f"- {name}: no goals")
        return {}
    closed = {way: sum(bool(each[way].closed) for each in done) for way in WAYS}
    either = sum(bool(each["without"].closed or each[MODEL].closed) for each in done)
    say(
        f"- {name}: of {len(done)} goals **{closed['without']}** closed without, **{closed[MODEL]}** by the model"
        f" alone, **{either}** by either; {closed['all']} when all are asked together"
    )
    figures: dict[str, object] = {"goals": len(done), "closed": closed, "either": either}
    for way in (MODEL, "all"):
        for what in ("first", "eighth"):
            times = sorted(found for each in done if (found := getattr(each[way], what)) is not None)
            if len(times) > 1:
                low, high = statistics.median(times), times[int(0.95 * (len(times) - 1))]
                say(f"  - {way}: {what} of its candidates checked: p50 {low:.2f} s, p95 {high:.2f} s ({len(times)})")
                figures[f"{way} {what}"] = [round(low, 3), round(high, 3), len(times)]
    for way in WAYS:
        say(f"  - {way}: {statistics.median(each[way].seconds for each in done):.2f} s a goal")
    say(f"  - the model: {statistics.mean(each[MODEL].written for each in done):.1f} candidates a goal reach Lean")
    return figures
