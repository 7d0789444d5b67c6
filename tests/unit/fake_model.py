"""A model whose answers are given by a table, one token a character: an Engine that holds its cache to account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tacit.server.model.generation import EngineFailed, Logits, Step

END = 1
CONTROL = 2
SIZE = 1200


class FakeEngine:
    """Tokens are code points. After a prompt, `answers` are drawn with their weights, then END.

    Every sequence remembers what it was told, position by position: one that is told anything out of turn, or shares
    another's memory where it should not, fails the test.
    """

    def __init__(self, answers: Mapping[str, float], sequences: int = 9, chunk: int = 16, prompt: int = 0) -> None:
        self.sequences = sequences
        self.chunk = chunk
        self.ends = np.zeros(SIZE, bool)
        self.ends[END] = True
        self.banned = np.zeros(SIZE, bool)
        self.banned[CONTROL] = True
        self.answers = dict(answers)
        self.memory: dict[int, list[int]] = {}
        self.batches: list[list[Step]] = []
        self.prompt = prompt
        self.cuttable = True

    def tokens(self, text: str, special: bool = False) -> list[int]:
        del special
        return [min(ord(char), SIZE - 1) for char in text]

    def decode(self, steps: Sequence[Step]) -> list[Logits]:
        assert 0 < len(steps) <= self.chunk
        self.batches.append(list(steps))
        logits = []
        for step in steps:
            assert 0 <= step.sequence < self.sequences
            memory = self.memory.setdefault(step.sequence, [])
            assert step.position == len(memory), "a position is filled once, in order"
            memory.append(step.token)
            if step.wanted:
                logits.append(self.next(memory))
        return logits

    def next(self, memory: Sequence[int]) -> Logits:
        """What may follow: by the answers that begin with what stands behind the prompt."""
        begun = "".join(map(chr, memory[self.prompt :]))
        values = np.full(SIZE, -30.0, np.float32)
        masses: dict[int, float] = {CONTROL: 5.0}
        for answer, weight in self.answers.items():
            if answer.startswith(begun):
                token = ord(answer[len(begun)]) if len(answer) > len(begun) else END
                masses[token] = masses.get(token, 0.0) + weight
        if len(masses) == 1:
            masses[END] = 1.0
        for token, mass in masses.items():
            values[token] = np.log(mass)
        return values

    def copy(self, source: int, target: int) -> None:
        assert not self.memory.get(target), "a sequence is empty before it takes another's memory"
        self.memory[target] = list(self.memory[source])

    def cut(self, sequence: int, start: int) -> bool:
        if not self.cuttable and start and self.memory.get(sequence):
            return False
        self.memory[sequence] = self.memory.get(sequence, [])[:start]
        return True

    def clear(self) -> None:
        self.memory.clear()

    def piece(self, token: int) -> bytes:
        assert token not in (END, CONTROL)
        return chr(token).encode()


class BrokenEngine(FakeEngine):
    """Fails at a given step."""

    def __init__(self, at: int) -> None:
        super().__init__({"simp": 1.0})
        self.at = at

    def decode(self, steps: Sequence[Step]) -> list[Logits]:
        if len(self.batches) == self.at:
            raise EngineFailed("llama.cpp could not compute a step (-3).")
        return super().decode(steps)
