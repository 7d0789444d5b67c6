"""Which suggestion stands above which. Pure."""

from __future__ import annotations

from tacit.server.values import CheckedTactic, Goal, Verdict


def rank(checked: CheckedTactic) -> tuple[float, ...]:
    """A sort key, best first: closes before progresses; of closes the shorter and plainer; of progress the less left.

    What closes everything is worth the same, so the one a person would rather read wins: one line before
    several, terms and named lemmas no worse than automation, fewer characters.
    """
    text = checked.candidate.text
    lines = text.count("\n")
    if checked.verdict is Verdict.CLOSES:
        return (0, lines, len(text) / 20 - 4 * checked.candidate.prior)
    left = sum(len(goal.target) for goal in checked.goals)
    return (1, len(checked.goals), -round(checked.candidate.prior, 1), left, lines, len(text))


def leads_nowhere(checked: CheckedTactic, goal: Goal) -> bool:
    """Whether a tactic turns the goal into one that is harder: `False`, from the same hypotheses.

    `exfalso` runs on every goal; where it is the right step, what closes it is found in the same batch.
    """
    if checked.verdict is not Verdict.PROGRESSES or len(checked.goals) != 1:
        return False
    left = checked.goals[0]
    return left.target == "False" != goal.target and left.hypotheses == goal.hypotheses


def same_result(checked: CheckedTactic) -> object:
    """What two progressing tactics share when they leave the same goals; a close shares its text only."""
    if checked.verdict is Verdict.CLOSES:
        return checked.candidate.text
    return (
        tuple((g.target, tuple((h.names, h.type) for h in g.hypotheses)) for g in checked.goals)
        or checked.candidate.text
    )
