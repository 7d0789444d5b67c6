"""Puts files in their places whole: whoever looks sees the old content or the new one. Reads what may be anything.

What stands in a workspace or a cache under the name of a file may be a pipe, at which a reader waits for ever, a device
that has no end, or larger than memory.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

LARGEST_NOTE = 16 << 20
"""Bytes of a file that a tool wrote to say something: a manifest, a list."""
LARGEST_NAME = 1 << 12
"""Bytes of one that holds a name: of a toolchain."""


def content_of(path: Path | str, most: int = LARGEST_NOTE) -> bytes:
    """What a file holds. Raises OSError, also for one larger than `most` bytes and for what is no file; never waits."""
    _check(os.stat(path), most)  # noqa: PTH116  # before it is opened: even that does something to a device
    # What it is may change in between: then a pipe is opened without waiting for who writes to it.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        _check(os.fstat(file.fileno()), most)
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"It is larger than {most:,} bytes")
    return content


def real_path(path: Path) -> Path:
    """A path without links, as far as it goes: `Path.resolve` raises where links go in a circle."""
    return Path(os.path.realpath(path))


def _check(status: os.stat_result, most: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "It is no file")
    if status.st_size > most:
        raise OSError(errno.EFBIG, f"It is larger than {most:,} bytes")


def replace_file(place: Path, *content: bytes | memoryview) -> None:
    """Write it, in parts, beside the place, then rename: safe with two writers, and when killed. Raises OSError."""
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(6)}")
    # Readable for whom the umask lets, unlike what `tempfile` makes: a machine's users may share one cache.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            for each in content:
                file.write(each)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
