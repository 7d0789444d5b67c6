"""Searches the packages of a workspace, and what was typed or saved since: from the event loop, in threads of its own.

One thread holds the open indexes and answers, one reads texts, one opens vectors. Nothing is opened, and nothing heavy
imported, before the first question; words answer as soon as the indexes are open, meanings when their vectors are, and
those are opened when something is searched, not for premises of goals.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tacit.server.answers import Answer, Ask, Home, SearchStatus
from tacit.server.errors import TacitError

if TYPE_CHECKING:
    from tacit.index.known import Known
    from tacit.retrieval.overlay import Draft, DraftVectors
    from tacit.retrieval.ranker import Ranker
    from tacit.server.shelves import Shelves, Wanted

log = logging.getLogger(__name__)

LARGEST_TEXT = 1_000_000
"""Characters of a text that is read while it is typed; what is longer is found as it was when it was indexed."""
MOST_MEANINGS = 400
"""Premises of a text whose vectors are made while it is typed: a second's work."""

T = TypeVar("T")


class SearchClosed(TacitError):
    """The sidecar is on its way out."""


class Searcher:
    """See above. `changed` is called, in the loop, when there is something new to say of the state."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._changed = changed
        self._folders: tuple[Path, ...] = ()
        self._everything = True
        self._lean = ""
        self._arranged = False
        self._asking = ThreadPoolExecutor(1, "tacit-search")
        self._reading = ThreadPoolExecutor(1, "tacit-read")
        self._loading = ThreadPoolExecutor(1, "tacit-vectors")
        self._shelves: Shelves | None = None
        self._opened: asyncio.Event | None = None
        self._known: dict[Path, tuple[object, Known | None]] = {}
        self._vectors: DraftVectors | None = None
        self._encoder_missing = ""
        self._searched = False
        self._loads: set[asyncio.Task[None]] = set()
        self._said: object = None
        self._closed = False

    # ------------------------------------------------------------ asking

    def arrange(self, folders: Iterable[Path], *, everything: bool, lean: str = "") -> None:
        """Search the packages of these workspaces; with none, every index there is, if `everything` is wanted.

        `lean` is what the settings name as Lean.
        """
        self._folders, self._everything, self._lean = tuple(folders), everything, lean
        self._arranged = False

    async def search(self, ask: Ask, texts: Mapping[str, str] | None = None) -> Answer:
        """The best premises. `texts`: open documents by path, so that names are found where they now stand."""

        def answer(shelves: Shelves) -> Answer:
            from tacit.server.asking import search

            return search(shelves, ask, texts or {})

        self._searched = True
        return await self.run(answer)

    async def run(self, question: Callable[[Shelves], T]) -> T:
        """Ask something in the thread that holds the indexes. Cancelled before its turn, it is never begun."""
        if self._closed:
            raise SearchClosed("Search has ended.")
        answer = asyncio.get_running_loop().run_in_executor(self._asking, self._answer, question)
        try:
            return await answer
        finally:
            self._after()

    @property
    def open(self) -> bool:
        """Whether anything was asked yet: before, nothing is worth being read."""
        return self._shelves is not None

    def status(self) -> SearchStatus:
        """The state, as of the last question."""
        shelves = self._shelves
        if shelves is None:
            return SearchStatus("closed")
        sentences = [each.sentence for each in shelves.conditions if each.sentence]
        if self._encoder_missing:
            sentences.append(self._encoder_missing)
        state = "open" if any(each.open for each in shelves.conditions) else "missing"
        return SearchStatus(state, shelves.conditions, " ".join(dict.fromkeys(sentences)))

    async def settled(self) -> None:
        """Wait for vectors that are being opened."""
        if self._loads:
            await asyncio.wait(self._loads)

    # ------------------------------------------------------------ texts that are newer than the index

    async def put_text(self, path: Path | None, name: str, text: str) -> None:
        """Let a text be found in the place of what is indexed of its file. `name`: of a text without a file."""
        if len(text) <= LARGEST_TEXT:
            await self._put(path, name, text, text.encode("utf-8", "replace"))

    async def put_file(self, path: Path, content: bytes) -> None:
        """The same, of what a file holds."""
        text = content.decode("utf-8-sig", errors="replace")
        if len(text) <= LARGEST_TEXT:
            await self._put(path, "", text, content)

    async def _put(self, path: Path | None, name: str, text: str, content: bytes) -> None:
        key = str(path) if path is not None else name

        def belongs(shelves: Shelves) -> Home | None:
            from tacit.server.asking import home

            return home(shelves, path, name, content)

        home = await self.run(belongs)
        if home is None:
            await self.forget(key)
            return
        draft = await self._in(self._reading, lambda: self._read(text, content, home, key))
        await self.run(lambda shelves: shelves.put(draft, home.index))
        if (vectors := self._vectors) is not None and 0 < len(draft.premises) <= MOST_MEANINGS:
            dense = await self._in(self._reading, lambda: vectors.ranker(draft))
            await self.run(lambda shelves: shelves.add_meanings(draft, dense))

    async def put_gone(self, path: Path) -> None:
        """A file is there no more."""

        def gone(shelves: Shelves) -> None:
            from tacit.server.asking import put_gone

            put_gone(shelves, path)

        await self.run(gone)

    async def refresh(self) -> None:
        """A builder has done something: look at all indexes again."""
        await self.run(lambda shelves: shelves.look_again())

    async def forget(self, key: str) -> None:
        """What is indexed of a file counts again."""
        await self.run(lambda shelves: shelves.drop(key))

    async def drafted(self) -> list[Path]:
        """The files whose texts are newer than the index, those that are gone included."""
        return await self.run(lambda shelves: [Path(each.path) for each in shelves.drafts])

    async def below(self, folder: Path) -> list[Path]:
        """The files below a folder that are known."""
        return await self.run(lambda shelves: [Path(each) for each in shelves.below(str(folder))])

    async def aclose(self) -> None:
        """Give everything back; what is being computed is let go of. Once is enough; more often does no harm."""
        if self._closed:
            return
        self._closed = True
        for task in self._loads:
            task.cancel()
        for each in (self._reading, self._loading):
            each.shutdown(wait=False, cancel_futures=True)
        # In their own thread, behind what is asked there now: that may be opening them.
        self._asking.submit(self._give_back)
        self._asking.shutdown(wait=False)

    # ------------------------------------------------------------ inside

    def _give_back(self) -> None:
        """In the thread of the indexes."""
        shelves, self._shelves = self._shelves, None
        if shelves is not None:
            shelves.close()

    def _answer(self, question: Callable[[Shelves], T]) -> T:
        """In the thread of the indexes."""
        if self._closed:
            raise SearchClosed("Search has ended.")
        if self._shelves is None:
            from tacit.server.shelves import Shelves

            self._shelves = Shelves()
        if not self._arranged:
            from tacit.server.library import spots

            self._arranged = True
            self._shelves.arrange(spots(self._folders, everything=self._everything, lean=self._lean))
        return question(self._shelves)

    def _after(self) -> None:
        """See whether vectors are to be opened, and tell of what has changed."""
        shelves = self._shelves
        if shelves is None or self._closed:
            return
        if self._searched and not self._loads and shelves.conditions:
            task = asyncio.get_running_loop().create_task(self._load())
            self._loads.add(task)
            task.add_done_callback(self._loads.discard)
        if self._said is not shelves.conditions:
            self._said = shelves.conditions
            self._changed()

    async def _load(self) -> None:
        try:
            for each in await self._in(self._asking, lambda: self._answer(lambda shelves: shelves.wanted())):
                await self._load_one(each)
        except (RuntimeError, SearchClosed):
            log.debug("search ended while vectors were opened")
        except Exception:
            log.exception("vectors could not be opened")

    async def _load_one(self, wanted: Wanted) -> None:
        began = time.monotonic()
        dense = await self._in(self._loading, lambda: self._open_vectors(wanted))
        seconds = time.monotonic() - began
        await self._in(self._asking, lambda: self._answer(lambda shelves: shelves.attach(wanted, dense, seconds)))
        if (shelves := self._shelves) is not None and self._said is not shelves.conditions:
            self._said = shelves.conditions
            self._changed()

    def _open_vectors(self, wanted: Wanted) -> Ranker | None:
        """In the thread of vectors; None where they cannot be used, with a sentence in the status."""
        from tacit.index.encoder import EncoderUnavailable
        from tacit.index.store import StoreError
        from tacit.index.vectors import VectorsError
        from tacit.retrieval.overlay import DraftVectors
        from tacit.server.library import open_vectors, query_encoder

        try:
            if self._vectors is None:
                self._vectors = DraftVectors(query_encoder())
            self._encoder_missing = ""
            return open_vectors(wanted.spot.index, self._vectors.encoder)
        except EncoderUnavailable as error:
            self._encoder_missing = f"Search goes by words alone: {error}"
        except (StoreError, VectorsError) as error:
            log.info("search goes by words alone in %s: %s", wanted.spot.package.name, error)
        return None

    def _read(self, text: str, content: bytes, home: Home, path: str) -> Draft:
        """In the thread that reads."""
        from tacit.index.reader import digest
        from tacit.retrieval.overlay import draft
        from tacit.server.library import knowledge

        known = None
        if home.index is not None:
            stamp, known = self._known.get(home.index, (None, None))
            if stamp != (newer := _file_stamp(home.index)):
                known = knowledge(home.index)
                self._known = {home.index: (newer, known)}
        try:
            return draft(text, home.package, home.module, path, known, digest=digest(content))
        except sqlite3.Error as error:  # the index is damaged: the text is read by itself
            log.info("%s is read without what its package knows: %s", path, error)
            return draft(text, home.package, home.module, path, None, digest=digest(content))

    async def _in(self, executor: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(executor, work)


def _file_stamp(path: Path) -> object:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
