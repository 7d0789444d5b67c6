"""Finds, in Lean text, where commands begin, what is comment or string, and which bracket closes which. Never raises.

No tokens are made: a whole Mathlib goes through here, so everything is a search of one regular expression whose
branches begin with a fixed character (Python then skips to the next such character at once). Source of the rules:
`Lean.Parser.Basic` (whitespace, strLitFn, identFn) and `Init.Meta` (isLetterLike, isSubScriptAlnum).

A comment or string that is never closed is half-written: it ends where the next declaration begins a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LETTER = (
    r"A-Za-z_\u03b1-\u03ba\u03bc-\u03c9\u03ca-\u03fb\u0391-\u039f\u03a1\u03a2\u03a4-\u03a9\u1f00-\u1ffe"
    r"\u2100-\u214f\U0001d49c-\U0001d59f\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f"
)
REST = _LETTER + r"0-9'!?\u2080-\u2089\u2090-\u209c\u1d62-\u1d6a\u2c7c"
"""The characters that go on with a name, for a character class."""
_LETTERED = rf"[{_LETTER}][{REST}]*"
_PART = rf"(?:{_LETTERED}|«[^»\n]*»)"

NAME = re.compile(rf"{_PART}(?:\.{_PART})*")
"""A (dotted) identifier."""
MENTIONED = re.compile(rf"(?<![{REST}.»]){_PART}(?:\.{_PART})*")
"""A whole identifier in running text."""
_QUOTED_PART = re.compile(rf"«({_LETTERED})»")
_MENTION = re.compile(rf"\.?[{_LETTER}][{REST}]*|\.?«[^»\n]*»")

DECLARING = (
    "theorem|lemma|def|abbrev|instance|structure|class|inductive|coinductive|axiom|opaque|alias|example|irreducible_def"
)
MODIFIERS = "private|protected|public|meta|noncomputable|unsafe|partial|nonrec|local|scoped"
_SCOPING = "namespace|section|end|open|variable|variables|universe|universes|include|omit|mutual|export|attribute"
_OTHER = (
    r"set_option|deriving(?=\s+(?:noncomputable\s+)?instance\b)|initialize|builtin_initialize|add_decl_doc"
    "|notation|notation3|infix|infixl|infixr|prefix|postfix"
    "|macro|macro_rules|syntax|elab|elab_rules|declare_syntax_cat|run_cmd|run_meta|run_elab|assert_not_exists"
    "|initialize_simps_projections|insert_to_additive_translation|to_additive_name_hint|to_dual_name_hint|library_note"
    "|mk_iff_of_inductive_prop|register_option|register_simp_attr|register_label_attr|simproc|dsimproc|simproc_decl"
    "|grind_pattern|compile_inductive|compile_def|suppress_compilation|unsuppress_compilation|alias_in|assert_exists"
    "|unseal|seal|recall|import|prelude|module|gen_injective_theorems|to_dual_insert_cast|to_dual_insert_cast_fun"
    "|add_aesop_rules|declare_aesop_rule_sets|binder_predicate|norm_cast_add_elim|builtin_simproc|builtin_dsimproc"
    "|builtin_simproc_decl|builtin_dsimproc_decl|register_builtin_option|extend_docs|unif_hint|init_quot|#[a-z_]+"
)
# Indented, a line begins a command only if it can begin nothing else: fields have modifiers, terms have `open … in`.
_INDENTED = (
    rf"(?:(?:{MODIFIERS})[ \t]+)*(?:{DECLARING})\b(?!\s*:=)|(?:noncomputable[ \t]+)?section\b"
    r"|namespace\b|end\b|variable\b|universe\b|mutual\b|open\b(?![^\n]*\bin\b)|@\["
)
_LINE_OF_DECLARATION = rf"\n(?:@\[|(?:{MODIFIERS}|{DECLARING}|namespace|end)(?![{REST}.]))"

NOTES = (
    rf"""--[^\n]*|/-|"(?:[^"\\\n]|\\.|\n(?!{_LINE_OF_DECLARATION[2:]}))*+"?"""
    r"""|'(?<![\w!?']')(?:[^\\'\n]|\\(?:x..|u....|.))'"""
)
"""Comments (a block comment: its first two characters), strings, characters."""
OPENING = r"[(\[{⟨⦃⟦]"
PLAIN = r"""[(\[{⟨⦃⟦][^()\[\]{}⟨⟩⦃⦄⟦⟧"/-]*[)\]}⟩⦄⟧]"""
"""A bracket with nothing in it that could hide another: most are."""
OPENERS = "([{⟨⦃⟦"

