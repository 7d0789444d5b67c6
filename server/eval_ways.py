"""The ways that `tacit eval prove` compares: one step or search, and which sources are asked. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from tacit.server.errors import BadInput

FIXED = "portfolio"
"""The source of the fixed list of tactics."""
MORE = ("premises", "memory", "model")
"""The sources that know more than the goal and the file's text, in the order in which they are added."""


@dataclass(frozen=True, slots=True)
class Way:
    """`sources` are the names of those that are asked, None for all."""

    name: str
    told: str
    search: bool
    sources: frozenset[str] | None = None


def ways(plain: frozenset[str]) -> dict[str, Way]:
    """All ways by name; `plain` are the names of the sources that need no index, no memory and no model."""
    named = [
        Way("fixed", "one step: the fixed list of tactics alone", search=False, sources=frozenset((FIXED,))),
        Way("portfolio", "one step: every source that needs no index, no memory, no model", False, plain),
        Way("one", "one step: every source", False),
        Way("search", "search: the sources of `portfolio`", True, plain),
        *(
            Way(f"+{each}", f"search: those and {' and '.join(MORE[: at + 1])}", True, plain.union(MORE[: at + 1]))
            for at, each in enumerate(MORE[:-1])
        ),
        Way(f"+{MORE[-1]}", "search: every source", True),
    ]
    return {each.name: each for each in named}


def chosen(text: str, plain: frozenset[str]) -> tuple[Way, ...]:
    """The ways that a list names: `portfolio,search,+premises`; `all` for each. Raises BadInput."""
    known = ways(plain)
    names = list(known) if text == "all" else [each.strip() for each in text.split(",")]
    for name in names:
        if name not in known:
            raise BadInput(f"{name or 'An empty word'} is no way to prove.", hint=f"There are {', '.join(known)}; all.")
    return tuple(known[name] for name in dict.fromkeys(names))
