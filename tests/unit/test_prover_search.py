"""The search itself, its traces and what is said of it, over a scripted Lean: no process."""

from __future__ import annotations

import asyncio
import io
import json
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from tacit.server.lean.checker import Checker, Trial
from tacit.server.lean.goals import parse_goals
from tacit.server.lean.hole import holes
from tacit.server.lean.site import Site
from tacit.server.prover.events import Expanded, Proved, Searched, SearchEvent, Searching
from tacit.server.prover.experience import Experience
from tacit.server.prover.report import progress, summary
from tacit.server.prover.search import REFUSALS, search
from tacit.server.prover.traces import Tracer, pairs, totals
from tacit.server.prover.wanted import PLAIN, Finish
from tacit.server.tactics.source import SourceRequest
from tacit.server.tactics.try_this import harvest
from tacit.server.text import Position
from tacit.server.values import Candidate, CheckedTactic, Verdict

TEXT = "theorem t (p q r : Prop) : p ∧ q ∧ r := by\n  sorry\n"
GOAL = "⊢ p ∧ q ∧ r"


class Rules:
    """In the place of a Checker: what each tactic does to each target. Proofs are accepted unless they are in `bad`."""

    def __init__(self, rules: Mapping[tuple[str, str], Sequence[str]], bad: Sequence[str] = ()) -> None:
        self.rules, self.bad = rules, bad
        self.elaborations = 0
        self.batches: list[list[tuple[str, str]]] = []
        self.ways: dict[str, tuple[str, ...]] = {}
        self.prints: dict[str, str] = {}
        """What Lean prints for a tactic that closes its goal."""
        self.good: set[str] = set()
        """The neater proofs that hold."""
        self.proposed: list[str] = []
        self.judged: list[str] = []
        """What was elaborated in place."""
        self.asked: list[tuple[str, object]] = []
        self.told: list[tuple[Position, str]] | None = None

    def gate(self, site: Site, candidate: Candidate, goals: object = ()) -> None:
        return None

    async def check_all(self, site: Site, trials: Sequence[Trial], **_: object) -> list[CheckedTactic]:
        self.elaborations += 1
        self.batches.append([])
        found = []
        for trial in trials:
            target = trial.goals[0].target if trial.goals else "p ∧ q ∧ r"
            self.batches[-1].append((target, trial.candidate.text))
            self.ways[target] = tuple(f"{step.tactic}/{step.index}" for step in trial.way)
            left = self.rules.get((target, trial.candidate.text))
            if left is None:
                found.append(CheckedTactic(trial.candidate, Verdict.FAILS, message="no\nmore of it"))
            elif left:
                goals = parse_goals("\n\n".join(f"⊢ {each}" for each in left))
                found.append(CheckedTactic(trial.candidate, Verdict.PROGRESSES, goals))
            else:
                said = self.prints.get(trial.candidate.text)
                found.append(CheckedTactic(trial.candidate, Verdict.CLOSES, try_this=(said,) if said else ()))
        return found

    async def check(self, site: Site, candidates: Sequence[Candidate], **_: object) -> list[CheckedTactic]:
        self.proposed += [each.text for each in candidates]
        return [CheckedTactic(each, Verdict.CLOSES if each.text in self.good else Verdict.FAILS) for each in candidates]

    async def heard(self, site: Site, tactic: str, **more: object) -> list[tuple[Position, str]] | None:
        self.asked.append((tactic, more.get("prologue", "")))
        return self.told

    async def verify(self, site: Site, checked: CheckedTactic, **_: object) -> CheckedTactic:
        self.judged.append(checked.candidate.text)
        refused = any(each in checked.candidate.text for each in self.bad)
        return CheckedTactic(checked.candidate, Verdict.FAILS if refused else Verdict.CLOSES, verified=not refused)


class Proposes:
    """A source that proposes the same for every goal."""

    name = "table"

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    async def candidates(self, request: SourceRequest) -> AsyncIterator[Sequence[Candidate]]:
        yield [Candidate(text, self.name, 0.5) for text in self.texts]


def run(
    rules: Rules,
    *sources: Proposes,
    budget: float = 20.0,
    finish: Finish = PLAIN,
    known: Sequence[str] = (),
    text: str = TEXT,
    experience: Experience | None = None,
) -> list[SearchEvent]:
    command, places = holes(text, text.index("sorry"))
    site = Site(text, command, places[0], parse_goals(GOAL))
    request = SourceRequest(site.goals, frozenset(known))
    checker: Checker = rules  # type: ignore[assignment]

    async def all_() -> list[SearchEvent]:
        found = search(checker, site, request, sources, harvest, budget, 7, "t", finish, experience)
        return [event async for event in found]

    return asyncio.run(all_())


