"""Attempts to make the checker say "closes" for what is not proved. Not one may pass, and true proofs must."""

from __future__ import annotations

import pytest

from tacit.server.lean.checker import USES_UNPROVED
from tests.lean.conftest import Bench

pytestmark = [pytest.mark.lean, pytest.mark.asyncio(loop_scope="module")]

CONTEXT = """axiom cheat : 1 = 2
theorem helper (p : Prop) : p := sorry
@[simp] theorem bad (n : Nat) : n = n + 1 := sorry
macro "finish" : tactic => `(tactic| sorry)
macro "finish_term" : tactic => `(tactic| exact sorry)
macro "hole" : term => `(sorry)
instance sorried : Inhabited (1 = 2) := ⟨sorry⟩
theorem honest (p q : Prop) (hp : p) (hq : q) : q ∧ p := ⟨hq, hp⟩
"""

# Every one of these goals is false, or does not follow.
FALSE_GOALS = {
    "statement of its own": "theorem self : 1 = 2 := by\n  sorry‸\n",
    "unrelated proposition": "theorem self (p q : Prop) (hp : p) : q := by\n  sorry‸\n",
    "in a bullet": "theorem self (p q : Prop) (hp : p) : p ∧ q := by\n  constructor\n  · exact hp\n  · sorry‸\n",
    "beside another sorry": "theorem self (p q : Prop) (hp : p) : q ∧ q := by\n  constructor\n  · sorry\n  · sorry‸\n",
    "beside an error": "theorem self (p q : Prop) (hp : p) : q ∧ q := by\n  constructor\n  · sorry‸\n  · exact nope\n",
    "being written": "theorem self (p q : Prop) (hp : p) : q ∧ q := by\n  constructor\n  · ‸\n",
    "an alternative being written": "theorem self (n : Nat) : n < n := by\n  cases n with\n  | zero =>\n    ‸\n",
    "an unfinished have": "theorem self (p q : Prop) (hp : p) : p := by\n  have hq : q := by\n    ‸\n",
    "term mode": "theorem self (p q : Prop) (hp : p) : p ∧ q := ⟨hp, sorry‸⟩\n",
    "an example": "example (p q : Prop) (hp : p) : q := by\n  sorry‸\n",
    "in a mutual block": (
        "mutual\ntheorem self : 1 = 2 := by\n  sorry‸\ntheorem other : 1 = 2 := by\n  exact self\nend\n"
    ),
    "protected, with a namesake at the root": (
        "theorem self : True := trivial\nnamespace Inner\nprotected theorem self : 1 = 2 := by\n  sorry‸\nend Inner\n"
    ),
    "with attributes, in a mutual block": (
        "mutual\ntheorem other : True := trivial\n@[simp] theorem self : 1 = 2 := by\n  sorry‸\nend\n"
    ),
    "a name that an open namespace has too": (
        "namespace A\ntheorem self : True := trivial\nend A\nopen A\ntheorem self : 1 = 2 := by\n  sorry‸\n"
    ),
    "recursive": "theorem self (n : Nat) : n < n := by\n  sorry‸\n",
}

