"""What is read out of a text to be remembered."""

from __future__ import annotations

from tacit.server.memory_proofs import WHOLE, head_before, introduced, read_proofs

TEXT = """\
import Own.Basic
open Nat
namespace A
theorem both (p q : Prop) (hp : p) (hq : q) : q ∧ p := by
  constructor
  · exact hq
  · exact hp -- the other

theorem one (p : Prop) (hp : p) : p := hp

theorem open_end : 1 = 1 := by
  skip
  sorry

theorem B.step (a b : Nat) (h : a = b) : b = a := by
  have k : b = a := by
    exact h.symm
  exact k
"""


def test_every_step_is_read_with_its_goal() -> None:
    read = read_proofs(TEXT, "Own.More")
    assert (read.module, read.imports) == ("Own.More", ("Own.Basic",))
    assert read.names[:2] == ("A.both", "A.one")
    both = read.goals[0]
    assert both.goal == "p q : Prop\nhp : p\nhq : q\n⊢ q ∧ p"
    assert [(each.tactic, each.kind) for each in both.steps] == [
        ("constructor", "first"),
        ("exact hq", "later"),
        ("exact hp", "later"),
        ("constructor\n· exact hq\n· exact hp", WHOLE),
    ]
    assert (both.namespace, both.opens) == ("A", ("Nat",))


def test_a_proof_that_is_a_term_counts_too() -> None:
    [one] = [each for each in read_proofs(TEXT, "M").goals if each.name == "A.one"]
    assert [each.tactic for each in one.steps] == ["exact hp"]


def test_what_is_not_finished_is_never_a_whole_proof() -> None:
    steps = [step for each in read_proofs(TEXT, "M").goals if each.name == "A.open_end" for step in each.steps]
    assert [(each.tactic, each.kind) for each in steps] == [("skip", "first")]


def test_what_proves_a_have_is_told_once_with_its_own_goal() -> None:
    goals = {each.goal: each for each in read_proofs(TEXT, "M").goals if each.name == "A.B.step"}
    assert len(goals) == 1  # `k` has the very goal of the theorem
    [known] = goals.values()
    assert [each.tactic for each in known.steps if each.kind == "have"] == ["exact h.symm"]
    assert known.namespace == "A.B"


def test_names_that_a_proof_introduces() -> None:
    proof = "\n  intro x hx\n  obtain ⟨y, hy⟩ := hx\n  cases n with\n  | succ k ih => "
    assert introduced(proof) >= {"x", "hx", "y", "hy", "k", "ih"}


def test_the_word_before() -> None:
    assert head_before("\n  intro x\n  · simp [x]\n    ") == "simp"
    assert head_before("") == ""


def test_no_text_is_too_odd() -> None:
    for text in (
        "",
        "theorem",
        "theorem a : b := by",
        "theorem a : b := by\n",
        "\r\n" * 9,
        "theorem «a b» : ⟨ := by (",
    ):
        assert read_proofs(text, "M").steps == 0
