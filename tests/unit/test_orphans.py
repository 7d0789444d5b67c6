"""Processes of a sidecar that was killed are ended; nobody else's are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tacit.server import orphans

SLEEP = "import time; print('!', flush=True); time.sleep(600)"


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start(processes: list[subprocess.Popen[bytes]], marked: str | None) -> subprocess.Popen[bytes]:
    """A process with such a mark, once it runs."""
    environment = {name: value for name, value in os.environ.items() if name != orphans.VARIABLE}
    if marked is not None:
        environment[orphans.VARIABLE] = marked
    process = subprocess.Popen([sys.executable, "-S", "-c", SLEEP], env=environment, stdout=subprocess.PIPE)
    processes.append(process)
    assert process.stdout is not None
    process.stdout.read(1)
    return process


def gone() -> int:
    """The pid of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    return process.pid


def test_what_a_killed_sidecar_left_is_ended_even_where_it_was_stopped(
    started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(orphans.VARIABLE, "")
    orphans.mark()
    own = os.environ[orphans.VARIABLE]
    left = start(started, own.replace(str(os.getpid()), str(gone()), 1))
    left.send_signal(signal.SIGSTOP)
    others = [start(started, marked) for marked in (None, own, f"{gone()} pid:[another]", "no pid", "")]
    assert left.pid in orphans.end_orphans()
    assert left.wait(60) == -signal.SIGKILL
    assert [each.poll() for each in others] == [None] * len(others)
