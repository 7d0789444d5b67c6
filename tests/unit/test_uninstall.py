"""`tacit uninstall`: all that Tacit leaves is listed and goes, nothing else does, and no link is followed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tacit.index.build import build
from tacit.index.encoder import cache_folder
from tacit.index.places import ABOUT, places
from tacit.server import logs, memory_store, models, uninstall_command
from tacit.server.cli import main
from tacit.server.memory_proofs import ACCEPTED, Known, Step
from tests.unit.corpus import ANALYSIS, write


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which Tacit was used in every way."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("TACIT_CACHE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "TACIT_LOG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TACIT_LOG", "off")
    project = tmp_path / "project"
    write(project)
    place = places(project)[0]
    build(place.index, place.corpus, ANALYSIS, lambda *_: None)
    (place.index.with_suffix(".vectors")).mkdir()
    (place.index.with_suffix(".vectors") / "manifest.json").write_text("{}")
    place.index.with_suffix(".uses").write_text("x")
    known = Known("⊢ p", "t", "", (), (Step("rfl", ACCEPTED, ""),))
    memory_store.append(memory_store.store_of(project), "Foo.lean", known)
    models.change(lambda each: each.having(models.Installed("small", "small.gguf", "few-shot")))
    cache = cache_folder()
    assert cache == home / ".cache" / "tacit"
    (cache / "models" / "small.gguf").write_text("gguf")
    (cache / "models" / "other.gguf.part").write_text("gguf")
    for name, text in {
        f"{logs.FOLDER}/serve-20260101T000000-7.log": "{}\n",
        f"{logs.FOLDER}/serve-20260101T000000-7.log.1": "{}\n",
        "encoders/0123456789abcdef.onnx": "onnx",
        f"sources/mathlib-v4.27.0/{ABOUT}": "{}",
        "sources/mathlib-v4.27.0/Mathlib/Init.lean": "theorem t : 1 = 1 := rfl\n",
        "sources/.lock": "",
        "traced/repo-0123456789ab/corpus.jsonl": "{}\n",
        "wheels/llama-cpp-python-0.3.36-01/x.whl": "wheel",
        "traces/2026-01.jsonl": "{}\n",
        "experience.json": "{}",
        "experience.json.lock": "",
    }.items():
        put(cache / name, text)
    for name in ("sidecar/bin/tacit", "sidecar.ready"):
        put(home / ".config" / "Code" / "User" / "globalStorage" / "lean-tacit.tacit" / name)
        put(home / ".local" / "share" / "code-server" / "User" / "globalStorage" / "lean-tacit.tacit" / name)
    return home


def put(file: Path, text: str = "x") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def everything(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*")}


def files(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if not each.is_dir() or each.is_symlink()}


def run(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> dict[str, Any]:
    assert main(["uninstall", "--json", *words]) == status
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_nothing_is_left(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = run(capsys, "--yes")
    assert (told["failed"], told["left"]) == ({}, [])
    assert told["removed"] == told["found"]
    assert files(home) == set()
    assert not (home / ".cache" / "tacit").exists()
    assert (home.parent / "project" / "Top" / "Algebra.lean").exists()


def test_everything_is_listed_with_its_size(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = sum(each.lstat().st_size for each in home.rglob("*") if each.is_file())
    told = run(capsys)
    assert sum(each["bytes"] for each in told["found"]) == size
    assert sum(each["files"] for each in told["found"]) == len(files(home))
    mine = {each["what"] for each in told["found"] if each["mine"]}
    assert len(mine) == 5


def test_unless_it_is_told_to_it_removes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = everything(home)
    assert run(capsys)["removed"] == []
    assert main(["uninstall"]) == 0  # nobody sits there to be asked
    out = capsys.readouterr().out
    assert "Nothing was removed. `tacit uninstall --yes` removes it" in out
    assert "in all" in out
    assert everything(home) == before


def test_the_users_own_work_can_be_kept(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "--yes", "--keep-mine")
    kept = {each.partition("/")[0] for each in files(home / ".cache" / "tacit")}
    assert kept == {"memory", "traces", "models", "experience.json", "experience.json.lock"}
    assert not (home / ".cache" / "tacit" / "models" / "other.gguf.part").exists()


def test_what_is_not_tacits_stays_and_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = home / ".cache" / "tacit"
    foreign = [
        put(cache / "notes.txt"),
        put(cache / "index" / "thesis.tex"),
        put(cache / "index" / "students.db"),
        put(cache / "models" / "my-own.gguf"),
        put(cache / "models" / "readme.md"),
        put(cache / "sources" / "mathlib-my-own" / "Foo.lean"),
        put(cache / "wheels" / "numpy.whl"),
    ]
    other = put(home / ".config" / "Code" / "User" / "globalStorage" / "lean-tacit.tacit" / "other")
    told = run(capsys, "--yes")
    assert files(home) == {str(each.relative_to(home)) for each in (*foreign, other)}
    own = cache / "sources" / "mathlib-my-own"
    listed = {*foreign, own} - {own / "Foo.lean"}
    assert set(told["left"]) == {str(each) for each in listed}


def test_a_cache_folder_that_holds_other_things_keeps_them(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """TACIT_CACHE may name any folder, such as one in which a person has an `index` or `models` of their own."""
    work = home / "work"
    monkeypatch.setenv("TACIT_CACHE", str(work))
    mine = [
        put(work / "index" / "index.html"),
        put(work / "models" / "bridge.obj"),
        put(work / "logs" / "apache.log"),
        put(work / "traces" / "ray.dat"),
        put(work / "memory" / "diary.md"),
        put(work / "sources" / "a-b" / "main.c"),
    ]
    assert run(capsys, "--yes")["failed"] == {}
    assert files(home) == {str(each.relative_to(home)) for each in mine}


def test_links_are_removed_and_not_followed(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outside = tmp_path / "outside"
    precious = put(outside / "precious.db")
    put(outside / "sub" / "corpus.jsonl")
    cache = home / ".cache" / "tacit"
    (cache / "index" / "linked-0123456789ab.db").symlink_to(precious)
    (cache / "index" / "linked-0123456789ab.vectors").symlink_to(outside)
    (cache / "traced" / "linked-0123456789ab").symlink_to(outside / "sub")
    (cache / "index" / "deep-0123456789ab.vectors").mkdir()
    (cache / "index" / "deep-0123456789ab.vectors" / "away").symlink_to(outside)
    assert run(capsys, "--yes")["failed"] == {}
    assert files(home) == set()
    assert files(outside) == {"precious.db", "sub/corpus.jsonl"}


@pytest.mark.parametrize("what", ["cache", "index", "storage"])
def test_a_folder_that_is_a_link_is_left(
    what: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = home / ".cache" / "tacit"
    storage = home / ".config" / "Code" / "User" / "globalStorage" / "lean-tacit.tacit"
    place = {"cache": cache, "index": cache / "index", "storage": storage}[what]
    outside = tmp_path / "outside"
    place.rename(outside)
    place.symlink_to(outside)
    before = files(outside)
    told = run(capsys, "--yes")
    assert files(outside) == before
    assert place.is_symlink()
    assert (str(place) in told["left"]) == (what != "storage")


def test_what_cannot_be_removed_is_told_and_the_rest_goes(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = home / ".cache" / "tacit" / "traces" / "2026-01.jsonl"
    remove = uninstall_command._remove

    def refused(path: Path) -> None:
        if path == stuck:
            raise PermissionError(13, "Permission denied")
        remove(path)

    monkeypatch.setattr(uninstall_command, "_remove", refused)
    told = run(capsys, "--yes", status=2)
    assert told["failed"] == {str(stuck): "Permission denied"}
    assert files(home) == {str(stuck.relative_to(home))}


def test_a_machine_that_tacit_never_ran_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "none"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert main(["uninstall", "--yes"]) == 0
    assert capsys.readouterr().out.startswith("Tacit has left nothing on this machine.\n")
    assert everything(tmp_path) == set()
