"""Tactics made from the definitions, laws and theorems that stand above in the same file.

A theorem above may be unfinished, and a close that rests on it is refused: what uses only definitions and the
fields of classes is therefore offered by itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace

from tacit.server.tactics import lexer, shape
from tacit.server.tactics.facts import Scope
from tacit.server.tactics.names import intro_names
from tacit.server.tactics.offers import Offer, batches
from tacit.server.tactics.precedence import printed
from tacit.server.tactics.source import SourceRequest
from tacit.server.tactics.statements import Above, Statement, names
from tacit.server.tactics.terms import TermSearch
from tacit.server.tactics.view import Local, View
from tacit.server.values import Candidate, Hypothesis

_LIMIT = 64
_STEPS = 800  # of each search for a proof term: there may be eight
_DEFINITIONS, _LAWS, _EQUATIONS, _VARIABLES, _TERMS = 5, 10, 4, 3, 12
_INDUCTIVE = frozenset("Nat ℕ List Option Bool Prod Sum Fin Array Unit".split())
_RECURSIVE = frozenset("Nat ℕ List".split())
# Where there is no `omega`, `simp` does the sums. The order of the rules of `simp` does not matter to it.
_SUMS = ("Nat.add_succ", "Nat.succ_add", "Nat.add_comm", "Nat.add_assoc", "Nat.add_left_comm")
# With products, `Nat.add_comm` can run for ever on a Lean of 2021.
_PRODUCTS = ("Nat.mul_add", "Nat.add_mul", "Nat.succ_mul", "Nat.mul_succ", "Nat.mul_comm", "Nat.add_assoc",
             "Nat.add_left_comm")  # fmt: skip
_LISTS = ("List.append_assoc",)


class _Search(TermSearch):
    """A search in which each subgoal is read as Lean prints it: what a rule puts in for a name brings parentheses."""

    def _prove(self, goal: str, scope: Scope, depth: int) -> str | None:
        return super()._prove(printed(goal), scope, depth)


class NearbyTactics:
    """Proposes what the declarations above in the file are good for: simplify, unfold, recurse, rewrite, apply."""

    def __init__(self, limit: int = _LIMIT, name: str = "file") -> None:
        self._limit = limit
        self._name = name

    @property
    def name(self) -> str:
        """The name shown beside a suggestion."""
        return self._name

    async def candidates(self, request: SourceRequest) -> AsyncIterator[Sequence[Candidate]]:
        """Yield the offers that this environment parses, likeliest first."""
        if not request.above:
            return
        view = View(request.goal)
        above = Above.read(request.above, view, request.declaration)
        offers = [*_offers(above, view, request)]
        introduced = _introduce(above, view)
        if introduced is not None:
            prefix, inner = introduced
            offers += [Offer(f"{prefix}\n{text}", prior * 0.9) for text, prior in _offers(above, inner, request)]
        for batch in batches(offers, request, self._name, self._limit):
            yield batch


def _introduce(above: Above, view: View) -> tuple[str, View] | None:
    """`intro x y h` and the goal behind it, for a target with binders or premises, by definition perhaps."""
    target = above.unfolded(view.target) or view.target
    binders, conclusion = shape.telescope(target)
    fresh = intro_names(View(replace(view.goal, target=target)))
    if not binders or len(fresh) != len(binders):
        return None
    renamed: dict[str, str] = {}
    hypotheses = list(view.goal.hypotheses)
    for binder, name in zip(binders, fresh, strict=True):
        hypotheses.append(Hypothesis((name,), shape.substitute(binder.type, renamed)))
        if binder.name and binder.name != name:
            renamed[binder.name] = name
    inner = replace(view.goal, hypotheses=tuple(hypotheses), target=shape.substitute(conclusion, renamed))
    return f"intro {' '.join(fresh)}", View(inner)


@dataclass(frozen=True, slots=True)
class _Rules:
    """Names for the brackets of `simp`: the plainest set first, each with its weight."""

    definitions: list[str]
    laws: list[str]
    back: list[str]
    equations: list[str]
    sums: tuple[str, ...]

    def sets(self) -> Iterator[tuple[str, float]]:
        """The sets worth trying. Sums come last: they may spoil what the laws do, and cost most."""
        own = [*self.definitions, *self.laws]
        options = [
            (own, 1.0),
            ([*own, *self.sums] if self.sums and own else [], 0.95),
            ([*self.definitions, *self.back] if self.back != self.laws else [], 0.9),
            ([*own, *self.equations] if self.equations else [], 0.92),
            ([*own, *self.equations, *self.sums] if self.equations and self.sums else [], 0.85),
        ]
        seen = set()
        for rules, weight in options:
            text = ", ".join(rules)
            if text and text not in seen:
                seen.add(text)
                yield text, weight


def _rules(above: Above, view: View, plain: bool) -> _Rules:
    words = above.goal_words
    laws = [s for s in above.laws if s.simplifies and s.words & words][:_LAWS]
    # Two rules that move parentheses may move them in opposite directions, for ever.
    moved = any(s.regroups for s in laws)
    equations = [s for s in above.theorems if s.simplifies and s.needs <= words and not (moved and s.regroups)]
    definitions = above.definitions[:_DEFINITIONS]
    counts = {"Nat", "ℕ", "+", "length", "*"} & (words | {s.conclusion for s in definitions})
    sums: tuple[str, ...] = ()
    if plain and counts:
        sums = _PRODUCTS if "*" in words and not any("*" in s.words for s in laws) else _SUMS
    if plain and {"++", "List"} & words:
        sums = (*sums, *_LISTS)
    return _Rules(
        [s.name for s in definitions],
        [s.name for s in laws],
        [f"← {s.name}" if s.regroups else s.name for s in laws],
        names(equations, _EQUATIONS),
        sums,
    )


def _offers(above: Above, view: View, request: SourceRequest) -> Iterator[Offer]:
    rules = _rules(above, view, plain="omega" not in request.known)
    yield from _simplify(rules, view)
    yield from _recurse(rules, above, view)
    yield from _unfold(above, view)
    yield from _terms(above, view)
    yield from _one_by_one(above, view)


def _simplify(rules: _Rules, view: View) -> Iterator[Offer]:
    """`simp` and its kin with all that the goal speaks of."""
    for brackets, weight in rules.sets():
        yield Offer(f"simp [{brackets}]", 0.8 * weight)
        yield Offer(f"simp_all [{brackets}]", 0.78 * weight)
    for brackets, weight in [*rules.sets()][:1]:
        yield Offer(f"grind [{brackets}]", 0.9 * weight)
        yield Offer(f"simp [{brackets}] <;> omega", 0.6 * weight)
    laws = ", ".join(rules.back)
    for local in reversed(view.proofs):
        if laws and local.shape.op in {"=", "≤", "<", "↔"}:
            yield Offer(f"simp [{laws}] at {local.name}\nexact {local.name}", 0.6)
            yield Offer(f"simpa [{laws}] using {local.name}", 0.62)


def _variables(above: Above, view: View) -> list[tuple[Local, bool]]:
    """The variables of the target to recurse on or split, and whether their type is recursive."""
    found = []
    for local in view.data:
        head = lexer.tokens(local.type)[0].text if local.type else ""
        own = above.types.get(head)
        if local.name in view.words and (head in _INDUCTIVE or (own is not None and own.kind != "class")):
            found.append((local, head in _RECURSIVE or (own is not None and own.kind == "inductive")))
    # What stands last in the target is most often what the recursion runs over.
    return found[:_VARIABLES]


def _recurse(rules: _Rules, above: Above, view: View) -> Iterator[Offer]:
    """Induction and cases, each branch by `simp_all` with the definitions."""
    for at, (local, recursive) in enumerate(_variables(above, view)):
        name = local.name
        weight = 1.0 - 0.03 * at
        others = " ".join(x.name for x, _ in _variables(above, view) if x.name != name)
        for brackets, fits in rules.sets():
            if recursive:
                yield Offer(f"induction {name} <;> simp_all [{brackets}]", 0.76 * weight * fits)
            yield Offer(f"cases {name} <;> simp_all [{brackets}]", 0.6 * weight * fits)
            if recursive and others:
                yield Offer(f"induction {name} generalizing {others} <;> simp_all [{brackets}]", 0.5 * weight * fits)
        for brackets, _ in [*rules.sets()][:1]:
            if recursive:
                yield Offer(f"induction {name} <;> grind [{brackets}]", 0.88 * weight)
                yield Offer(f"induction {name} <;> simp_all [{brackets}] <;> omega", 0.74 * weight)
            if recursive and others:
                yield Offer(f"induction {name} generalizing {others} <;> grind [{brackets}]", 0.7 * weight)
        for brackets, _ in [*rules.sets()][-1:]:
            if "++" in above.target_words and recursive:
                # The first `simp` moves what a list of the library does out of the way of the definitions.
                yield Offer(f"induction {name} <;> (try simp) <;> simp_all [{brackets}]", 0.6 * weight)


def _unfold(above: Above, view: View) -> Iterator[Offer]:
    """`unfold d` and `simp only [d]`, here and in the hypotheses."""
    for definition in above.definitions[:_DEFINITIONS]:
        name = definition.name
        here = definition.label in above.target_words
        if here:
            yield Offer(f"unfold {name}", 0.4)
            yield Offer(f"simp only [{name}]", 0.35)
            yield Offer(f"unfold {name} <;> omega", 0.4)
        if definition.name in above.propositions:
            yield Offer(f"simp only [{name}] at *", 0.42)
            yield Offer(f"unfold {name} at *", 0.43)


def _terms(above: Above, view: View) -> Iterator[Offer]:
    """Proof terms: with the laws and constructors alone, then with the theorems, which may be unfinished."""
    hypotheses = tuple(replace(h, type=above.plain(h.type)) for h in view.goal.hypotheses)
    targets = dict.fromkeys([above.plain(view.target), above.unfolded(view.target) or above.plain(view.target)])
    sure = [*above.facts(view), *((s.name, above.plain(s.type)) for s in (*above.laws, *above.rules))]
    theorems = [(s.name, above.plain(s.type)) for s in above.theorems[:_TERMS]]
    for facts, prior in ((sure, 0.9), ([*sure, *theorems] if theorems else [], 0.86)):
        for target in targets if facts else ():
            read = View(replace(view.goal, hypotheses=hypotheses, target=target))
            for term in _Search(read, facts, _STEPS).terms():
                yield Offer(f"exact {term}", prior)


def _one_by_one(above: Above, view: View) -> Iterator[Offer]:
    """What one law or theorem does alone."""
    for statement in [*above.laws, *above.theorems][:16]:
        weight = 0.4 + 0.6 * above.relevance(statement)
        yield from (Offer(text, prior * weight) for text, prior in _alone(statement, view))


def _alone(statement: Statement, view: View) -> Iterator[Offer]:
    name = statement.name
    explicit = " _" * sum(binder.explicit for binder in statement.binders)
    same = statement.shape.op == view.shape.op
    if same and explicit:
        yield Offer(f"exact {name}{explicit}", 0.5)
    elif same:
        yield Offer(f"exact {name}", 0.5)
    if same and statement.equation is None:
        yield Offer(f"apply {name} <;> assumption", 0.55)
        yield Offer(f"apply {name}", 0.4)
    if statement.equation is not None:
        yield Offer(f"rw [{name}]", 0.5)
        yield Offer(f"rw [← {name}]", 0.4)
        yield Offer(f"simp [{name}]", 0.3)
