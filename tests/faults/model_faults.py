"""The local model's worker is killed, stopped, slow, talking nonsense, out of memory; its file is damaged or gone."""

from __future__ import annotations

import random
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import psutil

from tests.faults.fault import Told, When, fault
from tests.faults.rig import Rig

RUNNING = (When.IDLE, When.BUSY)
SAYS = "model"


def _ends(name: str, number: signal.Signals) -> None:
    @fault("model", name, when=RUNNING, model=True)
    async def ended(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
        rig.model.send(number)
        yield


_ends("The worker is killed", signal.SIGKILL)
_ends("The worker crashes", signal.SIGSEGV)
_ends("The worker meets an illegal instruction", signal.SIGILL)
_ends("The worker is told to end", signal.SIGTERM)
_ends("The worker is stopped for good", signal.SIGSTOP)


def _behaves(name: str, what: str, **more: Any) -> None:
    """One worker misbehaves, and the one that follows it does not."""

    @fault("model", name, model=True, proxied=True)
    async def behaving(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
        rig.model.behave(what, once=True, dice=dice.randrange(10**6), **more)
        await rig.taken(rig.model, what)
        yield
        rig.model.well()
        if not rig.model.taken():
            raise RuntimeError(f"no worker behaved so: {what}")


_behaves("The worker sends random bytes", "garbage")
_behaves("The worker says more bytes than it sends", "long")
_behaves("The worker says fewer bytes than it sends", "short")
_behaves("The worker announces gigabytes", "huge")
_behaves("The worker sends JSON of any shape", "shapes")
_behaves("The worker's messages lack fields or have others", "fields")
_behaves("The worker answers what nobody asked", "unasked")
_behaves("The worker says everything twice", "twice")
_behaves("The worker sends half a message, then nothing", "half")
_behaves("The worker falls silent", "silent")
_behaves("The worker reads nothing any more", "deaf")
_behaves("The worker floods", "flood")
_behaves("The worker sends a message of 200 MiB", "giant", megabytes=200)
_behaves("The worker sends a message without end", "endless")
_behaves("The worker exits with a code", "exit", code=7)


@fault("model", "The worker is slow", model=True, proxied=True, lasts=True)
async def slow(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    rig.model.behave("slow", seconds=0.2 + dice.random())
    yield
    rig.model.well()


@fault("model", "Every worker sends random bytes", model=True, proxied=True, lasts=True, told=Told.SHOWN, says=SAYS)
async def nonsense(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    rig.model.behave("garbage", dice=dice.randrange(10**6))
    yield
    rig.model.well()


@fault("model", "Every worker ends at its first word", model=True, proxied=True, lasts=True, told=Told.SHOWN, says=SAYS)
async def ends_always(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    rig.model.behave("exit", code=-int(signal.SIGKILL))
    yield
    rig.model.well()


@fault("model", "The worker's memory runs out", model=True, when=RUNNING)
async def starves(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    for process in rig.model.processes():
        with suppress(psutil.Error, OSError, ValueError):
            process.rlimit(psutil.RLIMIT_AS, (process.memory_info().vms, -1))
    yield


@fault(
    "model",
    "The model's file is cut short while it is loaded",
    model=True,
    real=True,
    lasts=True,
    told=Told.SHOWN,
    says=SAYS,
)
async def cut(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    whole = rig.weights.read_bytes()
    with rig.weights.open("r+b") as file:
        file.truncate(int(len(whole) * dice.random()))
    rig.model.send(signal.SIGKILL)  # what has read all of it would not notice
    yield
    rig.weights.write_bytes(whole)


@fault(
    "model",
    "The model's file is removed while it is loaded",
    model=True,
    real=True,
    lasts=True,
    told=Told.SHOWN,
    says=SAYS,
)
async def removed(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    aside = rig.weights.with_suffix(".aside")
    rig.weights.rename(aside)
    rig.model.send(signal.SIGKILL)
    yield
    aside.rename(rig.weights)
