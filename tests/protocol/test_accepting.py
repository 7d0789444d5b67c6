"""A suggestion that was taken is told to what learns from it; what was not is not."""

from __future__ import annotations

import asyncio

from tests.protocol.editor import Editor, at, script, within_range
from tests.protocol.test_answers import inline

TEXT = script(["goal"], ["found", "rfl"], ["found", "simp"]) + "theorem t (n : Nat) : n = n := by "
COLUMN = 34


async def offered(editor: Editor) -> None:
    editor.open(TEXT)
    await editor.ask("textDocument/inlineCompletion", inline(1, COLUMN))


async def test_what_was_taken_is_learned_with_its_goal(editor: Editor) -> None:
    await offered(editor)
    editor.change(2, {"range": within_range(1, COLUMN, COLUMN), "text": "rfl"})
    accepted = await editor.logged("accepted")
    assert accepted["tactic"] == "rfl"
    assert accepted["goal"].endswith("⊢ 𝕜 + n = n + 𝕜")


async def test_what_is_typed_key_by_key_is_taken_when_it_is_whole(editor: Editor) -> None:
    await offered(editor)
    for number, key in enumerate("simp"):
        editor.change(2 + number, {"range": within_range(1, COLUMN + number, COLUMN + number), "text": key})
    accepted = await editor.logged("accepted")
    assert accepted["tactic"] == "simp"


async def test_another_text_is_not_learned(editor: Editor) -> None:
    await offered(editor)
    editor.change(2, {"range": within_range(1, COLUMN, COLUMN), "text": "omega"})
    editor.change(3, {"range": within_range(0, 0, 0), "text": "-- above\n"})
    await editor.ask("tacit/suggest", at(2, COLUMN))
    await asyncio.sleep(0)
    assert editor.log("accepted") == []
