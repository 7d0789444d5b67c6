"""What was accepted is kept on disk, and survives crashes, other versions and too much of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tacit.server import memory_store
from tacit.server.memory_proofs import ACCEPTED, Known, Step
from tacit.server.memory_store import append, load, store_of


def known(number: int = 0) -> Known:
    return Known(f"n : ℕ\n⊢ n + {number} = n", "t", "A", ("Nat",), (Step("simp", ACCEPTED, "intro"),))


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "memory" / "own.jsonl"
    append(file, "A.lean", known(1))
    append(file, "B.lean", known(2))
    assert load(file) == [("A.lean", known(1)), ("B.lean", known(2))]


def test_without_a_file_nothing_is_kept(tmp_path: Path) -> None:
    assert load(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize(
    "damage", ['{"schema": 1, "file', "[]\n", '{"schema": 2}\n', "null\n", "\x00\xff\n", "[" * 9_999]
)
def test_a_damaged_line_costs_that_line_alone(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "own.jsonl"
    append(file, "A.lean", known(1))
    with file.open("a", encoding="utf-8") as lines:
        lines.write(damage)
    append(file, "A.lean", known(2))
    assert [each.goal for _, each in load(file)] == [known(1).goal, known(2).goal]


def test_it_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_store, "MOST", 8)
    file = tmp_path / "own.jsonl"
    for number in range(100):
        append(file, "A.lean", known(number))
    assert [each for _, each in load(file)] == [known(number) for number in range(92, 100)]
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 11
    assert list(tmp_path.iterdir()) == [file]


def test_each_workspace_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path))
    files = {store_of(Path(each)) for each in ("/a/own", "/b/own", "/a/über own")}
    assert len(files) == 3
    assert {each.parent for each in files} == {tmp_path / "memory"}
