"""Checked tactics as code actions, and where in a range to look for a goal. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lsprotocol import types

from tacit.server.mirror import OpenDocument
from tacit.server.outgoing import to_edit
from tacit.server.question import SORRY, closes, closes_here
from tacit.server.suggest import Found
from tacit.server.values import Suggestion, Verdict
from tacit.server.wire import CLOSE_GOAL

MOST = 12
"""How many actions a menu is given."""
CLOSE_TITLE = "Close this goal: search for a proof"

CLOSING = types.CodeActionKind.QuickFix
PROGRESSING = types.CodeActionKind.RefactorRewrite
KINDS: Sequence[types.CodeActionKind] = (CLOSING, PROGRESSING)


def wanted(kind: types.CodeActionKind, only: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Whether a client that asked for `only` these kinds wants this one; `refactor` stands for `refactor.rewrite`."""
    return only is None or any(
        kind.value == asked or kind.value.startswith(f"{asked}.")
        for asked in (str(getattr(item, "value", item)) for item in only)
    )


def place(document: OpenDocument, start: int, end: int) -> int:
    """The offset to look at for a range: that of the first `sorry` it holds, else where it begins."""
    found = SORRY.search(document.text, start, end) if start < end else None
    return found.start() if found else start


def code_actions(
    document: OpenDocument,
    found: Iterable[Found],
    only: Sequence[types.CodeActionKind | str] | None,
    *,
    versioned: bool = True,
) -> list[types.CodeAction]:
    """One action for each checked tactic, the closing ones first and the first of them preferred."""
    actions: list[types.CodeAction] = []
    for item in found:
        suggestion = item.suggestion
        kind = CLOSING if closes_here(suggestion) else PROGRESSING
        if (suggestion.verdict is Verdict.CLOSES and not suggestion.verified) or not wanted(kind, only):
            continue
        actions.append(
            types.CodeAction(
                title=title(suggestion),
                kind=kind,
                is_preferred=True if closes(suggestion) and not actions else None,
                edit=workspace_edit(document, suggestion, versioned=versioned),
            )
        )
    return actions[:MOST]


def closing_action(document: OpenDocument, offset: int) -> types.CodeAction:
    """The action that runs the command `tacit.closeGoal` at an offset, which says by itself what came of it."""
    line, character = document.place(offset)
    at = {"line": line, "character": character}
    argument = {"uri": document.uri, "position": at, "version": document.version, "tell": True}
    command = types.Command(title=CLOSE_TITLE, command=CLOSE_GOAL, arguments=[argument])
    return types.CodeAction(CLOSE_TITLE, kind=CLOSING, command=command)


def title(suggestion: Suggestion) -> str:
    """`Try this: …`, on one line, and what it leaves to do."""
    lines = [line.strip() for line in suggestion.tactic.strip().splitlines()]
    text = "; ".join(line for line in lines if line)
    if len(text) > 80:
        text = text[:79] + "…"
    left = len(suggestion.goals)
    if left:
        return f"Try this: {text} ({left} goal{'s' if left > 1 else ''} left)"
    return f"Try this: {text}" if closes(suggestion) else f"Try this: {text} (closes this goal)"


def workspace_edit(document: OpenDocument, suggestion: Suggestion, *, versioned: bool) -> types.WorkspaceEdit:
    """The edit of one suggestion; `versioned`, an editor that holds another version refuses it."""
    edit = to_edit(document, suggestion.edit)
    if not versioned:
        return types.WorkspaceEdit(changes={document.uri: [edit]})
    identifier = types.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(identifier, [edit])])
