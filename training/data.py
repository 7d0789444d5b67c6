"""Gathers next-tactic examples from Lean sources and from traces into a folder, without doubles, held out by file.

    gather(folder, sources, traces, progress)      writes train.jsonl, held-out.jsonl, manifest.json; a Gathered
    read(folder / TRAIN)                           its examples, one at a time

A trace is JSON Lines, one object for each tactic that Lean accepted in a proof that was closed:
    {"goal": "n : ℕ\\n⊢ n + 0 = n", "tactic": "simp", "module": "My.File", "name": "my_theorem",
     "statement": "…", "proof": "…"}
`goal` is what Lean printed before the tactic. The others may be missing: `module` (without it a trace is never held
out), `name`, and the theorem's first goal `statement` with its `proof` so far.

Memory: one file for each worker, and 8 bytes (some 60 in a Python set) for each example, by which doubles are known.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from tacit.index.reader import LARGEST
from tacit.index.source import Source
from tacit.index.workers import Crew, WorkerDied
from tacit.training.errors import TrainingError
from tacit.training.examples import Example, examples

SCHEMA = 1
TRAIN, HELD_OUT, MANIFEST = "train.jsonl", "held-out.jsonl", "manifest.json"
ONE_IN = 50
"""One file in so many is held out. All of them are among the fifth that `tacit eval premises` draws from."""
CHUNK = 32

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a folder holds: examples by kind, files read, doubles left out, problems in words."""

    train: int
    held_out: int
    kinds: dict[str, int]
    files: int
    doubles: int
    problems: tuple[str, ...]


def held_out(module: str) -> bool:
    """Whether a module's examples are kept for evaluation; the same modules in every version of a package."""
    return hashlib.blake2b(module.encode(), digest_size=4).digest()[0] % ONE_IN == 0 if module else False


def gather(
    folder: Path, sources: Iterable[Source], traces: Sequence[Path], progress: Progress, *, workers: int
) -> Gathered:
    """Write the examples. What was in the folder is replaced when all is done, or stays. Raises TrainingError, OSError.

    What is trained on comes first, so that a double is left out where it is held out.
    """
    folder = folder.resolve()
    ordered = sorted(sources, key=lambda each: (held_out(each.module), each.module))
    for each in traces:
        if not each.is_file():
            raise TrainingError(f"There is no file {each}.", "--traces names a JSON Lines file of traces.")
    growing = folder.with_name(f"{folder.name}.{os.getpid()}.new")
    growing.mkdir(parents=True)
    try:
        with (
            (growing / TRAIN).open("w", encoding="utf-8") as train,
            (growing / HELD_OUT).open("w", encoding="utf-8") as held,
        ):
            done = _write(train, held, ordered, traces, progress, workers)
        if not done.train:
            raise TrainingError("There is no theorem with a tactic proof in what was named.", "Name other sources.")
        manifest = {"schema": SCHEMA, "one in": ONE_IN, **asdict(done)}
        (growing / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
        folder.mkdir(parents=True, exist_ok=True)
        for name in (TRAIN, HELD_OUT, MANIFEST):
            (growing / name).replace(folder / name)
    except WorkerDied as error:
        raise TrainingError("A process that read proofs ended by itself.", "Try --workers 1.") from error
    finally:
        shutil.rmtree(growing, ignore_errors=True)
    return done


def _write(
    train: Any, held: Any, sources: Sequence[Source], traces: Sequence[Path], progress: Progress, workers: int
) -> Gathered:
    seen: set[int] = set()
    kinds: Counter[str] = Counter()
    counts = [0, 0]
    doubles = files = 0
    problems: list[str] = []
    with Crew(workers if len(sources) > CHUNK else 0) as crew:
        chunks = [sources[at : at + CHUNK] for at in range(0, len(sources), CHUNK)]
        for found, wrong, number in chain(
            _traced(traces, held=False), crew.ordered(_read_all, chunks), _traced(traces, held=True)
        ):
            problems += wrong
            files += number
            progress("reading proofs", files, len(sources))
            for key, kept, kind, line in found:
                if key in seen:
                    doubles += 1
                    continue
                seen.add(key)
                counts[kept] += 1
                kinds[kind] += 1
                (held if kept else train).write(line)
    return Gathered(counts[0], counts[1], dict(kinds), files, doubles, tuple(problems))


_Line = tuple[int, bool, str, str]  # what doubles share, whether it is held out, its kind, its JSON


def _line(example: Example) -> _Line:
    asked = f"{example.prompt}\0{example.tactic}".encode("utf-8", "replace")
    key = int.from_bytes(hashlib.blake2b(asked, digest_size=8).digest(), "little")
    written = json.dumps(example.record(), ensure_ascii=False)
    return key, held_out(example.module), example.kind, written.encode("utf-8", "replace").decode() + "\n"


def _read_all(sources: Sequence[Source]) -> tuple[list[_Line], list[str], int]:
    """A chunk of work."""
    found: list[_Line] = []
    problems = []
    for each in sources:
        try:
            if each.path.stat().st_size > LARGEST:
                problems.append(f"{each.path}: It was not read: it is too large for Lean text.")
                continue
            text = each.path.read_bytes().decode("utf-8-sig", errors="replace")
        except OSError as error:
            problems.append(f"{each.path}: It could not be read: {error.strerror or error}.")
            continue
        found += map(_line, examples(text, each.module))
    return found, problems, len(sources)


def _traced(traces: Sequence[Path], *, held: bool) -> Iterator[tuple[list[_Line], list[str], int]]:
    """The examples to train on, and what is wrong with the files, or those that are held out."""
    for path in traces:
        with path.open(encoding="utf-8", errors="replace") as lines:
            wrong = ""
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                    if not isinstance(record, dict):
                        raise ValueError("it is no object")
                    example = Example.of(record)
                except (ValueError, RecursionError) as error:
                    wrong = wrong or f"{path}:{number} is no trace: {error}; such lines are passed over."
                    continue
                if held_out(example.module) == held:
                    yield [_line(example)], [], 0
            if wrong and not held:
                yield [], [wrong], 0


def read(path: Path) -> Iterator[Example]:
    """The examples of a file that `gather` wrote, one at a time. Raises TrainingError."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    yield Example.of(json.loads(line))
                except (ValueError, AttributeError) as error:
                    raise TrainingError(
                        f"{path}:{number} is no example: {error}.", "Gather them again: `tacit train data`."
                    ) from error
    except FileNotFoundError as error:
        raise TrainingError(f"There are no examples in {path.parent}.", "Gather them: `tacit train data`.") from error
