"""What Lean is told of an edit gives it the text that is meant, whichever way it keeps line ends."""

from __future__ import annotations

import os
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.server.lean.live import least_change
from tacit.server.text import common_length
from tests.storms.texts import characters, units
from tests.unit.properties import examples

TEXTS = st.text(st.sampled_from("ab𝕜\u2028\r\n"), max_size=30)


@examples
@given(TEXTS, TEXTS)
def test_what_two_texts_have_in_common(one: str, other: str) -> None:
    assert common_length(one, other) == len(os.path.commonprefix((one, other)))  # noqa: RUF071


@examples
@given(st.lists(TEXTS, min_size=2, max_size=6), st.booleans())
def test_lean_ends_with_the_text_that_is_meant(texts: list[str], today: bool) -> None:
    texts = [*texts, texts[0] + texts[1], texts[0] + texts[-1], texts[0], texts[0].replace("\n", "\r")]
    held = _kept(texts[0], today)
    for old, new in pairwise(texts):
        change = least_change(old, new)
        start, end = (_offset(held, **change["range"][which]) for which in ("start", "end"))
        held = characters(held[:start]) + _kept_text(change["text"], today) + characters(held[end:])
        held = units(held)
        assert held == _kept(new, today)


@pytest.mark.parametrize(("old", "new"), [("a\r\nb", "a\rX"), ("a\r", "a\r\n"), ("a\r\n", "a\r\r\n")])
def test_a_crlf_is_never_split(old: str, new: str) -> None:
    assert least_change(old, new)["range"]["start"] == {"line": 0, "character": 1}


def _kept_text(text: str, today: bool) -> str:
    """Lean's `String.crlfToLf`, which it applies to each text that it is told since 2024."""
    return text.replace("\r\n", "\n") if today else text


def _kept(text: str, today: bool) -> str:
    return units(_kept_text(text, today))


def _offset(held: str, line: int, character: int) -> int:
    """Lean's `FileMap.lspPosToUtf8Pos`: it counts on from the line's start, past its end too."""
    starts = [0, *(match.end() for match in re.finditer("\n", held))]
    return starts[line] + character
