"""Ranks premises by meaning: how their vectors are kept up to date, and the ranker.

Vectors are filed under the premise's digest, not under its id in the store: a store that was made anew has other ids,
and what it says is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from tacit.index.encoder import Encoder
from tacit.index.store import Store
from tacit.index.vectors import Filled, Progress, Vectors, change, fill, ids_of, read_manifest
from tacit.retrieval.passage import VERSION, passage, spoken
from tacit.retrieval.ranker import Query, Ranked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AT_ONCE = 500


class DenseRanker:
    """A `tacit.retrieval.ranker.Ranker`: the inner product of the query's vector and each premise's."""

    name = "dense"

    def __init__(self, vectors: Vectors, encoder: Encoder, digests: Iterable[tuple[int, str]]) -> None:
        """`digests` are the ids and digests of the store's premises."""
        import numpy as np

        self._vectors = vectors
        self._encoder = encoder
        pairs = np.array(sorted((id, _key(digest)) for id, digest in digests), dtype=np.int64).reshape(-1, 2)
        self._ids, self._keys = pairs[:, 0].copy(), pairs[:, 1].copy()
        self._order = np.argsort(self._keys)
        self._asked: tuple[str, NDArray[np.float32] | None] = ("", None)
        self._lock = Lock()

    @classmethod
    def open(cls, folder: Path, encoder: Encoder, digests: Iterable[tuple[int, str]]) -> DenseRanker:
        """VectorsError where there are no vectors that fit; premises without one are not found."""
        return cls(Vectors.open(folder, encoder), encoder, digests)

    def rank(self, query: Query, limit: int = 200) -> Sequence[Ranked]:
        """The nearest, best first. Filters are left to the caller."""
        import numpy as np

        if not len(self._ids):
            return []
        found = self._vectors.search(self._vector(query.text), limit)
        keys = np.array([key for key, _ in found], dtype=np.int64)
        places = np.minimum(np.searchsorted(self._keys, keys, sorter=self._order), len(self._keys) - 1)
        rows = self._order[places]
        # A premise that has left the store since may still have a vector.
        return [
            Ranked(int(self._ids[row]), score)
            for row, (key, score) in zip(rows.tolist(), found, strict=True)
            if self._keys[row] == key
        ]

    def scores(self, query: Query, premises: Sequence[int]) -> Sequence[float]:
        """The inner products; 0 for a premise that has no vector."""
        import numpy as np

        if not len(self._ids) or not premises:
            return [0.0] * len(premises)
        wanted = np.array(premises, dtype=np.int64)
        rows = np.minimum(np.searchsorted(self._ids, wanted), len(self._ids) - 1)
        known = self._ids[rows] == wanted
        scores = self._vectors.scores(self._vector(query.text), self._keys[rows].tolist())
        return [score if there else 0.0 for score, there in zip(scores, known.tolist(), strict=True)]

    def _vector(self, text: str) -> NDArray[np.float32]:
        """Of the last text again without encoding: ranking and scoring ask for the same one."""
        with self._lock:
            asked, vector = self._asked
        if vector is None or asked != text:
            vector = self._encoder.encode([spoken(text)])[0]
            with self._lock:
                self._asked = (text, vector)
        return vector


def embed(folder: Path, encoder: Encoder, store: Store, progress: Progress | None = None) -> Filled:
    """Bring the vectors up to date with the store: only texts that no vector was made of are embedded.

    Interrupted, it keeps what was done; VectorsError where somebody else is at it or nothing can be written.
    """
    wanted = {_key(digest): id for id, digest in store.digests()}
    have = ids_of(folder, encoder)
    if have is None:
        return fill(folder, encoder, _texts(store, wanted), progress)
    new = {key: id for key, id in wanted.items() if key not in have}
    gone = have - wanted.keys()
    filled = change(folder, encoder, _texts(store, new), gone, progress)
    if read_manifest(folder).complete:
        return filled
    return fill(folder, encoder, _texts(store, wanted), progress)  # a file of vectors was damaged


def _texts(store: Store, wanted: dict[int, int]) -> Iterator[tuple[int, str]]:
    keys = {id: key for key, id in wanted.items()}
    ids = sorted(keys)
    for start in range(0, len(ids), AT_ONCE):
        for stored in store.get(ids[start : start + AT_ONCE]):
            yield keys[stored.id], passage(stored.premise, stored.note)


def _key(digest: str) -> int:
    """64 bits of a premise's digest, other ones when other text is made of the same premise."""
    return (int(digest[:16], 16) ^ _VERSION_BITS) - (1 << 63)


_VERSION_BITS = int.from_bytes(VERSION.encode()[:8].ljust(8, b"\0"), "big")
