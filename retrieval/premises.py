"""Ranks premises for a proof state, from what can be used at a place. Opens no index; nothing here knows tactics.

Three opinions are put together. Words: BM25 of the target and of the hypotheses over all statements. Experience: what
proofs of like theorems name, and what many proofs name. Form: for the best of these, what the conclusion shares with
the target. The weights of the sum were fitted on proofs of Mathlib (docs/benchmarks.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tacit.index import postings
from tacit.index.premise import Kind, Origin, Premise
from tacit.index.reader import read_text
from tacit.index.recent import recent
from tacit.index.store import Store
from tacit.index.uses import Names, Uses, named_in
from tacit.retrieval.access import Header, Modules, header_of
from tacit.retrieval.analysis import analyse
from tacit.retrieval.experience import Experience, Floats, Mask, Rows, largest, weight
from tacit.retrieval.form import AGREEMENT, Form, form, forms_agree, variables
from tacit.retrieval.lexical import Columns, Lexical, Weights, in_files, rarities
from tacit.retrieval.question import Question
from tacit.retrieval.ranker import Query
from tacit.retrieval.text import name_words, shape, statement_words

MOST_TERMS = 40
FIRST = 500
"""Premises that each opinion puts forward."""
SECOND = 128
"""Premises whose form is looked at."""
LOCAL = 300
"""Declarations above in the same file, the nearest, that count."""
CONTEXT = 0.6
"""The hypotheses against the target where likeness is one number."""
USABLE = frozenset({Kind.THEOREM, Kind.AXIOM, Kind.CONSTRUCTOR, Kind.FIELD})
_KINDS = np.array([kind in USABLE for kind in postings.KINDS])
PROVED = frozenset({Kind.THEOREM, Kind.AXIOM})
_PROVED = np.array([kind in PROVED for kind in postings.KINDS])

WORDS = Weights(
    fields={"name": 1.0, "type": 2.0, "binders": 0.5, "doc": 0.2, "note": 0.0, "module": 0.3, "value": 0.3},
    lengths=(0.75, 0.75, 0.5),
    k1=1.2,
    shape=0.6,
    name=0.0,
)
"""For `Lexical`: of a premise for a goal, what it states counts most."""


@dataclass(frozen=True, slots=True)
class State:
    """A goal: its target, and names with their types, as Lean prints them or as a statement has them."""

    target: str
    hypotheses: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a goal stands: the text above its declaration, the file's path and module, the name of what is proved.

    The module may be empty where the stores know the path.
    """

    text: str = ""
    module: str = ""
    declaration: str = ""
    path: str = ""


class RankedPremise(NamedTuple):
    """A premise, how likely it helps, and how it may be written; `local` says it stands above in the same file."""

    premise: Premise
    score: float
    written: str
    local: bool = False


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is open of one package; its words are weighed by `WORDS`. `modules`, by file id, where they are known."""

    store: Store
    lexical: Lexical
    uses: Uses | None = None
    modules: Mapping[int, str] | None = None


@dataclass(frozen=True)
class Above:
    """What stands above in a file: its header, its declarations, what the proof of each names, and the scope behind."""

    header: Header
    premises: tuple[Premise, ...]
    named: tuple[tuple[str, ...], ...]
    namespace: str
    opens: tuple[str, ...]
    names: Names

    def written(self, premise: Premise, inside: str = "") -> str:
        """The shortest name that means this premise here; `inside` is the namespace that a declaration's name adds."""
        around = [""]
        scope = ".".join(each for each in (self.namespace, inside) if each)
        while scope:
            around.append(scope)
            scope = scope.rpartition(".")[0]
        opened = [each for each in self.opens if " " not in each]
        within = {*around, *opened, *(f"{outer}.{each}" for outer in around if outer for each in opened)}
        parts = premise.name.split(".")
        for start in range(len(parts) - 1, -1, -1):
            if ".".join(parts[:start]) not in within or (start and premise.protected and start == len(parts) - 1):
                continue
            short = ".".join(parts[start:])
            # Of two names that are open Lean takes the one that fits; one of a nearer namespace hides the others.
            nearer = (f"{outer}.{short}" for outer in around if outer)
            meant = next((full for full in nearer if self.names.exists(full)), premise.name)
            if meant == premise.name:
                return short
        return f"_root_.{premise.name}"


