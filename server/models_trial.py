"""`tacit models test`: lets a model write tactics for one goal, and says how well it does and how fast."""

from __future__ import annotations

import time
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import psutil

from tacit.server import models
from tacit.server.command import Exit, run
from tacit.server.errors import BadInput, ModelUnavailable
from tacit.server.model.client import ModelClient, Patience, default_threads
from tacit.server.model.messages import Done, Load, Loaded, Proposed
from tacit.server.model.presets import preset_of
from tacit.server.model.prompts import Asked, Preset, Question
from tacit.server.model_choice import INSTALL, Choice, can_run, choose, of
from tacit.server.model_generator import ANSWERS, TOKENS
from tacit.server.models_report import millions
from tacit.server.settings import Settings
from tacit.server.show import one_line
from tacit.server.terminal import Terminal, megabytes, plural, seconds

GOAL = "p q : Prop\nh : p ∧ q\n⊢ q ∧ p"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it. `waited` is seconds from the request to the first candidate; `memory` bytes of the worker."""

    loaded: Loaded
    candidates: tuple[Proposed, ...]
    done: Done
    waited: float
    elapsed: float
    memory: int
    notice: str = ""


def try_model(terminal: Terminal, name: str, goal: str, *, as_json: bool) -> int:
    """Run the command; OPEN where the model writes nothing that is a tactic."""
    settings = Settings()
    choice = of(models.find(name), settings) if name else choose(settings)
    if choice.path is None:
        raise BadInput(choice.sentence, hint=choice.hint or "Name one: `tacit models test NAME`.")
    if not can_run():
        raise BadInput("A model takes llama-cpp-python, which is not installed.", hint=INSTALL)
    models.examine(choice.path)
    preset = preset_of(choice.preset, choice.own)
    question = asked_for(goal or GOAL)
    with terminal.busy(f"{choice.name}: loading"):
        trial = run(_try(choice, preset, question, settings))
    if as_json:
        terminal.json(_value(choice, preset, question, trial))
    else:
        _show(terminal, choice, preset, question, trial)
    return Exit.DONE if trial.candidates else Exit.OPEN


def asked_for(text: str) -> Question:
    """A goal as Lean prints it, or its target alone. Raises BadInput where there is none."""
    lines = [line for line in text.strip().split("\n") if line.strip() and not line.startswith("case ")]
    start = next((at for at, line in enumerate(lines) if line.startswith("⊢")), None)
    if start is None and len(lines) == 1:
        return Question((Asked((), f"⊢ {lines[0].strip()}"),))
    if start is None:
        raise BadInput("The goal has no line that begins with ⊢.", hint="Write it as Lean prints it.")
    hypotheses: list[str] = []
    for line in lines[:start]:
        if line[0].isspace() and hypotheses:
            hypotheses[-1] += f"\n{line}"
        else:
            hypotheses.append(line)
    return Question((Asked(tuple(hypotheses), "\n".join(lines[start:])),))


async def _try(choice: Choice, preset: Preset, question: Question, settings: Settings) -> Trial:
    load = Load(str(choice.path), settings.model_context, ANSWERS, TOKENS, default_threads())
    client = ModelClient(load, patience=Patience(again=0.0), sandbox=settings.sandbox == "on")
    try:
        await client.load()
        try:
            return await _once(client, preset, question)
        except ModelUnavailable as error:
            # Some machines announce instructions that they do not have: without them the worker starts again.
            first = error.sentence
            loaded = await client.load()
            trial = await _once(client, preset, question, loaded)
            return replace(trial, notice=f"{first} The second time it worked.")
    finally:
        await client.aclose()


async def _once(client: ModelClient, preset: Preset, question: Question, loaded: Loaded | None = None) -> Trial:
    loaded = loaded or await client.load()
    begun, waited = time.monotonic(), 0.0
    candidates = []
    done = Done(0)
    async with aclosing(client.generate(preset, question, ANSWERS)) as reports:
        async for report in reports:
            if isinstance(report, Proposed):
                waited = waited or time.monotonic() - begun
                candidates.append(report)
            else:
                done = report
    return Trial(loaded, tuple(candidates), done, waited, time.monotonic() - begun, _memory(), done.notice)


def _memory() -> int:
    """Bytes that the workers of this process have in memory."""
    total = 0
    for child in psutil.Process().children():
        try:
            if "tacit.server.model.worker" in child.cmdline():
                total += child.memory_info().rss
        except psutil.Error:
            continue
    return total


def _rates(trial: Trial) -> tuple[float, float]:
    """Tokens written a second, the prompt's reading left out; candidates a second, with it."""
    written = trial.done.generated / trial.done.seconds if trial.done.seconds else 0.0
    return written, len(trial.candidates) / trial.elapsed if trial.elapsed else 0.0


def _show(terminal: Terminal, choice: Choice, preset: Preset, question: Question, trial: Trial) -> None:
    loaded, done = trial.loaded, trial.done
    terminal.note(
        (choice.name, "bold"),
        f": {loaded.architecture}, {millions(loaded.parameters)} parameters, preset {preset.name}, "
        f"context {loaded.context:,} tokens, loaded in {seconds(loaded.seconds)}",
    )
    terminal.note((question.goals[0].text, "dim"))
    for each in trial.candidates:
        terminal.line(
            (f"{each.log_prob:8.2f}  {each.tokens:>3} tokens  ", "dim"),
            one_line(each.text, (terminal.width or 120) - 24),
        )
    tokens, candidates = _rates(trial)
    terminal.note(
        f"{plural(len(trial.candidates), 'candidate')} in {seconds(trial.elapsed)}, the first after "
        f"{seconds(trial.waited)}: {candidates:,.1f} candidates a second, {tokens:,.0f} tokens a second; the prompt "
        f"({plural(done.prompt, 'token')}) was read in {seconds(done.prompt_seconds)}; "
        f"{megabytes(trial.memory)} of memory"
    )
    if trial.notice:
        terminal.note(("→ ", "bold yellow"), trial.notice)


def _value(choice: Choice, preset: Preset, question: Question, trial: Trial) -> dict[str, Any]:
    tokens, candidates = _rates(trial)
    return {
        "name": choice.name,
        "path": str(choice.path),
        "preset": preset.name,
        "architecture": trial.loaded.architecture,
        "parameters": trial.loaded.parameters,
        "context": trial.loaded.context,
        "goal": question.goals[0].text,
        "candidates": [
            {"tactic": each.text, "log_prob": round(each.log_prob, 4), "tokens": each.tokens}
            for each in trial.candidates
        ],
        "prompt_tokens": trial.done.prompt,
        "generated_tokens": trial.done.generated,
        "tokens_per_second": round(tokens, 1),
        "candidates_per_second": round(candidates, 2),
        "load_seconds": round(trial.loaded.seconds, 3),
        "prompt_seconds": round(trial.done.prompt_seconds, 3),
        "first_seconds": round(trial.waited, 3),
        "seconds": round(trial.elapsed, 3),
        "memory": trial.memory,
        "notice": trial.notice,
    }
