"""Declarations that no text spells out: the names that attributes and commands make, by their documented rules."""

from __future__ import annotations

from dataclasses import dataclass

from tacit.index.declarations import Text
from tacit.index.premise import Premise


@dataclass(slots=True)
class Known:
    """What reading a file needs to know from the files that it imports. Grows file by file."""


def complete(text: Text, known: Known) -> list[Premise]:
    """All the declarations of a text, generated ones included; `known` learns from it."""
    return text.premises
