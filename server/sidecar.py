"""A sidecar process and an editor's side of its LSP: start, open, suggest, status, stop. For the demo; no terminal.

It is the very process an editor starts (`python -m tacit.server.cli serve`), spoken to in the very messages.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

import attrs
from lsprotocol import types
from pygls.lsp.client import LanguageClient
from pygls.protocol import LanguageServerProtocol

from tacit.server import wire
from tacit.server.command import EVERYTHING
from tacit.server.errors import TacitError
from tacit.server.text import LineIndex, Position

START_SECONDS = 60.0
"""Seconds that the sidecar gets to answer, and Lean to start."""

STOP_SECONDS = 8.0
"""Seconds that it gets to end: it ends Lean first."""

POLL_SECONDS = 0.05
COMMAND = (sys.executable, "-P", "-m", "tacit.server.cli")  # -P: no module is taken from the current folder


class SidecarDied(TacitError):
    """The sidecar ended, or answered with an error that no editor could act on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request, and the seconds until its first suggestion and its end, as an editor sees them."""

    result: wire.SuggestResult
    first: float | None
    elapsed: float


@attrs.define
class _SuggestResponse:
    id: int | str
    result: wire.SuggestResult
    jsonrpc: str = "2.0"


@attrs.define
class _StatusResponse:
    id: int | str
    result: wire.StatusResult
    jsonrpc: str = "2.0"


class _Protocol(LanguageServerProtocol):
    def get_message_type(self, method: str) -> type | None:  # type: ignore[override]  # pygls caches it
        own: type | None = wire.MESSAGES.get(method)
        return own or super().get_message_type(method)

    def get_result_type(self, method: str) -> type | None:  # type: ignore[override]
        own = {wire.SUGGEST: _SuggestResponse, wire.STATUS: _StatusResponse}.get(method)
        return own or super().get_result_type(method)


class Sidecar:
    """A running sidecar. Use it as an async context manager: leaving it ends the process and its Lean."""

    def __init__(self, arguments: Sequence[str], command: Sequence[str] = COMMAND) -> None:
        self._command = (*command, *arguments)
        self._client = LanguageClient("tacit demo", "0", _Protocol, wire.make_converter)
        self._client.feature(types.PROGRESS)(lambda params: self._arrive(params))  # it takes no bound methods
        for name in (types.WINDOW_SHOW_MESSAGE, types.WINDOW_LOG_MESSAGE, wire.STATUS_CHANGED):
            self._client.feature(name)(lambda _: None)
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[Any]] = []
        self._said: deque[str] = deque(maxlen=20)
        self._arrived: dict[int | str, float] = {}
        self._asked = 0

    async def __aenter__(self) -> Self:
        # A session of its own: Ctrl-C in the terminal reaches the command alone, which then ends the sidecar in order.
        await self._client.start_io(*self._command, start_new_session=True)
        self._process = self._client._server
        try:
            self._tasks = [asyncio.create_task(self._read_errors()), asyncio.create_task(self._process_end())]
            capabilities = types.ClientCapabilities()
            hello = types.InitializeParams(capabilities)
            await self._answer(self._client.initialize_async(hello), START_SECONDS)
            self._client.initialized(types.InitializedParams())
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    def open(self, uri: str, text: str) -> None:
        """Open a document."""
        item = types.TextDocumentItem(uri, "lean4", 1, text)
        self._client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def close(self, uri: str) -> None:
        """Close a document."""
        self._client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))

    async def lean(self) -> wire.LeanState:
        """What Lean is doing, once it has started or failed to."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            status: wire.StatusResult = await self._answer(
                self._client.protocol.send_request_async(wire.STATUS), START_SECONDS
            )
            if status.lean.state not in ("not started", "starting") or time.monotonic() > deadline:
                return status.lean
            await asyncio.sleep(POLL_SECONDS)

    async def suggest(self, uri: str, text: str, position: Position, budget: float) -> Answer:
        """Ask for suggestions, up to the first that closes the goal."""
        self._asked += 1
        token = f"demo-{self._asked}"
        line, character = LineIndex(text).to_utf16(position)
        params = wire.SuggestParams(
            wire.DocumentIdentifier(uri),
            types.Position(line, character),
            budget=budget,
            limit=EVERYTHING,
            stop_at_first_close=True,
            partial_result_token=token,
        )
        began = time.monotonic()
        request = self._client.protocol.send_request_async(wire.SUGGEST, params)
        result: wire.SuggestResult = await self._answer(request, 3 * budget + 2 * START_SECONDS)
        arrived = self._arrived.pop(token, None)
        return Answer(result, arrived - began if arrived is not None else None, time.monotonic() - began)

    def _arrive(self, params: types.ProgressParams) -> None:
        value: Any = params.value
        if isinstance(value, dict) and "suggestions" in value:
            self._arrived.setdefault(params.token, time.monotonic())

    async def _answer(self, request: Coroutine[Any, Any, Any] | asyncio.Future[Any], limit: float) -> Any:
        answer = asyncio.ensure_future(request)
        # A request that is sent to a process that has ended is never answered by anybody.
        await asyncio.wait({answer, self._tasks[-1]}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        last = f" It said: {self._said[-1]}" if self._said else ""
        if not answer.done():
            answer.cancel()
            ended = self._process is not None and self._process.returncode is not None
            raise SidecarDied(f"The sidecar {'ended' if ended else f'did not answer within {limit:.0f} s'}.{last}")
        try:
            return answer.result()
        except Exception as exc:
            raise SidecarDied(f"The sidecar failed: {str(exc).rstrip('.')}.{last}") from exc

    async def _process_end(self) -> None:
        if self._process is not None:
            await self._process.wait()

    async def _read_errors(self) -> None:
        stream = self._process.stderr if self._process is not None else None
        while stream is not None and (line := await stream.readline()):
            if text := line.decode(errors="replace").strip():
                self._said.append(text)

    async def _stop(self) -> None:
        process = self._process
        if process is None:
            return
        try:
            async with asyncio.timeout(STOP_SECONDS):
                if process.returncode is None:
                    with suppress(Exception):
                        await self._client.shutdown_async(None)
                        self._client.exit(None)
                    await process.wait()
        except TimeoutError:
            pass
        finally:
            if process.returncode is None:
                process.terminate()  # it ends Lean on its way out
                with suppress(TimeoutError):
                    async with asyncio.timeout(STOP_SECONDS):
                        await process.wait()
            if process.returncode is None:
                process.kill()
            with suppress(Exception):
                await self._client.stop()  # type: ignore[no-untyped-call]
            for task in self._tasks:
                task.cancel()
