"""Files made to fool the checker, or only odd ones: in none may what is false be said to close.

Each file ends with a goal that is false, or does not follow. What is tried on it is the same for all, and what the
file itself offers. The controls at the end have true goals in files like these: they must still close.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tacit.server.errors import NoGoal
from tests.lean.conftest import Bench

pytestmark = [pytest.mark.lean, pytest.mark.asyncio(loop_scope="module")]

GOAL = "theorem self : 1 = 2 := by\n  sorry‸\n"
FINISH = 'macro "finish" : tactic => `(tactic| sorry)\n'
CHEAT = "axiom cheat : 1 = 2\n"

# Tried on every file; those that a file does not know fail there.
COMMON = (
    "finish", "(finish)", "exact by finish", "have h : 1 = 2 := by finish\nexact h", "exact cheat",
    "exact cheat ▸ rfl", "simp [cheat]", "simp", "simp_all", "cases cheat", "exact absurd cheat (by decide)",
    "exact default", "infer_instance", "exact auto", "exact trivial", "exact 0", "decide", "rfl", "assumption",
    "contradiction", "trivial", "skip", "done", "shout", "exact T", "exact T _", "exact loop 0", "exact c",
    "exact propext", "constructor", "exact (let rec f (n : Nat) : 1 = 2 := f n; f 0)", "calc 1 = 2 := cheat",
    "injection cheat with h; injection h",
)  # fmt: skip

# The same in many guises, on a file that has them all.
GUISES = (
    "try finish", "focus finish", "unhygienic finish", "first | finish | skip", "skip; finish",
    "exact (by finish : _)", "exact id (by finish)", "show 1 = 2; finish", "case _ => finish", "next => finish",
    "all_goals finish", "finish; done", "· finish", "rw [cheat]", "simp at *", "exact nomatch cheat",
    "exact inferInstance", "exact @cheat", "exact (trivial : True)", "exact ()", "exact this",
    "exact of_decide_eq_true rfl", "exact rfl", "intro", "exact auto _", "exact (let rec f : 1 = 2 := f; f)",
    "let rec f : 1 = 2 := f\nexact f", "exact ((fun x => x) : 1 = 2 → 1 = 2) cheat", "exact (fun h => h) cheat",
    "exact (by assumption)", "exact Quot.sound", "exact Classical.choice", "apply T", "revert_all",
    "refine ?_; finish", "refine (by finish)", "apply (by finish)", "exact show 1 = 2 by finish",
    "exact show 1 = 2 from cheat", "suffices h : 1 = 2 by exact h\nfinish", "have := cheat; assumption",
    "let x := cheat; exact x", "generalize 1 = x; finish", "exact have h := cheat; h", "exact let h := cheat; h",
    "exact (cheat : _)", "exact Eq.trans cheat rfl", "exact cheat.symm.symm", "exact (Eq.symm (Eq.symm cheat))",
    "exact congrArg id cheat", "exact if h : 1 = 2 then h else cheat", "exact match cheat with | h => h",
    "repeat finish", "any_goals finish", "first | exact rfl | finish", "finish <;> skip", "(skip; (finish))",
    "exact by (first | finish)", "exact by exact by exact by finish", "exact " + "(" * 300 + "cheat" + ")" * 300,
    "exact " + "id (" * 60 + "cheat" + ")" * 60, "exact " + "x" * 3900, "skip; " * 300 + "finish",
    "exact cheat" + " " * 3000, "exact\n  cheat", "exact\n\n\n cheat",
)  # fmt: skip


@dataclass(frozen=True)
class File:
    """A file's text, what else to try on it, and how Tacit answers where it takes no such file (part of a sentence)."""

    text: str
    tactics: tuple[str, ...] = ()
    refused: str = ""


def _rules(*rules: str, goal: str = GOAL) -> File:
    return File(FINISH + CHEAT + "".join(f"macro_rules | {rule}\n" for rule in rules) + goal)


