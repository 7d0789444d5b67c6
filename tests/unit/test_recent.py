"""Readings of texts are kept by how long the texts are."""

from __future__ import annotations

from tacit.index.recent import recent


def test_what_was_read_lately_is_not_read_again() -> None:
    read: list[str] = []

    @recent(longest=100)
    def length(text: str, *, twice: bool = False) -> int:
        read.append(text)
        return len(text) * (2 if twice else 1)

    assert [length("abc"), length("abc"), length("abc", twice=True), length("abc")] == [3, 3, 6, 3]
    assert read == ["abc", "abc"]


def test_long_texts_make_room_and_the_last_two_stay() -> None:
    read: list[int] = []

    @recent(longest=100)
    def length(text: str) -> int:
        read.append(len(text))
        return len(text)

    for each in (10, 20, 70, 1_000, 2_000, 2_000, 1_000, 10):
        length("x" * each)
    assert read == [10, 20, 70, 1_000, 2_000, 10]


def test_short_texts_are_kept_up_to_a_number_the_last_one_used_first() -> None:
    read: list[str] = []

    @recent(longest=100, most=3)
    def same(text: str) -> str:
        read.append(text)
        return text

    for each in "abcadab":
        same(each)
    assert read == ["a", "b", "c", "d", "b"]