@dataclass(slots=True)
class Candidates:
    """Rows that may be among the best and what each opinion says of them; rows behind the stored ones are `local`."""

    rows: Rows
    features: Floats
    likeness: Floats
    votes: Floats
    local: tuple[Premise, ...]
    above: Above


_FIRST = {
    "target": 4.08, "target share": 0.17, "context": 1.94, "votes": 1.77, "vote share": 0.49, "voted": -0.18,
    "here": 0.92, "used": 3.15, "local": -0.18, "near": 2.65, "module": 1.89, "proved": 4.0,
}  # fmt: skip
_SECOND = {
    "target": 1.56, "target share": 0.04, "context": 1.62, "votes": 1.59, "vote share": 0.63, "voted": -0.27,
    "here": 0.9, "used": 1.99, "local": -0.32, "near": 2.44, "module": 1.07, "proved": 3.0, "covered": 1.39,
    "covers": -0.12, "relation": 0.05, "left head": 0.24, "right head": 0.27, "whole": -0.1, "left side": 0.31,
    "right side": 0.24, "needs": 0.36, "has needs": 0.24, "head": -0.06, "name": 0.02, "generated": -0.96,
    "deprecated": -1.86, "simp": -0.2, "namespace": 0.72, "declared": 0.79, "declares": 0.86,
}  # fmt: skip
"""Fitted on 1,500 theorems of files that are not held out: the likelihood of what their proofs name among the
candidates (docs/benchmarks.md). Only the weight of being proved is set by hand: no other premise was a right answer.
"""
FEATURES = tuple(_FIRST)
"""What the first sum is taken of."""
SECOND_FEATURES = (*AGREEMENT, "name", "generated", "deprecated", "simp", "namespace", "declared", "declares")
"""What the second is taken of, too."""
FIRST_SUM = np.array([_FIRST[each] for each in FEATURES], np.float32)
SECOND_SUM = np.array([_SECOND[each] for each in (*FEATURES, *SECOND_FEATURES)], np.float32)


