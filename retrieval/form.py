"""The form of a statement as far as its text tells: conclusion, relation, what stands on both sides. Values alone.

Variables are left out, so that `a * b = b * a` and `x * y = y * x` have one form; a constant counts by its last part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 3_000
RELATIONS = (
    "↔",
    "→",
    "∨",
    "∧",
    "¬",
    "=",
    "≠",
    "≤",
    "<",
    "≥",
    ">",
    "∈",
    "∉",
    "⊆",
    "⊂",
    "∣",
    "≃",
    "≅",
    "≡",
    "∘r",
    "≈",
    "~",
)
_LEVEL = {"↔": 1, "∨": 2, "∧": 3, "¬": 4} | dict.fromkeys(RELATIONS[5:], 5)
_TOKEN = re.compile(r"[^\W\d][\w'!?✝]*(?:\.[^\W\d][\w'!?]*)*|\.[^\W\d][\w'!?]*|\d+|⁻¹|:=|\S")
_GROUP = re.compile(r"[({⦃\[]\s*([^(){}⦃⦄\[\]:]+):(?!=)")
_OPEN, _CLOSE = "([{⟨⦃‖⌊⌈", ")]}⟩⦄⌋⌉"
_BINDING = frozenset("∀ ∃ ∃! fun λ ∑ ∏ ⋃ ⋂ ⨆ ⨅ ∫ ∀ᶠ ∃ᶠ ∀ᵐ let".split())
_SILENT = frozenset("( ) [ ] { } ⟨ ⟩ ⦃ ⦄ , : . → ∀ fun λ ↦ => := | · ↑ ⇑ ↥ by in @ _ x Type Prop Sort".split())


@dataclass(frozen=True, slots=True)
class Form:
    """A statement's conclusion taken apart.

    `relation` is its main symbol, empty where there is none; `left` and `right` are the constants and symbols of its
    sides (all of them `left` without a relation), `heads` what stands first on each. `needs` are those of each
    hypothesis.
    """

    relation: str
    left: frozenset[str]
    right: frozenset[str]
    heads: tuple[str, str]
    needs: tuple[frozenset[str], ...] = ()

    @property
    def constants(self) -> frozenset[str]:
        """Those of the whole conclusion, its relation too."""
        return self.left | self.right | ({self.relation} if self.relation else frozenset())


def variables(binders: str) -> frozenset[str]:
    """The names that groups of binders bind."""
    return frozenset(name for names in _GROUP.findall(binders) for name in names.split())


@lru_cache(maxsize=1 << 14)
def form(text: str, names: frozenset[str] = frozenset()) -> Form:
    """The form of a type in which `names` are variables."""
    tokens = _TOKEN.findall(text[:LONGEST])
    known = set(names)
    needs: list[frozenset[str]] = []
    while True:
        if tokens[:1] == ["∀"] and (comma := _top(tokens, ",")) > 0:
            known |= _bound(tokens[1:comma])
            tokens = tokens[comma + 1 :]
        elif (arrow := _arrow(tokens)) > 0:
            needs.append(_constants(tokens[:arrow], known))
            tokens = tokens[arrow + 1 :]
        elif tokens[:1] == ["("] and _closing(tokens) == len(tokens) - 1:
            tokens = tokens[1:-1]
        else:
            break
    relation, at = _relation(tokens)
    if at < 0:
        left = _constants(tokens, known)
        return Form("", left, frozenset(), (_head(tokens, known), ""), tuple(needs))
    one, other = tokens[:at], tokens[at + 1 :]
    return Form(
        relation,
        _constants(one, known),
        _constants(other, known),
        (_head(one, known), _head(other, known)),
        tuple(needs),
    )


def _relation(tokens: Sequence[str]) -> tuple[str, int]:
    """The loosest relation at the top, and where it stands; -1 where there is none."""
    best, place = 9, -1
    for at, token in _outside(tokens):
        if token in _BINDING:
            # Sums bind as strongly as a product, and their own `∈` ends before the comma.
            if token in "∑∏⋃⋂⨆⨅∫" and (comma := _top(tokens[at:], ",")) > 0 and place < 0:
                rest = tokens[at + comma + 1 :]
                relation, further = _relation(rest)
                if further >= 0:
                    return relation, at + comma + 1 + further
            break
        if _LEVEL.get(token, 9) < best:
            best, place = _LEVEL[token], at
    return (tokens[place], place) if place >= 0 else ("", -1)


def _outside(tokens: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The tokens outside all brackets, with their places."""
    depth = 0
    for at, token in enumerate(tokens):
        if token in _OPEN:
            depth += 1
        elif token in _CLOSE:
            depth -= 1
        elif depth == 0:
            yield at, token


