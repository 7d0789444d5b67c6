"""What is read out of Lean's "Try this", in every wording that Lean and Mathlib have had."""

from __future__ import annotations

import pytest
from hypothesis import given

from tacit.server.tactics.try_this import harvest
from tests.unit.properties import any_texts, examples

OLD = {
    "one line": ("Try this: exact foo", ["exact foo"]),
    "wrapped": ("Try this: simp only [a,\n  b, c]", ["simp only [a,\n  b, c]"]),
    "text after it": ("Try this: exact foo\nsome more text\n", ["exact foo"]),
    "goals in comments": ("Try this: refine foo ?_\n-- Remaining subgoals:\n-- ⊢ A ∧\n--   B", ["refine foo ?_"]),
    "rewrite and its goal": ("Try this: rw [foo]\n-- p a b", ["rw [foo]"]),
    "comment behind it": ("Try this: rw [foo] -- no goals", ["rw [foo]"]),
    "several messages in one": ("Try this: exact a\nTry this: exact b\nTry this: exact a", ["exact a", "exact b"]),
    "several lines": (
        "Try this:\n  intro a\n  simp_all only [foo,\n    bar]",
        ["intro a\nsimp_all only [foo,\n  bar]"],
    ),
    "a term over two lines": ("Try this: exact fun x =>\n  foo x", ["exact fun x =>\n  foo x"]),
    "a simp trace below": ("Try this: simp only [f]\n[Meta.Tactic.simp.rewrite] unfold f", ["simp only [f]"]),
    "says": ("Try this: simp? says simp only [foo]", ["simp only [foo]"]),
    "says, below": ("Try this: aesop? says\n  intro a\n  exact a", ["intro a\n  exact a"]),
}

BULLETS = {
    "emoji and goals": (
        (
            "Try these:\n  • 🎉 exact\n      Units.foo a b\n  • norm_num\n    Remaining subgoals:\n    ⊢ False\n"
            "  • simp only [zero_le,\n      and_true]\n    Remaining subgoals:\n    ⊢ x"
        ),
        ["exact\n  Units.foo a b", "norm_num", "simp only [zero_le,\n  and_true]"],
    ),
    "at the margin": ("Try these:\n• linarith\n• omega", ["linarith", "omega"]),
}

MARKED = {
    "one": ("Try this:\n  [apply] exact foo", ["exact foo"]),
    "several": ("Try these:\n  [apply] simp [*]\n  [apply] grind", ["simp [*]", "grind"]),
    "goals in comments": (
        "Try this:\n  [apply] refine bar ?_\n  -- Remaining subgoals:\n  -- ⊢ A\n  --   B",
        ["refine bar ?_"],
    ),
    "goals that wrap without a dash": (
        "Try these:\n  [apply] refine bar ?_\n  -- Remaining subgoals:\n  -- ⊢ long\n      end\n  [apply] exact c",
        ["refine bar ?_", "exact c"],
    ),
    "rewrite": ("Try this:\n  [apply] rw [h p]\n  -- no goals", ["rw [h p]"]),
    "emoji": (
        "Try these:\n  [apply] 🎉 decide\n  [apply] ring_nf\n  Remaining subgoals:\n  ⊢ Nat.Prime 37",
        ["decide", "ring_nf"],
    ),
    "a block": (
        (
            "Try these:\n  [apply] (induction xs) <;> grind\n  [apply] ·\n    induction xs\n    · grind\n"
            "    · grind =>\n      ring"
        ),
        ["(induction xs) <;> grind", "·\n  induction xs\n  · grind\n  · grind =>\n    ring"],
    ),
    "a sequence below the mark": (
        "Try this:\n  [apply] \n    cases h\n    · simp\n    · simp",
        ["cases h\n· simp\n· simp"],
    ),
    "a sequence pushed to the right": ("Try this:\n\n  [apply]     intro a\n    simp_all", ["intro a\nsimp_all"]),
    "wrapped": ("Try this:\n  [apply] simp only [aaaa,\n    bbbb]", ["simp only [aaaa,\n  bbbb]"]),
    "exposed names": ("Try this:\n  [apply] (expose_names; exact imp h_1 h)", ["(expose_names; exact imp h_1 h)"]),
}

NOTHING = {
    "nothing found": "The `exact?` tactic could not close the goal. Try `apply?` to see partial suggestions.",
    "a goal": "unsolved goals\n⊢ p",
    "a hint": "Unknown constant\n\nHint: Perhaps you meant:\n  [apply] `foo`",
    "a name nobody can write": "Try this:\n  [apply] exact h✝",
    "an unfinished proof": "Try this:\n  [apply] ·\n    cases h\n    · sorry",
    "a metavariable": "Try this: refine foo ?m.12",
    "an elided term": "Try this:\n  [apply] exact foo ⋯",
    "a header alone": "Try this:",
    "empty": "",
}


@pytest.mark.parametrize(("message", "found"), [*OLD.values(), *BULLETS.values(), *MARKED.values()])
def test_suggestions_are_found(message: str, found: list[str]) -> None:
    assert harvest(message) == tuple(found)


@pytest.mark.parametrize("message", NOTHING.values(), ids=NOTHING.keys())
def test_nothing_is_found(message: str) -> None:
    assert harvest(message) == ()


@examples
@given(any_texts)
def test_no_message_breaks_it(text: str) -> None:
    for message in (text, f"Try this: {text}", f"Try these:\n  [apply] {text}\n  [apply] {text}", f"Try this:\n{text}"):
        found = harvest(message)
        assert all(tactic.strip() == tactic and tactic for tactic in found)
        assert len(set(found)) == len(found)
