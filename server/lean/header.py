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
    end = LineIndex(text).position(len(commands_of(text).header()))
    for message in messages:
        if message.severity is Severity.ERROR and message.start <= end:
            said = message.text.lower()
            if any(word in said for word in _WORDS):
                return message.text.strip().split("\n")[0][:200]
    return None
