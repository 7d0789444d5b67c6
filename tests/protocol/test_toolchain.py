"""Lean's own sources in the real sidecar: those of the Lean that it starts, and of another once that is named."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.protocol.editor import Editor, editing, within
from tests.protocol.test_search import GEM, environment, names, project, until_found
from tests.unit.corpus import write


def toolchain(folder: Path, name: str) -> Path:
    """A Lean that some other way than elan installed, with one lemma in its sources; started it would say so."""
    prefix = folder / name
    write(prefix / "src" / "lean", {"Init.lean": "import Init.Core\n", "Init/Core.lean": GEM.format(f"{name}_gem")})
    write(prefix, {"bin/lean": f"#!/bin/sh\ntouch {folder}/started\nexit 1\n"})
    (prefix / "bin" / "lean").chmod(0o755)
    return prefix


@asynccontextmanager
async def sidecar(folder: Path, *arguments: str) -> AsyncIterator[Editor]:
    packaged = toolchain(folder, "packaged")
    (folder / "bin").mkdir()
    (folder / "bin" / "lean").symlink_to(packaged / "bin" / "lean")
    here = {"TACIT_LEAN": "", "TACIT_LEAN_SOURCES": "", "ELAN_HOME": str(folder / "elan")}
    here["PATH"] = f"{folder / 'bin'}:/usr/bin:/bin"
    command = (sys.executable, "-m", "tacit.server.cli", "serve", *arguments)
    async with editing(folder, *command, environment=environment(folder) | here) as editor:
        await editor.initialize(rootUri=project(folder).as_uri())
        yield editor
        await editor.shutdown()
        assert b"Traceback" not in editor.stderr, editor.stderr.decode()


async def test_sources_of_the_lean_on_the_path_then_of_the_one_that_settings_name(tmp_path: Path) -> None:
    other = toolchain(tmp_path, "other")
    async with sidecar(tmp_path) as editor:
        hit = await until_found(editor, "packaged_gem", "packaged_gem")
        assert (hit["package"], hit["module"]) == ("lean4", "Init.Core")
        assert "Group.mul_comm" in await names(editor, "mul_comm")
        change = {"settings": {"tacit": {"lean": {"path": str(other)}}}}
        editor.notify("workspace/didChangeConfiguration", change)
        await until_found(editor, "other_gem", "other_gem")
        assert "packaged_gem" not in await names(editor, "packaged_gem")
        editor.notify("workspace/didChangeConfiguration", {"settings": {"tacit": {"lean": {"path": ""}}}})
        await until_found(editor, "packaged_gem", "packaged_gem")
        await until_found(editor, "other_gem", "other_gem", gone=True)
    assert not (tmp_path / "started").exists(), "links lead to the sources: nobody has to be asked"


async def test_whoever_starts_the_sidecar_has_the_last_word(tmp_path: Path) -> None:
    named = toolchain(tmp_path, "named")
    async with sidecar(tmp_path, "--lean", str(named / "bin" / "lean")) as editor:
        await until_found(editor, "named_gem", "named_gem")
        change = {"settings": {"tacit": {"lean": {"path": str(tmp_path / "packaged")}}}}
        editor.notify("workspace/didChangeConfiguration", change)
        await within(editor.ask("tacit/status"))
        assert "named_gem" in await names(editor, "named_gem")
        assert "packaged_gem" not in await names(editor, "packaged_gem")
