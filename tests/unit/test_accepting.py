"""Which suggestions a later version of a document has taken."""

from __future__ import annotations

import gc
import weakref

import pytest

from tacit.server.accepting import VERSIONS, Offers
from tacit.server.suggest import Document, GoalFound
from tacit.server.text import Span
from tacit.server.values import Goal, Suggestion, TextEdit, Verdict

TEXT = "theorem t : p := by\n  sorry\n\ntheorem u : q := by\n  simp\n"
HOLE = Span(TEXT.index("sorry"), TEXT.index("sorry") + 5)
GOAL = GoalFound((Goal((), "p", None, "⊢ p"),), HOLE, "t")


def offers(*tactics: str) -> Offers:
    found = Offers()
    document = Document("file:///a.lean", 1, TEXT)
    some = [Suggestion(each, Verdict.CLOSES, (), TextEdit(HOLE, each), "fixed", 1) for each in tactics]
    found.put(document, GOAL, some)
    return found


def taken(offered: Offers, text: str) -> list[str]:
    return [each.tactic for each in offered.taken("file:///a.lean", text)]


@pytest.mark.parametrize("behind", ["", "  ", "\n"])
def test_the_text_in_its_place_is_taken(behind: str) -> None:
    assert taken(offers("simp", "rfl"), TEXT.replace("sorry", f"rfl{behind}")) == ["rfl"]


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.replace("sorry", "rfl'"),
        TEXT.replace("sorry", "rf"),
        TEXT.replace("sorry", "rfl").replace("simp", "omega"),
        TEXT.replace("sorry", "rfl").replace("theorem t", "theorem s"),
    ],
)
def test_another_text_is_none(text: str) -> None:
    assert taken(offers("rfl"), text) == []


def test_it_is_told_once() -> None:
    offered = offers("rfl")
    text = TEXT.replace("sorry", "rfl")
    assert taken(offered, text) == ["rfl"]
    assert taken(offered, text) == []


def test_a_text_that_is_typed_is_taken_when_it_is_whole() -> None:
    offered = offers("rfl")
    told = [taken(offered, TEXT.replace("sorry", "rfl"[:count])) for count in (1, 2, 3)]
    assert told == [[], [], ["rfl"]]


def test_what_stands_above_may_not_change() -> None:
    offered = offers("rfl")
    assert taken(offered, f"-- new\n{TEXT}") == []
    assert taken(offered, TEXT.replace("sorry", "rfl")) == []


def test_a_closed_document_has_no_offers() -> None:
    offered = offers("rfl")
    offered.forget("file:///a.lean")
    assert taken(offered, TEXT.replace("sorry", "rfl")) == []


def test_of_a_text_that_is_written_at_many_places_few_versions_are_held() -> None:
    offered = Offers()
    texts = [weakref.ref(document) for document in put_many(offered, VERSIONS + 20)]
    gc.collect()
    assert sum(each() is not None for each in texts) == VERSIONS


class Watched(Document):
    """A document of which can be seen whether it is still held."""

    __slots__ = ("__weakref__",)


def put_many(offered: Offers, versions: int) -> list[Document]:
    documents: list[Document] = []
    for version in range(versions):
        document = Watched("file:///a.lean", version, TEXT + "\n" * version)
        offered.put(document, GOAL, [Suggestion("rfl", Verdict.CLOSES, (), TextEdit(HOLE, "rfl"), "fixed", version)])
        offered.taken("file:///a.lean", document.text)
        documents.append(document)
    return documents
