"""The declarations above a goal, read: what each binds and concludes, and which of them the goal speaks of.

Pure; only text is known, so a reading can be wrong. A name with several parts is found in a goal by its last part
too: Lean prints `one` for `Group.one` where the namespace is open, and `t.size` for `Tree.size t`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tacit.server.tactics import lexer, shape
from tacit.server.tactics.shape import Binder, Shape
from tacit.server.tactics.view import View
from tacit.server.values import Declaration

_OPENERS = frozenset("({[⦃")
_PROVED = frozenset({"theorem", "lemma", "axiom"})
_OWNERS = frozenset({"structure", "class"})
DEFINED = frozenset({"def", "abbrev"})


@dataclass(frozen=True)
class Statement:
    """One declaration. `owner` is the structure or class of a field, or the type of a constructor."""

    name: str
    kind: str
    binders: tuple[Binder, ...]
    conclusion: str
    owner: str = ""

    @property
    def label(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]

    @cached_property
    def shape(self) -> Shape:
        """The top of the conclusion."""
        return shape.read(self.conclusion)

    @cached_property
    def equation(self) -> tuple[str, str] | None:
        """Both sides of an `=` or `↔`."""
        return (self.shape.left, self.shape.right) if self.shape.op in {"=", "↔"} else None

    @cached_property
    def unknowns(self) -> frozenset[str]:
        """The names it binds."""
        return frozenset(binder.name for binder in self.binders if binder.name)

    @cached_property
    def words(self) -> frozenset[str]:
        """The last parts of the constants in its conclusion, and its operators."""
        return _labels(self.conclusion) - self.unknowns

    @cached_property
    def needs(self) -> frozenset[str]:
        """The constants and symbols that must be there for a rewrite from left to right."""
        return (_labels(self.equation[0]) if self.equation else frozenset()) - self.unknowns

    @property
    def simplifies(self) -> bool:
        """Whether `simp` may have it without running for ever, as far as the text tells."""
        if self.equation is None or self.commutes or not self.needs:
            return False
        left, right = (lexer.canonical(side) for side in self.equation)
        return f" {left} " not in f" {right} "

    @property
    def regroups(self) -> bool:
        """Whether it only moves parentheses (`a * b * c = a * (b * c)`): then either direction may be wanted."""
        if self.equation is None:
            return False
        left, right = ([w.text for w in lexer.tokens(side) if w.text not in "()"] for side in self.equation)
        return left == right

    @property
    def commutes(self) -> bool:
        """Whether both sides have the same words in another order: as a rule of `simp` it may run for ever."""
        if self.equation is None or self.regroups:
            return False
        left, right = (sorted(w.text for w in lexer.tokens(side) if w.text not in "()") for side in self.equation)
        return left == right


@dataclass(frozen=True)
class Above:
    """Everything above one goal, in the order of the file."""

    statements: tuple[Statement, ...]
    goal_words: frozenset[str]
    target_words: frozenset[str]
    heads: frozenset[str]

    @classmethod
    def read(cls, declarations: Sequence[Declaration], view: View, own_name: str | None) -> Above:
        """Read them, but for those that a name of the context hides and those named like the theorem being proved."""
        own = (own_name or "").rpartition(".")[2]
        statements = []
        owner = ""
        for declaration in declarations:
            owner = declaration.name if declaration.kind in {*_OWNERS, "inductive"} else owner
            parts = declaration.name.split(".")
            if parts[0] in view.types or own in parts or not lexer.is_identifier(declaration.name):
                continue
            member = declaration.kind in {"field", "constructor"}
            statements.append(statement(declaration, owner if member else ""))
        return cls(
            tuple(statements),
            _labels(view.everything),
            _labels(view.target),
            frozenset(_head(h) for h in view.types.values()),
        )

    @cached_property
    def propositions(self) -> frozenset[str]:
        """Names of definitions and types of which applications are propositions."""
        return frozenset(s.name for s in self.statements if s.conclusion == "Prop")

    @cached_property
    def types(self) -> dict[str, Statement]:
        """The inductive types, structures and classes."""
        return {s.name: s for s in self.statements if s.kind in {*_OWNERS, "inductive"}}

    @cached_property
    def definitions(self) -> tuple[Statement, ...]:
        """The definitions that the goal mentions, those of its target first, the nearest first."""
        mentioned = [s for s in reversed(self.statements) if s.kind in DEFINED and s.label in self.goal_words]
        return tuple(sorted(mentioned, key=lambda s: s.label not in self.target_words))

    @cached_property
    def laws(self) -> tuple[Statement, ...]:
        """The propositions among the fields of classes; those of classes that the context has first."""
        fields = [s for s in self.statements if s.kind == "field" and self.proves(s) and self._is_class(s.owner)]
        near = [s for s in fields if s.owner in self.heads]
        return (*near, *(s for s in fields if s.owner not in self.heads))

    @cached_property
    def theorems(self) -> tuple[Statement, ...]:
        """The theorems above, those that share most words with the target first, then the nearest."""
        proved = [s for s in reversed(self.statements) if s.kind in _PROVED]
        return tuple(sorted(proved, key=lambda s: -self.relevance(s)))

    def relevance(self, statement: Statement) -> float:
        """How many of a statement's words the goal has, in [0, 1]."""
        return len(statement.words & self.goal_words) / len(statement.words) if statement.words else 0.0

    def proves(self, statement: Statement) -> bool:
        """Whether a statement's conclusion is a proposition, as far as the text tells."""
        if statement.shape.op in {"∧", "∨", "¬", "∃", "↔"} or statement.shape.op in shape.RELATIONS:
            return True
        return _head(statement.conclusion) in {"True", "False", *self.propositions}

    def _is_class(self, name: str) -> bool:
        return name in self.types and self.types[name].kind == "class"


def statement(declaration: Declaration, owner: str = "") -> Statement:
    """Read one declaration.

    >>> statement(Declaration("f_one", "theorem", "{G : Type} (f : G → G) (h : p f) : f one = one")).conclusion
    'f one = one'
    """
    words = lexer.tokens(declaration.signature)
    at = 0
    while at < len(words) and (words[at].text in _OPENERS or lexer.is_identifier(words[at].text)):
        at = lexer.closing(words, at) + 1 if words[at].text in _OPENERS else at + 1
    groups = lexer.render(words[:at])
    binders = shape.read(f"∀ {groups}, True").binders if groups else ()
    of = lexer.render(words[at + 1 :]) if at < len(words) and words[at].text == ":" else ""
    more, conclusion = shape.telescope(of)
    return Statement(declaration.name, declaration.kind, (*binders, *more), conclusion, owner)


def names(statements: Iterable[Statement], limit: int) -> list[str]:
    """The names of the first statements."""
    return [s.name for s in statements][:limit]


def _head(text: str) -> str:
    """The word in front of a type, with its fields."""
    words = lexer.tokens(text)
    name = words[0].text if words else ""
    for word in words[1:]:
        if word.text[0] != "." or word.gap:
            break
        name += word.text
    return name


def _labels(text: str) -> frozenset[str]:
    """The last parts of the names in a text, and its symbols; brackets and punctuation are left out."""
    return frozenset(
        word.text.lstrip(".") for word in lexer.tokens(text) if word.text not in {*"()[]{}⟨⟩⦃⦄,:.→", ":=", "=>", "fun"}
    )
