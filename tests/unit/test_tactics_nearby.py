"""The source that uses what stands above in the same file: what it offers for small files, without Lean."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tacit.server.lean.declarations import above
from tacit.server.lean.gate import refusal
from tacit.server.tactics.nearby import NearbyTactics
from tacit.server.tactics.probes import probe_names
from tacit.server.tactics.source import SourceRequest
from tacit.server.tactics.statements import statement
from tacit.server.values import Declaration, Goal, Hypothesis

TREES = """
inductive Tree (α : Type) where
  | leaf : Tree α
  | node (left : Tree α) (value : α) (right : Tree α) : Tree α

def size {α : Type} : Tree α → Nat
  | .leaf => 0
  | .node l _ r => size l + 1 + size r

def mirror {α : Type} : Tree α → Tree α
  | .leaf => .leaf
  | .node l a r => .node (mirror r) a (mirror l)

def unrelated (n : Nat) : Nat := n + 1

theorem mirror_mirror {α : Type} (t : Tree α) : mirror (mirror t) = t := by
  sorry

"""
MONOID = """
class Monoid (M : Type) extends Mul M where
  one : M
  mul_assoc : ∀ a b c : M, a * b * c = a * (b * c)
  one_mul : ∀ a : M, one * a = a

def IsHom {M N : Type} [Monoid M] [Monoid N] (f : M → N) : Prop :=
  ∀ a b : M, f (a * b) = f a * f b

theorem regroup {M : Type} [Monoid M] (a b c : M) : a * (b * c) = a * b * c := by
  sorry

"""
ORDER = """
class Poset (α : Type) extends LE α where
  refl : ∀ a : α, a ≤ a
  trans : ∀ {a b c : α}, a ≤ b → b ≤ c → a ≤ c

"""
OLD = frozenset(probe_names()) - {"grind", "grind params", "omega"}


def goal(target: str, **types: str) -> Goal:
    """A goal with these hypotheses; `inst` stands for an instance without a name."""
    hypotheses = [Hypothesis(("inst✝" if name == "inst" else name,), text) for name, text in types.items()]
    return Goal(tuple(hypotheses), target)


def offered(file: str, at: Goal, known: frozenset[str] = OLD, own: str = "mine") -> list[str]:
    """The texts offered for a goal at the end of a file, likeliest first."""
    file += "\ntheorem here : True := by\n  skip\n"
    request = SourceRequest((at,), known, own, above=above(file, len(file)))

    async def collect() -> list[str]:
        return [c.text async for batch in NearbyTactics().candidates(request) for c in batch]

    return asyncio.run(collect())


def test_a_statement_is_read_from_its_signature() -> None:
    read = statement(Declaration("f_one", "theorem", "{G : Type} [Group G] (a b : G) (h : a ≤ b) : a * b = b"))
    assert [binder.name for binder in read.binders] == ["G", "", "a", "b", "h"]
    assert read.equation == ("a * b", "b")
    assert statement(Declaration("f", "field", ": ∀ a : G, one * a = a")).unknowns == {"a", "G"}
    assert statement(Declaration("odd", "def", "(n : Nat := 0)")).conclusion == ""


def test_induction_uses_the_definitions_that_the_goal_mentions() -> None:
    texts = offered(TREES, goal("mirror (mirror t) = t", α="Type", t="Tree α"), own="mirror_twice")
    assert "induction t <;> simp_all [mirror]" in texts[:8]
    assert not any("unrelated" in text for text in texts)


def test_sums_of_numbers_bring_their_lemmas_only_where_nothing_better_is_known() -> None:
    at = goal("size (mirror t) = size t", α="Type", t="Tree α")
    assert any("mirror, size, Nat.add_succ" in text for text in offered(TREES, at))
    today = offered(TREES, at, frozenset(probe_names()))
    assert today[0] == "grind [mirror, size]"
    assert not any("Nat.add_comm" in text for text in today)


def test_laws_of_a_class_in_the_context_simplify_in_both_directions() -> None:
    at = goal("one * (a * b) = a * b", M="Type", inst="Monoid M", a="M", b="M")
    texts = offered(MONOID, at)
    assert texts[:2] == ["exact Monoid.one_mul (a * b)", "rw [Monoid.one_mul]"]
    assert texts[2] == "simp [Monoid.mul_assoc, Monoid.one_mul]"
    assert "simp [← Monoid.mul_assoc, Monoid.one_mul]" in texts


def test_rules_that_undo_each_other_are_never_together() -> None:
    at = goal("a * (b * c) = a * b * c", M="Type", inst="Monoid M", a="M", b="M", c="M")
    assert not any("mul_assoc" in text and "regroup" in text for text in offered(MONOID, at))


def test_a_proposition_of_the_file_is_unfolded_everywhere() -> None:
    at = goal("f (a * b) = f a * f b", inst="Monoid M", f="M → N", hf="IsHom f", a="M", b="M")
    texts = offered(MONOID, at)
    assert "unfold IsHom at *" in texts
    assert "simp_all [IsHom, Monoid.mul_assoc]" in texts


def test_laws_that_are_no_equations_are_applied() -> None:
    texts = offered(ORDER, goal("a ≤ c", inst="Poset α", a="α", b="α", c="α", hab="a ≤ b", hbc="b ≤ c"))
    assert texts[0] == "exact Poset.trans hab hbc"
    assert "apply Poset.trans <;> assumption" in texts


def test_a_predicate_is_used_by_what_stands_behind_it() -> None:
    file = (
        ORDER
        + """
