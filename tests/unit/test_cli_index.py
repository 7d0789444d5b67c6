"""`tacit index export|import|remove` and what `tacit search` says: in this process, with indexes of words alone."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tacit.server.cli import main
from tests.unit.corpus import TOPOLOGY, write

pytestmark = pytest.mark.usefixtures("signals_kept")

Tacit = Callable[..., tuple[str, str]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that depends on a package at a known revision."""
    folder = tmp_path / "project"
    make(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ELAN_HOME", str(tmp_path / "elan"))
    monkeypatch.delenv("MATHLIB", raising=False)
    return folder


def make(folder: Path, revision: str = "abc") -> None:
    write(folder)
    (folder / "lakefile.toml").write_text('name = "top"\ndefaultTargets = ["Top"]\n[[lean_lib]]\nname = "Top"\n')
    manifest = {"packages": [{"type": "git", "name": "dep", "rev": revision}]}
    (folder / "lake-manifest.json").write_text(json.dumps(manifest))
    write(folder / ".lake" / "packages" / "dep", {"Dep.lean": "/-- Rain. -/\ntheorem dep_rain : 1 = 1 := rfl\n"})
    (folder / ".lake" / "packages" / "dep" / "lakefile.toml").write_text('name = "dep"\n[[lean_lib]]\nname = "Dep"\n')


@pytest.fixture
def tacit(capsys: pytest.CaptureFixture[str]) -> Tacit:
    def run(*arguments: str, status: int = 0) -> tuple[str, str]:
        if arguments[:2] in (("index", "build"), ("index", "update")):
            arguments = (*arguments, "--no-vectors")
        capsys.readouterr()
        assert main(arguments) == status, capsys.readouterr()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return out, err

    return run


def elsewhere(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same project on another machine: another path, another cache, other times."""
    other = project.parent / "other" / "project"
    make(other)
    for file in other.rglob("*.lean"):
        os.utime(file, ns=(1, 1))
    monkeypatch.chdir(other)
    monkeypatch.setenv("TACIT_CACHE", str(other.parent / "cache"))
    return other


def test_what_one_machine_indexed_another_searches(
    project: Path, tacit: Tacit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tacit("index", "build")
    out, _ = tacit("index", "export", "-o", str(tmp_path / "a.zip"))
    assert "top: " in out
    assert "dep: 1 declaration of 1 file at abc; words only" in out
    other = elsewhere(project, monkeypatch)
    out, err = tacit("index", "import", str(tmp_path / "a.zip"))
    assert "top: 2 files as in the archive, none differs here" in out
    assert err == ""
    hits = json.loads(tacit("search", "extreme value theorem", "--json")[0])
    assert hits[0]["path"] == str(other / "Top" / "Topology.lean")
    assert "nothing new; 2 files unchanged" in tacit("index", "update")[0]
    assert json.loads(tacit("index", "status", "--json")[0])[0]["indexed"]


def test_what_differs_here_is_read(
    project: Path, tacit: Tacit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tacit("index", "build")
    tacit("index", "export", "--output", str(tmp_path / "a.zip"))
    other = elsewhere(project, monkeypatch)
    (other / "Top" / "New.lean").write_text("theorem brand_new : 1 = 1 := rfl\n")
    report = json.loads(tacit("index", "import", str(tmp_path / "a.zip"), "--json")[0])
    assert [(each["package"], each["read"], each["unchanged"]) for each in report] == [("top", 1, 2), ("dep", 0, 1)]
    assert "brand_new" in tacit("search", "brand_new")[0]


def test_another_revision_is_not_taken_for_this_one(
    project: Path, tacit: Tacit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tacit("index", "build")
    tacit("index", "export", "-o", str(tmp_path / "a.zip"))
    other = elsewhere(project, monkeypatch)
    make(other, revision="def")
    _, err = tacit("index", "import", str(tmp_path / "a.zip"))
    assert "This workspace has no dep" in err
    status = {each["package"]: each["indexed"] for each in json.loads(tacit("index", "status", "--json", status=1)[0])}
    assert status == {"top": True, "dep": False}
    # By its path it is, and content decides what is read.
    dep = str(other / ".lake" / "packages" / "dep")
    out, _ = tacit("index", "import", str(tmp_path / "a.zip"), dep)
    assert "dep: 1 file as in the archive" in out
    # And that is the index which the project searches.
    assert all(each["indexed"] for each in json.loads(tacit("index", "status", "--json")[0]))


def test_a_package_that_is_not_here_is_searched_outside_of_projects(
    project: Path, tacit: Tacit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tacit("index", "build")
    tacit("index", "export", "-o", str(tmp_path / "a.zip"))
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "empty"))
    (tmp_path / "nowhere").mkdir()
    monkeypatch.chdir(tmp_path / "nowhere")
    tacit("index", "import", str(tmp_path / "a.zip"))
    out, err = tacit("search", "dep_rain", "--limit", "1")
    assert "Dep.lean:1" in out or "Dep.lean:2" in out
    assert str(project) not in out
    assert "newer" not in err


def test_a_file_that_cannot_be_imported_is_one_sentence_and_the_old_index_answers(
    project: Path, tacit: Tacit, tmp_path: Path
) -> None:
    tacit("index", "build")
    before = tacit("search", "compact")[0]
    (tmp_path / "bad.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    for file, sentence in (("bad.zip", "is not an archive"), ("none.zip", "There is no"), (".", "cannot be read")):
        out, err = tacit("index", "import", str(tmp_path / file), status=2)
        assert out == ""
        assert sentence in err
        assert len(err.splitlines()) == 1
    assert tacit("search", "compact")[0] == before
    tacit("index", "export", "-o", str(tmp_path / "a.zip"))
    (tmp_path / "lone").mkdir()
    (tmp_path / "lone" / "A.lean").touch()
    assert "is none of these" in tacit("index", "import", str(tmp_path / "a.zip"), str(tmp_path / "lone"), status=2)[1]


def test_what_cannot_be_exported_is_said(project: Path, tacit: Tacit, tmp_path: Path) -> None:
    assert "no index to export" in tacit("index", "export", "-o", str(tmp_path / "a.zip"), status=2)[1]
    tacit("index", "build")
    tacit("index", "remove", ".")
    assert "is a folder" in tacit("index", "export", "-o", str(tmp_path), status=2)[1]
    _, err = tacit("index", "export", "-o", str(tmp_path / "new" / "a.zip"))
    assert "top is not indexed, or by another version of Tacit, and was left out." in err
    (tmp_path / "closed").write_text("a file")
    assert "was not written" in tacit("index", "export", "-o", str(tmp_path / "closed" / "a.zip"), status=2)[1]
    index = next((tmp_path / "cache" / "index").glob("dep-*.db"))
    with sqlite3.connect(index) as database:
        database.execute("UPDATE manifest SET value = 'old' WHERE key = 'reading'")
    database.close()
    assert "no index to export" in tacit("index", "export", "-o", str(tmp_path / "a.zip"), status=2)[1]


# ---------------------------------------------------------------- remove


def held(tmp_path: Path) -> list[str]:
    return sorted(each.name.rpartition("-")[0] for each in (tmp_path / "cache" / "index").glob("*.db"))


def test_an_index_is_removed_by_its_package(project: Path, tacit: Tacit, tmp_path: Path) -> None:
    tacit("index", "build")
    (tmp_path / "cache" / "index").joinpath("keep.txt").touch()
    assert held(tmp_path) == ["dep", "top"]
    assert "top: removed" in tacit("index", "remove", ".")[0]
    assert held(tmp_path) == ["dep"]
    assert "There is no index of ." in tacit("index", "remove", ".", status=2)[1]
    index = next((tmp_path / "cache" / "index").glob("dep-*.db"))
    report = json.loads(tacit("index", "remove", str(index), "--json")[0])
    assert report[0]["package"] == "dep"
    assert report[0]["bytes"] > 0
    assert held(tmp_path) == []
    assert (project / "Top" / "Algebra.lean").exists()
    assert (tmp_path / "cache" / "index" / "keep.txt").exists()


def test_what_nobody_needs_is_removed_and_nothing_else(project: Path, tacit: Tacit, tmp_path: Path) -> None:
    tacit("index", "build")
    assert tacit("index", "remove", "--all-unused") == ("", "There is nothing to remove.\n")
    make(project, revision="def")  # `lake update`
    tacit("index", "build")
    write(tmp_path / "gone", {"A.lean": "theorem a : 1 = 1 := rfl\n"})
    tacit("index", "build", str(tmp_path / "gone"))
    shutil.rmtree(tmp_path / "gone")
    (tmp_path / "cache" / "index" / "broken-1.db").write_text("no database")
    (tmp_path / "cache" / "index" / "lost-1.vectors").mkdir()
    assert held(tmp_path) == ["broken", "dep", "dep", "gone", "top"]
    out, _ = tacit("index", "remove", "--all-unused")
    assert "gone is gone" in out
    assert "of another revision" in out
    assert "cannot read it" in out
    assert "vectors without an index" in out
    assert held(tmp_path) == ["dep", "top"]
    status = json.loads(tacit("index", "status", "--json")[0])
    assert all(each["indexed"] for each in status), "the newer of both is kept"


def test_what_to_remove_must_be_said(project: Path, tacit: Tacit) -> None:
    assert "Say what to remove." in tacit("index", "remove", status=2)[1]
    assert "Say what to remove." in tacit("index", "remove", ".", "--all-unused", status=2)[1]


def test_what_is_being_built_is_not_removed(project: Path, tacit: Tacit, tmp_path: Path) -> None:
    from tacit.index.build import alone

    tacit("index", "build")
    index = next((tmp_path / "cache" / "index").glob("top-*.db"))
    with alone(index):
        assert "Another process" in tacit("index", "remove", ".")[1]
    assert index.exists()


# ---------------------------------------------------------------- search


def test_only_what_can_be_used_there(project: Path, tacit: Tacit) -> None:
    (project / "Top" / "Use.lean").write_text(
        "import Top.Algebra\n\ntheorem above_it : 1 = 1 := rfl\n\nexample : 1 = 1 := sorry\n\n"
        "theorem below_it : 1 = 1 := rfl\n"
    )
    tacit("index", "build")

    def names(*arguments: str, status: int = 0) -> set[str]:
        found: list[dict[str, Any]] = json.loads(tacit("search", "--json", *arguments, status=status)[0])
        return {each["name"] for each in found}

    everything = names("1 = 1", "compact", "commutative")
    assert {"IsCompact", "Group.mul_comm", "above_it", "below_it", "dep_rain"} <= everything
    usable = names("1 = 1", "compact", "commutative", "--usable-in", "Top/Use.lean:5")
    assert {"Group.mul_comm", "above_it"} <= usable
    assert not usable & {"IsCompact", "below_it", "dep_rain"}
    assert "below_it" in names("1 = 1", "--usable-in", "Top/Use.lean")
    algebra = str(project / "Top" / "Algebra.lean")
    assert names("IsCompact", "--usable-in", algebra, status=1) == set(), "it imports nothing"
    assert "gone.lean cannot be read" in tacit("search", "x", "--usable-in", "gone.lean:3", status=2)[1]
    long = "x" * 5000
    assert "cannot be read: File name too long" in tacit("search", "x", "--usable-in", long, status=2)[1]
    assert "cannot be looked at: File name too long" in tacit("search", "x", "--in", long, status=2)[1]


def test_sources_that_changed_since_are_said(project: Path, tacit: Tacit) -> None:
    tacit("index", "build")
    assert "newer" not in tacit("search", "compact")[1]
    (project / "Top" / "Topology.lean").write_text(TOPOLOGY + "\ntheorem more : 1 = 1 := rfl\n")
    assert "1 file of top is newer than its index" in tacit("search", "compact")[1]
    (project / "Top" / "Algebra.lean").unlink()
    assert "2 files of top are newer than its index" in tacit("search", "compact")[1]
    tacit("index", "update")
    assert "newer" not in tacit("search", "compact")[1]


def test_how_to_read_what_has_changed_is_said_where_search_was_asked(
    project: Path, tacit: Tacit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tacit("index", "build")
    (project / "Top" / "Algebra.lean").unlink()
    assert "`tacit index update` reads" in tacit("search", "compact")[1]
    assert f"`tacit index update {project}` reads" in tacit("search", "compact", "--in", str(project))[1]
    monkeypatch.chdir(tmp_path)
    assert f"`tacit index update {project}` reads" in tacit("search", "compact")[1]


def test_what_is_not_searched_is_said_and_the_others_answer(project: Path, tacit: Tacit, tmp_path: Path) -> None:
    tacit("index", "build", str(project / ".lake" / "packages" / "dep"))
    out, err = tacit("search", "dep_rain")
    assert "dep_rain" in out
    assert "→ top is not indexed yet, and so not searched: `tacit index update` reads it." in err
    tacit("index", "update")
    assert "→" not in tacit("search", "dep_rain")[1]
    index = next((tmp_path / "cache" / "index").glob("top-*.db"))
    with sqlite3.connect(index) as database:
        database.execute("UPDATE manifest SET value = 'old' WHERE key = 'analysis'")
    database.close()
    err = tacit("search", "dep_rain")[1]
    assert f"→ The index at {index} was written by another version of Tacit. Make it again with `tacit index bu" in err


def test_what_is_being_read_is_not_called_missing(project: Path, tacit: Tacit, tmp_path: Path) -> None:
    from tacit.index.build import alone

    tacit("index", "build")
    index = next((tmp_path / "cache" / "index").glob("top-*.db"))
    index.rename(index.with_name(index.name + ".new"))
    with alone(index):
        assert "→ top is being read just now, and not searched yet." in tacit("search", "dep_rain")[1]
        tacit("index", "remove", str(project / ".lake" / "packages" / "dep"))
        assert "top is being read just now. Ask again in a moment." in tacit("search", "dep_rain", status=2)[1]
    assert "Nothing is indexed here yet." in tacit("search", "dep_rain", status=2)[1], "of a builder that was killed"


def test_a_damaged_index_is_left_out_and_said_wherever_the_damage_is(
    project: Path, tacit: Tacit, tmp_path: Path
) -> None:
    tacit("index", "build")
    index = next((tmp_path / "cache" / "index").glob("top-*.db"))
    whole = index.read_bytes()
    said = 0
    for page in range(4096, len(whole), 4096):
        for each in index.parent.glob(f"{index.name}-*"):
            each.unlink()
        index.write_bytes(whole[:page] + b"\xa5" * 4096 + whole[page + 4096 :])
        out, err = tacit("search", "dep_rain", "compact", "--limit", "100")
        assert "dep_rain" in out
        if "cannot be read: database disk image is malformed. Make it again with `tacit index build`." in err:
            said += 1
            assert "Top.Topology" not in out
        assert main(["index", "status"]) in (0, 1)
        tacit("index", "update")
    assert said
    tacit("index", "build")
    assert "IsCompact" in tacit("search", "compact")[0]


def test_filters_that_nothing_satisfies_are_said_and_alone_they_list(project: Path, tacit: Tacit) -> None:
    tacit("index", "build")
    for filter_, sentence in (
        ("kind:lema", "→ There is no kind lema; there are theorem,"),
        ("module:Nope", "→ No module that is searched here is called Nope or lies below it."),
        ("package:nope", "→ No package nope is searched here; dep, top are."),
    ):
        out, err = tacit("search", "compact", filter_, status=1)
        assert out == ""
        assert sentence in err
        assert json.loads(tacit("search", "compact", filter_, "--json", status=1)[0]) == []
    assert "→ There is no word, name or symbol in it" in tacit("search", "((", status=1)[1]
    hits = json.loads(tacit("search", "kind:theorem", "module:Top.Algebra", "--limit", "2", "--json")[0])
    assert [each["name"] for each in hits] == ["Group.mul_comm", "Group.add_assoc"]
    assert "theorem\n" in tacit("search", "kind:theorem")[0], "without scores"


def test_what_stands_in_files_does_not_command_the_terminal(project: Path, tacit: Tacit) -> None:
    (project / "Top" / "Odd.lean").write_text("/-- An \x1b[31mred\x07 lemma. -/\ntheorem odd_one : 1 = 1 := rfl\n")
    (project / os.fsdecode(b"\xff.lean")).touch()
    _, err = tacit("index", "build")
    assert "The file's name is not UTF-8" in err
    assert "An \N{REPLACEMENT CHARACTER}[31mred lemma." in tacit("search", "odd_one")[0]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("a : G\n⊢ a * b = b * a", "Group.mul_comm"),
        ("⊢ Continuous (g ∘ f)", "Continuous.comp"),
        ("?g ∘ ?f continuous", "Continuous.comp"),
        ("_ * _ = _ * _ kind:lemma", "Group.mul_comm"),
        (r"\sum_{i \in s} f_i \le \sum_{i \in s} g_i", "sum_le_sum"),
        ("finite subcover module:Top.Topology", "IsCompact"),
        ("package:dep rain", "dep_rain"),
        ("ContinuousOn f s → ∃ x ∈ s, IsMaxOn f s x", "IsCompact.exists_isMaxOn"),
    ],
)
def test_every_form_of_question(question: str, answer: str, project: Path, tacit: Tacit) -> None:
    tacit("index", "build")
    assert json.loads(tacit("search", "--json", question)[0])[0]["name"] == answer


def test_a_long_question_is_cut_and_that_is_said(project: Path, tacit: Tacit, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    tacit("index", "build")
    out, err = tacit("search", "compact " * 12_500)
    assert "IsCompact" in out
    assert "Only the first 2,000 characters" in err
    monkeypatch.setattr("sys.stdin", io.StringIO("finite\nsubcover\n"))
    assert "IsCompact" in tacit("search", "-")[0]


def test_without_an_index_search_says_what_to_do(project: Path, tacit: Tacit) -> None:
    out, err = tacit("search", "compact", status=2)
    assert out == ""
    assert err.startswith("✗ Nothing is indexed here yet. Run `tacit index build`")
    assert len(err.splitlines()) == 1
