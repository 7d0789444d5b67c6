"""The command `tacit.closeGoal`: find a tactic that ends the goal, put it into the document, say what happened.

An edit is sent for the very version that was asked about, so that an editor which has moved on refuses it.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from typing import Any

import cattrs
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tacit.index.encoder import cache_folder
from tacit.index.folders import make_private, private_opener
from tacit.server import wire
from tacit.server.actions import workspace_edit
from tacit.server.features import SLACK, current, question
from tacit.server.mirror import OpenDocument
from tacit.server.modules import module_at
from tacit.server.outgoing import plain, to_range
from tacit.server.protocol import TacitServer
from tacit.server.prover.events import Proved, Searched, SearchEvent, Searching
from tacit.server.prover.report import progress, summary
from tacit.server.prover.traces import Tracer
from tacit.server.prover.wanted import ALTERNATIVES, FINISHING, Finish
from tacit.server.question import Question, closes
from tacit.server.requests import Run, Stopped, Why
from tacit.server.session import Session
from tacit.server.suggest import BatchChecked, Options
from tacit.server.text import Span
from tacit.server.values import Suggestion

log = logging.getLogger(__name__)
TRACES = "traces"
"""The folder of traces, in the cache folder."""

EVERYTHING = 10_000
"""A limit that is none: tactics that only make progress must not use up the room for one that closes."""

EDITOR_SECONDS = 10.0
"""Seconds that the editor gets to apply an edit."""

Report = Callable[[str], None]

CHANGED = "The document changed while Tacit was searching, so nothing was inserted."


class Closing:
    """Answers the command."""

    def __init__(self, server: TacitServer, session: Session) -> None:
        self._server = server
        self._session = session

    def register(self) -> None:
        """Register the command on the server."""
        self._server.on_command(wire.CLOSE_GOAL, self.close_goal)

    async def close_goal(self, params: types.ExecuteCommandParams) -> wire.CloseGoalResult:
        """Close one goal. What the user can do nothing about is a sentence, not an error."""
        argument = self._argument(params)
        result = await self._close(argument, params.work_done_token)
        if argument.tell:
            kind = types.MessageType.Info if result.applied else types.MessageType.Warning
            self._session.tell(result.sentence, kind)
        return result

    async def _close(self, argument: wire.CloseGoalArgument, token: types.ProgressToken | None) -> wire.CloseGoalResult:
        try:
            document = current(self._session, argument.uri, argument.version)
        except wire.ContentModified:
            return _nothing(CHANGED)
        budget = argument.budget or self._session.settings.prove_budget
        finish = Finish(self._session.settings.prove_simp_only, ALTERNATIVES)
        options = Options(budget, stop_at_first_close=True, limit=EVERYTHING, near=True, search=True, finish=finish)
        asked = question(document, argument.position, options)
        try:
            run = self._session.requests.recall(asked)
            if run is None or run.closing is None or (finish.simp_only and not run.answers(asked)):
                async with self._progress(token) as report:
                    # What goes on there already may find it; when it ends without, a search for just this follows.
                    run = await self._search(asked, report, lenient=not finish.simp_only)
                    if run.closing is None and run.done and run.question is not asked and not run.answers(asked):
                        run = await self._search(asked, report)
        except Stopped as stopped:
            return _nothing(CHANGED if stopped.why is Why.CHANGED else f"Nothing was inserted: {stopped.why.value}.")
        except _CancelledByUser:
            return _nothing("Cancelled; nothing was inserted.")
        except Exception as error:
            return _nothing(self._session.explain(error))
        finally:
            self._session.announce()
        self._session.works()
        if run.closing is None:
            return _nothing(_failure(run, budget))
        return await self._apply(document, run.closing, others(run))

    async def _apply(
        self, document: OpenDocument, suggestion: Suggestion, others: Sequence[Suggestion]
    ) -> wire.CloseGoalResult:
        edit = workspace_edit(document, suggestion, versioned=self._session.versioned_edits)
        params = types.ApplyWorkspaceEditParams(edit=edit, label="Close this goal")
        try:
            async with asyncio.timeout(EDITOR_SECONDS):
                answer = await self._server.workspace_apply_edit_async(params)
        except TimeoutError:
            return wire.CloseGoalResult(False, suggestion.tactic, "The editor did not answer whether it took the edit.")
        except Exception as error:
            return wire.CloseGoalResult(False, suggestion.tactic, f"The editor refused the edit: {error}.")
        if not answer.applied:
            why = f": {answer.failure_reason.rstrip('.')}" if answer.failure_reason else ""
            return wire.CloseGoalResult(False, suggestion.tactic, f"The editor did not take the edit{why}.")
        rest = "" if closes(suggestion) or not suggestion.note else f" {suggestion.note}"
        place, proofs = found(document, [suggestion, *others]) if others else (None, [])
        more = f" {_plural(len(others))} found." if others else ""
        said = f"Closed the goal with `{suggestion.tactic}`.{rest}{more}"
        return wire.CloseGoalResult(True, suggestion.tactic, said, place, proofs)

    def _argument(self, params: types.ExecuteCommandParams) -> wire.CloseGoalArgument:
        arguments = params.arguments or []
        if len(arguments) != 1 or not isinstance(arguments[0], dict):
            raise wire.InvalidParams(f"The command {wire.CLOSE_GOAL} takes one argument, an object {{uri, position}}.")
        try:
            return self._server.protocol.structure(arguments[0], wire.CloseGoalArgument)
        except cattrs.BaseValidationError as error:
            raise wire.InvalidParams(wire.sentence(f"The argument of {wire.CLOSE_GOAL}", error)) from error

    async def _search(self, asked: Question, report: Report, *, lenient: bool = False) -> Run:
        run = self._session.requests.ask(asked, lenient=lenient)
        longest = asked.options.budget + FINISHING + SLACK
        with run.follow():
            reports = self._session.spawn(_count(run, report))
            try:
                await run.until(lambda run: run.closing is not None, longest, once_ready=True)
            finally:
                reports.cancel()
                if self._session.settings.prove_traces:
                    await asyncio.to_thread(self._keep, run)
        return run

    def _keep(self, run: Run) -> None:
        """Append what a search tried to this month's file of traces; that it cannot be written is only logged."""
        document, folder = run.question.document, cache_folder() / TRACES
        lean = self._session.status().version
        try:
            make_private(folder)
            with open(folder / time.strftime("%Y-%m.jsonl"), "a", encoding="utf-8", opener=private_opener) as file:
                tracer = Tracer(file)
                if run.goal is not None:
                    name, module = str(document.path or document.uri), module_at(document.path)
                    budget = run.question.options.budget
                    tracer.begin(
                        run.goal.goals, run.goal.declaration, file=name, module=module, budget=budget, lean=lean
                    )
                for event in run.events:
                    if isinstance(event, SearchEvent):
                        tracer.note(event)
                tracer.flush()
        except OSError as error:
            log.warning("Traces could not be written: %s", error)

    @asynccontextmanager
    async def _progress(self, token: types.ProgressToken | None) -> AsyncIterator[Report]:
        """Show that something goes on, with a way to stop it, where the editor can. The search waits for none of it."""
        shows = self._server.work_done_progress
        shown: list[types.ProgressToken] = []
        task = asyncio.current_task()
        by_user = False

        def cancel(done: Future[Any]) -> None:
            nonlocal by_user
            if done.cancelled() and task is not None:
                by_user = True
                task.cancel()

        def begin(token: types.ProgressToken) -> None:
            shown.append(token)
            first = types.WorkDoneProgressBegin("Closing the goal", cancellable=True, message="asking Lean")
            shows.begin(token, first)
            shows.tokens[token].add_done_callback(cancel)

        def report(message: str) -> None:
            for token in shown:
                shows.report(token, types.WorkDoneProgressReport(message=plain(message)))

        opening = None
        if token is not None:
            begin(token)
        elif (window := self._server.client_capabilities.window) and window.work_done_progress:
            opening = self._session.spawn(self._open(begin))
        try:
            yield report
        except asyncio.CancelledError:
            if by_user and task is not None:
                task.uncancel()
                raise _CancelledByUser from None
            raise
        finally:
            if opening is not None:
                opening.cancel()
            for token in shown:
                shows.tokens.pop(token, None)
                shows.end(token, types.WorkDoneProgressEnd())

    async def _open(self, begin: Callable[[types.ProgressToken], None]) -> None:
        """Ask the editor for a place to show progress, and begin when it gives one."""
        token = f"tacit-{uuid.uuid4()}"
        with suppress(JsonRpcException):
            await self._server.work_done_progress.create_async(token)
            begin(token)


