"""Writes indexes of packages into one file for other machines; `tacit.index.archive` says what is in it."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from tacit.index import vectors
from tacit.index.archive import CHUNK, FORMAT, MANIFEST, ArchiveError, Member, Packed, PackedVectors, Progress
from tacit.index.soundness import is_safe
from tacit.index.store import Store


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to go into an archive: an index, its package's folder, and the folder of its vectors."""

    index: Path
    root: Path
    vectors: Path


def write_archive(place: Path, parcels: Sequence[Parcel], progress: Progress) -> list[Packed]:
    """Write the archive aside, then rename it. StoreError where an index cannot be read, else ArchiveError."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as folder:
            growing = Path(folder) / "archive"
            with zipfile.ZipFile(growing, "w") as archive:
                packed = [_pack(archive, n, each, Path(folder), progress) for n, each in enumerate(parcels)]
                said = {"format": FORMAT, "packages": [asdict(each) for each in packed]}
                archive.writestr(MANIFEST, json.dumps(said, ensure_ascii=False, indent=1))
            with growing.open("rb") as file:
                os.fsync(file.fileno())
            growing.replace(place)
    except OSError as error:
        raise ArchiveError(f"{place} was not written: {error.strerror or error}.") from error
    except (sqlite3.Error, vectors.VectorsError) as error:
        raise ArchiveError(f"{place} was not written: {error}.") from error
    return packed


def _pack(archive: zipfile.ZipFile, number: int, parcel: Parcel, folder: Path, progress: Progress) -> Packed:
    words = folder / f"{number}.db"
    store = Store.open(parcel.index)
    try:
        with closing(sqlite3.connect(words)) as copy:
            # Whole and as of one moment, whoever writes meanwhile.
            store.database.backup(copy, pages=4096, progress=lambda _, left, all: progress("copying", all - left, all))
            _without_root(copy, parcel.root)
    finally:
        store.close()
    with closing(Store.open(words)) as copied:
        manifest = copied.manifest()
    member = _add(archive, f"{number}/words.db", words, progress)
    words.unlink()
    return Packed(
        name=manifest.package,
        revision=manifest.revision,
        toolchain=manifest.toolchain,
        schema=manifest.schema,
        analysis=manifest.analysis,
        files=manifest.files,
        premises=manifest.premises,
        words=member,
        vectors=_pack_vectors(archive, number, parcel.vectors, progress),
    )


def _without_root(copy: sqlite3.Connection, root: Path) -> None:
    """Paths relative to the package, no times of this machine's files."""
    copy.execute("PRAGMA journal_mode = DELETE")
    files = copy.execute("SELECT id, path, module FROM files").fetchall()
    inside = [(_inside(path, root, module), number) for number, path, module in files]
    copy.executemany("UPDATE files SET path = ?, stamp = '' WHERE id = ?", inside)
    copy.execute("UPDATE manifest SET value = '' WHERE key = 'root'")
    for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE name LIKE 'sqlite_stat%'").fetchall():
        copy.execute(f"DROP TABLE {name}")
    copy.commit()


def _inside(path: str, root: Path, module: str) -> str:
    if Path(path).is_relative_to(root):
        return Path(path).relative_to(root).as_posix()
    return path if is_safe(path) else module.replace(".", "/") + ".lean"


def _pack_vectors(archive: zipfile.ZipFile, number: int, folder: Path, progress: Progress) -> PackedVectors | None:
    try:
        found = vectors.plain(folder)
    except vectors.NoVectors:
        return None
    about, (low, width) = found.manifest, found.span
    arrays = {"ids": found.ids.astype("<i8"), "keys": found.keys.astype("<i8"), "codes": found.codes}
    members = [
        _add(archive, f"{number}/vectors.{name}", memoryview(array.tobytes()), progress)
        for name, array in arrays.items()
    ]
    return PackedVectors(about.encoder, about.fingerprint, about.dimension, low, width, *members)


def _add(archive: zipfile.ZipFile, name: str, content: Path | memoryview, progress: Progress) -> Member:
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    about = zipfile.ZipInfo(name)
    # Vectors are as good as random: to squeeze them costs time and saves nothing.
    about.compress_type = zipfile.ZIP_STORED if name.endswith(("codes", "keys", "ids")) else zipfile.ZIP_DEFLATED
    about.external_attr = 0o644 << 16
    digest = hashlib.sha256()
    done = 0
    with archive.open(about, "w", force_zip64=True) as file:
        for chunk in _chunks(content):
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            progress("packing", done, size)
    return Member(name, done, digest.hexdigest())


def _chunks(content: Path | memoryview) -> Iterator[bytes | memoryview]:
    if isinstance(content, Path):
        with content.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    else:
        for start in range(0, len(content), CHUNK):
            yield content[start : start + CHUNK]
