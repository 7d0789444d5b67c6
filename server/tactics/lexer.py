"""The words of a printed type: identifiers, brackets, symbols. Pure functions on text; no grammar.

A name is cut at its fields (`x.succ` is `x` and `.succ`), so that a variable can be found and replaced.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(
    r"\.(?:\d+|[^\W\d][\w'!?✝]*)"  # a field: `.1`, `.succ`
    r"|\?[\w.]+"
    r"|«[^»]*»"
    r"|\"(?:\\.|[^\"\\])*\""
    r"|[∀∃][ᶠᵐᵉ]|∃!"
    r"|[^\W\d][\w'!?✝]*"
    r"|\d+(?:\.\d+)?"
    r"|:=|=>|<;>|\|>\.|<\|>|<\||\|>|<\$>|>>=|\+\+|::|==|!=|&&|\|\||\|\|\||&&&|\.\.|<-|->"
    r"|\S"
)
OPEN = "([{⟨⦃‹⌊⌈"
CLOSE = ")]}⟩⦄›⌋⌉"
CLOSED_BY = dict(zip(CLOSE, OPEN, strict=True))
GREEDY = frozenset("∀ ∃ ∃! ∀ᶠ ∃ᶠ ∀ᵐ ∀ᵉ ∃ᵉ fun λ let let_fun have if match do show by suffices Σ Π".split())
# Words that can stand in a printed term and are no names.
_KEYWORDS = GREEDY | frozenset(
    "then else with from in at of where Type Sort Prop nomatch nofun return for unless try catch finally mut".split()
)


class Token(NamedTuple):
    """A word of a printed type; `gap` says whether white space stands before it."""

    text: str
    gap: bool


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[Token, ...]:
    """The words of a printed type. `x.succ` is two words, `x` and `.succ`, so that `x` can be replaced."""
    found = []
    end = 0
    for match in _TOKEN.finditer(text):
        found.append(Token(match[0], match.start() > end))
        end = match.end()
    return tuple(found)


def render(words: Sequence[Token]) -> str:
    """The words as one line."""
    return "".join(f" {word.text}" if word.gap and at else word.text for at, word in enumerate(words))


def strip_parentheses(words: Sequence[Token]) -> Sequence[Token]:
    """The words without parentheses around the whole."""
    while len(words) > 2 and words[0].text == "(" and closing(words, 0) == len(words) - 1:
        inner = words[1:-1]
        stop = next((word.text for word in top_level(inner) if word.text in {":", ","} or word.text in GREEDY), "")
        if stop in {":", ","}:
            return words  # `(x : α)` and `(a, b)` are not the thing inside, `(∀ x, p)` is
        words = inner
    return words


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """A form in which two printings of one type are equal: one space between words, no outer parentheses."""
    return " ".join(word.text for word in strip_parentheses(tokens(text)))


def signature(text: str) -> str:
    """A form in which two tactics are equal that differ in spaces alone; of several lines, layout may count."""
    return text.rstrip() if "\n" in text else canonical(text)


def same(left: str, right: str) -> bool:
    """Whether two printed types are the same text, spaces and outer parentheses aside."""
    return canonical(left) == canonical(right)


def closing(words: Sequence[Token], start: int) -> int:
    """The index of the bracket that closes the one at `start`; the last index when there is none."""
    depth = 0
    for at in range(start, len(words)):
        text = words[at].text
        if text in CLOSED_BY:
            depth -= 1
            if depth == 0:
                return at
        elif len(text) == 1 and text in OPEN:
            depth += 1
    return len(words) - 1


def top_level(words: Sequence[Token]) -> list[Token]:
    """The words outside all brackets."""
    found = []
    depth = 0
    for word in words:
        if word.text in CLOSED_BY:
            depth -= 1
        elif len(word.text) == 1 and word.text in OPEN:
            depth += 1
        elif depth == 0:
            found.append(word)
    return found


def last(words: Sequence[Token], text: str) -> int | None:
    """Where a word stands last outside all brackets."""
    found, depth = None, 0
    for at, word in enumerate(words):
        if word.text in CLOSED_BY:
            depth -= 1
        elif len(word.text) == 1 and word.text in OPEN:
            depth += 1
        elif depth == 0 and word.text == text:
            found = at
    return found


def is_identifier(text: str) -> bool:
    """Whether a word is a variable or constant that a tactic could mention (`x✝` counts, `fun` does not)."""
    return bool(text) and (text[0] in "«_" or text[0].isalpha()) and text not in _KEYWORDS


def is_atomic(text: str) -> bool:
    """Whether a term needs no parentheses as an argument: a name or a bracket, with fields."""
    words = tokens(text)
    if not words:
        return False
    first = closing(words, 0) + 1 if words[0].text in {"(", "⟨", "[", "{"} else 1
    return all(word.text[0] == "." and not word.gap for word in words[first:])


def argument(text: str) -> str:
    """The term, in parentheses where an application needs them."""
    return text if is_atomic(text) else f"({text})"


def head(text: str) -> str:
    """The name in front, with its fields; empty when something else stands there."""
    words = strip_parentheses(tokens(text))
    if not words or not is_identifier(words[0].text):
        return ""
    end = 1
    while end < len(words) and words[end].text[0] == "." and not words[end].gap:
        end += 1
    return "".join(word.text for word in words[:end])


@lru_cache(maxsize=4096)
def identifiers(text: str) -> frozenset[str]:
    """The names that occur, bound ones included; `x.succ` gives `x` and `x.succ`."""
    found = set()
    name = ""
    for word in tokens(text):
        if word.text[0] == "." and not word.gap and name:
            name += word.text
            found.add(name)
        else:
            name = word.text if is_identifier(word.text) else ""
            if name:
                found.add(name)
    return frozenset(found)
