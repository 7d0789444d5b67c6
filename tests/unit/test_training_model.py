"""The decoder and its training: what it sees, what a run leaves, that a run goes on as if it had never ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tacit.training import batches, evaluate, run
from tacit.training.errors import TrainingError
from tacit.training.examples import Example
from tacit.training.model import SIZES, Config, build, config
from tacit.training.tokenizer import Tokenizer, train

torch: Any = pytest.importorskip("torch", reason="needs the extra `train`")

CONTEXT = 64
SOME = [Example(tactic, f"h : {name}\n⊢ {name}") for name in "pqrs" for tactic in (f"exact {name}", "simp")]


@pytest.fixture(scope="module")
def words() -> Tokenizer:
    return train([f"{each.prompt} {each.tactic}" for each in SOME] * 9, 300)


def small(vocabulary: int = 300) -> Config:
    return Config(vocabulary, 32, 2, 4, 2, 48, CONTEXT)


@pytest.fixture
def plan(tmp_path: Path, words: Tokenizer) -> run.Plan:
    batches.write(SOME, words, tmp_path, CONTEXT)
    return run.Plan(small(words.size), 8, rows=2, at_once=2, rate=1e-2, warm_up=2, threads=1)


def weights(model: Any) -> list[Any]:
    return list(model.state_dict().values())


def same(one: Any, other: Any) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


@pytest.mark.parametrize("size", SIZES)
def test_sizes_say_how_many_parameters_there_are(size: str) -> None:
    sizes = config(size, 1024)
    with torch.device("meta"):
        model = build(sizes)
    assert sum(each.numel() for each in model.parameters()) == sizes.parameters


def test_sizes_that_cannot_be() -> None:
    with pytest.raises(TrainingError, match=r"^There can be no model of these sizes"):
        Config(300, 30, 2, 4, 2, 48, 64)
    with pytest.raises(TrainingError, match=r"^There is no size huge"):
        config("huge", 300)


def test_what_is_kept_of_what_stood_before_changes_nothing() -> None:
    torch.manual_seed(1)
    model = build(small()).eval()
    ids = torch.randint(0, 300, (2, 20))
    whole, _ = model(ids)
    first, cache = model(ids[:, :7])
    middle, cache = model(ids[:, 7:8], None, cache)
    last, _ = model(ids[:, 8:], None, cache)
    assert torch.allclose(torch.cat([first, middle, last], 1), whole, atol=1e-5)


def test_examples_in_one_row_do_not_see_each_other_nor_what_comes_later() -> None:
    torch.manual_seed(1)
    model = build(small()).eval()
    ids = torch.randint(0, 300, (1, 20))
    document = torch.tensor([[0] * 12 + [1] * 8])
    together, _ = model(ids, document)
    alone, _ = model(ids[:, 12:])
    assert torch.allclose(together[:, 12:], alone, atol=1e-4)
    other = ids.clone()
    other[0, 11] = (other[0, 11] + 1) % 300
    changed, _ = model(other, document)
    assert torch.equal(changed[:, :11], together[:, :11])
    assert torch.equal(changed[:, 12:], together[:, 12:])


def test_a_run_learns_and_gives_the_same_each_time(tmp_path: Path, plan: run.Plan) -> None:
    losses: list[float] = []
    longer = replace(plan, steps=60)
    once = run.train(tmp_path, longer, lambda done: losses.append(done.loss), resume=False)
    again = run.train(tmp_path, longer, lambda _: None, resume=False)
    assert losses[-1] < 0.5 * losses[0]
    assert same(once, again)


@pytest.mark.parametrize("ended", [3, 5])
def test_a_run_that_was_interrupted_goes_on_as_if_it_had_not_been(tmp_path: Path, plan: run.Plan, ended: int) -> None:
    whole = run.train(tmp_path, plan, lambda _: None, resume=False)
    (tmp_path / run.CHECKPOINT).unlink()

    def stop(done: run.Progress) -> None:
        if done.step == ended:
            raise KeyboardInterrupt

    often = replace(plan, save_every=2)
    with pytest.raises(KeyboardInterrupt):
        run.train(tmp_path, often, stop)
    steps: list[int] = []
    went_on = run.train(tmp_path, often, lambda done: steps.append(done.step))
    assert steps == list(range(ended // 2 * 2 + 1, 9))
    assert same(whole, went_on)
    trained, count = run.trained(tmp_path)
    assert (same(trained, whole), count) == (True, 8)


def test_rows_that_do_not_fit_at_once_give_nearly_the_same(tmp_path: Path, plan: run.Plan) -> None:
    plain = replace(plan, matrices="adamw")  # Muon makes differences of rounding as large as any others
    once = run.train(tmp_path, plain, lambda _: None, resume=False)
    parts = run.train(tmp_path, replace(plain, at_once=1), lambda _: None, resume=False)
    assert all(torch.allclose(a, b, atol=1e-3) for a, b in zip(weights(once), weights(parts), strict=True))


def test_a_checkpoint_of_another_run_is_not_gone_on_with(tmp_path: Path, plan: run.Plan) -> None:
    run.train(tmp_path, plan, lambda _: None)
    with pytest.raises(TrainingError, match="is of a run with other rate and seed"):
        run.train(tmp_path, replace(plan, seed=2, rate=1.0), lambda _: None)
    (tmp_path / run.CHECKPOINT).write_bytes(b"PK no")
    with pytest.raises(TrainingError, match="is no checkpoint"):
        run.train(tmp_path, plan, lambda _: None)
    with pytest.raises(TrainingError, match=r"^There is no trained model in"):
        run.trained(tmp_path / "gone")


def test_the_learning_rate_rises_and_falls() -> None:
    plan = run.Plan(small(), 100, rate=1.0, warm_up=10)
    rates = [run.rate_at(step, plan) for step in range(100)]
    assert rates[:10] == pytest.approx([0.1 * (step + 1) for step in range(10)])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(run.LAST, abs=0.01)


class Fixed:
    """Stands for a decoder that knows each next id's probability by the one before."""

    def __init__(self, table: dict[int, dict[int, float]], size: int) -> None:
        self.sizes = small(size)
        self._table, self._size = table, size

    def __call__(self, ids: Any, document: Any = None, cache: Any = None) -> tuple[Any, list[Any]]:
        logits = torch.full((*ids.shape, self._size), -30.0)
        for row in range(ids.shape[0]):
            for place in range(ids.shape[1]):
                for following, chance in self._table.get(int(ids[row, place]), {}).items():
                    logits[row, place, following] = torch.tensor(chance).log()
        return logits, [(torch.zeros(ids.shape[0], 1, 1, 1), torch.zeros(ids.shape[0], 1, 1, 1))]


