"""What may be used at one point of a term search: facts by their type, rules with premises, things to split.

A fact is put in with everything that follows from its shape alone: the parts of a conjunction, both directions of
an equivalence, an equation the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tacit.server.tactics import lexer, matching, shape
from tacit.server.tactics.names import binder_name, proof_name
from tacit.server.tactics.shape import Binder, Shape
from tacit.server.tactics.view import View, fresh


@dataclass(frozen=True, slots=True)
class Rule:
    """A proof with premises: `term` is applied to the first `layout[0]` binders, then `.mp` or `.1` follows, …"""

    term: str
    binders: tuple[Binder, ...]
    conclusion: str
    layout: tuple[int | str, ...]

    def apply(self, arguments: list[str]) -> str:
        """The term on arguments, one a binder; an empty argument is implicit."""
        text, at = self.term, 0
        for part in self.layout:
            if isinstance(part, str):
                text = f"{lexer.argument(text)}{part}"
            else:
                given = [lexer.argument(a) for a in arguments[at : at + part] if a]
                text, at = (f"{lexer.argument(text)} {' '.join(given)}" if given else text), at + part
        return text


@dataclass(slots=True)
class Scope:
    """What may be used at one point of the search."""

    exact: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    splits: list[tuple[str, Shape]] = field(default_factory=list)
    data: list[tuple[str, str]] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    path: frozenset[str] = frozenset()

    def copy(self) -> Scope:
        """A scope to extend without touching this one; goals met so far may be met again with more facts."""
        return Scope(
            dict(self.exact), dict(self.types), list(self.rules), list(self.splits), list(self.data), set(self.taken)
        )

    def under(self, goal: str) -> Scope:
        """The same facts below a goal."""
        return replace(self, path=self.path | {goal})

    def variable(self, name: str, text: str) -> None:
        """Put in a bound variable; its type may be unknown (empty)."""
        self.data.append((name, text))
        if text:
            self.add(name, text)

    def take(self, text: str, view: View) -> str:
        """Put in a new proof of `text`, taken apart when it is `∧` or `∃`; the pattern that binds it."""
        read = shape.meaning(text)
        if read.op == "∧":
            left, right = self.take(read.left, view), self.take(read.right, view)
            return f"⟨{left}, {right[1:-1] if right.startswith('⟨') else right}⟩"
        if read.op == "∃" and read.binders:
            names = {binder.name: binder_name(binder, view, self.taken) for binder in read.binders}
            for binder in read.binders:
                self.variable(names[binder.name], binder.type)
            rest = self.take(shape.substitute(read.right, names), view)
            return f"⟨{', '.join(names.values())}, {rest[1:-1] if rest.startswith('⟨') else rest}⟩"
        name = fresh(proof_name(text), self.taken)
        self.taken.add(name)
        self.add(name, text)
        return name

    def witnesses(self, binder: Binder, body: str) -> list[str]:
        """Terms that an `∃` might be about: what matches one of its conjuncts, then variables of its type."""
        found: list[str] = []
        conjuncts = [body]
        while (read := shape.read(conjuncts[-1])).op in {"∧", "∃"}:
            conjuncts[-1:] = [read.left, read.right] if read.op == "∧" else [read.right]
        for conjunct in conjuncts:
            equation = shape.read(conjunct)
            if equation.op == "=":
                for side, other in ((equation.left, equation.right), (equation.right, equation.left)):
                    if side == binder.name and binder.name not in lexer.identifiers(other):
                        found.append(other)
            for key in self.exact:
                bound = matching.match(conjunct, self.types[key], [binder.name])
                if bound and binder.name in bound:
                    found.append(bound[binder.name])
            for rule in self.rules:
                bound = matching.match(conjunct, rule.conclusion, [binder.name]) or {}
                witness = bound.get(binder.name, "")
                if witness and not lexer.identifiers(witness) & {b.name for b in rule.binders}:
                    found.append(witness)
        found.extend(name for name, of in self.data if not (binder.type and of) or lexer.same(of, binder.type))
        return list(dict.fromkeys(found))[:5]

    def lemma(self, name: str, text: str) -> None:
        """Put in a lemma: a fact, or a rule in which a binder that nothing depends on is a premise."""
        binders, conclusion = shape.telescope(text, negation=True)
        if not binders:
            self.add(name, text)
            return
        later = [*(binder.type for binder in binders), conclusion]
        used = frozenset().union(*(lexer.identifiers(text) for text in later))
        premises = (b if not b.name or b.name in used or not b.explicit else replace(b, name="") for b in binders)
        self.rules.extend(_rules(name, tuple(premises), conclusion, (len(binders),)))

    def of_type(self, text: str) -> list[str]:
        """The variables of a type."""
        return [name for name, of in self.data if lexer.same(of, text)]

    def add(self, term: str, text: str) -> None:
        """Put in a fact and what follows from its shape alone."""
        key = lexer.canonical(text)
        if key in self.exact:
            return
        self.exact[key], self.types[key] = term, text
        read = shape.meaning(text)
        if read.op == "∧":
            self.add(f"{lexer.argument(term)}.1", read.left)
            self.add(f"{lexer.argument(term)}.2", read.right)
        elif read.op in {"=", "≠"}:
            swapped = f"{read.right} {read.op} {read.left}"
            self.exact.setdefault(lexer.canonical(swapped), f"{lexer.argument(term)}.symm")
            self.types.setdefault(lexer.canonical(swapped), swapped)
        if read.op == "∨" or (read.op == "∃" and read.binders):
            self.splits.append((term, read))
        if read.op in {"→", "∀", "¬", "≠", "↔"}:
            binders, conclusion = shape.telescope(text, negation=True)
            self.rules.extend(_rules(term, binders, conclusion, (len(binders),) if binders else ()))


def _rules(term: str, binders: tuple[Binder, ...], conclusion: str, layout: tuple[int | str, ...]) -> Iterator[Rule]:
    """A rule for each way to use a conclusion: `∧` and `↔` give two."""
    read = shape.meaning(conclusion)
    if read.op == "∧" and len(layout) < 6:
        yield from _rules(term, binders, read.left, (*layout, ".1"))
        yield from _rules(term, binders, read.right, (*layout, ".2"))
    elif read.op == "↔" and len(layout) < 6:
        for name, premise, result in ((".mp", read.left, read.right), (".mpr", read.right, read.left)):
            more, end = shape.telescope(result, negation=True)
            yield from _rules(term, (*binders, Binder("", premise), *more), end, (*layout, name, 1 + len(more)))
    elif binders:
        yield Rule(term, binders, conclusion, layout)
