"""Splits Lean text into tokens and top-level commands, without Lean. Pure functions; never raises on any text.

This is a lexer, not a parser: it knows comments, strings, characters, quoted identifiers and brackets, which
is what is needed to refuse text that leaves its block, to find `sorry` outside comments, and to see where the
command around the cursor begins and ends. Source: `Lean.Parser.Basic` (whitespace, identFn, strLitFn).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from tacit.index.recent import recent
from tacit.server.text import Span


class Kind(Enum):
    """What a token is. UNTERMINATED is a comment, string or «…» that the text ends in."""

    IDENT = "identifier or keyword"
    NUMBER = "number"
    STRING = "string"
    CHAR = "character"
    OPEN = "opening bracket"
    CLOSE = "closing bracket"
    SYMBOL = "symbol"
    LINE_COMMENT = "line comment"
    BLOCK_COMMENT = "block comment"
    UNTERMINATED = "unterminated"


@dataclass(frozen=True, slots=True)
class Token:
    """A token with its span in code points."""

    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        """One past the last code point."""
        return self.start + len(self.text)


OPENERS = {"(": ")", "[": "]", "{": "}", "⟨": "⟩", "⦃": "⦄"}
CLOSERS = {close: open_ for open_, close in OPENERS.items()}


# Lean's isLetterLike and isSubScriptAlnum (Init/Meta): ASCII apart, these and no other characters make names. Any
# other letter (`ᵒᵖ`, `²`, λ) ends a name there and may be a notation of its own, so it must end one here too.
_LETTER_LIKE = (
    (0x3B1, 0x3FB), (0x391, 0x3A9), (0x1F00, 0x1FFE), (0x2100, 0x214F), (0x1D49C, 0x1D59F), (0xC0, 0x17F),
)  # fmt: skip
_NOT_LETTER_LIKE = frozenset("λΠΣ×÷")
_SUBSCRIPTS = ((0x2080, 0x2089), (0x2090, 0x209C), (0x1D62, 0x1D6A), (0x2C7C, 0x2C7C))
# As Lean ends them: in `1sorry` and `0x1sorry` the name is a token of its own.
_NUMBER = re.compile(r"0[xX][0-9a-fA-F_]*|0[bB][01_]*|0[oO][0-7_]*|[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]+)?")
_CHAR = re.compile(r"""'(?:[^\\'\n]|\\(?:[\\"'rnt]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}))'""")
_DIGITS = re.compile("[0-9]+")


def _ident_start(char: str) -> bool:
    if char.isascii():
        return char.isalpha() or char == "_"
    code = ord(char)
    return char == "«" or (char not in _NOT_LETTER_LIKE and any(low <= code <= high for low, high in _LETTER_LIKE))


def _ident_rest(char: str) -> bool:
    if char.isascii():
        return char.isalnum() or char in "_'!?"
    # ✝ is how Lean prints a name that cannot be written.
    return char == "✝" or (
        char != "«" and (_ident_start(char) or any(low <= ord(char) <= high for low, high in _SUBSCRIPTS))
    )


def _block_comment_end(text: str, at: int) -> int:
    """The offset after the `-/` that matches the `/-` at `at` (they nest), or -1."""
    depth = 0
    while True:
        close = text.find("-/", at)
        if close == -1:
            return -1
        open_ = text.find("/-", at)
        if open_ != -1 and open_ < close:
            depth += 1
            at = open_ + 2
        else:
            depth -= 1
            at = close + 2
            if depth == 0:
                return at


def _string_end(text: str, at: int) -> int:
    """The offset after the string whose opening quote is at `at`, or -1."""
    i = at + 1
    while i < len(text):
        if text[i] == "\\":
            i += 2
        elif text[i] == '"':
            return i + 1
        else:
            i += 1
    return -1


def _raw_string_end(text: str, at: int) -> int | None:
    """The offset after the raw string r"…" or r#"…"# at `at`; -1 unterminated; None when it is none."""
    i = at + 1
    while i < len(text) and text[i] == "#":
        i += 1
    if i >= len(text) or text[i] != '"':
        return None
    close = text.find('"' + "#" * (i - at - 1), i + 1)
    return -1 if close == -1 else close + (i - at)


def _ident_end(text: str, at: int) -> int:
    """The offset after the (dotted, possibly «quoted») identifier at `at`; -1 when a « is never closed."""
    i = at
    while True:
        if text[i] == "«":
            close = text.find("»", i)
            if close == -1 or "\n" in text[i:close]:
                return -1
            i = close + 1
        else:
            i += 1
            while i < len(text) and _ident_rest(text[i]):
                i += 1
        # Projections (`h.1.2`) are kept with the name, but a name that touches their digits is another token.
        while digits := _DIGITS.match(text, i + 1) if text.startswith(".", i) else None:
            i = digits.end()
        if not (i + 1 < len(text) and text[i] == "." and _ident_start(text[i + 1])):
            return i
        i += 1


def tokens(text: str) -> Iterator[Token]:
    """Every token of the text in order, comments included. An unterminated one runs to the end and is the last."""
    i, n = 0, len(text)
    while i < n:
        char = text[i]
        if char.isspace():
            i += 1
            continue
        kind = Kind.SYMBOL
        end: int = i + 1
        if text.startswith("--", i):
            kind = Kind.LINE_COMMENT
            newline = text.find("\n", i)
            end = n if newline == -1 else newline
        elif text.startswith("/-", i):
            kind, end = Kind.BLOCK_COMMENT, _block_comment_end(text, i)
        elif char == '"':
            kind, end = Kind.STRING, _string_end(text, i)
        elif char == "r" and (raw := _raw_string_end(text, i)) is not None:
            kind, end = Kind.STRING, raw
        elif text.startswith("''", i):
            end = i + 2  # never a character: Mathlib's `f '' s`
        elif char == "'" and (literal := _CHAR.match(text, i)) is not None:
            kind, end = Kind.CHAR, literal.end()
        elif char == "`" and i + 1 < n and (text[i + 1] == "`" or _ident_start(text[i + 1])):
            end = i + 1  # a quoted name: the identifier follows as its own token
        elif _ident_start(char):
            kind, end = Kind.IDENT, _ident_end(text, i)
        elif (number := _NUMBER.match(text, i)) is not None:
            kind, end = Kind.NUMBER, number.end()
        elif char in OPENERS:
            kind = Kind.OPEN
        elif char in CLOSERS:
            kind = Kind.CLOSE
        elif text.startswith(("#[", "@[", ".{"), i):
            end = i + 1
        if end == -1:
            yield Token(Kind.UNTERMINATED, text[i:], i)
            return
        yield Token(kind, text[i:end], i)
        i = end


def code_tokens(text: str) -> list[Token]:
    """The tokens without comments."""
    return [t for t in tokens(text) if t.kind not in (Kind.LINE_COMMENT, Kind.BLOCK_COMMENT)]


# Words that begin a command. `in`-prefixes (`open … in`, `set_option … in`) are joined to what follows.
COMMAND_WORDS = frozenset(
    """theorem lemma def abbrev instance example axiom constant opaque inductive structure class coinductive
    variable variables universe universes open namespace section end export import mutual private protected
    noncomputable partial unsafe public meta local scoped attribute set_option notation infix infixl infixr
    prefix postfix syntax macro macro_rules elab elab_rules declare_syntax_cat initialize builtin_initialize
    deriving add_decl_doc alias irreducible_def run_cmd run_elab run_meta assert_not_exists
    assert_not_imported include omit library_note simproc dsimproc simproc_decl register_simp_attr
    register_option nonrec gen_injective_theorems declare_config_elab init_quot proof_wanted
    suppress_compilation unsuppress_compilation recall whatsnew unif_hint module prelude compile_inductive
    initialize_simps_projections mk_iff_of_inductive_prop seal unseal grind_pattern binder_predicate
    test_extern docs_to_verso elab_stx_quot end_local_scope grind_annotated norm_cast_add_elim
    recommended_spelling register_error_explanation register_tactic_tag reprove set_library_suggestions
    show_panel_widgets tactic_extension with_weak_namespace assert_no_sorry extend_docs guard_min_heartbeats
    insert_to_additive_translation lrat_proof name_poly_vars name_power_vars
    register_hint sudo to_additive_name_hint to_dual_insert_cast to_dual_insert_cast_fun to_dual_name_hint
    unset_option register_label_attr declare_aesop_rule_sets declare_uint_simprocs declare_sint_simprocs
    add_aesop_rules erase_aesop_rules declare_int_theorems aux_def builtin_simproc builtin_simproc_decl
    builtin_dsimproc builtin_dsimproc_decl dsimproc_decl grind_propagator builtin_grind_propagator
    declare_command_config_elab declare_config_getter declare_simp_like_tactic declare_bitwise_int_theorems
    declare_bitwise_uint_theorems declare_uint_theorems register_builtin_option register_linter_set
    register_try?_tactic init_grind_norm gen_cnstr_fns hydrate_opaque_type nonempty_type deprecate notation3
    open_locale localized restate_axiom reassoc_axiom def_replacer mk_simp_attribute setup_tactic_parser
    copy_doc_string add_tactic_doc add_hint_tactic""".split()
)
# `deriving` and these continue a command when they stand at the start of a line.
CONTINUATION_WORDS = frozenset(
    "where termination_by decreasing_by decreasing_with with then else from fun by at using deriving in".split()
)
HEADER_WORDS = frozenset({"import", "module", "prelude", "public", "meta"})


@dataclass(frozen=True, slots=True)
class Command:
    """A top-level command.

    `span` includes doc comment and attributes; `tokens` are those without comments; `line_starts` are the
    offsets of the tokens that stand first on their line.
    """

    span: Span
    tokens: tuple[Token, ...]
    line_starts: frozenset[int]

    def upto(self, offset: int) -> Command:
        """The command without what stands behind an offset."""
        kept = tuple(t for t in self.tokens if t.end <= offset)
        return Command(Span(self.span.start, offset), kept, self.line_starts)


def _starts_command(token: Token, text: str) -> bool:
    if token.kind is Kind.BLOCK_COMMENT:
        return token.text.startswith(("/--", "/-!"))
    if token.kind is Kind.IDENT:
        return token.text in COMMAND_WORDS and token.text not in CONTINUATION_WORDS
    return token.kind is Kind.SYMBOL and (
        (token.text == "@" and text.startswith("[", token.end))
        or (token.text == "#" and token.end < len(text) and text[token.end].isalpha())
    )


def _is_plain_comment(token: Token) -> bool:
    """Whether a token is white space to Lean: doc comments are not."""
    block = token.kind is Kind.BLOCK_COMMENT and not token.text.startswith(("/--", "/-!"))
    return block or token.kind is Kind.LINE_COMMENT


class Commands:
    """The commands of one text, found by the words that begin lines at column 0. Immutable.

    Text that is indented, or begins with a word that is no known command, belongs to the command above: for
    the purpose (replace a hole, keep the rest of its declaration) that errs on the safe side.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = list(tokens(text))
        starts: list[int] = []
        pending = False  # an attribute, doc comment or modifier began the command already
        previous: Token | None = None
        mutual = False
        for token in self._tokens:
            at_line_start = token.start == 0 or text[token.start - 1] == "\n"
            if _is_plain_comment(token):
                continue
            if at_line_start and _starts_command(token, text):
                joined = previous is not None and previous.text == "in" and previous.kind is Kind.IDENT
                if not joined and not pending and not mutual:
                    starts.append(token.start)
                pending = (
                    token.text.startswith("/--")
                    or token.text == "@"
                    or token.text in {"private", "protected", "noncomputable", "partial", "unsafe", "local", "scoped"}
                )
                if token.text == "mutual":
                    mutual = True
                elif mutual and token.text == "end":
                    mutual = False
            elif token.kind is Kind.IDENT and token.text in COMMAND_WORDS:
                pending = False
            previous = token
        self._starts = starts

    def code(self, end: int) -> list[Token]:
        """The tokens that end before an offset, without comments."""
        upto = self._tokens[: bisect_right(self._tokens, end, key=lambda t: t.end)]
        return [t for t in upto if t.kind not in (Kind.LINE_COMMENT, Kind.BLOCK_COMMENT)]

    def around(self, offset: int) -> Command | None:
        """The command that an offset stands in or just behind, or None above the first."""
        index = bisect_right(self._starts, offset) - 1
        return self._command(index) if index >= 0 else None

    def all(self) -> Iterator[Command]:
        """Every command, in order."""
        return (self._command(i) for i in range(len(self._starts)))

    def _command(self, index: int) -> Command:
        start = self._starts[index]
        end = self._starts[index + 1] if index + 1 < len(self._starts) else len(self.text)
        first = bisect_right(self._tokens, start - 1, key=lambda t: t.start)
        last = bisect_right(self._tokens, end - 1, key=lambda t: t.start)
        inner = tuple(t for t in self._tokens[first:last] if t.kind not in (Kind.LINE_COMMENT, Kind.BLOCK_COMMENT))
        firsts = frozenset(
            t.start for t in inner if not self.text[self.text.rfind("\n", 0, t.start) + 1 : t.start].strip()
        )
        return Command(Span(start, end), inner, firsts)

    def comment_at(self, offset: int) -> Token | None:
        """The comment or string that an offset stands strictly inside, if any."""
        for token in self._tokens:
            if token.start >= offset:
                return None
            inside = offset < token.end or (
                offset == token.end and token.kind in (Kind.LINE_COMMENT, Kind.UNTERMINATED)
            )
            if inside and token.kind in (
                Kind.LINE_COMMENT,
                Kind.BLOCK_COMMENT,
                Kind.STRING,
                Kind.UNTERMINATED,
            ):
                return token
        return None

    def sorries(self) -> list[Token]:
        """Every `sorry` outside comments and strings."""
        return [t for t in self._tokens if t.kind is Kind.IDENT and t.text == "sorry"]

    def header(self) -> str:
        """The text up to the first command that is no import: what decides which tactics exist."""
        end = 0
        modifier = False  # `public` and `meta` belong to the header before `import` only, not before `section`
        for token in self._tokens:
            at_line_start = token.start == 0 or self.text[token.start - 1] == "\n"
            if _is_plain_comment(token):
                continue
            if at_line_start and (token.kind is not Kind.IDENT or token.text not in HEADER_WORDS):
                break
            if modifier and token.text not in ("import", "meta"):
                break
            modifier = token.text in ("public", "meta") and (at_line_start or modifier)
            if not modifier:
                end = token.end
        return self.text[:end]


@recent(longest=1 << 19)  # some 40 bytes a character
def commands_of(text: str) -> Commands:
    """The commands of a text, read once for several questions about it (0.1 s for 150 kB)."""
    return Commands(text)


def imports(header: str) -> tuple[str, ...]:
    """The module names that a header imports, in order."""
    skip = HEADER_WORDS | {"all", "runtime"}
    return tuple(t.text for t in code_tokens(header) if t.kind is Kind.IDENT and t.text not in skip)


_DECLARATION_WORDS = frozenset(
    "theorem lemma def abbrev instance example opaque constant axiom structure class inductive".split()
)


# Without Mathlib these are names like any other; the rest are reserved and stand nowhere inside a declaration.
_NOT_RESERVED = frozenset({"lemma", "constant"})


@dataclass(frozen=True, slots=True)
class DeclarationHead:
    """The keyword of a declaration and its name, where it has one."""

    keyword: Token
    name: Token | None


def declaration_head(command: Command, before: int | None = None) -> DeclarationHead | None:
    """The head of a command's declaration (in `mutual`, of the last one before an offset); None for other commands."""
    head: DeclarationHead | None = None
    mutual = False
    depth = 0
    for i, token in enumerate(command.tokens):
        if before is not None and token.start >= before:
            break
        if token.kind is Kind.OPEN:
            depth += 1
        elif token.kind is Kind.CLOSE:
            depth -= 1
        elif head is None and token.text == "mutual":
            mutual = True
        elif depth == 0 and token.kind is Kind.IDENT and token.text in _DECLARATION_WORDS:
            another = mutual and (token.text not in _NOT_RESERVED or token.start in command.line_starts)
            if head is not None and not another:
                continue
            after = command.tokens[i + 1 : i + 2]
            if token.text == "class" and after and after[0].text in ("inductive", "abbrev"):
                continue  # the second word is the keyword
            named = bool(after) and after[0].kind is Kind.IDENT
            head = DeclarationHead(token, after[0] if named else None)
    return head
