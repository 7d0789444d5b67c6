"""The portfolio as data: one line a tactic, with the goals it is for. Nothing else.

`$names` stands for fresh names for everything `intro` can introduce, `$first` for the first of them, `$inductive`
and `$premise` for the first where it is a variable worth an induction, or a proof worth a `cases`; `$h` and `$x` for
a fresh proof and variable, `$pattern` for the first premise taken apart, `$prop` and `$hprop` for a proposition to
split on and a name for its proof, `$squares` for squares that are never negative.

Not here on purpose: `polyrith` (asks a server), `native_decide` and `bv_decide` (add axioms), and `simp` with
commutativity lemmas (on a Lean of 2021 it ran forever on two of 162 goals).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from tacit.server.tactics import lexer, shape
from tacit.server.tactics.probes import required
from tacit.server.tactics.view import View

When = Callable[[View], bool]


class Tier(IntEnum):
    """In which order entries are tried: quick closers, steps, slow closers, queries."""

    CLOSE = 0
    STEP = 1
    SLOW = 2
    QUERY = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One tactic of the portfolio.

    `prior` is how often it helps on the goals that `when` admits, `unless` names what makes it pointless where that
    is known (and works: not on the oldest Leans), `imports` is a module prefix it needs.
    """

    text: str
    prior: float
    when: When | None = None
    unless: tuple[str, ...] = ()
    imports: str = ""
    tier: Tier = Tier.CLOSE

    @property
    def needs(self) -> frozenset[str]:
        """The names it asks of the environment."""
        return required(self.text)

    @property
    def query(self) -> bool:
        """Whether it is run for what it prints."""
        return self.tier is Tier.QUERY


def target(*ops: str) -> When:
    """The target's main operator is one of these; an empty one stands for anything unread."""
    return lambda view: view.shape.op in ops


def concludes(*ops: str) -> When:
    """The target ends in one of these below its binders and premises."""
    return lambda view: shape.read(shape.telescope(view.target)[1]).op in ops


def inside(*symbols: str) -> When:
    """One of these words occurs in the target."""
    wanted = frozenset(symbols)
    return lambda view: any(word.text in wanted for word in lexer.tokens(view.target))


def anywhere(*symbols: str) -> When:
    """One of these words occurs in the target or the context."""
    wanted = frozenset(symbols)
    return lambda view: any(word.text in wanted for word in lexer.tokens(view.everything))


def both(*conditions: When) -> When:
    """All of these hold."""
    return lambda view: all(condition(view) for condition in conditions)


def is_false(view: View) -> bool:
    """Only a contradiction in the context can help."""
    return view.target == "False"


def functions(view: View) -> bool:
    """An equation between functions, to be shown at every argument."""
    return view.equates_functions


def extensional(view: View) -> bool:
    """An equation between functions or sets."""
    return view.equates_functions or (view.shape.op == "=" and _sets(view))


def has_propositions(view: View) -> bool:
    """A proposition of the context is there to be split on."""
    return view.split_on is not None


def several(view: View) -> bool:
    """More than one variable is bound at the top."""
    return len(view.shape.binders) > 1


ORDER = ("≤", "<", "≥", ">")
ARITHMETIC = ("=", "≠", "¬", *ORDER, "∣")
_compares = anywhere("=", "≠", *ORDER)
_order = anywhere(*ORDER)
_logic = anywhere("∧", "∨", "↔", "→", "¬", "∃", "∀", "True", "False")
_sets = inside("∪", "∩", "∅", "⋃", "⋂", "\\", "⁻¹'", "''")
_casts = anywhere("↑", "Nat.cast", "Int.cast", "Int.ofNat")
_branches = inside("if", "match")
_introduces = target("→", "∀", "¬", "≠", "⊆")
_analysis = inside("Continuous", "ContinuousAt", "ContinuousOn", "Differentiable", "DifferentiableAt", "Measurable",
                   "AEMeasurable", "ContDiff", "Integrable")  # fmt: skip

