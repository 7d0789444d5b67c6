"""Tries all `sorry`s of one file: the text with all that was closed.

One declaration's `sorry`s are tried from top to bottom, each on the text that the ones above have left. Declarations
can be tried at once, each by a Lean of its own, on the text as it is when their turn comes. What a declaration states
is not changed by a proof inside another, so that what was checked beside an unfinished one holds beside the finished
one too; a proof that was turned down because it uses an unfinished one is looked for again when that one is finished.
The text that comes of it is read by Lean once more as a whole.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from tacit.server.attempts import SORRY, Attempt, Listener, attempt
from tacit.server.command import ReadingEngine
from tacit.server.errors import LeanDied, NoGoal
from tacit.server.lean.crew import at_once
from tacit.server.lean.elaborator import Message, Severity
from tacit.server.lean.syntax import commands_of
from tacit.server.patch import LeanFile, apply
from tacit.server.prover.traces import Tracer
from tacit.server.prover.wanted import PLAIN, Finish
from tacit.server.text import LineIndex, Span
from tacit.server.values import TextEdit


@dataclass(frozen=True, slots=True)
class Outcome:
    """A file's text after all attempts."""

    text: str
    attempts: tuple[Attempt, ...]
    failure: LeanDied | None = None

    @property
    def closed(self) -> int:
        """How many were closed."""
        return sum(attempt.suggestion is not None for attempt in self.attempts)


class Watcher(Listener, Protocol):
    """Whoever also wants to know how much is done."""

    def step(self) -> None:
        """One more is."""
        ...


async def attempt_all(
    engine: ReadingEngine,
    file: LeanFile,
    places: Sequence[int],
    budget: float,
    busy: Watcher,
    traces: Tracer | None = None,
    *,
    sketch: bool = False,
    jobs: int = 1,
    finish: Finish = PLAIN,
) -> Outcome:
    """Try each place (an offset), `jobs` declarations at once. `sketch` puts in what is not finished, too.

    `finish` is what is wanted of the proofs; with a seed one is tried after the other. After Lean has died twice in a
    row no more are tried: the outcome says so, and has those that were.
    """
    work = _Work(engine, file, places, budget, busy, traces, sketch=sketch, finish=finish)
    # On which text one is tried must not depend on which other was quicker.
    await work.run(jobs if finish.seed is None else 1)
    return work.outcome()


@dataclass(slots=True, eq=False)
class _Declaration:
    """A command with a `sorry`, from `start` to `end` in the file; its text as it is now, and the rest within that.

    `places` has where each `sorry` is, by where it was in the file, and `lines` the line that it was tried in;
    `changes` counts what was put in.
    """

    start: int
    end: int
    text: str
    places: dict[int, int] = field(default_factory=dict)
    lines: dict[int, int] = field(default_factory=dict)
    changes: int = 0

    def put(self, edit: TextEdit) -> None:
        """Make an edit of the text as it is now."""
        changed = apply(self.text, edit)
        longer = len(changed) - len(self.text)
        lines = changed.count("\n") - self.text.count("\n")
        for place, at in self.places.items():
            if at >= edit.span.end:
                self.places[place] = at + longer
                if place in self.lines:
                    self.lines[place] += lines
        self.text = changed
        self.changes += 1


def _declarations(text: str, places: Sequence[int]) -> list[_Declaration]:
    found: dict[int, _Declaration] = {}
    commands = commands_of(text)
    first = next((command.span.start for command in commands.all()), len(text))
    for place in places:
        command = commands.around(place)
        span = command.span if command is not None else Span(0, first)
        whole = text[span.start : span.end]
        declaration = found.setdefault(span.start, _Declaration(span.start, span.end, whole))
        declaration.places[place] = place - span.start
    return [found[start] for start in sorted(found)]


