"""Types as text: words, shapes, patterns, parentheses."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given

from tacit.server.tactics import lexer, matching, precedence, probes, shape
from tacit.server.tactics.shape import Binder
from tests.unit.properties import any_texts, examples


@pytest.mark.parametrize("module", [lexer, matching, precedence, probes, shape])
def test_the_examples_in_the_docstrings_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "op", "left", "right"),
    [
        ("p ∧ q → r ∨ s", "→", "p ∧ q", "r ∨ s"),
        ("p → q → r", "→", "p", "q → r"),
        ("p ∨ q ∧ r ↔ s", "↔", "p ∨ q ∧ r", "s"),
        ("(p → q) ∧ r", "∧", "(p → q)", "r"),
        ("¬p ∧ q", "∧", "¬p", "q"),
        ("¬a = b", "¬", "", "a = b"),
        ("a ∧ ∃ x, b ∨ c", "∧", "a", "∃ x, b ∨ c"),
        ("((p ∧ q))", "∧", "p", "q"),
        ("(∀ x, p x) ∨ ∀ x, q x", "∨", "(∀ x, p x)", "∀ x, q x"),
        ("a + b ≤ c", "≤", "a + b", "c"),
        ("xs.length = n", "=", "xs.length", "n"),
        ("(if p then a else b) = c", "=", "(if p then a else b)", "c"),
        ("∑ i ∈ s, f i = 3", "=", "∑ i ∈ s, f i", "3"),
        ("x ∈ {y | p y ∧ q y}", "∈", "x", "{y | p y ∧ q y}"),
        ("f (∀ x, p x)", "", "f (∀ x, p x)", ""),
        ("∃! x, p x", "", "∃! x, p x", ""),
        ("if p then a else b = c", "", "if p then a else b = c", ""),
        ("", "", "", ""),
    ],
)
def test_the_operator_at_the_top_is_found(text: str, op: str, left: str, right: str) -> None:
    read = shape.read(text)
    assert (read.op, read.left, read.right) == (op, left, right)


@pytest.mark.parametrize(
    ("text", "binders", "conclusion"),
    [
        ("∀ (x y : α), r x y", [("x", "α", True), ("y", "α", True)], "r x y"),
        ("∀ x ∈ s, p x → q", [("x", "", True), ("", "x ∈ s", True), ("", "p x", True)], "q"),
        ("∀ ε > 0, p ε", [("ε", "", True), ("", "ε > 0", True)], "p ε"),
        ("∀ {x : α} [inst : Foo α] ⦃z : β⦄, p", [("x", "α", False), ("inst", "Foo α", False), ("z", "β", False)], "p"),
        ("(x : α) → β x → γ", [("x", "α", True), ("", "β x", True)], "γ"),
        ("p → q ↔ r", [], "p → q ↔ r"),
    ],
)
def test_binders_and_premises_are_read(text: str, binders: list[tuple[str, str, bool]], conclusion: str) -> None:
    assert shape.telescope(text) == (tuple(Binder(*binder) for binder in binders), conclusion)


def test_a_condition_on_an_existential_joins_its_body() -> None:
    read = shape.read("∃ δ > 0, p δ")
    assert ([binder.name for binder in read.binders], read.right) == (["δ"], "δ > 0 ∧ p δ")


def test_with_negation_refutations_and_inclusions_are_implications() -> None:
    assert shape.telescope("¬p", negation=True) == ((Binder("", "p"),), "False")
    assert shape.telescope("a ≠ b", negation=True) == ((Binder("", "a = b"),), "False")
    assert shape.telescope("s ⊆ t", negation=True) == ((Binder("x", "", False), Binder("", "x ∈ s")), "x ∈ t")
    assert shape.meaning("x ∈ s ∪ t ∩ u").op == "∨"
    assert shape.meaning("x ∉ s") == shape.Shape("¬", right="x ∈ s")


@pytest.mark.parametrize(
    ("pattern", "text", "unknowns", "found"),
    [
        ("p x y", "p (f a) b", "x y", {"x": "f a", "y": "b"}),
        ("x.succ = y", "n.succ = f m", "x y", {"x": "n", "y": "f m"}),
        ("0 < x", "0 < a * b", "x", {"x": "a * b"}),
        ("x + x", "a + b", "x", None),
        ("x + x", "f a + f a", "x", {"x": "f a"}),
        ("p x", "p x ∨ q x", "x", None),
        ("f x", "f a b", "x", None),
        ("x = y", "a = b ∧ c", "x y", None),
    ],
)
def test_patterns_match(pattern: str, text: str, unknowns: str, found: dict[str, str] | None) -> None:
    assert matching.match(pattern, text, unknowns.split()) == found


@pytest.mark.parametrize(
    ("side", "text", "unknowns", "there"),
    [
        ("a + b", "c * (a + b) = d", "", True),
        ("a + b", "b + a = d", "", False),
        ("x + 0", "f (n + 0) = n", "x", True),
        ("x", "n = n", "x", False),
        ("t * (a + b)", "t * a + t * b", "t a b", False),
        ("succ n", "n + succ zero", "n", True),
    ],
)
def test_instances_of_a_term_are_found(side: str, text: str, unknowns: str, there: bool) -> None:
    assert matching.occurs(side, text, frozenset(unknowns.split())) is there


def test_longer_terms_are_substituted_in_parentheses() -> None:
    assert shape.substitute("x.succ + x = y", {"x": "a + b"}) == "(a + b).succ + (a + b) = y"
    assert shape.substitute("p x", {"x": "n"}) == "p n"


def test_printings_of_one_type_are_the_same() -> None:
    assert lexer.same("¬ p ∧ q", "(¬p ∧\n    q)")
    assert lexer.same("((∀ x, p x))", "∀ x, p x")
    assert not lexer.same("(a, b)", "a, b")
    assert not lexer.same("(p → q) ∧ r", "p → q ∧ r")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("p → (q → r)", "p → q → r"),
        ("(p → q) → r", "(p → q) → r"),
        ("a - (b - c)", "a - (b - c)"),
        ("(a = b) ∧ (c = d)", "a = b ∧ c = d"),
        ("f (a) (g b)", "f a (g b)"),
        ("(f x).1 + (a ^ b) ^ c", "(f x).1 + (a ^ b) ^ c"),
        ("(∀ x, p x) ∧ q", "(∀ x, p x) ∧ q"),
        ("(a + b : Nat)", "(a + b : Nat)"),
        ("¬(p ∧ q)", "¬(p ∧ q)"),
    ],
)
def test_parentheses_that_say_nothing_go(text: str, plain: str) -> None:
    assert precedence.printed(text) == plain


@examples
@given(any_texts)
def test_no_text_breaks_a_reader(text: str) -> None:
    shape.telescope(text, negation=True)
    shape.meaning(text)
    shape.statement(text)
    precedence.printed(text)
    lexer.identifiers(text)
    probes.required(text)
    matching.occurs(text, text, frozenset({"x"}))


@examples
@given(any_texts)
def test_a_type_matches_itself(text: str) -> None:
    assert matching.match(text, text, []) == {}
