"""Someone who sits at the terminal and answers every question in the same way."""

from __future__ import annotations

from tacit.server.terminal import Terminal


class Person(Terminal):
    """`asked` is the last question."""

    def __init__(self, answer: bool) -> None:
        super().__init__()
        self.answer, self.asked = answer, ""

    @property
    def interactive(self) -> bool:
        return True

    def ask(self, question: str) -> bool:
        self.asked = question
        return self.answer
