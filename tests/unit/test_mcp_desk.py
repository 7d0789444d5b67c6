"""What agents are answered: of a scripted engine and scripted indexes, without a process."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from tacit.server.answers import Answer, Ask, Condition, SearchStatus
from tacit.server.errors import NoGoal
from tacit.server.mcp_desk import Desk
from tacit.server.prover.events import Proved, Searched, Searching, Taken
from tacit.server.prover.wanted import PLAIN, Finish
from tacit.server.searcher import Searcher
from tacit.server.suggest import BatchChecked, Document, Event, Finished, Found, GoalFound, LeanStatus, Options
from tacit.server.text import LineIndex, Position, Span
from tacit.server.values import Candidate, CheckedTactic, Suggestion, TextEdit, Verdict
from tests.unit.cli_engine import GOAL, LEFT

TEXT = "theorem foo (p : Prop) (h : p) : p := by\r\n  sorry\r\n"
SORRY = Span(TEXT.index("sorry"), TEXT.index("sorry") + 5)


@dataclass
class Scripted:
    """Yields these events, whatever is asked."""

    events: Sequence[Event]
    replayed: bool = False
    asked: list[tuple[Document, Position, Options]] = field(default_factory=list)

    async def suggest(
        self, document: Document, position: Position, options: Options = Options()
    ) -> AsyncGenerator[Event, None]:
        self.asked.append((document, position, options))
        for each in self.events:
            yield each

    def status(self) -> LeanStatus:
        return LeanStatus(
            "replaying", replayed=self.replayed, sentence="This is no live Lean." if self.replayed else ""
        )

    async def forget(self, uri: str) -> None:
        raise AssertionError(uri)

    async def aclose(self) -> None:
        return None


class Told:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


@dataclass
class Indexes:
    """A searcher whose vectors join after the first question."""

    answers: list[Answer]
    meanings: bool = False
    asked: list[Ask] = field(default_factory=list)

    async def search(self, ask: Ask) -> Answer:
        self.asked.append(ask)
        return self.answers.pop(0)

    async def settled(self) -> None:
        self.meanings = True

    def status(self) -> SearchStatus:
        condition = Condition("top", Path("top.db"), open=True, premises=3, meanings=self.meanings)
        return SearchStatus("open", (condition, Condition("lean4", Path("l.db"), sentence="lean4 is not indexed yet.")))

    def arrange(self, folders: Sequence[Path], *, everything: bool, lean: str) -> None:
        assert everything

    async def aclose(self) -> None:
        return None


def suggestion(tactic: str, *, verdict: Verdict = Verdict.CLOSES, **more: Any) -> Suggestion:
    made = Suggestion(tactic, verdict, (), TextEdit(SORRY, tactic), "fixed", 1, verified=True)
    return replace(made, **more)


def desk(folder: Path, engine: Scripted, searcher: Indexes | None = None) -> Desk:
    (folder / "Foo.lean").write_bytes(TEXT.encode())
    return Desk(lambda: engine, cast(Searcher, searcher or Indexes([])), [folder])


SEEN = GoalFound((GOAL,), SORRY, "foo")


async def test_a_proof_comes_with_others_and_the_edit_has_the_line_ends_of_the_file(tmp_path: Path) -> None:
    proof, other = suggestion("cases h\nexact h", axioms=("propext",)), suggestion("simp")
    engine = Scripted(
        [
            SEEN,
            Searching(3, 1, 20, 2, "p", 1.0, 9.0),
            Proved(proof, (Taken("cases h", "fixed", (GOAL,)),), 1.5, (other,)),
            Found(proof, 1.5),
            Searched(True, 4, 30, 5, 2.0),
            Finished(30, 2.0),
        ]
    )
    agent, told = desk(tmp_path, engine), Told()
    found = await agent.prove(await agent.spot("Foo.lean", 2, None), 10.0, Finish(True, 2), told)
    assert (found.proved, found.proof, found.axioms, found.steps) == (
        True,
        "cases h\nexact h",
        ["propext"],
        ["cases h"],
    )
    assert found.edit is not None
    assert (found.edit.line, found.edit.column, found.edit.end_column) == (2, 3, 8)
    assert found.edit.new_text == "cases h\r\nexact h"
    assert [(each.proof, each.edit.new_text) for each in found.alternatives] == [("simp", "simp")]
    assert (found.states, found.checked, found.sketch) == (4, 30, None)
    assert any("3 states, depth 2, 20 tactics tried" in each for each in told.said)
    (asked,) = engine.asked
    assert (asked[2].finish, asked[2].search, asked[2].budget) == (Finish(True, 2), True, 10.0)


async def test_without_a_proof_there_is_a_reason_and_a_sketch(tmp_path: Path) -> None:
    sketch = suggestion("constructor\n· sorry", verdict=Verdict.PROGRESSES, verified=False)
    searched = Searched(False, 9, 90, 12, 10.0, "Stopped after 10 s.", sketch, 1)
    agent = desk(tmp_path, Scripted([SEEN, searched, Finished(90, 10.0)], replayed=True))
    found = await agent.prove(await agent.spot("Foo.lean", 2, None), 10.0, PLAIN, Told())
    assert (found.proved, found.proof, found.edit, found.diff) == (False, None, None, "")
    assert found.sketch == "constructor\n· sorry"
    assert found.sketch_edit is not None
    assert found.reason.startswith("Stopped after 10 s. 90 tactics tried in 9 states.")
    assert found.reason.endswith("This is no live Lean.")


@pytest.mark.parametrize(
    ("checked", "shown", "verdict", "message"),
    [
        (Verdict.CLOSES, suggestion("rfl"), "closes", ""),
        (Verdict.CLOSES, suggestion("rfl", verdict=Verdict.PROGRESSES, note="Others are left."), "closes this goal",
         "Others are left."),
        (Verdict.CLOSES, None, "fails", "did not accept it in place"),
        (Verdict.PROGRESSES, suggestion("rfl", verdict=Verdict.PROGRESSES, goals=(LEFT,)), "progresses", ""),
        (Verdict.PROGRESSES, None, "progresses", "leads nowhere"),
        (Verdict.TIMED_OUT, None, "times out", "It hung."),
    ],
)  # fmt: skip
async def test_the_verdict_of_a_tactic_is_that_of_the_whole(
    tmp_path: Path, checked: Verdict, shown: Suggestion | None, verdict: str, message: str
) -> None:
    said = "It hung." if checked is Verdict.TIMED_OUT else ""
    one = CheckedTactic(Candidate("rfl", "given"), checked, (LEFT,) if checked is Verdict.PROGRESSES else (), said)
    another = CheckedTactic(Candidate("exact rfl", "try this"), Verdict.CLOSES)
    events: list[Event] = [SEEN, BatchChecked((one,), 0.1), BatchChecked((another,), 0.1)]
    events += [Found(shown, 0.1)] if shown is not None else []
    engine = Scripted([*events, Found(suggestion("exact rfl"), 0.2), Finished(2, 0.2)])
    agent = desk(tmp_path, engine)
    found = await agent.check(await agent.spot("Foo.lean", 2, 3), "\nrfl\n")
    assert found.verdict == verdict
    assert message in found.message
    assert (found.message == "") == (message == "")
    assert (found.edit is not None) == bool(found.diff) == (shown is not None)
    assert found.left == (["case inl\n…"] if checked is Verdict.PROGRESSES else [])
    (asked,) = engine.asked
    assert (asked[2].given, asked[2].sources) == (("rfl",), frozenset())


async def test_a_tactic_that_lean_says_nothing_of_is_an_error(tmp_path: Path) -> None:
    agent = desk(tmp_path, Scripted([SEEN, Finished(0, 0.1)]))
    with pytest.raises(NoGoal):
        await agent.check(await agent.spot("Foo.lean", 2, 3), "rfl")


async def test_suggestions_that_close_come_first(tmp_path: Path) -> None:
    left = suggestion("intro", verdict=Verdict.PROGRESSES, goals=(LEFT,))
    agent = desk(tmp_path, Scripted([SEEN, Found(left, 0.1), Found(suggestion("rfl"), 0.2), Finished(2, 0.2, "Slow.")]))
    found = await agent.suggest(await agent.spot("Foo.lean", 2, None), 5.0, 10, Told())
    assert [(each.tactic, each.result, each.left) for each in found.suggestions] == [
        ("rfl", "closes", []), ("intro", "progresses", ["case inl\n…"]),
    ]  # fmt: skip
    assert (found.goals, found.declaration, found.notice) == ([GOAL.text], "foo", "Slow.")


async def test_each_call_is_of_another_version_of_the_document(tmp_path: Path) -> None:
    engine = Scripted([SEEN])
    agent = desk(tmp_path, engine)
    for _ in range(2):
        await agent.goal(await agent.spot("Foo.lean", 2, None))
    assert [document.version for document, _, _ in engine.asked] == [1, 2]
    assert LineIndex(TEXT).offset(engine.asked[0][1]) == SORRY.start


async def test_the_first_answer_waits_for_meanings(tmp_path: Path) -> None:
    searcher = Indexes([Answer((), 3, 0.1), Answer((), 7, 0.1), Answer((), 9, 0.1)])
    agent = desk(tmp_path, Scripted([]), searcher)
    assert (await agent.search("a + b", 5, None)).total == 7
    found = await agent.search("a + b", 5, None)
    assert (found.total, len(searcher.asked)) == (9, 3)
    assert found.notice == "`tacit index build`, run in the project, reads what is missing."
