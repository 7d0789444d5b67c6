"""What counts of the diagnostics that a server sends."""

from __future__ import annotations

from typing import Any

import pytest

from tacit.server.lean.diagnostics import UNREADABLE, Published, read
from tacit.server.lean.elaborator import Severity
from tacit.server.text import Position

RANGE = {"start": {"line": 0, "character": 2}, "end": {"line": 0, "character": 5}}


def said(text: str, **more: object) -> dict[str, Any]:
    return {"range": RANGE, "message": text, "severity": 3, **more}


def test_the_last_notification_is_the_whole_and_additions_are_added() -> None:
    published = Published()
    published.add({"diagnostics": [said("old")]})
    published.add({"diagnostics": [said("first")]})
    published.add({"diagnostics": [said("second")], "isIncremental": True})
    assert [m.text for m in read("abcdef", published.raw)] == ["first", "second"]
    assert published.times == 3
    published.add({})
    assert published.raw == []


def test_what_is_not_wanted_is_left_out_and_an_error_never() -> None:
    raw = [
        said("Goals accomplished!", isSilent=True),
        said("wrong", isSilent=True, severity=1),
        {"range": RANGE, "message": "no severity", "isSilent": True},
        said("told"),
    ]
    messages = read("abcdef", raw)
    assert [(m.text, m.severity) for m in messages] == [
        ("wrong", Severity.ERROR),
        ("no severity", Severity.ERROR),
        ("told", Severity.INFORMATION),
    ]


def test_the_full_range_counts_in_code_points() -> None:
    full = {"start": {"line": 0, "character": 4}, "end": {"line": 1, "character": 1}}
    (message,) = read("𝕜𝕜x\nyz", [said("x", fullRange=full)])
    assert (message.start, message.end) == (Position(0, 2), Position(1, 1))


@pytest.mark.parametrize(
    "diagnostics",
    [
        [None],
        ["text"],
        [{}],
        [{"range": {}}],
        [{"range": {"start": {"line": "0", "character": 0}, "end": {}}, "message": "x"}],
        [said("x", severity=9)],
        [said("x", severity="error")],
        [{"range": RANGE, "message": 7}],
        [{"range": RANGE, "message": {"kind": "markdown", "value": "no goals"}}],
        [said("fine"), None],
        7,
        "text",
        {"message": "x"},
    ],
)
def test_what_cannot_be_read_makes_the_whole_unreadable(diagnostics: object) -> None:
    published = Published()
    published.add({"diagnostics": diagnostics})
    with pytest.raises(UNREADABLE):
        read("abcdef", published.raw)
