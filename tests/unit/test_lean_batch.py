"""The texts that try several tactics at once, and how the messages about them are read."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.server.lean import batch
from tacit.server.lean.batch import STAND_IN, Block, Body, Reading, Step
from tacit.server.lean.elaborator import Message, Severity
from tacit.server.text import LineIndex, Position
from tests.unit.properties import examples

# Where the body stands in the document: its first line may begin further right than the others.
PLACES = [(Position(0, 0), 0), (Position(7, 4), 4), (Position(3, 12), 2)]
MULTI = "cases h with\n| inl a => x\n| inr b =>\n  y"


def placed(body: Body, origin: Position, column: int) -> list[str]:
    """The document's lines with the body in it, as a hole fills it in."""
    first, *rest = body.text.split("\n")
    return [*[""] * origin.line, "?" * origin.column + first, *(" " * column + line if line else line for line in rest)]


class Messages:
    """Makes messages about a block at one place."""

    def __init__(self, body: Body, origin: Position = PLACES[1][0], column: int = PLACES[1][1]) -> None:
        self.body, self.origin, self.column = body, origin, column

    def place(self, position: Position) -> Position:
        return batch.at(position, self.origin, self.column)

    def mark(self, n: int, text: str = "no goals") -> Message:
        return self.message(Severity.INFORMATION, self.body.blocks[n].mark, text)

    def bullet(self, n: int, text: str) -> Message:
        block = self.body.blocks[n]
        return self.message(Severity.ERROR, Position(block.first, block.bullet), text)

    def inside(self, n: int, text: str, severity: Severity = Severity.ERROR, *, line: int = 0) -> Message:
        return self.message(severity, Position(self.body.blocks[n].first + line, 5), text)

    def message(self, severity: Severity, position: Position, text: str) -> Message:
        start = self.place(position)
        return Message(severity, start, Position(start.line, start.column + 1), text)

    def read(self, n: int, *messages: Message) -> Reading:
        return batch.read(self.body.blocks[n], messages, self.origin, self.column)


@pytest.fixture
def about() -> Messages:
    return Messages(batch.copies(["one", MULTI, "three"]))


def targets(reading: Reading) -> list[str] | None:
    return None if reading.goals is None else [g.target for g in reading.goals]


def texts(messages: Sequence[Message]) -> list[str]:
    return [m.text for m in messages]


# ---------------------------------------------------------------------------------------------- texts


@pytest.mark.parametrize(("origin", "column"), PLACES)
def test_every_mark_is_a_trace_and_every_bullet_a_bullet(origin: Position, column: int) -> None:
    body = batch.copies(["one", MULTI, "three"])
    lines = placed(body, origin, column)
    assert len(body.blocks) == 3
    for block in body.blocks:
        mark = batch.at(block.mark, origin, column)
        assert lines[mark.line][mark.column :].startswith("trace_state")
        bullet = batch.at(Position(block.first, block.bullet), origin, column)
        assert lines[bullet.line][bullet.column] == "·"
        assert block.first <= block.mark.line <= block.last
    for block, following in zip(body.blocks, body.blocks[1:], strict=False):
        assert block.last < following.first


def test_each_candidate_is_whole_and_in_parentheses() -> None:
    body = batch.copies(["one", MULTI, "three"])
    lines = body.text.split("\n")
    for block, text in zip(body.blocks, ["one", MULTI, "three"], strict=True):
        inner = "\n".join(lines[block.first : block.mark.line])
        assert inner.startswith(" · (")
        assert inner.endswith(")")
        assert inner[4:-1].replace("\n    ", "\n") == text


def test_there_is_one_copy_of_the_goal_for_each_candidate() -> None:
    for n in (1, 2, 32):
        first = batch.copies(["x"] * n).text.split("\n")[0]
        assert first.split("(")[-1].split(":")[0].split() == ["tacitCopy"] * n
        assert first.endswith(") " + " ".join(["?_"] * n) + ")")


def test_goals_that_are_data_are_copied_as_such() -> None:
    assert ": Prop}" in batch.copies(["x"]).text
    assert ": Sort _}" in batch.copies(["x"], sort="Sort _").text


