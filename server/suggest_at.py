"""`tacit suggest FILE:LINE[:COL]`: the goal at a place, and checked tactics for it as they are found."""

from __future__ import annotations

import re
import time
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from tacit.server.command import EVERYTHING, Engine, Exit
from tacit.server.errors import BadInput
from tacit.server.gathered import Gathered
from tacit.server.lean.syntax import Commands
from tacit.server.patch import LeanFile
from tacit.server.show import best_first, goal_json, goal_lines, range_json, suggestion_json, suggestion_lines
from tacit.server.suggest import BatchChecked, GoalFound, Options
from tacit.server.terminal import Terminal, plural, seconds
from tacit.server.text import LineIndex, Position

_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+)(?::(?P<column>\d+))?:?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """A file, and a line and perhaps a column in it, both counted from 1 as editors show them."""

    file: Path
    line: int
    column: int | None = None

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read `FILE:LINE` or `FILE:LINE:COL`. Raises BadInput."""
        match = _PLACE.fullmatch(text)
        if match is None:
            raise BadInput(f"{text} names no line.", hint=f"Write {text or 'FILE'}:LINE or {text or 'FILE'}:LINE:COL.")
        column = match["column"]
        return cls(Path(match["file"]), int(match["line"]), int(column) if column is not None else None)

    def position(self, file: LeanFile) -> Position:
        """The place in a file; without a column the first `sorry` of the line, else its end. Raises BadInput."""
        index = LineIndex(file.text)
        if not 1 <= self.line <= index.line_count:
            raise BadInput(f"{file.shown} has {plural(index.line_count, 'line')}, and none is number {self.line}.")
        line = self.line - 1
        length = len(index.line(line).removesuffix("\r"))
        if self.column is not None:
            if not 1 <= self.column <= length + 1:
                where = f"line {self.line} of {file.shown}"
                raise BadInput(f"Columns of {where} go from 1 to {length + 1}, and {self.column} is none of them.")
            return Position(line, self.column - 1)
        places = [index.position(token.start) for token in Commands(file.text).sorries()]
        return next((place for place in places if place.line == line), Position(line, length))


async def suggest_at(
    engine: Engine, terminal: Terminal, place: Place, budget: float, *, limit: int, as_json: bool = False
) -> int:
    """Run the command; the exit status."""
    file = LeanFile.read(place.file)
    position = place.position(file)
    index = LineIndex(file.text)
    told = Gathered(limit)
    began = time.monotonic()
    options = Options(budget, limit=EVERYTHING, near=place.column is None)
    with terminal.busy("Starting Lean") as busy:
        async with aclosing(engine.suggest(file.document(), position, options)) as events:
            async for event in events:
                kept = told.take(event)
                match event:
                    case GoalFound():
                        busy.say("Checking tactics")
                        if not as_json:
                            _show_goal(terminal, file, index, event)
                    case BatchChecked():
                        busy.say(f"Checking tactics, {told.checked} so far")
                if kept is not None and told.goal is not None and not as_json:
                    for line in suggestion_lines(kept, told.goal.goals[0]):
                        terminal.line(line)
                if told.enough:
                    break
    elapsed = time.monotonic() - began
    goal, status = told.goal, engine.status()
    if as_json:
        terminal.json(
            {
                "file": file.shown,
                "position": dict(zip(("line", "character"), index.to_utf16(position), strict=True)),
                "declaration": goal.declaration if goal else None,
                "goals": [goal_json(each) for each in goal.goals] if goal else [],
                "hole": range_json(goal.hole, index) if goal else None,
                "suggestions": [suggestion_json(each, index) for each in best_first(told.found)],
                "checked": told.checked,
                "elapsed": round(elapsed, 4),
                "lean": {"version": status.version, "live": not status.replayed},
                "notice": told.notice,
            }
        )
    else:
        if not told.found:
            terminal.line("Nothing that was tried closes the goal or makes progress.")
        version = f" · Lean {status.version}" if status.version else ""
        terminal.note()
        terminal.note((f"{plural(told.checked, 'candidate')} checked in {seconds(elapsed)}{version}", "dim"))
        if told.notice:
            terminal.note((told.notice, "yellow"))
    return Exit.DONE if told.closed else Exit.OPEN


def _show_goal(terminal: Terminal, file: LeanFile, index: LineIndex, goal: GoalFound) -> None:
    at = index.position(goal.hole.start)
    name = f"  {goal.declaration}" if goal.declaration else ""
    terminal.line((f"{file.shown}:{at.line + 1}:{at.column + 1}", "bold"), (name, "dim"))
    first, *others = goal.goals
    for line in goal_lines(first):
        terminal.line("  ", line)
    if others:
        terminal.line((f"  … and {plural(len(others), 'more goal')} after it", "dim"))
    terminal.line()
