"""Reads what one Lean text declares as far as the text alone says it. Never raises on any text.

What depends on other files (the names that `to_additive`, `simps` or `alias` make) is left as requests, in order, for
`tacit.index.generated`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tacit.index import members, types
from tacit.index.head import Head, attribute_list, part, read_head
from tacit.index.lexer import NAME, close, commands, comment_end, mentions, one_line, without_comments
from tacit.index.premise import Kind, Origin, Premise
from tacit.index.scope import Scope, Scopes, candidates
from tacit.index.source import Import

VALUE = 1000
"""How many characters of a definition's body a premise keeps."""

KINDS = {
    "theorem": Kind.THEOREM, "lemma": Kind.THEOREM, "def": Kind.DEF, "abbrev": Kind.DEF, "irreducible_def": Kind.DEF,
    "instance": Kind.INSTANCE, "structure": Kind.STRUCTURE, "class": Kind.CLASS, "class abbrev": Kind.CLASS,
    "inductive": Kind.INDUCTIVE, "coinductive": Kind.INDUCTIVE, "class inductive": Kind.CLASS, "axiom": Kind.AXIOM,
    "opaque": Kind.OPAQUE, "initialize": Kind.OPAQUE, "builtin_initialize": Kind.OPAQUE,
}  # fmt: skip
GENERATING = frozenset(
    "to_additive to_dual simps ext mk_iff reassoc elementwise to_fun to_app higher_order inherit_doc".split()
)
"""Attributes that make declarations, or that say where the words of one stand."""
GENERATING_COMMANDS = frozenset(
    "insert_to_additive_translation to_additive_name_hint to_dual_name_hint initialize_simps_projections"
    " mk_iff_of_inductive_prop".split()
)
NOTATIONS = frozenset("infix infixl infixr notation notation3".split())

_TYPES = frozenset((Kind.STRUCTURE, Kind.CLASS, Kind.INDUCTIVE))
_DERIVING = _TYPES | {Kind.DEF}
_STATED = frozenset((Kind.THEOREM, Kind.AXIOM))
_PREFIXES = frozenset("open variable include omit set_option attribute universe".split())
_SCOPING = frozenset(("open", "variable", "include", "omit"))
_WORD = re.compile(r"#?\w+")
_LOCAL = re.compile(r"^(?:local|scoped)\s+")
_IN = re.compile(r"(?<![\w.])in(?![\w'.])|\n(?=[^\s(\[{⦃/-])")
_IMPORT = re.compile(
    r"\n[ \t]*(?P<public>public[ \t]+)?(?P<meta>meta[ \t]+)?import[ \t]+(?P<all>all[ \t]+)?(?P<names>[^\n]*)"
)
_MODULE = re.compile(r"\n[ \t]*module(?![\w.])")
_HEADER = re.compile(r"(?:public\s+)?(?:meta\s+)?import\b|(?:module|prelude)\b")
_SECTION = re.compile(r"(?:@\[[^\]]*\]\s*)?(?:(?:public|meta|noncomputable)\s+)*section\b")
_ALIAS = re.compile(
    rf"\s*(?:⟨\s*(?P<one>\S+?)\s*,\s*(?P<two>\S+?)\s*⟩|(?P<name>{NAME.pattern}))\s*:=\s*@?(?P<of>{NAME.pattern})"
)
_DERIVE = re.compile(r"deriving (?:noncomputable )?instance (?P<classes>.*?) for (?P<types>.*)")
_MARKED = re.compile(r"@\[|\s+|(?:local|scoped)\b(?:\[[^\]]*\])?")
_QUOTED = re.compile(r"\$[A-Za-z_(\[]")
_NAMED = re.compile(rf"\s*(?P<name>{NAME.pattern})")


@dataclass(frozen=True, slots=True)
class Request:
    """Something that makes declarations, or that is needed to name them.

    `what` is the attribute or the command (`alias`, `mp` and `mpr` for an alias and for the halves of an equivalence),
    `names` are the declarations as written, `text` the attribute whole or the command's arguments, `premise` the index
    of the declaration on which it stands (-1 for none).
    """

    what: str
    names: tuple[str, ...]
    text: str
    scope: Scope
    line: int
    start: int
    premise: int = -1
    body: str = ""  # of a definition, for `simps`


