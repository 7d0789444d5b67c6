"""The log of a real sidecar: where it lies, what is in it, and that nothing of the user's text is."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tacit.server.errors import ModelUnavailable
from tacit.server.indexer import Indexer, IndexWork
from tacit.server.model.client import ModelClient
from tacit.server.model.messages import Load
from tests.protocol import scripted_lean
from tests.protocol.editor import Editor, Refusal, at, editing, script, within
from tests.protocol.test_answers import ON_SORRY

TEXT = script(["goal"], ["raise", "ValueError", "secretGoal"]) + ON_SORRY


@asynccontextmanager
async def logging_editor(folder: Path, level: str = "", **more: str) -> AsyncIterator[Editor]:
    environment = {"TACIT_CACHE": str(folder / "cache"), "TACIT_LOG": level, **more}
    async with editing(folder, environment=environment) as editor:
        await editor.initialize(clientInfo={"name": "Ed", "version": "1"})
        yield editor
        await editor.shutdown()


def files(folder: Path) -> list[Path]:
    return sorted((folder / "cache" / "logs").glob("*"))


def lines(folder: Path) -> list[dict[str, Any]]:
    [file] = files(folder)
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


async def bug(editor: Editor) -> str:
    with pytest.raises(Refusal) as refusal:
        await editor.ask("tacit/suggest", at(1, 28))
    return refusal.value.message


async def test_a_bug_is_in_the_log_once_and_the_editor_reads_where(tmp_path: Path) -> None:
    async with logging_editor(tmp_path) as editor:
        editor.open(TEXT)
        said = await bug(editor)
        [file] = files(tmp_path)
        assert said == f"Something went wrong inside Tacit; its log, {file}, says what."
    begun, *_ = found = lines(tmp_path)
    assert begun["said"].endswith("begins, for Ed 1")
    [error] = [each for each in found if "error" in each]
    assert (error["level"], error["process"]) == ("error", f"serve {editor.process.pid}")
    assert error["error"][0]["type"] == "ValueError"
    assert error["error"][0]["at"][-1].endswith(" suggest")
    assert b"secretGoal" not in file.read_bytes() + editor.stderr


async def test_the_same_bug_is_counted(tmp_path: Path) -> None:
    async with logging_editor(tmp_path) as editor:
        editor.open(TEXT)
        for _ in range(4):
            await bug(editor)
    assert [each.get("repeated") for each in lines(tmp_path) if "error" in each] == [None, 4]


async def test_a_failure_in_the_background_is_logged_and_told_once(tmp_path: Path) -> None:
    async with logging_editor(tmp_path, TACIT_FAKE_BUG="secretGoal") as editor:
        editor.open(ON_SORRY)
        editor.open(ON_SORRY, uri="file:///project/Bar.lean")
        await editor.logged_times("prepare", 2)
        [shown] = await editor.until(lambda: editor.said("window/showMessage"))
        await editor.ask("tacit/status")
        [file] = files(tmp_path)
        assert shown["message"] == f"Something went wrong inside Tacit; its log, {file}, says what."
        assert len(editor.said("window/showMessage")) == 1
    assert [each.get("repeated") for each in lines(tmp_path) if "error" in each] == [None, 2]
    assert "secretGoal" not in file.read_text(encoding="utf-8")


async def test_an_edit_that_cannot_be_is_not_quoted(tmp_path: Path) -> None:
    async with logging_editor(tmp_path) as editor:
        editor.open(ON_SORRY)
        backwards = {"start": {"line": 10**30, "character": 0}, "end": {"line": 0, "character": 0}}
        editor.change(2, {"range": backwards, "text": "secretGoal"})
        assert (await editor.ask("tacit/status"))["documents"]
    assert "secretGoal" not in files(tmp_path)[0].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("environment", "setting", "levels"),
    [("off", "", set()), ("off", "error", {"error"}), ("", "error", {"error"}), ("error", "info", {"info", "error"})],
)
async def test_the_setting_counts_before_the_environment(
    environment: str, setting: str, levels: set[str], tmp_path: Path
) -> None:
    variables: Mapping[str, str] = {"TACIT_CACHE": str(tmp_path / "cache"), "TACIT_LOG": environment}
    async with editing(tmp_path, environment=variables) as editor:
        await editor.initialize(initializationOptions={"tacit": {"log": {"level": setting}}})
        editor.open(TEXT)
        assert (await bug(editor)).startswith("Something went wrong inside Tacit; its log")
        await editor.shutdown()
    assert {each["level"] for each in (lines(tmp_path) if levels else [])} == levels
    assert bool(files(tmp_path)) == bool(levels)


async def test_a_level_that_there_is_not_is_told(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        await editor.initialize(initializationOptions={"log.level": "loud"})
        [shown] = await editor.until(lambda: editor.said("window/showMessage"))
        said = 'The setting tacit.log.level must be one of off, error, warning, info, debug, not "loud"; "" is kept.'
        assert shown["message"] == said


async def test_a_log_that_cannot_be_written_changes_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "logs").symlink_to(tmp_path / "nowhere" / "logs")
    (tmp_path / "nowhere").write_text("a file, and no folder")
    async with logging_editor(tmp_path) as editor:
        editor.open(TEXT)
        assert await bug(editor) == "Something went wrong inside Tacit; its log says what."
    assert editor.stderr.count(b"Tacit goes on without it.") == 1


# ---------------------------------------------------------------- the processes beside it

BROKEN_BUILDER = """
import sys
import tacit.index.places as places
def fail(*_):
    raise ValueError("secretGoal")
