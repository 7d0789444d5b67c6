"""How often the memory of proofs proposes the tactic that a proof begins with: theorems, each as if it were new.

What stands above it in its file and in other files is remembered, itself and what stands below it not. Goals are
statements as they are written; Lean runs nothing. Beside it stands the same number of the tactics that the remembered
proofs begin with most often.
"""

from __future__ import annotations

import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from tacit.index.packages import package_at
from tacit.server.lean.goals import parse_goal
from tacit.server.memory import Memory, Place
from tacit.server.memory_proofs import Proofs, read_proofs
from tacit.server.tactics.lexer import signature
from tacit.server.tactics.memory import ASKED, LIMIT, offers_of

DEPTHS = (1, 8, LIMIT)


def section(say: Callable[[str], None], folders: Sequence[Path], at_most: int) -> dict[str, object]:
    """Measure every folder; the figures."""
    say("## First tactics that the memory of proofs proposes")
    return {folder.name: _folder(say, folder, at_most) for folder in folders}


def _folder(say: Callable[[str], None], folder: Path, at_most: int) -> dict[str, object]:
    before = psutil.Process().memory_info().rss
    began = time.process_time()
    memory = Memory()
    read: dict[str, Proofs] = {}
    for source in package_at(folder).sources([]):
        path = str(source.path)
        read[path] = read_proofs(source.path.read_text(encoding="utf-8", errors="replace"), source.module)
        memory.put(path, read[path])
    memory.recall(Place(parse_goal("⊢ True")), 1)  # puts everything in order
    learning = time.process_time() - began
    theorems = [
        (path, known, step.tactic)
        for path, proofs in read.items()
        for known in proofs.goals
        for step in known.steps[:1]
        if step.kind == "first"
    ]
    chosen = sorted(random.Random(0).sample(range(len(theorems)), min(at_most, len(theorems))))
    say(
        f"- {folder.name}: {len(read)} files, {len(memory)} tactics, read in"
        f" {learning:.1f} s of processor time; {(psutil.Process().memory_info().rss - before) / 2**20:.0f} MiB more"
    )
    frequent = Counter(signature(tactic) for _, _, tactic in theorems).most_common(LIMIT)
    hits, baseline, own, seconds = Counter[int](), Counter[int](), Counter[int](), []
    vocabulary = 0
    for number in chosen:
        path, known, truth = theorems[number]
        text = Path(path).read_text(encoding="utf-8", errors="replace")
        place = _place(path, read[path], known.name, known.goal, text)
        if place is None:
            continue
        began = time.thread_time()
        offers = [signature(each.text) for each in offers_of(memory.recall(place, ASKED), place.goal)]
        seconds.append(time.thread_time() - began)
        wanted = signature(truth)
        rare = wanted not in dict(frequent)
        vocabulary += rare
        for depth in DEPTHS:
            hits[depth] += wanted in offers[:depth]
            own[depth] += rare and wanted in offers[:depth]
            baseline[depth] += wanted in [each for each, _ in frequent[:depth]]
    count = len(seconds)
    for what, found, total in (
        ("memory", hits, count),
        ("most frequent", baseline, count),
        ("not frequent", own, vocabulary),
    ):
        say(f"  - {what}: " + " / ".join(f"{found[depth] / max(1, total):.1%}" for depth in DEPTHS) + f" of {total}")
    p50, p95 = statistics.median(seconds), sorted(seconds)[int(0.95 * (count - 1))]
    say(f"  - {1000 * p50:.1f} ms of processor time a goal, p95 {1000 * p95:.1f} ms")
    return {"goals": count, "memory": dict(hits), "frequent": dict(baseline), "p50": p50, "p95": p95}


def _place(path: str, proofs: Proofs, name: str, goal: str, text: str) -> Place | None:
    at = _declaration(text, name.rpartition(".")[2])
    if at is None:
        return None
    return Place(parse_goal(goal), path, proofs.module, name, text[:at], below=False)


def _declaration(text: str, label: str) -> int | None:
    """Where a theorem of this name begins, the first of them."""
    found = re.search(
        rf"^[^\n]*\b(?:theorem|lemma)\s+(?:[\w.'!?]*\.)?{re.escape(label)}(?![\w.'!?])", text, re.MULTILINE
    )
    return found.start() if found else None
