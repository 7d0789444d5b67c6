"""The command line as a whole: arguments, exit statuses, errors, and how it ends when it is told to."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tacit.server.cli import main
from tacit.server.command import duration
from tacit.server.errors import BadInput, LeanDied, LeanNotFound, NoGoal, TacitError
from tacit.server.settings import Settings
from tests.unit.cli_engine import FakeEngine, Tactic

HEAVY = ["rich", "pygls", "lsprotocol", "leanclient", "psutil", "asyncio", "numpy", "sqlite3"]
TEXT = "theorem foo (p : Prop) (h : p) : p := by\n  sorry\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "Foo.lean"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_help_imports_nothing_that_takes_time() -> None:
    code = f"""
        import sys
        from tacit.server.cli import main
        try:
            main(["--help"])
        except SystemExit:
            pass
        print([name for name in {HEAVY} if name in sys.modules])
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert run.stdout.endswith("[]\n")
    for command in ("suggest", "prove", "search", "index", "eval", "models", "doctor", "demo", "serve"):
        assert command in run.stdout


@pytest.mark.parametrize("command", ["suggest", "prove", "search", "index", "models", "doctor", "demo"])
def test_each_command_documents_its_exit_statuses(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert "exit status:" in capsys.readouterr().out


def test_without_a_command_it_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage: tacit" in capsys.readouterr().err


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("tacit 0.")


@pytest.mark.parametrize(
    "arguments",
    [
        ["suggest"],
        ["suggest", "F:1", "--budget", "soon"],
        ["suggest", "F:1", "--limit", "0"],
        ["prove", "F", "--line", "x"],
    ],
)
def test_arguments_that_cannot_be_used_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "tacit" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10", 10), ("10s", 10), ("500ms", 0.5), ("2m", 120), ("1.5 s", 1.5), (".5", 0.5), ("1h", 3600)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1s", "10x", "s", "1e3", "100h", "nan"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no duration"):
        duration(text)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NoGoal("There are no goals left here."), 2),
        (BadInput("It cannot be used.", hint="Use another."), 2),
        (TacitError("Something else."), 2),
        (LeanNotFound("No Lean was found.", hint="Install it."), 3),
        (LeanDied("Lean died."), 3),
    ],
)
def test_an_error_is_one_sentence_and_a_status(
    error: TacitError, status: int, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = FakeEngine({"foo": error})
    assert main(["suggest", "Foo.lean:2"], build=lambda _: engine) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"✗ {error}\n"
    assert engine.closed == 1


def test_an_error_is_json_too(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = FakeEngine({"foo": LeanNotFound("No Lean was found.", hint="Install it.")})
    assert main(["suggest", "Foo.lean:2", "--json"], build=lambda _: engine) == 3
    error = {"kind": "LeanNotFound", "message": "No Lean was found.", "hint": "Install it."}
    assert json.loads(capsys.readouterr().out) == {"error": error}


def test_a_fault_is_no_traceback_unless_asked_for(
    file: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    engine = FakeEngine({"foo": KeyError("oops")})
    assert main(["suggest", "Foo.lean:2"], build=lambda _: engine) == 70
    err = capsys.readouterr().err
    assert err == "✗ Something went wrong inside Tacit: KeyError: 'oops'. Run it again with -v to see where.\n"
    assert not caplog.records
    with caplog.at_level("INFO", logger="tacit"):  # and put the level back afterwards
        assert main(["-v", "suggest", "Foo.lean:2"], build=lambda _: engine) == 70
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize(
    "arguments", [["--lean", "/a/lean", "suggest", "Foo.lean:2"], ["suggest", "Foo.lean:2", "--lean", "/a/lean"]]
)
def test_global_options_stand_before_or_behind_the_command(arguments: list[str], file: Path) -> None:
    def build(settings: Settings) -> FakeEngine:
        assert settings.lean_path == "/a/lean"
        return FakeEngine({"foo": [Tactic("exact h")]})

    assert main(arguments, build=build) == 0


# What happens to the process is tried on a process. The engine writes down that it was closed.
SCRIPT = """
import sys
from pathlib import Path
from tacit.server.cli import main
from tests.unit.cli_engine import FakeEngine, Tactic

class Engine(FakeEngine):
    async def aclose(self):
        Path("closed").touch()

engine = Engine({"foo": [Tactic(f"exact h{n}", left=1) for n in range(5000)]}, hang=sys.argv[1] == "hang")
engine.meanwhile = lambda: Path("asked").touch()
sys.exit(main(sys.argv[2:], build=lambda settings: engine))
"""
ROOT = Path(__file__).parents[2]


def start(mode: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-c", SCRIPT, mode, *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("command", [["suggest", "Foo.lean:2"], ["prove", "Foo.lean", "--write"]])
def test_a_signal_ends_it_in_order(command: list[str], number: int, status: int, file: Path) -> None:
    process = start("hang", *command)
    while not Path("asked").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == status
    assert Path("closed").exists()
    assert b"Traceback" not in out + err
    assert file.read_text() == TEXT


def test_a_reader_that_has_seen_enough_is_no_error(file: Path) -> None:
    process = start("go", "suggest", "Foo.lean:2", "--limit", "5000")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    assert process.wait(timeout=30) == 141
    assert err == b""
    assert Path("closed").exists()
