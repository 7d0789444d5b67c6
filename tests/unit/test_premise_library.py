"""Premises in the open library that search has: drafts take the place of their files, changes are seen."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from tacit.index.packages import Package
from tacit.retrieval.overlay import draft
from tacit.server.answers import Ask
from tacit.server.asking import home, put_gone, search
from tacit.server.library import Spot, bring_up_to_date, read_proofs
from tacit.server.premise_library import LibraryPremises
from tacit.server.searcher import SearchClosed, Searcher
from tacit.server.shelves import Shelves
from tacit.server.tactics.source import Helpful, SourceRequest
from tacit.server.values import Goal
from tests.unit.corpus import index, write

BASE = "theorem mul_comm (a b : G) : a * b = b * a := sorry\ndef double (a : G) : G := a * a\n"
FILES = {
    "Top/Base.lean": BASE,
    "Top/Uses.lean": "import Top.Base\ntheorem uses (a b : G) : a * b * a = b * a * a := by rw [mul_comm]\n",
    "Top/Mine.lean": "import Top.Uses\n",
}
T = TypeVar("T")


class Library:
    """A finder over shelves that a test can reach into."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.shelves = Shelves()
        self.shelves.arrange([Spot(Package("top", root / "src"), root / "top.db", own=True)])
        self.finder = LibraryPremises(self.run)
        self.asked = 0

    async def run(self, question: Callable[[Shelves], T], /) -> T:
        self.asked += 1
        return question(self.shelves)

    def find(self, text: str = "import Top.Uses\n", target: str = "x * y = y * x", *, file: str = "Mine") -> list[str]:
        path = self.root / "src" / "Top" / f"{file}.lean"
        request = SourceRequest((Goal((), target),), frozenset(), "foo", text=text, start=len(text), path=path)

        async def find() -> Sequence[Helpful]:
            return await self.finder.find(request, 10)

        return [each.name for each in asyncio.run(find())]

    def unknown(
        self, *names: str, text: str = "import Top.Uses\n", file: str = "Mine", declaration: str = "foo"
    ) -> set[str]:
        path = self.root / "src" / "Top" / f"{file}.lean"
        start = text.rfind("\n", 0, max(text.rfind("theorem"), 0)) + 1 if "theorem foo" in text else len(text)
        at = len(text)
        request = SourceRequest((Goal((), "p"),), frozenset(), declaration, text=text, start=start, at=at, path=path)

        async def ask() -> set[str]:
            return set(await self.finder.unknown(request, names))

        return asyncio.run(ask())

    def put(self, name: str, text: str) -> None:
        path = self.root / "src" / name
        where = home(self.shelves, path, "", text.encode())
        assert where is not None
        self.shelves.put(draft(text, where.package, where.module, str(path)), where.index)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    write(tmp_path / "src", FILES)
    index(tmp_path / "src", tmp_path / "top.db")
    found = Library(tmp_path)
    yield found
    found.shelves.close()


def test_what_another_file_says_unsaved_is_a_premise_where_it_is_imported(library: Library) -> None:
    assert library.find() == ["mul_comm", "uses"]
    library.put("Top/Base.lean", BASE.replace("mul_comm", "mul_swap") + "theorem more (a b : G) : b * a = a * b := p\n")
    found = library.find()
    assert {"mul_swap", "more", "uses"} == set(found)
    assert library.find("", file="Other") == []
    library.shelves.drop(str(library.root / "src" / "Top" / "Base.lean"))
    assert library.find() == ["mul_comm", "uses"]


def test_a_new_file_that_no_index_has_yet_is_a_premise_where_it_is_imported(library: Library) -> None:
    library.put("Top/New.lean", "import Top.Base\ntheorem brand_new (a b : G) : a * b = b * a := sorry\n")
    assert "brand_new" not in library.find()
    assert library.find("import Top.New\n")[:2] == ["mul_comm", "brand_new"]
    library.put("Top/Uses.lean", "import Top.New\n")
    assert "brand_new" in library.find(), "imported by what is imported"


