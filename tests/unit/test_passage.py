"""What an encoder reads: names taken apart, symbols spelled out, the parts of a premise that say the most."""

from __future__ import annotations

import pytest

from tacit.index.premise import Kind, Premise
from tacit.retrieval.passage import LONGEST, hypotheses, name_text, passage, spoken

COMM = Premise("Nat.add_comm", Kind.THEOREM, "Init", 1, type="n + m = m + n", binders="(n m : ℕ)", doc="Adding `n`.")
EXTREME = Premise(
    *("IsCompact.exists_isMaxOn", Kind.THEOREM, "Topology", 2),
    type="∃ x ∈ s, IsMaxOn f s x",
    binders="{s : Set α} (hs : IsCompact s) [Nonempty s] (hf hf' : ContinuousOn f (g (s))) (x : ℝ)",
)
DIST = Premise("hammingDist", Kind.DEF, "Coding", 3, type="ℕ", value="#{i | x i ≠ y i}")
SPACE = Premise("CompactSpace", Kind.CLASS, "Topology", 4, binders="(X : Type*) [TopologicalSpace X]")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("`IsCompact s`", "is compact s"),
        ("∑ i ∈ s, f i ≤ ∏ i, g i", "sum i ∈ s , f i ≤ product i , g i"),
        (r"$\sum_{i \in s} f_i \le \prod_i g_i$", "sum i ∈ s f i ≤ product i g i"),
        (r"$\forall x \in \mathbb{R}$", "for all x ∈ real"),
        ("f⁻¹ ∘ Finset.sum_le_sum", "f inverse ∘ finset . sum le sum"),
        ("𝓝 x₁", "neighborhoods x ₁"),
        ("a ∣ b, n!", "a divides b , n factorial"),
        ("**Urysohn's lemma**", "urysohn s lemma"),
        ("", ""),
        ("\ud800 ((", ""),
    ],
)
def test_the_same_words_for_the_same_thing(text: str, words: str) -> None:
    assert spoken(text) == words


def test_names_are_taken_apart() -> None:
    assert name_text("MeasureTheory.L2Space.innerₛₗ_apply") == "measure theory l 2 space inner ₛ ₗ apply"


def test_hypotheses_are_told_from_other_binders() -> None:
    assert hypotheses(EXTREME.binders) == ["IsCompact s", "ContinuousOn f (g (s))"]
    assert hypotheses("(h : a = b") == ["a = "]
    assert hypotheses("") == []


def test_what_is_embedded() -> None:
    assert passage(COMM) == "nat add comm. adding n .. n + m = m + n"
    assert passage(EXTREME) == (
        "is compact exists is max on. is compact s → continuous on f g s → exists x ∈ s , is max on f s x"
    )
    assert passage(DIST) == "hamming dist. natural := i | x i ≠ y i"
    assert passage(SPACE) == "compact space. x type topological space x"


def test_what_is_said_elsewhere_is_embedded_too() -> None:
    assert passage(DIST, "the number of places").startswith("hamming dist. the number of places. natural")
    assert passage(COMM, "law of Gauss").endswith("n + m = m + n. law of gauss")


def test_no_part_pushes_the_others_out() -> None:
    talkative = Premise("long", Kind.THEOREM, "M", 1, type="x = " + "y" * 10_000, doc="much ado " * 1_000)
    text = passage(talkative)
    assert len(text) <= LONGEST
    assert text.index("x = ") < 300
