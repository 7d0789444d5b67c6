"""What the sidecar and the model worker say to each other survives the pipe, and nothing else does."""

from __future__ import annotations

import contextlib
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.server.model import messages
from tacit.server.model.messages import BrokenMessage, Cancel, Done, Failed, Generate, Load, Loaded, Proposed, Working
from tacit.server.model.presets import PRESETS
from tacit.server.model.prompts import Asked, Fact, Question

QUESTION = Question(
    (Asked(("𝕜 : Type", "h : p ∧ q"), "⊢ q ∧ p"),), "foo", "theorem foo : p := by", "ex", (Fact("a.b", ": p"),)
)
ALL = (
    Load("/a/b ∀.gguf", 2048, 8, 96, 1, 4096),
    *(Generate(3, preset, QUESTION, 8, 96, 0.7) for preset in PRESETS.values()),
    Cancel(3),
    Loaded("tiny", "llama", 10, 512, 0.1),
    Proposed(3, "exact ⟨h.2, h.1⟩", -1.5, 9),
    Working(3),
    Done(3, 10, 4, 20, 0.1, 0.2, True, "cut"),
    Failed(0, "No.", "Do this."),
)


@pytest.mark.parametrize("message", ALL, ids=[f"{type(each).__name__}-{at}" for at, each in enumerate(ALL)])
def test_a_message_survives_the_pipe(message: messages.Message) -> None:
    stream = io.BytesIO(messages.encode(message) * 2)
    assert [messages.read(stream), messages.read(stream), messages.read(stream)] == [message, message, None]


@given(st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_any_text_survives_the_pipe(text: str, number: float) -> None:
    message = Proposed(1, text, number, 2)
    sent = messages.read(io.BytesIO(messages.encode(message)))
    assert isinstance(sent, Proposed)
    assert (sent.text, sent.log_prob) == (text.encode("utf-8", "replace").decode(), number)


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"type": "Nothing", "id": 1}',
        b'{"type": ["Done"], "id": 1}',
        b'{"type": "Done"}',
        b'{"type": "Done", "id": "1"}',
        b'{"type": "Done", "id": true}',
        b'{"type": "Done", "id": 1, "more": 2}',
        b'{"type": "Proposed", "id": 1, "text": "x", "log_prob": NaN, "tokens": 1}',
        b'{"type": "Proposed", "id": 1, "text": "x", "log_prob": 1e999, "tokens": 1}',
        b'{"type": "Generate", "id": 1, "preset": 3, "question": {}, "count": 1, "tokens": 1}',
    ],
)
def test_anything_else_is_broken(data: bytes) -> None:
    with pytest.raises(BrokenMessage):
        messages.decode(data)


@pytest.mark.parametrize("stream", [b"\x00\x00", b"\x00\x00\x00\x05{}", b"\xff\xff\xff\xffxx", b"\x00\x00\x00\x00"])
def test_a_frame_that_is_cut_off_or_too_long_is_broken(stream: bytes) -> None:
    with pytest.raises(BrokenMessage):
        messages.read(io.BytesIO(stream))


@given(st.binary(max_size=200))
def test_garbage_is_broken_or_the_end(data: bytes) -> None:
    stream = io.BytesIO(data)
    with contextlib.suppress(BrokenMessage):
        assert messages.read(stream) is None or data


def test_what_is_too_long_is_not_sent() -> None:
    with pytest.raises(BrokenMessage):
        messages.encode(Proposed(1, "x" * messages.MOST_BYTES, 0.0, 1))


def test_text_is_sent_as_it_is() -> None:
    body = messages.encode(Proposed(1, "⟨𝕜⟩", 0.0, 1))[4:]
    assert "⟨𝕜⟩".encode() in body
    assert json.loads(body)["type"] == "Proposed"
