"""A client that was written by others reads every answer: pygls', which knows the types of LSP 3.18."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.lsp.client import LanguageClient

from tests.protocol.editor import FAKE, ROOT, URI, script, within

TEXT = script(["goal"], ["found", "rfl"], ["found", "intro h", {"verdict": "progresses", "left": 1}]) + "example : by "


async def test_a_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TACIT_FAKE_LOG", str(tmp_path / "log"))
    client = LanguageClient("test", "1")
    edits: list[types.ApplyWorkspaceEditParams] = []

    def apply(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        edits.append(params)
        return types.ApplyWorkspaceEditResult(applied=True)

    client.feature(types.WORKSPACE_APPLY_EDIT)(apply)
    await client.start_io(sys.executable, str(FAKE), cwd=ROOT)
    workspace = types.WorkspaceClientCapabilities(
        apply_edit=True, workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=True)
    )
    hello = types.InitializeParams(types.ClientCapabilities(workspace=workspace))
    answer = await within(client.initialize_async(hello))
    assert isinstance(answer.capabilities.inline_completion_provider, types.InlineCompletionOptions)
    client.initialized(types.InitializedParams())
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(URI, "lean4", 1, TEXT)))

    document, position = types.TextDocumentIdentifier(URI), types.Position(1, 13)
    context = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic)
    ghost = await within(
        client.text_document_inline_completion_async(types.InlineCompletionParams(context, document, position))
    )
    assert isinstance(ghost, types.InlineCompletionList)
    assert [item.insert_text for item in ghost.items] == ["rfl", "intro h"]

    where = types.Range(position, position)
    asked = types.CodeActionParams(document, where, types.CodeActionContext([]))
    actions = await within(client.text_document_code_action_async(asked))
    assert [(action.title, action.kind) for action in actions] == [
        ("Try this: rfl", types.CodeActionKind.QuickFix),
        ("Try this: intro h (1 goal left)", types.CodeActionKind.RefactorRewrite),
    ]

    argument = {"uri": URI, "position": {"line": 1, "character": 13}}
    command = types.ExecuteCommandParams("tacit.closeGoal", [argument])
    closed = await within(client.workspace_execute_command_async(command))
    assert closed["applied"] is True
    assert edits[0].edit.document_changes

    await within(client.shutdown_async(None))
    client.exit(None)
    await within(client.stop())  # type: ignore[no-untyped-call]
