"""Reads out of one Lean text what its proofs do at which goals, without Lean. Pure; never raises on any text."""

from __future__ import annotations

import re
import sys
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tacit.index.premise import Premise

ACCEPTED = "accepted"
"""The kind of a step that was suggested and taken: its goal is what Lean printed."""
WHOLE = "whole"
"""That of a whole proof of several steps, at its theorem's goal."""
LONGEST_WHOLE, MOST_LINES = 500, 16
"""Characters and lines of a whole proof: longer ones are seldom those of another theorem."""
LONGEST_GOAL = 2_000
"""Characters of a goal that are kept."""
NOTHING = frozenset[str]()
MOST_STEPS = 60
"""Steps of one proof."""

_BINDING = re.compile(
    r"(?:^[ ]*\||\b(?:intros?|rintro|obtain|rcases|cases'?|induction'?|ext|funext|have|haveI|set|let|choose|next|case'?"
    r"|with|fun|λ|generalizing|rename_i|by_cases|use|lift|wlog|suffices)\b)(?P<names>[^\n]*?)"
    r"(?=:=|=>|↦|\bfrom\b|\busing\b|\n|;|$)",
    re.MULTILINE,
)
_NAME = re.compile(r"(?<![\w.'«»✝])[^\W\d][\w'!?]*")
_BODY = re.compile(r":=\s*by\b")
_FORBIDDEN = re.compile(r"\b(?:sorry|admit|native_decide|stop|done)\b|#")
_HEAD = re.compile(r"[^\W\d][\w'!?]*|\S")


@dataclass(frozen=True, slots=True)
class Step:
    """A tactic of a proof; `kind` is one of `training.examples`, WHOLE or ACCEPTED.

    `before` is the first word of the step before it, empty at the beginning; `bound` are those of its names that steps
    before it seem to introduce.
    """

    tactic: str
    kind: str
    before: str = ""
    bound: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """A goal, as Lean prints it as far as text tells, in the proof of `name`, and what was done there."""

    goal: str
    name: str
    namespace: str
    opens: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Proofs:
    """What one text has: its goals in order, the full names that it declares, the modules that it imports."""

    module: str
    goals: tuple[Known, ...] = ()
    names: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """How many tactics are remembered."""
        return sum(len(each.steps) for each in self.goals)


def read_proofs(text: str, module: str) -> Proofs:
    """Everything to remember of a text, theorems with a proof of more than a term or of one."""
    from tacit.index.declarations import read_alone
    from tacit.training.examples import FIRST, LATER, TERM, placed_of

    text = text.replace("\r\n", "\n")
    read = read_alone(text, module)
    where = {each.name: each for each in read.premises}
    found: OrderedDict[tuple[str, str], list[Step]] = OrderedDict()
    for each in placed_of(read.premises, text):
        example = each.example
        goal = example.goal or example.statement
        if not goal or len(goal) > LONGEST_GOAL:
            continue
        before, bound = "", NOTHING
        if example.kind not in (FIRST, TERM):
            before = sys.intern(head_before(example.proof))
            bound = introduced(example.proof).intersection(_NAME.findall(example.tactic)) or NOTHING
        steps = found.setdefault((example.name, goal), [])
        # What proves a `have` is a later step of the whole too: it is told once, with the goal that is known.
        if len(steps) < MOST_STEPS:
            steps.append(Step(example.tactic, example.kind, before, bound))
        if example.kind not in (FIRST, LATER, TERM) and example.statement:
            whole = found.get((example.name, example.statement))
            if whole and whole[-1].tactic == example.tactic and whole[-1].kind == LATER:
                whole.pop()
    goals = []
    for (name, goal), steps in found.items():
        premise = where.get(name)
        if steps and premise is not None:
            if steps[0].kind == FIRST and (proof := _whole(text, premise)):
                steps.append(Step(proof, WHOLE))
            inner = sys.intern(name.rpartition(".")[0] or premise.namespace)
            goals.append(Known(goal, premise.name, inner, premise.opens, tuple(steps)))
    names = tuple(dict.fromkeys(each.name for each in read.premises))
    return Proofs(module, tuple(goals), names, tuple(each.module for each in read.imports))


def _whole(text: str, premise: Premise) -> str:
    """The proof of a theorem by several tactics, as far left as it can stand; empty for one that is long."""
    from tacit.index.lexer import without_comments
    from tacit.training.steps import read_block

    body = _BODY.match(text, premise.body, premise.stop)
    if body is None or premise.stop - premise.body > 4 * LONGEST_WHOLE:
        return ""
    block = read_block(text, body.end() - 2, premise.stop)
    if not block.steps or (len(block.steps) == 1 and not block.steps[0].blocks):
        return ""
    start = block.steps[0].start
    column = start - (text.rfind("\n", 0, start) + 1)
    lines = [each.rstrip() for each in without_comments(text[start : block.stop], "").split("\n") if each.strip()]
    if any(each[:column].strip() for each in lines[1:]):
        return ""
    proof = "\n".join([lines[0], *(each[column:] for each in lines[1:])])
    return proof if len(proof) <= LONGEST_WHOLE and len(lines) <= MOST_LINES and not _FORBIDDEN.search(proof) else ""


def introduced(proof: str) -> frozenset[str]:
    """Names that a proof so far seems to introduce."""
    return frozenset(name for each in _BINDING.finditer(proof) for name in _NAME.findall(each["names"]))


def head_before(proof: str) -> str:
    """The first word of the last step of a proof so far; empty where there is none."""
    lines = [each.strip().lstrip("·. ") for each in proof.split("\n")]
    last = next((each for each in reversed(lines) if each and not each.startswith("|")), "")
    found = _HEAD.match(last)
    return found[0] if found else ""
