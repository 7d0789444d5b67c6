"""`tacit traces stats|export|fit|forget`: what searches tried, counted, as pairs, as weights; and forgotten."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from tacit.server.command import Exit, writing
from tacit.server.errors import BadInput
from tacit.server.prover import experience, traces
from tacit.server.terminal import Terminal, plural, seconds

_PAIR = re.compile(r"\[\s+(\S+),\s+(\S+)\s+\]")


def stats(terminal: Terminal, paths: Sequence[Path], *, as_json: bool) -> int:
    """Count what files of traces hold."""
    found = _files(paths)
    sums = traces.totals(found)
    if as_json:
        terminal.json(
            {
                "files": [str(path) for path in found], "searches": sums.searches, "proved": sums.proved,
                "partial": sums.partial, "states": sums.states, "seconds": round(sums.seconds, 3),
                "verdicts": dict(sums.verdicts), "broken": sums.broken, "newer": sums.newer,
                "sources": {
                    source: {"tried": count, "worked": sums.worked[source], "used": sums.used[source]}
                    for source, count in sums.tried.most_common()
                },
            }
        )  # fmt: skip
        return Exit.DONE
    terminal.line(
        (f"{sums.searches:,} goals", "bold"),
        f": {sums.proved:,} proved, {sums.partial:,} in part; {plural(sums.states, 'state')}, {seconds(sums.seconds)}",
    )
    terminal.line(f"{'source':<24}{'tried':>10}{'worked':>10}{'in proofs':>12}")
    for source, count in sums.tried.most_common():
        terminal.line(f"{source:<24}{count:>10,}{sums.worked[source]:>10,}{sums.used[source]:>12,}")
    if sums.newer:
        were = "search was" if sums.newer == 1 else "searches were"
        left = "is" if sums.newer == 1 else "are"
        terminal.note(f"{sums.newer:,} {were} written by a newer Tacit and {left} left out.")
    if sums.broken:
        terminal.note(f"{plural(sums.broken, 'line')} could not be read and were passed over.")
    return Exit.DONE


def export(terminal: Terminal, paths: Sequence[Path], output: Path | None, *, tries: bool) -> int:
    """Write (goal, tactic) pairs as JSON Lines, for `tacit train data --traces`; without a file they are shown."""
    found = _files(paths)
    count = 0
    with writing(output) if output is not None else nullcontext(sys.stdout) as file:
        for record in traces.pairs(found, tries=tries):
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            count += 1
    if output is not None:
        terminal.note(f"{output}: {plural(count, 'pair')}")
    return Exit.DONE


def fit_weights(
    terminal: Terminal, paths: Sequence[Path], held_out: Sequence[Path], output: Path | None, *, as_json: bool
) -> int:
    """Fit the weights that states and steps are judged by, and say how well they judge what they were not fitted on."""
    from tacit.server.prover.fit import Measure, crossed, fit, lessons, measure
    from tacit.server.prover.learner import Weights
    from tacit.server.prover.value import FIRST

    found = lessons(_files(paths))
    other = lessons(_files(held_out)) if held_out else []
    fitted = fit([lesson for _, lesson in found])
    states, size = [(file, lesson.states) for file, lesson in found], ("one", "size", FIRST)
    measures: dict[str, dict[str, Measure]] = {
        "other files": {"size alone": crossed(states, size), "all numbers": crossed(states)}
    }
    if other:
        formula = fit([lesson for _, lesson in found], size)
        judges = {"size alone": Weights(formula.states), "all numbers": Weights(fitted.states)}
        told = {
            name: [[(each, weights.chance(each.numbers)) for each in lesson.states] for _, lesson in other]
            for name, weights in judges.items()
        }
        measures["held out"] = {name: measure([list(chain(*searches))]) for name, searches in told.items()}
        # What a search needs: which of the states that it meets to work on.
        measures["held out, met in one search"] = {
            name: measure([[pair for pair in each if FIRST not in pair[0].numbers] for each in searches])
            for name, searches in told.items()
        }
    if output is not None:
        with writing(output) as file:
            record = json.dumps(experience.record_of(fitted), ensure_ascii=False, indent=1)
            file.write(_PAIR.sub(r"[\1, \2]", record) + "\n")
    if as_json:
        terminal.json({what: {name: asdict(each) for name, each in of.items()} for what, of in measures.items()})
        return Exit.DONE
    for what, of in measures.items():
        for name, each in of.items():
            terminal.line(
                f"{what}, {name}: ", (f"AUC {_told(each.auc)}", "bold"),
                f", log-loss {_told(each.loss)}; {plural(each.examples, 'state')}, {each.true:,} proved",
            )  # fmt: skip
    if output is not None:
        terminal.note(f"{output}: weights of {plural(len(fitted.states), 'number')} of a state")
    return Exit.DONE


def _told(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:.3f}"


def forget(terminal: Terminal) -> int:
    """Remove what searches on this machine have taught."""
    file = experience.store()
    try:
        there = experience.forget(file)
    except OSError as error:
        raise BadInput(f"{file} cannot be removed: {error.strerror or error}.") from error
    terminal.note("What searches taught is forgotten." if there else "Nothing was learned from searches yet.")
    return Exit.DONE


def _files(paths: Sequence[Path]) -> list[Path]:
    """The files named, and those in folders named. Raises BadInput for what is not there."""
    found: list[Path] = []
    for path in paths:
        path = path.expanduser()
        if path.is_dir():
            found += sorted(path.glob("*.jsonl"))
        elif path.is_file():
            found.append(path)
        else:
            raise BadInput(f"There is no file {path}.", hint="`tacit prove … --traces FILE` writes traces.")
    if not found:
        raise BadInput("There are no traces there.", hint="`tacit prove … --traces FILE` writes traces.")
    return found
