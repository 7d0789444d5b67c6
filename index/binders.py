"""Binders: the `variable`s in scope at a place, and which of them a declaration is about. Pure values.

Lean's rule (`Lean.Elab.Term.removeUnused`, `Lean.Elab.Command.elabVariable`): a variable belongs to a declaration that
mentions it, or that mentions one whose type mentions it; an instance argument belongs to it when all that its type
mentions do; `include` and `omit` overrule both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from functools import lru_cache

from tacit.index.lexer import NAME, REST, close, mentions, one_line

MOST = 1000
"""How many variables a scope keeps: more stand in no file that a person wrote."""
_NAMES = re.compile(rf"\s*(?P<names>{NAME.pattern}(?:\s+{NAME.pattern})*)\s*(?:(?P<colon>:(?!=))|$)")
_OWN = re.compile(rf"[(\[{{⦃]\s*({NAME.pattern}(?:\s+{NAME.pattern})*)\s*:(?!=)")
_OWN_BARE = re.compile(rf"(?:^|[)\]}}⦄]\s*)[{{⦃]\s*({NAME.pattern}(?:\s+{NAME.pattern})*)\s*[}}⦄]")
_BARE = re.compile(r"[{⦃][^(){}⦃⦄\[\]:]*[}⦄]")
_BOUND = re.compile(rf"(?:[∀∃λ∑∏⨆⨅⋃⋂∫⨁]|f(?<![{REST}.]f)un(?![{REST}]))!?[ᵐᶠ']?\s*\(?((?:{NAME.pattern}|\s)+)")
CLOSERS = {"(": ")", "{": "}", "[": "]", "⦃": "⦄"}


@dataclass(frozen=True, slots=True)
class Binder:
    """One bracket as it is written: `{a b : G}` binds two names; `[Group G]` binds none."""

    bracket: str
    names: tuple[str, ...]
    type: str

    @property
    def text(self) -> str:
        """The binder on one line."""
        names = " ".join(self.names)
        return (
            self.bracket
            + (f"{names} : {self.type}" if names and self.type else names or self.type)
            + (CLOSERS.get(self.bracket, ""))
        )


def binders(text: str) -> list[Binder]:
    """The binders of `{G : Type*} [Group G] (a b)`; a bare name (`def f x y`) is an explicit binder without a type."""
    found = []
    at = 0
    while at < len(text):
        char = text[at]
        if char in CLOSERS:
            end = close(text, at)
            found.append(_binder(char, text[at + 1 : end - 1]))
            at = end
        elif (name := NAME.match(text, at)) is not None:
            found.append(Binder("(", (name[0],), ""))
            at = name.end()
        else:
            at += 1
    return found


@lru_cache(maxsize=20_000)
def _binder(bracket: str, inside: str) -> Binder:
    if bracket == "{" and inside.startswith("{"):  # {{a}} is ⦃a⦄
        return _binder("⦃", inside[1:].rstrip("}"))
    if (named := _NAMES.match(inside)) is not None and (named["colon"] or bracket != "["):
        return Binder(bracket, tuple(named["names"].split()), one_line(inside[named.end() :]))
    return Binder(bracket, (), one_line(inside))


_mentions = lru_cache(maxsize=20_000)(mentions)


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    bracket: str
    type: str
    group: int  # variables of one binder are written together again
    needs: frozenset[int]  # the variables that its type mentions, by position


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables in scope at a place, in order. A name means the last variable of that name before."""

    each: tuple[_Variable, ...] = ()
    included: frozenset[str] = frozenset()
    omitted: frozenset[str] = frozenset()
    _places: Mapping[str, int] = field(default_factory=dict)
    _names: frozenset[str] = frozenset()
    _folded: dict[frozenset[str], str] = field(default_factory=dict, compare=False, repr=False)

    def add(self, new: Iterable[Binder]) -> Variables:
        """After `variable` with these binders: a bare `(a)` only changes the bracket of an `a` that is there."""
        if len(self.each) > MOST:
            return self
        each, places = list(self.each), dict(self._places)
        group = each[-1].group if each else 0
        for binder in new:
            group += 1
            needs = frozenset([places[name] for name in _mentions(binder.type) if name in places])
            for name in binder.names or ("",):
                if name and not binder.type and (at := places.get(name)) is not None:
                    old = each[at]
                    each[at] = _Variable(name, binder.bracket, old.type, old.group, old.needs)
                    continue
                if name:
                    places[name] = len(each)
                each.append(_Variable(name, binder.bracket, binder.type, group, needs))
        return Variables(tuple(each), self.included, self.omitted, places, frozenset(places))

    def include(self, names: Iterable[str]) -> Variables:
        """After `include a b`."""
        names = frozenset(names)
        return Variables(self.each, self.included | names, self.omitted - names, self._places, self._names)

    def omit(self, text: str) -> Variables:
        """After `omit a [Group G]`: variables by name, instances by their type."""
        gone = frozenset(name for b in binders(text) for name in (b.names if b.bracket != "[" else (b.type, *b.names)))
        return Variables(self.each, self.included - gone, self.omitted | gone, self._places, self._names)

    def fold(self, mentioned: Set[str], own: str = "", type_: str = "") -> str:
        """The binders that a declaration with these mentions is about, as one line of text.

        What its own binders or the quantifiers of its type bind is something else by the same name.
        """
        if not self.each:
            return ""
        wanted = self._names & mentioned
        if wanted and own:
            names = _OWN.findall(own)
            if _BARE.search(own) is not None:
                names += _OWN_BARE.findall(own)
            if names:
                wanted = wanted.difference(" ".join(names).split())
        if wanted and type_:
            wanted = wanted.difference(_bound(wanted, own, type_))
        if self.included or self.omitted:
            wanted = (wanted | self.included) - self.omitted
        known = self._folded.get(wanted)
        if known is None:
            known = self._folded[wanted] = self._fold(wanted)
        return known

    def _first(self, variable: _Variable) -> int:
        """The position of the first argument of a class, -1 when that is no variable."""
        words = variable.type.split()
        at = self._places.get(words[1], -1) if len(words) > 1 else -1
        return at if at in variable.needs else -1

    def _fold(self, wanted: frozenset[str]) -> str:
        kept = {self._places[name] for name in wanted if name in self._places}
        # A type mentions only what stands before it: one pass from the end finds all that is needed.
        for at in range(len(self.each) - 1, -1, -1):
            if at in kept:
                kept |= self.each[at].needs
        for variable in self.each:
            # Where `f : F` is mentioned, Lean meets what F maps from and to.
            if variable.bracket == "[" and variable.type.startswith(_LIKE) and self._first(variable) in kept:
                kept |= variable.needs
        for at in range(len(self.each) - 1, -1, -1):
            if at in kept:
                kept |= self.each[at].needs
        for at, variable in enumerate(self.each):
            if variable.bracket == "[" and variable.needs <= kept:
                hidden = variable.name and self._places[variable.name] != at
                if not hidden and self.omitted.isdisjoint((variable.name, variable.type)):
                    kept.add(at)
        texts: list[str] = []
        group: list[_Variable] = []
        for at in sorted(kept):
            variable = self.each[at]
            if group and (group[0].group != variable.group or group[0].bracket != variable.bracket):
                texts.append(_together(group))
                group = []
            group.append(variable)
        if group:
            texts.append(_together(group))
        return " ".join(texts)


_LIKE = ("FunLike ", "DFunLike ", "EquivLike ", "SetLike ")


def _bound(names: frozenset[str], own: str, type_: str) -> list[str]:
    """Those of the names that the type binds itself, and does not mention before: `x` in `∀ x, p x`."""
    found: dict[str, int] = {}
    for binding in _BOUND.finditer(type_):
        for name in binding[1].split():
            if name in names:
                found.setdefault(name, binding.start())
    return [name for name, at in found.items() if name not in mentions(f"{own} {type_[:at]}")]


def _together(group: list[_Variable]) -> str:
    first = group[0]
    names = " ".join([each.name for each in group])
    inside = f"{names} : {first.type}" if names and first.type else names or first.type
    return f"{first.bracket}{inside}{CLOSERS[first.bracket]}"
