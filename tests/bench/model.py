"""How fast a model writes: one answer and eight, one prompt shared against one by one, in one run.

    python tests/bench/model.py MODEL.gguf [PROMPT_TOKENS [ANSWER_TOKENS [PLAIN]]]

Random weights are as fast as trained ones. Answers end at their length alone, so that every way writes as much. PLAIN 1
leaves out the matrix instructions that some virtual machines announce and do not have.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tacit.server.model.client import default_threads
from tacit.server.model.generation import Counts, Generator, Plan
from tacit.server.model.llama import LlamaEngine


def main(path: Path, prompt: int = 300, answer: int = 24, plain: int = 0) -> None:
    """Measure and print, one line a way."""
    threads = default_threads()
    engine = LlamaEngine(path, cells=prompt + 10 * answer, sequences=9, threads=threads, plain=bool(plain))
    engine.banned |= engine.ends
    text = [300 % engine.banned.size, *range(3, 3 + prompt - 1)]
    tokens = [each % engine.banned.size for each in text]
    print(f"{path.name}: {engine.parameters / 1e6:.0f} M parameters, {threads} thread(s), prompt {prompt} tokens")
    _timed(engine, tokens, 1, answer, 1, "")  # buffers and pages are there from now on
    for count, times, name in ((1, 1, "1 answer"), (8, 1, "8 answers, shared prompt"), (1, 8, "8 answers, one by one")):
        _timed(engine, tokens, count, answer, times, name)


def _timed(engine: LlamaEngine, tokens: list[int], count: int, answer: int, times: int, name: str) -> None:
    begun = time.perf_counter()
    written = 0
    first = 0.0
    for _ in range(times):
        counts = Counts()
        engine.clear()
        done = 0

        def found(_: object) -> int:
            nonlocal done
            done += 1
            return done

        def tick(counts: Counts = counts) -> None:
            nonlocal first
            if counts.generated and not first:
                first = time.perf_counter() - begun

        Generator(engine).run(tokens, Plan(count, answer, 1.0, 1.0), lambda text: None, found, tick, counts)
        written += count * answer
    seconds = time.perf_counter() - begun
    if name:
        print(
            f"{name}: {seconds:.2f} s, {written / seconds:.0f} tokens/s, {count * times / seconds:.2f} candidates/s, "
            f"prompt read after {first:.2f} s"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
