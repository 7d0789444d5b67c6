"""Makes and updates an index from Lean files. One builder at a time; whoever reads meanwhile sees the old index.

A new index grows in a file beside its place and takes the place when it is whole. An update is one transaction. Killed
at any moment, either leaves the old index as it was.
"""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tacit.index import postings
from tacit.index.known import Known
from tacit.index.notes import notes
from tacit.index.premise import Premise
from tacit.index.reader import in_import_order, read_file, survey
from tacit.index.source import Problem, Reading, Source
from tacit.index.store import SCHEMA_VERSION, Busy, File, NoIndex, OtherSchema, Store, StoreError

SMALL = 4096
"""Premises of a segment that an update may pack again with others."""
MOST_SMALL = 8
"""Small segments that are kept before they are packed into one."""

MANY = 1000
"""Files to read that make a second process pay."""

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


def build(path: Path, corpus: Corpus, analysis: Analysis, progress: Progress, *, anew: bool = False) -> Built:
    """Bring the index at `path` up to date with the files; make it where there is none, or none that can be used.

    Raises Busy where somebody else is at it, StoreError where nothing can be written.
    """
    with _alone(path):
        try:
            if not anew and _usable(path, corpus, analysis):
                return _update(path, corpus, analysis, progress)
            return _make(path, corpus, analysis, progress)
        except OSError as error:
            raise StoreError(f"The index at {path} was not written: {error.strerror or error}.") from error
        except sqlite3.Error as error:
            raise StoreError(f"The index at {path} was not written: {error}.") from error


def _usable(path: Path, corpus: Corpus, analysis: Analysis) -> bool:
    try:
        store = Store.open(path)
    except (NoIndex, OtherSchema, StoreError):
        return False
    try:
        found = store.manifest()
    finally:
        store.close()
    return found.schema == SCHEMA_VERSION and found.analysis == analysis.version and found.root == str(corpus.root)


def _make(path: Path, corpus: Corpus, analysis: Analysis, progress: Progress) -> Built:
    growing = path.with_name(path.name + ".new")
    _remove(growing)
    store = Store.create(growing, careful=False)
    try:
        done = _enter(store, corpus, analysis, progress)
        done.fresh = True
        store.database.commit()
        store.database.execute("PRAGMA journal_mode = WAL")  # so that later updates do not wait for readers
    except BaseException:
        store.close()
        _remove(growing)
        raise
    store.close()
    with growing.open("rb") as file:
        os.fsync(file.fileno())
    for suffix in ("-wal", "-shm"):  # of the old index: they must not be taken for the new one's
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    growing.replace(path)
    return done


def _update(path: Path, corpus: Corpus, analysis: Analysis, progress: Progress) -> Built:
    store = Store.change(path)
    try:
        store.database.execute("BEGIN IMMEDIATE")
        done = _enter(store, corpus, analysis, progress)
        _gather(store, analysis)
        store.database.commit()
    except BaseException:
        store.database.rollback()
        raise
    finally:
        store.close()
    return done


