"""An editor that has a sidecar and has said hello. The suggester does what the document's script says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.protocol.editor import Editor, editing


@pytest.fixture(autouse=True)
def nothing_indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine has indexed, and which model it has, must not change what is suggested or found."""
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "nothing-indexed"))
    monkeypatch.setenv("TACIT_MODEL", "off")
    monkeypatch.delenv("MATHLIB", raising=False)


@pytest_asyncio.fixture
async def editor(tmp_path: Path) -> AsyncIterator[Editor]:
    async with editing(tmp_path) as editor:
        await editor.initialize()
        yield editor
        assert editor.garbage == b"", "standard output carries nothing but LSP"
