"""What is said of a search, in sentences. Pure."""

from __future__ import annotations

from tacit.server.prover.events import Searched, Searching

BEST = 60
"""Characters of a goal in a line of progress."""


def progress(event: Searching) -> str:
    """Where a search is, in one line: `41 states, depth 3, 512 tactics tried, 12 s left: ⊢ a + b = b + a`."""
    best = event.best if len(event.best) <= BEST else f"{event.best[: BEST - 1]}…"
    goal = f": ⊢ {best}" if best else ""
    return (
        f"{_plural(event.states, 'state')}, depth {event.depth}, {_plural(event.checked, 'tactic')} tried,"
        f" {event.left:.0f} s left{goal}"
    )


def summary(event: Searched) -> str:
    """What a search without a proof did, and how far it came."""
    done = f"{event.why} {_plural(event.checked, 'tactic')} tried in {_plural(event.states, 'state')}."
    if event.sketch is None:
        return done.strip()
    return f"{done.strip()} The furthest that was come leaves {_plural(event.goals, 'goal')}."


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
