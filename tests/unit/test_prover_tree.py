"""The tree of a proof search: what is proved, what is hopeless, what is still wanted, and the way to a state."""

from __future__ import annotations

import pytest

from tacit.server.lean.batch import Step
from tacit.server.lean.goals import parse_goals
from tacit.server.prover.neater import changes, with_fewer_lemmas
from tacit.server.prover.proof import Proof, proof_of
from tacit.server.prover.script import Left, joined, skeleton
from tacit.server.prover.state import State, states
from tacit.server.prover.tree import Edge, Node, Tree
from tacit.server.values import Candidate, CheckedTactic, Verdict


def state(text: str) -> State:
    return State(parse_goals(text))


def closes(tactic: str) -> CheckedTactic:
    return CheckedTactic(Candidate(tactic, "test"), Verdict.CLOSES)


def leaves(tactic: str, *texts: str) -> CheckedTactic:
    return CheckedTactic(Candidate(tactic, "test"), Verdict.PROGRESSES, parse_goals("\n\n".join(texts)))


def grow(tree: Tree, node: Node, checked: CheckedTactic, probability: float = 0.5) -> Edge:
    edge = tree.add(node, checked, probability)
    assert edge is not None
    return edge


@pytest.fixture
def tree() -> Tree:
    return Tree(state("p q : Prop\n⊢ p ∧ q"))


def test_a_tactic_that_leaves_two_goals_needs_both(tree: Tree) -> None:
    edge = grow(tree, tree.root, leaves("constructor", "⊢ p", "⊢ q"))
    left, right = edge.children
    grow(tree, left, closes("exact hp"))
    assert (left.solution is not None, tree.root.solution) == (True, None)
    assert [node.state.goals[0].target for node in tree.frontier()] == ["p ∧ q", "q"]
    grow(tree, right, closes("exact hq"))
    assert tree.root.solution is edge
    assert tree.frontier() == []
    assert proof_of(tree.root).text == "constructor\n· exact hp\n· exact hq"


def test_the_way_goes_through_the_bullets(tree: Tree) -> None:
    edge = grow(tree, tree.root, leaves("constructor", "⊢ p", "⊢ q"))
    deeper = grow(tree, edge.children[1], leaves("intro x", "⊢ r"))
    assert tree.way(deeper.children[0]) == (Step("constructor", 1, 2), Step("intro x", 0, 1))
    assert tree.way(tree.root) == ()
    assert tree.depth == 2


def test_a_state_that_is_met_again_is_the_same(tree: Tree) -> None:
    first = grow(tree, tree.root, leaves("constructor", "⊢ p", "⊢ q"), 0.1)
    other = grow(tree, tree.root, leaves("swap", "case b\n⊢ q"), 0.9)
    assert other.children[0] is first.children[1]
    assert tree.way(other.children[0]) == (Step("swap", 0, 1),), "the likelier way"
    assert len(tree) == 3


def test_no_way_leads_round_in_a_circle(tree: Tree) -> None:
    edge = grow(tree, tree.root, leaves("rw [h]", "⊢ q ∧ p"))
    assert tree.add(edge.children[0], leaves("rw [h]", "p q : Prop\n⊢ p ∧ q"), 0.5) is None
    assert tree.add(tree.root, leaves("simp only [h]", "⊢ q ∧ p"), 0.5) is None, "the same result again"
    assert tree.add(tree.root, CheckedTactic(Candidate("x", "test"), Verdict.FAILS), 0.5) is None


def test_what_is_hopeless_is_not_wanted_and_takes_its_brothers_along(tree: Tree) -> None:
    edge = grow(tree, tree.root, leaves("constructor", "⊢ p", "⊢ q"))
    tree.exhaust(edge.children[0])
    assert edge.dead
    assert [node.number for node in tree.frontier()] == [0]
    tree.exhaust(tree.root)
    assert tree.root.dead


def test_a_proof_that_is_refused_as_a_whole_is_none(tree: Tree) -> None:
    edge = grow(tree, tree.root, leaves("intro x", "⊢ p"))
    bad = grow(tree, edge.children[0], closes("exact bad"))
    assert tree.root.solution is edge
    tree.refuse(bad)
    assert [node.solution for node in (tree.root, edge.children[0])] == [None, None]
    assert len(tree.frontier()) == 2
    grow(tree, edge.children[0], closes("exact good"))
    assert proof_of(tree.root).text == "intro x\nexact good"


