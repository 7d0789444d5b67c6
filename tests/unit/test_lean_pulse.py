"""Whether a Lean works or stands still: processes that are told what to say of themselves."""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from tacit.server.lean import pulse
from tacit.server.lean.pulse import STILL, STOPPED, StoodStill, thread_states, unless_still


class Process:
    """One process; each look at its state goes on to the next."""

    def __init__(self, *states: str, computes: float = 0.0, reads: int = 0) -> None:
        self._states = list(states) or ["S"]
        self._computes, self._reads = computes, reads
        self.looks = 0

    def cpu_times(self) -> Any:
        self.looks += 1
        return SimpleNamespace(user=self._computes * self.looks, system=0.0)

    def io_counters(self) -> Any:
        return SimpleNamespace(read_bytes=self._reads * self.looks)

    @property
    def state(self) -> str:
        return self._states[min(self.looks, len(self._states)) - 1]


class Server:
    """What is watched."""

    def __init__(self, *processes: Process, says: int = 0, lost: bool = False) -> None:
        self._processes = processes
        self.lost = lost
        self._says = says
        self._heard = 0

    @property
    def heard(self) -> int:
        self._heard += self._says
        return self._heard

    def processes(self) -> Any:
        return self._processes


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "LOOK", 0.0)
    monkeypatch.setattr(pulse, "thread_states", lambda process: {process.state})


async def looks_until_given_up(server: Server, process: Process, most: int = 5 * STILL) -> int | None:
    """After how many looks it is said to stand still; None where it is still waited for after `most`."""

    async def work() -> None:
        while process.looks < most:  # noqa: ASYNC110 - the looks are counted by who looks
            await asyncio.sleep(0)

    try:
        await unless_still(server, work())
    except StoodStill:
        return process.looks
    return None


async def test_nothing_at_all_is_a_standstill() -> None:
    process = Process()
    assert await looks_until_given_up(Server(process), process) == STILL + 1


@pytest.mark.parametrize("state", ["T", "t"])
async def test_one_that_is_stopped_is_given_up_soon(state: str) -> None:
    process = Process(state)
    assert await looks_until_given_up(Server(Process(), process), process) == STOPPED + 1


async def test_one_whose_worker_is_gone_is_given_up_soon() -> None:
    process = Process(computes=1.0)
    assert await looks_until_given_up(Server(process, lost=True), process) == STOPPED + 1


async def test_one_that_is_stopped_for_a_moment_is_not() -> None:
    process = Process("S", "T", "S", "T", "S", computes=1.0)
    assert await looks_until_given_up(Server(process), process) is None


@pytest.mark.parametrize(
    "process",
    [Process(computes=0.5), Process(reads=4096), Process("D"), Process("R")],
    ids=["computes", "reads", "waits for the disk", "waits for a processor"],
)
async def test_one_that_does_something_is_waited_for(process: Process) -> None:
    assert await looks_until_given_up(Server(process), process) is None


async def test_one_that_wakes_up_and_does_nothing_is_given_up() -> None:
    states = ["S", "R"] * (2 * STILL)
    process = Process(*states)
    assert await looks_until_given_up(Server(process), process) is not None


async def test_one_that_speaks_is_waited_for() -> None:
    process = Process()
    assert await looks_until_given_up(Server(process, says=1), process) is None


async def test_computing_that_is_next_to_none_is_none() -> None:
    process = Process(computes=0.001)
    assert await looks_until_given_up(Server(process), process) == STILL + 1


async def test_what_comes_of_the_work_is_handed_on() -> None:
    async def fails() -> None:
        raise KeyError("x")

    async def answers() -> int:
        return 7

    assert await unless_still(Server(), answers()) == 7
    with pytest.raises(KeyError):
        await unless_still(Server(), fails())


async def test_whoever_is_cancelled_cancels_the_work() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.ensure_future(unless_still(Server(Process(computes=1.0)), work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert ended.is_set()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the states of threads")
def test_whoever_asks_is_running() -> None:
    assert "R" in thread_states(psutil.Process())
