"""What holds of any text and any answer, as functions that hypothesis can run. Settings are the caller's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tacit.server.errors import LeanDied, NoGoal
from tacit.server.lean.gate import refusal
from tacit.server.lean.goals import parse_goals
from tacit.server.lean.site import Site
from tests.fuzz.hearing import NOTHING_LEFT, PLACES, SAID, Peer, Script, answers, closes_only_on_evidence, probes
from tests.fuzz.inside import SITES, stays_inside
from tests.fuzz.publishing import heard_as_sent, notifications
from tests.fuzz.texts import candidates
from tests.unit.properties import any_texts

# What was tried: texts for the gate, those that it let through, answers for the checker, closes that held.
COUNTS = {"texts": 0, "let through": 0, "answers": 0, "closes held": 0}
# Texts to damage besides those that the project knows; the long run may fill it.
MORE: list[str] = []
# What the gate lets through, for a real Lean to judge.
LET_THROUGH: dict[str, None] = {}


@st.composite
def _candidates(draw: st.DrawFn) -> str:
    return draw(candidates(tuple(MORE)))


def gate(texts: list[str], site: Site) -> None:
    """What passes the gate stays in its block, in every text that is made of it."""
    COUNTS["texts"] += len(texts)
    passed = [text for text in texts if refusal(text) is None]
    COUNTS["let through"] += len(passed)
    LET_THROUGH.update(dict.fromkeys(passed))
    stays_inside(texts, site)


def verdicts(place: str, probe: Script, scripts: list[Script], version: str) -> None:
    """A close is read only where Lean's answers bear it, and holds only where they bear that."""
    COUNTS["answers"] += 1
    try:
        COUNTS["closes held"] += asyncio.run(closes_only_on_evidence(place, Peer(scripts, version, probe)))
    except (NoGoal, LeanDied):
        return


def diagnostics(sent: list[dict[str, object]]) -> None:
    """What is read of a server's notifications is what it sent of that version, or nothing."""
    heard_as_sent(sent)


def goals(text: str, tag: str) -> None:
    """Only what says so says that nothing is left."""
    left = parse_goals(text, without_tag=tag)
    assert bool(left) is (text.strip() not in NOTHING_LEFT)
    for goal in left:
        assert goal.has_metavariables in (True, False)


PROPERTIES: dict[str, tuple[Callable[..., None], tuple[st.SearchStrategy[Any], ...]]] = {
    "gate": (gate, (st.lists(_candidates(), min_size=1, max_size=3), st.sampled_from(SITES))),
    "verdicts": (
        verdicts,
        (
            st.sampled_from(PLACES),
            probes,
            st.lists(answers, min_size=1, max_size=8),
            st.sampled_from(("4.0.0", "4.27.0")),
        ),
    ),
    "diagnostics": (diagnostics, (notifications,)),
    "goals": (
        goals,
        (st.one_of(st.sampled_from(SAID), any_texts), st.sampled_from(("", "refine_1", "⊢", "goals"))),
    ),
}


def test_of(name: str) -> Callable[[], None]:
    """A hypothesis test of a property, without settings."""
    holds, cases = PROPERTIES[name]

    @given(st.tuples(*cases))
    def holds_of(case: tuple[Any, ...]) -> None:
        holds(*case)

    return holds_of