_CLOSERS = (
    Entry("grind", 0.95),
    Entry("omega", 0.93),
    Entry("simp_all", 0.85),
    Entry("simp", 0.84),
    Entry("rfl", 0.8, target("=", "↔", "", *ORDER, "∣", "≈", "≃", "⊆")),
    Entry("assumption", 0.78),
    Entry("ring", 0.77, target("=", "≠")),
    Entry("norm_num", 0.76),
    Entry("linarith", 0.74, _compares),
    Entry("positivity", 0.75, both(target(*ORDER, "≠"), inside("0"))),
    Entry("fun_prop", 0.8, _analysis),
    Entry("decide", 0.7),
    Entry("contradiction", 0.68),
    Entry("trivial", 0.6),
    Entry("tauto", 0.66, _logic),
    Entry("simp_arith", 0.65, _compares, unless=("omega", "simp +arith")),
    Entry("simp +arith", 0.4, _compares),
    Entry("gcongr", 0.55, target(*ORDER, "⊆")),
    Entry("order", 0.5, both(_order, target("=", "≠", "¬", "", *ORDER))),
    Entry("field", 0.55, both(target("="), inside("/", "⁻¹", "⁻"))),
    Entry("abel", 0.45, both(target("="), inside("+", "-", "•"))),
    Entry("group", 0.45, both(target("="), inside("⁻¹", "⁻"))),
    Entry("ac_rfl", 0.5, both(target("="), inside("+", "*", "∧", "∨", "++", "max", "min", "∪", "∩"))),
    Entry("grobner", 0.4, both(_compares, inside("*", "^"))),
    Entry("norm_cast", 0.5, _casts),
    Entry("bv_omega", 0.6, anywhere("BitVec")),
    Entry("simp +decide", 0.35),
    Entry("bound", 0.4, target(*ORDER)),
    Entry("nofun", 0.45, _introduces),
    Entry("infer_instance", 0.35, target("")),
    Entry("subsingleton", 0.3, target("=")),
    Entry("solve_by_elim", 0.45),
    Entry("simp [*]", 0.5),
    # Steps of two, where the second closes what the first opens.
    Entry("intro $names <;> simp_all", 0.64, _introduces),
    Entry("intro $names <;> assumption", 0.4, _introduces),
    Entry("intro $names <;> contradiction", 0.4, _introduces, unless=("nofun",)),
    Entry("intro $names <;> rfl", 0.45, both(target("∀"), concludes("=", "↔", "≤"))),
    Entry("intro $premise <;> cases $premise <;> simp_all", 0.5, _introduces),
    Entry("intro $inductive <;> induction $inductive <;> simp_all", 0.5, target("∀")),
    Entry("intro $inductive <;> induction $inductive <;> grind", 0.55, target("∀")),
    Entry("intro $premise <;> cases $premise", 0.4, target("¬", "≠"), unless=("nofun",)),
    Entry("constructor <;> simp_all", 0.63, target("∧", "↔")),
    Entry("constructor <;> assumption", 0.5, target("∧")),
    Entry("constructor <;> rfl", 0.4, target("∧")),
    Entry("constructor <;> omega", 0.4, target("∧", "↔")),
    Entry("constructor <;> grind", 0.45, target("∧", "↔")),
    Entry("constructor <;> intro $h <;> simp_all", 0.6, target("↔")),
    Entry("constructor <;> intro $h <;> cases $h <;> simp_all", 0.55,
          target("↔")),
    Entry("exact ⟨_, rfl⟩", 0.55, target("∃")),
    Entry("exact ⟨_, 0, rfl⟩", 0.3, both(target("∃"), several)),
    Entry("exact ⟨_, _, rfl⟩", 0.4, both(target("∃"), several)),
    Entry("exact ⟨0, by simp⟩", 0.35, target("∃")),
    Entry("exact ⟨1, by simp⟩", 0.25, target("∃")),
    Entry("exact Or.inl rfl", 0.4, both(target("∨"), inside("=", "↔"))),
    Entry("exact Or.inr rfl", 0.4, both(target("∨"), inside("=", "↔"))),
    Entry("exact Classical.em _", 0.4, both(target("∨"), inside("¬"))),
    Entry("repeat (first | assumption | constructor)", 0.28, target("", "∧", "∃")),
    Entry("repeat constructor", 0.3, target("", "∧", "∃")),
    Entry("split <;> simp_all", 0.62, _branches),
    Entry("split <;> rfl", 0.5, _branches),
    Entry("split <;> omega", 0.5, _branches),
    Entry("cases Classical.em $prop <;> simp_all", 0.6, has_propositions,
          unless=("grind", "tauto")),
    Entry("by_cases $hprop : $prop <;> simp_all", 0.5, has_propositions),
    Entry("by_cases $hprop : $prop <;> grind", 0.4, has_propositions),
    Entry("funext $x <;> rfl", 0.4, functions),
    Entry("funext $x <;> simp_all", 0.55, functions),
    Entry("ext $x <;> simp", 0.5, extensional),
    Entry("ext $x <;> grind", 0.45, extensional),
    # Naturals where no decision procedure is at hand.
    Entry("exact Nat.zero_le _", 0.5, target("≤"), unless=("omega",)),
    Entry("exact Nat.le_refl _", 0.4, target("≤"), unless=("omega",)),
    Entry("exact Nat.le_succ _", 0.35, target("≤"), unless=("omega",)),
    Entry("exact Nat.le_add_right _ _", 0.35, target("≤"), unless=("omega",)),
    Entry("exact Nat.le_add_left _ _", 0.35, target("≤"), unless=("omega",)),
    Entry("exact Nat.zero_lt_succ _", 0.4, target("<", ">"), unless=("omega",)),
    Entry("exact Nat.lt_succ_self _", 0.35, target("<"), unless=("omega",)),
    Entry("apply Nat.le_of_lt <;> assumption", 0.4, target("≤"), unless=("omega",)),
    Entry("exact Nat.add_comm _ _", 0.4, both(target("="), inside("+")), unless=("omega",)),
    Entry("exact Nat.add_assoc _ _ _", 0.3, both(target("="), inside("+")), unless=("omega",)),
    Entry("exact Nat.mul_comm _ _", 0.4, both(target("="), inside("*")), unless=("grind",)),
    Entry("exact Nat.add_right_comm _ _ _", 0.3, both(target("="), inside("+")), unless=("omega",)),
    Entry("exact Nat.mul_add _ _ _", 0.25, both(target("="), inside("*")), unless=("grind",)),
    Entry("exact Nat.le_total _ _", 0.3, both(target("∨"), inside("≤", "≥")), unless=("omega",)),
    Entry("exact Nat.eq_zero_or_pos _", 0.3, both(target("∨"), inside("0")), unless=("omega",)),
    Entry("apply Nat.le_antisymm <;> assumption", 0.35, both(target("="), _order), unless=("omega",)),
    Entry("simp [Nat.add_assoc]", 0.3, both(target("="), inside("+")), unless=("omega",)),
    Entry("simp [Nat.mul_assoc]", 0.3, both(target("="), inside("*")), unless=("grind",)),
    Entry("rw [Nat.add_comm]", 0.35, inside("+"), unless=("omega",)),
    Entry("rw [Nat.mul_comm]", 0.3, inside("*"), unless=("grind",)),
    Entry("exact le_rfl", 0.35, target("≤", "≥"), imports="Mathlib"),
)  # fmt: skip


