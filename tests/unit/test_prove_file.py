"""Several `sorry`s of one file at once: on which text each is tried, what is looked for again, what is read again."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tacit.server.cli import main
from tacit.server.errors import LeanDied, LeanNotFound
from tacit.server.patch import LeanFile
from tacit.server.prove_file import Outcome, attempt_all
from tacit.server.settings import Settings
from tacit.server.terminal import Busy
from tests.unit.cli_engine import FakeEngine, Tactic

TEXT = """theorem one (p : Prop) (h : p) : p := by
  sorry

theorem two (p : Prop) (h : p) : p ∧ p := by
  constructor
  · sorry
  · sorry

theorem three (p : Prop) (h : p) : p := by
  sorry
"""
ANSWERS = {
    "one": [Tactic("cases h\n· rfl", text="cases h\n  · rfl")],
    "two": [Tactic("exact h")],
    "three": [Tactic("assumption")],
}
CLOSED = (
    TEXT.replace("by\n  sorry\n\ntheorem two", "by\n  cases h\n  · rfl\n\ntheorem two")
    .replace("· sorry", "· exact h")
    .replace("by\n  sorry", "by\n  assumption")
)
Made = Callable[[str], LeanFile]


class Silent(Busy):
    """Counts."""

    def __init__(self) -> None:
        self.steps = 0

    def say(self, text: str) -> None:
        pass

    def step(self) -> None:
        self.steps += 1


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    monkeypatch.chdir(tmp_path)

    def make(text: str) -> LeanFile:
        path = tmp_path / "Foo.lean"
        path.write_bytes(text.encode())
        return LeanFile.read(path)

    return make


async def prove(engine: FakeEngine, file: LeanFile, jobs: int, *, sketch: bool = False) -> Outcome:
    places = [n for n in range(len(file.text)) if file.text.startswith("sorry", n)]
    busy = Silent()
    outcome = await attempt_all(engine, file, places, 1.0, busy, sketch=sketch, jobs=jobs)
    assert busy.steps <= len(places)
    return outcome


def lanes(engine: FakeEngine) -> list[int]:
    return [document.lane for document, _, _ in engine.asked]


def told(outcome: Outcome) -> list[tuple[int, int, str | None]]:
    return [
        (each.before.line, each.line, each.suggestion.tactic if each.suggestion else None) for each in outcome.attempts
    ]


@pytest.mark.parametrize("jobs", [1, 2, 3, 9])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_however_many_at_once_the_result_is_the_same(made: Made, jobs: int, end: str) -> None:
    engine = FakeEngine(ANSWERS)
    outcome = await prove(engine, made(TEXT.replace("\n", end)), jobs)
    assert outcome.text == CLOSED.replace("\n", end)
    assert outcome.failure is None
    assert told(outcome) == [
        (1, 1, "cases h\n· rfl"),
        (5, 6, "exact h"),
        (6, 7, "exact h"),
        (9, 10, "assumption"),
    ]
    assert set(lanes(engine)) == set(range(min(jobs, 3)))
    assert len(engine.read) == (jobs > 1), "together they are checked once more"


async def test_those_of_one_declaration_stay_with_one_lean_in_turn(made: Made) -> None:
    waits = {name: asyncio.Event() for name in ANSWERS}
    engine = FakeEngine(ANSWERS, waits=waits)
    task = asyncio.ensure_future(prove(engine, made(TEXT), 4))
    await asyncio.sleep(0.01)
    assert lanes(engine) == [0, 1, 2], "the second `sorry` of `two` waits for the first"
    assert all(document.text == TEXT for document, _, _ in engine.asked)
    waits["three"].set()
    await asyncio.sleep(0.01)
    waits["two"].set()
    await asyncio.sleep(0.01)
    document, position, _ = engine.asked[-1]
    assert (document.lane, position.line) == (1, 6)
    assert "  · exact h\n  · sorry" in document.text
    assert "assumption" in document.text, "and sees what others have closed meanwhile"
    waits["one"].set()
    outcome = await task
    assert outcome.text == CLOSED
    assert len({document.version for document, _, _ in engine.asked}) == 4


async def test_what_needs_one_that_was_unfinished_is_looked_for_again(made: Made) -> None:
    waits = {"one": asyncio.Event()}
    engine = FakeEngine(ANSWERS, waits=waits, wants={"two": "theorem one", "three": "theorem two"})
    task = asyncio.ensure_future(prove(engine, made(TEXT), 3))
    await asyncio.sleep(0.01)
    waits["one"].set()
    outcome = await task
    assert outcome.text == CLOSED
    asked = Counter(_name(document.text, position.line) for document, position, _ in engine.asked)
    assert asked == {"one": 1, "two": 4, "three": 3}, "`three` once more for each round that gave `two` a proof"


async def test_nothing_is_looked_for_again_where_nothing_has_changed(made: Made) -> None:
    engine = FakeEngine({**ANSWERS, "one": []}, wants={"two": "theorem one"})
    outcome = await prove(engine, made(TEXT), 2)
    assert outcome.closed == 1
    assert len(engine.asked) == 4
    engine = FakeEngine({**ANSWERS, "two": []}, wants={"three": "theorem two"})
    assert (await prove(engine, made(TEXT), 1)).closed == 1
    assert len(engine.asked) == 4


async def test_what_lean_finds_wrong_in_the_whole_is_tried_again_in_turn(made: Made) -> None:
    def wrong(text: str) -> Mapping[str, str]:
        # Both `cases h` and `assumption` are right, but not together; a warning of old is none of theirs.
        old = {"theorem two": "an error of old"}
        return {"assumption": "no", **old} if "cases h" in text and "assumption" in text else old

    engine = FakeEngine(ANSWERS, wrong=wrong)
    outcome = await prove(engine, made(TEXT), 3)
    assert len(engine.asked) == 5
    document, position, _ = engine.asked[-1]
    assert (document.lane, position.line) == (0, 10)
    assert document.text == CLOSED.replace("assumption", "sorry")
    assert told(outcome)[-1] == (9, 10, "assumption")
    assert outcome.closed == 4
    assert [text == TEXT for text in engine.read] == [False, True]


async def test_where_lean_cannot_read_the_whole_all_are_tried_again_in_turn(made: Made) -> None:
    engine = FakeEngine(ANSWERS, wrong=lambda text: None)
    outcome = await prove(engine, made(TEXT), 3)
    assert outcome.text == CLOSED
    assert [document.lane for document, _, _ in engine.asked[4:]] == [0, 0, 0, 0]
    assert len(engine.read) == 1


async def test_one_that_was_closed_alone_needs_no_second_look(made: Made) -> None:
    engine = FakeEngine({"two": [Tactic("exact h")]})
    assert (await prove(engine, made(TEXT), 3)).closed == 2
    assert engine.read == []


async def test_a_lean_that_dies_and_dies_again_ends_it(made: Made) -> None:
    died = LeanDied("Lean died.")
    outcome = await prove(FakeEngine({**ANSWERS, "one": died, "three": died}), made(TEXT), 2)
    assert outcome.closed == 2, "not in a row"
    assert outcome.failure is None
    engine = FakeEngine({"one": died, "two": died, "three": died})
    outcome = await prove(engine, made(TEXT), 2)
    assert isinstance(outcome.failure, LeanDied)
    assert len(outcome.attempts) == len(engine.asked) == 3, "what has begun is not cut off"
    assert outcome.text == TEXT


async def test_an_error_ends_all_at_once(made: Made) -> None:
    never = {"one": asyncio.Event()}
    engine = FakeEngine({**ANSWERS, "two": LeanNotFound("No Lean was found.")}, waits=never)
    with pytest.raises(LeanNotFound):
        await prove(engine, made(TEXT), 2)


def test_with_a_seed_it_is_one_after_the_other(made: Made) -> None:
    made(TEXT)
    engine = FakeEngine(ANSWERS)
    assert main(["prove", "Foo.lean", "--jobs", "2", "--seed", "1"], build=lambda _: engine) == 0
    assert set(lanes(engine)) == {0}


def test_the_command_gives_each_a_lean_of_its_own(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    made(TEXT)
    settings: list[Settings] = []
    engine = FakeEngine(ANSWERS)

    def build(given: Settings) -> FakeEngine:
        settings.append(given)
        return engine

    assert main(["prove", "Foo.lean", "--jobs", "2", "--json"], build=build) == 0
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (shown["closed"], shown["total"]) == (4, 4)
    assert [goal["declaration"] for goal in shown["goals"]] == ["one", "two", "two", "three"]
    assert set(lanes(engine)) == {0, 1}
    assert main(["prove", "Foo.lean", "--workers", "3"], build=build) == 0
    assert [(each.prove_jobs, each.prove_workers) for each in settings] == [(2, None), (1, 3)]


def _name(text: str, line: int) -> str:
    above = [each for each in text.split("\n")[: line + 1] if each.startswith("theorem ")]
    return above[-1].split()[1]
