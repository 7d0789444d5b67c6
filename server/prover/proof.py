"""A proof as a tree of tactics, read from text and written as text. Pure.

What a source writes in one piece (`intro h; exact h`, alternatives with their proofs) is taken apart into the tactics
that it consists of, so that each can be judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tacit.server.lean.syntax import OPENERS, Kind, Token, tokens
from tacit.server.prover.script import joined
from tacit.server.prover.tree import Edge, Node

Path = tuple[int, ...]
"""Where a tactic stands in a proof: which part, of that which part, and so on."""
_ALTERNATIVE = re.compile(r"(?P<head>\|.*?=>)\s*(?P<body>.*)$")
_HOLE = "?_"
# What `;` ends behind these is not for a lexer to say.
_OPEN_ENDED = frozenset("by => fun λ calc conv let show".split())


@dataclass(frozen=True, slots=True)
class Proof:
    """A tactic, and proofs of the goals that it leaves; of one, or of several together, what goes on below it.

    `tags` are what Lean calls these goals, where that is known.
    """

    tactic: str
    parts: tuple[Proof, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """As it is written."""
        return joined(self.tactic, [part.lines for part in self.parts])

    @property
    def text(self) -> str:
        """As it is written."""
        return "\n".join(self.lines)

    @property
    def tactics(self) -> int:
        """How many there are."""
        return 1 + sum(part.tactics for part in self.parts)

    def walk(self, path: Path = ()) -> Iterator[tuple[Path, Proof]]:
        """Every tactic with its place, the whole first."""
        yield path, self
        for number, part in enumerate(self.parts):
            yield from part.walk((*path, number))

    def at(self, path: Path) -> Proof:
        """What stands at a place."""
        return self.parts[path[0]].at(path[1:]) if path else self

    def put(self, path: Path, other: Proof) -> Proof:
        """The proof with another in the place of one of its own."""
        if not path:
            return other
        parts = list(self.parts)
        parts[path[0]] = parts[path[0]].put(path[1:], other)
        return replace(self, parts=tuple(parts))

    def then(self, parts: Sequence[Proof], tags: Sequence[str] = ()) -> Proof:
        """The proof gone on with: what proves the goals that its last tactic leaves, and what these are called."""
        if len(self.parts) == 1:
            return replace(self, parts=(self.parts[0].then(parts, tags),))
        if self.parts and parts:
            raise ValueError("what it leaves is proved already")
        return replace(self, parts=tuple(parts), tags=tuple(tags)) if parts else self


def proof_of(node: Node) -> Proof:
    """The proof of a state that is proved."""
    edge = node.shortest
    if edge is None:
        raise ValueError("the state is not proved")
    return proof_by(edge)


def proof_by(edge: Edge) -> Proof:
    """The proof that begins with one tactic of a state, the rest of which is proved."""
    tags = tuple((child.state.goals[0].tag or "").split(".")[-1] for child in edge.children)
    return Proof(edge.candidate.text, tuple(proof_of(child) for child in edge.children), tags)


def apart(proof: Proof) -> Proof:
    """The same with every tactic by itself; a text that cannot be told apart stays as it is."""
    parts = tuple(apart(part) for part in proof.parts)
    read = read_block(proof.tactic)
    if read is not None:
        holes = [path for path, each in read.walk() if each.tactic == _HOLE]
        if holes and len(holes) == len(parts):
            for path, part in zip(holes, parts, strict=True):
                read = read.put(path, part)
            return read
        if not holes and (not parts or all(len(each.parts) < 2 for _, each in read.walk())):
            return read.then(parts, proof.tags)
    return Proof(proof.tactic, parts, proof.tags)


def read_block(text: str) -> Proof | None:
    """The tactics of a text, one below the other, with their alternatives and `·` blocks; None where it cannot be told.

    Alternatives keep `?_`, and what proves them are parts.
    """
    steps = [piece for block in _blocks(text.split("\n")) for piece in _pieces(block)]
    if not steps or any(not step.strip() for step in steps):
        return None
    read: Proof | None = None
    for step in reversed(steps):
        tactic = _structured(step)
        if tactic is None or (tactic.parts and read is not None):
            return None  # what follows alternatives may belong to what they leave
        read = tactic if read is None else replace(tactic, parts=(read,))
    return read


def _blocks(lines: Sequence[str]) -> list[str]:
    """The lines in groups: those that are indented, or begin with `|` or `·`, belong to the one above."""
    blocks: list[list[str]] = []
    for line in lines:
        if blocks and (line.startswith((" ", "|", "·")) or not line.strip()):
            blocks[-1].append(line)
        else:
            blocks.append([line])
    return ["\n".join(block) for block in blocks]


def _pieces(block: str) -> list[str]:
    """A line at its `;`; several lines stay together."""
    if "\n" in block or ";" not in block:
        return [block]
    if any(token.text in _OPEN_ENDED for token in tokens(block)):
        return [block]
    # (`<;>` is three symbols.)
    cuts = [each for each in outside(block) if each.text == ";" and block[each.start - 1 : each.end + 1] != "<;>"]
    if not cuts:
        return [block]
    ends = [*(cut.start for cut in cuts), len(block)]
    begins = [0, *(cut.end for cut in cuts)]
    return [block[begin:end].strip() for begin, end in zip(begins, ends, strict=True)]


def _structured(step: str) -> Proof | None:
    """One tactic with its alternatives, or with its `·` blocks."""
    first, *rest = step.split("\n")
    if not rest:
        return Proof(step)
    if all(line.startswith(("|", " ")) or not line for line in rest) and rest[0].startswith("|"):
        return _with_alternatives(first, rest)
    if all(line.startswith(("·", " ")) or not line for line in rest) and rest[0].startswith("·"):
        parts = [_dedented(["  " + group[0][1:].lstrip(), *group[1:]]) for group in _groups(rest, "·")]
        return None if any(part is None for part in parts) else Proof(first, tuple(part for part in parts if part))
    return Proof(step)


def _with_alternatives(first: str, lines: Sequence[str]) -> Proof | None:
    heads, parts = [], []
    for group in _groups(lines, "|"):
        found = _ALTERNATIVE.match(group[0])
        if found is None:
            return None
        body = [found["body"]] if found["body"] else []
        part = Proof(_HOLE) if body == [_HOLE] else _dedented([*("  " + line for line in body), *group[1:]])
        if part is None:
            return None
        heads.append(f"{found['head']} {_HOLE}")
        parts.append(part)
    return Proof("\n".join([first, *heads]), tuple(parts))


def _groups(lines: Sequence[str], mark: str) -> list[list[str]]:
    groups: list[list[str]] = []
    for line in lines:
        if line.startswith(mark):
            groups.append([line])
        else:
            groups[-1].append(line)
    return groups


def _dedented(lines: Sequence[str]) -> Proof | None:
    """The proof in lines that are indented alike; None where they are not."""
    filled = [line for line in lines if line.strip()]
    if not filled:
        return None
    margin = len(filled[0]) - len(filled[0].lstrip(" "))
    if any(not line.startswith(" " * margin) for line in filled):
        return None
    return read_block("\n".join(line[margin:] for line in filled))


def words(text: str) -> list[str]:
    """The names that a text mentions, those with fields as their first part too."""
    found = [token.text for token in tokens(text) if token.kind is Kind.IDENT]
    return [*found, *(name.split(".")[0] for name in found if "." in name)]


def closing(found: Sequence[Token], at: int) -> int:
    """The index of the bracket that closes the one at `at`; -1 when there is none."""
    depth = 0
    for number in range(at, len(found)):
        depth += (found[number].text in OPENERS) - (found[number].kind is Kind.CLOSE)
        if depth == 0:
            return number
    return -1


def outside(text: str) -> Iterator[Token]:
    """The tokens of a text that stand in no brackets."""
    depth = 0
    for token in tokens(text):
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        if depth == 0 and token.kind is not Kind.CLOSE:
            yield token


def listed(text: str, begin: int) -> tuple[list[str], int] | None:
    """What stands in the bracket that opens at `begin`, and where it closes; None where it does not."""
    inside = list(tokens(text[begin:]))
    last = closing(inside, 0)
    if last < 0:
        return None
    end = begin + inside[last].start
    return split(text[begin + 1 : end]), end


def split(text: str, mark: str = ",") -> list[str]:
    """A text at every mark outside its brackets, without white space and without what is empty."""
    pieces, begin = [], 0
    for token in outside(text):
        if token.text == mark:
            pieces.append(text[begin : token.start].strip())
            begin = token.end
    return [piece for piece in (*pieces, text[begin:].strip()) if piece]
