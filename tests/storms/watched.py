"""The real sidecar, with one more request that tells what it holds. Run as a script; for storms and soaks.

    test/state {"trace": n?}  →  {"documents": {uri: [version, digest]}, "tables": {name: entries}, …}

The digest is that of the mirrored text (`digest`). With TACIT_TRACE=1 the n places that hold the most memory come too.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import hashlib
import os
import sys
import threading
import tracemalloc
from collections import Counter
from functools import _lru_cache_wrapper
from typing import Any

from tacit.server import app
from tacit.server.lifecycle import Lifecycle

STATE = "test/state"
LARGE = 4096
"""Bytes."""
TRACED = bool(os.environ.get("TACIT_TRACE"))


def digest(text: str) -> str:
    """What stands for a text: halves of surrogate pairs are told apart from whole ones."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def state(lifecycle: Lifecycle, trace: int = 0) -> dict[str, Any]:
    """What the sidecar holds now. Tables are those that must not grow with what was asked."""
    server, session = lifecycle._server, lifecycle._session
    protocol = server.protocol
    held: dict[str, Any] = {
        "documents": {each.uri: [each.version, digest(each.text)] for each in protocol.mirror},
        "tables": {
            "futures": len(protocol._request_futures),
            "result types": len(protocol._result_types),
            "tasks": len(asyncio.all_tasks()),
            "runs": sum(len(runs) for runs in session.requests._runs.values()),
            "leaving": sum(len(tasks) for tasks in session.requests._leaving.values()),
            "offers": sum(len(each) for each in session._offers._offers.values()),
            "background": len(session._tasks),
            "preparing": len(session._preparing),
            "told": len(session._told) + len(session._heard),
        },
        "threads": threading.active_count(),
        "malloc MiB": _malloc(),
    }
    if trace:
        held["cycles"] = gc.collect()
        held["malloc MiB without cycles"] = _malloc()
        found = gc.get_objects()
        held["objects"] = len(found)
        held["types"] = Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in found).most_common(
            trace
        )
        caches = {
            getattr(each, "__qualname__", "method"): each.cache_info().currsize
            for each in found
            if isinstance(each, _lru_cache_wrapper)
        }
        held["caches"] = dict(Counter(caches).most_common(trace))
        held["large KiB"] = dict(_large(found).most_common(trace))
        if TRACED:
            top = tracemalloc.take_snapshot().statistics("lineno")[:trace]
            held["traced"] = [f"{each.size >> 10} KiB in {each.count}: {each.traceback}" for each in top]
    return held


def _large(found: list[Any]) -> Counter[str]:
    """KiB of long texts, bytes and arrays, by what they are and whose: those are no objects of the collector's."""
    sizes: Counter[str] = Counter()
    seen: set[int] = set()
    for owner in found:
        for each in gc.get_referents(owner):
            if id(each) not in seen and not gc.is_tracked(each) and (size := sys.getsizeof(each)) >= LARGE:
                seen.add(id(each))
                sizes[f"{type(each).__qualname__} of {type(owner).__module__}.{type(owner).__qualname__}"] += size >> 10
    return sizes


class _MallInfo(ctypes.Structure):
    """glibc's `struct mallinfo2`."""

    _fields_ = tuple(
        (name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd usm fsm used free top".split()
    )


def _malloc() -> dict[str, int]:
    """What the C library's allocator holds in its heaps: in use, free, and mapped beside them. Empty elsewhere."""
    try:
        look = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        return {}
    look.restype = _MallInfo
    found = look()
    return {"used": found.used >> 20, "free": found.free >> 20, "mapped": found.hblkhd >> 20}


def main() -> int:
    made = app.create_server

    def watched(*arguments: Any, **named: Any) -> Lifecycle:
        lifecycle = made(*arguments, **named)

        async def answer(params: Any) -> dict[str, Any]:
            return state(lifecycle, int(getattr(params, "trace", 0) or 0))

        lifecycle._server.on(STATE, answer)
        return lifecycle

    app.create_server = watched
    if TRACED:
        tracemalloc.start(1)
    return app.serve()


if __name__ == "__main__":
    sys.exit(main())
