"""What Tacit does otherwise than pygls at the level of messages. No feature is answered here.

A message that cannot be read is refused, not dropped; the mirror of documents is Tacit's own, and so is how columns are
counted; commands can be cancelled; `exit` ends the loop instead of the interpreter.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import lsp_method

from tacit.server.in_flight import InFlight
from tacit.server.mirror import Change, Mirror, OpenDocument
from tacit.server.wire import MESSAGES, InvalidParams, make_converter, sentence

if TYPE_CHECKING:
    import cattrs

log = logging.getLogger(__name__)

T = TypeVar("T")
Command = Callable[[types.ExecuteCommandParams], Awaitable[Any]]


class TacitProtocol(InFlight):
    """LSP as the sidecar speaks it. `commands` answers `workspace/executeCommand`, with the whole parameters."""

    _server: TacitServer

    def __init__(self, server: TacitServer, converter: cattrs.Converter) -> None:
        self.mirror = Mirror()
        self.commands: dict[str, Command] = {}
        self._initialized = False
        super().__init__(server, converter)

    def get_message_type(self, method: str) -> type | None:  # type: ignore[override]  # pygls caches it
        """The type of a message, Tacit's own included."""
        own: type | None = MESSAGES.get(method)
        return own or super().get_message_type(method)

    def structure(self, value: Any, cls: type[T]) -> T:
        """Read a value of a type out of plain JSON. Raises cattrs' BaseValidationError when it is not one."""
        return self._converter.structure(value, cls)

    def receive(self, body: bytes) -> None:
        """Handle one frame. Whatever it holds, a request in it is answered and the next frame finds all in order."""
        try:
            data = json.loads(body)
        except (ValueError, RecursionError) as error:
            self._refuse(None, types.ErrorCodes.ParseError, f"The message is not JSON: {error}.")
            return
        if not isinstance(data, dict) or data.get("jsonrpc") != self.VERSION:
            self._refuse(None, types.ErrorCodes.InvalidRequest, "The message is not a JSON-RPC 2.0 object.")
            return
        method, number = data.get("method"), data.get("id")
        if method is not None and "id" in data and (isinstance(number, bool) or not isinstance(number, int | str)):
            self._refuse(
                None, types.ErrorCodes.InvalidRequest, "The id of a request must be a whole number or a string."
            )
            return
        if method is not None and (complaint := self._untimely(method)):
            if number is not None:
                self._refuse(number, *complaint)
            return
        try:
            message = self.structure_message(data)
        except JsonRpcException as error:
            what = f"The message {method}" if method else "The editor's answer"
            text = sentence(what, error.__cause__ or error)
            if method is not None and number is not None:
                self._refuse(number, types.ErrorCodes.InvalidParams, text)
            else:
                log.warning("%s", text)
            return
        if method not in (None, types.EXIT) and number is not None and not hasattr(message, "id"):
            self._refuse(number, types.ErrorCodes.InvalidRequest, f"{method} is a notification: it has no id.")
            return
        self.handle_message(message)

    def _untimely(self, method: str) -> tuple[int, str] | None:
        if self._shutdown:
            return None if method == types.EXIT else (types.ErrorCodes.InvalidRequest, "Tacit is shutting down.")
        if method == types.INITIALIZE:
            if self._initialized:
                return types.ErrorCodes.InvalidRequest, "Tacit is initialized already."
        elif not self._initialized and method != types.EXIT:
            return types.ErrorCodes.ServerNotInitialized, "Tacit waits for the initialize request."
        return None

    def _refuse(self, number: int | str | None, code: int, text: str) -> None:
        log.warning("refused a message: %s", text)
        error = types.ResponseError(int(code), text)
        self._send_data({"jsonrpc": self.VERSION, "id": number, "error": error})

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        """Initialize. Columns are in UTF-16, which every editor must know, or in code points where it prefers them.

        Some must have them: lsp-mode in Emacs offers both, and before 2026 counted in code points whatever was agreed.
        """
        if general := params.capabilities.general:
            self.mirror.code_points = _prefers_code_points(general.position_encodings or ())
            utf_32 = [types.PositionEncodingKind.Utf32] if self.mirror.code_points else None
            general.position_encodings = utf_32
        result: types.InitializeResult = yield from super().lsp_initialize(params)
        self._initialized = True
        return result

    @lsp_method(types.SHUTDOWN)
    async def lsp_shutdown(self, *_: object) -> None:  # type: ignore[override]  # pygls takes any handler
        """Stop everything, then answer."""
        self._shutdown = True
        await self._server.closed()

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_: object) -> None:  # type: ignore[override]
        """End the loop. The status is 0 after a shutdown, as LSP asks."""
        self._server.end(0 if self._shutdown else 1)

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> Generator[Any, Any, None]:
        """Mirror an opened document."""
        item = params.text_document
        code_points = self.mirror.code_points
        self.mirror.put(OpenDocument(item.uri, item.version, item.text, code_points=code_points))
        yield self.fm.features[types.TEXT_DOCUMENT_DID_OPEN], (params,), None

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> Generator[Any, Any, None]:
        """Mirror an edit."""
        document = self.mirror.find(params.text_document.uri)
        if document is None:
            log.warning("an edit of a document that is not open was passed over: %s", params.text_document.uri)
            return
        changes = [_change(change) for change in params.content_changes]
        self.mirror.put(document.changed(params.text_document.version, changes))
        yield self.fm.features[types.TEXT_DOCUMENT_DID_CHANGE], (params,), None

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        """Forget a closed document."""
        if document := self.mirror.remove(params.text_document.uri):
            self._server.on_close(document)

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]
        self, params: types.ExecuteCommandParams
    ) -> Any:
        """Run a command as a task: pygls runs it so that `$/cancelRequest` does not reach it."""
        command = self.commands.get(params.command)
        if command is None:
            raise InvalidParams(f"The command {params.command} is not one of Tacit's.")
        return await command(params)


