"""What may be run and what may not: texts of 2021 and of today, tricks included."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tacit.server.lean import batch
from tacit.server.lean.gate import MAX_LENGTH, mentions, refusal
from tacit.server.lean.syntax import CLOSERS, COMMAND_WORDS, Kind, tokens
from tests.unit.properties import any_texts, examples, lean_texts

ALLOWED = """
exact ⟨h.2, h.1⟩
exact ‹_›
exact (by assumption : p)
simp only [Nat.add_comm, ← h] at *
simp_all
simp [*] at h ⊢
simp (config := { contextual := true }) [foo]
simp +arith
simp +decide
rw [Nat.add_comm a b, ← h.1.2]
omega
decide
decide (config := { kernel := true })
decide +kernel
norm_num
linarith [sq_nonneg (a - b)]
nlinarith [mul_pos ha hb]
constructor <;> assumption
constructor <;> (intro h; exact h)
all_goals (try rfl)
any_goals trivial
first | rfl | simp | omega
rcases h with ⟨x, rfl⟩ | ⟨y, hy⟩
obtain ⟨x, hx⟩ := h
refine ⟨?_, ?_⟩
refine' ⟨_, _⟩
exact fun x ↦ h x
exact fun x => h x
exact λ x => h x
show p ∧ q
intro x y h
nomatch h
nofun
induction n with
| zero => rfl
| succ n ih => simp [ih]
cases h with
| inl a => exact Or.inr a
| inr b => exact Or.inl b
calc a = b := h\n  _ = c := g
have h : p := by\n  exact hp
have h : p := by exact hp\nexact h
· exact h
(exact h)
case inl h => exact h
next => exact h
conv => lhs; rw [h]
exact h ▸ rfl
exact hp.elim
exact @foo _ _ h
exact foo.{0} h
exact (· + 1)
unhygienic intro
show_term exact h
with_reducible rfl
infer_instance
exact inferInstance
use x, y
ext x : 1
unfold foo
exact n % 2
have h : n % 2 = 0 := by omega
rw [show (a + b) % 2 = 0 from h]
cases Nat.mod_two_eq_zero_or_one (n%2)
simp [Polynomial.eval, MvPolynomial.eval₂]
exact Polynomial.eval_add
rw [eval_mul]
simp [Matrix.trace, A.trace]
exact r.stop
module
ring_nf
field_simp
exact Process.step p
exact «my hyp»
exact «a.b».c
exact h' h'' x'
exact f '' s
simp [Set.image, '' ]
exact 'a'
exact 𝕜.foo
exact h₁ hᵢ
exact C(x)ᵒᵖ
exact x⁻¹ ∈ s
exact ⌊x⌋₊
exact ⟪x, y⟫
exact ‖x‖
exact |x|
exact ![a, b]
exact {x | p x}
exact {x // p x}
exact fun ⟨a, b⟩ => ⟨b, a⟩
exact f $ g x
exact f <| g x
exact 1.5e-3
exact 0x1F
exact sorry'
exact sorry_free
exact not_sorry
exact stopped
exact tacit h
exact tactic
exact Nat.rec (motive := fun _ => p) h ih n
gcongr
positivity
exact_mod_cast h
push_cast [foo]
exact .inl h
exact (.inl h)
grind
grind [foo, = bar]
grind only [= foo]
grind +splitIndPred (splits := 5)
exact?
apply? using h
show_term simp
show_term (exact?)
simp? [foo]
try?
lia
cutsat
bv_omega
fun_induction foo x
exact (cheap : p)
exact h.public
exact meta_of h
aesop
tauto
""".strip().split("\n")
# Two of them go on over lines that begin with `|`.
ALLOWED_TEXTS = "\n".join(ALLOWED).replace("\n| ", "\x00| ").split("\n")


@pytest.mark.parametrize("text", [t.replace("\x00", "\n").replace("\\n", "\n") for t in ALLOWED_TEXTS])
def test_allowed(text: str) -> None:
    assert refusal(text, own_name="theTheorem") is None


REFUSED = {
    "no proof": """
sorry
admit
stop
exact sorry
exact (sorry)
exact ⟨sorry, h⟩
exact by sorry
exact ⟨_, by native_decide⟩
first | sorry | skip
all_goals sorry
· sorry
(sorry)
exact‹sorry›
exact h▸sorry
exact «sorry»
exact sorry.foo
exact foo.sorry
exact sorryAx _
exact @sorryAx _ false
exact sorryAx.{0} _
exact _root_.sorryAx _
exact Lean.sorryAx _
exact «sorryAx» _
exact sorry?
exact sorry!
sorry?
admit!
case a => admit
next => stop
calc a = b := sorry
exact lcProof
exact lcUnreachable
exact lcAny
exact Lean.ofReduceBool _ _ rfl
exact Lean.ofReduceNat _ _ rfl
exact Lean.trustCompiler
exact Lean.reduceBool b
exact unsafeCast ()
exact (unsafe x)
native_decide
native_decide +revert
decide +native
decide + native
decide +kernel +native
decide (config := { native := true })
decide (native := true)
bv_decide
bv_decide?
bv_check
exact h.1sorry
exact f 1sorry
exact f 0x1sorry
exact f 0xsorry
exact f 1_sorry
exact f 1.5sorry
exact f 1e5sorry
exact f 1admit
exact sorryλ x => x
exact sorryᵒᵖ
exact sorry²
exact sorry⁻¹
exact sorry✝
exact sorry\u0301
exact sorry名
exact 'a'sorry
exact ∑'sorry
exact f ''sorry
simp? says simp only [foo]
exact ⟨h, by decide +native⟩
bv_decide (timeout := 5)
decide -kernel +native
exact Lean.trustCompiler.elim
exact «Lean».«ofReduceBool» _ _ rfl
exact _root_.Lean.reduceBool x
""",
    "runs code": """
run_tac pure ()
exact by_elab foo
run_elab foo
run_cmd foo
run_meta foo
run_conv foo
conv => run_conv foo
exact (by_elab do return x)
exact eval% foo
exact exact?%
exact type_of% h
exact include_str% x
trace foo
trace (x)
sleep 100
dbg_trace x
exact dbgTrace x h
exact dbgTraceVal h
exact dbgSleep 100 h
dbg_sleep 100
exact panic! x
exact unreachable!
exact IO.println x
exact IO.FS.readFile x
polyrith
llmstep x
aesop_llm
set_option maxRecDepth 9 in skip
set_option debug.skipKernelTC true in rfl
open Nat in exact h
open Foo
attribute [simp] foo
unlock_limits
guard_msgs
implemented_by foo
extern foo
exact include_str foo
exact run_elab foo
exact by_elab Lean.Elab.Term.mkConst ``x
simp (config := f x)
grind (splits := f x)
decide (kernel := f x)
""",
    "syntax": """
exact `foo
exact ``foo
exact `(foo)
exact $(foo)
exact $( foo )
exact eval%1
exact delta%(1)
exact x#
#eval 1
exact #check
exact @[simp] foo
have @[simp] h := x
exact "string"
exact s!"string"
exact r"raw"
exact r#"raw"#
exact '('
exact ')'
exact '"'
exact '\\''
skip -- comment
skip --
skip /- comment -/
skip /-- doc -/
exact h-- x
exact h/- x -/
exact "open
exact r#"open"
exact «open
exact /- open
""",
    "brackets": """
exact ⟨h
exact h⟩
exact (h
exact h)
exact (h]
exact ⟨h)
skip)
skip) (skip
((skip
skip))
rw [
exact {h
exact {{h}
exact ⦃h
)
(
⟩
exact fun ⟨a => a⟩ b⟩
skip)\\n · (skip
exact h)\\n#eval 1\\n(
exact f ''('a'
exact f ''')'
""",
    "commands": """
skip\\nend
skip\\ntheorem x : True := trivial
skip\\naxiom y : 1 = 2
skip\\n  def x := 1
skip\\nexample : p := q
skip\\ninstance : p := q
skip\\nopen Nat
skip\\nnamespace X
skip\\nsection
skip\\nvariable (x : Nat)
skip\\nmacro x : y
skip\\nmacro_rules
skip\\nsyntax x
skip\\nelab x
skip\\nnotation x
skip\\nlocal notation x
skip\\nmutual
skip\\nprivate x
skip\\nimport X
skip\\ninitialize x
skip\\nset_option x true
skip\\nrun_cmd x
skip\\nattribute [simp] x
skip\\nuniverse u
skip\\nexport X
skip\\nderiving instance x
skip\\npublic section
skip\\n@[expose] public section
skip\\n@[expose] def x := 1
skip\\nmeta def x := 1
skip\\npublic meta import X
skip\\nrun_meta x
skip\\nrun_elab x
skip\\nbuiltin_initialize x
skip\\nsudo set_option x true
skip\\nunset_option x
skip\\nvariable? x
skip\\nreprove x by y
skip\\nregister_builtin_option x : y := z
skip\\nregister_try?_tactic x
skip\\nbuiltin_simproc x
skip\\naux_def x : y := z
skip\\nnotation3 x
skip\\nend_local_scope
skip\\nwith_weak_namespace X
skip\\nset_library_suggestions x
skip\\nshow_panel_widgets [x]
skip\\nunsafe x
skip\\npartial x
skip\\ncoinductive x
skip\\ngrind_pattern x
exact open Nat in h
exact set_option x true in h
theorem
exact lemma
""",
    "parts": """
| inl h => exact h
)
exact h :=
have h :=
simp <;>
simp;
simp ;
simp;\\n
""",
    "our own words": """
exact _tacitHole
exact @_tacitHole _
exact _root_._tacitHole
first | simp [@_tacitHole p] | exact h
exact tacitHole
exact @tacitHole _
exact «tacitHole»
exact _root_.tacitHole
exact tacitHole.foo
exact tacitCopy
exact tacitExample
exact _tacitRest
exact @_tacitRest _
exact Foo._tacitRest
exact «_tacitRest»
apply tacitCopy
exact (fun {tacitSort : Prop} => h)
first | simp [@tacitHole p] | exact h
exact foo.{tacitU}
""",
}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (kind, line.replace("\\n", "\n").replace("\\\\", "\\").replace("\\u0301", "\u0301"))
        for kind, lines in REFUSED.items()
        for line in lines.strip("\n").split("\n")
    ],
)
def test_refused(kind: str, text: str) -> None:
    del kind
    reason = refusal(text)
    assert reason is not None
    assert reason.endswith(".")
    assert "\n" not in reason


@pytest.mark.parametrize(
    "char",
    [
        *"\t\r\x00\x01\x0b\x0c\x1b\x1c\x7f\x85\u00a0\u00ad\u061c\u115f\u180e\u2000\u200b\u200c\u200d\u200e\u200f",
        *"\u2028\u2029\u202a\u202e\u202f\u2060\u2061\u2066\u2069\u3000\u3164\ufe0f\ufeff\uffa0\U000e0041",
        "\ud800",
    ],
)
def test_what_cannot_be_seen_is_refused(char: str) -> None:
    for text in (f"exact h{char}", f"exact{char}h", f"exact «a{char}b»", f"exact h{char}x"):
        assert refusal(text) is not None, ascii(text)


@pytest.mark.parametrize("text", ["", " ", "\n", "\n  \n"])
def test_nothing_is_refused(text: str) -> None:
    assert refusal(text) == "It is empty."


def test_too_long_is_refused() -> None:
    assert refusal("a" * MAX_LENGTH) is None
    assert refusal("a" * (MAX_LENGTH + 1)) is not None


def test_very_nested_text_is_read_without_trouble() -> None:
    assert refusal("exact " + "(" * 1900 + ")" * 1900) is None
    assert refusal("exact " + "(" * 1900 + ")" * 1901) is not None


# ---------------------------------------------------------------------------------------------- its own name


@pytest.mark.parametrize(
    ("own", "text"),
    [
        ("foo", "exact foo"),
        ("foo", "exact @foo _"),
        ("foo", "exact foo.{0} _"),
        ("foo", "exact foo.symm"),
        ("foo", "exact (foo h).1"),
        ("foo", "exact «foo»"),
        ("foo", "exact _root_.foo"),
        ("foo", "exact Some.Where.foo"),
        ("foo", "simp [foo]"),
        ("foo", "rw [← foo]"),
        ("foo", "exact h▸foo"),
        ("foo", "exact fooᵒᵖ"),
        ("foo", "exact 1foo"),
        ("foo", "exact h.1foo"),
        ("foo", "unfold foo"),
        ("foo", "exact foo.eq_1"),
        ("Ns.foo", "exact foo"),
        ("Ns.foo", "exact Ns.foo"),
        ("Ns.foo", "exact Outer.Ns.foo"),
        ("Ns.foo", "exact _root_.Outer.Ns.foo"),
        ("Ns.Inner.foo", "exact Inner.foo"),
        ("_root_.foo", "exact foo"),
        ("_root_.Ns.foo", "exact Ns.foo"),
        ("«foo»", "exact foo"),
        ("«foo bar»", "exact «foo bar»"),
        ("Ns.«foo bar»", "exact «foo bar».symm"),
        ("foo'", "exact foo'"),
        ("𝕜foo", "exact 𝕜foo"),
        ("Ñoo", "exact Ñoo"),
    ],
)
def test_its_own_name_is_refused(own: str, text: str) -> None:
    reason = refusal(text, own_name=own)
    assert reason is not None
    assert own in reason


@pytest.mark.parametrize(
    ("own", "text"),
    [
        ("foo", "exact foo'"),
        ("foo", "exact foobar"),
        ("foo", "exact foo_bar"),
        ("foo", "exact foo₁"),
        ("foo'", "exact foo"),
        ("Ns.foo", "exact Ns.bar"),
        ("Ns.foo", "exact Ns"),
        ("foo", "exact Foo"),
        (None, "exact foo"),
    ],
)
def test_other_names_are_not_its_own(own: str | None, text: str) -> None:
    assert refusal(text, own_name=own) is None


def test_a_hypothesis_shadows_the_theorem() -> None:
    assert refusal("exact h", own_name="Foo.h", local_names={"h"}) is None
    assert refusal("exact h.symm", own_name="h", local_names={"h"}) is None
    assert refusal("exact Foo.h", own_name="Foo.h", local_names={"h"}) is not None
    assert refusal("exact _root_.Foo.h", own_name="Foo.h", local_names={"h"}) is not None
    assert refusal("exact g", own_name="Foo.h", local_names={"h"}) is None


def test_a_hypothesis_makes_no_forbidden_word_good() -> None:
    for word in ("sorry", "native_decide", "native", "_tacitHole", "tacitHole", "sorryAx", "end"):
        assert refusal(f"exact {word}", local_names={word}) is not None


@pytest.mark.parametrize(
    ("word", "name", "expected"),
    [
        ("foo", "foo", True),
        ("Ns.foo", "foo", True),
        ("foo.bar", "foo", True),
        ("bar.foo.baz", "foo", True),
        ("foo", "Ns.foo", True),
        ("Other.foo", "Ns.foo", False),
        ("Ns.foo.symm", "Ns.foo", True),
        ("Ns", "Ns.foo", False),
        ("foo'", "foo", False),
    ],
)
def test_mentions(word: str, name: str, expected: bool) -> None:
    assert mentions(word, name) is expected


# ---------------------------------------------------------------------------------------------- properties

TACTIC_PIECES = (
    *("exact", "simp", "h", "h.1", "⟨", "⟩", "(", ")", "[", "]", "{", "}", ",", ":", "=>", "fun", "x", "·", "<;>", ";"),
    *("by", "'a'", "'('", "''", "'", "1", "0x", "sorry", "r", "#", '"', "`", "$", "%", "@", "/-", "--"),
    *(
        "\n",
        "\n  ",
        " ",
        " ",
        " ",
        "λ",
        "ᵒᵖ",
        "«a»",
        "«",
        "»",
        "|",
        "theorem",
        "end",
        "\\",
        "_",
        ".",
        "native",
        "tacit",
    ),
)
tactic_texts = st.one_of(st.lists(st.sampled_from(TACTIC_PIECES), max_size=14).map("".join), lean_texts, any_texts)


@given(tactic_texts)
@examples
def test_what_passes_cannot_leave_its_parentheses(text: str) -> None:
    """Whatever passes, put between parentheses, leaves the lexer in one piece that ends with the last of them."""
    assume(refusal(text) is None)
    found = list(tokens(f"({text})"))
    assert [t.text for t in found] == ["(", *(t.text for t in tokens(text)), ")"]
    stack: list[str] = []
    for n, token in enumerate(found):
        assert token.kind not in (Kind.LINE_COMMENT, Kind.BLOCK_COMMENT, Kind.STRING, Kind.UNTERMINATED)
        if token.kind is Kind.OPEN:
            stack.append(token.text)
        elif token.kind is Kind.CLOSE:
            assert stack.pop() == CLOSERS[token.text]
        assert bool(stack) == (n < len(found) - 1)
        assert token.kind is not Kind.IDENT or token.text not in COMMAND_WORDS - {"module"}
        assert token.text not in ("#", "`")


@given(st.lists(tactic_texts, min_size=1, max_size=4))
@examples
def test_in_a_batch_every_line_of_what_passes_stands_inside_its_block(texts: list[str]) -> None:
    texts = [t for t in texts if refusal(t) is None]
    assume(texts)
    body = batch.copies(texts)
    lines = body.text.split("\n")
    assert len(body.blocks) == len(texts)
    for block in body.blocks:
        assert lines[block.first].startswith(" · (")
        assert lines[block.mark.line][block.mark.column :] == "trace_state"
        for line in lines[block.first + 1 : block.mark.line]:
            assert not line.strip(")") or line.startswith("    ")
    depth = 0
    for token in tokens(body.text):
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        assert depth > 0 or token.end == len(body.text)


@given(st.text(max_size=30), st.text(max_size=30))
@examples
def test_sorry_is_seen_wherever_it_is_a_word(before: str, after: str) -> None:
    assert refusal(f"{before} sorry {after}") is not None
    assert refusal(f"{before}(sorry){after}") is not None


@given(any_texts, st.one_of(st.none(), st.text(max_size=10)), st.sets(st.text(max_size=3), max_size=3))
@examples
def test_never_raises(text: str, own: str | None, local: set[str]) -> None:
    refusal(text, own_name=own, local_names=local)
