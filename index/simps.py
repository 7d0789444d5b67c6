"""The names of the lemmas that `@[simps]` makes. Source: Mathlib/Tactic/Simps/Basic.lean.

`@[simps] def foo : S := …` makes `foo_f` for each field `f` of the structure S and of its parents that holds data, as
`initialize_simps_projections` renames them; `@[simps f g_h]` makes just `foo_f` and `foo_g_h`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tacit.index.known import Known, Notation, Structure
from tacit.index.lexer import MENTIONED, NAME, close, split_top, without_comments
from tacit.index.premise import Kind, Premise
from tacit.index.scope import candidates

_RULE = re.compile(
    rf"\s*(?:(?P<old>{NAME.pattern})\s*→\s*(?P<new>{NAME.pattern})|(?P<sign>[-+]|as_prefix\s)\s*(?P<name>{NAME.pattern}))"
)
_OPTION = re.compile(rf"\s*(?:-(?P<off>{NAME.pattern})|\+(?P<on>{NAME.pattern})|!|\?)")
_PROOF_SYMBOLS = frozenset("=≠≤<≥>∈∉⊆⊂↔∧∨∣≈≡∼∤")
_FUNCTION = re.compile(r"(?:fun|λ)\b(?P<arguments>[^{}⟨⟩\n]*?)(?:↦|=>)\s*")
_GIVEN = re.compile(
    rf"(?:\n(?P<indent>[ \t]*)|,\s*)(?!(?:let|have|letI|haveI|set|show|obtain)\b)(?P<name>{NAME.pattern})"
    rf"(?P<arguments>[^\n:{{}}⟨⟩]*):=\s*|[({{⟨\[]"
)
# What the coercions of nearly all structures with such a field are called.
_USUAL = {"toFun": "apply", "invFun": "symm_apply", "val": "coe"}
_QUANTIFIED = re.compile(r"\s*(?:∀|Π)")


def projection_rules(text: str) -> tuple[str, tuple[str, ...]]:
    """The structure and the rules of `initialize_simps_projections Foo (toFun → apply, -invFun, as_prefix coe)`."""
    text = text.lstrip("? ")
    named = NAME.match(text)
    if named is None:
        return "", ()
    rest = text[named.end() :].strip()
    return named[0], tuple(" ".join(each.split()) for each in split_top(rest[1:-1])) if rest.startswith("(") else ()


def asked_for(attribute: str) -> list[str]:
    """The projections that `simps (config := …) -fullyApplied fst snd_fst` names."""
    rest = attribute.removeprefix("simps")
    names = []
    while rest := rest.lstrip():
        if rest[0] in "([{":
            rest = rest[close(rest, 0) :]
        elif (option := _OPTION.match(rest)) is not None:
            rest = rest[option.end() :]
        elif (named := NAME.match(rest)) is not None:
            names.append(named[0])
            rest = rest[named.end() :]
        else:
            rest = rest[1:]
    return names


@dataclass(frozen=True, slots=True)
class Lemma:
    """A lemma of `simps`: its full name, and `foo.path arguments = value`; `value` is empty when it is not written."""

    name: str
    path: str
    arguments: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What a definition gives for one field: `toFun x := x + 1`."""

    arguments: str
    value: str

    def applied(self) -> Given:
        """With the arguments of a function before the sign: `toFun := fun x ↦ x + 1` as `toFun x := x + 1`."""
        given = self
        while (function := _FUNCTION.match(given.value)) is not None:
            arguments = " ".join(f"{given.arguments} {function['arguments']}".split())
            given = Given(arguments, given.value[function.end() :])
        return given


def lemmas(premise: Premise, attribute: str, body: str, known: Known) -> list[Lemma]:
    """The lemmas for `premise`, whose definition is `body` (`:= …` or `where …`)."""
    namespace, _, last = premise.name.rpartition(".")
    stem = "" if premise.kind is Kind.INSTANCE and last.startswith("inst") else last
    if (given := re.search(r'nameStem\s*:=\s*"([^"]*)"', attribute)) is not None:
        stem = given[1]
    structure = structure_of(premise, known)
    values = literal(body)
    prefixes = set()
    made: dict[str, Given] = {}
    for field, called, prefix in _projections(structure, known) if structure else ():
        if prefix:
            prefixes.add(called)
        made.update(_below(called, values.get(field, _NOTHING), known))
    if not structure:  # `F ⟶ G`, or another type that Lean unfolds to a structure: its fields are those that are given
        for field, value in values.items():
            if any(field in owner.data for owner in known.owners(field)):
                made.update(_below(_USUAL.get(field, field), value, known))
    if asked := asked_for(attribute):
        made = {name: made.get(name, _NOTHING) for name in asked}
    found = []
    for path, value in made.items():
        parts = [path, stem] if path in prefixes else [stem, path]
        name = "_".join(part for part in parts if part)
        if not stem and "_" not in path:
            name = f"{path}_def"
        found.append(Lemma(f"{namespace}.{name}" if namespace else name, path, value.arguments, value.value))
    return found


_NOTHING = Given("", "")


def _below(called: str, given: Given, known: Known, depth: int = 3) -> dict[str, Given]:
    """The projections that are made of one with this value: of `{ obj := …, map := … }` those of its fields.

    What an anonymous constructor is of, the text does not say: none.
    """
    given = given.applied()
    if given.value.startswith("⟨"):
        return {}
    found: dict[str, Given] = {}
    if given.value.startswith("{") and depth:
        for field, below in literal(given.value).items():
            if any(field in owner.data for owner in known.owners(field)):
                inside = Given(f"{given.arguments} {below.arguments}".strip(), below.value)
                found.update(_below(f"{called}_{_USUAL.get(field, field)}", inside, known, depth - 1))
    return found or {called: given}


