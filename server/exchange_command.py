"""`tacit index export|import`: one machine makes the index, the others take it from a file. Shows progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tacit.index.archive import Archive, ArchiveError, Packed, import_words, open_archive
from tacit.index.build import READING
from tacit.index.packages import Package
from tacit.index.packing import Parcel, write_archive
from tacit.index.places import Place, index_of, index_path, packages_behind
from tacit.index.store import Store, StoreError
from tacit.index.vectors import VectorsError, adopt
from tacit.retrieval.analysis import VERSION
from tacit.server.command import Exit, stop_cleanly
from tacit.server.errors import BadInput, TacitError
from tacit.server.library import bring_up_to_date, indexable, vectors_folder, vectors_of
from tacit.server.library import here as default_paths
from tacit.server.terminal import Terminal, megabytes, plural, seconds, sparing

NOWHERE = Path("/imported")
"""Stands for the folder of a package that this machine does not have, where its index is filed."""


def export_indexes(
    terminal: Terminal,
    paths: Sequence[Path],
    output: Path,
    *,
    lean: str = "",
    vectors: bool = True,
    as_json: bool = False,
) -> int:
    """Write the indexes of these paths' packages into one file. `lean` is what the user names as Lean."""
    stop_cleanly()
    if output.is_dir():
        raise BadInput(f"{output} is a folder.", hint="Name the file to write, such as index.tacit.zip.")
    begun = time.perf_counter()
    parcels, left_out = [], []
    for each in indexable(paths, lean):
        if _is_usable(each.index):
            nowhere = each.index.with_suffix(".none")
            parcels.append(Parcel(each.index, each.corpus.root, vectors_folder(each.index) if vectors else nowhere))
        else:
            left_out.append(each.corpus.name)
    if not parcels:
        raise BadInput("There is no index to export.", hint="Make one first with `tacit index build`.")
    for name in left_out:
        says = f"{name} is not indexed, or by another version of Tacit, and was left out."
        terminal.note(("→ ", "bold yellow"), says)
    try:
        with terminal.measured(output.name) as progress:
            packed = write_archive(output, parcels, _in_megabytes(progress))
    except (ArchiveError, StoreError) as error:
        raise TacitError(str(error)) from error
    size = output.stat().st_size
    if as_json:
        terminal.json({"file": str(output), "bytes": size, "packages": [_about(each) for each in packed]})
    else:
        for one in packed:
            terminal.line((one.name, "bold"), f": {_said(one)}")
        terminal.line((str(output), "bold"), f": {megabytes(size)}, {seconds(time.perf_counter() - begun)}")
    return Exit.DONE


def import_indexes(
    terminal: Terminal, file: Path, paths: Sequence[Path], *, lean: str = "", as_json: bool = False
) -> int:
    """Take every index of a file for the package of its name behind these paths, or of this workspace."""
    stop_cleanly()
    known = [package for path in (paths or default_paths()) for package in packages_behind(path, lean)[0]]
    report: list[dict[str, Any]] = []
    try:
        with open_archive(file, VERSION) as archive:
            chosen = [(each, _fitting(each, known, named=bool(paths))) for each in archive.packages]
            if paths and not any(package for _, package in chosen):
                names = ", ".join(each.name for each in archive.packages)
                raise BadInput(f"{file} holds {names}, and {', '.join(map(str, paths))} is none of these.")
            for packed, package in chosen:
                if package is not None or not paths:
                    report.append(_import(terminal, archive, packed, package, quiet=as_json))
    except (ArchiveError, StoreError) as error:
        raise BadInput(str(error)) from error
    if any(each["root"] for each in report):
        here = {str(place.index): place for place in indexable(paths, lean)}
        for each in report:
            if place := here.get(each["index"]):
                each |= _compared(terminal, place, quiet=as_json)
    if as_json:
        terminal.json(report)
    return Exit.DONE


def _import(
    terminal: Terminal, archive: Archive, packed: Packed, package: Package | None, *, quiet: bool
) -> dict[str, Any]:
    root = package.root.resolve() if package is not None else None
    index = index_of(package) if package is not None else index_path(packed.name, NOWHERE, packed.revision)
    begun = time.perf_counter()
    with terminal.measured(packed.name) as progress:
        tell = _in_megabytes(progress)
        meanings = archive.vectors(packed, tell)
        import_words(archive, packed, index, root, tell)
    said = f"{_said(packed)}, {seconds(time.perf_counter() - begun)}"
    if meanings is not None:
        made = vectors_of(index)
        if made is not None and made.complete and made.fingerprint != meanings.manifest.fingerprint:
            terminal.note(("→ ", "bold yellow"), f"The meanings by {made.encoder} that are here stay.")
        else:
            try:
                adopt(vectors_folder(index), meanings)
            except VectorsError as error:
                raise TacitError(f"{packed.name} is imported, for search by words only: {error}") from error
    if not quiet:
        terminal.line((packed.name, "bold"), f": {said}")
        if root is None:
            where = f"`tacit index import {archive.path} PATH` ties it to its sources at PATH"
            terminal.note(("→ ", "bold yellow"), f"This workspace has no {packed.name}: {where}.")
    return {**_about(packed), "index": str(index), "root": str(root or "")}


def _compared(terminal: Terminal, place: Place, *, quiet: bool) -> dict[str, Any]:
    """Read what is not the same here. Equal content is known by its digest, whatever the times of the files."""
    with terminal.measured(place.corpus.name) as progress:
        done = bring_up_to_date(place, sparing(progress))
    if not quiet:
        changed = f"{plural(done.read, 'file')} read that differ here" if done.read else "none differs here"
        terminal.line((place.corpus.name, "bold"), f": {plural(done.unchanged, 'file')} as in the archive, {changed}")
    return {"read": done.read, "unchanged": done.unchanged}


def _fitting(packed: Packed, known: Sequence[Package], *, named: bool) -> Package | None:
    """The package of that name; not one that is known to be another revision, unless it was asked for by its path."""
    for each in known:
        other = packed.revision and each.revision and packed.revision != each.revision
        if each.name == packed.name and (named or not other):
            return each
    return None


def _is_usable(index: Path) -> bool:
    try:
        store = Store.open(index)
    except StoreError:
        return False
    try:
        # What another version has read is of no use to whoever imports it.
        return store.manifest().analysis == VERSION and store.value("reading") == READING
    finally:
        store.close()


def _about(packed: Packed) -> dict[str, Any]:
    return {
        "package": packed.name,
        "revision": packed.revision,
        "toolchain": packed.toolchain,
        "premises": packed.premises,
        "files": packed.files,
        "encoder": packed.vectors.encoder if packed.vectors else "",
    }


def _said(packed: Packed) -> str:
    which = f" at {packed.revision[:12]}" if packed.revision else ""
    meanings = f"meanings by {packed.vectors.encoder}" if packed.vectors else "words only"
    return f"{plural(packed.premises, 'declaration')} of {plural(packed.files, 'file')}{which}; {meanings}"


def _in_megabytes(progress: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
    tell = sparing(progress)
    return lambda what, done, all: tell(*(what, done, all) if all < 1 << 20 else (f"{what}, MB", done >> 20, all >> 20))
