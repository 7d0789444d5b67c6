"""Thousands of edits and requests at once: the text is the editor's, each request is answered once, nothing is kept."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.protocol import scripted_lean
from tests.protocol.editor import CAPABILITIES, Editor, Refusal, editing
from tests.protocol.scripted_lean import entries, survivors
from tests.storms.texts import EditorText, large_text, typed
from tests.storms.watched import STATE, digest

WATCHED = Path(__file__).with_name("watched.py")
RULES = Path(scripted_lean.__file__).with_name("lean_rules.py")
ABOVE = "--# closes rfl\n--# goal ⊢ 𝕜 = n\n"
LONG = 100.0
"""Seconds, for what takes one or two."""
KINDS = ("textDocument/inlineCompletion", "textDocument/codeAction", "tacit/suggest", "tacit/search", "tacit/status")


@asynccontextmanager
async def sidecar(folder: Path, encodings: list[str] | None = None) -> AsyncIterator[Editor]:
    """An editor with the real sidecar, whose Lean is the scripted one."""
    environment = {
        "TACIT_LEAN": str(scripted_lean.install(folder, rules=RULES)),
        "TACIT_CACHE": str(folder / "cache"),
        "TACIT_MODEL": "off",
        "TACIT_LEAN_SOURCES": "off",
        "HOME": str(folder),
    }
    async with editing(folder, sys.executable, str(WATCHED), environment=environment) as editor:
        try:
            capabilities = CAPABILITIES | ({"general": {"positionEncodings": encodings}} if encodings else {})
            await editor.initialize(capabilities=capabilities)
            yield editor
            assert editor.garbage == b""
            assert b"Traceback" not in editor.stderr
        finally:
            for pid in survivors(folder):
                os.kill(pid, signal.SIGKILL)


def request(chance: random.Random, document: EditorText, uri: str, unit: int) -> tuple[str, dict[str, Any]]:
    """Something that an editor asks about a place."""
    kind = chance.choice(KINDS)
    place = document.place(unit)
    about: dict[str, Any] = {"textDocument": {"uri": uri}, "position": place}
    if kind == "tacit/status":
        return kind, {}
    if kind == "tacit/search":
        return kind, {"text": chance.choice(("𝕜", "add comm", "_ + _"))}
    if kind == "textDocument/codeAction":
        spot = {"start": place, "end": place}
        return kind, {"textDocument": {"uri": uri}, "range": spot, "context": {"diagnostics": [], "triggerKind": 2}}
    if kind == "tacit/suggest":
        return kind, about | {"budget": 2.0}
    return kind, about | {"context": {"triggerKind": 2}}


def last(document: EditorText, uri: str) -> dict[str, Any]:
    """The goal at the end of the document."""
    return {"textDocument": {"uri": uri}, "position": document.place(document.units.rindex("sorry")), "budget": LONG}


async def ask(editor: Editor, method: str, params: dict[str, Any]) -> Any:
    """An answer, however slow the machine is."""
    return await asyncio.wait_for(editor.begin(method, params)[1], 2 * LONG)


def answered(editor: Editor) -> Counter[int]:
    """How often each request was answered."""
    return Counter(message["id"] for message in editor.heard if "method" not in message)


@pytest.mark.parametrize(
    ("encodings", "lines"), [(None, 10_000), (["utf-32", "utf-16"], 1_000)], ids=["utf-16", "utf-32"]
)
async def test_the_text_is_the_editors_at_every_pause(tmp_path: Path, encodings: list[str] | None, lines: int) -> None:
    chance = random.Random(1)
    uri = (tmp_path / "Storm.lean").as_uri()
    text = large_text(chance, lines, ABOVE)
    document = EditorText(text, code_points=encodings is not None)
    async with sidecar(tmp_path, encodings) as editor:
        editor.open(text, uri=uri)
        version = 1
        for pause in range(3):
            asked: list[tuple[int, asyncio.Future[Any]]] = []
            waiting: list[dict[str, Any]] = []
            for number, change in enumerate(typed(chance, document, 90)):
                waiting.append(change)
                if number % 3:
                    version += 1
                    editor.change(version, *waiting, uri=uri)  # one notification, several changes
                    waiting.clear()
                    asked.append(editor.begin(*request(chance, document, uri, chance.randrange(len(document.units)))))
                    if number % 4 == 0:
                        editor.cancel(asked[-2 if len(asked) > 1 else -1][0])
                if number % 30 == 0:
                    await asyncio.sleep(0)
            version += 1
            waiting.append(document.whole(document.text) if pause == 1 else document.replace(0, 0, ""))
            editor.change(version, *waiting, uri=uri)
            held = await ask(editor, STATE, {})
            assert held["documents"] == {uri: [version, digest(document.text)]}
            await asyncio.wait([future for _, future in asked], timeout=LONG)
            assert {answered(editor)[number] for number, _ in asked} == {1}
        # All the way to Lean: what it has of the text above the goal is what stands there.
        assert (await ask(editor, "tacit/suggest", last(document, uri)))["goals"]
        above = document.text[: document.text.rindex("theorem")]
        assert above in entries(tmp_path, "text")[-1]["text"]
        editor.change(version + 1, document.whole(text), uri=uri)
        result = await ask(editor, "tacit/suggest", last(document, uri))
        assert [(item["tactic"], item["goals"]) for item in result["suggestions"]] == [("rfl", [])]
        assert await editor.shutdown() == 0
        assert survivors(tmp_path) == []


async def test_cancelling_keeps_up_and_nothing_is_kept(tmp_path: Path) -> None:
    chance = random.Random(2)
    uri = (tmp_path / "Storm.lean").as_uri()
    document = EditorText(large_text(chance, 400, ABOVE))
    async with sidecar(tmp_path) as editor:
        editor.open(document.text, uri=uri)
        goal = last(document, uri)
        await ask(editor, "tacit/suggest", goal)
        before = (await ask(editor, STATE, {}))["tables"]
        texts = len(entries(tmp_path, "text"))
        asked = []
        for number in range(2_000):
            asked.append(editor.begin(*request(chance, document, uri, chance.randrange(len(document.units)))))
            for _ in range(chance.randrange(3)):
                editor.cancel(asked[chance.randrange(max(0, number - 5), number + 1)][0])
            if number % 100 == 0:
                await asyncio.sleep(0)
        for number, _ in asked:
            editor.cancel(number)
        editor.cancel(10**9)
        await asyncio.wait([future for _, future in asked], timeout=LONG)
        assert {answered(editor)[number] for number, _ in asked} == {1}
        assert all(not isinstance(future.exception(), EOFError) for _, future in asked)
        # A request that was ended before Lean was asked costs Lean nothing.
        assert len(entries(tmp_path, "text")) - texts < 100
        try:
            again = await ask(editor, "tacit/suggest", goal)
        except Refusal as refusal:
            pytest.fail(str(refusal))
        assert [item["tactic"] for item in again["suggestions"]] == ["rfl"]

        grown = {"not looked at": 1}
        for _ in range(400):
            tables = (await ask(editor, STATE, {}))["tables"]
            grown = {name: count for name, count in tables.items() if count > before[name] + 8}
            if not grown:
                break
            await asyncio.sleep(0.05)
        assert not grown
