"""How a conversation begins and ends, and what a broken message does to it: nothing."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.editor import URI, Editor, Refusal, alive, at, editing, script, within, within_range

INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, PARSE_ERROR, NOT_INITIALIZED = -32600, -32601, -32602, -32700, -32002
HANGS = script(["goal"], ["hang"]) + "theorem foo : 1 = 1 := by "


def test_importing_the_sidecar_is_cheap() -> None:
    # 0.3 s are pygls' and lsprotocol's alone: they wait until a server is built, and Lean's client longer.
    probe = (
        "import sys, tacit.server.app; print([m for m in ('pygls', 'lsprotocol', 'leanclient') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_says_what_it_can_do(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        answer = await editor.initialize()
    can = answer["capabilities"]
    assert can["inlineCompletionProvider"] == {}
    assert can["codeActionProvider"]["codeActionKinds"] == ["quickfix", "refactor.rewrite"]
    assert can["executeCommandProvider"]["commands"] == ["tacit.closeGoal"]
    assert can["textDocumentSync"] == {"openClose": True, "change": 2, "save": False}
    assert answer["serverInfo"]["name"] == "tacit"


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [
        (None, "utf-16"),
        (["utf-16"], "utf-16"),  # VS Code
        (["utf-8", "utf-16", "utf-32"], "utf-16"),  # Neovim
        (["utf-8"], "utf-16"),
        (["utf-8", "utf-32", "utf-16"], "utf-32"),  # Helix
        (["utf-32", "utf-16"], "utf-32"),  # lsp-mode
        (["utf-32", "utf-8"], "utf-32"),
        (["ebcdic"], "utf-16"),
    ],
)
async def test_counts_columns_as_the_editor_can(tmp_path: Path, offered: list[str] | None, agreed: str) -> None:
    async with editing(tmp_path) as editor:
        capabilities = {"general": {"positionEncodings": offered}} if offered else {}
        answer = await editor.initialize(capabilities=capabilities)
    assert answer["capabilities"]["positionEncoding"] == agreed


async def test_columns_are_code_points_where_that_was_agreed(tmp_path: Path) -> None:
    text = script(["goal"], ["found", "rfl"]) + "theorem 𝓕𝓸𝓸 (𝕜 : Nat) : 𝕜 = 𝕜 := by sorry\n"
    column = len("theorem 𝓕𝓸𝓸 (𝕜 : Nat) : 𝕜 = 𝕜 := by ")
    async with editing(tmp_path) as editor:
        await editor.initialize(capabilities={"general": {"positionEncodings": ["utf-32", "utf-16"]}})
        editor.open("")
        start = {"line": 0, "character": 0}
        editor.change(2, {"range": {"start": start, "end": start}, "text": text})
        editor.change(3, {"range": within_range(1, column, column), "text": "𝕜𝕜"})
        editor.change(4, {"range": within_range(1, column, column + 2), "text": ""})
        result = await editor.ask("tacit/suggest", at(1, column + 2))
        status = await editor.ask("tacit/status")
    assert [each["edit"]["range"] for each in result["suggestions"]] == [within_range(1, column, column + 5)]
    assert status["documents"] == [{"uri": URI, "version": 4}]


async def test_ends_after_shutdown_and_exit_with_status_0(editor: Editor) -> None:
    editor.open(HANGS)
    await editor.logged("prepare")
    assert await editor.shutdown() == 0
    assert_nothing_left(editor)


async def test_shutdown_answers_what_goes_on_before_it_says_goodbye(editor: Editor) -> None:
    editor.open(HANGS)
    _, suggesting = editor.begin("tacit/suggest", at(1, 26))
    await editor.logged("suggest")
    assert await editor.shutdown() == 0
    with pytest.raises(Refusal, match="shutting down"):
        await suggesting
    assert editor.log("closed")


async def test_exit_without_shutdown_has_status_1(editor: Editor) -> None:
    editor.notify("exit")
    assert await editor.gone() == 1


async def test_refuses_requests_after_shutdown(editor: Editor) -> None:
    await editor.ask("shutdown")
    with pytest.raises(Refusal) as refusal:
        await editor.ask("tacit/status")
    assert refusal.value.code == INVALID_REQUEST


@pytest.mark.parametrize("busy", [False, True])
async def test_ends_when_the_pipe_closes(editor: Editor, busy: bool) -> None:
    editor.open(HANGS)
    if busy:
        editor.begin("tacit/suggest", at(1, 26))
        await editor.logged("suggest")
    else:
        await editor.logged("prepare")
    editor.hang_up()
    assert await editor.gone() == 1
    assert_nothing_left(editor)


async def test_ends_when_the_pipe_closes_in_the_middle_of_a_message(editor: Editor) -> None:
    assert editor.process.stdin is not None
    editor.process.stdin.write(b'Content-Length: 100\r\n\r\n{"jsonrpc"')
    editor.hang_up()
    assert await editor.gone() == 1


async def test_ends_when_asked_by_a_signal(editor: Editor) -> None:
    editor.open(HANGS)
    editor.begin("tacit/suggest", at(1, 26))
    await editor.logged("suggest")
    editor.process.send_signal(signal.SIGTERM)
    assert await editor.gone() == 1
    assert_nothing_left(editor)


async def test_ends_when_the_editors_process_dies_and_another_holds_its_pipes(tmp_path: Path) -> None:
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    async with editing(tmp_path) as editor:
        await editor.initialize(processId=owner.pid)
        editor.open(HANGS)
        await editor.logged("prepare")
        owner.kill()
        await owner.wait()
        assert await editor.gone() == 1
        assert_nothing_left(editor)


async def test_lives_on_when_the_editors_process_cannot_be_seen(tmp_path: Path) -> None:
    # As when the editor runs outside the container that the sidecar runs in.
    async with editing(tmp_path) as editor:
        await editor.initialize(processId=2**22 - 3)
        assert (await editor.ask("tacit/status"))["documents"] == []
        assert await editor.shutdown() == 0


async def test_lives_on_when_the_editor_no_longer_reads_but_ends_then(editor: Editor) -> None:
    editor.open(script(["goal"], ["gate", "go"], *[["found", f"exact h{n}"] for n in range(50)]) + "example : by ")
    editor.begin("tacit/suggest", at(1, 13) | {"partialResultToken": "t"})
    await editor.logged("suggest")
    transport = editor.process.stdout._transport  # type: ignore[union-attr]
    transport.close()
    editor.gate("go")
    assert await within(editor.process.wait()) == 1


async def test_what_is_no_message_is_refused_and_forgotten(editor: Editor) -> None:
    not_json = [b"{'no': json}", b'{"jsonrpc": "2.0", "method": ', b"\xff\xfe\x00", b"", b"[" * 100_000]
    not_rpc = [b"[]", b"3", b"null", b'{"id": 7, "method": "tacit/status"}']
    for body in (*not_json, *not_rpc):
        editor.send_bytes(body)
        assert (await editor.ask("tacit/status"))["documents"] == []
    refused = [message["error"]["code"] for message in editor.heard if message.get("id", 0) is None]
    assert refused == [PARSE_ERROR] * len(not_json) + [INVALID_REQUEST] * len(not_rpc)


async def test_bytes_that_are_no_frame_are_passed_over(editor: Editor) -> None:
    assert editor.process.stdin is not None
    editor.process.stdin.write(b"Content-Size: 3\r\nX-Y: z\r\n\r\n")
    editor.process.stdin.write(b"content-length:  2\r\nContent-Type: text/plain\r\n\r\n[]")
    assert (await editor.ask("tacit/status"))["documents"] == []
    assert [m["error"]["code"] for m in editor.heard if m.get("id", 0) is None] == [INVALID_REQUEST]


async def test_an_unknown_request_is_refused_and_an_unknown_notification_passed_over(editor: Editor) -> None:
    editor.notify("tacit/nothing", {"a": 1})
    editor.notify("$/nothing")
    editor.notify("textDocument/didSave", {"textDocument": {"uri": "file:///x"}})
    with pytest.raises(Refusal) as refusal:
        await editor.ask("tacit/nothing", {})
    assert refusal.value.code == METHOD_NOT_FOUND


@pytest.mark.parametrize("number", ["null", "{}", "[1]", "1.5", "1e400", "true"])
async def test_a_request_with_an_id_that_is_none_is_refused(editor: Editor, number: str) -> None:
    editor.send_bytes(b'{"jsonrpc": "2.0", "method": "tacit/status", "id": %s}' % number.encode())
    assert (await editor.ask("tacit/status"))["documents"] == []
    assert [m["error"]["code"] for m in editor.heard if m.get("id", 0) is None] == [INVALID_REQUEST]


@pytest.mark.parametrize("method", ["textDocument/didClose", "initialized", "$/cancelRequest"])
async def test_a_notification_that_is_sent_as_a_request_is_refused_and_not_left_unanswered(
    editor: Editor, method: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        await editor.ask(method, {"textDocument": {"uri": URI}, "id": 1})
    assert refusal.value.code == INVALID_REQUEST


UNUSABLE: list[tuple[str, Any, str]] = [
    ("tacit/suggest", {}, "textDocument: it is required"),
    ("tacit/suggest", None, "params: it must be an object"),
    ("tacit/suggest", {"textDocument": "a", "position": {"line": 0, "character": 0}}, "textDocument.uri: it must be"),
    ("tacit/suggest", at(-1, 0), "position"),
    ("tacit/suggest", at(0, 0) | {"budget": "long"}, "budget: it must be a number"),
    ("tacit/suggest", at(0, 0) | {"budget": -1}, "budget must be a number of seconds above 0"),
    ("tacit/suggest", at(0, 0) | {"limit": 0}, "limit must be a whole number from 1 up"),
    ("tacit/suggest", at(0, 0, "file:///elsewhere.lean"), "is not open in the editor"),
    ("textDocument/inlineCompletion", {"position": {"line": 0}}, "cannot be used"),
    ("textDocument/codeAction", {"range": 3}, "cannot be used"),
    ("workspace/executeCommand", {"command": "tacit.closeGoal"}, "takes one argument"),
    (
        "workspace/executeCommand",
        {"command": "tacit.closeGoal", "arguments": [{"uri": "x"}]},
        "position: it is required",
    ),
    ("workspace/executeCommand", {"command": "tacit.closeGoal", "arguments": [3]}, "an object {uri, position}"),
    ("workspace/executeCommand", {"command": "tacit.fly", "arguments": []}, "not one of Tacit's"),
]


async def test_parameters_that_cannot_be_used_are_refused_in_one_sentence(editor: Editor) -> None:
    editor.open("theorem foo : 1 = 1 := by ")
    for method, params, sentence in UNUSABLE:
        with pytest.raises(Refusal) as refusal:
            await editor.ask(method, params)
        assert refusal.value.code == INVALID_PARAMS
        assert sentence in refusal.value.message
        assert "\n" not in refusal.value.message
    assert not editor.said("window/showMessage"), "the answer says it; no window pops up"


async def test_waits_for_initialize(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        editor.open("theorem foo : 1 = 1 := by ")
        with pytest.raises(Refusal) as refusal:
            await editor.ask("tacit/status")
        assert refusal.value.code == NOT_INITIALIZED
        await editor.initialize()
        with pytest.raises(Refusal) as again:
            await editor.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        assert again.value.code == INVALID_REQUEST
        assert (await editor.ask("tacit/status"))["documents"] == []


async def test_whatever_prints_reaches_standard_error(editor: Editor) -> None:
    editor.open(script(["goal"], ["print", "NOISE"], ["found", "rfl"]) + "example : 1 = 1 := by ")
    result = await editor.ask("tacit/suggest", at(1, 22))
    assert [item["tactic"] for item in result["suggestions"]] == ["rfl"]
    await editor.shutdown()
    assert editor.garbage == b""
    assert editor.stderr.count(b"NOISE") == 3


async def test_children_do_not_read_what_the_editor_writes(editor: Editor) -> None:
    editor.open("example : 1 = 1 := by ")
    pid = (await editor.logged("built"))["child"]
    assert not str(Path(f"/proc/{pid}/fd/0").readlink()).startswith("pipe:")  # noqa: ASYNC240


def assert_nothing_left(editor: Editor) -> None:
    children = [entry["child"] for entry in editor.log("built")]
    assert children
    assert editor.log("aclose")
    assert not [child for child in children if alive(child)]
