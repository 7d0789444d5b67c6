"""What a search tells as it goes: values only."""

from __future__ import annotations

from dataclasses import dataclass

from tacit.server.values import CheckedTactic, Goal, Suggestion


@dataclass(frozen=True, slots=True)
class Expanded:
    """A portion of a state's candidates with Lean's verdicts; `number` is the state's, 0 the first."""

    number: int
    goals: tuple[Goal, ...]
    checked: tuple[CheckedTactic, ...]


@dataclass(frozen=True, slots=True)
class Searching:
    """Where a search is: states seen and open, candidates checked, depth, the open goal it thinks best of, seconds.

    `left` are the seconds of its budget that are left.
    """

    states: int
    open: int
    checked: int
    depth: int
    best: str
    elapsed: float
    left: float


@dataclass(frozen=True, slots=True)
class Taken:
    """A tactic of a proof that was found, with its source and the goals before it."""

    tactic: str
    source: str
    goals: tuple[Goal, ...]


@dataclass(frozen=True, slots=True)
class Proved:
    """A proof that Lean accepted as a whole, in place, and what the search made it of; it may have been shortened.

    `alternatives` are other proofs of the same goal, each accepted in place as well.
    """

    suggestion: Suggestion
    steps: tuple[Taken, ...]
    elapsed: float
    alternatives: tuple[Suggestion, ...] = ()


@dataclass(frozen=True, slots=True)
class Searched:
    """A search ended: what it did, and in a sentence what ended it, where that was no proof.

    `sketch` is the furthest honest state where nothing was proved: an edit with `sorry` for each goal that is left, of
    which there are `goals`. Lean accepted each of its tactics; it proves nothing.
    """

    proved: bool
    states: int
    checked: int
    elaborations: int
    elapsed: float
    why: str = ""
    sketch: Suggestion | None = None
    goals: int = 0


SearchEvent = Expanded | Searching | Proved | Searched
