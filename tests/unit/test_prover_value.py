"""What states and steps are judged by: their numbers, what is learned from searches, what is kept of that, the fit."""

from __future__ import annotations

import fcntl
import json
import logging
import math
import os
import random
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from tacit.server import traces_command
from tacit.server.lean.goals import parse_goals
from tacit.server.prover import experience as kept
from tacit.server.prover.experience import Base, Experience, base_of, forget, record_of, shipped
from tacit.server.prover.features import features, kind_of
from tacit.server.prover.fit import Measure, believed, crossed, fit, lessons, measure, only
from tacit.server.prover.learner import LEAST, MOST, UNKNOWN, Belief, Example, Weights, total
from tacit.server.prover.state import State
from tacit.server.prover.tree import Node, Tree
from tacit.server.prover.value import ENOUGH, FEW, FIRST, Judge, Lesson, lesson, step_numbers
from tacit.server.terminal import Terminal
from tacit.server.values import Candidate, CheckedTactic, Verdict


def state(text: str) -> State:
    return State(parse_goals(text))


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a = b", "="),
        ("∀ (n : ℕ), n ≤ n + 1", "order"),
        ("p → q → ∃ x, r x", "∃"),
        ("x ∉ s", "¬"),
        ("s ⊆ t", "∈"),
        ("p ∧ q ↔ q ∧ p", "↔"),
        ("False", "False"),
        ("p → False", "False"),
        ("Monotone f", "atom"),
    ],
)
def test_what_a_goal_says(text: str, kind: str) -> None:
    assert kind_of(text) == kind


def test_a_goal_in_numbers() -> None:
    found = features(state("n m : ℕ\nh : n = m\nhp : n ≤ 3 ∨ m = 0\n⊢ n + 1 = 1 + m"))
    assert (found["one"], found["says ="], found["fact ="], found["fact ∨"]) == (1, 1, 1, 1)
    assert found["facts"] == pytest.approx(math.log2(3) / 2)
    assert (found["balance"], found["spoken of"], found["numbers"], found["successor"]) == (1, 1, 1, 1)
    assert "reordered" not in found
    assert "ground" not in found
    assert "given" not in found


def test_what_the_context_has_is_seen() -> None:
    assert features(state("p : Prop\nh : p\n⊢ p"))["given"] == 1
    assert features(state("a b : ℕ\n⊢ a + b = b + a"))["reordered"] == 1
    assert features(state("⊢ 2 + 2 = 4"))["ground"] == 1
    assert features(state("a : ℕ\nx✝ : a = 2\n⊢ a = 3"))["hidden"] > 0
    assert features(state("⊢ ?a = 3"))["unknown"] > 0
    assert features(state("⊢ ?a = 3\n\n⊢ ?a = 4"))["goals"] > 0


def test_no_name_of_a_goal_or_of_a_users_tactic_is_among_the_numbers() -> None:
    found = set(
        features(state("Secret : Type\nsecret : Secret\nhsecret : secret = secret\n⊢ Secret.of secret = secret"))
    )
    tree = Tree(state("⊢ Secret.of secret = secret"))
    found |= set(step_numbers(tree.root, Candidate("secret_tactic secret", "secret source"), 2))
    assert "tactic other on =" in found
    assert "source other" in found
    assert not [name for name in found if "secret" in name.lower()]


# ---------------------------------------------------------------- learning


def drawn(count: int, seed: int) -> Iterator[Example]:
    """Examples whose odds are 2·x − y."""
    chosen = random.Random(seed)
    for _ in range(count):
        x, y = chosen.uniform(-2, 2), chosen.uniform(-2, 2)
        chance = 1 / (1 + math.exp(-2 * x + y))
        yield Example({"one": 1.0, "x": x, "y": y}, chosen.random() < chance)


def test_what_examples_say_is_learned() -> None:
    weights = Weights({})
    weights.learn(drawn(400, 1))
    assert weights.logit({"x": 1.0}) == pytest.approx(2, abs=0.6)
    assert weights.logit({"y": 1.0}) == pytest.approx(-1, abs=0.4)
    assert weights.logit({"one": 1.0}) == pytest.approx(0, abs=0.4)


def test_one_by_one_teaches_about_what_all_at_once_do() -> None:
    examples = list(drawn(400, 2))
    online, together = Weights({}), Weights(believed(examples))
    online.learn(examples)
    for numbers in ({"one": 1.0, "x": 1.0}, {"one": 1.0, "y": 1.5}, {"one": 1.0, "x": -1.0, "y": 1.0}):
        assert online.chance(numbers) == pytest.approx(together.chance(numbers), abs=0.08)


