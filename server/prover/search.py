"""Best-first search for a proof: the cheapest states are worked on together, their candidates in one elaboration.

A state's candidates are tried in portions, the likeliest first; the more of a state's have been tried, the more its
next portion costs, so that the search neither drowns in one state nor leaves one for good. Which sources are believed
is learned as it goes. Anytime: whatever ends it, the furthest honest state is told.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field, replace

from tacit.server.lean.checker import Trial
from tacit.server.lean.crew import Checking
from tacit.server.lean.site import Site
from tacit.server.prover.events import Expanded, Searched, SearchEvent, Searching
from tacit.server.prover.experience import Experience
from tacit.server.prover.finish import POLISH, Finisher, Proofs, last_leaf, steps_by
from tacit.server.prover.proof import proof_by
from tacit.server.prover.questions import asks, printed
from tacit.server.prover.script import Left
from tacit.server.prover.state import State, states
from tacit.server.prover.stream import Stream
from tacit.server.prover.tree import Edge, Node, Tree
from tacit.server.prover.value import Judge, Lesson, lesson
from tacit.server.prover.wanted import PLAIN, Finish
from tacit.server.ranking import leads_nowhere
from tacit.server.tactics.source import SourceRequest, TacticSource
from tacit.server.values import Candidate, CheckedTactic, Verdict

BATCH = 64
"""Candidates of one elaboration."""
PORTION = 16
"""Candidates of one state in one elaboration; the first portion of the first state has `BATCH`."""
JOINED = 6
"""The same where a state's goals share unknowns: each candidate then runs the way there again."""
QUERIES_TO = 1
"""How deep a state may lie for Lean's own search (`exact?`) to be asked there."""
WAIT = 0.5
"""Seconds that sources get to think of something before other states are looked at."""
PACE = 0.8
"""Seconds that one elaboration should take: less, and the fixed cost of each counts; more, and cheap states wait."""
FEWEST = 8
PATIENCE = 10.0
"""Seconds for finding out which candidates of a batch hang."""
STATES = 5_000
"""States of one search, for its memory."""
MORE = 1.5
"""Seconds for other proofs beside the first, where they are wanted."""
LATE = 1.0
"""Seconds for making a proof neat when the budget is used up."""
NEAR = 2.0
"""Times what is left of the goal: what a tactic may leave for another proof to be looked for behind it."""
CHANCE = 0.5
"""Nats that a seed may add to the cost of a state."""
REFUSALS = 3
"""So many proofs that end a state in different ways and do not hold in place speak against what led to the state."""
DOUBT = 0.7
"""Nats that each portion a state has had adds to the cost of its next: in traces, the second portion of a state led to
a proof of it half as often as the first (4.2 and 6.8% of some 1,500), the third a third as often as that."""


@dataclass(slots=True)
class _Luck:
    """How often the candidates of each source did anything in this search, and what is known from earlier ones."""

    judge: Judge
    tried: Counter[str] = field(default_factory=Counter)
    worked: Counter[str] = field(default_factory=Counter)

    def note(self, checked: CheckedTactic) -> None:
        self.tried[checked.candidate.source] += 1
        self.worked[checked.candidate.source] += checked.verdict in (Verdict.CLOSES, Verdict.PROGRESSES)

    def probability(self, node: Node, checked: CheckedTactic) -> float:
        """That a tactic which made progress is one of a proof, up to a factor that all share.

        Of what a source says, what is borne out; before anything is known, half of it.
        """
        source = checked.candidate.source
        rate = (self.worked[source] + 2) / (self.tried[source] + 4)
        promise = self.judge.promise(node, checked.candidate, len(states(checked.goals)))
        return checked.candidate.prior * (0.5 + 0.5 * rate) * promise


async def search(
    checker: Checking,
    site: Site,
    request: SourceRequest,
    sources: Sequence[TacticSource],
    harvest: Callable[[str], tuple[str, ...]],
    budget: float,
    version: int,
    label: str,
    finish: Finish = PLAIN,
    experience: Experience | None = None,
) -> AsyncGenerator[SearchEvent, None]:
    """Look for a proof of a site's main goal: Expanded and Searching, Proved where one is found, and Searched.

    `request` is what the sources may look at, of the site itself; `budget` is in seconds; `finish` is what is wanted of
    the proof. `experience` judges states and learns from the search; without one, what comes with Tacit judges. Closing
    the iterator frees Lean at once.
    """
    known = experience or Experience()
    going = _Search(checker, site, request, sources, harvest, budget, version, label, finish, known)
    try:
        async for event in going.run():
            yield event
    finally:
        await going.aclose()


