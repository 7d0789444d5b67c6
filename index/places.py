"""Says which packages are behind a path, what of each is to be indexed, and where its index lies. Nothing else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tacit.index.build import Corpus
from tacit.index.encoder import cache_folder
from tacit.index.packages import Package, elan_toolchain, find_packages, package_at, workspace_of
from tacit.index.source import Problem


@dataclass(slots=True)
class Place:
    """What to index of one package, where the index is, and what could not be looked at."""

    corpus: Corpus
    index: Path
    problems: list[Problem] = field(default_factory=list)


def packages_behind(path: Path) -> tuple[list[Package], list[Problem]]:
    """A path's own package, then those that it depends on and its toolchain's sources. Lists no files."""
    path = path.resolve()
    workspace = workspace_of(path)
    if workspace is not None:
        found = find_packages(workspace, elan_toolchain(workspace))
        return found.packages, found.problems
    # The sources alone, without Lake's files: …/Mathlib is the first part of its modules' names.
    return [package_at(path.parent if path.name == "Mathlib" and path.is_dir() else path)], []


def index_of(package: Package) -> Path:
    """Where the index of a package is."""
    return index_path(package.name, package.root.resolve(), package.revision)


def places(path: Path) -> list[Place]:
    """A path's own package, then those that it depends on and its toolchain's sources; only what has Lean files."""
    path = path.resolve()
    workspace = workspace_of(path)
    packages, problems = packages_behind(path)
    toolchain = ""
    with suppress(OSError, UnicodeDecodeError):
        toolchain = ((workspace or path) / "lean-toolchain").read_text(encoding="utf-8").strip()
    some = []
    for each in packages:
        trouble: list[Problem] = []
        sources = tuple(each.sources(trouble))
        root = each.root.resolve()
        if sources or trouble:
            corpus = Corpus(each.name, root, sources, each.revision, toolchain)
            some.append(Place(corpus, index_path(each.name, root, each.revision), trouble))
    if some:
        some[0].problems[:0] = problems
    return some


def indexes() -> Sequence[Path]:
    """Every index there is."""
    return sorted((cache_folder() / "index").glob("*.db"))


def index_path(name: str, root: Path, revision: str) -> Path:
    """The index of a package: every project that uses this very copy of it shares it."""
    key = hashlib.blake2b(f"{root}\0{revision}".encode("utf-8", "surrogateescape"), digest_size=6)
    return cache_folder() / "index" / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', name) or 'package'}-{key.hexdigest()}.db"
