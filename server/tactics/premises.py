"""Tactics made from the premises that retrieval ranks for a goal: as terms, to apply, to rewrite, to simplify with.

A premise is known by the text of its statement, a goal by what Lean prints; where the two cannot be compared by text,
the best premises are tried all the same. Without an index, or before it is open, there is nothing to propose.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace

from tacit.server.tactics import lexer, matching, shape
from tacit.server.tactics.names import introduced
from tacit.server.tactics.offers import Offer, batches
from tacit.server.tactics.precedence import printed
from tacit.server.tactics.rewriting import chain, directions
from tacit.server.tactics.source import Helpful, PremiseFinder, SourceRequest
from tacit.server.tactics.statements import Statement, statement
from tacit.server.tactics.terms import TermSearch
from tacit.server.tactics.unfolding import plain
from tacit.server.tactics.view import View
from tacit.server.values import Candidate, Declaration, Goal

ASKED = 40
"""Premises asked for: one more costs what its candidates cost."""
_LIMIT = 96
_TERMS, _CHAINED, _TOGETHER, _BLIND = 16, 24, 8, 8
_STEPS, _STEPS_ALONE = 500, 60
_ORDER = frozenset("< ≤ > ≥".split())


class PremiseTactics:
    """Proposes what retrieved premises are good for."""

    def __init__(self, finder: PremiseFinder, limit: int = _LIMIT, name: str = "premises") -> None:
        self._finder = finder
        self._limit = limit
        self._name = name

    @property
    def name(self) -> str:
        """The name shown beside a suggestion."""
        return self._name

    async def candidates(self, request: SourceRequest) -> AsyncIterator[Sequence[Candidate]]:
        """Yield the offers that this environment parses, likeliest first."""
        found = await self._finder.find(request, ASKED)
        if not found:
            return
        offers = await asyncio.to_thread(lambda: list(offers_of(found, request.goal)))
        for batch in batches(offers, request, self._name, self._limit):
            yield batch


def offers_of(found: Sequence[Helpful], goal: Goal) -> Iterator[Offer]:
    """What these premises do for a goal; and behind `intro`, where the target has something to introduce."""
    view = View(goal)
    usable = [each for each in found if each.name.split(".")[0] not in view.types]
    ordered = sorted(usable, key=lambda each: each.deprecated)  # stable: deprecated ones last
    fields = _fields([each.signature for each in ordered] + [view.everything])
    premises = [_Premise.of(each, at, len(ordered), fields) for at, each in enumerate(ordered)]
    yield from _offers(premises, view, fields)
    behind = introduced(view)
    if behind is not None:
        prefix, inner = behind
        for text, prior in _offers(premises, inner, fields):
            yield Offer(f"{prefix}\n{text}", prior * 0.85)


@dataclass(frozen=True)
class _Premise:
    """A premise, read: its statement in the form in which goals are compared, and a weight that falls with its rank."""

    name: str
    weight: float
    read: Statement
    defined: bool
    first: bool

    @classmethod
    def of(cls, each: Helpful, at: int, count: int, fields: frozenset[str]) -> _Premise:
        """The one at this rank among so many."""
        found = statement(Declaration(each.name, "theorem", printed(plain(each.signature, fields))))
        weight = 0.6 + 0.4 * (1 - at / max(count, 1))
        return cls(each.name, weight / 2 if each.deprecated else weight, found, each.defined, at < _BLIND)


def _fields(texts: Sequence[str]) -> frozenset[str]:
    """What stands behind a dot anywhere: `card` for `s.card` and `Finset.card s`, which then read alike."""
    words = (word.text for text in texts for word in lexer.tokens(text))
    return frozenset(word[1:] for word in words if word[0] == "." and word[1:2].isalpha())


def _plain_view(view: View, fields: frozenset[str]) -> View:
    hypotheses = tuple(replace(h, type=printed(plain(" ".join(h.type.split()), fields))) for h in view.goal.hypotheses)
    return View(replace(view.goal, hypotheses=hypotheses, target=printed(plain(view.target, fields))))


def _offers(premises: Sequence[_Premise], as_printed: View, fields: frozenset[str]) -> Iterator[Offer]:
    view = _plain_view(as_printed, fields)
    proved = [each for each in premises if not each.defined]
    lemmas = [(each.name, each.read.type) for each in proved[:_TERMS]]
    for term in TermSearch(view, lemmas, _STEPS).terms():
        yield Offer(f"exact {term}", 0.97)
    yield from _chains(proved, view)
    for each in premises:
        yield from (Offer(text, prior * each.weight) for text, prior in _alone(each, view))
    yield from _together(premises, view)


def _alone(each: _Premise, view: View) -> Iterator[Offer]:
    """What one premise does."""
    name, read = each.name, each.read
    if each.defined:
        if read.label in view.words:
            yield Offer(f"simp [{name}]", 0.6)
            yield Offer(f"unfold {name}", 0.4)
        elif _spoken_of(each, view):
            yield Offer(f"simp_all [{name}]", 0.5)
        return
    if _may_prove(read, view):
        for term in TermSearch(view, [(name, read.type)], _STEPS_ALONE).terms():
            if name in term:
                yield Offer(f"exact {term}", 0.95)
    yield from _applied(each, view)
    if read.equation is not None:
        yield from _rewrites(each, view)
    elif read.shape.op in {"≠", "¬"} and each.first:
        yield Offer(f"simp [{name}]", 0.4)


def _may_prove(read: Statement, view: View) -> bool:
    """Whether the conclusion is the target by text, one way round or the other, or one side of an equivalence is."""
    ways = [read.conclusion]
    if read.equation is not None:
        left, right = read.equation
        ways += [f"{right} = {left}"] if read.shape.op == "=" else [left, right]
    elif read.shape.op == "∧":
        ways += [read.shape.left, read.shape.right]
    return any(matching.match(way, view.target, read.unknowns) is not None for way in ways)


def _applied(each: _Premise, view: View) -> Iterator[Offer]:
    """The premise for the target, or the other way round, and what is left for the context."""
    name, read = each.name, each.read
    blanks = " _" * sum(binder.explicit for binder in read.binders)
    # What the conclusion does not mention is a hypothesis, mostly: no `_` stands for its proof.
    settled = all(not binder.explicit or binder.name in lexer.identifiers(read.conclusion) for binder in read.binders)
    if matching.match(read.conclusion, view.target, read.unknowns) is not None:
        if settled:
            yield Offer(f"exact {name}{blanks}", 0.9)
        if blanks:
            yield Offer(f"apply {name} <;> assumption", 0.82)
            yield Offer(f"apply {name}", 0.8)
            yield Offer(f"apply {name} <;> simp_all", 0.5)
        return
    if read.equation is not None:
        left, right = read.equation
        turned = read.shape.op == "=" and matching.match(f"{right} = {left}", view.target, read.unknowns) is not None
        if turned and settled:
            yield Offer(f"exact ({name}{blanks}).symm", 0.85)
        if read.shape.op == "↔":
            for side, way in ((left, "mpr"), (right, "mp")):
                if matching.match(side, view.target, read.unknowns) is not None:
                    use = f"({name}{blanks}).{way}" if blanks else f"{name}.{way}"
                    yield Offer(f"apply {use}", 0.7)
                    yield Offer(f"exact {use} (by assumption)", 0.6)
                    yield Offer(f"apply {use} <;> simp_all", 0.45)
        if read.shape.op != view.shape.op:
            return
    same = read.shape.op == view.shape.op and lexer.head(read.conclusion) == lexer.head(view.target)
    if same and each.first:
        # Not the same by text alone: notations and coercions are printed otherwise than they are written.
        if settled:
            yield Offer(f"exact {name}{blanks}", 0.6)
        yield Offer(f"apply {name} <;> assumption", 0.55)
        yield Offer(f"apply {name}", 0.5)


def _rewrites(each: _Premise, view: View) -> Iterator[Offer]:
    """The premise as an equation: in the target, in a hypothesis, as a rule of `simp`."""
    name, read = each.name, each.read
    assert read.equation is not None
    left, right = read.equation
    for arrow, side, prior in (("", left, 0.78), ("← ", right, 0.6)):
        fits = matching.occurs(side, view.target, read.unknowns) and len(lexer.tokens(side)) > 1
        if fits or (each.first and not arrow):
            yield Offer(f"rw [{arrow}{name}]", prior if fits else 0.4)
        if fits:
            yield Offer(f"rw [{arrow}{name}] <;> simp", prior - 0.25)
    if _simplifies(read):
        inside = matching.occurs(left, view.target, read.unknowns)
        if inside or each.first:
            yield Offer(f"simp [{name}]", 0.74 if inside else 0.45)
        if inside:
            yield Offer(f"simp only [{name}]", 0.5)
    for local in list(reversed(view.proofs))[:4]:
        if matching.occurs(left, local.type, read.unknowns) and len(lexer.tokens(left)) > 1:
            yield Offer(f"simpa [{name}] using {local.name}", 0.6)
            yield Offer(f"rw [{name}] at {local.name}", 0.35)


def _chains(premises: Sequence[_Premise], view: View) -> Iterator[Offer]:
    """Chains of `rw` that make both sides the same."""
    local = [Statement(x.name, "fact", *shape.telescope(x.type)) for x in view.proofs]
    known = [*((s.name, s.binders, s.conclusion) for s in local)]
    known += [(each.name, each.read.binders, each.read.conclusion) for each in premises[:_CHAINED]]
    found = chain(view.target, (rule for each in known for rule in directions(*each)))
    if found is not None:
        yield Offer(f"rw [{found}]", 0.93)


def _together(premises: Sequence[_Premise], view: View) -> Iterator[Offer]:
    """The best of them at once."""
    rules = [each for each in premises if (_spoken_of(each, view) if each.defined else _simplifies(each.read))]
    inside = [each for each in rules if each.defined or _occurs(each.read, view)]
    some_of_them = (_one_way(some) for some in (inside[:_TOGETHER], rules[:4], rules[:_TOGETHER]))
    sets = dict.fromkeys(", ".join(x.name for x in some) for some in some_of_them)
    for at, brackets in enumerate(each for each in sets if each):
        yield Offer(f"simp [{brackets}]", 0.8 - 0.08 * at)
        yield Offer(f"simp_all [{brackets}]", 0.7 - 0.08 * at)
    best = ", ".join(each.name for each in premises[:_TOGETHER])
    if best:
        yield Offer(f"grind [{best}]", 0.86)
    bounds = [each for each in premises if not each.defined and each.read.shape.op in _ORDER]
    if view.shape.op in _ORDER | {"="} and bounds:
        terms = ", ".join(_on_blanks(each) for each in bounds[:4])
        yield Offer(f"nlinarith [{terms}]", 0.5)
        yield Offer(f"linarith [{terms}]", 0.5)


def _one_way(rules: Sequence[_Premise]) -> list[_Premise]:
    """Without those that would undo a better one (`n + 1 = n.succ` after `n.succ = n + 1`): `simp` never ends then."""
    kept: list[_Premise] = []
    for each in rules:
        if not any(_undoes(each.read, other.read) for other in kept):
            kept.append(each)
    return kept


def _undoes(one: Statement, other: Statement) -> bool:
    """Whether an equation leads back from where another one leads."""
    if one.equation is None or other.equation is None:
        return False
    back = f"{other.equation[1]} = {other.equation[0]}"
    return matching.match(f"{one.equation[0]} = {one.equation[1]}", back, one.unknowns) is not None


def _spoken_of(each: _Premise, view: View) -> bool:
    """Whether the target or what is proved mentions a definition; `[DecidableEq α]` gives nothing to unfold."""
    return each.read.label in view.words.union(*(lexer.identifiers(local.type) for local in view.proofs))


def _simplifies(read: Statement) -> bool:
    """Whether `simp` may have it: not so with an instance of the left side on the right, where it never ends."""
    return (
        read.simplifies
        and read.equation is not None
        and read.equation[0] not in read.unknowns
        and not matching.occurs(read.equation[0], read.equation[1], read.unknowns)
    )


def _occurs(read: Statement, view: View) -> bool:
    """Whether the left side of an equation stands in the target."""
    return read.equation is not None and matching.occurs(read.equation[0], view.target, read.unknowns)


def _on_blanks(each: _Premise) -> str:
    blanks = " _" * sum(binder.explicit for binder in each.read.binders)
    return f"{each.name}{blanks}"
