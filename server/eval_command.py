"""`tacit eval search`: asks questions whose answers are known of every source, and prints how often each was right."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tacit.retrieval.evaluation import Quality, place, quality
from tacit.retrieval.hybrid import Hybrid, Shelf
from tacit.retrieval.question import parse
from tacit.retrieval.ranker import Ranker
from tacit.retrieval.rerank import Hit
from tacit.server.command import Exit
from tacit.server.errors import BadInput
from tacit.server.library import close_library, open_library
from tacit.server.terminal import Terminal

DEPTH = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its style, its right answer."""

    style: str
    text: str
    right: str


def evaluate_search(terminal: Terminal, file: Path, paths: Sequence[Path], *, as_json: bool) -> int:
    """Print the table."""
    questions = read_questions(file)
    library = open_library(paths)
    try:
        rights = {each.right for each in questions}
        missing = sorted(each for each in rights if not any(shelf.store.named(each) for shelf in library.shelves))
        report: dict[str, Any] = {}
        for name, answer in sources(library).items():
            report[name] = _run(terminal, name, answer, questions)
        count = sum(each.lexical.count for each in library.shelves)
    finally:
        close_library(library)
    if as_json:
        terminal.json({"declarations": count, "answers": len(rights), "missing": missing, "sources": report})
        return Exit.DONE
    terminal.line(f"{'source':<10}{'style':<18}{'asked':>6}{'R@1':>8}{'R@10':>8}{'nDCG@10':>9}")
    for name, found in report.items():
        for style, each in found["styles"].items():
            terminal.line(_row(name, style, each))
        terminal.line((_row(name, "all", found["all"]), "bold"))
        terminal.line((f"{name:<10}p50 {found['p50']:.1f} ms, p95 {found['p95']:.1f} ms a question", "dim"))
    said = f"{len(missing)} of {len(rights)} right answers are not indexed and count as not found"
    terminal.note(f"{count:,} declarations; {said}" + (f": {', '.join(missing)}" if missing else "") + ".")
    return Exit.DONE


def _row(name: str, style: str, each: dict[str, float]) -> str:
    numbers = f"{each['first']:>8.3f}{each['among']:>8.3f}{each['gain']:>9.3f}"
    return f"{name:<10}{style:<18}{each['questions']:>6}{numbers}"


def sources(library: Hybrid) -> dict[str, Callable[[str], list[str]]]:
    """What is asked, by name; each gives the names that it finds, best first.

    `lexical` and `dense` rank alone, `fused` is what a search shows; `words` is that without vectors, `mixed` without
    the second ranking.
    """
    found: dict[str, Callable[[str], list[str]]] = {
        "lexical": lambda text: _ranked(library.shelves, [each.lexical for each in library.shelves], text)
    }
    dense = [each.dense for each in library.shelves if each.dense is not None]
    if dense and len(dense) == len(library.shelves):
        words = Hybrid([replace(each, dense=None) for each in library.shelves])
        found["words"] = lambda text: _names(words.search(text, DEPTH))
        found["dense"] = lambda text: _ranked(library.shelves, dense, text)
        found["mixed"] = lambda text: _names(library.search(text, DEPTH, rerank=False))
    found["fused"] = lambda text: _names(library.search(text, DEPTH))
    return found


def _names(hits: Sequence[Hit]) -> list[str]:
    return [each.stored.premise.name for each in hits]


def _ranked(shelves: Sequence[Shelf], rankers: Sequence[Ranker], text: str) -> list[str]:
    query = parse(text)
    found = []
    for shelf, ranker in zip(shelves, rankers, strict=True):
        ranked = ranker.rank(query, DEPTH)
        stored = shelf.store.get([each.premise for each in ranked])
        found += list(zip(ranked, stored, strict=False))
    found.sort(key=lambda each: -each[0].score)
    return [stored.premise.name for _, stored in found]


def _run(
    terminal: Terminal, name: str, answer: Callable[[str], list[str]], questions: Sequence[Asked]
) -> dict[str, Any]:
    places: dict[str, list[int | None]] = {}
    times = []
    with terminal.measured(name) as progress:
        for number, each in enumerate(questions):
            progress("asking", number, len(questions))
            begun = time.perf_counter()
            answers = answer(each.text)
            times.append((time.perf_counter() - begun) * 1000)
            places.setdefault(each.style, []).append(place(answers, each.right))
    times.sort()
    styles: dict[str, Quality] = {style: quality(some) for style, some in sorted(places.items())}
    return {
        "styles": {style: asdict(each) for style, each in styles.items()},
        "all": asdict(quality([each for some in places.values() for each in some])),
        "p50": times[len(times) // 2],
        "p95": times[int(len(times) * 0.95)],
    }


def read_questions(file: Path) -> list[Asked]:
    """The questions of a file; BadInput where it holds none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise BadInput(f"{file} is not JSON: {error}.") from error
    questions = [
        Asked(key, text, each["full_name"])
        for each in (found if isinstance(found, list) else [])
        if isinstance(each, dict) and isinstance(each.get("full_name"), str)
        for key, text in each.items()
        if key.startswith("q") and isinstance(text, str) and text.strip()
    ]
    if not questions:
        raise BadInput(f"{file} has no questions.", hint="See `tacit eval --help` for what it must hold.")
    return questions
