"""A random llama in llama.cpp, in this process: what the shared cache gives is what the model alone would say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tacit.server.model.generation import Answer, Cancelled, Counts, Generator, Plan, Step
from tacit.server.model.llama import LlamaEngine
from tests.tiny_gguf import write_tiny

pytestmark = pytest.mark.model
PROMPT = "h : p ∧ q\n⊢ q ∧ p"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("model") / "tiny.gguf")


def engine(path: Path, sequences: int = 9) -> LlamaEngine:
    return LlamaEngine(path, cells=1024, sequences=sequences, threads=1)


def alone(engine: LlamaEngine, prompt: Sequence[int], tokens: Sequence[int]) -> list[float]:
    """What each of some tokens is worth behind the prompt, in one sequence, decoded in one go."""
    engine.clear()
    all_ = [*prompt, *tokens]
    steps = [Step(token, at, 0, at >= len(prompt) - 1) for at, token in enumerate(all_[:-1])]
    values = [each.astype(float) for each in engine.decode(steps)]
    return [
        float(row[token] - row.max() - np.log(np.exp(row - row.max()).sum()))
        for row, token in zip(values, tokens, strict=True)
    ]


def test_each_answer_is_as_likely_as_the_model_alone_finds_it(tiny: Path) -> None:
    shared = engine(tiny)
    # Neither kind of token is drawn: the numbers below are then those of the whole distribution.
    shared.banned[:] = False
    shared.ends[:] = False
    prompt = shared.tokens(PROMPT, special=False)
    given: dict[bytes, list[int]] = {}
    answers: list[Answer] = []

    def piece(token: int) -> bytes:
        return b"<%d>" % token

    shared.piece = piece  # type: ignore[assignment]

    def found(answer: Answer) -> int:
        answers.append(answer)
        given[answer.text.encode()] = [int(each[1:]) for each in answer.text.split(">")[:-1]]
        return len(answers)

    generator = Generator(shared)
    for _ in range(2):  # the second time the prompt is there already, and the cache was used
        generator.run(prompt, Plan(8, 12, 1.0, 1.0), lambda text: None, found, lambda: None, Counts())
    assert len(answers) == 16
    fresh = engine(tiny, sequences=2)
    for answer in answers:
        tokens = given[answer.text.encode()]
        assert len(tokens) == 12
        assert sum(alone(fresh, prompt, tokens)) == pytest.approx(answer.log_prob, abs=0.05)


def test_text_comes_back_as_it_went(tiny: Path) -> None:
    loaded = engine(tiny)
    text = "simp [h,\n  ⟨a, 𝕜⟩]\t-- x  y"
    tokens = loaded.tokens(text, special=False)
    assert b"".join(loaded.piece(each) for each in tokens[1:]).decode().replace("▁", " ") == text


def test_a_step_ends_when_it_is_cancelled_in_the_middle(tiny: Path) -> None:
    wanted = True
    loaded = LlamaEngine(tiny, cells=1024, sequences=2, threads=1, cancelled=lambda: not wanted)
    prompt = loaded.tokens(PROMPT, special=False)
    steps = [Step(token, at, 0, True) for at, token in enumerate(prompt)]
    wanted = False
    with pytest.raises(Cancelled):
        loaded.decode(steps)
    loaded.clear()
    wanted = True
    assert len(loaded.decode(steps)) == len(prompt)
