"""A real Lean judges what the gate lets through: whether the commands behind each candidate stand where they stood."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tacit.server.lean.elaborator import Elaborator, Message, Outcome, Severity
from tacit.server.lean.live import LiveElaborator
from tacit.server.lean.locate import LeanSettings, find_lean, server_commands
from tacit.server.text import Position

_PATIENCE = 300.0  # seconds


@dataclass
class Judgement:
    """How many texts Lean was asked of, how many of them it could read as tactics, and those that got out, with why."""

    judged: int = 0
    parsed: int = 0
    escaped: dict[str, str] = field(default_factory=dict)


@asynccontextmanager
async def a_lean() -> AsyncIterator[Elaborator]:
    """A Lean of its own. Raises LeanNotFound."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        install = await find_lean(LeanSettings(), folder)
        live = LiveElaborator(
            server_commands(install, folder / "Fuzz.lean", LeanSettings()), (folder / "F.lean").as_uri()
        )
        try:
            yield live
        finally:
            await live.aclose()


async def judge(lean: Elaborator, texts: Sequence[str]) -> Judgement:
    """Put each text where it is only read, in a command of its own, between commands that tell that they ran.

    What stays inside is one tactic, or one syntax error in its own lines: nothing runs there, nothing is said there,
    and the command behind it runs where it stands. Texts that kill Lean's parser together are asked one by one.
    """
    lines: list[str] = []
    places: list[tuple[str, int, int, int]] = []
    for text in texts:
        begin = len(lines)
        first, *rest = text.split("\n")
        lines += ["example : True := by", f"  first | exact True.intro | ({first}", *(" " * 30 + each for each in rest)]
        lines[-1] += ")"
        lines += ["  trace_state", "#check (7 : Nat)"]
        places.append((text, begin, len(lines) - 2, len(lines) - 1))
    result = await lean.elaborate("\n".join(lines) + "\n", timeout=_PATIENCE)
    assert result.outcome is not Outcome.UNRECORDED, result.detail
    if result.outcome is not Outcome.DONE:
        if len(texts) == 1:
            return Judgement(judged=1)  # it kills Lean: nothing got out of there
        found = Judgement()
        half = len(texts) // 2
        for part in (texts[:half], texts[half:]):
            one = await judge(lean, part)
            found.judged += one.judged
            found.parsed += one.parsed
            found.escaped |= one.escaped
        return found
    found = Judgement(judged=len(texts))
    for text, begin, mark, behind in places:
        here = [m for m in result.messages if begin <= m.start.line <= behind]
        found.parsed += any(m.start == Position(mark, 2) and m.severity is Severity.INFORMATION for m in here)
        if why := _got_out(here, mark, behind):
            found.escaped[text] = why
    return found


def _got_out(messages: Sequence[Message], mark: int, behind: int) -> str:
    after = [m for m in messages if m.start.line == behind]
    if [(m.severity, m.start.column, m.text) for m in after] != [(Severity.INFORMATION, 0, "7 : Nat")]:
        return f"the command behind it says {[m.text for m in after]}"
    told = [m for m in messages if m.severity is Severity.INFORMATION and m.start.line < behind]
    if any(m.start != Position(mark, 2) for m in told) or len(told) > 1:
        return f"something ran: {[m.text for m in told]}"
    wrong = [m for m in messages if m.severity is Severity.ERROR]
    if told and wrong:
        return f"it was read, and is an error: {[m.text for m in wrong]}"
    if not told and not wrong:
        return "it was not read, and is no error"
    return ""
