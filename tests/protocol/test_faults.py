"""The fault suite works: a few faults of a scripted Lean, and what it would say of a sidecar that is not well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults import checks, report, runner
from tests.faults.catalogue import FAULTS
from tests.faults.fault import Fault, Told, When
from tests.faults.runner import Outcome, Plan

SAMPLE = [
    ("lean: All of Lean ends by SIGKILL", When.BUSY),
    ("lean: Lean sends JSON of any shape", When.IDLE),
    ("lean: Lean is removed", When.IDLE),
]


def named(title: str) -> Fault:
    return next(each for each in FAULTS if each.title == title)


@pytest.mark.parametrize(("title", "when"), SAMPLE)
async def test_a_fault_is_survived(title: str, when: When) -> None:
    outcome = await runner.run(Plan("1", ((named(title), when),)), lean=None)
    assert outcome.wrong == []
    assert outcome.recovery is not None


def test_a_seed_says_which_faults_are_mixed() -> None:
    plans = runner.mixed(FAULTS, 7, 20)
    assert plans == runner.mixed(FAULTS, 7, 20)
    assert plans != runner.mixed(FAULTS, 8, 20)
    assert all(2 <= len(plan.faults) <= 4 and plan.kind == runner.MIXED for plan in plans)


def test_every_fault_says_what_must_be_said() -> None:
    assert len({each.title for each in FAULTS}) == len(FAULTS)
    for each in FAULTS:
        assert each.says or each.told is Told.QUIET, each.title


def message(text: str, method: str = "window/showMessage") -> dict[str, Any]:
    return {"method": method, "params": {"type": 1, "message": text}}


@pytest.mark.parametrize(
    ("heard", "wrong"),
    [
        ([message("lean cannot be started: no such file.")], None),
        ([message("lean cannot be started: no such file.", "window/logMessage")], "was not shown"),
        ([], "was not shown"),
        ([message("cannot be started: 3 bytes."), message("cannot be started: 4 bytes.")], "shown 2 times"),
        ([message("cannot be started."), message("Something else.")], "2 messages for 1 fault"),
    ],
    ids=["once", "only logged", "never", "twice", "two"],
)
def test_what_the_user_is_told_is_judged(heard: list[dict[str, Any]], wrong: str | None) -> None:
    found = checks.telling([named("lean: Lean is removed")], heard)
    assert any(wrong in each for each in found) if wrong else found == []


def test_one_of_several_faults_may_hide_the_others_but_not_all() -> None:
    two = [named("lean: Lean is removed"), named("model: Every worker ends at its first word")]
    assert checks.telling(two, [message("lean cannot be started: no such file.")]) == []
    assert len(checks.telling(two, [])) == 2


def test_a_sentence_in_a_status_or_an_answer_is_one_that_was_said() -> None:
    heard = [{"id": 3, "result": {"lean": {"sentence": "A."}, "notice": "B."}}, message("C.", "window/logMessage")]
    assert set(checks.said(heard)) == {"A.", "B.", "C."}


def test_harm_to_the_users_files_and_to_indexes_is_seen(tmp_path: Path) -> None:
    for name in ("same", "changed", "lost"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    before = checks.user_files(tmp_path)
    (tmp_path / "changed").write_text("!", encoding="utf-8")
    (tmp_path / "lost").unlink()
    (tmp_path / "made").touch()
    found = checks.changed_files(before, checks.user_files(tmp_path))
    assert found == [f"the user's file {name} was {name}" for name in ("changed", "lost", "made")]
    (tmp_path / "index.db").write_bytes(b"SQLite format 3\0" + bytes(100))
    assert any("index.db" in each for each in checks.unsound(tmp_path))


def test_a_failure_names_its_seed_and_its_faults() -> None:
    plan = Plan("7/3", tuple((named(title), when) for title, when in SAMPLE))
    said = report.line(Outcome(plan, 2.0, ["it hangs"]))
    assert all(part in said for part in ("FAIL", "it hangs", "seed 7/3", *(title for title, _ in SAMPLE)))
    table = report.table([Outcome(plan, 2.0, ["it hangs"]), Outcome(plan, 1.0)])
    assert "| mixed | 6 | 3 | 1.50 s |" in table
