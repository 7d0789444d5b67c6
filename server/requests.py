"""Shares one computation between those who ask the same, and ends it when a newer one asks something else.

A `Run` drives `Suggester.suggest` in a task of its own, keeps every event, and wakes those who follow it. `Requests`
decides for each question whether to join a run or to start one. Rules: the same version and place shares; in one
document the newest question wins; any change of the document ends everything asked of it. Who follows a run that is
ended hears of it at once, before Lean has let go. Knows neither LSP nor Lean.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from enum import Enum

from tacit.server.question import Question, closes_here, order
from tacit.server.suggest import Event, Finished, Found, GoalFound, Remark, Suggester
from tacit.server.values import Suggestion

log = logging.getLogger(__name__)

LINGER = 2.0
"""Seconds that a run goes on when the last who followed it is content: the lightbulb asks right after ghost text."""

LET_GO = 1.0
"""Seconds that a run waits for its predecessor to let go of Lean, at most."""

KEPT = 8
"""Runs remembered for each document."""


class Why(Enum):
    """Why a run was ended before its end."""

    CHANGED = "the document changed"
    CLOSED = "the document was closed"
    SUPERSEDED = "a newer request took its place"
    SETTINGS = "the settings changed"
    IDLE = "nobody waits for it"
    SHUTDOWN = "Tacit is shutting down"


class Stopped(Exception):
    """The run was ended; what it had found must not be shown."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


class Run:
    """One computation and what it has found so far."""

    def __init__(self, question: Question, heard: Callable[[Remark], None] = lambda remark: None) -> None:
        self.question = question
        self._heard = heard
        self.events: list[Event] = []
        self.goal: GoalFound | None = None
        self.finished: Finished | None = None
        self.error: Exception | None = None
        self.why: Why | None = None
        self.done = False
        self.followers = 0
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._linger: asyncio.TimerHandle | None = None
        self._ready: float | None = None

    @property
    def found(self) -> list[Found]:
        """What may be shown: what closes first, else in the order found; the last word on each edit."""
        last: dict[tuple[object, ...], Found] = {}
        for event in self.events:
            if isinstance(event, Found):
                edit = event.suggestion.edit
                last[edit.span.start, edit.span.end, edit.new_text] = event
        return sorted(last.values(), key=lambda found: order(found.suggestion))

    @property
    def closing(self) -> Suggestion | None:
        """The best tactic that ends the goal at hand."""
        return next((found.suggestion for found in self.found if closes_here(found.suggestion)), None)

    def answers(self, question: Question) -> bool:
        """Whether this run finds all that one for this question would, and has not failed."""
        if self.why is not None or self.error is not None or (self.done and not self.finished):
            return False
        if self.finished and self.finished.notice:
            return False
        found = sum(isinstance(event, Found) for event in self.events)
        mine = self.question.options
        exhausted = self.finished is not None and self.finished.elapsed < mine.budget and found < mine.limit
        return self.question.same_place(question) and self.question.covers(question, exhausted=exhausted)

    @property
    def ran_out_of_time(self) -> bool:
        """Whether it ended because its budget did."""
        return self.finished is not None and self.finished.elapsed >= self.question.options.budget

    def start(self, suggester: Callable[[], Suggester], after: list[asyncio.Task[None]]) -> asyncio.Task[None]:
        """Begin, once those before have let go of Lean (or after a second without them).

        The task outlives `stop` until Lean has let go.
        """
        self._task = asyncio.create_task(self._drive(suggester, after))
        self._task.add_done_callback(lambda _: self._over())
        return self._task

    def stop(self, why: Why) -> None:
        """End it. Those who follow hear `Stopped` at once; Lean lets go when the iterator has closed."""
        if self.why is None:
            self.why = why
            if self._linger:
                self._linger.cancel()
            if self._task and not self.done:
                self._task.cancel()
            self._tell()

    @contextmanager
    def follow(self, *, keep: bool = False) -> Iterator[None]:
        """Count as one who waits. The last to leave ends the run: soon with `keep`, else (or cancelled) at once."""
        self.followers += 1
        if self._linger:
            self._linger.cancel()
        try:
            yield
        except asyncio.CancelledError:
            keep = False
            raise
        finally:
            self.followers -= 1
            if not self.followers and not self.done and self.why is None:
                if keep:
                    self._linger_on()
                else:
                    self.stop(Why.IDLE)

    async def stream(self) -> AsyncIterator[Event]:
        """Every event, from the first. Raises Stopped when the run is ended, and what the suggester raised."""
        seen = 0
        while True:
            self._check()
            if seen < len(self.events):
                seen += 1
                yield self.events[seen - 1]
            elif self.done:
                self._end()
                return
            else:
                await self._news.wait()

    async def until(self, enough: Callable[[Run], bool], seconds: float, *, once_ready: bool = False) -> bool:
        """Wait until it is enough or all; False when time ran out first.

        `once_ready` counts the seconds from when the goal was known: Lean may have to start, and read imports,
        before. Raises as `stream` does, but of errors only when nothing was found before them.
        """
        now = asyncio.get_running_loop().time()
        while True:
            since = self._ready if once_ready else now
            deadline = None if since is None else since + seconds
            self._check()
            if self.done or enough(self):
                if not self.found:
                    self._end()
                return True
            try:
                async with asyncio.timeout_at(deadline):
                    await self._news.wait()
            except TimeoutError:
                return False

    def _check(self) -> None:
        if self.why is not None:
            raise Stopped(self.why)

    def _end(self) -> None:
        if self.done and self.error is not None:
            raise self.error

    async def _drive(self, suggester: Callable[[], Suggester], after: list[asyncio.Task[None]]) -> None:
        try:
            if after:
                _, slow = await asyncio.wait(after, timeout=LET_GO)
                if slow:
                    log.warning("an ended request has not let go of Lean after %g s", LET_GO)
            asked = self.question
            events = suggester().suggest(asked.document, asked.position, asked.options)
            try:
                async for event in events:
                    if self.why is not None:
                        break
                    self._add(event)
            finally:
                if close := getattr(events, "aclose", None):
                    await close()
        except Exception as error:
            if self.why is None:
                self.error = error
        finally:
            self._over()

    def _over(self) -> None:
        # The task's own end calls it too: one that is cancelled before it has begun does nothing of its own.
        if not self.done:
            self.done = True
            self._tell()

    def _linger_on(self) -> None:
        self._linger = asyncio.get_running_loop().call_later(LINGER, self._idle)

    def _idle(self) -> None:
        if self.done or self.followers:
            return
        if self.goal is None:
            self._linger_on()  # Lean is starting: the next who asks is glad of it
        else:
            self.stop(Why.IDLE)

    def _add(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, GoalFound):
            self.goal = event
            self._ready = asyncio.get_running_loop().time()
        elif isinstance(event, Finished):
            self.finished = event
        elif isinstance(event, Remark):
            self._heard(event)
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


