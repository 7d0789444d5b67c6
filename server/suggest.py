"""From a place in a document to a stream of checked suggestions: sources → gate → checker → ranking.

Puts `lean` and `tactics` together; knows neither LSP nor the terminal.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tacit.server.errors import TacitError
from tacit.server.lean.checker import Checker
from tacit.server.lean.crew import Checking
from tacit.server.lean.declarations import above
from tacit.server.lean.elaborator import Message, Outcome
from tacit.server.lean.hole import holes
from tacit.server.lean.pool import Pool
from tacit.server.lean.site import Site, with_stand_in
from tacit.server.lean.syntax import commands_of, imports
from tacit.server.prover.events import Proved, Searched, SearchEvent
from tacit.server.prover.questions import asks, printed
from tacit.server.prover.wanted import PLAIN, Finish
from tacit.server.ranking import leads_nowhere, rank, same_result
from tacit.server.tactics.lexer import signature
from tacit.server.tactics.source import SourceRequest, TacticSource
from tacit.server.text import LineIndex, Position, Span
from tacit.server.values import Candidate, CheckedTactic, Goal, Suggestion, Verdict

log = logging.getLogger(__name__)
BATCH = 32
GIVEN = "given"
"""The source of tactics that whoever asks names."""
WHOLE = 180.0
"""Seconds for a text as it stands."""
PATIENCE = 30.0
"""Seconds for finding out which candidates of a batch hang, whatever the budget. What is found is remembered, so that
the next request is quick: a short budget must not cut that off each time."""


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a Lean file: its text may be unsaved, and `path` may not exist (untitled documents).

    Who asks about several places of a file at once gives each a `lane` of its own: each has its own Lean.
    """

    uri: str
    version: int
    text: str
    path: Path | None = None
    lane: int = 0


@dataclass(frozen=True, slots=True)
class GoalFound:
    """The goals at the place asked for, before any candidate has run. `hole` is the text an edit will replace."""

    goals: tuple[Goal, ...]
    hole: Span
    declaration: str | None
    is_data: bool = False


