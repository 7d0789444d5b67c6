"""Which words stand in which premises: packs that for a segment of premises, writes it into the store, reads it back.

A posting is 32 bits: the premise's place in its segment, and below it how often the word stands in each field, counted
no further than its bits go. A segment never changes but for the premises that leave it.
"""

from __future__ import annotations

import itertools
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tacit.index.premise import Kind, Premise

FIELDS = ("name", "type", "binders", "doc", "note", "module", "value")
BITS = (2, 3, 2, 3, 2, 2, 2)
SHIFTS = tuple(sum(BITS[place + 1 :]) for place in range(len(BITS)))
LARGEST = 1 << 16
"""Premises of one segment."""
KINDS = tuple(Kind)
_KIND = {kind: place for place, kind in enumerate(KINDS)}

Words = Sequence[Sequence[str]]
"""The words of a premise, field by field."""
Analyse: TypeAlias = Callable[[Premise, str], Words]
"""The words of a premise, and of the note on it that a module's introduction has (may be empty)."""
Postings: TypeAlias = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Entry:
    """A premise as it goes into a segment: its id in the store, the file's, and what else its module says of it."""

    id: int
    file: int
    premise: Premise
    note: str = ""

    def __reduce__(self) -> tuple[type[Entry], tuple[object, ...]]:
        return Entry, (self.id, self.file, self.premise, self.note)


@dataclass(frozen=True, slots=True)
class Segment:
    """What is known of a segment's premises without their postings; all arrays are as long as it has premises."""

    id: int
    ids: npt.NDArray[np.uint32]
    files: npt.NDArray[np.uint32]
    kinds: npt.NDArray[np.uint8]
    alive: npt.NDArray[np.bool_]
    lengths: npt.NDArray[np.uint8]
    """Words in each field, 255 at most; one row for each premise."""


SCHEMA = """
CREATE TABLE segments(
  id INTEGER PRIMARY KEY, count INTEGER NOT NULL, ids BLOB NOT NULL, files BLOB NOT NULL, kinds BLOB NOT NULL,
  alive BLOB NOT NULL, lengths BLOB NOT NULL);
CREATE TABLE postings(
  segment INTEGER NOT NULL, term TEXT NOT NULL, entries BLOB NOT NULL, PRIMARY KEY(segment, term)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Packed:
    """A segment that is ready to be written; plain enough to come out of another process."""

    ids: bytes
    files: bytes
    kinds: bytes
    lengths: bytes
    count: int
    rows: list[tuple[str, bytes]]


def pack(entries: Sequence[Entry], analyse: Analyse) -> Packed:
    """The words of at most LARGEST premises."""
    number = defaultdict[str, int](itertools.count().__next__)  # a word's, when it comes for the first time
    found, lengths = array("I"), array("I")
    for entry in entries:
        for words in analyse(entry.premise, entry.note):
            lengths.append(len(words))
            found.extend([number[word] for word in words])
    terms = list(number)
    # One key for each word as it stands: which word, in which premise, in which field. Equal ones are counted.
    spans = np.frombuffer(lengths, np.uint32).astype(np.int64)
    slots = np.repeat(np.arange(len(spans), dtype=np.uint64), spans)
    keys = np.frombuffer(found, np.uint32).astype(np.uint64) * np.uint64(max(1, len(spans))) + slots
    del found, slots
    keys, times = np.unique(keys, return_counts=True)
    slots = keys % np.uint64(max(1, len(spans)))
    fields = (slots % np.uint64(len(FIELDS))).astype(np.int64)
    most = np.array([(1 << bits) - 1 for bits in BITS])
    counts = np.minimum(times, most[fields]) << np.array(SHIFTS)[fields]
    # Then one posting for each word and premise: the counts of its fields together.
    owners = keys // np.uint64(max(1, len(spans)))
    places = slots // np.uint64(len(FIELDS))
    first = np.flatnonzero(np.diff(owners * np.uint64(1 << 17) + places, prepend=np.uint64(1 << 62)))
    entries_ = ((places[first] << np.uint64(16)) | np.add.reduceat(counts, first).astype(np.uint64)).astype(np.uint32)
    begins = np.searchsorted(owners[first], np.arange(len(terms) + 1, dtype=np.uint64)).tolist()
    content = entries_.tobytes()
    rows = [(_storable(term), content[4 * begins[each] : 4 * begins[each + 1]]) for each, term in enumerate(terms)]
    rows.sort()
    return Packed(
        array("I", [each.id for each in entries]).tobytes(),
        array("I", [each.file for each in entries]).tobytes(),
        bytes(_KIND[each.premise.kind] for each in entries),
        np.minimum(spans, 255).astype(np.uint8).tobytes(),
        len(entries),
        rows,
    )


def _storable(term: str) -> str:
    return term.encode("utf-8", "replace").decode()  # a lone surrogate cannot be stored


def write(database: sqlite3.Connection, packed: Packed) -> None:
    """Add a segment."""
    alive = bytes([1]) * packed.count
    row = (packed.count, packed.ids, packed.files, packed.kinds, alive, packed.lengths)
    number = database.execute(
        "INSERT INTO segments(count, ids, files, kinds, alive, lengths) VALUES(?, ?, ?, ?, ?, ?)", row
    ).lastrowid
    database.executemany(
        "INSERT OR REPLACE INTO postings(segment, term, entries) VALUES(?, ?, ?)",
        ((number, term, entries) for term, entries in packed.rows),
    )


def segments(database: sqlite3.Connection) -> list[Segment]:
    """Every segment, in order."""
    query = "SELECT id, ids, files, kinds, alive, lengths FROM segments ORDER BY id"
    return [
        Segment(
            number,
            np.frombuffer(ids, np.uint32),
            np.frombuffer(files, np.uint32),
            np.frombuffer(kinds, np.uint8),
            np.frombuffer(alive, np.bool_),
            np.frombuffer(lengths, np.uint8).reshape(-1, len(FIELDS)),
        )
        for number, ids, files, kinds, alive, lengths in database.execute(query)
    ]


def postings(database: sqlite3.Connection, segment: int, term: str) -> Postings:
    """The postings of a word in a segment, by place."""
    row = database.execute(
        "SELECT entries FROM postings WHERE segment = ? AND term = ?", (segment, _storable(term))
    ).fetchone()
    return np.frombuffer(row[0] if row else b"", np.uint32)


def beginning(database: sqlite3.Connection, segment: int, start: str, most: int) -> list[tuple[str, Postings]]:
    """The words of a segment that begin so, in order, with their postings."""
    start = _storable(start)
    rows: Iterable[tuple[str, Any]] = database.execute(
        "SELECT term, entries FROM postings WHERE segment = ? AND term >= ? AND term < ? ORDER BY term LIMIT ?",
        (segment, start, start + "\U0010ffff", most),
    )
    return [(term, np.frombuffer(entries, np.uint32)) for term, entries in rows]


def forget(database: sqlite3.Connection, files: Sequence[int]) -> None:
    """Take the premises of these files out of every segment."""
    gone = np.array(files, np.uint32)
    for each in segments(database):
        alive = each.alive & ~np.isin(each.files, gone)
        if not alive.any():
            drop(database, each.id)
        elif alive.sum() != each.alive.sum():
            database.execute("UPDATE segments SET alive = ? WHERE id = ?", (alive.tobytes(), each.id))


def drop(database: sqlite3.Connection, segment: int) -> None:
    """Forget a whole segment."""
    database.execute("DELETE FROM postings WHERE segment = ?", (segment,))
    database.execute("DELETE FROM segments WHERE id = ?", (segment,))
