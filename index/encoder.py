"""What makes vectors out of texts: the Protocol, the outcome when there is none, and the choice by name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PLAIN = "all-MiniLM-L6-v2"
DEFAULT = f"{PLAIN}, adapted to Mathlib"
ADAPTER = Path(__file__).with_name("mathlib-adapter.npz")


class Encoder(Protocol):
    """Texts in, unit vectors out. Opening may take a second; encoding may be called from any thread."""

    name: str
    """How it is shown to people."""
    fingerprint: str
    """Changes whenever the same text may get another vector."""
    dimension: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of length 1 for each text, in their order; shape (texts, dimension)."""
        ...


class EncoderUnavailable(Exception):
    """This encoder cannot be used here. The text says why and what to do."""


def open_encoder(
    name: str = DEFAULT, *, threads: int | None = None, cache: Path | None = None, fetch: bool = False
) -> Encoder:
    """The default encoder, or a model by name or path; EncoderUnavailable where that is not possible.

    A folder that holds a BERT which pools by the mean runs without torch, as the default does; every other model runs
    through sentence-transformers, which is an extra. `threads`: None takes every core this process may use. Without
    `fetch` nothing is downloaded: a model of that name must be on this machine.
    """
    from tacit.index.onnx_encoder import OnnxEncoder, is_supported, packaged_model

    count = threads or available_cores()
    where = cache or cache_folder()
    if name in (DEFAULT, PLAIN):
        model, digest = packaged_model()
        adapter = ADAPTER if name == DEFAULT else None
        return OnnxEncoder(model, name=name, digest=digest, threads=count, cache=where, adapter=adapter)
    folder = Path(name).expanduser()
    if is_supported(folder):
        return OnnxEncoder(folder, name=folder.resolve().name, threads=count, cache=where)
    from tacit.index.torch_encoder import TorchEncoder

    return TorchEncoder(name, threads=count, fetch=fetch)


def available_cores() -> int:
    """How many cores this process may use: fewer than the machine has where it was told so."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cache_folder() -> Path:
    """Where Tacit keeps what it can make again: TACIT_CACHE, else `tacit` in the user's cache folder."""
    if own := os.environ.get("TACIT_CACHE"):
        return Path(own).expanduser()
    return default_cache_folder()


def default_cache_folder() -> Path:
    """`tacit` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "tacit"
