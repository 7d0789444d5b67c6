"""Runs functions in other processes, or in this one where there is too little to do. They end with this process.

with Crew(2) as crew:
    for result in crew.ordered(read, chunks): ...      results in order, a few chunks ahead
    crew.submit(pack, entries).result()
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Any, TypeVar

_SAFE_PATH = "PYTHONSAFEPATH"
MOST = 8
"""Processes. The one that puts their results together keeps no more of them busy."""

A = TypeVar("A")
R = TypeVar("R")
WorkerDied = BrokenProcessPool
"""A worker ended by itself, most often because memory ran out."""


def allowed() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


class Crew:
    """Workers; without any, what is submitted is done at once."""

    def __init__(self, size: int) -> None:
        self.size = min(size, MOST)
        self._pool: ProcessPoolExecutor | None = None
        self._before = {each.pid for each in multiprocessing.active_children()}

    def __enter__(self) -> Crew:
        if self.size:
            # What is spawned would take Python's own modules from the current folder, which may be anybody's project.
            self._safe_path = os.environ.get(_SAFE_PATH)
            os.environ[_SAFE_PATH] = "1"
            # Spawned, not forked: a copy of this process would hold its lock and its terminal.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.size, context, _end_with, (os.getpid(),))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is None:
            return
        if kind is not None:  # nobody waits for what they are at
            for each in multiprocessing.active_children():
                if each.pid not in self._before:
                    each.kill()
            # One may have been killed in the middle of a result. This process holds the other end of that pipe too: as
            # long as it does, the executor waits for the rest, and this process for the executor.
            results = getattr(self._pool, "_result_queue", None)
            if results is not None:
                results._writer.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._safe_path is None:
            os.environ.pop(_SAFE_PATH, None)

    def submit(self, function: Callable[..., R], *arguments: Any) -> Future[R]:
        """Have something done. The function must be one of a module, and all that it takes and returns plain."""
        if self._pool is not None:
            return self._pool.submit(function, *arguments)
        done: Future[R] = Future()
        done.set_result(function(*arguments))
        return done

    def ordered(self, function: Callable[[A], R], items: Iterable[A]) -> Iterator[R]:
        """The results in order; a few more than there are workers are under way at a time, which bounds memory."""
        waiting: deque[Future[R]] = deque()
        for each in items:
            waiting.append(self.submit(function, each))
            if len(waiting) > 3 * self.size:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _end_with(parent: int) -> None:
    """In a worker: let the parent handle Ctrl-C, and do not outlive it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
