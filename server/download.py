"""Fetches one large file over HTTP: goes on where it was interrupted, checks its size and SHA-256, says how far it is.

Only http and https, also where an address leads elsewhere, and never from https to http. Proxies are those that urllib
finds in the environment. What has arrived lies in a part file, with a note beside it of what it is a part of.
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
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from tacit.server.errors import BadInput, TacitError

TIMEOUT = 60.0
"""Seconds without a byte."""
LOOK_TIMEOUT = 20.0
"""Seconds for the first answer: whoever is offline need not wait long to be told."""
PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds before it is tried again, each time that nothing arrived any more."""
SPARE = 64 << 20
"""Bytes that are left free on the disk."""
_CHUNK = 1 << 18
_MOST = 16 << 20
"""Bytes of a document that is looked up."""
_DIGEST = re.compile(r'(?:W/)?"?([0-9a-f]{64})"?')

Progress = Callable[[str, int, int], None]
"""A stage, MB done, MB in all."""


class Unreachable(TacitError):
    """Nothing, or not all, could be fetched."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file, its size in bytes where it is known (else 0), its SHA-256 where it is (else empty)."""

    url: str
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class _Note:
    """What a part file is a part of. `etag` is the server's own name for the content."""

    url: str
    size: int
    sha256: str
    etag: str


class _Broken(Exception):
    """The connection ended before the file did; it may be tried again."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows where it may. The first answer of a hub names the file that it leads to."""

    def __init__(self) -> None:
        self.first: Message | None = None

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        scheme = urlsplit(newurl).scheme
        if scheme not in ("http", "https") or (scheme == "http" and req.type == "https"):
            raise TacitError(f"{_host(req.full_url)} leads to {newurl}, which Tacit does not follow.")
        if self.first is None:
            self.first = headers
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def check_url(url: str) -> str:
    """The address, if it is one of http or https. Raises BadInput."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s\x00-\x1f]", url)
    except ValueError:
        good = False
    if not good:
        raise BadInput(f"{url} is no address that begins with https:// or http://.")
    return url


def look(url: str, *, timeout: float = LOOK_TIMEOUT) -> Wanted:
    """What is said of a file before it is fetched: its size, and the SHA-256 where a hub states it.

    Raises BadInput where there is no such file, Unreachable where nobody answers.
    """
    redirects = _Redirects()
    try:
        with _open(url, {"Range": "bytes=0-0"}, redirects, timeout) as answer:
            length = answer.headers.get("Content-Length") if answer.status == 200 else ""
            size = _total(answer.headers) or int(length or 0)
            said = redirects.first or answer.headers
            linked = _DIGEST.fullmatch(said.get("X-Linked-ETag") or "")
            return Wanted(url, int(said.get("X-Linked-Size") or 0) or size, linked[1] if linked else "")
    except _NothingThere:
        raise BadInput(f"The file at {url} is empty.") from None
    except (_Broken, ValueError) as error:
        raise _unreachable(url, str(error)) from error


def look_up(url: str, *, timeout: float = LOOK_TIMEOUT) -> Any:
    """A small JSON document. Raises BadInput where there is none, Unreachable where nobody answers."""
    try:
        with _open(url, {"Accept": "application/json"}, _Redirects(), timeout) as answer:
            return json.loads(answer.read(_MOST))
    except (_Broken, _NothingThere, ValueError, http.client.HTTPException, OSError) as error:
        raise _unreachable(url, _why(error)) from error


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
    failures = 0
    while True:
        before = download.done
        try:
            return download.run()
        except _Broken as error:
            failures = 0 if download.done > before else failures + 1
            if failures > len(pauses):
                done = f" after {download.done / 1e6:,.0f} MB" if download.done else ""
                raise _unreachable(wanted.url, f"{error}{done}") from error
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
        """Fetch what is missing; the SHA-256 of it all. Raises _Broken where it may be tried again."""
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
            with _open(self._wanted.url, headers, _Redirects(), self._timeout) as answer:
                self._begin(answer)
                self._copy(answer)
        except _NothingThere:
            self._drop()
            raise _Broken("it has no such part of the file") from None
        except http.client.HTTPException as error:
            raise _Broken(_why(error)) from error
        if self.done < self._size:
            raise _Broken("the connection broke off")
        self._size = self._size or self.done

    def _begin(self, answer: http.client.HTTPResponse) -> None:
        total = int(answer.headers.get("Content-Length") or 0)
        if answer.status == 206:
            start = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range") or "")
            if start is None or int(start[1]) != self.done:
                self._drop()
                raise _Broken("it sent another part of the file than was asked for")
            total = _total(answer.headers)
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
        with self._part.open("ab") as file:
            while True:
                try:
                    chunk = answer.read1(_CHUNK)
                except (OSError, http.client.HTTPException) as error:
                    raise _Broken(_why(error)) from error
                if not chunk:
                    break
                if self._size and self.done + len(chunk) > self._size:
                    self._drop()
                    raise TacitError(
                        f"{self._wanted.url} sent more than the {self._size:,} bytes that were expected.",
                        hint="Nothing of it was kept.",
                    )
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


class _NothingThere(Exception):
    """The server has nothing from there on."""


def _open(url: str, headers: dict[str, str], redirects: _Redirects, timeout: float) -> http.client.HTTPResponse:
    """Ask for a file. Raises BadInput, TacitError, _NothingThere, and _Broken where it may be tried again."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
        redirects,
    ):
        opener.add_handler(handler)
    request = urllib.request.Request(check_url(url), headers={"User-Agent": "tacit", **headers})
    try:
        answer: http.client.HTTPResponse = opener.open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        with suppress(OSError):
            error.close()
        if error.code == 416:
            raise _NothingThere from error
        if error.code in (404, 410):
            raise BadInput(f"There is no file at {url}.") from error
        if error.code in (401, 403):
            raise BadInput(
                f"{_host(url)} gives {url} to nobody who has not logged in ({error.code}).",
                hint="Fetch it with a browser, then `tacit models add PATH`.",
            ) from error
        said = f"it answered {error.code} {error.reason}"
        if error.code < 500 and error.code not in (408, 429):
            raise _unreachable(url, said) from error
        raise _Broken(said) from error
    except (OSError, http.client.HTTPException) as error:
        raise _Broken(_why(error)) from error
    return answer


def _total(headers: Message) -> int:
    found = re.fullmatch(r"bytes \d+-\d+/(\d+)", headers.get("Content-Range") or "")
    return int(found[1]) if found else 0


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return str(getattr(reason, "strerror", "") or reason or type(reason).__name__).rstrip(".")


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _unreachable(url: str, why: str) -> Unreachable:
    return Unreachable(
        f"{url} could not be fetched: {why or 'nothing came'}.",
        hint="Try again when there is a network (it goes on where it stopped), or copy a GGUF to this machine and name "
        "it: `tacit models add PATH`.",
    )
