"""Names that attributes and commands make, rule by rule, and what they state."""

from __future__ import annotations

import json

import pytest

from tacit.index.known import Known
from tacit.index.premise import Kind, Origin, Premise
from tacit.index.reader import read_text

GROUPS = """
class Mul (α : Type u) where
  mul : α → α → α
class Add (α : Type u) where
  add : α → α → α
attribute [to_additive] Mul
class Monoid (M : Type*) extends Mul M where
  npow : Nat → M → M
class AddMonoid (M : Type*) extends Add M where
  nsmul : Nat → M → M
attribute [to_additive existing] Monoid
"""
MAPS = """
structure Equiv (α β : Sort*) where
  protected toFun : α → β
  protected invFun : β → α
  left_inv : Function.LeftInverse invFun toFun
  right_inv : ∀ x, toFun (invFun x) = x
infixl:25 " ≃ " => Equiv
initialize_simps_projections Equiv (toFun → apply, invFun → symm_apply)
def Function.LeftInverse (f : β → α) (g : α → β) : Prop := ∀ x, f (g x) = x
"""

FUNCTOR = """
structure F where
  obj : A → B
  map : (a : A) → C a
  map_id : ∀ a, map a = a := by simp
"""


def made(text: str, before: str = "") -> dict[str, Premise]:
    """What is generated, by name."""
    known = Known()
    read_text(before, "Before", known)
    found = read_text(text, "M", known).premises
    return {each.name: each for each in found if each.origin is not Origin.SOURCE}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@[to_additive] theorem mul_comm' : p := h", {"add_comm'"}),
        ("@[to_additive (attr := simp)]\nlemma Monoid.one_mul : p := h", {"AddMonoid.zero_add"}),
        ("@[to_additive bar] theorem N.mul_foo : p := h", {"N.bar"}),
        ("@[to_additive A.bar] theorem N.mul_foo : p := h", {"A.bar"}),
        ("@[to_additive _root_.bar] theorem N.mul_foo : p := h", {"bar"}),
        ("@[to_additive existing] theorem mul_foo : p := h", set()),
        ("theorem add_foo : p := h\n@[to_additive] theorem mul_foo : p := h", set()),
        ("@[to_additive self] theorem mul_foo : p := h", set()),
        ("theorem mul_foo : p := h\nattribute [to_additive] mul_foo", {"add_foo"}),
        ("insert_to_additive_translation Q.Mul R\n@[to_additive] theorem Q.Mul.one : p := h", {"R.zero"}),
        ("to_additive_name_hint Zap Zip\n@[to_additive] theorem zap : p := h", {"zip"}),
        ("@[to_additive (attr := to_additive VAdd_foo) SMul_foo] theorem Pow_foo : p := h", {"SMul_foo", "VAdd_foo"}),
        ("@[to_additive (attr := to_dual)] theorem mul_inf : p := h", {"add_inf", "mul_sup", "add_sup"}),
        ("@[to_dual] theorem iSup_le : p := h", {"iInf_le"}),
        ("@[to_dual none] theorem iSup_le : p := h", set()),
        ("to_dual_name_hint Left Right\n@[to_dual] theorem right_le : p := h", {"left_le"}),
        ("@[to_additive] instance : Monoid (Foo α) := h", {"instMonoidFoo", "instAddMonoidFoo"}),
    ],
)
def test_translated_names(text: str, names: set[str]) -> None:
    assert set(made(text, GROUPS)) == names


def test_a_translated_statement() -> None:
    text = """
variable {M : Type*} [Monoid M]
/-- Multiplication. -/
@[to_additive (attr := simp) /-- Addition. -/]
protected theorem Monoid.mul_pow (a b : M) (n : ℕ) : (a * b⁻¹) ^ n = 1 := h
"""
    found = made(text, GROUPS)["AddMonoid.add_nsmul"]
    assert found.statement == "{M : Type*} [AddMonoid M] (a b : M) (n : ℕ) : n • (a + -b) = 0"
    assert (found.doc, found.attributes, found.kind) == ("Addition.", ("simp",), Kind.THEOREM)
    assert (found.origin, found.made_from, found.line, found.protected) == (
        Origin.TO_ADDITIVE, "Monoid.mul_pow", 5, True,
    )  # fmt: skip


def test_fields_are_translated_in_order() -> None:
    text = "@[to_additive] theorem foo_mul (x : M) : Monoid.npow 1 x = Mul.mul x := h"
    assert made(text, GROUPS)["foo_add"].type == "AddMonoid.nsmul 0 x = Add.add x"


