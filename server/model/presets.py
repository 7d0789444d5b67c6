"""How the step provers that exist are asked, and a person's own templates. Nothing is known here of how they run.

Each template is that of the model's authors, to the character: a prompt that a model was not trained on makes a good
model useless.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tacit.server.errors import BadInput
from tacit.server.model.prompts import FIELDS, Preset, Shot, fields_of

_NTP_HEADER = """\
/- You are proving a theorem in Lean 4.
You are given the following information:
- The current proof state, inside [STATE]...[/STATE]

Your task is to generate the next tactic in the proof.
Put the next tactic inside [TAC]...[/TAC]
-/
"""

# For models that were trained on no such task: short, of many shapes, each checked with Lean.
_SHOTS = (
    Shot("p q : Prop\nh : p ∧ q\n⊢ q ∧ p", "exact ⟨h.2, h.1⟩"),
    Shot("p q : Prop\nh : p ∨ q\n⊢ q ∨ p", "exact h.elim Or.inr Or.inl"),
    Shot("p q : Prop\nhp : p\nhpq : p → q\n⊢ q", "exact hpq hp"),
    Shot("p q : Prop\n⊢ p → q → p", "intro hp hq"),
    Shot("p : Nat → Prop\nn : Nat\nh : p n\n⊢ ∃ x, p x", "exact ⟨n, h⟩"),
    Shot("p : Nat → Prop\nh : ∀ (x : Nat), p x\n⊢ p 3", "exact h 3"),
    Shot("p q : Prop\n⊢ p ↔ q", "constructor"),
    Shot("p : Prop\nh : p\nhn : ¬p\n⊢ False", "exact hn h"),
    Shot("n m : Nat\nh : n = m\n⊢ m = n", "exact h.symm"),
    Shot("a b c : Nat\nh : a = b\n⊢ a + c = b + c", "rw [h]"),
    Shot("n : Nat\n⊢ n + 0 = n", "simp"),
    Shot("n m : Nat\nh : n < m\n⊢ n + 1 ≤ m", "omega"),
    Shot("a b : Nat\n⊢ a + b = b + a", "exact Nat.add_comm a b"),
    Shot("a b c : Nat\nh₁ : a ≤ b\nh₂ : b ≤ c\n⊢ a ≤ c", "exact Nat.le_trans h₁ h₂"),
    Shot("n : Nat\n⊢ 0 + n = n", "induction n with\n| zero => rfl\n| succ n ih => simp"),
    Shot("α : Type\nxs : List α\n⊢ xs ++ [] = xs", "simp"),
)

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        each.name: each
        for each in (
            Preset("bfs-prover-v2", "{state}:::", stop=("\n\n",), echo=":::"),
            Preset(
                "internlm2.5-step-prover",
                "<|im_start|>user\n---\nNAME: {name}\n\n---\nPROOF_BEFORE: {proof}\n\n---\nSTATE_BEFORE: {state}\n\n"
                "---\nTACTIC: <|im_end|>\n<|im_start|>assistant\n",
                stop=("---", "<|im_end|>"),
                special=True,
            ),
            Preset("internlm2-step-prover", "DECL {name}\nGOAL {state}\nPROOFSTEP ", stop=("\n",)),
            Preset(
                "ntp-mathlib-st",
                _NTP_HEADER + "[STATE]\n{state}\n[/STATE]\n[TAC]\n",
                stop=("[/TAC]",),
                one_line=False,
            ),
            Preset(
                "real-prover",
                "Please generate a tactic in lean4 to solve the state.\n"
                "Here're some theorems that may be helpful:\n{premises}STATE:\n{state}\nTACTIC:\n",
                stop=("\n",),
                premise="Formal name: {name}\nFormal statement: {statement}\n",
            ),
            Preset("llmstep", "[GOAL]{state}[PROOFSTEP]{prefix}", stop=("[GOAL]", "[PROOFSTEP]")),
            Preset(
                "tacit-tiny",
                "<|goal|>{state}<|tactic|>",
                stop=("<|end|>",),
                one_line=False,
                special=True,
                bare=True,
            ),
            Preset(
                "few-shot",
                "/- Lean 4: the state of a proof, and the tactic that comes next. -/\n\n"
                "{shots}State:\n{state}\nTactic:\n",
                stop=("\n\n", "State:"),
                one_line=False,
                shot="State:\n{state}\nTactic:\n{tactic}\n\n",
                shots=_SHOTS,
            ),
        )
    }
)


def guess(name: str) -> str:
    """The preset of a model by its name or its file's; where that tells none, `few-shot`: any model can answer it.

    >>> guess("BFS-Prover-V2-7B.Q4_K_M")
    'bfs-prover-v2'
    """
    plain = _plain(name)
    fitting = [each for each in PRESETS if _plain(each) in plain]
    return max(fitting, key=len, default="few-shot")


def _plain(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())


def preset_of(name: str, own: Mapping[str, Preset] = MappingProxyType({})) -> Preset:
    """The preset of that name; a person's own come first. Raises BadInput."""
    found = own.get(name) or PRESETS.get(name)
    if found is None:
        known = ", ".join([*own, *PRESETS])
        raise BadInput(f"There is no preset {name!r}.", hint=f"There are: {known}.")
    return found


