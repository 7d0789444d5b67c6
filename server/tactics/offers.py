"""From offers to batches: what this environment parses, each text once, likeliest first. Nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tacit.server.tactics.probes import required
from tacit.server.tactics.source import SourceRequest
from tacit.server.values import Candidate

BATCH = 32


def is_modern(known: frozenset[str]) -> bool:
    """Whether a name that parses is a tactic that works.

    The first Mathlib for Lean 4 declared the syntax of tactics that nobody had written yet, `omega` and `left` among
    them. `exact?` is younger than the last of those.
    """
    return "exact?" in known


def does_sums(known: frozenset[str]) -> bool:
    """Whether a procedure for linear arithmetic is at hand."""
    return "omega" in known and is_modern(known)


class Offer(NamedTuple):
    """A tactic and how likely it helps."""

    text: str
    prior: float


def batches(offers: Iterable[Offer], request: SourceRequest, source: str, limit: int) -> Iterator[Sequence[Candidate]]:
    """At most `limit` candidates in batches of 32; the order of equal priors is that of the offers."""
    best: dict[str, float] = {}
    for text, prior in offers:
        # A name with a dagger cannot be written, nor can a metavariable of Lean's own.
        if "✝" not in text and "?m" not in text and required(text) <= request.known:
            best[text] = max(prior, best.get(text, 0.0))
    ranked = sorted(best.items(), key=lambda item: -item[1])[:limit]
    candidates = [Candidate(text, source, round(prior, 3)) for text, prior in ranked]
    for start in range(0, len(candidates), BATCH):
        yield candidates[start : start + BATCH]