def test_of_the_own_file_only_what_stands_above_counts(library: Library) -> None:
    below = "theorem foo (a b : G) : a * b = b * a := p\ntheorem below (a b : G) : a * b = b * a := p\n"
    text = "import Top.Base\ntheorem above (a b : G) : a * b = b * a := p\n"
    library.put("Top/Mine.lean", text + below)
    assert set(library.find(text)) == {"mul_comm", "above"}
    library.put("Top/Fresh.lean", text + below)
    assert set(library.find(text, file="Fresh")) == {"mul_comm", "above"}


def test_where_a_theorem_is_proved_anew_neither_it_nor_its_proof_nor_what_comes_later_helps(tmp_path: Path) -> None:
    base = BASE + "theorem obscure : Balanced := sorry\n"
    proved = "theorem foo (a : G) : Even (a * a) := obscure\n"
    below = "theorem below (a : G) : Even (a * a) := foo a\n"
    later = "import Top.Mine\ntheorem later (a : G) : Even (a * a) := obscure\n"
    mine, apart = f"import Top.Base\n{proved}{below}", f"import Top.Base\n{proved.replace('foo', 'like')}"
    files = {"Top/Base.lean": base, "Top/Mine.lean": mine, "Top/Later.lean": later, "Top/Apart.lean": apart}
    write(tmp_path / "src", files)
    index(tmp_path / "src", tmp_path / "top.db")
    read_proofs(tmp_path / "top.db", lambda *_: None)
    found = Library(tmp_path)
    try:
        named = found.find("import Top.Base\n", "Even (x * x)")
        assert not {"foo", "below", "later", "obscure"} & set(named), (
            "its own proof votes for `obscure`, as later ones do"
        )
        assert "obscure" in found.find("import Top.Apart\n", "Even (x * x)"), "a proof that can be seen votes"
    finally:
        found.shelves.close()


def test_definitions_of_a_file_that_says_otherwise_now_are_gone(library: Library) -> None:
    assert "double" in library.find(target="double x = x")
    library.put("Top/Base.lean", "def double : G → G := id\ndef twice (a : G) : G := a * a\n")
    assert library.find(target="double x = twice x").count("double") == 1
    assert "twice" in library.find(target="double x = twice x")
    put_gone(library.shelves, library.root / "src" / "Top" / "Base.lean")
    assert library.find(target="double x = x", text="import Top.Base\n") == []


def test_a_proof_above_that_names_an_unsaved_lemma_votes_for_it(library: Library) -> None:
    library.put("Top/Base.lean", BASE + "theorem obscure : Balanced := sorry\n")
    text = "import Top.Base\ntheorem near (a : G) : Even a := obscure\n"
    assert "obscure" in library.find(text, "Even (x * x)")


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Library]:
    """The same with a Lean of its own, so that all that a file imports is indexed."""
    write(tmp_path / "src", {**FILES, "Init.lean": "prelude\naxiom propext : p\n"})
    index(tmp_path / "src", tmp_path / "top.db")
    found = Library(tmp_path)
    yield found
    found.shelves.close()


def test_names_that_mean_nothing_where_they_stand_are_told(whole: Library) -> None:
    names = ("mul_comm", "uses", "propext", "double.eq_1", "made_up", "mul_comm.made_up")
    assert whole.unknown(*names) == {"made_up", "mul_comm.made_up"}
    assert whole.unknown(*names, text="import Top.Base\n") == {"uses", "made_up", "mul_comm.made_up"}
    assert whole.unknown() == set()


def test_without_an_index_of_lean_itself_no_name_is_called_made_up(library: Library) -> None:
    assert library.unknown("made_up") == set()


def test_where_not_all_imports_are_indexed_no_name_is_called_made_up(whole: Library) -> None:
    assert whole.unknown("made_up", text="import Top.Uses\nimport Far.Away\n") == set()


def test_names_of_unsaved_texts_mean_something(whole: Library) -> None:
    assert whole.unknown("typed_one") == {"typed_one"}
    whole.put("Top/Base.lean", BASE + "theorem typed_one : p := sorry\n")
    assert whole.unknown("typed_one", "made_up") == {"made_up"}
    whole.put("Top/Mine.lean", "import Top.Uses\ntheorem below_one : p := sorry\n")
    assert whole.unknown("below_one", "made_up") == {"made_up"}


