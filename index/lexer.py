"""Finds, in Lean text, where commands begin, what is comment or string, and which bracket closes which. Never raises.

No tokens are made: a whole Mathlib goes through here, so everything is a search of one regular expression whose
branches begin with a fixed character (Python then skips to the next such character at once). Source of the rules:
`Lean.Parser.Basic` (whitespace, strLitFn, identFn) and `Init.Meta` (isLetterLike, isSubScriptAlnum).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LETTER = (
    r"A-Za-z_\u03b1-\u03ba\u03bc-\u03c9\u03ca-\u03fb\u0391-\u039f\u03a1\u03a2\u03a4-\u03a9\u1f00-\u1ffe"
    r"\u2100-\u214f\U0001d49c-\U0001d59f\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f"
)
_REST = _LETTER + r"0-9'!?\u2080-\u2089\u2090-\u209c\u1d62-\u1d6a\u2c7c"
_PART = rf"(?:[{_LETTER}][{_REST}]*|«[^»\n]*»)"

NAME = re.compile(rf"{_PART}(?:\.{_PART})*")
"""A (dotted) identifier."""
_MENTION = re.compile(rf"\.?[{_LETTER}][{_REST}.]*|«[^»\n]*»")
MENTIONED = re.compile(rf"(?<![{_REST}.»]){_PART}(?:\.{_PART})*")
"""A whole identifier in running text."""

DECLARING = (
    "theorem|lemma|def|abbrev|instance|structure|class|inductive|coinductive|axiom|opaque|alias|example|irreducible_def"
)
MODIFIERS = "private|protected|public|meta|noncomputable|unsafe|partial|nonrec|local|scoped"
_SCOPING = "namespace|section|end|open|variable|variables|universe|universes|include|omit|mutual|export|attribute"
_OTHER = (
    "set_option|deriving|initialize|builtin_initialize|add_decl_doc|notation|notation3|infix|infixl|infixr|prefix|postfix"
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
_EVENT = re.compile(
    r"""--[^\n]*|/-|"(?:[^"\\]|\\.)*+"?|'(?<![\w!?']')(?:[^\\'\n]|\\(?:x..|u....|.))'"""
    rf"|\n(?:(?P<top>(?=@\[|(?:{MODIFIERS}|{DECLARING}|{_SCOPING}|{_OTHER})(?![{_REST}.])))"
    rf"|[ \t]+(?P<deep>(?={_INDENTED})))",
    re.DOTALL,
)
_OPEN_OR_CLOSE = re.compile(r"/-|-/")
_DECLARES = re.compile(rf"\s*(?:(?:{MODIFIERS})\s+)*(?:{DECLARING})\b")
_MODIFIER = re.compile(rf"(?:{MODIFIERS}|(?P<keyword>{DECLARING}))(?![{_REST}.])")
_MODIFIED = re.compile(rf"@\[|(?:{MODIFIERS})(?![{_REST}.])")
_BLANK = re.compile(r"\s+|--[^\n]*|/-(?!-)(?:[^-]|-(?!/))*-/")
_LONGEST_ATTRIBUTES = 20_000
_OPENERS = "([{⟨⦃⟦"
_BRACKET = re.compile(
    r"""--[^\n]*|/-|"(?:[^"\\]|\\.)*+"?|'(?<![\w!?']')(?:[^\\'\n]|\\(?:x..|u....|.))'|[(\[{⟨⦃⟦)\]}⟩⦄⟧]""", re.DOTALL
)
# A bracket with nothing in it that could hide another: most are.
PLAIN = r"""[(\[{⟨⦃⟦][^()\[\]{}⟨⟩⦃⦄⟦⟧"/-]*[)\]}⟩⦄⟧]"""
_PLAIN = re.compile(PLAIN)
_COMMENT = re.compile(r"""--[^\n]*|/-|"(?:[^"\\]|\\.)*+"?|'(?<![\w!?']')(?:[^\\'\n]|\\(?:x..|u....|.))'""", re.DOTALL)


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
    if (
        not hashes
        or text[hashes - 1] != "r"
        or (hashes > 1 and (text[hashes - 2].isalnum() or text[hashes - 2] in "_'"))
    ):
        return None
    close = text.find('"' + "#" * (quote - hashes), quote + 1)
    return len(text) if close < 0 else close + 1 + quote - hashes


def _after(text: str, event: re.Match[str]) -> int:
    """Where to go on after a comment or string that `event` is the beginning of."""
    if event[0] == "/-":
        return comment_end(text, event.start())
    if event[0][0] == '"' and event.start() and text[event.start() - 1] in "r#":
        return raw_string_end(text, event.start()) or event.end()
    return event.end()


