"""Says whether a database that came from elsewhere is a store such as this version writes. Changes nothing."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path, PurePosixPath

from tacit.index import postings
from tacit.index.premise import Kind, Origin
from tacit.index.store import Store


def is_safe(path: str) -> bool:
    """Whether a path stays below whatever it is put under."""
    parts = PurePosixPath(path).parts
    bad = not path or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path or not parts
    return not bad


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


def is_sound(database: sqlite3.Connection) -> bool:
    """Whether everything in a store is what readers take for granted."""
    import numpy as np

    if any(database.execute(query).fetchone() for query in _UNSOUND):
        return False
    for column, known in (("kind", Kind), ("origin", Origin)):
        if any(row[0] not in set(known) for row in database.execute(f"SELECT DISTINCT {column} FROM premises")):
            return False
    if not all(is_safe(path) for (path,) in database.execute("SELECT path FROM files")):
        return False
    sizes = {}
    for each in postings.segments(database):
        sizes[each.id] = len(each.ids)
        if len(each.ids) > postings.LARGEST or (each.kinds >= len(postings.KINDS)).any():
            return False
    for segment, entries in database.execute("SELECT segment, entries FROM postings"):
        # The last is the highest in a store of ours; in another nothing need be so.
        if entries and int(np.frombuffer(entries, np.uint32).max()) >> 16 >= sizes[segment]:
            return False
    return True
