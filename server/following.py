"""Follows the Lean files of some workspaces on disk, and says which have changed, a tenth of a second later.

Only the folders that hold a workspace's own sources are watched: below `.lake` there are thousands more. Where files
cannot be watched (no inotify watches left, a network drive), `failed` says so, and what the editor says must do.
"""

from __future__ import annotations

import asyncio
import logging
import stat
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

QUIET_MS = 50
"""Milliseconds without a change after which what has changed is told."""
LONGEST_MS = 400
"""Milliseconds after which it is told all the same."""
PLANS = frozenset(("lakefile.lean", "lakefile.toml", "lake-manifest.json", "lean-toolchain"))
"""Files that say which packages there are."""

Changes = Callable[[frozenset[Path]], None]


class Following:
    """Watches until it is closed. `changed` is called in the loop, with files and folders that have changed."""

    def __init__(self, changed: Changes, failed: Callable[[str], None]) -> None:
        self._changed = changed
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def follow(self, roots: Sequence[Path]) -> None:
        """Follow these workspaces, and no others."""
        self.close()
        self._stop = stop = threading.Event()
        folders = [each for root in roots for each in source_folders(root)]
        for paths, deep in ((list(roots), False), (folders, True)):
            if paths:
                arguments = (paths, deep, stop)
                thread = threading.Thread(target=self._watch, args=arguments, name="tacit-follow", daemon=True)
                thread.start()
                self._threads.append(thread)

    def close(self) -> None:
        """Stop watching; the threads end by themselves."""
        self._stop.set()
        self._threads.clear()

    def _watch(self, paths: Sequence[Path], deep: bool, stop: threading.Event) -> None:
        from watchfiles import watch

        try:
            for changes in watch(
                *paths,
                watch_filter=lambda _, path: wanted(Path(path), paths),
                debounce=LONGEST_MS,
                step=QUIET_MS,
                stop_event=stop,
                rust_timeout=1_000,
                recursive=deep,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                self._tell(self._changed, frozenset(Path(path) for _, path in changes), stop)
        except Exception as error:  # whatever the platform's watcher raises
            log.info("files cannot be watched: %s", error)
            sentence = f"Files cannot be watched here ({_short(error)}); what is saved in the editor is followed."
            self._tell(self._failed, sentence, stop)

    def _tell(self, how: Callable[..., None], what: object, stop: threading.Event) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(lambda: None if stop.is_set() else how(what))


def identities(roots: Sequence[Path], others: Sequence[Path] = ()) -> dict[Path, tuple[int, int] | None]:
    """Which folders there are in the places that are watched, and in others; None where there is none.

    Who watches a folder is not told that one above it was moved, nor of another in its place.
    """
    found: dict[Path, tuple[int, int] | None] = {}
    for each in [*others, *(folder for root in roots for folder in (root, *source_folders(root)))]:
        try:
            status = each.stat()
        except OSError:
            found[each] = None
        else:
            found[each] = (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None
    return found


def source_folders(root: Path) -> list[Path]:
    """The folders of a workspace that may hold its own sources."""
    from tacit.index.packages import SKIPPED

    try:
        return sorted(
            each
            for each in root.iterdir()
            if each.name not in SKIPPED and not each.name.startswith(".") and not each.suffix and each.is_dir()
        )
    except OSError:
        return []


def wanted(path: Path, folders: Sequence[Path]) -> bool:
    """Whether a change below these folders may concern an index: of a Lean file, a folder, a list of packages."""
    from tacit.index.packages import SKIPPED

    inside = next((path.relative_to(each).parts for each in folders if path.is_relative_to(each)), path.parts[-1:])
    if not SKIPPED.isdisjoint(inside):
        return False
    return path.suffix == ".lean" or path.name in PLANS or not path.suffix


def _short(error: Exception) -> str:
    return str(error).partition("\n")[0][:120].rstrip(".")
