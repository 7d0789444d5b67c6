"""The vectors of premises on disk: makes and updates them, and finds the nearest. What the texts are is not known here.

A folder holds

- `manifest.json`: which encoder, and how many texts;
- `<encoder>.ids`: for each id of the store, the hash of its text;
- `<encoder>-<n>.faiss`: FAISS indexes (scalar quantiser, 8 bits, inner product) whose ids are hashes of texts; behind
  each, which FAISS does not read, a checksum: of a number that a disk has changed FAISS may make a wish for all memory.

A `.faiss` file never changes. Whatever was embedded is written every few thousand texts, and a text whose hash is there
already is not embedded again: a builder that was killed goes on where it was, and one that works in the background can
be read from. Vectors of another encoder stay, and answer, until those of the new one are complete.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tacit.index.encoder import Encoder
from tacit.index.files import content_of, replace_file
from tacit.index.folders import make_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCHEMA = 1
MANIFEST = "manifest.json"
# Texts that are sorted by length and embedded together, and texts that a kill can cost at most.
AT_ONCE = 512
SHARD = 8192
MOST_FILES = 16
"""Files that are kept before all but the largest become one."""
MOST_UNUSED = 0.25
"""Share of vectors whose text is nowhere now, beyond which they are thrown away. Until then an undo costs nothing."""

Progress = Callable[[str, int, int], None]
"""What goes on, how many are done, of how many. What it raises ends the work; what was embedded is kept."""


class VectorsError(Exception):
    """These vectors cannot be read or written. The text says why and what to do."""


class NoVectors(VectorsError):
    """None were made yet."""


class OtherEncoder(VectorsError):
    """They were made by another encoder, or by another version of Tacit."""


class VectorsBusy(VectorsError):
    """Somebody else is making them."""


PIECE = 8_192
"""Vectors that are copied at once."""
LARGEST_IDS = 1 << 30
"""Bytes: those of sixty million premises."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder of vectors holds. `complete` once every text has its vector."""

    schema: int
    encoder: str
    fingerprint: str
    dimension: int
    count: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Filled:
    """What a builder did: texts embedded, texts whose vectors were there, and ids that have a vector now."""

    embedded: int
    kept: int
    count: int


# ---------------------------------------------------------------- reading


class Vectors:
    """The vectors of one folder as they were when it was opened; may be used from several threads."""

    def __init__(self, manifest: Manifest, ids: NDArray[np.int64], index: Any) -> None:
        self.manifest = manifest
        self.ids = ids
        """The ids that have a vector, in rising order."""
        self._index = index

    @classmethod
    def open(cls, folder: Path, encoder: Encoder) -> Vectors:
        """Those of this encoder; NoVectors, OtherEncoder or VectorsError where there are none that can be used."""
        import numpy as np

        manifest = read_manifest(folder)
        _fits(manifest, encoder, folder)
        ids, wanted = _read_ids(folder, manifest.fingerprint)
        shards = _settled(folder, manifest.fingerprint, encoder.dimension)
        if not shards:
            return cls(manifest, ids[:0], None)
        rows = _rows(wanted, np.concatenate([shard.keys for shard in shards]))
        there = rows >= 0
        index = _filled(encoder.dimension, shards, rows[there])
        return cls(manifest, ids[there], index)

    def __len__(self) -> int:
        return len(self.ids)

    def search(self, vector: NDArray[np.float32], limit: int) -> list[tuple[int, float]]:
        """The ids with the largest inner products, best first, with those."""
        import faiss

        most = min(limit, len(self.ids))
        if most <= 0:
            return []
        # For one query a second thread has nothing to do, and waiting for it doubles the time. Each thread is told.
        faiss.omp_set_num_threads(1)
        scores, rows = self._index.search(vector.reshape(1, -1), most)
        found: list[int] = self.ids[rows[0]].tolist()
        return list(zip(found, scores[0].tolist(), strict=True))

    def scores(self, vector: NDArray[np.float32], ids: Sequence[int]) -> list[float]:
        """The inner product for each of these ids; 0 for an id without a vector."""
        import numpy as np

        found = np.zeros(len(ids), dtype=np.float32)
        if not len(self.ids):
            return [0.0] * len(ids)
        wanted = np.asarray(ids, dtype=np.int64)
        rows = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        there = self.ids[rows] == wanted
        if there.any():
            found[there] = self._index.reconstruct_batch(rows[there]) @ vector
        values: list[float] = found.tolist()
        return values


