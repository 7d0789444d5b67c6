"""The demo project on disk: where it is, the goals in it, and the recordings beside them. Reads files; runs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tacit.server.errors import BadInput
from tacit.server.lean.syntax import Commands, declaration_head
from tacit.server.patch import LeanFile
from tacit.server.text import LineIndex, Position

PROJECT = "lean-project"
GOALS = "Demo"
RECORDINGS = "recordings"


@dataclass(frozen=True, slots=True)
class DemoGoal:
    """A `sorry`: where it stands, and the declaration it stands in."""

    position: Position
    declaration: str


@dataclass(frozen=True, slots=True)
class DemoFile:
    """A file with goals. `name` is its path from the project's folder."""

    file: LeanFile
    name: str
    goals: tuple[DemoGoal, ...]

    @property
    def recording(self) -> str:
        """The name of its recording: `Demo/Logic.lean` → `Logic.jsonl`."""
        parts = Path(self.name).with_suffix("").parts
        return ".".join(parts[1:] if parts[0] == GOALS and len(parts) > 1 else parts) + ".jsonl"


@dataclass(frozen=True, slots=True)
class DemoProject:
    """A folder with goals to run over."""

    folder: Path
    files: tuple[DemoFile, ...]

    @property
    def goals(self) -> list[tuple[DemoFile, DemoGoal]]:
        """Every goal with its file, in order."""
        return [(file, goal) for file in self.files for goal in file.goals]

    @property
    def recordings(self) -> Path:
        """Where the recordings of this project are."""
        return self.folder / RECORDINGS


def open_project(path: Path | None) -> DemoProject:
    """The project at a path (a folder, or one file of it), or the one that comes with Tacit. Raises BadInput."""
    if path is None:
        folder, only = _nearest(), None
    elif path.is_dir():
        folder, only = path.resolve(), None
    elif path.exists():
        only = path.resolve()
        folder = next((above for above in only.parents if (above / GOALS).is_dir()), only.parent)
    else:
        raise BadInput(f"There is no {path}.", hint="Name a folder with Lean files, or a Lean file.")
    paths = [only] if only else sorted(_lean_files(folder))
    files = [_read(each, folder) for each in paths]
    with_goals = tuple(file for file in files if file.goals)
    if not with_goals:
        raise BadInput(f"There is no `sorry` in {only or folder}, so there is nothing to show.")
    return DemoProject(folder, with_goals)


def recordings(folder: Path) -> list[Path]:
    """The recording files in a folder. Raises BadInput when there are none."""
    found = sorted(folder.glob("*.jsonl"))
    if not found:
        raise BadInput(f"There are no recordings in {folder}.", hint="`tacit demo --record` makes them, with a Lean.")
    return found


def _nearest() -> Path:
    here = Path.cwd()
    checkout = Path(__file__).resolve().parents[1]  # where an editable install comes from
    places = [here, *(above / PROJECT for above in (here, *here.parents, checkout))]
    for place in places:
        if (place / GOALS).is_dir() and any((place / GOALS).rglob("*.lean")):
            return place
    raise BadInput(
        f"The demo project was not found: there is no {PROJECT}/{GOALS} here, above, or beside Tacit.",
        hint=f"Run it inside a checkout of Tacit, or name a folder with Lean files: tacit demo {PROJECT}.",
    )


def _lean_files(folder: Path) -> Iterator[Path]:
    top = folder / GOALS if (folder / GOALS).is_dir() else folder
    for path in top.rglob("*.lean"):
        inside = path.relative_to(top).parts[:-1]
        if path.name != "lakefile.lean" and not any(part.startswith(".") or part == "build" for part in inside):
            yield path


def _read(path: Path, folder: Path) -> DemoFile:
    file = LeanFile.read(path)
    commands, index = Commands(file.text), LineIndex(file.text)
    goals = []
    for sorry in commands.sorries():
        command = commands.around(sorry.start)
        head = declaration_head(command, before=sorry.start) if command is not None else None
        name = head.name.text if head is not None and head.name is not None else "example"
        goals.append(DemoGoal(index.position(sorry.start), name))
    name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
    return DemoFile(file, name, tuple(goals))
