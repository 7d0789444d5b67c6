"""One Lean server process: started within limits, and ended with all that it started. Nothing else.

Transport (framing, matching, own process group) is leanclient's. It keeps its process and tasks private, and takes
no notice any more of a server that died by itself; what that leaves is seen to here.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psutil
from leanclient.aio.transport import LspTransport

from tacit.server.lean.locate import ServerCommand
from tacit.server.limits import limit, limit_time

START_SECONDS = 300.0
"""Seconds of processor time that a Lean gets to start, with whatever Lake does before."""
SPARE_SECONDS = 60.0
"""Seconds of processor time beyond what a request may take: a Lean that nobody waits for any more is ended before."""


def default_memory_mib() -> int:
    """The address-space limit of a Lean process when the user set none, in MiB.

    Address space, not resident memory: a worker maps all of Mathlib's .olean files (some 6 GiB) without
    holding them, so the limit must be generous on small machines and only stops a runaway.
    """
    return max(12 * 1024, int(psutil.virtual_memory().total / 2**20 * 0.75))


def stderr_sentence(tail: str) -> str:
    """The last telling line of a server's error output, for a message."""
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "--worker" in process.cmdline()
    except psutil.Error:
        return False


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


class ServerProcess:
    """A server process and its workers. `on_notification` gets the method and parameters of each notification."""

    def __init__(
        self, command: ServerCommand, on_notification: Callable[[str, dict[str, Any]], None], *, memory_mib: int
    ) -> None:
        self._transport = LspTransport([*command.sandbox, *command.argv], str(command.cwd), self._on_notification)
        self._tell = on_notification
        self._limits = replace(command.limits, memory=memory_mib << 20 if memory_mib else None)
        self._cores = psutil.cpu_count() or 1
        self._seconds = 0.0
        self._tree: set[psutil.Process] = set()
        self._workers: set[psutil.Process] = set()
        self.heard = 0
        """How many notifications came."""

    @property
    def alive(self) -> bool:
        """Whether it runs and has not been ended."""
        return self._transport.alive

    async def start(self) -> None:
        """Start it. Raises OSError when it cannot be executed."""
        await self._transport.start()
        self.note_tree()

    async def request(self, method: str, params: dict[str, Any], *, timeout: float) -> object:
        """Ask it something; raises leanclient's errors."""
        self._seconds = self._cores * timeout + SPARE_SECONDS
        for process in self._tree:
            limit_time(process, self._seconds)
        return await self._transport.request(method, params, timeout=timeout)

    async def notify(self, method: str, params: dict[str, Any]) -> None:
        """Tell it something; returns when it is written, which a server that reads nothing can hold up."""
        await self._transport.notify(method, params)

    def _on_notification(self, method: str, params: dict[str, Any]) -> None:
        self.heard += 1
        if self.heard == 1:
            self.note_tree()  # whoever speaks of a document is a worker, or has one
        self._tell(method, params)

    @property
    def _process(self) -> asyncio.subprocess.Process | None:
        process: asyncio.subprocess.Process | None = getattr(self._transport, "_proc", None)
        return process

    def note_tree(self) -> None:
        """Remember the process tree, and limit what is new in it.

        Today's workers have sessions of their own, so no group kill reaches them.
        """
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(self._process.pid)
            new = {root, *root.children(recursive=True)} - self._tree
            self._tree |= new
            for process in new:  # whatever they start later inherits their limits
                limit(process, self._limits)
                limit_time(process, max(START_SECONDS, self._seconds))
            self._workers |= {each for each in self._tree - self._workers if _is_worker(each)}

    @property
    def lost(self) -> bool:
        """Whether it had a worker and has none: one that ended between two texts is not missed by every Lean."""
        if any(_runs(each) for each in self._workers):
            return False
        self.note_tree()  # a change of the imports takes another worker
        return bool(self._workers) and not any(_runs(each) for each in self._workers)

    def processes(self) -> list[psutil.Process]:
        """It, and all that it has started."""
        self.note_tree()
        return list(self._tree)

    def cpu_seconds(self) -> float:
        """The processor time that it and its workers have used so far."""
        used = 0.0
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                used += times.user + times.system
        return used

    async def fate(self) -> str:
        """How it ended, as `SIGKILL` or `status 1`; empty where it still runs."""
        server = self._process
        if server is None:
            return ""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(server.wait(), 0.5)  # its pipe may have closed a moment before
        code = server.returncode
        if code is None or code >= 0:
            return "" if code is None else f"status {code}"
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"

    async def last_words(self) -> str:
        """What it said last on standard error: that may arrive a moment after the trouble."""
        reader = getattr(self._transport, "_stderr_task", None)
        if reader is not None and not stderr_sentence(self._transport.stderr_tail()):
            await asyncio.wait({reader}, timeout=0.3)
        return stderr_sentence(self._transport.stderr_tail())

    async def end(self) -> None:
        """End it now, with its workers, its pipes and the tasks that read them. Idempotent."""
        self.note_tree()
        for process in self._tree:
            with contextlib.suppress(psutil.Error):
                process.kill()  # psutil compares start times: a recycled pid is not hit
        self._tree.clear()
        with contextlib.suppress(Exception):
            await self._transport.close()
        server = self._process
        if server is not None:
            if server.returncode is None:
                with contextlib.suppress(OSError):
                    server.kill()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(server.wait(), 5.0)
            getattr(server, "_transport").close()  # noqa: B009 - its pipes; nothing public closes them
        tasks = [getattr(self._transport, name, None) for name in ("_reader_task", "_stderr_task")]
        for task in tasks:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
