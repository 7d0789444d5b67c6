"""What differs between two theorems, as words to put in the place of others: `min` and `max`, `left` and `right`.

`min_assoc` is to `max_assoc` as `eq_min` is to `eq_max`. Pure functions on names and statements as text; whether there
is a declaration of a name that is made so is for others to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tacit.retrieval.likeness import numbered

MOST = 3
"""Constants of a target that may differ; of more the theorems are not analogous."""
_NAME = re.compile(r"[^\W\d]")
_PART = re.compile(r"[^._]+|[._]")

Words = tuple[str, ...]


def differences(
    then: str, now: str, target: str, other: str, variables: frozenset[str], others: frozenset[str]
) -> dict[Words, Words]:
    """What of the name `then` and its `target` stands otherwise in `now` and in the `other` target.

    >>> differences("min_comm", "max_comm", "min a b = min b a", "max a b = max b a", frozenset("ab"), frozenset("ab"))
    {('min',): ('max',)}
    """
    found: dict[Words, Words] = {}
    one, two = _parts(then.rpartition(".")[2]), _parts(now.rpartition(".")[2])
    middle = _middle(one, two)
    if middle is not None:
        found[middle[0]] = middle[1]
    here, there = numbered(target, variables), numbered(other, others)
    if len(here) == len(there):
        pairs = {(a, b) for a, b in zip(here, there, strict=True) if a != b}
        if 0 < len(pairs) <= MOST and len({a for a, _ in pairs}) == len(pairs):
            for a, b in sorted(pairs):
                if _NAME.match(a) and _NAME.match(b):
                    found.setdefault((a.rpartition(".")[2],), (b.rpartition(".")[2],))
    return found


def translated(name: str, words: Mapping[Words, Words]) -> str:
    """A name, perhaps with namespaces, in which every word of the left is that of the right.

    >>> translated("Nat.min_le_left", {("min",): ("max",)})
    'Nat.max_le_left'
    """
    parts = _PART.findall(name)
    for old, new in words.items():
        wanted = _with_marks(old)
        at = 0
        while at + len(wanted) <= len(parts):
            if parts[at : at + len(wanted)] == wanted:
                put = _with_marks(new)
                parts[at : at + len(wanted)] = put
                at += len(put)
            else:
                at += 1
    return "".join(parts)


def _parts(label: str) -> list[str]:
    return [each for each in label.split("_") if each]


def _with_marks(words: Words) -> list[str]:
    return [part for number, word in enumerate(words) for part in (["_"] if number else []) + [word]]


def _middle(one: Sequence[str], two: Sequence[str]) -> tuple[Words, Words] | None:
    """What is left of two names without what they begin and end with alike; None where that is all, or nothing."""
    if list(one) == list(two):
        return None
    begin = 0
    while begin < min(len(one), len(two)) and one[begin] == two[begin]:
        begin += 1
    end = 0
    while end < min(len(one), len(two)) - begin and one[-1 - end] == two[-1 - end]:
        end += 1
    if not begin + end:
        return None
    old, new = tuple(one[begin : len(one) - end]), tuple(two[begin : len(two) - end])
    return (old, new) if old and new and max(len(old), len(new)) <= 2 else None
