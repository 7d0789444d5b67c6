"""`tacit demo`: the sidecar over a project of goals, as an editor uses it; one line a goal, and a summary.

With a live Lean where there is one; else from the recordings beside the goals, and then every line says so. Before it
the project is indexed, so that suggestions find premises; after it a handful of searches is shown.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tacit.server import wire
from tacit.server.command import Exit, run
from tacit.server.compose import lean_settings
from tacit.server.demo_project import DemoProject, open_project, recordings
from tacit.server.demo_report import Lines, Report, Shown, as_json, summary
from tacit.server.demo_search import DemoSearch
from tacit.server.elan import offer
from tacit.server.errors import LeanDied, LeanNotFound
from tacit.server.lean.locate import LeanInstall, find_lean
from tacit.server.settings import Settings
from tacit.server.sidecar import Sidecar, SidecarDied
from tacit.server.terminal import Busy, Terminal


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for. `budget` is seconds for each goal."""

    path: Path | None = None
    limit: int | None = None
    budget: float = 10.0
    replay: bool = False
    as_json: bool = False
    search: bool = True


def demo(terminal: Terminal, settings: Settings, wish: Wish, *, start: Callable[[list[str]], Sidecar] = Sidecar) -> int:
    """Run the command; the exit status. `start` makes the sidecar, for tests."""
    project = open_project(wish.path)
    found = None if wish.replay else _lean(settings, project)
    if (
        isinstance(found, LeanNotFound)
        and not wish.as_json
        and terminal.interactive
        and offer(terminal, project.folder)
    ):
        found = _lean(settings, project)
    install = found if isinstance(found, LeanInstall) else None
    if isinstance(found, LeanNotFound) and not project.recordings.is_dir():
        raise LeanNotFound(f"{found.args[0]} No recordings are in {project.recordings} either.", hint=found.hint)
    search = DemoSearch(terminal, project.folder, install, quiet=wish.as_json) if wish.search else None
    if search is not None:
        search.prepare()
    if install is None:
        recordings(project.recordings)
        arguments = ["serve", "--replay", str(project.recordings)]
    else:
        arguments = ["serve", "--lean", settings.lean_path] if settings.lean_path else ["serve"]
        arguments += ["--no-model"] if settings.model_path == "off" else []
    shown = _Demo(terminal, project, wish)
    status = run(shown.run(start(arguments)))
    terminal.notice = ""  # what follows was not recorded
    searched = search.run() if search is not None and status == Exit.DONE else None
    if wish.as_json:
        terminal.json({**shown.json(), "search": searched})
    return status


def _lean(settings: Settings, project: DemoProject) -> LeanInstall | LeanNotFound:
    """The Lean, or why there is none. Raises it when the user named one: then no other will do."""
    try:
        return run(find_lean(lean_settings(settings), project.folder))
    except LeanNotFound as exc:
        if settings.lean_path or os.environ.get("TACIT_LEAN"):
            raise
        return exc


class _Demo:
    """One run over the goals chosen, and what it has shown so far."""

    def __init__(self, terminal: Terminal, project: DemoProject, wish: Wish) -> None:
        self._terminal = terminal
        self._project = project
        self._wish = wish
        self._chosen = project.goals[: wish.limit]
        self._lines = Lines(terminal, self._chosen)
        self._shown: list[Shown] = []
        self._lean: wire.LeanState | None = None
        self._report: Report | None = None

    def json(self) -> dict[str, Any]:
        """What came of it, when it is over."""
        assert self._report is not None
        return as_json(self._project, self._report, len(self._chosen))

    async def run(self, process: Sidecar) -> int:
        failure: SidecarDied | None = None
        began = time.monotonic()
        with self._terminal.busy("Starting the sidecar", len(self._chosen)) as busy:
            try:
                async with process as sidecar:
                    await self._ask_all(sidecar, busy)
            except SidecarDied as exc:
                failure = exc
        if self._lean is None or not self._shown:
            raise LeanDied(str(failure)) from failure
        self._report = report = Report(self._shown, self._lean, time.monotonic() - began)
        if not self._wish.as_json:
            summary(self._terminal, report)
        if failure is not None:
            self._terminal.error(str(failure))
            return Exit.FAULT
        if report.lean.replayed and not any(shown.asked for shown in self._shown):
            self._terminal.error("The recordings fit neither these goals nor what Tacit asks; they must be made again.")
            return Exit.NO_LEAN
        return Exit.DONE

    async def _ask_all(self, sidecar: Sidecar, busy: Busy) -> None:
        for file in dict.fromkeys(file for file, _ in self._chosen):
            uri, text = file.file.path.as_uri(), file.file.text
            busy.say(f"{file.name}  starting Lean")
            sidecar.open(uri, text)
            # In an editor Lean has long read the file when one asks; here, too, its start is nobody's waiting time.
            self._lean = await sidecar.lean()
            # (Lean that failed after it had started is started again by the next request.)
            if self._lean.state == "missing" or (self._lean.state == "failed" and not self._lean.documents):
                raise LeanNotFound(self._lean.sentence)
            if self._lean.replayed:
                self._terminal.notice = self._lean.sentence
            for goal in (goal for each, goal in self._chosen if each is file):
                busy.say(f"{file.name}:{goal.position.line + 1}  {goal.declaration}")
                answer = await sidecar.suggest(uri, text, goal.position, self._wish.budget)
                self._shown.append(Shown(file, goal, answer))
                if not self._wish.as_json:
                    self._lines.show(self._shown[-1])
                busy.step()
            sidecar.close(uri)
