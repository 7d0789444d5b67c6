"""The sidecar's copy of a document is the editor's, to the character, whatever stands in it."""

from __future__ import annotations

import pytest

from tests.protocol.editor import URI, Editor, at, script, within_range
from tests.protocol.test_answers import inline

# Characters at which Python's `splitlines` breaks a line, and LSP does not.
NO_LINE_ENDS = "\u2028 \u2029 \u0085 \x0b \x0c \x1c \x1d \x1e"


async def text_of(editor: Editor, line: int, character: int) -> tuple[str, int, int]:
    """What the suggester sees: the text, and the place in code points."""
    before = len(editor.log("suggest"))
    await editor.ask("tacit/suggest", at(line, character))
    seen = editor.log("suggest")[before:]
    assert len(seen) == 1
    return seen[0]["text"], seen[0]["line"], seen[0]["column"]


async def test_columns_are_utf16_outside_and_code_points_inside(editor: Editor) -> None:
    text = script(["goal"], ["found", "exact (𝕜 : Type)"]) + "theorem 𝓝 (𝕜 : Type) : 𝕜 = 𝕜 := by sorry"
    editor.open(text)
    column = len(text.split("\n")[1]) - len("sorry")
    result = await editor.ask("tacit/suggest", at(1, column + 4))  # 𝓝 and three 𝕜 are two units each
    assert [entry["column"] for entry in editor.log("suggest")] == [column]
    [item] = result["suggestions"]
    assert item["edit"] == {"range": within_range(1, column + 4, column + 9), "newText": "exact (𝕜 : Type)"}


async def test_a_column_inside_a_character_is_at_its_beginning(editor: Editor) -> None:
    editor.open(script(["goal"]) + "𝕜𝕜")
    assert (await text_of(editor, 1, 3))[1:] == (1, 1)


async def test_edits_with_characters_outside_the_basic_plane(editor: Editor) -> None:
    editor.open(script(["goal"]) + "example : 𝕜 = 𝓝 := by ")
    editor.change(2, {"range": within_range(1, 10, 12), "text": "𝔸"}, {"range": within_range(1, 15, 17), "text": "b"})
    assert (await text_of(editor, 1, 3))[0].split("\n")[1] == "example : 𝔸 = b := by "


async def test_lines_end_where_lsp_ends_them(editor: Editor) -> None:
    editor.open(script(["goal"]) + f"-- {NO_LINE_ENDS} end\nexample : 1 = 1 := by ")
    editor.change(2, {"range": within_range(2, 14, 15), "text": "2"}, {"range": within_range(1, 0, 3), "text": "--- "})
    text, line, column = await text_of(editor, 2, 22)
    assert text.split("\n")[1:] == [f"--- {NO_LINE_ENDS} end", "example : 1 = 2 := by "]
    assert (line, column) == (2, 22)


async def test_ghost_text_below_a_line_separator_stands_on_the_right_line(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "rfl"]) + f"-- {NO_LINE_ENDS}\nexample : 1 = 1 := by ")
    [item] = (await editor.ask("textDocument/inlineCompletion", inline(2, 22)))["items"]
    assert item["range"] == within_range(2, 22, 22)


async def test_windows_line_ends(editor: Editor) -> None:
    editor.open(script(["goal"]) + "one\r\ntwo\r\nthree")
    # A column past the end is the end of the line, which is before the CR.
    editor.change(2, {"range": within_range(1, 3, 999), "text": "!"}, {"range": within_range(2, 0, 0), "text": "a\r\n"})
    text, line, column = await text_of(editor, 4, 2)
    assert text.split("\n", 1)[1] == "one!\r\na\r\ntwo\r\nthree"
    assert (line, column) == (4, 2)


async def test_a_lone_carriage_return_ends_a_line_for_the_editor_only(editor: Editor) -> None:
    editor.open(script(["goal"]) + "one\rtwo")
    editor.change(2, {"range": within_range(2, 0, 3), "text": "2"})
    text, line, column = await text_of(editor, 2, 1)
    assert text.split("\n", 1)[1] == "one\r2"
    assert (line, column) == (1, 5), "Lean counts on"


async def test_places_past_the_end_are_clamped(editor: Editor) -> None:
    editor.open(script(["goal"]) + "one\n")
    editor.change(2, {"range": within_range(99, 0, 5, end_line=100), "text": "two"})
    text, line, column = await text_of(editor, 50, 50)
    assert text.split("\n", 1)[1] == "one\ntwo"
    assert (line, column) == (2, 3)


async def test_a_change_of_the_whole_text(editor: Editor) -> None:
    editor.open(script(["goal"]) + "one")
    editor.change(2, {"text": script(["goal"]) + "two\n"}, {"range": within_range(1, 0, 3), "text": "three"})
    assert (await text_of(editor, 1, 0))[0].split("\n", 1)[1] == "three\n"


async def test_an_empty_document_and_one_without_a_line_end(editor: Editor) -> None:
    editor.open("")
    assert await text_of(editor, 0, 0) == ("", 0, 0)
    editor.change(2, {"range": within_range(0, 0, 0), "text": "a\n"}, {"range": within_range(1, 0, 0), "text": "b"})
    assert await text_of(editor, 1, 1) == ("a\nb", 1, 1)


async def test_an_edit_of_a_document_that_is_not_open_is_passed_over(editor: Editor) -> None:
    editor.change(2, {"text": "x"})
    editor.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    editor.open("a", version=3)
    assert (await editor.ask("tacit/status"))["documents"] == [{"uri": URI, "version": 3}]


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "file:///c%3A/Lean/Foo.lean", "vscode-vfs://github/a/B.lean"])
async def test_documents_of_any_scheme(editor: Editor, uri: str) -> None:
    editor.open(script(["goal"], ["found", "rfl"]) + "example : 1 = 1 := by sorry", uri=uri)
    [action] = await editor.ask(
        "textDocument/codeAction",
        {"textDocument": {"uri": uri}, "range": within_range(1, 24, 24), "context": {"diagnostics": []}},
    )
    assert action["edit"]["documentChanges"][0]["textDocument"]["uri"] == uri
