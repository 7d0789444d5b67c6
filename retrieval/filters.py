"""What the filters of a question come to: those that nothing can satisfy, and, alone, what satisfies them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tacit.index.postings import KINDS
from tacit.index.store import Stored
from tacit.retrieval.lexical import in_module
from tacit.retrieval.ranker import Query

if TYPE_CHECKING:
    from tacit.retrieval.hybrid import Shelf

MOST_NAMES = 12
"""Packages that a sentence lists."""


def unmet(shelves: Sequence[Shelf], query: Query) -> list[str]:
    """A sentence for each filter that no premise here can satisfy, whatever else was asked for."""
    found = []
    kinds = [str(each) for each in KINDS]
    if wrong := [each for each in query.kinds if each not in kinds]:
        found.append(f"There is no kind {_either(wrong)}; there are {', '.join(kinds)}.")
    packages = sorted({each.package for each in shelves})
    if wrong := [each for each in query.packages if each.lower() not in {name.lower() for name in packages}]:
        more = f" and {len(packages) - MOST_NAMES} more" if len(packages) > MOST_NAMES else ""
        names = ", ".join(packages[:MOST_NAMES]) + more
        found.append(f"No package {_either(wrong)} is searched here; {names} {'is' if len(packages) == 1 else 'are'}.")
    modules = {name for shelf in shelves for name in shelf.store.modules().values()} if query.modules else set()
    if wrong := [each for each in query.modules if not any(in_module(name, each) for name in modules)]:
        found.append(f"No module that is searched here is called {_either(wrong)} or lies below it.")
    return found


def listed(shelves: Sequence[Shelf], query: Query, limit: int, path: str) -> list[tuple[Shelf, Stored]]:
    """The first premises that satisfy the filters, as they stand in their files, modules by name."""
    some = [(*row, shelf) for shelf in shelves for row in _files(shelf, query)]
    found: list[tuple[Shelf, Stored]] = []
    for _, ids, shelf in sorted(some, key=lambda each: each[0]):
        there = [each for each in shelf.store.get(ids) if not each.premise.private or each.path == path]
        found += [(shelf, each) for each in sorted(there, key=lambda each: (each.premise.line, each.id))]
        if len(found) >= limit:
            break
    return found[:limit]


def _files(shelf: Shelf, query: Query) -> Iterator[tuple[str, list[int]]]:
    """The modules of one package that have something, and the ids of it."""
    columns = shelf.lexical.columns()
    kept = np.fromiter(shelf.lexical.satisfying(query, columns.ids.tolist()), np.uint32)
    rows = np.flatnonzero(np.isin(columns.ids, kept))
    if not len(rows):
        return
    rows = rows[np.argsort(columns.files[rows], kind="stable")]
    modules = shelf.store.modules()
    files, first = np.unique(columns.files[rows], return_index=True)
    for file, ids in zip(files.tolist(), np.split(columns.ids[rows], first[1:]), strict=True):
        yield modules.get(file, ""), ids.tolist()


def _either(words: Sequence[str]) -> str:
    return " nor ".join(words)
