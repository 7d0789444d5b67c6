"""Which name of one goal plays the part that a name plays in another: by types, and by what stands beside it.

Pure text; nothing is unified. Goals are those of two proofs, so that no name means the same in both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from tacit.server.tactics import lexer, matching
from tacit.server.values import Goal

MOST = 40
"""Names of one goal that are looked at; of more, the last."""
_SAME_TYPE, _SAME_FORM, _SAME_HEAD, _BESIDE, _SAME_NAME, _TOLD = 3.0, 2.5, 1.2, 1.5, 0.8, 4.0


@dataclass(frozen=True, slots=True)
class Side:
    """A name of a goal: its type, `form` is that with every name as `_`, and what stands beside it in the target."""

    name: str
    type: str
    form: tuple[str, ...]
    beside: frozenset[tuple[str, str]]

    @property
    def head(self) -> tuple[str, ...]:
        """What its type begins with."""
        return self.form[:1]


class Sides:
    """The names of one goal."""

    def __init__(self, goal: Goal) -> None:
        types = {name: " ".join(each.type.split()) for each in goal.hypotheses for name in each.names}
        self.names = frozenset(types)
        self.target = " ".join(goal.target.split())
        beside = _beside(self.target, self.names)
        some = [name for name in types if lexer.is_identifier(name) and "✝" not in name][-MOST:]
        nothing = frozenset[tuple[str, str]]()
        self.sides = tuple(
            Side(name, types[name], _form(types[name], self.names), beside.get(name, nothing)) for name in some
        )

    @cached_property
    def usable(self) -> frozenset[str]:
        """The names that a tactic may mention."""
        return frozenset(each.name for each in self.sides)


def counterparts(old: Sides, new: Sides, but: Collection[tuple[str, str]] = ()) -> Mapping[str, str]:
    """For names of `old` what stands for them in `new`: a name or a term, and no name for two. Pairs in `but` are out.

    A name without counterpart is missing.
    """
    told = matching.match(old.target, new.target, old.usable) or {}
    terms = {name: lexer.argument(term) for name, term in told.items() if not is_name(term)}
    terms = {name: term for name, term in terms.items() if (name, term) not in but}
    scores = []
    for at, one in enumerate(old.sides):
        if one.name in terms:
            continue
        for to, other in enumerate(new.sides):
            if (one.name, other.name) in but:
                continue
            score = _score(one, other, told, len(old.sides) - at == len(new.sides) - to)
            if score:
                scores.append((-score, at, to, one.name, other.name))
    found = _pair(scores)
    again = [
        (score - (_TOLD / 2 if _agree(old.sides[at].type, new.sides[to].type, found) else 0.0), at, to, one, other)
        for score, at, to, one, other in scores
    ]
    return _pair(again) | terms


def is_name(term: str) -> bool:
    """Whether a term is a name alone."""
    return len(lexer.tokens(term)) == 1 and lexer.is_identifier(term)


def _pair(scores: list[tuple[float, int, int, str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    taken: set[str] = set()
    for _, _, _, one, other in sorted(scores):
        if one not in found and other not in taken:
            found[one] = other
            taken.add(other)
    return found


def _score(one: Side, other: Side, told: Mapping[str, str], same_place: bool) -> float:
    """How well one name stands for another; 0 where it cannot."""
    if one.type == other.type:
        score = _SAME_TYPE
    elif one.form == other.form:
        score = _SAME_FORM
    elif one.head == other.head and one.head not in ((), ("_",)):
        score = _SAME_HEAD
    else:
        return 0.0
    if one.name in told:
        score += _TOLD if told[one.name] == other.name else -_TOLD
    both = one.beside | other.beside
    if both:
        score += _BESIDE * len(one.beside & other.beside) / len(both)
    if one.name == other.name:
        score += _SAME_NAME
    return max(0.01, score + 0.2 * same_place)


def _agree(then: str, now: str, names: Mapping[str, str]) -> bool:
    """Whether a type is the other once names are put in the place of names."""
    words = lexer.tokens(then)
    if len(words) < 2:
        return False
    return [names.get(word.text, word.text) for word in words] == [word.text for word in lexer.tokens(now)]


def _form(text: str, names: frozenset[str]) -> tuple[str, ...]:
    return tuple("_" if word.text in names else word.text for word in lexer.tokens(text))


def _beside(target: str, names: frozenset[str]) -> dict[str, frozenset[tuple[str, str]]]:
    """For each name what stands before and behind it in a target."""
    words = ["", *_form(target, names), ""]
    found: dict[str, set[tuple[str, str]]] = {}
    for at, word in enumerate(lexer.tokens(target), 1):
        if word.text in names:
            found.setdefault(word.text, set()).add((words[at - 1], words[at + 1]))
    return {name: frozenset(each) for name, each in found.items()}
