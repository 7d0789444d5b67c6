"""`tacit mcp`: the tools of Tacit for agents, over standard input and output, until the client is gone."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tacit.server.errors import BadInput, TacitError
from tacit.server.searcher import Searcher

if TYPE_CHECKING:
    from tacit.server.mcp_desk import Forgetting
    from tacit.server.mcp_server import Server
    from tacit.server.premise_library import Run

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def serve_mcp(build: Callable[[Run], Forgetting], folders: Sequence[Path], lean: str, version: str) -> int:
    """Serve one client; the exit status. `build` makes the engine over the open indexes, when it is first needed."""
    try:
        from tacit.server import mcp_server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types", "pydantic"):
            raise
        raise TacitError(
            "The tools for agents need the package mcp.", hint="Install it: pip install 'lean-tacit[mcp]'."
        ) from error
    from tacit.server.mcp_desk import Desk

    for each in folders:
        if not each.expanduser().is_dir():
            raise BadInput(f"{each} is no folder.", hint="Name the folder of a Lean project.")
    searcher = Searcher()
    desk = Desk(lambda: build(searcher.run), searcher, folders or [Path.cwd()], lean)
    return asyncio.run(_serve(mcp_server.Server(desk, version)))


async def _serve(server: Server) -> int:
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[int] = loop.create_future()

    def stop(number: int) -> None:
        if not stopped.done():
            stopped.set_result(128 + number)

    for name in SIGNALS:
        with suppress(AttributeError, NotImplementedError, ValueError, RuntimeError):  # Windows; not the main thread
            number = getattr(signal, name)
            loop.add_signal_handler(number, stop, number)
    serving = asyncio.ensure_future(server.run_stdio_async())
    ways: list[asyncio.Future[Any]] = [serving, stopped]
    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    await server.aclose()
    if serving.done():
        serving.result()
        return 0
    # A thread waits for the next message, and nothing but the client can end that.
    os._exit(stopped.result())
