"""Offsets, positions and UTF-16, on texts with every kind of line end and character."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tacit.server.text import LineIndex, Position, Span
from tests.unit.properties import examples

# Astral letters, line breaks that are none to Lean, carriage returns, combining characters.
texts = st.text(st.sampled_from("a𝕜𝓝é\u0301⊢\n\r\u2028\u2029\x85\x0b\x0c\x1c\t "), max_size=40) | st.text(max_size=40)
anything = st.integers(min_value=-3, max_value=60)


@given(texts)
@example("")
@example("\n")
@example("\r\n𝕜\u2028b\n")
@examples
def test_every_offset_is_a_position_and_back(text: str) -> None:
    index = LineIndex(text)
    found = [index.position(offset) for offset in range(len(text) + 1)]
    assert [index.offset(position) for position in found] == list(range(len(text) + 1))
    assert found == sorted(found)
    assert len(set(found)) == len(found)
    assert found[-1].line == index.line_count - 1 == text.count("\n")


@given(texts)
@examples
def test_every_position_survives_utf16(text: str) -> None:
    index = LineIndex(text)
    for offset in range(len(text) + 1):
        position = index.position(offset)
        line, character = index.to_utf16(position)
        assert character == len(index.line(line)[: position.column].encode("utf-16-le")) // 2
        assert index.from_utf16(line, character) == position


@given(texts)
@examples
def test_lines_end_at_line_feeds_only(text: str) -> None:
    index = LineIndex(text)
    assert [index.line(n) for n in range(index.line_count)] == text.split("\n")
    assert index.line(-1) == index.line(index.line_count) == ""


@given(texts, anything, anything)
@examples
def test_positions_outside_are_clamped(text: str, line: int, column: int) -> None:
    index = LineIndex(text)
    offset = index.offset(Position(line, column))
    assert 0 <= offset <= len(text)
    if line < 0:
        assert offset == 0
    elif line >= index.line_count:
        assert offset == len(text)
    else:
        assert index.position(offset) == Position(line, max(0, min(column, len(index.line(line)))))


@given(texts, anything, anything)
@examples
def test_utf16_positions_outside_are_clamped(text: str, line: int, character: int) -> None:
    index = LineIndex(text)
    assert 0 <= index.offset(index.from_utf16(line, character)) <= len(text)


@given(texts, st.integers(min_value=-5, max_value=100))
@examples
def test_offsets_outside_are_clamped(text: str, offset: int) -> None:
    index = LineIndex(text)
    assert index.offset(index.position(offset)) == max(0, min(offset, len(text)))


@pytest.mark.parametrize(
    ("text", "line", "character", "expected"),
    [
        ("𝕜x", 0, 2, Position(0, 1)),
        ("𝕜x", 0, 1, Position(0, 0)),  # in the middle of a surrogate pair: the character's beginning
        ("𝕜x", 0, 3, Position(0, 2)),
        ("𝕜x", 0, 99, Position(0, 2)),
        ("a\r\nb", 0, 2, Position(0, 2)),  # the carriage return belongs to the line
        ("a\r\nb", 1, 1, Position(1, 1)),
        ("a\u2028b\nc", 0, 3, Position(0, 3)),
        ("a\u2028b\nc", 1, 0, Position(1, 0)),
        ("é\u0301", 0, 1, Position(0, 1)),
    ],
)
def test_from_utf16(text: str, line: int, character: int, expected: Position) -> None:
    assert LineIndex(text).from_utf16(line, character) == expected


def test_a_cursor_may_stand_at_a_spans_end() -> None:
    span = Span(2, 4)
    assert [offset in span for offset in range(6)] == [False, False, True, True, True, False]
    assert "2" not in span
    assert 2.0 not in span


def test_positions_are_ordered_by_line_then_column() -> None:
    assert sorted([Position(1, 0), Position(0, 5), Position(0, 2)]) == [Position(0, 2), Position(0, 5), Position(1, 0)]
