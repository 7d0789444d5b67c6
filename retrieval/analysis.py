"""Which words of a premise go into which field of the lexical index. Nothing else."""

from __future__ import annotations

from tacit.index.postings import Words
from tacit.index.premise import Kind, Premise
from tacit.retrieval.text import name_words, shape_terms, statement_words, whole_names, words

VERSION = "3"
"""Changes with whatever changes the words of a premise."""


def analyse(premise: Premise, note: str) -> Words:
    """Words for each of `tacit.index.postings.FIELDS`; for `tacit.index.build.Analysis`."""
    type_words = statement_words(premise.type)
    type_words += shape_terms(premise.type)
    value = statement_words(premise.value[:600]) if premise.kind is not Kind.THEOREM else []
    return (
        [*name_words(premise.name), *whole_names(premise.name)],
        type_words,
        statement_words(premise.context) + statement_words(premise.binders),
        words(premise.doc[:2000]),
        words(note),
        name_words(premise.module),
        value,
    )
