"""Positions and offsets in a text, and the one place where UTF-16 exists.

Inside Tacit a position is a 0-based line and a 0-based column in *code points*; LSP speaks UTF-16 code
units. Lines end at LF only, as Lean and LSP count them: `str.splitlines` also breaks at U+2028, U+0085 and
form feeds, all of which occur in real files, and would shift every position below.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from leanclient.aio.convert import codepoint_to_utf16, utf16_to_codepoint


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place between two characters: 0-based line, 0-based column in code points."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of a text, in code-point offsets from its start."""

    start: int
    end: int

    def __contains__(self, offset: object) -> bool:
        """Whether an offset lies in the span, its end included (a cursor may stand there)."""
        return isinstance(offset, int) and self.start <= offset <= self.end


class LineIndex:
    """Converts between offsets, positions and UTF-16 positions of one text. Immutable; O(log lines) a call."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0]
        at = text.find("\n")
        while at != -1:
            self._starts.append(at + 1)
            at = text.find("\n", at + 1)

    @property
    def line_count(self) -> int:
        """How many lines the text has; an empty text has one."""
        return len(self._starts)

    def line(self, number: int) -> str:
        """The text of a line without its line end; empty when there is no such line."""
        if not 0 <= number < len(self._starts):
            return ""
        start = self._starts[number]
        end = self._starts[number + 1] - 1 if number + 1 < len(self._starts) else len(self.text)
        return self.text[start:end]

    def position(self, offset: int) -> Position:
        """The position of an offset, clamped to the text."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._starts, offset) - 1
        return Position(line, offset - self._starts[line])

    def offset(self, position: Position) -> int:
        """The offset of a position; a line or column past the end is clamped, as LSP asks."""
        if position.line < 0:
            return 0
        if position.line >= len(self._starts):
            return len(self.text)
        return self._starts[position.line] + max(0, min(position.column, len(self.line(position.line))))

    def to_utf16(self, position: Position) -> tuple[int, int]:
        """(line, UTF-16 column) of a position."""
        return position.line, codepoint_to_utf16(self.line(position.line), position.column)

    def from_utf16(self, line: int, character: int) -> Position:
        """The position of an LSP (line, UTF-16 column)."""
        return Position(line, from_utf16_column(self.line(line), character))


def from_utf16_column(line: str, column: int) -> int:
    """The column in code points for one in UTF-16 units; inside a character it is that before, past the end the end."""
    found: int = utf16_to_codepoint(line, column)
    return found


def common_length(one: str, other: str) -> int:
    """How many code points two texts have in common at their beginning, found by halves: they may be long."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
