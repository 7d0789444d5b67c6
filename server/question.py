"""What is asked of the suggester, and when two questions are the same. Pure.

Ghost text, code actions and a panel ask about one place within milliseconds of each other, each in its own way. They
may share an answer when nothing in the text makes a difference between their ways of reading the place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from tacit.server.suggest import Document, Options
from tacit.server.text import LineIndex, Position
from tacit.server.values import Suggestion, Verdict

SORRY = re.compile(r"(?<![\w.'!?])sorry(?![\w'!?])")
# After these words a tactic begins, whether or not one is being typed.
_OPENER = re.compile(r"(?:(?<![\w.'!?])by|=>|·|;|<;>)\s*\Z")


@dataclass(frozen=True)
class Question:
    """A place in one version of a document, and how far to go."""

    document: Document
    position: Position
    options: Options

    @cached_property
    def place(self) -> tuple[object, ...]:
        """What two questions about the same hole have in common. Told from the line alone; when in doubt, different.

        All positions in a `sorry` are one place. Elsewhere the place is the position; and where a tactic may be
        half typed, or a `sorry` stands near by, how the question wants that read is part of it.
        """
        line = LineIndex(self.document.text).line(self.position.line).removesuffix("\r")
        column = self.position.column
        sorries = [match.span() for match in SORRY.finditer(line)]
        for start, end in sorries:
            if start <= column <= end:
                return self.position.line, start, "sorry"
        read: list[object] = [self.position.line, column]
        if line.strip() and not _OPENER.search(line[:column]):
            read.append(self.options.extend_typed)
        if sorries:
            read.append(self.options.near)
        return tuple(read)

    def same_place(self, other: Question) -> bool:
        """Whether the other asks about the same hole of the same version."""
        return (
            self.document.uri == other.document.uri
            and self.document.version == other.document.version
            and self.place == other.place
        )

    def covers(self, other: Question, *, exhausted: bool = False) -> bool:
        """Whether an answer to this one is an answer to the other, of the same place.

        `exhausted` says that this one was answered with nothing left to try, so that more time or room had not
        found more.
        """
        mine, asked = self.options, other.options
        return (
            (exhausted or (mine.budget >= asked.budget and mine.limit >= asked.limit))
            and mine.verify_progress >= asked.verify_progress
            and mine.stop_at_first_close <= asked.stop_at_first_close
            and mine.closes_only <= asked.closes_only
            and (mine.search, mine.sources, mine.given) == (asked.search, asked.sources, asked.given)
            and mine.finish.covers(asked.finish)
        )


def closes(suggestion: Suggestion) -> bool:
    """Whether a suggestion ends the proof and was elaborated once more in place."""
    return suggestion.verdict is Verdict.CLOSES and suggestion.verified


def closes_here(suggestion: Suggestion) -> bool:
    """Whether it ends at least the goal at hand; the declaration may have errors or a `sorry` elsewhere."""
    return closes(suggestion) or (suggestion.verdict is Verdict.PROGRESSES and not suggestion.goals)


def order(suggestion: Suggestion) -> int:
    """A sort key: what ends the proof, what ends this goal, what only makes progress."""
    return 0 if closes(suggestion) else 1 if closes_here(suggestion) else 2
