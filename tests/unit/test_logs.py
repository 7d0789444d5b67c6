"""The log of a process: what a line holds and what it leaves out, repetitions, files and their bounds, hooks."""

from __future__ import annotations

import gc
import json
import logging
import os
import stat
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tacit.server import logs
from tacit.server.errors import BadInput
from tacit.server.log_lines import JsonLines, PlainLines, Repeats
from tests.unit.test_index_crashes import full_disk

log = logging.getLogger("tacit.server.test")
GOAL = "secretLemma : a ∣ b ⊢ a ≤ b"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("TACIT_LOG", raising=False)
    yield tmp_path / "logs"
    logs.end()


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for each in sorted(folder.glob("*.log")) for line in each.read_text().splitlines()]


def raised(error: Exception) -> Exception:
    """The error, as something far below has raised it."""

    def below(given: str) -> None:
        raise error

    try:
        below(GOAL)
    except Exception as caught:
        return caught
    raise AssertionError


def record(message: str, *args: object, level: int = logging.ERROR, name: str = "tacit.x") -> logging.LogRecord:
    return logging.LogRecord(name, level, "x.py", 1, message, args, None)


# ---------------------------------------------------------------- lines


def test_a_line_is_an_object_with_time_level_place_and_process(folder: Path) -> None:
    logs.begin("serve", folder)
    log.warning("Lean %s\ndied", "4.27.0")
    [line] = lines(folder)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "in": "tacit.server.test",
        "process": f"serve {os.getpid()}",
        "said": "Lean 4.27.0 died",
    }


def test_an_exception_is_its_type_and_where_it_passed_but_not_what_it_quotes(folder: Path) -> None:
    logs.begin("serve", folder)
    log.error("background work failed", exc_info=raised(ValueError(GOAL)))
    [line] = lines(folder)
    [error] = line["error"]
    assert error["type"] == "ValueError"
    assert "said" not in error
    assert [each.rpartition(" ")[2] for each in error["at"]] == ["raised", "below"]
    assert all(not each.startswith("/") for each in error["at"])
    assert "secretLemma" not in next(folder.glob("*.log")).read_text()


def test_what_an_exception_came_of_is_told_behind_it() -> None:
    cause = raised(KeyError(GOAL))
    error = raised(BadInput("The file cannot be used."))
    error.__cause__ = cause
    made = record("failed")
    made.exc_info = (type(error), error, error.__traceback__)
    told = json.loads(JsonLines("serve 1").format(made))["error"]
    assert [(each["type"], each.get("said")) for each in told] == [
        ("tacit.server.errors.BadInput", "The file cannot be used."),
        ("KeyError", None),
    ]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (AttributeError("'NoneType' object has no attribute 'goal'"), "'NoneType' object has no attribute 'goal'"),
        (FileNotFoundError(2, "No such file or directory", "/x"), "No such file or directory: /x"),
        (UnicodeEncodeError("utf-8", GOAL, 0, 1, "no"), None),
        (RuntimeError(GOAL), None),
        (type("Own", (AttributeError,), {})(GOAL), None),
    ],
)
def test_only_words_of_python_and_the_system_are_kept(error: Exception, said: str | None) -> None:
    made = record("failed")
    made.exc_info = (type(error), error, None)
    assert json.loads(JsonLines("serve 1").format(made))["error"][0].get("said") == said


def test_at_the_level_debug_everything_is_quoted(folder: Path) -> None:
    logs.begin("serve", folder, level="debug")
    log.error("failed", exc_info=raised(ValueError(GOAL)))
    assert lines(folder)[0]["error"][0]["said"] == GOAL


def test_of_a_library_only_its_own_words_are_kept(folder: Path) -> None:
    logs.begin("serve", folder)
    library = logging.getLogger("some.library")
    library.error("could not parse %s", GOAL)
    library.error(f"Task exception was never retrieved\nfuture: <Task exception=ValueError({GOAL!r})>")
    library.info("nothing that matters")
    assert [each["said"] for each in lines(folder)] == ["could not parse %s", "Task exception was never retrieved"]


def test_a_person_reads_the_same_in_lines() -> None:
    error = raised(ValueError(GOAL))
    made = record("%s failed", "it")
    made.exc_info = (type(error), error, error.__traceback__)
    first, kind, *places = PlainLines("").format(made).split("\n")
    assert first.endswith("ERROR tacit.x: it failed")
    assert kind == "  ValueError"
    assert len(places) == 2
    assert all(each.startswith("    at ") for each in places)


# ---------------------------------------------------------------- repetitions


