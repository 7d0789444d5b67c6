"""Reads the declarations of Lean files from their text alone: no build, no Lean. Never raises on any text or file.

    for reading in read_sources(sources): ...      one Reading for each file, imports before the files that import them
    read_text(text, "Mathlib.Order.Lattice")       one text, saved or not

`Known` carries what one file must know of those it imports (which names `to_additive` gave to what, the fields of
structures). Give the same one to reads that belong together; `Known.to_json` and `from_json` keep it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tacit.index.declarations import read_alone, read_imports
from tacit.index.generated import complete
from tacit.index.known import Known
from tacit.index.source import Import, Problem, Reading, Source

LARGEST = 64_000_000
"""Bytes. No file that a person wrote is larger."""
_HEADER = re.compile(
    rb"(?:\s+|--[^\n]*|/-(?:[^-]|-(?!/))*-/|(?:module|prelude)\b|(?:public\s+|meta\s+)*import\b[^\n]*)*"
)
_ALIASED = re.compile(rb"alias\s+[^\n]*?:=\s*@?([^\s:]+)")
_ATTRIBUTED = re.compile(rb"\nattribute\s*\[[^\n]*?\]\s((?:[^\n]+\n)*)")


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A file's content, not yet read: its digest says whether it must be, its imports when."""

    source: Source
    digest: str
    imports: tuple[Import, ...]
    asks_for: frozenset[str] = frozenset()
    """Last components of the names that its `alias` and `attribute` commands ask for, perhaps from other files."""


def read_text(text: str, module: str, known: Known | None = None, *, path: str = "") -> Reading:
    """The declarations of one text. Offsets in it are into `text`; `path` is only passed on."""
    alone = read_alone(text, module)
    premises = complete(alone, known if known is not None else Known())
    return Reading(module, path, imports=alone.imports, premises=tuple(premises))


def read_file(source: Source, known: Known | None = None) -> Reading:
    """The declarations of one file; where it cannot be read, none and a problem."""
    path = str(source.path)
    content, problems = _content(source.path)
    if content is None:
        return Reading(source.module, path, problems=tuple(problems))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = content.decode("utf-8-sig", errors="replace")
        line = content.count(b"\n", 0, error.start) + 1
        problems.append(Problem(path, f"It is not UTF-8 (line {line}); what could be made out was read."))
    # Lean counts \r\n as one line break; as one character it keeps offsets simple.
    text = text.replace("\r\n", "\n")
    reading = read_text(text, source.module, known, path=path)
    return Reading(source.module, path, digest(content), reading.imports, reading.premises, tuple(problems))


def digest(content: bytes) -> str:
    """32 hex digits of a file's content."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _content(path: Path) -> tuple[bytes | None, list[Problem]]:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            return None, [
                Problem(str(path), f"It was not read: it is {size // 1_000_000} MB, too large for Lean text.")
            ]
        return path.read_bytes(), []
    except OSError as error:
        return None, [Problem(str(path), f"It could not be read: {error.strerror or error}.")]


def survey(sources: Iterable[Source]) -> Iterator[Surveyed | Problem]:
    """What each file is and imports, without reading its declarations: a tenth of a second for a thousand files."""
    for source in sources:
        content, problems = _content(source.path)
        if content is None:
            yield from problems
            continue
        header = _HEADER.match(content)
        text = "\n" + (header[0] if header else b"").decode("utf-8-sig", errors="replace")
        yield Surveyed(source, digest(content), read_imports(text)[0], _asked_for(content))


def _asked_for(content: bytes) -> frozenset[str]:
    found = {name.rpartition(b".")[2] for name in _ALIASED.findall(content)}
    for names in _ATTRIBUTED.findall(content):
        found.update(name.rpartition(b".")[2] for name in names.split())
    return frozenset(name.decode("utf-8", errors="replace") for name in found)


def in_import_order(surveyed: Iterable[Surveyed]) -> list[Surveyed]:
    """The files, each after those that it imports; files in a circle come in the order given."""
    files = {each.source.module: each for each in surveyed}
    ordered: dict[str, Surveyed] = {}
    begun: set[str] = set()
    for module in files:
        stack = [(module, False)]
        while stack:
            name, ready = stack.pop()
            if ready:
                ordered.setdefault(name, files[name])
            elif name not in begun:
                begun.add(name)
                stack.append((name, True))
                stack += [(each.module, False) for each in reversed(files[name].imports) if each.module in files]
    return list(ordered.values())


def read_sources(sources: Iterable[Source], known: Known | None = None) -> Iterator[Reading]:
    """One reading for each file, imports first. A file that cannot be read is a reading with a problem."""
    known = known if known is not None else Known()
    ready = []
    for each in survey(sources):
        if isinstance(each, Problem):
            yield Reading("", each.path, problems=(each,))
        else:
            ready.append(each)
    known.wanted = frozenset().union(*(each.asks_for for each in ready))
    for found in in_import_order(ready):
        yield read_file(found.source, known)
