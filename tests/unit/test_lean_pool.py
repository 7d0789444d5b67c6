"""One Lean for each document, few at a time."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import pytest

from tacit.server.errors import LeanNotFound
from tacit.server.lean.checker import Limits
from tacit.server.lean.elaborator import Elaboration, Elaborator, Outcome
from tacit.server.lean.pool import LIMIT_SAMPLE, Pool
from tests.unit.fake_lean import FakeLean, Unknown

SAMPLES = {"simp": "simp", "omega": "omega"}


class Opener:
    """Makes fakes and remembers them."""

    def __init__(self) -> None:
        self.made: defaultdict[str, list[FakeLean]] = defaultdict(list)
        self.refuse: set[str] = set()
        self.gate = asyncio.Event()
        self.gate.set()
        self.version = "4.27.0"

    async def __call__(self, uri: str) -> Elaborator:
        await self.gate.wait()
        if uri in self.refuse:
            raise LeanNotFound("No Lean here.")
        lean = FakeLean({"omega": Unknown()}, version=self.version)
        self.made[uri].append(lean)
        return lean

    def open(self) -> set[str]:
        return {uri for uri, leans in self.made.items() for lean in leans if not lean.closed}


@pytest.fixture
def opener() -> Opener:
    return Opener()


async def test_a_document_keeps_its_slot(opener: Opener) -> None:
    pool = Pool(opener, SAMPLES)
    assert len(pool) == 0
    assert pool.lean_of("a") is None
    first = await pool.slot("a")
    assert await pool.slot("a") is first
    assert await pool.slot("b") is not first
    assert pool.lean_of("a") is first.lean
    assert len(opener.made["a"]) == 1


async def test_requests_at_once_share_one_start(opener: Opener) -> None:
    pool = Pool(opener, SAMPLES)
    opener.gate.clear()
    asked = [asyncio.ensure_future(pool.slot("a")) for _ in range(5)]
    await asyncio.sleep(0)
    opener.gate.set()
    slots = await asyncio.gather(*asked)
    assert len({id(slot) for slot in slots}) == 1
    assert len(opener.made["a"]) == 1


async def test_the_one_used_least_recently_gives_way(opener: Opener) -> None:
    pool = Pool(opener, SAMPLES, size=2)
    await pool.slot("a")
    await pool.slot("b")
    await pool.slot("a")
    await pool.slot("c")
    assert opener.open() == {"a", "c"}
    assert pool.lean_of("b") is None
    await pool.slot("b")
    assert opener.open() == {"b", "c"}
    assert len(opener.made["b"]) == 2


async def test_one_in_use_is_left_alone_and_given_up_later(opener: Opener) -> None:
    pool = Pool(opener, SAMPLES, size=1)
    busy = await pool.slot("a")
    async with busy.lock:
        await pool.slot("b")
        assert opener.open() == {"a", "b"}, "more than its size rather than a Lean taken from a request"
    await pool.slot("c")
    assert opener.open() == {"c"}


async def test_the_one_asked_for_is_never_given_up(opener: Opener) -> None:
    pool = Pool(opener, SAMPLES, size=0)
    await pool.slot("a")
    await pool.slot("a")
    assert opener.open() == {"a"}


async def test_forgetting_ends_the_lean(opener: Opener) -> None:
    pool = Pool(opener, SAMPLES)
    await pool.slot("a")
    await pool.slot("b")
    await pool.forget("a")
    await pool.forget("never seen")
    assert opener.open() == {"b"}
    assert len(pool) == 1


async def test_closing_ends_all(opener: Opener) -> None:
    pool = Pool(opener, SAMPLES)
    for uri in "abc":
        await pool.slot(uri)
    await pool.aclose()
    await pool.aclose()
    assert opener.open() == set()
    assert [lean.closed for leans in opener.made.values() for lean in leans] == [1, 1, 1]


async def test_a_lean_that_does_not_start_leaves_no_slot(opener: Opener) -> None:
    pool = Pool(opener, SAMPLES, size=1)
    await pool.slot("b")
    opener.refuse.add("a")
    with pytest.raises(LeanNotFound):
        await pool.slot("a")
    assert len(pool) == 1
    assert opener.open() == {"b"}, "no Lean is given up for one that does not start"
    opener.refuse.clear()
    await pool.slot("a")
    assert pool.lean_of("a") is not None


async def test_a_start_that_is_cancelled_holds_nobody_up(opener: Opener) -> None:
    pool = Pool(opener, SAMPLES)
    opener.gate.clear()
    task = asyncio.ensure_future(pool.slot("a"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    opener.gate.set()
    assert (await pool.slot("b")).lean is opener.made["b"][0]
    assert len(pool) == 1


async def test_tactics_are_asked_for_once_for_each_header(opener: Opener) -> None:
    pool = Pool(opener, SAMPLES)
    slot = await pool.slot("a")
    known = await pool.known(slot, "import A")
    assert "simp" in known
    assert "omega" not in known
    assert await pool.known(slot, "import A") == known
    assert opener.made["a"][0].asked == ["known"]
    await pool.known(slot, "import B")
    assert opener.made["a"][0].asked == ["known", "known"]


async def test_another_document_of_the_same_lean_needs_no_question(opener: Opener) -> None:
    pool = Pool(opener, SAMPLES)
    await pool.known(await pool.slot("a"), "import A")
    other = await pool.slot("b")
    await pool.known(other, "import A")
    assert opener.made["b"][0].asked == []
    assert other.checker.limits_in_tactics
    opener.version = "4.0.0"
    await pool.known(await pool.slot("c"), "import A")
    assert opener.made["c"][0].asked == ["known"]


async def test_no_answer_is_asked_for_again(opener: Opener) -> None:
    pool = Pool(opener, SAMPLES)
    slot = await pool.slot("a")
    lean = opener.made["a"][0]
    answers = [Elaboration(Outcome.TIMED_OUT), None]
    real = lean.elaborate

    async def first_fails(text: str, *, timeout: float, label: str = "") -> Elaboration:
        return answers.pop(0) or await real(text, timeout=timeout, label=label)

    lean.elaborate = first_fails  # type: ignore[method-assign]
    assert await pool.known(slot, "") == frozenset()
    assert "simp" in await pool.known(slot, "")


async def test_whether_limits_can_be_set_is_told_to_the_checker(opener: Opener) -> None:
    pool = Pool(opener, SAMPLES)
    slot = await pool.slot("a")
    told = [slot.checker.limits_in_tactics]
    await pool.known(slot, "")
    told.append(slot.checker.limits_in_tactics)
    assert told == [False, True]
    old = await pool.slot("b")
    opener.made["b"][0].table["set_option"] = Unknown()
    await pool.known(old, "import Old")
    assert not old.checker.limits_in_tactics
    assert LIMIT_SAMPLE.keys() <= await pool.known(slot, "")


async def test_limits_are_handed_on(opener: Opener) -> None:
    limits = Limits(batch=1.5)
    slot = await Pool(opener, SAMPLES, limits=limits).slot("a")
    assert slot.checker._limits is limits
