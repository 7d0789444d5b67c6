"""Where indexes, rankers and packages meet: makes and opens the indexes of a workspace. Nothing else chooses them."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from tacit.index.build import Analysis, Built, Progress, build, is_being_made, known_of
from tacit.index.encoder import Encoder, EncoderUnavailable, open_encoder
from tacit.index.known import Known
from tacit.index.packages import Package, workspace_of
from tacit.index.places import Place, index_of, indexes, packages_behind, places
from tacit.index.soundness import SUSPICIOUS, Check, is_whole
from tacit.index.store import NewerIndex, NoIndex, OtherSchema, Store, StoreError
from tacit.index.uses import Names, uses_file
from tacit.index.uses import load as load_uses
from tacit.index.uses import update as update_uses
from tacit.index.vectors import Filled, Manifest, VectorsError, read_manifest
from tacit.retrieval.analysis import VERSION, analyse
from tacit.retrieval.dense import DenseRanker, embed
from tacit.retrieval.hybrid import Hybrid, Shelf
from tacit.retrieval.lexical import Lexical
from tacit.retrieval.ranker import Ranker
from tacit.server.errors import BadInput, TacitError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ANALYSIS = Analysis(VERSION, analyse)
FEW = 5_000
"""Premises whose proofs are read with each name looked up by itself."""
QUESTIONS = 16
"""Questions whose vectors are remembered."""


AGAIN = "Make it again with `tacit index build`."

T = TypeVar("T")


class NotIndexed(TacitError):
    """There is no index that can answer."""


def indexable(paths: Sequence[Path], lean: str = "") -> list[Place]:
    """The packages of these paths and what they depend on; of here and of $MATHLIB where none is given.

    `lean` is what the settings name as Lean.
    """
    found: dict[Path, Place] = {}
    for each in _there(paths or here()):
        for one in places(each, lean):
            found.setdefault(one.index, one)
    return list(found.values())


def _packages(paths: Sequence[Path], lean: str) -> dict[Path, Package]:
    """The same packages by their index, whether it is there or not. Lists no files, which takes longer."""
    found: dict[Path, Package] = {}
    for each in _there(paths or here()):
        for one in packages_behind(each, lean)[0]:
            found.setdefault(index_of(one), one)
    return found


def _everywhere(paths: Sequence[Path]) -> bool:
    """Whether nothing says what to search: no path, no MATHLIB and no project around."""
    return not paths and not os.environ.get("MATHLIB") and workspace_of(Path.cwd()) is None


def _there(paths: Sequence[Path]) -> Sequence[Path]:
    """These paths, all of them there. Raises BadInput."""
    for each in paths:
        try:
            each.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise BadInput(f"There is nothing at {each}.", hint="Name a folder with Lean files.") from error
        except OSError as error:
            raise BadInput(f"{each} cannot be looked at: {error.strerror}.") from error
    return paths


def here() -> list[Path]:
    """What is meant where no path is given: this folder, and $MATHLIB."""
    named = os.environ.get("MATHLIB", "")
    if named and not _is_there(named):
        raise BadInput(f"MATHLIB names {named}, and there is nothing there.", hint="Name the folder above Mathlib/.")
    return [*([Path.cwd()] if workspace_of(Path.cwd()) or not named else []), *([Path(named)] if named else [])]


def _is_there(path: str) -> bool:
    """Whether there is something that may be looked at; `Path.exists` raises where it may not."""
    return os.path.exists(path)  # noqa: PTH110


def bring_up_to_date(place: Place, progress: Progress, *, anew: bool = False, check: Check = Check.NONE) -> Built:
    """Make or update the index of a package; make it anew where `check` finds anything wrong with it."""
    try:
        done = build(place.index, place.corpus, ANALYSIS, progress, anew=anew, check=check)
    except StoreError as error:
        raise TacitError(str(error)) from error
    read_proofs(place.index, progress)
    done.problems = [*place.problems, *done.problems]
    return done


def read_proofs(index: Path, progress: Progress) -> int:
    """Note beside an index which declarations its proofs name, those of other indexes too; how many were read.

    Premises are ranked without it where it cannot be written.
    """
    stores = []
    try:
        for file in (index, *(each for each in indexes() if each != index)):
            with suppress(StoreError):
                stores.append(Store.open(file))
        few = stores[0].count() and _unread(stores[0], index) < FEW
        names = Names.asked(stores) if few else Names.of(stores)
        return update_uses(stores[0], uses_file(index), names, progress)
    except (OSError, *SUSPICIOUS) as error:
        logging.getLogger(__name__).info("what proofs name is not noted beside %s: %s", index.name, error)
        return 0
    finally:
        for store in stores:
            store.close()


def _unread(store: Store, index: Path) -> int:
    """How many premises the note beside an index does not know yet."""
    known = load_uses(uses_file(index))
    last = int(known.ids[-1]) if known is not None and len(known.ids) else 0
    return int(store.database.execute("SELECT count(*) FROM premises WHERE id > ?", (last,)).fetchone()[0])


def open_library(
    paths: Sequence[Path], *, lean: str = "", dense: bool = True, remarks: list[str] | None = None
) -> Hybrid:
    """Every index of these paths' packages; outside any package, every index there is. Raises NotIndexed.

    What cannot take part is left out, with a sentence in `remarks`.
    """
    packages = None if _everywhere(paths) else _packages(paths, lean)
    shelves: list[Shelf] = []
    encoders = _Encoders()
    bad: list[tuple[str, str]] = []
    missing: list[str] = []
    growing: list[str] = []
    for file in indexes() if packages is None else packages:
        try:
            shelves.append(_opened(file, encoders if dense else None))
        except NoIndex:
            if packages is not None and is_being_made(file):
                growing.append(packages[file].name)
            elif packages is not None and next(packages[file].sources(), None) is not None:
                missing.append(packages[file].name)
        except (StoreError, *SUSPICIOUS) as error:
            bad.append(_damage(file, error))
    if not shelves:
        if bad:
            raise NotIndexed(bad[0][0], hint=bad[0][1])
        if growing:
            raise NotIndexed(f"{_being_read(growing)} just now.", hint="Ask again in a moment.")
        raise NotIndexed(
            "Nothing is indexed here yet.",
            hint="Run `tacit index build` in your project, or `tacit index build FOLDER` for any folder of Lean files.",
        )
    if remarks is not None:
        remarks += [" ".join(each).rstrip() for each in bad]
        if growing:
            remarks.append(f"{_being_read(growing)} just now, and not searched yet.")
        if missing:
            which = f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'}"
            update = " ".join(("tacit index update", *(quote(str(each)) for each in paths)))
            what = "it" if len(missing) == 1 else "them"
            remarks.append(f"{which} not indexed yet, and so not searched: `{update}` reads {what}.")
        remarks += encoders.problems
    return Hybrid(shelves)


def answered(library: Hybrid, question: Callable[[Hybrid], T], remarks: list[str]) -> tuple[T, Hybrid]:
    """An answer from all that can be read, and what that is: a damaged index is left out, with a sentence."""
    try:
        return question(library), library
    except SUSPICIOUS:
        fine, bad = [], []
        for shelf in library.shelves:
            try:
                question(Hybrid([shelf]))
                fine.append(shelf)
            except SUSPICIOUS as error:
                if not isinstance(error, sqlite3.Error) and is_whole(shelf.store.path):
                    raise
                bad.append(_damage(shelf.store.path, error))
        if not fine:
            raise NotIndexed(bad[0][0], hint=bad[0][1]) from None
        remarks += [" ".join(each).rstrip() for each in bad]
        rest = Hybrid(fine)
        return question(rest), rest


def _opened(file: Path, encoders: _Encoders | None) -> Shelf:
    """Raises StoreError or sqlite3.Error."""
    store = Store.open(file)
    try:
        manifest = store.manifest()
        store.expect(VERSION)
        return Shelf(manifest.package, store, Lexical(store), encoders.dense(store) if encoders is not None else None)
    except BaseException:
        store.close()
        raise


def _being_read(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} being read"


def _damage(file: Path, error: Exception) -> tuple[str, str]:
    """What is wrong with an index, and what to do; nothing, where that is said already."""
    if isinstance(error, NewerIndex):
        return str(error), ""
    if isinstance(error, OtherSchema):
        return f"The index at {file} was written by another version of Tacit.", AGAIN
    return str(error) if isinstance(error, StoreError) else f"The index at {file} cannot be read: {error}.", AGAIN


@dataclass(frozen=True, slots=True)
class Spot:
    """A package that is searched, and where its index lies. `own`: it is worked on in this workspace."""

    package: Package
    index: Path
    own: bool = False


def spots(folders: Sequence[Path], *, everything: bool = True, lean: str = "") -> list[Spot]:
    """The packages behind these folders, and $MATHLIB where they have no Mathlib. `lean`: see packages_behind.

    With neither, every index there is, if `everything` is wanted then.
    Lists no files, and says nothing of whether there is an index.
    """
    found: dict[Path, Spot] = {}

    def add(folder: Path, *, own: bool) -> None:
        for number, each in enumerate(packages_behind(folder, lean)[0]):
            found.setdefault(index_of(each), Spot(each, index_of(each), own and not number))

    for folder in folders:
        add(folder, own=True)
    mathlib = os.environ.get("MATHLIB", "")
    if mathlib and _is_there(mathlib) and not any(each.package.name == "mathlib" for each in found.values()):
        add(Path(mathlib), own=False)
    if not folders and not found and everything:
        return [Spot(Package(each.stem.rpartition("-")[0], each.parent), each) for each in indexes()]
    return list(found.values())


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
        progress("opening the encoder", 0, 1)
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


def knowledge(index: Path) -> Known | None:
    """What one file of a package must know of the others to be read alone; None where there is no index to say it."""
    try:
        return known_of(Store.open(index))
    except (StoreError, *SUSPICIOUS):
        return None


class OneQuestion:
    """An encoder that remembers the last few questions: every index of a workspace is asked the same one."""

    def __init__(self, encoder: Encoder) -> None:
        self.name, self.fingerprint, self.dimension = encoder.name, encoder.fingerprint, encoder.dimension
        self._encoder = encoder
        self._last: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As the encoder does; one text alone is a question."""
        if len(texts) != 1:
            return self._encoder.encode(texts)
        with self._lock:
            known = self._last.get(texts[0])
        if known is None:
            known = self._encoder.encode(texts)
            with self._lock:
                self._last[texts[0]] = known
                while len(self._last) > QUESTIONS:
                    self._last.popitem(last=False)
        return known


