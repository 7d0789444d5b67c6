"""Settings, from initialize to the running server: taken where they fit, told and kept out where they do not."""

from __future__ import annotations

from pathlib import Path

from tests.protocol.editor import Editor, alive, at, editing, script
from tests.protocol.test_answers import ON_SORRY

RFL = script(["goal"], ["found", "rfl"]) + ON_SORRY


def set_to(editor: Editor, settings: object) -> None:
    editor.notify("workspace/didChangeConfiguration", {"settings": settings})


async def test_initialization_options_are_the_first_settings(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        options = {"lean": {"path": "/opt/lean", "args": ["-DmaxHeartbeats=1"]}, "suggest.budget": 3, "other": {"x": 1}}
        await editor.initialize(initializationOptions=options)
        editor.open(RFL)
        await editor.ask("tacit/suggest", at(1, 28))
        built = await editor.logged("built")
        assert (built["path"], built["args"]) == ("/opt/lean", ["-DmaxHeartbeats=1"])
        assert (await editor.logged("suggest"))["budget"] == 3.0
        assert not editor.said("window/showMessage")


async def test_a_setting_that_cannot_be_used_is_told_and_the_default_kept(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        await editor.initialize(initializationOptions={"suggest": {"budget": "fast"}, "inline": {"enabled": "yes"}})
        editor.open(RFL)
        await editor.ask("tacit/suggest", at(1, 28))
        assert (await editor.logged("suggest"))["budget"] == 10.0
        [message] = editor.said("window/showMessage")
        assert message["type"] == 2
        assert message["message"] == (
            'The setting tacit.suggest.budget must be a number of seconds from 0.1 to 600, not "fast"; 10.0 is kept. '
            'The setting tacit.inline.enabled must be true or false, not "yes"; true is kept.'
        )


async def test_settings_that_are_no_object_are_told(editor: Editor) -> None:
    set_to(editor, "everything")
    await editor.until(lambda: editor.said("window/showMessage"))
    assert "must be an object" in editor.said("window/showMessage")[0]["message"]


async def test_another_lean_takes_the_place_of_the_first(editor: Editor) -> None:
    editor.open(RFL)
    await editor.ask("tacit/suggest", at(1, 28))
    set_to(editor, {"tacit": {"lean": {"path": "/opt/lean"}}})
    await editor.logged("built", path="/opt/lean")
    await editor.logged("aclose")
    await editor.logged_times("prepare", 2)
    assert [alive(entry["child"]) for entry in editor.log("built")] == [False, True]
    assert (await editor.ask("tacit/suggest", at(1, 28)))["suggestions"]
    assert len(editor.log("suggest")) == 2, "what the first Lean said does not hold for the second"


async def test_other_settings_leave_lean_alone(editor: Editor) -> None:
    editor.open(RFL)
    await editor.logged("built")
    set_to(editor, {"tacit": {"suggest": {"budget": 2}}})
    await editor.ask("tacit/suggest", at(1, 28))
    assert (await editor.logged("suggest"))["budget"] == 2.0
    assert len(editor.log("built")) == 1


async def test_the_editor_is_asked_when_it_only_says_that_something_changed(editor: Editor) -> None:
    editor.answers["workspace/configuration"] = [{"suggest": {"budget": 4}}]
    set_to(editor, None)
    editor.open(RFL)
    await editor.until(lambda: editor.said("workspace/configuration"))
    assert editor.said("workspace/configuration") == [{"items": [{"section": "tacit"}]}]
    await editor.ask("tacit/status")
    await editor.ask("tacit/suggest", at(1, 28))
    assert (await editor.logged("suggest"))["budget"] == 4.0


async def test_a_missing_lean_is_told_once_and_answers_stay_calm(editor: Editor) -> None:
    set_to(editor, {"lean": {"path": "/nowhere"}})
    editor.open(RFL)
    notice = "Lean was not found at /nowhere. Set tacit.lean.path."
    for _ in range(2):
        assert (await editor.ask("tacit/suggest", at(1, 28)))["notice"] == notice
    assert [each["message"] for each in editor.said("window/showMessage")] == [notice]
    status = (await editor.ask("tacit/status"))["lean"]
    assert (status["state"], status["sentence"]) == ("failed", notice)
    set_to(editor, {"lean": {"path": None}})
    assert (await editor.ask("tacit/suggest", at(1, 28)))["suggestions"], "mended without a restart"