class PremiseRanker:
    """Ranks the premises of several open stores. For the thread that opened them."""

    def __init__(
        self,
        shelves: Sequence[Shelf],
        drafts: Sequence[Shelf] = (),
        *,
        modules: Modules | None = None,
        names: Names | None = None,
        experience: Experience | None = None,
    ) -> None:
        """`drafts`: texts that no index holds yet, in the place of modules that the rankers of `shelves` hide.

        What takes long to make and does not change with a draft may be given: who imports whom (drafts included), the
        names and the experience of `shelves` alone.
        """
        self._shelves = (*shelves, *drafts)
        stores = [each.store for each in self._shelves]
        self._modules = modules if modules is not None else Modules.of(stores)
        columns = [each.lexical.columns() for each in self._shelves]
        self._starts = [0]
        for each in columns:
            self._starts.append(self._starts[-1] + len(each.ids))
        self._size = self._starts[-1]
        self._ids = np.concatenate([np.zeros(0, np.uint32), *(each.ids for each in columns)])
        self._files = [each.files for each in columns]
        self._module_of = [each.store.modules() if each.modules is None else each.modules for each in self._shelves]
        kinds = np.concatenate([np.zeros(0, np.uint8), *(each.kinds for each in columns)])
        alive = np.concatenate([np.zeros(0, np.bool_), *(each.alive for each in columns)])
        self._usable = alive & _KINDS[kinds]
        self._proved = _PROVED[kinds]
        drafted = _rows_by_name(drafts, columns[len(shelves) :], self._starts[len(shelves)])
        self._drafted = drafted
        indexed = names if names is not None else Names.asked([each.store for each in shelves])
        self._names = indexed.beside(drafted.keys()) if drafted else indexed
        if experience is None:
            experience = Experience([each.ids for each in columns[: len(shelves)]], [each.uses for each in shelves])
        self.experience = experience
        self._used = self._with_drafts(experience.used())
        self._held: tuple[Mask, Floats] | None = None
        self._above = recent(longest=1 << 20)(self._read)
        self._accessible = lru_cache(maxsize=8)(self._find_accessible)

    def rank(self, state: State, place: Place, limit: int = 32, without: Mask | None = None) -> list[RankedPremise]:
        """The premises that may help most, best first; never what is being proved."""
        if not self._shelves:
            return []
        found = self.candidates(state, place, without)
        best = np.argsort(-(found.features @ FIRST_SUM), kind="stable")[:SECOND]
        premises = self.premises(found, best)
        scores = found.features[best] @ SECOND_SUM[: len(FEATURES)]
        scores += second_features(state, place, premises) @ SECOND_SUM[len(FEATURES) :]
        inside = place.declaration.rpartition(".")[0]
        own = {place.declaration, ".".join(each for each in (found.above.namespace, place.declaration) if each)}
        answers: list[RankedPremise] = []
        for at in np.argsort(-scores, kind="stable").tolist():
            premise = premises[at]
            if premise is None or len(answers) == limit or _is_inner(premise.name, found.above.namespace):
                continue
            if any(_is_of(premise.name, each) for each in own if each):
                continue
            local = bool(found.rows[best[at]] >= self._size)
            answers.append(RankedPremise(premise, float(scores[at]), found.above.written(premise, inside), local))
        return answers

    def definitions(self, state: State, place: Place, limit: int = 6) -> list[RankedPremise]:
        """The definitions that a goal speaks of, those of its target first: what can be unfolded."""
        above = self.above(place)
        access = self._modules.access(above.header, place.module or self._module_at(place.path))
        locals_ = {name for name, _ in state.hypotheses}
        found: dict[str, RankedPremise] = {}
        for token in _CONSTANT.findall(" ".join([state.target, *(text for _, text in state.hypotheses)])):
            name = above.names.resolve(token, above.namespace, above.opens) if token not in locals_ else ""
            if not name or name in found or len(found) == limit:
                continue
            for number, shelf in enumerate(self._shelves):
                for each in shelf.store.named(name):
                    if each.premise.kind is not Kind.DEF or not each.premise.value or not access.allows(number, each):
                        continue
                    if not shelf.lexical.hiding or shelf.lexical.satisfying(Query(""), [each.id]):
                        found[name] = RankedPremise(each.premise, 0.0, above.written(each.premise))
        return list(found.values())

    def candidates(self, state: State, place: Place, without: Mask | None = None) -> Candidates:
        """What may be among the best. From the proofs of the rows `without` nothing is learned."""
        above, module = self.above(place), place.module or self._module_at(place.path)
        local = above.premises[-LOCAL:]
        of_local = np.array([each.kind in USABLE for each in local], np.bool_)
        usable = np.concatenate([self._accessible(above.header, module), of_local])
        lexicals = [each.lexical for each in self._shelves]
        asked = questions(state, place.declaration)
        target, context = (self._totals(each, rarities(lexicals, each), local) for each in asked)
        likeness = np.where(usable, target + np.float32(CONTEXT) * context, np.float32(0))
        likeness /= max(float(likeness.max(initial=0)), 1e-6)
        votes = np.zeros(len(usable), np.float32)
        indexed = self.experience.size
        votes[:indexed] = self.experience.votes(likeness[:indexed], without)
        votes_here = np.where(usable, self._votes_here(likeness, above, local), np.float32(0))
        votes = np.where(usable, votes, np.float32(0)) + votes_here
        local_rows = np.arange(self._size, self._size + len(local))
        chosen = np.unique(np.concatenate([largest(likeness, FIRST), largest(votes, FIRST), local_rows[-80:]]))
        rows = chosen[usable[chosen]]
        features = self._features(rows, target, context, votes, votes_here, module, len(local), without)
        return Candidates(rows, features, likeness[rows], votes[rows], local, above)

    def premises(self, found: Candidates, places: Rows) -> list[Premise | None]:
        """The premises of these candidates; None for one that no other file may name, or that is gone."""
        rows = found.rows[places]
        answers: list[Premise | None] = [None] * len(rows)
        for number, shelf in enumerate(self._shelves):
            here = np.flatnonzero((rows >= self._starts[number]) & (rows < self._starts[number + 1]))
            ids = self._ids[rows[here]].tolist()
            stored = {each.id: each.premise for each in shelf.store.get(ids)}
            for at, number_ in zip(here.tolist(), ids, strict=True):
                premise = stored.get(number_)
                if premise is not None and not premise.private:
                    answers[at] = premise
        for at in np.flatnonzero(rows >= self._size).tolist():
            answers[at] = found.local[int(rows[at]) - self._size]
        return answers

    def above(self, place: Place) -> Above:
        """What stands above a place in its file."""
        return self._above(place.text, place.module or self._module_at(place.path))

    def proved(self, names: Sequence[str], place: Place) -> set[str]:
        """Those of these full names that are theorems which can be used at a place."""
        above = self.above(place)
        usable = self._accessible(above.header, place.module or self._module_at(place.path)) & self._proved
        rows = self._rows_of_names(names)
        stored = {name for name, row in zip(names, rows.tolist(), strict=True) if row >= 0 and usable[row]}
        return stored | {each.name for each in above.premises if each.name in names and each.kind in PROVED}

    def rows_of(self, modules: Callable[[str], bool]) -> Mask:
        """The rows of the premises of these modules."""
        found = [np.zeros(0, np.bool_)]
        for files, names in zip(self._files, self._module_of, strict=True):
            wanted = np.array([number for number, module in names.items() if modules(module)], np.uint32)
            found.append(np.isin(files, wanted))
        return np.concatenate(found)

    def _find_accessible(self, header: Header, module: str) -> Mask:
        access = self._modules.access(header, module)
        masks = [in_files(files, access.files(number)) for number, files in enumerate(self._files)]
        usable: Mask = np.concatenate([np.zeros(0, np.bool_), *masks]) & self._usable
        return usable

    def _module_at(self, path: str) -> str:
        query = "SELECT module FROM files WHERE path = ?"
        for each in self._shelves if path else ():
            if row := each.store.database.execute(query, (path,)).fetchone():
                return str(row[0])
        return ""

    def _read(self, text: str, module: str) -> Above:
        premises, namespace, opens = read_above(text, module)
        names = self._names.beside({each.name for each in premises})
        named = tuple(tuple(named_in(each, text, names)) for each in premises)
        return Above(header_of(text), premises, named, namespace, opens, names)

    def _totals(self, question: Question, rarity: Mapping[str, float], local: Sequence[Premise]) -> Floats:
        stored = [each.lexical.totals(question, rarity) for each in self._shelves]
        here = [self._shelves[0].lexical.score_words(_analysed(each), question, rarity) for each in local]
        return np.concatenate([*stored, np.array(here, np.float32)])

    def _votes_here(self, likeness: Floats, above: Above, local: Sequence[Premise]) -> Floats:
        """What the proofs above in the same file name."""
        votes = np.zeros(len(likeness), np.float32)
        here = {each.name: self._size + at for at, each in enumerate(local)}
        for at, names in enumerate(above.named[len(above.named) - len(local) :]):
            if not names:
                continue
            # A proof of the same file speaks of the same things, whatever its statement looks like.
            like = np.array([likeness[self._size + at] * (1 - NEIGHBOUR) + NEIGHBOUR])
            worth = np.float32(weight(like, np.array([len(names)]))[0])
            rows = self._rows_of_names([each for each in names if each not in here])
            np.add.at(votes, rows[rows >= 0], worth)
            for name in names:
                if name in here:
                    votes[here[name]] += worth
        return votes

    def _features(
        self,
        rows: Rows,
        target: Floats,
        context: Floats,
        votes: Floats,
        votes_here: Floats,
        module: str,
        local: int,
        without: Mask | None,
    ) -> Floats:
        most = [max(float(each[rows].max(initial=0)), 1e-6) for each in (target, context, votes)]
        is_local = rows >= self._size
        stored = np.where(is_local, 0, rows)
        used = self._used_without(without)[stored]
        columns = [
            target[rows] / most[0],
            target[rows] / 20,
            context[rows] / most[1],
            votes[rows] / most[2],
            np.log1p(votes[rows]),
            votes[rows] > 0,
            np.log1p(votes_here[rows]),
            np.where(is_local, 0, np.log1p(used) / 5),
            is_local,
            np.where(is_local, (rows - self._size + 1) / max(local, 1), 0),
            self._nearness(rows, module),
            is_local | self._proved[stored],
        ]
        return np.stack([np.asarray(each, np.float32) for each in columns], axis=1)

    def _used_without(self, without: Mask | None) -> Floats:
        if without is None:
            return self._used
        if self._held is None or self._held[0] is not without:
            self._held = without, self._with_drafts(self.experience.used(without))
        return self._held[1]

    def _with_drafts(self, used: Floats) -> Floats:
        """What proofs use, by row: of drafts it is not known yet."""
        return np.concatenate([used, np.zeros(self._size - len(used), np.float32)])

    def _rows_of_names(self, names: Sequence[str]) -> Rows:
        """The rows of these full names, a draft's before what is indexed; -1 for one that is not there."""
        rows = self.experience.rows_of_names(names)
        for at, name in enumerate(names):
            rows[at] = self._drafted.get(name, rows[at])
        return rows

    def _nearness(self, rows: Rows, module: str) -> Floats:
        """How much of its module's name a row shares with this one, from 0 to 1."""
        own = module.split(".")
        found = np.ones(len(rows), np.float32)
        for number, files in enumerate(self._files):
            here = np.flatnonzero((rows >= self._starts[number]) & (rows < self._starts[number + 1]))
            of = files[rows[here] - self._starts[number]]
            known: dict[int, float] = {}
            for file in np.unique(of).tolist():
                parts = self._module_of[number].get(file, "").split(".")
                same = 0
                while same < min(len(parts), len(own)) and parts[same] == own[same]:
                    same += 1
                known[file] = same / max(len(own), 1)
            found[here] = [known[file] for file in of.tolist()]
        return found


