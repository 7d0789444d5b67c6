"""Lean is killed, stopped, slow, flooding, talking nonsense, out of memory, or not there at all."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import psutil

from tests.faults.fault import Inject, Told, When, fault
from tests.faults.rig import Rig

ANY_TIME = (When.IDLE, When.STARTING, When.BUSY)
RUNNING = (When.IDLE, When.BUSY)
EVERY, SERVER, WORKER = slice(None), slice(0, 1), slice(1, None)


def _ends(name: str, number: signal.Signals, which: slice) -> None:
    @fault("lean", name, when=ANY_TIME)
    async def ended(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
        rig.lean.send(number, which=which)
        if number is signal.SIGSEGV:  # Lean looks at the first, whether its stack overflowed
            await asyncio.sleep(0.05)
            rig.lean.send(number, which=which)
        yield


_ends("All of Lean ends by SIGKILL", signal.SIGKILL, EVERY)
_ends("All of Lean ends by SIGSEGV", signal.SIGSEGV, EVERY)
_ends("All of Lean ends by SIGILL", signal.SIGILL, EVERY)
_ends("All of Lean is told to end", signal.SIGTERM, EVERY)
_ends("Lean's watchdog is killed", signal.SIGKILL, SERVER)
_ends("Lean's worker is killed", signal.SIGKILL, WORKER)
_ends("Lean's worker crashes", signal.SIGSEGV, WORKER)
_ends("Lean's watchdog is stopped for good", signal.SIGSTOP, SERVER)
_ends("Lean's worker is stopped for good", signal.SIGSTOP, WORKER)
_ends("All of Lean is stopped for good", signal.SIGSTOP, EVERY)


@fault("lean", "Lean dies again and again", when=RUNNING)
async def dies_often(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    for _ in range(4):
        rig.lean.send(signal.SIGKILL)
        await asyncio.sleep(dice.random() * 0.5)
    yield


@fault("lean", "Lean is stopped for seconds, and goes on", when=RUNNING)
async def paused(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    rig.lean.send(signal.SIGSTOP)
    await asyncio.sleep(0.5 + 2 * dice.random())
    rig.lean.send(signal.SIGCONT)
    yield


# ---------------------------------------------------------------------------------------------- what it says


def _behaves(name: str, what: str, when: tuple[When, ...] = RUNNING, *, told: Told = Told.QUIET, **more: Any) -> None:
    """One process misbehaves, and whatever follows it does not."""

    @fault("lean", name, when=when, told=told, proxied=True)
    async def behaving(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
        rig.lean.behave(what, once=True, dice=dice.randrange(10**6), **more)
        await rig.taken(rig.lean, what)
        yield
        rig.lean.well()
        if not rig.lean.taken():
            raise RuntimeError(f"no Lean behaved so: {what}")


_behaves("Lean sends random bytes", "garbage")
_behaves("Lean says more bytes than it sends", "long")
_behaves("Lean says fewer bytes than it sends", "short")
_behaves("Lean announces a petabyte", "huge")
_behaves("Lean announces a negative length", "negative")
_behaves("Lean announces no length", "lengthless")
_behaves("Lean sends JSON of any shape", "shapes")
_behaves("Lean's messages lack fields or have others", "fields")
_behaves("Lean answers what nobody asked", "unasked")
_behaves("Lean says everything twice", "twice")
_behaves("Lean sends half a message, then nothing", "half")
_behaves("Lean falls silent", "silent")
_behaves("Lean reads nothing any more", "deaf")
_behaves("Lean floods", "flood")
_behaves("Lean sends a message of 200 MiB", "giant", megabytes=200)
_behaves("Lean sends a message without end", "endless")
_behaves("Lean exits with a code", "exit", code=7)


@fault("lean", "Lean is slow", when=RUNNING, lasts=True, proxied=True)
async def slow(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    rig.lean.behave("slow", seconds=0.2 + dice.random())
    yield
    rig.lean.well()


def _always(name: str, what: str, **more: Any) -> None:
    """Every process misbehaves from its first message on, until it is lifted."""

    @fault("lean", name, told=Told.SAID, says="Lean|lean", lasts=True, proxied=True)
    async def behaving(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
        rig.lean.behave(what, dice=dice.randrange(10**6), **more)
        yield
        rig.lean.well()


_always("Every Lean sends random bytes", "garbage")
_always("Every Lean sends JSON of any shape", "shapes")
_always("Every Lean exits at its first word", "exit", code=1)


# ---------------------------------------------------------------------------------------------- memory


@fault("lean", "Lean's memory runs out", when=RUNNING)
async def starves(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    for process in rig.lean.processes():
        with suppress(psutil.Error, OSError, ValueError):
            process.rlimit(psutil.RLIMIT_AS, (process.memory_info().vms, -1))
    yield


@fault("lean", "Lean exits as it does when memory runs out", proxied=True, when=RUNNING)
async def out_of_memory(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    rig.lean.behave("exit", once=True, code=-int(signal.SIGKILL))
    yield
    rig.lean.well()


# ---------------------------------------------------------------------------------------------- starting it


def _launched(name: str, before: str, says: str) -> Inject:
    """What is started in Lean's place does something else, until that is mended."""

    @fault("lean", name, told=Told.SHOWN, says=says, lasts=True)
    async def launched(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
        rig.lean.launch(before)
        rig.lean.send(signal.SIGKILL)
        yield
        rig.lean.launch()

    return launched


_launched("Lean has too little memory to start", "sleep 0.3; ulimit -v 60000", "Lean|lean")
_launched("Lean exits at once", "echo 'error: no such toolchain' >&2; exit 3", "no such toolchain")
_launched("Lean is killed at once", "kill -KILL $$", "lean")
_launched("Lean ends by SIGILL at once", "kill -ILL $$", "SIGILL|illegal instruction")
_launched("Lean starts and says nothing", "exec sleep 1000", "lean")


@fault("lean", "Lean is removed", told=Told.SHOWN, says="cannot be started|no Lean|not found", lasts=True)
async def removed(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    rig.lean.launcher.unlink()
    rig.lean.send(signal.SIGKILL)
    yield
    rig.lean.launch()


@fault("lean", "Lean may not be executed", told=Told.SHOWN, says="cannot be started|[Pp]ermission", lasts=True)
async def not_executable(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    rig.lean.launcher.chmod(0o644)
    rig.lean.send(signal.SIGKILL)
    yield
    rig.lean.launch()


@fault("lean", "There is no Lean when the editor starts", told=Told.SHOWN, says="[Ll]ean", lasts=True)
async def absent(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    rig.lean.launcher.unlink()
    await rig.restart()
    yield
    rig.lean.launch()
