"""Next-tactic examples out of one Lean text: a goal or an unfinished proof, and the tactic that comes next.

Where text alone tells the goal it is given: at the beginning of a proof, and of a block that proves a `have`. Elsewhere
the theorem's first goal and the proof so far stand for it. A proof that is a term is the tactic `exact term`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from tacit.index.declarations import read_alone
from tacit.index.lexer import one_line, split_top, without_comments
from tacit.index.premise import Kind, Origin, Premise
from tacit.training.goals import goal_of, hypotheses, with_hypotheses
from tacit.training.prompt import LONGEST_PROOF as LONGEST_SHOWN
from tacit.training.prompt import prompt
from tacit.training.steps import Block, Step, read_block

LONGEST_TACTIC = 300
"""Characters of a tactic that a model should write in one go."""
LONGEST_TERM = 200
LONGEST_PROOF = 40_000
FIRST, LATER, HAVE, TERM, TRACED = "first", "later", "have", "term", "traced"

_BODY = re.compile(r":=\s*(?P<by>by\b)?")
_LAYOUT = re.compile(r"\b(?:by|match|calc|do|if|let|have|show|where|conv\w*|first|cases|induction)\b|·|\n\s*\|")
_LINES = ("calc", "match", "conv")
_FORBIDDEN = re.compile(r"\b(?:sorry|admit|native_decide|stop|done)\b|\bsorryAx\b|#|<\|")
_OPEN_ENDED = frozenset("exact refine refine' have obtain apply haveI".split())
_SPLITTING = re.compile(r"(?:cases|induction)\b.*?(?=\s+with\b)", re.DOTALL)
_HAVE = re.compile(r"(?:have|haveI)\b\s*")


@dataclass(frozen=True, slots=True)
class Example:
    """What is known at a place of a proof, and the tactic that stands there. Texts as Lean prints or as written.

    `goal` is the goal there; `statement` the theorem's first goal and `proof` what stands between its `by` and the
    place. `kind` says where it comes from: FIRST, LATER, HAVE, TERM, TRACED.
    """

    tactic: str
    goal: str = ""
    statement: str = ""
    proof: str = ""
    module: str = ""
    name: str = ""
    kind: str = TRACED

    @property
    def prompt(self) -> str:
        """What the model is asked."""
        return prompt(self.goal, statement=self.statement, proof=self.proof)

    def record(self) -> dict[str, str]:
        """For JSON, without what is empty."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name))}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Example:
        """From JSON; keys that are not known are passed over. Raises ValueError that says what is wrong."""
        values = {each.name: record.get(each.name, "") for each in fields(cls)}
        values["kind"] = values["kind"] or TRACED
        wrong = [name for name, value in values.items() if not isinstance(value, str)]
        if wrong:
            raise ValueError(f"`{wrong[0]}` is no text")
        if not values["tactic"].strip():
            raise ValueError("it has no `tactic`")
        if not (values["goal"] or values["statement"]):
            raise ValueError("it has neither a `goal` nor a `statement`")
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Placed:
    """An example and where its tactic stands: `text[start:stop]`."""

    start: int
    stop: int
    example: Example


def examples(text: str, module: str) -> Iterator[Example]:
    """Every example of one text."""
    for each in placed(text.replace("\r\n", "\n"), module):
        yield each.example


def placed(text: str, module: str) -> Iterator[Placed]:
    """Every example of one text, whose lines end with a line feed alone, with its place."""
    yield from placed_of(read_alone(text, module).premises, text)


def placed_of(premises: Iterable[Premise], text: str) -> Iterator[Placed]:
    """The same, for the declarations that were read from the text."""
    for premise in premises:
        if premise.kind is Kind.THEOREM and premise.origin is Origin.SOURCE and premise.type:
            yield from _of_theorem(premise, text)


def _of_theorem(premise: Premise, text: str) -> Iterator[Placed]:
    stop = min(premise.stop, premise.body + LONGEST_PROOF)
    body = _BODY.match(text, premise.body, stop)
    if body is None:
        return
    goal = goal_of(premise)
    if body["by"] is None:
        term = one_line(text[body.end() : stop])
        if term and len(term) <= LONGEST_TERM and _usable(term) and not _is_layout(text[body.end() : stop]):
            example = Example(f"exact {term}", goal, module=premise.module, name=premise.name, kind=TERM)
            yield Placed(body.end(), stop, example)
        return
    block = read_block(text, body.start("by"), stop)
    yield from _Walk(premise, text, goal, body.end()).block(block, hypotheses(f"{premise.context} {premise.binders}"))


