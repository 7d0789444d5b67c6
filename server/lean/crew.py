"""Several checkers of one document, each with a Lean of its own, that share the trials of a search.

A Crew begins with the one that is warm; others join when they are ready for the place that is searched. With one it is
that checker and nothing more. What fails with one Lean is done by another: only when none is left is the error told.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any, Protocol, TypeVar

from tacit.server.errors import TacitError
from tacit.server.lean.checker import Checker, Trial
from tacit.server.lean.site import Site
from tacit.server.text import Position
from tacit.server.values import Candidate, CheckedTactic, Goal

log = logging.getLogger(__name__)
LEAST = 4
"""Trials of one goal that are worth an elaboration of their own: it runs the way to the goal again."""
QUERY = 20
"""What a candidate that searches the library costs, in others: it takes as long as some 20 that do not."""

T = TypeVar("T")


class Checking(Protocol):
    """What a search needs of a Checker, or of several; see Checker for what each does."""

    @property
    def elaborations(self) -> int:
        """How many there were so far."""
        ...

    def gate(self, site: Site, candidate: Candidate, goals: Sequence[Goal] = ()) -> CheckedTactic | None:
        """The refusal of a candidate, or None when it may run."""
        ...

    async def check(
        self, site: Site, candidates: Sequence[Candidate], *, label: str = "", until: float = math.inf
    ) -> list[CheckedTactic]:
        """One verdict for each candidate, in their order."""
        ...

    async def check_all(
        self, site: Site, trials: Sequence[Trial], *, label: str = "", until: float = math.inf
    ) -> list[CheckedTactic]:
        """The same for goals anywhere inside the proof; trials of one goal stand together."""
        ...

    async def verify(self, site: Site, checked: CheckedTactic, *, label: str = "") -> CheckedTactic:
        """Elaborate a tactic once more in place, whole declaration."""
        ...

    async def heard(
        self, site: Site, tactic: str, *, prologue: str = "", label: str = ""
    ) -> list[tuple[Position, str]] | None:
        """What Lean tells of a tactic that stands in place; None where it does not run."""
        ...


@dataclass(slots=True)
class _Member:
    """A checker, how many elaborations it had made before it joined, and its lock: it is not for concurrent use."""

    checker: Checker
    before: int
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Crew:
    """The checkers of one search; see the module's contract and Checking.

    `lost` are those whose Lean can no longer be had, for whoever opened them to close.
    """

    def __init__(self, first: Checker) -> None:
        self._members = [_Member(first, first.elaborations)]
        self._left = 0
        self.lost: list[Checker] = []

    def __len__(self) -> int:
        return len(self._members)

    def join(self, checker: Checker) -> None:
        """Another one helps from the next batch on: Lean has what stands above the place."""
        self._members.append(_Member(checker, checker.elaborations))

    @property
    def elaborations(self) -> int:
        """How many all made since they joined."""
        return self._left + sum(each.checker.elaborations - each.before for each in self._members)

    def gate(self, site: Site, candidate: Candidate, goals: Sequence[Goal] = ()) -> CheckedTactic | None:
        """See Checker."""
        return self._members[0].checker.gate(site, candidate, goals)

    async def check(
        self, site: Site, candidates: Sequence[Candidate], *, label: str = "", until: float = math.inf
    ) -> list[CheckedTactic]:
        """See Checker."""
        return await self.check_all(site, [Trial(each) for each in candidates], label=label, until=until)

    async def check_all(
        self, site: Site, trials: Sequence[Trial], *, label: str = "", until: float = math.inf
    ) -> list[CheckedTactic]:
        """See Checker. Each member gets a share, and all run at once."""
        members = list(self._members)
        shares = divided(trials, len(members))
        found: dict[int, CheckedTactic] = {}
        while shares:
            turn = list(zip(members, shares, strict=False))
            results = await at_once([self._share(each, site, trials, share, label, until) for each, share in turn])
            shares = shares[len(turn) :]
            for (member, share), result in zip(turn, results, strict=True):
                if isinstance(result, TacitError):
                    self._lose(member, result)
                    members.remove(member)
                    shares.append(share)
                    if not members:
                        raise result
                else:
                    found.update(zip(share, result, strict=True))
        return [found[n] for n in range(len(trials))]

    async def _share(
        self, member: _Member, site: Site, trials: Sequence[Trial], share: range, label: str, until: float
    ) -> list[CheckedTactic] | TacitError:
        async with member.lock:
            try:
                return await member.checker.check_all(site, [trials[n] for n in share], label=label, until=until)
            except TacitError as error:
                return error

    async def verify(self, site: Site, checked: CheckedTactic, *, label: str = "") -> CheckedTactic:
        """See Checker. Any member that is free does it."""
        while True:
            member = next((each for each in self._members if not each.lock.locked()), self._members[0])
            async with member.lock:
                try:
                    return await member.checker.verify(site, checked, label=label)
                except TacitError as error:
                    if member is self._members[0]:
                        raise
                    self._lose(member, error)

    async def heard(
        self, site: Site, tactic: str, *, prologue: str = "", label: str = ""
    ) -> list[tuple[Position, str]] | None:
        """See Checker. The first does it."""
        first = self._members[0]
        async with first.lock:
            return await first.checker.heard(site, tactic, prologue=prologue, label=label)

    def _lose(self, member: _Member, error: TacitError) -> None:
        """The first stays: it belongs to the document, and may have a fresh Lean next time."""
        if member is not self._members[0] and member in self._members:
            log.info("A further Lean was given up: %s", error)
            self._members.remove(member)
            self._left += member.checker.elaborations - member.before
            self.lost.append(member.checker)


async def at_once(works: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all. Whatever ends it, none runs on."""
    if len(works) == 1:
        return [await works[0]]
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def divided(trials: Sequence[Trial], parts: int) -> list[range]:
    """At most `parts` shares of about the same cost, one behind the other; none is empty.

    A goal's trials are parted only where four or more of them stand on either side: both sides run its way.
    """
    if parts < 2 or len(trials) < 2:
        return [range(len(trials))] if trials else []
    groups = list(_groups(trials))
    costs: list[int] = []
    for group in groups:
        costs += [QUERY if trials[n].candidate.query else 1 for n in group]
        costs[group.start] += len(trials[group.start].way)
    total = list(accumulate(costs, initial=0))
    # Where a cut may be, and what it costs to run a way again.
    places = {group.start: 0 for group in groups}
    for group in groups:
        for n in range(group.start + LEAST, group.stop - LEAST + 1):
            places[n] = len(trials[n].way)
    cuts = [0]
    for part in range(1, parts):
        wanted = total[-1] * part / parts
        later = [n for n in places if n > cuts[-1]]
        if later:
            cuts.append(min(later, key=lambda n: (abs(total[n] - wanted) + places[n], n)))
    return [range(*pair) for pair in pairwise([*cuts, len(trials)])]


def _groups(trials: Sequence[Trial]) -> Iterator[range]:
    """Trials that share their way: those of one goal, or one alone whose goals share unknowns."""
    start = 0
    for n in range(1, len(trials) + 1):
        if n == len(trials) or trials[n].joined or trials[n - 1].joined or trials[n].way != trials[start].way:
            yield range(start, n)
            start = n
