"""What is kept of requests that were ended: nothing, whenever they were."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tacit.server import requests
from tacit.server.question import Question
from tacit.server.requests import Requests, Run, Stopped, Why
from tacit.server.suggest import Document, Event, Options, Suggester
from tacit.server.text import Position

QUESTION = Question(Document("file:///a.lean", 1, "theorem a : p := by "), Position(0, 20), Options())


class Endless(Suggester):
    """One that never finds anything."""

    def __init__(self) -> None:
        self.asked = 0

    async def suggest(self, *_: Any) -> AsyncIterator[Event]:  # type: ignore[override]
        self.asked += 1
        await asyncio.Event().wait()
        yield  # type: ignore[misc]


@pytest.mark.parametrize("steps", [0, 1, 5], ids=["before it began", "as it began", "while it ran"])
async def test_of_a_run_that_was_ended_nothing_is_left(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    # One that was ended before its task had begun waited for its next follower for ever, every two seconds, and held
    # the text that it was asked about: half a megabyte for each key in a large file.
    monkeypatch.setattr(requests, "LINGER", 0.001)
    suggester = Endless()
    asked = Requests(lambda: suggester)

    async def ghost_text(run: Run) -> None:
        with pytest.raises(Stopped), run.follow(keep=True):
            await run.until(lambda run: False, 60.0)

    run = asked.ask(QUESTION)
    following = asyncio.ensure_future(ghost_text(run))
    for _ in range(steps):
        await asyncio.sleep(0)
    asked.drop(QUESTION.document.uri, Why.CHANGED)
    await following
    await asked.settled()
    assert run.done
    gone = weakref.ref(run)
    del run, following
    for _ in range(20):
        await asyncio.sleep(0.002)
    gc.collect()
    assert gone() is None
    assert suggester.asked == bool(steps)
