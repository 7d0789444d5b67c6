"""Trees of printed terms, and chains of rewrites found on them."""

from __future__ import annotations

import time

import pytest

from tacit.server.tactics import trees
from tacit.server.tactics.rewriting import chain, directions
from tacit.server.tactics.shape import telescope

GROUP = {
    "mul_assoc": "∀ a b c : G, a * b * c = a * (b * c)",
    "one_mul": "∀ a : G, one * a = a",
    "mul_one": "∀ a : G, a * one = a",
    "inv_mul": "∀ a : G, inv a * a = one",
}
COMMUTES = {"assoc": GROUP["mul_assoc"], "comm": "∀ a b : G, a * b = b * a"}


def found(target: str, known: dict[str, str]) -> str | None:
    """The chain for a target by equations given as name → statement."""
    return chain(target, [rule for name, text in known.items() for rule in directions(name, *telescope(text))])


@pytest.mark.parametrize(
    "text",
    [
        "f (a + b) = c",
        "-a * b⁻¹ = a - -b",
        "[a, b] ++ x :: xs = f (g x) (y, z)",
        "(a = b) = (¬p ∧ q)",
        "a.b c.1 = (f x).2",
        "x ∈ s ∩ t",
        "(a * b)⁻¹ = b⁻¹ * a⁻¹",
        "a ^ b ^ c = (a ^ b) ^ c",
        "a - b - c = a - (b - c)",
        "a = f 0",
        "[] = []",
    ],
)
def test_what_is_read_is_written_as_it_was(text: str) -> None:
    tree = trees.parse(text)
    assert tree is not None
    assert trees.write(tree) == text


@pytest.mark.parametrize("text", ["", "fun x => x", "∀ x, p x", "if p then a else b", "a +", "(a", "f (a, ", "a b : c"])
def test_what_is_no_plain_term_is_not_read(text: str) -> None:
    assert trees.parse(text) is None


@pytest.mark.parametrize(
    ("target", "known", "steps"),
    [
        ("one * (a * one) = a", GROUP, "one_mul, mul_one"),
        ("inv a * (a * b) = b", GROUP, "← mul_assoc, inv_mul, one_mul"),
        ("a * (b * c) = b * (a * c)", COMMUTES, "← assoc, ← assoc, comm a b"),
        ("f (x + y) = f (y + x)", {"h": "x = y"}, "h"),
        ("g (f (a * b)) = c", {"hf": "∀ a b : G, f (a * b) = f a * f b"}, None),
        ("p ∧ q ↔ q ∧ p", {"comm": "∀ {a b : Prop}, a ∧ b ↔ b ∧ a"}, "comm"),
        ("a = b", {"h": "a = b ↔ p b", "hp": "p b ↔ p c"}, None),
        ("a ≤ b", GROUP, None),
        ("a = fun x => x", GROUP, None),
        ("a = b", {}, None),
    ],
)
def test_chains(target: str, known: dict[str, str], steps: str | None) -> None:
    assert found(target, known) == steps


def test_a_variable_alone_is_no_pattern() -> None:
    assert [rule.text for rule in directions("one_mul", *telescope(GROUP["one_mul"]))] == ["one_mul"]


def test_what_a_pattern_leaves_open_cannot_be_rewritten_to() -> None:
    assert [rule.text for rule in directions("inv_mul", *telescope(GROUP["inv_mul"]))] == ["inv_mul"]


def test_a_search_without_an_end_gives_up_soon() -> None:
    began = time.perf_counter()
    assert found("a * b * c * d * e * f = f * g * (a * b) * (c * d)", COMMUTES | GROUP) is None
    assert time.perf_counter() - began < 2
