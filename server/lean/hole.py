"""Where in a document a tactic can go: the places around a cursor, and how text is put there. Pure functions.

A place is a guess made from tokens and columns; Lean decides which guess is right (the probe in `checker`
needs positive evidence). So guesses may be wrong, but each must be *text that a person could have written*.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tacit.server.errors import NoGoal
from tacit.server.lean.syntax import Command, Kind, Token, commands_of
from tacit.server.text import LineIndex, Span


@dataclass(frozen=True, slots=True)
class Hole:
    """A span of the text and what stands around a tactic put there.

    `column` is where the tactic's first character lands; further lines of a tactic are indented by it.
    `typed` is the beginning of a tactic that the span replaces. `fresh` says that nothing of a finished proof
    stands there (an insertion); otherwise the span is a `sorry`.
    """

    span: Span
    before: str
    after: str
    column: int
    typed: str = ""
    fresh: bool = True

    def fill(self, tactic: str) -> str:
        """The text that replaces the span. Line breaks around a tactic are no part of it."""
        first, *rest = tactic.strip("\n").split("\n")
        lines = [first, *(" " * self.column + line if line else line for line in rest)]
        return self.before + "\n".join(lines) + self.after


# After these words a tactic follows.
_TACTIC_BEFORE = frozenset(
    {"by", "·", ".", ";", "<;>", "=>", "try", "repeat", "all_goals", "any_goals", "first", "|", "at"}
)
# After these a term follows that needs no parentheses.
_TERM_BEFORE = frozenset(":= => ↦ from exact refine show <| $ , ⟨ ( then else return fun apply".split())


def _term_hole(span: Span, text: str, index: LineIndex, previous: Token | None) -> Hole:
    bare = previous is not None and previous.text in _TERM_BEFORE
    before, after = ("by ", "") if bare else ("(by ", ")")
    return Hole(span, before, after, index.position(span.start).column + len(before), fresh=False)


def _tactic_hole(span: Span, index: LineIndex) -> Hole:
    return Hole(span, "", "", index.position(span.start).column, fresh=False)


def _previous(command: Command, offset: int) -> Token | None:
    """The last token that ends at or before an offset."""
    found = None
    for token in command.tokens:
        if token.end > offset:
            break
        found = token
    return found


def _next(command: Command, offset: int) -> Token | None:
    return next((t for t in command.tokens if t.start >= offset), None)


def _glued(command: Command, token: Token) -> str:
    """The token's text with symbol characters that touch it on the left: `:=`, `=>`, `<;>`, `<|` are lexed apart."""
    if token.kind is not Kind.SYMBOL:
        return token.text
    text = token.text
    at = token.start
    for other in reversed([t for t in command.tokens if t.start < token.start]):
        if other.end != at or other.kind is not Kind.SYMBOL:
            break
        text = other.text + text
        at = other.start
    return text


def is_tactic_position(command: Command, offset: int) -> bool:
    """Whether a tactic (rather than a term) is likely to stand at an offset."""
    previous = _previous(command, offset)
    if previous is None:
        return False
    glued = _glued(command, previous)
    if glued == "=>":
        # `fun x => …` holds a term, `| inl h => …` inside a tactic block a tactic; outside one, a term.
        since = [t.text for t in command.tokens if t.start < offset]
        last_fun = max((i for i, t in enumerate(since) if t in ("fun", "λ")), default=-1)
        last_bar = max((i for i, t in enumerate(since) if t in ("|", "case", "next")), default=-1)
        return last_fun < last_bar and "by" in since
    if glued in _TACTIC_BEFORE:
        return True
    if glued in _TERM_BEFORE:
        return False
    # First on its line, below a line that does not ask for a term.
    return offset in command.line_starts


def inside_conv(text: str, command: Command, offset: int) -> bool:
    """Whether an offset stands in the block of a `conv … =>`, told by indentation as Lean tells it."""
    index = LineIndex(text)
    openers = [t for t in command.tokens if t.start < offset and t.text in ("conv", "conv_lhs", "conv_rhs", "conv'")]
    if not openers:
        return False
    opened = index.position(openers[-1].start)
    here = index.position(offset)
    if here.line == opened.line:
        return True
    between = [index.line(n) for n in range(opened.line + 1, here.line)]
    return here.column > opened.column and all(_indent(line) > opened.column for line in between if line.strip())


def sorry_holes(text: str, command: Command, sorry: Token) -> list[Hole]:
    """The two readings of a `sorry`: as a tactic and as a term; the likelier first."""
    index = LineIndex(text)
    span = Span(sorry.start, sorry.end)
    previous = _previous(command, sorry.start)
    glued = _glued(command, previous) if previous is not None else ""
    term_previous = Token(Kind.SYMBOL, glued, 0) if glued else None
    tactic, term = _tactic_hole(span, index), _term_hole(span, text, index, term_previous)
    return [tactic, term] if is_tactic_position(command, sorry.start) else [term, tactic]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _block_indent(text: str, index: LineIndex, command: Command, by: Token) -> int:
    """The column for the first tactic of an empty `by` block: two more than the line its statement begins on.

    A signature may span lines that are indented by four; the block still stands two to the right of the
    declaration's keyword, as Mathlib's style guide has it.
    """
    earlier = [t for t in command.tokens if t.start < by.start]
    opened = any(t.text in ("by", "where") for t in earlier) or sum(t.text == "=" for t in earlier) > 1
    anchor = by if opened else (command.tokens[0] if command.tokens else by)
    return _indent(index.line(index.position(anchor.start).line)) + 2


