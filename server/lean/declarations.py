"""Reads which declarations stand above a place in a file, from the text alone. Pure; never raises.

What the reader gets wrong costs a candidate that Lean then rejects, nothing more: so it takes the plain forms
(keyword, name, binders, type) and passes over the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

from tacit.index.recent import recent
from tacit.server.lean.syntax import Command, Kind, Token, commands_of, declaration_head
from tacit.server.values import Declaration

_KEPT = frozenset({"theorem", "lemma", "def", "abbrev", "structure", "class", "inductive", "axiom", "instance"})
_SHOWN = frozenset({"def", "abbrev", "structure", "class"})
_LONGEST_VALUE = 600
_BINDER_CLOSERS = {"(": ")", "{": "}", "[": "]", "⦃": "⦄", "⟨": "⟩"}


@dataclass(slots=True)
class _Scope:
    """The namespaces and sections that are open, outermost first; a section has no name in full names."""

    stack: list[tuple[str, str]] = field(default_factory=list)

    @property
    def namespace(self) -> str:
        return ".".join(name for kind, name in self.stack if kind == "namespace")

    def read(self, tokens: tuple[Token, ...]) -> None:
        """Follow `namespace`, `section` and `end`."""
        words = [t.text for t in tokens[_attributes_end(tokens) :]][:5]
        while words and words[0] in ("noncomputable", "public", "private", "meta"):
            words = words[1:]
        if not words:
            return
        name = words[1] if len(words) > 1 else ""
        if words[0] == "namespace":
            self.stack += [("namespace", part) for part in name.split(".")]
        elif words[0] == "section":
            self.stack.append(("section", name))
        elif words[0] == "end" and self.stack:
            for _ in range(max(1, len(name.split("."))) if self.stack[-1][0] == "namespace" else 1):
                if self.stack:
                    self.stack.pop()


def _attributes_end(tokens: tuple[Token, ...]) -> int:
    """How many tokens the `@[…]` at a command's beginning take."""
    depth = 0
    for i, token in enumerate(tokens if tokens and tokens[0].text == "@" else ()):
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        if i and not depth:
            return i + 1
    return 0


def _signature_end(text: str, tokens: list[Token]) -> int:
    """The offset where binders and type end: at `:=`, `where`, a `|` of an alternative, or the command's end."""
    depth = 0
    for i, token in enumerate(tokens):
        if token.text in _BINDER_CLOSERS:
            depth += 1
        elif token.kind is Kind.CLOSE:
            depth -= 1
        elif depth == 0:
            if token.text == ":" and text.startswith("=", token.end):
                return token.start
            if token.text in ("where", "extends", "deriving"):
                return token.start
            if token.text == "|" and i and "\n" in text[tokens[i - 1].end : token.start]:
                return token.start
    return tokens[-1].end if tokens else 0


def _member_starts(text: str, command: Command, kind: str) -> list[int]:
    """Where fields or constructors begin; for a constructor that is its `|`."""
    tokens = command.tokens
    starts = []
    depth = 0
    for at, (token, after) in enumerate(pairwise(tokens)):
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        if kind == "inductive":
            begins = depth == 0 and token.text == "|" and after.kind is Kind.IDENT
        else:
            typed = after.text in _BINDER_CLOSERS or (after.text == ":" and text[after.end : after.end + 1] not in ":=")
            begins = at > 0 and token.start in command.line_starts and token.kind is Kind.IDENT and typed
        if begins and token.text not in ("deriving", "extends", "where"):
            starts.append(at)
    return starts


def _members(text: str, command: Command, name: str, kind: str) -> list[Declaration]:
    """Fields of a structure or class, constructors of an inductive type: the plain ones."""
    tokens = command.tokens
    starts = _member_starts(text, command, kind)
    end = next((i for i, t in enumerate(tokens) if t.text == "deriving"), len(tokens))
    found = []
    for at, stop in pairwise([*starts, end]):
        label = tokens[at + 1] if kind == "inductive" else tokens[at]
        rest = [t for t in tokens[at:stop] if t.start >= label.end]
        upto = _signature_end(text, rest)
        what = "constructor" if kind == "inductive" else "field"
        found.append(Declaration(f"{name}.{label.text}", what, _plain([t for t in rest if t.start < upto])))
    return found


def _plain(tokens: list[Token]) -> str:
    """The tokens as one line, comments left out."""
    words = [t for t in tokens if t.kind not in (Kind.LINE_COMMENT, Kind.BLOCK_COMMENT)]
    spaced = (" " * (previous.end < token.start) + token.text for previous, token in pairwise(words))
    return "".join([*(t.text for t in words[:1]), *spaced])


def _value(text: str, tokens: list[Token], kind: str) -> str:
    """What stands behind a signature: a definition's value, or what a structure extends."""
    words = tokens
    if kind in ("structure", "class"):
        where = next((i for i, t in enumerate(tokens) if t.text == "where"), len(tokens))
        words = tokens[1:where] if tokens and tokens[0].text == "extends" else []
    elif tokens and tokens[0].text == ":" and text.startswith("=", tokens[0].end):
        words = [t for t in tokens if t.start > tokens[0].end]
    value = _plain(words)
    return value if len(value) <= _LONGEST_VALUE else ""


def _visible(full: str, namespace: str) -> str:
    """The name as it may be written inside a namespace."""
    while namespace:
        if full.startswith(namespace + "."):
            return full[len(namespace) + 1 :]
        namespace = namespace.rpartition(".")[0]
    return full


@recent(longest=1 << 20)  # asked anew for every text that is made for a place
def namespace_at(text: str, offset: int) -> str:
    """The namespaces that are open at the command around an offset, as one dotted name; empty at the root."""
    scope = _Scope()
    for command in commands_of(text).all():
        if command.span.end > offset:
            break
        scope.read(command.tokens)
    return scope.namespace


def above(text: str, offset: int) -> tuple[Declaration, ...]:
    """The declarations above the command at `offset`, in order, with names as they may be written there."""
    commands = commands_of(text)
    here = commands.around(offset)
    stop = here.span.start if here is not None else offset
    scope = _Scope()
    found: list[Declaration] = []
    for command in commands.all():
        if command.span.start >= stop:
            break
        scope.read(command.tokens)
        head = declaration_head(command)
        if head is None or head.keyword.text not in _KEPT or head.name is None:
            continue
        name = head.name.text.removeprefix("_root_.")
        rooted = head.name.text.startswith("_root_.")
        full = name if rooted or not scope.namespace else f"{scope.namespace}.{name}"
        after = [t for t in command.tokens if t.start >= head.name.end]
        end = max(head.name.end, _signature_end(text, after))
        kind = head.keyword.text
        value = _value(text, [t for t in after if t.start >= end], kind) if kind in _SHOWN else ""
        found.append(Declaration(full, kind, _plain([t for t in after if t.start < end]), value))
        if head.keyword.text in ("structure", "class", "inductive"):
            found += _members(text, command, full, head.keyword.text)
    namespace = scope.namespace
    return tuple(replace(d, name=_visible(d.name, namespace)) for d in found)
