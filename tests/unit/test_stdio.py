"""Cutting the editor's bytes into frames, however they come."""

from __future__ import annotations

import io
import queue
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.server.stdio import LONGEST_HEADER, MOST_UNREAD, Frames, Output
from tests.unit.properties import examples


def frame(body: bytes) -> bytes:
    return b"Content-Length: %d\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n%s" % (
        len(body),
        body,
    )


@examples
@given(st.lists(st.binary(max_size=30), max_size=6), st.lists(st.integers(1, 50), max_size=40))
def test_frames_are_whole_wherever_the_stream_is_cut(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(frame, bodies))
    frames, heard = Frames(), list[bytes]()
    for cut in [*cuts, len(stream)]:
        heard += frames.feed(stream[:cut])
        stream = stream[cut:]
    assert heard == bodies


def test_a_header_without_a_length_is_passed_over() -> None:
    assert list(Frames().feed(b"Garbage: 1\r\n\r\n" + frame(b"a"))) == [b"a"]
    assert list(Frames().feed(b"content-length:1\n\nb")) == [b"b"]


@pytest.mark.parametrize(
    ("stream", "heard"),
    [
        (b"Content-Length: 3\r\n\r\n{12}" + frame(b"{3}") + frame(b"{4}"), [b"{12", b"{3}", b"{4}"]),
        (b"Content-Length: 9\r\n\r\n{12}" + frame(b"{3}") + frame(b"{4}"), [b"{12}Conte", b"{3}", b"{4}"]),
        (b"Content-Length: 99\r\n\r\n{12}" + frame(b"{3}") + frame(b"{4}"), [b"{12}", b"{3}", b"{4}"]),
        (b"Content-Length: 999999999999999999\r\n\r\n{12}" + frame(b"{3}"), [b"{3}"]),
        (b"Content-Length: -4\r\n\r\n{12}" + frame(b"{3}"), [b"{3}"]),
        (b"Content-Length: 4\r\n" * 3 + b"\r\n{12}" + frame(b"{3}"), [b"{12}", b"{3}"]),
        (b"\x00\xff" * 200_000 + frame(b"{3}"), [b"{3}"]),
        (b"x" * 200_000 + b"\r\n\r\n" + frame(b"{3}"), [b"{3}"]),
        (b"POST / HTTP/1.1\r\nHost: a\r\n\r\n" + frame(b"{3}"), [b"{3}"]),
    ],
    ids=["short", "a little long", "long", "endless", "negative", "repeated", "no header", "no length", "another's"],
)
@pytest.mark.parametrize("piece", [1 << 20, 61])
def test_what_comes_behind_a_wrong_length_is_heard(stream: bytes, heard: list[bytes], piece: int) -> None:
    frames = Frames()
    pieces = [stream[at : at + piece] for at in range(0, len(stream), piece)]
    assert [body for each in pieces for body in frames.feed(each)] == heard


def test_a_stream_without_messages_is_not_kept() -> None:
    frames = Frames()
    for _ in range(64):
        assert list(frames.feed(b"nothing of yours " * 4096)) == []
    assert len(frames._rest) <= LONGEST_HEADER


class Pipe(io.RawIOBase):
    """An end to write to whose reader takes its time, or is gone."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.reads = threading.Event()
        self.got = b""

    def write(self, data: Any) -> int:
        if self.broken:
            raise BrokenPipeError
        self.reads.wait()
        self.got += bytes(data[:1000])
        return min(1000, len(data))


def test_output_says_once_that_nobody_reads() -> None:
    lost: queue.SimpleQueue[str] = queue.SimpleQueue()
    output = Output(Pipe(broken=True), lambda: lost.put("lost"))  # type: ignore[arg-type]
    for _ in range(3):
        output.write(b"x")
    assert lost.get() == "lost"
    output.write(b"x")
    output.close()
    output.drain(20)
    assert lost.empty()


def test_an_editor_that_does_not_read_holds_nobody_up_and_gets_all_in_the_end() -> None:
    pipe = Pipe()
    output = Output(pipe, lambda: None)  # type: ignore[arg-type]
    frames = [frame(bytes([letter]) * 5000) for letter in b"abc"]
    for each in frames:
        output.write(each)  # would never return
    assert pipe.got == b""
    output.close()
    pipe.reads.set()
    output.drain(20)
    assert pipe.got == b"".join(frames)


def test_an_editor_that_never_reads_is_gone_once_too_much_waits() -> None:
    pipe, lost = Pipe(), list[str]()
    output = Output(pipe, lambda: lost.append("lost"))  # type: ignore[arg-type]
    for _ in range(20):
        output.write(b"x" * (MOST_UNREAD // 16))
    assert lost == ["lost"]
    output.close()
    pipe.reads.set()
