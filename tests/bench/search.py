"""Search by BM25 alone, by vectors alone and as Tacit does it, in one run over the same declarations.

`python tests/bench/run.py search --questions FILE`, or this file alone; without questions only times are measured, with
statements of the index as questions. MATHLIB names what is searched, and it must be indexed, with vectors. BM25 is
bm25s (Lù: BM25S, 2024) as it comes, over names split at dots and underscores, statements and docstrings.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from tacit.retrieval.evaluation import place, quality
from tacit.retrieval.hybrid import Hybrid
from tacit.server.errors import TacitError
from tacit.server.eval_command import DEPTH, Asked, read_questions, sources
from tacit.server.library import NotIndexed, close_library, open_library

ROUNDS = 200


def section(say: Callable[[str], None], questions: Path | None, paths: Sequence[Path] = ()) -> dict[str, Any]:
    """Print the table; the figures by way of searching."""
    say("## Search")
    began = time.perf_counter()
    try:
        library = open_library(paths)
    except NotIndexed as error:
        say(f"- left out: {error}")
        return {}
    try:
        say(f"- opened in {time.perf_counter() - began:.2f} s")
        asked = read_questions(questions) if questions is not None else _statements(library)
        ways = dict(sources(library))
        figures = {name: _measured(answer, asked) for name, answer in ways.items()}
        resident = psutil.Process().memory_info().rss / 2**20
        figures = {"bm25s": _measured(_bm25s(library), asked), **figures}
        count = sum(each.lexical.count for each in library.shelves)
    finally:
        close_library(library)
    say(f"- {count:,} declarations, {len(asked)} questions")
    say(f"- resident with words, vectors and encoder: {resident:.0f} MiB")
    say("")
    say("| way | R@1 | R@10 | nDCG@10 | p50 | p95 |")
    say("|---|---|---|---|---|---|")
    for name, each in figures.items():
        found = f"{each['first']:.3f} | {each['among']:.3f} | {each['gain']:.3f}" if questions else "– | – | –"
        say(f"| {name} | {found} | {each['p50']:.1f} ms | {each['p95']:.1f} ms |")
    return {"resident_mib": round(resident), **figures}


def _measured(answer: Callable[[str], list[str]], asked: Sequence[Asked]) -> dict[str, float]:
    places, times = [], []
    answer(asked[0].text)  # libraries that load when they are first needed
    for each in asked:
        began = time.perf_counter()
        answers = answer(each.text)
        times.append((time.perf_counter() - began) * 1000)
        places.append(place(answers, each.right))
    times.sort()
    found = quality(places)
    return {
        "first": found.first,
        "among": found.among,
        "gain": found.gain,
        "p50": times[len(times) // 2],
        "p95": times[int(len(times) * 0.95)],
    }


def _statements(library: Hybrid) -> list[Asked]:
    found = []
    for shelf in library.shelves:
        ids = [id for id, _ in shelf.store.digests()]
        step = max(1, len(ids) // ROUNDS)
        found += [Asked("", each.premise.type, each.premise.name) for each in shelf.store.get(ids[::step])]
    return [each for each in found if each.text][:ROUNDS]


def _bm25s(library: Hybrid) -> Callable[[str], list[str]]:
    import bm25s

    names: list[str] = []

    def texts() -> Iterator[str]:
        for shelf in library.shelves:
            for each in shelf.store.all():
                names.append(each.premise.name)
                yield f"{_split(each.premise.name)} {each.premise.statement} {each.premise.doc}"

    ranker = bm25s.BM25()
    ranker.index(bm25s.tokenize(list(texts()), show_progress=False), show_progress=False)

    def answer(text: str) -> list[str]:
        tokens = bm25s.tokenize(_split(text), show_progress=False)
        rows, _ = ranker.retrieve(tokens, k=DEPTH, show_progress=False)
        return [names[row] for row in rows[0].tolist()]

    return answer


def _split(text: str) -> str:
    return re.sub(r"[._]", " ", text)


def main() -> None:
    """Run alone: no Lean is needed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, help="as for `tacit eval search`")
    parser.add_argument("paths", nargs="*", type=Path)
    arguments = parser.parse_args()
    section(lambda line: print(line, flush=True), arguments.questions, arguments.paths)


if __name__ == "__main__":
    try:
        main()
    except TacitError as error:
        sys.exit(str(error))
