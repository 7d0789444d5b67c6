"""How a proof lies on the page, as Mathlib has it: on lines of its own, none longer than a hundred columns. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tacit.server.lean.site import Site
from tacit.server.lean.syntax import Kind, tokens
from tacit.server.text import Span

STEP = 2
"""Columns that a block is indented by."""
WIDTH = 100
"""Columns of a line."""


def on_lines_of_its_own(site: Site) -> Site | None:
    """The site with a hole that begins a line; None where it does already, or stands behind a bullet."""
    hole, text = site.hole, site.text
    begin = text.rfind("\n", 0, hole.span.start) + 1
    before = text[begin : hole.span.start]
    content = before.lstrip(" ")
    if not content and not hole.before:
        return None
    if hole.typed or (not hole.before and content.rstrip().endswith(("·", ".", ";", "("))):
        return None
    indent = len(before) - len(content)
    above = text[:begin].rstrip()
    if not content and hole.before == "by " and above.endswith(":="):
        # `:=` and a line break: `by` belongs behind the `:=`.
        opened = replace(hole, span=Span(len(above), hole.span.end), before=f" by\n{' ' * indent}", column=indent)
        return replace(site, hole=opened)
    while content.startswith("· "):
        indent, content = indent + STEP, content[STEP:].lstrip(" ")
    column = indent + STEP
    lead = hole.before.rstrip(" ")
    # What stood between the last word and the hole would be left at the end of the line.
    start = hole.span.start if lead else begin + len(before.rstrip(" "))
    opened = replace(hole, span=Span(start, hole.span.end), before=f"{lead}\n{' ' * column}", column=column)
    return replace(site, hole=opened)


def wrapped(lines: Sequence[str], column: int, first: int | None = None) -> list[str]:
    """The lines of a proof with those broken that are too long, at a comma or a blank inside their brackets.

    They stand at `column`, the first of them at `first`. What cannot be broken stays as it is.
    """
    done: list[str] = []
    for number, line in enumerate(lines):
        room = WIDTH - (first if number == 0 and first is not None else column)
        indent = len(line) - len(line.lstrip(" "))
        content = line[indent:]
        while content.startswith("· "):
            indent, content = indent + STEP, content[STEP:]
        bullets = line[: len(line) - len(content)]
        done += [bullets + content] if len(line) <= room else _broken(bullets, content, indent + STEP, room, column)
    return done


def _broken(lead: str, content: str, indent: int, room: int, column: int) -> list[str]:
    """A line broken as often as it must be; what goes on stands `indent` columns to the right."""
    found: list[str] = []
    while len(lead) + len(content) > room:
        at = _break(content, room - len(lead))
        if at <= 0:
            break
        found.append((lead + content[:at]).rstrip())
        lead, content, room = " " * indent, content[at:].lstrip(), WIDTH - column
    return [*found, lead + content]


def _break(content: str, room: int) -> int:
    """Where a line is broken: behind the last comma that fits, at the least depth; else at the last blank; or 0."""
    best = (2, 99, 0)
    depth, skip = 0, 0
    for token in tokens(content):
        if token.start >= room:
            break
        if token.start > skip and content[token.start - 1] == " ":
            behind_comma = content[: token.start].rstrip().endswith((",", ":=", "<|", "=>", "↦"))
            key = (0 if behind_comma else 1, depth if behind_comma else 0, -token.start)
            # Not right behind the tactic's own word: nothing is won by that.
            if " " in content[: token.start].strip():
                best = min(best, key)
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        skip = token.start
    return -best[2]
