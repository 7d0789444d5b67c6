"""From what a search has found to what is shown: made neat, elaborated in place, with its axioms; others beside it."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from tacit.server.lean.crew import Checking
from tacit.server.lean.site import Site
from tacit.server.prover.events import Proved, Taken
from tacit.server.prover.layout import WIDTH, on_lines_of_its_own, wrapped
from tacit.server.prover.neater import with_alternatives, with_fewer_lemmas
from tacit.server.prover.polish import Polish
from tacit.server.prover.proof import Proof, apart
from tacit.server.prover.questions import asks
from tacit.server.prover.script import OPEN, Left, skeleton
from tacit.server.prover.simp_only import simp_only
from tacit.server.prover.tree import Edge, Node
from tacit.server.prover.wanted import Finish
from tacit.server.tactics.lexer import argument
from tacit.server.values import Candidate, CheckedTactic, Suggestion, Verdict

SOURCE = "search"
POLISH = 3.0
"""Seconds for making a proof neat."""
SHORTER = 0.6
"""Of the first proof's length: another one that is shorter takes its place."""
TOO_LONG = 4
"""Times the first proof's length: another one that is longer by more than `SHORT` characters is not wanted."""
SHORT = 80
_BEGIN = re.compile(r"(?P<head>[^\s\[⟨(]+)(?:\s+[\[⟨(]*[^\s,\])⟩]+)?")
_EXACT = re.compile(r"exact (?P<term>(?!\?).+)")


@dataclass(frozen=True, slots=True)
class Written:
    """A proof as it was accepted in place, the steps that it was made of, and seconds from the search's beginning."""

    suggestion: Suggestion
    steps: tuple[Taken, ...]
    elapsed: float = 0.0


@dataclass(slots=True)
class Proofs:
    """The proofs of one search: the first, and as many others beside it as are wanted.

    `until` is when to stop looking for others, as `time.monotonic` counts; `aside` are first tactics
    of proofs that the tree holds and that are done with.
    """

    wanted: int
    found: list[Written] = field(default_factory=list)
    aside: list[Edge] = field(default_factory=list)
    until: float = math.inf

    @property
    def enough(self) -> bool:
        """Whether no other is wanted."""
        return len(self.found) > self.wanted

    @property
    def late(self) -> bool:
        """Whether there is no time for others."""
        return time.monotonic() >= self.until

    def differs(self, tactic: str) -> bool:
        """Whether a proof that begins so is another one than those that were found, not the same in other words."""
        return all(_kind(each.steps[0].tactic) != _kind(tactic) for each in self.found)

    def add(self, written: Written) -> None:
        """One more, unless it came to the same in the end, or is much longer than the first."""
        texts = [each.suggestion.tactic for each in self.found]
        text = written.suggestion.tactic
        same = any(text == each or _kind(text) == _kind(each) for each in texts)
        if not texts or (not same and len(text) <= TOO_LONG * len(texts[0]) + SHORT):
            self.found.append(written)

    def proved(self) -> Proved:
        """All of them. The first is the best, unless another is clearly shorter."""
        first, *others = self.found
        shortest = min(self.found, key=lambda each: len(each.suggestion.tactic))
        if len(shortest.suggestion.tactic) < SHORTER * len(first.suggestion.tactic):
            first, others = shortest, [each for each in self.found if each is not shortest]
        return Proved(first.suggestion, first.steps, first.elapsed, tuple(each.suggestion for each in others))


def _kind(tactic: str) -> str:
    """What proofs have in common that are not really different: how they begin."""
    found = _BEGIN.match(tactic)
    if found is None:
        return tactic
    # What takes a term is told apart by it, all others by their names alone.
    return found[0] if found["head"] in ("exact", "apply", "refine", "rw") else found["head"]


