"""Which suggestion stands first, and which two are the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tacit.server.lean.goals import parse_goals
from tacit.server.ranking import rank, same_result
from tacit.server.values import Candidate, CheckedTactic, Verdict
from tests.unit.properties import examples


def checked(
    text: str, goals: str = "", *, closes: bool = False, prior: float = 0.5, source: str = "test"
) -> CheckedTactic:
    verdict = Verdict.CLOSES if closes else Verdict.PROGRESSES
    return CheckedTactic(Candidate(text, source, prior), verdict, parse_goals(goals))


def ordered(*tactics: CheckedTactic) -> list[str]:
    return [c.candidate.text for c in sorted(tactics, key=rank)]


def test_what_closes_stands_before_what_leaves_goals() -> None:
    assert ordered(
        checked("simp", "⊢ p", prior=1.0), checked("exact a_very_long_name_of_a_lemma h", closes=True, prior=0.0)
    ) == ["exact a_very_long_name_of_a_lemma h", "simp"]


def test_of_closes_the_shorter_one_line_and_likelier() -> None:
    assert ordered(
        checked("cases h with\n| intro a b => exact a", closes=True),
        checked("exact a_long_name a b c d e f", closes=True),
        checked("omega", closes=True),
    ) == ["omega", "exact a_long_name a b c d e f", "cases h with\n| intro a b => exact a"]
    assert ordered(checked("simpb", closes=True, prior=0.1), checked("simpa", closes=True, prior=0.9))[0] == "simpa"


def test_of_progress_the_fewer_goals_then_the_likelier_then_the_less_to_prove() -> None:
    assert ordered(
        checked("two", "⊢ p\n\n⊢ q", prior=1.0),
        checked("long", "⊢ p ∧ q ∧ r"),
        checked("short", "⊢ p"),
        checked("likely", "⊢ p ∧ q ∧ r", prior=0.9),
    ) == ["likely", "short", "long", "two"]


def test_the_same_goals_are_the_same_result() -> None:
    one, other = checked("simp", "case a\nh : p\n⊢ q"), checked("rw [foo]", "h : p\n⊢ q", source="other")
    assert same_result(one) == same_result(other)
    for goals in ("h : p\n⊢ r", "h : r\n⊢ q", "g : p\n⊢ q", "h : p\n⊢ q\n\n⊢ q", "⊢ q"):
        assert same_result(one) != same_result(checked("simp", goals))


def test_closes_are_the_same_by_their_text_only() -> None:
    assert same_result(checked("rfl", closes=True)) == same_result(checked("rfl", closes=True, source="other"))
    assert same_result(checked("rfl", closes=True)) != same_result(checked("simp", closes=True))


def test_what_closes_the_goal_at_hand_is_the_same_by_its_text() -> None:
    """Progress without goals closes the goal in a declaration that is not finished: each such tactic is its own."""
    assert same_result(checked("rfl")) == "rfl"
    assert same_result(checked("rfl")) != same_result(checked("simp"))


anything = st.builds(
    checked,
    st.text(max_size=30),
    st.sampled_from(["", "⊢ p", "h : q\n⊢ p\n\n⊢ q"]),
    closes=st.booleans(),
    prior=st.floats(min_value=0, max_value=1),
)


@given(st.lists(anything, max_size=6))
@examples
def test_any_two_can_be_compared_and_the_order_does_not_depend_on_the_order_given(tactics: list[CheckedTactic]) -> None:
    other_way_round = list(reversed(tactics))
    assert [rank(t) for t in sorted(tactics, key=rank)] == [rank(t) for t in sorted(other_way_round, key=rank)]
    assert len({same_result(t) for t in tactics}) <= len(tactics)
