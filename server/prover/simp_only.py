"""`simp` as the `simp only [...]` that does the same, where that is asked for. Lean says which lemmas were used.

Today's Lean is asked with `simp?`, and what it prints is taken. A Lean of 2021 has no `simp?`: there the option
`trace.Meta.Tactic.simp.rewrite` tells of each rewriting, with the lemma's name; what simp did without a lemma
(unfolding a definition that it was given) nobody tells, so what was given stays, and what is not needed goes later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tacit.server.lean.crew import Checking
from tacit.server.lean.site import Site
from tacit.server.prover.proof import listed
from tacit.server.text import LineIndex, Position

TRACE = "set_option trace.Meta.Tactic.simp.rewrite true\n"
_CALL = re.compile(
    r"(?<![\w.'])(?P<head>simp|simp_all|simpa|dsimp)(?P<marks>!?)(?![\w'?])"
    r"(?P<options>(?: \+\w+| -\w+| \(config := [^()]*\)| \(\w+ := [^()]*\))*)(?P<only> only)?(?P<list> ?\[)?"
)
_REWRITE = re.compile(r"^\[Meta\.Tactic\.simp\.rewrite\] (?P<name>[^\s:]+):\d+", re.MULTILINE)
# What simp does without being told, and names that nobody can write.
_OF_ITSELF = frozenset({"eq_self", "eq_self_iff_true", "iff_self", "iff_self_iff"})
_HIDDEN = re.compile(r"✝|\._@|_hyg|^_|\._eq_\d+$|\.match_\d+|\._")


@dataclass(frozen=True, slots=True)
class Call:
    """A `simp` in a text: from where to where, without what follows its list (`at h`, `using h`)."""

    start: int
    end: int
    head: str
    options: str
    items: tuple[str, ...]

    def only(self, items: Iterable[str]) -> str:
        """It with nothing but these lemmas."""
        listed = ", ".join(dict.fromkeys(items))
        return f"{self.head}{self.options} only" + (f" [{listed}]" if listed else "")


def calls(text: str) -> list[Call]:
    """Every `simp`, `simp_all`, `simpa` and `dsimp` of a text that has no `only`."""
    found = []
    for each in _CALL.finditer(text):
        end = each.end()
        items: tuple[str, ...] = ()
        if each["list"]:
            read = listed(text, each.end() - 1)
            if read is None:
                continue
            items, end = tuple(read[0]), read[1] + 1
        if not each["only"] and not each["marks"]:
            found.append(Call(each.start(), end, each["head"], each["options"], items))
    return found


def asking(text: str, found: Sequence[Call]) -> tuple[str, dict[Position, Call]]:
    """The text with `simp?` for each call, and where each of these stands."""
    pieces, begin, starts = [], 0, []
    for shift, call in enumerate(found):
        head = call.start + len(call.head)
        pieces += [text[begin:head], "?"]
        begin = head
        starts.append(call.start + shift)
    asked = "".join([*pieces, text[begin:]])
    return asked, dict(zip(_positions(asked, starts), found, strict=True))


def printed(
    told: Sequence[tuple[Position, str]], where: Mapping[Position, Call], harvest: Callable[[str], Sequence[str]]
) -> dict[Call, list[str]]:
    """The lemmas that `simp?` printed for each call; of one that ran several times, all."""
    lemmas: dict[Call, list[str]] = {}
    for position, message in told:
        call = where.get(position)
        for suggestion in harvest(message) if call is not None else ():
            only = re.match(rf"{call.head}\S*[^\[]*? only(?: \[)?", suggestion) if call is not None else None
            if call is not None and only is not None:
                read = listed(suggestion, only.end() - 1) if only[0].endswith("[") else None
                lemmas.setdefault(call, []).extend(read[0] if read is not None else ())
    return lemmas


def traced(told: Sequence[tuple[Position, str]], where: Mapping[Position, Call]) -> dict[Call, list[str]]:
    """The lemmas that the traces name for each call, behind those that it was given."""
    lemmas: dict[Call, list[str]] = {call: list(call.items) for call in where.values()}
    for position, message in told:
        call = where.get(position)
        for found in _REWRITE.finditer(message) if call is not None else ():
            name = found["name"]
            if call is not None and name not in _OF_ITSELF and not _HIDDEN.search(name):
                lemmas[call].append(name)
    return lemmas


def written(text: str, lemmas: Mapping[Call, Sequence[str]]) -> str:
    """The text with `only` and these lemmas at each call that has them."""
    for call in sorted(lemmas, key=lambda each: -each.start):
        text = f"{text[: call.start]}{call.only(lemmas[call])}{text[call.end :]}"
    return text


async def simp_only(
    checker: Checking,
    site: Site,
    text: str,
    known: Collection[str],
    harvest: Callable[[str], Sequence[str]],
    label: str = "",
) -> list[str]:
    """The proof with `simp only` for every `simp`, then with it for each alone. Not checked as they stand."""
    found = calls(text)
    if not found:
        return []
    if "simp?" in known:
        asked, where = asking(text, found)
        told = await checker.heard(site, asked, label=label)
        lemmas = printed(told or (), where, harvest)
    else:
        where = dict(zip(_positions(text, [call.start for call in found]), found, strict=True))
        told = await checker.heard(site, text, prologue=TRACE, label=label)
        lemmas = traced(told, where) if told is not None else {}
    if not lemmas:
        return []
    return list(dict.fromkeys([written(text, lemmas), *(written(text, {call: lemmas[call]}) for call in lemmas)]))


def _positions(text: str, offsets: Iterable[int]) -> list[Position]:
    index = LineIndex(text)
    return [index.position(offset) for offset in offsets]
