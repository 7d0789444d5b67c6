"""What a ModelClient writes, as a TacticGenerator: the request becomes a question in the preset of the model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from tacit.server.model.client import ModelClient, default_threads
from tacit.server.model.messages import Done, Load
from tacit.server.model.prompts import Fact, Preset, Question, asked
from tacit.server.tactics.source import Helpful, SourceRequest, Written


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model, and how far it may go. `context` and `tokens` bound a prompt with its answer, and an answer."""

    path: Path
    preset: Preset
    context: int = 2048
    tokens: int = 96
    answers: int = 8
    threads: int | None = None
    memory_mib: int = 0

    def load(self) -> Load:
        """The order to a worker."""
        threads = self.threads or default_threads()
        return Load(str(self.path), self.context, self.answers, self.tokens, threads, self.memory_mib)


class LocalModel:
    """A TacticGenerator over a worker that is started when it is first asked."""

    def __init__(self, choice: ModelChoice, client: ModelClient | None = None) -> None:
        self._choice = choice
        self.client = client or ModelClient(choice.load())
        self.last: Done | None = None
        """What the last request took."""

    @property
    def reads(self) -> bool:
        """Whether its preset has a place for premises."""
        return bool(self._choice.preset.premise)

    async def write(
        self, request: SourceRequest, premises: Sequence[Helpful], count: int
    ) -> AsyncGenerator[Written, None]:
        """See TacticGenerator."""
        question = question_of(request, premises)
        async with aclosing(self.client.generate(self._choice.preset, question, count)) as reports:
            async for report in reports:
                if isinstance(report, Done):
                    self.last = report
                else:
                    yield Written(report.text, report.log_prob, report.tokens)

    async def aclose(self) -> None:
        """End the worker."""
        await self.client.aclose()


def question_of(request: SourceRequest, premises: Sequence[Helpful]) -> Question:
    """What a model may be told of a request."""
    return Question(
        tuple(asked(goal) for goal in request.goals),
        name=request.declaration or "",
        proof=request.text[request.start : request.at].rstrip(),
        premises=tuple(Fact(each.name, each.signature) for each in premises),
    )
