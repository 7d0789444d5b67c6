"""Weights from traces: what Tacit ships, and how well it judges what it has not seen. Needs numpy, for a second.

    found = lessons(paths)                      # [(file, Lesson), …]
    fit([lesson for _, lesson in found])        # Base
    crossed([(file, lesson.states) for file, lesson in found])      # Measure

The same model as `learner`, solved at once: the most likely means under their prior, by Newton's method.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tacit.server.prover.experience import Base
from tacit.server.prover.learner import LEAST, MOST, UNKNOWN, Belief, Example, Numbers, Weights
from tacit.server.prover.traces import trees
from tacit.server.prover.value import Lesson, lesson

TRUST = 0.25
"""How much of the certainty of fitted weights is kept: what a user proves is not what they were fitted on."""
FOLDS = 8


@dataclass(frozen=True, slots=True)
class Measure:
    """How good chances are: examples and how many came true; the share of pairs put in the right order (ties half);
    the mean of minus the logarithm of what was given to what came true, in nats. All weighted; None of nothing."""

    examples: int
    true: int
    auc: float | None
    loss: float | None


def lessons(paths: Iterable[Path]) -> list[tuple[str, Lesson]]:
    """What each traced search teaches, with the file it was in. Raises OSError."""
    return [(str(about.get("file", "")), lesson(tree)) for about, tree in trees(paths)]


def fit(found: Sequence[Lesson], names: Iterable[str] | None = None) -> Base:
    """The weights that these lessons teach; with `names`, of these numbers of a state alone."""
    kept = None if names is None else tuple(names)
    states = [each if kept is None else only(each, kept) for one in found for each in one.states]
    # How steps fare differs so much from one project to another that how often they do is all that is shipped.
    steps = believed([only(each, ("one",)) for one in found for each in one.steps])
    return Base(believed(states), steps, Weights(steps).chance({"one": 1.0}))


def believed(examples: Sequence[Example]) -> dict[str, Belief]:
    """The likeliest weights under a normal prior of precision UNKNOWN, with `TRUST` of their certainty."""
    import numpy as np

    names = sorted({name for each in examples for name in each.numbers})
    if not names:
        return {}
    column = {name: at for at, name in enumerate(names)}
    rows = np.zeros((len(examples), len(names)))
    for at, each in enumerate(examples):
        for name, number in each.numbers.items():
            rows[at, column[name]] = number
    true = np.array([float(each.true) for each in examples])
    weight = np.array([each.weight for each in examples])
    prior = np.full(len(names), UNKNOWN)
    prior[column["one"]] = 0.01  # how often anything is proved is for the examples to say
    means, curve = np.zeros(len(names)), np.diag(prior)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(rows @ means, -30, 30)))
        slope = rows.T @ (weight * (true - chance)) - prior * means
        curve = (rows * (weight * chance * (1 - chance))[:, None]).T @ rows + np.diag(prior)
        step = np.linalg.solve(curve, slope)
        means += step
        if np.abs(step).max() < 1e-6:
            break
    sure = UNKNOWN + TRUST * (np.diag(curve) - prior)
    return {name: Belief(float(mean), float(known)) for name, mean, known in zip(names, means, sure, strict=True)}


def measure(groups: Iterable[Sequence[tuple[Example, float]]]) -> Measure:
    """How good the chances are that these examples were given; only those of one group are compared with each other."""
    examples = true = 0
    right = pairs = loss = total = 0.0
    for group in groups:
        told = sorted(group, key=lambda pair: pair[1])
        examples, true = examples + len(told), true + sum(each.true for each, _ in told)
        below = 0.0
        for chance, same in groupby(told, key=lambda pair: pair[1]):
            tied = [each for each, _ in same]
            won, lost = (sum(each.weight for each in tied if each.true is what) for what in (True, False))
            held = min(MOST, max(LEAST, chance))
            loss -= won * math.log(held) + lost * math.log(1 - held)
            right += won * (below + lost / 2)
            below += lost
            total += won + lost
        pairs += below * sum(each.weight for each, _ in told if each.true)
    return Measure(examples, true, right / pairs if pairs else None, loss / total if total else None)


def only(example: Example, names: Iterable[str]) -> Example:
    """An example of which nothing but these is known."""
    numbers: Numbers = {name: example.numbers[name] for name in names if name in example.numbers}
    return Example(numbers, example.true, example.weight)


def crossed(found: Sequence[tuple[str, Sequence[Example]]], names: Iterable[str] | None = None) -> Measure:
    """How good chances are of examples in files that took no part: fitted on seven eighths of the files, eight times.

    With `names`, weights are given to these numbers alone.
    """
    kept = list(names) if names is not None else None
    files = sorted({file for file, _ in found})
    fold = {file: at % FOLDS for at, file in enumerate(files)}
    examples = [(fold[file], each if kept is None else only(each, kept)) for file, those in found for each in those]
    groups: list[list[tuple[Example, float]]] = []
    for number in range(min(FOLDS, len(files))):
        weights = Weights(believed([each for at, each in examples if at != number]))
        groups.append([(each, weights.chance(each.numbers)) for at, each in examples if at == number])
    return measure(groups)
