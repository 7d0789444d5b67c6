"""What passes the gate stays where it is put: in every text that the checker makes of it."""

from __future__ import annotations

from collections.abc import Sequence

from tacit.server.lean import batch
from tacit.server.lean.gate import refusal
from tacit.server.lean.hole import holes
from tacit.server.lean.site import Scratch, Site
from tacit.server.lean.syntax import COMMAND_WORDS
from tacit.server.text import LineIndex, Position
from tests.fuzz.lexing import OPENING, Piece, read

CURSOR = "‸"
PLACES = (
    "import A\n\ntheorem foo (p : Prop) (h : p) : p := by\n  skip\n  sorry‸\n  done\n",
    "theorem foo (p : Prop) (h : p) : p ∧ p := ⟨h, sorry‸⟩\n",
    "example (p : Prop) (h : p) : p := sorry‸\n",
    "theorem foo : p ∧ q := by\n  constructor\n  · sorry -- a sorry\n  · ‸\n",
    "theorem foo (n : Nat) : p n := by\n  cases n with\n  | zero => sorry‸\n  | succ n => exact f '(' \"-/\"\n",
)


def _site(place: str) -> Site:
    offset = place.index(CURSOR)
    text = place.replace(CURSOR, "")
    command, found = holes(text, offset)
    return Site(text, command, found[0])


SITES = tuple(_site(place) for place in PLACES)


def stays_inside(texts: Sequence[str], site: Site) -> None:
    """Raises AssertionError where one of the texts that pass gets out of its block, its hole or its line."""
    texts = [text for text in texts if refusal(text) is None]
    if not texts:
        return
    step = (batch.Step("constructor", 1, 2), batch.Step("intro h"))
    bodies = [
        batch.copies(texts),
        batch.grove([((), False, texts), (step, False, texts[:1]), (step, True, texts[:1])]),
        *(batch.alone(text) for text in texts),
    ]
    for body in bodies:
        _holds(site, site.scratch(body.text), body)
    for text in texts:
        _same_around(site, site.scratch(text, whole=True), site.scratch("skip", whole=True))
        for ending in site.endings():
            _same_around(site, site.scratch(text, ending=ending), site.scratch("skip", ending=ending))


def _same_around(site: Site, scratch: Scratch, plain: Scratch) -> None:
    """What stands above and below is what stands around `skip`: nothing of it was taken, nothing came in."""
    for one, other in zip(_around(scratch), _around(plain), strict=True):
        assert [p.text for p in one] == [p.text for p in other], scratch.text
    lines = scratch.text.split("\n")[scratch.origin.line + 1 : scratch.end.line + 1]
    indent = " " * min(1, site.hole.column)
    assert all(line.startswith(indent) for line in lines if line.strip()), scratch.text


def _around(scratch: Scratch) -> tuple[list[Piece], list[Piece]]:
    index = LineIndex(scratch.text)
    start, end = index.offset(scratch.origin), index.offset(scratch.end)
    pieces = read(scratch.text)
    for piece in pieces:
        assert piece.start >= end or piece.start + len(piece.text) <= end, (piece, scratch.text)
    return [p for p in pieces if p.start < start], [p for p in pieces if p.start >= end]


def _holds(site: Site, scratch: Scratch, body: batch.Body) -> None:
    """The body is one pair of parentheses, and each mark in it is a tactic of its block."""
    _same_around(site, scratch, site.scratch("skip"))
    index = LineIndex(scratch.text)
    start, end = index.offset(scratch.origin), index.offset(scratch.end)
    marks = {_offset(index, scratch, block.mark): block for block in body.blocks}
    bullets: dict[int, tuple[int, bool]] = {}
    stack: list[str] = []
    for piece in read(scratch.text):
        if not start <= piece.start < end:
            continue
        for n, block in enumerate(body.blocks):
            if piece.start == _offset(index, scratch, Position(block.first, block.bullet)):
                bullets[n] = len(stack), piece.text == "("
        if piece.start in marks:
            assert piece.text == "trace_state", scratch.text
            block = marks.pop(piece.start)
            # A block that stands alone begins with the two brackets that hold it, and its mark behind the second.
            depth, alone = bullets[body.blocks.index(block)]
            assert len(stack) == depth + alone, scratch.text
        assert piece.kind != "comment", scratch.text
        assert piece.kind != "text" or piece.text[1].isalnum(), scratch.text
        assert piece.text not in COMMAND_WORDS - {"module"}, scratch.text
        if piece.text in OPENING:
            stack.append(OPENING[piece.text])
        elif piece.text in OPENING.values():
            assert stack, scratch.text
            assert stack.pop() == piece.text, scratch.text
            assert stack or piece.start == end - 1, scratch.text
    assert not stack, scratch.text
    assert not marks, scratch.text


def _offset(index: LineIndex, scratch: Scratch, position: Position) -> int:
    return index.offset(batch.at(position, scratch.origin, scratch.column))
