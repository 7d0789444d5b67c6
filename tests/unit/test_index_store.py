"""The index on disk: made, updated, looked into; what is broken, killed or written by two."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tacit.index import build as building
from tacit.index.build import build
from tacit.index.files import replace_file
from tacit.index.reader import read_text
from tacit.index.store import Busy, File, NoIndex, OtherSchema, Store, StoreError
from tests.unit.corpus import ALGEBRA, ANALYSIS, corpus, found, index, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "src")
    return tmp_path / "src"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "top.db"


def names(path: Path) -> list[str]:
    store = Store.open(path)
    try:
        return [each.premise.name for each in store.all()]
    finally:
        store.close()


def test_what_was_read_comes_back(root: Path, path: Path) -> None:
    done = index(root, path)
    assert (done.read, done.fresh, done.problems) == (2, True, [])
    store = Store.open(path)
    (only,) = store.named("Group.mul_comm")
    assert only.premise.statement == "(a b : G) : a * b = b * a"
    assert only.premise.doc == "Multiplication is commutative."
    assert only.path == str(root / "Top/Algebra.lean")
    assert [each.note for each in store.named("Group.inv_unique")] == [
        "`Group.inv_unique`: the Cancellation Principle of Noether."
    ]
    assert store.imports()["Top.Topology"] == ("Top.Algebra",)
    manifest = store.manifest()
    assert (manifest.package, manifest.files, manifest.premises) == ("top", 2, store.count())
    store.close()


def test_an_update_reads_what_changed_and_nothing_else(root: Path, path: Path) -> None:
    index(root, path)
    assert index(root, path).read == 0
    (root / "Top/Algebra.lean").write_text("theorem fresh_lemma : 1 = 1 := rfl\n", encoding="utf-8")
    (root / "Top/New.lean").write_text("theorem newer_lemma : 2 = 2 := rfl\n", encoding="utf-8")
    done = index(root, path)
    assert (done.read, done.unchanged, done.fresh) == (2, 1, False)
    assert found(path, "fresh_lemma") == ["fresh_lemma"]
    assert found(path, "newer_lemma") == ["newer_lemma"]
    assert "Group.mul_comm" not in names(path)
    assert "Group.mul_comm" not in found(path, "mul_comm")
    (root / "Top/New.lean").unlink()
    assert index(root, path).removed == 1
    assert found(path, "newer_lemma") == []


def test_a_file_that_was_only_touched_is_not_read(root: Path, path: Path) -> None:
    index(root, path)
    os.utime(root / "Top/Algebra.lean", (1, 1))
    assert index(root, path).read == 0


def test_many_updates_do_not_pile_up(root: Path, path: Path) -> None:
    index(root, path)
    for number in range(building.MOST_SMALL + 4):
        (root / f"Top/More{number}.lean").write_text(f"theorem extra{number} : True := trivial\n", encoding="utf-8")
        index(root, path)
    store = Store.open(path)
    (segments,) = store.database.execute("SELECT count(*) FROM segments").fetchone()
    store.close()
    assert segments <= building.MOST_SMALL
    assert found(path, "extra3")[0] == "extra3"
    assert "Group.mul_comm" in found(path, "mul_comm")


def test_two_processes_make_the_same_index_as_one(
    root: Path, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(root, path)
    monkeypatch.setattr(building, "MANY", 0)
    other = tmp_path / "other.db"
    index(root, other)
    assert found(other, "compact") == found(path, "compact") != []


def test_an_index_of_another_schema_says_so_and_is_made_again(root: Path, path: Path) -> None:
    index(root, path)
    database = sqlite3.connect(path)
    database.execute("UPDATE manifest SET value = 'old' WHERE key = 'schema'")
    database.commit()
    database.close()
    with pytest.raises(OtherSchema, match="another version of Tacit"):
        Store.open(path)
    assert index(root, path).fresh
    assert "Group.mul_comm" in names(path)


def test_a_file_that_is_no_index_says_so_and_is_replaced(root: Path, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"SQLite format 3\0" + os.urandom(5000))
    with pytest.raises(StoreError, match="cannot be read"):
        Store.open(path)
    assert index(root, path).fresh
    with pytest.raises(NoIndex):
        Store.open(path.with_name("none.db"))


def test_the_second_of_two_builders_says_so(root: Path, path: Path) -> None:
    index(root, path)

    def meanwhile(*_: object) -> None:
        with pytest.raises(Busy, match="Another process is building"):
            index(root, path)
        assert found(path, "mul_comm")

    build(path, corpus(root), ANALYSIS, meanwhile, anew=True)


@pytest.mark.parametrize("anew", [True, False])
def test_the_old_index_answers_when_a_builder_is_killed(root: Path, path: Path, anew: bool) -> None:
    index(root, path)
    (root / "Top/Algebra.lean").write_text(ALGEBRA.replace("mul_comm", "mul_changed"), encoding="utf-8")
    write(root, {f"Top/Z{number}.lean": "theorem z : 1 = 1 := rfl\n" for number in range(20)})
    code = f"""
        import sys, time
        from pathlib import Path
        from tests.unit.corpus import *
        def slow(what, done, total):
            if what == "reading" and done == 15 or what == "writing":
                print(what, flush=True)
                time.sleep(60)
        build(Path({str(path)!r}), corpus(Path({str(root)!r})), ANALYSIS, slow, anew={anew})
    """
    builder = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert builder.stdout is not None
    assert builder.stdout.readline() == b"reading\n"
    assert "Group.mul_comm" in found(path, "mul_comm")
    builder.send_signal(signal.SIGKILL)
    builder.wait()
    builder.stdout.close()
    assert "Group.mul_comm" in found(path, "mul_comm")
    assert "Group.mul_changed" not in names(path)
    index(root, path)
    assert "Group.mul_changed" in names(path)
    assert not path.with_name(path.name + ".new").exists() or anew


def test_a_builder_that_is_interrupted_leaves_the_old_index(root: Path, path: Path) -> None:
    index(root, path)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for anew in (True, False):
        (root / "Top/Algebra.lean").write_text(f"-- {anew}", encoding="utf-8")
        with pytest.raises(KeyboardInterrupt):
            build(path, corpus(root), ANALYSIS, interrupt, anew=anew)
        assert "Group.mul_comm" in names(path)
        assert not path.with_name(path.name + ".new").exists()


def test_files_that_cannot_be_read_are_named_and_the_others_are_there(root: Path, path: Path) -> None:
    (root / "Top/Half.lean").write_bytes(b"theorem half_one : 1 = 1 := rfl\n/-- never closed \ntheorem half_two : 1 =")
    (root / "Top/Latin.lean").write_bytes("/-- Gödel -/\ntheorem godel : 1 = 1 := rfl\n".encode("latin-1"))
    (root / "Top/Gone.lean").symlink_to(root / "nowhere.lean")
    done = index(root, path)
    assert sorted(Path(each.path).name for each in done.problems) == ["Gone.lean", "Latin.lean"]
    assert all(str(each).count("\n") == 0 for each in done.problems)
    assert {"half_one", "godel", "Group.mul_comm"} <= set(names(path))
    assert index(root, path).read == 0


def test_a_place_that_cannot_be_written_says_so(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="No index can be written"):
        index(root, tmp_path / "file" / "top.db")


def test_updates_do_not_wait_for_readers(root: Path, path: Path) -> None:
    index(root, path)
    reader = Store.open(path)
    rows = reader.all()
    next(rows)
    (root / "Top/Algebra.lean").write_text("theorem fresh_lemma : 1 = 1 := rfl\n", encoding="utf-8")
    index(root, path)
    assert any(each.premise.name == "Group.inv_unique" for each in rows)
    reader.close()


def test_text_that_is_no_unicode_is_stored_all_the_same(path: Path) -> None:
    store = Store.create(path)
    file = store.put_file(File(0, "M", "M.lean", "", ""), ())
    odd = "theorem a : p := h\n/-- \ud800 -/\ntheorem b : p := h\n"
    entries = store.put(file, read_text(odd, "M").premises, {})
    assert [(each.id, each.premise.name, each.premise.doc) for each in store.all()] == [(1, "a", ""), (2, "b", "?")]
    assert [each.id for each in entries] == [1, 2]
    store.close()


@pytest.fixture
def sealed() -> Iterator[Path]:
    """A folder that may be read but not written; outside pytest's, where others may not go."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def as_somebody_else(work: Callable[[], None]) -> bool:
    """Whether this can be done by somebody who is not root, in a process of its own."""
    child = os.fork()
    if not child:
        try:
            if not os.geteuid():
                os.setuid(65534)
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def test_an_index_in_a_folder_that_cannot_be_written_answers(sealed: Path) -> None:
    root, path = sealed / "src", sealed / "x.db"
    write(root)
    index(root, path)
    index(root, path)  # an update leaves what SQLite keeps beside it
    for each in sealed.glob("x.db-*"):
        each.unlink()
    sealed.chmod(0o555)

    def search() -> None:
        assert found(path, "mul_comm")[0] == "Group.mul_comm"
        with pytest.raises(StoreError, match="Permission denied; TACIT_CACHE names another folder"):
            index(root, path)

    assert as_somebody_else(search)


def test_whoever_may_read_the_index_may_read_what_lies_beside_it(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        replace_file(tmp_path / "vectors", b"new")
    finally:
        os.umask(before)
    assert (tmp_path / "vectors").stat().st_mode & 0o777 == 0o644
    assert [each.name for each in tmp_path.iterdir()] == ["vectors"]
