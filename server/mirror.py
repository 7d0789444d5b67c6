"""The editor's open documents, exactly as the editor holds them. Applies edits, converts positions; nothing else.

LSP ends a line at LF, CRLF or a lone CR, and nowhere else; `pygls.workspace` ends it wherever `str.splitlines`
does (form feed, U+0085, U+2028 …) and clamps a column past the end to one before it, so edits land in the wrong
place. Tacit counts lines at LF only, as Lean does. Both meet here, in offsets.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from tacit.server.suggest import Document
from tacit.server.text import LineIndex, Position, Span, from_utf16_column

_LONE_CR = re.compile("\r(?!\n)")
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)")
_HALF = re.compile("[\ud800-\udfff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")

Place = tuple[int, int]
"""A position as LSP writes it: 0-based line, 0-based column in UTF-16 units, or in code points where so agreed."""

Change = tuple[tuple[Place, Place] | None, str]
"""Replace a range by a text; the whole document where the range is None."""


class OpenDocument:
    """One version of an open document. Immutable; the line tables are made when first asked for, lines are handed on.

    `code_points`: the editor counts columns so (`utf-32` in LSP), and not in UTF-16 units.
    """

    def __init__(self, uri: str, version: int, text: str, *, code_points: bool = False) -> None:
        self.uri = uri
        self.version = version
        self.text = text
        self.code_points = code_points

    @cached_property
    def value(self) -> Document:
        """This version as the rest of Tacit takes it."""
        return Document(self.uri, self.version, self.text, path_of(self.uri))

    def offset(self, place: Place) -> int:
        """The offset of an LSP position; what lies past the end of a line or of the text is clamped, as LSP asks."""
        index = self._lsp
        at = index.offset(Position(*place) if self.code_points else index.from_utf16(*place))
        # The table's lines end at LF, so the CR of a CRLF counts as the line's last character: step before it.
        return at - 1 if at and self.text[at - 1 : at + 1] == "\r\n" else at

    def position(self, place: Place) -> Position:
        """The position of an LSP position as the rest of Tacit counts it."""
        return self._lean.position(self.offset(place))

    def place(self, offset: int) -> Place:
        """The LSP position of an offset."""
        position = self._lsp.position(offset)
        return (position.line, position.column) if self.code_points else self._lsp.to_utf16(position)

    def range(self, span: Span) -> tuple[Place, Place]:
        """The LSP range of a span."""
        return self.place(span.start), self.place(span.end)

    def line(self, offset: int) -> Span:
        """The line an offset stands on, as LSP counts lines, without its end."""
        number = self._lsp.position(offset).line
        start = self._lsp.offset(Position(number, 0))
        return Span(start, start + len(self._lsp.line(number).removesuffix("\r")))

    def changed(self, version: int, changes: Iterable[Change]) -> OpenDocument:
        """The document after some changes, each of which stands on the result of the one before."""
        lines = self._lines.copy()
        for where, text in changes:
            if where is None:
                lines = _Lines(_split(text), code_points=self.code_points)
            else:
                lines.replace(*where, text)
        document = OpenDocument(self.uri, version, lines.text, code_points=self.code_points)
        document._lines = lines
        return document

    @cached_property
    def _lines(self) -> _Lines:
        return _Lines(_split(self.text), code_points=self.code_points)

    @cached_property
    def _lsp(self) -> LineIndex:
        # A lone CR becomes LF, one character for one, so that offsets stay what they are.
        return LineIndex(_LONE_CR.sub("\n", self.text)) if "\r" in self.text else self._lean

    @cached_property
    def _lean(self) -> LineIndex:
        return LineIndex(self.text)


class _Lines:
    """A text that is being changed, as lines with their ends: a change costs what it touches.

    An editor that replaces a word everywhere tells thousands of changes at once. Halves of a surrogate pair that come
    to stand together, in two changes or around what is cut out, are one character, as they are to the editor.
    """

    def __init__(self, lines: list[str], *, code_points: bool) -> None:
        self._code_points = code_points
        self._lines = lines

    @property
    def text(self) -> str:
        """The whole."""
        return "".join(self._lines)

    def copy(self) -> _Lines:
        """The same lines, to be changed."""
        return _Lines(self._lines.copy(), code_points=self._code_points)

    def replace(self, start: Place, end: Place, text: str) -> None:
        """Put a text in the place of a range; an end before its start is its start."""
        first = self._at(start)
        last = max(first, self._at(end))
        (number, column), (below, rest) = first, last
        head, tail = self._lines[number][:column], self._lines[below][rest:]
        if not column and number and self._lines[number - 1].endswith("\r"):
            number -= 1  # with an LF that comes to stand behind it that CR is one line end
            head = self._lines[number]
        whole = head + text + tail
        if not self._code_points and _HALF.search(whole):
            whole = _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), whole)
        lines = _split(whole)
        if below + 1 < len(self._lines):
            lines.pop()  # what stands behind the last line end is the next line
        self._lines[number : below + 1] = lines

    def _at(self, place: Place) -> tuple[int, int]:
        """Line and column of an LSP position, clamped as `OpenDocument.offset` does."""
        number, column = place
        if number >= len(self._lines):
            number, column = len(self._lines) - 1, len(self._lines[-1]) * 2
        line = self._lines[number].rstrip("\r\n")
        return number, min(column, len(line)) if self._code_points else from_utf16_column(line, column)


def _split(text: str) -> list[str]:
    """The lines of a text with their ends, as LSP ends them; the last has none."""
    lines: list[str] = _LINE.findall(text)
    lines.append(text[sum(map(len, lines)) :])
    return lines


class Mirror:
    """The newest version of each open document. A URI is found in whichever way it is percent-encoded."""

    def __init__(self) -> None:
        self.code_points = False
        """How the editor counts columns; see OpenDocument."""
        self._open: dict[str, OpenDocument] = {}

    def __iter__(self) -> Iterator[OpenDocument]:
        return iter(tuple(self._open.values()))

    def find(self, uri: str) -> OpenDocument | None:
        """The newest version of a document; None when it is not open."""
        return self._open.get(unquote(uri))

    def put(self, document: OpenDocument) -> None:
        """A document was opened or changed."""
        self._open[unquote(document.uri)] = document

    def remove(self, uri: str) -> OpenDocument | None:
        """A document was closed; the version it had, None when it was not open."""
        return self._open.pop(unquote(uri), None)


def path_of(uri: str) -> Path | None:
    """The path of a `file:` URI; None for a document that has none (untitled, virtual, remote) or can have none."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # a host in brackets that is none
        return None
    if parts.scheme != "file":
        return None
    host = f"//{parts.netloc}" if parts.netloc and parts.netloc != "localhost" else ""
    path = Path(url2pathname(host + parts.path))
    try:
        possible = path.is_absolute() and b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:  # half of a character
        return None
    return path if possible else None
