"""One checker with its Lean for each open document, few at a time, kept warm; more of them for a search.

Starts Lean lazily, ends it surely. A worker with Mathlib loaded takes seconds to start and gigabytes to hold: when
there are too many, or memory is short, the further ones go first, then those of the documents used least recently.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tacit.server.errors import TacitError
from tacit.server.lean.checker import Checker, Limits
from tacit.server.lean.crew import Crew
from tacit.server.lean.elaborator import Elaborator, Outcome
from tacit.server.lean.environment import known_tactics
from tacit.server.lean.room import free_memory
from tacit.server.lean.site import Site

log = logging.getLogger(__name__)

SIZE = 3
"""Documents that keep a Lean."""
LATER = 1.0
"""Seconds of a search until a further Lean is started: most that find a proof have found it by then, and a start takes
a core from the one that works."""
NEEDED = 3 * 2**30
"""Bytes that must be free for a further Lean. With the 2021 Mathlib one holds 0.1 GiB beside the files that all share;
with today's it is far more, and tactics need room too."""
SHORT = 2**30
"""Bytes: with less than that free, further Leans are given up."""
AGAIN = 60.0
"""Seconds until a further Lean is started for a document that lost one, or had none start."""


# Makes the Elaborator for a document's URI, and may start its process later. Raises LeanNotFound.
OpenElaborator = Callable[[str], Awaitable[Elaborator]]


@dataclass(slots=True)
class Further:
    """One more Lean of a document."""

    lean: Elaborator
    checker: Checker


@dataclass(slots=True)
class Slot:
    """What belongs to one document. `lock` is held by whoever uses the checker, or searches with all of them.

    `starting` makes one more of the further ones; none is made before `not_before` (as `time.monotonic` counts).
    """

    uri: str
    lean: Elaborator
    checker: Checker
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    further: list[Further] = field(default_factory=list)
    starting: asyncio.Task[None] | None = None
    not_before: float = 0.0

    @property
    def leans(self) -> int:
        """How many it holds."""
        return 1 + len(self.further) + (self.starting is not None)