def test_what_repeats_is_counted() -> None:
    repeats = Repeats(clock=lambda: 0.0)
    written = [each for _ in range(123) for each in repeats.take(record("no disk"))]
    assert len(written) == 3  # the 1st, the 10th, the 100th
    assert [each.repeated for each in repeats.rest()] == [123]  # type: ignore[attr-defined]
    assert list(repeats.rest()) == []


def test_what_repeats_after_a_while_is_news() -> None:
    now = [0.0]
    repeats = Repeats(clock=lambda: now[0])
    assert len(list(repeats.take(record("no disk")))) == 1
    assert list(repeats.take(record("no disk"))) == []
    now[0] = 601.0
    [again] = repeats.take(record("no disk"))
    assert again.repeated == 3  # type: ignore[attr-defined]


def test_other_words_levels_and_places_are_not_the_same() -> None:
    repeats = Repeats()
    others = [record("a %s", 1), record("a %s", 2), record("a %s", 1, level=30), record("a %s", 1, name="tacit.y")]
    assert sum(len(list(repeats.take(each))) for each in others) == 4


def test_counting_keeps_nothing_alive_that_an_exception_holds() -> None:
    class Large:
        pass

    def fail() -> None:
        held.append(weakref.ref(large := Large()))
        raise ValueError(str(large))

    held: list[weakref.ref[Large]] = []
    repeats = Repeats()
    for _ in range(2):
        try:
            fail()
        except ValueError as error:
            made = record("failed")
            made.exc_info = (type(error), error, error.__traceback__)
            list(repeats.take(made))
            del made
    gc.collect()
    assert [each() for each in held] == [None, None]
    [again] = repeats.rest()
    line = json.loads(JsonLines("serve 1").format(again))
    assert (line["said"], line["repeated"], line["error"][0]["type"]) == ("failed", 2, "ValueError")


def test_counting_takes_bounded_room_and_forgets_no_count() -> None:
    repeats = Repeats()
    for _ in range(2):
        list(repeats.take(record("first")))
    told = [each for number in range(5_000) for each in repeats.take(record("message %d", number))]
    assert [each.repeated for each in told if hasattr(each, "repeated")] == [2]


def test_the_count_is_written_when_the_process_ends(folder: Path) -> None:
    logs.begin("serve", folder)
    for _ in range(5):
        log.error("no disk")
    logs.end()
    assert [each.get("repeated") for each in lines(folder)] == [None, 5]


# ---------------------------------------------------------------- levels


@pytest.mark.parametrize(
    ("level", "kept"),
    [("off", ""), ("error", "E"), ("warning", "WE"), ("info", "IWE"), ("debug", "DIWE"), ("", "IWE")],
)
def test_the_level_says_what_is_kept(level: str, kept: str, folder: Path) -> None:
    logs.begin("serve", folder, level=level)
    for write, what in ((log.debug, "D"), (log.info, "I"), (log.warning, "W"), (log.error, "E")):
        write(what)
    assert "".join(each["said"] for each in lines(folder)) == kept
    assert (logs.where() is None) == (level == "off")


def test_the_environment_says_it_where_the_settings_do_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TACIT_LOG", "Error")
    logs.begin("serve", folder)
    log.warning("one")
    logs.set_level("warning")
    log.warning("two")
    logs.set_level("")
    log.warning("three")
    assert [each["said"] for each in lines(folder)] == ["two"]


def test_a_level_that_is_none_is_remarked_on_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TACIT_LOG", "loud")
    logs.begin("serve", folder)
    log.info("kept")
    assert [each["said"] for each in lines(folder)] == [
        "TACIT_LOG names no level; it may be one of off, error, warning, info, debug",
        "kept",
    ]


def test_afterwards_logging_is_as_it_was(folder: Path) -> None:
    root, own = logging.getLogger(), logging.getLogger("tacit")
    before = root.level, own.level, list(root.handlers), sys.excepthook, threading.excepthook
    logs.begin("serve", folder, level="debug")
    logs.begin("serve", folder, level="error")
    logs.end()
    assert (root.level, own.level, list(root.handlers), sys.excepthook, threading.excepthook) == before


# ---------------------------------------------------------------- files


def test_only_the_user_may_read_it(folder: Path) -> None:
    logs.begin("serve", folder)
    log.error("x")
    [file] = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_nothing_is_made_until_there_is_something_to_say(folder: Path) -> None:
    logs.begin("serve", folder)
    assert logs.where() is None
    assert not folder.exists()


