"""How much memory may still be taken: what the machine has left, and what the control groups of this process allow.

Linux gives a container its limit in the files of its control groups (`memory.max` of version 2,
`memory.limit_in_bytes` of version 1; Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst); what the
machine has left is often far more than that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

import psutil

# Limit, what is used, and the names of what the page cache holds of it: for each version of control groups.
_FILES = (
    ("memory.max", "memory.current", ("inactive_file", "active_file")),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file")),
)


def free_memory(root: Path = Path("/")) -> int:
    """Bytes that can be taken now without swapping, and without a limit being reached. `root` is for tests."""
    return max(0, min([psutil.virtual_memory().available, *_left_in_groups(root)]))


def _left_in_groups(root: Path) -> Iterator[int]:
    """What each control group that this process is in has left, those above included."""
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            mount = root / "sys/fs/cgroup"
            if controllers and "memory" not in controllers.split(","):
                continue
            mount = mount / "memory" if controllers else mount
            # A container may see its own group at the mount's root, under a path that is the machine's.
            place = PurePosixPath(path.lstrip("/"))
            for group in (place, *place.parents):
                left = _left(mount / group, *_FILES[bool(controllers)])
                if left is not None:
                    yield left


def _left(group: Path, limit: str, used: str, cached: tuple[str, ...]) -> int | None:
    """None where there is no limit, or no such group."""
    try:
        most = int((group / limit).read_text())
        taken = int((group / used).read_text())
        lines = (group / "memory.stat").read_text().splitlines()
    except (OSError, ValueError):  # `max`: no limit
        return None
    # What the page cache holds is given back when memory is wanted, as psutil's `available` counts it too.
    return most - taken + sum(int(line.split()[1]) for line in lines if line.split()[0] in cached)
