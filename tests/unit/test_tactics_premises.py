"""Tactics made from premises: which, in what order, and what becomes of them without an index."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from tacit.server.library import ANALYSIS
from tacit.server.premise_library import IndexedPremises
from tacit.server.tactics.premises import PremiseTactics
from tacit.server.tactics.probes import PROBES
from tacit.server.tactics.source import Helpful, SourceRequest
from tacit.server.values import Candidate, Goal, Hypothesis
from tests.unit.corpus import write


class Finder:
    """Finds what it was given."""

    def __init__(self, *found: Helpful) -> None:
        self._found = found
        self.asked: list[tuple[SourceRequest, int]] = []

    async def find(self, request: SourceRequest, limit: int) -> Sequence[Helpful]:
        self.asked.append((request, limit))
        return self._found[:limit]

    async def unknown(self, request: SourceRequest, names: Collection[str]) -> Collection[str]:
        raise AssertionError("what premises are called is not asked")


def helpful(name: str, signature: str, **more: bool) -> Helpful:
    return Helpful(name, signature, 1.0, **more)


def goal(target: str, **hypotheses: str) -> Goal:
    return Goal(tuple(Hypothesis((name,), text) for name, text in hypotheses.items()), target)


def ask(request: SourceRequest, *found: Helpful) -> list[Candidate]:
    async def gather() -> list[Candidate]:
        return [each async for batch in PremiseTactics(Finder(*found)).candidates(request) for each in batch]

    return asyncio.run(gather())


def texts(target: str, *found: Helpful, known: Sequence[str] = tuple(PROBES), **hypotheses: str) -> list[str]:
    return [each.text for each in ask(SourceRequest((goal(target, **hypotheses),), frozenset(known)), *found)]


MUL_COMM = helpful("mul_comm", "{G : Type*} [CommMonoid G] (a b : G) : a * b = b * a")
ADD_LE = helpful("add_le_add_right", "{a b : Nat} (h : a ≤ b) (c : Nat) : a + c ≤ b + c")
MEM_IFF = helpful("Set.mem_iff", "(s : Set α) (x : α) : x ∈ s ↔ Good s x")
CARD = helpful("Finset.card_empty", ": Finset.card ∅ = 0")


@pytest.mark.parametrize(
    ("wanted", "target", "premise", "hypotheses"),
    [
        ("exact mul_comm _ _", "x * y = y * x", MUL_COMM, {}),
        ("rw [mul_comm]", "x * y + 0 = z", MUL_COMM, {}),
        ("exact add_le_add_right h c", "a + c ≤ b + c", ADD_LE, {"h": "a ≤ b"}),
        ("apply add_le_add_right", "f a + c ≤ b + c", ADD_LE, {}),
        ("exact (Set.mem_iff s x).mpr h", "x ∈ s", MEM_IFF, {"h": "Good s x"}),
        ("exact (Set.mem_iff s x).mp h", "Good s x", MEM_IFF, {"h": "x ∈ s"}),
        ("rw [Finset.card_empty]", "(∅).card + 1 = 1", CARD, {}),
        ("simp [Finset.card_empty]", "(∅).card + 1 = 1", CARD, {}),
        ("intro x y\nexact mul_comm _ _", "∀ (x y : G), x * y = y * x", MUL_COMM, {}),
        ("rw [mul_comm] at h", "p", MUL_COMM, {"h": "x * y = z"}),
        ("unfold double", "double x = x + x", helpful("double", "(n : Nat) : Nat", defined=True), {}),
    ],
)
def test_a_premise_becomes(wanted: str, target: str, premise: Helpful, hypotheses: dict[str, str]) -> None:
    assert wanted in texts(target, premise, **hypotheses)


def test_terms_and_chains_of_several_premises() -> None:
    good = helpful("le_of_good", "{a b : Nat} (h : Good a b) : a ≤ b")
    assert "exact add_le_add_right (le_of_good hx) z" in texts("x + z ≤ y + z", ADD_LE, good, hx="Good x y", z="Nat")
    length = helpful("length_append", "(xs ys : List α) : length (xs ++ ys) = length xs + length ys")
    add = helpful("add_comm", "(a b : Nat) : a + b = b + a")
    assert "rw [length_append, add_comm]" in texts("length (l ++ m) = length m + length l", length, add)


def test_no_blank_stands_for_a_hypothesis() -> None:
    assert not [each for each in texts("a + c ≤ b + c", ADD_LE) if each.startswith("exact add_le_add_right _")]


def test_equations_that_loop_are_no_rules_of_simp() -> None:
    loop = helpful("div_eq", "(x y : Nat) : x / y = if 0 < y then (x - y) / y + 1 else 0")
    assert not [each for each in texts("a / b = c", loop) if each.startswith(("simp [", "simp_all ["))]


def test_commuting_equations_are_no_rules_of_simp() -> None:
    assert not [each for each in texts("x * y = y * x", MUL_COMM) if each.startswith(("simp [", "simp_all ["))]


def test_a_rule_of_simp_is_not_given_together_with_one_that_undoes_it() -> None:
    there = helpful("Nat.succ_eq_add_one", "(n : Nat) : succ n = n + 1")
    back, other = helpful("Nat.add_one", "(m : Nat) : m + 1 = succ m"), helpful("f_succ", "(k : Nat) : f (succ k) = k")
    found = [each for each in texts("f (succ a) = a + 1", there, back, other) if each.startswith("simp [")]
    assert "simp [Nat.succ_eq_add_one, f_succ]" in found
    assert not [each for each in found if "Nat.add_one" in each and "succ_eq" in each]
    assert "simp [Nat.add_one]" in found  # alone it may be what is needed


def test_what_the_environment_lacks_is_not_proposed() -> None:
    assert {each.split()[0] for each in texts("x * y = y * x", MUL_COMM, known=["exact"])} == {"exact"}


def test_a_local_name_hides_a_premise() -> None:
    assert texts("x * y = y * x", MUL_COMM, mul_comm="p") == []


def test_of_definitions_only_those_are_unfolded_that_the_goal_or_a_proof_speaks_of() -> None:
    decidable = helpful("DecidableEq", "(α : Type) : Type", defined=True)
    even = helpful("Even", "(n : Nat) : Prop", defined=True)
    hypotheses = {"α": "Type", "inst✝": "DecidableEq α", "h": "Even x"}
    found = texts("double x = x + x", decidable, even, **hypotheses)
    assert "simp_all [Even]" in found
    assert not any("DecidableEq" in each for each in found if not each.startswith("grind"))


def test_deprecated_premises_come_last() -> None:
    old = helpful("old_mul_comm", "(a b : G) : a * b = b * a", deprecated=True)
    found = [each for each in texts("x * y = y * x", old, MUL_COMM) if each.startswith("exact ")]
    assert found.index("exact mul_comm _ _") < found.index("exact old_mul_comm _ _")


def test_batches_and_their_sum_are_bounded_and_likeliest_first() -> None:
    many = [helpful(f"lemma_{n}", "(a b : G) : a * b = b * a") for n in range(60)]

    async def gather() -> list[Sequence[Candidate]]:
        request = SourceRequest((goal("x * y = y * x"),), frozenset(PROBES))
        return [batch async for batch in PremiseTactics(Finder(*many)).candidates(request)]

    found = asyncio.run(gather())
    everything = [each for batch in found for each in batch]
    assert max(map(len, found)) <= 32
    assert len(everything) <= 96
    assert [each.prior for each in everything] == sorted((each.prior for each in everything), reverse=True)
    assert len({each.text for each in everything}) == len(everything)


def test_odd_statements_are_no_error() -> None:
    odd = ["", ":", "(((", "∀ x,", ": ∀", "{a : α} : a = a =", ": " + "f (" * 300, "(a : " + "α → " * 200 + "β) : a"]
    assert isinstance(texts("x = y", *(helpful(f"odd{n}", each) for n, each in enumerate(odd))), list)


# ---------------------------------------------------------------- indexes on disk


FILES = {"Top/Base.lean": "theorem mul_comm (a b : G) : a * b = b * a := sorry\n"}


def find(finder: IndexedPremises, text: str, path: Path | None) -> list[str]:
    request = SourceRequest((goal("x * y = y * x"),), frozenset(PROBES), "foo", text=text, start=len(text), path=path)

    async def run() -> Sequence[Helpful]:
        return await finder.find(request, 10)

    return [each.name for each in asyncio.run(run())]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MATHLIB", raising=False)
    root = tmp_path / "work"
    write(root, {**FILES, "lakefile.toml": 'name = "top"\n[[lean_lib]]\nname = "Top"\n'})
    return root


def build(root: Path) -> None:
    from tacit.index.places import places
    from tacit.server.library import bring_up_to_date

    for each in places(root):
        bring_up_to_date(each, lambda *_: None)


def test_without_an_index_there_are_no_premises(workspace: Path) -> None:
    finder = IndexedPremises()
    assert find(finder, "import Top.Base\n", workspace / "Top/New.lean") == []
    assert find(finder, "import Top.Base\n", None) == []
    asyncio.run(finder.aclose())


def test_an_index_is_found_and_read_again_when_it_changes_and_answers_when_it_is_gone(workspace: Path) -> None:
    finder = IndexedPremises()
    file = workspace / "Top/New.lean"
    assert find(finder, "import Top.Base\n", file) == []
    build(workspace)
    assert find(finder, "import Top.Base\n", file) == ["mul_comm"]
    write(workspace, {"Top/Base.lean": FILES["Top/Base.lean"].replace("mul_comm", "swapped")})
    build(workspace)
    assert find(finder, "import Top.Base\n", file) == ["swapped"]
    assert find(finder, "", file) == []
    for each in (workspace.parent / "cache" / "index").glob("*.db*"):
        each.unlink()
    assert find(finder, "import Top.Base\n", file) == ["swapped"], "as search does"
    other = IndexedPremises()
    assert find(other, "import Top.Base\n", file) == []
    asyncio.run(other.aclose())
    asyncio.run(finder.aclose())


def test_a_damaged_index_is_as_good_as_none(workspace: Path) -> None:
    build(workspace)
    for each in (workspace.parent / "cache" / "index").glob("*.db"):
        each.write_bytes(b"not a database")
    finder = IndexedPremises()
    assert find(finder, "import Top.Base\n", workspace / "Top/New.lean") == []
    asyncio.run(finder.aclose())


def test_what_proofs_name_is_noted_when_an_index_is_made(workspace: Path) -> None:
    build(workspace)
    assert ANALYSIS.version
    assert list((workspace.parent / "cache" / "index").glob("*.uses"))
