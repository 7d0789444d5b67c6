"""A sidecar that says the same whatever the file holds: the harness tests itself and the extension with it.

`exact rfl` as ghost text after `by`; the quick fix `Try this: trivial` on each `sorry`; the command `tacit.closeGoal`
replaces the `sorry` under the cursor by `decide`, with progress, and tells of others; `tacit/status` answers;
`tacit/search` finds one lemma, whose statement is the question; the workspace has one symbol; `tacit/suggest`
knows a goal, and its log says that it was asked; the rest is pygls's.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

GHOST = "exact rfl"
TRY_THIS = "trivial"
CLOSES = "decide"
OTHERS = ("constructor", "show True\n  trivial")
LEMMA = "Fake.lemma_of_all"

server = LanguageServer("fake-sidecar", "0")


def sorry_at(uri: str, line: int) -> types.Range | None:
    """The first `sorry` on a line."""
    match = re.search(r"\bsorry\b", server.workspace.get_text_document(uri).lines[line])
    return match and types.Range(types.Position(line, match.start()), types.Position(line, match.end()))


@server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
def inline_completion(params: types.InlineCompletionParams) -> list[types.InlineCompletionItem]:
    line = server.workspace.get_text_document(params.text_document.uri).lines[params.position.line]
    here = types.Range(params.position, params.position)
    typed = line[: params.position.character]
    if not re.search(r":= by *$", typed):
        return []
    text = GHOST if typed.endswith(" ") else f" {GHOST}"
    return [types.InlineCompletionItem(insert_text=text, range=here)]


@server.feature(
    types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
)
def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
    uri = params.text_document.uri
    place = sorry_at(uri, params.range.start.line)
    if place is None:
        return []
    edit = types.WorkspaceEdit(changes={uri: [types.TextEdit(place, TRY_THIS)]})
    return [types.CodeAction(f"Try this: {TRY_THIS}", kind=types.CodeActionKind.QuickFix, edit=edit)]


@server.command("tacit.closeGoal")
async def close_goal(argument: Any) -> dict[str, Any]:
    place = sorry_at(argument["uri"], argument["position"]["line"])
    await asyncio.sleep(0.5)
    if place is None:
        return {
            "applied": False,
            "tactic": None,
            "sentence": f"There is no goal on line {argument['position']['line'] + 1}.",
        }
    edit = types.WorkspaceEdit(changes={argument["uri"]: [types.TextEdit(place, CLOSES)]})
    done = await server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit))
    line, column = place.start.line, place.start.character
    stands = {"start": {"line": line, "character": column}, "end": {"line": line, "character": column + len(CLOSES)}}
    proofs = [{"tactic": each, "newText": each, "source": "fake", "axioms": []} for each in (CLOSES, *OTHERS)]
    answer = {"applied": done.applied, "tactic": CLOSES, "sentence": f"Closed with {CLOSES}."}
    return {**answer, "range": stands, "proofs": proofs}


@server.feature("tacit/suggest")
def suggest(params: Any) -> dict[str, Any]:
    print(f"suggestions for line {params.position.line + 1}", file=sys.stderr, flush=True)  # the extension logs it
    goal: dict[str, Any] = {"target": "1 = 1", "hypotheses": [], "tag": None, "text": "⊢ 1 = 1"}
    return {"goals": [goal], "suggestions": [], "checked": 0, "elapsed": 0.0, "notice": ""}


@server.feature("tacit/search")
def search(params: Any) -> dict[str, Any]:
    nowhere = {"line": 0, "character": 0}
    hit = {
        "name": LEMMA,
        "kind": "theorem",
        "module": "Fake",
        "statement": params.text,
        "doc": "",
        "location": {"uri": "file:///nowhere.lean", "range": {"start": nowhere, "end": nowhere}},
        "usable": True,
        "import": None,
    }
    return {"hits": [hit], "elapsed": 0.0, "total": 1, "notice": ""}


@server.feature(types.WORKSPACE_SYMBOL)
def symbols(params: types.WorkspaceSymbolParams) -> list[types.WorkspaceSymbol]:
    here = types.Location("file:///nowhere.lean", types.Range(types.Position(0, 0), types.Position(0, 0)))
    return [types.WorkspaceSymbol(here, LEMMA, types.SymbolKind.Method)]


@server.feature("tacit/status")
def status(_: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "lean": {"state": "ready", "version": "4.0.0", "sentence": "Lean 4.0.0 is ready."},
        "model": {"state": "starting", "name": "tiny", "sentence": "tiny, as `tacit models use` says."},
    }


if __name__ == "__main__":
    server.start_io()
