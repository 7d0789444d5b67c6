"""Tactics made from the definitions, laws and theorems that stand above in the same file.

A theorem above may be unfinished, and a close that rests on it is refused: what uses only definitions and the
fields of classes is therefore offered by itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from tacit.server.tactics import lexer, matching, shape
from tacit.server.tactics.brackets import Rules, constructors, rules_for
from tacit.server.tactics.facts import Scope
from tacit.server.tactics.names import introduced
from tacit.server.tactics.offers import Offer, batches
from tacit.server.tactics.precedence import printed
from tacit.server.tactics.recursion import Types, types_of
from tacit.server.tactics.rewriting import chain, directions
from tacit.server.tactics.source import SourceRequest
from tacit.server.tactics.statements import Above, Statement, names
from tacit.server.tactics.terms import TermSearch
from tacit.server.tactics.view import Local, View
from tacit.server.values import Candidate

_LIMIT = 64
_STEPS = 800  # of each search for a proof term: there may be eight
_VARIABLES, _UNFOLDED, _TOGETHER, _TERMS, _ALONE = 4, 5, 10, 12, 16


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
    return introduced(View(replace(view.goal, target=target)))


def _offers(above: Above, view: View, request: SourceRequest) -> Iterator[Offer]:
    types = types_of(request.above)
    plain = "omega" not in request.known
    order = view.shape.op in {"<", "≤", ">", "≥"}
    yield from _simplify(rules_for(above, view, above.goal_words, plain, order), above, view)
    variables = _variables(above, view, types)
    met = above.goal_words | constructors((lexer.head(x.type) for x, _ in variables), types)
    yield from _recurse(rules_for(above, view, met, plain, order), variables, above, view)
    yield from _enumerate(variables, above)
    yield from _predicates(above, view)
    yield from _unfold(above, view)
    yield from _terms(above, view)
    yield from _rewrites(above, view)
    yield from _one_by_one(above, view)


def _simplify(rules: Rules, above: Above, view: View) -> Iterator[Offer]:
    """`simp` and its kin with all that the goal speaks of."""
    sets = rules.sets()
    for brackets in sets:
        yield Offer(f"simp [{brackets.text}]", 0.8 * brackets.weight)
        yield Offer(f"simp_all [{brackets.text}]", 0.78 * brackets.weight)
    unfolded = ", ".join(s.name for s in rules.definitions if s.name in above.propositions)
    if unfolded:
        yield Offer(f"simp_all [{unfolded}]", 0.77)
    for first in sets[:1]:
        yield Offer(f"grind [{first.text}]", 0.9)
        yield Offer(f"simp [{first.text}] <;> omega", 0.6)
        yield Offer(f"simp_all [{first.text}] <;> omega", 0.58)
    for brackets in (sets[:2][-1], sets[-1]) if sets and "++" in above.target_words else ():
        # The first `simp` moves what a list of the library does out of the way of the definitions.
        yield Offer(f"simp <;> simp_all [{brackets.text}]", 0.64)
    for definition in _branching(rules.definitions):
        # An `if` or `match` in the value: a case for each branch.
        yield Offer(f"simp only [{definition.name}] <;> split <;> simp_all [{sets[-1].text}]", 0.5)
        yield Offer(f"unfold {definition.name} <;> split <;> simp_all [{sets[-1].text}]", 0.5)
        yield Offer(f"unfold {definition.name} <;> grind", 0.5)
    laws = ", ".join(rules.backwards)
    for local in reversed(view.proofs):
        if laws and local.shape.op in {"=", "≤", "<", "↔"}:
            yield Offer(f"simp [{laws}] at {local.name}\nexact {local.name}", 0.6)
            yield Offer(f"simpa [{laws}] using {local.name}", 0.62)


def _branching(definitions: Sequence[Statement]) -> list[Statement]:
    return [s for s in definitions if {"if", "match"} & s.value_words][:2]


def _variables(above: Above, view: View, types: Types) -> list[tuple[Local, bool]]:
    """The variables of the target to recurse on or split, likeliest first, and whether their type is recursive."""
    words = [word.text for word in lexer.tokens(above.plain(view.target))]
    labels = {s.label for s in above.definitions}
    likely: dict[str, int] = {}
    for before, word in pairwise(words):
        # A function of the file is applied to it; `+` recurses on its right, `++` on its left.
        likely[word] = likely.get(word, 0) + (before in labels) + (before in {"+", "*", "^"})
        likely[before] = likely.get(before, 0) + (word == "++")
    found = []
    for local in view.data:
        head = lexer.head(local.type)
        own = above.types.get(head)
        if local.name in view.words and (head in types or (own is not None and own.kind != "class")):
            known = () if own is not None else types.get(head, ())
            found.append((local, above.recursive(head) or any("" in constructor.fields for constructor in known)))
    return sorted(found, key=lambda each: (not each[1], -likely.get(each[0].name, 0)))[:_VARIABLES]


def _in_induction(view: View) -> bool:
    """Whether an induction hypothesis is there: another induction inside is seldom meant."""
    return any(name.startswith("ih") or "_ih" in name for name in view.types)


def _recurse(rules: Rules, variables: list[tuple[Local, bool]], above: Above, view: View) -> Iterator[Offer]:
    """Induction and cases, each branch by `simp_all` with the definitions."""
    sets = rules.sets()
    for at, (local, recursive) in enumerate(variables):
        name = local.name
        weight = (0.65 if _in_induction(view) else 1.0) - 0.1 * at
        others = " ".join(x.name for x, _ in variables if x.name != name)
        yield Offer(f"cases {name} <;> rfl", 0.5 * weight)
        for brackets in sets[:2]:
            yield Offer(f"cases {name} <;> simp_all [{brackets.text}]", 0.6 * weight * brackets.weight)
        if not recursive or not sets:
            continue
        for brackets in sets if not view.loops else ():
            fits = weight * brackets.weight
            yield Offer(f"induction {name} <;> simp_all [{brackets.text}]", 0.76 * fits)
            if others:
                yield Offer(f"induction {name} generalizing {others} <;> simp_all [{brackets.text}]", 0.5 * fits)
        yield Offer(f"induction {name} <;> grind [{sets[0].text}]", 0.88 * weight)
        yield Offer(f"induction {name} <;> simp_all [{sets[0].text}] <;> omega", 0.74 * weight)
        if others:
            yield Offer(f"induction {name} generalizing {others} <;> grind [{sets[0].text}]", 0.7 * weight)
        for brackets in (sets[:2][-1], sets[-1]) if "++" in above.target_words else ():
            yield Offer(f"induction {name} <;> (try simp) <;> simp_all [{brackets.text}]", 0.66 * weight)
        for definition in _branching(rules.definitions):
            cut = f"simp only [{definition.name}] <;> (try split)"
            yield Offer(f"induction {name} <;> {cut} <;> simp_all [{sets[-1].text}]", 0.5 * weight)


def _enumerate(variables: list[tuple[Local, bool]], above: Above) -> Iterator[Offer]:
    """All cases of all variables that have but a few values each."""
    heads = [(local.name, lexer.head(local.type)) for local, _ in variables]
    small = [f"cases {name}" for name, head in heads if head == "Bool" or above.plain_values(head)]
    if len(small) > 1:
        yield Offer(" <;> ".join([*small, "rfl"]), 0.62)
        yield Offer(" <;> ".join([*small, "simp_all"]), 0.6)


def _predicates(above: Above, view: View) -> Iterator[Offer]:
    """Induction on proofs of inductive predicates, and the constructors of the one in the target as rules."""
    own = {s.owner: s.label for s in above.rules}
    owners = {name.rpartition(".")[2] for name in own} | set(own)
    rules = [s for s in above.rules if s.owner.rpartition(".")[2] in above.goal_words]
    texts = [", ".join(names([*rules, *above.definitions], _TOGETHER))] if rules else []
    if rules and "+" in above.goal_words:
        texts.append(f"{texts[0]}, ← Nat.add_assoc")  # so that `m + (n + 2)` is of the form `k + 2`
    if lexer.head(view.target) in owners:
        yield Offer("constructor <;> assumption", 0.45)
        for text in texts:
            yield Offer(f"simp_all [{text}]", 0.6)
            yield Offer(f"constructor <;> simp_all [{text}]", 0.4)
    for local in reversed(view.proofs):
        if lexer.head(local.type) not in owners:
            continue
        yield Offer(f"cases {local.name} <;> assumption", 0.4)
        for text in texts:
            yield Offer(f"induction {local.name} <;> simp_all [{text}]", 0.62)
            yield Offer(f"cases {local.name} <;> simp_all [{text}]", 0.55)
            yield Offer(f"induction {local.name} <;> grind [{text}]", 0.7)
            yield Offer(f"cases {local.name} <;> grind [{text}]", 0.6)


def _unfold(above: Above, view: View) -> Iterator[Offer]:
    """`unfold d` and `simp only [d]`, here and in the hypotheses."""
    for definition in above.definitions[:_UNFOLDED]:
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
    sure = [(s.name, above.plain(s.type)) for s in (*above.facts(view), *above.laws, *above.rules)]
    theorems = [(s.name, above.plain(s.type)) for s in above.theorems[:_TERMS]]
    for facts, prior in ((sure, 0.9), ([*sure, *theorems] if theorems else [], 0.86)):
        for target in targets if facts else ():
            read = View(replace(view.goal, hypotheses=hypotheses, target=target))
            for term in _Search(read, facts, _STEPS).terms():
                yield Offer(f"exact {term}", prior)


def _rewrites(above: Above, view: View) -> Iterator[Offer]:
    """Chains of `rw` that make both sides the same: by hypotheses and laws, then by theorems too."""
    target = above.plain(view.target)
    local = [Statement(x.name, "fact", *shape.telescope(above.plain(x.type))) for x in view.proofs]
    sure = [*local, *above.facts(view), *above.laws]
    theorems = above.theorems[:_TERMS]
    for statements, prior in ((sure, 0.84), ([*sure, *theorems] if theorems else [], 0.82)):
        found = chain(target, (r for s in statements for r in directions(s.name, s.binders, above.plain(s.conclusion))))
        if found is not None:
            yield Offer(f"rw [{found}]", prior)


def _one_by_one(above: Above, view: View) -> Iterator[Offer]:
    """What one law or theorem does alone."""
    for statement in [*above.laws, *above.rules, *above.theorems][:_ALONE]:
        weight = 0.4 + 0.6 * above.relevance(statement)
        yield from (Offer(text, prior * weight) for text, prior in _alone(above, statement, view))


def _alone(above: Above, statement: Statement, view: View) -> Iterator[Offer]:
    name = statement.name
    conclusion = above.plain(statement.conclusion)
    if matching.match(conclusion, above.plain(view.target), statement.unknowns) is not None:
        # Without a match by text, Lean would compute on both sides to make them equal, perhaps for long.
        explicit = " _" * sum(binder.explicit for binder in statement.binders)
        yield Offer(f"exact {name}{explicit}", 0.5)
        yield Offer(f"apply {name} <;> assumption", 0.55)
        yield Offer(f"apply {name} <;> simp_all", 0.45)
        yield Offer(f"apply {name}", 0.5)
    elif statement.equation is None and lexer.head(conclusion) == lexer.head(view.target):
        same = statement.shape.op == view.shape.op
        yield Offer(f"apply {name} <;> assumption", 0.45 if same else 0.2)
        yield Offer(f"apply {name}", 0.35 if same else 0.15)
    if statement.equation is not None:
        yield Offer(f"rw [{name}]", 0.5)
        yield Offer(f"rw [← {name}]", 0.4)
        yield Offer(f"simp [{name}]", 0.3)