places.places = fail
from tacit.server.index_worker import main
sys.exit(main(sys.argv[1:]))
"""
BROKEN_WORKER = """
import sys
import tacit.server.model.loading as loading
def fail(*_):
    raise ValueError("secretGoal")
loading.load = fail
from tacit.server.model.worker import run
run()
"""


def check_child(file: Path, role: str, pid: int | None = None) -> None:
    [line] = [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]
    assert line["level"] == "critical"
    assert line["process"].startswith(f"{role} {pid or ''}")
    assert line["error"][0]["type"] == "ValueError"
    assert "secretGoal" not in json.dumps(line)


async def test_a_builder_that_fails_leaves_a_log_and_the_status_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TACIT_LOG")
    failed = asyncio.Event()

    def changed(work: IndexWork) -> None:
        if work.state == "failed":
            failed.set()

    indexer = Indexer(changed, command=(sys.executable, "-c", BROKEN_BUILDER))
    try:
        indexer.ask([tmp_path])
        await within(failed.wait())
    finally:
        await indexer.aclose()
    [file] = files(tmp_path)
    assert indexer.work.sentence == f"Indexing ended with status 1; {file} says more."
    check_child(file, "index")
    assert capfd.readouterr().err == f"index ended by an error inside Tacit (ValueError). {file} says more.\n"


async def test_a_model_worker_that_fails_leaves_a_log_and_the_error_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TACIT_LOG")
    client = ModelClient(Load("x.gguf", 512, 8, 32, 1), (sys.executable, "-c", BROKEN_WORKER))
    try:
        with pytest.raises(ModelUnavailable) as raised:
            await within(client.load())
    finally:
        await client.aclose()
    [file] = files(tmp_path)
    assert f"{file} says more." in str(raised.value)
    assert "secretGoal" not in str(raised.value)
    check_child(file, "model")


# ---------------------------------------------------------------- nothing of the user's text

WORLD = "--# goal grmblfx : Nat\\n⊢ grmblfx = grmblfx\n--# closes rfl\n--# leaves simp => ⊢ grmblfx = 0\n"
LINE = WORLD.count("\n")
SECRET = f"{WORLD}theorem zorbLemma (grmblfx : Nat) : grmblfx = grmblfx := by sorry\n"


@pytest.mark.parametrize("fault", ["stderr", "die@4"])
async def test_no_source_goal_or_tactic_is_logged_whatever_lean_does(fault: str, tmp_path: Path) -> None:
    lean = scripted_lean.install(tmp_path, fault, rules=Path(scripted_lean.__file__).with_name("lean_rules.py"))
    environment = {
        "TACIT_CACHE": str(tmp_path / "cache"),
        "TACIT_LOG": "info",
        "TACIT_LEAN": str(lean),
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
    }
    uri = (tmp_path / "Foo.lean").as_uri()
    async with editing(tmp_path, sys.executable, "-m", "tacit.server.app", environment=environment) as editor:
        try:
            await editor.initialize()
            editor.open(SECRET, uri=uri)
            found = await editor.ask("tacit/suggest", at(LINE, 62, uri))
            assert "rfl" in [each["tactic"] for each in found["suggestions"]]
            await editor.shutdown()
        finally:
            for pid in scripted_lean.survivors(tmp_path):
                os.kill(pid, signal.SIGKILL)
    [log] = [file.read_text(encoding="utf-8") for file in files(tmp_path) if file.name.startswith("serve-")]
    assert "Lean is ready" in log
    written = log + editor.stderr.decode()
    assert [each for each in ("grmblfx", "zorbLemma", "⊢") if each in written] == []
