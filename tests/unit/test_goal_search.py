"""What is ranked for a goal, merged with what its text finds."""

from __future__ import annotations

from tacit.index.premise import Kind, Premise
from tacit.index.store import Stored
from tacit.retrieval.rerank import Hit
from tacit.server.answers import Found
from tacit.server.goal_search import merged


def found(name: str, *, usable: bool = True, needs: str = "") -> Found:
    premise = Premise(name, Kind.THEOREM, "Top", 1)
    return Found(Hit("top", Stored(1, premise, "/top/Top.lean", ""), 1.0), 0, usable=usable, needs=needs)


def names(ranked: list[Found], by_text: list[Found], limit: int) -> list[str]:
    return [each.hit.stored.premise.name for each in merged(ranked, by_text, limit)]


RANKED = [found(f"ranked{n}") for n in range(9)]
FAR = [found(f"far{n}", usable=False, needs="Far") for n in range(9)]


def test_what_is_ranked_comes_first_and_leaves_a_third_to_what_is_to_be_imported() -> None:
    assert names(RANKED, FAR, 6) == ["ranked0", "ranked1", "ranked2", "ranked3", "far0", "far1"]


def test_where_one_kind_is_short_the_other_has_its_room() -> None:
    assert names(RANKED, FAR[:1], 6) == ["ranked0", "ranked1", "ranked2", "ranked3", "ranked4", "far0"]
    assert names(RANKED[:1], FAR, 4) == ["ranked0", "far0", "far1", "far2"]
    assert names(RANKED, [], 3) == ["ranked0", "ranked1", "ranked2"]
    assert names(RANKED, FAR, 1) == ["ranked0"]


def test_of_what_the_text_finds_only_what_an_import_makes_usable_follows() -> None:
    by_text = [found("ranked0", usable=False, needs="Other"), found("imported"), found("below", usable=False), FAR[0]]
    assert names(RANKED[:2], by_text, 10) == ["ranked0", "ranked1", "far0"]


def test_where_nothing_is_ranked_the_text_alone_answers() -> None:
    by_text = [found("imported"), found("below", usable=False), FAR[0], FAR[1]]
    assert names([], by_text, 10) == ["imported", "far0", "far1"]
    assert names([], by_text, 2) == ["imported", "far0"]
