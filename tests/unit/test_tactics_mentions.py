"""Which names a tactic mentions that are not its own, and where tactics begin in it."""

from __future__ import annotations

import pytest
from hypothesis import given

from tacit.server.tactics.mentions import bound, mentions, stands_in
from tests.unit.properties import any_texts

LOCAL = frozenset({"h", "x", "hx", "f"})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("exact Nat.add_comm a b", ["Nat.add_comm"]),
        ("rw [mul_comm, ← Nat.add_foo]", ["mul_comm", "Nat.add_foo"]),
        ("exact hy", ["hy"]),
        ("simp [h, hx] at x", []),
        ("simpa only [foo_bar] using h", ["foo_bar"]),
        # bound in the tactic
        ("intro y_one; exact y_one", []),
        ("obtain ⟨y_one, hy | hz⟩ := h", []),
        ("rintro ⟨y_one, rfl⟩", []),
        ("rcases h with ⟨y_one, hy⟩ | hz <;> exact hy", []),
        ("exact fun y_one hy ↦ y_one hy", []),
        ("exact fun ⟨y_one, hy⟩ => h hy", []),
        ("refine ⟨x, ∃ y_one, y_one = x⟩", []),
        ("have hy : ∀ y_one, y_one = x := foo_bar", ["foo_bar"]),
        ("have : ∑ i_one ∈ s_one, f i_one = x := by simp", []),
        ("induction x with\n| zero => rfl\n| succ n_one ih_one => exact foo_bar ih_one", ["foo_bar"]),
        ("cases hy : f x with\n| none => exact hy", []),
        ("generalize hy : f x = y_one", []),
        ("set y_one := f x with hy", []),
        ("by_cases! hy : x = x <;> exact hy", []),
        ("ext y_one", []),
        ("exact ⟨{y_one | y_one = x}, h⟩", []),
        ("exact { to_fun := f, map_one y_one := h }", []),
        ("exact foo_bar (n_one := 3)", ["foo_bar"]),
        ("filter_upwards [h] with y_one hy using foo_bar hy", ["foo_bar"]),
        ("rename_i y_one hy", []),
        # words, options, notations
        ("simp +contextual only [h]", []),
        ("simp +unfoldPartialApp", []),
        ("exact mod_cast h", []),
        ("rw [reassoc_of% h]", []),
        ("simp [conj, 𝓝]", []),
        ("exact congrArg.{u_one, v_one} f", ["congrArg"]),
        ("exact `foo_bar", []),
        ("exact ⟨h, by field_simp⟩", []),
        ("first | exact foo_bar | norm_num1", ["foo_bar"]),
        ("case inl y_one => exact_mod_cast y_one", []),
        ("exact «foo bar».baz", []),
    ],
)
def test_only_names_that_must_be_of_the_library_are_mentioned(text: str, names: list[str]) -> None:
    assert list(mentions(text, LOCAL).names) == names


def test_a_field_is_told_from_a_name() -> None:
    found = mentions("exact (h.symm.trans (f x).le).1.foo_bar |>.mp .inl", LOCAL)
    assert found.members == ("h.symm.trans",)
    assert found.fields == ("le", "foo_bar", "mp", "inl")
    assert found.names == ()


@pytest.mark.parametrize(
    ("text", "heads"),
    [
        ("omega", ["omega"]),
        ("exact Nat.le_of_lt (by omega)", ["exact", "omega"]),
        ("constructor <;> positivity", ["constructor", "positivity"]),
        ("· intro y\n  omega", ["intro", "omega"]),
        ("first | omega | (simp; ring)", ["first", "omega", "simp", "ring"]),
        ("all_goals omega", ["all_goals", "omega"]),
        ("try (repeat grind)", ["try", "repeat", "grind"]),
        ("cases h with\n| inl y => omega\n| inr y => grind", ["cases", "omega", "grind"]),
        ("case inl => omega", ["case", "omega"]),
        ("have hy : x = x := by\n  norm_num", ["have", "norm_num"]),
        ("simp [h,\n  ring]", ["simp"]),
        ("exact fun y => ring", ["exact"]),
        ("rw [show x = y by ring]", ["rw", "ring"]),
    ],
)
def test_where_tactics_begin(text: str, heads: list[str]) -> None:
    assert [head for head, _ in mentions(text, LOCAL).heads] == heads


def test_the_text_of_a_tactic_ends_where_the_next_begins() -> None:
    found = mentions("cases h with\n| inl y => simp [h, (f x)] <;> omega", LOCAL).heads
    assert found == (("cases", "cases h with"), ("simp", "simp [h, (f x)] "), ("omega", "omega"))


def test_what_a_proof_above_binds() -> None:
    proof = (
        "theorem foo (p_one : Prop) : p_one := by\n  intro hy\n  obtain ⟨y_one, hz⟩ := hy\n  have key : f = f := rfl\n"
    )
    assert {"p_one", "hy", "y_one", "hz", "key"} <= bound(proof)
    assert "obtain" not in bound(proof)


def test_a_name_stands_in_a_text_as_a_whole() -> None:
    assert stands_in("Foo.bar", "exact Foo.bar.symm")
    assert not stands_in("Foo.bar", "exact Foo.bar'")
    assert not stands_in("bar", "exact Foo.bar")


@given(any_texts)
def test_any_text_is_read(text: str) -> None:
    found = mentions(text)
    assert all(head in text for head, _ in found.heads)
    assert not any(name.startswith(".") or name.endswith(".") for name in (*found.names, *found.members))
