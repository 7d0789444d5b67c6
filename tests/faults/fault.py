"""What a fault is, and the list of all of them. Starts nothing."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.rig import Rig

Inject = Callable[["Rig", random.Random], AsyncIterator[None]]


class Told(Enum):
    """How the user hears of a fault."""

    SHOWN = "shown in one message"
    SAID = "said in a message, with an answer, in the status or in the log"
    QUIET = "need not be told"


class When(Enum):
    """What Lean is doing when a fault is injected."""

    IDLE = "idle"
    STARTING = "starting"
    BUSY = "elaborating"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, what it needs, and what must be said of it.

    `says` is a regular expression for the sentence. `lasts`: it is in force until it is lifted. `proxied`: Lean and the
    model run behind proxies. `alone`: it is not mixed with others. `real`: no scripted
    peer can stand in. `answers`: whether requests are answered while it is
    in force, which they need not be where the editor itself is at fault.
    """

    kind: str
    name: str
    inject: Inject
    when: tuple[When, ...]
    told: Told
    says: str
    model: bool
    index: bool
    lasts: bool
    proxied: bool
    alone: bool
    real: bool
    answers: bool

    @property
    def title(self) -> str:
        """Names it in reports, and for `--only`."""
        return f"{self.kind}: {self.name}"


FAULTS: list[Fault] = []


def fault(
    kind: str,
    name: str,
    *,
    when: tuple[When, ...] = (When.IDLE,),
    told: Told = Told.QUIET,
    says: str = "",
    model: bool = False,
    index: bool = False,
    lasts: bool = False,
    proxied: bool = False,
    alone: bool = False,
    real: bool = False,
    answers: bool = True,
) -> Callable[[Inject], Inject]:
    """Enter a function into the list. See the package's docstring for what it does."""

    def enter(inject: Inject) -> Inject:
        FAULTS.append(Fault(kind, name, inject, when, told, says, model, index, lasts, proxied, alone, real, answers))
        return inject

    return enter
