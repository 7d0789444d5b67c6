"""A search with several real Leans: the same verdicts as with one, whatever hangs, dies or is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from tacit.server.compose import LiveLean
from tacit.server.lean import pool as pool_module
from tacit.server.lean.checker import Limits
from tacit.server.lean.crew import Crew
from tacit.server.lean.hole import holes
from tacit.server.lean.pool import Pool, Slot
from tacit.server.lean.site import Site
from tacit.server.settings import Settings
from tacit.server.values import Candidate, Verdict
from tests.lean.conftest import HANG

PATIENCE = 60
TEXT = "theorem foo (p q : Prop) (hp : p) (hq : q) (h : p → q → p) : (p ∧ q) ∧ (q ∨ p) := by\n  sorry\n"
CLOSE = "exact ⟨⟨hp, hq⟩, Or.inl hq⟩"
HANGS = "repeat (have h := hp)"  # today's Lean may stop it
TACTICS = [CLOSE, "constructor", "exact hp", "assumption", "simp", "apply And.intro", "exact trivial", "skip", "done"]

pytestmark = [pytest.mark.lean, pytest.mark.live, pytest.mark.usefixtures("live_lean")]


class Bench:
    """A pool of two Leans for one document."""

    def __init__(self, folder: Path) -> None:
        limits = Limits(batch=HANG, split=HANG, each=0.05)
        self.uri = (folder / "Test.lean").as_uri()
        self.pool = Pool(LiveLean(Settings()), {}, workers=2, limits=limits, free=lambda: 1 << 40)

    async def opened(self) -> tuple[Slot, Site]:
        slot = await self.pool.slot(self.uri)
        command, places = holes(TEXT, TEXT.index("sorry"))
        return slot, await slot.checker.open(TEXT, command, places)

    async def both(self, crew: Crew) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(crew) < 2:  # noqa: ASYNC110 - it joins when its Lean is ready
                await asyncio.sleep(0.02)


@pytest_asyncio.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(pool_module, "LATER", 0.0)
    made = Bench(tmp_path)
    yield made
    ours = leans()
    await made.pool.aclose()
    assert ours
    assert not [each for each in ours if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def leans() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def candidates(*tactics: str) -> list[Candidate]:
    return [Candidate(text, "test") for text in tactics]


async def test_two_say_what_one_says(bench: Bench) -> None:
    slot, site = await bench.opened()
    many = candidates(*TACTICS, *(f"exact Or.inl (h{n})" for n in range(8)), "exact ⟨⟨hp, hq⟩, .inl hq⟩")
    alone = await slot.checker.check(site, many)
    async with bench.pool.crew(slot, site, "") as crew:
        await bench.both(crew)
        together = await crew.check(site, many)
        assert [(each.candidate.text, each.verdict, each.goals) for each in together] == [
            (each.candidate.text, each.verdict, each.goals) for each in alone
        ]
        assert crew.elaborations >= 2
        assert (await crew.verify(site, together[0])).verified
    async with bench.pool.crew(slot, site, "") as crew:
        await bench.both(crew)
    assert len(slot.further) == 1, "it was kept"


async def test_what_hangs_or_dies_with_one_takes_nothing_from_the_other(bench: Bench) -> None:
    slot, site = await bench.opened()
    async with bench.pool.crew(slot, site, "") as crew:
        await bench.both(crew)
        checked = await crew.check(site, candidates(HANGS, *TACTICS, "exact And.intro ⟨hp, hq⟩ (Or.inr hp)"))
        verdicts = {each.candidate.text: each.verdict for each in checked}
        assert verdicts[HANGS] in (Verdict.TIMED_OUT, Verdict.FAILS)
        assert verdicts[CLOSE] is verdicts["exact And.intro ⟨hp, hq⟩ (Or.inr hp)"] is Verdict.CLOSES
        restarts = slot.lean.restarts  # type: ignore[attr-defined]
        again = await crew.check(site, candidates(*TACTICS, HANGS))
        assert again[-1].verdict is verdicts[HANGS]
        assert slot.lean.restarts == restarts, "neither tries it again"  # type: ignore[attr-defined]
        server = slot.further[0].lean._server._process  # type: ignore[attr-defined]
        for process in psutil.Process(server.pid).children(recursive=True):
            process.kill()
        checked = await crew.check(site, candidates(*TACTICS))
        assert [each.verdict for each in checked] == [each.verdict for each in again[:-1]]
        assert checked[0].verdict is Verdict.CLOSES


async def test_a_search_that_is_cancelled_frees_both_at_once(bench: Bench) -> None:
    slot, site = await bench.opened()
    async with slot.lock, bench.pool.crew(slot, site, "") as crew:
        await bench.both(crew)
        many = [HANGS, *(f"exact h{n}" for n in range(12)), HANGS.replace("hp", "hq")]
        running = asyncio.ensure_future(crew.check(site, candidates(*many)))
        await asyncio.sleep(0.3)
        running.cancel()
        async with asyncio.timeout(1):
            with pytest.raises(asyncio.CancelledError):
                await running
    async with asyncio.timeout(PATIENCE):
        slot, site = await bench.opened()
        async with bench.pool.crew(slot, site, "") as crew:
            await bench.both(crew)
            checked = await crew.check(site, candidates(*TACTICS))
    assert checked[0].verdict is Verdict.CLOSES
