"""What each source proposes for which goal and environment, and what none of them ever does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.server.tactics.above import FileLemmas
from tacit.server.tactics.definitions import DefinitionTactics
from tacit.server.tactics.entries import ENTRIES, Tier
from tacit.server.tactics.hypotheses import HypothesisTactics
from tacit.server.tactics.portfolio import Portfolio
from tacit.server.tactics.probes import PROBES, required
from tacit.server.values import Declaration
from tests.unit.properties import any_texts, examples
from tests.unit.tactics_goals import CORE, EVERYTHING, OLD, batches, request, sources, texts

# Goals of every shape, as Lean prints them.
GOALS = (
    "p q : Prop; h : p ∧ q; q ∧ p",
    "p q : Prop; h : p ∨ q; h' : ¬p; q",
    "p q r : Prop; p ∧ (q ∨ r) ↔ p ∧ q ∨ p ∧ r",
    "p q : Prop; h : p ↔ q; hq : q; p",
    "p : Prop; h : False; p",
    "α : Type; P : α → Prop; h : ∃ x, P x; ∃ x, P x ∧ P x",
    "α : Type; P : α → Prop; h : ∀ (x : α), P x; ∀ (x : α), P x",
    "α : Type; s t : Set α; h : s ⊆ t; s ∩ t ⊆ t",
    "n m : Nat; h : n = m; hm : m < 3; n + 0 < 3",
    "n : Nat; ih : double n = 2 * n; double (n + 1) = 2 * (n + 1)",
    "a b : ℝ; ha : 0 < a; hb : 0 < b; a ^ 2 + b ^ 2 ≥ 2 * a * b",
    "α : Type; xs ys : List α; (xs ++ ys).length = ys.length + xs.length",
    "f g : Nat → Nat; h : ∀ (x : Nat), f x = g x; f = g",
    "n : Nat; h : n ≠ 0; ∃ m, n = m + 1",
    "n : Nat; ⊢ (if n = 0 then 1 else 2) > 0",
    "∀ ε > 0, ∃ δ > 0, ∀ (x : ℝ), |x - 1| < δ → |x ^ 2 - 1| < ε",
    "x✝ : Nat; h✝ : x✝ = 0; this : p; h : x✝ = 1; x✝ = 2",
    "n : Nat := 5; n = 5",
    "f : ℝ → ℝ; hf : Continuous f; Continuous fun x => f x + 1",
    "n : ℕ; hn : Even n; Even (n ^ 2)",
    "i : Fin 3; i * i = i + i",
    "h : ?m.3 = ?m.4; ?m.5",
    "Nat",
)
ABOVE = (
    Declaration("double", "def", "(n : Nat) : Nat"),
    Declaration("T", "inductive", "(α : Type)"),
    Declaration("T.leaf", "constructor", ": T α"),
    Declaration("T.node", "constructor", ": T α → α → T α → T α"),
    Declaration("double_succ", "theorem", "(n : Nat) : double (n + 1) = double n + 2"),
    Declaration("add_comm'", "theorem", "(a b : Nat) : a + b = b + a"),
    Declaration("pos_of", "theorem", "{n : Nat} (h : n ≠ 0) : 0 < n"),
)


# ---------------------------------------------------------------- what holds for all sources


@pytest.mark.parametrize("known", [OLD, CORE, EVERYTHING], ids=["2021", "core", "everything"])
@pytest.mark.parametrize("text", GOALS)
def test_every_candidate_is_fit_to_be_sent(text: str, known: frozenset[str]) -> None:
    asked = request(text, known, imports=("Mathlib",), declaration="own_name", above=ABOVE)
    for source in sources():
        proposed = batches(source, asked)
        assert all(len(batch) <= 32 for batch in proposed)
        for candidate in (candidate for batch in proposed for candidate in batch):
            assert required(candidate.text) <= known, candidate.text
            assert required(candidate.text) <= PROBES.keys(), candidate.text
            assert 0 <= candidate.prior <= 1
            assert candidate.source == source.name
            for banned in ("✝", "sorry", "admit", "--", "/-", '"', "?m", "own_name", "native_decide", "#", "$"):
                assert banned not in candidate.text, candidate.text
            assert candidate.text == candidate.text.strip()


@pytest.mark.parametrize("text", GOALS)
def test_no_source_repeats_itself_or_changes_its_mind(text: str) -> None:
    asked = request(text, above=ABOVE)
    for source in sources():
        first = texts(source, asked)
        assert len(set(first)) == len(first)
        assert texts(source, asked) == first


def test_the_sources_have_names_of_their_own() -> None:
    names = [source.name for source in sources()]
    assert len(set(names)) == len(names)


@examples
@given(any_texts, any_texts, st.sampled_from([OLD, EVERYTHING]))
def test_no_goal_breaks_a_source(type_: str, target: str, known: frozenset[str]) -> None:
    asked = request(f"h : {type_.replace(';', '')}; {target.replace(';', '')}", known, above=ABOVE)
    for source in sources():
        assert all(text.strip() for text in texts(source, asked))


# ---------------------------------------------------------------- the portfolio


def test_decision_procedures_come_first_where_they_are_known() -> None:
    goal = "n m : Nat; h : n < m; n ≤ m"
    assert texts(Portfolio(), request(goal, CORE))[:4] == ["grind", "omega", "simp_all", "simp"]
    assert texts(Portfolio(), request(goal, OLD))[:2] == ["simp_all", "simp"]


def test_an_environment_is_asked_for_nothing_that_it_does_not_know() -> None:
    assert texts(Portfolio(), request("p : Prop; p", frozenset())) == []
    assert set(texts(Portfolio(), request("p : Prop; p", {"simp"}))) <= {"simp", "simp [*]"}


def test_syntax_without_a_tactic_behind_it_replaces_nothing() -> None:
    """The first Mathlib for Lean 4 parsed `left` and `omega` and said "not implemented"."""
    goal = "n : Nat; n = 0 ∨ 0 < n"
    stubs = OLD | {"left", "right", "omega"}
    assert {"left", "apply Or.inl", "exact Nat.eq_zero_or_pos _"} <= set(texts(Portfolio(), request(goal, stubs)))
    assert "apply Or.inl" not in texts(Portfolio(), request(goal, stubs | {"exact?"}))
    plain = "induction n <;> simp_all [Nat.add_succ, Nat.succ_add, Nat.mul_succ, Nat.succ_mul]"
    assert plain in texts(HypothesisTactics(), request(goal, stubs))
    assert plain not in texts(HypothesisTactics(), request(goal, CORE))


def test_tiers_follow_each_other() -> None:
    proposed = batches(Portfolio(), request("a b : ℝ; a * b ≤ b * a", imports=("Mathlib",)))
    flat = [candidate for batch in proposed for candidate in batch]
    queries = [candidate.query for candidate in flat]
    assert queries == sorted(queries)
    order = [candidate.text for candidate in flat]
    assert order.index("linarith") < order.index("by_contra! h") < order.index("nlinarith") < order.index("exact?")
    assert "nlinarith [sq_nonneg (a - b), sq_nonneg a, sq_nonneg b]" in order


def test_queries_are_marked() -> None:
    proposed = [c for batch in batches(Portfolio(), request("p : Prop; p")) for c in batch]
    assert {c.text for c in proposed if c.query} == {
        entry.text for entry in ENTRIES if entry.tier is Tier.QUERY and entry.text != "library_search"
    }


@pytest.mark.parametrize(
    ("text", "there", "absent"),
    [
        ("p q : Prop; p ∧ q", ["constructor", "refine ⟨?_, ?_⟩"], ["left", "split", "intro h"]),
        ("p q : Prop; p ∨ q", ["left", "right", "exact Classical.em _"][:2], ["constructor", "apply Or.inl"]),
        ("p q : Prop; p → q", ["intro hp", "intro hp <;> simp_all"], ["constructor", "funext x"]),
        ("p q r : Prop; (p → q) → (q → r) → p → r", ["intro h₁ h₂ hp", "intro h₁"], []),
        ("α : Type; ∀ (x y : α), x = y", ["intro x y", "intro x"], ["intro x <;> induction x <;> grind"]),
        ("∀ (n : Nat), 0 + n = n", ["intro n", "intro n <;> induction n <;> grind"], []),
        ("∀ ε > 0, ∃ x, x < ε", ["intro ε hε", "intro ε"], ["intro ε <;> induction ε <;> grind"]),
        ("p q : Prop; p ∧ q → q", ["rintro ⟨hp, hq⟩", "intro h"], []),
        ("p q : Prop; p ∨ q → q", ["rintro (hp | hq)"], []),
        ("p : Prop; ¬p", ["intro hp"], []),
        ("a b : Nat; a ≠ b", ["intro ha"], []),
        ("s t : Set Nat; s ⊆ t", ["intro x hx"], []),
        ("f g : Nat → Nat; f = g", ["funext x", "ext x"], []),
        ("n m : Nat; n = m", ["symm"], ["funext x", "ext x"]),
        ("n : Nat; (if n = 0 then 1 else 2) = 2", ["split", "split <;> simp_all", "split_ifs"], []),
        ("a : ℝ; 0 < a", ["positivity"], []),
        ("a b : ℝ; a < b", [], ["positivity"]),
        ("p : Prop; False", [], ["exfalso"]),
        ("n : Nat; ∃ m, m = n", ["exact ⟨_, rfl⟩"], ["constructor <;> simp_all"]),
    ],
)
def test_the_shape_of_the_target_decides(text: str, there: list[str], absent: list[str]) -> None:
    proposed = texts(Portfolio(), request(text, imports=("Mathlib",)))
    assert set(there) <= set(proposed)
    assert not set(absent) & set(proposed)


@pytest.mark.parametrize(
    ("text", "intro"),
    [
        ("x : Nat; ∀ (x : Nat), x = x", "intro x₁"),
        ("x : Nat; ∀ (x_1 : Nat), x_1 = x", "intro x₁"),
        ("h : p; q ∧ r → s", "intro h₁"),
        ("hp : Nat; p : Prop; p → q", "intro hp₁"),
        ("α : Type; ∀ (a✝ : α), p", "intro x"),
        ("p : Prop; [Decidable p] → q", "intro _"),
        ("0 < n → p", "intro hn"),
    ],
)
def test_introduced_names_are_fresh_and_habitual(text: str, intro: str) -> None:
    assert intro in texts(Portfolio(), request(text))


def test_mathlib_lemmas_need_mathlib() -> None:
    goal = "a b : Nat; a = b"
    assert "apply le_antisymm" in texts(Portfolio(), request(goal, imports=("Mathlib.Order.Basic",)))
    assert "apply le_antisymm" not in texts(Portfolio(), request(goal, imports=("Init", "Lean.Elab")))


def test_nothing_in_the_portfolio_uses_the_network_or_adds_axioms() -> None:
    for entry in ENTRIES:
        assert not {"polyrith", "bv_decide", "native_decide", "nativeDecide", "rw_search"} & set(entry.text.split())


# ---------------------------------------------------------------- the context


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("p : Prop; h : p; p", ["exact h"]),
        ("p q : Prop; h : p → q; q", ["apply h", "apply h <;> assumption"]),
        ("p q : Prop; h : p → q; hp : p; r", ["have hq := h hp", "specialize h hp"]),
        ("p q : Prop; h : p ∨ q; r", ["rcases h with hp | hq", "cases h with\n| inl hp => ?_\n| inr hq => ?_"]),
        ("p q : Prop; h : p ∧ q; r ∨ s", ["obtain ⟨hp, hq⟩ := h", "have ⟨hp, hq⟩ := h"]),
        ("P : Nat → Prop; h : ∃ x, P x ∧ 0 < x; q", ["obtain ⟨x, h₁, hx⟩ := h"]),
        ("a b : Nat; h : a = b; f a = f b", ["rw [h]", "rw [← h]", "subst h", "exact congrArg _ h", "simp [h]"]),
        ("a b : Nat; P : Nat → Prop; h : a = b; ha : P a; P b", ["exact h ▸ ha", "rw [← h] <;> assumption"]),
        ("f : Nat → Nat; h : ∀ (x : Nat), f x = x; n : Nat; f n = n", ["rw [h]", "exact h n"]),
        ("h : succ n = succ m; n = m", ["injection h with h₁", "injection h", "cases h"]),
        ("a b c : Nat; h : a < b; h' : b ≤ c; a < c", ["exact Nat.lt_of_lt_of_le h h'"]),
        ("a b c : Nat; h : a ≤ b; h' : b < c; a ≤ c", ["exact Nat.le_of_lt (Nat.lt_of_le_of_lt h h')"]),
        ("n : Nat; 0 + n = n", ["induction n with\n| zero => ?_\n| succ n ih => ?_", "induction n <;> simp_all"]),
        ("xs : List Nat; len xs = 0", ["cases xs with\n| nil => ?_\n| cons x xs => ?_"]),
        ("n m : Nat; f n m = n", ["induction n generalizing m <;> simp_all"]),
        ("b : Bool; !!b = b", ["cases b <;> rfl"]),
        ("n : ℕ; h : 2 ∣ n; p", ["obtain ⟨k, hk⟩ := h"]),
        ("n : Nat; ∃ m, n < m", ["refine ⟨n, ?_⟩", "use n"]),
        ("n : Nat; h : n < 3; p n", ["interval_cases n <;> simp_all"]),
        ("x : Nat := 5; x = 5", ["simp [x]"]),
        ("f g : Nat → Nat; h : ∀ (x : Nat), f x = g x; f = g", ["exact funext h"]),
        ("f : Nat → Nat; h : Inj f; hab : f a = f b; a = b", ["apply h <;> assumption"]),
        ("h : ¬∀ x, p x; q", ["push_neg at h"]),
        ("a b : ℝ; h : a = b; a + a = b + b", ["linear_combination h"]),
    ],
)
def test_the_context_is_put_to_use(text: str, there: list[str]) -> None:
    proposed = texts(HypothesisTactics(), request(text))
    assert set(there) <= set(proposed), proposed


def test_what_fits_the_target_comes_first() -> None:
    goal = "p q r : Prop; h₁ : q → r; h₂ : p; h₃ : r → p; p"
    assert texts(HypothesisTactics(), request(goal))[0] == "exact h₂"


def test_a_long_context_is_cut() -> None:
    context = "; ".join(f"h{i} : x{i} = y{i} ∧ (p{i} ∨ q{i})" for i in range(40))
    proposed = batches(HypothesisTactics(), request(f"{context}; x3 = y3"))
    assert sum(map(len, proposed)) == 48
    assert proposed[0][0].text == "exact h3.1"


def test_inaccessible_names_are_passed_over() -> None:
    assert not any("h✝" in text for text in texts(HypothesisTactics(), request("h✝ : p; hp : p → q; q")))


def test_types_of_the_context_are_not_recursed_on() -> None:
    proposed = texts(HypothesisTactics(), request("α : Type; a b : α; x : ℝ; a = b ∧ x = x"))
    assert not any(text.startswith(("induction", "cases a", "cases x")) for text in proposed)


def test_an_equation_that_would_rewrite_itself_for_ever_is_no_induction_for_simp() -> None:
    """Seen on a Lean of 2021: `simp_all` with `ih : succ n = n + succ zero` never ended."""
    loops = texts(HypothesisTactics(), request("n : Nat; succ n = n + succ zero"))
    assert "induction n <;> simp_all" not in loops
    reorders = texts(HypothesisTactics(), request("n m : Nat; n + m = m + n"))
    assert "induction n <;> simp_all" in reorders


# ---------------------------------------------------------------- definitions and lemmas of the file


def test_definitions_of_the_file_come_before_those_of_a_library() -> None:
    goal = "n : Nat; Function.foo (double n) = 2 * n"
    own = texts(DefinitionTactics(), request(goal, above=ABOVE))
    assert own[0] == "simp [double]"
    assert "induction n <;> simp_all [double]" in own
    assert not any("Function.foo" in text for text in own)
    assert texts(DefinitionTactics(), request(goal))[0] == "simp [Function.foo, double]"


def test_a_field_is_found_through_the_type_of_its_variable() -> None:
    proposed = texts(DefinitionTactics(), request("α : Type; t : Tree α; t.mirror.mirror = t"))
    assert "simp [Tree.mirror]" in proposed


def test_what_is_no_definition_is_not_unfolded() -> None:
    assert texts(DefinitionTactics(), request("n : Nat; xs : List Nat; (if n = 0 then xs else []) = xs")) == []
    assert texts(DefinitionTactics(), request("n : Nat; own n = n", declaration="own")) == []


def test_constructors_of_the_file_make_alternatives() -> None:
    proposed = texts(HypothesisTactics(), request("α : Type; t : T α; mirror t = t", above=ABOVE))
    assert "induction t with\n| leaf => ?_\n| node t x t₁ ih₁ ih₂ => ?_" in proposed
    assert "cases t with\n| leaf => ?_\n| node t x t₁ => ?_" in proposed


def test_constructors_are_found_inside_their_namespace() -> None:
    above = (
        Declaration("N", "inductive", ""),
        Declaration("zero", "constructor", ": N"),
        Declaration("succ", "constructor", ": N → N"),
    )
    proposed = texts(HypothesisTactics(), request("n : N; n = n + zero", above=above))
    assert "induction n with\n| zero => ?_\n| succ n ih => ?_" in proposed


def test_lemmas_of_the_file_are_applied_and_rewritten_with() -> None:
    proposed = texts(FileLemmas(), request("n : Nat; h : n ≠ 0; 0 < n", above=ABOVE))
    assert proposed[0] == "exact pos_of h"
    assert "apply pos_of" in proposed
    rewrites = texts(FileLemmas(), request("n : Nat; double (n + 1) = 2 * (n + 1)", above=ABOVE))
    assert {"rw [double_succ]", "simp [double_succ]", "induction n <;> simp_all [double_succ]"} <= set(rewrites)
    assert "rw [add_comm']" in rewrites


def test_a_lemma_that_only_reorders_is_no_rule_for_simp() -> None:
    proposed = texts(FileLemmas(), request("a b : Nat; double (a + b) = double (b + a)", above=ABOVE))
    assert not any("simp" in text and "add_comm'" in text for text in proposed)


def test_the_theorem_being_proved_is_no_lemma() -> None:
    proposed = texts(FileLemmas(), request("n : Nat; h : n ≠ 0; 0 < n", declaration="pos_of", above=ABOVE))
    assert not any("pos_of" in text for text in proposed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b c : Nat; h : a < b; a < c", "refine Nat.lt_of_lt_of_le h ?_"),
        ("a b c : Nat; h : b < c; a < c", "refine Nat.lt_of_le_of_lt ?_ h"),
        ("a b c : Nat; h : a ≤ b; a < c", "refine Nat.lt_of_le_of_lt h ?_"),
        ("a b c : Nat; h : b ≤ c; a < c", "refine Nat.lt_of_lt_of_le ?_ h"),
        ("a b c : Nat; h : b ≤ c; a ≤ c", "refine Nat.le_trans ?_ h"),
        ("a b c : Nat; h : a < b; a ≤ c", "refine Nat.le_trans (Nat.le_of_lt h) ?_"),
        ("n : Nat; h : n < 256; n < limit", "exact Nat.lt_of_lt_of_le h (by decide)"),
        ("a b c : Nat; h : a ∣ b; a ∣ c", "refine Nat.dvd_trans h ?_"),
    ],
)
def test_a_chain_begins_or_ends_with_a_hypothesis(text: str, expected: str) -> None:
    assert expected in texts(HypothesisTactics(), request(text, OLD))
    generic = expected.replace("Nat.", "")
    assert generic in texts(HypothesisTactics(), request(text, EVERYTHING, imports=("Mathlib.Order.Basic",)))


def test_a_hypothesis_that_touches_neither_end_begins_no_chain() -> None:
    found = texts(HypothesisTactics(), request("a b c d : Nat; h : b < c; a < d", OLD))
    assert not [text for text in found if text.startswith("refine Nat.")]
