"""The texts that are made for a place, and how errors and axioms are told apart in what Lean says of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.server.errors import NoGoal
from tacit.server.lean.batch import REST, STAND_IN
from tacit.server.lean.elaborator import Message, Severity
from tacit.server.lean.goals import parse_goals
from tacit.server.lean.hole import holes
from tacit.server.lean.site import (
    Scratch,
    Site,
    axioms_of,
    inner_errors,
    relative_errors,
    with_stand_in,
)
from tacit.server.lean.trust import EXAMPLE_NAME, STANDARD_AXIOMS
from tacit.server.text import LineIndex, Position
from tests.unit.properties import any_texts, examples

CURSOR = "‸"
EACH = tuple(f"axiom {name}.{{tacitU}} {{α : Sort tacitU}} : α" for name in (STAND_IN, REST))
AXIOM = f"{EACH[0]} {EACH[1]}\n"


def site(text: str, goals: str = "⊢ p", *, place: int = 0) -> Site:
    offset = text.index(CURSOR)
    text = text.replace(CURSOR, "")
    command, found = holes(text, offset)
    return Site(text, command, found[place], parse_goals(goals))


def body_of(scratch: Scratch) -> str:
    index = LineIndex(scratch.text)
    return scratch.text[index.offset(scratch.origin) : index.offset(scratch.end)]


# ---------------------------------------------------------------------------------------------- plain scratch texts


def test_a_scratch_text_ends_with_its_command() -> None:
    text = "import A\n\ndef x := sorry\n\ntheorem a : b := by\n  sorry‸\n\ntheorem c : d := by\n  sorry\n"
    scratch = site(text).scratch("T")
    assert scratch.text == f"import A\n{AXIOM}\ndef x := sorry\n\ntheorem a : b := by\n  T\n\n"
    assert scratch.axioms_line is None
    assert (scratch.start, scratch.origin, scratch.end) == (Position(5, 0), Position(6, 2), Position(6, 3))


def test_lines_of_a_body_stand_in_the_holes_column() -> None:
    scratch = site("theorem a : b := by\n  x; sorry‸\n").scratch("(T\n U)")
    assert scratch.text == f"{AXIOM}theorem a : b := by\n  x; (T\n      U)\n"
    assert (scratch.origin, scratch.column) == (Position(2, 5), 5)
    assert body_of(scratch) == "(T\n      U)"


def test_a_term_gets_its_by_and_the_body_begins_behind_it() -> None:
    scratch = site("theorem a : b := f sorry‸ x\n").scratch("T\nU")
    assert scratch.text == f"{AXIOM}theorem a : b := f (by T\n                       U) x\n"
    assert body_of(scratch) == "T\n                       U"
    assert (scratch.origin, scratch.column) == (Position(1, 23), 23)


def test_a_prologue_stands_above_the_command() -> None:
    scratch = site("def x := 1\n/-- doc -/\n@[simp]\ntheorem a : b := by\n  sorry‸\n").scratch(
        "T", prologue="set_option y\n"
    )
    assert scratch.text == f"{AXIOM}def x := 1\nset_option y\n/-- doc -/\n@[simp]\ntheorem a : b := by\n  T\n"
    assert scratch.start == Position(2, 0)
    assert scratch.origin == Position(6, 2)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", f"{AXIOM}"),
        ("import A", f"import A\n{AXIOM[:-1]}"),
        ("-- copyright\nimport A -- what for", f"-- copyright\nimport A\n{AXIOM[:-1]} -- what for"),
        ("/- copyright -/\n", f"{AXIOM}/- copyright -/\n"),
        (
            "module\n\npublic import A\n\npublic section",
            f"module\n\npublic import A\npublic {EACH[0]} public {EACH[1]}\n\npublic section",
        ),
    ],
)
def test_the_stand_in_stands_below_the_imports(header: str, expected: str) -> None:
    text = f"{header}\ndef x := 1\ntheorem a : b := by\n  sorry‸\n"
    assert with_stand_in(f"{header}\ndef x := 1\n") == f"{expected}\ndef x := 1\n"
    assert site(text).above == f"{expected}\ndef x := 1\n"
    assert site(text).scratch("T").text == f"{expected}\ndef x := 1\ntheorem a : b := by\n  T\n"


# ------------------------------------------------------------------------- what Lean need not elaborate again

PLACES = [
    "theorem a : b := by\n  x\n  sorry‸\n  y\n",
    "import A\n\nexample : b := by\n  have h : p := sorry\n  sorry‸\n",
    "instance : B := by\n  x; sorry‸\n",
    "@[simp] private theorem a : b := by\n  x\n  ‸\n",
    "theorem a : b := by\n  x\n  · sorry\n  · sorry‸\n",
    "set_option maxHeartbeats 400000 in\ntheorem a : b := by\n  cases h with\n  | inl h => sorry‸\n  | inr h => y\n",
    "theorem a : b := f (g sorry) sorry‸\n",
]


@pytest.mark.parametrize("text", PLACES)
def test_all_texts_of_a_site_are_the_same_up_to_the_hole(text: str) -> None:
    """Lean keeps the steps of a proof as long as nothing before them has changed, not even its place."""
    here = site(text)
    scratches = [
        here.scratch("(one\n two)", whole=True),
        here.scratch("three", whole=True, ending="\n  four"),
        here.scratch("five"),
    ]
    upto = {each.text[: LineIndex(each.text).offset(each.origin)] for each in scratches}
    assert len(upto) == 1
    assert upto.pop().startswith(here.above)


@pytest.mark.parametrize("text", PLACES)
def test_what_stands_above_is_as_in_the_text_that_is_prepared(text: str) -> None:
    here = site(f"def x := 1\n\n{text}" if "import" not in text else text)
    assert with_stand_in(here.text).startswith(here.above)
    assert here.scratch("T").text.startswith(here.above)


@pytest.mark.parametrize("cut", [True, False])
def test_a_proof_without_another_sorry_is_that_of_the_text_up_to_the_hole(cut: bool) -> None:
    here = site("import A\n\ntheorem a : b := by\n  x\n  sorry‸\n  y\n")
    prepared = with_stand_in(here.text)
    if cut:
        here = replace(here, command=here.command.upto(here.hole.span.end))
    text = here.scratch("T").text
    assert text[: text.index("T")] == prepared[: prepared.index("sorry")]


# ---------------------------------------------------------------------------------------------- whole declarations


def test_a_whole_declaration_has_the_stand_in_and_asks_for_its_axioms() -> None:
    scratch = site("import A\n\ntheorem a : b := by\n  sorry‸\n\n\ndef c := 1\n").scratch("T", whole=True)
    assert scratch.text == f"import A\n{AXIOM}\ntheorem a : b := by\n  T\n#print axioms _root_.a\n"
    assert scratch.text.split("\n")[scratch.axioms_line or 0] == "#print axioms _root_.a"
    assert body_of(scratch) == "T"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("theorem a : b := by\n  · sorry\n  · sorry‸\n", "theorem a : b := by\n  · exact _tacitRest\n  · T\n"),
        ("theorem a : b := ⟨sorry, sorry‸, f sorry⟩\n", "theorem a : b := ⟨_tacitRest, by T, f _tacitRest⟩\n"),
        (
            "theorem a : b := by\n  have : p := sorry\n  sorry‸\n",
            "theorem a : b := by\n  have : p := _tacitRest\n  T\n",
        ),
        ("theorem a : b := by\n  sorry‸ -- sorry\n", "theorem a : b := by\n  T -- sorry\n"),
        ('theorem a : b := by\n  f "sorry"; sorry‸\n', 'theorem a : b := by\n  f "sorry"; T\n'),
        ("theorem a : b := by\n  x <;> sorry\n  sorry‸\n", "theorem a : b := by\n  x <;> exact _tacitRest\n  T\n"),
    ],
)
def test_every_other_sorry_becomes_the_stand_in(text: str, expected: str) -> None:
    scratch = site(text).scratch("T", whole=True)
    assert scratch.text == f"{AXIOM}{expected}#print axioms _root_.a\n"
    assert body_of(scratch) == "T"


def test_a_body_stays_aligned_when_a_sorry_before_it_on_the_line_grows() -> None:
    scratch = site("theorem a : b := ⟨sorry, by sorry‸⟩\n").scratch("T\nU", whole=True)
    assert scratch.text == f"{AXIOM}theorem a : b := ⟨_tacitRest, by T\n{' ' * 33}U⟩\n#print axioms _root_.a\n"
    assert scratch.column == 33
    assert body_of(scratch) == f"T\n{' ' * 33}U"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("theorem Foo.bar : b := by sorry‸", "_root_.Foo.bar"),
        ("@[simp] private theorem bar : b := by sorry‸", "bar"),
        ("theorem bar.{u} (α : Sort u) : b := by sorry‸", "_root_.bar"),
        ("theorem «a b» : b := by sorry‸", "_root_.«a b»"),
        ("namespace N\ntheorem bar : b := by sorry‸", "_root_.N.bar"),
        ("instance foo : B := by sorry‸", "_root_.foo"),
        ("mutual\ntheorem x : b := c\n@[simp] theorem y : b := by sorry‸\nend", "_root_.y"),
        ("protected theorem bar : b := by sorry‸", "_root_.bar"),
        ("namespace N\nprotected theorem bar : b := by sorry‸", "_root_.N.bar"),
        ("namespace N.M\nsection\nprotected theorem A.bar : b := by sorry‸", "_root_.N.M.A.bar"),
        ("namespace N\nend N\nprotected theorem bar : b := by sorry‸", "_root_.bar"),
        ("namespace N\nsection A\nend A\n@[simp] protected theorem bar : b := by sorry‸", "_root_.N.bar"),
        ("namespace N\n@[expose] public section\nend\nprotected theorem bar : b := by sorry‸", "_root_.N.bar"),
        ("namespace N\nnoncomputable section\nend\nprotected theorem bar : b := by sorry‸", "_root_.N.bar"),
        ("namespace N\nprotected theorem _root_.bar : b := by sorry‸", "_root_.bar"),
    ],
)
def test_the_name_that_is_asked_for(text: str, name: str) -> None:
    """A short name may belong to another declaration too; a private one cannot be spelled out."""
    scratch = site(text).scratch("T", whole=True)
    assert scratch.text.endswith(f"\n#print axioms {name}\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example : b := by\n  sorry‸", "theorem tacitExample\n        : b := by\n  T"),
        ("example : b := by sorry‸", "theorem tacitExample\n        : b := by T"),
        ("private example (h : p) : b := sorry‸", "private theorem tacitExample\n                (h : p) : b := by T"),
        ("instance : B := by sorry‸", "instance tacitExample\n         : B := by T"),
        ("instance (priority := 9) : B := sorry‸",
         "instance (priority := 9) tacitExample\n                         : B := by T"),
        ("instance [Foo α] : B := sorry‸", "instance tacitExample\n         [Foo α] : B := by T"),
    ],
)  # fmt: skip
def test_what_has_no_name_gets_one_and_nothing_behind_it_moves(text: str, expected: str) -> None:
    scratch = site(text).scratch("T", whole=True)
    assert scratch.text == f"{AXIOM}{expected}\n#print axioms {EXAMPLE_NAME}\n"
    assert body_of(scratch) == "T"
    columns = {line.lstrip(): len(line) - len(line.lstrip()) for line in scratch.text.split("\n")}
    rest = expected.split("\n")[1]
    assert columns[rest.lstrip()] == text.index(rest.lstrip()[:4])


def test_an_example_that_is_data_is_a_definition() -> None:
    scratch = replace(site("example : Nat := by sorry‸"), example_as="noncomputable def").scratch("T", whole=True)
    assert "noncomputable def tacitExample\n        : Nat := by T\n" in scratch.text


def test_what_is_no_declaration_has_no_axioms() -> None:
    scratch = site("#eval f sorry‸\n").scratch("T", whole=True)
    assert scratch.axioms_line is None
    assert "#print" not in scratch.text


def test_the_place_of_the_axioms_is_that_of_the_last_line() -> None:
    for tail in ("", "\n", "\n\n\n", "\n  \n-- comment"):
        scratch = site(f"theorem a : b := by\n  sorry‸{tail}").scratch("T\n\nU", whole=True)
        assert scratch.axioms_line is not None
        assert scratch.text.split("\n")[scratch.axioms_line :] == ["#print axioms _root_.a", ""]


@given(any_texts, st.integers(0, 150), st.sampled_from(["T", "T\nU", "(T\n\n U)"]), st.booleans())
@examples
def test_the_body_is_where_the_scratch_says(text: str, at: int, body: str, whole: bool) -> None:
    text = f"theorem a : b := by {text}"
    offset = min(at, len(text))
    try:
        command, found = holes(text, offset)
    except NoGoal:
        return
    for hole in found:
        here = Site(text, command, hole)
        scratch = here.scratch(body, whole=whole)
        written = body_of(scratch)
        assert written.replace(f"\n{' ' * scratch.column}", "\n") == body
        assert written.split("\n")[0] == body.split("\n")[0]
        assert scratch.origin.column == scratch.column
        lines = scratch.text.split("\n")
        assert scratch.axioms_line is None or lines[scratch.axioms_line].startswith("#print axioms ")
        assert scratch.text.startswith(here.above)
        assert LineIndex(scratch.text).offset(scratch.start) == len(here.above)
        assert lines[0] == AXIOM.strip()


# ---------------------------------------------------------------------------------------------- what a site knows


def test_the_name_and_the_local_names() -> None:
    here = site("theorem Foo.bar : b := by sorry‸", "h k✝ : p\nx✝¹ : q\n⊢ r\n\ng : p\n⊢ s")
    assert here.name == "Foo.bar"
    assert here.local_names == {"h"}
    assert site("example : b := by sorry‸").name is None
    assert site("theorem a : b := by sorry‸", "").local_names == frozenset()


@pytest.mark.parametrize(
    ("goals", "expected"),
    [("⊢ p", False), ("⊢ p ?x", True), ("⊢ p\n\nh : ?m.3\n⊢ q", True), ("⊢ xs[0]? = none", False)],
)
def test_goals_that_share_unknowns_run_one_at_a_time(goals: str, expected: bool) -> None:
    assert site("theorem a : b := by sorry‸", goals).one_at_a_time is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", False),
        ("import A\n", False),
        ("module\n", True),
        ("/- copyright -/\nmodule\n\npublic import A\n\npublic section\n", True),
        ("prelude\nimport A\n", False),
        ("-- module\n", False),
    ],
)
def test_whether_a_file_is_a_module(header: str, expected: bool) -> None:
    assert site(f"{header}\ntheorem a : b := by sorry‸").in_module is expected


FINISH = f"all_goals exact {REST}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("theorem a : b := by\n  sorry‸\n  x", []),
        ("theorem a : b := by\n  sorry‸\n", [f"\n  {FINISH}"]),
        ("theorem a : b := by\n  constructor\n  · sorry‸\n", [f"\n    {FINISH}\n  {FINISH}"]),
        ("theorem a : b := by\n  · x\n    sorry‸\n", [f"\n    {FINISH}\n  {FINISH}"]),
        ("theorem a : b := by\n  have : p := by\n    sorry‸\n", [f"\n    {FINISH}\n  {FINISH}"]),
        (
            "theorem a : b := by\n  cases h with\n  | inl h =>\n    sorry‸\n",
            [
                f"\n    {FINISH}\n  | _ => exact {REST}\n  {FINISH}",
                f"\n    {FINISH}\n  {FINISH}",
            ],
        ),
    ],
)
def test_endings_finish_what_is_still_being_written(text: str, expected: list[str]) -> None:
    assert site(text).endings() == expected


def test_an_ending_stands_behind_the_body() -> None:
    here = site("theorem a : b := by\n  · sorry‸\n")
    (ending,) = here.endings()
    scratch = here.scratch("T", whole=True, ending=ending)
    assert scratch.text == f"{AXIOM}theorem a : b := by\n  · (T)\n    {FINISH}\n  {FINISH}\n#print axioms _root_.a\n"
    assert body_of(scratch) == "(T)"


def test_a_body_above_an_ending_takes_nothing_of_it() -> None:
    here = site("theorem a : b := by\n  · sorry‸\n")
    (ending,) = here.endings()
    scratch = here.scratch("cases h with\n| a => T\n| b => U", whole=True, ending=ending)
    assert body_of(scratch) == "(cases h with\n     | a => T\n     | b => U)"
    assert here.scratch("T", whole=True).stood_in is False
    assert scratch.stood_in is True
    assert site("theorem a : b := ⟨sorry, by sorry‸⟩\n").scratch("T").stood_in is True


# ---------------------------------------------------------------------------------------------- messages


def message(text: str, line: int, column: int = 0, severity: Severity = Severity.ERROR) -> Message:
    return Message(severity, Position(line, column), Position(line, column + 1), text)


@pytest.fixture
def scratch() -> Scratch:
    return site("theorem a : b := by\n  x\n  sorry‸\n  y\n").scratch("T\nU", whole=True)


def test_errors_inside_the_body_and_elsewhere(scratch: Scratch) -> None:
    origin, end, asked = scratch.origin, scratch.end, scratch.axioms_line
    assert asked is not None
    messages = [
        message("above", 0),
        message("before on the line", origin.line, origin.column - 1),
        message("first", origin.line, origin.column),
        message("last", end.line, end.column - 1),
        message("behind", end.line, end.column),
        message("below", end.line + 1),
        message("unknown constant", asked),
        message("'x' is no constant", asked, 14),
        message("cannot use `#print axioms` in a `module`", asked),
        message("a warning", 0, severity=Severity.WARNING),
    ]
    assert [m.text for m in inner_errors(scratch, messages)] == ["first", "last"]
    assert relative_errors(scratch, messages) == Counter({"above": 1, "before on the line": 1, "behind": 1, "below": 1})


def test_what_the_parser_misses_at_the_question_for_axioms_is_an_error_of_the_text(scratch: Scratch) -> None:
    asked = scratch.axioms_line
    assert asked is not None
    said = "unexpected token '#print'; expected term"
    assert relative_errors(scratch, [message(said, asked)]) == Counter({said: 1})


def test_errors_are_counted(scratch: Scratch) -> None:
    assert relative_errors(scratch, [message("same", 0), message("same", 1)]) == Counter({"same": 2})


@pytest.mark.parametrize(
    ("text", "axioms"),
    [
        ("'a' does not depend on any axioms", set()),
        ("'a' depends on axioms: [propext]", {"propext"}),
        ("'a' depends on axioms: [propext, Classical.choice, Quot.sound]", STANDARD_AXIOMS),
        ("'a' depends on axioms: [propext,\n Classical.choice,\n Quot.sound]", STANDARD_AXIOMS),
        ("'a' depends on axioms:\n[propext,\n  sorryAx]", {"propext", "sorryAx"}),
        ("'N.a' depends on axioms: [N._tacitHole]", {"N._tacitHole"}),
        ("'a' depends on axioms: [a._native.native_decide.ax_1]", {"a._native.native_decide.ax_1"}),
        ("'a' depends on axioms: []", set()),
        ("something else", None),
        ("", None),
    ],
)  # fmt: skip
def test_axioms(scratch: Scratch, text: str, axioms: set[str] | None) -> None:
    asked = scratch.axioms_line
    assert asked is not None
    noise = [message("'a' does not depend on any axioms", asked - 1, severity=Severity.INFORMATION)]
    found = axioms_of(scratch, [*noise, message(text, asked, severity=Severity.INFORMATION)])
    assert found == axioms


def test_axioms_said_elsewhere_or_otherwise_are_not_heard(scratch: Scratch) -> None:
    asked = scratch.axioms_line
    assert asked is not None
    words = "'a' does not depend on any axioms"
    assert axioms_of(scratch, []) is None
    assert axioms_of(scratch, [message(words, asked)]) is None
    assert axioms_of(scratch, [message(words, asked + 1, severity=Severity.INFORMATION)]) is None
    assert axioms_of(scratch, [message(words, asked, 1, severity=Severity.INFORMATION)]) is None
    without = site("#eval f sorry‸\n").scratch("T", whole=True)
    assert axioms_of(without, [message(words, 0, severity=Severity.INFORMATION)]) is None
