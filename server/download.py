"""Fetches one large file over HTTP: goes on where it was interrupted, checks its size and SHA-256, says how far it is.

What has arrived lies in a part file, with a note beside it of what it is a part of.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tacit.server.errors import TacitError
from tacit.server.web import Broken, NothingThere, Redirects, Wanted, open_address, total_of, unreachable, why_of

TIMEOUT = 60.0
"""Seconds without a byte."""
PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds before it is tried again, each time that nothing arrived any more."""
SPARE = 64 << 20
"""Bytes that are left free on the disk."""
_CHUNK = 1 << 18
_LOOK = 1 << 24
"""Bytes of a file of unknown size until it is looked again whether there is room."""

Progress = Callable[[str, int, int], None]
"""A stage, MB done, MB in all."""


@dataclass(frozen=True, slots=True)
class _Note:
    """What a part file is a part of. `etag` is the server's own name for the content."""

    url: str
    size: int
    sha256: str
    etag: str


def missing(wanted: Wanted, part: Path) -> int:
    """Bytes that are still to be fetched."""
    return max(0, wanted.size - _there(wanted, part)[0])


def check_room(folder: Path, size: int) -> int:
    """The free bytes at a folder; TacitError where `size` more do not fit."""
    free = shutil.disk_usage(folder).free
    if size and size + SPARE > free:
        raise TacitError(
            f"{folder} has {free / 1e9:.1f} GB free, and {size / 1e9:.1f} GB are to be fetched.",
            hint="Make room, or name another folder: TACIT_CACHE.",
        )
    return free


def fetch(
    wanted: Wanted, part: Path, progress: Progress, *, pauses: Sequence[float] = PAUSES, timeout: float = TIMEOUT
) -> str:
    """Fill `part` with the whole file; its SHA-256. What is there of it already is kept.

    Raises BadInput where there is no such file, Unreachable where it did not arrive whole (then what did is kept), and
    TacitError where it is another file than was wanted or the disk is full.
    """
    download = _Download(wanted, part, progress, timeout)
    failures, most = 0, download.done
    while True:
        try:
            return download.run()
        except Broken as error:
            # More than ever before, that is: one that is begun anew each time would go on for ever.
            failures = 0 if download.done > most else failures + 1
            most = max(most, download.done)
            if failures > len(pauses):
                done = f" after {download.done / 1e6:,.0f} MB" if download.done else ""
                raise unreachable(wanted.url, f"{error}{done}") from error
            time.sleep(pauses[max(0, failures - 1)] if pauses else 0.0)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise TacitError(
                f"The disk of {part.parent} is full.", hint="What arrived is kept: make room and fetch it again."
            ) from error


class _Download:
    """One file that grows, and its digest with it."""

    def __init__(self, wanted: Wanted, part: Path, progress: Progress, timeout: float) -> None:
        self._wanted, self._part, self._progress, self._timeout = wanted, part, progress, timeout
        self._note: _Note | None
        self.done, self._note = _there(wanted, part)
        self._size = wanted.size
        self._digest = hashlib.sha256()
        if self.done:
            self._read_again()
        else:
            _note_of(part).unlink(missing_ok=True)
            part.unlink(missing_ok=True)

    def run(self) -> str:
        """Fetch what is missing; the SHA-256 of it all. Raises Broken where it may be tried again."""
        if not self._size or self.done < self._size:
            self._receive()
        digest = self._digest.hexdigest()
        if self._wanted.sha256 and digest != self._wanted.sha256:
            self._drop()
            raise TacitError(
                f"What {self._wanted.url} gave is not the file that was wanted: "
                f"its SHA-256 is {digest}, not {self._wanted.sha256}.",
                hint="Nothing of it was kept.",
            )
        return digest

    def _receive(self) -> None:
        headers = {}
        if self.done:
            headers["Range"] = f"bytes={self.done}-"
            if self._note is not None and self._note.etag and self._note.url == self._wanted.url:
                headers["If-Range"] = self._note.etag
        try:
            with open_address(self._wanted.url, headers, Redirects(), self._timeout) as answer:
                self._begin(answer)
                self._copy(answer)
        except NothingThere:
            self._drop()
            raise Broken("it has no such part of the file") from None
        except http.client.HTTPException as error:
            raise Broken(why_of(error)) from error
        if self.done < self._size:
            raise Broken("the connection broke off")
        self._size = self._size or self.done

    def _begin(self, answer: http.client.HTTPResponse) -> None:
        total = int(answer.headers.get("Content-Length") or 0)
        if answer.status == 206:
            start = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range") or "")
            if start is None or int(start[1]) != self.done:
                self._drop()
                raise Broken("it sent another part of the file than was asked for")
            total = total_of(answer.headers)
        elif self.done:  # it cannot go on, or the file is another one now
            self._drop()
        if self._size and total and total != self._size:
            self._drop()
            raise TacitError(
                f"{self._wanted.url} is a file of {total:,} bytes, and {self._size:,} were expected.",
                hint="Nothing of it was kept.",
            )
        self._size = self._size or total
        check_room(self._part.parent, self._size - self.done if self._size else 0)
        etag = answer.headers.get("ETag") or ""
        note = _Note(self._wanted.url, self._size, self._wanted.sha256, "" if etag.startswith("W/") else etag)
        if note != self._note:
            self._note = note
            place = _note_of(self._part)
            growing = place.with_name(f"{place.name}.new")
            growing.write_text(json.dumps(asdict(note)), encoding="utf-8")
            growing.replace(place)

    def _copy(self, answer: http.client.HTTPResponse) -> None:
        looked = self.done
        with self._part.open("ab") as file:
            while True:
                try:
                    chunk = answer.read1(_CHUNK)
                except (OSError, http.client.HTTPException) as error:
                    raise Broken(why_of(error)) from error
                if not chunk:
                    break
                if self._size and self.done + len(chunk) > self._size:
                    self._drop()
                    raise TacitError(
                        f"{self._wanted.url} sent more than the {self._size:,} bytes that were expected.",
                        hint="Nothing of it was kept.",
                    )
                if not self._size and self.done - looked >= _LOOK:
                    looked = self.done
                    check_room(self._part.parent, _LOOK)  # it may never end
                file.write(chunk)
                self._digest.update(chunk)
                self.done += len(chunk)
                self._tell("receiving, MB")
            file.flush()
            os.fsync(file.fileno())

    def _read_again(self) -> None:
        done, self.done = self.done, 0
        with self._part.open("rb") as file:
            while chunk := file.read(_CHUNK):
                self._digest.update(chunk)
                self.done += len(chunk)
                self._progress("reading what is there, MB", self.done // 1_000_000, done // 1_000_000)

    def _drop(self) -> None:
        self.done, self._note, self._size = 0, None, self._wanted.size
        self._digest = hashlib.sha256()
        forget(self._part)

    def _tell(self, what: str) -> None:
        self._progress(what, self.done // 1_000_000, max(self._size, self.done) // 1_000_000)


def forget(part: Path) -> None:
    """Remove a part file and its note."""
    _note_of(part).unlink(missing_ok=True)
    part.unlink(missing_ok=True)


def _note_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _there(wanted: Wanted, part: Path) -> tuple[int, _Note | None]:
    """How many bytes of this file are there, and their note; none of another file, or of one nobody could tell."""
    try:
        size = part.stat().st_size
        note = _Note(**json.loads(_note_of(part).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return 0, None
    # With a SHA-256 it does not matter which server it came from.
    same = note.sha256 == wanted.sha256 and bool(note.sha256 or (note.etag and note.url == wanted.url))
    return (size, note) if same and size <= (wanted.size or note.size or size) else (0, None)
