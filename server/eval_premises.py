"""`tacit eval premises`: asks for the premises of theorems whose proofs are known, and counts which the proofs name.

The theorems are drawn from files that took no part in fitting anything: a fifth of all, by a hash of the module's name.
Their proofs, but for those above a theorem in its own file, are not learned from while they are asked for.
"""

from __future__ import annotations

import hashlib
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tacit.index.binders import binders
from tacit.index.premise import Kind, Origin, Premise
from tacit.index.uses import Names, load, named_in, uses_file
from tacit.retrieval.lexical import Lexical
from tacit.retrieval.premises import WORDS, Candidates, Place, PremiseRanker, Shelf, State
from tacit.retrieval.ranker import Query
from tacit.server.command import Exit
from tacit.server.errors import BadInput
from tacit.server.library import close_library, open_library, read_proofs
from tacit.server.terminal import Terminal

AT = (10, 32)
HELD_OUT = 5
"""One file in so many."""
PER_FILE = 2
MEANT = 3_000
"""How many vectors are looked at before what cannot be used is left out."""


@dataclass(frozen=True, slots=True)
class Proved:
    """A theorem as a goal, where it stands, and the theorems its own proof names that can be used there."""

    name: str
    state: State
    place: Place
    named: frozenset[str]


@dataclass(slots=True)
class Tally:
    """The sums over all theorems of what one source found."""

    recall: dict[int, float] = field(default_factory=lambda: dict.fromkeys(AT, 0.0))
    reciprocal: float = 0.0
    gain: float = 0.0
    asked: int = 0

    def add(self, answers: Sequence[str], right: frozenset[str]) -> None:
        """One theorem: the answers in order, and what was right."""
        answers = list(dict.fromkeys(answers))[: max(AT)]
        places = [place for place, name in enumerate(answers) if name in right]
        for at in AT:
            self.recall[at] += sum(place < at for place in places) / len(right)
        self.reciprocal += 1 / (places[0] + 1) if places else 0.0
        best = sum(1 / math.log2(place + 2) for place in range(min(len(right), max(AT))))
        self.gain += sum(1 / math.log2(place + 2) for place in places) / best
        self.asked += 1

    def means(self) -> dict[str, float]:
        """The mean of each measure."""
        count = max(self.asked, 1)
        recalls = {f"recall@{at}": self.recall[at] / count for at in AT}
        return {**recalls, "mrr": self.reciprocal / count, f"ndcg@{max(AT)}": self.gain / count}


