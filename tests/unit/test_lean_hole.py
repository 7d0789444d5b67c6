"""Where a tactic can go, and what the text looks like with one put there. `‸` marks the cursor."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.server.errors import NoGoal
from tacit.server.lean.hole import Hole, holes, inside_conv, is_tactic_position
from tacit.server.lean.syntax import Commands
from tacit.server.text import LineIndex, Span
from tests.unit.properties import any_texts, examples

CURSOR = "‸"


def places(text: str, tactic: str = "T", *, extend_typed: bool = False, near: bool = False) -> list[str]:
    """The text with a tactic in each of the places, likeliest first."""
    offset = text.index(CURSOR)
    text = text.replace(CURSOR, "")
    _, found = holes(text, offset, extend_typed=extend_typed, near=near)
    return [text[: h.span.start] + h.fill(tactic) + text[h.span.end :] for h in found]


TWO = "T\nU"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # after `by`: a block of its own, or on the line
        ("theorem a : b := by‸", ["theorem a : b := by\n  T\n  U", "theorem a : b := by T\n                    U"]),
        ("theorem a : b := by ‸", ["theorem a : b := by T\n                    U", "theorem a : b := by\n  T\n  U"]),
        ("theorem a\n    (h : p) :\n    b := by‸", [
            "theorem a\n    (h : p) :\n    b := by\n  T\n  U",
            "theorem a\n    (h : p) :\n    b := by T\n            U",
        ]),
        ("theorem a : b := by\n  have : p := by‸", [
            "theorem a : b := by\n  have : p := by\n    T\n    U",
            "theorem a : b := by\n  have : p := by T\n                 U",
        ]),
        ("theorem a : b := by\n  have : p := by‸\n  x", [
            "theorem a : b := by\n  have : p := by\n    T\n    U\n  x",
            "theorem a : b := by\n  have : p := by T\n                 U\n  x",
        ]),
        ("instance : A where\n  x := by‸\n  y := z", [
            "instance : A where\n  x := by\n    T\n    U\n  y := z",
            "instance : A where\n  x := by T\n          U\n  y := z",
        ]),
        ("theorem a : b := by\n  f (by ‸)", ["theorem a : b := by\n  f (by T\n        U)"]),
        ("theorem a : b := by\n  f (by‸)", ["theorem a : b := by\n  f (by T\n        U)"]),
        ("theorem a : b := by\n  f ⟨by‸, x⟩", ["theorem a : b := by\n  f ⟨by T\n        U, x⟩"]),
        ("theorem a : b := by‸\n  x", [
            "theorem a : b := by\n  T\n  U\n  x",
            "theorem a : b := by T\n                    U\n  x",
        ]),
        # what follows is deeper than the line, but no block of this `by`
        ("theorem a : b := by\n  calc a = b := by‸\n    _ = c := d", [
            "theorem a : b := by\n  calc a = b := by\n    T\n    U\n    _ = c := d",
            "theorem a : b := by\n  calc a = b := by T\n                   U\n    _ = c := d",
        ]),
        # blank lines, at several columns
        ("theorem a : b := by\n‸", ["theorem a : b := by\n  T\n  U"]),
        ("theorem a : b := by\n  ‸", ["theorem a : b := by\n  T\n  U"]),
        ("theorem a\n    (h : p) :\n    b := by\n‸", ["theorem a\n    (h : p) :\n    b := by\n  T\n  U"]),
        ("theorem a : b := by\n  x\n‸", ["theorem a : b := by\n  x\n  T\n  U"]),
        ("theorem a : b := by\n  x\n  ‸", ["theorem a : b := by\n  x\n  T\n  U"]),
        ("theorem a : b := by\n  x\n\n‸\n\ntheorem c : d := e", [
            "theorem a : b := by\n  x\n\n  T\n  U\n\ntheorem c : d := e",
        ]),
        ("theorem a : b := by\n    x\n  ‸", [
            "theorem a : b := by\n    x\n  T\n  U", "theorem a : b := by\n    x\n    T\n    U",
        ]),
        ("theorem a : b := by\n  x\n      ‸", [
            "theorem a : b := by\n  x\n      T\n      U", "theorem a : b := by\n  x\n  T\n  U",
        ]),
        ("theorem a : b := by\n  have : p := by\n‸\n  x", ["theorem a : b := by\n  have : p := by\n    T\n    U\n  x"]),
        ("theorem a : b := by\n‸\n    x", ["theorem a : b := by\n    T\n    U\n    x"]),
        ("theorem a : b := by -- c\n  ‸", ["theorem a : b := by -- c\n  T\n  U"]),
        ("mutual\ntheorem a : b := by\n  ‸\ntheorem c : d := by\n  x\nend", [
            "mutual\ntheorem a : b := by\n  T\n  U\ntheorem c : d := by\n  x\nend",
        ]),
        # bullets
        ("theorem a : b := by\n  ·‸", ["theorem a : b := by\n  · T\n    U"]),
        ("theorem a : b := by\n  · ‸", ["theorem a : b := by\n  · T\n    U"]),
        ("theorem a : b := by\n  .‸", ["theorem a : b := by\n  . T\n    U"]),
        ("theorem a : b := by\n  · x‸", ["theorem a : b := by\n  · x\n    T\n    U"]),
        ("theorem a : b := by\n  · x\n    ‸", [
            "theorem a : b := by\n  · x\n    T\n    U", "theorem a : b := by\n  · x\n  T\n  U",
        ]),
        ("theorem a : b := by\n  · x\n  ‸", [
            "theorem a : b := by\n  · x\n  T\n  U", "theorem a : b := by\n  · x\n    T\n    U",
        ]),
        ("theorem a : b := by\n  · x\n  · ‸\n  y", ["theorem a : b := by\n  · x\n  · T\n    U\n  y"]),
        # arms
        ("theorem a : b := by\n  cases h with\n  | inl h =>‸", [
            "theorem a : b := by\n  cases h with\n  | inl h => T\n             U",
        ]),
        ("theorem a : b := by\n  cases h with\n  | inl h => ‸\n  | inr h => x", [
            "theorem a : b := by\n  cases h with\n  | inl h => T\n             U\n  | inr h => x",
        ]),
        ("theorem a : b := by\n  cases h with\n  | inl h =>\n‸", [
            "theorem a : b := by\n  cases h with\n  | inl h =>\n    T\n    U",
        ]),
        ("theorem a : b := by\n  cases h with\n  | inl h =>\n    ‸\n  | inr h => x", [
            "theorem a : b := by\n  cases h with\n  | inl h =>\n    T\n    U\n  | inr h => x",
        ]),
        ("theorem a : b := by\n  case h => ‸", ["theorem a : b := by\n  case h => T\n            U"]),
        ("theorem a : b := by\n  next =>‸", ["theorem a : b := by\n  next => T\n          U"]),
        ("theorem a : b := by\n  | inl h => x‸", ["theorem a : b := by\n  | inl h => x\n  T\n  U"]),
        # after a tactic, and after what asks for one
        ("theorem a : b := by\n  x‸", ["theorem a : b := by\n  x\n  T\n  U"]),
        ("theorem a : b := by\n  x;‸", ["theorem a : b := by\n  x; T\n     U"]),
        ("theorem a : b := by\n  x; ‸", ["theorem a : b := by\n  x; T\n     U"]),
        ("theorem a : b := by\n  x <;>‸", ["theorem a : b := by\n  x <;> T\n        U"]),
        ("theorem a : b := by\n  rcases h with h | h‸", ["theorem a : b := by\n  rcases h with h | h\n  T\n  U"]),
        # `sorry`, as a tactic
        ("theorem a : b := by\n  sorry‸", ["theorem a : b := by\n  T\n  U", "theorem a : b := by\n  (by T\n      U)"]),
        ("theorem a : b := by\n  so‸rry", ["theorem a : b := by\n  T\n  U", "theorem a : b := by\n  (by T\n      U)"]),
        ("theorem a : b := by\n  ‸sorry", ["theorem a : b := by\n  T\n  U", "theorem a : b := by\n  (by T\n      U)"]),
        ("theorem a : b := by\n  x; sorry‸", [
            "theorem a : b := by\n  x; T\n     U", "theorem a : b := by\n  x; (by T\n         U)",
        ]),
        ("theorem a : b := by\n  match x with\n  | 0 => sorry‸", [
            "theorem a : b := by\n  match x with\n  | 0 => T\n         U",
            "theorem a : b := by\n  match x with\n  | 0 => by T\n            U",
        ]),
        # `sorry`, as a term
        ("theorem a : b := sorry‸", [
            "theorem a : b := by T\n                    U", "theorem a : b := T\n                 U",
        ]),
        ("theorem a : b :=\n  sorry‸", ["theorem a : b :=\n  by T\n     U", "theorem a : b :=\n  T\n  U"]),
        ("theorem a : b := f sorry‸ x", [
            "theorem a : b := f (by T\n                       U) x", "theorem a : b := f T\n                   U x",
        ]),
        ("theorem a : b := ⟨sorry‸, x⟩", [
            "theorem a : b := ⟨by T\n                     U, x⟩", "theorem a : b := ⟨T\n                  U, x⟩",
        ]),
        ("theorem a : b := ⟨x, sorry‸⟩", [
            "theorem a : b := ⟨x, by T\n                        U⟩", "theorem a : b := ⟨x, T\n                     U⟩",
        ]),
        ("theorem a : b := fun x => sorry‸", [
            "theorem a : b := fun x => by T\n                             U",
            "theorem a : b := fun x => T\n                          U",
        ]),
        ("theorem a : b := fun x ↦ sorry‸", [
            "theorem a : b := fun x ↦ by T\n                            U",
            "theorem a : b := fun x ↦ T\n                         U",
        ]),
        ("def f : Nat → Nat\n  | 0 => sorry‸\n  | n + 1 => sorry", [
            "def f : Nat → Nat\n  | 0 => by T\n            U\n  | n + 1 => sorry",
            "def f : Nat → Nat\n  | 0 => T\n         U\n  | n + 1 => sorry",
        ]),
        ("theorem a : b := by\n  exact sorry‸", [
            "theorem a : b := by\n  exact by T\n           U", "theorem a : b := by\n  exact T\n        U",
        ]),
        ("theorem a : b := by\n  exact f sorry‸", [
            "theorem a : b := by\n  exact f (by T\n              U)", "theorem a : b := by\n  exact f T\n          U",
        ]),
        ("theorem a : b := by\n  have : p := sorry‸\n  x", [
            "theorem a : b := by\n  have : p := by T\n                 U\n  x",
            "theorem a : b := by\n  have : p := T\n              U\n  x",
        ]),
        ("theorem a : b := by\n  calc a = b := sorry‸\n    _ = c := sorry", [
            "theorem a : b := by\n  calc a = b := by T\n                   U\n    _ = c := sorry",
            "theorem a : b := by\n  calc a = b := T\n                U\n    _ = c := sorry",
        ]),
        ("theorem 𝕜a : 𝔭 := by exact sorry‸", [
            "theorem 𝕜a : 𝔭 := by exact by T\n                              U",
            "theorem 𝕜a : 𝔭 := by exact T\n                           U",
        ]),
        # carriage returns stay where they are
        ("theorem a : b := by\r\n  x\r\n  ‸\r\n  y\r\n", ["theorem a : b := by\r\n  x\r\n  T\n  U\r\n  y\r\n"]),
        ("theorem a : b := by\r\n‸\r\n", ["theorem a : b := by\r\n  T\n  U\r\n"]),
        ("theorem a : b := by‸\r\n", [
            "theorem a : b := by\n  T\n  U\r\n", "theorem a : b := by T\n                    U\r\n",
        ]),
        ("theorem a : b := by\r\n  x‸\r\n", ["theorem a : b := by\r\n  x\n  T\n  U\r\n"]),
    ],
)  # fmt: skip
def test_places(text: str, expected: list[str]) -> None:
    assert places(text, TWO) == expected


@pytest.mark.parametrize(
    ("text", "typed", "filled"),
    [
        ("theorem a : b := by\n  sim‸", "sim", "theorem a : b := by\n  T"),
        ("theorem a : b := by sim‸", "sim", "theorem a : b := by T"),
        ("theorem a : b := by\n  x; si‸", "si", "theorem a : b := by\n  x; T"),
        ("theorem a : b := by\n  x <;> si‸", "si", "theorem a : b := by\n  x <;> T"),
        ("theorem a : b := by\n  · si‸", "si", "theorem a : b := by\n  · T"),
        ("theorem a : b := by\n  | a => si‸", "si", "theorem a : b := by\n  | a => T"),
        ("theorem a : b := by\n  exact h.‸", "exact h.", "theorem a : b := by\n  T"),
        ("theorem a : b := by\n  rw [foo, ‸", "rw [foo, ", "theorem a : b := by\n  T"),
        ("theorem a : b := by\n  exact f (by si‸)", "si", "theorem a : b := by\n  exact f (by T)"),
        ("theorem a : b := ⟨by si‸, x⟩", "si", "theorem a : b := ⟨by T, x⟩"),
        ("theorem a : b := by\n  have : p := by si‸", "si", "theorem a : b := by\n  have : p := by T"),
        ("theorem a : b := by\n  rw [nearby ‸", "rw [nearby ", "theorem a : b := by\n  T"),
        ("theorem a : b := by\r\n  sim‸\r\n", "sim", "theorem a : b := by\r\n  T\r\n"),
    ],
)
def test_what_is_being_typed_is_replaced(text: str, typed: str, filled: str) -> None:
    offset = text.index(CURSOR)
    _, (hole,) = holes(text.replace(CURSOR, ""), offset, extend_typed=True)
    assert hole.typed == typed
    assert places(text, extend_typed=True) == [filled]


def test_nothing_is_being_typed_on_a_blank_line() -> None:
    assert places("theorem a : b := by\n  ‸", extend_typed=True) == ["theorem a : b := by\n  T"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("theorem a : b := by -- he‸re\n  x", "inside a comment"),
        ("theorem a : b := by -- here‸\n  x", "inside a comment"),
        ("theorem a : b := by /- sorry‸ -/\n  x", "inside a comment"),
        ("/-- sor‸ry -/\ntheorem a : b := by x", "inside a comment"),
        ("theorem a : b := by /- never closed ‸", "inside a comment"),
        ('def a := "sor‸ry"', "inside a string"),
        ('def a := "never closed ‸', "inside a string"),
        ('def a := r#"raw "sorry‸ "#', "inside a string"),
        ("‸", "no declaration"),
        ("‸\ntheorem a : b := c", "no declaration"),
        ("-- only a comment\n‸", "no declaration"),
        ("import A‸", "no tactic block"),
        ("theorem a : b := c‸", "no tactic block"),
        ("theorem a : b := ‸", "no tactic block"),
        ("theorem a : b := by x‸", "no tactic block"),
        ("theorem a : b := by\n  ‸x\n  sorry", "middle of a line"),
        ("theorem ‸a : b := by sorry", "middle of a line"),
        ("theorem a : b := by\n  exact ‸ sorry", "middle of a line"),
    ],
)
def test_no_place(text: str, reason: str) -> None:
    # At the end of a line with text a tactic may be being typed; whether it is one, Lean will tell.
    for extend_typed in [False] if reason == "no tactic block" else [False, True]:
        with pytest.raises(NoGoal, match=reason) as raised:
            places(text, extend_typed=extend_typed)
        assert raised.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("theorem a‸ : b := sorry", "theorem a : b := by T"),
        ("theorem a : b := ⟨sorry, ‸x, sorry⟩", "theorem a : b := ⟨sorry, x, by T⟩"),
        ("theorem a : b := ⟨sorry, x, sorry, ‸x⟩", "theorem a : b := ⟨by T, x, sorry, x⟩"),
        ("theorem a : b := ⟨sorry, so‸rry⟩", "theorem a : b := ⟨sorry, by T⟩"),
        ("theorem a : b := by\n  exa‸ct sorry -- sorry", "theorem a : b := by\n  exact by T -- sorry"),
    ],
)
def test_near_takes_a_sorry_elsewhere_on_the_line(text: str, expected: str) -> None:
    assert places(text, near=True)[0] == expected


def test_near_takes_no_sorry_of_another_line() -> None:
    with pytest.raises(NoGoal, match="middle"):
        places("theorem ‸a : b := by\n  sorry", near=True)


@pytest.mark.parametrize(
    ("tactic", "filled"),
    [
        ("x", "⟨by x⟩"),
        ("x\ny", "⟨by x\n    y⟩"),
        ("cases h with\n| inl a => x\n| inr b =>\n  y", "⟨by cases h with\n    | inl a => x\n    | inr b =>\n      y⟩"),
        ("x\n\ny", "⟨by x\n\n    y⟩"),
    ],
)
def test_fill_indents_every_line_but_the_first_and_empty_ones(tactic: str, filled: str) -> None:
    assert Hole(Span(0, 5), "⟨by ", "⟩", 4).fill(tactic) == filled


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("theorem a : b := by ‸x", True),
        ("theorem a : b := ‸x", False),
        ("theorem a : b := by\n  ‸x", True),
        ("theorem a : b := by\n  exact ‸x", False),
        ("theorem a : b := by\n  exact f ‸x", False),
        ("theorem a : b := by\n  · ‸x", True),
        ("theorem a : b := by\n  y <;> ‸x", True),
        ("theorem a : b := by\n  first | ‸x | y", True),
        ("theorem a : b := by\n  cases h with\n  | inl h => ‸x", True),
        ("theorem a : b := by\n  exact fun h => ‸x", False),
        ("theorem a : b := by\n  cases h with\n  | inl h => exact fun y => ‸x", False),
        ("def f : Nat → Nat\n  | 0 => ‸x", False),
        ("theorem a : b := by\n  case h => ‸x", True),
        ("‸theorem a : b", False),
        ("theorem a : b :=\n  ‸x", False),
    ],
)
def test_tactic_positions(text: str, expected: bool) -> None:
    offset = text.index(CURSOR)
    command = Commands(text.replace(CURSOR, "")).around(offset)
    assert command is not None
    assert is_tactic_position(command, offset) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("theorem a : b := by\n  conv => ‸x", True),
        ("theorem a : b := by\n  conv at h => ‸x", True),
        ("theorem a : b := by\n  conv =>\n    lhs\n    ‸x", True),
        ("theorem a : b := by\n  conv =>\n    lhs\n\n    ‸x", True),
        ("theorem a : b := by\n  conv_lhs =>\n    ‸x", True),
        ("theorem a : b := by\n  conv =>\n    lhs\n  ‸x", False),
        ("theorem a : b := by\n  conv =>\n    lhs\n  y\n    ‸x", False),
        ("theorem a : b := by\n  ‸x", False),
        ("theorem a : b := by\n  ‸conv => x", False),
        ("theorem a : b := by\n  -- conv =>\n    ‸x", False),
    ],
)
def test_inside_conv(text: str, expected: bool) -> None:
    offset = text.index(CURSOR)
    text = text.replace(CURSOR, "")
    command = Commands(text).around(offset)
    assert command is not None
    assert inside_conv(text, command, offset) is expected


@given(any_texts, st.integers(min_value=0, max_value=200), st.booleans(), st.booleans())
@examples
def test_a_place_is_in_its_command_and_touches_nothing_else(text: str, at: int, extend: bool, near: bool) -> None:
    offset = min(at, len(text))
    try:
        command, found = holes(text, offset, extend_typed=extend, near=near)
    except NoGoal:
        return
    assert found
    index = LineIndex(text)
    for hole in found:
        assert command.span.start <= hole.span.start <= hole.span.end <= max(command.span.end, offset)
        replaced = text[hole.span.start : hole.span.end]
        if hole.typed:
            assert replaced == hole.typed
        else:
            assert replaced.strip() == ("" if hole.fresh else "sorry")
            assert "\n" not in replaced
        # The first character of a tactic lands in the hole's column.
        put = text[: hole.span.start] + hole.fill("T")
        assert LineIndex(put).position(len(put) - len(hole.after) - 1).column == hole.column
        assert near or index.position(hole.span.start).line <= index.position(offset).line


@given(
    any_texts, st.integers(min_value=0, max_value=200), st.lists(st.sampled_from(["x", "  y", "| z", ""]), min_size=1)
)
@examples
def test_filled_lines_keep_their_shape(text: str, at: int, lines: list[str]) -> None:
    try:
        _, found = holes(text, min(at, len(text)))
    except NoGoal:
        return
    for hole in found:
        filled = hole.fill("\n".join(lines))
        inner = filled[len(hole.before) : len(filled) - len(hole.after)]
        assert re.sub(f"\n {{{hole.column}}}", "\n", inner).split("\n") == lines


@given(any_texts, any_texts)
@examples
def test_every_sorry_in_the_open_has_a_place(before: str, after: str) -> None:
    text = f"theorem a : b := {before} sorry {after}"
    for token in Commands(text).sorries():
        _, (likelier, other) = holes(text, token.start + 2)
        assert likelier.span == other.span == Span(token.start, token.end)


@pytest.mark.parametrize("tactic", ["T\n", "\nT", "\n\nT\n\n"])
def test_line_breaks_around_a_tactic_are_no_part_of_it(tactic: str) -> None:
    """What stands behind the hole would begin a line, where it may mean something else."""
    text = "theorem foo : p ∧ p := ⟨h, sorry⟩\n"
    _, (first, *_) = holes(text, text.index("sorry"))
    assert first.fill(tactic) == first.fill("T")
