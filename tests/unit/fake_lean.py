"""A Lean for unit tests: it knows of a tactic what a table says, and answers the checker's texts in Lean's words.

    lean = FakeLean({"rfl": Closes(), "simp": Leaves("⊢ p"), "exact?": Says("Try this: exact rfl")})

A tactic that is not in the table fails. What was asked stands in `lean.asked`, one word a text: `known`, `probe`,
`batch`, `parse`, `verify`, `text`; `lean.batches` are the tactics of each batch. `lean.pause` holds every batch
back until it is set. The layouts read here are those of `batch`, `environment` and `site`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tacit.server.lean.elaborator import Elaboration, Enough, LeanIdentity, Message, Outcome, Severity
from tacit.server.text import LineIndex, Position


@dataclass(frozen=True)
class Closes:
    """It closes the goal; in place the declaration rests on these axioms, has this warning, or is not what was said."""

    axioms: str = ""
    in_place: str = ""
    warning: str = ""


@dataclass(frozen=True)
class Leaves:
    """It leaves these goals."""

    goals: str


@dataclass(frozen=True)
class Says:
    """It closes the goal and prints a message."""

    message: str


@dataclass(frozen=True)
class Fails:
    """An error stands inside it; it may have printed something before."""

    error: str = "The tactic failed."
    message: str = ""


@dataclass(frozen=True)
class Hangs:
    """Lean answers nothing any more; one that keeps steps has told of the blocks above."""


@dataclass(frozen=True)
class Exhausts:
    """It uses up the heartbeats of the declaration: nothing behind it runs. With `needs`, it does so behind others."""

    needs: bool = False


@dataclass(frozen=True)
class Kills:
    """Lean dies of it."""


@dataclass(frozen=True)
class Unknown:
    """No tactic of this environment: a syntax error, and nothing of the command is elaborated."""


Fate = Closes | Leaves | Says | Fails | Hangs | Exhausts | Kills | Unknown
USED_UP = """(deterministic) timeout at `whnf`, maximum number of heartbeats (200000) has been reached