@dataclass(slots=True)
class Text:
    """One text as far as it can be read alone."""

    module: str
    imports: tuple[Import, ...] = ()
    premises: list[Premise] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)


def read_alone(text: str, module: str) -> Text:
    """What the text declares, and what it leaves to `generated`."""
    return _Reader("\n" + text, module).read()


def read_imports(header: str) -> tuple[tuple[Import, ...], bool]:
    """What a header imports, and whether it begins with `module`. `header` begins with a line break."""
    header = without_comments(header)
    is_module = _MODULE.search(header) is not None
    found = [
        Import(name, bool(line["public"]) or not is_module, bool(line["meta"]), bool(line["all"]))
        for line in _IMPORT.finditer(header)
        for name in NAME.findall(line["names"])
    ]
    return tuple(found), is_module


class _Reader:
    def __init__(self, text: str, module: str) -> None:
        self.text = text
        self.out = Text(module)
        self.scopes = Scopes()
        self._line = self._line_at = 0
        self._index: dict[str, int] = {}
        self._listed = 0
        self._here = self._place = Scope()

    def read(self) -> Text:
        header = True
        for command in commands(self.text):
            if header:
                if _HEADER.match(self.text, command.start):
                    continue
                header = False
                self._header(command.start)
            self._run(command.start, command.stop, command.doc)
        if header:
            self._header(len(self.text))
        return self.out

    def _header(self, stop: int) -> None:
        self.out.imports, is_module = read_imports(self.text[:stop])
        self.scopes = Scopes(module_system=is_module)

    def line(self, at: int) -> int:
        """The 1-based line of an offset (the text begins with a line break that no file has)."""
        if at < self._line_at:
            return self.text.count("\n", 0, at)
        self._line += self.text.count("\n", self._line_at, at)
        self._line_at = at
        return self._line

    def _run(self, at: int, stop: int, doc: tuple[int, int] | None) -> None:
        """One command. What `… in` sets is for the next command alone, which may stand in the same piece of text."""
        word = _WORD.match(self.text, at)
        name = word[0] if word else ""
        after = word.end() if word else at
        while name in _PREFIXES:
            rest, doc = self._prefix(name, at, after, stop, doc)
            if rest < 0:
                return
            at = rest
            word = _WORD.match(self.text, at)
            name, after = (word[0], word.end()) if word else ("", at)
        head = read_head(self.text, at, stop)
        if head is not None:
            self._declare(head, stop, doc)
        elif _SECTION.match(self.text, at, stop):
            self.scopes.section(self.text[at:stop])
        elif name == "namespace" and (named := _NAMED.match(self.text, after, stop)):
            self.scopes.namespace(named["name"])
        elif name == "end":
            line = self.text.find("\n", after, stop)
            named = _NAMED.match(self.text, after, stop if line < 0 else line)
            self.scopes.end(named["name"] if named else "")
        elif name == "mutual":
            self.scopes.mutual()
        else:
            while (marked := _MARKED.match(self.text, at, stop)) is not None:
                at = close(self.text, at + 1, stop) if marked[0] == "@[" else marked.end()
            if (word := _WORD.match(self.text, at)) is not None:
                self._other(word[0], at, word.end(), stop, doc)
        self.scopes.command_read()

    def _prefix(
        self, name: str, at: int, after: int, stop: int, doc: tuple[int, int] | None
    ) -> tuple[int, tuple[int, int] | None]:
        """`open … in` and the like: where the command that it is for begins, -1 when that is another piece of text."""
        end, rest = self._in(after, stop)
        inside = self.text[after:end]
        if name in _SCOPING:
            getattr(self.scopes, name)(without_comments(inside), passing=rest >= 0)
        elif name == "attribute":
            self._attribute(inside, at)
        if rest < 0:
            self.scopes.command_read()
            return -1, None
        while rest < stop and (self.text[rest].isspace() or self.text.startswith("/-", rest)):
            if self.text.startswith("/-", rest):
                end = comment_end(self.text, rest)
                doc = (rest, end) if self.text.startswith("/--", rest) else doc
                rest = end
            else:
                rest += 1
        return (rest, doc) if rest < stop and not self.text.startswith("--", rest) else (-1, None)

    def _in(self, at: int, stop: int) -> tuple[int, int]:
        """Where the arguments of a command end, and what follows its `in` (-1 when it has none)."""
        while (found := _IN.search(self.text, at, stop)) is not None:
            opened = max(self.text.rfind(bracket, at, found.start()) for bracket in "([{")
            if opened >= 0 and (closed := close(self.text, opened, stop)) > found.start():
                at = closed
            elif found[0] == "in":
                return found.start(), found.end()
            else:
                return found.start(), -1
        return stop, -1

    def _private(self, head: Head) -> bool:
        return "private" in head.modifiers or not (self.scopes.here.public or "public" in head.modifiers)

    def _declare(self, head: Head, stop: int, doc: tuple[int, int] | None) -> None:
        if head.keyword == "alias":
            self._alias(head, stop, doc)
        elif head.keyword != "example":
            self._declaration(head, stop, doc)

    def _declaration(self, head: Head, stop: int, doc: tuple[int, int] | None) -> None:
        text, scope, kind = self.text, self.scopes.here, KINDS[head.keyword]
        own, type_ = part(text, head.binders), part(text, head.type)
        name, origin = head.name, Origin.SOURCE
        if head.keyword.endswith("initialize"):
            type_ = type_.partition("←")[0].strip()
            name = name if type_ else ""
        if "$" in type_ + own and _QUOTED.search(type_ + own):
            return  # what a macro is to write, not a declaration
        if not name:
            if kind is not Kind.INSTANCE:
                return
            name, origin = "inst", Origin.INSTANCE_NAME
        derives: list[str] = []
        end = stop
        if kind in _DERIVING and text.find("deriving", head.body, stop) >= 0:
            derives, end = types.deriving(text, head.body, stop)
        extends = part(text, head.extends)
        if head.keyword == "class abbrev" and head.body_mark == ":=":
            extends = one_line(text[head.body + 2 : end])
        mentioned = mentions(f"{own} {type_} {extends}")
        value = ""
        if kind not in _STATED:
            # Of a theorem only the statement decides which variables it is about; of anything else the body too.
            mentioned |= mentions(text[head.body : end])
            if kind is not Kind.INSTANCE and kind is not Kind.OPAQUE:
                value = one_line(text[head.body : min(end, head.body + 2 * VALUE)])[:VALUE]
        premise = Premise(
            name=scope.full_name(name),
            kind=kind,
            module=self.out.module,
            line=self.line(head.at),
            type=f"{type_} extends {extends}".strip() if extends else type_,
            binders=own,
            context=scope.variables.fold(mentioned, own, type_),
            doc=types.doc_text(text, *doc) if doc else "",
            value=value,
            attributes=head.attributes,
            namespace=scope.namespace,
            opens=scope.opens,
            private=self._private(head),
            protected="protected" in head.modifiers,
            origin=origin,
            start=(doc[0] if doc else head.at) - 1,
            body=head.body - 1,
            stop=head.body - 1 + len(text[head.body : stop].rstrip()),
        )
        self._add(premise, text[head.body : stop])
        if head.keyword == "irreducible_def":
            self._request(head.keyword, (premise.name,), "", premise.line, premise.start, len(self.out.premises) - 1)
        if kind in _TYPES:
            self._members(premise, head, extends, end)
        for cls in derives:
            self._derive(premise, cls)

    def _add(self, premise: Premise, body: str = "") -> None:
        index = len(self.out.premises)
        for attribute in premise.attributes:
            if (word := _WORD.match(attribute)) is not None and word[0] in GENERATING:
                text = body if "simps" in attribute else ""
                self._request(word[0], (premise.name,), attribute, premise.line, premise.start, index, text)
        self.out.premises.append(premise)

    def _request(
        self, what: str, names: Sequence[str], text: str, line: int, start: int, premise: int = -1, body: str = ""
    ) -> None:
        if self.scopes.here is not self._here:
            self._here = self.scopes.here
            self._place = self._here.place
        self.out.requests.append(Request(what, tuple(names), text, self._place, line, start, premise, body))

    def _members(self, of: Premise, head: Head, extends: str, stop: int) -> None:
        if of.kind is Kind.INDUCTIVE or head.keyword == "class inductive":
            self.out.premises += members.of_inductive(of, self.text, head, stop)
            return
        made = members.of_structure(of, self.text, head, extends, stop)
        fields = [each.name.rpartition(".")[2] for each in made[1:]]
        self._request("structure", (of.name,), " ".join(fields), of.line, of.start, len(self.out.premises) - 1)
        self.out.premises += made

    def _derive(self, of: Premise, cls: str) -> None:
        if name := members.derived_name(of, cls):
            self.out.premises.append(members.derived(of, cls, self.scopes.here.full_name(name)))

    def _alias(self, head: Head, stop: int, doc: tuple[int, int] | None) -> None:
        found = _ALIAS.match(without_comments(self.text[head.body : stop]))
        if found is None:
            return
        scope, line = self.scopes.here, self.line(head.at)
        names = {found["name"]: "alias"} if found["name"] else {found["one"]: "mp", found["two"]: "mpr"}
        for name, which in names.items():
            if name == "_" or not NAME.fullmatch(name):
                continue
            premise = Premise(
                name=scope.full_name(name),
                kind=Kind.THEOREM,
                module=self.out.module,
                line=line,
                doc=types.doc_text(self.text, *doc) if doc else "",
                attributes=head.attributes,
                namespace=scope.namespace,
                opens=scope.opens,
                private=self._private(head),
                protected="protected" in head.modifiers,
                origin=Origin.ALIAS,
                made_from=found["of"],
                start=(doc[0] if doc else head.at) - 1,
                body=head.body - 1,
                stop=head.body - 1 + len(self.text[head.body : stop].rstrip()),
            )
            self._request(which, (premise.name,), found["of"], line, premise.start, len(self.out.premises))
            self._add(premise)

    def _attribute(self, inside: str, at: int) -> None:
        begin = inside.find("[")
        if begin < 0:
            return
        end = close(inside, begin)
        names = NAME.findall(without_comments(inside[end:]))
        for each in attribute_list(inside[begin + 1 : end - 1]):
            attribute = _LOCAL.sub("", each)  # an attribute that holds here alone makes the same declarations
            if (word := _WORD.match(attribute)) is not None and word[0] in GENERATING:
                self._request(word[0], names, attribute, self.line(at), at - 1)

    def _other(self, name: str, at: int, after: int, stop: int, doc: tuple[int, int] | None) -> None:
        if name in GENERATING_COMMANDS or name in NOTATIONS:
            what = "notation" if name in NOTATIONS else name
            self._request(what, (name.rstrip("3"),), one_line(self.text[after:stop]), self.line(at), at - 1)
        elif name == "add_decl_doc" and doc and (named := _NAMED.match(self.text, after, stop)):
            if (index := self._find(named["name"])) >= 0:
                words = types.doc_text(self.text, *doc)
                self.out.premises[index] = replace(self.out.premises[index], doc=words)
        elif name == "deriving" and (found := _DERIVE.match(one_line(self.text[at:stop]))) is not None:
            for type_name in NAME.findall(found["types"]):
                for cls in found["classes"].split(","):
                    if (index := self._find(type_name)) >= 0:
                        self._derive(self.out.premises[index], cls.strip())

    def _find(self, name: str) -> int:
        """The index of the declaration of this text that `name` means here, -1 when there is none."""
        for index in range(self._listed, len(self.out.premises)):
            self._index[self.out.premises[index].name] = index
        self._listed = len(self.out.premises)
        scope = self.scopes.here
        return next(
            (self._index[full] for full in candidates(name, scope.namespace, scope.opens) if full in self._index), -1
        )
