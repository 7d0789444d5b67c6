"""The k nearest of many goals by shared keys, each counted by how rare it is (cosine of tf-idf). In memory alone.

    goals = Neighbours()
    goals.put("A.lean", [features, …])      the goals of one part (a file); it takes the place of what was there
    goals.near(features, 50)                 the likest: part, place in it, likeness from 0 to 1

A part is put in little time: it stands beside the large table until there are enough of them to be made one with it.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Keys = npt.NDArray[np.uint64]

COMMON = 0.15
"""A key that more than this share of all goals has is no help in finding near ones, where there are many."""
MANY = 20_000
FEW = 4_000
"""Goals that may stand beside the large table, at least; a quarter of it may."""


class Near(NamedTuple):
    """A goal: the part that it is of, its place there, and how like it is."""

    part: Hashable
    at: int
    likeness: float


@dataclass(frozen=True, slots=True)
class _Goals:
    """The keys of the goals of one part: those of the i-th are `keys[starts[i]:starts[i + 1]]`."""

    keys: Keys
    weights: npt.NDArray[np.float16]
    starts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, goals: Sequence[Mapping[int, float]]) -> _Goals:
        count = sum(map(len, goals))
        keys = np.fromiter((key for each in goals for key in each), np.uint64, count)
        weights = np.fromiter((weight for each in goals for weight in each.values()), np.float16, count)
        return cls(keys, weights, np.cumsum([0, *map(len, goals)]))

    def __len__(self) -> int:
        return len(self.starts) - 1


class _Table:
    """Some parts, by key: which goals have it, and its weight there."""

    def __init__(self, parts: Mapping[Hashable, _Goals]) -> None:
        self.names = list(parts)
        self.firsts = np.cumsum([0, *(len(each) for each in parts.values())])
        self.size = int(self.firsts[-1])
        some = list(parts.values())
        keys = np.concatenate([np.zeros(0, np.uint64), *(each.keys for each in some)])
        weights = np.concatenate([np.zeros(0, np.float16), *(each.weights for each in some)])
        lengths = np.concatenate([np.zeros(0, np.int64), *(np.diff(each.starts) for each in some)])
        rows = np.repeat(np.arange(self.size, dtype=np.int32), lengths)
        self.keys, inverse, self.counts = np.unique(keys, return_inverse=True, return_counts=True)
        order = np.argsort(inverse, kind="stable")
        self.rows, self.weights = rows[order], weights[order]
        self.starts = np.concatenate([[0], np.cumsum(self.counts)])
        self.lengths = np.ones(self.size, np.float32)

    def span(self, key: int) -> tuple[int, int]:
        """Where the rows of a key stand; nothing where none has it."""
        at = int(np.searchsorted(self.keys, np.uint64(key)))
        if at >= len(self.keys) or int(self.keys[at]) != key:
            return 0, 0
        return int(self.starts[at]), int(self.starts[at + 1])

    def weigh(self, rarity: Floats) -> None:
        """Take the length of each goal, by the rarity of each of this table's keys."""
        squares = (self.weights.astype(np.float32) * np.repeat(rarity, self.counts)) ** 2
        sums = np.bincount(self.rows, weights=squares, minlength=self.size)
        self.lengths = np.sqrt(np.maximum(sums, 1e-6)).astype(np.float32)


class Neighbours:
    """Goals by part. Not safe for threads."""

    def __init__(self) -> None:
        self._parts: dict[Hashable, _Goals] = {}
        self._large = _Table({})
        self._small: _Table | None = None
        self._beside: dict[Hashable, _Goals] = {}
        self._gone: set[Hashable] = set()
        self._place: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return sum(map(len, self._parts.values()))

    def put(self, part: Hashable, goals: Sequence[Mapping[int, float]]) -> None:
        """The goals of a part are these now; none takes the part away."""
        if part in self._parts:
            self._gone.add(part)
            self._parts.pop(part)
            self._beside.pop(part, None)
        if goals:
            self._parts[part] = self._beside[part] = _Goals.of(goals)
        self._small = None

    def near(self, goal: Mapping[int, float], limit: int) -> list[Near]:
        """The goals that are most like one, the likest first; equal ones in the order in which their parts came."""
        self._settle()
        assert self._small is not None
        rarity = {key: self._rarity(key) for key in goal}
        own = math.sqrt(sum((weight * rarity[key]) ** 2 for key, weight in goal.items())) or 1.0
        found = [
            each
            for table in (self._large, self._small)
            for each in self._best(table, goal, rarity, own, limit, self._gone if table is self._large else frozenset())
        ]
        return heapq.nlargest(limit, found, key=lambda each: each.likeness)

    def _best(
        self,
        table: _Table,
        goal: Mapping[int, float],
        rarity: Mapping[int, float],
        own: float,
        limit: int,
        gone: set[Hashable] | frozenset[Hashable],
    ) -> list[Near]:
        if not table.size:
            return []
        most = table.size * COMMON if table.size > MANY else table.size
        totals = np.zeros(table.size, np.float32)
        for key, weight in goal.items():
            start, stop = table.span(key)
            if start < stop and stop - start <= most:
                # No goal has a key twice.
                totals[table.rows[start:stop]] += table.weights[start:stop] * np.float32(weight * rarity[key] ** 2)
        totals /= table.lengths * np.float32(own)
        for part in gone:
            if (at := self._place.get(part)) is not None:
                totals[table.firsts[at] : table.firsts[at + 1]] = 0
        rows = np.flatnonzero(totals > 0)
        if len(rows) > limit:
            least = np.partition(totals[rows], len(rows) - limit)[len(rows) - limit]
            rows = rows[totals[rows] >= least]
        rows = rows[np.argsort(-totals[rows], kind="stable")][:limit]
        places = np.searchsorted(table.firsts, rows, side="right") - 1
        return [
            Near(table.names[place], int(row - table.firsts[place]), float(totals[row]))
            for row, place in zip(rows, places, strict=True)
        ]

    def _rarity(self, key: int) -> float:
        start, stop = self._large.span(key)
        return _idf(stop - start, self._large.size)

    def _settle(self) -> None:
        """Have both tables as they must be."""
        beside = sum(map(len, self._beside.values()))
        if beside + len(self._gone) > max(FEW, self._large.size // 4) or (self._beside and not self._large.size):
            self._large, self._beside, self._gone = _Table(self._parts), {}, set()
            self._large.weigh(_idfs(self._large.counts, self._large.size))
            self._small = None
        if self._small is None:
            self._place = {name: at for at, name in enumerate(self._large.names)}
            self._small = _Table(self._beside)
            at = np.minimum(np.searchsorted(self._large.keys, self._small.keys), max(0, len(self._large.keys) - 1))
            counts = np.zeros(len(self._small.keys), np.int64)
            if len(self._large.keys):
                counts = np.where(self._large.keys[at] == self._small.keys, self._large.counts[at], 0)
            self._small.weigh(_idfs(counts, self._large.size))


def _idf(count: int, size: int) -> float:
    return math.log((size + 1) / (count + 1)) + 0.1


def _idfs(counts: npt.NDArray[np.int64], size: int) -> Floats:
    return (np.log((size + 1) / (counts + 1)) + 0.1).astype(np.float32)
