"""The frozen values that pass between the steps of one suggestion. No behaviour beyond small derivations.

    Goal → Candidate* → CheckedTactic* → Suggestion*

Each step takes values and returns values; what belongs to one version of a document carries that version, and
a value of an old version is dropped, never shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from tacit.server.text import Span


class Verdict(Enum):
    """What Lean made of one candidate. Every verdict but REFUSED rests on something Lean said."""

    CLOSES = "closes"
    PROGRESSES = "progresses"
    FAILS = "fails"
    TIMED_OUT = "times out"
    REFUSED = "refused"


# `?x`, `?m.12`; not the `?` that ends a name (`xs.get? 0`) or an access (`xs[0]?`).
_ASKED = r"(?<![\w'!?\])}⟩»✝])\?"
UNKNOWN = re.compile(_ASKED + r"([\w«][\w.'«»]*)")
"""An unknown as Lean prints it; its name is the group."""
# A universe (`Sort ?u.7`) is hardly ever what a tactic assigns.
_METAVARIABLE = re.compile(_ASKED + r"(?!u\.\d)(?=[\w«])")


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One line of a local context: the names that share a type, the type, and the value of a `let`.

    A name with a `✝` (`h✝`, `h✝¹`) is inaccessible: no tactic text can mention it. Neither can it mention `_`,
    which stands for a name that Lean does not show.
    """

    names: tuple[str, ...]
    type: str
    value: str | None = None

    @property
    def accessible(self) -> tuple[str, ...]:
        """The names that a tactic may mention."""
        return tuple(name for name in self.names if "✝" not in name and name != "_")


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal as Lean prints it."""

    hypotheses: tuple[Hypothesis, ...]
    target: str
    tag: str | None = None
    text: str = ""

    @property
    def has_metavariables(self) -> bool:
        """Whether a `?x` stands anywhere: such goals share unknowns, and one may assign another's."""
        parts = (self.target, *(h.type for h in self.hypotheses), *(h.value or "" for h in self.hypotheses))
        return any(_METAVARIABLE.search(part) for part in parts)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tactic that a source proposes.

    `prior` is the source's own estimate in [0, 1] that it helps. A `query` (`exact?`, `simp?`, …) is run for
    the "Try this" it prints and is never shown itself.
    """

    text: str
    source: str
    prior: float = 0.5
    query: bool = False


@dataclass(frozen=True, slots=True)
class CheckedTactic:
    """A candidate with Lean's verdict.

    `goals` are the goals left (PROGRESSES); `message` is Lean's message (FAILS) or the reason (REFUSED,
    TIMED_OUT); `try_this` are the replacements Lean printed for it; `axioms` are those the finished theorem
    rests on (a verified CLOSES); `verified` says the tactic was elaborated once more in place.
    """

    candidate: Candidate
    verdict: Verdict
    goals: tuple[Goal, ...] = ()
    message: str = ""
    try_this: tuple[str, ...] = ()
    axioms: tuple[str, ...] = ()
    verified: bool = False


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Replace a span of the document by a text."""

    span: Span
    new_text: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the editor may show: a checked tactic, the edit that inserts it, and the document version it holds for.

    A PROGRESSES without goals closes the goal at hand, in a declaration that has errors or a `sorry` elsewhere;
    `note` says so.
    """

    tactic: str
    verdict: Verdict
    goals: tuple[Goal, ...]
    edit: TextEdit
    source: str
    version: int
    axioms: tuple[str, ...] = ()
    verified: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declaration that stands above the place asked for, in the same file.

    `name` is what may be written at that place (namespaces that are open there left out); `signature` is the
    text from behind the name up to the value: binders and type. `kind` is the keyword (`theorem`, `def`,
    `inductive`, …), or `field` for a field of a structure or class, or `constructor`. `value` is the text behind
    the signature of a definition, or what a structure or class extends; empty where it is long or of no use.
    """

    name: str
    kind: str
    signature: str
    value: str = ""
