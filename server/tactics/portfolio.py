"""The fixed list of tactics, fitted to a goal and an environment. Knows no hypothesis by name.

What a user of Lean would try without looking: `grind`, `omega`, `simp`, then the step that the target's shape
asks for, then what is slow, then the queries whose answers Lean prints.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import groupby
from string import Template

from tacit.server.tactics import shape
from tacit.server.tactics.entries import ENTRIES, Entry
from tacit.server.tactics.names import intro_names, pattern, proof_name
from tacit.server.tactics.offers import BATCH, is_modern
from tacit.server.tactics.recursion import is_inductive
from tacit.server.tactics.source import SourceRequest
from tacit.server.tactics.view import View
from tacit.server.values import Candidate


class Portfolio:
    """Proposes the fixed list, at most 32 candidates a batch, one tier after another."""

    def __init__(self, entries: Sequence[Entry] = ENTRIES, name: str = "portfolio") -> None:
        self._entries = tuple(entries)
        self._name = name

    @property
    def name(self) -> str:
        """The name shown beside a suggestion."""
        return self._name

    async def candidates(self, request: SourceRequest) -> AsyncIterator[Sequence[Candidate]]:
        """Yield the entries that this environment parses and this goal calls for, likeliest first in each tier."""
        view = View(request.goal)
        fitting = [entry for entry in self._entries if fits(entry, view, request)]
        fitting.sort(key=lambda entry: (entry.tier, -entry.prior))
        values = _values(view)
        seen: set[str] = set()
        for _, tier in groupby(fitting, key=lambda entry: entry.tier):
            batch = []
            for entry in tier:
                text = _fill(entry, values)
                if text and text not in seen:
                    seen.add(text)
                    batch.append(Candidate(text, self._name, entry.prior, entry.query))
            for part in chunks(batch):
                yield part


def fits(entry: Entry, view: View, request: SourceRequest) -> bool:
    """Whether an entry can parse here and is meant for this goal."""
    return (
        entry.needs <= request.known
        and not (is_modern(request.known) and request.known & set(entry.unless))
        and (not entry.imports or any(module.split(".")[0] == entry.imports for module in request.imports))
        and (entry.when is None or entry.when(view))
    )


def chunks(batch: Sequence[Candidate]) -> Iterator[Sequence[Candidate]]:
    """The batch in parts that one elaboration can take."""
    for start in range(0, len(batch), BATCH):
        yield batch[start : start + BATCH]


def _values(view: View) -> dict[str, str]:
    """What the placeholders of the entries stand for at this goal; empty where there is nothing."""
    names = intro_names(view)
    read = view.shape
    first = names[0] if names and names[0] != "_" else ""
    binder = next(iter(shape.telescope(view.target, negation=True)[0]), None)
    premise = read.left if read.op == "→" else read.right if read.op == "¬" else ""
    taken_apart = pattern(premise, view, set()) if premise else ""
    prop = view.split_on or ""
    return {
        "names": " ".join(names),
        "first": first,
        "inductive": first if binder and binder.name and is_inductive(binder.type, view) else "",
        "premise": first if binder and not binder.name and shape.read(binder.type).op not in {"→", "∀", "¬"} else "",
        "h": view.fresh("h"),
        "x": view.fresh("x"),
        "pattern": f"({taken_apart})" if " | " in taken_apart and taken_apart[0] != "⟨" else taken_apart,
        "prop": prop,
        "hprop": view.fresh(proof_name(prop)) if prop else "",
        "squares": ", ".join(view.squares),
    }


def _fill(entry: Entry, values: dict[str, str]) -> str:
    """The entry's text; empty when a placeholder has no value here."""
    template = Template(entry.text)
    if any(not values[name] for name in template.get_identifiers()):
        return ""
    return template.substitute(values)
