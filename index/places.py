"""Says which packages are behind a path, what of each is to be indexed, and where its index lies. Nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tacit.index.build import Corpus
from tacit.index.encoder import cache_folder
from tacit.index.files import LARGEST_NAME, content_of, real_path
from tacit.index.packages import (
    TOOLCHAIN,
    Found,
    Package,
    find_packages,
    is_corpus,
    package_at,
    packages_asked_for,
    workspace_of,
)
from tacit.index.source import Problem
from tacit.index.toolchain import toolchain_of

MATHLIB = "mathlib"
ABOUT = "tacit-source.json"
"""Beside sources that Tacit fetched: which revision they are, and where from."""


@dataclass(slots=True)
class Place:
    """What to index of one package, where the index is, and what could not be looked at."""

    corpus: Corpus
    index: Path
    problems: list[Problem] = field(default_factory=list)


def packages_behind(path: Path, lean: str = "") -> tuple[list[Package], list[Problem]]:
    """A path's own package, then those that it depends on and its toolchain's sources. Lists no files.

    `lean` is what the settings name as Lean. It may be asked where it lies: not for an event loop.
    """
    path = real_path(path)
    workspace = None if is_corpus(path) else workspace_of(path)
    if workspace is not None:
        found = find_packages(workspace, toolchain_of(workspace, lean))
        here = {each.name for each in found.packages}
        # What MATHLIB names is searched besides, by whoever asks for it.
        if (
            MATHLIB not in here
            and not os.environ.get("MATHLIB")
            and (mathlib := fetched_mathlib(workspace)) is not None
        ):
            found.packages.append(replace(package_at(mathlib), revision=_fetched_revision(mathlib)))
        # Named by its own path or by the project that depends on it, a package has one index.
        revision = _fetched_revision(workspace) if workspace.parent == fetched() else _revision_above(workspace)
        found.packages[0] = replace(found.packages[0], revision=revision)
        return found.packages, found.problems
    # The sources alone, without Lake's files: …/Mathlib is the first part of its modules' names.
    found = Found([package_at(path.parent if path.name == "Mathlib" and path.is_dir() else path)])
    alone = not path.is_dir() or found.packages[0].name == TOOLCHAIN
    if not alone and (toolchain := toolchain_of(path, lean)) is not None:
        found.add_toolchain(toolchain)
    return found.packages, found.problems


def index_of(package: Package) -> Path:
    """Where the index of a package is."""
    return index_path(package.name, real_path(package.root), package.revision)


def places(path: Path, lean: str = "") -> list[Place]:
    """A path's own package, then those that it depends on and its toolchain's sources; only what has Lean files.

    `lean` is what the settings name as Lean.
    """
    path = real_path(path)
    workspace = workspace_of(path)
    packages, problems = packages_behind(path, lean)
    toolchain = _toolchain(workspace or path)
    some = []
    for each in packages:
        trouble: list[Problem] = []
        sources = tuple(each.sources(trouble))
        root = real_path(each.root)
        if sources or trouble:
            corpus = Corpus(each.name, root, sources, each.revision, toolchain)
            some.append(Place(corpus, index_path(each.name, root, each.revision), trouble))
    if some:
        some[0].problems[:0] = problems
    return some


def fetched_folder(name: str, revision: str) -> Path:
    """Where the sources of a package that Tacit fetched itself are put."""
    return fetched() / f"{name}-{re.sub(r'[^A-Za-z0-9_.-]', '_', revision)}"


def fetched_mathlib(workspace: Path) -> Path | None:
    """The Mathlib that was fetched as the workspace asks for it, else for its Lean, else for the newest; or None."""
    lean = _toolchain(workspace)
    asked = {each.revision for each in packages_asked_for(workspace) if each.name == MATHLIB}
    found = [each for each in fetched().glob(f"{MATHLIB}-*") if each.is_dir()]
    return max(
        found,
        key=lambda each: (_fetched_revision(each) in asked, _toolchain(each) == lean, _version(each), each),
        default=None,
    )


def traced_corpus(repository: Path) -> Path:
    """Where what LeanDojo traced in a repository is put to be indexed."""
    root = real_path(repository)
    return cache_folder() / "traced" / index_path(root.name, root, "").stem / "corpus.jsonl"


def fetched() -> Path:
    """Where the sources lie that Tacit fetched itself."""
    return real_path(cache_folder() / "sources")


def _revision_above(package: Path) -> str:
    """What the manifest of the project says of a package in its packages folder; empty for any other folder."""
    parent = package.parent
    project = parent.parent.parent if parent.parts[-2:] == (".lake", "packages") else parent.parent
    if parent.name not in ("packages", "lake-packages"):
        return ""
    return next((each.revision for each in packages_asked_for(project) if real_path(each.root) == package), "")


def _fetched_revision(folder: Path) -> str:
    try:
        return str(json.loads(content_of(folder / ABOUT).decode())["revision"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def _toolchain(folder: Path) -> str:
    try:
        return content_of(folder / "lean-toolchain", LARGEST_NAME).decode().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", _toolchain(folder).rpartition(":")[2]))


def indexes() -> Sequence[Path]:
    """Every index there is."""
    return sorted((cache_folder() / "index").glob("*.db"))


def index_path(name: str, root: Path, revision: str) -> Path:
    """The index of a package: every project that uses this very copy of it shares it."""
    key = hashlib.blake2b(f"{root}\0{revision}".encode("utf-8", "surrogateescape"), digest_size=6)
    return cache_folder() / "index" / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', name) or 'package'}-{key.hexdigest()}.db"