def test_a_single_candidate_runs_on_the_goals_as_they_are() -> None:
    body = batch.alone(MULTI)
    (block,) = body.blocks
    lines = body.text.split("\n")
    assert lines[block.mark.line][block.mark.column :] == "trace_state"
    assert "tacitCopy" not in body.text
    assert lines[-1].strip() == "all_goals sorry)"
    assert "\n".join(lines[: block.mark.line]) == "((" + MULTI.replace("\n", "\n  ") + ")"


def test_the_probe_shows_the_goals_and_closes_them_without_sorry() -> None:
    body, prop = batch.probe()
    lines = body.text.split("\n")
    (block,) = body.blocks
    assert lines[block.mark.line][block.mark.column :] == "trace_state"
    assert lines[prop.line][prop.column :].startswith("trace_state")
    assert prop != block.mark
    assert "sorry" not in body.text
    assert STAND_IN in body.text


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 9), st.integers(0, 30), st.integers(0, 30))
@examples
def test_at_moves_the_first_line_apart_from_the_others(line: int, col: int, down: int, right: int, column: int) -> None:
    origin = Position(line, col)
    expected = Position(line, col + right) if down == 0 else Position(line + down, column + right)
    assert batch.at(Position(down, right), origin, column) == expected
    assert batch.within(expected, origin, column) == Position(down, right)


candidates = st.lists(st.sampled_from(["x", MULTI, "a\n\nb", "  c", "d\n"]), min_size=1, max_size=5)


@given(candidates, st.sampled_from(PLACES))
@examples
def test_a_message_belongs_to_one_block(texts: list[str], place: tuple[Position, int]) -> None:
    """Whatever line of the body a message stands on, at most one block takes it."""
    body = batch.copies(texts)
    origin, column = place
    lines = placed(body, origin, column)
    for line in range(origin.line + 1, len(lines)):
        message = Message(Severity.ERROR, Position(line, column + 3), Position(line, column + 4), "boom")
        taken = [b for b in body.blocks if batch.read(b, [message], origin, column).errors]
        assert len(taken) == 1
    index = LineIndex("\n".join(lines))
    assert all(index.offset(batch.at(b.mark, origin, column)) < len(index.text) for b in body.blocks)


# ---------------------------------------------------------------------------------------------- readings


def test_no_message_at_all_is_no_evidence(about: Messages) -> None:
    reading = about.read(0)
    assert reading == Reading(None, (), ())
    assert reading.silent


def test_a_mark_without_goals_closes(about: Messages) -> None:
    for n in range(3):
        reading = about.read(n, about.mark(n))
        assert (targets(reading), reading.errors, reading.notes) == ([], (), ())
        assert not reading.silent


def test_a_mark_with_goals_is_progress(about: Messages) -> None:
    goals = "case left\n⊢ p\n\ncase right\n⊢ q"
    reading = about.read(1, about.mark(1, goals), about.bullet(1, f"unsolved goals\n{goals}"))
    assert targets(reading) == ["p", "q"]
    assert reading.errors == ()


def test_an_error_inside_is_a_failure_whatever_the_mark_says(about: Messages) -> None:
    for line in (0, 1, 3):
        reading = about.read(1, about.inside(1, "type mismatch", line=line), about.mark(1))
        assert texts(reading.errors) == ["type mismatch"]


def test_an_error_without_the_mark_is_evidence_of_failure(about: Messages) -> None:
    reading = about.read(0, about.inside(0, "unknown identifier"))
    assert reading.goals is None
    assert not reading.silent


def test_unsolved_goals_inside_are_a_failed_proof_within(about: Messages) -> None:
    """`have : p := by skip` reports its own leftover, inside the block."""
    reading = about.read(0, about.inside(0, "unsolved goals\n⊢ p"), about.mark(0))
    assert texts(reading.errors) == ["unsolved goals\n⊢ p"]


def test_words_about_unsolved_goals_elsewhere_are_an_error(about: Messages) -> None:
    """A theorem may be called so: only the block's own leftover begins with the words, at the bullet."""
    reading = about.read(0, about.bullet(0, "the tactic left unsolved goals"), about.mark(0))
    assert len(reading.errors) == 1


def test_a_leftover_that_the_mark_does_not_show_is_no_close(about: Messages) -> None:
    reading = about.read(0, about.mark(0, "no goals"), about.bullet(0, "unsolved goals\n⊢ p"))
    assert reading.goals is None
    assert texts(reading.errors) == ["unsolved goals\n⊢ p"]


