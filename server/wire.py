"""The messages that are Tacit's own, as they stand on the wire. Types and their JSON; nothing else.

`tacit/suggest` (request: SuggestParams → SuggestResult). With a `partialResultToken`, each suggestion is sent when it
is found as `$/progress {token, value: {suggestions: [item]}}`, the goals before them as `{goals, version}`; the result
is the whole all the same. Errors: -32602 the parameters cannot be used or the document is not open; -32801 the document
changed; -32802 a newer request for the document took its place; -32800 cancelled by the client.
`tacit/search` (request: SearchParams → SearchResult): premises for words, symbols, LaTeX, a name or a pattern.
With a `token`, a newer request with the same one ends this one (-32802), so that each key may ask. What stands in the
way (no index yet, an encoder that is missing) is the sentence `notice`, not an error.
`tacit/status` (request, no parameters → StatusResult), `tacit/statusChanged` (notification: LeanState) and
`tacit/indexChanged` (notification: IndexState).
`tacit.closeGoal` (command: [CloseGoalArgument] → CloseGoalResult).

Names are camelCase on the wire; positions are LSP positions (UTF-16); seconds are numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.protocol import default_converter

SUGGEST = "tacit/suggest"
STATUS = "tacit/status"
STATUS_CHANGED = "tacit/statusChanged"
SEARCH = "tacit/search"
INDEX_CHANGED = "tacit/indexChanged"
CLOSE_GOAL = "tacit.closeGoal"

MAX_BUDGET = 600.0
MAX_HITS = 200


def _budget(_: object, __: object, value: float | None) -> None:
    if value is not None and not 0 < value <= MAX_BUDGET:
        raise ValueError(f"budget must be a number of seconds above 0, at most {MAX_BUDGET:g}")


def _positive(_: object, __: object, value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError("limit must be a whole number from 1 up")


def _hits(_: object, __: object, value: int | None) -> None:
    if value is not None and not 1 <= value <= MAX_HITS:
        raise ValueError(f"limit must be a whole number from 1 to {MAX_HITS}")


@attrs.define
class DocumentIdentifier:
    """A document; with a `version`, the request is refused (-32801) unless that is the current one."""

    uri: str
    version: int | None = None


@attrs.define
class SuggestParams:
    """Where to look, how many seconds and suggestions at most, and whether one that closes the goal is enough.

    `asTyped` reads a tactic before the position as one that is being typed, as ghost text does, and shares its work.
    """

    text_document: DocumentIdentifier
    position: types.Position
    budget: float | None = attrs.field(default=None, validator=_budget)
    limit: int | None = attrs.field(default=None, validator=_positive)
    stop_at_first_close: bool = False
    as_typed: bool = False
    partial_result_token: int | str | None = None
    work_done_token: int | str | None = None


@attrs.define
class SuggestRequest:
    """`tacit/suggest`."""

    id: int | str
    params: SuggestParams
    method: str = SUGGEST
    jsonrpc: str = "2.0"


@attrs.define
class SearchParams:
    """What to search for, and how many answers at most (10).

    With a document each answer says whether it can be named there (before `position`, where one is given); with
    `usableHere` no other is given. The document need not be open; its private declarations are found too.

    `fromGoal`: first what is ranked for the goal at `position` of an open document, all of it usable there, then what
    the text finds beyond the file's imports. An empty text is the goal's. Where there is no goal, `notice` says why.
    """

    text: str
    limit: int | None = attrs.field(default=None, validator=_hits)
    text_document: DocumentIdentifier | None = None
    position: types.Position | None = None
    usable_here: bool = False
    from_goal: bool = False
    token: int | str | None = None


@attrs.define
class SearchRequest:
    """`tacit/search`."""

    id: int | str
    params: SearchParams
    method: str = SEARCH
    jsonrpc: str = "2.0"


@attrs.define
class SearchHit:
    """An answer. `location` is its name, or the line of what it is generated from.

    `usable` and `import` (the module whose import would make it usable) are null where no document was given.
    """

    name: str
    kind: str
    module: str
    statement: str
    doc: str
    score: float
    package: str
    location: types.Location
    usable: bool | None
    import_: str | None


@attrs.define
class SearchResult:
    """The answers, best first, out of `total` declarations. `notice` is a sentence to show, or empty."""

    hits: Sequence[SearchHit]
    elapsed: float
    total: int
    notice: str


@attrs.define
class CloseGoalArgument:
    """The one argument of `tacit.closeGoal`.

    `tell`: the result's sentence is shown as a message too, for editors that show no result of a command.
    """

    uri: str
    position: types.Position
    version: int | None = None
    budget: float | None = attrs.field(default=None, validator=_budget)
    tell: bool = False


@attrs.define
class ProofItem:
    """A proof that Lean accepted in place. `newText` is what stands, or would stand, in the result's range."""

    tactic: str
    new_text: str
    source: str
    axioms: Sequence[str]


@attrs.define
class CloseGoalResult:
    """What closing a goal came to: whether the editor took the edit, the tactic found, and a sentence to show.

    Where other proofs were found, `proofs` are all of them, the one that was put in first, and `range` is where that
    stands in the document after the edit; any of the others may take its place. Else there are none, and it is null.
    """

    applied: bool
    tactic: str | None
    sentence: str
    range: types.Range | None = None
    proofs: Sequence[ProofItem] = ()


@attrs.define
class HypothesisItem:
    """One line of a local context."""

    names: Sequence[str]
    type: str
    value: str | None


@attrs.define
class GoalItem:
    """A goal: `text` is how Lean prints the whole of it."""

    target: str
    hypotheses: Sequence[HypothesisItem]
    tag: str | None
    text: str


