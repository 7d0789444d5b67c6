"""`tacit prove FILE`: every `sorry` of a file that one checked tactic closes, as a diff or written into the file.

From top to bottom, each on the text that the ones above have left, so that what is shown together was checked together.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tacit.server.command import EVERYTHING, Engine, Exit, writing
from tacit.server.errors import BadInput, LeanDied, NoGoal
from tacit.server.lean.syntax import Commands
from tacit.server.modules import module_at
from tacit.server.patch import LeanFile, apply, difference
from tacit.server.prover.events import Proved, Searched, SearchEvent, Searching, Taken
from tacit.server.prover.report import progress as search_progress
from tacit.server.prover.report import summary
from tacit.server.prover.traces import Tracer
from tacit.server.question import closes, closes_here
from tacit.server.ranking import rank
from tacit.server.show import one_line, range_json
from tacit.server.suggest import BatchChecked, Finished, Found, GoalFound, Options
from tacit.server.terminal import BAD, GOOD, SKIPPED, STYLES, Busy, Terminal, plural, seconds
from tacit.server.text import LineIndex, Position, Span
from tacit.server.theorems import in_theorem
from tacit.server.values import CheckedTactic, Suggestion, Verdict

SORRY = "sorry"

DIFF_STYLES = (("---", "bold"), ("+++", "bold"), ("@@", "cyan"), ("+", "green"), ("-", "red"))


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one `sorry`. `before` is its place in the file as it was, `line` its line (from 0) in the result.

    `suggestion` is what took its place; without one, `reason` says why it stays, and `sketch` is how far a search came.
    `steps` are the tactics that the search made the proof of, with their sources.
    """

    before: Position
    line: int
    declaration: str | None
    suggestion: Suggestion | None
    reason: str
    elapsed: float
    sketch: Suggestion | None = None
    steps: tuple[Taken, ...] = ()
    searched: Searched | None = None


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


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked: seconds for each `sorry`, whether to write, also what is not finished, and only which line.

    `traces` is a file that what was tried is appended to.
    """

    budget: float
    write: bool = False
    sketch: bool = False
    line: int | None = None
    traces: Path | None = None


class Listener(Protocol):
    """Whoever wants to know what goes on."""

    def say(self, text: str) -> None:
        """It is this, now."""
        ...


async def close_sorries(engine: Engine, terminal: Terminal, path: Path, wish: Wish, *, as_json: bool = False) -> int:
    """Run the command on one file; the exit status."""
    file = LeanFile.read(path)
    places = _places(file, wish.line)
    began = time.monotonic()
    with terminal.busy("Starting Lean", len(places)) as busy, tracer(wish.traces) as traces:
        outcome = await attempt_all(engine, file, places, wish, busy, traces)
    written = wish.write and outcome.text != file.text
    if written:
        file.write(outcome.text)
    elapsed = time.monotonic() - began
    if as_json:
        terminal.json(file_json(engine, file, outcome, elapsed, written=written))
    else:
        if not wish.write:
            terminal.raw(difference(file.text, outcome.text, file.shown), DIFF_STYLES)
        _summary(terminal, file, outcome, elapsed, written=written)
    if outcome.failure is not None:
        terminal.error(str(outcome.failure))
        return Exit.NO_LEAN
    return Exit.DONE if outcome.closed == len(outcome.attempts) else Exit.OPEN


@contextmanager
def tracer(path: Path | None) -> Iterator[Tracer | None]:
    """What writes traces to a file, where one is named. Raises BadInput when it cannot be written."""
    if path is None:
        yield None
        return
    with writing(path, "a") as file:
        made = Tracer(file)
        yield made
        made.flush()


def _places(file: LeanFile, line: int | None) -> list[int]:
    """The offset of each `sorry` asked for. Raises BadInput when a line was named that has none."""
    index = LineIndex(file.text)
    offsets = [token.start for token in Commands(file.text).sorries()]
    if line is None:
        return offsets
    if not 1 <= line <= index.line_count:
        raise BadInput(f"{file.shown} has {plural(index.line_count, 'line')}, and none is number {line}.")
    chosen = [offset for offset in offsets if index.position(offset).line == line - 1]
    if not chosen:
        raise BadInput(f"There is no `sorry` on line {line} of {file.shown}.")
    return chosen


async def attempt_all(
    engine: Engine, file: LeanFile, places: Sequence[int], wish: Wish, busy: Busy, traces: Tracer | None = None
) -> Outcome:
    """Try each place in order, on the text that the ones before have left."""
    text, shift = file.text, 0
    before = LineIndex(file.text)
    attempts: list[Attempt] = []
    died: LeanDied | None = None
    for number, offset in enumerate(places):
        place = before.position(offset)
        busy.say(f"{file.shown}:{place.line + 1}")
        began = time.monotonic()
        tried = Tried()
        now = offset + shift
        assert text.startswith(SORRY, now)
        try:
            tried = await attempt(engine, file, text, now, number + 1, wish.budget, busy, traces)
            died = None
        except NoGoal as exc:
            tried = Tried(reason=str(exc))
        except LeanDied as exc:
            tried, again, died = Tried(reason=str(exc)), died is not None, exc
            if again:  # the file itself kills it; those below would only wait for the same
                attempts.append(tried.attempt(place, LineIndex(text).position(now).line, time.monotonic() - began))
                return Outcome(text, tuple(attempts), exc)
        line = LineIndex(text).position(now).line
        put = tried.suggestion or (tried.sketch if wish.sketch else None)
        if put is not None:
            changed = apply(text, put.edit)
            shift += len(changed) - len(text)
            text = changed
        attempts.append(tried.attempt(place, line, time.monotonic() - began))
        busy.step()
    failure = died if died is not None and all(attempt.suggestion is None for attempt in attempts) else None
    return Outcome(text, tuple(attempts), failure)


@dataclass(slots=True)
class Tried:
    """What is known of one attempt as it goes on."""

    declaration: str | None = None
    suggestion: Suggestion | None = None
    reason: str = ""
    sketch: Suggestion | None = None
    steps: tuple[Taken, ...] = ()
    searched: Searched | None = None

    def attempt(self, before: Position, line: int, elapsed: float) -> Attempt:
        """As it is reported."""
        return Attempt(
            before,
            line,
            self.declaration,
            self.suggestion,
            self.reason,
            elapsed,
            self.sketch,
            self.steps,
            self.searched,
        )


async def attempt(
    engine: Engine,
    file: LeanFile,
    text: str,
    offset: int,
    version: int,
    budget: float,
    busy: Listener,
    traces: Tracer | None,
) -> Tried:
    """What closes the goal at an offset, else the reason why nothing does. `busy` is told where the search is."""
    position = LineIndex(text).position(offset)
    options = Options(budget, stop_at_first_close=True, closes_only=True, limit=EVERYTHING, search=True)
    where = f"{file.shown}:{position.line + 1}"
    tried = Tried()
    partial: Suggestion | None = None
    best: CheckedTactic | None = None
    finished = Finished(0, 0.0)
    async with aclosing(engine.suggest(file.document(text, version), position, options)) as events:
        async for event in events:
            if traces is not None and isinstance(event, SearchEvent):
                traces.note(event)
            match event:
                case GoalFound(declaration=declaration):
                    tried.declaration = declaration
                    if event.is_data and not in_theorem(text, offset):
                        tried.reason = "It is data, not a proof: any value of its type would be taken."
                        return tried
                    where = f"{where}  {declaration}" if declaration else where
                    busy.say(where)
                    if traces is not None:
                        lean, module = engine.status().version, module_at(file.path)
                        traces.begin(event.goals, declaration, file=file.shown, module=module, budget=budget, lean=lean)
                case BatchChecked():
                    progress = [c for c in event.checked if c.verdict is Verdict.PROGRESSES and not c.candidate.query]
                    best = min([*progress, *([best] if best else [])], key=rank, default=None)
                case Searching():
                    busy.say(f"{where}  {search_progress(event)}")
                case Proved(steps=steps):
                    tried.steps = steps
                case Searched():
                    tried.searched, tried.sketch = event, event.sketch
                case Found(suggestion=suggestion) if closes(suggestion):
                    tried.suggestion = tried.suggestion or suggestion
                    if not tried.steps:
                        return tried  # one step, and nothing more to come
                case Found(suggestion=suggestion) if closes_here(suggestion):
                    partial = partial or suggestion
                case Finished():
                    finished = event
    if tried.suggestion is not None:
        return tried
    if partial is not None:
        tried.reason = f"`{one_line(partial.tactic, 60)}` would do, but: {partial.note}"
    elif tried.searched is not None:
        tried.reason = summary(tried.searched)
    else:
        tried.reason = _none(finished.checked)
        if best is not None:
            tried.reason += f" Best: `{one_line(best.candidate.text, 60)}` ({plural(len(best.goals), 'goal')} left)."
        tried.reason = f"{tried.reason} {finished.notice}".rstrip()
    return tried


def _none(tried: int) -> str:
    if tried > 1:
        return f"None of the {tried} tactics tried closes it."
    return "The one tactic tried does not close it." if tried else "There was no tactic to try."


def _summary(terminal: Terminal, file: LeanFile, outcome: Outcome, elapsed: float, *, written: bool) -> None:
    attempts = outcome.attempts
    if not attempts:
        terminal.note(f"There is no `sorry` in {file.shown}.")
        return
    for attempt in attempts:
        where = f"{file.shown}:{(attempt.line if written else attempt.before.line) + 1}"
        name = f"  {attempt.declaration}" if attempt.declaration else ""
        if attempt.suggestion is None:
            terminal.note((f"{BAD} ", STYLES[BAD]), where, name, (f"  {attempt.reason}", "dim"))
            if attempt.sketch is not None:
                for line in attempt.sketch.tactic.split("\n"):
                    terminal.note(("    ", "dim"), (line, "dim"))
        elif written:
            tactic = one_line(attempt.suggestion.tactic, 80)
            terminal.note((f"{GOOD} ", STYLES[GOOD]), where, name, (f"  {tactic}", "bold"))
    mark = GOOD if outcome.closed == len(attempts) else SKIPPED
    rest = f"; {file.shown} was written" if written else ""
    terminal.note(
        (f"{mark} ", STYLES[mark]),
        (f"closed {outcome.closed} of {len(attempts)}", "bold"),
        (f" in {seconds(elapsed)}{rest}", "dim"),
    )


def file_json(
    engine: Engine, file: LeanFile, outcome: Outcome, elapsed: float | None, *, written: bool
) -> dict[str, Any]:
    """What became of a file, for machines."""
    index = LineIndex(file.text)
    status = engine.status()
    took = sum(attempt.elapsed for attempt in outcome.attempts) if elapsed is None else elapsed
    return {
        "file": file.shown,
        "closed": outcome.closed,
        "total": len(outcome.attempts),
        "goals": [_attempt_json(attempt, index) for attempt in outcome.attempts],
        "diff": difference(file.text, outcome.text, file.shown),
        "written": written,
        "elapsed": round(took, 4),
        "lean": {"version": status.version, "live": not status.replayed},
    }


def _attempt_json(attempt: Attempt, index: LineIndex) -> dict[str, Any]:
    found = attempt.suggestion
    start = index.offset(attempt.before)
    return {
        "range": range_json(Span(start, start + len(SORRY)), index),
        "declaration": attempt.declaration,
        "closed": found is not None,
        "tactic": found.tactic if found else None,
        "newText": found.edit.new_text if found else None,
        "source": found.source if found else None,
        "axioms": list(found.axioms) if found else [],
        "reason": attempt.reason,
        "sketch": attempt.sketch.tactic if attempt.sketch else None,
        "steps": [{"tactic": step.tactic, "source": step.source} for step in attempt.steps],
        "search": _search_json(attempt.searched) if attempt.searched else None,
        "elapsed": round(attempt.elapsed, 4),
    }


def _search_json(searched: Searched) -> dict[str, Any]:
    return {
        "states": searched.states,
        "checked": searched.checked,
        "elaborations": searched.elaborations,
        "seconds": round(searched.elapsed, 4),
        "why": searched.why,
    }
