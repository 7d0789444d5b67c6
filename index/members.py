"""What a type declares beside itself: constructor, fields, projections to parents, instances. Pure functions."""

from __future__ import annotations

from dataclasses import replace

from tacit.index import types
from tacit.index.binders import Binder, binders
from tacit.index.head import Head
from tacit.index.lexer import NAME
from tacit.index.premise import Kind, Origin, Premise

LONGEST = 1000
"""How many characters of the arguments of a structure's constructor are kept."""


def of_structure(of: Premise, text: str, head: Head, extends: str, stop: int) -> list[Premise]:
    """Constructor, parents and fields of the structure or class `of`, whose body ends at `stop`."""
    maker: types.Member | None = None
    fields: list[types.Member] = []
    if head.body_mark in ("where", ":=") and head.keyword != "class abbrev":
        maker, fields = types.fields(text, head.body + len(head.body_mark), stop)
    parents = types.parents(extends)
    is_class = of.kind is Kind.CLASS
    this = applied(of)
    self_binder = f"[self : {this}]" if is_class else f"(self : {this})"
    context = _parameters(of)
    takes = [f"[{each.text}]" if is_class else f"({each.projection} : {each.text})" for each in parents]
    takes += [f"({' '.join((each.name, each.binders)).strip()} : {each.type})" for each in fields]
    maker = maker or types.Member("mk", head.name_at)
    made = [_member(of, context, maker, Kind.CONSTRUCTOR, " ".join(takes)[:LONGEST], this)]
    made += [
        _member(of, context, types.Member(parent.projection, head.name_at), Kind.FIELD, self_binder, parent.text)
        for parent in parents
    ]
    lines = _Lines(text, head.at, of.line)
    for field in fields:
        takes_field = f"{self_binder} {field.binders}".strip()
        member = _member(of, context, field, Kind.FIELD, takes_field, field.type)
        made.append(replace(member, line=lines.line(field.at)))
    return made


def of_inductive(of: Premise, text: str, head: Head, stop: int) -> list[Premise]:
    """The constructors of the inductive type `of`, whose body ends at `stop`."""
    this, context = applied(of), _parameters(of)
    lines = _Lines(text, head.at, of.line)
    made = []
    for case in types.constructors(text, head.at, head.body, stop):
        member = _member(of, context, case, Kind.CONSTRUCTOR, case.binders, case.type or this)
        made.append(replace(member, line=lines.line(case.at)))
    return made


class _Lines:
    """The lines of ascending offsets."""

    def __init__(self, text: str, at: int, line: int) -> None:
        self._text, self._at, self._line = text, at, line

    def line(self, at: int) -> int:
        self._line += self._text.count("\n", self._at, at)
        self._at = at
        return self._line


def derived(of: Premise, cls: str, full_name: str) -> Premise:
    """The instance of `cls` that `deriving` makes."""
    this = applied(of)
    return Premise(
        name=full_name,
        kind=Kind.INSTANCE,
        module=of.module,
        line=of.line,
        type=f"{cls} ({this})" if " " in this else f"{cls} {this}",
        context=of.context,
        binders=of.binders,
        namespace=of.namespace,
        opens=of.opens,
        private=of.private,
        origin=Origin.DERIVING,
        made_from=of.name,
        start=of.start,
        body=of.body,
        stop=of.stop,
    )


def derived_name(of: Premise, cls: str) -> str:
    """The name of a derived instance inside its namespace, empty for what makes none."""
    last = cls.rpartition(".")[2]
    if not NAME.fullmatch(cls) or last in ("SizeOf", "TypeName"):
        return ""
    return f"inst{last[:1].upper()}{last[1:]}{of.name.rpartition('.')[2]}"


def applied(of: Premise) -> str:
    """A type applied to its explicit parameters: `List α`."""
    taken = [each for each in (*binders(of.context), *binders(of.binders)) if each.bracket == "("]
    return " ".join([of.name, *(name for each in taken for name in each.names)])


def _member(of: Premise, context: str, member: types.Member, kind: Kind, takes: str, type_: str) -> Premise:
    return Premise(
        name=f"{of.name}.{member.name}",
        kind=kind,
        module=of.module,
        line=of.line,
        type=type_,
        binders=takes,
        context=context,
        doc=member.doc,
        value=member.default[:LONGEST],
        namespace=of.namespace,
        opens=of.opens,
        private=of.private or member.private,
        protected=member.protected,
        origin=Origin.STRUCTURE,
        made_from=of.name,
        start=member.at - 1,
        body=member.at - 1 + len(member.name),
        stop=member.at - 1 + len(member.name),
    )


def _parameters(of: Premise) -> str:
    """The parameters of a type as its fields and constructors take them."""
    taken = (*binders(of.context), *binders(of.binders))
    return " ".join(Binder("{" if b.bracket == "(" else b.bracket, b.names, b.type).text for b in taken)
