"""The real sidecar against a scripted Lean: all the way from an editor's key to Lean's answer, and what goes wrong."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tacit.server import models
from tests.protocol import scripted_lean
from tests.protocol.editor import Editor, Message, Refusal, at, editing, within, within_range
from tests.protocol.scripted_lean import entries, survivors

RULES = Path(__file__).with_name("lean_rules.py")
WORLD = "--# goal 𝕜 : Nat\\n⊢ 𝕜 = 𝕜\n--# closes rfl\n--# leaves simp => ⊢ 𝕜 = 0\n--# unknown norm_num\n"
LINE = WORLD.count("\n")
TEXT = WORLD + "theorem foo (𝕜 : Nat) : 𝕜 = 𝕜 := by sorry\n"
SORRY = within_range(LINE, 39, 44)  # each 𝕜 before it is two UTF-16 units


@asynccontextmanager
async def sidecar(folder: Path, *words: str, lean: str | None = None) -> AsyncIterator[Editor]:
    """An editor with `tacit serve`, whose Lean is the scripted one."""
    path = lean or str(scripted_lean.install(folder, *words, rules=RULES))
    environment = {"TACIT_LEAN": path, "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    async with editing(folder, sys.executable, "-m", "tacit.server.app", environment=environment) as editor:
        try:
            await editor.initialize()
            yield editor
            assert editor.garbage == b""
        finally:
            for pid in survivors(folder):
                os.kill(pid, signal.SIGKILL)


def place(folder: Path, character: int = 42) -> Message:
    return at(LINE, character, (folder / "Foo.lean").as_uri())


async def suggestions(editor: Editor, folder: Path) -> dict[str, str]:
    result = await editor.ask("tacit/suggest", place(folder))
    return {item["tactic"]: item["verdict"] for item in result["suggestions"]}


EXPECTED = {"rfl": "closes", "simp": "progresses"}


async def test_from_a_sorry_to_an_edit(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        editor.open(TEXT, uri=place(tmp_path)["textDocument"]["uri"])
        result = await editor.ask("tacit/suggest", place(tmp_path))
        best = result["suggestions"][0]
        assert (best["tactic"], best["verified"], best["edit"]) == ("rfl", True, {"range": SORRY, "newText": "rfl"})
        assert result["goals"][0]["text"] == "𝕜 : Nat\n⊢ 𝕜 = 𝕜"
        assert (await editor.ask("tacit/status"))["lean"]["state"] == "ready"


@pytest.mark.parametrize(
    "words",
    [
        ("split", "silent", "late", "stderr"),
        ("incremental", "flood@3"),
        ("slow-start=0.3", "out-of-order@4", "worker"),
    ],
    ids=" ".join,
)
async def test_a_loud_or_slow_lean_changes_no_answer(tmp_path: Path, words: tuple[str, ...]) -> None:
    async with sidecar(tmp_path, *words) as editor:
        editor.open(TEXT, uri=place(tmp_path)["textDocument"]["uri"])
        assert await suggestions(editor, tmp_path) == EXPECTED


@pytest.mark.parametrize("fault", ["die@4", "cut@4", "overflow@4", "worker-error@4"])
async def test_a_lean_that_dies_is_started_again(tmp_path: Path, fault: str) -> None:
    async with sidecar(tmp_path, fault) as editor:
        editor.open(TEXT, uri=place(tmp_path)["textDocument"]["uri"])
        first = await suggestions(editor, tmp_path)
        assert first.items() <= EXPECTED.items(), "whatever died, nothing wrong is shown"
        editor.change(2, {"range": within_range(0, 0, 0), "text": ""}, uri=place(tmp_path)["textDocument"]["uri"])
        assert await suggestions(editor, tmp_path) == EXPECTED


async def test_a_lean_that_hangs_is_given_up_with_what_made_it_hang(tmp_path: Path) -> None:
    async with sidecar(tmp_path, "worker") as editor:
        uri = place(tmp_path)["textDocument"]["uri"]
        editor.open("--# hangs trivial\n" + TEXT, uri=uri)
        where = at(LINE + 1, 42, uri)
        _, old = editor.begin("tacit/suggest", where)
        await editor.until(lambda: any("(trivial" in entry["text"] for entry in entries(tmp_path, "text")))
        editor.change(2, {"range": within_range(0, 0, 17), "text": "-- no more"}, uri=uri)
        with pytest.raises(Refusal):
            await within(old)
        result = await editor.ask("tacit/suggest", where)
        assert {item["tactic"]: item["verdict"] for item in result["suggestions"]} == EXPECTED
        assert await editor.shutdown() == 0
        assert survivors(tmp_path) == []


@pytest.mark.parametrize("how", ["shutdown", "hang up", "signal"])
@pytest.mark.parametrize("fault", ["", "hang@3-"], ids=["well", "hanging"])
async def test_no_process_is_left_however_it_ends(tmp_path: Path, how: str, fault: str) -> None:
    async with sidecar(tmp_path, "worker", fault) as editor:
        editor.open(TEXT, uri=place(tmp_path)["textDocument"]["uri"])
        editor.begin("tacit/suggest", place(tmp_path))
        await editor.until(lambda: len(entries(tmp_path, "text")) >= 3)
        assert survivors(tmp_path)
        if how == "shutdown":
            await editor.shutdown()
        elif how == "signal":
            editor.process.send_signal(signal.SIGTERM)
            await editor.gone()
        else:
            editor.hang_up()
            await editor.gone()
        await editor.until(lambda: not survivors(tmp_path))


async def test_closing_the_document_ends_its_lean(tmp_path: Path) -> None:
    async with sidecar(tmp_path, "worker") as editor:
        uri = place(tmp_path)["textDocument"]["uri"]
        editor.open(TEXT, uri=uri)
        await suggestions(editor, tmp_path)
        assert survivors(tmp_path)
        editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        await editor.until(lambda: not survivors(tmp_path))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("version-fails",), "toolchain 'leanprover/lean4:v9' is not installed"),
        (("no-start",), "the scripted Lean does not start"),
        (("refuses",), "did not start"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
async def test_a_lean_that_does_not_start_is_told_in_a_sentence(
    tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    async with sidecar(tmp_path, *words) as editor:
        editor.open(TEXT, uri=place(tmp_path)["textDocument"]["uri"])
        result = await editor.ask("tacit/suggest", place(tmp_path))
        assert sentence in result["notice"]
        assert result["suggestions"] == []
        assert [message["message"] for message in editor.said("window/showMessage")] == [result["notice"]]
        assert (await editor.ask("tacit/status"))["lean"]["state"] == "missing"
        assert await editor.ask("textDocument/inlineCompletion", place(tmp_path) | {"context": {"triggerKind": 2}}) == {
            "items": []
        }


async def test_no_lean_at_all(tmp_path: Path) -> None:
    async with sidecar(tmp_path, lean="/nowhere/lean") as editor:
        editor.open(TEXT, uri=place(tmp_path)["textDocument"]["uri"])
        result = await editor.ask("tacit/suggest", place(tmp_path))
        assert "/nowhere/lean" in result["notice"]


async def test_lake_serves_in_a_lake_workspace(tmp_path: Path) -> None:
    (tmp_path / "lakefile.toml").write_text('name = "p"\n')
    async with sidecar(tmp_path) as editor:
        editor.open(TEXT, uri=place(tmp_path)["textDocument"]["uri"])
        assert await suggestions(editor, tmp_path) == EXPECTED
        command: list[Any] = (await editor.ask("tacit/status"))["lean"]["command"]
        assert command[:2] == [str(tmp_path / "lake"), "serve"]


async def test_an_edit_frees_lean_for_the_next_question(tmp_path: Path) -> None:
    async with sidecar(tmp_path, "slow=2@5") as editor:
        uri = place(tmp_path)["textDocument"]["uri"]
        editor.open(TEXT, uri=uri)
        _, old = editor.begin("tacit/suggest", place(tmp_path))
        await editor.until(lambda: len(entries(tmp_path, "text")) >= 3)
        editor.change(2, {"range": within_range(LINE, 8, 11), "text": "bar"}, uri=uri)
        assert await suggestions(editor, tmp_path) == EXPECTED
        with pytest.raises(Refusal) as refusal:
            await within(old)
        assert refusal.value.code == -32801


async def test_the_status_says_why_no_model_is_used(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        editor.open(TEXT, uri=place(tmp_path)["textDocument"]["uri"])
        await suggestions(editor, tmp_path)
        model = (await editor.ask("tacit/status"))["model"]
        assert (model["state"], model["sentence"]) == ("none", "No model is used: TACIT_MODEL says so.")


async def test_the_model_that_was_chosen_is_used_from_the_next_start_and_others_go_on_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TACIT_MODEL")
    gone = tmp_path / "gone.gguf"
    models.change(lambda _: models.Models((models.Installed("mine", str(gone), "few-shot"),), "mine"))
    async with sidecar(tmp_path) as editor:
        editor.open(TEXT, uri=place(tmp_path)["textDocument"]["uri"])
        assert await suggestions(editor, tmp_path) == EXPECTED
        model = (await editor.ask("tacit/status"))["model"]
        assert (model["state"], model["name"], model["path"]) == ("failed", "mine", str(gone))
        assert model["sentence"].startswith(f"There is no model file {gone}.")
