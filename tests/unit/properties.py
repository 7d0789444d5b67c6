"""What property tests share: settings that give the same examples on every machine, and texts that look like Lean.

`TACIT_EXAMPLES` sets how many examples each property gets: few in everyday runs, thousands when hunting.
"""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

# `make clean` removes this folder; without it hypothesis would make one of its own in the working folder.
set_hypothesis_home_dir(Path(__file__).parents[2] / ".cache" / "hypothesis")

examples = settings(
    max_examples=int(os.environ.get("TACIT_EXAMPLES", "100")),
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
"""Decorates a property test."""

# Pieces that mean something to Lean, most of all those that open or close something.
PIECES = (
    *"()[]{}⟨⟩⦃⦄«»'\"`#@%$|·.,;:=\\/-!?_✝λ",
    *("/-", "-/", "/--", "/-!", "--", "'a'", "'\\''", "'\"'", "''", "h'", '"s"', '"\\""', 'r"x"', 'r#"', '"#', "r"),
    *("\n", "\n\n", "\n  ", " ", "\r\n", "\t", "\u00a0", "\u2028", "\x0c"),
    *("x", "h₁", "𝕜", "𝓝", "α", "«a b»", "Nat.succ", "h.1", "1", "0x1F", "1.5", "ᵒᵖ", "⁻¹", "²", "名", "\u0301"),
    *("theorem", "example", "mutual", "end", "where", "in", "by", "sorry", "import", "module", "public", "section"),
    *("\ntheorem foo : p := by\n", "\n@[simp] ", "\nprivate ", "\nopen Nat in\n", "\n| zero => ", "#eval", "<;>", "=>"),
)

lean_texts = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
"""Texts made of those pieces, mostly broken."""

any_texts = st.one_of(lean_texts, st.text(max_size=80))
"""Any text at all (halves of surrogate pairs left out: no file has them)."""
