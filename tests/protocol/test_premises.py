"""Premises in the real sidecar: a lemma that stands unsaved in one document is tried for a goal in another."""

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
GOAL = "f (g x) = x"
FILES = {
    "Top/Base.lean": "theorem saved_gem (x : X) : f (g x) = x := sorry\n",
    "Top/Goal.lean": "",
    "lakefile.toml": 'name = "top"\n',
}
TEXT = f"""import Top.Base
-- version
--# goal x : X\\n⊢ {GOAL}
--# closes exact typed_gem x
--# closes exact written_gem x
--# closes exact saved_gem x
theorem goal (x : X) : {GOAL} := by
  sorry
"""


@asynccontextmanager
async def sidecar(folder: Path) -> AsyncIterator[Editor]:
    root = folder / "project"
    write(root, FILES)
    document = (root / "Top" / "Goal.lean").as_uri(), TEXT
    async with serving(folder, install(folder, rules=RULES), document) as editor:
        yield editor


async def closes(editor: Editor, folder: Path) -> list[str]:
    uri = (folder / "project" / "Top" / "Goal.lean").as_uri()
    version = next(VERSIONS)
    editor.change(
        version, {"text": TEXT.replace("version", f"version {version}")}, uri=uri
    )  # of the same version the answer is kept
    position = {"line": TEXT.split("\n").index("  sorry"), "character": 3}
    asked: Any = await editor.ask("tacit/suggest", {"textDocument": {"uri": uri}, "position": position, "budget": 30})
    return [each["tactic"] for each in asked["suggestions"] if each["verdict"] == "closes"]


async def until_closes(editor: Editor, folder: Path, tactic: str) -> None:
    """Ask until a tactic closes the goal: what is typed or written is read a moment later."""

    async def ask() -> None:
        while tactic not in await closes(editor, folder):
            pass

    await within(ask())


async def test_lemmas_of_other_files_are_premises_indexed_typed_and_written(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        await until_closes(editor, tmp_path, "exact saved_gem x")
        base = tmp_path / "project" / "Top" / "Base.lean"
        editor.open(FILES["Top/Base.lean"].replace("saved", "typed"), uri=base.as_uri())
        await until_closes(editor, tmp_path, "exact typed_gem x")
        assert "exact saved_gem x" not in await closes(editor, tmp_path)
        editor.notify("textDocument/didClose", {"textDocument": {"uri": base.as_uri()}})
        await until_closes(editor, tmp_path, "exact saved_gem x")
        base.write_text(FILES["Top/Base.lean"].replace("saved", "written"), encoding="utf-8")
        await until_closes(editor, tmp_path, "exact written_gem x")
