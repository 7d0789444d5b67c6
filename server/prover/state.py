"""Proof states: what is still to be proved at one place, as Lean prints it. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tacit.server.values import UNKNOWN, Goal

_HIDDEN = re.compile("✝[⁰¹²³⁴⁵⁶⁷⁸⁹]*")
UNKNOWNS = 1.5
"""What goals that share unknowns cost more: what to put for these must be guessed before much can be proved."""


@dataclass(frozen=True)
class State:
    """One goal, or several that share unknowns and can only be proved together, the main one first."""

    goals: tuple[Goal, ...]

    @property
    def joined(self) -> bool:
        """Whether each candidate needs goals of its own, not copies: unknowns are shared."""
        return len(self.goals) > 1 or self.goals[0].has_metavariables

    @cached_property
    def key(self) -> tuple[object, ...]:
        """The same for states that are proved the same way: tags, line breaks, the names of unknowns and the numbers of
        hidden names apart.
        """
        unknowns: dict[str, str] = {}

        def plain(text: str) -> str:
            text = _HIDDEN.sub("✝", " ".join(text.split()))
            return UNKNOWN.sub(lambda found: unknowns.setdefault(found[0], f"?{len(unknowns)}"), text)

        return tuple(_shape(goal, plain) for goal in self.goals)

    @cached_property
    def size(self) -> float:
        """How far from proved it looks: about 1 for a short goal; longer and several ones, and unknowns, add to it."""
        return sum(_size(goal) for goal in self.goals) + (UNKNOWNS if self.joined else 0.0)


def states(goals: Sequence[Goal]) -> tuple[State, ...]:
    """The states that a tactic's goals fall into: one each, unless some share unknowns."""
    if any(goal.has_metavariables for goal in goals):
        return (State(tuple(goals)),)
    return tuple(State((goal,)) for goal in goals)


def _shape(goal: Goal, plain: Callable[[str], str]) -> object:
    hypotheses = tuple(
        (tuple(plain(name) for name in each.names), plain(each.type), plain(each.value or ""))
        for each in goal.hypotheses
    )
    return hypotheses, plain(goal.target)


def _size(goal: Goal) -> float:
    size = 0.6 + 0.4 * math.log2(1 + len(goal.target) / 12)
    return size + (1.0 if goal.target == "False" else 0.0)
