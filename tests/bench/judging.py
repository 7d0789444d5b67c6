"""Searches with states judged by a fixed formula, by the shipped weights, and by weights that learn, side by side.

    python tests/bench/judging.py PATH --half even --at-most 40 --budget 10 --log OUT.jsonl

Each theorem is searched every way before the next, with the same Lean, sources and budget. The one that learns begins
with the shipped weights and learns from its own searches alone, in the order of the theorems.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tacit.server.close_sorries import tracer  # noqa: E402
from tacit.server.compose import build_suggester  # noqa: E402
from tacit.server.errors import NoGoal, TacitError  # noqa: E402
from tacit.server.eval_prove import goals_of  # noqa: E402
from tacit.server.prover import search, tree  # noqa: E402
from tacit.server.prover.events import Searched, SearchEvent  # noqa: E402
from tacit.server.prover.experience import Experience  # noqa: E402
from tacit.server.prover.learner import Weights  # noqa: E402
from tacit.server.prover.state import State  # noqa: E402
from tacit.server.prover.tree import Node  # noqa: E402
from tacit.server.prover.value import Judge, Lesson  # noqa: E402
from tacit.server.suggest import Document, Found, GoalFound, Options  # noqa: E402
from tacit.server.values import Candidate, Verdict  # noqa: E402

FIXED, SHIPPED, LEARNING = "fixed", "shipped", "learning"
USUAL = search.DOUBT, tree.SIBLING
WITH_FORMULA = 0.35, 0.5
"""The same as they were when there was the formula."""


class Formula(Judge):
    """The fixed formula: the size of what is to be proved; all steps alike."""

    def cost(self, state: State) -> float:
        return state.size

    def promise(self, node: Node, candidate: Candidate, left: int) -> float:
        return 1.0


class Either(Experience):
    """What judges is chosen from search to search."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.way = FIXED
        self._fixed = Formula(Weights({}), Weights({}), 1.0)
        self._learning = Experience(folder / "experience.json")

    def judge(self) -> Judge:
        search.DOUBT, tree.SIBLING = WITH_FORMULA if self.way == FIXED else USUAL
        if self.way == FIXED:
            return self._fixed
        return self._learning.judge() if self.way == LEARNING else super().judge()

    def learn(self, taught: Lesson) -> None:
        if self.way == LEARNING:
            self._learning.learn(taught)


async def compare(given: argparse.Namespace) -> None:
    """Search for proofs of a set's theorems every way; a line for each way at the end."""
    path, ways, log = given.path, tuple(given.ways), given.log
    done: dict[str, list[dict[str, object]]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as folder, tracer(given.traces) as traces:
        either = Either(Path(folder))
        suggester = build_suggester(folders=[path], measured=True, experience=either)
        try:
            for number, goal in enumerate(goals_of(path, given.at_most, half=given.half)):
                turn = number % len(ways)  # whoever comes first finds a cold Lean
                for way in (*ways[turn:], *ways[:turn]):
                    either.way = way
                    line = {"file": goal.file.name, "line": goal.position.line + 1, "name": goal.name, "way": way}
                    proof, began, seconds = "", time.monotonic(), 0.0
                    try:
                        document = Document(goal.uri, 1, goal.text, goal.path)
                        options = Options(given.budget, stop_at_first_close=True, closes_only=True, search=True)
                        async for event in suggester.suggest(document, goal.position, options):
                            if traces is not None and way == ways[0]:
                                if isinstance(event, GoalFound):
                                    about = {"file": goal.file.name, "module": "", "budget": given.budget, "lean": ""}
                                    traces.begin(event.goals, goal.name, **about)
                                elif isinstance(event, SearchEvent):
                                    traces.note(event)
                            if isinstance(event, Found) and event.suggestion.verdict is Verdict.CLOSES and not proof:
                                proof = event.suggestion.tactic
                            elif isinstance(event, Searched):
                                seconds = event.elapsed
                                line |= {"states": event.states, "checked": event.checked}
                    except (NoGoal, TacitError) as error:
                        print(f"{goal.file.name}:{goal.position.line + 1}: {error}", flush=True)
                        break
                    whole = round(time.monotonic() - began, 3)
                    line |= {"proof": proof, "seconds": round(seconds, 3), "whole": whole}
                    done[way].append(line)
                    if log is not None:
                        with log.open("a", encoding="utf-8") as file:
                            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        finally:
            await suggester.aclose()
    for way, lines in done.items():
        closed = [line for line in lines if line["proof"]]
        middle = statistics.median(float(str(line["seconds"])) for line in closed) if closed else 0.0
        total = sum(float(str(line["seconds"])) for line in lines)
        print(f"{way:<9} {len(closed)} of {len(lines)} proved; p50 {middle:.2f} s; {total:.0f} s in all", flush=True)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--half", choices=("even", "odd"), default="")
    parser.add_argument("--at-most", type=int, default=40)
    parser.add_argument("--budget", type=float, default=10.0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--ways", nargs="+", choices=(FIXED, SHIPPED, LEARNING), default=(FIXED, SHIPPED, LEARNING))
    parser.add_argument("--traces", type=Path, help="append what the first way tried")
    asyncio.run(compare(parser.parse_args()))


if __name__ == "__main__":
    main()
