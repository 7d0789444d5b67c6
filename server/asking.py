"""What the thread that holds the indexes does for one question: search, say what is usable, find where names stand."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path

from tacit.index.files import content_of
from tacit.index.reader import digest
from tacit.index.store import Stored
from tacit.retrieval.access import Access, header_of
from tacit.retrieval.overlay import Draft
from tacit.retrieval.premises import RankedPremise
from tacit.retrieval.rerank import Hit
from tacit.server.answers import Answer, Ask, Found, Home
from tacit.server.shelves import Shelves


def search(shelves: Shelves, ask: Ask, texts: Mapping[str, str]) -> Answer:
    """Answer a question. `texts`: open documents by path."""
    began = time.perf_counter()
    path = str(ask.path) if ask.path is not None else ""

    def answer(_: object) -> Answer:
        access = shelves.access(header_of(ask.document), path) if ask.document is not None else None
        with shelves.only(access, path) if access is not None and ask.usable_here else nullcontext():
            hits = shelves.library.search(ask.text, ask.limit, path=path)
        lines = _Lines(texts, len if ask.code_points else _units)
        found = tuple(_found(each, ask, path, access, lines) for each in hits)
        if ask.usable_here:  # of the file itself only what stands above
            found = tuple(each for each in found if each.usable is not False)
        sentence = " ".join(shelves.library.objections(ask.text)) if not found else ""
        return Answer(found, shelves.count, time.perf_counter() - began, sentence)

    return shelves.ask(answer)


def placed(shelves: Shelves, ranked: Sequence[RankedPremise], ask: Ask, texts: Mapping[str, str]) -> tuple[Found, ...]:
    """What was ranked for a goal, with where it stands: all of it is usable there. Valid inside `Shelves.ask` alone."""
    path = str(ask.path) if ask.path is not None else ""
    lines = _Lines(texts, len if ask.code_points else _units)
    hits = (_stored(shelves, each, path) for each in ranked)
    return tuple(Found(each, *lines.place(each.stored), usable=True) for each in hits if each is not None)


def home(shelves: Shelves, path: Path | None, name: str, content: bytes) -> Home | None:
    """Where a text belongs; None when the index has this very text."""
    if path is None:
        return Home("", re.sub(r"\W+", "_", Path(name).stem) or "Untitled")
    if shelves.indexed(str(path), digest(content)):
        return None
    return shelves.home(path) or Home("", path.stem)


def put_gone(shelves: Shelves, path: Path) -> None:
    """Hold back what the index has of a file that is there no more."""
    where = shelves.home(path)
    if where is not None:
        shelves.put(Draft(where.package, where.module, str(path), ""), where.index)


def _stored(shelves: Shelves, ranked: RankedPremise, path: str) -> Hit | None:
    """A premise as the library has it, or as it stands in the text at `path` where that is newer."""
    for shelf in shelves.library.shelves:
        for stored in shelf.store.named(ranked.premise.name):
            if stored.premise == ranked.premise:
                return Hit(shelf.package, stored, ranked.score)
    if not ranked.local or not path:
        return None
    own = shelves.home(Path(path))
    return Hit(own.package if own else "", Stored(0, ranked.premise, path, ""), ranked.score)


def _found(hit: Hit, ask: Ask, path: str, access: Access | None, lines: _Lines) -> Found:
    premise = hit.stored.premise
    line, start, end = lines.place(hit.stored)
    if access is None:
        return Found(hit, line, start, end)
    if hit.stored.path == path:
        above = ask.offset is None or premise.stop <= ask.offset
        return Found(hit, line, start, end, above)
    usable = premise.module in access.modules and not premise.private
    return Found(hit, line, start, end, usable, "" if usable else premise.module)


class _Lines:
    """Finds names in the files of hits, each file read once."""

    def __init__(self, texts: Mapping[str, str], width: Callable[[str], int]) -> None:
        self._texts = texts
        self._width = width
        self._read: dict[str, Sequence[str]] = {}

    def place(self, stored: Stored) -> tuple[int, int, int]:
        """The 0-based line of a name, and where in it; all of the line where the name is not written down."""
        number = max(0, stored.premise.line - 1)
        lines = self._lines(stored.path)
        # Attributes and modifiers may stand on lines of their own before the name.
        for place in range(number, min(number + 4, len(lines))):
            if found := _name(stored.premise.name.rpartition(".")[2]).search(lines[place]):
                return place, self._width(lines[place][: found.start()]), self._width(lines[place][: found.end()])
        return number, 0, self._width(lines[number]) if number < len(lines) else 0

    def _lines(self, path: str) -> Sequence[str]:
        if path not in self._read:
            try:
                text = self._texts.get(path)
                text = content_of(path).decode("utf-8-sig", errors="replace") if text is None else text
            except (OSError, ValueError):
                text = ""
            self._read[path] = [each.rstrip("\r") for each in text.split("\n")]
        return self._read[path]


@lru_cache(maxsize=512)
def _name(last: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w'!?]){re.escape(last)}(?![\w'!?])")


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
