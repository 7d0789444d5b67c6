"""What limits and the sandbox cost: how long a real Lean takes until it is there, and until it has judged a first text.

    python tests/bench/security.py [--rounds 15] [--file FILE] [--import MODULE]

Each round starts one Lean each way, in turn: without limits, within them, and in the sandbox too. Prints the median and
the 90th percentile in milliseconds, and the model worker's the same.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from tacit.server.errors import TacitError
from tacit.server.lean.elaborator import Outcome
from tacit.server.lean.live import LiveElaborator
from tacit.server.lean.locate import LeanSettings, find_lean, server_commands
from tacit.server.limits import Limits
from tacit.server.model.client import ModelClient
from tacit.server.model.messages import Load
from tacit.server.model_choice import choose
from tacit.server.settings import Settings

WAYS = ("no limits", "limits", "limits, sandbox")
NONE = Limits(core=None)
TEXT = "theorem t (p q : Prop) (hp : p) (hq : q) : p ∧ q := by\n  exact ⟨hp, hq⟩\n"


async def lean(way: str, file: Path, header: str) -> tuple[float, float]:
    """Seconds until Lean answers, and until a first text is elaborated."""
    limited = way != "no limits"
    settings = LeanSettings(memory_mib=None if limited else 0, sandbox="sandbox" in way)
    install = await find_lean(settings, file.parent)
    began = time.perf_counter()
    commands = server_commands(install, file, settings)
    if not limited:
        commands = [replace(each, limits=NONE) for each in commands]
    elaborator = LiveElaborator(commands, file.as_uri(), memory_mib=settings.memory_mib)
    try:
        await elaborator.start()
        there = time.perf_counter() - began
        result = await elaborator.elaborate(header + TEXT, timeout=120)
        judged = time.perf_counter() - began
        if result.outcome is not Outcome.DONE or any(each.severity == 1 for each in result.messages):
            raise SystemExit(f"{way}: {result}")
        return there, judged
    finally:
        await elaborator.aclose()


async def model(way: str, path: Path) -> tuple[float, float]:
    """Seconds until the model worker has loaded a model. (It limits itself: there is no way without.)"""
    began = time.perf_counter()
    client = ModelClient(Load(str(path), 512, 4, 32, 1), sandbox="sandbox" in way)
    try:
        await client.load()
        took = time.perf_counter() - began
        return took, took
    finally:
        await client.aclose()


async def measure(
    what: str, ways: tuple[str, ...], once: Callable[[str], Awaitable[tuple[float, float]]], n: int
) -> None:
    """Every way in turn, so that what else the machine does meets all of them."""
    taken: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for way in ways:
        await once(way)  # files that are read the first time
    for _ in range(n):
        for way in ways:
            taken[way].append(await once(way))
    for way, some in taken.items():
        shown = []
        for place in (0, 1):
            values = sorted(1000 * each[place] for each in some)
            shown.append(f"{statistics.median(values):6.0f} {values[int(0.9 * (len(values) - 1))]:6.0f}")
        sys.stdout.write(f"{what:8} {way:16} there p50 p90 {shown[0]}   first text {shown[1]}\n")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--file", type=Path, help="a file of a workspace; it need not be there")
    parser.add_argument("--import", dest="module", default="")
    asked = parser.parse_args()
    header = f"import {asked.module}\n" if asked.module else ""
    sys.stdout.write(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, {asked.rounds} rounds, ms\n")
    with tempfile.TemporaryDirectory() as folder:
        file = asked.file or Path(folder) / "Start.lean"
        try:
            await measure("Lean", WAYS, lambda way: lean(way, file, header), asked.rounds)
            if (path := choose(Settings()).path) is not None:
                await measure("model", WAYS[1:], lambda way: model(way, path), asked.rounds)
        except TacitError as error:
            raise SystemExit(str(error)) from error


if __name__ == "__main__":
    asyncio.run(main())
