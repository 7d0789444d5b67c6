"""Keeps processes within what they may take of the machine: this one, or one that was just started. Nothing else.

Linux sets limits of another process (prlimit(2)); elsewhere a process can only limit itself. A limit that cannot be set
is not set: what is limited works all the same.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_SIGKILL = 9
_KINDS = ("AS", "FSIZE", "NOFILE", "CORE")
_UNLIMITED = -1
"""As the kernel and psutil write it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one process, and of what it starts later; None leaves what there is.

    `memory`: bytes of address space. `file`: bytes of any one file that it writes. `files`: how many it has open.
    `core`: bytes of what the kernel keeps of one that crashes.
    """

    memory: int | None = None
    file: int | None = None
    files: int | None = None
    core: int | None = 0

    @property
    def values(self) -> tuple[int | None, ...]:
        """In the order of `_KINDS`."""
        return self.memory, self.file, self.files, self.core


def limit(process: psutil.Process, limits: Limits) -> None:
    """Set them for another process. It can raise none of them again."""
    for kind, most in zip(_KINDS, limits.values, strict=True):
        if most is not None:
            with suppress(psutil.Error, AttributeError, ValueError, OSError):
                number: int = getattr(psutil, f"RLIMIT_{kind}")
                value = _least(most, process.rlimit(number)[1])
                process.rlimit(number, (value, value))


def limit_self(limits: Limits) -> None:
    """Set them for this process."""
    with suppress(ImportError):
        import resource

        for kind, most in zip(_KINDS, limits.values, strict=True):
            if most is not None:
                with suppress(AttributeError, ValueError, OSError):
                    number: int = getattr(resource, f"RLIMIT_{kind}")
                    value = _least(most, resource.getrlimit(number)[1])
                    resource.setrlimit(number, (value, value))


def limit_time(process: psutil.Process, seconds: float) -> None:
    """Let a process use so many more seconds of processor time; then the kernel ends it, whoever is left to see it."""
    with suppress(psutil.Error, AttributeError, ValueError, OSError):
        times = process.cpu_times()
        hardest = process.rlimit(psutil.RLIMIT_CPU)[1]
        process.rlimit(psutil.RLIMIT_CPU, (_least(int(times.user + times.system + seconds) + 1, hardest), hardest))


def end_with_parent(parent: int) -> None:
    """Have this process end when the thread that started it does, however that ends, and never get more rights.

    `parent` is the process that should be alive: where it is gone already, this one ends now. Linux only.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _least(most: int, hardest: int) -> int:
    return most if hardest == _UNLIMITED else min(most, hardest)
