"""Keeps the indexes of a workspace up to date, in a process of its own and of low priority, one run at a time.

Says what goes on; reads nothing itself. The process ends with the sidecar: it is told to, and its input closes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tacit.index.encoder import cache_folder
from tacit.server import logs

log = logging.getLogger(__name__)

# -P: no module is taken from the current folder, which in most editors is the workspace.
COMMAND = (sys.executable, "-P", "-m", "tacit.server.index_worker")
STOP_SECONDS = 1.0
"""Seconds that the process gets to take back what it began; the next builder does what it did not."""


@dataclass(frozen=True, slots=True)
class IndexWork:
    """What the builder is doing. `state`: idle, working, waiting (another builder is busy), stopped or failed.

    `done` of `total` files or texts; `what` is one of the builder's own words, as "reading" or "embedding".
    """

    state: str = "idle"
    package: str = ""
    what: str = ""
    done: int = 0
    total: int = 0
    sentence: str = ""
    """What could not be done; empty where all was."""


@dataclass(slots=True)
class _Order:
    """What is to be done next."""

    folders: dict[Path, bool] = field(default_factory=dict)
    """Each with whether what it depends on is left out."""
    check: bool = False
    """Whether the indexes that are there are read to their ends before they are relied on."""


class Indexer:
    """See above. `changed` is called with every news of the work, `built` when the words of a package are new."""

    def __init__(
        self,
        changed: Callable[[IndexWork], None],
        built: Callable[[str], None] = lambda package: None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.work = IndexWork()
        self._changed = changed
        self._built = built
        self._command = tuple(command)
        self.lean = ""
        """What the settings name as Lean, whose sources are indexed too."""
        self._order = _Order()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._problems: dict[str, tuple[frozenset[str], str]] = {}
        """By package: in which run what could not be done, as the folders that it was for."""
        self._folders = frozenset[str]()
        self._stopping = False
        self.seconds = 0.0
        """How long the last run took."""

    def ask(self, folders: Sequence[Path], *, own: bool = False, check: bool = False) -> None:
        """Bring the packages of these workspaces up to date; with `own` only what is worked on there.

        With `check` indexes are made anew with which anything is wrong, also where only reading all of one tells it.
        """
        self._order.check |= check and bool(folders)
        for each in folders:
            self._order.folders[each] = own and self._order.folders.get(each, True)
        if folders:
            self._news.set()
            if self._task is None or self._task.done():
                self._task = asyncio.get_running_loop().create_task(self._run())

    @property
    def busy(self) -> bool:
        """Whether something is being done, or waits for its turn."""
        return self._process is not None or bool(self._order.folders)

    async def stop(self) -> None:
        """End what goes on. What is whole stays, and what was embedded is not embedded again."""
        self._order = _Order()
        if self._process is not None:
            self._stopping = True
            await self._end()
            self._say(IndexWork("stopped", sentence="Indexing was stopped; `tacit index update` goes on with it."))

    async def aclose(self) -> None:
        """End everything."""
        self._order = _Order()
        if self._task is not None:
            self._task.cancel()
        await self._end()

    # ------------------------------------------------------------ inside

    async def _run(self) -> None:
        while self._order.folders:
            order, self._order = self._order, _Order()
            for own in (False, True):
                if some := [str(each) for each, alone in order.folders.items() if alone is own]:
                    options = [*(["--own"] if own else []), *(["--check"] if order.check else [])]
                    named = [f"--lean={self.lean}"] if self.lean else []
                    self._folders = frozenset(some)
                    if not own:  # all that these are behind is told again
                        self._problems = {k: v for k, v in self._problems.items() if not v[0] <= self._folders}
                    await self._run_one([*options, *named, "--", *some])

    async def _run_one(self, arguments: Sequence[str]) -> None:
        began = asyncio.get_running_loop().time()
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, **logs.environment()},
                start_new_session=True,  # so that all of it can be ended at once
            )
        except OSError as error:
            self._say(IndexWork("failed", sentence=f"Indexing could not be started: {error}."))
            return
        try:
            assert process.stdout is not None
            while line := await process.stdout.readline():
                self._hear(line)
            code = await process.wait()
        finally:
            self._process = None
        self.seconds = asyncio.get_running_loop().time() - began
        if self._stopping:
            self._stopping = False
        elif code != 0:
            file = logs.of_process(cache_folder() / logs.FOLDER, "index", process.pid)
            log.warning("indexing ended with status %d", code)
            sentence = f"Indexing ended with status {code}; {file or 'its log'} says more."
            self._say(IndexWork("failed", sentence=sentence))
        else:
            self._say(IndexWork(sentence=" ".join(dict.fromkeys(each for _, each in self._problems.values()))))

    def _hear(self, line: bytes) -> None:
        try:
            said: dict[str, Any] = json.loads(line)
            package = str(said["package"])
        except (ValueError, TypeError, KeyError):
            log.warning("the builder said something else, of %d bytes", len(line))
            log.debug("it is %r", line[:200])
            return
        if "what" in said:
            self._say(IndexWork("working", package, str(said["what"]), int(said["done"]), int(said["total"])))
        elif "waiting" in said:
            self._say(IndexWork("waiting", package, sentence="Another process is building this index."))
        elif "problem" in said:
            self._problems[package] = self._folders, str(said["problem"])
        else:
            if "words" in said:
                self._problems.pop(package, None)
            self._built(package)

    def _say(self, work: IndexWork) -> None:
        self.work = work
        self._changed(work)

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        _signal(process, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        # Its own workers too, should it have gone without them.
        _signal(process, signal.SIGKILL)
        await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """To the whole group: the builder has a worker of its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
