"""Measures the default encoder and the vectors on disk: `python tests/bench/vectors.py [COUNT]`. Needs no Lean.

COUNT made-up vectors (250,000 unless told) are written, opened, searched and changed; the encoder runs for real.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tacit.index import vectors
from tacit.index.encoder import Encoder, available_cores, open_encoder
from tacit.index.vectors import Vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

QUERY = "a continuous function on a compact set attains its maximum {}"
TEXT = (
    "finset sum le sum {}. If the terms of one sum are at most those of another, so are the sums. "
    "∑ i ∈ s, f i ≤ ∑ i ∈ s, g i"
)


class Random:
    """Random directions at no cost: what is measured is the disk and the search."""

    name = "random"
    fingerprint = "random"
    dimension = 384

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import numpy as np

        found = np.random.default_rng(hash(texts[0]) & 0xFFFF).standard_normal((len(texts), 384)).astype(np.float32)
        directions: NDArray[np.float32] = found / np.linalg.norm(found, axis=1, keepdims=True)
        return directions


def resident() -> str:
    return f"{psutil.Process().memory_info().rss / 2**20:.0f} MB resident"


def timed(label: str, action: Callable[[], object]) -> None:
    start = time.perf_counter()
    action()
    print(f"{label:44} {time.perf_counter() - start:8.2f} s    {resident()}", flush=True)


def repeated(label: str, action: Callable[[int], object], times: int = 100) -> None:
    taken = []
    for number in range(times):
        start = time.perf_counter()
        action(number)
        taken.append((time.perf_counter() - start) * 1000)
    taken.sort()
    print(f"{label:44} {taken[times // 2]:8.1f} ms p50 {taken[times * 95 // 100]:6.1f} ms p95", flush=True)


def encoder() -> None:
    with tempfile.TemporaryDirectory() as cache:
        opened: list[Encoder] = []
        timed("make the 8-bit model and open it", lambda: opened.append(open_encoder(threads=1, cache=Path(cache))))
        timed("open it again", lambda: opened.append(open_encoder(threads=1, cache=Path(cache))))
        repeated("encode a query", lambda number: opened[1].encode([QUERY.format(number)]))
        for threads in {1, available_cores()}:
            running = open_encoder(threads=threads, cache=Path(cache))
            texts = [TEXT.format(number) for number in range(2048)]
            start = time.perf_counter()
            running.encode(texts)
            rate = len(texts) / (time.perf_counter() - start)
            print(f"{f'encode texts, {threads} threads':44} {rate:8.0f} texts a second, 45 tokens each", flush=True)


def disk(count: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        encoder = Random()
        texts = [(number, f"text {number}") for number in range(count)]
        timed(f"write {count:,} vectors", lambda: vectors.fill(folder, encoder, texts))
        timed("look whether anything is new", lambda: vectors.fill(folder, encoder, texts))
        timed("change 50", lambda: vectors.change(folder, encoder, [(number, f"new {number}") for number in range(50)]))
        opened: list[Vectors] = []
        timed("open", lambda: opened.append(Vectors.open(folder, encoder)))
        queries = encoder.encode(["query"] * 100)
        repeated("the nearest 200", lambda number: opened[0].search(queries[number], 200))
        repeated("the products of 200", lambda number: opened[0].scores(queries[number], range(0, 40_000, 200)))
        print(f"{'on disk':44} {sum(file.stat().st_size for file in folder.iterdir()) / 2**20:8.0f} MB")


if __name__ == "__main__":
    encoder()
    disk(int(sys.argv[1]) if len(sys.argv) > 1 else 250_000)
