"""What a search tried, kept as JSON Lines: states, candidates, verdicts, the proof. For learning from, dead ends too.

Off unless a person asks for it; written to a file of their machine and sent nowhere. One search is these lines:

    {"search": 1, "schema": 1, "goal": "…", "name": "…", "file": "…", "budget": 30.0, "lean": "4.27.0"}
    {"state": 0, "goal": "…", "tried": [["simp", "portfolio", "fails", "…"], ["intro h", "portfolio", "progresses", …]]}
    {"proof": "…", "steps": [["intro h", "portfolio", "goal before it"], …], "seconds": 1.2}
    {"end": "proved", "states": 12, "checked": 210, "elaborations": 6, "seconds": 1.3, "why": ""}
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from tacit.server.kept import Kept, Newer
from tacit.server.lean.goals import parse_goals
from tacit.server.prover.events import Expanded, Proved, Searched, SearchEvent
from tacit.server.prover.state import State
from tacit.server.prover.tree import Node, Tree
from tacit.server.values import Candidate, CheckedTactic, Goal, Verdict

KEPT = Kept("traces of searches")
MESSAGE = 200
"""Characters of what Lean said of a tactic that failed."""


def text_of(goals: Iterable[Goal]) -> str:
    """Goals as Lean prints them, one blank line between two."""
    return "\n\n".join(goal.text for goal in goals)


class Tracer:
    """Writes the events of one search after the other to a file that is open for appending, each when it ends."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lines: list[str] = []

    def another(self) -> Tracer:
        """One that writes to the same file, for searches that go on at the same time: each is written as a whole."""
        return Tracer(self._file)

    def begin(
        self, goals: Sequence[Goal], name: str | None, *, file: str, module: str, budget: float, lean: str
    ) -> None:
        """The search for the first of these goals begins; what is kept of one that was broken off is written."""
        self.flush()
        self._write(
            {
                "search": 1, "schema": KEPT.version, "goal": text_of(goals), "name": name or "",
                "file": file, "module": module, "budget": budget, "lean": lean,
            }
        )  # fmt: skip

    def note(self, event: SearchEvent) -> None:
        """Keep what happened, where it is anything to keep."""
        if isinstance(event, Expanded):
            tried = [_tried(each) for each in event.checked if each.verdict is not Verdict.REFUSED]
            self._write({"state": event.number, "goal": text_of(event.goals), "tried": tried})
        elif isinstance(event, Proved):
            steps = [[step.tactic, step.source, text_of(step.goals)] for step in event.steps]
            self._write({"proof": event.suggestion.tactic, "steps": steps, "seconds": round(event.elapsed, 3)})
        elif isinstance(event, Searched):
            self._write(
                {
                    "end": "proved" if event.proved else "partial" if event.sketch is not None else "open",
                    "states": event.states, "checked": event.checked, "elaborations": event.elaborations,
                    "seconds": round(event.elapsed, 3), "why": event.why,
                }
            )  # fmt: skip
            self.flush()

    def flush(self) -> None:
        """Write what there is."""
        self._file.write("".join(self._lines))
        self._file.flush()
        self._lines.clear()

    def _write(self, record: dict[str, Any]) -> None:
        self._lines.append(json.dumps(record, ensure_ascii=False) + "\n")


def _tried(checked: CheckedTactic) -> list[Any]:
    candidate = checked.candidate
    said: Any = checked.message.partition("\n")[0][:MESSAGE]
    if checked.verdict is Verdict.PROGRESSES:
        said = [goal.text for goal in checked.goals]
    return [candidate.text, candidate.source, checked.verdict.value, said]


@dataclass(slots=True)
class Totals:
    """What files of traces hold. `by_source` counts tried, worked and used in a proof for each source."""

    searches: int = 0
    proved: int = 0
    partial: int = 0
    states: int = 0
    seconds: float = 0.0
    verdicts: Counter[str] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)
    worked: Counter[str] = field(default_factory=Counter)
    used: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    """Lines that are none of a trace: the last of a file may have been cut off."""
    newer: int = 0
    """Searches that a newer Tacit wrote, which are left out."""


