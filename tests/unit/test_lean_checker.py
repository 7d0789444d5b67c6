"""What the checker makes of Lean's answers: hangs, crashes, silence, axioms. Lean is a table here."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tacit.server.errors import LeanDied, NoGoal
from tacit.server.lean.checker import RESTS_ON_SORRY, USES_UNPROVED, Checker
from tacit.server.lean.elaborator import Elaboration, Enough, Message, Outcome, Severity
from tacit.server.lean.hole import holes
from tacit.server.lean.site import Site
from tacit.server.text import Position
from tacit.server.values import Candidate, CheckedTactic, Verdict
from tests.unit.fake_lean import USED_UP, Closes, Exhausts, Fails, FakeLean, Fate, Hangs, Kills, Leaves, Says, Unknown

OLD, NEW = "4.0.0", "4.27.0"
TEXT = "import A\n\ntheorem foo (p : Prop) (h : p) : p := by\n  sorry‸\n"


class Bench:
    """A checker over a table."""

    def __init__(
        self,
        table: dict[str, Fate],
        *,
        goal: str = "p : Prop\nh : p\n⊢ p",
        lean: FakeLean | None = None,
        version: str = "4.27.0",
    ):
        self.lean = lean or FakeLean(table, goal=goal, version=version)
        self.checker = Checker(self.lean)

    async def open(self, text: str = TEXT) -> Site:
        offset = text.index("‸")
        text = text.replace("‸", "")
        command, found = holes(text, offset)
        return await self.checker.open(text, command, found)

    async def check(self, *tactics: str, text: str = TEXT) -> dict[str, CheckedTactic]:
        site = await self.open(text)
        checked = await self.checker.check(site, [Candidate(t, "test") for t in tactics])
        assert [c.candidate.text for c in checked] == list(tactics)
        return {c.candidate.text: c for c in checked}

    async def verdicts(self, *tactics: str, text: str = TEXT) -> dict[str, str]:
        return {name: c.verdict.value for name, c in (await self.check(*tactics, text=text)).items()}

    async def verify(self, tactic: str, verdict: Verdict = Verdict.CLOSES, text: str = TEXT) -> CheckedTactic:
        site = await self.open(text)
        return await self.checker.verify(site, CheckedTactic(Candidate(tactic, "test"), verdict))


# ---------------------------------------------------------------------------------------------- batches


async def test_one_elaboration_gives_every_verdict() -> None:
    bench = Bench({"rfl": Closes(), "simp": Leaves("⊢ q"), "exact?": Says("Try this: rfl")})
    checked = await bench.check("rfl", "simp", "exact?", "omega", "sorry")
    assert {name: c.verdict.value for name, c in checked.items()} == {
        "rfl": "closes",
        "simp": "progresses",
        "exact?": "closes",
        "omega": "fails",
        "sorry": "refused",
    }
    assert checked["simp"].goals[0].target == "q"
    assert checked["exact?"].try_this == ("Try this: rfl",)
    assert checked["omega"].message == "The tactic failed."
    assert checked["sorry"].message
    assert not any(c.verified for c in checked.values())
    assert bench.lean.asked == ["probe", "batch"]


async def test_nothing_to_run_asks_nothing() -> None:
    bench = Bench({})
    assert await bench.verdicts("sorry", "exact foo") == {"sorry": "refused", "exact foo": "refused"}
    assert bench.lean.asked == ["probe"]
    assert await bench.verdicts() == {}


@pytest.mark.parametrize("left", ["p : Prop\nh : p\n⊢ p", "case x\np : Prop\nh :  p\n⊢ p"])
async def test_what_leaves_the_goal_as_it_was_fails(left: str) -> None:
    checked = await Bench({"skip": Leaves(left)}).check("skip")
    assert checked["skip"].verdict is Verdict.FAILS
    assert "changes nothing" in checked["skip"].message


async def test_goals_that_share_unknowns_run_one_at_a_time() -> None:
    bench = Bench({}, goal="⊢ ?m = n")
    assert set((await bench.verdicts("rfl", "simp", "omega")).values()) <= {"fails", "refused"}
    assert bench.lean.batches == [], "not on copies"
    assert bench.checker.elaborations >= 4


async def test_a_tactic_that_does_not_parse_is_thrown_out() -> None:
    bench = Bench({"rfl": Closes(), "nonsense": Unknown(), "gibberish": Unknown()})
    tactics = ("nonsense x", "rfl", "simp", "gibberish", "omega")
    assert await bench.verdicts(*tactics) == {
        "nonsense x": "fails",
        "rfl": "closes",
        "simp": "fails",
        "gibberish": "fails",
        "omega": "fails",
    }
    assert bench.lean.batches[-1] == ["rfl", "simp", "omega"]


@pytest.mark.parametrize("version", [OLD, NEW])
@pytest.mark.parametrize("size", [1, 2, 3, 8, 13])
async def test_the_one_that_hangs_is_found(size: int, version: str) -> None:
    tactics = [f"exact h{n}" for n in range(size)]
    for culprit in {0, size // 2, size - 1}:
        table: dict[str, Fate] = dict.fromkeys(tactics, Closes())
        table[tactics[culprit]] = Hangs()
        bench = Bench(table, version=version)
        verdicts = await bench.verdicts(*tactics)
        assert verdicts == {t: "times out" if n == culprit else "closes" for n, t in enumerate(tactics)}


async def test_what_was_told_before_a_hang_counts_and_what_comes_next_is_the_culprit() -> None:
    table: dict[str, Fate] = {
        "rfl": Closes(),
        "simp": Leaves("⊢ q"),
        "loop": Hangs(),
        "ring": Closes(),
        "dsimp": Closes(),
    }
    bench = Bench(table)
    verdicts = await bench.verdicts("rfl", "simp", "loop", "omega", "ring", "dsimp")
    assert list(verdicts.values()) == ["closes", "progresses", "times out", "fails", "closes", "closes"]
    assert bench.lean.batches == [
        ["rfl", "simp", "loop", "omega", "ring", "dsimp"],
        ["loop"],
        ["omega", "ring", "dsimp"],
    ]


@pytest.mark.parametrize("version", [OLD, NEW])
async def test_several_that_hang_or_kill_are_all_found(version: str) -> None:
    table: dict[str, Fate] = {"loop": Hangs(), "boom": Kills(), "rfl": Closes(), "simp": Closes(), "spin": Hangs()}
    bench = Bench(table, version=version)
    verdicts = await bench.verdicts("rfl", "loop", "boom", "simp", "spin")
    assert verdicts == {"rfl": "closes", "loop": "times out", "boom": "fails", "simp": "closes", "spin": "times out"}


async def test_the_search_for_what_hangs_ends_in_time_and_blames_nobody_for_it() -> None:
    bench = Bench({"rfl": Closes(), "loop": Hangs(), "simp": Closes()}, version=OLD)
    candidates = [Candidate(text, "test") for text in ("rfl", "loop", "simp")]
    site = await bench.open()
    checked = await bench.checker.check(site, candidates, until=time.monotonic())
    assert [each.verdict for each in checked] == [Verdict.TIMED_OUT] * 3
    assert all("no time left" in each.message for each in checked)
    assert bench.lean.batches == [["rfl", "loop", "simp"]]
    assert await bench.verdicts("rfl", "loop", "simp") == {"rfl": "closes", "loop": "times out", "simp": "closes"}


async def test_what_hung_is_not_run_on_that_goal_again() -> None:
    bench = Bench({"loop": Hangs(), "rfl": Closes()})
    await bench.check("loop", "rfl")
    bench.lean.batches.clear()
    assert await bench.verdicts("loop", "rfl") == {"loop": "times out", "rfl": "closes"}
    assert bench.lean.batches == [["rfl"]]


async def test_what_hung_on_two_goals_is_left_out_everywhere() -> None:
    bench = Bench({"loop": Hangs()})
    for goal in ("⊢ a", "⊢ b"):
        bench.lean.goal = goal
        assert await bench.verdicts("loop") == {"loop": "times out"}
    bench.lean.goal = "⊢ c"
    bench.lean.batches.clear()
    assert await bench.verdicts("loop") == {"loop": "times out"}
    assert bench.lean.batches == []


async def test_who_runs_out_of_heartbeats_behind_others_gets_them_all() -> None:
    """Today the declaration's limit is one for the whole batch, and there is no other."""
    table: dict[str, Fate] = {"rfl": Closes(), "ring": Exhausts(needs=True), "simp": Closes(), "grind": Exhausts()}
    bench = Bench(table)
    checked = await bench.check("rfl", "ring", "omega", "grind", "simp")
    assert [c.verdict.value for c in checked.values()] == ["closes", "closes", "fails", "fails", "closes"]
    assert "heartbeats" in checked["grind"].message
    assert bench.lean.batches == [
        ["rfl", "ring", "omega", "grind", "simp"],
        ["ring", "omega", "grind", "simp"],
        ["grind", "simp"],
        ["simp"],
    ]


