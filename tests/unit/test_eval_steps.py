"""Steps taken out of proofs, and when a suggestion is worth one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tacit.server.errors import BadInput, NoGoal
from tacit.server.eval_steps import evaluate_steps
from tacit.server.lean.elaborator import Message
from tacit.server.lean.goals import parse_goals
from tacit.server.proof_steps import steps_of
from tacit.server.suggest import BatchChecked, Document, Event, Finished, Found, LeanStatus, Options
from tacit.server.terminal import Terminal
from tacit.server.text import LineIndex, Position, Span
from tacit.server.values import Candidate, CheckedTactic, Suggestion, TextEdit, Verdict

FILE = """\
theorem one (p q : Prop) (hp : p) (hq : q) : p ∧ q := by
  have h : p := by
    exact hp -- why
  constructor
  · exact h
  · exact hq

theorem two (n : Nat) : n + 0 = n := by
  induction n with
  | zero => rfl
  | succ n ih =>
    simp at ih
    simp

theorem three : p := by sorry

theorem term : True := trivial
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "A.lean"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_every_tactic_of_every_block_is_a_step(file: Path) -> None:
    found = list(steps_of(file))
    assert [(each.goal.name, each.tactic) for each in found] == [
        ("one", "have h : p := by\n  exact hp"), ("one", "exact hp"), ("one", "constructor"), ("one", "exact h"),
        ("one", "exact hq"), ("two", "induction n with\n| zero => ?_\n| succ n ih => ?_"), ("two", "rfl"),
        ("two", "simp at ih"), ("two", "simp"),
    ]  # fmt: skip
    for each in found:
        text, goal = each.goal.text, each.goal
        assert text.startswith("sorry", LineIndex(text).offset(goal.position)), goal


def test_what_comes_after_a_step_is_gone_and_the_shape_of_the_proof_stays(file: Path) -> None:
    have, exact, constructor, first, second, induction, zero, succ, last = (each.goal.text for each in steps_of(file))
    begin = FILE[: FILE.index("have h")]
    assert have == f"{begin}sorry\n"
    assert exact == f"{begin}have h : p := by\n    sorry -- why\n  all_goals sorry\n"
    assert constructor == f"{FILE[: FILE.index('constructor')]}sorry\n"
    assert first == f"{FILE[: FILE.index('exact h' + chr(10))]}sorry\n  all_goals sorry\n"
    assert second == f"{FILE[: FILE.index('exact hq')]}sorry\n"
    cases = FILE[: FILE.index("induction n with")]
    assert induction == f"{cases}sorry\n"
    assert zero == f"{cases}induction n with\n  | zero => sorry\n  | succ n ih =>\n    sorry\n"
    assert succ == f"{cases}induction n with\n  | zero => rfl\n  | succ n ih =>\n    sorry\n"
    assert last == f"{cases}induction n with\n  | zero => rfl\n  | succ n ih =>\n    simp at ih\n    sorry\n"


def test_what_layout_does_not_tell_is_no_step(tmp_path: Path) -> None:
    odd = tmp_path / "B.lean"
    odd.write_text(
        "theorem t : p ∨ q → r := by\n  intro\n    | Or.inl h => skip; assumption\n    | Or.inr h => contradiction\n"
        "theorem u : p := by\n  { exact h }\n"
        "theorem v : p := by\n  first\n    | simp\n    | rfl\n",
        encoding="utf-8",
    )
    assert [each.tactic for each in steps_of(odd)] == ["first\n  | simp\n  | rfl"]


class Scripted:
    """Suggests `simp` and then `omega`; `exact same` leaves what `simp` leaves, `exact other` something else."""

    def __init__(self) -> None:
        self.asked: list[Options] = []

    async def suggest(self, document: Document, position: Position, options: Options) -> AsyncGenerator[Event, None]:
        self.asked.append(options)
        if "nothing" in document.text:
            raise NoGoal("There is no goal.")
        left = parse_goals("n : Nat\n⊢ n = n")
        results = {
            "simp": (Verdict.PROGRESSES, left),
            "exact same": (Verdict.PROGRESSES, parse_goals("n : Nat\n⊢ n =\n n")),
            "exact other": (Verdict.PROGRESSES, parse_goals("⊢ p")),
            "omega": (Verdict.CLOSES if "omega" in document.text else Verdict.FAILS, ()),
        }
        asked = options.given or ("simp", "omega")
        checked = {
            text: CheckedTactic(Candidate(text, "given"), *results.get(text, (Verdict.FAILS, ()))) for text in asked
        }
        yield BatchChecked(tuple(checked.values()), 0.1)
        for text, each in checked.items():
            if each.verdict is not Verdict.FAILS:
                edit, closes = TextEdit(Span(0, 0), text), each.verdict is Verdict.CLOSES
                yield Found(Suggestion(text, each.verdict, each.goals, edit, "file", 1, verified=closes), 0.5)
        yield Finished(2, 1.0)

    def status(self) -> LeanStatus:
        return LeanStatus("ready", "4.0.0")

    async def messages(self, document: Document) -> tuple[Message, ...] | None:
        return ()

    async def aclose(self) -> None:
        pass


def figures(folder: Path, engine: Scripted, *tactics: str) -> dict[str, Any]:
    for number, tactic in enumerate(tactics):
        (folder / f"{number}.lean").write_text(f"theorem t : p := by\n  {tactic}\n", encoding="utf-8")
    out = StringIO()
    log = folder / "log.jsonl"
    asyncio.run(evaluate_steps(engine, Terminal(out, StringIO()), [folder], 5.0, 50, log, as_json=True))
    [table] = json.loads(out.getvalue())["sets"].values()
    assert len(log.read_text(encoding="utf-8").splitlines()) == table["steps"] + table["left out"]
    return dict(table)


def test_a_suggestion_saves_a_step_by_its_text_or_by_what_it_leaves(tmp_path: Path) -> None:
    engine = Scripted()
    found = figures(tmp_path, engine, "simp", "exact same", "exact other", "exact gone")
    assert (found["steps"], found["suggested"], found["Lean takes"], found["left out"]) == (4, 4, 3, 0)
    assert found["first"] == {"saved": 2, "same text": 1, "same goals": 2, "closes": 0}
    assert found["any"] == found["first"]
    given = [options.given for options in engine.asked if options.given]
    assert given == [("exact same",), ("exact other",), ("exact gone",)], "`simp` was checked among the suggestions"
    assert all(options.sources == frozenset() for options in engine.asked if options.given)


def test_what_closes_comes_first_and_saves_any_step(tmp_path: Path) -> None:
    (tmp_path / "open.lean").write_text("theorem omega : p := by\n  exact other\n", encoding="utf-8")
    found = figures(tmp_path, Scripted())
    assert found["first"] == {"saved": 1, "same text": 0, "same goals": 0, "closes": 1}
    assert found["seconds"] == 0.5


def test_a_place_without_a_goal_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "A.lean").write_text("theorem nothing : p := by\n  simp\n", encoding="utf-8")
    found = figures(tmp_path, Scripted())
    assert (found["steps"], found["left out"]) == (0, 1)
    (tmp_path / "A.lean").write_text("def x := 1\n", encoding="utf-8")
    with pytest.raises(BadInput, match="has no proof by tactics"):
        figures(tmp_path, Scripted())
