"""What an encoder is given of a premise and of a question: the same plain words for the same thing. Values alone.

Encoders of sentences know English. Of Lean's symbols the default one knows a third (`≤`, `∈`, but neither `∑` nor `∃`
nor `ℕ`), and a name such as `IsCompact` it takes for one strange word. So names are taken apart, symbols are spelled
out, LaTeX's commands become the symbols that they stand for, and brackets fall away.
"""

from __future__ import annotations

import re
from functools import lru_cache

from tacit.index.premise import Kind, Premise
from tacit.retrieval.text import unlatex
from tacit.retrieval.vocabulary import SYMBOLS

VERSION = "2"
"""Changes with whatever changes the text of a premise."""
LONGEST = 1_000
"""Characters of a text: no 96 tokens are more."""
SAID, STATED, VALUE = 240, 320, 160
"""Characters of what is said, of the statement and of what a definition unfolds to, so that each gets its share."""

_KEPT = frozenset("=<>≤≥∈∉∩∪⊆⊂∅→↔↦∂∞∘⊗⊕∧∨¬≠≈≡+-*/^√|‖×±")
"""Symbols that the default encoder was taught."""
_OWN: dict[str, str] = {
    "∀": "for all", "∃": "exists", "∃!": "exists unique", "⨆": "supremum", "⨅": "infimum", "⊔": "sup join",
    "⊓": "inf meet", "⋃": "union", "⋂": "intersection", "∏": "product", "∫": "integral", "∣": "divides",
    "∤": "not divides", "⁻¹": "inverse", "⟶": "→", "⥤": "functor", "≅": "isomorphic", "≃": "equiv", "≫": "compose",
    "⋙": "compose", "ℕ": "natural", "ℤ": "integer", "ℚ": "rational", "ℝ": "real", "ℂ": "complex", "𝓝": "neighborhoods",
    "⊤": "top", "⊥": "bottom", "•": "smul", "·": "", "⟨": "", "⟩": "", "!": "factorial", "∥": "parallel", ":=": "",
    "⊢": "", "ᶜ": "complement", "ᵀ": "transpose", "ᵒᵖ": "opposite", "𝟙": "identity", "ᗮ": "orthogonal",
    "∑'": "infinite sum", "∏'": "infinite product", "μ": "μ", "σ": "σ", "φ": "φ", "π": "π", "Δ": "delta", "ζ": "zeta",
    "Γ": "gamma", "~": "", "⋆": "star", "⌊": "floor", "⌋": "", "⌈": "ceil", "⌉": "", "⟪": "inner product", "⟫": "",
    "\\": "set difference", "⇒": "→", "⟹": "→", "ℓ": "l", "∼": "equivalent", "²": "^ 2", "³": "^ 3", "𝕜": "field",
}  # fmt: skip
_SPOKEN = {**{key: value for key, value in SYMBOLS.items() if key not in _KEPT}, **_OWN}
_SYMBOL = "|".join(re.escape(each) for each in sorted({*_SPOKEN, *_KEPT}, key=len, reverse=True))
_NAME = r"[^\W\d_]['₀-₉]*"
_PIECE = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_]|\d+")
_TOKEN = re.compile(rf"(?P<word>[A-Za-zα-ωΑ-Ω]+)|(?P<symbol>{_SYMBOL})|(?P<other>[^\W_]|[.,?;])")
_MARKUP = re.compile(r"[`*$]+")
_HYPOTHESIS = re.compile(r"\(h\w*[₀-₉']*(?: h\w*[₀-₉']*)* : ")


def spoken(text: str) -> str:
    """A text with its names taken apart and its symbols spelled out, in lower case."""
    if "\\" in text:
        text = unlatex(text)
    text = _MARKUP.sub(" ", text)
    found: list[str] = []
    for match in _TOKEN.finditer(text):
        if (word := match["word"]) is not None:
            found += _pieces(word)
        elif (symbol := match["symbol"]) is not None:
            found.append(_SPOKEN.get(symbol, symbol))
        else:
            found.append(match["other"])
    return " ".join(each for each in found if each)


@lru_cache(maxsize=1 << 16)
def _pieces(word: str) -> tuple[str, ...]:
    return tuple(each.lower() for each in _PIECE.findall(word))


def name_text(name: str) -> str:
    """The words of a name."""
    return spoken(name.replace(".", " "))


def hypotheses(binders: str) -> list[str]:
    """What the hypotheses among these binders state, by Mathlib's custom of naming them h…: `(hs : IsCompact s)`."""
    found = []
    for match in _HYPOTHESIS.finditer(binders):
        depth, stop = 1, match.end()
        while stop < len(binders) and depth:
            depth += {"(": 1, ")": -1}.get(binders[stop], 0)
            stop += 1
        found.append(binders[match.end() : stop - 1])
    return found


def statement_text(premise: Premise) -> str:
    """Hypotheses and conclusion; of a definition what it unfolds to as well.

    Other binders are left out: they are half of the tokens, and say of most premises that there is a type.
    """
    stated = " → ".join([*hypotheses(premise.binders), premise.type or premise.statement])
    text = spoken(stated[: 2 * STATED])[:STATED]
    if premise.kind is not Kind.THEOREM and premise.value:
        text += " := " + spoken(premise.value[: 2 * VALUE])[:VALUE]
    return text


def passage(premise: Premise, note: str = "") -> str:
    """What is embedded of a premise: the words of its name, what is said of it, what it states."""
    said, more = spoken(premise.doc[:600]), spoken(note[:600])
    if not said:
        said, more = more, ""
    parts = (name_text(premise.name), said[:SAID], statement_text(premise), said[SAID:], more)
    return ". ".join(part for part in parts if part)[:LONGEST]
