"""Trains a decoder: Muon and AdamW, warm-up and cosine, mixed precision, checkpoints.

A run that ended early goes on from its checkpoint as if it had never ended.

    train(folder, plan, progress)      folder: ids of examples (batches.py); checkpoint.pt is written there

The same plan, data and machine give the same weights: what is drawn depends on the seed and the step alone.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tacit.training.batches import Batch, Rows
from tacit.training.errors import TrainingError, library
from tacit.training.model import Config, build

CHECKPOINT, LOG = "checkpoint.pt", "log.jsonl"
FORMAT = 2
CLIP = 1.0
BETAS = (0.9, 0.95)
DECAY = 0.1
LAST = 0.1
"""Of the highest learning rate, what is left at the end."""
EVERY = 20
"""Steps between lines of the log."""

Report = Callable[["Progress"], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does. `rows` examples' rows a step, of which `at_once` fit the machine; `device` and `precision` may
    be `auto`: CUDA where there is one, bfloat16 there and float32 on a CPU. `matrices` within layers are learned with
    `muon` or `adamw`; `compiled`: through torch.compile, which takes a C++ compiler and pays after a minute.
    """

    sizes: Config
    steps: int
    rows: int = 32
    at_once: int = 32
    rate: float = 1e-3
    warm_up: int = 100
    seed: int = 1
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0
    save_every: int = 500
    matrices: str = "muon"
    compiled: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """A step done: its loss on tactics' ids (nats), the learning rate, ids a second since the run began or went on."""

    step: int
    steps: int
    loss: float
    rate: float
    speed: float


def rate_at(step: int, plan: Plan) -> float:
    """The learning rate of a step, from 0: up in a line, then down half a cosine to LAST of the highest."""
    if step < plan.warm_up:
        return plan.rate * (step + 1) / plan.warm_up
    done = min(1.0, (step - plan.warm_up) / max(1, plan.steps - plan.warm_up))
    return plan.rate * (LAST + (1 - LAST) * 0.5 * (1 + math.cos(math.pi * done)))


def train(folder: Path, plan: Plan, report: Report, *, resume: bool = True) -> Any:
    """The trained model. Its checkpoint is written every `save_every` steps and at the end: what ends a run in between
    costs the steps since. Raises TrainingError, OSError.
    """
    torch = library("torch")
    device, kind = _machine(torch, plan)
    if plan.threads:
        torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    rows = Rows(folder)
    if rows.context != plan.sizes.context:
        raise TrainingError("The ids were written for another context.", "Begin the run anew.")
    model = build(plan.sizes).to(device)
    optimizers = _optimizers(torch, model, plan)
    forward = torch.compile(model) if plan.compiled else model
    step = epoch = inside = 0
    path = folder / CHECKPOINT
    if resume and path.is_file():
        state = load(path, device)
        _same(state["plan"], plan, path)
        model.load_state_dict(state["model"])
        for optimizer, kept in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        step, epoch, inside = state["step"], state["epoch"], state["inside"]

    def save() -> None:
        _save(torch, path, model, optimizers, plan, (step, epoch, inside))

    began, seen = time.perf_counter(), 0
    saved = step
    batches = rows.batches(plan.rows, plan.seed + epoch, inside)
    while step < plan.steps:
        batch = next(batches, None)
        if batch is None:
            epoch, inside = epoch + 1, 0
            batches = rows.batches(plan.rows, plan.seed + epoch)
            continue
        rate = rate_at(step, plan)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
        loss = _step(torch, forward, optimizers, batch, plan.at_once, device, kind)
        step, inside, seen = step + 1, inside + 1, seen + int((batch.document >= 0).sum())
        done = Progress(step, plan.steps, loss, rate, seen / (time.perf_counter() - began))
        report(done)
        if step % EVERY == 0 or step == plan.steps:
            with (folder / LOG).open("a", encoding="utf-8") as log:
                log.write(json.dumps(asdict(done)) + "\n")
        if step % plan.save_every == 0:
            save()
            saved = step
    if saved != step or not path.is_file():
        save()
    return model


