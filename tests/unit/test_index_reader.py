"""Reading declarations from one Lean text, rule by rule."""

from __future__ import annotations

import pytest

from tacit.index.premise import Kind, Origin, Premise
from tacit.index.reader import read_text
from tacit.index.source import Import


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


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@[simp]\nprivate\nlemma x : p := h", {"x"}),
        ("/-- Doc. -/ @[simp] theorem x : p := h /-- Doc. -/\ntheorem y : p := h", {"x", "y"}),
        ("  mutual\n  def a := 1\n  @[simp] def b := 2\n  end", {"a", "b"}),
        ("macro \"m\" : command => `(\n  theorem x : p := h)\ntheorem y : p := h", {"y"}),
        ("macro \"m\" : command => `(\ntheorem x {a : $t} : a = a := h)\ntheorem y : p := h", {"y"}),
        ("open Nat in\ntheorem x : p := h", {"x"}),
        ("open Nat in theorem x : p := h", {"x"}),
        ("set_option a.b 1 in\n/-- D. -/\n@[simp] theorem x : p := h", {"x"}),
        ("attribute [local simp] foo in\ntheorem x : p := h", {"x"}),
        ("variable (n : ∃ x ∈ s, p) in\ntheorem x : p := h", {"x"}),
        ("initialize foo : IO.Ref Nat ← IO.mkRef 0\ninitialize bar", {"foo"}),
        ("axiom a : p\nopaque b : Nat\nirreducible_def c : Nat := 1", {"a", "b", "c", "c_def"}),
        ("class abbrev C (α) := A α, B α", {"C", "C.mk", "C.toA", "C.toB"}),
        ("class inductive N (α) : Prop\n  | intro (a : α) : N α", {"N", "N.intro"}),
        ("inductive T : Type\n/-- Zero. -/\n| zero\n| succ (n : T) : T\nderiving Repr, DecidableEq", {
            *("T", "T.zero", "T.succ", "instReprT", "instDecidableEqT"),
        }),
        ("structure S where make ::\n  a : Nat", {"S", "S.make", "S.a"}),
        ("structure S := (a b : Nat) (c : a = b := by simp)", {"S", "S.mk", "S.a", "S.b", "S.c"}),
        ("structure S where\n  a : Nat\n\nnamespace S\ndef b := 1\nend S", {"S", "S.mk", "S.a", "S.b"}),
        ("def f : Nat → Nat\n  | 0 => 1\n  | n + 1 => n\ndef g := 1", {"f", "g"}),
        ("deriving instance Repr for Foo\nstructure Foo\nderiving instance Repr, BEq for Foo", {
            *("Foo", "Foo.mk", "instReprFoo", "instBEqFoo"),
        }),
        ("theorem «a b».c : p := h", {"«a b».c"}),
        ("namespace A\ntheorem «forall» : p := h\ntheorem _root_.B.«exists» : p := h", {"A.forall", "B.exists"}),
        ("def PMF.{u} (α : Type u) := h\ntheorem _root_.a.b.{u, v} : p := h", {"PMF", "a.b"}),
        ("theorem a' : 'x' = '\"' := h\ntheorem b : f '' s = t := h", {"a'", "b"}),
        ("def r := r\"\\\"\ndef s := r#\"\"\"#\ndef t := 1", {"r", "s", "t"}),
        ("def s := m!\"{f \"x\"}\"\ntheorem x : p := h", {"s", "x"}),
        ("end\nend A\nsection B\nend C\nlemma x : p := h", {"x"}),
        ("section A.B\nnamespace N\nlemma x : p := h\nend N\nend A.B", {"N.x"}),
        ("instance : Foo", {"instFoo"}),
    ],
)  # fmt: skip
def test_more_names(text: str, names: set[str]) -> None:
    assert set(premises(text)) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("theorem a : p := by\n  simp [\ntheorem b : p := h", {"a", "b"}),
        ("theorem a : (p\ntheorem b : p := h", {"a", "b"}),
        ("def s := \"abc\ntheorem b : p := h", {"s", "b"}),
        ("theorem a : p := h\n/-- never closed\ntheorem b : p := h", {"a", "b"}),
        ("@[simp\ntheorem b : p := h", {"b"}),
        ("theorem\ntheorem b : p := h", {"b"}),
        ("structure S where\n  a :\ntheorem b : p := h", {"S", "S.mk", "b"}),
        ("namespace\nopen\nvariable (\ntheorem b : p := h", {"b"}),
    ],
)  # fmt: skip
def test_of_a_half_written_file_the_rest_is_read(text: str, names: set[str]) -> None:
    assert set(premises(text)) == names


def test_private_protected_and_public() -> None:
    text = "private theorem a : p := h\nprotected theorem N.b : p := h\n"
    found = premises(text)
    assert (found["a"].private, found["N.b"].private, found["N.b"].protected) == (True, False, True)
    text = "module\npublic import A\ntheorem a : p := h\npublic theorem b : p := h\n"
    text += "@[expose] public section\ntheorem c : p := h\nsection\ntheorem d : p := h\nend\nend\ntheorem e : p := h\n"
    assert {name for name, each in premises(text).items() if not each.private} == {"b", "c", "d"}


