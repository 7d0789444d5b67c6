"""Processes that want more of the machine than they may have: each limit ends, or stops, a peer that tries."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tacit.server.limits import Limits, limit, limit_time
from tacit.server.model import client
from tests.protocol.scripted_lean import entries
from tests.protocol.test_lean_client import ask, scripted

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of other processes are Linux's")

PATIENCE = 300.0
MIB = 1 << 20
PEER = """
import os, resource, sys
sys.stdin.readline()
{work}
print("reached the end", flush=True)
"""


def run(work: str, folder: Path, within: Callable[[psutil.Process], None]) -> tuple[int, str]:
    """A process that does this once it is limited: how it ended, and what it said."""
    command = [sys.executable, "-c", PEER.format(work=work)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True) as peer:
        within(psutil.Process(peer.pid))
        said, _ = peer.communicate("go\n", timeout=PATIENCE)
    return peer.returncode, said


def by(**values: int) -> Callable[[psutil.Process], None]:
    return lambda process: limit(process, Limits(**values))


def test_a_peer_within_its_limits_comes_to_its_end(tmp_path: Path) -> None:
    work = "x = bytearray(1 << 20); open('f', 'wb').write(x)"
    status, said = run(work, tmp_path, by(memory=2048 * MIB, file=8 * MIB, files=64))
    assert (status, said) == (0, "reached the end\n")


def test_memory_is_limited(tmp_path: Path) -> None:
    status, said = run("x = bytearray(1 << 32)", tmp_path, by(memory=2048 * MIB))
    assert status == 1
    assert "MemoryError" in said


def test_what_a_peer_starts_is_limited_too(tmp_path: Path) -> None:
    work = "import subprocess; sys.exit(subprocess.call([sys.executable, '-c', 'x = bytearray(1 << 32)']))"
    status, said = run(work, tmp_path, by(memory=2048 * MIB))
    assert status == 1
    assert "MemoryError" in said


def test_no_file_grows_beyond_the_limit(tmp_path: Path) -> None:
    work = "f = open('f', 'wb', 0)\nfor _ in range(64): f.write(bytes(1 << 20))"
    status, said = run(work, tmp_path, by(file=8 * MIB))
    assert status == 1
    assert "File too large" in said
    assert (tmp_path / "f").stat().st_size <= 8 * MIB


def test_open_files_are_limited(tmp_path: Path) -> None:
    status, said = run("files = [open(os.devnull) for _ in range(200)]", tmp_path, by(files=64))
    assert status == 1
    assert "Too many open files" in said


def test_a_crash_leaves_no_image_of_the_memory(tmp_path: Path) -> None:
    status, said = run("print(resource.getrlimit(resource.RLIMIT_CORE), flush=True); os.abort()", tmp_path, by())
    assert status == -signal.SIGABRT
    assert said == "(0, 0)\n"
    assert list(tmp_path.iterdir()) == []


def test_the_kernel_ends_who_computes_on(tmp_path: Path) -> None:
    """Also when nobody is left who would."""
    status, said = run("while True: pass", tmp_path, lambda process: limit_time(process, 0.0))
    assert status in (-signal.SIGXCPU, -signal.SIGKILL)
    assert "reached" not in said


def test_time_can_be_given_again_and_other_limits_cannot_be_raised(tmp_path: Path) -> None:
    def twice(process: psutil.Process) -> None:
        limit_time(process, 0.0)
        limit_time(process, 1000.0)
        limit(process, Limits(files=64))
        limit(process, Limits(files=128))

    status, said = run(
        "while sum(os.times()[:2]) < 2: pass\nprint(resource.getrlimit(resource.RLIMIT_NOFILE), flush=True)",
        tmp_path,
        twice,
    )
    assert (status, said) == (0, "(64, 64)\nreached the end\n")


async def test_a_lean_and_its_worker_run_within_limits(tmp_path: Path) -> None:
    async with scripted(tmp_path, "worker", memory_mib=3000) as lean:
        await ask(lean, "a")
        for event in ("start", "worker"):
            (entry,) = entries(tmp_path, event)
            process = psutil.Process(entry["pid"])
            assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
            soft, hard = process.rlimit(psutil.RLIMIT_CPU)
            assert 0 < soft < 100_000
            assert hard == psutil.Process().rlimit(psutil.RLIMIT_CPU)[1], "more can be given for the next text"


async def test_a_worker_has_all_the_time_that_a_request_may_take(tmp_path: Path) -> None:
    """It is started while the request is under way."""
    async with scripted(tmp_path, "worker") as lean:
        await lean.elaborate("a", timeout=5000.0)
        for event in ("start", "worker"):
            (entry,) = entries(tmp_path, event)
            assert psutil.Process(entry["pid"]).rlimit(psutil.RLIMIT_CPU)[0] > 5000


def test_the_model_worker_ends_with_the_sidecar_however_that_ends(tmp_path: Path) -> None:
    """Its input stays open here: it is the kernel that tells it."""
    code = "import subprocess, sys; p = subprocess.Popen(sys.argv[1:]); print(p.pid, flush=True); p.wait()"
    environment = {**os.environ, "TACIT_CACHE": str(tmp_path)}
    command = [sys.executable, "-c", code, *client.COMMAND]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment, text=True) as sidecar:
        assert sidecar.stdout is not None
        worker = psutil.Process(int(sidecar.stdout.readline()))
        until(lambda: "NoNewPrivs:\t1" in Path(f"/proc/{worker.pid}/status").read_text())
        until(lambda: worker.rlimit(psutil.RLIMIT_NOFILE)[1] == 256)
        assert worker.rlimit(psutil.RLIMIT_CORE) == (0, 0)
        assert worker.rlimit(psutil.RLIMIT_FSIZE)[1] == 64 * MIB
        sidecar.kill()
        sidecar.wait()
        until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)


def until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