def template(name: str, raw: Any) -> Preset:
    """A template from the settings: `{"prompt": "…{state}…", "stop": ["\\n"], "oneLine": true, "echo": ":::"}`.

    `stop`, `oneLine`, `echo`, `special` and `premise` may be left out. Raises BadInput with what is wrong.
    """
    where = f"The model template {name!r}"
    if not isinstance(raw, Mapping):
        raise BadInput(f"{where} must be an object.", hint='Write {"prompt": "…{state}…"}.')
    known = {"prompt": str, "stop": list, "oneLine": bool, "echo": str, "special": bool, "premise": str}
    for key, value in raw.items():
        if key not in known:
            raise BadInput(f"{where} has an unknown key {key!r}.", hint=f"Known are {', '.join(known)}.")
        if not isinstance(value, known[key]):
            kinds = {str: "a string", list: "a list of strings", bool: "true or false"}
            raise BadInput(f"{where}: {key} must be {kinds[known[key]]}.")
    prompt, stop, premise = raw.get("prompt", ""), raw.get("stop", ["\n"]), raw.get("premise", "")
    if not all(isinstance(each, str) and each for each in stop):
        raise BadInput(f"{where}: stop must be a list of strings, none of them empty.")
    allowed = tuple(each for each in FIELDS if each != "shots")
    _check(where, "prompt", prompt, allowed)
    _check(where, "premise", premise, ("name", "statement"))
    if "state" not in fields_of(prompt):
        raise BadInput(f"{where} does not say where the goal goes.", hint="Put {state} into its prompt.")
    if "premises" in fields_of(prompt) and not premise:
        raise BadInput(
            f"{where} has {{premises}} and no text for one.", hint='Add "premise": "{name} : {statement}\\n".'
        )
    return Preset(
        name,
        prompt,
        stop=tuple(stop),
        one_line=raw.get("oneLine", True),
        echo=raw.get("echo", ""),
        premise=premise,
        special=raw.get("special", False),
    )


def _check(where: str, key: str, text: str, allowed: tuple[str, ...]) -> None:
    try:
        names = fields_of(text)
    except ValueError as error:
        raise BadInput(
            f"{where}: {key} cannot be read ({error}).", hint="A brace that is meant as one is written twice: {{ or }}."
        ) from error
    for name in names:
        if name not in allowed:
            known = ", ".join(f"{{{each}}}" for each in allowed)
            raise BadInput(f"{where} has an unknown field {{{name}}}.", hint=f"Known are {known}.")
