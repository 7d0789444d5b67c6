"""The inside of a structure, class or inductive type: parents, fields, constructors, `deriving`. Never raises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from tacit.index.lexer import NAME, NOTES, OPENERS, OPENING, after_note, close, comment_end, one_line, split_top

_DERIVING = re.compile(
    r"\n[ \t]*deriving\s+(?!instance\b)(?P<classes>[^\n]*(?:\n[ \t]+[^\n]*)*)|[ \t]deriving[ \t]+(?P<inline>[^\n]*)\s*$"
)
_MODIFIERS = r"\s*(?P<modifiers>(?:(?:private|protected|public)\s+)*)"
_CONSTRUCTOR = re.compile(rf"{_MODIFIERS}(?P<name>{NAME.pattern})\s*(?P<rest>[^:]*)::")
_NAMES = re.compile(rf"{_MODIFIERS}(?P<names>{NAME.pattern}(?:\s+{NAME.pattern})*)")
_CASE = re.compile(rf"{NOTES}|{OPENING}|\|(?=\s)", re.DOTALL)
_COLON = re.compile(rf"{NOTES}|{OPENING}|:=|:(?!:)", re.DOTALL)
_LINE = re.compile(rf"{NOTES}|{OPENING}|\n[ \t]*(?=\S)", re.DOTALL)
_BLANKS = re.compile(r"\s*")
_LONGEST_DOC = 5_000
_COMPUTED = re.compile(r"\n[ \t]*with[ \t]*\n")
_PARENT = re.compile(rf"(?:(?P<as>{NAME.pattern})\s*:\s*)?(?P<head>(?:_root_\.)?{NAME.pattern})")


@dataclass(frozen=True, slots=True)
class Member:
    """A field or a constructor. `at` is the offset of its name; `default` is the text after `:=`."""

    name: str
    at: int
    binders: str = ""
    type: str = ""
    doc: str = ""
    private: bool = False
    protected: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True)
class Parent:
    """One entry of `extends`: the projection (`toGroup`), the structure and the whole text (`Group G`)."""

    projection: str
    head: str
    text: str
    named: bool = False


def parents(text: str) -> list[Parent]:
    """What `extends A α, toB : B β, C → D` names."""
    found = []
    for each in split_top(text):
        whole = one_line(each)
        if (named := _PARENT.match(whole.lstrip("@("))) is None:
            continue
        head = named["head"].removeprefix("_root_.")
        last = head.rpartition(".")[2]
        whole = whole[named.end("as") :].lstrip(" :") if named["as"] else whole
        found.append(Parent(named["as"] or "to" + _capitalized(last), head, whole, bool(named["as"])))
    return found


def _capitalized(word: str) -> str:
    return word[:1].upper() + word[1:] if word[:1].isascii() else word


def deriving(text: str, start: int, stop: int) -> tuple[list[str], int]:
    """The classes that a type derives, and the offset at which that clause begins (`stop` without one)."""
    found = None
    for found in _DERIVING.finditer(text, start, stop):  # noqa: B007 - the last one counts
        pass
    if found is None:
        return [], stop
    classes = [
        name for each in split_top(one_line(found["classes"] or found["inline"] or "")) if (name := each.strip())
    ]
    return [name.split()[0].lstrip("@") for name in classes], found.start()


def fields(text: str, start: int, stop: int) -> tuple[Member | None, list[Member]]:
    """The constructor, where it is named (`mk ::`), and the fields between two offsets."""
    maker = None
    found: list[Member] = []
    at = _skip(text, start, stop)[0]
    if (named := _CONSTRUCTOR.match(text, at, stop)) is not None and "\n" not in named["rest"].strip():
        maker = Member(named["name"], named.start("name"), private="private" in named["modifiers"])
        start = named.end()
    for doc, begin, end in _entries(text, start, stop):
        found += _field(text, begin, end, doc)
    return maker, found


def _skip(text: str, at: int, stop: int) -> tuple[int, str]:
    """Past blanks, comments and attributes: the offset of what follows, and the last doc comment passed."""
    doc = ""
    while at < stop:
        if text[at].isspace():
            at += 1
        elif text.startswith("--", at):
            end = text.find("\n", at)
            at = stop if end < 0 else end
        elif text.startswith("/-", at):
            end = min(comment_end(text, at), stop)
            if text.startswith("/--", at):
                doc = doc_text(text, at, end)
            at = end
        elif text.startswith("@[", at):
            at = close(text, at + 1, stop)
        else:
            break
    return at, doc


def _entries(text: str, start: int, stop: int) -> Iterator[tuple[str, int, int]]:
    """The fields between two offsets: doc, where the name begins, where the field ends.

    A field in brackets ends with them. Any other ends at the next line that is not indented more than the first.
    """
    first = _BLANKS.match(text, start, stop)
    at, doc = _skip(text, start, stop)
    first_at = first.end() if first is not None else at
    column = first_at - text.rfind("\n", 0, first_at) - 1
    while at < stop:
        end = close(text, at, stop) if text[at] in OPENERS else _line_end(text, at, stop, column)
        yield doc, at, end
        at, doc = _skip(text, max(end, at + 1), stop)


def _line_end(text: str, at: int, stop: int, column: int) -> int:
    """The end of the last line after `at` that goes on: indented more than `column`, or inside brackets."""
    while (found := _LINE.search(text, at, stop)) is not None:
        mark = found[0]
        if mark[0] == "\n":
            if len(mark) - 1 <= column:
                return found.start()
            at = found.end()
        elif mark[0] in OPENERS:
            at = close(text, found.start(), stop)
        else:
            at = after_note(text, found)
    return stop


def _field(text: str, at: int, end: int, doc: str) -> list[Member]:
    bracketed = at < end and text[at] in OPENERS
    if bracketed:
        at, end = at + 1, close(text, at, end) - 1
    named = _NAMES.match(text, at, end)
    if named is None:
        return []
    names = [(found[0], found.start()) for found in NAME.finditer(text, named.start("names"), named.end())]
    rest = named.end()
    if not bracketed:  # of several names outside brackets the first is the field, the others are its arguments
        names, rest = names[:1], names[0][1] + len(names[0][0])
    colon, mark = _colon(text, rest, end)
    type_ = one_line(text[colon + 1 : mark if mark >= 0 else end]) if colon < end and text[colon] == ":" else ""
    if colon == mark or not type_:
        return []  # `carrier := x`: a default for a parent's field, not a field
    binders = one_line(text[rest:colon])
    default = one_line(text[mark + 2 : end]) if mark >= 0 else ""
    private, protected = "private" in named["modifiers"], "protected" in named["modifiers"]
    return [Member(name, offset, binders, type_, doc, private, protected, default) for name, offset in names]


def _colon(text: str, at: int, end: int) -> tuple[int, int]:
    """The offset of the field's colon (`end` without one) and of its `:=` (-1 without one), outside brackets."""
    colon = -1
    lets = 0
    while (found := _COLON.search(text, at, end)) is not None:
        mark = found[0]
        if mark[0] in OPENERS:
            at = close(text, found.start(), end)
        elif mark == ":":
            colon = found.start() if colon < 0 else colon
            at = found.end()
        elif mark == ":=":
            lets = len(re.findall(r"\b(?:let|have|letI|haveI)\b", text[colon + 1 : found.start()])) if colon >= 0 else 0
            defined = text.count(":=", colon + 1, found.start()) if lets else 0
            if lets <= defined:
                return (colon if colon >= 0 else found.start()), found.start()
            at = found.end()
        else:
            at = after_note(text, found)
    return (colon if colon >= 0 else end), -1