HOSTILE = (
    # sorry by every name
    "sorry", "admit", "exact sorry", "exact (sorry)", "exact by sorry", "first | sorry | skip", "all_goals sorry",
    "· sorry", "(sorry)", "exact sorryAx _", "exact sorryAx _ false", "exact @sorryAx _ false", "refine sorryAx _ ?_",
    "exact «sorryAx» _ false", "exact hole", "finish", "finish_term", "(finish)", "first | finish | skip",
    "exact id hole", "have h := hole; exact h",
    # what rests on sorry or an axiom
    "exact helper _", "apply helper", "exact (helper _)", "simp [helper]", "exact absurd cheat (by decide)",
    "exact False.elim (absurd cheat (by decide))", "exact cheat", "exact bad 1", "exact bad _", "exact default",
    "exact (default : 1 = 2)", "exact Nat.noConfusion cheat", "have := cheat; contradiction", "simp at cheat",
    "injection cheat with h; injection h", "exact (Nat.succ_ne_zero _ (Nat.succ.inj cheat).symm).elim",
    # itself
    "exact self", "exact self _ _ hp", "exact self p q hp", "apply self", "exact @self", "exact _root_.self",
    "exact «self»", "exact (self p q hp)", "assumption", "simp_all", "simp [*]", "simp [self]", "exact self n",
    "exact other", "have := self; exact this", "exact tacitExample p q hp", "apply_assumption",
    # text that leaves the block
    "skip)\n · (skip", "exact hp)\n#eval 1\n(", "skip\n#eval 1", "skip\nend", "skip\ntheorem x : True := trivial",
    "skip -- )", "skip /- ", "skip -/", "exact \"", "exact '", "skip)\n(skip", "skip))", "((skip", "skip ]", "⟨", "⟩",
    "skip\naxiom y : 1 = 2", "exact (by skip", "exact h.", "exact fun x =>", "exact ⟨hp,", "exact (hp :", "rw [",
    # things that look like success
    "skip", "trace_state", "trace_state; skip", "try exact cheat.elim", "try skip", "repeat trivial", "any_goals skip",
    "all_goals skip", "exact ?_", "refine ?_", "exact _", "exact (_)", "intro", "intros", "rotate_left", "done",
    "trace \"no goals\"", "have : True := trivial", "show _", "clear hp", "exact id ?x", "case a => skip",
    "focus skip", "apply id", "unhygienic skip", "first | done | skip", "try done", "exact (by assumption : _)",
    # weaker checking, or code
    "native_decide", "decide", "bv_decide", "exact of_decide_eq_true rfl", "exact lcProof", "exact unsafeCast ()",
    "set_option debug.skipKernelTC true in rfl", "set_option maxRecDepth 9 in skip", "run_tac pure ()", "rfl",
    "exact Lean.ofReduceBool _ _ rfl", "exact (unsafe (unsafeCast ()))", "eval skip", "open Nat in exact self",
    "exact (rfl : 1 = 2)", "exact (Eq.refl _)", "exact trivial", "trivial", "contradiction", "simp", "exact hp",
    # the checker's own words
    "exact tacitHole", "exact tacitCopy", "exact (fun {tacitSort : Prop} (tacitCopy : tacitSort) => tacitCopy) _",
    "exact @tacitHole _", "first | simp [@tacitHole (1 = 2)] | exact helper _", "apply tacitCopy", "exact tacitCopy _",
)  # fmt: skip


@pytest.mark.parametrize("name", FALSE_GOALS)
async def test_nothing_false_closes(bench: Bench, name: str) -> None:
    found = await bench.check(CONTEXT + FALSE_GOALS[name], *HOSTILE)
    closed = {text: (c.axioms, c.message) for text, c in found.items() if c.verdict.value == "closes"}
    assert closed == {}
    assert len(found) == len(HOSTILE)


async def test_true_goals_close_in_the_same_context(bench: Bench) -> None:
    """The control: the same context, the same checker, goals that have proofs."""
    text = CONTEXT + "theorem self (p q : Prop) (hp : p) (hq : q) : q ∧ p := by\n  sorry‸\n"
    found = await bench.check(text, *HOSTILE, "exact honest p q hp hq", "exact ⟨hq, hp⟩", "constructor <;> assumption")
    closed = {text for text, c in found.items() if c.verdict.value == "closes"}
    assert {"exact honest p q hp hq", "exact ⟨hq, hp⟩", "constructor <;> assumption"} <= closed
    # Of the hostile ones only honest automation may close it.
    honest = {"exact honest p q hp hq", "exact ⟨hq, hp⟩", "constructor <;> assumption"}
    assert closed <= honest | {"simp_all", "simp [*]", "trivial", "repeat trivial"}


async def test_axioms_of_a_close_are_told(bench: Bench) -> None:
    text = "theorem self (p : Prop) (h : ¬¬p) : p := by\n  sorry‸\n"
    found = await bench.check(text, "exact Classical.byContradiction h")
    assert found["exact Classical.byContradiction h"].verified
    assert "Classical.choice" in found["exact Classical.byContradiction h"].axioms


async def test_an_axiom_that_the_proof_uses_already_is_no_new_one(bench: Bench) -> None:
    text = "axiom ax : 1 = 2\ntheorem self : 1 = 2 ∧ 1 = 2 := by\n  constructor\n  · exact ax\n  · sorry‸\n"
    found = await bench.check(text, "exact ax")
    assert found["exact ax"].verdict.value == "closes"
    assert found["exact ax"].axioms == ("ax",)


async def test_what_rests_on_an_unproved_theorem_is_no_close_and_says_so(bench: Bench) -> None:
    text = "theorem above (p q : Prop) : p → q := sorry\ntheorem self (p q : Prop) (hp : p) : q := by\n  sorry‸\n"
    found = await bench.check(text, "exact above p q hp")
    assert found["exact above p q hp"].verdict.value == "progresses"
    assert found["exact above p q hp"].message == USES_UNPROVED
