"""What a model is asked, and the text it is asked in: values, rendering, and what is left out where room is short.

Pure: the only thing known of a model here is how long it says a text is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from string import Formatter

from tacit.server.errors import BadInput
from tacit.server.values import Goal

FIELDS = ("state", "name", "proof", "premises", "shots", "prefix")
"""What may stand in braces in a template."""
# Text of a person's that looks like a token with a meaning of its own would end the turn in a chat model.
_SPECIAL = re.compile(r"<\|(?=\w+\|>)")


@dataclass(frozen=True, slots=True)
class Asked:
    """One goal, in the lines that Lean prints: hypotheses (each with its continuation lines), then `⊢ …`."""

    hypotheses: tuple[str, ...]
    target: str

    @property
    def text(self) -> str:
        """As Lean prints it."""
        return "\n".join((*self.hypotheses, self.target))


@dataclass(frozen=True, slots=True)
class Shot:
    """A solved example: a state and the tactic that was right."""

    state: str
    tactic: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A premise for the prompt: its full name and its statement."""

    name: str
    statement: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is known where a tactic is wanted. `goals`: the main one first; `premises` and `shots`: the best first.

    `proof` is the text of the declaration up to the place; `prefix` what has been typed of the tactic.
    """

    goals: tuple[Asked, ...]
    name: str = ""
    proof: str = ""
    prefix: str = ""
    premises: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Preset:
    """How one family of models is asked.

    `stop` ends an answer where it appears; with `one_line`, so does a line that is whole. An answer that begins with an
    echo of the state has its tactic behind the last `echo`. `premise` is the text of one premise, with `{name}` and
    `{statement}`, `shot` that of one example, with `{state}` and `{tactic}`; the examples nearest to the goal are
    chosen from `shots`, the nearest last. `special` says that the template holds tokens like `<|im_end|>`. `bare`: what
    the model writes is a tactic from beginning to end, so that brackets in it must match.
    """

    name: str
    template: str
    stop: tuple[str, ...] = ()
    one_line: bool = True
    echo: str = ""
    premise: str = ""
    shot: str = ""
    shots: tuple[Shot, ...] = field(default=(), repr=False)
    special: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt that fits, and a sentence that says what was left out; empty where nothing was."""

    text: str
    notice: str = ""


def asked(goal: Goal) -> Asked:
    """A goal as it is put to a model: without the line `case …`, which most were not trained on."""
    hypotheses: list[str] = []
    target: list[str] = []
    for line in goal.text.splitlines():
        if line.startswith("⊢") or target:
            target.append(line)
        elif line[:1].isspace() and hypotheses:
            hypotheses[-1] += f"\n{line}"
        elif line.strip() and not (line.startswith("case ") and not hypotheses):
            hypotheses.append(line)
    if not target:  # printed in a way unknown here: as it was read
        hypotheses = [
            f"{' '.join(h.names)} : {h.type}" + (f" := {h.value}" if h.value else "") for h in goal.hypotheses
        ]
        target = [f"⊢ {goal.target}"]
    return Asked(tuple(hypotheses), "\n".join(target))


def fields_of(template: str) -> tuple[str, ...]:
    """The names in braces. Raises ValueError for text that is no template."""
    found = []
    for _, name, format_, conversion in Formatter().parse(template):
        if name is None:
            continue
        if format_ or conversion:
            raise ValueError("a field takes no format")
        found.append(name)
    return tuple(found)


def render(preset: Preset, question: Question) -> str:
    """The prompt, whatever its length."""
    values = {
        "state": "\n\n".join(goal.text for goal in question.goals),
        "name": question.name,
        "proof": question.proof,
        "prefix": question.prefix,
        "premises": "".join(
            _fill(preset.premise, {"name": each.name, "statement": each.statement}) for each in question.premises
        )
        if preset.premise
        else "",
        "shots": "".join(
            _fill(preset.shot, {"state": each.state, "tactic": each.tactic}) for each in nearest(preset.shots, question)
        )
        if preset.shot
        else "",
    }
    if preset.special:
        values = {name: _SPECIAL.sub("<| ", value) for name, value in values.items()}
    return _fill(preset.template, values)


