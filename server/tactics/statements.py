"""The declarations above a goal, read: what each binds and concludes, and which of them the goal speaks of.

Pure; only text is known, so a reading can be wrong. A name with several parts is found in a goal by its last part
too: Lean prints `one` for `Group.one` where the namespace is open, and `t.size` for `Tree.size t`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tacit.server.tactics import lexer, shape
from tacit.server.tactics.precedence import printed
from tacit.server.tactics.shape import Binder, Shape
from tacit.server.tactics.unfolding import application, expand, plain
from tacit.server.tactics.view import SUBSCRIPTS, View
from tacit.server.values import Declaration

_OPENERS = frozenset("({[⦃")
_PROVED = frozenset({"theorem", "lemma", "axiom"})
_OWNERS = frozenset({"structure", "class"})
_MARKS = "'" + SUBSCRIPTS
DEFINED = frozenset({"def", "abbrev"})


@dataclass(frozen=True)
class Statement:
    """One declaration. `owner` is the structure or class of a field, or the type of a constructor.

    `value` is what a definition stands for, or what a structure extends.
    """

    name: str
    kind: str
    binders: tuple[Binder, ...]
    conclusion: str
    owner: str = ""
    value: str = ""

    @cached_property
    def type(self) -> str:
        """Its type, without the instances it takes: Lean finds those by itself."""
        parts = []
        for binder in self.binders:
            if binder.name:
                opened, closed = "()" if binder.explicit else "{}"
                parts.append(f"∀ {opened}{binder.name} : {binder.type or '_'}{closed}, ")
            elif binder.explicit:
                parts.append(f"{lexer.argument(binder.type)} → ")
        return "".join([*parts, self.conclusion])

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
    def value_words(self) -> frozenset[str]:
        """The last parts of the constants in its value, and its operators."""
        return _labels(self.value) - self.unknowns - {"|"}

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
    """Everything above one goal, in the order of the file. `own` is the last part of the name being proved."""

    statements: tuple[Statement, ...]
    goal_words: frozenset[str]
    target_words: frozenset[str]
    heads: frozenset[str]
    own: str = ""

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
            frozenset(lexer.head(h) for h in view.types.values()),
            own,
        )

    @cached_property
    def propositions(self) -> frozenset[str]:
        """Names of definitions and types of which applications are propositions."""
        return frozenset(s.name for s in self.statements if s.conclusion == "Prop")

    @cached_property
    def types(self) -> dict[str, Statement]:
        """The inductive types, structures and classes."""
        return {s.name: s for s in self.statements if s.kind in {*_OWNERS, "inductive"}}

    def recursive(self, name: str) -> bool:
        """Whether a constructor of this type takes a value of it."""
        label = name.rpartition(".")[2]
        constructors = [s for s in self.statements if s.kind == "constructor" and s.owner == name]
        return any(label in _labels(binder.type) for s in constructors for binder in s.binders)

    def plain_values(self, name: str) -> bool:
        """Whether this type only lists its values: no constructor takes anything."""
        constructors = [s for s in self.statements if s.kind == "constructor" and s.owner == name]
        return bool(constructors) and not any(s.binders for s in constructors)

    @cached_property
    def defined(self) -> tuple[Statement, ...]:
        """All definitions, the nearest first."""
        return tuple(s for s in reversed(self.statements) if s.kind in DEFINED)

    @cached_property
    def definitions(self) -> tuple[Statement, ...]:
        """The definitions that the goal mentions, those of its target first, the nearest first."""
        mentioned = [s for s in self.defined if s.label in self.goal_words]
        return tuple(sorted(mentioned, key=lambda s: s.label not in self.target_words))

    @cached_property
    def labels(self) -> frozenset[str]:
        """The last parts of all names."""
        return frozenset(s.label for s in self.statements)

    def plain(self, text: str) -> str:
        """A type in the form in which statements and goals are compared."""
        return printed(plain(" ".join(text.split()), self.labels))

    @cached_property
    def rules(self) -> tuple[Statement, ...]:
        """The constructors of inductive propositions."""
        return tuple(s for s in self.statements if s.kind == "constructor" and s.owner in self.propositions)

    @cached_property
    def classes(self) -> frozenset[str]:
        """The classes that the context has, and those that they extend."""
        found = set(self.heads)
        for name in reversed(self.types):
            if name in found:
                found |= lexer.identifiers(self.types[name].value)
        return frozenset(found)

    def unfolded(self, text: str) -> str | None:
        """What a definition at the head of a type stands for there; None when there is none to see."""
        head, arguments = application(self.plain(text))
        named = [s for s in self.statements if s.label == head and s.kind in DEFINED and s.value[:1] != "|"]
        if not named:
            return None
        explicit = [binder.name for binder in named[-1].binders if binder.explicit]
        if not named[-1].value or len(explicit) != len(arguments):
            return None
        return self.plain(expand(named[-1].value, dict(zip(explicit, arguments, strict=True))))

    def facts(self, view: View) -> Iterator[Statement]:
        """What hypotheses are by definition, and the fields of those that are structures."""
        for local in reversed(view.locals):
            meaning = self.unfolded(local.type)
            if meaning is not None:
                yield Statement(local.name, "fact", *shape.telescope(meaning))
            head, arguments = application(self.plain(local.type))
            owner = self.types.get(head)
            if owner is None or owner.kind == "inductive":
                continue
            explicit = [binder.name for binder in owner.binders if binder.explicit]
            if len(explicit) == len(arguments):
                fields = [s for s in self.statements if s.owner == owner.name]
                given = dict(zip(explicit, arguments, strict=True))
                given |= {s.label: f"{s.label} {local.name}" for s in fields if not self.proves(s)}
                for field in fields:
                    if self.proves(field):
                        of = self.plain(shape.substitute(field.type, given))
                        yield Statement(f"{local.name}.{field.label}", "fact", *shape.telescope(of))

    @cached_property
    def laws(self) -> tuple[Statement, ...]:
        """The propositions among the fields of classes; those of classes that the context has first."""
        fields = [s for s in self.statements if s.kind == "field" and self.proves(s) and self._is_class(s.owner)]
        near = [s for s in fields if s.owner in self.classes]
        return (*near, *(s for s in fields if s.owner not in self.classes))

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
        return lexer.head(statement.conclusion) in {"True", "False", *self.propositions}

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
    bound = {binder.name for binder in (*binders, *more)}
    # Lean binds by itself what looks like a variable and is bound nowhere.
    free = sorted(lexer.identifiers(f"{groups} {of}") - bound)
    automatic = [Binder(name, "", explicit=False) for name in free if len(name.rstrip(_MARKS)) == 1]
    everything = (*automatic, *binders, *more)
    return Statement(declaration.name, declaration.kind, everything, conclusion, owner, declaration.value)


def names(statements: Iterable[Statement], limit: int) -> list[str]:
    """The names of the first statements."""
    return [s.name for s in statements][:limit]


def _labels(text: str) -> frozenset[str]:
    """The last parts of the names in a text, and its symbols; brackets and punctuation are left out."""
    return frozenset(
        word.text.lstrip(".") for word in lexer.tokens(text) if word.text not in {*"()[]{}⟨⟩⦃⦄,:.→", ":=", "=>", "fun"}
    )
