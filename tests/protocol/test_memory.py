"""The memory of proofs in the real sidecar: what is saved in another file, and what was taken, is proposed."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.protocol.editor import Editor, serving, within
from tests.protocol.scripted_lean import install
from tests.unit.corpus import write

RULES = Path(__file__).with_name("lean_rules.py")
VERSIONS = itertools.count(2)
PROOF = "theorem other (y : X) : f (g y) = y := by\n  simp [f, g, saved_tactic y]\n"
FILES = {"Top/Base.lean": PROOF, "Top/Goal.lean": "", "lakefile.toml": 'name = "top"\n'}
TEXT = """import Top.Base
-- version
--# goal x : X\\n⊢ f (g x) = x
--# closes simp [f, g, saved_tactic x]
--# closes simp [f, g, written_tactic x]
theorem goal (x : X) : f (g x) = x := by
  sorry
"""
SECOND = """
theorem second (x : X) : f (g x) = x := by
  sorry
"""


@asynccontextmanager
async def sidecar(folder: Path) -> AsyncIterator[Editor]:
    async with serving(folder, install(folder, rules=RULES), (uri(folder), TEXT)) as editor:
        yield editor


def uri(folder: Path) -> str:
    return (folder / "project" / "Top" / "Goal.lean").as_uri()


async def remembered(editor: Editor, folder: Path, text: str) -> list[str]:
    """What the memory proposes that closes the `sorry` of a text."""
    version = next(VERSIONS)
    text = text.replace("version", f"version {version}")  # of the same version the answer is kept
    editor.change(version, {"text": text}, uri=uri(folder))
    line = text[: text.index("sorry")].count("\n")
    position = {"line": line, "character": 3}
    asked: Any = await editor.ask(
        "tacit/suggest", {"textDocument": {"uri": uri(folder)}, "position": position, "budget": 30}
    )
    return [each["tactic"] for each in asked["suggestions"] if each["source"] == "memory"]


async def until(editor: Editor, folder: Path, text: str, tactic: str) -> None:
    """Ask until a tactic is remembered: what is written is read a moment later."""

    async def ask() -> None:
        while tactic not in await remembered(editor, folder, text):
            pass

    await within(ask())


async def test_what_is_saved_is_remembered_and_what_is_taken_stays(tmp_path: Path) -> None:
    write(tmp_path / "project", FILES)
    base = tmp_path / "project" / "Top" / "Base.lean"
    saved, written = "simp [f, g, saved_tactic x]", "simp [f, g, written_tactic x]"
    async with sidecar(tmp_path) as editor:
        await until(editor, tmp_path, TEXT, saved)
        base.write_text(PROOF.replace("saved", "written"), encoding="utf-8")
        await until(editor, tmp_path, TEXT, written)
        newest = next(VERSIONS) - 1
        taken = TEXT.replace("version", f"version {newest}").replace("sorry", written)
        editor.change(next(VERSIONS), {"text": taken}, uri=uri(tmp_path))
        base.write_text("", encoding="utf-8")
        await until(editor, tmp_path, taken + SECOND, written)
    [kept] = (tmp_path / "cache" / "memory").glob("*.jsonl")
    assert '"tactic": "simp [f, g, written_tactic x]"' in kept.read_text(encoding="utf-8")
