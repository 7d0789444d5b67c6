"""An editor in miniature: starts a sidecar, speaks LSP with it over pipes, and keeps all it says in order.

Strict where editors are: a byte on standard output that belongs to no frame is an error. Answers the sidecar's own
requests (`applyEdit`, `workDoneProgress/create`, …) through `answers`, a table of method → result or function.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FAKE = Path(__file__).with_name("fake_suggester.py")
URI = "file:///project/Foo.lean"
PATIENCE = 20.0
"""Seconds after which something that should come is called missing: generous, as machines are slow."""

CAPABILITIES: dict[str, Any] = {
    "workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}, "configuration": True},
    "window": {"workDoneProgress": True},
    "general": {"positionEncodings": ["utf-8", "utf-16", "utf-32"]},
}

Message = dict[str, Any]


class Refusal(Exception):
    """The sidecar answered with an error."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(error["message"])
        self.code: int = error["code"]
        self.message: str = error["message"]


class Editor:
    """One editor and its sidecar."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.heard: list[Message] = []
        self.garbage = b""
        self.answers: dict[str, Any] = {
            "workspace/applyEdit": {"applied": True},
            "window/workDoneProgress/create": None,
            "workspace/configuration": [None],
        }
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())
        self.stderr = b""
        self._errors = asyncio.create_task(self._read_errors())

    # ------------------------------------------------------------------ talking

    def send(self, message: Message) -> None:
        self.send_bytes(json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode("utf-8"))

    def send_bytes(self, body: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"method": method, "params": params})

    def begin(self, method: str, params: Any = None) -> tuple[int, asyncio.Future[Any]]:
        """Send a request; its number and its answer to come."""
        self._number += 1
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending[self._number] = future
        self.send({"id": self._number, "method": method, "params": params})
        return self._number, future

    async def ask(self, method: str, params: Any = None) -> Any:
        return await within(self.begin(method, params)[1])

    async def initialize(self, *, capabilities: Message | None = None, **more: Any) -> Message:
        params = {
            "processId": None,
            "rootUri": None,
            "capabilities": CAPABILITIES if capabilities is None else capabilities,
        }
        result: Message = await self.ask("initialize", params | more)
        self.notify("initialized", {})
        return result

    def open(self, text: str, *, uri: str = URI, version: int = 1) -> None:
        item = {"uri": uri, "languageId": "lean4", "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, version: int, *changes: Message, uri: str = URI) -> None:
        document = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)})

    def cancel(self, number: int) -> None:
        self.notify("$/cancelRequest", {"id": number})

    def gate(self, name: str) -> None:
        """Let the fake suggester pass."""
        (self.folder / name).touch()

    # ------------------------------------------------------------------ listening

    async def until(self, seen: Callable[[], Any]) -> Any:
        """Wait until something is so, looking again whenever a message came (and now and then, for the log)."""

        async def wait() -> Any:
            while not (found := seen()):
                self._news.clear()
                try:
                    await asyncio.wait_for(self._news.wait(), 0.02)
                except TimeoutError:
                    continue
            return found

        return await within(wait())

    def said(self, method: str) -> list[Any]:
        """The parameters of every message of a method so far."""
        return [message.get("params") for message in self.heard if message.get("method") == method]

    def log(self, event: str | None = None) -> list[Message]:
        """What the fake suggester was asked."""
        file = self.folder / "log"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [entry for entry in map(json.loads, lines) if event is None or entry["event"] == event]

    async def logged_times(self, event: str, times: int) -> None:
        """Wait until an event of the fake suggester has happened so many times."""
        await self.until(lambda: len(self.log(event)) == times)

    async def logged(self, event: str, **fields: Any) -> Message:
        """Wait for an event of the fake suggester."""

        def seen() -> Message | None:
            return next((each for each in self.log(event) if fields.items() <= each.items()), None)

        found: Message = await self.until(seen)
        return found

    # ------------------------------------------------------------------ ending

    async def shutdown(self) -> int:
        await self.ask("shutdown")
        self.notify("exit")
        return await self.gone()

    async def gone(self) -> int:
        """Wait for the sidecar's end; its exit status."""
        await within(asyncio.gather(self._reader, self._errors))
        code: int = await within(self.process.wait())
        return code

    def hang_up(self) -> None:
        """Close the editor's end of the pipe without a word."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    async def stop(self) -> None:
        """End everything, whatever state it is in."""
        if self.process.returncode is None:
            self.process.kill()
        # Children hold the pipe of standard error; the wait would wait for them.
        for child in {entry["child"] for entry in self.log("built")}:
            if alive(child):
                os.kill(child, signal.SIGKILL)
        await within(self.process.wait())
        self._reader.cancel()
        self._errors.cancel()
        await asyncio.gather(self._reader, self._errors, return_exceptions=True)

    async def _read(self) -> None:
        assert self.process.stdout is not None
        rest = b""
        while data := await self.process.stdout.read(1 << 16):
            rest += data
            while head := re.match(rb"Content-Length: (\d+)\r\n(?:Content-Type: [^\r\n]*\r\n)?\r\n", rest):
                end = head.end() + int(head[1])
                if len(rest) < end:
                    break
                self._hear(json.loads(rest[head.end() : end]))
                rest = rest[end:]
            else:
                if rest and not b"Content-Length: ".startswith(rest[:16]) and not rest.startswith(b"Content-Length: "):
                    self.garbage += rest
                    rest = b""
        self.garbage += rest
        for future in self._pending.values():
            if not future.done():
                future.set_exception(EOFError("the sidecar ended"))
                future.exception()
        self._news.set()

    async def _read_errors(self) -> None:
        assert self.process.stderr is not None
        while data := await self.process.stderr.read(1 << 16):
            self.stderr += data

    def _hear(self, message: Message) -> None:
        self.heard.append(message)
        self._news.set()
        if "method" in message and "id" in message:
            answer = self.answers[message["method"]]
            result = answer(message["params"]) if callable(answer) else answer
            if result is not NO_ANSWER:
                self.send({"id": message["id"], "result": result})
        elif "method" not in message and message.get("id") in self._pending:
            future = self._pending.pop(message["id"])
            if future.done():
                return
            if "error" in message:
                future.set_exception(Refusal(message["error"]))
                future.exception()  # looked at, so that a test may leave it
            else:
                future.set_result(message["result"])


NO_ANSWER = object()


async def within(work: Any) -> Any:
    async with asyncio.timeout(PATIENCE):
        return await work


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@asynccontextmanager
async def editing(folder: Path, *command: str, environment: Mapping[str, str] | None = None) -> AsyncIterator[Editor]:
    """An editor with a sidecar, by default the one whose suggester the document scripts."""
    process = await asyncio.create_subprocess_exec(
        *(command or (sys.executable, str(FAKE))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TACIT_FAKE_LOG": str(folder / "log"), **(environment or {})},
        cwd=folder,
    )
    editor = Editor(process, folder)
    try:
        yield editor
    finally:
        await editor.stop()


@asynccontextmanager
async def serving(folder: Path, lean: Path, document: tuple[str, str], **initialize: Any) -> AsyncIterator[Editor]:
    """An editor with `tacit serve` in `folder / "project"`, that Lean, and a document: its URI and its text."""
    environment = {
        "TACIT_CACHE": str(folder / "cache"),
        "TACIT_LEAN": str(lean),
        "MATHLIB": "",
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
    }
    async with editing(folder, sys.executable, "-m", "tacit.server.cli", "serve", environment=environment) as editor:
        await editor.initialize(rootUri=(folder / "project").as_uri(), **initialize)
        uri, text = document
        editor.open(text, uri=uri)
        yield editor
        await editor.shutdown()
        assert b"Traceback" not in editor.stderr, editor.stderr.decode()


def script(*steps: Sequence[Any]) -> str:
    """The comment line that tells the fake suggester what to do."""
    return "--! " + json.dumps(list(steps)) + "\n"


def at(line: int, character: int, uri: str = URI) -> Message:
    """The parameters that name a place."""
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}


def within_range(line: int, start: int, end: int, *, end_line: int | None = None) -> Message:
    last = line if end_line is None else end_line
    return {"start": {"line": line, "character": start}, "end": {"line": last, "character": end}}
