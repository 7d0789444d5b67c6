"""Pipes, endless devices, folders and circles of links where a Lean project has files: nothing waits for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.protocol.test_search import GEM, document, names, project, search, sidecar, until_found


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


@pytest.mark.parametrize("name", ["lake-manifest.json", "lakefile.lean", "lakefile.toml", "lean-toolchain"])
async def test_a_pipe_in_the_place_of_a_plan_holds_up_nothing(tmp_path: Path, name: str) -> None:
    root = project(tmp_path)
    pipe(root / name)
    if name == "lakefile.toml":
        (root / "lakefile.lean").write_text("package top\n", encoding="utf-8")
    async with sidecar(tmp_path, root=root) as editor:
        await until_found(editor, "mul_comm", "Group.mul_comm")
        assert await editor.shutdown() == 0


async def test_what_is_no_file_and_is_called_lean_holds_up_nothing(tmp_path: Path) -> None:
    root = project(tmp_path)
    top = root / "Top"
    pipe(top / "Before.lean")
    (top / "Folder.lean").mkdir()
    (top / "Circle.lean").symlink_to("Circle.lean")
    (top / "Endless.lean").symlink_to("/dev/zero")
    async with sidecar(tmp_path, root=root) as editor:
        await until_found(editor, "mul_comm", "Group.mul_comm")
        pipe(top / "After.lean")
        (top / "EndlessToo.lean").symlink_to("/dev/zero")
        for number in range(12):  # more than there are threads
            pipe(top / f"Asked{number}.lean")
            await search(editor, "mul_comm", **document(top / f"Asked{number}.lean"))
            await search(editor, "mul_comm", **document(top / "Endless.lean"))
        editor.open(GEM.format("over_a_pipe"), uri=(top / "After.lean").as_uri())
        await until_found(editor, "over_a_pipe", "over_a_pipe")
        editor.notify("textDocument/didClose", {"textDocument": {"uri": (top / "After.lean").as_uri()}})
        (top / "New.lean").write_text(GEM.format("beside_pipes"), encoding="utf-8")
        await until_found(editor, "beside_pipes", "beside_pipes")
        assert await editor.shutdown() == 0


async def test_a_file_that_becomes_a_folder_is_found_no_more(tmp_path: Path) -> None:
    root = project(tmp_path)
    async with sidecar(tmp_path, root=root) as editor:
        await until_found(editor, "mul_comm", "Group.mul_comm")
        algebra = root / "Top" / "Algebra.lean"
        algebra.unlink()
        algebra.mkdir()
        await until_found(editor, "mul_comm", "Group.mul_comm", gone=True)
        assert "IsCompact" in await names(editor, "compact")
