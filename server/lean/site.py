"""A place in a document that has been probed: what its goals are, and how scratch texts are made for it.

Pure: builds texts and compares messages. The rest of the file below the command is left out of every scratch
text (nothing there can change what holds above), the rest of the command is kept (it can).

All texts of a site are the same up to the hole: today's Lean keeps what it has elaborated of a proof only where nothing
before it has changed, not even in place (docs/proof-search.md says what counts).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tacit.server.lean.batch import REST, STAND_IN, indented
from tacit.server.lean.declarations import namespace_at
from tacit.server.lean.elaborator import Message, Severity
from tacit.server.lean.hole import Hole, is_tactic_position
from tacit.server.lean.syntax import Command, DeclarationHead, Kind, Token, commands_of, declaration_head
from tacit.server.lean.trust import EXAMPLE_NAME, STANDARD_AXIOMS, is_module
from tacit.server.text import LineIndex, Position
from tacit.server.values import CheckedTactic, Goal, Suggestion, TextEdit

# On one line: what stands below has moved by one, whichever header stands above.
_AXIOMS = tuple(f"axiom {name}.{{tacitU}} {{α : Sort tacitU}} : α" for name in (STAND_IN, REST))
SORRY_AXIOM = "sorryAx"
# How Lean's parser begins what it says; nothing that an elaborator says begins like this.
_SYNTAX = re.compile(r"(unexpected (token|identifier|end of input|character)|expected |unterminated |missing end of )")
_DEPENDS = re.compile(r"depends on axioms:\s*\[(?P<axioms>[^\]]*)\]", re.DOTALL)


def with_stand_in(text: str) -> str:
    """A text with the stand-in axioms, as every scratch text of it has them: below the imports."""
    at, axioms = _stand_in(text)
    return text[:at] + axioms + text[at:]


def _stand_in(text: str) -> tuple[int, str]:
    """Where the stand-in axioms go, and what is put there.

    Not above the command that is worked on: there it would move all the commands between, which Lean would elaborate
    again when the next place is looked at. (In a `module` what is not public cannot be named in statements.)
    """
    header = commands_of(text).header()
    axioms = " ".join(f"public {each}" for each in _AXIOMS) if is_module(text) else " ".join(_AXIOMS)
    return len(header), f"\n{axioms}" if header else f"{axioms}\n"


@dataclass(frozen=True, slots=True)
class Scratch:
    """A scratch text: where its command and the body in it begin, and the line of its `#print axioms`, if any.

    `stood_in` says that a stand-in axiom takes the place of something beside the body.
    """

    text: str
    start: Position
    origin: Position
    column: int
    end: Position
    axioms_line: int | None
    stood_in: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """A hole in a command of a text, with what the probe said. Built by `Checker.open`.

    `axioms` are those that the declaration rests on besides what goes into the hole, None where Lean does not tell;
    `standard` those that any proof may rest on. `doubt` is why no close is one here (see `trust`), `broken` what the
    parser says of the text below.
    """

    text: str
    command: Command
    hole: Hole
    goals: tuple[Goal, ...] = ()
    is_data: bool = False
    is_altered: bool = False
    example_as: str = "theorem"
    errors: tuple[tuple[int, str], ...] = ()
    axioms: frozenset[str] | None = None
    standard: frozenset[str] = STANDARD_AXIOMS
    doubt: str = ""
    broken: str = ""

    @property
    def head(self) -> DeclarationHead | None:
        """The declaration's keyword and name."""
        return declaration_head(self.command, before=self.hole.span.start)

    @property
    def rest(self) -> str:
        """What of the command stands behind the hole."""
        return self.text[self.hole.span.end : self.command.span.end].strip()

    @property
    def name(self) -> str | None:
        """The declaration's name as written, or None for `example` and unnamed instances."""
        head = self.head
        return head.name.text if head is not None and head.name is not None else None

    @property
    def local_names(self) -> frozenset[str]:
        """The accessible hypotheses of the main goal."""
        return frozenset(n for h in (self.goals[0].hypotheses if self.goals else ()) for n in h.accessible)

    @property
    def one_at_a_time(self) -> bool:
        """Whether candidates cannot run on copies of the goal: goals share unknowns, or the copy came out different."""
        return self.is_altered or any(g.has_metavariables for g in self.goals)

    @property
    def other_sorries(self) -> list[Token]:
        """Every `sorry` of the command that is not the hole."""
        span = self.hole.span
        return [
            t
            for t in self.command.tokens
            if t.kind is Kind.IDENT and t.text == "sorry" and not (span.start <= t.start < span.end)
        ]

    @property
    def in_module(self) -> bool:
        """Whether the file is a `module` (2025 on): there Lean refuses `#print axioms`."""
        return is_module(self.text)

    @property
    def above(self) -> str:
        """What stands above the command, with the stand-in axioms."""
        at, axioms = _stand_in(self.text)
        return self.text[:at] + axioms + self.text[at : self.command.span.start]

    def suggestion(self, checked: CheckedTactic, version: int) -> Suggestion:
        """A checked tactic as the edit that puts it into the hole; `version` is the document's."""
        text = checked.candidate.text
        return Suggestion(
            tactic=text,
            verdict=checked.verdict,
            goals=checked.goals,
            edit=TextEdit(self.hole.span, self.hole.fill(text)),
            source=checked.candidate.source,
            version=version,
            axioms=checked.axioms,
            verified=checked.verified,
            note=checked.message,
        )

    def endings(self) -> list[str]:
        """Texts that, put behind the hole, finish a declaration that is still being written; likeliest first.

        Where nothing follows the hole, what is left to prove at each level of indentation around it is handed
        to the other stand-in axiom, and so are alternatives (`| succ n ih => …`) that have not been written yet. So a
        close of the goal at hand can be judged in a declaration without errors.
        """
        hole = self.hole
        if self.rest:
            return []
        lines = self.text[self.command.span.start : hole.span.start].split("\n")
        column = hole.column
        finish = f"all_goals exact {REST}"
        plain = [f"\n{' ' * column}{finish}"]
        with_alternatives = list(plain)
        wildcard = False
        for line in reversed(lines[1:] if len(lines) > 1 else []):
            content = line.lstrip(" ")
            indent = len(line) - len(content)
            if not content or indent >= column:
                continue
            if content.startswith(("· ", ". ")) and indent + 2 < column:
                plain.append(f"\n{' ' * (indent + 2)}{finish}")  # the block inside the bullet
                with_alternatives.append(plain[-1])
            column = indent
            if content.startswith("|"):
                with_alternatives.append(f"\n{' ' * column}| _ => exact {REST}")
                wildcard = True
                # The tactic that the alternatives belong to may begin in the same column.
                column += 1
                continue
            if column == 0:
                break
            plain.append(f"\n{' ' * column}{finish}")
            with_alternatives.append(f"\n{' ' * column}{finish}")
        return ["".join(with_alternatives), "".join(plain)] if wildcard else ["".join(plain)]

    def scratch(self, body: str, *, whole: bool = False, ending: str = "", prologue: str = "") -> Scratch:
        """The document up to the command's end with `body` in the hole, and behind it `ending` (see `endings`).

        An `example` gets a name, and every other `sorry` of the command becomes an axiom of its own (so that a
        `sorry` that the body brings in stands out). `whole` asks for the axioms of the finished declaration. Above an
        `ending` the body stands in parentheses: what it may take of what follows would be no longer the user's.

        `prologue` is a line of commands of ours to put above the command. It costs today's Lean what it knows of
        the proof up to the hole.
        """
        start, end = self.command.span.start, self.command.span.end
        hole = self.hole
        if ending:
            body = "\n".join(indented(body, "(", 1)) + ")"
        stand_in_at, axioms = _stand_in(self.text)
        naming, name = self._naming()
        edits: list[tuple[int, int, str | None]] = [(stand_in_at, stand_in_at, axioms), *naming]
        if prologue:
            edits.append((start, start, prologue))
        for token in self.other_sorries:
            tactic = is_tactic_position(self.command, token.start)
            edits.append((token.start, token.end, f"exact {REST}" if tactic else REST))
        edits.append((hole.span.start, hole.span.end, None))
        done: list[str] = []
        position, filled, origin_offset = 0, hole, 0
        for edit_start, edit_end, new in sorted(edits, key=lambda edit: edit[:2]):
            done.append(self.text[position:edit_start])
            position = edit_end
            if new is None:
                # An edit further left on the line may have moved the hole; its lines must stay aligned.
                above = "".join(done) + hole.before
                filled = replace(hole, column=len(above) - (above.rfind("\n") + 1))
                origin_offset = len(above)
                new = filled.fill(body) + ending
            done.append(new)
        done.append(self.text[position:end])
        text = "".join(done)
        index = LineIndex(text)
        origin = index.position(origin_offset)
        filled_end = index.position(origin_offset + len(filled.fill(body)) - len(filled.before) - len(filled.after))
        axioms_line = None
        if whole and name is not None:
            text = text.rstrip() + f"\n#print axioms {name}\n"
            axioms_line = LineIndex(text).line_count - 2
        stood_in = bool(ending or self.other_sorries)
        return Scratch(text, index.position(len(self.above)), origin, filled.column, filled_end, axioms_line, stood_in)

    def _naming(self) -> tuple[list[tuple[int, int, str]], str | None]:
        """The edits that give the declaration a name `#print axioms` can ask for, and the name."""
        head = self.head
        if head is None:
            return [], None
        keyword = head.keyword
        if keyword.text == "example":
            # The line break keeps what follows in its columns: tactic blocks are aligned by them.
            name = f"{self.example_as} {EXAMPLE_NAME}{self._break(keyword.end)}"
            return [(keyword.start, keyword.end, name)], EXAMPLE_NAME
        if head.name is not None:
            return [], self._printed_name(head.name.text, keyword.start)
        if keyword.text != "instance":
            return [], None
        at = keyword.end
        after = [t for t in self.command.tokens if t.start >= keyword.end]
        if len(after) > 1 and after[0].text == "(" and after[1].text in ("priority", "prio"):
            at = next((t.end for t in after if t.text == ")"), keyword.end)
        return [(at, at, f" {EXAMPLE_NAME}{self._break(at)}")], EXAMPLE_NAME

    def _printed_name(self, name: str, offset: int) -> str:
        """The name to ask for, from the root: a short one may mean several declarations (`open Nat`), or none.

        A private name is asked for as it is written: it is no name that can be spelled out.
        """
        private = any(t.text == "private" and t.start < offset for t in self.command.tokens)
        if private or name.startswith("_root_."):
            return name
        return ".".join(part for part in ("_root_", namespace_at(self.text, self.command.span.start), name) if part)

    def _break(self, offset: int) -> str:
        """A line break and as many spaces as bring the next character back to its column."""
        return "\n" + " " * LineIndex(self.text).position(offset).column


