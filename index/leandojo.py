"""Reads a LeanDojo `corpus.jsonl`: one JSON object a file, with its imports and its premises as Lean found them.

    {"path": "Mathlib/Order/Lattice.lean", "imports": ["Mathlib/Order/Defs.lean"],
     "premises": [{"full_name": …, "code": …, "start": [line, column], "end": [line, column], "kind": …}]}

Lines count from 1. Statement and docstring come out of `code`, which is the declaration's source text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tacit.index.declarations import read_alone
from tacit.index.premise import Kind, Origin, Premise
from tacit.index.source import Import, Problem, Reading

_OUTSIDE = re.compile(r".*(?:\.lake/packages|lake-packages)/[^/]+/|.*src/lean/(?:lake/)?|\./")


Line = tuple[str, str]
"""A line, and where it stands, for people."""


def read_corpus(path: Path) -> Iterator[Reading]:
    """One reading for each line. A line that is no such object is a reading with a problem."""
    try:
        for each in lines_of(path):
            yield read_line(each)
    except OSError as error:
        yield Reading(
            "", str(path), problems=(Problem(str(path), f"It could not be read: {error.strerror or error}."),)
        )


def lines_of(path: Path) -> Iterator[Line]:
    """The lines with something in them. Raises OSError."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield line, f"{path}:{number}"


def read_lines(lines: Sequence[Line]) -> list[Reading]:
    """The readings of several lines: a chunk of work."""
    return [read_line(each) for each in lines]


def read_line(line: Line) -> Reading:
    """What one line says; its digest is the line's."""
    text, where = line
    try:
        values = json.loads(text)
        file = str(values["path"])
        imports = tuple(Import(module_of(each)) for each in values["imports"])
        entries = list(values["premises"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return Reading("", where, problems=(Problem(where, "It is not a file of a LeanDojo corpus."),))
    module = module_of(file)
    premises = [premise for entry in entries if (premise := _premise(entry, module)) is not None]
    problems = []
    if lost := len(entries) - len(premises):
        problems.append(Problem(where, f"{lost} of {len(entries)} premises of {file} have no name, code or place."))
    return Reading(module, file, digest_of(line), imports, tuple(premises), tuple(problems))


def digest_of(line: Line) -> str:
    """32 hex digits of a line."""
    return hashlib.blake2b(line[0].encode("utf-8", "replace"), digest_size=16).hexdigest()


def module_of(path: str) -> str:
    """The module of a file named as LeanDojo names it: inside the repository, a package or the toolchain."""
    return _OUTSIDE.sub("", path).removesuffix(".lean").replace("/", ".")


def _premise(entry: Any, module: str) -> Premise | None:
    try:
        name, code, line = str(entry["full_name"]), str(entry["code"]), int(entry["start"][0])
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    read = read_alone(code, module).premises
    found = (
        read[0] if read else Premise(name, _kind(str(entry.get("kind", ""))), module, line, type=" ".join(code.split()))
    )
    return replace(found, name=name, line=line, origin=Origin.IMPORTED, namespace="", start=0, body=0, stop=0)


def _kind(word: str) -> Kind:
    word = word.lower()
    return next((kind for kind in Kind if kind in word), Kind.THEOREM if "lemma" in word else Kind.DEF)