def _enter(store: Store, corpus: Corpus, analysis: Analysis, progress: Progress) -> Built:
    """Read what is new or changed, in import order, and forget what is gone."""
    known_files = store.files()
    stamps = {source.module: _stamp(source.path) for source in corpus.sources}
    changed = [
        source
        for source in corpus.sources
        if not stamps[source.module]
        or source.module not in known_files
        or known_files[source.module].stamp != stamps[source.module]
        or known_files[source.module].path != str(source.path)
    ]
    done = Built(unchanged=len(corpus.sources) - len(changed))
    gone = [each.id for module, each in known_files.items() if module not in stamps]
    ready = []
    for place, each in enumerate(survey(changed)):
        progress("looking at files", place, len(changed))
        if isinstance(each, Problem):
            done.problems.append(each)
            continue
        before = known_files.get(each.source.module)
        if before and before.digest == each.digest and before.path == str(each.source.path):
            store.touch(before.id, stamps[each.source.module])
            done.unchanged += 1
        else:
            ready.append(each)
            if before:
                gone.append(before.id)
    done.removed = len(gone)
    store.remove(gone)
    known = _known(store)
    with _packer(store, analysis, apart=len(ready) > MANY) as packer:
        for place, surveyed in enumerate(in_import_order(ready)):
            progress("reading", place, len(ready))
            reading = read_file(surveyed.source, known)
            done.problems += reading.problems
            done.premises += len(reading.premises)
            done.read += 1
            packer.add(_put(store, reading, stamps[surveyed.source.module]))
        progress("writing", len(ready), len(ready))
    if ready:
        store.set_manifest(known=json.dumps(known.to_json(), ensure_ascii=False))
    store.set_manifest(
        schema=SCHEMA_VERSION,
        analysis=analysis.version,
        package=corpus.name,
        root=str(corpus.root),
        revision=corpus.revision,
        toolchain=corpus.toolchain,
    )
    return done


def _known(store: Store) -> Known:
    def find(name: str) -> Premise | None:
        found = store.named(name)
        return found[0].premise if found else None

    try:
        return Known.from_json(json.loads(store.value("known") or "{}"), find)
    except (ValueError, KeyError, TypeError):
        return Known(find=find)


def _put(store: Store, reading: Reading, stamp: str) -> list[postings.Entry]:
    problem = reading.problems[0].message if reading.problems else ""
    file = File(0, reading.module, reading.path, reading.digest, stamp, problem)
    number = store.put_file(file, [each.module for each in reading.imports])
    said: dict[str, str] = {}
    with suppress(OSError):
        text = Path(reading.path).read_text(encoding="utf-8", errors="replace")
        said = notes(text, [each.name for each in reading.premises])
    return store.put(number, reading.premises, said)


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns}-{found.st_size}"


# ---------------------------------------------------------------- segments


class _Packer:
    """Packs segments in another process while reading goes on, or in this one where there is little to pack."""

    def __init__(self, store: Store, analysis: Analysis, pool: ProcessPoolExecutor | None) -> None:
        self._store = store
        self._analysis = analysis
        self._pool = pool
        self._waiting: list[postings.Entry] = []
        self._under_way: list[Future[postings.Packed]] = []

    def add(self, entries: Sequence[postings.Entry]) -> None:
        self._waiting += entries
        while len(self._waiting) >= postings.LARGEST:
            self._flush()
        while self._under_way and self._under_way[0].done():
            postings.write(self._store.database, self._under_way.pop(0).result())

    def finish(self) -> None:
        while self._waiting:
            self._flush()
        while self._under_way:
            postings.write(self._store.database, self._under_way.pop(0).result())

    def _flush(self) -> None:
        some, self._waiting = self._waiting[: postings.LARGEST], self._waiting[postings.LARGEST :]
        if self._pool is None:
            postings.write(self._store.database, postings.pack(some, self._analysis.analyse))
        else:
            self._under_way.append(self._pool.submit(postings.pack, some, self._analysis.analyse))


@contextmanager
def _packer(store: Store, analysis: Analysis, *, apart: bool) -> Iterator[_Packer]:
    # Spawned, not forked: a copy of this process would hold its lock and its terminal.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(1, context, _end_with, (os.getpid(),)) if apart and (os.cpu_count() or 1) > 1 else None
    packer = _Packer(store, analysis, pool)
    try:
        yield packer
        packer.finish()
    finally:
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)


def _end_with(parent: int) -> None:
    """In a worker: let the builder handle Ctrl-C, and do not outlive it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


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
def _alone(path: Path) -> Iterator[None]:
    """Hold the right to write this index. The kernel gives it back, however this process ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(f"No index can be written in {path.parent}: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Busy(f"Another process is building the index at {path}; the old one answers until then.") from error
        yield
    finally:
        os.close(lock)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
