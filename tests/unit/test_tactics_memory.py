"""Remembered tactics put into another goal."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tacit.server.tactics.counterparts import Sides, counterparts
from tacit.server.tactics.memory import LIMIT, MemoryTactics, offers_of
from tacit.server.tactics.source import Remembered, SourceRequest
from tests.unit.tactics_goals import goal, request


def offered(then: str, tactic: str, now: str, *bound: str) -> list[str]:
    remembered = Remembered(goal(then), tactic, 1.0, frozenset(bound))
    return [each.text for each in offers_of([remembered], goal(now))]


@pytest.mark.parametrize(
    ("then", "tactic", "now", "wanted"),
    [
        ("n : Nat; ⊢ f n = n", "induction n", "k : Nat; ⊢ f k = k", "induction k"),
        ("a b : α; h : a < b; ⊢ a ≤ b", "exact lt.le h", "x y : β; k : x < y; ⊢ x ≤ y", "exact lt.le k"),
        # The hypothesis of the same type, whatever its name.
        ("h : p; h' : q; ⊢ p ∧ q", "exact foo h h'", "h : q; h' : p; ⊢ p ∧ q", "exact foo h' h"),
        # What the target says of a variable counts before its name does.
        ("m n : Nat; ⊢ f m = g n", "cases m", "n m : Nat; ⊢ f n = g m", "cases n"),
        # A term in the place of a variable, in parentheses.
        ("a : Nat; ⊢ f a = g a", "exact foo a", "b : Nat; ⊢ f (b + 1) = g (b + 1)", "exact foo (b + 1)"),
        # There is no induction on a term.
        ("n : Nat; ⊢ f n = 0", "induction n", "k : Nat; ⊢ f (k + 1) = 0", "induction k"),
        # Constants, fields and arguments by name stay.
        (
            "n : Nat; h : n.Odd; ⊢ p n",
            "rw [foo (n := n), h.n]",
            "k : Nat; hk : k.Odd; ⊢ p k",
            "rw [foo (n := k), hk.n]",
        ),
        # What has no counterpart goes out of a list, and leaves a blank as an argument.
        ("n : Nat; h : n = 1; ⊢ f n = 1", "simp [h, f]", "k : Nat; ⊢ f k = 1", "simp [f]"),
        ("n : Nat; h : n = 1; ⊢ f n = 1", "exact foo n h", "k : Nat; ⊢ f k = 1", "exact foo k _"),
        # Several lines stay several lines.
        ("n : Nat; ⊢ f n = n", "cases n\n· rfl\n· simp", "k : Nat; ⊢ f k = k", "cases k\n· rfl\n· simp"),
    ],
)
def test_names_become_those_of_the_goal(then: str, tactic: str, now: str, wanted: str) -> None:
    assert offered(then, tactic, now)[0] == wanted


@pytest.mark.parametrize(
    ("then", "tactic", "now"),
    [
        ("n : Nat; h : n = 1; ⊢ f n = 1", "rw [foo] at h", "k : Nat; ⊢ f k = 1"),
        ("h : p ∧ q; ⊢ q", "cases h", "x : Nat; ⊢ q"),
        ("h : p; ⊢ q", "exact h", "x : Nat; ⊢ q"),
    ],
)
def test_what_cannot_be_said_is_not(then: str, tactic: str, now: str) -> None:
    assert offered(then, tactic, now) == []


def test_names_of_steps_before_must_be_here_too() -> None:
    assert offered("⊢ p", "exact foo hx", "x : Nat; ⊢ p", "hx") == ["exact foo _"]
    assert offered("⊢ p", "exact foo hx", "hx : q; ⊢ p", "hx") == ["exact foo hx"]


def test_a_second_way_to_read_a_goal_is_offered_after_the_first() -> None:
    assert offered("n : Nat; ⊢ f n = 0", "induction n", "a b : Nat; ⊢ f a = b") == ["induction a", "induction b"]


def test_those_that_become_one_count_together() -> None:
    now = goal("k : Nat; ⊢ f k = k")
    some = [
        Remembered(goal("n : Nat; ⊢ f n = n"), "rfl", 0.5),
        Remembered(goal("n : Nat; ⊢ f n = n"), "induction n", 0.3),
        Remembered(goal("m : Nat; ⊢ f m = m"), "induction  m", 0.3),
    ]
    first, second = offers_of(some, now)
    assert (first.text, second.text) == ("induction k", "rfl")
    assert 0 < second.prior < first.prior < 1


def test_counterparts_are_one_to_one() -> None:
    found = counterparts(Sides(goal("a b c : Nat; ⊢ a + b = c")), Sides(goal("x y : Nat; ⊢ x + y = x")))
    assert len(set(found.values())) == len(found) == 2


class Fixed:
    def __init__(self, *found: Remembered) -> None:
        self.found = found

    async def recall(self, request: SourceRequest, limit: int) -> Sequence[Remembered]:
        return self.found


def proposed(asked: SourceRequest, *found: Remembered) -> list[str]:
    async def collect() -> list[str]:
        return [each.text async for batch in MemoryTactics(Fixed(*found)).candidates(asked) for each in batch]

    return asyncio.run(collect())


def test_the_source_proposes_what_this_lean_parses_and_not_too_much() -> None:
    then = goal("⊢ p")
    found = [Remembered(then, f"simp [foo{number}]", 1.0 - number / 100) for number in range(40)]
    assert proposed(request("⊢ p"), *found) == [f"simp [foo{number}]" for number in range(LIMIT)]
    assert proposed(replace(request("⊢ p"), known=frozenset()), *found) == []
    assert proposed(request("⊢ p")) == []
