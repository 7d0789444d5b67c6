"""The clock jumps, forward and back, and files are of the future or of 1970: durations and updates go on."""

from __future__ import annotations

import os
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

from tests.faults.fault import fault
from tests.faults.rig import Rig
from tests.faults.searching import indexed, keep_indexed, save, until_found

YEAR = 365 * 86400.0
# Wall clocks alone: the machine's monotonic clock does not jump.
SITE = """
import json, os, pathlib, time
_FILE = pathlib.Path({file!r})
_REAL, _REAL_NS, _LOCAL, _UTC = time.time, time.time_ns, time.localtime, time.gmtime

def _jump():
    try:
        return float(_FILE.read_text())
    except (OSError, ValueError):
        return 0.0

time.time = lambda: _REAL() + _jump()
time.time_ns = lambda: _REAL_NS() + int(_jump() * 1e9)
time.localtime = lambda seconds=None: _LOCAL(time.time() if seconds is None else seconds)
time.gmtime = lambda seconds=None: _UTC(time.time() if seconds is None else seconds)
for _other in {others!r}.split(os.pathsep):
    _site = pathlib.Path(_other) / "sitecustomize.py"
    if _other and _site.exists():
        exec(compile(_site.read_text(), str(_site), "exec"))
"""


class Clock:
    """The wall clock of the Python processes of a round."""

    def __init__(self, rig: Rig) -> None:
        folder = rig.folder / "clock"
        folder.mkdir(exist_ok=True)
        self._file = folder / "jump"
        others = rig.environment.get("PYTHONPATH", "")
        site = SITE.format(file=str(self._file), others=others)
        (folder / "sitecustomize.py").write_text(site, encoding="utf-8")
        rig.environment["PYTHONPATH"] = f"{folder}{os.pathsep}{others}" if others else str(folder)

    def jump(self, seconds: float) -> None:
        """Be so many seconds away from the machine's."""
        new = self._file.with_suffix(".new")
        new.write_text(str(seconds), encoding="utf-8")
        new.rename(self._file)


@fault("clock", "The clock jumps", lasts=True)
async def jumps(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    clock = Clock(rig)
    keep_indexed(rig)
    await rig.restart()
    await until_found(rig)
    for _ in range(3):
        clock.jump(dice.choice((-YEAR, -3600.0, -1.0, 1.0, 3600.0, YEAR, 60 * YEAR, -40 * YEAR)))
        await rig.suggest()
        await _follows(rig)
    yield
    clock.jump(0.0)


@fault("clock", "A session begins while the clock is wrong", lasts=True)
async def begins_wrong(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    clock = Clock(rig)
    clock.jump(dice.choice((-40 * YEAR, 60 * YEAR)))
    keep_indexed(rig)
    await rig.restart()
    await until_found(rig)
    yield
    clock.jump(0.0)


def _stamped(name: str, when: float) -> None:
    @fault("clock", f"All files are of {name}", lasts=True)
    async def stamped(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
        await indexed(rig)
        for folder in dice.sample([rig.workspace, rig.cache], dice.randint(1, 2)):
            for each in folder.rglob("*"):
                os.utime(each, (when, when), follow_symlinks=False)
        if dice.random() < 0.5:
            await rig.restart()
        await _follows(rig, when)
        yield


_stamped("1970", 1.0)
_stamped("the future", time.time() + 20 * YEAR)


async def _follows(rig: Rig, when: float | None = None) -> None:
    """A file that is written is found, and found changed though its time and size say nothing; it goes in the end."""
    gem = rig.workspace / "Top" / "Gem.lean"
    for name in ("clock_gem_a", "clock_gem_b"):
        _write(gem, f"theorem {name} : 1 = 1 := rfl\n", when)
        save(rig, gem) if when is None else None
        await until_found(rig, name, name)
    gem.unlink()


def _write(file: Path, text: str, when: float | None) -> None:
    file.write_text(text, encoding="utf-8")
    if when is not None:
        os.utime(file, (when, when))
