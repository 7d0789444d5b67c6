"""What a source of ranked premises offers, and the values it takes and gives. Nothing here ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Query:
    """What a person typed, taken apart: `text` is all of it but the filters, and what an encoder is given.

    Each filter holds what any premise must satisfy; an empty one holds nothing back. `modules` are dotted names, each
    standing for itself and all that lies below it; `kinds` and `packages` are names as they are shown.
    """

    text: str
    modules: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


class Ranked(NamedTuple):
    """A premise of one store, by its id there, and how well it answers; scores of one ranker only compare."""

    premise: int
    score: float


class Ranker(Protocol):
    """Ranks the premises of one store. One query at a time; opening may be slow, ranking is fast."""

    name: str

    def rank(self, query: Query, limit: int = 200) -> Sequence[Ranked]:
        """At most `limit` premises, best first, no premise twice. Filters may be left to the caller."""
        ...

    def scores(self, query: Query, premises: Sequence[int]) -> Sequence[float]:
        """The score of each of these premises, in their order; 0 for one that this ranker does not know."""
        ...
