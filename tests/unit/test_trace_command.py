"""`tacit train trace`: which steps of a text become pairs, and what a file that was interrupted is good for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tacit.server.lean.elaborator import Elaboration, Enough, LeanIdentity, Message, Outcome, Severity
from tacit.server.text import LineIndex, Position
from tacit.server.trace_command import Unfinished, _whole, pairs
from tacit.training.data import gather
from tacit.training.examples import FIRST, LATER, TRACED, placed

TEXT = """theorem one (n : Nat) : n + 0 = n := by
  simp

theorem two (p q : Prop) (hp : p) (hq : q) : p ∧ q := by
  constructor
  exact hq
  exact hq
"""


class Scripted:
    """Says which steps failed, and tells a goal for each place."""

    identity = LeanIdentity("4.0.0")

    def __init__(self, outcome: Outcome = Outcome.DONE, failed: str = "") -> None:
        self.outcome, self.failed = outcome, failed
        self.asked: list[Position] = []

    async def elaborate(
        self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
    ) -> Elaboration:
        at = text.find(self.failed) if self.failed else -1
        index = LineIndex(text)
        wrong = Message(Severity.ERROR, index.position(at), index.position(at + len(self.failed)), "type mismatch")
        return Elaboration(self.outcome, (wrong,) if at >= 0 else ())

    async def goals(self, text: str, position: Position, *, timeout: float) -> Sequence[str]:
        self.asked.append(position)
        return (f"⊢ goal of line {position.line}", "⊢ another")

    async def aclose(self) -> None:
        pass


def traced(elaborator: Scripted) -> list[dict[str, str]]:
    async def all_() -> list[dict[str, str]]:
        steps = [each for each in placed(TEXT, "M") if each.example.kind in (FIRST, LATER)]
        return [json.loads(line) async for line in pairs(elaborator, TEXT, steps)]

    return asyncio.run(all_())


def test_each_step_with_the_main_goal_before_it() -> None:
    found = traced(Scripted())
    assert [(each["goal"], each["tactic"], each["name"]) for each in found] == [
        ("⊢ goal of line 1", "simp", "one"),
        ("⊢ goal of line 4", "constructor", "two"),
        ("⊢ goal of line 5", "exact hq", "two"),
        ("⊢ goal of line 6", "exact hq", "two"),
    ]


def test_what_lean_refuses_is_no_pair() -> None:
    assert [each["tactic"] for each in traced(Scripted(failed="exact hq"))] == ["simp", "constructor", "exact hq"]
    assert [each["goal"] for each in traced(Scripted(failed="exact hq"))][-1] == "⊢ goal of line 6"


def test_a_text_that_lean_did_not_finish_gives_nothing() -> None:
    with pytest.raises(Unfinished, match="did not come to its end: timed out"):
        traced(Scripted(Outcome.TIMED_OUT))


def test_an_interrupted_file_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    assert _whole(file) == set()
    lines = [json.dumps({"goal": "⊢ p", "tactic": "simp", "module": each}) + "\n" for each in ("A", "B", "B")]
    file.write_text("".join(lines))
    assert _whole(file) == {"A", "B"}
    file.write_text("".join(lines)[:-5])
    assert _whole(file) == {"A"}
    assert file.read_text() == lines[0]


def test_pairs_are_what_data_reads(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in traced(Scripted())))
    done = gather(tmp_path / "model", [], [file], lambda *_: None, workers=0)
    assert (done.train + done.held_out, done.kinds, done.problems) == (4, {TRACED: 4}, ())
