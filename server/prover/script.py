"""The text of a proof, or of the part of one that was found, out of a tree. Pure.

A tactic that leaves several goals is followed by a `·` block for each; alternatives that it leaves as `?_`
(`| succ n ih => ?_`) get theirs in place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tacit.server.prover.tree import Edge, Node

OPEN = "sorry"
_ALTERNATIVE = re.compile(r"(?P<head>^\s*\|.*=>)\s*\?_\s*$", re.MULTILINE)


def skeleton(node: Node) -> str:
    """The furthest that was come with a state, with `sorry` for what is left."""
    left = Left()
    return "\n".join(_lines(node, left))


class Left:
    """How much is left of states when their furthest tactics are taken. For a tree that does not change meanwhile.

    By size, not by the chance of a proof: what is left of a goal must not look like more when a part of it is proved.
    """

    def __init__(self) -> None:
        self._known: dict[int, float] = {}

    def of(self, node: Node) -> float:
        """The size of what is left of a state."""
        if node.solution is not None:
            return 0.0
        if node.number not in self._known:
            after = [self.after(edge) for edge in node.edges if not edge.refused]
            self._known[node.number] = min([node.state.size, *after])
        return self._known[node.number]

    def furthest(self, node: Node) -> Edge | None:
        """The tactic that leaves least: its solution, else that with the smallest rest; None where all leave more."""
        if node.solution is not None:
            return node.shortest
        best = min((edge for edge in node.edges if not edge.refused), key=self.after, default=None)
        return best if best is not None and self.after(best) < node.state.size else None

    def after(self, edge: Edge) -> float:
        """The size of what is left when a tactic is taken."""
        return sum(self.of(child) for child in edge.children)


def _lines(node: Node, left: Left) -> list[str]:
    edge = left.furthest(node)
    if edge is None:
        return ["all_goals sorry"] if len(node.state.goals) > 1 else [OPEN]
    return joined(edge.candidate.text, [_lines(child, left) for child in edge.children])


def joined(tactic: str, parts: Sequence[Sequence[str]]) -> list[str]:
    """A tactic and what proves the goals that it leaves, as lines."""
    lines = tactic.split("\n")
    if len(parts) == len(_ALTERNATIVE.findall(tactic)) and parts:
        return _filled(lines, parts)
    if len(parts) == 1:
        return [*lines, *parts[0]]
    for part in parts:
        lines += ["· " + part[0], *("  " + line if line else "" for line in part[1:])]
    return lines


def _filled(lines: Sequence[str], parts: Sequence[Sequence[str]]) -> list[str]:
    waiting = list(parts)
    done: list[str] = []
    for line in lines:
        found = _ALTERNATIVE.match(line)
        if found is None:
            done.append(line)
            continue
        part = waiting.pop(0)
        if len(part) == 1:
            done.append(f"{found['head']} {part[0]}")
        else:
            indent = " " * (len(line) - len(line.lstrip()) + 2)
            done += [found["head"], *(indent + each if each else "" for each in part)]
    return done
