"""What stays between two messages of one editor: its documents, its settings, the suggester, what goes on.

Handlers ask it for a document, a run, a sentence to show. It starts Lean in the background, drops what a change makes
void, and stops everything in the end. Answers no request itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from lsprotocol import types

from tacit.server import logs
from tacit.server.accepting import Offers
from tacit.server.errors import NoGoal, TacitError
from tacit.server.memory_library import WorkspaceMemory
from tacit.server.mirror import OpenDocument
from tacit.server.outgoing import plain, to_state
from tacit.server.protocol import TacitServer
from tacit.server.requests import Requests, Why
from tacit.server.settings import SECTION, Settings, read_settings
from tacit.server.suggest import LeanStatus, ModelState, Remark, Suggester
from tacit.server.wire import STATUS_CHANGED
from tacit.server.workplace import Workplace

log = logging.getLogger(__name__)

DEBOUNCE = 0.4
"""Seconds without an edit before Lean is asked to read a document again."""

CLOSE_SECONDS = 5.0
"""Seconds that Lean gets to stop."""

STATUS_SECONDS = 0.5
"""How often the status is looked at while Lean is starting."""

NOT_STARTED = LeanStatus("not started")


class Session:
    """The state of one editor's connection."""

    def __init__(self, server: TacitServer, build: Callable[[Settings], Suggester], lean: str = "") -> None:
        self.server = server
        self.settings = Settings()
        self._named_lean = lean
        self.workplace: Workplace | None = None
        """What can be searched; None where nothing can."""
        self.memory: WorkspaceMemory | None = None
        """What is told of suggestions that are taken; None where nothing learns."""
        self.on_index_change: Callable[[], None] = lambda: None
        self.requests = Requests(lambda: self.suggester, self.heard)
        self._build = build
        self._suggester: Suggester | None = None
        self._failure: TacitError | None = None
        self._preparing: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._offers = Offers()
        self._told: set[str] = set()
        self._heard: set[str] = set()
        self._announced: LeanStatus | None = None
        self._closing = False

    @property
    def suggester(self) -> Suggester:
        """The suggester of these settings, built when first asked for. Raises TacitError when it cannot be built."""
        if self._suggester is None:
            try:
                self._suggester = self._build(self.settings)
            except TacitError as error:
                self._failure = error
                raise
            self._failure = None
        return self._suggester

    def status(self) -> LeanStatus:
        """What Lean is doing. Never waits, never starts anything."""
        if self._suggester is not None:
            return self._suggester.status()
        return LeanStatus("failed", sentence=str(self._failure)) if self._failure else NOT_STARTED

    def model(self) -> ModelState | None:
        """What the local model is doing; None before anything was asked. Never starts anything."""
        return self._suggester.model() if self._suggester is not None else None

    @property
    def lean(self) -> str:
        """What is named as Lean: by whoever started the sidecar, else by the settings; empty where it is looked for."""
        return self._named_lean or self.settings.lean_path

    @property
    def versioned_edits(self) -> bool:
        """Whether the editor takes edits that name a version."""
        workspace = self.server.client_capabilities.workspace
        return bool(workspace and workspace.workspace_edit and workspace.workspace_edit.document_changes)

    def find(self, uri: str) -> OpenDocument | None:
        """The newest version of an open document."""
        return self.server.protocol.mirror.find(uri)

    def opened(self, uri: str) -> None:
        """A document was opened, or opened again: let Lean read it in the background."""
        if document := self.find(uri):
            self.requests.drop(document.uri, Why.CHANGED)
            self._prepare(document.uri, at_once=True)
            if self.workplace is not None:
                self.workplace.opened(document)

    def changed(self, uri: str) -> None:
        """A document was changed: what was asked of it is void."""
        if document := self.find(uri):
            self._learn(document)
            self.requests.drop(document.uri, Why.CHANGED)
            self._prepare(document.uri)
            if self.workplace is not None:
                self.workplace.changed(document)

    def _learn(self, document: OpenDocument) -> None:
        """Tell the memory which of the suggestions made so far the document has taken."""
        if self.memory is None:
            return
        for run in self.requests.about(document.uri):
            if run.goal is not None and run.found:
                self._offers.put(run.question.document, run.goal, [each.suggestion for each in run.found])
        for taken in self._offers.taken(document.uri, document.text):
            self.memory.accepted(taken)

    def closed(self, document: OpenDocument) -> None:
        """A document was closed: give its Lean back."""
        uri = document.uri
        self._offers.forget(uri)
        self.requests.drop(uri, Why.CLOSED)
        if task := self._preparing.pop(uri, None):
            task.cancel()
        if self._suggester is not None:
            self.requests.wait_for(uri, self._end(self._suggester.forget(uri)))
        if self.workplace is not None:
            self.workplace.closed(document)

    def configure(self, raw: Any) -> None:
        """Take new settings. Values that cannot be used are told to the user, in one message."""
        settings, complaints = read_settings(raw, self.settings)
        before, self.settings = self.settings, settings
        if settings.log_level != before.log_level:
            logs.set_level(settings.log_level)
        if complaints:
            self.tell(" ".join(complaints))
        if not settings.same_lean(before):
            self._restart()
        indexing = before.index_automatic, before.lean_path
        if self.workplace is not None and indexing != (settings.index_automatic, settings.lean_path):
            self.spawn(self.workplace.configure(automatic=settings.index_automatic, lean=self.lean))

    async def pull(self) -> None:
        """Ask the editor for the settings, where it is one that waits to be asked."""
        workspace = self.server.client_capabilities.workspace
        if workspace and workspace.configuration:
            items = [types.ConfigurationItem(section=SECTION)]
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    answer = await self.server.workspace_configuration_async(types.ConfigurationParams(items))
                    self.configure(answer[0] if answer else None)

    def tell(self, text: str, kind: types.MessageType = types.MessageType.Warning) -> None:
        """Show the user a sentence."""
        self.server.window_show_message(types.ShowMessageParams(kind, plain(text)))

    def explain(self, error: Exception) -> str:
        """The sentence for an error. That Lean is missing or died is shown to the user, once until it works again."""
        if not isinstance(error, TacitError):
            log.error("an unexpected error", exc_info=error)
            return _fault()
        text = str(error)
        if not isinstance(error, NoGoal) and text not in self._told:
            self._told.add(text)
            log.warning("%s", text)
            self.tell(text, types.MessageType.Error)
        return text

    def faulted(self) -> None:
        """An error of Tacit's own, which nobody waits for, was logged: the user hears of it once until Lean works."""
        if not self._closing and (text := _fault()) not in self._told:
            self._told.add(text)
            self.tell(text, types.MessageType.Error)

    def heard(self, remark: Remark) -> None:
        """What a source has to say is told once until the settings change: shown if it failed, else in the log."""
        if remark.about in self._heard:
            return
        self._heard.add(remark.about)
        if remark.failed:
            self.tell(remark.sentence)
        else:
            self.server.window_log_message(types.LogMessageParams(types.MessageType.Info, remark.sentence))

    def works(self) -> None:
        """Lean has just answered: an error that comes back is news again."""
        self._told.clear()

    def announce(self) -> None:
        """Send the status when it has changed."""
        status = self.status()
        if status != self._announced and not self._closing:
            log.info("Lean is %s. %s", " ".join(filter(None, (status.state, status.version))), status.sentence)
            self._announced = status
            self.server.protocol.notify(STATUS_CHANGED, to_state(status))

    def index_changed(self) -> None:
        """There is something new to say of the index."""
        if not self._closing:
            self.on_index_change()

    async def close(self) -> None:
        """Stop everything; bounded, and safe to call again."""
        self._closing = True
        self.requests.drop_all(Why.SHUTDOWN)
        for task in self._tasks - self._ending:
            task.cancel()
        self._preparing.clear()
        suggester, self._suggester = self._suggester, None
        await self.requests.settled()
        if suggester is not None:
            self._end(_stopped(suggester))
        if self.workplace is not None:
            self._end(self.workplace.aclose())
        if self.memory is not None:
            self._end(self.memory.aclose())
        if tasks := self._tasks | self._ending:
            await asyncio.wait(tasks, timeout=CLOSE_SECONDS)

    def _restart(self) -> None:
        """Take another Lean in the place of the one that runs."""
        self._told.clear()
        self._heard.clear()
        self._failure = None
        self.requests.drop_all(Why.SETTINGS)
        for task in self._preparing.values():
            task.cancel()
        self._preparing.clear()
        old, self._suggester = self._suggester, None
        if old is not None:
            self._end(_stopped(old))
        for document in self.server.protocol.mirror:
            self._prepare(document.uri, at_once=True)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something in the background until the session ends; what it raises is logged."""
        task = asyncio.create_task(self._logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # one that was cancelled before it began
        return task

    def _end(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something that gives back what Lean holds: not even the end of the session stops it."""
        task = self.spawn(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        return task

    def _prepare(self, uri: str, *, at_once: bool = False) -> None:
        # One at a time for each document, and never cancelled by an edit: an elaboration that is cut off and begun
        # again at each key would never end.
        if uri not in self._preparing and not self._closing:
            self._preparing[uri] = self.spawn(self._prepare_newest(uri, at_once))

    async def _prepare_newest(self, uri: str, at_once: bool) -> None:
        prepared: OpenDocument | None = None
        try:
            await self.requests.settled(uri)  # closed and opened again, as when its language mode changes
            while True:
                document = self.find(uri) if at_once else await self._quiet(uri)
                at_once = False
                if document is None or document is prepared:
                    return
                await self._prepare_one(document)
                prepared = document
        finally:
            if self._preparing.get(uri) is asyncio.current_task():
                del self._preparing[uri]

    async def _prepare_one(self, document: OpenDocument) -> None:
        watch = self.spawn(self._watch())
        try:
            await self.suggester.prepare(document.value)
        except TacitError as error:
            self.explain(error)
        finally:
            watch.cancel()
            self.announce()

    async def _quiet(self, uri: str) -> OpenDocument | None:
        """The newest version of a document, once it has not changed for a while."""
        document = self.find(uri)
        while True:
            await asyncio.sleep(DEBOUNCE)
            if (newer := self.find(uri)) is document:
                return document
            document = newer

    async def _watch(self) -> None:
        while True:
            self.announce()
            await asyncio.sleep(STATUS_SECONDS)

    async def _logged(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            log.exception("background work failed")
            self.faulted()


def _fault() -> str:
    """What the user reads of an error of Tacit's own."""
    file = logs.where()
    return f"Something went wrong inside Tacit; its log{f', {file},' if file else ''} says what."


async def _stopped(suggester: Suggester) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await suggester.aclose()
    except TimeoutError:
        log.error("Lean did not stop within %g s", CLOSE_SECONDS)
    except Exception:
        log.exception("stopping Lean failed")
