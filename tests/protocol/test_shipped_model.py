"""The model that comes with Tacit: what its file says, and that the real worker writes tactics of Lean with it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from tacit.server import models
from tacit.server.model.client import ModelClient, Patience
from tacit.server.model.gguf_file import read
from tacit.server.model.messages import Done, Load, Proposed
from tacit.server.model.presets import PRESETS
from tacit.server.model.prompts import Asked, Question
from tacit.server.models import SHIPPED

LARGEST = 60_000_000
WRITTEN = (
    "exact",
    "simp",
    "rw",
    "cases",
    "intro",
    "apply",
    "refine",
    "constructor",
    "grind",
    "obtain",
    "rcases",
    "rfl",
)


def test_its_weights_are_small_and_whole() -> None:
    found = models.shipped()
    assert found is not None
    assert found.preset == SHIPPED
    about = read(found.path)
    assert about.architecture == "llama"
    assert 1_000_000 < found.size <= LARGEST


@pytest.mark.model
def test_it_writes_tactics() -> None:
    async def work() -> list[str]:
        found = models.shipped()
        assert found is not None
        client = ModelClient(
            Load(str(found.path), 384, 8, 96, 1), patience=Patience(load=120.0, silence=60.0, grace=60.0)
        )
        question = Question((Asked(("p q : Prop", "h : p ∧ q"), "⊢ q ∧ p"),))
        texts: list[str] = []
        try:
            async with aclosing(client.generate(PRESETS[SHIPPED], question, 8)) as reports:
                async for report in reports:
                    if isinstance(report, Proposed):
                        texts.append(report.text)
                    elif isinstance(report, Done):
                        assert report.notice == ""
        finally:
            await client.aclose()
        return texts

    texts = asyncio.run(work())
    assert len(texts) == len(set(texts)) == 8
    # It is trained, not random: whatever it thinks of this goal, it thinks in tactics.
    assert sum(text.split()[0].strip("[") in WRITTEN for text in texts) >= 4
    assert asyncio.run(work()) == texts, "the same question has the same answers"
