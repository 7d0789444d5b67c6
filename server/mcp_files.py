"""Which files an agent may name: Lean files below the folders that it was given. Reads them; writes nothing."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tacit.index.packages import own_package
from tacit.server.errors import BadInput
from tacit.server.lean.syntax import commands_of, imports
from tacit.server.mirror import path_of
from tacit.server.patch import LeanFile, shown_path

LARGEST = 10_000_000
"""Bytes of a file that is read."""
BUILT = (".lake/build/lib/lean", ".lake/build/lib", "build/lib")
"""Where Lake puts what it has built, below a workspace."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Folders whose Lean files may be opened, without links in their names. A relative name is looked for in each."""

    paths: tuple[Path, ...] = ()

    @classmethod
    def of(cls, paths: Iterable[Path]) -> Folders:
        """These folders; the root of a file system is none, for it would allow everything."""
        real = (each.expanduser().resolve() for each in paths)
        return cls(tuple(dict.fromkeys(each for each in real if each != each.parent)))

    def read(self, name: str) -> LeanFile:
        """The file of a name: a path, or a `file:` URI. Raises BadInput with what to do."""
        if not self.paths:
            raise BadInput("No folder may be opened.", hint="Start the server with one: `tacit mcp FOLDER`.")
        path = path_of(name) if name.startswith("file:") else Path(name)
        if path is None or "\0" in name or not name.strip():
            raise BadInput(f"{name!r} names no file.", hint="Give the path of a Lean file.")
        if path.suffix != ".lean":
            raise BadInput(f"{name} is no Lean file.", hint="Name one that ends in .lean.")
        outside = False
        for folder in self.paths:
            found = folder / path  # an absolute path stands for itself
            try:
                real = found.resolve()
            except (OSError, RuntimeError) as error:  # a loop of links
                raise BadInput(f"{name} cannot be looked at.", hint="Name another file.") from error
            if not any(real.is_relative_to(each) for each in self.paths):
                outside = True
            elif (status := _status(real)) is not None:
                return replace(_read(found, status), shown=self._name(found))
        where = ", ".join(map(str, self.paths))
        if outside:
            raise BadInput(
                f"{name} lies outside of the folders that may be opened ({where}).",
                hint="Start the server with the folder it is in: `tacit mcp FOLDER`.",
            )
        raise BadInput(f"There is no file {name} in {where}.", hint="Give its path from there, or its whole path.")

    def _name(self, path: Path) -> str:
        """A file as an agent may name it: from a folder, where no other file has that name from one before it."""
        for folder in self.paths:
            if path.is_relative_to(folder):
                name = path.relative_to(folder)
                first = next((each / name for each in self.paths if (each / name).is_file()), path)
                return str(name if first.samefile(path) else path)
        return str(path)


def _status(path: Path) -> tuple[int, int] | None:
    """The mode and size of a file; None where there is none. Raises BadInput where it may not be looked at."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise BadInput(f"{path} cannot be looked at: {error.strerror}.", hint="Name another file.") from error
    return found.st_mode, found.st_size


def _read(path: Path, status: tuple[int, int]) -> LeanFile:
    mode, size = status
    if not stat.S_ISREG(mode):
        raise BadInput(f"{shown_path(path)} is no file that can be read.", hint="Name a Lean file.")
    if size > LARGEST:
        raise BadInput(f"{shown_path(path)} is larger than {LARGEST:,} bytes.", hint="Name a smaller file.")
    return LeanFile.read(path)


def imported_state(file: LeanFile, workspace: Path | None) -> tuple[object, ...]:
    """Another value when a module of the workspace that a file imports was written or built since.

    A Lean process has read its imports once. Those of other packages are taken not to change.
    """
    if workspace is None:
        return ()
    found: list[object] = []
    own = own_package(workspace)
    for module in imports(commands_of(file.text).header()):
        places = own.places_of(module)
        name = places[-1].relative_to(own.root)
        sources = [each.with_name(f"{each.name}.lean") for each in places]
        objects = [(own.root / folder / name).with_name(f"{name.name}.olean") for folder in BUILT]
        for place in (*sources, *objects):
            try:
                status = place.stat()
            except (OSError, ValueError):
                continue
            found.append((str(place), status.st_mtime_ns, status.st_size))
    return tuple(found)