async def test_where_what_stands_above_uses_up_the_heartbeats_every_candidate_fails_of_it() -> None:
    above = Elaboration(Outcome.DONE, (Message(Severity.ERROR, Position(4, 2), Position(4, 3), USED_UP),))
    bench = Bench({}, lean=Scripted({"rfl": Closes()}, batch=above))
    checked = await bench.check("rfl", "simp", "omega")
    assert {(c.verdict, c.message) for c in checked.values()} == {(Verdict.FAILS, USED_UP)}
    assert bench.lean.asked == ["probe", "batch", "known"]


@pytest.mark.parametrize("version", [OLD, NEW])
async def test_texts_of_one_place_differ_from_the_hole_on(version: str) -> None:
    """Lean keeps the steps above then. That of 2021 keeps none, and gets a limit for each batch."""
    table: dict[str, Fate] = {"rfl": Closes(), "simp": Leaves("⊢ q"), "loop": Hangs(), "nonsense": Unknown()}
    bench = Bench(table, version=version)
    site = await bench.open("import A\n\nexample (p : Prop) (h : p) : p := by\n  skip\n  sorry‸\n")
    for wave in (("rfl", "simp", "loop"), ("rfl", "nonsense", "simp")):
        await bench.checker.check(site, [Candidate(text, "test") for text in wave])
    await bench.checker.verify(site, CheckedTactic(Candidate("rfl", "test"), Verdict.CLOSES))
    assert set(bench.lean.asked) == {"probe", "batch", "known", "verify"}
    upto = {text[: text.index("  skip\n  ") + 9] if "  skip" in text else "" for text in bench.lean.texts}
    limits = {line for text in bench.lean.texts for line in text.split("\n") if "maxHeartbeats" in line}
    if version == NEW:
        assert upto == {site.scratch("").text[: site.scratch("").text.index("  skip\n  ") + 9]}
        assert not limits
    else:
        assert "set_option maxHeartbeats 160000" in limits


