"""The answers to the editor's requests. Each reads its parameters, follows a run, and says what was found.

What the editor asks by itself (ghost text, the lightbulb) is never answered with an error: a place without a goal, a
missing Lean or a newer request all leave the list empty.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tacit.server import actions, wire
from tacit.server.errors import TacitError
from tacit.server.ghost import MOST, ghost_edits
from tacit.server.mirror import OpenDocument, Place
from tacit.server.outgoing import to_edit, to_goals, to_hole, to_item, to_model, to_state
from tacit.server.protocol import TacitServer
from tacit.server.question import Question, closes, closes_here, order
from tacit.server.requests import Run, Stopped, Why
from tacit.server.session import Session
from tacit.server.suggest import BatchChecked, Finished, Found, GoalFound, Options
from tacit.server.text import LineIndex

SLACK = 2.0
"""Seconds beyond its budget after which a run is no longer waited for: the last batch may still go on."""

OPTIONS = Options()


class Features:
    """The handlers, and what they share."""

    def __init__(
        self, server: TacitServer, session: Session, index: Callable[[], wire.IndexState | None] = lambda: None
    ) -> None:
        self._server = server
        self._session = session
        self._index = index

    def register(self) -> None:
        """Register every handler on the server."""
        on = self._server.on
        # The capability is only advertised when the options are given.
        on(types.TEXT_DOCUMENT_INLINE_COMPLETION, self.inline_completion, types.InlineCompletionOptions())
        options = types.CodeActionOptions(code_action_kinds=actions.KINDS)
        on(types.TEXT_DOCUMENT_CODE_ACTION, self.code_action, options)
        on(wire.SUGGEST, self.suggest)
        on(wire.STATUS, self.status)

    async def inline_completion(self, params: types.InlineCompletionParams) -> types.InlineCompletionList:
        """Ghost text: a closing tactic as soon as there is one, after a while one that makes progress.

        Who asks for it by a key, as an editor does for the next alternative, waits a moment for more than one.
        """
        document, settings = self._session.find(params.text_document.uri), self._session.settings
        if document is None or not settings.inline_enabled:
            return types.InlineCompletionList([])
        cursor = document.offset(_place(params.position))
        options = Options(settings.suggest_budget, verify_progress=True, extend_typed=True)
        asked = question(document, params.position, options)

        def closing(run: Run) -> bool:
            found = [found for found in run.found if closes_here(found.suggestion)]
            return bool(found and ghost_edits(document, cursor, found))

        def anything(run: Run) -> bool:
            return bool(ghost_edits(document, cursor, run.found))

        def alternatives(run: Run) -> bool:
            return len(ghost_edits(document, cursor, run.found)) >= MOST

        async def wait(run: Run) -> None:
            if not await run.until(closing, settings.inline_wait, once_ready=True):
                await run.until(anything, settings.suggest_budget + SLACK, once_ready=True)
            if params.context.trigger_kind is types.InlineCompletionTriggerKind.Invoked:
                await run.until(alternatives, settings.inline_wait)

        run = await self._gather(asked, wait)
        shown = ghost_edits(document, cursor, run.found) if run is not None else []
        edits = [to_edit(document, edit) for edit in shown]
        return types.InlineCompletionList(
            [types.InlineCompletionItem(edit.new_text, range=edit.range) for edit in edits]
        )

    async def code_action(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        """The checked tactics for the goal at the cursor, or for a `sorry` in the range."""
        document, settings = self._session.find(params.text_document.uri), self._session.settings
        only = params.context.only
        if document is None or not any(actions.wanted(kind, only) for kind in actions.KINDS):
            return []
        start, end = (document.offset(_place(each)) for each in (params.range.start, params.range.end))
        offset = actions.place(document, start, end)
        position = LineIndex(document.text).position(offset)
        options = Options(settings.suggest_budget, verify_progress=True, near=True)
        asked = Question(document.value, position, options)
        known = self._session.requests.recall(asked)
        by_itself = params.context.trigger_kind is types.CodeActionTriggerKind.Automatic
        if known is None and by_itself and self._session.requests.busy(asked):
            return []  # The lightbulb follows the cursor; it must not end what somebody waits for elsewhere.
        if known is not None and (known.done or known.why is not None):
            run: Run | None = known
        else:
            run = await self._gather(asked, lambda run: run.until(lambda run: False, settings.action_wait))
        found = run.found if run is not None else ()
        shown = actions.code_actions(document, found, only, versioned=self._session.versioned_edits)
        unsolved = run is not None and (run.goal is not None or not run.done)
        if settings.action_closes and unsolved and actions.wanted(actions.CLOSING, only):
            shown.append(actions.closing_action(document, offset))
        return shown

    async def suggest(self, params: wire.SuggestParams) -> wire.SuggestResult:
        """Everything that is found, streamed where a token is given."""
        document = current(self._session, params.text_document.uri, params.text_document.version)
        began = time.monotonic()
        budget = params.budget or self._session.settings.suggest_budget
        limit = params.limit or OPTIONS.limit
        options = Options(
            budget,
            verify_progress=True,
            stop_at_first_close=params.stop_at_first_close,
            limit=max(limit, OPTIONS.limit),
            extend_typed=params.as_typed,
            near=True,
        )
        goal: GoalFound | None = None
        finished = Finished(0, 0.0)
        found: list[Found] = []
        checked = 0
        try:
            run = self._session.requests.ask(question(document, params.position, options))
            with run.follow():
                async with asyncio.timeout(None) as deadline:
                    async for event in run.stream():
                        if isinstance(event, GoalFound):
                            goal = event
                            deadline.reschedule(asyncio.get_running_loop().time() + budget + SLACK)
                            self._stream(params, wire.PartialGoals(to_goals(goal.goals), document.version))
                        elif isinstance(event, BatchChecked):
                            checked += len(event.checked)
                        elif isinstance(event, Found):
                            found.append(event)
                            self._stream(params, wire.PartialSuggestions([to_item(document, event)]))
                            # The run may go on for others who share it.
                            enough = params.stop_at_first_close and closes(event.suggestion)
                            if enough or len(found) >= limit:
                                break
                        elif isinstance(event, Finished):
                            finished = event
            self._session.works()
        except TimeoutError:
            finished = Finished(checked, 0.0, f"Stopped after {budget:g} s.")
        except Stopped as stopped:
            raise refusal(stopped) from None
        except TacitError as error:
            finished = Finished(checked, 0.0, self._session.explain(error))
        except Exception as error:
            raise wire.Failed(self._session.explain(error)) from error
        self._session.announce()
        return wire.SuggestResult(
            goals=to_goals(goal.goals) if goal else [],
            suggestions=[to_item(document, each) for each in sorted(found, key=lambda f: order(f.suggestion))],
            checked=max(checked, finished.checked),
            elapsed=round(time.monotonic() - began, 4),
            notice=finished.notice,
            version=document.version,
            declaration=goal.declaration if goal else None,
            hole=to_hole(document, goal.hole if goal else None),
            replayed=self._session.status().replayed,
        )

    async def status(self, _: object = None) -> wire.StatusResult:
        """What Lean and the sidecar are doing."""
        mirror = self._server.protocol.mirror
        return wire.StatusResult(
            version=self._server.version,
            lean=to_state(self._session.status()),
            documents=[wire.DocumentState(each.uri, each.version) for each in mirror],
            requests=[_request(run, code_points=mirror.code_points) for run in self._session.requests],
            index=self._index(),
            model=to_model(model) if (model := self._session.model()) is not None else None,
        )

    async def _gather(self, asked: Question, wait: Callable[[Run], Awaitable[object]]) -> Run | None:
        """The run, when the wait is over; None where there is nothing to say."""
        try:
            run = self._session.requests.ask(asked, lenient=True)
            with run.follow(keep=True):
                await wait(run)
        except Stopped:
            return None
        except Exception as error:
            self._session.explain(error)
            return None
        finally:
            self._session.announce()
        if run.goal is not None:
            self._session.works()
        return run

    def _stream(self, params: wire.SuggestParams, part: wire.PartialGoals | wire.PartialSuggestions) -> None:
        if params.partial_result_token is not None:
            self._server.progress(types.ProgressParams(params.partial_result_token, part))


def current(session: Session, uri: str, version: int | None) -> OpenDocument:
    """The open document that a request names. Raises what the request is answered with when it cannot be."""
    document = session.find(uri)
    if document is None:
        raise wire.InvalidParams(f"The document {uri} is not open in the editor.")
    if version is not None and version != document.version:
        raise wire.ContentModified
    return document


def question(document: OpenDocument, at: types.Position, options: Options) -> Question:
    """The question about an LSP position."""
    return Question(document.value, document.position(_place(at)), options)


def refusal(stopped: Stopped) -> JsonRpcException:
    """What a request is answered with whose run was ended."""
    if stopped.why in (Why.CHANGED, Why.CLOSED):
        return wire.ContentModified()
    return wire.Superseded(f"The request was ended: {stopped.why.value}.")


def _request(run: Run, *, code_points: bool) -> wire.RequestState:
    asked = run.question.document
    document = OpenDocument(asked.uri, asked.version, asked.text, code_points=code_points)
    at = document.place(LineIndex(asked.text).offset(run.question.position))
    return wire.RequestState(asked.uri, asked.version, types.Position(*at), run.followers)


def _place(position: types.Position) -> Place:
    return position.line, position.character
