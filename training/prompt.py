"""The text that tacit-tiny is given, in training and in use. Pure functions; the one place that knows the template.

    <|goal|>n : ℕ\n⊢ n + 0 = n<|tactic|>                                  a goal as Lean prints it
    <|statement|>n : ℕ\n⊢ 0 + n = n<|proof|>induction n\n· <|tactic|>     a theorem's first goal, and its proof so far

Both may be given: statement, proof, goal, in this order. The model answers with one tactic and `<|end|>`.
"""

from __future__ import annotations

import re

from tacit.index.lexer import without_comments

END, PAD, STATEMENT, PROOF, GOAL, TACTIC = "<|end|>", "<|pad|>", "<|statement|>", "<|proof|>", "<|goal|>", "<|tactic|>"
SPECIAL = (END, PAD, STATEMENT, PROOF, GOAL, TACTIC)
"""In the order of their ids, which begin at 0."""
LONGEST_GOAL = 1_500
LONGEST_PROOF = 600
"""Characters. Of a goal the end is kept, where its target stands; of a proof what was written last."""

_MARK = re.compile(r"<\|(?=[a-z]+\|>)")


def prompt(goal: str = "", *, statement: str = "", proof: str = "") -> str:
    """What the model is asked; `proof` is what stands between the theorem's `by` and the place."""
    parts = []
    if statement:
        parts += [STATEMENT, plain(last_lines(statement, LONGEST_GOAL))]
    if proof:
        parts += [PROOF, plain(so_far(proof))]
    if goal or not parts:
        parts += [GOAL, plain(last_lines(goal, LONGEST_GOAL))]
    return "".join([*parts, TACTIC])


def plain(text: str) -> str:
    """Text that cannot be taken for one of the template's marks."""
    return _MARK.sub("<| ", text)


def last_lines(text: str, longest: int) -> str:
    """The last lines of a text that fit, or the end of its last line."""
    if len(text) <= longest:
        return text
    kept = text[-longest:]
    _, found, rest = kept.partition("\n")
    return rest if found else kept


def so_far(proof: str, longest: int = LONGEST_PROOF) -> str:
    """The last lines of a proof, without comments, empty lines and the indentation that all of them have.

    `proof` is what stands behind `by`, as it stands there: its line breaks and blanks say how deep each line is.
    """
    lines = without_comments(proof, "").split("\n")
    # Behind `by` on the same line, the first line says nothing of the depth of its block.
    first = 1 if lines[0].strip() else 0
    # The last line ends where the next tactic begins: blanks before it say how deep it stands.
    lines = [*(each.rstrip() for each in lines[:-1] if each.strip()), lines[-1]]
    kept = last_lines("\n".join(lines), longest).split("\n")
    if len(kept) < len(lines):
        first = 0
    cut = min((len(each) - len(each.lstrip(" ")) for each in kept[first:]), default=0)
    return "\n".join([*(each.lstrip(" ") for each in kept[:first]), *(each[cut:] for each in kept[first:])])