def _plural(count: int) -> str:
    return "Another proof was" if count == 1 else f"{count} other proofs were"


def others(run: Run) -> list[Suggestion]:
    """The proofs that a run found beside the one that it tells first; none twice."""
    closing = [event.suggestion for event in run.found if closes(event.suggestion)]
    closing += [each for event in run.events if isinstance(event, Proved) for each in event.alternatives]
    first = run.closing.tactic if run.closing is not None else ""
    by_text: dict[str, Suggestion] = {}
    for each in closing:
        if each.tactic != first:
            by_text.setdefault(each.tactic, each)
    return list(by_text.values())[:ALTERNATIVES]


def found(document: OpenDocument, proofs: Sequence[Suggestion]) -> tuple[types.Range, list[wire.ProofItem]]:
    """Proofs of one goal as texts for one range: where the first of them stands in the document with it."""
    spans = [each.edit.span for each in proofs]
    whole = Span(min(span.start for span in spans), max(span.end for span in spans))

    def text(proof: Suggestion) -> str:
        span = proof.edit.span
        return document.text[whole.start : span.start] + proof.edit.new_text + document.text[span.end : whole.end]

    put = text(proofs[0])
    after = document.changed(document.version, [(document.range(whole), put)])
    items = [wire.ProofItem(each.tactic, text(each), each.source, list(each.axioms)) for each in proofs]
    return to_range(after.range(Span(whole.start, whole.start + len(put)))), items


class _CancelledByUser(Exception):
    """The user pressed cancel on the progress message."""


async def _count(run: Run, report: Report) -> None:
    tried = 0
    with suppress(Exception):
        async for event in run.stream():
            if isinstance(event, BatchChecked):
                tried += len(event.checked)
                report(f"{tried} tactic{'' if tried == 1 else 's'} tried")
            elif isinstance(event, Searching):
                report(progress(event))


def _nothing(text: str) -> wire.CloseGoalResult:
    return wire.CloseGoalResult(False, None, text)


def _failure(run: Run, budget: float) -> str:
    searched = next((event for event in run.events if isinstance(event, Searched)), None)
    if searched is not None and run.finished:
        return f"No proof found. {summary(searched)}"
    tried = run.finished.checked if run.finished else 0
    if run.finished and run.finished.elapsed < budget:
        text = f"None of the {tried} tactics tried closes this goal." if tried else "There was no tactic to try here."
        return f"{text} {run.finished.notice}".strip()
    return f"No proof found in {budget:g} s."
