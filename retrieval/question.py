"""Takes apart what a person typed: filters, terms with weights, a name, a pattern with holes. Values alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from tacit.retrieval.ranker import Query
from tacit.retrieval.text import shape, unlatex, words

LONGEST = 2_000
"""Characters of a question that are looked at."""
MOST_TERMS = 48
_FILTER = re.compile(r"(?<!\S)(module|kind|package):(\"[^\"]*\"|\S+)", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d][\w'!?₀-₉]*(?:\.[^\W\d][\w'!?₀-₉]*)*")
_HOLE = re.compile(r"(?<![\w.\\}])(?:\?[a-zA-Z]\w*|_)(?![\w.{])")
_KINDS = {"lemma": "theorem", "thm": "theorem", "definition": "def", "abbrev": "def"}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A statement with holes: what is between them in order, and a rule that a text in which it stands fulfils."""

    shape: tuple[str, ...]
    rule: re.Pattern[str]


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

    rest = _FILTER.sub(take, text[: 4 * LONGEST])
    return Query(
        " ".join(rest[:LONGEST].split()), tuple(filters["module"]), tuple(filters["kind"]), tuple(filters["package"])
    )


def understand(query: Query) -> Question:
    """The terms of a query."""
    text = query.text
    pattern = _pattern(text)
    weights: dict[str, float] = {}
    for word in words(_HOLE.sub(" ", text) if pattern else text):
        weights[word] = weights.get(word, 0.0) + 1.0
    latex = "\\" in text or "$" in text
    names = () if latex else tuple(dict.fromkeys(each for each in _NAME.findall(text) if _is_name(each, text)))
    for name in names:
        weights.setdefault("=" + name.lower(), 1.0)
    if pattern is not None:
        found = pattern.shape
        for one, other in pairwise(found):
            weights.setdefault(f"~{one} {other}", 1.0)
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


# A name with at most a few arguments, or something in brackets.
_ATOM = r"(?:[\w.'⁻¹₀-₉]+|\((?:[^()]|\([^()]*\))*\))(?: (?:[\w.'₀-₉]+|\((?:[^()]|\([^()]*\))*\))){0,3}"


def _literal(text: str) -> str:
    return r"\s*".join(re.escape(part) for part in text.split())
