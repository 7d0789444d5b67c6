"""`tacit train trace`: asks a real Lean for the goal before each tactic of proofs that stand, for training on.

What is read from text alone (`tacit train data`) lacks what only Lean knows: the goals in the middle of a proof.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tacit.index.source import Source
from tacit.server.command import Exit, stop_cleanly
from tacit.server.compose import LiveLean
from tacit.server.errors import BadInput, LeanDied
from tacit.server.lean.elaborator import Elaborator, Outcome, Severity
from tacit.server.library import indexable
from tacit.server.settings import Settings
from tacit.server.terminal import Terminal, plural, seconds, sparing
from tacit.server.text import LineIndex
from tacit.training.examples import FIRST, LATER, Placed, placed

TIMEOUT = 600.0
"""Seconds for one file, its imports included."""
SHOWN = 5


@dataclass(slots=True)
class Traced:
    """What was done: files asked about, files that were there already, pairs written, and what is wrong with files."""

    files: int = 0
    known: int = 0
    pairs: int = 0
    problems: list[str] = field(default_factory=list)


def train_trace(terminal: Terminal, settings: Settings, output: Path, paths: Sequence[Path], *, as_json: bool) -> int:
    """Write (goal, tactic) pairs of every file behind these paths to `output`, for `tacit train data --traces`.

    A file that `output` has lines of is not asked about again: what was interrupted goes on.
    """
    stop_cleanly()
    begun = time.perf_counter()
    sources = [each for place in indexable(paths) for each in place.corpus.sources if each.module]
    try:
        with terminal.measured("files") as progress:
            tell = sparing(progress)
            done = asyncio.run(_trace(sources, output, settings, lambda at, of: tell("asking Lean", at, of)))
    except OSError as error:
        raise BadInput(f"{output} cannot be written: {error.strerror or error}.", hint="Name another file.") from error
    if as_json:
        terminal.json({"file": str(output), **asdict(done)})
        return Exit.DONE
    known = f", {plural(done.known, 'file')} that were there" if done.known else ""
    terminal.line(
        (str(output), "bold"),
        f": {done.pairs:,} pairs of {plural(done.files, 'file')}{known}; {seconds(time.perf_counter() - begun)}",
    )
    for each in done.problems[:SHOWN]:
        terminal.note(("→ ", "bold yellow"), each)
    if len(done.problems) > SHOWN:
        terminal.note(("→ ", "bold yellow"), f"and {len(done.problems) - SHOWN} more problems")
    return Exit.DONE


async def _trace(
    sources: Sequence[Source], output: Path, settings: Settings, progress: Callable[[int, int], None]
) -> Traced:
    done = Traced()
    known = _whole(output)
    lean = LiveLean(settings)
    for number, source in enumerate(sources):
        progress(number, len(sources))
        if source.module in known:
            done.known += 1
            continue
        try:
            text = source.path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError) as error:
            done.problems.append(f"{source.path}: It could not be read: {error}.")
            continue
        steps = [each for each in placed(text, source.module) if each.example.kind in (FIRST, LATER)]
        done.files += 1
        if not steps:
            continue
        elaborator = await lean(source.path.resolve().as_uri())
        try:
            lines = [line async for line in pairs(elaborator, text, steps)]
        except (Unfinished, LeanDied) as error:
            done.problems.append(f"{source.path}: {error}")
            continue
        finally:
            await elaborator.aclose()
        with output.open("a", encoding="utf-8") as file:
            file.write("".join(lines))
        done.pairs += len(lines)
    return done


class Unfinished(Exception):
    """Lean did not come to the end of a file."""


async def pairs(elaborator: Elaborator, text: str, steps: Sequence[Placed]) -> AsyncIterator[str]:
    """A line of JSON for each step that Lean accepted, with the main goal before it as Lean prints it.

    Raises Unfinished where Lean did not come to the end of the text.
    """
    result = await elaborator.elaborate(text, timeout=TIMEOUT, label="trace")
    if result.outcome is not Outcome.DONE:
        raise Unfinished(f"Lean did not come to its end: {result.outcome.name.lower().replace('_', ' ')}.")
    index = LineIndex(text)
    errors = [each for each in result.messages if each.severity is Severity.ERROR]
    for step in steps:
        begin, end = index.position(step.start), index.position(step.stop)
        if any(each.start <= end and begin <= each.end for each in errors):
            continue
        goals = await elaborator.goals(text, begin, timeout=TIMEOUT)
        if not goals:
            continue
        about = step.example
        record = {"goal": goals[0], "tactic": about.tactic, "module": about.module, "name": about.name}
        yield json.dumps(record, ensure_ascii=False) + "\n"


def _whole(output: Path) -> set[str]:
    """The modules that a file has lines of; a last line that was cut off is taken away, and its module's with it."""
    if not output.is_file():
        return set()
    lines = output.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    modules: list[str] = []
    for line in lines:
        try:
            modules.append(str(json.loads(line)["module"]))
        except (ValueError, KeyError, TypeError):
            modules.append("")
    if lines and (not lines[-1].endswith("\n") or not modules[-1]):
        cut = modules[-2] if len(modules) > 1 else ""
        kept = [line for line, module in zip(lines, modules, strict=True) if module and module != cut]
        output.write_text("".join(kept), encoding="utf-8")
        modules = [module for module in modules if module and module != cut]
    return {module for module in modules if module}
