"""The versions of what Tacit keeps on a user's disk, and the way up from each older one. Reads and writes nothing.

What a user's own work has taught (accepted suggestions, traces, weights, the list of models) is brought up, never
thrown away; what can be made again (indexes, vectors, the encoder) is made again. Whatever a newer Tacit wrote is left
as it is: both may be installed, in an editor and on the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]


class Newer(Exception):
    """A newer Tacit wrote this: it is to be left alone."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of record, with its version under the key `schema`, which counts from 1.

    `steps[n]` makes one of version n + 1 out of one of version n. With every new version comes its step, and beside the
    tests a file that the version before it wrote (`tests/unit/old_versions`).
    """

    name: str
    version: int = 1
    steps: Mapping[int, Callable[[Record], Record]] = field(default_factory=dict)

    def brought_up(self, record: Record) -> Record:
        """The record as today's version has it. Raises Newer, or ValueError where it says no version."""
        found = record.get("schema")
        if type(found) is not int or found < 1:
            raise ValueError(f"{found!r} is no schema")
        if found > self.version:
            raise Newer(found)
        return {**self.stepped(record, found), "schema": self.version}

    def stepped(self, record: Record, found: int) -> Record:
        """A record that says no version itself, from a version that is known to today's."""
        for version in range(found, self.version):
            record = self.steps[version](record)
        return record
