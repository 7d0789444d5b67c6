"""One checker with its Lean for each open document, few at a time, kept warm. Starts Lean lazily, ends it surely.

A worker with Mathlib loaded takes seconds to start and gigabytes to hold: the documents used least recently
give theirs up.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from tacit.server.lean.checker import Checker, Limits
from tacit.server.lean.elaborator import Elaborator
from tacit.server.lean.environment import known_tactics

# Whether a limit can be set for one tactic of a batch.
LIMIT_SAMPLE = {"set_option in": "set_option maxHeartbeats 1000 in skip"}


# Makes the Elaborator for a document's URI, and may start its process later. Raises LeanNotFound.
OpenElaborator = Callable[[str], Awaitable[Elaborator]]


@dataclass(slots=True)
class Slot:
    """What belongs to one document. `lock` is held by whoever uses the checker."""

    lean: Elaborator
    checker: Checker
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Pool:
    """Slots by document, at most `size` of them."""

    def __init__(
        self,
        open_elaborator: OpenElaborator,
        samples: Mapping[str, str],
        *,
        size: int = 3,
        limits: Limits | None = None,
    ) -> None:
        self._open = open_elaborator
        self._samples = samples
        self._size = size
        self._limits = limits
        self._slots: OrderedDict[str, Slot] = OrderedDict()
        self._opening = asyncio.Lock()
        self._known: dict[tuple[str, str], frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def lean_of(self, uri: str) -> Elaborator | None:
        """The Elaborator of a document, if it has one now."""
        slot = self._slots.get(uri)
        return slot.lean if slot is not None else None

    async def slot(self, uri: str) -> Slot:
        """The document's slot, made now if need be. Raises LeanNotFound."""
        async with self._opening:
            slot = self._slots.get(uri)
            if slot is None:
                lean = await self._open(uri)
                slot = self._slots[uri] = Slot(lean, Checker(lean, self._limits))
            self._slots.move_to_end(uri)
            idle = [u for u, s in self._slots.items() if u != uri and not s.lock.locked()]
            for old in idle[: max(0, len(self._slots) - self._size)]:
                await self._slots.pop(old).lean.aclose()
            return slot

    async def known(self, slot: Slot, header: str) -> frozenset[str]:
        """The tactics that exist under a header, asked once for each header and Lean. The caller holds the lock."""
        key = slot.lean.identity.version, header
        if key not in self._known:
            found = await known_tactics(slot.lean, header, {**self._samples, **LIMIT_SAMPLE})
            if not found:
                return found  # no answer: ask again next time
            self._known[key] = found
        slot.checker.limits_in_tactics = LIMIT_SAMPLE.keys() <= self._known[key]
        return self._known[key]

    async def forget(self, uri: str) -> None:
        """Release a document's Lean."""
        slot = self._slots.pop(uri, None)
        if slot is not None:
            await slot.lean.aclose()

    async def aclose(self) -> None:
        """Release all."""
        for uri in list(self._slots):
            await self.forget(uri)
