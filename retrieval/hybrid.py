"""Searches several packages at once: words and vectors fused, the best ranked again by what they say. Nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tacit.index.premise import Kind, Origin
from tacit.index.store import Store, Stored
from tacit.retrieval.lexical import Lexical, rarities
from tacit.retrieval.question import Question, parse, understand
from tacit.retrieval.ranker import Query, Ranker
from tacit.retrieval.text import name_words, shape, words

CANDIDATES = 200
RERANKED = 100


@dataclass(frozen=True, slots=True)
class Shelf:
    """The index of one package, open: its premises, their words and, where they are made, their vectors."""

    package: str
    store: Store
    lexical: Lexical
    dense: Ranker | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """An answer: the premise, its package, and a score that falls from the first to the last."""

    package: str
    stored: Stored
    score: float


@dataclass(frozen=True, slots=True)
class Mix:
    """What fusion and the second ranking depend on; tuned as the weights of words were."""

    dense: float = 1.0
    """Vectors against words."""
    name_covered: float = 0.075
    covered: float = 0.05
    exact: float = 1.0
    mentioned: float = 0.0
    """A name that is not all of the query: more often what the answer is about than the answer."""
    ending: float = 0.4
    beginning: float = 0.15
    pattern: float = 0.6
    shape: float = 0.03
    generated: float = 0.15
    instance: float = 0.2
    deprecated: float = 0.2


_GENERATED = frozenset({Origin.SIMPS, Origin.ATTRIBUTE, Origin.DERIVING, Origin.TO_ADDITIVE, Origin.TO_DUAL})


class Hybrid:
    """Answers queries from all its shelves. `dense` of a shelf may be missing: its words answer alone then."""

    name = "fused"

    def __init__(self, shelves: Sequence[Shelf], mix: Mix | None = None) -> None:
        self.shelves = tuple(shelves)
        self._mix = mix or Mix()

    def search(self, text: str, limit: int = 10, *, path: str = "", rerank: bool = True) -> list[Hit]:
        """The best premises for what was typed. `private` ones only of the file at `path`."""
        question = understand(parse(text))
        query = question.query
        if not query.text:
            return []
        shelves = [each for each in self.shelves if _wanted(each.package, query.packages)]
        fused = self._fuse(shelves, question)
        best = sorted(fused, key=lambda each: (-fused[each], each))[: max(RERANKED, limit)]
        hits = []
        for number, shelf in enumerate(shelves):
            ids = [premise for place, premise in best if place == number]
            for stored in shelf.store.get(ids):
                if stored.premise.private and stored.path != path:
                    continue
                score = fused[number, stored.id]
                hits.append(Hit(shelf.package, stored, score))
        if rerank:
            hits = _rerank(hits, question, self._mix)
        hits.sort(key=lambda each: (-each.score, len(each.stored.premise.name), each.stored.premise.name))
        return hits[:limit]

    def _fuse(self, shelves: Sequence[Shelf], question: Question) -> dict[tuple[int, int], float]:
        common = rarities([each.lexical for each in shelves], question) if len(shelves) > 1 else None
        said: dict[tuple[int, int], float] = {}
        for number, shelf in enumerate(shelves):
            for found in shelf.lexical.rank_question(question, CANDIDATES, common):
                said[number, found.premise] = found.score
        fused = _normalised(said)
        meant = self._meant(shelves, question.query, said)
        if meant:
            for key, score in _normalised(meant).items():
                fused[key] = fused.get(key, 0.0) + self._mix.dense * score
            fused = {key: score / (1 + self._mix.dense) for key, score in fused.items()}
        return fused

    def _meant(
        self, shelves: Sequence[Shelf], query: Query, said: dict[tuple[int, int], float]
    ) -> dict[tuple[int, int], float]:
        """What vectors find, and what they think of what words found; words must judge what vectors found, too."""
        meant: dict[tuple[int, int], float] = {}
        for number, shelf in enumerate(shelves):
            if shelf.dense is None:
                continue
            found = {each.premise: each.score for each in shelf.dense.rank(query, CANDIDATES)}
            if query.kinds or query.modules:
                kept = shelf.lexical.satisfying(query, list(found))
                found = {premise: score for premise, score in found.items() if premise in kept}
            others = [premise for place, premise in said if place == number and premise not in found]
            found.update(zip(others, shelf.dense.scores(query, others), strict=True))
            meant.update({(number, premise): score for premise, score in found.items()})
        return meant


def _wanted(package: str, asked: Sequence[str]) -> bool:
    return not asked or package.lower() in {each.lower() for each in asked}


def _normalised(scores: dict[tuple[int, int], float]) -> dict[tuple[int, int], float]:
    if not scores:
        return {}
    highest, lowest = max(scores.values()), min(scores.values())
    span = (highest - min(lowest, 0.0)) or 1.0
    return {key: (score - min(lowest, 0.0)) / span for key, score in scores.items()}


def _rerank(hits: Sequence[Hit], question: Question, mix: Mix) -> list[Hit]:
    asked = {term for term, _ in question.terms if term[0] not in "=~"}
    names = [each.lower() for each in question.names]
    symbols = set(shape(question.query.text)) if re.search(r"[^\w\s,.'\"()?!:;-]", question.query.text) else set()
    return [
        Hit(each.package, each.stored, each.score + _bonus(each.stored, question, asked, names, symbols, mix))
        for each in hits
    ]


@lru_cache(maxsize=4096)
def _words(name: str, doc: str, type_: str) -> frozenset[str]:
    return frozenset((*name_words(name), *words(doc), *words(type_)))


def _bonus(
    stored: Stored, question: Question, asked: set[str], names: Sequence[str], symbols: set[str], mix: Mix
) -> float:
    premise = stored.premise
    bonus = 0.0
    lower = premise.name.lower()
    last = lower.rpartition(".")[2]
    alone = len(names) == 1 and names[0] == question.query.text.lower()
    for name in names:
        if name == lower:
            bonus += mix.exact if alone else mix.mentioned
        elif lower.endswith("." + name) or name == last:
            bonus += mix.ending if alone else mix.mentioned / 2
        elif alone and (last.startswith(name) or lower.startswith(name)):
            bonus += mix.beginning
    of_name = set(name_words(premise.name.rpartition(".")[2])) or {"?"}
    bonus += mix.name_covered * len(of_name & asked) / len(of_name)
    if asked:
        bonus += mix.covered * len(_words(premise.name, premise.doc, premise.type) & asked) / len(asked)
    if question.pattern is not None and question.pattern.rule.search(premise.type):
        bonus += mix.pattern
    if symbols:
        bonus += mix.shape * len(symbols & set(shape(premise.type))) / len(symbols)
    if premise.origin in _GENERATED:
        bonus -= mix.generated
    if premise.kind is Kind.INSTANCE:
        bonus -= mix.instance
    if any(each.startswith("deprecated") for each in premise.attributes):
        bonus -= mix.deprecated
    return bonus
