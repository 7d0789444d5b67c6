"""Runs rounds, and judges them. `python -m tests.faults` is its command line."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import checks
from tests.faults.fault import Fault, When
from tests.faults.rig import NoAnswer, Rig
from tests.protocol.editor import Refusal

MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Plan:
    """One round: which faults, in this order, each in its state; all choices come from `seed`."""

    seed: str
    faults: tuple[tuple[Fault, When], ...]

    @property
    def kind(self) -> str:
        """What the report counts it under."""
        return self.faults[0][0].kind if len(self.faults) == 1 else MIXED

    def __str__(self) -> str:
        return " + ".join(f"{fault.title} ({when.value})" for fault, when in self.faults)


@dataclass(slots=True)
class Outcome:
    """What became of a round. `recovery` in seconds, from the end of the fault; None where there was none."""

    plan: Plan
    recovery: float | None = None
    wrong: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    took: float = 0.0

    @property
    def survived(self) -> bool:
        """Whether everything holds."""
        return not self.wrong


def each_once(faults: Sequence[Fault], seed: int, times: int) -> list[Plan]:
    """Every fault in every state."""
    return [
        Plan(f"{seed}/{turn}/{fault.title}/{when.value}", ((fault, when),))
        for turn in range(times)
        for fault in faults
        for when in fault.when
    ]


def mixed(faults: Sequence[Fault], seed: int, rounds: int) -> list[Plan]:
    """Rounds of two to four different faults, in any order."""
    dice = random.Random(seed)
    some = [each for each in faults if not each.alone]
    plans = []
    for number in range(rounds if len(some) > 1 else 0):
        chosen = dice.sample(some, min(len(some), dice.randint(2, 4)))
        plans.append(Plan(f"{seed}/{number}", tuple((each, dice.choice(each.when)) for each in chosen)))
    return plans


async def run(plan: Plan, lean: Path | None) -> Outcome:
    """Run one round in a folder of its own. Never raises what a fault can cause."""
    outcome = Outcome(plan)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tacit-faults-", ignore_cleanup_errors=True) as folder:
        try:
            await _round(plan, outcome, Path(folder) / "round", lean)
        except NoAnswer as missing:
            outcome.wrong.append(str(missing))
        except Exception:
            outcome.wrong.append(f"the round itself failed: {traceback.format_exc()}")
    outcome.took = time.monotonic() - began
    return outcome


async def _round(plan: Plan, outcome: Outcome, folder: Path, lean: Path | None) -> None:
    dice = random.Random(plan.seed)
    faults = [fault for fault, _ in plan.faults]
    async with Rig.begin(
        folder,
        lean=lean,
        model=any(each.model for each in faults),
        index=any(each.index for each in faults),
        proxied=any(each.proxied for each in faults),
    ) as rig:
        before = checks.user_files(rig.workspace)
        try:
            if plan.faults[0][1] is not When.STARTING:
                await rig.warm(model=any(each.model for each in faults))
            since = len(rig.heard)
            try:
                await _work(plan, outcome, rig, dice)
            finally:
                heard = rig.heard[since:]
                outcome.told = list(dict.fromkeys(checks.shown(heard)))
                outcome.wrong += checks.telling(faults, heard)
        finally:
            await _end(rig, outcome)
            outcome.wrong += checks.changed_files(before, checks.user_files(rig.workspace))


async def _work(plan: Plan, outcome: Outcome, rig: Rig, dice: random.Random) -> None:
    """Put every fault in force, ask for everything, lift what lasts in the other order, and wait for recovery."""
    lasts = any(fault.lasts for fault, _ in plan.faults)
    asked = []
    async with AsyncExitStack() as stack:
        injected: list[tuple[Fault, AsyncIterator[None]]] = []
        for fault, when in plan.faults:
            going = await _reach(when, rig)
            faulty = await stack.enter_async_context(aclosing(fault.inject(rig, dice)))  # type: ignore[type-var]
            await anext(faulty)
            injected.append((fault, faulty))
            if going is not None:
                asked.append(going)
            if len(plan.faults) > 1:
                await asyncio.sleep(dice.random() * 0.3)
        if lasts and all(fault.answers for fault, _ in plan.faults):
            await rig.answers()
        for faulty in [each for fault, each in reversed(injected) if fault.lasts]:
            await _finish(faulty)
        outcome.recovery = await rig.recovered(model=any(fault.model for fault, _ in plan.faults))
        if not lasts:
            await rig.answers()
        excused = (Refusal,) if all(fault.answers for fault, _ in plan.faults) else (Refusal, NoAnswer)
        for each in asked:
            with suppress(*excused):
                await each
        for faulty in [each for fault, each in reversed(injected) if not fault.lasts]:
            await _finish(faulty)


async def _finish(faulty: AsyncIterator[None]) -> None:
    with suppress(StopAsyncIteration):
        await anext(faulty)
        raise RuntimeError("a fault has one `yield`")


async def _reach(when: When, rig: Rig) -> asyncio.Task[object] | None:
    """Bring Lean into a state; what is being asked for then, whose answer belongs to the round."""
    if when is When.IDLE:
        return None
    if when is When.STARTING:
        await rig.until(rig.lean.processes, "Lean is started")
        return None
    rig.touch()
    going: asyncio.Task[object] = asyncio.ensure_future(rig.ask("tacit/suggest", {**rig.cursor, "limit": 100}))
    await asyncio.sleep(0.15)  # long enough to be under way, whatever is under way then
    return going


async def _end(rig: Rig, outcome: Outcome) -> None:
    """Shut down, and see what is left."""
    died = rig.editor.process.returncode
    if died is not None:
        outcome.wrong.append(f"the sidecar ended by itself, with status {died}")
    await rig.shutdown()
    if died is None and rig.exit is None:
        outcome.wrong.append("the sidecar did not end in time after `shutdown`")
    elif died is None and rig.exit:
        outcome.wrong.append(f"the sidecar ended with status {rig.exit}")
    outcome.wrong += [f"still running: {each}" for each in await _left_over(rig.mark)]
    outcome.wrong += checks.complaints(rig.errors + rig.editor.stderr)
    if rig.editor.garbage:
        outcome.wrong.append(f"bytes that are no message came from the sidecar: {rig.editor.garbage[:200]!r}")
    outcome.wrong += checks.unsound(rig.cache)


async def _left_over(mark: str) -> list[str]:
    """What still runs, once what was killed had a moment to go."""
    left: list[str] = []
    for _ in range(20):
        left = await asyncio.to_thread(checks.left_over, mark)
        if not left:
            break
        await asyncio.sleep(0.1)
    return left
