"""Finds the Lean packages of a workspace and their source files, by looking alone: runs nothing, fetches nothing.

    found = find_packages(workspace_of(file), toolchain=prefix)      found.packages, found.problems
    package_at(path)                                                 a package, a folder of sources or one file

Sources of the formats: Lake's manifest (`Lake.Load.Manifest`), `lakefile.toml` (`Lake.Load.Toml`), `lakefile.lean`
(only what regular expressions can see: `lean_lib`, `srcDir`, `roots`, `@[default_target]`).
"""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tacit.index.files import content_of, real_path
from tacit.index.lexer import NAME, without_comments
from tacit.index.source import Problem, Source

SKIPPED = frozenset((".lake", ".git", "build", "lake-packages", "node_modules", "__pycache__", ".venv"))
"""Folders that hold no sources of the package around them."""
_LIBS = (".lake/build/lib/lean", ".lake/build/lib", "build/lib")
_LIB_OF_TOOLCHAIN = ("../../lib/lean", "../lib/lean", "../build/release/stage1/lib/lean")
LARGEST_LAKEFILE = 1 << 20
"""Bytes of a lakefile."""
TOOLCHAIN = "lean4"
"""The package name of the toolchain's own sources."""
_CORE = ("Init", "Std", "Lean", "Lake")
_BUILT_IN = re.compile(r"stage\d(?:\.5)?")
"""What the prefix of a Lean that was built in a checkout is called."""
_LAKEFILES = ("lakefile.toml", "lakefile.lean")
ROOT = 0
"""Whose files are nobody else's: the administrator's."""
_LIBRARY = re.compile(
    rf"(?P<default>@\[[^\]]*default_target[^\]]*\]\s*)?\blean_lib\s+(?P<name>\"[^\"]+\"|{NAME.pattern})"
    r"(?P<body>.*?)(?=\n(?:@\[|[a-z])|\Z)",
    re.DOTALL,
)
_SRC_DIR = re.compile(r'srcDir\s*:=\s*"([^"]*)"')
_ROOTS = re.compile(r"(?:roots|globs)\s*:=\s*#\[([^\]]*)\]")
_PACKAGE = re.compile(r"\bpackage\b(?P<body>.*?)(?=\n(?:@\[|[a-z])|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Library:
    """Modules that begin with one of `roots`, in files under `folder`."""

    folder: Path
    roots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Package:
    """Where a package is and which of its files count: not those in the folders `without`.

    `revision` is empty for a package that is worked on. Without libraries every file below the root counts, and is
    the module that its path below the nearest of `folders` (Lake's `srcDir`), or below the root, makes it.
    """

    name: str
    root: Path
    revision: str = ""
    libraries: tuple[Library, ...] = ()
    without: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()

    def sources(self, problems: list[Problem] | None = None) -> Iterator[Source]:
        """The Lean files; folders that cannot be listed become problems. Without libraries: every file below.

        Where Lean has built one, its `.ilean` is named too. A corpus that LeanDojo wrote is one source, of no module.
        """
        problems = problems if problems is not None else []
        if is_corpus(self.root):
            yield Source("", self.root)
            return
        built = [folder for each in self._built() if _is_dir(folder := self.root / each)]
        for source in self._sources(problems):
            yield replace(source, ilean=_ilean(source.module, built)) if built else source

    def _built(self) -> Sequence[str]:
        """Where Lake puts what it builds, seen from the root: since 2025, before, and before `.lake`."""
        return _LIB_OF_TOOLCHAIN if self.name == TOOLCHAIN else _LIBS

    def _sources(self, problems: list[Problem]) -> Iterator[Source]:
        seen: set[tuple[int, int]] = set()
        if not self.libraries:
            named: set[str] = set()
            for folder in self._bases():
                for source in _below(folder, folder, seen, problems, frozenset(self.without)):
                    if source.module not in named:  # what Lake takes for a module comes first
                        named.add(source.module)
                        yield source
        for library in self.libraries:
            for root in library.roots:
                path = library.folder.joinpath(*_components(root))
                if _is_file(path.with_name(f"{path.name}.lean")):
                    yield Source(root, path.with_name(f"{path.name}.lean"))
                if _is_dir(path):
                    yield from _below(path, library.folder, seen, problems)

    def _bases(self) -> list[Path]:
        """The folders that module names begin in, inner ones before those around them."""
        inner = {each for each in self.folders if each.is_relative_to(self.root) and each != self.root}
        return [*sorted((each for each in inner if _is_dir(each)), key=lambda each: -len(each.parts)), self.root]

    def places_of(self, module: str) -> list[Path]:
        """Where the file of a module may lie, without its suffix, whether it is there or not; the root comes last."""
        folders = [each.folder for each in self.libraries] or self._bases()
        return [folder.joinpath(*_components(module)) for folder in folders]

    def module_of(self, path: Path) -> str | None:
        """The module that a Lean file is here, whether it is there or not; None for one that does not count."""
        places = [(each.folder, each.roots) for each in self.libraries]
        for folder, roots in places or [(each, ()) for each in self._bases() if path.is_relative_to(each)][:1]:
            if not path.is_relative_to(folder) or path.suffix != ".lean" or path.name == "lakefile.lean":
                continue
            parts = path.relative_to(folder).with_suffix("").parts
            module = ".".join(map(_quoted, parts))
            above = [folder.joinpath(*parts[:count]) for count in range(1, len(parts))]
            if any(each.name in SKIPPED or each.suffix or each in self.without for each in above):
                continue
            if not roots or any(f"{module}.".startswith(f"{root}.") for root in roots):
                return module
        return None


@dataclass(slots=True)
class Found:
    """The packages of a workspace, its own first, and what was wrong on the way."""

    packages: list[Package] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add_toolchain(self, prefix: Path) -> None:
        """Lean's own sources, at the prefix of a toolchain; not again where they are what is worked on."""
        core = toolchain_sources(prefix)
        if core is None:
            says = "This toolchain has no sources (src/lean); TACIT_LEAN_SOURCES may name a folder that has."
            self.problems.append(Problem(str(prefix), says))
        elif core.root not in {Path(os.path.realpath(each.root)) for each in self.packages}:
            self.packages.append(core)


def is_corpus(path: Path) -> bool:
    """Whether a path is that of a LeanDojo `corpus.jsonl`."""
    return path.suffix == ".jsonl" and _is_file(path)


def _ilean(module: str, built: Sequence[Path]) -> Path | None:
    parts = _components(module)
    for folder in built:
        path = folder.joinpath(*parts[:-1], f"{parts[-1]}.ilean")
        if _is_file(path):
            return path
    return None


def workspace_of(path: Path) -> Path | None:
    """The folder of the Lake workspace that a file or folder is in; None outside any."""
    start = path if _is_dir(path) else path.parent
    above = [each for each in (start, *start.parents) if has_lakefile(each)]
    # A package below .lake/packages belongs to the workspace that has it there.
    outer = [each for each in above if ".lake" not in each.parts or each == start]
    return next(iter(outer or above), None)


def has_lakefile(folder: Path) -> bool:
    """Whether a folder is a Lake workspace. A lakefile is a program: one that anybody could have put there is none."""
    return any(_is_file(folder / name) and not _is_strange(folder / name) for name in _LAKEFILES)


def is_anybodys(folder: Path) -> bool:
    """Whether everybody on this machine may put files into a folder, as into /tmp."""
    try:
        return hasattr(os, "geteuid") and bool(folder.stat().st_mode & stat.S_IWOTH)
    except (OSError, ValueError):  # a name with a zero byte
        return False


def _is_strange(file: Path) -> bool:
    """Whether somebody else put a file into a folder that everybody may write to."""
    try:
        return is_anybodys(file.parent) and file.lstat().st_uid not in (os.geteuid(), ROOT)
    except OSError:
        return True


def find_packages(workspace: Path, toolchain: Path | None = None) -> Found:
    """The workspace itself, the packages of its manifest, and the sources of the toolchain at this prefix."""
    found = Found()
    manifest = workspace / "lake-manifest.json"
    found.packages.append(own_package(workspace, found.problems))
    for each in _manifest(manifest, found.problems):
        if real_path(workspace).is_relative_to(each.root):
            # All of the disk is such a folder.
            says = f"The package {each.name} is said to be in a folder around the workspace, and is left out."
            found.problems.append(Problem(str(manifest), says))
        elif _is_dir(each.root):
            found.packages.append(each)
        else:
            found.problems.append(Problem(str(each.root), f"The package {each.name} is not there: run `lake update`."))
    if not _is_file(manifest):
        listed = {real_path(each.root) for each in found.packages}
        for folder in _packages_folders(workspace, {}):
            for child in _children(folder, found.problems):
                root = folder / child.name
                if _is_dir(root) and real_path(root) not in listed:
                    found.packages.append(_package(child.name, root, "", found.problems))
    if toolchain is not None:
        found.add_toolchain(toolchain)
    return found


def own_package(workspace: Path, problems: list[Problem] | None = None) -> Package:
    """The workspace itself, as `find_packages` has it first, without a look at what it depends on."""
    without = tuple(_packages_folders(workspace, _json(workspace / "lake-manifest.json", [])))
    folders = tuple(dict.fromkeys(each.folder for each in _libraries(workspace, [], every=True)))
    name = _name_of(workspace, problems if problems is not None else [])
    return Package(name, workspace, without=without, folders=folders)


def packages_asked_for(workspace: Path) -> list[Package]:
    """What the workspace's manifest names, whether it is there or not."""
    return _manifest(workspace / "lake-manifest.json", [])


def package_at(path: Path) -> Package:
    """A Lake package, a folder of sources (module names from there), one file, or a corpus that LeanDojo wrote."""
    if is_corpus(path):
        return Package(path.stem, path)
    if _is_file(path):
        return Package(path.stem, path.parent, libraries=(Library(path.parent, (_quoted(path.stem),)),))
    if (core := toolchain_sources(path)) is not None:
        return core
    if any(_is_file(path / name) for name in _LAKEFILES):
        return _package(_name_of(path, []), path, "", [])
    return Package(path.name, path)


def toolchain_sources(prefix: Path) -> Package | None:
    """The sources of Lean itself under a toolchain's prefix, in a checkout, or in that around a build; or None."""
    prefix = Path(os.path.realpath(prefix))
    built = _BUILT_IN.fullmatch(prefix.name) is not None and len(prefix.parents) > 2
    checkout = [prefix.parents[2] / "src"] if built else []  # …/build/release/stage1
    for folder in (prefix / "src" / "lean", prefix / "src", prefix, *checkout):
        if _is_dir(folder / "Init") and _is_file(folder / "Init.lean"):
            folder = Path(os.path.realpath(folder))  # a build has a link to the sources it is of
            libraries = [Library(folder, tuple(name for name in _CORE if _is_dir(folder / name)))]
            if _is_dir(folder / "lake" / "Lake"):
                libraries.append(Library(folder / "lake", ("Lake",)))
            return Package(TOOLCHAIN, folder, _revision_of(prefix), tuple(libraries))
    return None


def _revision_of(prefix: Path) -> str:
    """Which Lean is installed at a prefix, as elan names its toolchains; empty for a checkout, which is worked on."""
    if "---" in prefix.name:
        return prefix.name.rpartition("---")[2]
    if _BUILT_IN.fullmatch(prefix.name):
        return ""
    try:
        said = content_of(prefix / "include" / "lean" / "version.h").decode()
    except (OSError, UnicodeDecodeError):
        return ""
    defined: dict[str, str] = dict(re.findall(r"^#define LEAN_(\w+) (.*)$", said, re.MULTILINE))
    number = ".".join(defined.get(f"VERSION_{part}", "0").strip() for part in ("MAJOR", "MINOR", "PATCH"))
    special = defined.get("SPECIAL_VERSION_DESC", "").strip(' "')
    if special.startswith("nightly"):
        return special
    return f"v{number}-{special}" if special else f"v{number}"


# The manifest.


def _manifest(path: Path, problems: list[Problem]) -> list[Package]:
    values = _json(path, problems)
    packages = []
    folders = _packages_folders(path.parent, values)
    entries = values.get("packages")
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        for kind in ("git", "path"):  # before version 5 one level deeper
            if isinstance(entry.get(kind), dict):
                entry = {"type": kind, **entry[kind]}
        name = str(entry.get("name", ""))
        if not all(_can_be_path(entry.get(key)) for key in ("name", "dir", "subDir", "rev")):
            problems.append(Problem(str(path), f"The manifest has a package {name[:80]!a} that no folder can be of."))
            continue
        plain = name.replace("«", "").replace("»", "")
        if entry.get("type") == "path":
            root = path.parent / str(entry.get("dir", ""))
        else:
            root = next((folder / plain for folder in folders if _is_dir(folder / plain)), folders[0] / plain)
            if entry.get("subDir"):
                root = root / str(entry["subDir"])
        if name:
            packages.append(_package(name, root, str(entry.get("rev", "") or ""), problems))
    return packages


def _can_be_path(said: object) -> bool:
    """Whether what a manifest says may be a part of a path: JSON and TOML can write what no file system can."""
    text = str(said)
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _packages_folders(workspace: Path, manifest: dict[str, Any]) -> list[Path]:
    own = manifest.get("packagesDir")
    folders = [str(own or "") if _can_be_path(own) else "", ".lake/packages", "lake-packages"]
    return [workspace / each for each in dict.fromkeys(folders) if each]


def _json(path: Path, problems: list[Problem]) -> dict[str, Any]:
    try:
        values = json.loads(content_of(path).decode())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        problems.append(Problem(str(path), f"The manifest cannot be read: {error}."))
        return {}
    return values if isinstance(values, dict) else {}


# The lakefile.


def _package(name: str, root: Path, revision: str, problems: list[Problem]) -> Package:
    # One package, one set of paths: those that an editor's are compared with, and that all its projects share.
    root = Path(os.path.realpath(root))  # Path.resolve raises where links go in a circle
    return Package(name, root, revision, tuple(_libraries(root, problems)))


def _name_of(root: Path, problems: list[Problem]) -> str:
    toml = _toml(root / "lakefile.toml", problems)
    if isinstance(toml.get("name"), str):
        return str(toml["name"])
    named = re.search(rf"\bpackage\s+(\"[^\"]+\"|{NAME.pattern})", _text(root / "lakefile.lean"))
    return named[1].strip('"«»') if named else real_path(root).name


def _toml(path: Path, problems: list[Problem]) -> dict[str, Any]:
    try:
        return tomllib.loads(content_of(path, LARGEST_LAKEFILE).decode())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        problems.append(Problem(str(path), f"The lakefile cannot be read: {error}."))
        return {}


def _text(path: Path) -> str:
    try:
        return without_comments(content_of(path, LARGEST_LAKEFILE).decode(errors="replace"))
    except OSError:
        return ""


def _libraries(root: Path, problems: list[Problem], *, every: bool = False) -> list[Library]:
    """The libraries that others import: the default ones, or all when none is; none when no lakefile tells."""
    found = _toml_libraries(root, _toml(root / "lakefile.toml", problems)) or _lean_libraries(root)
    chosen = [library for library, default in found if default and not every] or [library for library, _ in found]
    return [each for each in chosen if any(_exists(each, module) for module in each.roots)]


def _exists(library: Library, root: str) -> bool:
    path = library.folder.joinpath(*_components(root))
    return _is_dir(path) or _is_file(path.with_name(f"{path.name}.lean"))


def _toml_libraries(root: Path, values: dict[str, Any]) -> list[tuple[Library, bool]]:
    found = []
    defaults = values.get("defaultTargets", [])
    libraries = values.get("lean_lib")
    for each in libraries if isinstance(libraries, list) else ():
        if isinstance(each, dict) and isinstance(each.get("name"), str):
            named = each["roots"] if isinstance(each.get("roots"), list) else [each["name"]]
            folder = root / str(values.get("srcDir", "")) / str(each.get("srcDir", ""))
            roots = tuple(_plain_root(name) for name in named if isinstance(name, str))
            found.append((Library(folder, roots), isinstance(defaults, list) and each["name"] in defaults))
    return found


def _lean_libraries(root: Path) -> list[tuple[Library, bool]]:
    text = _text(root / "lakefile.lean")
    package = _PACKAGE.search(text)
    base = _SRC_DIR.search(package["body"]) if package else None
    found = []
    for library in _LIBRARY.finditer(text):
        folder = _SRC_DIR.search(library["body"])
        roots = _ROOTS.search(library["body"])
        names = [each for part in roots[1].split(",") if (each := _plain_root(part))] if roots else []
        path = root / (base[1] if base else "") / (folder[1] if folder else "")
        chosen = tuple(names) or (_plain_root(library["name"]),)
        found.append((Library(path, chosen), library["default"] is not None))
    return found


def _plain_root(text: str) -> str:
    """A module from `` `Foo.Bar``, `"Foo"`, `.submodules `Foo`, `Foo.*` or `Foo.+`."""
    text = text.strip().strip('"').rstrip("*+").rstrip(".")
    named = NAME.search(text.rpartition("`")[2])
    return named[0] if named else ""


# The files.


def _components(module: str) -> list[str]:
    return [part.strip("«»") for part in re.findall(r"«[^»]*»|[^.]+", module)]


def _quoted(component: str) -> str:
    return component if NAME.fullmatch(component) and "." not in component else f"«{component}»"


def _is_dir(path: Path) -> bool:
    """Whether this is a folder; no for one that may not be looked at, where `Path.is_dir` raises."""
    return os.path.isdir(path)  # noqa: PTH112


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113


def _children(folder: Path, problems: list[Problem]) -> Sequence[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda each: each.name)
    except FileNotFoundError:
        return ()
    except OSError as error:
        problems.append(Problem(str(folder), f"The folder cannot be listed: {error.strerror or error}."))
        return ()


def _below(
    folder: Path,
    base: Path,
    seen: set[tuple[int, int]],
    problems: list[Problem],
    without: frozenset[Path] = frozenset(),
) -> Iterator[Source]:
    """The Lean files below a folder; a folder that links lead to twice is listed once."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            status = here.stat()
        except OSError as error:
            problems.append(Problem(str(here), f"The folder cannot be read: {error.strerror or error}."))
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        if not _is_text(str(here)):
            problems.append(Problem(ascii(str(here)), "The folder's name is not UTF-8: Lean imports nothing from it."))
            continue
        above = "".join(f"{_quoted(part)}." for part in here.relative_to(base).parts)
        folders = []
        for child in _children(here, problems):
            path = here / child.name
            if path.suffix == ".lean":
                if child.name == "lakefile.lean" or not _leads_to(child.is_file):
                    continue
                if _is_text(child.name):
                    yield Source(above + _quoted(path.stem), path)
                else:
                    problems.append(Problem(ascii(child.path), "The file's name is not UTF-8: Lean cannot import it."))
            elif child.name not in SKIPPED and not path.suffix and path not in without and _leads_to(child.is_dir):
                folders.append(path)
        waiting += reversed(folders)


def _leads_to(kind: Callable[[], bool]) -> bool:
    """Whether an entry is of a kind; a link that leads in a circle is of none."""
    try:
        return kind()
    except OSError:
        return False


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