def _optimizers(torch: Any, model: Any, plan: Plan) -> list[Any]:
    """Of the matrices within layers, and of all else."""
    named = list(model.named_parameters())
    inner = [each for name, each in named if each.dim() > 1 and plan.matrices == "muon" and name.startswith("layers.")]
    chosen = {id(each) for each in inner}
    decayed = [each for _, each in named if each.dim() > 1 and id(each) not in chosen]
    others = [each for _, each in named if each.dim() == 1]
    made = [
        torch.optim.AdamW(
            [{"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}],
            lr=plan.rate, betas=BETAS, fused=True,
        )
    ]  # fmt: skip
    if inner:
        # Its steps are as large as AdamW's of the same rate (arXiv:2502.16982), so one rate does for both.
        made.append(torch.optim.Muon(inner, lr=plan.rate, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw"))
    return made


def _step(
    torch: Any, model: Any, optimizers: Sequence[Any], batch: Batch, at_once: int, device: str, kind: Any
) -> float:
    total = float(batch.weight[:, 1:].sum())
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    tactics = nats = 0.0
    for begin in range(0, len(batch.ids), at_once):
        part = slice(begin, begin + at_once)
        ids, document, weight = (
            torch.from_numpy(each[part]).to(device, non_blocking=True)
            for each in (batch.ids, batch.document, batch.weight)
        )
        with torch.autocast(device, kind) if kind is not None else nullcontext():
            logits, _ = model(ids[:, :-1], document[:, :-1])
        losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten(), reduction="none")
        weights = weight[:, 1:].flatten()
        ((losses * weights).sum() / total).backward()
        answers = weights == 1.0
        nats += float(losses.detach()[answers].sum())
        tactics += float(answers.sum())
    torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
    for optimizer in optimizers:
        optimizer.step()
    return nats / max(1.0, tactics)


def _machine(torch: Any, plan: Plan) -> tuple[str, Any]:
    """The device, and what is computed with there (None: as the weights are)."""
    device = plan.device if plan.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("torch sees no GPU here.", "Leave --device out, or install torch with CUDA.")
    precision = plan.precision if plan.precision != "auto" else "bfloat16" if device == "cuda" else "float32"
    if device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
    return device, torch.bfloat16 if precision == "bfloat16" else None


def load(path: Path, device: str = "cpu") -> dict[str, Any]:
    """A checkpoint; only plain values and tensors are read from the file. Raises TrainingError."""
    torch = library("torch")
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        if state["format"] != FORMAT:
            raise ValueError(f"its format is {state['format']}")
    except FileNotFoundError as error:
        raise TrainingError(f"There is no trained model in {path.parent}.", "Train one: `tacit train run`.") from error
    except Exception as error:  # pickle, zip, tensor: whatever a broken file makes of them
        said = str(error).partition("\n")[0]
        raise TrainingError(f"{path} is no checkpoint: {said}.", "Begin the run anew.") from error
    return state


def trained(folder: Path) -> tuple[Any, int]:
    """The model of a folder's checkpoint and the steps it was trained for. Raises TrainingError."""
    state = load(folder / CHECKPOINT)
    model = build(Config.of(state["plan"]["sizes"]))
    model.load_state_dict(state["model"])
    return model.eval(), int(state["step"])


_MAY_DIFFER = ("device", "precision", "threads", "at_once", "save_every", "compiled")


def _same(old: dict[str, Any], plan: Plan, path: Path) -> None:
    new = asdict(plan)
    other = [name for name, value in new.items() if name not in _MAY_DIFFER and old.get(name) != value]
    if other:
        raise TrainingError(
            f"{path} is of a run with other {' and '.join(other)}.", "Go on as it began, or begin anew with --anew."
        )


def _save(torch: Any, path: Path, model: Any, optimizers: Sequence[Any], plan: Plan, at: tuple[int, int, int]) -> None:
    growing = path.with_name(f"{path.name}.new")
    step, epoch, inside = at
    state = {
        "format": FORMAT, "plan": asdict(plan), "step": step, "epoch": epoch, "inside": inside,
        "model": model.state_dict(), "optimizers": [each.state_dict() for each in optimizers],
    }  # fmt: skip
    torch.save(state, growing)
    growing.replace(path)


def with_steps(plan: Plan, rows: Rows, epochs: float) -> Plan:
    """The plan with so many passes over the examples."""
    steps = max(1, round(epochs * rows.in_epoch(plan.rows, plan.seed)))
    return replace(plan, steps=steps, warm_up=min(plan.warm_up, max(1, steps // 10)))
