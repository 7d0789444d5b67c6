"""Asks Lean once for each set of imports which tactics it knows. Nothing else.

An unknown tactic is a *syntax* error, which ends its command but not the next: so one text holds one `example`
for each tactic. `first` runs its first alternative only and just parses the others, so that nothing is run;
the message of `trace_state` is the evidence that the whole was parsed.
"""

from __future__ import annotations

from collections.abc import Mapping

from tacit.server.lean.elaborator import Elaborator, Outcome, Severity
from tacit.server.text import Position

MARK_COLUMN = 2


def question(header: str, samples: Mapping[str, str]) -> tuple[str, dict[str, int]]:
    """The text that asks for all samples, and the line of each one's evidence.

    `samples` maps a tactic's name to a text that parses if and only if the tactic exists.
    """
    lines = header.rstrip("\n").split("\n") if header.strip() else []
    marks = {}
    for name, sample in samples.items():
        first, *rest = sample.split("\n")
        lines += ["example : True := by", f"  first | exact True.intro | ({first}", *(" " * 30 + line for line in rest)]
        lines[-1] += ")"
        lines.append("  trace_state")
        marks[name] = len(lines) - 1
    return "\n".join(lines) + "\n", marks


async def known_tactics(
    lean: Elaborator, header: str, samples: Mapping[str, str], *, timeout: float = 180.0
) -> frozenset[str]:
    """The names among `samples` that parse under this header. Empty when Lean gave no answer."""
    text, marks = question(header, samples)
    result = await lean.elaborate(text, timeout=timeout, label="which tactics exist")
    if result.outcome is not Outcome.DONE:
        return frozenset()
    ran = {m.start for m in result.messages if m.severity is Severity.INFORMATION}
    return frozenset(name for name, line in marks.items() if Position(line, MARK_COLUMN) in ran)
