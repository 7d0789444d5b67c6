"""The mirror of a document against the plainest model of one: a list of lines in UTF-16."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.server import mirror
from tacit.server.mirror import Change, Mirror, OpenDocument, Place, path_of
from tacit.server.text import Position, Span
from tests.unit.properties import examples

TEXTS = st.text(st.sampled_from("ab𝕜⊢\n\r\u2028\u0085\x0c "), max_size=40)
PLACES = st.tuples(st.integers(0, 8), st.integers(0, 12))
EDITS = st.lists(st.tuples(st.one_of(st.none(), st.tuples(PLACES, PLACES)), TEXTS), max_size=5)


def model_offset(text: str, place: Place) -> int:
    """LSP, word for word: lines end at `\\n`, `\\r\\n` and `\\r`; a column past the end is the end."""
    number, column = place
    lines = re.split("\r\n|\n|\r", text)
    if number >= len(lines):
        return len(text)
    start = [0, *(match.end() for match in re.finditer("\r\n|\n|\r", text))][number]
    units = 0
    for at, character in enumerate(lines[number]):
        width = 2 if ord(character) > 0xFFFF else 1
        if units + width > column:
            return start + at
        units += width
    return start + len(lines[number])


@examples
@given(TEXTS, PLACES)
def test_an_offset_is_where_lsp_says(text: str, place: Place) -> None:
    assert OpenDocument("file:///x", 1, text).offset(place) == model_offset(text, place)


@examples
@given(TEXTS, st.booleans())
def test_a_place_and_its_offset_are_two_ways_to_say_one_thing(text: str, code_points: bool) -> None:
    document = OpenDocument("file:///x", 1, text, code_points=code_points)
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] != "\r\n" or not offset:  # between CR and LF there is no place
            assert document.offset(document.place(offset)) == offset


@examples
@given(TEXTS, EDITS)
def test_edits_do_what_they_do_in_the_editor(text: str, edits: list[Change]) -> None:
    expected = text
    for where, new in edits:
        if where is None:
            expected = new
        else:
            start, end = (model_offset(expected, place) for place in where)
            expected = expected[:start] + new + expected[max(start, end) :]
    changed = OpenDocument("file:///x", 1, text).changed(2, edits)
    assert (changed.text, changed.version) == (expected, 2)


def test_inside_positions_count_lines_as_lean_does() -> None:
    document = OpenDocument("file:///x", 1, "a\rb\r\n𝕜c")
    assert document.position((1, 1)) == Position(0, 3)
    assert document.position((2, 2)) == Position(1, 1)
    assert document.line(3) == Span(2, 3)
    assert document.range(Span(5, 7)) == ((2, 0), (2, 3))


def test_columns_may_be_code_points() -> None:
    document = OpenDocument("file:///x", 1, "a\rb\r\n𝕜𝕜c", code_points=True)
    assert document.position((2, 2)) == Position(1, 2)
    assert document.range(Span(5, 8)) == ((2, 0), (2, 3))
    changed = document.changed(2, [(((2, 1), (2, 2)), "𝓝"), (((2, 9), (2, 9)), "!")])
    assert (changed.text, changed.place(len(changed.text))) == ("a\rb\r\n𝕜𝓝c!", (2, 4))


def test_a_change_of_nothing_is_a_new_version_of_the_same_text() -> None:
    old = OpenDocument("file:///x", 1, "a")
    new = old.changed(2, [])
    assert (new.text, new.version, old.version) == ("a", 2, 1)


def test_documents_are_found_however_their_uri_is_encoded() -> None:
    mirror = Mirror()
    mirror.put(OpenDocument("file:///c%3A/%F0%9D%95%9C.lean", 1, ""))
    found = mirror.find("file:///c:/𝕜.lean")
    assert found is not None
    assert found.uri == "file:///c%3A/%F0%9D%95%9C.lean", "the editor is answered in its own spelling"
    assert mirror.remove("file:///c:/%F0%9D%95%9C.lean") is found
    assert list(mirror) == []


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///home/a%20b/Foo.lean", Path("/home/a b/Foo.lean")),
        ("file://localhost/x.lean", Path("/x.lean")),
        ("file:///%F0%9D%95%9C.lean", Path("/𝕜.lean")),
        ("untitled:Untitled-1", None),
        ("vscode-vfs://github/a/B.lean", None),
        ("file:///a%2520b.lean", Path("/a%20b.lean")),
        ("file:///a%00b.lean", None),
        ("file:///\ud800.lean", None),
        ("file://[bad/x.lean", None),
        ("file:x.lean", None),
        ("", None),
    ],
)
def test_the_path_of_a_uri(uri: str, path: Path | None) -> None:
    assert path_of(uri) == path


def test_a_word_replaced_everywhere_costs_what_it_touches(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each change used to read the whole text: 3000 of them in 10,000 lines took eleven seconds.
    read: list[int] = []

    def counted(made: Callable[[str], Any]) -> Callable[[str], Any]:
        def count(text: str) -> Any:
            read.append(len(text))
            return made(text)

        return count

    for name in ("LineIndex", "_split"):
        monkeypatch.setattr(mirror, name, counted(getattr(mirror, name)))
    text = "𝕜 ab\r\n" * 3_000
    changes: list[Change] = [(((line, 3), (line, 5)), "𝓝") for line in range(3_000)]
    changed = OpenDocument("file:///x", 1, text).changed(2, changes)
    assert changed.text == text.replace("ab", "𝓝")
    assert sum(read) < 3 * len(text)


def test_halves_of_a_character_that_come_to_stand_together_are_one() -> None:
    document = OpenDocument("file:///x", 1, "\ud835|\udd5cab")
    assert document.changed(2, [(((0, 1), (0, 2)), "")]).text == "𝕜ab"
    typed = OpenDocument("file:///x", 1, "ab").changed(2, [(((0, 1), (0, 1)), "\ud835")])
    assert typed.changed(3, [(((0, 2), (0, 2)), "\udd5c")]).text == "a𝕜b"
