"""Asks servers over HTTP: opens an address, looks at a file before it is fetched, reads a small document. No more.

Only https, also where an address leads elsewhere; http from this machine itself. Proxies are those that urllib finds in
the environment.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import re
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from typing import IO, Any
from urllib.parse import urlsplit

from tacit.server.errors import BadInput, TacitError

TIMEOUT = 20.0
"""Seconds for a first answer: whoever is offline need not wait long to be told."""
_MOST = 16 << 20
"""Bytes of a document that is looked up."""
_DIGEST = re.compile(r'(?:W/)?"?([0-9a-f]{64})"?')


class Unreachable(TacitError):
    """Nothing, or not all, could be fetched."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file, its size in bytes where it is known (else 0), its SHA-256 where it is (else empty)."""

    url: str
    size: int = 0
    sha256: str = ""


class Broken(Exception):
    """The connection ended before the file did; it may be tried again."""


class NothingThere(Exception):
    """The server has nothing from there on."""


def check_url(url: str) -> str:
    """The address, if it is one of https, or of http on this machine. Raises BadInput."""
    if not _is_safe(url):
        raise BadInput(
            f"{url} is no address that begins with https://.",
            hint="What comes over http:// can be changed on its way by anybody; it is taken from this machine alone.",
        )
    return url


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or re.search(r"[\s\x00-\x1f]", url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def look(url: str, *, timeout: float = TIMEOUT) -> Wanted:
    """What is said of a file before it is fetched: its size, and the SHA-256 where a hub states it.

    Raises BadInput where there is no such file, Unreachable where nobody answers.
    """
    redirects = Redirects()
    try:
        with open_address(url, {"Range": "bytes=0-0"}, redirects, timeout) as answer:
            length = answer.headers.get("Content-Length") if answer.status == 200 else ""
            size = total_of(answer.headers) or int(length or 0)
            said = redirects.first or answer.headers
            linked = _DIGEST.fullmatch(said.get("X-Linked-ETag") or "")
            return Wanted(url, int(said.get("X-Linked-Size") or 0) or size, linked[1] if linked else "")
    except NothingThere:
        raise BadInput(f"The file at {url} is empty.") from None
    except (Broken, ValueError) as error:
        raise unreachable(url, str(error)) from error


def look_up(url: str, *, timeout: float = TIMEOUT) -> Any:
    """A small JSON document. Raises BadInput where there is none, Unreachable where nobody answers."""
    try:
        with open_address(url, {"Accept": "application/json"}, Redirects(), timeout) as answer:
            return json.loads(answer.read(_MOST))
    except (Broken, NothingThere, ValueError, http.client.HTTPException, OSError) as error:
        raise unreachable(url, why_of(error)) from error


def open_address(url: str, headers: dict[str, str], redirects: Redirects, timeout: float) -> http.client.HTTPResponse:
    """Ask for a file. Raises BadInput, TacitError, NothingThere, and Broken where it may be tried again."""
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
            raise NothingThere from error
        if error.code in (404, 410):
            raise BadInput(f"There is no file at {url}.") from error
        if error.code in (401, 403):
            raise BadInput(
                f"{_host(url)} gives {url} to nobody who has not logged in ({error.code}).",
                hint="Fetch it with a browser, then `tacit models add PATH`.",
            ) from error
        said = f"it answered {error.code} {error.reason}"
        if error.code < 500 and error.code not in (408, 429):
            raise unreachable(url, said) from error
        raise Broken(said) from error
    except (OSError, http.client.HTTPException) as error:
        raise Broken(why_of(error)) from error
    return answer


def total_of(headers: Message) -> int:
    """Bytes of the whole file that an answer holds a part of; 0 where it does not say."""
    found = re.fullmatch(r"bytes \d+-\d+/(\d+)", headers.get("Content-Range") or "")
    return int(found[1]) if found else 0


def why_of(error: Exception) -> str:
    """What went wrong, as a part of a sentence."""
    reason = getattr(error, "reason", None) or error
    return str(getattr(reason, "strerror", "") or reason or type(reason).__name__).rstrip(".")


def _host(url: str) -> str:
    return urlsplit(url).netloc


def unreachable(url: str, why: str) -> Unreachable:
    """The error for an address, with what to do without it."""
    return Unreachable(
        f"{url} could not be fetched: {why or 'nothing came'}.",
        hint="Try again when there is a network (it goes on where it stopped), or copy a GGUF to this machine and name "
        "it: `tacit models add PATH`.",
    )


class Redirects(urllib.request.HTTPRedirectHandler):
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
        """See HTTPRedirectHandler. Raises TacitError where Tacit does not follow."""
        if not _is_safe(newurl) or (req.type == "https" and urlsplit(newurl).scheme != "https"):
            raise TacitError(f"{_host(req.full_url)} leads to {newurl}, which Tacit does not follow.")
        if self.first is None:
            self.first = headers
        return super().redirect_request(req, fp, code, msg, headers, newurl)