class _Search:
    """One search."""

    def __init__(
        self,
        checker: Checking,
        site: Site,
        request: SourceRequest,
        sources: Sequence[TacticSource],
        harvest: Callable[[str], tuple[str, ...]],
        budget: float,
        version: int,
        label: str,
        finish: Finish,
        experience: Experience,
    ) -> None:
        self._seed = finish.seed
        self._finisher = Finisher(checker, site, version, request.known, harvest, finish, label)
        self._checker, self._site, self._request, self._sources = checker, site, request, sources
        self._harvest, self._budget, self._label = harvest, budget, label
        self._started = time.monotonic()
        shared = any(goal.has_metavariables for goal in site.goals)
        self._experience, judge = experience, experience.judge()
        self._lesson: Lesson | None = None
        self._tree = Tree(State(site.goals if shared else site.goals[:1]), judge.cost)
        self._streams: dict[int, Stream] = {}
        self._luck = _Luck(judge)
        self._checked = 0
        self._room = max(1, BATCH // 2)
        self._elaborations = checker.elaborations

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    async def run(self) -> AsyncGenerator[SearchEvent, None]:
        """See `search`."""
        why = ""
        proofs = Proofs(self._finisher.wanted.alternatives)
        while not why and not proofs.enough:
            if self._tree.root.solution is not None and not proofs.late:
                await self._finish(proofs)
                continue
            why = self._over() or self._enough(proofs)
            if why:
                break
            portions = await self._portions()
            if not portions:
                why = self._over() or "Everything that can be thought of was tried."
                break
            for event in await self._expand(portions):
                yield event
            yield self._progress()
        for edge in proofs.aside:
            self._tree.restore(edge)
        if proofs.found:
            yield proofs.proved()
        yield self._ended(proved=bool(proofs.found), why="" if proofs.found else why)

    async def aclose(self) -> None:
        """Stop asking the sources; learn from what was seen, however the search ended."""
        for stream in self._streams.values():
            await stream.aclose()
        self._streams.clear()
        if self._seed is None:
            self._experience.learn(self._lesson or lesson(self._tree))

    def _over(self) -> str:
        if self._elapsed >= self._budget:
            return f"Stopped after {self._budget:g} s."
        if len(self._tree) >= STATES:
            return f"Stopped after {STATES} states."
        return ""

    # ---------------------------------------------------------------- choosing

    def _cost(self, node: Node) -> float:
        return node.cost + node.left + DOUBT * node.tried / PORTION + self._chance(node)

    def _chance(self, node: Node) -> float:
        """What a seed adds to the cost of a state, in nats: enough to change the order of those that look alike."""
        if not self._seed:
            return 0.0
        return CHANCE * random.Random(f"{self._seed} {node.number}").random()

    async def _portions(self) -> list[tuple[Node, list[Candidate]]]:
        """The next candidates of the cheapest states; none when all states are used up, or the time is."""
        while not self._over():
            found: list[tuple[Node, list[Candidate]]] = []
            room = self._room
            waiting = False
            for node in sorted(self._tree.frontier(), key=lambda each: (self._cost(each), each.number)):
                stream = self._stream(node)
                joined = node.state.joined
                portion = JOINED if joined else BATCH if node is self._tree.root else PORTION
                # Only the best state is waited for: what others have now may be as good. (With a seed, all are.)
                left = self._budget - self._elapsed
                candidates = await stream.take(min(portion, room), min(WAIT, left) if not found else 0)
                node.tried += len(candidates)
                if candidates:
                    found.append((node, candidates))
                elif stream.ended:
                    self._tree.exhaust(node)
                else:
                    waiting = True
                room -= len(candidates) * (max(1, BATCH // (2 * JOINED)) if joined else 1)
                if room <= 0:
                    break
            if found:
                return found
            if not waiting and not self._tree.frontier():
                return []
        return []

    def _stream(self, node: Node) -> Stream:
        stream = self._streams.get(node.number)
        if stream is None:
            request = self._request
            if node is not self._tree.root:
                request = replace(request, goals=node.state.goals)
            at_once, steady = node is self._tree.root, self._seed is not None
            stream = Stream(self._sources, request, at_once=at_once, steady=steady)
            self._streams[node.number] = stream
        return stream

    # ---------------------------------------------------------------- working

    async def _expand(self, portions: Sequence[tuple[Node, list[Candidate]]]) -> list[SearchEvent]:
        trials: list[Trial] = []
        owners: list[Node] = []
        for node, candidates in portions:
            way = self._tree.way(node)
            goals = node.state.goals if way or node.state.joined else ()
            joined = node.state.joined
            for candidate in candidates:
                if candidate.query and node.depth > QUERIES_TO:
                    continue
                trials.append(Trial(candidate, way, goals, joined))
                owners.append(node)
        began = time.monotonic()
        until = began + min(PATIENCE, max(0.0, self._budget - self._elapsed))
        checked = await self._checker.check_all(self._site, trials, label=self._label, until=until)
        if trials and self._seed is None:
            each = (time.monotonic() - began) / len(trials)
            self._room = max(FEWEST, min(BATCH, round((self._room + PACE / max(each, 1e-3)) / 2)))
        by_node: dict[int, list[CheckedTactic]] = {}
        for node, result in zip(owners, checked, strict=True):
            by_node.setdefault(node.number, []).append(result)
            self._take(node, result)
        self._checked += sum(each.verdict is not Verdict.REFUSED for each in checked)
        await self._leave_settled()
        return [
            Expanded(node.number, node.state.goals, tuple(by_node[node.number]))
            for node, _ in portions
            if node.number in by_node
        ]

    async def _leave_settled(self) -> None:
        """Nobody needs to think any more about states that are proved or hopeless; the model least of all."""
        for node in self._tree:
            if not node.open and node is not self._tree.root and (stream := self._streams.pop(node.number, None)):
                await stream.aclose()

    def _take(self, node: Node, result: CheckedTactic) -> None:
        if result.try_this:
            self._stream(node).add(printed(result, self._harvest))
        if result.candidate.query or asks(result.candidate.text):
            return  # `exact?` proves much, and is nothing to keep: what it printed is tried in its place
        self._luck.note(result)
        probability = self._luck.probability(node, result)
        if leads_nowhere(result, node.state.goals[0]):
            probability *= 0.1
        self._tree.add(node, result, probability)

    def _progress(self) -> Searching:
        frontier = self._tree.frontier()
        best = min(frontier, key=lambda each: (self._cost(each), each.number), default=None)
        goal = best.state.goals[0].target if best is not None else ""
        return Searching(
            len(self._tree),
            len(frontier),
            self._checked,
            self._tree.depth,
            " ".join(goal.split()),
            self._elapsed,
            max(0.0, self._budget - self._elapsed),
        )

    # ---------------------------------------------------------------- ending

    async def _finish(self, proofs: Proofs) -> None:
        """Take the proof that the tree holds out of it: accepted in place, or what it rests on is no solution."""
        edge = self._tree.root.shortest
        assert edge is not None
        if proofs.found and not proofs.differs(edge.candidate.text):
            self._set_aside(edge, proofs)
            return
        elapsed = self._elapsed
        # A proof that is found in the last moment is made neat all the same, within what is waited for it.
        until = time.monotonic() + min(POLISH, max(LATE, self._budget - elapsed))
        found = await self._finisher.written(proof_by(edge), steps_by(edge), min(until, proofs.until))
        if found is None:
            self._refuse(edge if proofs.found else last_leaf(edge))
            return
        if not proofs.found:
            proofs.until = time.monotonic() + min(MORE, max(0.0, self._budget - self._elapsed))
            self._lesson = lesson(self._tree)  # before what was found is set aside
        proofs.add(replace(found, elapsed=elapsed))
        if not proofs.enough:
            self._set_aside(edge, proofs)

    def _refuse(self, edge: Edge) -> None:
        """A tactic of a proof that did not hold in place. Where several ends of a state do not, what led there is."""
        self._tree.refuse(edge)
        node = edge.parent
        if node.via is not None and sum(each.refused for each in node.edges) >= REFUSALS:
            self._tree.refuse(node.via[0])

    def _set_aside(self, edge: Edge, proofs: Proofs) -> None:
        """For what else there is: until the search ends, it counts as refused."""
        self._tree.refuse(edge)
        proofs.aside.append(edge)

    def _enough(self, proofs: Proofs) -> str:
        """Why other proofs are not looked for any longer; empty where they are, or where there is none yet."""
        if not proofs.found:
            return ""
        left, root = Left(), self._tree.root
        near = any(not edge.dead and left.after(edge) <= NEAR * root.state.size for edge in root.edges)
        return "" if near and not proofs.late else "There are no other proofs near by."

    def _ended(self, *, proved: bool, why: str = "") -> Searched:
        sketch, goals = (None, 0) if proved else self._finisher.sketch(self._tree.root)
        elaborations = self._checker.elaborations - self._elaborations
        return Searched(proved, len(self._tree), self._checked, elaborations, self._elapsed, why, sketch, goals)