class Scripted(FakeLean):
    """Answers some kinds of texts otherwise than the table says."""

    def __init__(self, table: dict[str, Fate], **answers: Elaboration) -> None:
        super().__init__(table, goal="p : Prop\nh : p\n⊢ p")
        self.answers = answers

    async def elaborate(
        self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
    ) -> Elaboration:
        answer = await super().elaborate(text, timeout=timeout, label=label, enough=enough)
        return self.answers.get(self.asked[-1], answer)


class Eager(FakeLean):
    """Tells one message after the other, something more at the end, and stops where it is told to."""

    told = 0

    async def elaborate(
        self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
    ) -> Elaboration:
        answer = await super().elaborate(text, timeout=timeout, label=label)
        if enough is None:
            return answer
        more = Message(Severity.ERROR, Position(99, 0), Position(99, 1), "unsolved goals")
        messages = (*answer.messages, more, more)
        self.told = next(n for n in range(len(messages) + 1) if enough(messages[:n]))
        return replace(answer, messages=messages[: self.told])


async def test_a_batch_is_done_when_there_is_word_of_every_block() -> None:
    """What stands behind the hole may take long."""
    lean = Eager({"rfl": Closes(), "simp": Leaves("⊢ q"), "exact?": Says("Try this: rfl")})
    verdicts = await Bench({}, lean=lean).verdicts("rfl", "simp", "omega", "exact?")
    assert list(verdicts.values()) == ["closes", "progresses", "fails", "closes"]
    assert lean.told == 5


