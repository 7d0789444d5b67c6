"""Which tactics an environment has: for every name that a source asks for, a sample that parses only there.

Only parsing counts: the names in a sample need not exist, so an error in elaboration still means "known". A name
with a space stands for a form that came later than its tactic (`simp +arith`).
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

# The tactics that every Lean 4 has had since 2021. They are probed like the others: a name that is missing costs
# its candidates, a name that is wrongly assumed costs the whole batch.
_CORE = {
    "apply": "apply h",
    "assumption": "assumption",
    "case": "case a => skip",
    "cases": "cases h",
    "cases with": "cases h with\n| inl h => ?_\n| inr h => ?_",
    "constructor": "constructor",
    "contradiction": "contradiction",
    "decide": "decide",
    "delta": "delta f",
    "exact": "exact h",
    "first": "first | skip | skip",
    "funext": "funext x",
    "have": "have h := e",
    "have pattern": "have ⟨x, y⟩ := h",
    "induction": "induction n",
    "induction generalizing": "induction n generalizing m",
    "induction with": "induction n with\n| zero => ?_\n| succ n ih => ?_",
    "infer_instance": "infer_instance",
    "injection": "injection h with h",
    "injections": "injections",
    "intro": "intro h",
    "intros": "intros",
    "refine": "refine f ?_",
    "repeat": "repeat constructor",
    "rfl": "rfl",
    "rw": "rw [h]",
    "simp": "simp",
    "simp_all": "simp_all",
    "specialize": "specialize h x",
    "split": "split",
    "subst": "subst h",
    "trivial": "trivial",
    "try": "try skip",
}

# Later in core, or in Std and Batteries before.
_LATER = {
    "ac_rfl": "ac_rfl",
    "and_intros": "and_intros",
    "apply?": "apply?",
    "bv_omega": "bv_omega",
    "by_cases": "by_cases h : p",
    "congr": "congr",
    "dsimp": "dsimp",
    "exact?": "exact?",
    "exact_mod_cast": "exact_mod_cast h",
    "exfalso": "exfalso",
    "ext": "ext x",
    "fun_induction": "fun_induction f",
    "grind": "grind",
    "grind params": "grind [f]",
    "grind?": "grind?",
    "grobner": "grobner",
    "left": "left",
    "nofun": "nofun",
    "norm_cast": "norm_cast",
    "obtain": "obtain ⟨x, y⟩ := h",
    "omega": "omega",
    "push_cast": "push_cast",
    "rcases": "rcases h with ⟨x, y⟩ | z",
    "right": "right",
    "rintro": "rintro ⟨x, y⟩",
    "rw?": "rw?",
    "rwa": "rwa [h] at h",
    "simp +arith": "simp +arith",
    "simp +decide": "simp +decide",
    "simp?": "simp?",
    "simp_all?": "simp_all?",
    "simp_arith": "simp_arith",
    "simpa": "simpa using h",
    "solve_by_elim": "solve_by_elim",
    "subst_vars": "subst_vars",
    "symm": "symm",
    "try?": "try?",
    "unfold": "unfold f",
}

_MATHLIB = {
    "abel": "abel",
    "aesop": "aesop",
    "aesop?": "aesop?",
    "bound": "bound",
    "by_contra": "by_contra h",
    "by_contra!": "by_contra! h",
    "congr!": "congr!",
    "continuity": "continuity",
    "contrapose!": "contrapose! h",
    "field": "field",
    "field_simp": "field_simp",
    "fin_cases": "fin_cases i",
    "finiteness": "finiteness",
    "fun_prop": "fun_prop",
    "gcongr": "gcongr",
    "group": "group",
    "hint": "hint",
    "interval_cases": "interval_cases n",
    "library_search": "library_search",
    "linarith": "linarith",
    "linear_combination": "linear_combination h",
    "measurability": "measurability",
    "module": "module",
    "nlinarith": "nlinarith [h]",
    "noncomm_ring": "noncomm_ring",
    "norm_num": "norm_num",
    "norm_num args": "norm_num [h] at h",
    "order": "order",
    "positivity": "positivity",
    "push_neg": "push_neg at h",
    "ring": "ring",
    "ring_nf": "ring_nf",
    "split_ands": "split_ands",
    "split_ifs": "split_ifs",
    "subsingleton": "subsingleton",
    "tauto": "tauto",
    "use": "use x",
}

PROBES: Mapping[str, str] = MappingProxyType({**_CORE, **_LATER, **_MATHLIB})


def probe_names() -> Mapping[str, str]:
    """Every name that a source may ask for in `SourceRequest.known`, with the text to parse."""
    return PROBES


# Tactics of Mathlib that no source asks for by name; without a single one that is probed, these are missing too.
_BESIDE = frozenset(
    """abel_nf aesop_cat algebraize apply_fun bicategory borelize cancel_denoms cases' cat_disch choose
    choose! coherence compute_degree congrm convert convert! convert_to fconstructor filter_upwards gcongr?
    grw induction' inhabit lift linarith! linear_combination' match_scalars measurability? monicity mono nlinarith!
    nontriviality norm_num1 nth_rewrite nth_rw observe peel pnat_positivity qify ring1 ring1_nf ring_nf!
    rify rsuffices set simp_intro slice_lhs slice_rhs slim_check tfae_finish tfae_have transitivity trans unfold_let
    use! wlog zify""".split()
)
_PARTS = re.compile(r"<;>|;|\n|\bby\s")
_HEAD = re.compile(r"[^\W\d][\w'!?]*")


@lru_cache(maxsize=4096)
def required(tactic: str) -> frozenset[str]:
    """The probed names that a tactic text needs, those behind `<;>` and `by` included.

    >>> sorted(required("cases h <;> simp +arith"))
    ['cases', 'simp +arith']
    """
    names: set[str] = set()
    for part in _PARTS.split(tactic):
        part = part.strip().lstrip("(· ")
        head = _HEAD.match(part)
        if head:
            names.update(forms(head[0], part))
    return frozenset(names)


def lacks(heads: Iterable[tuple[str, str]], known: Container[str]) -> bool:
    """Whether any tactic, given by its first word and its text, is one that this Lean is known to lack.

    What no probe tells of may be there: a user's own, or a newer one.
    """
    mathlib = any(each in known for each in _MATHLIB)
    for head, part in heads:
        if head in _BESIDE and not mathlib:
            return True
        if any(form in PROBES and form not in known for form in forms(head, part)):
            return True
    return False


def forms(head: str, part: str) -> tuple[str, ...]:
    """What a tactic needs that begins with `head` and reads `part`: the head, or the form of it that came later."""
    if head == "have" and "⟨" in part.split(":=")[0]:
        return ("have pattern",)
    if head in {"cases", "induction"} and part.endswith(" with"):
        return (f"{head} with",)
    if head == "induction" and " generalizing " in part:
        return ("induction generalizing",)
    if head == "grind" and "[" in part:
        return ("grind params",)
    if head == "norm_num" and ("[" in part or " at " in part):
        return ("norm_num args",)
    if head == "repeat":
        return ("repeat", *required(part[len(head) :]))
    option = re.match(r"simp (\+\w+)", part)
    return (f"simp {option[1]}",) if option else (head,)
