"""The panels in the side bar of a real VS Code, with the real sidecar over a small library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.e2e.browser import PATIENCE
from tests.e2e.code_server import until
from tests.e2e.conftest import OpenWindow, Window
from tests.e2e.lean import Lean

pytestmark = [pytest.mark.e2e, pytest.mark.lean, pytest.mark.usefixtures("who_answers")]

LOOKS = {"editor.fontSize": 15, "editor.minimap.enabled": False, "breadcrumbs.enabled": False}
LIBRARY = """/-! # A library -/

/-- The two sides of a conjunction change places. -/
theorem Library.swap_sides {p q : Prop} (h : p ∧ q) : q ∧ p :=
  ⟨h.2, h.1⟩

/-- Addition of natural numbers has zero on the right. -/
theorem Library.zero_on_the_right (n : Nat) : n + 0 = n :=
  rfl
"""
FILES = {
    "lakefile.toml": 'name = "panels"\n\n[[lean_lib]]\nname = "Library"\n',
    "Library/Sides.lean": LIBRARY,
}
HEADER = "/-\nWritten for a test.\n-/\n\n/-! # What follows is about sides -/\n\n"
SEARCH, SUGGESTIONS = "Search", "Suggestions"
HIT, SUGGESTION = "#hits .hit", ".suggestion"
SELECTED = "[aria-selected=true]"


@pytest.fixture(scope="module")
def window(open_window: OpenWindow, sidecar: Mapping[str, Any]) -> Window:
    return open_window({**LOOKS, **sidecar}, FILES)


def find(window: Window, question: str, name: str) -> None:
    """Search for something until a lemma is found first: the index is made while the editor starts."""
    editor = window.editor
    editor.run("Tacit: Search Lemmas")
    editor.browser.wait("#question:focus", frame=SEARCH)
    editor.type(question)
    editor.browser.wait(f"{HIT}{SELECTED}", text=name, frame=SEARCH)


def test_search_inserts_a_lemma_with_the_import_that_it_needs_and_one_undo_takes_it_back(window: Window) -> None:
    editor = window.editor
    text = f"{HEADER}theorem t (p q : Prop) (h : p ∧ q) : q ∧ p :=\n  "
    editor.open("Insert.lean", text)
    editor.put_cursor(8, 3)
    find(window, "sides of a conjunction", "Library.swap_sides")
    editor.browser.wait(".module", text="Library.Sides · not imported", frame=SEARCH)
    window.picture("search-panel")
    editor.press("Control+Enter")
    written = editor.saved("Insert.lean", "Library.swap_sides")
    assert written == text.replace("\n-/\n", "\n-/\nimport Library.Sides\n", 1) + "Library.swap_sides"
    editor.focused()
    editor.press("Control+Z")
    until(lambda: editor.saved("Insert.lean", "theorem") == text, PATIENCE, "one undo does not take it back")


def test_what_is_imported_is_not_imported_again(window: Window) -> None:
    editor = window.editor
    editor.open("Again.lean", "import Library.Sides\n\nexample : 1 + 0 = 1 := ")
    editor.put_cursor(3, 24)
    find(window, "zero on the right", "Library.zero_on_the_right")
    editor.press("Control+Enter")
    text = editor.saved("Again.lean", "zero_on_the_right")
    assert text == "import Library.Sides\n\nexample : 1 + 0 = 1 := Library.zero_on_the_right"


def test_arrows_choose_and_a_key_opens_the_source(window: Window) -> None:
    editor = window.editor
    editor.open("Definition.lean", "")
    find(window, "module:Library.Sides", "Library.")
    until(lambda: len(editor.browser.texts(HIT, SEARCH)) == 2, PATIENCE, "not both lemmas are found")
    second = editor.browser.texts(f"{HIT} .title", SEARCH)[1]
    editor.press("ArrowDown")
    editor.browser.wait(f"{HIT}{SELECTED}", text=second, frame=SEARCH)
    editor.press("F12")
    editor.browser.wait(".tab.active", text="Sides.lean")
    line = 1 + LIBRARY.split("\n").index(next(line for line in LIBRARY.split("\n") if second in line))
    editor.browser.wait(".statusbar-item", text=f"Ln {line}")


def test_escape_goes_back_to_the_editor(window: Window) -> None:
    editor = window.editor
    editor.open("Escape.lean", "")
    find(window, "conjunction", "Library.swap_sides")
    editor.back()
    editor.type("-- here")
    editor.saved("Escape.lean", "-- here")


def test_the_question_stays_while_the_panel_is_hidden(window: Window) -> None:
    editor = window.editor
    editor.open("Kept.lean", "")
    find(window, "conjunction", "Library.swap_sides")
    editor.press("Control+Shift+E")
    editor.browser.wait(".explorer-folders-view")
    editor.run("Tacit: Search Lemmas")
    editor.browser.wait(f"{HIT}{SELECTED}", text="Library.swap_sides", frame=SEARCH)


def test_search_from_the_goal_at_the_cursor(window: Window) -> None:
    editor = window.editor
    editor.open("Goal.lean", "theorem t (a b : Prop) (h : a ∧ b) : b ∧ a := by\n  sorry\n")
    find(window, "zero on the right", "Library.zero_on_the_right")
    editor.back()
    editor.put_cursor(2, 4)
    editor.press("Control+K")
    editor.press("g")
    editor.browser.wait(HIT, text="Library.swap_sides", frame=SEARCH)
    editor.browser.wait("#sentence", text="declarations", frame=SEARCH)
    assert "Goal" not in editor.browser.texts(".module", SEARCH)  # the theorem itself


def test_suggestions_show_the_goals_they_leave_against_the_goal_before(window: Window) -> None:
    editor = window.editor
    editor.open("Left.lean", "theorem t (p q r : Prop) (h : p → q) : p → q ∧ r := by\n  sorry\n")
    editor.put_cursor(2, 4)
    editor.run("Tacit: Show Suggestions")
    editor.browser.wait(f"{SUGGESTION} .goal .added", text="+ hp : p", frame=SUGGESTIONS)
    editor.browser.wait(".sentence", text="tried in", frame=SUGGESTIONS)
    assert "h : p → q" in "\n".join(editor.browser.texts(".goal-before", SUGGESTIONS))
    assert all(" left" in each for each in editor.browser.texts(".outcome", SUGGESTIONS))
    window.picture("suggestions-panel")


def test_suggestions_are_inserted_by_enter(window: Window, lean: Lean) -> None:
    editor = window.editor
    editor.open("Panel.lean", "theorem t (p q : Prop) (hp : p) (hq : q) : p → p ∧ q := by\n  sorry\n")
    editor.put_cursor(2, 4)
    editor.run("Tacit: Show Suggestions")
    editor.browser.wait(".closes .outcome", text="closes the goal", frame=SUGGESTIONS)
    editor.browser.wait(".sentence", text="tried in", frame=SUGGESTIONS)
    first, *_ = editor.browser.texts(f"{SUGGESTION} .tactic", SUGGESTIONS)
    editor.browser.wait("[role=listbox]:focus", frame=SUGGESTIONS)
    editor.press("Enter")
    editor.focused()
    editor.saved("Panel.lean", first)
    assert lean.accepts(editor.folder / "Panel.lean")


def test_suggestions_follow_the_cursor_and_pause(window: Window) -> None:
    editor = window.editor
    text = "theorem a (p : Prop) (h : p) : p := by\n  sorry\n\ntheorem b (r : Prop) (k : r) : r := by\n  sorry\n"
    editor.open("Follow.lean", text)
    editor.run("Tacit: Show Suggestions")
    editor.browser.wait("[role=listbox]:focus", frame=SUGGESTIONS)
    editor.back()
    editor.put_cursor(2, 4)
    editor.browser.wait(".goal-before", text="h : p", frame=SUGGESTIONS)
    editor.put_cursor(5, 4)
    editor.browser.wait(".goal-before", text="k : r", frame=SUGGESTIONS)
    editor.run("Tacit: Pause Suggestions")
    editor.put_cursor(2, 4)
    editor.browser.settle()
    editor.browser.settle()
    assert "k : r" in "\n".join(editor.browser.texts(".goal-before", SUGGESTIONS))
    editor.run("Tacit: Follow the Cursor Again")
    editor.browser.wait(".goal-before", text="h : p", frame=SUGGESTIONS)
