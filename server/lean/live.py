"""One Lean server process with one scratch document: the live Elaborator.

Transport (framing, matching, stderr tail, own process group) is leanclient's; this module adds what it takes
to hold a Lean server of any age: exactly one version's diagnostics, death and hangs, a fresh process after
either, a memory limit, and no process left behind. One process for one document, because a hang answers
nothing any more, new edits included, and only killing its process helps: nobody else's work is lost with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil
from leanclient.aio.errors import LeanClientError, LeanRequestTimeout, LeanTransportError
from leanclient.aio.transport import LspTransport

from tacit.server.errors import BadInput, LeanDied, LeanNotFound
from tacit.server.lean.elaborator import Elaboration, LeanIdentity, Message, Outcome, Severity
from tacit.server.lean.locate import ServerCommand
from tacit.server.text import LineIndex, Position

log = logging.getLogger(__name__)
_START_TIMEOUT = 60.0


@dataclass(slots=True)
class _Published:
    """The diagnostics of one version so far; the last message of a version is the whole."""

    raw: list[dict[str, Any]] = field(default_factory=list)
    times: int = 0


def default_memory_mib() -> int:
    """The address-space limit of a Lean process when the user set none, in MiB.

    Address space, not resident memory: a worker maps all of Mathlib's .olean files (some 6 GiB) without
    holding them, so the limit must be generous on small machines and only stops a runaway.
    """
    return max(12 * 1024, int(psutil.virtual_memory().total / 2**20 * 0.75))


def stderr_sentence(tail: str) -> str:
    """The last telling line of a server's error output, for a message."""
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