def _arrow(tokens: Sequence[str]) -> int:
    for at, token in _outside(tokens):
        if token in _BINDING or token == "↔":
            return -1
        if token == "→":
            return at
    return -1


def _top(tokens: Sequence[str], wanted: str) -> int:
    return next((at for at, token in _outside(tokens) if token == wanted), -1)


def _closing(tokens: Sequence[str]) -> int:
    depth = 0
    for at, token in enumerate(tokens):
        if token in _OPEN:
            depth += 1
        elif token in _CLOSE:
            depth -= 1
            if depth == 0:
                return at
    return -1


def _bound(tokens: Sequence[str]) -> set[str]:
    """The names in `x y : α` or `(x : α) {y : β}`."""
    found: set[str] = set()
    naming = True
    for token in tokens:
        if token in _OPEN:
            naming = True
        elif token in (":", "∈", "≤", "<", ">", "≥", "≠", "⊆"):
            naming = False
        elif token in _CLOSE:
            naming = True
        elif naming and (token[0].isalpha() or token[0] == "_"):
            found.add(token)
    return found


def _constants(tokens: Sequence[str], names: Set[str]) -> frozenset[str]:
    found: set[str] = set()
    bound: set[str] = set()
    for at, token in enumerate(tokens):
        if token in _BINDING:
            bound |= _after(tokens, at)
        if token in _SILENT:
            continue
        if token[0].isalpha() or token[0] in "_.":
            first, _, rest = token.partition(".")
            if first in names or first in bound or (len(token) == 1):
                if rest:
                    found.add(rest.rpartition(".")[2])
            else:
                found.add(token.rpartition(".")[2])
        else:
            found.add(token)
    return frozenset(found)


def _after(tokens: Sequence[str], at: int) -> set[str]:
    """The names that a binder binds: those before its `,`, `=>` or `↦` that stand before a colon."""
    end = at + 1
    while end < len(tokens) and end < at + 24 and tokens[end] not in (",", "=>", "↦"):
        end += 1
    return _bound(tokens[at + 1 : end])


def _head(tokens: Sequence[str], names: Set[str]) -> str:
    """What a side is: its loosest operator, else what is applied; `_` for a variable."""
    best, found = 99, ""
    tokens = tokens[1:-1] if tokens[:1] == ["("] and _closing(tokens) == len(tokens) - 1 else tokens
    for _, token in _outside(tokens):
        if token in _BINDING:
            found = found or token
            break
        if (level := _OPERATORS.get(token, 99)) <= best and level < 99:
            best, found = level, token
    if found or not tokens:
        return found
    first = tokens[0]
    if first.partition(".")[0] in names or (len(first) == 1 and first.isalpha()):
        rest = (
            first.rpartition(".")[2]
            if "." in first
            else next((t[1:] for t in tokens[1:2] if t[0] == "." and len(t) > 1), "")
        )
        return rest or "_"
    return first.rpartition(".")[2] or first


_OPERATORS = {
    **dict.fromkeys("+ - ∪ ++ ⊔".split(), 65), **dict.fromkeys("* / % ∩ ⊓ \\ •".split(), 70), "^": 75, "∘": 90, "≫": 80,
    "⁻¹": 95, "⊗": 70, "×": 35, "::": 67,
}  # fmt: skip


def forms_agree(premise: Form, goal: Form, context: Set[str]) -> tuple[float, ...]:
    """How a premise's form fits a goal's, as numbers from 0 to 1; see `AGREEMENT`."""
    own, wanted = premise.constants, goal.constants
    shared = own & wanted
    equation = premise.relation in ("=", "↔")
    same = premise.relation == goal.relation
    left = premise.heads[0] == goal.heads[0] and premise.heads[0] not in ("", "_")
    right = premise.heads[1] == goal.heads[1] and premise.heads[1] not in ("", "_")
    everything = wanted | context
    met = [each <= everything for each in premise.needs]
    return (
        len(shared) / len(own) if own else 0.0,
        len(shared) / len(wanted) if wanted else 0.0,
        float(same),
        float(same and left),
        float(same and right),
        float(same and own <= wanted),
        float(equation and bool(premise.left) and premise.left <= wanted),
        float(equation and bool(premise.right) and premise.right <= wanted),
        sum(met) / len(met) if met else 1.0,
        float(bool(premise.needs)),
        float(bool(premise.heads[0]) and premise.heads[0] in wanted),
    )


AGREEMENT = (
    *("covered", "covers", "relation", "left head", "right head", "whole", "left side", "right side", "needs"),
    *("has needs", "head"),
)