def constructors(text: str, head: int, start: int, stop: int) -> list[Member]:
    """The constructors of an inductive type whose head begins at `head`: each begins with a bar outside brackets."""
    starts = []
    at = start
    if (computed := _COMPUTED.search(text, start, stop)) is not None:
        stop = computed.start()
    while (found := _CASE.search(text, at, stop)) is not None:
        mark = found[0]
        if mark == "|":
            starts.append(found.start())
            at = found.end()
        elif mark[0] in OPENERS:
            at = close(text, found.start(), stop)
        else:
            at = after_note(text, found)
    found_members = []
    for begin, end in pairwise([*starts, stop]):
        at, doc = _skip(text, begin + 1, end)
        if not doc:
            doc = _doc_before(text, begin, head)
        named = _NAMES.match(text, at, end)
        if named is None:
            continue
        name = named["names"].split()[0]
        first = named.start("names")
        rest = first + len(name)
        colon, default = _colon(text, rest, end)
        binders = one_line(text[rest:colon])
        kind = one_line(text[colon + 1 : default if default >= 0 else end]) if colon < end else ""
        found_members.append(
            Member(name, first, binders, kind, doc, "private" in named["modifiers"], "protected" in named["modifiers"])
        )
    return found_members


def _doc_before(text: str, at: int, start: int) -> str:
    """The doc comment that ends just before `at` (`/-- … -/ | zero`)."""
    before = text[max(start, at - _LONGEST_DOC) : at].rstrip()
    if not before.endswith("-/"):
        return ""
    begin = before.rfind("/--")
    return doc_text(before, begin, len(before)) if begin >= 0 else ""


def doc_text(text: str, start: int, end: int) -> str:
    """The words of the doc comment between two offsets, markers left out, line by line without indentation."""
    inside = text[start + 3 : end - 2 if text.startswith("-/", end - 2) else end]
    return "\n".join(line.strip() for line in inside.strip().splitlines())
