"""One Lean for each document, few at a time, and further ones for a search."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable

import pytest

from tacit.server.errors import LeanNotFound
from tacit.server.lean import pool as pool_module
from tacit.server.lean.checker import Limits
from tacit.server.lean.elaborator import Elaboration, Elaborator, Enough, Outcome
from tacit.server.lean.hole import holes
from tacit.server.lean.pool import NEEDED, SHORT, Pool, Slot
from tacit.server.lean.site import Site
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
        self.prepare: Callable[[FakeLean], object] = lambda lean: None

    async def __call__(self, uri: str) -> Elaborator:
        await self.gate.wait()
        if uri in self.refuse:
            raise LeanNotFound("No Lean here.")
        lean = FakeLean({"omega": Unknown()}, version=self.version)
        self.prepare(lean)
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
    opener.version = "4.0.0"
    await pool.known(await pool.slot("c"), "import A")
    assert opener.made["c"][0].asked == ["known"]


async def test_no_answer_is_asked_for_again(opener: Opener) -> None:
    pool = Pool(opener, SAMPLES)
    slot = await pool.slot("a")
    lean = opener.made["a"][0]
    answers = [Elaboration(Outcome.TIMED_OUT), None]
    real = lean.elaborate

    async def first_fails(text: str, *, timeout: float, label: str = "", enough: Enough | None = None) -> Elaboration:
        return answers.pop(0) or await real(text, timeout=timeout, label=label, enough=enough)

    lean.elaborate = first_fails  # type: ignore[method-assign]
    assert await pool.known(slot, "") == frozenset()
    assert "simp" in await pool.known(slot, "")


async def test_limits_are_handed_on(opener: Opener) -> None:
    limits = Limits(batch=1.5)
    slot = await Pool(opener, SAMPLES, limits=limits).slot("a")
    assert slot.checker._limits is limits


# ------------------------------------------------------------------------------------ further ones for a search

TEXT = "import A\n\ntheorem foo (p : Prop) (h : p) : p := by\n  sorry"
HEADER = "import A\n"


class Memory:
    """So much is free."""

    def __init__(self) -> None:
        self.free = 2 * NEEDED

    def __call__(self) -> int:
        return self.free


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    monkeypatch.setattr(pool_module, "LATER", 0.0)
    return Memory()


@pytest.fixture
def several(opener: Opener, memory: Memory) -> Pool:
    return Pool(opener, SAMPLES, workers=2, free=memory)


async def opened(slot: Slot) -> Site:
    command, places = holes(TEXT, TEXT.index("sorry"))
    return await slot.checker.open(TEXT, command, places)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - it waits for whatever a test names
            await asyncio.sleep(0)


async def search(pool: Pool, uri: str, size: int = 2) -> Slot:
    """A search that lasts until so many Leans share it."""
    slot = await pool.slot(uri)
    async with slot.lock:
        site = await opened(slot)
        async with pool.crew(slot, site, HEADER) as crew:
            await until(lambda: len(crew) == size)
    return slot


async def test_a_search_gets_a_further_lean_once_it_is_ready_and_the_next_keeps_it(
    opener: Opener, several: Pool
) -> None:
    slot = await several.slot("a")
    async with slot.lock:
        site = await opened(slot)
        async with several.crew(slot, site, HEADER) as crew:
            assert len(crew) == 1
            await until(lambda: len(crew) == 2)
    _, further = opener.made["a"]
    assert [further.texts[0], *further.asked[1:]] == [HEADER, "probe"], "what it imports, then what stands above"
    await search(several, "a")
    assert len(opener.made["a"]) == 2
    assert further.asked == ["text", "probe", "probe"]
    assert opener.open() == {"a"}


async def test_with_one_there_is_none(opener: Opener, memory: Memory) -> None:
    pool = Pool(opener, SAMPLES, free=memory)
    await search(pool, "a", size=1)
    await asyncio.sleep(0.01)
    assert len(opener.made["a"]) == 1
    assert opener.made["a"][0].asked == ["probe"]


async def test_a_search_that_is_to_be_alone_gets_none(opener: Opener, several: Pool) -> None:
    slot = await search(several, "a")
    async with slot.lock:
        site = await opened(slot)
        async with several.crew(slot, site, HEADER, alone=True) as crew:
            await asyncio.sleep(0.01)
            assert len(crew) == 1


async def test_a_short_search_starts_none(opener: Opener, several: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "LATER", 60.0)
    await search(several, "a", size=1)
    assert len(opener.made["a"]) == 1


async def test_one_that_starts_when_the_search_ends_is_there_for_the_next(opener: Opener, several: Pool) -> None:
    slot = await several.slot("a")
    opener.gate.clear()
    async with slot.lock:
        site = await opened(slot)
        async with several.crew(slot, site, HEADER) as crew:
            await until(lambda: slot.starting)
            assert slot.leans == 2
        assert len(crew) == 1
    opener.gate.set()
    await until(lambda: slot.further)
    await search(several, "a")
    assert len(opener.made["a"]) == 2


async def test_none_is_started_where_memory_does_not_allow(opener: Opener, several: Pool, memory: Memory) -> None:
    memory.free = NEEDED - 1
    await search(several, "a", size=1)
    await asyncio.sleep(0.01)
    assert len(opener.made["a"]) == 1


async def test_those_that_are_there_go_when_memory_is_short(opener: Opener, several: Pool, memory: Memory) -> None:
    await search(several, "a")
    await search(several, "b")
    memory.free = SHORT - 1
    slot = await several.slot("a")
    async with slot.lock:
        site = await opened(slot)
        async with several.crew(slot, site, HEADER):
            await until(lambda: opener.made["a"][1].closed and opener.made["b"][1].closed)
    assert not opener.made["a"][0].closed
    assert not opener.made["b"][0].closed


async def test_they_go_with_the_next_request_where_memory_has_become_short(
    opener: Opener, several: Pool, memory: Memory
) -> None:
    await search(several, "a")
    await several.slot("a")
    assert [lean.closed for lean in opener.made["a"]] == [0, 0]
    memory.free = SHORT - 1
    await several.slot("a")
    assert [lean.closed for lean in opener.made["a"]] == [0, 1]


async def test_they_go_before_a_new_document_finds_no_memory(opener: Opener, several: Pool, memory: Memory) -> None:
    await search(several, "a")
    memory.free = NEEDED - 1
    await several.slot("b")
    assert [lean.closed for lean in opener.made["a"]] == [0, 1]


async def test_they_go_before_the_leans_of_documents(opener: Opener, several: Pool) -> None:
    await search(several, "a")
    await search(several, "b")
    assert [lean.closed for lean in opener.made["a"]] == [0, 1], "three in all: the other one's for this search"
    await several.slot("c")
    assert [lean.closed for lean in opener.made["b"]] == [0, 1]
    assert opener.open() == {"a", "b", "c"}
    await several.slot("d")
    assert opener.open() == {"b", "c", "d"}


async def test_those_of_a_search_that_goes_on_stay(opener: Opener, several: Pool) -> None:
    slot = await search(several, "a")
    async with slot.lock:
        await search(several, "b")
        await several.slot("c")
    assert [lean.closed for lean in opener.made["a"]] == [0, 0]


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("ready", [True, False])
async def test_forgetting_and_closing_end_all(opener: Opener, several: Pool, ready: bool, whole: bool) -> None:
    slot = await several.slot("a")
    if ready:
        await search(several, "a")
    else:
        async with slot.lock:
            site = await opened(slot)
            async with several.crew(slot, site, HEADER):
                opener.gate.clear()
                await until(lambda: slot.starting)
    await (several.aclose() if whole else several.forget("a"))
    opener.gate.set()
    await asyncio.sleep(0.01)
    assert opener.open() == set()
    assert len(several) == 0


async def test_one_that_does_not_start_is_not_tried_again_at_once(
    opener: Opener, several: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot = await several.slot("a")
    opener.refuse.add("a")
    for _ in range(2):
        async with slot.lock:
            site = await opened(slot)
            async with several.crew(slot, site, HEADER) as crew:
                await until(lambda: slot.not_before)
                await asyncio.sleep(0.01)
                assert len(crew) == 1
    opener.refuse.clear()
    await search(several, "a", size=1)
    assert len(opener.made["a"]) == 1
    slot.not_before = 0.0
    await search(several, "a")


async def test_one_that_cannot_load_the_file_is_closed(opener: Opener, several: Pool) -> None:
    slot = await several.slot("a")

    async def fails(text: str, *, timeout: float, label: str = "") -> Elaboration:
        return Elaboration(Outcome.CRASHED, (), "out of memory")

    opener.gate.clear()
    async with slot.lock:
        site = await opened(slot)
        async with several.crew(slot, site, HEADER) as crew:
            await until(lambda: slot.starting)
            opener.prepare = lambda lean: setattr(lean, "elaborate", fails)
            opener.gate.set()
            await until(lambda: slot.not_before)
    assert len(crew) == 1
    assert [lean.closed for lean in opener.made["a"]] == [0, 1]


async def test_one_that_is_lost_in_a_search_is_closed(opener: Opener, several: Pool) -> None:
    slot = await search(several, "a")
    checker = slot.further[0].checker
    async with slot.lock:
        site = await opened(slot)
        async with several.crew(slot, site, HEADER) as crew:
            await until(lambda: len(crew) == 2)
            crew.lost.append(checker)
    assert slot.further == []
    assert [lean.closed for lean in opener.made["a"]] == [0, 1]


async def test_lanes_of_a_document_have_a_lean_each(opener: Opener) -> None:
    pool = Pool(opener, SAMPLES)
    one, two = await pool.slot("a"), await pool.slot("a", 1)
    assert one.lean is not two.lean
    assert pool.lean_of("a", 1) is two.lean
    await pool.forget("a")
    assert opener.open() == set()
