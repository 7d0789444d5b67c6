"""Which options of a tactic Lean would run to read: only those whose value is written out may pass."""

from __future__ import annotations

import pytest
from hypothesis import given

from tacit.server.lean.gate import refusal
from tacit.server.lean.options import evaluated_option
from tacit.server.lean.syntax import CLOSERS, Kind, tokens
from tests.unit.properties import examples, lean_texts

WRITTEN_OUT = """
simp (config := {}) [foo]
simp (config := { contextual := true }) [foo]
simp (config := { zeta := false, maxSteps := 10000 }) only [foo] at h ⊢
simp (config := { decide }) [foo]
simp (config := {cfg with arith := true}) [foo]
simp (config := .ofStrict)
simp (config := myConfig)
simp (maxSteps := 3) [foo]
simp +arith (maxSteps := 3) -decide (zeta := (false))
simp (disch := norm_num; linarith) [foo]
simp (discharger := exact f (g x)) [foo]
rw (occs := .pos [1, 2]) [h]
rw (config := { occs := .neg [1] }) [h]
rw (config := { offset := -1 }) [h]
apply (config := { newGoals := .all }) foo
nlinarith (degree := 2) [sq_nonneg (a - b)]
aesop (config := { terminal := true }) (add safe foo)
aesop (rule_sets := [A, B])
exact Nat.rec (motive := fun n => p (n + 1)) h ih n
induction n using Nat.rec (motive := fun n => p (f n)) with
exact foo (h := bar x)
exact (foo (h := bar x))
refine foo (f := fun x => g x) ?_
have := foo (n := n + 1) h
simp [foo (n := n + 1)]
conv in (occs := 1 2) x + y => rw [h]
case h => exact foo (n := n + 1)
""".strip().split("\n")

EVALUATED = """
simp (config := f x)
simp (config := match f () with | _ => {})
simp (config := traced {})
simp (config := { maxSteps := f x })
simp (config := { maxSteps := 1 + 1 })
simp (config := {f x with arith := true})
simp (config := (f x))
simp (config := fun x => x)
simp (config := .f (g x))
simp (config := by skip)
simp (config := {} |> f)
simp (config := )
simp (maxSteps := f x) [foo]
simp (maxSteps := f ()) [foo]
simp +arith (maxSteps := f x)
simp -arith +decide (maxSteps := f x)
simp (zeta := true) (maxSteps := f x)
simp [foo] (config := f x)
(simp (maxSteps := f x))
((simp (maxSteps := f x)))
{ simp (maxSteps := f x) }
· simp (maxSteps := f x)
try simp (maxSteps := f x)
iterate 3 simp (maxSteps := f x)
all_goals simp (maxSteps := f x)
skip; simp (maxSteps := f x)
constructor <;> simp (maxSteps := f x)
first | skip | simp (maxSteps := f x)
case h => simp (maxSteps := f x)
next => simp (maxSteps := f x)
cases h with | inl a => simp (maxSteps := f x)
exact by simp (maxSteps := f x)
exact foo (h := by simp (maxSteps := f x))
simp (disch := simp (maxSteps := f x))
simp (disch := simp (config := f x))
exact Nat.rec (motive := by simp (maxSteps := f x)) h
aesop (simp_config := f x)
aesop (add safe foo) (config := f x)
conv => lhs; simp (maxSteps := f x)
rw (occs := .pos (f x)) [h]
unhygienic simp (maxSteps := f x)
with_reducible simp (maxSteps := f x)
decide (kernel := f x)
""".strip().split("\n")


@pytest.mark.parametrize("text", WRITTEN_OUT)
def test_what_is_written_out_passes(text: str) -> None:
    assert refusal(text) is None


@pytest.mark.parametrize("text", [*EVALUATED, "skip\nsimp (maxSteps := f x)", "skip\n  simp\n   (config :=\n f x)"])
def test_what_lean_would_run_does_not(text: str) -> None:
    reason = refusal(text)
    assert reason is not None
    assert "option" in reason


@given(lean_texts)
@examples
def test_it_reads_any_text_whose_brackets_match(text: str) -> None:
    code = list(tokens(text))
    stack: list[str] = []
    for token in code:
        if token.kind is Kind.OPEN:
            stack.append(token.text)
        elif token.kind is Kind.CLOSE and (not stack or stack.pop() != CLOSERS[token.text]):
            return
    if not stack:
        evaluated_option(code, text)
