"""Remembers the proofs of the workspaces that goals are asked from, and keeps what it remembers as new as they are.

One thread reads and answers; the loop never waits. What is nearest to the file at hand is read first, and a goal waits
for two seconds at most, then it is answered with what has been read. Without a Lake workspace there is the text at
hand alone. Nothing is indexed and no Lean runs.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tacit.index.files import content_of
from tacit.server.accepting import Taken
from tacit.server.tactics.source import Remembered, SourceRequest

if TYPE_CHECKING:
    from tacit.index.packages import Package
    from tacit.server.memory import Memory

log = logging.getLogger(__name__)

MOST_FILES = 3_000
MOST_STEPS = 100_000
"""What is remembered of one workspace; of more, what is nearest to the file that was asked from first."""
LARGEST = 1_000_000
"""Characters; larger files are no proofs that a person wrote."""
PATIENCE = 2.0
"""Seconds that a goal waits for its workspace to be read."""
MOST_WORKSPACES = 2
FEW = 40
"""Files that may change at once and be read one by one; with more all are looked at."""
SLICE = 0.05
"""Seconds of reading at a time: a goal that is asked meanwhile waits no longer."""

T = TypeVar("T")
Stamp = tuple[int, int]


@dataclass(slots=True)
class _Workspace:
    """What is known of one workspace. `stamps` are the time and size of each file as it was read, and a digest of text
    that was never saved. Everything but `loaded` is of the thread."""

    root: Path | None
    memory: Memory
    package: Package | None = None
    stamps: dict[str, Stamp | bytes] = field(default_factory=dict)
    loaded: asyncio.Task[None] | None = None
    waiting: list[tuple[str, str]] = field(default_factory=list)


class WorkspaceMemory:
    """A ProofMemory over the files of workspaces, the text at hand and what was accepted. `keep`: accepted ones too."""

    def __init__(self, *, below: bool = True, keep: bool = True) -> None:
        self._below = below
        self._keep = keep
        self._spaces: dict[Path | None, _Workspace] = {}
        self._thread = ThreadPoolExecutor(1, "tacit-memory")
        self._hurry = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def recall(self, request: SourceRequest, limit: int) -> Sequence[Remembered]:
        """What was done at the likest goals, the weightiest first; nothing once it is closed."""
        if self._closed:
            return ()
        space, path = await self._space(request.path)
        self._hurry += 1
        try:
            if space.loaded is not None and not space.loaded.done():
                await asyncio.wait({space.loaded}, timeout=PATIENCE)
            return await self._run(lambda: _recall(space, path, request, limit, below=self._below))
        except RuntimeError as error:  # the thread has ended
            log.info("nothing is remembered: %s", error)
            return ()
        finally:
            self._hurry -= 1

    def accepted(self, taken: Taken) -> None:
        """Remember a suggestion that was taken, at once; it is written to disk behind that."""
        self._spawn(self._accept(taken))

    def saw(self, paths: Iterable[Path]) -> None:
        """Files were written, moved or removed."""
        for root, space in self._spaces.items():
            # What is being read for the first time is read as it is then.
            if root is not None and space.loaded is not None:
                changed = [each for each in paths if each.is_relative_to(root)]
                files = [each for each in changed if each.suffix == ".lean"]
                if len(files) > FEW or any(not each.suffix for each in changed):
                    self._load(space)
                elif files:
                    self._spawn(self._look(space, files))

    async def settled(self) -> None:
        """Wait until everything that was told is remembered."""
        loading = {space.loaded for space in self._spaces.values() if space.loaded is not None}
        if tasks := {*self._tasks, *loading}:
            await asyncio.wait(tasks)

    async def aclose(self) -> None:
        """Stop reading and give everything back."""
        self._closed = True
        for space in self._spaces.values():
            if space.loaded is not None:
                space.loaded.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._spaces.clear()

    # ------------------------------------------------------------ workspaces

    async def _space(self, file: Path | None) -> tuple[_Workspace, Path | None]:
        """The workspace of a file, which begins to be read when it is first asked for; and the file without links."""
        path, root = await self._run(lambda: _places(file))
        space = self._spaces.pop(root, None)
        if space is None:
            from tacit.server.memory import Memory

            space = self._spaces.get(root) or _Workspace(root, Memory())
            while len(self._spaces) >= MOST_WORKSPACES:
                old = self._spaces.pop(next(iter(self._spaces)))
                if old.loaded is not None:
                    old.loaded.cancel()
        self._spaces[root] = space  # the last one is the newest
        if space.loaded is None and root is not None:
            if self._keep:
                await self._run(lambda: _recover(space))
            self._load(space, path)
        return space, path

    def _load(self, space: _Workspace, near: Path | None = None) -> None:
        if space.loaded is not None:
            space.loaded.cancel()
        space.loaded = asyncio.create_task(self._read_all(space, near))

    async def _read_all(self, space: _Workspace, near: Path | None) -> None:
        """Read what is new in a workspace, a slice at a time, as long as anything is left."""
        try:
            space.waiting = await self._run(lambda: _unread(space, near))
            while space.waiting:
                began = time.perf_counter()
                await self._run(lambda: _read_some(space))
                # Only as much as what else runs here leaves, where nobody waits for it.
                await asyncio.sleep(0 if self._hurry else time.perf_counter() - began)
        except (OSError, RuntimeError) as error:
            log.info("not all proofs of %s are remembered: %s", space.root, error)

    async def _look(self, space: _Workspace, files: Sequence[Path]) -> None:
        await self._run(lambda: _look(space, files))

    async def _accept(self, taken: Taken) -> None:
        space, path = await self._space(taken.document.path)
        await self._run(lambda: _accept(space, path, taken, keep=self._keep))

    async def _run(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, question)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self._closed:
            work.close()
            return
        task = asyncio.create_task(_quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


# What follows runs in the thread.


def _places(file: Path | None) -> tuple[Path | None, Path | None]:
    """A file without links, and the workspace that it is in."""
    from tacit.index.packages import workspace_of

    path = Path(os.path.realpath(file)) if file is not None else None
    return path, workspace_of(path) if path is not None else None


def _recover(space: _Workspace) -> None:
    """Take up what was accepted before."""
    from tacit.server.memory_store import load, store_of

    assert space.root is not None
    try:
        space.memory.accept_all((str(space.root / file), known) for file, known in load(store_of(space.root)))
    except OSError as error:
        log.info("what was accepted before cannot be read: %s", error)


def _unread(space: _Workspace, near: Path | None) -> list[tuple[str, str]]:
    """The files of a workspace, with their modules, that are not as they were read; the nearest last."""
    package = _package(space, anew=True)
    assert package is not None
    assert space.root is not None
    files: dict[str, tuple[str, Stamp]] = {}
    for each in package.sources([]):
        stamp = _stamp(each.path)
        if stamp is not None:
            files[os.path.realpath(each.path)] = each.module, stamp
    for gone in [part for part, stamp in space.stamps.items() if part not in files and isinstance(stamp, tuple)]:
        space.memory.put(gone, None)
        del space.stamps[gone]
    here = near.parent.parts if near is not None else space.root.parts

    def order(part: str) -> tuple[int, int, str]:
        shared = sum(1 for _ in _alike(Path(part).parent.parts, here))
        return shared, files[part][1][0], part

    nearest = sorted(files, key=order)[-MOST_FILES:]
    return [(part, files[part][0]) for part in nearest if space.stamps.get(part) != files[part][1]]


def _alike(one: Sequence[str], other: Sequence[str]) -> Iterable[str]:
    for a, b in zip(one, other, strict=False):
        if a != b:
            return
        yield a


def _read_some(space: _Workspace) -> None:
    """Read from the end of what is waiting, for a while."""
    until = time.perf_counter() + SLICE
    while space.waiting and time.perf_counter() < until:
        if len(space.memory) >= MOST_STEPS:
            space.waiting.clear()
            return
        part, module = space.waiting.pop()
        _read(space, part, module)


def _read(space: _Workspace, part: str, module: str) -> None:
    """Read a file as it stands on disk."""
    file = Path(part)
    stamp = _stamp(file)
    if stamp is None:
        space.memory.put(part, None)
        space.stamps.pop(part, None)
        return
    try:
        text = content_of(file, 4 * LARGEST).decode()
    except (OSError, UnicodeDecodeError) as error:
        log.info("%s is not remembered: %s", file, error)
    else:
        if len(text) <= LARGEST:
            _put(space, part, text, module)
    space.stamps[part] = stamp


def _put(space: _Workspace, part: str, text: str, module: str) -> None:
    """Remember a text; one that cannot be read after all must not cost the others."""
    from tacit.server.memory_proofs import read_proofs

    try:
        proofs = read_proofs(text, module)
    except Exception:
        log.exception("the proofs of %s cannot be read", part)
    else:
        space.memory.put(part, proofs)


def _look(space: _Workspace, files: Sequence[Path]) -> None:
    """Read files that have changed, if they are the workspace's own."""
    package = _package(space)
    for file in files:
        part = os.path.realpath(file)
        module = package.module_of(Path(part)) if package is not None else None
        if module is not None and _stamp(Path(part)) != space.stamps.get(part):
            _read(space, part, module)