def totals(paths: Iterable[Path]) -> Totals:
    """Count what these files hold. Raises OSError."""
    sums = Totals()
    for _, record in _records(paths, sums):
        if "search" in record:
            sums.searches += 1
        elif "tried" in record:
            for _, source, verdict, _ in record["tried"]:
                sums.verdicts[verdict] += 1
                sums.tried[source] += 1
                sums.worked[source] += verdict in (Verdict.CLOSES.value, Verdict.PROGRESSES.value)
        elif "proof" in record:
            sums.used.update(source for _, source, _ in record["steps"])
        elif "end" in record:
            sums.proved += record["end"] == "proved"
            sums.partial += record["end"] == "partial"
            sums.states += record["states"]
            sums.seconds += record["seconds"]
    return sums


def pairs(paths: Iterable[Path], *, tries: bool = False) -> Iterator[dict[str, Any]]:
    """(goal, tactic) pairs as `tacit train data --traces` reads them: the steps of proofs that were found.

    With `tries`, everything that was tried, with its verdict: `worked` is true where it closed the goal or made
    progress. Raises OSError.
    """
    about: dict[str, str] = {}
    for _, record in _records(paths, Totals()):
        if "search" in record:
            about = {"module": record.get("module", ""), "name": record.get("name", "")}
        elif tries and "tried" in record:
            for tactic, source, verdict, _ in record["tried"]:
                worked = verdict in (Verdict.CLOSES.value, Verdict.PROGRESSES.value)
                yield {
                    "goal": record["goal"], "tactic": tactic, **about, "source": source, "verdict": verdict,
                    "worked": worked,
                }  # fmt: skip
        elif not tries and "proof" in record:
            for tactic, _, goal in record["steps"]:
                yield {"goal": goal, "tactic": tactic, **about}


def trees(paths: Iterable[Path]) -> Iterator[tuple[dict[str, Any], Tree]]:
    """The tree of each search, grown anew from what it tried, with the record that it began with. Raises OSError."""
    about: dict[str, Any] = {}
    tree: Tree | None = None
    for _, record in _records(paths, Totals()):
        if "search" in record:
            if tree is not None:
                yield about, tree
            about, tree = record, None
        elif "tried" in record:
            goals = parse_goals(record["goal"])
            if not goals:
                continue
            tree = tree or Tree(State(goals))
            node = tree.find(State(goals))
            if node is not None:
                _grow(tree, node, record["tried"])
    if tree is not None:
        yield about, tree


def _grow(tree: Tree, node: Node, tried: Iterable[Sequence[Any]]) -> None:
    for text, source, verdict, said in tried:
        node.tried += 1
        if verdict == Verdict.CLOSES.value:
            tree.add(node, CheckedTactic(Candidate(text, source), Verdict.CLOSES), 1.0)
        elif verdict == Verdict.PROGRESSES.value:
            left = parse_goals("\n\n".join(said))
            tree.add(node, CheckedTactic(Candidate(text, source), Verdict.PROGRESSES, left), 1.0)


def _records(paths: Iterable[Path], sums: Totals) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in paths:
        version: int | None = KEPT.version  # of the search that the line belongs to; None where it is newer
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    record = json.loads(line)
                    if isinstance(record, dict) and "search" in record:
                        was, version = record.get("schema"), None
                        record = KEPT.brought_up(record)
                        version = was
                    elif version is None:
                        continue
                    elif isinstance(record, dict):
                        record = KEPT.stepped(record, version)
                except Newer:
                    sums.newer += 1
                    continue
                except (ValueError, RecursionError):
                    record = None
                if not isinstance(record, dict) or not _whole(record):
                    sums.broken += 1
                    continue
                yield path, record


_KEYS = {"search": {"goal"}, "tried": {"state", "goal"}, "proof": {"steps"}, "end": {"states", "seconds"}}


def _whole(record: dict[str, Any]) -> bool:
    return any(kind in record and keys <= record.keys() for kind, keys in _KEYS.items())
