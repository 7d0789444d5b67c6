"""Tactics made from the local context: apply it, rewrite with it, take it apart, recurse on it.

Each family below gives offers for one name; an offer's prior is how often its family helps, scaled by how much
of the target the name's type mentions. The likeliest come first and the rest is cut.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence

from tacit.server.tactics import lexer, matching, shape
from tacit.server.tactics.names import pattern, proof_name
from tacit.server.tactics.offers import Offer, batches, does_sums
from tacit.server.tactics.recursion import ARITHMETIC, Types, cases_on, recursion, types_of
from tacit.server.tactics.source import SourceRequest
from tacit.server.tactics.terms import TermSearch
from tacit.server.tactics.view import Local, View
from tacit.server.values import Candidate

LIMIT = 48
_HYPOTHESES = 16  # of a long context, the most relevant ones
_NUMBERS = frozenset("Nat ℕ Int ℤ".split())
_ORDER = {"<": "lt", "≤": "le"}
_CONSTRUCTORS = ("succ", "some", "cons", "inl", "inr", "::", "ofNat")


class HypothesisTactics:
    """Proposes what the names of the context suggest; at most 48 candidates a goal."""

    def __init__(self, limit: int = LIMIT, name: str = "context") -> None:
        self._limit = limit
        self._name = name

    @property
    def name(self) -> str:
        """The name shown beside a suggestion."""
        return self._name

    async def candidates(self, request: SourceRequest) -> AsyncIterator[Sequence[Candidate]]:
        """Yield the offers that this environment parses, likeliest first."""
        mathlib = any(module.split(".")[0] == "Mathlib" for module in request.imports)
        offers = _offers(View(request.goal), types_of(request.above), mathlib, plain=not does_sums(request.known))
        for batch in batches(offers, request, self._name, self._limit):
            yield batch


def _offers(view: View, types: Types, mathlib: bool, plain: bool) -> Iterator[Offer]:
    """Every offer for a goal, unranked; `plain` says that no arithmetic procedure is at hand."""
    for term in TermSearch(view).terms():
        yield Offer(f"exact {term}", 0.97)
    proofs = sorted(view.proofs, key=lambda local: -view.relevance(local))[:_HYPOTHESES]
    for local in proofs:
        relevance = view.relevance(local)
        for family in (*_FAMILIES, _natural_order) if plain else _FAMILIES:
            for text, prior in family(local, view):
                yield Offer(text, prior * (0.5 + 0.5 * relevance))
        for text, prior in _chain(local, view, mathlib):
            yield Offer(text, prior)
    yield from _pairs(proofs, view, mathlib)
    yield from _witnesses(view)
    for local in view.locals:
        if local.value is not None and local.name in view.words:
            yield Offer(f"simp [{local.name}]", 0.5)
    for local in view.data:
        yield from recursion(local, view, types)
        if plain:
            yield from recursion(local, view, types, ARITHMETIC)
    for name in _bounded(proofs):
        yield Offer(f"interval_cases {name} <;> simp_all", 0.6)
        yield Offer(f"interval_cases {name} <;> omega", 0.5)
    if view.proofs:
        yield Offer("simp [*] at *", 0.3)


def _apply(local: Local, view: View) -> Iterator[Offer]:
    """`exact h`, `apply h`: the conclusion fits the target, or might after unfolding."""
    if lexer.same(local.type, view.target):
        yield Offer(f"exact {local.name}", 1.0)
        return
    binders, conclusion = shape.telescope(local.type, negation=True)
    unknowns = [binder.name for binder in binders if binder.name]
    if binders and matching.match(conclusion, view.target, unknowns) is not None:
        yield Offer(f"apply {local.name}", 0.9)
        yield Offer(f"apply {local.name} <;> assumption", 0.8)
        yield Offer(f"apply {local.name} <;> simp_all", 0.7)
    elif binders and _same_head(conclusion, view.target):
        yield Offer(f"apply {local.name}", 0.6)
    elif not binders and lexer.head(conclusion) and shape.read(conclusion).op == "":
        # A definition may hide an implication: `h : Injective f`.
        yield Offer(f"apply {local.name} <;> assumption", 0.4)
    elif conclusion == "False":
        yield Offer(f"exact absurd {local.name} (by simp)", 0.1)
        yield Offer(f"exact ({local.name} (by assumption)).elim", 0.3)
    elif _same_head(conclusion, view.target):
        yield Offer(f"exact {local.name}", 0.35)
        yield Offer(f"exact_mod_cast {local.name}", 0.55)
        yield Offer(f"simpa using {local.name}", 0.6)
    if shape.read(local.type).op == "↔":
        yield Offer(f"apply {local.name}.mp", 0.35)
        yield Offer(f"apply {local.name}.mpr", 0.35)
    if shape.read(local.type).op == "→":
        yield Offer(f"apply {local.name}", 0.2)


def _rewrite(local: Local, view: View) -> Iterator[Offer]:
    """`rw [h]` and `rw [← h]` where a side of an equation (perhaps under `∀`) stands in the target."""
    binders, conclusion = shape.telescope(local.type)
    equation = shape.read(conclusion)
    if equation.op not in {"=", "↔"}:
        return
    unknowns = frozenset(binder.name for binder in binders if binder.name)
    name = local.name
    for text, side, prior in ((f"rw [{name}]", equation.left, 0.75), (f"rw [← {name}]", equation.right, 0.65)):
        if matching.occurs(side, view.target, unknowns):
            yield Offer(text, prior)
            yield Offer(f"{text} <;> assumption", prior * 0.6)
        for other in view.proofs:
            if other.name != name and matching.occurs(side, other.type, unknowns):
                yield Offer(f"{text} at {other.name}", prior * 0.5)
                yield Offer(f"rwa {text[3:]} at {other.name}", prior * 0.7)
                break
    yield Offer(f"simp [{name}]", 0.6)
    if not binders and equation.op == "=":
        for side, other_side in ((equation.left, equation.right), (equation.right, equation.left)):
            if side in view.types and side not in lexer.identifiers(other_side) and not side.endswith("✝"):
                yield Offer(f"subst {name}", 0.5)
                yield Offer(f"subst {name} <;> simp_all", 0.35)
                break
    if view.shape.op == "=" and equation.op == "↔":
        yield Offer(f"exact propext {name}", 0.45)
    if view.shape.op == "=" and equation.op == "=" and len(binders) == 1:
        yield Offer(f"exact funext {name}", 0.6 if view.equates_functions else 0.2)
    if not binders and equation.op == "=" and view.shape.op == "=":
        yield Offer(f"exact congrArg _ {name}", 0.4)
        yield Offer(f"linear_combination {name}", 0.6)
    if view.shape.op not in {"=", "↔"} and not binders:
        for other in view.proofs:
            if other.name != name and _same_head(other.type, view.target):
                yield Offer(f"exact {name} ▸ {other.name}", 0.4)
                break


def _simplify(local: Local, view: View) -> Iterator[Offer]:
    """`simp at h` and its kin, where the type has something to simplify."""
    read = local.shape
    yield Offer(f"simp at {local.name}", 0.3 if read.op or len(lexer.tokens(local.type)) > 1 else 0.1)
    if read.op in shape.RELATIONS:
        yield Offer(f"norm_num at {local.name}", 0.3)
    if "¬" in local.type:
        yield Offer(f"push_neg at {local.name}", 0.45)
    if read.op in {"¬", "≠"} and (view.shape.op in {"¬", "≠", "False"} or view.target == "False"):
        yield Offer(f"apply {local.name}", 0.4)
        yield Offer(f"contrapose! {local.name}", 0.3)
    if read.op not in {"=", "↔", "∀", "→"}:
        yield Offer(f"simp [{local.name}]", 0.35)


def _take_apart(local: Local, view: View) -> Iterator[Offer]:
    """`obtain ⟨x, hx⟩ := h`, `rcases h with hp | hq`, `cases h`, by the shape of the type."""
    read, name = local.shape, local.name
    if read.op in {"∧", "∃"}:
        yield Offer(f"obtain {pattern(local.type, view, set())} := {name}", 0.75)
        if read.op == "∃" or view.shape.op not in {"∧", ""}:
            simple = pattern(local.type, view, set(), alternatives=False)
            yield Offer(f"have {simple} := {name}", 0.55)
        yield Offer(f"cases {name} <;> simp_all", 0.5)
    elif read.op == "∨":
        # `cases h with` needs a name for each side; `rcases` goes deeper and takes the sides apart as well.
        left, right = proof_name(read.left), proof_name(read.right)
        names = view.fresh(left), view.fresh(right, {view.fresh(left)} if left != right else ())
        yield Offer(f"cases {name} <;> simp_all", 0.85)
        yield Offer(f"cases {name} <;> assumption", 0.4)
        yield Offer(f"cases {name} <;> contradiction", 0.3)
        yield Offer(f"rcases {name} with {pattern(local.type, view, set())}", 0.75)
        yield Offer(f"cases {name} with\n| inl {names[0]} => ?_\n| inr {names[1]} => ?_", 0.7)
    elif read.op == "=":
        sides = lexer.identifiers(read.left) | lexer.identifiers(read.right)
        if any(word.split(".")[-1] in _CONSTRUCTORS for word in sides) or "::" in local.type or "+ 1" in local.type:
            yield Offer(f"injection {name} with {view.fresh(name)}", 0.45)
            yield Offer(f"injection {name}", 0.4)
            yield Offer(f"cases {name}", 0.4)
        else:
            yield Offer(f"cases {name}", 0.2)
    elif read.op in {"∣", ""} and local.type not in view.types and view.types.get(local.type) != "Prop":
        yield from cases_on(local, view)


def _specialise(local: Local, view: View) -> Iterator[Offer]:
    """`have h' := h hp`, `specialize h x`: a premise that the context has."""
    binders, conclusion = shape.telescope(local.type)
    if not binders or not binders[0].explicit:
        return
    first = binders[0]
    if not first.name:
        for other in view.proofs:
            if lexer.same(other.type, first.type):
                fresh = view.fresh(proof_name(conclusion))
                yield Offer(f"have {fresh} := {local.name} {other.name}", 0.5)
                yield Offer(f"specialize {local.name} {other.name}", 0.4)
                return
        return
    alike = [x.name for x in view.data if lexer.same(x.type, first.type) or (not first.type and x.name in view.words)]
    for value in alike[:2]:
        yield Offer(f"have {view.fresh('h')} := {local.name} {value}", 0.4)
        yield Offer(f"specialize {local.name} {value}", 0.35)


def _chain(local: Local, view: View, mathlib: bool) -> Iterator[Offer]:
    """A step of a chain of `≤` and `<`, or of `∣`, that begins or ends as the target does; the rest is left.

    Without Mathlib the names are those of `Nat`.
    """
    have, want = local.shape, view.shape
    prefix = "" if mathlib else "Nat."
    if have.op == want.op == "∣":
        first, last = f"{prefix}dvd_trans {local.name} ?_", f"{prefix}dvd_trans ?_ {local.name}"
    elif have.op in _ORDER and want.op in _ORDER:
        if have.op == want.op == "<":
            # The rest may then be an equality: the weakest that does.
            first, last = f"{prefix}lt_of_lt_of_le {local.name} ?_", f"{prefix}lt_of_le_of_lt ?_ {local.name}"
        elif want.op == "<":
            first, last = f"{prefix}lt_of_le_of_lt {local.name} ?_", f"{prefix}lt_of_lt_of_le ?_ {local.name}"
        else:
            weak = local.name if have.op == "≤" else f"({prefix}le_of_lt {local.name})"
            first, last = f"{prefix}le_trans {weak} ?_", f"{prefix}le_trans ?_ {weak}"
    else:
        return
    for mine, its, step in ((have.left, want.left, first), (have.right, want.right, last)):
        if lexer.same(mine, its):
            yield Offer(f"exact {step.replace('?_', '(by decide)')}", 0.3)
            yield Offer(f"refine {step}", 0.4)


def _natural_order(local: Local, view: View) -> Iterator[Offer]:
    """One step from an inequality of naturals to the target, where no arithmetic procedure is at hand."""
    if local.shape.op not in _ORDER or view.shape.op not in {*_ORDER, "¬", "≠"}:
        return
    for lemma in _STEPS.get(local.shape.op + view.shape.op, ()):
        yield Offer(f"exact Nat.{lemma.replace('$', local.name)}", 0.3)


# From the operator of the hypothesis to that of the target; `$` is the hypothesis.
_STEPS = {
    "≤≤": ("le_succ_of_le $", "succ_le_succ $", "le_of_succ_le_succ $", "add_le_add_right $ _", "add_le_add_left $ _"),
    "<≤": ("le_of_lt $", "le_of_lt_succ $", "succ_le_of_lt $"),
    "≤<": ("lt_succ_of_le $", "lt_of_succ_le $"),
    "<<": ("succ_lt_succ $", "lt_of_succ_lt_succ $", "add_lt_add_right $ _", "add_lt_add_left $ _"),
    "<¬": ("not_le_of_gt $",),
    "≤¬": ("not_lt_of_ge $",),
    "<≠": ("ne_of_lt $", "ne_of_gt $"),
}

_FAMILIES: tuple[Callable[[Local, View], Iterator[Offer]], ...] = (
    _apply,
    _rewrite,
    _simplify,
    _take_apart,
    _specialise,
)


def _pairs(proofs: Sequence[Local], view: View, mathlib: bool) -> Iterator[Offer]:
    """Two hypotheses at once: chains of `≤` and `<`, two rewrites, products and sums of inequalities."""
    prefix = "" if mathlib else "Nat."
    steps = [(x, x.shape) for x in proofs[:8]]
    for one, first in steps:
        for two, second in steps:
            if one.name == two.name:
                continue
            if first.op in _ORDER and second.op in _ORDER and lexer.same(first.right, second.left):
                fits = lexer.same(first.left, view.shape.left) and lexer.same(second.right, view.shape.right)
                lemma = "le_trans" if first.op == second.op == "≤" else "lt_trans" if first.op == second.op else ""
                lemma = lemma or f"lt_of_{_ORDER[first.op]}_of_{_ORDER[second.op]}"
                chain = f"{prefix}{lemma} {one.name} {two.name}"
                weaker = view.shape.op == "≤" and lemma != "le_trans"
                chain = f"{prefix}le_of_lt ({chain})" if weaker else chain
                yield Offer(f"exact {chain}", 0.85 if fits else 0.1)
            if first.op == second.op == "=":
                if matching.occurs(first.left, view.target, frozenset()):
                    yield Offer(f"rw [{one.name}, {two.name}]", 0.5)
                if view.shape.op == "=" and one.name < two.name:
                    yield Offer(f"linear_combination {one.name} + {two.name}", 0.35)
                    yield Offer(f"linear_combination {one.name} - {two.name}", 0.35)
            if one.name < two.name and first.op in {"<", "≤"} and second.op in {"<", "≤"} and "*" in view.target:
                lemma = "mul_pos" if first.op == second.op == "<" else "mul_nonneg"
                if {first.left, second.left} == {"0"}:
                    yield Offer(f"nlinarith [{lemma} {one.name} {two.name}]", 0.4)


def _witnesses(view: View) -> Iterator[Offer]:
    """`∃` targets: a variable of the context, and the rest by a finishing tactic."""
    if view.shape.op != "∃" or not view.shape.binders:
        return
    wanted = view.shape.binders[0].type
    fitting = [x.name for x in view.data if not wanted or lexer.same(x.type, wanted)]
    for name in fitting[-3:]:
        yield Offer(f"exact ⟨{name}, by simp_all⟩", 0.6)
        yield Offer(f"exact ⟨{name}, by omega⟩", 0.5)
        yield Offer(f"refine ⟨{name}, ?_⟩", 0.45)
        yield Offer(f"use {name}", 0.44)
        if wanted in _NUMBERS:
            yield Offer(f"exact ⟨{name} + 1, by simp⟩", 0.2)
    written = [word.text for word in lexer.tokens(view.target) if word.text.isdigit()]
    if wanted in _NUMBERS or (not wanted and written):
        for number in dict.fromkeys([*written, *map(str, range(11))]):
            yield Offer(f"exact ⟨{number}, by decide⟩", 0.3 if fitting else 0.4)


def _bounded(proofs: Sequence[Local]) -> list[str]:
    """Variables with a numeral for an upper bound."""
    found = [local.shape.left for local in proofs if local.shape.op in _ORDER and local.shape.right.isdigit()]
    return [name for name in dict.fromkeys(found) if lexer.is_identifier(name) and lexer.is_atomic(name)]


def _same_head(conclusion: str, target: str) -> bool:
    """Whether both have the same operator, or the same word in front."""
    one, two = shape.read(conclusion), shape.read(target)
    if one.op or two.op:
        return one.op == two.op
    first, second = lexer.tokens(one.left), lexer.tokens(two.left)
    return bool(first and second) and first[0].text == second[0].text
