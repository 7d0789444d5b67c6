"""The name of the module that a file is, as its workspace has it. Nothing else."""

from __future__ import annotations

from pathlib import Path

from tacit.index.files import real_path


def module_at(path: Path | None) -> str:
    """The module of a Lean file in its Lake workspace, as an index has it; empty outside one. Looks at the disk."""
    from tacit.index.packages import own_package, workspace_of

    path = real_path(path) if path is not None else None
    workspace = workspace_of(path) if path is not None else None
    if path is None or workspace is None:
        return ""
    return own_package(workspace).module_of(path) or ""
