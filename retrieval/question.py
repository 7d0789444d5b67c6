"""Takes apart what a person typed: filters, terms with weights, a name, a pattern with holes. Values alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

from tacit.retrieval.ranker import Query
from tacit.retrieval.text import shape, unlatex, words

LONGEST = 2_000
"""Characters of a question that are looked at."""
MOST_TERMS = 48
_FILTER = re.compile(r"(?<!\S)(module|kind|package):(\"[^\"]*\"|\S+)", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d][\w'!?₀-₉]*(?:\.[^\W\d][\w'!?₀-₉]*)*")
_HOLE = re.compile(r"(?<![\w.\\}])(?:\?[a-zA-Z]\w*|_)(?![\w.{])")
_SIGNS = {"<->": "↔", "->": "→", "<=": "≤", ">=": "≥", "/\\": "∧", "\\/": "∨", "|-": "⊢"}
"""What Lean reads for signs that keyboards lack."""
_ASCII = re.compile(r"<->|->|<=(?!>)|(?<!=)>=|(?<!\S)(?:/\\|\\/|\|-)(?!\S)")
_RELATION = re.compile(r"[=≠≤≥<>∣↔∈∉⊆⊂∧∨∘]|→(?![\w*+])")
_VARIABLE = re.compile(r"[^\W\d_][₀-₉'ᵢⱼ]*")
_WORD = re.compile(r"[^\W\d][\w'!?.₀-₉]*")
_KINDS = {"lemma": "theorem", "thm": "theorem", "definition": "def", "abbrev": "def"}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A statement with holes: what is between them in order, and a rule that a text in which it stands fulfils."""

    shape: tuple[str, ...]
    rule: re.Pattern[str]
    guessed: bool = False
    """The holes were variables: `a + b = b + a` asks for what is so for any two things."""


@dataclass(frozen=True, slots=True)
class Question:
    """A query as ranking wants it: how often each term was asked for, the names in it, its pattern."""

    query: Query
    terms: tuple[tuple[str, float], ...]
    names: tuple[str, ...]
    pattern: Pattern | None = None


def parse(text: str) -> Query:
    """What was typed, without its filters, and they."""
    filters: dict[str, list[str]] = {"module": [], "kind": [], "package": []}

    def take(match: re.Match[str]) -> str:
        value = match[2].strip('"')
        key = match[1].lower()
        if value:
            filters[key].append(_KINDS.get(value.lower(), value.lower()) if key == "kind" else value)
        return " "

    rest = _ASCII.sub(lambda match: _SIGNS[match[0]], _FILTER.sub(take, text[: 4 * LONGEST]))
    return Query(
        " ".join(rest[:LONGEST].split()), tuple(filters["module"]), tuple(filters["kind"]), tuple(filters["package"])
    )


def understand(query: Query) -> Question:
    """The terms of a query."""
    # Of a goal the hypotheses are words like others, and what is to be proved is a statement like others.
    text = query.text.replace("⊢", " ").strip()
    statement = query.text.rpartition("⊢")[2].strip()
    pattern = _pattern(statement) or _guessed(statement)
    guessed = pattern is not None and pattern.guessed
    weights: dict[str, float] = {}
    for word in words(_HOLE.sub(" ", text) if pattern and not guessed else text):
        weights[word] = weights.get(word, 0.0) + 1.0
    latex = "\\" in text or "$" in text
    names = () if latex else tuple(dict.fromkeys(each for each in _NAME.findall(text) if _is_name(each, text)))
    for name in names:
        weights.setdefault("=" + name.lower(), 1.0)
    if pattern is not None:
        found = pattern.shape
        for one, other in pairwise(found):
            weights.setdefault(f"~{one} {other}", 0.4 if guessed else 1.0)
        weights.setdefault("~~" + " ".join(found), 1.0)
    elif latex or any(each in text for each in ("=", "≤", "<", "∘", "↔", "∣", "+")):
        found = tuple(shape(unlatex(text) if latex else text))
        for one, other in list(pairwise(found))[:16]:
            weights.setdefault(f"~{one} {other}", 0.4)
    terms = tuple((term, min(weight, 2.0)) for term, weight in list(weights.items())[:MOST_TERMS])
    return Question(query, terms, names, pattern)


def _is_name(word: str, text: str) -> bool:
    """Whether a word can only be a name: `mul_comm`, `Nat.succ`, `IsCompact`, or all there is."""
    if len(word) < 4 and word != text:
        return False
    return "_" in word.strip("_") or "." in word or word[1:] != word[1:].lower() or word == text


def _pattern(text: str) -> Pattern | None:
    if "\\" in text or "$" in text or not _HOLE.search(text):
        return None
    body = text.strip("`|⊢ ")
    parts = []
    place = 0
    seen: dict[str, str] = {}
    for match in _HOLE.finditer(body):
        parts.append(_literal(body[place : match.start()]))
        hole = match[0]
        if hole == "_":
            parts.append(_ATOM)
        elif hole in seen:
            parts.append(f"(?P={seen[hole]})")
        else:
            seen[hole] = f"h{len(seen)}"
            parts.append(f"(?P<{seen[hole]}>{_ATOM})")
        place = match.end()
    parts.append(_literal(body[place:]))
    found = tuple(shape(_HOLE.sub(" ", body)))
    if not found:
        return None
    return Pattern(found, re.compile(r"\s*".join(part for part in parts if part)))


def _guessed(text: str) -> Pattern | None:
    """The pattern of a statement about nothing but variables; of no other text."""
    if "\\" in text or "$" in text or not _RELATION.search(text):
        return None
    words_ = _WORD.findall(text)
    if not words_ or not all(map(_VARIABLE.fullmatch, words_)):
        return None
    numbers = {word: f"?a{number}" for number, word in enumerate(dict.fromkeys(words_))}
    found = _pattern(_WORD.sub(lambda match: numbers[match[0]], text))
    return replace(found, guessed=True) if found is not None else None


# A name with at most a few arguments, or something in brackets.
_ATOM = r"(?:[\w.'⁻¹₀-₉]+|\((?:[^()]|\([^()]*\))*\))(?: (?:[\w.'₀-₉]+|\((?:[^()]|\([^()]*\))*\))){0,3}"


def _literal(text: str) -> str:
    return r"\s*".join(re.escape(part) for part in text.split())
