"""Which files an agent may name, and when the imports of one count as others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tacit.server import mcp_files
from tacit.server.errors import BadInput
from tacit.server.mcp_files import Folders, imported_state
from tacit.server.patch import LeanFile


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    folder = tmp_path / "inside"
    (folder / "Sub").mkdir(parents=True)
    (folder / "Sub" / "Foo.lean").write_text("theorem 𝕜 : True := trivial\n", encoding="utf-8")
    (tmp_path / "Out.lean").write_text("", encoding="utf-8")
    return folder


def said(folders: Folders, name: str) -> str:
    with pytest.raises(BadInput) as raised:
        folders.read(name)
    assert raised.value.hint, "it says what to do"
    return str(raised.value)


def test_a_file_is_named_from_a_folder_as_a_whole_or_by_its_uri(inside: Path) -> None:
    folders = Folders.of([inside])
    path = inside / "Sub" / "Foo.lean"
    for name in ("Sub/Foo.lean", "Sub/../Sub/Foo.lean", str(path), path.as_uri()):
        assert folders.read(name).path == path
        assert folders.read(name).text == "theorem 𝕜 : True := trivial\n"


def test_a_file_is_told_as_it_may_be_named(inside: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "Sub").mkdir(parents=True)
    for name in ("Foo.lean", "Bar.lean"):
        (other / "Sub" / name).write_text("", encoding="utf-8")
    folders = Folders.of([inside, other])
    assert folders.read(str(inside / "Sub" / "Foo.lean")).shown == "Sub/Foo.lean"
    assert folders.read("Sub/../Sub/Foo.lean").path == inside / "Sub" / "Foo.lean"
    assert folders.read(str(other / "Sub" / "Bar.lean")).shown == "Sub/Bar.lean"
    assert folders.read(str(other / "Sub" / "Foo.lean")).shown == str(other / "Sub" / "Foo.lean")


def test_a_relative_name_is_looked_for_in_each_folder(inside: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "Bar.lean").write_text("-- bar", encoding="utf-8")
    folders = Folders.of([inside, other])
    assert folders.read("Bar.lean").text == "-- bar"
    assert folders.read("Sub/Foo.lean").path == inside / "Sub" / "Foo.lean"
    assert "There is no file Baz.lean in" in said(folders, "Baz.lean")


@pytest.mark.parametrize("name", ["../Out.lean", "Sub/../../Out.lean", "link.lean", "linked/Out.lean"])
def test_what_lies_outside_is_refused_whatever_the_way_to_it(inside: Path, name: str) -> None:
    (inside / "link.lean").symlink_to(inside.parent / "Out.lean")
    (inside / "linked").symlink_to(inside.parent)
    assert "outside of the folders" in said(Folders.of([inside]), name)
    assert "outside of the folders" in said(Folders.of([inside]), str(inside.parent / "Out.lean"))


def test_a_link_within_the_folder_is_followed(inside: Path) -> None:
    (inside / "Link.lean").symlink_to(inside / "Sub" / "Foo.lean")
    assert Folders.of([inside]).read("Link.lean").text.startswith("theorem")


@pytest.mark.parametrize("name", ["", "  ", "Foo", "notes.txt", ".lean", "a\0.lean", "untitled:1", "http://x/Foo.lean"])
def test_what_is_no_name_of_a_lean_file_is_refused(inside: Path, name: str) -> None:
    said(Folders.of([inside]), name)


def test_what_cannot_be_read_is_refused(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = Folders.of([inside])
    (inside / "Folder.lean").mkdir()
    os.mkfifo(inside / "Pipe.lean")
    (inside / "Loop.lean").symlink_to(inside / "Loop.lean")
    for name in ("Folder.lean", "Pipe.lean", "Loop.lean", f"{'x' * 300}.lean"):
        said(folders, name)
    monkeypatch.setattr(mcp_files, "LARGEST", 3)
    assert "larger than 3 bytes" in said(folders, "Sub/Foo.lean")


def test_the_root_of_a_file_system_is_no_folder() -> None:
    assert Folders.of([Path("/")]).paths == ()
    assert "tacit mcp FOLDER" in said(Folders.of([Path("/")]), "Foo.lean")


def test_imports_count_as_others_when_they_are_written_or_built(tmp_path: Path) -> None:
    file = tmp_path / "Foo.lean"
    file.write_text("import A.B\nimport Other\n\nexample : True := trivial\n", encoding="utf-8")
    (tmp_path / "A").mkdir()
    source = tmp_path / "A" / "B.lean"
    source.write_text("def one := 1\n", encoding="utf-8")

    def state() -> object:
        return imported_state(LeanFile.read(file), tmp_path)

    first = state()
    assert first == state()
    source.write_text("def one := 1 + 1\n", encoding="utf-8")
    written = state()
    built = tmp_path / ".lake" / "build" / "lib" / "lean" / "A"
    built.mkdir(parents=True)
    (built / "B.olean").write_bytes(b"")
    assert len({first, written, state()}) == 3
    assert imported_state(LeanFile.read(file), None) == ()


def test_imports_are_found_where_lake_is_told_to_look_and_by_names_in_quotes(tmp_path: Path) -> None:
    (tmp_path / "lakefile.toml").write_text(
        'name = "p"\nsrcDir = "src"\n\n[[lean_lib]]\nname = "A"\n', encoding="utf-8"
    )
    file = tmp_path / "Foo.lean"
    file.write_text("import A.«odd-name»\n\nexample : True := trivial\n", encoding="utf-8")
    sources = tmp_path / "src" / "A"
    sources.mkdir(parents=True)

    def state() -> object:
        return imported_state(LeanFile.read(file), tmp_path)

    absent = state()
    (sources / "odd-name.lean").write_text("def one := 1\n", encoding="utf-8")
    written = state()
    built = tmp_path / ".lake" / "build" / "lib" / "lean" / "A"
    built.mkdir(parents=True)
    (built / "odd-name.olean").write_bytes(b"")
    assert len({absent, written, state()}) == 3
