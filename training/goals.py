"""A theorem's statement as the goal that Lean prints when its proof begins, as far as text allows.

Lean elaborates, this restates: hypotheses one line a binder, instances as `inst✝`, `Type*` as `Type u_1`, the rest as
written. What Lean adds by itself (auto-bound variables, coercions, types of bound variables) is not there.
"""

from __future__ import annotations

import re

from tacit.index.binders import Binder, binders
from tacit.index.lexer import split_top
from tacit.index.premise import Premise

_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_STAR = re.compile(r"\b(Type|Sort)\*")


def goal_of(premise: Premise) -> str:
    """The goal: hypotheses, then `⊢` and the target."""
    return with_hypotheses(hypotheses(f"{premise.context} {premise.binders}"), premise.type)


def with_hypotheses(lines: list[str], target: str) -> str:
    """A goal of these hypotheses."""
    return "\n".join([*lines, f"⊢ {target}"])


def hypotheses(text: str) -> list[str]:
    """The lines for the binders of a statement: `{G : Type*} [Group G] (a b : G)`."""
    found = binders(text)
    unnamed = sum(not each.names and each.bracket == "[" for each in found)
    lines = []
    universes = 0
    for each in found:
        type_ = _without_default(each)
        if not type_:
            continue
        while _STAR.search(type_):
            universes += 1
            type_ = _STAR.sub(rf"\1 u_{universes}", type_, count=1)
        if each.names:
            names = " ".join("x✝" if name == "_" else name for name in each.names)
        elif each.bracket == "[":
            unnamed -= 1
            names = "inst✝" + (str(unnamed).translate(_SUPERSCRIPT) if unnamed else "")
        else:
            continue
        lines.append(f"{names} : {type_}")
    return lines


def _without_default(binder: Binder) -> str:
    """The type of `(h : p := by simp)` without its default."""
    if ":=" not in binder.type:
        return binder.type
    parts = split_top(binder.type, ":")
    kept = parts[0]
    for each in parts[1:]:
        if each.startswith("="):
            break
        kept += ":" + each
    return kept.strip()
