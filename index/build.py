"""Makes and updates an index from Lean files. One builder at a time; whoever reads meanwhile sees the old index.

A new index grows in a file beside its place and takes the place when it is whole. An update is one transaction. Killed
at any moment, either leaves the old index as it was.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from tacit.index import postings
from tacit.index.affected import Bits, Changes, View, packed, unpacked
from tacit.index.folders import make_folder
from tacit.index.known import Facts, Known, keys_of
from tacit.index.leandojo import digest_of, lines_of, read_lines
from tacit.index.notes import of_names
from tacit.index.packages import is_corpus
from tacit.index.premise import Premise
from tacit.index.reader import Looked, Surveyed, finish, look, look_at, survey
from tacit.index.soundness import SUSPICIOUS, Check, is_whole
from tacit.index.source import Problem, Reading, Source
from tacit.index.store import (
    SCHEMA_VERSION,
    Busy,
    File,
    NewerIndex,
    Store,
    StoreError,
    is_locked,
    is_newer,
    is_passing,
)
from tacit.index.titles import lists_stamp, titles
from tacit.index.workers import Crew, WorkerDied, allowed

SMALL = 4096
"""Premises of a segment that an update may pack again with others."""
MOST_SMALL = 8
"""Small segments that are kept before they are packed into one."""

MANY = 200
"""Files to read that make other processes pay."""
CHUNK = 16
"""Files that a worker reads at a time."""

READING = "4"
"""Changes with whatever changes what is read of the same files: an index of another reading is made anew."""

Progress = Callable[[str, int, int], None]
"""What goes on, how many are done, of how many."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """The Lean files of a package, and what the manifest is to say of it."""

    name: str
    root: Path
    sources: tuple[Source, ...]
    revision: str = ""
    toolchain: str = ""


@dataclass(frozen=True, slots=True)
class Analysis:
    """How texts become words; another `version` means that an index must be made anew."""

    version: str
    analyse: postings.Analyse


@dataclass(slots=True)
class Built:
    """What a builder did."""

    read: int = 0
    unchanged: int = 0
    removed: int = 0
    premises: int = 0
    fresh: bool = False
    problems: list[Problem] = field(default_factory=list)


def build(
    path: Path,
    corpus: Corpus,
    analysis: Analysis,
    progress: Progress,
    *,
    anew: bool = False,
    check: Check = Check.NONE,
) -> Built:
    """Bring the index at `path` up to date with the files; make it where there is none, or none that can be used.

    It is looked at by `check` first, and made anew where anything is wrong with it. Raises Busy where somebody else
    is at it, StoreError where nothing can be written.
    """
    with alone(path):
        _leave_newer(path, analysis)
        try:
            if not anew and _usable(path, corpus, analysis) and is_whole(path, check):
                try:
                    return _update(path, corpus, analysis, progress)
                except SUSPICIOUS as error:
                    if is_passing(error) or is_whole(path):
                        raise
            return _make(path, corpus, analysis, progress)
        except OSError as error:
            raise StoreError(f"The index at {path} was not written: {error.strerror or error}.") from error
        except sqlite3.Error as error:
            if is_locked(error):
                raise Busy(f"The index at {path} was not written: another process has locked it.") from error
            raise StoreError(f"The index at {path} was not written: {error}.") from error
        except UnicodeEncodeError as error:
            raise StoreError(f"{str(corpus.root)!a} is no UTF-8, and so nothing there can be indexed.") from error
        except WorkerDied as error:
            raise StoreError(
                f"The index at {path} was not written: a process that helped to read ended, perhaps for want of memory."
            ) from error


def _leave_newer(path: Path, analysis: Analysis) -> None:
    """Raise NewerIndex where a newer Tacit wrote the index: the two would make it anew after each other for ever."""
    try:
        store = Store.open(path)
    except NewerIndex:
        raise
    except StoreError:
        return
    try:
        said = {"analysis": analysis.version, "reading": READING}
        if any(is_newer(store.value(key), ours) for key, ours in said.items()):
            raise NewerIndex(path)
    except SUSPICIOUS:
        return
    finally:
        store.close()


def _usable(path: Path, corpus: Corpus, analysis: Analysis) -> bool:
    try:
        store = Store.open(path)
    except Busy:
        raise
    except StoreError:
        return False
    try:
        found, reading = store.manifest(), store.value("reading")
    except SUSPICIOUS as error:
        if is_passing(error):
            raise
        return False
    finally:
        store.close()
    return (
        reading == READING
        and found.schema == SCHEMA_VERSION
        and found.analysis == analysis.version
        and found.root == str(corpus.root)
    )


def _make(path: Path, corpus: Corpus, analysis: Analysis, progress: Progress) -> Built:
    growing = path.with_name(path.name + ".new")
    remove_store(growing)
    try:
        store = Store.create(growing, careful=False)
    except BaseException:
        remove_store(growing)
        raise
    try:
        done = _enter(store, corpus, analysis, progress)
        done.fresh = True
        store.database.commit()
        store.database.execute("PRAGMA journal_mode = WAL")  # so that later updates do not wait for readers
    except BaseException:
        store.close()
        remove_store(growing)
        raise
    store.close()
    take_place(growing, path)
    return done


def take_place(growing: Path, path: Path) -> None:
    """Let a new index that is whole, and closed, take the place of the old one."""
    with growing.open("rb") as file:
        os.fsync(file.fileno())
    for suffix in ("-wal", "-shm"):  # of the old index: they must not be taken for the new one's
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    growing.replace(path)


def _update(path: Path, corpus: Corpus, analysis: Analysis, progress: Progress) -> Built:
    remove_store(path.with_name(path.name + ".new"))  # of a builder that was killed
    store = Store.change(path)
    try:
        store.database.execute("BEGIN IMMEDIATE")
        done = _enter(store, corpus, analysis, progress)
        _gather(store, analysis)
        store.database.commit()
    except BaseException:
        with suppress(sqlite3.Error):  # what it cannot take back, SQLite takes back at the next opening
            store.database.rollback()
        raise
    finally:
        store.close()
    return done


def _enter(store: Store, corpus: Corpus, analysis: Analysis, progress: Progress) -> Built:
    """Read what is new or changed and what that concerns, in import order, and forget what is gone."""
    if is_corpus(corpus.root):
        done = _enter_corpus(store, corpus, analysis, progress)
    else:
        done = _enter_files(store, corpus, analysis, progress)
    store.set_manifest(
        schema=SCHEMA_VERSION,
        analysis=analysis.version,
        reading=READING,
        package=corpus.name,
        root=str(corpus.root),
        revision=corpus.revision,
        toolchain=corpus.toolchain,
    )
    return done


def _enter_corpus(store: Store, corpus: Corpus, analysis: Analysis, progress: Progress) -> Built:
    """Bring in what LeanDojo wrote of other files: a line for each. Lines that are there already are not read again."""
    stamp = file_stamp(corpus.root)
    known_files = {(each.module, each.digest): each for each in store.files().values()}
    if stamp and store.value("stamp") == stamp:
        return Built(unchanged=len(known_files))
    lines = list(lines_of(corpus.root))
    known = {digest for _, digest in known_files}
    new = [each for each in lines if digest_of(each) not in known]
    there = {digest_of(each) for each in lines}
    gone = [each for (_, digest), each in known_files.items() if digest not in there]
    done = Built(unchanged=len(lines) - len(new), removed=len(gone))
    store.remove([each.id for each in gone])
    modules = set(store.files())
    chunks = [new[start : start + CHUNK] for start in range(0, len(new), CHUNK)]
    with Crew(allowed() if len(new) > MANY and allowed() > 1 else 0) as crew:
        packer = _Packer(_Reading(store, corpus, analysis, crew, progress, done, {}))
        for reading in chain.from_iterable(crew.ordered(read_lines, chunks)):
            progress("reading", done.read, len(new))
            done.problems += reading.problems
            if reading.module in modules:
                done.problems.append(Problem(reading.path, "It stands in the corpus twice; the first one counts."))
            elif reading.module:
                modules.add(reading.module)
                done.read += 1
                done.premises += len(reading.premises)
                packer.add(_put(store, reading, Looked(Source(reading.module, Path(reading.path))), {}, "", {}, b""))
        progress("packing words", 0, 1)
        packer.finish()
    if not modules and lines:
        raise StoreError(f"{corpus.root} is no corpus of LeanDojo's: {done.problems[0].message}")
    store.set_manifest(stamp=stamp)
    return done


def _enter_files(store: Store, corpus: Corpus, analysis: Analysis, progress: Progress) -> Built:
    known_files = store.files()
    listed = {source.module for source in corpus.sources}
    away = [Source(each.module, Path(each.path)) for each in known_files.values() if each.module not in listed]
    # What may not be looked at just now, behind a folder that is closed, is not gone: the old reading answers.
    corpus = replace(corpus, sources=(*corpus.sources, *(each for each in away if _is_withheld(each.path))))
    stamps = {source.module: _stamp(source) for source in corpus.sources}
    changed = [
        source
        for source in corpus.sources
        if not stamps[source.module]
        or source.module not in known_files
        or known_files[source.module].stamp != stamps[source.module]
        or known_files[source.module].path != str(source.path)
    ]
    done = Built(unchanged=len(corpus.sources) - len(changed))
    gone = [module for module in known_files if module not in stamps]
    ready: dict[str, Surveyed] = {}
    with Crew(allowed() if len(changed) > MANY and allowed() > 1 else 0) as crew:
        for place, each in enumerate(survey(changed)):
            progress("looking at files", place, len(changed))
            if isinstance(each, Problem):
                done.problems.append(each)
                continue
            before = known_files.get(each.source.module)
            now = stamps[each.source.module]
            same = before is not None and before.digest == each.digest and before.path == str(each.source.path)
            if before is not None and same and _compiled(before.stamp) == _compiled(now):
                store.touch(before.id, now)
                done.unchanged += 1
            else:
                ready[each.source.module] = each
        if ready or gone:
            _read(_Reading(store, corpus, analysis, crew, progress, done, stamps), known_files, ready, gone)
    return done


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the parts of one build share."""

    store: Store
    corpus: Corpus
    analysis: Analysis
    crew: Crew
    progress: Progress
    done: Built
    stamps: Mapping[str, str]