async def test_what_was_never_recorded_is_refused() -> None:
    unrecorded = Elaboration(Outcome.UNRECORDED, (), "This was never checked by a real Lean.")
    bench = Bench({}, lean=Scripted({"rfl": Closes()}, batch=unrecorded))
    checked = await bench.check("rfl", "simp")
    assert {c.verdict for c in checked.values()} == {Verdict.REFUSED}
    assert checked["rfl"].message == unrecorded.detail
    bench = Bench({}, lean=Scripted({"rfl": Closes()}, verify=unrecorded))
    assert (await bench.verify("rfl")).verdict is Verdict.REFUSED
    with pytest.raises(NoGoal, match="never checked"):
        await Bench({}, lean=Scripted({}, probe=unrecorded)).open()


async def test_silence_closes_nothing() -> None:
    """Lean says nothing of any block: after a syntax error, or because the peer is no Lean at all."""
    bench = Bench({}, lean=Scripted({"rfl": Closes()}, batch=Elaboration(Outcome.DONE)))
    assert set((await bench.verdicts("rfl", "simp", "omega")).values()) == {"fails"}


# ---------------------------------------------------------------------------------------------- the place


async def test_the_first_place_with_a_goal_is_taken() -> None:
    site = await Bench({}).open("theorem foo : p := by‸\n")
    assert site.hole.fill("x") == "\n  x"
    assert [g.target for g in site.goals] == ["p"]
    assert not site.is_data


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Elaboration(Outcome.DONE), "no goal"),
        (Elaboration(Outcome.TIMED_OUT, (), "x"), "did not finish"),
        (
            Elaboration(
                Outcome.DONE,
                (Message(Severity.ERROR, Position(0, 0), Position(0, 1), "unknown package 'A'\nmore"),),
            ),
            "imports of this file do not load: unknown package 'A'",
        ),
    ],
)
async def test_why_there_is_no_goal(answer: Elaboration, reason: str) -> None:
    with pytest.raises(NoGoal, match=reason):
        await Bench({}, lean=Scripted({}, probe=answer)).open()


async def test_no_goals_left_and_goals_inside_conv() -> None:
    with pytest.raises(NoGoal, match="no goals left"):
        await Bench({}, goal="no goals").open()
    with pytest.raises(NoGoal, match="conv"):
        await Bench({}, goal="a : Nat\n| a + 0").open()


async def test_a_lean_that_dies_of_the_file_is_told() -> None:
    with pytest.raises(LeanDied, match="Stack overflow"):
        await Bench({}, lean=Scripted({}, probe=Elaboration(Outcome.CRASHED, (), "Stack overflow"))).open()


class Partial(FakeLean):
    """Lean of 2025: of a text that does not parse whole it keeps the marks, and leaves out what fails."""

    def __init__(self, table: dict[str, Fate], *, bad: str) -> None:
        super().__init__(table, goal="p : Prop\nh : p\n⊢ p")
        self.bad = bad

    async def elaborate(
        self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
    ) -> Elaboration:
        asks = "exact True.intro" in text
        read = text if asks else text.replace(self.bad, "skip")
        whole = await super().elaborate(read, timeout=timeout, label=label, enough=enough)
        lines = text.split("\n")
        line = next((n for n, each in enumerate(lines) if self.bad in each), None)
        if line is None or asks:
            return whole
        marks = [n for n, each in enumerate(lines[:line]) if each.strip() == "trace_state"]
        kept = [m for m in whole.messages if m.severity is Severity.INFORMATION and m.start.line < line]
        told = {m.start for m in kept}
        at = [Position(n, lines[n].index("trace_state")) for n in marks]
        found = [Message(Severity.INFORMATION, each, each, "") for each in at if each not in told]
        error = Message(Severity.ERROR, Position(line, 4), Position(line, 5), "unexpected token ')'; expected term")
        return replace(whole, messages=(*kept, *found, error))


