"""Ranks premises by their words: BM25 over weighted fields, computed with arrays. Nothing else.

Robertson, Zaragoza: The Probabilistic Relevance Framework (2009), section 3.6, with one length for each group of
fields: what names a premise, what it states, what is said about it.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tacit.index import postings
from tacit.index.store import Store
from tacit.retrieval.question import Question, understand
from tacit.retrieval.ranker import Query, Ranked

Floats = npt.NDArray[np.float32]
GROUPS = (("name", "module"), ("type", "binders", "value"), ("doc", "note"))
MOST_PREFIXED = 40
FREQUENT = 5_000
REMEMBERED = 6_000_000
"""Postings of frequent terms that are kept ready, 8 bytes each: whoever types asks for the same words again."""
Saturated: TypeAlias = tuple[list[tuple[postings.Postings, Floats]], int]


@dataclass(frozen=True, slots=True)
class Weights:
    """What ranking depends on; the values were tuned on half of a published set of questions (docs/benchmarks.md)."""

    fields: dict[str, float] = field(
        default_factory=lambda: {
            "name": 2.0, "type": 1.0, "binders": 0.2, "doc": 1.5, "note": 1.1, "module": 1.0, "value": 1.4
        }
    )  # fmt: skip
    lengths: tuple[float, float, float] = (0.85, 0.8, 0.25)
    """How much the length of each group of fields counts, from 0 to 1."""
    k1: float = 0.7
    shape: float = 0.75
    """A pair of neighbours in a statement, against a word."""
    name: float = 0.2
    """A whole name, against a word."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What is known of every premise of a store, one row for each."""

    ids: npt.NDArray[np.uint32]
    files: npt.NDArray[np.uint32]
    kinds: npt.NDArray[np.uint8]
    alive: npt.NDArray[np.bool_]