def test_imports() -> None:
    assert read_text("import A.B\nimport C -- why\n", "M").imports == (Import("A.B"), Import("C"))
    text = "/- Copyright -/\nmodule\n\npublic import A\nimport B\npublic meta import C\nimport all D\ndef import' := 1"
    assert read_text(text, "M").imports == (
        Import("A"), Import("B", public=False), Import("C", meta=True), Import("D", public=False, all=True),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "binders", "type_", "value"),
    [
        ("theorem x (h : a := by simp) : let y := 1; y = 1 := rfl", "(h : a := by simp)", "let y := 1; y = 1", ""),
        ("theorem x : ∀ a, -- why\n  a = a := rfl", "", "∀ a, a = a", ""),
        ("def x (n : Nat) : Nat :=\n  n /- why -/ + 1", "(n : Nat)", "Nat", ":= n + 1"),
        ("theorem x : match n with\n  | 0 => p\n  | _ => q := h", "", "match n with | 0 => p | _ => q", ""),
        ("theorem x : |a|\n  ≤ b := h", "", "|a| ≤ b", ""),
        ("theorem x {a : α} : s ⊆ {x | x = a} := h", "{a : α}", "s ⊆ {x | x = a}", ""),
        ("theorem whereabouts.x : nowhere = where' := h", "", "nowhere = where'", ""),
        ("instance (priority := 100) foo.{u} [A α] : B.{u} α where\n  b := 1", "[A α]", "B.{u} α", ""),
        ("abbrev x := 1", "", "", ":= 1"),
    ],
)
def test_the_parts_of_a_statement(text: str, binders: str, type_: str, value: str) -> None:
    [found] = read_text(text, "M").premises
    assert (found.binders, found.type, found.value) == (binders, type_, value)


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("variable {α} [A α]\nsection\nvariable {α} [B α]\nend\ntheorem x (a : α) : p := h", "{α} [A α]"),
        ("variable (α : Type)\nvariable {α}\ntheorem x (a : α) : p := h", "{α : Type}"),
        ("variable (s : Set Nat)\ntheorem x (s : Set Int) : s = s := h", ""),
        ("variable (s : Set Nat)\ntheorem x : ∀ s, s = s := h", ""),
        (
            "variable {F M N : Type} [FunLike F M N] [HomClass F M N] (f : F)\ntheorem x : p f := h",
            ("{F M N : Type} [FunLike F M N] [HomClass F M N] (f : F)"),
        ),
        ("variable {F M N : Type} [FunLike F M N]\ntheorem x (m : M) : p m := h", "{M : Type}"),
        ("variable (s : Set Nat)\ntheorem x : f (fun s ↦ s) = ∑ s ∈ t, s := h", ""),
        ("variable (s : Set Nat)\ntheorem x : s = t ∧ ∀ s, s = s := h", "(s : Set Nat)"),
        ("variable {s : Set Nat}\ntheorem x {s} (h : s = t) : s = s := h", ""),
        ("variable {s : Set Nat}\ntheorem x (h : t = {s}) : t = t := h", "{s : Set Nat}"),
        ("variable (a : Nat) (h : p a)\ninclude h\ntheorem x : q := h", "(a : Nat) (h : p a)"),
        ("variable (a : Nat) (h : p a)\ntheorem x : q := h", ""),
        ("variable (a : Nat)\ndef x := a", "(a : Nat)"),
        ("variable [Fact p]\ntheorem x : q := h", "[Fact p]"),
        ("variable {J : A} {f : J}\nvariable {J : B} (g : J)\ntheorem x : g = g := h", "{J : B} (g : J)"),
        ("variable (x y z : Nat)\ntheorem t : x.succ = foo.y z := h", "(x z : Nat)"),
        ("variable {{a : Nat}} ⦃b : Nat⦄\ntheorem t : a = b := h", "⦃a : Nat⦄ ⦃b : Nat⦄"),
    ],
)
def test_the_variables_of_a_statement(text: str, context: str) -> None:
    assert premises(text)[next(iter(premises(text)))].context == context


def test_docs_are_found_where_they_stand() -> None:
    text = """/-- A. -/
add_decl_doc a
theorem a : p := h
/-- Not for b. -/

/-- B. -/
-- a remark
@[simp]
theorem b : p := h
/-- For a. -/
add_decl_doc a
@[inherit_doc a] theorem c : p := h
inductive T
  /-- One. -/
  | one
  | /-- Two. -/ two
"""
    found = premises(text)
    assert {name: each.doc for name, each in found.items()} == {
        "a": "For a.", "b": "B.", "c": "For a.", "T": "", "T.one": "One.", "T.two": "Two.",
    }  # fmt: skip


def test_lines_and_offsets() -> None:
    text = "\n\n/-- D. -/\n@[simp]\ntheorem a : p := h\n\nstructure S where\n  /-- F. -/\n  f : Nat\n"
    found = premises(text)
    assert {name: each.line for name, each in found.items()} == {"a": 5, "S": 7, "S.mk": 7, "S.f": 9}
    assert text[found["S.f"].start : found["S.f"].stop] == "f"
    assert text[found["a"].start : found["a"].stop] == "/-- D. -/\n@[simp]\ntheorem a : p := h"


def test_line_breaks_of_windows() -> None:
    text = "import A\r\n\r\n/-- D. -/\r\ntheorem a :\r\n  p := h\r\n"
    found = premises(text)["a"]
    assert (found.type, found.doc, found.line) == ("p", "D.", 4)
    assert read_text(text, "M").imports == (Import("A"),)


def test_a_digest_says_what_a_premise_says() -> None:
    one = premises("theorem a : p := h")["a"]
    moved = premises("\n\ntheorem a : p := other")["a"]
    other = premises("theorem a : q := h")["a"]
    assert one.digest == moved.digest != other.digest
    assert len(one.digest) == 32
