"""Makes words of names, statements, prose and LaTeX: the same words for the same thing, however it was written.

Three sorts of terms come out. Words (`contin`, `sum`); whole names (`=continuouson_iff`, lower case, each part of a
dotted name too); and shapes of statements (`~+ =`: symbols and constants that follow each other), see `shape`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, pairwise

from tacit.retrieval.vocabulary import ABBREVIATIONS, LATEX, LETTERS, PHRASES, STOP, SYMBOLS

LONGEST_NAME = 120
_LETTER = r"[^\W\d_]"
_IDENTIFIER = re.compile(r"[^\W\d][\w'!?₀-₉]*(?:\.[^\W\d][\w'!?₀-₉]*)*")
_PIECE = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_]|\d+")
# Longer symbols first. That they come behind their first characters, and the others in one class, makes it three times
# as fast: a whole Mathlib goes through here.
_LONG = sorted((each for each in SYMBOLS if len(each) > 1), key=len, reverse=True)
_SYMBOL = (
    rf"(?=[{re.escape(''.join(sorted({each[0] for each in _LONG})))}])(?:{'|'.join(map(re.escape, _LONG))})"
    rf"|[{re.escape(''.join(each for each in SYMBOLS if len(each) == 1))}]"
)
_TOKEN = re.compile(rf"{_IDENTIFIER.pattern}|\d+|{_SYMBOL}")
_NAMED = re.compile(r"[^\W\d]")
_COMMAND = re.compile(r"\\(?P<letters>[A-Za-z]+|\|)")
_BOARD = re.compile(r"\\(?:mathbb|Bbb|mathbf)\s*\{?\s*(?P<letter>[A-Z])\s*\}?")
_STYLED = re.compile(
    r"\\(?:mathrm|mathsf|mathit|mathcal|mathfrak|mathscr|operatorname\*?|text|textbf|textit|mathbf|rm)\b"
)
_ACCENTED = re.compile("[À-ÖØ-öø-ɏ]")
_HYPHEN = re.compile(rf"(?<={_LETTER})[-‐–](?={_LETTER}{_LETTER})")
_ESCAPED = re.compile(r"\\(?=[{}',;!:_%&# ])")
_NUMBERS = {"0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five"}
_PHRASE = re.compile(r"(?<!\w)(?:" + "|".join(re.escape(a) for a, _ in PHRASES) + r")(?!\w)", re.IGNORECASE)
_PHRASES = dict(PHRASES)
_MARKUP = re.compile(r"[`*#\[\]]+|https?://\S+")
_SUFFIXES = (
    *("ibilities", "abilities", "ibility", "ability", "ically", "ations", "ation", "ative", "ators", "ator", "ating"),
    *("ated", "ates", "ate", "ities", "ity", "ously", "ous", "ively", "ives", "ive", "ions", "ion", "ness", "ments"),
    *(
        "ment",
        "ables",
        "able",
        "ible",
        "ings",
        "ing",
        "ally",
        "al",
        "ly",
        "ers",
        "er",
        "ies",
        "ed",
        "es",
        "e",
        "s",
        "y",
    ),
)


def words(text: str) -> list[str]:
    """The words of prose that may hold Lean and LaTeX, in order, repeats included."""
    if not text:
        return []
    if not text.isascii():
        text = _ACCENTED.sub(lambda match: unicodedata.normalize("NFD", match[0])[0], text)
    if "\\" in text:
        text = unlatex(text)
    text = _HYPHEN.sub(" ", _MARKUP.sub(" ", text))
    text = _PHRASE.sub(lambda match: _PHRASES[match[0].lower()], text)
    return list(_terms(text))


def statement_words(text: str) -> list[str]:
    """The words of Lean."""
    return list(_terms(text))


@lru_cache(maxsize=1 << 18)
def name_words(name: str) -> tuple[str, ...]:
    """The words of a full name, in order: `Nat.continuousOn_iff` → nat, contin, iff."""
    return tuple(word for piece in _PIECE.findall(name) for word in _canonical(piece))


def whole_names(name: str) -> list[str]:
    """What a name may be asked for by: itself, and what is left of it without leading parts."""
    parts = name.lower()[:LONGEST_NAME].split(".")
    return ["=" + ".".join(parts[start:]) for start in range(max(0, len(parts) - 4), len(parts))]


def unlatex(text: str) -> str:
    """Lean's symbols in the place of LaTeX's commands."""
    text = _BOARD.sub(lambda match: LETTERS.get(match["letter"], " "), text)
    text = _STYLED.sub(" ", text)
    text = _ESCAPED.sub(" ", text).replace("^{-1}", "⁻¹")
    text = _COMMAND.sub(lambda match: LATEX.get(match["letters"], f" {match['letters']} "), text)
    return re.sub(r"[{}$]", " ", text).replace("_", " ")


def shape(text: str) -> list[str]:
    """The symbols and constants of a statement in order; names of variables and holes are left out, and so is `∀`,
    which stands before some statements and not before others that say the same.
    """
    return [part for part in map(_shape_part, _tokens(text)) if part]


@lru_cache(maxsize=1 << 18)
def _shape_part(token: str) -> str:
    if _NAMED.match(token) is None:
        return "" if token in ("→", ":=", "|", "·", "⟨", "∀") else token
    last = token.rpartition(".")[2]
    return last.lower() if len(last) > 2 or "." in token else ""


def shape_terms(text: str, most: int = 24) -> list[str]:
    """The pairs and triples of a shape, and the whole of a short one."""
    found = shape(text)[:most]
    pairs = [f"~{a} {b}" for a, b in pairwise(found)]
    return [*pairs, "~~" + " ".join(found)] if len(found) <= 8 else pairs


def _terms(text: str) -> Iterator[str]:
    return chain.from_iterable(map(_token_words, _tokens(text)))


@lru_cache(maxsize=1 << 10)
def _tokens(text: str) -> tuple[str, ...]:
    """Types come twice, for their words and for their shape; variables in scope with each declaration after them."""
    return tuple(_TOKEN.findall(text))


@lru_cache(maxsize=1 << 18)
def _token_words(token: str) -> tuple[str, ...]:
    """The words of one token; the first character tells its sort."""
    if token[0].isdecimal():
        return (_NUMBERS[token],) if token in _NUMBERS else ()
    return _SYMBOL_WORDS[token] if _NAMED.match(token) is None else _identifier(token)


def _identifier(name: str) -> tuple[str, ...]:
    pieces = _PIECE.findall(name)
    found = [word for piece in pieces for word in _canonical(piece)]
    if len(found) > 1 and ("_" in name or (len(pieces) > 1 and name.lower() != name)):
        found.append("=" + name.rpartition(".")[2].lower()[:LONGEST_NAME])
    elif len(pieces) == 1 and name[0].isupper() and len(name) > 3:
        found.append("=" + name.lower()[:LONGEST_NAME])
    return tuple(found)


@lru_cache(maxsize=1 << 17)
def _canonical(piece: str) -> tuple[str, ...]:
    word = piece.lower()
    if not word.isascii():
        word = SYMBOLS.get(piece) or "".join(
            each for each in unicodedata.normalize("NFKD", word) if not unicodedata.combining(each)
        )
    if word.isdigit():
        return (_NUMBERS[word],) if word in _NUMBERS else ()
    if (len(word) < 2) or word in STOP:
        return ()
    if known := _ABBREVIATED.get(word):
        return (known,)
    return (stem(word),)


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """A word without the endings that change nothing in what it is about: continuous, continuity → continu."""
    if len(word) <= 4 and not word.endswith("s"):
        return word
    for suffix in _SUFFIXES:
        if word.endswith(suffix):
            rest = word[: -len(suffix)]
            if len(rest) >= (3 if len(suffix) <= 2 else 4):
                if suffix in ("s", "es") and rest.endswith(("s", "u", "i")):
                    return word  # basis, class, radius
                if len(rest) > 3 and rest[-1] == rest[-2] and rest[-1] not in "lsz":
                    rest = rest[:-1]
                return rest
    return word


def _lines(lines: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        first, *others = line.lower().split()
        head = found.get(first, first)
        for word in (first, *others):
            found.setdefault(word, head)
    return found


_ABBREVIATED = _lines(ABBREVIATIONS)
_SYMBOL_WORDS = {symbol: tuple(w for p in text.split() for w in _canonical(p)) for symbol, text in SYMBOLS.items()}
