"""Reads the types that Lean prints, as text: brackets, binders and the operators at the top. Pure functions.

No elaboration happens here, so a reading can be wrong; what is built from it is only ever a candidate. The
precedences are those of Lean's `Init` notations: `↔` 20, `→` 25, `∨` 30, `∧` 35, `¬` and the relations 40–50,
and a binder (`∀`, `∃`, `fun`, …) takes everything to its right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tacit.server.tactics import lexer
from tacit.server.tactics.lexer import Token

_CONNECTIVES = ("↔", "→", "∨", "∧")
RELATIONS = frozenset("= ≠ ≤ < ≥ > ∈ ∉ ⊆ ⊂ ∣ ≈ ∼ ≡ ≍ == != ~".split())
_BOUNDARIES = frozenset(_CONNECTIVES) | RELATIONS | {",", ":=", ":"}


@dataclass(frozen=True, slots=True)
class Binder:
    """One bound variable or premise. A premise that nothing depends on has no name."""

    name: str
    type: str
    explicit: bool = True


@dataclass(frozen=True, slots=True)
class Shape:
    """The top of a type: its main operator and what stands on both sides.

    `op` is one of `∀ ∃ ↔ → ∨ ∧ ¬`, a relation, or empty for anything else. For `∀` and `∃` the `binders` are
    read and `right` is the body; for `¬` only `right` is there; for an atom `left` is the whole text.
    """

    op: str
    left: str = ""
    right: str = ""
    binders: tuple[Binder, ...] = ()


def _splits(words: Sequence[Token]) -> tuple[dict[str, int], int]:
    """Where each operator first stands at the top level, and where a greedy binder begins (or the length)."""
    first: dict[str, int] = {}
    depth = 0
    for at, word in enumerate(words):
        text = word.text
        if text in lexer.CLOSED_BY:
            depth -= 1
        elif len(text) == 1 and text in lexer.OPEN:
            depth += 1
        elif depth == 0:
            if text in lexer.GREEDY:
                return first, at
            if text in _CONNECTIVES or text in RELATIONS:
                first.setdefault(text, at)
    return first, len(words)


@lru_cache(maxsize=4096)
def read(text: str) -> Shape:
    """The shape of a printed type.

    >>> read("p ∧ q → r ∨ s")
    Shape(op='→', left='p ∧ q', right='r ∨ s', binders=())
    >>> read("∀ (n : Nat), 0 < n").binders
    (Binder(name='n', type='Nat', explicit=True),)
    """
    words = lexer.strip_parentheses(lexer.tokens(text))
    if not words:
        return Shape("")
    first, greedy = _splits(words)
    for op in _CONNECTIVES:
        if op in first:
            at = first[op]
            left, right = words[:at], words[at + 1 :]
            if op == "→" and left and (group := _binder_group(left)):
                return Shape("∀", right=lexer.render(right), binders=group)
            return Shape(op, lexer.render(left), lexer.render(right))
    if greedy == 0 and words[0].text in {"∀", "∃"}:
        return _read_binder(words)
    if words[0].text == "¬":
        return Shape("¬", right=lexer.render(words[1:]))
    relations = sorted((at, op) for op, at in first.items() if op in RELATIONS)
    if len(relations) == 1 and greedy > relations[0][0]:
        at, op = relations[0]
        return Shape(op, lexer.render(words[:at]), lexer.render(words[at + 1 :]))
    return Shape("", lexer.render(words))


def _read_binder(words: Sequence[Token]) -> Shape:
    """`∀ x (y : α), body` and `∃ x ∈ s, body`, the parts before the comma read as binders."""
    depth = 0
    for at, word in enumerate(words):
        if word.text in lexer.CLOSED_BY:
            depth -= 1
        elif len(word.text) == 1 and word.text in lexer.OPEN:
            depth += 1
        elif word.text == "," and depth == 0:
            head, body = words[1:at], lexer.render(words[at + 1 :])
            break
    else:
        return Shape("", lexer.render(words))
    binders: list[Binder] = []
    while head and head[0].text in lexer.OPEN:
        end = lexer.closing(head, 0)
        binders.extend(_binder_group(head[: end + 1]) or ())
        head = head[end + 1 :]
    names, rest = _names(head)
    if rest and rest[0].text == ":":
        binders.extend(Binder(name, lexer.render(rest[1:])) for name in names)
    else:
        binders.extend(Binder(name, "") for name in names)
        if rest:  # `∀ x > 0, …`: the premise stands beside the variable
            condition = lexer.render([Token(names[-1] if names else "_", False), *rest])
            if words[0].text == "∃":
                return Shape("∃", right=f"{condition} ∧ {body}", binders=tuple(binders))
            binders.append(Binder("", condition))
    return Shape(words[0].text, right=body, binders=tuple(binders))


def _names(words: Sequence[Token]) -> tuple[list[str], Sequence[Token]]:
    """The identifiers at the front, and the rest."""
    at = 0
    while at < len(words) and lexer.is_identifier(words[at].text):
        at += 1
    return [word.text for word in words[:at]], words[at:]


def _binder_group(words: Sequence[Token]) -> tuple[Binder, ...] | None:
    """`(x y : α)`, `{x : α}`, `⦃x : α⦄` or `[inst : C]`; None when it is a term in parentheses."""
    if len(words) < 3 or words[0].text not in "({⦃[" or lexer.closing(words, 0) != len(words) - 1:
        return None
    inner = words[1:-1]
    names, rest = _names(inner)
    explicit = words[0].text == "("
    if names and rest and rest[0].text == ":":
        return tuple(Binder(name, lexer.render(rest[1:]), explicit) for name in names)
    return (Binder("", lexer.render(inner), False),) if words[0].text == "[" else None


@lru_cache(maxsize=4096)
def telescope(text: str, negation: bool = False) -> tuple[tuple[Binder, ...], str]:
    """The binders and premises of a type, outermost first, and its conclusion.

    With `negation`, `¬ p` is read as `p → False` and `a ≠ b` as `a = b → False`.

    >>> telescope("∀ (n : Nat), p n → q")
    ((Binder(name='n', type='Nat', explicit=True), Binder(name='', type='p n', explicit=True)), 'q')
    """
    binders: list[Binder] = []
    for _ in range(24):
        shape = read(text)
        if shape.op == "∀":
            binders.extend(shape.binders)
        elif shape.op == "→":
            binders.append(Binder("", shape.left))
        elif negation and shape.op == "¬":
            return (*binders, Binder("", shape.right)), "False"
        elif negation and shape.op == "≠":
            return (*binders, Binder("", f"{shape.left} = {shape.right}")), "False"
        else:
            break
        text = shape.right
    return tuple(binders), text


def negate(text: str) -> str:
    """The negation as Lean prints it: parentheses only around what binds weaker than `¬`."""
    bare = lexer.render(lexer.strip_parentheses(lexer.tokens(text)))
    return f"¬({bare})" if read(bare).op in _CONNECTIVES else f"¬{bare}"


def substitute(text: str, replacements: Mapping[str, str]) -> str:
    """The text with names replaced by terms; a longer term comes in parentheses."""
    if not replacements or not any(name in text for name in replacements):
        return text
    words = []
    for word in lexer.tokens(text):
        new = replacements.get(word.text)
        words.append(Token(lexer.argument(new), word.gap) if new is not None else word)
    return lexer.render(words)


def match(pattern: str, text: str, unknowns: Iterable[str]) -> dict[str, str] | None:
    """What the `unknowns` must be for `pattern` to read as `text`; None when they cannot.

    >>> match("f x = x + y", "f (a + b) = (a + b) + c", ["x", "y"])
    {'x': 'a + b', 'y': 'c'}
    """
    wanted = lexer.strip_parentheses(lexer.tokens(pattern))
    given = lexer.strip_parentheses(lexer.tokens(text))
    steps = [400]  # backtracking over long types must not hold the event loop
    return _match(wanted, 0, given, 0, frozenset(unknowns), {}, steps)


def _match(
    wanted: Sequence[Token],
    start: int,
    given: Sequence[Token],
    at: int,
    unknowns: frozenset[str],
    bound: dict[str, str],
    steps: list[int],
) -> dict[str, str] | None:
    while start < len(wanted) and wanted[start].text not in unknowns:
        if at >= len(given) or wanted[start].text != given[at].text:
            return None
        start, at = start + 1, at + 1
    if start == len(wanted):
        return bound if at == len(given) else None
    name = wanted[start].text
    applied = (start > 0 and _ends_term(wanted[start - 1].text)) or (
        start + 1 < len(wanted) and _begins_term(wanted[start + 1].text)
    )
    for end in _term_ends(given, at, applied):
        steps[0] -= 1
        if steps[0] < 0:
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
        while at < len(words) and words[at].text[0] == "." and not words[at].gap:
            at += 1
        yield at
        if applied:
            return
