"""How likely a state is to be proved, and a step to be one of a proof; learned from what searches did. Pure.

Both chances are those of a search of usual length, not of there being a proof: what was given up counts as not proved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tacit.server.prover.features import features, kind_of
from tacit.server.prover.learner import Example, Numbers, Weights
from tacit.server.prover.state import State
from tacit.server.prover.tree import Edge, Node, Tree
from tacit.server.values import Candidate

FIRST = "first"
"""A number that what a search begins with has beside those of its shape, when it is learned from."""
ENOUGH = 48
"""Candidates that must have been tried in vain to say as much as a proof does."""
FEW = 8
"""With fewer than these, that there was no proof says nothing."""
ALIKE = 4.0
"""So many failures of one search count in full; of more, their geometric mean with this: they are much alike."""
HEADS = frozenset(
    "aesop apply assumption by_cases by_contra cases constructor contradiction decide exact exfalso exists ext funext "
    "grind have induction intro intros left linarith match norm_num nlinarith obtain omega push_cast rcases refine rfl "
    "right ring rintro rw simp simp_all simp_arith simpa split subst suffices tauto trivial unfold use".split()
)
"""Tactics that are told apart; all others are one. Names that a user gives to tactics are kept nowhere."""
SOURCES = frozenset("portfolio context nearby file definitions memory premises lemmas model".split())


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one search teaches of states and of steps."""

    states: tuple[Example, ...]
    steps: tuple[Example, ...]


class Judge:
    """Judges states and steps by what is believed of them; `typical` is the chance of a usual step."""

    def __init__(self, states: Weights, steps: Weights, typical: float) -> None:
        self.states, self.steps, self._typical = states, steps, typical

    def cost(self, state: State) -> float:
        """How far from proved a state looks, in nats: minus the logarithm of its chance."""
        return -math.log(self.states.chance(features(state)))

    def promise(self, node: Node, candidate: Candidate, left: int) -> float:
        """How much likelier than a usual step a tactic that leaves so many states is one of a proof: a factor."""
        return self.steps.chance(step_numbers(node, candidate, left)) / self._typical


def step_numbers(node: Node, candidate: Candidate, left: int) -> Numbers:
    """What a tactic is like that was tried on a state and left so many."""
    head = head_of(candidate)
    found = {"one": 1.0, f"tactic {head}": 1.0, f"tactic {head} on {kind_of(_target(node))}": 1.0}
    source = candidate.source if candidate.source in SOURCES else "other"
    found[f"source {source}"] = 1.0
    if left > 1:
        found["goals"] = math.log2(left)
    if node.depth:
        found["depth"] = math.log2(1 + node.depth) / 2
    if node.via is not None and head_of(node.via[0].candidate) == head:
        found[f"again {head}"] = 1.0
    return found


def head_of(candidate: Candidate) -> str:
    """The tactic that a text begins with, where it is one of `HEADS`."""
    words = candidate.text.split(maxsplit=1)
    return words[0] if words and words[0] in HEADS else "other"


def lesson(tree: Tree) -> Lesson:
    """What a search that has ended teaches, in the order in which its states were met."""
    states = [
        (Example(_numbers(tree, node), node.solution is not None), says) for node in tree if (says := _says(node))
    ]
    steps = [
        (Example(step_numbers(node, edge.candidate, len(edge.children)), edge.solved), says)
        for node in tree
        for edge in node.edges
        if edge.children and not edge.refused and (says := _says_of(edge))
    ]
    return Lesson(_weighed(states), _weighed(steps))


def _numbers(tree: Tree, node: Node) -> Numbers:
    """Those of a state. How often what a search begins with is proved says nothing of how often what it meets is."""
    numbers = features(node.state)
    return {**numbers, FIRST: 1.0} if node is tree.root else numbers


def _weighed(found: list[tuple[Example, float]]) -> tuple[Example, ...]:
    vain = sum(says for example, says in found if not example.true)
    share = min(1.0, math.sqrt(ALIKE / vain)) if vain else 1.0
    return tuple(Example(each.numbers, each.true, says if each.true else says * share) for each, says in found)


def _says(node: Node) -> float:
    """How much it says, in [0, 1], that a state was proved, or that it was not."""
    if node.solution is not None:
        return 1.0
    return min(1.0, node.tried / ENOUGH) if node.tried >= FEW or node.exhausted else 0.0


def _says_of(edge: Edge) -> float:
    """How much it says that what a tactic left was proved, or that it was not."""
    return 1.0 if edge.solved else max(0.0 if child.solution is not None else _says(child) for child in edge.children)


def _target(node: Node) -> str:
    return " ".join(node.state.goals[0].target.split())
