"""Names for what a tactic introduces, in the habits of Lean's libraries: `hp : p`, `hx : x ∈ s`, `x` from `∀ x`."""

from __future__ import annotations

from dataclasses import replace

from tacit.server.tactics import lexer, shape
from tacit.server.tactics.shape import Binder
from tacit.server.tactics.view import SUBSCRIPTS, View, fresh
from tacit.server.values import Hypothesis

_BY_HEAD = {
    "Nat": "n", "ℕ": "n", "Int": "n", "ℤ": "n", "Rat": "q", "ℚ": "q", "Real": "x", "ℝ": "x", "ℂ": "z", "Bool": "b",
    "Char": "c", "String": "s", "List": "l", "Array": "a", "Option": "o", "Fin": "i", "Set": "s", "Finset": "s",
    "Multiset": "s", "Prop": "p", "Type": "α", "Sort": "α",
}  # fmt: skip


def proof_name(text: str) -> str:
    """The habitual name of a proof of `text`, before it is made fresh."""
    read = shape.read(text)
    subject = read.left or read.right
    if read.op == "¬":
        inner = proof_name(read.right)
        return f"hn{inner[1:]}" if len(inner) > 1 else "h"
    if read.op in shape.RELATIONS:
        for side in (read.left, read.right):
            if lexer.is_identifier(side) and len(side) <= 2:
                return "h" + side
        return "h"
    if read.op == "" and len(subject) <= 2 and lexer.is_identifier(subject):
        return "h" + subject
    return "h"


def data_name(text: str) -> str:
    """The habitual name of an element of the type `text`, before it is made fresh."""
    words = lexer.tokens(text)
    head = words[0].text if words else ""
    if shape.read(text).op == "→":
        return "f"
    return _BY_HEAD.get(head, "x")


def binder_name(binder: Binder, view: View, taken: set[str]) -> str:
    """A fresh name for one bound variable or premise; it is added to `taken`."""
    printed = binder.name if not binder.name.endswith("✝") and binder.name not in {"", "_"} else ""
    if printed:
        # Inside `∀ x, …` the binder's own name is a word of the target: only the context can collide.
        used = {*view.types, *taken}
        stem, _, number = printed.rpartition("_")
        if stem in used and number.isdigit():
            printed = stem  # Lean prints `x_1` where `x` is hidden
        name = fresh(printed, used)
    elif binder.type.startswith("inst") or not binder.explicit:
        return "_"
    else:
        proof = view.is_proposition(binder.type)
        base = data_name(binder.type) if proof is False else proof_name(binder.type)
        name = fresh(base, {*view.types, *view.words, *taken})
    taken.add(name)
    return name


def intro_names(view: View) -> tuple[str, ...]:
    """Names for everything that `intro` can introduce at the target, `¬` and `≠` unfolded; at most eight."""
    taken: set[str] = set()
    binders, _ = shape.telescope(view.target, negation=True)
    names = [binder_name(binder, view, taken) for binder in binders[:8]]
    alike = [at for at, name in enumerate(names) if name.rstrip(SUBSCRIPTS) == "h"]
    numbered = ["h" + SUBSCRIPTS[number] for number in range(1, len(alike) + 1)]
    if len(alike) > 1 and not set(numbered) & set(view.types):
        for at, name in zip(alike, numbered, strict=True):
            names[at] = name
    return tuple(names)


def introduced(view: View) -> tuple[str, View] | None:
    """`intro x y h` and the goal behind it; None where the target has nothing to introduce."""
    binders, conclusion = shape.telescope(view.target)
    fresh_names = intro_names(view)
    if not binders or len(fresh_names) != len(binders):
        return None
    renamed: dict[str, str] = {}
    hypotheses = list(view.goal.hypotheses)
    for binder, name in zip(binders, fresh_names, strict=True):
        hypotheses.append(Hypothesis((name,), shape.substitute(binder.type, renamed)))
        if binder.name and binder.name != name:
            renamed[binder.name] = name
    inner = replace(view.goal, hypotheses=tuple(hypotheses), target=shape.substitute(conclusion, renamed))
    return f"intro {' '.join(fresh_names)}", View(inner)


def pattern(text: str, view: View, taken: set[str], alternatives: bool = True, depth: int = 3) -> str:
    """The pattern that takes a proof of `text` apart: `⟨hp, hq⟩`, `⟨x, hx⟩`, `hp | hq`; a name when there is nothing.

    Without `alternatives`, a disjunction stays whole (the patterns of `have` and `fun` have none).
    """
    read = shape.read(text)
    if depth and read.op == "∧":
        left = pattern(read.left, view, taken, alternatives, depth - 1)
        right = pattern(read.right, view, taken, alternatives, depth - 1)
        left = f"({left})" if " | " in left and left[0] != "⟨" else left
        return f"⟨{left}, {_inside(right)}⟩"
    if depth and read.op == "∃" and read.binders:
        names = {binder.name: binder_name(binder, view, taken) for binder in read.binders}
        body = shape.substitute(read.right, names)
        bound = next(reversed(names.values()))
        if shape.read(body).op in {"∧", "∃"}:
            rest = pattern(body, view, taken, alternatives, depth - 1)
        else:
            rest = fresh("h" + bound if len(bound) <= 2 else "h", {*view.types, *view.words, *taken})
            taken.add(rest)
        return f"⟨{', '.join(names.values())}, {_inside(rest)}⟩"
    if depth and alternatives and read.op == "∨":
        left = pattern(read.left, view, taken, alternatives, depth - 1)
        return f"{left} | {pattern(read.right, view, taken, alternatives, depth - 1)}"
    if read.op == "False":
        return "⟨⟩"
    name = fresh(proof_name(text), {*view.types, *view.words, *taken})
    taken.add(name)
    return name


def _inside(right: str) -> str:
    """A pattern as the last component of `⟨a, …⟩`: a nested anonymous constructor is spliced in."""
    if right.startswith("⟨") and lexer.is_atomic(right):
        return right[1:-1]
    return f"({right})" if " | " in right else right
