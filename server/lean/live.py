"""One Lean server process with one scratch document: the live Elaborator.

What it takes to hold a Lean server of any age: exactly one version's diagnostics, death and hangs, and a fresh
process after either. One process for one document, because a hang may answer nothing any more, new edits included,
and then only killing its process helps: nobody else's work is lost with it. Today's Lean stops what an edit has made
void, and keeps the imports and all that stands above: there the next text is tried first.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from leanclient.aio.errors import LeanClientError, LeanRequestTimeout, LeanTransportError

from tacit.server.errors import BadInput, LeanDied, LeanNotFound
from tacit.server.lean.diagnostics import UNREADABLE, Published, read
from tacit.server.lean.elaborator import Elaboration, Enough, LeanIdentity, Message, Outcome, Severity
from tacit.server.lean.header import header_error
from tacit.server.lean.locate import ServerCommand
from tacit.server.lean.process import ServerProcess, default_memory_mib
from tacit.server.lean.pulse import MUTE, STILL, WORKER_GONE, StoodStill, unless_still
from tacit.server.text import LineIndex, Position, common_length

log = logging.getLogger(__name__)
_START_TIMEOUT = 60.0
# What to do about a Lean that does not start, by how it ended.
_HINT = "`lean --version` in a terminal may say more."
_HINTS = {
    "SIGKILL": "Systems end programs so when memory runs out: close others.",
    "SIGILL": "It was built for another processor: install another build.",
}
# Seconds without a word of a new text, after one that was cancelled or ran out of time, until the process is given up.
_PATIENCE = 3.0
# After the text that stopped another its process is watched, so many times for so many seconds each: one that never
# rests was not stopped. (It may have memory to give back.) Others may leave it little of a core: `_REST` is in seconds.
_WATCHED = 0.2
_TIMES = 4
_REST = 0.01
# Seconds after which imports that did not load are tried again: they may have been built. Lean itself never does.
_RELOAD = 5.0
# Seconds between two looks at what was told of a text, where not all of it is wanted.
_GLANCE = 0.02


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
        self._server: ServerProcess | None = None
        self._lock = asyncio.Lock()
        self._text = ""
        self._version = 0
        self._published: dict[int, Published] = {}
        self._header_errors: tuple[Message, ...] = ()
        self._unloaded: float | None = None
        self._disturbed = False
        self._spared = False
        self._whole = True
        self._heard = asyncio.Event()
        self.closed = False
        self.restarts = -1
        self.notice = ""
        self.ended = ""
        """How the process before this one ended, in a sentence, where Tacit did not end it for a reason of its own."""

    @property
    def identity(self) -> LeanIdentity:
        """The Lean of the command in use."""
        return LeanIdentity(self._commands[0].version)

    @property
    def command(self) -> ServerCommand:
        """The command in use."""
        return self._commands[0]

    @property
    def uri(self) -> str:
        """Of its document."""
        return self._uri

    @property
    def running(self) -> bool:
        """Whether a server process is up."""
        return self._server is not None and self._server.alive and not self._server.lost

    async def start(self) -> None:
        """Start the server if it is not up; falls back to the next command when one does not start."""
        if self.running:
            return
        if self.closed:
            raise LeanDied("This Lean server was closed.")
        if self._server is not None:
            self._note(WORKER_GONE if self._server.alive else _by_itself(await self._server.fate()))
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
        await self._end()
        self._text, self._version, self._published = "", 0, {}
        self._disturbed = self._spared = False
        self._unloaded = None
        server = self._server = ServerProcess(command, self._on_notification, memory_mib=self._memory_mib)
        try:
            await server.start()
            params = self._initialize_params(command)
            await unless_still(server, server.request("initialize", params, timeout=_START_TIMEOUT))
            await unless_still(server, server.notify("initialized", {}))
        except OSError as exc:
            self._server = None
            if not _is_folder(command.cwd):
                # No command is to blame: with the folder back the same one starts.
                gone = f"There is no folder {command.cwd} any more, so Lean cannot be started there."
                raise LeanDied(gone, hint="Put it back, or close its files.") from exc
            reason = f"{command.argv[0]} cannot be started: {exc.strerror}."
            raise LeanNotFound(reason, hint="Name a Lean that can be in the setting tacit.lean.path.") from exc
        except (LeanClientError, StoodStill) as exc:
            said, fate = await server.last_words(), await server.fate()
            await self._end(server)
            reason = f"{' '.join(command.argv)} did not start: {said or fate or exc}."
            raise LeanNotFound(reason, hint=_HINTS.get(fate, _HINT)) from exc
        except asyncio.CancelledError:
            await self._end(server)
            raise
        if self.closed:
            await self._end(server)
            raise LeanDied("This Lean server was closed.")
        self.restarts += 1

    async def _end(self, server: ServerProcess | None = None) -> None:
        """End a server, or the one in use; there is none in use then."""
        server = server or self._server
        if self._server is server:
            self._server = None
        if server is not None:
            await server.end()

    def _note(self, how: str) -> None:
        self.ended = f"Lean was started again: {how}."
        log.warning("%s", self.ended)

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

    def _on_notification(self, method: str, params: dict[str, Any]) -> None:
        if method == "$/lean/fileProgress":
            document = params.get("textDocument")
            if isinstance(document, dict) and document.get("version") == self._version:
                self._heard.set()
            return
        if method != "textDocument/publishDiagnostics" or params.get("uri") != self._uri:
            return
        version = params.get("version")
        if version != self._version:
            return  # of an older text, or of no known one: not evidence for this text
        self._heard.set()
        self._published.setdefault(version, Published()).add(params)

    async def elaborate(
        self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
    ) -> Elaboration:
        """See Elaborator. Raises BadInput for a text that no file can have."""
        del label
        _require_text(text)
        async with self._lock:
            if self._unloaded is not None and time.monotonic() - self._unloaded >= _RELOAD:
                await self._end()
            retry = self._disturbed
            try:
                result = await (self._after_disturbance if retry else self._elaborate)(text, timeout, enough)
            except asyncio.CancelledError:
                # What was cancelled may still be running in the worker and slow the next text down.
                self._disturbed = True
                raise
            if result.outcome is Outcome.DONE:
                self._disturbed = False
                if self._whole:
                    await self._end_if_busy()
                    self._spared = False
            elif result.outcome is Outcome.TIMED_OUT and retry:
                # The time went to what was cancelled before; a fresh process gives this text its own chance.
                return await self._elaborate(text, timeout, enough)
            elif result.outcome is Outcome.CRASHED and not self._heard.is_set() and not self.closed:
                # It never took notice of this text: what it ended of was there before.
                return await self._elaborate(text, timeout, enough)
            return result

    async def _end_if_busy(self) -> None:
        """After a text that was to stop another: end a process that computes on."""
        server = self._server
        if server is None or not self._spared:
            return
        for _ in range(_TIMES):
            before = server.cpu_seconds()
            await asyncio.sleep(_WATCHED)
            if server.cpu_seconds() - before < _REST:
                return
        await self._end(server)

    async def _after_disturbance(self, text: str, timeout: float, enough: Enough | None) -> Elaboration:
        """Elaborate after a text that was not waited for: where that one hangs, Lean may take no notice of this one.

        A server that is alive says something of the new version at once; one that says nothing gets a successor.
        """
        self._heard.clear()
        work = asyncio.ensure_future(self._elaborate(text, timeout, enough))
        heard = asyncio.ensure_future(self._heard.wait())
        try:
            done, _ = await asyncio.wait({work, heard}, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return await work
            await self._end()
            await asyncio.gather(work, return_exceptions=True)
            return await self._elaborate(text, timeout, enough)
        finally:
            heard.cancel()
            if not work.done():
                work.cancel()
            await asyncio.gather(work, heard, return_exceptions=True)

    async def _elaborate(self, text: str, timeout: float, enough: Enough | None = None) -> Elaboration:
        await self.start()
        server = self._server
        assert server is not None
        written = False
        try:
            async with asyncio.timeout(timeout):  # a server that reads nothing holds up who writes to it
                await unless_still(server, self._send(server, text), self._looks)
            written = True
            server.note_tree()
            wanted = enough if self.identity.keeps_steps else None
            await unless_still(server, self._wait(server, text, timeout, wanted), self._looks)
        except (LeanRequestTimeout, TimeoutError):
            told = self._told(text)
            if written and self.identity.keeps_steps and not self._disturbed:
                self._disturbed = self._spared = True
            else:
                await self._end()
            return Elaboration(Outcome.TIMED_OUT, told, f"no answer in {timeout:.1f} s")
        except StoodStill as exc:
            told = self._told(text)
            await self._end()
            self._note(str(exc))
            return Elaboration(Outcome.CRASHED, told, str(exc))
        except LeanClientError as exc:
            told = self._told(text)
            ended_here = self._server is not server
            said, fate = await server.last_words(), await server.fate()
            await self._end()
            why = getattr(exc, "rpc_message", "") or str(exc)
            if not ended_here:
                self._note(_by_itself(fate, said) if fate else said or why)
            return Elaboration(Outcome.CRASHED, told, said or (_by_itself(fate) if fate else why))
        published = self._published.get(self._version)
        if published is None:
            if self._header_errors:
                # 2021: after a header that did not load, later versions publish nothing at all.
                return Elaboration(Outcome.DONE, self._header_errors)
            # Seen on both Leans: the worker overflowed its stack, and the wait answered with no diagnostics.
            said = await server.last_words()
            await self._end()
            return Elaboration(Outcome.CRASHED, (), said or "the Lean worker died")
        try:
            messages = read(text, published.raw)
        except UNREADABLE as exc:
            await self._end()
            return Elaboration(Outcome.CRASHED, (), f"Lean sent a diagnostic that cannot be read: {exc!r}")
        errors = tuple(m for m in messages if m.severity is Severity.ERROR)
        in_header = self._version == 1 and bool(errors) and errors[0].start == Position(0, 0)
        self._header_errors = errors if in_header else ()
        if header_error(text, messages) is None:
            self._unloaded = None
        elif self._unloaded is None:
            self._unloaded = time.monotonic()
        return Elaboration(Outcome.DONE, messages)

    def _looks(self) -> int:
        return STILL if self._heard.is_set() else MUTE

    async def _wait(self, server: ServerProcess, text: str, timeout: float, enough: Enough | None) -> None:
        """Returns when all diagnostics are there, or enough of them."""
        of = {"uri": self._uri, "version": self._version}
        work = asyncio.ensure_future(server.request("textDocument/waitForDiagnostics", of, timeout=timeout))
        seen, was_enough = 0, False
        self._whole = False
        try:
            while not (await asyncio.wait({work}, timeout=_GLANCE if enough else None))[0]:
                if was_enough:
                    return
                published = self._published.get(self._version)
                if enough is not None and published is not None and published.times != seen:
                    seen = published.times
                    # Lean tells of several tactics at once in no strict order: what belongs to them comes at once, too.
                    was_enough = enough(self._told(text))
            await work
            self._whole = True
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _send(self, server: ServerProcess, text: str) -> None:
        """Open the document, or change the least of it: all that stands before the first change stays elaborated."""
        try:
            await self._notify_text(server, text)
        except asyncio.CancelledError:
            # What the server has read of it cannot be told any more.
            await self._end(server)
            raise

    async def _notify_text(self, server: ServerProcess, text: str) -> None:
        self._published.clear()
        self._heard.clear()
        if not self._version:
            self._version = 1
            document = {"uri": self._uri, "languageId": "lean4", "version": 1, "text": text}
            params = {"textDocument": document, "dependencyBuildMode": "never"}
            self._text = text
            await server.notify("textDocument/didOpen", params)
            return
        self._version += 1
        change = least_change(self._text, text)
        self._text = text
        await server.notify(
            "textDocument/didChange",
            {"textDocument": {"uri": self._uri, "version": self._version}, "contentChanges": [change]},
        )

    def _told(self, text: str) -> tuple[Message, ...]:
        """What was published of a text before its end; nothing where that cannot be read."""
        published = self._published.get(self._version)
        try:
            return read(text, published.raw) if published is not None else ()
        except UNREADABLE:
            return ()

    async def goals(self, text: str, position: Position, *, timeout: float) -> Sequence[str]:
        """See Elaborator."""
        _require_text(text)
        async with self._lock:
            if text != self._text or not self.running:
                result = await self._elaborate(text, timeout)
                if result.outcome is not Outcome.DONE:
                    return ()
            server = self._server
            if server is None:
                return ()
            params = {"textDocument": {"uri": self._uri}, "position": _lsp(LineIndex(text), position)}
            try:
                answer = await unless_still(server, server.request("$/lean/plainGoal", params, timeout=timeout))
            except (LeanTransportError, StoodStill) as exc:
                await self._end()
                raise LeanDied("The Lean server died while it was asked for the goals.") from exc
            except LeanClientError:
                return ()
            except asyncio.CancelledError:
                self._disturbed = True
                raise
            goals = answer.get("goals") if isinstance(answer, dict) else None
            return tuple(goals or ())

    async def aclose(self) -> None:
        """See Elaborator."""
        self.closed = True
        await self._end()


def least_change(old: str, new: str) -> dict[str, Any]:
    """The change from one text to another as LSP tells it: from the first difference to the end.

    It never begins inside a CRLF: today's Lean has LF in its place, "and assumes that edits never split" it.
    """
    common = common_length(old, new)
    if new[:common].endswith("\r"):
        common -= 1
    index = LineIndex(old)
    places = {"start": _lsp(index, index.position(common)), "end": _lsp(index, index.position(len(old)))}
    return {"range": places, "text": new[common:]}


def _by_itself(*what: str) -> str:
    told = ", ".join(filter(None, what))
    return f"it ended by itself ({told})" if told else "it ended by itself"


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112  # Path.is_dir raises where it may not be looked at


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
