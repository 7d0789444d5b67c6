"""The proofs that are remembered, and what of them fits a goal. In memory, in one thread; reads no file.

    memory = Memory()
    memory.put("/ws/A.lean", read_proofs(text, "A"))      a file as it stands; None where it is gone
    memory.accept("/ws/A.lean", "A", known)               what the user took
    memory.recall(place, 64)                              what was done at the likest goals

k nearest neighbours as in Tactician (Blaauwbroek, Urban, Geuvers: Tactic Learning and Proving for the Coq Proof
Assistant, 2020), which learns from the proofs of the user's own project; goals are compared by what their texts share.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from tacit.index.premise import Kind, Premise
from tacit.index.uses import Names
from tacit.retrieval.access import Header, header_of
from tacit.retrieval.analogy import Words, differences, translated
from tacit.retrieval.likeness import features
from tacit.retrieval.neighbours import Neighbours
from tacit.retrieval.premises import Above, read_above
from tacit.server.lean.goals import parse_goal
from tacit.server.memory_proofs import ACCEPTED, WHOLE, Known, Proofs, Step, head_before
from tacit.server.tactics.precedence import printed
from tacit.server.tactics.probes import PROBES
from tacit.server.tactics.source import Remembered
from tacit.server.values import Goal

GOALS = 48
"""How many of the likest goals are looked at: more change little, and each costs."""
POWER = 2.0
"""How fast a goal's weight falls with its likeness."""
KINDS = {"first": 1.0, "have": 0.9, "term": 0.6, "later": 0.3, "traced": 1.0, WHOLE: 0.5, ACCEPTED: 1.3}
"""What a step counts at the beginning of a proof, by how well its goal is known."""
LATER = {"first": 0.8, "later": 0.6, WHOLE: 0.05}
"""What counts otherwise behind other steps."""
SAME_BEFORE = 2.0
"""How much more a step counts behind the same tactic."""
OWN_FILE, OWN_FILE_NEAR, OWN_FOLDER, OWN_NAMESPACE = 0.6, 1.5, 0.15, 0.25
"""What is added to 1 for a goal of the same file, near in it, of the same folder, of the same namespace."""
NEAR = 8.0
"""Declarations after which nearness in a file has fallen to a third."""
ANALOGY = 0.8
"""What a tactic counts whose lemmas were exchanged for those that stand to this theorem as they did to that one."""
UNUSABLE = "\ufffd"
MOST_ACCEPTED = 2_000
_WORD = re.compile(r"(?<![\w.'«»✝])(?:_root_\.)?[^\W\d][\w'!?]*(?:\.[^\W\d][\w'!?]*)*")
_WORDS = frozenset(PROBES) | frozenset(
    "with at using from fun by do in if then else let this only generalizing".split()
)


