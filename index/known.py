"""What reading a file must know of the files that it imports: translations, structures, notations. Grows file by file.

One `Known` goes through the files of a workspace in import order; `to_json` and `from_json` keep it between runs, so
that one changed file can be read alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tacit.index.additive import TO_ADDITIVE, TO_DUAL
from tacit.index.premise import Premise

SCHEMA = 1
Find = Callable[[str], Premise | None]


@dataclass(frozen=True, slots=True)
class Structure:
    """The fields of a structure, its own; which of them are data (not proofs); its parents as (projection, name)."""

    fields: tuple[str, ...] = ()
    data: frozenset[str] = frozenset()
    parents: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Notation:
    """What a sign stands for, how strongly it binds (less is looser), and whether it comes before its arguments."""

    name: str
    binds: int = 1000
    first: bool = False


@dataclass(slots=True)
class Known:
    """What has been learnt so far.

    `wanted` are the last components of names whose declarations are to be kept for `alias` and `attribute` commands in
    other files (None keeps all); `find` looks up, by full name, what was read another time.
    """

    translations: dict[str, dict[str, str]] = field(
        default_factory=lambda: {TO_ADDITIVE.attribute: {}, TO_DUAL.attribute: {}}
    )
    structures: dict[str, Structure] = field(default_factory=dict)
    projections: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The rules of `initialize_simps_projections`, by structure."""
    notations: dict[str, Notation] = field(default_factory=dict)
    """The signs that stand for structures: `≃` is Equiv."""
    propositions: set[str] = field(default_factory=set)
    """Last components of what makes a proposition: IsOpen, Continuous."""
    needs: dict[str, bool] = field(default_factory=dict)
    """Last components of classes: whether their arguments need instances themselves."""
    wanted: frozenset[str] | None = None
    find: Find | None = None
    instances: dict[str, str] = field(default_factory=dict)
    """The names given to instances without one, and the modules they are in."""
    kept: dict[str, Premise] = field(default_factory=dict)
    _named: set[str] = field(default_factory=set)
    _owners: dict[str, list[str]] = field(default_factory=dict)
    _lasts: dict[str, dict[str, str]] = field(default_factory=dict)

    def forget_instances(self, module: str) -> None:
        """Before a file is read: what an earlier reading of it named is free again."""
        if module in self._named:
            self.instances = {name: where for name, where in self.instances.items() if where != module}
        self._named.add(module)

    def keep(self, premise: Premise) -> None:
        """Remember a declaration, if another file may ask for it and nobody else can be asked."""
        wanted = self.find is None if self.wanted is None else premise.name.rpartition(".")[2] in self.wanted
        if wanted:
            self.kept.setdefault(premise.name, premise)

    def get(self, name: str) -> Premise | None:
        """The declaration of this full name, as far as it is known."""
        found = self.kept.get(name)
        return found if found is not None or self.find is None else self.find(name)

    def translate(self, attribute: str, source: str, target: str) -> None:
        """Learn that an attribute translates `source` to `target`."""
        known = self.translations[attribute]
        lasts = self._lasts.setdefault(attribute, {})
        pairs = [(source, target)] if attribute != TO_DUAL.attribute else [(source, target), (target, source)]
        for one, other in pairs:
            known[one] = other
            lasts.setdefault(one.rpartition(".")[2], other.rpartition(".")[2])

    def last(self, attribute: str, name: str) -> str:
        """What the last component of a name is translated to, wherever it was first (`.prod` to `.sum`)."""
        if attribute not in self._lasts:
            lasts = self._lasts[attribute] = {}
            for one, other in self.translations[attribute].items():
                lasts.setdefault(one.rpartition(".")[2], other.rpartition(".")[2])
        return self._lasts[attribute].get(name, name)

    def learn(self, name: str, structure: Structure) -> None:
        """Learn the fields of a structure."""
        self.structures[name] = structure
        for each in structure.fields:
            self._owners.setdefault(each, []).append(name)

    def owners(self, name: str) -> list[str]:
        """The structures that have a field of this name."""
        if not self._owners:
            for structure, each in self.structures.items():
                for own in each.fields:
                    self._owners.setdefault(own, []).append(structure)
        return self._owners.get(name, [])

    def to_json(self) -> dict[str, Any]:
        """As plain values. Declarations are left out: `find` gives them."""
        return {
            "schema": SCHEMA,
            "translations": self.translations,
            "structures": {
                name: [list(each.fields), sorted(each.data), [list(pair) for pair in each.parents]]
                for name, each in self.structures.items()
            },
            "projections": {name: list(rules) for name, rules in self.projections.items()},
            "notations": {sign: [each.name, each.binds, each.first] for sign, each in self.notations.items()},
            "propositions": sorted(self.propositions),
            "needs": self.needs,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], find: Find | None = None) -> Known:
        """The inverse of `to_json`; an empty Known for values of another schema."""
        if values.get("schema") != SCHEMA:
            return cls(find=find)
        return cls(
            translations={attribute: dict(names) for attribute, names in values["translations"].items()},
            structures={
                name: Structure(tuple(fields), frozenset(data), tuple((one, other) for one, other in parents))
                for name, (fields, data, parents) in values["structures"].items()
            },
            projections={name: tuple(rules) for name, rules in values["projections"].items()},
            notations={sign: Notation(*each) for sign, each in values["notations"].items()},
            propositions=set(values["propositions"]),
            needs=dict(values["needs"]),
            find=find,
        )
