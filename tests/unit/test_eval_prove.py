"""Sets of theorems, and the table of how many are proved in each way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tacit.server.cli import main
from tacit.server.compose import build_suggester, sources
from tacit.server.errors import BadInput, NoGoal
from tacit.server.eval_prove import Wish, evaluate_proofs, goals_of
from tacit.server.eval_ways import FIXED, MORE, chosen, ways
from tacit.server.lean.elaborator import Message
from tacit.server.prover.events import Proved, Searched, Taken
from tacit.server.settings import Settings
from tacit.server.suggest import Document, Event, Finished, Found, GoalFound, LeanStatus, Options
from tacit.server.tactics.source import TacticSource
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


TERMS = """theorem term : True := trivial

theorem by_cases : ∀ n : Nat, n = n
  | 0 => rfl
  | n + 1 => have h : n = n := rfl; rfl

theorem of_let : let x := 2; x = 2 := rfl

theorem tactic (h : |a| = b) :
    |a| = b := by
  exact h

theorem fields : And p q where
  left := by simp
  right := by simp
"""


def test_proofs_that_are_terms_count_where_they_are_wanted(tmp_path: Path) -> None:
    file = tmp_path / "T.lean"
    file.write_text(TERMS, encoding="utf-8")
    assert [goal.name for goal in proved(file)] == ["tactic"]
    named = {goal.name: goal.text for goal in proved(file, below=False, terms=True)}
    assert list(named) == ["term", "of_let"], "a line that begins with `|` is taken for an alternative"
    assert named["term"] == "theorem term : True := by\n  sorry\n"
    assert named["of_let"].endswith("theorem of_let : let x := 2; x = 2 := by\n  sorry\n")


def test_each_way_asks_more_sources_than_the_one_before() -> None:
    plain = frozenset(each.name for each in sources())
    known = ways(plain)
    there: list[str] = []

    def note(all_: list[TacticSource]) -> list[TacticSource]:
        there.extend(each.name for each in all_)
        return all_

    asyncio.run(build_suggester(Settings(), choose=note).aclose())
    assert FIXED in plain
    assert plain.union(MORE) >= set(there) >= plain
    assert {"premises", "memory"} <= set(there)
    growing = [known[name].sources for name in ("fixed", "search", "+premises", "+memory")]
    assert all(a is not None and b is not None and a < b for a, b in pairwise(growing))
    assert known["+model"].sources is None
    assert known["portfolio"].sources == known["search"].sources
    assert [each.name for each in chosen("one, search,one", plain)] == ["one", "search"]
    assert len(chosen("all", plain)) == len(known)
    with pytest.raises(BadInput, match="magic is no way to prove"):
        chosen("one,magic", plain)


class Scripted:
    """Proves `b` by search alone, `a` both ways; has no goal in `c`, and data in `e`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Options]] = []

    async def suggest(self, document: Document, position: Position, options: Options) -> AsyncGenerator[Event, None]:
        name = document.text.split()[1]
        if name == "c":
            raise NoGoal("There is none.")
        yield GoalFound((), Span(0, 0), name, name == ":")
        if options.sources == frozenset():
            return
        self.asked.append((name, options))
        steps = (Taken("intro h", "portfolio", ()), Taken("simp", "file", ()))
        edit = TextEdit(Span(0, 0), "")
        tactic = "intro h\nsimp" if name == "b" else "rfl"
        found = Suggestion(tactic, Verdict.CLOSES, (), edit, "portfolio", 1, verified=True)
        if options.search:
            if name == "b":
                yield Proved(found, steps, 1.0)
                yield Found(found, 1.0)
            elif name == "a":
                yield Found(found, 1.0)
            yield Searched(name == "b", 5, 10, 2, 1.0)
        elif name == "a":
            yield Found(found, 1.0)
        elif name == "rests":
            note = "It uses a theorem that is not proved yet."
            yield Found(replace(found, verdict=Verdict.PROGRESSES, verified=False, note=note), 1.0)
        yield Finished(3, 1.0)

    def status(self) -> LeanStatus:
        return LeanStatus("ready", "4.0.0")

    async def messages(self, document: Document) -> tuple[Message, ...] | None:
        return ()

    async def aclose(self) -> None:
        pass


@pytest.fixture
def some(tmp_path: Path) -> Path:
    folder = tmp_path / "some"
    folder.mkdir()
    for name in "abcd":
        (folder / f"{name}.lean").write_text(f"theorem {name} : p := by\n  simp\n", encoding="utf-8")
    (folder / "e.lean").write_text("example : Nat := by\n  exact 1\n", encoding="utf-8")
    return folder


