"""What is read from proofs to learn from: goals as Lean prints them, the proof so far, the tactic that comes next."""

from __future__ import annotations

import pytest
from hypothesis import given

from tacit.training.examples import FIRST, HAVE, LATER, TERM, Example, examples
from tacit.training.prompt import SPECIAL, prompt, so_far
from tests.unit.properties import any_texts, lean_texts
from tests.unit.properties import examples as tries


def read(text: str) -> list[Example]:
    return list(examples(text, "M"))


def tactics(proof: str) -> list[str]:
    return [each.tactic for each in read(f"theorem t (h : p) : q := {proof}")]


def test_the_goal_at_the_beginning_is_the_statement_as_lean_prints_it() -> None:
    text = (
        "variable {G : Type*} [Group G]\n"
        "theorem t {H : Type*} [Group H] (a b : G) (_ : a = b) (f : G → H := 1) : f a = f b := by\n  simp\n"
    )
    [only] = read(text)
    assert only.goal == (
        "G : Type u_1\ninst✝¹ : Group G\nH : Type u_2\ninst✝ : Group H\na b : G\nx✝ : a = b\nf : G → H\n⊢ f a = f b"
    )
    assert (only.tactic, only.kind, only.module, only.name) == ("simp", FIRST, "M", "t")
    assert only.prompt == f"<|goal|>{only.goal}<|tactic|>"


def test_later_steps_have_the_statement_and_the_proof_so_far() -> None:
    text = "theorem t : p ∧ q := by\n  constructor -- both\n\n  · intro x\n    simp\n  · rfl\n"
    found = read(text)
    assert [each.tactic for each in found] == ["constructor", "intro x", "simp", "rfl"]
    assert [each.kind for each in found] == [FIRST, LATER, LATER, LATER]
    assert found[2].prompt == "<|statement|>⊢ p ∧ q<|proof|>constructor\n· intro x\n  <|tactic|>"
    assert found[3].prompt == "<|statement|>⊢ p ∧ q<|proof|>constructor\n· intro x\n  simp\n· <|tactic|>"


def test_a_have_says_the_goal_of_its_block_and_what_is_known_after_it() -> None:
    text = (
        "theorem t (a : α) : p := by\n  have h (x : α) : q x := by\n    simp\n    ring\n"
        "  have : r := by\n    exact h a\n  done\n"
    )
    found = [each for each in read(text) if each.kind == HAVE]
    assert [each.goal for each in found] == ["a : α\nx : α\n⊢ q x", "a : α\nh : ∀ (x : α), q x\n⊢ r"]
    assert [each.tactic for each in found] == ["simp", "exact h a"]
    assert found[0].prompt.startswith("<|statement|>a : α\n⊢ p<|proof|>have h (x : α) : q x := by\n  <|goal|>a : α\nx")


def test_a_have_whose_proof_is_a_term_says_no_goal() -> None:
    assert [each.kind for each in read("theorem t : p := by\n  have h : q ∧ r := ⟨by simp, by ring⟩\n  simp\n")] == [
        FIRST, LATER, LATER, LATER,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("proof", "expected"),
    [
        ("by simp", ["simp"]),
        ("by\n  rw [a,\n    b] -- so\n", ["rw [a, b]"]),
        (
            "by\n  have h : q := by\n    simp\n    rfl\n  exact h",
            ["have h : q := ?_", "simp", "simp", "rfl", "exact h"],
        ),
        ("by\n  exact f (by\n    simp) h", ["refine f ?_ h", "simp"]),
        ("by\n  exact f (by simp) h", ["exact f (by simp) h", "simp"]),
        ("by\n  cases h with\n  | inl h => simp\n  | inr h => rfl", ["cases h", "simp", "rfl"]),
        ("by\n  induction n generalizing m with\n  | zero => simp", ["induction n generalizing m", "simp"]),
        ("by\n  calc a = b := x\n    _ = c := y", ["calc a = b := x\n  _ = c := y"]),
        ("by\n  sorry", []),
        ("by\n  simp; sorry", ["simp"]),
        ("by " + "x" * 301, []),
        ("f h", ["exact f h"]),
        ("f\n  h", ["exact f h"]),
        ("sorry", []),
        ("match h with\n  | a => b\n  | c => d", []),
    ],
)
def test_the_tactic_to_write(proof: str, expected: list[str]) -> None:
    assert tactics(proof) == expected


def test_a_proof_that_is_a_term_is_of_its_own_kind() -> None:
    assert [each.kind for each in read("theorem t : 1 = 1 := rfl")] == [TERM]


def test_definitions_and_generated_names_are_left_out() -> None:
    assert read("def f : Nat := by exact 1\n@[simps] def g : A := ⟨1⟩\ninstance : C := by infer_instance\n") == []


@tries
@given(any_texts)
def test_any_text_gives_examples_with_a_prompt_and_a_tactic(text: str) -> None:
    for each in read(f"theorem t : p := by\n  {text}"):
        assert each.tactic.strip() == each.tactic != ""
        assert each.prompt.endswith("<|tactic|>")
        assert Example.of(each.record()) == each


@tries
@given(lean_texts)
def test_text_cannot_be_taken_for_a_mark(text: str) -> None:
    asked = prompt(f"<|end|>{text}<|tactic|>", statement="<|goal|>", proof=f"<|proof|>{text}")
    assert [asked.count(mark) for mark in SPECIAL] == [0, 0, 1, 1, 1, 1]


def test_a_long_goal_keeps_its_target_and_a_long_proof_its_end() -> None:
    asked = prompt("\n".join(f"h{number} : p" for number in range(500)) + "\n⊢ q")
    assert asked.startswith("<|goal|>h")
    assert asked.endswith("h499 : p\n⊢ q<|tactic|>")
    assert len(asked) < 1600
    shown = so_far("\n  a\n" + "    simp [foo]\n" * 200 + "    ")
    assert shown.startswith("simp [foo]\nsimp")
    assert len(shown) <= 600


def test_what_is_kept_of_a_long_proof_asks_the_same() -> None:
    steps = "\n".join(f"  rw [lemma_{number}] -- {number}" for number in range(300))
    last = read(f"theorem t : p := by\n{steps}\n")[-1]
    assert len(last.proof) <= 1200
    assert last.prompt == prompt(statement="⊢ p", proof="\n" + steps.rpartition("rw")[0])
