"""`tacit traces stats|export`: what searches for proofs tried, counted, or as pairs to learn from."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from tacit.server.command import Exit, writing
from tacit.server.errors import BadInput
from tacit.server.prover import traces
from tacit.server.terminal import Terminal, plural, seconds


def stats(terminal: Terminal, paths: Sequence[Path], *, as_json: bool) -> int:
    """Count what files of traces hold."""
    found = _files(paths)
    sums = traces.totals(found)
    if as_json:
        terminal.json(
            {
                "files": [str(path) for path in found], "searches": sums.searches, "proved": sums.proved,
                "partial": sums.partial, "states": sums.states, "seconds": round(sums.seconds, 3),
                "verdicts": dict(sums.verdicts), "broken": sums.broken,
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
