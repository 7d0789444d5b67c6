"""Refuses candidate text before Lean sees it. Pure functions on tokens.

Lean elaborates what it is given: text that ends the block starts a command that *runs*, and `sorry` in its
many forms closes any goal. The gate lets through only text that is one closed piece of tactic syntax and
names nothing that adds axioms, runs code, reads the environment or weakens checking. It errs on the side of
refusing; the in-place check with `#print axioms` stands behind it.
"""

from __future__ import annotations

from collections.abc import Collection

from tacit.server.lean.syntax import CLOSERS, COMMAND_WORDS, Kind, tokens

MAX_LENGTH = 4000

# Closes a goal without a proof, or rests it on the compiler instead of the kernel.
_NO_PROOF = frozenset(
    """sorry admit stop native_decide bv_decide sorryAx lcProof lcUnreachable lcAny ofReduceBool ofReduceNat
    trustCompiler reduceBool reduceNat unsafeCast unsafeIO unsafeEIO unsafeBaseIO ptrEq ptrAddrUnsafe
    proof_wanted undefined propDecidableUnsafe trustMe says""".split()
)
# Runs code, evaluates terms, opens files or processes, talks to the network, or changes how Lean checks.
_RUNS_CODE = frozenset(
    """run_tac run_cmd run_elab run_meta run_conv by_elab eval eval_expr evalTerm elab elab_rules macro macro_rules
    syntax unsafe implemented_by extern csimp initialize include_str include_bytes set_option unlock_limits
    declare_syntax_cat dbg_trace dbgTrace dbgTraceVal dbgTraceIfShared dbg_sleep dbgSleep panic unreachable
    polyrith llmstep suggest_tactics search_proof aesop_llm sleep_heartbeats IO FilePath Process Socket
    trace guard_msgs sleep""".split()
)
_FORBIDDEN_WORDS = _NO_PROOF | _RUNS_CODE


def _hidden(char: str) -> bool:
    # Control characters and bidirectional overrides: what is shown would not be what Lean reads.
    return (
        (ord(char) < 32 and char != "\n")
        or char == "\x7f"
        or "\u202a" <= char <= "\u202e"
        or ("\u2066" <= char <= "\u2069")
        or char in "\u200b\u200e\u200f\u2028\u2029\ufeff"
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
    stack: list[str] = []
    for token in tokens(text):
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
        elif token.text == "%" or (token.text == "$" and text.startswith("(", token.end)):
            return "It contains an antiquotation or a syntax marker."
    if stack:
        return "Its brackets do not match, so it could leave its block."
    first = text.lstrip()[:1]
    if first in "|)" or text.rstrip().endswith((":=", "<;>", ";")):
        return "It is not a whole tactic."
    return None


def _word_refusal(word: str, own_name: str | None) -> str | None:
    plain = word.replace("«", "").replace("»", "")
    parts = plain.rstrip("?!").split(".")
    if bad := next((p for p in (plain, *parts) if p in _FORBIDDEN_WORDS), None):
        return f"`{bad}` proves nothing, or runs code."
    if plain in COMMAND_WORDS:
        return f"`{plain}` starts a command."
    if own_name is not None and mentions(plain, own_name):
        return f"It uses `{own_name}`, which is the theorem being proved."
    return None


def mentions(word: str, name: str) -> bool:
    """Whether an identifier is, or projects from, a declaration's name, with or without its namespaces.

    `foo`, `Ns.foo`, `foo.symm` and `_root_.Ns.foo` all mention `Ns.foo`; `foo'` and `foobar` do not.
    """
    word = word.removeprefix("_root_.")
    parts, own = word.split("."), name.split(".")
    for start in range(len(own)):
        suffix = own[start:]
        if parts[: len(suffix)] == suffix:
            return True
    # A longer qualification than the one written at the declaration: `Outer.Ns.foo` for `theorem Ns.foo`.
    return any(parts[i : i + len(own)] == own for i in range(len(parts)))
