"""The contracts of a tactic source and of what finds premises for one, and the values they pass. Nothing else."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Container, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tacit.server.values import Candidate, Declaration, Goal


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """What a source may look at.

    `goals` are all goals at the cursor, the main one first. `known` are the names of the tactics that this
    environment parses (probed once for each set of imports). `declaration` is the name of the theorem being
    proved, never to be proposed. `imports` are the module names in the file's header. `above` are the
    declarations that stand above in the same file, the nearest last. `text` is the whole document, unsaved, `start`
    where in it the declaration begins, `at` where the tactic is wanted, and `path` its file, None for untitled ones.

    `tried` tells of a text, as `lexer.signature` has it, whether a source has proposed it already: it is not run twice.
    `tell` takes a sentence for the user, who sees it once; the second text says what it is about, as a key.
    """

    goals: tuple[Goal, ...]
    known: frozenset[str]
    declaration: str | None = None
    imports: tuple[str, ...] = ()
    above: tuple[Declaration, ...] = ()
    text: str = ""
    start: int = 0
    at: int = 0
    path: Path | None = None
    tried: Container[str] = field(default=frozenset(), compare=False, repr=False)
    tell: Callable[[str, str], None] = field(default=lambda sentence, about: None, compare=False, repr=False)

    @property
    def goal(self) -> Goal:
        """The main goal."""
        return self.goals[0]


class TacticSource(Protocol):
    """Proposes candidates for a goal, in batches, likeliest and cheapest first.

    A source must be deterministic for a request, must not block the loop, and may be cancelled between any two
    batches. What it proposes is never trusted: every candidate goes through the gate and the checker.
    """

    @property
    def name(self) -> str:
        """The name shown beside a suggestion; unique among the sources."""
        ...

    def candidates(self, request: SourceRequest) -> AsyncIterator[Sequence[Candidate]]:
        """Yield batches of candidates. An empty batch is allowed; an exception disables this source for the request."""
        ...


@dataclass(frozen=True, slots=True)
class Helpful:
    """A premise as tactics need it.

    `name` is how it may be written at the place asked for; `signature` its binders and its type; `defined` says that it
    is a definition, to unfold and not to apply. `score` only orders.
    """

    name: str
    signature: str
    score: float
    defined: bool = False
    deprecated: bool = False


class PremiseFinder(Protocol):
    """Ranks premises for a goal. Never blocks the loop; without an index it finds nothing and does not complain."""

    async def find(self, request: SourceRequest, limit: int) -> Sequence[Helpful]:
        """The premises that may help most and that can be used at the place, best first; never the theorem itself."""
        ...

    async def unknown(self, request: SourceRequest, names: Collection[str]) -> Collection[str]:
        """Those of these names that nothing at the place can mean; none where that cannot be told.

        They are as a tactic has them, fields and all; one that begins with a dot (`.symm`) is a field alone.
        """
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """A tactic that a model wrote; `log_prob` is the natural logarithm of its probability, over so many `tokens`."""

    text: str
    log_prob: float
    tokens: int


class TacticGenerator(Protocol):
    """Writes tactics for a goal, as a language model does. Raises TacitError when it cannot."""

    @property
    def reads(self) -> bool:
        """Whether it was trained to be told premises."""
        ...

    def write(self, request: SourceRequest, premises: Sequence[Helpful], count: int) -> AsyncGenerator[Written, None]:
        """Stream at most `count` distinct texts as they are written. Closing the stream stops the writing."""
        ...


@dataclass(frozen=True, slots=True)
class Remembered:
    """A tactic that stands in a proof, or that was accepted, and the goal that it was for.

    Its constants are written as they may be at the place asked for; its local names are those of `goal`, or of `bound`,
    which the steps before it introduced. `weight`, from 0 to about 2, says how like the goal is and how near it stands.
    """

    goal: Goal
    tactic: str
    weight: float
    bound: frozenset[str] = frozenset()


class ProofMemory(Protocol):
    """Remembers proofs. Never blocks the loop; where nothing is remembered it finds nothing and does not complain."""

    async def recall(self, request: SourceRequest, limit: int) -> Sequence[Remembered]:
        """What was done at the likest goals, the weightiest first.

        Never of the theorem being proved, never what names a declaration that cannot be used at the place.
        """
        ...
