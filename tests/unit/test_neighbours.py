"""Goals that are alike by shared keys: against a plain computation of the same, and as parts come and go."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

import pytest

from tacit.index.uses import key
from tacit.retrieval import neighbours
from tacit.retrieval.analogy import differences, translated
from tacit.retrieval.likeness import features
from tacit.retrieval.neighbours import Neighbours

Goal = Mapping[int, float]


def some_goals(count: int, seed: int = 0) -> list[Goal]:
    chance = random.Random(seed)
    return [{chance.randrange(2**64) % 40: chance.choice((0.5, 1.0)) for _ in range(6)} for _ in range(count)]


def plainly(goals: Sequence[Goal], asked: Goal) -> list[float]:
    """The cosine of tf-idf, one goal after the other."""

    def rarity(key: int) -> float:
        return math.log((len(goals) + 1) / (sum(key in each for each in goals) + 1)) + 0.1

    def length(goal: Goal) -> float:
        return math.sqrt(sum((weight * rarity(key)) ** 2 for key, weight in goal.items()))

    return [
        sum(weight * asked[key] * rarity(key) ** 2 for key, weight in each.items() if key in asked)
        / (length(each) * length(asked))
        for each in goals
    ]


def test_the_nearest_are_those_of_a_plain_computation() -> None:
    goals, asked = some_goals(200), some_goals(1, seed=1)[0]
    table = Neighbours()
    for start in range(0, 200, 50):
        table.put(start, goals[start : start + 50])
    wanted = plainly(goals, asked)
    found = table.near(asked, 20)
    assert [each.likeness for each in found] == pytest.approx(sorted(wanted, reverse=True)[:20], abs=1e-3)
    for each in found:
        assert isinstance(each.part, int)
        assert wanted[each.part + each.at] == pytest.approx(each.likeness, abs=1e-3)


def test_the_same_goal_is_likest_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "FEW", 10)
    goals = some_goals(120)
    table = Neighbours()
    for number, each in enumerate(goals):  # some in the large table, the last beside it
        table.put(number, [each])
        assert table.near(each, 1)[0].likeness == pytest.approx(1.0, abs=0.02)
    assert {table.near(each, 1)[0].part for each in goals} == set(range(120))


def test_a_part_takes_the_place_of_what_it_was_and_goes() -> None:
    one, other = {1: 1.0, 2: 1.0}, {3: 1.0, 4: 1.0}
    table = Neighbours()
    table.put("a", [one])
    table.put("b", [one, other])
    assert [each.part for each in table.near(one, 5)] == ["a", "b"]
    table.put("a", [other])
    assert [(each.part, each.at) for each in table.near(one, 5)] == [("b", 0)]
    table.put("b", ())
    assert table.near(one, 5) == []
    assert [each.part for each in table.near(other, 5)] == ["a"]
    assert len(table) == 1


def test_nothing_is_like_nothing() -> None:
    table = Neighbours()
    assert table.near({1: 1.0}, 5) == []
    table.put("a", [{}])
    assert table.near({1: 1.0}, 5) == []
    assert table.near({}, 5) == []


def test_names_of_variables_do_not_count() -> None:
    one = features("f (a + b) = g b", [("a", "Nat"), ("b", "Nat"), ("h", "a < b")])
    assert one == features("f (x + y) = g y", [("x", "Nat"), ("y", "Nat"), ("k", "x < y")])
    assert one != features("f (x + y) = g x", [("x", "Nat"), ("y", "Nat"), ("k", "x < y")])


def test_fields_of_a_variable_speak_of_their_constants() -> None:
    for target in ("t.left.size = 0", "size (left t) = 0", "(left t).size = 0"):
        assert {key("c left"), key("c size")} <= features(target, [("t", "Tree")]).keys()


@pytest.mark.parametrize(
    ("then", "now", "name", "wanted"),
    [
        ("min_assoc", "max_assoc", "eq_min", "eq_max"),
        ("Nat.min_le_left", "Nat.min_le_right", "Nat.left_of", "Nat.right_of"),
        ("foo_min", "foo_max", "minimal", "minimal"),
        ("add_comm", "mul_le", "add_assoc", "add_assoc"),
        ("same", "same", "same", "same"),
    ],
)
def test_names_change_as_theorems_do(then: str, now: str, name: str, wanted: str) -> None:
    nothing = frozenset[str]()
    assert translated(name, differences(then, now, "p", "p", nothing, nothing)) == wanted


def test_constants_of_the_target_count_as_well() -> None:
    both = frozenset("ab")
    words = differences("one", "two", "isPrefix a b", "isSuffix b a", both, both)
    assert translated("List.isPrefix", words) == "List.isSuffix"
    assert differences("one", "two", "p a b", "q a", both, both) == {}
