"""Tacit's values as they go out on the wire: ranges, edits, goals, suggestions, Lean's status. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types

from tacit.server import wire
from tacit.server.mirror import OpenDocument, Place
from tacit.server.suggest import Found, LeanStatus
from tacit.server.text import Span
from tacit.server.values import Goal, TextEdit


def to_range(places: tuple[Place, Place]) -> types.Range:
    """A range as LSP writes it."""
    return types.Range(types.Position(*places[0]), types.Position(*places[1]))


def to_edit(document: OpenDocument, edit: TextEdit) -> types.TextEdit:
    """An edit as LSP writes it."""
    return types.TextEdit(to_range(document.range(edit.span)), edit.new_text)


def to_item(document: OpenDocument, found: Found) -> wire.SuggestionItem:
    """A suggestion as it is sent."""
    suggestion = found.suggestion
    return wire.SuggestionItem(
        tactic=suggestion.tactic,
        verdict=suggestion.verdict.value,
        verified=suggestion.verified,
        goals=to_goals(suggestion.goals),
        edit=to_edit(document, suggestion.edit),
        version=suggestion.version,
        source=suggestion.source,
        elapsed=round(found.elapsed, 4),
        axioms=list(suggestion.axioms),
        note=suggestion.note,
    )


def to_goals(goals: Sequence[Goal]) -> list[wire.GoalItem]:
    """Goals as they are sent."""
    return [
        wire.GoalItem(
            target=goal.target,
            hypotheses=[wire.HypothesisItem(list(h.names), h.type, h.value) for h in goal.hypotheses],
            tag=goal.tag,
            text=goal.text,
        )
        for goal in goals
    ]


def to_state(status: LeanStatus) -> wire.LeanState:
    """Lean's status as it is sent."""
    return wire.LeanState(
        state=status.state,
        version=status.version,
        command=list(status.command),
        replayed=status.replayed,
        sentence=status.sentence,
        documents=status.documents,
        restarts=status.restarts,
    )


def to_hole(document: OpenDocument, hole: Span | None) -> types.Range | None:
    """The text that an edit replaces."""
    return None if hole is None else to_range(document.range(hole))
