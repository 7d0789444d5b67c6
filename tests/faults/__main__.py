"""The command line: see the package's docstring."""

from __future__ import annotations

import argparse
import asyncio
import re
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.faults import report, runner
from tests.faults.catalogue import FAULTS
from tests.faults.fault import Fault
from tests.faults.rig import real_lean


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; the exit status is 1 where something did not survive."""
    given = _parser().parse_args(arguments)
    chosen = [each for each in FAULTS if _wanted(each, given.kind, given.only)]
    if given.list:
        say("\n".join(f"{each.title}  [{', '.join(when.value for when in each.when)}]" for each in chosen))
        return 0
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    lean = None if given.peer == "scripted" else real_lean()
    if lean is None and given.peer == "real":
        say("There is no Lean on the PATH.")
        return 2
    chosen = [each for each in chosen if lean is not None or not each.real]
    plans = [] if given.mixed_only else runner.each_once(chosen, seed, given.times)
    plans += runner.mixed(chosen, seed, given.rounds)
    return asyncio.run(_run(plans, seed, lean))


async def _run(plans: Sequence[runner.Plan], seed: int, lean: Path | None) -> int:
    say(f"seed {seed}, {len(plans)} rounds, {f'Lean: {lean}' if lean else 'a scripted Lean'}")
    outcomes = []
    for plan in plans:
        outcome = await runner.run(plan, lean)
        outcomes.append(outcome)
        say(report.line(outcome))
    say(f"\n{report.table(outcomes)}\n\nseed {seed}")
    return 0 if all(each.survived for each in outcomes) else 1


def _wanted(fault: Fault, kinds: Sequence[str], only: str) -> bool:
    return (not kinds or fault.kind in kinds) and bool(re.search(only, fault.title))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Put faults into a real sidecar.")
    parser.add_argument("--seed", type=int, help="of all choices; without one it is drawn, and printed")
    parser.add_argument("--rounds", type=int, default=10, help="rounds of several faults at once (10)")
    parser.add_argument("--times", type=int, default=1, help="how often each fault is injected alone (1)")
    parser.add_argument("--kind", action="append", default=[], help="only faults of this kind; may be repeated")
    parser.add_argument("--only", default="", help="only faults whose title this regular expression finds")
    parser.add_argument("--mixed-only", action="store_true", help="only rounds of several faults")
    parser.add_argument("--peer", choices=("any", "real", "scripted"), default="any", help="which Lean (any)")
    parser.add_argument("--list", action="store_true", help="name the faults and end")
    return parser


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
