"""Reads goals as Lean prints them (`trace_state`, `unsolved goals`, `$/lean/plainGoal`). Pure functions.

The printed form is the one thing that every Lean 4 version shares; the structured form
(`Lean.Widget.getInteractiveGoals`) changed its fields several times between 2021 and now.
"""

from __future__ import annotations

import re

from tacit.server.values import Goal, Hypothesis

_TAG = re.compile(r"^case (?P<tag>.+)$")
_HYPOTHESIS = re.compile(r"^(?P<names>[^\s:|⊢][^:]*?) : (?P<rest>.*)$", re.DOTALL)
NO_GOALS = "no goals"
# The binder that the batch trick gives to every copy of the goal; it shows up in the tags of goals left.
COPY_TAG = "tacitCopy"


def _own_tag(tag: str) -> str | None:
    """The tag without the name of the copy."""
    parts = [p for p in tag.replace("✝", "").split(".") if p != COPY_TAG]
    return ".".join(parts) or None


def _paragraphs(text: str) -> list[str]:
    """Goals are separated by one blank line."""
    return [p for p in re.split(r"\n[ \t]*\n", text.strip("\n")) if p.strip()]


def _entries(lines: list[str]) -> list[str]:
    """Joins continuation lines (indented) to the entry they continue."""
    entries: list[str] = []
    for line in lines:
        if entries and line[:1].isspace():
            entries[-1] += "\n" + line
        else:
            entries.append(line)
    return entries


def parse_goal(text: str) -> Goal:
    """One goal. `target` is all that follows `⊢` (or `|` inside `conv`), its line breaks kept."""
    lines = text.split("\n")
    tag = None
    if match := _TAG.match(lines[0]):
        tag = _own_tag(match["tag"])
        lines = lines[1:]
    hypotheses: list[Hypothesis] = []
    target = ""
    entries = _entries(lines)
    for i, entry in enumerate(entries):
        if entry.startswith(("⊢ ", "| ")) or entry in ("⊢", "|"):
            target = "\n".join([entry[2:], *entries[i + 1 :]])
            break
        if match := _HYPOTHESIS.match(entry):
            type_, _, value = match["rest"].partition(" := ")
            hypotheses.append(Hypothesis(tuple(match["names"].split()), type_.strip(), value.strip() or None))
    body = "\n".join(([f"case {tag}"] if tag else []) + lines)
    return Goal(tuple(hypotheses), target.strip(), tag, body)


def parse_goals(text: str) -> tuple[Goal, ...]:
    """All goals of a message; empty for `no goals`."""
    text = text.strip()
    if text in ("", NO_GOALS, "goals accomplished", "Goals accomplished!"):
        return ()
    return tuple(parse_goal(p) for p in _paragraphs(text))


def is_conv(text: str) -> bool:
    """Whether a printed goal is a `conv` goal: it shows `| term` where others show `⊢ type`."""
    last = [line for line in text.split("\n") if line and not line[0].isspace()]
    return bool(last) and not any(line.startswith("⊢") for line in last) and last[-1].startswith("| ")
