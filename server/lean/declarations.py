"""Reads which declarations stand above a place in a file, from the text alone. Pure; never raises.

What the reader gets wrong costs a candidate that Lean then rejects, nothing more: so it takes the plain forms
(keyword, name, binders, type) and passes over the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tacit.server.lean.syntax import Command, Commands, Kind, Token, declaration_head
from tacit.server.values import Declaration

_KEPT = frozenset({"theorem", "lemma", "def", "abbrev", "structure", "class", "inductive", "axiom", "instance"})
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
        words = [t.text for t in tokens[:3]]
        while words and words[0] in ("noncomputable", "public", "private"):
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


def _members(text: str, command: Command, name: str, kind: str) -> list[Declaration]:
    """Fields of a structure or class, constructors of an inductive type: one a line, the plain ones."""
    found = []
    tokens = command.tokens
    starts = [i for i, t in enumerate(tokens) if t.start in command.line_starts]
    for at, nxt in zip(starts, [*starts[1:], len(tokens)], strict=True):
        head = tokens[at]
        if kind == "inductive":
            if head.text != "|" or at + 1 >= len(tokens) or tokens[at + 1].kind is not Kind.IDENT:
                continue
            label, rest = tokens[at + 1], tokens[at + 2 : nxt]
        else:
            colon = tokens[at + 1] if at + 1 < len(tokens) else None
            if head.kind is not Kind.IDENT or colon is None or colon.text not in (":", "(") or at == 0:
                continue
            label, rest = head, tokens[at + 1 : nxt]
        signature = text[rest[0].start : rest[-1].end] if rest else ""
        what = "constructor" if kind == "inductive" else "field"
        found.append(Declaration(f"{name}.{label.text}", what, " ".join(signature.split())))
    return found


def _visible(full: str, namespace: str) -> str:
    """The name as it may be written inside a namespace."""
    while namespace:
        if full.startswith(namespace + "."):
            return full[len(namespace) + 1 :]
        namespace = namespace.rpartition(".")[0]
    return full


def above(text: str, offset: int) -> tuple[Declaration, ...]:
    """The declarations above the command at `offset`, in order, with names as they may be written there."""
    commands = Commands(text)
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
        signature = text[head.name.end : max(head.name.end, _signature_end(text, after))]
        found.append(Declaration(full, head.keyword.text, " ".join(signature.split())))
        if head.keyword.text in ("structure", "class", "inductive"):
            found += _members(text, command, full, head.keyword.text)
    namespace = scope.namespace
    return tuple(Declaration(_visible(d.name, namespace), d.kind, d.signature) for d in found)
