"""What closes one `sorry` of a file, or why nothing does."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from tacit.server.command import EVERYTHING, Engine
from tacit.server.modules import module_at
from tacit.server.patch import LeanFile
from tacit.server.prover.events import Proved, Searched, SearchEvent, Searching, Taken
from tacit.server.prover.report import progress as search_progress
from tacit.server.prover.report import summary
from tacit.server.prover.traces import Tracer
from tacit.server.prover.wanted import PLAIN, Finish
from tacit.server.question import closes, closes_here
from tacit.server.ranking import rank
from tacit.server.show import one_line
from tacit.server.suggest import BatchChecked, Finished, Found, GoalFound, Options
from tacit.server.terminal import plural
from tacit.server.text import LineIndex, Position
from tacit.server.theorems import in_theorem
from tacit.server.values import CheckedTactic, Suggestion, Verdict

SORRY = "sorry"


@dataclass(slots=True)
class Attempt:
    """What is known of one `sorry` as it is tried, and in the end what became of it.

    `before` is its place in the file as it was, `line` its line (from 0) in the result. `suggestion` is what takes its
    place; without one, `reason` says why it stays, and `sketch` is how far a search came. `steps` are the tactics that
    the search made the proof of, with their sources; `alternatives` are other proofs. `unproved`: what would have done
    needs something else to be proved first. `elapsed` is in seconds.
    """

    before: Position
    line: int
    declaration: str | None = None
    suggestion: Suggestion | None = None
    reason: str = ""
    elapsed: float = 0.0
    sketch: Suggestion | None = None
    steps: tuple[Taken, ...] = ()
    searched: Searched | None = None
    unproved: bool = False
    alternatives: tuple[Suggestion, ...] = ()


class Listener(Protocol):
    """Whoever wants to know what goes on."""

    def say(self, text: str) -> None:
        """It is this, now."""
        ...


async def attempt(
    engine: Engine,
    file: LeanFile,
    text: str,
    offset: int,
    version: int,
    budget: float,
    busy: Listener,
    traces: Tracer | None,
    *,
    lane: int = 0,
    finish: Finish = PLAIN,
) -> Attempt:
    """What closes the goal at an offset, else the reason why nothing does. `busy` is told where the search is.

    Raises NoGoal, LeanNotFound and LeanDied as the engine does. `lane`: see Document; `finish`: see Options.
    """
    position = LineIndex(text).position(offset)
    options = Options(budget, stop_at_first_close=True, closes_only=True, limit=EVERYTHING, search=True, finish=finish)
    where = f"{file.shown}:{position.line + 1}"
    tried = Attempt(position, position.line)
    partial: Suggestion | None = None
    best: CheckedTactic | None = None
    finished = Finished(0, 0.0)
    async with aclosing(engine.suggest(file.document(text, version, lane), position, options)) as events:
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
                case Proved(steps=steps, alternatives=alternatives):
                    tried.steps, tried.alternatives = steps, alternatives
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
    tried.unproved = partial is not None
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