def _read(job: _Reading, known_files: Mapping[str, File], ready: Mapping[str, Surveyed], gone: Sequence[str]) -> None:
    store, done = job.store, job.done
    was = store.imports()
    imports: dict[str, tuple[str, ...]] = {}
    for source in job.corpus.sources:
        if source.module in ready:
            imports[source.module] = tuple(each.module for each in ready[source.module].imports)
        elif source.module in was:
            imports[source.module] = was[source.module]
    bits = Bits()
    old = View(was, bits)
    new = View(imports, bits) if imports != was else old
    changes = Changes(old, new, bits)
    known = known_of(store)
    before: dict[str, _Before] = {}
    forgotten = [known_files[each] for each in (*gone, *ready) if each in known_files]
    for file in forgotten:
        before[file.module] = _before(store, known, file)
        known.forget(file.module)
    for module in gone:
        changes.add(module, before[module].keys)
    done.removed = len(forgotten)
    store.remove([each.id for each in forgotten])
    packer = _Packer(job)
    order = [module for module in new.order if module in ready]
    texts = _looked(job, [ready[module].source for module in order])
    sources = {each.module: each for each in job.corpus.sources}
    called = _titles(store, job.corpus.root)
    number = 0
    for module in new.order:
        if module in ready:
            job.progress("reading", number, len(ready))
            number += 1
            looked = next(texts)
        elif known_files and _is_concerned(store, known, known_files[module], changes):
            looked = look(sources[module])
            if looked.digest != known_files[module].digest:
                continue  # it changes at this very moment: the next update reads it
            before[module] = _before(store, known, known_files[module])
        else:
            continue
        reading = finish(looked, known, new.sees(module))
        taught = known.taught(module)
        if known_files:
            found = before.get(module, _Before())
            keys = set(_changed(found.facts, keys_of(taught)))
            keys.update(_changed_names(found.names, reading.premises))
            changes.add(module, keys)
            if module not in ready:
                store.remove([known_files[module].id])
        done.problems += reading.problems
        done.premises += len(reading.premises)
        done.read += 1
        # What could be looked at a moment ago and now cannot is looked at again the next time.
        stamp = job.stamps[module] if looked.text is not None else ""
        packer.add(_put(store, reading, looked, called, stamp, taught, packed(known.asked)))
    job.progress("packing words", 0, 1)
    packer.finish()
    job.progress("writing", 1, 1)


