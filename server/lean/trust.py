"""Why what Lean says of a text's proofs may not be enough, read from the text alone. Pure.

A close rests on two things: the kernel looked at the proof, and Lean named every axiom below it. A file may take
either away, or give an axiom of its own the name of a standard one. None of this stops a file that runs programs of
its own inside Lean: it can make Lean say anything, in every editor.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from tacit.server.lean.batch import REST, STAND_IN
from tacit.server.lean.syntax import Command, Kind, Token, commands_of
from tacit.server.text import LineIndex, Span

EXAMPLE_NAME = "tacitExample"
STANDARD_AXIOMS = frozenset({"propext", "Classical.choice", "Quot.sound"})
_RESERVED = (STAND_IN, REST, EXAMPLE_NAME)
# Today's Lean asks its kernel nothing where this option is set.
_NO_KERNEL = "skipKernelTC"
# What can bring an unproved statement into a file, or hide that it did: looked for where Lean names no axioms.
_UNPROVED = frozenset(
    """axiom constant sorry admit stop proof_wanted native native_decide bv_decide bv_check sorryAx ofReduceBool
    ofReduceNat trustCompiler lcProof macro macro_rules elab elab_rules elab_stx_quot run_cmd run_elab run_meta
    initialize builtin_initialize simproc dsimproc simproc_decl warn""".split()
)


def reserved(text: str) -> str | None:
    """A name of Tacit's own that a text uses; texts that are made from it would then mean something else."""
    if not any(name in text for name in _RESERVED):
        return None
    words = [token.text for token in commands_of(text).code(len(text))]
    return next((name for name in _RESERVED if any(name in word for word in words)), None)


def is_module(text: str) -> bool:
    """Whether a text is a `module` (2025 on)."""
    return "module" in _header_words(text)[:1]


def doubt(text: str, command: Command, hole: Span) -> str:
    """Why nothing in a command's hole may be called proved, in one sentence; empty where there is no reason."""
    end = command.span.end
    code = [token for token in commands_of(text).code(end) if not hole.start <= token.start < hole.end]
    here = [token for token in code if token.start >= command.span.start]
    if any(token.text == "unsafe" for token in here):
        return "It closes this goal; what is `unsafe` proves nothing."
    if any(_NO_KERNEL in token.text for token in code):
        return f"It closes this goal; this file has Lean's kernel check nothing (`{_NO_KERNEL}`)."
    # A `sorry` of the command itself is replaced before Lean sees it.
    kept = [token for token in code if token.start < command.span.start or token.text != "sorry"]
    if is_module(text) and (found := _unproved(kept)):
        line = LineIndex(text).position(found.start).line + 1
        return (
            "It closes this goal; in a `module` Lean does not say which axioms a proof rests on, and this file has "
            f"`{found.text}` in line {line}."
        )
    return ""


def standard_axioms(text: str, end: int) -> frozenset[str]:
    """The axioms that every proof may rest on, less those that a text (up to an offset) declares itself.

    It can only where it imports nothing of Lean's own (`prelude`).
    """
    if "prelude" not in _header_words(text):
        return STANDARD_AXIOMS
    code = commands_of(text).code(end)
    own = {_last(name.text) for word, name in pairwise(code) if word.text in ("axiom", "constant")}
    return frozenset(name for name in STANDARD_AXIOMS if _last(name) not in own)


def _header_words(text: str) -> list[str]:
    commands = commands_of(text)
    return [token.text for token in commands.code(len(commands.header()))]


def _unproved(code: Iterable[Token]) -> Token | None:
    for token in code:
        if token.kind is Kind.IDENT and any(part in _UNPROVED for part in token.text.split(".")):
            return token
    return None


def _last(name: str) -> str:
    return name.replace("«", "").replace("»", "").split(".")[-1]
