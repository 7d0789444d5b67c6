"""Makes a shelf of one text that no index holds yet: an unsaved document, or a file that was just written.

Reading and analysing (`draft`) touch no database and may go on in any thread; the shelf belongs to the thread that
makes it. Its premises are ranked by the very rules of those on disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tacit.index import postings
from tacit.index.encoder import Encoder
from tacit.index.known import Known
from tacit.index.notes import notes
from tacit.index.premise import Premise
from tacit.index.reader import digest as digest_of
from tacit.index.reader import read_text
from tacit.index.source import Import
from tacit.index.store import File, Store
from tacit.retrieval.analysis import analyse
from tacit.retrieval.hybrid import Shelf
from tacit.retrieval.lexical import Lexical
from tacit.retrieval.passage import passage, spoken
from tacit.retrieval.ranker import Query, Ranked, Ranker

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REMEMBERED = 4_096
"""Vectors of premises that are kept: of a text that grows by a word, all but one premise are the same."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One text, read. Without premises it says that the file is there no more, or holds none."""

    package: str
    module: str
    path: str
    digest: str
    """Of the text in UTF-8: a file that the index has with the same digest says the same."""
    imports: tuple[Import, ...] = ()
    premises: tuple[Premise, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    packed: postings.Packed | None = None


def draft(
    text: str, package: str, module: str, path: str, known: Known | None = None, *, digest: str | None = None
) -> Draft:
    """Read a text. Takes time that grows with its length; never raises on any text."""
    reading = read_text(text.replace("\r\n", "\n"), module, known, path=path)
    premises = reading.premises[: postings.LARGEST]
    said = notes(text, [each.name for each in premises])
    entries = [
        postings.Entry(number, 1, each, said.get(each.name, "")) for number, each in enumerate(premises, 1)
    ]  # an empty store numbers from 1
    return Draft(
        package,
        module,
        path,
        digest if digest is not None else text_digest(text),
        reading.imports,
        premises,
        tuple(said.items()),
        postings.pack(entries, analyse),
    )


def text_digest(text: str) -> str:
    """The digest that a file with this text has in an index."""
    return digest_of(text.encode("utf-8", "replace"))


def shelve(draft: Draft, like: Lexical | None = None, dense: Ranker | None = None) -> Shelf:
    """The shelf of a draft; `like` ranks the package that it is a part of. Close its store when done."""
    store = Store.create(Path(":memory:"), careful=False)
    file = store.put_file(File(0, draft.module, draft.path, draft.digest, ""), [each.mark for each in draft.imports])
    store.put(file, draft.premises, dict(draft.notes))
    if draft.packed is not None:
        postings.write(store.database, draft.packed)
    store.set_manifest(package=draft.package)
    store.database.commit()
    return Shelf(draft.package, store, Lexical(store, like=like), dense)


class DraftVectors:
    """Makes the vectors of drafts; of a premise that was in one before, without the encoder."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._known: dict[str, NDArray[np.float32]] = {}

    def ranker(self, draft: Draft) -> Ranker:
        """The ranker of a draft's shelf."""
        import numpy as np

        digests = [each.digest for each in draft.premises]
        new = {key: each for key, each in zip(digests, draft.premises, strict=True) if key not in self._known}
        if new:
            said = dict(draft.notes)
            made = self.encoder.encode([passage(each, said.get(each.name, "")) for each in new.values()])
            self._known.update(zip(new, made, strict=True))
        rows = [self._known[key] for key in digests]
        for key, row in zip(digests, rows, strict=True):  # the latest stand last
            self._known.pop(key, None)
            self._known[key] = row
        for key in list(self._known)[:-REMEMBERED]:
            del self._known[key]
        vectors = np.stack(rows) if rows else np.zeros((0, 1), np.float32)
        return _DraftRanker(vectors, self.encoder)


class _DraftRanker:
    """A `tacit.retrieval.ranker.Ranker` over a few vectors in memory; row n is of the premise with the id n + 1."""

    name = "dense"

    def __init__(self, vectors: NDArray[np.float32], encoder: Encoder) -> None:
        self._vectors = vectors
        self._encoder = encoder

    def rank(self, query: Query, limit: int = 200) -> Sequence[Ranked]:
        found = [Ranked(number, score) for number, score in enumerate(self._products(query), 1)]
        return sorted(found, key=lambda each: -each.score)[:limit]

    def scores(self, query: Query, premises: Sequence[int]) -> Sequence[float]:
        products = self._products(query)
        return [products[each - 1] if 0 < each <= len(products) else 0.0 for each in premises]

    def _products(self, query: Query) -> list[float]:
        if not len(self._vectors):
            return []
        products: list[float] = (self._vectors @ self._encoder.encode([spoken(query.text)])[0]).tolist()
        return products