def _worth_logging(record: logging.LogRecord) -> bool:
    """Not exceptions: pygls hands each on to `report_server_error`, where those that matter are logged, once."""
    # `_refuse` says in one line what cannot be read.
    return not (record.exc_info or record.getMessage().startswith("Unable to deserialize"))


class TacitServer(LanguageServer):
    """The server that the features are registered on.

    `closed`, `end`, `on_close` and `faulted` are given by who runs it.
    """

    protocol: TacitProtocol

    def __init__(self, version: str) -> None:
        super().__init__("tacit", version, types.TextDocumentSyncKind.Incremental, None, TacitProtocol, make_converter)
        logging.getLogger("pygls.protocol.json_rpc").addFilter(_worth_logging)
        self.closed: Callable[[], Awaitable[None]] = _nothing
        self.end: Callable[[int], None] = lambda code: None
        self.on_close: Callable[[OpenDocument], None] = lambda document: None
        self.faulted: Callable[[], None] = lambda: None

    @property
    def shut_down(self) -> bool:
        """Whether the editor has said goodbye."""
        return self.protocol._shutdown

    def on(self, method: str, handler: Callable[[Any], Any], options: Any = None) -> None:
        """Register a handler, which may be a bound method: pygls itself takes functions only."""
        if asyncio.iscoroutinefunction(handler):

            async def handle(params: Any) -> Any:
                return await handler(params)

            self.feature(method, options)(handle)
        else:
            self.feature(method, options)(lambda params: handler(params))

    def on_command(self, name: str, command: Command) -> None:
        """Register a command. It gets the request's whole parameters, its progress token among them."""
        self.protocol.commands[name] = command
        self.command(name)(lambda *_: None)  # so that the capabilities name it

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log it; pygls would show every error in a window of the editor.

        A request that was refused is none: the editor is told, and one that asks at each key is refused at each.
        """
        if not isinstance(error, JsonRpcException):
            log.error("%s", getattr(source, "__name__", source), exc_info=error)
            self.faulted()


def _prefers_code_points(offered: Sequence[types.PositionEncodingKind | str]) -> bool:
    """Whether an editor that offers these, what it likes best first, would rather have code points than UTF-16."""
    kinds = [str(getattr(each, "value", each)) for each in offered]
    return "utf-32" in kinds and ("utf-16" not in kinds or kinds.index("utf-32") < kinds.index("utf-16"))


async def _nothing() -> None:
    return None


def _change(change: types.TextDocumentContentChangeEvent) -> Change:
    if isinstance(change, types.TextDocumentContentChangePartial):
        start, end = change.range.start, change.range.end
        return ((start.line, start.character), (end.line, end.character)), change.text
    return None, change.text