async def test_what_fails_is_told_though_the_last_of_the_batch_does_not_parse() -> None:
    """Else the marks of those before it would stand without their errors."""
    lean = Partial({"rfl": Closes(), "nonsense": Unknown()}, bad="exact h +")
    lean.table["exact h +"] = Unknown()
    bench = Bench({}, lean=lean)
    verdicts = await bench.verdicts("rfl", "exact nope", "exact h +")
    assert verdicts == {"rfl": "closes", "exact nope": "fails", "exact h +": "fails"}
    assert bench.lean.asked == ["probe", "batch", "known", "batch"]


async def test_a_declaration_that_is_broken_below_is_looked_at_without_that() -> None:
    text = "theorem foo (p : Prop) (h : p) : p := by\n  have : p := by\n    sorry‸\n    exact (\n  skip\n"
    for version, asked in ((NEW, ["probe", "probe"]), (OLD, ["probe"])):
        lean = Partial({"rfl": Closes()}, bad="exact (")
        lean.identity = replace(lean.identity, version=version)
        site = await Bench({}, lean=lean).open(text)
        assert lean.asked == asked
        assert (site.broken == "") is (version == NEW)
        assert ("exact (" in site.scratch("rfl").text) is (version == OLD)


async def test_where_nothing_can_be_left_out_there_is_no_place() -> None:
    class Whole(Partial):
        async def elaborate(
            self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
        ) -> Elaboration:
            answer = await super().elaborate(text, timeout=timeout, label=label, enough=enough)
            return answer if self.bad in text else Elaboration(Outcome.DONE)

    lean = Whole({"rfl": Closes()}, bad="exact (")
    with pytest.raises(NoGoal, match="does not parse, so that Lean does not tell what fails: unexpected token"):
        await Bench({}, lean=lean).open("theorem foo : p := by\n  sorry‸\n  exact (\n")


# ---------------------------------------------------------------------------------------------- in place


@pytest.mark.parametrize(
    ("axioms", "verdict", "told"),
    [
        ("", Verdict.CLOSES, ()),
        ("propext, Classical.choice,\n Quot.sound", Verdict.CLOSES, ("Classical.choice", "Quot.sound", "propext")),
        # Lean does not warn of a `sorry` here, so it is one of a theorem above.
        ("sorryAx", Verdict.PROGRESSES, ()),
        ("propext, sorryAx", Verdict.PROGRESSES, ()),
        ("cheat", Verdict.FAILS, ()),
        ("Lean.ofReduceBool", Verdict.FAILS, ()),
        ("Lean.trustCompiler", Verdict.FAILS, ()),
        ("propext, Lean.ofReduceBool, Lean.trustCompiler", Verdict.FAILS, ()),
        ("foo._native.decide.ax_1", Verdict.FAILS, ()),
        ("foo._native.bv_decide.ax_1_5", Verdict.FAILS, ()),
        ("A.propext", Verdict.FAILS, ()),
        ("«propext»", Verdict.FAILS, ()),
        # What Tacit's own texts declare is no proof either.
        ("_tacitHole", Verdict.FAILS, ()),
        ("_tacitRest", Verdict.FAILS, ()),
        ("Other._tacitHole", Verdict.FAILS, ()),
    ],
)
async def test_a_close_rests_on_no_new_axiom(axioms: str, verdict: Verdict, told: tuple[str, ...]) -> None:
    checked = await Bench({"rfl": Closes(axioms)}).verify("rfl")
    assert checked.verdict is verdict
    assert checked.verified is (verdict is Verdict.CLOSES)
    assert checked.axioms == told
    assert bool(checked.message) is (verdict is not Verdict.CLOSES)


