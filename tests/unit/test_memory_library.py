"""A workspace's proofs are remembered, followed as they change, and what was accepted is kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tacit.server import memory_library
from tacit.server.accepting import Taken
from tacit.server.compose import build_suggester
from tacit.server.lean.goals import parse_goal
from tacit.server.memory_library import WorkspaceMemory
from tacit.server.memory_store import store_of
from tacit.server.suggest import Document
from tacit.server.tactics.source import SourceRequest, TacticSource

PROOF = "theorem own (n : Nat) : twice n = n + n := by\n  simp [twice]\n"
MINE = "import Own.Basic\n\ntheorem mine (m : Nat) : twice m = m + m := by\n  sorry\n"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    root = tmp_path.resolve() / "ws"
    (root / "Own").mkdir(parents=True)
    (root / "lakefile.lean").write_text("import Lake\nopen Lake DSL\npackage own\n", encoding="utf-8")
    (root / "Own" / "Basic.lean").write_text(PROOF, encoding="utf-8")
    (root / "Own" / "Mine.lean").write_text(MINE, encoding="utf-8")
    return root


@pytest.fixture
async def memory() -> AsyncIterator[WorkspaceMemory]:
    made = WorkspaceMemory()
    yield made
    await made.aclose()


def asked(root: Path, text: str = MINE, *, path: Path | None = None, untitled: bool = False) -> SourceRequest:
    at = text.index("sorry")
    file = None if untitled else path or root / "Own" / "Mine.lean"
    goal = parse_goal("m : Nat\n⊢ twice m = m + m")
    start = text.index("theorem mine")
    name = text[start:].split()[1]
    return SourceRequest((goal,), frozenset(), name, text=text, start=start, at=at, path=file)


async def recalled(memory: WorkspaceMemory, request: SourceRequest) -> list[str]:
    return [each.tactic for each in await memory.recall(request, 20)]


async def test_files_of_the_workspace_are_remembered(memory: WorkspaceMemory, workspace: Path) -> None:
    assert await recalled(memory, asked(workspace)) == ["simp [twice]"]


async def test_unsaved_text_counts_and_is_not_what_stands_on_disk(memory: WorkspaceMemory, workspace: Path) -> None:
    text = MINE.replace(
        "theorem mine", "theorem above (k : Nat) : twice k = k + k := by\n  unsaved_tactic\n\ntheorem mine"
    )
    assert "unsaved_tactic" in await recalled(memory, asked(workspace, text))
    assert "unsaved_tactic" not in await recalled(memory, asked(workspace))


async def test_what_was_typed_in_another_file_and_not_saved_is_forgotten(
    memory: WorkspaceMemory, workspace: Path
) -> None:
    text = "theorem above (k : Nat) : twice k = k + k := by\n  unsaved_tactic\n\n" + MINE.partition("\n\n")[2]
    await memory.recall(asked(workspace, text, path=workspace / "Own" / "Basic.lean"), 20)
    assert await recalled(memory, asked(workspace)) == ["simp [twice]"]


async def test_where_a_theorem_is_proved_anew_its_proof_and_later_ones_are_not_remembered(workspace: Path) -> None:
    proved = MINE.replace("sorry", "own_proof")
    below = "\ntheorem below (k : Nat) : twice k = k + k := by\n  below_it\n"
    (workspace / "Own" / "Mine.lean").write_text(proved + below, encoding="utf-8")
    later = "import Own.Mine\n" + below.replace("below", "later")
    (workspace / "Own" / "Later.lean").write_text(later, encoding="utf-8")
    measured = WorkspaceMemory(below=False, keep=False)
    try:
        for text in (MINE, MINE + below):
            await measured.settled()
            assert await recalled(measured, asked(workspace, text)) == ["simp [twice]"]
    finally:
        await measured.aclose()


async def test_a_saved_file_is_taken_up(memory: WorkspaceMemory, workspace: Path) -> None:
    await recalled(memory, asked(workspace))
    file = workspace / "Own" / "Basic.lean"
    file.write_text(PROOF.replace("simp [twice]", "new_tactic"), encoding="utf-8")
    memory.saw([file])
    await memory.settled()
    assert await recalled(memory, asked(workspace)) == ["new_tactic"]
    file.unlink()
    memory.saw([file])
    await memory.settled()
    assert await recalled(memory, asked(workspace)) == []


async def test_a_folder_that_comes_or_goes_is_looked_at(memory: WorkspaceMemory, workspace: Path) -> None:
    await recalled(memory, asked(workspace))
    shutil.copytree(workspace / "Own", workspace / "Other")
    (workspace / "Other" / "Basic.lean").write_text(PROOF.replace("simp [twice]", "other_tactic"), encoding="utf-8")
    memory.saw([workspace / "Other"])
    await memory.settled()
    assert "other_tactic" in await recalled(memory, asked(workspace))
    shutil.rmtree(workspace / "Other")
    memory.saw([workspace / "Other"])
    await memory.settled()
    assert "other_tactic" not in await recalled(memory, asked(workspace))


async def test_without_a_workspace_there_is_the_text_alone(memory: WorkspaceMemory, tmp_path: Path) -> None:
    text = "theorem above (k : Nat) : twice k = k + k := by\n  rfl\n\n" + MINE.partition("\n\n")[2]
    assert await recalled(memory, asked(tmp_path, text, untitled=True)) == ["rfl"]
    assert await recalled(memory, asked(tmp_path, text, path=tmp_path / "alone.lean")) == ["rfl"]


def taken(root: Path, tactic: str = "accepted_tactic") -> Taken:
    file = root / "Own" / "Mine.lean"
    goal = parse_goal("k : Nat\n⊢ twice k = k + k")
    return Taken(Document(file.as_uri(), 1, MINE, file), goal, tactic, MINE.index("sorry"), "mine")


async def test_what_was_accepted_counts_at_once_and_the_next_time(memory: WorkspaceMemory, workspace: Path) -> None:
    memory.accepted(taken(workspace))
    await memory.settled()
    assert "accepted_tactic" in await recalled(memory, asked(workspace))
    again = WorkspaceMemory()
    assert "accepted_tactic" not in await recalled(again, asked(workspace))  # of the theorem itself
    assert "accepted_tactic" in await recalled(again, asked(workspace, MINE.replace("theorem mine", "theorem mine'")))
    await again.aclose()
    store_of(workspace).unlink()
    forgotten = WorkspaceMemory()
    assert "accepted_tactic" not in await recalled(
        forgotten, asked(workspace, MINE.replace("theorem mine", "theorem mine'"))
    )
    await forgotten.aclose()


async def test_what_cannot_be_kept_counts_until_the_end(
    memory: WorkspaceMemory, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace.parent / "nofolder").write_text("", encoding="utf-8")
    monkeypatch.setenv("TACIT_CACHE", str(workspace.parent / "nofolder"))
    memory.accepted(taken(workspace))
    await memory.settled()
    assert "accepted_tactic" in await recalled(memory, asked(workspace))


async def test_what_is_nearest_is_read_first_and_no_more_than_fits(
    memory: WorkspaceMemory, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        folder = workspace / f"Far{number}"
        folder.mkdir()
        (folder / "File.lean").write_text(PROOF.replace("simp [twice]", f"far{number}"), encoding="utf-8")
    monkeypatch.setattr(memory_library, "MOST_FILES", 2)
    assert await recalled(memory, asked(workspace)) == ["simp [twice]"]


async def test_files_that_cannot_be_read_cost_themselves_alone(memory: WorkspaceMemory, workspace: Path) -> None:
    (workspace / "Own" / "Bytes.lean").write_bytes(b"theorem \xff\xfe")
    (workspace / "Own" / "Loop.lean").symlink_to("Loop.lean")
    os.mkfifo(workspace / "Own" / "Pipe.lean")
    assert await recalled(memory, asked(workspace)) == ["simp [twice]"]


async def test_once_closed_it_remembers_nothing(workspace: Path) -> None:
    memory = WorkspaceMemory()
    await memory.aclose()
    memory.accepted(taken(workspace))
    memory.saw([workspace])
    assert await recalled(memory, asked(workspace)) == []


async def test_recordings_do_not_depend_on_what_is_remembered() -> None:
    asked: list[list[str]] = []

    def choose(all_: list[TacticSource]) -> list[TacticSource]:
        asked.append([each.name for each in all_])
        return all_

    recorded = sorted((Path(__file__).parents[2] / "lean-project" / "recordings").glob("*.jsonl"))
    for suggester in (build_suggester(recordings=recorded, choose=choose), build_suggester(choose=choose)):
        await suggester.aclose()
    replayed, live = asked
    assert "memory" not in replayed
    assert "memory" in live
