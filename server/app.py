"""The sidecar: `tacit serve`. Builds the server and runs it over standard input and output; nothing else.

Importing this is cheap. pygls and lsprotocol take some 0.3 s (14,000 lines of message types), so they are imported when
the server is built, not before.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import sys
import threading
from contextlib import suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tacit.server.lifecycle import Build, Lifecycle
    from tacit.server.memory_library import WorkspaceMemory
    from tacit.server.settings import Settings
    from tacit.server.suggest import Suggester
    from tacit.server.tactics.source import PremiseFinder

M_ARENA_MAX = -8
"""mallopt(3)."""
EXIT_SECONDS = 3.0
"""Seconds that threads of libraries get to end once all is done."""


def create_server(
    build: Build, *, search: bool = False, memory: WorkspaceMemory | None = None, lean: str = ""
) -> Lifecycle:
    """A server that answers with the suggester that `build` makes for the settings in force.

    `build` is called when Lean is first needed, and again when settings that concern Lean change. It may raise
    TacitError: the sentence is shown, and the server goes on. With `search` the server indexes and searches the
    workspace too, and `build` gets what finds premises in the very indexes that are searched. `memory` is told of what
    is saved and of suggestions that are taken, and is closed in the end. `lean` names the Lean whose sources are
    searched, whatever the settings say.
    """
    from tacit.server.lifecycle import assemble

    return assemble(build, _version(), search=search, memory=memory, lean=lean)


def serve(
    build: Build | None = None,
    *,
    search: bool = False,
    memory: WorkspaceMemory | None = None,
    lean: str = "",
    log_level: str = "WARNING",
) -> int:
    """Serve one editor over standard input and output until it is gone; the exit status. Warnings go to standard error,
    and more to the log of this process.

    Without `build`, everything that there is. `lean`: see create_server.
    """
    from tacit.index.encoder import cache_folder
    from tacit.server import logs, orphans
    from tacit.server.stdio import claim

    _few_arenas()
    source, sink = claim()
    terminal = logs.on_stderr(logging.getLevelNamesMapping()[log_level])
    logs.begin("serve", cache_folder() / logs.FOLDER, terminal=terminal)
    with suppress(OSError, ValueError, RuntimeError):
        faulthandler.enable()  # what a library's native code broke is told on standard error
    # At their own INFO they log every message, whole.
    logging.getLogger("pygls").setLevel(logging.WARNING)
    orphans.mark()
    threading.Thread(target=orphans.end_orphans, name="tacit-orphans", daemon=True).start()
    if build is None:
        from tacit.server.memory_library import WorkspaceMemory

        memory = WorkspaceMemory()
        build, search = partial(_build, memory=memory), True
    lifecycle = create_server(build, search=search, memory=memory, lean=lean)

    async def run() -> int:
        code = await lifecycle.run(source, sink)
        # Nothing may keep the process after that: asyncio and the interpreter wait for threads without a limit.
        last = threading.Timer(EXIT_SECONDS, os._exit, [code])
        last.daemon = True
        last.start()
        return code

    return asyncio.run(run())


def _few_arenas() -> None:
    """Let all threads take memory from two places: glibc gives each its own, and keeps what it gets back there.

    After 200 goals over all of Mathlib 43 MB less are resident. Other systems' allocators have no such setting.
    """
    import ctypes

    with suppress(OSError, TypeError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def _build(settings: Settings, premises: PremiseFinder | None, *, memory: WorkspaceMemory) -> Suggester:
    from tacit.server.compose import build_suggester

    return build_suggester(settings, premises=premises, memory=memory)


def _version() -> str:
    try:
        return version("lean-tacit")
    except PackageNotFoundError:
        return "0"


if __name__ == "__main__":
    sys.exit(serve())