def read_manifest(folder: Path) -> Manifest:
    """What the folder holds; NoVectors where nothing, VectorsError where it makes no sense."""
    try:
        found = json.loads(content_of(folder / MANIFEST).decode())
        if found["schema"] != SCHEMA:
            raise OtherEncoder(
                f"The vectors in {folder} were made by another version of Tacit: `tacit index update` makes them again."
            )
        return Manifest(**found)
    except FileNotFoundError:
        raise NoVectors(f"There are no vectors in {folder} yet.") from None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise VectorsError(f"The vectors in {folder} cannot be read: {error}") from error


def ids_of(folder: Path, encoder: Encoder) -> set[int] | None:
    """The ids whose vectors of this encoder are there, or None where they must all be gone through again."""
    try:
        manifest = read_manifest(folder)
        _fits(manifest, encoder, folder)
        return set(_read_ids(folder, manifest.fingerprint)[0].tolist()) if manifest.complete else None
    except VectorsError:
        return None


def _fits(manifest: Manifest, encoder: Encoder, folder: Path) -> None:
    if (manifest.fingerprint, manifest.dimension) != (encoder.fingerprint, encoder.dimension):
        which = f"{manifest.encoder}, and the encoder is {encoder.name}"
        which = f"another version of {encoder.name}" if manifest.encoder == encoder.name else which
        raise OtherEncoder(
            f"The vectors in {folder} were made by {which}: `tacit index update` makes them again with this one."
        )


# ---------------------------------------------------------------- writing


def fill(folder: Path, encoder: Encoder, texts: Iterable[tuple[int, str]], progress: Progress | None = None) -> Filled:
    """Make the folder hold the vectors of exactly these texts, each with its id of the store."""
    with _alone(folder):
        return _write(folder, encoder, texts, {}, progress)


def change(
    folder: Path,
    encoder: Encoder,
    texts: Iterable[tuple[int, str]],
    removed: Collection[int] = (),
    progress: Progress | None = None,
) -> Filled:
    """Add these texts, or put them in the place of those with their ids, and forget `removed`; the others stay."""
    with _alone(folder):
        manifest = read_manifest(folder)
        _fits(manifest, encoder, folder)
        ids, keys = _read_ids(folder, manifest.fingerprint)
        gone = set(removed)
        others = {id: key for id, key in zip(ids.tolist(), keys.tolist(), strict=True) if id not in gone}
        return _write(folder, encoder, texts, others, progress)


def _write(
    folder: Path,
    encoder: Encoder,
    texts: Iterable[tuple[int, str]],
    others: dict[int, int],
    progress: Progress | None,
) -> Filled:
    import numpy as np

    report = progress or (lambda *_: None)
    builder = _Builder(folder, encoder)
    hashes = dict(others)
    missing: dict[int, str] = {}
    kept = 0
    for id, text in texts:
        hashes[id] = key = _key(text)
        if key in builder.known:
            kept += 1
        else:
            missing[key] = text
    table = np.array(sorted(hashes.items()), dtype=np.int64).reshape(-1, 2)
    # In an order that has nothing to do with the texts: what is there so far is a fair sample of all of them.
    todo = sorted(missing)

    def publish() -> None:
        complete = builder.known.issuperset(hashes.values())
        replace_file(folder / f"{encoder.fingerprint}.ids", table.tobytes())
        manifest = Manifest(SCHEMA, encoder.name, encoder.fingerprint, encoder.dimension, len(table), complete)
        replace_file(folder / MANIFEST, json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode())

    try:
        if not _in_use_by_another(folder, encoder):
            publish()
        report("embedding", 0, len(todo))
        try:
            for start in range(0, len(todo), AT_ONCE):
                some = todo[start : start + AT_ONCE]
                builder.add(some, encoder.encode([missing[key] for key in some]))
                report("embedding", start + len(some), len(todo))
        finally:
            builder.flush()
        builder.tidy(np.unique(table[:, 1]))
        publish()
        for file in folder.iterdir():
            if file.suffix in (".ids", ".faiss") and not file.name.startswith(encoder.fingerprint):
                file.unlink(missing_ok=True)
    except OSError as error:
        raise VectorsError(f"The vectors in {folder} cannot be written: {error.strerror or error}.") from error
    return Filled(len(todo), kept, len(table))


