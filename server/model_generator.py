"""What a ModelClient writes, as a TacticGenerator: the request becomes a question in the preset of the model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from types import MappingProxyType

from tacit.server.model.client import ModelClient, default_threads
from tacit.server.model.messages import Done, Load
from tacit.server.model.presets import preset_of
from tacit.server.model.prompts import Fact, Preset, Question, asked
from tacit.server.tactics.source import Helpful, SourceRequest, Written

CONTEXT = "model context"
"""What a sentence is about that says what did not fit into a prompt."""
ANSWERS, TOKENS = 8, 96
"""How many answers one request may ask for, and how long one may be."""


class LocalModel:
    """A TacticGenerator over a worker that is started when it is first asked.

    `preset` is the name of one of Tacit's, or of `own`; one that there is not is told with the first request.
    """

    def __init__(
        self,
        path: Path,
        preset: str,
        own: Mapping[str, Preset] = MappingProxyType({}),
        *,
        context: int = 2048,
        client: ModelClient | None = None,
        sandbox: bool = False,
    ) -> None:
        self._preset, self._own = preset, own
        load = Load(str(path), context, ANSWERS, TOKENS, default_threads())
        self.client = client or ModelClient(load, sandbox=sandbox)
        self.last: Done | None = None
        """What the last request took."""

    @property
    def reads(self) -> bool:
        """Whether its preset has a place for premises."""
        return bool(preset_of(self._preset, self._own).premise)

    async def write(
        self, request: SourceRequest, premises: Sequence[Helpful], count: int
    ) -> AsyncGenerator[Written, None]:
        """See TacticGenerator."""
        preset, question = preset_of(self._preset, self._own), question_of(request, premises)

        def told(sentence: str) -> None:
            request.tell(sentence, CONTEXT)

        async with aclosing(self.client.generate(preset, question, count, told=told)) as reports:
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
