"""What proofs have named, by row: how often each premise, and what theorems with like statements vote for.

k nearest neighbours as in MaSh (Blanchette, Greenaway, Kaliszyk, Kühlwein, Urban: A Learning-Based Fact Selector for
Isabelle/HOL, 2016): a proof's vote counts by how like its theorem is, and is shared among all that it names.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tacit.index.uses import Uses, key, spans

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]

NEIGHBOURS = 400
POWER = 4.0
"""How fast a vote falls with likeness."""
SHARE = 0.25
"""A vote is divided by how many premises a proof names, to this power."""


class Experience:
    """The proofs of several stores. A row is a premise's place among all those of all stores, `ids` in that order."""

    def __init__(self, ids: Sequence[npt.NDArray[np.uint32]], uses: Sequence[Uses | None]) -> None:
        self.size = sum(map(len, ids))
        """How many rows."""
        keys = np.zeros(self.size, np.uint64)
        owners: list[Rows] = [np.zeros(0, np.int64)]
        named: list[Keys] = [np.zeros(0, np.uint64)]
        start = 0
        for here, found in zip(ids, uses, strict=True):
            if found is not None:
                at = _places(found.ids, here)
                keys[start : start + len(here)] = np.where(at >= 0, found.keys[at], 0) if len(found.keys) else 0
                owner = _places(here, found.owners)
                owners.append(np.repeat(np.where(owner >= 0, owner + start, -1), np.diff(found.starts)))
                named.append(found.named)
            start += len(here)
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        named_rows = self.rows(np.concatenate(named))
        owner_rows = np.concatenate(owners)
        kept = (named_rows >= 0) & (owner_rows >= 0)
        order = np.argsort(owner_rows[kept], kind="stable")
        self._named = named_rows[kept][order].astype(np.int32)
        self._first = np.searchsorted(owner_rows[kept][order], np.arange(self.size + 1))
        self._owns = np.diff(self._first) > 0
        self._used = self._count(self._named)

    def rows(self, keys: Keys) -> Rows:
        """The rows of names, given by their keys; -1 for one that is not there."""
        if not self.size:
            return np.full(len(keys), -1, np.int64)
        places = np.minimum(np.searchsorted(self._keys, keys), self.size - 1)
        return np.where((self._keys[places] == keys) & (keys != 0), self._order[places], -1)

    def rows_of_names(self, names: Sequence[str]) -> Rows:
        """The same for names themselves."""
        return self.rows(np.array([key(each) for each in names], np.uint64))

    def used(self, without: Mask | None = None) -> Floats:
        """By row: how many proofs name a premise; those of the rows `without` do not count."""
        if without is None:
            return self._used
        return self._count(self._named[~np.repeat(without, np.diff(self._first))])

    def votes(self, likeness: Floats, without: Mask | None = None) -> Floats:
        """By row: the votes of the theorems that are most like a goal, by `likeness` from 0 to 1."""
        like = np.where(self._owns if without is None else self._owns & ~without, likeness, np.float32(0))
        near = largest(like, NEIGHBOURS)
        lengths = self._first[near + 1] - self._first[near]
        each = np.repeat(weight(like[near], lengths), lengths)
        named = self._named[spans(self._first[near], lengths)]
        return np.bincount(named, weights=each, minlength=self.size).astype(np.float32)

    def _count(self, named: npt.NDArray[np.int32]) -> Floats:
        return np.bincount(named, minlength=self.size).astype(np.float32)


def weight(likeness: npt.NDArray[np.floating], named: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """What the vote for each premise is worth, of a proof that names so many."""
    return np.asarray(likeness, np.float64) ** POWER / np.maximum(named, 1) ** SHARE


def largest(values: Floats, most: int) -> Rows:
    """The places of the largest values above 0."""
    found = np.flatnonzero(values > 0)
    if len(found) > most:
        found = found[np.argpartition(values[found], len(found) - most)[len(found) - most :]]
    return found


def _places(ids: npt.NDArray[np.uint32], wanted: npt.NDArray[np.uint32]) -> Rows:
    """Where ids stand; -1 for one that is not there."""
    if not len(ids):
        return np.full(len(wanted), -1, np.int64)
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    places = np.minimum(np.searchsorted(ordered, wanted), len(ids) - 1)
    return np.where(ordered[places] == wanted, order[places], -1)
