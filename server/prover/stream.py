"""What all sources propose for one state, the likeliest first, none twice; asked only as far as it is wanted."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

from tacit.server.errors import TacitError
from tacit.server.tactics.lexer import signature
from tacit.server.tactics.source import SourceRequest, TacticSource
from tacit.server.values import Candidate

log = logging.getLogger(__name__)
AHEAD = 16
"""Candidates of one source that may wait to be taken before it is asked for more."""


def is_costly(source: TacticSource) -> bool:
    """Whether asking a source takes something that others wait for, as the one local model does."""
    return bool(getattr(source, "costly", False))


class Stream:
    """The candidates for one state. Each source is read in a task of its own, a little ahead of what is taken.

    A costly source is asked when candidates are taken for the second time: many states are looked at only once. With
    `steady`, what is taken does not depend on which source is the quickest: all are waited for, without a limit.
    """

    def __init__(
        self,
        sources: Sequence[TacticSource],
        request: SourceRequest,
        *,
        at_once: bool = False,
        steady: bool = False,
    ) -> None:
        self._steady = steady
        self._seen: set[str] = set()
        """The signatures of what was proposed; the sources see it grow."""
        self._request = replace(request, tried=self._seen)
        self._asleep = [source for source in sources if is_costly(source) and not at_once]
        self._awake = [source for source in sources if source not in self._asleep]
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._fresh: dict[str, list[Candidate]] = {source.name: [] for source in sources}
        """What was proposed since candidates were taken last."""
        self._ready: list[tuple[float, int, Candidate]] = []
        self._waiting: Counter[str] = Counter()
        """How many candidates of each source were not taken yet."""
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._taken = 0

    @property
    def ended(self) -> bool:
        """Whether there is nothing left and nothing to come."""
        running = any(not task.done() for task in self._tasks.values())
        return not self._waiting.total() and not self._awake and not self._asleep and not running

    def add(self, candidates: Sequence[Candidate]) -> None:
        """Candidates that come from elsewhere, such as Lean's own "Try this"."""
        for candidate in candidates:
            self._waiting[candidate.source] += 1
            self._put(candidate)

    async def take(self, count: int, wait: float) -> list[Candidate]:
        """At most so many, the likeliest of what is there; waits that many seconds where nothing is."""
        if self._taken or not self._awake:
            self._awake += self._asleep
            self._asleep = []
        self._taken += 1
        for source in self._awake:
            self._tasks[source.name] = asyncio.create_task(self._read(source))
        self._awake = []
        for _ in range(3):
            await asyncio.sleep(0)  # sources that need no waiting have answered then
        while self._is_thinking() and (self._steady or (wait > 0 and not self._waiting.total())):
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if self._steady else wait):
                    await self._news.wait()
                    continue
            break
        # In the order of the sources, not of time: of what two propose, the first counts.
        for fresh in self._fresh.values():
            for candidate in fresh:
                self._put(candidate)
            fresh.clear()
        taken: list[Candidate] = []
        while self._ready and len(taken) < count:
            candidate = heapq.heappop(self._ready)[2]
            self._waiting[candidate.source] -= 1
            taken.append(candidate)
        self._room.set()
        return taken

    def _is_thinking(self) -> bool:
        """Whether any source may still propose something before what there is was taken."""
        return any(not task.done() and self._waiting[name] < AHEAD for name, task in self._tasks.items())

    async def aclose(self) -> None:
        """Stop asking."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._awake, self._asleep = [], []

    async def _read(self, source: TacticSource) -> None:
        name = source.name
        try:
            batches: Any = source.candidates(self._request)
            async with aclosing(batches):
                async for batch in batches:
                    self._fresh[name] += batch
                    self._waiting[name] += len(batch)
                    self._news.set()
                    while self._waiting[name] >= AHEAD:
                        self._room.clear()
                        await self._room.wait()
        except TacitError as error:
            self._request.tell(str(error), name)
        except Exception:
            log.exception("The source %s failed; the others go on.", name)
            self._request.tell(f"The source {name} failed; the others went on.", name)
        finally:
            self._news.set()

    def _put(self, candidate: Candidate) -> None:
        key = signature(candidate.text)
        if key in self._seen:
            self._waiting[candidate.source] -= 1
            return
        self._seen.add(key)
        heapq.heappush(self._ready, (-candidate.prior, len(self._seen), candidate))
