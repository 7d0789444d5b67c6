"""Which names in a model's tactic are none: neither bound there, nor in the file above, nor in anything it imports."""

from __future__ import annotations

from functools import lru_cache

from tacit.server.tactics.mentions import bound, mentions, stands_in
from tacit.server.tactics.source import PremiseFinder, SourceRequest

_LONGEST = 5_000
"""Characters of a proof above the place that are looked through for names that it binds."""


async def invented(text: str, request: SourceRequest, library: PremiseFinder) -> frozenset[str]:
    """The names of a tactic that nothing at the place can mean; in doubt a name means something."""
    found = mentions(text, _local(request))
    fields = {f".{each}": each for each in found.fields}
    members = {each: f".{each.partition('.')[2]}" for each in found.members}
    unknown = frozenset(await library.unknown(request, [*found.names, *fields, *members, *members.values()]))
    names = [each for each in found.names if each in unknown and not _stands_above(each, request)]
    names += [label for field, label in fields.items() if field in unknown]
    names += [name for name, field in members.items() if {name, field} <= unknown and not _stands_above(name, request)]
    return frozenset(names)


@lru_cache(maxsize=4)
def _local(request: SourceRequest) -> frozenset[str]:
    """The names of hypotheses, and what the proof above binds: the goal is not always shown whole."""
    shown = {name for goal in request.goals for h in goal.hypotheses for name in h.names}
    proof = request.text[max(request.start, request.at - _LONGEST) : request.at]
    return bound(proof) | shown


def _stands_above(name: str, request: SourceRequest) -> bool:
    """Whether the file has the name already, or the goal: a notation, a macro's declaration, one of an unsaved file."""
    return stands_in(name, request.text[: request.at]) or any(stands_in(name, goal.text) for goal in request.goals)
