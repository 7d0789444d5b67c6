"""What the introduction of a module says of its declarations: "* `foo`: every bar is a baz". Reads text alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

LONGEST = 600
_DOC = re.compile(r"/-!(.*?)-/", re.DOTALL)
_ITEM = re.compile(r"^[ \t]*[*-][ \t]+(.*(?:\n(?![ \t]*[*-][ \t]|[ \t]*\n|[ \t]*#).*)*)", re.MULTILINE)
_NAME = re.compile(r"`([^`\s]+)`")


Item = tuple[str, str]
"""A name as it is written, and what is said of it."""


def notes(text: str, names: Iterable[str]) -> dict[str, str]:
    """For each of these full names that the introduction's lists name first in an item, what the item says."""
    return of_names(items(text), names)


def items(text: str) -> list[Item]:
    """The items of the introduction's lists that begin with a name."""
    return [(match[1], item) for item in _items(text) if (match := _NAME.search(item)) and match.start() < 60]


def of_names(items: Sequence[Item], names: Iterable[str]) -> dict[str, str]:
    """What the items say of these full names.

    A name may be written without its leading parts, if only one of the names ends so.
    """
    asked = {name for name, _ in items}
    if not asked:
        return {}
    ends: dict[str, set[str]] = {}
    for name in names:
        parts = name.split(".")
        for start in range(len(parts)):
            end = ".".join(parts[start:])
            if end in asked:
                ends.setdefault(end, set()).add(name)
    found: dict[str, str] = {}
    for name, item in items:
        full = {name} if name in ends.get(name, ()) else ends.get(name, set())
        if len(full) == 1:
            (only,) = full
            said = " ".join(item.split())
            found[only] = f"{found[only]} {said}"[:LONGEST] if only in found else said[:LONGEST]
    return found


def _items(text: str) -> Iterable[str]:
    for doc in _DOC.finditer(text):
        for item in _ITEM.finditer(doc[1]):
            yield item[1]
