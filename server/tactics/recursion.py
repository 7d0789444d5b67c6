"""Induction and case analysis on a variable: one line with a closer, or an alternative for each constructor.

An alternative is left as `?_`, which both Lean of 2021 and today's turn into a goal; a body that leaves its goal
open would be an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tacit.server.tactics import lexer, shape
from tacit.server.tactics.names import data_name, proof_name
from tacit.server.tactics.offers import Offer
from tacit.server.tactics.view import SUBSCRIPTS, Local, View
from tacit.server.values import Declaration


@dataclass(frozen=True, slots=True)
class Constructor:
    """A constructor's last name and the types of its fields; a field of the type itself is the empty text."""

    name: str
    fields: tuple[str, ...] = ()


Types = Mapping[str, tuple[Constructor, ...]]

_NAT = (Constructor("zero"), Constructor("succ", ("",)))
KNOWN_TYPES: Types = {
    "Nat": _NAT,
    "ℕ": _NAT,
    "List": (Constructor("nil"), Constructor("cons", ("_", ""))),
    "Option": (Constructor("none"), Constructor("some", ("_",))),
    "Bool": (Constructor("false"), Constructor("true")),
    "Prod": (Constructor("mk", ("_", "_")),),
}
# Propositions that hide an `∃`.
_EXISTENTIAL = frozenset("Even Odd IsSquare Nonempty Dvd IsUnit".split())
# What `simp` needs to do the sums of an induction where there is no `omega`; none of them can loop.
ARITHMETIC = "Nat.add_succ, Nat.succ_add, Nat.mul_succ, Nat.succ_mul"
_OPAQUE = frozenset(
    "Int ℤ Rat ℚ Real ℝ Complex ℂ Set Finset Multiset String Float Char UInt8 UInt32 UInt64 USize".split()
)


def recursion(local: Local, view: View, types: Types, definitions: str = "") -> Iterator[Offer]:
    """Offers for a variable of an inductive type; `definitions` go into the closers' brackets."""
    if local.name not in view.words or not is_inductive(local.type, view):
        return
    name = local.name
    constructors = types.get(lexer.head(local.type), ())
    brackets = f" [{definitions}]" if definitions else ""
    if lexer.head(local.type) == "Fin":
        yield Offer(f"fin_cases {name} <;> rfl", 0.5)
        yield Offer(f"fin_cases {name} <;> simp_all", 0.5)
    recursive = not constructors or any("" in constructor.fields for constructor in constructors)
    if recursive:
        yield Offer(f"induction {name} <;> grind{brackets}", 0.7)
        if not view.loops:
            yield Offer(f"induction {name} <;> simp_all{brackets}", 0.68)
        if not definitions:
            yield Offer(f"induction {name} <;> omega", 0.3)
    yield Offer(f"cases {name} <;> simp_all{brackets}", 0.55)
    yield Offer(f"cases {name} <;> grind{brackets}", 0.4)
    if not definitions:
        yield Offer(f"cases {name} <;> rfl", 0.45 if recursive else 0.6)
        if view.shape.op == "∃":
            yield Offer(f"cases {name} <;> first | contradiction | exact ⟨_, rfl⟩ | simp_all", 0.4)
    others = [x.name for x in view.data if x.name != name and x.name in view.words]
    if recursive and others:
        if not view.loops:
            yield Offer(f"induction {name} generalizing {' '.join(others)} <;> simp_all{brackets}", 0.4)
        yield Offer(f"induction {name} generalizing {' '.join(others)} <;> grind{brackets}", 0.42)
    if definitions:
        return
    if constructors:
        if recursive:
            yield Offer(f"induction {name} with\n{_alternatives(constructors, local, view, True)}", 0.5)
        yield Offer(f"cases {name} with\n{_alternatives(constructors, local, view, False)}", 0.35)
    else:
        yield Offer(f"induction {name}", 0.4)
        yield Offer(f"cases {name}", 0.3)


def is_inductive(text: str, view: View) -> bool:
    """Whether a type is worth an induction: a named one, not a variable of the context, not a number that is none."""
    head = lexer.head(text)
    return (
        bool(head) and lexer.is_identifier(head) and head not in _OPAQUE and head not in view.types and "✝" not in text
    )


def cases_on(local: Local, view: View) -> Iterator[Offer]:
    """Offers for a proof of something that may be an inductive predicate or a definition with `∃` or `∧` behind it."""
    name = local.name
    if local.shape.op == "∣" or _fields(local.type) & _EXISTENTIAL:
        witness = view.fresh("k")
        yield Offer(f"obtain ⟨{witness}, {view.fresh('h' + witness)}⟩ := {name}", 0.6)
        yield Offer(f"obtain ⟨{witness}, rfl⟩ := {name}", 0.5)
        return
    yield Offer(f"cases {name}", 0.35)
    yield Offer(f"cases {name} <;> simp_all", 0.4)
    yield Offer(f"induction {name} <;> simp_all", 0.35)
    yield Offer(f"induction {name} <;> grind", 0.3)
    yield Offer(f"obtain ⟨{view.fresh('x')}, {view.fresh('hx')}⟩ := {name}", 0.3)


def types_of(above: Iterable[Declaration]) -> Types:
    """The constructors of the inductive types that a file defines, and of those that everybody has."""
    found: dict[str, tuple[Constructor, ...]] = dict(KNOWN_TYPES)
    owner = ""
    for declaration in above:
        if declaration.kind == "inductive":
            owner = declaration.name
            found[owner] = ()
        elif declaration.kind == "constructor" and owner:
            binders, result = shape.telescope(shape.statement(declaration.signature))
            head = lexer.head(result) or owner
            fields = tuple("" if lexer.head(binder.type) == head else binder.type for binder in binders)
            found[owner] = (*found[owner], Constructor(declaration.name.split(".")[-1], fields))
    return found


def _alternatives(constructors: Sequence[Constructor], local: Local, view: View, inductive: bool) -> str:
    """`| zero => ?_` and so on, a line each, with names that are free."""
    lines = []
    for constructor in constructors:
        names: list[str] = []
        for kind in constructor.fields:
            if not kind and local.name not in names:
                names.append(local.name)  # the variable itself is gone here, so its name is free
            else:
                base = proof_name(kind) if view.is_proposition(kind) else data_name(kind) if kind else local.name
                names.append(view.fresh(base, names))
        recursive = constructor.fields.count("") if inductive else 0
        for number in range(recursive):
            names.append(view.fresh("ih" if recursive == 1 else "ih" + SUBSCRIPTS[number + 1], names))
        lines.append(" ".join(["|", constructor.name, *names, "=> ?_"]))
    return "\n".join(lines)


def _fields(text: str) -> frozenset[str]:
    """The last parts of the names in a type: `Nonempty` for `s.Nonempty`."""
    return frozenset(name.split(".")[-1] for name in lexer.identifiers(text))
