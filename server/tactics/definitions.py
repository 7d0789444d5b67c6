"""Tactics made from the constants in the target: unfold them, simplify with them, recurse along them.

The text cannot tell a definition from a constructor or a theorem; only names that look like definitions are
taken, and Lean decides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

from tacit.server.tactics import lexer, shape
from tacit.server.tactics.names import intro_names
from tacit.server.tactics.offers import Offer, batches, does_sums
from tacit.server.tactics.recursion import ARITHMETIC, Types, recursion, types_of
from tacit.server.tactics.source import SourceRequest
from tacit.server.tactics.view import View
from tacit.server.values import Candidate

_LIMIT = 24
_FROM_LIBRARY = 2
_UNFOLDS = frozenset({"def", "abbrev", "instance"})
# Types, constructors, projections and classes that unfolding does not help with.
_SKIP = frozenset(
    "True False And Or Not Iff Eq Ne HEq Exists Prop Type Sort Nat Int Rat Real Bool List Array Option Prod Sum Fin "
    "String Char Unit Set Finset Multiset Subtype Sigma ℕ ℤ ℚ ℝ ℂ true false none some nil cons inl inr zero succ rfl "
    "max min fst snd decide default Nat.succ Nat.zero Nat.cast Int.ofNat List.nil List.cons Option.some Option.none "
    "Bool.true Bool.false Prod.mk Prod.fst Prod.snd Nonempty Decidable Inhabited".split()
)


class DefinitionTactics:
    """Proposes `simp [f]`, `unfold f`, `grind [f]` and induction with them, for constants `f` of the goal.

    What the file itself defines comes first: a library brings lemmas about its own definitions, so those are
    unfolded only where nothing else is mentioned.
    """

    def __init__(self, limit: int = _LIMIT, name: str = "definitions") -> None:
        self._limit = limit
        self._name = name

    @property
    def name(self) -> str:
        """The name shown beside a suggestion."""
        return self._name

    async def candidates(self, request: SourceRequest) -> AsyncIterator[Sequence[Candidate]]:
        """Yield the offers that this environment parses, likeliest first."""
        view = View(request.goal)
        kinds = {declaration.name: declaration.kind for declaration in request.above}
        mentioned = [name for name in constants(view) if name != request.declaration]
        own = [name for name in mentioned if kinds.get(name) in _UNFOLDS]
        library = [name for name in mentioned if name not in kinds]
        names = own or library[:_FROM_LIBRARY]
        offers = _offers(names, view, types_of(request.above), plain=not does_sums(request.known))
        for batch in batches(offers, request, self._name, self._limit if own else self._limit // 2):
            yield batch


def constants(view: View) -> tuple[str, ...]:
    """Names that may be definitions: those of the target in their order, then those of the context."""
    found: dict[str, None] = {}
    for text in (view.target, *(local.type for local in reversed(view.proofs))):
        for name in _constants(text, view):
            if name not in _SKIP and len(name) > 1 and not name.startswith("inst"):
                found[name] = None
    return tuple(found)


def _constants(text: str, view: View) -> Iterator[str]:
    """The constants of a printed type; for `x.f`, the name is found through the type of `x`."""
    bound = {binder.name for binder in (*shape.telescope(text)[0], *shape.read(text).binders)}
    name = ""
    words = lexer.tokens(text)
    for at, word in enumerate(words):
        if word.text[0] == "." and not word.gap and name and not word.text[1:].isdigit():
            name += word.text
        else:
            name = word.text if lexer.is_identifier(word.text) and "✝" not in word.text else ""
        follows = words[at + 1] if at + 1 < len(words) else None
        if not name or (follows and follows.text[0] == "." and not follows.gap):
            continue
        root, *fields = name.split(".")
        if root in view.types or root in bound:
            of = lexer.head(view.types.get(root, ""))
            found = [f"{of}.{field}" for field in fields if of]
        else:
            found = [name]
        for full in found:
            yield full.replace("ℕ.", "Nat.").replace("ℤ.", "Int.")


def _offers(names: Sequence[str], view: View, types: Types, plain: bool) -> Iterator[Offer]:
    some = names[:3]
    if not some:
        return
    brackets = ", ".join(some)
    yield Offer(f"simp [{brackets}]", 0.7)
    yield Offer(f"simp_all [{brackets}]", 0.66)
    yield Offer(f"grind [{brackets}]", 0.6)
    for name in some:
        yield Offer(f"unfold {name}", 0.4)
        yield Offer(f"simp only [{name}]", 0.35)
        yield Offer(f"rw [{name}]", 0.2)
        yield Offer(f"unfold {name} <;> omega", 0.3)
        yield Offer(f"delta {name}", 0.15)
        yield Offer(f"fun_induction {name} <;> simp_all", 0.4)
        yield Offer(f"fun_induction {name} <;> grind", 0.42)
    for local in view.data:
        yield from recursion(local, view, types, brackets)
        if plain:
            yield from recursion(local, view, types, f"{brackets}, {ARITHMETIC}")
    if view.shape.op == "":
        # The target may be a definition with `∀` or `→` behind it: `Injective f`.
        yield Offer("intro x y h <;> simp_all", 0.3)
        yield Offer("intro x", 0.3)
        yield Offer("intros <;> simp_all", 0.2)
    introduced = " ".join(intro_names(view))
    if introduced:
        yield Offer(f"intro {introduced} <;> simp_all [{brackets}]", 0.5)
