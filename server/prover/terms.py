"""A proof by tactics as the term that it is, where it reads as one: `exact ⟨hp, fun h => h.1⟩`. Pure, unjudged."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tacit.server.lean.syntax import tokens
from tacit.server.prover.proof import Proof, closing, words
from tacit.server.tactics.lexer import argument

LONGEST = 80
"""Characters of a term that takes the place of several tactics."""
_HOLE = re.compile(r"\?_(?!\w)")
_PAIRS = re.compile(r"(?:(?:repeat )?constructor|apply And\.intro|refine ⟨\?_, \?_⟩)")
_WITNESS = re.compile(r"(?:exists|use)\s+(?P<witness>[^,]+)")
# What reads well behind `by`, inside a term.
_SHORT = 20


def term(proof: Proof) -> str | None:
    """The term, or None where it is none, or none to read. `constructor` is taken for that of a pair."""
    head, _, rest = proof.tactic.partition(" ")
    if "\n" in proof.tactic or "<;>" in proof.tactic:
        return None
    if head == "exact" and not proof.parts:
        return rest.strip()
    if proof.tactic in ("rfl", "trivial") and not proof.parts:
        return proof.tactic
    inner = [_inside(part) for part in proof.parts]
    found = [each for each in inner if each is not None]
    if not found or len(found) < len(inner) or all(each.startswith("by ") for each in found):
        return None
    made = _made(proof.tactic, head, rest.strip(), found)
    return made if made is not None and len(made) <= LONGEST else None


def _made(tactic: str, head: str, rest: str, inner: Sequence[str]) -> str | None:
    if head in ("intro", "intros") and len(inner) == 1 and rest and not inner[0].startswith("by "):
        return _function(rest, inner[0])
    if _PAIRS.fullmatch(tactic) and len(inner) > 1:
        return pair(inner)
    if (witness := _WITNESS.fullmatch(tactic)) and len(inner) == 1:
        return pair([witness["witness"].strip(), inner[0]])
    if head == "refine" and len(_HOLE.findall(rest)) == len(inner):
        return _filled(rest, inner)
    if head == "apply" and rest and not any(each.startswith("by ") for each in inner):
        return " ".join([rest, *(argument(each) for each in inner)])
    sides = {"left": "Or.inl", "right": "Or.inr", "apply Or.inl": "Or.inl", "apply Or.inr": "Or.inr"}
    if tactic in sides and len(inner) == 1:
        return f"{sides[tactic]} {argument(inner[0])}"
    return None


def _inside(part: Proof) -> str | None:
    """A part as it stands inside the term of the whole."""
    found = term(part)
    if found is not None:
        return found
    alone = not part.parts and "\n" not in part.tactic and len(part.tactic) <= _SHORT and "<;>" not in part.tactic
    return f"by {part.tactic}" if alone else None


def _function(names: str, body: str) -> str:
    """`fun x => f x` is `f`."""
    name = names.split()[-1]
    if body.endswith(f" {name}") and words(body).count(name) == 1 and "=>" not in body:
        shorter = body[: -len(name) - 1].rstrip()
        before = names.split()[:-1]
        return shorter if not before else _function(" ".join(before), shorter)
    if body.startswith("fun "):
        return f"fun {names} {body[4:]}"
    return f"fun {names} => {body}"


def pair(items: Sequence[str]) -> str:
    """`⟨a, b⟩`; a pair at its end needs no brackets of its own."""
    *before, last = items
    found = list(tokens(last))
    if last.startswith("⟨") and closing(found, 0) == len(found) - 1 and "," in last:
        last = last[1:-1]
    return f"⟨{', '.join([*before, last])}⟩"


def _filled(text: str, inner: Sequence[str]) -> str:
    """A term with its `?_` filled; parentheses where what stands around would take it apart."""
    waiting = iter(inner)

    def fill(found: re.Match[str]) -> str:
        before, after = text[: found.start()].rstrip(), text[found.end() :].lstrip()
        free = (not before or before.endswith(("⟨", ",", "=>", "(", "<|"))) and (not after or after[0] in "⟩,)")
        each = next(waiting)
        return each if free else argument(each)

    return _HOLE.sub(fill, text)
