"""Takes indexes of packages out of a file that another machine wrote, and that nobody need trust.

A ZIP file with `manifest.json` (what the packages are; size and SHA-256 of every other member) and for each package
`<n>/words.db`, a store whose paths are relative to the package, and where there are vectors `<n>/vectors.ids`, `.keys`
and `.codes`, plain arrays of 8-byte and 1-byte numbers. Nothing is unpacked under a name that the file chooses.
`tacit.index.packing` writes it.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from tacit.index import vectors
from tacit.index.build import READING, alone, remove_store, take_place
from tacit.index.soundness import expected, is_portable, is_safe, is_sound, objects
from tacit.index.store import SCHEMA_VERSION

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = 1
MANIFEST = "manifest.json"
LARGEST_MANIFEST = 4_000_000
LARGEST = 32_000_000_000
"""Bytes of a member. A hundred times today's Mathlib."""
SPARE = 64_000_000
"""Bytes that stay free on a disk."""
CHUNK = 1 << 20
_FINGERPRINT = re.compile(r"[0-9A-Za-z_-]{1,80}")
_DIGEST = re.compile(r"[0-9a-f]{64}")

Progress = Callable[[str, int, int], None]


class ArchiveError(Exception):
    """This archive cannot be written or used; the message is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in the archive."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class PackedVectors:
    """The vectors of a package and the encoder that made them."""

    encoder: str
    fingerprint: str
    dimension: int
    low: float
    width: float
    ids: Member
    keys: Member
    codes: Member


@dataclass(frozen=True, slots=True)
class Packed:
    """A package of an archive."""

    name: str
    revision: str
    toolchain: str
    schema: str
    analysis: str
    files: int
    premises: int
    words: Member
    vectors: PackedVectors | None = None


class Archive:
    """An archive that is open and whose manifest makes sense. Its members are checked as they are taken out."""

    def __init__(self, path: Path, file: zipfile.ZipFile, packages: Sequence[Packed]) -> None:
        self.path = path
        self.packages = tuple(packages)
        self._file = file

    def unpack_words(self, packed: Packed, place: Path, root: Path | None, progress: Progress) -> None:
        """Write the store to `place`, a new file; its package is at `root`, or not on this machine. ArchiveError."""
        try:
            with place.open("xb") as file:
                self._copy(packed.words, file, progress)
            self._check(packed, place, progress)
            with closing(sqlite3.connect(place)) as database:
                _at_root(database, root)
        except (OSError, sqlite3.Error) as error:
            said = error.strerror if isinstance(error, OSError) else None
            raise ArchiveError(f"The index was not written: {said or error}.") from error

    def vectors(self, packed: Packed, progress: Progress) -> vectors.Plain | None:
        """The vectors of a package, if it has any. ArchiveError."""
        import numpy as np

        if (about := packed.vectors) is None:
            return None
        arrays: list[NDArray[np.int64] | NDArray[np.uint8]] = []
        for member, kind, columns in ((about.ids, "<i8", 2), (about.keys, "<i8", 1), (about.codes, "u1", 0)):
            memory = _Memory(bytearray())
            self._copy(member, memory, progress)
            columns = columns or about.dimension
            if len(memory.content) % (np.dtype(kind).itemsize * columns):
                raise self._bad("holds vectors that are cut off")
            array = np.frombuffer(memory.content, dtype=kind)
            arrays.append(array.reshape(-1, columns) if columns > 1 or kind == "u1" else array)
        ids, keys, codes = arrays
        if len(keys) != len(codes) or len(np.unique(keys)) != len(keys) or len(np.unique(ids[:, 0])) != len(ids):
            raise self._bad("holds vectors that do not fit together")
        manifest = vectors.Manifest(
            vectors.SCHEMA, about.encoder, about.fingerprint, about.dimension, len(ids), complete=False
        )
        return vectors.Plain(
            manifest,
            (about.low, about.width),
            ids.astype(np.int64),
            keys.astype(np.int64),
            codes.astype(np.uint8),
        )

    def _bad(self, what: str) -> ArchiveError:
        return ArchiveError(f"{self.path.name} {what} and was not imported.")

    def _copy(self, member: Member, file: IO[bytes] | _Memory, progress: Progress) -> None:
        digest = hashlib.sha256()
        done = 0
        try:
            with self._file.open(member.name) as source:
                # One byte too many is enough to know; a member may unpack to any size.
                while chunk := source.read(min(CHUNK, member.size - done + 1)):
                    done += len(chunk)
                    if done > member.size:
                        break
                    digest.update(chunk)
                    file.write(chunk)
                    progress("unpacking", done, member.size)
        except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
            raise self._bad(f"is damaged ({str(error) or 'it ends too soon'})") from error
        if done != member.size or digest.hexdigest() != member.sha256:
            raise self._bad(f"is damaged ({member.name} is not what its checksum says)")

    def _check(self, packed: Packed, place: Path, progress: Progress) -> None:
        """Let nothing in but a store of ours, whole: whoever opens it later trusts it."""
        try:
            with closing(sqlite3.connect(f"{place.absolute().as_uri()}?mode=ro", uri=True)) as database:
                for pragma in ("trusted_schema = 0", "cell_size_check = 1", "query_only = 1"):
                    database.execute(f"PRAGMA {pragma}")
                # Triggers, views and columns that compute something would run when others read or write.
                if objects(database) != expected():
                    raise other_version(self.path)
                progress("checking", 0, 3)
                if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                    raise self._bad("holds a damaged index")
                progress("checking", 1, 3)
                if not is_sound(database) or not is_portable(database):
                    raise self._bad("holds an index that contradicts itself")
                progress("checking", 2, 3)
                said = dict(database.execute("SELECT key, value FROM manifest"))
                if said.get("reading") != READING:
                    raise other_version(self.path)
                counts = [database.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("files", "premises")]
        except (sqlite3.Error, ValueError) as error:
            raise self._bad(f"holds a damaged index ({error})") from error
        about = (packed.schema, packed.analysis, packed.name, packed.revision, packed.toolchain)
        here = [said.get(key, "") for key in ("schema", "analysis", "package", "revision", "toolchain")]
        if about != tuple(here) or counts != [packed.files, packed.premises]:
            raise self._bad("holds another index than it says")


@dataclass(slots=True)
class _Memory:
    content: bytearray

    def write(self, chunk: bytes) -> None:
        self.content += chunk


def import_words(archive: Archive, packed: Packed, place: Path, root: Path | None, progress: Progress) -> None:
    """Let a package's index be the one at `place`; the old one answers until then, and stays where this fails.

    Raises ArchiveError; Busy where somebody else is building it.
    """
    if not room_for(packed, place.parent):
        raise ArchiveError(
            f"{packed.name} takes {size_of(packed) / 1e6:,.0f} MB, and the disk of {place.parent} has no room for it."
        )
    with alone(place):
        growing = place.with_name(place.name + ".new")
        try:
            remove_store(growing)
            archive.unpack_words(packed, growing, root, progress)
            take_place(growing, place)
        except OSError as error:
            raise ArchiveError(f"The index was not written: {error.strerror or error}.") from error
        finally:
            remove_store(growing)


@contextmanager
def open_archive(path: Path, analysis: str) -> Iterator[Archive]:
    """Open an archive whose words were made by these rules. Raises ArchiveError."""
    try:
        file = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise ArchiveError(f"There is no {path}.") from None
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ArchiveError(f"{path} is not an archive that `tacit index export` wrote.") from error
    with file:
        yield Archive(path, file, _packages(path, file, analysis))


def _packages(path: Path, file: zipfile.ZipFile, analysis: str) -> list[Packed]:
    names = [each.filename for each in file.infolist()]
    foreign = ArchiveError(f"{path} is not an archive that `tacit index export` wrote.")
    if MANIFEST not in names:
        raise foreign
    if file.getinfo(MANIFEST).file_size > LARGEST_MANIFEST:
        raise ArchiveError(f"{path.name} has a manifest of unbelievable size and was not imported.")
    try:
        with file.open(MANIFEST) as source:
            said = json.loads(source.read(LARGEST_MANIFEST))
        if said["format"] != FORMAT:
            raise other_version(path)
        packages = [_packed(each) for each in said["packages"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, zipfile.BadZipFile, zlib.error) as error:
        raise foreign from error
    except (EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise foreign from error
    members = [MANIFEST, *(member.name for each in packages for member in _members(each))]
    if sorted(names) != sorted(members) or len(set(members)) != len(members):
        raise ArchiveError(f"{path.name} holds other files than its manifest names and was not imported.")
    for each in packages:
        if each.schema != SCHEMA_VERSION or each.analysis != analysis:
            raise other_version(path)
        for member in _members(each):
            if file.getinfo(member.name).file_size != member.size:
                raise ArchiveError(f"{path.name} is damaged ({member.name} has another size) and was not imported.")
    return packages


def _members(packed: Packed) -> list[Member]:
    some = [packed.words]
    if packed.vectors is not None:
        some += [packed.vectors.ids, packed.vectors.keys, packed.vectors.codes]
    return some


def other_version(path: Path) -> ArchiveError:
    """What is said of an archive whose format, store or words are not this version's."""
    return ArchiveError(f"{path.name} was written by another version of Tacit: export it again with this one.")


