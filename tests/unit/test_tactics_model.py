"""What a model wrote, and which of it is worth a check."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import replace

import pytest

from tacit.server.errors import ModelUnavailable
from tacit.server.tactics.model import MOST, ModelTactics, may_be_right, prior
from tacit.server.tactics.source import Helpful, SourceRequest, Written
from tests.unit.tactics_goals import CORE, EVERYTHING, OLD, request

GOAL = "p q : Prop; h : p ∧ q; q ∧ p"


class FakeGenerator:
    def __init__(self, *texts: str, reads: bool = False, error: Exception | None = None) -> None:
        self.texts = texts
        self.reads = reads
        self.error = error
        self.closed = False
        self.premises: Sequence[Helpful] = ()
        self.count = self.written = 0

    async def write(
        self, request: SourceRequest, premises: Sequence[Helpful], count: int
    ) -> AsyncGenerator[Written, None]:
        del request
        self.premises, self.count = premises, count
        try:
            for text in self.texts[:count]:
                self.written += 1
                yield Written(text, -1.0, 2)
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


class FakeFinder:
    """Ranks as many premises as it is asked for, and knows every name but those that are `missing`."""

    def __init__(self, *missing: str) -> None:
        self.missing = missing
        self.asked: list[Collection[str]] = []

    async def find(self, request: SourceRequest, limit: int) -> Sequence[Helpful]:
        del request
        return [Helpful(f"P{at}", ": p", 1.0) for at in range(limit)]

    async def unknown(self, request: SourceRequest, names: Collection[str]) -> Collection[str]:
        del request
        self.asked.append(names)
        return [each for each in names if each in self.missing]


async def written(generator: FakeGenerator, known: frozenset[str] = EVERYTHING) -> list[str]:
    source = ModelTactics(generator)
    return [each.text for batch in [b async for b in source.candidates(request(GOAL, known))] for each in batch]


async def test_what_is_written_comes_one_by_one_with_its_prior() -> None:
    source = ModelTactics(FakeGenerator("exact h.symm", "simp_all"))
    batches = [list(batch) async for batch in source.candidates(request(GOAL, EVERYTHING))]
    assert [[(each.text, each.source) for each in batch] for batch in batches] == [
        [("exact h.symm", "model")],
        [("simp_all", "model")],
    ]
    assert batches[0][0].prior == 0.664


async def test_the_same_again_is_dropped() -> None:
    assert await written(FakeGenerator("exact h.symm", "exact  h.symm", "simp_all")) == ["exact h.symm", "simp_all"]


async def test_what_this_lean_does_not_know_is_dropped() -> None:
    generator = FakeGenerator("nlinarith [h]", "exact h.symm")
    assert await written(generator, CORE) == ["exact h.symm"]
    assert await written(generator) == ["nlinarith [h]", "exact h.symm"]


@pytest.mark.parametrize(
    "text",
    [
        "sorry", "exact sorry", "exact h.sorry", "admit", "native_decide", "exact Lean.ofReduceBool _ _ _", "",
        "exact swap h", "exact Foo.swap h", "exact (Foo.swap h).1", "exact Foo.swap.aux h", "exact _root_.Foo.swap h",
        "exact Bar.Foo.swap h", "simp [swap]", "exact «swap» h", "exact h✝", "exact ?m.3", "x" * 2000,
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_dropped(text: str) -> None:
    asked = request(GOAL, EVERYTHING, declaration="Foo.swap")
    assert not may_be_right(text, asked)


@pytest.mark.parametrize(
    "text", ["exact swap' h", "exact And.swap h", "simp [Prod.swap]", "exact swapped h", "intro x"]
)
def test_what_only_looks_like_it_is_kept(text: str) -> None:
    assert may_be_right(text, request(GOAL, EVERYTHING, declaration="Foo.swap"))


def test_a_hypothesis_of_the_theorems_name_is_no_self_reference() -> None:
    asked = request("swap : p; p", EVERYTHING, declaration="Foo.swap")
    assert may_be_right("exact swap", asked)
    assert not may_be_right("exact Foo.swap", asked)


def test_a_prior_lies_between_the_blind_and_the_sure() -> None:
    assert prior(Written("x", 0.0, 4)) == 0.9
    assert prior(Written("x", -1000.0, 4)) == 0.3
    assert prior(Written("x", -4.0, 4)) == prior(Written("y", -8.0, 8))


async def useful(generator: FakeGenerator, asked: SourceRequest, *missing: str, answers: int = 8) -> list[str]:
    source = ModelTactics(generator, FakeFinder(*missing), answers)
    return [each.text async for batch in source.candidates(asked) for each in batch]


async def test_what_is_made_up_is_dropped_and_what_is_not_is_kept() -> None:
    generator = FakeGenerator("exact And.comm_foo h", "exact h.foo_bar", "exact (h.1).foo_bar", "exact And.comm.1 h")
    asked = request(GOAL, EVERYTHING)
    assert await useful(generator, asked, "And.comm_foo") == list(generator.texts[1:])
    assert await useful(generator, asked, "h.foo_bar", ".foo_bar") == [generator.texts[0], generator.texts[3]]
    assert await useful(generator, asked, "h.foo_bar") == list(generator.texts), "a field may be of any type"
    assert await useful(generator, asked) == list(generator.texts)


async def test_what_stands_in_the_file_or_the_goal_is_not_made_up() -> None:
    above = 'local notation "Foo.odd" => id\n'
    text = f"{above}theorem swap (h_one : p ∧ q) : q ∧ p := by\n  rcases id h_one with ⟨hp, hq⟩\n  "
    start = text.index("theorem")
    asked = replace(request("h : Goal.word p; p", EVERYTHING), text=text + "exact below_one", start=start, at=len(text))
    generator = FakeGenerator("exact Foo.odd", "exact Goal.word", "exact hp.foo", "exact below_one", "exact hz")
    everything = ("Foo.odd", "Goal.word", "below_one", "hz", "hp", "hp.foo")
    assert await useful(generator, asked, *everything) == ["exact Foo.odd", "exact Goal.word", "exact hp.foo"]


async def test_what_is_dropped_costs_no_answer() -> None:
    bad = [f"exact bad_{at}" for at in range(10)]
    good = [f"exact good_{at}" for at in range(10)]
    generator = FakeGenerator(*(each for pair in zip(bad, good, strict=True) for each in pair))
    assert await useful(generator, request(GOAL, EVERYTHING), *(f"bad_{at}" for at in range(10))) == good[:8]
    assert generator.closed
    assert (generator.written, generator.count) == (16, MOST)


async def test_no_more_is_written_than_four_times_what_is_wanted() -> None:
    generator = FakeGenerator(*(f"exact bad_{at}" for at in range(99)))
    assert await useful(generator, request(GOAL, EVERYTHING), *(f"bad_{at}" for at in range(99)), answers=4) == []
    assert generator.written == 16


async def test_what_another_source_has_proposed_is_no_answer() -> None:
    asked = replace(request(GOAL, EVERYTHING), tried={"simp_all", "exact h . symm"})
    assert await useful(FakeGenerator("simp_all", "exact  h.symm", "constructor"), asked) == [
        "exact  h.symm",
        "constructor",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "exact ⟨by omega, h.1⟩", "constructor <;> positivity", "· omega", "first | omega | simp", "all_goals omega",
        "cases h with\n| intro a b => omega", "have : p := by\n  omega", "try (simp; omega)", "convert h",
        "simp_intro x", "case inl => omega", "induction' n with n ih",
    ],
)  # fmt: skip
def test_tactics_that_this_lean_lacks_are_found_wherever_they_stand(text: str) -> None:
    assert may_be_right(text, request(GOAL, EVERYTHING))
    assert not may_be_right(text, request(GOAL, OLD))


@pytest.mark.parametrize(
    "text",
    [
        "show p ∧ q",
        "exact fun omega => omega",
        "simp [h,\n  ring_one]",
        "my_own_tactic h",
        "calc p\n  _ = q := h",
        "skip",
    ],
)
def test_what_no_probe_tells_of_is_kept(text: str) -> None:
    assert may_be_right(text, request(GOAL, OLD))


async def test_premises_are_looked_up_only_for_a_model_that_reads_them() -> None:
    for reads, count in ((True, 12), (False, 0)):
        generator = FakeGenerator("simp", reads=reads)
        async for _ in ModelTactics(generator, FakeFinder()).candidates(request(GOAL, EVERYTHING)):
            pass
        assert len(generator.premises) == count


async def test_closing_it_early_closes_the_generator() -> None:
    generator = FakeGenerator("simp", "omega")
    stream = ModelTactics(generator).candidates(request(GOAL, EVERYTHING))
    assert isinstance(stream, AsyncGenerator)
    assert len(await anext(stream)) == 1
    await stream.aclose()
    assert generator.closed


async def test_what_came_before_a_failure_counts_and_the_failure_is_told() -> None:
    generator = FakeGenerator("exact h.symm", error=ModelUnavailable("The model worker ended by itself."))
    batches = ModelTactics(generator).candidates(request(GOAL, EVERYTHING))
    assert [each.text for each in await anext(batches)] == ["exact h.symm"]
    with pytest.raises(ModelUnavailable):
        await anext(batches)
