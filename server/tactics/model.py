"""Tactics that a local model writes, as they are written. What cannot be right is dropped before it costs a check.

The gate refuses the same texts and more; what is dropped here would only fill the batches.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from math import exp

from tacit.server.tactics import lexer
from tacit.server.tactics.invented import invented
from tacit.server.tactics.mentions import mentions
from tacit.server.tactics.probes import lacks
from tacit.server.tactics.source import PremiseFinder, SourceRequest, TacticGenerator, Written
from tacit.server.values import Candidate

ANSWERS = 8
"""Tactics that reach the checker."""
MOST = 4 * ANSWERS
"""Tactics that are written for that: of a small model's, more than half name what there is not."""
PREMISES = 12
"""Premises that a prompt gets where the model was trained for them."""
# They prove nothing, run code or ask something that is no step.
_FORBIDDEN = frozenset("sorry sorryAx admit native_decide bv_decide ofReduceBool run_tac set_option".split())
_LENGTH = 1000


class ModelTactics:
    """Proposes what a generator writes, one candidate a batch: each is checked while the next is written.

    What cannot be right, names what there is not, or has been tried is dropped, and more is written in its place.
    """

    def __init__(
        self,
        generator: TacticGenerator,
        premises: PremiseFinder | None = None,
        answers: int = ANSWERS,
        name: str = "model",
    ) -> None:
        self._generator = generator
        self._premises = premises
        self._answers = answers
        self._most = answers * MOST // ANSWERS
        self._name = name

    costly = True
    """It is asked for one goal at a time: a search asks it only for goals that it comes back to."""

    @property
    def name(self) -> str:
        """The name shown beside a suggestion."""
        return self._name

    async def candidates(self, request: SourceRequest) -> AsyncIterator[Sequence[Candidate]]:
        """Yield what the model writes, as it comes. Closing it early cancels the model."""
        premises = await self._premises.find(request, PREMISES) if self._premises and self._generator.reads else ()
        seen: set[str] = set()
        useful = 0
        written: AsyncGenerator[Written, None] = self._generator.write(request, premises, self._most)
        async with aclosing(written):
            async for each in written:
                key = lexer.signature(each.text)
                if key in seen or key in request.tried or not may_be_right(each.text, request):
                    continue
                seen.add(key)
                if self._premises and await invented(each.text, request, self._premises):
                    continue
                useful += 1
                yield [Candidate(each.text, self._name, prior(each))]
                if useful == self._answers:
                    return


def prior(written: Written) -> float:
    """From the probability of a token on average: longer tactics are not less likely to help.

    Between what the portfolio is surest of (0.95) and what it tries blindly (0.3).
    """
    return round(0.3 + 0.6 * exp(written.log_prob / max(written.tokens, 1)), 3)


def may_be_right(text: str, request: SourceRequest) -> bool:
    """Whether a text can be a tactic here: nothing forbidden, not the theorem itself, no tactic this Lean lacks."""
    if not text.strip() or len(text) > _LENGTH or "✝" in text or "?m" in text:
        return False
    names = {name for h in request.goal.hypotheses for name in h.names}
    for word in _dotted(text):
        parts = word.replace("«", "").replace("»", "").removeprefix("_root_.").split(".")
        if not _FORBIDDEN.isdisjoint(parts):
            return False
        if request.declaration and parts[0] not in names and _is_itself(parts, request.declaration):
            return False
    return not lacks(mentions(text).heads, request.known)


def _dotted(text: str) -> list[str]:
    """The names of a text with their fields: `Nat.foo.symm` is one."""
    names: list[str] = []
    for word in lexer.tokens(text):
        if word.text[0] == "." and not word.gap and names:
            names[-1] += word.text
        else:
            names.append(word.text)
    return names


def _is_itself(parts: Sequence[str], declaration: str) -> bool:
    """Whether a name is, or projects from, the declaration's, with or without its namespaces."""
    own = declaration.split(".")
    if any(list(parts[: len(own) - at]) == own[at:] for at in range(len(own))):
        return True
    return any(list(parts[at : at + len(own)]) == own for at in range(len(parts)))