def test_a_file_is_bounded_and_its_older_parts_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LARGEST", 4096)
    logs.begin("serve", folder)
    for number in range(400):
        log.info("message %d", number)
    parts = sorted(each.name.partition(".log")[2] for each in folder.iterdir())
    assert parts == ["", ".1", ".2", ".3"]
    assert all(each.stat().st_size <= 4096 for each in folder.iterdir())
    assert lines(folder)[-1]["said"] == "message 399"


def test_old_logs_go_and_those_of_running_processes_stay(tmp_path: Path) -> None:
    for number in range(20):
        for part in ("", ".1"):
            file = tmp_path / f"serve-20260101T0000{number:02}-{1000 + number}.log{part}"
            file.write_text("x")
            os.utime(file, (number, number))
    other = tmp_path / "index-20250101T000000-5.log"
    other.write_text("x")
    foreign = tmp_path / "notes.txt"
    foreign.write_text("x")
    logs.tidy(tmp_path, lambda pid: pid == 1000)
    left = {int(each.name.partition(".log")[0][-4:]) for each in tmp_path.glob("serve-*")}
    assert left == {1000, *range(1013, 1020)}
    assert other.exists()
    assert foreign.exists()


def test_a_folder_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LARGEST_FOLDER", 250)
    for number in range(4):
        file = tmp_path / f"serve-20260101T00000{number}-{1000 + number}.log"
        file.write_text("x" * 100)
        os.utime(file, (number, number))
    logs.tidy(tmp_path, lambda pid: False)
    assert sorted(each.name[-8:-4] for each in tmp_path.iterdir()) == ["1002", "1003"]


def test_a_log_that_cannot_be_written_is_said_once_and_nothing_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TACIT_LOG", raising=False)
    (tmp_path / "logs").write_text("in the way")
    logs.begin("serve", tmp_path / "logs")
    try:
        for number in range(3):
            log.error("message %d", number)
    finally:
        logs.end()
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "cannot be written" in err
    assert err.endswith("Tacit goes on without it.\n")


def test_a_link_in_its_place_is_not_followed(folder: Path, tmp_path: Path) -> None:
    begun = logs.begin("serve", folder)
    folder.mkdir()
    begun.path.symlink_to(tmp_path / "elsewhere")
    log.error("x")
    assert not (tmp_path / "elsewhere").exists()


def test_each_process_has_a_file_of_its_own_and_can_be_found(folder: Path) -> None:
    code = (
        "import sys, logging; from pathlib import Path; from tacit.server import logs\n"
        "logs.begin('index', Path(sys.argv[1])); logging.getLogger('tacit.x').error('%s', sys.argv[2])"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(folder), str(n)]) for n in range(3)]
    for each in started:
        assert each.wait() == 0
    for number, each in enumerate(started):
        file = logs.of_process(folder, "index", each.pid)
        assert file is not None
        [line] = [json.loads(text) for text in file.read_text().splitlines()]
        assert (line["said"], line["process"]) == (str(number), f"index {each.pid}")
    assert logs.of_process(folder, "serve", started[0].pid) is None


# ---------------------------------------------------------------- what nobody catches

ENDS = f"""
import sys, threading
from pathlib import Path
from tacit.server import logs
from tacit.server.logs import on_stderr
logs.begin("serve", Path(sys.argv[1]), terminal=on_stderr(30))
def fail():
    raise ValueError({GOAL!r})
if sys.argv[2] == "thread":
    thread = threading.Thread(target=fail, name="reader")
    thread.start()
    thread.join()
else:
    fail()
"""


@pytest.mark.parametrize(("where", "name", "status"), [("process", "serve", 1), ("thread", "reader", 0)])
def test_what_nobody_catches_is_in_the_log_once_and_one_sentence_names_it(
    where: str, name: str, status: int, folder: Path
) -> None:
    ran = subprocess.run([sys.executable, "-c", ENDS, str(folder), where], capture_output=True, text=True, check=False)
    assert ran.returncode == status
    [file] = folder.iterdir()
    assert ran.stderr == f"{name} ended by an error inside Tacit (ValueError). {file} says more.\n"
    [line] = lines(folder)
    assert line["level"] == "critical"
    assert line["error"][0]["type"] == "ValueError"
    assert line["error"][0]["at"][-1].endswith(" fail")
    assert "secretLemma" not in file.read_text()


def test_a_disk_that_is_full_at_the_end_ends_nothing_with_an_error(folder: Path) -> None:
    begun = logs.begin("serve", folder, hooks=False)
    log.warning("one")
    with full_disk(0):
        log.warning("two")
        logs.end()
    assert begun is not logs.begin("serve", folder, hooks=False)
