"""The tools as agents see them: names, arguments, descriptions, progress, and one sentence where something fails.

Specification: Model Context Protocol, through the official package. What is asked is done by the desk.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp.types import (
    CallToolResult,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    TextContent,
    ToolAnnotations,
)
from pydantic import Field, ValidationError

from tacit.server import logs
from tacit.server import mcp_answers as answers
from tacit.server.errors import TacitError
from tacit.server.mcp_desk import Desk, Spot
from tacit.server.mirror import path_of
from tacit.server.prover.wanted import Finish

log = logging.getLogger(__name__)

INSTRUCTIONS = """Tacit runs tactics in a real Lean 4 and searches the project and Mathlib. Every tactic and proof it \
answers with has been checked by Lean in the file as it is on disk: save the file before you ask, and apply the edits \
yourself, for Tacit writes nothing. Lines and columns count from 1, columns in characters. At a `sorry` leave the \
column out. Usual order: `goal` to see what is to be proved, `prove` or `suggest` for tactics, `search` for lemmas, \
`check` for a tactic of your own."""

TICK = 1.0
"""Seconds between notes of progress: clients that wait for a limited time begin anew with each."""
ROOTS_SECONDS = 5.0
"""Seconds that a client gets to say which folders are its own."""

File = Annotated[
    str, Field(description="The Lean file: its path, from the folder that the server was started for or as a whole.")
]
Line = Annotated[int, Field(ge=1, description="The line, from 1.")]
Column = Annotated[
    int | None,
    Field(
        ge=1,
        description="The column, from 1, in characters: before the character of that number. Left out: the first"
        " `sorry` of the line, else the end of the line, which is also the place before what stands on the next.",
    ),
]
Limit = Annotated[int, Field(ge=1, le=100, description="At most so many answers.")]
Kind = Literal[
    "theorem", "def", "instance", "structure", "class", "inductive", "constructor", "field", "axiom", "opaque"
]
Tools = Context[Any, Any]
T = TypeVar("T")


class Narrator:
    """Says in notes of progress what goes on, each second until it ends."""

    def __init__(self, context: Tools) -> None:
        self._context = context
        self._text = "Starting Lean"
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """It is this, now."""
        self._text = text

    async def tell(self) -> None:
        """Go on until cancelled, or until the client is gone."""
        while True:
            await asyncio.sleep(TICK)
            await self._context.report_progress(round(time.monotonic() - self._began, 1), None, self._text)


class Server(MCPServer[Any]):
    """Offers what a desk can do."""

    def __init__(self, desk: Desk, version: str) -> None:
        super().__init__("tacit", title="Tacit", version=version, instructions=INSTRUCTIONS, log_level="WARNING")
        self._desk = desk
        self._running: set[asyncio.Task[Any]] = set()
        for tool, title in (
            (self.goal, "Goals at a place"),
            (self.suggest, "Checked tactics"),
            (self.check, "Check a tactic"),
            (self.prove, "Close a goal"),
            (self.search, "Search declarations"),
        ):
            harmless = ToolAnnotations(read_only_hint=True, open_world_hint=False)
            self.add_tool(tool, title=title, annotations=harmless)

    # ------------------------------------------------------------ tools

    async def goal(self, file: File, line: Line, context: Tools, column: Column = None) -> answers.GoalAnswer:
        """Show the goals at a place of a Lean file, as Lean prints them: hypotheses, then `⊢` and what is to be proved.

        Use it before writing a tactic. It needs no index and takes a moment once Lean has read the file.
        """
        return await self._at(context, file, line, column, lambda spot, _: self._desk.goal(spot))

    async def suggest(
        self,
        file: File,
        line: Line,
        context: Tools,
        column: Column = None,
        limit: Limit = 10,
        budget: Annotated[float, Field(gt=0, le=600, description="Seconds that it may take.")] = 10.0,
    ) -> answers.SuggestAnswer:
        """Find single tactics for the goal at a place: each was run by Lean, with the goals it leaves and the edit.

        Those that close the goal come first; they were elaborated in place, the whole declaration, with no new error,
        no `sorry` and no new axiom. For proofs of several steps use `prove`.
        """
        return await self._at(
            context, file, line, column, lambda spot, narrator: self._desk.suggest(spot, budget, limit, narrator)
        )

    async def check(
        self,
        file: File,
        line: Line,
        tactic: Annotated[
            str,
            Field(
                description="The tactic, or several on lines of their own, without leading indentation, comments and"
                " strings. It takes the place of the `sorry`, or stands at the place."
            ),
        ],
        context: Tools,
        column: Column = None,
    ) -> answers.CheckAnswer:
        """Ask Lean what a tactic of yours does at a place, without touching the file: closes, goals left, or the error.

        `sorry`, `native_decide` and what runs code are refused.
        """
        return await self._at(context, file, line, column, lambda spot, _: self._desk.check(spot, tactic))

    async def prove(
        self,
        file: File,
        line: Line,
        context: Tools,
        column: Column = None,
        budget: Annotated[float, Field(gt=0, le=3600, description="Seconds that the search may take.")] = 30.0,
        alternatives: Annotated[
            int, Field(ge=0, le=10, description="Other proofs to look for as well, at most so many.")
        ] = 0,
        simp_only: Annotated[
            bool, Field(description="Write `simp only [...]` where the proof has `simp`, as files of a library do.")
        ] = False,
    ) -> answers.ProveAnswer:
        """Search for a whole proof of the goal at a place, over several steps.

        A proof in the answer was accepted by Lean as a whole, in place; apply its edit. Where there is none, the answer
        says why, with a sketch as far as the search came. Tells its progress and can be cancelled.
        """
        finish = Finish(simp_only, alternatives)
        return await self._at(
            context, file, line, column, lambda spot, narrator: self._desk.prove(spot, budget, finish, narrator)
        )

    async def search(
        self,
        query: Annotated[
            str,
            Field(
                description="English, LaTeX, Lean, a name or a part of one, a statement with holes (`_ + _ = _ + _`) or"
                " variables (`a + b = b + a`), or a goal (`⊢ …`); mixed freely. Empty lists what the filters keep."
            ),
        ],
        context: Tools,
        limit: Limit = 10,
        kind: Annotated[Kind | None, Field(description="Only declarations of this kind.")] = None,
        module: Annotated[str, Field(description="Only in this module or below it: `Mathlib.Order`.")] = "",
        package: Annotated[str, Field(description="Only of this package: `mathlib`.")] = "",
        usable_in: Annotated[
            str, Field(description="A Lean file: only what can be used there, by its imports or above `line`.")
        ] = "",
        line: Annotated[int, Field(ge=1, description="The line of `usable_in`.")] = 1,
    ) -> answers.SearchAnswer:
        """Search the declarations of this project, its dependencies and Mathlib, for lemmas and definitions.

        Answers in milliseconds from an index on this machine, which `tacit index build` makes.
        """
        filters = (("kind", kind), ("module", module), ("package", package))
        text = " ".join([query, *(f"{name}:{value}" for name, value in filters if value)])

        if usable_in:
            return await self._at(context, usable_in, line, None, lambda spot, _: self._desk.search(text, limit, spot))
        return await self._run(context, lambda _: self._desk.search(text, limit, None))

    # ------------------------------------------------------------ how tools are run

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Tools | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Run a tool. What fails is told in a sentence, for the agent to read."""
        try:
            return await super().call_tool(name, arguments, context)
        except MCPError:
            raise
        except ToolError as error:
            return CallToolResult(content=[TextContent(text=_sentence(error))], is_error=True)

    async def _run(self, context: Tools, work: Callable[[Narrator], Coroutine[Any, Any, T]]) -> T:
        """Do the work, telling its progress, in a task of its own.

        A request that is cancelled is cancelled at each of its steps, so that what tidies up could not do it. The task
        is cancelled once, and ends in its own time.
        """
        narrator = Narrator(context)
        task = asyncio.ensure_future(work(narrator))
        telling = asyncio.ensure_future(narrator.tell())
        for each in (task, telling):
            self._running.add(each)
            each.add_done_callback(self._ended)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            telling.cancel()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("a tool ended with %r", error)  # whoever waits for it is told

    async def _at(
        self,
        context: Tools,
        file: str,
        line: int,
        column: int | None,
        work: Callable[[Spot, Narrator], Coroutine[Any, Any, T]],
    ) -> T:
        """The same for a place in a file."""

        async def there(narrator: Narrator) -> T:
            self._desk.allow(await _roots(context))
            return await work(await self._desk.spot(file, line, column), narrator)

        return await self._run(context, there)

    async def aclose(self) -> None:
        """End what is being done, then Lean."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._desk.aclose()


async def _roots(context: Tools) -> list[Path]:
    """The folders that the client says it works in; none where it cannot be asked."""
    able = context.client_capabilities
    if able is None or able.roots is None:
        return []
    try:
        async with asyncio.timeout(ROOTS_SECONDS):
            said = await context.session.send_request(ListRootsRequest(), ListRootsResult)
    except (MCPError, TimeoutError) as error:
        log.info("the client names no folders: %s", error)
        return []
    return [path for each in said.roots if (path := path_of(str(each.uri))) is not None]


def _sentence(error: ToolError) -> str:
    """What a tool that failed says."""
    cause = error.__cause__
    if isinstance(cause, TacitError):
        return str(cause)
    if isinstance(cause, ValidationError):
        wrong = "; ".join(f"`{'.'.join(map(str, each['loc']))}`: {each['msg']}" for each in cause.errors())
        return f"These arguments cannot be used: {wrong}. Call it again with others."
    if cause is not None:
        log.error("a tool failed", exc_info=cause)
        more = logs.says_more("Start it with -v to see where.")
        return f"Something went wrong inside Tacit: {type(cause).__name__}: {cause}. {more}"
    return str(error)
