"""`tacit demo`: the sidecar over a project of goals, as an editor uses it; one line a goal, and a summary.

With a live Lean where there is one; else from the recordings beside the goals, and then every line says so.
"""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.cells import cell_len

from tacit.server import wire
from tacit.server.command import Exit, run
from tacit.server.compose import lean_settings
from tacit.server.demo_project import DemoFile, DemoGoal, DemoProject, open_project, recordings
from tacit.server.elan import offer
from tacit.server.errors import LeanDied, LeanNotFound
from tacit.server.lean.locate import find_lean
from tacit.server.settings import Settings
from tacit.server.show import one_line
from tacit.server.sidecar import Answer, Sidecar, SidecarDied
from tacit.server.terminal import BAD, GOOD, STYLES, Busy, Terminal, plural, seconds
from tacit.server.values import Verdict

LEAST_TACTIC = 32
"""Cells that a tactic gets on a line, however narrow the terminal."""

BESIDE = 32
"""Cells for the mark, the time, the source and the space between the columns."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for. `budget` is seconds for each goal."""

    path: Path | None = None
    limit: int | None = None
    budget: float = 10.0
    replay: bool = False
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """One goal and what came of it. `best` is a tactic that closes it, else the one that leaves the least."""

    file: DemoFile
    goal: DemoGoal
    answer: Answer
    best: wire.SuggestionItem | None

    @property
    def closed(self) -> bool:
        """Whether it was closed, and that elaborated in place."""
        return self.best is not None and _closes(self.best)


@dataclass(slots=True)
class _Show:
    """What has been shown so far, and of which Lean."""

    goals: list[Shown]
    lean: wire.LeanState | None = None


def demo(terminal: Terminal, settings: Settings, wish: Wish, *, start: Callable[[list[str]], Sidecar] = Sidecar) -> int:
    """Run the command; the exit status. `start` makes the sidecar, for tests."""
    project = open_project(wish.path)
    missing = None if wish.replay else _missing(settings, project)
    if missing and not wish.as_json and terminal.interactive and offer(terminal, project.folder):
        missing = _missing(settings, project)
    if missing and not project.recordings.is_dir():
        raise LeanNotFound(f"{missing.args[0]} No recordings are in {project.recordings} either.", hint=missing.hint)
    if wish.replay or missing:
        recordings(project.recordings)
        arguments = ["serve", "--replay", str(project.recordings)]
    else:
        arguments = ["serve", "--lean", settings.lean_path] if settings.lean_path else ["serve"]
    return run(_demo(terminal, project, wish, start(arguments)))


def _missing(settings: Settings, project: DemoProject) -> LeanNotFound | None:
    """Why there is no Lean, or None when there is one. Raises it when the user named one: then no other will do."""
    try:
        run(find_lean(lean_settings(settings), project.folder))
    except LeanNotFound as exc:
        if settings.lean_path or os.environ.get("TACIT_LEAN"):
            raise
        return exc
    return None


async def _demo(terminal: Terminal, project: DemoProject, wish: Wish, process: Sidecar) -> int:
    chosen = project.goals[: wish.limit]
    line = _Line(terminal, chosen)
    show = _Show([])
    failure: SidecarDied | None = None
    began = time.monotonic()
    with terminal.busy("Starting the sidecar", len(chosen)) as busy:
        try:
            async with process as sidecar:
                await _run(sidecar, chosen, wish, terminal, show, line, busy)
        except SidecarDied as exc:
            if not show.goals:
                raise LeanDied(str(exc)) from exc
            failure = exc
    elapsed = time.monotonic() - began
    assert show.lean is not None
    if wish.as_json:
        terminal.json(_json(project, show, elapsed, len(chosen)))
    else:
        _summary(terminal, show, elapsed)
    if failure is not None:
        terminal.error(str(failure))
        return Exit.FAULT
    return Exit.DONE


async def _run(
    sidecar: Sidecar,
    chosen: Sequence[tuple[DemoFile, DemoGoal]],
    wish: Wish,
    terminal: Terminal,
    show: _Show,
    line: _Line,
    busy: Busy,
) -> None:
    for file in dict.fromkeys(file for file, _ in chosen):
        uri, text = file.file.path.as_uri(), file.file.text
        busy.say(f"{file.name}  starting Lean")
        sidecar.open(uri, text)
        # In an editor Lean has long read the file when one asks; here, too, its start is nobody's waiting time.
        show.lean = await sidecar.lean()
        # (Lean that failed after it had started is started again by the next request.)
        if show.lean.state == "missing" or (show.lean.state == "failed" and not show.lean.documents):
            raise LeanNotFound(show.lean.sentence)
        if show.lean.replayed:
            terminal.notice = show.lean.sentence
        for goal in (goal for each, goal in chosen if each is file):
            busy.say(f"{file.name}:{goal.position.line + 1}  {goal.declaration}")
            answer = await sidecar.suggest(uri, text, goal.position, wish.budget)
            best = min(answer.result.suggestions, key=_worth, default=None)
            show.goals.append(Shown(file, goal, answer, best))
            if not wish.as_json:
                line.show(show.goals[-1])
            busy.step()
        sidecar.close(uri)


