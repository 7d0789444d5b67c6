"""A server of files on this machine that behaves as it is told: cuts connections, knows no ranges, leads elsewhere."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class File:
    """One address. `cuts` ends an answer after so many bytes, one for each of the first requests for the file.

    `fails` are the status codes of the first requests; `to` an address that it leads to; `length` what is said of the
    length (None: nothing); `holds` waits after so many bytes until `Files.go` is set; `shifted` answers with a part
    that was not asked for.
    """

    content: bytes = b""
    etag: str = '"one"'
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    fails: list[int] = field(default_factory=list)
    to: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = -1
    holds: int = -1
    shifted: bool = False


@dataclass(frozen=True)
class Asked:
    """What was asked of the server."""

    path: str
    range: str
    if_range: str


class Files:
    """The server, what it has, what it was asked. `go` lets an answer go on that is held."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.files: dict[str, File] = {}
        self.asked: list[Asked] = []
        self.held = threading.Event()
        self.go = threading.Event()

    def put(self, path: str, file: File) -> str:
        """Have a file; its address."""
        self.files[path] = file
        return self.url + path

    def ranges(self, path: str) -> list[str]:
        """The ranges that were asked for, empty where the whole file was."""
        return [each.range for each in self.asked if each.path == path]


@contextmanager
def serving() -> Iterator[Files]:
    """A server on a port of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    files = Files(server.server_address[1])
    server.tacit = files  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield files
    finally:
        files.go.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        files: Files = self.server.tacit  # type: ignore[attr-defined]
        wanted = self.headers.get("Range", "")
        files.asked.append(Asked(self.path, wanted, self.headers.get("If-Range", "")))
        file = files.files.get(self.path)
        if file is None or file.fails:
            self.send_error(404 if file is None else file.fails.pop(0))
            return
        if file.to:
            self._head(302, {"Location": file.to, "Content-Length": "0", **file.headers})
            return
        start, end, status = 0, len(file.content), 200
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
        if asked and file.ranges and self.headers.get("If-Range", file.etag) == file.etag:
            start, status = int(asked[1]), 206
            end = min(end, int(asked[2]) + 1) if asked[2] else end
            if start >= len(file.content):
                self.send_error(416)
                return
        headers = {"ETag": file.etag} if file.etag else {}
        if status == 206:
            shown = start + 1 if file.shifted else start
            headers["Content-Range"] = f"bytes {shown}-{end - 1}/{len(file.content)}"
        length = end - start if file.length == -1 else file.length
        if length is not None:
            headers["Content-Length"] = str(length)
        self._head(status, {**headers, **file.headers})
        body = file.content[start:end]
        probing = wanted == "bytes=0-0"
        if file.cuts and not probing:
            body = body[: file.cuts.pop(0)]
        try:
            if 0 <= file.holds < len(body) and not probing:
                self.wfile.write(body[: file.holds])
                self.wfile.flush()
                files.held.set()
                files.go.wait(60)
                body = body[file.holds :]
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.close_connection = True

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
