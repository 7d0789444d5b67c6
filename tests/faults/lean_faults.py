"""Lean is killed, stopped, slow, flooding, talking nonsense, out of memory, or not there at all."""

from __future__ import annotations

import random
import signal
from collections.abc import AsyncIterator

from tests.faults.fault import When, fault
from tests.faults.rig import Rig

ANY_TIME = (When.IDLE, When.STARTING, When.BUSY)


def _killing(name: str, number: signal.Signals) -> None:
    @fault("lean", f"All of Lean ends by {name}", when=ANY_TIME)
    async def killed(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
        rig.lean.send(number)
        yield


_killing("SIGKILL", signal.SIGKILL)
_killing("SIGSEGV", signal.SIGSEGV)
_killing("SIGILL", signal.SIGILL)
