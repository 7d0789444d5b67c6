"""Large Lean files full of what makes positions hard, and an editor's copy of one, kept in UTF-16 as editors keep it.

`EditorText` shares no code with the sidecar's mirror: it is a string of UTF-16 units, and its lines are found anew
after every change.
"""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

LINE_END = re.compile("\r\n|\r|\n")
PIECES = (
    *(
        "𝔸",
        "𝕜",
        "𝒫",
        "𝓝",
        "🤷🏽‍♀️",
        "👨‍👩‍👧",
        "e\u0301",
        "ọ̈",
        "\u200d",
        "\ufeff",
        "\u2028",
        "\u2029",
        "\u0085",
        "\x0b",
        "\x0c",
    ),
    *("x", "h₁", "∀", "ℝ≥0", " ", "  ", "\t", "⟨", "⟩", "--", "名", "0", "ﬁ", "İ", "\x00", "\U0010ffff", "א"),
)
ENDS = ("\n", "\n", "\n", "\r\n", "\r")


class EditorText:
    """The text of one open document, in UTF-16 units: an astral character is two of them, as in the editor.

    `code_points`: in characters, as the editors count that have agreed on it.
    """

    def __init__(self, text: str, *, code_points: bool = False) -> None:
        self.counted = str if code_points else units
        self.units = self.counted(text)
        self._look()

    @property
    def text(self) -> str:
        """The text in characters."""
        return characters(self.units)

    def replace(self, start: int, end: int, text: str) -> dict[str, Any]:
        """Put a text in the place of some units; the change as LSP tells it."""
        change = {"range": {"start": self.place(start), "end": self.place(end)}, "text": text}
        self.units = self.units[:start] + self.counted(text) + self.units[end:]
        self._look()
        return change

    def whole(self, text: str) -> dict[str, Any]:
        """Put a text in the place of all."""
        self.units = self.counted(text)
        self._look()
        return {"text": text}

    def place(self, unit: int) -> dict[str, int]:
        """The LSP position of a unit."""
        line = bisect_right(self._starts, unit) - 1
        return {"line": line, "character": unit - self._starts[line]}

    def at_character(self, unit: int) -> int:
        """The same place, or the one before where it splits a character or a CRLF: editors put no cursor there."""
        unit = max(0, min(unit, len(self.units)))
        if 0 < unit < len(self.units) and (
            ("\udc00" <= self.units[unit] < "\ue000" and "\ud800" <= self.units[unit - 1] < "\udc00")
            or self.units[unit - 1 : unit + 1] == "\r\n"
        ):
            return unit - 1
        return unit

    def _look(self) -> None:
        self._starts = [0, *(match.end() for match in LINE_END.finditer(self.units))]


def units(text: str) -> str:
    """A text with two surrogates in the place of each astral character."""
    return "".join(map(chr, memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")))


def characters(text: str) -> str:
    """The reverse."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def hard_line(chance: random.Random) -> str:
    """A comment that holds a bit of everything."""
    return "-- " + "".join(chance.choices(PIECES, k=chance.randrange(12)))


def large_text(chance: random.Random, lines: int, above: str = "", *, lone: bool = True) -> str:
    """Lean that parses: theorems between lines of comments and one at the end, so many lines in all, their ends mixed.

    A lone CR ends no comment for Lean, so what stands behind it is one too; without `lone` there is none.
    """
    ends = ENDS if lone else [end for end in ENDS if end != "\r"]
    found = [above]
    for number in range(lines):
        if number % 40 == 0:
            found.append(f"\ntheorem t{number} (𝕜 n : Nat) (h : n = 𝕜) : 𝕜 = n := by sorry\n")
        found.append(hard_line(chance) + chance.choice(ends))
    return "".join(found) + "\n\ntheorem last (𝕜 n : Nat) (h : n = 𝕜) : 𝕜 = n := by sorry\n"


def typed(chance: random.Random, document: EditorText, keys: int) -> Iterator[dict[str, Any]]:
    """Changes as keys make them: what is typed, taken back, pasted, cut. The document has each when it is yielded."""
    at = document.at_character(chance.randrange(len(document.units) + 1))
    for _ in range(keys):
        at = document.at_character(at)
        what = chance.random()
        if what < 0.7:
            text = chance.choice((*PIECES, *ENDS, "rfl", "by "))
            yield document.replace(at, at, text)
            at += len(document.counted(text))
        elif what < 0.85 and at:
            start = document.at_character(at - 1)
            yield document.replace(start, at, "")
            at = start
        elif what < 0.95:
            end = document.at_character(at + chance.randrange(60))
            yield document.replace(at, max(at, end), "".join(chance.choices(PIECES, k=chance.randrange(20))))
        else:
            at = document.at_character(chance.randrange(len(document.units) + 1))
            yield document.replace(at, at, "")