def test_tactics_are_proposed_by_their_likelihood(words: Tokenizer) -> None:
    start, end = words.encode("<|tactic|>")[0], words.end
    a, b, c = words.encode("0"), words.encode("1"), words.encode("2")
    # The likeliest first id leads to two less likely texts.
    table = {start: {a[0]: 0.6, b[0]: 0.4}, a[0]: {b[0]: 0.5, c[0]: 0.5}, b[0]: {end: 1.0}, c[0]: {end: 1.0}}
    found = evaluate.propose(Fixed(table, words.size), words, [start], beams=3)
    assert found[0][0] == "1"
    assert {text for text, _ in found[1:]} == {"01", "02"}
    assert [value for _, value in found] == pytest.approx([-0.916, -1.204, -1.204], abs=0.01)


def test_quality_counts_by_kind(words: Tokenizer) -> None:
    start, end = words.encode("<|tactic|>")[0], words.end
    [a], [b] = words.encode("0"), words.encode("1")
    model = Fixed({start: {a: 0.75, b: 0.25}, a: {end: 1.0}, b: {end: 1.0}}, words.size)
    asked = [Example("0", "p", kind="first"), Example("1", "p", kind="have")]
    report = evaluate.evaluate(model, words, asked, lambda *_: None).report()
    assert (report["first"]["top-1"], report["first"]["first token"]) == (1, 1)
    assert (report["have"]["top-1"], report["have"]["top-8"], report["have"]["first token"]) == (0, 1, 0)
    assert report["all"]["loss"] == pytest.approx((0.288 + 1.386) / 4, abs=0.001)
    with pytest.raises(TrainingError, match=r"^No example is held out\.$"):
        evaluate.evaluate(model, words, [], lambda *_: None)


def test_a_sample_is_of_all_and_the_seed_decides_it() -> None:
    every = [Example(str(number), "p") for number in range(100)]
    assert evaluate.sample(every, 10, 1) == evaluate.sample(every, 10, 1) != evaluate.sample(every, 10, 2)
    assert evaluate.sample(every, 1000, 1) == every
