"""Reads `.ilean` files: the names that Lean itself gave, where they stand, and which declaration uses which.

Format: `Lean.Data.Lsp.Internal` and `Lean.Server.References` of Lean v4.27 (version 5; versions 1 to 4 as far as they
agree): one JSON object with `version`, `module`, `directImports`, `references` and `decls`. `references` maps an
identifier, itself JSON text (`{"c":{"m":module,"n":name}}` for a constant, `{"f":…}` for a local variable), to
`{"definition": range|null, "usages": [range]}`; a range is [line, column, line, column] with an optional parent
declaration after it, counted from 0 in UTF-16 units. `decls` maps names to eight such numbers.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tacit.index.files import content_of
from tacit.index.premise import Origin, Premise
from tacit.index.source import Problem

LARGEST = 64 << 20
"""Bytes of an `.ilean`: fifty times the largest of Mathlib."""


@dataclass(frozen=True, slots=True)
class Place:
    """A range in a file, 0-based, columns in UTF-16 units, with the declaration around it where Lean says so."""

    line: int
    column: int
    end_line: int
    end_column: int
    inside: str = ""


@dataclass(frozen=True, slots=True)
class Ilean:
    """What one `.ilean` says: where each constant is defined here, and where constants of any module are used here."""

    module: str
    version: int = 0
    definitions: Mapping[str, Place] = field(default_factory=dict)
    usages: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    declared: Mapping[str, Place] = field(default_factory=dict)

    def uses(self) -> dict[str, frozenset[str]]:
        """Which constants each declaration of this file uses."""
        found: dict[str, set[str]] = {}
        for name, places in self.usages.items():
            for place in places:
                if (user := place.inside or self._around(place)) and user != name:
                    found.setdefault(user, set()).add(name)
        return {user: frozenset(names) for user, names in found.items()}

    def loose(self) -> dict[int, frozenset[str]]:
        """By line, the constants used there, where Lean names no declarations (versions 1 and 2)."""
        found: dict[int, set[str]] = {}
        if not self.declared:
            for name, places in self.usages.items():
                for place in places:
                    if not place.inside:
                        found.setdefault(place.line, set()).add(name)
        return {line: frozenset(names) for line, names in found.items()}

    def _around(self, place: Place) -> str:
        at = (place.line, place.column)
        around = [
            (name, range_)
            for name, range_ in self.declared.items()
            if (range_.line, range_.column) <= at < (range_.end_line, range_.end_column)
        ]
        # Of nested ones the innermost: the last to begin.
        return max(around, key=lambda each: (each[1].line, each[1].column), default=("", None))[0]


def read_ilean(path: Path) -> Ilean | Problem:
    """The contents of one file, or why they cannot be had."""
    try:
        values = json.loads(content_of(path, LARGEST).decode())
    except OSError as error:
        return Problem(str(path), f"It could not be read: {error.strerror or error}.")
    except (ValueError, RecursionError):
        return Problem(str(path), "It is not the JSON that Lean writes; building the project again makes a new one.")
    if not isinstance(values, dict) or not isinstance(values.get("module"), str):
        return Problem(str(path), "It names no module; building the project again makes a new one.")
    return _ilean(values)


def _ilean(values: dict[str, Any]) -> Ilean:
    definitions: dict[str, Place] = {}
    usages: dict[str, tuple[Place, ...]] = {}
    references = values.get("references")
    for key, info in references.items() if isinstance(references, dict) else ():
        name = _constant(key)
        if not name or not isinstance(info, dict):
            continue
        if (place := _place(info.get("definition"))) is not None:
            definitions[name] = place
        if places := tuple(_places(info.get("usages"))):
            usages[name] = usages.get(name, ()) + places
    decls = values.get("decls")
    declared = {
        name: place
        for name, numbers in (decls.items() if isinstance(decls, dict) else ())
        if (place := _place(numbers)) is not None
    }
    version = values.get("version")
    return Ilean(values["module"], version if isinstance(version, int) else 0, definitions, usages, declared)


def _constant(key: str) -> str:
    """The name of a constant; empty for a local variable and for what is no identifier."""
    try:
        value = json.loads(key)
    except (ValueError, RecursionError):
        return key[2:] if key.startswith("c:") else ""  # versions 1 and 2
    constant = value.get("c") if isinstance(value, dict) else None
    name = constant.get("n") if isinstance(constant, dict) else None
    return name if isinstance(name, str) else ""


def _places(values: object) -> Iterator[Place]:
    for each in values if isinstance(values, list) else ():
        if (place := _place(each)) is not None:
            yield place


def _place(value: object) -> Place | None:
    if not isinstance(value, list) or len(value) < 4 or not all(isinstance(each, int) for each in value[:4]):
        return None
    inside = value[4] if len(value) > 4 and isinstance(value[4], str) else ""
    return Place(value[0], value[1], value[2], value[3], inside)


def settle(premises: Iterable[Premise], ilean: Ilean) -> list[Premise]:
    """The premises of a file with their names as Lean has them.

    An instance whose guessed name Lean does not know takes the one name that Lean defines on its line and nobody has
    read. What `to_additive`, `to_dual` or `simps` should have made and Lean does not define is dropped. Written names
    stay: the file may be newer than its `.ilean`.
    """
    premises = list(premises)
    named = {each.name for each in premises}
    unread: dict[int, list[str]] = {}
    for name, place in ilean.definitions.items():
        if name not in named:
            unread.setdefault(place.line, []).append(name)
    settled = []
    for premise in premises:
        known = premise.name in ilean.definitions or premise.name in ilean.declared
        if known or premise.origin not in _GUESSED:
            settled.append(premise)
        elif premise.origin is Origin.INSTANCE_NAME:
            names = unread.get(premise.line - 1, [])
            settled.append(replace(premise, name=names.pop()) if len(names) == 1 else premise)
    return settled


_GUESSED = frozenset((Origin.INSTANCE_NAME, Origin.TO_ADDITIVE, Origin.TO_DUAL, Origin.SIMPS))


def with_lines(
    uses: Mapping[str, Set[str]], loose: Mapping[int, Set[str]], premises: Iterable[Premise]
) -> dict[str, set[str]]:
    """`uses` with what is used on lines of which Lean says no more: by the declaration that begins last before."""
    found = {user: set(names) for user, names in uses.items()}
    if loose:
        begins = sorted((each.line - 1, each.name) for each in premises if each.origin in _WRITTEN)
        for line, names in loose.items():
            place = bisect_right(begins, (line, "\U0010ffff")) - 1
            if place >= 0 and (others := names - {begins[place][1]}):
                found.setdefault(begins[place][1], set()).update(others)
    return found


_WRITTEN = frozenset((Origin.SOURCE, Origin.INSTANCE_NAME, Origin.ALIAS))
