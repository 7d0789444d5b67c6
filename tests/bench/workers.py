"""Candidates a second of a search with one Lean and with two, on the same goals, in turn.

Each file's goals are searched once unmeasured, so that all Leans have loaded what it imports; then each goal both ways,
the first way changing from goal to goal. The same sources, no model: it would take a core from one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from itertools import groupby

from tacit.server.compose import build_suggester
from tacit.server.errors import TacitError
from tacit.server.lean import pool
from tacit.server.prover.events import Searched
from tacit.server.prover.experience import Experience
from tacit.server.settings import Settings
from tacit.server.suggest import Document, Options, Suggester
from tacit.server.theorems import Goal
from tests.bench.proof_search import rates

WORKERS = (1, 2)
WARM = 5.0
"""Seconds of the search that is not measured."""


async def section(say: Callable[[str], None], sets: dict[str, Sequence[Goal]], budget: float) -> dict[str, object]:
    """Measure every set of goals; the figures."""
    say("## Search for proofs: one Lean, and two")
    # Each has sources of its own; neither learns from its searches, nor from the other's.
    suggesters = {
        n: build_suggester(Settings(model_path="off", prove_workers=n), measured=True, experience=Experience())
        for n in WORKERS
    }
    later, pool.LATER = pool.LATER, 0.0
    figures: dict[str, object] = {}
    try:
        for name, goals in sets.items():
            done: dict[int, list[Searched]] = {n: [] for n in WORKERS}
            for _, of_file in groupby(goals, key=lambda goal: goal.uri):
                same = list(of_file)
                for n in WORKERS:
                    await _searched(suggesters[n], same[0], WARM)
                for number, goal in enumerate(same):
                    order = WORKERS if number % 2 else tuple(reversed(WORKERS))
                    found = {n: await _searched(suggesters[n], goal, budget) for n in order}
                    for n, searched in found.items():
                        if searched is not None and None not in found.values():
                            done[n].append(searched)
                for suggester in suggesters.values():
                    await suggester.forget(same[0].uri)
            # One that is proved ends before there is anything to share, mostly.
            lasting = [k for k, both in enumerate(zip(*done.values(), strict=True)) if not any(s.proved for s in both)]
            figures[name] = {n: [rates(found), rates([found[k] for k in lasting])] for n, found in done.items()}
            for n in WORKERS:
                one = rates([done[n][k] for k in lasting])
                say(
                    f"- {name}, {n}: {sum(s.proved for s in done[n])} of {len(done[n])} proved; {len(lasting)} that"
                    f" neither proves: {one['states']:.1f} states/s, {one['candidates']:.1f} candidates/s,"
                    f" {one['each']:.1f} candidates an elaboration"
                )
            fewer, more = (rates([done[n][k] for k in lasting])["candidates"] for n in WORKERS)
            if lasting:
                say(f"  - **{more / max(fewer, 1e-9):.2f}×** the candidates a second")
    finally:
        pool.LATER = later
        for suggester in suggesters.values():
            await suggester.aclose()
    return figures


async def _searched(suggester: Suggester, goal: Goal, budget: float) -> Searched | None:
    """How a search ended; None where there was none."""
    document = Document(goal.uri, 1, goal.text, goal.path)
    last: Searched | None = None
    try:
        async with aclosing(suggester.suggest(document, goal.position, Options(budget, search=True))) as events:
            async for event in events:
                if isinstance(event, Searched):
                    last = event
    except TacitError:
        return None
    return last