@pytest.mark.parametrize("warning", ["declaration uses 'sorry'", "declaration uses `sorry`"])
async def test_a_sorry_that_a_tactic_hides_is_no_proof(warning: str) -> None:
    checked = await Bench({"rfl": Closes("sorryAx", warning=warning)}).verify("rfl")
    assert (checked.verdict, checked.message) == (Verdict.FAILS, RESTS_ON_SORRY)


async def test_a_close_by_what_is_not_proved_yet_is_told_as_such() -> None:
    checked = await Bench({"rfl": Closes("sorryAx", warning="unused variable")}).verify("rfl")
    assert (checked.verdict, checked.message) == (Verdict.PROGRESSES, USES_UNPROVED)


PROOF = TEXT.split("\n\n", 1)[1]


@pytest.mark.parametrize("version", [OLD, NEW])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"set_option debug.skipKernelTC true\n{PROOF}", "kernel"),
        (f"unsafe {PROOF}", "unsafe"),
        (f"module\n\npublic import A\n\naxiom cheat : p\n{PROOF}", "`axiom` in line 5"),
        (f"module\n\npublic import A\n\nset_option warn.sorry false\n{PROOF}", "warn.sorry"),
    ],
)
async def test_where_lean_checks_or_tells_less_nothing_is_called_closed(text: str, told: str, version: str) -> None:
    bench = Bench({"rfl": Closes()}, version=version)
    checked = await bench.verify("rfl", text=text)
    assert (checked.verdict, checked.verified) == (Verdict.PROGRESSES, False)
    assert told in checked.message
    simp = await Bench({"rfl": Fails("no")}).verify("rfl", text=text)
    assert simp.verdict is Verdict.FAILS


async def test_in_a_module_a_declaration_without_error_and_sorry_counts() -> None:
    module = f"module\n\npublic import A\n\ntheorem other : p := h\n\n{PROOF}"
    assert (await Bench({"rfl": Closes()}).verify("rfl", text=module)).verified
    warned = Closes(warning="declaration uses `sorry`")
    assert not (await Bench({"rfl": warned}).verify("rfl", text=module)).verified


async def test_a_sorry_that_no_axiom_tells_of_is_no_close() -> None:
    """It stands in a part of the declaration that the rest does not use."""
    checked = await Bench({"rfl": Closes(warning="declaration uses `sorry`")}).verify("rfl")
    assert (checked.verdict, checked.verified) == (Verdict.PROGRESSES, False)


@pytest.mark.parametrize("name", ["_tacitHole", "_tacitRest", "tacitExample"])
async def test_a_file_that_uses_tacits_names_has_no_places(name: str) -> None:
    with pytest.raises(NoGoal, match=name):
        await Bench({}).open(f"axiom {name} : p\n{PROOF}")


async def test_the_stand_in_for_the_rest_is_allowed_where_it_stands_for_something() -> None:
    text = "theorem foo (p : Prop) (h : p) : p ∧ p := by\n  constructor\n  · sorry\n  · sorry‸\n"
    assert (await Bench({"rfl": Closes("_tacitRest")}).verify("rfl", text=text)).axioms == ()
    for axioms in ("_tacitHole", "_tacitRest, _tacitHole", "_tacitRest, sorryAx", "_tacitRest, cheat"):
        assert not (await Bench({"rfl": Closes(axioms)}).verify("rfl", text=text)).verified


async def test_a_hole_that_only_the_rest_stands_for_proves_nothing() -> None:
    """What is asked for its axioms rests on another part of the declaration, and not on what goes into the hole."""
    rest = Message(Severity.INFORMATION, Position(6, 0), Position(6, 1), "'foo' depends on axioms: [_tacitRest]")

    class Apart(FakeLean):
        async def elaborate(
            self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
        ) -> Elaboration:
            answer = await super().elaborate(text, timeout=timeout, label=label, enough=enough)
            if self.asked[-1] != "probe":
                return answer
            line = text.count("\n") - 1
            said = replace(rest, start=Position(line, 0), end=Position(line, 1))
            return replace(answer, messages=(*(m for m in answer.messages if "axioms" not in m.text), said))

    checked = await Bench({}, lean=Apart({"rfl": Closes("_tacitRest")}, goal="⊢ p")).verify(
        "rfl", text="theorem foo : p := sorry where\n  aux : p := by\n    sorry‸\n"
    )
    assert (checked.verdict, checked.verified) == (Verdict.PROGRESSES, False)


