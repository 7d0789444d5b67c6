"""`tacit search`: asks the indexes of this workspace and shows the answers as a table or as JSON."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from rich.style import Style
from rich.text import Text

from tacit.index.build import file_stamp
from tacit.index.packages import workspace_of
from tacit.index.places import packages_behind
from tacit.index.store import Store
from tacit.retrieval.access import Modules, header_of
from tacit.retrieval.hybrid import Hybrid
from tacit.retrieval.question import LONGEST, parse, understand
from tacit.retrieval.rerank import Hit
from tacit.retrieval.text import words
from tacit.server.answers import hit_json
from tacit.server.command import Exit
from tacit.server.errors import BadInput
from tacit.server.library import answered, close_library, open_library
from tacit.server.terminal import Terminal, plural, seconds

WIDEST = 200
DOC = 160
MOST_NAMES = 8
"""Packages that are named as searched."""
_PIECE = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_]|\d+|[^\w\s]")
_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<line>\d+))?(?::\d+)?")


@dataclass(frozen=True, slots=True)
class Ask:
    """What `tacit search` was asked. `usable_in`: FILE or FILE:LINE, and only what can be used there is wanted.

    `lean` is what the user names as Lean.
    """

    text: str
    limit: int = 10
    paths: tuple[Path, ...] = ()
    as_json: bool = False
    usable_in: str = ""
    lean: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a file: what is above it there, and what the file imports, can be used."""

    path: Path
    text: str
    line: int | None = None

    @classmethod
    def parse(cls, text: str) -> Spot:
        """`FILE` or `FILE:LINE`, from 1. Raises BadInput."""
        match = _PLACE.fullmatch(text)
        whole = os.path.isfile(text) or match is None  # noqa: PTH113  # Path.is_file raises for long names
        path, line = Path(text if whole or match is None else match["file"]), None
        if match is not None and not whole and match["line"]:
            line = int(match["line"])
        try:
            return cls(path.resolve(), path.read_text(encoding="utf-8-sig", errors="replace"), line)
        except OSError as error:
            raise BadInput(
                f"{path} cannot be read: {error.strerror}.", hint="--usable-in wants FILE or FILE:LINE."
            ) from error


def search(terminal: Terminal, ask: Ask) -> int:
    """Show what is found; OPEN where nothing is."""
    if not ask.text.strip():
        raise BadInput("There is nothing to search for.", hint='Ask in words or symbols: tacit search "a + b = b + a".')
    spot = Spot.parse(ask.usable_in) if ask.usable_in else None
    remarks: list[str] = []
    whole = open_library(ask.paths or (_around(spot) if spot else ()), lean=ask.lean, remarks=remarks)
    try:
        begun = time.perf_counter()
        hits, library = answered(whole, lambda some: answers(some, ask.text, ask.limit, spot), remarks)
        elapsed = time.perf_counter() - begun
        if ask.as_json:
            terminal.json([hit_json(each) for each in hits])
        else:
            show_hits(terminal, hits, ask.text)
        where = " that can be used there" if spot else ""
        terminal.note((f"{_found(len(hits))}{where} in {seconds(elapsed)}, out of {_of_what(library)}", "dim"))
        for sentence in (*_remarks(library, ask), *remarks):
            terminal.note(("→ ", "bold yellow"), sentence)
    finally:
        close_library(whole)
    return Exit.DONE if hits else Exit.OPEN


def answers(library: Hybrid, text: str, limit: int, spot: Spot | None = None) -> list[Hit]:
    """The best answers; with a spot only those that can be used there."""
    if spot is None:
        return library.search(text, limit)
    own = next((name for each in packages_behind(spot.path)[0] if (name := each.module_of(spot.path))), "")
    access = Modules.of([each.store for each in library.shelves]).access(header_of(spot.text), own)
    path = str(spot.path)
    below = 0
    try:
        for number, shelf in enumerate(library.shelves):
            mask = access.files(number).copy()
            for (file,) in shelf.store.database.execute("SELECT id FROM files WHERE path = ?", (path,)):
                mask[file] = True
                below += shelf.store.database.execute(
                    "SELECT count(*) FROM premises WHERE file = ? AND line >= ?", (file, spot.line or 1 << 62)
                ).fetchone()[0]
            shelf.lexical.only(mask)
        hits = library.search(text, limit + below, path=path)
    finally:
        for shelf in library.shelves:
            shelf.lexical.only(None)
    above = [each for each in hits if each.stored.path != path or not spot.line or each.stored.premise.line < spot.line]
    return above[:limit]


