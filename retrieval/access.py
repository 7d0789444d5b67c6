"""Which modules and premises can be used at a place: what the file there imports, and who sees what. Nothing ranks.

    modules = Modules.of([store, …])                  once for open stores
    access = modules.access(header_of(text))          for a file; remembered
    access.allows(0, stored)                          a premise of the first store
    access.files(0)                                   the same for all of its files, by file id

The rules are those of Lean.Environment's `importModulesCore` (v4.27). A file without `module` sees all that it imports
and all that those import. One with `module` sees what it imports, and what those import publicly; `import all` reaches
what the module itself imports privately, too. What is `private` is seen in its own file alone.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tacit.index.declarations import read_imports
from tacit.index.lexer import without_comments
from tacit.index.source import Import
from tacit.index.store import Store, Stored

Mask = npt.NDArray[np.bool_]
REMEMBERED = 16
_HEAD = re.compile(r"(?:\s+|--[^\n]*|/-(?:[^-]|-(?!/))*-/|(?:module|prelude)\b|(?:public\s+|meta\s+)*import\b[^\n]*)*")
_PRELUDE = re.compile(r"\n[ \t]*prelude(?![\w.])")


@dataclass(frozen=True, slots=True)
class Header:
    """What the head of a file says: its imports, and whether it begins with `module`."""

    imports: tuple[Import, ...]
    module_system: bool = False


def header_of(text: str) -> Header:
    """The header of a file; `Init` is imported by all that have no `prelude`."""
    text = text.replace("\r\n", "\n")
    found = _HEAD.match(text)
    head = "\n" + (found[0] if found else "")
    imports, module_system = read_imports(head)
    if not _PRELUDE.search(without_comments(head)):
        imports = (Import("Init"), *imports)
    return Header(imports, module_system)


@dataclass(frozen=True)
class Access:
    """What one file sees. Made by `Modules.access`. `complete`: all that it imports is indexed."""

    modules: frozenset[str]
    masks: tuple[Mask, ...]
    complete: bool = True

    def files(self, store: int) -> Mask:
        """By file id of a store: whether its premises can be used. Ids behind the end cannot."""
        return self.masks[store]

    def allows(self, store: int, stored: Stored) -> bool:
        """Whether a premise of a store can be used."""
        return stored.premise.module in self.modules and not stored.premise.private


class Modules:
    """The imports of all modules of some stores, as they were when this was made."""

    def __init__(self, links: Iterable[Mapping[str, Sequence[Import]]], files: Sequence[Mapping[int, str]]) -> None:
        self._number: dict[str, int] = {}
        imports: dict[int, Sequence[Import]] = {}
        for each in links:
            for module, found in each.items():
                imports[self._add(module)] = found
        self._all: list[tuple[int, ...]] = [()] * len(self._number)
        self._lacking: set[int] = set()
        self._public = list(self._all)
        self._whole = list(self._all)
        for number, found in imports.items():
            here = [(self._number[one.module], one) for one in found if one.module in self._number]
            if len(here) < len(found):
                self._lacking.add(number)
            self._all[number] = tuple(to for to, _ in here)
            self._public[number] = tuple(to for to, one in here if one.public)
            self._whole[number] = tuple(to for to, one in here if one.all)
        self._files = [self._columns(each) for each in files]
        self._known: OrderedDict[tuple[Header, str], Access] = OrderedDict()

    @classmethod
    def of(cls, stores: Sequence[Store]) -> Modules:
        """Those of open stores; masks are in their order."""
        return cls([each.links() for each in stores], [each.modules() for each in stores])

    def access(self, header: Header, module: str = "") -> Access:
        """What a file with this header sees; `module` is its own name, of which no stored premise counts."""
        key = header, module
        if (known := self._known.get(key)) is not None:
            self._known.move_to_end(key)
            return known
        seen = self._visible(header)
        if module in self._number:
            seen[self._number[module]] = False
        masks = []
        for ids, numbers in self._files:
            mask = np.zeros(int(ids.max(initial=-1)) + 1, np.bool_)
            mask[ids] = seen[numbers]
            masks.append(mask)
        names = list(self._number)
        places = np.flatnonzero(seen).tolist()
        complete = all(each.module in self._number for each in header.imports) and self._lacking.isdisjoint(places)
        found = Access(frozenset(names[place] for place in places), tuple(masks), complete)
        self._known[key] = found
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found

    def _visible(self, header: Header) -> Mask:
        """The least fixed point of the rules."""
        seen = bytearray(len(self._number))
        roots = [(self._number[one.module], one) for one in header.imports if one.module in self._number]
        if not header.module_system:
            self._spread([to for to, _ in roots], self._all, seen)
            return np.frombuffer(seen, np.bool_).copy()
        whole = bytearray(len(self._number))
        opened = self._spread([to for to, one in roots if one.all], self._whole, whole)
        private = [to for number in opened for to in self._all[number]]
        self._spread([*(to for to, _ in roots), *opened, *private], self._public, seen)
        return np.frombuffer(seen, np.bool_).copy()

    def _spread(self, begin: Iterable[int], edges: Sequence[tuple[int, ...]], seen: bytearray) -> list[int]:
        """Mark all that edges lead to; what was marked."""
        stack = []
        for each in begin:
            if not seen[each]:
                seen[each] = 1
                stack.append(each)
        place = 0
        while place < len(stack):
            for to in edges[stack[place]]:
                if not seen[to]:
                    seen[to] = 1
                    stack.append(to)
            place += 1
        return stack

    def _add(self, module: str) -> int:
        return self._number.setdefault(module, len(self._number))

    def _columns(self, files: Mapping[int, str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        numbers = [self._add(module) for module in files.values()]
        while len(self._all) < len(self._number):  # a file of which no imports are known
            self._all.append(())
            self._public.append(())
            self._whole.append(())
        return np.fromiter(files, np.int64, len(files)), np.array(numbers, np.int64)
