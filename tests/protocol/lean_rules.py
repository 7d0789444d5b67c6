"""A small Lean for `scripted_lean`: it knows of a tactic what the document says of it, and nothing else.

Comment lines of the document hold the rules; they stand above the theorem, so every scratch text has them too:

    --# goal ⊢ n + 0 = n           the goal of every hole (`\\n` for a line break); `⊢ True` unless said
    --# closes rfl                 the tactic closes it
    --# leaves simp => ⊢ n = n     it leaves a goal
    --# says exact? => Try this: exact rfl      it closes it, and prints so
    --# hangs loop · --# kills boom             Lean hangs, or dies, of it
    --# runs grind                              it runs until an edit comes; Lean has told of what stands before it
    --# unknown omega              this environment does not know the tactic: a syntax error, after which nothing runs

Any other tactic fails. The layouts read here are those of `lean/batch.py`, `lean/environment.py` and `lean/site.py`,
and the words those that Lean 4.27 sends.
"""

from __future__ import annotations

import re
from pathlib import Path
from runpy import run_path
from typing import Any

# The peer loads this file by its path, without the repository on its path.
diagnostic = run_path(str(Path(__file__).with_name("scripted_lean.py")))["diagnostic"]
ERROR, WARNING, INFORMATION = 1, 2, 3

_RULE = re.compile(r"^--# (\w+) (.*)$", re.MULTILINE)
_BLOCK = re.compile(r"^(?P<indent> *)· \((?P<first>.*)$")
_MARK = re.compile(r"^ *trace_state\)*$")
_ASKED = re.compile(r"^  first \| exact True\.intro \| \((?P<head>[\w?'!]+)")
_AXIOMS = re.compile(r"\n#print axioms (?P<name>\S+)\s*\Z")


class _World:
    """What the document says."""

    def __init__(self, text: str) -> None:
        self.goal = "⊢ True"
        self.tactics: dict[str, tuple[str, str]] = {}
        for kind, rest in _RULE.findall(text):
            if kind == "goal":
                self.goal = rest.replace("\\n", "\n")
            else:
                tactic, _, detail = rest.partition(" => ")
                self.tactics[tactic.strip()] = kind, detail.replace("\\n", "\n")

    def fate(self, tactic: str) -> tuple[str, str]:
        head = tactic.split()[0] if tactic.split() else ""
        if self.tactics.get(head, ("", ""))[0] == "unknown":
            return "unknown", ""
        return self.tactics.get(tactic, ("fails", f"The tactic `{tactic}` failed."))


def diagnostics(text: str, version: int) -> Any:
    """What Lean would publish for a text; or "hang", "die", or "runs" and what it publishes before."""
    del version
    world = _World(text)
    lines = text.split("\n")
    if any(_ASKED.match(line) for line in lines):
        return _known(world, lines)
    if any("(trace_state" in line for line in lines):
        return _probe(world, lines) + _axioms(text, lines)
    if any("tacitCopy" in line for line in lines):
        return _batch(world, lines)
    return _in_place(world, text, lines)


def goals(text: str, line: int, character: int) -> list[str]:
    """The goal, wherever it is asked for."""
    del line, character
    return [_World(text).goal]


def _known(world: _World, lines: list[str]) -> list[Any]:
    found = []
    for number, line in enumerate(lines):
        if asked := _ASKED.match(line):
            if world.fate(asked["head"])[0] == "unknown":
                found.append(diagnostic("unknown tactic", (number, asked.start("head"))))
            else:
                mark = next(n for n in range(number, len(lines)) if lines[n] == "  trace_state")
                found.append(diagnostic("no goals", (mark, 2), (mark, 13), severity=INFORMATION))
    return found


def _probe(world: _World, lines: list[str]) -> list[Any]:
    number = next(n for n, line in enumerate(lines) if "(trace_state" in line)
    column = _utf16(lines[number], lines[number].index("trace_state"))
    prop = lines[number + 2].index("trace_state")
    return [
        diagnostic(world.goal, (number, column), severity=INFORMATION),
        diagnostic(world.goal, (number + 2, prop), severity=INFORMATION),
    ]


def _batch(world: _World, lines: list[str]) -> Any:
    found: list[Any] = []
    number = 0
    while number < len(lines):
        block = _BLOCK.match(lines[number])
        if block is None:
            number += 1
            continue
        mark = next(n for n in range(number, len(lines)) if _MARK.match(lines[n]))
        fate, detail = world.fate(_plain([block["first"], *lines[number + 1 : mark]])[:-1])
        bullet = (number, len(block["indent"]))
        start = (number, len(block["indent"]) + 3)
        if fate in ("hangs", "kills"):
            return "hang" if fate == "hangs" else "die"
        if fate == "runs":
            return "runs", found
        if fate == "unknown":
            return [*found, diagnostic("unknown tactic", start)]
        if fate == "fails":
            found.append(diagnostic(detail, start))
        else:
            left = detail if fate == "leaves" else "no goals"
            found.append(diagnostic(left, (mark, lines[mark].index("trace_state")), severity=INFORMATION))
            swept = "all_goals sorry" in "".join(lines[mark + 1 : mark + 2])
            if fate == "leaves" and not swept:
                found.append(diagnostic(f"unsolved goals\n{detail}", bullet))
            elif fate == "says":
                found.append(diagnostic(detail, start, severity=INFORMATION))
        number = mark + 1
    return found


def _in_place(world: _World, text: str, lines: list[str]) -> Any:
    """A whole declaration, with the tactic where the hole was."""
    body = _AXIOMS.sub("", text).rpartition(":= by")[2].strip()
    if not body or not _AXIOMS.search(text):
        return []
    fate, detail = world.fate(_plain(body.split("\n")))
    number = next(n for n in reversed(range(len(lines))) if ":= by" in lines[n])
    by = (number, _utf16(lines[number], lines[number].rindex("by")))
    if fate in ("hangs", "kills"):
        return "hang" if fate == "hangs" else "die"
    if fate == "leaves":
        return [diagnostic(f"unsolved goals\n{detail}", by)]
    if fate in ("fails", "unknown"):
        at = text.rindex(body)
        line = text.count("\n", 0, at)
        return [diagnostic(detail or "unknown tactic", (line, _utf16(lines[line], at - text.rfind("\n", 0, at) - 1)))]
    return _axioms(text, lines)


def _plain(lines: list[str]) -> str:
    """A tactic as a rule names it: without indentation."""
    return "\n".join(line.strip() for line in lines)


def _axioms(text: str, lines: list[str]) -> list[Any]:
    asked = _AXIOMS.search(text)
    if asked is None:
        return []
    number = max(n for n, line in enumerate(lines) if line.startswith("#print axioms"))
    body = re.sub(r"^axiom .*$", "", text, flags=re.MULTILINE)
    used = [
        axiom for axiom, word in (("sorryAx", "sorry"), ("_tacitHole", "_tacitHole")) if re.search(rf"\b{word}\b", body)
    ]
    rests = f"depends on axioms: [{', '.join(used)}]" if used else "does not depend on any axioms"
    words = f"'{asked['name']}' {rests}"
    return [diagnostic(words, (number, 0), (number, 6), severity=INFORMATION)]


def _utf16(line: str, column: int) -> int:
    return len(line[:column].encode("utf-16-le")) // 2