@dataclass(slots=True)
class Finisher:
    """Finishes proofs of one site. `known` are the tactics that this Lean has; `version` is the document's."""

    checker: Checking
    site: Site
    version: int
    known: Collection[str]
    harvest: Callable[[str], tuple[str, ...]]
    wanted: Finish
    label: str

    async def written(self, proof: Proof, steps: Sequence[Taken], until: float) -> Written | None:
        """A proof made neat before `until` (as `time.monotonic` counts), accepted in place; None where it is not."""
        source = steps[0].source if len(steps) == 1 else SOURCE
        began = time.monotonic()
        first = await self._accepted(proof.text, source)
        if first is None:
            return None
        found = first
        polish = Polish(self.checker, self.site, until, self.known, time.monotonic() - began, self.label)
        shortest = await polish.shortest(apart(proof))
        # What was checked on a copy may still fail in place: then the proof stays as it was before.
        neat = await polish.unnamed(shortest)
        for text in dict.fromkeys([with_alternatives(neat).text, neat.text, shortest.text]):
            better = first if text == proof.text else await self._accepted(text, source)
            if better is not None:
                found = (await self._squeezed(text, source, polish) if self.wanted.simp_only else None) or better
                break
        return Written(found, tuple(steps))

    async def _squeezed(self, text: str, source: str, polish: Polish) -> Suggestion | None:
        """The proof with as many `simp only` as Lean accepts, each with the lemmas that it needs."""
        for each in await simp_only(self.checker, self.site, text, self.known, self.harvest, self.label):
            if found := await self._accepted(each, source):
                shorter = await polish.fewer(each, with_fewer_lemmas)
                return (await self._accepted(shorter, source) if shorter != each else None) or found
        return None

    async def _accepted(self, text: str, source: str) -> Suggestion | None:
        """The proof as Lean took it in place, laid out as it may be; None where it took it in no way."""
        if asks(text) or self.checker.gate(self.site, Candidate(text, source)) is not None:
            return None
        for site, shown, tactic in _layouts(self.site, text):
            candidate = Candidate(shown, source, 1.0)
            if self.checker.gate(site, candidate) is not None:
                continue
            judged = await self.checker.verify(site, CheckedTactic(candidate, Verdict.CLOSES), label=self.label)
            closes_here = judged.verdict is Verdict.PROGRESSES and bool(judged.message)
            if judged.verdict is Verdict.CLOSES or closes_here:
                return replace(site.suggestion(judged, self.version), tactic=tactic)
        return None

    def sketch(self, root: Node) -> tuple[Suggestion | None, int]:
        """The furthest honest state as an edit with `sorry`, and how many goals it leaves; None where there is none."""
        if Left().of(root) >= root.state.size:
            return None, 0
        text = skeleton(root)
        goals = sum(line.split()[-1:] == [OPEN] for line in text.split("\n"))
        site, shown, _ = next(_layouts(self.site, text))
        checked = CheckedTactic(Candidate(shown, SOURCE), Verdict.PROGRESSES, message="It leaves goals as `sorry`.")
        return site.suggestion(checked, self.version), goals


def _layouts(site: Site, text: str) -> Iterator[tuple[Site, str, str]]:
    """The ways to put a proof into a hole, the best first: without `by`, on lines of its own, as it stands.

    Each is the site, the text that is put there, and the tactic that it is.
    """
    hole = site.hole
    exact = _EXACT.fullmatch(text)
    if exact is not None and hole.before.endswith("by ") and not hole.typed:
        term = exact["term"].strip()
        shown = argument(term) if hole.after == ")" else term
        yield replace(site, hole=replace(hole, before="", after="", column=hole.column - len(hole.before))), shown, text
    begin = site.text.rfind("\n", 0, hole.span.start) + 1
    first = hole.column if hole.before.startswith("\n") else hole.span.start - begin + len(hole.before)
    lines = text.split("\n")
    here = wrapped(lines, hole.column, first)
    opened = on_lines_of_its_own(site)
    # (Without a break: `:=` at a line's end, or a line that grows too long.)
    apart = len(here) > 1 or first + len(text) > WIDTH or (opened is not None and opened.hole.before.startswith(" by"))
    if opened is not None and apart:
        there = "\n".join(wrapped(lines, opened.hole.column))
        yield opened, there, there
    if here != lines:
        yield site, "\n".join(here), "\n".join(here)
    yield site, text, text


def steps_of(node: Node) -> list[Taken]:
    """The tactics of a state's proof, in the order in which they stand."""
    return steps_by(node.shortest) if node.shortest is not None else []


def steps_by(edge: Edge) -> list[Taken]:
    """The same of the proof that begins with one tactic of the state."""
    taken = Taken(edge.candidate.text, edge.candidate.source, edge.parent.state.goals)
    return [taken, *(step for child in edge.children for step in steps_of(child))]


def last_leaf(edge: Edge) -> Edge:
    """The last tactic of a proof that leaves nothing."""
    below = edge.children[-1].shortest if edge.children else None
    return last_leaf(below) if below is not None else edge
