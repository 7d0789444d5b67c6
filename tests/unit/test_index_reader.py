"""Reading declarations from one Lean text, rule by rule."""

from __future__ import annotations

import pytest

from tacit.index.premise import Kind, Origin, Premise
from tacit.index.reader import read_text


def premises(text: str) -> dict[str, Premise]:
    return {each.name: each for each in read_text(text, "M").premises}


def the(text: str, name: str) -> Premise:
    return premises(text)[name]


def test_a_theorem_with_all_its_parts() -> None:
    text = """
namespace A.B
open Nat
/-- Says
      it. -/
@[simp, norm_num] protected theorem foo.{u} {n : ℕ} (h : n = (1 : ℕ)) : ∀ x, x ≤ n
    ∧ n = 1 := by
  simp
end A.B
"""
    found = the(text, "A.B.foo")
    assert found.kind is Kind.THEOREM
    assert found.statement == "{n : ℕ} (h : n = (1 : ℕ)) : ∀ x, x ≤ n ∧ n = 1"
    assert found.doc == "Says\nit."
    assert found.attributes == ("simp", "norm_num")
    assert (found.namespace, found.opens, found.line) == ("A.B", ("Nat",), 6)
    assert (found.protected, found.private, found.origin) == (True, False, Origin.SOURCE)
    assert text[found.start :].startswith("/-- Says")
    assert text[found.body : found.stop] == ":= by\n  simp"


def test_variables_that_are_mentioned_come_first() -> None:
    text = """
variable {G H : Type*} [Group G] [Group H] (a b : G) {s : Set H}
theorem foo : a = a := rfl
theorem bar : b ∈ s := sorry
variable {a} in
theorem baz : a * a = a := sorry
theorem qux : a = a := rfl
omit [Group G] in
theorem om : a = a := rfl
"""
    found = premises(text)
    assert found["foo"].context == "{G : Type*} [Group G] (a : G)"
    assert found["bar"].context == "{G H : Type*} [Group G] [Group H] (b : G) {s : Set H}"
    assert found["baz"].context == "{G : Type*} [Group G] {a : G}"
    assert found["qux"].context == "{G : Type*} [Group G] (a : G)"
    assert found["om"].context == "{G : Type*} (a : G)"


def test_a_structure_its_constructor_fields_and_parents() -> None:
    text = """
/-- Doc. -/
structure Foo (α : Type*) [Bar α] extends Baz α, toQux : A.Quux α where
  /-- The carrier. -/
  carrier : Set α
  protected one_mem' (x : α) :
    x ∈ carrier
  @[simp] (two three : α := x)
  symm' x y : x = y
  toBaz := 3
  deriving Repr
"""
    found = premises(text)
    assert set(found) == {
        *("Foo", "Foo.mk", "Foo.toBaz", "Foo.toQux", "Foo.carrier", "Foo.one_mem'", "Foo.two", "Foo.three"),
        "Foo.symm'",
        "instReprFoo",
    }
    assert found["Foo.carrier"].statement == "{α : Type*} [Bar α] (self : Foo α) : Set α"
    assert found["Foo.carrier"].doc == "The carrier."
    assert found["Foo.one_mem'"].type == "x ∈ carrier"
    assert found["Foo.one_mem'"].protected
    assert found["Foo.one_mem'"].made_from == "Foo"
    assert found["Foo.symm'"].statement == "{α : Type*} [Bar α] (self : Foo α) x y : x = y"
    assert found["Foo"].statement == "(α : Type*) [Bar α] extends Baz α, toQux : A.Quux α"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("inductive T | a | b (n : ℕ) : T\n", {"T", "T.a", "T.b"}),
        ("namespace N\nalias foo := bar\nalias ⟨x, _⟩ := baz\nend N", {"N.foo", "N.x"}),
        ("mutual\ndef a := 1\ndef b := 2\nend\ndef c := 3", {"a", "b", "c"}),
        ("namespace N\ntheorem _root_.x : p := h\nend N", {"x"}),
        ("-- theorem a : p := h\n/- theorem b : p := h /- -/\ntheorem c : p := h -/\nexample : p := h", set()),
        ('def s := "\n" ++ "theorem a : p"\ntheorem b : p := h', {"s", "b"}),
        ("section\nnamespace A.B\nend A.B\nnamespace A\nlemma x : p := h\nend A\nend\nlemma y : p := h", {"A.x", "y"}),
    ],
)
def test_names(text: str, names: set[str]) -> None:
    assert set(premises(text)) == names