class LiveElaborator:
    """Elaborator over a real Lean server. See the Protocol for the contract."""

    def __init__(
        self,
        commands: Sequence[ServerCommand],
        uri: str,
        *,
        memory_mib: int | None = None,
        edit_delay_ms: int = 0,
    ) -> None:
        if not commands:
            raise ValueError("no command to start Lean with")
        self._commands = list(commands)
        self._uri = uri
        self._memory_mib = default_memory_mib() if memory_mib is None else memory_mib
        self._edit_delay_ms = edit_delay_ms
        self._transport: LspTransport | None = None
        self._processes: set[psutil.Process] = set()
        self._lock = asyncio.Lock()
        self._text = ""
        self._version = 0
        self._published: dict[int, _Published] = {}
        self._header_errors: tuple[Message, ...] = ()
        self._disturbed = False
        self._heard = False
        self.closed = False
        self.restarts = -1
        self.notice = ""

    @property
    def identity(self) -> LeanIdentity:
        """The Lean of the command in use."""
        return LeanIdentity(self._commands[0].version)

    @property
    def command(self) -> ServerCommand:
        """The command in use."""
        return self._commands[0]

    @property
    def running(self) -> bool:
        """Whether a server process is up."""
        return self._transport is not None and self._transport.alive

    async def start(self) -> None:
        """Start the server if it is not up; falls back to the next command when one does not start."""
        if self.running:
            return
        if self.closed:
            raise LeanDied("This Lean server was closed.")
        while True:
            try:
                await self._start(self._commands[0])
                return
            except LeanNotFound as exc:
                if self.closed:
                    raise LeanDied("This Lean server was closed.") from exc
                if len(self._commands) == 1:
                    raise
                failed = self._commands.pop(0)
                self.notice = f"`{' '.join(failed.argv[:2])}` does not start here, so `lean --server` is used: {exc}"
                log.warning("%s", self.notice)

    async def _start(self, command: ServerCommand) -> None:
        await self._kill()
        self._text, self._version, self._published, self._disturbed, self._heard = "", 0, {}, False, False
        transport = LspTransport(list(command.argv), str(command.cwd), self._on_notification)
        self._transport = transport
        try:
            await transport.start()
            self._limit_memory()
            await transport.request("initialize", self._initialize_params(command), timeout=_START_TIMEOUT)
            await transport.notify("initialized", {})
        except OSError as exc:
            self._transport = None
            raise LeanNotFound(f"{command.argv[0]} cannot be started: {exc.strerror}.") from exc
        except LeanClientError as exc:
            said = await _last_words(transport)
            await self._end(transport)
            raise LeanNotFound(f"{' '.join(command.argv)} did not start: {said or exc}.") from exc
        except asyncio.CancelledError:
            await self._end(transport)
            raise
        if self.closed:
            await self._end(transport)
            raise LeanDied("This Lean server was closed.")
        self._note_processes()
        self.restarts += 1

    def _initialize_params(self, command: ServerCommand) -> dict[str, Any]:
        return {
            "processId": os.getpid(),
            "clientInfo": {"name": "tacit"},
            "rootUri": command.cwd.as_uri(),
            # 2021: the delay between an edit and its elaboration, 200 ms unless set. Ignored since.
            "initializationOptions": {"editDelay": self._edit_delay_ms, "hasWidgets": False},
            "capabilities": {
                "textDocument": {"publishDiagnostics": {"versionSupport": True}},
                # Not wanted, so not announced; were they sent all the same, they are skipped below.
                "lean": {"silentDiagnosticSupport": False},
            },
        }

    def _limit_memory(self) -> None:
        process = _process(self._transport)
        if not self._memory_mib or process is None:
            return
        with contextlib.suppress(psutil.Error, AttributeError, ValueError, OSError):
            # prlimit on the fresh process: the workers that it starts inherit it. Linux only.
            limit = self._memory_mib * 2**20
            psutil.Process(process.pid).rlimit(psutil.RLIMIT_AS, (limit, limit))

    def _note_processes(self) -> None:
        """Remember the process tree: today's workers have sessions of their own, so no group kill reaches them."""
        process = _process(self._transport)
        if process is None:
            return
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(process.pid)
            self._processes |= {root, *root.children(recursive=True)}

    async def _kill(self) -> None:
        """End the process tree now."""
        if self._transport is not None:
            await self._end(self._transport)

    async def _end(self, transport: LspTransport) -> None:
        """End a server, its workers, its pipes and the tasks that read them."""
        if self._transport is transport:
            self._note_processes()
            self._transport = None
        for process in self._processes:
            with contextlib.suppress(psutil.Error):
                process.kill()  # psutil compares start times: a recycled pid is not hit
        self._processes.clear()
        with contextlib.suppress(Exception):
            await transport.close()
        # Of a server that died by itself `close` takes no notice any more.
        server = _process(transport)
        if server is not None:
            if server.returncode is None:
                with contextlib.suppress(OSError):
                    server.kill()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(server.wait(), 5.0)
            getattr(server, "_transport").close()  # noqa: B009 - its pipes; nothing public closes them
        for task in (getattr(transport, name, None) for name in ("_reader_task", "_stderr_task")):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def _on_notification(self, method: str, params: dict[str, Any]) -> None:
        if not self._heard:
            self._heard = True
            self._note_processes()  # whoever speaks of a document is a worker, or has one
        if method != "textDocument/publishDiagnostics" or params.get("uri") != self._uri:
            return
        version = params.get("version")
        if version != self._version:
            return  # of an older text, or of no known one: not evidence for this text
        published = self._published.setdefault(version, _Published())
        # Every Lean up to 4.27 publishes all diagnostics so far; newer ones may send additions, marked so.
        if not params.get("isIncremental"):
            published.raw = []
        published.raw.extend(params.get("diagnostics") or ())
        published.times += 1

    async def elaborate(self, text: str, *, timeout: float, label: str = "") -> Elaboration:
        """See Elaborator. Raises BadInput for a text that no file can have."""
        del label
        _require_text(text)
        async with self._lock:
            retry = self._disturbed
            try:
                result = await self._elaborate(text, timeout)
            except asyncio.CancelledError:
                # What was cancelled may still be running in the worker and slow the next text down.
                self._disturbed = True
                raise
            if result.outcome is Outcome.DONE:
                self._disturbed = False
            elif result.outcome is Outcome.TIMED_OUT and retry:
                # The time went to what was cancelled before; a fresh process gives this text its own chance.
                return await self._elaborate(text, timeout)
            return result

    async def _elaborate(self, text: str, timeout: float) -> Elaboration:
        await self.start()
        transport = self._transport
        assert transport is not None
        try:
            async with asyncio.timeout(timeout):  # a server that reads nothing holds up who writes to it
                await self._send(transport, text)
            self._note_processes()
            await transport.request(
                "textDocument/waitForDiagnostics", {"uri": self._uri, "version": self._version}, timeout=timeout
            )
        except (LeanRequestTimeout, TimeoutError):
            await self._kill()
            return Elaboration(Outcome.TIMED_OUT, (), f"no answer in {timeout:.1f} s")
        except LeanClientError as exc:
            said = await _last_words(transport)
            await self._kill()
            return Elaboration(Outcome.CRASHED, (), said or getattr(exc, "rpc_message", "") or str(exc))
        published = self._published.get(self._version)
        if published is None:
            if self._header_errors:
                # 2021: after a header that did not load, later versions publish nothing at all.
                return Elaboration(Outcome.DONE, self._header_errors)
            # Seen on both Leans: the worker overflowed its stack, and the wait answered with no diagnostics.
            said = await _last_words(transport)
            await self._kill()
            return Elaboration(Outcome.CRASHED, (), said or "the Lean worker died")
        try:
            messages = self._read(text, published.raw)
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            await self._kill()
            return Elaboration(Outcome.CRASHED, (), f"Lean sent a diagnostic that cannot be read: {exc!r}")
        if self._version == 1:
            errors = tuple(m for m in messages if m.severity is Severity.ERROR)
            self._header_errors = errors if errors and errors[0].start == Position(0, 0) else ()
        return Elaboration(Outcome.DONE, messages)

    async def _send(self, transport: LspTransport, text: str) -> None:
        """Open the document, or change the least of it: all that stands before the first change stays elaborated."""
        try:
            await self._notify_text(transport, text)
        except asyncio.CancelledError:
            # What the server has read of it cannot be told any more.
            await self._end(transport)
            raise

    async def _notify_text(self, transport: LspTransport, text: str) -> None:
        self._published.clear()
        if not self._version:
            self._version = 1
            document = {"uri": self._uri, "languageId": "lean4", "version": 1, "text": text}
            params = {"textDocument": document, "dependencyBuildMode": "never"}
            self._text = text
            await transport.notify("textDocument/didOpen", params)
            return
        old = LineIndex(self._text)
        common = len(os.path.commonprefix((self._text, text)))  # noqa: RUF071 - on text that is what is wanted
        start = old.position(common)
        end = old.position(len(self._text))
        self._version += 1
        change = {
            "range": {"start": _lsp(old, start), "end": _lsp(old, end)},
            "text": text[common:],
        }
        self._text = text
        await transport.notify(
            "textDocument/didChange",
            {"textDocument": {"uri": self._uri, "version": self._version}, "contentChanges": [change]},
        )

    def _read(self, text: str, raw: Sequence[dict[str, Any]]) -> tuple[Message, ...]:
        index = LineIndex(text)
        messages = []
        for diagnostic in raw:
            if diagnostic.get("isSilent"):
                continue
            # `range` ends at the end of the first line, for squiggles; `fullRange` is the whole.
            span = diagnostic.get("fullRange") or diagnostic["range"]
            messages.append(
                Message(
                    Severity(diagnostic.get("severity") or 1),
                    index.from_utf16(span["start"]["line"], span["start"]["character"]),
                    index.from_utf16(span["end"]["line"], span["end"]["character"]),
                    diagnostic.get("message") or "",
                )
            )
        return tuple(messages)

    async def goals(self, text: str, position: Position, *, timeout: float) -> Sequence[str]:
        """See Elaborator."""
        _require_text(text)
        async with self._lock:
            if text != self._text or not self.running:
                result = await self._elaborate(text, timeout)
                if result.outcome is not Outcome.DONE:
                    return ()
            transport = self._transport
            if transport is None:
                return ()
            params = {"textDocument": {"uri": self._uri}, "position": _lsp(LineIndex(text), position)}
            try:
                answer = await transport.request("$/lean/plainGoal", params, timeout=timeout)
            except LeanTransportError as exc:
                await self._kill()
                raise LeanDied("The Lean server died while it was asked for the goals.") from exc
            except LeanClientError:
                return ()
            goals = answer.get("goals") if isinstance(answer, dict) else None
            return tuple(goals or ())

    async def aclose(self) -> None:
        """See Elaborator."""
        self.closed = True
        await self._kill()


def _process(transport: LspTransport | None) -> asyncio.subprocess.Process | None:
    # leanclient keeps the process private; nothing public names its id.
    process: asyncio.subprocess.Process | None = getattr(transport, "_proc", None)
    return process


async def _last_words(transport: LspTransport) -> str:
    """What a server in trouble said on standard error: that may arrive a moment after the trouble."""
    reader = getattr(transport, "_stderr_task", None)
    if reader is not None and not stderr_sentence(transport.stderr_tail()):
        await asyncio.wait({reader}, timeout=0.3)
    return stderr_sentence(transport.stderr_tail())


def _require_text(text: str) -> None:
    """Raises BadInput for half of a surrogate pair, which an editor may send and no UTF-8 has."""
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        line = text.count("\n", 0, exc.start) + 1
        raise BadInput(f"There is half of a character in line {line}.", hint="Remove it: no file can have it.") from exc


def _lsp(index: LineIndex, position: Position) -> dict[str, int]:
    line, character = index.to_utf16(position)
    return {"line": line, "character": character}
