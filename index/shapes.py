"""The names and statements of lemmas that attributes make of a declaration, as far as text gives them. Pure functions.

`_` stands for what Lean computes: the right side of a `simps` lemma, the unfolding of a definition.
"""

from __future__ import annotations

from tacit.index.binders import binders
from tacit.index.lexer import mentions, one_line, split_top
from tacit.index.premise import Premise
from tacit.index.simps import Lemma

_USUAL = {"symm_apply": ".symm", "apply": ""}
_LONGEST = 300
Statement = dict[str, str]
"""What changes in the premise that a lemma is made from: context, binders, type."""


def applied(of: Premise) -> str:
    """A declaration with its explicit arguments: `Prod.map f g`."""
    taken = [each for each in (*binders(of.context), *binders(of.binders)) if each.bracket == "("]
    return " ".join([of.name, *(name for each in taken for name in each.names)])


def sides(type_: str, *, forward: bool) -> str:
    """What `alias ⟨mp, mpr⟩` makes of an equivalence: the implication to the right or to the left."""
    both = [side.strip() for side in split_top(type_, "↔")]
    if len(both) != 2:
        return type_
    return " → ".join(both if forward else reversed(both))


def projection(of: Premise, lemma: Lemma) -> Statement:
    """A lemma of `simps`: `(foo a).obj X = F X`, `foo a x = x + 1`."""
    this = applied(of)
    for usual, sign in _USUAL.items():  # the coercion to a function is not written
        if lemma.path == usual or lemma.path.endswith(f"_{usual}"):
            path = lemma.path.removesuffix(usual).strip("_").replace("_", ".") + sign
            break
    else:
        path = lemma.path.replace("_", ".")
    this = f"({this})" if " " in this and path else this
    left = " ".join(each for each in (f"{this}.{path.lstrip('.')}".rstrip("."), lemma.arguments) if each)
    value = one_line(lemma.value)
    return {"type": f"{left} = {value if value and len(value) <= _LONGEST else '_'}"}


def unfolded(of: Premise) -> Statement:
    """The lemma `foo_def` of an `irreducible_def`."""
    return {"type": f"{applied(of)} = _"}


def mk_iff(of: Premise) -> Statement:
    """The lemma of `mk_iff`: a proposition is its constructor's arguments."""
    return {"type": f"{applied(of)} ↔ _"}


def reassociated(of: Premise) -> Statement:
    """The lemma of `reassoc`: an equation of morphisms, composed with one more."""
    both = [side.strip() for side in split_top(of.type, "=")]
    return {"type": f"{both[0]} ≫ h = {both[1]} ≫ h"} if len(both) == 2 else {}


def structure_ext(of: Premise, fields: list[str]) -> tuple[Statement, Statement]:
    """The lemmas `S.ext` and `S.ext_iff` of a structure with these fields, proofs left out."""
    equal = [f"x.{each} = y.{each}" for each in fields]
    context = " ".join(each for each in (of.context, of.binders) if each)
    shape = {"context": context, "binders": f"{{x y : {applied(of)}}}"}
    return (
        {**shape, "type": " → ".join([*equal, "x = y"])},
        {**shape, "type": f"x = y ↔ {' ∧ '.join(equal) or 'True'}"},
    )


def ext_iff(of: Premise) -> Statement:
    """`x = y ↔ hypotheses` of an extensionality lemma: explicit arguments that the conclusion does not mention."""
    *before, conclusion = (each.strip() for each in split_top(of.type, "→"))
    mentioned = mentions(conclusion)
    hypotheses, kept = [], []
    for each in binders(of.binders):
        if each.bracket == "(" and each.type and mentioned.isdisjoint(each.names):
            hypotheses.append(each.type)
        else:
            kept.append(each.text)
    hypotheses += before
    side = " ∧ ".join(f"({each})" for each in hypotheses) if len(hypotheses) > 1 else "".join(hypotheses) or "True"
    return {"binders": " ".join(kept), "type": f"{conclusion} ↔ {side}"}


def mk_iff_name(name: str) -> str:
    """`IsFoo` gives `isFoo_iff`."""
    namespace, dot, last = name.rpartition(".")
    return f"{namespace}{dot}{last[:1].lower()}{last[1:]}_iff"


def to_fun_name(name: str, given: str) -> str:
    """`foo` gives `fun_foo`; a given name of several components replaces as many of the namespace."""
    if given.startswith("_root_."):
        return given[7:]
    parts = name.split(".")
    if not given:
        parts[-1] = f"fun_{parts[-1]}"
        return ".".join(parts)
    return ".".join([*parts[: max(len(parts) - 1 - given.count("."), 0)], given])


def higher_order_name(name: str, given: str) -> str:
    """`foo` gives `foo'`, or the given name in the same namespace."""
    namespace, dot, _ = name.rpartition(".")
    return f"{namespace}{dot}{given}" if given else f"{name}'"
