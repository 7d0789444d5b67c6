"""Where a proof of several lines is put."""

from __future__ import annotations

import pytest

from tacit.server.lean.hole import holes
from tacit.server.lean.site import Site
from tacit.server.prover.layout import on_lines_of_its_own


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("theorem t : p := by\n  cases n with\n  | zero => sorry\n",
         "theorem t : p := by\n  cases n with\n  | zero =>\n    intro h\n    exact h\n"),
        ("theorem t : p := by sorry\n", "theorem t : p := by\n  intro h\n  exact h\n"),
        ("theorem t : p := sorry\n", "theorem t : p := by\n  intro h\n  exact h\n"),
        ("theorem t : p :=\n  sorry\n", "theorem t : p := by\n  intro h\n  exact h\n"),
        ("theorem t :\n    p :=\n  sorry\n", "theorem t :\n    p := by\n  intro h\n  exact h\n"),
        ("theorem t : p := by\n  have h : q := by sorry\n  exact h\n",
         "theorem t : p := by\n  have h : q := by\n    intro h\n    exact h\n  exact h\n"),
        ("theorem t : p := by\n  · have h : q := by sorry\n    exact h\n",
         "theorem t : p := by\n  · have h : q := by\n      intro h\n      exact h\n    exact h\n"),
        ("theorem t : p := by\n  sorry\n", None),
        ("theorem t : p := by\n  · sorry\n", None),
    ],
)  # fmt: skip
def test_a_proof_of_several_lines_begins_a_line(text: str, expected: str | None) -> None:
    command, places = holes(text, text.index("sorry"))
    moved = on_lines_of_its_own(Site(text, command, places[0]))
    if expected is None:
        assert moved is None
        return
    assert moved is not None
    span = moved.hole.span
    assert text[: span.start] + moved.hole.fill("intro h\nexact h") + text[span.end :] == expected
