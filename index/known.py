"""What reading a file must know of the files that it imports: translations, structures, notations. Grows file by file.

One `Known` goes through the files of a workspace, imports first. It knows who taught what: a file sees what the files
that it imports have taught, and no other; a file that is read again unlearns what it taught before. What a file asks
for is noted, so that it can be read again when the answer has changed (`tacit.index.affected`).

Of two answers that a file sees, the shorter one counts, then the first by the alphabet: never the order of reading.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tacit.index.additive import TO_ADDITIVE, TO_DUAL
from tacit.index.premise import Premise

Find = Callable[[str], Iterable[Premise]]
"""The premises of a full name that were read another time."""
Sees = Callable[[str], bool]
"""Whether the file that is being read imports this module, directly or not."""
Facts = dict[str, Any]
"""What one file teaches, as plain values for JSON."""

SIGNS = "n"
"""What a file asks for that looks at all the signs that come before their arguments."""


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


T = TypeVar("T")


class _Table(Generic[T]):
    """Answers by key, each with the module that taught it. The answers of the file being read are remembered."""

    def __init__(self, letter: str, dump: Callable[[T], Any], load: Callable[[Any], T]) -> None:
        self.letter, self.dump, self.load = letter, dump, load
        self.rows: dict[str, dict[str, T]] = {}
        self.seen: dict[str, T | None] = {}

    def put(self, module: str, key: str, value: T) -> None:
        self.rows.setdefault(key, {})[module] = value
        self.seen.pop(key, None)

    def drop(self, module: str, keys: Iterable[str]) -> None:
        for key in keys:
            row = self.rows[key]
            row.pop(module, None)
            if not row:
                del self.rows[key]

    def find(self, key: str, module: str, sees: Sees | None, asked: set[str]) -> T | None:
        if key in self.seen:
            return self.seen[key]
        asked.add(_asking(self.letter, key))
        row = self.rows.get(key)
        found: T | None = None
        if row is not None:
            if module in row:
                found = row[module]
            else:
                some = [value for where, value in row.items() if sees is None or sees(where)]
                found = some[0] if len(some) == 1 else min(some, key=_rank) if some else None
        self.seen[key] = found
        return found


def _asking(letter: str, key: str) -> str:
    return letter + (key.rpartition(".")[2] or key)


def _rank(value: object) -> tuple[int, str]:
    text = str([*sorted(value.data), *value.fields]) if isinstance(value, Structure) else str(value)
    return len(text), text


def _dump_structure(each: Structure) -> Any:
    return [list(each.fields), sorted(each.data), [list(pair) for pair in each.parents]]


def _load_structure(value: Any) -> Structure:
    fields, data, parents = value
    return Structure(tuple(fields), frozenset(data), tuple((one, other) for one, other in parents))


class Known:
    """What has been learnt so far. `find` looks up, by full name, declarations that were read another time."""

    def __init__(self, find: Find | None = None) -> None:
        self._find = find
        self._kept: dict[str, dict[str, Premise]] = {}
        self._keeps: dict[str, set[str]] = {}
        self._translations: dict[str, _Table[str]] = {
            TO_ADDITIVE.attribute: _Table("t", str, str),
            TO_DUAL.attribute: _Table("u", str, str),
        }
        self._lasts: dict[str, dict[str, list[tuple[int, str]]]] = {each: {} for each in self._translations}
        self._structures: _Table[Structure] = _Table("s", _dump_structure, _load_structure)
        self._projections: _Table[tuple[str, ...]] = _Table("i", list, tuple)
        self._notations: _Table[Notation] = _Table(
            "n", lambda each: [each.name, each.binds, each.first], lambda value: Notation(*value)
        )
        self._propositions: _Table[bool] = _Table("p", bool, bool)
        self._needs: _Table[bool] = _Table("c", bool, bool)
        self._tables: dict[str, _Table[Any]] = {
            **self._translations,
            "structures": self._structures,
            "projections": self._projections,
            "notations": self._notations,
            "propositions": self._propositions,
            "needs": self._needs,
        }
        self._owners: dict[str, dict[str, None]] = {}
        self._taught: dict[str, dict[str, dict[str, None]]] = {}
        self._module = ""
        self._sees: Sees | None = None
        self._named: set[str] = set()
        self._last: dict[tuple[str, str], str] = {}
        self._owning: dict[str, list[Structure]] = {}
        self._signs: list[tuple[str, Notation]] | None = None
        self.asked: set[str] = set()
        """What the file that is being read has asked for: a letter for the sort, and the last component of a name."""

    # Files.

    def begin(self, module: str, sees: Sees | None = None) -> None:
        """A file is read, perhaps again; without `sees` it sees all."""
        self.forget(module)
        self._module, self._sees = module, sees
        self.asked = set()
        self._named = set()
        self._last, self._owning, self._signs = {}, {}, None
        for table in self._tables.values():
            table.seen = {}

    def forget(self, module: str) -> None:
        """Unlearn what a file taught."""
        for what, keys in self._taught.pop(module, {}).items():
            self._tables[what].drop(module, keys)
        for name in self._keeps.pop(module, ()):
            del self._kept[name][module]

    def taught(self, module: str) -> Facts:
        """What a file has taught."""
        return {
            what: {key: self._tables[what].dump(self._tables[what].rows[key][module]) for key in keys}
            for what, keys in self._taught.get(module, {}).items()
        }

    def enter(self, module: str, facts: Facts) -> None:
        """Learn what a file taught another time. Raises KeyError, TypeError or ValueError for what is nothing such."""
        for what, entries in facts.items():
            table = self._tables[what]
            for key, value in entries.items():
                self._teach(module, what, key, table.load(value))

    def _teach(self, module: str, what: str, key: str, value: Any) -> None:
        keys = self._taught.setdefault(module, {}).setdefault(what, {})
        keys[key] = None
        self._tables[what].put(module, key, value)
        if what in self._lasts:
            lasts = self._lasts[what].setdefault(key.rpartition(".")[2], [])
            if (place := (len(key), key)) not in lasts:
                insort(lasts, place)
        elif what == "structures":
            for each in value.fields:
                self._owners.setdefault(each, {})[key] = None

    # Declarations.

    def keep(self, premises: Iterable[Premise]) -> None:
        """Remember the declarations of the file being read, if nobody else can be asked for them."""
        if self._find is None:
            names = self._keeps.setdefault(self._module, set())
            for each in premises:
                self._kept.setdefault(each.name, {}).setdefault(self._module, each)
                names.add(each.name)

    def get(self, name: str) -> Premise | None:
        """The declaration of this full name in a file that is imported."""
        self.asked.add("d" + name.rpartition(".")[2])
        if self._find is None:
            found: Iterable[Premise] = self._kept.get(name, {}).values()
        else:
            found = self._find(name)
        some = [each for each in found if self._sees is None or each.module == self._module or self._sees(each.module)]
        some = [each for each in some if each.module != self._module]
        return min(some, key=lambda each: (each.module, each.start)) if some else None

    def name_instance(self, name: str) -> bool:
        """Give the file being read an instance of this name; False where there is one already."""
        if name in self._named or self.get(name) is not None:
            return False
        self._named.add(name)
        return True

    # Translations.

    def translated(self, attribute: str, name: str) -> str | None:
        """What an attribute translates a full name to."""
        return self._translations[attribute].find(name, self._module, self._sees, self.asked)

    def translate(self, attribute: str, source: str, target: str) -> None:
        """Learn that an attribute translates `source` to `target`."""
        self._teach(self._module, attribute, source, target)
        if attribute == TO_DUAL.attribute:
            self._teach(self._module, attribute, target, source)
        self._last.clear()

    def last(self, attribute: str, name: str) -> str:
        """What the last component of a name is translated to, wherever the shortest such name is (`.prod`: `.sum`)."""
        known = self._last.get((attribute, name))
        if known is None:
            self.asked.add(self._translations[attribute].letter + name)
            known = name
            for _, source in self._lasts[attribute].get(name, ()):
                if (found := self.translated(attribute, source)) is not None:
                    known = found.rpartition(".")[2]
                    break
            self._last[attribute, name] = known
        return known

    # Structures.

    def learn(self, name: str, structure: Structure) -> None:
        """Learn the fields of a structure."""
        self._teach(self._module, "structures", name, structure)
        self._owning.clear()

    def structure(self, name: str) -> Structure | None:
        """The structure of this full name."""
        return self._structures.find(name, self._module, self._sees, self.asked)

    def owners(self, name: str) -> list[Structure]:
        """The structures that have a field of this name."""
        known = self._owning.get(name)
        if known is None:
            self.asked.add("o" + name)
            known = self._owning[name] = [
                found
                for each in self._owners.get(name, ())
                if (found := self.structure(each)) is not None and name in found.fields
            ]
        return known

    def project(self, structure: str, rules: tuple[str, ...]) -> None:
        """Learn the rules of `initialize_simps_projections` for a structure."""
        self._teach(self._module, "projections", structure, rules)

    def rules(self, structure: str) -> tuple[str, ...]:
        """The rules of `initialize_simps_projections` for a structure."""
        return self._projections.find(structure, self._module, self._sees, self.asked) or ()

    # Signs.

    def denote(self, sign: str, notation: Notation) -> None:
        """Learn that a sign stands for a structure: `≃` for Equiv. The first meaning stays."""
        if self.notation(sign) is None:
            self._teach(self._module, "notations", sign, notation)
            self._signs = None

    def notation(self, sign: str) -> Notation | None:
        """What a sign stands for."""
        if sign not in self._notations.rows:
            self.asked.add(_asking("n", sign))
            return None
        return self._notations.find(sign, self._module, self._sees, self.asked)

    def signs(self) -> Iterator[tuple[str, Notation]]:
        """The signs that come before their arguments."""
        if self._signs is None:
            self.asked.add(SIGNS)
            self._signs = [
                (sign, found)
                for sign in sorted(self._notations.rows)
                if (found := self.notation(sign)) is not None and found.first
            ]
        return iter(self._signs)

    # Propositions and classes.

    def propose(self, last: str) -> None:
        """Learn that what has this last component makes a proposition: IsOpen, Continuous."""
        self._teach(self._module, "propositions", last, True)

    def proposition(self, last: str) -> bool:
        """Whether a name with this last component makes a proposition."""
        return self._propositions.find(last, self._module, self._sees, self.asked) is True

    def need(self, last: str, needs: bool) -> None:
        """Learn whether the arguments of the class with this last component need instances themselves."""
        self._teach(self._module, "needs", last, needs)

    def needs(self, last: str) -> bool:
        """Whether the arguments of a class need instances themselves; True where nothing is known."""
        return self._needs.find(last, self._module, self._sees, self.asked) is not False


def keys_of(facts: Mapping[str, Any]) -> dict[str, set[str]]:
    """What others may ask for of what a file teaches, and every answer to it."""
    letters = {TO_ADDITIVE.attribute: "t", TO_DUAL.attribute: "u", "structures": "s", "projections": "i",
               "propositions": "p", "needs": "c", "notations": "n"}  # fmt: skip
    found: dict[str, set[str]] = {}
    for what, entries in facts.items():
        for key, value in entries.items():
            answer = f"{key} {value}"
            found.setdefault(_asking(letters[what], key), set()).add(answer)
            if what == "notations" and value[2]:
                found.setdefault(SIGNS, set()).add(answer)
            for each in value[0] if what == "structures" else ():
                found.setdefault("o" + each, set()).add(answer)
    return found
