"""What stands above a place in a file, read from its text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.server.lean.declarations import above, namespace_at
from tacit.server.values import Declaration
from tests.unit.properties import any_texts, examples

FILE = """
namespace Demo

/-- A class. -/
class A (α : Type) -- of a type
    extends B α, C α where
  /-- The point. -/
  p : α -- its point
  q : ∀ x : α,
    x = p

def twice (x : Nat) /- a number -/ : Nat := -- doubled
  x + /- itself -/ x

inductive Tree where
  | leaf
  | node (left right : Tree) : Tree

def Tree.size : Tree → Nat
  | leaf => 0
  | node l r => size l + size r

theorem here (n : Nat) : twice n = n + n := by
  rfl
"""


def test_signatures_and_values_come_without_comments() -> None:
    assert above(FILE, FILE.index("rfl")) == (
        Declaration("A", "class", "(α : Type)", "B α, C α"),
        Declaration("A.p", "field", ": α"),
        Declaration("A.q", "field", ": ∀ x : α, x = p"),
        Declaration("twice", "def", "(x : Nat) : Nat", "x + x"),
        Declaration("Tree", "inductive", ""),
        Declaration("Tree.leaf", "constructor", ""),
        Declaration("Tree.node", "constructor", "(left right : Tree) : Tree"),
        Declaration("Tree.size", "def", ": Tree → Nat", "| leaf => 0 | node l r => size l + size r"),
    )


def test_a_long_value_is_left_out() -> None:
    file = f"def long : Nat := {' + '.join(['1'] * 400)}\n\ntheorem here : True := trivial\n"
    assert above(file, file.index("trivial")) == (Declaration("long", "def", ": Nat"),)


def test_names_are_written_as_they_may_be_at_the_place() -> None:
    file = "namespace A\nnamespace B\ndef f := 1\nend B\ndef g := 2\n"
    file += "example : f = 1 := rfl\nend A\nexample : A.g = 2 := rfl\n"
    assert [d.name for d in above(file, file.index("example : f"))] == ["B.f", "g"]
    assert [d.name for d in above(file, file.index("example : A"))] == ["A.B.f", "A.g"]


def test_members_are_found_in_the_plain_forms() -> None:
    file = """
structure Hom (f : Nat → Nat) : Prop where
  map_add (a b : Nat) : f (a + b) = f a + f b
  map_zero {n} : f (0 * n) =
    0
  bound : Nat := 3
  deriving Repr

inductive Colour | red | green : Colour | blue
  deriving DecidableEq

inductive Even : Nat → Prop
| zero : Even 0
| step : ∀ n,
    Even n → Even (n + 2)

theorem here : True := trivial
"""
    found = [(d.name, d.signature) for d in above(file, file.index("trivial")) if d.kind in ("field", "constructor")]
    assert found == [
        ("Hom.map_add", "(a b : Nat) : f (a + b) = f a + f b"),
        ("Hom.map_zero", "{n} : f (0 * n) = 0"),
        ("Hom.bound", ": Nat"),
        ("Colour.red", ""),
        ("Colour.green", ": Colour"),
        ("Colour.blue", ""),
        ("Even.zero", ": Even 0"),
        ("Even.step", ": ∀ n, Even n → Even (n + 2)"),
    ]


@pytest.mark.parametrize(
    ("above_it", "namespace"),
    [
        ("", ""),
        ("namespace A\n", "A"),
        ("namespace A.B\nnamespace C\n", "A.B.C"),
        ("namespace A\nend A\n", ""),
        ("namespace A.B\nend A.B\n", ""),
        ("namespace A.B\nend B\n", "A"),
        ("namespace A\nsection\nend\n", "A"),
        ("namespace A\nsection S\nend S\n", "A"),
        ("section\nnamespace A\nend A\nend\nnamespace B\n", "B"),
        ("namespace A\nnoncomputable section\n", "A"),
        ("namespace A\nnoncomputable section\nend\nend A\n", ""),
        ("@[expose] public section\nnamespace A\n", "A"),
        ("namespace A\n@[expose, foo (bar := 1)] public meta section\nend\n", "A"),
        ("namespace A\nmutual\ndef x := 1\nend\n", "A"),
        ("end\nend A\nnamespace B\n", "B"),
        ("/- namespace A -/\n-- namespace B\n", ""),
        ("namespace «a b».c\n", "«a b».c"),
    ],
)
def test_the_namespaces_that_are_open(above_it: str, namespace: str) -> None:
    text = f"{above_it}theorem here : p := by\n  sorry\n\nnamespace Z\n"
    assert namespace_at(text, text.index("sorry")) == namespace


@given(any_texts, any_texts, st.integers(0, 200))
@examples
def test_never_raises(before: str, after: str, at: int) -> None:
    text = f"{before}\nstructure S where\n  x : Nat\ninductive I | a (n : Nat)\ndef f (x : Nat) := {after}"
    for declaration in above(text, min(at, len(text))):
        assert declaration.name
        assert "\n" not in declaration.signature
    namespace_at(text, min(at, len(text)))
