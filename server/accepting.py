"""Sees which suggestions were taken: their text stands in a later version of the document, at that place. Pure.

offers = Offers()
offers.put(document, goal, suggestions)      what was found for one version
offers.taken(uri, text)                       those that this text has now; each is told once
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from tacit.server.suggest import Document, GoalFound
from tacit.server.values import Goal, Suggestion

MOST = 64
"""Suggestions that may still be taken, of one document."""

VERSIONS = 4
"""Texts of one document that they were made for: each is held whole, and a large file is written at many places."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A suggestion that was taken: the document it was made for, the goal that it was for, the text of the tactic."""

    document: Document
    goal: Goal
    tactic: str
    at: int
    declaration: str


@dataclass(frozen=True, slots=True)
class _Offer:
    """What the document would begin with, and end with, if the suggestion were taken."""

    taken: Taken
    new: str
    end: int

    def stands_in(self, text: str) -> bool:
        """Whether a text is the document with the suggestion in its place from there on, but for blanks behind it."""
        before = self.taken.document.text
        start = self.taken.at
        if not text.startswith(self.new, start):
            return False
        rest, other = text[start + len(self.new) :], before[self.end :]
        # Not word by word: this is asked at each key, of all that stands below.
        return rest == other or ((not rest or rest[0].isspace()) and rest.strip() == other.strip())


class Offers:
    """What was suggested in the open documents and not taken yet."""

    def __init__(self) -> None:
        self._offers: dict[str, deque[_Offer]] = {}

    def put(self, document: Document, goal: GoalFound, suggestions: Iterable[Suggestion]) -> None:
        """Suggestions for one version of a document."""
        waiting = self._offers.setdefault(document.uri, deque(maxlen=MOST))
        for each in suggestions:
            span = each.edit.span
            taken = Taken(document, goal.goals[0], each.tactic, span.start, goal.declaration or "")
            offer = _Offer(taken, each.edit.new_text, span.end)
            if document.text[span.start : span.end] != offer.new:
                waiting.append(offer)
        texts = list(dict.fromkeys(id(each.taken.document) for each in reversed(waiting)))[:VERSIONS]
        self._offers[document.uri] = deque((each for each in waiting if id(each.taken.document) in texts), MOST)

    def taken(self, uri: str, text: str) -> list[Taken]:
        """What has been taken in this text; what cannot be taken any more is forgotten."""
        waiting = self._offers.get(uri)
        if not waiting:
            return []
        # Those of one place have the same text above it: it is compared once.
        places = {(id(each.taken.document), each.taken.at): each.taken for each in waiting}
        same = {key for key, each in places.items() if text[: each.at] == each.document.text[: each.at]}
        left = [each for each in waiting if (id(each.taken.document), each.taken.at) in same]
        found = [each for each in left if each.stands_in(text)]
        self._offers[uri] = deque([] if found else left, MOST)
        return list({(each.taken.at, each.taken.tactic): each.taken for each in found}.values())

    def forget(self, uri: str) -> None:
        """The document was closed."""
        self._offers.pop(uri, None)