@attrs.define
class SuggestionItem:
    """A checked tactic. `verdict` is "closes" or "progresses"; `goals` are those left after it.

    One that progresses and leaves no goals closes the goal at hand, in a declaration that is not finished; `note`
    says why.
    """

    tactic: str
    verdict: str
    verified: bool
    goals: Sequence[GoalItem]
    edit: types.TextEdit
    version: int
    source: str
    elapsed: float
    axioms: Sequence[str]
    note: str


@attrs.define
class SuggestResult:
    """All that was found. `notice` is a sentence to show, or empty; `replayed`: Lean's answers are recordings."""

    goals: Sequence[GoalItem]
    suggestions: Sequence[SuggestionItem]
    checked: int
    elapsed: float
    notice: str
    version: int
    declaration: str | None
    hole: types.Range | None
    replayed: bool


@attrs.define
class PartialGoals:
    """The first part of a streamed answer: the goals at the place asked for."""

    goals: Sequence[GoalItem]
    version: int


@attrs.define
class PartialSuggestions:
    """A further part of a streamed answer, to be appended."""

    suggestions: Sequence[SuggestionItem]


@attrs.define
class LeanState:
    """What Lean is doing. `state`: not started, starting, ready, replaying, missing or failed."""

    state: str
    version: str
    command: Sequence[str]
    replayed: bool
    sentence: str
    documents: int
    restarts: int


@attrs.define
class ModelState:
    """The local model. `state`: none, not started, starting, ready or failed; `sentence` says which and why.

    `context` (tokens) and `parameters` are 0 until it is loaded.
    """

    state: str
    name: str
    path: str
    preset: str
    sentence: str
    context: int
    parameters: int
    restarts: int


@attrs.define
class PackageState:
    """The index of a package, once search has opened it: declarations, whether vectors take part, newer files."""

    name: str
    premises: int
    open: bool
    meanings: bool
    drafts: int
    sentence: str


@attrs.define
class IndexState:
    """What can be searched, and what the builder does.

    `search`: closed (nothing was asked yet), missing (no index can answer) or open. `state`: idle, working, waiting
    (for another builder), stopped or failed; `package`, `what`, `done` and `total` say how far it is.
    """

    search: str
    packages: Sequence[PackageState]
    automatic: bool
    state: str
    package: str
    what: str
    done: int
    total: int
    sentence: str


@attrs.define
class DocumentState:
    """An open document."""

    uri: str
    version: int


@attrs.define
class RequestState:
    """A computation that goes on, and how many requests wait for it."""

    uri: str
    version: int
    position: types.Position
    waiting: int


@attrs.define
class StatusResult:
    """The answer to `tacit/status`."""

    version: str
    lean: LeanState
    documents: Sequence[DocumentState]
    requests: Sequence[RequestState]
    index: IndexState | None = None
    model: ModelState | None = None


MESSAGES: dict[str, type] = {SUGGEST: SuggestRequest, SEARCH: SearchRequest}
"""The type of each request whose parameters have one."""

_OWN = (
    DocumentIdentifier,
    SuggestParams,
    SuggestRequest,
    SearchParams,
    SearchRequest,
    SearchHit,
    SearchResult,
    CloseGoalArgument,
    ProofItem,
    CloseGoalResult,
    HypothesisItem,
    GoalItem,
    SuggestionItem,
    SuggestResult,
    PartialGoals,
    PartialSuggestions,
    LeanState,
    ModelState,
    PackageState,
    IndexState,
    DocumentState,
    RequestState,
    StatusResult,
)


class ContentModified(JsonRpcException):
    """The document changed: what was found no longer holds."""

    CODE = int(types.LSPErrorCodes.ContentModified)
    MESSAGE = "The document changed while Tacit was working; ask again."


class Superseded(JsonRpcException):
    """The server ended the request, for a newer one."""

    CODE = int(types.LSPErrorCodes.ServerCancelled)
    MESSAGE = "A newer request took its place."


class Failed(JsonRpcException):
    """Something went wrong inside Tacit; the log has the details."""

    CODE = int(types.LSPErrorCodes.RequestFailed)


class InvalidParams(JsonRpcInvalidParams):
    """The parameters cannot be used; the message says which and why."""


def make_converter() -> cattrs.Converter:
    """A converter for LSP's messages and these."""
    converter: cattrs.Converter = default_converter()  # type: ignore[no-untyped-call]
    for cls in _OWN:
        renames = {field.name: override(rename=_camel(field.name)) for field in attrs.fields(cls)}
        converter.register_structure_hook(cls, make_dict_structure_fn(cls, converter, **renames))  # type: ignore[arg-type]
        converter.register_unstructure_hook(cls, make_dict_unstructure_fn(cls, converter, **renames))  # type: ignore[arg-type]
    return converter


def sentence(what: str, error: BaseException) -> str:
    """One sentence that says where a message from the editor is not what it must be."""
    try:
        first = cattrs.transform_error(error, format_exception=_said)[0]
    except Exception:
        first = str(error)
    said, _, where = first.partition(" @ ")
    path = re.sub(r"_[a-z]", lambda match: match[0][1].upper(), where.removeprefix("$").removeprefix("."))
    return f"{what} cannot be used: {path + ': ' if path else ''}{said}."


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _said(error: BaseException, type_: type | None) -> str:
    if isinstance(error, KeyError):
        return "it is required"
    text = str(error).removesuffix(".")
    if text.startswith("could not convert string to float"):
        return "it must be a number"
    if text.startswith("invalid literal for int()"):
        return "it must be a whole number"
    if isinstance(error, ValueError) and type_ not in (int, float) and text:
        return text  # a validator's own words
    return f"it must be {_NAMES.get(getattr(type_, '__name__', ''), 'an object')}"


_NAMES = {"int": "a whole number", "float": "a number", "str": "a string", "bool": "true or false"}
