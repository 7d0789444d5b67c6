"""What agents are answered, and in which words: the models whose schemas are published. Pure.

Lines and columns count from 1, columns in characters, as agents give them; goals are texts as Lean prints them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tacit.server.answers import Found as FoundPremise
from tacit.server.answers import hit_json
from tacit.server.patch import LeanFile, apply, difference
from tacit.server.question import closes, closes_here
from tacit.server.suggest import GoalFound
from tacit.server.text import LineIndex
from tacit.server.values import Goal, Suggestion, TextEdit

Result = Literal["closes", "closes this goal", "progresses"]
Checked = Literal["closes", "closes this goal", "progresses", "fails", "times out", "refused"]


class _Answer(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class Edit(_Answer):
    """Replace the text from one place of the file to another. Nothing is written for you: apply it yourself."""

    line: int
    column: int
    """The first character that is replaced; from 1."""
    end_line: int
    end_column: int
    """Behind the last character that is replaced; the same as the start where text is only put in."""
    new_text: str
    """What takes its place, indented for it."""


class Place(_Answer):
    """A place in a file, and what is to be proved there."""

    file: str
    line: int
    column: int
    """The place that was looked at; from 1."""
    declaration: str | None
    """The name of the declaration it is in."""
    goals: list[str]
    """As Lean prints them; the first is the one that a tactic there works on."""


class GoalAnswer(Place):
    """The goals at a place."""

    is_data: bool
    """Whether a value is asked for, and no proof."""


class Tactic(_Answer):
    """A tactic that a real Lean has run at the place."""

    tactic: str
    result: Result
    """closes: it ends the whole proof, which Lean accepted in place; closes this goal: others are left in the
    declaration, or it has errors elsewhere; progresses: it leaves goals."""
    left: list[str]
    """The goals it leaves."""
    source: str
    """Which part of Tacit it came from."""
    axioms: list[str]
    """The axioms that the finished declaration rests on."""
    note: str
    """What else is to be said of it."""
    edit: Edit


class SuggestAnswer(Place):
    """Checked tactics for the goal at a place."""

    suggestions: list[Tactic]
    """Those that close it first."""
    checked: int
    """How many candidates Lean was asked about."""
    notice: str
    """What did not work as it should, or is not a live Lean's answer."""


class CheckAnswer(Place):
    """What Lean says of a tactic at a place."""

    verdict: Checked
    """closes, closes this goal, progresses: as for suggestions; fails: Lean's error is the message; times out: it was
    stopped; refused: it was not run, and the message says why."""
    left: list[str]
    """The goals it leaves."""
    message: str
    """Lean's error, or why it was not run."""
    try_this: list[str]
    """What Lean proposes in its place (`exact?`, `simp?` and their like)."""
    axioms: list[str]
    edit: Edit | None
    """The edit that puts it in; absent where it fails."""
    diff: str
    """The same as a unified diff of the file."""
    notice: str


class Proof(_Answer):
    """A proof that Lean accepted as a whole, in place."""

    proof: str
    axioms: list[str]
    edit: Edit


class ProveAnswer(_Answer):
    """What came of a search for a proof."""

    file: str
    line: int
    column: int
    declaration: str | None
    proved: bool
    proof: str | None
    """Tactics, as they would stand in the file."""
    edit: Edit | None
    """The edit that puts the proof in."""
    diff: str
    """The same as a unified diff of the file, for `patch -p1` and `git apply`."""
    axioms: list[str]
    alternatives: list[Proof]
    """Other proofs that were found."""
    steps: list[str]
    """The tactics that the search made the proof of, in their order; the proof may have been shortened."""
    sketch: str | None
    """Where nothing was proved: as far as the search came, with `sorry` for what is left. It proves nothing."""
    sketch_edit: Edit | None
    reason: str
    """Why there is no proof."""
    states: int
    """How many proof states were looked at."""
    checked: int
    """How many tactics were tried."""
    seconds: float


class Premise(_Answer):
    """A declaration."""

    name: str
    kind: str
    module: str
    statement: str
    doc: str
    score: float
    package: str
    path: str
    line: int
    usable: bool | None
    """Whether it can be named at the place asked from; absent where none was given."""
    needs: str
    """The module to import for that."""


class SearchAnswer(_Answer):
    """Declarations, best first."""

    premises: list[Premise]
    total: int
    """Out of how many."""
    notice: str
    """Why there are none, or what was left out."""


def texts(goals: Sequence[Goal]) -> list[str]:
    """Goals as Lean prints them."""
    return [each.text or each.target for each in goals]


def place(file: LeanFile, offset: int, goal: GoalFound | None) -> Place:
    """Where was looked, and what is to be proved there."""
    at = LineIndex(file.text).position(offset)
    return Place(
        file=file.shown,
        line=at.line + 1,
        column=at.column + 1,
        declaration=goal.declaration if goal is not None else None,
        goals=texts(goal.goals) if goal is not None else [],
    )


def edit_of(file: LeanFile, edit: TextEdit) -> Edit:
    """An edit, as places in the file."""
    index, span = LineIndex(file.text), edit.span
    changed = apply(file.text, edit)
    start, end = index.position(span.start), index.position(span.end)
    return Edit(
        line=start.line + 1,
        column=start.column + 1,
        end_line=end.line + 1,
        end_column=end.column + 1,
        new_text=changed[span.start : len(changed) - (len(file.text) - span.end)],
    )


def diff_of(file: LeanFile, edit: TextEdit) -> str:
    """An edit, as a unified diff."""
    return difference(file.text, apply(file.text, edit), file.shown)


def result(suggestion: Suggestion) -> Result:
    """What a checked tactic comes to."""
    if closes(suggestion):
        return "closes"
    return "closes this goal" if closes_here(suggestion) else "progresses"


def tactic(file: LeanFile, suggestion: Suggestion) -> Tactic:
    """A suggestion."""
    return Tactic(
        tactic=suggestion.tactic,
        result=result(suggestion),
        left=texts(suggestion.goals),
        source=suggestion.source,
        axioms=list(suggestion.axioms),
        note=suggestion.note,
        edit=edit_of(file, suggestion.edit),
    )


def proof(file: LeanFile, suggestion: Suggestion) -> Proof:
    """A proof that was found."""
    return Proof(proof=suggestion.tactic, axioms=list(suggestion.axioms), edit=edit_of(file, suggestion.edit))


def premise(found: FoundPremise) -> Premise:
    """A declaration that was found."""
    return Premise(**hit_json(found.hit), usable=found.usable, needs=found.needs)
