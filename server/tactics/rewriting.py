"""Finds chains of rewrites that make both sides of an equation the same: `rw [← mul_assoc, inv_mul, one_mul]`.

A best-first search on trees, with a budget of steps. It follows what `rw` does: the first instance of the pattern,
outermost first and from the left, fixes what the rule's variables are, and all instances of that are rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import TypeGuard

from tacit.server.tactics import lexer, shape, trees
from tacit.server.tactics.shape import Binder
from tacit.server.tactics.trees import Tree

_EXPANDED = 80  # trees to look at: some 30 ms at worst
_LONGEST = 5
_GROWTH = 10
_PER_STEP = 6  # how many names and operators a further rewrite must save to be as likely


@dataclass(frozen=True, slots=True)
class Rule:
    """One direction of an equation: a pattern, what is put for it, and how it is written for `rw`."""

    text: str
    pattern: Tree
    result: Tree
    unknowns: frozenset[str]
    explicit: tuple[str, ...]

    def on(self, bound: dict[str, Tree]) -> str:
        """The rule with its explicit arguments written out."""
        values = [lexer.argument(trees.write(bound[name])) if name in bound else "_" for name in self.explicit]
        return " ".join([self.text, *values])


def directions(name: str, binders: Sequence[Binder], conclusion: str) -> Iterator[Rule]:
    """Both directions of an equation, as far as `rw` can take them."""
    read = shape.read(conclusion)
    left, right = trees.parse(read.left), trees.parse(read.right)
    if read.op not in {"=", "↔"} or left is None or right is None:
        return
    unknowns = frozenset(binder.name for binder in binders if binder.name)
    explicit = tuple(binder.name for binder in binders if binder.explicit)
    for text, pattern, result in ((name, left, right), (f"← {name}", right, left)):
        variable = isinstance(pattern, str) and pattern in unknowns
        if not variable and (trees.names(result) & unknowns) <= trees.names(pattern):
            yield Rule(text, pattern, result, unknowns, explicit)


def chain(target: str, known: Iterable[Rule]) -> str | None:
    """What makes both sides of the target the same, as it stands in `rw [...]`; None when nothing is found."""
    start = trees.parse(target)
    rules_ = list(known)
    if start is None or not _relates(start) or not rules_:
        return None
    limit = trees.size(start) + _GROWTH
    number = count()
    queue: list[tuple[int, int, Tree, tuple[str, ...]]] = [(0, next(number), start, ())]
    seen = {start}
    for _ in range(_EXPANDED):
        if not queue:
            return None
        _, _, tree, steps = heappop(queue)
        for text, after in _rewrites(tree, rules_):
            if after in seen or not _relates(after) or trees.size(after) > limit:
                continue
            if after[1] == after[2]:
                return ", ".join([*steps, text])
            seen.add(after)
            if len(steps) + 1 < _LONGEST:
                cost = _distance(after[1], after[2]) + _PER_STEP * (len(steps) + 1)
                heappush(queue, (cost, next(number), after, (*steps, text)))
    return None


def _relates(tree: Tree) -> TypeGuard[tuple[Tree, Tree, Tree]]:
    """Whether it is an equation or equivalence: a rewrite may have changed that."""
    return not isinstance(tree, str) and tree[0] in {"=", "↔"} and len(tree) == 3


def _rewrites(tree: Tree, known: Sequence[Rule]) -> Iterator[tuple[str, Tree]]:
    """Every single rewrite of a tree, with its text: the arguments are given where `rw` would take another instance."""
    for rule in known:
        found: list[Tree] = []
        for part in trees.parts(tree):
            bound = trees.fit(rule.pattern, part, rule.unknowns, {})
            if bound is None or part in found:
                continue
            text = rule.on(dict(bound)) if found else rule.text
            found.append(part)
            yield text, trees.replaced(tree, part, trees.instance(rule.result, bound))


def _distance(left: Tree, right: Tree) -> int:
    """How much of two trees differs."""
    if left == right:
        return 0
    if isinstance(left, str) or isinstance(right, str) or len(left) != len(right) or left[0] != right[0]:
        return trees.size(left) + trees.size(right)
    return sum(_distance(one, two) for one, two in zip(left, right, strict=True))