def _looked(job: _Reading, sources: Sequence[Source]) -> Iterator[Looked]:
    chunks = [sources[start : start + CHUNK] for start in range(0, len(sources), CHUNK)]
    return chain.from_iterable(job.crew.ordered(look_at, chunks))


@dataclass(frozen=True, slots=True)
class _Before:
    """What a file said when it was read the last time: what it taught, and the digests of its premises by name."""

    facts: Mapping[str, Set[str]] = field(default_factory=dict)
    names: Mapping[str, Set[str]] = field(default_factory=dict)

    @property
    def keys(self) -> set[str]:
        """All that others may have asked for."""
        return {*self.facts, *("d" + name.rpartition(".")[2] for name in self.names)}


def _before(store: Store, known: Known, file: File) -> _Before:
    return _Before(keys_of(known.taught(file.module)), store.names(file.id))


def _changed(before: Mapping[str, Set[str]], after: Mapping[str, Set[str]]) -> Iterator[str]:
    for key in before.keys() | after.keys():
        if before.get(key) != after.get(key):
            yield key


def _changed_names(before: Mapping[str, Set[str]], premises: Sequence[Premise]) -> Iterator[str]:
    after: dict[str, set[str]] = {}
    for each in premises:
        after.setdefault(each.name, set()).add(each.digest)
    return ("d" + name.rpartition(".")[2] for name in _changed(before, after))


