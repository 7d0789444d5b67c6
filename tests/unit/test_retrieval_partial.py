"""Packages of which one has vectors and the other has none yet, as while they are being made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tacit.index.build import build
from tacit.index.store import Store
from tacit.retrieval.hybrid import Hybrid, Shelf
from tacit.retrieval.lexical import Lexical
from tacit.retrieval.ranker import Query, Ranked
from tests.unit.corpus import ANALYSIS, corpus, index, write

OWN = {"Own.lean": "theorem own_maximum : 1 = 1 := rfl\ntheorem own_other : 2 = 2 := rfl\n"}


class Everything:
    """A ranker by vectors to which all premises of its store are equally near."""

    name = "dense"

    def __init__(self, store: Store) -> None:
        self._ids = [number for number, _ in store.digests()]

    def rank(self, query: Query, limit: int = 200) -> Sequence[Ranked]:
        return [Ranked(each, 0.2) for each in self._ids[:limit]]

    def scores(self, query: Query, premises: Sequence[int]) -> Sequence[float]:
        return [0.2] * len(premises)


@pytest.fixture
def shelves(tmp_path: Path) -> Iterator[list[Shelf]]:
    write(tmp_path / "top")
    write(tmp_path / "own", OWN)
    index(tmp_path / "top", tmp_path / "top.db")
    build(tmp_path / "own.db", corpus(tmp_path / "own", "own"), ANALYSIS, lambda *_: None)
    stores = [Store.open(tmp_path / f"{name}.db") for name in ("top", "own")]
    yield [Shelf(name, store, Lexical(store)) for name, store in zip(("top", "own"), stores, strict=True)]
    for store in stores:
        store.close()


def test_a_package_without_vectors_is_not_behind_all_that_have_some(shelves: list[Shelf]) -> None:
    top, own = shelves
    mixed = Hybrid([top, Shelf("own", own.store, own.lexical, Everything(own.store))])
    question = "continuous function attains its maximum on a compact set"
    names = [each.stored.premise.name for each in mixed.search(question)]
    assert names[0] == "IsCompact.exists_isMaxOn"
    alone = [each.stored.premise.name for each in Hybrid([top, own]).search(question)]
    assert names[0] == alone[0]
    assert set(names) >= {"own_maximum"}
