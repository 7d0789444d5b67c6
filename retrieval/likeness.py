"""What makes one goal like another, as far as their texts tell: keys with weights. Pure functions.

Constants (those of hypotheses for less), what stands beside what in the target, its relation with the heads of its
sides, its whole form with variables numbered, the types of its variables, the words of the theorem's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from tacit.index.uses import key
from tacit.retrieval.form import form

MOST_HYPOTHESES = 24
"""Of a long context the last ones count: those that the theorem is about."""
LONGEST = 600
"""Characters of one type that are looked at."""
_TARGET, _NEEDED, _LOCAL, _SIDES, _BESIDE, _WHOLE, _TYPE, _WORD = 1.0, 0.6, 0.5, 1.0, 0.7, 1.5, 0.3, 0.6
_TOKEN = re.compile(r"[^\W\d][\w'!?✝]*(?:\.[^\W\d][\w'!?]*)*|\.[^\W\d][\w'!?]*|\d+|⁻¹|:=|\S")
_BLANK = frozenset("( ) [ ] { } ⟨ ⟩ ⦃ ⦄ , :".split())
_SORT = re.compile(r"(?:Type|Sort|Prop)\b")

Features = Mapping[int, float]


def features(target: str, hypotheses: Sequence[tuple[str, str]], name: str = "") -> dict[int, float]:
    """The keys of a goal and what each counts, before its rarity does.

    `hypotheses` are names and types, those that are instances among them; `name` is that of the theorem being proved.
    """
    variables = frozenset(each for each, _ in hypotheses)
    found: dict[str, float] = {}

    def add(what: str, weight: float) -> None:
        found[what] = max(found.get(what, 0.0), weight)

    read = form(target, variables)
    for constant in read.constants:
        add(f"c {constant}", _TARGET)
    for need in read.needs:
        for constant in need:
            add(f"c {constant}", _NEEDED)
    add(f"s {read.relation} {read.heads[0]} {read.heads[1]}", _SIDES)
    add(f"r {read.relation}", _SIDES / 2)
    words = numbered(target, variables)
    for word in words:
        if word[0] == ".":
            for field in word[1:].split("."):  # `t.left.size` speaks of both
                add(f"c {field}", _TARGET)
    add(f"w {' '.join(words)}", _WHOLE)
    plain = ["_" if each[0] == "_" else each for each in words if each not in _BLANK]
    for one, other in pairwise(["", *plain, ""]):
        add(f"b {one} {other}", _BESIDE)
    for _, type_ in hypotheses[-MOST_HYPOTHESES:]:
        if _SORT.match(type_):
            continue
        inside = form(type_[:LONGEST], variables)
        for constant in inside.constants:
            add(f"c {constant}", _LOCAL)
        add(f"t {inside.relation} {inside.heads[0]} {inside.heads[1]}", _TYPE)
    for word in re.split(r"[._']+", name.rpartition(".")[2]):
        if word:
            add(f"n {word}", _WORD)
    return {key(each): weight for each, weight in found.items()}


def numbered(text: str, variables: frozenset[str]) -> list[str]:
    """The words of a type with its variables as `_0`, `_1`, … in the order in which they come; fields stay.

    >>> numbered("b + a = a + b", frozenset("ab"))
    ['_0', '+', '_1', '=', '_1', '+', '_0']
    """
    numbers: dict[str, str] = {}
    found = []
    for token in _TOKEN.findall(text[:LONGEST]):
        first, dot, rest = token.partition(".")
        if first in variables:
            found.append(numbers.setdefault(first, f"_{len(numbers)}"))
            if rest:
                found.append(dot + rest)
        else:
            found.append(token)
    return found
