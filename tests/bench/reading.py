"""Measures reading premises and making the index of words: `python tests/bench/reading.py WHAT FOLDER`.

read     reading alone, nothing written: wall time, processor time
build    the whole index of words, anew: when words are ready, processor time, memory, counts by kind and origin
update   one file of the package changed, again and again; the files are put back
names    which dotted names that the files mention mean something that is indexed
"""

from __future__ import annotations

import argparse
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from tacit.index.affected import Bits, View
from tacit.index.build import CHUNK, Analysis, Corpus, build
from tacit.index.known import Known
from tacit.index.lexer import MENTIONED, without_comments
from tacit.index.packages import package_at
from tacit.index.reader import Surveyed, finish, look_at, survey
from tacit.index.store import Store
from tacit.index.workers import Crew, allowed
from tacit.retrieval.analysis import VERSION, analyse

ANALYSIS = Analysis(VERSION, analyse)
STRING = re.compile(r'"(?:\\.|[^"\\])*"')


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


@contextmanager
def measured(what: str) -> Iterator[None]:
    """Wall time, and processor time of this process and of those that it started."""

    def spent() -> float:
        some = [resource.getrusage(each) for each in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(each.ru_utime + each.ru_stime for each in some)

    begun, before = time.perf_counter(), spent()
    yield
    say(f"{what}: {time.perf_counter() - begun:.2f} s, {spent() - before:.2f} s of processor time")


def corpus_of(folder: Path) -> Corpus:
    package = package_at(folder)
    return Corpus(package.name, folder, tuple(package.sources()))


def read(folder: Path) -> None:
    with measured("list files"):
        corpus = corpus_of(folder)
    premises = 0
    with measured(f"read {len(corpus.sources)} files"), Crew(allowed()) as crew:
        files = {each.source.module: each for each in survey(corpus.sources) if isinstance(each, Surveyed)}
        view = View({name: [link.module for link in each.imports] for name, each in files.items()}, Bits())
        sources = [files[module].source for module in view.order]
        chunks = [sources[start : start + CHUNK] for start in range(0, len(sources), CHUNK)]
        known = Known()
        for looked in chain.from_iterable(crew.ordered(look_at, chunks)):
            premises += len(finish(looked, known, view.sees(looked.source.module)).premises)
    say(f"{premises:,} premises")


def build_words(folder: Path, index: Path) -> None:
    with measured("words ready"):
        build(index, corpus_of(folder), ANALYSIS, lambda *_: None, anew=True)
    for whose, number in (("this process", resource.RUSAGE_SELF), ("a worker", resource.RUSAGE_CHILDREN)):
        say(f"{resource.getrusage(number).ru_maxrss / 1024:.0f} MB at most, {whose}")
    say(f"{index.stat().st_size / 1e6:.0f} MB on disk")
    store = Store.open(index)
    for column in ("kind", "origin"):
        query = f"SELECT {column}, count(*) AS n FROM premises GROUP BY 1 ORDER BY n DESC"
        say(", ".join(f"{name} {count:,}" for name, count in store.database.execute(query)))
    store.close()


def update(folder: Path, index: Path, files: list[str]) -> None:
    build(index, corpus_of(folder), ANALYSIS, lambda *_: None)
    for name in files:
        path = folder / name
        text = path.read_bytes()
        for what, more in (("a theorem", "\ntheorem aFreshOne : True := trivial\n"), ("put back", "")):
            path.write_bytes(text + more.encode())
            with measured(f"{name}, {what}"):
                done = build(index, corpus_of(folder), ANALYSIS, lambda *_: None)
            say(f"    {done.read} files read")


def names(folder: Path, indexes: list[Path], most: int) -> None:
    known: set[str] = set()
    for index in indexes:
        store = Store.open(index)
        for (name,) in store.database.execute("SELECT DISTINCT name FROM premises"):
            parts = name.split(".")
            for start in range(len(parts)):  # as `open` and `namespace` let it be written; a namespace is a name too
                known.update(".".join(parts[start:stop]) for stop in range(start + 1, len(parts) + 1))
        store.close()
    unknown: Counter[str] = Counter()
    total = 0
    corpus = corpus_of(folder)
    roots = {each.module.partition(".")[0] for each in corpus.sources}
    for source in corpus.sources:
        for found in MENTIONED.finditer(STRING.sub(" ", without_comments(source.path.read_text(encoding="utf-8")))):
            name = found[0].removeprefix("_root_.")
            first, dot, _ = name.partition(".")
            # Short first parts are variables (`F.map`), some long ones are modules.
            if not dot or first in roots or not first[0].isupper() or len(first) < 3 or not first[1:].isalpha():
                continue
            total += 1
            part = name
            while "." in part and part not in known:
                part = part.rpartition(".")[0]
            unknown[name] += "." not in part
    missing = sum(unknown.values())
    say(f"{total:,} mentions of dotted names, {1 - missing / total:.2%} known")
    say(", ".join(f"{name} {count}" for name, count in unknown.most_common(most) if count))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["read", "build", "update", "names"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--index", type=Path, help="where the index is or shall be; a temporary file without it")
    parser.add_argument("--file", action="append", default=[], help="of update: the file to change")
    parser.add_argument("--also", type=Path, action="append", default=[], help="of names: an index of what it imports")
    parser.add_argument("--most", type=int, default=40, help="of names: how many unknown ones to list")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        index = given.index or Path(temporary, "index.db")
        if given.what == "read":
            read(given.folder)
        elif given.what == "build":
            build_words(given.folder, index)
        elif given.what == "update":
            update(given.folder, index, given.file)
        else:
            names(given.folder, [index, *given.also], given.most)


if __name__ == "__main__":
    main()