def literal(text: str) -> dict[str, Given]:
    """The fields that `where a := …` or `:= { a x := …, b := … }` gives."""
    text = without_comments(text).strip().removeprefix(":=").strip()
    where = text.startswith("where")
    if where:
        text = text[5:]
    elif text.startswith("{"):
        text = text[1 : close(text, 0) - 1]
    else:
        return {}
    text = "\n" + text
    given: list[re.Match[str]] = []
    column: int | None = None
    at = 0
    while (found := _GIVEN.search(text, at)) is not None:
        if found["name"] is None:
            at = close(text, found.start())
            continue
        # A line that is indented more than the first field's belongs to the value before it.
        indent = None if found["indent"] is None else len(found["indent"])
        column = indent if column is None and where else column
        if indent is None or column is None or indent <= column:
            given.append(found)
        at = found.end()
    return {
        found["name"]: Given(found["arguments"].strip(), text[found.end() : end].strip())
        for found, end in zip(given, [*(each.start() for each in given[1:]), len(text)], strict=False)
    }


def _projections(name: str, known: Known) -> Iterator[tuple[str, str, bool]]:
    """The default projections of a structure: the field, what it is called, and whether that name comes first."""
    called = {field: field for field in fields(name, known)}
    default = dict.fromkeys(data_fields(name, known))
    off: set[str] = set()
    prefixes: set[str] = set()
    extra: list[str] = []
    for rule in known.rules(name):
        found = _RULE.match(rule)
        if found is None:
            continue
        if found["old"]:
            renamed = [field for field, now in called.items() if now == found["old"]]
            called.update(dict.fromkeys(renamed, found["new"]))
            extra += [] if renamed else [found["new"]]
        elif found["sign"] == "-":
            off.add(found["name"])
        elif found["sign"] == "+":
            off.discard(found["name"])
            extra.append(found["name"])
        else:
            prefixes.add(found["name"])
    for field, now in [(field, called[field]) for field in default] + [(each, each) for each in extra]:
        if now not in off:
            yield field, now, now in prefixes


def fields(name: str, known: Known, seen: frozenset[str] = frozenset()) -> list[str]:
    """The fields of a structure and of its parents."""
    structure = known.structure(name) or Structure()
    found = list(structure.fields)
    for _, parent in structure.parents:
        if parent not in seen:
            found += fields(parent, known, seen | {name})
    return list(dict.fromkeys(found))


def data_fields(name: str, known: Known, seen: frozenset[str] = frozenset()) -> list[str]:
    """Those of the fields that are no proofs, in Lean's order: those of parents come first."""
    structure = known.structure(name) or Structure()
    found: list[str] = []
    for _, parent in structure.parents:
        if parent not in seen:
            found += data_fields(parent, known, seen | {name})
    found += [field for field in structure.fields if field in structure.data]
    return list(dict.fromkeys(found))


def result(type_: str) -> str:
    """What is left of a type after its arguments: `Set α` in `∀ x : α, x ∈ s → Set α`."""
    while True:
        if _QUANTIFIED.match(type_):
            _, comma, rest = _cut(type_, ",")
            if comma:
                type_ = rest
                continue
        _, arrow, rest = _cut(type_, "→")
        if not arrow or not rest.startswith((" ", "\n")):
            return type_.strip()
        type_ = rest


def _cut(text: str, separator: str) -> tuple[str, str, str]:
    parts = split_top(text, separator)
    return (parts[0], separator, separator.join(parts[1:])) if len(parts) > 1 else (text, "", "")


def is_proof(type_: str, known: Known) -> bool:
    """Whether a field of this type holds a proof, as far as text tells."""
    if re.match(r"\s*[∃¬]", type_):
        return True
    type_ = result(type_)
    if re.match(r"[∃¬]", type_):
        return True
    if re.match(r"(?:Type|Sort|Prop)\b|\{", type_):
        return False
    outside = _outside(type_)
    if _PROOF_SYMBOLS.intersection(outside.replace("=>", "")):
        return True
    head = MENTIONED.match(type_.lstrip("@("))
    return head is not None and known.proposition(head[0].rpartition(".")[2])


def _outside(text: str) -> str:
    """The text without what stands in brackets."""
    kept = []
    at = 0
    for index, char in enumerate(text):
        if index < at:
            continue
        if char in "([{⟨⦃":
            at = close(text, index)
        else:
            kept.append(char)
    return "".join(kept)


def structure_of(premise: Premise, known: Known) -> str:
    """The structure of which a declaration is an element, empty when it is not known."""
    return head_structure(premise.type, premise, known)


def head_structure(type_: str, premise: Premise, known: Known) -> str:
    """The structure that a type is about: Equiv in `∀ x, f x ≃ g x`."""
    type_ = result(type_)
    loosest: Notation | None = None
    for place, word in enumerate(_outside(type_).split(), start=type_.startswith(("(", "[", "{", "⟨"))):
        notation = known.notation(word) or known.notation(f"{word}[")
        if notation is not None and notation.first is (place == 0):
            loosest = notation if loosest is None or notation.binds < loosest.binds else loosest
    if loosest is None:
        loosest = next((each for sign, each in known.signs() if type_.startswith(sign)), None)
    if loosest is not None:
        return loosest.name
    head = MENTIONED.match(type_.lstrip("@("))
    return _resolved(head[0], premise, known) if head else ""


def _resolved(name: str, premise: Premise, known: Known) -> str:
    for candidate in candidates(name, premise.namespace, premise.opens):
        if known.structure(candidate) is not None:
            return candidate
    return ""
