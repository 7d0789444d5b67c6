"""Which names of the library a tactic text mentions, and which tactics it begins. Pure functions on text; no grammar.

What a text binds itself (`intro x`, `obtain ⟨x, hx⟩ := h`, `fun x ↦ …`, `∃ x, …`) is no name of the library. Where it
cannot be told whether a word is bound, is part of the syntax or is a name, it is passed over: what is returned are
names alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from tacit.server.tactics.lexer import CLOSE, OPEN

# The letters of names, as `Lean.isLetterLike` has them: λ, Π and Σ are none.
_LETTER = (
    r"A-Za-z_\u03b1-\u03ba\u03bc-\u03c9\u03ca-\u03fb\u0391-\u039f\u03a1\u03a2\u03a4-\u03a9\u1f00-\u1ffe"
    r"\u2100-\u214f\U0001d49c-\U0001d59f\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f"
)
_REST = rf"{_LETTER}0-9'!?\u2080-\u2089\u2090-\u209c\u1d62-\u1d6a\u2c7c"
_PART = rf"(?:[{_LETTER}][{_REST}]*|«[^»]*»)"
_WORD = re.compile(
    r"(?P<other>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^\\])'|`{1,2}[^\s,\])]+|\.\{[^}]*\}|@\[[^\]]*\])"
    rf"|(?P<name>{_PART}(?:\.{_PART})*)"
    rf"|(?P<field>\.(?:\d+|{_PART}))"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<sign>:=|=>|<;>|<\|>|<\||\|>|::|\?_|\?[\w']+|\S)"
    r"|(?P<line>\n[ \t]*)"
)
# Behind these stands a tactic.
_TACTIC_NEXT = frozenset(
    "by <;> ; · try repeat repeat' all_goals any_goals any_goals' first focus solve done fail_if_success".split()
)
# These begin names that are bound up to a comma (`∃ x, …`), and up to an arrow (`fun x ↦ …`, `case inl h => …`).
_TO_COMMA = frozenset("∀ ∃ Σ Π ∑ ∏ ⋃ ⋂ ⨆ ⨅ ∫ ∮ ∯ ∰ ⨁ ⨂ ∐ ⨿ ∀ᶠ ∃ᶠ ∀ᵐ ∃ᵐ ∡".split())
_TO_ARROW = frozenset("fun λ case case' next on_goal rename_i rename".split())
# These begin names that are bound up to a colon, `:=`, `with`, `using` or the next tactic.
_BINDING = frozenset(
    "intro intros rintro rintros introv ext ext1 funext have haveI have' let letI let' suffices obtain set replace"
    " by_cases by_contra by_contra' generalize wlog lift choose peel rename_i rename injection"
    " with mut for nomatch".split()
)
# Behind these a name and a colon may stand: `cases h : e with`.
_NAMING = frozenset("if by_cases cases cases' induction match rcases obtain interval_cases fin_cases dite".split())
_ENDS_BINDING = frozenset(": := with using at <;> ; ← generalizing :) | =>".split()) - {"|"}
_LINE_ENDS = frozenset("<;> ;".split())
_ARROWS = frozenset(("=>", "↦"))
_REACH = 300
"""Words that are looked at for the end of what begins at one: a text takes time in proportion to its length."""

# What stands where an argument may and is no declaration: words of the syntax, sets of simp lemmas, simprocs.
WORDS = frozenset(
    "this haveI letI mod_cast reassoc_of push_cast nat_cast int_cast norm_num norm_num1 ring_nf ring1 match_scalars"
    " functor_norm monad_norm mfld_simps ghost_simps field_simps coassoc_simps integral_simps parity_simps qify_simps"
    " rify_simps zify_simps existsAndEq iffComm eqComm cons_val norm_det".split()
)


class Word(NamedTuple):
    """A piece of the text. `kind`: name, field, number, sign, line or other; `depth`: brackets around it."""

    text: str
    kind: str
    start: int
    gap: bool
    depth: int


_NOTHING = Word("", "line", 0, True, 0)


@dataclass(frozen=True, slots=True)
class Mentions:
    """`names` are to be found in the library, dotted as written; `members` begin with a name that is bound (`h.symm`),
    but may mean something of the library all the same; `fields` are labels behind a term or alone (`(f x).symm`).

    `heads` are the words at which a tactic begins, each with the text from there to the end of that tactic.
    """

    names: tuple[str, ...]
    members: tuple[str, ...]
    fields: tuple[str, ...]
    heads: tuple[tuple[str, str], ...]


def words(text: str) -> tuple[Word, ...]:
    """The words of a text in their order."""
    found: list[Word] = []
    depth, end = 0, 0
    for match in _WORD.finditer(text):
        kind = str(match.lastgroup)
        piece = match[0]
        if piece in CLOSE:
            depth -= 1
        found.append(Word(piece, kind, match.start(), match.start() > end, depth))
        if kind == "sign" and piece in OPEN:
            depth += 1
        end = match.end()
    return tuple(found)


@lru_cache(maxsize=256)
def mentions(text: str, local: frozenset[str] = frozenset()) -> Mentions:
    """What a tactic text mentions; `local` are the names of hypotheses."""
    pieces = words(text)
    known = {"this", *local, *_bound(pieces)}
    at_head = _head_places(pieces)
    names: dict[str, None] = {}
    members: dict[str, None] = {}
    fields: dict[str, None] = {}
    heads: list[tuple[str, str]] = []
    for at, word in enumerate(pieces):
        if word.kind == "field":
            if not word.text[1].isdigit() and "«" not in word.text:
                fields[word.text[1:]] = None
            continue
        if word.kind != "name" or "«" in word.text:
            continue  # between « and » anything may be meant
        first, _, rest = word.text.partition(".")
        if at in at_head and not rest:
            heads.append((first, text[word.start : _end(pieces, at, len(text))]))
            continue
        follows = pieces[at + 1] if at + 1 < len(pieces) else _NOTHING
        if _is_option(pieces, at) or (follows.text == "%" and not follows.gap):
            continue
        if first in known:
            if rest:
                members[word.text] = None
        elif word.text not in WORDS and (rest or not (follows.text == ":=" or _may_be_syntax(word.text))):
            names[word.text] = None
    return Mentions(tuple(names), tuple(members), tuple(fields), tuple(heads))


def _is_option(pieces: tuple[Word, ...], at: int) -> bool:
    """Whether a word is an option: `simp +contextual`."""
    sign = pieces[at - 1] if at else _NOTHING
    return sign.text in ("+", "-") and sign.gap and not pieces[at].gap


def stands_in(name: str, text: str) -> bool:
    """Whether a name stands in a text, by itself or with fields behind it."""
    return re.search(rf"(?<![{_REST}.»]){re.escape(name)}(?![{_REST}])", text) is not None


# Letters of one case alone, as keywords and notations have them (`only`, `conj`, `ZMOD`), or no ASCII letter at all.
_PLAIN = re.compile(r"[a-z]+|[A-Z]+|[^A-Za-z]+")


def _may_be_syntax(name: str) -> bool:
    """Whether a word without a dot is so short or plain that it may be syntax, a notation or a variable."""
    if (name.startswith("h") and len(name) < 4) or name == "ih":
        return False  # as hypotheses are called, and nothing else
    return len(name) < 3 or bool(_PLAIN.fullmatch(name.rstrip("!?")))


def _head_places(pieces: tuple[Word, ...]) -> frozenset[int]:
    """The places where a tactic begins."""
    found = set()
    tactic_bracket = False
    expected = True
    alternatives = False
    for at, word in enumerate(pieces):
        if word.kind == "line":
            expected = word.depth == 0 or expected or tactic_bracket
        elif expected and word.text in "(·{[" and word.text != "[":
            tactic_bracket = word.text == "("
        elif expected and word.kind == "name":
            found.add(at)
            alternatives = alternatives or word.text in ("first", "solve")
            expected = word.text in _TACTIC_NEXT
        elif word.text in _TACTIC_NEXT:
            expected = True
        elif word.text == "|":
            expected = alternatives  # `first | simp | omega`, not `| zero => …`
        elif word.text in _ARROWS and _is_tactic_arrow(pieces, at):
            expected = True
        elif not (expected and word.kind == "number"):
            expected = False  # `on_goal 2 => simp`, `iterate 3 simp`
    return frozenset(found)


def _is_tactic_arrow(pieces: tuple[Word, ...], at: int) -> bool:
    """Whether `=>` ends `| pattern`, `case tag`, `conv` and the like, and not `fun x`."""
    depth = pieces[at].depth
    for word in reversed(pieces[max(0, at - _REACH) : at]):
        if word.depth < depth:
            return False
        if word.depth == depth:
            if word.text in ("fun", "λ"):
                return False
            if word.text in ("|", "case", "case'", "next", "on_goal", "conv", "conv_lhs", "conv_rhs"):
                return True
    return False


def _end(pieces: tuple[Word, ...], at: int, end: int) -> int:
    """Where the tactic that begins at a place ends: at a `<;>`, `;` or line break outside its brackets."""
    depth = pieces[at].depth
    for word in pieces[at + 1 : at + _REACH]:
        if word.depth < depth or (word.depth == depth and (word.text in ("<;>", ";") or word.kind == "line")):
            return word.start
    return end


def bound(text: str) -> frozenset[str]:
    """The names that a text binds itself, in doubt too many."""
    return frozenset(_bound(words(text)))


def _bound(pieces: tuple[Word, ...]) -> set[str]:
    """The names that the text binds itself, in doubt too many."""
    found: set[str] = set()
    for at, word in enumerate(pieces):
        if word.kind == "name" and "." not in word.text:
            follows = pieces[at + 1].text if at + 1 < len(pieces) else ""
            before = pieces[at - 1] if at else _NOTHING
            if follows == ":" and (before.kind != "name" or before.text.rstrip("!?") in _NAMING):
                found.add(word.text)
        if word.text in _TO_COMMA or word.text[:1] in "∀∃∑∏⋃⋂⨆⨅∫":
            found |= _names_to(pieces, at, frozenset((",",)))
        elif word.text in _TO_ARROW:
            found |= _names_to(pieces, at, _ARROWS)
        elif word.text.rstrip("!?") in _BINDING:
            found |= _names_to(pieces, at, _ENDS_BINDING)
            if word.text == "generalize":
                found |= _behind_equals(pieces, at)
        elif word.text == "|":
            found |= _alternative(pieces, at)
        elif word.text == "{":
            found |= _set_builder(pieces, at)
        elif word.text == ":=":
            found |= _before_assignment(pieces, at)
    return found


def _names_to(pieces: tuple[Word, ...], at: int, ends: frozenset[str]) -> set[str]:
    """The undotted names between a place and the first of these words at its depth."""
    found = set()
    depth = pieces[at].depth
    for word in pieces[at + 1 : at + _REACH]:
        if word.depth < depth:
            break
        if word.depth == depth and (word.text in ends or word.text in _LINE_ENDS or word.kind == "line"):
            break
        if word.kind == "name" and "." not in word.text:
            found.add(word.text)
    return found


def _alternative(pieces: tuple[Word, ...], at: int) -> set[str]:
    """Of `| succ n ih => …`; nothing where no arrow follows, as in `first | simp | omega` or `|x|`."""
    found: set[str] = set()
    depth = pieces[at].depth
    for word in pieces[at + 1 : at + _REACH]:
        if word.text in _ARROWS and word.depth == depth:
            return found
        if word.depth < depth or word.kind == "line":
            break
        if word.kind == "name" and "." not in word.text:
            found.add(word.text)
    return set()


def _set_builder(pieces: tuple[Word, ...], at: int) -> set[str]:
    """Of `{x : α | …}` and `{x ∈ s | …}`."""
    found: set[str] = set()
    depth = pieces[at].depth
    for word in pieces[at + 1 : at + _REACH]:
        if word.depth <= depth:
            break
        if word.text == "|" and word.depth == depth + 1:
            return found
        if word.kind == "name" and "." not in word.text:
            found.add(word.text)
    return set()


def _before_assignment(pieces: tuple[Word, ...], at: int) -> set[str]:
    """Of `{ toFun x y := … }` and `(n := 3)`."""
    found = set()
    for word in reversed(pieces[max(0, at - _REACH) : at]):
        if word.kind != "name" and word.text not in "_⟨⟩":
            break
        if word.kind == "name" and "." not in word.text:
            found.add(word.text)
    return found


def _behind_equals(pieces: tuple[Word, ...], at: int) -> set[str]:
    """Of `generalize h : e = x`."""
    last = ""
    for word in pieces[at + 1 : at + _REACH]:
        if word.text in _LINE_ENDS or word.kind == "line" or word.text == "at":
            break
        if word.kind == "name":
            last = word.text
    return {last} if last else set()
