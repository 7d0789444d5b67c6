"""`tacit index add-mathlib`: fetches Mathlib's sources for a version of Lean and indexes them."""

from __future__ import annotations

import re
from pathlib import Path

from tacit.index.packages import packages_asked_for, workspace_of
from tacit.index.places import MATHLIB, fetched_folder, index_of, packages_behind, places
from tacit.server.command import stop_cleanly
from tacit.server.errors import BadInput
from tacit.server.index_command import build_places
from tacit.server.mathlib_sources import Wanted, fetch, tag_of
from tacit.server.terminal import Terminal, sparing


def add_mathlib(
    terminal: Terminal, *, lean: str, revision: str, url: str, vectors: bool = True, as_json: bool = False
) -> int:
    """Run the command. Where neither version nor revision is given, the workspace says which."""
    stop_cleanly()
    wanted = Wanted(revision, url, is_tag=False) if revision else Wanted(tag_of(lean), url) if lean else None
    folder = None
    if wanted is None:
        workspace = workspace_of(Path.cwd())
        folder = _present(workspace) if workspace is not None else None
        if folder is not None:
            terminal.note(f"This project has Mathlib's sources already, in {folder}.")
        else:
            wanted = _of(workspace, url)
    if wanted is not None:
        folder = fetched_folder(MATHLIB, wanted.revision)
        if folder.is_dir():
            terminal.note(f"Mathlib {wanted.revision} is here already, in {folder}.")
        else:
            with terminal.measured(f"Mathlib {wanted.revision}") as progress:
                fetch(wanted, folder, sparing(progress))
            terminal.note(f"Mathlib {wanted.revision} is in {folder}.")
    assert folder is not None
    own = index_of(packages_behind(folder)[0][0])
    found = [each for each in places(folder) if each.index == own]
    return build_places(terminal, found, anew=False, vectors=vectors, as_json=as_json)


def _present(workspace: Path) -> Path | None:
    for each in packages_asked_for(workspace):
        if each.name == MATHLIB and (each.root / "Mathlib").is_dir():
            return each.root
    return None


def _of(workspace: Path | None, url: str) -> Wanted:
    """Exactly the commit that the project's manifest names, else the tag of its version of Lean."""
    hint = "Name a version: tacit index add-mathlib --lean 4.27.0."
    if workspace is None:
        raise BadInput("Outside a Lean project nothing says which Mathlib is wanted.", hint=hint)
    for each in packages_asked_for(workspace):
        if each.name == MATHLIB and re.fullmatch(r"[0-9a-f]{40}", each.revision):
            return Wanted(each.revision, url, is_tag=False)
    try:
        toolchain = (workspace / "lean-toolchain").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"{workspace} has no lean-toolchain that says which Lean it is for.", hint=hint) from None
    return Wanted(tag_of(toolchain), url)