def run(engine: Scripted, path: Path, wish: Wish) -> dict[str, Any]:
    out = StringIO()
    asyncio.run(evaluate_proofs(engine, Terminal(out, StringIO()), [path], wish, as_json=True))
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def test_several_ways_side_by_side(some: Path, tmp_path: Path) -> None:
    both = chosen("one,+memory", frozenset(("portfolio", "file")))
    engine = Scripted()
    answer = run(engine, some, Wish(both, 60.0, 10, log=tmp_path / "log.jsonl"))
    [figures] = answer["sets"].values()
    assert [figures[way.name]["closed"] for way in both] == [1, 2]
    assert [figures[way.name]["goals"] for way in both] == [3, 3]
    assert figures["+memory"]["within"] == {"10": 2, "60": 2}
    assert figures["+memory"]["by several steps"] == 1
    assert figures["+memory"]["sources"] == {"portfolio": 2, "file": 1}
    [left_out] = answer["skipped"].values()
    assert [each.rpartition(": ")[2] for each in left_out] == ["There is none.", "It is data, not a proof."]
    assert {(options.search, options.sources) for _, options in engine.asked} == {
        (way.search, way.sources) for way in both
    }
    order = [options.search for name, options in engine.asked if name in "ab"]
    assert order == [False, True, True, False], "no way is always the first in a Lean that is warm for the second"
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["name"], line["way"], bool(line["proof"])) for line in lines] == [
        ("a", "one", True), ("a", "+memory", True), ("b", "one", False), ("b", "+memory", True),
        ("d", "one", False), ("d", "+memory", False),
    ]  # fmt: skip


def test_what_uses_another_sorry_counts_among_sorrys_only_and_is_told(tmp_path: Path) -> None:
    file, way = tmp_path / "S.lean", chosen("one", frozenset(("portfolio",)))
    file.write_text("theorem rests : p := by sorry\n", encoding="utf-8")
    [figures] = run(Scripted(), file, Wish(way, sorries=True))["sets"].values()
    assert (figures["one"]["closed"], figures["one"]["with another sorry"]) == (1, 1)
    file.write_text("theorem rests : p := by simp\n", encoding="utf-8")
    [figures] = run(Scripted(), file, Wish(way))["sets"].values()
    assert (figures["one"]["closed"], figures["one"]["with another sorry"]) == (0, 0)


def test_what_an_earlier_run_has_closed_is_not_tried_again(some: Path, tmp_path: Path) -> None:
    both = chosen("one,+model", frozenset(("portfolio",)))
    log = tmp_path / "log.jsonl"
    first = run(Scripted(), some, Wish(both, 5.0, 10, log=log))
    engine = Scripted()
    second = run(engine, some, Wish(both, 60.0, 10, log=tmp_path / "second.jsonl", again=log))
    assert sorted((name, options.search) for name, options in engine.asked) == [("b", False), ("d", False), ("d", True)]
    [before], [after] = first["sets"].values(), second["sets"].values()
    assert [after[way.name]["closed"] for way in both] == [before[way.name]["closed"] for way in both]
    log.write_text("no JSON\n", encoding="utf-8")
    with pytest.raises(BadInput, match="is no log"):
        run(Scripted(), some, Wish(both, again=log))


def test_what_searches_tried_is_kept_with_its_module(some: Path, tmp_path: Path) -> None:
    (some / "lakefile.lean").write_text("package some\n", encoding="utf-8")
    traces = tmp_path / "tried.jsonl"
    run(Scripted(), some, Wish(chosen("one,search", frozenset()), 5.0, 2, traces=traces))
    kept = [json.loads(line) for line in traces.read_text(encoding="utf-8").splitlines()]
    assert [(each["name"], each["module"]) for each in kept if "search" in each] == [("a", "a")]


def test_the_command_names_ways_sets_and_logs(some: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = Scripted()
    arguments = ["eval", "prove", str(some), "--ways", "one,search", "--budget", "20s", "--at-most", "2", "--json"]
    assert main(arguments, build=lambda _: engine) == 0
    assert [(name, options.budget, options.search) for name, options in engine.asked] == [
        ("a", 20.0, False), ("a", 20.0, True),
    ]  # fmt: skip
    [figures] = json.loads(capsys.readouterr().out)["sets"].values()
    assert list(figures) == ["one", "search"]
    assert main(["eval", "prove", str(some), "--ways", "magic"], build=lambda _: engine) == 2
    assert "magic is no way to prove" in capsys.readouterr().err
    assert main(["eval", "prove"], build=lambda _: engine) == 2
    assert main(["eval", "steps", str(some), "--json"], build=lambda _: Scripted()) == 0
    [figures] = json.loads(capsys.readouterr().out)["sets"].values()
    assert (figures["steps"], figures["left out"]) == (4, 1)
