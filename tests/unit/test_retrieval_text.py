"""The same words for the same thing, however it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.retrieval.question import LONGEST, parse, understand
from tacit.retrieval.text import name_words, shape, shape_terms, stem, unlatex, whole_names, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"$\sum_i f_i \leq \sum_i g_i$", "∑ i, f i ≤ ∑ i, g i"),
        (r"$\forall x \in \mathbb{R}$", "∀ x ∈ ℝ"),
        (r"$g \circ f$", "g ∘ f"),
        (r"$a \mid b \iff c$", "a ∣ b ↔ c"),
        ("commutative", "comm"),
        ("continuity", "continuous"),
        ("a if and only if b", "a ↔ b"),
        ("less than or equal to", "≤"),
        ("the inverses", "inv"),
        ("multiplication", "mul"),
        ("x is at most y", "x ≤ y"),
        ("neighbourhoods", "nhds"),
        ("groups", "group"),
    ],
)
def test_words_of_two_ways_to_say_it(one: str, other: str) -> None:
    assert words(one) == words(other) != []


def test_names_fall_apart_at_dots_underscores_and_capitals() -> None:
    assert name_words("Filter.continuousOn_iff'") == (*words("filter"), *words("continuous"), "iff")
    assert name_words("IsPRadical") == tuple(words("radical"))
    assert whole_names("A.B.foo_bar") == ["=a.b.foo_bar", "=b.foo_bar", "=foo_bar"]


def test_the_shape_of_a_statement() -> None:
    assert shape("a + b = b + a") == ["+", "=", "+"]
    assert shape("Continuous (g ∘ f)") == ["continuous", "∘"]


def test_endings_go_and_short_words_stay() -> None:
    assert stem("basis") == "basis"
    assert stem("compactly") == stem("compact")
    assert stem("maps") == "map"


def test_filters_are_taken_out_of_a_question() -> None:
    query = parse('kind:lemma module:Mathlib.Order "sup of sets" package:mathlib')
    assert query.text == '"sup of sets"'
    assert (query.kinds, query.modules, query.packages) == (("theorem",), ("Mathlib.Order",), ("mathlib",))


def test_a_pattern_knows_what_fits() -> None:
    pattern = understand(parse("?a * ?b = ?b * ?a")).pattern
    assert pattern is not None
    assert pattern.shape == ("*", "=", "*")
    assert pattern.rule.search("x * y = y * x")
    assert not pattern.rule.search("x * y = x * y")
    assert understand(parse(r"$a_i + \sum_{i}$")).pattern is None
    assert understand(parse("mul_comm")).pattern is None


@given(st.text(max_size=300))
def test_no_text_is_too_strange(text: str) -> None:
    assert all(each and not each.isspace() for each in words(text))
    unlatex(text)
    shape(text)
    understand(parse(text))


def test_a_question_of_100_000_characters_is_cut() -> None:
    question = understand(parse("a + _ compact " * 8000))
    assert len(question.query.text) <= LONGEST
    assert len(question.terms) < 100


def test_a_statement_has_the_same_shape_with_its_variables_named_in_it() -> None:
    assert shape_terms("∀ a b : G, a * b = b * a") == shape_terms("a * b = b * a")
