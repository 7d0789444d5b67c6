"""Random answers of a Lean to the checker's texts, and a simple model of when a close may be read out of one.

The model finds blocks and marks in the text itself, by its lines, and knows nothing of how the checker goes about it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tacit.server.lean.checker import Checker
from tacit.server.lean.elaborator import Elaboration, Enough, LeanIdentity, Message, Outcome, Severity
from tacit.server.lean.hole import holes
from tacit.server.text import Position
from tacit.server.values import Candidate, Verdict

TACTICS = ("exact a", "simp [b]", "omega", "exact f c d")
NOTHING_LEFT = ("", "no goals", "goals accomplished", "Goals accomplished!")
STANDARD = {"propext", "Classical.choice", "Quot.sound"}
SAID = (
    *(
        "",
        "no goals",
        "Goals accomplished!",
        "⊢ p",
        "h : p\n⊢ p",
        "case x\n⊢ q",
        "no goals\n\n⊢ p",
        "⊢",
        "\n",
        "⊢ p\n⊢ q",
    ),
    *(
        "⊢ p\n⊢ q",
        "unsolved goals\n⊢ p",
        "unsolved goals",
        "unexpected token",
        "type mismatch",
        "fail to show termination",
        "x",
    ),
    *("declaration uses 'sorry'", "declaration uses `sorry`", "Try this: exact h", "unknown constant 'foo'"),
    *("unexpected token '#print'; expected term", "'foo' does not depend on any axioms", "'foo' depends on axioms: []"),
    *(
        f"'foo' depends on axioms: [{names}]"
        for names in (
            *(
                "propext",
                "propext, Classical.choice,\n Quot.sound",
                "sorryAx",
                "propext, sorryAx",
                "_tacitHole",
                "cheat",
            ),
            *(
                "cheat",
                "_tacitRest",
                "Foo.propext",
                "Lean.ofReduceBool",
                "Lean.trustCompiler",
                "foo._native.bv_decide.ax_1",
            ),
        )
    ),
    "'foo' depends on axioms: [propext",
    "set_option maxHeartbeats <num>",
)
PLACES = (
    "theorem foo (p : Prop) (h : p) : p := by\n  sorry‸\n",
    "theorem foo (p : Prop) (h : p) : p ∧ p := by\n  constructor\n  · sorry\n  · sorry‸\n",
    "theorem foo (p : Prop) (h : p) : p ∧ p := by\n  constructor\n  · ‸\n",
    "example (p : Prop) (h : p) : p := by\n  sorry‸\n",
    "module\n\ntheorem foo (p : Prop) (h : p) : p := by\n  sorry‸\n",
    "axiom cheat : p\nunsafe def foo (p : Prop) (h : p) : p := by\n  sorry‸\n",
)


@dataclass(frozen=True)
class Noise:
    """One message that is put in: where (see `Peer._place`), how it is said, and what."""

    where: str
    which: int
    line: int
    column: int
    severity: Severity
    text: str


noises = st.builds(
    Noise,
    where=st.sampled_from(("mark", "bullet", "inside", "head", "axioms", "anywhere")),
    which=st.integers(0, 4),
    line=st.integers(-2, 3),
    column=st.integers(-2, 6),
    severity=st.sampled_from(Severity),
    text=st.one_of(st.sampled_from(SAID), st.text(max_size=6)),
)


@dataclass(frozen=True)
class Script:
    """How one text is answered: what each block is said to leave (None: nothing is said), what else is said, in which
    order, and what is lost of it."""

    left: tuple[str | None, ...]
    axioms: str | None
    more: tuple[Noise, ...]
    order: int
    lost: frozenset[int]
    outcome: Outcome


_fair = st.sampled_from(("", "", "no goals", "⊢ q", None))
answers = st.builds(
    Script,
    left=st.lists(_fair, min_size=4, max_size=4).map(tuple),
    axioms=st.sampled_from(
        ("'foo' does not depend on any axioms", "'foo' depends on axioms: [propext]", *SAID[-14:], None)
    ),
    more=st.lists(noises, max_size=4).map(tuple),
    order=st.integers(0, 5),
    lost=st.frozensets(st.integers(0, 9), max_size=2),
    outcome=st.sampled_from((*[Outcome.DONE] * 8, *Outcome)),
)

"""Answers to texts that hold candidates."""
_HOLE = "'foo' depends on axioms: [{}]".format
probes = st.builds(
    Script,
    left=st.just(()),
    axioms=st.sampled_from(
        (
            *(_HOLE("_tacitHole"), _HOLE("_tacitHole"), _HOLE("propext, _tacitHole"), _HOLE("_tacitHole, cheat"), None),
            *(_HOLE("_tacitHole, sorryAx"), _HOLE("_tacitHole, _tacitRest"), _HOLE("_tacitRest")),
        )
    ),
    more=st.lists(noises, max_size=2).map(tuple),
    order=st.just(0),
    lost=st.just(frozenset()),
    outcome=st.just(Outcome.DONE),
)
"""Answers to the text that shows the goal: it is always shown."""


@dataclass
class Peer:
    """An Elaborator that answers from scripts, one after the other, and notes which closes its answers would bear."""

    scripts: Sequence[Script]
    version: str
    probe: Script
    may_close: set[str] = field(default_factory=set)
    may_hold: set[str] = field(default_factory=set)
    known: Counter[str] = field(default_factory=Counter)
    rests_on: set[str] | None = None
    pending: list[tuple[str, set[str]]] = field(default_factory=list)
    asked: int = 0

    @property
    def identity(self) -> LeanIdentity:
        return LeanIdentity(self.version)

    async def elaborate(
        self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
    ) -> Elaboration:
        del timeout, label
        lines = text.split("\n")
        if any("(trace_state" in line for line in lines):
            messages = self._say(self.probe, lines)
            mark = next(n for n, line in enumerate(lines) if "(trace_state" in line)
            shown = Position(mark, lines[mark].index("(trace_state") + 1)
            messages.insert(0, Message(Severity.INFORMATION, shown, shown, "p : Prop\nh : p\n⊢ p"))
            self._note_probe(lines, messages)
            return Elaboration(Outcome.DONE, tuple(messages))
        script = self.scripts[self.asked % len(self.scripts)] if self.scripts else self.probe
        self.asked += 1
        messages = self._say(script, lines)
        if enough is not None and script.outcome is Outcome.DONE and script.order % 2:
            messages = next((messages[:n] for n in range(len(messages)) if enough(messages[:n])), messages)
        self._note(lines, messages, script.outcome)
        return Elaboration(script.outcome, tuple(messages), "as the script says")

    async def goals(self, text: str, position: Position, *, timeout: float) -> Sequence[str]:
        del text, position, timeout
        return ()

    async def aclose(self) -> None:
        return

    # ------------------------------------------------------------------ what is said

    def _say(self, script: Script, lines: list[str]) -> list[Message]:
        found: list[Message] = []
        blocks = _blocks(lines)
        for n, block in enumerate(blocks):
            left = script.left[n % len(script.left)]
            if left is not None:
                found.append(Message(Severity.INFORMATION, block.mark, block.mark, left))
        if (asked := _axioms_line(lines)) is not None and script.axioms is not None:
            at = Position(asked, 0)
            found.append(Message(Severity.INFORMATION, at, at, script.axioms))
        for noise in script.more:
            at = self._place(noise, lines, blocks)
            found.append(Message(noise.severity, at, at, noise.text))
        found = [message for n, message in enumerate(found) if n not in script.lost]
        if script.order == 1:
            found.reverse()
        elif script.order == 2:
            found += found
        elif script.order == 3:
            found.sort(key=lambda m: (m.start, m.text))
        elif script.order == 4:
            found = found[len(found) // 2 :] + found[: len(found) // 2]
        return found

    def _place(self, noise: Noise, lines: list[str], blocks: Sequence[_Block]) -> Position:
        block = blocks[noise.which % len(blocks)] if blocks else None
        at = Position(noise.which, 0)
        if noise.where == "axioms" and (asked := _axioms_line(lines)) is not None:
            return Position(asked, max(0, noise.column))
        if noise.where == "head":
            at = Position(next((n for n, line in enumerate(lines) if "foo" in line or "tacitExample" in line), 0), 8)
        elif noise.where == "mark" and block is not None:
            return block.mark
        elif noise.where == "bullet" and block is not None:
            return block.bullet
        elif noise.where == "inside" and block is not None:
            return Position(block.bullet.line, block.bullet.column + 3)
        return Position(max(0, at.line + noise.line), max(0, at.column + noise.column))

    # ------------------------------------------------------------------ what it would bear

    def _note_probe(self, lines: list[str], messages: Sequence[Message]) -> None:
        start = next(n for n, line in enumerate(lines) if "(trace_state" in line)
        inside = range(start, start + 4)
        self.known = Counter(
            m.text
            for m in messages
            if m.severity is Severity.ERROR and m.start.line not in inside and not _of_axioms(lines, m)
        )
        told = _told_axioms(lines, messages)
        self.rests_on = told - {"_tacitHole", "_tacitRest"} if told is not None and "_tacitHole" in told else None

    def _note(self, lines: list[str], messages: Sequence[Message], outcome: Outcome) -> None:
        for block in _blocks(lines):
            at_mark = [m.text for m in messages if m.severity is Severity.INFORMATION and m.start == block.mark]
            wrong = any(m.severity is Severity.ERROR and block.bullet <= m.start < block.end for m in messages)
            if at_mark and all(text.strip() in NOTHING_LEFT for text in at_mark) and not wrong:
                self.may_close.add(block.tactic)
        if _axioms_line(lines) is None or outcome is not Outcome.DONE:
            return
        finished = any(line.endswith("all_goals exact _tacitRest") for line in lines)
        errors = Counter(m.text for m in messages if m.severity is Severity.ERROR and not _of_axioms(lines, m))
        head = next(n for n, line in enumerate(lines) if "foo" in line or "tacitExample" in line)
        new = errors - self.known
        if finished:
            new = Counter(m.text for m in messages if m.severity is Severity.ERROR and m.start.line >= head)
        sorry = any("sorry" in m.text and m.severity is Severity.WARNING and m.start.line >= head for m in messages)
        module = lines[0] == "module"
        told = _told_axioms(lines, messages)
        if new or sorry or any(line.startswith("unsafe") for line in lines):
            return
        tactics = {tactic for tactic in TACTICS if any(tactic in line for line in lines)}
        if module:
            self.may_hold |= tactics if not errors else set()
        elif finished and not tactics:
            # What the rest of a proof that is still being written rests on, the hole handed to the stand-in.
            before = told - {"_tacitHole", "_tacitRest"} if told is not None and "_tacitHole" in told else None
            if before is not None:
                self.may_hold.update(
                    t for t, rests_on in self.pending if rests_on <= STANDARD | before | {"_tacitRest"}
                )
        elif finished:
            self.pending += [(tactic, told) for tactic in tactics if told is not None]
        elif told is not None and self.rests_on is not None:
            others = {"_tacitRest"} if any("exact _tacitRest" in line for line in lines) else set()
            self.may_hold |= tactics if told <= STANDARD | self.rests_on | others else set()


@dataclass(frozen=True)
class _Block:
    tactic: str
    bullet: Position
    mark: Position
    end: Position


def _blocks(lines: list[str]) -> list[_Block]:
    """Blocks of the batch, by what stands in the lines: each begins with `· (` and ends with `all_goals sorry`."""
    found = []
    for n, line in enumerate(lines):
        if match := re.match(r"^( *)· \((.*)\)$", line):
            column = len(match[1])
            if lines[n + 1 : n + 2] == [" " * (column + 2) + "trace_state"]:
                end = Position(n + 3, 0)
                found.append(_Block(match[2], Position(n, column), Position(n + 1, column + 2), end))
    return found


def _axioms_line(lines: list[str]) -> int | None:
    return next((n for n, line in enumerate(lines) if line.startswith("#print axioms")), None)


def _of_axioms(lines: list[str], message: Message) -> bool:
    text = message.text.lower()
    return message.start.line == _axioms_line(lines) and (
        message.start.column > 0 or "axioms" in text or text.startswith("unknown")
    )


def _told_axioms(lines: list[str], messages: Sequence[Message]) -> set[str] | None:
    asked = _axioms_line(lines)
    told: set[str] | None = None
    for message in messages:
        if message.severity is not Severity.INFORMATION or message.start != Position(asked or 0, 0) or asked is None:
            continue
        if "does not depend on any axioms" in message.text:
            told = told or set()
        elif "depends on axioms:" in message.text and "]" in message.text:
            names = message.text.split("[", 1)[1].split("]", 1)[0]
            told = (told or set()) | {name.strip() for name in names.split(",") if name.strip()}
    return told


async def closes_only_on_evidence(place: str, peer: Peer) -> int:
    """Raises AssertionError where a close is read that no answer bears; how many closes held in the end."""
    offset = place.index("‸")
    text = place.replace("‸", "")
    command, found = holes(text, offset)
    checker = Checker(peer)
    site = await checker.open(text, command, found)
    checked = await checker.check(site, [Candidate(tactic, "fuzz") for tactic in TACTICS])
    held = 0
    for tactic in checked:
        if tactic.verdict is not Verdict.CLOSES:
            continue
        assert tactic.candidate.text in peer.may_close, tactic
        assert not tactic.verified
        peer.may_hold.clear()
        peer.pending.clear()
        judged = await checker.verify(site, tactic)
        if judged.verdict is Verdict.CLOSES:
            assert judged.verified
            assert tactic.candidate.text in peer.may_hold, judged
            assert "sorryAx" not in judged.axioms
            assert "_tacitHole" not in judged.axioms
            held += 1
    return held