def _steps() -> tuple[Entry, ...]:
    lines: tuple[tuple[str, float, When | None, tuple[str, ...], str], ...] = (
        ("intro $names", 0.7, _introduces, (), ""),
        ("intro $first", 0.6, _introduces, (), ""),
        ("intros", 0.3, target("→", "∀"), (), ""),
        ("rintro $pattern", 0.6, target("→", "¬"), (), ""),
        ("constructor", 0.6, target("∧", "↔"), (), ""),
        ("refine ⟨?_, ?_⟩", 0.5, target("∧"), (), ""),
        ("and_intros", 0.3, target("∧"), (), ""),
        ("split_ands", 0.3, target("∧"), ("and_intros",), ""),
        ("left", 0.45, target("∨"), (), ""),
        ("right", 0.45, target("∨"), (), ""),
        ("apply Or.inl", 0.45, target("∨"), ("left",), ""),
        ("apply Or.inr", 0.45, target("∨"), ("right",), ""),
        ("refine ⟨_, ?_⟩", 0.3, target("∃"), (), ""),
        ("constructor", 0.3, target("∃", ""), (), ""),
        ("split", 0.55, _branches, (), ""),
        ("split_ifs", 0.5, inside("if"), (), ""),
        ("push_neg", 0.5, inside("¬"), (), ""),
        ("push_cast", 0.4, _casts, (), ""),
        ("simp only [Set.mem_setOf_eq]", 0.3, inside("{", "∈"), (), "Mathlib"),
        ("by_cases $hprop : $prop", 0.3, has_propositions, (), ""),
        ("cases Classical.em $prop with\n| inl $hprop => ?_\n| inr $hprop => ?_", 0.25,
         has_propositions, ("by_cases",), ""),
        ("by_contra $h", 0.25, target("", "∨", "∃", "=", *ORDER), (), ""),
        ("by_contra! $h", 0.3, target("", "∨", "∃", "=", *ORDER), (), ""),
        ("apply Classical.byContradiction\nintro $h", 0.15, target("", "∨", "∃"), ("by_contra",), ""),
        ("ext $x", 0.4, extensional, (), ""),
        ("funext $x", 0.45, functions, (), ""),
        ("congr", 0.25, target("="), (), ""),
        ("congr!", 0.25, target("=", "↔"), (), ""),
        ("symm", 0.12, target("=", "↔"), (), ""),
        ("apply Eq.symm", 0.12, target("="), ("symm",), ""),
        ("apply propext", 0.15, both(target("="), inside("∧", "∨", "¬", "↔", "→", "True", "False")), (), ""),
        ("apply le_antisymm", 0.2, target("="), (), "Mathlib"),
        ("apply Set.Subset.antisymm", 0.25, both(target("="), inside("∪", "∩", "∅", "{")), (), "Mathlib"),
        ("apply Finset.sum_congr rfl", 0.35, both(target("="), inside("∑")), (), "Mathlib"),
        ("apply Nat.le_antisymm", 0.12, both(target("="), _order), (), ""),
        ("exfalso", 0.15, lambda view: not is_false(view), (), ""),
        ("apply False.elim", 0.12, lambda view: not is_false(view), ("exfalso",), ""),
        ("subst_vars", 0.15, anywhere("="), (), ""),
        ("injections", 0.1, anywhere("=", "some", "succ"), (), ""),
        ("ring_nf", 0.3, target("=", *ORDER), (), ""),
        ("field_simp", 0.4, inside("/", "⁻¹", "⁻"), (), ""),
        ("dsimp only", 0.15, inside("fun", "let", "have", ".1", ".2"), (), ""),
    )  # fmt: skip
    return tuple(Entry(text, prior, when, unless, imports, Tier.STEP) for text, prior, when, unless, imports in lines)


