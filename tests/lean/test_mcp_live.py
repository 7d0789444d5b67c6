"""The tools for agents with a real Lean behind them: goals, verdicts and proofs as Lean has them."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from tests.protocol.test_mcp import call

TEXT = """theorem swap (𝕜 q : Prop) (h : 𝕜 ∧ q) : q ∧ 𝕜 := by sorry

inductive Tree where
  | leaf : Tree
  | node : Tree → Tree → Tree

def Tree.mirror : Tree → Tree
  | leaf => leaf
  | node l r => node r.mirror l.mirror

theorem Tree.mirror_mirror (t : Tree) : t.mirror.mirror = t := by
  sorry

theorem never (a b : Nat) (h : a ≤ b) : b ≤ a := by
  sorry

def three : Nat := sorry

theorem done (p q : Prop) (hp : p) : q → p := by
  intro hq
  exact hp
"""

pytestmark = [pytest.mark.lean, pytest.mark.live, pytest.mark.usefixtures("live_lean")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Foo.lean").write_text(TEXT, encoding="utf-8")
    return tmp_path


def agent(folder: Path) -> Client:
    kept = {name: value for name, value in os.environ.items() if name.startswith(("TACIT_", "PYTHONPATH", "PATH"))}
    command = ["-m", "tacit.server.cli", "mcp"]
    return Client(StdioServerParameters(command=sys.executable, args=command, cwd=folder, env=kept))


def line_of(text: str, start: str) -> int:
    """The line, from 1, of the first `sorry` from a text on."""
    return text[: text.index("sorry", text.index(start))].count("\n") + 1


def patched(text: str, edit: dict[str, Any]) -> str:
    """A text after an edit, as an agent applies it."""
    lines = text.split("\n")
    above, first = lines[: edit["line"] - 1], lines[edit["line"] - 1]
    last, below = lines[edit["end_line"] - 1], lines[edit["end_line"] :]
    return "\n".join([*above, first[: edit["column"] - 1] + edit["new_text"] + last[edit["end_column"] - 1 :], *below])


async def test_goals_and_verdicts(folder: Path) -> None:
    async with agent(folder) as client:
        goal = await call(client, "goal", file="Foo.lean", line=1)
        data = await call(client, "goal", file="Foo.lean", line=line_of(TEXT, "def three"))
        line = TEXT[: TEXT.index("intro hq")].count("\n")
        before, after = [await call(client, "goal", file="Foo.lean", line=each) for each in (line, line + 1)]

        async def check(tactic: str) -> dict[str, Any]:
            return await call(client, "check", file="Foo.lean", line=1, tactic=tactic)

        closes = await check("exact ⟨h.2, h.1⟩")
        steps = await check("apply And.intro\nexact h.2")
        wrong = await check("exact ⟨h.1, h.2⟩")
        found = await call(client, "suggest", file="Foo.lean", line=1, limit=3)
    assert goal["goals"] == ["𝕜 q : Prop\nh : 𝕜 ∧ q\n⊢ q ∧ 𝕜"]
    assert TEXT.split("\n")[0][goal["column"] - 1 :] == "sorry"
    assert data["is_data"] is True
    assert (before["goals"][0].split("\n")[-1], after["goals"][0].split("\n")[-1]) == ("⊢ q → p", "⊢ p")
    assert (closes["verdict"], closes["edit"]["new_text"]) == ("closes", "exact ⟨h.2, h.1⟩")
    assert (steps["verdict"], [each[-3:] for each in steps["left"]]) == ("progresses", ["⊢ 𝕜"])
    assert wrong["verdict"] == "fails"
    assert "type mismatch" in wrong["message"]
    assert found["suggestions"][0]["result"] == "closes"


async def test_a_proof_of_several_steps_holds_in_the_file(folder: Path) -> None:
    path = folder / "Foo.lean"
    async with agent(folder) as client:
        line = line_of(TEXT, "theorem Tree.mirror_mirror")
        found = await call(client, "prove", file="Foo.lean", line=line, budget=60, alternatives=2)
        assert found["proved"], found["reason"]
        assert len(found["alternatives"]) <= 2
        assert path.read_text(encoding="utf-8") == TEXT, "nothing was written"
        path.write_text(patched(TEXT, found["edit"]), encoding="utf-8")
        again = await client.call_tool("prove", {"file": "Foo.lean", "line": line, "budget": 5})
        assert again.is_error, "the file as it is now has no goal there"
    lean = os.environ.get("TACIT_LEAN") or "lean"
    process = await asyncio.create_subprocess_exec(lean, "Foo.lean", cwd=folder, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert "error" not in out.decode()
    assert out.decode().count("declaration uses 'sorry'") == TEXT.count("sorry") - 1


async def test_what_is_false_is_not_proved(folder: Path) -> None:
    async with agent(folder) as client:
        found = await call(client, "prove", file="Foo.lean", line=line_of(TEXT, "theorem never"), budget=3)
    assert (found["proved"], found["proof"], found["edit"]) == (False, None, None)
    assert found["reason"]
