"""N candidates for one goal in one elaboration: the text of the trick, and how Lean's answer to it is read.

The goal is duplicated by a function that takes several proofs of it, and each copy gets a block of its own:

    (refine @((fun {tacitSort : Prop} (tacitCopy tacitCopy : tacitSort) => tacitCopy) ?_ ?_)
     · (first candidate)
       trace_state
       all_goals sorry
     · (second candidate)
       trace_state
       all_goals sorry)

Lean recovers from an error inside a `·` block and goes on with the next. Silence is not success: after a
syntax error no later block runs and none complains, so a verdict needs the message of the block's own
`trace_state`, at its own line and column. (`all_goals sorry` keeps Lean from printing the goals left a second
time as `unsolved goals`: a third of the time of a batch of progressing tactics. `refine`, not `apply`: where the
goal is `p → q` or `¬p`, `apply` takes the function to want fewer arguments, and the copies are of something else.
`@(…)` for goals `∀ {x}, p`: `refine` would introduce `x` before it looks at the function, and copy `p`.)
Pure functions; layouts count lines from the body's first line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tacit.server.lean.elaborator import Message, Severity
from tacit.server.lean.goals import parse_goals
from tacit.server.text import Position
from tacit.server.values import Goal

_UNSOLVED = "unsolved goals"
_COPY = "tacitCopy"
# Axioms that scratch texts declare, to stand in for what is not proved yet: one for the hole, and one for every other
# place of the declaration. Unlike `sorry`, they can be told from a `sorry` that a candidate brings in, and from each
# other. Names with `_` in front are internal to Lean: else `exact?` would find them.
STAND_IN = "_tacitHole"
REST = "_tacitRest"


@dataclass(frozen=True, slots=True)
class Block:
    """Where one candidate stands in a body: lines `first`..`last`, the column of its bullet, its mark.

    `tag` is what Lean calls its copy of the goal; the way to the goal, where there is one, begins in line `begin`.
    """

    first: int
    last: int
    bullet: int
    mark: Position
    tag: str = ""
    begin: int = -1


@dataclass(frozen=True, slots=True)
class Body:
    """A tactic text to put in a hole, and where its parts are, relative to the body's first character."""

    text: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What Lean said of one block. `goals` is None when the block gave no sign of having run to its end."""

    goals: tuple[Goal, ...] | None
    errors: tuple[Message, ...]
    notes: tuple[str, ...]

    @property
    def silent(self) -> bool:
        """No evidence at all: neither the mark nor an error."""
        return self.goals is None and not self.errors


@dataclass(frozen=True, slots=True)
class Step:
    """A tactic of the way from the hole to a goal inside its proof, and which of the goals it leaves is gone on with.

    `count` is how many goals it leaves, each proved in a `·` block of its own; 1 also where they share unknowns, and
    what comes next works on the first of them.
    """

    tactic: str
    index: int = 0
    count: int = 1


Way = tuple[Step, ...]


def _duplicate(count: int, sort: str) -> str:
    """The tactic that makes so many copies of the main goal."""
    names, holes = " ".join([_COPY] * count), " ".join(["?_"] * count)
    return f"refine @((fun {{tacitSort : {sort}}} ({names} : tacitSort) => {_COPY}) {holes})"


def copies(candidates: Sequence[str], *, sort: str = "Prop") -> Body:
    """The body that tries each candidate on a copy of the main goal. `sort` is `Sort _` for goals that are data."""
    lines = ["(" + _duplicate(len(candidates), sort)]
    blocks = []
    for n, candidate in enumerate(candidates):
        first = len(lines)
        lines += indented(candidate, " · (", 4)
        lines[-1] += ")"
        lines += ["   trace_state", "   all_goals sorry"]
        blocks.append(Block(first, len(lines) - 1, 1, Position(len(lines) - 2, 3), f"refine_{n + 1}"))
    lines[-1] += ")"
    return Body("\n".join(lines), tuple(blocks))


def grove(groups: Sequence[tuple[Way, bool, Sequence[str]]], *, sort: str = "Prop") -> Body:
    """The body that tries candidates on many goals inside a proof, each group at the end of a way of its own.

    A group is its way, whether its goals share unknowns, and its candidates; such a group has one candidate, which runs
    on the goals as they are. Each way begins on a copy of the main goal, so that no group sees another; a group alone
    begins on the goals themselves. Everything here is a `·` block, brackets or a step: today's Lean tells of each as
    soon as it is done, and keeps what stands before the first change.

        (refine @((fun {tacitSort : Prop} (tacitCopy tacitCopy : tacitSort) => tacitCopy) ?_ ?_)
         · (constructor
            · (refine @((fun … => tacitCopy) ?_ ?_)
               · (first candidate)
                 …
            all_goals sorry)
         · (…))
    """
    lines: list[str] = []
    start = "(", 1
    if len(groups) > 1:
        lines.append("(" + _duplicate(len(groups), sort))
        start = " · (", 4
    blocks: list[Block] = []
    for way, joined, candidates in groups:
        body = alone(candidates[0]) if joined else copies(candidates, sort="Sort _")
        begin, tail = len(lines), []
        lead, column = start
        for step in way:
            lines += indented(step.tactic, lead, column)
            lead = " " * column
            if step.count > 1:
                lines += [lead + "· sorry"] * step.index
                if step.index < step.count - 1:
                    tail.append(lead + "all_goals sorry")
                lead, column = lead + "· ", column + 2
        blocks += [_moved(block, begin, len(lines), column) for block in body.blocks]
        lines += [*indented(body.text, lead, column), *reversed(tail)]
        lines[-1] += ")"
    if len(groups) > 1:
        lines[-1] += ")"
    return Body("\n".join(lines), tuple(blocks))


def indented(text: str, lead: str, column: int) -> list[str]:
    """The lines of a text whose first line stands behind `lead`, `column` characters."""
    first, *others = text.strip("\n").split("\n")
    return [lead + first, *(" " * column + each if each.strip() else "" for each in others)]


def _moved(block: Block, begin: int, lines: int, columns: int) -> Block:
    mark = Position(block.mark.line + lines, block.mark.column + columns)
    return Block(block.first + lines, block.last + lines, block.bullet + columns, mark, block.tag, begin)


def alone(candidate: str) -> Body:
    """The body that tries one candidate on the goals as they are, the others left in place.

    For goals that share metavariables: on copies, one candidate's assignment would reach all the others.
    """
    lines = indented(candidate, "((", 2)
    lines[-1] += ")"
    lines.append(" trace_state")
    mark = Position(len(lines) - 1, 1)
    lines.append(" all_goals sorry)")
    return Body("\n".join(lines), (Block(0, len(lines) - 2, 0, mark),))


def probe() -> tuple[Body, Position]:
    """The body that shows the goals, closes the main one, and tells whether it is a proposition.

    Returns the body (its one block's mark shows the goals) and the mark that appears only for propositions.
    """
    lines = [
        "(trace_state",
        f" try ({_duplicate(1, 'Prop')}",
        "      trace_state)",
        f" exact {STAND_IN})",
    ]
    return Body("\n".join(lines), (Block(0, 3, 0, Position(0, 1)),)), Position(2, 6)


def at(position: Position, origin: Position, column: int) -> Position:
    """A body's position in the document: the first line begins at `origin`, the others at `column`."""
    if position.line == 0:
        return Position(origin.line, origin.column + position.column)
    return Position(origin.line + position.line, column + position.column)


def within(position: Position, origin: Position, column: int) -> Position:
    """A position of the document as one of a body that begins at `origin`: what `at` undoes."""
    if position.line == origin.line:
        return Position(0, position.column - origin.column)
    return Position(position.line - origin.line, position.column - column)


def read(block: Block, messages: Sequence[Message], origin: Position, column: int) -> Reading:
    """The reading of one block from the messages of the whole document."""
    mark = at(block.mark, origin, column)
    bullet = at(Position(block.first, block.bullet), origin, column)
    first, last = origin.line + block.first, origin.line + block.last
    traces: list[str] = []
    errors: list[Message] = []
    unsolved: list[Message] = []
    notes: list[str] = []
    for message in messages:
        if not first <= message.start.line <= last or (message.start.line == first and message.start < bullet):
            continue
        if message.severity is Severity.INFORMATION and message.start == mark:
            traces.append(message.text)
        elif message.severity is Severity.ERROR:
            # Only the block's own leftover stands at its bullet; one deeper inside is a failed `by`.
            own = message.start == bullet and message.text.startswith(_UNSOLVED)
            (unsolved if own else errors).append(message)
        elif message.severity is Severity.INFORMATION:
            notes.append(message.text)
    if not traces:
        return Reading(None, tuple(errors), tuple(notes))
    goals = parse_goals(traces[0], without_tag=block.tag)
    # A block that ran more than once (`<;>`, `all_goals`) gives several messages at its mark, or one with the
    # states one below the other. On different goals no single verdict is true.
    several = len(set(traces)) > 1 or any("\n⊢" in goal.target for goal in goals)
    if (several and not errors) or (unsolved and not goals):
        return Reading(None, tuple(unsolved), tuple(notes))
    return Reading(goals, tuple(errors), tuple(notes))
