"""The proof as a person would keep it: steps and lemmas that it does not need are taken out, as long as Lean agrees.

Every proposal is the whole proof less something; all proposals of a round are checked in one elaboration, and the
shortest that still closes the goal is the next to be shortened.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tacit.server.lean.crew import Checking
from tacit.server.lean.site import Site
from tacit.server.prover.script import joined
from tacit.server.prover.tree import Node
from tacit.server.values import Candidate, Verdict

PROPOSALS = 40
"""Of one round."""
_CLOSE = {"[": "]", "(": ")", "{": "}", "⟨": "⟩"}
# Lemmas that one of these does not need can go; `rw` needs each that it has.
_LISTS = re.compile(r"\b(?:simp|simp_all|simp only|dsimp|dsimp only|simpa|grind|norm_num|field_simp)\s*(?P<open>\[)")


@dataclass(frozen=True, slots=True)
class Proof:
    """A tactic, and proofs of the goals that it leaves."""

    tactic: str
    parts: tuple[Proof, ...] = ()

    @property
    def lines(self) -> list[str]:
        """As it is written."""
        return joined(self.tactic, [part.lines for part in self.parts])

    @property
    def text(self) -> str:
        """As it is written."""
        return "\n".join(self.lines)

    @property
    def tactics(self) -> int:
        """How many there are."""
        return 1 + sum(part.tactics for part in self.parts)


def proof_of(node: Node) -> Proof:
    """The proof of a state that is proved."""
    edge = node.shortest
    if edge is None:
        raise ValueError("the state is not proved")
    return Proof(edge.candidate.text, tuple(proof_of(child) for child in edge.children))


async def shorten(checker: Checking, site: Site, proof: Proof, until: float, *, label: str = "") -> Proof:
    """The shortest that was found before `until` (as `time.monotonic` counts); what is returned closed the goal."""
    refused: set[str] = set()
    while time.monotonic() < until:
        proposals: dict[str, Proof] = {}
        for each in shorter(proof):
            text = each.text
            if text not in refused and len(text) < len(proof.text):
                proposals.setdefault(text, each)
        chosen = list(proposals)[:PROPOSALS]
        if not chosen:
            break
        checked = await checker.check(site, [Candidate(text, "shorter") for text in chosen], label=label, until=until)
        closing = [each.candidate.text for each in checked if each.verdict is Verdict.CLOSES]
        refused |= set(chosen) - set(closing)
        if not closing:
            break
        proof = proposals[min(closing, key=lambda text: (len(text), text))]
    return proof


def shorter(proof: Proof) -> Iterator[Proof]:
    """The proof less one thing, the largest things first."""
    if len(proof.parts) == 1:
        yield proof.parts[0]
    if len(proof.parts) > 1 and (only := _same_closer(proof.parts)):
        yield Proof(f"{proof.tactic} <;> {only}")
    for text in with_fewer_lemmas(proof.tactic):
        yield replace(proof, tactic=text)
    for number, part in enumerate(proof.parts):
        for each in shorter(part):
            yield replace(proof, parts=(*proof.parts[:number], each, *proof.parts[number + 1 :]))


def _same_closer(parts: Sequence[Proof]) -> str:
    """The one tactic that ends all goals, where it is one."""
    texts = {part.tactic for part in parts if not part.parts}
    text = next(iter(texts)) if len(texts) == 1 and all(not part.parts for part in parts) else ""
    return "" if "\n" in text or "<;>" in text or ";" in text else text


def with_fewer_lemmas(tactic: str) -> Iterator[str]:
    """A tactic's text with fewer of the lemmas that `simp` and its like are given: none, either half, all but one."""
    for found in _LISTS.finditer(tactic):
        begin = found.start("open")
        end = _closing(tactic, begin)
        if end < 0:
            continue
        items = _split(tactic[begin + 1 : end])
        before, after = tactic[:begin].rstrip(), tactic[end + 1 :]
        if "only" not in found[0]:
            yield before + after
        half = len(items) // 2
        kept = [items[:half], items[half:]] if len(items) > 2 else []
        kept += [items[:number] + items[number + 1 :] for number in range(len(items))]
        for each in kept:
            if each:
                yield f"{before} [{', '.join(each)}]{after}"


def _closing(text: str, begin: int) -> int:
    depth = 0
    for at in range(begin, len(text)):
        if text[at] in _CLOSE:
            depth += 1
        elif text[at] in _CLOSE.values():
            depth -= 1
            if depth == 0:
                return at
    return -1


def _split(text: str) -> list[str]:
    items: list[str] = []
    depth = begin = 0
    for at, char in enumerate(text):
        depth += (char in _CLOSE) - (char in _CLOSE.values())
        if char == "," and depth == 0:
            items.append(text[begin:at].strip())
            begin = at + 1
    items.append(text[begin:].strip())
    return [item for item in items if item]
