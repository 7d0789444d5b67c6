"""The library that runs the encoder tells its maker what it is used for, unless it is stopped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ENCODE = """
from tacit.index.encoder import EncoderUnavailable, open_encoder
try:
    print(len(open_encoder(threads=1).encode(["two sides change places"])))
except EncoderUnavailable as reason:
    print(reason)
"""
TRACE = ("strace", "-f", "-qq", "-e", "trace=connect", "-o")


@pytest.fixture
def run(tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """A process that embeds a text, in a home where nothing is; its connections, where they can be seen, in a file."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "calls").touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_"))}
    environment = {**kept, "HOME": str(home), "TACIT_CACHE": str(tmp_path / "cache")}
    trace = (*TRACE, str(tmp_path / "calls")) if shutil.which("strace") else ()
    return subprocess.run(
        [*trace, sys.executable, "-P", "-c", ENCODE],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_the_encoder_tells_nobody_and_leaves_nothing_in_the_home(
    run: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    assert run.returncode == 0, run.stderr
    if run.stdout.strip() != "1":
        pytest.skip(run.stdout.strip())
    assert [each for each in (tmp_path / "home").rglob("*") if each.is_file()] == []
    assert "AF_INET" not in (tmp_path / "calls").read_text(encoding="utf-8")
