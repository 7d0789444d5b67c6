"""How fast a build of llama.cpp reads a prompt and writes an answer: tokens a second of processor time, one thread.

    LLAMA_CPP_LIB_PATH=BUILD/bin python tests/bench/instructions.py MODEL.gguf [PROMPT_TOKENS [ANSWER_TOKENS [PLAIN]]]

LLAMA_CPP_LIB_PATH names the folder with the libraries of a build beside the installed one. Processor time, so that two
builds can be compared on a machine that does something else too: the best of three rounds counts. PLAIN 1 keeps the
weights as they are in the file, which is what the worker does after a crash.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from tacit.server.model.generation import Step
from tacit.server.model.llama import LlamaEngine

ROUNDS = 3


def main(path: Path, prompt: int = 256, answer: int = 32, plain: int = 0) -> None:
    """Measure and print one line."""
    engine = LlamaEngine(path, cells=prompt + 8 * answer, sequences=8, threads=1, plain=bool(plain))

    def read() -> None:
        engine.clear()
        for start in range(0, prompt, engine.chunk):
            places = range(start, min(prompt, start + engine.chunk))
            engine.decode([Step(3 + at % 200, at, 0, at == prompt - 1) for at in places])

    def write(width: int) -> Callable[[], None]:
        def steps() -> None:
            for sequence in range(1, width):
                engine.copy(0, sequence)
            for at in range(prompt, prompt + answer):
                engine.decode([Step(3 + (at + sequence) % 200, at, sequence, True) for sequence in range(width)])

        return steps

    def rate(tokens: int, work: Callable[[], None], before: Callable[[], None] = lambda: None) -> float:
        best = float("inf")
        for _ in range(ROUNDS):
            before()
            begun = time.process_time()
            work()
            best = min(best, time.process_time() - begun)
        return tokens / best

    print(
        f"{path.name}: {engine.parameters / 1e6:.0f} M parameters; prompt {rate(prompt, read):.0f} tokens/s, "
        f"one answer {rate(answer, write(1), read):.0f} tokens/s, eight {rate(8 * answer, write(8), read):.0f} tokens/s"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
