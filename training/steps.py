"""Splits tactic proofs into steps by their layout, without Lean. Pure functions; never raises on any text.

A step begins in the column of its block, or behind a `;`. A block stands behind `by`, `·`, `case … =>` and the `=>` of
an alternative (`cases … with | inl h => …`), and ends where a line begins further left or its bracket closes. Source:
`Lean.Parser.Term` (byTactic, checkColGe), `Lean.Parser.Tactic` (tacticSeq, case, inductionAlts).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tacit.index.lexer import NOTES, REST, after_note

DEEPEST = 40
"""Blocks inside blocks; more were written by no person."""
_WORD = rf"[^\W\d][{REST}.]*"
_MARK = re.compile(
    rf"{NOTES}|(?P<open>[(\[{{⟨⦃⟦])|(?P<close>[)\]}}⟩⦄⟧])|(?P<line>\n[ ]*(?=[^\s]))|(?P<both><;>)|(?P<semi>;)"
    rf"|(?P<arrow>=>)|(?P<comma>,)|(?P<word>{_WORD})",
    re.DOTALL,
)
_BLANK = re.compile(r"(?:\s+|--[^\n]*|/-(?:[^-]|-(?!/))*-/)*")
_GOES_ON = re.compile(r"\||_(?=\s)|<;>|[)\]}⟩⦄⟧]|(?:else|then|with|at|using|from|where)\b|:=")
_ENDS = re.compile(r"termination_by\b|decreasing_by\b")
_ALTERNATIVES = frozenset("cases cases' induction match rcases nomatch fun_induction fun_cases".split())
_CASES = frozenset("case case' next".split())
_FIRST_WORD = re.compile(_WORD)


@dataclass(slots=True)
class Step:
    """One tactic, `text[start:stop]`, and the blocks inside it; `bullet` where it is only `·` or `case … =>`."""

    start: int
    stop: int = 0
    word: str = ""
    bullet: bool = False
    blocks: list[Block] = field(default_factory=list)


@dataclass(slots=True)
class Block:
    """Steps one after the other. `opener` is where its `by`, `·` or `=>` begins, `mark` which of them it is."""

    opener: int
    mark: str
    stop: int = 0
    steps: list[Step] = field(default_factory=list)


def read_block(text: str, opener: int, stop: int) -> Block:
    """The block whose `by` is at `opener`, in `text[:stop]`."""
    return _block(text, opener, "by", opener + 2, stop, -1, "", 0)


def walk(block: Block) -> Iterator[tuple[Block, int, Step]]:
    """Every step with its block and its place there, in the order of the text, outer ones first."""
    for number, step in enumerate(block.steps):
        yield block, number, step
        for inner in step.blocks:
            yield from walk(inner)


def _column(text: str, at: int) -> int:
    return at - (text.rfind("\n", 0, at) + 1)


def _block(text: str, opener: int, mark: str, at: int, stop: int, outer: int, bracket: str, depth: int) -> Block:
    """A block that begins behind `at`; `outer` is the column of the one around it, `bracket` what it stands in."""
    block = Block(opener, mark, at)
    blank = _BLANK.match(text, at, stop)
    first = blank.end() if blank else at
    column = _column(text, first) if first < stop else -1
    own_line = "\n" in text[at:first]
    if first >= stop or text[first] in ")]}⟩⦄⟧,;" or (own_line and column <= outer) or depth > DEEPEST:
        return block
    while first < stop:
        step = _step(text, first, stop, column, bracket, depth)
        if step.stop <= step.start:
            break
        block.steps.append(step)
        block.stop = step.stop
        following = _BLANK.match(text, step.stop, stop)
        next_ = following.end() if following else step.stop
        if next_ >= stop:
            break
        if text[next_] == ";":
            following = _BLANK.match(text, next_ + 1, stop)
            first = following.end() if following else next_ + 1
        elif "\n" in text[step.stop : next_] and _column(text, next_) == column and not _ENDS.match(text, next_):
            first = next_
        else:
            break
    return block


def _step(text: str, start: int, stop: int, column: int, bracket: str, depth: int) -> Step:
    """One step from `start` on: to the next line of its block or one further left, or to what closes the block."""
    step = Step(start)
    word = _FIRST_WORD.match(text, start, stop)
    step.word = word[0] if word else text[start]
    at = last = start
    if text[start] == "·" or (text[start] == "." and text[start + 1 : start + 2] == " "):
        inner = _block(text, start, "·", start + 1, stop, column, "", depth + 1)
        step.word, step.bullet, step.blocks, step.stop = "·", True, [inner], max(inner.stop, start + 1)
        return step
    open_: list[str] = []
    alternatives = False
    while (found := _MARK.search(text, at, stop)) is not None:
        kind = found.lastgroup
        if kind is None:
            at = after_note(text, found)
            if not found[0].startswith(("--", "/-")):
                last = at
            continue
        begin = at = found.end()
        if kind == "line":
            here = _column(text, begin)
            if here <= column and not (here == column and _GOES_ON.match(text, begin) and not _ENDS.match(text, begin)):
                last = found.start()
                break
            continue
        if kind == "open":
            open_.append(found[0])
        elif kind == "close":
            if not open_:
                last = found.start()
                break
            open_.pop()
        elif (kind == "semi" and not open_) or (kind == "comma" and not open_ and bracket in ("⟨", "[")):
            last = found.start()
            break
        elif kind == "word" and found[0] == "with" and step.word in _ALTERNATIVES and not open_:
            alternatives = True
        elif (kind == "word" and found[0] == "by") or (
            kind == "arrow" and not open_ and (alternatives or step.word in _CASES)
        ):
            mark = found[0]
            inner = _block(text, found.start(), mark, at, stop, column, open_[-1] if open_ else bracket, depth + 1)
            step.blocks.append(inner)
            at = max(inner.stop, at)
            if mark == "=>" and step.word in _CASES:
                step.bullet = True
        last = at
    else:
        last = stop
    step.stop = start + len(_stripped(text[start:last]))
    return step


def _stripped(text: str) -> str:
    """Text without the blanks and comments at its end."""
    end = 0
    at = 0
    note = re.compile(rf"{NOTES}|\S", re.DOTALL) if "--" in text or "/-" in text else None
    if note is None:
        return text.rstrip()
    while (found := note.search(text, at)) is not None:
        at = after_note(text, found) if len(found[0]) > 1 or found[0] == '"' else found.end()
        if not found[0].startswith(("--", "/-")):
            end = at
    return text[:end]
