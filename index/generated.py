"""Declarations that no text spells out: what attributes and commands make, by their documented rules.

`@[to_additive]` and `@[to_dual]` (Mathlib/Tactic/Translate), `alias` (Batteries/Tactic/Alias), `@[simps]`, `@[ext]`
(Lean/Elab/Tactic/Ext), `@[mk_iff]`, `@[reassoc]`, `@[elementwise]`, `@[to_app]`, `@[to_fun]`, `@[higher_order]`,
`irreducible_def`, and the names of instances that have none.
"""

from __future__ import annotations

import re
from dataclasses import replace

from tacit.index import shapes, simps
from tacit.index.additive import TO_ADDITIVE, TO_DUAL
from tacit.index.declarations import Request, Text
from tacit.index.instances import instance_name
from tacit.index.known import Known, Notation, Sees, Structure
from tacit.index.lexer import NAME
from tacit.index.premise import Kind, Origin, Premise
from tacit.index.scope import candidates
from tacit.index.shapes import Statement
from tacit.index.translated import Arguments, Translator, arguments
from tacit.index.types import parents

_WORD = re.compile(r"\w+")
_NOTATION = re.compile(r'"([^"]*)"')
_SIGN_FIRST = re.compile(r'(?::\s*\w+)?\s*(?:\([^)]*\)\s*)*"')
_TYPES = (Kind.STRUCTURE, Kind.CLASS, Kind.INDUCTIVE)
_SUFFIXES = {"reassoc": "_assoc", "elementwise": "_apply", "to_app": "_app"}
_GENERATING = frozenset(
    ("to_additive", "to_dual", "simps", "ext", "mk_iff", "to_fun", "higher_order", "inherit_doc", *_SUFFIXES)
)


def complete(text: Text, known: Known, sees: Sees | None = None) -> list[Premise]:
    """All the declarations of a text, generated ones included; `known` learns from it. For `sees` see `Known.begin`."""
    known.begin(text.module, sees)
    maker = _Maker(text, known)
    for request in text.requests:
        maker.run(request)
    known.keep(maker.premises)
    return maker.premises


