"""Tunes the weights of the second ranking and says what they are worth: `search_weights.py QUESTIONS.json`.

Prints what the weights of the product give, without each of them in turn, tuned on all questions, and tuned on one half
of the declarations and asked about the other, three ways to halve them and both ways round: the honest figure.
MATHLIB names what is searched; it must be indexed, with vectors unless `--words` is said.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tacit.retrieval.evaluation import quality
from tacit.retrieval.hybrid import CANDIDATES, Shelf
from tacit.retrieval.question import parse, understand
from tacit.retrieval.rerank import Asked, Mix, signs
from tacit.server.errors import TacitError
from tacit.server.eval_command import read_questions
from tacit.server.library import close_library, open_library

Weights = Mapping[str, float]
SIGNS = tuple(each.name for each in fields(Mix))
TRIED: dict[str, tuple[float, ...]] = {
    "dense": (0, 0.5, 1, 1.5, 2, 2.5, 3),
    "short": (0, 0.1, 0.2, 0.3, 0.4, 0.5),
    "notion": (0, 0.05, 0.1, 0.15),
    "called": (0, 0.1, 0.2, 0.3, 0.4, 0.5),
    "symbols": (0, 0.1, 0.2, 0.25, 0.3),
    "generated": (0, -0.1, -0.2, -0.3),
    "instance": (0, -0.1, -0.2, -0.3),
    "part": (0, -0.05, -0.1),
    "aside": (0, -0.1, -0.2, -0.3),
}
START = dict.fromkeys(TRIED, 0.0) | {"dense": 1.0}
HALVES = 3


class Table:
    """For each question its candidates: what words say of them, their signs, which is the right one."""

    def __init__(self, shelf: Shelf, file: Path) -> None:
        self.asked = read_questions(file)
        rows = [self._row(shelf, each.text, each.right) for each in self.asked]
        most = max(len(right) for _, _, right in rows)
        self.words = np.zeros((len(rows), most), np.float32)
        self.signs = np.zeros((len(SIGNS), len(rows), most), np.float32)
        self.right = np.zeros((len(rows), most), np.bool_)
        self.there = np.zeros((len(rows), most), np.bool_)
        for number, (said, spoken, right) in enumerate(rows):
            self.words[number, : len(said)] = said
            self.signs[:, number, : len(said)] = spoken
            self.right[number, : len(said)] = right
            self.there[number, : len(said)] = True

    def _row(
        self, shelf: Shelf, text: str, right: str
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        question = understand(parse(text))
        asked = Asked.of(question)
        found = [each.premise for each in shelf.lexical.rank_question(question, CANDIDATES)]
        if shelf.dense is not None:
            found = list(dict.fromkeys([*found, *(each.premise for each in shelf.dense.rank(question.query))]))
        stored = [each for each in shelf.store.get(found) if not each.premise.private]
        ids = [each.id for each in stored]
        said = np.array(shelf.lexical.scores_question(question, ids), np.float32)
        spoken = np.zeros((len(SIGNS), len(ids)), np.float32)
        for place, each in enumerate(stored):
            for sign, much in signs(each, asked).items():
                spoken[SIGNS.index(sign), place] = much
        if shelf.dense is not None and ids:
            near = np.maximum(np.array(shelf.dense.scores(question.query, ids), np.float32), 0)
            spoken[SIGNS.index("dense")] = near / max(float(near.max()), 1e-6)
        share = said / max(float(said.max(initial=0)), 1e-6)
        return share, spoken, np.array([each.premise.name == right for each in stored], np.bool_)

    def places(self, weights: Weights) -> NDArray[np.int64]:
        """Where the right answer of each question stands; far off where it is no candidate."""
        scores = self.words + np.tensordot(np.array([weights.get(each, 0.0) for each in SIGNS]), self.signs, 1)
        scores = np.where(self.there, scores, -99.0)
        own = np.where(self.right, scores, -999.0).max(1)
        return np.where(own > -900, (scores > own[:, None]).sum(1), 10_000)

    def score(self, weights: Weights, chosen: NDArray[np.bool_]) -> float:
        """What tuning looks at."""
        found = quality(self.places(weights)[chosen].tolist())
        return found.gain + found.among / 2

    def tuned(self, start: Weights, chosen: NDArray[np.bool_]) -> dict[str, float]:
        """One weight after the other, as long as that helps."""
        weights = dict(start)
        best = self.score(weights, chosen)
        for _ in range(4):
            before = best
            for sign, values in TRIED.items():
                for value in values:
                    tried = {**weights, sign: value}
                    if (score := self.score(tried, chosen)) > best + 1e-4:
                        best, weights = score, tried
            if best == before:
                break
        return weights


def show(label: str, places: NDArray[np.int64]) -> None:
    """One line."""
    found = quality(places.tolist())
    print(f"{label:34} {found.first:.3f} {found.among:.3f} {found.gain:.3f}", flush=True)


def main() -> None:
    """Tune and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--words", action="store_true", help="without vectors")
    arguments = parser.parse_args()
    library = open_library([], dense=not arguments.words)
    try:
        table = Table(max(library.shelves, key=lambda each: each.lexical.count), arguments.questions)
    finally:
        close_library(library)
    everything = np.ones(len(table.asked), np.bool_)
    product = asdict(Mix())
    if arguments.words:
        product["dense"] = 0.0
    print(f"{'':34}  R@1  R@10  nDCG@10")
    show("words", table.places({}))
    if not arguments.words:
        show("vectors", table.places({"dense": 1000.0}))
        show("both", table.places({"dense": product["dense"]}))
    show("the product's weights", table.places(product))
    for sign in TRIED:
        if product[sign]:
            show(f"  without {sign}", table.places({**product, sign: 0.0}))
    fixed = {each: product[each] for each in SIGNS if each not in TRIED}
    best = table.tuned({**fixed, **START}, everything)
    show("tuned on all", table.places(best))
    print("  " + ", ".join(f"{sign} {best[sign]}" for sign in TRIED))
    names = sorted({each.right for each in table.asked})
    for seed in range(HALVES):
        half = set(np.random.default_rng(seed).permutation(names)[: len(names) // 2].tolist())
        chosen = np.array([each.right in half for each in table.asked])
        places = np.zeros(len(chosen), np.int64)
        for learned, held_out in ((chosen, ~chosen), (~chosen, chosen)):
            places[held_out] = table.places(table.tuned({**fixed, **START}, learned))[held_out]
        show(f"tuned on one half, the other, {seed + 1}", places)


if __name__ == "__main__":
    try:
        main()
    except TacitError as error:
        sys.exit(str(error))