def test_the_shortest_of_several_proofs_is_told(tree: Tree) -> None:
    grow(tree, tree.root, closes("simp_all [a, b, c]"))
    grow(tree, tree.root, leaves("intro x", "⊢ p"))
    grow(tree, tree.root, closes("rfl"))
    assert proof_of(tree.root).text == "rfl"


def test_goals_that_share_unknowns_stay_together() -> None:
    apart, together = parse_goals("⊢ p\n\n⊢ q"), parse_goals("⊢ ?a = 1\n\ncase a\n⊢ Nat")
    assert [len(each.goals) for each in states(apart)] == [1, 1]
    assert [(len(each.goals), each.joined) for each in states(together)] == [(2, True)]
    assert not state("⊢ ∀ {x : Nat}, x = x").joined
    assert not state("⊢ ∀ (x : Nat), x = x").joined


def test_hidden_names_and_tags_make_no_new_state() -> None:
    assert state("case a\nh✝¹ : p\n⊢ q").key == state("h✝ : p\n⊢   q").key
    assert state("h : p\n⊢ q").key != state("k : p\n⊢ q").key
    assert state("⊢ ?m.12 = ?refine_1.a").key == state("⊢ ?x = ?m.7").key
    assert state("⊢ ?m.12 = ?refine_1.a").key != state("⊢ ?x = ?x").key
    assert state("⊢ xs.get? 0 = a").key != state("⊢ xs.get? 1 = a").key


def test_the_furthest_honest_state_is_told_with_sorry(tree: Tree) -> None:
    assert skeleton(tree.root) == "sorry"
    edge = grow(tree, tree.root, leaves("constructor", "⊢ p", "⊢ q ∧ q ∧ q ∧ q ∧ q ∧ q"))
    assert skeleton(tree.root) == "sorry", "more is left than before"
    grow(tree, edge.children[1], closes("exact hq"))
    assert skeleton(tree.root) == "constructor\n· sorry\n· exact hq"
    assert Left().of(tree.root) == pytest.approx(edge.children[0].state.size)


def test_alternatives_are_filled_in_place() -> None:
    tactic = "induction n with\n| zero => ?_\n| succ n ih => ?_"
    assert joined(tactic, [["rfl"], ["simp", "exact ih"]]) == [
        "induction n with", "| zero => rfl", "| succ n ih =>", "  simp", "  exact ih",
    ]  # fmt: skip
    assert joined("constructor", [["a", "b"], ["c"]]) == ["constructor", "· a", "  b", "· c"]
    assert joined("refine ⟨?_, ?_⟩", [["a"], ["b"]]) == ["refine ⟨?_, ?_⟩", "· a", "· b"]


def test_a_proof_less_one_thing() -> None:
    proof = Proof("intro x", (Proof("constructor", (Proof("simp [a, b]"), Proof("simp [a, b]"))),))
    texts = [each.of(proof).text for each in changes(proof)]
    assert "constructor\n· simp [a, b]\n· simp [a, b]" in texts
    assert "intro x\nconstructor <;> simp [a, b]" in texts
    assert "intro x\nconstructor\n· simp [b]\n· simp [a, b]" in texts
    assert "intro x\nconstructor\n· simp [a, b]\n· simp" in texts
    assert all(len(text) < len(proof.text) for text in texts)


@pytest.mark.parametrize(
    ("tactic", "fewer"),
    [
        ("simp", []),
        ("simp [a]", ["simp"]),
        ("simp only [f (g, h), b]", ["simp only [b]", "simp only [f (g, h)]"]),
        ("cases x <;> simp_all [a, b] at h", ["cases x <;> simp_all at h", "cases x <;> simp_all [b] at h",
         "cases x <;> simp_all [a] at h"]),
        ("rw [a, b]", []),
        ("simp [a", []),
    ],
)  # fmt: skip
def test_with_fewer_lemmas(tactic: str, fewer: list[str]) -> None:
    assert list(with_fewer_lemmas(tactic)) == fewer
