"""`tacit eval premises`: which theorems are asked for, what counts as right, how it is counted."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tacit.server.cli import main
from tacit.server.eval_premises import Tally, held_out
from tests.unit.corpus import write

BASE = """
theorem mul_comm (a b : G) : a * b = b * a := sorry
theorem add_comm (a b : G) : a + b = b + a := sorry
"""
HELD = next(f"Top.Held{n}" for n in range(100) if held_out(f"Top.Held{n}"))
KEPT = next(f"Top.Kept{n}" for n in range(100) if not held_out(f"Top.Kept{n}"))


def test_recall_rank_and_gain() -> None:
    tally = Tally()
    tally.add(["x", "a", "a", "b"], frozenset({"a", "b"}))
    tally.add([f"n{n}" for n in range(20)] + ["c"], frozenset({"c"}))
    tally.add([], frozenset({"d"}))
    found = tally.means()
    assert found["recall@10"] == pytest.approx(1 / 3)
    assert found["recall@32"] == pytest.approx(2 / 3)
    assert found["mrr"] == pytest.approx((1 / 2 + 1 / 21) / 3)
    first = (1 / math.log2(3) + 1 / math.log2(4)) / (1 + 1 / math.log2(3))
    assert found["ndcg@32"] == pytest.approx((first + 1 / math.log2(22)) / 3)


def test_a_fifth_of_all_files_is_held_out() -> None:
    assert 150 < sum(held_out(f"Mathlib.Some.File{n}") for n in range(1000)) < 250


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MATHLIB", raising=False)
    root = tmp_path / "work"
    write(root, {"lakefile.toml": 'name = "top"\n[[lean_lib]]\nname = "Top"\n', "Top/Base.lean": BASE})
    monkeypatch.chdir(root)
    return root


def run(*arguments: str) -> int:
    return main(["eval", "premises", *arguments])


def test_theorems_of_held_out_files_are_asked_for(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = "import Top.Base\ntheorem one (a b : G) : a * b * 1 = b * a * 1 := by rw [mul_comm a b]\n"
    write(workspace, {f"{name.replace('.', '/')}.lean": proof for name in (HELD, KEPT)})
    assert main(["index", "build", "--no-vectors", str(workspace)]) == 0
    capsys.readouterr()
    assert run("--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["theorems"], report["named"]) == (1, 1)
    assert report["sources"]["all together"]["recall@10"] == 1
    assert report["sources"]["neighbours"]["recall@32"] == 0
    assert run() == 0
    shown = capsys.readouterr()
    assert "all together" in shown.out
    assert "1 theorems of held-out files" in shown.err


def test_without_such_theorems_it_says_so(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["index", "build", "--no-vectors", str(workspace)]) == 0
    assert run() == 2
    assert "No theorem here has a proof that names another one." in capsys.readouterr().err


def test_without_an_index_it_says_what_to_do(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 2
    assert "tacit index build" in capsys.readouterr().err