class Requests:
    """The runs of every open document. `heard` is called with each remark of theirs, as soon as it is made."""

    def __init__(
        self, suggester: Callable[[], Suggester], heard: Callable[[Remark], None] = lambda remark: None
    ) -> None:
        self._suggester = suggester
        self._heard = heard
        self._runs: dict[str, list[Run]] = {}
        self._leaving: dict[str, set[asyncio.Task[None]]] = {}

    def __iter__(self) -> Iterator[Run]:
        return iter([run for runs in self._runs.values() for run in runs if not run.done and run.why is None])

    def ask(self, question: Question, *, lenient: bool = False) -> Run:
        """The run that answers a question: one that is there, or a new one in the place of all that go on.

        A `lenient` question takes whatever goes on at its place, and does not try again what took too long.
        """
        uri = question.document.uri
        for run in reversed(self._here(question)):
            there = run.why is None and (not run.done or run.ran_out_of_time)
            if run.answers(question) or (lenient and there):
                return run
        for older in self._runs.get(uri, ()):
            if not older.done:
                older.stop(Why.SUPERSEDED)
        run = Run(question, self._heard)
        runs = self._runs.setdefault(uri, [])
        del runs[: -KEPT + 1]
        runs.append(run)
        self.wait_for(uri, run.start(self._suggester, list(self._leaving.get(uri, ()))))
        return run

    def recall(self, question: Question) -> Run | None:
        """The newest run at this place that has found something, even if it ended early; None when there is none."""
        return next((run for run in reversed(self._here(question)) if run.found), None)

    def about(self, uri: str) -> list[Run]:
        """What was asked of a document as it stands, the oldest first, whether it goes on or not."""
        return list(self._runs.get(uri, ()))

    def busy(self, question: Question) -> bool:
        """Whether somebody waits for an answer about another place of this document."""
        uri = question.document.uri
        mine = [run for run in self if run.question.document.uri == uri]
        return any(run.followers and not run.question.same_place(question) for run in mine)

    def drop(self, uri: str, why: Why) -> None:
        """End and forget everything asked of a document."""
        # Finished ones too: an answer that has not been read yet must not be shown any more.
        for run in self._runs.pop(uri, ()):
            run.stop(why)

    def drop_all(self, why: Why) -> None:
        """End and forget everything."""
        for uri in tuple(self._runs):
            self.drop(uri, why)

    def wait_for(self, uri: str, task: asyncio.Task[None]) -> None:
        """Let the next run of this document begin after a task that still holds its Lean."""
        leaving = self._leaving.setdefault(uri, set())
        leaving.add(task)
        task.add_done_callback(lambda done: self._left(uri, done))

    async def settled(self, uri: str | None = None) -> None:
        """Wait until nothing holds the Lean of a document, or of all, a bounded time."""
        leaving = self._leaving if uri is None else {uri: self._leaving.get(uri, ())}
        if tasks := [task for tasks in leaving.values() for task in tasks]:
            await asyncio.wait(tasks, timeout=LET_GO)

    def _here(self, question: Question) -> list[Run]:
        return [run for run in self._runs.get(question.document.uri, ()) if run.question.same_place(question)]

    def _left(self, uri: str, task: asyncio.Task[None]) -> None:
        if leaving := self._leaving.get(uri):
            leaving.discard(task)
            if not leaving:
                del self._leaving[uri]
