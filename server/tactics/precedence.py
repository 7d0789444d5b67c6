"""Drops parentheses that Lean would not print, so that a statement as written compares with a goal as printed.

The precedences are those of Lean's `Init` and Mathlib notations; around any other symbol parentheses stay.
"""

from __future__ import annotations

from functools import lru_cache

from tacit.server.tactics import lexer
from tacit.server.tactics.lexer import Token

_LEFT = {"+": 65, "-": 65, "++": 65, "∪": 65, "*": 70, "/": 70, "%": 70, "∩": 70, "\\": 70}
_RIGHT = {"→": 25, "∨": 30, "∧": 35, "::": 67, "^": 75, "∘": 90}
_NEITHER = {"↔": 20} | dict.fromkeys("= ≠ ≤ < ≥ > ∈ ∉ ⊆ ∣ == !=".split(), 50)
_LEVELS = _LEFT | _RIGHT | _NEITHER
_APPLICATION = 1000


@lru_cache(maxsize=4096)
def printed(text: str) -> str:
    """The text with redundant parentheses gone.

    >>> printed("(a + b) + c = a + (b + c)")
    'a + b + c = a + (b + c)'
    """
    words = list(lexer.tokens(text))
    at = 0
    while at < len(words):
        if words[at].text == "(":
            end = lexer.closing(words, at)
            if _redundant(words, at, end):
                inner = words[at + 1 : end]
                words[at : end + 1] = [Token(inner[0].text, words[at].gap), *inner[1:]]
                continue
        at += 1
    return lexer.render(words)


def _redundant(words: list[Token], start: int, end: int) -> bool:
    """Whether the brackets from `start` to `end` say nothing that the precedences do not."""
    inside = _level(words[start + 1 : end])
    if inside is None or end <= start + 1:
        return False
    before = words[start - 1].text if start else ""
    after = words[end + 1].text if end + 1 < len(words) else ""
    return _stronger(inside, before, _RIGHT, "([{⟨,:") and _stronger(inside, after, _LEFT, ")]}⟩,:")


def _level(words: list[Token]) -> int | None:
    """The weakest precedence at the top; None when something else binds there."""
    level = _APPLICATION if len(words) > 1 else _APPLICATION + 1
    for word in lexer.top_level(words):
        if word.text in _LEVELS:
            level = min(level, _LEVELS[word.text])
        elif not (lexer.is_identifier(word.text) or word.text[0] in ".0123456789"):
            return None
    return level


def _stronger(inside: int, neighbour: str, associates: dict[str, int], edges: str) -> bool:
    """Whether what is inside binds more strongly than the operator beside it, which may associate this way."""
    if not neighbour or neighbour in edges:
        return True
    outside = _LEVELS.get(neighbour)
    if outside is None:
        return inside > _APPLICATION and not neighbour.startswith(".")
    return inside > outside or (inside == outside and neighbour in associates)
