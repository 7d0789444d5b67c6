"""The model worker: one model, one request at a time, told by messages on its standard input.

    python -m tacit.server.model.worker

A reader thread takes orders while a step is being computed, so that a cancelled request ends within it; when the input
closes, everything ends at once. What native code prints goes to standard error: the pipe belongs to messages.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, NoReturn

if TYPE_CHECKING:
    from tacit.server.model.messages import Generate, Report

NICENESS = 5
LARGEST_FILE = 64 << 20
"""Bytes of a file that this process may write: it has a log, and nothing else to write."""
OPEN_FILES = 256


def main() -> int:
    """Serve until the input ends; the exit status."""
    parent = os.getppid()
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with suppress(OSError, AttributeError):
        os.nice(NICENESS)  # the editor and Lean come first
    # Before llama.cpp is loaded: threads that wait for work must not burn the other processes' time.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

    from tacit.index.encoder import cache_folder
    from tacit.server import logs
    from tacit.server.limits import Limits, end_with_parent, limit_self
    from tacit.server.model.messages import BrokenMessage

    end_with_parent(parent)
    limit_self(Limits(file=LARGEST_FILE, files=OPEN_FILES))
    logs.begin("model", cache_folder() / logs.FOLDER, least="warning")
    try:
        return Worker(sys.stdin.buffer, output).serve()
    except BrokenMessage as error:
        sys.stderr.write(f"model worker: {error}\n")
        return 2
    except BrokenPipeError:
        return 0


class Worker:
    """Reads orders, runs them, reports. `serve` returns when the input ends."""

    def __init__(self, orders: BinaryIO, reports: BinaryIO) -> None:
        self._input = orders
        self._output = reports
        self._queue: queue.Queue[Generate | None] = queue.Queue()
        self._cancelled: set[int] = set()
        self._now = 0

    def serve(self) -> int:
        """Load what the first message says, then answer."""
        from tacit.server.errors import TacitError
        from tacit.server.model.answering import answer
        from tacit.server.model.loading import load
        from tacit.server.model.messages import BrokenMessage, Failed, Load, read

        first = read(self._input)
        if first is None:
            return 0
        if not isinstance(first, Load):
            raise BrokenMessage("the first message must be Load")
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            model, loaded = load(first, self._is_cancelled)
        except TacitError as error:
            self._say(Failed(0, error.sentence, error.hint))
            return 0
        except MemoryError:
            self._say(Failed(0, f"There is not enough memory for {first.path}.", "A smaller model may fit."))
            return 0
        self._say(loaded)
        while (order := self._queue.get()) is not None:
            self._now = order.id
            answer(model, order, self._say, self._tick)
            self._now = 0
            self._cancelled.discard(order.id)
        return 0

    def _is_cancelled(self) -> bool:
        return self._now in self._cancelled

    def _tick(self) -> None:
        """Raise Cancelled when the request at hand is not wanted any more."""
        from tacit.server.model.generation import Cancelled

        if self._is_cancelled():
            raise Cancelled

    def _say(self, message: Report) -> None:
        from tacit.server.model.messages import encode

        self._output.write(encode(message))
        self._output.flush()

    def _listen(self) -> None:
        from tacit.server.model.messages import BrokenMessage, Cancel, Generate, read

        try:
            while (order := read(self._input)) is not None:
                if isinstance(order, Cancel):
                    self._cancelled.add(order.id)
                elif isinstance(order, Generate):
                    self._queue.put(order)
                else:
                    raise BrokenMessage(f"{type(order).__name__} is no order")
        except (BrokenMessage, OSError, ValueError) as error:
            sys.stderr.write(f"model worker: {error}\n")
            os._exit(2)
        # Whoever asked is gone. A step of a large model takes seconds: nobody waits for it.
        os._exit(0)


def run() -> NoReturn:
    """Serve, and end the process."""
    from tacit.server import logs

    try:
        status = main()
    except Exception:
        sys.excepthook(*sys.exc_info())
        status = 1
    logs.end()
    sys.stderr.flush()
    # Not by returning: the thread that waits for orders holds the lock of standard input, and the interpreter, which
    # wants it in the end, would abort.
    os._exit(status)


if __name__ == "__main__":
    run()
