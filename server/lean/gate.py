"""Refuses candidate text before Lean sees it. Pure functions on tokens.

Lean elaborates what it is given: text that ends the block starts a command that *runs*, and `sorry` in its
many forms closes any goal. The gate lets through only text that is one closed piece of tactic syntax and
names nothing that adds axioms, runs code, reads the environment or weakens checking. It errs on the side of
refusing; the in-place check with `#print axioms` stands behind it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from tacit.server.lean.options import evaluated_option
from tacit.server.lean.syntax import CLOSERS, COMMAND_WORDS, Kind, Token, tokens

MAX_LENGTH = 4000

# Constants that stand for no proof or rest one on the compiler, or that reach outside Lean: refused as any part of a
# dotted name (`Lean.ofReduceBool`, `IO.Process.run`).
_NAMES = frozenset(
    """sorry admit sorryAx lcProof lcUnreachable lcAny lcErased ofReduceBool ofReduceNat trustCompiler reduceBool
    reduceNat unsafeCast unsafeIO unsafeEIO unsafeBaseIO ptrEq ptrAddrUnsafe propDecidableUnsafe trustMe
    undefined evalTerm dbgTrace dbgTraceVal dbgTraceIfShared dbgSleep panic unreachable IO
    _tacitHole tacitHole _tacitRest tacitRest tacitCopy tacitSort tacitU tacitExample""".split()
)
# Tactics, terms and options that do the same, run code or change how Lean checks: refused as a whole word only,
# because their names are parts of honest ones (`Matrix.trace`, `Polynomial.eval`, `r.stop`). `native` is an option of
# `decide`. The stand-in axioms (above) are declared in the text a close is verified in: they would prove anything.
_WORDS = frozenset(
    """stop says native native_decide bv_decide bv_check proof_wanted run_tac run_cmd run_elab run_meta run_conv
    by_elab eval_expr elab elab_rules macro macro_rules syntax unsafe implemented_by extern csimp initialize
    include_str include_bytes set_option unlock_limits declare_syntax_cat dbg_trace dbg_sleep sleep
    sleep_heartbeats trace guard_msgs polyrith llmstep suggest_tactics search_proof aesop_llm""".split()
)
# A command word that is a tactic too (Mathlib's); it begins a command in the header only.
_TACTIC_TOO = frozenset({"module"})
# Letters of Hangul that are drawn as nothing, and selectors that change how the character before them is drawn.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def _hidden(char: str) -> bool:
    # Control and format characters, white space that is none to Lean, halves of surrogate pairs: what is shown would
    # not be what Lean reads, or could not be sent at all.
    if char.isascii():
        return (ord(char) < 32 and char != "\n") or char == "\x7f"
    return (
        unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp")
        or char in _BLANK
        or "\ufe00" <= char <= "\ufe0f"
        or "\U000e0100" <= char <= "\U000e01ef"
    )


def refusal(text: str, *, own_name: str | None = None, local_names: Collection[str] = ()) -> str | None:
    """Why this candidate may not be run, in one sentence; None when it may.

    `own_name` is the name of the theorem being proved: its mention is a proof by itself, and Lean reports
    that far away from the tactic (`fail to show termination`). `local_names` are hypotheses: they shadow it.
    """
    if not text.strip():
        return "It is empty."
    if len(text) > MAX_LENGTH:
        return f"It is longer than {MAX_LENGTH} characters."
    if any(_hidden(c) for c in text):
        return "It contains invisible or control characters."
    if "✝" in text:
        return "It uses a name that Lean shows and nobody can write (`✝`)."
    stack: list[str] = []
    previous: Token | None = None
    code = list(tokens(text))
    for token in code:
        if token.kind in (Kind.LINE_COMMENT, Kind.BLOCK_COMMENT):
            return "It contains a comment, which could hide what follows."
        if token.kind is Kind.UNTERMINATED:
            return "A string, comment or quoted name in it is not closed."
        if token.kind is Kind.STRING:
            return "It contains a string."
        if token.kind is Kind.OPEN:
            stack.append(token.text)
        elif token.kind is Kind.CLOSE:
            if not stack or stack.pop() != CLOSERS[token.text]:
                return "Its brackets do not match, so it could leave its block."
        elif token.kind is Kind.IDENT:
            shadowed = token.text.split(".")[0] in local_names
            reason = _word_refusal(token.text, None if shadowed else own_name)
            if reason:
                return reason
        elif token.text == "#" or token.text == "`":
            return f"It contains {token.text!r}, which starts a command or a quotation."
        elif token.text == "@" and text.startswith("[", token.end):
            return "It contains an attribute."
        elif token.text == "$" and text.startswith("(", token.end):
            return "It contains an antiquotation."
        elif token.text == "%" and previous is not None and _is_keyword(previous, token, text):
            return "It contains a keyword that ends in `%`."
        elif token.kind is Kind.CHAR and not token.text[1].isalnum():
            return "It contains a character literal, which could hide what follows."
        previous = token
    if stack:
        return "Its brackets do not match, so it could leave its block."
    first = text.lstrip()[:1]
    if first in "|)" or text.rstrip().endswith((":=", "<;>", ";")):
        return "It is not a whole tactic."
    if option := evaluated_option(code, text):
        return f"Lean would run what it gives to the option `{option}`."
    return None


def _word_refusal(word: str, own_name: str | None) -> str | None:
    plain = _plain(word)
    parts = [part.rstrip("?!") for part in plain.split(".")]
    if bad := next((p for p in (plain, *parts) if p in _NAMES), None):
        return f"`{bad}` proves nothing, or runs code."
    if len(parts) == 1 and (parts[0] in _WORDS or plain in _WORDS):
        return f"`{plain}` proves nothing, runs code or weakens checking."
    if not COMMAND_WORDS.isdisjoint((plain, plain.rstrip("?!"))) and plain not in _TACTIC_TOO:
        return f"`{plain}` starts a command."
    if own_name is not None and mentions(plain, own_name):
        return f"It uses `{own_name}`, which is the theorem being proved."
    return None


def _is_keyword(word: Token, percent: Token, text: str) -> bool:
    """Whether a `%` ends a keyword (`eval% …`, which runs code) rather than being a remainder (`n % 2`, `n%2`)."""
    touches = word.kind is Kind.IDENT and word.end == percent.start
    return touches and (word.text == "eval" or not text[percent.end : percent.end + 1].isdigit())


def _plain(word: str) -> str:
    """The word as Lean reads it: `«foo»` is `foo`."""
    return word.replace("«", "").replace("»", "")


def mentions(word: str, name: str) -> bool:
    """Whether an identifier is, or projects from, a declaration's name, with or without its namespaces.

    `foo`, `Ns.foo`, `foo.symm` and `_root_.Ns.foo` all mention `Ns.foo`; `foo'` and `foobar` do not.
    """
    parts, own = _plain(word).removeprefix("_root_.").split("."), _plain(name).split(".")
    for start in range(len(own)):
        suffix = own[start:]
        if parts[: len(suffix)] == suffix:
            return True
    # A longer qualification than the one written at the declaration: `Outer.Ns.foo` for `theorem Ns.foo`.
    return any(parts[i : i + len(own)] == own for i in range(len(parts)))
