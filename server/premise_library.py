"""Finds premises for goals in the indexes of a workspace: opened when first asked, in a thread of its own.

The loop never waits, and of those who ask only the first waits for the opening (half a second for all of Mathlib). An
index that changes is read again before the next answer; one that is missing or damaged is as good as none.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tacit.server.tactics.source import Helpful, SourceRequest

if TYPE_CHECKING:
    from tacit.index.store import Store
    from tacit.retrieval.premises import PremiseRanker, RankedPremise, Shelf

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Opened:
    """An open index: which file it was, which version of it, and what was made of that."""

    file: tuple[int, int]
    store: Store
    version: tuple[object, ...]
    shelf: Shelf


class IndexedPremises:
    """A PremiseFinder over the indexes on disk. `folders` are searched for every file, beside its own workspace."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = tuple(folders)
        self._thread: ThreadPoolExecutor | None = None
        self._opened: dict[Path, _Opened] = {}
        self._ranker: tuple[object, PremiseRanker] | None = None

    async def find(self, request: SourceRequest, limit: int) -> Sequence[Helpful]:
        """The premises that may help most, best first; none where nothing is indexed."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "tacit-premises")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._find, request, limit)

    def _find(self, request: SourceRequest, limit: int) -> Sequence[Helpful]:
        try:
            self._look(request.path)
            if self._ranker is None:
                return ()
            from tacit.retrieval.premises import Place, State

            goal = request.goal
            state = State(goal.target, tuple((name, h.type) for h in goal.hypotheses for name in h.names))
            path = str(request.path) if request.path else ""
            place = Place(request.text[: request.start], declaration=request.declaration or "", path=path)
            ranker = self._ranker[1]
            return [*map(_helpful, ranker.rank(state, place, limit)), *map(_helpful, ranker.definitions(state, place))]
        except (sqlite3.Error, OSError) as error:
            log.info("no premises: %s", error)
            return ()
        finally:
            for each in self._opened.values():
                with suppress(sqlite3.Error):
                    each.store.database.rollback()

    def _look(self, path: Path | None) -> None:
        """Open what is there now, and hold on to it as it is until the answer is given."""
        from tacit.index.packages import workspace_of
        from tacit.retrieval.premises import PremiseRanker
        from tacit.server.library import spots

        workspace = workspace_of(path.resolve()) if path is not None else None
        folders = [*([workspace] if workspace else []), *self._folders]
        wanted = list(dict.fromkeys(spot.index for spot in spots(folders)))
        for index in [each for each in self._opened if each not in wanted]:
            self._opened.pop(index).store.close()
        for index in wanted:
            self._look_at(index)
        found = [self._opened[index] for index in wanted if index in self._opened]
        key = tuple((each.file, each.version) for each in found)
        if not found:
            self._ranker = None
        elif self._ranker is None or self._ranker[0] != key:
            self._ranker = key, PremiseRanker([each.shelf for each in found])

    def _look_at(self, index: Path) -> None:
        from tacit.index.store import Store, StoreError
        from tacit.index.uses import load, uses_file
        from tacit.retrieval.analysis import VERSION
        from tacit.retrieval.lexical import Lexical
        from tacit.retrieval.premises import WORDS, Shelf

        known = self._opened.get(index)
        try:
            status = index.stat()
        except OSError:
            if known is not None:
                self._opened.pop(index).store.close()
            return
        file = status.st_dev, status.st_ino
        if known is not None and known.file != file:
            self._opened.pop(index).store.close()
            known = None
        try:
            store = known.store if known is not None else Store.open(index)
            store.database.execute("BEGIN")
            changes = store.database.execute("PRAGMA data_version").fetchone()[0]
            store.database.execute("SELECT 1 FROM manifest").fetchone()  # from now on it stays as it is
            version = changes, _stamp(uses_file(index))
            if known is not None and known.version == version:
                return
            if store.manifest().analysis != VERSION:
                raise StoreError("it was written by another version of Tacit")
            shelf = Shelf(store, Lexical(store, WORDS), load(uses_file(index)))
            self._opened[index] = _Opened(file, store, version, shelf)
        except (StoreError, sqlite3.Error) as error:
            log.info("no premises from %s: %s", index, error)
            if known is not None:
                self._opened.pop(index).store.close()

    async def aclose(self) -> None:
        """Give every file back."""
        if self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
            self._thread.shutdown(wait=False)
            self._thread = None

    def _close(self) -> None:
        self._ranker = None
        while self._opened:
            self._opened.popitem()[1].store.close()


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
