"""Printed terms as trees: read, match, put terms for names, write. For terms of applications and operators alone.

A tree is a name, or a tuple of a head and its arguments; the head of `a + b` is `+`. A term with binders, `if` or
`match` is not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

from tacit.server.tactics import lexer
from tacit.server.tactics.lexer import Token

Tree = str | tuple["Tree", ...]

_LEFT = {"+": 65, "-": 65, "++": 65, "∪": 65, "*": 70, "/": 70, "%": 70, "∩": 70, "⊓": 69, "⊔": 68, "\\": 70}
_LEFT |= {"&&": 35, "||": 30}
_RIGHT = {"::": 67, "^": 75, "•": 73, "∘": 90, "→": 25, "∨": 30, "∧": 35}
_NEITHER = {"↔": 20} | dict.fromkeys("= ≠ ≤ < ≥ > ∈ ∉ ⊆ ∣ == !=".split(), 50)
_INFIX = _LEFT | _RIGHT | _NEITHER
_PREFIX = {"-": 75, "¬": 40, "!": 100, "↑": 1024}
_INVERSE = "⁻¹"
_ATOM, _LOOSEST = 1024, 0


class _Unread(Exception):
    """The term has a form that is not read."""


def parse(text: str) -> Tree | None:
    """The tree of a printed term; None when it has a form that is not read.

    >>> parse("f (a + b) = c")
    ('=', ('f', ('+', 'a', 'b')), 'c')
    """
    reader = _Reader(lexer.tokens(text))
    try:
        tree = reader.term(_LOOSEST)
    except _Unread:
        return None
    return tree if reader.at == len(reader.words) else None


class _Reader:
    """Reads operators by their precedence, as Lean does."""

    def __init__(self, words: Sequence[Token]) -> None:
        self.words = words
        self.at = 0

    def _word(self) -> str:
        return self.words[self.at].text if self.at < len(self.words) else ""

    def term(self, above: int) -> Tree:
        """A term of operators that bind more strongly than `above`."""
        left = self._operand()
        while (level := _INFIX.get(self._word(), -1)) > above:
            operator = self._word()
            self.at += 1
            left = (operator, left, self.term(level - 1 if operator in _RIGHT else level))
        return left

    def _operand(self) -> Tree:
        if (level := _PREFIX.get(self._word())) is not None:
            operator = self._word()
            self.at += 1
            return (operator, self.term(level - 1))
        parts = [self._atom()]
        while self._begins():
            parts.append(self._atom())
        head, *arguments = parts
        if not arguments:
            return head
        return (*head, *arguments) if isinstance(head, tuple) and isinstance(head[0], str) else (head, *arguments)

    def _begins(self) -> bool:
        word = self._word()
        return bool(word) and self.words[self.at].gap and (word in "([" or lexer.is_identifier(word) or word.isdigit())

    def _atom(self) -> Tree:
        word = self._word()
        if word in {"(", "["}:
            found = self._bracket(word)
        elif lexer.is_identifier(word) or word.isdigit():
            self.at += 1
            found = word
        else:
            raise _Unread
        while self.at < len(self.words) and not self.words[self.at].gap:
            after = self._word()
            if after == "⁻" and [w.text for w in self.words[self.at + 1 : self.at + 2]] == ["¹"]:
                found = (_INVERSE, found)
                self.at += 1
            elif after[0] == "." and len(after) > 1:
                found = found + after if isinstance(found, str) else (after, found)
            else:
                break
            self.at += 1
        return found

    def _bracket(self, opened: str) -> Tree:
        end = lexer.closing(self.words, self.at)
        if lexer.CLOSED_BY.get(self.words[end].text) != opened:
            raise _Unread
        self.at += 1
        parts: list[Tree] = []
        while self.at < end or parts:
            parts.append(self.term(_LOOSEST))
            if self.at >= end:
                break
            if self._word() != ",":
                raise _Unread
            self.at += 1
        self.at = end + 1
        if opened == "(" and len(parts) == 1:
            return parts[0]
        return (opened, *parts)


def write(tree: Tree) -> str:
    """The term, with parentheses where they are needed.

    >>> write(parse("(a * b) * (c * d)"))
    'a * b * (c * d)'
    """
    return _write(tree)[0]


def _write(tree: Tree) -> tuple[str, int]:
    """The text and how strongly it holds together."""
    if isinstance(tree, str):
        return tree, _ATOM
    head = tree[0]
    if head in {"[", "("}:
        return f"{head}{', '.join(write(part) for part in tree[1:])}{']' if head == '[' else ')'}", _ATOM
    if isinstance(head, str) and len(tree) == 2 and (head == _INVERSE or head[0] == "."):
        return f"{_in_brackets(tree[1], _ATOM)}{head}", _ATOM
    if isinstance(head, str) and head in _INFIX and len(tree) == 3:
        level = _INFIX[head]
        left = _in_brackets(tree[1], level if head in _LEFT else level + 1)
        right = _in_brackets(tree[2], level if head in _RIGHT else level + 1)
        return f"{left} {head} {right}", level
    if isinstance(head, str) and head in _PREFIX and len(tree) == 2:
        return f"{head}{_in_brackets(tree[1], _PREFIX[head])}", _PREFIX[head]
    return " ".join(_in_brackets(part, _ATOM) for part in tree), _ATOM - 1


def _in_brackets(tree: Tree, level: int) -> str:
    text, own = _write(tree)
    return text if own >= level else f"({text})"


def fit(pattern: Tree, tree: Tree, unknowns: Set[str], bound: Mapping[str, Tree]) -> Mapping[str, Tree] | None:
    """What the unknowns must be for the pattern to be the tree; None when they cannot."""
    if isinstance(pattern, str):
        if pattern not in unknowns:
            return bound if pattern == tree else None
        if pattern in bound:
            return bound if bound[pattern] == tree else None
        return {**bound, pattern: tree}
    if isinstance(tree, str) or len(pattern) != len(tree):
        return None
    for part, other in zip(pattern, tree, strict=True):
        found = fit(part, other, unknowns, bound)
        if found is None:
            return None
        bound = found
    return bound


def instance(tree: Tree, values: Mapping[str, Tree]) -> Tree:
    """The tree with terms put for names; a function that becomes an application takes the arguments along."""
    if isinstance(tree, str):
        return values.get(tree, tree)
    head, *arguments = (instance(part, values) for part in tree)
    return (*head, *arguments) if isinstance(head, tuple) and arguments else (head, *arguments)


def replaced(tree: Tree, old: Tree, new: Tree) -> Tree:
    """The tree with every occurrence of a term replaced."""
    if tree == old:
        return new
    return tree if isinstance(tree, str) else tuple(replaced(part, old, new) for part in tree)


def parts(tree: Tree) -> Iterator[Tree]:
    """The tree and all trees in it, in the order in which `rw` looks for its pattern."""
    yield tree
    if not isinstance(tree, str):
        for part in tree[1:]:
            yield from parts(part)


def names(tree: Tree) -> frozenset[str]:
    """Every name that occurs."""
    if isinstance(tree, str):
        return frozenset({tree})
    return frozenset[str]().union(*(names(part) for part in tree))


def size(tree: Tree) -> int:
    """How many names and operators it has."""
    return 1 if isinstance(tree, str) else sum(size(part) for part in tree)
