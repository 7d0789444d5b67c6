"""The checker's verdicts on goals of every shape, by a real Lean."""

from __future__ import annotations

import pytest

from tacit.server.errors import NoGoal
from tacit.server.lean.batch import Step
from tacit.server.lean.checker import Trial
from tacit.server.lean.goals import parse_goals
from tacit.server.values import Candidate
from tests.lean.conftest import Bench

pytestmark = [pytest.mark.lean, pytest.mark.asyncio(loop_scope="module")]

AND = "theorem foo (p q : Prop) (h : p ∧ q) : q ∧ p := by\n  sorry‸\n"


async def test_each_verdict_is_told_apart(bench: Bench) -> None:
    found = await bench.check(
        AND, "exact ⟨h.2, h.1⟩", "constructor", "exact h", "skip", "nonsense", "exact ⟨h.2, h.1", "sorry"
    )
    assert {text: tactic.verdict.value for text, tactic in found.items()} == {
        "exact ⟨h.2, h.1⟩": "closes",
        "constructor": "progresses",
        "exact h": "fails",
        "skip": "fails",
        "nonsense": "fails",
        "exact ⟨h.2, h.1": "refused",
        "sorry": "refused",
    }
    assert found["exact ⟨h.2, h.1⟩"].verified
    assert found["exact ⟨h.2, h.1⟩"].axioms == ()
    assert [goal.target for goal in found["constructor"].goals] == ["q", "p"]
    assert [goal.tag for goal in found["constructor"].goals] == ["left", "right"]
    assert "type mismatch" in found["exact h"].message.lower()
    assert "changes nothing" in found["skip"].message


async def test_what_follows_a_poisoner_is_still_checked(bench: Bench) -> None:
    verdicts = await bench.verdicts(
        AND,
        "exact ⟨h.2, h.1⟩",
        "unknown_tactic_one h",
        "exact And.intro h.2 h.1",
        "rw [",
        "exact ⟨h.right, h.left⟩",
        "induction p with",
        "apply And.intro",
        "exact fun",
        "cases h with\n| intro a b => exact ⟨b, a⟩",
    )
    closing = [text for text, verdict in verdicts.items() if verdict == "closes"]
    assert closing == [
        "exact ⟨h.2, h.1⟩",
        "exact And.intro h.2 h.1",
        "exact ⟨h.right, h.left⟩",
        "cases h with\n| intro a b => exact ⟨b, a⟩",
    ]
    assert verdicts["apply And.intro"] == "progresses"
    assert {verdicts[t] for t in ("unknown_tactic_one h", "induction p with", "exact fun")} == {"fails"}


async def test_a_close_inside_bullets_is_seen_in_a_whole_declaration(bench: Bench) -> None:
    text = "theorem foo (p q : Prop) (h : p ∧ q) : q ∧ p := by\n  constructor\n  · sorry‸\n  · exact h.1\n"
    found = await bench.check(text, "exact h.2", "exact h.1", "assumption")
    assert found["exact h.2"].verified
    assert found["exact h.1"].verdict.value == "fails"


async def test_other_sorries_of_the_declaration_do_not_hide_a_close(bench: Bench) -> None:
    text = "theorem foo (p q : Prop) (h : p ∧ q) : q ∧ p := by\n  constructor\n  · sorry\n  · sorry‸\n"
    found = await bench.check(text, "exact h.1", "exact h.2")
    assert found["exact h.1"].verdict.value == "closes"
    assert found["exact h.1"].verified
    assert found["exact h.2"].verdict.value == "fails"


async def test_a_term_mode_sorry_gets_a_by(bench: Bench) -> None:
    text = "theorem foo (p q : Prop) (h : p ∧ q) : q ∧ p := ⟨sorry‸, h.1⟩\n"
    site = await bench.site(text)
    assert [goal.target for goal in site.goals] == ["q"]
    assert site.hole.fill("exact h.2") == "by exact h.2"
    assert (await bench.verdicts(text, "exact h.2")) == {"exact h.2": "closes"}


async def test_a_term_mode_sorry_among_arguments_gets_parentheses(bench: Bench) -> None:
    text = "theorem foo (p q : Prop) (h : p ∧ q) : q ∧ p := And.intro sorry‸ h.1\n"
    site = await bench.site(text)
    assert site.hole.fill("exact h.2") == "(by exact h.2)"
    assert (await bench.verdicts(text, "exact h.2")) == {"exact h.2": "closes"}


async def test_an_example_is_verified_under_a_name(bench: Bench) -> None:
    found = await bench.check("example (n : Nat) : n = n := by sorry‸\n", "exact rfl", "simp")
    assert found["exact rfl"].verified


