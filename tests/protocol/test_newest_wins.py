"""Who waits for what when several things are asked at once. Told by what the suggester was asked and by order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.protocol.editor import URI, Editor, Refusal, at, script, within, within_range
from tests.protocol.test_answers import ENDS_LINE, ON_SORRY, STEP, action, inline

CANCELLED, CONTENT_MODIFIED, SERVER_CANCELLED = -32800, -32801, -32802
HANGS = script(["goal"], ["hang"])
TWO = "theorem foo : 1 = 1 := by sorry\ntheorem bar : 2 = 2 := by sorry\n"
INSERT = {"range": within_range(0, 0, 0), "text": "-- \n"}


async def test_a_newer_request_ends_the_older(editor: Editor) -> None:
    editor.open(HANGS + TWO)
    _, first = editor.begin("tacit/suggest", at(1, 28))
    await editor.logged("suggest", line=1)
    _, second = editor.begin("tacit/suggest", at(2, 28))
    with pytest.raises(Refusal) as refusal:
        await within(first)
    assert refusal.value.code == SERVER_CANCELLED
    assert not second.done()
    await editor.logged("suggest", line=2)
    order = [(entry["event"], entry.get("line")) for entry in editor.log() if "line" in entry]
    assert order == [("suggest", 1), ("closed", 1), ("suggest", 2)], "Lean was free before the next began"


async def test_the_older_is_answered_before_lean_has_let_go(editor: Editor) -> None:
    editor.open(script(["goal"], ["stubborn", 30]) + TWO)
    _, first = editor.begin("tacit/suggest", at(1, 28))
    await editor.logged("suggest", line=1)
    _, second = editor.begin("tacit/suggest", at(2, 28))
    with pytest.raises(Refusal):
        await within(first)
    await editor.logged("suggest", line=2)
    assert not editor.log("closed"), "a Lean that does not let go holds nobody up for long"
    assert not second.done()


async def test_a_cancelled_request_frees_lean(editor: Editor) -> None:
    editor.open(HANGS + ON_SORRY)
    for method, params in (
        ("tacit/suggest", at(1, 28)),
        ("textDocument/inlineCompletion", inline(1, 28)),
        ("textDocument/codeAction", action(1, 28)),
        (
            "workspace/executeCommand",
            {"command": "tacit.closeGoal", "arguments": [{"uri": URI, "position": {"line": 1, "character": 28}}]},
        ),
    ):
        before = len(editor.log("closed"))
        number, asked = editor.begin(method, params)
        await editor.logged_times("suggest", before + 1)
        editor.cancel(number)
        with pytest.raises(Refusal) as refusal:
            await within(asked)
        assert refusal.value.code == CANCELLED
        await editor.logged_times("closed", before + 1)
    assert (await editor.ask("tacit/status"))["requests"] == []


async def test_cancelling_one_of_two_who_share_leaves_the_other(editor: Editor) -> None:
    editor.open(script(["goal"], ["gate", "go"], ["found", "rfl"]) + ON_SORRY)
    number, one = editor.begin("textDocument/codeAction", action(1, 28))
    await editor.logged("suggest")
    _, other = editor.begin("tacit/suggest", at(1, 27))
    assert [each["waiting"] for each in (await editor.ask("tacit/status"))["requests"]] == [2]
    editor.cancel(number)
    with pytest.raises(Refusal):
        await within(one)
    editor.gate("go")
    assert [item["tactic"] for item in (await within(other))["suggestions"]] == ["rfl"]
    assert len(editor.log("suggest")) == 1


async def test_all_kinds_share_one_computation_for_one_hole(editor: Editor) -> None:
    editor.notify("workspace/didChangeConfiguration", {"settings": {"tacit.codeAction.wait": 15}})
    editor.open(script(["goal"], ["gate", "go"], ["found", " rfl"], ["found", "simp", STEP]) + ENDS_LINE)
    _, ghost = editor.begin("textDocument/inlineCompletion", inline(1, 26))
    _, bulb = editor.begin("textDocument/codeAction", action(1, 26, triggerKind=2))
    _, panel = editor.begin("tacit/suggest", at(1, 26))
    await editor.logged("suggest")
    assert [each["waiting"] for each in (await editor.ask("tacit/status"))["requests"]] == [3]
    editor.gate("go")
    assert [item["insertText"] for item in (await within(ghost))["items"]] == [" rfl", "simp"]
    assert [each["title"] for each in await within(bulb)] == ["Try this: rfl", "Try this: simp (2 goals left)"]
    assert [item["tactic"] for item in (await within(panel))["suggestions"]] == [" rfl", "simp"]
    assert len(editor.log("suggest")) == 1


async def test_a_panel_shares_the_work_of_ghost_text_where_a_tactic_is_half_typed(editor: Editor) -> None:
    editor.open(script(["goal"], ["gate", "go"], ["found", "rfl"]) + f"{ENDS_LINE}r")
    editor.begin("textDocument/inlineCompletion", inline(1, 27))
    await editor.logged("suggest")
    _, panel = editor.begin("tacit/suggest", at(1, 27) | {"asTyped": True})
    editor.gate("go")
    assert [item["tactic"] for item in (await within(panel))["suggestions"]] == ["rfl"]
    assert len(editor.log("suggest")) == 1


async def test_an_answer_is_kept_for_who_asks_next(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "rfl"]) + ON_SORRY)
    await editor.ask("tacit/suggest", at(1, 28))
    for character in (26, 31):
        assert await editor.ask("textDocument/codeAction", action(1, character))
    assert (await editor.ask("tacit/suggest", at(1, 31)))["suggestions"]
    assert len(editor.log("suggest")) == 1


async def test_what_ghost_text_found_is_there_for_the_lightbulb_even_when_it_ended_early(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "rfl"], ["hang"]) + ENDS_LINE)
    await editor.ask("textDocument/inlineCompletion", inline(1, 26))
    await editor.logged("closed")  # nobody asked again, so Lean was freed
    assert [each["title"] for each in await editor.ask("textDocument/codeAction", action(1, 26))] == ["Try this: rfl"]
    assert len(editor.log("suggest")) == 1


async def test_an_answer_that_failed_is_not_kept(editor: Editor) -> None:
    editor.open(script(["goal"], ["finish", "Lean hiccuped."]) + ON_SORRY)
    for _ in range(2):
        assert (await editor.ask("tacit/suggest", at(1, 28)))["notice"] == "Lean hiccuped."
    assert len(editor.log("suggest")) == 2


async def test_what_took_too_long_is_tried_again_when_the_user_asks_but_not_by_itself(editor: Editor) -> None:
    editor.open(script(["goal"], ["finish", "Stopped after 10 s.", 10.5]) + ON_SORRY)
    for _ in range(2):
        assert await editor.ask("textDocument/codeAction", action(1, 28, triggerKind=2)) == []
    assert len(editor.log("suggest")) == 1
    assert (await editor.ask("tacit/suggest", at(1, 28)))["notice"] == "Stopped after 10 s."
    assert len(editor.log("suggest")) == 2


async def test_more_time_is_a_new_question_but_less_is_not(editor: Editor) -> None:
    editor.open(HANGS + ON_SORRY)
    _, short = editor.begin("tacit/suggest", at(1, 28) | {"budget": 20})
    await editor.logged("suggest", budget=20)
    _, shorter = editor.begin("tacit/suggest", at(1, 28) | {"budget": 15})
    _, longer = editor.begin("tacit/suggest", at(1, 28) | {"budget": 25})
    for asked in (short, shorter):
        with pytest.raises(Refusal):
            await within(asked)
    await editor.logged("suggest", budget=25)
    assert len(editor.log("suggest")) == 2
    assert not longer.done()


async def test_a_half_typed_tactic_is_another_question_than_a_whole_one(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "simp"]) + "theorem foo : 1 = 1 := by\n  sim")
    await editor.ask("textDocument/inlineCompletion", inline(2, 5))
    await editor.ask("tacit/suggest", at(2, 5))
    assert len(editor.log("suggest")) == 2


async def test_the_lightbulb_ends_nothing_that_somebody_waits_for(editor: Editor) -> None:
    editor.open(script(["goal"], ["gate", "go"], ["found", "rfl"]) + TWO)
    _, panel = editor.begin("tacit/suggest", at(1, 28))
    await editor.logged("suggest")
    assert await editor.ask("textDocument/codeAction", action(2, 28, triggerKind=2)) == []
    editor.gate("go")
    assert (await within(panel))["suggestions"]
    assert await editor.ask("textDocument/codeAction", action(2, 28, triggerKind=2))


async def test_documents_do_not_disturb_each_other(editor: Editor) -> None:
    editor.open(script(["goal"], ["gate", "go"], ["found", "rfl"]) + ON_SORRY)
    editor.open(script(["goal"], ["found", "simp"]) + ON_SORRY, uri="file:///project/Bar.lean")
    _, first = editor.begin("tacit/suggest", at(1, 28))
    await editor.logged("suggest")
    assert (await editor.ask("tacit/suggest", at(1, 28, "file:///project/Bar.lean")))["suggestions"]
    editor.change(2, INSERT, uri="file:///project/Bar.lean")
    editor.gate("go")
    assert (await within(first))["suggestions"]


async def test_an_edit_ends_everything_asked_of_the_document(editor: Editor) -> None:
    editor.open(HANGS + ON_SORRY)
    close = {"command": "tacit.closeGoal", "arguments": [{"uri": URI, "position": {"line": 1, "character": 28}}]}
    _, panel = editor.begin("tacit/suggest", at(1, 28))
    _, ghost = editor.begin("textDocument/inlineCompletion", inline(1, 28))
    _, bulb = editor.begin("textDocument/codeAction", action(1, 28))
    _, command = editor.begin("workspace/executeCommand", close)
    await editor.logged("suggest")
    editor.change(2, INSERT)
    with pytest.raises(Refusal) as refusal:
        await within(panel)
    assert refusal.value.code == CONTENT_MODIFIED
    assert await within(ghost) == {"items": []}
    assert await within(bulb) == []
    answer = await within(command)
    assert (answer["applied"], answer["tactic"]) == (False, None)
    assert answer["sentence"] == "The document changed while Tacit was searching, so nothing was inserted."
    await editor.logged("closed")


async def test_nothing_found_for_an_old_version_is_ever_shown(editor: Editor) -> None:
    # The answer is ready and the edit comes in the same breath: whichever is read first, no old edit goes out after.
    for version in range(1, 21):
        name = f"go{version}"
        editor.open(script(["goal"], ["gate", name], ["found", "rfl"], ["finish", ""]) + ON_SORRY, version=2 * version)
        number, asked = editor.begin("tacit/suggest", at(1, 28) | {"partialResultToken": version})
        await editor.logged("suggest", version=2 * version)
        editor.gate(name)
        await asyncio.sleep(version / 2000)
        editor.change(2 * version + 1, INSERT)
        # The answer to a question asked after the edit shows that the edit was read.
        marker, status = editor.begin("tacit/status")
        await within(status)
        numbers = [message.get("id") for message in editor.heard]
        answer: Any = (await asyncio.gather(within(asked), return_exceptions=True))[0]
        if isinstance(answer, Refusal):
            assert answer.code == CONTENT_MODIFIED
        else:
            assert {item["version"] for item in answer["suggestions"]} == {2 * version}
            assert numbers.index(number) < numbers.index(marker)
        shown = [
            place
            for place, message in enumerate(editor.heard)
            if message.get("method") == "$/progress" and message["params"]["token"] == version
        ]
        assert all(place < numbers.index(marker) for place in shown)


async def test_closing_a_document_ends_what_was_asked_of_it_and_gives_its_lean_back(editor: Editor) -> None:
    editor.open(HANGS + ON_SORRY)
    _, asked = editor.begin("tacit/suggest", at(1, 28))
    await editor.logged("suggest")
    editor.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    with pytest.raises(Refusal) as refusal:
        await within(asked)
    assert refusal.value.code == CONTENT_MODIFIED
    await editor.logged("forget", uri=URI)
    status = await editor.ask("tacit/status")
    assert (status["documents"], status["requests"]) == ([], [])


async def test_documents_are_prepared_when_opened_and_after_edits(editor: Editor) -> None:
    editor.open(ON_SORRY)
    await editor.logged("prepare", version=1)
    for version in range(2, 12):
        editor.change(version, INSERT)
    await editor.logged("prepare", version=11)
    assert len(editor.log("prepare")) <= 4, "a burst of edits is one preparation, give or take a slow machine"
