"""How search ends: whatever is being asked then, once or more often."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tacit.server.searcher import SearchClosed, Searcher
from tacit.server.shelves import Shelves


def test_search_can_end_twice_while_its_indexes_are_being_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opening, may_open = threading.Event(), threading.Event()
    closed: list[Shelves] = []
    begin, close = Shelves.__init__, Shelves.close

    def slowly(shelves: Shelves) -> None:
        opening.set()
        assert may_open.wait(10)
        begin(shelves)

    def noted(shelves: Shelves) -> None:
        closed.append(shelves)
        close(shelves)

    monkeypatch.setattr(Shelves, "__init__", slowly)
    monkeypatch.setattr(Shelves, "close", noted)

    async def work() -> None:
        searcher = Searcher()
        asked = asyncio.ensure_future(searcher.run(lambda shelves: shelves))
        await asyncio.to_thread(opening.wait, 10)
        late = asyncio.ensure_future(searcher.run(lambda _: None))
        await asyncio.sleep(0)
        await searcher.aclose()
        may_open.set()
        opened = await asked
        await searcher.aclose()
        with pytest.raises(SearchClosed):
            await late
        searcher._asking.shutdown(wait=True)
        assert closed == [opened], "what was opened meanwhile is given back"

    asyncio.run(work())
