"""`tacit search`: asks the indexes of this workspace and shows the answers as a table or as JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tacit.retrieval.rerank import Hit
from tacit.server.command import Exit
from tacit.server.errors import BadInput
from tacit.server.library import close_library, open_library
from tacit.server.terminal import Terminal, seconds

WIDEST = 200
DOC = 160


@dataclass(frozen=True, slots=True)
class Ask:
    """What `tacit search` was asked."""

    text: str
    limit: int = 10
    paths: tuple[Path, ...] = ()
    as_json: bool = False


def search(terminal: Terminal, ask: Ask) -> int:
    """Show what is found; OPEN where nothing is."""
    if not ask.text.strip():
        raise BadInput("There is nothing to search for.", hint='Ask in words or symbols: tacit search "a + b = b + a".')
    library = open_library(ask.paths)
    try:
        begun = time.perf_counter()
        hits = library.search(ask.text, ask.limit)
        elapsed = time.perf_counter() - begun
        count = sum(each.lexical.count for each in library.shelves)
    finally:
        close_library(library)
    if ask.as_json:
        terminal.json([_plain(each) for each in hits])
    else:
        _table(terminal, hits)
    names = ", ".join(each.package for each in library.shelves)
    terminal.note((f"{_found(len(hits))} in {seconds(elapsed)}, out of {count:,} declarations of {names}", "dim"))
    return Exit.DONE if hits else Exit.OPEN


def _found(count: int) -> str:
    return {0: "Nothing found", 1: "1 found"}.get(count, f"{count} found")


def _plain(hit: Hit) -> dict[str, object]:
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


def _table(terminal: Terminal, hits: Sequence[Hit]) -> None:
    width = min(terminal.width or WIDEST, WIDEST)
    for number, hit in enumerate(hits, 1):
        premise = hit.stored.premise
        terminal.line(
            (f"{number:>3} ", "dim"),
            (premise.name, "bold"),
            (f"  {premise.kind}", "cyan"),
            (f"  {hit.score:.3f}", "dim"),
        )
        terminal.line("    ", _cut(premise.statement, width - 4))
        if premise.doc:
            terminal.line("    ", (_cut(premise.doc, min(width - 4, DOC)), "green"))
        terminal.line("    ", (f"{premise.module} · {hit.stored.path}:{premise.line}", "dim"))


def _cut(text: str, width: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else text[: max(1, width - 1)] + "…"