def _is_concerned(store: Store, known: Known, file: File, changes: Changes) -> bool:
    """Whether a file whose text is the same asks for something to which the answer is another now."""
    keys, modules = changes.concerned(file.module)
    if not keys and not modules:
        return False
    asked = unpacked(store.asked(file.id))
    if any(not asked.isdisjoint(each) for each in keys):
        return True
    for module in modules:  # it sees them now, or did before, and they are what they were
        other = store.file(module)
        taught = keys_of(known.taught(module)).keys()
        names = store.names(other.id) if other is not None else ()
        if not asked.isdisjoint(unpacked(packed({*taught, *("d" + name.rpartition(".")[2] for name in names)}))):
            return True
    return False


def known_of(store: Store) -> Known:
    """What all the files of a store taught, for reading one more; good for as long as the store is open."""
    known = Known(lambda name: [each.premise for each in store.named(name)])
    for module, facts in store.taught():
        known.enter(module, facts)
    return known


def _titles(store: Store, root: Path) -> Mapping[str, str]:
    """What the package's lists call its declarations; they are parsed when they change. Files read before stay."""
    now = lists_stamp(root)
    if not now:
        return {}
    known: dict[str, str]
    before, known = json.loads(store.value("titles") or '["", {}]')
    if before != now:
        known = titles(root)
        store.set_manifest(titles=json.dumps([now, known], ensure_ascii=False).encode("utf-8", "replace").decode())
    return known


