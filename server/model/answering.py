"""One request to a loaded model: the prompt is made to fit, answers are drawn, read, and told as they come.

Runs in the worker; knows neither pipes nor llama.cpp.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tacit.server.errors import TacitError
from tacit.server.model import outputs
from tacit.server.model.generation import Answer, Cancelled, Counts, EngineFailed, Generator, Plan
from tacit.server.model.messages import Done, Failed, Generate, Proposed, Report, Working
from tacit.server.model.prompts import Preset, Question, fit

_FORBIDDEN = ("sorry", "admit", "native_decide")
_TOLD_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded model: what draws, what counts tokens, and how many fit, prompt and answer together."""

    generator: Generator
    tokens: Callable[[str, bool], list[int]]
    context: int


def answer(model: Model, order: Generate, say: Callable[[Report], None], tick: Callable[[], None]) -> None:
    """Answer a request; its last report is Done or Failed. `tick` raises Cancelled when it is not wanted any more."""
    counts, notice, cancelled = Counts(), "", False
    begun = first = time.monotonic()
    told = begun
    seen: set[str] = set()

    def still_there() -> None:
        nonlocal told, first
        tick()
        now = time.monotonic()
        if counts.generated == 0:
            first = now
        if now - told > _TOLD_SECONDS:
            told = now
            say(Working(order.id))

    def found(answered: Answer) -> int:
        # One that was cut by its length may still hold a whole first step.
        for text in outputs.tactics(order.preset, answered.text, order.question):
            if text not in seen and "\ufffd" not in text and len(seen) < order.count:
                seen.add(text)
                say(Proposed(order.id, text, answered.log_prob, answered.tokens))
        return len(seen)

    try:
        tick()
        special = order.preset.special
        prompt = fit(
            order.preset, order.question, lambda text: len(model.tokens(text, special)), model.context - order.tokens
        )
        notice = prompt.notice
        if notice:
            say(Working(order.id, notice))  # at once: who has enough answers does not wait for Done
        plan = Plan(order.count, order.tokens, order.temperature, order.top_p, balanced=order.preset.bare)
        model.generator.run(
            model.tokens(prompt.text, special),
            plan,
            lambda text: ending(order.preset, text, order.question),
            found,
            still_there,
            counts,
        )
    except Cancelled:
        cancelled = True
    except TacitError as error:
        say(Failed(order.id, error.sentence, error.hint))
        return
    except EngineFailed as error:
        say(Failed(order.id, str(error)))
        return
    now = time.monotonic()
    say(Done(order.id, counts.prompt, counts.reused, counts.generated, first - begun, now - first, cancelled, notice))


def ending(preset: Preset, text: str, question: Question) -> str | None:
    """The answer in a text that has come to its end; None while more is to come.

    Text that would be refused whatever follows has come to its end too, and holds no answer.
    """
    body = text.lstrip("\n")
    if any(word in body for word in _FORBIDDEN):
        return ""
    shown = {line.strip() for goal in question.goals for line in goal.text.split("\n")}
    if preset.echo:
        if preset.echo in body:
            body = body.rpartition(preset.echo)[2].lstrip("\n")
        elif body.split("\n")[0].strip() in shown:
            return None
    for stop in preset.stop:
        if stop in body:
            return body.split(stop)[0]
    if preset.one_line:
        lines = body.split("\n")
        for end in range(1, len(lines)):
            line = "\n".join(lines[:end])
            if line.split("\n")[-1].strip() not in shown and outputs.whole_line(line):
                return line
    return None