_SLOW = (
    Entry("aesop", 0.6, tier=Tier.SLOW),
    Entry("nlinarith", 0.5, _order, tier=Tier.SLOW),
    Entry("nlinarith [$squares]", 0.5, both(_order, lambda view: bool(view.squares)), tier=Tier.SLOW),
    Entry("field_simp <;> ring", 0.5, both(target("="), inside("/", "⁻¹", "⁻")), tier=Tier.SLOW),
    Entry("norm_num <;> linarith", 0.3, _order, tier=Tier.SLOW),
    Entry("push_cast <;> ring", 0.4, both(target("="), _casts), tier=Tier.SLOW),
    Entry("module", 0.4, both(target("="), inside("•")), tier=Tier.SLOW),
    Entry("noncomm_ring", 0.25, both(target("="), inside("*")), tier=Tier.SLOW),
    Entry("continuity", 0.4, _analysis, tier=Tier.SLOW),
    Entry("measurability", 0.4, _analysis, tier=Tier.SLOW),
    Entry("finiteness", 0.4, inside("∞", "⊤"), tier=Tier.SLOW),
)

_QUERIES = tuple(
    Entry(text, prior, unless=unless, tier=Tier.QUERY)
    for text, prior, unless in (
        ("exact?", 0.7, ()),
        ("library_search", 0.6, ("exact?",)),
        ("try?", 0.5, ()),
        ("hint", 0.4, ()),
        ("apply?", 0.35, ()),
        ("rw?", 0.25, ()),
        ("aesop?", 0.2, ()),
        ("simp?", 0.2, ()),
        ("simp_all?", 0.15, ()),
        ("grind?", 0.1, ()),
    )
)

ENTRIES: tuple[Entry, ...] = (*_CLOSERS, *_steps(), *_SLOW, *_QUERIES)