def _rows_by_name(drafts: Sequence[Shelf], columns: Sequence[Columns], start: int) -> dict[str, int]:
    """Where the premises of drafts stand among all rows; those of indexes end at `start`."""
    found: dict[str, int] = {}
    for each, of in zip(drafts, columns, strict=True):
        names = dict(each.store.database.execute("SELECT id, name FROM premises"))
        found |= {names[number]: start + at for at, number in enumerate(of.ids.tolist()) if number in names}
        start += len(of.ids)
    return found


NEIGHBOUR = 0.6
"""How like a goal a theorem above in the same file is at least."""
NAMED = 0.4
"""A word of the declaration's name, against one of the target."""


def questions(state: State, declaration: str) -> tuple[Question, Question]:
    """The terms of the target and of the declaration's name, and those that only the hypotheses have."""
    names = {name for name, _ in state.hypotheses}
    target = dict.fromkeys(terms(_bare(state.target, names))[:MOST_TERMS], 1.0)
    for word in name_words(declaration):
        target[word] = target.get(word, 0.0) + NAMED
    context = dict.fromkeys(term for _, text in state.hypotheses[-24:] for term in terms(_bare(text, names)))
    others = [(each, 1.0) for each in context if each not in target][:MOST_TERMS]
    return Question(Query(""), tuple(target.items()), ()), Question(Query(""), tuple(others), ())


