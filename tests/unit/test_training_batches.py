"""Rows of examples: each once, whole, in an order that the seed decides, weighted so that tactics are learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tacit.training.batches import ABOUT, IDS, PROMPT_WEIGHT, PROOF_WEIGHT, Rows, digest, fit, write, written
from tacit.training.errors import TrainingError
from tacit.training.examples import FIRST, LATER, Example
from tacit.training.tokenizer import Tokenizer, train

CONTEXT = 96


@pytest.fixture(scope="module")
def words() -> Tokenizer:
    return train(["n : ℕ\n⊢ n + 0 = n simp rfl exact intro"] * 20, 300)


def some(count: int) -> list[Example]:
    return [Example("simp" if number % 2 else "exact h", f"h : {'p ' * (number % 23)}\n⊢ q") for number in range(count)]


@pytest.fixture
def rows(tmp_path: Path, words: Tokenizer) -> Rows:
    about = write(some(200), words, tmp_path, CONTEXT, of="x")
    assert (about["examples"], about["too long"]) == (200, 0)
    return Rows(tmp_path)


def test_every_example_once_and_whole(rows: Rows, words: Tokenizer) -> None:
    seen = []
    for batch in rows.batches(4, seed=3):
        for ids, document in zip(batch.ids, batch.document, strict=True):
            seen += [words.decode(ids[document == number].tolist()) for number in range(document.max() + 1)]
            assert (ids[document == -1] == words.pad).all()
    assert sorted(seen) == sorted(f"{each.prompt}{each.tactic}<|end|>" for each in some(200))


def test_rows_are_nearly_full(rows: Rows) -> None:
    batches = list(rows.batches(1, seed=3))
    full = sum(int((each.document >= 0).sum()) for each in batches) / (CONTEXT * len(batches))
    assert full > 0.9
    assert rows.in_epoch(4, seed=3) == -(-len(batches) // 4)


def test_the_seed_decides_the_order_and_a_run_goes_on_where_it_ended(rows: Rows) -> None:
    first, again, other = ([each.ids for each in rows.batches(4, seed)] for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    rest = [each.ids for each in rows.batches(4, 3, skip=2)]
    assert all(np.array_equal(a, b) for a, b in zip(first[2:], rest, strict=True))
    assert list(rows.batches(4, 3, skip=10_000)) == []


def test_tactics_weigh_most_and_the_first_id_nothing(rows: Rows, words: Tokenizer) -> None:
    batch = next(rows.batches(1, seed=3))
    ids, weight = batch.ids[0][batch.document[0] == 0], batch.weight[0][batch.document[0] == 0]
    at = ids.tolist().index(words.id_of("<|tactic|>")) + 1
    assert weight[0] == 0
    assert (weight[1:at] == np.float32(PROMPT_WEIGHT)).all()
    assert (weight[at:] == 1).all()
    assert ids[-1] == words.end
    assert (batch.weight[batch.document == -1] == 0).all()


def test_each_epoch_draws_one_later_step_of_a_theorem(tmp_path: Path, words: Tokenizer) -> None:
    steps = [Example(f"exact h{n}", "", "⊢ q", f"simp\n{n} ", "M", f"t{n % 3}", LATER) for n in range(12)]
    write([*steps, *some(4), Example("rfl", "⊢ p", module="M", name="t0", kind=FIRST)], words, tmp_path, CONTEXT)
    rows = Rows(tmp_path)
    epochs = [rows.drawn(seed).tolist() for seed in range(60)]
    for drawn in epochs:
        assert sorted(number % 3 for number in drawn if number < 12) == [0, 1, 2]
        assert sorted(number for number in drawn if number >= 12) == [12, 13, 14, 15, 16]
    assert {number for drawn in epochs for number in drawn} == set(range(17))
    assert sorted(number for row in rows.rows(seed=5) for number in row) == sorted(epochs[5])


@pytest.mark.parametrize("goal", ["", "⊢ p"])
def test_the_proof_so_far_weighs_more_than_what_else_is_given(tmp_path: Path, words: Tokenizer, goal: str) -> None:
    write([Example("rfl", goal, "n : ℕ\n⊢ q", "simp\n", kind=LATER)], words, tmp_path, CONTEXT)
    batch = next(Rows(tmp_path).batches(1, seed=1))
    ids = batch.ids[0].tolist()
    proof, ends = ids.index(words.id_of("<|proof|>")), ids.index(words.id_of("<|goal|>" if goal else "<|tactic|>"))
    assert ends - proof > 2
    assert (batch.weight[0][proof + 1 : ends] == PROOF_WEIGHT).all()
    assert (batch.weight[0][1 : proof + 1] == np.float32(PROMPT_WEIGHT)).all()
    assert batch.weight[0][ends] == np.float32(PROMPT_WEIGHT)


def test_a_long_prompt_loses_its_beginning_and_a_long_tactic_its_place() -> None:
    assert fit(range(100), [1, 2], 50) == [*range(52, 100), 1, 2]
    assert fit([1], [2] * 40, 50) is None


def test_what_is_not_whole_is_said(tmp_path: Path, rows: Rows) -> None:
    with pytest.raises(TrainingError, match="There are no ids"):
        Rows(tmp_path / "gone")
    (tmp_path / IDS).write_bytes((tmp_path / IDS).read_bytes()[:-2])
    with pytest.raises(TrainingError, match="are not whole"):
        Rows(tmp_path)


def test_ids_are_written_anew_when_what_they_are_of_has_changed(tmp_path: Path, rows: Rows) -> None:
    assert written(tmp_path, "x", CONTEXT)
    assert not written(tmp_path, "y", CONTEXT)
    assert not written(tmp_path, "x", CONTEXT + 1)
    (tmp_path / ABOUT).write_text("[]")
    assert not written(tmp_path, "x", CONTEXT)
    before = digest([tmp_path / ABOUT, tmp_path / "gone"])
    (tmp_path / ABOUT).write_text("{}")
    assert digest([tmp_path / ABOUT, tmp_path / "gone"]) != before
