"""The log of one process: a file of its own in Tacit's cache folder, bounded, and what keeps errors from getting lost.

    logs = begin("serve", folder)      until logs.end()

A file is made when there is something to write. Each process has its own, so that none waits for another or cuts off
what it writes: `serve-20260131T081500-4711.log`, and up to three older parts. Old ones go, and no folder grows past
`LARGEST_FOLDER`. Whatever cannot be written (a full disk) is said once on standard error, and Tacit goes on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from tacit.server.log_lines import OWN, JsonLines, PlainLines, Repeats

FOLDER = "logs"
"""Below the cache folder."""
LEVELS = ("off", "error", "warning", "info", "debug")
DEFAULT_LEVEL = "info"
LARGEST = 512 * 1024
PARTS = 3
"""Bytes of one file, and older parts of it."""
KEPT = 8
"""Processes of one kind whose logs are kept."""
LARGEST_FOLDER = 32 * 1024 * 1024
ENVIRONMENT = "TACIT_LOG"
_OFF = logging.CRITICAL + 10
_SHOWN = "tacit_shown"
"""Marks a record that a person has been told of on standard error already."""

log = logging.getLogger(__name__)
_now: Log | None = None


def begin(
    role: str,
    folder: Path,
    *,
    level: str = "",
    least: str = DEFAULT_LEVEL,
    terminal: logging.Handler | None = None,
    hooks: bool = True,
) -> Log:
    """Begin this process's log. `level` is what was asked for, else TACIT_LOG, else `least` is taken.

    `terminal` is told as well, at the level that it has. With `hooks` whatever ends the process or a thread of it
    unexpectedly is written down, too.
    """
    global _now
    if _now is not None:
        _now.end()
    _now = Log(role, folder, terminal, least)
    _now.set_level(level)
    if hooks:
        _now.hook()
    return _now


def end() -> None:
    """End this process's log, if one was begun."""
    if _now is not None:
        _now.end()


def set_level(level: str) -> None:
    """What the settings ask for now; empty for TACIT_LOG or the usual one. Nothing where no log was begun."""
    if _now is not None:
        _now.set_level(level)


def environment() -> dict[str, str]:
    """What a child process is to have in its environment, so that it writes at the level of this one."""
    return {ENVIRONMENT: _now.asked} if _now is not None and _now.asked else {}


def where() -> Path | None:
    """The file that this process has written to; None where there is none."""
    return _now.path if _now is not None and _now.path.exists() else None


def of_process(folder: Path, role: str, pid: int) -> Path | None:
    """The file that another process has written; None where there is none."""
    return max(folder.glob(f"{role}-*-{pid}.log"), default=None)


def says_more(otherwise: str = "") -> str:
    """`/…/serve-….log says more.`, or what stands for it where there is no log."""
    file = where()
    return f"{file} says more." if file is not None else otherwise


def to_terminal(verbose: int) -> logging.Handler | None:
    """What writes to standard error for a person at a command: once `-v` what Tacit says, twice all there is."""
    if not verbose:
        return None
    handler = logging.StreamHandler()
    handler.setLevel(logging.INFO if verbose == 1 else logging.DEBUG)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    return handler


def shown(record: logging.LogRecord) -> bool:
    """A filter for a terminal: not what a person has been told of there in one sentence."""
    return not getattr(record, _SHOWN, False)


def on_stderr(level: int) -> logging.Handler:
    """What writes to standard error for whoever starts the sidecar: an editor keeps it in a log of its own."""
    handler = logging.StreamHandler()
    handler.setLevel(level)
    handler.setFormatter(PlainLines(""))
    handler.addFilter(shown)
    return handler


