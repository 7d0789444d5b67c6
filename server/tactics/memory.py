"""Tactics that stand in proofs of like goals, the user's own among them, with their names put into the present goal.

Source of the idea: Tactician (Blaauwbroek, Urban, Geuvers 2020). Where a name has no counterpart here, an entry of a
list goes, an argument becomes `_`, and what cannot do without it is not proposed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from functools import cached_property

from tacit.server.tactics import lexer
from tacit.server.tactics.counterparts import Sides, counterparts, is_name
from tacit.server.tactics.offers import Offer, batches
from tacit.server.tactics.source import ProofMemory, Remembered, SourceRequest
from tacit.server.values import Candidate, Goal

ASKED = 96
"""Tactics asked for; many become one."""
LIMIT = 24
OTHER_WAY = 0.35
"""What a tactic counts with the second best counterpart of its first name."""
LESS = 0.5
"""What is left of its weight when something had to be left out."""
HIGHEST, LOWEST, HALF = 0.9, 0.3, 0.1
"""Priors lie between these; a weight of HALF brings half of the way."""

_WORD = re.compile(r"(?<![\w.'«»✝?])[^\W\d][\w'!?✝]*")
_LISTED = re.compile(r"\[[^\[\]]*\]")
_APPLIES = frozenset(
    "exact refine refine' apply rw rwa erw simp simpa simp_rw have haveI exacts linarith nlinarith".split()
)
_BINDS = re.compile(
    r"\b(?:fun|λ|intros?|rintro|obtain|rcases|cases'?|induction'?|generalizing|clear|subst|revert|at)\b|∀|∃"
)
_NAMED = re.compile(r"\(\s*$")


class MemoryTactics:
    """Proposes what was done at like goals; at most 24 candidates."""

    def __init__(self, memory: ProofMemory, limit: int = LIMIT, name: str = "memory") -> None:
        self._memory = memory
        self._limit = limit
        self._name = name

    @property
    def name(self) -> str:
        """The name shown beside a suggestion."""
        return self._name

    async def candidates(self, request: SourceRequest) -> AsyncIterator[Sequence[Candidate]]:
        """Yield what this environment parses, likeliest first."""
        found = await self._memory.recall(request, ASKED)
        if not found:
            return
        offers = await asyncio.to_thread(lambda: offers_of(found, request.goal))
        for batch in batches(offers, request, self._name, self._limit):
            yield batch


def offers_of(found: Sequence[Remembered], goal: Goal) -> list[Offer]:
    """What these tactics are for a goal, the likeliest first: those that become one text count together."""
    totals: dict[str, float] = {}
    texts: dict[str, str] = {}
    now = Sides(goal)
    pairs: dict[int, _Pair] = {}
    for each in found:
        pair = pairs.get(id(each.goal)) or pairs.setdefault(id(each.goal), _Pair(Sides(each.goal), now))
        for text, weight in _adapted(each, pair):
            key = lexer.signature(text)
            texts.setdefault(key, text)
            totals[key] = totals.get(key, 0.0) + weight
    ranked = sorted(totals.items(), key=lambda item: -item[1])
    return [
        Offer(texts[key], LOWEST + (HIGHEST - LOWEST) * weight / (weight + HALF))
        for key, weight in ranked
        if weight > 0
    ]


class _Pair:
    """A remembered goal and the present one, with the counterparts of its names."""

    def __init__(self, then: Sides, now: Sides) -> None:
        self.then, self.now = then, now
        self._otherwise: dict[str, Mapping[str, str]] = {}

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The likeliest counterparts."""
        return counterparts(self.then, self.now)

    def otherwise(self, name: str) -> Mapping[str, str]:
        """The likeliest in which this name has another."""
        if name not in self._otherwise:
            self._otherwise[name] = counterparts(self.then, self.now, ((name, self.names[name]),))
        return self._otherwise[name]


def _adapted(each: Remembered, pair: _Pair) -> Iterator[tuple[str, float]]:
    """A tactic for another goal, as it may read here, with its weight."""
    words = _words(each.tactic)
    own = {name for name in words if name in pair.then.names or name in each.bound}
    if not own:
        yield each.tactic, each.weight
        return
    best = _renamed(each, pair, pair.names, own)
    if best is not None:
        yield best[0], each.weight * best[1]
    first = next((name for name in words if name in own and name in pair.names), None)
    if first is not None:
        other = _renamed(each, pair, pair.otherwise(first), own)
        if other is not None and (best is None or other[0] != best[0]):
            yield other[0], each.weight * other[1] * OTHER_WAY


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _renamed(each: Remembered, pair: _Pair, names: Mapping[str, str], own: Collection[str]) -> tuple[str, float] | None:
    """The tactic with its names replaced and what share of its weight is left; None where it cannot be said here."""
    known = pair.now.usable
    introduced = each.bound - pair.then.names
    replaced = dict(names) | {name: name for name in introduced if name in known}
    missing = {name for name in own if name not in replaced}
    text, share = each.tactic, 1.0
    if missing:
        text = _LISTED.sub(lambda found: _without(found[0], missing), text)
        text = re.sub(r"\s*\[\]", "", text) if "[]" in text and "[]" not in each.tactic else text
        share = LESS
    head = text.split(maxsplit=1)[0] if text.strip() else ""
    binds = _BINDS.search(text) is not None
    fits = True

    def write(found: re.Match[str]) -> str:
        nonlocal fits
        name = found[0]
        if name not in own or (_NAMED.search(text, 0, found.start()) and text[found.end() :].lstrip().startswith(":=")):
            return name
        if name in missing:
            before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
            argument = before == " " and after in ("", " ", ")", "]", ",", "⟩", "\n")
            applied = argument and text[: found.start()].rstrip()[-1:] not in tuple("[(⟨,=") and after != "."
            if (
                binds
                or head not in _APPLIES
                or not applied
                or text[: found.start()].split()[-1:] in ([head], ["using"])
            ):
                fits = False
            return "_"
        term = replaced[name]
        if binds and not is_name(term):
            fits = False
        return term

    text = _WORD.sub(write, text)
    return (text, share) if fits and text.strip() and text.split()[-1] not in ("rw", "at", "using") else None


def _without(listed: str, missing: Collection[str]) -> str:
    """A list in brackets without the entries that begin with, or are, what is missing."""
    kept = [part for part in listed[1:-1].split(",") if not set(_words(part)[:1]) & set(missing)]
    return f"[{','.join(kept).strip()}]"
