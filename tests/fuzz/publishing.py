"""Random diagnostics as a language server sends them, and a simple model of which of them count."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tacit.server.lean.diagnostics import UNREADABLE, Published, read
from tacit.server.lean.elaborator import Message, Severity
from tacit.server.text import Position

TEXT = "theorem 𝕜foo : p := by\n  exact 𝔭\n\n" * 3

_ends = st.fixed_dictionaries({"line": st.integers(-1, 12), "character": st.integers(-1, 30)})
_ranges = st.fixed_dictionaries({"start": _ends, "end": _ends})
_odd = st.one_of(st.none(), st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=2), st.booleans())
_fair = st.fixed_dictionaries(
    {"range": _ranges, "message": st.sampled_from(("", "no goals", "⊢ p", "type mismatch"))},
    optional={"severity": st.integers(1, 4), "fullRange": _ranges, "isSilent": st.booleans()},
)
_broken = st.fixed_dictionaries(
    {}, optional={"range": st.one_of(_odd, _ranges), "message": _odd, "severity": _odd, "fullRange": _odd}
)
diagnostics = st.one_of(_fair, _fair, _fair, _fair, _fair, _fair, _fair, _broken)
notifications = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "isIncremental": st.booleans(),
            "diagnostics": st.one_of(*[st.lists(diagnostics, max_size=3)] * 6, _odd),
        },
    ),
    max_size=4,
)


def heard_as_sent(sent: list[dict[str, Any]]) -> None:
    """Raises AssertionError where what is read of notifications is not what was sent last, or is made up."""
    published = Published()
    for params in sent:
        published.add(params)
    begin = max((n for n, params in enumerate(sent) if params.get("isIncremental") is not True), default=0)
    last = [params.get("diagnostics") for params in sent[begin:]]
    try:
        messages = read(TEXT, published.raw)
    except UNREADABLE:
        assert any(_is_odd(each) for each in last)
        return
    wanted = [d for each in last if isinstance(each, list) for d in each if not _is_silent(d)]
    assert len(messages) == len(wanted)
    for message, diagnostic in zip(messages, wanted, strict=True):
        _same(message, diagnostic)


def _is_silent(diagnostic: dict[str, Any]) -> bool:
    return diagnostic.get("isSilent") is True and diagnostic.get("severity") in (2, 3, 4)


def _is_odd(diagnostics: Any) -> bool:
    if not isinstance(diagnostics, list):
        return bool(diagnostics)
    return any(
        not isinstance(each, dict)
        or not isinstance(each.get("fullRange") or each.get("range"), dict)
        or not isinstance(each.get("message") or "", str)
        or each.get("severity") not in (None, 0, 1, 2, 3, 4)
        for each in diagnostics
    )


def _same(message: Message, diagnostic: dict[str, Any]) -> None:
    span = diagnostic.get("fullRange") or diagnostic["range"]
    assert message.text == (diagnostic.get("message") or "")
    assert message.severity is Severity(diagnostic.get("severity") or 1)
    assert message.start == _position(span["start"])
    assert message.end == _position(span["end"])


def _position(end: dict[str, int]) -> Position:
    """Columns counted one by one, in UTF-16 units; what is past the end of a line is at its end."""
    lines = TEXT.split("\n")
    line = lines[end["line"]] if 0 <= end["line"] < len(lines) else ""
    column = units = 0
    for char in line:
        units += 1 + (ord(char) > 0xFFFF)
        if units > end["character"]:
            break
        column += 1
    return Position(end["line"], column)
