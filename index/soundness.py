"""Says whether a database that came from elsewhere, or that a disk has kept, is a store such as this version writes.

Changes nothing.
"""

from __future__ import annotations

import sqlite3
import tempfile
import zlib
from contextlib import closing
from enum import Enum
from functools import cache
from pathlib import Path, PurePosixPath

from tacit.index import postings
from tacit.index.premise import Kind, Origin
from tacit.index.store import Store, StoreError, is_passing

SUSPICIOUS = (sqlite3.Error, ValueError, TypeError, AttributeError, LookupError, OverflowError, zlib.error)
"""What reading a store raises that holds what no store holds. A mistake of Tacit's own may look the same."""


def is_safe(path: str) -> bool:
    """Whether a path stays below whatever it is put under."""
    parts = PurePosixPath(path).parts
    bad = not path or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path or not parts
    return not bad


class Check(Enum):
    """How closely a store is looked at before it is relied on."""

    NONE = "not at all"
    STRUCTURE = "whether it is a whole database with all its parts: two seconds for all of Mathlib"
    ALL = "whether all that it holds makes sense: half a minute"


def is_whole(path: Path, check: Check = Check.ALL) -> bool:
    """Whether the store at `path` can be relied on: false where there is none.

    Raises StoreError where that cannot be told now.
    """
    if check is Check.NONE:
        return True
    try:
        with closing(Store.open(path)) as store:
            database = store.database
            return (
                objects(database) == expected()
                and database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
                and (check is Check.STRUCTURE or is_sound(database))
            )
    except SUSPICIOUS as error:
        if is_passing(error):
            raise StoreError(f"The index at {path} cannot be looked at: {error}.") from error
        return False
    except StoreError as error:
        if is_passing(error):
            raise
        return False


@cache
def expected() -> list[tuple[str, ...]]:
    """What the database of an empty store consists of."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.create(Path(folder) / "empty.db")
        try:
            return objects(store.database)
        finally:
            store.close()


def objects(database: sqlite3.Connection) -> list[tuple[str, ...]]:
    """What a database consists of: every table, index, view and trigger, as it was defined."""
    return sorted(database.execute("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master"))


_UNSOUND = (
    """SELECT 1 FROM files
       WHERE typeof(module) != 'text' OR typeof(path) != 'text' OR typeof(digest) != 'text' OR NOT json_valid(imports)
       LIMIT 1""",
    """SELECT 1 FROM premises
       WHERE typeof(name) != 'text' OR typeof(module) != 'text' OR typeof(type) != 'text' OR typeof(doc) != 'text'
         OR typeof(line) != 'integer' OR typeof(digest) != 'text' OR length(digest) != 32
         OR digest GLOB '*[^0-9a-f]*' OR file NOT IN (SELECT id FROM files)
       LIMIT 1""",
    """SELECT 1 FROM readings
       WHERE typeof(taught) != 'text' OR NOT json_valid(taught) OR typeof(asked) != 'blob' OR length(asked) % 4 != 0
       LIMIT 1""",
    f"""SELECT 1 FROM segments
        WHERE length(ids) != 4 * count OR length(files) != 4 * count OR length(kinds) != count
          OR length(alive) != count OR length(lengths) != {len(postings.FIELDS)} * count
        LIMIT 1""",
    """SELECT 1 FROM postings
       WHERE typeof(entries) != 'blob' OR length(entries) % 4 != 0 OR segment NOT IN (SELECT id FROM segments)
       LIMIT 1""",
)


def is_portable(database: sqlite3.Connection) -> bool:
    """Whether the files of a store lie below whatever folder its package is put in."""
    return all(is_safe(path) for (path,) in database.execute("SELECT path FROM files"))


def is_sound(database: sqlite3.Connection) -> bool:
    """Whether everything in a store is what readers take for granted."""
    import numpy as np

    if any(database.execute(query).fetchone() for query in _UNSOUND):
        return False
    for column, known in (("kind", Kind), ("origin", Origin)):
        if any(row[0] not in set(known) for row in database.execute(f"SELECT DISTINCT {column} FROM premises")):
            return False
    for _ in Store(Path(), database).all():  # text that is none, numbers where words are
        pass
    there = {table: {row[0] for row in database.execute(f"SELECT id FROM {table}")} for table in ("files", "premises")}
    sizes = {}
    for each in postings.segments(database):
        sizes[each.id] = len(each.ids)
        if not there["files"].issuperset(each.files[each.alive].tolist()):
            return False
        if not there["premises"].issuperset(each.ids[each.alive].tolist()):
            return False
        if len(each.ids) > postings.LARGEST or (each.kinds >= len(postings.KINDS)).any():
            return False
    for segment, entries in database.execute("SELECT segment, entries FROM postings"):
        # The last is the highest in a store of ours; in another nothing need be so.
        if entries and int(np.frombuffer(entries, np.uint32).max()) >> 16 >= sizes[segment]:
            return False
    return True
