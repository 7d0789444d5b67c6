"""An engine that a test writes down: what it answers for each declaration, and what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tacit.server.lean.elaborator import Message, Severity
from tacit.server.lean.syntax import Commands, declaration_head
from tacit.server.prover.events import Proved
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
    """Answers by declaration; `data` are those whose goal is no proposition. `meanwhile` runs before each answer.

    `waits` are the answers that come when an event is set. `wants` are the declarations that use others: while one of
    these has a `sorry`, what is found closes the goal only here. `wrong` gives the errors, by the texts that they
    stand at, of a text that is read as a whole; None where it is not read to its end. `read` are these texts. `beside`
    are other proofs, which come where they are wanted.
    """

    answers: Mapping[str, Sequence[Tactic] | Exception] = field(default_factory=dict)
    data: frozenset[str] = frozenset()
    notice: str = ""
    remarks: tuple[Remark, ...] = ()
    hang: bool = False
    waits: Mapping[str, asyncio.Event] = field(default_factory=dict)
    wants: Mapping[str, str] = field(default_factory=dict)
    wrong: Callable[[str], Mapping[str, str] | None] = lambda text: {}
    read: list[str] = field(default_factory=list)
    beside: Mapping[str, Sequence[Tactic]] = field(default_factory=dict)
    meanwhile: Callable[[], object] = lambda: None
    asked: list[tuple[Document, Position, Options]] = field(default_factory=list)
    closed: int = 0

    async def suggest(self, document: Document, position: Position, options: Options) -> AsyncGenerator[Event, None]:
        self.asked.append((document, position, options))
        self.meanwhile()
        await asyncio.sleep(0)  # others come in between
        offset = LineIndex(document.text).offset(position)
        command = Commands(document.text).around(offset)
        head = declaration_head(command, before=offset) if command else None
        name = head.name.text if head and head.name else ""
        answer = self.answers.get(name, ())
        if name in self.waits:
            await self.waits[name].wait()
        if isinstance(answer, Exception):
            raise answer
        end = offset + 5 if document.text.startswith("sorry", offset) else offset
        hole = Span(offset, end)
        yield GoalFound((GOAL,), hole, name or None, name in self.data)
        if self.hang:
            await asyncio.Event().wait()
        if name in self.wants and "sorry" in document.text.partition(self.wants[name])[2].partition("\n\n")[0]:
            answer = [replace(each, note="It uses a theorem that is not proved yet.") for each in answer]
        checked = [CheckedTactic(Candidate("decide", "fixed"), Verdict.FAILS, message="no")]
        for each in answer:
            found = each.suggestion(hole, document.version)
            checked.append(CheckedTactic(Candidate(each.tactic, "fixed"), found.verdict, goals=found.goals))
        yield BatchChecked(tuple(checked), 0.01)
        for remark in self.remarks:
            yield remark
        for each in answer:
            found = each.suggestion(hole, document.version)
            others = [other.suggestion(hole, document.version) for other in self.beside.get(name, ())]
            if others and found.verdict is Verdict.CLOSES:
                yield Proved(found, (), 0.25, tuple(others[: options.finish.alternatives]))
            if found.verdict is Verdict.CLOSES or not options.closes_only or each.note:
                yield Found(found, 0.25)
        yield Finished(len(checked), 0.5, self.notice)

    async def messages(self, document: Document) -> tuple[Message, ...] | None:
        self.read.append(document.text)
        errors = self.wrong(document.text)
        if errors is None:
            return None
        index = LineIndex(document.text)
        places = [(index.position(document.text.index(at)), error) for at, error in errors.items()]
        return tuple(Message(Severity.ERROR, place, place, error) for place, error in places)

    def status(self) -> LeanStatus:
        return LeanStatus("ready", "4.27.0", ("lean", "--server"))

    async def aclose(self) -> None:
        self.closed += 1
