"""The values around reading: a source to read, what one file says, and what went wrong. Nothing here reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tacit.index.premise import Premise


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read and the name of its module; `ilean` is what Lean wrote when it built it, where that is there."""

    module: str
    path: Path
    ilean: Path | None = None


@dataclass(frozen=True, slots=True)
class Import:
    """One `import` of a file. What is not `public` reaches this file alone, and not those that import it."""

    module: str
    public: bool = True
    meta: bool = False
    all: bool = False

    @property
    def mark(self) -> str:
        """The module with what says who sees it: `-` for what is not public, `+` for `import all`."""
        return f"{'' if self.public else '-'}{'+' if self.all else ''}{self.module}"

    @classmethod
    def of_mark(cls, mark: str) -> Import:
        """What `mark` says."""
        module = mark.lstrip("-+")
        before = mark[: len(mark) - len(module)]
        return cls(module, public="-" not in before, all="+" in before)


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be read, in one sentence. The rest of the file, and the other files, are read all the same."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one file says. `digest` is of its bytes: a file with the same digest need not be read again."""

    module: str
    path: str
    digest: str = ""
    imports: tuple[Import, ...] = ()
    premises: tuple[Premise, ...] = ()
    problems: tuple[Problem, ...] = ()
