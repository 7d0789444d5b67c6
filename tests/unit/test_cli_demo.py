"""`tacit demo`: the goals of a project, the sidecar it runs (a scripted one), and what it does without Lean."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tacit.index.build import alone
from tacit.server import demo as module
from tacit.server.cli import main
from tacit.server.demo import Wish, demo
from tacit.server.demo_project import open_project, recordings
from tacit.server.demo_search import OF_DEMO, OF_MATHLIB, DemoSearch
from tacit.server.elan import offer
from tacit.server.errors import BadInput
from tacit.server.settings import Settings
from tacit.server.sidecar import Sidecar
from tacit.server.terminal import Terminal
from tests.unit.corpus import write

ROOT = Path(__file__).parents[2]
FAKE = ROOT / "tests" / "protocol" / "fake_suggester.py"
ONE = 'theorem one : p := by\n  sorry\n--! [["goal"], ["found", "simp", {"left": 2}], ["found", "exact 𝕜"]]\n'
TWO = 'example : p := by\n  sorry\n--! [["goal"], ["found", "simp", {"verdict": "progresses", "left": 1}]]\n'
BY_PREMISE = '["found", "exact foo", {"source": "premises"}]'
ONE = ONE.replace('{"left": 2}', '{"verdict": "progresses", "left": 2}')


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "lean-project"
    (folder / "Demo" / "More").mkdir(parents=True)
    (folder / "Demo" / "One.lean").write_text(ONE, encoding="utf-8")
    (folder / "Demo" / "More" / "Two.lean").write_text(TWO, encoding="utf-8")
    (folder / "Demo" / "Done.lean").write_text("-- sorry\n")
    (folder / "Demo" / ".lake").mkdir()
    (folder / "Demo" / ".lake" / "Hidden.lean").write_text("example : p := sorry")
    (folder / "Other.lean").write_text("example : p := sorry")
    lean = tmp_path / "lean"
    lean.write_text("#!/bin/sh\necho 'Lean (version 4.27.0, Release)'\n")
    lean.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TACIT_LEAN", str(lean))
    monkeypatch.setenv("TACIT_FAKE_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MATHLIB", raising=False)
    monkeypatch.setattr("tacit.server.demo_search.CHEAP", 0)  # words alone: no encoder in a unit test
    monkeypatch.setattr("tacit.server.demo_search.stop_cleanly", lambda: None)
    return folder


@pytest.fixture
def without_lean(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TACIT_LEAN")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("HOME", str(tmp_path))
    return project


def fake(arguments: list[str]) -> Sidecar:
    assert arguments == ["serve"]
    return Sidecar([], [sys.executable, str(FAKE)])


def test_the_goals_of_a_project(project: Path) -> None:
    found = open_project(None)
    assert found.folder == project
    assert [(file.name, file.recording) for file in found.files] == [
        ("Demo/More/Two.lean", "More.Two.jsonl"),
        ("Demo/One.lean", "One.jsonl"),
    ]
    assert [(goal.declaration, goal.position.line) for _, goal in found.goals] == [("example", 1), ("one", 1)]


def test_a_file_of_a_project_or_a_folder_without_one(project: Path, tmp_path: Path) -> None:
    found = open_project(project / "Demo" / "One.lean")
    assert (found.folder, [file.name for file in found.files]) == (project, ["Demo/One.lean"])
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "A.lean").write_text("example : p := sorry")
    assert [file.name for file in open_project(tmp_path / "plain").files] == ["A.lean"]


def test_what_is_no_project_is_said(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match=r"There is no .*gone"):
        open_project(tmp_path / "gone")
    with pytest.raises(BadInput, match="nothing to show"):
        open_project(project / "Demo" / "Done.lean")
    with pytest.raises(BadInput, match="no recordings"):
        recordings(project)
    (tmp_path / "far").mkdir()
    monkeypatch.chdir(tmp_path / "far")
    project.rename(tmp_path / "elsewhere")
    monkeypatch.setattr("tacit.server.demo_project.__file__", str(tmp_path / "far" / "server" / "demo_project.py"))
    assert main(["demo"]) == 2


def test_one_line_a_goal_and_a_summary(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo(Terminal(), Settings(), Wish(search=False), start=fake) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("✗ Demo/More/Two.lean:2  example  best: simp (1 goal left)  ")
    assert out[1].startswith("✓ Demo/One.lean:2       one      exact 𝕜  ")
    assert out[1].endswith(" s  (fixed)")
    assert out[2].startswith("closed 1 of 2 goals in ")
    assert out[2].endswith(" · Lean 4.27.0")
    assert [line.split()[0] for line in out[3:]] == ["first", "whole", "closed"]
    assert out[-1].endswith("fixed 1")


def test_without_the_model_the_sidecar_is_told(project: Path) -> None:
    def without(arguments: list[str]) -> Sidecar:
        assert arguments == ["serve", "--no-model"]
        return fake(["serve"])

    assert demo(Terminal(), Settings(model_path="off"), Wish(limit=1, search=False), start=without) == 0


def test_the_sidecar_is_asked_as_an_editor_asks_and_ended_in_order(project: Path, tmp_path: Path) -> None:
    demo(Terminal(), Settings(), Wish(limit=1, budget=3, search=False), start=fake)
    log = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    events = [entry["event"] for entry in log]
    assert events.count("suggest") == 1
    assert events[-1] == "aclose"
    asked = next(entry for entry in log if entry["event"] == "suggest")
    assert (asked["line"], asked["column"], asked["budget"]) == (1, 2, 3)
    child = next(entry for entry in log if entry["event"] == "built")["child"]
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo(Terminal(), Settings(), Wish(as_json=True), start=fake) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["closed"], shown["total"], shown["sources"]) == (1, 2, {"fixed": 1})
    assert shown["lean"] == {"version": "4.27.0", "live": True}
    assert [(goal["tactic"], goal["closed"], goal["goalsLeft"]) for goal in shown["goals"]] == [
        ("simp", False, 1),
        ("exact 𝕜", True, 0),
    ]
    assert set(shown["times"]["first"]) == {"p50", "p95"}


def test_a_sidecar_that_does_not_start_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_: list[str]) -> Sidecar:
        return Sidecar([], [sys.executable, "-c", "import sys; sys.exit('no such thing')"])

    with pytest.raises(Exception, match=r"The sidecar .* It said: no such thing"):
        demo(Terminal(), Settings(), Wish(), start=broken)


def test_neither_lean_nor_recordings_is_3(without_lean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", str(without_lean)]) == 3
    assert "No recordings are in" in capsys.readouterr().err


def test_a_lean_that_was_named_and_is_none_is_never_replaced_by_recordings(project: Path) -> None:
    (project / "recordings").mkdir()
    (project / "recordings" / "One.jsonl").touch()
    assert main(["demo", "--lean", "/nowhere/lean"]) == 3


def test_without_lean_the_recordings_are_served_and_every_line_says_so(
    without_lean: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (without_lean / "recordings").mkdir()
    # A recording with nothing in it: every question is one that was never asked of a real Lean.
    (without_lean / "recordings" / "One.jsonl").write_text('{"format": 1, "lean": "4.27.0"}\n')
    assert main(["demo", "--no-search", str(without_lean)]) == 3  # for there was nothing to show
    out, err = capsys.readouterr()
    lines = out.splitlines() + err.splitlines()
    assert len(lines) >= 4
    assert "they must be made again" in err
    notice = "replayed from Lean 4.27.0; install Lean to run on your own goals: https://lean-lang.org/install"
    assert all(notice in line for line in lines), out


@pytest.mark.parametrize("arguments", [["--record", "--limit", "1"], ["--record", "--replay"]])
def test_a_recording_is_of_whole_files_by_a_live_lean(arguments: list[str], project: Path) -> None:
    assert main(["demo", *arguments]) == 2


class Asked(Terminal):
    """A terminal where somebody sits and answers."""

    def __init__(self, answer: bool) -> None:
        super().__init__()
        self.answer = answer
        self.questions = 0

    @property
    def interactive(self) -> bool:
        return True

    def ask(self, question: str) -> bool:
        self.questions += 1
        return self.answer


Reachable = Callable[[bool], None]


@pytest.fixture
def reachable(monkeypatch: pytest.MonkeyPatch) -> Reachable:
    return lambda is_: monkeypatch.setattr("tacit.server.elan._reachable", lambda host: is_)


def test_lean_is_installed_only_after_a_yes(
    project: Path, tmp_path: Path, reachable: Reachable, monkeypatch: pytest.MonkeyPatch
) -> None:
    reachable(True)
    monkeypatch.setenv("ELAN_HOME", str(tmp_path / "elan"))
    command = "mkdir -p $ELAN_HOME/bin && cp $TACIT_LEAN $ELAN_HOME/bin/lean"
    assert not offer(Asked(False), project, command=command)
    assert not (tmp_path / "elan").exists()
    assert offer(Asked(True), project, command=command)
    assert (tmp_path / "elan" / "bin" / "lean").exists()


def test_an_installer_that_fails_is_said(
    project: Path, reachable: Reachable, capsys: pytest.CaptureFixture[str]
) -> None:
    reachable(True)
    assert not offer(Asked(True), project, command="(exit 7) | cat")
    assert "The installer failed (exit status 7)" in capsys.readouterr().err


def test_offline_nobody_is_asked(project: Path, reachable: Reachable, capsys: pytest.CaptureFixture[str]) -> None:
    reachable(False)
    terminal = Asked(True)
    assert not offer(terminal, project)
    assert terminal.questions == 0
    assert "cannot be reached" in capsys.readouterr().err


def test_after_the_installation_lean_is_used(without_lean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def installs(*_: object) -> bool:
        monkeypatch.setenv("TACIT_LEAN", str(without_lean.parent / "lean"))
        monkeypatch.setenv("PATH", os.defpath)
        return True

    monkeypatch.setattr(module, "offer", installs)
    assert demo(Asked(True), Settings(), Wish(limit=1), start=fake) == 0


# ---------------------------------------------------------------- search


LIBRARY = {
    "TacitDemo/Monoid.lean": "/-- Exponents add up. -/\ntheorem pow_add (a : M) (m n : Nat) :\n"
    "    pow a (m + n) = pow a m * pow a n := sorry\n",
}


def sections(capsys: pytest.CaptureFixture[str]) -> tuple[list[str], list[str], list[str]]:
    """What was printed before the goals, of the goals, and of the searches."""
    lines = capsys.readouterr().out.splitlines()
    searching = next(n for n, line in enumerate(lines) if line.startswith("searching "))
    goals = next(n for n, line in enumerate(lines) if line.startswith(("✓ ", "✗ ")))
    return lines[:goals], lines[goals:searching], lines[searching:]


def test_it_indexes_what_is_there_and_shows_searches(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, LIBRARY)
    assert demo(Terminal(), Settings(), Wish(), start=fake) == 0
    before, goals, searches = sections(capsys)
    assert [line.split("  ")[0] for line in before] == ["indexed lean-project"]
    assert "5 files read" in before[0]
    assert "closed 1 of 2 goals" in "\n".join(goals)
    styles = [line.split("  ")[1] for line in searches if line.endswith(" ms")]
    assert styles == [each.style for each in OF_DEMO]
    latex = next(n for n, line in enumerate(searches) if line.startswith("  LaTeX"))
    assert searches[latex + 1].split() == ["1", "pow_add", *"pow a (m + n) = pow a m * pow a n".split()]
    assert demo(Terminal(), Settings(), Wish(), start=fake) == 0
    assert "nothing new" in sections(capsys)[0][0]


def test_with_mathlib_its_questions_are_asked(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "m", {"Mathlib/Order.lean": "theorem Nat.exists_prime_and_dvd : p := sorry\n"})
    (tmp_path / "m" / "lakefile.toml").write_text('name = "mathlib"\n[[lean_lib]]\nname = "Mathlib"\n')
    monkeypatch.setenv("MATHLIB", str(tmp_path / "m"))
    assert demo(Terminal(), Settings(), Wish(as_json=True), start=fake) == 0
    found = json.loads(capsys.readouterr().out)["search"]
    assert found["packages"] == ["lean-project", "mathlib"]
    assert [each["question"] for each in found["questions"]] == [each.text for each in OF_MATHLIB]
    assert found["questions"][-1]["answers"][0]["name"] == "Nat.exists_prime_and_dvd"
    # Mathlib is indexed after the goals: nobody waits for it before the first one.
    assert demo(Terminal(), Settings(), Wish(), start=fake) == 0
    before, goals, _ = sections(capsys)
    assert not any("mathlib" in line for line in before)
    assert any(line.startswith("indexed mathlib") for line in goals)


def test_the_sources_of_the_lean_that_runs_are_searched_too(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = tmp_path / "toolchain"
    (prefix / "bin").mkdir(parents=True)
    (tmp_path / "lean").rename(prefix / "bin" / "lean")
    write(prefix / "src" / "lean", {"Init.lean": "", "Init/Core.lean": "theorem le_of_lt_succ : 1 = 1 := rfl\n"})
    monkeypatch.setenv("TACIT_LEAN", str(prefix / "bin" / "lean"))
    monkeypatch.delenv("TACIT_LEAN_SOURCES")
    assert demo(Terminal(), Settings(), Wish(as_json=True), start=fake) == 0
    found = json.loads(capsys.readouterr().out)["search"]
    assert found["packages"] == ["lean-project", "lean4"]
    assert found["questions"][-1]["answers"][0]["name"] == "le_of_lt_succ"


def test_the_questions_fit_what_comes_with_tacit(project: Path, tmp_path: Path) -> None:
    """Each finds what it is about in the library of the real demo project, by words alone."""
    search = DemoSearch(Terminal(), ROOT / "lean-project", None, quiet=True)
    search.prepare()
    best = {each["style"]: each["answers"][0]["name"] for each in search.run()["questions"]}
    right = {
        "English": {"TacitDemo.lift_unique"},
        "LaTeX": {"TacitDemo.pow_add", "Demo.power_add"},  # the same, of monoids and of groups
        "Lean": {"TacitDemo.Commute.mul_pow"},
        "pattern": {"TacitDemo.prod_append"},
        "part of a name": {"TacitDemo.sorted_orderedInsert"},
    }
    assert {style for style, name in best.items() if name not in right[style]} == set()
    assert best.keys() == right.keys()


def test_another_builder_at_work_does_not_stop_the_demo(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    search = DemoSearch(Terminal(), project, None)
    search.prepare()
    with alone(next((project.parent / "cache" / "index").glob("*.db"))):
        search.prepare()
        assert "Another process is building" in capsys.readouterr().err
        assert search.run()["declarations"] > 0


def test_a_goal_that_a_premise_closed_is_pointed_out(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "Demo" / "One.lean").write_text(ONE.replace('["found", "exact 𝕜"]', BY_PREMISE), encoding="utf-8")
    assert demo(Terminal(), Settings(), Wish(search=False), start=fake) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "closed by a premise" in line)
    assert line.split()[-3:] == ["Demo/One.lean:2", "exact", "foo"]
