"""Finds what Lean would evaluate, as a program, while it only reads a tactic: the values of a tactic's options.

`simp (config := e)` and today's `simp (maxSteps := e)` compile `e` and run it, unsafe functions included, before any
tactic runs. An option whose value is written out (`true`, `3`, `.pos [1]`, `{ contextual := true }`) runs nothing; what
calls a function may do anything. Pure functions on tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tacit.server.lean.syntax import Kind, Token

# After these a tactic begins; after the first ones anywhere, they are nothing else.
_PREFIXES = frozenset(
    """by try repeat repeat' repeat1 repeat1' all_goals any_goals first focus unhygienic with_reducible classical
    with_reducible_and_instances with_unfolding_all with_unfolding_none show_term solve fail_if_success
    fail_if_no_progress attempt_all attempt_all_par then else iterate recover next on_goal pick_goal
    swap any_goals' success_if_fail""".split()
)
_BEFORE_TACTIC = frozenset("· . ; > |".split())
# Their values are tactics, or arguments of a theorem: no tactic has an option of that name.
_TACTIC_VALUES = frozenset({"disch", "discharger"})
_NO_OPTIONS = frozenset({"motive"})


def evaluated_option(code: Sequence[Token], text: str) -> str | None:
    """The name of an option whose value is more than written out; None where there is none.

    `code` are the tokens of `text`, whose brackets match.
    """
    starts = _tactic_starts(code, text)
    options: set[int] = set()  # indices behind which another option may stand
    for i, token in enumerate(code):
        if token.kind is Kind.IDENT:
            flag = i - 2 in options and code[i - 1].text in ("+", "-")  # `simp +arith`
            if flag or i in starts:
                options.add(i)
        elif token.text == "(" and _is_named(code, i):
            close, name = _closing(code, i), code[i + 1].text
            listed = i - 1 in options
            if listed:
                options.add(close)
            if name in _TACTIC_VALUES or name in _NO_OPTIONS or not (listed or name.endswith("onfig")):
                continue
            if not _is_written_out(code[i + 4 : close]):
                return name
    return None


def _is_named(code: Sequence[Token], i: int) -> bool:
    """Whether `(name :=` begins at a token."""
    if i + 3 >= len(code) or code[i + 1].kind is not Kind.IDENT:
        return False
    return code[i + 2].text == ":" and code[i + 3].text == "=" and code[i + 2].end == code[i + 3].start


def _tactic_starts(code: Sequence[Token], text: str) -> set[int]:
    starts: set[int] = set()
    for i, token in enumerate(code):
        previous = code[i - 1] if i else None
        if previous is None or "\n" in text[previous.end : token.start]:
            begins = True
        elif previous.kind is Kind.NUMBER:
            begins = i > 1 and code[i - 2].text in _PREFIXES  # `iterate 3 simp`
        elif previous.kind is Kind.OPEN:
            begins = previous.text in ("(", "{") and i - 1 in starts
        elif previous.text == "=":
            begins = i > 3 and code[i - 3].text in _TACTIC_VALUES
        else:
            begins = previous.text in _PREFIXES or previous.text in _BEFORE_TACTIC
        if begins:
            starts.add(i)
    return starts


def _closing(code: Sequence[Token], i: int) -> int:
    """The index of the bracket that closes the one at `i`."""
    depth = 0
    for j in range(i, len(code)):
        depth += (code[j].kind is Kind.OPEN) - (code[j].kind is Kind.CLOSE)
        if not depth:
            return j
    return len(code)


def _is_written_out(value: Sequence[Token]) -> bool:
    return bool(value) and _value(value, 0) == len(value)


def _value(code: Sequence[Token], i: int) -> int:
    """The index behind the written-out value that begins at `i`; -1 where none does."""
    if i >= len(code):
        return -1
    token = code[i]
    if token.text == "." and i + 1 < len(code) and code[i + 1].kind is Kind.IDENT and token.end == code[i + 1].start:
        i += 2
        while i < len(code) and (code[i].kind is Kind.NUMBER or code[i].text == "["):
            i = _value(code, i)
            if i < 0:
                return -1
        return i
    if token.text == "-" and i + 1 < len(code) and code[i + 1].kind is Kind.NUMBER:
        return i + 2
    if token.kind in (Kind.IDENT, Kind.NUMBER):
        return i + 1
    if token.text == "[":
        return _list(code, i + 1, "]", _value)
    if token.text == "{":
        if i + 2 < len(code) and code[i + 1].kind is Kind.IDENT and code[i + 2].text == "with":
            i += 2
        return _list(code, i + 1, "}", _field)
    if token.text == "(":
        inner = _value(code, i + 1)
        return inner + 1 if 0 < inner < len(code) and code[inner].text == ")" else -1
    return -1


def _field(code: Sequence[Token], i: int) -> int:
    """The index behind `name := value` or `name`."""
    if i >= len(code) or code[i].kind is not Kind.IDENT:
        return -1
    if i + 2 < len(code) and code[i + 1].text == ":" and code[i + 2].text == "=":
        return _value(code, i + 3)
    return i + 1


def _list(code: Sequence[Token], i: int, close: str, each: Callable[[Sequence[Token], int], int]) -> int:
    """The index behind a list of parts with commas between them, up to the bracket that closes it."""
    while i < len(code) and code[i].text != close:
        i = each(code, i)
        if not 0 <= i < len(code) or code[i].text not in (",", close):
            return -1
        i += code[i].text == ","
    return i + 1 if i < len(code) else -1
