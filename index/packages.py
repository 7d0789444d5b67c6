"""Finds the Lean packages behind a path and their files: a workspace and its dependencies, or any folder. Reads nothing
but lists of files and Lake's own.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tacit.index.build import Package
from tacit.index.source import Problem, Source

_MARKS = ("lakefile.toml", "lakefile.lean", "lake-manifest.json", "lean-toolchain")
_SKIPPED = frozenset({"build", "node_modules", "lake-packages", "__pycache__"})
_SHA = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Found:
    """A package, and what could not be looked at in its folder."""

    package: Package
    problems: tuple[Problem, ...] = ()


def find(path: Path) -> list[Found]:
    """The package that a folder or file belongs to, then those it depends on. None where there are no Lean files."""
    root = root_of(path)
    roots = [root, *_dependencies(root)]
    found = [_package(each) for each in dict.fromkeys(roots)]
    return [each for each in found if each.package.sources or each.problems]


def root_of(path: Path) -> Path:
    """The folder that modules of this path are named from."""
    path = path.resolve()
    folder = path if path.is_dir() else path.parent
    for each in (folder, *folder.parents):
        if any((each / mark).is_file() for mark in _MARKS):
            return each
    # The sources alone, without Lake's files: …/Mathlib is a module's first part, its parent the root.
    if folder.with_suffix(".lean").is_file():
        return folder.parent
    return folder.parent if folder.name == "Mathlib" else folder


def in_package(path: Path) -> bool:
    """Whether Lake's files say that a path is in a package."""
    folder = path.resolve()
    return any((each / mark).is_file() for each in (folder, *folder.parents) for mark in _MARKS)


def cache_folder() -> Path:
    """Where indexes are kept: $TACIT_CACHE, else `tacit` in the user's cache folder (XDG base directories)."""
    if named := os.environ.get("TACIT_CACHE"):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "tacit"


def index_path(package: Package) -> Path:
    """The index of a package: every project that uses this very copy of it shares it."""
    key = hashlib.blake2b(f"{package.root}\0{package.revision}".encode("utf-8", "surrogateescape"), digest_size=6)
    name = re.sub(r"[^\w.-]", "_", package.name) or "package"
    return cache_folder() / "index" / f"{name}-{key.hexdigest()}.db"


def _dependencies(root: Path) -> Iterator[Path]:
    manifest = _json(root / "lake-manifest.json")
    folder = root / str(manifest.get("packagesDir") or ".lake/packages")
    listed = manifest.get("packages")
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and isinstance(each.get("name"), str):
            where = root / each["dir"] if isinstance(each.get("dir"), str) else folder / each["name"].strip("«»")
            if where.is_dir():
                yield where.resolve()


def _package(root: Path) -> Found:
    problems: list[Problem] = []
    toolchain = ""
    with suppress(OSError):
        toolchain = (root / "lean-toolchain").read_text(encoding="utf-8", errors="replace").strip()
    sources = tuple(_sources(root, problems))
    # The files of a dependency do not change under a revision; those of a workspace do.
    revision = _revision(root) if root.parent.name == "packages" else ""
    return Found(Package(_name(root), root, sources, revision, toolchain), tuple(problems))


def _name(root: Path) -> str:
    if name := _toml(root / "lakefile.toml").get("name"):
        return str(name)
    if (root / "Mathlib").is_dir():
        return "mathlib"
    return str(_json(root / "lake-manifest.json").get("name") or root.name).strip("«»")


def _sources(root: Path, problems: list[Problem]) -> Iterator[Source]:
    def trouble(error: OSError) -> None:
        problems.append(Problem(str(error.filename), f"It could not be looked into: {error.strerror}."))

    libraries = _toml(root / "lakefile.toml").get("lean_lib")
    bases = {root / str(each.get("srcDir") or ".") for each in libraries or () if isinstance(each, dict)}
    # Links to folders are not followed: what they show is elsewhere, or a circle.
    for folder, folders, files in os.walk(root, onerror=trouble):
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each not in _SKIPPED)
        here = Path(folder)
        base = next((each for each in (here, *here.parents) if each in bases), root)
        for name in sorted(files):
            if name.endswith(".lean") and name != "lakefile.lean" and not name.startswith("."):
                path = here / name
                yield Source(".".join(path.relative_to(base).with_suffix("").parts), path)


def _revision(root: Path) -> str:
    with suppress(OSError):
        head = (root / ".git" / "HEAD").read_text(encoding="ascii", errors="replace").strip()
        if _SHA.fullmatch(head):
            return head
        found = (root / ".git" / head.removeprefix("ref: ")).read_text(encoding="ascii", errors="replace").strip()
        if _SHA.fullmatch(found):
            return found
    return ""


def _json(path: Path) -> dict[str, object]:
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


def _toml(path: Path) -> dict[str, list[object] | str]:
    with suppress(OSError, ValueError):
        return tomllib.loads(path.read_text(encoding="utf-8"))
    return {}