class Pool:
    """Slots by document, at most `size` of them.

    `workers` is how many Leans one search may have; `free` says how many bytes of memory can be taken.
    """

    def __init__(
        self,
        open_elaborator: OpenElaborator,
        samples: Mapping[str, str],
        *,
        size: int = SIZE,
        limits: Limits | None = None,
        workers: int = 1,
        free: Callable[[], int] = free_memory,
    ) -> None:
        self._open = open_elaborator
        self._samples = samples
        self._size = size
        self._limits = limits
        self._workers = workers
        self._free = free
        self._slots: OrderedDict[tuple[str, int], Slot] = OrderedDict()
        self._opening = asyncio.Lock()
        self._known: dict[tuple[str, str], frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def lean_of(self, uri: str, lane: int = 0) -> Elaborator | None:
        """The Elaborator of a document, if it has one now."""
        slot = self._slots.get((uri, lane))
        return slot.lean if slot is not None else None

    async def slot(self, uri: str, lane: int = 0) -> Slot:
        """The document's slot, made now if need be. Raises LeanNotFound.

        Who works at several places of one document at once takes a lane for each: each has a Lean of its own.
        """
        async with self._opening:
            key = uri, lane
            slot = self._slots.get(key)
            if self._workers > 1 and self._free() < (NEEDED if slot is None else SHORT):
                await self._give_up_further()
            if slot is None:
                lean = await self._open(uri)
                slot = self._slots[key] = Slot(uri, lean, Checker(lean, self._limits))
            self._slots.move_to_end(key)
            await self._give_up_further(self._size, but=slot)
            idle = [k for k, s in self._slots.items() if s is not slot and not s.lock.locked()]
            for old in idle[: max(0, len(self._slots) - self._size)]:
                await self._close(self._slots.pop(old))
            return slot

    async def known(self, slot: Slot, header: str) -> frozenset[str]:
        """The tactics that exist under a header, asked once for each header and Lean. The caller holds the lock."""
        key = slot.lean.identity.version, header
        if key not in self._known:
            found = await known_tactics(slot.lean, header, self._samples)
            if not found:
                return found  # no answer: ask again next time
            self._known[key] = found
        return self._known[key]

    # ---------------------------------------------------------------- several for one search

    @asynccontextmanager
    async def crew(
        self, slot: Slot, site: Site, header: str, *, label: str = "", alone: bool = False
    ) -> AsyncIterator[Crew]:
        """The checkers for a search at a place that is open: the one that is warm now, further ones as they get ready.

        The caller holds the lock. Afterwards the further ones are kept for the next search, and one that is still
        loading what the document imports goes on with it. `alone`: only the first.
        """
        crew = Crew(slot.checker)
        joining: asyncio.Task[None] | None = None
        if self._workers > 1 and not alone:
            joining = asyncio.ensure_future(self._join_all(slot, crew, site, header, label))
        try:
            yield crew
        finally:
            if joining is not None:
                joining.cancel()
                await asyncio.gather(joining, return_exceptions=True)
                if not joining.cancelled() and (error := joining.exception()) is not None:
                    log.error("No further Lean could join the search.", exc_info=error)
            for lost in [each for each in slot.further if each.checker in crew.lost]:
                await self._lose(slot, lost)

    async def _join_all(self, slot: Slot, crew: Crew, site: Site, header: str, label: str) -> None:
        """Those that are there at once; then those that are still missing, one by one."""
        if self._free() < SHORT:
            await self._give_up_further(but=slot)
            await self._let_go(slot)
            return
        warm = list(slot.further)
        async with asyncio.TaskGroup() as group:
            for each in warm:
                group.create_task(self._join(slot, each, crew, site, label))
            await asyncio.sleep(LATER)
            while len(slot.further) < self._workers - 1:
                starting = slot.starting
                if starting is None:
                    if time.monotonic() < slot.not_before or not await self._has_room(slot):
                        return
                    starting = slot.starting = asyncio.ensure_future(self._start(slot, header))
                before = list(slot.further)
                await asyncio.wait({starting})
                for each in slot.further:
                    if each not in before:
                        group.create_task(self._join(slot, each, crew, site, label))

    async def _has_room(self, slot: Slot) -> bool:
        """Whether a slot may have one more; others that nobody uses now are given up for it."""
        await self._give_up_further(self._size - 1, but=slot)
        if self._free() < NEEDED:
            await self._give_up_further(but=slot)
        return self._free() >= NEEDED

    async def _start(self, slot: Slot, header: str) -> None:
        """Start one more and have it load what the document imports."""
        lean: Elaborator | None = None
        started = False
        try:
            lean = await self._open(slot.uri)
            result = await lean.elaborate(header, timeout=(self._limits or Limits()).prefix, label="start")
            if result.outcome is Outcome.DONE:
                slot.further.append(Further(lean, Checker(lean, self._limits, beside=slot.checker)))
                started = True
        except TacitError as error:
            log.info("No further Lean: %s", error)
        finally:
            slot.starting = None
            if not started:
                slot.not_before = time.monotonic() + AGAIN
                if lean is not None:
                    await lean.aclose()

    async def _join(self, slot: Slot, further: Further, crew: Crew, site: Site, label: str) -> None:
        """Have it elaborate what stands above the place; then it helps."""
        try:
            if await further.checker.prepare(site, label=label):
                crew.join(further.checker)
        except TacitError as error:
            log.info("A further Lean was given up: %s", error)
            await self._lose(slot, further)

    async def _lose(self, slot: Slot, further: Further) -> None:
        slot.not_before = time.monotonic() + AGAIN
        if further in slot.further:
            slot.further.remove(further)
        await further.lean.aclose()

    # ---------------------------------------------------------------- giving up

    async def _give_up_further(self, to: int = 0, *, but: Slot | None = None) -> None:
        """End further Leans that nobody uses now, until there are `to` Leans in all; the least recent first."""
        for slot in list(self._slots.values()):
            if sum(each.leans for each in self._slots.values()) <= to:
                return
            if slot is not but and not slot.lock.locked():
                await self._let_go(slot)

    async def _let_go(self, slot: Slot) -> None:
        """End the further Leans of a slot."""
        if slot.starting is not None:
            slot.starting.cancel()
            await asyncio.gather(slot.starting, return_exceptions=True)
        while slot.further:
            await slot.further.pop().lean.aclose()

    async def _close(self, slot: Slot) -> None:
        await self._let_go(slot)
        await slot.lean.aclose()

    async def forget(self, uri: str) -> None:
        """Release a document's Leans."""
        for key in [key for key in self._slots if key[0] == uri]:
            await self._close(self._slots.pop(key))

    async def aclose(self) -> None:
        """Release all."""
        while self._slots:
            await self._close(self._slots.popitem()[1])
