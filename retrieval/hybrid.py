"""Searches several packages at once: words and vectors fused, the best ranked again by what they say. Nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tacit.index.store import Store
from tacit.retrieval.filters import listed, unmet
from tacit.retrieval.lexical import Lexical, rarities
from tacit.retrieval.question import Question, parse, understand
from tacit.retrieval.ranker import Query, Ranker
from tacit.retrieval.rerank import Hit, Mix, rerank_hits

CANDIDATES = 200
FILTERED = 2000
"""Neighbours that are looked through where few of them may satisfy the filters."""
RERANKED = 100
ALIKE = 200
"""Candidates for a pattern, of which many have the same words."""


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
        """The best premises for what was typed. `private` ones only of the file at `path`.

        Filters alone: what satisfies them, as it stands in the files, without scores.
        """
        question = understand(parse(text))
        query = question.query
        shelves = [each for each in self.shelves if _wanted(each.package, query.packages)]
        if not query.text:
            some = listed(shelves, query, limit, path) if query.modules or query.kinds or query.packages else []
            return [Hit(shelf.package, stored, 0.0) for shelf, stored in some]
        if not question.terms:  # vectors find something near whatever it is
            return []
        fused = _seen(shelves, query, self._fuse(shelves, question))
        best = sorted(fused, key=lambda each: (-fused[each], each))[
            : max(limit, RERANKED if question.pattern is None else ALIKE)
        ]
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

    def objections(self, text: str) -> list[str]:
        """Why a question can have no answer here, in sentences; none where it can, whether it has one or not."""
        question = understand(parse(text))
        query = question.query
        found = unmet(self.shelves, query)
        if text.strip() and not question.terms and not (query.modules or query.kinds or query.packages):
            found.append("There is no word, name or symbol in it that could be looked up.")
        return found

    def _fuse(self, shelves: Sequence[Shelf], question: Question) -> dict[tuple[int, int], float]:
        common = rarities([each.lexical for each in shelves], question) if len(shelves) > 1 else None
        found: dict[int, list[int]] = {}
        most = CANDIDATES if question.pattern is None else ALIKE
        for number, shelf in enumerate(shelves):
            said = [each.premise for each in shelf.lexical.rank_question(question, most, common)]
            found[number] = list(dict.fromkeys([*said, *_near(shelf, question)]))
        # Words judge what vectors found, and vectors what words found.
        fused: dict[tuple[int, int], float] = {}
        meant: dict[tuple[int, int], float] = {}
        for number, shelf in enumerate(shelves):
            keys = [(number, premise) for premise in found[number]]
            fused |= zip(keys, shelf.lexical.scores_question(question, found[number], common), strict=True)
            if shelf.dense is not None and not _is_pattern(question):
                meant |= zip(keys, shelf.dense.scores(question.query, found[number]), strict=True)
        fused, meant = _of_the_best(fused), _of_the_best(meant)
        # Where nobody knows how near, because a vector is not made yet: as near as words say, or all that have one win.
        return {
            key: score + (self._mix.dense * (meant.get(key) or score) if meant else 0.0) for key, score in fused.items()
        }


def _is_pattern(question: Question) -> bool:
    return question.pattern is not None and not question.pattern.guessed


def _near(shelf: Shelf, question: Question) -> list[int]:
    """What vectors find that satisfies the filters; a pattern with holes means nothing to them."""
    query = question.query
    if shelf.dense is None or _is_pattern(question):
        return []
    filtered = bool(query.kinds or query.modules)
    found = [each.premise for each in shelf.dense.rank(query, FILTERED if filtered else CANDIDATES)]
    if filtered:
        kept = shelf.lexical.satisfying(query, found)
        found = [each for each in found if each in kept]
    return found[:CANDIDATES]


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


def _of_the_best(scores: dict[tuple[int, int], float]) -> dict[tuple[int, int], float]:
    """Each score as a share of the highest; none below 0."""
    highest = max(scores.values(), default=0.0)
    return {key: max(0.0, score) / highest if highest > 0 else 0.0 for key, score in scores.items()}