def proof(events: Sequence[SearchEvent]) -> str:
    [found] = [event for event in events if isinstance(event, Proved)]
    return found.suggestion.tactic


def ended(events: Sequence[SearchEvent]) -> Searched:
    assert isinstance(events[-1], Searched)
    return events[-1]


STEPS = {
    ("p ∧ q ∧ r", "constructor"): ["p", "q ∧ r"],
    ("q ∧ r", "constructor"): ["q", "r"],
    ("p", "exact hp"): [],
    ("q", "exact hq"): [],
    ("r", "exact hr"): [],
}


def test_a_proof_of_several_steps_is_found_and_written_with_bullets() -> None:
    rules = Rules(STEPS)
    events = run(rules, Proposes("simp", "constructor", "exact hp", "exact hq", "exact hr"))
    assert proof(events) == "constructor\n· exact hp\n· constructor\n  · exact hq\n  · exact hr"
    [found] = [event for event in events if isinstance(event, Proved)]
    assert [(step.tactic, step.goals[0].target) for step in found.steps] == [
        ("constructor", "p ∧ q ∧ r"), ("exact hp", "p"), ("constructor", "q ∧ r"), ("exact hq", "q"), ("exact hr", "r"),
    ]  # fmt: skip
    assert (
        found.suggestion.edit.new_text == "constructor\n  · exact hp\n  · constructor\n    · exact hq\n    · exact hr"
    )
    assert found.suggestion.version == 7
    assert rules.ways["r"] == ("constructor/1", "constructor/1")
    assert ended(events).proved


def test_states_are_worked_on_together() -> None:
    rules = Rules(STEPS)
    run(rules, Proposes("constructor", "exact hp", "exact hq", "exact hr"))
    assert {target for target, _ in rules.batches[1]} == {"p", "q ∧ r"}
    assert len(rules.batches) == 3


def test_nothing_is_tried_twice_on_one_state() -> None:
    rules = Rules(STEPS)
    run(rules, Proposes("constructor", "skip", "exact hp"), Proposes("constructor"))
    tried = [each for batch in rules.batches for each in batch]
    assert len(tried) == len(set(tried))


def test_what_fails_as_a_whole_is_taken_back_and_another_way_found() -> None:
    rules = Rules({("p ∧ q ∧ r", "exact bad"): [], **STEPS}, bad=["bad"])
    events = run(rules, Proposes("exact bad", "constructor", "exact hp", "exact hq", "exact hr"))
    assert proof(events).startswith("constructor")


def test_without_a_proof_the_furthest_state_is_told() -> None:
    events = run(
        Rules({key: value for key, value in STEPS.items() if key[0] != "q"}),
        Proposes(*"x", "constructor", "exact hp", "exact hr"),
    )
    last = ended(events)
    assert not last.proved
    assert last.why == "Everything that can be thought of was tried."
    assert last.sketch is not None
    assert last.sketch.tactic == "constructor\n· exact hp\n· constructor\n  · sorry\n  · exact hr"
    assert (last.goals, last.states) == (1, 5)
    assert summary(last).endswith("20 tactics tried in 5 states. The furthest that was come leaves 1 goal.")
    assert ended(run(Rules({}), Proposes("simp"))).sketch is None


def test_time_that_is_up_is_said() -> None:
    last = ended(run(Rules(STEPS), Proposes("constructor"), budget=0.0))
    assert (last.why, last.checked) == ("Stopped after 0 s.", 0)


def test_a_line_of_progress() -> None:
    event = Searching(1, 1, 12, 3, "a + b = " + "b " * 60, 1.5, 28.4)
    assert progress(event).startswith("1 state, depth 3, 12 tactics tried, 28 s left: ⊢ a + b = b b")
    assert progress(event).endswith("…")
    assert len(progress(event)) < 130


def test_traces_can_be_counted_and_learned_from(tmp_path: Path) -> None:
    file, text = tmp_path / "t.jsonl", io.StringIO()
    tracer = Tracer(text)
    for name, rules in (("one", Rules(STEPS)), ("two", Rules({}))):
        tracer.begin(parse_goals(GOAL), name, file="A.lean", module="A", budget=20.0, lean="4.0.0")
        for event in run(rules, Proposes("constructor", "exact hp", "exact hq", "exact hr")):
            tracer.note(event)
    file.write_text(text.getvalue() + '{"cut', encoding="utf-8")
    sums = totals([file])
    assert (sums.searches, sums.proved, sums.partial, sums.broken) == (2, 1, 0, 1)
    assert (sums.used["table"], sums.worked["table"]) == (5, 5)
    assert sums.verdicts["fails"] == sums.tried["table"] - 5
    steps = list(pairs([file]))
    assert steps[0] == {"goal": GOAL, "tactic": "constructor", "module": "A", "name": "one"}
    assert len(steps) == 5
    everything = list(pairs([file], tries=True))
    assert {each["worked"] for each in everything} == {True, False}
    assert len(everything) == sums.tried["table"]
    record = json.loads(text.getvalue().splitlines()[1])
    assert (record["state"], record["goal"]) == (0, GOAL)
    assert ["exact hp", "table", "fails", "no"] in record["tried"]


