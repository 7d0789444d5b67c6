"""Ranks the best answers again by what they say: whole names, words of the name, patterns, what is generated.

Values alone: nothing here opens an index.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tacit.index.premise import Kind, Origin
from tacit.index.store import Stored
from tacit.retrieval.question import Question
from tacit.retrieval.text import name_words, shape, words


@dataclass(frozen=True, slots=True)
class Hit:
    """An answer: the premise, its package, and a score that falls from the first to the last."""

    package: str
    stored: Stored
    score: float


@dataclass(frozen=True, slots=True)
class Mix:
    """What fusion and the second ranking depend on; tuned as the weights of words were."""

    dense: float = 1.0
    """Vectors against words."""
    name_covered: float = 0.075
    covered: float = 0.05
    exact: float = 1.0
    mentioned: float = 0.0
    """A name that is not all of the query: more often what the answer is about than the answer."""
    ending: float = 0.4
    beginning: float = 0.15
    pattern: float = 0.6
    shape: float = 0.03
    generated: float = 0.15
    instance: float = 0.2
    deprecated: float = 0.2


_GENERATED = frozenset({Origin.SIMPS, Origin.ATTRIBUTE, Origin.DERIVING, Origin.TO_ADDITIVE, Origin.TO_DUAL})


def rerank_hits(hits: Sequence[Hit], question: Question, mix: Mix) -> list[Hit]:
    """The same hits with scores to sort them by."""
    asked = {term for term, _ in question.terms if term[0] not in "=~"}
    names = [each.lower() for each in question.names]
    symbols = set(shape(question.query.text)) if re.search(r"[^\w\s,.'\"()?!:;-]", question.query.text) else set()
    return [
        Hit(each.package, each.stored, each.score + _bonus(each.stored, question, asked, names, symbols, mix))
        for each in hits
    ]


@lru_cache(maxsize=4096)
def _words(name: str, doc: str, type_: str) -> frozenset[str]:
    return frozenset((*name_words(name), *words(doc), *words(type_)))


def _bonus(
    stored: Stored, question: Question, asked: set[str], names: Sequence[str], symbols: set[str], mix: Mix
) -> float:
    premise = stored.premise
    bonus = 0.0
    lower = premise.name.lower()
    last = lower.rpartition(".")[2]
    alone = len(names) == 1 and names[0] == question.query.text.lower()
    for name in names:
        if name == lower:
            bonus += mix.exact if alone else mix.mentioned
        elif lower.endswith("." + name) or name == last:
            bonus += mix.ending if alone else mix.mentioned / 2
        elif alone and (last.startswith(name) or lower.startswith(name)):
            bonus += mix.beginning
    of_name = set(name_words(premise.name.rpartition(".")[2])) or {"?"}
    bonus += mix.name_covered * len(of_name & asked) / len(of_name)
    if asked:
        bonus += mix.covered * len(_words(premise.name, premise.doc, premise.type) & asked) / len(asked)
    if question.pattern is not None and question.pattern.rule.search(premise.type):
        bonus += mix.pattern
    if symbols:
        bonus += mix.shape * len(symbols & set(shape(premise.type))) / len(symbols)
    if premise.origin in _GENERATED:
        bonus -= mix.generated
    if premise.kind is Kind.INSTANCE:
        bonus -= mix.instance
    if any(each.startswith("deprecated") for each in premise.attributes):
        bonus -= mix.deprecated
    return bonus
