"""The answers of search to the editor: `tacit/search`, `workspace/symbol`, and what it says of files and folders.

The index state is told as it changes, and shown as progress while a builder has more to do than a few files.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tacit.index.files import content_of
from tacit.server import wire
from tacit.server.answers import Answer, Ask
from tacit.server.errors import TacitError
from tacit.server.features import current, refusal
from tacit.server.goal_search import goal_at, merged
from tacit.server.indexer import IndexWork
from tacit.server.mirror import OpenDocument, path_of
from tacit.server.outgoing import plain, to_hit, to_index, to_symbol
from tacit.server.premise_library import LibraryPremises
from tacit.server.protocol import TacitServer
from tacit.server.requests import Stopped
from tacit.server.session import Session
from tacit.server.workplace import Workplace, real

log = logging.getLogger(__name__)

HITS = 10
SYMBOLS = 50
TOLD_SECONDS = 0.5
"""How often the state is told while it changes."""
WORTH_SHOWING = 50
"""Files or declarations from which a builder's work is shown as progress."""
NOTHING_YET = "Nothing is indexed here yet."


class SearchFeatures:
    """The handlers, and what they share."""

    def __init__(self, server: TacitServer, session: Session, workplace: Workplace, premises: LibraryPremises) -> None:
        self._server = server
        self._session = session
        self._workplace = workplace
        self._premises = premises
        self._folders: list[Path] = []
        self._newest: dict[int | str, asyncio.Task[tuple[Answer, str]]] = {}
        self._asked_editor = False
        self._telling: asyncio.TimerHandle | None = None
        self._told: wire.IndexState | None = None
        self._progress = _Progress(server, session, workplace)

    def register(self) -> None:
        """Register every handler that is there whatever the editor is. The rest when it is known."""
        on = self._server.on
        on(wire.SEARCH, self.search)
        on(types.TEXT_DOCUMENT_DID_SAVE, self.did_save, types.SaveOptions(include_text=False))
        on(types.WORKSPACE_DID_CHANGE_WATCHED_FILES, self.did_change_watched_files)
        on(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, self.did_change_folders)

    def initialize(self, params: types.InitializeParams) -> None:
        """Offer `workspace/symbol` where there is a workspace."""
        self._folders = _folders([each.uri for each in params.workspace_folders or ()] or [params.root_uri])
        if self._folders:
            self._server.on(types.WORKSPACE_SYMBOL, self.symbols)

    async def initialized(self) -> None:
        """Begin to index and to follow the workspace."""
        automatic = self._session.settings.index_automatic
        await self._workplace.begin(self._folders, automatic=automatic, lean=self._session.lean)

    async def search(self, params: wire.SearchParams) -> wire.SearchResult:
        """The best premises; a sentence where none can be searched."""
        asked = params.text_document
        document = self._session.find(asked.uri) if asked is not None else None
        if asked is not None and document is not None and asked.version not in (None, document.version):
            raise wire.ContentModified
        path = path_of(asked.uri) if asked is not None else None
        text, offset = document.text if document is not None else None, None
        if text is None and path is not None:
            text = await asyncio.to_thread(_read, path)
        if document is not None and params.position is not None:
            offset = document.offset((params.position.line, params.position.character))
        where = real(path) if path is not None else None
        mirror = self._server.protocol.mirror
        ask = Ask(params.text, params.limit or HITS, where, text, offset, params.usable_here, mirror.code_points)
        try:
            if params.from_goal:
                if asked is None or params.position is None:
                    raise wire.InvalidParams("A search from a goal needs textDocument and position.")
                work = self._from_goal(current(self._session, asked.uri, asked.version), params.position, ask)
            else:
                work = self._from_text(ask)
            answer, said = await self._newest_wins(params.token, work)
        except Stopped as stopped:
            raise refusal(stopped) from None
        except TacitError as error:
            return wire.SearchResult([], 0.0, 0, str(error))
        except JsonRpcException:
            raise
        except Exception as error:
            raise wire.Failed(self._session.explain(error)) from error
        return wire.SearchResult(
            [to_hit(each) for each in answer.found],
            round(answer.elapsed, 4),
            answer.total,
            said or self._notice(answer),
        )

    async def symbols(self, params: types.WorkspaceSymbolParams) -> list[types.WorkspaceSymbol]:
        """Declarations by name or description; of nothing, nothing."""
        if not params.query.strip():
            return []
        try:
            ask = Ask(params.query, SYMBOLS, code_points=self._server.protocol.mirror.code_points)
            answer = await self._workplace.search(ask)
        except TacitError:
            return []
        except Exception as error:
            self._session.explain(error)
            return []
        return [to_symbol(each) for each in answer.found]

    def did_save(self, params: types.DidSaveTextDocumentParams) -> None:
        """A file was written from the editor: where files can be watched, that says so too."""
        self._saw([params.text_document.uri])

    def did_change_watched_files(self, params: types.DidChangeWatchedFilesParams) -> None:
        """Files changed, as the editor's watcher says."""
        self._saw(each.uri for each in params.changes)

    async def did_change_folders(self, params: types.DidChangeWorkspaceFoldersParams) -> None:
        """Folders came and went."""
        gone = _folders([each.uri for each in params.event.removed])
        here = [each for each in self._folders if each not in gone]
        self._folders = [*here, *(each for each in _folders([e.uri for e in params.event.added]) if each not in here)]
        await self.initialized()

    def state(self) -> wire.IndexState:
        """What can be searched, and what the builder does."""
        work = self._workplace.indexer.work
        status = self._workplace.searcher.status()
        return to_index(status, work, self._workplace.sentence, automatic=self._session.settings.index_automatic)

    def announce(self) -> None:
        """Tell the state when it has changed; not more than a few times a second."""
        self._progress.report(self._workplace.indexer.work)
        if self._workplace.sentence and not self._asked_editor:
            self._asked_editor = True
            self._session.spawn(self._let_editor_watch())
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(TOLD_SECONDS, self._tell)

    # ------------------------------------------------------------ inside

    async def _from_text(self, ask: Ask) -> tuple[Answer, str]:
        return await self._workplace.search(ask), ""

    async def _from_goal(self, document: OpenDocument, at: types.Position, ask: Ask) -> tuple[Answer, str]:
        """What is ranked for the goal, then what its text finds; and why there is no goal, where there is none."""
        began = time.monotonic()
        try:
            request = await goal_at(self._session, document, at)
        except TacitError as error:
            return await self._workplace.search(ask), self._session.explain(error)
        text = ask.text if ask.text.strip() else f"⊢ {' '.join(request.goal.target.split())}"
        ranked = await self._premises.search(request, ask, self._workplace.texts())
        # Of what the text finds only a part is not imported yet.
        answer = await self._workplace.search(replace(ask, text=text, limit=2 * ask.limit))
        found = merged(ranked, answer.found, ask.limit)
        return replace(answer, found=found, elapsed=time.monotonic() - began), ""

    async def _newest_wins(
        self, token: int | str | None, work: Coroutine[None, None, tuple[Answer, str]]
    ) -> tuple[Answer, str]:
        if token is None:
            return await work
        if (older := self._newest.get(token)) is not None:
            older.cancel()
        task = self._newest[token] = asyncio.ensure_future(work)
        try:
            return await task
        except asyncio.CancelledError:
            if self._newest.get(token) is not task:
                raise wire.Superseded from None
            task.cancel()
            raise
        finally:
            if self._newest.get(token) is task:
                del self._newest[token]

    async def _let_editor_watch(self) -> None:
        """Files cannot be watched from here: ask the editor to, where it is one that can."""
        workspace = self._server.client_capabilities.workspace
        watching = workspace.did_change_watched_files if workspace else None
        if watching is None or not watching.dynamic_registration:
            return
        watchers = [types.FileSystemWatcher("**/*.lean"), types.FileSystemWatcher("**/lake-manifest.json")]
        options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
        asked = types.Registration("tacit-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        with suppress(JsonRpcException):
            await self._server.client_register_capability_async(types.RegistrationParams([asked]))

    def _notice(self, answer: Answer) -> str:
        work, status = self._workplace.indexer.work, self._workplace.searcher.status()
        if answer.total:
            return (answer.sentence or status.sentence) if not answer.found else ""
        if work.state == "working":
            share = f" ({100 * work.done // work.total} %)" if work.total else ""
            return f"{NOTHING_YET} {work.package} is being read{share}: ask again in a moment."
        if sentence := work.sentence or status.sentence:
            return sentence
        return f"{NOTHING_YET} Open a folder with a Lake project, or run `tacit index build FOLDER`."

    def _saw(self, uris: Iterable[str]) -> None:
        self._workplace.saved(path for uri in uris if (path := path_of(uri)) is not None)

    def _tell(self) -> None:
        self._telling = None
        state = self.state()
        if state != self._told:
            self._told = state
            self._server.protocol.notify(wire.INDEX_CHANGED, state)


class _Progress:
    """Shows what a builder does, with a way to stop it, where the editor can."""

    def __init__(self, server: TacitServer, session: Session, workplace: Workplace) -> None:
        self._server = server
        self._session = session
        self._workplace = workplace
        self._token: str | None = None
        self._begun = False

    def report(self, work: IndexWork) -> None:
        """There is news of the work."""
        if work.state == "working" and work.total >= WORTH_SHOWING:
            window = self._server.client_capabilities.window
            if self._token is None and window and window.work_done_progress:
                self._token = f"tacit-index-{uuid.uuid4()}"
                self._session.spawn(self._begin(self._token))
            elif self._begun and self._token is not None:
                self._server.work_done_progress.report(
                    self._token, types.WorkDoneProgressReport(message=_said(work), percentage=_share(work))
                )
        elif work.state in ("idle", "stopped", "failed") and self._token is not None:
            token, self._token = self._token, None
            if self._begun:
                self._begun = False
                self._server.work_done_progress.tokens.pop(token, None)
                end = work.sentence or "Everything can be searched"
                self._server.work_done_progress.end(token, types.WorkDoneProgressEnd(message=plain(end)))

    async def _begin(self, token: str) -> None:
        with suppress(JsonRpcException):
            await self._server.work_done_progress.create_async(token)
            if self._token != token:
                return
            self._begun = True
            work = self._workplace.indexer.work
            first = types.WorkDoneProgressBegin("Tacit", cancellable=True, message=_said(work), percentage=_share(work))
            self._server.work_done_progress.begin(token, first)
            loop = asyncio.get_running_loop()
            self._server.work_done_progress.tokens[token].add_done_callback(
                lambda done: loop.call_soon_threadsafe(self._stop) if done.cancelled() else None
            )

    def _stop(self) -> None:
        self._session.spawn(self._workplace.indexer.stop())


def _said(work: IndexWork) -> str:
    what = {"reading": "reading", "embedding": "learning the meanings of"}.get(work.what, f"{work.what} of")
    return plain(f"{what} {work.package}, {work.done:,} of {work.total:,}")


def _share(work: IndexWork) -> int | None:
    return 100 * work.done // work.total if work.total else None


def _folders(uris: Iterable[str | None]) -> list[Path]:
    return [path for uri in uris if uri and (path := path_of(uri)) is not None]


def _read(path: Path) -> str | None:
    try:
        return content_of(path).decode("utf-8-sig", errors="replace")
    except (OSError, ValueError):
        return None