def commands(text: str) -> Iterator[Command]:
    """The commands of a file in order. `text` must begin with a line break, so that its first line is a line too."""
    start = -1
    started: tuple[int, int] | None = None  # the doc comment of the command at `start`
    doc: tuple[int, int] | None = None
    section = -1  # a heading `/-! … -/` ends what stands before it
    at = 0
    search = _EVENT.search
    while (event := search(text, at)) is not None:
        kind = event.lastgroup
        if kind is None:
            begin = event.start()
            at = _after(text, event)
            if text.startswith("/-", begin):
                if text.startswith("/--", begin):
                    doc = (begin, at)
                    if _DECLARES.match(text, at) is None and not text.startswith("@[", _skip_blanks(text, at)):
                        continue
                    # A doc comment and its declaration on one line: no line break announces the declaration.
                    following = _skip_blanks(text, at)
                    if "\n" not in text[at:following] and _deep_enough(text, begin, start):
                        if start >= 0:
                            yield Command(start, begin if section < start else section, started)
                        start, started, at = following, doc, following
                elif section <= start and text.startswith("/-!", begin):
                    section = begin
            continue
        at = event.end()
        if kind == "deep" and not _begins(text, at, start):
            continue
        mine = doc if doc is not None and text[doc[1] : at].isspace() else None
        if start >= 0:
            stop = mine[0] if mine else at
            yield Command(start, section if start < section < stop else stop, started)
        start, started, doc = at, mine, None
        if _MODIFIED.match(text, at) is not None:
            at = _past_modifiers(text, at)
    if start >= 0:
        yield Command(start, section if start < section else len(text), started)


def _past_modifiers(text: str, at: int) -> int:
    """Past attributes and modifiers, which may have lines of their own, and past the keyword that they belong to."""
    while True:
        if text.startswith("@[", at):
            end = close(text, at + 1, min(at + _LONGEST_ATTRIBUTES, len(text)))
            if text[end - 1] != "]":  # half-written
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


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _deep_enough(text: str, at: int, start: int) -> bool:
    """Whether a doc comment at `at` can stand before a command: at the beginning of a line, outside brackets."""
    line = text.rfind("\n", 0, at) + 1
    return text[line:at].isspace() is (line < at) and (line == at or _balanced(text, max(start, 0), at))


def _begins(text: str, at: int, start: int) -> bool:
    """Whether the indented line at `at` begins a command, and is not part of a quotation or of a structure."""
    if text.startswith("@[", at):
        after = close(text, at + 1)
        while text.startswith("@[", _skip_blanks(text, after)):
            after = close(text, _skip_blanks(text, after) + 1)
        if _DECLARES.match(text, after) is None:
            return False
    return _balanced(text, max(start, 0), at)


def _balanced(text: str, start: int, stop: int) -> bool:
    depth = 0
    at = start
    while (found := _BRACKET.search(text, at, stop)) is not None:
        char = found[0]
        if len(char) > 1 or char == '"':
            at = _after(text, found)
        else:
            depth += 1 if char in _OPENERS else -1
            at = found.end()
    return depth <= 0


def close(text: str, at: int, stop: int | None = None) -> int:
    """The offset after the bracket that closes the one at `at`; `stop` (or the text's end) when none does."""
    end = len(text) if stop is None else stop
    if (plain := _PLAIN.match(text, at, end)) is not None:
        return plain.end()
    depth = 0
    while (found := _BRACKET.search(text, at, end)) is not None:
        char = found[0]
        if len(char) > 1 or char == '"':
            at = _after(text, found)
            continue
        at = found.end()
        depth += 1 if char in _OPENERS else -1
        if depth <= 0:
            return at
    return end


def without_comments(text: str) -> str:
    """`text` with each comment replaced by a blank."""
    if "--" not in text and "/-" not in text:
        return text
    kept = []
    at = done = 0
    while (found := _COMMENT.search(text, at)) is not None:
        at = _after(text, found)
        if found[0].startswith(("--", "/-")):
            kept.append(text[done : found.start()])
            done = at
    kept.append(text[done:])
    return " ".join(kept)


def one_line(text: str) -> str:
    """`text` without comments, and with one blank for each run of blanks and line breaks."""
    if "--" in text or "/-" in text:
        text = without_comments(text)
    return " ".join(text.split())


def mentions(text: str) -> set[str]:
    """The names by which local variables may be mentioned: `x` and `f` in `x * f.map 1 ∈ .univ`."""
    found = set(_MENTION.findall(text))
    found.update([name.partition(".")[0] for name in found if "." in name])
    return found


def split_top(text: str, separator: str = ",") -> list[str]:
    """`text` cut at each `separator` (one character) that stands outside brackets, strings and comments."""
    if separator not in text:
        return [text]
    parts = []
    at = begin = 0
    pattern = _SPLITTERS.get(separator) or _SPLITTERS.setdefault(
        separator, re.compile(_BRACKET.pattern + "|" + re.escape(separator), re.DOTALL)
    )
    while (found := pattern.search(text, at)) is not None:
        char = found[0]
        if char == separator:
            parts.append(text[begin : found.start()])
            at = begin = found.end()
        elif char in _OPENERS:
            at = close(text, found.start())
        else:
            at = _after(text, found)
    parts.append(text[begin:])
    return parts


_SPLITTERS: dict[str, re.Pattern[str]] = {}
