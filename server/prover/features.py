"""The shape of a state as numbers, read off what Lean prints: for judging how likely it is to be proved. Pure.

Numbers alone: no name of a goal goes into them, so what is learned from them says nothing of anybody's theorems.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tacit.server.prover.state import State
from tacit.server.tactics import lexer, shape
from tacit.server.tactics.lexer import Token
from tacit.server.tactics.view import View

KINDS = ("=", "order", "∈", "∣", "↔", "∧", "∨", "∃", "¬", "False", "True", "function", "atom")
"""What a goal says, behind what it binds and assumes."""
_KIND = {"≠": "¬", "∉": "¬", "⊆": "∈", "⊂": "∈", "==": "=", "!=": "="} | dict.fromkeys("≤ < ≥ >".split(), "order")
_OPERATIONS = frozenset("+ * - / ^ % • ⁻¹".split())
_NUMBERS = frozenset("Nat ℕ Int ℤ Fin Rat ℚ Real ℝ UInt8 UInt16 UInt32 UInt64 USize".split())
_CASES = frozenset({"match", "if"})
_SORTS = frozenset({"Prop", "Type", "Sort", "Type*", "Sort*"})
_INNER = frozenset("fun λ ∑ ∏ ⋃ ⋂ ⨆ ⨅ ∫ let have".split())


def kind_of(text: str) -> str:
    """What a type says behind what it binds and assumes: one of `KINDS`."""
    conclusion = shape.telescope(text)[1]
    op = shape.read(conclusion).op
    if op:
        kind = _KIND.get(op, op)
        return kind if kind in KINDS else "atom"
    if conclusion in ("False", "True"):
        return conclusion
    return "atom"


def features(state: State) -> dict[str, float]:
    """The numbers of a state that are not 0, most of them in [0, 2]; of several goals those of the first."""
    found = defaultdict[str, float](float, one=1.0)
    goal = state.goals[0]
    view = View(goal)
    words = lexer.tokens(view.target)
    found["size"] = state.size
    found["long"] = _log(max(0, len(words) - 30))
    found["words"] = _log(len(words))
    found["brackets"] = _log(_depth(words))
    binders, conclusion = shape.telescope(view.target)
    found["binders"] = _log(len(binders))
    found[f"says {kind_of(view.target)}"] = 1.0
    _sides(found, conclusion)
    _words(found, view, words)
    _facts(found, view)
    unknowns = sum(each.has_metavariables for each in state.goals)
    found["unknown"] = _log(unknowns)
    found["goals"] = _log(len(state.goals) - 1)
    return {name: number for name, number in found.items() if number}


def _sides(found: defaultdict[str, float], conclusion: str) -> None:
    """How alike the two sides of a relation are."""
    read = shape.read(conclusion)
    if read.op not in shape.RELATIONS and read.op != "↔":
        return
    left, right = (lexer.strip_parentheses(lexer.tokens(side)) for side in (read.left, read.right))
    if not left or not right:
        return
    counts = [Counter(word.text for word in side) for side in (left, right)]
    common = (counts[0] & counts[1]).total()
    found["balance"] = min(len(left), len(right)) / max(len(left), len(right))
    found["shared"] = common / max(len(left), len(right))
    found["reordered"] = float(counts[0] == counts[1])
    found["short side"] = float(min(len(left), len(right)) == 1)
    found["same ends"] = (left[0].text == right[0].text) / 2 + (left[-1].text == right[-1].text) / 2


def _words(found: defaultdict[str, float], view: View, words: Sequence[Token]) -> None:
    """What stands in the target."""
    texts = [word.text for word in words]
    names = {text for text in texts if lexer.is_identifier(text)}
    local = names & view.types.keys()
    found["constants"] = _log(len(names - local))
    found["variables"] = _log(len(local))
    found["ground"] = float(not local)
    found["numerals"] = _log(sum(text.isdigit() for text in texts))
    found["operations"] = _log(sum(text in _OPERATIONS for text in texts))
    found["successor"] = float("+ 1" in view.target or "succ" in view.target)
    found["cases"] = float(not _CASES.isdisjoint(texts))
    found["inner"] = float(not _INNER.isdisjoint(texts))
    found["casts"] = float("↑" in texts)


def _facts(found: defaultdict[str, float], view: View) -> None:
    """What the context gives, and how much of the target it speaks of."""
    facts = list(_proved(view))
    data = view.data
    found["facts"] = _log(len(facts))
    found["no facts"] = float(not facts)
    found["data"] = _log(len(data))
    found["propositional"] = float(any(local.type == "Prop" for local in data))
    found["numbers"] = float(any(local.type in _NUMBERS for local in data))
    hypotheses = view.goal.hypotheses
    found["instances"] = _log(sum(name.startswith("inst") for each in hypotheses for name in each.names))
    found["hidden"] = _log(sum(len(each.names) - len(each.accessible) for each in hypotheses))
    found["functions"] = _log(sum(local.shape.op in ("→", "∀") for local in view.locals if local.proof is False))
    target = lexer.canonical(view.target)
    head = _head(shape.telescope(view.target)[1])
    spoken: set[str] = set()
    for fact in facts:
        op = shape.read(fact).op
        op = "∀" if op == "→" else "¬" if op == "≠" else _KIND.get(op, op)
        if op or fact == "False":
            found[f"fact {op or fact}"] = 1.0
        found["given"] = max(found["given"], float(lexer.canonical(fact) == target))
        found["same head"] = max(found["same head"], float(_head(shape.telescope(fact)[1]) == head))
        own = lexer.identifiers(fact)
        spoken |= own
        found["nearest"] = max(found["nearest"], len(own & view.words) / max(1, len(own | view.words)))
    found["spoken of"] = len(spoken & view.words) / max(1, len(view.words))


def _proved(view: View) -> Iterator[str]:
    """What the context proves, as far as the text tells: propositions whose proof no statement speaks of.

    Those without a name that can be written count: `assumption` and `simp_all` use them.
    """
    spoken_of = view.words.union(*(lexer.identifiers(text) for text in view.types.values()))
    for each in view.goal.hypotheses:
        text = " ".join(each.type.split())
        known = view.is_proposition(text)
        for name in each.names:
            free = known is None and name not in spoken_of and text.split(" ", 1)[0] not in _SORTS
            if known or (free and not name.startswith("inst")):
                yield text


def _head(text: str) -> str:
    """The relation at the top, else the name in front."""
    op = shape.read(text).op
    return op or lexer.head(text)


def _depth(words: Sequence[Token]) -> int:
    depth = deepest = 0
    for word in words:
        if word.text in lexer.CLOSED_BY:
            depth -= 1
        elif len(word.text) == 1 and word.text in lexer.OPEN:
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def _log(count: int) -> float:
    return math.log2(1 + count) / 2
