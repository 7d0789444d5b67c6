"""Scores lists of answers against the right ones: recall at 1 and 10, nDCG at 10. Values alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

AT = 10


@dataclass(frozen=True, slots=True)
class Quality:
    """Of so many questions: how often the right answer came first, and among ten; how far up (nDCG)."""

    questions: int
    first: float
    among: float
    gain: float


def place(answers: Sequence[str], right: str) -> int | None:
    """Where the right answer stands, from 0; None where it does not. A name that occurs twice counts once."""
    names = list(dict.fromkeys(answers))
    return names.index(right) if right in names else None


def quality(places: Sequence[int | None]) -> Quality:
    """The mean over questions; a right answer that was not found counts 0."""
    count = len(places)
    found = [each for each in places if each is not None and each < AT]
    if not count:
        return Quality(0, 0.0, 0.0, 0.0)
    gain = sum(1 / math.log2(each + 2) for each in found)
    return Quality(count, sum(each == 0 for each in found) / count, len(found) / count, gain / count)