def evaluate_premises(terminal: Terminal, paths: Sequence[Path], sample: int, seed: int, *, as_json: bool) -> int:
    """Print the table."""
    library = open_library(paths)
    try:
        with terminal.measured("reading proofs") as progress:
            for each in library.shelves:
                read_proofs(each.store.path, progress)
        stores = [each.store for each in library.shelves]
        ranker = PremiseRanker([Shelf(each, Lexical(each, WORDS), load(uses_file(each.path))) for each in stores])
        without = ranker.rows_of(held_out)
        dense = [each.dense for each in library.shelves]
        tallies: dict[str, Tally] = {}
        times: list[float] = []
        named = 0
        theorems = draw(library.shelves[0].store, ranker, Names.of(stores), sample, seed)
        with terminal.measured("theorems") as progress:
            for number, theorem in enumerate(theorems):
                progress("asking", number, sample)
                named += len(theorem.named)
                begun = time.perf_counter()
                answers = [each.premise.name for each in ranker.rank(theorem.state, theorem.place, max(AT), without)]
                times.append((time.perf_counter() - begun) * 1000)
                found = ranker.candidates(theorem.state, theorem.place, without)
                tallies.setdefault("words", Tally()).add(_by(ranker, found, found.likeness), theorem.named)
                tallies.setdefault("neighbours", Tally()).add(_by(ranker, found, found.votes), theorem.named)
                if all(dense):
                    meant = []
                    for shelf in library.shelves:
                        assert shelf.dense is not None
                        ranked = shelf.dense.rank(Query(theorem.state.target), MEANT)
                        meant += [(each.score, stored) for each, stored in _stored(shelf.store, ranked)]
                    meant.sort(key=lambda each: -each[0])
                    names = [stored.premise.name for _, stored in meant]
                    usable = ranker.proved(names, theorem.place)
                    tallies.setdefault("vectors", Tally()).add([x for x in names if x in usable], theorem.named)
                tallies.setdefault("all together", Tally()).add(answers, theorem.named)
    finally:
        close_library(library)
    if not times:
        raise BadInput("No theorem here has a proof that names another one.", hint="Name a package with proofs.")
    times.sort()
    report: dict[str, Any] = {name: tally.means() for name, tally in tallies.items()}
    speed = {"p50": times[len(times) // 2], "p95": times[int(len(times) * 0.95)]}
    if as_json:
        terminal.json({"theorems": len(times), "named": named, "sources": report, "milliseconds": speed})
        return Exit.DONE
    measures = list(next(iter(report.values())))
    terminal.line(f"{'source':<14}" + "".join(f"{name:>12}" for name in measures))
    for name, found_ in report.items():
        terminal.line(f"{name:<14}" + "".join(f"{found_[each]:>12.3f}" for each in measures))
    terminal.note(
        f"{len(times)} theorems of held-out files, {named / len(times):.1f} usable theorems named by a proof;"
        f" p50 {speed['p50']:.0f} ms, p95 {speed['p95']:.0f} ms a goal, what stands above it read anew."
    )
    return Exit.DONE


def held_out(module: str) -> bool:
    """Whether a module took no part in fitting; the same modules in every version of a package."""
    return hashlib.blake2b(module.encode(), digest_size=4).digest()[0] % HELD_OUT == 0


def draw(
    store: Any, ranker: PremiseRanker, names: Names, sample: int, seed: int, *, held: bool = True
) -> Iterator[Proved]:
    """Theorems in an order that the seed decides, from as many files as there are."""
    chance = random.Random(seed)
    files = sorted((each for each in store.files().values() if held_out(each.module) == held), key=lambda f: f.module)
    chance.shuffle(files)
    given = 0
    for file in files:
        try:
            text = Path(file.path).read_text(encoding="utf-8-sig").replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError):
            continue
        query = "SELECT id FROM premises WHERE file = ? ORDER BY id"
        ids = [row[0] for row in store.database.execute(query, (file.id,))]
        theorems = [s.premise for s in store.get(ids) if s.premise.kind is Kind.THEOREM]
        theorems = [each for each in theorems if each.origin is Origin.SOURCE]
        chance.shuffle(theorems)
        taken = 0
        for each in theorems:
            place = Place(text[: each.start], file.module, each.name)
            named = ranker.proved(named_in(each, text, names), place) - {each.name}
            if named and taken < PER_FILE:
                taken += 1
                given += 1
                yield Proved(each.name, state_of(each), place, frozenset(named))
            if given == sample:
                return


def state_of(premise: Premise) -> State:
    """The goal that a theorem is before its proof begins."""
    found = [
        (name, each.type)
        for each in binders(f"{premise.context} {premise.binders}")
        for name in (each.names or ("inst",))
    ]
    return State(premise.type, tuple(found))


def _by(ranker: PremiseRanker, found: Candidates, scores: Any) -> list[str]:
    best = np.argsort(-scores, kind="stable")[: max(AT)]
    best = best[scores[best] > 0]
    return [each.name for each in ranker.premises(found, best) if each is not None]


def _stored(store: Any, ranked: Any) -> list[tuple[Any, Any]]:
    by_id = {each.id: each for each in store.get([each.premise for each in ranked])}
    return [(each, by_id[each.premise]) for each in ranked if each.premise in by_id]
