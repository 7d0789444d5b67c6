"""The sidecar's end of the model worker: started on first use, one request at a time, ended when it hangs or dies.

A request that is not wanted any more is cancelled in the background, at once for whoever asked; a worker that does not
stop within the grace is killed, with its whole process group. After a failure it is started again, later each time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tacit.index import encoder
from tacit.server import logs
from tacit.server.errors import ModelUnavailable
from tacit.server.model.messages import (
    BrokenMessage,
    Cancel,
    Done,
    Failed,
    Generate,
    Load,
    Loaded,
    Message,
    Order,
    Proposed,
    Report,
    Working,
    decode,
    encode,
    length,
)
from tacit.server.model.prompts import Preset, Question
from tacit.server.sandbox import NoSandbox, Room, enclosed, wanted

log = logging.getLogger(__name__)

# -P: no module is taken from the current folder, which in most editors is the workspace.
COMMAND = (sys.executable, "-P", "-m", "tacit.server.model.worker")
_TAIL = 4000
_BY_SIGNAL = 128
"""The exit status of a sandbox is this and the number of the signal that ended what ran in it."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for loading; of silence within a request, between two steps of a model; for a cancelled one to end.

    `again` is the wait after a first failure; it doubles with each, up to `longest`.
    """

    load: float = 180.0
    silence: float = 30.0
    grace: float = 1.0
    again: float = 1.0
    longest: float = 60.0


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What can be said of the model now. `state`: "not started", "starting", "ready" or "failed"."""

    state: str
    loaded: Loaded | None = None
    sentence: str = ""
    restarts: int = 0