def query_encoder() -> Encoder:
    """The encoder for questions: one thread, as for one text a second has nothing to do. Raises EncoderUnavailable."""
    return OneQuestion(open_encoder(threads=1))


def open_vectors(index: Path, encoder: Encoder) -> Ranker:
    """The ranker by vectors of an index; may be opened in one thread and used in another.

    Raises VectorsError or StoreError.
    """
    store = Store.open(index)
    try:
        return DenseRanker.open(vectors_folder(index), encoder, store.digests())
    finally:
        store.close()


class _Encoders:
    """Opens the encoder when the first index has vectors, and once."""

    def __init__(self) -> None:
        self._encoder: Encoder | None = None
        self.problems: list[str] = []

    def dense(self, store: Store) -> Ranker | None:
        """The ranker by vectors of an open index; None where there are none that can be used."""
        if vectors_of(store.path) is None:
            return None
        try:
            self._encoder = self._encoder or query_encoder()
            return DenseRanker.open(vectors_folder(store.path), self._encoder, store.digests())
        except (EncoderUnavailable, VectorsError) as error:
            logging.getLogger(__name__).info("search goes by words alone in %s: %s", store.path.name, error)
            if (sentence := f"Search goes by words alone: {error}") not in self.problems:
                self.problems.append(sentence)
            return None
