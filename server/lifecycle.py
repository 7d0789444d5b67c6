"""Begins and ends with the editor: initialize, settings, open documents, and every way in which it can go away.

The editor is gone when it says `exit`, when its end of a pipe closes, when the process that `initialize` named has
ended, or when a signal asks the sidecar to stop. Each of these stops Lean and ends the loop.
"""

from __future__ import annotations

import asyncio
import logging
import platform
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from lsprotocol import types

from tacit.server.closing import Closing
from tacit.server.features import Features
from tacit.server.memory_library import WorkspaceMemory
from tacit.server.premise_library import LibraryPremises
from tacit.server.protocol import TacitServer
from tacit.server.search_features import SearchFeatures
from tacit.server.session import Session
from tacit.server.settings import Settings
from tacit.server.stdio import Output, process_gone, read_in_thread
from tacit.server.suggest import Suggester
from tacit.server.tactics.source import PremiseFinder
from tacit.server.workplace import Workplace

log = logging.getLogger(__name__)

Build = Callable[[Settings, PremiseFinder | None], Suggester]
"""Makes the suggester for settings; without a finder of premises it looks after them itself."""


class Lifecycle:
    """The notifications, and the main loop."""

    def __init__(self, server: TacitServer, session: Session, search: SearchFeatures | None = None) -> None:
        self._server = server
        self._session = session
        self._search = search

    def register(self) -> None:
        """Register every handler on the server."""
        on = self._server.on
        on(types.INITIALIZE, self.initialize)
        on(types.INITIALIZED, self.initialized)
        on(types.WORKSPACE_DID_CHANGE_CONFIGURATION, self.did_change_configuration)
        on(types.TEXT_DOCUMENT_DID_OPEN, self.did_open)
        on(types.TEXT_DOCUMENT_DID_CHANGE, self.did_change)
        self._server.on_close = self._session.closed
        self._server.faulted = self._session.faulted

    def initialize(self, params: types.InitializeParams) -> None:
        """Take the first settings, and keep an eye on the editor's process."""
        self._session.configure(params.initialization_options)
        editor = params.client_info
        named = f"{editor.name} {editor.version or ''}".rstrip() if editor is not None else "an editor"
        log.info("Tacit %s on Python %s begins, for %s", self._server.version, platform.python_version(), named)
        if self._search is not None:
            self._search.initialize(params)
        if params.process_id is not None:
            self._session.spawn(self._watch(params.process_id))

    async def initialized(self, _: types.InitializedParams) -> None:
        """Say in which state Lean is; look after the index."""
        self._session.announce()
        if self._search is not None:
            await self._search.initialized()

    async def did_change_configuration(self, params: types.DidChangeConfigurationParams) -> None:
        """Take new settings, or ask for them where the editor only says that there are some."""
        if params.settings:
            self._session.configure(params.settings)
        else:
            await self._session.pull()

    def did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        """Let Lean read it."""
        self._session.opened(params.text_document.uri)

    def did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        """What was asked of it is void."""
        self._session.changed(params.text_document.uri)

    async def _watch(self, pid: int) -> None:
        await process_gone(pid)
        log.info("the editor's process has ended")
        self._server.end(1)

    async def run(self, source: int, sink: BinaryIO) -> int:
        """Serve until the editor is gone; the exit status."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[int] = loop.create_future()

        def end(code: int) -> None:
            if not ended.done():
                ended.set_result(code)

        self._server.end = end
        self._server.closed = self._session.close

        def lost() -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(end, 1)

        output = Output(sink, lost)
        self._server.protocol.set_writer(output)
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            with suppress(AttributeError, NotImplementedError, ValueError):  # Windows; not the main thread
                loop.add_signal_handler(getattr(signal, name), end, 1)
        read_in_thread(source, self._server.protocol.receive, lambda: end(0 if self._server.shut_down else 1))
        try:
            return await ended
        finally:
            output.close()
            await self._session.close()
            output.drain()


def assemble(
    build: Build, version: str, *, search: bool = False, memory: WorkspaceMemory | None = None, lean: str = ""
) -> Lifecycle:
    """A server with every feature, ready to run; with `search` it indexes and searches the workspace too.

    `memory` learns from what is saved and from suggestions that are taken, and is closed with the session. `lean` is
    the Lean whose sources are searched whatever the settings name.
    """
    server = TacitServer(version)
    premises: PremiseFinder | None = None
    session = Session(server, lambda settings: build(settings, premises), lean)
    session.memory = memory
    found: SearchFeatures | None = None
    if search:
        session.workplace = Workplace(server.protocol.mirror, session.index_changed, session.spawn)
        if memory is not None:
            session.workplace.on_saved = memory.saw
        premises = library = LibraryPremises(session.workplace.ask)
        found = SearchFeatures(server, session, session.workplace, library)
        found.register()
        session.on_index_change = found.announce
    lifecycle = Lifecycle(server, session, found)
    lifecycle.register()
    Features(server, session, found.state if found is not None else lambda: None).register()
    Closing(server, session).register()
    return lifecycle
