"""From a Load message to a model that answers: the file is looked at first, then memory, then llama.cpp."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tacit.server.limits import Limits, limit_self
from tacit.server.model.answering import Model
from tacit.server.model.generation import Generator
from tacit.server.model.gguf_file import GgufFile, read
from tacit.server.model.llama import LlamaEngine, ModelError
from tacit.server.model.messages import Load, Loaded

_BESIDE = 256 << 20
"""Bytes that a worker takes beside its model and cache: Python, numpy, buffers."""
_RUNAWAY = 4 << 30
"""Bytes of address space beyond what a model needs: buffers, stacks of threads, libraries. More is a runaway."""
_STEP = 256
"""llama.cpp rounds the cache up to this."""


def load(order: Load, cancelled: Callable[[], bool]) -> tuple[Model, Loaded]:
    """Load a model. Raises TacitError with one sentence that says why it cannot be."""
    begun = time.monotonic()
    file = read(Path(order.path))
    context = min(order.context, file.context or order.context)
    if context <= order.tokens:
        raise ModelError(f"{file.path} takes {context} tokens: too few for an answer of {order.tokens}.")
    cells = -(-(context + order.sequences * order.tokens) // _STEP) * _STEP
    check_memory(file, cells, psutil.virtual_memory().available)
    needed = file.size + file.cache_bytes(cells)
    size = order.memory_mib << 20 or psutil.Process().memory_info().vms + 2 * needed + _RUNAWAY
    limit_self(Limits(memory=size))  # a runaway ends here and not in the machine's memory
    engine = LlamaEngine(
        file.path,
        cells=cells,
        sequences=order.sequences + 1,
        threads=order.threads,
        plain=order.plain,
        cancelled=cancelled,
    )
    if engine.ends.all() or (engine.ends | engine.banned).all():
        raise ModelError(f"{file.path} has no token that is text.")
    model = Model(Generator(engine), lambda text, special: engine.tokens(text, special=special), context)
    return model, Loaded(file.name, file.architecture, engine.parameters, context, time.monotonic() - begun)


def check_memory(file: GgufFile, cells: int, available: int) -> None:
    """Raise ModelError when the model and its cache do not fit: the machine would swap, and everything stand still."""
    needed = file.size + file.cache_bytes(cells) + _BESIDE
    if needed > available:
        raise ModelError(
            f"{file.name} needs {needed / 1e9:.1f} GB of memory, and {available / 1e9:.1f} GB are free.",
            hint="Close something, or choose a smaller model or a stronger quantisation.",
        )
