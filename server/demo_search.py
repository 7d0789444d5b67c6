"""The part of the demo that searches: indexes what it finds, asks a handful of questions, shows the best answers.

Words always; meanings where they are there already or made in no time. What was indexed before is only looked at.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tacit.index.packages import TOOLCHAIN
from tacit.index.places import MATHLIB, Place
from tacit.index.store import Store, StoreError
from tacit.retrieval.rerank import Hit
from tacit.server.command import stop_cleanly
from tacit.server.errors import TacitError
from tacit.server.lean.locate import LeanInstall
from tacit.server.library import bring_up_to_date, close_library, indexable, make_vectors, open_library, vectors_of
from tacit.server.show import one_line
from tacit.server.terminal import BAD, STYLES, Terminal, plural, seconds, sparing

CHEAP = 10_000
"""Declarations whose vectors are made without being asked for: some 20 seconds."""
ANSWERS = 3
NAME, LEAST = 34, 24
"""Cells for a name, and for a statement at least."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and which style it is."""

    style: str
    text: str


OF_MATHLIB = (
    Question("English", "a continuous function on a compact set attains its maximum"),
    Question("LaTeX", r"\lim_{n \to \infty} (1 + \frac{x}{n})^n = e^x"),
    Question("Lean", "IsCompact s → IsClosed s"),
    Question("pattern", "_ * (_ + _) = _ * _ + _ * _"),
    Question("part of a name", "exists_prime_and_dvd"),
)
OF_LEAN = (
    Question("English", "appending lists is associative"),
    Question("pattern", "_ * (_ + _) = _ * _ + _ * _"),
    Question("part of a name", "le_of_lt_succ"),
)
OF_DEMO = (
    Question("English", "a homomorphism on words is determined by its values at the letters"),
    Question("LaTeX", r"a^{m+n} = a^m \cdot a^n"),
    Question("Lean", "Commute a b → pow (a * b) n = pow a n * pow b n"),
    Question("pattern", "prod (_ ++ _) = _ * _"),
    Question("part of a name", "sorted_ordered"),
)


class DemoSearch:
    """What is searched in the demo of one project, and how that is shown."""

    def __init__(self, terminal: Terminal, project: Path, install: LeanInstall | None, *, quiet: bool = False) -> None:
        self._terminal = terminal
        self._quiet = quiet
        self._roots = [project]
        self._lean = str(install.lean) if install is not None else ""
        named = os.environ.get("MATHLIB", "")
        self._roots += [Path(named)] if named and Path(named).exists() else []
        self._places: list[Place] = []
        self._asked: dict[Path, Path] = {}
        """By index: what to name to `tacit index` for it."""

    def prepare(self) -> None:
        """Index what is small, so that the demo's first suggestions find premises; the rest later, by `run`."""
        stop_cleanly()  # anew each time: an event loop that ran meanwhile has put everything back
        with self._terminal.busy("Looking for Lean sources"):
            for root in self._roots:
                for place in indexable([root], self._lean):
                    self._asked.setdefault(place.index, root)
                    self._places += [place] if place.index not in {each.index for each in self._places} else []
        for place in self._places:
            if place.corpus.name != MATHLIB:
                self._index(place)

    def run(self) -> dict[str, Any]:
        """Index the rest, ask, show; what was asked and answered, for JSON."""
        stop_cleanly()
        for place in self._places:
            if place.corpus.name == MATHLIB:
                self._index(place)
        library = open_library(self._roots, lean=self._lean)
        try:
            count = sum(each.lexical.count for each in library.shelves)
            names = [each.package for each in library.shelves]
            if not self._quiet:
                said = f"searching {plural(count, 'declaration')} of {', '.join(names)}"
                self._terminal.line((said, "bold"))
            library.search("warm up", 1)  # opens what is opened once: nobody's waiting time
            asked = []
            for question in _questions(names):
                begun = time.perf_counter()
                hits = library.search(question.text, ANSWERS)
                elapsed = time.perf_counter() - begun
                asked.append({**_plain(question, hits), "elapsed": round(elapsed, 4)})
                if not self._quiet:
                    self._show(question, hits, elapsed)
        finally:
            close_library(library)
        for place in self._places:
            if vectors_of(place.index) is None and not self._quiet:
                add = f"`tacit index update {self._asked[place.index]}` adds meanings, and may be interrupted"
                self._terminal.note(f"{place.corpus.name} was searched by words only: {add}.")
        return {"declarations": count, "packages": names, "questions": asked}

    def _index(self, place: Place) -> None:
        begun = time.perf_counter()
        name = place.corpus.name
        try:
            with self._terminal.measured(name) as progress:
                done = bring_up_to_date(place, sparing(progress))
                count = _count(place.index)
                made = vectors_of(place.index)
                if count <= CHEAP and not (made is not None and made.complete and not done.read):
                    with suppress(TacitError):  # without an encoder words answer
                        make_vectors(place, sparing(progress))
        except TacitError as error:
            self._terminal.note((f"{BAD} ", STYLES[BAD]), str(error))
            return
        if not self._quiet:
            what = plural(done.read, "file") + " read" if done.read else "nothing new"
            elapsed = seconds(time.perf_counter() - begun)
            self._terminal.line(
                (f"indexed {name}", "bold"), (f"  {what}, {plural(count, 'declaration')}, {elapsed}", "dim")
            )

    def _show(self, question: Question, hits: Sequence[Hit], elapsed: float) -> None:
        self._terminal.line(f"  {question.style:<16}", (question.text, "cyan"), (f"  {elapsed * 1000:.0f} ms", "dim"))
        width = self._terminal.width
        room = 10_000 if width is None else max(LEAST, width - NAME - 20)
        for number, hit in enumerate(hits, 1):
            premise = hit.stored.premise
            self._terminal.line(
                (f"{'':<16}{number:>3}  ", "dim"),
                (f"{premise.name:<{NAME}}", "bold"),
                (f" {one_line(premise.type or premise.statement, room)}", ""),
            )
        if not hits:
            self._terminal.line((f"{'':<18}nothing found", "dim"))


def _questions(packages: Sequence[str]) -> Sequence[Question]:
    if MATHLIB in packages:
        return OF_MATHLIB
    return (*OF_DEMO, *OF_LEAN) if TOOLCHAIN in packages else OF_DEMO


def _count(index: Path) -> int:
    try:
        store = Store.open(index)
    except StoreError as error:
        raise TacitError(str(error)) from error
    try:
        return store.count()
    finally:
        store.close()


def _plain(question: Question, hits: Sequence[Hit]) -> dict[str, Any]:
    answers = [
        {"name": each.stored.premise.name, "statement": each.stored.premise.statement, "score": round(each.score, 4)}
        for each in hits
    ]
    return {"style": question.style, "question": question.text, "answers": answers}