@pytest.mark.parametrize("shift", [-2, -1, 1, 5])
def test_a_message_beside_the_mark_is_none(about: Messages, shift: int) -> None:
    """A tactic that prints `no goals` itself does not stand where the mark stands."""
    mark = about.mark(0)
    start = Position(mark.start.line, mark.start.column + shift)
    reading = about.read(0, Message(Severity.INFORMATION, start, mark.end, "no goals"))
    assert reading.goals is None
    assert reading.notes == ("no goals",)


def test_a_message_above_the_mark_is_a_note(about: Messages) -> None:
    printed = about.inside(1, "no goals", Severity.INFORMATION, line=2)
    reading = about.read(1, printed)
    assert reading.goals is None
    assert reading.notes == ("no goals",)


@pytest.mark.parametrize("severity", [Severity.ERROR, Severity.WARNING, Severity.HINT])
def test_only_information_is_a_mark(about: Messages, severity: Severity) -> None:
    mark = about.mark(0)
    reading = about.read(0, Message(severity, mark.start, mark.end, "no goals"))
    assert reading.goals is None


def test_another_blocks_messages_say_nothing(about: Messages) -> None:
    others = [about.mark(1), about.inside(1, "error"), about.mark(2), about.bullet(2, "unsolved goals\n⊢ p")]
    assert about.read(0, *others).silent
    assert targets(about.read(0, *others, about.mark(0))) == []


def test_messages_before_the_bullet_are_not_the_blocks() -> None:
    """A block that begins on the body's first line shares it with what stands before it in the document."""
    about = Messages(batch.alone("x"), Position(3, 12), 2)
    before = Message(Severity.ERROR, Position(3, 4), Position(3, 5), "above")
    assert about.read(0, before).silent
    assert texts(about.read(0, about.inside(0, "inside"), before).errors) == ["inside"]


def test_warnings_and_hints_are_neither_errors_nor_notes(about: Messages) -> None:
    quiet = [about.inside(0, "declaration uses sorry", s) for s in (Severity.WARNING, Severity.HINT)]
    assert about.read(0, *quiet, about.mark(0)) == Reading((), (), ())


def test_suggestions_are_notes(about: Messages) -> None:
    reading = about.read(0, about.inside(0, "Try this: exact h", Severity.INFORMATION), about.mark(0))
    assert reading.notes == ("Try this: exact h",)
    failed = about.read(0, about.inside(0, "Try this: simp", Severity.INFORMATION), about.inside(0, "failed"))
    assert failed.notes == ("Try this: simp",)


def test_a_block_that_ran_twice_on_the_same_goals_has_one_state(about: Messages) -> None:
    assert targets(about.read(0, about.mark(0, "⊢ p"), about.mark(0, "⊢ p"))) == ["p"]


def test_a_block_that_ran_on_different_goals_has_no_verdict(about: Messages) -> None:
    for other in ("⊢ q", "no goals"):
        reading = about.read(0, about.mark(0, "⊢ p"), about.mark(0, other))
        assert reading.goals is None
        assert reading.errors == ()
    assert about.read(0, about.mark(0, "no goals"), about.mark(0, "⊢ p")).goals is None


def test_states_one_below_the_other_in_one_message_are_several(about: Messages) -> None:
    assert about.read(0, about.mark(0, "h : p\n⊢ p\nh : q\n⊢ q")).goals is None


def test_an_error_beats_different_goals(about: Messages) -> None:
    reading = about.read(0, about.mark(0, "⊢ p"), about.mark(0, "⊢ q"), about.inside(0, "failed"))
    assert texts(reading.errors) == ["failed"]


def test_the_probe_reads_like_a_block() -> None:
    body, prop = batch.probe()
    about = Messages(body, Position(4, 7), 7)
    assert targets(about.read(0, about.mark(0, "h : p\n⊢ q"))) == ["q"]
    assert about.place(prop) == Position(4 + prop.line, 7 + prop.column)


def test_the_copies_tag_is_left_out_of_goals(about: Messages) -> None:
    reading = about.read(0, about.mark(0, "case refine_1.left\n⊢ p\n\ncase refine_1\n⊢ q"))
    assert reading.goals is not None
    assert [g.tag for g in reading.goals] == ["left", None]


severities = st.sampled_from(list(Severity))
noise = st.lists(
    st.builds(
        lambda severity, line, column, text: Message(severity, Position(line, column), Position(line, column), text),
        severities,
        st.integers(0, 30),
        st.integers(0, 20),
        st.sampled_from(["no goals", "unsolved goals\n⊢ p", "⊢ p", "error", ""]),
    ),
    max_size=8,
)


