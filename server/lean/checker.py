"""Runs candidates in Lean and says what came of each. The one place where a verdict is made.

`open` probes a place, `check` runs a batch in one elaboration, `verify` elaborates one tactic again in place,
whole declaration, and reads its axioms. Every verdict but REFUSED rests on a message that Lean sent for
exactly that text; a candidate that poisons a batch (no later block ran) is found and thrown out, one that
hangs or kills Lean is found by splitting the batch, and remembered.
"""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tacit.server.errors import LeanDied, NoGoal
from tacit.server.lean import batch, environment, trust
from tacit.server.lean.batch import REST, STAND_IN
from tacit.server.lean.elaborator import Elaboration, Elaborator, Enough, Message, Outcome, Severity
from tacit.server.lean.gate import refusal
from tacit.server.lean.goals import is_conv, parse_goals
from tacit.server.lean.header import first_line, header_error
from tacit.server.lean.hole import Hole, inside_conv
from tacit.server.lean.site import (
    SORRY_AXIOM,
    Scratch,
    Site,
    axioms_of,
    broken_below,
    inner_errors,
    is_syntax_error,
    relative_errors,
)
from tacit.server.lean.syntax import Command
from tacit.server.text import Position
from tacit.server.values import Candidate, CheckedTactic, Goal, Verdict

log = logging.getLogger(__name__)
_NOT_TRIED = "There was no time left to try it: others hung before."
# What Lean says when a declaration has no heartbeats left; that a search for an instance has none is another matter.
_USED_UP = "set_option maxHeartbeats <num>"
RESTS_ON_SORRY = "It rests on `sorry`."
USES_UNPROVED = "It closes this goal; it uses a theorem that is not proved yet (`sorry`)."
_BESIDE = "It closes this goal; the declaration still has errors or a `sorry` elsewhere."


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, and heartbeats as `maxHeartbeats` counts them.

    `prefix` is for imports and all that stands above; `batch` for one batch, with `each` more for a candidate
    and `query` more for one that searches the library (`exact?`); `split` replaces `batch` when a hang is
    being looked for. Lean counts heartbeats for a whole declaration. In 2021 `heartbeats` for each candidate are
    added to its limit, which would otherwise stop the last candidates of a batch for what the first ones used.
    Today the declaration keeps the limit that it has: another one above it would have Lean elaborate the proof so
    far again, and one around a tactic does not count (`withOptions` in Lean's CoreM leaves `maxHeartbeats` as it
    is). What did not get its turn is run again.
    """

    prefix: float = 180.0
    batch: float = 3.0
    each: float = 0.05
    query: float = 8.0
    split: float = 1.5
    verify: float = 20.0
    heartbeats: int = 20_000
    query_heartbeats: int = 200_000
    declaration_heartbeats: int = 100_000


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate, and the goals that it is tried on: those of the site, or those at the end of a way from there.

    `joined` says that they share unknowns: all of them, and what comes of them, are one state.
    """

    candidate: Candidate
    way: batch.Way = ()
    goals: tuple[Goal, ...] = ()
    joined: bool = False