def Monotone {α β : Type} [Poset α] [Poset β] (f : α → β) : Prop :=
  ∀ ⦃a b : α⦄, a ≤ b → f a ≤ f b

def Galois {α β : Type} [Poset α] [Poset β] (l : α → β) (u : β → α) : Prop :=
  ∀ a b, l a ≤ b ↔ a ≤ u b
"""
    )
    types = {"g": "β → γ", "f": "α → β", "hg": "Monotone g", "hf": "Monotone f"}
    texts = offered(file, goal("Monotone (fun a => g (f a))", **types))
    assert "intro a b ha\nexact hg (hf ha)" in texts
    texts = offered(file, goal("a ≤ u (l b)", a="α", b="α", h="a ≤ b", hl="Galois l u"))
    assert texts[0] == "exact Poset.trans h ((hl b (l b)).mp (Poset.refl (l b)))"


def test_fields_of_a_structure_in_the_context_are_used() -> None:
    file = """
structure Hom (f : Nat → Nat) : Prop where
  map_add : ∀ a b, f (a + b) = f a + f b
"""
    assert offered(file, goal("g (2 + 3) = g 2 + g 3", g="Nat → Nat", hg="Hom g"))[0] == "exact hg.map_add _ _"


def test_fields_of_a_structure_rewrite() -> None:
    file = """
structure Context (α : Type) where
  op : α → α → α
  assoc : ∀ a b c, op (op a b) c = op a (op b c)
  comm : ∀ a b, op a b = op b a
"""
    at = goal("ctx.op a (ctx.op b c) = ctx.op b (ctx.op a c)", α="Type", ctx="Context α", a="α", b="α", c="α")
    assert "rw [← ctx.assoc, ← ctx.assoc, ctx.comm a b]" in offered(file, at)
    of_2021 = replace(at, target="Context.op ctx a (Context.op ctx b c) = Context.op ctx b (Context.op ctx a c)")
    assert "rw [← ctx.assoc, ← ctx.assoc, ctx.comm a b]" in offered(file, of_2021)


def test_short_constructors_count_as_recursive() -> None:
    file = """
inductive Expr where
  | var (i : Nat)
  | op (lhs rhs : Expr)

def flip : Expr → Expr
  | .var i => .var i
  | .op a b => .op (flip b) (flip a)
"""
    texts = offered(file, goal("flip (flip e) = e", e="Expr"))
    assert "induction e <;> simp_all [flip]" in texts


def test_small_types_are_enumerated() -> None:
    file = """
inductive Colour | red | green

def mix : Colour → Bool → Bool
  | .red, b => b
  | .green, _ => false
"""
    texts = offered(file, goal("mix c b = (mix c b && b)", c="Colour", b="Bool"))
    assert "cases c <;> cases b <;> rfl" in texts


def test_large_numerals_are_not_counted_down() -> None:
    file = """
def fact : Nat → Nat
  | 0 => 1
  | n + 1 => (n + 1) * fact n
"""
    assert any("Nat.mul_succ" in text for text in offered(file, goal("fact n = 2 * fact n", n="Nat")))
    assert not any("Nat.mul_succ" in text for text in offered(file, goal("fact n = 5040 * fact n", n="Nat")))


def test_constructors_of_a_predicate_make_terms() -> None:
    file = """
inductive Even : Nat → Prop where
  | zero : Even 0
  | step : Even n → Even (n + 2)
"""
    assert offered(file, goal("Even (k + 2 + 2)", k="Nat", h="Even k"))[0] == "exact Even.step (Even.step h)"


def test_what_an_arrow_binds_is_introduced_first() -> None:
    texts = offered(TREES, goal("∀ (t : Tree Nat), mirror (mirror t) = t"))
    assert "intro t\ninduction t <;> simp_all [mirror]" in texts


@pytest.mark.parametrize("own", ["mirror_mirror", "Tree.mirror_mirror"])
def test_the_theorem_being_proved_is_not_used(own: str) -> None:
    texts = offered(TREES, goal("mirror (mirror t) = t", t="Tree Nat"), own=own)
    assert texts
    assert not any("mirror_mirror" in text for text in texts)


def test_a_name_that_the_context_hides_is_not_used() -> None:
    texts = offered(TREES, goal("mirror (mirror t) = t", mirror="Nat → Nat", t="Nat"))
    assert not any("[mirror" in text.replace("mirror_mirror", "") for text in texts)


@pytest.mark.parametrize("file", [TREES, MONOID, ORDER, ""])
@pytest.mark.parametrize("target", ["", "a", "∀ x, x ≤ x", "∃ x, f x = (", "size t + 1 = a * b ++ c", "p → q ↔ ¬r"])
def test_all_is_bounded_deterministic_and_passes_the_gate(file: str, target: str) -> None:
    at = goal(target, inst="Monoid α", a="Nat", t="Tree α", l="List Nat", h="a = a", f="α → α", p="Prop")
    texts = offered(file, at, frozenset(probe_names()))
    assert len(texts) <= 64
    assert texts == offered(file, at, frozenset(probe_names()))
    assert len(set(texts)) == len(texts)
    assert not [text for text in texts if refusal(text, own_name="mine")]


def test_only_tactics_that_the_environment_knows_are_offered() -> None:
    at = goal("size t = size t", t="Tree Nat")
    assert all(text.startswith("simp ") for text in offered(TREES, at, frozenset({"simp"})))
    assert offered(TREES, at, frozenset()) == []
