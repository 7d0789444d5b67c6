"""Search from the goal at a place, in the real sidecar: what is usable there first, then what is to be imported."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.editor import Editor, Message, Refusal, serving, within
from tests.protocol.scripted_lean import install
from tests.protocol.test_search import OFF, build
from tests.unit.corpus import write

RULES = Path(__file__).with_name("lean_rules.py")
GOAL = "f (g x) = x"
FILES = {
    "Top/Base.lean": f"theorem saved_gem (x : X) : {GOAL} := sorry\n",
    "Top/Far.lean": f"theorem far_gem (x : X) : {GOAL} := sorry\n",
    "Top/Goal.lean": "",
    "lakefile.toml": 'name = "top"\n',
}
TEXT = f"""import Top.Base
--# goal x : X\\n⊢ {GOAL}
theorem above_gem (x : X) : {GOAL} := sorry

theorem goal_gem (x : X) : {GOAL} := by
  sorry

theorem below_gem (x : X) : {GOAL} := sorry
"""


@asynccontextmanager
async def sidecar(folder: Path) -> AsyncIterator[Editor]:
    root = folder / "project"
    write(root, FILES)
    build(folder)
    lean = install(folder, rules=RULES)
    async with serving(folder, lean, (uri(folder), TEXT), initializationOptions=OFF) as editor:
        yield editor


def uri(folder: Path) -> str:
    return (folder / "project" / "Top" / "Goal.lean").as_uri()


def at(folder: Path, line: str, text: str = TEXT) -> Message:
    """A search from the goal in the first line that is this one."""
    position = {"line": text.split("\n").index(line), "character": 3}
    return {"textDocument": {"uri": uri(folder)}, "position": position, "fromGoal": True}


async def until_all(editor: Editor, params: Message, names: set[str]) -> Message:
    """Ask until these are among the answers: what is open is read a moment later."""

    async def ask() -> Message:
        while True:
            answer: Message = await editor.ask("tacit/search", params)
            if names <= {each["name"] for each in answer["hits"]}:
                return answer

    found: Message = await within(ask())
    return found


async def test_what_is_ranked_for_the_goal_comes_first_and_then_what_is_to_be_imported(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        params = {"text": f"⊢ {GOAL}", "limit": 30} | at(tmp_path, "  sorry")
        answer = await until_all(editor, params, {"saved_gem", "above_gem", "far_gem"})
        hits = answer["hits"]
        assert [each["name"] for each in hits[2:]] == ["far_gem"]
        assert {each["name"]: (each["usable"], each["import"]) for each in hits} == {
            "saved_gem": (True, None),
            "above_gem": (True, None),
            "far_gem": (False, "Top.Far"),
        }
        (above,) = [each for each in hits if each["name"] == "above_gem"]
        assert above["location"] == {
            "uri": uri(tmp_path),
            "range": {"start": {"line": 2, "character": 8}, "end": {"line": 2, "character": 17}},
        }
        assert answer["notice"] == ""
        assert answer["total"] > 0
        # Without a text the goal's own is searched for.
        untold = await editor.ask("tacit/search", params | {"text": ""})
        assert {each["name"] for each in untold["hits"]} == {"saved_gem", "above_gem", "far_gem"}
        usable = await editor.ask("tacit/search", params | {"usableHere": True})
        assert {each["name"] for each in usable["hits"]} == {"saved_gem", "above_gem"}


async def test_what_is_typed_above_counts_at_once(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        params = {"text": ""} | at(tmp_path, "  sorry")
        await until_all(editor, params, {"saved_gem", "above_gem", "far_gem"})
        editor.change(2, {"text": TEXT.replace("above_gem", "typed_gem")}, uri=uri(tmp_path))
        names = {each["name"] for each in (await editor.ask("tacit/search", params))["hits"]}
        assert "typed_gem" in names
        assert "above_gem" not in names


async def test_where_there_is_no_goal_it_says_why_and_the_text_is_searched(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        await until_all(editor, {"text": "gem"}, {"saved_gem"})
        nowhere = at(tmp_path, "")
        answer: Any = await editor.ask("tacit/search", {"text": ""} | nowhere)
        said = await editor.ask("tacit/suggest", {each: nowhere[each] for each in ("textDocument", "position")})
        assert answer["hits"] == []
        assert answer["notice"] == said["notice"] != ""
        answer = await editor.ask("tacit/search", {"text": "saved_gem"} | nowhere)
        assert answer["notice"] == said["notice"]
        assert "saved_gem" in [each["name"] for each in answer["hits"]]


async def test_a_change_ends_a_search_from_a_goal(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        params = {"text": ""} | at(tmp_path, "  sorry") | {"textDocument": {"uri": uri(tmp_path), "version": 1}}
        _, asked = editor.begin("tacit/search", params)
        editor.change(2, {"text": TEXT + "\n"}, uri=uri(tmp_path))
        with pytest.raises(Refusal) as refusal:
            await within(asked)
        assert refusal.value.code == -32801


async def test_a_goal_needs_an_open_document_and_a_place(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        with pytest.raises(Refusal, match="needs textDocument and position") as refusal:
            await editor.ask("tacit/search", {"text": "", "fromGoal": True})
        assert refusal.value.code == -32602
        closed = {"textDocument": {"uri": "file:///closed.lean"}, "position": {"line": 0, "character": 0}}
        with pytest.raises(Refusal, match="is not open") as refusal:
            await editor.ask("tacit/search", {"text": "", "fromGoal": True} | closed)
        assert refusal.value.code == -32602
