"""Sets of theorems, and the table of how many are proved in each way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from io import StringIO
from pathlib import Path

import pytest

from tacit.server.errors import BadInput, NoGoal
from tacit.server.eval_prove import ONE_STEP, SEARCH, Wish, evaluate_proofs, goals_of
from tacit.server.prover.events import Proved, Searched, Taken
from tacit.server.suggest import Document, Event, Finished, Found, LeanStatus, Options
from tacit.server.terminal import Terminal
from tacit.server.text import Position, Span
from tacit.server.theorems import proved
from tacit.server.values import Suggestion, TextEdit, Verdict

FILE = """theorem one : 1 = 1 := by
  rfl

theorem term : True := trivial

example (p : Prop) (h : p) : p := by
  exact h

theorem open_one : 2 = 2 := by sorry
"""
BOOK = (
    "Text.\n\n```lean\n# section\ntheorem a : 1 = 1 := by rfl\n```\n\n```bash\nls\n```\n\n"
    "```lean\ntheorem b : 2 = 2 := by\n  rfl\n```\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "A.lean"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_theorems_lose_their_proofs_and_what_stands_below(file: Path) -> None:
    first, second = proved(file, below=False)
    assert first.text == "theorem one : 1 = 1 := by\n  sorry\n"
    assert second.text == FILE[: FILE.index("exact h")].rstrip() + "\n  sorry\n"
    assert (first.name, second.name, first.position) == ("one", "example", Position(1, 2))
    assert "theorem term" in next(proved(file)).text
    assert first.path == file


def test_blocks_of_a_book_are_texts_of_their_own(tmp_path: Path) -> None:
    book = tmp_path / "book.md"
    book.write_text(BOOK, encoding="utf-8")
    goals = goals_of(book, 10)
    assert [(goal.name, goal.part, goal.path) for goal in goals] == [("a", 1, None), ("b", 2, None)]
    assert goals[0].text == "section\ntheorem a : 1 = 1 := by\n  sorry\n"
    assert goals[0].uri != goals[1].uri


def test_a_set_is_its_theorems_or_its_sorries(file: Path, tmp_path: Path) -> None:
    assert [goal.name for goal in goals_of(file, 10, only_sorries=True)] == ["open_one"]
    assert [goal.name for goal in goals_of(file, 10)] == ["one", "example"]
    (tmp_path / "B.lean").write_text(
        "".join(f"theorem t{n} : p := by\n  simp\n\n" for n in range(10)), encoding="utf-8"
    )
    assert [goal.name for goal in goals_of(tmp_path / "B.lean", 3)] == ["t0", "t3", "t6"]


def test_a_set_that_has_no_theorem_is_said(tmp_path: Path) -> None:
    (tmp_path / "C.lean").write_text("def x := 1\n", encoding="utf-8")
    with pytest.raises(BadInput, match="has no theorem that is proved by tactics"):
        goals_of(tmp_path / "C.lean", 3)
    with pytest.raises(BadInput, match="There is no"):
        goals_of(tmp_path / "gone", 3)


class Scripted:
    """Proves `b` by search alone, `a` both ways, and has no goal in `c`."""

    async def suggest(self, document: Document, position: Position, options: Options) -> AsyncGenerator[Event, None]:
        name = document.text.split()[1]
        if name == "c":
            raise NoGoal("There is none.")
        steps = (Taken("intro h", "portfolio", ()), Taken("simp", "file", ()))
        edit = TextEdit(Span(0, 0), "")
        found = Suggestion("intro h\nsimp" if name == "b" else "rfl", Verdict.CLOSES, (), edit, "portfolio", 1)
        if options.search:
            if name == "b":
                yield Proved(found, steps, 1.0)
                yield Found(found, 1.0)
            elif name == "a":
                yield Found(found, 1.0)
            yield Searched(name == "b", 5, 10, 2, 1.0)
        elif name == "a":
            yield Found(found, 1.0)
        yield Finished(3, 1.0)

    def status(self) -> LeanStatus:
        return LeanStatus("ready", "4.0.0")

    async def aclose(self) -> None:
        pass


def test_both_ways_side_by_side(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.lean").write_text(f"theorem {name} : p := by\n  simp\n", encoding="utf-8")
    out = StringIO()
    wish = Wish(5.0, 10, log=tmp_path / "log.jsonl")
    asyncio.run(evaluate_proofs(Scripted(), Terminal(out, StringIO()), [tmp_path], wish, as_json=True))
    [figures] = json.loads(out.getvalue())["sets"].values()
    assert [figures[way]["closed"] for way in (ONE_STEP, SEARCH)] == [1, 2]
    assert [figures[way]["goals"] for way in (ONE_STEP, SEARCH)] == [3, 3]
    assert figures[SEARCH]["by several steps"] == 1
    assert figures[SEARCH]["sources"] == {"portfolio": 2, "file": 1}
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["name"], line["way"], bool(line["proof"])) for line in lines] == [
        ("a", ONE_STEP, True), ("a", SEARCH, True), ("b", ONE_STEP, False), ("b", SEARCH, True),
        ("d", ONE_STEP, False), ("d", SEARCH, False),
    ]  # fmt: skip
