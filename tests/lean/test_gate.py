"""The gate against the real Lean: it refuses what begins a command, and what it lets through stays inside."""

from __future__ import annotations

import pytest

from tacit.server.lean.elaborator import Outcome, Severity
from tacit.server.lean.gate import refusal
from tests.fuzz import properties
from tests.fuzz.judging import judge
from tests.fuzz.texts import KNOWN
from tests.lean.conftest import Bench
from tests.unit.properties import examples

pytestmark = [pytest.mark.lean, pytest.mark.asyncio(loop_scope="module")]

# In Lean's own words: what may stand first in a command, as its parser has it.
_WORDS = """import Lean
open Lean Parser
def words (c : Name) : CoreM Unit := do
  let env ← getEnv
  match (parserExtension.getState env).categories.find? c with
  | none => return
  | some cat => IO.println (cat.tables.leadingTable.fold (fun (s : String) k _ => s ++ " " ++ toString k) "")
#eval words `command
"""


async def test_every_word_that_begins_a_command_is_refused(bench: Bench) -> None:
    result = await bench.lean.elaborate(_WORDS, timeout=180.0, label="which words begin commands")
    assert result.outcome is Outcome.DONE
    (told,) = [m.text for m in result.messages if m.severity is Severity.INFORMATION]
    words = told.split()
    assert len(words) > 60
    missed = [word for word in words if refusal(f"skip\n{word.strip('«»')} x") is None]
    # `$` begins an antiquotation, which stands in quotations only; those are refused.
    assert missed == ["«$»"]


@pytest.mark.live
@pytest.mark.usefixtures("live_lean")
async def test_what_is_known_and_let_through_stays_inside(bench: Bench) -> None:
    texts = [text for text in dict.fromkeys(KNOWN) if refusal(text) is None]
    found = await judge(bench.lean, texts)
    assert found.escaped == {}
    assert found.judged == len(texts) > 200
    assert found.parsed > 100


@pytest.mark.live
@pytest.mark.usefixtures("live_lean")
async def test_what_is_made_up_and_let_through_stays_inside(bench: Bench) -> None:
    properties.LET_THROUGH.clear()
    examples(properties.test_of("gate"))()
    texts = list(properties.LET_THROUGH)
    found = await judge(bench.lean, texts)
    assert found.escaped == {}
    assert found.judged == len(texts) > 20
    assert found.parsed > 5
