"""`tacit prove FILE`: every `sorry` of a file for which a proof is found, as a diff or written into the file.

What is shown together was checked together; see `prove_file`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tacit.server.attempts import SORRY, Attempt
from tacit.server.command import Exit, ReadingEngine, writing
from tacit.server.errors import BadInput
from tacit.server.lean.syntax import commands_of
from tacit.server.patch import LeanFile, difference
from tacit.server.prove_file import Outcome, attempt_all
from tacit.server.prover.events import Searched
from tacit.server.prover.traces import Tracer
from tacit.server.prover.wanted import PLAIN, Finish
from tacit.server.show import one_line, range_json
from tacit.server.terminal import BAD, GOOD, SKIPPED, STYLES, Terminal, plural, seconds
from tacit.server.text import LineIndex, Span

DIFF_STYLES = (("---", "bold"), ("+++", "bold"), ("@@", "cyan"), ("+", "green"), ("-", "red"))


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked: seconds for each `sorry`, whether to write, also what is not finished, and only which line.

    `traces` is a file that what was tried is appended to; `jobs` is how many are tried at once.
    """

    budget: float
    write: bool = False
    sketch: bool = False
    line: int | None = None
    traces: Path | None = None
    jobs: int = 1
    finish: Finish = PLAIN


async def close_sorries(
    engine: ReadingEngine, terminal: Terminal, path: Path, wish: Wish, *, as_json: bool = False
) -> int:
    """Run the command on one file; the exit status."""
    file = LeanFile.read(path)
    places = _places(file, wish.line)
    began = time.monotonic()
    with terminal.busy("Starting Lean", len(places)) as busy, tracer(wish.traces) as traces:
        outcome = await attempt_all(
            engine,
            file,
            places,
            wish.budget,
            busy,
            traces,
            sketch=wish.sketch,
            jobs=wish.jobs,
            finish=wish.finish,
        )
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
    offsets = [token.start for token in commands_of(file.text).sorries()]
    if line is None:
        return offsets
    if not 1 <= line <= index.line_count:
        raise BadInput(f"{file.shown} has {plural(index.line_count, 'line')}, and none is number {line}.")
    chosen = [offset for offset in offsets if index.position(offset).line == line - 1]
    if not chosen:
        raise BadInput(f"There is no `sorry` on line {line} of {file.shown}.")
    return chosen


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
        elif written or attempt.alternatives:
            tactic = one_line(attempt.suggestion.tactic, 80)
            terminal.note((f"{GOOD} ", STYLES[GOOD]), where, name, (f"  {tactic}", "bold"))
            for other in attempt.alternatives:
                for number, line in enumerate(other.tactic.split("\n")):
                    terminal.note(("     " if number else "  or ", "dim"), line)
    mark = GOOD if outcome.closed == len(attempts) else SKIPPED
    rest = f"; {file.shown} was written" if written else ""
    terminal.note(
        (f"{mark} ", STYLES[mark]),
        (f"closed {outcome.closed} of {len(attempts)}", "bold"),
        (f" in {seconds(elapsed)}{rest}", "dim"),
    )


def file_json(
    engine: ReadingEngine, file: LeanFile, outcome: Outcome, elapsed: float | None, *, written: bool
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
        "alternatives": [
            {"tactic": each.tactic, "newText": each.edit.new_text, "axioms": list(each.axioms)}
            for each in attempt.alternatives
        ],
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
