"""A model as one of the sources: from a request to candidates, over a scripted worker."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from tacit.server.compose import local_model
from tacit.server.errors import BadInput, ModelUnavailable
from tacit.server.model.client import ModelClient, Patience
from tacit.server.model.messages import Load
from tacit.server.model.presets import template
from tacit.server.model_choice import choose
from tacit.server.model_generator import LocalModel, question_of
from tacit.server.settings import Settings
from tacit.server.tactics.model import ModelTactics
from tacit.server.tactics.source import Helpful, SourceRequest
from tacit.server.values import Goal
from tests.unit.tactics_goals import EVERYTHING

PEER = Path(__file__).with_name("model_peer.py")
TEXT = "theorem a : p := sorry\n\ntheorem foo (h : p) : p := by\n  skip\n  sorry\n"
REQUEST = SourceRequest(
    (Goal((), "p", text="h : p\n⊢ p"),),
    frozenset(EVERYTHING),
    "foo",
    text=TEXT,
    start=TEXT.index("theorem foo"),
    at=TEXT.rindex("sorry"),
)


@pytest_asyncio.fixture
async def crashing() -> AsyncIterator[LocalModel]:
    patience = Patience(load=20.0, silence=20.0, again=0.0)
    client = ModelClient(Load("x.gguf", 512, 8, 32, 1), (sys.executable, str(PEER), "crashes"), patience)
    model = LocalModel(Path("x.gguf"), "few-shot", client=client)
    yield model
    await model.aclose()


def model_of(settings: Settings) -> LocalModel:
    model = local_model(choose(settings), settings)
    assert model is not None
    return model


async def test_what_was_written_before_a_crash_counts(crashing: LocalModel) -> None:
    found = ModelTactics(crashing).candidates(REQUEST)
    assert [each.text for each in await anext(found)] == ["simp 1"]
    with pytest.raises(ModelUnavailable, match="SIGSEGV"):
        await anext(found)


async def test_what_did_not_fit_into_the_prompt_is_told() -> None:
    client = ModelClient(Load("x.gguf", 512, 8, 32, 1), (sys.executable, str(PEER), "trims"))
    model = LocalModel(Path("x.gguf"), "few-shot", client=client)
    told: list[tuple[str, str]] = []
    asked = replace(REQUEST, tell=lambda *said: told.append(said))
    found = [each.text async for batch in ModelTactics(model).candidates(asked) for each in batch]
    assert found == ["simp 1"]
    assert told == [("3 of 9 premises did not fit.", "model context")]
    await model.aclose()


def test_a_model_is_told_what_stands_above_and_what_may_help() -> None:
    question = question_of(REQUEST, [Helpful("Foo.bar", "(n : Nat) : n = n", 1.0)])
    assert question.name == "foo"
    assert question.proof == "theorem foo (h : p) : p := by\n  skip"
    assert question.goals[0].text == "h : p\n⊢ p"
    assert [(each.name, each.statement) for each in question.premises] == [("Foo.bar", "(n : Nat) : n = n")]


async def test_the_settings_choose_the_model_and_how_it_is_asked() -> None:
    own = template("mine", {"prompt": "{state}{premises}", "premise": "{name}\n"})
    reading = model_of(Settings(model_path="/m/x.gguf", model_preset="mine", model_templates=(own,)))
    assert reading.reads
    assert not model_of(Settings(model_path="~/BFS-Prover-V2.gguf")).reads
    assert reading.client.status().state == "not started"


async def test_a_preset_that_there_is_not_is_told_when_the_model_is_asked() -> None:
    model = model_of(Settings(model_path="/m/x.gguf", model_preset="gpt"))
    found = ModelTactics(model).candidates(REQUEST)
    with pytest.raises(BadInput, match="There is no preset 'gpt'"):
        await anext(found)