def _put(
    store: Store,
    reading: Reading,
    looked: Looked,
    called: Mapping[str, str],
    stamp: str,
    taught: Facts,
    asked: bytes,
) -> list[postings.Entry]:
    problem = reading.problems[0].message if reading.problems else ""
    file = File(0, reading.module, reading.path, reading.digest, stamp, problem)
    number = store.put_file(file, [each.mark for each in reading.imports])
    store.put_reading(number, taught, asked, looked.uses)
    said = of_names(looked.notes, [each.name for each in reading.premises])
    for each in reading.premises:
        if title := called.get(each.name):
            said[each.name] = f"{title}. {said.get(each.name, '')}".strip()
    return store.put(number, reading.premises, said)


def _is_withheld(path: Path) -> bool:
    """Whether nobody can say that there is such a file, nor that there is none."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return False


def _stamp(source: Source) -> str:
    """Time and size of a file, and of what Lean wrote of it."""
    found = file_stamp(source.path)
    return f"{found}+{file_stamp(source.ilean)}" if found and source.ilean is not None else found


def file_stamp(path: Path | str) -> str:
    """Time and size of a file, as a stamp in the store begins; empty where it cannot be looked at."""
    try:
        found = os.stat(path)  # noqa: PTH116  # thousands of them: twice as fast as through Path
    except OSError:
        return ""
    return f"{found.st_mtime_ns}-{found.st_size}"


def _compiled(stamp: str) -> str:
    return stamp.partition("+")[2]


# ---------------------------------------------------------------- segments


class _Packer:
    """Has segments packed while reading goes on, and writes them in order."""

    def __init__(self, job: _Reading) -> None:
        self._job = job
        self._waiting: list[postings.Entry] = []
        self._under_way: deque[Future[postings.Packed]] = deque()

    def add(self, entries: Sequence[postings.Entry]) -> None:
        self._waiting += entries
        while len(self._waiting) >= postings.LARGEST:
            self._flush(postings.LARGEST)
        while self._under_way and self._under_way[0].done():
            self._write()

    def finish(self) -> None:
        # The last one in as many parts as there are workers, so that none is idle.
        parts = self._job.crew.size if len(self._waiting) > SMALL * max(1, self._job.crew.size) else 1
        size = max(1, -(-len(self._waiting) // max(1, parts)))
        while self._waiting:
            self._flush(size)
        while self._under_way:
            self._write()

    def _flush(self, size: int) -> None:
        some, self._waiting = self._waiting[:size], self._waiting[size:]
        self._under_way.append(self._job.crew.submit(postings.pack, some, self._job.analysis.analyse))

    def _write(self) -> None:
        postings.write(self._job.store.database, self._under_way.popleft().result())


def _gather(store: Store, analysis: Analysis) -> None:
    """Pack many small segments into one."""
    small = [each for each in postings.segments(store.database) if each.alive.sum() <= SMALL]
    if len(small) <= MOST_SMALL:
        return
    entries = []
    for each in small:
        files = dict(zip(each.ids.tolist(), each.files.tolist(), strict=True))
        entries += [
            postings.Entry(found.id, files[found.id], found.premise, found.note)
            for found in store.get(each.ids[each.alive].tolist())
        ]
        postings.drop(store.database, each.id)
    for start in range(0, len(entries), postings.LARGEST):
        packed = postings.pack(entries[start : start + postings.LARGEST], analysis.analyse)
        postings.write(store.database, packed)


# ---------------------------------------------------------------- files


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the right to write this index. The kernel gives it back, however this process ends."""
    try:
        make_folder(path.parent)
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        where = f"No index can be written in {path.parent}: {error.strerror}"
        raise StoreError(f"{where}; TACIT_CACHE names another folder.") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Busy(f"Another process is building the index at {path}; the old one answers until then.") from error
        yield
    finally:
        os.close(lock)


def is_being_made(path: Path) -> bool:
    """Whether somebody is making an index here, in the place of none or of an old one."""
    try:
        path.with_name(path.name + ".new").stat()
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def remove_store(path: Path) -> None:
    """Take away a database and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
