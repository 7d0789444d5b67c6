"""The pipes between the editor and the sidecar. Frames in, frames out, and the end of both; nothing else.

Standard output belongs to the frames: `claim` takes the descriptor away, so that whatever else prints (a library, a
child process) reaches standard error. One daemon thread reads standard input, so no read ever keeps the process alive.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

log = logging.getLogger(__name__)

_LENGTH = re.compile(rb"^content-length:[ \t]*([0-9]{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_HEADER_END = re.compile(rb"\r?\n\r?\n")

WATCH_SECONDS = 1.0
"""How often the editor's process is looked for."""


class Frames:
    """Cuts a stream of bytes into the bodies of frames. A header block without a length is passed over."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._length: int | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bodies that are complete once `data` has come."""
        self._rest += data
        while True:
            if self._length is None:
                header = _HEADER_END.search(self._rest)
                if header is None:
                    return
                found = _LENGTH.findall(bytes(self._rest[: header.end()]))
                if not found:
                    log.warning("bytes that are no message came from the editor and were passed over")
                self._length = int(found[-1]) if found else None
                del self._rest[: header.end()]
            elif len(self._rest) >= self._length:
                body = bytes(self._rest[: self._length])
                del self._rest[: self._length]
                self._length = None
                yield body
            else:
                return


class Output:
    """Writes whole frames; says once that the other side is gone, and then stays silent."""

    def __init__(self, stream: BinaryIO, on_lost: Callable[[], None]) -> None:
        self._stream = stream
        self._on_lost = on_lost
        self._lost = False

    def write(self, data: bytes) -> None:
        """Write and flush; never raises."""
        if self._lost:
            return
        try:
            self._stream.write(data)
            self._stream.flush()
        except (OSError, ValueError):
            self._lost = True
            log.info("the editor no longer reads")
            self._on_lost()

    def close(self) -> None:
        """Nothing more is written."""
        self._lost = True


def claim() -> tuple[int, BinaryIO]:
    """Take standard input and output for the frames alone: the descriptor to read from, the stream to write to."""
    sys.stdout.flush()
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # started without a standard error
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
    os.close(nothing)
    sys.stdout = sys.stderr
    return source, os.fdopen(sink, "wb")


def read_in_thread(source: int, receive: Callable[[bytes], None], ended: Callable[[], None]) -> None:
    """Call `receive` in the running loop with each body that comes, in order, and `ended` when no more will."""
    loop = asyncio.get_running_loop()
    frames = Frames()

    def deliver(data: bytes) -> None:
        for body in frames.feed(data):
            try:
                receive(body)
            except Exception:
                log.exception("a message could not be handled")

    def pump() -> None:
        try:
            # os.read, not sys.stdin.buffer: its lock, held by this thread, would break the interpreter's exit.
            while data := os.read(source, 1 << 16):
                loop.call_soon_threadsafe(deliver, data)
            loop.call_soon_threadsafe(ended)
        except OSError:
            loop.call_soon_threadsafe(ended)
        except RuntimeError:
            pass  # the loop is closed

    threading.Thread(target=pump, name="tacit-stdin", daemon=True).start()


async def process_gone(pid: int) -> None:
    """Return when a process has ended. Never returns when it cannot be seen from here (another container)."""
    import psutil  # 10 ms, and not every editor tells its process

    try:
        process = psutil.Process(pid)
    except psutil.Error:
        log.info("the editor's process %d cannot be seen from here; only the end of its pipe will tell", pid)
        await asyncio.get_running_loop().create_future()
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 (no event tells)
            await asyncio.sleep(WATCH_SECONDS)
