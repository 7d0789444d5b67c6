"""One database file with every premise of a package, its words and a manifest. Opens, reads; `build` writes.

A database that is being written answers from what it held before, and one whose writer was killed goes back to it by
itself (SQLite's write-ahead log). Premises keep their ids until their file changes.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tacit.index import postings
from tacit.index.folders import make_folder
from tacit.index.premise import Kind, Origin, Premise
from tacit.index.source import Import

SCHEMA_VERSION = "1"
_SEPARATOR = "\x1e"
_COLUMNS = (
    *("name", "kind", "module", "line", "type", "binders", "context", "doc", "value", "attributes", "namespace"),
    *("opens", "private", "protected", "origin", "made_from", "start", "body", "stop"),
)
_SCHEMA = f"""
CREATE TABLE manifest(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files(
  id INTEGER PRIMARY KEY, module TEXT NOT NULL UNIQUE, path TEXT NOT NULL, digest TEXT NOT NULL, stamp TEXT NOT NULL,
  imports TEXT NOT NULL, problem TEXT NOT NULL);
CREATE TABLE readings(
  file INTEGER PRIMARY KEY, taught TEXT NOT NULL, asked BLOB NOT NULL, uses BLOB NOT NULL);
CREATE TABLE premises(
  id INTEGER PRIMARY KEY AUTOINCREMENT, file INTEGER NOT NULL, digest TEXT NOT NULL, note TEXT NOT NULL,
  {", ".join(_COLUMNS)});
CREATE INDEX premises_name ON premises(name);
CREATE INDEX premises_file ON premises(file);
{postings.SCHEMA}
"""


class StoreError(Exception):
    """An index that cannot be used; the message is one sentence that says why."""


class NoIndex(StoreError):
    """There is no index here yet."""


class OtherSchema(StoreError):
    """The index was written by another version of Tacit: it is to be built again."""


class NewerIndex(OtherSchema):
    """A newer Tacit wrote the index: it is left as it is, for that one."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"The index at {path} was written by a newer version of Tacit and is left as it is: use that one, "
            "or remove it with `tacit index remove`."
        )


class Busy(StoreError):
    """Somebody else is writing this index."""


_PASSING = ("BUSY", "LOCKED", "CANTOPEN", "IOERR", "NOMEM", "FULL", "PERM", "READONLY", "PROTOCOL", "INTERRUPT")


def is_passing(error: BaseException) -> bool:
    """Whether the same may go well later, with the same file: it is locked, or there is no room, memory or right."""
    name = getattr(error, "sqlite_errorname", "")
    if not name and isinstance(error, StoreError) and error.__cause__ is not None:
        return is_passing(error.__cause__)
    return name.startswith(tuple(f"SQLITE_{each}" for each in _PASSING))


def is_locked(error: BaseException) -> bool:
    """Whether another process has locked the file."""
    return is_passing(error) and getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


READ_WAIT = 2.0
"""Seconds that a reader waits for a lock. Tacit's own processes lock no reader out."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index says of itself."""

    schema: str
    analysis: str = ""
    """Which rules made words of texts."""
    package: str = ""
    root: str = ""
    revision: str = ""
    toolchain: str = ""
    encoder: str = ""
    files: int = 0
    premises: int = 0


@dataclass(frozen=True, slots=True)
class File:
    """A file that was read: `digest` of its content, `stamp` of its time and size; `problem`: what was wrong."""

    id: int
    module: str
    path: str
    digest: str
    stamp: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """A premise as the store has it: `path` is its file, `note` what its module's introduction says."""

    id: int
    premise: Premise
    path: str
    digest: str
    note: str = ""


