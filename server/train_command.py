"""`tacit train`: gathers examples, trains a tokenizer and a decoder, measures it, writes it as GGUF. In one folder.

The work is that of `tacit.training`; here are its arguments, its progress and what is said of it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tacit.server.command import Exit, stop_cleanly
from tacit.server.errors import BadInput
from tacit.server.library import indexable
from tacit.server.terminal import Terminal, megabytes, plural, seconds, sparing
from tacit.training import batches, data, evaluate, export, model, run, tokenizer
from tacit.training.errors import TrainingError
from tacit.training.tokenizer import Tokenizer

SHOWN = 5
TOKENIZER_SAMPLE = 60_000
"""Examples that the tokenizer is trained on."""
SMOKE_STEPS, SMOKE_FILES, SMOKE_VOCABULARY, SMOKE_SAMPLE = 60, 200, 1024, 20


@dataclass(frozen=True, slots=True)
class Wish:
    """What `tacit train run` was asked; 0 and empty mean what fits the size."""

    size: str = "tiny-cpu"
    epochs: float = 1.0
    steps: int = 0
    rows: int = 32
    at_once: int = 0
    rate: float = 1e-3
    warm_up: int = 100
    seed: int = 1
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0
    compiled: bool = False
    anew: bool = False


@contextmanager
def _sentences() -> Iterator[None]:
    """What can go wrong in training, as errors that the command line shows."""
    try:
        yield
    except TrainingError as error:
        raise BadInput(str(error), hint=error.hint) from error
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        raise BadInput(
            f"A file cannot be used:{where}: {error.strerror or error}.", hint="Name another FOLDER."
        ) from error


def train_data(
    terminal: Terminal,
    folder: Path,
    paths: Sequence[Path],
    traces: Sequence[Path],
    workers: int,
    *,
    as_json: bool,
    files: int = 0,
) -> int:
    """Gather the examples of every package behind these paths; of the first so many files, where a number is given."""
    stop_cleanly()
    begun = time.perf_counter()
    sources = [each for place in indexable(paths) for each in place.corpus.sources if each.module]
    if files:
        sources = sorted(sources, key=lambda each: each.module)[:files]
    with _sentences(), terminal.measured("examples") as progress:
        done = data.gather(folder, sources, traces, sparing(progress), workers=workers)
    if as_json:
        terminal.json({"folder": str(folder), **asdict(done)})
        return Exit.DONE
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(done.kinds.items()))
    terminal.line(
        (str(folder), "bold"), f": {done.train:,} examples to train on, {done.held_out:,} held out ({kinds});"
        f" {plural(done.files, 'file')}, {done.doubles:,} doubles left out, {seconds(time.perf_counter() - begun)}",
    )  # fmt: skip
    for each in done.problems[:SHOWN]:
        terminal.note(("→ ", "bold yellow"), each)
    if len(done.problems) > SHOWN:
        terminal.note(("→ ", "bold yellow"), f"and {len(done.problems) - SHOWN} more problems")
    return Exit.DONE


def train_tokenizer(terminal: Terminal, folder: Path, size: int, *, as_json: bool) -> int:
    """Train the tokenizer on a folder's examples."""
    stop_cleanly()
    begun = time.perf_counter()
    with _sentences(), terminal.busy("training the tokenizer"):
        # Words that are often used are often used in any part of the examples; all of Mathlib's take many minutes.
        part = evaluate.sample(data.read(folder / data.TRAIN), TOKENIZER_SAMPLE, seed=1)
        texts = (f"{each.prompt}\n{each.tactic}" for each in part)
        made = tokenizer.train(texts, size)
        made.save(folder / tokenizer.FILE)
        some = evaluate.sample(data.read(folder / data.TRAIN), 1000, seed=1)
        length = sum(len(each.tactic) for each in some) / max(1, sum(len(made.encode(each.tactic)) for each in some))
    if as_json:
        terminal.json({"file": str(folder / tokenizer.FILE), "tokens": made.size, "characters a token": length})
    else:
        took = seconds(time.perf_counter() - begun)
        terminal.line(
            (str(folder / tokenizer.FILE), "bold"), f": {made.size:,} tokens, {length:.2f} characters each; {took}"
        )
    return Exit.DONE


