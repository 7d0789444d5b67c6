"""`tacit prove FOLDER`: every Lean file of a folder that has a `sorry`, several at a time, and a report of all.

A file that cannot be read or written is told in a sentence, and the others go on.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tacit.server.close_sorries import DIFF_STYLES, Wish, file_json, tracer
from tacit.server.command import Exit, ReadingEngine, json_lines
from tacit.server.errors import BadInput
from tacit.server.lean.crew import at_once
from tacit.server.lean.syntax import commands_of
from tacit.server.patch import LeanFile, difference, shown_path
from tacit.server.prove_file import Outcome, attempt_all
from tacit.server.terminal import BAD, GOOD, SKIPPED, STYLES, Terminal, plural, seconds

_NOT_OURS = frozenset((".lake", "lake-packages", "lean_packages", "build", ".git", "node_modules", ".venv"))


def lean_files(folder: Path) -> Iterator[Path]:
    """The Lean files of a folder, sorted; not those of packages it depends on, nor what was built."""
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if each not in _NOT_OURS)
        yield from (Path(path) / name for name in sorted(names) if name.endswith(".lean"))


async def prove_project(
    engine: ReadingEngine, terminal: Terminal, folder: Path, wish: Wish, log: Path | None, *, as_json: bool = False
) -> int:
    """Run the command on a folder; the exit status. `log` gets a line of JSON for each file as it is done."""
    if wish.line is not None:
        raise BadInput("--line names a line of one file.", hint=f"Name the file, not {shown_path(folder)}.")
    amiss: list[str] = []

    def tell(error: BadInput) -> None:
        amiss.append(str(error))
        terminal.error(str(error))

    work = list(_work(folder, tell))
    if not work and not amiss:
        terminal.note(f"There is no `sorry` in {shown_path(folder)}.")
        return Exit.DONE
    began = time.monotonic()
    results: dict[int, tuple[Outcome, bool]] = {}
    files_at_once = max(1, min(wish.jobs, len(work)))
    with (
        terminal.busy("Starting Lean", sum(len(places) for _, places in work)) as busy,
        tracer(wish.traces) as traces,
        json_lines(log) as write,
    ):
        turns = iter(range(len(work)))

        async def one_after_the_other() -> None:
            for number in turns:
                file, places = work[number]
                at = time.monotonic()
                own = traces.another() if traces else None
                inside = wish.jobs // files_at_once
                outcome = await attempt_all(
                    engine,
                    file,
                    places,
                    wish.budget,
                    busy,
                    own,
                    sketch=wish.sketch,
                    jobs=inside,
                    finish=wish.finish,
                )
                written = wish.write and outcome.text != file.text
                if written:
                    try:
                        file.write(outcome.text)
                    except BadInput as error:
                        tell(error)
                        written = False
                results[number] = outcome, written
                write(file_json(engine, file, outcome, time.monotonic() - at, written=written))
                if not as_json:
                    _line(terminal, file, outcome, time.monotonic() - at)

        await at_once([one_after_the_other() for _ in range(files_at_once)])
    elapsed = time.monotonic() - began
    outcomes = [results[number] for number in sorted(results)]
    closed = sum(outcome.closed for outcome, _ in outcomes)
    total = sum(len(outcome.attempts) for outcome, _ in outcomes)
    files = [work[number][0] for number in sorted(results)]
    if as_json:
        terminal.json(
            {
                "folder": shown_path(folder), "closed": closed, "total": total, "elapsed": round(elapsed, 4),
                "files": [
                    file_json(engine, file, outcome, None, written=written)
                    for file, (outcome, written) in zip(files, outcomes, strict=True)
                ],
                "amiss": amiss,
            }
        )  # fmt: skip
    else:
        if not wish.write:
            for file, (outcome, _) in zip(files, outcomes, strict=True):
                terminal.raw(difference(file.text, outcome.text, file.shown), DIFF_STYLES)
        _report(terminal, [outcome for outcome, _ in outcomes], closed, total, elapsed)
    if outcomes and all(outcome.failure is not None for outcome, _ in outcomes):
        terminal.error(str(outcomes[0][0].failure))
        return Exit.NO_LEAN
    if amiss:
        return Exit.BAD_INPUT
    return Exit.DONE if closed == total else Exit.OPEN


def _work(folder: Path, tell: Callable[[BadInput], None]) -> Iterator[tuple[LeanFile, list[int]]]:
    """The files with a `sorry`, and where each stands; `tell` hears of those that cannot be read."""
    for path in lean_files(folder):
        try:
            file = LeanFile.read(path)
        except BadInput as error:
            tell(error)
            continue
        # Reading a text takes a hundred times as long as looking for the word, and few files have it.
        if "sorry" in file.text and (places := [token.start for token in commands_of(file.text).sorries()]):
            yield file, places


def _line(terminal: Terminal, file: LeanFile, outcome: Outcome, elapsed: float) -> None:
    total = len(outcome.attempts)
    mark = GOOD if outcome.closed == total else SKIPPED if outcome.closed else BAD
    done = f"  closed {outcome.closed} of {total}"
    terminal.note((f"{mark} ", STYLES[mark]), file.shown, done, (f" in {seconds(elapsed)}", "dim"))


def _report(terminal: Terminal, outcomes: Sequence[Outcome], closed: int, total: int, elapsed: float) -> None:
    attempts = [attempt for outcome in outcomes for attempt in outcome.attempts]
    several = sum(len(attempt.steps) > 1 for attempt in attempts)
    sketches = sum(attempt.sketch is not None and attempt.suggestion is None for attempt in attempts)
    sources = Counter(step.source for attempt in attempts for step in attempt.steps)
    mark = GOOD if closed == total else SKIPPED
    parts = [f"in {seconds(elapsed)}"]
    parts += [f"{several} by several steps"] if several else []
    parts += [f"{plural(sketches, 'unfinished proof')} shown with --sketch"] if sketches else []
    terminal.note(
        (f"{mark} ", STYLES[mark]), (f"closed {closed} of {total}", "bold"),
        (f" in {plural(len(outcomes), 'file')}, {'; '.join(parts)}", "dim"),
    )  # fmt: skip
    if sources:
        told = ", ".join(f"{source} {count}" for source, count in sources.most_common())
        terminal.note(("  steps by source: ", "dim"), told)
