"""Puts files in their places whole: whoever looks sees the old content or the new one."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def replace_file(place: Path, content: bytes | memoryview) -> None:
    """Write beside it, then rename; safe with two writers at once and when killed in between. Raises OSError."""
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(6)}")
    # Readable for whom the umask lets, unlike what `tempfile` makes: a machine's users may share one cache.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
