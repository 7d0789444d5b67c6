"""The whole search with a real Lean: what `tacit prove` writes, Lean alone accepts, and it reads well.

Also how proofs are finished: Lean judges each neater form.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tacit.server.prover.events import Taken
from tacit.server.prover.finish import Finisher
from tacit.server.prover.proof import Proof, read_block
from tacit.server.prover.wanted import PLAIN, Finish
from tacit.server.tactics.try_this import harvest
from tacit.server.text import Span
from tests.lean.conftest import Bench

TACIT = [sys.executable, "-m", "tacit.server.cli"]
PATIENCE = 120

NUMBERS = """inductive N where
  | z : N
  | s : N → N

def add : N → N → N
  | n, N.z => n
  | n, N.s m => N.s (add n m)

"""
PROVABLE = (
    NUMBERS
    + """theorem z_add (n : N) : add N.z n = n := by
  sorry

theorem s_add (n m : N) : add (N.s n) m = N.s (add n m) := by sorry

theorem add_comm (n m : N) : add n m = add m n := by
  sorry

theorem exists_swap (p q : Nat → Prop) (r : Prop) :
    (∃ x, p x ∧ q x) → r → (∃ x, q x ∧ p x) ∧ r := by
  sorry

theorem chain (f g : Nat → Nat) (a b c d : Nat) (h : a = b) (k : f b = c) (l : g c = d) :
    g (f a) = d ∧ ∃ n, f n = c :=
  sorry

theorem split (p q r s : Prop) (h : p ∨ q) (hp : p → r) (hq : q → s) : (r ∨ s) ∧ (¬ p → s) := by
  constructor
  · sorry
  · sorry
"""
)
OPEN = """theorem half (p q : Prop) (hp : p) : p ∧ q := by
  sorry

theorem halves (p q : Prop) (n : Nat) (hp : p) (h : n = 0 → q) : (n = n ∧ p) ∧ q := by
  sorry
"""
ENDLESS = """theorem endless (f : Nat → Nat) (h : ∀ x y, f (x + y) = f (y * x) + f x) (k : ∀ x, f x = 0 ∨ f (x + 1) = x)
    : f 12 * f 13 = f (f 14) + 1 := by
  sorry
