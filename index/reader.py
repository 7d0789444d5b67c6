"""Reads the declarations of Lean files from their text alone: no build, no Lean. Never raises on any text or file.

    for reading in read_sources(sources): ...      one Reading for each file, imports before the files that import them
    read_text(text, "Mathlib.Order.Lattice")       one text, saved or not

A file is read in two steps: `look` sees what it says by itself and may go on anywhere, many files at a time; `finish`
adds what depends on the files that it imports. `Known` carries that from file to file: give the same one to reads that
belong together.
"""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

from tacit.index.affected import import_order
from tacit.index.declarations import Text, read_alone, read_imports
from tacit.index.files import content_of
from tacit.index.generated import complete
from tacit.index.ilean import Ilean, read_ilean, settle, with_lines
from tacit.index.known import Known, Sees
from tacit.index.notes import Item, items
from tacit.index.source import Import, Problem, Reading, Source

LARGEST = 64_000_000
"""Bytes. No file that a person wrote is larger."""
_HEADER = re.compile(
    rb"(?:\s+|--[^\n]*|/-(?:[^-]|-(?!/))*-/|(?:module|prelude)\b|(?:public\s+|meta\s+)*import\b[^\n]*)*"
)


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A file's content, not yet read: its digest says whether it must be, its imports when."""

    source: Source
    digest: str
    imports: tuple[Import, ...]


@dataclass(slots=True)
class Looked:
    """What a file says by itself; `text` is None where it cannot be read. `ilean`: what Lean said of it, if it did."""

    source: Source
    digest: str = ""
    text: Text | None = None
    notes: tuple[Item, ...] = ()
    problems: tuple[Problem, ...] = ()
    ilean: Ilean | None = None
    uses: Mapping[str, Set[str]] = field(default_factory=dict)
    loose: Mapping[int, Set[str]] = field(default_factory=dict)


def read_text(text: str, module: str, known: Known | None = None, *, path: str = "") -> Reading:
    """The declarations of one text. Offsets in it are into `text`; `path` is only passed on."""
    alone = read_alone(text, module)
    premises = complete(alone, known if known is not None else Known())
    return Reading(module, path, imports=alone.imports, premises=tuple(premises))


def look(source: Source) -> Looked:
    """The first step of reading a file."""
    path = str(source.path)
    content, problems = _content(source.path)
    if content is None:
        return Looked(source, problems=tuple(problems))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = content.decode("utf-8-sig", errors="replace")
        line = content.count(b"\n", 0, error.start) + 1
        problems.append(Problem(path, f"It is not UTF-8 (line {line}); what could be made out was read."))
    # Lean counts \r\n as one line break; as one character it keeps offsets simple.
    text = text.replace("\r\n", "\n")
    looked = Looked(source, digest(content), read_alone(text, source.module), tuple(items(text)))
    if (ilean := _compiled(source, problems)) is not None:
        looked.uses, looked.loose = ilean.uses(), ilean.loose()
        looked.ilean = replace(ilean, usages={})
    looked.problems = tuple(problems)
    return looked


def look_at(sources: Sequence[Source]) -> list[Looked]:
    """The first step for several files: a chunk of work."""
    return [look(each) for each in sources]


def finish(looked: Looked, known: Known, sees: Sees | None = None) -> Reading:
    """The second step: names that other files decide, and what `known` learns from this one. Takes `looked` apart."""
    path, module = str(looked.source.path), looked.source.module
    if looked.text is None:
        known.begin(module, sees)
        return Reading(module, path, problems=looked.problems)
    premises = complete(looked.text, known, sees)
    if looked.ilean is not None:
        premises = settle(premises, looked.ilean)
        looked.uses = with_lines(looked.uses, looked.loose, premises)
    return Reading(module, path, looked.digest, looked.text.imports, tuple(premises), looked.problems)


def read_file(source: Source, known: Known | None = None) -> Reading:
    """The declarations of one file; where it cannot be read, none and a problem."""
    return finish(look(source), known if known is not None else Known())


def _compiled(source: Source, problems: list[Problem]) -> Ilean | None:
    """What Lean wrote of a file. Of an older text it says nothing that can be relied on."""
    if source.ilean is None:
        return None
    try:
        if source.ilean.stat().st_mtime_ns < source.path.stat().st_mtime_ns:
            return None
    except OSError:
        return None
    found = read_ilean(source.ilean)
    if isinstance(found, Problem):
        problems.append(found)
        return None
    return found


def digest(content: bytes) -> str:
    """32 hex digits of a file's content."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _content(path: Path) -> tuple[bytes | None, list[Problem]]:
    try:
        return content_of(path, LARGEST), []
    except OSError as error:
        if error.errno == errno.EFBIG:
            return None, [
                Problem(str(path), f"It was not read: above {LARGEST // 1_000_000} MB it is too large for Lean text.")
            ]
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
        yield Surveyed(source, digest(content), read_imports(text)[0])


def in_import_order(surveyed: Iterable[Surveyed]) -> list[Surveyed]:
    """The files, each after those that it imports; files in a circle come in the order given."""
    files = {each.source.module: each for each in surveyed}
    order = import_order({module: [each.module for each in file.imports] for module, file in files.items()})
    return [files[module] for module in order]


def read_sources(sources: Iterable[Source], known: Known | None = None) -> Iterator[Reading]:
    """One reading for each file, imports first. A file that cannot be read is a reading with a problem."""
    known = known if known is not None else Known()
    ready = []
    for each in survey(sources):
        if isinstance(each, Problem):
            yield Reading("", each.path, problems=(each,))
        else:
            ready.append(each)
    for found in in_import_order(ready):
        yield read_file(found.source, known)
