"""Goals as Lean prints them, in 2021 and today."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.server.lean.goals import is_conv, parse_goal, parse_goals
from tacit.server.values import Goal, Hypothesis
from tests.unit.properties import any_texts, examples


def hypotheses(text: str) -> list[tuple[str, str, str | None]]:
    return [(" ".join(h.names), h.type, h.value) for h in parse_goal(text + "\n⊢ True").hypotheses]


def test_a_plain_goal() -> None:
    text = "p q : Prop\nh : p ∧ q\n⊢ q ∧ p"
    assert parse_goal(text) == Goal(
        (Hypothesis(("p", "q"), "Prop"), Hypothesis(("h",), "p ∧ q")), "q ∧ p", tag=None, text=text
    )


@pytest.mark.parametrize("text", ["", "\n", "no goals", "no goals\n", "goals accomplished", "Goals accomplished!"])
def test_no_goals(text: str) -> None:
    assert parse_goals(text) == ()


def test_a_goal_without_hypotheses() -> None:
    assert parse_goals("⊢ True") == (Goal((), "True", text="⊢ True"),)


def test_several_goals_with_tags() -> None:
    goals = parse_goals("case left\np q : Prop\n⊢ q\n\ncase right\np q : Prop\n⊢ p")
    assert [(g.tag, g.target, g.text) for g in goals] == [
        ("left", "q", "case left\np q : Prop\n⊢ q"),
        ("right", "p", "case right\np q : Prop\n⊢ p"),
    ]


@pytest.mark.parametrize("blank", ["\n\n", "\n \n", "\n\n\n", "\n  \n"])
def test_goals_are_told_apart_by_blank_lines(blank: str) -> None:
    assert [g.target for g in parse_goals(f"⊢ a{blank}⊢ b\n")] == ["a", "b"]


@pytest.mark.parametrize(
    ("line", "tag"),
    [
        ("case inl", "inl"),
        ("case succ.inr.intro", "succ.inr.intro"),
        ("case h✝", "h"),
        ("case h✝¹", "h"),
        ("case a.h✝¹².b✝", "a.h.b"),
        ("case refine'_1", "refine'_1"),
        ("case «a b»", "«a b»"),
    ],
)
def test_tags(line: str, tag: str | None) -> None:
    goal = parse_goal(f"{line}\n⊢ p")
    assert goal.tag == tag
    assert goal.text == ("" if tag is None else f"case {tag}\n") + "⊢ p"


@pytest.mark.parametrize(
    ("line", "tag"),
    [
        ("case refine_2", None),
        ("case refine_2.left", "left"),
        ("case inl.refine_2.left", "inl.left"),
        ("case refine_1", "refine_1"),
        ("case refine_2.refine_2", "refine_2"),
    ],
)
def test_the_tag_of_a_copy_is_left_out_once(line: str, tag: str | None) -> None:
    assert parse_goal(f"{line}\n⊢ p", without_tag="refine_2").tag == tag


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("h : p", [("h", "p", None)]),
        ("a b c : Nat", [("a b c", "Nat", None)]),
        ("h✝ : p", [("h✝", "p", None)]),
        ("x✝¹ y x✝ : Nat", [("x✝¹ y x✝", "Nat", None)]),
        ("inst✝ : Group G", [("inst✝", "Group G", None)]),
        ("«a b» : Nat", [("«a b»", "Nat", None)]),
        ("𝕜 : Type u_1", [("𝕜", "Type u_1", None)]),
        ("h₁' : p", [("h₁'", "p", None)]),
        ("this : p", [("this", "p", None)]),
        # binders with types inside
        ("h : ∀ (x : Nat), x = x", [("h", "∀ (x : Nat), x = x", None)]),
        ("f : (a : Nat) → (b : Nat) → p a b", [("f", "(a : Nat) → (b : Nat) → p a b", None)]),
        ("h : ∃ x : Nat, p x", [("h", "∃ x : Nat, p x", None)]),
        ("h : (x : Nat) = y", [("h", "(x : Nat) = y", None)]),
        # types over several lines, broken behind the colon or within
        ("h : a +\n    b = c", [("h", "a +\n    b = c", None)]),
        ("h :\n  a + b = c", [("h", "a + b = c", None)]),
        ("h :\n  ∀ (x : Nat),\n    x = x", [("h", "∀ (x : Nat),\n    x = x", None)]),
        ("a b :\n  Nat\nc : Nat", [("a b", "Nat", None), ("c", "Nat", None)]),
        # let values
        ("x : Nat := 5", [("x", "Nat", "5")]),
        ("x : Nat × Nat := (1, 2)", [("x", "Nat × Nat", "(1, 2)")]),
        ("x : Nat :=\n  5", [("x", "Nat", "5")]),
        ("x : Nat × Nat :=\n  (1,\n    2)", [("x", "Nat × Nat", "(1,\n    2)")]),
        ("x :\n  Nat :=\n  5", [("x", "Nat", "5")]),
        ("f : Nat → Nat := fun x => x", [("f", "Nat → Nat", "fun x => x")]),
        ("s : S := { fst := 1, snd := 2 }", [("s", "S", "{ fst := 1, snd := 2 }")]),
        ("x : Nat := let y := 1; y", [("x", "Nat", "let y := 1; y")]),
        # `:=` that belongs to the type
        ("h : { fst := 1, snd := 2 } = p", [("h", "{ fst := 1, snd := 2 } = p", None)]),
        ("h : foo (n := 3) = p", [("h", "foo (n := 3) = p", None)]),
        ("h : let x := 5; x = 6", [("h", "let x := 5; x = 6", None)]),
        ("h :\n  let x := 5;\n  x = 6", [("h", "let x := 5;\n  x = 6", None)]),
        ("h : p ∧ let x := 5; x = 6", [("h", "p ∧ let x := 5; x = 6", None)]),
        ("h : have x := 5; x = 6", [("h", "have x := 5; x = 6", None)]),
        ("h : have x : Nat := 5; x = 6", [("h", "have x : Nat := 5; x = 6", None)]),
        ("h : let_fun x := 5; x = 6", [("h", "let_fun x := 5; x = 6", None)]),
        ("s : { a : Nat // a = 1 } := { val := 1, property := h }", [
            ("s", "{ a : Nat // a = 1 }", "{ val := 1, property := h }"),
        ]),
        # 2021 leaves out the names that nobody can write
        (" : p", [("_", "p", None)]),
        ("h : q\n : p\n : { fst := 1 } = x\ng : r", [
            ("h", "q", None), ("_", "p", None), ("_", "{ fst := 1 } = x", None), ("g", "r", None),
        ]),
        (" :\n  p ∧\n    q\nh : r", [("_", "p ∧\n    q", None), ("h", "r", None)]),
        ("_ : p", [("_", "p", None)]),
    ],
)  # fmt: skip
def test_hypotheses(text: str, expected: list[tuple[str, str, str | None]]) -> None:
    assert hypotheses(text) == expected


@pytest.mark.parametrize(
    ("names", "accessible"),
    [
        (("h",), ("h",)),
        (("h✝",), ()),
        (("x✝¹", "y", "x✝", "x✝¹²"), ("y",)),
        (("_",), ()),
        (("_h", "h'"), ("_h", "h'")),
    ],
)
def test_accessible_names(names: tuple[str, ...], accessible: tuple[str, ...]) -> None:
    assert Hypothesis(names, "p").accessible == accessible


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("⊢ a = b", "a = b"),
        ("⊢ a +\n      b =\n    c", "a +\n      b =\n    c"),
        ("⊢\n  a = b", "a = b"),
        ("⊢ let x := 5;\n  x = 6", "let x := 5;\n  x = 6"),
        ("h : p\n⊢ a ∨\n    let x := 5;\n    x = 6", "a ∨\n    let x := 5;\n    x = 6"),
        ("⊢ h : p", "h : p"),
    ],
)
def test_targets(text: str, target: str) -> None:
    assert parse_goal(text).target == target


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("⊢ p", False),
        ("| a + b", True),
        ("a b : Nat\n| a + b", True),
        ("case h\na b : Nat\n| a +\n  b", True),
        ("a b : Nat\n⊢ a ∣ b", False),
        ("h : p\n  | q\n⊢ r", False),
        ("", False),
        ("no goals", False),
        ("⊢ match x with\n| 0 => a\n| 1 => b", False),
    ],
)
def test_conv_goals(text: str, expected: bool) -> None:
    assert is_conv(text) is expected


def test_a_conv_goal_is_read_like_another() -> None:
    goal = parse_goal("a b : Nat\n| a + b")
    assert goal.target == "a + b"
    assert [h.names for h in goal.hypotheses] == [("a", "b")]


def test_an_unnamed_hypothesis_ends_the_one_above() -> None:
    goal = parse_goal("h :\n  q\n : p\n⊢ r")
    assert [h.type for h in goal.hypotheses] == ["q", "p"]


def test_a_match_in_a_hypothesis_is_no_target() -> None:
    """Its alternatives are indented; only what follows `⊢` at the line's beginning is the target."""
    goal = parse_goal("h :\n  match x with\n  | 0 => a\n  | 1 => b\n⊢ c")
    assert goal.target == "c"
    assert len(goal.hypotheses) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("⊢ p", False),
        ("⊢ ?m.12 = 3", True),
        ("h : p ?x\n⊢ q", True),
        ("x : Nat := ?y\n⊢ q", True),
        ("⊢ xs[0]? = none", False),
        ("⊢ xs.get? 0 = none", False),
        ("⊢ a.find? p = ?w", True),
        ("⊢ ?a", True),
        # A universe is hardly ever what a tactic assigns.
        ("β : Sort ?u.14581\n⊢ p", False),
        ("β : Sort ?u.14581\n⊢ ?unknown", True),
        ("⊢ (?a, b)", True),
    ],
)
def test_metavariables(text: str, expected: bool) -> None:
    """Goals that share unknowns are checked one candidate at a time, so a `?` that is a name's must not count."""
    assert parse_goal(text).has_metavariables is expected