"""

pytestmark = [pytest.mark.lean, pytest.mark.live, pytest.mark.usefixtures("live_lean")]
with_bench = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def prove(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    Path("Foo.lean").write_text(text, encoding="utf-8")
    command = [*TACIT, "prove", "Foo.lean", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def lean_says(text: str) -> str:
    """What Lean alone prints of a text."""
    Path("Alone.lean").write_text(text, encoding="utf-8")
    lean = os.environ.get("TACIT_LEAN") or "lean"
    run = subprocess.run([lean, "Alone.lean"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    return run.stdout + run.stderr


def test_proofs_of_several_steps_are_written_as_lean_accepts_them(folder: Path) -> None:
    run = prove(PROVABLE, "--write", "--budget", "20s")
    assert run.returncode == 0, run.stdout + run.stderr
    text = Path("Foo.lean").read_text(encoding="utf-8")
    assert "sorry" not in text
    said = lean_says(text)
    assert "error" not in said, text + said
    assert "sorry" not in said
    assert max(map(len, text.splitlines())) <= 100
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    assert not re.search(r"\b(exact|apply|simp|rw)\?", text)
    proofs = dict(re.findall(r"^theorem (\w+).*?:=( by\n.*?| by .*?|\n.*?)(?=\n\n|\Z)", text, re.DOTALL | re.MULTILINE))
    assert "induction n" in proofs["z_add"]
    assert "induction m" in proofs["add_comm"]
    assert re.search(r"s_add|z_add", proofs["add_comm"]), "what stands above is used"
    assert "\n    by" not in proofs["chain"], "`by` stands behind the `:=`, or there is none"


def test_the_steps_of_a_proof_and_its_axioms_are_told(folder: Path) -> None:
    run = prove("theorem em (p : Prop) : p ∨ ¬p := by\n  sorry\n\n" + PROVABLE, "--json", "--budget", "20s")
    goals = {goal["declaration"]: goal for goal in json.loads(run.stdout)["goals"]}
    assert goals["em"]["closed"] is True
    assert set(goals["em"]["axioms"]) == {"propext", "Classical.choice", "Quot.sound"}
    assert set(goals["z_add"]["axioms"]) <= {"propext"}
    assert len(goals["add_comm"]["steps"]) > 1
    assert goals["add_comm"]["search"]["states"] > 1


def test_other_proofs_are_accepted_in_its_place_too(folder: Path) -> None:
    text = "theorem t (p q r : Prop) (h : p ∧ q) (k : q → r) : r ∧ p := by\n  sorry\n"
    run = prove(text, "--json", "--budget", "20s")
    [goal] = json.loads(run.stdout)["goals"]
    proofs = [goal["newText"], *(other["newText"] for other in goal["alternatives"])]
    assert len(proofs) > 1
    assert len(set(proofs)) == len(proofs)
    for proof in proofs:
        whole = text.replace("sorry", proof)
        assert not re.search("error|sorry", lean_says(whole)), whole


def test_simp_only_is_written_where_it_is_asked_for(folder: Path) -> None:
    text = "theorem t (xs ys : List Nat) : (xs ++ ys).length + 0 = xs.length + ys.length := sorry\n"
    for arguments in ((), ("--simp-only",)):
        run = prove(text, "--write", "--budget", "20s", *arguments)
        assert run.returncode == 0, run.stderr
        written = Path("Foo.lean").read_text(encoding="utf-8")
        assert not re.search("error|sorry", lean_says(written)), written
        assert bool(re.search(r"\bsimp\w*\b(?! only)", written)) is not bool(arguments)
        assert ("only [" in written) is bool(arguments)


def test_an_unfinished_proof_is_put_in_where_asked_and_lean_reads_it(folder: Path) -> None:
    run = prove(OPEN, "--write", "--sketch", "--budget", "4s")
    assert run.returncode == 1, run.stderr
    assert "leaves 1 goal" in run.stderr
    text = Path("Foo.lean").read_text(encoding="utf-8")
    said = lean_says(text)
    assert "error" not in said, text + said
    assert said.count("declaration uses 'sorry'") == 2
    # One goal of two is proved in each.
    assert re.search(r"theorem half.*hp\b.*\n(.*\n)*.*sorry", text)
    assert text != OPEN


def test_an_interrupt_in_the_middle_of_a_search_leaves_no_process(folder: Path) -> None:
    Path("Foo.lean").write_text(ENDLESS, encoding="utf-8")
    command = [*TACIT, "prove", "Foo.lean", "--write", "--budget", "10m"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ours: dict[int, psutil.Process] = {}
    # Loading what every file imports takes a Lean less than a second: it is searching then.
    while sum(map(_seconds, ours.values())) < 4:
        assert process.poll() is None, process.communicate()
        ours |= {each.pid: each for each in psutil.Process(process.pid).children(recursive=True)}
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert b"Traceback" not in out + err
    assert [each for each in ours.values() if each.is_running() and each.status() != psutil.STATUS_ZOMBIE] == []
    assert Path("Foo.lean").read_text(encoding="utf-8") == ENDLESS


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


async def finished(bench: Bench, text: str, proof: str | Proof, wanted: Finish = PLAIN) -> str:
    """The document with a proof that a search might have found, as it is finished."""
    site = await bench.site(text)
    whole = read_block(proof) if isinstance(proof, str) else proof
    assert whole is not None
    steps = [Taken(each.tactic, "test", site.goals) for _, each in whole.walk()]
    finisher = Finisher(bench.checker, site, 1, (), harvest, wanted, "test")
    found = await finisher.written(whole, steps, time.monotonic() + 30)
    assert found is not None
    assert found.suggestion.verified
    edit = found.suggestion.edit
    return put(text.replace("‸", ""), edit.span, edit.new_text)


def put(text: str, span: Span, new: str) -> str:
    return text[: span.start] + new + text[span.end :]


PAIR = "theorem t (p q r : Prop) (hp : p) (hq : q) (f : q → r) : p ∧ q ∧ r := by\n  sorry‸\n"


@with_bench
@pytest.mark.parametrize(
    ("text", "proof", "expected"),
    [
        (
            PAIR,
            "constructor\n· exact hp\n· constructor\n  · exact hq\n  · apply f\n    exact hq",
            "exact ⟨hp, hq, f hq⟩",
        ),
        (PAIR, "have h : r := f hq\nhave k : p := hp\nrefine ⟨hp, ?_⟩\nexact ⟨hq, h⟩", "exact ⟨hp, hq, f hq⟩"),
        (
            "theorem t (p q r : Prop) (f : p → r) : p → q → r → q := by\n  sorry‸\n",
            "intro a\nintro b\nintro c\nhave d := f a\nexact b",
            "exact fun _ b _ => b",
        ),
        (
            "theorem t (f : Nat → Nat) (h : a = b) (k : b = c) : f a + 0 = f c ∧ f b = f c := by\n  sorry‸\n",
            "rw [h]\nrw [k]\nrw [Nat.add_zero]\nconstructor\n· rfl\n· rfl",
            "rw [h, k]\nexact ⟨rfl, rfl⟩",
        ),
        (
            "theorem t (n : Nat) (p : Nat → Prop) (h : p 0) (k : ∀ n, p (n + 1)) : p n := by\n  sorry‸\n",
            "induction n with\n| zero => exact h\n| succ n ih => exact k n",
            "cases n with\n| zero => exact h\n| succ n => exact k n",
        ),
        (
            "theorem t (n : Nat) (h : n = 0 ∨ n = 1) : n * n = n := by\n  sorry‸\n",
            "cases h with\n| inl e => simp [e]\n| inr e => simp [e]",
            "cases h with\n| inl e => simp [e]\n| inr e => simp [e]",
        ),
    ],
)  # fmt: skip
async def test_lean_accepts_the_neater_form(bench: Bench, text: str, proof: str, expected: str) -> None:
    lines = "\n  ".join(expected.split("\n"))
    assert await finished(bench, text, proof) == text.replace("sorry‸", lines)


@with_bench
async def test_an_induction_has_its_alternatives(bench: Bench) -> None:
    text = "theorem t (n : Nat) (p : Nat → Prop) (h : p 0) (k : ∀ n, p n → p (n + 1)) : p n := by\n  sorry‸\n"
    step = Proof("apply k", (Proof("assumption"),))
    found = await finished(bench, text, Proof("induction n", (Proof("exact h"), step), ("zero", "succ")))
    lines = "induction n with\n  | zero => exact h\n  | succ =>\n    apply k\n    assumption"
    assert found == text.replace("sorry‸", lines)


@with_bench
async def test_what_is_used_without_being_named_keeps_its_name(bench: Bench) -> None:
    text = "theorem t (p q : Prop) (f : p → q) : p → p → (q ∧ p) := by\n  sorry‸\n"
    proof = "intro a\nintro b\nconstructor\n· apply f\n  assumption\n· assumption"
    found = await finished(bench, text, proof)
    assert re.search(r"intro (_ b|a _)\n", found) or "fun" in found, "one of the two must stay"


@with_bench
async def test_a_term_takes_the_place_of_a_sorry_among_arguments(bench: Bench) -> None:
    text = "theorem t (p q : Prop) (h : p ∧ q) : q ∧ p := And.intro sorry‸ h.1\n"
    assert await finished(bench, text, "exact And.right h") == text.replace("sorry‸", "(And.right h)")
    text = "theorem t (p q : Prop) (h : p ∧ q) : q ∧ p :=\n  sorry‸\n"
    assert await finished(bench, text, "exact ⟨h.2, h.1⟩") == text.replace("sorry‸", "⟨h.2, h.1⟩")
    structured = await finished(bench, text, "cases h with\n| intro a b => simp [a, b]")
    assert structured.startswith("theorem t (p q : Prop) (h : p ∧ q) : q ∧ p := by\n  ")


@with_bench
async def test_simp_only_has_the_lemmas_that_are_needed(bench: Bench) -> None:
    binders = "(a b c : Nat) (h : a = b) (k : b = c) (p : Prop) (hp : p)"
    text = f"theorem t {binders} : a + 0 = c ∧ (True → p) := by\n  sorry‸\n"
    plain = await finished(bench, text, "simp [h, k, hp]")
    only = await finished(bench, text, "simp [h, k, hp]", Finish(simp_only=True))
    assert "simp [" in plain
    assert "simp only [" in only
    used = set(re.findall(r"[\w.]+", only.split("simp only [")[1].split("]")[0]))
    assert {"h", "k"} <= used
    assert "Nat.add_zero" in used or "add_zero" in used


@with_bench
async def test_simp_only_unfolds_what_it_was_given(bench: Bench) -> None:
    double = "def double (n : Nat) : Nat := n + n\n\n"
    text = f"{double}theorem t (a b : Nat) (h : a = b) : double a = b + b := by\n  sorry‸\n"
    found = await finished(bench, text, "simp [double, h]", Finish(simp_only=True))
    assert "simp only [double, h]" in found


@with_bench
async def test_long_lists_are_broken_and_still_accepted(bench: Bench) -> None:
    names = [f"a_long_hypothesis_{n}" for n in range(6)]
    binders = " ".join(f"({name} : f {n} = f {n + 1})" for n, name in enumerate(names))
    text = f"theorem t (f : Nat → Nat) {binders} : f 0 = f 6 := by\n  sorry‸\n"
    found = await finished(bench, text, "\n".join(f"rw [{name}]" for name in names))
    lines = found.split("\n")[1:]
    assert max(map(len, lines)) <= 100
    assert lines[0].endswith(",")
    assert lines[1].startswith("    a_long")
    assert found.count("rw [") == 1
