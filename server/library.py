"""Where indexes, rankers and packages meet: makes and opens the indexes of a workspace. Nothing else chooses them."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tacit.index.build import Analysis, Built, Progress, build
from tacit.index.encoder import Encoder, EncoderUnavailable, open_encoder
from tacit.index.packages import workspace_of
from tacit.index.places import Place, indexes, places
from tacit.index.store import NoIndex, OtherSchema, Store, StoreError
from tacit.index.vectors import Filled, Manifest, VectorsError, read_manifest
from tacit.retrieval.analysis import VERSION, analyse
from tacit.retrieval.dense import DenseRanker, embed
from tacit.retrieval.hybrid import Hybrid, Shelf
from tacit.retrieval.lexical import Lexical
from tacit.retrieval.ranker import Ranker
from tacit.server.errors import BadInput, TacitError

ANALYSIS = Analysis(VERSION, analyse)


class NotIndexed(TacitError):
    """There is no index that can answer."""


def indexable(paths: Sequence[Path]) -> list[Place]:
    """The packages of these paths and what they depend on; of here and of $MATHLIB where none is given."""
    asked = list(paths) or _here()
    for each in asked:
        if not each.exists():
            raise BadInput(f"There is nothing at {each}.", hint="Name a folder with Lean files.")
    found: dict[Path, Place] = {}
    for each in asked:
        for one in places(each):
            found.setdefault(one.index, one)
    return list(found.values())


def _here() -> list[Path]:
    named = os.environ.get("MATHLIB", "")
    if named and not Path(named).exists():
        raise BadInput(f"MATHLIB names {named}, and there is nothing there.", hint="Name the folder above Mathlib/.")
    return [*([Path.cwd()] if workspace_of(Path.cwd()) or not named else []), *([Path(named)] if named else [])]


def bring_up_to_date(place: Place, progress: Progress, *, anew: bool = False) -> Built:
    """Make or update the index of a package."""
    try:
        done = build(place.index, place.corpus, ANALYSIS, progress, anew=anew)
    except StoreError as error:
        raise TacitError(str(error)) from error
    done.problems = [*place.problems, *done.problems]
    return done


def open_library(paths: Sequence[Path], *, dense: bool = True) -> Hybrid:
    """Every index of these paths' packages; outside any package, every index there is. Raises NotIndexed."""
    named = paths or os.environ.get("MATHLIB") or workspace_of(Path.cwd())
    files = [each.index for each in indexable(paths)] if named else indexes()
    shelves: list[Shelf] = []
    encoders = _Encoders()
    old = ""
    for file in files:
        try:
            store = Store.open(file)
        except NoIndex:
            continue
        except OtherSchema:
            old = old or f"The index at {file} was written by another version of Tacit."
            continue
        except StoreError as error:
            old = old or str(error)
            continue
        if store.manifest().analysis != VERSION:
            store.close()
            old = old or f"The index at {file} was written by another version of Tacit."
            continue
        shelves.append(Shelf(store.manifest().package, store, Lexical(store), encoders.dense(store) if dense else None))
    if not shelves:
        if old:
            raise NotIndexed(old, hint="Make it again with `tacit index build`.")
        raise NotIndexed(
            "Nothing is indexed here yet.",
            hint="Run `tacit index build` in your project, or `tacit index build FOLDER` for any folder of Lean files.",
        )
    return Hybrid(shelves)


def close_library(library: Hybrid) -> None:
    """Give every file back."""
    for each in library.shelves:
        with suppress(Exception):
            each.store.close()


def vectors_folder(index: Path) -> Path:
    """Where the vectors of an index are."""
    return index.with_suffix(".vectors")


def make_vectors(place: Place, progress: Progress, *, threads: int | None = None) -> Filled:
    """Bring the vectors of an index up to date. Ended by force, it goes on where it was the next time."""
    try:
        encoder = open_encoder(threads=threads)
        store = Store.open(place.index)
        try:
            filled = embed(vectors_folder(place.index), encoder, store, progress)
        finally:
            store.close()
    except (EncoderUnavailable, StoreError, VectorsError) as error:
        raise TacitError(str(error)) from error
    return filled


def vectors_of(index: Path) -> Manifest | None:
    """What there is of vectors beside an index."""
    try:
        return read_manifest(vectors_folder(index))
    except VectorsError:
        return None


class _Encoders:
    """Opens the encoder when the first index has vectors, and once."""

    def __init__(self) -> None:
        self._encoder: Encoder | None = None

    def dense(self, store: Store) -> Ranker | None:
        """The ranker by vectors of an open index; None where there are none that can be used."""
        if vectors_of(store.path) is None:
            return None
        try:
            self._encoder = self._encoder or open_encoder(threads=1)
            return DenseRanker.open(vectors_folder(store.path), self._encoder, store.digests())
        except (EncoderUnavailable, VectorsError) as error:
            logging.getLogger(__name__).info("search goes by words alone in %s: %s", store.path.name, error)
            return None
