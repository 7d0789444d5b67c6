"""Tactics made from the lemmas that stand above in the same file, unsaved ones included.

Only the text of their statements is known; auto-bound names are taken to be what such names usually are, a Greek
or single letter that nothing binds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from tacit.server.tactics import lexer, matching, shape
from tacit.server.tactics.offers import Offer, batches
from tacit.server.tactics.precedence import printed
from tacit.server.tactics.recursion import Types, is_inductive, types_of
from tacit.server.tactics.shape import Binder, Shape
from tacit.server.tactics.source import SourceRequest
from tacit.server.tactics.terms import TermSearch
from tacit.server.tactics.view import View
from tacit.server.values import Candidate

_LIMIT = 40
_LEMMAS = 12
_TOGETHER = 16
_KINDS = frozenset({"theorem", "lemma", "axiom", "constructor"})


@dataclass(frozen=True)
class Lemma:
    """A declaration above, read."""

    name: str
    statement: str

    @cached_property
    def binders(self) -> tuple[Binder, ...]:
        """Its binders, those that Lean binds by itself included."""
        written = shape.telescope(self.statement)[0]
        bound = {binder.name for binder in written}
        free = sorted(lexer.identifiers(self.statement) - bound)
        automatic = (name for name in free if len(name.rstrip("'₀₁₂₃₄₅₆₇₈₉")) == 1)
        return (*(Binder(name, "", explicit=False) for name in automatic), *written)

    @cached_property
    def conclusion(self) -> str:
        """What it proves."""
        return shape.telescope(self.statement)[1]

    @cached_property
    def shape(self) -> Shape:
        """The top of its conclusion."""
        return shape.read(self.conclusion)

    @cached_property
    def unknowns(self) -> frozenset[str]:
        """The names that stand for anything."""
        return frozenset(binder.name for binder in self.binders if binder.name)

    @cached_property
    def simplifies(self) -> bool:
        """Whether `simp` may have it without running for ever, as far as the text tells.

        Not so an equation with an instance of its left side on the right (`a + b = b + a`, `succ n = n + succ 0`),
        nor one that anything matches (`a = a + 0`).
        """
        if self.shape.op in {"≠", "¬"}:
            return True
        left, right = self.shape.left, self.shape.right
        return (
            self.shape.op in {"=", "↔"}
            and left not in self.unknowns
            and not matching.occurs(left, right, self.unknowns)
        )

    def relevance(self, words: Set[str]) -> float:
        """How many of its words are among `words`, in [0, 1]."""
        own = {word.text for word in lexer.tokens(self.conclusion)} - self.unknowns - set("()[],:")
        telling = own - shape.RELATIONS
        return len(own & words) / len(own) if telling else 0.2


class FileLemmas:
    """Proposes the lemmas above: as terms with their arguments, to apply, to rewrite and simplify with."""

    def __init__(self, limit: int = _LIMIT, name: str = "lemmas") -> None:
        self._limit = limit
        self._name = name

    @property
    def name(self) -> str:
        """The name shown beside a suggestion."""
        return self._name

    async def candidates(self, request: SourceRequest) -> AsyncIterator[Sequence[Candidate]]:
        """Yield the offers that this environment parses, likeliest first."""
        view = View(request.goal)
        types = types_of(request.above)
        lemmas = [
            Lemma(each.name, printed(shape.statement(each.signature)))
            for each in reversed(request.above)
            if each.kind in _KINDS and each.name != request.declaration and shape.statement(each.signature)
        ]
        offers = chain(_each(lemmas, view), _together(lemmas, view, types))
        for batch in batches(offers, request, self._name, self._limit):
            yield batch


def _each(lemmas: Sequence[Lemma], view: View) -> Iterator[Offer]:
    """What the lemmas most like the target do alone, and the terms they make."""
    target = {word.text for word in lexer.tokens(view.target)}
    near = sorted(lemmas, key=lambda lemma: -lemma.relevance(target))[:_LEMMAS]
    for term in TermSearch(view, [(lemma.name, _typed(lemma)) for lemma in near], steps=800).terms():
        yield Offer(f"exact {term}", 0.95)
    for lemma in near:
        weight = 0.5 + 0.5 * lemma.relevance(target)
        for text, prior in _alone(lemma, view):
            yield Offer(text, prior * weight)


def _together(lemmas: Sequence[Lemma], view: View, types: Types) -> Iterator[Offer]:
    """`simp [l₁, l₂, …]` with what speaks of the goal, and of the constructors that an induction brings in."""
    variables = [x for x in view.data if x.name in view.words and is_inductive(x.type, view)]
    words = {word.text for text in (view.target, *(x.type for x in view.proofs)) for word in lexer.tokens(text)}
    for local in variables:
        for constructor in types.get(lexer.head(local.type), ()):
            words |= {constructor.name, f".{constructor.name}"}
    near = sorted((lemma for lemma in lemmas if lemma.relevance(words) > 0.6), key=lambda x: -x.relevance(words))
    rules = [lemma.name for lemma in near if lemma.simplifies][:_TOGETHER]
    if rules:
        brackets = ", ".join(rules)
        yield Offer(f"simp [{brackets}]", 0.7)
        yield Offer(f"simp_all [{brackets}]", 0.66)
        for local in variables:
            if not view.loops:
                yield Offer(f"induction {local.name} <;> simp_all [{brackets}]", 0.68)
            yield Offer(f"cases {local.name} <;> simp_all [{brackets}]", 0.5)
    if near:
        brackets = ", ".join(lemma.name for lemma in near[:_TOGETHER])
        yield Offer(f"grind [{brackets}]", 0.75)
        for local in variables:
            yield Offer(f"induction {local.name} <;> grind [{brackets}]", 0.7)


def _alone(lemma: Lemma, view: View) -> Iterator[Offer]:
    """What one lemma can do."""
    name = lemma.name
    if matching.match(lemma.conclusion, view.target, lemma.unknowns) is not None:
        yield Offer(f"exact {name} ..", 0.6)
        yield Offer(f"apply {name}", 0.85)
        yield Offer(f"apply {name} <;> assumption", 0.8)
        yield Offer(f"apply {name} <;> simp_all", 0.6)
    elif lemma.shape.op not in {"=", "↔"} and lemma.shape.op == view.shape.op:
        yield Offer(f"apply {name}", 0.3)
    if lemma.shape.op in {"=", "↔"}:
        for arrow, side, prior in (("", lemma.shape.left, 0.75), ("← ", lemma.shape.right, 0.5)):
            if matching.occurs(side, view.target, lemma.unknowns):
                yield Offer(f"rw [{arrow}{name}]", prior if len(lexer.tokens(side)) > 1 else 0.1)
        if lemma.simplifies:
            yield Offer(f"simp [{name}]", 0.4)


def _typed(lemma: Lemma) -> str:
    """The statement with its automatic binders written out."""
    written = set(lemma.binders) - set(shape.telescope(lemma.statement)[0])
    names = sorted(binder.name for binder in written)
    return f"∀ {' '.join('{' + name + ' : _}' for name in names)}, {lemma.statement}" if names else lemma.statement
