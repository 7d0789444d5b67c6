"""What the faults of indexes, disks and workspaces share: an index that is kept new, questions to it, damage."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from tacit.index.soundness import is_whole
from tests.faults.rig import RECOVERY, NoAnswer, Rig, rebuild
from tests.protocol.editor import Refusal

KNOWN = "Group.mul_comm"
"""A theorem of every round's project."""
ASKED = "mul_comm"


async def names(rig: Rig, text: str = ASKED) -> list[str]:
    """What is found, by name; nothing where the answer is a refusal. Raises NoAnswer."""
    try:
        return [each["name"] for each in (await rig.ask("tacit/search", {"text": text}))["hits"]]
    except Refusal:
        return []


async def until_found(rig: Rig, name: str = KNOWN, text: str = ASKED) -> None:
    """Ask until it is found. Raises NoAnswer."""
    end = time.monotonic() + RECOVERY
    while name not in await names(rig, text):
        if time.monotonic() > end:
            state = (await rig.ask("tacit/status"))["index"]
            raise NoAnswer(f"{name} was not found again in {RECOVERY:g} s: {state}")
        await asyncio.sleep(0.1)


async def until_idle(rig: Rig) -> None:
    """Wait until no builder is at work. Raises NoAnswer."""
    end = time.monotonic() + RECOVERY
    while (await rig.ask("tacit/status"))["index"]["state"] not in ("idle", "failed", "stopped"):
        if time.monotonic() > end:
            raise NoAnswer(f"the builder was still busy after {RECOVERY:g} s")
        await asyncio.sleep(0.1)


async def until_told(rig: Rig, sentence: str) -> None:
    """Wait until the state of the index says so. Raises NoAnswer."""
    end = time.monotonic() + RECOVERY
    while sentence not in (said := (await rig.ask("tacit/status"))["index"]["sentence"]):
        if time.monotonic() > end:
            raise NoAnswer(f"the status did not say {sentence!r} in {RECOVERY:g} s, but {said!r}")
        await asyncio.sleep(0.1)


def keep_indexed(rig: Rig) -> None:
    """Let the sidecar make and mend its indexes by itself, as it does for a user; a sidecar started later too."""
    rig.settings = {**rig.settings, "index": {"automatic": True}}
    rig.editor.notify("workspace/didChangeConfiguration", {"settings": {"tacit": {"index": {"automatic": True}}}})


async def indexed(rig: Rig) -> Path:
    """Have the project indexed by the sidecar itself, searched once, and found again in the end; its index."""
    keep_indexed(rig)
    await until_found(rig)
    await until_idle(rig)
    rig.also.append(lambda: until_found(rig))
    return index_of(rig)


async def mended(rig: Rig, index: Path) -> None:
    """Wait until an index is whole, doing what users do: asking, then opening the editor anew. Raises NoAnswer.

    What nobody reads is not noticed before; what of that reading alone does not tell, `tacit index build` mends.
    """
    for text in (ASKED, "compact", "_ * _ = _ * _", "kind:theorem module:Top.Algebra", "kind:instance sum"):
        await names(rig, text)
    for restart in (False, True):
        if restart:
            await rig.restart()
        await until_found(rig)
        await until_idle(rig)
        if await asyncio.to_thread(is_whole, index):
            return
    await rig.shutdown()
    await rebuild(rig.workspace, rig.environment)
    await rig.restart()


def index_of(rig: Rig) -> Path:
    """The index of the round's project."""
    (found,) = rig.cache.glob("index/top-*.db")
    return found


def save(rig: Rig, path: Path) -> None:
    """A file of the workspace is saved as it is, by the user."""
    path.touch()
    rig.editor.notify("textDocument/didSave", {"textDocument": {"uri": path.as_uri()}})


def harm(path: Path, how: str, dice: random.Random) -> None:
    """Do something to a file that no program of ours does. See HARMS."""
    content = bytearray(path.read_bytes())
    if how == "cut off":
        del content[dice.randrange(len(content) or 1) :]
    elif how == "random bytes":
        content = bytearray(dice.randbytes(len(content)))
    elif how == "some other bytes":
        for _ in range(dice.choice((1, 8, 64))):
            content[dice.randrange(len(content))] = dice.randrange(256)
    elif how == "some zeros":
        start = dice.randrange(len(content)) // 4096 * 4096
        content[start : start + 4096] = bytes(len(content[start : start + 4096]))
    elif how == "empty":
        content.clear()
    replace(path, bytes(content)) if dice.random() < 0.5 else path.write_bytes(content)


HARMS = ("cut off", "random bytes", "some other bytes", "some zeros", "empty")


def replace(path: Path, content: bytes) -> None:
    """Put another file in the place of one that may be open."""
    growing = path.with_name(f"{path.name}.harm")
    growing.write_bytes(content)
    growing.rename(path)


def remove(path: Path) -> None:
    """Take away whatever is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def with_log(index: Path) -> Sequence[Path]:
    """An index and what SQLite keeps beside it."""
    return (index, *(index.with_name(index.name + suffix) for suffix in ("-wal", "-shm")))