def test_what_says_little_moves_little_and_no_chance_is_certain() -> None:
    little, much = Weights({}), Weights({})
    little.learn([Example({"one": 1.0}, True, 0.1)])
    much.learn([Example({"one": 1.0}, True, 1.0)])
    assert 0.5 < little.chance({"one": 1.0}) < much.chance({"one": 1.0}) < 1
    much.learn([Example({"one": 50.0}, True)] * 50)
    assert much.chance({"one": 50.0}) == MOST
    assert much.chance({"one": -50.0}) == LEAST


def test_what_was_gained_can_be_added_elsewhere_and_fades() -> None:
    base = {"x": Belief(0.5, 10.0)}
    first = Weights(base)
    gain = total(first.learn(drawn(30, 3)), first.learn(drawn(20, 4)))
    assert Weights(base, gain).logit({"x": 1.0, "y": 1.0}) == pytest.approx(first.logit({"x": 1.0, "y": 1.0}))
    for _ in range(200):
        gain = total(gain, {}, 0.9)
    assert Weights(base, gain).logit({"x": 1.0, "y": 1.0}) == pytest.approx(0.5, abs=1e-6)


# ---------------------------------------------------------------- what a search teaches


def tried(tree: Tree, node: Node, count: int, *checked: CheckedTactic) -> None:
    node.tried += count
    for each in checked:
        tree.add(node, each, 0.5)


def closes(text: str) -> CheckedTactic:
    return CheckedTactic(Candidate(text, "portfolio"), Verdict.CLOSES)


def leaves(text: str, *targets: str) -> CheckedTactic:
    goals = parse_goals("\n\n".join(f"⊢ {target}" for target in targets))
    return CheckedTactic(Candidate(text, "context"), Verdict.PROGRESSES, goals)


