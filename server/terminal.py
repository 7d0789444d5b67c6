"""Writes to the terminal: results on standard output, what goes on meanwhile on standard error. Nothing else does.

Text is never wrapped, marked up or highlighted: Lean's brackets and colons mean nothing here. Colour and progress
appear only where a person reads them (NO_COLOR and TERM=dumb are heard); JSON is one document.
"""

from __future__ import annotations

import io
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
GOOD, PART, BAD, SKIPPED = "✓", "→", "✗", "–"
STYLES = {GOOD: "bold green", PART: "bold yellow", BAD: "bold red", SKIPPED: "dim"}


class Busy:
    """A line that says what goes on, with the time; `step` advances its bar. Silent where nobody watches."""

    def __init__(self, progress: Progress | None, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def say(self, text: str) -> None:
        """What goes on now."""
        if self._progress is not None:
            self._progress.update(self._task, description=text)

    def step(self) -> None:
        """One more done."""
        if self._progress is not None:
            self._progress.advance(self._task)


class Terminal:
    """Where a command's words go. `notice` is added to every line, for answers that do not come from a live Lean."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = _console(out or sys.stdout)
        self._err = _console(err or sys.stderr)
        self._live: Progress | None = None
        self.notice = ""

    @property
    def interactive(self) -> bool:
        """Whether a person sits there and can be asked."""
        return self._out.is_terminal and self._err.is_terminal and sys.stdin.isatty()

    @property
    def width(self) -> int | None:
        """Columns of the terminal that shows the results; None where none does, and nothing need be cut."""
        return self._out.width if self._out.is_terminal else None

    def line(self, *parts: str | tuple[str, str] | Text) -> None:
        """A line of the result; a part is a text, or a text and its style."""
        self._print(self._out, self._noted(_assembled(parts)))

    def note(self, *parts: str | tuple[str, str] | Text) -> None:
        """A line beside the result: a summary, a remark."""
        self._print(self._err, self._noted(_assembled(parts)))

    def error(self, sentence: str) -> None:
        """Why there is no result."""
        self.note((f"{BAD} ", STYLES[BAD]), sentence)

    def raw(self, text: str, styles: Sequence[tuple[str, str]] = ()) -> None:
        """A text as it stands, such as a diff; a line that begins with a prefix in `styles` takes its style."""
        if not self._out.is_terminal or self._out.no_color:
            with self._paused():
                self._out.file.write(text)
                self._out.file.flush()
            return
        shown = Text(end="")
        for line in text.splitlines(keepends=True):
            shown.append(line, next((style for prefix, style in styles if line.startswith(prefix)), ""))
        self._print(self._out, shown)

    def json(self, value: Any) -> None:
        """The one JSON document of a command."""
        with self._paused():
            self._out.file.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
            self._out.file.flush()

    def ask(self, question: str) -> bool:
        """A question that is answered by y or by anything else."""
        self._err.print(Text.assemble(question, (" [y/N] ", "bold")), end="", soft_wrap=True)
        try:
            return input().strip().lower() in ("y", "yes")
        except EOFError:
            self._err.print()
            return False

    @contextmanager
    def busy(self, text: str, total: int | None = None) -> Iterator[Busy]:
        """Show that something goes on, until the block ends; with `total`, how much of it is done."""
        if not self._err.is_terminal or self._err.is_dumb_terminal:
            yield Busy(None, TaskID(0))
            return
        bar = (BarColumn(bar_width=24, complete_style="green"), MofNCompleteColumn()) if total is not None else ()
        columns = (SpinnerColumn(style="cyan"), *bar, TextColumn("{task.description}", markup=False))
        progress = Progress(*columns, TimeElapsedColumn(), console=self._err, transient=True, refresh_per_second=8)
        task = progress.add_task(text, total=total)
        self._live = progress
        try:
            with progress:
                yield Busy(progress, task)
        finally:
            self._live = None

    @contextmanager
    def measured(self, name: str) -> Iterator[Callable[[str, int, int], None]]:
        """A bar for work in stages, with an estimate; the caller says which stage, how many are done, of how many."""
        if not self._err.is_terminal or self._err.is_dumb_terminal:
            yield lambda _what, _done, _total: None
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24, complete_style="green"),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
        )
        progress = Progress(*columns, console=self._err, transient=True, refresh_per_second=8)
        task = progress.add_task(name, total=None)
        stage = ""

        def tell(what: str, done: int, total: int) -> None:
            nonlocal stage
            if what != stage:
                stage = what
                progress.reset(task, total=total, description=f"{name}: {what}")
            progress.update(task, completed=done, total=total)

        self._live = progress
        try:
            with progress:
                yield tell
        finally:
            self._live = None

    def _noted(self, text: Text) -> Text:
        return text.append(f"  · {self.notice}", "dim") if self.notice else text

    def _print(self, console: Console, what: RenderableType) -> None:
        with self._paused():
            console.print(what, soft_wrap=True, end=what.end if isinstance(what, Text) else "\n")
            console.file.flush()

    @contextmanager
    def _paused(self) -> Iterator[None]:
        """Take the progress line away while something else is printed: both may be the same screen."""
        live = self._live
        if live is None:
            yield
            return
        live.stop()
        try:
            yield
        finally:
            live.start()


def _assembled(parts: Sequence[str | tuple[str, str] | Text]) -> Text:
    """One line; what would move the cursor or set colours, out of somebody's file, is a sign like any other."""
    text = Text.assemble(*parts)
    if _CONTROL.search(text.plain):
        text.plain = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.plain)
    return text


def _console(stream: TextIO) -> Console:
    if isinstance(stream, io.TextIOWrapper):
        # Lean's text, in whatever locale; also what JSON must be in. Names of files may be no text at all.
        stream.reconfigure(encoding="utf-8", errors="replace")
    return _Console(file=stream, highlight=False, markup=False, emoji=False)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command line, where rich would end the process on the spot."""
        raise BrokenPipeError


def seconds(value: float) -> str:
    """A duration as people read it: `0.21 s`, `12 s`, `2 min 5 s`."""
    if value < 10:
        return f"{value:.2f} s"
    if value < 60:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def plural(count: int, noun: str) -> str:
    """`1 goal`, `2 goals`, `8,302 files`."""
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s"


def megabytes(count: int) -> str:
    """A size as people read it: `0.4 MB`, `255 MB`, `1.2 GB`."""
    if count < 10_000_000:
        return f"{count / 1e6:.1f} MB"
    return f"{count / 1e6:.0f} MB" if count < 1_000_000_000 else f"{count / 1e9:.1f} GB"


def sparing(progress: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
    """Tell the terminal a few times a second only."""
    last = (0.0, "")

    def tell(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if what != last[1] or now - last[0] > 0.1:
            last = (now, what)
            progress(what, done, total)

    return tell
