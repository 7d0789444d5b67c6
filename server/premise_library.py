"""Finds premises for goals in the open indexes that search has, or in indexes opened for goals alone.

The loop never waits. What takes long to make (a third of a second for all of Mathlib: what all proofs name) is made in
another thread than the one that holds the indexes, so that a search never waits for it. An index that changes counts
as it is from the next answer on; one that is missing or damaged is as good as none.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from tacit.index.files import real_path
from tacit.server.answers import Ask, Found
from tacit.server.searcher import SearchClosed, Searcher
from tacit.server.tactics.source import Helpful, SourceRequest

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tacit.index.store import Store
    from tacit.index.uses import Names
    from tacit.retrieval.existing import Existing, Mask, Shelf
    from tacit.retrieval.existing import Names as AllNames
    from tacit.retrieval.experience import Experience
    from tacit.retrieval.premises import Place, PremiseRanker, RankedPremise, State
    from tacit.server.shelves import ForGoals, Shelves

log = logging.getLogger(__name__)

_OPEN_IN = re.compile(r"^\s*open\s+(?:scoped\s+)?([^\n()]*?)\s+in\b", re.MULTILINE)
"""What is opened for one declaration or one tactic."""
TRIES = 3
"""How often an index may change while what its proofs name is read, before an answer goes without premises."""

T = TypeVar("T")


class Run(Protocol):
    """Asks something in the thread that holds the indexes."""

    async def __call__(self, question: Callable[[Shelves], T], /) -> T:
        """The answer."""
        ...


@dataclass(frozen=True, slots=True)
class _Unread:
    """Indexes of which it is to be read what their proofs name: the ids of each and the file beside it."""

    state: tuple[object, ...]
    ids: tuple[npt.NDArray[np.uint32], ...]
    files: tuple[Path, ...]

    def read(self) -> Experience:
        from tacit.index.uses import load
        from tacit.retrieval.experience import Experience

        return Experience(self.ids, [load(each) for each in self.files])


class LibraryPremises:
    """A PremiseFinder over open indexes and the texts that are newer than they."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._reading = asyncio.Lock()
        self._experience: tuple[tuple[object, ...], Experience] | None = None
        # Of the thread that holds the indexes.
        self._names: tuple[tuple[int, ...], Names] | None = None
        self._ranker: tuple[tuple[object, ...], PremiseRanker] | None = None
        self._indexed_names: tuple[tuple[int, ...], dict[int, Shelf], AllNames] | None = None
        self._existing: tuple[tuple[object, ...], Existing] | None = None

    async def find(self, request: SourceRequest, limit: int) -> Sequence[Helpful]:
        """The premises that may help most, best first; none where nothing is indexed."""

        def answer(_: Shelves, ranker: PremiseRanker, state: State, place: Place) -> Sequence[Helpful]:
            return [*map(_helpful, ranker.rank(state, place, limit)), *map(_helpful, ranker.definitions(state, place))]

        return await self._ranked(request, answer)

    async def search(self, request: SourceRequest, ask: Ask, texts: Mapping[str, str]) -> Sequence[Found]:
        """The same premises, as many as `ask` wants, as answers of search; `texts`: open documents by path."""

        def answer(shelves: Shelves, ranker: PremiseRanker, state: State, place: Place) -> Sequence[Found]:
            from tacit.server.asking import placed

            return placed(shelves, ranker.rank(state, place, ask.limit), ask, texts)

        return await self._ranked(request, answer)

    async def _ranked(
        self, request: SourceRequest, answer: Callable[[Shelves, PremiseRanker, State, Place], Sequence[T]]
    ) -> Sequence[T]:
        """What `answer` says once there is a ranker; nothing where nothing is indexed."""
        try:
            for _ in range(TRIES):
                found = await self._run(lambda shelves: self._rank(shelves, request, answer))
                if not isinstance(found, _Unread):
                    return found
                async with self._reading:
                    if self._experience is None or self._experience[0] != found.state:
                        self._experience = found.state, await asyncio.to_thread(found.read)
        except (sqlite3.Error, OSError, SearchClosed) as error:
            log.info("no premises: %s", error)
        return ()

    async def unknown(self, request: SourceRequest, names: Collection[str]) -> Collection[str]:
        """Those of these names that nothing at the place can mean; none where what it imports is not all indexed."""
        if not names:
            return ()
        try:
            return await self._run(lambda shelves: shelves.ask(lambda _: self._unknown(shelves, request, names)))
        except (sqlite3.Error, OSError, SearchClosed) as error:
            log.info("names are not looked up: %s", error)
        return ()

    def _unknown(self, shelves: Shelves, request: SourceRequest, names: Collection[str]) -> Collection[str]:
        from tacit.retrieval.access import header_of
        from tacit.retrieval.existing import Existing, Scope
        from tacit.retrieval.premises import read_above

        found = shelves.for_goals()
        path = real_path(request.path) if request.path is not None else None
        home = shelves.home(path) if path is not None else None
        module = home.module if home is not None else ""
        text, declaration = request.text[: request.start], request.declaration or ""
        here = _OPEN_IN.findall(request.text, request.start, request.at)
        key = found.indexes, found.drafts, found.modules, text, declaration, module, tuple(here)
        if self._existing is None or self._existing[0] != key:
            access = found.modules.access(header_of(text), module)
            if not access.complete:
                return ()
            above, namespace, opens = read_above(text, module)
            around = ".".join(each for each in (namespace, declaration.rpartition(".")[0]) if each)
            opens += tuple(word for part in here for word in part.split())
            scope = Scope(frozenset(each.name for each in above), around, opens)
            self._existing = key, Existing(self._parts(found, access.masks, module), scope)
        return self._existing[1].unknown(names)

    def _parts(self, found: ForGoals, masks: Sequence[Mask], module: str) -> list[tuple[AllNames, Mask]]:
        """The names of all indexes, and those of drafts, with what is seen of each."""
        from tacit.retrieval.existing import Names, Shelf

        if self._indexed_names is None or self._indexed_names[0] != found.indexes:
            old = self._indexed_names[1] if self._indexed_names is not None else {}
            pairs = zip(found.indexes, found.indexed, strict=True)
            kept = {edition: old.get(edition) or Shelf.of(each.store) for edition, each in pairs}
            self._indexed_names = found.indexes, kept, Names(list(kept.values()))
        indexed, drafted = self._indexed_names[2], Names([Shelf.of(each.store) for each in found.drafted])
        count = len(found.indexed)
        own = [_file_of(each.store, module) for each in (*found.indexed, *found.drafted)]
        return [
            (indexed, indexed.mask(masks[:count], own[:count])),
            (drafted, drafted.mask(masks[count:], own[count:])),
        ]

    def _rank(
        self,
        shelves: Shelves,
        request: SourceRequest,
        answer: Callable[[Shelves, PremiseRanker, State, Place], Sequence[T]],
    ) -> Sequence[T] | _Unread:
        from tacit.retrieval.premises import Place, State

        def rank(_: Any) -> Sequence[T] | _Unread:
            ranker = self._ranker_of(shelves.for_goals())
            if ranker is None or isinstance(ranker, _Unread):
                return ranker or ()
            path = real_path(request.path) if request.path is not None else None
            home = shelves.home(path) if path is not None else None
            goal = request.goal
            state = State(goal.target, tuple((name, h.type) for h in goal.hypotheses for name in h.names))
            module = home.module if home is not None else ""
            place = Place(request.text[: request.start], module, request.declaration or "", str(path or ""))
            return answer(shelves, ranker, state, place)

        return shelves.ask(rank)

    def _ranker_of(self, found: ForGoals) -> PremiseRanker | _Unread | None:
        """The ranker; what is to be read before there is one; None where nothing is indexed."""
        from tacit.index.uses import Names, uses_file
        from tacit.retrieval.premises import PremiseRanker

        if not found.indexed and not found.drafted:
            self._names = self._ranker = None
            return None
        files = tuple(uses_file(each.store.path) for each in found.indexed)
        state = found.indexes, *map(_stamp, files)
        if self._experience is None or self._experience[0] != state:
            return _Unread(state, tuple(each.lexical.columns().ids for each in found.indexed), files)
        key = state, found.drafts, found.modules
        if self._ranker is None or self._ranker[0] != key:
            if self._names is None or self._names[0] != found.indexes:
                self._names = found.indexes, Names.asked([each.store for each in found.indexed])
            experience, names = self._experience[1], self._names[1]
            ranker = PremiseRanker(
                found.indexed, found.drafted, modules=found.modules, names=names, experience=experience
            )
            self._ranker = key, ranker
        return self._ranker[1]


