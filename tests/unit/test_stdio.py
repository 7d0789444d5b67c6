"""Cutting the editor's bytes into frames, however they come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tacit.server.stdio import Frames, Output
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


def test_output_says_once_that_nobody_reads() -> None:
    class Broken:
        def write(self, data: bytes) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise AssertionError

    lost: list[str] = []
    output = Output(Broken(), lambda: lost.append("lost"))  # type: ignore[arg-type]
    for _ in range(3):
        output.write(b"x")
    assert lost == ["lost"]
