"""The head of one declaration: modifiers, attributes, keyword, name, binders, type, and where its body begins.

Offsets are into the text given. Never raises; of a half-written declaration it says what is there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tacit.index.lexer import (
    DECLARING,
    MODIFIERS,
    NAME,
    NOTES,
    OPENERS,
    OPENING,
    PLAIN,
    REST,
    after_note,
    close,
    comment_end,
    one_line,
    split_top,
)

_WORD = re.compile(
    rf"\s*(?:(?P<at>@\[)|(?P<note>--[^\n]*|/-)|(?P<modifier>{MODIFIERS})(?![{REST}.])"
    rf"|(?P<keyword>class\s+inductive|class\s+abbrev|{DECLARING}|builtin_initialize|initialize)(?![{REST}.]))"
)
# Most declarations: a keyword at once, and a name, all of it (`PMF.{u}` is not called PM).
_QUICK = re.compile(rf"(?P<keyword>theorem|lemma|def)\s+(?P<name>(?>(?:_root_\.)?{NAME.pattern}))(?!\.)")
_NO_MODIFIERS: frozenset[str] = frozenset()
_PRIORITY = re.compile(r"\s*\((?:priority|prio)\s*:=")
_UNIVERSES = re.compile(r"\.\{[^}]*\}")
_SORT = re.compile(r"\s*(?:Prop|Type|Sort)(?![\w.'])")
_DECLARED = re.compile(rf"\s*(?:--[^\n]*\n\s*)*((?:_root_\.)?{NAME.pattern})")
# What ends a part of a head. Each branch begins with a fixed character: see lexer.
_PART = re.compile(
    rf"{NOTES}|{PLAIN}|{OPENING}|:=|:(?!:)|\n[ \t]*\|(?=\s)|\|(?=\s)|w(?<![{REST}.«]w)here(?![{REST}.])"
    rf"|e(?<![{REST}.«]e)xtends(?![{REST}.])|l(?<![{REST}.«]l)et(?:I|_fun)?(?![{REST}.])"
    rf"|h(?<![{REST}.«]h)aveI?(?![{REST}.])|d(?<![{REST}.«]d)eriving(?![{REST}.])"
    rf"|m(?<![{REST}.«]m)atch(?![{REST}.])|f(?<![{REST}.«]f)un(?=\s*\n)",
    re.DOTALL,
)


@dataclass(slots=True)
class Head:
    """The parts of a head; a range is a pair of offsets, (0, 0) for what is not there."""

    keyword: str
    modifiers: frozenset[str]
    attributes: tuple[str, ...]
    at: int  # the keyword
    name: str = ""
    name_at: int = 0
    binders: tuple[int, int] = (0, 0)
    type: tuple[int, int] = (0, 0)
    extends: tuple[int, int] = (0, 0)
    body: int = 0  # of `:=`, `where`, or the first `|`
    body_mark: str = ""


def read_head(text: str, start: int, stop: int) -> Head | None:
    """The head of the declaration that begins at `start`; None when no declaration does."""
    if (quick := _QUICK.match(text, start, stop)) is not None:
        head = Head(quick["keyword"], _NO_MODIFIERS, (), start, quick["name"], quick.start("name"), body=stop)
        _read_parts(text, quick.end(), stop, head)
        return head
    attributes: list[str] = []
    modifiers = set()
    at = start
    while True:
        word = _WORD.match(text, at, stop)
        if word is None:
            return None
        if word["at"]:
            at = word.end()
            end = close(text, at - 1, stop)
            attributes += attribute_list(text[at : end - 1])
            at = end
        elif word["note"]:
            at = comment_end(text, word.start("note")) if word["note"] == "/-" else word.end()
        elif word["modifier"]:
            modifiers.add(word["modifier"])
            at = word.end()
        else:
            break
    keyword = " ".join(word["keyword"].split())
    head = Head(keyword, frozenset(modifiers), tuple(attributes), word.start("keyword"), body=stop)
    _read_rest(text, word.end(), stop, head)
    return head


def attribute_list(text: str) -> list[str]:
    """The attributes of `@[simp, to_additive (attr := simp) foo]`, one text each, with their doc comments."""
    return [part for each in split_top(text) if (part := " ".join(each.split()))]


def _read_rest(text: str, at: int, stop: int, head: Head) -> None:
    if head.keyword == "instance" and (found := _PRIORITY.match(text, at, stop)) is not None:
        at = close(text, text.index("(", found.start()), stop)
    if head.keyword in ("alias", "example"):
        head.body = at
        return
    if (named := _DECLARED.match(text, at, stop)) is not None:
        head.name, head.name_at = named[1], named.start(1)
        at = named.end()
        if text.startswith(".{", at) and (universes := _UNIVERSES.match(text, at, stop)) is not None:
            at = universes.end()
        if head.keyword == "instance" and (found := _PRIORITY.match(text, at, stop)) is not None:
            at = close(text, text.index("(", found.start()), stop)
    _read_parts(text, at, stop, head)


def _read_parts(text: str, at: int, stop: int, head: Head) -> None:
    typed = head.keyword in ("structure", "class")
    begin, part = at, "binders"
    lets = 0
    matching = False  # its alternatives are part of the type
    search = _PART.search
    while (found := search(text, at, stop)) is not None:
        mark = found[0]
        first = mark[0]
        if first in OPENERS:
            at = found.end() if len(mark) > 1 else close(text, found.start(), stop)
            continue
        if first in "-/\"'":
            at = after_note(text, found)
            continue
        at = found.end()
        if mark == ":":
            if part == "binders" or (part == "extends" and not head.type[1] and _SORT.match(text, at)):
                _set(head, part, begin, found.start())
                begin, part = at, "type"
        elif mark == ":=":
            if lets:
                lets -= 1
                continue
            _set(head, part, begin, found.start())
            head.body, head.body_mark = found.start(), mark
            return
        elif mark == "extends":
            if typed:
                _set(head, part, begin, found.start())
                begin, part = at, "extends"
        elif mark in ("where", "deriving"):
            _set(head, part, begin, found.start())
            head.body, head.body_mark = found.start(), mark
            return
        elif mark[-1] == "|":
            if not matching and (first == "\n" or head.keyword.endswith("inductive")):
                _set(head, part, begin, found.start())
                head.body, head.body_mark = at - 1, "|"
                return
        elif first in "mf":
            matching = matching or (part == "type" and head.keyword != "inductive")
        elif part == "type":
            lets += 1
    _set(head, part, begin, stop)


def _set(head: Head, part: str, begin: int, end: int) -> None:
    if part == "binders":
        head.binders = (begin, end)
    elif part == "type":
        head.type = (begin, end)
    else:
        head.extends = (begin, end)


LONGEST = 20_000
"""How many characters of one part are kept."""


def part(text: str, where: tuple[int, int]) -> str:
    """The text of one range of a head, on one line."""
    start, stop = where
    if stop <= start:
        return ""
    found = text[start : min(stop, start + LONGEST)].strip()
    return one_line(found) if "\n" in found or "  " in found or "--" in found or "/-" in found else found