class Checker:
    """Checks candidates through one Elaborator; see the module's contract. Not for concurrent use.

    `beside` is another one of the same document: what hangs for one of them is not run by the other.
    """

    def __init__(self, elaborator: Elaborator, limits: Limits | None = None, *, beside: Checker | None = None) -> None:
        self._lean = elaborator
        self._limits = limits or Limits()
        self._hung: dict[tuple[str, str], str] = beside._hung if beside is not None else {}
        self._hung_texts: dict[str, set[str]] = beside._hung_texts if beside is not None else {}
        self._until = math.inf
        self.elaborations = 0

    @property
    def _keeps_steps(self) -> bool:
        return self._lean.identity.keeps_steps

    async def open(self, text: str, command: Command, holes: Sequence[Hole], *, label: str = "") -> Site:
        """The first of the places where Lean shows a goal. Raises NoGoal with what Lean said when none does."""
        if name := trust.reserved(text):
            raise NoGoal(f"This file uses the name `{name}`, which Tacit needs for itself.", hint="Rename it.")
        reasons: list[str] = []
        found = await self._look(text, command, holes, reasons, label)
        if found is None or (found.broken and self._keeps_steps):
            # What follows in the declaration may be broken, and a syntax error there silences Lean about all of it
            # (2021), or about what fails in steps that parse (today). Without it the goal can be seen, and tactics
            # checked up to here.
            upto = [hole for hole in holes if text[hole.span.end : command.span.end].strip()]
            shorter = await self._look(text, command, upto, reasons, label, cut=True)
            if shorter is None and found is not None:
                said = first_line(found.broken)
                raise NoGoal(f"What stands below does not parse, so that Lean does not tell what fails: {said}.")
            found = shorter
        if found is None:
            raise NoGoal(reasons[0] if reasons else "There is no place for a tactic at the cursor.")
        return found

    async def _look(
        self, text: str, command: Command, holes: Sequence[Hole], reasons: list[str], label: str, *, cut: bool = False
    ) -> Site | None:
        """The first place that shows a goal, the declaration cut behind the hole or not; else why none does."""
        for hole in holes:
            site = Site(text, command.upto(hole.span.end) if cut else command, hole)
            is_example = site.head is not None and site.head.keyword.text == "example"
            for as_ in ("theorem", "noncomputable def") if is_example else ("theorem",):
                found = await self._probe(replace(site, example_as=as_), label)
                if isinstance(found, Site):
                    return found
                reasons.append(found)
        return None

    async def prepare(self, site: Site, *, label: str = "") -> bool:
        """Have Lean elaborate what stands above a place that is open, with its own limit; whether it did."""
        text = site.scratch(batch.probe()[0].text, whole=True).text
        result = await self._elaborate(text, self._limits.prefix, f"{label} restart")
        return result.outcome is Outcome.DONE

    async def _probe(self, site: Site, label: str) -> Site | str:
        body, prop_mark = batch.probe()
        scratch = site.scratch(body.text, whole=True)
        result = await self._surely(scratch.text, self._limits.prefix, f"{label} probe")
        if result.outcome is not Outcome.DONE:
            return self._failed(result)
        messages = result.messages
        if broken := header_error(site.text, messages):
            raise NoGoal(
                f"The imports of this file do not load: {broken}", hint="Build the project first (`lake build`)."
            )
        reading = batch.read(body.blocks[0], messages, scratch.origin, scratch.column)
        if reading.goals is None:
            return await self._why_no_goal(site, scratch, messages)
        if not reading.goals:
            return "There are no goals left here."
        if any(is_conv(g.text) for g in reading.goals):
            return "Goals inside `conv` are not supported: the tactics there are of another kind."
        mark = batch.at(prop_mark, scratch.origin, scratch.column)
        copy = next((m.text for m in messages if m.severity is Severity.INFORMATION and m.start == mark), None)
        # Should a copy ever come out different, nothing may be concluded from copies.
        altered = copy is not None and _shapes(parse_goals(copy)[:1]) != _shapes(reading.goals[:1])
        allowed = relative_errors(scratch, messages)
        if site.hole.fresh:
            # With text below that goes on with the proof, a closing tactic here would leave it without a goal.
            allowed = Counter({t: n for t, n in allowed.items() if "no goals" not in t})
        return replace(
            site,
            goals=reading.goals,
            is_data=copy is None,
            is_altered=altered,
            errors=tuple(sorted((n, t) for t, n in allowed.items())),
            axioms=_besides_hole(axioms_of(scratch, messages)),
            standard=trust.standard_axioms(site.text, site.command.span.end),
            doubt=trust.doubt(site.text, site.command, site.hole.span),
            broken=broken_below(scratch, messages) if site.rest else "",
        )

    async def _why_no_goal(self, site: Site, scratch: Scratch, messages: Sequence[Message]) -> str:
        # `skip` is a tactic in both languages, so that Lean can show the goal of either.
        shown = await self._lean.goals(*_with_skip(site), timeout=self._limits.prefix)
        in_conv = inside_conv(site.text, site.command, site.hole.span.start)
        if in_conv or any(is_conv(goal) for goal in shown):
            # (2021 prints conv goals with `⊢`, later versions with `|`.)
            return "Goals inside `conv` are not supported: the tactics there are of another kind."
        # Below the hole errors may be ours; above it they are the user's, and often the reason.
        above = [m for m in messages if m.severity is Severity.ERROR and m.start < scratch.origin]
        near = [m for m in above if m.start.line >= scratch.start.line]
        said = f" Lean says: {first_line(near[-1].text)}." if near else ""
        return f"Lean shows no goal here.{said}"

    def _failed(self, result: Elaboration) -> str:
        if result.outcome is Outcome.UNRECORDED:
            return result.detail
        if result.outcome is Outcome.TIMED_OUT:
            return f"Lean did not finish with what stands above in {self._limits.prefix:.0f} s."
        raise LeanDied(f"Lean died while elaborating this file: {result.detail}.")

    async def _elaborate(self, text: str, timeout: float, label: str, enough: Enough | None = None) -> Elaboration:
        self.elaborations += 1
        return await self._lean.elaborate(text, timeout=timeout, label=label.strip(), enough=enough)

    async def _surely(self, text: str, timeout: float, label: str) -> Elaboration:
        """Elaborate; once more where Lean ended of it, or of something else: what was killed says nothing of a text."""
        result = await self._elaborate(text, timeout, label)
        if result.outcome is Outcome.CRASHED:
            result = await self._elaborate(text, timeout, label)
        return result

    # ---------------------------------------------------------------- candidates

    def gate(self, site: Site, candidate: Candidate, goals: Sequence[Goal] = ()) -> CheckedTactic | None:
        """The refusal of a candidate, or None when it may run; on the site's goals, or on others inside the proof."""
        local = site.local_names
        if goals:
            local = frozenset(name for each in goals[0].hypotheses for name in each.accessible)
        reason = refusal(candidate.text, own_name=site.name, local_names=local)
        if reason is None and site.hole.typed and not goals and not candidate.text.startswith(site.hole.typed):
            reason = "It does not continue what was typed."
        return CheckedTactic(candidate, Verdict.REFUSED, message=reason) if reason else None

    async def check(
        self, site: Site, candidates: Sequence[Candidate], *, label: str = "", until: float = math.inf
    ) -> list[CheckedTactic]:
        """One verdict for each candidate, in their order. CLOSES here is not yet verified in place.

        After `until` (as `time.monotonic` counts) no more is run to find out which ones hung: those left have timed
        out, and are run again when they are proposed again.
        """
        return await self.check_all(site, [Trial(each) for each in candidates], label=label, until=until)

    async def check_all(
        self, site: Site, trials: Sequence[Trial], *, label: str = "", until: float = math.inf
    ) -> list[CheckedTactic]:
        """The same for goals anywhere inside the proof, all in one elaboration. Trials of one goal stand together."""
        self._until = until
        verdicts: dict[int, CheckedTactic] = {}
        runnable: list[int] = []
        for i, trial in enumerate(trials):
            known = self.gate(site, trial.candidate, trial.goals) or self._remembered(site, trial)
            if known is not None:
                verdicts[i] = known
            else:
                runnable.append(i)
        batches = [[i] for i in runnable] if site.one_at_a_time else [runnable] if runnable else []
        for indices in batches:
            found = await self._run(site, [trials[i] for i in indices], label, split=False)
            verdicts.update(zip(indices, found, strict=True))
        return [verdicts[i] for i in range(len(trials))]

    def _remembered(self, site: Site, trial: Trial) -> CheckedTactic | None:
        goal = (trial.goals or site.goals)[0].text
        reason = self._hung.get((trial.candidate.text, goal))
        if reason is None and len(self._hung_texts.get(trial.candidate.text, ())) >= 2:
            reason = "It hung on two other goals, and is left out until Lean is restarted."
        return CheckedTactic(trial.candidate, Verdict.TIMED_OUT, message=reason) if reason else None

    def _remember(self, site: Site, trial: Trial, reason: str) -> CheckedTactic:
        goal = (trial.goals or site.goals)[0].text
        self._hung[trial.candidate.text, goal] = reason
        self._hung_texts.setdefault(trial.candidate.text, set()).add(goal)
        return CheckedTactic(trial.candidate, Verdict.TIMED_OUT, message=reason)

    async def _run(self, site: Site, trials: Sequence[Trial], label: str, *, split: bool) -> list[CheckedTactic]:
        """Verdicts for candidates that passed the gate; splits on a hang, throws poisoners out."""
        verdicts: dict[int, CheckedTactic] = {}
        left = list(range(len(trials)))
        asked_parser = False
        while left:
            running = [trials[i] for i in left]
            body = self._body(site, running)
            scratch = site.scratch(body.text, prologue=self._prologue(running))
            base = self._limits.split if split else self._limits.batch
            queries = sum(each.candidate.query for each in running)
            steps = len(left) + sum(len(way) for way in {each.way for each in running})
            timeout = base + self._limits.each * steps + self._limits.query * queries
            result = await self._elaborate(
                scratch.text, timeout, f"{label} batch of {len(left)}", _all_spoke(body, scratch)
            )
            if result.outcome is Outcome.UNRECORDED:
                for i in left:
                    verdicts[i] = CheckedTactic(trials[i].candidate, Verdict.REFUSED, message=result.detail)
                break
            readings = [batch.read(b, result.messages, scratch.origin, scratch.column) for b in body.blocks]
            if result.outcome is not Outcome.DONE:
                # Today's Lean tells of each block as soon as it is done. What it told before it was stopped counts, and
                # the next block is the one that hangs.
                told = next((n for n, reading in enumerate(readings) if reading.silent), len(readings))
                for i, trial, reading in zip(left[:told], running, readings, strict=False):
                    verdicts[i] = self._verdict(site, trial, reading)
                found = await self._split(site, running[told:], result, timeout, label, first=told > 0)
                verdicts.update(zip(left[told:], found, strict=True))
                break
            bad: dict[int, str] = {}
            unread = any(reading.silent for reading in readings)
            if self._keeps_steps:
                unread = unread or any(is_syntax_error(m) for reading in readings for m in reading.errors)
            if unread and not asked_parser and len(left) > 1:
                # A syntax error silences most of the command, before it and behind it (today what fails in it, and not
                # what does not): all are sent again without those that do not parse.
                asked_parser = True
                bad = await self._unparsed(site, {i: trials[i].candidate.text for i in left}, timeout, label)
            if bad:
                for i, message in bad.items():
                    verdicts[i] = CheckedTactic(trials[i].candidate, Verdict.FAILS, message=message)
                left = [i for i in left if i not in bad]
                continue
            done = self._settle(site, scratch, body, result.messages, running, readings)
            verdicts |= {left[n]: tactic for n, tactic in done.items()}
            left = [i for n, i in enumerate(left) if n not in done]
        return [verdicts[i] for i in range(len(trials))]

    def _settle(
        self,
        site: Site,
        scratch: Scratch,
        body: batch.Body,
        messages: Sequence[Message],
        trials: Sequence[Trial],
        readings: Sequence[batch.Reading],
    ) -> dict[int, CheckedTactic]:
        """The verdicts that one elaboration bears out, by place in the batch; at least one. The rest must run again."""
        if lost := _lost(scratch, body, messages, readings):
            return {n: CheckedTactic(trials[n].candidate, Verdict.FAILS, message=said) for n, said in lost.items()}
        spoke = [n for n, reading in enumerate(readings) if not reading.silent]
        used_up = ""
        if self._keeps_steps:
            used_up = next((m.text for m in messages if m.start >= scratch.start and _USED_UP in m.text), "")
        if used_up and not spoke:
            # What stands above the batch has left nothing: so it is for every candidate.
            return {n: CheckedTactic(each.candidate, Verdict.FAILS, message=used_up) for n, each in enumerate(trials)}
        if len(spoke) < 2 and not any(reading.goals is not None for reading in readings) and len(readings) > 1:
            # One error and not a word else: as after a syntax error. Its block is taken out.
            where, message = _poison(scratch, body, messages)
            return {where: CheckedTactic(trials[where].candidate, Verdict.FAILS, message=message)}
        # Who had no heartbeats left behind others may need few of them.
        spoke = [n for n in spoke if not used_up or not n or not any(_USED_UP in m.text for m in readings[n].errors)]
        done = {n: self._verdict(site, trials[n], readings[n]) for n in spoke}
        last = spoke[-1] if spoke else 0 if used_up else -1
        for n, reading in enumerate(readings[: last + (1 if used_up else 2)]):
            # Silent, and others after it were not: it stopped with an error that Lean did not report (2021
            # leaves out `don't know how to synthesize placeholder` beside other errors). The first silent one
            # of those at the end may have stopped all the others.
            if reading.silent:
                done[n] = CheckedTactic(trials[n].candidate, Verdict.FAILS, message="It stopped without a message.")
        return done

    async def _unparsed(self, site: Site, texts: dict[int, str], timeout: float, label: str) -> dict[int, str]:
        """Those of the candidates that do not parse here, all asked in one text, with Lean's message for each."""
        # Where Lean keeps steps the text goes on with the declaration, for the next one to find the steps still there.
        above = site.scratch(f"exact {batch.STAND_IN}").text if self._keeps_steps else site.above
        text, marks = environment.question(above, {str(i): t for i, t in texts.items()})
        result = await self._elaborate(text, timeout, f"{label} which of {len(texts)} parse")
        if result.outcome is not Outcome.DONE:
            return {}
        parsed = {m.start for m in result.messages if m.severity is Severity.INFORMATION}
        errors = [m for m in result.messages if m.severity is Severity.ERROR]
        bad = {}
        for i in texts:
            mark = Position(marks[str(i)], environment.MARK_COLUMN)
            if mark not in parsed:
                near = [m for m in errors if m.start.line <= mark.line + 1]
                bad[i] = near[-1].text if near else "It is no tactic that Lean can read here."
        return bad

    def _body(self, site: Site, trials: Sequence[Trial]) -> batch.Body:
        texts = [each.candidate.text for each in trials]
        sort = "Sort _" if site.is_data else "Prop"
        if not any(each.way or each.joined for each in trials):
            return batch.alone(texts[0]) if site.one_at_a_time else batch.copies(texts, sort=sort)
        groups: list[tuple[batch.Way, bool, list[str]]] = []
        for trial in trials:
            if groups and not trial.joined and groups[-1][:2] == (trial.way, False):
                groups[-1][2].append(trial.candidate.text)
            else:
                groups.append((trial.way, trial.joined, [trial.candidate.text]))
        return batch.grove(groups, sort=sort)

    def _prologue(self, trials: Sequence[Trial]) -> str:
        """The limit for a batch, where it has one of its own."""
        if self._keeps_steps:
            return ""
        limits = self._limits
        total = limits.declaration_heartbeats
        for n, trial in enumerate(trials):
            total += limits.query_heartbeats if trial.candidate.query else limits.heartbeats
            if trial.joined or not n or trials[n - 1].way != trial.way:
                total += limits.heartbeats * len(trial.way)
        return f"set_option maxHeartbeats {total}\n"

    async def _split(
        self, site: Site, trials: Sequence[Trial], result: Elaboration, timeout: float, label: str, *, first: bool
    ) -> list[CheckedTactic]:
        """Split a batch that hung or killed Lean until the one that did it stands alone; `first`: it is the first."""
        # Lean may have started afresh: what stands above is elaborated once, with its own limit, so that
        # its time is not charged to the candidates.
        await self.prepare(site, label=label)
        if not trials:
            return []
        if len(trials) == 1 and not first:
            if result.outcome is Outcome.TIMED_OUT:
                return [self._remember(site, trials[0], f"It did not finish in {timeout:.1f} s.")]
            self._remember(site, trials[0], "Lean died of it.")
            return [CheckedTactic(trials[0].candidate, Verdict.FAILS, message=f"Lean died of it: {result.detail}")]
        # In groups of the square root, not in halves: of n candidates one culprit then costs two waits and two
        # fresh processes instead of log n of each, and the good groups run in a moment.
        size = max(1, math.isqrt(len(trials)))
        groups = [trials[start : start + size] for start in range(0, len(trials), size)]
        if first:
            groups = [trials[:1], trials[1:]]
        found: list[CheckedTactic] = []
        for group in groups:
            if time.monotonic() < self._until:
                found += await self._run(site, group, label, split=True)
            else:
                found += [CheckedTactic(each.candidate, Verdict.TIMED_OUT, message=_NOT_TRIED) for each in group]
        return found

    def _verdict(self, site: Site, trial: Trial, reading: batch.Reading) -> CheckedTactic:
        candidate, notes = trial.candidate, reading.notes
        if reading.errors or reading.goals is None:
            message = reading.errors[0].text if reading.errors else "It ran more than once, on different goals."
            return CheckedTactic(candidate, Verdict.FAILS, message=message, try_this=notes)
        left = reading.goals
        if site.one_at_a_time:
            others = len(site.goals) - 1
            left = left[: max(0, len(left) - others)]
        if not left:
            return CheckedTactic(candidate, Verdict.CLOSES, try_this=notes)
        if _shapes(left) == _shapes(trial.goals or site.goals[:1]):
            return CheckedTactic(candidate, Verdict.FAILS, message="It changes nothing.", try_this=notes)
        return CheckedTactic(candidate, Verdict.PROGRESSES, goals=left, try_this=notes)

    # ---------------------------------------------------------------- in place

    async def heard(
        self, site: Site, tactic: str, *, prologue: str = "", label: str = ""
    ) -> list[tuple[Position, str]] | None:
        """What Lean tells of a tactic that stands in place, where in its text it tells it; None where it does not run.

        For a tactic that is known to run: nothing is refused here. `prologue` is a line of commands above.
        """
        scratch = site.scratch(tactic, prologue=prologue)
        result = await self._elaborate(scratch.text, self._limits.verify, f"{label} asked: {tactic}")
        if result.outcome is not Outcome.DONE or inner_errors(scratch, result.messages):
            return None
        return [
            (batch.within(m.start, scratch.origin, scratch.column), m.text)
            for m in result.messages
            if m.severity is Severity.INFORMATION and scratch.origin <= m.start < scratch.end
        ]

    async def verify(self, site: Site, checked: CheckedTactic, *, label: str = "") -> CheckedTactic:
        """Elaborate a closing or progressing tactic once more, as the user would have it: in place, whole declaration.

        A close stays CLOSES only when the declaration shows no new error, no `sorry` and no axiom that the
        unfinished one did not have already (propext, Classical.choice and Quot.sound apart).
        """
        scratch = site.scratch(checked.candidate.text, whole=True)
        result = await self._surely(scratch.text, self._limits.verify, f"{label} in place: {checked.candidate.text}")
        if result.outcome is Outcome.UNRECORDED:
            return replace(checked, verdict=Verdict.REFUSED, message=result.detail)
        if result.outcome is not Outcome.DONE:
            await self.prepare(site, label=label)
            return self._remember(site, Trial(checked.candidate), "It did not finish in place.")
        inner = inner_errors(scratch, result.messages)
        if inner:
            return _fails(checked, inner[0].text)
        allowed = {text: count for count, text in site.errors}
        errors = relative_errors(scratch, result.messages)
        for text, count in errors.items():
            unfinished = checked.verdict is Verdict.PROGRESSES and text.startswith("unsolved goals")
            if count > allowed.get(text, 0) and not unfinished:
                return _fails(checked, text)
        if checked.verdict is Verdict.PROGRESSES:
            return replace(checked, verified=True)
        if site.doubt:
            return _unverified(checked, site.doubt)
        if site.in_module:
            return self._judge_module(scratch, checked, result.messages, clean=not errors)
        judged = self._judge_axioms(site, checked, scratch, result.messages, clean=not errors)
        if judged.verdict is Verdict.PROGRESSES and errors:
            return await self._verify_finished(site, judged, label)
        return judged

    async def _verify_finished(self, site: Site, checked: CheckedTactic, label: str) -> CheckedTactic:
        """A close in a declaration that is still being written: judged with the rest handed to the stand-in."""
        text = checked.candidate.text
        for ending in site.endings():
            scratch = site.scratch(text, whole=True, ending=ending)
            result = await self._elaborate(scratch.text, self._limits.verify, f"{label} in place, finished: {text}")
            if result.outcome is not Outcome.DONE:
                continue
            if any(m.severity is Severity.ERROR and m.start >= scratch.start for m in result.messages):
                continue
            # The same with the hole handed to the stand-in: what the rest of the proof rests on already.
            before = site.scratch(f"exact {STAND_IN}", whole=True, ending=ending)
            given = await self._elaborate(before.text, self._limits.verify, f"{label} finished")
            finished = replace(site, axioms=_besides_hole(axioms_of(before, given.messages)))
            closes = replace(checked, verdict=Verdict.CLOSES, message="")
            return self._judge_axioms(finished, closes, scratch, result.messages, clean=True)
        return checked

    def _judge_module(
        self, scratch: Scratch, checked: CheckedTactic, messages: Sequence[Message], *, clean: bool
    ) -> CheckedTactic:
        """Inside a `module` Lean prints no axioms: only a declaration without error and `sorry` counts."""
        if not clean or _has_sorry(scratch, messages):
            return _unverified(checked, _BESIDE)
        return replace(checked, verified=True)

    def _judge_axioms(
        self, site: Site, checked: CheckedTactic, scratch: Scratch, messages: Sequence[Message], *, clean: bool
    ) -> CheckedTactic:
        axioms = axioms_of(scratch, messages)
        if axioms is None or site.axioms is None:
            return _unverified(checked, "Lean did not say which axioms the finished declaration rests on.")
        own = axioms - {REST} if scratch.stood_in else axioms
        before = site.axioms
        if SORRY_AXIOM in own and (not clean or SORRY_AXIOM in before):
            # Errors elsewhere put a sorry into the declaration, or what is already written rests on one. Who
            # brought in which cannot be told any more, so the whole is not called closed.
            return _unverified(checked, _BESIDE)
        if SORRY_AXIOM in own:
            if _has_sorry(scratch, messages):
                return _fails(checked, RESTS_ON_SORRY)
            # The declaration itself has none, so something above does that the user has not proved yet.
            return _unverified(checked, USES_UNPROVED)
        extra = own - site.standard - before
        if extra:
            return _fails(checked, f"It rests on the axiom `{min(extra)}`.")
        if _has_sorry(scratch, messages):
            return _unverified(checked, _BESIDE)
        return replace(checked, verified=True, axioms=tuple(sorted(own)))


