"""The names and statements that `to_additive` and `to_dual` give, against Mathlib's own examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.index.additive import TO_ADDITIVE, TO_DUAL, guess_name, split_case, target_name
from tacit.index.restate import additive, dual
from tests.unit.properties import any_texts, examples

NAMES = {"Group": "AddGroup", "Monoid.npow": "AddMonoid.nsmul", ".prod": ".sum", "IsLUB": "IsGLB"}


def rename(name: str) -> str:
    return NAMES.get(name, name)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("InvHMulLEConjugate₂SMul_ne_top", "Inv HMul LE Conjugate₂ SMul _ ne _ top"),
        ("eventuallyLE_one", "eventually LE _ one"),
        ("CoeTCFoo", "CoeTC Foo"),
        ("isWF", "is WF"),
        ("mul__one", "mul _ _ one"),
        ("a", "a"),
    ],
)
def test_a_name_is_split_as_mathlib_splits_it(name: str, parts: str) -> None:
    assert split_case(name) == parts.split()


@pytest.mark.parametrize(
    ("name", "translated"),
    [
        ("mul_comm", "add_comm"),
        ("mul_one'", "add_zero'"),
        ("one_le", "nonneg"),
        ("one_lt_of_lt", "pos_of_lt"),
        ("mulSupport_inv", "support_neg"),
        ("isUnit_of_mul_eq_one", "isAddUnit_of_add_eq_zero"),
        ("MonoidHom", "AddMonoidHom"),
        ("LeftCancelMonoid", "AddLeftCancelMonoid"),
        ("IsLeftCancelMul", "IsLeftCancelAdd"),
        ("prod_pow", "sum_nsmul"),
        ("zpow_neg_one", "zsmul_neg_zero"),
        ("smul_left_injective", "vadd_left_injective"),
        ("instMulProd", "instAddSum"),
        ("eventuallyLE_one", "eventuallyLE_zero"),
        ("inv_lt_one_iff", "neg_neg_iff"),
        ("CommGrp", "AddCommGrp"),
        ("tprod_one", "tsum_zero"),
        ("lipschitzWith_one", "lipschitzWith_zero"),
        ("nothing_here", "nothing_here"),
    ],
)
def test_additive_names(name: str, translated: str) -> None:
    assert guess_name(TO_ADDITIVE, name) == translated


@pytest.mark.parametrize(
    ("name", "translated"),
    [
        ("iSup_le", "iInf_le"),
        ("isLUB_sSup", "isGLB_sInf"),
        ("Ico_subset_Ioi", "Ioc_subset_Iio"),
        ("bot_le", "top_le"),
        ("IsSuccLimit", "IsPredLimit"),
        ("ne_top_of_lt", "ne_bot_of_lt"),
        ("GaloisInsertion", "GaloisCoinsertion"),
        ("hasColimit_of_epi", "hasLimit_of_mono"),
    ],
)
def test_dual_names(name: str, translated: str) -> None:
    assert guess_name(TO_DUAL, name) == translated


@pytest.mark.parametrize(
    ("source", "given_name", "target"),
    [
        ("Monoid.Foo.mul_x", "", "AddMonoid.Foo.add_x"),
        ("Monoid.mul_x", "bar", "AddMonoid.bar"),
        ("Monoid.Foo.mul_x", "A.bar", "AddMonoid.A.bar"),
        ("Monoid.mul_x", "_root_.bar", "bar"),
        ("Q.Monoid.mul_x", "", "Q.Monoid.add_x"),
        ("mul_x", "A.B.bar", "A.B.bar"),
    ],
)
def test_target_names(source: str, given_name: str, target: str) -> None:
    assert target_name(TO_ADDITIVE, {"Monoid": "AddMonoid"}.get, source, given_name) == target


@pytest.mark.parametrize(
    ("text", "restated"),
    [
        ("{G : Type*} [Group G] (a b : G) : a * b⁻¹ = 1", "{G : Type*} [AddGroup G] (a b : G) : a + -b = 0"),
        ("a ^ (n + 1) = a ^ n * a", "(n + 1) • a = n • a + a"),
        ("(f a * b)⁻¹ ^ n / c", "n • -(f a + b) - c"),
        ("∏ x ∈ s, f x⁻¹ = (s.prod f)⁻¹", "∑ x ∈ s, f (-x) = -(s.prod f)"),
        ("f ⁻¹' s ⊆ g '' t", "f ⁻¹' s ⊆ g '' t"),
        ("M →* N", "M →+ N"),
        ("R →+* S", "R →+* S"),
        ("(x : ℝ≥0∞) * 1", "(x : ℝ≥0∞) + 0"),
        ("(a⁻¹)⁻¹ = a", "-(-a) = a"),
        ("n + 1 = (1 : ℕ)", "n + 1 = (1 : ℕ)"),
        ("a • s", "a +ᵥ s"),
        ("Mˣ", "(AddUnits M)"),
    ],
)
def test_additive_statements(text: str, restated: str) -> None:
    assert additive(text, rename) == restated


@pytest.mark.parametrize(
    ("text", "restated"),
    [
        ("a ≤ b → b ≤ c → a ≤ c", "b ≤ a → c ≤ b → c ≤ a"),
        ("(h : a ≤ ⊤) : ∀ x ≤ a, ¬ x < b ⊔ c", "(h : ⊥ ≤ a) : ∀ x ≥ a, ¬ b ⊓ c < x"),
        ("f ≫ g ≫ h = 𝟙 X", "h ≫ g ≫ f = 𝟙 X"),
        ("(f : X ⟶ Y) [Mono f]", "(f : Y ⟶ X) [Mono f]"),
        ("{x | a ≤ x ∧ x < b}", "{x | x ≤ a ∧ b < x}"),
        ("a ⊓ b ≤ c ↔ IsLUB s a", "c ≤ a ⊔ b ↔ IsGLB s a"),
        ("a ⇨ b = c", "b \\ a = c"),
        ("x ≤ (r : ℝ≥0)", "(r : ℝ≥0) ≤ x"),
    ],
)
def test_dual_statements(text: str, restated: str) -> None:
    assert dual(text, rename) == restated


@examples
@given(st.one_of(any_texts, st.text("ab1*⁻¹^/•∏()[]{}≤⊤≫ ⇨,:→↔|.\n", max_size=60)))
def test_any_text_is_restated(text: str) -> None:
    assert "  " not in additive(text, rename)
    assert "  " not in dual(text, rename)


@examples
@given(st.text("abMulOneLE_'AZ0", max_size=30))
def test_any_name_is_translated(name: str) -> None:
    assert "".join(split_case(name)) == name
    assert isinstance(guess_name(TO_ADDITIVE, name), str)
