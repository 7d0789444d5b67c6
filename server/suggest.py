"""From a place in a document to a stream of checked suggestions: sources → gate → checker → ranking.

Puts `lean` and `tactics` together; knows neither LSP nor the terminal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tacit.server.text import Position, Span
from tacit.server.values import CheckedTactic, Goal, Suggestion


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a Lean file: its text may be unsaved, and `path` may not exist (untitled documents)."""

    uri: str
    version: int
    text: str
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class GoalFound:
    """The goals at the place asked for, before any candidate has run. `hole` is the text an edit will replace."""

    goals: tuple[Goal, ...]
    hole: Span
    declaration: str | None


@dataclass(frozen=True, slots=True)
class BatchChecked:
    """Every verdict of one batch, failures included: for traces, benchmarks and progress."""

    checked: tuple[CheckedTactic, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Found:
    """A suggestion that may be shown now. `elapsed` is seconds since the request began."""

    suggestion: Suggestion
    elapsed: float


@dataclass(frozen=True, slots=True)
class Finished:
    """The request is done: how many candidates ran, how long it took, and a sentence when something went wrong."""

    checked: int
    elapsed: float
    notice: str = ""


Event = GoalFound | BatchChecked | Found | Finished


@dataclass(frozen=True, slots=True)
class Options:
    """How far to go. `budget` is seconds for the whole request; `stop_at_first_close` ends it at the first verified close.

    `verify_progress` elaborates progressing tactics once more in place too (ghost text asks for it). `typed`
    is what the user has typed of a tactic before the cursor: only candidates that extend it are tried, and the
    edit replaces it.
    """

    budget: float = 10.0
    stop_at_first_close: bool = False
    verify_progress: bool = False
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class LeanStatus:
    """What `tacit/status` and `tacit doctor` say of Lean."""

    state: str  # "not started" | "starting" | "ready" | "replaying" | "missing" | "failed"
    version: str = ""
    command: tuple[str, ...] = ()
    replayed: bool = False
    sentence: str = ""
    documents: int = 0
    restarts: int = 0


class Suggester:
    """Answers suggestion requests. Build one with `tacit.server.compose.build_suggester`."""

    def suggest(
        self, document: Document, position: Position, options: Options = Options()
    ) -> AsyncIterator[Event]:
        """Stream events for the goal at `position`: GoalFound, then BatchChecked and Found in any order, then Finished.

        Raises NoGoal when there is nothing to prove there, LeanNotFound when no Lean can be started. Closing
        the iterator (or cancelling the task that drives it) frees Lean for the next request at once.
        """
        raise NotImplementedError

    async def prepare(self, document: Document) -> None:
        """Elaborate what stands above so that the first request is quick; errors are kept for `status`."""
        raise NotImplementedError

    async def forget(self, uri: str) -> None:
        """The document was closed: release its Lean process."""
        raise NotImplementedError

    def status(self) -> LeanStatus:
        """What Lean is doing now. Never waits."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Stop everything; no process is left behind."""
        raise NotImplementedError