FILES = {
    "all that is hostile in many guises": File(FINISH + CHEAT + GOAL, GUISES),
    # ------------------------------------------------- syntax that the checker's own texts are made of
    "exact means sorry": _rules("`(tactic| exact $e) => `(tactic| sorry)"),
    "refine means sorry": _rules("`(tactic| refine $e) => `(tactic| sorry)"),
    "parentheses mean sorry": _rules("`(tactic| ($s:tacticSeq)) => `(tactic| sorry)"),
    "a bullet means sorry": _rules("`(tactic| · $s:tacticSeq) => `(tactic| sorry)"),
    "trace_state means skip": _rules("`(tactic| trace_state) => `(tactic| skip)"),
    "trace_state means sorry and trace_state": _rules("`(tactic| trace_state) => `(tactic| (sorry; trace_state))"),
    "all_goals means skip": _rules("`(tactic| all_goals $s) => `(tactic| skip)"),
    "all_goals means trace_state": _rules("`(tactic| all_goals $s) => `(tactic| (sorry; trace_state))"),
    "try means sorry": _rules("`(tactic| try $s) => `(tactic| sorry)"),
    "sorry means skip": _rules("`(tactic| sorry) => `(tactic| skip)"),
    "sorry means an axiom": _rules("`(tactic| sorry) => `(tactic| exact cheat)"),
    "sorry as a term means an axiom": _rules("`(sorry) => `(cheat)"),
    "skip means sorry": _rules("`(tactic| skip) => `(tactic| sorry)"),
    "rfl means sorry": _rules("`(tactic| rfl) => `(tactic| sorry)"),
    "fun means sorry": _rules("`(fun $x => $b) => `(sorry)"),
    "axioms are those of another": _rules("`(#print axioms $x) => `(#print axioms Nat.add_comm)"),
    "axioms are not told": _rules("`(#print axioms $x) => `(section end)"),
    "local rules": File(FINISH + "local macro_rules | `(tactic| exact $e) => `(tactic| sorry)\n" + GOAL),
    "a notation of brackets": File(FINISH + CHEAT + 'notation "(-" x "-)" => x\n' + GOAL, ("exact (- cheat -)",)),
    "a notation that closes": File(FINISH + CHEAT + 'notation "▷" x ")" => x\n' + GOAL, ("exact (▷ cheat )",)),
    "a dot that multiplies": File(FINISH + CHEAT + 'infixl:70 " · " => Nat.mul\n' + GOAL, ("exact cheat · cheat",)),
    "a notation for sorry": File(
        'notation "◇" => sorry\nlocal notation "ѕorry" => sorry\n' + GOAL, ("exact ◇", "exact ѕorry", "exact (◇ : _)")
    ),
    "without hygiene": File(
        FINISH
        + CHEAT
        + 'set_option hygiene false\nmacro "T" : term => `(self)\n'
        + 'macro "loops" : tactic => `(tactic| exact self)\n'
        + GOAL,
        ("loops", "exact T.symm.symm", "exact (T)"),
    ),
    "a theorem that calls itself on itself": File(
        'set_option hygiene false\nmacro "T" n:term:max : term => `(self $n)\n'
        "theorem self (n : Nat) : n < n := by\n  sorry‸\n",
        ("exact T n", "exact T _", "exact T (n)", "cases n with\n| zero => exact T 0\n| succ m => exact T m.succ"),
    ),
    "tactics that take what follows": File(
        FINISH
        + CHEAT
        + 'syntax "ends" (ppSpace tacticSeq)? : tactic\n'
        + "macro_rules | `(tactic| ends) => `(tactic| exact cheat)\n"
        + "macro_rules | `(tactic| ends $s:tacticSeq) => `(tactic| ($s:tacticSeq))\n"
        + "theorem self (p : Prop) (h : p) : 1 = 2 ∧ p := by\n  constructor\n  ‸\n",
        ("ends", "(ends)", "skip; ends"),
    ),
    # ------------------------------------------------- axioms and sorry
    "an axiom with a standard name": File(
        "namespace Foo\naxiom propext : 1 = 2\naxiom Classical.choice : 1 = 2\naxiom Quot.sound : 1 = 2\n" + GOAL,
        ("exact Foo.propext", "exact Foo.Classical.choice", "exact Foo.Quot.sound"),
    ),
    "axioms with the names of several": File(
        "axiom «propext, Classical.choice» : 1 = 2\naxiom «a] does not depend on any axioms» : 1 = 2\n" + GOAL,
        ("exact «propext, Classical.choice»", "exact «a] does not depend on any axioms»"),
    ),
    "a private axiom": File("private axiom cheat : 1 = 2\n" + GOAL),
    "a prelude with axioms of its own": File(
        "prelude\nimport Init.Notation\naxiom propext : (a b : Nat) → Eq a b\n"
        "theorem self : Eq Nat.zero (Nat.succ Nat.zero) := by\n  sorry‸\n",
        ("exact propext _ _", "exact propext Nat.zero (Nat.succ Nat.zero)", "apply propext"),
    ),
    "axioms of Tacit's names": File(
        'macro "finish" : tactic => `(tactic| exact _tacitHole)\n' + GOAL, refused="`_tacitHole`, which Tacit needs"
    ),
    "the example's name": File("axiom tacitExample : 1 = 2\n" + GOAL, refused="`tacitExample`, which Tacit needs"),
    "a default that is sorry": File("theorem auto (h : 1 = 2 := sorry) : 1 = 2 := h\n" + GOAL, ("exact auto",)),
    "an argument by tactic": File(
        FINISH + "theorem auto (h : 1 = 2 := by finish) : 1 = 2 := h\n" + GOAL, ("exact auto (h := by finish)",)
    ),
    "instances": File(
        "instance one : Inhabited (1 = 2) := ⟨sorry⟩\ninstance two : Coe True (1 = 2) := ⟨fun _ => sorry⟩\n"
        "instance three : Decidable (1 = 2) := isTrue sorry\ninstance four : OfNat (1 = 2) 0 := ⟨sorry⟩\n"
        "@[defaultInstance] instance five : Inhabited (1 = 2) := ⟨sorry⟩\n" + GOAL,
        ("exact (trivial : True)", "exact ↑trivial", "exact (0 : 1 = 2)", "exact Inhabited.default", "exact arbitrary"),
    ),
    "a decision of an axiom": File(CHEAT + "instance : Decidable (1 = 2) := isTrue cheat\n" + GOAL, ("decide",)),
    "a simp set of axioms": File(
        "@[simp] axiom bad (n m : Nat) : n = m\naxiom worse : 1 = 2\nattribute [simp] worse\n" + GOAL,
        ("simp only [bad]", "exact bad _ _", "rw [bad]"),
    ),
    "constants": File(
        "instance : Inhabited (1 = 2) := ⟨sorry⟩\nconstant c : 1 = 2\npartial def loop : Nat → 1 = 2 := loop\n" + GOAL
    ),
    "compiled otherwise": File(
        '@[extern "tacit_no"] constant ext : Nat → Bool\ndef one : Nat := 1\n@[implementedBy one] def two : Nat := 2\n'
        'macro "native" : tactic => `(tactic| nativeDecide)\ntheorem self : two = 1 := by\n  sorry‸\n',
        ("native", "nativeDecide", "exact Lean.ofReduceBool _ _ rfl", "unfold two; rfl", "decide"),
    ),
    "unsafe": File(
        "unsafe def c : 1 = 2 := c\nunsafe def self : 1 = 2 := by\n  sorry‸\n", ("exact (c : _)", "exact id c")
    ),
    "beside what is unsafe": File("unsafe def c : 1 = 2 := c\n" + GOAL, ("exact (c : _)", "exact id c")),
    "partial": File("partial def self (n : Nat) : 1 = 2 := by\n  sorry‸\n", ("exact (by assumption)",)),
    # ------------------------------------------------- declarations of more than one part
    "a part that nothing uses": File(
        FINISH + CHEAT + "theorem self : True := sorry where\n  part : 1 = 2 := by\n    sorry‸\n"
    ),
    "a local recursion": File(
        FINISH + CHEAT + "theorem self : True := by\n  let rec part : 1 = 2 := by\n    sorry‸\n  exact sorry\n"
    ),
    "a have that nothing uses": File(
        FINISH + CHEAT + "theorem self : True := by\n  have h : 1 = 2 := by\n    sorry‸\n  exact sorry\n"
    ),
    "an alternative that is not needed": File(
        FINISH + CHEAT + "theorem self : True := by\n  first | exact trivial | (have : 1 = 2 := by sorry‸); trivial\n",
        refused="no goal",
    ),
    "beside others in a mutual block": File(
        FINISH + CHEAT + "mutual\ntheorem other : True := sorry\ntheorem self : 1 = 2 := by\n  sorry‸\nend\n"
    ),
    "an instance of several": File(
        FINISH + CHEAT + "structure Two where\n  one : 1 = 2\n  two : 1 = 2\n\n"
        "instance : Inhabited Two where\n  default := { one := sorry, two := by sorry‸ }\n"
    ),
    # ------------------------------------------------- options
    "everything is printed": File("set_option pp.all true\n" + FINISH + CHEAT + GOAL),
    "nothing but terms is printed": File("set_option pp.notation false\nset_option pp.proofs true\n" + FINISH + GOAL),
    "little is printed": File("set_option format.width 1\nset_option format.indent 0\n" + FINISH + CHEAT + GOAL),
    "Lean tells what it does": File(
        "set_option trace.Elab.definition true\nset_option trace.Meta.Tactic.simp true\n" + FINISH + CHEAT + GOAL
    ),
    "Lean tells all that it does": File("set_option trace.Elab true\n" + FINISH + CHEAT + GOAL, refused="no goal"),
    "little depth": File("set_option maxRecDepth 40\n" + FINISH + CHEAT + GOAL),
    "no binders of their own": File("set_option autoBoundImplicitLocal false\n" + FINISH + CHEAT + GOAL),
    # ------------------------------------------------- text around
    "an unfinished comment below": File(FINISH + CHEAT + GOAL + "\n/- not the end\ntheorem next : True := trivial\n"),
    "an unfinished string below": File(FINISH + CHEAT + GOAL + '\ndef s := "not the end\n'),
    "the end of the file below": File(FINISH + CHEAT + GOAL + "\n#exit\nsection\n"),
    "the end of the file inside": File(FINISH + CHEAT + GOAL + "  #exit\n"),
    "a comment that looks like the end": File(FINISH + CHEAT + "/- /- -/ theorem self : 1 = 1 := rfl -/\n" + GOAL),
    "sections that end nothing": File("namespace A\nsection B\n" + FINISH + CHEAT + "end B\nend A\nopen A\n" + GOAL),
    "errors above": File("theorem broken : 1 = 2 := nope\n" + FINISH + CHEAT + GOAL, ("exact broken",)),
    "the same name above": File(FINISH + "theorem self : 1 = 1 := rfl\n" + GOAL, refused="already been declared"),
    "names of other alphabets": File(
        FINISH + "axiom ѕelf : 1 = 2\naxiom ｓelf : 1 = 2\naxiom sélf : 1 = 2\n" + GOAL, ("exact ѕelf", "exact sélf")
    ),
    "a name in quotes": File(FINISH + CHEAT + "theorem «self .a» : 1 = 2 := by\n  sorry‸\n", ("exact «self .a»",)),
    "a universe": File(
        FINISH + "theorem self.{u} (α : Type u) : Inhabited α → ∀ a b : α, a = b := by\n  sorry‸\n",
        ("intro _ a b; rfl", "intros; rfl", "exact fun _ a b => rfl", "exact fun _ _ _ => Subsingleton.elim _ _"),
    ),
    "an unknown in the statement": File(
        FINISH + "theorem self : ∃ n : Nat, n = n + 1 := by\n  refine ⟨?n, ?h⟩\n  sorry‸\n",
        ("exact 0", "exact _", "exact ?x", "case n => exact 0", "case h => exact rfl", "exact ?h", "rfl"),
    ),
    "an unknown shared by two": File(
        FINISH
        + "theorem self : ∃ n : Nat, n = 1 ∧ n = 2 := by\n  apply Exists.intro\n  constructor\n  sorry‸\n  rfl\n",
        ("exact rfl", "rfl", "exact Eq.refl _", "exact (rfl : 1 = 1)", "all_goals rfl", "refine rfl"),
    ),
}

