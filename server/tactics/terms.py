"""Finds small proof terms by matching the printed types of the context: backward search with a budget of steps.

Covers what a person writes as `exact`: `h₂ (h₁ hp)`, `⟨h.2, h.1⟩`, `fun hp => Or.inl hp`, `absurd hp hnp`,
`h.elim (fun hp => …) (fun hq => …)`, `⟨x, hx⟩`. The search knows the connectives and nothing else (the rules of
intuitionistic natural deduction, plus symmetry and transitivity of `=`); Lean decides whether a term is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from tacit.server.tactics import lexer, matching, shape
from tacit.server.tactics.facts import Rule, Scope
from tacit.server.tactics.names import binder_name
from tacit.server.tactics.shape import Binder, Shape
from tacit.server.tactics.view import View

_STEPS = 1500  # some 20 ms at worst; a subgoal and a rule that is tried cost one each
_DEPTH = 9
_LENGTH = 240  # a longer term is right as often, but nobody wants to read it


class TermSearch:
    """One search for one goal. Deterministic; at most `steps` subgoals.

    `lemmas` are facts beside those of the context, as (name, type), the likeliest first.
    """

    def __init__(self, view: View, lemmas: Sequence[tuple[str, str]] = (), steps: int = _STEPS) -> None:
        self._view = view
        self._lemmas = lemmas
        self._budget = steps
        self._steps = 0
        self._classical = False

    def terms(self) -> tuple[str, ...]:
        """Terms for the target: one found constructively, else one by contradiction; empty when there is none."""
        scope = self._scope()
        found = self._limited(self._view.target, scope)
        if found is None:
            self._classical = True
            found = self._limited(self._view.target, scope)
        return (found,) if found and len(found) <= _LENGTH else ()

    def _scope(self) -> Scope:
        scope = Scope(taken=set(self._view.types), data=[(x.name, x.type) for x in self._view.data])
        for local in reversed(self._view.proofs):
            scope.add(local.name, local.type)
        for name, text in self._lemmas:
            scope.lemma(name, text)
        return scope

    def _limited(self, goal: str, scope: Scope) -> str | None:
        """Deepen step by step, so that the smallest proof is found first."""
        self._steps = self._budget
        for depth in range(1, _DEPTH + 1):
            found = self._prove(goal, scope, depth)
            if found is not None or self._steps <= 0:
                return found
        return None

    def _prove(self, goal: str, scope: Scope, depth: int) -> str | None:
        self._steps -= 1
        key = lexer.canonical(goal)
        if key in scope.exact:
            return scope.exact[key]
        if self._steps <= 0 or depth < 0 or key in scope.path:
            return None
        if "False" in scope.exact:
            return f"{lexer.argument(scope.exact['False'])}.elim"
        read = shape.meaning(goal)
        scope = scope.under(key)
        if read.op in {"=", "↔"} and lexer.same(read.left, read.right):
            return "rfl" if read.op == "=" else "Iff.rfl"
        if key == "True":
            return "trivial"
        if read.op in {"→", "∀", "¬", "≠"}:
            return self._lambda(read, scope, depth)
        if read.op == "∧":
            # A disjunction is split above the pair: one `elim` then serves both halves.
            return (
                self._pair(read.left, read.right, scope, 0)
                or (self._split(goal, scope, depth - 1) if depth else None)
                or self._pair(read.left, read.right, scope, depth)
            )
        if read.op == "↔":
            return self._pair(f"({read.left}) → {read.right}", f"({read.right}) → {read.left}", scope, depth)
        if depth == 0:
            return None
        return (
            self._backward(goal, scope, depth - 1)
            or self._build(read, scope, depth - 1)
            or self._split(goal, scope, depth - 1)
            or self._absurd(goal, scope, depth - 1)
            or self._by_contradiction(goal, scope, depth - 1)
        )

    def _pair(self, left: str, right: str, scope: Scope, depth: int) -> str | None:
        first = self._prove(left, scope, depth)
        second = self._prove(right, scope, depth) if first is not None else None
        if first is None or second is None:
            return None
        if second.startswith("⟨") and lexer.is_atomic(second) and shape.read(right).op in {"∧", "∃"}:
            second = second[1:-1]
        return f"⟨{first}, {second}⟩"

    def _lambda(self, read: Shape, scope: Scope, depth: int) -> str | None:
        if read.op == "∀":
            binders, body = read.binders, read.right
        elif read.op == "→":
            binders, body = (Binder("", read.left),), read.right
        elif read.op == "¬":
            binders, body = (Binder("", read.right),), "False"
        else:
            binders, body = (Binder("", f"{read.left} = {read.right}"),), "False"
        inner = scope.copy()
        patterns = []
        renamed: dict[str, str] = {}
        for binder in binders:
            text = shape.substitute(binder.type, renamed)
            if binder.name:
                name = binder_name(binder, self._view, inner.taken)
                if name != binder.name:
                    renamed[binder.name] = name
                inner.variable(name, text)
            else:
                name = inner.take(text, self._view)
            if binder.explicit or not binder.type:  # `s ⊆ t` binds its element by `fun` too
                patterns.append(name)
        found = self._prove(shape.substitute(body, renamed), inner, depth)
        if found is None or not patterns:
            return found
        if found.startswith("fun ") and " => " in found:
            return f"fun {' '.join(patterns)} {found[4:]}"
        return _eta(patterns, found)

    def _backward(self, goal: str, scope: Scope, depth: int) -> str | None:
        for rule in scope.rules:
            self._steps -= 1
            unknowns = {binder.name for binder in rule.binders if binder.name}
            bound = matching.match(rule.conclusion, goal, unknowns)
            if bound is not None:
                found = self._arguments(rule, bound, unknowns, scope, depth)
                if found is not None:
                    return rule.apply(found)
        equation = shape.read(goal)
        if equation.op == "=" and depth:
            for key, term in list(scope.exact.items()):
                step = shape.read(scope.types[key])
                if step.op == "=" and lexer.same(step.left, equation.left):
                    rest = self._prove(f"{step.right} = {equation.right}", scope, depth - 1)
                    if rest is not None:
                        return f"{lexer.argument(term)}.trans {lexer.argument(rest)}"
        return None

    def _arguments(
        self, rule: Rule, bound: dict[str, str], unknowns: set[str], scope: Scope, depth: int
    ) -> list[str] | None:
        """Arguments for every binder of a rule whose conclusion fits."""
        proofs = self._premises(rule, 0, bound, unknowns, scope, depth)
        if proofs is None:
            return None
        bound, given = proofs
        arguments = []
        for at, binder in enumerate(rule.binders):
            if not binder.explicit:
                arguments.append("")
            elif not binder.name:
                arguments.append(given[at])
            elif binder.name in bound:
                arguments.append(bound[binder.name] if lexer.is_identifier(bound[binder.name]) else "_")
            else:
                wanted = shape.substitute(binder.type, bound)
                value = scope.exact.get(lexer.canonical(wanted)) or next(iter(scope.of_type(wanted)), None)
                if value is None:
                    return None
                arguments.append(value)
        return arguments

    def _premises(
        self, rule: Rule, at: int, bound: dict[str, str], unknowns: set[str], scope: Scope, depth: int
    ) -> tuple[dict[str, str], dict[int, str]] | None:
        """Proofs of the premises from the `at`-th binder on; a premise may bind what the conclusion left open."""
        while at < len(rule.binders) and rule.binders[at].name:
            at += 1
        if at == len(rule.binders):
            return bound, {}
        premise = shape.substitute(rule.binders[at].type, bound)
        loose = {name for name in unknowns - bound.keys() if name in lexer.identifiers(premise)}
        for more in self._bindings(rule, premise, loose, bound, scope) if loose else ({},):
            now = {**bound, **more}
            proof = self._prove(shape.substitute(premise, more), scope, depth)
            rest = self._premises(rule, at + 1, now, unknowns, scope, depth) if proof is not None else None
            if proof is not None and rest is not None:
                return rest[0], {at: proof, **rest[1]}
        return None

    def _bindings(
        self, rule: Rule, premise: str, loose: set[str], bound: dict[str, str], scope: Scope
    ) -> Iterator[dict[str, str]]:
        """Values for what is open in a premise: from the facts that it matches, then variables of its type."""
        found = (matching.match(premise, text, loose) for text in scope.types.values())
        yield from islice((more for more in found if more is not None), 4)
        if len(loose) == 1:
            name = next(iter(loose))
            wanted = next((b.type for b in rule.binders if b.name == name), "")
            for value in scope.of_type(shape.substitute(wanted, bound))[:4]:
                yield {name: value}

    def _build(self, read: Shape, scope: Scope, depth: int) -> str | None:
        if read.op == "∨":
            for side, name in ((read.left, "Or.inl"), (read.right, "Or.inr")):
                found = self._prove(side, scope, depth)
                if found is not None:
                    return f"{name} {lexer.argument(found)}"
        if read.op == "∃" and read.binders:
            first, *others = read.binders
            rest = " ".join(f"({b.name} : {b.type})" if b.type else b.name for b in others)
            body = f"∃ {rest}, {read.right}" if others else read.right
            for witness in scope.witnesses(first, body):
                inner = shape.substitute(body, {first.name: witness})
                found = self._prove(inner, scope, depth)
                if found is not None:
                    nested = found.startswith("⟨") and lexer.is_atomic(found) and shape.read(inner).op in {"∧", "∃"}
                    return f"⟨{witness}, {found[1:-1] if nested else found}⟩"
        return None

    def _split(self, goal: str, scope: Scope, depth: int) -> str | None:
        for at, (term, read) in enumerate(scope.splits):
            rest = scope.copy()
            del rest.splits[at]
            if read.op == "∨":
                found = self._either(goal, read, rest, depth)
            else:
                first, *others = read.binders
                name = binder_name(first, self._view, rest.taken)
                rest.variable(name, first.type)
                names = " ".join(binder.name for binder in others)
                body = shape.substitute(f"∃ {names}, {read.right}" if others else read.right, {first.name: name})
                pattern = rest.take(body, self._view)
                proof = self._prove(goal, rest, depth)
                found = f"fun {name} {pattern} => {proof}" if proof is not None else None
            if found is not None:
                return f"{lexer.argument(term)}.elim {found}"
        return None

    def _either(self, goal: str, read: Shape, scope: Scope, depth: int) -> str | None:
        branches = []
        for side in (read.left, read.right):
            inner = scope.copy()
            pattern = inner.take(side, self._view)
            body = self._prove(goal, inner, depth)
            if body is None:
                return None
            branches.append(lexer.argument(_eta([pattern], body)))
        return " ".join(branches)

    def _absurd(self, goal: str, scope: Scope, depth: int) -> str | None:
        if goal == "False" or not depth:
            return None
        for rule in scope.rules:
            if rule.conclusion == "False" and len(rule.binders) == 1:
                premise = self._prove(rule.binders[0].type, scope, depth - 1)
                if premise is not None:
                    return f"absurd {lexer.argument(premise)} {lexer.argument(rule.apply(['']))}"
        return None

    def _by_contradiction(self, goal: str, scope: Scope, depth: int) -> str | None:
        negation = shape.negate(goal)
        if not self._classical or goal == "False" or lexer.canonical(negation) in scope.exact:
            return None
        inner = scope.copy()
        name = inner.take(negation, self._view)
        found = self._prove("False", inner, depth)
        return f"Classical.byContradiction {_eta([name], found, always=True)}" if found is not None else None


def _eta(patterns: list[str], body: str, always: bool = False) -> str:
    """`fun x => f x` as `f`, any other function as it is; with `always`, as it is."""
    last = patterns[-1]
    if not always and len(patterns) == 1 and body.endswith(f" {last}"):
        head = body[: -len(last) - 1]
        if last not in lexer.identifiers(head) and (lexer.is_atomic(head) or head.count("(") == head.count(")")):
            simple = lexer.tokens(head)
            if all(word.text not in {"fun", "=>"} for word in simple):
                return head
    return f"fun {' '.join(patterns)} => {body}"
