"""What to put for an unknown that a step has left: `apply mul_left_cancel` leaves `?a * b = ?a * c` and `case a`.

Nothing but the goals is read, so every term of the goal it stands in may be one; Lean says which have the right type,
and what comes of them decides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

from tacit.server.tactics import lexer, trees
from tacit.server.tactics.offers import Offer, batches
from tacit.server.tactics.source import SourceRequest
from tacit.server.tactics.view import View
from tacit.server.values import UNKNOWN, Candidate, Goal

LIMIT = 12


class UnknownTactics:
    """Proposes `case a => exact t` for the unknowns of a goal; at most 12 candidates."""

    def __init__(self, limit: int = LIMIT, name: str = "unknowns") -> None:
        self._limit = limit
        self._name = name

    @property
    def name(self) -> str:
        """The name shown beside a suggestion."""
        return self._name

    async def candidates(self, request: SourceRequest) -> AsyncIterator[Sequence[Candidate]]:
        """Yield the offers, likeliest first; none where the goals share no unknown that has a name."""
        for batch in batches(_offers(request.goals), request, self._name, self._limit):
            yield batch


def _offers(goals: Sequence[Goal]) -> Iterator[Offer]:
    main, *others = goals
    view = View(main)
    # On a copy of a goal the tag of the copy stands before the name; `case` needs only how a tag ends.
    unknown = {found.rpartition(".")[2] for found in UNKNOWN.findall(view.target)}
    for other in others:
        name = (other.tag or "").rpartition(".")[2]
        if name not in unknown:
            continue
        wanted = " ".join(other.target.split())
        for at, term in enumerate(_terms(view, wanted)):
            yield Offer(f"case {name} => exact {term}", max(0.3, 0.8 - 0.05 * at))


def _terms(view: View, wanted: str) -> Iterator[str]:
    """Terms that may be of the type `wanted`: of the target, the smallest last, then variables of that type."""
    seen: set[str] = set()
    tree = trees.parse(UNKNOWN.sub("unknown✝", view.target))
    found = [part for part in trees.parts(tree) if part != tree] if tree is not None else []
    for part in sorted(found, key=trees.size, reverse=True):
        text = trees.write(part)
        if "✝" in text or not _may_be(text, view, wanted) or text in seen:
            continue
        seen.add(text)
        yield text
    for local in view.data:
        if lexer.same(local.type, wanted) and local.name not in seen:
            seen.add(local.name)
            yield local.name


def _may_be(text: str, view: View, wanted: str) -> bool:
    """Whether a term may be of a type: only of a variable is the type told."""
    known = view.types.get(text)
    return known is None or lexer.same(known, wanted)
