"""Keeps what can be searched as new as the workspace: which folders there are, what was typed, saved, built.

Tells the searcher of every text that is newer than its index, the builder of every workspace whose index is old, the
watcher where the files are. Answers no request.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tacit.index.files import content_of
from tacit.server.answers import Answer, Ask
from tacit.server.errors import TacitError
from tacit.server.following import PLANS, Following, identities
from tacit.server.indexer import Indexer, IndexWork
from tacit.server.mirror import Mirror, OpenDocument, path_of
from tacit.server.searcher import LARGEST_TEXT, Searcher

if TYPE_CHECKING:
    from tacit.server.shelves import Shelves

log = logging.getLogger(__name__)

T = TypeVar("T")

QUIET = 0.25
"""Seconds without an edit after which a document is read."""
LONGEST = 2.0
"""Seconds after which it is read though edits go on."""
MOST_FILES = 40
"""Files that may change at once and be read here; with more (a checkout, an update) the builder is quicker."""
SETTLE = 5.0
"""Seconds without a change on disk after which the builder takes up what has changed. It is searchable before."""
REST = 20
"""A builder that took a second rests for so many before it begins again because a file was saved."""
LOOK_SECONDS = 3.0
"""How often is looked whether the folders that are followed are still there, and the same."""
RETRY, LONGEST_RETRY = 60.0, 3600.0
"""Seconds until what could not be indexed is tried again: twice as many each time, up to an hour."""


class Workplace:
    """The folders of one editor, and what keeps their index new."""

    def __init__(
        self,
        mirror: Mirror,
        changed: Callable[[], None],
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        self.searcher = Searcher(self._searched)
        self.indexer = Indexer(self._worked, self._built)
        self.sentence = ""
        """What cannot be followed; empty where all can."""
        self.on_saved: Callable[[frozenset[Path]], None] = lambda paths: None
        """Called with the files and folders that have changed on disk."""
        self._mirror = mirror
        self._changed = changed
        self._spawn = spawn
        self._folders: tuple[Path, ...] = ()
        self._roots: tuple[Path, ...] = ()
        self._automatic = False
        self._lean = ""
        self._following: Following | None = None
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._later: set[Path] = set()
        self._caught_up = False
        self._settling: asyncio.TimerHandle | None = None
        self._dirty: set[Path] = set()
        self._built_at = float("-inf")
        self._broken: set[tuple[Path, str]] = set()
        self._retry = RETRY
        self._trying: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self._places: dict[Path, tuple[int, int] | None] = {}
        self._closed = False

    # ------------------------------------------------------------ the editor

    async def begin(self, folders: Iterable[Path], *, automatic: bool, lean: str = "") -> None:
        """Take up these workspace folders. Without any, nothing is indexed and nothing is followed.

        `lean` is what the settings name as Lean.
        """
        self._folders, self._automatic = tuple(dict.fromkeys(folders)), automatic
        self._lean = self.indexer.lean = lean
        await self._rearrange()

    async def configure(self, *, automatic: bool, lean: str = "") -> None:
        """Begin or end indexing by itself; go by the sources of another Lean."""
        before, self._automatic = self._automatic, automatic
        if before and not automatic:
            await self.indexer.stop()
        if lean != self._lean:
            self._lean = self.indexer.lean = lean
            await self._rearrange(anew=True)
        elif automatic and not before:
            self.indexer.ask(self._roots)

    def opened(self, document: OpenDocument) -> None:
        """A document was opened: it may be newer than its file, or in a workspace of its own below a folder."""
        path = path_of(document.uri)
        inside = path is not None and any(path.is_relative_to(each) for each in self._folders)
        if path is not None and inside and not any(real(path).is_relative_to(each) for each in self._roots):
            self._spawn(self._rearrange())
        self.changed(document)

    def changed(self, document: OpenDocument) -> None:
        """A document was changed; it is read once it has been quiet for a moment."""
        if self._caught_up and document.uri not in self._reading:
            self._reading[document.uri] = self._spawn(self._read(document.uri))

    def closed(self, document: OpenDocument) -> None:
        """A document was closed: its file counts again, whatever stood in the editor."""
        if task := self._reading.pop(document.uri, None):
            task.cancel()
        path = path_of(document.uri)
        if not self._caught_up:
            return
        if path is None:
            self._spawn(self._quietly(self.searcher.forget(document.uri)))
        else:
            self._spawn(self._quietly(self._look([path], forget=True)))

    def saved(self, paths: Iterable[Path]) -> None:
        """Files were written, moved or removed, as the editor or the watcher says."""
        self._saw(frozenset(paths))

    async def search(self, ask: Ask) -> Answer:
        """Answer a question. With the first one texts begin to be read as they change."""
        self._catch_up_soon()
        return await self.searcher.search(ask, self.texts())

    async def ask(self, question: Callable[[Shelves], T]) -> T:
        """Ask something else of the open indexes; texts are read as they change from then on, too."""
        self._catch_up_soon()
        return await self.searcher.run(question)

    def _catch_up_soon(self) -> None:
        if not self._caught_up:
            asyncio.get_running_loop().call_soon(self._catch_up)  # behind the question

    def _catch_up(self) -> None:
        if not self._caught_up:
            self._caught_up = True
            for document in self._mirror:
                if document.uri not in self._reading:
                    self._reading[document.uri] = self._spawn(self._read(document.uri, at_once=True))
            if self._later:
                later, self._later = self._later, set()
                self._spawn(self._quietly(self._look(later)))

    def texts(self) -> dict[str, str]:
        """The open documents by path, or by URI where there is no file."""
        return {
            document.uri if path is None else str(real(path)): document.text
            for document in self._mirror
            for path in (path_of(document.uri),)
        }

    async def aclose(self) -> None:
        """End everything."""
        self._closed = True
        for timer in (self._settling, self._trying):
            if timer is not None:
                timer.cancel()
        if self._looking is not None:
            self._looking.cancel()
        if self._following is not None:
            self._following.close()
        for task in self._reading.values():
            task.cancel()
        await self.searcher.aclose()
        await self.indexer.aclose()

    # ------------------------------------------------------------ texts

    async def _read(self, uri: str, *, at_once: bool = False) -> None:
        """Read a document until it is read as it stands."""
        read: OpenDocument | None = None
        try:
            while True:
                document = self._mirror.find(uri) if at_once else await self._quiet(uri)
                at_once = False
                if document is None or document is read:
                    return
                read = document
                path = path_of(uri)
                await self.searcher.put_text(None if path is None else real(path), uri, document.text)
        except (TacitError, RuntimeError) as error:
            log.info("%s is not read: %s", uri, error)
        finally:
            if self._reading.get(uri) is asyncio.current_task():
                del self._reading[uri]

    async def _quiet(self, uri: str) -> OpenDocument | None:
        """The newest version of a document, once it has not changed for a moment, or for too long."""
        loop = asyncio.get_running_loop()
        end = loop.time() + LONGEST
        document = self._mirror.find(uri)
        while True:
            await asyncio.sleep(QUIET)
            newer = self._mirror.find(uri)
            if newer is document or loop.time() > end:
                return newer
            document = newer

    async def _look(self, paths: Iterable[Path], *, forget: bool = False) -> None:
        """Read files that have changed on disk, but for those whose text the editor has."""
        for path in paths:
            if str(real(path)) in self.texts():
                continue
            if path.suffix != ".lean":
                await self._look_below(path)
                continue
            if forget:
                await self.searcher.forget(str(real(path)))
            try:
                # One that is larger is left to the builder.
                content = await asyncio.to_thread(content_of, path, 4 * LARGEST_TEXT)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                await self.searcher.put_gone(real(path))
            except OSError as error:
                log.info("%s cannot be read: %s", path, error)
            else:
                await self.searcher.put_file(real(path), content)

    async def _look_below(self, folder: Path) -> None:
        """A folder came, went or was renamed: all that lies below it."""
        known = set(await self.searcher.below(real(folder)))
        there = set(await asyncio.to_thread(_lean_files, folder))
        changed = (known - there) | (there - known)
        if len(changed) <= MOST_FILES:
            await self._look(changed)

    # ------------------------------------------------------------ the disk

    def _saw(self, paths: frozenset[Path]) -> None:
        self.on_saved(paths)
        if not paths.isdisjoint(root / name for root in self._roots for name in PLANS):
            self._spawn(self._rearrange(anew=True))
        files = {each for each in paths if each.suffix == ".lean" or not each.suffix} - set(self._roots)
        files = {each for each in files if each.name not in PLANS}
        # A folder is read whole: one that is none of the workspace's may be all of the disk.
        files = {each for each in files if each.suffix or any(each.is_relative_to(root) for root in self._roots)}
        if not files:
            return
        if any(not each.suffix and each.parent in self._roots for each in files) and self._following is not None:
            self._spawn(self._follow())  # a new folder of sources
        if len(files) <= MOST_FILES:
            if self._caught_up:
                self._spawn(self._quietly(self._look(files)))
            else:
                self._later |= files
        self._dirty |= {root for root in self._roots if any(each.is_relative_to(root) for each in files)}
        self._settle(1.0 if len(files) > MOST_FILES else SETTLE)

    def _settle(self, seconds: float) -> None:
        """Let the builder take up what has changed, once it has been quiet, and not too often."""
        if not self._automatic:
            return
        loop = asyncio.get_running_loop()
        if self._settling is not None:
            self._settling.cancel()
        rested = self._built_at + REST * self.indexer.seconds
        self._settling = loop.call_at(max(loop.time() + seconds, rested), self._build)

    def _build(self) -> None:
        self._settling = None
        dirty, self._dirty = self._dirty, set()
        self._built_at = asyncio.get_running_loop().time()
        self.indexer.ask([each for each in self._roots if each in dirty], own=True)

    async def _rearrange(self, *, anew: bool = False) -> None:
        """Find the workspaces, follow them, have their indexes made. `anew`: their packages may be others now."""
        documents = [path for document in self._mirror if (path := path_of(document.uri)) is not None]
        before = self._roots
        found = await asyncio.to_thread(workspaces, self._folders, documents)
        # One that was moved away may be put back: until then what was indexed of it is searched.
        away = await asyncio.to_thread(_away, before, self._folders)
        self._roots = tuple(dict.fromkeys((*found, *away)))
        if not away or set(self._roots) != set(before):
            folders = await asyncio.to_thread(_folders, self._folders)
            there = dict.fromkeys((*found, *folders))
            self.searcher.arrange(there, everything=not self._folders, lean=self._lean)
        if not self._roots and self._following is None:
            return
        if self._following is None:
            self._following = Following(self._saw, self._cannot_follow)
        if self._roots != before:
            await self._follow()
        if self._automatic:
            self.indexer.ask([each for each in found if anew or each not in before])

    async def _follow(self) -> None:
        """Follow the workspaces as they are now."""
        if self._following is None or self._closed:
            return
        roots = self._roots
        self._places = places = await asyncio.to_thread(identities, roots, self._folders)
        there = [each for each in roots if places[each] is not None]
        gone = [str(each) for each in roots if each not in there]
        self.sentence = _GONE.format(" and ".join(gone)) if gone else ""
        self._changed()
        self._following.follow(there)
        if self._looking is None:
            self._looking = self._spawn(self._look_at_folders())

    async def _look_at_folders(self) -> None:
        """Notice that a workspace was moved away, removed, put back or replaced: no watcher tells of all of that."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            before = self._places
            now = await asyncio.to_thread(identities, self._roots, self._folders)
            if now == before or self._places is not before:
                continue
            back = {each for each in now if now[each] not in (None, before.get(each))}
            if not back.isdisjoint((*self._roots, *self._folders)):
                await self._rearrange(anew=True)
            await self._follow()
            self.on_saved(frozenset(back))
            if self._caught_up and back:
                await self._quietly(self._look_again())

    async def _look_again(self) -> None:
        """Read what was seen to change, or to go: nobody told when it came back."""
        drafted = await self.searcher.drafted()
        await self._look(each for each in drafted if any(each.is_relative_to(root) for root in self._roots))

    def _cannot_follow(self, sentence: str) -> None:
        self.sentence = sentence
        self._changed()

    def _searched(self) -> None:
        """There is news of the open indexes: what is broken is made anew, once for each way in which it is."""
        found = {(each.index, each.sentence) for each in self.searcher.status().conditions if each.broken}
        new, self._broken = found - self._broken, found
        if new and self._automatic:
            self.indexer.ask(self._present(), check=True)
        self._changed()

    def _worked(self, work: IndexWork) -> None:
        """There is news of the builder: what it could not do may go well later, when there is room, say."""
        if work.state == "failed" or (work.state == "idle" and work.sentence):
            if self._trying is None and self._automatic and not self._closed:
                self._trying = asyncio.get_running_loop().call_later(self._retry, self._try_again)
                self._retry = min(2 * self._retry, LONGEST_RETRY)
        elif work.state == "idle":
            self._retry = RETRY
        self._changed()

    def _try_again(self) -> None:
        self._trying = None
        if self._automatic:
            self.indexer.ask(self._present())

    def _present(self) -> list[Path]:
        """The workspaces that were there when that was looked at the last time."""
        return [each for each in self._roots if self._places.get(each, _THERE) is not None]

    def _built(self, package: str) -> None:
        """An index is new: whoever has opened the old one looks again."""
        log.info("the index of %s is up to date", package)
        if self._caught_up:
            self._spawn(self._quietly(self.searcher.refresh()))

    async def _quietly(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (TacitError, RuntimeError, OSError) as error:
            log.info("not brought up to date: %s", error)


_THERE = 0, 0
_GONE = "There is no folder {} any more: what was indexed of it is searched, and it is followed again once it is back."


def _away(roots: Sequence[Path], folders: Sequence[Path]) -> list[Path]:
    """Those of these workspaces, of folders that are open, that are not there now."""
    opened = [real(each) for each in folders]
    gone = [each for each in roots if not os.path.isdir(each)]  # noqa: PTH112  # Path.is_dir may raise
    return [each for each in gone if any(one.is_relative_to(each) or each.is_relative_to(one) for one in opened)]


def _folders(paths: Sequence[Path]) -> list[Path]:
    """Those that are folders."""
    return [each for each in paths if os.path.isdir(each)]  # noqa: PTH112


def workspaces(folders: Sequence[Path], documents: Sequence[Path]) -> list[Path]:
    """The Lake workspaces that these folders are in, and those below them that a document is open of."""
    from tacit.index.packages import workspace_of

    found: dict[Path, None] = {}
    for folder in folders:
        here = workspace_of(real(folder)) if os.path.isdir(folder) else None  # noqa: PTH112
        if here is not None:
            found[here] = None
    for path in documents:
        if any(path.is_relative_to(each) for each in folders):
            here = workspace_of(real(path))
            if here is not None and any(here.is_relative_to(real(each)) for each in folders):
                found[here] = None
    return list(found)


def real(path: Path) -> Path:
    """The path as indexes have it: without links."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path


def _lean_files(folder: Path) -> list[Path]:
    found = []
    for each in folder.rglob("*.lean"):
        found.append(real(each))
        if len(found) > MOST_FILES:
            break
    return found
