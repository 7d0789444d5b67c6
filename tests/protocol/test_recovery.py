"""The real sidecar while its index is damaged or deleted, and its workspace moved away: it recovers by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.protocol.editor import Editor, within
from tests.protocol.test_search import GEM, build, indexes, names, project, search, sidecar, state, until_found


async def until_said(editor: Editor, sentence: str) -> None:
    """Ask for the state of the index until it says so."""

    async def ask() -> None:
        while sentence not in (await state(editor))["sentence"]:
            pass

    await within(ask())


async def until_idle(editor: Editor) -> None:
    async def ask() -> None:
        while (await state(editor))["state"] != "idle":
            pass

    await within(ask())


async def test_an_index_that_is_damaged_while_it_is_open_is_made_anew(tmp_path: Path) -> None:
    root = project(tmp_path)
    build(tmp_path)
    async with sidecar(tmp_path, root=root) as editor:
        await until_found(editor, "compact", "IsCompact")
        await until_idle(editor)
        (index,) = indexes(tmp_path)
        content = index.read_bytes()
        for suffix in ("-wal", "-shm"):
            index.with_name(index.name + suffix).unlink(missing_ok=True)
        index.unlink()
        index.write_bytes(content[:4096] + bytes(len(content) - 4096))
        await search(editor, "mul_comm")  # from what there is, or nothing and why
        await until_found(editor, "compact", "IsCompact")
        await until_found(editor, "mul_comm", "Group.mul_comm")
        assert (await state(editor))["sentence"] == ""
        assert await editor.shutdown() == 0


async def test_a_cache_that_is_deleted_is_filled_again(tmp_path: Path) -> None:
    root = project(tmp_path)
    build(tmp_path)
    async with sidecar(tmp_path, root=root) as editor:
        await until_found(editor, "compact", "IsCompact")
        await until_idle(editor)
        shutil.rmtree(tmp_path / "cache")
        assert "IsCompact" in await names(editor, "compact")
        await editor.until(lambda: indexes(tmp_path))
        await until_idle(editor)
        assert "IsCompact" in await names(editor, "compact")
        assert (await state(editor))["sentence"] == ""
        assert await editor.shutdown() == 0


async def test_a_workspace_that_is_moved_away_is_searched_and_followed_once_it_is_back(tmp_path: Path) -> None:
    root = project(tmp_path)
    away = tmp_path / "elsewhere"
    async with sidecar(tmp_path, root=root) as editor:
        await until_found(editor, "compact", "IsCompact")
        root.rename(away)
        await until_said(editor, f"There is no folder {root} any more")
        assert "IsCompact" in await names(editor, "compact")
        (away / "Top" / "Meanwhile.lean").write_text(GEM.format("gem_meanwhile"), encoding="utf-8")
        away.rename(root)
        await until_found(editor, "gem_meanwhile", "gem_meanwhile")
        assert (await state(editor))["sentence"] == ""
        (root / "Top" / "Later.lean").write_text(GEM.format("gem_later"), encoding="utf-8")
        await until_found(editor, "gem_later", "gem_later")
        assert await editor.shutdown() == 0


async def test_a_workspace_that_another_takes_the_place_of_is_followed(tmp_path: Path) -> None:
    root = project(tmp_path)
    async with sidecar(tmp_path, root=root) as editor:
        await until_found(editor, "compact", "IsCompact")
        await until_idle(editor)
        kept = tmp_path / "kept"
        shutil.copytree(root, kept)
        shutil.rmtree(root)
        root.write_text("no folder\n", encoding="utf-8")
        await until_said(editor, f"There is no folder {root} any more")
        root.unlink()
        root.symlink_to("project")  # a circle
        await names(editor, "compact")
        root.unlink()
        kept.rename(root)  # times and all: nothing says that these files are new
        await until_found(editor, "mul_comm", "Group.mul_comm")
        await until_found(editor, "compact", "IsCompact")
        (root / "Top" / "Other.lean").write_text(GEM.format("gem_other"), encoding="utf-8")
        await until_found(editor, "gem_other", "gem_other")
        (root / "Top" / "Later.lean").write_text(GEM.format("gem_later"), encoding="utf-8")
        await until_found(editor, "gem_later", "gem_later")
        assert await editor.shutdown() == 0
