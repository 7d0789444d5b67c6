"""Tactic proofs are split into the steps that Lean would see, by layout alone."""

from __future__ import annotations

import pytest
from hypothesis import given

from tacit.training.steps import read_block, walk
from tests.unit.properties import any_texts, examples, lean_texts


def steps(proof: str) -> list[str]:
    text = "theorem t : p := " + proof
    at = text.index("by")
    return [text[step.start : step.stop] for _, _, step in walk(read_block(text, at, len(text)))]


@pytest.mark.parametrize(
    ("proof", "expected"),
    [
        ("by simp", ["simp"]),
        ("by\n  intro x\n  exact h x", ["intro x", "exact h x"]),
        ("by intro x; simp; rfl", ["intro x", "simp", "rfl"]),
        ("by constructor <;> simp", ["constructor <;> simp"]),
        ("by\n  constructor\n  <;> simp\n  done", ["constructor\n  <;> simp", "done"]),
        ("by\n  rw [a,\n    b]\n  simp -- the end\n", ["rw [a,\n    b]", "simp"]),
        ("by\n  constructor\n  · simp\n    ring\n  · rfl",
         ["constructor", "· simp\n    ring", "simp", "ring", "· rfl", "rfl"]),
        ("by\n  case a =>\n    simp\n  case b => rfl", ["case a =>\n    simp", "simp", "case b => rfl", "rfl"]),
        ("by\n  have h : q := by\n    simp\n  exact h", ["have h : q := by\n    simp", "simp", "exact h"]),
        ("by\n  exact ⟨by simp, by\n    ring⟩", ["exact ⟨by simp, by\n    ring⟩", "simp", "ring"]),
        ("by\n  exact f (by use 1, 2) x", ["exact f (by use 1, 2) x", "use 1, 2"]),
        (
            "by\n  cases h with\n  | inl h => simp\n  | inr h =>\n    rw [h]\n    ring\n  done",
            [
                "cases h with\n  | inl h => simp\n  | inr h =>\n    rw [h]\n    ring",
                "simp", "rw [h]", "ring", "done",
            ],
        ),
        ("by\n  exact fun x => f x\n  rfl", ["exact fun x => f x", "rfl"]),
        ("by\n  simp\ntermination_by n", ["simp"]),
        ("by\n  calc a = b := by simp\n    _ = c := by ring",
         ["calc a = b := by simp\n    _ = c := by ring", "simp", "ring"]),
        ("by\n  calc a = b := x\n  _ = c := y\n  simp", ["calc a = b := x\n  _ = c := y", "simp"]),
        ("by\n  -- why\n  /- and\n how -/\n  simp", ["simp"]),
        ('by\n  trace "; by"\n  simp', ['trace "; by"', "simp"]),
        ("by", []),
        ("by\n", []),
    ],
)  # fmt: skip
def test_steps(proof: str, expected: list[str]) -> None:
    assert steps(proof) == expected


@examples
@given(any_texts)
def test_any_text_is_split_into_pieces_of_itself(text: str) -> None:
    whole = "by" + text
    for block, _, step in walk(read_block(whole, 0, len(whole))):
        assert 0 <= block.opener < step.start < step.stop <= len(whole)
        assert whole[step.start : step.stop] == whole[step.start : step.stop].strip()


@examples
@given(lean_texts)
def test_steps_of_a_block_do_not_overlap(text: str) -> None:
    whole = "by" + text
    block = read_block(whole, 0, len(whole))
    ends = [0, *(each.stop for each in block.steps)]
    assert all(end <= step.start for end, step in zip(ends, block.steps, strict=False))
