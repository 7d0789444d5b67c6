"""Restates a statement as `to_additive` or `to_dual` would: `a * b⁻¹ = 1` as `a + -b = 0`, `a ≤ ⊤` as `⊥ ≤ a`.

Lean translates terms, this translates text: brackets, operators and names, with no types. It is right for most
statements and close for the rest (a `1 : ℕ` may become 0), which serves to find them. Never raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from tacit.index.lexer import NAME

Rename = Callable[[str], str]
"""What a name (`Monoid.npow`, or the projection `.prod`) is called after the translation."""

_TOKEN = re.compile(
    rf"(?P<space>\s+)|ℝ≥0∞?|ℕ∞|ℕ\+|(?:Type|Sort)\*|(?P<name>\.?{NAME.pattern})|(?P<number>\d+(?:\.\d+)*)|⁻¹'|''|[→≃]\w*\+\*\w*|⁻¹|ᵐᵒᵖ|ᵈᵐᵃ|⁺ᵐ|⁻ᵐ|\|ₘ|:=|."
)
_CLOSERS = {"(": ")", "[": "]", "{": "}", "⟨": "⟩", "⦃": "⦄", "⟦": "⟧"}
_ADDITIVE = {
    "*": "+", "/": "-", "∏": "∑", "•": "+ᵥ", "ᵐᵒᵖ": "ᵃᵒᵖ", "ᵈᵐᵃ": "ᵈᵃᵃ", "⁺ᵐ": "⁺", "⁻ᵐ": "⁻", "|ₘ": "|",
}  # fmt: skip
_DUAL = {"⊤": "⊥", "⊥": "⊤", "⊔": "⊓", "⊓": "⊔", "⨆": "⨅", "⨅": "⨆"}
_FLIPPED = {"≤": "≥", "≥": "≤", "<": ">", ">": "<"}
_SWAPPED = frozenset(("≤", "<", "≥", ">", "⋖", "⩿", "⟶"))
_CHAINS = {"≫": "≫", "⇨": "\\", "\\": "⇨"}
# From the loosest: what a statement is cut at before its relations are turned round.
_CUTS = (",", ":", "↔", "→", "∨", "∧", "=", "≠", "∈", "↦")
_DEEPEST = 30


@dataclass(slots=True)
class Group:
    """A bracket and what stands in it."""

    opening: str
    inside: list[Node]
    closing: str

    def __str__(self) -> str:
        return self.opening + _text(self.inside) + self.closing


Node = str | Group
"""A token, blanks included, or a bracket."""


def additive(text: str, rename: Rename) -> str:
    """The text as `to_additive` would restate it."""
    return " ".join(_text(_add(parsed(text), rename)).split())


def dual(text: str, rename: Rename) -> str:
    """The text as `to_dual` would restate it."""
    return " ".join(_text(_turn(parsed(text), rename)).split())


def _text(nodes: list[Node]) -> str:
    return "".join(map(str, nodes))


def parsed(text: str) -> list[Node]:
    """The tokens of a text, each bracket with its inside as one node."""
    top: list[Node] = []
    stack: list[tuple[str, list[Node]]] = []
    here = top
    for found in _TOKEN.finditer(text):
        token = found[0]
        if token in _CLOSERS and len(stack) < _DEEPEST:
            stack.append((token, here))
            here = []
        elif stack and token == _CLOSERS[stack[-1][0]]:
            opening, outer = stack.pop()
            outer.append(Group(opening, here, token))
            here = outer
        else:
            here.append(token)
    while stack:
        opening, outer = stack.pop()
        outer += [opening, *here]
        here = outer
    return here


def _is_space(node: Node) -> bool:
    return isinstance(node, str) and node.isspace()


def _is_name(node: Node) -> bool:
    return isinstance(node, str) and _is_word(node)


@lru_cache(maxsize=1 << 14)
def _is_word(token: str) -> bool:
    return NAME.fullmatch(token.removeprefix(".")) is not None


def _is_atom(node: Node) -> bool:
    return isinstance(node, Group) or node.isdecimal() or _is_name(node)


def _run_start(nodes: list[Node]) -> int:
    """Where the atom that ends `nodes` begins: names, projections and brackets that touch."""
    at = len(nodes)
    while at and _is_atom(nodes[at - 1]):
        at -= 1
        if not (isinstance(nodes[at], str) and str(nodes[at]).startswith(".")) and not isinstance(nodes[at], Group):
            break
    return at


def _application_start(nodes: list[Node]) -> int:
    """Where the application that ends `nodes` begins: `f a⁻¹` in `x = f a⁻¹`."""
    at = len(nodes)
    while at and (_is_atom(nodes[at - 1]) or _is_space(nodes[at - 1]) or nodes[at - 1] in ("⁻¹", "ˣ")):
        at -= 1
    while at < len(nodes) and _is_space(nodes[at]):
        at += 1
    return at


def _add(nodes: list[Node], rename: Rename) -> list[Node]:
    done: list[Node] = []
    at = 0
    while at < len(nodes):
        node = nodes[at]
        at += 1
        if isinstance(node, Group):
            done.append(Group(node.opening, _add(node.inside, rename), node.closing))
        elif node == "^":
            begin = _application_start(done)
            while at < len(nodes) and _is_space(nodes[at]):
                at += 1
            exponent = nodes[at : at + 1]
            at += 1
            # The exponent is a number, and stays one.
            done[begin:] = [*exponent, " • ", *_stripped(done[begin:])]
        elif node == "⁻¹":
            begin = _run_start(done)
            # In brackets that do not show: it stays one atom for a power or a second inverse.
            negated: list[Node] = [Group("", ["-", *done[begin:]], "")]
            before = next((each for each in reversed(done[:begin]) if not _is_space(each)), "")
            if begin and _is_space(done[begin - 1]) and before and _is_atom(before):
                negated = [Group("(", negated, ")")]
            done[begin:] = negated
        elif node == "ˣ":
            begin = _run_start(done)
            done[begin:] = [Group("(", ["AddUnits ", *done[begin:]], ")")]
        elif node == "1":
            done.append(node if _is_counted(done, nodes, at) else "0")
        elif _is_name(node):
            done.append(rename(node))
        else:
            done.append(_ADDITIVE.get(node, node))
    return done


def _is_counted(done: list[Node], nodes: list[Node], at: int) -> bool:
    """Whether a `1` is a number beside a `+`, or said to be one: such are not translated."""
    after = [each for each in nodes[at : at + 4] if not _is_space(each)]
    before = next((each for each in reversed(done[-2:]) if not _is_space(each)), "")
    original = next((each for each in reversed(nodes[max(at - 3, 0) : at - 1]) if not _is_space(each)), "")
    if (before == "+" and original == "+") or (after and after[0] in ("+", "-")) or original == "-":
        return True
    return len(after) > 1 and after[0] == ":" and after[1] in ("ℕ", "ℤ", "ℝ", "ℂ", "ℚ")


def _stripped(nodes: list[Node]) -> list[Node]:
    begin, end = 0, len(nodes)
    while begin < end and _is_space(nodes[begin]):
        begin += 1
    while end > begin and _is_space(nodes[end - 1]):
        end -= 1
    return nodes[begin:end]


def _turn(nodes: list[Node], rename: Rename, cut: int = 0) -> list[Node]:
    while cut < len(_CUTS) and _CUTS[cut] not in nodes:
        cut += 1
    if cut < len(_CUTS):
        done: list[Node] = []
        piece: list[Node] = []
        for node in nodes:
            if node == _CUTS[cut]:
                done += [*_turn(piece, rename, cut + 1), node]
                piece = []
            else:
                piece.append(node)
        return done + _turn(piece, rename, cut + 1)
    relations = [at for at, node in enumerate(nodes) if isinstance(node, str) and node in _SWAPPED]
    if len(relations) == 1 and not {"∀", "∃", "⨆", "⨅", "∑", "∏", "fun"}.intersection(map(str, nodes[: relations[0]])):
        at = relations[0]
        begin = next((i for i, node in enumerate(nodes) if not _is_space(node)), 0)
        if nodes[begin] == "¬":
            begin += 1
        left, right = nodes[begin:at], nodes[at + 1 :]
        if not left or not right:
            return [_turned(node, rename) for node in nodes]
        return [*nodes[:begin], " ", *_turn(right, rename), " ", nodes[at], " ", *_turn(left, rename), " "]
    for sign, turned in _CHAINS.items():
        if sign not in nodes:
            continue
        pieces: list[list[Node]] = [[]]
        for node in nodes:
            if node == sign:
                pieces.append([])
            else:
                pieces[-1].append(node)
        joined: list[Node] = []
        for piece in reversed(pieces):
            joined += [f" {turned} " if joined else " ", *_turn(_stripped(piece), rename)]
        return [*joined, " "]
    return [_FLIPPED.get(each, each) if isinstance(each := _turned(node, rename), str) else each for node in nodes]


def _turned(node: Node, rename: Rename) -> Node:
    if isinstance(node, Group):
        inside = node.inside
        if node.opening == "{" and "|" in inside:  # {x | p}
            bar = inside.index("|")
            turned = [*_turn(inside[:bar], rename), "|", *_turn(inside[bar + 1 :], rename)]
        else:
            turned = _turn(_stripped(inside), rename)
        return Group(node.opening, _stripped(turned), node.closing)
    return rename(node) if _is_name(node) else _DUAL.get(node, node)
