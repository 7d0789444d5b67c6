"""A record of the log as one JSON object on one line, and what is left out of it. Pure but for counting repetitions.

    {"time": "2026-01-31T08:15:00.123Z", "level": "error", "in": "tacit.server.session", "process": "serve 4711",
     "said": "background work failed", "error": [{"type": "ValueError", "at": ["tacit/server/session.py:315 spawn"]}]}

Above the level debug nothing of the user's source may stand here, nor goals nor candidates. Tacit's own messages hold
none; but an exception may quote whatever it was given. So of one that does not come from Tacit or the system only the
type is written, and where it was raised. Of what libraries say, only the text that they wrote down themselves.
"""

from __future__ import annotations

import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tacit.server.errors import TacitError

OWN = "tacit"
LONGEST = 2_000
"""Characters of a message."""
FRAMES = 40
"""Frames of one exception: of more, the first and the last half."""
LINKS = 5
"""Exceptions that led to one another."""
KEPT = 256
"""Different messages whose repetitions are counted at a time."""
AGAIN = 600.0
"""Seconds after which a message that repeats is written again, with its count."""

# Python writes these messages itself, of names in the code and sizes. They are taken only as raised by exactly these.
_SPEAKING = (AttributeError, NameError, ImportError, ModuleNotFoundError, IndexError, ZeroDivisionError, RecursionError)
_PLACES = ("tacit", "site-packages", "lib")


class JsonLines(logging.Formatter):
    """See above. With `whole`, exceptions and libraries are quoted: for the level debug alone."""

    def __init__(self, process: str, *, whole: bool = False) -> None:
        super().__init__()
        self.process = process
        self.whole = whole

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        return json.dumps(self._fields(record), ensure_ascii=False)

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        seconds, thousandths = int(record.created), int(record.created % 1 * 1000)
        fields: dict[str, Any] = {
            "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{thousandths:03}Z",
            "level": record.levelname.lower(),
            "in": record.name,
            "process": self.process,
            "said": said(record, whole=self.whole),
        }
        if repeated := getattr(record, "repeated", 0):
            fields["repeated"] = repeated
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = [_told(each, whole=self.whole) for each in _chain(record.exc_info[1])]
        elif brief := getattr(record, "brief", None):
            fields["error"] = [brief]
        return fields


class PlainLines(JsonLines):
    """The same for a person who reads along, on standard error."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; those of an exception are indented below it."""
        fields = self._fields(record)
        times = f" ({fields['repeated']} times)" if "repeated" in fields else ""
        lines = [f"{fields['time']} {record.levelname} {record.name}: {fields['said']}{times}"]
        for each in fields.get("error", ()):
            lines.append(f"  {each['type']}{': ' + each['said'] if 'said' in each else ''}")
            lines += [f"    at {place}" for place in each["at"]]
        return "\n".join(lines)


def said(record: logging.LogRecord, *, whole: bool = False) -> str:
    """What a record says: its message, or of a library's the first line, without what was put into it."""
    own = record.name.partition(".")[0] == OWN
    if whole or own or record.levelno <= logging.DEBUG:
        text = record.getMessage()
    else:
        text = str(record.msg).partition("\n")[0]
    text = " ".join(text.split("\n"))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def spoken(error: BaseException) -> str:
    """What an exception says, where it can be nothing of the user's text; empty where that is not known."""
    if isinstance(error, TacitError):
        return error.sentence
    if isinstance(error, OSError):
        return f"{error.strerror or type(error).__name__}{f': {error.filename}' if error.filename else ''}"
    return str(error) if type(error) in _SPEAKING else ""


def frames(trace: TracebackType | None) -> list[str]:
    """Where an exception passed, the innermost last: `tacit/server/session.py:315 spawn`. No path of the machine."""
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{_place(code.co_filename)}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    if len(found) > FRAMES:
        left = len(found) - FRAMES
        found[FRAMES // 2 : -FRAMES // 2] = [f"… {left} more …"]
    return found


class Repeats:
    """Counts what is said again instead of saying it again. `take` gives the records that are to be written.

    The same is: the same words in the same place, with an exception of the same type from the same line. It is written
    the first time, the 10th, the 100th and so on, and when it comes after ten minutes; the count is told with it, and
    once more in the end.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: OrderedDict[tuple[object, ...], _Seen] = OrderedDict()

    def take(self, record: logging.LogRecord) -> Iterator[logging.LogRecord]:
        """The record, or nothing; before it what is told of another that has to make room."""
        if record.levelno <= logging.DEBUG:
            yield record
            return
        error = record.exc_info[1] if record.exc_info else None
        last = frames(error.__traceback__)[-1:] if error is not None else []
        key = (record.name, record.levelno, said(record, whole=True), type(error), *last)
        seen = self._seen.get(key)
        if seen is None:
            if len(self._seen) >= KEPT:
                yield from self._seen.popitem(last=False)[1].rest()
            brief = {"type": _name(error), "at": last} if error is not None else None
            self._seen[key] = _Seen(record, brief, self._clock())
            yield record
            return
        self._seen.move_to_end(key)
        seen.count += 1
        seen.latest = record.created
        now = self._clock()
        if seen.count in (10, 100, 1_000, 10_000) or seen.count % 100_000 == 0 or now - seen.written >= AGAIN:
            seen.written = now
            yield from seen.rest()

    def rest(self) -> Iterator[logging.LogRecord]:
        """What has been counted and not told yet."""
        for each in self._seen.values():
            yield from each.rest()
        self._seen.clear()


class _Seen:
    """One message: how often it came, and how many of these are told.

    Nothing of the record itself is kept: its exception would keep alive whatever was at hand where it was raised.
    """

    def __init__(self, record: logging.LogRecord, brief: Mapping[str, Any] | None, now: float) -> None:
        self._fields = {"name": record.name, "levelno": record.levelno, "levelname": record.levelname}
        self._fields |= {"msg": said(record), "args": None, "brief": brief}
        self.latest = record.created
        self.count = 1
        self.told = 1
        self.written = now

    def rest(self) -> Iterator[logging.LogRecord]:
        """What is not told yet: how often it has come, and when it came last."""
        if self.count > self.told:
            self.told = self.count
            yield logging.makeLogRecord({**self._fields, "created": self.latest, "repeated": self.count})


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, then what it came of."""
    seen: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in seen and len(seen) < LINKS:
        seen.append(link)
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _told(error: BaseException, *, whole: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"type": _name(error)}
    if words := str(error) if whole else spoken(error):
        told["said"] = words[:LONGEST]
    told["at"] = frames(error.__traceback__)
    if isinstance(error, BaseExceptionGroup):
        told["of"] = [_told(each, whole=whole) for each in error.exceptions[:LINKS]]
    return told


def _name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _place(file: str) -> str:
    """A file of code from the folder of its package on."""
    parts = Path(file).parts
    for name in ("site-packages", "dist-packages"):
        if name in parts:
            return "/".join(parts[parts.index(name) + 1 :])
    root = Path(__file__).parents[1].parts
    if parts[: len(root)] == root:
        return "/".join((OWN, *parts[len(root) :]))
    return "/".join(parts[-2:])