def size_of(packed: Packed) -> int:
    """Bytes that a package takes once it is unpacked."""
    return sum(member.size for member in _members(packed))


def room_for(packed: Packed, folder: Path) -> bool:
    """Whether the disk of a folder has room for a package."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free > size_of(packed) + SPARE


# What a manifest may say. Whatever is not so raises ValueError, KeyError or TypeError.


def _packed(given: dict[str, Any]) -> Packed:
    return Packed(
        name=_text(given["name"]),
        revision=_text(given["revision"]),
        toolchain=_text(given["toolchain"]),
        schema=_text(given["schema"]),
        analysis=_text(given["analysis"]),
        files=_number(given["files"], LARGEST),
        premises=_number(given["premises"], LARGEST),
        words=_member(given["words"]),
        vectors=None if given["vectors"] is None else _packed_vectors(given["vectors"]),
    )


def _packed_vectors(given: dict[str, Any]) -> PackedVectors:
    fingerprint, dimension = _text(given["fingerprint"]), _number(given["dimension"], 1 << 16)
    low, width = float(given["low"]), float(given["width"])
    # A fingerprint becomes a part of a file's name.
    if not _FINGERPRINT.fullmatch(fingerprint) or not dimension or not -1e6 < low < 1e6 or not 0 < width < 1e6:
        raise ValueError("no such vectors")
    members = [_member(given[key]) for key in ("ids", "keys", "codes")]
    return PackedVectors(_text(given["encoder"]), fingerprint, dimension, low, width, *members)


def _member(given: dict[str, Any]) -> Member:
    name, digest = _text(given["name"]), _text(given["sha256"])
    if not is_safe(name) or not _DIGEST.fullmatch(digest):
        raise ValueError("no such member")
    return Member(name, _number(given["size"], LARGEST), digest)


def _text(given: Any) -> str:
    if not isinstance(given, str) or len(given) > 1000 or not given.isprintable():
        raise TypeError("no text")
    return given


def _number(given: Any, most: int) -> int:
    if type(given) is not int or not 0 <= given <= most:
        raise TypeError("no number")
    return given


def _at_root(database: sqlite3.Connection, root: Path | None) -> None:
    if root is not None:
        files = database.execute("SELECT id, path FROM files").fetchall()
        there = [(str(root.joinpath(*PurePosixPath(path).parts)), number) for number, path in files]
        database.executemany("UPDATE files SET path = ? WHERE id = ?", there)
    database.execute("UPDATE manifest SET value = ? WHERE key = 'root'", (str(root) if root is not None else "",))
    database.commit()
    database.execute("PRAGMA journal_mode = WAL")
