"""Which tactics a set of imports has: the question, and what counts as an answer."""

from __future__ import annotations

import pytest

from tacit.server.lean import environment
from tacit.server.lean.elaborator import Elaboration, Enough, LeanIdentity, Message, Outcome, Severity
from tacit.server.lean.environment import MARK_COLUMN, known_tactics, question
from tacit.server.lean.gate import refusal
from tacit.server.tactics.probes import probe_names
from tacit.server.text import Position
from tests.unit.fake_lean import FakeLean, Unknown

SAMPLES = {"simp": "simp", "cases with": "cases h with\n| inl h => ?_\n| inr h => ?_", "omega": "omega"}


@pytest.mark.parametrize("header", ["", "\n", "import A", "import A\nimport B\n\n", "/- c -/\nmodule\n"])
def test_each_mark_is_the_line_of_its_trace(header: str) -> None:
    text, marks = question(header, SAMPLES)
    lines = text.split("\n")
    assert list(marks) == list(SAMPLES)
    for line in marks.values():
        assert lines[line] == " " * MARK_COLUMN + "trace_state"
    assert text.startswith(header.rstrip("\n")) or not header.strip()
    assert text.count("example") == len(SAMPLES)


def test_the_lines_of_a_sample_are_aligned_inside_one_pair_of_parentheses() -> None:
    text, marks = question("", {"x": SAMPLES["cases with"]})
    lines = text.split("\n")
    column = lines[1].index("cases")
    assert [line[column:] for line in lines[1 : marks["x"]]] == ["cases h with", "| inl h => ?_", "| inr h => ?_)"]
    assert lines[1][:column].endswith("(")


class Answering:
    """Answers with what it is given."""

    def __init__(self, answer: Elaboration) -> None:
        self.identity = LeanIdentity("4.27.0")
        self.answer = answer
        self.texts: list[str] = []

    async def elaborate(
        self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
    ) -> Elaboration:
        del timeout, label, enough
        self.texts.append(text)
        return self.answer

    async def goals(self, text: str, position: Position, *, timeout: float) -> tuple[str, ...]:
        raise NotImplementedError

    async def aclose(self) -> None:
        raise NotImplementedError


def at(line: int, column: int = MARK_COLUMN, severity: Severity = Severity.INFORMATION) -> Message:
    return Message(severity, Position(line, column), Position(line, column + 1), "no goals")


async def test_only_what_ran_to_its_mark_is_known() -> None:
    _, marks = question("import A", SAMPLES)
    messages = (
        at(marks["simp"]),
        at(marks["cases with"], severity=Severity.ERROR),
        at(marks["omega"], MARK_COLUMN + 1),
        at(marks["omega"] - 1),
        at(99),
    )
    lean = Answering(Elaboration(Outcome.DONE, messages))
    assert await known_tactics(lean, "import A", SAMPLES) == {"simp"}
    assert lean.texts == [question("import A", SAMPLES)[0]]


@pytest.mark.parametrize("outcome", [Outcome.TIMED_OUT, Outcome.CRASHED, Outcome.UNRECORDED])
async def test_without_an_answer_nothing_is_known(outcome: Outcome) -> None:
    lean = Answering(Elaboration(outcome, tuple(at(line) for line in range(20))))
    assert await known_tactics(lean, "", SAMPLES) == frozenset()


async def test_silence_is_not_knowledge() -> None:
    assert await known_tactics(Answering(Elaboration(Outcome.DONE)), "", SAMPLES) == frozenset()


async def test_a_whole_table() -> None:
    lean = FakeLean({"omega": Unknown(), "aesop": Unknown()})
    samples = probe_names()
    known = await known_tactics(lean, "import Mathlib", samples)
    assert known == frozenset(samples) - {"omega", "aesop", "aesop?"} | ({"aesop?"} & set(samples))
    assert lean.asked == ["known"]


@pytest.mark.parametrize("name", sorted(probe_names()))
def test_no_sample_could_leave_its_block(name: str) -> None:
    """The samples are run past no gate: each must be fit to pass it, and in one piece."""
    sample = probe_names()[name]
    assert refusal(sample) is None
    assert environment.question("", {name: sample})[0].count("example") == 1
