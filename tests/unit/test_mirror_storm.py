"""Any conversation about documents leaves the sidecar with the editor's texts: messages in, against a model in UTF-16.

The model shares no code with the mirror. It is a string of UTF-16 units, so that halves of characters and positions
inside them are what they are to an editor.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tacit.server.protocol import TacitServer
from tests.storms.texts import LINE_END, characters, units
from tests.unit.properties import examples

URIS = ("file:///c%3A/%F0%9D%95%9C.lean", "file:///c:/𝕜.lean", "untitled:Untitled-1", "file:///a%2520b.lean")
"""The first two are one document, however they are spelled."""
TEXTS = st.text(st.sampled_from("ab 𝕜🤷\u200d\u0301⊢\n\r\u2028\u0085\x0c\ufeff\x00\ud835\udd5c"), max_size=12)
PLACES = st.one_of(
    st.tuples(st.integers(0, 6), st.integers(0, 14)),
    st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)),
)
CHANGES = st.lists(st.tuples(st.one_of(st.none(), st.tuples(PLACES, PLACES)), TEXTS), max_size=6)


def offset(text: str, place: tuple[int, int]) -> int:
    """Where LSP says that a position in UTF-16 units is; inside a character it is before it."""
    number, column = place
    starts = [0, *(match.end() for match in LINE_END.finditer(text))]
    if number >= len(starts):
        return len(text)
    line = LINE_END.split(text)[number]
    column = min(column, len(line))
    if re.match("[\ud800-\udbff][\udc00-\udfff]", line[max(0, column - 1) : column + 1]):
        column -= 1
    return starts[number] + column


class Conversation(RuleBasedStateMachine):
    """An editor that opens, changes, closes and opens again, in any order and with any version."""

    def __init__(self) -> None:
        super().__init__()
        self.server = TacitServer("0")
        self.sent: list[Any] = []
        self.server.protocol.set_writer(self)
        self.texts: dict[str, tuple[int, str]] = {}

    def write(self, data: bytes) -> None:
        self.sent.append(json.loads(data.partition(b"\r\n\r\n")[2]))

    def close(self) -> None:
        """The protocol asks for it of whatever it writes to."""

    def tell(self, method: str, params: Any, **more: Any) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params, **more}
        self.server.protocol.receive(json.dumps(message).encode())

    @initialize()
    def hello(self) -> None:
        self.tell("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, id=1)
        assert [each["id"] for each in self.sent if "result" in each] == [1]

    @rule(uri=st.sampled_from(URIS), version=st.integers(-5, 9), text=TEXTS)
    def open(self, uri: str, version: int, text: str) -> None:
        self.tell(
            "textDocument/didOpen",
            {"textDocument": {"uri": uri, "languageId": "lean4", "version": version, "text": text}},
        )
        self.texts[key(uri)] = version, units(characters(units(text)))

    @rule(uri=st.sampled_from(URIS), version=st.integers(-5, 9), changes=CHANGES)
    def change(self, uri: str, version: int, changes: list[Any]) -> None:
        told = []
        known = self.texts.get(key(uri))
        text = known[1] if known else ""
        for where, new in changes:
            if where is None:
                text = units(new)
                told.append({"text": new})
                continue
            start, end = (offset(text, place) for place in where)
            text = text[:start] + units(new) + text[max(start, end) :]
            told.append({"range": {"start": lsp(where[0]), "end": lsp(where[1])}, "text": new})
        self.tell("textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": told})
        if known:
            self.texts[key(uri)] = version, text

    @rule(uri=st.sampled_from(URIS))
    def shut(self, uri: str) -> None:
        self.tell("textDocument/didClose", {"textDocument": {"uri": uri}})
        self.texts.pop(key(uri), None)

    @rule(uri=st.sampled_from(URIS), place=PLACES)
    @precondition(lambda self: self.texts)
    def look(self, uri: str, place: tuple[int, int]) -> None:
        """A position means the same to both, and comes back as it was where it is one."""
        document = self.server.protocol.mirror.find(uri)
        if document is None:
            assert key(uri) not in self.texts
            return
        here = offset(self.texts[key(uri)][1], place)
        assert units(document.text[: document.offset(place)]) == self.texts[key(uri)][1][:here]
        line, column = document.place(document.offset(place))
        assert offset(self.texts[key(uri)][1], (line, column)) == here

    @invariant()
    def the_texts_are_the_editors(self) -> None:
        held = {key(each.uri): (each.version, units(each.text)) for each in self.server.protocol.mirror}
        assert held == self.texts

    @invariant()
    def nothing_of_a_message_is_kept(self) -> None:
        assert self.server.protocol._request_futures == {}
        assert self.server.protocol._result_types == {}


def key(uri: str) -> str:
    """What names the document, whichever way its URI is spelled."""
    return uri.replace("%3A", ":").replace("%F0%9D%95%9C", "𝕜")


def lsp(place: tuple[int, int]) -> dict[str, int]:
    return {"line": place[0], "character": place[1]}


TestConversation = pytest.mark.filterwarnings("ignore::DeprecationWarning")(Conversation.TestCase)
TestConversation.settings = settings(examples, max_examples=40, stateful_step_count=20)
