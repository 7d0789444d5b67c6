"""Ranks the best answers again by what they say: whole names, words of the name, patterns, what is generated.

Values alone: nothing here opens an index.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tacit.index.premise import Kind, Origin
from tacit.index.store import Stored
from tacit.retrieval.question import Question
from tacit.retrieval.text import name_words, shape


@dataclass(frozen=True, slots=True)
class Hit:
    """An answer: the premise, its package, and a score that falls from the first to the last."""

    package: str
    stored: Stored
    score: float


@dataclass(frozen=True, slots=True)
class Mix:
    """What fusion and the second ranking depend on; tuned as the weights of words were (docs/benchmarks.md).

    The best premise by words has 1 from words, and the others their share of its score.
    """

    dense: float = 1.0
    """What vectors add: this much for the nearest premise."""
    short: float = 0.4
    """A name of one word; of four words half of this."""
    notion: float = 0.15
    """A type or a class: what people call by its name."""
    called: float = 0.4
    """It is called what the question says, word for word: in bold letters, before a colon, in a list of theorems."""
    symbols: float = 0.25
    """All symbols and constants of the question stand in the statement."""
    exact: float = 1.0
    """The question is a name, this one. A name among other words says nothing: mostly the answer is about it."""
    ending: float = 0.4
    beginning: float = 0.15
    pattern: float = 0.6
    whole: float = 0.2
    """The pattern is all of the statement; half of this below a namespace, where statements about one type are."""
    generated: float = -0.2
    instance: float = -0.1
    part: float = -0.05
    """A field or a constructor."""
    deprecated: float = -0.2
    aside: float = -0.3
    """A test, an example or what else nobody imports."""


_GENERATED = frozenset({Origin.SIMPS, Origin.ATTRIBUTE, Origin.DERIVING, Origin.TO_ADDITIVE, Origin.TO_DUAL})
_TRANSLATED = frozenset({Origin.TO_ADDITIVE, Origin.TO_DUAL})
_NOTIONS = frozenset({Kind.CLASS, Kind.STRUCTURE, Kind.INDUCTIVE})
_ASIDE = re.compile(r"(?:\w*(?:Tests?|Examples?|Benchmarks?)|Archive|Counterexamples)(?:\.|$)")
_FORALL = re.compile(r"^(?:∀ [^,]*, )+")
_NO_WORD = re.compile(r"[^\w'’]+|_")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
LONGEST_TITLE = 100
_SYMBOLIC = re.compile(r"[^\w\s,.'\"()?!:;-]")


def rerank_hits(hits: Sequence[Hit], question: Question, mix: Mix) -> list[Hit]:
    """The same hits with scores to sort them by."""
    asked = Asked.of(question)
    return [
        Hit(
            each.package,
            each.stored,
            each.score + sum(getattr(mix, sign) * much for sign, much in signs(each.stored, asked).items()),
        )
        for each in hits
    ]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the second ranking looks at it."""

    question: Question
    names: tuple[str, ...]
    symbols: frozenset[str]
    alone: bool
    """A name is all there is."""
    phrase: str
    """All of the question as plain words."""
    notion: bool
    """It may be a notion that is asked for: not where all there is is a name of several words."""

    @classmethod
    def of(cls, question: Question) -> Asked:
        """The same for every premise."""
        text = question.query.text
        names = tuple(each.lower() for each in question.names)
        return cls(
            question,
            names,
            frozenset(shape(text)) if _SYMBOLIC.search(text) else frozenset(),
            alone := len(names) == 1 and names[0] == text.lower(),
            _plain(text),
            not (alone and ("_" in text or "." in text)),
        )


def signs(stored: Stored, asked: Asked) -> Mapping[str, float]:
    """What speaks for a premise and against it, by the names of the weights, mostly from 0 to 1."""
    premise = stored.premise
    found = {
        "short": max(1, len(name_words(premise.name))) ** -0.5,
        "notion": float(asked.notion and premise.kind in _NOTIONS),
        "generated": float(premise.origin in _GENERATED),
        "part": float(premise.kind in (Kind.FIELD, Kind.CONSTRUCTOR)),
        "instance": float(premise.kind is Kind.INSTANCE),
        "aside": float(_ASIDE.match(premise.module) is not None),
        "deprecated": float(any(each.startswith("deprecated") for each in premise.attributes)),
    }
    if asked.symbols:
        stated = shape(f"{premise.type} {premise.value[:200]}")
        found["symbols"] = len(asked.symbols.intersection(stated)) / len(asked.symbols)
    pattern = asked.question.pattern
    if pattern is not None and pattern.rule.search(premise.type):
        found["pattern"] = 1.0
        if pattern.rule.fullmatch(_FORALL.sub("", premise.type)):
            found["whole"] = 0.5 if "." in premise.name else 1.0
    if pattern is not None and premise.origin in _TRANSLATED:
        found["generated"] = 0.0  # who asks with `+` wants what was translated from `*`
    if asked.phrase:
        found["called"] = max((_likeness(asked.phrase, each) for each in _titles(premise.doc, stored.note)), default=0)
    found |= _named(premise.name.lower(), asked)
    return found


def _named(name: str, asked: Asked) -> dict[str, float]:
    found: dict[str, float] = {}
    last = name.rpartition(".")[2]
    for each in asked.names if asked.alone else ():
        if each == name:
            found["exact"] = 1.0
        elif each == last or name.endswith("." + each):
            found["ending"] = 1.0
        elif last.startswith(each) or name.startswith(each):
            found["beginning"] = 1.0
    return found


@lru_cache(maxsize=4096)
def _titles(doc: str, note: str) -> tuple[str, ...]:
    """What a premise is called: in bold letters, before a colon, in its package's lists of theorems."""
    head, colon, _ = doc[:LONGEST_TITLE].partition(":")
    found = [*_BOLD.findall(doc[:1000]), *([head] if colon else []), *note[:400].split(". ")]
    return tuple(_plain(each) for each in found if 2 < len(each) <= LONGEST_TITLE)


def _likeness(phrase: str, title: str) -> float:
    """1 where both are the same, their shares in length where one holds the other, else 0."""
    short, long = sorted((phrase, title), key=len)
    return len(short) / len(long) if short and f" {short} " in f" {long} " else 0.0


def _plain(text: str) -> str:
    """Words in lower case, divided by single spaces, without an article before them."""
    plain = _NO_WORD.sub(" ", text[:LONGEST_TITLE]).replace("’", "'").strip().lower()
    return plain.removeprefix("the ").removeprefix("a ").removeprefix("an ")
