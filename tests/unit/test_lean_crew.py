"""Several checkers for one search: how trials are divided, and what becomes of them when one Lean fails."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from tacit.server.errors import LeanDied, TacitError
from tacit.server.lean.batch import Step, Way
from tacit.server.lean.checker import Checker, Trial
from tacit.server.lean.crew import Crew, divided
from tacit.server.lean.elaborator import Elaboration, Enough
from tacit.server.lean.hole import holes
from tacit.server.lean.site import Site
from tacit.server.values import Candidate, CheckedTactic, Verdict
from tests.unit.fake_lean import Closes, FakeLean, Fate, Hangs

TEXT = "theorem foo (p : Prop) (h : p) : p := by\n  sorry"
TACTICS = [f"exact h{n}" for n in range(16)]


class Broken(FakeLean):
    """A Lean that can be had no longer, once `error` is set."""

    error: TacitError | None = None

    async def elaborate(
        self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
    ) -> Elaboration:
        if self.error is not None:
            raise self.error
        return await super().elaborate(text, timeout=timeout, label=label, enough=enough)


class World:
    """A crew whose Leans all know the same table."""

    def __init__(self, table: Mapping[str, Fate], size: int = 2) -> None:
        self.leans = [Broken(table, goal="p : Prop\nh : p\n⊢ p") for _ in range(size)]
        first, *others = self.leans
        self.checker = Checker(first)
        self.crew = Crew(self.checker)
        for lean in others:
            self.crew.join(Checker(lean, beside=self.checker))

    async def site(self) -> Site:
        command, places = holes(TEXT, TEXT.index("sorry"))
        return await self.checker.open(TEXT, command, places)

    async def check(self, *tactics: str) -> list[CheckedTactic]:
        site = await self.site()
        return await self.crew.check(site, [Candidate(each, "test") for each in tactics])

    @property
    def batches(self) -> list[list[list[str]]]:
        return [lean.batches for lean in self.leans]


def trials(*groups: tuple[int, int], joined: bool = False) -> list[Trial]:
    """Groups of so many trials, each with a way of so many steps."""
    made: list[Trial] = []
    for number, (count, steps) in enumerate(groups):
        way: Way = tuple(Step(f"step {number} {n}") for n in range(steps))
        made += [Trial(Candidate(f"try {n}", "test"), way, joined=joined) for n in range(count)]
    return made


@pytest.mark.parametrize(
    ("groups", "parts", "expected"),
    [
        ([], 2, []),
        ([(16, 0)], 1, [16]),
        ([(16, 0)], 2, [8, 8]),
        ([(15, 0)], 2, [7, 8]),
        ([(7, 0)], 2, [7]),  # two elaborations for so little
        ([(2, 3), (2, 3)], 2, [2, 2]),
        ([(16, 2), (16, 2), (16, 2)], 3, [16, 16, 16]),
        ([(16, 2), (14, 2)], 2, [16, 14]),  # not in the middle of the first goal for the sake of one trial
        ([(4, 0), (4, 9)], 2, [4, 4]),
        ([(20, 0), (4, 16)], 2, [20, 4]),
        ([(3, 1), (3, 1), (3, 1)], 2, [3, 6]),
        ([(1, 0)], 4, [1]),
        ([(40, 0)], 4, [10, 10, 10, 10]),
    ],
)
def test_shares_cost_about_the_same_and_keep_goals_together(
    groups: list[tuple[int, int]], parts: int, expected: list[int]
) -> None:
    shares = divided(trials(*groups), parts)
    assert [len(share) for share in shares] == expected
    assert [n for share in shares for n in share] == list(range(sum(count for count, _ in groups)))


def test_trials_of_goals_that_share_unknowns_are_apart_already() -> None:
    assert [len(share) for share in divided(trials((6, 2), joined=True), 3)] == [2, 2, 2]


def test_a_search_of_the_library_weighs_as_much_as_many() -> None:
    query = Trial(Candidate("exact?", "test", query=True), (Step("intro"),))
    assert [len(share) for share in divided([query, *trials((16, 0))], 2)] == [1, 16]


async def test_the_order_stays_and_each_lean_gets_half() -> None:
    world = World({"exact h3": Closes(), "exact h12": Closes()})
    checked = await world.check(*TACTICS)
    assert [each.candidate.text for each in checked] == TACTICS
    assert [each.candidate.text for each in checked if each.verdict is Verdict.CLOSES] == ["exact h3", "exact h12"]
    assert world.batches == [[TACTICS[:8]], [TACTICS[8:]]]


async def test_alone_it_is_the_checker() -> None:
    world = World({"exact h": Closes()}, size=1)
    before = world.crew.elaborations
    site = await world.site()
    assert world.crew.elaborations == before + 1
    checked = await world.crew.check(site, [Candidate(each, "test") for each in ["exact h", "sorry", "simp"]])
    assert [each.verdict for each in checked] == [Verdict.CLOSES, Verdict.REFUSED, Verdict.FAILS]
    assert world.batches == [[["exact h", "simp"]]]
    assert (await world.crew.verify(site, checked[0])).verified
    assert world.crew.gate(site, Candidate("sorry", "test")) is not None
    assert world.crew.elaborations == before + 3


async def test_all_run_at_once() -> None:
    world = World({})
    for lean in world.leans:
        lean.pause.clear()
    task = asyncio.ensure_future(world.check(*TACTICS))
    for lean in world.leans:
        await lean.waiting.wait()
    for lean in world.leans:
        lean.pause.set()
    assert len(await task) == 16


async def test_what_hangs_costs_the_others_nothing_and_is_known_to_all() -> None:
    world = World({"exact h3": Hangs(), "exact h12": Closes()})
    checked = await world.check(*TACTICS)
    assert [each.verdict for each in checked].count(Verdict.TIMED_OUT) == 1
    assert checked[12].verdict is Verdict.CLOSES
    asked = [len(lean.asked) for lean in world.leans]
    # It falls to the other one now.
    again = await world.check(*reversed(TACTICS))
    assert again[12].verdict is Verdict.TIMED_OUT
    assert [len(lean.asked) for lean in world.leans] == [asked[0] + 2, asked[1] + 1], "no hang is looked for again"


async def test_a_further_lean_that_is_gone_loses_no_verdict() -> None:
    world = World({"exact h12": Closes()}, size=3)
    gone = world.leans[1]
    gone.error = LeanDied("gone")
    checked = await world.check(*TACTICS)
    assert checked[12].verdict is Verdict.CLOSES
    assert [each.candidate.text for each in checked] == TACTICS
    assert len(world.crew) == 2
    assert len(world.crew.lost) == 1
    assert world.crew.elaborations >= 4
    await world.check(*TACTICS)
    assert gone.batches == []


async def test_the_first_stays_and_the_error_is_told_when_none_is_left() -> None:
    world = World({})
    site = await world.site()
    candidates = [Candidate(each, "test") for each in TACTICS]
    world.leans[0].error = LeanDied("The first died.")
    assert len(await world.crew.check(site, candidates)) == 16
    assert len(world.crew) == 2
    world.leans[1].error = LeanDied("The second died.")
    with pytest.raises(LeanDied):
        await world.crew.check(site, candidates)
    assert len(world.crew) == 1
    world.leans[0].error = None
    assert len(await world.crew.check(site, candidates)) == 16


async def test_cancelling_frees_all_at_once() -> None:
    world = World({})
    for lean in world.leans:
        lean.pause.clear()
    task = asyncio.ensure_future(world.check(*TACTICS))
    for lean in world.leans:
        await lean.waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for lean in world.leans:
        lean.pause.set()
    async with asyncio.timeout(1):
        assert len(await world.check(*TACTICS)) == 16


async def test_a_verification_goes_to_whoever_is_free() -> None:
    world = World({"exact h": Closes()})
    site = await world.site()
    closed = CheckedTactic(Candidate("exact h", "test"), Verdict.CLOSES)
    world.leans[0].pause.clear()
    busy = asyncio.ensure_future(world.crew.check(site, [Candidate("simp", "test")]))
    await world.leans[0].waiting.wait()
    assert (await world.crew.verify(site, closed)).verified
    assert [lean.verified for lean in world.leans] == [[], ["exact h"]]
    world.leans[0].pause.set()
    await busy
    world.leans[1].error = LeanDied("gone")
    world.leans[0].pause.clear()
    world.leans[0].waiting.clear()
    busy = asyncio.ensure_future(world.crew.check(site, [Candidate("simp", "test")]))
    await world.leans[0].waiting.wait()
    verifying = asyncio.ensure_future(world.crew.verify(site, closed))
    await asyncio.sleep(0)
    world.leans[0].pause.set()
    assert (await verifying).verified
    assert len(await busy) == 1
    assert len(world.crew) == 1