def test_what_stands_above_and_what_is_open_there_counts(whole: Library) -> None:
    whole.put("Top/Base.lean", BASE + "theorem Deep.one : p := sorry\ntheorem Deep.Er.two : p := sorry\n")
    text = "import Top.Base\nnamespace Mine\n@[simps] def own_one : Nat := 1\nopen Deep\n"
    assert whole.unknown("own_one", "Mine.own_one", "one", "two", "three", text=text) == {"two", "three"}
    assert whole.unknown("two", "Er.two", text="import Top.Base\n", declaration="Deep.Er.foo") == set()
    assert whole.unknown("two", "one", text="import Top.Base\nopen Deep.Er in\ntheorem foo : p := by\n  ") == {"one"}


def test_names_of_an_index_that_changes_are_read_again(whole: Library) -> None:
    assert whole.unknown("swapped") == {"swapped"}
    write(whole.root / "src", {"Top/Base.lean": BASE.replace("mul_comm", "swapped")})
    index(whole.root / "src", whole.root / "top.db")
    assert whole.unknown("swapped", "mul_comm") == {"mul_comm"}


def test_an_index_that_changes_is_read_again(library: Library) -> None:
    library.find()
    asked = library.asked
    library.find()
    assert library.asked == asked + 1, "what does not change is kept"
    write(library.root / "src", {"Top/Base.lean": BASE.replace("mul_comm", "swapped")})
    index(library.root / "src", library.root / "top.db")
    assert library.find() == ["swapped", "uses"]
    index(library.root / "src", library.root / "top.db", anew=True)
    assert library.find() == ["swapped", "uses"]


def test_search_and_premises_do_not_disturb_each_other(library: Library) -> None:
    library.put("Top/Base.lean", BASE.replace("mul_comm", "mul_swap"))

    def names() -> list[str]:
        return [each.hit.stored.premise.name for each in search(library.shelves, Ask("a * b = b * a"), {}).found]

    before = names()
    assert library.find() == ["mul_swap", "uses"]
    assert names() == before
    assert "mul_comm" not in before


def test_a_damaged_index_leaves_the_premises_of_the_others(library: Library) -> None:
    write(library.root / "own", {"Own.lean": "import Top.Uses\ntheorem own (a b : G) : a * b = b * a := sorry\n"})
    index(library.root / "own", library.root / "own.db")
    own = Spot(Package("own", library.root / "own"), library.root / "own.db")
    library.shelves.arrange([own, *library.shelves.spots])
    assert set(library.find("import Own\n")) == {"own", "mul_comm", "uses"}
    broken = sqlite3.connect(library.root / "top.db")
    broken.execute("PRAGMA writable_schema = 1")
    broken.execute("DROP TABLE postings")
    broken.commit()
    broken.close()
    library.find("import Own\n")
    search(library.shelves, Ask("mul_comm"), {})
    assert library.find("import Own\n") == ["own"]
    assert [each.open for each in library.shelves.conditions] == [True, False]


def test_nothing_is_found_and_nothing_complains_once_search_has_ended() -> None:
    async def run() -> Sequence[Helpful]:
        searcher = Searcher()
        finder = LibraryPremises(searcher.run)
        await searcher.aclose()
        with pytest.raises(SearchClosed):
            await searcher.run(lambda _: None)
        return await finder.find(SourceRequest((Goal((), "x = x"),), frozenset()), 10)

    assert asyncio.run(run()) == ()


def test_premises_open_no_vectors_and_search_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tacit.index.places import places

    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MATHLIB", raising=False)
    root = tmp_path / "work"
    write(root, {**FILES, "lakefile.toml": 'name = "top"\n[[lean_lib]]\nname = "Top"\n'})
    for each in places(root):
        bring_up_to_date(each, lambda *_: None)
    loaded: list[object] = []

    async def load(searcher: Searcher) -> None:
        loaded.append(searcher)

    monkeypatch.setattr(Searcher, "_load", load)

    async def run() -> None:
        searcher = Searcher()
        searcher.arrange([root], everything=False)
        text = "import Top.Uses\n"
        request = SourceRequest((Goal((), "x * y = y * x"),), frozenset(), "foo", text=text, start=len(text))
        assert [each.name for each in await LibraryPremises(searcher.run).find(request, 5)] == ["mul_comm", "uses"]
        assert not loaded
        assert (await searcher.search(Ask("mul_comm"))).found
        await asyncio.sleep(0)
        assert loaded
        await searcher.aclose()

    asyncio.run(run())
