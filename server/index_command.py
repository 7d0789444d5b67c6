"""`tacit index build|update|status`: makes the indexes of packages, with progress, and says what there is."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tacit.index.places import Place, traced_corpus
from tacit.index.store import Store, StoreError
from tacit.index.traced import TracedError, write_corpus
from tacit.index.vectors import Manifest
from tacit.retrieval.analysis import VERSION
from tacit.server.command import Exit, Interrupted, stop_cleanly
from tacit.server.errors import BadInput, TacitError
from tacit.server.library import bring_up_to_date, indexable, make_vectors, vectors_folder, vectors_of
from tacit.server.terminal import Terminal, megabytes, plural, seconds, sparing

SHOWN = 5
"""Problems that are shown of each package."""


def build_indexes(
    terminal: Terminal, paths: Sequence[Path], *, anew: bool, vectors: bool, as_json: bool, lean: str = ""
) -> int:
    """Make or update the index of every package behind these paths. `lean` is what the user names as Lean."""
    return build_places(terminal, _some(paths, lean), anew=anew, vectors=vectors, as_json=as_json)


def read_traced(terminal: Terminal, repositories: Sequence[Path]) -> list[Path]:
    """The corpora of repositories that LeanDojo has traced, to be indexed like any other package."""
    stop_cleanly()
    found = []
    for each in repositories:
        if not each.is_dir():
            raise BadInput(f"There is no folder {each}.", hint="--traced names a repository that LeanDojo has traced.")
        place = traced_corpus(each)
        try:
            with terminal.measured(each.name) as progress:
                count = write_corpus(each, place, sparing(progress))
        except TracedError as error:
            raise TacitError(str(error)) from error
        terminal.note((each.name, "bold"), f": {count:,} premises, as LeanDojo traced them, in {place}")
        found.append(place)
    return found


def build_places(terminal: Terminal, some: Sequence[Place], *, anew: bool, vectors: bool, as_json: bool) -> int:
    """Make or update these indexes."""
    stop_cleanly()
    report: list[dict[str, Any]] = []
    for place in some:
        package = place.corpus
        begun = time.perf_counter()
        as_it_was = f"The index of {package.name} is as it was."
        with _told(terminal, as_it_was), terminal.measured(package.name) as progress:
            done = bring_up_to_date(place, sparing(progress), anew=anew)
        elapsed = time.perf_counter() - begun
        where = place.index
        report.append(
            {
                "package": package.name,
                "root": str(package.root),
                "index": str(where),
                "read": done.read,
                "unchanged": done.unchanged,
                "premises": done.premises,
                "problems": [str(each) for each in done.problems],
                "elapsed": round(elapsed, 3),
            }
        )
        if not as_json:
            said = (
                f"{plural(done.read, 'file')} read, {plural(done.premises, 'declaration')}"
                if done.read
                else "nothing new"
            )
            terminal.line(
                (package.name, "bold"), f": {said}; {plural(done.unchanged, 'file')} unchanged, {seconds(elapsed)}"
            )
        for each in done.problems[:SHOWN]:
            terminal.note(("→ ", "bold yellow"), str(each))
        if len(done.problems) > SHOWN:
            terminal.note(("→ ", "bold yellow"), f"and {len(done.problems) - SHOWN} more files with a problem")
        if vectors:
            report[-1]["vectors"] = _vectors(terminal, place, as_json=as_json)
    if as_json:
        terminal.json(report)
    return Exit.DONE


def _vectors(terminal: Terminal, place: Place, *, as_json: bool) -> int:
    """Search by words works from here on; by meaning when this is done, and partly before."""
    begun = time.perf_counter()
    goes_on = f"{place.corpus.name} is searched by its words; `tacit index update` goes on with the meanings."
    with _told(terminal, goes_on), terminal.measured(place.corpus.name) as progress:
        filled = make_vectors(place, sparing(progress))
    if filled.embedded and not as_json:
        said = f"meanings of {plural(filled.embedded, 'declaration')} added, {seconds(time.perf_counter() - begun)}"
        terminal.line((place.corpus.name, "bold"), f": {said}")
    return filled.embedded


@contextmanager
def _told(terminal: Terminal, sentence: str) -> Iterator[None]:
    """Say where an interrupted command leaves things."""
    try:
        yield
    except (KeyboardInterrupt, Interrupted):
        terminal.note(("→ ", "bold yellow"), f"Interrupted. {sentence}")
        raise


def show_status(terminal: Terminal, paths: Sequence[Path], *, as_json: bool, lean: str = "") -> int:
    """What is indexed of these paths' packages; OPEN where an index is missing."""
    report = [describe(each.corpus.name, each.corpus.root, each.index) for each in _some(paths, lean)]
    if as_json:
        terminal.json(report)
    else:
        for each in report:
            terminal.line((str(each["package"]), "bold"), f": {each['state']}")
            terminal.line(("    ", ""), (f"{each['root']} → {each['index']}", "dim"))
    return Exit.DONE if all(each["indexed"] for each in report) else Exit.OPEN


def describe(name: str, root: Path, where: Path) -> dict[str, Any]:
    """What there is of a package's index; `state` says it to people."""
    report = {"package": name, "root": str(root), "index": str(where), "indexed": False}
    try:
        store = Store.open(where)
    except StoreError as error:
        return {**report, "state": str(error)}
    try:
        manifest = store.manifest()
    except sqlite3.Error as error:
        return {**report, "state": f"The index at {where} cannot be read: {error}."}
    finally:
        store.close()
    if manifest.analysis != VERSION:
        return {**report, "state": "The index was written by another version of Tacit and must be built again."}
    size = where.stat().st_size
    state = f"{plural(manifest.premises, 'declaration')} of {plural(manifest.files, 'file')}, {megabytes(size)}"
    made = vectors_of(where)
    if made is not None:
        state += f"; meanings by {made.encoder}"
        size += sum(each.stat().st_size for each in vectors_folder(where).glob("*") if each.is_file())
        if not made.complete:
            state += f", {_part(where, made)} % so far: `tacit index update` goes on"
    else:
        state += "; words only"
    numbers = {"premises": manifest.premises, "files": manifest.files, "bytes": size}
    about = {"revision": manifest.revision, "toolchain": manifest.toolchain, "encoder": made.encoder if made else ""}
    return {**report, "indexed": True, "state": state, **numbers, **about}


def _part(index: Path, made: Manifest) -> int:
    """How much of the vectors there is, in per cent, told from the sizes of their files."""
    files = vectors_folder(index).glob(f"{made.fingerprint}-*.faiss")
    there = sum(each.stat().st_size for each in files) // (made.dimension + 8)
    return min(99, 100 * there // max(1, made.count))


def _some(paths: Sequence[Path], lean: str) -> list[Place]:
    found: dict[Path, Place] = {}
    for some in [[each] for each in paths] or [[]]:
        places = indexable(some, lean)
        if not places:
            where = str(some[0]) if some else "this folder"
            raise BadInput(
                f"There are no Lean files in {where}.", hint="Name a folder with Lean files, or set MATHLIB."
            )
        for each in places:
            found.setdefault(each.index, each)
    return list(found.values())
