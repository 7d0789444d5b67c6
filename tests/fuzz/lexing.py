"""An independent reading of Lean's lexical grammar: where a text's brackets, comments and strings are.

Written from `Lean.Parser.tokenFn` (whitespace, then by the first character), one function, no code of the project's
own lexer: what the two say of a text can be compared. It knows no token table, so a symbol is one character.
"""

from __future__ import annotations

from dataclasses import dataclass

OPENING = {"(": ")", "[": "]", "{": "}", "⟨": "⟩", "⦃": "⦄"}


@dataclass(frozen=True)
class Piece:
    """`kind` is `comment`, `text` (strings and characters), `word`, `number`, `symbol`, or `broken`: a syntax error."""

    kind: str
    text: str
    start: int


def _word_start(c: str) -> bool:
    o = ord(c)
    greek = (0x391 <= o <= 0x3A9 and o not in (0x3A0, 0x3A3)) or (0x3B1 <= o <= 0x3FB and o != 0x3BB)
    latin = 0xC0 <= o <= 0x17F and o not in (0xD7, 0xF7)
    other = 0x1F00 <= o <= 0x1FFE or 0x2100 <= o <= 0x214F or 0x1D49C <= o <= 0x1D59F
    return ("a" <= c <= "z") or ("A" <= c <= "Z") or c == "_" or greek or latin or other


def _word_rest(c: str) -> bool:
    o = ord(c)
    small = 0x2080 <= o <= 0x2089 or 0x2090 <= o <= 0x209C or 0x1D62 <= o <= 0x1D6A or o == 0x2C7C
    return _word_start(c) or "0" <= c <= "9" or c in "'!?" or small


def read(text: str) -> list[Piece]:
    """The pieces of a text, white space left out. After a syntax error Lean goes on from the next character."""
    pieces: list[Piece] = []
    i, n = 0, len(text)

    def at(j: int) -> str:
        return text[j] if j < n else "\0"

    while i < n:
        c, start = text[i], i
        if c in " \n":
            i += 1
            continue
        if c in "\t\r":
            pieces.append(Piece("broken", c, i))
            i += 1
            continue
        if text.startswith("--", i):
            while i < n and text[i] != "\n":
                i += 1
            pieces.append(Piece("comment", text[start:i], start))
            continue
        if text.startswith("/-", i):
            depth, i = 1, i + 2
            while depth:
                if i >= n:
                    return [*pieces, Piece("broken", text[start:], start)]
                if text.startswith("-/", i):
                    depth, i = depth - 1, i + 2
                elif text.startswith("/-", i):
                    depth, i = depth + 1, i + 2
                else:
                    i += 1
            pieces.append(Piece("comment", text[start:i], start))
            continue
        hashes = 0
        if c == "r":
            while at(i + 1 + hashes) == "#":
                hashes += 1
        if c == '"' or (c == "r" and at(i + 1 + hashes) == '"'):
            raw = c == "r"
            i += 2 + hashes if raw else 1
            end = '"' + "#" * hashes
            while not text.startswith(end, i):
                i += 2 if not raw and at(i) == "\\" else 1
                if i >= n:
                    return [*pieces, Piece("broken", text[start:], start)]
            i += len(end)
            pieces.append(Piece("text", text[start:i], start))
        elif c == "'" and at(i + 1) == "'":
            i += 2  # Mathlib's `f '' s`
            pieces.append(Piece("symbol", text[start:i], start))
        elif c == "'":
            i += 1
            if at(i) == "\\":
                escape = at(i + 1)
                i += {"x": 4, "u": 6}.get(escape, 2)
            else:
                i += 1
            if at(i) == "'":
                i += 1
                pieces.append(Piece("text", text[start:i], start))
            else:
                i = start + 1  # `'` begins nothing else
                pieces.append(Piece("broken", c, start))
        elif "0" <= c <= "9":
            based = c == "0" and at(i + 1) in "xXbBoO"
            digits = "0123456789abcdefABCDEF" if based and at(i + 1) in "xX" else "0123456789"
            i += 2 if based else 1
            while at(i) in digits or at(i) == "_":
                i += 1
            if not based and at(i) == "." and at(i + 1) in "0123456789":
                i += 1
                while at(i) in "0123456789_":
                    i += 1
            pieces.append(Piece("number", text[start:i], start))
        elif _word_start(c) or c == "«":
            while True:
                if at(i) == "«":
                    close = text.find("»", i)
                    if close < 0:
                        return [*pieces, Piece("broken", text[start:], start)]
                    i = close + 1
                else:
                    i += 1
                    while i < n and _word_rest(text[i]):
                        i += 1
                if at(i) == "." and i + 1 < n and (_word_start(text[i + 1]) or text[i + 1] == "«"):
                    i += 1
                    continue
                break
            pieces.append(Piece("word", text[start:i], start))
        else:
            i += 1
            pieces.append(Piece("symbol", c, start))
    return pieces