async def test_a_close_that_fails_in_place_fails() -> None:
    for table in ({"rfl": Closes(in_place="fail to show termination")}, {"rfl": Fails("no")}):
        checked = await Bench(dict(table)).verify("rfl")
        assert checked.verdict is Verdict.FAILS
        assert checked.message in ("fail to show termination", "no")


@pytest.mark.parametrize(
    "probe_axioms",
    ["'foo' does not depend on any axioms", "'foo' depends on axioms: [propext]", "unknown constant", None],
)
async def test_a_name_that_does_not_rest_on_the_hole_proves_nothing(probe_axioms: str | None) -> None:
    """The probe fills the hole with the stand-in: where the named declaration does not rest on it, it is another."""

    class Namesake(FakeLean):
        async def elaborate(
            self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
        ) -> Elaboration:
            answer = await super().elaborate(text, timeout=timeout, label=label, enough=enough)
            if self.asked[-1] != "probe":
                return answer
            kept = [m for m in answer.messages if "axioms" not in m.text]
            said = [
                Message(m.severity, m.start, m.end, probe_axioms)
                for m in answer.messages
                if "axioms" in m.text and probe_axioms is not None
            ]
            return Elaboration(Outcome.DONE, (*kept, *said))

    bench = Bench({}, lean=Namesake({"rfl": Closes()}, goal="⊢ p"))
    checked = await bench.verify("rfl")
    assert checked.verdict is not Verdict.CLOSES
    assert not checked.verified


async def test_without_a_word_on_axioms_a_close_is_not_verified() -> None:
    checked = await Bench({}, lean=Scripted({"rfl": Closes()}, verify=Elaboration(Outcome.DONE))).verify("rfl")
    assert checked.verdict is not Verdict.CLOSES
    assert not checked.verified


@pytest.mark.parametrize("outcome", [Outcome.TIMED_OUT, Outcome.CRASHED])
async def test_what_does_not_finish_in_place_is_remembered(outcome: Outcome) -> None:
    bench = Bench({}, lean=Scripted({"rfl": Closes()}, verify=Elaboration(outcome, (), "x")))
    checked = await bench.verify("rfl")
    assert checked.verdict is not Verdict.CLOSES
    bench.lean.batches.clear()
    assert (await bench.verdicts("rfl"))["rfl"] != "closes"
    assert bench.lean.batches == []


async def test_progress_is_verified_without_axioms() -> None:
    checked = await Bench({"simp": Leaves("⊢ q")}).verify("simp", Verdict.PROGRESSES)
    assert checked.verdict is Verdict.PROGRESSES
    assert checked.verified
    failed = await Bench({"simp": Fails("no")}).verify("simp", Verdict.PROGRESSES)
    assert failed.verdict is Verdict.FAILS


async def test_an_error_of_the_file_is_not_the_tactics() -> None:
    """What was wrong before may be wrong after; one more of the same may not."""

    class Broken(FakeLean):
        def __init__(self, more: int) -> None:
            super().__init__({"rfl": Closes()}, goal="⊢ p")
            self.more = more

        async def elaborate(
            self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
        ) -> Elaboration:
            answer = await super().elaborate(text, timeout=timeout, label=label, enough=enough)
            times = 1 + (self.more if self.asked[-1] == "verify" else 0)
            error = Message(Severity.ERROR, Position(1, 0), Position(1, 1), "wrong above")
            return Elaboration(Outcome.DONE, (*[error] * times, *answer.messages))

    assert (await Bench({}, lean=Broken(0)).verify("rfl")).verdict is Verdict.CLOSES
    failed = await Bench({}, lean=Broken(1)).verify("rfl")
    assert failed.verdict is Verdict.FAILS
    assert failed.message == "wrong above"