def grown() -> Tree:
    """`constructor` leaves a goal that is proved, one that was worked on in vain, and `exfalso` one that nobody saw."""
    tree = Tree(state("⊢ p = p ∧ 2 < 1"))
    tried(tree, tree.root, 64, leaves("constructor", "p = p", "2 < 1"), leaves("exfalso", "False"))
    first, second = tree.root.edges[0].children
    tried(tree, first, 3, closes("rfl"))
    tried(tree, second, ENOUGH // 2)
    return tree


def test_states_teach_as_much_as_was_tried() -> None:
    taught = lesson(grown())
    assert [(each.true, round(each.weight, 2)) for each in taught.states] == [(False, 1), (True, 1), (False, 0.5)]
    assert [FIRST in each.numbers for each in taught.states] == [True, False, False]
    assert FIRST not in features(state("⊢ p = p"))
    assert [(sorted(each.numbers), each.true, each.weight) for each in taught.steps] == [
        (["goals", "one", "source context", "tactic constructor", "tactic constructor on ∧"], False, 0.5)
    ]


def test_steps_that_were_those_of_a_proof_teach_that() -> None:
    tree = grown()
    tried(tree, tree.root.edges[0].children[1], 5, closes("decide"))
    assert [each.true for each in lesson(tree).states] == [True, True, True]
    assert [each.true for each in lesson(tree).steps] == [True]


def test_a_state_that_was_hardly_looked_at_teaches_nothing() -> None:
    tree = Tree(state("⊢ 2 < 1"))
    tried(tree, tree.root, FEW - 1)
    assert lesson(tree) == Lesson((), ())
    tree.exhaust(tree.root)  # there was nothing more to try
    assert [each.true for each in lesson(tree).states] == [False]


def test_many_failures_of_one_search_count_as_few() -> None:
    tree = Tree(state("⊢ 2 < 1"))
    tried(tree, tree.root, ENOUGH, *(leaves(f"apply h{n}", f"{n} < 1") for n in range(3, 62)))
    for edge in tree.root.edges:
        tried(tree, edge.children[0], ENOUGH)
    taught = lesson(tree)
    assert sum(each.weight for each in taught.states) == pytest.approx(math.sqrt(4 * 60))


def test_steps_that_paid_promise_more() -> None:
    judge = Judge(Weights({}), Weights({"one": Belief(0.0, 100.0)}), 0.5)
    node = Tree(state("⊢ a = b")).root
    simp, rewrite = Candidate("simp", "portfolio"), Candidate("rw [h]", "context")
    assert judge.promise(node, simp, 1) == 1
    judge.steps.learn([Example(step_numbers(node, each, 1), each is simp) for each in (simp, rewrite) * 5])
    assert judge.promise(node, simp, 1) > 1 > judge.promise(node, rewrite, 1)


# ---------------------------------------------------------------- what is kept

HARD, EASY = "xs : List ℕ\nh : xs ≠ []\n⊢ xs.length + 1 ≤ 2 * xs.length", "⊢ 2 + 2 = 4"
BASE = Base({"one": Belief(0.0, 10.0)}, {"one": Belief(0.0, 10.0)}, 0.5)


def taught(times: int = 3) -> Lesson:
    examples = [Example(features(state(HARD)), False), Example(features(state(EASY)), True)]
    return Lesson(tuple(examples * times), ())


def test_what_was_learned_is_there_the_next_time(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "experience.json"
    first = Experience(file, BASE)
    before = first.judge().cost(state(HARD))
    first.learn(taught())
    after = first.judge().cost(state(HARD))
    assert after > before > first.judge().cost(state(EASY))
    assert Experience(file, BASE).judge().cost(state(HARD)) == pytest.approx(after, rel=1e-3)
    assert Experience(None, BASE).judge().cost(state(HARD)) == before
    assert [each.name for each in file.parent.iterdir() if each.suffix == ".new"] == []
    assert forget(file)
    assert not forget(file)
    assert Experience(file, BASE).judge().cost(state(HARD)) == before


def test_the_same_searches_teach_the_same(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.json", "b.json")]
    for file in files:
        known = Experience(file, BASE)
        for times in (1, 2, 3):
            known.learn(taught(times))
    assert files[0].read_bytes() == files[1].read_bytes()


def test_only_numbers_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "experience.json"
    tree = Tree(state("secret : Secret\n⊢ Secret.of secret = secret"))
    tried(tree, tree.root, ENOUGH, leaves("secret_tactic", "Secret.of secret = other_secret"))
    tried(tree, tree.root.edges[0].children[0], ENOUGH)
    Experience(file).learn(lesson(tree))
    assert "tactic other on =" in file.read_text(encoding="utf-8")
    assert "secret" not in file.read_text(encoding="utf-8").lower()


def test_what_two_processes_learn_adds_up(tmp_path: Path) -> None:
    file = tmp_path / "experience.json"
    first, second = Experience(file, BASE), Experience(file, BASE)
    first.judge(), second.judge()
    first.learn(taught(1))
    assert all(any(pair) for pair in json.loads(file.read_text())["states"].values())
    once = json.loads(file.read_text())["states"]["one"][0]
    second.learn(taught(1))
    kept_of_both = json.loads(file.read_text())
    assert kept_of_both["searches"] == pytest.approx(1 + kept.KEEP)
    assert kept_of_both["states"]["one"][0] == pytest.approx(once * (1 + kept.KEEP), rel=1e-3)


def test_while_another_process_writes_nothing_is_waited_for_and_nothing_lost(tmp_path: Path) -> None:
    file = tmp_path / "experience.json"
    known = Experience(file, BASE)
    lock = os.open(tmp_path / "experience.json.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    known.learn(taught())
    assert not file.exists()
    assert known.judge().cost(state(HARD)) > Experience(None, BASE).judge().cost(state(HARD))
    os.close(lock)
    known.learn(taught())
    assert json.loads(file.read_text())["searches"] == pytest.approx(1 + kept.KEEP)


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", "null", '{"schema": 1}', "\xff" * 5, "[" * 100_000,
        '{"schema": 1, "searches": 1, "states": {"one": [1]}, "steps": {}}',
        '{"schema": 1, "searches": 1, "states": {"one": [-1, 0]}, "steps": {}}',
        '{"schema": 1, "searches": 1, "states": {"one": [NaN, 0]}, "steps": {}}',
        '{"schema": 1, "searches": 1, "states": {"one": [1, 1e300]}, "steps": {}}',
        '{"schema": 1, "searches": 1, "states": [], "steps": {}}',
    ],
)  # fmt: skip
def test_a_damaged_file_is_said_once_and_written_anew(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "experience.json"
    file.write_text(text, encoding="latin-1")
    known = Experience(file, BASE)
    with caplog.at_level(logging.WARNING):
        assert known.judge().cost(state(HARD)) == Experience(None, BASE).judge().cost(state(HARD))
        known.learn(taught())
    assert [record.getMessage() for record in caplog.records] == [
        f"{file} is damaged: Tacit judges goals as it did when it was new, and writes it anew."
    ]
    assert json.loads(file.read_text())["searches"] == 1


def test_what_no_version_wrote_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "experience.json"
    file.write_text('{"schema": 0, "anything": 1}')
    known = Experience(file, BASE)
    known.learn(taught())
    assert json.loads(file.read_text())["schema"] == kept.KEPT.version
    assert [each.getMessage().split(" is ")[1][:7] for each in caplog.records] == ["damaged"]


def test_where_nothing_can_be_kept_it_is_said_and_the_search_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    known = Experience(tmp_path / "file" / "experience.json", BASE)
    known.learn(taught())
    known.learn(taught())
    assert len(caplog.records) == 1
    assert "cannot be" in caplog.records[0].getMessage()
    assert known.judge().cost(state(HARD)) > known.judge().cost(state(EASY))


# ---------------------------------------------------------------- what is shipped, and the fit


def test_the_shipped_weights_judge_as_one_would() -> None:
    judge = Experience().judge()
    assert judge.cost(state("p : Prop\nh : p\n⊢ p")) < judge.cost(state(HARD))
    assert judge.cost(state("⊢ 2 + 2 = 4")) < judge.cost(state(HARD))
    assert judge.promise(Tree(state(HARD)).root, Candidate("simp", "portfolio"), 1) == pytest.approx(1, abs=0.01)
    assert base_of(record_of(shipped())) == shipped()


def test_a_measure_counts_pairs_and_nats() -> None:
    told = [(Example({}, True), 0.8), (Example({}, False), 0.2), (Example({}, False, 0.5), 0.8)]
    found = measure([told])
    assert (found.examples, found.true) == (3, 1)
    assert found.auc == pytest.approx((1 + 0.25) / 1.5)
    assert found.loss == pytest.approx(-(2 * math.log(0.8) + 0.5 * math.log(0.2)) / 2.5)
    assert measure([[(Example({}, True), 0.5)]]) == Measure(1, 1, None, math.log(2))
    assert measure([]) == Measure(0, 0, None, None)
    assert measure([told[:1], told[1:]]).auc is None, "those of one group are not compared with those of another"


def test_the_fit_judges_files_it_has_not_seen() -> None:
    found = [(f"{name}.lean", list(drawn(60, name))) for name in range(10)]
    everything, alone = crossed(found), crossed(found, ("one", "y"))
    assert everything.examples == alone.examples == 600
    assert (everything.auc or 0) > 0.85 > (alone.auc or 0)
    assert (everything.loss or 9) < (alone.loss or 0)
    assert only(found[0][1][0], ("x",)).numbers.keys() == {"x"}
    precise = believed([each for _, examples in found for each in examples])
    assert precise["x"].mean == pytest.approx(2, abs=0.4)
    assert precise["x"].precision > UNKNOWN


@pytest.fixture
def traced(tmp_path: Path) -> Path:
    """Traces of two files: what is given is proved at once, the other never."""
    file, records = tmp_path / "traces.jsonl", []
    for number in range(12):
        proved = number % 2
        goal = f"n : ℕ\nh : n = {number}\n⊢ n = {number}" if proved else f"xs : List ℕ\n⊢ xs.length < {number}"
        verdict = "closes" if proved else "fails"
        records += [
            {"search": 1, "schema": 1, "goal": goal, "name": "", "file": f"{number % 4}.lean"},
            {"state": 0, "goal": goal, "tried": [["simp", "portfolio", verdict, ""]] * 20},
            {"state": 0, "goal": goal, "tried": [["intro x", "context", "progresses", ["⊢ n = 1"]]] * 2},
            {"state": 0, "goal": goal, "tried": [["odd", "context", "explodes", ""]]},
            {"state": 1, "goal": "⊢ n = 1", "tried": [["simp", "portfolio", "fails", ""]] * 20},
            {"state": 9, "goal": "⊢ unheard = of", "tried": [["simp", "portfolio", "closes", ""]]},
        ]
    file.write_text("".join(f"{json.dumps(each)}\n" for each in records) + "{cut", encoding="utf-8")
    return file


def test_weights_are_fitted_to_traces(traced: Path) -> None:
    found = lessons([traced])
    assert [name for name, _ in found] == [f"{number % 4}.lean" for number in range(12)]
    assert sum(each.true for _, one in found for each in one.states) == 6
    base = fit([one for _, one in found])
    judge = Experience(None, base).judge()
    assert judge.cost(state("n : ℕ\nh : n = 77\n⊢ n = 77")) < judge.cost(state("xs : List ℕ\n⊢ xs.length < 77"))
    assert set(base.steps) <= {"one"}


def test_the_command_says_how_well_it_judges_and_writes_weights(traced: Path, tmp_path: Path) -> None:
    out, weights = StringIO(), tmp_path / "weights.json"
    traces_command.fit_weights(Terminal(out, StringIO()), [traced], [traced], weights, as_json=True)
    told = json.loads(out.getvalue())
    assert Measure(**told["held out"]["all numbers"]).auc == 1
    assert [of.keys() for of in told.values()] == [{"size alone", "all numbers"}] * 3
    assert Measure(**told["held out, met in one search"]["all numbers"]).examples == 12
    assert Experience(None, base_of(json.loads(weights.read_text()))).judge().cost(state(EASY)) > 0
    out = StringIO()
    traces_command.fit_weights(Terminal(out, StringIO()), [traced], [], None, as_json=False)
    assert "AUC" in out.getvalue()


def test_the_command_forgets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path))
    Experience(kept.store(), BASE).learn(taught())
    err = StringIO()
    traces_command.forget(Terminal(StringIO(), err))
    traces_command.forget(Terminal(StringIO(), err))
    assert "is forgotten" in err.getvalue()
    assert "Nothing was learned" in err.getvalue()
    assert not kept.store().exists()