# A program that runs inside Lean, with all that it may do: it says what the checker listens for, where it listens.
SAYS = """import Lean
open Lean Elab Tactic
axiom cheat : 1 = 2
def marks (source word : String) : List Nat := do
  let mut found := []
  let mut i := 0
  for part in source.splitOn word do
    i := i + part.bsize
    found := i :: found
    i := i + word.bsize
  return found
def sayAt (word what : String) : TacticM Unit := do
  for i in marks (← getFileMap).source word do
    logInfoAt (Syntax.atom (SourceInfo.synthetic i i) word) what
"""
PROGRAMS = {
    "what says that nothing is left": '  sayAt "trace_state" ""\n  sayAt "trace_state" "no goals"\n',
    "what says that there are no axioms": (
        '  sayAt "#print" "\'self\' does not depend on any axioms"\n  sayAt "trace_state" ""\n'
        "  evalTactic (← `(tactic| sorry))\n"
    ),
    "what says which axioms there are": (
        '  sayAt "#print" "\'self\' depends on axioms: [propext]"\n  evalTactic (← `(tactic| exact cheat))\n'
    ),
    "what takes the messages away": (
        "  evalTactic (← `(tactic| sorry))\n  modifyThe Term.State fun s => { s with messages := {} }\n"
    ),
    "what closes goals without a proof": "  setGoals []\n",
    "what takes another goal for it": (
        "  let other ← Meta.mkFreshExprMVar (mkConst ``True)\n  Meta.assignExprMVar (← getMainGoal) other\n"
        "  setGoals []\n"
    ),
    "what is no proof": "  Meta.assignExprMVar (← getMainGoal) (mkConst ``trivial)\n  setGoals []\n",
}
FILES |= {
    name: File(
        f'{SAYS}elab "shout" : tactic => do\n{program}{GOAL}',
        ("shout", "(shout)", "skip; shout", "shout; done", "exact by shout"),
    )
    for name, program in PROGRAMS.items()
}


