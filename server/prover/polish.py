"""The proof as a person would keep it: shorter, in fewer steps, with no name that nobody needs, as long as Lean agrees.

Every proposal is the whole proof with one change; all proposals of a round are checked in one elaboration, and the
best that still closes the goal is the next to be changed, together with all that were accepted where that holds too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from tacit.server.lean.crew import Checking
from tacit.server.lean.site import Site
from tacit.server.prover.binders import cleared, unused, without
from tacit.server.prover.layout import WIDTH, wrapped
from tacit.server.prover.neater import Change, changes, together
from tacit.server.prover.proof import Proof
from tacit.server.prover.questions import asks
from tacit.server.values import Candidate, Verdict

PROPOSALS = 40
"""Of one round, at most."""
ROUND = 2.0
"""Seconds of one round, by what the proof itself took: a slow proof gets fewer proposals, the slowest none."""


@dataclass(slots=True)
class Polish:
    """Proposals for one proof at one place. `until` is when to stop, as `time.monotonic` counts.

    `known` are the tactics that this Lean has, `seconds` what it took to check the proof once.
    """

    checker: Checking
    site: Site
    until: float
    known: Collection[str] = ()
    seconds: float = 0.05
    label: str = ""

    async def shortest(self, proof: Proof) -> Proof:
        """The best that was found in time; what is returned closed the goal, or is what was given."""
        refused = {proof.text}
        combined: Proof | None = None
        while True:
            proposals: dict[str, Proof] = {}
            single: dict[str, Change] = {}
            if combined is not None and _cost(combined) < _cost(proof):
                proposals[combined.text] = combined
            for change in changes(proof, self.known):
                new = change.of(proof)
                text = new.text
                if text in refused or _cost(new) >= _cost(proof) or asks(text) or self._too_wide(new, proof):
                    continue
                if text not in proposals:
                    proposals[text], single[text] = new, change
            closing = await self._closing(list(proposals))
            if closing is None:
                return proof
            refused |= set(proposals) - closing
            if not closing:
                return proof
            combined = together(proof, [each for text, each in single.items() if text in closing])
            proof = min((proposals[text] for text in closing), key=lambda each: (_cost(each), each.text))

    async def unnamed(self, proof: Proof) -> Proof:
        """The proof with `_` for the names that it does not need. Not checked as it stands."""
        found = list(unused(proof))
        everything = cleared(proof, found).text
        single = {each: cleared(proof, [each]).text for each in found}
        closing = await self._closing([everything, *single.values()] if len(found) > 1 else list(single.values()))
        if closing and everything not in closing:
            # Of two that `assumption` may take, one must stay: as many as can go together, from the first on.
            found = [each for each in found if single[each] in closing]
            more = {cleared(proof, found[:size]).text: size for size in range(2, len(found) + 1)}
            both = await self._closing(list(more)) or set()
            found = found[: max((more[text] for text in both), default=1)]
        return without(proof, found) if closing else proof

    async def fewer(self, text: str, proposals: Callable[[str], Iterable[str]]) -> str:
        """The shortest that was found in time of what is proposed for a text, for that in turn, and so on."""
        refused: set[str] = set()
        while True:
            asked = [each for each in dict.fromkeys(proposals(text)) if each not in refused and len(each) < len(text)]
            closing = await self._closing(asked)
            if not closing:
                return text
            refused |= set(asked) - closing
            text = min(closing, key=lambda each: (len(each), each))

    async def _closing(self, texts: Sequence[str]) -> set[str] | None:
        """Those that close the goal; None where nothing was asked, for want of it or of time."""
        left = self.until - time.monotonic()
        room = min(PROPOSALS, int(min(ROUND, left) / max(self.seconds, 1e-3)))
        asked = texts[: max(0, room)]
        if not asked:
            return None
        began = time.monotonic()
        candidates = [Candidate(text, "shorter") for text in asked]
        checked = await self.checker.check(self.site, candidates, label=self.label, until=self.until)
        # What is broken ends early: the next round may take longer than that.
        self.seconds = max(self.seconds / 3, (time.monotonic() - began) / len(asked))
        return {each.candidate.text for each in checked if each.verdict is Verdict.CLOSES}

    def _too_wide(self, new: Proof, proof: Proof) -> bool:
        column = self.site.hole.column
        width = max(map(len, wrapped(new.lines, column))) + column
        return width > WIDTH and width > max(map(len, wrapped(proof.lines, column))) + column


def _cost(proof: Proof) -> tuple[int, int]:
    """What a proof costs its reader: characters; of as many, names."""
    text = proof.text
    return len(text), sum(char not in "_ " for char in text)
