"""A few of the random attempts at the checker, the same ones each time. `make fuzz` runs new ones for long."""

from __future__ import annotations

import pytest

from tacit.server.lean.elaborator import Outcome
from tacit.server.lean.goals import parse_goals
from tests.fuzz import properties
from tests.fuzz.hearing import PLACES, Peer, Script, closes_only_on_evidence
from tests.fuzz.lexing import read
from tests.unit.properties import examples


@pytest.mark.parametrize("name", properties.PROPERTIES)
def test_it_holds(name: str) -> None:
    examples(properties.test_of(name))()


def _script(left: str | None, axioms: str | None) -> Script:
    return Script((left,), axioms, (), 0, frozenset(), Outcome.DONE)


async def test_a_close_that_the_answers_bear_holds() -> None:
    """Else the property would hold of a checker that never says so."""
    none = "'foo' does not depend on any axioms"
    peer = Peer([_script("no goals", none)], "4.27.0", _script(None, "'foo' depends on axioms: [_tacitHole]"))
    assert await closes_only_on_evidence(PLACES[0], peer) == 4


async def test_the_model_sees_a_close_that_nothing_bears(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would see nothing in the checker either."""
    peer = Peer([_script("⊢ q", None)], "4.27.0", _script(None, "'foo' depends on axioms: [_tacitHole]"))
    monkeypatch.setattr(
        "tacit.server.lean.batch.parse_goals", lambda text, **_more: () if text == "⊢ q" else parse_goals(text)
    )
    with pytest.raises(AssertionError):
        await closes_only_on_evidence(PLACES[0], peer)


@pytest.mark.parametrize("said", ["sorryAx", "cheat", "_tacitHole", "_tacitRest"])
async def test_the_model_sees_an_axiom_that_is_let_pass(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = f"'foo' depends on axioms: [{said}]"
    peer = Peer([_script("", bad)], "4.27.0", _script(None, "'foo' depends on axioms: [_tacitHole]"))
    monkeypatch.setattr("tacit.server.lean.checker.axioms_of", lambda *_args: frozenset({"_tacitHole"}))
    monkeypatch.setattr("tacit.server.lean.trust.STANDARD_AXIOMS", frozenset({"_tacitHole"}))
    with pytest.raises(AssertionError):
        await closes_only_on_evidence(PLACES[0], peer)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("exact (h.1) -- no", [("word", "exact"), ("symbol", "("), ("word", "h"), ("symbol", "."), ("number", "1")]),
        ("'('", [("text", "'('")]),
        ("f ''('a'", [("word", "f"), ("symbol", "''"), ("symbol", "("), ("text", "'a'")]),
        ("f '(a", [("word", "f"), ("broken", "'"), ("symbol", "("), ("word", "a")]),
        ('r#"a"b"# x', [("text", 'r#"a"b"#'), ("word", "x")]),
        ("/- /- -/ -/x", [("comment", "/- /- -/ -/"), ("word", "x")]),
        ("«a b».c /-", [("word", "«a b».c"), ("broken", "/-")]),
        ("0x1Fg 1.5e", [("number", "0x1F"), ("word", "g"), ("number", "1.5"), ("word", "e")]),
    ],
)
def test_the_independent_lexer(text: str, pieces: list[tuple[str, str]]) -> None:
    assert [(p.kind, p.text) for p in read(text)][: len(pieces)] == pieces