def _closes(item: wire.SuggestionItem) -> bool:
    return item.verdict == Verdict.CLOSES.value and item.verified


def _worth(item: wire.SuggestionItem) -> tuple[bool, int]:
    return not _closes(item), len(item.goals)


class _Line:
    """Prints the line of a goal, in columns that all goals share."""

    def __init__(self, terminal: Terminal, goals: Sequence[tuple[DemoFile, DemoGoal]]) -> None:
        self._terminal = terminal
        self._place = max(len(_place(file, goal)) for file, goal in goals)
        self._name = max(cell_len(goal.declaration) for _, goal in goals)
        width = terminal.width
        self._tactic = max(LEAST_TACTIC, width - self._place - self._name - BESIDE) if width else LEAST_TACTIC
        self._most = self._tactic if width else 10_000

    def show(self, shown: Shown) -> None:
        """Print it."""
        mark = GOOD if shown.closed else BAD
        result, best = shown.answer.result, shown.best
        style = ""
        if best is not None and shown.closed:
            text, style, source = one_line(best.tactic, self._most), "bold", f"({best.source})"
        elif best is not None:
            left = f" ({plural(len(best.goals), 'goal')} left)"
            text, source = one_line(f"best: {best.tactic}", self._most - len(left)) + left, f"({best.source})"
        else:
            text, source = one_line(result.notice or "nothing makes progress", self._most), ""
        self._terminal.line(
            (f"{mark} ", STYLES[mark]),
            f"{_place(shown.file, shown.goal):<{self._place}}  ",
            (_padded(shown.goal.declaration, self._name), "cyan"),
            "  ",
            (_padded(text, self._tactic), style or "dim"),
            f"  {seconds(shown.answer.elapsed):>7}",
            (f"  {source}" if source else "", "dim"),
        )


def _place(file: DemoFile, goal: DemoGoal) -> str:
    return f"{file.name}:{goal.position.line + 1}"


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - cell_len(text))


def _summary(terminal: Terminal, show: _Show, elapsed: float) -> None:
    lean = show.lean
    closed = sum(shown.closed for shown in show.goals)
    version = f" · Lean {lean.version}" if lean and lean.version else ""
    terminal.line(
        (f"closed {closed} of {plural(len(show.goals), 'goal')}", "bold"), (f" in {seconds(elapsed)}{version}", "dim")
    )
    of = " of the replay, not of Lean" if lean and lean.replayed else ""
    for name, times in _times(show).items():
        if times:
            terminal.line((f"  {name:<26}p50 {seconds(times['p50'])} · p95 {seconds(times['p95'])}{of}", "dim"))
    if sources := _sources(show):
        found = " · ".join(f"{source} {count}" for source, count in sources.items())
        terminal.line((f"  {'closed by':<26}{found}", "dim"))


def _times(show: _Show) -> dict[str, dict[str, float]]:
    first = [shown.answer.first for shown in show.goals if shown.answer.first is not None]
    return {
        "first checked suggestion": _percentiles(first),
        "whole answer": _percentiles([shown.answer.elapsed for shown in show.goals]),
    }


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    """The 50th and 95th percentile, by nearest rank; empty without values."""
    ordered = sorted(values)
    return {f"p{p}": round(ordered[math.ceil(p / 100 * len(ordered)) - 1], 4) for p in (50, 95) if ordered}


def _sources(show: _Show) -> dict[str, int]:
    """How many goals each source closed, the most first."""
    count = Counter(shown.best.source for shown in show.goals if shown.closed and shown.best is not None)
    return dict(count.most_common())


def _json(project: DemoProject, show: _Show, elapsed: float, total: int) -> dict[str, Any]:
    lean = show.lean
    times = _times(show)
    return {
        "project": str(project.folder),
        "goals": [_goal_json(shown) for shown in show.goals],
        "closed": sum(shown.closed for shown in show.goals),
        "total": total,
        "times": {"first": times["first checked suggestion"], "whole": times["whole answer"]},
        "sources": _sources(show),
        "elapsed": round(elapsed, 4),
        "lean": {"version": lean.version, "live": not lean.replayed} if lean else None,
        "notice": lean.sentence if lean and lean.replayed else "",
    }


def _goal_json(shown: Shown) -> dict[str, Any]:
    answer, best = shown.answer, shown.best
    return {
        "file": shown.file.name,
        "line": shown.goal.position.line + 1,
        "declaration": shown.goal.declaration,
        "closed": shown.closed,
        "tactic": best.tactic if best else None,
        "goalsLeft": len(best.goals) if best else None,
        "source": best.source if best else None,
        "axioms": list(best.axioms) if best else [],
        "checked": answer.result.checked,
        "first": round(answer.first, 4) if answer.first is not None else None,
        "elapsed": round(answer.elapsed, 4),
        "notice": answer.result.notice,
    }
