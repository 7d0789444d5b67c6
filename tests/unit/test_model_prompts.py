"""Prompts, to the character; a person's own templates; what is left out where the context is short."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tacit.server.errors import BadInput
from tacit.server.model.presets import PRESETS, guess, preset_of, template
from tacit.server.model.prompts import Asked, Fact, Preset, Question, Shot, asked, fit, least_needed, render
from tacit.server.values import Goal, Hypothesis

GOAL = Asked(("p q : Prop", "h : p ∧ q"), "⊢ q ∧ p")
STATE = "p q : Prop\nh : p ∧ q\n⊢ q ∧ p"
QUESTION = Question(
    (GOAL,), "swap", "theorem swap (h : p ∧ q) : q ∧ p := by", premises=(Fact("And.symm", ": a ∧ b → b ∧ a"),)
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bfs-prover-v2", f"{STATE}:::"),
        (
            "internlm2.5-step-prover",
            (
                "<|im_start|>user\n---\nNAME: swap\n\n---\nPROOF_BEFORE: theorem swap (h : p ∧ q) : q ∧ p := by\n\n"
                f"---\nSTATE_BEFORE: {STATE}\n\n---\nTACTIC: <|im_end|>\n<|im_start|>assistant\n"
            ),
        ),
        ("internlm2-step-prover", f"DECL swap\nGOAL {STATE}\nPROOFSTEP "),
        (
            "ntp-mathlib-st",
            (
                "/- You are proving a theorem in Lean 4.\nYou are given the following information:\n"
                "- The current proof state, inside [STATE]...[/STATE]\n\n"
                "Your task is to generate the next tactic in the proof.\n"
                "Put the next tactic inside [TAC]...[/TAC]\n-/\n"
                f"[STATE]\n{STATE}\n[/STATE]\n[TAC]\n"
            ),
        ),
        (
            "real-prover",
            (
                "Please generate a tactic in lean4 to solve the state.\nHere're some theorems that may be helpful:\n"
                f"Formal name: And.symm\nFormal statement: : a ∧ b → b ∧ a\nSTATE:\n{STATE}\nTACTIC:\n"
            ),
        ),
        ("llmstep", f"[GOAL]{STATE}[PROOFSTEP]"),
        ("tacit-tiny", f"<|goal|>{STATE}<|tactic|>"),
    ],
)
def test_each_preset_asks_as_its_model_was_trained(name: str, text: str) -> None:
    assert render(PRESETS[name], QUESTION) == text


def test_few_shot_shows_the_nearest_examples_last() -> None:
    text = render(PRESETS["few-shot"], QUESTION)
    assert text.endswith(
        f"State:\np q : Prop\nh : p ∧ q\n⊢ q ∧ p\nTactic:\nexact ⟨h.2, h.1⟩\n\nState:\n{STATE}\nTactic:\n"
    )


def test_text_that_looks_like_a_chat_token_does_not_end_the_turn() -> None:
    question = Question((Asked((), "⊢ f <| x <|im_end|> y"),), "a")
    text = render(PRESETS["internlm2.5-step-prover"], question)
    assert text.count("<|im_end|>") == 1
    assert "f <| x <| im_end|> y" in text


def test_text_with_braces_is_left_alone() -> None:
    assert "⊢ {x | {name}} = s" in render(PRESETS["llmstep"], Question((Asked((), "⊢ {x | {name}} = s"),), "a"))


def test_a_goal_is_put_as_lean_prints_it_without_its_case() -> None:
    text = "case inl.h\nn : Nat\nh :\n  n =\n    0\n⊢ n +\n    1 = 1"
    goal = Goal((Hypothesis(("n",), "Nat"),), "n + 1 = 1", "inl.h", text)
    assert asked(goal) == Asked(("n : Nat", "h :\n  n =\n    0"), "⊢ n +\n    1 = 1")


def test_a_goal_without_its_text_is_put_from_its_parts() -> None:
    goal = Goal((Hypothesis(("n", "m"), "Nat"), Hypothesis(("k",), "Nat", "5")), "n = m")
    assert asked(goal).text == "n m : Nat\nk : Nat := 5\n⊢ n = m"


# ---------------------------------------------------------------- templates of a person's own


def test_a_template_of_ones_own() -> None:
    own = template("mine", {"prompt": "{{x}} {state} =>", "stop": ["\n", "###"], "oneLine": False, "echo": "=>"})
    assert render(own, QUESTION) == f"{{x}} {STATE} =>"
    assert (own.stop, own.one_line, own.echo) == (("\n", "###"), False, "=>")
    assert preset_of("mine", {"mine": own}) is own


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (
            {"prompt": "{state} {goal}"},
            "unknown field {goal}. Known are {state}, {name}, {proof}, {premises}, {prefix}.",
        ),
        ({"prompt": "{state.x}"}, "unknown field {state.x}"),
        ({"prompt": "{state} {0}"}, "unknown field {0}"),
        ({"prompt": "{state} {}"}, "unknown field {}"),
        ({"prompt": "{state!r}"}, "cannot be read (a field takes no format)"),
        ({"prompt": "{state"}, "cannot be read"),
        ({"prompt": "state"}, "does not say where the goal goes. Put {state} into its prompt."),
        ({}, "does not say where the goal goes"),
        ({"prompt": 3}, "prompt must be a string"),
        ({"prompt": "{state}", "stops": []}, "unknown key 'stops'"),
        ({"prompt": "{state}", "stop": ["", "x"]}, "none of them empty"),
        ({"prompt": "{state}", "stop": "x"}, "stop must be a list of strings"),
        ({"prompt": "{state}{premises}"}, "{premises} and no text for one"),
        ({"prompt": "{state}{premises}", "premise": "{text}"}, "unknown field {text}. Known are {name}, {statement}."),
        ("{state}", "must be an object"),
    ],
)
def test_a_template_that_cannot_be_used_says_why(raw: Any, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        template("mine", raw)
    assert said in str(caught.value)
    assert "mine" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "preset"),
    [
        ("BFS-Prover-V2-7B.Q4_K_M", "bfs-prover-v2"),
        ("internlm2_5-step-prover-q4", "internlm2.5-step-prover"),
        ("internlm2-step-prover-7b", "internlm2-step-prover"),
        ("ntp-mathlib-st-deepseek-coder-1.3b", "ntp-mathlib-st"),
        ("tacit-tiny", "tacit-tiny"),
        ("Qwen2.5-0.5B", "few-shot"),
    ],
)
def test_a_model_is_asked_by_its_name(file: str, preset: str) -> None:
    assert guess(file) == preset


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(BadInput, match=r"no preset 'gpt'.*mine, bfs-prover-v2"):
        preset_of("gpt", {"mine": Preset("mine", "{state}")})


# ---------------------------------------------------------------- what is left out


LONG = Preset(
    "long",
    "{premises}|{shots}|{proof}|{state}",
    premise="{name};",
    shot="{tactic};",
    shots=tuple(Shot(f"⊢ s{number}", f"t{number}") for number in range(4)),
)
GOALS = (Asked(("a : A", "b : B", "hb : b = b"), "⊢ b = c"), Asked((), "⊢ second"))
FULL = Question(GOALS, "n", "line 1\nline 2\nline 3", premises=tuple(Fact(f"P{each}", "") for each in range(9)))


def test_what_fits_is_whole_and_says_nothing() -> None:
    prompt = fit(LONG, FULL, len, 1000)
    assert prompt.text == render(LONG, FULL)
    assert prompt.notice == ""


def test_the_least_useful_is_left_out_first() -> None:
    whole = len(render(LONG, FULL))
    seen = [fit(LONG, FULL, len, most) for most in range(whole, len("|||⊢ b = c") - 1, -1)]
    kept = [
        [part in each.text for part in ("P0;", "line 3", "t0;", "second", "a : A", "hb : b = b", "⊢ b = c")]
        for each in seen
    ]
    gone = [next(at for at, row in enumerate(kept) if not row[part]) for part in range(6)]
    assert gone == sorted(gone)
    assert all(row[6] for row in kept)
    assert all(len(each.text) <= most for each, most in zip(seen, range(whole, 0, -1), strict=False))
    assert seen[1].notice == "1 of 9 premises did not fit into the model's context."
    assert seen[-1].notice == "3 of 3 hypotheses did not fit into the model's context."


def test_the_end_of_the_proof_above_is_kept() -> None:
    text = fit(LONG, Question(GOALS[:1], "", "line 1\nline 2\nline 3"), len, 60).text
    assert "line 1" not in text
    assert "line 3" in text


def test_the_hypotheses_kept_are_those_that_the_target_speaks_of() -> None:
    lines = ("α : Type", "inst✝ : Ring α", "x y : α", "z : α", "hz : z = 0", "hx : x = y", "far : 0 = 1")
    goal = Asked(lines, "⊢ x + y = 0")
    order = [goal.hypotheses[at] for at in least_needed(goal)]
    assert order == ["inst✝ : Ring α", "α : Type", "z : α", "hz : z = 0", "far : 0 = 1", "hx : x = y", "x y : α"]
    texts = [fit(Preset("p", "{state}"), Question((goal,)), len, most).text for most in (58, 46, 34, 26, 14)]
    assert [text.split("\n")[:-1] for text in texts] == [
        ["x y : α", "hz : z = 0", "hx : x = y", "far : 0 = 1"],
        ["x y : α", "hx : x = y", "far : 0 = 1"],
        ["x y : α", "hx : x = y"],
        ["x y : α"],
        [],
    ]


def test_equal_lines_are_left_out_one_by_one() -> None:
    goal = Asked(("x✝ : A", "x✝ : A", "y : A"), "⊢ y = y")
    assert fit(Preset("p", "{state}"), Question((goal,)), len, 21).text == "x✝ : A\ny : A\n⊢ y = y"


@pytest.mark.parametrize(
    "preset", ["tacit-tiny", "real-prover", "few-shot", "internlm2.5-step-prover", "ntp-mathlib-st"]
)
def test_a_prompt_fits_a_small_context_with_room_for_the_answer(preset: str) -> None:
    hypotheses = tuple(f"h{at} : a{at} * (b{at} + c) = c * d{at}" for at in range(60))
    premises = tuple(Fact(f"Some.long_name_{at}", "(a b : Nat) : a + b = b + a") for at in range(12))
    goals = (Asked(hypotheses, "⊢ a59 * (b59 + c) = c * d59"),)
    question = Question(goals, "foo", "by\n  simp\n" * 40, premises=premises)

    def tokens(text: str) -> int:
        return len(re.findall(r"\w+|\W", text))

    prompt = fit(PRESETS[preset], question, tokens, 384 - 96)
    assert tokens(prompt.text) <= 288
    assert "⊢ a59 * (b59 + c) = c * d59" in prompt.text
    assert "h59 : a59" in prompt.text
    assert prompt.notice


def test_a_target_that_is_too_long_is_said_so() -> None:
    with pytest.raises(BadInput, match=r"its target alone takes 10 tokens of 9"):
        fit(LONG, FULL, len, 9)
