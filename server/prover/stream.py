"""What all sources propose for one state, the likeliest first, none twice; asked only as far as it is wanted."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace

from tacit.server.errors import TacitError
from tacit.server.tactics.lexer import signature
from tacit.server.tactics.source import SourceRequest, TacticSource
from tacit.server.values import Candidate

log = logging.getLogger(__name__)


class Stream:
    """The candidates for one state. Every source is asked for its next batch when what it gave before is used up."""

    def __init__(self, sources: Sequence[TacticSource], request: SourceRequest) -> None:
        self._seen: set[str] = set()
        """The signatures of what was proposed; the sources see it grow."""
        self._request = replace(request, tried=self._seen)
        self._iterators = {source.name: _all(source, self._request) for source in sources}
        self._tasks: dict[str, asyncio.Future[Sequence[Candidate]]] = {}
        self._ready: list[tuple[float, int, Candidate]] = []
        self._waiting = {source.name: 0 for source in sources}
        """How many candidates of each source stand in `_ready`."""

    @property
    def ended(self) -> bool:
        """Whether there is nothing left and nothing to come."""
        return not self._ready and not self._iterators

    @property
    def ready(self) -> int:
        """How many candidates can be had without waiting."""
        return len(self._ready)

    def add(self, candidates: Sequence[Candidate]) -> None:
        """Candidates that come from elsewhere, such as Lean's own "Try this"."""
        for candidate in candidates:
            self._put(candidate)

    async def take(self, count: int, wait: float) -> list[Candidate]:
        """At most so many, the likeliest of what is there; waits that many seconds where nothing is."""
        self._ask()
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # sources that need no waiting answer within these
        self._collect()
        if not self._ready and self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            self._collect()
        taken: list[Candidate] = []
        while self._ready and len(taken) < count:
            candidate = heapq.heappop(self._ready)[2]
            self._waiting[candidate.source] = self._waiting.get(candidate.source, 1) - 1
            taken.append(candidate)
        return taken

    async def aclose(self) -> None:
        """Stop asking."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        for iterator in self._iterators.values():
            await iterator.aclose()
        self._iterators.clear()

    def _ask(self) -> None:
        for name, iterator in self._iterators.items():
            if name not in self._tasks and self._waiting[name] <= 0:
                self._tasks[name] = asyncio.ensure_future(_next(iterator))

    def _collect(self) -> None:
        for name in [name for name, task in self._tasks.items() if task.done()]:
            task = self._tasks.pop(name)
            try:
                batch = task.result()
            except StopAsyncIteration:
                del self._iterators[name]
            except TacitError as error:
                self._request.tell(str(error), name)
                del self._iterators[name]
            except Exception:
                log.exception("The source %s failed; the others go on.", name)
                self._request.tell(f"The source {name} failed; the others went on.", name)
                del self._iterators[name]
            else:
                for candidate in batch:
                    self._put(candidate)

    def _put(self, candidate: Candidate) -> None:
        key = signature(candidate.text)
        if key in self._seen:
            return
        self._seen.add(key)
        heapq.heappush(self._ready, (-candidate.prior, len(self._seen), candidate))
        self._waiting[candidate.source] = self._waiting.get(candidate.source, 0) + 1


async def _all(source: TacticSource, request: SourceRequest) -> AsyncGenerator[Sequence[Candidate], None]:
    """All batches of a source. That it fails when it is merely asked shows with the first."""
    batches = source.candidates(request)
    try:
        async for batch in batches:
            yield batch
    finally:
        if isinstance(batches, AsyncGenerator):
            await batches.aclose()


async def _next(iterator: AsyncIterator[Sequence[Candidate]]) -> Sequence[Candidate]:
    return await anext(iterator)
