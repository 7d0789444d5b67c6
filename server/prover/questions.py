"""Tactics that print what to write in their place (`exact?`, `simp?`): none may stay in a proof. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tacit.server.lean.syntax import Kind, Token, tokens
from tacit.server.tactics.try_this import replacements
from tacit.server.values import Candidate, CheckedTactic

_QUESTIONS = frozenset(
    """exact? apply? rw? try? simp? simp?! simp_all? simp_all?! simpa? simpa?! dsimp? dsimp?! grind? aesop? by?
    observe? have? gcongr? measurability? continuity? bound? solve_by_elim?""".split()
)
# These can be names of hypotheses, too: they ask only where a tactic begins.
_HEADS = frozenset("hint library_search rw_search show_term extract_goal".split())
_BEFORE = frozenset({";", "·", "by", "try", "all_goals", "any_goals"})


def asks(text: str) -> bool:
    """Whether a tactic in a text asks instead of proving."""
    return _first(text) is not None


def printed(checked: CheckedTactic, harvest: Callable[[str], Sequence[str]]) -> list[Candidate]:
    """What Lean printed for a tactic, as candidates; of a question in a longer one (`intro h; exact?`), in its place.

    (`ring` asks nothing, and prints `ring_nf`.)
    """
    text = checked.candidate.text
    token = _first(text)
    if token is None:
        return replacements(checked, harvest)
    end = _end(text, token)
    source = f"Try this ({token.text})"
    return [
        Candidate(f"{text[: token.start]}{each}{text[end:]}", source, prior=0.9)
        for message in checked.try_this
        for each in harvest(message)
        if "\n" not in each or end == len(text)
    ]


def _first(text: str) -> Token | None:
    return next(_all(text), None)


def _all(text: str) -> Iterator[Token]:
    """The questions of a text: words that end in `?` (a name that does, like `xs.get?`, has more parts), and others."""
    before: Token | None = None
    for token in tokens(text):
        if token.kind is Kind.IDENT and token.text in _QUESTIONS:
            yield token
        if token.kind is Kind.IDENT and token.text in _HEADS:
            first = before is None or "\n" in text[before.end : token.start]
            if first or (before is not None and (before.text in _BEFORE or text[: before.end].endswith("<;>"))):
                yield token
        before = token


def _end(text: str, token: Token) -> int:
    """Where the tactic that begins with a question ends: at `;`, `<;>`, a line's end or the bracket around it."""
    depth = 0
    for each in tokens(text[token.start :]):
        at = token.start + each.start
        depth += (each.kind is Kind.OPEN) - (each.kind is Kind.CLOSE)
        if depth < 0 or (depth == 0 and each.text == ";") or text.startswith("<;>", at):
            return len(text[:at].rstrip())
        if "\n" in text[token.start : at] and depth == 0:
            return text.index("\n", token.start)
    return len(text)
