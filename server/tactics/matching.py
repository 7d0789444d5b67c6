"""Fits a pattern with unknowns to a printed type. Pure text: what fits here may still not unify in Lean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tacit.server.tactics import lexer
from tacit.server.tactics.lexer import Token
from tacit.server.tactics.shape import CONNECTIVES, RELATIONS

_BOUNDARIES = frozenset(CONNECTIVES) | RELATIONS | {",", ":=", ":"}


_STEPS = 200  # backtracking over long types must not hold the event loop


@dataclass(slots=True)
class _Steps:
    """How many bindings may still be tried, and whether the pattern must fit the whole type."""

    left: int
    whole: bool = True


def match(pattern: str, text: str, unknowns: Iterable[str]) -> dict[str, str] | None:
    """What the `unknowns` must be for `pattern` to read as `text`; None when they cannot.

    >>> match("f x = x + y", "f (a + b) = (a + b) + c", ["x", "y"])
    {'x': 'a + b', 'y': 'c'}
    """
    wanted = lexer.strip_parentheses(lexer.tokens(pattern))
    given = lexer.strip_parentheses(lexer.tokens(text))
    steps = _Steps(_STEPS)
    return _match(wanted, 0, given, 0, frozenset(unknowns), {}, steps)


def _match(
    wanted: Sequence[Token],
    start: int,
    given: Sequence[Token],
    at: int,
    unknowns: frozenset[str],
    bound: dict[str, str],
    steps: _Steps,
) -> dict[str, str] | None:
    while start < len(wanted) and wanted[start].text not in unknowns:
        if at >= len(given) or wanted[start].text != given[at].text:
            return None
        start, at = start + 1, at + 1
    if start == len(wanted):
        return bound if at == len(given) or not steps.whole else None
    name = wanted[start].text
    applied = (start > 0 and _ends_term(wanted[start - 1].text)) or (
        start + 1 < len(wanted) and _begins_term(wanted[start + 1].text)
    )
    for end in _term_ends(given, at, applied):
        steps.left -= 1
        if steps.left < 0:
            return None
        term = lexer.render(lexer.strip_parentheses(given[at:end]))
        if name in bound and not lexer.same(bound[name], term):
            continue
        found = _match(wanted, start + 1, given, end, unknowns, {**bound, name: term}, steps)
        if found is not None:
            return found
    return None


def _ends_term(text: str) -> bool:
    return lexer.is_identifier(text) or text in lexer.CLOSED_BY or text[0] == "." or text[0].isdigit()


def _begins_term(text: str) -> bool:
    return lexer.is_identifier(text) or text in {"(", "⟨"} or text[0].isdigit()


def _term_ends(words: Sequence[Token], start: int, applied: bool) -> Iterable[int]:
    """Where a term that begins at `start` may end, shortest first.

    As a function or an argument (`applied`) it is one word or one bracket, with its fields; as an operand it may
    be longer, up to the next relation or connective.
    """
    at = start
    while at < len(words) and at - start < 40:
        text = words[at].text
        if text in lexer.CLOSED_BY or text in lexer.GREEDY or text in _BOUNDARIES:
            return
        at = (lexer.closing(words, at) if len(text) == 1 and text in lexer.OPEN else at) + 1
        yield at
        while at < len(words) and words[at].text[0] == "." and not words[at].gap:
            at += 1
            yield at
        if applied:
            return


def occurs(side: str, text: str, unknowns: frozenset[str]) -> bool:
    """Whether an instance of a term stands somewhere in a type; a bare unknown, which stands anywhere, does not."""
    wanted = lexer.strip_parentheses(lexer.tokens(side))
    if not wanted or (len(wanted) == 1 and wanted[0].text in unknowns):
        return False
    given = lexer.tokens(text)
    steps = _Steps(_STEPS, whole=False)
    return any(_match(wanted, 0, given, at, unknowns, {}, steps) is not None for at in range(len(given)))
