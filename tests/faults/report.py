"""What came of the rounds: a line for each while they run, a table by kind at the end."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles

from tests.faults.runner import Outcome


def line(outcome: Outcome) -> str:
    """One round in a line, and below it what did not hold and how to repeat it."""
    recovery = "      –" if outcome.recovery is None else f"{outcome.recovery:6.2f}s"
    found = [f"{'ok  ' if outcome.survived else 'FAIL'} {recovery}  {outcome.plan}"]
    found += [f"       told: {each}" for each in outcome.told]
    if not outcome.survived:
        found += [f"       {each}" for each in outcome.wrong]
        found.append(f"       seed {outcome.plan.seed}")
    return "\n".join(found)


def table(outcomes: Sequence[Outcome]) -> str:
    """By kind: injected, survived, seconds to recover."""
    rows = ["| kind | injected | survived | recovery p50 | p95 |", "|---|---|---|---|---|"]
    kinds = [*dict.fromkeys(each.plan.kind for each in outcomes), "all"]
    for kind in kinds:
        of_kind = [each for each in outcomes if kind in (each.plan.kind, "all")]
        injected = sum(len(each.plan.faults) for each in of_kind)
        survived = sum(len(each.plan.faults) for each in of_kind if each.survived)
        seconds = [each.recovery for each in of_kind if each.recovery is not None]
        p50, p95 = (f"{percentile(seconds, share):.2f} s" if seconds else "–" for share in (50, 95))
        rows.append(f"| {kind} | {injected} | {survived} | {p50} | {p95} |")
    return "\n".join(rows)


def percentile(values: Sequence[float], share: int) -> float:
    """The value that so many percent do not exceed."""
    return quantiles(values, n=100, method="inclusive")[share - 1] if len(values) > 1 else values[0]