@dataclass(frozen=True, slots=True)
class BatchChecked:
    """Every verdict of one batch, failures included: for traces, benchmarks and progress."""

    checked: tuple[CheckedTactic, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Found:
    """A suggestion that may be shown now. `elapsed` is seconds since the request began."""

    suggestion: Suggestion
    elapsed: float


@dataclass(frozen=True, slots=True)
class Remark:
    """What a source has to say of this request, in one sentence for the user.

    `about` is equal for those of one kind. `failed`: it cannot answer; Finished repeats the sentence.
    """

    sentence: str
    about: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """The request is done: how many candidates ran, how long it took, and a sentence when something went wrong."""

    checked: int
    elapsed: float
    notice: str = ""


Event = GoalFound | BatchChecked | Found | Remark | Finished | SearchEvent


@dataclass(frozen=True, slots=True)
class Options:
    """How far to go.

    `budget` is seconds for the whole request; no new batch begins after it. `stop_at_first_close` ends the
    request at the first verified close. `verify_progress` elaborates progressing tactics once more in place
    too (ghost text asks for it). `closes_only` leaves progress out. `limit` is how many suggestions are
    verified and shown. `extend_typed` takes the text before the cursor as a tactic being typed; otherwise it
    is a whole one. `near` takes a `sorry` elsewhere on the cursor's line too. `search` looks for a proof of several
    steps, and for nothing else; where recordings answer for Lean it looks for one step. `sources` are the names of
    those that are asked, None for all; `given` are tactics that are tried before what they propose, not by a search.
    `finish` is what is wanted of the proof that a search finds.
    """

    budget: float = 10.0
    stop_at_first_close: bool = False
    verify_progress: bool = False
    closes_only: bool = False
    limit: int = 10
    extend_typed: bool = False
    near: bool = False
    search: bool = False
    sources: frozenset[str] | None = None
    given: tuple[str, ...] = ()
    finish: Finish = PLAIN


class Search(Protocol):
    """Looks for a proof of several steps; see `tacit.server.prover.search.search`."""

    def __call__(
        self,
        checker: Checking,
        site: Site,
        request: SourceRequest,
        sources: Sequence[TacticSource],
        harvest: Callable[[str], tuple[str, ...]],
        budget: float,
        version: int,
        label: str,
        finish: Finish,
    ) -> AsyncGenerator[SearchEvent, None]:
        """Expanded and Searching, Proved where there is a proof, and Searched."""
        ...


@dataclass(frozen=True, slots=True)
class LeanStatus:
    """What `tacit/status` and `tacit doctor` say of Lean.

    `state` is one of "not started", "starting", "ready", "replaying", "missing", "failed".
    """

    state: str
    version: str = ""
    command: tuple[str, ...] = ()
    replayed: bool = False
    sentence: str = ""
    documents: int = 0
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class ModelState:
    """What `tacit/status` says of the local model.

    `state` is "none", "not started", "starting", "ready" or "failed"; `sentence` says which model is used and why, or
    why none is, or what failed. `context` (tokens) and `parameters` are 0 until it is loaded.
    """

    state: str = "none"
    name: str = ""
    path: str = ""
    preset: str = ""
    sentence: str = ""
    context: int = 0
    parameters: int = 0
    restarts: int = 0


@dataclass(slots=True)
class _Run:
    """What one request has seen so far. `waiting` are the sources that have not answered at all."""

    started: float
    waiting: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    shown: set[object] = field(default_factory=set)
    checked: int = 0
    found: int = 0
    notices: list[str] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def is_new(self, text: str) -> bool:
        """Whether a text is proposed for the first time; from then on it is not."""
        key = signature(text)
        if key in self.seen:
            return False
        self.seen.add(key)
        return True

    def tell(self, sentence: str, about: str) -> None:
        self.remarks.append(Remark(sentence, about))

    def told(self) -> list[Remark]:
        """What was told since the last call."""
        said, self.remarks = self.remarks, []
        return said


class Suggester:
    """Answers suggestion requests. Build one with `tacit.server.compose.build_suggester`."""

    def __init__(
        self,
        pool: Pool,
        sources: Sequence[TacticSource],
        harvest: Callable[[str], tuple[str, ...]],
        status: Callable[[], LeanStatus],
        closing: Sequence[Callable[[], Awaitable[None]]] = (),
        model: Callable[[], ModelState] = ModelState,
        search: Search | None = None,
    ) -> None:
        self._search = search
        self._pool = pool
        self._sources = tuple(sources)
        self._harvest = harvest
        self._status = status
        self._closing = tuple(closing)
        self._model = model
        self._preparing: dict[str, asyncio.Task[None]] = {}

    async def suggest(
        self, document: Document, position: Position, options: Options = Options()
    ) -> AsyncGenerator[Event, None]:
        """Stream events for the goal at `position`: GoalFound, then BatchChecked, Found and Remark, then Finished.

        With `options.search`, those of a search instead of BatchChecked.

        Raises NoGoal when there is nothing to prove there, LeanNotFound when no Lean can be started. Closing
        the iterator (or cancelling the task that drives it) frees Lean for the next request at once.
        """
        run = _Run(time.monotonic())
        text = document.text
        offset = LineIndex(text).offset(position)
        command, places = holes(text, offset, extend_typed=options.extend_typed, near=options.near)
        await self._stop_preparing(document.uri)
        slot = await self._pool.slot(document.uri, document.lane)
        async with slot.lock:
            label = f"{(document.path or Path('untitled')).name}:{position.line + 1}"
            header = commands_of(text).header()
            known = await self._pool.known(slot, header)
            site = await slot.checker.open(text, command, places, label=label)
            yield GoalFound(site.goals, site.hole.span, site.name, site.is_data)
            request = SourceRequest(
                site.goals,
                known,
                site.name,
                imports(header),
                above(text, offset),
                text=text,
                start=command.span.start,
                at=site.hole.span.start,
                path=document.path,
                tried=run.seen,
                tell=run.tell,
            )
            wanted = options.sources
            sources = [each for each in self._sources if wanted is None or each.name in wanted]
            if options.search and self._search is not None and slot.lean.identity.live:
                # When another Lean is ready, and what runs beside a candidate in each, is not the same each time.
                alone = options.finish.seed is not None
                async with self._pool.crew(slot, site, header, label=label, alone=alone) as crew:
                    found = self._search(
                        crew,
                        site,
                        request,
                        sources,
                        self._harvest,
                        options.budget,
                        document.version,
                        label,
                        options.finish,
                    )
                    async with aclosing(_heard(found, run)) as told:
                        async for news in told:
                            yield news
                yield Finished(run.checked, run.elapsed, " ".join(run.notices))
                return
            async with aclosing(self._waves(request, sources, run, options)) as waves:
                async for wave in waves:
                    async with aclosing(self._check(slot.checker, site, wave, run, options, document, label)) as events:
                        async for event in events:
                            yield event
                    for remark in run.told():
                        yield remark
                    if _enough(run, options):
                        break
            for remark in run.told():
                yield remark
            if run.found < options.limit and run.elapsed >= options.budget:
                run.notices.append(f"Stopped after {options.budget:g} s.")
        yield Finished(run.checked, run.elapsed, " ".join(run.notices))

    async def _waves(
        self, request: SourceRequest, sources: Sequence[TacticSource], run: _Run, options: Options
    ) -> AsyncGenerator[list[Candidate], None]:
        """The candidates of all sources, batch by batch: whatever is there, the likeliest first, none twice."""
        if given := [Candidate(text, GIVEN, 1.0) for text in options.given if run.is_new(text)]:
            yield given
        iterators = {s.name: _all(s, request) for s in sources}
        run.waiting = set(iterators)
        tasks: dict[str, asyncio.Future[Sequence[Candidate]]] = {}
        try:
            while iterators:
                for name, iterator in iterators.items():
                    if name not in tasks:
                        tasks[name] = asyncio.ensure_future(_next(iterator))
                # A Lean that starts may use up the whole budget: the first batch is waited for all the same.
                left = max(options.budget - run.elapsed, 0.0 if run.seen else 1.0)
                done, _ = await asyncio.wait(tasks.values(), timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    return
                await asyncio.sleep(0)  # those that need no waiting are all done by now, whatever their order
                wave: list[Candidate] = []
                for name in [n for n in iterators if tasks[n].done()]:
                    task = tasks.pop(name)
                    run.waiting.discard(name)
                    try:
                        wave += task.result()
                    except StopAsyncIteration:
                        del iterators[name]
                    except TacitError as exc:
                        run.notices.append(str(exc))
                        # However many tokens or seconds it names, it is the same to the user.
                        about = f"{name}: {re.sub('[0-9]+', '0', exc.sentence)}"
                        run.remarks.append(Remark(str(exc), about, failed=True))
                        del iterators[name]
                    except Exception:
                        log.exception("The source %s failed; the others go on.", name)
                        said = f"The source {name} failed; the others went on."
                        run.notices.append(said)
                        run.remarks.append(Remark(said, name, failed=True))
                        del iterators[name]
                fresh = [each for each in sorted(wave, key=lambda c: -c.prior) if run.is_new(each.text)]
                for start in range(0, len(fresh), BATCH):
                    yield fresh[start : start + BATCH]
        finally:
            for pending in tasks.values():
                pending.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
            for iterator in iterators.values():
                await iterator.aclose()

    async def _check(
        self,
        checker: Checker,
        site: Site,
        wave: Sequence[Candidate],
        run: _Run,
        options: Options,
        document: Document,
        label: str,
    ) -> AsyncGenerator[Event, None]:
        """One batch, then a batch of what its "Try this" messages say, and the suggestions of both."""
        while wave:
            began = time.monotonic()
            checked = await checker.check(site, wave, label=label, until=began + PATIENCE)
            run.checked += sum(c.verdict is not Verdict.REFUSED for c in checked)
            yield BatchChecked(tuple(checked), time.monotonic() - began)
            for tactic in sorted(
                (c for c in checked if _showable(c, options) and not leads_nowhere(c, site.goals[0])), key=rank
            ):
                if run.found >= options.limit or (options.stop_at_first_close and "closed" in run.shown):
                    break
                if tactic.verdict is not Verdict.CLOSES and run.found >= _room(run, options):
                    break
                if (result := same_result(tactic)) in run.shown:
                    continue
                if tactic.verdict is Verdict.CLOSES or options.verify_progress:
                    tactic = await checker.verify(site, tactic, label=label)
                if not _showable(tactic, options):
                    continue
                run.shown.add(result)
                if tactic.verdict is Verdict.CLOSES:
                    run.shown.add("closed")
                run.found += 1
                yield Found(site.suggestion(tactic, document.version), run.elapsed)
            wave = [] if _enough(run, options) else self._harvested(checked, run)

    def _harvested(self, checked: Sequence[CheckedTactic], run: _Run) -> list[Candidate]:
        """The replacements Lean printed, as candidates in their own right."""
        found: list[Candidate] = []
        for tactic in checked:
            found += [each for each in printed(tactic, self._harvest) if run.is_new(each.text)]
        return found[:BATCH]

    async def messages(self, document: Document) -> tuple[Message, ...] | None:
        """All that Lean says of a text as it stands; None where it does not get to its end. Raises LeanNotFound."""
        slot = await self._pool.slot(document.uri, document.lane)
        async with slot.lock:
            said = await slot.lean.elaborate(document.text, timeout=WHOLE, label="whole")
        return said.messages if said.outcome is Outcome.DONE else None

    async def prepare(self, document: Document) -> None:
        """Elaborate what stands there so that the first request is quick. Gives way to any request at once."""
        await self._stop_preparing(document.uri)
        task = asyncio.ensure_future(self._prepare(document))
        self._preparing[document.uri] = task
        try:
            await asyncio.wait({task})  # a request may cancel it: then there is no more to do here
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise
        finally:
            if self._preparing.get(document.uri) is task:
                del self._preparing[document.uri]
        if not task.cancelled():
            task.result()

    async def _prepare(self, document: Document) -> None:
        try:
            slot = await self._pool.slot(document.uri)
            async with slot.lock:
                await self._pool.known(slot, commands_of(document.text).header())
                await slot.lean.elaborate(with_stand_in(document.text), timeout=WHOLE, label="prepare")
        except TacitError as exc:
            log.info("Not prepared: %s", exc)

    async def _stop_preparing(self, uri: str) -> None:
        task = self._preparing.pop(uri, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def forget(self, uri: str) -> None:
        """The document was closed: release its Lean process."""
        await self._stop_preparing(uri)
        await self._pool.forget(uri)

    def status(self) -> LeanStatus:
        """What Lean is doing now. Never waits."""
        return self._status()

    def model(self) -> ModelState:
        """What the local model is doing now. Never waits, never starts it."""
        return self._model()

    async def aclose(self) -> None:
        """Stop everything; no process is left behind."""
        for uri in list(self._preparing):
            await self._stop_preparing(uri)
        await self._pool.aclose()
        for close in self._closing:
            await close()


async def _heard(search: AsyncGenerator[SearchEvent, None], run: _Run) -> AsyncGenerator[Event, None]:
    """The events of a search, with what others understand of them."""
    async with aclosing(search) as events:
        async for event in events:
            yield event
            if isinstance(event, Proved):
                yield Found(event.suggestion, run.elapsed)
            elif isinstance(event, Searched):
                run.checked = event.checked
                run.notices += [event.why] if event.why else []
            for remark in run.told():
                yield remark


async def _all(source: TacticSource, request: SourceRequest) -> AsyncGenerator[Sequence[Candidate], None]:
    """All batches of a source. That it fails when it is merely asked shows with the first."""
    batches = source.candidates(request)
    try:
        async for batch in batches:
            yield batch
    finally:
        if isinstance(batches, AsyncGenerator):
            await batches.aclose()


def _enough(run: _Run, options: Options) -> bool:
    """Whether no further batch may begin."""
    closed = options.stop_at_first_close and "closed" in run.shown
    return closed or run.found >= options.limit or run.elapsed >= options.budget


def _room(run: _Run, options: Options) -> int:
    """How many suggestions there may be that close nothing: half are kept for sources that have not answered yet."""
    return options.limit - options.limit // 2 if run.waiting else options.limit


async def _next(iterator: AsyncIterator[Sequence[Candidate]]) -> Sequence[Candidate]:
    return await anext(iterator)


def _showable(tactic: CheckedTactic, options: Options) -> bool:
    if tactic.candidate.query or asks(tactic.candidate.text):
        return False
    if tactic.verdict is Verdict.PROGRESSES:
        return not options.closes_only
    return tactic.verdict is Verdict.CLOSES
