"""The goal as a source looks at it: what each name is, and names that are still free. Pure; built once a request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from tacit.server.tactics import lexer, matching, shape
from tacit.server.tactics.shape import Shape
from tacit.server.values import Goal

# Types of which printed terms are data, never propositions. Others are told from the context or left open.
_DATA_HEADS = frozenset(
    "Nat ℕ Int ℤ Rat ℚ Real ℝ Complex ℂ Bool Char String List Array Vector Option Fin Set Finset Multiset Prod Sum "
    "Sigma Subtype Unit PUnit UInt8 UInt32 UInt64 USize Float Matrix Polynomial Fintype ZMod ENNReal ℝ≥0 ℝ≥0∞ ℕ∞ "
    "BitVec Substring Empty PEmpty Ordering".split()
)
_ORDERED = frozenset("Nat ℕ Int ℤ Rat ℚ Real ℝ α R K 𝕜 F".split())
SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"
_LOGICAL = frozenset("↔ ∨ ∧ ¬ ∃".split())


@dataclass(frozen=True, slots=True)
class Local:
    """One name of the context that a tactic may mention.

    `proof` says whether it is a proof (of a proposition), False for data and types, None when the text does
    not tell.
    """

    name: str
    type: str
    proof: bool | None
    value: str | None = None

    @property
    def shape(self) -> Shape:
        """The top of its type."""
        return shape.read(self.type)


@dataclass(frozen=True)
class View:
    """A goal, read."""

    goal: Goal

    @cached_property
    def target(self) -> str:
        """The target on one line."""
        return " ".join(self.goal.target.split())

    @cached_property
    def shape(self) -> Shape:
        """The top of the target."""
        return shape.read(self.target)

    @cached_property
    def types(self) -> dict[str, str]:
        """The type of every name, inaccessible ones included; a later name hides an earlier one."""
        return {name: " ".join(h.type.split()) for h in self.goal.hypotheses for name in h.names}

    @cached_property
    def locals(self) -> tuple[Local, ...]:
        """The names that a tactic may mention, in the order of the context."""
        names: dict[str, Local] = {}
        for hypothesis in self.goal.hypotheses:
            text = " ".join(hypothesis.type.split())
            for name in hypothesis.accessible:
                # A name that is not an identifier (`this✝`, an anonymous `: p`) cannot be mentioned.
                if lexer.is_identifier(name):
                    names.pop(name, None)
                    names[name] = Local(name, text, self.is_proposition(text), hypothesis.value)
        return tuple(names.values())

    @cached_property
    def proofs(self) -> tuple[Local, ...]:
        """The names that are, or may be, proofs: no type or statement speaks of a proof."""
        spoken_of = self.words.union(*(lexer.identifiers(text) for text in self.types.values()))
        return tuple(
            x for x in self.locals if x.proof or (x.proof is None and not _is_sort(x.type) and x.name not in spoken_of)
        )

    @cached_property
    def data(self) -> tuple[Local, ...]:
        """The names that are, or may be, elements of a type: not proofs, not types, not functions."""
        return tuple(
            x
            for x in self.locals
            if not x.proof and not _is_sort(x.type) and x.shape.op not in {"→", "∀"} and not x.name.startswith("inst")
        )

    @cached_property
    def words(self) -> frozenset[str]:
        """Every identifier of the target."""
        return lexer.identifiers(self.target)

    @cached_property
    def everything(self) -> str:
        """The types of the context and the target, for predicates that look for a symbol."""
        return "\n".join([*self.types.values(), self.target])

    def is_proposition(self, text: str) -> bool | None:
        """Whether a printed type is a proposition, as far as its text and the context tell."""
        read = shape.read(text)
        if read.op in _LOGICAL or read.op in shape.RELATIONS:
            return True
        if read.op in {"→", "∀"}:
            return self.is_proposition(shape.telescope(text)[1])
        words = lexer.tokens(read.left)
        head = words[0].text if words else ""
        if head in {"True", "False"}:
            return True
        if head in _DATA_HEADS or _is_sort(text):
            return False
        if len(words) == 1 and head not in self.types and len(head) == 1 and head in "αβγδσι":
            return False
        of_head = self.types.get(head)
        if of_head is not None:
            result = shape.telescope(of_head)[1]
            return result == "Prop" if _is_sort(result) else None
        return True if "Prop" in {word.text for word in words} and head == "Nonempty" else None

    @cached_property
    def equates_functions(self) -> bool:
        """Whether the target is an equation between functions, as far as the text tells."""
        if self.shape.op != "=":
            return False
        sides = [lexer.tokens(self.shape.left), lexer.tokens(self.shape.right)]
        heads = [words[0].text for words in sides if words]
        if any(head in {"fun", "λ"} for head in heads) or any(word.text == "∘" for words in sides for word in words):
            return True
        alone = [words[0].text for words in sides if len(words) == 1]
        return any(shape.read(self.types.get(name, "")).op in {"→", "∀"} for name in alone)

    @cached_property
    def loops(self) -> bool:
        """Whether the target would rewrite its own right side for ever, as an induction hypothesis in `simp_all` does.

        Seen on a Lean of 2021 with `succ n = n + succ zero`; an equation that only reorders is safe.
        """
        left, right = self.shape.left, self.shape.right
        reorders = sorted(word.text for word in lexer.tokens(left)) == sorted(word.text for word in lexer.tokens(right))
        variables = frozenset(x.name for x in self.data)
        return self.shape.op == "=" and not reorders and matching.occurs(left, right, variables)

    @cached_property
    def split_on(self) -> str | None:
        """A proposition worth a case distinction: an atom `p : Prop` of the target or the context."""
        atoms = [x.name for x in self.locals if x.type == "Prop"]
        in_target = [name for name in atoms if name in self.words]
        return next(iter([*in_target, *atoms]), None)

    @cached_property
    def squares(self) -> tuple[str, ...]:
        """Squares that are never negative, for nonlinear goals: of differences and of variables; at most four."""
        numbers = [x.name for x in self.data if x.name in self.words and x.type in _ORDERED]
        pairs = [f"sq_nonneg ({a} - {b})" for at, a in enumerate(numbers) for b in numbers[at + 1 :]]
        return tuple([*pairs, *(f"sq_nonneg {a}" for a in numbers)][:4])

    def relevance(self, local: Local) -> float:
        """How much of a hypothesis' type the target mentions, in [0, 1]."""
        own = lexer.identifiers(local.type)
        return len(own & self.words) / len(own) if own else 0.0

    def fresh(self, base: str, taken: Iterable[str] = ()) -> str:
        """`base`, or `base₁`, `base₂`, … when a name of the context, a word of the goal or `taken` has it."""
        return fresh(base, {*self.types, *self.words, *taken})


def fresh(base: str, taken: Iterable[str]) -> str:
    """`base`, or the first of `base₁`, `base₂`, … that is not taken."""
    used = set(taken)
    stem = base.rstrip(SUBSCRIPTS) or "x"
    name, number = base, 0
    while name in used:
        number += 1
        name = stem + "".join(SUBSCRIPTS[int(digit)] for digit in str(number))
    return name


def _is_sort(text: str) -> bool:
    return text == "Prop" or text.split(" ", 1)[0] in {"Type", "Sort", "Type*", "Sort*"}
