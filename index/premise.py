"""What a premise is: one declaration of Lean, as a reader of sources sees it. Values alone; nothing here reads.

Offsets (`start`, `body`, `stop`) are 0-based code points of the file; `line` counts from 1, as links to sources do.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter


class Kind(StrEnum):
    """What a declaration is. `lemma` is THEOREM, `abbrev` and `irreducible_def` are DEF, as they are for Lean."""

    THEOREM = "theorem"
    AXIOM = "axiom"
    DEF = "def"
    OPAQUE = "opaque"
    INSTANCE = "instance"
    STRUCTURE = "structure"
    CLASS = "class"
    INDUCTIVE = "inductive"
    CONSTRUCTOR = "constructor"
    FIELD = "field"


class Origin(StrEnum):
    """Where the name comes from: written down, or the rule that generates it."""

    SOURCE = "source"
    INSTANCE_NAME = "instance name"
    STRUCTURE = "structure"  # fields, constructors, parents
    DERIVING = "deriving"
    ALIAS = "alias"
    TO_ADDITIVE = "to_additive"
    TO_DUAL = "to_dual"
    SIMPS = "simps"
    ATTRIBUTE = "attribute"  # ext, mk_iff, reassoc, elementwise, …
    IMPORTED = "imported"  # a corpus that another tool wrote


@dataclass(frozen=True, slots=True)
class Premise:
    """One declaration. Texts are as written, on one line, without comments.

    `context` holds the `variable`s of its scope that it mentions, `binders` its own, `type` what stands after the
    colon (for a structure: its parents, `extends …` included). `value` is the beginning of what a definition unfolds
    to, or the fields and constructors of a type; empty for theorems. `made_from` is the declaration that a generated
    one comes from. A `private` premise can be named in its own file only.
    """

    name: str
    kind: Kind
    module: str
    line: int
    type: str = ""
    binders: str = ""
    context: str = ""
    doc: str = ""
    value: str = ""
    attributes: tuple[str, ...] = ()
    namespace: str = ""
    opens: tuple[str, ...] = ()
    private: bool = False
    protected: bool = False
    origin: Origin = Origin.SOURCE
    made_from: str = ""
    start: int = 0
    body: int = 0
    stop: int = 0

    def __reduce__(self) -> tuple[object, ...]:
        return Premise, _FIELDS(self)  # pickled by the hundred thousand: a third of the time that dataclasses take

    @property
    def statement(self) -> str:
        """Binders and type, those of the scope first: `{G : Type*} [Group G] (a : G) : a * a⁻¹ = 1`."""
        before = " ".join(part for part in (self.context, self.binders) if part)
        if self.kind in (Kind.STRUCTURE, Kind.CLASS) and self.type.startswith("extends "):
            return f"{before} {self.type}".strip()
        after = f": {self.type}" if self.type else ""
        return f"{before} {after}".strip()

    @property
    def digest(self) -> str:
        """32 hex digits of what the premise says, wherever in its file it stands: same digest, nothing to redo."""
        parts = (
            *(self.name, self.kind, self.module, self.type, self.binders, self.context, self.doc, self.value),
            *("\x1e".join(self.attributes), self.namespace, "\x1e".join(self.opens)),
            *(f"{self.private:d}{self.protected:d}", self.origin, self.made_from),
        )
        text = "\x1f".join(parts).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, digest_size=16).hexdigest()


_FIELDS = attrgetter(*Premise.__dataclass_fields__)
