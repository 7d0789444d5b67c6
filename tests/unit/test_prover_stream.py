"""The candidates for one state: likeliest first, none twice, costly sources last, failures told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from tacit.server.errors import TacitError
from tacit.server.lean.goals import parse_goals
from tacit.server.prover.stream import AHEAD, Stream
from tacit.server.tactics.source import SourceRequest
from tacit.server.values import Candidate


class Source:
    """Gives its batches, then fails if it is to."""

    def __init__(
        self, name: str, *batches: dict[str, float], error: Exception | None = None, costly: bool = False
    ) -> None:
        self.name, self.batches, self.error, self.costly = name, batches, error, costly
        self.asked = 0
        self.closed = False

    async def candidates(self, request: SourceRequest) -> AsyncIterator[Sequence[Candidate]]:
        try:
            for batch in self.batches:
                self.asked += 1
                yield [Candidate(text, self.name, prior) for text, prior in batch.items()]
                await asyncio.sleep(0)
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


def stream(*sources: Source, said: list[str] | None = None, at_once: bool = False) -> Stream:
    request = SourceRequest(parse_goals("⊢ p"), frozenset())
    if said is not None:
        request = SourceRequest(parse_goals("⊢ p"), frozenset(), tell=lambda sentence, about: said.append(sentence))
    return Stream(sources, request, at_once=at_once)


def texts(candidates: Sequence[Candidate]) -> list[str]:
    return [each.text for each in candidates]


def test_the_likeliest_of_all_sources_come_first_and_none_twice() -> None:
    async def work() -> None:
        made = stream(
            Source("a", {"simp": 0.5, "rfl": 0.9}), Source("b", {"rfl": 0.7, "exact  h": 0.6, "exact h": 0.6})
        )
        assert texts(await made.take(2, 1)) == ["rfl", "exact  h"]
        assert texts(await made.take(9, 1)) == ["simp"]
        states = [made.ended]
        made.add([Candidate("simp", "x"), Candidate("omega", "x")])
        assert [*states, made.ended] == [True, False]
        assert texts(await made.take(9, 1)) == ["omega"]
        await made.aclose()

    asyncio.run(work())


def test_a_source_is_read_a_little_ahead_only() -> None:
    async def work() -> None:
        source = Source("a", *({f"t{n}": 0.5} for n in range(100)))
        made = stream(source)
        await made.take(1, 1)
        await asyncio.sleep(0.01)
        assert source.asked <= AHEAD + 1
        taken = 1
        while not made.ended:
            taken += len(await made.take(10, 1))
        assert taken == 100
        await made.aclose()

    asyncio.run(work())


def test_a_costly_source_is_asked_when_one_comes_back() -> None:
    async def work() -> None:
        cheap, costly = Source("a", {"simp": 0.5}), Source("model", {"exact h": 0.4}, costly=True)
        made = stream(cheap, costly)
        assert texts(await made.take(9, 1)) == ["simp"]
        assert (costly.asked, made.ended) == (0, False)
        assert texts(await made.take(9, 1)) == ["exact h"]
        at_once = stream(Source("a", {"simp": 0.5}), Source("model", {"exact h": 0.4}, costly=True), at_once=True)
        assert texts(await at_once.take(9, 1)) == ["simp", "exact h"]
        for each in (made, at_once):
            await each.aclose()

    asyncio.run(work())


def test_a_source_that_fails_is_told_and_the_others_go_on() -> None:
    async def work() -> None:
        said: list[str] = []
        made = stream(
            Source("a", {"simp": 0.5}, error=TacitError("The index is gone.", hint="Make it.")),
            Source("b", error=ValueError("a fault")), Source("c", {"rfl": 0.4}), said=said,
        )  # fmt: skip
        assert texts(await made.take(9, 1)) == ["simp", "rfl"]
        await asyncio.sleep(0)
        assert sorted(said) == ["The index is gone. Make it.", "The source b failed; the others went on."]
        await made.aclose()

    asyncio.run(work())


def test_closing_closes_what_is_read() -> None:
    async def work() -> None:
        source = Source("a", *({f"t{n}": 0.5} for n in range(100)))
        made = stream(source)
        await made.take(1, 1)
        states = [source.closed]
        await made.aclose()
        assert [*states, source.closed] == [False, True]
        assert await made.take(1, 0) != []  # what was read is still there
        await made.aclose()

    asyncio.run(work())


class Slow(Source):
    """Thinks before each batch."""

    def __init__(self, name: str, *batches: dict[str, float], pause: float) -> None:
        super().__init__(name, *batches)
        self.pause = pause

    async def candidates(self, request: SourceRequest) -> AsyncIterator[Sequence[Candidate]]:
        for batch in self.batches:
            await asyncio.sleep(self.pause)
            yield [Candidate(text, self.name, prior) for text, prior in batch.items()]


def test_what_is_taken_steadily_does_not_depend_on_who_is_quick() -> None:
    async def work(one: float, two: float) -> list[list[tuple[str, str]]]:
        sources = (
            Slow("a", {"simp": 0.5, "rfl": 0.4}, {"exact h": 0.3}, pause=one),
            Slow("b", {"simp": 0.9, "omega": 0.45}, {"exact  h": 0.8}, pause=two),
        )
        made = Stream(sources, SourceRequest(parse_goals("⊢ p"), frozenset()), steady=True)
        taken = []
        while not made.ended:
            taken.append([(each.text, each.source) for each in await made.take(2, 0)])
        await made.aclose()
        return taken

    expected = [[("simp", "a"), ("omega", "b")], [("rfl", "a"), ("exact h", "a")]]
    assert asyncio.run(work(0, 0.02)) == expected
    assert asyncio.run(work(0.02, 0)) == expected
