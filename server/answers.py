"""Questions to search and their answers, as values and as JSON. Nothing here searches, and importing it is cheap."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tacit.retrieval.rerank import Hit


@dataclass(frozen=True, slots=True)
class Ask:
    """A question. `path` and `document` are the file that it is asked from and its text, `offset` the place there.

    The private declarations of that file are found too; with `usable_here` nothing that could not be named there.
    `code_points`: columns in the answer are to be counted so, and not in UTF-16 units.
    """

    text: str
    limit: int = 10
    path: Path | None = None
    document: str | None = None
    offset: int | None = None
    usable_here: bool = False
    code_points: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """One answer. Its name stands in line `line` from `start` to `end`, 0-based, counted as was asked.

    `usable`: whether it can be named at the place asked from; None where none was given. `needs`: the module whose
    import would make it so.
    """

    hit: Hit
    line: int
    start: int = 0
    end: int = 0
    usable: bool | None = None
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, best first, and out of how many declarations. `sentence`: why this can have no answer."""

    found: tuple[Found, ...]
    total: int
    elapsed: float
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """What can be said of one package's index: `sentence` is empty where all is well."""

    package: str
    index: Path
    open: bool = False
    premises: int = 0
    meanings: bool = False
    """Whether vectors take part."""
    drafts: int = 0
    """Files that are newer than the index, read beside it."""
    sentence: str = ""
    broken: bool = False
    """Whether making the index anew would help."""


@dataclass(frozen=True, slots=True)
class SearchStatus:
    """What can be said of search without waiting. `state`: closed (nothing was asked yet), missing or open."""

    state: str
    conditions: tuple[Condition, ...] = ()
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a text belongs: the package, the name of its module there, and the index that it is newer than."""

    package: str
    module: str
    index: Path | None = None


def hit_json(hit: Hit) -> dict[str, Any]:
    """An answer in JSON."""
    premise = hit.stored.premise
    return {
        "name": premise.name,
        "kind": str(premise.kind),
        "module": premise.module,
        "statement": premise.statement,
        "doc": premise.doc,
        "score": round(hit.score, 4),
        "package": hit.package,
        "path": hit.stored.path,
        "line": premise.line,
    }