def _has_sorry(scratch: Scratch, messages: Sequence[Message]) -> bool:
    """Whether Lean warns of a `sorry` in the declaration itself: of those that it only rests on it does not."""
    return any("sorry" in m.text and m.start >= scratch.start for m in messages if m.severity is Severity.WARNING)


def _all_spoke(body: batch.Body, scratch: Scratch) -> Enough:
    """Whether there is word of every block: what stands behind the hole, and the kernel, need not be waited for."""
    return lambda messages: (
        not any(batch.read(block, messages, scratch.origin, scratch.column).silent for block in body.blocks)
    )


def _with_skip(site: Site) -> tuple[str, Position]:
    scratch = site.scratch("skip")
    return scratch.text, scratch.origin


def _besides_hole(axioms: frozenset[str] | None) -> frozenset[str] | None:
    """The probe's axioms but the stand-ins, if they are those of the declaration with the hole.

    The probe fills the hole with a stand-in of its own. Without that one the name led to some other declaration, or the
    hole to none that this one rests on, and what Lean says proves nothing.
    """
    return axioms - {STAND_IN, REST} if axioms is not None and STAND_IN in axioms else None


def _fails(checked: CheckedTactic, message: str) -> CheckedTactic:
    return replace(checked, verdict=Verdict.FAILS, message=message, goals=())


