"""Reads what a Lean server publishes of one version of a text. Values only: no process, no wire.

A message counts for the version that it names and for no other; what cannot be read makes the whole unreadable, so
that nothing is concluded from the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tacit.server.lean.elaborator import Message, Severity
from tacit.server.text import LineIndex

UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)
"""What `read` raises for what is no diagnostic."""


@dataclass(slots=True)
class Published:
    """The diagnostics of one version so far, as they came, and how many notifications brought them."""

    raw: list[Any] = field(default_factory=list)
    times: int = 0

    def add(self, params: Mapping[str, Any]) -> None:
        """Take in one `publishDiagnostics` of this version."""
        # Every Lean up to 4.27 publishes all diagnostics so far; newer ones may send additions, marked so.
        if not params.get("isIncremental"):
            self.raw = []
        diagnostics = params.get("diagnostics") or ()
        # What is no list is kept as one thing that cannot be read.
        self.raw.extend(diagnostics if isinstance(diagnostics, list | tuple) else [diagnostics])
        self.times += 1


def read(text: str, raw: Sequence[Any]) -> tuple[Message, ...]:
    """The messages that a server sent of a text. Raises one of UNREADABLE."""
    index = LineIndex(text)
    messages = []
    for diagnostic in raw:
        severity = Severity(diagnostic.get("severity") or 1)
        # Lean's "Goals accomplished!", which was not asked for. What is an error counts, however it is sent.
        if diagnostic.get("isSilent") and severity is not Severity.ERROR:
            continue
        said = diagnostic.get("message") or ""
        if not isinstance(said, str):
            raise TypeError(f"a message that is no text: {said!r}")
        # `range` ends at the end of the first line, for squiggles; `fullRange` is the whole.
        span = diagnostic.get("fullRange") or diagnostic["range"]
        start, end = span["start"], span["end"]
        messages.append(
            Message(
                severity,
                index.from_utf16(start["line"], start["character"]),
                index.from_utf16(end["line"], end["character"]),
                said,
            )
        )
    return tuple(messages)
