"""What the commands share: exit statuses, the engine they ask, durations, and a way to run that ends cleanly."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import IntEnum
from pathlib import Path
from typing import Any, Literal, Protocol, TextIO, TypeVar

from tacit.server.errors import BadInput
from tacit.server.lean.elaborator import Message
from tacit.server.settings import Settings
from tacit.server.suggest import Document, Event, LeanStatus, Options
from tacit.server.text import Position

T = TypeVar("T")
E = TypeVar("E", bound="Engine")
CLOSE_SECONDS = 5.0
"""Seconds that Lean gets to stop."""

EVERYTHING = 10_000
"""A limit that is none: tactics that only make progress must not use up the room for one that closes."""

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?|\.\d+)\s*(?P<unit>ms|s|m|min|h)?")
_UNITS = {"ms": 0.001, None: 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    OPEN = 1
    BAD_INPUT = 2
    NO_LEAN = 3
    FAULT = 70
    INTERRUPTED = 130


class Engine(Protocol):
    """What a command needs of a Suggester."""

    def suggest(self, document: Document, position: Position, options: Options) -> AsyncGenerator[Event, None]:
        """See Suggester."""
        ...

    def status(self) -> LeanStatus:
        """See Suggester."""
        ...

    async def aclose(self) -> None:
        """See Suggester."""
        ...


class ReadingEngine(Engine, Protocol):
    """An engine that also has Lean read a text as it stands."""

    async def messages(self, document: Document) -> tuple[Message, ...] | None:
        """See Suggester."""
        ...


Build = Callable[[Settings], ReadingEngine]


def stop_cleanly() -> None:
    """For a command that runs in no event loop: SIGTERM and SIGHUP end it as Ctrl-C does, and what it began goes."""
    for name in ("SIGTERM", "SIGHUP"):
        with suppress(AttributeError, ValueError):  # Windows; not the main thread
            signal.signal(getattr(signal, name), _stop)


def _stop(number: int, _frame: object) -> None:
    raise Interrupted(number)


class Interrupted(Exception):
    """A signal asked the command to end, and it has ended; the exit status is the one shells expect."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


def duration(text: str) -> float:
    """Seconds: `10`, `10s`, `500ms`, `2m`. For argparse."""
    match = _DURATION.fullmatch(text.strip().lower())
    value = float(match["number"]) * _UNITS[match["unit"]] if match else 0.0
    if not 0 < value <= 24 * 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 10s, 500ms or 2m")
    return value


@contextmanager
def writing(path: Path, mode: Literal["w", "a"] = "w") -> Iterator[TextIO]:
    """A file that a command writes text to, which the user has named. Raises BadInput when it cannot be written."""
    try:
        with path.expanduser().open(mode, encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}.", hint="Name another file.") from error


@contextmanager
def json_lines(path: Path | None) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """What writes a line of JSON to a file at once, where one is named. Raises BadInput when it cannot be written."""
    if path is None:
        yield lambda record: None
        return
    with writing(path) as file:

        def write(record: Mapping[str, Any]) -> None:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            file.flush()

        yield write


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end. Ctrl-C and its like cancel it, once; what it holds is given back."""
    return asyncio.run(_interruptible(work))


async def _interruptible(work: Coroutine[Any, Any, T]) -> T:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    received: list[int] = []

    def stop(number: int) -> None:
        # Once: a second Ctrl-C must not cut short what ends Lean, which takes at most CLOSE_SECONDS.
        if not received:
            task.cancel()
        received.append(number)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with suppress(AttributeError, NotImplementedError, ValueError, RuntimeError):  # Windows; not the main thread
            number = getattr(signal, name)
            loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if received:
            raise Interrupted(received[0]) from None
        task.cancel()
        raise


def run_with(engine: Callable[[], E], work: Callable[[E], Coroutine[Any, Any, int]]) -> int:
    """Run work that needs an engine, and end its Lean afterwards, whatever happened."""

    async def held() -> int:
        made = engine()
        try:
            return await work(made)
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await made.aclose()

    return run(held())
