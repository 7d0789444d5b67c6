"""What VS Code shows as ghost text, and what it would not show and must not be sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.server.ghost import ghost_edit
from tacit.server.mirror import OpenDocument
from tacit.server.text import Span
from tacit.server.values import TextEdit
from tests.unit.properties import examples

# `‸` is the cursor, `«…»` what the edit replaces. None: it cannot be shown.
CASES: list[tuple[str, str, tuple[str, str] | None]] = [
    ("by «‸»", "rfl", ("", "rfl")),
    ("by«»‸", " rfl", ("", " rfl")),
    ("by«» ‸", " rfl", (" ", " rfl ")),  # the hole is before the blank the cursor stands behind
    ("by«»\n  ‸", "\n  rfl", ("  ", "  rfl\n  ")),  # so is the line break
    ("by«\n  ‸»", "\n  rfl", ("  ", "  rfl")),  # only the cursor's own line is sent
    ("by\n«  ‸»", "    rfl", ("  ", "    rfl")),
    ("by\n«    ‸»", "  rfl", None),  # it would take blanks away
    ("by\n  «si‸»", "simp", ("si", "simp")),
    ("by\n  «si‸»", "omega", None),
    ("by\n  «s‸i»", "simpi", ("si", "simpi")),
    ("by\n  «si‸»", "si", None),  # nothing would appear
    ("by «‸sorry»", "rfl", None),
    ("by «sorry‸»", "rfl", None),
    ("by «‸»\n", "cases h with\n  | a => rfl", ("", "cases h with\n  | a => rfl")),
    ("by «‸\n»end", "rfl\n", ("", "rfl")),  # what stands below stays as it is
    ("by «‸\n»end", "rfl", None),
    ("(by «‸»)", "rfl", ("", "rfl")),
]


@pytest.mark.parametrize(("marked", "new", "expected"), CASES)
def test_only_what_is_inserted_at_the_cursor(marked: str, new: str, expected: tuple[str, str] | None) -> None:
    cursor = marked.replace("«", "").replace("»", "").index("‸")
    start = marked.replace("‸", "").index("«")
    end = marked.replace("‸", "").replace("«", "").index("»")
    text = marked.replace("‸", "").replace("«", "").replace("»", "")
    edit = ghost_edit(OpenDocument("file:///x", 1, text), cursor, TextEdit(Span(start, end), new))
    shown = None if edit is None else (text[edit.span.start : edit.span.end], edit.new_text)
    assert shown == expected


TEXTS = st.text(st.sampled_from("s \n"), max_size=8)


@examples
@given(TEXTS, st.integers(0, 8), st.integers(0, 8), st.integers(0, 8), TEXTS)
def test_the_document_is_the_same_after_it_as_after_the_edit_it_stands_for(
    text: str, start: int, length: int, cursor: int, new: str
) -> None:
    start, cursor = min(start, len(text)), min(cursor, len(text))
    end = min(start + length, len(text))
    document = OpenDocument("file:///x", 1, text)
    shown = ghost_edit(document, cursor, TextEdit(Span(start, end), new))
    if shown is None:
        return
    assert text[: shown.span.start] + shown.new_text + text[shown.span.end :] == text[:start] + new + text[end:]
    line = document.line(cursor)
    assert line.start <= shown.span.start <= cursor <= shown.span.end <= line.end
    assert shown.new_text.startswith(text[shown.span.start : cursor])
    assert shown.new_text.endswith(text[cursor : shown.span.end])
