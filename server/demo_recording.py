"""`tacit demo --record`: asks a live Lean what the demo asks, keeps the answers, and holds the replay to them.

In one process and one request after another, so that two runs give the same files. The options are those that the
demo's requests have in the sidecar, but for the budget: what is recorded must not depend on how fast a machine is.
"""

from __future__ import annotations

from contextlib import aclosing

from tacit.server import compose
from tacit.server.command import EVERYTHING, Engine, Exit, run
from tacit.server.demo import Wish
from tacit.server.demo_project import DemoFile, DemoProject, open_project
from tacit.server.errors import BadInput, NoGoal
from tacit.server.lean.locate import find_lean
from tacit.server.question import closes
from tacit.server.settings import Settings
from tacit.server.suggest import Found, Options
from tacit.server.terminal import GOOD, STYLES, Busy, Terminal, plural

OPTIONS = Options(300.0, stop_at_first_close=True, verify_progress=True, limit=EVERYTHING, near=True)

Closed = dict[str, str]
"""The tactic for each goal that was closed, by its place."""


def record(terminal: Terminal, settings: Settings, wish: Wish) -> int:
    """Run the command; the exit status."""
    if wish.limit is not None or wish.replay:
        raise BadInput("A recording is of whole files, by a live Lean.", hint="Leave --limit and --replay out.")
    project = open_project(wish.path)
    return run(_record(terminal, settings, wish, project))


async def _record(terminal: Terminal, settings: Settings, wish: Wish, project: DemoProject) -> int:
    install = await find_lean(compose.lean_settings(settings), project.folder)
    live: Closed = {}
    with terminal.busy("Recording", len(project.goals)) as busy:
        for file in project.files:
            recorder = compose.Recorder()  # type: ignore[attr-defined]  # its module is the composition root's to know
            engine = compose.build_suggester(settings, recorder=recorder)
            try:
                live |= await _closed(engine, file, busy)
            finally:
                await engine.aclose()
            recorder.write(project.recordings / file.recording)
    _remove_old(project, wish)
    replayed: Closed = {}
    files = [project.recordings / file.recording for file in project.files]
    engine = compose.build_suggester(settings, recordings=files)
    with terminal.busy("Replaying", len(project.goals)) as busy:
        for file in project.files:
            replayed |= await _closed(engine, file, busy)
    different = sorted(place for place in live | replayed if live.get(place) != replayed.get(place))
    total = len(project.goals)
    if wish.as_json:
        result = {"closed": len(live), "total": total, "differ": different, "lean": install.version}
        terminal.json({"files": [str(file) for file in files], **result})
    elif not different:
        terminal.line(
            (f"{GOOD} ", STYLES[GOOD]),
            f"{plural(total, 'goal')} recorded in {project.recordings}: Lean {install.version} closed {len(live)},",
            " and so does the replay.",
        )
    if different:
        terminal.error(f"The replay does not close what Lean closed: {', '.join(different)}.")
        return Exit.OPEN
    return Exit.DONE


async def _closed(engine: Engine, file: DemoFile, busy: Busy) -> Closed:
    found: Closed = {}
    for goal in file.goals:
        place = f"{file.name}:{goal.position.line + 1}:{goal.position.column + 1}"
        busy.say(f"{place}  {goal.declaration}")
        try:
            async with aclosing(engine.suggest(file.file.document(), goal.position, OPTIONS)) as events:
                async for event in events:
                    if isinstance(event, Found) and closes(event.suggestion):
                        found[place] = event.suggestion.tactic
        except NoGoal:
            pass
        busy.step()
    return found


def _remove_old(project: DemoProject, wish: Wish) -> None:
    """Recordings of files that are no longer there would only be dead weight."""
    if wish.path is None or wish.path.is_dir():
        kept = {file.recording for file in project.files}
        for path in project.recordings.glob("*.jsonl"):
            if path.name not in kept:
                path.unlink()
