"""Tells a Lean that works from one that stands still, by what the system says of its processes. Ends nothing.

A Lean that was stopped, or that waits for what never comes, answers nothing and says nothing, for ever. One that loads
Mathlib, or thinks for minutes, says nothing either: but it computes, or reads.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import psutil

LOOK = 1.0
"""Seconds between two looks. Looks are counted and not seconds: a machine that slept, or a sidecar that was stopped
itself, is no evidence."""
STOPPED = 2
"""Looks in a row that find a process stopped, or the worker gone."""
STILL = 15
"""Looks in a row that find nothing computed, read or said. A tactic that sleeps so long is taken for one that hangs."""
MUTE = 5
"""The same where it has not even taken notice of the text: a Lean that is well says at once that it begins."""
NOTHING = 0.1
"""Seconds of computing that are none: threads that wake up to look for work."""
WORKER_GONE = "its worker ended"
# As Linux writes the states of a thread: stopped; running or waiting for a processor that others have, or for a disk.
_STOPPED, _BUSY = frozenset("Tt"), frozenset("RD")

T = TypeVar("T")


class Watched(Protocol):
    """What is watched: its processes, and how often it spoke."""

    @property
    def lost(self) -> bool:
        """Whether the worker that read the document is gone."""
        ...

    @property
    def heard(self) -> int:
        """How many notifications came."""
        ...

    def processes(self) -> Sequence[psutil.Process]:
        """It, and all that it has started."""
        ...


class StoodStill(Exception):
    """It does nothing; the message says how that showed."""


async def unless_still(server: Watched, work: Awaitable[T], looks: Callable[[], int] = lambda: STILL) -> T:
    """What comes of `work`, for which the server is needed, unless so many `looks` find nothing. Raises StoodStill."""
    doing = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_standstill(server, looks))
    try:
        await asyncio.wait({doing, watch}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return await doing
        raise StoodStill(await watch)
    finally:
        for task in (doing, watch):
            task.cancel()
        await asyncio.gather(doing, watch, return_exceptions=True)


async def _standstill(server: Watched, looks: Callable[[], int]) -> str:
    """Return once it stands still, with how that shows."""
    stopped = lost = still = 0
    before = _signs(server)
    while True:
        await asyncio.sleep(LOOK)
        now = _signs(server)
        states = set().union(*map(thread_states, server.processes()))
        stopped = stopped + 1 if states & _STOPPED else 0
        if stopped >= STOPPED:
            return "it was stopped by a signal"
        lost = lost + 1 if server.lost else 0
        if lost >= STOPPED:
            return WORKER_GONE
        computed, others = now[0] - before[0], now[1:] != before[1:]
        if others or computed > NOTHING:
            still, before = 0, now
        elif not states & _BUSY:  # whoever waits for its turn says nothing either way
            still += 1
        if still >= looks():
            return f"it did nothing for {still * LOOK:.0f} s"


def _signs(server: Watched) -> tuple[float, int, int, int]:
    """Seconds computed, bytes read, messages, processes: what grows while something goes on."""
    computed, read, processes = 0.0, 0, server.processes()
    for process in processes:
        with contextlib.suppress(psutil.Error, OSError):
            times = process.cpu_times()
            computed += times.user + times.system
        with contextlib.suppress(psutil.Error, OSError, AttributeError):  # not every system tells
            read += process.io_counters().read_bytes
    return computed, read, server.heard, len(processes)


def thread_states(process: psutil.Process) -> set[str]:
    """The states of its threads, a letter each; empty where no system tells. (Lean's first thread only waits.)"""
    states = set()
    for file in Path(f"/proc/{process.pid}/task").glob("*/stat"):
        with contextlib.suppress(OSError, IndexError):
            states.add(file.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0])
    return states
