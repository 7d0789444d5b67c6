"""How goals and suggestions look in a terminal, and what they are in JSON. Pure.

JSON has the names and the positions of `tacit/suggest` (LSP: 0-based lines, columns in UTF-16 units), so that one
reader serves both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from tacit.server.question import closes, closes_here
from tacit.server.suggest import Found
from tacit.server.terminal import GOOD, PART, STYLES, plural, seconds
from tacit.server.text import LineIndex, Span
from tacit.server.values import Goal, Hypothesis, Suggestion, Verdict

COLUMN = 48
"""Where the remarks beside a tactic begin."""

MOST_GOALS = 3
MOST_LINES = 8


def goal_lines(goal: Goal, than: Goal | None = None) -> Iterator[Text]:
    """A goal as Lean prints it, a line at a time; `than` leaves out the hypotheses that another goal has too."""
    known = {_plain(h) for h in than.hypotheses} if than is not None else set()
    if not goal.target:
        yield from (Text(line) for line in goal.text.split("\n"))
        return
    if goal.tag:
        yield Text(f"case {goal.tag}", "dim")
    for hypothesis in goal.hypotheses:
        if _plain(hypothesis) not in known:
            value = f" := {hypothesis.value}" if hypothesis.value is not None else ""
            names = Text(" ".join(hypothesis.names), "cyan")
            yield from _split(Text.assemble(names, " : ", hypothesis.type, value))
    yield from _split(Text.assemble(("⊢ ", "bold blue"), goal.target))


def suggestion_lines(found: Found, before: Goal) -> Iterator[Text]:
    """A checked tactic with what it comes to, and the goals it leaves: only what is new in them."""
    suggestion = found.suggestion
    mark = GOOD if closes_here(suggestion) else PART
    first, *rest = suggestion.tactic.split("\n")
    line = Text.assemble((f"{mark} ", STYLES[mark]), (first, "bold"))
    gap = max(2, COLUMN - cell_len(line.plain))
    yield line.append(" " * gap).append(
        f"{outcome(suggestion)} · {suggestion.source} · {seconds(found.elapsed)}", "dim"
    )
    yield from (Text(f"  {each}", "bold") for each in rest)
    for goal in suggestion.goals[:MOST_GOALS]:
        lines = list(goal_lines(goal, before))
        if len(lines) > MOST_LINES:
            lines = [*lines[: MOST_LINES - 2], Text("…", "dim"), lines[-1]]
        yield from (Text("    ").append_text(each) for each in lines)
    if len(suggestion.goals) > MOST_GOALS:
        yield Text(f"    … and {plural(len(suggestion.goals) - MOST_GOALS, 'more goal')}", "dim")


def outcome(suggestion: Suggestion) -> str:
    """What a tactic comes to, in a few words."""
    if suggestion.verdict is Verdict.CLOSES:
        axioms = f" with {', '.join(suggestion.axioms)}" if suggestion.axioms else ""
        return f"closes{axioms}"
    if closes_here(suggestion):
        return "closes this goal, not all of the declaration"
    return f"{plural(len(suggestion.goals), 'goal')} left"


def one_line(text: str, most: int) -> str:
    """A tactic on one line, cut where it is longer than `most` cells."""
    joined = "; ".join(line.strip() for line in text.split("\n") if line.strip())
    if cell_len(joined) <= most:
        return joined
    while joined and cell_len(joined) > most - 1:
        joined = joined[:-1]
    return joined + "…"


def goal_json(goal: Goal) -> dict[str, Any]:
    """A goal in JSON."""
    hypotheses = [{"names": list(h.names), "type": h.type, "value": h.value} for h in goal.hypotheses]
    return {"target": goal.target, "hypotheses": hypotheses, "tag": goal.tag, "text": goal.text}


def suggestion_json(found: Found, index: LineIndex) -> dict[str, Any]:
    """A suggestion in JSON."""
    suggestion = found.suggestion
    return {
        "tactic": suggestion.tactic,
        "verdict": suggestion.verdict.value,
        "verified": suggestion.verified,
        "goals": [goal_json(goal) for goal in suggestion.goals],
        "source": suggestion.source,
        "axioms": list(suggestion.axioms),
        "note": suggestion.note,
        "elapsed": round(found.elapsed, 4),
        "edit": {"range": range_json(suggestion.edit.span, index), "newText": suggestion.edit.new_text},
    }


def range_json(span: Span, index: LineIndex) -> dict[str, Any]:
    """A span as an LSP range."""
    places = [index.to_utf16(index.position(offset)) for offset in (span.start, span.end)]
    (start, start_character), (end, end_character) = places
    return {
        "start": {"line": start, "character": start_character},
        "end": {"line": end, "character": end_character},
    }


def best_first(found: Sequence[Found]) -> list[Found]:
    """Closing ones first, else in the order found."""
    return sorted(found, key=lambda each: not closes(each.suggestion))


def _plain(hypothesis: Hypothesis) -> tuple[tuple[str, ...], str, str | None]:
    return hypothesis.names, " ".join(hypothesis.type.split()), hypothesis.value


def _split(text: Text) -> list[Text]:
    return list(text.split("\n"))