names = st.lists(st.sampled_from(["h", "x", "x✝", "n₁", "𝕜", "«a b»"]), min_size=1, max_size=3)
types = st.sampled_from(["p", "∀ (x : Nat), x = x", "a\n    ∧ b", "{ fst := 1 } = y", "Nat → Nat"])
lines = st.lists(st.tuples(names, types, st.sampled_from([None, "5", "fun x => x", "{ a := 1 }"])), max_size=4)


@given(st.lists(st.tuples(lines, types), min_size=1, max_size=3))
@examples
def test_what_is_printed_is_read_back(printed: list[tuple[list[tuple[list[str], str, str | None]], str]]) -> None:
    text = "\n\n".join(
        "".join(f"{' '.join(n)} : {t}{'' if v is None else f' := {v}'}\n" for n, t, v in hyps) + f"⊢ {target}"
        for hyps, target in printed
    )
    goals = parse_goals(text)
    assert [g.target for g in goals] == [target for _, target in printed]
    assert [[(" ".join(h.names), h.type, h.value) for h in g.hypotheses] for g in goals] == [
        [(" ".join(n), t, v) for n, t, v in hyps] for hyps, _ in printed
    ]


@given(any_texts)
@examples
def test_never_raises(text: str) -> None:
    for goal in parse_goals(text):
        assert goal.has_metavariables in (True, False)
        for hypothesis in goal.hypotheses:
            assert hypothesis.names
    is_conv(text)