def _in_use_by_another(folder: Path, encoder: Encoder) -> bool:
    try:
        return read_manifest(folder).fingerprint != encoder.fingerprint
    except VectorsError:
        return False


class _Builder:
    """Collects vectors and writes them down in files of SHARD; knows what is there already."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        self._folder = folder
        self._encoder = encoder
        self._shards = _read_shards(folder, encoder.fingerprint, encoder.dimension)
        for file in set(folder.glob(f"{encoder.fingerprint}-*.faiss")).difference(each.file for each in self._shards):
            with suppress(OSError):  # it holds nothing that can be used
                file.unlink()
        self._keys: list[int] = []
        self._vectors: list[NDArray[np.float32]] = []
        self.known: set[int] = set()
        for shard in self._shards:
            self.known.update(shard.keys.tolist())

    def add(self, keys: list[int], vectors: NDArray[np.float32]) -> None:
        self._keys += keys
        self._vectors.append(vectors)
        self.known.update(keys)
        if len(self._keys) >= SHARD:
            self.flush()

    def flush(self) -> None:
        """Write down what was collected."""
        import numpy as np

        if not self._keys:
            return
        vectors = np.concatenate(self._vectors)
        span = self._shards[0].span if self._shards else _span(vectors)
        codes = _new_index(self._encoder.dimension, span).sa_encode(vectors)
        self._shards.append(self._put(np.array(self._keys, dtype=np.int64), codes, span))
        self._keys, self._vectors = [], []

    def take(self, keys: NDArray[np.int64], codes: NDArray[np.uint8], span: NDArray[np.float32]) -> None:
        """Write down vectors that were made elsewhere; `span` is what their codes stand for there."""
        if not len(keys):
            return
        if self._shards and not (self._shards[0].span == span).all():
            vectors = _new_index(self._encoder.dimension, span).sa_decode(codes)
            span = self._shards[0].span
            codes = _new_index(self._encoder.dimension, span).sa_encode(vectors)
        self._shards.append(self._put(keys, codes, span))
        self.known.update(keys.tolist())

    def tidy(self, live: NDArray[np.int64]) -> None:
        """Make one file of many, but for the largest; throw away what no text has, when it is much."""
        import numpy as np

        keys = np.concatenate([shard.keys for shard in self._shards]) if self._shards else np.zeros(0, dtype=np.int64)
        everything = len(keys) * (1 - MOST_UNUSED) > len(live)
        if not everything and len(self._shards) <= MOST_FILES:
            return
        by_size = sorted(self._shards, key=lambda shard: len(shard.keys))
        old, rest = (by_size, []) if everything else (by_size[:-1], by_size[-1:])
        keys, first = np.unique(np.concatenate([shard.keys for shard in old]), return_index=True)
        codes = np.concatenate([shard.codes for shard in old])[first]
        if everything:
            kept = np.isin(keys, live)
            keys, codes = keys[kept], codes[kept]
        made = [self._put(keys, codes, old[0].span)] if len(keys) else []
        self._shards = rest + made
        # Only now: whoever is killed before leaves the same vectors twice, which harms nobody.
        for shard in old:
            shard.file.unlink(missing_ok=True)

    def _put(self, keys: NDArray[np.int64], codes: NDArray[np.uint8], span: NDArray[np.float32]) -> _Shard:
        import faiss

        index = _new_index(self._encoder.dimension, span)
        named = faiss.IndexIDMap(index)
        index.add_sa_codes(codes)
        faiss.copy_array_to_vector(keys, named.id_map)
        named.ntotal = len(keys)
        file = self._folder / f"{self._encoder.fingerprint}-{_next_number(self._folder):06d}.faiss"
        content = faiss.serialize_index(named).data
        replace_file(file, content, _SEAL + zlib.crc32(content).to_bytes(4, "big"))
        return _Shard(file, keys, codes, span)


# ---------------------------------------------------------------- to and from other machines


@dataclass(frozen=True, slots=True, eq=False)
class Plain:
    """The vectors of a folder as arrays that nobody need trust: FAISS parses no file that came from elsewhere."""

    manifest: Manifest
    span: tuple[float, float]
    """What the codes stand for: the lowest value, and how far the highest is from it."""
    ids: NDArray[np.int64]
    """For each id the hash of its text: (ids, 2)."""
    keys: NDArray[np.int64]
    codes: NDArray[np.uint8]
    """One row for each of `keys`: (keys, dimension)."""


def plain(folder: Path) -> Plain:
    """All that answers from this folder, without what no id has. VectorsError where there is nothing to give."""
    import numpy as np

    manifest = read_manifest(folder)
    ids, wanted = _read_ids(folder, manifest.fingerprint)
    shards = _settled(folder, manifest.fingerprint, manifest.dimension)
    if not shards:
        raise NoVectors(f"There are no vectors in {folder} yet.")
    keys, first = np.unique(np.concatenate([shard.keys for shard in shards]), return_index=True)
    codes = np.concatenate([shard.codes for shard in shards])[first]
    kept = np.isin(keys, wanted)
    low, width = shards[0].span.tolist()
    return Plain(manifest, (low, width), np.stack([ids, wanted], axis=1), keys[kept], codes[kept])


def adopt(folder: Path, given: Plain) -> None:
    """Answer from these vectors; what the folder has of the same encoder already stays. Raises VectorsError."""
    import numpy as np

    manifest = given.manifest
    with _alone(folder):
        try:
            builder = _Builder(folder, _Given(manifest.encoder, manifest.fingerprint, manifest.dimension))
            new = ~np.isin(given.keys, np.fromiter(builder.known, dtype=np.int64, count=len(builder.known)))
            builder.take(given.keys[new], given.codes[new], np.array(given.span, dtype=np.float32))
            complete = bool(np.isin(given.ids[:, 1], np.fromiter(builder.known, dtype=np.int64)).all())
            table = given.ids[np.argsort(given.ids[:, 0])]
            replace_file(folder / f"{manifest.fingerprint}.ids", table.astype(np.int64).tobytes())
            said = replace(manifest, schema=SCHEMA, count=len(table), complete=complete)
            replace_file(folder / MANIFEST, json.dumps(asdict(said), ensure_ascii=False, indent=1).encode())
        except OSError as error:
            raise VectorsError(f"The vectors in {folder} cannot be written: {error.strerror or error}.") from error


@dataclass(slots=True)
class _Given:
    """An encoder that is not here: its vectors are."""

    name: str
    fingerprint: str
    dimension: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise VectorsError(f"{self.name} is not here to make vectors of {len(texts)} texts.")


# ---------------------------------------------------------------- files


@dataclass(frozen=True, slots=True, eq=False)
class _Shard:
    file: Path
    keys: NDArray[np.int64]
    codes: NDArray[np.uint8]
    span: NDArray[np.float32]


def _read_shards(folder: Path, fingerprint: str, dimension: int) -> list[_Shard]:
    """Those of this encoder that can be read. What cannot is as if it were not there, and is embedded again."""
    import faiss
    import numpy as np

    found = []
    for file in sorted(folder.glob(f"{fingerprint}-*.faiss")):
        try:
            if not _is_as_written(file):
                continue
            named: Any = faiss.read_index(str(file))
            keys = faiss.vector_to_array(named.id_map)
            index: Any = faiss.downcast_index(named.index)
            span = faiss.vector_to_array(index.sq.trained)
            # A view into memory that `index` owns; the copy lives on without it.
            size = index.ntotal * index.code_size
            if index.codes.size() != size or index.code_size != dimension or len(keys) != index.ntotal:
                continue
            if span.shape != (2,) or not np.isfinite(span).all():
                continue
            codes = faiss.rev_swig_ptr(index.codes.data(), size).reshape(index.ntotal, -1).copy()
        except (OSError, RuntimeError, AttributeError, ValueError, MemoryError):
            continue
        found.append(_Shard(file, keys, codes, span))
    return found


_SEAL = b"tacit-crc32"


def _is_as_written(file: Path) -> bool:
    """Whether a file has the checksum that stands behind it. One of before there were any is believed.

    Raises OSError.
    """
    if not stat.S_ISREG(file.stat().st_mode):
        return False
    with file.open("rb") as content:
        left = content.seek(0, os.SEEK_END) - len(_SEAL) - 4
        content.seek(max(0, left))
        seal = content.read()
        if left < 0 or not seal.startswith(_SEAL):
            return True
        content.seek(0)
        found = 0
        while left > 0 and (some := content.read(min(left, 1 << 20))):
            found = zlib.crc32(some, found)
            left -= len(some)
    return found == int.from_bytes(seal[len(_SEAL) :], "big")


def _settled(folder: Path, fingerprint: str, dimension: int) -> list[_Shard]:
    """The same, for whoever reads while a builder may be making one file of many."""
    shards: list[_Shard] = []
    for _ in range(3):
        shards = _read_shards(folder, fingerprint, dimension)
        if {shard.file for shard in shards} >= set(folder.glob(f"{fingerprint}-*.faiss")):
            break
    return shards


def _next_number(folder: Path) -> int:
    numbers = [file.stem.rpartition("-")[2] for file in folder.glob("*.faiss")]
    return 1 + max((int(each) for each in numbers if each.isdigit()), default=0)


def _read_ids(folder: Path, fingerprint: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    import numpy as np

    try:
        table = np.frombuffer(content_of(folder / f"{fingerprint}.ids", LARGEST_IDS), dtype=np.int64).reshape(-1, 2)
        if (np.diff(table[:, 0]) <= 0).any():
            raise ValueError("the ids are not in order")
    except (OSError, ValueError) as error:
        raise VectorsError(f"The vectors in {folder} cannot be read: {error}") from error
    return table[:, 0].copy(), table[:, 1].copy()


def _rows(wanted: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each of `wanted` stands in `keys`; -1 where it does not."""
    import numpy as np

    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    order = np.argsort(keys, kind="stable")
    places = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    rows: NDArray[np.int64] = np.where(keys[order[places]] == wanted, order[places], -1)
    return rows


