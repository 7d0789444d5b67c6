"""Indexes that a disk, a crash or another program has damaged: they are told from whole ones, and made anew."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tacit.index.build import build
from tacit.index.packages import Package
from tacit.index.soundness import Check, is_whole
from tacit.index.store import Busy, Store, StoreError
from tacit.server import shelves as opened
from tacit.server.answers import Ask
from tacit.server.asking import search
from tacit.server.errors import TacitError
from tacit.server.library import Spot, answered, open_library
from tacit.server.shelves import Shelves
from tests.unit.corpus import ANALYSIS, corpus, found, index, write
from tests.unit.test_index_crashes import full_disk

PAGE = 4096


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "src")
    index(tmp_path / "src", tmp_path / "top.db")
    with closing(sqlite3.connect(tmp_path / "top.db")) as database:
        database.execute("PRAGMA journal_mode = DELETE")  # all of it in one file
    return tmp_path


@pytest.fixture
def shelves(root: Path) -> Iterator[Shelves]:
    made = Shelves()
    made.arrange([Spot(Package("top", root / "src"), root / "top.db", own=True)])
    yield made
    made.close()


def checked(root: Path) -> None:
    build(root / "top.db", corpus(root / "src"), ANALYSIS, lambda *_: None, check=Check.ALL)


def names(shelves: Shelves, text: str = "compact") -> list[str]:
    return [each.hit.stored.premise.name for each in search(shelves, Ask(text), {}).found]


def said(statement: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path)) as database, database:
            database.executescript(statement)

    return damage


DAMAGES = {
    "a table is gone": said("DROP TABLE readings"),
    "a column is gone": said("ALTER TABLE premises RENAME COLUMN kind TO kjnd"),
    "a kind that there is not": said("UPDATE premises SET kind = 'theor2m'"),
    "text that is no UTF-8": said("UPDATE premises SET type = CAST(x'94ff' AS TEXT)"),
    "a name that is no UTF-8": said("UPDATE premises SET name = CAST(x'94ff' AS TEXT)"),
    "imports that are no JSON": said("UPDATE files SET imports = '['"),
    "numbers where bytes are": said("UPDATE postings SET entries = 7"),
    "a posting of no premise": said("UPDATE postings SET entries = x'ffffffff'"),
    "half a posting": said("UPDATE postings SET entries = x'ff'"),
    "a segment cut off": said("UPDATE segments SET lengths = x'00'"),
    "a segment of other files": said("UPDATE segments SET files = zeroblob(length(files))"),
    "no premises": said("DELETE FROM premises"),
    "what files taught is no JSON": said("UPDATE readings SET taught = 'x'"),
}


@pytest.mark.parametrize("how", DAMAGES)
def test_what_no_index_holds_is_noticed_left_out_and_made_anew(root: Path, shelves: Shelves, how: str) -> None:
    path = root / "top.db"
    assert is_whole(path)
    DAMAGES[how](path)
    assert not is_whole(path)
    names(shelves)  # an answer, with it or without
    shelves.ask(lambda _: shelves.for_goals().indexed)
    condition = shelves.conditions[0]
    assert condition.open or (condition.broken and "`tacit index build`" in condition.sentence)
    checked(root)
    assert is_whole(path)
    assert "IsCompact" in names(shelves)
    assert shelves.conditions[0].sentence == ""


@pytest.mark.parametrize("seed", range(24))
def test_an_index_with_other_bytes_is_answered_around_and_made_anew(root: Path, shelves: Shelves, seed: int) -> None:
    path, dice = root / "top.db", random.Random(seed)
    content = bytearray(path.read_bytes())
    how = ("cut", "bytes", "pages", "zeros")[seed % 4]
    if how == "cut":
        del content[dice.randrange(1, len(content)) :]
    for _ in range(dice.choice((1, 5, 50))):
        if how == "bytes":
            content[dice.randrange(100, len(content))] = dice.randrange(256)
        elif how in ("pages", "zeros"):
            to, of = dice.randrange(len(content) // PAGE) * PAGE, dice.randrange(len(content) // PAGE) * PAGE
            content[to : to + PAGE] = content[of : of + PAGE] if how == "pages" else bytes(PAGE)
    path.write_bytes(content)
    for text in ("compact", "mul_comm", "_ * _ = _ * _", "kind:theorem module:Top.Algebra"):
        names(shelves, text)
        shelves.ask(lambda _: shelves.for_goals().indexed)
        shelves.below(str(root))
        shelves.indexed(str(root / "src" / "Top" / "Algebra.lean"), "0" * 32)
    checked(root)
    assert found(path, "compact")[:1] == ["IsCompact"]
    assert "IsCompact" in names(shelves)


def test_an_update_makes_anew_what_it_cannot_read(root: Path) -> None:
    for how in ("a table is gone", "a column is gone", "imports that are no JSON"):
        DAMAGES[how](root / "top.db")
        write(root / "src", {"Top/New.lean": f"theorem gem_{len(how)} : 1 = 1 := rfl\n"})
        assert index(root / "src", root / "top.db").fresh
        assert is_whole(root / "top.db")


def test_the_quick_look_finds_what_is_no_whole_database(root: Path) -> None:
    path = root / "top.db"
    assert is_whole(path, Check.STRUCTURE)
    DAMAGES["a kind that there is not"](path)
    assert is_whole(path, Check.STRUCTURE), "that takes reading all of it"
    with path.open("r+b") as file:
        file.seek(PAGE)
        file.write(bytes(2 * PAGE))
    assert not is_whole(path, Check.STRUCTURE)
    assert is_whole(path, Check.NONE)


def test_a_mistake_of_ours_is_not_taken_for_damage(root: Path, shelves: Shelves) -> None:
    def mistaken(_: object) -> None:
        raise KeyError("mistake")

    assert names(shelves)
    with pytest.raises(KeyError, match="mistake"):
        shelves.ask(mistaken)
    assert shelves.conditions[0].open
    assert names(shelves)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program has the file to itself."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("BEGIN EXCLUSIVE")
        yield


def test_an_index_that_is_locked_is_opened_once_it_is_not(
    root: Path, shelves: Shelves, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tacit.index.store.READ_WAIT", 0.05)
    monkeypatch.setattr(opened, "AGAIN_SECONDS", 0.0)
    with locked(root / "top.db"):
        assert names(shelves) == []
        (condition,) = shelves.conditions
        assert "locked" in condition.sentence
        assert condition.sentence.endswith("Tacit tries again by itself.")
        assert not condition.broken
        with pytest.raises(Busy, match="another process has locked it"):
            Store.open(root / "top.db")
        with pytest.raises(Busy):
            index(root / "src", root / "top.db")
        with pytest.raises(StoreError):
            is_whole(root / "top.db")
    assert "IsCompact" in names(shelves)
    assert not index(root / "src", root / "top.db").fresh


def test_an_open_index_that_is_locked_is_opened_again(
    root: Path, shelves: Shelves, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tacit.index.store.READ_WAIT", 0.05)
    monkeypatch.setattr(opened, "AGAIN_SECONDS", 0.0)
    assert names(shelves)
    with locked(root / "top.db"):
        names(shelves)
    assert "IsCompact" in names(shelves)
    assert shelves.conditions[0].sentence == ""


def test_an_index_is_searched_where_nothing_can_be_written(root: Path, shelves: Shelves) -> None:
    write(root / "src", {"Top/New.lean": "theorem new_gem : 1 = 1 := rfl\n"})
    index(root / "src", root / "top.db")  # SQLite's log is on now, as in any index of ours
    with full_disk(0):
        assert "IsCompact" in names(shelves)
        assert shelves.conditions[0].sentence == ""
    write(root / "src", {"Top/Newer.lean": "theorem newer_gem : 1 = 1 := rfl\n"})
    index(root / "src", root / "top.db")
    assert names(shelves, "newer_gem")[0] == "newer_gem"


def test_commands_leave_a_damaged_index_out(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TACIT_LEAN_SOURCES", "off")
    monkeypatch.delenv("MATHLIB", raising=False)
    from tacit.server.library import bring_up_to_date, indexable

    (place,) = indexable([root / "src"])
    bring_up_to_date(place, lambda *_: None)
    DAMAGES["a kind that there is not"](place.index)
    library = open_library([root / "src"], dense=False)
    with pytest.raises(TacitError, match="cannot be read"):
        answered(library, lambda library: library.search("compact"), [])
