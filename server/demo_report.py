"""What the demo shows of each goal, and of all: lines for people, one object for programs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len

from tacit.server import wire
from tacit.server.demo_project import DemoFile, DemoGoal, DemoProject
from tacit.server.show import one_line
from tacit.server.sidecar import Answer
from tacit.server.terminal import BAD, GOOD, STYLES, Terminal, plural, seconds
from tacit.server.values import Verdict

PREMISES = "premises"
"""The source whose tactics are made from what search finds."""

LEAST_TACTIC = 32
"""Cells that a tactic gets on a line, however narrow the terminal."""

BESIDE = 32
"""Cells for the mark, the time, the source and the space between the columns."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One goal and what came of it."""

    file: DemoFile
    goal: DemoGoal
    answer: Answer

    @property
    def best(self) -> wire.SuggestionItem | None:
        """A tactic that closes the goal, else the one that leaves the least; None when nothing was found."""
        return min(self.answer.result.suggestions, key=lambda item: (not _closes(item), len(item.goals)), default=None)

    @property
    def closed(self) -> bool:
        """Whether it was closed, and that elaborated in place."""
        return self.best is not None and _closes(self.best)

    @property
    def asked(self) -> bool:
        """Whether any tactic was run. In a replay: whether any was recorded."""
        return self.answer.result.checked > 0


@dataclass(frozen=True, slots=True)
class Report:
    """All goals and which Lean answered."""

    goals: Sequence[Shown]
    lean: wire.LeanState
    elapsed: float

    @property
    def closed(self) -> int:
        """How many were closed."""
        return sum(shown.closed for shown in self.goals)

    @property
    def by_premise(self) -> Shown | None:
        """The first goal that a premise out of the index closed."""
        return next((each for each in self.goals if each.closed and each.best and each.best.source == PREMISES), None)

    @property
    def first(self) -> dict[str, float]:
        """Percentiles of the seconds until the first checked suggestion."""
        return _percentiles([shown.answer.first for shown in self.goals if shown.answer.first is not None])

    @property
    def whole(self) -> dict[str, float]:
        """Percentiles of the seconds until the whole answer."""
        return _percentiles([shown.answer.elapsed for shown in self.goals])

    @property
    def sources(self) -> dict[str, int]:
        """How many goals each source closed, the most first."""
        count = Counter(shown.best.source for shown in self.goals if shown.closed and shown.best is not None)
        return dict(count.most_common())


class Lines:
    """Prints the line of each goal, in columns that all goals share."""

    def __init__(self, terminal: Terminal, goals: Sequence[tuple[DemoFile, DemoGoal]]) -> None:
        self._terminal = terminal
        self._place = max(len(_place(file, goal)) for file, goal in goals)
        self._name = max(cell_len(goal.declaration) for _, goal in goals)

    def show(self, shown: Shown) -> None:
        """Print one. Tactics are cut only where a terminal would break the line anyway."""
        width, replayed = self._terminal.width, bool(self._terminal.notice)
        room = LEAST_TACTIC
        if width is not None and not replayed:
            room = max(room, width - self._place - self._name - BESIDE)
        most = room if width is not None else 10_000
        best = shown.best
        if best is None:
            silent = "never asked of a real Lean" if replayed and not shown.asked else "nothing makes progress"
            text = one_line(shown.answer.result.notice or silent, most)
        elif shown.closed:
            text = one_line(best.tactic, most)
        else:
            left = f" ({plural(len(best.goals), 'goal')} left)"
            text = one_line(f"best: {best.tactic}", most - len(left)) + left
        mark = GOOD if shown.closed else BAD
        self._terminal.line(
            (f"{mark} ", STYLES[mark]),
            f"{_place(shown.file, shown.goal):<{self._place}}  ",
            (_padded(shown.goal.declaration, self._name), "cyan"),
            "  ",
            (_padded(text, room), "bold" if shown.closed else "dim"),
            "" if replayed else f"  {seconds(shown.answer.elapsed):>7}",
            (f"  ({best.source})" if best is not None else "", "dim"),
        )


def summary(terminal: Terminal, report: Report) -> None:
    """Print what it all came to."""
    lean = report.lean
    closed = f"closed {report.closed} of {plural(len(report.goals), 'goal')}"
    terminal.line((closed, "bold"), (f" in {seconds(report.elapsed)} · Lean {lean.version}", "dim"))
    of = " of the replay, not of Lean" if lean.replayed else ""
    for name, times in (("first checked suggestion", report.first), ("whole answer", report.whole)):
        if times:
            terminal.line((f"  {name:<26}p50 {seconds(times['p50'])} · p95 {seconds(times['p95'])}{of}", "dim"))
    if by_premise := report.by_premise:
        tactic = one_line(by_premise.best.tactic, 60) if by_premise.best else ""
        place = _place(by_premise.file, by_premise.goal)
        terminal.line((f"  {'closed by a premise':<26}{place}  {tactic}", "dim"))
    if report.sources:
        found = " · ".join(f"{source} {count}" for source, count in report.sources.items())
        terminal.line((f"  {'closed by':<26}{found}", "dim"))


def as_json(project: DemoProject, report: Report, total: int) -> dict[str, Any]:
    """The one object: what was shown, out of `total` goals chosen."""
    lean = report.lean
    return {
        "project": str(project.folder),
        "goals": [_goal_json(shown) for shown in report.goals],
        "closed": report.closed,
        "total": total,
        "times": {"first": report.first, "whole": report.whole},
        "sources": report.sources,
        "elapsed": round(report.elapsed, 4),
        "lean": {"version": lean.version, "live": not lean.replayed},
        "notice": lean.sentence if lean.replayed else "",
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


def _closes(item: wire.SuggestionItem) -> bool:
    return item.verdict == Verdict.CLOSES.value and item.verified


def _place(file: DemoFile, goal: DemoGoal) -> str:
    return f"{file.name}:{goal.position.line + 1}"


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - cell_len(text))


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    """The 50th and 95th percentile, by nearest rank; empty without values."""
    ordered = sorted(values)
    return {f"p{p}": round(ordered[math.ceil(p / 100 * len(ordered)) - 1], 4) for p in (50, 95) if ordered}
