"""`tacit.closeGoal`: one step from a click to a finished proof, or to a sentence that says why not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.editor import NO_ANSWER, URI, Editor, Message, at, script, within, within_range
from tests.protocol.test_answers import ON_SORRY, STEP


def command(line: int = 1, character: int = 28, **more: Any) -> Message:
    where = {"uri": URI, "position": {"line": line, "character": character}}
    return {"command": "tacit.closeGoal", "arguments": [where | more]}


async def close(editor: Editor, **more: Any) -> tuple[bool, str | None, str]:
    answer = await editor.ask("workspace/executeCommand", command(**more))
    return answer["applied"], answer["tactic"], answer["sentence"]


async def test_closes_a_goal_with_a_versioned_edit(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "intro h", STEP], ["found", "rfl"], ["hang"]) + ON_SORRY, version=7)
    assert await close(editor) == (True, "rfl", "Closed the goal with `rfl`.")
    [applied] = editor.said("workspace/applyEdit")
    assert applied["edit"]["documentChanges"] == [
        {"textDocument": {"uri": URI, "version": 7}, "edits": [{"range": within_range(1, 26, 31), "newText": "rfl"}]}
    ]
    await editor.logged("closed")


async def test_closes_at_once_what_was_found_before(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "rfl"]) + ON_SORRY)
    await editor.ask("tacit/suggest", at(1, 28))
    assert await close(editor, character=31) == (True, "rfl", "Closed the goal with `rfl`.")
    assert len(editor.log("suggest")) == 1


async def test_joins_what_goes_on_at_the_same_place(editor: Editor) -> None:
    editor.open(script(["goal"], ["gate", "go"], ["found", "rfl"]) + ON_SORRY)
    _, panel = editor.begin("tacit/suggest", at(1, 28))
    await editor.logged("suggest")
    _, closing = editor.begin("workspace/executeCommand", command())
    await editor.until(lambda: editor.said("$/progress"))
    editor.gate("go")
    assert (await within(closing))["applied"] is True
    assert (await within(panel))["suggestions"]
    assert len(editor.log("suggest")) == 1


async def test_searches_on_when_what_it_joined_found_too_little(editor: Editor) -> None:
    steps = [["found", f"intro h{n}", STEP] for n in range(10)]
    editor.open(script(["goal"], ["gate", "go"], *steps) + ON_SORRY)
    editor.begin("tacit/suggest", at(1, 28))
    await editor.logged("suggest")
    _, closing = editor.begin("workspace/executeCommand", command())
    await editor.until(lambda: editor.said("$/progress"))
    editor.gate("go")
    assert (await within(closing))["sentence"] == "None of the 10 tactics tried closes this goal."
    assert len(editor.log("suggest")) == 2


async def test_a_goal_closed_in_an_unfinished_proof_is_told_as_such(editor: Editor) -> None:
    note = {"verdict": "progresses", "note": "The declaration still has a `sorry` elsewhere.", "verified": False}
    editor.open(script(["goal"], ["found", "rfl", note], ["hang"]) + ON_SORRY)
    sentence = "Closed the goal with `rfl`. The declaration still has a `sorry` elsewhere."
    assert await close(editor) == (True, "rfl", sentence)


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([["goal"], ["batch", 30]], "None of the 30 tactics tried closes this goal."),
        ([["goal"]], "There was no tactic to try here."),
        (
            [["goal"], ["batch", 9], ["finish", "A source failed."]],
            "None of the 9 tactics tried closes this goal. A source failed.",
        ),
        ([["goal"], ["found", "rfl", {"verified": False}], ["hang"]], "No proof found in 0.1 s."),
        ([["raise", "NoGoal", "There is no goal here."]], "There is no goal here."),
        ([["goal"], ["raise", "LeanDied", "Lean died."]], "Lean died."),
        ([["goal"], ["raise", "ValueError", "bug"]], "Something went wrong inside Tacit; its log says what."),
    ],
)
async def test_says_why_nothing_was_inserted(editor: Editor, steps: list[Any], sentence: str) -> None:
    editor.open(script(*steps) + ON_SORRY)
    assert await close(editor, budget=0.1) == (False, None, sentence)
    assert not editor.said("workspace/applyEdit")
    assert len(editor.log("suggest")) == 1


async def test_says_that_the_editor_did_not_take_the_edit(editor: Editor) -> None:
    editor.answers["workspace/applyEdit"] = {"applied": False, "failureReason": "The file is read-only."}
    editor.open(script(["goal"], ["found", "rfl"]) + ON_SORRY)
    assert await close(editor) == (False, "rfl", "The editor did not take the edit: The file is read-only.")


async def test_an_older_version_is_not_searched(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "rfl"]) + ON_SORRY, version=3)
    sentence = "The document changed while Tacit was searching, so nothing was inserted."
    assert await close(editor, version=2) == (False, None, sentence)
    assert not editor.log("suggest")


async def test_shows_progress_and_ends_it(editor: Editor) -> None:
    editor.open(script(["goal"], ["gate", "shown"], ["batch", 5], ["batch", 1], ["found", "rfl"]) + ON_SORRY)
    _, closing = editor.begin("workspace/executeCommand", command())
    await editor.until(lambda: editor.said("$/progress"))
    editor.gate("shown")
    assert (await within(closing))["applied"] is True
    [created] = editor.said("window/workDoneProgress/create")
    values = [each["value"] for each in editor.said("$/progress") if each["token"] == created["token"]]
    assert [value["kind"] for value in values] == ["begin", "report", "report", "end"]
    assert values[0]["cancellable"] is True
    assert [value["message"] for value in values[1:3]] == ["5 tactics tried", "6 tactics tried"]


async def test_uses_the_progress_token_of_the_request(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "rfl"]) + ON_SORRY)
    await editor.ask("workspace/executeCommand", command() | {"workDoneToken": 42})
    assert [(each["token"], each["value"]["kind"]) for each in editor.said("$/progress")] == [
        (42, "begin"),
        (42, "end"),
    ]
    assert not editor.said("window/workDoneProgress/create")


async def test_the_user_can_cancel_it_in_the_progress_message(editor: Editor) -> None:
    editor.open(script(["goal"], ["hang"]) + ON_SORRY)
    _, closing = editor.begin("workspace/executeCommand", command())
    await editor.until(lambda: editor.said("$/progress"))
    editor.notify("window/workDoneProgress/cancel", {"token": editor.said("$/progress")[0]["token"]})
    answer = await within(closing)
    assert (answer["applied"], answer["sentence"]) == (False, "Cancelled; nothing was inserted.")
    assert editor.said("$/progress")[-1]["value"]["kind"] == "end"
    await editor.logged("closed")


async def test_waits_for_no_editor_that_makes_no_place_for_progress(editor: Editor) -> None:
    editor.answers["window/workDoneProgress/create"] = NO_ANSWER
    editor.open(script(["goal"], ["found", "rfl"]) + ON_SORRY)
    assert (await close(editor))[0] is True
    assert not editor.said("$/progress")


async def test_other_proofs_come_with_the_one_that_was_put_in(editor: Editor) -> None:
    editor.open(script(["goal"], ["proved", "constructor\n  exact 𝕜", ["simp", "exact h 𝕜"]]) + ON_SORRY)
    answer = await editor.ask("workspace/executeCommand", command())
    assert answer["applied"] is True
    assert answer["sentence"].endswith("`. 2 other proofs were found.")
    assert [each["tactic"] for each in answer["proofs"]] == ["constructor\n  exact 𝕜", "simp", "exact h 𝕜"]
    assert answer["proofs"][1] == {"tactic": "simp", "newText": "simp", "source": "fixed", "axioms": ["propext"]}
    # Where the first now stands: two lines, and 𝕜 is two units of UTF-16.
    assert answer["range"] == {"start": {"line": 1, "character": 26}, "end": {"line": 2, "character": 10}}


async def test_one_proof_has_no_others(editor: Editor) -> None:
    editor.open(script(["goal"], ["proved", "rfl", []]) + ON_SORRY)
    answer = await editor.ask("workspace/executeCommand", command())
    assert (answer["applied"], answer["range"], answer["proofs"]) == (True, None, [])


async def test_simp_only_is_asked_for_and_not_taken_from_what_was_found_without(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "simp"]) + ON_SORRY)
    await editor.ask("tacit/suggest", at(1, 28))
    editor.notify("workspace/didChangeConfiguration", {"settings": {"tacit": {"prove": {"simpOnly": True}}}})
    assert await close(editor) == (True, "simp", "Closed the goal with `simp`.")
    assert [each.get("simp_only", False) for each in editor.log("suggest")] == [False, True]


# ---------------------------------------------------------------------------------------------- for plain LSP clients

CLOSE = "Close this goal: search for a proof"


def actions_at(line: int, character: int) -> Message:
    place = at(line, character)["position"]
    return {"textDocument": {"uri": URI}, "range": {"start": place, "end": place}, "context": {"diagnostics": []}}


async def offered(editor: Editor, line: int = 1, character: int = 28) -> list[Message]:
    actions: list[Message] = await editor.ask("textDocument/codeAction", actions_at(line, character))
    return actions


async def test_a_code_action_closes_the_goal_where_the_editor_asks_for_one(editor: Editor) -> None:
    editor.notify("workspace/didChangeConfiguration", {"settings": {"tacit": {"codeAction": {"closeGoal": True}}}})
    editor.open(script(["goal"], ["found", "intro h", STEP], ["found", "rfl"]) + ON_SORRY, version=3)
    *tactics, close_goal = await offered(editor)
    assert [each["title"] for each in tactics] == ["Try this: rfl", "Try this: intro h (2 goals left)"]
    assert (close_goal["title"], close_goal["kind"], close_goal["command"]["title"]) == (CLOSE, "quickfix", CLOSE)
    asked = {key: close_goal["command"][key] for key in ("command", "arguments")}
    assert (await editor.ask("workspace/executeCommand", asked))["applied"] is True
    [applied] = editor.said("workspace/applyEdit")
    assert applied["edit"]["documentChanges"][0]["textDocument"]["version"] == 3
    [told] = editor.said("window/showMessage")
    assert (told["type"], told["message"]) == (3, "Closed the goal with `rfl`.")


async def test_the_code_action_is_there_before_anything_is_found_and_not_without_a_goal(editor: Editor) -> None:
    settings = {"codeAction": {"closeGoal": True, "wait": 0.1}}
    editor.notify("workspace/didChangeConfiguration", {"settings": {"tacit": settings}})
    editor.open(script(["goal"], ["hang"]) + ON_SORRY)
    assert [each["title"] for each in await offered(editor)] == [CLOSE]
    editor.open(script(["raise", "NoGoal", "There are no goals left here."]) + ON_SORRY, version=2)
    assert await offered(editor) == []


async def test_no_code_action_closes_a_goal_unless_asked_for(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "rfl"]) + ON_SORRY)
    assert [each["title"] for each in await offered(editor)] == ["Try this: rfl"]


async def test_that_nothing_was_found_is_told_where_results_are_not_shown(editor: Editor) -> None:
    editor.open(script(["goal"], ["batch", 30]) + ON_SORRY)
    assert await close(editor, tell=True) == (False, None, "None of the 30 tactics tried closes this goal.")
    [told] = editor.said("window/showMessage")
    assert (told["type"], told["message"]) == (2, "None of the 30 tactics tried closes this goal.")
