"""From what a model wrote to tactics: echoes, fences, numbers, comments and unfinished ends taken off. Pure functions.

Nothing here is trusted to be Lean: the gate and the checker decide. What is read is only what a model meant.
"""

from __future__ import annotations

import re
import textwrap

from tacit.server.model.prompts import Preset, Question

CLOSED_BY = {")": "(", "]": "[", "}": "{", "⟩": "⟨", "⦄": "⦃", "›": "‹", "»": "«"}
OPEN = frozenset(CLOSED_BY.values())
_FENCE = re.compile(r"```[ \t]*[\w+-]*[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_NUMBER = re.compile(r"^(?:\(?\d{1,2}[.)]|[-*•]|Tactic(?: \d+)?:|TACTIC:|PROOFSTEP\b|\[TAC\])[ \t]+", re.IGNORECASE)
_BULLET = re.compile(r"^[·.][ \t]+(?=\S)")
_THEOREM = re.compile(r"^(?:theorem|lemma|example)\b.*?:=[ \t\n]*by\b", re.DOTALL)
_STATE_LINE = re.compile(r"^(?:⊢|case [\w.«»✝]+$|no goals$|\[/?(?:STATE|TAC)\]|Goals? |State:|STATE)")
_TAG = re.compile(r"<\|\w+\|>|</?s>|\[/?TAC\]|\[PROOFSTEP\]")
# What cannot end a tactic: more was to come.
_UNFINISHED = re.compile(
    r"(?:<;>|:=|=>|(?<!\bat )\*|[,;|+=<>≤≥≠∧∨→↔(\[{⟨←]"
    r"|\b(?:by|at|with|using|from|generalizing|then|else|fun|in))$"
)
# A line that ends so goes on in the next one, and belongs to it.
_GOES_ON = re.compile(r"(?:<;>|:=|=>|[,;(\[{⟨]|\b(?:by|with|from|calc))$")
_PROSE = re.compile(r"^(?:The|This|We|To|Here|Sure|Since|First|Now|I|It|Note|In|Next|Let us|You|Answer|Explanation)\b")


def tactics(preset: Preset, completion: str, question: Question) -> tuple[str, ...]:
    """The tactics of one completion, the one it says as a whole first, then its first step where it has several."""
    text = completion
    if preset.echo and preset.echo in text:
        text = text.rpartition(preset.echo)[2]
    for stop in preset.stop:
        # A model that was trained to begin with the stop (a newline) means what follows.
        text = text.lstrip("\n").split(stop)[0] if stop.strip("\n") == "" else text.split(stop)[0]
    if fence := _FENCE.search(text):
        text = fence[1]
    text = _TAG.sub("", uncommented(text)).replace("\t", "  ").replace("\r", "")
    text = _block(text, question)
    if question.prefix and not text.startswith(question.prefix):
        text = question.prefix + text
    whole = _finished(text)
    found = [whole] if whole else []
    steps = _steps(whole)
    if len(steps) > 1 and (first := _finished(steps[0])):
        found.append(first)
    return tuple(dict.fromkeys(found))


def whole_line(text: str) -> bool:
    """Whether a text that has just got a line break is a whole tactic: nothing open, nothing that goes on."""
    line = text.rstrip()
    return bool(line) and balance(line) == 0 and not _GOES_ON.search(line)


def balance(text: str) -> int | None:
    """How many brackets are open; None where one closes that was not."""
    stack: list[str] = []
    for char in text:
        if char in OPEN:
            stack.append(char)
        elif char in CLOSED_BY and (not stack or stack.pop() != CLOSED_BY[char]):
            return None
    return len(stack)


def uncommented(text: str) -> str:
    """Without comments: the gate refuses any, because they can hide what follows."""
    kept = []
    depth = at = 0
    while at < len(text):
        pair = text[at : at + 2]
        if pair == "/-":
            depth, at = depth + 1, at + 2
        elif pair == "-/" and depth:
            depth, at = depth - 1, at + 2
        elif depth:
            at += 1
        elif pair == "--":
            end = text.find("\n", at)
            at = end if end >= 0 else len(text)
        else:
            kept.append(text[at])
            at += 1
    return "".join(kept)


def _block(text: str, question: Question) -> str:
    """The lines that are a tactic, at the left margin."""
    text = text.strip("\n")
    if match := _THEOREM.match(text.lstrip()):
        text = text.lstrip()[match.end() :].strip("\n")
    lines = [line.rstrip() for line in text.split("\n")]
    shown = {line.strip() for goal in question.goals for line in goal.text.split("\n")}
    while lines and (not lines[0].strip() or lines[0].strip() in shown or _no_tactic(lines[0].strip())):
        lines.pop(0)
    if not lines:
        return ""
    kept = [lines[0]]
    for line in lines[1:]:
        # A state after the tactic, another numbered answer, talk: the answer ended before.
        if line.strip() and (line.strip() in shown or _no_tactic(line.strip()) or _another(line)):
            break
        kept.append(line)
    # What is behind the prompt's own indentation may stand deeper than, or left of, the lines that follow.
    first, rest = kept[0].strip(), textwrap.dedent("\n".join(kept[1:]))
    inline = re.fullmatch(r"`([^`]+)`[.]?", first)
    first = inline[1] if inline else first
    first = _NUMBER.sub("", first)
    deeper = len(kept[0]) - len(kept[0].lstrip())
    if kept[1:] and deeper == 0:
        rest = "\n".join(kept[1:])
    if match := _BULLET.match(first):
        # `· tac` speaks of the first goal, and so does `tac`. Only where all of it is that one block.
        inner = [line for line in rest.split("\n") if line.strip()]
        if all(line.startswith("  ") for line in inner):
            first, rest = first[match.end() :], textwrap.dedent(rest)
    if first == "by" or first.startswith("by "):
        first, rest = first[2:].strip(), textwrap.dedent(rest)
    return f"{first}\n{rest}".strip("\n").rstrip() if rest.strip() else first


def _no_tactic(line: str) -> bool:
    return bool(_STATE_LINE.match(line) or _PROSE.match(line)) and not line.startswith("·")


def _another(line: str) -> bool:
    return bool(re.match(r"^(?:\(?\d{1,2}[.)]|[-*•])[ \t]+\S", line))


def _finished(text: str) -> str:
    """The text up to its last whole line; empty where there is none."""
    lines = text.rstrip().split("\n")
    while lines:
        found = "\n".join(lines).rstrip()
        if found and balance(found) == 0 and not _UNFINISHED.search(found):
            return found
        lines.pop()
    # All of it on one unfinished line: what stands before the last `<;>` or `;` may be whole.
    line = text.split("\n")[0]
    for cut in reversed([match.start() for match in re.finditer(r"<;>|;", line)]):
        before = line[:cut].rstrip("; ")
        if before and balance(before) == 0 and not _UNFINISHED.search(before):
            return before
    return ""


def _steps(text: str) -> list[str]:
    """The tactics one after another: lines at the margin, and what `;` separates at the top of the first line."""
    if not text:
        return []
    blocks: list[str] = []
    for line in text.split("\n"):
        goes_on = blocks and (_GOES_ON.search(blocks[-1]) or balance(blocks[-1]) != 0)
        if blocks and (line[:1].isspace() or line[:1] in "|·" or not line or goes_on or line.startswith("<;>")):
            blocks[-1] += f"\n{line}"
        else:
            blocks.append(line)
    depth = 0
    first = blocks[0]
    for at, char in enumerate(first):
        if char in OPEN:
            depth += 1
        elif char in CLOSED_BY:
            depth -= 1
        elif char == "\n":
            break
        elif char == ";" and depth == 0 and first[at - 1 : at + 2] != "<;>":
            return [first[:at].rstrip(), first[at + 1 :].lstrip(), *blocks[1:]]
    return blocks
