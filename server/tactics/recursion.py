"""Induction and case analysis on a variable: one line with a closer, or an alternative for each constructor.

An alternative is left as `?_`, which both Lean of 2021 and today's turn into a goal; a body that leaves its goal
open would be an error.
"""

from __future__ import annotations

from collections.abc import Iterator

from tacit.server.tactics import lexer
from tacit.server.tactics.names import data_name
from tacit.server.tactics.offers import Offer
from tacit.server.tactics.view import Local, View

# Constructors by the head of the type: for each, its name and the kinds of its fields (`.` the type itself,
# another letter the habitual name of that field).
_CONSTRUCTORS = {
    "Nat": (("zero", ""), ("succ", ".")),
    "ℕ": (("zero", ""), ("succ", ".")),
    "List": (("nil", ""), ("cons", "x.")),
    "Option": (("none", ""), ("some", "x")),
    "Bool": (("false", ""), ("true", "")),
    "Prod": (("mk", "xy"),),
}
# What `simp` needs to do the sums of an induction where there is no `omega`; none of them can loop.
ARITHMETIC = "Nat.add_succ, Nat.succ_add, Nat.mul_succ, Nat.succ_mul"
_OPAQUE = frozenset(
    "Int ℤ Rat ℚ Real ℝ Complex ℂ Set Finset Multiset String Float Char UInt8 UInt32 UInt64 USize".split()
)


def recursion(local: Local, view: View, definitions: str = "") -> Iterator[Offer]:
    """Offers for a variable of an inductive type; `definitions` go into the closers' brackets."""
    head = _head(local.type)
    mentioned = local.name in view.words
    if not mentioned or head in _OPAQUE or view.types.get(head) is not None or "✝" in local.type:
        return
    name = local.name
    brackets = f" [{definitions}]" if definitions else ""
    recursive = any("." in fields for _, fields in _CONSTRUCTORS.get(head, (("", "."),)))
    if recursive:
        yield Offer(f"induction {name} <;> grind{brackets}", 0.7)
        yield Offer(f"induction {name} <;> simp_all{brackets}", 0.68)
        if not definitions:
            yield Offer(f"induction {name} <;> omega", 0.3)
    yield Offer(f"cases {name} <;> simp_all{brackets}", 0.55)
    yield Offer(f"cases {name} <;> grind{brackets}", 0.4)
    if not definitions:
        yield Offer(f"cases {name} <;> rfl", 0.6 if head == "Bool" else 0.45)
        if view.shape.op == "∃":
            yield Offer(f"cases {name} <;> first | contradiction | exact ⟨_, rfl⟩ | simp_all", 0.4)
    others = [x.name for x in view.data if x.name != name and x.name in view.words]
    if recursive and others:
        yield Offer(f"induction {name} generalizing {' '.join(others)} <;> simp_all{brackets}", 0.4)
        yield Offer(f"induction {name} generalizing {' '.join(others)} <;> grind{brackets}", 0.42)
    if definitions:
        return
    alternatives = _alternatives(head, local, view)
    if alternatives and recursive:
        yield Offer(f"induction {name} with\n{alternatives}", 0.5)
    if alternatives:
        plain = "\n".join(line.replace(" ih", "") for line in alternatives.split("\n"))
        yield Offer(f"cases {name} with\n{plain}", 0.35)
    elif recursive:
        yield Offer(f"induction {name}", 0.4)
        yield Offer(f"cases {name}", 0.3)


def cases_on(local: Local, view: View) -> Iterator[Offer]:
    """Offers for a proof of something that may be an inductive predicate or a definition with `∃` or `∧` behind it."""
    name = local.name
    if local.shape.op == "∣":
        witness = view.fresh("k")
        yield Offer(f"obtain ⟨{witness}, rfl⟩ := {name}", 0.4)
        yield Offer(f"obtain ⟨{witness}, {view.fresh('h' + witness)}⟩ := {name}", 0.5)
        return
    yield Offer(f"cases {name}", 0.35)
    yield Offer(f"cases {name} <;> simp_all", 0.4)
    yield Offer(f"induction {name} <;> simp_all", 0.35)
    yield Offer(f"induction {name} <;> grind", 0.3)
    yield Offer(f"obtain ⟨{view.fresh('x')}, {view.fresh('hx')}⟩ := {name}", 0.3)


def _alternatives(head: str, local: Local, view: View) -> str:
    """`| zero => ?_` and so on with names that are free; empty for a type that is not in the table."""
    lines = []
    for constructor, fields in _CONSTRUCTORS.get(head, ()):
        taken: set[str] = set()
        names = []
        for kind in fields:
            base = local.name if kind == "." else data_name("") if kind == "x" else kind
            # The variable itself is gone in its own alternative, so its name is free there.
            fresh = base if base == local.name else view.fresh(base, taken)
            taken.add(fresh)
            names.append(fresh)
        if "." in fields:
            names.append(view.fresh("ih"))
        lines.append(" ".join(["|", constructor, *names, "=> ?_"]))
    return "\n".join(lines)


def _head(text: str) -> str:
    words = lexer.tokens(text)
    return words[0].text if words else ""