_EVENT = re.compile(
    rf"{NOTES}|\n(?:(?P<top>(?=@\[|(?:{MODIFIERS}|{DECLARING}|{_SCOPING}|{_OTHER})(?![{REST}.])))"
    rf"|[ \t]+(?P<deep>(?={_INDENTED})))",
    re.DOTALL,
)
_NEXT_DECLARATION = re.compile(_LINE_OF_DECLARATION)
_OPEN_OR_CLOSE = re.compile(r"/-|-/")
_DECLARES = re.compile(rf"\s*(?:(?:{MODIFIERS})\s+)*(?:{DECLARING})\b")
_MODIFIER = re.compile(rf"(?:{MODIFIERS}|(?P<keyword>{DECLARING}))(?![{REST}.])")
_MODIFIED = re.compile(rf"@\[|(?:{MODIFIERS})(?![{REST}.])")
_BLANK = re.compile(r"\s+|--[^\n]*|/-(?!-)(?:[^-]|-(?!/))*-/")
_NOTHING = re.compile(rf"(?:{_BLANK.pattern})*")
_BLANKS = re.compile(r"\s*")
_BRACKET = re.compile(rf"{NOTES}|[(\[{{⟨⦃⟦)\]}}⟩⦄⟧]", re.DOTALL)
_NOTE = re.compile(NOTES, re.DOTALL)
_PLAIN = re.compile(PLAIN)
_LONGEST_ATTRIBUTES = 20_000


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command begins and where the text that belongs to it ends; the doc comment before it, if any."""

    start: int
    stop: int
    doc: tuple[int, int] | None = None


def comment_end(text: str, at: int) -> int:
    """The offset after the `-/` of the block comment at `at` (they nest); the text's end when it is never closed."""
    depth = 1
    at += 2
    while (found := _OPEN_OR_CLOSE.search(text, at)) is not None:
        at = found.end()
        depth += 1 if found[0] == "/-" else -1
        if depth == 0:
            return at
    return len(text)


def raw_string_end(text: str, quote: int) -> int | None:
    """The offset after the raw string (`r"…"`, `r#"…"#`) whose first quote is at `quote`; None when it is none."""
    hashes = quote
    while hashes and text[hashes - 1] == "#":
        hashes -= 1
    before = text[hashes - 2 : hashes - 1] if hashes > 1 else ""
    if not hashes or text[hashes - 1] != "r" or before.isalnum() or before in ("_", "'"):
        return None
    close = text.find('"' + "#" * (quote - hashes), quote + 1)
    return len(text) if close < 0 else close + 1 + quote - hashes


def after_note(text: str, note: re.Match[str]) -> int:
    """Where to go on after a comment, string or character, of which `note` is a match of NOTES."""
    if note[0] == "/-":
        return comment_end(text, note.start())
    if note[0][0] == '"' and note.start() and text[note.start() - 1] in "r#":
        return raw_string_end(text, note.start()) or note.end()
    return note.end()


class _Depth:
    """How many brackets are open at ascending offsets, counted once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = self._depth = 0

    def restart(self, at: int) -> None:
        """Count from here."""
        self._at, self._depth = at, 0

    def outside(self, at: int) -> bool:
        """Whether no bracket is open at `at`."""
        while (found := _BRACKET.search(self._text, self._at, at)) is not None:
            mark = found[0]
            if mark in "([{⟨⦃⟦)]}⟩⦄⟧":
                self._depth = max(self._depth + (1 if mark in OPENERS else -1), 0)
                self._at = found.end()
            else:
                self._at = after_note(self._text, found)
        self._at = max(self._at, at)
        return self._depth == 0


class _Commands:
    """One pass over a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = _Depth(text)
        self.start = -1
        self.started: tuple[int, int] | None = None  # the doc comment of the command at `start`
        self.heading = -1  # `/-! … -/` ends what stands before it
        self.unclosed = 0
        self.unclosed_attributes = -1

    def each(self) -> Iterator[Command]:
        text, search = self.text, _EVENT.search
        doc: tuple[int, int] | None = None
        at = 0
        while (event := search(text, at)) is not None:
            if event.lastgroup is None:
                begin = event.start()
                at = self._after(event)
                if text.startswith("/--", begin):
                    doc = (begin, at)
                    following = self._same_line_declaration(begin, at)
                    if following >= 0:
                        yield from self._ended(begin)
                        self._begun(following, doc)
                        doc, at = None, following
                        at = self._past_modifiers(at)
                elif self.heading <= self.start and text.startswith("/-!", begin):
                    self.heading = begin
                continue
            at = event.end()
            if event.lastgroup == "deep" and not self._begins(at):
                continue
            mine = doc if doc is not None and _NOTHING.fullmatch(text, doc[1], at) is not None else None
            yield from self._ended(mine[0] if mine else at)
            self._begun(at, mine)
            doc = None
            if _MODIFIED.match(text, at) is not None:
                at = self._past_modifiers(at)
        yield from self._ended(len(text))

    def _begun(self, start: int, doc: tuple[int, int] | None) -> None:
        self.start, self.started = start, doc
        self.depth.restart(start)

    def _ended(self, stop: int) -> Iterator[Command]:
        if self.start >= 0:
            yield Command(self.start, self.heading if self.start < self.heading < stop else stop, self.started)

    def _after(self, note: re.Match[str]) -> int:
        end = after_note(self.text, note)
        if note[0] != "/-" or end < len(self.text) or self.text.endswith("-/") or self.unclosed > 50:
            return end
        self.unclosed += 1
        following = _NEXT_DECLARATION.search(self.text, note.end())
        return following.start() if following else end

    def _same_line_declaration(self, begin: int, end: int) -> int:
        """Where a declaration begins that stands on one line with its doc comment, -1 when none does."""
        text = self.text
        following = _blanks(text, end)
        if "\n" in text[end:following]:
            return -1
        if _DECLARES.match(text, end) is None and not text.startswith("@[", following):
            return -1
        line = text.rfind("\n", 0, begin) + 1
        indented = line < begin
        if indented and not (text[line:begin].isspace() and self.depth.outside(begin)):
            return -1
        if text.startswith("@[", following) and indented and not self._begins(following):
            return -1
        return following

    def _begins(self, at: int) -> bool:
        """Whether the indented line at `at` begins a command, and is not part of a quotation or of a structure."""
        text = self.text
        if text.startswith("@[", at):
            after = close(text, at + 1, min(at + _LONGEST_ATTRIBUTES, len(text)))
            if _DECLARES.match(text, after) is None and not text.startswith("@[", _blanks(text, after)):
                return False
        return self.depth.outside(at)

    def _past_modifiers(self, at: int) -> int:
        """Past attributes and modifiers, which may have lines of their own, and past the keyword they belong to."""
        text = self.text
        while True:
            if text.startswith("@[", at):
                if at < self.unclosed_attributes:
                    return at + 2
                end = close(text, at + 1, min(at + _LONGEST_ATTRIBUTES, len(text)))
                if text[end - 1] != "]":
                    self.unclosed_attributes = end
                    return at + 2
                at = end
            elif (word := _MODIFIER.match(text, at)) is not None:
                at = word.end()
                if word["keyword"]:
                    return at
            elif (blank := _BLANK.match(text, at)) is not None:
                at = blank.end()
            else:
                return at


