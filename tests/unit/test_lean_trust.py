"""Files in which what Lean says of a proof is not enough: each is told by its text."""

from __future__ import annotations

import pytest
from hypothesis import given

from tacit.server.lean.hole import holes
from tacit.server.lean.trust import STANDARD_AXIOMS, doubt, is_module, reserved, standard_axioms
from tacit.server.text import Span
from tests.unit.properties import any_texts, examples

PROOF = "theorem foo : p := by\n  sorry‸\n"
MODULE = "module\n\npublic import A\n\n"


def doubt_of(text: str) -> str:
    offset = text.index("‸")
    text = text.replace("‸", "")
    command, found = holes(text, offset)
    return doubt(text, command, found[0].span)


@pytest.mark.parametrize(
    "text",
    [
        PROOF,
        "-- unsafe, skipKernelTC\n" + PROOF,
        "unsafe def bad : p := bad\n\n" + PROOF,
        PROOF + "\nunsafe def bad : p := bad\n",
        PROOF + "\nset_option debug.skipKernelTC true\n",
        "axiom cheat : p\ntheorem other : q := sorry\n\n" + PROOF,
        MODULE + "theorem other : q := h\n\n" + PROOF,
        MODULE + "/- sorry, axiom -/\n" + PROOF,
        MODULE + "theorem foo : p ∧ q := by\n  constructor\n  · sorry\n  · sorry‸\n",
        MODULE + PROOF + "\ntheorem other : q := sorry\n",
    ],
)
def test_where_there_is_no_doubt(text: str) -> None:
    assert doubt_of(text) == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("unsafe " + PROOF, "unsafe"),
        ("@[simp]\nunsafe def foo : p := by\n  sorry‸\n", "unsafe"),
        ("private unsafe def foo : p := sorry‸\n", "unsafe"),
        ("set_option debug.skipKernelTC true\n" + PROOF, "kernel"),
        ("set_option debug.skipKernelTC true in\n" + PROOF, "kernel"),
        ("theorem foo : p := by\n  set_option debug.skipKernelTC true in skip\n  sorry‸\n", "kernel"),
        ('elab "off" : command => modifyOptions (·.setBool "debug.skipKernelTC" true)\n' + PROOF, "kernel"),
        (MODULE + "axiom cheat : p\n" + PROOF, "`axiom` in line 5"),
        (MODULE + "theorem other : q := sorry\n" + PROOF, "`sorry` in line 5"),
        (MODULE + "theorem other : q := by\n  admit\n" + PROOF, "`admit` in line 6"),
        (MODULE + "theorem other : q := by native_decide\n" + PROOF, "native_decide"),
        (MODULE + "theorem other : q := by decide +native\n" + PROOF, "native"),
        (MODULE + 'macro "finish" : tactic => `(tactic| exact foo)\n' + PROOF, "macro"),
        (MODULE + "set_option warn.sorry false\n" + PROOF, "warn.sorry"),
        (MODULE + "theorem foo : p ∧ q := by\n  constructor\n  · admit\n  · sorry‸\n", "admit"),
        (MODULE + "theorem other : q := Lean.ofReduceBool _ _ rfl\n" + PROOF, "ofReduceBool"),
    ],
)
def test_where_there_is(text: str, told: str) -> None:
    said = doubt_of(text)
    assert told in said
    assert said.startswith("It closes this goal; ")
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("axiom _tacitHole : p", "_tacitHole"),
        ("axiom Foo._tacitHole : p", "_tacitHole"),
        ("macro_rules | `(tactic| x) => `(tactic| exact _tacitRest)", "_tacitRest"),
        ("def «_tacitHole» := 1", "_tacitHole"),
        ("theorem tacitExample : p := h", "tacitExample"),
        ('#eval "_tacitHole"', "_tacitHole"),
        ("-- _tacitHole\n/- tacitExample -/ theorem tacit : p := h", None),
        ("theorem foo (tacitCopy : p) : p := tacitCopy", None),
        ("", None),
    ],
)
def test_names_that_tacit_needs(text: str, name: str | None) -> None:
    assert reserved(text) == name


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("axiom propext : p\n", set()),
        ("namespace A\naxiom propext : p\n", set()),
        ("import A\naxiom propext : p\n", set()),
        ("-- prelude\naxiom propext : p\n", set()),
        ("prelude\nimport Init.Core\n", set()),
        ("prelude\naxiom propext : p\n", {"propext"}),
        ("prelude\naxiom Classical.choice : p\naxiom «propext» : q\n", {"Classical.choice", "propext"}),
        ("prelude\nnamespace Quot\naxiom sound : p\n", {"Quot.sound"}),
        ("module\nprelude\nconstant propext : p\n", {"propext"}),
    ],
)
def test_the_standard_axioms_are_leans_own(text: str, missing: set[str]) -> None:
    assert standard_axioms(text, len(text)) == STANDARD_AXIOMS - missing
    assert standard_axioms(text, 0) == STANDARD_AXIOMS


@given(any_texts)
@examples
def test_it_reads_any_text(text: str) -> None:
    reserved(text)
    is_module(text)
    standard_axioms(text, len(text))
    if "sorry" in text:
        at = text.index("sorry")
        try:
            command, _ = holes(text, at)
        except Exception:
            return
        doubt(text, command, Span(at, at + 5))