class Store:
    """An open index. For one thread; several stores may read the same file."""

    def __init__(self, path: Path, database: sqlite3.Connection, *, fixed: bool = False) -> None:
        self.path = path
        self.database = database
        self.fixed = fixed
        """Whether it was opened as a file that nobody changes, because nothing can be written beside it."""

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open for reading. Raises NoIndex, OtherSchema, Busy or StoreError."""
        if not path.is_file():
            raise NoIndex(f"There is no index at {path}.")
        try:
            database, found, fixed = _open(path)
        except (sqlite3.Error, ValueError) as error:  # text that is no UTF-8 is the latter
            if is_locked(error):
                raise Busy(f"The index at {path} cannot be read: another process has locked it.") from error
            raise StoreError(f"The index at {path} cannot be read: {error}.") from error
        if found.get("schema") != SCHEMA_VERSION:
            database.close()
            if is_newer(found.get("schema", ""), SCHEMA_VERSION):
                raise NewerIndex(path)
            raise OtherSchema(f"The index at {path} was written by another version of Tacit and must be built again.")
        return cls(path, database, fixed=fixed)

    @classmethod
    def create(cls, path: Path, *, careful: bool = True) -> Store:
        """An empty index that nobody else knows yet. Not `careful`: fast, and lost if this process or machine dies.

        Raises StoreError.
        """
        try:
            make_folder(path.parent)
            database = sqlite3.connect(path, timeout=10)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"No index can be written at {path}: {error}.") from error
        try:
            database.execute("PRAGMA journal_mode = WAL" if careful else "PRAGMA journal_mode = MEMORY")
            database.execute("PRAGMA synchronous = NORMAL" if careful else "PRAGMA synchronous = OFF")
            database.executescript(_SCHEMA)
        except sqlite3.Error as error:
            database.close()
            raise StoreError(f"No index can be written at {path}: {error}.") from error
        store = cls(path, database)
        store.set_manifest(schema=SCHEMA_VERSION)
        database.commit()
        return store

    @classmethod
    def change(cls, path: Path) -> Store:
        """Open for writing. Raises NoIndex, OtherSchema or StoreError."""
        cls.open(path).close()
        try:
            database = sqlite3.connect(path, timeout=10)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error as error:
            raise StoreError(f"The index at {path} cannot be written: {error}.") from error
        return cls(path, database)

    def expect(self, analysis: str) -> None:
        """Raise NewerIndex or OtherSchema where its words are not those of this `analysis`."""
        found = self.value("analysis")
        if is_newer(found, analysis):
            raise NewerIndex(self.path)
        if found != analysis:
            raise OtherSchema(f"The index at {self.path} was written by another version of Tacit.")

    def close(self) -> None:
        """Give the file back."""
        self.database.close()

    # ------------------------------------------------------------ reading

    def manifest(self) -> Manifest:
        """What the index says of itself, and what it holds now."""
        found = dict(
            self.database.execute(
                "SELECT key, value FROM manifest WHERE key IN ({})".format(
                    ", ".join(f"'{each}'" for each in Manifest.__dataclass_fields__)
                )
            )
        )
        files, premises = (
            self.database.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("files", "premises")
        )
        return Manifest(**{**found, "files": files, "premises": premises})

    def value(self, key: str) -> str:
        """One entry of the manifest; empty where it has none."""
        row = self.database.execute("SELECT value FROM manifest WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def files(self) -> dict[str, File]:
        """Every file, by module."""
        query = "SELECT id, module, path, digest, stamp, problem FROM files"
        return {each.module: each for each in (File(*row) for row in self.database.execute(query))}

    def file(self, module: str) -> File | None:
        """The file of a module."""
        query = "SELECT id, module, path, digest, stamp, problem FROM files WHERE module = ?"
        row = self.database.execute(query, (module,)).fetchone()
        return File(*row) if row else None

    def names(self, file: int) -> dict[str, set[str]]:
        """The names of a file's premises, with their digests."""
        found: dict[str, set[str]] = {}
        for name, digest in self.database.execute("SELECT name, digest FROM premises WHERE file = ?", (file,)):
            found.setdefault(name, set()).add(digest)
        return found

    def modules(self) -> dict[int, str]:
        """By file id: the module."""
        return dict(self.database.execute("SELECT id, module FROM files"))

    def imports(self) -> dict[str, tuple[str, ...]]:
        """By module: the modules that it imports."""
        rows = self.database.execute("SELECT module, imports FROM files")
        return {module: tuple(mark.lstrip("-+") for mark in json.loads(text)) for module, text in rows}

    def links(self) -> dict[str, tuple[Import, ...]]:
        """By module: its imports with who sees them. An index of before that was kept says that everyone does."""
        rows = self.database.execute("SELECT module, imports FROM files")
        return {module: tuple(map(Import.of_mark, json.loads(text))) for module, text in rows}

    def taught(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """By module: what each file teaches those that import it (`tacit.index.known`)."""
        for module, text in self.database.execute("SELECT module, taught FROM readings JOIN files ON id = file"):
            yield module, json.loads(text)

    def asked(self, file: int) -> bytes:
        """What a file asks of those that it imports (`tacit.index.affected`)."""
        row = self.database.execute("SELECT asked FROM readings WHERE file = ?", (file,)).fetchone()
        return bytes(row[0]) if row else b""

    def uses(self, modules: Iterable[str] | None = None) -> Iterator[tuple[str, dict[str, list[str]]]]:
        """By module: the declarations that each declaration of it uses, as Lean wrote it when it built the file.

        Only of modules that were built where they are; of these modules, or of all.
        """
        query = "SELECT module, uses FROM readings JOIN files ON id = file WHERE uses != x''"
        wanted = None if modules is None else set(modules)
        for module, content in self.database.execute(query):
            if wanted is None or module in wanted:
                yield module, json.loads(zlib.decompress(content))

    def get(self, ids: Sequence[int]) -> list[Stored]:
        """These premises, in this order; those that are there no more are left out."""
        found: dict[int, Stored] = {}
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            where = f"WHERE p.id IN ({', '.join('?' * len(some))})"
            found.update((each.id, each) for each in self._stored(where, some))
        return [found[each] for each in ids if each in found]

    def named(self, name: str) -> list[Stored]:
        """The premises with this full name: seldom more than one."""
        return list(self._stored("WHERE p.name = ?", (name,)))

    def all(self) -> Iterator[Stored]:
        """Every premise, by id."""
        return self._stored("ORDER BY p.id", ())

    def digests(self) -> Iterator[tuple[int, str]]:
        """Every premise's id and digest, by id: equal digests say the same thing."""
        yield from self.database.execute("SELECT id, digest FROM premises ORDER BY id")

    def count(self) -> int:
        """How many premises there are."""
        return int(self.database.execute("SELECT count(*) FROM premises").fetchone()[0])

    def _stored(self, where: str, values: Sequence[Any]) -> Iterator[Stored]:
        columns = ", ".join(f"p.{each}" for each in _COLUMNS)
        query = (
            f"SELECT p.id, f.path, p.digest, p.note, {columns} FROM premises p JOIN files f ON f.id = p.file {where}"
        )
        for number, path, digest, note, *values_ in self.database.execute(query, tuple(values)):
            yield Stored(number, _premise(values_), path, digest, note)

    # ------------------------------------------------------------ writing

    def set_manifest(self, **entries: str) -> None:
        """Write entries of the manifest."""
        self.database.executemany("INSERT OR REPLACE INTO manifest VALUES(?, ?)", entries.items())

    def put_file(self, file: File, imports: Iterable[str]) -> int:
        """Enter a file (its `id` does not count); its id."""
        number = self.database.execute(
            "INSERT INTO files(module, path, digest, stamp, problem, imports) VALUES(?, ?, ?, ?, ?, ?)",
            (file.module, file.path, file.digest, file.stamp, file.problem, json.dumps(list(imports))),
        ).lastrowid
        assert number is not None
        return number

    def touch(self, file: int, stamp: str) -> None:
        """A file was written again, with the same content."""
        self.database.execute("UPDATE files SET stamp = ? WHERE id = ?", (stamp, file))

    def put(self, file: int, premises: Sequence[Premise], notes: dict[str, str]) -> list[postings.Entry]:
        """Enter the premises of a file, with what its introduction says of them by name; what a segment needs."""
        if not premises:
            return []
        row = self.database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'premises'").fetchone()
        first = (row[0] if row else 0) + 1  # ids are never given twice
        entries = [
            postings.Entry(number, file, each, notes.get(each.name, "") if notes else "")
            for number, each in enumerate(premises, first)
        ]
        marks = ", ".join("?" * (4 + len(_COLUMNS)))
        query = f"INSERT INTO premises(id, file, digest, note, {', '.join(_COLUMNS)}) VALUES({marks})"
        rows = [(each.id, file, each.premise.digest, each.note, *_row(each.premise)) for each in entries]
        try:
            self.database.executemany(query, rows)
        except UnicodeEncodeError:  # a lone surrogate cannot be stored
            self.database.execute("DELETE FROM premises WHERE id >= ?", (first,))
            self.database.executemany(query, [[_clean(value) for value in row] for row in rows])
        return entries

    def put_reading(
        self, file: int, taught: Mapping[str, Any], asked: bytes, uses: Mapping[str, Iterable[str]]
    ) -> None:
        """Enter what a file teaches others and asks of them, and which declarations Lean says that each of its uses."""
        plain = {user: sorted(names) for user, names in sorted(uses.items())}
        told = zlib.compress(json.dumps(plain, ensure_ascii=False).encode("utf-8", "replace")) if plain else b""
        row = (file, json.dumps(taught, ensure_ascii=False).encode("utf-8", "replace").decode(), asked, told)
        self.database.execute("INSERT OR REPLACE INTO readings VALUES(?, ?, ?, ?)", row)

    def remove(self, files: Sequence[int]) -> None:
        """Take out files and all their premises."""
        if not files:
            return
        postings.forget(self.database, files)
        for each in files:
            self.database.execute("DELETE FROM premises WHERE file = ?", (each,))
            self.database.execute("DELETE FROM readings WHERE file = ?", (each,))
            self.database.execute("DELETE FROM files WHERE id = ?", (each,))


def is_newer(found: str, ours: str) -> bool:
    """Whether a version that an index names is above ours."""
    return found.isdecimal() and int(found) > int(ours)


_NO_WRITING = tuple(f"SQLITE_{each}" for each in ("READONLY", "CANTOPEN", "IOERR", "FULL"))


def _open(path: Path) -> tuple[sqlite3.Connection, dict[str, str], bool]:
    """The database, its manifest, and whether it was opened as one that nobody changes. Raises sqlite3.Error."""
    try:
        return *_connected(path, "mode=ro"), False
    except sqlite3.OperationalError as error:
        # SQLite wants to write beside a file that it only reads. Where that cannot be, on a shared or a full disk,
        # nobody writes to the file either.
        log = path.with_name(path.name + "-wal")
        if getattr(error, "sqlite_errorname", "").startswith(_NO_WRITING) and not _size(log):
            return *_connected(path, "mode=ro&immutable=1"), True
        raise


def _connected(path: Path, how: str) -> tuple[sqlite3.Connection, dict[str, str]]:
    database = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=READ_WAIT)
    try:
        database.execute("PRAGMA query_only = 1")
        return database, dict(database.execute("SELECT key, value FROM manifest"))
    except BaseException:
        database.close()
        raise


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _row(each: Premise) -> tuple[Any, ...]:
    attributes, opens = _SEPARATOR.join(each.attributes), _SEPARATOR.join(each.opens)
    return (
        *(each.name, each.kind.value, each.module, each.line, each.type, each.binders, each.context, each.doc),
        *(each.value, attributes, each.namespace, opens, each.private, each.protected, each.origin.value),
        *(each.made_from, each.start, each.body, each.stop),
    )


def _clean(value: object) -> object:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _premise(row: Sequence[Any]) -> Premise:
    values = dict(zip(_COLUMNS, row, strict=True))
    for key in ("attributes", "opens"):
        values[key] = tuple(values[key].split(_SEPARATOR)) if values[key] else ()
    values |= {"kind": Kind(values["kind"]), "origin": Origin(values["origin"])}
    return Premise(**{**values, "private": bool(values["private"]), "protected": bool(values["protected"])})
