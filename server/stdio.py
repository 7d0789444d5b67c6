"""The pipes between the editor and the sidecar. Frames in, frames out, and the end of both; nothing else.

Standard output belongs to the frames: `claim` takes the descriptor away, so that whatever else prints (a library, a
child process) reaches standard error. One daemon thread reads standard input, so no read ever keeps the process alive.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import re
import sys
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

log = logging.getLogger(__name__)

# A header that follows the wrong number of bytes has the end of a body before its name, or lacks the name's beginning.
_LENGTH = re.compile(rb"length:[ \t]*([0-9]{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_HEADER_END = re.compile(rb"\r?\n\r?\n")

LONGEST_HEADER = 1 << 16
"""Bytes after which what has no end is no header."""

LONGEST_BODY = 1 << 28
"""Bytes: who announces more has written something else than a message."""

MOST_UNREAD = 1 << 26
"""Bytes that wait for an editor that does not read: with more, it is gone."""

MOST_UNHEARD = 64
"""Pieces of 64 KiB that were read and not looked at yet; the editor waits when there are more."""

LAST_SECONDS = 1.0
"""Seconds that the last words get to be read."""

WATCH_SECONDS = 1.0
"""How often the editor's process is looked for."""


class Frames:
    """Cuts a stream of bytes into the bodies of frames.

    A header block without a length is passed over. Where a length is wrong, what is cut out is no message, and the next
    header is found again: one that stands inside a body ends that body, since in JSON no line break stands in a string.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._length: int | None = None
        self._searched = 0
        self._astray = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bodies that are complete once `data` has come."""
        self._rest += data
        while True:
            if self._length is None:
                header = _HEADER_END.search(self._rest, max(0, self._searched - 3))
                if header is None:
                    if len(self._rest) > LONGEST_HEADER:
                        self._passed_over()
                        del self._rest[: -LONGEST_HEADER // 2]
                    self._searched = len(self._rest)
                    return
                self._searched = 0
                found = _LENGTH.findall(bytes(self._rest[: header.end()]))
                length = int(found[-1]) if found else None
                if length is None or length > LONGEST_BODY:
                    self._passed_over()
                    length = None
                self._length = length
                del self._rest[: header.end()]
            elif (end := self._end(self._length)) is not None:
                body = bytes(self._rest[:end])
                del self._rest[:end]
                self._length, self._searched, self._astray = None, 0, False
                yield body
            else:
                return

    def _end(self, length: int) -> int | None:
        """Where the body ends that comes now; None while that is not there."""
        stop = min(length, len(self._rest))
        while (at := self._rest.find(b"\r\n\r\n", self._searched, stop)) != -1:
            start = self._rest.rfind(b"Content-Length:", max(0, at - 200), at)
            if start != -1 and _LENGTH.search(bytes(self._rest[start : at + 2])):
                return start
            self._searched = at + 4
        self._searched = max(self._searched, stop - 3)
        return length if len(self._rest) >= length else None

    def _passed_over(self) -> None:
        if not self._astray:  # once until a message comes
            log.warning("bytes that are no message came from the editor and were passed over")
        self._astray = True


class Output:
    """Writes whole frames, in order; says once that the other side is gone, and then stays silent.

    They are written by a thread: an editor that does not read for a while holds up neither answers to come, nor the end
    of the sidecar when it is killed. `on_lost` may be called in that thread.
    """

    def __init__(self, stream: BinaryIO, on_lost: Callable[[], None]) -> None:
        self._stream = stream
        self._on_lost = on_lost
        self._lost = False
        self._lock = threading.Lock()
        self._unread = 0
        self._frames: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._pump, name="tacit-stdout", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Have a frame written behind those before it; never waits, never raises."""
        if self._lost:
            return
        with self._lock:
            self._unread += len(data)
            too_much = self._unread > MOST_UNREAD
        if too_much:
            self._lose()
        else:
            self._frames.put(data)

    def close(self) -> None:
        """Nothing more is written but what waits."""
        self._lost = True
        self._frames.put(None)

    def drain(self, seconds: float = LAST_SECONDS) -> None:
        """Wait until what waits is written, a bounded time. Only behind `close`."""
        self._thread.join(seconds)

    def _pump(self) -> None:
        while (data := self._frames.get()) is not None:
            rest = memoryview(data)
            try:
                while rest:
                    rest = rest[self._stream.write(rest) :]
                self._stream.flush()
            except (OSError, ValueError):
                self._lose()
                return
            with self._lock:
                self._unread -= len(data)

    def _lose(self) -> None:
        with self._lock:
            told, self._lost = self._lost, True
        if not told:
            log.info("the editor no longer reads")
            self._on_lost()


def claim() -> tuple[int, BinaryIO]:
    """Take standard input and output for the frames alone: the descriptor to read from, the stream to write to."""
    sys.stdout.flush()
    source, sink = os.dup(0), os.dup(1)
    for each in (source, sink):
        os.set_blocking(each, True)  # who gave them may have wanted otherwise for itself
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # started without a standard error
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
    os.close(nothing)
    sys.stdout = sys.stderr
    # Without a buffer: a thread that waits in it at the end would hold its lock, and break the interpreter's exit.
    return source, os.fdopen(sink, "wb", buffering=0)


def read_in_thread(source: int, receive: Callable[[bytes], None], ended: Callable[[], None]) -> None:
    """Call `receive` in the running loop with each body that comes, in order, and `ended` when no more will."""
    loop = asyncio.get_running_loop()
    frames = Frames()
    room = threading.Semaphore(MOST_UNHEARD)

    def deliver(data: bytes) -> None:
        room.release()
        for body in frames.feed(data):
            try:
                receive(body)
            except Exception:
                log.exception("a message could not be handled")

    def pump() -> None:
        try:
            # os.read, not sys.stdin.buffer: its lock, held by this thread, would break the interpreter's exit.
            while data := os.read(source, 1 << 16):
                room.acquire()
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
