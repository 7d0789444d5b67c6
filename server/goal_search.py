"""Search from a goal: the goal that Lean shows at a place; what is ranked for it, merged with what its text finds."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types

from tacit.server.answers import Found
from tacit.server.errors import NoGoal
from tacit.server.features import question
from tacit.server.lean.hole import holes
from tacit.server.mirror import OpenDocument
from tacit.server.session import Session
from tacit.server.suggest import Options
from tacit.server.tactics.source import SourceRequest
from tacit.server.text import LineIndex

GOAL_SECONDS = 60.0
"""Seconds that Lean gets to show the goal: it may have to start, and to read what the file imports."""
SHARE = 3
"""Of so many answers one may be what is to be imported first, where there are that many of both kinds."""


async def goal_at(session: Session, document: OpenDocument, at: types.Position) -> SourceRequest:
    """The goal at an LSP position, as premises are asked for. Raises TacitError where there is none; Stopped."""
    options = Options(session.settings.suggest_budget, verify_progress=True, near=True)
    asked = question(document, at, options)
    run = session.requests.ask(asked, lenient=True)
    with run.follow():
        await run.until(lambda run: run.goal is not None, GOAL_SECONDS)
    if run.goal is None:
        raise NoGoal(f"Lean has shown no goal there within {GOAL_SECONDS:g} s.")
    command, _ = holes(document.text, LineIndex(document.text).offset(asked.position), near=True)
    return SourceRequest(
        run.goal.goals,
        frozenset(),
        run.goal.declaration,
        text=document.text,
        start=command.span.start,
        at=run.goal.hole.start,
        path=asked.document.path,
    )


def merged(ranked: Sequence[Found], by_text: Sequence[Found], limit: int) -> tuple[Found, ...]:
    """At most `limit`: what is ranked for a goal first, then what its text finds that is to be imported, none twice.

    Where nothing is ranked, all that the text finds but what cannot be used there even with an import.
    """
    if not ranked:
        return tuple(each for each in by_text if each.usable is not False or each.needs)[:limit]
    names = {each.hit.stored.premise.name for each in ranked}
    others = [each for each in by_text if each.needs and each.hit.stored.premise.name not in names]
    first = ranked[: limit - min(len(others), limit // SHARE)]
    return (*first, *others[: limit - len(first)])
