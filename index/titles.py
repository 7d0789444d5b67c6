"""What a package's lists of theorems call its declarations: the names that people know them by. Reads files alone.

Mathlib has such lists in `docs/`: Freek Wiedijk's 100 theorems, the 1000+ theorems, an overview, a course.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tacit.index.files import content_of

LISTS = ("100.yaml", "1000.yaml", "overview.yaml", "undergrad.yaml")
LARGEST = 1 << 20
"""Bytes of a list that is read."""
MOST = 20_000
"""Entries of a list that are looked at; a list may refer to itself."""
LONGEST = 300
"""Characters of what one declaration is called."""


def titles(root: Path) -> dict[str, str]:
    """For each full name in the lists of the package at `root`: what it is called, titles divided by full stops.

    A list that cannot be read counts as if it were not there: it is an extra.
    """
    found: dict[str, list[str]] = {}
    for each in LISTS:
        for name, title in _entries(_read(root / "docs" / each)):
            known = found.setdefault(name, [])
            if title.lower() not in map(str.lower, known):
                known.append(title)
    return {name: ". ".join(known)[:LONGEST] for name, known in found.items()}


def lists_stamp(root: Path) -> str:
    """Changes with the lists of the package at `root`: their times and sizes."""
    found = []
    for each in LISTS:
        with suppress(OSError):
            of_file = (root / "docs" / each).stat()
            found.append(f"{each} {of_file.st_mtime_ns} {of_file.st_size}")
    return "\n".join(found)


def _read(file: Path) -> Any:
    import yaml

    with suppress(OSError, ValueError, yaml.YAMLError, RecursionError):
        # libyaml's reader, where PyYAML was built with it, takes 0.2 s for Mathlib's lists in place of 2.
        return yaml.load(content_of(file, LARGEST), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return None


def _entries(entry: Any) -> Iterator[tuple[str, str]]:
    """Names with their titles, in order: `title` beside `decl` or `decls`, or `title: name`."""
    waiting = [("", entry)]
    for _ in range(MOST):
        if not waiting:
            return
        key, entry = waiting.pop()
        if isinstance(entry, dict) and isinstance(title := entry.get("title"), str):
            names = entry.get("decls") or [entry.get("decl")]
            yield from ((name, title) for name in names if isinstance(names, list) and isinstance(name, str))
        elif isinstance(entry, dict):
            waiting += [(str(title), below) for title, below in reversed(entry.items())]
        elif isinstance(entry, str) and key and entry and "/" not in entry:
            yield entry, key
