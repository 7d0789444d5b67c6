"""Ranking by vectors over a store: what is found, and what changes when the store does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tacit.index.premise import Kind, Premise
from tacit.index.store import File, Store
from tacit.index.vectors import Filled, NoVectors
from tacit.retrieval.dense import DenseRanker, embed
from tacit.retrieval.passage import passage
from tacit.retrieval.ranker import Query
from tests.unit.test_vectors import FakeEncoder

COMM = Premise("Nat.add_comm", Kind.THEOREM, "Init", 1, type="n + m = m + n", binders="(n m : ℕ)", doc="Adding `n`.")
IRRATIONAL = Premise("irrational_sqrt_two", Kind.THEOREM, "Real", 2, type="Irrational (√2)")
LATTICE = Premise("Lattice", Kind.CLASS, "Order", 3, type="extends SemilatticeSup α, SemilatticeInf α")


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


def store(path: Path, *premises: Premise) -> Store:
    made = Store.create(path)
    file = made.put_file(File(0, "M", "M.lean", "0", "", ""), [])
    made.put(file, premises, {})
    made.database.commit()
    return made


@pytest.fixture
def as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions are embedded as they are: a passage can be asked for."""
    monkeypatch.setattr("tacit.retrieval.dense.spoken", lambda text: text)


@pytest.mark.usefixtures("as_they_are")
def test_the_premise_whose_text_it_is_comes_first(tmp_path: Path, encoder: FakeEncoder) -> None:
    opened = store(tmp_path / "a.db", COMM, IRRATIONAL, LATTICE)
    assert embed(tmp_path / "v", encoder, opened) == Filled(3, 0, 3)
    ranker = DenseRanker.open(tmp_path / "v", encoder, opened.digests())
    for stored in opened.all():
        first, *rest = ranker.rank(Query(passage(stored.premise)), limit=3)
        assert first.premise == stored.id
        assert first.score == pytest.approx(1, abs=0.03)
        assert len(rest) == 2
        query = Query(passage(stored.premise))
        ranked = ranker.rank(query)
        assert ranker.scores(query, [each.premise for each in ranked]) == pytest.approx(
            [each.score for each in ranked], abs=1e-5
        )
    assert ranker.scores(Query("x"), [12345, -1]) == [0, 0]
    assert ranker.scores(Query("x"), []) == []


def test_ranking_and_scoring_encode_a_query_once(tmp_path: Path, encoder: FakeEncoder) -> None:
    opened = store(tmp_path / "a.db", COMM)
    embed(tmp_path / "v", encoder, opened)
    ranker = DenseRanker.open(tmp_path / "v", encoder, opened.digests())
    encoder.seen.clear()
    ranker.scores(Query("addition"), [each.premise for each in ranker.rank(Query("addition"))])
    assert encoder.seen == ["addition"]


def test_questions_are_written_as_passages_are(tmp_path: Path, encoder: FakeEncoder) -> None:
    opened = store(tmp_path / "a.db", COMM)
    embed(tmp_path / "v", encoder, opened)
    encoder.seen.clear()
    DenseRanker.open(tmp_path / "v", encoder, opened.digests()).rank(Query(r"$\sum_i$ `Nat.add_comm`"))
    assert encoder.seen == ["sum i nat . add comm"]


@pytest.mark.usefixtures("as_they_are")
def test_a_store_made_anew_has_other_ids_and_the_same_vectors(tmp_path: Path, encoder: FakeEncoder) -> None:
    embed(tmp_path / "v", encoder, store(tmp_path / "a.db", COMM, IRRATIONAL, LATTICE))
    anew = store(tmp_path / "b.db", LATTICE, COMM, IRRATIONAL)
    # The vectors are right before anybody has looked at them again.
    ranker = DenseRanker.open(tmp_path / "v", encoder, anew.digests())
    (lattice,) = anew.named("Lattice")
    assert ranker.rank(Query(passage(LATTICE)), limit=1)[0].premise == lattice.id
    assert embed(tmp_path / "v", encoder, anew) == Filled(0, 0, 3)


def test_only_what_is_new_is_embedded_and_what_is_gone_is_not_found(tmp_path: Path, encoder: FakeEncoder) -> None:
    embed(tmp_path / "v", encoder, store(tmp_path / "a.db", COMM, IRRATIONAL))
    later = store(tmp_path / "b.db", IRRATIONAL, LATTICE)
    before = DenseRanker.open(tmp_path / "v", encoder, later.digests())
    assert [each.premise for each in before.rank(Query("q"))] == [later.named("irrational_sqrt_two")[0].id]
    encoder.seen.clear()
    assert embed(tmp_path / "v", encoder, later) == Filled(1, 0, 2)
    assert encoder.seen == [passage(LATTICE)]
    after = DenseRanker.open(tmp_path / "v", encoder, later.digests())
    assert {each.premise for each in after.rank(Query("q"))} == {each.id for each in later.all()}


def test_an_interrupted_embedding_goes_on(
    tmp_path: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tacit.index.vectors.AT_ONCE", 1)
    opened = store(tmp_path / "a.db", COMM, IRRATIONAL, LATTICE)

    def interrupt(_what: str, done: int, _total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed(tmp_path / "v", encoder, opened, interrupt)
    assert len(DenseRanker.open(tmp_path / "v", encoder, opened.digests()).rank(Query("q"))) == 2
    assert embed(tmp_path / "v", encoder, opened) == Filled(1, 2, 3)


def test_without_vectors_there_is_no_ranker(tmp_path: Path, encoder: FakeEncoder) -> None:
    opened = store(tmp_path / "a.db", COMM)
    with pytest.raises(NoVectors):
        DenseRanker.open(tmp_path / "v", encoder, opened.digests())


def test_an_empty_store(tmp_path: Path, encoder: FakeEncoder) -> None:
    opened = store(tmp_path / "a.db")
    embed(tmp_path / "v", encoder, opened)
    ranker = DenseRanker.open(tmp_path / "v", encoder, opened.digests())
    assert list(ranker.rank(Query("anything"))) == []
    assert ranker.scores(Query("anything"), [1]) == [0]