def _blank_line_holes(text: str, index: LineIndex, command: Command, offset: int) -> list[Hole]:
    """The columns that make sense on a blank line: the cursor's, that of the block above, that of the block below."""
    position = index.position(offset)
    line = index.line(position.line)
    start = offset - position.column
    span = Span(start, start + len(line.rstrip("\r")))
    columns: list[int] = []
    previous, following = _previous(command, offset), _next(command, offset)
    below = following if following is not None and following.start in command.line_starts else None
    if position.column:
        columns.append(position.column)
    if previous is not None:
        above = index.line(index.position(previous.start).line)
        if _glued(command, previous) in ("by", "=>", "·", "."):
            if below is not None and index.position(below.start).column > _indent(above):
                columns.append(index.position(below.start).column)
            elif previous.text == "by":
                columns.append(_block_indent(text, index, command, previous))
            else:
                columns.append(_indent(above) + 2)
        else:
            content = above.lstrip(" ")
            inner = _indent(above) + (2 if content.startswith(("· ", ". ")) else 0)
            columns += [inner, _indent(above)]
    columns = [c for c in dict.fromkeys(columns) if c > 0]
    return [Hole(span, " " * c, "", c) for c in columns[:3]]


_SEGMENT_MARKS = re.compile(r"· |<;> |; |=> |\(|(?<![\w.'])by ")


def _segment_start(line: str, upto: int) -> int:
    """Where on a line the last tactic before a column begins: after `by`, `·`, `;`, `=>` and the like."""
    start = _indent(line)
    head = line[:upto]
    for mark in _SEGMENT_MARKS.finditer(head):
        start = max(start, mark.end())
    while start < upto and line[start] == " ":
        start += 1
    return min(start, upto)


def holes(text: str, offset: int, *, extend_typed: bool = False, near: bool = False) -> tuple[Command, list[Hole]]:
    """The places for a tactic at a cursor, likeliest first, and the command they stand in.

    `near` also takes the one `sorry` elsewhere on the cursor's line (a person pointed at the line).
    `extend_typed` reads text before the cursor as a tactic being typed, to be replaced; otherwise as a whole
    tactic, after which the next one goes. Raises NoGoal with the reason when there is no place.
    """
    commands = commands_of(text)
    if (comment := commands.comment_at(offset)) is not None:
        what = "string" if comment.text.startswith(('"', "r")) else "comment"
        raise NoGoal(f"The cursor is inside a {what}.", hint="Put it where a tactic can stand.")
    command = commands.around(offset)
    if command is None:
        raise NoGoal("There is no declaration at the cursor.", hint="Put it after `:= by`, or on a `sorry`.")
    index = LineIndex(text)
    position = index.position(offset)
    line = index.line(position.line)
    line_start = offset - position.column
    sorries = [t for t in command.tokens if t.kind is Kind.IDENT and t.text == "sorry"]
    touching = [t for t in sorries if t.start <= offset <= t.end]
    on_line = [t for t in sorries if line_start <= t.start <= line_start + len(line)]
    if touching:
        return command, sorry_holes(text, command, touching[0])
    if near and on_line:
        after = [t for t in on_line if t.start >= offset]
        return command, sorry_holes(text, command, (after or on_line)[0])
    rest = line[position.column :].strip()
    if rest and not rest.startswith((")", "⟩", "]", "}", ",", "--")):
        raise NoGoal("The cursor is in the middle of a line.", hint="Put it at the end of the line, or on a `sorry`.")
    if not line.strip():
        found = _blank_line_holes(text, index, command, offset)
    else:
        found = _line_end_holes(text, index, command, offset, extend_typed=extend_typed)
    if not found:
        raise NoGoal("There is no tactic block at the cursor.", hint="Put it after `:= by`, or on a `sorry`.")
    return command, found


def _line_end_holes(text: str, index: LineIndex, command: Command, offset: int, *, extend_typed: bool) -> list[Hole]:
    """The places at the end of a line that has text."""
    position = index.position(offset)
    line = index.line(position.line)
    previous = _previous(command, offset)
    if previous is None:
        return []
    here = Span(offset, offset)
    gap = "" if offset > previous.end else " "
    glued = _glued(command, previous)
    if previous.text == "by" or glued == "=>":
        inline = Hole(here, gap, "", position.column + len(gap))
        following = _next(command, offset)
        if following is not None and following.start in command.line_starts:
            column = index.position(following.start).column
            if column > _indent(line):
                block = Hole(here, "\n" + " " * column, "", column)
                # What follows may be no block of this `by`: the next step of a `calc`.
                return [block, inline] if previous.text == "by" else [block]
        if previous.text != "by" or line[position.column :].strip():
            return [inline]
        column = _block_indent(text, index, command, previous)
        block = Hole(Span(previous.end, offset), "\n" + " " * column, "", column)
        # After a space the tactic is wanted on this line (and ghost text may not take the space away).
        return [block, inline] if offset == previous.end else [inline, block]
    if glued in ("·", ";", "<;>") or (glued == "." and line.strip() == "."):
        return [Hole(here, gap, "", position.column + len(gap))]
    start = _segment_start(line, position.column)
    if extend_typed:
        typed = line[start : position.column]
        span = Span(offset - len(typed), offset)
        return [Hole(span, "", "", start, typed=typed)] if typed.strip() else []
    inner = start
    if line[:inner].strip() not in ("", "·", "."):
        inner = _indent(line)  # after `by tac` or `| zero => tac` on one line, the next tactic cannot be told
    return [Hole(here, "\n" + " " * inner, "", inner)] if inner else []
