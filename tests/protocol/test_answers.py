"""Ghost text, code actions and streamed suggestions: what is sent for what was found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.editor import URI, Editor, Message, Refusal, at, script, within, within_range

AUTOMATIC, INVOKED = 2, 1
CONTENT_MODIFIED = -32801
ENDS_LINE = "theorem foo : 1 = 1 := by "
ON_SORRY = "theorem foo : 1 = 1 := by sorry"
STEP: dict[str, Any] = {"verdict": "progresses", "left": 2}


def inline(line: int, character: int, trigger: int = AUTOMATIC) -> Message:
    return at(line, character) | {"context": {"triggerKind": trigger}}


def action(line: int, start: int, end: int | None = None, **context: Any) -> Message:
    where = within_range(line, start, start if end is None else end)
    return {"textDocument": {"uri": URI}, "range": where, "context": {"diagnostics": [], **context}}


# ---------------------------------------------------------------------------------------------- ghost text


async def test_ghost_text_shows_what_closes_before_what_makes_progress(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "intro h", STEP], ["found", "rfl"]) + ENDS_LINE)
    items = (await editor.ask("textDocument/inlineCompletion", inline(1, 26)))["items"]
    assert [item["insertText"] for item in items] == ["rfl", "intro h"]
    assert items[0]["range"] == within_range(1, 26, 26)


async def test_ghost_text_comes_as_soon_as_something_closes(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "rfl"], ["hang"]) + ENDS_LINE)
    items = (await editor.ask("textDocument/inlineCompletion", inline(1, 26)))["items"]
    assert [item["insertText"] for item in items] == ["rfl"]


async def test_ghost_text_that_a_key_asks_for_waits_for_alternatives(editor: Editor) -> None:
    found = [["found", "rfl"], ["gate", "more"], ["found", "decide"], ["found", "simp"], ["hang"]]
    editor.open(script(["goal"], *found) + ENDS_LINE)
    _, asked = editor.begin("textDocument/inlineCompletion", inline(1, 26, INVOKED))
    await editor.logged("suggest")
    editor.gate("more")
    assert [item["insertText"] for item in (await within(asked))["items"]] == ["rfl", "decide", "simp"]


async def test_ghost_text_settles_for_progress_after_a_while(editor: Editor) -> None:
    editor.notify("workspace/didChangeConfiguration", {"settings": {"tacit": {"inline": {"wait": 0.05}}}})
    editor.open(script(["goal"], ["found", "intro h", STEP], ["hang"]) + ENDS_LINE)
    items = (await editor.ask("textDocument/inlineCompletion", inline(1, 26)))["items"]
    assert [item["insertText"] for item in items] == ["intro h"]


async def test_ghost_text_takes_the_first_that_comes_after_the_wait(editor: Editor) -> None:
    editor.notify("workspace/didChangeConfiguration", {"settings": {"tacit.inline.wait": 0}})
    editor.open(script(["goal"], ["gate", "late"], ["found", "intro h", STEP], ["hang"]) + ENDS_LINE)
    _, asked = editor.begin("textDocument/inlineCompletion", inline(1, 26))
    await editor.logged("suggest")
    editor.gate("late")
    assert [item["insertText"] for item in (await within(asked))["items"]] == ["intro h"]


async def test_ghost_text_is_never_an_error(editor: Editor) -> None:
    failures = (["raise", "NoGoal", "No."], ["raise", "ValueError", "bug"])
    for version, failure in enumerate(failures, 1):
        editor.open(script(failure) + ENDS_LINE, version=version)
        assert await editor.ask("textDocument/inlineCompletion", inline(1, 26)) == {"items": []}
    # In the place of something that is there: an editor could not show it.
    editor.open(script(["goal"], ["found", "rfl"]) + ON_SORRY, version=3)
    assert await editor.ask("textDocument/inlineCompletion", inline(1, 26)) == {"items": []}
    assert await editor.ask("textDocument/inlineCompletion", inline(99, 3)) == {"items": []}
    nowhere = at(0, 0, "file:///not/open.lean") | {"context": {"triggerKind": AUTOMATIC}}
    assert await editor.ask("textDocument/inlineCompletion", nowhere) == {"items": []}
    assert not editor.said("window/showMessage")


async def test_ghost_text_can_be_switched_off(editor: Editor) -> None:
    editor.notify("workspace/didChangeConfiguration", {"settings": {"tacit": {"inline": {"enabled": False}}}})
    editor.open(script(["goal"], ["found", "rfl"]) + ENDS_LINE)
    assert await editor.ask("textDocument/inlineCompletion", inline(1, 26)) == {"items": []}
    assert not editor.log("suggest")


async def test_ghost_text_shows_nothing_that_was_not_elaborated_in_place(editor: Editor) -> None:
    unverified = [["found", "rfl", {"verified": False}], ["found", "intro h", {**STEP, "verified": False}]]
    editor.open(script(["goal"], *unverified) + ENDS_LINE)
    assert await editor.ask("textDocument/inlineCompletion", inline(1, 26)) == {"items": []}


# ---------------------------------------------------------------------------------------------- code actions


async def test_a_code_action_for_each_tactic_the_best_preferred(editor: Editor) -> None:
    found: list[list[Any]] = [
        ["found", "intro h", STEP],
        ["found", "rfl"],
        ["found", "simp"],
        ["found", "no", {"verified": False}],
    ]
    editor.open(script(["goal"], *found) + ON_SORRY)
    actions = await editor.ask("textDocument/codeAction", action(1, 28))
    assert [each["title"] for each in actions] == [
        "Try this: rfl",
        "Try this: simp",
        "Try this: intro h (2 goals left)",
    ]
    assert [each["kind"] for each in actions] == ["quickfix", "quickfix", "refactor.rewrite"]
    assert [each.get("isPreferred") for each in actions] == [True, None, None]
    [change] = actions[0]["edit"]["documentChanges"]
    assert change == {
        "textDocument": {"uri": URI, "version": 1},
        "edits": [{"range": within_range(1, 26, 31), "newText": "rfl"}],
    }


async def test_a_tactic_that_closes_one_goal_of_an_unfinished_proof_says_so(editor: Editor) -> None:
    note = {"verdict": "progresses", "note": "The declaration has a `sorry` elsewhere.", "verified": False}
    editor.open(script(["goal"], ["found", "rfl", note]) + ON_SORRY)
    [only] = await editor.ask("textDocument/codeAction", action(1, 28))
    assert (only["title"], only["kind"]) == ("Try this: rfl (closes this goal)", "quickfix")


async def test_code_actions_for_a_sorry_in_the_range(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "rfl"]) + ON_SORRY)
    actions = await editor.ask("textDocument/codeAction", action(1, 0, 31))
    assert [each["edit"]["documentChanges"][0]["edits"][0]["range"] for each in actions] == [within_range(1, 26, 31)]


async def test_code_actions_of_the_kinds_asked_for_only(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "intro h", STEP], ["found", "rfl"]) + ON_SORRY)
    assert await editor.ask("textDocument/codeAction", action(1, 28, only=["source.organizeImports"])) == []
    assert not editor.log("suggest"), "on save, nothing is run"
    by_kind = {
        kind: [each["title"] for each in await editor.ask("textDocument/codeAction", action(1, 28, only=[kind]))]
        for kind in ("quickfix", "refactor", "refactor.rewrite", "refactor.rewrite.more")
    }
    progress = ["Try this: intro h (2 goals left)"]
    assert by_kind == {
        "quickfix": ["Try this: rfl"],
        "refactor": progress,
        "refactor.rewrite": progress,
        "refactor.rewrite.more": [],
    }


async def test_code_actions_show_what_is_there_when_time_is_up(editor: Editor) -> None:
    editor.notify("workspace/didChangeConfiguration", {"settings": {"tacit": {"codeAction": {"wait": 0.2}}}})
    editor.open(script(["goal"], ["found", "rfl"], ["hang"]) + ON_SORRY)
    assert [each["title"] for each in await editor.ask("textDocument/codeAction", action(1, 28))] == ["Try this: rfl"]


async def test_code_actions_have_plain_edits_for_editors_that_know_no_other(editor: Editor, tmp_path: Any) -> None:
    from tests.protocol.editor import editing

    folder = tmp_path / "plain"
    folder.mkdir()
    async with editing(folder) as plain:
        await plain.initialize(capabilities={})
        plain.open(script(["goal"], ["found", "rfl"]) + ON_SORRY)
        [only] = await plain.ask("textDocument/codeAction", action(1, 28))
    assert only["edit"] == {"changes": {URI: [{"range": within_range(1, 26, 31), "newText": "rfl"}]}}


async def test_a_tactic_of_several_lines_has_a_title_of_one(editor: Editor) -> None:
    tactic = "induction n with\n| zero => rfl\n| succ n ih => simp [ih, Nat.add_comm, Nat.add_left_comm, Nat.add_assoc]"
    editor.open(script(["goal"], ["found", tactic]) + ON_SORRY)
    [only] = await editor.ask("textDocument/codeAction", action(1, 28))
    assert only["title"].startswith("Try this: induction n with; | zero => rfl; | succ")
    assert "\n" not in only["title"]
    assert len(only["title"]) < 100


# ---------------------------------------------------------------------------------------------- tacit/suggest


async def test_suggestions_are_streamed_as_they_are_found_and_sent_whole_in_the_end(editor: Editor) -> None:
    steps: list[list[Any]] = [
        ["goal"],
        ["batch", 3],
        ["found", "intro h", STEP],
        ["gate", "seen"],
        ["found", "rfl"],
        ["finish", "Note."],
    ]
    editor.open(script(*steps) + ON_SORRY)
    number, asked = editor.begin("tacit/suggest", at(1, 28) | {"partialResultToken": "here"})
    await editor.until(lambda: len(editor.said("$/progress")) == 2)
    assert not asked.done(), "the first came while the second was not yet found"
    editor.gate("seen")
    result = await within(asked)
    parts = [part["value"] for part in editor.said("$/progress") if part["token"] == "here"]
    assert parts[0]["goals"] == result["goals"]
    assert [[item["tactic"] for item in part["suggestions"]] for part in parts[1:]] == [["intro h"], ["rfl"]]
    order = [
        m.get("method") or m["id"] for m in editor.heard if m.get("method") == "$/progress" or m.get("id") == number
    ]
    assert order == ["$/progress", "$/progress", "$/progress", number]
    assert [item["tactic"] for item in result["suggestions"]] == ["rfl", "intro h"]
    assert result["checked"] == 5
    assert result["notice"] == "Note."
    assert result["declaration"] == "foo"
    assert result["hole"] == within_range(1, 26, 31)
    assert result["replayed"] is False
    best = result["suggestions"][0]
    assert best.pop("elapsed") >= 0
    assert best == {
        "tactic": "rfl",
        "verdict": "closes",
        "verified": True,
        "goals": [],
        "edit": {"range": within_range(1, 26, 31), "newText": "rfl"},
        "version": 1,
        "source": "fixed",
        "axioms": ["propext"],
        "note": "",
    }
    assert result["goals"][0]["hypotheses"] == [{"names": ["𝕜", "n"], "type": "Nat", "value": None}]
    assert len(result["suggestions"][1]["goals"]) == 2


async def test_a_limit_ends_the_request_and_frees_lean(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "rfl"], ["found", "simp"], ["hang"]) + ON_SORRY)
    result = await editor.ask("tacit/suggest", at(1, 28) | {"limit": 2})
    assert [item["tactic"] for item in result["suggestions"]] == ["rfl", "simp"]
    await editor.logged("closed")


async def test_the_first_that_closes_ends_the_request_where_that_is_enough(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "intro h", STEP], ["found", "rfl"], ["hang"]) + ON_SORRY)
    editor.begin("tacit/suggest", at(1, 28))  # it shares the run, which goes on
    result = await editor.ask("tacit/suggest", at(1, 28) | {"stopAtFirstClose": True})
    assert [item["tactic"] for item in result["suggestions"]] == ["rfl", "intro h"]
    assert len(editor.log("suggest")) == 1


async def test_a_budget_ends_the_request(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "rfl"], ["hang"]) + ON_SORRY)
    result = await editor.ask("tacit/suggest", at(1, 28) | {"budget": 0.1})
    assert [item["tactic"] for item in result["suggestions"]] == ["rfl"]
    assert result["notice"] == "Stopped after 0.1 s."
    assert (await editor.logged("suggest"))["budget"] == 0.1


async def test_no_goal_is_a_notice(editor: Editor) -> None:
    editor.open(script(["raise", "NoGoal", "The cursor is inside a comment."]) + ON_SORRY)
    result = await editor.ask("tacit/suggest", at(1, 28))
    assert (result["goals"], result["suggestions"], result["notice"]) == ([], [], "The cursor is inside a comment.")
    assert not editor.said("window/showMessage")


async def test_a_dead_lean_is_a_notice_and_told_once(editor: Editor) -> None:
    editor.open(script(["goal"], ["found", "rfl"], ["raise", "LeanDied", "Lean died."]) + ON_SORRY)
    for _ in range(2):
        result = await editor.ask("tacit/suggest", at(1, 28))
        assert result["notice"] == "Lean died."
        assert [item["tactic"] for item in result["suggestions"]] == ["rfl"], "what was found before still holds"
    assert [each["message"] for each in editor.said("window/showMessage")] == ["Lean died."]


async def test_what_a_source_says_reaches_the_user_once(editor: Editor) -> None:
    trimmed = [["remark", f"{n} of 9 premises did not fit.", "context"] for n in (3, 4)]
    failed = ["remark", "The model ended.", "model: The model ended.", True]
    editor.open(script(["goal"], *trimmed, failed, ["found", "rfl"], ["finish", "The model ended."]) + ON_SORRY)
    for _ in range(2):
        result = await editor.ask("tacit/suggest", at(1, 28))
        assert [item["tactic"] for item in result["suggestions"]] == ["rfl"]
    logged = [each["message"] for each in editor.said("window/logMessage")]
    assert logged.count("3 of 9 premises did not fit.") == 1
    assert "4 of 9 premises did not fit." not in logged
    assert [each["message"] for each in editor.said("window/showMessage")] == ["The model ended."]


async def test_a_bug_is_an_error_without_its_details(editor: Editor) -> None:
    editor.open(script(["goal"], ["raise", "ValueError", "secret"]) + ON_SORRY)
    with pytest.raises(Refusal, match="Something went wrong inside Tacit") as refusal:
        await editor.ask("tacit/suggest", at(1, 28))
    assert refusal.value.code == -32803
    assert (await editor.ask("tacit/status"))["documents"]
    await editor.shutdown()
    assert b"ValueError\n" in editor.stderr
    assert b"suggest\n" in editor.stderr  # where it was raised
    assert b"secret" not in editor.stderr


async def test_an_old_version_is_refused(editor: Editor) -> None:
    editor.open(script(["goal"]) + ON_SORRY, version=5)
    asked = {"textDocument": {"uri": URI, "version": 4}, "position": {"line": 1, "character": 28}}
    with pytest.raises(Refusal) as refusal:
        await editor.ask("tacit/suggest", asked)
    assert refusal.value.code == CONTENT_MODIFIED
    assert not editor.log("suggest")


async def test_status_says_what_goes_on(editor: Editor) -> None:
    editor.open(script(["goal"], ["hang"]) + ON_SORRY, version=3)
    editor.begin("tacit/suggest", at(1, 28))
    await editor.logged("suggest")
    status = await editor.ask("tacit/status")
    assert status["lean"] == {
        "state": "ready",
        "version": "4.27.0",
        "command": ["lean", "--server"],
        "replayed": False,
        "sentence": "",
        "documents": 0,
        "restarts": 0,
    }
    assert status["documents"] == [{"uri": URI, "version": 3}]
    [request] = status["requests"]
    assert request == {"uri": URI, "version": 3, "position": {"line": 1, "character": 28}, "waiting": 1}
    assert status["model"] == {
        "state": "ready",
        "name": "fake",
        "path": "/m/fake.gguf",
        "preset": "few-shot",
        "sentence": "fake, as `tacit models use` says.",
        "context": 2048,
        "parameters": 7,
        "restarts": 0,
    }


async def test_the_status_is_announced_when_it_changes(editor: Editor) -> None:
    editor.open(ON_SORRY)
    await editor.until(
        lambda: [each["state"] for each in editor.said("tacit/statusChanged")] == ["not started", "ready"]
    )
