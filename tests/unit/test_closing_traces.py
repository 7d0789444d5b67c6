"""What the editor's search for a proof tries is kept on this machine, where the settings say so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tacit.server.closing import TRACES, Closing
from tacit.server.lean.goals import parse_goals
from tacit.server.prover.events import Expanded, Searched
from tacit.server.prover.traces import pairs, totals
from tacit.server.question import Question
from tacit.server.requests import Run
from tacit.server.suggest import Document, GoalFound, LeanStatus, Options
from tacit.server.text import Position, Span
from tacit.server.values import Candidate, CheckedTactic, Verdict

GOALS = parse_goals("⊢ p")


@pytest.fixture
def run() -> Run:
    made = Run(Question(Document("file:///a.lean", 1, "", Path("/a.lean")), Position(0, 0), Options(30.0, search=True)))
    made.goal = GoalFound(GOALS, Span(0, 0), "one")
    checked = (CheckedTactic(Candidate("simp", "portfolio"), Verdict.FAILS, message="no"),)
    made.events += [made.goal, Expanded(0, GOALS, checked), Searched(False, 1, 1, 1, 0.5, "Stopped after 30 s.")]
    return made


def keep(run: Run) -> None:
    session: Any = SimpleNamespace(status=lambda: LeanStatus("ready", "4.0.0"))
    closing = Closing(cast(Any, None), session)
    closing._keep(run)


def test_a_search_is_kept_as_a_whole(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path))
    keep(run)
    keep(run)
    [file] = (tmp_path / TRACES).iterdir()
    sums = totals([file])
    assert (sums.searches, sums.proved, sums.tried["portfolio"], sums.broken) == (2, 0, 2, 0)
    [tried, _] = pairs([file], tries=True)
    assert (tried["tactic"], tried["goal"], tried["worked"], tried["name"]) == ("simp", "⊢ p", False, "one")


def test_the_module_is_named_so_that_files_can_be_held_out(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "ws" / "Own" / "Basic.lean"
    file.parent.mkdir(parents=True)
    (tmp_path / "ws" / "lakefile.lean").write_text("import Lake\nopen Lake DSL\npackage own\n", encoding="utf-8")
    file.write_text("theorem one : p := by sorry\n", encoding="utf-8")
    inside = replace(run.question.document, uri=file.as_uri(), path=file)
    kept = [run, Run(replace(run.question, document=inside))]
    kept[1].goal, kept[1].events = run.goal, run.events
    for each in kept:
        keep(each)
    [traces] = (tmp_path / "cache" / TRACES).iterdir()
    assert [each.stat().st_mode & 0o077 for each in (traces, traces.parent)] == [0, 0], "for nobody else"
    assert [pair["module"] for pair in pairs([traces], tries=True)] == ["", "Own.Basic"]


def test_a_folder_that_cannot_be_written_costs_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / TRACES).write_text("a file where the folder would be")
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path))
    keep(run)
    assert "Traces could not be written" in caplog.text
