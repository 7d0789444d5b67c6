"""Goals to measure on: the `sorry`s of a project, or the theorems of any Lean files with their proofs taken out.

A theorem's proof is replaced by `by sorry`; what stands above it stays. What stands below it is left out of every check
by the checker itself, and out of the text where nothing may be learned from it. Files that do not elaborate, and
theorems whose proof is already one `sorry`, give no goals. Of Markdown every block of Lean is a text of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tacit.server.lean.syntax import Command, Kind, commands_of, declaration_head
from tacit.server.text import LineIndex, Position


@dataclass(frozen=True)
class Goal:
    """A text with a place to prove something at. `part` is the number of the block in a file of Markdown, from 1.

    `as_it_stands`: it is a `sorry` of the text, which may have others; else nothing but its proof is missing.
    """

    file: Path
    text: str
    position: Position
    name: str
    part: int = 0
    as_it_stands: bool = False

    @property
    def uri(self) -> str:
        """What its document is called: the file itself, or a block of it, which is no file."""
        return f"untitled:{self.file.stem}-{self.part}" if self.part else self.file.resolve().as_uri()

    @property
    def path(self) -> Path | None:
        """The file, unless it is a block of one."""
        return None if self.part else self.file


_BLOCK = re.compile(r"^```lean[^\n]*\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
_HIDDEN = re.compile(r"^# ", re.MULTILINE)


def texts(file: Path) -> Iterator[tuple[int, str]]:
    """The Lean texts of a file, with their numbers: one, 0, of a Lean file; all blocks of Markdown, from 1."""
    try:
        text = file.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError):
        return
    if file.suffix != ".md":
        yield 0, text
        return
    for number, found in enumerate(_BLOCK.finditer(text), start=1):
        # Books of mdBook hide lines that only the compiler needs behind a `# `.
        yield number, _HIDDEN.sub("", found["text"])


def sorries(file: Path) -> Iterator[Goal]:
    """Every `sorry` of a file, as it stands."""
    for part, text in texts(file):
        if "sorry" not in text:
            continue  # a hundred times as fast as reading it
        index, commands = LineIndex(text), commands_of(text)
        for token in commands.sorries():
            command = commands.around(token.start)
            head = declaration_head(command) if command else None
            name = head.name.text if head is not None and head.name is not None else "example"
            yield Goal(file, text, index.position(token.start), name, part, as_it_stands=True)


_TAKES_VALUE = frozenset("let letI have haveI set".split())


def _proof_start(command: Command, text: str, *, terms: bool = False) -> int | None:
    """Where the `by` is of the `:= by` that begins a declaration's proof; with `terms`, where any proof behind `:=` is.

    None for what is defined by `where` or by alternatives (`| 0 => …`), which is no one place to prove something at.
    """
    depth = values = 0
    for i, token in enumerate(command.tokens[:-2]):
        if token.kind is Kind.OPEN:
            depth += 1
        elif token.kind is Kind.CLOSE:
            depth -= 1
        elif depth:
            continue
        elif token.text == "where" or (terms and token.text == "|" and token.start in command.line_starts):
            return None
        elif token.text in _TAKES_VALUE:
            values += 1
        elif token.text == ":" and text.startswith("=", token.end):
            if values:  # of a `let` in the statement
                values -= 1
                continue
            after = command.tokens[i + 2]
            return after.start if terms or after.text == "by" else None
    return None


def in_theorem(text: str, offset: int) -> bool:
    """Whether an offset stands in a theorem: there no value matters, data that a proof needs included."""
    command = commands_of(text).around(offset)
    head = declaration_head(command, before=offset) if command is not None else None
    return head is not None and head.keyword.text in ("theorem", "lemma")


def theorems(text: str, *, terms: bool = False) -> Iterator[tuple[Command, str, int]]:
    """Every theorem, lemma or example of a text that is proved by tactics, its name, and where its proof begins.

    With `terms`, those that are proved by a term too. Those with a `sorry` are left out.
    """
    for command in commands_of(text).all():
        head = declaration_head(command)
        if head is None or head.keyword.text not in ("theorem", "lemma", "example"):
            continue
        if command.tokens[0].text == "mutual" or any(t.text == "sorry" for t in command.tokens):
            continue
        start = _proof_start(command, text, terms=terms)
        if start is not None:
            yield command, head.name.text if head.name is not None else "example", start


def proved(file: Path, *, below: bool = True, terms: bool = False) -> Iterator[Goal]:
    """The theorems of a file with their proofs taken out. With `below`, what stands below one stays in the text."""
    for part, text in texts(file):
        for command, name, start in theorems(text, terms=terms):
            without = text[:start] + "by\n  sorry\n" + ("\n" + text[command.span.end :] if below else "")
            yield Goal(file, without, LineIndex(without).position(start + len("by\n  ")), name, part)
