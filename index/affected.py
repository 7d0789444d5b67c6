"""Which files are to be read again because another one has changed: those that see it and asked for what it taught.

A file sees the files that it imports, directly or not. Sets of files are bits of whole numbers.
"""

from __future__ import annotations

import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tacit.index.known import Sees


def import_order(imports: Mapping[str, Iterable[str]]) -> list[str]:
    """The modules, each after those that it imports; modules in a circle come in the order given."""
    ordered: dict[str, None] = {}
    begun: set[str] = set()
    for module in imports:
        stack = [(module, False)]
        while stack:
            name, ready = stack.pop()
            if ready:
                ordered[name] = None
            elif name not in begun:
                begun.add(name)
                stack.append((name, True))
                stack += [(each, False) for each in reversed([*imports[name]]) if each in imports]
    return list(ordered)


class Bits:
    """A place for each module, the same in every `View` that is made with it."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def of(self, module: str) -> int:
        """Its place."""
        return self.places.setdefault(module, len(self.places))


class View:
    """What each file of a workspace sees, as its imports say."""

    def __init__(self, imports: Mapping[str, Sequence[str]], bits: Bits) -> None:
        imports = _called_alike(imports)
        # By the alphabet, so that a circle of imports is cut at the same place each time.
        self.order = import_order({module: imports[module] for module in sorted(imports)})
        self.seen: dict[str, int] = {}
        self._bits = bits
        for module in self.order:
            bits.of(module)
        places = bits.places
        for module in self.order:
            mask = 0
            for each in imports[module]:
                if each in self.seen:  # in a circle of imports one of them is not read yet
                    mask |= self.seen[each] | 1 << places[each]
            self.seen[module] = mask

    def sees(self, module: str) -> Sees:
        """Whether `module` sees another one."""
        mask, places = self.seen[module], self._bits.places
        seen = mask.to_bytes(len(places) // 8 + 1, "little")

        def sees(other: str) -> bool:
            place = places.get(other, -1)
            return place >= 0 and bool(seen[place >> 3] >> (place & 7) & 1)

        return sees


def _called_alike(imports: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """Files of a folder inside a package, indexed alone, import each other by longer names than they have here."""
    wanted = {each for some in imports.values() for each in some}
    if not wanted.isdisjoint(imports):
        return imports
    counts = Counter(
        each[: at + 1] for each in wanted for at, char in enumerate(each) if char == "." and each[at + 1 :] in imports
    )
    if not counts:
        return imports
    before = max(counts, key=lambda each: (counts[each], each))
    return {module: [each.removeprefix(before) for each in some] for module, some in imports.items()}


Asked = frozenset[int]


def packed(keys: Iterable[str]) -> bytes:
    """What a file asked for, for the store: 32 bits each. Two that meet cost a reading, no more."""
    return array("I", sorted({zlib.crc32(each.encode("utf-8", "replace")) for each in keys})).tobytes()


def unpacked(content: bytes) -> Asked:
    """The inverse of `packed`."""
    return frozenset(array("I", content))


class Changes:
    """What has changed so far, file by file, and whether that reaches another file."""

    def __init__(self, old: View, new: View, bits: Bits) -> None:
        self._old, self._new, self._bits = old, new, bits
        self._keys: dict[str, Asked] = {}
        self._mask = 0
        self._others: dict[int, list[str]] = {}

    def add(self, module: str, keys: Iterable[str]) -> None:
        """A file teaches something else of these."""
        if found := unpacked(packed(keys)):
            self._keys[module] = found
            self._mask |= 1 << self._bits.of(module)

    def concerned(self, module: str) -> tuple[list[Asked], list[str]]:
        """What has changed for this file: keys, and the modules that it sees for the first or did for the last time."""
        old, new = self._old.seen.get(module, 0), self._new.seen[module]
        mask = self._mask & (old | new)
        found = [keys for each, keys in self._keys.items() if mask >> self._bits.of(each) & 1] if mask else []
        return found, self._modules((old ^ new) & ~self._mask)

    def _modules(self, mask: int) -> list[str]:
        if mask not in self._others:  # most files that see one more see the same one more
            places = self._bits.places.items() if mask else ()
            self._others[mask] = [each for each, place in places if mask >> place & 1]
        return self._others[mask]
