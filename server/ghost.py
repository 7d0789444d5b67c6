"""Which suggestions can be shown as ghost text, and the edit that shows them. Pure.

VS Code shows an inline completion only when its range lies on the cursor's line and holds the cursor, and when the
new text is the text in the range with something inserted at the cursor: nothing that stands there may be taken away.
So a tactic in the place of a `sorry` is a code action, never ghost text.
"""

from __future__ import annotations

from collections.abc import Iterable

from tacit.server.mirror import OpenDocument
from tacit.server.question import closes_here, order
from tacit.server.suggest import Found
from tacit.server.text import Span
from tacit.server.values import TextEdit

MOST = 3
"""How many a user pages through."""


def ghost_edits(document: OpenDocument, cursor: int, found: Iterable[Found]) -> list[TextEdit]:
    """The edits to show at a cursor (an offset), closing tactics before others; only what was elaborated in place."""
    suggestions = [item.suggestion for item in found]
    shown = [suggestion for suggestion in suggestions if suggestion.verified or closes_here(suggestion)]
    edits: list[TextEdit] = []
    for suggestion in sorted(shown, key=order):
        edit = ghost_edit(document, cursor, suggestion.edit)
        if edit is not None and edit not in edits:
            edits.append(edit)
    return edits[:MOST]


def ghost_edit(document: OpenDocument, cursor: int, edit: TextEdit) -> TextEdit | None:
    """An edit of the same effect that an editor shows as an insertion at the cursor; None when there is none."""
    text = document.text
    # Stretch it so that it holds the cursor, e.g. over the blanks between `by` and the cursor.
    start, end = min(edit.span.start, cursor), max(edit.span.end, cursor)
    new = text[start : edit.span.start] + edit.new_text + text[edit.span.end : end]
    # Then shorten it to the cursor's line, where what lies beyond stays as it is.
    line = document.line(cursor)
    if start < line.start:
        above = text[start : line.start]
        if not new.startswith(above):
            return None
        start, new = line.start, new[len(above) :]
    if end > line.end:
        below = text[line.end : end]
        if not new.endswith(below):
            return None
        end, new = line.end, new[: len(new) - len(below)]
    before, after = text[start:cursor], text[cursor:end]
    if not new.startswith(before) or not new.endswith(after) or len(new) <= len(before) + len(after):
        return None
    return TextEdit(Span(start, end), new)
