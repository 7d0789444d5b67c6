"""The open indexes of a workspace: what changes on disk is seen at the next question, what is broken is left out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tacit.index.packages import Package
from tacit.retrieval.access import header_of
from tacit.retrieval.overlay import draft
from tacit.server.answers import Ask
from tacit.server.asking import home, put_gone, search
from tacit.server.library import Spot
from tacit.server.shelves import Shelves
from tests.unit.corpus import ALGEBRA, TOPOLOGY, index, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "src")
    index(tmp_path / "src", tmp_path / "top.db")
    return tmp_path


@pytest.fixture
def shelves(root: Path) -> Iterator[Shelves]:
    found = Shelves()
    found.arrange([Spot(Package("top", root / "src"), root / "top.db", own=True)])
    yield found
    found.close()


def names(shelves: Shelves, text: str, **more: object) -> list[str]:
    answer = search(shelves, Ask(text, **more), {})  # type: ignore[arg-type]
    return [each.hit.stored.premise.name for each in answer.found]


def test_an_update_and_a_new_index_are_seen_at_the_next_question(root: Path, shelves: Shelves) -> None:
    assert names(shelves, "new_gem") == []
    write(root / "src", {"Top/New.lean": "theorem new_gem : 1 = 1 := rfl\n"})
    index(root / "src", root / "top.db")
    assert names(shelves, "new_gem") == ["new_gem"]
    (root / "src" / "Top" / "New.lean").unlink()
    index(root / "src", root / "top.db", anew=True)
    assert names(shelves, "new_gem") == []
    assert "IsCompact" in names(shelves, "compact")


def test_one_answer_is_of_one_moment(root: Path, shelves: Shelves) -> None:
    with shelves.reading() as library:
        before = [each.stored.premise.name for each in library.search("compact")]
        write(root / "src", {"Top/Topology.lean": "theorem nothing_compact : 1 = 1 := rfl\n"})
        index(root / "src", root / "top.db")
        assert [each.stored.premise.name for each in library.search("compact")] == before
    assert names(shelves, "compact") == ["nothing_compact"]


def test_a_draft_hides_its_file_until_the_index_has_it(root: Path, shelves: Shelves) -> None:
    path = root / "src" / "Top" / "Algebra.lean"
    text = ALGEBRA.replace("inv_unique", "inv_is_unique")
    where = home(shelves, path, "", text.encode())
    assert where is not None
    assert (where.package, where.module, where.index) == ("top", "Top.Algebra", root / "top.db")
    shelves.put(draft(text, where.package, where.module, str(path)), where.index)
    assert "Group.inv_is_unique" in names(shelves, "inv_is_unique")
    assert "Group.inv_unique" not in names(shelves, "inv_unique")
    assert shelves.conditions[0].drafts == 1
    path.write_text(text, encoding="utf-8")
    index(root / "src", root / "top.db")
    assert names(shelves, "inv_is_unique").count("Group.inv_is_unique") == 1
    assert shelves.drafts == (), "the index has it now"


def test_a_draft_of_what_is_indexed_is_none(root: Path, shelves: Shelves) -> None:
    path = root / "src" / "Top" / "Topology.lean"
    assert home(shelves, path, "", TOPOLOGY.encode()) is None
    shelves.put(draft(TOPOLOGY, "top", "Top.Topology", str(path)), root / "top.db")
    assert shelves.drafts == ()


def test_a_file_that_is_gone_is_hidden_until_the_index_knows(root: Path, shelves: Shelves) -> None:
    path = root / "src" / "Top" / "Topology.lean"
    put_gone(shelves, path)
    assert names(shelves, "compact") == []
    shelves.drop(str(path))
    assert "IsCompact" in names(shelves, "compact")
    put_gone(shelves, path)
    path.unlink()
    index(root / "src", root / "top.db")
    assert names(shelves, "compact") == []
    assert shelves.drafts == ()


def test_answers_say_what_is_usable(root: Path, shelves: Shelves) -> None:
    path = root / "src" / "Top" / "Mine.lean"
    text = "import Top.Algebra\n"
    ask = Ask("extreme value theorem", 10, path, text, 0)
    (compact,) = [
        each for each in search(shelves, ask, {}).found if each.hit.stored.premise.name == "IsCompact.exists_isMaxOn"
    ]
    assert (compact.usable, compact.needs) == (False, "Top.Topology")
    assert "IsCompact.exists_isMaxOn" not in names(
        shelves, "extreme value theorem", path=path, document=text, usable_here=True
    )
    assert names(shelves, "mul_comm", path=path, document=text, usable_here=True)[0] == "Group.mul_comm"
    assert names(shelves, "extreme value theorem")[0] == "IsCompact.exists_isMaxOn", "nothing stays held back"


def test_who_imports_whom_is_asked_again_only_when_it_changes(root: Path, shelves: Shelves) -> None:
    header = header_of("import Top.Topology\n")
    with shelves.reading():
        first = shelves.access(header)
        assert shelves.access(header) is first
    assert "Top.Algebra" in first.modules
    write(root / "src", {"Top/Topology.lean": TOPOLOGY.replace("import Top.Algebra\n", "")})
    index(root / "src", root / "top.db")
    with shelves.reading():
        assert "Top.Algebra" not in shelves.access(header).modules


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"x" * 5000])
def test_what_is_no_index_is_a_sentence_and_the_others_answer(root: Path, shelves: Shelves, content: bytes) -> None:
    (root / "bad.db").write_bytes(content)
    good = Spot(Package("top", root / "src"), root / "top.db")
    shelves.arrange([Spot(Package("bad", root / "bad"), root / "bad.db"), good])
    assert "IsCompact" in names(shelves, "compact")
    bad = shelves.conditions[0]
    assert (bad.package, bad.open) == ("bad", False)
    assert bad.sentence.endswith(".")
    assert "\n" not in bad.sentence


def test_an_index_that_is_damaged_while_it_is_read_is_left_out(root: Path, shelves: Shelves) -> None:
    write(root / "own", {"Own.lean": "theorem own_compact : 1 = 1 := rfl\n"})
    index(root / "own", root / "own.db")
    shelves.arrange([*shelves.spots, Spot(Package("own", root / "own"), root / "own.db")])
    assert "own_compact" in names(shelves, "compact")
    assert "IsCompact" in names(shelves, "compact")
    broken = sqlite3.connect(root / "top.db")
    broken.execute("PRAGMA writable_schema = 1")
    broken.execute("DROP TABLE postings")
    broken.commit()
    broken.close()
    assert names(shelves, "compact") == ["own_compact"]
    assert "cannot be read" in shelves.conditions[0].sentence


def test_names_are_found_where_they_stand_now(root: Path, shelves: Shelves) -> None:
    path = root / "src" / "Top" / "Topology.lean"
    answer = search(shelves, Ask("IsCompact.exists_isMaxOn"), {str(path): TOPOLOGY})
    (found,) = [each for each in answer.found if each.hit.stored.premise.name == "IsCompact.exists_isMaxOn"]
    line = TOPOLOGY.split("\n")[found.line]
    assert line[found.start : found.end] == "exists_isMaxOn"
    path.write_text("-- shorter\n", encoding="utf-8")
    (found,) = search(shelves, Ask("IsCompact.exists_isMaxOn", 1), {}).found
    assert (found.start, found.end) == (0, 0)


def test_positions_are_utf16(root: Path, shelves: Shelves) -> None:
    text = "/-- 𝕜𝕜 -/ theorem utf16_gem : 1 = 1 := rfl\n"
    path = root / "src" / "Top" / "New.lean"
    shelves.put(draft(text, "top", "Top.New", str(path)), root / "top.db")
    (found,) = search(shelves, Ask("utf16_gem", 1), {str(path): text}).found
    assert (found.line, found.start, found.end) == (0, 20, 29)
