"""What pygls keeps of messages that are under way, forgotten as soon as they are done. Nothing else.

pygls keeps a future for each notification for ever, a request of ours that the editor never answers too, and takes any
answer for one of ours: at thirty edits a second a day of writing would fill the memory.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from lsprotocol.types import ResponseError
from pygls.protocol import LanguageServerProtocol

log = logging.getLogger(__name__)

Number = int | str


class InFlight(LanguageServerProtocol):
    """LSP whose tables hold what is under way, and no more."""

    _request_futures: dict[Number, Future[Any]]
    _result_types: dict[Number, Any]

    def _execute_handler(
        self,
        msg_id: Number,
        handler: Callable[..., Any],
        callback: Callable[[Future[Any]], None],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        def done(future: Future[Any]) -> None:
            self._forget(msg_id, future)
            callback(future)

        super()._execute_handler(msg_id, handler, done, args, kwargs)

    def send_request(
        self,
        method: str,
        params: Any | None = None,
        callback: Callable[[Any], None] | None = None,
        msg_id: Number | None = None,
    ) -> Future[Any]:
        """Ask the editor something. Whoever no longer waits for the answer cancels the future."""
        number = msg_id or str(uuid.uuid4())
        future: Future[Any] = super().send_request(method, params, callback, number)
        future.add_done_callback(lambda done: self._forget(number, done))
        return future

    def _handle_cancel_notification(self, msg_id: Number) -> None:
        future = self._request_futures.get(msg_id)
        # Most have been answered by then, and what we have asked is not the editor's to cancel.
        if future is not None and not _ours(future):
            future.cancel()

    def _handle_response(self, msg_id: Number, result: Any | None = None, error: ResponseError | None = None) -> None:
        future = self._request_futures.get(msg_id)
        if future is None or not _ours(future) or future.done():
            log.info("an answer that nobody waits for was passed over")
            return
        super()._handle_response(msg_id, result, error)

    def _forget(self, number: Number, future: Future[Any]) -> None:
        if self._request_futures.get(number) is future:
            del self._request_futures[number]
        self._result_types.pop(number, None)


def _ours(future: Future[Any]) -> bool:
    """Whether it waits for the editor: what the editor waits for runs as a task."""
    return isinstance(future, Future)
