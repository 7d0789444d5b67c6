"""The tree of a search: states (one of whose tactics must work) and tactics (all of whose states must be proved).

States that are met again are shared, so that it is a graph without cycles: a tactic that leads back to a state on the
way is left out. What is proved or hopeless is told upwards at once. No Lean, no clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tacit.server.lean.batch import Step, Way
from tacit.server.prover.state import State, states
from tacit.server.values import Candidate, CheckedTactic, Verdict

STEP = 0.5
"""What each further step costs, in nats, beside how unlikely it is."""
SIBLING = 1.0
"""How much of what is left of the other goals of a tactic counts for each of them: all must be proved."""


@dataclass(eq=False, slots=True)
class Edge:
    """A tactic that made progress, with a state for each goal or group of goals that it leaves."""

    parent: Node
    candidate: Candidate
    children: tuple[Node, ...] = ()
    refused: bool = False

    @property
    def solved(self) -> bool:
        """Whether every state that it leaves is proved."""
        return not self.refused and all(child.solution is not None for child in self.children)

    @property
    def dead(self) -> bool:
        """Whether it can never be."""
        return self.refused or any(child.dead for child in self.children)

    def step(self, index: int) -> Step:
        """The step to one of its states."""
        return Step(self.candidate.text, index, len(self.children))


@dataclass(eq=False, slots=True)
class Node:
    """A state. `cost` (nats) is that of the way here; `via` the way's last tactic, and which of its states this is.

    `left` is how far from proved it looks, in nats.
    """

    number: int
    state: State
    left: float
    cost: float = 0.0
    depth: int = 0
    via: tuple[Edge, int] | None = None
    edges: list[Edge] = field(default_factory=list)
    parents: list[Edge] = field(default_factory=list)
    solution: Edge | None = None
    exhausted: bool = False
    dead: bool = False
    tried: int = 0

    @property
    def open(self) -> bool:
        """Whether it may still be worked on."""
        return self.solution is None and not self.dead and not self.exhausted

    @property
    def shortest(self) -> Edge | None:
        """Of the tactics that prove it, the one whose proof is the shortest to read."""
        return min((edge for edge in self.edges if edge.solved), key=_length, default=None)


def _length(edge: Edge) -> int:
    below = (child.shortest for child in edge.children)
    return len(edge.candidate.text) + sum(10 + _length(each) for each in below if each is not None)


class Tree:
    """All states of one search; `judge` says how far from proved a state looks, in nats."""

    def __init__(self, root: State, judge: Callable[[State], float] = lambda state: state.size) -> None:
        self._judge = judge
        self.root = Node(0, root, judge(root))
        self._nodes: dict[tuple[object, ...], Node] = {root.key: self.root}

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    @property
    def depth(self) -> int:
        """Of the deepest state."""
        return max(node.depth for node in self)

    def find(self, state: State) -> Node | None:
        """What is known of a state; None for one that was never met."""
        return self._nodes.get(state.key)

    def way(self, node: Node) -> Way:
        """The steps from the root to a state."""
        steps: list[Step] = []
        at = node
        while at.via is not None:
            edge, index = at.via
            steps.append(edge.step(index))
            at = edge.parent
        return tuple(reversed(steps))

    def add(self, node: Node, checked: CheckedTactic, probability: float) -> Edge | None:
        """Note that a tactic works on a state; None where that is nothing new, or leads back to where it came from."""
        if checked.verdict not in (Verdict.CLOSES, Verdict.PROGRESSES):
            return None
        left = states(checked.goals) if checked.verdict is Verdict.PROGRESSES else ()
        keys = tuple(each.key for each in left)
        above = self._above(node)
        if any(key in above for key in keys):
            return None
        if keys and any(
            tuple(child.state.key for child in edge.children) == keys for edge in node.edges if not edge.refused
        ):
            # A shorter text for the same result would only matter for reading; the first came from a better source.
            return None
        edge = Edge(node, checked.candidate)
        step = STEP - math.log(max(probability, 1e-3))
        known = [self._nodes.get(key) for key in keys]
        rest = [found.left if found else self._judge(each) for found, each in zip(known, left, strict=True)]
        edge.children = tuple(
            self._child(edge, index, each, rest[index], node.cost + step + SIBLING * (sum(rest) - rest[index]))
            for index, each in enumerate(left)
        )
        node.edges.append(edge)
        for child in edge.children:
            child.parents.append(edge)
        if edge.solved:
            self._solved(edge)
        return edge

    def exhaust(self, node: Node) -> None:
        """There is nothing more to try on a state."""
        node.exhausted = True
        self._settle(node)

    def refuse(self, edge: Edge) -> None:
        """A proof that this tactic begins did not hold as a whole: it is no solution of its state."""
        edge.refused = True
        node = edge.parent
        node.solution = next((other for other in node.edges if other.solved), None)
        if node.solution is None:
            self._unsolved(node)
            self._settle(node)

    def restore(self, edge: Edge) -> None:
        """Take back that a tactic was refused."""
        edge.refused = edge.parent.dead = False
        if edge.solved:
            self._solved(edge)

    def frontier(self) -> list[Node]:
        """The states worth working on: open, and wanted by a tactic that is."""
        wanted: dict[int, bool] = {self.root.number: self.root.solution is None and not self.root.dead}
        return [node for node in self if node.open and self._wanted(node, wanted)]

    def _wanted(self, node: Node, known: dict[int, bool]) -> bool:
        if node.number not in known:
            known[node.number] = False  # on the way round a circle nothing wants itself
            known[node.number] = any(
                not edge.dead and edge.parent.solution is None and self._wanted(edge.parent, known)
                for edge in node.parents
            )
        return known[node.number]

    def _child(self, edge: Edge, index: int, state: State, rest: float, cost: float) -> Node:
        node = self._nodes.get(state.key)
        if node is None:
            node = Node(len(self._nodes), state, rest, cost, edge.parent.depth + 1, (edge, index))
            self._nodes[state.key] = node
        elif cost < node.cost and node is not self.root:
            node.cost, node.depth, node.via = cost, edge.parent.depth + 1, (edge, index)
        return node

    def _above(self, node: Node) -> set[tuple[object, ...]]:
        """The keys of a state and of all that any way to it goes through."""
        seen: set[int] = set()
        keys: set[tuple[object, ...]] = set()
        waiting = [node]
        while waiting:
            at = waiting.pop()
            if at.number in seen:
                continue
            seen.add(at.number)
            keys.add(at.state.key)
            waiting += [edge.parent for edge in at.parents]
        return keys

    def _solved(self, edge: Edge) -> None:
        node = edge.parent
        if node.solution is not None:
            return
        node.solution = edge
        for parent in node.parents:
            if parent.solved:
                self._solved(parent)

    def _unsolved(self, node: Node) -> None:
        """A state is not proved after all, nor what rests on it."""
        for edge in node.parents:
            if edge.parent.solution is edge:
                edge.parent.solution = next((other for other in edge.parent.edges if other.solved), None)
                if edge.parent.solution is None:
                    self._unsolved(edge.parent)

    def _settle(self, node: Node) -> None:
        if node.dead or node.solution is not None or not node.exhausted:
            return
        if all(edge.dead for edge in node.edges):
            node.dead = True
            for edge in node.parents:
                self._settle(edge.parent)
