"""The real sidecar in a real VS Code, with a real Lean where there is one, else with what a real Lean answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psutil
import pytest

from tests.e2e.browser import PATIENCE
from tests.e2e.code_server import until
from tests.e2e.conftest import OpenWindow, Window
from tests.e2e.editor import LENS, STATUS_ITEM
from tests.e2e.lean import Lean

pytestmark = [pytest.mark.e2e, pytest.mark.lean, pytest.mark.usefixtures("who_answers")]

LOOKS = {"editor.fontSize": 16, "editor.minimap.enabled": False, "breadcrumbs.enabled": False}

AND_SWAP = "theorem and_swap (p q : Prop) (h : p ∧ q) : q ∧ p := by"


@pytest.fixture(scope="module")
def window(open_window: OpenWindow, sidecar: Mapping[str, Any]) -> Window:
    window = open_window({**LOOKS, **sidecar})
    window.editor.press("Control+B")  # the side bar takes a third of every picture
    return window


def test_ghost_text_after_by_is_a_proof(window: Window, lean: Lean) -> None:
    editor = window.editor
    editor.open("Ghost.lean", f"{AND_SWAP}\n")
    editor.press("End")
    tactic = editor.ghost().strip()
    window.picture("ghost-text", 180)
    editor.press("Tab")
    assert editor.saved("Ghost.lean", tactic).startswith(AND_SWAP)
    assert lean.accepts(editor.folder / "Ghost.lean")


def test_ghost_text_after_by_and_a_space(window: Window, lean: Lean) -> None:
    editor = window.editor
    editor.open("Space.lean", f"{AND_SWAP}\n")
    editor.press("End")
    editor.type(" ")
    tactic = editor.ghost()
    editor.press("Tab")
    editor.saved("Space.lean", tactic.strip())
    assert lean.accepts(editor.folder / "Space.lean")


def test_ghost_text_follows_typing(window: Window, lean: Lean) -> None:
    editor = window.editor
    editor.open("Typing.lean", "")
    editor.type("theorem two_times (n : Nat) (h : n = 3) : n = 3 := by\n  ")
    tactic = editor.ghost()
    editor.press("Tab")
    editor.saved("Typing.lean", tactic)
    assert lean.accepts(editor.folder / "Typing.lean")


def test_alternatives_of_ghost_text_are_paged_through(window: Window, lean: Lean) -> None:
    editor = window.editor
    editor.open("Pages.lean", f"{AND_SWAP}\n")
    editor.press("End")
    first = editor.ghost()
    editor.press("Alt+]")

    def other() -> str | None:
        shown = editor.ghost()
        return shown if shown != first else None

    second = until(other, PATIENCE, "there is no other")
    editor.press("Tab")
    editor.saved("Pages.lean", second.strip())
    assert lean.accepts(editor.folder / "Pages.lean")


def test_a_hover_says_what_ghost_text_closes(window: Window) -> None:
    editor = window.editor
    editor.open("Hover.lean", f"{AND_SWAP}\n")
    editor.press("End")
    tactic = editor.ghost().strip()
    editor.run("Show or Focus Hover")
    editor.browser.wait(".monaco-hover", text="closes the goal · Tacit, ")
    assert any(tactic in each for each in editor.browser.texts(".monaco-hover"))


def test_the_doctor_is_shown(window: Window, lean: Lean) -> None:
    if lean.install is None or lean.recording:
        pytest.skip("the recorded sidecar is started in a way of its own")
    window.editor.open("Doctor.lean", "")
    window.editor.run("Tacit: Doctor")
    window.editor.browser.wait("h1", text="Suggestions work.", frame="Doctor", timeout=2 * PATIENCE)
    assert any(lean.version in row for row in window.editor.browser.texts("tr", "Doctor"))


def test_a_quick_fix_takes_the_place_of_a_sorry(window: Window, lean: Lean) -> None:
    editor = window.editor
    text = f"{AND_SWAP}\n  sorry\n\ntheorem below : True := trivial\n"
    editor.open("Fix.lean", text)
    editor.put_cursor(2, 5)
    first, *_ = editor.quick_fixes("Try this:")
    window.picture("quick-fixes", 420)
    editor.choose_quick_fix(first)
    tactic = first.removeprefix("Try this: ")
    assert editor.saved("Fix.lean", tactic.split()[0] + " ") != text
    assert lean.accepts(editor.folder / "Fix.lean")


def test_the_command_closes_the_goal(window: Window, lean: Lean) -> None:
    editor = window.editor
    editor.open("Close.lean", "theorem symm_trans (a b c : Nat) (h : a = b) (g : c = b) : c = a := by\n  sorry\n")
    editor.put_cursor(2, 3)
    editor.run("Tacit: Close This Goal")
    until(lambda: "sorry" not in editor.saved("Close.lean", "by") or None, PATIENCE, "the goal is not closed")
    assert lean.accepts(editor.folder / "Close.lean")


def test_a_lens_above_a_sorry_closes_the_goal(window: Window, lean: Lean) -> None:
    editor = window.editor
    editor.open("Lens.lean", f"{AND_SWAP}\n  sorry\n")
    editor.browser.wait(LENS, text="Close this goal")
    window.picture("code-lens", 180)
    editor.browser.click(LENS, text="Close this goal")
    until(lambda: "sorry" not in editor.saved("Lens.lean", "by") or None, PATIENCE, "the goal is not closed")
    assert lean.accepts(editor.folder / "Lens.lean")
    editor.press("Control+Z")
    editor.saved("Lens.lean", "sorry")


def test_a_goal_that_no_tactic_closes_is_named_so(window: Window) -> None:
    editor = window.editor
    editor.open("Open.lean", "theorem too_much (p q : Prop) : p → q := by\n  sorry\n")
    editor.put_cursor(2, 3)
    editor.run("Tacit: Close This Goal")
    editor.notification("tactics tried")  # of one step where recordings answer, else of a search


def test_closing_a_goal_can_be_stopped_from_the_status_bar(window: Window, lean: Lean) -> None:
    if lean.install is None or lean.recording:
        pytest.skip("recordings answer for one step, which is too short to be stopped")
    editor = window.editor
    text = "theorem hard (f : Nat → Nat) (h : ∀ n, f (f n) < f (n + 1)) : ∀ n, f n = n := by\n  sorry\n"
    editor.open("Stop.lean", text)
    editor.put_cursor(2, 3)
    editor.run("Tacit: Close This Goal")
    editor.browser.wait(STATUS_ITEM, text="Tacit: ")
    window.picture("close-goal")
    editor.browser.click(STATUS_ITEM)
    editor.browser.gone(STATUS_ITEM, text="Tacit: ")
    editor.browser.gone(".notifications-toasts", text="closing this goal")
    assert editor.saved("Stop.lean", "hard") == text


def test_the_status_names_lean(window: Window, lean: Lean) -> None:
    window.editor.open("Status.lean", "")
    window.editor.run("Tacit: Show Status")
    window.editor.notification(lean.version)


@pytest.mark.live
def test_a_killed_sidecar_comes_back_and_leaves_no_lean_behind(window: Window, lean: Lean) -> None:
    if lean.install is None or lean.recording:
        pytest.skip("a recording ends with the sidecar that makes it")
    editor = window.editor
    editor.open("Killed.lean", f"{AND_SWAP}\n")
    editor.press("End")
    editor.ghost()
    (before,) = window.server.sidecars("tacit serve")
    children = before.children(recursive=True)
    assert children
    before.kill()
    _, left = psutil.wait_procs(children, timeout=PATIENCE)
    assert not left
    editor.press("Home")
    until(lambda: window.server.sidecars("tacit serve"), PATIENCE, "the sidecar does not come back")
    editor.press("End")
    assert editor.ghost()
