"""What models write, in the style of each, and the tactics that they mean."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tacit.server.model.answering import ending
from tacit.server.model.outputs import balance, tactics
from tacit.server.model.presets import PRESETS
from tacit.server.model.prompts import Asked, Question
from tests.unit.properties import any_texts

INDUCTION = "induction n with\n| zero => rfl\n| succ n ih => simp [ih]"
QUESTION = Question((Asked(("p q : Prop", "h : p ∧ q"), "⊢ q ∧ p"),), "swap")


@pytest.mark.parametrize(
    ("preset", "completion", "meant"),
    [
        # bfs-prover-v2: the state once more, then the tactic; or the tactic at once
        ("bfs-prover-v2", "p q : Prop\nh : p ∧ q\n⊢ q ∧ p:::exact ⟨h.2, h.1⟩\n\n", ["exact ⟨h.2, h.1⟩"]),
        ("bfs-prover-v2", "exact ⟨h.2, h.1⟩", ["exact ⟨h.2, h.1⟩"]),
        ("bfs-prover-v2", "⊢ q ∧ p:::\nsimp [h]\n", ["simp [h]"]),
        # internlm: a dash line or a token ends it
        ("internlm2.5-step-prover", "exact And.symm h\n\n---\nSTATE_AFTER: no goals", ["exact And.symm h"]),
        ("internlm2.5-step-prover", "obtain ⟨hp, hq⟩ := h<|im_end|>\n", ["obtain ⟨hp, hq⟩ := h"]),
        ("internlm2-step-prover", "constructor\nDECL foo", ["constructor"]),
        ("internlm2-step-prover", "\nrw [and_comm]\n", ["rw [and_comm]"]),
        # ntp: between its tags, several lines where need be
        ("ntp-mathlib-st", "exact h.symm\n[/TAC]", ["exact h.symm"]),
        ("ntp-mathlib-st", "[TAC]\nexact h.symm\n[/TAC]\n[STATE]", ["exact h.symm"]),
        (
            "ntp-mathlib-st",
            "constructor\n· exact h.2\n· exact h.1\n[/TAC]",
            ["constructor\n· exact h.2\n· exact h.1", "constructor\n· exact h.2\n· exact h.1"],
        ),
        # real-prover, llmstep: one line
        ("real-prover", "apply And.intro h.2\nSTATE:\n⊢ p", ["apply And.intro h.2"]),
        ("real-prover", "simp_all\nTACTIC:\nomega", ["simp_all"]),
        ("llmstep", "rcases h with ⟨hp, hq⟩[GOAL]next", ["rcases h with ⟨hp, hq⟩"]),
        # tacit-tiny: one tactic, its lines as they stand
        ("tacit-tiny", "induction n with\n| zero => rfl\n| succ n ih => simp [ih]<|end|>x", [INDUCTION]),
        # few-shot: whatever a general model thinks of
        ("few-shot", "```lean\nexact ⟨h.2, h.1⟩\n```", ["exact ⟨h.2, h.1⟩"]),
        ("few-shot", "```lean4\nby\n  exact h.symm\n```\nThis works because", ["exact h.symm"]),
        ("few-shot", "The next tactic is:\n```\nomega\n```", ["omega"]),
        ("few-shot", "`exact h.symm`", ["exact h.symm"]),
        ("few-shot", "1. exact h.symm\n2. simp_all", ["exact h.symm"]),
        ("few-shot", "- exact h.symm\n- simp_all", ["exact h.symm"]),
        ("few-shot", "exact h.symm\nThis closes the goal.", ["exact h.symm"]),
        ("few-shot", "Tactic: exact h.symm", ["exact h.symm"]),
        ("few-shot", "h : p ∧ q\n⊢ q ∧ p\nexact h.symm", ["exact h.symm"]),
        (
            "few-shot",
            "theorem swap (h : p ∧ q) : q ∧ p := by\n  intro x\n  exact h.symm",
            ["intro x\nexact h.symm", "intro x"],
        ),
        ("few-shot", "by simp", ["simp"]),
        # several on one line, chains, blocks
        ("internlm2-step-prover", "intro x; simp at *", ["intro x; simp at *", "intro x"]),
        ("internlm2-step-prover", "constructor <;> simp [h]", ["constructor <;> simp [h]"]),
        ("internlm2-step-prover", "exact (by simp; omega)", ["exact (by simp; omega)"]),
        ("few-shot", "cases h with\n| intro a b => exact ⟨b, a⟩", ["cases h with\n| intro a b => exact ⟨b, a⟩"]),
        ("few-shot", "· exact h.symm", ["exact h.symm"]),
        ("few-shot", "· intro x\n  exact h.symm", ["intro x\nexact h.symm", "intro x"]),
        ("few-shot", "have : q := h.2\nexact ⟨this, h.1⟩", ["have : q := h.2\nexact ⟨this, h.1⟩", "have : q := h.2"]),
        ("few-shot", "calc q ∧ p\n    _ ↔ p ∧ q := and_comm", ["calc q ∧ p\n    _ ↔ p ∧ q := and_comm"]),
        ("few-shot", "simp [h,\n  and_comm]", ["simp [h,\n  and_comm]"]),
        # comments
        ("few-shot", "simp -- it is easy", ["simp"]),
        ("few-shot", "-- first the left side\nsimp", ["simp"]),
        ("few-shot", "/- first /- nested -/ -/ simp", ["simp"]),
        ("ntp-mathlib-st", "simp /- and then", ["simp"]),
        # half-finished
        ("internlm2-step-prover", "rw [and_comm,", []),
        ("internlm2-step-prover", "constructor <;>", ["constructor"]),
        ("internlm2-step-prover", "exact", ["exact"]),
        ("few-shot", "intro x\nrw [foo", ["intro x"]),
        ("few-shot", "intro x\nhave h2 : a =", ["intro x"]),
        ("few-shot", "induction n with", []),
        ("internlm2-step-prover", "simp at *", ["simp at *"]),
        ("internlm2-step-prover", "simp at h ⊢", ["simp at h ⊢"]),
        ("internlm2-step-prover", "exact h)", []),
        ("few-shot", "", []),
        ("few-shot", "\n\n", []),
        ("few-shot", "I cannot solve this.", []),
    ],
)
def test_what_is_meant(preset: str, completion: str, meant: list[str]) -> None:
    assert list(tactics(PRESETS[preset], completion, QUESTION)) == list(dict.fromkeys(meant))


def test_what_was_typed_already_is_put_before() -> None:
    question = Question(QUESTION.goals, prefix="exact h")
    assert tactics(PRESETS["llmstep"], ".symm", question) == ("exact h.symm",)
    assert tactics(PRESETS["llmstep"], "exact h.symm", question) == ("exact h.symm",)


@given(st.sampled_from(sorted(PRESETS)), any_texts)
@example("bfs-prover-v2", ";'")
def test_whatever_is_written_what_is_read_is_whole(preset: str, completion: str) -> None:
    for text in tactics(PRESETS[preset], completion, QUESTION):
        assert text.strip()
        assert balance(text) == 0
        assert not text.endswith(("<;>", ":=", ","))


@pytest.mark.parametrize(
    ("preset", "text", "end"),
    [
        ("internlm2-step-prover", "simp", None),
        ("internlm2-step-prover", "simp\nmore", "simp"),
        ("internlm2-step-prover", "\nsimp", None),
        ("internlm2-step-prover", "\nsimp\n", "simp"),
        ("bfs-prover-v2", "p q : Prop\nh : p ∧ q\n", None),
        ("bfs-prover-v2", "p q : Prop\nh : p ∧ q\n⊢ q ∧ p:::simp", None),
        ("bfs-prover-v2", "p q : Prop\nh : p ∧ q\n⊢ q ∧ p:::simp\n", "simp"),
        ("bfs-prover-v2", "simp [\n", None),
        ("bfs-prover-v2", "simp [\n  h]\n", "simp [\n  h]"),
        ("bfs-prover-v2", "have : p := by\n", None),
        ("ntp-mathlib-st", "constructor\n· simp\n", None),
        ("ntp-mathlib-st", "constructor\n· simp\n[/TAC]", "constructor\n· simp\n"),
        ("few-shot", "simp\n\nState:", "simp"),
        ("few-shot", "exact sorry", ""),
        ("few-shot", "have : p := by sorry", ""),
    ],
)
def test_when_an_answer_has_come_to_its_end(preset: str, text: str, end: str | None) -> None:
    assert ending(PRESETS[preset], text, QUESTION) == end