@pytest.mark.parametrize("state", [0, 1])
def test_every_portion_is_told_with_its_state(state: int) -> None:
    events = run(Rules(STEPS), Proposes("constructor", "exact hp", "exact hq", "exact hr"))
    told = [event for event in events if isinstance(event, Expanded) and event.number == state]
    assert [event.goals[0].target for event in told] == [["p ∧ q ∧ r"], ["p"]][state]


HYPOTHESES = ("exact hp", "exact hq", "exact hr")


def found(events: Sequence[SearchEvent]) -> Proved:
    [proved] = [event for event in events if isinstance(event, Proved)]
    return proved


def test_the_neater_proof_is_told_when_lean_accepts_it() -> None:
    rules = Rules(STEPS)
    rules.good = {"exact ⟨hp, hq, hr⟩"}
    events = run(rules, Proposes("constructor", *HYPOTHESES))
    assert proof(events) == "exact ⟨hp, hq, hr⟩"
    assert found(events).steps[0].tactic == "constructor", "what the search did stays known"


def test_what_leads_to_a_state_is_given_up_when_no_end_of_it_holds_in_place() -> None:
    ends, longer = [f"end {n}" for n in range(9)], "t" * 20
    table = {("p ∧ q ∧ r", "wrong"): ["s"], ("p ∧ q ∧ r", "right"): [longer], (longer, "exact a much longer end"): []}
    rules = Rules({**table, **{("s", end): [] for end in ends}}, bad=["wrong"])
    assert proof(run(rules, Proposes("wrong", *ends, "right", "exact a much longer end"))).startswith("right")
    assert len([text for text in rules.judged if "wrong" in text]) <= REFUSALS


def test_a_neater_proof_that_fails_in_place_is_not_told() -> None:
    rules = Rules(STEPS, bad=["⟨"])
    rules.good = {"exact ⟨hp, hq, hr⟩"}
    assert proof(run(rules, Proposes("constructor", *HYPOTHESES))).startswith("constructor\n· exact hp")


def test_where_a_term_is_wanted_one_is_put_in() -> None:
    rules = Rules({("p ∧ q ∧ r", "exact h"): []})
    events = run(rules, Proposes("exact h"), text="theorem t (p q r : Prop) : p ∧ q ∧ r :=\n  sorry\n")
    suggestion = found(events).suggestion
    assert (suggestion.tactic, suggestion.edit.new_text) == ("exact h", "h")
    for text, new in (
        ("theorem t : p ∧ q ∧ r :=\n  sorry\n", " by\n  tauto"),
        ("theorem t : p ∧ q ∧ r := sorry\n", "by tauto"),
        (f"theorem {'t' * 90} : p := sorry\n", "by\n  tauto"),
    ):
        events = run(Rules({("p ∧ q ∧ r", "tauto"): []}), Proposes("tauto"), text=text)
        assert found(events).suggestion.edit.new_text == new
    rules = Rules(STEPS)
    events = run(rules, Proposes("constructor", *HYPOTHESES), text="theorem t : p ∧ q ∧ r :=\n  sorry\n")
    assert found(events).suggestion.edit.new_text.startswith(" by\n  constructor\n  · exact hp")


@pytest.mark.parametrize("printed", ["Try this: exact foo", "Try this:\n  [apply] exact foo"])
def test_a_question_is_never_a_proof_and_what_it_found_is(printed: str) -> None:
    rules = Rules({("p ∧ q ∧ r", "exact?"): [], ("p ∧ q ∧ r", "exact foo"): []})
    rules.prints = {"exact?": printed}
    assert proof(run(rules, Proposes("exact?"))) == "exact foo"
    rules = Rules({("p ∧ q ∧ r", "skip; simp?"): []})
    assert not ended(run(rules, Proposes("skip; simp?"))).proved


