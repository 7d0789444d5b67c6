"""One request to a loaded model, from its order to its last report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tacit.server.model.answering import Model, answer
from tacit.server.model.generation import Cancelled, Generator
from tacit.server.model.messages import Done, Failed, Generate, Proposed, Report, Working
from tacit.server.model.prompts import Asked, Fact, Preset, Question
from tests.unit.fake_model import BrokenEngine, FakeEngine

PRESET = Preset("plain", "{state}>", stop=("\n",))
ORDER = Generate(7, PRESET, Question((Asked((), "p"),)), 4, 40, 1.0, 1.0)


def reports(engine: FakeEngine, order: Generate = ORDER, context: int = 200, cancel_after: int = -1) -> list[Report]:
    said: list[Report] = []
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        if ticks == cancel_after:
            raise Cancelled
        ticks += 1

    answer(Model(Generator(engine), engine.tokens, context), order, said.append, tick)
    return said


def test_tactics_are_told_as_they_come_and_then_that_it_is_done() -> None:
    said = reports(FakeEngine({"simp": 4.0, "omega": 1.0}, prompt=2))
    assert {each.text for each in said[:-1] if isinstance(each, Proposed)} == {"simp", "omega"}
    done = said[-1]
    assert isinstance(done, Done)
    assert (done.id, done.prompt, done.reused, done.cancelled, done.notice) == (7, 2, 0, False, "")
    assert done.generated > 0


def test_answers_that_mean_the_same_are_one() -> None:
    said = reports(FakeEngine({"simp": 4.0, " simp": 1.0, "simp -- easy": 1.0, "1. simp": 1.0, "ring": 1.0}, prompt=2))
    texts = [each.text for each in said if isinstance(each, Proposed)]
    assert sorted(texts) == ["ring", "simp"]


def test_no_more_than_asked_for_are_told() -> None:
    said = reports(FakeEngine({f"intro h{n}; simp": 1.0 for n in range(9)}, prompt=2))
    assert len([each for each in said if isinstance(each, Proposed)]) == 4


@pytest.mark.parametrize("text", ["sorry", "exact sorry", "native_decide"])
def test_what_proves_nothing_is_not_told_and_not_finished(text: str) -> None:
    engine = FakeEngine({f"{text} {'x' * 30}": 9.0, "simp": 1.0}, prompt=2)
    said = reports(engine)
    assert [each.text for each in said if isinstance(each, Proposed)] == ["simp"]
    assert max(step.position for batch in engine.batches for step in batch) <= 2 + len(text)


@pytest.mark.parametrize("after", [0, 1, 3, 6])
def test_a_cancelled_request_is_done(after: int) -> None:
    said = reports(FakeEngine({"simp": 4.0, "omega": 1.0}, prompt=2), cancel_after=after)
    done = said[-1]
    assert isinstance(done, Done)
    assert done.cancelled


def test_what_was_left_out_is_said() -> None:
    preset = replace(PRESET, template="{premises}{state}>", premise="{name}")
    question = replace(ORDER.question, premises=tuple(Fact("abcdefghij", "") for _ in range(10)))
    said = reports(FakeEngine({"simp": 1.0}, prompt=72), replace(ORDER, preset=preset, question=question), 40 + 79)
    done = said[-1]
    assert isinstance(done, Done)
    assert done.notice == "3 of 10 premises did not fit into the model's context."
    assert said[0] == Working(7, done.notice), "at once, for who does not wait for the end"
    assert done.prompt == 72


def test_a_goal_that_is_too_long_fails_with_a_sentence() -> None:
    question = Question((Asked((), "p" * 500),))
    said = reports(FakeEngine({"simp": 1.0}), replace(ORDER, question=question))
    assert said == [
        Failed(
            7,
            "The goal is too long for the model: its target alone takes 501 tokens of 160.",
            "A model with a longer context, or a larger model.context, can take it.",
        )
    ]


def test_a_step_that_fails_costs_the_answer_only() -> None:
    engine = BrokenEngine(at=1)
    said = reports(engine)
    assert said == [Failed(7, "llama.cpp could not compute a step (-3).")]
    engine.at = -1
    engine.prompt = 2
    assert isinstance(reports(engine)[-1], Done)
