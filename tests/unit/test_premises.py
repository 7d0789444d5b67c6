"""Premises for a goal: what counts, what comes first, how it is written; on a small package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tacit.index import uses
from tacit.index.store import Store
from tacit.index.uses import Names
from tacit.retrieval.form import form
from tacit.retrieval.lexical import Lexical
from tacit.retrieval.premises import WORDS, Place, PremiseRanker, Shelf, State
from tests.unit.corpus import index, write

FILES = {
    "Top/Base.lean": """
namespace Nat
theorem add_comm (a b : Nat) : a + b = b + a := sorry
theorem mul_comm (a b : Nat) : a * b = b * a := sorry
protected theorem le_trans (h : a ≤ b) (h' : b ≤ c) : a ≤ c := sorry
private theorem mul_comm_secret (a b : Nat) : a * b = b * a := sorry
@[deprecated mul_comm (since := "2020-01-01")]
theorem commutative_mul (a b : Nat) : a * b = b * a := sorry
def double (n : Nat) : Nat := n + n
end Nat
theorem Set.inter_comm (s t : Set α) : s ∩ t = t ∩ s := sorry
theorem magic : Obscure := sorry
""",
    "Top/Uses.lean": """
import Top.Base
theorem first (n : Nat) : Balanced n := by simpa using magic
theorem second (n : Nat) : Balanced (n + 1) := magic
theorem third (n : Nat) : Balanced (n + 2) := magic
""",
    "Top/Elsewhere.lean": "theorem mul_comm_elsewhere (a b : Nat) : a * b = b * a := sorry\n",
    "Top/Own.lean": """import Top.Base
theorem above (a b : Nat) : a * b = b * a := sorry
theorem goal (a b : Nat) : a * b = b * a := sorry
theorem below (a b : Nat) : a * b = b * a := sorry
""",
}
GOAL = State("a * b = b * a", (("a", "Nat"), ("b", "Nat")))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("premises")
    root, path = folder / "files", folder / "top.db"
    write(root, FILES)
    index(root, path)
    store = Store.open(path)
    uses.update(store, uses.uses_file(path), Names.of([store]), lambda *_: None)
    store.close()
    return root, path


@pytest.fixture
def ranker(built: tuple[Path, Path]) -> Iterator[PremiseRanker]:
    store = Store.open(built[1])
    yield PremiseRanker([Shelf(store, Lexical(store, WORDS), uses.load(uses.uses_file(built[1])))])
    store.close()


def names(ranker: PremiseRanker, place: Place, state: State = GOAL) -> list[str]:
    return [each.premise.name for each in ranker.rank(state, place)]


def test_what_says_the_same_comes_first_and_the_deprecated_after_it(ranker: PremiseRanker) -> None:
    found = names(ranker, Place("import Top.Base\n", "M", "foo"))
    assert found[0] == "Nat.mul_comm"
    assert found.index("Nat.mul_comm") < found.index("Nat.commutative_mul")


def test_only_what_is_imported_counts_and_nothing_private(ranker: PremiseRanker) -> None:
    found = names(ranker, Place("import Top.Base\n", "M", "foo"))
    assert "mul_comm_elsewhere" not in found
    assert "Nat.mul_comm_secret" not in found
    assert "mul_comm_elsewhere" in names(ranker, Place("import Top.Elsewhere\n", "M", "foo"))
    assert names(ranker, Place("", "M", "foo")) == []


def test_of_the_own_file_what_stands_above_counts_as_it_stands_now(ranker: PremiseRanker) -> None:
    text = "import Top.Base\ntheorem unsaved (a b : Nat) : a * b = b * a := sorry\n"
    found = names(ranker, Place(text, "Top.Own", "goal"))
    assert "unsaved" in found
    assert not {"above", "goal", "below"} & set(found)


def test_the_module_is_known_by_its_path(ranker: PremiseRanker, built: tuple[Path, Path]) -> None:
    place = Place("import Top.Own\nimport Top.Base\n", path=str(built[0] / "Top/Own.lean"), declaration="goal")
    assert not {"above", "goal", "below"} & set(names(ranker, place))


def test_never_the_theorem_itself(ranker: PremiseRanker) -> None:
    place = Place("import Top.Base\nnamespace Nat\n", "M", "mul_comm")
    assert "Nat.mul_comm" not in names(ranker, place)
    assert "Nat.add_comm" in names(ranker, place)


def test_proofs_of_like_theorems_vote_for_what_they_name(ranker: PremiseRanker) -> None:
    place = Place("import Top.Uses\n", "M", "foo")
    found = ranker.candidates(State("Balanced (n + 3)", (("n", "Nat"),)), place)
    best = int(found.votes.argmax())
    premise = ranker.premises(found, found.rows[:0].astype(int))
    assert premise == []
    assert "magic" in names(ranker, place, State("Balanced (n + 3)", (("n", "Nat"),)))
    [voted] = ranker.premises(found, found.rows[:1] * 0 + best)
    assert voted is not None
    assert voted.name == "magic"


def test_from_rows_held_out_nothing_is_learned(ranker: PremiseRanker) -> None:
    without = ranker.rows_of(lambda module: module == "Top.Uses")
    found = ranker.candidates(State("Balanced (n + 3)"), Place("import Top.Uses\n", "M"), without)
    assert not found.votes.any()


@pytest.mark.parametrize(
    ("above", "name", "declared", "written"),
    [
        ("", "Nat.mul_comm", "foo", "Nat.mul_comm"),
        ("namespace Nat\n", "Nat.mul_comm", "foo", "mul_comm"),
        ("open Nat\n", "Nat.mul_comm", "foo", "mul_comm"),
        ("", "Nat.mul_comm", "Nat.foo", "mul_comm"),
        ("open Nat\n", "Nat.le_trans", "foo", "Nat.le_trans"),
        ("namespace Set\n", "Nat.mul_comm", "foo", "Nat.mul_comm"),
        ("open Nat (add_comm)\n", "Nat.mul_comm", "foo", "Nat.mul_comm"),
        ("namespace A\ntheorem Nat.mul_comm : p := q\n", "Nat.mul_comm", "foo", "_root_.Nat.mul_comm"),
    ],
)
def test_names_are_as_short_as_the_place_allows(
    ranker: PremiseRanker, above: str, name: str, declared: str, written: str
) -> None:
    state = GOAL if "mul" in name else State("a ≤ c", (("h", "a ≤ b"), ("h'", "b ≤ c")))
    found = ranker.rank(state, Place(f"import Top.Base\n{above}", "M", declared))
    assert [each.written for each in found if each.premise.name == name] == [written]


def test_what_attributes_make_above_does_not_hide_the_namespace_of_the_goal(ranker: PremiseRanker) -> None:
    text = "import Top.Base\nnamespace Other\n@[mk_iff mk_iff_made] class pair (n : Nat) : Prop where\n  one : n = n\n"
    text += "end Other\nnamespace Nat\n"
    above = ranker.above(Place(text))
    assert {"Other.pair", "Other.mk_iff_made"} <= {each.name for each in above.premises}
    assert above.namespace == "Nat"


def test_definitions_of_the_goal_are_found_by_name(ranker: PremiseRanker) -> None:
    place = Place("import Top.Base\nopen Nat\n", "M", "foo")
    found = ranker.definitions(State("double a = a + a", (("a", "Nat"),)), place)
    assert [(each.premise.name, each.written) for each in found] == [("Nat.double", "double")]
    assert ranker.definitions(State("Nat.double a = a + a"), Place("", "M", "foo")) == []


def test_proved_are_the_theorems_that_can_be_used(ranker: PremiseRanker) -> None:
    place = Place("import Top.Base\ntheorem mine : p := sorry\n", "M", "foo")
    some = ["Nat.mul_comm", "Nat.double", "mul_comm_elsewhere", "mine", "nothing"]
    assert ranker.proved(some, place) == {"Nat.mul_comm", "mine"}


def test_nothing_indexed_and_odd_goals_are_no_error(ranker: PremiseRanker) -> None:
    assert PremiseRanker([]).rank(GOAL, Place("theorem x (a b : Nat) : a * b = b * a := sorry\n")) == []
    for target in ("", "⊢", "((((", "∀", "∀ x,", "a →", "🙂 " * 5000, "f " * 20000):
        ranker.rank(State(target, (("h", target),)), Place("import Top.Base\n", "M"))


@pytest.mark.parametrize(
    ("text", "relation", "heads", "constants"),
    [
        ("a * b = b * a", "=", ("*", "*"), {"*", "="}),
        ("∀ x ∈ s, f x ≤ g x → x + 1 ∈ s ↔ Even x", "↔", ("+", "Even"), {"+", "1", "∈", "Even", "↔"}),
        ("Continuous (g ∘ f)", "", ("Continuous", ""), {"Continuous", "∘"}),
        ("Nat.succ a = b", "=", ("succ", "_"), {"succ", "="}),
        ("a.succ = b", "=", ("succ", "_"), {"succ", "="}),
        ("∑ i ∈ s, f i ≤ ∑ i ∈ s, g i", "≤", ("∑", "∑"), {"∑", "∈", "≤"}),
        ("∃ x, p x ∧ q x", "", ("∃", ""), {"∃", "∧"}),
    ],
)
def test_the_form_of_a_statement(text: str, relation: str, heads: tuple[str, str], constants: set[str]) -> None:
    found = form(text, frozenset("abfgpqsx"))
    assert (found.relation, found.heads) == (relation, heads)
    assert found.constants == constants
