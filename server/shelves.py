"""The open indexes of a workspace: opens them, notices what changes on disk, holds drafts, answers. For one thread.

    with shelves.reading() as library: library.search(…)        one snapshot of everything, newest of all

Nothing here waits for a builder: an index that is missing, of another version or damaged is a sentence, and the others
answer. One that is deleted while it is open answers until there is a new one.
"""

from __future__ import annotations

import itertools
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from tacit.index.files import real_path
from tacit.index.soundness import SUSPICIOUS, is_whole
from tacit.index.source import Import
from tacit.index.store import NewerIndex, OtherSchema, Store, StoreError, is_passing
from tacit.retrieval.access import Access, Header, Modules
from tacit.retrieval.analysis import VERSION
from tacit.retrieval.hybrid import Hybrid, Shelf
from tacit.retrieval.lexical import Lexical
from tacit.retrieval.overlay import Draft, shelve
from tacit.retrieval.premises import WORDS
from tacit.retrieval.premises import Shelf as GoalShelf
from tacit.retrieval.ranker import Ranker
from tacit.server.answers import Condition, Home
from tacit.server.library import AGAIN, Spot, vectors_folder

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How often the folder of vectors is looked at."""
AGAIN_SECONDS = 10.0
"""Seconds after which an index is opened again that could not be read for a reason that may pass: a lock, say."""
PATIENCE = 20
"""Vectors that took a second to open are opened again after so many, while a builder goes on changing them."""
REMEMBERED = 2_000_000
"""Postings of frequent terms that ranking for goals keeps ready beside those of search."""
_editions = itertools.count(1)

T = TypeVar("T")


Place = tuple[int, int]
"""Which file on disk: device and inode."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Vectors that are to be opened: of which index, as it was when they were looked at."""

    spot: Spot
    place: Place
    stamp: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why an index is not open. `state`: as its file was then; `again`: when it is looked at again as it is.

    `broken`: making it anew would help.
    """

    state: tuple[object, ...]
    sentence: str
    broken: bool
    again: float


@dataclass(slots=True)
class _Open:
    """One open index."""

    spot: Spot
    place: Place
    store: Store
    lexical: Lexical
    version: int = 0
    edition: int = field(default_factory=_editions.__next__)
    """Another number for every state of every index."""
    words: Lexical | None = None
    """For goals; made when the first comes."""
    dense: Ranker | None = None
    stamp: tuple[object, ...] = ()
    looked: float = 0.0
    next_load: float = 0.0
    deleted: bool = False
    state: tuple[object, ...] = ()
    """As the file was when it was opened."""
    checked: int = 0
    """The edition of which is known that nothing is wrong with it."""
    name: str = ""
    _links: tuple[int, dict[str, tuple[Import, ...]], dict[int, str]] | None = None

    def shelf(self) -> Shelf:
        return Shelf(self.name or self.spot.package.name, self.store, self.lexical, self.dense)

    def for_goals(self) -> GoalShelf:
        if self.words is None:
            self.words = Lexical(self.store, WORDS, beside=self.lexical, remembered=REMEMBERED)
        return GoalShelf(self.store, self.words, modules=self.modules())

    def hide(self, modules: Sequence[str]) -> None:
        self.lexical.hide(modules)
        if self.words is not None:
            self.words.hide(modules)

    def read_anew(self, version: int) -> None:
        self.version, self.edition = version, next(_editions)
        self.lexical, self.words = Lexical(self.store), None

    def links(self) -> dict[str, tuple[Import, ...]]:
        return self._imports()[1]

    def modules(self) -> dict[int, str]:
        return self._imports()[2]

    def _imports(self) -> tuple[int, dict[str, tuple[Import, ...]], dict[int, str]]:
        if self._links is None or self._links[0] != self.version:
            self._links = self.version, self.store.links(), self.store.modules()
        return self._links


@dataclass(slots=True)
class _Drafted:
    draft: Draft
    index: Path | None
    shelf: Shelf | None
    """None for a file that is there no more, or that holds no premise."""
    edition: int = field(default_factory=_editions.__next__)
    words: Lexical | None = None

    def for_goals(self, like: Lexical | None) -> GoalShelf | None:
        if self.shelf is None:
            return None
        if self.words is None:
            self.words = Lexical(self.shelf.store, WORDS, like, beside=self.shelf.lexical)
        return GoalShelf(self.shelf.store, self.words)


@dataclass(frozen=True, slots=True)
class ForGoals:
    """What premises are ranked from: indexes, the drafts in the place of modules of theirs, who imports whom.

    `indexes` and `drafts` are other numbers when they change. Valid inside `ask` alone.
    """

    indexes: tuple[int, ...]
    drafts: tuple[int, ...]
    indexed: tuple[GoalShelf, ...]
    drafted: tuple[GoalShelf, ...]
    modules: Modules


@dataclass(slots=True)
class Shelves:
    """The indexes of some packages, and the drafts that are newer than they."""

    spots: tuple[Spot, ...] = ()
    _open: dict[Path, _Open] = field(default_factory=dict)
    _drafts: dict[str, _Drafted] = field(default_factory=dict)
    _faults: dict[Path, _Fault] = field(default_factory=dict)
    _hybrid: Hybrid | None = None
    _modules: tuple[object, Modules] | None = None
    conditions: tuple[Condition, ...] = ()
    """As of the last look; replaced as a whole, so that any thread may read it."""

    def arrange(self, spots: Sequence[Spot]) -> None:
        """Search these packages from now on, and no others."""
        self.spots = tuple(spots)
        wanted = {each.index for each in spots}
        for index in [each for each in self._open if each not in wanted]:
            self._shut(index)
        for path in [path for path, each in self._drafts.items() if each.index and each.index not in wanted]:
            self.drop(path)
        self._hybrid = None

    @contextmanager
    def reading(self) -> Iterator[Hybrid]:
        """Everything as it is on disk now; it stays so until the end, whatever builders do meanwhile."""
        self._look()
        try:
            yield self._library()
        finally:
            for each in self._open.values():
                with suppress(sqlite3.Error):
                    each.store.database.rollback()

    def ask(self, question: Callable[[Hybrid], T]) -> T:
        """Answer from all that can be read: an index that turns out to be damaged is left out from then on."""
        with self.reading() as library:
            try:
                return question(library)
            except (StoreError, *SUSPICIOUS) as error:
                log.warning("an index could not be read: %s: %s", type(error).__name__, error)
        self._leave_out_damaged(question)
        with self.reading() as library:
            return question(library)

    @property
    def library(self) -> Hybrid:
        """All that is open. Valid inside `reading` and `ask` alone, as are the next three."""
        return self._library()

    def access(self, header: Header, path: str = "") -> Access:
        """What a file with this header sees; masks are in the order of the library's shelves."""
        own = self.home(Path(path)) if path else None
        return self._imports().access(header, own.module if own else "")

    def for_goals(self) -> ForGoals:
        """Everything as goals need it; with what is made of it for them shared with search where it is the same."""
        order = self._order()
        indexed = [each.for_goals() for each in order]
        self._hide()
        words = {each.spot.index: each.words for each in order}
        drafts = self._drafts.values()
        drafted = [each.for_goals(words.get(each.index) if each.index else None) for each in drafts]
        return ForGoals(
            tuple(each.edition for each in order),
            tuple(each.edition for each in drafts),
            tuple(indexed),
            tuple(each for each in drafted if each is not None),
            self._imports(),
        )

    def _imports(self) -> Modules:
        """Who imports whom."""
        key = (
            *(each.edition for each in self._order()),
            *((each.draft.module, each.draft.imports, each.shelf is None) for each in self._drafts.values()),
        )
        if self._modules is None or self._modules[0] != key:
            links = [each.links() for each in self._order()]  # of drafts even without premises: a file of imports alone
            links += [{each.draft.module: each.draft.imports} for each in self._drafts.values()]
            files = [each.modules() for each in self._order()]
            files += [{1: each.draft.module} for each in self._drafts.values() if each.shelf is not None]
            self._modules = key, Modules(links, files)
        return self._modules[1]

    @contextmanager
    def only(self, access: Access, path: str = "") -> Iterator[None]:
        """Answer from what a file sees, and from the file itself."""
        shelves = self._library().shelves
        try:
            for number, each in enumerate(shelves):
                mask = access.files(number).copy()
                for (file,) in each.store.database.execute("SELECT id FROM files WHERE path = ?", (path,)):
                    mask[file] = True
                each.lexical.only(mask)
            yield
        finally:
            for each in shelves:
                each.lexical.only(None)

    def home(self, path: Path) -> Home | None:
        """The package that a file belongs to; None for one of no package that is searched."""
        best: tuple[int, Home] | None = None
        for spot in self.spots:
            for where in (path, real_path(path)):
                module = spot.package.module_of(where)
                size = len(spot.package.root.parts)
                if module is not None and (best is None or size > best[0]):
                    best = size, Home(spot.package.name, module, spot.index)
        return best[1] if best else None

    @property
    def count(self) -> int:
        """How many declarations are searched."""
        return sum(each.lexical.count for each in self._library().shelves)

    # ------------------------------------------------------------ drafts

    def indexed(self, path: str, digest: str) -> bool:
        """Whether an index has this very text of a file."""
        with self.reading():
            return self._indexed(path, digest)

    def below(self, folder: str) -> list[str]:
        """The files below a folder that the indexes know."""
        start = folder.rstrip("/") + "/"
        query = "SELECT path FROM files WHERE substr(path, 1, ?) = ?"
        with self.reading():
            return [path for (path,) in self._rows(query, (len(start), start))]

    def put(self, draft: Draft, index: Path | None, dense: Ranker | None = None) -> None:
        """Let a text take the place of what the index has of its module."""
        with self.reading():
            if self._indexed(draft.path, draft.digest):
                self.drop(draft.path)
                return
            like = self._open.get(index) if index is not None else None
            shelf = shelve(draft, like.lexical if like else None, dense) if draft.premises else None
            self.drop(draft.path)
            self._drafts[draft.path] = _Drafted(draft, index, shelf)
            self._mask()

    def add_meanings(self, draft: Draft, dense: Ranker) -> None:
        """Let the vectors of a draft take part, if it is still the one."""
        found = self._drafts.get(draft.path)
        if found is not None and found.draft is draft and found.shelf is not None:
            found.shelf = replace(found.shelf, dense=dense)
            self._hybrid = None

    def drop(self, path: str) -> None:
        """What the index has of a file counts again."""
        if found := self._drafts.pop(path, None):
            if found.shelf is not None:
                found.shelf.store.close()
            self._mask()

    @property
    def drafts(self) -> tuple[Draft, ...]:
        """Every draft."""
        return tuple(each.draft for each in self._drafts.values())

    # ------------------------------------------------------------ vectors

    def wanted(self) -> list[Wanted]:
        """The vectors that have changed since they were opened."""
        now = time.monotonic()
        found = []
        for each in self._open.values():
            if now < each.looked + LOOK_SECONDS or now < each.next_load:
                continue
            each.looked = now
            stamp = _stamp(each)
            if stamp and stamp != each.stamp:
                found.append(Wanted(each.spot, each.place, stamp))
        return found

    def look_again(self) -> None:
        """Look at every index and at its vectors, however short a time ago that was."""
        for each in self._open.values():
            each.looked = 0.0
        with self.reading():
            pass

    def attach(self, wanted: Wanted, dense: Ranker | None, seconds: float) -> None:
        """Let vectors take part that took so long to open; None where they cannot be used."""
        each = self._open.get(wanted.spot.index)
        if each is not None and each.place == wanted.place:
            each.stamp = wanted.stamp
            each.next_load = time.monotonic() + PATIENCE * seconds
            if dense is not None:
                each.dense = dense
                self._hybrid = None
                self._describe()

    def close(self) -> None:
        """Give every file back."""
        for index in list(self._open):
            self._shut(index)
        for path in list(self._drafts):
            self.drop(path)

    # ------------------------------------------------------------ inside

    def _library(self) -> Hybrid:
        if self._hybrid is None:
            some = [each.shelf() for each in self._order()]
            some += [each.shelf for each in self._drafts.values() if each.shelf is not None]
            self._hybrid = Hybrid(some)
        return self._hybrid

    def _order(self) -> list[_Open]:
        return [each for spot in self.spots if (each := self._open.get(spot.index))]

    def _look(self) -> None:
        """Open what is new on disk, and begin to read all of it at this moment."""
        changed = False
        for spot in self.spots:
            try:
                changed |= self._look_at(spot)
            except (StoreError, *SUSPICIOUS) as error:
                self._fail(spot, error)
                changed = True
        if changed:
            for path, each in list(self._drafts.items()):
                if self._indexed(path, each.draft.digest):
                    self.drop(path)
            self._mask()
        if changed or not self.conditions:
            self._describe()

    def _look_at(self, spot: Spot) -> bool:
        each = self._open.get(spot.index)
        try:
            status = spot.index.stat()
        except OSError:
            if each is not None and not each.deleted:
                each.deleted = True
                self._begin(each)
                return True
            if each is not None:
                self._begin(each)
            self._faults.pop(spot.index, None)
            return False
        place = status.st_dev, status.st_ino
        known = self._faults.get(spot.index)
        if known is not None and known.state == _state(status) and time.monotonic() < known.again:
            return False
        if each is None or each.place != place or (each.store.fixed and each.state != _state(status)):
            self._shut(spot.index)
            self._open[spot.index] = each = self._reopen(spot, place)
            each.state = _state(status)
            self._faults.pop(spot.index, None)
            each.version = self._begin(each)
            return True
        version = self._begin(each)
        if version == each.version:
            return False
        each.read_anew(version)
        return True

    def _reopen(self, spot: Spot, place: Place) -> _Open:
        store = Store.open(spot.index)
        try:
            store.expect(VERSION)
            return _Open(spot, place, store, Lexical(store), name=store.value("package"))
        except BaseException:
            store.close()
            raise

    def _begin(self, each: _Open) -> int:
        """Begin to read; the version of what is read."""
        database = each.store.database
        if not database.in_transaction:
            database.execute("BEGIN")
        database.execute("SELECT 1 FROM manifest LIMIT 1").fetchone()
        return int(database.execute("PRAGMA data_version").fetchone()[0])

    def _fail(self, spot: Spot, error: Exception) -> None:
        self._shut(spot.index)
        passing = is_passing(error)
        again = time.monotonic() + AGAIN_SECONDS if passing else float("inf")
        with suppress(OSError):
            state = _state(spot.index.stat())
            self._faults[spot.index] = _Fault(state, _sentence(spot, error, passing), not passing, again)

    def _leave_out_damaged(self, question: Callable[[Hybrid], object]) -> None:
        with self.reading():
            opened, whole = dict(self._open), {}
            for index, each in opened.items():
                self._open, self._hybrid = {index: each}, None
                try:
                    question(self._library())
                except (StoreError, sqlite3.Error) as error:
                    self._fail(each.spot, error)
                except SUSPICIOUS as error:
                    if self._is_whole(each):
                        whole[index] = each  # then it is no index that is to blame
                    else:
                        self._fail(each.spot, error)
                else:
                    whole[index] = each
            self._open, self._hybrid = whole, None
            self._describe()

    def _is_whole(self, each: _Open) -> bool:
        """Whether nothing is wrong with an index: all of it is read, once as it stands."""
        with suppress(StoreError):
            if each.checked != each.edition and not is_whole(each.spot.index):
                return False
        each.checked = each.edition
        return True

    def _rows(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """What a query says of all open indexes; those that cannot be read are closed."""
        found: list[tuple[Any, ...]] = []
        for each in list(self._open.values()):
            try:
                found += each.store.database.execute(query, values)
            except SUSPICIOUS as error:
                self._fail(each.spot, error)
                self._describe()
        return found

    def _shut(self, index: Path) -> None:
        if each := self._open.pop(index, None):
            with suppress(sqlite3.Error):
                each.store.close()
            self._hybrid = None

    def _mask(self) -> None:
        self._hide()
        self._hybrid = None
        self._describe()

    def _hide(self) -> None:
        for index, each in list(self._open.items()):
            try:
                each.hide([one.draft.module for one in self._drafts.values() if one.index == index])
            except SUSPICIOUS as error:
                self._fail(each.spot, error)

    def _indexed(self, path: str, digest: str) -> bool:
        rows = self._rows("SELECT digest FROM files WHERE path = ?", (path,))
        return any(found == digest for (found,) in rows) if digest else not rows

    def _describe(self) -> None:
        self.conditions = tuple(self._condition(spot) for spot in self.spots)

    def _condition(self, spot: Spot) -> Condition:
        name, each = spot.package.name, self._open.get(spot.index)
        if each is None:
            fault = self._faults.get(spot.index)
            if fault is None:
                return Condition(name, spot.index, sentence=f"{name} is not indexed yet.")
            return Condition(name, spot.index, sentence=fault.sentence, broken=fault.broken)
        drafts = sum(one.index == spot.index for one in self._drafts.values())
        gone = f"The index of {name} was deleted; what was open answers until it is made again." if each.deleted else ""
        meanings = each.dense is not None
        return Condition(name, spot.index, True, each.lexical.count, meanings, drafts, gone, broken=each.deleted)


def _stamp(each: _Open) -> tuple[object, ...]:
    """Changes when there are other vectors, or other premises; empty where there are no vectors."""
    folder = vectors_folder(each.spot.index)
    try:
        status = (folder / "manifest.json").stat()
        files = sorted(file.name for file in folder.glob("*.faiss"))
    except OSError:
        return ()
    return status.st_ino, status.st_mtime_ns, each.version, *files


def _state(status: os.stat_result) -> tuple[object, ...]:
    """As a file is; another value when it is another, or written to."""
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


def _sentence(spot: Spot, error: Exception, passing: bool) -> str:
    if isinstance(error, NewerIndex):
        return str(error)
    if isinstance(error, OtherSchema):
        said = f"The index of {spot.package.name} was written by another version of Tacit."
    elif isinstance(error, StoreError):
        said = str(error)
    else:
        said = f"The index of {spot.package.name} at {spot.index} cannot be read: {error}."
    return f"{said} Tacit tries again by itself." if passing else f"{said} {AGAIN}"