def _unverified(checked: CheckedTactic, message: str) -> CheckedTactic:
    return replace(checked, verdict=Verdict.PROGRESSES, message=message, goals=())


def _shapes(goals: Sequence[Goal]) -> list[object]:
    """Goals up to tags and white space."""
    return [
        (tuple((h.names, " ".join(h.type.split()), h.value) for h in g.hypotheses), " ".join(g.target.split()))
        for g in goals
    ]


def _lost(
    scratch: Scratch, body: batch.Body, messages: Sequence[Message], readings: Sequence[batch.Reading]
) -> dict[int, str]:
    """Which blocks did not run because the way to their goal failed, and what it says."""
    wrong = [m for m in messages if m.severity is Severity.ERROR and not m.text.startswith("unsolved goals")]
    lost = {}
    for n, (block, reading) in enumerate(zip(body.blocks, readings, strict=True)):
        if not reading.silent or block.begin < 0:
            continue
        first = next(other.first for other in body.blocks if other.begin == block.begin)
        lines = range(scratch.origin.line + block.begin, scratch.origin.line + first)
        if said := next((m.text for m in wrong if m.start.line in lines), ""):
            lost[n] = f"The steps before it did not run again: {said}"
    return lost


def _poison(scratch: Scratch, body: batch.Body, messages: Sequence[Message]) -> tuple[int, str]:
    """Which block a syntax error stands in, and what it says; the first block when it stands in none."""
    errors = [m for m in messages if m.severity is Severity.ERROR and m.start >= scratch.origin]
    for message in errors:
        if message.text.startswith("unsolved goals"):
            continue
        line = message.start.line - scratch.origin.line
        for n, block in enumerate(body.blocks):
            if block.first <= line <= block.last:
                return n, message.text
    return 0, errors[0].text if errors else "Lean said nothing of it."