class IndexedPremises:
    """A PremiseFinder with indexes of its own: of each file's workspace, of `folders`, and of its Lean.

    `lean` is what the settings name as Lean.
    """

    def __init__(self, folders: Sequence[Path] = (), *, lean: str = "") -> None:
        self._folders = tuple(folders)
        self._lean = lean
        self._searcher = Searcher()
        self._library = LibraryPremises(self._searcher.run)
        self._arranged: list[Path] | None = None

    async def find(self, request: SourceRequest, limit: int) -> Sequence[Helpful]:
        """The premises that may help most, best first; none where nothing is indexed."""
        await self._arrange(request)
        return await self._library.find(request, limit)

    async def unknown(self, request: SourceRequest, names: Collection[str]) -> Collection[str]:
        """Those of these names that nothing at the place can mean."""
        await self._arrange(request)
        return await self._library.unknown(request, names)

    async def _arrange(self, request: SourceRequest) -> None:
        workspace = await asyncio.to_thread(_workspace, request.path) if request.path is not None else None
        folders = [*([workspace] if workspace is not None else []), *self._folders]
        if folders != self._arranged:
            self._searcher.arrange(folders, everything=True, lean=self._lean)
            self._arranged = folders

    async def aclose(self) -> None:
        """Give every file back."""
        await self._searcher.aclose()


def _file_of(store: Store, module: str) -> int | None:
    found = store.file(module)
    return found.id if found is not None else None


def _workspace(path: Path) -> Path | None:
    from tacit.index.packages import workspace_of

    return workspace_of(real_path(path))


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _helpful(each: RankedPremise) -> Helpful:
    from tacit.index.premise import Kind

    premise = each.premise
    return Helpful(
        each.written,
        f"{premise.context} {premise.binders} : {premise.type}".strip(),
        each.score,
        defined=premise.kind is Kind.DEF,
        deprecated=any(one.startswith("deprecated") for one in premise.attributes),
    )