@dataclass(frozen=True, slots=True)
class Place:
    """A goal and where it stands: `above` is the text above its declaration, `proof` what stands between the beginning
    of its proof and the place. `part` is its file; `below`: whether proofs count that stand below it there, or in a
    file that imports this one."""

    goal: Goal
    part: str = ""
    module: str = ""
    declaration: str = ""
    above: str = ""
    proof: str = ""
    below: bool = True


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a place sees: the modules imported, the declarations above with their numbers, how names are written."""

    modules: frozenset[str]
    above: Mapping[str, int]
    written: Above


@dataclass(frozen=True, slots=True)
class _Seen:
    """A remembered goal, read: its names, and what is other in the theorem at hand."""

    known: Known
    goal: Goal
    local: frozenset[str]
    changes: Mapping[Words, Words]


class Memory:
    """Not safe for threads."""

    def __init__(self) -> None:
        self._parts: dict[str, Proofs] = {}
        self._neighbours = Neighbours()
        self._declared: dict[str, str] = {}
        """The module that declares a full name."""
        self._labels: dict[str, int] = {}
        self._modules: dict[str, str] = {}
        """The part that is a module."""
        self._accepted: deque[tuple[str, Known]] = deque(maxlen=MOST_ACCEPTED)
        self._fresh: set[Known] = set()
        """What was accepted since the start."""
        self._imported: dict[tuple[str, ...], frozenset[str]] = {}
        self._names = self._new_names()

    def __len__(self) -> int:
        return sum(each.steps for each in self._parts.values()) + len(self._accepted)

    def __contains__(self, part: str) -> bool:
        return part in self._parts

    def module(self, part: str) -> str:
        """The module that a file is; empty for one that is not remembered."""
        return self._parts[part].module if part in self._parts else ""

    def put(self, part: str, proofs: Proofs | None, keys: Sequence[Mapping[int, float]] | None = None) -> None:
        """A file says this now, or is gone. `keys` are the features of its goals where they are known."""
        old = self._parts.get(part)
        if old is None or proofs is None or (old.module, old.imports) != (proofs.module, proofs.imports):
            self._imported.clear()
        self._forget(part)
        if proofs is None:
            self._neighbours.put(part, ())
            return
        self._parts[part] = proofs
        self._modules[proofs.module] = part
        for name in proofs.names:
            self._declared[name] = proofs.module
            label = name.rpartition(".")[2]
            self._labels[label] = self._labels.get(label, 0) + 1
        self._neighbours.put(part, keys if keys is not None else keys_of(proofs))

    def accept(self, part: str, known: Known) -> bool:
        """Something was taken; of very many the oldest are forgotten. False for what was taken there before."""
        if (part, known) in self._accepted:
            return False
        self._fresh.add(known)
        self.accept_all([(part, known)])
        return True

    def accept_all(self, some: Iterable[tuple[str, Known]]) -> None:
        """Much was taken before, the oldest first."""
        self._accepted.extend(some)
        self._neighbours.put(None, [_features(each) for _, each in self._accepted])

    def recall(self, place: Place, limit: int) -> list[Remembered]:
        """What was done at the likest goals, the weightiest first; each text once for each goal."""
        place = replace(place, goal=as_printed(place.goal))
        goal = place.goal
        scope = self._scope(place)
        wanted = features(goal.target, _hypotheses(goal), place.declaration)
        before = head_before(place.proof)
        found: list[tuple[float, Known, Step]] = []
        for near in self._neighbours.near(wanted, GOALS):
            part, known = self._known(near.part, near.at)
            weight = near.likeness**POWER * self._nearness(place, scope, part, known)
            # What was just done in one case of a proof may do in the next.
            if part == place.part and known not in self._fresh and not self._counts(place, scope, known):
                continue
            if not place.below and part != place.part and self._is_later(part, place.module):
                continue
            for number, step in enumerate(known.steps):
                found.append((weight * self._weight(step, number, before), known, step))
        found.sort(key=lambda each: -each[0])
        remembered: list[Remembered] = []
        seen: dict[int, _Seen] = {}
        for weight, known, step in found:
            one = seen.get(id(known)) or seen.setdefault(id(known), self._see(known, place))
            for text, share in self._written(one, step, place, scope):
                remembered.append(Remembered(one.goal, text, weight * share, step.bound))
            if len(remembered) >= limit:
                break
        return remembered[:limit]

    def _new_names(self) -> Names:
        return Names(self._declared.__contains__, self._labels.keys())

    def _forget(self, part: str) -> None:
        old = self._parts.pop(part, None)
        self._names = self._new_names()  # it remembers what it has settled
        if old is None:
            return
        self._modules.pop(old.module, None)
        for name in old.names:
            if self._declared.get(name) == old.module:
                del self._declared[name]
            label = name.rpartition(".")[2]
            self._labels[label] = count = self._labels.get(label, 1) - 1
            if not count:
                del self._labels[label]

    def _known(self, part: object, at: int) -> tuple[str, Known]:
        if part is None:
            return self._accepted[at]
        assert isinstance(part, str)
        return part, self._parts[part].goals[at]

    def _counts(self, place: Place, scope: _Scope, known: Known) -> bool:
        """Whether a goal of the place's own file may be looked at: none of the declaration itself."""
        if known.name in scope.above:
            return True
        return place.below and not _same(known.name, place.declaration)

    def _is_later(self, part: str, module: str) -> bool:
        """Whether a file imports a module, by others too."""
        proofs = self._parts.get(part)
        return proofs is not None and module in self._reached(proofs.imports)

    def _nearness(self, place: Place, scope: _Scope, part: str, known: Known) -> float:
        weight = 1.0
        if part == place.part:
            number = scope.above.get(known.name)
            distance = len(scope.above) - number if number is not None else NEAR
            weight += OWN_FILE + OWN_FILE_NEAR * 2.718 ** (-distance / NEAR)
        elif part.rpartition("/")[0] == place.part.rpartition("/")[0]:
            weight += OWN_FOLDER
        own = scope.written.namespace
        if own and (known.namespace == own or known.namespace.startswith(f"{own}.")):
            weight += OWN_NAMESPACE
        return weight

    def _weight(self, step: Step, number: int, before: str) -> float:
        """What a step counts, the `number`-th that is known of its proof."""
        if not before:
            return KINDS[step.kind] * 0.9 ** min(number, 10)
        weight = LATER.get(step.kind, KINDS[step.kind])
        return weight * SAME_BEFORE if step.before == before else weight

    # ------------------------------------------------------------ names

    def _scope(self, place: Place) -> _Scope:
        premises, namespace, opens = read_above(place.above, place.module)
        above = {each.name: number for number, each in enumerate(premises)}
        imports = tuple(each.module for each in header_of(place.above).imports)
        names = Names(lambda name: name in self._declared or name in above)
        inner = ".".join(each for each in (namespace, place.declaration.rpartition(".")[0]) if each)
        return _Scope(self._reached(imports), above, Above(Header(()), (), (), inner, opens, names))

    def _reached(self, imports: tuple[str, ...]) -> frozenset[str]:
        """The modules that these imports bring, as far as they are known."""
        found = self._imported.get(imports)
        if found is None:
            seen = set(imports)
            waiting = list(imports)
            while waiting:
                part = self._modules.get(waiting.pop())
                for each in self._parts[part].imports if part is not None else ():
                    if each not in seen:
                        seen.add(each)
                        waiting.append(each)
            if len(self._imported) > 64:
                self._imported.clear()
            found = self._imported[imports] = frozenset(seen)
        return found

    def _written(self, seen: _Seen, step: Step, place: Place, scope: _Scope) -> Iterator[tuple[str, float]]:
        """The tactic with its constants as they can be written at the place, and what share of the weight it has.

        Then with those constants that stand to this theorem as its own do to that one. Nothing where a constant cannot
        be used at the place.
        """
        known, local, changes = seen.known, seen.local, seen.changes
        full = self._meant(known, step, local)
        same = _WORD.sub(lambda found: self._here(found, full, place, scope), step.tactic) if full else step.tactic
        if UNUSABLE not in same:
            yield same, 1.0
        if not changes:
            return
        changed = False

        def write(found: re.Match[str]) -> str:
            nonlocal changed
            token = found[0]
            first = token.partition(".")[0]
            kept = first in local or first in step.bound or token in _WORDS
            other = token if kept else translated(token, changes)
            if other != token:
                meant = scope.written.names.resolve(other, scope.written.namespace, scope.written.opens)
                if not meant:
                    meant = scope.written.names.resolve(other, known.namespace, known.opens)
                if meant and meant.endswith(other) and self._usable(meant, place, scope):
                    changed = True
                    return _short(meant, scope.written)
            return self._here(found, full, place, scope)

        text = _WORD.sub(write, step.tactic)
        if changed and UNUSABLE not in text:
            yield text, ANALOGY

    def _see(self, known: Known, place: Place) -> _Seen:
        goal = _goal(known.goal)
        local = _names(goal)
        target, now = goal.target, place.goal
        changes = differences(known.name, place.declaration, target, now.target, local, _names(now))
        return _Seen(known, goal, local, changes)

    def _meant(self, known: Known, step: Step, local: frozenset[str]) -> dict[str, str]:
        """The declarations of which it is known that a tactic's words mean them."""
        names = self._names
        found = {}
        for token in _WORD.findall(step.tactic):
            first = token.partition(".")[0]
            if first not in local and first not in step.bound and token not in _WORDS:
                full = names.resolve(token.removeprefix("_root_."), known.namespace, known.opens)
                if full:
                    found[token] = full
        return found

    def _here(self, found: re.Match[str], meant: Mapping[str, str], place: Place, scope: _Scope) -> str:
        """How a word of a tactic is written at the place; UNUSABLE for one that means nothing there."""
        token = found[0]
        full = meant.get(token)
        if full is None:
            return token
        if not self._usable(full, place, scope):
            return UNUSABLE
        return _short(full, scope.written) + token[len(_beginning(token, full)) :]

    def _usable(self, full: str, place: Place, scope: _Scope) -> bool:
        """Whether a declaration can be used at the place: above it, or in what is imported, and not itself."""
        if full in scope.above:
            return True
        module = self._declared.get(full, "")
        return module != place.module and module in scope.modules and not _same(full, place.declaration)


