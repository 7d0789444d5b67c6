"""The process that makes indexes while an editor is open: what `tacit index update` does, told in JSON Lines.

    python -m tacit.server.index_worker [--own] [--check] [--lean PATH] FOLDER …

The words of all packages first, then their vectors. It runs at low priority, waits where another builder is at work,
and ends when its standard input does: with the sidecar, however that ends. `--own` leaves out what packages depend on.
Indexes that are no whole databases are made anew; with `--check` those too that hold what none holds. `--lean` is what
the settings name as Lean, whose sources are read too.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tacit.server.limits import Limits, limit_self

NICENESS = 15
LARGEST_FILE = 16 << 30
"""Bytes of a file that this process may write: far more than the index of any library takes."""
WAIT_SECONDS = 1.0
"""How long until a builder that was busy is looked at again."""
END_SECONDS = 2.0
"""Seconds that ending in order may take."""
TOLD_SECONDS = 0.2

T = TypeVar("T")


def main(arguments: list[str]) -> int:
    """Bring every index up to date; the exit status."""
    with suppress(OSError, AttributeError):
        os.nice(NICENESS)
    threading.Thread(target=_end_with_input, daemon=True).start()
    limit_self(Limits(file=LARGEST_FILE))

    from tacit.index.encoder import cache_folder
    from tacit.index.places import Place, places
    from tacit.index.soundness import Check
    from tacit.server import logs
    from tacit.server.command import stop_cleanly
    from tacit.server.errors import TacitError
    from tacit.server.library import bring_up_to_date, make_vectors

    logs.begin("index", cache_folder() / logs.FOLDER, least="warning")
    stop_cleanly()
    parser = argparse.ArgumentParser()
    parser.add_argument("--own", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--lean", default="")
    parser.add_argument("folders", nargs="+")
    asked = parser.parse_args(arguments)
    found: dict[Path, Place] = {}
    for folder in asked.folders:
        if not os.path.isdir(folder):  # noqa: PTH112  # Path.is_dir raises where it may not be looked at
            _tell(package=folder, problem=f"The folder {folder} is not there any more.")
            continue
        for each in places(Path(folder), asked.lean)[: 1 if asked.own else None]:
            found.setdefault(each.index, each)
    check = Check.ALL if asked.check else Check.NONE if asked.own else Check.STRUCTURE
    ready = []
    for place in found.values():
        name = place.corpus.name
        try:
            done = _patiently(name, partial(bring_up_to_date, place, check=check))
        except TacitError as error:
            _tell(package=name, problem=str(error))
            continue
        ready.append(place)
        problems = [str(each) for each in done.problems]
        _tell(package=name, words=done.premises, read=done.read, fresh=done.fresh, problems=problems[:3])
    for place in ready:
        name = place.corpus.name
        try:
            filled = _patiently(name, partial(make_vectors, place))
        except TacitError as error:
            _tell(package=name, problem=str(error))
            continue
        _tell(package=name, meanings=filled.count, embedded=filled.embedded)
    return 0


def _patiently(package: str, work: Callable[[Callable[[str, int, int], None]], T]) -> T:
    """Do it, once nobody else is at it."""
    from tacit.index.store import Busy
    from tacit.index.vectors import VectorsBusy
    from tacit.server.errors import TacitError

    waiting = False
    while True:
        try:
            return work(_sparing(package))
        except TacitError as error:
            if not isinstance(error.__cause__, Busy | VectorsBusy):
                raise
            if not waiting:
                waiting = True
                _tell(package=package, waiting=True)
            time.sleep(WAIT_SECONDS)


def _sparing(package: str) -> Callable[[str, int, int], None]:
    last = (-TOLD_SECONDS, "")

    def tell(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if what != last[1] or now - last[0] > TOLD_SECONDS:
            last = (now, what)
            _tell(package=package, what=what, done=done, total=total)

    return tell


def _tell(**values: Any) -> None:
    sys.stdout.write(json.dumps(values, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _end_with_input() -> None:
    """End with whoever started this. What was begun is taken back in order, or by the next builder."""
    with suppress(OSError, ValueError):
        while os.read(0, 1 << 12):
            pass
    import signal

    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(END_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    from tacit.server.command import Interrupted

    try:
        sys.exit(main(sys.argv[1:]))
    except (Interrupted, KeyboardInterrupt, BrokenPipeError):
        os._exit(1)
