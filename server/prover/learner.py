"""Learns chances from examples one by one, and forgets slowly. Pure; logistic regression that knows how sure it is.

Each weight has a mean and a precision (one over its variance), for itself. An example moves the means by one step of
Newton's method along it and adds to the precisions: the extended Kalman filter with a diagonal covariance (Puskorius
and Feldkamp, "Decoupled extended Kalman filter training of feedforward layered networks", IJCNN 1991).

What was gained is kept apart from what it began with, as sums (of precision, and of precision times mean): so what two
processes learn at the same time can be added, and what is old can fade.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Numbers = Mapping[str, float]
"""What an example is like: a number for each of its features; those that are not named are 0."""
LEAST, MOST = 0.01, 0.99
"""Chances beyond these are not believed: they would shut something out for good, or let nothing else in."""
UNKNOWN = 4.0
"""The precision of a weight that nothing is known of; its mean is 0."""
LOWEST = 1e-3
"""The variance that an outcome has at least, however certain it was."""


@dataclass(frozen=True, slots=True)
class Example:
    """What it was like, whether it came true, and how much that says, in [0, 1]."""

    numbers: Numbers
    true: bool
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Belief:
    """A weight: its mean, and how precisely that is known."""

    mean: float = 0.0
    precision: float = UNKNOWN


Gain = Mapping[str, tuple[float, float]]
"""What examples taught of each weight: precision, and the growth of precision times mean."""


class Weights:
    """What is believed of each weight: what it began with, and what was gained since; it goes on learning."""

    def __init__(self, base: Mapping[str, Belief], gain: Gain | None = None) -> None:
        self._now = dict(base)
        for name, (precision, pull) in (gain or {}).items():
            known = base.get(name, Belief())
            sure = known.precision + precision
            self._now[name] = Belief((known.mean * known.precision + pull) / sure, sure)

    def logit(self, numbers: Numbers) -> float:
        """The logarithm of the odds."""
        now = self._now
        return sum(now[name].mean * number for name, number in numbers.items() if name in now)

    def chance(self, numbers: Numbers) -> float:
        """The probability, within `LEAST` and `MOST`."""
        return min(MOST, max(LEAST, sigmoid(self.logit(numbers))))

    def learn(self, examples: Iterable[Example]) -> Gain:
        """Learn from examples in their order; what they taught."""
        taught: dict[str, tuple[float, float]] = {}
        for each in examples:
            _add(taught, self._lesson(each))
        return taught

    def _lesson(self, example: Example) -> Gain:
        """Learn from one example."""
        beliefs = {name: self._now.get(name, Belief()) for name in example.numbers}
        numbers = example.numbers
        chance = sigmoid(sum(belief.mean * numbers[name] for name, belief in beliefs.items()))
        certainty = max(LOWEST, chance * (1 - chance)) * example.weight
        spread = sum(numbers[name] ** 2 / belief.precision for name, belief in beliefs.items())
        step = example.weight * (example.true - chance) / (1 + certainty * spread)
        lesson: dict[str, tuple[float, float]] = {}
        for name, belief in beliefs.items():
            mean = belief.mean + step * numbers[name] / belief.precision
            precision = certainty * numbers[name] ** 2
            sure = belief.precision + precision
            lesson[name] = precision, sure * mean - belief.precision * belief.mean
            self._now[name] = Belief(mean, sure)
        return lesson


def total(old: Gain, new: Gain, keep: float = 1.0) -> Gain:
    """What both taught, where `keep` of the old is kept."""
    sums = {name: (precision * keep, pull * keep) for name, (precision, pull) in old.items()}
    _add(sums, new)
    return sums


def _add(sums: dict[str, tuple[float, float]], gain: Gain) -> None:
    for name, (precision, pull) in gain.items():
        known = sums.get(name, (0.0, 0.0))
        sums[name] = known[0] + precision, known[1] + pull


def sigmoid(logit: float) -> float:
    """One over one plus e to the minus `logit`."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
