"""From a place in a document to a stream of suggestions, over a Lean that answers from a table."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

import pytest

from tacit.server.errors import LeanNotFound, NoGoal, TacitError
from tacit.server.lean.elaborator import Elaboration, Elaborator, Enough
from tacit.server.lean.pool import Pool
from tacit.server.suggest import (
    BATCH,
    BatchChecked,
    Document,
    Event,
    Finished,
    Found,
    GoalFound,
    LeanStatus,
    Options,
    Remark,
    Suggester,
)
from tacit.server.tactics.source import SourceRequest, TacticSource
from tacit.server.tactics.try_this import harvest
from tacit.server.text import LineIndex, Position, Span
from tacit.server.values import Candidate, Verdict
from tests.unit.fake_lean import Closes, Fails, FakeLean, Fate, Hangs, Kills, Leaves, Says, Unknown

CURSOR = "‸"
TEXT = "import A\n\ntheorem foo (p : Prop) (h : p) : p := by\n  sorry‸\n"
URI = "file:///work/A.lean"
Table = dict[str, Fate]


class Source:
    """Proposes batches of candidates; a function among them is called (and awaited) in its turn."""

    def __init__(
        self, name: str, *batches: Sequence[str] | Callable[[], object], prior: float = 0.5, query: bool = False
    ) -> None:
        self.name = name
        self._batches = batches
        self._prior, self._query = prior, query
        self.requests: list[SourceRequest] = []
        self.ended = ""

    async def candidates(self, request: SourceRequest) -> AsyncGenerator[Sequence[Candidate], None]:
        self.requests.append(request)
        self.ended = ""
        try:
            for batch in self._batches:
                if callable(batch):
                    result = batch()
                    if asyncio.iscoroutine(result):
                        await result
                else:
                    yield [Candidate(text, self.name, self._prior, self._query) for text in batch]
            self.ended = "done"
        finally:
            self.ended = self.ended or "stopped"


def fail(error: Exception) -> Callable[[], object]:
    def raise_it() -> object:
        raise error

    return raise_it


class World:
    """A Suggester over one fake Lean for each document."""

    def __init__(self, table: Mapping[str, Fate], *sources: TacticSource, goal: str = "p : Prop\nh : p\n⊢ p") -> None:
        self.table, self.goal = table, goal
        self.leans: dict[str, FakeLean] = {}
        self.error: TacitError | None = None
        self.pool = Pool(self.open, {"simp": "simp", "omega": "omega"})
        self.suggester = Suggester(self.pool, sources, harvest, lambda: LeanStatus("ready", "4.27.0"))

    async def open(self, uri: str) -> Elaborator:
        if self.error is not None:
            raise self.error
        self.leans[uri] = FakeLean(self.table, goal=self.goal)
        return self.leans[uri]

    @property
    def lean(self) -> FakeLean:
        return self.leans[URI]

    def ask(self, text: str = TEXT, options: Options = Options(), *, version: int = 1) -> AsyncGenerator[Event, None]:
        offset = text.index(CURSOR)
        text = text.replace(CURSOR, "")
        document = Document(URI, version, text, Path("/work/A.lean"))
        return self.suggester.suggest(document, LineIndex(text).position(offset), options)

    async def events(self, text: str = TEXT, options: Options = Options()) -> list[Event]:
        return [event async for event in self.ask(text, options)]


def shown(events: Sequence[Event]) -> list[str]:
    return [event.suggestion.tactic for event in events if isinstance(event, Found)]


def verdicts(events: Sequence[Event]) -> dict[str, str]:
    return {
        tactic.candidate.text: tactic.verdict.value
        for event in events
        if isinstance(event, BatchChecked)
        for tactic in event.checked
    }


def notice(events: Sequence[Event]) -> str:
    last = events[-1]
    assert isinstance(last, Finished)
    return last.notice


async def next_of(events: AsyncIterator[Event], kind: type[Event]) -> Event:
    while not isinstance(event := await anext(events), kind):
        pass
    return event


# ---------------------------------------------------------------------------------------------- the stream


async def test_the_goal_comes_first_then_what_was_checked_and_found_then_the_end() -> None:
    world = World({"exact h": Closes(), "simp": Leaves("⊢ q")}, Source("one", ["exact h", "simp", "omega"]))
    events = await world.events()
    assert [type(e) for e in events] == [GoalFound, BatchChecked, Found, Found, Finished]
    goal, checked, first, second, finished = events
    assert isinstance(goal, GoalFound)
    assert [g.target for g in goal.goals] == ["p"]
    assert goal.declaration == "foo"
    assert goal.hole == Span(TEXT.index("sorry"), TEXT.index("sorry") + 5)
    assert isinstance(checked, BatchChecked)
    assert verdicts(events) == {"exact h": "closes", "simp": "progresses", "omega": "fails"}
    assert isinstance(first, Found)
    assert isinstance(second, Found)
    assert first.suggestion.tactic == "exact h"
    assert first.suggestion.verdict is Verdict.CLOSES
    assert first.suggestion.verified
    assert first.suggestion.source == "one"
    assert first.suggestion.edit.new_text == "exact h"
    assert second.suggestion.goals[0].target == "q"
    assert not second.suggestion.verified
    assert isinstance(finished, Finished)
    assert (finished.checked, finished.notice) == (3, "")


async def test_no_suggestion_is_shown_that_lean_did_not_check_in_place() -> None:
    table: Table = {
        "exact h": Closes(in_place="fail to show termination"),
        "rfl": Closes(axioms="sorryAx", warning="declaration uses 'sorry'"),
        "simp": Closes(),
    }
    world = World(table, Source("one", ["exact h", "rfl", "simp"]))
    events = await world.events()
    assert shown(events) == ["simp"]
    assert sorted(world.lean.verified) == ["exact h", "rfl", "simp"]


async def test_the_axioms_of_a_close_are_told() -> None:
    world = World({"simp": Closes(axioms="propext, Quot.sound")}, Source("one", ["simp"]))
    (found,) = [e for e in await world.events() if isinstance(e, Found)]
    assert found.suggestion.axioms == ("Quot.sound", "propext")


async def test_a_suggestion_carries_the_version_it_holds_for() -> None:
    world = World({"simp": Closes()}, Source("one", ["simp"]))
    for version in (3, 7):
        found = [e async for e in world.ask(version=version) if isinstance(e, Found)]
        assert [f.suggestion.version for f in found] == [version]


async def test_elapsed_times_grow() -> None:
    world = World({"simp": Closes(), "rfl": Closes()}, Source("one", ["simp"], ["rfl"]))
    times = [e.elapsed for e in await world.events() if isinstance(e, Found | Finished)]
    assert times == sorted(times)
    assert len(times) == 3


async def test_what_the_sources_are_told() -> None:
    source = Source("one", [])
    world = World({"omega": Unknown()}, source)
    await world.events(
        "import A\nimport B\nnamespace N\ntheorem above (p : Prop) : p := x\n\ntheorem foo : True := by\n  sorry‸\n"
    )
    (request,) = source.requests
    assert request.goal.target == "p"
    assert request.declaration == "foo"
    assert request.imports == ("A", "B")
    assert "simp" in request.known
    assert "omega" not in request.known
    assert [d.name for d in request.above] == ["above"]


async def test_a_batch_is_no_longer_than_agreed_and_the_likeliest_come_first() -> None:
    many = [f"exact h{n}" for n in range(BATCH + 5)]
    world = World({}, Source("low", many, prior=0.1), Source("high", ["simp"], prior=0.9))
    await world.events()
    assert [len(batch) for batch in world.lean.batches] == [BATCH, 6]
    assert world.lean.batches[0][0] == "simp"


async def test_no_candidate_runs_twice() -> None:
    world = World({}, Source("one", ["simp", "rfl", "simp"], ["rfl"]), Source("two", ["simp", "omega"]))
    await world.events()
    assert sorted(t for batch in world.lean.batches for t in batch) == ["omega", "rfl", "simp"]


async def test_the_same_result_is_shown_once() -> None:
    world = World({"simp": Leaves("⊢ q"), "rw [x]": Leaves("⊢ q"), "constructor": Leaves("⊢ r")},
                  Source("one", ["simp", "rw [x]", "constructor"]))  # fmt: skip
    assert shown(await world.events()) == ["simp", "constructor"]


async def test_a_refused_candidate_is_told_and_not_counted() -> None:
    for refused in ("sorry", "exact foo", "", "  ", "exact (h"):
        world = World({"simp": Closes()}, Source("one", [refused, "simp"]))
        events = await world.events()
        assert verdicts(events)[refused] == "refused"
        assert shown(events) == ["simp"]
        last = events[-1]
        assert isinstance(last, Finished)
        assert last.checked == 1


async def test_a_hang_and_a_crash_cost_one_candidate_each() -> None:
    table: Table = {"simp": Closes(), "loop": Hangs(), "boom": Kills(), "rfl": Closes()}
    world = World(table, Source("one", ["simp", "loop", "boom", "rfl"]))
    events = await world.events()
    assert verdicts(events) == {"simp": "closes", "loop": "times out", "boom": "fails", "rfl": "closes"}
    assert sorted(shown(events)) == ["rfl", "simp"]


async def test_a_tactic_that_lean_cannot_read_does_not_poison_the_others() -> None:
    world = World({"simp": Closes(), "nonsense": Unknown()}, Source("one", ["nonsense", "simp", "rfl"]))
    events = await world.events()
    assert verdicts(events) == {"nonsense": "fails", "simp": "closes", "rfl": "fails"}


# ---------------------------------------------------------------------------------------------- how far to go


async def test_the_limit_ends_the_request() -> None:
    table: Table = {f"exact h{n}": Closes() for n in range(6)}
    source = Source("one", [f"exact h{n}" for n in range(3)], [f"exact h{n}" for n in range(3, 6)])
    world = World(table, source)
    events = await world.events(options=Options(limit=2))
    assert len(shown(events)) == 2
    assert len(world.lean.batches) == 1
    assert len(world.lean.verified) == 2
    assert notice(events) == ""


async def test_the_first_close_may_end_the_request() -> None:
    table: Table = {"simp": Leaves("⊢ q"), "rfl": Closes(), "omega": Closes()}
    world = World(table, Source("one", ["simp"], ["rfl", "omega"], ["exact h"]))
    events = await world.events(options=Options(stop_at_first_close=True))
    assert shown(events) == ["simp", "rfl"]
    assert world.lean.batches == [["simp"], ["rfl", "omega"]]


async def test_a_close_that_fails_in_place_does_not_end_the_request() -> None:
    world = World({"rfl": Closes(in_place="no"), "simp": Closes()}, Source("one", ["rfl"], ["simp"]))
    assert shown(await world.events(options=Options(stop_at_first_close=True))) == ["simp"]


async def test_no_harvest_is_checked_once_the_request_is_done() -> None:
    table: Table = {"rfl": Closes(), "exact?": Says("Try this: exact h"), "exact h": Closes()}
    for options in (Options(stop_at_first_close=True), Options(limit=1), Options(budget=0.0)):
        world = World(table, Source("one", ["rfl"]), Source("two", ["exact?"], query=True))
        events = await world.events(options=options)
        assert [len(batch) for batch in world.lean.batches] == [2]
        assert shown(events) == ["rfl"]


async def test_no_batch_begins_after_the_budget() -> None:
    world = World({"simp": Closes()}, Source("one", ["simp"], ["rfl"]))
    events = await world.events(options=Options(budget=0.0))
    assert world.lean.batches == [["simp"]]
    assert shown(events) == ["simp"]
    assert notice(events) == "Stopped after 0 s."


async def test_a_source_that_never_answers_does_not_outlast_the_budget() -> None:
    slow = Source("slow", lambda: asyncio.Event().wait())
    world = World({"simp": Closes()}, Source("one", ["simp"]), slow)
    events = await world.events(options=Options(budget=0.2))
    assert shown(events) == ["simp"]
    assert notice(events) == "Stopped after 0.2 s."
    assert slow.ended == "stopped"


async def test_only_some_sources_are_asked_and_tactics_may_be_given() -> None:
    table: Table = {"simp": Leaves("⊢ q"), "rfl": Closes()}
    world = World(table, Source("one", ["simp"]), Source("two", ["rfl"]))
    assert shown(await world.events(options=Options(sources=frozenset(("one",))))) == ["simp"]
    given = await world.events(options=Options(sources=frozenset(), given=("rfl", "omega")))
    assert verdicts(given) == {"rfl": "closes", "omega": "fails"}
    assert [event.suggestion.source for event in given if isinstance(event, Found)] == ["given"]


async def test_progress_may_be_left_out() -> None:
    world = World({"simp": Leaves("⊢ q"), "rfl": Closes()}, Source("one", ["simp", "rfl"]))
    assert shown(await world.events(options=Options(closes_only=True))) == ["rfl"]


async def test_progress_may_be_checked_in_place_too() -> None:
    world = World({"simp": Leaves("⊢ q")}, Source("one", ["simp"]))
    (found,) = [e for e in await world.events(options=Options(verify_progress=True)) if isinstance(e, Found)]
    assert found.suggestion.verified
    assert world.lean.verified == ["simp"]


async def test_what_is_typed_is_extended() -> None:
    table: Table = {"simp": Closes(), "simpa": Closes(), "rfl": Closes()}
    world = World(table, Source("one", ["simp", "simpa", "rfl"]))
    text = "theorem foo (p : Prop) (h : p) : p := by\n  sim‸\n"
    events = await world.events(text, Options(extend_typed=True))
    assert verdicts(events)["rfl"] == "refused"
    assert sorted(shown(events)) == ["simp", "simpa"]
    (edit,) = {e.suggestion.edit.span for e in events if isinstance(e, Found)}
    assert edit == Span(text.index("sim‸"), text.index("sim‸") + 3)


# ---------------------------------------------------------------------------------------------- "Try this"


async def test_what_lean_suggests_becomes_a_candidate_and_the_query_is_never_shown() -> None:
    table: Table = {"exact?": Says("Try this: exact h"), "exact h": Closes(), "simp?": Says("Try this: simp only [x]")}
    world = World(table, Source("one", ["exact?", "simp?"], query=True))
    events = await world.events()
    assert world.lean.batches == [["exact?", "simp?"], ["exact h", "simp only [x]"]]
    assert verdicts(events)["exact?"] == "closes"
    assert shown(events) == ["exact h"]
    (found,) = [e for e in events if isinstance(e, Found)]
    assert found.suggestion.source == "Try this (exact?)"


async def test_a_question_that_a_source_takes_for_a_tactic_is_not_shown_and_its_answer_takes_its_place() -> None:
    table: Table = {"exact?": Says("Try this: exact h"), "exact h": Closes()}
    table |= {"skip; simp?": Says("Try this: simp only [x]"), "skip; simp only [x]": Closes()}
    for asked, answer in (("exact?", "exact h"), ("skip; simp?", "skip; simp only [x]")):
        assert shown(await World(table, Source("model", [asked])).events()) == [answer]


async def test_what_a_failing_tactic_suggests_is_tried_too() -> None:
    world = World({"simp?": Fails(message="Try this: rfl"), "rfl": Closes()}, Source("one", ["simp?"], query=True))
    assert shown(await world.events()) == ["rfl"]


async def test_a_suggestion_that_ran_already_does_not_run_again() -> None:
    table: Table = {"exact?": Says("Try this: exact h"), "exact h": Closes()}
    world = World(table, Source("one", ["exact h", "exact?"], query=False))
    await world.events()
    assert world.lean.batches == [["exact h", "exact?"]]


async def test_what_lean_suggests_passes_the_gate_like_any_other() -> None:
    world = World({"exact?": Says("Try this: exact foo p h")}, Source("one", ["exact?"], query=True))
    events = await world.events()
    assert verdicts(events)["exact foo p h"] == "refused"
    assert shown(events) == []


async def test_suggestions_that_suggest_each_other_come_to_an_end() -> None:
    table: Table = {f"exact?{n}": Says(f"Try this: exact?{(n + 1) % 3}") for n in range(3)}
    world = World(table, Source("one", ["exact?0"], query=True))
    await world.events()
    assert world.lean.batches == [["exact?0"], ["exact?1"], ["exact?2"]]


# ---------------------------------------------------------------------------------------------- sources that fail


class Rude:
    """Fails before its first batch, when it is merely asked."""

    name = "rude"

    def candidates(self, request: SourceRequest) -> AsyncIterator[Sequence[Candidate]]:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (Source("bad", fail(RuntimeError("secret detail"))), "The source bad failed; the others went on."),
        (Source("bad", ["rfl"], fail(ValueError("x"))), "The source bad failed; the others went on."),
        (Source("bad", fail(TacitError("The model is not there.", hint="Get it."))), "The model is not there. Get it."),
        (Rude(), "The source rude failed; the others went on."),
    ],
)
async def test_a_failing_source_leaves_the_others(bad: TacticSource, said: str) -> None:
    world = World({"simp": Closes(), "exact h": Closes()}, bad, Source("good", ["simp"], ["exact h"]))
    events = await world.events()
    assert sorted(shown(events)) == ["exact h", "simp"]
    assert notice(events) == said


async def test_what_a_source_says_is_told_while_the_others_go_on() -> None:
    class Talking(Source):
        async def candidates(self, request: SourceRequest) -> AsyncGenerator[Sequence[Candidate], None]:
            request.tell("3 of 9 premises did not fit.", "context")
            async for batch in super().candidates(request):
                yield batch

    world = World({"simp": Closes()}, Talking("talking", ["simp"]), Source("silent", ["rfl"]))
    events = await world.events()
    assert [each for each in events if isinstance(each, Remark)] == [Remark("3 of 9 premises did not fit.", "context")]
    assert notice(events) == "", "it is no reason to ask again"


async def test_that_a_source_failed_is_a_remark_of_one_kind_however_long_it_will_take() -> None:
    said = []
    for seconds in (1, 30):
        error = TacitError(f"The model ended after {seconds} s.", hint=f"It is tried again in {seconds} s.")
        events = await World({"simp": Closes()}, Source("bad", fail(error)), Source("good", ["simp"])).events()
        said += [each for each in events if isinstance(each, Remark)]
    assert [each.about for each in said] == ["bad: The model ended after 0 s."] * 2
    assert all(each.failed for each in said)
    assert said[1].sentence == "The model ended after 30 s. It is tried again in 30 s."


async def test_what_differs_in_spaces_alone_is_checked_once() -> None:
    source = Source("spaced", ["exact  h", "cases h with\n| intro a => rfl", "cases h with\n  | intro a => rfl"])
    world = World({}, Source("one", ["exact h"]), source)
    checked = [
        each.candidate.text
        for event in await world.events()
        if isinstance(event, BatchChecked)
        for each in event.checked
    ]
    assert sorted(checked) == sorted(["exact h", "cases h with\n| intro a => rfl", "cases h with\n  | intro a => rfl"])


async def test_a_source_is_told_what_others_have_proposed() -> None:
    go = asyncio.Event()
    late = Source("late", go.wait, ["rfl"])
    world = World({}, Source("quick", ["exact h.1"]), late)
    async with aclosing(world.ask()) as events:
        await next_of(events, BatchChecked)
        [asked] = late.requests
        assert "exact h .1" in asked.tried
        assert "rfl" not in asked.tried
        go.set()
        async for _ in events:
            pass
        assert "rfl" in asked.tried


async def test_a_slow_source_does_not_hold_the_others_up() -> None:
    go = asyncio.Event()
    world = World({"simp": Closes(), "rfl": Closes()}, Source("slow", go.wait, ["rfl"]), Source("quick", ["simp"]))
    async with aclosing(world.ask()) as events:
        found = await next_of(events, Found)
        assert isinstance(found, Found)
        assert found.suggestion.tactic == "simp"
        go.set()
        assert shown([event async for event in events]) == ["rfl"]


async def test_sources_are_closed_when_the_request_is_over() -> None:
    one, two = Source("one", ["simp"], ["rfl"]), Source("two", ["omega"])
    world = World({"simp": Closes()}, one, two)
    await world.events(options=Options(limit=1))
    assert (one.ended, two.ended) == ("stopped", "stopped")
    await world.events()
    assert (one.ended, two.ended) == ("done", "done")


async def test_without_sources_there_is_the_goal_and_the_end() -> None:
    events = await World({}).events()
    assert [type(e) for e in events] == [GoalFound, Finished]


async def test_empty_batches_are_no_batches() -> None:
    world = World({"simp": Closes()}, Source("one", [], ["simp"], []))
    assert shown(await world.events()) == ["simp"]
    assert world.lean.batches == [["simp"]]


# ---------------------------------------------------------------------------------------------- no place, no Lean


async def test_no_place_is_said_before_lean_is_asked() -> None:
    world = World({}, Source("one", ["simp"]))
    with pytest.raises(NoGoal):
        await world.events("-- com‸ment\n")
    assert world.leans == {}


async def test_no_goal_at_the_place_is_lean_s_word() -> None:
    world = World({}, Source("one", ["simp"]), goal="")
    with pytest.raises(NoGoal):
        await world.events()
    assert not world.pool._slots[URI, 0].lock.locked()


async def test_no_lean_is_said_and_asked_for_again() -> None:
    world = World({"simp": Closes()}, Source("one", ["simp"]))
    world.error = LeanNotFound("There is no Lean.")
    with pytest.raises(LeanNotFound):
        await world.events()
    world.error = None
    assert shown(await world.events()) == ["simp"]


# ---------------------------------------------------------------------------------------------- giving up


async def collect(events: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in events]


async def test_a_cancelled_request_frees_the_lean_for_the_next() -> None:
    source = Source("one", ["simp"], ["rfl"])
    world = World({"simp": Closes()}, source)
    await collect(world.ask())
    world.lean.pause.clear()
    task = asyncio.ensure_future(collect(world.ask()))
    await world.lean.waiting.wait()
    following = asyncio.ensure_future(collect(world.ask(version=2)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    world.lean.pause.set()
    events = await following
    assert shown(events) == ["simp"]
    assert {e.suggestion.version for e in events if isinstance(e, Found)} == {2}


async def test_closing_the_stream_stops_the_sources_and_frees_the_lean() -> None:
    never = Source("never", lambda: asyncio.Event().wait())
    world = World({"simp": Closes()}, Source("one", ["simp"], ["rfl"]), never)
    stream = world.ask()
    await next_of(stream, Found)
    assert world.pool._slots[URI, 0].lock.locked()
    await stream.aclose()
    assert not world.pool._slots[URI, 0].lock.locked()
    assert never.ended == "stopped"
    assert shown(await collect_until(world.ask(), Found)) == ["simp"]


async def collect_until(stream: AsyncGenerator[Event, None], kind: type[Event]) -> list[Event]:
    async with aclosing(stream) as events:
        return [await next_of(events, kind)]


async def test_one_request_at_a_time_uses_a_documents_lean() -> None:
    world = World({"simp": Closes()}, Source("one", ["simp"]))
    await collect(world.ask())
    world.lean.pause.clear()
    world.lean.batches.clear()
    first, second = (asyncio.ensure_future(collect(world.ask())) for _ in range(2))
    await world.lean.waiting.wait()
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(world.lean.batches) == 1
    world.lean.pause.set()
    assert [shown(await first), shown(await second)] == [["simp"], ["simp"]]


# ---------------------------------------------------------------------------------------------- preparing, closing


def document(text: str = TEXT) -> Document:
    return Document(URI, 1, text.replace(CURSOR, ""))


async def test_preparing_elaborates_what_stands_there() -> None:
    world = World({"simp": Closes()}, Source("one", ["simp"]))
    await world.suggester.prepare(document())
    assert world.lean.asked == ["known", "text"]
    await world.events()
    assert world.lean.asked[2:] == ["probe", "batch", "verify"], "the tactics are known by then"


async def test_preparing_gives_way_to_a_request() -> None:
    world = World({"simp": Closes()}, Source("one", ["simp"]))
    world.leans[URI] = FakeLean(world.table, goal=world.goal)
    started, never = asyncio.Event(), asyncio.Event()

    async def hold(uri: str) -> Elaborator:
        return Holding(world.leans[uri], started, never)

    world.pool._open = hold
    preparing = asyncio.ensure_future(world.suggester.prepare(document()))
    await started.wait()
    assert shown(await world.events()) == ["simp"]
    await preparing  # it gave way: no error, no waiting


class Holding:
    """Holds back the elaboration of plain texts for ever."""

    def __init__(self, inner: FakeLean, started: asyncio.Event, go: asyncio.Event) -> None:
        self._inner, self._started, self._go = inner, started, go
        self.identity = inner.identity
        self.goals, self.aclose = inner.goals, inner.aclose

    async def elaborate(
        self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
    ) -> Elaboration:
        if label == "prepare":
            self._started.set()
            await self._go.wait()
        return await self._inner.elaborate(text, timeout=timeout, label=label, enough=enough)


async def test_preparing_without_lean_is_no_error() -> None:
    world = World({})
    world.error = LeanNotFound("There is no Lean.")
    await world.suggester.prepare(document())


async def test_cancelling_a_preparation_cancels_it() -> None:
    world = World({})
    world.leans[URI] = FakeLean({})
    started = asyncio.Event()

    async def hold(uri: str) -> Elaborator:
        return Holding(world.leans[uri], started, asyncio.Event())

    world.pool._open = hold
    task = asyncio.ensure_future(world.suggester.prepare(document()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not world.pool._slots[URI, 0].lock.locked()


async def test_a_closed_document_gives_its_lean_up_and_closing_gives_up_all() -> None:
    world = World({"simp": Closes()}, Source("one", ["simp"]))
    await world.events()
    lean = world.lean
    await world.suggester.forget(URI)
    assert lean.closed == 1
    await world.events()
    assert world.lean is not lean
    await world.suggester.aclose()
    assert world.lean.closed == 1


def test_the_status_is_asked_for_without_waiting() -> None:
    assert World({}).suggester.status() == LeanStatus("ready", "4.27.0")


async def test_a_document_without_a_file_has_suggestions_too() -> None:
    world = World({"simp": Closes()}, Source("one", ["simp"]))
    text = TEXT.replace(CURSOR, "")
    untitled = Document("untitled:Untitled-1", 1, text)
    events = [e async for e in world.suggester.suggest(untitled, Position(3, 2))]
    assert shown(events) == ["simp"]


# ---------------------------------------------------------------------------------------------- a slow source


async def test_a_source_that_takes_its_time_holds_up_nobody_and_joins_when_it_is_ready() -> None:
    ready = asyncio.Event()
    table: Table = {"simp": Leaves("⊢ q"), "exact h": Closes()}
    world = World(table, Source("slow", ready.wait, ["exact h"]), Source("quick", ["simp"]))
    found = []
    async with aclosing(world.ask()) as events:
        async for event in events:
            if isinstance(event, Found):
                found.append(event.suggestion.tactic)
                ready.set()
    assert found == ["simp", "exact h"]


async def test_half_of_the_room_is_kept_for_a_source_that_has_not_answered() -> None:
    steps = [f"step{n}" for n in range(6)]
    table: Table = {**{step: Leaves(f"⊢ q{n}") for n, step in enumerate(steps)}, "exact h": Closes()}

    async def shown_with(*sources: TacticSource) -> list[str]:
        return shown(await World(table, *sources).events(options=Options(limit=4)))

    async def later() -> None:
        await asyncio.sleep(0.05)

    assert await shown_with(Source("quick", steps)) == steps[:4]
    assert await shown_with(Source("quick", steps), Source("slow", later, ["exact h"])) == [*steps[:2], "exact h"]


async def test_a_source_is_told_where_the_goal_stands() -> None:
    source = Source("one", ["simp"])
    await World({}, source).events("import A\n\n/-- Doc. -/\ntheorem foo : p := by\n  sorry‸\n")
    [request] = source.requests
    assert request.text[: request.start] == "import A\n\n"
    assert request.path == Path("/work/A.lean")
