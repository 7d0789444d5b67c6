"""Reading what stands under the name of a file and may be anything: nobody waits, and memory is bounded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tacit.index.files import content_of


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert content_of(tmp_path / "a") == b"abc"
    assert content_of(str(tmp_path / "a"), 3) == b"abc"
    (tmp_path / "b").symlink_to("a")
    assert content_of(tmp_path / "b") == b"abc"


def test_what_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abcd")
    with pytest.raises(OSError, match="larger than 3 bytes"):
        content_of(tmp_path / "a", 3)


def test_files_that_say_no_size_are_bounded_too() -> None:
    whole = Path("/proc/self/maps")
    if not whole.exists():
        pytest.skip("there is no /proc here")
    assert whole.stat().st_size == 0
    with pytest.raises(OSError, match="larger than 10 bytes"):
        content_of(whole, 10)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        content_of(tmp_path / "nothing")
    with pytest.raises(IsADirectoryError):
        content_of(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("pipe", "zero", "loop"):
        with pytest.raises(OSError, match=r"no file|symbolic links"):
            content_of(tmp_path / name)