def _recall(
    space: _Workspace, path: Path | None, request: SourceRequest, limit: int, *, below: bool
) -> list[Remembered]:
    from tacit.server.memory import Place

    part = str(path or "")
    module = _module(space, path)
    digest = hashlib.blake2b(request.text.encode("utf-8", "replace"), digest_size=16).digest()
    if space.stamps.get(part) != digest and len(request.text) <= LARGEST:
        _put(space, part, request.text, module)
        for other in [each for each, stamp in space.stamps.items() if isinstance(stamp, bytes) and each != part]:
            # What was typed there may never be saved.
            if space.root is not None and other:
                _read(space, other, space.memory.module(other))
            else:
                space.memory.put(other, None)
                del space.stamps[other]
        space.stamps[part] = digest
    place = Place(
        request.goal,
        part,
        module,
        request.declaration or "",
        request.text[: request.start],
        _proof(request.text[request.start : request.at]),
        below,
    )
    return space.memory.recall(place, limit)


def _accept(space: _Workspace, path: Path | None, taken: Taken, *, keep: bool) -> None:
    from tacit.retrieval.premises import read_above
    from tacit.server.memory_proofs import ACCEPTED, LONGEST_GOAL, Known, Step, head_before
    from tacit.server.memory_store import append, store_of

    text = taken.document.text
    start = _declaration(text, taken.at)
    _, namespace, opens = read_above(text[:start], _module(space, path))
    name = ".".join(each for each in (namespace, taken.declaration) if each)
    goal = taken.goal.text
    if len(goal) > LONGEST_GOAL:
        return
    before = head_before(_proof(text[start : taken.at]))
    inner = name.rpartition(".")[0] or namespace
    known = Known(goal, name, inner, opens, (Step(taken.tactic, ACCEPTED, before),))
    if space.memory.accept(str(path or ""), known) and keep and space.root is not None:
        try:
            append(store_of(space.root), os.path.relpath(path or "", space.root), known)
        except OSError as error:
            log.info("what was accepted is remembered until the end only: %s", error)


def _module(space: _Workspace, path: Path | None) -> str:
    package = _package(space)
    return (package.module_of(path) or "") if package is not None and path is not None else ""


def _package(space: _Workspace, *, anew: bool = False) -> Package | None:
    """The workspace's own package."""
    from tacit.index.packages import own_package

    if space.root is not None and (space.package is None or anew):
        space.package = own_package(space.root)
    return space.package


def _declaration(text: str, at: int) -> int:
    """Where the declaration around an offset begins."""
    from tacit.server.lean.syntax import commands_of

    command = commands_of(text).around(at)
    return command.span.start if command is not None else at


def _proof(text: str) -> str:
    """What stands behind the `by` that a declaration's proof begins with; empty where there is none."""
    _, found, rest = text.partition(":= by")
    return rest if found else ""


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except (OSError, RuntimeError) as error:
        log.info("not remembered: %s", error)
