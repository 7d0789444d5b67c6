"""Goals to measure on: the `sorry`s of a project, or the theorems of any Lean files with their proofs taken out.

A theorem's proof is replaced by `by sorry`; what stands above it stays, what stands below it is left out of
every check by the checker itself. Files that do not elaborate, and theorems whose proof is already one `sorry`,
give no goals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tacit.server.lean.syntax import Command, Commands, Kind, declaration_head
from tacit.server.text import LineIndex, Position


@dataclass(frozen=True)
class Goal:
    """A text with a place to prove something at."""

    file: Path
    text: str
    position: Position
    name: str


def sorries(file: Path) -> Iterator[Goal]:
    """Every `sorry` of a file, as it stands."""
    text = file.read_text(encoding="utf-8")
    index = LineIndex(text)
    for token in Commands(text).sorries():
        command = Commands(text).around(token.start)
        head = declaration_head(command) if command else None
        name = head.name.text if head is not None and head.name is not None else "example"
        yield Goal(file, text, index.position(token.start), name)


def _proof_start(command: Command, text: str) -> int | None:
    """The offset of `by` in the `:= by` that begins a declaration's proof."""
    depth = 0
    for i, token in enumerate(command.tokens[:-2]):
        if token.kind is Kind.OPEN:
            depth += 1
        elif token.kind is Kind.CLOSE:
            depth -= 1
        elif depth == 0 and token.text == ":" and text.startswith("=", token.end):
            after = command.tokens[i + 2]
            return after.start if after.text == "by" else None
    return None


def proved(file: Path) -> Iterator[Goal]:
    """Every theorem, lemma or example of a file that is proved by tactics, with its proof taken out."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    for command in Commands(text).all():
        head = declaration_head(command)
        if head is None or head.keyword.text not in ("theorem", "lemma", "example"):
            continue
        if command.tokens[0].text == "mutual" or any(t.text == "sorry" for t in command.tokens):
            continue
        start = _proof_start(command, text)
        if start is None:
            continue
        without = text[:start] + "by\n  sorry\n\n" + text[command.span.end :]
        position = LineIndex(without).position(start + len("by\n  "))
        yield Goal(file, without, position, head.name.text if head.name is not None else "example")
