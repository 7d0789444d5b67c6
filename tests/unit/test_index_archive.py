"""Indexes in one file: what goes in comes out on another machine, and what a hostile file holds does not."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tacit.index import archive as module
from tacit.index import vectors
from tacit.index.archive import ArchiveError, import_words, open_archive
from tacit.index.build import alone
from tacit.index.packing import Parcel, write_archive
from tacit.index.store import Busy, Store
from tacit.retrieval.analysis import VERSION
from tests.unit.corpus import FILES, found, index, write

Members = dict[str, bytes]


def silent(*_: object) -> None:
    pass


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """An archive of the small package, with vectors."""
    write(tmp_path / "there")
    index(tmp_path / "there", tmp_path / "top.db")
    vectors.adopt(tmp_path / "top.vectors", given())
    parcel = Parcel(tmp_path / "top.db", tmp_path / "there", tmp_path / "top.vectors")
    write_archive(tmp_path / "a.zip", [parcel], silent)
    return tmp_path / "a.zip"


def given(*keys: int, low: float = -0.5, width: float = 1.0) -> vectors.Plain:
    keys = keys or (3, -5, 8)
    manifest = vectors.Manifest(vectors.SCHEMA, "small", "f00", 4, len(keys), complete=True)
    ids = np.array([(number, key) for number, key in enumerate(keys)], dtype=np.int64)
    codes = np.array([[abs(key) * 10 + n for n in range(4)] for key in keys], dtype=np.uint8)
    return vectors.Plain(manifest, (low, width), ids, np.array(keys, dtype=np.int64), codes)


def take(file: Path, place: Path, root: Path | None = None) -> vectors.Plain | None:
    with open_archive(file, VERSION) as archive:
        (packed,) = archive.packages
        meanings = archive.vectors(packed, silent)
        import_words(archive, packed, place, root, silent)
        return meanings


def members(file: Path) -> Members:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def again(file: Path, change: Callable[[Members, dict[str, Any]], None], *, sums: bool = True) -> Path:
    """The archive with something changed; with `sums` the checksums are right all the same."""
    held = members(file)
    said = json.loads(held.pop("manifest.json"))
    change(held, said)
    package = said["packages"][0] if sums else {"words": None, "vectors": None}
    for each in [package["words"], *((package["vectors"] or {}).get(key) for key in ("ids", "keys", "codes"))]:
        if each and (content := held.get(each["name"])) is not None:
            each.update(size=len(content), sha256=hashlib.sha256(content).hexdigest())
    other = file.with_name("other.zip")
    with zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in held.items():
            archive.writestr(name, content)
        archive.writestr("manifest.json", json.dumps(said))
    return other


def database(held: Members, *statements: str) -> None:
    """Change the database in an archive."""
    path = Path(os.environ["PYTEST_TMP"]) / "changed.db"
    path.write_bytes(held["0/words.db"])
    with sqlite3.connect(path) as connection:
        for each in statements:
            connection.execute(each)
    connection.close()
    held["0/words.db"] = path.read_bytes()


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_TMP", str(tmp_path))


def test_an_index_answers_on_another_machine(made: Path, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "there")
    write(tmp_path / "here")
    for file in (tmp_path / "here").rglob("*.lean"):
        os.utime(file, ns=(1, 1))
    take(made, tmp_path / "b" / "top.db", tmp_path / "here")
    assert found(tmp_path / "b" / "top.db", "extreme value theorem", 1) == ["IsCompact.exists_isMaxOn"]
    store = Store.open(tmp_path / "b" / "top.db")
    paths = {Path(each.path) for each in store.files().values()}
    store.close()
    assert paths == {tmp_path / "here" / name for name in FILES}
    done = index(tmp_path / "here", tmp_path / "b" / "top.db")
    assert (done.fresh, done.read, done.unchanged) == (False, 0, 2)  # by content: the times are others
    (tmp_path / "here" / "Top" / "Algebra.lean").write_text("theorem changed : 1 = 1 := rfl\n")
    done = index(tmp_path / "here", tmp_path / "b" / "top.db")
    assert done.unchanged <= 1
    assert found(tmp_path / "b" / "top.db", "changed", 1) == ["changed"]


def test_nothing_of_the_machine_that_made_it_is_told(made: Path, tmp_path: Path) -> None:
    assert str(tmp_path).encode() not in members(made)["0/words.db"]
    assert str(tmp_path).encode() not in members(made)["manifest.json"]


def test_without_its_sources_paths_stay_relative(made: Path, tmp_path: Path) -> None:
    take(made, tmp_path / "b.db")
    store = Store.open(tmp_path / "b.db")
    assert {each.path for each in store.files().values()} == set(FILES)
    assert store.manifest().root == ""
    store.close()


def test_a_file_outside_the_package_is_named_by_its_module(tmp_path: Path) -> None:
    write(tmp_path / "there")
    index(tmp_path / "there", tmp_path / "top.db")
    write_archive(tmp_path / "a.zip", [Parcel(tmp_path / "top.db", tmp_path / "other", tmp_path / "none")], silent)
    take(tmp_path / "a.zip", tmp_path / "b.db")
    store = Store.open(tmp_path / "b.db")
    assert {each.path for each in store.files().values()} == set(FILES)
    store.close()


def test_vectors_come_along(made: Path, tmp_path: Path) -> None:
    meanings = take(made, tmp_path / "b.db")
    assert meanings is not None
    vectors.adopt(tmp_path / "b.vectors", meanings)
    there, here = vectors.plain(tmp_path / "top.vectors"), vectors.plain(tmp_path / "b.vectors")
    assert here.manifest == there.manifest
    assert here.manifest.complete
    for name in ("ids", "keys", "codes"):
        assert (getattr(here, name) == getattr(there, name)).all(), name


def test_vectors_join_those_that_are_there(tmp_path: Path) -> None:
    vectors.adopt(tmp_path / "v", given(1, 2))
    vectors.adopt(tmp_path / "v", given(2, 9, low=-1.0, width=2.0))
    held = vectors.plain(tmp_path / "v")
    assert held.keys.tolist() == [2, 9]
    assert held.span == (-0.5, 1.0)
    # In the codes of those that were there: 90/255 of [-1, 1] is some 52/255 of [-½, ½].
    expected = [((90 + n + 0.5) / 255 * 2.0 - 1.0 + 0.5) * 255 for n in range(4)]
    assert np.abs(held.codes[1] - np.clip(expected, 0, 255)).max() <= 1
    assert held.codes[0].tolist() == [20, 21, 22, 23]


def test_words_alone_are_an_archive_too(made: Path, tmp_path: Path) -> None:
    write_archive(tmp_path / "w.zip", [Parcel(tmp_path / "top.db", tmp_path / "there", tmp_path / "none")], silent)
    assert take(tmp_path / "w.zip", tmp_path / "b.db") is None


def test_writing_leaves_nothing_aside(made: Path, tmp_path: Path) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = made.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_archive(made, [Parcel(tmp_path / "top.db", tmp_path / "there", tmp_path / "none")], stop)
    assert made.read_bytes() == before
    assert not list(tmp_path.glob(".a.zip*"))
    with pytest.raises(ArchiveError, match="was not written"):
        write_archive(tmp_path / "top.db" / "a.zip", [], silent)


# ---------------------------------------------------------------- files that must not be believed


def no_words(held: Members, said: dict[str, Any]) -> None:
    held["0/words.db"] = b"not a database" * 100


def trigger(held: Members, said: dict[str, Any]) -> None:
    database(held, "CREATE TRIGGER t AFTER UPDATE ON files BEGIN DELETE FROM premises; END")


def view(held: Members, said: dict[str, Any]) -> None:
    database(held, "CREATE VIEW v AS SELECT 1")


def table(held: Members, said: dict[str, Any]) -> None:
    database(held, "DROP TABLE premises", "CREATE TABLE premises(id)")


def up(held: Members, said: dict[str, Any]) -> None:
    database(held, "UPDATE files SET path = '../../etc/passwd'")


def root(held: Members, said: dict[str, Any]) -> None:
    database(held, "UPDATE files SET path = '/etc/passwd'")


def kind(held: Members, said: dict[str, Any]) -> None:
    database(held, "UPDATE premises SET kind = 'spell'")


def digest(held: Members, said: dict[str, Any]) -> None:
    database(held, "UPDATE premises SET digest = 'x'")


def postings(held: Members, said: dict[str, Any]) -> None:
    database(held, "UPDATE postings SET entries = x'ffffffff'")


def odd(held: Members, said: dict[str, Any]) -> None:
    database(held, "UPDATE postings SET entries = x'ff'")


def segments(held: Members, said: dict[str, Any]) -> None:
    database(held, "UPDATE segments SET count = count + 1")


def imports(held: Members, said: dict[str, Any]) -> None:
    database(held, "UPDATE files SET imports = '{'")


def orphans(held: Members, said: dict[str, Any]) -> None:
    database(held, "UPDATE premises SET file = 99")


def taught(held: Members, said: dict[str, Any]) -> None:
    database(held, "UPDATE readings SET taught = '{'")


def asked(held: Members, said: dict[str, Any]) -> None:
    database(held, "UPDATE readings SET asked = x'00'")


def other_reading(held: Members, said: dict[str, Any]) -> None:
    database(held, "UPDATE manifest SET value = '0' WHERE key = 'reading'")


def counts(held: Members, said: dict[str, Any]) -> None:
    said["packages"][0]["premises"] += 1


def renamed(held: Members, said: dict[str, Any]) -> None:
    said["packages"][0]["name"] = "mathlib"


def other_schema(held: Members, said: dict[str, Any]) -> None:
    said["packages"][0]["schema"] = "0"


def other_words(held: Members, said: dict[str, Any]) -> None:
    said["packages"][0]["analysis"] = "0"


def other_format(held: Members, said: dict[str, Any]) -> None:
    said["format"] = 2


def more(held: Members, said: dict[str, Any]) -> None:
    held["1/words.db"] = b""


def escaping(held: Members, said: dict[str, Any]) -> None:
    held["../words.db"] = held.pop("0/words.db")
    said["packages"][0]["words"]["name"] = "../words.db"


def absolute(held: Members, said: dict[str, Any]) -> None:
    held["/tmp/words.db"] = held.pop("0/words.db")
    said["packages"][0]["words"]["name"] = "/tmp/words.db"


def gone(held: Members, said: dict[str, Any]) -> None:
    del held["0/words.db"]


def shared(held: Members, said: dict[str, Any]) -> None:
    said["packages"].append(said["packages"][0])


def fingerprint(held: Members, said: dict[str, Any]) -> None:
    said["packages"][0]["vectors"]["fingerprint"] = "../../f"


def dimension(held: Members, said: dict[str, Any]) -> None:
    said["packages"][0]["vectors"]["dimension"] = 5


def no_width(held: Members, said: dict[str, Any]) -> None:
    said["packages"][0]["vectors"]["width"] = float("nan")


def twice(held: Members, said: dict[str, Any]) -> None:
    held["0/vectors.keys"] = held["0/vectors.keys"][:8] * 3


def few(held: Members, said: dict[str, Any]) -> None:
    held["0/vectors.codes"] = held["0/vectors.codes"][:4]


def size(held: Members, said: dict[str, Any]) -> None:
    said["packages"][0]["words"]["size"] = True


def text(held: Members, said: dict[str, Any]) -> None:
    said["packages"][0]["name"] = "a\x1b[31mb"


def a_list(held: Members, said: dict[str, Any]) -> None:
    said["packages"] = [[]]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (no_words, "damaged index"),
        (trigger, "another version of Tacit"),
        (view, "another version of Tacit"),
        (table, "another version of Tacit"),
        (up, "contradicts itself"),
        (root, "contradicts itself"),
        (kind, "contradicts itself"),
        (digest, "contradicts itself"),
        (postings, "contradicts itself"),
        (odd, "contradicts itself"),
        (segments, "contradicts itself"),
        (imports, "contradicts itself"),
        (orphans, "contradicts itself"),
        (taught, "contradicts itself"),
        (asked, "contradicts itself"),
        (other_reading, "another version of Tacit"),
        (counts, "another index than it says"),
        (renamed, "another index than it says"),
        (other_schema, "another version of Tacit"),
        (other_words, "another version of Tacit"),
        (other_format, "another version of Tacit"),
        (more, "other files than its manifest"),
        (escaping, "is not an archive"),
        (absolute, "is not an archive"),
        (gone, "other files than its manifest"),
        (shared, "other files than its manifest"),
        (fingerprint, "is not an archive"),
        (dimension, "cut off"),
        (no_width, "is not an archive"),
        (twice, "do not fit together"),
        (few, "do not fit together"),
        (size, "is not an archive"),
        (text, "is not an archive"),
        (a_list, "is not an archive"),
    ],
)
def test_what_does_not_fit_is_refused_and_harms_nothing(
    change: Callable[[Members, dict[str, Any]], None], sentence: str, made: Path, tmp_path: Path
) -> None:
    place = tmp_path / "b.db"
    take(made, place)
    before = found(place, "compact")
    sums = change not in (size, a_list)
    with pytest.raises(ArchiveError, match=sentence) as refused:
        take(again(made, change, sums=sums), place)
    assert str(refused.value).count(". ") == 0, "one sentence"
    assert found(place, "compact") == before
    assert {each.name for each in tmp_path.glob("b.db*")} <= {"b.db", "b.db.lock", "b.db-wal", "b.db-shm"}


def test_a_checksum_tells_what_was_damaged_on_the_way(made: Path, tmp_path: Path) -> None:
    def flip(held: Members, said: dict[str, Any]) -> None:
        content = bytearray(held["0/vectors.codes"])
        content[3] ^= 1
        held["0/vectors.codes"] = bytes(content)

    with pytest.raises(ArchiveError, match=r"vectors\.codes is not what its checksum says"):
        take(again(made, flip, sums=False), tmp_path / "b.db")
    cut = tmp_path / "cut.zip"
    cut.write_bytes(made.read_bytes()[:-200])
    with pytest.raises(ArchiveError, match="is not an archive"):
        take(cut, tmp_path / "b.db")
    # The same length, one byte of what is packed changed: the ZIP's own sums, or what is unpacked, say so.
    with zipfile.ZipFile(made) as archive:
        begin = archive.getinfo("0/words.db").header_offset + 100
    content = bytearray(made.read_bytes())
    content[begin] ^= 0xFF
    cut.write_bytes(content)
    with pytest.raises(ArchiveError, match="is damaged"):
        take(cut, tmp_path / "b.db")
    assert not (tmp_path / "b.db").exists()


def test_a_member_that_says_it_is_small_is_not_unpacked_whole(made: Path, tmp_path: Path) -> None:
    def bomb(held: Members, said: dict[str, Any]) -> None:
        held["0/words.db"] = bytes(50_000_000)

    other = again(made, bomb, sums=False)  # the manifest says the old size
    with pytest.raises(ArchiveError, match="has another size"):
        take(other, tmp_path / "b.db")
    # And one whose directory lies as the manifest does.
    content = other.read_bytes()
    small = json.loads(members(made)["manifest.json"])["packages"][0]["words"]["size"]
    lying = content.replace((50_000_000).to_bytes(4, "little"), small.to_bytes(4, "little"))
    assert lying != content
    other.write_bytes(lying)
    with pytest.raises(ArchiveError, match="damaged"):
        take(other, tmp_path / "b.db")
    assert not (tmp_path / "b.db").exists()
    assert not (tmp_path / "b.db.new").exists()


def test_a_name_that_stands_twice_is_refused(made: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(made, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("0/words.db", b"second")
    with pytest.raises(ArchiveError, match="other files than its manifest"):
        take(made, tmp_path / "b.db")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"hello", bytes(10_000)])
def test_any_other_file_is_no_archive(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ArchiveError, match="is not an archive"):
        take(tmp_path / "x.zip", tmp_path / "b.db")
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("readme", "hello")
    (tmp_path / "x.zip").write_bytes(empty.getvalue())
    with pytest.raises(ArchiveError, match="is not an archive"):
        take(tmp_path / "x.zip", tmp_path / "b.db")
    with pytest.raises(ArchiveError, match="There is no"):
        take(tmp_path / "y.zip", tmp_path / "b.db")
    with pytest.raises(ArchiveError, match="cannot be read"):
        take(tmp_path, tmp_path / "b.db")


def test_a_builder_at_work_and_a_full_disk_are_said(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "b.db"
    with alone(place), pytest.raises(Busy, match="Another process"):
        take(made, place)
    monkeypatch.setattr(module, "SPARE", 1 << 60)
    with pytest.raises(ArchiveError, match="no room"):
        take(made, place)
    assert not place.exists()
