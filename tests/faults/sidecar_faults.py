"""The sidecar itself is killed or stopped, as by a system that is short of memory: what it had started must go."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator

from tests.faults import peers
from tests.faults.fault import When, fault
from tests.faults.rig import NoAnswer, Rig
from tests.protocol.editor import alive

ANY_TIME = (When.IDLE, When.STARTING, When.BUSY)


@fault("sidecar", "The sidecar is killed", when=ANY_TIME, model=True, index=True, alone=True, answers=False)
async def killed(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    await _kill(rig)
    await rig.restart()
    yield


@fault("sidecar", "The sidecar is killed while Lean hangs", when=(When.BUSY,), proxied=True, alone=True, answers=False)
async def killed_beside_a_hang(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    rig.lean.behave("deaf", once=True)
    await rig.taken(rig.lean, "deaf")
    await _kill(rig)
    await rig.restart()
    yield


@fault("sidecar", "The sidecar is killed while Lean is stopped", alone=True, answers=False)
async def killed_beside_one_that_is_stopped(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    left = rig.lean.send(signal.SIGSTOP)
    rig.editor.process.kill()
    await rig.editor.process.wait()
    await rig.restart()  # it ends what the one before it left
    await rig.until(lambda: not any(map(alive, left)), "what was left behind has been ended", patience=60.0)
    yield


@fault("sidecar", "The sidecar is stopped for seconds, and goes on", when=ANY_TIME)
async def paused(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    rig.editor.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(1 + 3 * dice.random())
    rig.editor.process.send_signal(signal.SIGCONT)
    yield


async def _kill(rig: Rig) -> None:
    """Kill it, and wait until nothing that it had started is left. Raises NoAnswer."""
    rig.editor.process.kill()
    await rig.editor.process.wait()

    def alone() -> bool:
        return not peers.of_round(rig.mark)

    try:
        await rig.until(alone, "all that the sidecar had started has ended", patience=30.0)
    except NoAnswer as missing:
        left = "; ".join(" ".join(each.cmdline()) for each in peers.of_round(rig.mark))
        raise NoAnswer(f"{missing}: {left}") from None
