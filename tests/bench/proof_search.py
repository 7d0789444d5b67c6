"""States and candidates a second of a search for proofs: as it is, and with one edit for each candidate, side by side.

Each goal is searched both ways before the next, with the same Lean, the same sources and the same budget; the search
chooses as it does, only that what it sends to Lean together goes there one by one. A search that finds a proof ends
there, and only its own time counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tacit.server.compose import build_suggester
from tacit.server.errors import TacitError
from tacit.server.lean.checker import Checker, Trial
from tacit.server.lean.site import Site
from tacit.server.prover.events import Searched
from tacit.server.suggest import Document, Options
from tacit.server.theorems import Goal
from tacit.server.values import CheckedTactic

WAYS = ("one edit for many", "one edit each")


async def section(say: Callable[[str], None], sets: dict[str, Sequence[Goal]], budget: float) -> dict[str, object]:
    """Measure every set of goals; the figures."""
    say("## Search for proofs: one edit for many candidates, and one for each")
    suggester = build_suggester()
    figures: dict[str, object] = {}
    together = Checker.check_all

    async def apart(
        checker: Checker, site: Site, trials: Sequence[Trial], *, label: str = "", until: float = math.inf
    ) -> list[CheckedTactic]:
        return [(await together(checker, site, [each], label=label, until=until))[0] for each in trials]

    try:
        for name, goals in sets.items():
            done: dict[str, list[Searched]] = {way: [] for way in WAYS}
            for goal in goals:
                for way in WAYS:
                    setattr(Checker, "check_all", together if way == WAYS[0] else apart)  # noqa: B010 - a method
                    try:
                        document = Document(goal.uri, 1, goal.text, goal.path)
                        async for event in suggester.suggest(document, goal.position, Options(budget, search=True)):
                            if isinstance(event, Searched):
                                done[way].append(event)
                    except TacitError as error:
                        say(f"- {goal.file.name}, {goal.name}, {way}: {error}")
            figures[name] = {way: rates(found) for way, found in done.items()}
            for way in WAYS:
                one = rates(done[way])
                say(
                    f"- {name}, {way}: {one['proved']:.0f} of {len(done[way])} proved,"
                    f" {one['states']:.1f} states/s, {one['candidates']:.1f} candidates/s,"
                    f" {one['each']:.1f} candidates an elaboration"
                )
            many, each = (rates(done[way]) for way in WAYS)
            say(f"  - **{many['candidates'] / max(each['candidates'], 1e-9):.1f}×** the candidates a second")
    finally:
        setattr(Checker, "check_all", together)  # noqa: B010 - a method
        await suggester.aclose()
    return figures


def rates(found: Sequence[Searched]) -> dict[str, float]:
    """States, candidates and proofs of searches, a second and an elaboration."""
    seconds = max(sum(each.elapsed for each in found), 1e-9)
    checked = sum(each.checked for each in found)
    return {
        "proved": sum(each.proved for each in found),
        "states": sum(each.states for each in found) / seconds,
        "candidates": checked / seconds,
        "each": checked / max(1, sum(each.elaborations for each in found)),
    }
