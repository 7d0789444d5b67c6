"""The disk is full, or files may not grow: while an index is built, notes are written, a model is fetched."""

from __future__ import annotations

import asyncio
import http.server
import os
import random
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.faults.fault import Told, fault
from tests.faults.rig import NoAnswer, Rig
from tests.faults.searching import indexed, keep_indexed, names, save, until_found, until_told

FULL = "full|too large|No space|disk I/O error"
SMALL = 8 << 10
"""Bytes that a file may have: a log or a note, no index."""


def _limit(rig: Rig, size: int) -> None:
    """Let no file that the sidecar, or what it starts from now on, writes grow beyond so many bytes.

    A file that may not grow is to a program what a full disk is (EFBIG for ENOSPC), and it takes no rights. Lean, which
    writes none, is left alone where we may: the scripted one keeps a log.
    """
    rig.lean.launch("ulimit -f unlimited 2>/dev/null")
    with suppress(psutil.Error):
        psutil.Process(rig.editor.process.pid).rlimit(psutil.RLIMIT_FSIZE, (size, size))


async def _lift(rig: Rig) -> None:
    """Let files grow again: in the same session where we may, else in another."""
    _limit(rig, resource.RLIM_INFINITY)
    if psutil.Process(rig.editor.process.pid).rlimit(psutil.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY:
        await rig.restart()


# Alone: with an index or a project that another fault has spoilt, nothing may be written at all.
@fault("disk", "Files cannot grow while the project is indexed", lasts=True, told=Told.SAID, says=FULL, alone=True)
async def no_room_for_an_index(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    _limit(rig, dice.choice((0, SMALL, 30_000)))
    keep_indexed(rig)
    await until_told(rig, "written")
    yield
    await _lift(rig)
    save(rig, rig.file)
    rig.also.append(lambda: until_found(rig))


@fault("disk", "Files cannot grow while an index is brought up to date", lasts=True)
async def no_room_for_an_update(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    await indexed(rig)
    _limit(rig, dice.choice((0, SMALL)))
    new = rig.workspace / "Top" / "New.lean"
    new.write_text("theorem new_gem : 1 = 1 := rfl\n", encoding="utf-8")
    save(rig, new)
    (rig.workspace / "lakefile.toml").touch()
    await until_told(rig, "was not written")
    assert "Group.mul_comm" in await names(rig), "the old index answers"
    await until_found(rig, "new_gem", "new_gem")
    yield
    await _lift(rig)
    new.unlink()
    save(rig, rig.file)


@fault("disk", "Files cannot grow while suggestions are taken, traced and logged", lasts=True)
async def no_room_for_notes(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    rig.settings = {**rig.settings, "prove": {"traces": True}, "log": {"level": "debug"}}
    await rig.restart()
    await rig.warm()
    _limit(rig, 0)
    await _take(rig)
    yield
    await _lift(rig)
    await _take(rig)


async def _take(rig: Rig) -> None:
    """Have the goal closed as the command does, with traces, and taken back."""
    argument = {"uri": rig.uri, "position": rig.cursor["position"], "tell": False}
    await rig.ask("workspace/executeCommand", {"command": "tacit.closeGoal", "arguments": [argument]})


@contextmanager
def full_folder(folder: Path, size: int) -> Iterator[bool]:
    """A disk of so many bytes over a folder, full; false where none can be mounted here."""
    if os.geteuid() or not _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)):
        yield False
        return
    try:
        fill(folder)
        yield True
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)


def _mount(*options: str) -> bool:
    return subprocess.run(["mount", *options], check=False, capture_output=True).returncode == 0


def fill(folder: Path) -> None:
    """Leave not a byte."""
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return


@fault("disk", "The disk of the cache is full", lasts=True, alone=True)
async def full_disk(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """A small disk over the cache folder where one may be mounted; else files that cannot grow."""
    keep_indexed(rig)
    with full_folder(rig.cache, dice.choice((64, 512)) << 10) as mounted:
        if not mounted:
            _limit(rig, 0)
        await rig.restart()
        if not mounted:
            _limit(rig, 0)
        await until_told(rig, "No index can be written" if mounted else "written")
        await _take(rig)
        yield
        if not mounted:
            await _lift(rig)
        else:
            (rig.cache / "filler").unlink()
            await asyncio.to_thread(_mount, "-o", "remount,size=64m", str(rig.cache))
        save(rig, rig.file)
        await until_found(rig)
        await rig.shutdown()
        shutil.rmtree(rig.cache, ignore_errors=True)
    await rig.restart()
    rig.also.append(lambda: until_found(rig))


@fault("disk", "The disk is full while a model is fetched, and fetching goes on when it is not", lasts=True)
async def download(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """By `tacit models pull` beside the sidecar; what arrived is kept."""
    content = dice.randbytes(3 << 20)
    with _served(content) as address:
        pull = [sys.executable, "-m", "tacit.server.cli", "models", "pull", address, "--yes", "--name", "fetched"]

        async def run(size: int) -> str:
            limited = ["prlimit", f"--fsize={size}", *pull] if shutil.which("prlimit") else pull
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(*limited, env=rig.environment, stdout=pipe, stderr=pipe)
            _, errors = await process.communicate()
            return errors.decode(errors="replace")

        said = await run(dice.randrange(1 << 20))
        if "Traceback" in said or not any(each in said for each in ("full", "too large", "room")):
            raise NoAnswer(f"the command that fetches a model said: {said}")
        yield
        said = await run(1 << 30)
        if "is no GGUF file" not in said and "no model" not in said and "GGUF" not in said:
            raise NoAnswer(f"fetching did not go on: {said}")
        left = [each.name for each in (rig.cache / "models").iterdir() if each.suffix not in (".lock", ".json")]
        if left:
            raise NoAnswer(f"the command that fetches a model left {left}")


@contextmanager
def _served(content: bytes) -> Iterator[str]:
    """A server on this machine that has one file, which is no model."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            start = int(self.headers.get("Range", "bytes=0-")[6:].partition("-")[0])
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.send_header("ETag", '"one"')
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            with suppress(ConnectionError):  # whoever has no room goes in the middle
                self.wfile.write(content[start:])

        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/fetched.gguf"
    finally:
        server.shutdown()
        server.server_close()