def keys_of(proofs: Proofs) -> list[Mapping[int, float]]:
    """The features of the goals of a text."""
    return [_features(each) for each in proofs.goals]


def _features(known: Known) -> Mapping[int, float]:
    return _features_of(known.goal, known.name)


@lru_cache(maxsize=2_048)  # a text that is being written is read again and again
def _features_of(text: str, name: str) -> Mapping[int, float]:
    goal = _goal(text)
    return features(goal.target, _hypotheses(goal), name)


def _names(goal: Goal) -> frozenset[str]:
    return frozenset(name for each in goal.hypotheses for name in each.names)


@lru_cache(maxsize=2_048)
def _goal(text: str) -> Goal:
    """A goal as Lean would print it: without parentheses that say nothing."""
    return as_printed(parse_goal(text))


def as_printed(goal: Goal) -> Goal:
    """The same goal without parentheses that say nothing."""
    hypotheses = tuple(replace(each, type=printed(each.type)) for each in goal.hypotheses)
    return replace(goal, target=printed(goal.target), hypotheses=hypotheses)


def _hypotheses(goal: Goal) -> list[tuple[str, str]]:
    return [(name, each.type) for each in goal.hypotheses for name in each.names]


def _same(name: str, declaration: str) -> bool:
    """Whether a full name may be that of a declaration, as it is written in its namespaces."""
    return bool(declaration) and (name == declaration or name.endswith(f".{declaration}"))


def _beginning(token: str, full: str) -> str:
    """How much of a token names a declaration: `foo_iff` of `foo_iff.mpr`."""
    part = token
    while part and not (full == part.removeprefix("_root_.") or full.endswith(f".{part.removeprefix('_root_.')}")):
        part = part.rpartition(".")[0]
    return part or token


def _short(full: str, above: Above) -> str:
    """The shortest name that means a declaration here."""
    return above.written(Premise(full, Kind.THEOREM, "", 0))