def test_other_proofs_are_offered_where_they_are_wanted_and_differ() -> None:
    table = {**STEPS, ("p ∧ q ∧ r", "simp [h, k]"): [], ("p ∧ q ∧ r", "simp [k, h]"): [], ("p ∧ q ∧ r", "tauto"): []}
    sources = Proposes("constructor", *HYPOTHESES), Proposes("simp [h, k]", "tauto", "simp [k, h]")
    assert found(run(Rules(table), *sources)).alternatives == ()
    events = run(Rules(table), *sources, finish=Finish(alternatives=3))
    proved = found(events)
    assert proved.suggestion.tactic == "tauto"
    others = [each.tactic for each in proved.alternatives]
    assert [each.split()[0] for each in others] == ["simp", "constructor"], "one `simp` is like the other"
    assert all(each.verified for each in proved.alternatives)
    assert ended(events).proved
    assert len(found(run(Rules(table), *sources, finish=Finish(alternatives=1))).alternatives) == 1


def test_an_alternative_that_fails_in_place_is_not_offered() -> None:
    table: dict[tuple[str, str], Sequence[str]] = {("p ∧ q ∧ r", "tauto"): [], ("p ∧ q ∧ r", "simp [k]"): []}
    proved = found(run(Rules(table, bad=["simp"]), Proposes("tauto", "simp [k]"), finish=Finish(alternatives=3)))
    assert (proved.suggestion.tactic, proved.alternatives) == ("tauto", ())


def test_simp_only_is_written_where_it_is_wanted_with_what_simp_says() -> None:
    table: dict[tuple[str, str], Sequence[str]] = {("p ∧ q ∧ r", "simp [h]"): []}
    rules = Rules(table)
    rules.told = [(Position(0, 0), "Try this: simp only [h, and_true]")]
    assert proof(run(rules, Proposes("simp [h]"), finish=Finish(simp_only=True), known=["simp?"])) == (
        "simp only [h, and_true]"
    )
    assert rules.asked == [("simp? [h]", "")]
    rules = Rules(table)
    assert proof(run(rules, Proposes("simp [h]"), known=["simp?"])) == "simp [h]"
    assert rules.asked == []


def test_a_lean_without_simp_says_is_asked_by_its_traces() -> None:
    rules = Rules({("p ∧ q ∧ r", "simp [h]"): []})
    line = "[Meta.Tactic.simp.rewrite] {}:1000, a ==> b"
    rules.told = [(Position(0, 0), line.format(name)) for name in ("and_true", "eq_self", "h._@._hyg.165", "h")]
    rules.good = {"simp only [and_true]"}
    assert proof(run(rules, Proposes("simp [h]"), finish=Finish(simp_only=True))) == "simp only [and_true]"
    [(asked, prologue)] = rules.asked
    assert (asked, "simp.rewrite" in str(prologue)) == ("simp [h]", True)
    assert "simp only [h, and_true]" not in rules.proposed, "it was accepted in place first, and then shortened"


def test_simp_stays_where_lean_refuses_simp_only() -> None:
    rules = Rules({("p ∧ q ∧ r", "simp [h]"): []}, bad=["only"])
    rules.told = [(Position(0, 0), "Try this: simp only [h]")]
    assert proof(run(rules, Proposes("simp [h]"), finish=Finish(simp_only=True), known=["simp?"])) == "simp [h]"


class Hesitates(Proposes):
    """Takes its time, another one for each goal and each run."""

    def __init__(self, name: str, chance: random.Random, *texts: str) -> None:
        super().__init__(*texts)
        self.name, self.chance = name, chance

    async def candidates(self, request: SourceRequest) -> AsyncIterator[Sequence[Candidate]]:
        await asyncio.sleep(self.chance.random() / 50)
        async for batch in super().candidates(request):
            yield batch


def orders(seed: int | None, run_number: int) -> list[list[tuple[str, str]]]:
    """The batches of a search without a proof, among states that look alike."""
    alike = {("p ∧ q ∧ r", f"step {n}"): [f"p{n}"] for n in range(6)}
    rules = Rules({**alike, **{(f"p{n}", "go"): [f"q{n}"] for n in range(6)}})
    chance = random.Random(run_number)
    sources = (
        Hesitates("one", chance, *(f"step {n}" for n in range(3))),
        Hesitates("two", chance, *(f"step {n}" for n in range(2, 6)), "go"),
    )
    run(rules, *sources, finish=Finish(seed=seed))
    return rules.batches


def test_the_same_seed_gives_the_same_search_and_another_one_another() -> None:
    first = orders(1, 1)
    assert [orders(1, number) for number in (2, 3)] == [first, first]
    assert any(orders(seed, 1) != first for seed in (2, 3, 4))


def test_nothing_is_learned_from_a_search_with_a_seed(tmp_path: Path) -> None:
    """What is learned would make the second search another one than the first."""
    file = tmp_path / "learned.json"
    for seed in (1, None):
        rules, tactics = Rules(STEPS), ("constructor", "exact hp", "exact hq", "exact hr")
        assert proof(run(rules, Proposes(*tactics), finish=Finish(seed=seed), experience=Experience(file)))
        assert file.exists() is (seed is None)