def train_run(terminal: Terminal, folder: Path, wish: Wish, *, as_json: bool) -> int:
    """Train the decoder, or go on with it."""
    stop_cleanly()
    with _sentences():
        words = Tokenizer.load(folder / tokenizer.FILE)
        sizes = model.config(wish.size, words.size)
        rows = _ids(terminal, folder, words, sizes.context)
        plan = run.Plan(
            sizes,
            wish.steps or 1,
            rows=wish.rows,
            at_once=wish.at_once or wish.rows,
            rate=wish.rate,
            warm_up=wish.warm_up,
            seed=wish.seed,
            device=wish.device,
            precision=wish.precision,
            threads=wish.threads,
            compiled=wish.compiled,
        )
        if not wish.steps:
            plan = run.with_steps(plan, rows, wish.epochs)
        last: list[run.Progress] = []
        with terminal.measured(wish.size) as progress:
            tell = sparing(progress)

            def report(done: run.Progress) -> None:
                last[:] = [done]
                tell(f"loss {done.loss:.2f}, {done.speed:,.0f} tokens/s", done.step, done.steps)

            run.train(folder, plan, report, resume=not wish.anew)
    told = {"checkpoint": str(folder / run.CHECKPOINT), "parameters": sizes.parameters, "steps": plan.steps}
    if last:
        told |= {"loss": last[0].loss, "tokens a second": last[0].speed}
    if as_json:
        terminal.json(told)
        return Exit.DONE
    said = f"loss {last[0].loss:.3f}, {last[0].speed:,.0f} tokens/s" if last else "nothing left to do"
    terminal.line(
        (str(folder / run.CHECKPOINT), "bold"),
        f": {sizes.parameters / 1e6:.1f} million parameters, {plan.steps} steps; {said}",
    )
    return Exit.DONE


def _ids(terminal: Terminal, folder: Path, words: Tokenizer, context: int) -> batches.Rows:
    """The ids of the folder's examples, written anew where they are of other examples, another tokenizer or context."""
    of = batches.digest([folder / data.MANIFEST, folder / data.TRAIN, folder / tokenizer.FILE])
    if not batches.written(folder, of, context):
        with terminal.busy("writing the ids of the examples"):
            batches.write(data.read(folder / data.TRAIN), words, folder, context, of=of)
    return batches.Rows(folder)


def train_eval(terminal: Terminal, folder: Path, sample: int, seed: int, *, as_json: bool, anyway: bool = False) -> int:
    """Measure the model on held-out examples; `anyway`: on the others where none is held out."""
    stop_cleanly()
    begun = time.perf_counter()
    with _sentences():
        words = Tokenizer.load(folder / tokenizer.FILE)
        decoder, steps = run.trained(folder)
        file = data.HELD_OUT
        some = evaluate.sample(data.read(folder / file), sample, seed)
        if not some and anyway:
            file = data.TRAIN
            some = evaluate.sample(data.read(folder / file), sample, seed)
        with terminal.measured("examples") as progress:
            tell = sparing(progress)
            quality = evaluate.evaluate(decoder, words, some, lambda done, of: tell("asking", done, of))
    report = quality.report()
    if as_json:
        terminal.json({"steps": steps, "examples of": file, "kinds": report})
        return Exit.DONE
    names = list(report["all"])
    terminal.line(f"{'kind':<10}" + "".join(f"{name:>13}" for name in names))
    for kind, each in report.items():
        terminal.line(f"{kind:<10}{each['examples']:>13}" + "".join(f"{each[name]:>13.3f}" for name in names[1:]))
    terminal.note(f"{file}, {steps} steps of training, {seconds(time.perf_counter() - begun)}; loss in nats a token.")
    return Exit.DONE


def train_export(terminal: Terminal, folder: Path, file: Path | None, type_: str, *, as_json: bool) -> int:
    """Write the model as GGUF."""
    stop_cleanly()
    with _sentences():
        words = Tokenizer.load(folder / tokenizer.FILE)
        decoder, steps = run.trained(folder)
        path = file or folder / f"{export.NAME}-{type_.lower()}.gguf"
        about = f"Proposes the next tactic of a Lean 4 proof; {steps} steps of training."
        size = export.export(decoder, words, path, type_, about=about)
    if as_json:
        terminal.json({"file": str(path), "bytes": size, "type": type_})
    else:
        terminal.line((str(path), "bold"), f": {megabytes(size)}, {type_}")
    return Exit.DONE


def train_smoke(terminal: Terminal, paths: Sequence[Path], *, as_json: bool) -> int:
    """Every step once, on few files with the smallest model, in a folder that is removed: does it all work here?"""
    begun = time.perf_counter()
    quiet: dict[str, Any] = {"as_json": False}
    with tempfile.TemporaryDirectory(prefix="tacit-train-") as name:
        folder = Path(name) / "smoke"
        train_data(terminal, folder, paths, (), 0, files=SMOKE_FILES, **quiet)
        train_tokenizer(terminal, folder, SMOKE_VOCABULARY, **quiet)
        wish = Wish("smoke", steps=SMOKE_STEPS, rows=8, rate=3e-3, threads=1)
        train_run(terminal, folder, wish, **quiet)
        train_eval(terminal, folder, SMOKE_SAMPLE, 1, anyway=True, **quiet)
        train_export(terminal, folder, None, "Q8_0", **quiet)
    took = time.perf_counter() - begun
    terminal.note(f"Training works here: {seconds(took)}.")
    return Exit.DONE
