"""Reads the types that Lean prints, as text: brackets, binders and the operators at the top. Pure functions.

No elaboration happens here, so a reading can be wrong; what is built from it is only ever a candidate. The
precedences are those of Lean's `Init` notations: `↔` 20, `→` 25, `∨` 30, `∧` 35, `¬` and the relations 40–50,
and a binder (`∀`, `∃`, `fun`, …) takes everything to its right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tacit.server.tactics import lexer
from tacit.server.tactics.lexer import Token

CONNECTIVES = ("↔", "→", "∨", "∧")
RELATIONS = frozenset("= ≠ ≤ < ≥ > ∈ ∉ ⊆ ⊂ ∣ ≈ ∼ ≡ ≍ == != ~".split())
_INDEXED = frozenset("∑ ∏ ⋃ ⋂ ⨆ ⨅ ∫ ∐ ⨁".split())


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
    indexed = False  # between `∑` and its comma: the `∈` there is no relation
    for at, word in enumerate(words):
        text = word.text
        if text in lexer.CLOSED_BY:
            depth -= 1
        elif len(text) == 1 and text in lexer.OPEN:
            depth += 1
        elif depth == 0:
            indexed = text in _INDEXED or (indexed and text != ",")
            if indexed:
                continue
            if text in lexer.GREEDY:
                return first, at
            if text in CONNECTIVES or text in RELATIONS:
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
    for op in CONNECTIVES:
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

    With `negation`, `¬ p` is read as `p → False`, `a ≠ b` as `a = b → False`, and inclusions as implications.

    >>> telescope("∀ (n : Nat), p n → q")
    ((Binder(name='n', type='Nat', explicit=True), Binder(name='', type='p n', explicit=True)), 'q')
    """
    binders: list[Binder] = []
    for _ in range(24):
        shape = meaning(text) if negation else read(text)
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


@lru_cache(maxsize=4096)
def statement(signature: str) -> str:
    """The type of a declaration from its signature: the binders before the colon become a `∀`; empty without a colon.

    >>> statement("(n : Nat) (h : 0 < n) : n ≠ 0")
    '∀ (n : Nat) (h : 0 < n), n ≠ 0'
    """
    words = lexer.tokens(signature)
    at = 0
    while at < len(words) and words[at].text != ":":
        at = lexer.closing(words, at) + 1 if words[at].text in lexer.OPEN else at + 1
    result = lexer.render(words[at + 1 :])
    return f"∀ {lexer.render(words[:at])}, {result}" if at and result else result


@lru_cache(maxsize=4096)
def meaning(text: str) -> Shape:
    """The shape of a type with membership, inclusion and `∉` read as the logic they stand for.

    >>> meaning("x ∈ s ∩ t")
    Shape(op='∧', left='x ∈ s', right='x ∈ t', binders=())
    """
    shape = read(text)
    if shape.op == "∉":
        return Shape("¬", right=f"{shape.left} ∈ {shape.right}")
    if shape.op == "⊆":
        name = next(name for name in ("x", "y", "z", "w", "x'", "") if name not in lexer.identifiers(text))
        sides = lexer.argument(shape.left), lexer.argument(shape.right)
        binders = (Binder(name, "", explicit=False), Binder("", f"{name} ∈ {sides[0]}"))
        return Shape("∀", right=f"{name} ∈ {sides[1]}", binders=binders)
    if shape.op == "∈":
        words = lexer.strip_parentheses(lexer.tokens(shape.right))
        for op, connective in (("∪", "∨"), ("∩", "∧")):
            at = lexer.last(words, op)
            if at is not None:
                left, right = lexer.render(words[:at]), lexer.render(words[at + 1 :])
                return Shape(connective, f"{shape.left} ∈ {left}", f"{shape.left} ∈ {right}")
    return shape


def negate(text: str) -> str:
    """The negation as Lean prints it: parentheses only around what binds weaker than `¬`."""
    bare = lexer.render(lexer.strip_parentheses(lexer.tokens(text)))
    return f"¬({bare})" if read(bare).op in CONNECTIVES else f"¬{bare}"


def substitute(text: str, replacements: Mapping[str, str]) -> str:
    """The text with names replaced by terms; a longer term comes in parentheses."""
    if not replacements or not any(name in text for name in replacements):
        return text
    words = []
    for word in lexer.tokens(text):
        new = replacements.get(word.text)
        words.append(Token(lexer.argument(new), word.gap) if new is not None else word)
    return lexer.render(words)