def _of_what(library: Hybrid) -> str:
    """`251,000 declarations of top, mathlib`; of many packages the first ones."""
    names = list(dict.fromkeys(each.package for each in library.shelves))
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    count = sum(each.store.count() for each in library.shelves)
    return f"{plural(count, 'declaration')} of {', '.join(names[:MOST_NAMES])}{more}"


def _remarks(library: Hybrid, ask: Ask) -> Iterator[str]:
    """What else is to be said of an answer."""
    yield from library.objections(ask.text)
    if len(ask.text) > LONGEST:
        yield f"Only the first {LONGEST:,} characters were looked at."
    if ask.as_json:
        return
    # Without a path, an update is of what is searched without one in a project.
    everywhere = not ask.paths and (bool(os.environ.get("MATHLIB")) or workspace_of(Path.cwd()) is not None)
    for each in library.shelves:
        if newer := _newer(each.store):
            says = "is newer than its index, or gone" if newer == 1 else "are newer than its index, or gone"
            update = "tacit index update" if everywhere else f"tacit index update {quote(each.store.manifest().root)}"
            yield f"{plural(newer, 'file')} of {each.package} {says}: `{update}` reads what has changed."


def _around(spot: Spot) -> tuple[Path, ...]:
    """The workspace of a file, and the Mathlib that is named; nothing, which means all there is, outside any."""
    workspace, named = workspace_of(spot.path), os.environ.get("MATHLIB", "")
    return (workspace, *([Path(named)] if named else [])) if workspace is not None else ()


def _newer(store: Store) -> int:
    """How many files of an index have changed since, or are gone. Of sources that are not here nothing can be said."""
    if not os.path.isdir(store.manifest().root):  # noqa: PTH112  # Path.is_dir raises where it may not be looked at
        return 0
    count = 0
    for each in store.files().values():
        now = file_stamp(each.path)
        count += not now or each.stamp.partition("+")[0] not in ("", now)
    return count


def _found(count: int) -> str:
    return {0: "Nothing found", 1: "1 found"}.get(count, f"{count} found")


def show_hits(terminal: Terminal, hits: Sequence[Hit], question: str) -> None:
    """The answers, four lines each: name, kind and score, statement, docstring, module and source."""
    width = min(terminal.width or WIDEST, WIDEST)
    asked = {term for term, _ in understand(parse(question)).terms if term[0] not in "=~"}
    for number, hit in enumerate(hits, 1):
        premise = hit.stored.premise
        terminal.line(
            (f"{number:>3} ", "dim"),
            _marked(premise.name, asked, "bold", "bold yellow"),
            (f"  {premise.kind}", "cyan"),
            (f"  {hit.score:.3f}" if hit.score else "", "dim"),
        )
        terminal.line("    ", _marked(_cut(premise.statement, width - 4), asked, "", "yellow"))
        if premise.doc:
            terminal.line("    ", _marked(_cut(premise.doc, min(width - 4, DOC)), asked, "green", "bold green"))
        terminal.line("    ", (f"{premise.module} · ", "dim"), _link(hit.stored.path, premise.line))


def _link(path: str, line: int) -> Text:
    """A place in a file, which terminals that can (OSC 8) open on a click."""
    there = Path(path).is_absolute() and os.path.exists(path)  # noqa: PTH110  # Path.exists raises, as above
    uri = f"{Path(path).as_uri()}#{line}" if there else None
    return Text(f"{path}:{line}", Style(dim=True, link=uri))


def _marked(text: str, asked: set[str], style: str, mark: str) -> Text:
    """A text in which the words that were asked for stand out."""
    shown = Text(text, style)
    for match in _PIECE.finditer(text):
        if asked.intersection(words(match[0])):
            shown.stylize(mark, *match.span())
    return shown


def _cut(text: str, width: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else text[: max(1, width - 1)] + "…"
