"""Whether Lean could load what a text imports, from what it says of the text. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tacit.server.lean.elaborator import Message, Severity
from tacit.server.lean.syntax import commands_of
from tacit.server.text import LineIndex

_WORDS = ("unknown package", "unknown module", "object file", "import", "lake", "package")


def header_error(text: str, messages: Sequence[Message]) -> str | None:
    """The first line of what Lean says of imports that do not load; None where they do.

    It puts that at the very beginning (2021, and today what Lake says) or at the header's first word (today what
    loading says), which stands below a copyright notice.
    """
    telling = [
        message
        for message in messages
        if message.severity is Severity.ERROR and any(word in message.text.lower() for word in _WORDS)
    ]
    if not telling:
        return None  # where the header ends takes reading the text: not for every batch
    end = LineIndex(text).position(len(commands_of(text).header()))
    return next((first_line(message.text) for message in telling if message.start <= end), None)


def first_line(text: str) -> str:
    """The first line of what Lean says, 200 characters at most."""
    return text.strip().split("\n")[0][:200]
