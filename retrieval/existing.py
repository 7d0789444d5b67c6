"""Tells which names can mean nothing at a place, from what can be used there. Opens no index; in doubt a name exists.

    names = Names([Shelf.of(store), …])                                once for open stores
    existing = Existing([(names, names.mask(access.masks))], scope)    for a place
    existing.unknown(["Nat.add_foo", ".symm"])                         those of them that nothing there can mean

Lean and attributes make names that no source shows (`Foo.rec`, `foo.eq_1`, `foo_apply_coe`), and text alone does not
settle what `x.foo` means: such names count as there. Nothing can be told of a file that imports anything that is not
indexed (`Access.complete`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tacit.index.premise import Kind
from tacit.index.scope import candidates
from tacit.index.store import Store

Hashes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

GENERATED = re.compile(
    r"(?:rec|recOn|recAux|casesOn|brecOn|binductionOn|below|ibelow|noConfusion|noConfusionType|ndrec|ndrecOn"
    r"|mk|inj|injEq|inj_iff|sizeOf|sizeOf_spec|toCtorIdx|ctorIdx|ctorElim|ctorElimType|elim|induct|induct_unfolding"
    r"|fun_cases|fun_cases_unfolding|mutual_induct|unfold|eq_unfold|eq_def|eq_\d+|congr_simp|hcongr_\d+|ext'?|ext_iff'?"
    r"|match_\d+|proof_\d+|_.*|partial_correctness|fixpoint_induct|inst\w*|to[A-Z][A-Za-z]*|ofNat\w*)"
)
"""Labels that Lean and the attributes of Mathlib make without a trace in the source; conversions and simprocs too."""
_PROJECTED = frozenset("apply symm coe app hom inv fst snd val left right def assoc simproc".split())
_SORT = re.compile(r"(?:^|→\s*)(?:Type|Sort|Prop)\b[^→]*$")
# Types of which core states its lemmas by macros, and one of the kernel's own: no reader of texts sees their names.
_UNSEEN = frozenset("UInt8 UInt16 UInt32 UInt64 USize Int8 Int16 Int32 Int64 ISize Quot".split())
# What `to_set_notation` makes of lemmas on orders.
_ORDERS = {"subset": "le", "ssubset": "lt", "superset": "ge", "ssuperset": "gt"}
_IN_ORDERS = re.compile("s?su(?:b|per)set")
_SIMPROC = re.compile(r"reduce[A-Z]")
_TYPES = (Kind.STRUCTURE, Kind.CLASS, Kind.INDUCTIVE)
# Beside classes, the namespaces of which Lean and Mathlib `export` parts.
_EXPORTING = frozenset(("Bool", "Classical", "Decidable"))


@dataclass(frozen=True)
class Shelf:
    """The names of one index, as hashes of this process. `files` and `types`: of each its file, whether it is a type.

    Of labels, what stands behind the last dot: `labels` are all, `fields` those of fields, `exported` those that may
    be written without what stands before them. `spaces` are the namespaces.
    """

    names: Hashes
    files: npt.NDArray[np.int32]
    types: npt.NDArray[np.int8]
    labels: Hashes
    fields: Hashes
    exported: Hashes
    spaces: Hashes

    @classmethod
    def of(cls, store: Store) -> Shelf:
        """Read from an open store: a second for 300,000 names."""
        query = "SELECT name, file, kind, CASE WHEN kind = 'def' THEN type ELSE '' END FROM premises WHERE NOT private"
        rows = store.database.execute(query).fetchall()
        parts = [row[0].rpartition(".") for row in rows]
        exporting = {row[0] for row in rows if row[2] == Kind.CLASS} | _EXPORTING
        return cls(
            np.fromiter((hash(row[0]) for row in rows), np.int64, len(rows)),
            np.fromiter((row[1] for row in rows), np.int32, len(rows)),
            np.fromiter((_type(row[2], row[3]) for row in rows), np.int8, len(rows)),
            _hashes(last for _, _, last in parts),
            _hashes(last for (_, _, last), row in zip(parts, rows, strict=True) if row[2] == Kind.FIELD),
            _hashes(last for before, _, last in parts if before in exporting),
            _hashes(_with_outer({before for before, _, _ in parts})),
        )


_NO_TYPE, _PERHAPS, _TYPE = 0, 1, 2


def _type(kind: str, type_: str) -> int:
    """Whether a declaration is a type: of a definition, its own type says so, where it is written down."""
    if kind == Kind.DEF:
        return _PERHAPS if not type_ else _TYPE if _SORT.search(type_) else _NO_TYPE
    return _TYPE if kind in _TYPES else _NO_TYPE


def _with_outer(names: set[str]) -> set[str]:
    found = set(names)
    for name in names:
        while name := name.rpartition(".")[0]:
            found.add(name)
    return found


def _hashes(texts: Iterable[str]) -> Hashes:
    return np.unique(np.array([hash(each) for each in texts], np.int64))


def _has(hashes: Hashes, text: str) -> bool:
    wanted = hash(text)
    at = int(np.searchsorted(hashes, wanted))
    return at < len(hashes) and bool(hashes[at] == wanted)


def _seen(names: Names, mask: Mask, full: str) -> list[int]:
    """For each declaration of this full name that is seen: whether it is a type."""
    found = []
    wanted = hash(full)
    at = int(np.searchsorted(names.names, wanted))
    while at < len(names.names) and names.names[at] == wanted:
        if mask[names.files[at]]:
            found.append(int(names.types[at]))
        at += 1
    return found


@dataclass(frozen=True, slots=True)
class Scope:
    """What stands around a place: the full names that its file declares above, the namespace, what is open."""

    own: frozenset[str] = frozenset()
    namespace: str = ""
    opens: tuple[str, ...] = ()


class Names:
    """The names of several indexes, put together once: some ten milliseconds for 400,000."""

    def __init__(self, shelves: Sequence[Shelf]) -> None:
        self._sizes = [int(each.files.max(initial=-1)) + 1 for each in shelves]
        starts = np.cumsum([0, *self._sizes])
        empty = Shelf(*(np.zeros(0, kind) for kind in (np.int64, np.int32, np.int8, *[np.int64] * 4)))
        some = [empty, *shelves]
        names = np.concatenate([each.names for each in some])
        order = np.argsort(names, kind="stable")
        self.names: Hashes = names[order]
        files = [empty.files, *(each.files + start for each, start in zip(shelves, starts[:-1], strict=True))]
        self.files: npt.NDArray[np.int64] = np.concatenate(files)[order]
        self.types: npt.NDArray[np.int8] = np.concatenate([each.types for each in some])[order]
        self.labels: Hashes = np.unique(np.concatenate([each.labels for each in some]))
        self.fields: Hashes = np.unique(np.concatenate([each.fields for each in some]))
        self.exported: Hashes = np.unique(np.concatenate([each.exported for each in some]))
        self.spaces: Hashes = np.unique(np.concatenate([each.spaces for each in some]))

    def mask(self, masks: Sequence[Mask], own: Sequence[int | None] = ()) -> Mask:
        """Which files are seen, of all indexes; `own`, by index, is the file itself: all of it is."""
        found = [np.zeros(0, np.bool_)]
        for number, (size, mask) in enumerate(zip(self._sizes, masks, strict=True)):
            whole = np.zeros(size, np.bool_)
            whole[: len(mask)] = mask[:size]
            if number < len(own) and (file := own[number]) is not None and file < size:
                whole[file] = True
            found.append(whole)
        return np.concatenate(found)


class Existing:
    """What one place sees: of names the files that a mask lets through, and its own file."""

    def __init__(self, parts: Sequence[tuple[Names, Mask]], scope: Scope) -> None:
        self._parts = tuple(parts)
        self._own = scope.own
        self._own_labels = frozenset(each.rpartition(".")[2] for each in scope.own)
        self._namespace = scope.namespace
        self._opens = self._opened(scope.opens)
        self._known: dict[str, bool] = {}

    def unknown(self, names: Iterable[str]) -> frozenset[str]:
        """Those of these names, as they are written at the place, that nothing there can mean.

        One that begins with a dot is a field of something whose type is not known: any such label will do.
        """
        return frozenset(each for each in names if not self._means(each))

    def _means(self, name: str) -> bool:
        if (known := self._known.get(name)) is None:
            known = self._known[name] = self._find(name)
        return known

    def _find(self, name: str) -> bool:
        if name.startswith("."):
            return all(map(self._is_label, name[1:].split(".")))
        parts = name.split(".")
        if parts[0] in _UNSEEN or _SIMPROC.match(parts[-1]):
            return True
        for size in range(len(parts), 0, -1):
            front, fields = ".".join(parts[:size]), parts[size:]
            kinds = self._kinds(front)
            if not fields and (kinds or self._is_projected(front) or self._is_exported(front)):
                return True
            if kinds and GENERATED.fullmatch(fields[0]):
                return True
            # A type has no fields: what stands in its namespace is a name of its own.
            if kinds and not all(kinds) and all(map(self._is_label, fields)):
                return True
            if size == 1 and not kinds and front[:1].islower() and self._has("exported", front):
                return all(map(self._is_label, fields))
        return "subset" in name and self._find(_IN_ORDERS.sub(lambda found: _ORDERS[found[0]], name))

    def _is_exported(self, name: str) -> bool:
        """Whether a name with a namespace may be a field of a class that is exported into it."""
        space, _, label = name.rpartition(".")
        return (
            bool(space) and self._has("spaces", space) and self._has("exported", label) and self._has("fields", label)
        )

    def _is_projected(self, name: str) -> bool:
        """Whether a name is one that `simps` and the like make of what it begins with: `foo_apply_coe` of `foo`."""
        while "_" in name.rpartition(".")[2].lstrip("_"):
            name, _, last = name.rpartition("_")
            if not (last in _PROJECTED or self._has("fields", last)):
                return False
            if any(kind != _TYPE for kind in self._kinds(name)):
                return True
        return False

    @lru_cache(maxsize=1024)  # noqa: B019 - as short-lived as this
    def _kinds(self, name: str) -> tuple[int, ...]:
        """For each declaration that a name may mean: whether it is a type."""
        found = []
        for full in candidates(name, self._namespace, self._opens):
            if full in self._own:
                found.append(_NO_TYPE)
            for names, mask in self._parts:
                found += _seen(names, mask, full)
        return tuple(found)

    def _opened(self, opens: Sequence[str]) -> tuple[str, ...]:
        """What is open, as far as it may be: after `open A B` that is `A.B`, too, where there is such a namespace."""
        plain = [each.removeprefix("scoped ").partition(" ")[0] for each in opens]
        inner = [f"{outer}.{each}" for outer in plain for each in plain]
        return tuple(dict.fromkeys([*plain, *(each for each in inner if self._has("spaces", each))]))

    def _is_label(self, label: str) -> bool:
        if label.isdigit() or label in self._own_labels or GENERATED.fullmatch(label):
            return True
        return self._has("labels", label)

    def _has(self, kind: str, text: str) -> bool:
        return any(_has(getattr(names, kind), text) for names, _ in self._parts)
