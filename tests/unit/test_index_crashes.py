"""Builders that are killed, starved of disk or of a worker: the old index answers, and the next builder succeeds."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tacit.index import build as building
from tacit.index import reader
from tacit.index.build import build
from tacit.index.files import content_of
from tacit.index.reader import read_file
from tacit.index.source import Source
from tacit.index.store import Store, StoreError
from tests.unit.corpus import ANALYSIS, corpus, found, index, write

FILES = 24
KILLS = 3
BUILDER = """
    import itertools, random, sys
    from pathlib import Path
    from tacit.index import build as building
    from tests.unit.corpus import *
    from tests.unit.test_index_crashes import generation
    if __name__ == "__main__":
        root, path, first = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
        building.MANY, building.CHUNK, building.allowed = 0, 4, lambda: 2
        for number in itertools.count(first):
            write(root, generation(number))
            index(root, path, anew="anew" in sys.argv)
            print(number, flush=True)
"""


def generation(number: int) -> dict[str, str]:
    """Files that all say which generation they are."""
    return {f"M{each}.lean": f"theorem generation_{number}_{each} : p := h\n" * 30 for each in range(FILES)}


def generations(path: Path) -> set[int]:
    """Which generations the premises of an index are of; all its files must be there."""
    store = Store.open(path)
    try:
        names = [each.premise.name for each in store.all()]
        (alive,) = store.database.execute("PRAGMA integrity_check").fetchone()
    finally:
        store.close()
    assert alive == "ok"
    assert {int(name.rpartition("_")[2]) for name in names} == set(range(FILES))
    return {int(name.split("_")[1]) for name in names}


@pytest.mark.parametrize("mode", ["anew", "update"])
def test_a_builder_killed_at_any_moment_leaves_one_whole_index(tmp_path: Path, mode: str) -> None:
    root, path, script = tmp_path / "src", tmp_path / "x.db", tmp_path / "builder.py"
    script.write_text(textwrap.dedent(BUILDER), encoding="utf-8")
    write(root, generation(0))
    index(root, path)
    moments = random.Random(mode)
    done = 0
    for _ in range(KILLS):
        builder = subprocess.Popen(
            [sys.executable, str(script), str(root), str(path), str(done + 1), mode],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            env={"PYTHONPATH": str(Path(__file__).parents[2])},
            text=True,
        )
        assert builder.stdout is not None
        builder.stdout.readline()
        time.sleep(moments.uniform(0, 0.6))
        workers = psutil.Process(builder.pid).children()
        builder.send_signal(signal.SIGKILL)
        builder.wait()
        written = [done + 1, *map(int, builder.stdout)]
        builder.stdout.close()
        (only,) = generations(path)
        assert only in (written[-1], written[-1] + 1)
        assert found(path, f"generation_{only}_3")[:1] == [f"generation_{only}_3"]
        _, outlived = psutil.wait_procs(workers, timeout=30)
        assert not outlived
        done = only
    write(root, generation(done + 1))
    assert index(root, path).read == FILES
    assert generations(path) == {done + 1}
    assert sorted(each.name for each in tmp_path.glob("x.db*")) in (
        ["x.db", "x.db.lock"],
        ["x.db", "x.db-shm", "x.db-wal", "x.db.lock"],
    )


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("anew", [True, False])
@pytest.mark.parametrize("size", [1_000, 30_000, 60_000])
def test_a_full_disk_is_one_sentence_and_the_old_index_answers(tmp_path: Path, anew: bool, size: int) -> None:
    root, path = tmp_path / "src", tmp_path / "x.db"
    write(root, generation(0))
    index(root, path)
    write(root, generation(1))
    with full_disk(size), pytest.raises(StoreError, match="written") as raised:
        index(root, path, anew=anew)
    assert "\n" not in str(raised.value)
    assert generations(path) == {0}
    assert not path.with_name("x.db.new").exists()
    assert index(root, path).read == FILES
    assert generations(path) == {1}


def test_a_worker_that_is_killed_is_one_sentence_and_the_old_index_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "MANY", 0)
    monkeypatch.setattr(building, "CHUNK", 1)
    monkeypatch.setattr(building, "allowed", lambda: 2)
    root, path = tmp_path / "src", tmp_path / "x.db"
    write(root, generation(0))
    index(root, path)
    write(root, generation(1))

    def kill(what: str, done: int, total: int) -> None:
        if what == "reading" and done == 1:
            for each in multiprocessing.active_children():
                each.kill()

    with pytest.raises(StoreError, match="a process that helped to read ended"):
        build(path, corpus(root), ANALYSIS, kill)
    assert generations(path) == {0}
    assert index(root, path).read == FILES


def test_a_file_that_may_not_be_read_keeps_what_was_read_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, path = tmp_path / "src", tmp_path / "x.db"
    write(root, {"A.lean": "theorem a : p := h\n", "B.lean": "theorem b : p := h\n"})
    index(root, path)
    write(root, {"A.lean": "theorem a_new : p := h\n", "B.lean": "theorem b_new : p := h\n"})

    def refused(file: Path, most: int) -> bytes:
        if file.name == "A.lean":
            raise PermissionError(13, "Permission denied")
        return content_of(file, most)

    with monkeypatch.context() as forbidden:
        forbidden.setattr(reader, "content_of", refused)
        done = index(root, path)
    assert [str(each) for each in done.problems] == [f"{root / 'A.lean'}: It could not be read: Permission denied."]
    assert (found(path, "a")[:1], found(path, "b_new")[:1]) == (["a"], ["b_new"])
    assert index(root, path).read == 1
    assert found(path, "a_new")[:1] == ["a_new"]


def test_a_folder_that_may_not_be_searched_keeps_what_was_read_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"Closed/A.lean": "theorem first : p := h\n", "B.lean": "import Closed.A\ntheorem b : p := h\n"}
    write(tmp_path / "src", {**files, "Gone.lean": "theorem gone : p := h\n"})
    index(tmp_path / "src", tmp_path / "x.db")
    whole, stat = corpus(tmp_path / "src"), os.stat

    def closed(path: Any, **options: Any) -> os.stat_result:
        if not isinstance(path, int) and Path(path).parent.name == "Closed":
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", closed)  # what `Path.stat` asks, too
    (tmp_path / "src" / "Gone.lean").unlink()
    write(tmp_path / "src", {"B.lean": files["B.lean"] + "theorem c : p := h\n"})
    sources = tuple(each for each in whole.sources if each.module == "B")
    done = build(tmp_path / "x.db", replace(whole, sources=sources), ANALYSIS, lambda *_: None)
    assert [each.message for each in done.problems] == ["It could not be read: Permission denied."]
    assert (done.read, done.removed) == (1, 2)  # B's old reading, and Gone
    assert [found(tmp_path / "x.db", each)[:1] for each in ("first", "c", "gone")] == [["first"], ["c"], []]


def test_a_path_that_is_not_utf8_is_one_sentence(tmp_path: Path) -> None:
    root = tmp_path / os.fsdecode(b"odd\xff")
    write(root, {"A.lean": "theorem a : p := h\n"})
    with pytest.raises(StoreError, match="is no UTF-8"):
        index(root, tmp_path / "x.db")
    assert not list(tmp_path.glob("x.db*.new"))


def test_a_file_that_goes_while_it_is_read_is_read_when_it_is_back(tmp_path: Path) -> None:
    root, path = tmp_path / "src", tmp_path / "x.db"
    write(root, {"A.lean": "theorem a : p := h\n", "B.lean": "theorem b : p := h\n"})
    file, aside = root / "A.lean", tmp_path / "aside"

    def move(what: str, done: int, total: int) -> None:
        if what == "reading" and file.exists():
            file.rename(aside)

    done = build(path, corpus(root), ANALYSIS, move)
    assert len(done.problems) == 1
    assert found(path, "b")[:1] == ["b"]
    aside.rename(file)  # with the same time and size
    assert index(root, path).read == 1
    assert found(path, "a")[:1] == ["a"]


def test_a_file_of_ten_megabytes_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "A.lean"
    comment, proof = (
        "/- " + "a comment (\n" * 300_000 + "-/\n",
        "theorem long : p := by\n" + "  simp [h] -- (\n" * 400_000,
    )
    path.write_text(comment + proof + '\ndef s := "' + "x" * 1_000_000 + '"\ntheorem last : q := h\n', encoding="utf-8")
    assert path.stat().st_size > 10_000_000
    reading = read_file(Source("A", path))
    assert [each.name for each in reading.premises] == ["long", "s", "last"]
    assert len(reading.premises[1].value) <= 1000
