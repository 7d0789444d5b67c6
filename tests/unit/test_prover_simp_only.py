"""`simp only` for `simp`: which calls there are, how Lean is asked, and what its answers are read as."""

from __future__ import annotations

import pytest

from tacit.server.prover.simp_only import asking, calls, printed, traced, written
from tacit.server.tactics.try_this import harvest
from tacit.server.text import Position


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("simp", [("simp", ())]),
        ("simp [f, ← g (a, b)] at h ⊢", [("simp", ("f", "← g (a, b)"))]),
        ("intro h <;> simp_all [f]\nsimpa using h", [("simp_all", ("f",)), ("simpa", ())]),
        ("exact ⟨by simp, by dsimp [f]⟩", [("simp", ()), ("dsimp", ("f",))]),
        ("simp +arith [f]", [("simp", ("f",))]),
        ("simp (config := { contextual := true }) [f]", [("simp", ("f",))]),
        ("simp only [f]", []),
        ("simp_all only", []),
        ("simp? [f]", []),
        ("simp! [f]", []),
        ("field_simp [f]", []),
        ("simp_rw [f]", []),
        ("exact Foo.simp h", []),
        ("simp [f", []),
    ],
)
def test_the_calls_of_a_text(text: str, found: list[tuple[str, tuple[str, ...]]]) -> None:
    assert [(call.head, call.items) for call in calls(text)] == found


def test_todays_lean_is_asked_of_all_at_once() -> None:
    text = "constructor\n· simp [f] at h\n  exact h\n· intro x; simp_all"
    found = calls(text)
    asked, where = asking(text, found)
    assert asked == "constructor\n· simp? [f] at h\n  exact h\n· intro x; simp_all?"
    assert where == {Position(1, 2): found[0], Position(3, 11): found[1]}
    told = [
        (Position(1, 2), "Try this: simp only [f, Nat.add_zero] at h"),
        (Position(3, 11), "Try this:\n  [apply] simp_all only"),
        (Position(0, 0), "Try this: simp only [other]"),
    ]
    lemmas = printed(told, where, harvest)
    assert lemmas == {found[0]: ["f", "Nat.add_zero"], found[1]: []}
    assert written(text, lemmas) == (
        "constructor\n· simp only [f, Nat.add_zero] at h\n  exact h\n· intro x; simp_all only"
    )


def test_what_ran_several_times_gets_all_lemmas_once() -> None:
    text = "cases n <;> simpa [f] using h"
    found = calls(text)
    _, where = asking(text, found)
    [at] = where
    told = [(at, "Try this: simpa only [f, g] using h"), (at, "Try this: simpa only [h, f] using h")]
    assert written(text, printed(told, where, harvest)) == "cases n <;> simpa only [f, g, h] using h"


def test_options_stay() -> None:
    text = "simp +contextual [f]"
    found = calls(text)
    _, where = asking(text, found)
    told = [(Position(0, 0), "Try this: simp +contextual only [f, g]")]
    assert written(text, printed(told, where, harvest)) == "simp +contextual only [f, g]"


def test_traces_name_lemmas_and_what_was_given_stays() -> None:
    [call] = calls("simp [double, h]")
    line = "[Meta.Tactic.simp.rewrite] {}:1000, a ==> b"
    names = ["Nat.add_zero", "h", "eq_self", "h._@._hyg.12", "Foo._eq_1", "and_true"]
    told = [(Position(0, 0), line.format(name)) for name in names]
    assert traced(told, {Position(0, 0): call}) == {call: ["double", "h", "Nat.add_zero", "h", "and_true"]}
    assert call.only(traced(told, {Position(0, 0): call})[call]) == "simp only [double, h, Nat.add_zero, and_true]"