@given(noise, st.integers(0, 2))
@examples
def test_no_close_without_its_own_mark(messages: list[Message], n: int) -> None:
    """Whatever else Lean says, a block without the information at its mark never closes."""
    body = batch.copies(["one", MULTI, "three"])
    origin, column = Position(7, 4), 4
    block: Block = body.blocks[n]
    mark = batch.at(block.mark, origin, column)
    others = [m for m in messages if (m.start, m.severity) != (mark, Severity.INFORMATION)]
    assert batch.read(block, others, origin, column).goals is None


@given(noise, st.integers(0, 2))
@examples
def test_no_close_with_an_error_in_the_block(messages: list[Message], n: int) -> None:
    body = batch.copies(["one", MULTI, "three"])
    about = Messages(body)
    reading = about.read(n, *messages, about.mark(n), about.inside(n, "failed"))
    assert "failed" in texts(reading.errors)


# ---------------------------------------------------------------------------------------------- goals inside a proof


def test_a_grove_tries_candidates_at_the_end_of_ways() -> None:
    both = (Step("constructor", 0, 2),)
    deeper = (Step("constructor", 1, 2), Step("cases h with\n| inl a => ?_\n| inr b => ?_", 1, 2))
    body = batch.grove([((), False, ["one"]), (both, False, ["two", "three"]), (deeper, True, ["four\nfive"])])
    assert body.text.split("\n") == [
        "(refine @((fun {tacitSort : Prop} (tacitCopy tacitCopy tacitCopy : tacitSort) => tacitCopy) ?_ ?_ ?_)",
        " · ((refine @((fun {tacitSort : Sort _} (tacitCopy : tacitSort) => tacitCopy) ?_)",
        "     · (one)",
        "       trace_state",
        "       all_goals sorry))",
        " · (constructor",
        "    · (refine @((fun {tacitSort : Sort _} (tacitCopy tacitCopy : tacitSort) => tacitCopy) ?_ ?_)",
        "       · (two)",
        "         trace_state",
        "         all_goals sorry",
        "       · (three)",
        "         trace_state",
        "         all_goals sorry)",
        "    all_goals sorry)",
        " · (constructor",
        "    · sorry",
        "    · cases h with",
        "      | inl a => ?_",
        "      | inr b => ?_",
        "      · sorry",
        "      · ((four",
        "          five)",
        "         trace_state",
        "         all_goals sorry)))",
    ]


@pytest.mark.parametrize("ways", [1, 3])
def test_every_mark_in_a_grove_is_a_trace_of_its_own(ways: int) -> None:
    way = (Step("intro x"), Step("constructor", 1, 3), Step("left", 0, 2))
    groups = [(way[:number], number == 2, ["one"] if number == 2 else ["one", MULTI]) for number in range(ways)]
    body = batch.grove(groups)
    lines = body.text.split("\n")
    marks = [block.mark for block in body.blocks]
    assert len(set(marks)) == len(marks) == sum(line.strip() == "trace_state" for line in lines)
    for block in body.blocks:
        assert lines[block.mark.line][block.mark.column :] == "trace_state"
        assert block.begin <= block.first <= block.mark.line <= block.last + 1
    assert body.text.count("(") == body.text.count(")")


WAY = (Step("intro x"), Step("constructor", 1, 2))


@pytest.mark.parametrize("way", [(), WAY])
def test_portions_of_one_state_share_the_way_to_it(way: batch.Way) -> None:
    """Lean keeps the steps before the first change: the next portion begins where the candidates do."""
    one = batch.grove([(way, False, ["one", "two"])])
    two = batch.grove([(way, False, ["three"])])
    shared = [body.text[: body.text.rindex("refine")] for body in (one, two)]
    assert shared[0] == shared[1]
    assert all(step.tactic in shared[0] for step in way)


def test_states_that_begin_alike_stand_alike_while_there_are_as_many() -> None:
    one = batch.grove([(WAY, False, ["one"]), ((), False, ["two"])]).text
    two = batch.grove([(WAY, False, ["one"]), (WAY[:1], False, ["three", "four"])]).text
    assert one[: one.index("two")].rpartition("\n · (")[0] == two[: two.index("three")].rpartition("\n · (")[0]
