"""What agents ask for, done: goals, suggestions, verdicts, proofs and declarations of files as they are on disk.

Reads files and asks the engine and the indexes; writes nothing. Knows nothing of how it is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tacit.index.packages import workspace_of
from tacit.server import mcp_answers as answers
from tacit.server.answers import Answer, Ask
from tacit.server.attempts import Listener, attempt
from tacit.server.command import CLOSE_SECONDS, EVERYTHING, Engine
from tacit.server.errors import BadInput, NoGoal
from tacit.server.gathered import Gathered
from tacit.server.mcp_files import Folders, imported_state
from tacit.server.patch import LeanFile
from tacit.server.prover.wanted import Finish
from tacit.server.searcher import Searcher
from tacit.server.show import best_first
from tacit.server.suggest import Document, Event, Options
from tacit.server.suggest_at import Place
from tacit.server.terminal import plural
from tacit.server.text import LineIndex, Position
from tacit.server.values import Verdict
from tacit.server.workplace import workspaces

CHECK_SECONDS = 30.0
"""Seconds for one tactic that an agent wants to know about."""
NOTHING_INDEXED = "Nothing is indexed here yet."
INDEX = "`tacit index build`, run in the project, reads what is missing."


class Forgetting(Engine, Protocol):
    """An engine that can let the Lean of a document go."""

    async def forget(self, uri: str) -> None:
        """See Suggester."""
        ...


@dataclass(frozen=True, slots=True)
class Spot:
    """A place that an agent named: the file as it was read, and where in it."""

    file: LeanFile
    position: Position

    @property
    def offset(self) -> int:
        """The same, from the beginning of the text."""
        return LineIndex(self.file.text).offset(self.position)


class Desk:
    """Answers one agent. `engine` makes what asks Lean, once it is needed.

    `searcher` holds the indexes, for premises of goals too; it is closed with the desk. `folders` are those whose files
    may be opened; `lean` is the Lean that was named, if any.
    """

    def __init__(
        self, engine: Callable[[], Forgetting], searcher: Searcher, folders: Sequence[Path], lean: str = ""
    ) -> None:
        self._own = tuple(folders)
        self._lean = lean
        self._folders = Folders.of(folders)
        self._make = engine
        self._made: Forgetting | None = None
        self._searcher = searcher
        self._arranged: tuple[Path, ...] | None = None
        self._workspaces: dict[Path, None] = {}
        self._version = 0
        self._imported: dict[str, tuple[object, ...]] = {}

    def allow(self, more: Sequence[Path]) -> None:
        """Let files of these folders be opened too, and no more of those that were allowed before."""
        self._folders = Folders.of([*self._own, *more])

    # ------------------------------------------------------------ goals

    async def goal(self, spot: Spot) -> answers.GoalAnswer:
        """What is to be proved at a place. Raises NoGoal with what Lean says."""
        told = Gathered(1)
        async with aclosing(await self._suggest(spot, Options())) as events:
            async for event in events:
                told.take(event)
                if told.goal is not None:
                    break
        found = answers.place(spot.file, spot.offset, told.goal)
        is_data = told.goal is not None and told.goal.is_data
        return answers.GoalAnswer(**found.model_dump(), is_data=is_data)

    async def suggest(self, spot: Spot, budget: float, limit: int, listener: Listener) -> answers.SuggestAnswer:
        """Checked tactics."""
        told = Gathered(limit)
        options = Options(budget, limit=EVERYTHING)
        async with aclosing(await self._suggest(spot, options)) as events:
            async for event in events:
                told.take(event)
                if told.goal is not None:
                    listener.say(f"{plural(told.checked, 'tactic')} tried")
                if told.enough:
                    break
        found = answers.place(spot.file, spot.offset, told.goal)
        return answers.SuggestAnswer(
            **found.model_dump(),
            suggestions=[answers.tactic(spot.file, each.suggestion) for each in best_first(told.found)],
            checked=told.checked,
            notice=self._notice(told.notice),
        )

    async def check(self, spot: Spot, text: str) -> answers.CheckAnswer:
        """What Lean says of one tactic."""
        told = Gathered(EVERYTHING)
        options = Options(CHECK_SECONDS, verify_progress=True, sources=frozenset(), given=(text.strip("\n"),))
        async with aclosing(await self._suggest(spot, options)) as events:
            async for event in events:
                told.take(event)
        found = answers.place(spot.file, spot.offset, told.goal)
        first = told.verdicts[0] if told.verdicts else None
        if first is None:
            raise NoGoal("Lean said nothing of this tactic.", hint="Ask again.")
        shown = next((each.suggestion for each in told.found if each.suggestion.tactic == first.candidate.text), None)
        verdict: answers.Checked = first.verdict.value
        message = first.message
        axioms: tuple[str, ...] = ()
        if shown is not None:
            verdict, message, axioms = answers.result(shown), shown.note, shown.axioms
        elif first.verdict is Verdict.CLOSES:
            verdict, message = "fails", "It closes the goal alone, but Lean did not accept it in place."
        elif first.verdict is Verdict.PROGRESSES:
            message = "It runs, but leads nowhere, or Lean did not accept it in place: so there is no edit."
        return answers.CheckAnswer(
            **found.model_dump(),
            verdict=verdict,
            left=answers.texts(first.goals),
            message=message,
            try_this=list(first.try_this),
            axioms=list(axioms),
            edit=answers.edit_of(spot.file, shown.edit) if shown is not None else None,
            diff=answers.diff_of(spot.file, shown.edit) if shown is not None else "",
            notice=self._notice(told.notice),
        )

    async def prove(self, spot: Spot, budget: float, finish: Finish, listener: Listener) -> answers.ProveAnswer:
        """A proof of several steps, or how far the search came."""
        file, position = spot.file, spot.position
        engine, document = await self._ready(spot)
        tried = await attempt(
            engine, file, file.text, spot.offset, document.version, budget, listener, None, finish=finish
        )
        found, sketch, searched = tried.suggestion, tried.sketch, tried.searched
        return answers.ProveAnswer(
            file=file.shown,
            line=position.line + 1,
            column=position.column + 1,
            declaration=tried.declaration,
            proved=found is not None,
            proof=found.tactic if found is not None else None,
            edit=answers.edit_of(file, found.edit) if found is not None else None,
            diff=answers.diff_of(file, found.edit) if found is not None else "",
            axioms=list(found.axioms) if found is not None else [],
            alternatives=[answers.proof(file, each) for each in tried.alternatives],
            steps=[each.tactic for each in tried.steps],
            sketch=sketch.tactic if sketch is not None and found is None else None,
            sketch_edit=answers.edit_of(file, sketch.edit) if sketch is not None and found is None else None,
            reason=self._notice(tried.reason),
            states=searched.states if searched is not None else 0,
            checked=searched.checked if searched is not None else 0,
            seconds=round(searched.elapsed, 2) if searched is not None else 0.0,
        )

    # ------------------------------------------------------------ declarations

    async def search(self, text: str, limit: int, spot: Spot | None) -> answers.SearchAnswer:
        """Declarations for a question; with a place only those that can be used there."""
        if not text.strip():
            raise BadInput("There is nothing to search for.", hint="Ask in words or symbols: `a + b = b + a`.")
        ask = Ask(text, limit)
        if spot is not None:
            ask = Ask(text, limit, spot.file.path, spot.file.text, spot.offset, usable_here=True)
        await self._arrange(spot.file.path if spot is not None else None)
        answer = await self._searcher.search(ask)
        before = self._searcher.status().conditions
        await self._searcher.settled()
        if self._searcher.status().conditions != before:  # meanings have joined: with them the answer is another
            answer = await self._searcher.search(ask)
        return answers.SearchAnswer(
            premises=[answers.premise(each) for each in answer.found], total=answer.total, notice=self._said(answer)
        )

    def _said(self, answer: Answer) -> str:
        """What is to be said beside an answer."""
        status = self._searcher.status()
        missing = status.sentence or ("" if answer.total else NOTHING_INDEXED)
        if not answer.total or not all(each.open for each in status.conditions):
            missing = f"{missing} {INDEX}".strip()
        return " ".join(each for each in (answer.sentence, missing) if each)

    # ------------------------------------------------------------ inside

    async def spot(self, name: str, line: int, column: int | None) -> Spot:
        """A place in a file, as it is on disk now. Raises BadInput.

        Without a column it is the first `sorry` of the line, else its end.
        """
        file = await asyncio.to_thread(self._folders.read, name)
        return Spot(file, Place(file.path, line, column).position(file))

    async def _suggest(self, spot: Spot, options: Options) -> AsyncGenerator[Event, None]:
        engine, document = await self._ready(spot)
        return engine.suggest(document, spot.position, options)

    async def _ready(self, spot: Spot) -> tuple[Forgetting, Document]:
        """The engine, and the file as a document of its own version. A Lean whose imports are others now is let go."""
        await self._arrange(spot.file.path)
        if self._made is None:
            self._made = self._make()
        self._version += 1
        document = spot.file.document(version=self._version)
        workspace = await asyncio.to_thread(workspace_of, spot.file.path)
        state = await asyncio.to_thread(imported_state, spot.file, workspace)
        if self._imported.get(document.uri, state) != state:
            await self._made.forget(document.uri)
        self._imported[document.uri] = state
        return self._made, document

    async def _arrange(self, path: Path | None) -> None:
        """Search the packages of the folders, and those of a file's workspace."""
        documents = [path] if path is not None else []
        for each in await asyncio.to_thread(workspaces, self._folders.paths, documents):
            self._workspaces[each] = None
        wanted = tuple(self._workspaces)
        if wanted != self._arranged:
            self._arranged = wanted
            self._searcher.arrange(wanted, everything=True, lean=self._lean)

    def _notice(self, said: str) -> str:
        """What is to be said, with what is known of a Lean that does not run here."""
        status = self._made.status() if self._made is not None else None
        return f"{said} {status.sentence}".strip() if status is not None and status.replayed else said

    async def aclose(self) -> None:
        """End Lean, and give every file back."""
        await self._searcher.aclose()
        if self._made is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._made.aclose()
