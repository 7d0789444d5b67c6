"""What `@[to_additive]` and `@[to_dual]` make of a declaration: its name, its statement, what is learnt from it.

Source: Mathlib/Tactic/Translate/Core.lean (elabTranslationAttr, targetName, proceedFields).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial

from tacit.index.additive import TO_ADDITIVE, TO_DUAL, target_name
from tacit.index.binders import binders
from tacit.index.head import attribute_list
from tacit.index.known import Known
from tacit.index.lexer import NAME, close, comment_end
from tacit.index.premise import Premise
from tacit.index.restate import additive, dual
from tacit.index.scope import candidates
from tacit.index.types import doc_text

_WORD = re.compile(r"\w+[!?]*")
_NAMED = re.compile(rf"(?:_root_\.)?{NAME.pattern}")


@dataclass(slots=True)
class Arguments:
    """The arguments of `@[to_additive existing (attr := simp) foo /-- doc -/]`, and of attributes of that shape."""

    attributes: list[str] = field(default_factory=list)
    name: str = ""
    doc: str = ""
    existing: bool = False
    itself: bool = False
    nameless: bool = False


def arguments(text: str) -> Arguments:
    """The arguments of an attribute. `text` begins with its name."""
    found = Arguments()
    word = _WORD.match(text)
    at = word.end() if word else 0
    while at < len(text):
        if text[at] == "(":
            end = close(text, at)
            name, _, value = text[at + 1 : end - 1].partition(":=")
            if name.strip() == "attr":
                found.attributes += attribute_list(value)
            at = end
        elif text.startswith("/-", at):
            end = comment_end(text, at)
            found.doc, at = doc_text(text, at, end), end
        elif text[at] == '"':
            end = text.find('"', at + 1)
            end = len(text) if end < 0 else end
            found.doc, at = " ".join(text[at + 1 : end].split()), end + 1
        elif (named := _NAMED.match(text, at)) is not None:
            if named[0] in ("existing", "self"):
                found.existing = True
                found.itself |= named[0] == "self"
            elif named[0] == "none":
                found.nameless = True
            else:
                found.name = named[0]
            at = named.end()
        else:
            at += 1
    return found


class Translator:
    """The two translations in one file: `to_dual_name_hint` adds to the tables until its end."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tables = {each.attribute: each for each in (TO_ADDITIVE, TO_DUAL)}

    def hint(self, attribute: str, text: str) -> None:
        """`to_dual_name_hint Left Right, Fst Snd` goes both ways, `to_additive_name_hint` one."""
        for pair in text.split(","):
            names = pair.split()
            if len(names) == 2:
                self.tables[attribute] = self.tables[attribute].hinted(names[0], names[1])
                if attribute == TO_DUAL.attribute:
                    self.tables[attribute] = self.tables[attribute].hinted(names[1], names[0])

    def target(self, attribute: str, source: str, given: str) -> str:
        """The name of the translation of `source`, learnt at once."""
        target = target_name(self.tables[attribute], partial(self.known.translated, attribute), source, given)
        if target != source:
            self.known.translate(attribute, source, target)
        return target

    def members(self, attribute: str, source: str, target: str) -> None:
        """Learn that the fields of a structure are translated in order."""
        ours, theirs = self.known.structure(source), self.known.structure(target)
        self.known.translate(attribute, f"{source}.mk", f"{target}.mk")
        if ours is None or theirs is None:
            return
        pairs = [*zip(ours.fields, theirs.fields, strict=False)]
        pairs += [(one, other) for (one, _), (other, _) in zip(ours.parents, theirs.parents, strict=False)]
        for one, other in pairs:
            self.known.translate(attribute, f"{source}.{one}", f"{target}.{other}")

    def restated(self, attribute: str, of: Premise, target: str) -> dict[str, str]:
        """Context, binders and type of the translation of `of`, which is called `target`."""
        restate = additive if attribute == TO_ADDITIVE.attribute else dual
        translated, last = partial(self.known.translated, attribute), self.known.last
        bound = {name for each in (*binders(of.context), *binders(of.binders)) for name in each.names}
        namespace = target.rpartition(".")[0]

        def projections(names: str) -> str:
            return ".".join(last(attribute, each) for each in names.split("."))

        def rename(name: str) -> str:
            if name.startswith("."):
                return "." + projections(name[1:])
            first, dot, rest = name.partition(".")
            if first in bound:
                return f"{first}.{projections(rest)}" if dot else name
            for full in candidates(name, of.namespace, of.opens):
                if (found := translated(full)) is not None:
                    return _short(found, full.removesuffix(name).rstrip("."), namespace)
            for full in candidates(name, of.namespace, of.opens) if dot else ():
                # A translation of `Foo` is one of `Foo.bar` too; what only the namespace says is not.
                here = full.removesuffix(name)
                prefix = full.rpartition(".")[0]
                while len(prefix) > len(here):
                    if (found := translated(prefix)) is not None:
                        return _short(found + full[len(prefix) :], here.rstrip("."), namespace)
                    prefix = prefix.rpartition(".")[0]
            return name

        return {
            each: restate(getattr(of, each), rename) for each in ("context", "binders", "type") if getattr(of, each)
        }


def _short(full: str, opened: str, namespace: str) -> str:
    """A full name as it is written where `opened` or `namespace` is open."""
    for prefix in (namespace, opened):
        if prefix and full.startswith(prefix + "."):
            return full[len(prefix) + 1 :]
    return full
