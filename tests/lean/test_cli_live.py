"""The command line with a real Lean behind it: what it proves, what it leaves on the disk, and that no Lean is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

TACIT = [sys.executable, "-m", "tacit.server.cli"]
PATIENCE = 60
TEXT = """theorem one (p q : Prop) (hp : p) (hq : q) : p ∧ q := by
  sorry

theorem two (p : Prop) (h : p) : p :=
  sorry

def three : Nat := sorry

theorem four (a b c : Nat) (h : a = b) : a = c := by
  sorry
"""

pytestmark = [pytest.mark.lean, pytest.mark.live, pytest.mark.usefixtures("live_lean")]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "Foo.lean"
    path.write_text(TEXT, encoding="utf-8")
    return path


def tacit(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TACIT, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_doctor_says_that_suggestions_work(file: Path) -> None:
    run = tacit("doctor", "--json")
    assert run.returncode == 0, run.stdout
    assert json.loads(run.stdout)["works"] is True


def test_suggest_closes_and_can_be_applied(file: Path) -> None:
    run = tacit("suggest", "Foo.lean:2", "--json")
    assert run.returncode == 0, run.stderr
    shown = json.loads(run.stdout)
    assert shown["goals"][0]["target"] == "p ∧ q"
    best = shown["suggestions"][0]
    assert (best["verdict"], best["verified"]) == ("closes", True)
    assert best["edit"]["range"]["start"] == {"line": 1, "character": 2}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_prove_writes_is_what_lean_accepts(end: str, file: Path) -> None:
    file.write_bytes(TEXT.replace("\n", end).encode())
    run = tacit("prove", "Foo.lean", "--write", "--budget", "5s")
    assert run.returncode == 1, run.stderr
    assert "closed 2 of 4" in run.stderr
    assert "three  It is data" in run.stderr
    text = file.read_bytes().decode()
    assert text.count("sorry") == 2
    assert text.count("\n") == text.count(end)
    lean = os.environ.get("TACIT_LEAN") or "lean"
    said = subprocess.run([lean, "Foo.lean"], capture_output=True, text=True, check=False).stdout
    assert "error" not in said
    assert said.count("declaration uses") == 2


def test_several_at_once_write_what_one_after_the_other_do(file: Path) -> None:
    file.write_text(
        TEXT + "\ntheorem five (p q : Prop) (h : p ∧ q) : q ∧ p := by\n  constructor\n  · sorry\n  · sorry\n",
        encoding="utf-8",
    )
    one, two = (
        tacit("prove", "Foo.lean", "--json", "--budget", "5s", "--no-model", *more) for more in ([], ["--jobs", "2"])
    )
    assert (one.returncode, two.returncode) == (1, 1), two.stderr
    shown, same = json.loads(one.stdout), json.loads(two.stdout)
    assert shown["closed"] == same["closed"] == 4
    assert shown["diff"] == same["diff"]
    assert [goal["range"] for goal in shown["goals"]] == [goal["range"] for goal in same["goals"]]


def test_a_diff_changes_nothing_by_itself(file: Path) -> None:
    run = tacit("prove", "Foo.lean", "--line", "2")
    assert run.returncode == 0, run.stderr
    assert file.read_text(encoding="utf-8") == TEXT
    assert run.stdout.startswith("--- a/Foo.lean\n")


@pytest.mark.parametrize(
    "command", [["suggest", "Foo.lean:10"], ["prove", "Foo.lean", "--write"], ["demo", "Foo.lean"]]
)
def test_ctrl_c_leaves_no_lean_behind(command: list[str], file: Path) -> None:
    process = subprocess.Popen([*TACIT, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ours: list[psutil.Process] = []
    while not any("--worker" in _arguments(each) for each in ours):
        assert process.poll() is None, process.communicate()
        ours = psutil.Process(process.pid).children(recursive=True)
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert b"Traceback" not in out + err
    assert [each for each in ours if each.is_running() and each.status() != psutil.STATUS_ZOMBIE] == []
    assert file.read_text(encoding="utf-8") == TEXT


def test_a_recording_is_the_same_every_time_and_replays_to_the_same_proofs(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / "Demo").mkdir(parents=True)
    file.rename(folder / "Demo" / "Foo.lean")
    recording = folder / "recordings" / "Foo.jsonl"
    first = tacit("demo", "--record", "--json", str(folder))
    assert first.returncode == 0, first.stderr
    shown = json.loads(first.stdout)
    assert (shown["total"], shown["differ"]) == (4, [])
    text = recording.read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    assert tacit("demo", "--record", str(folder)).returncode == 0
    assert recording.read_text(encoding="utf-8") == text

    live, replayed = (tacit("demo", "--json", *arguments, str(folder)) for arguments in ([], ["--replay"]))
    proofs = [
        {goal["declaration"]: goal["tactic"] for goal in json.loads(run.stdout)["goals"] if goal["closed"]}
        for run in (live, replayed)
    ]
    assert proofs[0] == proofs[1]
    assert {"one", "two"} <= set(proofs[0])
    assert json.loads(live.stdout)["lean"]["live"] is True
    assert json.loads(replayed.stdout)["lean"]["live"] is False


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def test_trace_writes_goals_as_lean_prints_them(file: Path) -> None:
    file.write_text(
        "theorem one (p q : Prop) (hp : p) (hq : q) : p ∧ q := by\n  constructor\n  exact hp\n  exact hq\n\n"
        "theorem wrong (p : Prop) : p := by\n  intro h\n",
        encoding="utf-8",
    )
    run = tacit("train", "trace", "pairs.jsonl", "Foo.lean")
    assert run.returncode == 0, run.stderr
    found = [json.loads(line) for line in Path("pairs.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [each["tactic"] for each in found] == ["constructor", "exact hp", "exact hq"]
    assert found[0]["goal"] == "p q : Prop\nhp : p\nhq : q\n⊢ p ∧ q"
    assert found[2]["goal"].endswith("hq : q\n⊢ q")
    again = tacit("train", "trace", "pairs.jsonl", "Foo.lean", "--json")
    assert (json.loads(again.stdout)["known"], json.loads(again.stdout)["pairs"]) == (1, 0)
