"""Makes the folders that Tacit keeps things in: for their owner alone, unless the user chose the place. No more."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tacit.index.encoder import cache_folder, default_cache_folder

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing. Raises OSError.

    What Tacit keeps tells of the user's projects: its folder in the user's cache lets nobody else in. A folder that
    TACIT_CACHE names is as the user made it, so that the users of a machine may share indexes.
    """
    own = default_cache_folder()
    if folder.is_relative_to(own) and own == cache_folder():
        make_private(own)
    folder.mkdir(parents=True, exist_ok=True)


def make_private(folder: Path) -> None:
    """Make a folder that only its owner can look into; one of this user's that is there becomes so. Raises OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=stat.S_IRWXU, exist_ok=True)
    status = folder.stat()
    if status.st_mode & OTHERS and (not hasattr(os, "geteuid") or status.st_uid == os.geteuid()):
        folder.chmod(stat.S_IMODE(status.st_mode) & ~OTHERS)


def private_opener(path: str, flags: int) -> int:
    """For `open`: a new file is its owner's alone."""
    return os.open(path, flags, 0o600)