def _key(text: str) -> int:
    """64 bits of the text: two of a million texts are the same with a chance of 1 in 10⁷."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


# ---------------------------------------------------------------- FAISS


def _new_index(dimension: int, span: NDArray[np.float32]) -> Any:
    import faiss

    # One span for all components takes 7 ms over 250,000 vectors where one for each takes 12.
    index = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_8bit_uniform, faiss.METRIC_INNER_PRODUCT)
    faiss.copy_array_to_vector(span, index.sq.trained)
    index.is_trained = True
    return index


def _filled(dimension: int, shards: list[_Shard], rows: NDArray[np.int64]) -> Any:
    """An index of these rows of all shards, in this order. Empties `shards`: each is let go of once it is copied."""
    import faiss
    import numpy as np

    index = _new_index(dimension, shards[0].span)
    if not len(rows):
        return index
    # Written where FAISS has them, in pieces: as one array they would be in memory twice more.
    index.codes.resize(len(rows) * index.code_size)
    index.ntotal = len(rows)
    codes = faiss.rev_swig_ptr(index.codes.data(), len(rows) * index.code_size).reshape(len(rows), -1)
    start = 0
    while shards:
        shard = shards.pop(0)
        here = np.flatnonzero((rows >= start) & (rows < start + len(shard.keys)))
        for some in np.split(here, range(PIECE, len(here), PIECE)):
            codes[some] = shard.codes[rows[some] - start]
        start += len(shard.keys)
    return index


def _span(sample: NDArray[np.float32]) -> NDArray[np.float32]:
    """What 8 bits stand for, as lowest value and width: all of the sample, and five standard
    deviations of a random direction at least.

    FAISS would take the sample alone: a user's first ten lemmas would set the bounds for all that come later.
    """
    import numpy as np

    most = max(float(np.abs(sample).max()), 5 / sample.shape[1] ** 0.5)
    return np.array([-most, 2 * most], dtype=np.float32)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        make_folder(folder)
        lock = (folder / "lock").open("a")
    except OSError as error:
        raise VectorsError(f"The vectors in {folder} cannot be written: {error.strerror or error}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise VectorsBusy(f"Somebody else is making the vectors in {folder}.") from None
        for file in folder.glob(".*"):  # what one that was killed was writing
            file.unlink(missing_ok=True)
        yield
