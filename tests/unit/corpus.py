"""A small package of Lean files, and an index of it, for tests of the index and of search."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tacit.index.build import Analysis, Built, Corpus, build
from tacit.index.source import Source
from tacit.index.store import Store
from tacit.retrieval.analysis import VERSION, analyse
from tacit.retrieval.hybrid import Hybrid, Shelf
from tacit.retrieval.lexical import Lexical

ANALYSIS = Analysis(VERSION, analyse)
ALGEBRA = """
/-!
# Groups

## Main results

* `Group.inv_unique`: the Cancellation Principle of Noether.
-/
namespace Group
/-- Multiplication is commutative. -/
theorem mul_comm (a b : G) : a * b = b * a := sorry
theorem add_assoc (a b c : G) : a + b + c = a + (b + c) := sorry
theorem inv_unique (a b c : G) (h : a * b = 1) : b = a⁻¹ := sorry
private theorem secret_lemma (a : G) : a * 1 = a := sorry
@[deprecated mul_comm (since := "2020-01-01")]
theorem commutative_mul (a b : G) : a * b = b * a := sorry
end Group
"""
TOPOLOGY = """
import Top.Algebra
/-- A set is compact when every open cover has a finite subcover. -/
def IsCompact (s : Set X) : Prop := ∀ c, IsCover c s → HasFiniteSubcover c s
/-- The extreme value theorem: a continuous function attains its maximum on a compact set. -/
theorem IsCompact.exists_isMaxOn {f : X → ℝ} (hs : IsCompact s) (hf : ContinuousOn f s) :
    ∃ x ∈ s, IsMaxOn f s x := sorry
theorem Continuous.comp {g : Y → Z} {f : X → Y} (hg : Continuous g) (hf : Continuous f) :
    Continuous (g ∘ f) := sorry
theorem sum_le_sum (h : ∀ i ∈ s, f i ≤ g i) : ∑ i ∈ s, f i ≤ ∑ i ∈ s, g i := sorry
instance instCompactSpace : CompactSpace X := sorry
"""
FILES = {"Top/Algebra.lean": ALGEBRA, "Top/Topology.lean": TOPOLOGY}


def write(root: Path, files: Mapping[str, str] = FILES) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def corpus(root: Path, name: str = "top") -> Corpus:
    files = sorted(root.rglob("*.lean"))
    return Corpus(name, root, tuple(Source(".".join(f.relative_to(root).with_suffix("").parts), f) for f in files))


def index(root: Path, path: Path, *, anew: bool = False) -> Built:
    return build(path, corpus(root), ANALYSIS, lambda *_: None, anew=anew)


def library(path: Path) -> Hybrid:
    store = Store.open(path)
    return Hybrid([Shelf("top", store, Lexical(store))])


def found(path: Path, text: str, limit: int = 10) -> list[str]:
    hybrid = library(path)
    try:
        return [each.stored.premise.name for each in hybrid.search(text, limit)]
    finally:
        hybrid.shelves[0].store.close()