_WORD = re.compile(r"[^\W\d][\w'!?✝]*")
_CONSTANT = re.compile(r"(?<![\w.])[^\W\d][\w'!?]+(?:\.[^\W\d][\w'!?]*)*")


def _bare(text: str, names: set[str]) -> str:
    """A type without the names of variables, which say nothing."""
    return _WORD.sub(lambda match: "x" if match[0] in names else match[0], text)


def terms(text: str) -> list[str]:
    """The words of a type and its neighbours in order, each once; of names only those that a statement may share."""
    pairs = [f"~{one} {other}" for one, other in pairwise(shape(text)[:24])]
    return [each for each in dict.fromkeys([*statement_words(text), *pairs]) if each[0] != "="]


@lru_cache(maxsize=4096)
def _analysed(premise: Premise) -> postings.Words:
    return analyse(premise, "")


@lru_cache(maxsize=1 << 11)
def _form(type_: str, binders: str) -> tuple[Form, frozenset[str]]:
    names = variables(binders)
    return form(type_, names), names


def second_features(state: State, place: Place, premises: Sequence[Premise | None]) -> Floats:
    """What the form of each premise says, one row for each; zeros for what is not there."""
    names = frozenset(name for name, _ in state.hypotheses)
    goal = form(state.target, names)
    context = frozenset(each for _, text in state.hypotheses for each in form(text, names).constants)
    asked = {*statement_words(state.target), *(word for _, text in state.hypotheses for word in statement_words(text))}
    namespace = place.declaration.rpartition(".")[0]
    declared = frozenset(name_words(place.declaration.rpartition(".")[2]))
    rows = np.zeros((len(premises), len(SECOND_FEATURES)), np.float32)
    for at, each in enumerate(premises):
        if each is not None:
            rows[at] = _agreement(each, goal, context, asked, namespace, declared)
    return rows


