"""`python -m tests.fuzz`: random attempts at the checker for as long as wanted. Prints the seed of each round.

    python -m tests.fuzz --minutes 10                     # new ones
    python -m tests.fuzz --seed 7 --rounds 1              # those of seed 7 again
    python -m tests.fuzz --lean --corpus /path/to/Mathlib # what passes the gate is judged by a real Lean, too
    python -m tests.fuzz --atheris gate                   # led by coverage, where atheris is installed

Ends with status 1 and the smallest failing case where something does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import inspect
import random
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, seed, settings

from tests.fuzz import properties
from tests.fuzz.texts import tactic_lines

_PARSED_AT_ONCE = 200


def main() -> int:
    """Run rounds until the time is up."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Random attempts at the checker.")
    parser.add_argument("--seed", type=int, help="of the first round; the next ones count on from it")
    parser.add_argument("--minutes", type=float, default=5.0, help="how long to go on (5)")
    parser.add_argument("--rounds", type=int, help="how many rounds instead")
    parser.add_argument("--examples", type=int, default=200, help="of each property in a round (200)")
    parser.add_argument("--only", choices=properties.PROPERTIES, help="this property alone")
    parser.add_argument("--corpus", type=Path, help="a folder of Lean files whose tactics are damaged, too")
    parser.add_argument("--lean", action="store_true", help="have a real Lean parse what passes the gate")
    parser.add_argument(
        "--atheris", choices=properties.PROPERTIES, help="run this property in atheris, led by coverage"
    )
    options = parser.parse_args()
    if options.corpus is not None:
        properties.MORE.extend(tactic_lines(options.corpus))
    first = options.seed if options.seed is not None else random.SystemRandom().randrange(1_000_000)
    if options.atheris:
        return _atheris(options.atheris, first, options.minutes)
    until = time.monotonic() + 60 * options.minutes
    number = 0
    while (number < options.rounds) if options.rounds else (time.monotonic() < until):
        _round(first + number, options.examples, options.only)
        if options.lean:
            asyncio.run(_judged_by_lean())
        number += 1
        counts = ", ".join(f"{count:,} {name}" for name, count in properties.COUNTS.items())
        print(f"seed {first + number - 1}: held ({counts})", flush=True)
    print(f"{number} rounds, seeds {first} to {first + number - 1}: everything held.")
    return 0


def _round(number: int, examples: int, only: str | None) -> None:
    for name in properties.PROPERTIES:
        if only is not None and name != only:
            continue
        run = settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))(
            seed(number)(properties.test_of(name))
        )
        try:
            run()
        except BaseException:
            print(f"seed {number}: {name} does not hold", file=sys.stderr, flush=True)
            raise


async def _judged_by_lean() -> None:
    from tests.fuzz.judging import a_lean, judge

    texts = list(properties.LET_THROUGH)
    properties.LET_THROUGH.clear()
    async with a_lean() as lean:
        for start in range(0, len(texts), _PARSED_AT_ONCE):
            found = await judge(lean, texts[start : start + _PARSED_AT_ONCE])
            properties.COUNTS["judged by Lean"] = properties.COUNTS.get("judged by Lean", 0) + found.judged
            properties.COUNTS["parsed"] = properties.COUNTS.get("parsed", 0) + found.parsed
            assert not found.escaped, found.escaped


def _atheris(name: str, number: int, minutes: float) -> int:
    """Have atheris choose the bytes that hypothesis makes its cases of. Does not return."""
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        print("atheris is not installed here: `.venv/bin/pip install atheris`.", file=sys.stderr)
        return 2
    ours = [module for key, module in sys.modules.items() if key.startswith("tacit.server.lean.")]
    for module in ours:
        for function in list(vars(module).values()):
            if inspect.isfunction(function) and function.__module__ == module.__name__:
                setattr(module, function.__name__, atheris.instrument_func(function))
    run = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))(properties.test_of(name))
    arguments = [
        sys.argv[0],
        f"-seed={number}",
        f"-max_total_time={int(60 * minutes)}",
        "-max_len=4096",
        "-len_control=0",
    ]
    atheris.Setup(arguments, vars(run)["hypothesis"].fuzz_one_input)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
