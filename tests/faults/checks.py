"""What must hold after a round: values of before and after go in, sentences of what does not hold come out."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.faults import peers
from tests.faults.fault import Fault, Told

SHOWN = "window/showMessage"
LOGGED = "window/logMessage"


def user_files(workspace: Path) -> dict[str, str]:
    """The digest of every file of the user's."""
    found = {}
    for each in sorted(workspace.rglob("*")):
        if each.is_file() and not each.is_symlink():
            found[str(each.relative_to(workspace))] = hashlib.sha256(each.read_bytes()).hexdigest()
    return found


def changed_files(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What happened to the user's files."""
    return [
        f"the user's file {name} was {'lost' if name not in after else 'changed' if name in before else 'made'}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def unsound(cache: Path) -> list[str]:
    """What is wrong with the indexes below a cache folder: each must open, and hold what readers take for granted."""
    from tacit.index.soundness import is_sound

    found = []
    for path in sorted(cache.rglob("*.db")):
        try:
            database = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
            try:
                said = database.execute("PRAGMA integrity_check").fetchone()[0]
                if said != "ok":
                    found.append(f"{path.name} is damaged: {said}")
                elif path.parent.name == "index" and not is_sound(database):
                    found.append(f"{path.name} holds what no index holds")
            finally:
                database.close()
        except sqlite3.Error as error:
            found.append(f"{path.name} does not open: {error}")
    return found


def left_over(mark: str) -> list[str]:
    """The processes of a round that still run."""
    found = []
    for process in peers.of_round(mark):
        try:
            found.append(f"{process.pid} {' '.join(process.cmdline())[:120]}")
        except psutil.Error:
            continue
    return found


def shown(heard: Sequence[dict[str, Any]]) -> list[str]:
    """The sentences that were shown to the user."""
    return [each["params"]["message"] for each in heard if each.get("method") == SHOWN]


def said(heard: Sequence[dict[str, Any]]) -> list[str]:
    """All sentences: shown, logged, in a status, with an answer."""
    found = []
    for each in heard:
        params, result = each.get("params"), each.get("result")
        if each.get("method") in (SHOWN, LOGGED):
            found.append(each["params"]["message"])
        for value in (params, result):
            found += _sentences(value)
        if "error" in each:
            found.append(each["error"].get("message", ""))
    return [each for each in found if each]


def _sentences(value: object) -> list[str]:
    """What stands under `sentence` or `notice`, however deep."""
    if isinstance(value, dict):
        here = [value[key] for key in ("sentence", "notice") if isinstance(value.get(key), str)]
        return here + [each for inner in value.values() for each in _sentences(inner)]
    if isinstance(value, list):
        return [each for inner in value for each in _sentences(inner)]
    return []


def telling(faults: Sequence[Fault], heard: Sequence[dict[str, Any]]) -> list[str]:
    """What is wrong with what the user was told of these faults."""
    found = []
    messages = shown(heard)
    # However many seconds or bytes it names, it is the same sentence.
    counts = Counter(re.sub(r"\d+", "0", each) for each in messages)
    found += [f"shown {times} times: {text}" for text, times in counts.items() if times > 1]
    if len(counts) > len(faults):
        found.append(f"{len(counts)} messages for {len(faults)} fault(s): {' | '.join(counts)}")
    everything = said(heard)
    to_be_told = [
        (each, messages if each.told is Told.SHOWN else everything) for each in faults if each.told is not Told.QUIET
    ]
    untold = [(each, where) for each, where in to_be_told if not any(re.search(each.says, text) for text in where)]
    if len(untold) < len(to_be_told):
        return found  # where Lean does not start, nobody asks the model: one fault may keep another from being met
    for fault, where in untold:
        heard_instead = " | ".join(dict.fromkeys(where)) or "nothing"
        found.append(f"{fault.title} was not {fault.told.value}; the user was told: {heard_instead}")
    return found


def complaints(stderr: bytes) -> list[str]:
    """Errors of Tacit's own that its log tells of."""
    text = stderr.decode(errors="replace")
    at = text.find("Traceback")
    return [] if at < 0 else [f"a traceback was logged: …{text[max(0, at - 200) : at + 3000].strip()}"]
