"""The names that a tactic gives to what it introduces, and which of them a proof does not need. Pure.

Mathlib's linter wants `_` for what is not used. That no text mentions a name does not say that nothing uses it
(`omega`, `assumption` and `simp_all` look at everything): so Lean is asked whether the proof holds when it is cleared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tacit.server.lean.syntax import Kind, Token, tokens
from tacit.server.prover.proof import Path, Proof, words

_ALL = frozenset({"intro", "intros", "rintro", "ext", "funext", "introv"})
_BEHIND_WITH = frozenset({"rcases", "cases'", "induction'", "choose", "peel"})
_BEFORE_VALUE = frozenset({"obtain", "have", "let"})
_NO_NAMES = frozenset({"_", "rfl", "this"})
_ALTERNATIVE = re.compile(r"^\| \S+(?P<names>[^\n]*?) => ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Name:
    """A name that a tactic gives: where it stands in the text, and which part may use it (None: any)."""

    text: str
    start: int
    part: int | None = None

    @property
    def end(self) -> int:
        """One past its last character."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Unused:
    """A name that nothing mentions, and the tactic that gives it."""

    path: Path
    name: Name


def names(tactic: str) -> list[Name]:
    """The names that a tactic gives, in their order."""
    if "\n" in tactic:
        found = []
        for number, line in enumerate(_ALTERNATIVE.finditer(tactic)):
            start = line.start("names")
            found += [Name(each.text, start + each.start, number) for each in _plain(line["names"])]
        return found
    head = re.match(r"[\w']+!?", tactic)
    if head is None or "<;>" in tactic:
        return []
    begin, end = head.end(), len(tactic)
    if head[0] in _BEHIND_WITH:
        with_ = re.search(r"\swith\s", tactic)
        if with_ is None:
            return []
        begin = with_.end()
    elif head[0] in _BEFORE_VALUE:
        # (`have h : T` names one thing, which a `have` that nobody needs takes along.)
        value = re.search(r":", tactic)
        end = value.start() if value else end
        if not tactic[begin:end].lstrip().startswith(("⟨", "(")):
            return []
    elif head[0] not in _ALL:
        return []
    return [Name(each.text, begin + each.start) for each in _plain(tactic[begin:end])]


def unused(proof: Proof) -> Iterator[Unused]:
    """Every name of a proof that nothing mentions. Lean may use it all the same: see `cleared`."""
    for path, each in proof.walk():
        for name in names(each.tactic):
            parts = _parts(each, name)
            mentioned = words(each.tactic).count(name.text) > 1
            if parts and not mentioned and not any(name.text in words(each.parts[part].text) for part in parts):
                yield Unused(path, name)


def cleared(proof: Proof, found: Sequence[Unused]) -> Proof:
    """The proof in which these are cleared as soon as they are there: when it holds, nothing needs them."""
    for each in sorted(found, key=lambda each: (-len(each.path), -each.name.start)):
        at = proof.at(each.path)
        parts = list(at.parts)
        for part in _parts(at, each.name):
            parts[part] = Proof(f"clear {each.name.text}", (parts[part],))
        proof = proof.put(each.path, Proof(at.tactic, tuple(parts)))
    return proof


def _parts(proof: Proof, name: Name) -> Sequence[int]:
    """Which parts of a proof have a name that its tactic gives; none where that cannot be told."""
    if name.part is not None:
        return [name.part] if name.part < len(proof.parts) else []
    return [0] if len(proof.parts) == 1 else []


def without(proof: Proof, found: Iterable[Unused]) -> Proof:
    """The proof with `_` for these names."""
    by_path: dict[Path, list[Name]] = {}
    for each in found:
        by_path.setdefault(each.path, []).append(each.name)
    for path, chosen in by_path.items():
        at = proof.at(path)
        text = at.tactic
        for name in sorted(chosen, key=lambda each: -each.start):
            text = f"{text[: name.start]}_{text[name.end :]}"
        proof = proof.put(path, Proof(text, at.parts))
    return proof


def _plain(text: str) -> Iterator[Token]:
    """The names of a pattern; types, which stand behind a colon, and what is no name are passed over."""
    depth, typed = 0, -1
    for token in tokens(text):
        if token.kind is Kind.CLOSE:
            depth -= 1
            typed = -1 if depth < typed else typed
        elif token.kind is Kind.OPEN:
            depth += 1
        elif token.text == ":":
            typed = depth if typed < 0 else typed
        elif token.kind is Kind.IDENT and typed < 0 and token.text not in _NO_NAMES and "." not in token.text:
            yield token