async def test_a_unicode_line_keeps_its_columns(bench: Bench) -> None:
    text = "theorem 𝕜foo (𝔭 𝔮 : Prop) (h𝔭 : 𝔭) : 𝔭 ∨ 𝔮 := by have : 𝔭 := h𝔭; sorry‸\n"
    found = await bench.verdicts(text, "exact Or.inl this", "exact Or.inr this")
    assert found == {"exact Or.inl this": "closes", "exact Or.inr this": "fails"}


async def test_namespaces_sections_and_private_names(bench: Bench) -> None:
    text = (
        "namespace Outer\nsection\nvariable (p : Prop)\nopen Nat in\n"
        "/-- A docstring with a sorry in it. -/\n@[simp] private theorem Inner.foo (h : p) : p ∧ True := by\n  sorry‸\n"
        "end\nend Outer\n"
    )
    found = await bench.check(text, "exact ⟨h, trivial⟩", "simp [h]", "exact foo p h", "exact Outer.Inner.foo p h")
    assert found["exact ⟨h, trivial⟩"].verified
    assert found["exact foo p h"].verdict.value == "refused"
    assert found["exact Outer.Inner.foo p h"].verdict.value == "refused"


async def test_a_name_that_means_two_declarations_is_asked_for_from_the_root(bench: Bench) -> None:
    other = "namespace A\ntheorem foo : True := trivial\nend A\nopen A\n"
    text = other + "theorem foo (p : Prop) (h : p) : p := by\n  sorry‸\n"
    found = await bench.check(text, "exact h")
    assert (found["exact h"].verdict.value, found["exact h"].axioms) == ("closes", ())


async def test_a_hypothesis_may_share_the_theorems_last_name(bench: Bench) -> None:
    found = await bench.verdicts("theorem Foo.h (p : Prop) (h : p) : p := by\n  sorry‸\n", "exact h")
    assert found == {"exact h": "closes"}


async def test_the_first_of_several_goals_is_worked_on(bench: Bench) -> None:
    text = "theorem foo (p q : Prop) (hp : p) (hq : q) : p ∧ q := by\n  apply And.intro\n  sorry‸\n  sorry\n"
    site = await bench.site(text)
    assert [goal.target for goal in site.goals] == ["p", "q"]
    assert await bench.verdicts(text, "exact hp", "exact hq") == {"exact hp": "closes", "exact hq": "fails"}


async def test_goals_that_share_a_metavariable_are_not_checked_on_copies(bench: Bench) -> None:
    text = "theorem foo (n : Nat) : ∃ m, m = n + 0 := by\n  apply Exists.intro\n  sorry‸\n"
    site = await bench.site(text)
    assert site.one_at_a_time
    found = await bench.verdicts(text, "exact rfl", "exact (rfl : n = n + 0)", "exact (rfl : 0 = 0)")
    assert found == {
        "exact rfl": "closes",
        "exact (rfl : n = n + 0)": "closes",
        "exact (rfl : 0 = 0)": "fails",
    }


async def test_goals_that_are_functions_are_copied_whole(bench: Bench) -> None:
    """`apply` would take the copying function to want fewer arguments for these."""
    imp = await bench.check(
        "theorem foo (p : Prop) : p → p := by\n  sorry‸\n", "exact id", "intro h", "exact fun h => h"
    )
    assert {text: c.verdict.value for text, c in imp.items()} == {
        "exact id": "closes",
        "intro h": "progresses",
        "exact fun h => h": "closes",
    }
    assert [goal.target for goal in imp["intro h"].goals] == ["p"]
    for statement in (
        "¬(p ∧ ¬p)",
        "∀ q : Prop, q → p ∨ ¬p → q",
        "p ≠ ¬p → True",
        "∀ {q : Prop}, q → q",
        "∀ ⦃q : Prop⦄, q → q",
    ):
        site = await bench.site(f"theorem foo (p : Prop) : {statement} := by\n  sorry‸\n")
        assert not site.is_data, statement
        assert not site.one_at_a_time, statement
        found = await bench.check(
            f"theorem foo (p : Prop) : {statement} := by\n  sorry‸\n", "intros", "trivial", "skip"
        )
        assert found["intros"].verdict.value in ("progresses", "fails"), statement
        assert found["skip"].message == "It changes nothing.", statement


async def test_a_goal_that_is_data_is_told(bench: Bench) -> None:
    text = "def foo (n : Nat) : Nat × Nat := by\n  sorry‸\n"
    site = await bench.site(text)
    assert site.is_data
    found = await bench.check(text, "exact (n, n)", "constructor", "exact n")
    assert found["exact (n, n)"].verdict.value == "closes"
    assert [goal.target for goal in found["constructor"].goals] == ["Nat", "Nat"]
    assert found["exact n"].verdict.value == "fails"


