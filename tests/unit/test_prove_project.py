"""`tacit prove FOLDER`: which files are taken, several at a time, and what becomes of those that cannot be used."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tacit.server.cli import main
from tacit.server.errors import LeanDied
from tests.unit.cli_engine import FakeEngine, Tactic


def theorem(name: str) -> str:
    return f"theorem {name} (p : Prop) (h : p) : p := by\n  sorry\n"


ANSWERS = {"one": [Tactic("exact h")], "two": [Tactic("assumption")]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "One.lean").write_text(theorem("one"))
    (tmp_path / "Sub").mkdir()
    (tmp_path / "Sub" / "Two.lean").write_text(theorem("two"))
    (tmp_path / "Done.lean").write_text("-- sorry\n")
    (tmp_path / ".lake").mkdir()
    (tmp_path / ".lake" / "Theirs.lean").write_text(theorem("theirs"))
    (tmp_path / "notes.txt").write_text("sorry")
    return tmp_path


def prove(engine: FakeEngine, *arguments: str) -> int:
    return main(["prove", ".", *arguments], build=lambda _: engine)


def test_every_file_with_a_sorry_is_taken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = FakeEngine(ANSWERS)
    assert prove(engine) == 0
    assert [document.path for document, _, _ in engine.asked] == [folder / "One.lean", folder / "Sub" / "Two.lean"]
    out, err = capsys.readouterr()
    assert "+  exact h" in out
    assert "+  assumption" in out
    assert "✓ closed 2 of 2" in err
    assert (folder / "One.lean").read_text() == theorem("one")


def test_nothing_to_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "One.lean").unlink()
    (folder / "Sub" / "Two.lean").unlink()
    assert prove(FakeEngine()) == 0
    assert capsys.readouterr().err == "There is no `sorry` in ..\n"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_file_that_cannot_be_read_is_told_and_the_others_go_on(
    folder: Path, capsys: pytest.CaptureFixture[str], jobs: str
) -> None:
    (folder / "Broken.lean").write_bytes(b"-- sorry \xff")
    (folder / "Gone.lean").symlink_to(folder / "nowhere.lean")
    engine = FakeEngine(ANSWERS)
    assert prove(engine, "--jobs", jobs, "--write", "--json") == 2
    out, err = capsys.readouterr()
    shown = json.loads(out)
    assert (shown["closed"], shown["total"]) == (2, 2)
    assert shown["amiss"] == ["Broken.lean is not UTF-8 text (byte 9).", "There is no file Gone.lean."]
    assert err.splitlines() == [f"✗ {sentence}" for sentence in shown["amiss"]]
    assert "exact h" in (folder / "One.lean").read_text()


def test_only_files_that_cannot_be_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "One.lean").write_bytes(b"\xff")
    (folder / "Sub" / "Two.lean").unlink()
    assert prove(FakeEngine()) == 2
    assert "✗ One.lean is not UTF-8 text (byte 0).\n" in capsys.readouterr().err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_file_that_cannot_be_written_is_told_and_the_others_are(
    folder: Path, capsys: pytest.CaptureFixture[str], jobs: str
) -> None:
    engine = FakeEngine(ANSWERS, meanwhile=lambda: (folder / "One.lean").write_text("mine"))
    assert prove(engine, "--write", "--jobs", jobs, "--json") == 2
    shown = json.loads(capsys.readouterr().out)
    assert [(file["file"], file["written"]) for file in shown["files"]] == [
        ("One.lean", False),
        (str(Path("Sub") / "Two.lean"), True),
    ]
    [sentence] = shown["amiss"]
    assert sentence.startswith("One.lean changed on disk while Tacit was working; nothing was written.")
    assert (folder / "One.lean").read_text() == "mine"
    assert "assumption" in (folder / "Sub" / "Two.lean").read_text()


def test_files_are_taken_at_once_and_what_is_left_goes_into_them(folder: Path) -> None:
    text = "\n".join(theorem(name) for name in ("one", "two"))
    (folder / "One.lean").write_text(text)
    engine = FakeEngine(ANSWERS)
    assert prove(engine, "--jobs", "4") == 0
    asked = {(document.path.name if document.path else "", document.lane) for document, _, _ in engine.asked}
    assert asked == {("One.lean", 0), ("One.lean", 1), ("Two.lean", 0)}


def test_each_file_is_logged_as_it_is_done(folder: Path, tmp_path: Path) -> None:
    waits = {"one": asyncio.Event()}
    engine = FakeEngine(ANSWERS, waits=waits)
    log = tmp_path / "log.jsonl"

    def meanwhile() -> None:
        if log.exists() and "Two.lean" in log.read_text():
            waits["one"].set()

    engine.meanwhile = meanwhile
    (folder / "Sub" / "Three.lean").write_text(theorem("two"))
    (folder / "Sub" / "Zwei.lean").write_text(theorem("two"))
    assert prove(engine, "--jobs", "2", "--log", str(log)) == 0
    names = [Path(json.loads(line)["file"]).name for line in log.read_text().splitlines()]
    assert sorted(names) == ["One.lean", "Three.lean", "Two.lean", "Zwei.lean"]
    assert names[0] == "Three.lean"


def test_a_line_is_of_one_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prove(FakeEngine(), "--line", "3") == 2
    assert "--line names a line of one file." in capsys.readouterr().err


def test_without_a_lean_that_works_it_is_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    died = LeanDied("Lean died.")
    assert prove(FakeEngine({"one": died, "two": died})) == 3
    assert "✗ Lean died.\n" in capsys.readouterr().err
