"""An engine that a test writes down: what it answers for each declaration, and what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tacit.server.lean.syntax import Commands, declaration_head
from tacit.server.suggest import BatchChecked, Document, Event, Finished, Found, GoalFound, LeanStatus, Options, Remark
from tacit.server.text import LineIndex, Position, Span
from tacit.server.values import Candidate, CheckedTactic, Goal, Hypothesis, Suggestion, TextEdit, Verdict

GOAL = Goal((Hypothesis(("p",), "Prop"), Hypothesis(("h",), "p")), "p", None, "p : Prop\nh : p\n⊢ p")
LEFT = Goal((*GOAL.hypotheses, Hypothesis(("n", "m"), "Nat")), "m = n", "inl", "case inl\n…")


@dataclass(frozen=True)
class Tactic:
    """One suggestion of the script. `left` goals are left; `text` is the edit's text where it is not the tactic."""

    tactic: str
    left: int = 0
    verified: bool = True
    text: str | None = None
    note: str = ""

    def suggestion(self, hole: Span, version: int) -> Suggestion:
        closes = not self.left and not self.note
        return Suggestion(
            tactic=self.tactic,
            verdict=Verdict.CLOSES if closes else Verdict.PROGRESSES,
            goals=(LEFT,) * self.left,
            edit=TextEdit(hole, self.text if self.text is not None else self.tactic),
            source="fixed",
            version=version,
            axioms=("propext",) if closes else (),
            verified=self.verified,
            note=self.note,
        )


@dataclass
class FakeEngine:
    """Answers by declaration; `data` are those whose goal is no proposition. `meanwhile` runs before each answer."""

    answers: Mapping[str, Sequence[Tactic] | Exception] = field(default_factory=dict)
    data: frozenset[str] = frozenset()
    notice: str = ""
    remarks: tuple[Remark, ...] = ()
    hang: bool = False
    meanwhile: Callable[[], object] = lambda: None
    asked: list[tuple[Document, Position, Options]] = field(default_factory=list)
    closed: int = 0

    async def suggest(self, document: Document, position: Position, options: Options) -> AsyncGenerator[Event, None]:
        self.asked.append((document, position, options))
        self.meanwhile()
        offset = LineIndex(document.text).offset(position)
        command = Commands(document.text).around(offset)
        head = declaration_head(command, before=offset) if command else None
        name = head.name.text if head and head.name else ""
        answer = self.answers.get(name, ())
        if isinstance(answer, Exception):
            raise answer
        end = offset + 5 if document.text.startswith("sorry", offset) else offset
        hole = Span(offset, end)
        yield GoalFound((GOAL,), hole, name or None, name in self.data)
        if self.hang:
            await asyncio.Event().wait()
        checked = [CheckedTactic(Candidate("decide", "fixed"), Verdict.FAILS, message="no")]
        for each in answer:
            found = each.suggestion(hole, document.version)
            checked.append(CheckedTactic(Candidate(each.tactic, "fixed"), found.verdict, goals=found.goals))
        yield BatchChecked(tuple(checked), 0.01)
        for remark in self.remarks:
            yield remark
        for each in answer:
            found = each.suggestion(hole, document.version)
            if found.verdict is Verdict.CLOSES or not options.closes_only or each.note:
                yield Found(found, 0.25)
        yield Finished(len(checked), 0.5, self.notice)

    def status(self) -> LeanStatus:
        return LeanStatus("ready", "4.27.0", ("lean", "--server"))

    async def aclose(self) -> None:
        self.closed += 1
