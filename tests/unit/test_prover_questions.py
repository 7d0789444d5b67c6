"""Tactics that print what to write in their place are never kept; what they print takes that place."""

from __future__ import annotations

import pytest

from tacit.server.prover.questions import asks, printed
from tacit.server.tactics.try_this import harvest
from tacit.server.values import Candidate, CheckedTactic, Verdict


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exact?", True),
        ("intro h; exact?", True),
        ("constructor <;> simp? [h]", True),
        ("exact fun h => by apply?", True),
        ("constructor\n· rw?\n· rfl", True),
        ("simp?!", True),
        ("simp_all?", True),
        ("exact xs.get? 0", False),
        ("simp [List.find?]", False),
        ("exact h", False),
        ("hint", True),
        ("intro h; hint", True),
        ("show_term simp", True),
        ("intro h\n  library_search", True),
        ("exact hint", False),
        ("exact f (hint)", False),
        ("exact fun x => hint x", False),
        ("constructor <;> hint", True),
        ("simp [hint] at hint", False),
        ("refine ⟨?_, ?x⟩", False),
    ],
)
def test_what_asks(text: str, expected: bool) -> None:
    assert asks(text) is expected


@pytest.mark.parametrize(
    ("text", "message", "found"),
    [
        ("exact?", "Try this: exact foo h", ["exact foo h"]),
        ("intro h; exact?", "Try this:\n  [apply] exact foo h", ["intro h; exact foo h"]),
        ("constructor <;> simp? [h]", "Try this: simp only [h]", ["constructor <;> simp only [h]"]),
        ("(simp? at h); exact h", "Try this: simp only [f] at h", ["(simp only [f] at h); exact h"]),
        ("simp?\nexact h", "Try this: simp only [f]", ["simp only [f]\nexact h"]),
        ("exact f (by simp?)", "Try this: simp only [f]", ["exact f (by simp only [f])"]),
        ("ring", "Try this: ring_nf", ["ring_nf"]),
        ("exact?", "nothing", []),
    ],
)
def test_what_was_printed_takes_its_place(text: str, message: str, found: list[str]) -> None:
    checked = CheckedTactic(Candidate(text, "model"), Verdict.CLOSES, try_this=(message,))
    assert [each.text for each in printed(checked, harvest)] == found
