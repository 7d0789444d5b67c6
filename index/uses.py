"""Reads from their texts which declarations proofs name: for every premise of a store, and for one text.

Names are settled as far as text allows: by namespaces and `open`s, and `h.foo` by the type that the statement gives
`h`. What only elaboration tells (`(f x).foo`, lemmas that `simp` finds by itself) is left out.

    update(store, file, names, progress)     bring the file beside an index up to date; only new proofs are read
    load(file)                                Uses, or None where there is no usable file
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tacit.index.files import content_of
from tacit.index.lexer import without_comments
from tacit.index.premise import Kind, Origin, Premise
from tacit.index.reader import LARGEST
from tacit.index.scope import candidates
from tacit.index.store import Store

VERSION = 1
LONGEST = 40_000
"""Characters of one proof that are read."""
_NAME = re.compile(r"(?<![\w.'«»])[^\W\d][\w'!?]*(?:\.[^\W\d][\w'!?]*)*")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"')
_GROUP = re.compile(r"[({⦃]([^(){}⦃⦄\[\]:]+):\s*([^\W\d][\w'.]*)")
_OWNERS = frozenset({Kind.THEOREM, Kind.DEF, Kind.INSTANCE})
# Words of tactics and terms that some namespace has a declaration for (`Set.ext`, `Function.Injective.decide`).
_WORDS = frozenset(
    "by fun have show from at with in do let match if then else simp rw exact apply refine intro intros rintro cases"
    " rcases obtain constructor ext funext congr induction unfold dsimp simpa using convert left right use exists case"
    " omega linarith nlinarith positivity norm_num ring ring_nf field_simp aesop grind gcongr split next calc suffices"
    " assumption contradiction exfalso subst symm trans classical infer_instance inferInstance this set try all_goals"
    " any_goals repeat first only erw rwa simp_rw simp_all conv lhs rhs tauto trivial decide done specialize choose"
    " lift push_cast norm_cast exact_mod_cast by_cases by_contra contrapose push_neg filter_upwards wlog abel group"
    " module continuity measurability fun_prop bound order infer map id nomatch nofun open scoped change generalize"
    " letI haveI where return delta replace fconstructor injection iterate rename_i clear revert swap pick_goal"
    .split()
)  # fmt: skip

Ids = npt.NDArray[np.uint32]
Keys = npt.NDArray[np.uint64]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Uses:
    """What the proofs of one store name.

    `ids` are the store's premises, by id, and `keys` their names. The i-th of `owners` (ids, ascending) names
    `named[starts[i]:starts[i + 1]]`.
    """

    ids: Ids
    keys: Keys
    owners: Ids
    starts: npt.NDArray[np.int64]
    named: Keys


class Names:
    """Settles what a name means at a place, among the full names that there are."""

    def __init__(self, exists: Callable[[str], bool], labels: Set[str] | None = None) -> None:
        self._exists = exists
        self._labels = labels
        self._scope: tuple[str, tuple[str, ...]] = "", ()
        self._known: dict[str, str] = {}

    @classmethod
    def of(cls, stores: Sequence[Store]) -> Names:
        """All names of these stores, read at once: for many proofs."""
        names = {row[0] for each in stores for row in each.database.execute("SELECT name FROM premises")}
        return cls(names.__contains__, {name.rpartition(".")[2] for name in names})

    @classmethod
    def asked(cls, stores: Sequence[Store]) -> Names:
        """The names of these stores, each looked up when it is asked for: for a few proofs."""

        def exists(name: str) -> bool:
            query = "SELECT 1 FROM premises WHERE name = ? LIMIT 1"
            return any(each.database.execute(query, (name,)).fetchone() for each in stores)

        return cls(lru_cache(maxsize=1 << 16)(exists))

    def beside(self, names: Set[str]) -> Names:
        """These and some more."""
        return Names(lambda name: name in names or self._exists(name))

    def exists(self, name: str) -> bool:
        """Whether a full name is that of a premise."""
        return self._exists(name)

    def resolve(self, token: str, namespace: str, opens: tuple[str, ...]) -> str:
        """The full name of the longest beginning of a token that is one (`foo_iff` of `foo_iff.mpr`), or nothing."""
        if (namespace, opens) != self._scope:
            self._scope, self._known = (namespace, opens), {}
        if (found := self._known.get(token)) is None:
            found = self._known[token] = self._resolve(token, namespace, opens)
        return found

    def _resolve(self, token: str, namespace: str, opens: tuple[str, ...]) -> str:
        part = token
        while part:
            rest, _, label = part.rpartition(".")
            if self._labels is None or label in self._labels:
                for full in candidates(part, namespace, opens):
                    if self._exists(full):
                        return full
            part = rest
        return ""

    def member(self, owner: str, rest: str) -> str:
        """The longest `owner.rest` that is a name, or nothing."""
        while rest:
            if self._exists(f"{owner}.{rest}"):
                return f"{owner}.{rest}"
            rest = rest.rpartition(".")[0]
        return ""


def key(name: str) -> int:
    """64 bits that stand for a full name."""
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def uses_file(index: Path) -> Path:
    """Where what proofs name is kept, beside an index."""
    return index.with_suffix(".uses")


def load(file: Path) -> Uses | None:
    """What was written; None where there is nothing that can be used."""
    try:
        with np.load(file, allow_pickle=False) as found:
            if int(found["version"]) != VERSION:
                return None
            return Uses(found["ids"], found["keys"], found["owners"], found["starts"], found["named"])
    except (OSError, ValueError, KeyError, EOFError):
        return None
    except Exception as error:  # zipfile.BadZipFile; not imported for its name alone
        if type(error).__name__ == "BadZipFile":
            return None
        raise


def update(store: Store, file: Path, names: Names, progress: Progress) -> int:
    """Write what the proofs of a store name; how many declarations were read. Raises OSError.

    Premises of a file that has changed have ids that no premise had before.
    """
    old = load(file)
    ids = np.fromiter((row[0] for row in store.database.execute("SELECT id FROM premises ORDER BY id")), np.uint32)
    last = int(old.ids[-1]) if old is not None and len(old.ids) else 0
    if old is not None and len(ids) == len(old.ids) and np.array_equal(ids, old.ids):
        return 0
    owners: list[int] = []
    counts: list[int] = []
    named: list[int] = []
    fresh = int(np.count_nonzero(ids > last))
    additive, generated = _generated(store)
    copied = set(generated.values())
    known: dict[str, list[str]] = {}
    done = 0
    for rows, text in _texts(store, last):
        progress("reading proofs", done, fresh)
        done += len(rows)
        for row in rows:
            found = _of_row(row, text, names)
            if row[1] in copied:
                known[row[1]] = found
            if found:
                owners.append(row[0])
                counts.append(len(found))
                named += map(key, found)
    for number, of in generated.items():
        found = [additive.get(each, each) for each in known.get(of, ())] if number > last else []
        if found:
            owners.append(number)
            counts.append(len(found))
            named += map(key, found)
    starts = np.concatenate([[0], np.cumsum(np.array(counts, np.int64))]).astype(np.int64)
    new = _ordered(Uses(ids, _keys(store, ids, old), np.array(owners, np.uint32), starts, np.array(named, np.uint64)))
    _write(file, new if old is None else _with_old(new, old, ids))
    progress("reading proofs", fresh, fresh)
    return fresh


def named_in(premise: Premise, text: str, names: Names) -> list[str]:
    """The full names of the declarations that the proof of a premise, which was read from `text`, mentions."""
    if premise.kind not in _OWNERS or premise.origin is not Origin.SOURCE or premise.stop <= premise.body:
        return []
    binders = f"{premise.context} {premise.binders}"
    proof = text[premise.body : min(premise.stop, premise.body + LONGEST)]
    return _named(proof, premise.name, premise.namespace, premise.opens, binders, names)


# ---------------------------------------------------------------- reading


_Row = tuple[int, str, str, str, str, str, str, str, int, int]


def _texts(store: Store, after: int) -> Iterator[tuple[list[_Row], str]]:
    """By file: the declarations with ids behind `after` that have a proof, and the text."""
    query = "SELECT DISTINCT file FROM premises WHERE id > ? ORDER BY id"
    for (number,) in store.database.execute(query, (after,)).fetchall():
        path = store.database.execute("SELECT path FROM files WHERE id = ?", (number,)).fetchone()
        rows = store.database.execute(
            "SELECT id, name, kind, namespace, opens, context, binders, origin, body, stop FROM premises"
            " WHERE file = ? AND id > ?",
            (number, after),
        ).fetchall()
        try:
            text = content_of(path[0], LARGEST).decode("utf-8-sig", errors="replace") if path else ""
        except OSError:
            text = ""
        yield rows, text.replace("\r\n", "\n")


def _of_row(row: _Row, text: str, names: Names) -> list[str]:
    _, name, kind, namespace, opens, context, binders, origin, body, stop = row
    if kind not in _OWNERS or origin != Origin.SOURCE or stop <= body:
        return []
    scope = tuple(opens.split("\x1e")) if opens else ()
    return _named(text[body : min(stop, body + LONGEST)], name, namespace, scope, f"{context} {binders}", names)


def _named(proof: str, own: str, namespace: str, opens: tuple[str, ...], binders: str, names: Names) -> list[str]:
    if "--" in proof or "/-" in proof:
        proof = without_comments(proof)
    if '"' in proof:
        proof = _STRING.sub(" ", proof)
    # A declaration `theorem A.b` is inside the namespace A as far as names go.
    inside = own.rpartition(".")[0] if own.startswith(namespace) else namespace
    types = {each: head for names_, head in _GROUP.findall(binders) for each in names_.split()}
    found: dict[str, None] = {}
    for token in dict.fromkeys(_NAME.findall(proof)):
        first, dot, rest = token.partition(".")
        if first in types:
            of = names.resolve(types[first], inside, opens) if dot else ""
            name = names.member(of, rest) if of else ""
        elif token in _WORDS or (not dot and len(token) < 3):
            continue
        else:
            name = names.resolve(token, inside, opens)
        if name and name != own:
            found[name] = None
    return list(found)


def _generated(store: Store) -> tuple[dict[str, str], dict[int, str]]:
    """Additive names by the multiplicative ones, and what the generated declarations were made from, by id."""
    query = "SELECT id, name, made_from FROM premises WHERE origin = ? AND made_from != ''"
    rows = store.database.execute(query, (str(Origin.TO_ADDITIVE),)).fetchall()
    return {of: name for _, name, of in rows}, {number: of for number, _, of in rows}


# ---------------------------------------------------------------- writing


def _keys(store: Store, ids: Ids, old: Uses | None) -> Keys:
    if old is not None and len(old.ids):
        places = np.searchsorted(old.ids, ids)
        same = places < len(old.ids)
        same[same] = old.ids[places[same]] == ids[same]
        keys = np.zeros(len(ids), np.uint64)
        keys[same] = old.keys[places[same]]
    else:
        same = np.zeros(len(ids), np.bool_)
        keys = np.zeros(len(ids), np.uint64)
    missing = np.flatnonzero(~same)
    if len(missing) > 10_000:
        rows: Iterable[tuple[int, str]] = store.database.execute("SELECT id, name FROM premises ORDER BY id")
        names = dict(rows)
    else:
        names = {}
        for number in ids[missing].tolist():
            names[number] = store.database.execute("SELECT name FROM premises WHERE id = ?", (number,)).fetchone()[0]
    for place in missing.tolist():
        keys[place] = key(names[int(ids[place])])
    return keys


def _ordered(uses: Uses) -> Uses:
    order = np.argsort(uses.owners, kind="stable")
    return _take(uses, order)


def _take(uses: Uses, places: npt.NDArray[np.int64]) -> Uses:
    lengths = np.diff(uses.starts)[places]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    named = uses.named[spans(uses.starts[places], lengths)]
    return Uses(uses.ids, uses.keys, uses.owners[places], starts, named)


def spans(starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The numbers of all these ranges, one after the other."""
    total = int(lengths.sum())
    if not total:
        return np.empty(0, np.int64)
    ends = np.cumsum(lengths)
    found: npt.NDArray[np.int64] = np.arange(total, dtype=np.int64) + np.repeat(starts - (ends - lengths), lengths)
    return found


def _with_old(new: Uses, old: Uses, ids: Ids) -> Uses:
    kept = _take(old, np.flatnonzero(np.isin(old.owners, ids)))
    both = Uses(
        new.ids,
        new.keys,
        np.concatenate([kept.owners, new.owners]),
        np.concatenate([kept.starts, new.starts[1:] + kept.starts[-1]]),
        np.concatenate([kept.named, new.named]),
    )
    return _ordered(both)


def _write(file: Path, uses: Uses) -> None:
    growing = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        with growing.open("wb") as out:
            np.savez(
                out,
                version=np.int64(VERSION),
                ids=uses.ids,
                keys=uses.keys,
                owners=uses.owners,
                starts=uses.starts,
                named=uses.named,
            )
        growing.replace(file)
    except BaseException:
        growing.unlink(missing_ok=True)
        raise
