"""What is wanted of a proof beyond being one: a value, cheap to import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finish:
    """`simp only` in the place of `simp`, how many other proofs beside it at most, and that it is the same each time.

    With a `seed` a search does not depend on how quick Lean and the sources are, but for when the budget ends it and
    what hangs; another one prefers other states among those that look alike. Nothing is learned then.
    """

    simp_only: bool = False
    alternatives: int = 0
    seed: int | None = None

    def covers(self, other: Finish) -> bool:
        """Whether what is finished so is what the other wants, too."""
        alike = (self.simp_only, self.seed) == (other.simp_only, other.seed)
        return alike and self.alternatives >= other.alternatives


PLAIN = Finish()
FINISHING = 4.0
"""Seconds beyond a search's budget in which a proof that was found in time is finished, at most as a rule."""
ALTERNATIVES = 3
"""How many other proofs are looked for where any are wanted."""