def _agreement(
    each: Premise, goal: Form, context: frozenset[str], asked: set[str], namespace: str, declared: frozenset[str]
) -> tuple[float, ...]:
    binders = f"{each.context} {each.binders}"
    found, _ = _form(each.type, binders)
    words = name_words(each.name.rpartition(".")[2])
    own = each.name.rpartition(".")[0]
    return (
        *forms_agree(found, goal, context),
        len([word for word in words if word in asked]) / len(words) if words else 0.0,
        float(each.origin not in (Origin.SOURCE, Origin.TO_ADDITIVE, Origin.ALIAS)),
        float(any(one.startswith("deprecated") for one in each.attributes)),
        float(any(one.startswith("simp") for one in each.attributes)),
        float(bool(own) and (own == namespace or namespace.startswith(f"{own}."))),
        len([word for word in words if word in declared]) / len(words) if words else 0.0,
        len(declared.intersection(words)) / len(declared) if declared else 0.0,
    )


def _is_of(name: str, declaration: str) -> bool:
    """Whether a name is that of a declaration, or of what it brings with it."""
    return name == declaration or name.startswith(f"{declaration}.")


def _is_inner(name: str, namespace: str) -> bool:
    """Whether a name is of Lean's own machinery, which proofs elsewhere have no use for."""
    return name.startswith(("Lean.", "Lake.")) and not namespace.startswith(("Lean", "Lake"))


@recent(longest=1 << 20)
def read_above(text: str, module: str) -> tuple[tuple[Premise, ...], str, tuple[str, ...]]:
    """The declarations of a text that ends between two of them, and the namespace and the `open`s behind it."""
    # What would be declared next stands in the namespaces, and under the `open`s, of the goal.
    found = read_text(f"{text}\n{_NEXT}", module).premises
    # What attributes make of declarations comes behind all that are written.
    place = next((at for at, each in enumerate(found) if each.name.rpartition(".")[2] == _PROBE), None)
    if place is None:
        return tuple(found), "", ()
    return (*found[:place], *found[place + 1 :]), found[place].namespace, found[place].opens


_PROBE = "tacitNext"
_NEXT = f"theorem {_PROBE} : True := trivial\n"