def test_names_in_a_translated_statement_are_found_where_they_stand() -> None:
    text = """
insert_to_additive_translation Units AddUnits
insert_to_additive_translation Units.orbit AddUnits.orbit
namespace Units
@[to_additive] theorem mul_foo : orbit.bar x ∈ MulAction.orbit y ∧ Units.baz = orbit z := h
end Units
"""
    assert made(text)["AddUnits.add_foo"].type == "orbit.bar x ∈ MulAction.orbit y ∧ baz = orbit z"


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("theorem a (h : p) : q := h\nalias b := a", {"b": "(h : p) : q"}),
        ("theorem a : p ↔ q := h\nalias ⟨b, c⟩ := a", {"b": ": p → q", "c": ": q → p"}),
        ("theorem a : p ↔ q := h\nalias ⟨_, c⟩ := a", {"c": ": q → p"}),
        ("namespace N\ntheorem a : p := h\nend N\nopen N\nalias b := a", {"b": ": p"}),
        ("alias b := unknown", {"b": ""}),
        ("theorem mul_a : x * y := h\n@[to_additive] alias mul_b := mul_a", {"mul_b": ": x * y", "add_b": ": x + y"}),
    ],
)
def test_aliases(text: str, statements: dict[str, str]) -> None:
    assert {name: each.statement for name, each in made(text).items()} == statements


def test_an_alias_of_what_another_file_declares() -> None:
    found = made("alias B.b := A.a", "namespace A\ntheorem a : p ↔ q := h\nend A")["B.b"]
    assert (found.statement, found.made_from, found.module) == (": p ↔ q", "A.a", "M")


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("@[simps] def e : α ≃ β where\n  toFun x := f x\n  invFun := g\n  left_inv := h\n  right_inv := h", {
            "e_apply": "e x = f x", "e_symm_apply": "e.symm = g",
        }),
        ("@[simps apply] def e (n : Nat) : Equiv α β := { toFun := fun x ↦ x, invFun := g }", {"e_apply": "e n x = x"}),
        ("@[simps! (config := .asFn) apply_foo] def e : α ≃ β := x.trans y", {"e_apply_foo": "e.apply.foo = _"}),
        ("@[simps (nameStem := \"\")] def N.e : α ≃ β := x", {
            "N.apply_def": "N.e = _", "N.symm_apply": "N.e.symm = _",
        }),
        ("@[simps] def e : A → α ≃ β := x", {"e_apply": "e = _", "e_symm_apply": "e.symm = _"}),
        ("@[simps] def e : Unknown := x", {}),
        (f"{FUNCTOR}@[simps] def f : G ⟶ H where\n  obj X := X\n  map_id := h\n  other := y", {"f_obj": "f.obj X = X"}),
        ("@[simps] def e : (A → α) ≃ β := x", {"e_apply": "e = _", "e_symm_apply": "e.symm = _"}),
        ("notation:25 M \" →ₗ[\" R \"] \" N => Equiv M N\n@[simps!] def e : M →ₗ[R] R := x", {
            "e_apply": "e = _", "e_symm_apply": "e.symm = _",
        }),
        ("notation \"C(\" X \", \" Y \")\" => Equiv X Y\n@[simps!] def e : C(A, B) := x", {
            "e_apply": "e = _", "e_symm_apply": "e.symm = _",
        }),
        ("structure P (α) extends Equiv α α where\n  data : Bool\n@[simps] def p : P α := x", {
            "p_data": "p.data = _", "p_toFun": "p.toFun = _", "p_invFun": "p.invFun = _",
        }),
        (f"{FUNCTOR}@[simps] def f : F where\n  obj X :=\n    {{ obj := fun Y => X\n map := g }}\n  map a := ⟨a⟩", {
            "f_obj_obj": "f.obj.obj X Y = X", "f_obj_map": "f.obj.map X = g",
        }),
        ("structure F where\n  a : Nat\ninitialize_simps_projections F (as_prefix a, -b)\n@[simps] def f : F := x", {
            "a_f": "f.a = _",
        }),
    ],
)  # fmt: skip
def test_simps(text: str, statements: dict[str, str]) -> None:
    assert {name: each.type for name, each in made(text, MAPS).items() if each.origin is Origin.SIMPS} == statements


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("@[ext] structure S (α : Type) where\n  a : α\n  b : a = a", {
            "S.ext": "(α : Type) {x y : S α} : x.a = y.a → x = y",
            "S.ext_iff": "(α : Type) {x y : S α} : x = y ↔ x.a = y.a",
        }),
        # The parents' fields stand before its own, as in Lean.
        ("structure S where\n  a : Nat\n@[ext] structure T extends S where\n  b : Nat", {
            "T.ext": "{x y : T} : x.a = y.a → x.b = y.b → x = y",
            "T.ext_iff": "{x y : T} : x = y ↔ x.a = y.a ∧ x.b = y.b",
        }),
        ("@[ext] theorem S.ext {x y : S} (h : x.a = y.a) : x = y := h", {"S.ext_iff": "{x y : S} : x = y ↔ x.a = y.a"}),
        ("@[ext (iff := false)] theorem S.ext (h : p) : x = y := h", {}),
        ("theorem S.ext (h : p) : x = y := h\nattribute [local ext] S.ext", {"S.ext_iff": ": x = y ↔ p"}),
        ("@[mk_iff] structure IsFoo (a : Nat) : Prop where\n  out : a = a", {"isFoo_iff": "(a : Nat) : IsFoo a ↔ _"}),
        ("@[mk_iff foo_iff_out] class IsFoo : Prop", {"foo_iff_out": ": IsFoo ↔ _"}),
        ("class IsFoo : Prop\nmk_iff_of_inductive_prop IsFoo foo_iff", {"foo_iff": ": IsFoo ↔ _"}),
        ("@[reassoc (attr := simp)] lemma f_g : f ≫ g = k := h", {"f_g_assoc": ": f ≫ g ≫ h = k ≫ h"}),
        ("@[elementwise] lemma f_g : f ≫ g = k := h", {"f_g_apply": ": f ≫ g = k"}),
        ("@[to_fun] lemma f : p := h", {"fun_f": ": p"}),
        ("@[to_fun (attr := to_additive) N.g] lemma M.mul_f : p := h", {"N.g": ": p"}),
        ("@[higher_order] lemma f : p := h\n@[higher_order g] lemma N.f : p := h", {"f'": ": p", "N.g": ": p"}),
        ("irreducible_def f (n : Nat) : Nat := n", {"f_def": "(n : Nat) : f n = _"}),
    ],
)  # fmt: skip
def test_other_attributes(text: str, statements: dict[str, str]) -> None:
    found = {name: each for name, each in made(text).items() if each.origin is Origin.ATTRIBUTE}
    assert {name: each.statement for name, each in found.items()} == statements
    assert all(each.kind is Kind.THEOREM for each in found.values())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("instance [Monoid M] : Foo (Bar M) := h", "instFooBar"),
        ("namespace N\ninstance : Foo Nat := h", "N.instFooNat"),
        ("instance : Inhabited (List α) := h", "instInhabitedList_m"),
        ("instance {α β} : Foo (α × β) (Set α) := h", "instFooProdSet"),
        ("instance : Foo (α → Bar) := h", "instFooForallBar"),
        ("instance : Decidable (Foo a ∧ Foo b) := h", "instDecidableAndFoo"),
        ("instance : Mono (Pi.ι f b) := h", "instMonoι"),
        ("instance : Foo Mᵐᵒᵖ := h", "instFooMulOpposite"),
        ("instance : Foo Bar.{u} ℝ≥0 := h", "instFooBarNNReal"),
        ("class Fin (α : Type) : Prop\ninstance [Fin α] : Foo α := h", "instFooOfFin"),
        ("namespace Foo\ninstance : Bar Foo := h", "Foo.instBar"),
    ],
)
def test_names_of_instances(text: str, name: str) -> None:
    found = [each.name for each in read_text(text, "M").premises if each.origin is Origin.INSTANCE_NAME]
    assert found == [name]


