"""Reads goals as Lean prints them (`trace_state`, `unsolved goals`, `$/lean/plainGoal`). Pure functions.

The printed form is the one thing that every Lean 4 version shares; the structured form
(`Lean.Widget.getInteractiveGoals`) changed its fields several times between 2021 and now.
"""

from __future__ import annotations

import re

from tacit.server.lean.syntax import Kind, tokens
from tacit.server.values import Goal, Hypothesis

_TAG = re.compile(r"^case (?P<tag>.+)$")
_HYPOTHESIS = re.compile(r"^(?P<names>[^:|⊢]*?) :\s+(?P<rest>.*)$", re.DOTALL)
_INACCESSIBLE = re.compile("✝[⁰¹²³⁴⁵⁶⁷⁸⁹]*")
_NAME = re.compile(r"(?:«[^»]*»|\S)+")
_BINDS = frozenset({"let", "have", "let_fun"})
NO_GOALS = "no goals"


def _own_tag(tag: str, without: str) -> str | None:
    """The tag, less one part of that name: what the batch trick calls its copy of the goal."""
    parts = _INACCESSIBLE.sub("", tag).split(".")
    if without in parts:
        parts.remove(without)
    return ".".join(parts) or None


def _paragraphs(text: str) -> list[str]:
    """Goals are separated by one blank line."""
    return [p for p in re.split(r"\n[ \t]*\n", text.strip("\n")) if p.strip()]


def _entries(lines: list[str]) -> list[str]:
    """Joins continuation lines (indented) to the entry they continue.

    Lean of 2021 leaves the names out that nobody can write: ` : p` begins an entry.
    """
    entries: list[str] = []
    for line in lines:
        if entries and line[:1].isspace() and not (line + " ").startswith(" : "):
            entries[-1] += "\n" + line
        else:
            entries.append(line)
    return entries


def _type_and_value(text: str) -> tuple[str, str | None]:
    """What stands before and behind the `:=` of a hypothesis with a value; one inside its type is passed over."""
    depth = bound = 0
    for token in tokens(text) if ":=" in text else ():
        if token.kind is Kind.OPEN:
            depth += 1
        elif token.kind is Kind.CLOSE:
            depth -= 1
        elif depth == 0 and token.text in _BINDS:
            bound += 1
        elif depth == 0 and token.text == ":" and text.startswith("=", token.end):
            if not bound:
                return text[: token.start].strip(), text[token.end + 1 :].strip()
            bound -= 1
    return text.strip(), None


def _names(text: str) -> tuple[str, ...]:
    """The names of a hypothesis; `_` stands for one that Lean does not show."""
    return tuple(_NAME.findall(text)) or ("_",)


def parse_goal(text: str, *, without_tag: str = "") -> Goal:
    """One goal. `target` is all that follows `⊢` (or `|` inside `conv`), its line breaks kept."""
    lines = text.split("\n")
    tag = None
    if match := _TAG.match(lines[0]):
        tag = _own_tag(match["tag"], without_tag)
        lines = lines[1:]
    hypotheses: list[Hypothesis] = []
    target = ""
    entries = _entries(lines)
    for i, entry in enumerate(entries):
        if entry.startswith(("⊢", "| ")) or entry == "|":
            target = "\n".join([entry[1:], *entries[i + 1 :]])
            break
        if match := _HYPOTHESIS.match(entry):
            type_, value = _type_and_value(match["rest"])
            hypotheses.append(Hypothesis(_names(match["names"]), type_, value))
    body = "\n".join(([f"case {tag}"] if tag else []) + lines)
    return Goal(tuple(hypotheses), target.strip(), tag, body)


def parse_goals(text: str, *, without_tag: str = "") -> tuple[Goal, ...]:
    """All goals of a message; empty for `no goals`. `without_tag` is a part to leave out of their tags, once."""
    text = text.strip()
    if without_tag:
        text = text.replace(f"?{without_tag}.", "?")  # unknowns are named after the goal they came from
    if text in ("", NO_GOALS, "goals accomplished", "Goals accomplished!"):
        return ()
    return tuple(parse_goal(p, without_tag=without_tag) for p in _paragraphs(text))


def is_conv(text: str) -> bool:
    """Whether a printed goal is a `conv` goal: it shows `| term` where others show `⊢ type`."""
    last = [line for line in text.split("\n") if line and not line[0].isspace()]
    return bool(last) and not any(line.startswith("⊢") for line in last) and last[-1].startswith("| ")
