"""Every candidate parses on a real Lean: one that does not would spoil a whole batch. Skipped without a Lean."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tacit.server.tactics.probes import PROBES
from tacit.server.values import Declaration
from tests.unit.tactics_goals import request, sources, texts

pytestmark = pytest.mark.live

PRELUDE = """
def double : Nat → Nat
  | 0 => 0
  | n+1 => double n + 2
inductive T (α : Type)
  | leaf : T α
  | node : T α → α → T α → T α
def T.mirror : T α → T α
  | leaf => leaf
  | node l x r => node r.mirror x l.mirror
theorem double_zero : double 0 = 0 := rfl
theorem double_pos (n : Nat) (h : 0 < n) : 0 < double n := by cases n; contradiction; apply Nat.zero_lt_succ
"""
ABOVE = (
    Declaration("double", "def", ": Nat → Nat"),
    Declaration("T", "inductive", "(α : Type)"),
    Declaration("T.leaf", "constructor", ": T α"),
    Declaration("T.node", "constructor", ": T α → α → T α → T α"),
    Declaration("T.mirror", "def", ": T α → T α"),
    Declaration("double_zero", "theorem", ": double 0 = 0"),
    Declaration("double_pos", "theorem", "(n : Nat) (h : 0 < n) : 0 < double n"),
)
GOALS = (
    "p q : Prop; h : p ∧ q; q ∧ p",
    "p q : Prop; h : p ∨ q; hn : ¬p; q",
    "p q r : Prop; p ∧ (q ∨ r) ↔ p ∧ q ∨ p ∧ r",
    "p q : Prop; (p → q) → ¬q → ¬p",
    "α : Type; P Q : α → Prop; h : ∃ x, P x ∧ Q x; ∃ x, Q x ∧ P x",
    "α : Type; P : α → Prop; h : ∀ (x : α), P x; ∀ (x : α), P x ∧ P x",
    "a b c : Nat; h : a < b; h' : b ≤ c; a < c",
    "a b : Nat; h : a = b; P : Nat → Prop; ha : P a; P b",
    "n : Nat; h : n ≠ 0; ∃ m, n = m + 1",
    "n : Nat; double (n + 1) = double n + 2",
    "n : Nat; h : 0 < n; 0 < double n",
    "α : Type; t : T α; T.mirror (T.mirror t) = t",
    "xs ys : List Nat; h : xs = ys; 0 :: xs = 0 :: ys",
    "f g : Nat → Nat; h : ∀ (x : Nat), f x = g x; f = g",
    "n m : Nat; h : Nat.succ n = Nat.succ m; n = m",
    "n : Nat; (if n = 0 then 1 else 2) > 0",
    "∀ (n : Nat), 0 + n = n",
    "b : Bool; (!!b) = b",
)
SYNTAX = re.compile(r"unknown tactic|unexpected |expected (?!type)|invalid .* syntax|<tactic>")


def errors(path: Path, text: str) -> dict[int, str]:
    """What `lean` says of a file: line (from 1) → first error there."""
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["lean", path.name], cwd=path.parent, capture_output=True, text=True, timeout=120, check=False
    )
    found: dict[int, str] = {}
    for line, message in re.findall(r":(\d+):\d+: error: (.*)", done.stdout):
        found.setdefault(int(line), message)
    return found


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """The names that this Lean knows."""
    if (
        shutil.which("lean") is None
        or subprocess.run(["lean", "--version"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no lean on PATH")
    text, lines = "", {}
    for name, sample in PROBES.items():
        start = text.count("\n") + 1
        text += "example : True := by\n  (first | exact True.intro | (" + sample.replace("\n", "\n" + " " * 32) + "))\n"
        lines[name] = range(start, text.count("\n") + 1)
    found = errors(tmp_path_factory.mktemp("lean") / "Probe.lean", text)
    return frozenset(name for name, span in lines.items() if not any(line in found for line in span))


@pytest.mark.parametrize("text", GOALS)
def test_every_candidate_parses(text: str, known: frozenset[str], tmp_path: Path) -> None:
    *context, target = (part.strip() for part in text.split(";"))
    statement = " ".join(f"({part})" for part in context) + f" : {target}"
    candidates = [t for source in sources() for t in texts(source, request(text, known, above=ABOVE))]
    file, owner = PRELUDE + "set_option maxHeartbeats 20000\n", {}
    for candidate in candidates:
        start = file.count("\n") + 1
        indented = candidate.replace("\n", "\n     ")
        file += f"example {statement} := by\n  · ({indented})\n"
        owner.update(dict.fromkeys(range(start, file.count("\n") + 1), candidate))
    found = errors(tmp_path / "Goal.lean", file)
    assert {owner[line]: message for line, message in found.items() if SYNTAX.search(message)} == {}
    assert len(found) < len(candidates), "nothing closes this goal"


def test_what_every_lean_has_is_known(known: frozenset[str]) -> None:
    assert {"simp", "rw", "exact", "cases with", "induction with", "have pattern", "constructor"} <= known
