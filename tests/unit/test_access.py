"""Which modules a file sees: the rules of Lean's `importModulesCore`, one by one."""

from __future__ import annotations

import pytest

from tacit.index.premise import Kind, Premise
from tacit.index.source import Import
from tacit.index.store import Stored
from tacit.retrieval.access import Modules, header_of


def links(**imports: str) -> dict[str, tuple[Import, ...]]:
    """`A="B -C +D"`: A imports B publicly, C privately, D publicly and all of it."""
    return {module: tuple(map(Import.of_mark, text.split())) for module, text in imports.items()}


CHAIN = links(Init="", A="Init", B="A", C="-B", D="C", Alone="Init", E="+C", F="-C -+B")


def sees(header: str, module: str = "") -> set[str]:
    return set(Modules([CHAIN], []).access(header_of(header), module).modules)


@pytest.mark.parametrize(
    ("header", "seen"),
    [
        ("import B\n", {"Init", "A", "B"}),
        ("import D\n", {"Init", "A", "B", "C", "D"}),
        ("module\nimport D\n", {"Init", "C", "D"}),
        ("module\npublic import C\n", {"Init", "C"}),
        ("module\nimport all C\n", {"Init", "A", "B", "C"}),
        ("module\nimport all E\n", {"Init", "A", "B", "C", "E"}),
        ("module\nimport all F\n", {"Init", "A", "B", "C", "F"}),
        ("module\nimport E\n", {"Init", "C", "E"}),
        ("", {"Init"}),
        ("theorem no_header : True := trivial\nimport B\n", {"Init"}),
        ("prelude\n", set()),
        ("prelude\nimport Alone\n", {"Init", "Alone"}),
        ("import Missing\nimport A\n", {"Init", "A"}),
        ("/- a note,\nimport D -/\n-- import C\nimport A\n", {"Init", "A"}),
    ],
)
def test_a_file_sees(header: str, seen: set[str]) -> None:
    assert sees(header) == seen


def test_an_index_without_marks_counts_every_import_as_public() -> None:
    assert [Import.of_mark(each).public for each in ("A", "-A", "-+A")] == [True, False, False]
    assert Import.of_mark("-+A.B") == Import("A.B", public=False, all=True)
    assert Import("A.B", public=False, all=True).mark == "-+A.B"


def test_modules_that_import_each_other_end() -> None:
    circle = links(A="B", B="A")
    assert set(Modules([circle], []).access(header_of("import A\n")).modules) == {"A", "B"}


def test_a_file_does_not_see_what_the_index_has_of_itself() -> None:
    assert "B" not in sees("import D\n", "B")


def test_masks_go_by_file_id_and_span_packages() -> None:
    modules = Modules([links(A=""), links(B="A", C="")], [{3: "A"}, {1: "B", 2: "C"}])
    access = modules.access(header_of("import B\n"))
    assert [access.files(0).tolist(), access.files(1).tolist()] == [[False, False, False, True], [False, True, False]]


def test_private_premises_and_those_of_other_modules_are_not_allowed() -> None:
    access = Modules([CHAIN], []).access(header_of("import A\n"))

    def stored(module: str, *, private: bool = False) -> Stored:
        return Stored(1, Premise("x", Kind.THEOREM, module, 1, private=private), "", "")

    assert access.allows(0, stored("A"))
    assert not access.allows(0, stored("B"))
    assert not access.allows(0, stored("A", private=True))