async def test_goals_inside_conv_are_plainly_refused(bench: Bench) -> None:
    with pytest.raises(NoGoal, match="conv"):
        await bench.site("theorem foo (a b : Nat) : a + b = b + a := by\n  conv =>\n    lhs\n    sorry‸\n")


async def test_a_tactic_that_runs_for_several_goals_is_not_judged_by_one(bench: Bench) -> None:
    text = "theorem foo (p q : Prop) (hp : p) : p ∧ q := by\n  constructor <;> sorry‸\n"
    try:
        verdicts = await bench.verdicts(text, "exact hp", "assumption")
    except NoGoal:
        return
    assert "closes" not in verdicts.values()


async def test_an_empty_block_after_by(bench: Bench) -> None:
    text = "theorem foo (p : Prop) (h : p) : p := by‸\n\ntheorem bar : True := trivial\n"
    site = await bench.site(text)
    assert site.hole.fill("exact h") == "\n  exact h"
    assert await bench.verdicts(text, "exact h") == {"exact h": "closes"}


async def test_a_blank_line_in_a_block_that_is_being_written(bench: Bench) -> None:
    text = "theorem foo (p q : Prop) (h : p ∧ q) : q ∧ p := by\n  have hq := h.2\n  ‸\n"
    found = await bench.check(text, "exact ⟨hq, h.1⟩", "constructor", "exact hq")
    assert found["exact ⟨hq, h.1⟩"].verified
    assert found["constructor"].verdict.value == "progresses"


UNFINISHED = {
    "the other goal of constructor": "  constructor\n  · ‸\n",
    "without bullets": "  constructor\n  ‸\n",
    "inside a have": "  have hq : q := by\n    ‸\n",
    "a have in a bullet": "  constructor\n  · have hq : q := by\n      ‸\n",
    "the first alternative": "  cases h with\n  | intro hp hq =>\n    constructor\n    · ‸\n",
}


@pytest.mark.parametrize("name", UNFINISHED)
async def test_a_goal_of_a_declaration_that_is_being_written_closes(bench: Bench, name: str) -> None:
    text = "theorem foo (p q : Prop) (h : p ∧ q) : q ∧ p := by\n" + UNFINISHED[name]
    found = await bench.check(text, "exact h.2" if "intro" not in text else "exact hq", "exact h.1", "finish")
    right, wrong, _ = found.values()
    assert (right.verdict.value, right.verified, right.axioms) == ("closes", True, ())
    assert wrong.verdict.value == "fails"


async def test_alternatives_that_are_not_written_yet_do_not_hide_a_close(bench: Bench) -> None:
    text = "theorem foo (n : Nat) : 0 + n = n := by\n  induction n with\n  | zero =>\n    ‸\n"
    found = await bench.check(text, "rfl", "exact rfl", "exact Nat.succ_ne_zero")
    assert found["exact rfl"].verified
    assert found["exact Nat.succ_ne_zero"].verdict.value == "fails"


async def test_a_declaration_with_an_error_elsewhere_is_not_called_closed(bench: Bench) -> None:
    text = "theorem foo (p q : Prop) (h : p ∧ q) : q ∧ p := by\n  constructor\n  · sorry‸\n  · exact nope\n"
    found = await bench.check(text, "exact h.2", "exact h.1")
    assert found["exact h.2"].verdict.value == "progresses"
    assert found["exact h.2"].goals == ()
    assert "elsewhere" in found["exact h.2"].message
    assert found["exact h.1"].verdict.value == "fails"


async def test_an_example_of_data(bench: Bench) -> None:
    site = await bench.site("example (n : Nat) : Nat × Nat := by\n  sorry‸\n")
    assert site.is_data
    assert [goal.target for goal in site.goals] == ["Nat × Nat"]


async def test_a_syntax_error_further_down_does_not_hide_the_goal(bench: Bench) -> None:
    text = "theorem foo (p q : Prop) (h : p ∧ q) : q ∧ p := by\n  constructor\n  · ‸\n  · exact (h.\n"
    found = await bench.check(text, "exact h.2", "exact h.1")
    assert found["exact h.2"].verdict.value in ("closes", "progresses")
    assert found["exact h.1"].verdict.value == "fails"


async def test_in_the_middle_of_a_finished_proof_nothing_closes(bench: Bench) -> None:
    """A closing tactic above the one that closes already would break the proof that stands there."""
    text = "theorem foo (p : Prop) (h : p) : p := by\n  have h' := h\n  ‸\n  exact h'\n"
    found = await bench.verdicts(text, "exact h'", "assumption")
    assert "closes" not in found.values()


