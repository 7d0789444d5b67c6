"""Reads the replacement tactics out of a message in which Lean says "Try this". Pure text; every wording known.

Until the middle of 2025 a suggestion follows the colon and goes on over indented lines, and several come as a
list with `•`; since then each stands behind `[apply]` on a line of its own. What follows a suggestion is for
people and is dropped: remaining subgoals, the goal after a rewrite, traces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tacit.server.values import Candidate, CheckedTactic

_HEADER = re.compile(r"^[ \t]*(?:info: ?)?Try (?:this|these)(?: instead)?:[ \t]?(?P<rest>.*)$")
_MARKER = re.compile(r"^(?P<indent> *)(?P<mark>\[apply\]|•)(?: (?P<text>.*))?$")
# The words of `hint`, the comments of `apply?` and `rw?`, and simp traces end what they follow.
_END = re.compile(r"^\s*(?:--|Remaining subgoals:|\[Meta\.|\[grind|⊢)")
_SAYS = re.compile(r"^\S+\?\S*.*? says\s+", re.DOTALL)
# A name nobody can write, a metavariable of Lean's own, an elided term, and what stands for a missing proof.
_UNUSABLE = re.compile(r"✝|\?m[.\d]|⋯|…|\bsorry\b|\badmit\b")


def harvest(message: str) -> tuple[str, ...]:
    """The tactics that a message suggests, in its order, each once; empty when it suggests none.

    A tactic may span lines; its first line stands at column 0. A `refine f ?_` is kept (it leaves a goal that
    Lean will show), a text that no file could contain is not.
    """
    found: list[str] = []
    lines = message.split("\n")
    for at, line in enumerate(lines):
        header = _HEADER.match(line)
        if header:
            found.extend(_suggestions(header["rest"], lines[at + 1 :]))
    cleaned = (_clean(text) for text in found)
    return tuple(dict.fromkeys(text for text in cleaned if text and not _UNUSABLE.search(text)))


def replacements(checked: CheckedTactic, harvest: Callable[[str], Sequence[str]] = harvest) -> list[Candidate]:
    """What Lean suggested in the place of a tactic that it ran, as candidates in their own right."""
    if not checked.try_this:
        return []
    source = f"Try this ({checked.candidate.text.split()[0]})"
    return [Candidate(text, source, prior=0.9) for message in checked.try_this for text in harvest(message)]


def _suggestions(rest: str, lines: list[str]) -> list[str]:
    """The texts after one header: its own rest of line, or the marked entries below it."""
    for end, line in enumerate(lines):
        if _HEADER.match(line):
            lines = lines[:end]
            break
    if rest.strip():
        return [_block(rest, _until_end(lines, 1))]
    entries = [at for at, line in enumerate(lines) if _MARKER.match(line)]
    if not entries:
        body = _until_end(lines, 0)
        return [_block("", body)]
    found = []
    for at, following in zip(entries, [*entries[1:], len(lines)], strict=True):
        marker = _MARKER.match(lines[at])
        assert marker is not None
        # Lean nests the lines of an `[apply]` entry by two, those of a bullet by two more than the bullet.
        nested = 2 if marker["mark"] == "[apply]" else len(marker["indent"]) + 2
        body = _until_end(lines[at + 1 : following], nested)
        found.append(_block(marker["text"] or "", [line[nested:] for line in body]))
    return found


def _until_end(lines: list[str], indent: int) -> list[str]:
    """The lines that belong to a suggestion: indented far enough, up to the words for people."""
    kept: list[str] = []
    for line in lines:
        if _END.match(line) or (line.strip() and len(line) - len(line.lstrip(" ")) < indent):
            break
        if not line.strip() and kept:
            break
        kept.append(line)
    return kept


def _block(first: str, lines: list[str]) -> str:
    """One tactic text from its first line and those below it, the first at column 0.

    A first line that is empty, or pushed to the right, belongs to a sequence of tactics below each other; a
    first line at its place is continued by lines that keep their indentation.
    """
    lines = [line.rstrip() for line in lines if line.strip()]
    sequence = not first.strip(" ⏎") or first.startswith(" ")
    if sequence and lines:
        margin = min(len(line) - len(line.lstrip(" ")) for line in lines)
        lines = [line[margin:] for line in lines]
    return "\n".join([first.strip(" ⏎"), *lines]).strip()


def _clean(text: str) -> str:
    """The text without decorations: the emoji of `hint`, `simp? says`, a comment at the end of a line."""
    text = re.sub(r"^🎉\s*", "", text)
    text = _SAYS.sub("", text, count=1)
    return "\n".join(re.sub(r"\s*--(?:\s.*)?$", "", line) for line in text.split("\n")).strip()