def _fill(template: str, values: dict[str, str]) -> str:
    parts = []
    for literal, name, _, _ in Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            parts.append(values[name])
    return "".join(parts)


SHOTS = 8


def nearest(shots: tuple[Shot, ...], question: Question) -> list[Shot]:
    """The examples that share the most words with the goal; the nearest stands last, next to the question."""
    if not question.goals:
        return []
    words = _words(question.goals[0].target)

    def likeness(shot: Shot) -> float:
        other = _words(shot.state)
        return len(words & other) / (len(words | other) or 1)

    return sorted(sorted(shots, key=likeness, reverse=True)[:SHOTS], key=likeness)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[\w.']+|[^\w\s]", text))


def fit(preset: Preset, question: Question, length: Callable[[str], int], most: int) -> Prompt:
    """The fullest prompt of at most `most` tokens.

    Left out, in this order: premises, the beginning of the proof, examples, the other goals, then hypotheses, the
    `least_needed` first. The target is never cut: raises BadInput.
    """
    text = render(preset, question)
    if length(text) <= most:
        return Prompt(text)
    for smaller, shots, notice in _smaller(preset, question):
        text = render(replace(preset, shots=shots), smaller)
        if length(text) <= most:
            return Prompt(text, notice)
    raise BadInput(
        f"The goal is too long for the model: its target alone takes {length(text)} tokens of {most}.",
        hint="A model with a longer context, or a larger model.context, can take it.",
    )


def _smaller(preset: Preset, question: Question) -> Iterator[tuple[Question, tuple[Shot, ...], str]]:
    shots = preset.shots
    if preset.premise and "premises" in fields_of(preset.template) and question.premises:
        count = len(question.premises)
        for kept in _fewer(count):
            question = replace(question, premises=question.premises[:kept])
            yield question, shots, f"{count - kept} of {count} premises did not fit into the model's context."
    if "proof" in fields_of(preset.template) and question.proof:
        whole = question.proof.split("\n")
        for kept in _fewer(len(whole)):
            question = replace(question, proof="\n".join(whole[len(whole) - kept :]))
            yield question, shots, "The proof above was cut for the model: its context is too short."
    if preset.shot and shots:
        shots = tuple(nearest(shots, question))[::-1]
        for kept in _fewer(len(shots)):
            shots = shots[:kept]
            yield question, shots, "The model was shown fewer examples: its context is too short."
    if len(question.goals) > 1:
        question = replace(question, goals=question.goals[:1])
        yield question, shots, "The model was shown the first goal only: its context is too short."
    if question.goals:
        goal = question.goals[0]
        order = least_needed(goal)
        for kept in _fewer(len(order)):
            left = set(order[len(order) - kept :])
            shown = tuple(each for at, each in enumerate(goal.hypotheses) if at in left)
            fewer = Asked(shown, goal.target)
            said = f"{len(order) - kept} of {len(order)} hypotheses did not fit into the model's context."
            yield replace(question, goals=(fewer,)), shots, said


def least_needed(goal: Asked) -> list[int]:
    """The hypotheses by their places, the least needed first; of those needed alike, the first, farthest one.

    Most needed are those that the target names, then what speaks of these, then the rest, then what has no name to be
    called by.
    """
    target = _words(goal.target)
    named = {name for each in goal.hypotheses for name in _names(each) & target}

    def need(at: int) -> int:
        names, _, type_ = goal.hypotheses[at].partition(" :")
        if set(names.split()) & target:
            return 3
        return 2 if _words(type_) & named and "✝" not in names else 1 if "✝" not in names else 0

    return sorted(range(len(goal.hypotheses)), key=need)


def _names(hypothesis: str) -> set[str]:
    return set(hypothesis.split(" :", 1)[0].split())


def _fewer(count: int) -> Iterator[int]:
    """Numbers from below `count` down to 0, in steps of about an eighth: each is one count of tokens."""
    step = max(1, count // 8)
    yield from range(count - step, 0, -step)
    yield 0
