"""Many answers in one pass: what is drawn, what is shared, what is forgotten."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tacit.server.model.generation import Answer, Cancelled, Counts, EngineFailed, Generator, Logits, Plan, Step
from tacit.server.model.outputs import balance
from tests.unit.fake_model import BrokenEngine, FakeEngine

TACTICS = {"simp": 8.0, "simp_all": 4.0, "omega": 2.0, "ring": 1.0, "rfl": 1.0}
PROMPT = "⊢ p".replace("⊢", "|")


def run(
    engine: FakeEngine,
    count: int = 5,
    *,
    prompt: str = PROMPT,
    generator: Generator | None = None,
    tick: Callable[[], None] = lambda: None,
    stop: Callable[[str], str | None] = lambda text: None,
    tokens: int = 20,
    temperature: float = 1.0,
    balanced: bool = False,
) -> tuple[list[Answer], Counts]:
    engine.prompt = len(prompt)
    answers: list[Answer] = []
    counts = Counts()

    def found(answer: Answer) -> int:
        answers.append(answer)
        return len({each.text for each in answers})

    plan = Plan(count, tokens, temperature, top_p=1.0, balanced=balanced)
    (generator or Generator(engine)).run(engine.tokens(prompt), plan, stop, found, tick, counts)
    return answers, counts


def test_all_answers_there_are_come_and_none_twice() -> None:
    answers, _ = run(FakeEngine(TACTICS), 5)
    assert Counter(each.text for each in answers) == dict.fromkeys(TACTICS, 1)


def test_asking_for_more_than_there_are_ends() -> None:
    answers, _ = run(FakeEngine({"simp": 1.0, "ring": 1.0}), 8)
    assert sorted(each.text for each in answers) == ["ring", "simp"]


def test_the_likeliest_is_always_among_them() -> None:
    answers, _ = run(FakeEngine(TACTICS), 1)
    assert [each.text for each in answers] == ["simp"]


def test_the_probability_is_the_models() -> None:
    answers, _ = run(FakeEngine(TACTICS), 5, temperature=0.5)
    for each in answers:
        assert math.exp(each.log_prob) == pytest.approx(TACTICS[each.text] / 16, rel=1e-5)
        assert each.tokens == len(each.text) + 1
        assert each.whole


def test_the_same_question_is_answered_the_same_way() -> None:
    many = {f"exact h{number}": 1.0 for number in range(40)}
    assert run(FakeEngine(many), 6) == run(FakeEngine(many), 6)


def test_a_beginning_that_samplers_share_is_computed_once() -> None:
    engine = FakeEngine({"exact h1": 1.0, "exact h2": 1.0})
    answers, counts = run(engine, 2)
    assert len(answers) == 2
    assert counts.generated <= 2 * len("exact h1") + 2
    alone = [len(batch) for batch in engine.batches[1:]]
    assert alone[: len("exact ")] == [1] * len("exact ")


def test_the_prompt_is_decoded_once_and_in_parts() -> None:
    engine = FakeEngine(TACTICS, chunk=16)
    prompt = "x" * 50
    _, counts = run(engine, 5, prompt=prompt)
    first = [step for batch in engine.batches for step in batch if step.sequence == 0]
    assert [step.position for step in first] == list(range(50))
    assert [step.wanted for step in first] == [False] * 49 + [True]
    assert (counts.prompt, counts.reused) == (50, 0)


def test_what_two_prompts_share_is_decoded_once() -> None:
    engine = FakeEngine(TACTICS)
    generator = Generator(engine)
    first, _ = run(engine, 5, prompt="header a", generator=generator)
    before = len(engine.batches)
    second, counts = run(engine, 5, prompt="header bc", generator=generator)
    assert counts.reused == len("header ")
    assert [step.position for step in engine.batches[before]] == [7, 8]
    assert {each.text for each in second} == {each.text for each in first} == set(TACTICS)


def test_the_very_same_prompt_is_not_decoded_at_all() -> None:
    engine = FakeEngine(TACTICS)
    generator = Generator(engine)
    first, _ = run(engine, 5, generator=generator)
    before = len(engine.batches)
    second, counts = run(engine, 5, generator=generator)
    assert (first, counts.reused) == (second, len(PROMPT))
    assert all(step.sequence for batch in engine.batches[before:] for step in batch)


def test_a_prompt_that_is_the_beginning_of_the_last_one() -> None:
    engine = FakeEngine(TACTICS)
    generator = Generator(engine)
    run(engine, 5, prompt="header long", generator=generator)
    answers, counts = run(engine, 5, prompt="header", generator=generator)
    assert {each.text for each in answers} == set(TACTICS)
    assert counts.reused == len("heade")


def test_a_model_that_cannot_forget_a_part_forgets_all() -> None:
    engine = FakeEngine(TACTICS)
    engine.cuttable = False
    generator = Generator(engine)
    run(engine, 5, prompt="header a", generator=generator)
    answers, counts = run(engine, 5, prompt="header b", generator=generator)
    assert {each.text for each in answers} == set(TACTICS)
    assert counts.reused == 0


def test_a_stop_ends_an_answer_and_cuts_it() -> None:
    answers, _ = run(FakeEngine({"simp\nand more": 1.0}), 1, stop=lambda text: text[:-1] if "\n" in text else None)
    assert [(each.text, each.whole) for each in answers] == [("simp", True)]


def test_an_answer_that_is_too_long_is_not_whole() -> None:
    answers, counts = run(FakeEngine({"a" * 100: 1.0}), 3, tokens=10)
    assert [(each.text, each.whole) for each in answers] == [("a" * 10, False)]
    assert counts.generated == 9  # the last one need not be computed


def test_an_empty_answer_is_never_given() -> None:
    answers, _ = run(FakeEngine({"": 50.0, "simp": 1.0}), 3)
    assert [each.text for each in answers] == ["simp"]


def test_temperature_0_leaves_the_likeliest_alone() -> None:
    answers, _ = run(FakeEngine(TACTICS), 5, temperature=0.0)
    assert [each.text for each in answers] == ["simp"]


@pytest.mark.parametrize(("after", "kept"), [(1, 0), (2, 16), (3, 32), (5, 40), (9, 40)])
def test_cancelling_ends_it_at_the_next_step_and_keeps_what_was_read(after: int, kept: int) -> None:
    engine = FakeEngine(TACTICS)
    generator = Generator(engine)
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        if (ticks := ticks + 1) == after:
            raise Cancelled

    with pytest.raises(Cancelled):
        run(engine, 5, prompt="a" * 40, generator=generator, tick=tick)
    assert ticks == after
    answers, counts = run(engine, 5, prompt="a" * 40, generator=generator)
    assert {each.text for each in answers} == set(TACTICS)
    assert counts.reused == kept


def test_a_step_that_was_broken_off_leaves_nothing_in_the_cache() -> None:
    class Aborted(FakeEngine):
        def decode(self, steps: Sequence[Step]) -> list[Logits]:
            logits = super().decode(steps)
            if len(self.batches) == 5:
                raise Cancelled
            return logits

    engine = Aborted(TACTICS)
    generator = Generator(engine)
    with pytest.raises(Cancelled):
        run(engine, 5, prompt="a" * 40, generator=generator)
    assert engine.memory == {}
    answers, counts = run(engine, 5, prompt="a" * 40, generator=generator)
    assert {each.text for each in answers} == set(TACTICS)
    assert counts.reused == 0


ODD = {"exact (f x": 9.0, "exact f x)": 9.0, "exact (f x)": 1.0, "exact [f x)]": 5.0, "rw [a]": 1.0}


def test_where_brackets_are_to_match_none_is_closed_or_left_open_wrongly() -> None:
    answers, _ = run(FakeEngine(ODD), 5)
    assert {each.text for each in answers} == set(ODD)
    answers, counts = run(FakeEngine(ODD), 5, balanced=True)
    assert {each.text for each in answers} == {"exact (f x)", "rw [a]"}
    assert counts.generated < 200, "what leads nowhere is not drawn again"


def test_a_bracket_that_comes_in_pieces_is_one() -> None:
    class Bytes(FakeEngine):
        """Tokens are bytes, from 100 on."""

        def piece(self, token: int) -> bytes:
            return bytes([(token - 100) % 256])

        def next(self, memory: Sequence[int]) -> Logits:
            begun = bytes(token - 100 for token in memory[self.prompt :])
            values = np.full(1200, -30.0, np.float32)
            for answer, weight in (("⟨a⟩".encode(), 1.0), ("a⟩".encode(), 5.0), ("⟨a".encode(), 5.0)):
                if answer.startswith(begun):
                    token = answer[len(begun)] + 100 if len(answer) > len(begun) else 1
                    values[token] = np.logaddexp(values[token], np.log(weight))
            return values

    answers, _ = run(Bytes({}), 3, balanced=True)
    assert "⟨a⟩" in {each.text for each in answers}
    assert all(balance(each.text) == 0 for each in answers if each.whole)


def test_after_a_failed_step_nothing_is_left_in_the_cache() -> None:
    engine = BrokenEngine(at=2)
    generator = Generator(engine)
    with pytest.raises(EngineFailed):
        run(engine, 2, generator=generator)
    assert engine.memory == {}
    engine.at = -1
    answers, _ = run(engine, 2, generator=generator)
    assert [each.text for each in answers] == ["simp"]


def test_numbers_that_are_none_are_told() -> None:
    class Damaged(FakeEngine):
        def next(self, memory: Sequence[int]) -> Logits:
            return np.full(1200, np.nan, np.float32)

    with pytest.raises(EngineFailed, match="damaged"):
        run(Damaged(TACTICS))


def test_fewer_sequences_than_answers_take_longer_and_find_the_same() -> None:
    answers, _ = run(FakeEngine(TACTICS, sequences=2), 5)
    assert {each.text for each in answers} == set(TACTICS)
