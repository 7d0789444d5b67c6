"""The recipe for Neovim in a real Neovim, headless, with the real sidecar and a scripted Lean.

Skipped where there is no `nvim`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.editors.setting import CLOSED, LINE, ROOT, TEXT, THEOREM, UNFINISHED, WORLD, run

RECIPE = ROOT / "docs" / "editors" / "tacit.lua"
DRIVER = Path(__file__).with_name("driver.lua")
SORRY = len(f"{THEOREM} ".encode())
"""The byte of its line where `sorry` begins: so Neovim counts columns."""

Step = Sequence[Any]

pytestmark = pytest.mark.skipif(shutil.which("nvim") is None, reason="There is no Neovim here (apt install neovim).")


def neovim(folder: Path, *steps: Step, text: str = TEXT, words: Sequence[str] = ()) -> dict[str, Any]:
    """Run the steps of the driver; what it noted."""
    command = [
        "nvim",
        "--headless",
        "--clean",
        "-i",
        "NONE",
        "-n",
        "-c",
        f"luafile {RECIPE}",
        "-c",
        f"luafile {DRIVER}",
    ]
    found = run(folder, command, {"TACIT_STEPS": json.dumps(steps)}, text=text, words=words)
    assert found["encoding"] == "utf-16"
    return found


def test_the_command_closes_the_goal(tmp_path: Path) -> None:
    found = neovim(tmp_path, ["cursor", LINE, 0], ["ex", "TacitClose"], ["hears", "Closed the goal"])
    assert found["text"] == CLOSED
    assert found["notices"] == ["Closed the goal with `rfl`."]


def test_a_goal_that_stays_open_is_told(tmp_path: Path) -> None:
    text = TEXT.replace("closes rfl", "leaves rfl => ⊢ False")
    found = neovim(tmp_path, ["cursor", LINE, SORRY], ["ex", "TacitClose"], ["hears", "No"], text=text)
    assert found["text"] == text


def test_the_search_can_be_cancelled(tmp_path: Path) -> None:
    steps: list[Step] = [
        ["cursor", LINE, SORRY],
        ["ex", "TacitClose"],
        ["pause", 2000],
        ["ex", "TacitCancel"],
        ["hears", "Cancelled"],
    ]
    found = neovim(tmp_path, *steps, words=("slow=30@3",))
    assert found["text"] == TEXT


def test_a_checked_tactic_is_a_code_action(tmp_path: Path) -> None:
    steps: list[Step] = [["cursor", LINE, SORRY], ["choose", "Try this: rfl"], ["action"], ["shows", "by rfl"]]
    found = neovim(tmp_path, *steps)
    assert found["text"] == CLOSED
    assert any("Try this: simp (1 goal left)" in each for each in found["actions"])


def test_closing_the_goal_is_a_code_action(tmp_path: Path) -> None:
    steps: list[Step] = [["cursor", LINE, SORRY], ["choose", "Close this goal"], ["action"], ["shows", "by rfl"]]
    assert neovim(tmp_path, *steps)["text"] == CLOSED


def test_a_suggestion_is_chosen_from_a_menu(tmp_path: Path) -> None:
    steps: list[Step] = [["cursor", LINE, SORRY], ["choose", "simp"], ["ex", "TacitSuggest"], ["shows", "by simp"]]
    found = neovim(tmp_path, *steps)
    assert found["text"] == TEXT.replace("sorry", "simp")
    assert found["actions"] == ["rfl", "simp  (1 left)"]


def test_a_key_completes_the_tactic(tmp_path: Path) -> None:
    steps: list[Step] = [["cursor", LINE + 1, 2], ["type", "A<M-t>"], ["shows", "\n  rfl"]]
    found = neovim(tmp_path, *steps, text=UNFINISHED)
    assert found["text"] == f"{WORLD}{THEOREM}\n  rfl\n"


def test_what_is_typed_counts_before_it_is_saved(tmp_path: Path) -> None:
    """Edits go through with every column after characters of four bytes and two units."""
    steps: list[Step] = [
        ["cursor", LINE, SORRY], ["type", "i 𝕜𝕜𝕜 <Esc>"], ["type", "u"], ["cursor", 1, 0],
        ["type", "O-- 𝓝 𝕜 added above<Esc>"], ["cursor", LINE + 1, SORRY], ["ex", "TacitClose"],
        ["hears", "Closed the goal"],
    ]  # fmt: skip
    found = neovim(tmp_path, *steps)
    assert found["text"] == f"-- 𝓝 𝕜 added above\n{CLOSED}"