class _Work:
    """The attempts at one file."""

    def __init__(
        self,
        engine: ReadingEngine,
        file: LeanFile,
        places: Sequence[int],
        budget: float,
        busy: Watcher,
        traces: Tracer | None,
        *,
        sketch: bool,
        finish: Finish,
    ) -> None:
        self._engine, self._file, self._budget = engine, file, budget
        self._busy, self._traces, self._sketch, self._finish = busy, traces, sketch, finish
        self._before = LineIndex(file.text)
        self._declarations = _declarations(file.text, places)
        self._attempts: dict[int, Attempt] = {}
        self._versions = count(1)
        # Those that want what was not proved when they were tried, with how much had been put in above by then.
        self._wanting: dict[int, int] = {}
        self._died: LeanDied | None = None
        self._stopped: LeanDied | None = None

    def outcome(self) -> Outcome:
        """What came of it."""
        text = self._text()
        index = LineIndex(text)
        attempts: list[Attempt] = []
        for declaration in self._declarations:
            first = index.position(self._start(declaration)).line
            for place in declaration.places:
                if (tried := self._attempts.get(place)) is not None:
                    tried.line = first + declaration.lines[place]
                    attempts.append(tried)
        failure = self._died if all(each.suggestion is None for each in attempts) else None
        return Outcome(text, tuple(attempts), self._stopped or failure)

    async def run(self, jobs: int) -> None:
        """Try all."""
        turns = [(each, list(each.places)) for each in self._declarations]
        while turns and self._stopped is None:
            await self._try_all(turns, jobs)
            turns = self._worth_another_try()
        if jobs > 1 and self._stopped is None:
            await self._read_again()

    async def _try_all(self, turns: Sequence[tuple[_Declaration, list[int]]], jobs: int) -> None:
        following = iter(turns)
        lanes = range(max(1, min(jobs, len(turns))))
        await at_once([self._take(following, lane) for lane in lanes])

    async def _take(self, turns: Iterator[tuple[_Declaration, list[int]]], lane: int) -> None:
        traces = self._traces.another() if self._traces is not None and lane else self._traces
        for declaration, places in turns:
            for place in places:
                if self._stopped is not None:
                    return
                await self._try(declaration, place, lane, traces)

    async def _try(self, declaration: _Declaration, place: int, lane: int, traces: Tracer | None) -> None:
        before = self._before.position(place)
        text, start = self._text(), self._start(declaration)
        now = declaration.places[place]
        assert declaration.text.startswith(SORRY, now)
        above = self._changes_above(declaration)
        self._busy.say(f"{self._file.shown}:{before.line + 1}")
        began = time.monotonic()
        version = next(self._versions)
        try:
            tried = await attempt(
                self._engine,
                self._file,
                text,
                start + now,
                version,
                self._budget,
                self._busy,
                traces,
                lane=lane,
                finish=self._finish,
            )
            self._died = None
        except NoGoal as exc:
            tried = Attempt(before, 0, reason=str(exc))
        except LeanDied as exc:
            tried = Attempt(before, 0, reason=str(exc))
            if self._died is not None:  # the file itself kills it; those below would only wait for the same
                self._stopped = exc
            self._died = exc
        tried.before = before
        earlier = self._attempts.get(place)
        tried.elapsed = time.monotonic() - began + (earlier.elapsed if earlier is not None else 0.0)
        declaration.lines[place] = LineIndex(declaration.text).position(now).line
        put = tried.suggestion or (tried.sketch if self._sketch else None)
        if put is not None:
            span = Span(put.edit.span.start - start, put.edit.span.end - start)
            declaration.put(TextEdit(span, put.edit.new_text))
        if tried.unproved:
            self._wanting[place] = above
        self._attempts[place] = tried
        if earlier is None:
            self._busy.step()

    def _worth_another_try(self) -> list[tuple[_Declaration, list[int]]]:
        """Those that wanted what has changed since."""
        again: list[tuple[_Declaration, list[int]]] = []
        for declaration in self._declarations:
            above = self._changes_above(declaration)
            # Where a sketch has taken its place there is no `sorry` to try.
            places = [
                place
                for place, at in declaration.places.items()
                if self._wanting.get(place, above) != above and declaration.text.startswith(SORRY, at)
            ]
            for place in places:
                del self._wanting[place]
            again += [(declaration, places)] if places else []
        return again

    def _changes_above(self, declaration: _Declaration) -> int:
        return sum(each.changes for each in self._declarations if each.start < declaration.start)

    # ---------------------------------------------------------------- the text as a whole

    async def _read_again(self) -> None:
        """Have Lean read the text as it is now; what it finds wrong is tried again from top to bottom, one by one."""
        changed = [each for each in self._declarations if each.changes]
        if len(changed) < 2:
            return  # it was checked as it stands
        for declaration in await self._wrong(changed):
            fresh = _declarations(self._file.text, list(declaration.places))[0]
            declaration.text, declaration.places, declaration.changes = fresh.text, fresh.places, 0
            for place in declaration.places:
                if self._stopped is None:
                    await self._try(declaration, place, 0, self._traces)
                else:
                    del self._attempts[place]

    async def _wrong(self, changed: Sequence[_Declaration]) -> Sequence[_Declaration]:
        """Those of the declarations that have an error which they had not in the file; all, where Lean cannot tell."""
        last = changed[-1]
        now = await self._messages(self._text()[: self._start(last) + len(last.text)])
        if now is None:
            return changed
        spans = {each: Span(self._start(each), self._start(each) + len(each.text)) for each in changed}
        errors = _errors(self._text(), now, spans)
        if not any(errors.values()):
            return ()
        before = await self._messages(self._file.text[: last.end])
        if before is None:
            return changed
        known = _errors(self._file.text, before, {each: Span(each.start, each.end) for each in changed})
        return [each for each in changed if errors[each] - known[each]]

    async def _messages(self, text: str) -> Sequence[Message] | None:
        try:
            return await self._engine.messages(self._file.document(text, next(self._versions)))
        except LeanDied:
            return None

    def _text(self) -> str:
        """The file's text with all that was put in so far."""
        parts: list[str] = []
        done = 0
        for each in self._declarations:
            parts += [self._file.text[done : each.start], each.text]
            done = each.end
        return "".join([*parts, self._file.text[done:]])

    def _start(self, declaration: _Declaration) -> int:
        """Where a declaration begins in that text."""
        above = [each for each in self._declarations if each.start < declaration.start]
        return declaration.start + sum(len(each.text) - (each.end - each.start) for each in above)


def _errors(
    text: str, messages: Sequence[Message], spans: dict[_Declaration, Span]
) -> dict[_Declaration, Counter[str]]:
    """The errors that begin in each span, by their words."""
    index = LineIndex(text)
    errors = [(index.offset(m.start), m.text) for m in messages if m.severity is Severity.ERROR]
    return {
        declaration: Counter(said for at, said in errors if span.start <= at < span.end)
        for declaration, span in spans.items()
    }