class _Walk:
    """One proof."""

    def __init__(self, premise: Premise, text: str, goal: str, begin: int) -> None:
        self.premise, self.text, self.goal, self.begin = premise, text, goal, begin

    def block(self, block: Block, known: list[str], target: str = "") -> Iterator[Placed]:
        """The examples of a block; `target` is what it proves, where a `have` says so, `known` the hypotheses."""
        known = list(known)
        for number, step in enumerate(block.steps):
            tactic = tactic_of(step, self.text)
            if tactic:
                if step.start == self._first(block):
                    yield self._placed(step, tactic, FIRST, goal=self.goal)
                else:
                    yield self._placed(step, tactic, LATER)
                    if number == 0 and target:
                        yield self._placed(step, tactic, HAVE, goal=with_hypotheses(known, target))
            have = _have(step, self.text)
            for inner in step.blocks:
                direct = inner.mark == "by" and self.text[step.start : inner.opener].rstrip().endswith(":=")
                proves = have[1] if have and direct and inner is step.blocks[0] else ""
                yield from self.block(inner, known + (have[2] if have and proves else []), proves)
            if have and have[0]:
                known.append(f"{have[0]} : {have[3]}")

    def _first(self, block: Block) -> int:
        return block.steps[0].start if block.opener + 2 == self.begin and block.mark == "by" else -1

    def _placed(self, step: Step, tactic: str, kind: str, *, goal: str = "") -> Placed:
        first = kind == FIRST
        proof = "" if first else _end_of(without_comments(self.text[self.begin : step.start], ""))
        statement = "" if first else self.goal
        example = Example(tactic, goal, statement, proof, self.premise.module, self.premise.name, kind)
        return Placed(step.start, step.stop, example)


def _end_of(proof: str) -> str:
    """As much of a proof as the prompt can show, so that a long one is not kept whole for each of its steps."""
    begin = proof.find("\n", max(0, len(proof) - 2 * LONGEST_SHOWN))
    return proof if len(proof) <= 2 * LONGEST_SHOWN or begin < 0 else proof[begin:]


def tactic_of(step: Step, text: str) -> str:
    """The tactic that a model should write for a step; empty where that is none.

    Blocks of several lines are left open (`have h : p := by …` is `have h : p := ?_`), as their steps come next.
    """
    if step.bullet:
        return ""
    pieces = []
    at = step.start
    opened = False
    for block in step.blocks:
        end = max(block.stop, block.opener + len(block.mark))
        if block.mark != "by" or "\n" not in text[block.opener : end]:
            continue
        if step.word not in _OPEN_ENDED:
            break
        before = text[at : block.opener]
        if before.endswith("(") and text.startswith(")", end):
            before, end = before[:-1], end + 1
        pieces += [before, "?_"]
        at = end
        opened = True
    written = "".join([*pieces, text[at : step.stop]])
    if opened and step.word == "exact":
        written = "refine" + written[5:]
    if any(block.mark == "=>" for block in step.blocks) and "\n" in written:
        found = _SPLITTING.match(written)
        written = found[0] if found else ""
    tactic = _written(written, text, step.start)
    return tactic if len(tactic) <= LONGEST_TACTIC and _usable(tactic) else ""


def _written(written: str, text: str, start: int) -> str:
    """A tactic on one line where that means the same; otherwise its lines, as far left as they can stand."""
    if not written:
        return ""
    written = without_comments(written, "").strip()
    if not _is_layout(written):
        return " ".join(written.split())
    column = start - (text.rfind("\n", 0, start) + 1)
    lines = [each.rstrip() for each in written.split("\n") if each.strip()]
    return "\n".join([lines[0], *(each[min(column, len(each) - len(each.lstrip())) :] for each in lines[1:])])


def _is_layout(written: str) -> bool:
    """Whether line breaks may mean something."""
    # A `have` at the beginning has its layout to itself; lines of `calc` or `match` stay lines.
    return "\n" in written and (written.startswith(_LINES) or _LAYOUT.search(written, 1) is not None)


def _usable(tactic: str) -> bool:
    return bool(tactic) and _FORBIDDEN.search(tactic) is None


def _have(step: Step, text: str) -> tuple[str, str, list[str], str] | None:
    """Of `have h (x : α) : p := …`: `h`, `p`, the lines for its binders, and the type that `h` has afterwards."""
    found = _HAVE.match(text, step.start, step.stop)
    if found is None:
        return None
    head = one_line(text[found.end() : step.blocks[0].opener if step.blocks else step.stop])
    parts = split_top(head, ":")
    if len(parts) < 2 or parts[1].startswith("="):
        return None
    type_ = parts[1]
    for each in parts[2:]:
        if each.startswith("="):
            break
        type_ += ":" + each
    type_ = type_.strip()
    name, _, rest = parts[0].strip().partition(" ")
    if not type_ or name[:1] in ("⟨", "("):
        return None
    whole = f"∀ {rest.strip()}, {type_}" if rest.strip() else type_
    return name or "this", type_, hypotheses(rest), whole
