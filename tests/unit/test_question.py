"""When two questions are about one hole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tacit.server.prover.wanted import Finish
from tacit.server.question import Question
from tacit.server.suggest import Document, Options
from tacit.server.text import LineIndex

GHOST = Options(extend_typed=True, verify_progress=True)
ACTION = Options(near=True, verify_progress=True)


def question(marked: str, options: Options, *, version: int = 1) -> Question:
    offset, text = marked.index("‸"), marked.replace("‸", "")
    return Question(Document("file:///x.lean", version, text), LineIndex(text).position(offset), options)


@pytest.mark.parametrize(
    ("marked", "same"),
    [
        ("theorem a : p := by‸", True),
        ("theorem a : p := by  ‸", True),
        ("theorem a : p := by\n  ‸", True),
        ("theorem a : p := by\n  · ‸", True),
        ("theorem a : p := by\n  simp; ‸", True),
        ("theorem a : p := by\n  | zero => ‸", True),
        ("theorem a : p := by so‸rry", True),
        ("theorem a : p := by\r\n  ‸\r\n", True),
        ("theorem a : p := by\n  sim‸", False),
        ("theorem a : p := by\n  simp ‸", False),
        ("theorem nearby‸", False),
        ("theorem a : p := by‸ -- sorry", False),  # one of them would take the sorry
    ],
)
def test_ghost_text_and_code_actions_mean_one_hole(marked: str, same: bool) -> None:
    assert question(marked, GHOST).same_place(question(marked, ACTION)) is same


def test_all_of_a_sorry_is_one_place() -> None:
    places = {question("by " + "sorry"[:n] + "‸" + "sorry"[n:], ACTION).place for n in range(6)}
    assert len(places) == 1
    assert question("by sorry‸s", ACTION).place != question("by ‸sorrys", ACTION).place


def test_another_version_document_or_column_is_another_place() -> None:
    one = question("by ‸ ", ACTION)
    assert not one.same_place(question("by ‸ ", ACTION, version=2))
    assert not one.same_place(question("by  ‸", ACTION))
    assert not one.same_place(replace(one, document=replace(one.document, uri="file:///y.lean")))


@pytest.mark.parametrize(
    ("mine", "asked", "covers"),
    [
        (ACTION, ACTION, True),
        (Options(budget=10), Options(budget=5), True),
        (Options(budget=5), Options(budget=10), False),
        (Options(limit=10), Options(limit=20), False),
        (Options(), Options(verify_progress=True), False),
        (Options(verify_progress=True), Options(), True),
        (Options(stop_at_first_close=True), Options(), False),
        (Options(), Options(stop_at_first_close=True), True),
        (Options(closes_only=True), Options(), False),
        (Options(), Options(sources=frozenset(("memory",))), False),
        (Options(), Options(given=("simp",)), False),
        (Options(finish=Finish(alternatives=3)), Options(), True),
        (Options(), Options(finish=Finish(alternatives=3)), False),
        (Options(), Options(finish=Finish(simp_only=True)), False),
        (Options(), Options(finish=Finish(seed=1)), False),
    ],
)
def test_an_answer_covers_what_asks_for_no_more(mine: Options, asked: Options, covers: bool) -> None:
    assert question("by ‸", mine).covers(question("by ‸", asked)) is covers


def test_with_nothing_left_to_try_more_time_finds_no_more() -> None:
    short, long = question("by ‸", Options(budget=5)), question("by ‸", Options(budget=10, limit=99))
    assert short.covers(long, exhausted=True)
