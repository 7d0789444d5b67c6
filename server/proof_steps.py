"""The steps of proofs that stand in files, each as a place to suggest at: the step is gone, and what comes after it.

What is left of the proof keeps its shape: other cases that come later, and what follows the blocks around the step, are
`sorry`. What stands below the theorem is left out. Read by layout, without Lean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tacit.index.lexer import without_comments
from tacit.server.text import LineIndex
from tacit.server.theorems import Goal, texts, theorems
from tacit.training.steps import Block, Step, read_block

LONGEST = 1_000
"""Characters of a step; longer ones are proofs of their own."""
_NONE = frozenset("sorry admit done stop skip {".split())
# Alternatives of tactics that layout alone does not tell from what stands before them: `intro | h => …`.
_ALTERNATIVE = re.compile(r"\n[ ]*\|.*=>(?![ ]\?_$)", re.MULTILINE)

Way = tuple[tuple[Block, int], ...]
"""A step: the blocks around it from the outermost on, and the place in each."""


@dataclass(frozen=True)
class HumanStep:
    """A place, and the tactic that a person wrote there, with `?_` for what stands behind its alternatives."""

    goal: Goal
    tactic: str


def steps_of(file: Path) -> Iterator[HumanStep]:
    """Every step of the tactic proofs of a file, in the order of the text."""
    for part, text in texts(file):
        for command, name, start in theorems(text):
            for way in ways(read_block(text, start, command.span.end)):
                step = _last(way)
                tactic = written(text, step)
                if step.bullet or step.word in _NONE or not tactic or len(tactic) > LONGEST:
                    continue
                if _ALTERNATIVE.search(tactic):
                    continue
                without = cut(text, way)
                yield HumanStep(Goal(file, without, LineIndex(without).position(step.start), name, part), tactic)


def ways(block: Block, above: Way = ()) -> Iterator[Way]:
    """Every step of a block and of those inside it, outer ones first."""
    for number, step in enumerate(block.steps):
        way = (*above, (block, number))
        yield way
        for inner in step.blocks:
            yield from ways(inner, way)


def cut(text: str, way: Way) -> str:
    """The text up to the end of a step's proof, without the step and what comes after it."""
    inner, number = way[-1]
    edits = [(inner.steps[number].start, inner.stop, "sorry")]
    for block, at in reversed(way[:-1]):
        blocks = block.steps[at].blocks
        later = blocks[blocks.index(inner) + 1 :]
        edits += [(each.steps[0].start, each.stop, "sorry") for each in later if each.steps]
        if at + 1 < len(block.steps):
            # Where no goal is left for what stood here, it is no error.
            edits.append((block.steps[at + 1].start, block.stop, "all_goals sorry"))
        inner = block
    text = text[: inner.stop]
    for start, stop, new in reversed(edits):
        text = text[:start] + new + text[stop:]
    return text.rstrip() + "\n"


def written(text: str, step: Step) -> str:
    """A step as a tactic to try: its lines as far left as they can stand, without comments."""
    parts, at = [], step.start
    for block in step.blocks:
        if block.mark == "=>" and block.steps:
            parts += [text[at : block.steps[0].start].rstrip(), " ?_"]
            at = block.stop
    whole = without_comments("".join([*parts, text[at : step.stop]]), "")
    column = step.start - (text.rfind("\n", 0, step.start) + 1)
    first, *lines = [line.rstrip() for line in whole.split("\n") if line.strip()] or [""]
    indented = min((len(line) - len(line.lstrip(" ")) for line in lines), default=0)
    return "\n".join([first, *(line[min(column, indented) :] for line in lines)]).strip()


def _last(way: Way) -> Step:
    block, number = way[-1]
    return block.steps[number]
