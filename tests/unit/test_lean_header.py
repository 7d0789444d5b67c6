"""What Lean says of imports that do not load is told from other errors near them."""

from __future__ import annotations

import pytest

from tacit.server.lean.elaborator import Message, Severity
from tacit.server.lean.header import header_error
from tacit.server.text import Position

TEXT = "/- Copyright -/\nmodule\n\npublic import A\nimport B\n\ntheorem foo : p := by\n  sorry\n"
STALE = 'Imports are out of date and must be rebuilt; use the "Restart File" command in your editor.'


def at(line: int, column: int, text: str, severity: Severity = Severity.ERROR) -> Message:
    return Message(severity, Position(line, column), Position(line, column + 1), text)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (at(0, 0, "unknown package 'A'\nmore"), "unknown package 'A'"),
        (at(0, 0, STALE), STALE),
        (
            at(1, 0, "object file 'A.olean' does not exist"),
            "object file 'A.olean' does not exist",
        ),
        (at(4, 7, "unknown module prefix 'B'"), "unknown module prefix 'B'"),
        (at(0, 0, "`lake setup-file` failed:\nx"), "`lake setup-file` failed:"),
        (at(6, 0, "unknown package 'A'"), None),
        (at(0, 0, "Imports are out of date and should be rebuilt", Severity.INFORMATION), None),
        (at(1, 0, "unexpected token"), None),
    ],
)
def test_the_first_line_of_what_is_said_of_imports(message: Message, told: str | None) -> None:
    assert header_error(TEXT, [at(7, 2, "unsolved goals"), message]) == told


def test_without_imports_only_the_very_beginning_counts() -> None:
    assert header_error("theorem foo : p := q\n", [at(0, 0, "object file 'Init.olean' does not exist")])
    assert header_error("theorem foo : p := q\n", [at(0, 19, "unknown module 'q'")]) is None
    assert header_error("", []) is None