@pytest.mark.parametrize("name", FILES)
async def test_nothing_false_closes(bench: Bench, name: str) -> None:
    file = FILES[name]
    tactics = tuple(dict.fromkeys((*COMMON, *file.tactics)))
    if file.refused:
        with pytest.raises(NoGoal, match=file.refused):
            await bench.site(file.text)
        return
    found = await bench.check(file.text, *tactics)
    assert {text: (c.axioms, c.message) for text, c in found.items() if c.verdict.value == "closes"} == {}
    assert len(found) == len(tactics)
    # What fails for want of Lean proves nothing about Lean.
    assert sum(c.verdict.value == "fails" for c in found.values()) > len(tactics) / 3


CONTROLS = {
    "macros that are sorry": FINISH + CHEAT,
    "a notation of brackets": 'notation "(-" x "-)" => x\n',
    "an exact of its own": "macro_rules | `(tactic| exact $e) => `(tactic| refine $e)\n",
    "an axiom with a standard name": "namespace Foo\naxiom propext : 1 = 2\nopen Foo\n",
    "everything is printed": "set_option pp.all true\n",
    "little is printed": "set_option format.width 1\nset_option format.indent 0\n",
    "errors above": "theorem broken : 1 = 2 := nope\n",
    "what is unsafe above": "unsafe def c : 1 = 2 := c\n",
}


@pytest.mark.parametrize("name", CONTROLS)
async def test_what_is_true_closes_in_files_like_these(bench: Bench, name: str) -> None:
    goal = "theorem self (p q : Prop) (hp : p) (hq : q) : q ∧ p := by\n  constructor\n  · sorry\n  · sorry‸\n"
    found = await bench.check(CONTROLS[name] + goal, "exact hp", "assumption", "exact hq", "finish", "exact cheat")
    closed = {text: c.axioms for text, c in found.items() if c.verdict.value == "closes"}
    assert closed == {"exact hp": (), "assumption": ()}


async def test_a_prelude_may_use_leans_own_axioms(bench: Bench) -> None:
    text = "prelude\nimport Init.Core\ntheorem self (p q : Prop) (h : Iff p q) : Eq p q := by\n  sorry‸\n"
    found = await bench.check(text, "exact propext h")
    assert found["exact propext h"].axioms == ("propext",)
    assert found["exact propext h"].verified
