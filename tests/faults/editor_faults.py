"""The editor sends garbage, asks at the wrong time, cancels everything, says things twice, or is gone."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import psutil

from tests.faults.fault import When, fault
from tests.faults.rig import NoAnswer, Rig
from tests.protocol.editor import Refusal, at, within_range

ANY = (When.IDLE, When.BUSY)
INVALID_REQUEST, NOT_INITIALIZED = -32600, -32002
HUGE = 2**31 - 1


def _raw(rig: Rig, data: bytes) -> None:
    """Write bytes as they are."""
    assert rig.editor.process.stdin is not None
    rig.editor.process.stdin.write(data)


def _frame(body: bytes, length: int | None = None) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body) if length is None else length, body)


def _status(rig: Rig, number: int) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": f"raw-{number}", "method": "tacit/status", "params": None}).encode()


async def _answered(rig: Rig, *numbers: int) -> None:
    """Wait until raw requests are answered."""
    wanted = {f"raw-{number}" for number in numbers}
    await rig.until(
        lambda: wanted <= {each.get("id") for each in rig.editor.heard if "method" not in each}, f"{wanted} answered"
    )


# ---------------------------------------------------------------------------------------------- garbage

BODIES: Sequence[bytes] = (
    *(b"{'no': json}", b"", b"\xff\xfe\x00", b"[" * 200_000, b'{"a":' * 100_000, b"NaN", b'"\\ud800"', b"null", b"[]"),
    b'{"jsonrpc": "2.0"}',
    b'{"jsonrpc": "2.0", "method": 3}',
    b'{"jsonrpc": "2.0", "method": ["a"], "id": {}}',
    b'{"jsonrpc": "2.0", "method": "tacit/status", "id": [1]}',
    b'{"jsonrpc": "2.0", "id": 99999999, "result": {"a": 1}}',
    b'{"jsonrpc": "2.0", "id": null, "result": null}',
    b'{"jsonrpc": "2.0", "id": "x", "error": 3}',
    b'{"jsonrpc": "2.0", "id": 1, "error": {"code": "a", "message": 7}}',
    b'{"jsonrpc": "2.0", "id": 1e400, "method": "tacit/status"}',
    b'{"jsonrpc": "1.0", "id": 1, "method": "tacit/status"}',
    b'{"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": [1]}}',
    b'{"jsonrpc": "2.0", "method": "$/cancelRequest"}',
    (
        b'{"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": '
        b'{"uri": "file:///\\ud800.lean", "languageId": "lean4", "version": 1, "text": "\\ud835"}}}'
    ),
    b'{"jsonrpc": "2.0", "method": "textDocument/didClose", "params": {"textDocument": {"uri": "file:///\\ud800.lean"}}}',
    b'{"jsonrpc": "2.0", "method": "' + b"x" * 1_000_000 + b'"}',
)


@fault("editor", "It sends bodies that are no messages", when=ANY)
async def no_messages(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    for number, body in enumerate(dice.sample(BODIES, len(BODIES))):
        _raw(rig, _frame(body))
        _raw(rig, _frame(_status(rig, number)))
    await _answered(rig, *range(len(BODIES)))
    yield


@fault("editor", "Its frames have wrong lengths", when=ANY)
async def wrong_lengths(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """The next whole frame but one is heard, whatever came before."""
    body = _status(rig, 0)
    broken = [
        _frame(body, len(body) + dice.randrange(1, 10)),
        _frame(body, len(body) - dice.randrange(1, len(body))),
        _frame(body, 10**18),
        _frame(body, 0),
        b"Content-Length: -5\r\n\r\n" + body,
        b"Content-Length: many\r\n\r\n" + body,
        b"Content-Length\r\n\r\n" + body,
        b"\r\n\r\n",
        b"X-Header: " + b"y" * dice.randrange(70_000, 2_000_000) + b"\r\n\r\n",
        dice.randbytes(dice.randrange(1, 300_000)),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ]
    dice.shuffle(broken)
    for number, each in enumerate(broken):
        _raw(rig, each)
        _raw(rig, _frame(_status(rig, 2 * number)))
        _raw(rig, _frame(_status(rig, 2 * number + 1)))
        await _answered(rig, 2 * number + 1)
    yield


METHODS = (
    *("tacit/suggest", "tacit/search", "tacit/status", "textDocument/inlineCompletion", "textDocument/codeAction"),
    *("workspace/symbol", "workspace/executeCommand", "workspace/willSaveNothing", "initialize", ""),
)
NOTIFICATIONS = (
    *("textDocument/didOpen", "textDocument/didChange", "textDocument/didClose", "textDocument/didSave", "initialized"),
    *("workspace/didChangeWatchedFiles", "workspace/didChangeWorkspaceFolders"),
    *("$/cancelRequest", "$/setTrace", "$/progress", "nothing/of/this"),
)
ODD: Sequence[Any] = (
    *(None, True, -1, 10**30, 1.5, "", "x", "\0", [], [[]], {}, {"uri": 3}, {"line": -1, "character": -1}),
    *({"line": HUGE, "character": HUGE}, {"start": 1}, [None] * 50, {"textDocument": {"uri": None}}),
)
FIELDS = (
    *("textDocument", "position", "range", "context", "text", "query", "contentChanges", "arguments", "command"),
    *("changes", "event", "limit", "budget", "id", "capabilities", "partialResultToken", "fromGoal"),
)


def _odd(dice: random.Random, uri: str) -> Any:
    """Parameters that are nearly right, or not at all."""
    if dice.random() < 0.2:
        return dice.choice(ODD)
    params: dict[str, Any] = at(dice.choice((0, -1, HUGE)), dice.choice((0, 4, HUGE)), dice.choice((uri, "x:", "")))
    for field in dice.sample(FIELDS, dice.randrange(5)):
        params[field] = dice.choice(ODD)
    return params


@fault("editor", "Its requests and notifications have odd parameters", when=ANY)
async def odd_parameters(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    elsewhere = (rig.workspace / "Top" / "Elsewhere.lean").as_uri()
    asked = []
    for _ in range(150):
        if dice.random() < 0.4:
            rig.editor.notify(dice.choice(NOTIFICATIONS), _odd(dice, elsewhere))
        else:
            asked.append(rig.editor.begin(dice.choice(METHODS), _odd(dice, elsewhere))[1])
    await _all(asked)
    yield


async def _all(asked: Sequence[asyncio.Future[Any]]) -> None:
    """Wait until all are answered. Raises NoAnswer; refusals and answers are the same here."""
    _, left = await asyncio.wait(asked, timeout=120) if asked else (set(), set())
    if left:
        raise NoAnswer(f"{len(left)} of {len(asked)} requests were not answered")
    if any(isinstance(each.exception(), EOFError) for each in asked):
        raise NoAnswer("the sidecar ended")


URIS = (
    *("untitled:Untitled-1", "vscode-notebook-cell:/a/b.ipynb#W0", "git:/a/b.lean?ref=x", "http://localhost/a.lean"),
    *("file:///a%2520b%252F..%252Fc.lean", "file:///a%00b.lean", "file://[bad/x.lean", "file:///dev/null/x.lean"),
    *("file:relative.lean", "file:///", "", "%", "file:///%ff%fe.lean", "file:///" + "x" * 5000, "::::"),
    *("file:///proc/self/mem", "file:///dev/zero", "file:///../../../etc/passwd", "C:\\Users\\a.lean", "file:///a\nb"),
)


@fault("editor", "It opens documents with odd URIs", when=ANY)
async def odd_uris(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    asked = []
    for uri in dice.sample(URIS, len(URIS)):
        rig.editor.open(rig.text, uri=uri)
        rig.editor.change(2, {"range": within_range(0, 0, 0), "text": "-- 𝔸\n"}, uri=uri)
        asked.append(rig.editor.begin("tacit/search", {"text": "add comm", "textDocument": {"uri": uri}})[1])
        where = at(8, 4, uri) | {"budget": 2}
        asked.append(rig.editor.begin("tacit/suggest", where)[1])
        if dice.random() < 0.5:
            asked.append(rig.editor.begin("tacit/search", {"text": "add comm"})[1])
            rig.editor.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    await _all(asked)
    for uri in URIS:
        rig.editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    # Nothing of it makes search fail for others.
    await rig.ask("tacit/search", {"text": "add comm"})
    yield


# ---------------------------------------------------------------------------------------------- documents


@fault("editor", "It changes and closes documents that are not open", when=ANY)
async def not_open(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    uri = (rig.workspace / "Top" / "Never.lean").as_uri()
    for version in range(20):
        rig.editor.change(version, {"text": "x"}, {"range": within_range(9, 9, 9), "text": "y"}, uri=uri)
        rig.editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    documents = (await rig.ask("tacit/status"))["documents"]
    if [each["uri"] for each in documents] != [rig.uri]:
        raise RuntimeError(f"other documents are open: {documents}")
    yield


@fault("editor", "It opens the document again and again, closed or not", when=ANY)
async def reopened(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    asked = []
    for _ in range(30):
        if dice.random() < 0.6:
            rig.editor.notify("textDocument/didClose", {"textDocument": {"uri": rig.uri}})
        rig.open()
        if dice.random() < 0.5:
            asked.append(rig.editor.begin("tacit/suggest", rig.cursor | {"budget": 2})[1])
        if dice.random() < 0.3:
            await asyncio.sleep(dice.random() * 0.2)
    await _all(asked)
    yield


@fault("editor", "Its versions go back", when=ANY)
async def older_versions(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    asked = []
    for _ in range(20):
        version = dice.choice((-1, 0, 1, rig.version - 3, HUGE))
        rig.editor.change(version, {"text": rig.text}, uri=rig.uri)
        asked.append(rig.editor.begin("tacit/suggest", rig.cursor | {"budget": 2})[1])
    await _all(asked)
    yield


@fault("editor", "Its positions lie outside of the text", when=ANY)
async def outside(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    places = [(0, HUGE), (HUGE, 0), (HUGE, HUGE), (6, HUGE)]
    asked = []
    for line, character in places:
        where = at(line, character, rig.uri)
        asked.append(rig.editor.begin("tacit/suggest", where | {"budget": 2})[1])
        asked.append(rig.editor.begin("textDocument/inlineCompletion", where | {"context": {"triggerKind": 2}})[1])
        spot = {"start": where["position"], "end": where["position"]}
        action = {"textDocument": {"uri": rig.uri}, "range": spot, "context": {"diagnostics": []}}
        asked.append(rig.editor.begin("textDocument/codeAction", action)[1])
    await _all(asked)
    # An edit behind the end is one at the end, and one of an end before its start is one at its start.
    version = rig.version
    rig.editor.change(version, {"range": within_range(HUGE, 0, HUGE), "text": "-- end"}, uri=rig.uri)
    rig.editor.change(version, {"range": within_range(HUGE, 5, 0, end_line=0), "text": "!"}, uri=rig.uri)
    rig.editor.change(version, {"text": rig.text}, uri=rig.uri)
    yield


# ---------------------------------------------------------------------------------------------- requests


@fault("editor", "It cancels everything, answered or not, and more than once", when=ANY)
async def cancels(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    asked: list[tuple[int, asyncio.Future[Any]]] = []
    where = rig.cursor
    context = {"context": {"triggerKind": 2}}
    command = {"command": "tacit.closeGoal", "arguments": [{"uri": rig.uri, "position": where["position"]}]}
    kinds: Sequence[tuple[str, dict[str, Any]]] = (
        ("tacit/suggest", where),
        ("textDocument/inlineCompletion", where | context),
        ("tacit/search", {"text": "add comm"}),
        ("workspace/executeCommand", command),
    )
    for _ in range(300):
        asked.append(rig.editor.begin(*dice.choice(kinds)))
        for _ in range(dice.randrange(3)):
            rig.editor.cancel(dice.choice(asked)[0])
        if dice.random() < 0.05:
            await asyncio.sleep(dice.random() * 0.1)
    for number, _ in asked:
        rig.editor.cancel(number)
    await _all([future for _, future in asked])
    answers = [each["id"] for each in rig.editor.heard if "method" not in each]
    if len(answers) != len(set(answers)):
        raise RuntimeError("a request was answered twice")
    yield


@fault("editor", "It asks before initialize, initializes twice, and asks after shutdown", alone=True)
async def untimely(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    await _refused(rig, "initialize", {"processId": None, "rootUri": None, "capabilities": {}}, INVALID_REQUEST)
    rig.editor.notify("initialized", {})
    await rig.ask("shutdown")
    await _refused(rig, "tacit/suggest", rig.cursor, INVALID_REQUEST)
    rig.touch()
    rig.editor.notify("textDocument/didClose", {"textDocument": {"uri": rig.uri}})
    rig.editor.notify("exit")
    await _ends(rig, 0)
    await rig.restart(hello=False)
    await _refused(rig, "tacit/suggest", rig.cursor, NOT_INITIALIZED)
    await _refused(rig, "shutdown", None, NOT_INITIALIZED)
    rig.open()
    await rig.hello()
    yield


async def _refused(rig: Rig, method: str, params: Any, code: int) -> None:
    try:
        await rig.ask(method, params)
    except Refusal as refusal:
        if refusal.code != code:
            raise RuntimeError(f"{method} was refused with {refusal.code}: {refusal.message}") from None
    else:
        raise RuntimeError(f"{method} was answered")


# ---------------------------------------------------------------------------------------------- gone


async def _ends(rig: Rig, status: int | None = None) -> None:
    """Wait until the sidecar has ended and nothing of it runs. Raises NoAnswer."""
    process = rig.editor.process
    below = [rig.editor.process.pid, *(each.pid for each in rig.lean.processes() + rig.model.processes())]
    await rig.until(lambda: process.returncode is not None, "the sidecar has ended", patience=60)
    if status is not None and process.returncode != status:
        raise RuntimeError(f"the sidecar ended with status {process.returncode}")
    await rig.until(lambda: not any(map(_runs, below)), "its processes have ended", patience=30)


def _runs(pid: int) -> bool:
    with suppress(psutil.Error):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def _gone(name: str, status: int) -> None:
    """It goes away in one of several ways, while Lean works or not; a new one finds all in order."""

    @fault("editor", f"It is gone: {name}", when=ANY, alone=True, answers=False)
    async def gone(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
        editor = rig.editor
        with suppress(RuntimeError, ConnectionError):
            rig.touch()
            editor.begin("tacit/suggest", rig.cursor)
            if name == "its pipe closes":
                editor.hang_up()
            elif name == "its pipe closes within a message":
                _raw(rig, b'Content-Length: 100\r\n\r\n{"jsonrpc"')
                editor.hang_up()
            elif name == "exit without shutdown":
                editor.notify("exit")
            elif name == "a signal":
                editor.process.send_signal(dice.choice((signal.SIGTERM, signal.SIGINT, signal.SIGHUP)))
            elif name == "shutdown while busy, then exit":
                with suppress(Refusal):
                    await rig.ask("shutdown")
                editor.notify("exit")
        await _ends(rig, status)
        await rig.restart()
        yield


_gone("its pipe closes", 1)
_gone("its pipe closes within a message", 1)
_gone("exit without shutdown", 1)
_gone("a signal", 1)
_gone("shutdown while busy, then exit", 0)


@fault("editor", "It reads nothing for a while", when=ANY)
async def deaf(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """More is said to it than a pipe holds; it goes on to send, and gets everything once it reads again."""
    transport = rig.editor.process.stdout._transport  # type: ignore[union-attr]
    transport.pause_reading()
    asked = [rig.editor.begin("no/such/method/" + "x" * 2000)[1] for _ in range(400)]
    rig.touch()
    await asyncio.sleep(1.0)
    transport.resume_reading()
    await _all(asked)
    yield


@fault("editor", "It reads nothing, and the sidecar is told to end", when=ANY, alone=True, answers=False)
async def deaf_and_ended(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """A sidecar that cannot say anything any more ends when it is told to, with all that it started."""
    rig.editor.process.stdout._transport.pause_reading()  # type: ignore[union-attr]
    for _ in range(400):
        rig.editor.begin("no/such/method/" + "x" * 2000)
    await asyncio.sleep(0.5)
    os.kill(rig.editor.process.pid, signal.SIGTERM)
    await _ends(rig, 1)
    await rig.restart()
    yield


@fault("editor", "It never reads again, and goes on to ask", when=ANY, alone=True, answers=False)
async def never_reads(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """What waits for it has a limit: behind that the sidecar ends."""
    rig.editor.process.stdout._transport.pause_reading()  # type: ignore[union-attr]
    with suppress(ConnectionError, RuntimeError):
        for _ in range(200):
            for _ in range(5):
                rig.editor.begin("no/such/method/" + "x" * 100_000)
            assert rig.editor.process.stdin is not None
            await asyncio.wait_for(rig.editor.process.stdin.drain(), 60)
            if rig.editor.process.returncode is not None:
                break
    await _ends(rig, 1)
    await rig.restart()
    yield
