"""Small proof terms found by matching printed types."""

from __future__ import annotations

import time

import pytest
from hypothesis import given

from tacit.server.tactics.terms import TermSearch
from tacit.server.tactics.view import View
from tests.unit.properties import any_texts, examples
from tests.unit.tactics_goals import goal

PROPS = "p q r s : Prop; "
LOGIC = "α : Type; P Q : α → Prop; a b c : α; r : α → α → Prop; "
SETS = "α : Type; s t u : Set α; "


@pytest.mark.parametrize(
    ("text", "term"),
    [
        (PROPS + "h : p; p", "h"),
        (PROPS + "h : p ∧ q; q ∧ p", "⟨h.2, h.1⟩"),
        (PROPS + "h₁ : p → q; h₂ : q → r; hp : p; r", "h₂ (h₁ hp)"),
        (PROPS + "h₁ : p → q; h₂ : q → r; p → r", "fun hp => h₂ (h₁ hp)"),
        (PROPS + "h : p ↔ q; hq : q; p", "h.mpr hq"),
        (PROPS + "p ∧ q ↔ q ∧ p", "⟨fun ⟨hp, hq⟩ => ⟨hq, hp⟩, fun ⟨hq, hp⟩ => ⟨hp, hq⟩⟩"),
        (PROPS + "p ∨ q → q ∨ p", "fun h => h.elim Or.inr Or.inl"),
        (PROPS + "h : p ∨ q; hn : ¬p; q", "h.elim (fun hp => absurd hp hn) (fun hq => hq)"),
        (PROPS + "h : p; hn : ¬p; q", "absurd h hn"),
        (PROPS + "h : False; q", "h.elim"),
        (PROPS + "h : ¬(p ∨ q); ¬p ∧ ¬q", "⟨fun hp => h (Or.inl hp), fun hq => h (Or.inr hq)⟩"),
        (PROPS + "h : p; h' : p → q ∧ r; r", "(h' h).2"),
        (PROPS + "¬¬p → p", "fun hnnp => Classical.byContradiction fun hnp => hnnp hnp"),
        (LOGIC + "h : ∀ (x : α), P x → Q x; ha : P a; Q a", "h a ha"),
        (LOGIC + "h : ∃ x, P x ∧ Q x; ∃ x, Q x ∧ P x", "h.elim fun x ⟨h₁, h₂⟩ => ⟨x, h₂, h₁⟩"),
        (LOGIC + "h : ¬∃ x, P x; ∀ (x : α), ¬P x", "fun x h₁ => h ⟨x, h₁⟩"),
        (LOGIC + "ha : P a; ∃ x, P x", "⟨a, ha⟩"),
        (LOGIC + "(∀ (x : α), P x ∧ Q x) → ∀ (x : α), P x", "fun h x => (h x).1"),
        (
            LOGIC + "symm : ∀ (x y : α), r x y → r y x; h : r b a; trans : ∀ (x y z : α), r x y → r y z → r x z; "
            "h' : r b c; r a c",
            "trans a b c (symm b a h) h'",
        ),
        ("a b c : Nat; h : a = b; h' : b = c; c = a", "h'.symm.trans h.symm"),
        ("a : Nat; a = a", "rfl"),
        (SETS + "x : α; h : s ⊆ t; hx : x ∈ s ∩ u; x ∈ t ∩ u", "⟨h hx.1, hx.2⟩"),
        (SETS + "h : s ⊆ t; h' : t ⊆ u; s ⊆ u", "fun x hx => h' (h hx)"),
    ],
)
def test_terms_that_a_person_would_write(text: str, term: str) -> None:
    assert TermSearch(View(goal(text))).terms() == (term,)


@pytest.mark.parametrize(
    "text",
    [
        PROPS + "p",
        PROPS + "h : p → p; p",
        PROPS + "h : p → q; h' : q → p; p",
        "a b : Nat; a = b",
        LOGIC + "h : ∀ (x y z : α), r x y → r y z → r x z; r a b",
    ],
)
def test_no_term_is_made_up_and_loops_end(text: str) -> None:
    assert TermSearch(View(goal(text))).terms() == ()


def test_names_that_cannot_be_written_are_not_used() -> None:
    assert TermSearch(View(goal(PROPS + "h✝ : p; p"))).terms() == ()


def test_bound_names_do_not_hide_those_of_the_context() -> None:
    (term,) = TermSearch(View(goal(PROPS + "hp : p; q → p ∧ q"))).terms()
    assert term == "fun hq => ⟨hp, hq⟩"
    (term,) = TermSearch(View(goal(LOGIC + "x : α; hx : P x; ∀ (y : α), Q y → ∃ z, P z"))).terms()
    assert term.startswith("fun y ")
    assert term.endswith("⟨x, hx⟩")


def test_lemmas_are_used_like_hypotheses() -> None:
    view = View(goal("n : Nat; h : even n; even (double n)"))
    lemmas = [("even_double", "∀ (m : Nat) (hm : even m), even (double m)"), ("even_zero", "even 0")]
    assert TermSearch(view, lemmas).terms() == ("even_double n h",)


def test_a_hopeless_search_gives_up_soon() -> None:
    """Many rules that feed each other: the budget ends it, in far less than a keystroke takes."""
    chain = "; ".join(f"h{i}{j} : p{i} → p{j} → p{(i + j) % 8}" for i in range(8) for j in range(8))
    view = View(goal("p0 p1 p2 p3 p4 p5 p6 p7 g : Prop; " + chain + "; f : p0 → p1 → g; g"))
    start = time.perf_counter()
    assert TermSearch(view).terms() == ()
    assert time.perf_counter() - start < 1.0  # some 40 ms on an idle machine


@examples
@given(any_texts, any_texts)
def test_no_goal_breaks_the_search(type_: str, target: str) -> None:
    text = f"h : {type_.replace(';', '')}; {target.replace(';', '')}"
    assert TermSearch(View(goal(text))).terms() == TermSearch(View(goal(text))).terms()