class Log(logging.Handler):
    """See above. Takes every record of the process, and hands on what is new."""

    def __init__(self, role: str, folder: Path, terminal: logging.Handler | None, least: str) -> None:
        super().__init__()
        self.role = role
        self.folder = folder
        self.path = folder / f"{role}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}.log"
        self._terminal = terminal
        self._least = least
        self.asked = ""
        """The level that the settings name; empty where they name none."""
        self._repeats = Repeats()
        self._ended = False
        self._lines = JsonLines(f"{role} {os.getpid()}")
        self._file = _File(self.path)
        self._file.setFormatter(self._lines)
        root, own = logging.getLogger(), logging.getLogger(OWN)
        self._before = root.level, own.level, sys.excepthook, threading.excepthook
        root.addHandler(self)

    def set_level(self, asked: str) -> None:
        """Write what has this level and more. A name that is none counts as the usual one, and is remarked on."""
        self.asked = asked
        named = asked or os.environ.get(ENVIRONMENT, "").strip().lower()
        name = named if named in LEVELS else self._least
        level = _OFF if name == "off" else getattr(logging, name.upper())
        self._file.setLevel(level)
        self._lines.whole = name == "debug"
        least = min(level, self._terminal.level if self._terminal is not None else _OFF)
        logging.getLogger(OWN).setLevel(min(least, logging.CRITICAL))
        if self._terminal is None or self._terminal.level > logging.DEBUG:
            logging.getLogger().setLevel(max(least, logging.WARNING))
        else:
            logging.getLogger().setLevel(logging.DEBUG)
        if named and named not in LEVELS:
            log.warning("%s names no level; it may be one of %s", ENVIRONMENT, ", ".join(LEVELS))

    def emit(self, record: logging.LogRecord) -> None:
        """Write it, unless it says again what was said."""
        if self._ended:
            return
        try:
            for each in self._repeats.take(record):
                self._write(each)
        except Exception:
            self.handleError(record)

    def end(self) -> None:
        """Say what was counted, give the file back, and leave everything as it was before."""
        global _now
        if self._ended:
            return
        self.acquire()
        try:
            for each in self._repeats.rest():
                self._write(each)
            self._ended = True
        finally:
            self.release()
        root, own = logging.getLogger(), logging.getLogger(OWN)
        root.removeHandler(self)
        root_level, own_level, of_process, of_thread = self._before
        root.setLevel(root_level)
        own.setLevel(own_level)
        sys.excepthook, threading.excepthook = of_process, of_thread
        with contextlib.suppress(OSError):  # what a full disk had no room for is written once more here
            self._file.close()
        if _now is self:
            _now = None
        super().close()

    def close(self) -> None:
        """When the interpreter ends."""
        self.end()

    def hook(self) -> None:
        """Write down what nobody catches. Who runs the process reads one sentence."""
        sys.excepthook = self._uncaught
        threading.excepthook = lambda about: self._uncaught(
            about.exc_type, about.exc_value or about.exc_type(), about.exc_traceback
        )

    def _uncaught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt | SystemExit):
            return
        here = threading.current_thread()
        what = "this process" if here is threading.main_thread() else f"the thread {here.name}"
        log.critical("%s ended by an error", what, exc_info=(kind, error, trace), extra={_SHOWN: True})
        name = self.role if what == "this process" else here.name
        sentence = f"{name} ended by an error inside Tacit ({kind.__name__}). {says_more()}".rstrip()
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(sentence + "\n")
            sys.stderr.flush()

    def _write(self, record: logging.LogRecord) -> None:
        for each in (self._terminal, self._file):
            if each is not None and record.levelno >= each.level:
                each.handle(record)


class _File(RotatingFileHandler):
    """A file that nobody else may read, made when it is first written to. Never raises."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=LARGEST, backupCount=PARTS, encoding="utf-8", errors="replace", delay=True)
        self._broken = False

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        tidy(path.parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        return open(os.open(path, flags, 0o600), "a", encoding="utf-8", errors="replace")  # noqa: PTH123 (a descriptor)

    def emit(self, record: logging.LogRecord) -> None:
        """Write it, as long as that is possible."""
        if not self._broken:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """The log itself cannot be written: say so once."""
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            self._broken = True
            with contextlib.suppress(OSError, ValueError):
                why = error.strerror or type(error).__name__
                sys.stderr.write(f"The log {self.baseFilename} cannot be written: {why}. Tacit goes on without it.\n")
        else:
            super().handleError(record)


def files(folder: Path) -> list[Path]:
    """The logs and their older parts, the newest first."""
    found = [each for each in folder.glob("*.log*") if each.is_file() and not each.is_symlink()]
    return sorted(found, key=_time, reverse=True)


def tidy(folder: Path, alive: Callable[[int], bool] | None = None) -> None:
    """Remove logs of which there are newer ones enough. Those of processes that run stay."""
    runs = alive or _alive
    by_process: dict[str, list[Path]] = {}
    for each in files(folder):
        by_process.setdefault(each.name.partition(".log")[0], []).append(each)
    size, kept = 0, dict[str, int]()
    for name, parts in by_process.items():
        role, _, pid = name.partition("-")[0], *name.rpartition("-")[1:]
        kept[role] = kept.get(role, 0) + 1
        size += sum(_size(each) for each in parts)
        old = kept[role] >= KEPT or size > LARGEST_FOLDER
        if old and not (pid.isdecimal() and runs(int(pid))):
            _remove(parts)


def _remove(parts: Iterable[Path]) -> None:
    for each in parts:
        with contextlib.suppress(OSError):
            each.unlink()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
