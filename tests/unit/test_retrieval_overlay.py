"""Texts that no index holds yet: they are found beside the index, in the place of what it has of their modules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tacit.index.packages import Library, Package
from tacit.index.store import Store
from tacit.retrieval.hybrid import Hybrid, Shelf
from tacit.retrieval.lexical import Lexical
from tacit.retrieval.overlay import Draft, DraftVectors, draft, shelve, text_digest
from tacit.retrieval.ranker import Query, Ranked
from tests.unit.corpus import ALGEBRA, TOPOLOGY, index, write


@pytest.fixture
def top(tmp_path: Path) -> Iterator[Shelf]:
    write(tmp_path / "src")
    index(tmp_path / "src", tmp_path / "top.db")
    store = Store.open(tmp_path / "top.db")
    yield Shelf("top", store, Lexical(store))
    store.close()


def names(shelves: Sequence[Shelf], text: str, path: str = "") -> list[str]:
    return [each.stored.premise.name for each in Hybrid(shelves).search(text, path=path)]


def algebra(text: str) -> Draft:
    return draft(text, "top", "Top.Algebra", "/src/Top/Algebra.lean")


def test_what_is_typed_takes_the_place_of_what_is_indexed(top: Shelf) -> None:
    typed = algebra(ALGEBRA.replace("theorem inv_unique", "theorem inv_is_unique"))
    top.lexical.hide([typed.module])
    shelves = [top, shelve(typed, top.lexical)]
    found = names(shelves, "inverse unique")
    assert "Group.inv_is_unique" in found
    assert "Group.inv_unique" not in found
    assert found.count("Group.mul_comm") <= 1
    assert names(shelves, "extreme value theorem")[0] == "IsCompact.exists_isMaxOn"
    top.lexical.hide([])
    assert "Group.inv_unique" in names([top], "inverse unique")


def test_the_same_text_is_ranked_the_same(top: Shelf) -> None:
    before = {each.stored.premise.name: each.score for each in Hybrid([top]).search("commutative group", 20)}
    typed = algebra(ALGEBRA)
    top.lexical.hide([typed.module])
    after = {
        each.stored.premise.name: each.score
        for each in Hybrid([top, shelve(typed, top.lexical)]).search("commutative group", 20)
    }
    assert after.keys() == before.keys()
    assert sorted(after, key=lambda name: -after[name])[:3] == sorted(before, key=lambda name: -before[name])[:3]


def test_a_file_that_is_gone_is_not_found(top: Shelf) -> None:
    top.lexical.hide(["Top.Topology"])
    assert names([top], "compact") == []
    assert "Group.mul_comm" in names([top], "mul_comm")


def test_vectors_do_not_bring_back_what_is_hidden(top: Shelf) -> None:
    class Finds:
        name = "dense"

        def rank(self, query: Query, limit: int = 200) -> Sequence[Ranked]:
            return [Ranked(top.store.named("Continuous.comp")[0].id, 0.9)]

        def scores(self, query: Query, premises: Sequence[int]) -> Sequence[float]:
            return [0.0] * len(premises)

    shelf = Shelf("top", top.store, top.lexical, Finds())
    assert names([shelf], "zzz") == ["Continuous.comp"]
    top.lexical.hide(["Top.Topology"])
    assert names([shelf], "zzz") == []


def test_what_is_private_is_found_from_its_own_file_only() -> None:
    typed = draft("private theorem own_secret : 1 = 1 := rfl\n", "top", "Top.New", "/src/Top/New.lean")
    assert names([shelve(typed)], "own_secret") == []
    assert names([shelve(typed)], "own_secret", path="/src/Top/New.lean") == ["own_secret"]


def test_the_digest_is_the_files(tmp_path: Path) -> None:
    write(tmp_path / "src")
    index(tmp_path / "src", tmp_path / "top.db")
    store = Store.open(tmp_path / "top.db")
    assert store.files()["Top.Topology"].digest == text_digest(TOPOLOGY)
    assert draft("theorem a : 1 = 1 := rfl\r\n", "", "A", "").premises[0].line == 1
    store.close()


@pytest.mark.parametrize("text", ["", "theorem", "theorem a :", "/-- half", "\ud800", "namespace A\n" * 500, "🦫" * 99])
def test_half_a_text_is_a_shelf_too(text: str) -> None:
    shelf = shelve(draft(text, "top", "Top.Half", ""))
    Hybrid([shelf]).search("theorem a")
    shelf.store.close()


class Letters:
    """An encoder that counts letters, and the texts that it was given."""

    name = fingerprint = "letters"
    dimension = 26

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts += texts
        rows = [[1e-3 + each.lower().count(chr(97 + place)) for place in range(26)] for each in texts]
        table = np.array(rows, np.float32)
        found: NDArray[np.float32] = table / np.linalg.norm(table, axis=1, keepdims=True)
        return found


def test_only_what_changed_is_embedded_again() -> None:
    encoder = Letters()
    vectors = DraftVectors(encoder)
    typed = draft("theorem aaa : 1 = 1 := rfl\ntheorem bbb : 2 = 2 := rfl\n", "", "A", "")
    assert len(vectors.ranker(typed).rank(Query("a"))) == 2
    assert len(encoder.texts) == 3
    more = draft("theorem aaa : 1 = 1 := rfl\ntheorem bbbb : 2 = 2 := rfl\n", "", "A", "")
    ranker = vectors.ranker(more)
    assert [text[:4] for text in encoder.texts[3:]] == ["bbbb"]
    assert ranker.rank(Query("b"))[0].premise == 2
    assert ranker.scores(Query("b"), [2, 1, 7])[0] > ranker.scores(Query("b"), [2, 1, 7])[1] > 0
    assert vectors.ranker(draft("", "", "A", "")).rank(Query("b")) == []
    shelf = shelve(more, dense=ranker)
    assert names([shelf], "bb bb")[0] == "bbbb"
    shelf.store.close()


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("Top/New.lean", "Top.New"),
        ("Top/my file.lean", "Top.«my file»"),
        ("lakefile.lean", None),
        ("Top/New.txt", None),
        (".lake/packages/a/A.lean", None),
        ("Top/.lake/A.lean", None),
        ("../Other.lean", None),
    ],
)
def test_the_module_of_a_file_that_is_not_there_yet(tmp_path: Path, path: str, module: str | None) -> None:
    package = Package("top", tmp_path)
    file = Path(tmp_path / path)
    assert package.module_of(tmp_path.parent / file.name if path.startswith("..") else file) == module


def test_the_module_of_a_file_of_a_library(tmp_path: Path) -> None:
    package = Package("top", tmp_path, libraries=(Library(tmp_path / "src", ("Top", "Top.Extra")),))
    assert package.module_of(tmp_path / "src" / "Top.lean") == "Top"
    assert package.module_of(tmp_path / "src" / "Top" / "A.lean") == "Top.A"
    assert package.module_of(tmp_path / "src" / "Topper.lean") is None
    assert package.module_of(tmp_path / "Top" / "A.lean") is None
