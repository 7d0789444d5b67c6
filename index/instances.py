"""The names that Lean gives to instances without one. Source: `Lean.Elab.DeclNameGen` (winnowExpr, mkBaseNameCore).

Lean reads the name off the elaborated type: the constants in it, each once, then `Of…` for each argument on which the
type does not depend. From text this is right where the type says what it is about; terms that Lean inserts (the
subtype that a set becomes) are not seen, and notations only as far as they are known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate

from tacit.index.binders import binders
from tacit.index.known import Known
from tacit.index.lexer import NAME
from tacit.index.premise import Premise
from tacit.index.restate import Group, Node, parsed

_INFIX = {
    "×": "Prod", "⊕": "Sum", "×'": "PProd", "∧": "And", "∨": "Or", "↔": "Iff", "=": "Eq", "≠": "Ne", "≤": "Le",
    "<": "Lt", "≥": "Ge", ">": "Gt", "∈": "Mem", "∘": "Comp", "⟶": "Hom", "⥤": "Functor", "≅": "Iso",
    "≌": "Equivalence", "⋙": "Comp", "≫": "Comp", "≃": "Equiv", "↪": "Embedding", "∣": "Dvd", "⊆": "Subset",
    "+": "HAdd", "-": "HSub", "*": "HMul", "/": "HDiv", "•": "HSMul", "^": "HPow", "⊗": "TensorObj", "∩": "Inter",
    "∪": "Union", "⊔": "Max", "⊓": "Min",
}  # fmt: skip
_POSTFIX = {"ᵒᵖ": "Opposite", "ᵐᵒᵖ": "MulOpposite", "ᵃᵒᵖ": "AddOpposite", "ᵒᵈ": "OrderDual", "ˣ": "Units"}
_CONSTANTS = {
    "ℕ": "Nat", "ℤ": "Int", "ℚ": "Rat", "ℝ": "Real", "ℂ": "Complex", "ℝ≥0": "NNReal", "ℝ≥0∞": "ENNReal", "ℕ∞": "ENat",
    "⊤": "Top", "⊥": "Bot", "¬": "Not", "∅": "EmptyCollection",
}  # fmt: skip
_CORE = frozenset(
    "Nat Int List Option String Char Bool Unit PUnit Empty Fin Array Prod Sum Sigma PSigma Subtype Decidable "
    "DecidableEq DecidablePred DecidableRel Inhabited Nonempty Repr ToString Add Mul Sub Div Neg Mod Pow HAdd HMul "
    "HSub HDiv HPow LE LT BEq Hashable Ord Monad Functor Applicative Pure Bind Coe CoeTail CoeFun CoeSort ToExpr "
    "Append Membership Forall Subsingleton Setoid HasEquiv Id Except StateT ReaderT Prop Type Sort And Or Not Iff "
    "Eq Ne Le Lt".split()
)
_LONGEST = 600
_VARIABLE = re.compile(r"[a-zα-ωA-ZΑ-Ω𝒜-𝖿𝓐-𝔷𝕜][₀-₉ₐ-ₜ'0-9]*")
_TOKENS = re.compile("|".join(map(re.escape, sorted((*_CONSTANTS, *_POSTFIX), key=len, reverse=True))))
_PLAIN = frozenset(("", ",", ":", ":=", "_", "|"))
_SORTS = frozenset(("Type", "Sort", "Prop"))


def capitalized(word: str) -> str:
    """With a capital first letter, as Lean does it: of ASCII letters only."""
    return word[:1].upper() + word[1:] if word[:1].isascii() else word


def instance_name(premise: Premise, known: Known) -> str:
    """The name of an anonymous instance, inside its namespace."""
    own = binders(premise.binders)
    local = {name for each in (*own, *binders(premise.context)) for name in each.names}
    seen = _Words(local, known, premise.namespace)
    name = "inst" + seen.of(premise.type)
    of = []
    depends = set(re.findall(NAME.pattern, premise.type))
    for each in reversed(own):
        if each.names and depends.intersection(each.names):
            depends.update(re.findall(NAME.pattern, each.type))
            continue
        if each.bracket == "[" and not _is_mentioned(each.type, premise.type, known):
            continue
        if (words := seen.of(each.type)) and not each.type.startswith(tuple(_SORTS)):
            of.append(f"Of{words}")
        depends.update(re.findall(NAME.pattern, each.type))
    name += "".join(reversed(of))
    project = premise.module.partition(".")[0]
    if project not in ("Init", "Std", "Lean") and not seen.local_to_project() and seen.constants:
        name += f"_{project[:1].lower()}{project[1:]}"
    return name


def _is_mentioned(argument: str, type_: str, known: Known) -> bool:
    """Whether an instance argument adds `Of…`: unless the type needs it, as one with operations most often is."""
    head = argument.split()[0].rpartition(".")[2] if argument else ""
    if known.proposition(head):
        return True
    return not known.needs(type_.split()[0].rpartition(".")[2] if type_ else "") and "(" not in type_


class _Words:
    """The words of types, each constant once."""

    def __init__(self, local: set[str], known: Known, namespace: str) -> None:
        self.local = local
        self.known = known
        self.namespace = namespace
        self.seen = set(namespace.split("."))
        self.constants: set[str] = set()
        self.unknown = False  # a sign that may stand for anything

    def local_to_project(self) -> bool:
        """Whether the name says something of the project itself, so that no other project makes the same."""
        outer = [*accumulate(self.namespace.split("."), "{}.{}".format)]
        known = self.known
        inside = any(
            name and (known.structure(name) is not None or known.proposition(name.rpartition(".")[2])) for name in outer
        )
        return self.unknown or inside or not self.constants <= _CORE

    def of(self, text: str) -> str:
        found = []
        for word in self._all(parsed(text[:_LONGEST])):
            word = capitalized(word)
            self.constants.add(word)
            if word not in self.seen:
                self.seen.add(word)
                found.append(word)
        return "".join(found)

    def _all(self, nodes: list[Node]) -> Iterator[str]:
        """The constants of a term: the function before its arguments, an operator before its sides."""
        for binder, end in (("∀", ","), ("Π", ","), ("fun", "↦"), ("fun", "=>")):
            if nodes and nodes[0] == binder and end in nodes:
                yield from self._all(nodes[nodes.index(end) + 1 :])
                return
        if "→" in nodes:
            at = nodes.index("→")
            yield "Forall"
            yield from self._all(nodes[:at])
            yield from self._all(nodes[at + 1 :])
            return
        for at, node in enumerate(nodes):
            if not isinstance(node, str) or not at:
                continue
            notation = self.known.notation(node)
            if name := notation.name if notation is not None else _INFIX.get(node, ""):
                yield name.rpartition(".")[2]
                yield from self._all(nodes[:at])
                yield from self._all(nodes[at + 1 :])
                return
        for at, node in enumerate(nodes):
            after = nodes[at + 1] if at + 1 < len(nodes) else ""
            if isinstance(after, str) and after in _POSTFIX:
                yield _POSTFIX[after]
            if isinstance(node, Group):
                yield from self._group(node)
            elif node in _CONSTANTS:
                yield _CONSTANTS[node]
            elif node not in _SORTS:
                yield from self._name(node)

    def _group(self, group: Group) -> Iterator[str]:
        inside = group.inside
        if group.opening == "{" and "/" in inside:
            yield "Subtype"
        elif group.opening in "(⟨[":
            if ":" in inside:  # (f : A → B) in a binder, (x : T) as an ascription
                inside = inside[: inside.index(":")]
            yield from self._all(inside)

    def _name(self, word: str) -> Iterator[str]:
        word = word.lstrip("@.")
        if NAME.fullmatch(word) is None:
            self.unknown |= not (word.isspace() or word.isdecimal() or word in _PLAIN)
            return
        first, _, rest = word.partition(".")
        if word in _CONSTANTS:
            yield _CONSTANTS[word]
        elif first in self.local or (not rest and _VARIABLE.fullmatch(word)):
            if rest:
                yield rest.rpartition(".")[2]
        else:
            yield word.rpartition(".")[2]