def default_threads() -> int:
    """Fewer than there are cores: the editor and Lean need one, and more than eight help little."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(8, usable - 1))


class ModelClient:
    """See above."""

    def __init__(
        self,
        load: Load,
        command: Sequence[str] = COMMAND,
        patience: Patience = Patience(),
        clock: Callable[[], float] = time.monotonic,
        *,
        sandbox: bool = False,
    ) -> None:
        self._load = load
        self._sandbox = sandbox
        self._command = tuple(command)
        self._patience = patience
        self._clock = clock
        self._turn = asyncio.Lock()
        self._worker: _Worker | None = None
        self._starting: asyncio.Task[_Worker] | None = None
        self._settling: asyncio.Task[None] | None = None
        self._failures = 0
        self._not_before = 0.0
        self._error: ModelUnavailable | None = None
        self._number = 0
        self._starts = 0
        self._closed = False

    def status(self) -> ModelStatus:
        """What it is doing. Never waits."""
        restarts = max(0, self._starts - 1)
        if self._worker is not None and self._worker.alive:
            return ModelStatus("ready", self._worker.loaded, restarts=restarts)
        if self._starting is not None and not self._starting.done():
            return ModelStatus("starting", restarts=restarts)
        if self._error is not None:
            return ModelStatus("failed", sentence=str(self._error), restarts=restarts)
        return ModelStatus("not started", restarts=restarts)

    async def load(self) -> Loaded:
        """Start the worker if it does not run. Raises ModelUnavailable."""
        async with self._turn:
            return (await self._ready()).loaded

    async def generate(
        self,
        preset: Preset,
        question: Question,
        count: int,
        *,
        tokens: int | None = None,
        temperature: float = 0.9,
        told: Callable[[str], None] = lambda sentence: None,
    ) -> AsyncGenerator[Proposed | Done, None]:
        """Stream tactics as they are written, then Done. Closing it early cancels. Raises ModelUnavailable.

        `told` is called with what had to be left out of the prompt, in one sentence.
        """
        async with self._turn:
            worker = await self._ready()
            self._number += 1
            number = self._number
            most = min(tokens or self._load.tokens, self._load.tokens)
            over = False
            try:
                await worker.send(Generate(number, preset, question, count, most, temperature))
                proposed = 0
                while True:
                    report = await worker.report(self._patience.silence)
                    match report:
                        case Proposed(id=id_) if id_ == number:
                            if (proposed := proposed + 1) > count:
                                raise BrokenMessage("more answers than asked for")
                            yield report
                        case Done(id=id_) if id_ == number:
                            over = True
                            self._failures, self._error = 0, None
                            yield report
                            return
                        case Failed(id=id_) if id_ == number:
                            over = True
                            raise ModelUnavailable(report.sentence, hint=report.hint)
                        case Working(id=id_, notice=notice) if notice and id_ == number:
                            told(notice)
                        case Working():
                            pass
                        case _:
                            raise BrokenMessage(f"{type(report).__name__} for another request")
            except (_Gone, BrokenMessage, TimeoutError) as error:
                over = True
                raise await self._failed(worker, error) from error
            finally:
                if not over:
                    self._settling = asyncio.ensure_future(self._settle(worker, number))

    async def aclose(self) -> None:
        """End the worker; nothing is left behind."""
        self._closed = True
        for task in (self._starting, self._settling):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._worker is not None:
            await self._worker.end()
            self._worker = None

    # ------------------------------------------------------------ inside

    async def _ready(self) -> _Worker:
        if self._closed:
            raise ModelUnavailable("The model was stopped.")
        if self._settling is not None:
            await asyncio.shield(self._settling)
            self._settling = None
        if self._worker is not None and self._worker.alive:
            return self._worker
        if self._starting is None:
            if self._error is not None and (left := self._not_before - self._clock()) > 0:
                hint = f"{self._error.hint} It is tried again in {left:.0f} s.".strip()
                raise ModelUnavailable(self._error.sentence, hint=hint)
            self._starting = asyncio.ensure_future(self._start())
        task = self._starting
        try:
            # Shielded: whoever gives up must not take the loading from those who come next.
            self._worker = await asyncio.shield(task)
        finally:
            if task.done():
                self._starting = None
        return self._worker

    async def _start(self) -> _Worker:
        if self._worker is not None:
            await self._worker.end()  # what is left of it: pipes
            self._worker = None
        self._starts += 1
        threads = {"OMP_NUM_THREADS": str(self._load.threads), "OMP_WAIT_POLICY": "passive"}
        environment = {**os.environ, **threads, **logs.environment()}
        try:
            worker = await _Worker.start((*self._enclosed(environment), *self._command), environment)
        except NoSandbox as error:
            raise self._noted(ModelUnavailable(error.sentence, hint=error.hint)) from error
        except OSError as error:
            raise self._noted(ModelUnavailable(f"The model worker could not be started: {error}.")) from error
        try:
            await worker.send(self._load)
            report = await worker.report(self._patience.load)
            if isinstance(report, Failed):
                raise self._noted(ModelUnavailable(report.sentence, hint=report.hint))
            if not isinstance(report, Loaded):
                raise BrokenMessage(f"{type(report).__name__} instead of Loaded")
        except (_Gone, BrokenMessage, TimeoutError) as error:
            raise await self._failed(worker, error) from error
        except BaseException:
            await worker.end()
            raise
        worker.loaded = report
        return worker

    def _enclosed(self, environment: Mapping[str, str]) -> Sequence[str]:
        """What stands before the command. Raises NoSandbox."""
        return enclosed(room(Path(self._load.path)), environment) if wanted(self._sandbox, environment) else ()

    async def _failed(self, worker: _Worker, error: Exception) -> ModelUnavailable:
        """End a worker that has failed, and say how."""
        status = await worker.gone() if isinstance(error, _Gone) else ""
        await worker.end()
        last = worker.last_words()
        if status == "SIGILL":
            # Seen on a virtual machine that announces AMX: without these instructions the same model runs.
            self._load = replace(self._load, plain=True)
        if isinstance(error, TimeoutError):
            said = "The model worker did not answer any more and was ended."
        elif isinstance(error, BrokenMessage):
            said = f"The model worker answered with something that is no message ({error}) and was ended."
        else:
            said = f"The model worker ended by itself ({status}{f': {last}' if last else ''})."
        log.warning("%s %s", said, last)
        return self._noted(ModelUnavailable(said))

    def _noted(self, error: ModelUnavailable) -> ModelUnavailable:
        wait = min(self._patience.again * 2**self._failures, self._patience.longest)
        self._failures += 1
        self._not_before = self._clock() + wait
        self._error = error
        return error

    async def _settle(self, worker: _Worker, number: int) -> None:
        """Have a request end that nobody waits for; the worker with it if need be."""
        try:
            async with asyncio.timeout(self._patience.grace):
                await worker.send(Cancel(number))
                while True:
                    report = await worker.report(None)
                    if isinstance(report, Done | Failed) and report.id == number:
                        return
        except (_Gone, BrokenMessage, TimeoutError):
            log.info("the model worker did not stop in time and is ended")
            await worker.end()


def room(model: Path) -> Room:
    """What a worker needs in a sandbox: Python, Tacit, the model and its log."""
    own = [Path(__file__).parents[1], Path(encoder.__file__).parent]
    python = [Path(each) for each in (sys.prefix, sys.base_prefix, *sys.path) if os.path.isabs(each)]  # noqa: PTH117
    return Room(Path("/"), [*own, *python, model], [encoder.cache_folder() / logs.FOLDER])


def _signal(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


class _Gone(Exception):
    """The worker has closed its pipes."""


class _Worker:
    """One worker process."""

    loaded: Loaded

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._tail = b""
        self._broken = False
        self._listener = asyncio.ensure_future(self._listen())

    @classmethod
    async def start(cls, command: Sequence[str], environment: dict[str, str]) -> _Worker:
        """Raises OSError."""
        pipe = asyncio.subprocess.PIPE
        return cls(
            await asyncio.create_subprocess_exec(
                *command,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env=environment,
                start_new_session=True,  # so that all of it can be ended at once
            )
        )

    @property
    def alive(self) -> bool:
        return self._process.returncode is None and not self._broken

    async def send(self, order: Order) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(encode(order))
            await self._process.stdin.drain()
        except (OSError, RuntimeError) as error:
            raise _Gone from error

    async def report(self, seconds: float | None) -> Report:
        """The next report. Raises _Gone, BrokenMessage or TimeoutError; after any of these, none can be read."""
        assert self._process.stdout is not None
        self._broken = True  # until it has been read whole
        try:
            async with asyncio.timeout(seconds):
                size = length(await self._process.stdout.readexactly(4))
                message: Message = decode(await self._process.stdout.readexactly(size))
        except TimeoutError:
            raise  # it is an OSError too
        except (asyncio.IncompleteReadError, OSError) as error:
            raise _Gone from error
        if not isinstance(message, Report):
            raise BrokenMessage(f"{type(message).__name__} is no report")
        self._broken = False
        return message

    async def gone(self) -> str:
        """How it ended; it may have closed its pipe a moment before."""
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                code = await self._process.wait()
                if code > _BY_SIGNAL:  # as a sandbox tells it
                    return _signal(code - _BY_SIGNAL)
                if code >= 0:
                    return f"status {code}"
                return _signal(-code)
        return "its output closed"

    def last_words(self) -> str:
        """The last line on its standard error."""
        lines = [line.strip() for line in self._tail.decode("utf-8", "replace").splitlines() if line.strip()]
        return lines[-1][:200] if lines else ""

    async def end(self) -> None:
        """Kill it, with all that it started. Idempotent."""
        self._broken = True
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await asyncio.gather(self._listener, return_exceptions=True)
        getattr(self._process, "_transport").close()  # noqa: B009 - its pipes; nothing public closes them

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(4096):
            self._tail = (self._tail + data)[-_TAIL:]
