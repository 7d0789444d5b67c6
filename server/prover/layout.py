"""Where a proof of several lines is put: on lines of its own, as Mathlib has it, not behind a `by` or a `=>`. Pure."""

from __future__ import annotations

from dataclasses import replace

from tacit.server.lean.site import Site
from tacit.server.text import Span

STEP = 2
"""Columns that a block is indented by."""


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
    while content.startswith("· "):
        indent, content = indent + STEP, content[STEP:].lstrip(" ")
    column = indent + STEP
    lead = hole.before.rstrip(" ")
    # What stood between the last word and the hole would be left at the end of the line.
    start = hole.span.start if lead else begin + len(before.rstrip(" "))
    opened = replace(hole, span=Span(start, hole.span.end), before=f"{lead}\n{' ' * column}", column=column)
    return replace(site, hole=opened)
