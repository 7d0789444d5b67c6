"""Keeps what the user accepted, one JSON line each, in Tacit's cache folder: one small file for each workspace.

    {"schema": 1, "file": "My/File.lean", "name": "my_theorem", "goal": "n : ℕ\\n⊢ n + 0 = n", "tactic": "simp", …}

A line is appended whole; one that was cut off by a crash is passed over, and one that a newer Tacit wrote is kept for
it. Deleting the file forgets everything. Nothing is ever sent anywhere.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from tacit.server.kept import Kept, Newer
from tacit.server.memory_proofs import ACCEPTED, LONGEST_GOAL, Known, Step

log = logging.getLogger(__name__)
KEPT = Kept("memory of accepted suggestions")
MOST = 2_000
"""Lines that are kept: with a quarter more, the oldest go."""
LONGEST = 4 * LONGEST_GOAL
_BEGUN = re.compile(rb'\{"schema": (\d{1,9}),')


def store_of(workspace: Path) -> Path:
    """Where what was accepted in a workspace is kept."""
    from tacit.index.encoder import cache_folder

    name = re.sub(r"[^A-Za-z0-9_.-]", "_", workspace.name) or "workspace"
    key = hashlib.blake2b(str(workspace).encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()
    return cache_folder() / "memory" / f"{name}-{key}.jsonl"


def load(file: Path) -> list[tuple[str, Known]]:
    """What is kept, the oldest first, with the file in which it was accepted. Raises OSError."""
    found, newer = _read(file)
    if newer:
        log.info("%d lines of %s were written by a newer Tacit, and are left as they are.", len(newer), file)
    return found[-MOST:]


def append(file: Path, path: str, known: Known) -> None:
    """Keep one more. Raises OSError."""
    from tacit.index.folders import make_private

    line = json.dumps(_record(path, known), ensure_ascii=False)
    if len(line) > LONGEST:
        return
    make_private(file.parent)
    # What a crash cut off has no line break: without one of its own this line would be lost with it.
    data = f"{line}\n".encode("utf-8", "replace")
    handle = os.open(file, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
    try:
        size = os.fstat(handle).st_size
        whole = not size or os.pread(handle, 1, size - 1) == b"\n"
        os.write(handle, data if whole else b"\n" + data)
    finally:
        os.close(handle)
    if size > MOST * 200 and _lines(file) > MOST * 5 // 4:
        _shorten(file)


def _read(file: Path) -> tuple[list[tuple[str, Known]], list[str]]:
    """What can be used; the lines that a newer Tacit wrote."""
    found, newer = [], []
    with suppress(FileNotFoundError), file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                found.append(_of(json.loads(line)))
            except Newer:
                newer.append(line)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                continue
    return found, newer


def _record(path: str, known: Known) -> dict[str, Any]:
    return {
        "schema": KEPT.version,
        "file": path,
        "name": known.name,
        "namespace": known.namespace,
        "opens": list(known.opens),
        "goal": known.goal,
        "tactic": known.steps[0].tactic,
        "before": known.steps[0].before,
    }


def _of(record: Any) -> tuple[str, Known]:
    """One line. Raises Newer; ValueError, KeyError, TypeError or AttributeError for one that is no record."""
    record = KEPT.brought_up(record)
    texts = [record[each] for each in ("file", "name", "namespace", "goal", "tactic", "before")]
    opens = tuple(record["opens"])
    if not all(isinstance(each, str) for each in (*texts, *opens)):
        raise TypeError
    file, name, namespace, goal, tactic, before = texts
    return file, Known(goal, name, namespace, opens, (Step(tactic, ACCEPTED, before),))


def _lines(file: Path) -> int:
    """How many lines there are but for those of a newer Tacit, told from how they begin."""
    with file.open("rb") as lines:
        begun = [_BEGUN.match(line) for line in lines]
    return sum(1 for each in begun if each is None or int(each[1]) <= KEPT.version)


def _shorten(file: Path) -> None:
    """Keep the newest alone, and what is not ours: written beside the file, then put in its place."""
    found, newer = _read(file)
    kept = found[-MOST:]
    growing = file.with_name(f"{file.name}.{os.getpid()}.new")
    text = "".join(newer)
    text += "".join(f"{json.dumps(_record(path, known), ensure_ascii=False)}\n" for path, known in kept)
    growing.write_text(text, encoding="utf-8", errors="replace")
    growing.chmod(0o600)
    growing.replace(file)