class Lexical:
    """Ranks the premises of one open store by their words."""

    name = "lexical"

    def __init__(
        self,
        store: Store,
        weights: Weights | None = None,
        like: Lexical | None = None,
        *,
        beside: Lexical | None = None,
        remembered: int = REMEMBERED,
    ) -> None:
        """`like`: the ranker whose average lengths count here too, for a few premises of the same package.

        `beside`: a ranker of the same open store with other weights, to have in memory once what is the same for both.
        """
        self._store = store
        self._weights = weights or Weights()
        self._remembered = remembered
        self._all: list[postings.Segment] = beside._all if beside is not None else postings.segments(store.database)
        self._segments = self._all
        self._count = max(1, sum(int(each.alive.sum()) for each in self._segments))
        self._averages: list[float] = list(like._averages) if like is not None else []
        self._tables, self._norms, self._averages = self._prepare()
        self._hidden: list[int] = []
        self._shown: npt.NDArray[np.bool_] | None = None
        self._frequent: OrderedDict[str, Saturated] = OrderedDict()
        self._where: npt.NDArray[np.int32] | None = None
        self._asked: tuple[tuple[str, ...], npt.NDArray[np.uint32]] = (), np.zeros(0, np.uint32)
        self._scored: tuple[tuple[Question, Mapping[str, float] | None], list[Floats]] | None = None

    def rank(self, query: Query, limit: int = 200) -> list[Ranked]:
        """The best premises that share a word with the query and satisfy its filters."""
        return self.rank_question(understand(query), limit)

    def rank_question(
        self,
        question: Question,
        limit: int,
        rarity: Mapping[str, float] | None = None,
        files: npt.NDArray[np.bool_] | None = None,
    ) -> list[Ranked]:
        """The same, of a query that is already understood; `rarity` of its terms in all that is searched.

        `files` says, by file id, which files count (see `tacit.retrieval.access`); without it all do.
        """
        found: list[Ranked] = []
        for segment, scores in zip(self._segments, self._score(question, rarity), strict=True):
            # Zeros first: choosing the largest among many equal numbers takes numpy twenty times as long.
            mask = self._mask(segment, question.query) & (scores > 0)
            if files is not None:
                mask &= in_files(segment.files, files)
            best = np.flatnonzero(mask)
            if len(best) > limit:
                best = best[np.argpartition(scores[best], len(best) - limit)[len(best) - limit :]]
            found += map(Ranked, segment.ids[best].tolist(), scores[best].tolist())
        found.sort(key=lambda each: (-each.score, each.premise))
        return found[:limit]

    def totals(self, question: Question, rarity: Mapping[str, float] | None = None) -> Floats:
        """The score of every premise, in the order of `columns`; 0 for those that share no word with the question."""
        found = self._score(question, rarity)
        return np.concatenate(found) if found else np.zeros(0, np.float32)

    def columns(self) -> Columns:
        """Ids, files and kinds of every premise, those that are gone included; `alive` says which are not."""
        joined = [
            [getattr(each, name) for each in self._segments] or [np.zeros(0, kind)]
            for name, kind in (("ids", np.uint32), ("files", np.uint32), ("kinds", np.uint8), ("alive", np.bool_))
        ]
        return Columns(*map(np.concatenate, joined))

    def score_words(self, words: postings.Words, question: Question, rarity: Mapping[str, float]) -> float:
        """What a premise with these words would score if it were in the store."""
        weights = self._weights
        place = {name: number for number, name in enumerate(postings.FIELDS)}
        norms = [
            1 / (1 - b + b * sum(min(255, len(words[place[name]])) for name in group) / average)
            for b, group, average in zip(weights.lengths, GROUPS, self._averages, strict=True)
        ]
        counts: dict[str, float] = {}
        for group, norm in zip(GROUPS, norms, strict=True):
            for name in group:
                value = weights.fields[name] * norm
                for word in words[place[name]]:
                    counts[word] = counts.get(word, 0.0) + value
        total = 0.0
        for term, weight in question.terms:
            if (tf := counts.get(term)) is not None:
                weight *= rarity.get(term, 0.0) * {"=": weights.name, "~": weights.shape}.get(term[0], 1.0)
                total += weight * tf * (weights.k1 + 1) / (tf + weights.k1)
        return total

    def scores(self, query: Query, premises: Sequence[int]) -> list[float]:
        """The score of each of these premises."""
        return self.scores_question(understand(query), premises)

    def scores_question(
        self, question: Question, premises: Sequence[int], rarity: Mapping[str, float] | None = None
    ) -> list[float]:
        """The same, of a query that is already understood; at little cost after `rank_question` of the same one."""
        found = np.zeros(len(premises), np.float32)
        for scores, (rows, places) in zip(self._score(question, rarity), self._places(premises), strict=True):
            found[rows] = scores[places]
        each: list[float] = found.tolist()
        return each

    def satisfying(self, query: Query, premises: Sequence[int]) -> set[int]:
        """Those of these premises that satisfy the filters of a query."""
        wanted = np.array(premises, np.uint32)
        found: set[int] = set()
        for segment in self._segments:
            found.update(segment.ids[self._mask(segment, query) & np.isin(segment.ids, wanted)].tolist())
        return found

    def hide(self, modules: Collection[str]) -> None:
        """Answer as if these modules were not there, and no others."""
        wanted = frozenset(modules)
        self._hidden = (
            [number for number, module in self._store.modules().items() if module in wanted] if wanted else []
        )
        self._show()

    def only(self, files: npt.NDArray[np.bool_] | None) -> None:
        """Answer from these files alone, by file id; None: from all."""
        self._shown = files
        self._show()

    @property
    def hiding(self) -> bool:
        """Whether something is held back."""
        return bool(self._hidden) or self._shown is not None

    def _show(self) -> None:
        gone, shown = np.array(self._hidden, np.uint32), self._shown
        self._segments = self._all
        if len(gone):
            self._segments = [replace(each, alive=each.alive & ~np.isin(each.files, gone)) for each in self._segments]
        if shown is not None:
            padded = np.append(shown, False)
            self._segments = [
                replace(each, alive=each.alive & padded[np.minimum(each.files, len(shown))]) for each in self._segments
            ]

    @property
    def count(self) -> int:
        """How many premises there are."""
        return self._count

    def frequency(self, term: str) -> int:
        """How many premises have this term."""
        return sum(len(postings.postings(self._store.database, each.id, term)) for each in self._segments)

    def _places(self, premises: Sequence[int]) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.uint32]]]:
        """For each segment: which of these premises are there, by their number among them, and their places."""
        if self._where is None:
            # By id: the place, counted through all segments.
            most = max((int(each.ids.max(initial=0)) for each in self._all), default=0)
            self._where = np.full(most + 1, -1, np.int32)
            start = 0
            for each in self._all:
                self._where[each.ids] = np.arange(start, start + len(each.ids), dtype=np.int32)
                start += len(each.ids)
        wanted = np.array(premises, np.int64)
        known = (wanted >= 0) & (wanted < len(self._where))
        there = np.where(known, self._where[np.where(known, wanted, 0)], -1)
        found = []
        start = 0
        for each in self._all:
            rows = np.flatnonzero((there >= start) & (there < start + len(each.ids)))
            found.append((rows, (there[rows] - start).astype(np.uint32)))
            start += len(each.ids)
        return found

    def _score(self, question: Question, common: Mapping[str, float] | None = None) -> list[Floats]:
        """The score of every premise. The last question's are kept: ranking and scoring ask in turn."""
        if self._scored is not None and self._scored[0] == (question, common):
            return self._scored[1]
        totals = self._totals(question, common)
        self._scored = (question, common), totals
        return totals

    def _totals(self, question: Question, common: Mapping[str, float] | None) -> list[Floats]:
        weights = self._weights
        totals = [np.zeros(len(each.ids), np.float32) for each in self._segments]
        for term, weight in question.terms:
            found, frequency = self._saturated(term)
            if not frequency:
                continue
            rarity = _rarity(frequency, self._count) if common is None else common.get(term, 0.0)
            weight *= rarity * {"=": weights.name, "~": weights.shape}.get(term[0], 1.0)
            for total, (places, values) in zip(totals, found, strict=True):
                total[places] += np.float32(weight) * values
        return totals

    def _saturated(self, term: str) -> Saturated:
        """Where a term stands and what it counts there, before its rarity. Frequent terms are remembered."""
        if (known := self._frequent.get(term)) is not None:
            self._frequent.move_to_end(term)
            return known
        found = [postings.postings(self._store.database, each.id, term) for each in self._segments]
        frequency = sum(map(len, found))
        if not frequency and term.startswith("="):
            found, frequency = self._prefixed(term)
        parts = [self._weigh(norms, entries) for norms, entries in zip(self._norms, found, strict=True)]
        if frequency >= FREQUENT:
            self._frequent[term] = parts, frequency
            while sum(each for _, each in self._frequent.values()) > self._remembered:
                self._frequent.popitem(last=False)
        return parts, frequency

    def _weigh(self, norms: Sequence[Floats], entries: postings.Postings) -> tuple[postings.Postings, Floats]:
        places = np.asarray(entries >> 16, np.uint32)
        counts = entries & 0xFFFF
        tf = self._tables[0][counts] * norms[0][places]
        tf += self._tables[1][counts] * norms[1][places]
        tf += self._tables[2][counts] * norms[2][places]
        return places, np.asarray(tf * (self._weights.k1 + 1) / (tf + self._weights.k1), np.float32)

    def _prefixed(self, term: str) -> tuple[list[postings.Postings], int]:
        """Names that begin so, as one term."""
        found = []
        for each in self._segments:
            some = postings.beginning(self._store.database, each.id, term, MOST_PREFIXED)
            places = np.concatenate([entries for _, entries in some]) if some else np.empty(0, np.uint32)
            _, first = np.unique(places >> 16, return_index=True)
            found.append(places[first])
        return found, sum(map(len, found))

    def _mask(self, segment: postings.Segment, query: Query) -> npt.NDArray[np.bool_]:
        mask = segment.alive
        if query.kinds:
            numbers = [place for place, kind in enumerate(postings.KINDS) if str(kind) in query.kinds]
            mask = mask & np.isin(segment.kinds, np.array(numbers, np.uint8))
        if query.modules:
            mask = mask & np.isin(segment.files, self._files(query.modules))
        return mask

    def _files(self, modules: tuple[str, ...]) -> npt.NDArray[np.uint32]:
        """The files of these modules and of those below; of the last ones again without looking."""
        if self._asked[0] != modules:
            found = [n for n, name in self._store.modules().items() if any(in_module(name, each) for each in modules)]
            self._asked = modules, np.array(found, np.uint32)
        return self._asked[1]

    def _prepare(self) -> tuple[list[Floats], list[list[Floats]], list[float]]:
        counts = np.arange(1 << 16)
        parts: dict[str, Any] = {
            name: (counts >> shift) & ((1 << bits) - 1)
            for name, bits, shift in zip(postings.FIELDS, postings.BITS, postings.SHIFTS, strict=True)
        }
        weights = self._weights
        tables = [np.asarray(sum(weights.fields[name] * parts[name] for name in group), np.float32) for group in GROUPS]
        place = {name: number for number, name in enumerate(postings.FIELDS)}
        lengths = [
            [sum(each.lengths[:, place[name]].astype(np.float32) for name in group) for group in GROUPS]
            for each in self._segments
        ]
        averages = self._averages
        for number in range(len(averages), len(GROUPS)):
            total = sum(float(np.sum(each[number])) for each in lengths)
            some = sum(int(np.count_nonzero(each[number])) for each in lengths)
            averages.append(max(1.0, total / max(1, some)))
        norms = [
            [
                np.asarray(1 / (1 - b + b * length / average), np.float32)
                for b, length, average in zip(weights.lengths, of_segment, averages, strict=True)
            ]
            for of_segment in lengths
        ]
        return tables, norms, averages


def in_files(of: npt.NDArray[np.uint32], files: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """For each premise whether its file counts; a file that the mask does not reach does not."""
    if not len(files):
        return np.zeros(len(of), np.bool_)
    return files[np.minimum(of, len(files) - 1)] & (of < len(files))


def rarities(lexicals: Sequence[Lexical], question: Question) -> dict[str, float]:
    """How much each term of a question tells apart what these hold together."""
    count = sum(each.count for each in lexicals)
    return {term: _rarity(sum(each.frequency(term) for each in lexicals), count) for term, _ in question.terms}


def _rarity(frequency: int, count: int) -> float:
    return math.log(1 + (count - min(frequency, count) + 0.5) / (frequency + 0.5))


def in_module(module: str, wanted: str) -> bool:
    """Whether a module is the one that was asked for, below it, or has that name or those of its parts in its own."""
    module, wanted = module.lower(), wanted.lower().rstrip(".*")
    return module == wanted or module.startswith(wanted + ".") or f".{wanted}." in f".{module}."