def commands(text: str) -> Iterator[Command]:
    """The commands of a file in order. `text` must begin with a line break, so that its first line is a line too."""
    return _Commands(text).each()


def _blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def close(text: str, at: int, stop: int | None = None) -> int:
    """The offset after the bracket that closes the one at `at`; `stop` (or the text's end) when none does."""
    end = len(text) if stop is None else stop
    if (plain := _PLAIN.match(text, at, end)) is not None:
        return plain.end()
    depth = 0
    while (found := _BRACKET.search(text, at, end)) is not None:
        mark = found[0]
        if len(mark) > 1 or mark == '"':
            at = after_note(text, found)
            continue
        at = found.end()
        depth += 1 if mark in OPENERS else -1
        if depth <= 0:
            return at
    return end


def without_comments(text: str, instead: str = " ") -> str:
    """`text` with each comment replaced, by a blank unless told otherwise."""
    if "--" not in text and "/-" not in text:
        return text
    kept = []
    at = done = 0
    while (found := _NOTE.search(text, at)) is not None:
        at = after_note(text, found)
        if found[0].startswith(("--", "/-")):
            kept.append(text[done : found.start()])
            done = at
    kept.append(text[done:])
    return instead.join(kept)


def one_line(text: str) -> str:
    """`text` without comments, and with one blank for each run of blanks and line breaks."""
    if "--" in text or "/-" in text:
        text = without_comments(text)
    return " ".join(text.split())


def unquoted(name: str) -> str:
    """A name as Lean shows it: `Prod.«forall»` is `Prod.forall`, `«a b»` stays."""
    return _QUOTED_PART.sub(r"\1", name) if "«" in name else name


def mentions(text: str) -> set[str]:
    """The names by which local variables may be mentioned: `x` and `f` in `x * f.map 1`, and `.map` to no harm."""
    return set(_MENTION.findall(text))


def split_top(text: str, separator: str = ",") -> list[str]:
    """`text` cut at each `separator` (one character) that stands outside brackets, strings and comments."""
    if separator not in text:
        return [text]
    parts = []
    at = begin = 0
    pattern = _SPLITTERS.get(separator) or _SPLITTERS.setdefault(
        separator, re.compile(f"{NOTES}|{OPENING}|{re.escape(separator)}", re.DOTALL)
    )
    while (found := pattern.search(text, at)) is not None:
        mark = found[0]
        if mark == separator:
            parts.append(text[begin : found.start()])
            at = begin = found.end()
        elif mark in OPENERS:
            at = close(text, found.start())
        else:
            at = after_note(text, found)
    parts.append(text[begin:])
    return parts


_SPLITTERS: dict[str, re.Pattern[str]] = {}