Note: Use `set_option maxHeartbeats <num>` to set the limit."""

_BLOCK = re.compile(r"^(?P<indent> *)· \((?P<first>.*)$")
_ASKED = re.compile(r"^  first \| exact True\.intro \| \((?P<first>.*)$")
_AXIOMS = re.compile(r"\n#print axioms (?P<name>\S+)\s*\Z")


class FakeLean:
    """Elaborator over a table. Deterministic, and never waits unless it is told to."""

    def __init__(
        self, table: Mapping[str, Fate] | None = None, *, goal: str = "⊢ True", version: str = "4.27.0"
    ) -> None:
        self.table = dict(table or {})
        self.goal = goal
        self.identity = LeanIdentity(version)
        self.asked: list[str] = []
        self.texts: list[str] = []
        self.batches: list[list[str]] = []
        self.verified: list[str] = []
        self.closed = 0
        self.pause = asyncio.Event()
        self.pause.set()
        self.waiting = asyncio.Event()

    async def elaborate(
        self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
    ) -> Elaboration:
        del timeout, label, enough
        self.texts.append(text)
        lines = text.split("\n")
        if any(_ASKED.match(line) for line in lines):
            self.asked.append("parse" if "  first | exact True.intro | (sorry" in text else "known")
            return self._known(lines)
        if any("(trace_state" in line for line in lines):
            self.asked.append("probe")
            return Elaboration(Outcome.DONE, tuple(self._probe(text, lines)))
        blocks = list(_blocks(lines))
        if blocks:
            self.asked.append("batch")
            self.batches.append([tactic for tactic, *_ in blocks])
            if not self.pause.is_set():
                self.waiting.set()
                await self.pause.wait()
            return self._batch(blocks)
        if asked := _AXIOMS.search(text):
            self.asked.append("verify")
            return self._in_place(text, asked["name"])
        self.asked.append("text")
        return Elaboration(Outcome.DONE)

    async def goals(self, text: str, position: Position, *, timeout: float) -> Sequence[str]:
        del text, position, timeout
        return [self.goal]

    async def aclose(self) -> None:
        self.closed += 1

    def fate(self, tactic: str) -> Fate:
        head = tactic.split()[0] if tactic.split() else ""
        if isinstance(self.table.get(head), Unknown):
            return Unknown()
        return self.table.get(tactic, Fails())

    def _known(self, lines: list[str]) -> Elaboration:
        found = []
        for number, line in enumerate(lines):
            if asked := _ASKED.match(line):
                mark = next(n for n in range(number, len(lines)) if lines[n] == "  trace_state")
                tactic = "\n".join([asked["first"], *(text.strip() for text in lines[number + 1 : mark])])
                if isinstance(self.fate(tactic.removesuffix(")")), Unknown):
                    found.append(_message(Severity.ERROR, "unknown tactic", number, asked.start("first")))
                else:
                    found.append(_message(Severity.INFORMATION, "no goals", mark, 2))
        return Elaboration(Outcome.DONE, tuple(found))

    def _probe(self, text: str, lines: list[str]) -> Iterator[Message]:
        number = next(n for n, line in enumerate(lines) if "(trace_state" in line)
        if not self.goal:
            return
        yield _message(Severity.INFORMATION, self.goal, number, lines[number].index("trace_state"))
        yield _message(Severity.INFORMATION, self.goal, number + 2, lines[number + 2].index("trace_state"))
        if asked := _AXIOMS.search(text):
            line = text.count("\n", 0, asked.start() + 1)
            yield _message(Severity.INFORMATION, f"'{asked['name']}' depends on axioms: [_tacitHole]", line, 0)

    def _batch(self, blocks: list[tuple[str, Position, Position, Position]]) -> Elaboration:
        fates = [self.fate(tactic) for tactic, *_ in blocks]
        for n, fate in enumerate(fates):
            if isinstance(fate, Hangs | Kills):
                told = tuple(self._told(fates[:n], blocks)) if self.identity.keeps_steps else ()
                if isinstance(fate, Hangs):
                    return Elaboration(Outcome.TIMED_OUT, told, "no answer")
                return Elaboration(Outcome.CRASHED, told, "Stack overflow")
        for fate, (_, start, _, _) in zip(fates, blocks, strict=True):
            if isinstance(fate, Unknown):
                error = _message(Severity.ERROR, "unknown tactic", start.line, start.column)
                return Elaboration(Outcome.DONE, (error,))
        return Elaboration(Outcome.DONE, tuple(self._told(fates, blocks)))

    def _told(
        self, fates: Sequence[Fate], blocks: Sequence[tuple[str, Position, Position, Position]]
    ) -> Iterator[Message]:
        """What is told of blocks that run one after the other."""
        for n, (fate, (_, start, _, mark)) in enumerate(zip(fates, blocks, strict=False)):
            if isinstance(fate, Exhausts) and (n or not fate.needs):
                yield _message(Severity.ERROR, USED_UP, start.line, start.column)
                return
            if isinstance(fate, Fails):
                if fate.message:
                    yield _message(Severity.INFORMATION, fate.message, start.line, start.column)
                yield _message(Severity.ERROR, fate.error, start.line, start.column)
                continue
            if isinstance(fate, Says):
                yield _message(Severity.INFORMATION, fate.message, start.line, start.column)
            left = fate.goals if isinstance(fate, Leaves) else "no goals"
            yield _message(Severity.INFORMATION, left, mark.line, mark.column)

    def _in_place(self, text: str, name: str) -> Elaboration:
        body = _AXIOMS.sub("", text).rpartition(":= by")[2].strip()
        tactic = "\n".join(line.strip() for line in body.split("\n"))
        self.verified.append(tactic)
        fate = self.fate(tactic)
        index = LineIndex(text)
        at = index.position(text.rindex(body))
        if isinstance(fate, Fails):
            return Elaboration(Outcome.DONE, (_message(Severity.ERROR, fate.error, at.line, at.column),))
        if isinstance(fate, Leaves):
            return Elaboration(Outcome.DONE, (_message(Severity.ERROR, f"unsolved goals\n{fate.goals}", 0, 0),))
        if isinstance(fate, Closes) and fate.in_place:
            return Elaboration(Outcome.DONE, (_message(Severity.ERROR, fate.in_place, at.line, at.column),))
        axioms = fate.axioms if isinstance(fate, Closes) else ""
        words = f"'{name}' depends on axioms: [{axioms}]" if axioms else f"'{name}' does not depend on any axioms"
        line = text.rstrip().count("\n")
        found = [_message(Severity.INFORMATION, words, line, 0)]
        if isinstance(fate, Closes) and fate.warning:
            found.insert(0, _message(Severity.WARNING, fate.warning, at.line, at.column))
        return Elaboration(Outcome.DONE, tuple(found))


def _blocks(lines: list[str]) -> Iterator[tuple[str, Position, Position, Position]]:
    """(tactic, where it begins, its bullet, its mark) of every block of a batch."""
    if not any("tacitCopy" in line for line in lines):
        return
    for number, line in enumerate(lines):
        if block := _BLOCK.match(line):
            mark = next(n for n in range(number, len(lines)) if lines[n].strip() == "trace_state")
            parts = [text.strip() for text in lines[number + 1 : mark]]
            tactic = "\n".join([block["first"], *parts] if block["first"] else parts).removesuffix(")")
            bullet = Position(number, len(block["indent"]))
            start = Position(number, bullet.column + 3)
            yield tactic, start, bullet, Position(mark, lines[mark].index("trace_state"))


def _message(severity: Severity, text: str, line: int, column: int) -> Message:
    return Message(severity, Position(line, column), Position(line, column + 1), text)
