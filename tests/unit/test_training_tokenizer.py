"""The tokenizer loses nothing, cuts names where people would, and says what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.training.errors import TrainingError
from tacit.training.prompt import END, GOAL, SPECIAL, TACTIC
from tacit.training.tokenizer import Tokenizer, train
from tests.unit.properties import any_texts, examples

TEXTS = [
    "theorem Nat.add_comm' (n m : ℕ) : n + m = m + n := by\n    simp [ContDiff.mul_left, h₁]\n  · exact ⟨a, b⟩\n",
    "Nat.add_comm ContDiff.mul_left",
    "by\n    simp",
    "⊢ ∀ x ∈ s, f x ≤ g x → 𝓝 a = 𝓟 b",
] * 50


@pytest.fixture(scope="module")
def words() -> Tokenizer:
    return train(TEXTS, 600, often=10)


def cut(words: Tokenizer, text: str) -> list[str]:
    return [words.decode([each]) for each in words.encode(text)]


@examples
@given(any_texts)
def test_nothing_is_lost(words: Tokenizer, text: str) -> None:
    assert words.decode(words.encode(text)) == text


@examples
@given(st.lists(any_texts, max_size=4))
def test_many_at_once_are_the_same(words: Tokenizer, texts: list[str]) -> None:
    assert words.encode_many(texts) == [words.encode(each) for each in texts]


def test_names_end_at_dots_underscores_and_capitals(words: Tokenizer) -> None:
    assert cut(words, "Nat.add_comm ContDiff.mul_left") == ["Nat", ".add", "_comm", " Cont", "Diff", ".mul", "_left"]


def test_every_symbol_that_is_often_used_is_one_token(words: Tokenizer) -> None:
    assert cut(words, "⊢ ∀ x ∈ s, 𝓝 a ≤ 𝓟 b") == ["⊢", " ∀", " x", " ∈", " s", ",", " 𝓝", " a", " ≤", " 𝓟", " b"]


def test_indentation_is_a_token_and_the_last_blank_belongs_to_the_word(words: Tokenizer) -> None:
    assert cut(words, "by\n    simp") == ["by", "\n", "   ", " simp"]


def test_the_marks_are_the_first_ids(words: Tokenizer) -> None:
    assert words.encode("".join(SPECIAL)) == list(range(len(SPECIAL)))
    assert words.encode(f"{GOAL}p{TACTIC}")[::2] == [4, 5]
    assert (words.end, words.pad, words.id_of(END), words.id_of("<|other|>")) == (0, 1, 0, None)


def test_it_is_the_same_when_read_again(words: Tokenizer, tmp_path: Path) -> None:
    words.save(tmp_path / "t.json")
    again = Tokenizer.load(tmp_path / "t.json")
    assert (again.tokens(), again.merges()) == (words.tokens(), words.merges())
    assert again.encode(TEXTS[0]) == words.encode(TEXTS[0])


def test_the_same_texts_give_the_same_tokenizer(words: Tokenizer) -> None:
    assert train(TEXTS, 600, often=10).merges() == words.merges()


@pytest.mark.parametrize("size", [261, 65_537])
def test_sizes_that_cannot_be(size: int) -> None:
    with pytest.raises(TrainingError, match=f"^A vocabulary of {size} tokens cannot be"):
        train(TEXTS, size)


@pytest.mark.parametrize("content", ["", "{}", '{"version": "1.0"}'])
def test_a_file_that_is_no_tokenizer_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(TrainingError, match=r"t\.json is no tokenizer"):
        Tokenizer.load(tmp_path / "t.json")
    with pytest.raises(TrainingError, match=r"^There is no tokenizer in "):
        Tokenizer.load(tmp_path / "gone.json")


def test_a_tokenizer_of_something_else_is_refused(tmp_path: Path) -> None:
    from tokenizers import Tokenizer as Other
    from tokenizers.models import BPE

    Other(BPE({"a": 0}, [])).save(str(tmp_path / "t.json"))
    with pytest.raises(TrainingError, match=r"is no tokenizer of tacit-tiny"):
        Tokenizer.load(tmp_path / "t.json")