class _Maker:
    def __init__(self, text: Text, known: Known) -> None:
        self.module = text.module
        self.premises = text.premises
        self.known = known
        self.translator = Translator(known)
        for premise in self.premises:
            last = premise.name.rpartition(".")[2]
            if premise.kind in (Kind.DEF, *_TYPES) and _is_proposition(premise.type):
                known.propose(last)
            if premise.kind is Kind.CLASS:
                known.need(last, "[" in premise.binders or "[" in premise.context)
        for request in text.requests:
            if request.what == "structure":
                self._structure(request.premise)
            elif request.what == "notation":
                self._notation(request)
        self._name_instances()
        self.at = {premise.name: index for index, premise in enumerate(self.premises)}

    def run(self, request: Request) -> None:
        """What one attribute or command of the text makes or teaches."""
        what, words = request.what, request.text.split()
        if what in ("alias", "mp", "mpr"):
            self._alias(request)
        elif what == "irreducible_def":
            of = self.premises[request.premise]
            self._add(of, f"{of.name}_def", shapes.unfolded(of))
        elif what == "insert_to_additive_translation" and len(words) == 2:
            self.known.translate(TO_ADDITIVE.attribute, words[0], words[1])
        elif what in ("to_additive_name_hint", "to_dual_name_hint"):
            self.translator.hint(what.removesuffix("_name_hint"), request.text)
        elif what == "initialize_simps_projections":
            name, rules = simps.projection_rules(request.text)
            if structure := self._known_structure(name, request):
                self.known.project(structure, rules)
        elif what == "mk_iff_of_inductive_prop" and len(words) == 2:
            if (found := self._find(words[0], request)) is not None:
                self._add(found, words[1], shapes.mk_iff(found))
        elif request.premise >= 0 and what in _GENERATING:
            self._attribute(request.text, self.premises[request.premise], request)
        else:
            for name in request.names if what in _GENERATING and request.premise < 0 else ():
                self._attribute_elsewhere(name, request)

    # What a name means, and what is learnt.

    def _find(self, name: str, request: Request) -> Premise | None:
        for full in candidates(name, request.scope.namespace, request.scope.opens):
            if (index := self.at.get(full)) is not None:
                return self.premises[index]
            if (found := self.known.get(full)) is not None:
                return found
        return None

    def _known_structure(self, name: str, request: Request) -> str:
        possible = candidates(name, request.scope.namespace, request.scope.opens)
        return next((full for full in possible if self.known.structure(full) is not None), "")

    def _notation(self, request: Request) -> None:
        left, _, right = request.text.partition("=>")
        token, head = _NOTATION.search(left), NAME.search(right)
        if token and head and token[1].strip() and (structure := self._known_structure(head[0], request)):
            binds = re.match(r":\s*(\d+)", left)
            # What begins with its own sign (`C(X, Y)`) stands before its arguments, the rest between them.
            first = _SIGN_FIRST.match(left) is not None and request.names == ("notation",)
            notation = Notation(structure, int(binds[1]) if binds else 1000, first)
            self.known.denote(token[1].strip(), notation)

    def _structure(self, index: int) -> None:
        of = self.premises[index]
        names, data, above = [], set(), []
        extends = of.type.partition("extends ")[2] if "extends " in of.type else ""
        projections = {(each.projection, each.text): each for each in parents(extends)}
        for at in range(index + 1, len(self.premises)):
            premise = self.premises[at]
            if premise.made_from != of.name:
                break
            if premise.kind is not Kind.FIELD:
                continue
            last = premise.name.rpartition(".")[2]
            if (parent := projections.get((last, premise.type))) is not None:
                head = simps.head_structure(parent.text, of, self.known)
                if head and not parent.named and last != (real := f"to{head.rpartition('.')[2]}"):
                    last = real  # `extends α ≃ β` is toEquiv
                    self.premises[at] = replace(premise, name=f"{of.name}.{real}")
                above.append((last, head or parent.head))
            else:
                names.append(last)
                if not premise.value.startswith("by ") and not simps.is_proof(premise.type, self.known):
                    data.add(last)
        self.known.learn(of.name, Structure(tuple(names), frozenset(data), tuple(above)))

    def _name_instances(self) -> None:
        counts: dict[str, int] = {}
        for index, premise in enumerate(self.premises):
            if premise.origin is Origin.INSTANCE_NAME:
                base = name = premise.name.removesuffix("inst") + instance_name(premise, self.known)
                while not self.known.name_instance(name):
                    counts[base] = counts.get(base, 0) + 1
                    name = f"{base}_{counts[base]}"
                self.premises[index] = replace(premise, name=name)

    # What is made.

    def _add(
        self, of: Premise, name: str, statement: Statement, origin: Origin = Origin.ATTRIBUTE, **changes: object
    ) -> list[Premise]:
        """A new declaration like `of`; none when there is one of this name."""
        if name in self.at:
            return []
        new: dict[str, object] = {
            "kind": Kind.THEOREM,
            "doc": "",
            "value": "",
            "attributes": (),
            **statement,
            **changes,
        }
        made = replace(of, name=name, module=self.module, origin=origin, made_from=of.name, **new)  # type: ignore[arg-type]
        self.at[name] = len(self.premises)
        self.premises.append(made)
        return [made]

    def _alias(self, request: Request) -> None:
        made = self.premises[request.premise]
        target = self._find(request.text, request)
        if target is None:
            return
        whole = request.what == "alias"
        self.premises[request.premise] = replace(
            made,
            kind=Kind.DEF
            if whole and target.kind is not Kind.THEOREM and target.kind is not Kind.AXIOM
            else Kind.THEOREM,
            type=target.type if whole else shapes.sides(target.type, forward=request.what == "mp"),
            binders=target.binders,
            context=target.context,
            made_from=target.name,
        )

    def _attribute_elsewhere(self, name: str, request: Request) -> None:
        """`attribute [to_additive] foo`: what is made stands here, though `foo` may stand in another file."""
        of = self._find(name, request)
        if of is None:  # nothing is known of it, so nothing can be said of what is made
            given = arguments(request.text)
            if request.what in (TO_ADDITIVE.attribute, TO_DUAL.attribute) and not given.itself and not given.nameless:
                self.translator.target(request.what, request.scope.full_name(name), given.name)
            return
        at = request.start
        here = replace(of, line=request.line, opens=request.scope.opens, start=at, body=at, stop=at)
        self._attribute(request.text, here, request)

    def _attribute(self, text: str, of: Premise, request: Request) -> list[Premise]:
        """What one attribute on `of` makes."""
        word = _WORD.match(text)
        what = word[0] if word else ""
        if what in (TO_ADDITIVE.attribute, TO_DUAL.attribute):
            return self._translate(what, text, of, request)
        if what == "simps":
            lemmas = simps.lemmas(of, text, request.body, self.known)
            return [
                each for one in lemmas for each in self._add(of, one.name, shapes.projection(of, one), Origin.SIMPS)
            ]
        if what == "ext":
            return self._ext(text, of)
        if what == "inherit_doc":
            self._inherit_doc(text, of, request)
            return []
        given = arguments(text)
        made = []
        if what == "mk_iff":
            name = request.scope.full_name(given.name) if given.name else shapes.mk_iff_name(of.name)
            made = self._add(of, name, shapes.mk_iff(of))
        elif what in _SUFFIXES:
            made = self._add(of, of.name + _SUFFIXES[what], shapes.reassociated(of) if what == "reassoc" else {})
        elif what == "to_fun":
            made = self._add(of, shapes.to_fun_name(of.name, given.name), {})
        elif what == "higher_order":
            made = self._add(of, shapes.higher_order_name(of.name, given.name), {})
        for attribute in given.attributes:
            for each in list(made):
                made += self._attribute(attribute, each, request)
        return made

    def _inherit_doc(self, text: str, of: Premise, request: Request) -> None:
        source = text.removeprefix("inherit_doc").strip()
        index = self.at.get(of.name)
        if index is not None and not of.doc and source and (found := self._find(source, request)) is not None:
            self.premises[index] = replace(self.premises[index], doc=found.doc)

    def _ext(self, text: str, of: Premise) -> list[Premise]:
        with_iff = "iff := false" not in text
        if of.kind not in (Kind.STRUCTURE, Kind.CLASS):
            protected = "." in of.name
            return (
                self._add(of, f"{of.name}_iff", shapes.ext_iff(of), protected=protected) if with_iff and of.type else []
            )
        ext, iff = shapes.structure_ext(of, simps.data_fields(of.name, self.known))
        return self._add(of, f"{of.name}.ext", ext) + (self._add(of, f"{of.name}.ext_iff", iff) if with_iff else [])

    def _translate(self, what: str, text: str, of: Premise, request: Request) -> list[Premise]:
        given = arguments(text)
        if given.itself or given.nameless:
            return []
        target = self.translator.target(what, of.name, given.name)
        if of.kind in _TYPES:
            self.translator.members(what, of.name, target)
        made: list[Premise] = []
        if not given.existing and of.kind not in _TYPES and target != of.name:
            origin = Origin.TO_ADDITIVE if what == TO_ADDITIVE.attribute else Origin.TO_DUAL
            restated = self.translator.restated(what, of, target)
            attributes = tuple(given.attributes)
            made = self._add(of, target, restated, origin, kind=of.kind, doc=given.doc, attributes=attributes)
        self._attributes_of_both(what, given, of, target, made, request)
        return made

    def _attributes_of_both(
        self, what: str, given: Arguments, of: Premise, target: str, made: list[Premise], request: Request
    ) -> None:
        """`(attr := simps)` goes to a declaration and to its translation, and what it makes is translated too."""
        index = self.at.get(target)
        translation = self.premises[index] if index is not None else self.known.get(target)
        for attribute in given.attributes:
            word = _WORD.match(attribute)
            if word is None or word[0] not in _GENERATING or translation is None:
                continue
            if word[0] == what:  # `to_additive (attr := to_additive bar) foo` goes on from foo
                made += self._translate(what, attribute, translation, request)
                continue
            ours, theirs = self._attribute(attribute, of, request), self._attribute(attribute, translation, request)
            for one, other in zip(ours, theirs, strict=False):
                self.known.translate(what, one.name, other.name)


def _is_proposition(type_: str) -> bool:
    return "Prop" in type_ and (type_.startswith("Prop ") or simps.result(type_) == "Prop")