async def test_no_goal_where_none_is(bench: Bench) -> None:
    for text in (
        "theorem foo : True := trivial ‸\n",
        "-- a comm‸ent\n",
        "theorem foo : True := by\n  trivial\n  ‸\n",
        "‸\ntheorem foo : True := trivial\n",
        'def x := "sor‸ry"\n',
    ):
        with pytest.raises(NoGoal):
            await bench.site(text)


async def test_a_crash_costs_one_candidate(bench: Bench) -> None:
    """`repeat skip` overflows the stack of a Lean of 2021; later ones stop it with an error."""
    verdicts = await bench.verdicts(AND, "exact ⟨h.2, h.1⟩", "repeat skip", "exact ⟨h.right, h.left⟩")
    assert verdicts["repeat skip"] != "closes"
    assert verdicts["exact ⟨h.2, h.1⟩"] == verdicts["exact ⟨h.right, h.left⟩"] == "closes"


FIB = """def fib : Nat → Nat
  | 0 => 0
  | 1 => 1
  | n + 2 => fib (n + 1) + fib n
"""


async def test_a_hang_costs_one_candidate_and_is_remembered(bench: Bench) -> None:
    text = FIB + "theorem foo (p : Prop) (h : p) : fib 33 = 12 ∨ p := by\n  sorry‸\n"
    hang = "simp [fib]"
    batch = ("exact Or.inr h", "skip", hang, "apply Or.inl", "exact Or.inr ⟨h⟩", "exact Or.inr (id h)")
    found = await bench.check(text, *batch)
    assert found[hang].verdict.value in ("times out", "fails", "closes")  # today's Lean may bear it
    assert found["exact Or.inr h"].verdict.value == found["exact Or.inr (id h)"].verdict.value == "closes"
    assert found["apply Or.inl"].verdict.value == "progresses"
    before = bench.checker.elaborations
    again = await bench.check(text, hang)
    assert again[hang].verdict is found[hang].verdict
    if found[hang].verdict.value == "times out":
        assert bench.checker.elaborations == before + 1, "only the probe: what hung is not run on that goal again"


# ---------------------------------------------------------------------------------------------- goals inside a proof

TWO = "theorem foo (p q : Prop) (xs : List Nat) (hp : p) (hq : q) : p ∧ q ∧ ∃ n, xs.length = n := by\n  sorry‸\n"
BOTH, DEEPER = Step("constructor", 1, 2), Step("constructor", 1, 2)


def trial(tactic: str, *way: Step, goal: str, joined: bool = False) -> Trial:
    return Trial(Candidate(tactic, "test"), way, parse_goals(goal), joined)


async def test_goals_inside_a_proof_are_tried_in_one_elaboration(bench: Bench) -> None:
    site = await bench.site(TWO)
    before = bench.checker.elaborations
    wish = "hp : p\n⊢ q ∧ ∃ n, List.length xs = n"
    found = await bench.checker.check_all(
        site,
        [
            Trial(Candidate("exact hp", "test")),
            trial("exact hp", Step("constructor", 0, 2), goal="⊢ p"),
            trial("exact hq", Step("constructor", 0, 2), goal="⊢ p"),
            trial("constructor", BOTH, goal=wish),
            trial("exact hq", BOTH, Step("constructor", 0, 2), goal="⊢ q"),
            trial("exact Exists.intro _ rfl", BOTH, DEEPER, goal="⊢ ∃ n, List.length xs = n"),
            trial("exact xs.length", BOTH, DEEPER, Step("refine Exists.intro ?_ ?_"), goal="⊢ Nat", joined=True),
            trial("exact hp", Step("apply nonsense"), goal="⊢ p"),
        ],
    )
    assert bench.checker.elaborations - before <= 3
    assert [each.verdict.value for each in found] == [
        "fails", "closes", "fails", "progresses", "closes", "closes", "progresses", "fails",
    ]  # fmt: skip
    assert [goal.target for goal in found[3].goals] == ["q", "∃ n, List.length xs = n"]
    assert [goal.target for goal in found[6].goals] == ["List.length xs = List.length xs"]
    assert "did not run again" in found[7].message


async def test_one_that_hangs_inside_a_proof_costs_itself_alone(bench: Bench) -> None:
    site = await bench.site(TWO)
    way = Step("constructor", 0, 2)
    hanging = "repeat (have h := hp)"
    found = await bench.checker.check_all(
        site,
        [
            trial("exact hp", way, goal="⊢ p"),
            trial(hanging, way, goal="⊢ p"),
            trial("unknown_tactic_two hp", way, goal="⊢ p"),
            trial("exact hq.elim", BOTH, goal="⊢ q ∧ ∃ n, List.length xs = n"),
            trial("refine ⟨hq, _, rfl⟩", BOTH, goal="⊢ q ∧ ∃ n, List.length xs = n"),
        ],
    )
    assert [each.verdict.value for each in found] == ["closes", "times out", "fails", "fails", "closes"]