def test_instances_of_one_name_are_counted() -> None:
    known = Known()
    first = read_text("instance : Foo Bar := a\ninstance : Foo Bar := b\n", "A", known)
    assert [each.name for each in first.premises] == ["instFooBar", "instFooBar_1"]
    assert [each.name for each in read_text("instance : Foo Bar := c", "B", known).premises] == ["instFooBar_2"]
    again = read_text("instance : Foo Bar := a\n", "A", known)
    assert [each.name for each in again.premises] == ["instFooBar"]


def test_parents_in_notation() -> None:
    found = made("structure F (α β) extends α ≃ β where\n  x : Nat", MAPS)
    assert {"F.toEquiv", "F.x", "F.mk"} == set(found)


def test_what_is_known_is_kept_between_runs() -> None:
    known = Known()
    read_text(GROUPS + MAPS, "Before", known)
    kept = Known()
    kept.enter("Before", json.loads(json.dumps(known.taught("Before"))))
    text = "@[to_additive] theorem Monoid.mul_x : p := h\n@[simps] def e : α ≃ β := x"
    names = {each.name for each in read_text(text, "M", kept).premises}
    assert names == {"Monoid.mul_x", "AddMonoid.add_x", "e", "e_apply", "e_symm_apply"}
    assert kept.taught("Before") == known.taught("Before")


def test_declarations_read_another_time_can_be_asked_for() -> None:
    other = Premise("A.a", Kind.THEOREM, "Other", 1, type="p ↔ q")
    known = Known(find=lambda name: [other] if name == "A.a" else [])
    found = {each.name: each.type for each in read_text("alias ⟨b, c⟩ := A.a", "M", known).premises}
    assert found == {"b": "p → q", "c": "q → p"}
