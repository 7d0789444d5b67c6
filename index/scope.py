"""Where in a file a command stands: namespaces, sections, `open`, `variable`, `public section`. Never raises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tacit.index.binders import Variables, binders
from tacit.index.lexer import NAME, one_line, unquoted

# Limits for texts that no person wrote: reading takes time in proportion to a text.
_LONGEST, _DEEPEST, _MOST_OPEN = 2_000, 200, 200
_SECTION = re.compile(
    r"(?P<how>(?:@\[[^\]]*\]\s*)?(?:(?:public|meta|noncomputable)\s+)*)section\b[ \t]*(?P<name>[^\s(]*)"
)


_NO_VARIABLES = Variables()


@dataclass(frozen=True, slots=True)
class Scope:
    """What holds at a place. `label` is the part of a name that opened the scope (empty for a bare section)."""

    label: str = ""
    namespace: str = ""
    opens: tuple[str, ...] = ()
    variables: Variables = field(default_factory=Variables)
    public: bool = True

    @property
    def place(self) -> Scope:
        """The same without its variables: all that naming needs."""
        return Scope("", self.namespace, self.opens, _NO_VARIABLES)

    def full_name(self, name: str) -> str:
        """The full name of a declaration written as `name` here."""
        name = unquoted(name)
        if name.startswith("_root_."):
            return name[7:]
        return f"{self.namespace}.{name}" if self.namespace else name


class Scopes:
    """The scopes around the commands of one file, followed command by command."""

    def __init__(self, *, module_system: bool = False) -> None:
        # In a file with a `module` header, what is not public stays in the file.
        self._stack = [Scope(public=not module_system)]
        self._passing: Scope | None = None  # of the next command alone, after `open … in`

    @property
    def here(self) -> Scope:
        """The scope of the command that comes next."""
        return self._passing or self._stack[-1]

    @property
    def passing(self) -> bool:
        """Whether something has been set for the next command alone."""
        return self._passing is not None

    def command_read(self) -> None:
        """The next command is past: what `… in` had set ends."""
        self._passing = None

    def _change(self, scope: Scope, passing: bool) -> None:
        if passing:
            self._passing = scope
        else:
            self._stack[-1] = scope

    def namespace(self, name: str) -> None:
        """`namespace A.B` opens two scopes."""
        for part in _parts(name):
            here = self._stack[-1]
            inside = here.full_name(part) if len(here.namespace) < _LONGEST else here.namespace
            self._stack.append(replace(here, label=part, namespace=inside))

    def section(self, text: str) -> None:
        """`section A.B`, `noncomputable section`, `public section`."""
        found = _SECTION.match(text)
        public = self._stack[-1].public or (found is not None and "public" in found["how"])
        for part in _parts(found["name"]) if found is not None and found["name"] else ("",):
            self._stack.append(replace(self._stack[-1], label=part, public=public))

    def mutual(self) -> None:
        """`mutual` ends with an `end` of its own."""
        self._stack.append(replace(self._stack[-1], label=""))

    def end(self, name: str) -> None:
        """`end A.B` ends two scopes. An `end` that fits nothing ends the innermost scope that it names, or none."""
        for part in reversed(_parts(name) or ("",)):
            outermost = max(len(self._stack) - _DEEPEST, 0)
            at = next((i for i in range(len(self._stack) - 1, outermost, -1) if self._stack[i].label == part), 0)
            if at:
                del self._stack[at:]

    def open(self, text: str, *, passing: bool) -> None:
        """`open A B`, `open A (x y)`, `open A hiding x`, `open A renaming x → y`, `open scoped A`."""
        here = self.here
        self._change(replace(here, opens=(here.opens + opened(text))[-_MOST_OPEN:]), passing)

    def variable(self, text: str, *, passing: bool) -> None:
        """`variable {G : Type*} [Group G]`."""
        here = self.here
        self._change(replace(here, variables=here.variables.add(binders(text))), passing)

    def include(self, text: str, *, passing: bool) -> None:
        """`include a b`."""
        here = self.here
        self._change(replace(here, variables=here.variables.include(NAME.findall(text))), passing)

    def omit(self, text: str, *, passing: bool) -> None:
        """`omit [Group G]`."""
        here = self.here
        self._change(replace(here, variables=here.variables.omit(text)), passing)


def _parts(name: str) -> tuple[str, ...]:
    if "«" not in name:
        return tuple(part for part in name.split(".") if part)
    return tuple(re.findall(r"«[^»]*»|[^.«»]+", name))


def opened(text: str) -> tuple[str, ...]:
    """What one `open` command opens, one text each: `Nat`, `scoped Nat`, `Nat (succ pred)`, `Nat hiding succ`."""
    text = one_line(text)
    if re.search(r"\(|\bhiding\b|\brenaming\b", text):
        return (text,)
    words = text.split()
    if words and words[0] == "scoped":
        return tuple(f"scoped {word}" for word in words[1:])
    return tuple(words)


def candidates(name: str, namespace: str, opens: tuple[str, ...] = ()) -> Iterator[str]:
    """The full names that `name` may stand for at a place, the nearest namespace first."""
    name = unquoted(name)
    if name.startswith("_root_."):
        yield name[7:]
        return
    around = [""]
    while namespace:
        yield f"{namespace}.{name}"
        around.append(f"{namespace}.")
        namespace = namespace.rpartition(".")[0]
    for opened in reversed(opens):
        if not opened.startswith("scoped "):
            for outer in around:
                yield f"{outer}{opened.partition(' ')[0]}.{name}"
    yield name