def relative_errors(scratch: Scratch, messages: Sequence[Message]) -> Counter[str]:
    """The errors outside the body (above it, or below its end), by text.

    Places shift with the body's size, and hypothesis names in a message may not; the text is what tells a new
    error from an old one. Counted, because the same error twice is one more than once.
    """
    return Counter(
        m.text
        for m in messages
        if m.severity is Severity.ERROR and not _is_of_axioms(scratch, m) and not _inside(scratch, m)
    )


def inner_errors(scratch: Scratch, messages: Sequence[Message]) -> list[Message]:
    """The errors that stand inside the body."""
    return [m for m in messages if m.severity is Severity.ERROR and _inside(scratch, m)]


def _is_of_axioms(scratch: Scratch, message: Message) -> bool:
    """Whether a message is what Lean answers to `#print axioms`.

    At its first character stands, too, what the parser says of a text that wants to go on there: that is of the text.
    """
    at, said = message.start, message.text
    return at.line == scratch.axioms_line and (at.column > 0 or "axioms" in said or said.lower().startswith("unknown"))


def _inside(scratch: Scratch, message: Message) -> bool:
    return scratch.origin <= message.start < scratch.end


def is_syntax_error(message: Message) -> bool:
    """Whether the parser says it. Today's Lean leaves out most errors of a declaration that does not parse whole."""
    return message.severity is Severity.ERROR and _SYNTAX.match(message.text) is not None


def broken_below(scratch: Scratch, messages: Sequence[Message]) -> str:
    """What the parser says of the text below the body; empty where it takes it."""
    return next((m.text for m in messages if is_syntax_error(m) and m.start >= scratch.end), "")


def axioms_of(scratch: Scratch, messages: Sequence[Message]) -> frozenset[str] | None:
    """What `#print axioms` said, or None when it said nothing (the declaration failed, or has no name).

    Of a name that means several declarations Lean prints each; all of their axioms count.
    """
    found: frozenset[str] | None = None
    if scratch.axioms_line is None:
        return None
    for message in messages:
        if message.start == Position(scratch.axioms_line, 0) and message.severity is Severity.INFORMATION:
            if match := _DEPENDS.search(message.text):
                found = (found or frozenset()) | {a.strip() for a in match["axioms"].split(",") if a.strip()}
            elif "does not depend on any axioms" in message.text:
                found = found or frozenset()
    return found
