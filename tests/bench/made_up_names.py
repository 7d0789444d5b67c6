"""How often a tactic is dropped for a name that it makes up: true tactics, such with one name changed, a model's own.

    python tests/bench/made_up_names.py HELD_OUT.jsonl [--written TEXTS.jsonl] [--limit N]

HELD_OUT is what `tacit train data` set aside: tactics of people, whose names all exist. Each is looked at where it
stood, with the text above it and all indexes of TACIT_CACHE; files that are not there are passed over. Then the last
part of one of its names is changed for that of some theorem of Mathlib, as models confuse them. TEXTS has lines of
`module`, `name`, `goal` and a model's `text`. A file that imports what is not indexed counts here, in use it does not.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from tacit.index.places import indexes
from tacit.index.store import Store
from tacit.retrieval.access import Modules, header_of
from tacit.retrieval.existing import Existing, Names, Scope, Shelf
from tacit.retrieval.premises import read_above
from tacit.server.lean.syntax import commands_of
from tacit.server.tactics.mentions import bound, mentions, stands_in

OPEN_IN = re.compile(r"^\s*open\s+(?:scoped\s+)?([^\n()]*?)\s+in\b", re.MULTILINE)
HYPOTHESES = re.compile(r"^([^\n:⊢]+?) :", re.MULTILINE)


class Library:
    """All indexes there are, and the places of their theorems."""

    def __init__(self) -> None:
        self.stores = [Store.open(each) for each in indexes()]
        began = time.perf_counter()
        self.names = Names([Shelf.of(each) for each in self.stores])
        print(f"{len(self.names.names)} names read in {time.perf_counter() - began:.2f} s")
        self.modules = Modules.of(self.stores)
        self.files = {file.module: (each, file) for each in self.stores for file in each.files().values()}
        self.place = lru_cache(maxsize=1)(self._place)

    def _place(self, module: str, name: str) -> tuple[Existing, str, str] | None:
        """What is seen at a theorem, the text above it, and its own."""
        if module not in self.files:
            return None
        store, file = self.files[module]
        query = "SELECT start, stop FROM premises WHERE file = ? AND name = ?"
        row = store.database.execute(query, (file.id, name)).fetchone()
        if row is None:
            return None
        text, starts = _text(file.path)
        start = starts[bisect_right(starts, row[0]) - 1]
        above, namespace, opens = read_above(text[:start], module)
        inside = name.rpartition(".")[0]
        opens += tuple(word for part in OPEN_IN.findall(text[max(0, start - 200) : row[1]]) for word in part.split())
        own = [found.id if (found := each.file(module)) else None for each in self.stores]
        mask = self.names.mask(self.modules.access(header_of(text)).masks, own)
        scope = Scope(
            frozenset(each.name for each in above), inside if inside.startswith(namespace) else namespace, opens
        )
        return Existing([(self.names, mask)], scope), text[: row[1]], text[start : row[1]]

    def of_library(self, example: Mapping[str, str]) -> list[str]:
        """The longer names of the library in the tactic of an example."""
        place = self.place(example["module"], example["name"])
        shown = example.get("goal") or example.get("statement", "")
        local = _local(place[2], shown) if place is not None else frozenset[str]()
        return [each for each in mentions(example["tactic"], local).names if len(each) > 5]

    def made_up(self, example: Mapping[str, str], tactic: str) -> bool | None:
        """Whether a tactic is dropped at the place of an example; None where that place is not indexed."""
        place = self.place(example["module"], example["name"])
        if place is None:
            return None
        existing, above, whole = place
        shown = example.get("goal") or example.get("statement", "")
        above = f"{above.removesuffix(whole)}\n{example.get('proof', '')}\n{shown}"
        local = _local(whole, shown)
        found = mentions(tactic, local)
        members = {each: f".{each.partition('.')[2]}" for each in found.members}
        unknown = existing.unknown([*found.names, *members, *members.values(), *(f".{each}" for each in found.fields)])
        return any(
            (each in unknown and members.get(each, each) in unknown and not stands_in(each, above))
            for each in (*found.names, *members)
        ) or any(f".{each}" in unknown for each in found.fields)


def _local(whole: str, shown: str) -> frozenset[str]:
    return bound(whole) | {word for names in HYPOTHESES.findall(shown) for word in names.split()}


@lru_cache(maxsize=1)
def _text(path: str) -> tuple[str, list[int]]:
    text = Path(path).read_text(encoding="utf-8").replace("\r\n", "\n")
    return text, [each.span.start for each in commands_of(text).all()]


def changed(tactic: str, names: list[str], endings: list[str], rng: random.Random) -> str:
    """The tactic with the last part of one of these names changed for another's."""
    name = rng.choice(names)
    before, dot, _ = name.rpartition(".")
    return re.sub(rf"(?<![\w.'»]){re.escape(name)}(?![\w'.])", f"{before}{dot}{rng.choice(endings)}", tactic, count=1)


def told(what: str, verdicts: Iterable[bool | None]) -> None:
    """Print a share."""
    counts = Counter(each for each in verdicts if each is not None)
    total = sum(counts.values())
    print(f"{what}: {counts[True]} of {total} dropped, {100 * counts[True] / max(total, 1):.2f} %")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("held_out", type=Path)
    parser.add_argument("--written", type=Path)
    parser.add_argument("--limit", type=int, default=0)
    options = parser.parse_args()
    library, rng = Library(), random.Random(1)
    query = "SELECT name FROM premises WHERE kind = 'theorem' AND id % 20 = 0"
    endings = [row[0].rpartition(".")[2] for each in library.stores for row in each.database.execute(query)]

    def examples(path: Path) -> list[dict[str, str]]:
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        some = rng.sample(found, options.limit) if 0 < options.limit < len(found) else found
        return sorted((each for each in some if "module" in each), key=lambda each: (each["module"], each["name"]))

    true, false = [], []
    seconds = []
    for each in examples(options.held_out):
        if library.place(each["module"], each["name"]) is None:
            continue
        began = time.perf_counter()
        true.append(library.made_up(each, each["tactic"]))
        seconds.append(time.perf_counter() - began)
        if names := library.of_library(each):
            false.append(library.made_up(each, changed(each["tactic"], names, endings, rng)))
    told("tactics of people", true)
    told("with one name changed", false)
    print(f"{1000 * sorted(seconds)[len(seconds) // 2]:.2f} ms a tactic (median)")
    if options.written:
        told(
            "what a model wrote",
            (library.made_up(each, each["text"]) for each in examples(options.written) if "text" in each),
        )


if __name__ == "__main__":
    main()
