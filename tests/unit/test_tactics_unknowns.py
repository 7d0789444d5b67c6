"""What is put for the unknowns that a step has left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tacit.server.lean.goals import parse_goals
from tacit.server.tactics.unknowns import UnknownTactics
from tests.unit.tactics_goals import OLD, request, texts

CONTEXT = "H : Type v\nf : G → H\nx y : H\nn : Nat\n"


def proposed(goals: str, limit: int = 12) -> list[str]:
    """What is proposed for goals that stand one below the other."""
    asked = replace(request("True", OLD), goals=parse_goals(goals))
    return texts(UnknownTactics(limit), asked)


def test_terms_of_the_target_come_first_and_variables_of_the_type_after_them() -> None:
    found = proposed(f"{CONTEXT}⊢ ?a * f one = ?a * one\n\ncase a\n{CONTEXT}⊢ H")
    assert found == [f"case a => exact {term}" for term in ("f one", "one", "x", "y")]


def test_a_term_with_an_unknown_or_of_another_type_is_not_put() -> None:
    found = proposed(f"{CONTEXT}⊢ g ?a n = y\n\ncase a\n{CONTEXT}⊢ H")
    assert found == ["case a => exact y", "case a => exact x"]


def test_the_tag_of_a_copy_is_left_out() -> None:
    found = proposed(f"{CONTEXT}⊢ ?refine_3.a ≤ x\n\ncase refine_3.a\n{CONTEXT}⊢ H", limit=1)
    assert found == ["case a => exact x"]


@pytest.mark.parametrize(
    "goals",
    [
        f"{CONTEXT}⊢ f n = x",
        f"{CONTEXT}⊢ x = y\n\ncase a\n{CONTEXT}⊢ H",  # the goals share nothing
        f"{CONTEXT}⊢ ?m.12 = x\n\n{CONTEXT}⊢ H",  # an unknown without a name
        f"{CONTEXT}⊢ xs[?a]? = x",
    ],
)
def test_without_an_unknown_that_has_a_name_there_is_nothing_to_put(goals: str) -> None:
    assert proposed(goals) == []
