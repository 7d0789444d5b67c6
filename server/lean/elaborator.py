"""The contract between the checker and whatever answers for Lean: a live server, or a recording of one.

Values and one Protocol; no process, no file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from tacit.server.text import Position


class Severity(IntEnum):
    """LSP's DiagnosticSeverity."""

    ERROR = 1
    WARNING = 2
    INFORMATION = 3
    HINT = 4


@dataclass(frozen=True, slots=True)
class Message:
    """One diagnostic of one document version: positions in code points, half open."""

    severity: Severity
    start: Position
    end: Position
    text: str


class Outcome(IntEnum):
    """How one elaboration ended."""

    DONE = 0
    TIMED_OUT = 1
    CRASHED = 2
    UNRECORDED = 3


@dataclass(frozen=True, slots=True)
class Elaboration:
    """What Lean said of one text. `messages` are whole only when the outcome is DONE, else what it told until then;
    `detail` explains what is not DONE."""

    outcome: Outcome
    messages: tuple[Message, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LeanIdentity:
    """Which Lean answers. `live` is False when recordings answer for it."""

    version: str
    live: bool = True

    @property
    def key(self) -> tuple[int, ...]:
        """(major, minor, patch) for comparisons; () when the version has no such form."""
        numbers = self.version.split("-")[0].split(".")
        return tuple(int(n) for n in numbers) if all(n.isdigit() for n in numbers) else ()

    @property
    def keeps_steps(self) -> bool:
        """Whether it keeps the steps of a proof that stand before the first change, tells of each as it is done, and
        stops what an edit has made void (2024 on)."""
        return self.key >= (4, 9)


# Whether what was told of a text so far is all that is wanted of it.
Enough = Callable[[Sequence[Message]], bool]


class Elaborator(Protocol):
    """Elaborates texts in one scratch document, one at a time, and never writes a file.

    Texts that share a beginning share its elaboration. After TIMED_OUT or CRASHED the next call works: what ran is
    stopped, by then at the latest, and with its process where nothing else helps.
    """

    @property
    def identity(self) -> LeanIdentity:
        """Which Lean answers."""
        ...

    async def elaborate(
        self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
    ) -> Elaboration:
        """Every diagnostic of this text. `timeout` in seconds; `label` tells a reader of recordings what it is for.

        Where `enough` says so of what was told, the rest may be left out; what runs for it is stopped by the next text.

        Raises LeanNotFound or LeanDied when no Lean can be had at all.
        """
        ...

    async def goals(self, text: str, position: Position, *, timeout: float) -> Sequence[str]:
        """The goals that Lean shows at a position of a text, as it prints them; empty when there are none."""
        ...

    async def aclose(self) -> None:
        """End the process. Idempotent."""
        ...
