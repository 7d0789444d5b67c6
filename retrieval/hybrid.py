"""Searches several packages at once: words and vectors fused, the best ranked again by what they say. Nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tacit.index.store import Store
from tacit.retrieval.lexical import Lexical, rarities
from tacit.retrieval.question import Question, parse, understand
from tacit.retrieval.ranker import Query, Ranker
from tacit.retrieval.rerank import Hit, Mix, rerank_hits

CANDIDATES = 200
RERANKED = 100


@dataclass(frozen=True, slots=True)
class Shelf:
    """The index of one package, open: its premises, their words and, where they are made, their vectors."""

    package: str
    store: Store
    lexical: Lexical
    dense: Ranker | None = None


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
        fused = _seen(shelves, query, self._fuse(shelves, question))
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
            hits = rerank_hits(hits, question, self._mix)
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
            near = _normalised(meant)
            for number, shelf in enumerate(shelves):
                if shelf.dense is None:  # nobody knows how near: as near as words say, or all that have vectors win
                    near.update({key: score for key, score in fused.items() if key[0] == number})
            for key, score in near.items():
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


def _seen(shelves: Sequence[Shelf], query: Query, fused: dict[tuple[int, int], float]) -> dict[tuple[int, int], float]:
    """Without what a shelf hides, a file that another shelf has in a newer version: vectors find it all the same."""
    for number, shelf in enumerate(shelves):
        if shelf.lexical.hiding:
            ids = [premise for place, premise in fused if place == number]
            gone = set(ids) - shelf.lexical.satisfying(query, ids)
            fused = {key: score for key, score in fused.items() if key[0] != number or key[1] not in gone}
    return fused


def _wanted(package: str, asked: Sequence[str]) -> bool:
    return not asked or package.lower() in {each.lower() for each in asked}


def _normalised(scores: dict[tuple[int, int], float]) -> dict[tuple[int, int], float]:
    if not scores:
        return {}
    highest, lowest = max(scores.values()), min(scores.values())
    span = (highest - min(lowest, 0.0)) or 1.0
    return {key: (score - min(lowest, 0.0)) / span for key, score in scores.items()}
