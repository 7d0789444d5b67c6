"""What is wanted of a proof beyond being one: a value, cheap to import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finish:
    """`simp only` in the place of `simp`, and how many other proofs beside it at most."""

    simp_only: bool = False
    alternatives: int = 0

    def covers(self, other: Finish) -> bool:
        """Whether what is finished so is what the other wants, too."""
        return self.simp_only == other.simp_only and self.alternatives >= other.alternatives


PLAIN = Finish()
ALTERNATIVES = 3
"""How many other proofs are looked for where any are wanted."""
