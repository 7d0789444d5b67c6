"""What goes into the brackets of `simp [...]`: the definitions, laws and theorems above that a goal calls for.

Only rules that can apply are taken, as far as the words of the goal tell: the fewer, the easier to read. Rules that
could undo each other are never taken together: `simp` would run for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from tacit.server.tactics.recursion import Types
from tacit.server.tactics.statements import Above, Statement
from tacit.server.tactics.view import View

_DEFINITIONS, _LAWS, _EQUATIONS = 6, 12, 5
_ROUNDS = 3
# The largest numerals with which `simp` is to count: it goes down from them one by one.
_FACTOR, _SUMMAND = 3, 20
_COUNTED = frozenset({"Nat", "ℕ", "length", "succ"})
# Where there is no `omega`, `simp` does the sums.
_SUMS = ("Nat.add_succ", "Nat.succ_add", "Nat.add_comm", "Nat.add_assoc", "Nat.add_left_comm")
# With products, `Nat.add_comm` together with `Nat.add_assoc` can run for ever on a Lean of 2021.
_EXPAND = ("Nat.add_succ", "Nat.succ_add", "Nat.mul_succ", "Nat.succ_mul", "Nat.mul_add", "Nat.add_mul", "Nat.mul_comm")
_PRODUCTS = (*_EXPAND, "Nat.mul_assoc", "Nat.mul_left_comm", "Nat.add_assoc", "Nat.add_left_comm")
_TURNED = (*_EXPAND, "Nat.add_comm", "Nat.add_left_comm")
_ORDER = ("Nat.mul_pos", "Nat.zero_lt_succ", "Nat.succ_le_succ", "Nat.le_step")
_LISTS = ("List.append_assoc",)
# How the values of these types are printed, beside the names of their constructors.
_PRINTED = {"Nat": ("0", "1", "+"), "ℕ": ("0", "1", "+"), "List": ("::", "++")}


@dataclass(frozen=True, slots=True)
class Brackets:
    """Rules for `simp` and how likely they are the right ones, in (0, 1]."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that a goal calls for, by kind, and sets of the library's rules for what is computed in it."""

    definitions: tuple[Statement, ...]
    laws: tuple[Statement, ...]
    equations: tuple[Statement, ...]
    library: tuple[tuple[str, ...], ...]

    def sets(self) -> list[Brackets]:
        """The sets worth trying. The library's rules come last: they may spoil what the laws do, and cost most."""
        own = [s.name for s in (*self.definitions, *self.laws)]
        equations = [s.name for s in self.equations]
        back = [s.name for s in self.definitions] + self.backwards
        options = [(own or equations, 1.0), (back, 0.9), ([*own, *equations], 0.92)]
        for at, library in enumerate(self.library):
            options.append(([*own, *library] if own else [], 0.95 - 0.15 * at))
            options.append(([*own, *equations, *library] if equations else [], 0.85 - 0.15 * at))
        weights: dict[str, float] = {}
        for rules, weight in options:
            weights.setdefault(", ".join(rules), weight)
        found = [Brackets(text, weight) for text, weight in weights.items() if text]
        return sorted(found, key=lambda brackets: -brackets.weight)

    @property
    def backwards(self) -> list[str]:
        """The laws, with those that move parentheses moving them to the left."""
        return [f"← {s.name}" if s.regroups else s.name for s in self.laws]


def rules_for(above: Above, view: View, words: Set[str], plain: bool, order: bool = False) -> Rules:
    """The rules for a goal with these words. `plain`: there is no `omega`; `order`: the target is a `≤` or `<`."""
    definitions, reached = _definitions(above, words)
    usable = [s for s in (*above.facts(view), *above.laws) if s.simplifies and (s.kind != "fact" or "." in s.name)]
    laws: list[Statement] = []
    for _ in range(_ROUNDS):
        laws = [s for s in usable if s.needs <= reached]
        reached = reached.union(*(s.words for s in laws))
    moved = any(s.regroups for s in laws)
    equations = [s for s in above.theorems if s.simplifies and s.needs <= reached and not (moved and s.regroups)]
    sums = _sums(reached, order, any("*" in s.words for s in laws)) if plain else []
    return Rules(
        tuple(definitions[:_DEFINITIONS]),
        tuple(laws[:_LAWS]),
        tuple(_one_way(equations)[:_EQUATIONS]),
        tuple(tuple(name for name in names if name.rpartition(".")[2] != above.own) for names in sums),
    )


def constructors(heads: Iterable[str], types: Types) -> frozenset[str]:
    """The words that an induction over these types brings into a goal."""
    found: set[str] = set()
    for head in heads:
        found.update(constructor.name for constructor in types.get(head, ()))
        found.update(_PRINTED.get(head, ()))
    return frozenset(found)


def _definitions(above: Above, words: Set[str]) -> tuple[list[Statement], frozenset[str]]:
    """The definitions that the words mention, those that these are made of, and all words of both."""
    found = [s for s in above.definitions if s.label in words]
    reached = frozenset(words)
    for _ in range(_ROUNDS):
        reached = reached.union(*(s.value_words | {s.conclusion} for s in found))
        inner = [s for s in above.defined if s.label in reached and s not in found]
        found += inner
        if not inner:
            break
    return found, reached


def _one_way(equations: Sequence[Statement]) -> list[Statement]:
    """The equations without the later one of two that rewrite in opposite directions."""
    kept: list[Statement] = []
    for equation in equations:
        if equation.equation is not None and not any(equation.equation[::-1] == other.equation for other in kept):
            kept.append(equation)
    return kept


def _sums(words: Set[str], order: bool, own_products: bool) -> list[tuple[str, ...]]:
    """Rules of the library that do the sums, in one way or another; at least for lists, if there are any."""
    rules: list[tuple[str, ...]] = []
    largest = max((int(word) for word in words if word.isdecimal()), default=0)
    products = "*" in words and not own_products
    if _COUNTED & words and largest <= (_FACTOR if products else _SUMMAND):
        rules = [_PRODUCTS, _TURNED] if products else [_SUMS]
        rules = [(*_ORDER, *_SUMS[:2])] if order else rules
    if {"++", "List"} & words:
        rules = [(*names, *_LISTS) for names in rules or [()]]
    return rules
