"""The extension in a real VS Code, with a sidecar that always says the same: does what it says reach the screen?"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.e2e import fake_sidecar
from tests.e2e.browser import PATIENCE
from tests.e2e.code_server import CodeServer, until
from tests.e2e.conftest import OpenWindow, Window
from tests.e2e.editor import GHOST, LENS, STATUS_ITEM

pytestmark = pytest.mark.e2e

FAKE = Path(__file__).with_name("fake_sidecar.py")


@pytest.fixture(scope="module")
def window(open_window: OpenWindow) -> Window:
    return open_window({"tacit.serverPath": sys.executable, "tacit.serverArgs": [str(FAKE)]})


def _answering(server: CodeServer, apart_from: set[int]) -> list[psutil.Process]:
    """The sidecars that the extension has an answer from."""
    log = server.log()
    found = server.sidecars(FAKE.name)
    return [each for each in found if each.pid not in apart_from and f"runs as process {each.pid}." in log]


def test_ghost_text_appears_while_typing_and_tab_accepts_it(window: Window) -> None:
    editor = window.editor
    editor.open("Typing.lean", "")
    editor.type("theorem t : 1 = 1 := by ")
    assert editor.ghost() == fake_sidecar.GHOST
    window.picture("harness-ghost-text")
    editor.press("Tab")
    assert editor.saved("Typing.lean", "rfl") == f"theorem t : 1 = 1 := by {fake_sidecar.GHOST}"


def test_ghost_text_appears_when_the_cursor_arrives(window: Window) -> None:
    editor = window.editor
    editor.open("Arrival.lean", "theorem t : 1 = 1 := by\n")
    editor.press("End")
    assert editor.ghost() == fake_sidecar.GHOST


def test_a_quick_fix_replaces_a_sorry(window: Window) -> None:
    editor = window.editor
    editor.open("Fix.lean", "theorem t : True := by sorry\n")
    editor.put_cursor(1, 26)
    title = f"Try this: {fake_sidecar.TRY_THIS}"
    assert title in editor.quick_fixes(title)
    window.picture("harness-quick-fix")
    editor.choose_quick_fix(title)
    assert editor.saved("Fix.lean", "trivial") == "theorem t : True := by trivial\n"


def test_the_command_closes_the_goal_under_the_cursor(window: Window) -> None:
    editor = window.editor
    editor.open("Close.lean", "theorem t : True := by sorry\n")
    editor.put_cursor(1, 26)
    editor.run("Tacit: Close This Goal")
    editor.browser.wait(".notifications-toasts", text="closing this goal")
    assert editor.saved("Close.lean", "decide") == "theorem t : True := by decide\n"


def test_other_proofs_take_the_place_of_the_one_that_was_put_in(window: Window) -> None:
    editor = window.editor
    editor.open("Others.lean", "theorem t : True := by sorry\n")
    editor.put_cursor(1, 26)
    editor.run("Tacit: Close This Goal")
    editor.saved("Others.lean", "decide")
    for other, whole in (("show True", "by show True\n  trivial\n"), ("constructor", "by constructor\n")):
        editor.run("Tacit: Other Proofs Found")
        editor.browser.click(".quick-input-list .monaco-list-row", text=other)
        assert editor.saved("Others.lean", whole) == f"theorem t : True := {whole}"
    editor.press("Control+Z")
    assert editor.saved("Others.lean", "show True").endswith("by show True\n  trivial\n"), "one step back"


def test_the_status_is_shown(window: Window) -> None:
    window.editor.open("Status.lean", "")
    until(partial(_answering, window.server, set()), PATIENCE, "no sidecar runs")
    window.editor.run("Tacit: Show Status")
    window.editor.notification("Lean 4.0.0 is ready.")
    window.editor.notification("Model (starting): tiny, as `tacit models use` says.")


def test_the_status_bar_says_what_each_part_does(window: Window) -> None:
    editor = window.editor
    editor.open("Bar.lean", "")
    editor.browser.hover(STATUS_ITEM)
    for said in ("Sidecar 0 runs", "Lean 4.0.0 is ready", "tiny, as"):
        editor.browser.wait(".workbench-hover", text=said)
    window.picture("harness-status-bar")


def test_a_lens_above_a_sorry_closes_the_goal(window: Window) -> None:
    editor = window.editor
    editor.open("Lens.lean", "-- sorry\ntheorem t : True := by\n  sorry\n")
    editor.browser.wait(LENS, text="Close this goal")
    until(lambda: len(editor.browser.texts(LENS)) == 1, PATIENCE, "not one lens alone")
    editor.browser.click(LENS, text="Close this goal")
    editor.saved("Lens.lean", "decide")
    editor.browser.gone(LENS)


def test_lenses_can_be_switched_off(window: Window) -> None:
    editor = window.editor
    editor.open("Off.lean", "theorem t : True := by\n  sorry\n")
    editor.browser.wait(LENS, text="Close this goal")
    editor.settings({"tacit.codeLens": "off"})
    editor.browser.gone(LENS)
    editor.settings({})
    editor.browser.wait(LENS, text="Close this goal")


def test_symbols_of_the_workspace_are_listed(window: Window) -> None:
    editor = window.editor
    editor.open("Symbols.lean", "")
    until(partial(_answering, window.server, set()), PATIENCE, "no sidecar runs")
    editor.symbols("lemma_of_all")
    editor.browser.wait(".quick-input-list .monaco-list-row", text="lemma_of_all")
    editor.press("Escape")


def test_the_panel_of_suggestions_asks_nothing_while_it_is_hidden(window: Window) -> None:
    editor = window.editor
    editor.open("Hidden.lean", "-- 1\n-- 2\n-- 3\n-- 4\n")
    editor.run("Tacit: Show Suggestions")
    until(lambda: "suggestions for line 1" in window.server.log(), PATIENCE, "it is not asked")
    editor.browser.wait("[role=listbox]:focus", frame="Suggestions")
    editor.back()
    editor.put_cursor(2, 1)
    until(lambda: "suggestions for line 2" in window.server.log(), PATIENCE, "it does not follow")
    editor.press("Control+Shift+E")
    editor.browser.wait(".explorer-folders-view")
    editor.put_cursor(3, 1)
    for _ in range(3):
        editor.browser.settle()
    assert "suggestions for line 3" not in window.server.log()
    editor.run("Tacit: Show Suggestions")
    until(lambda: "suggestions for line 3" in window.server.log(), PATIENCE, "it does not follow again")


@pytest.mark.parametrize(
    ("directive", "script"),
    [
        ("script-src", "document.body.append(Object.assign(document.createElement('script'), {textContent: '1'}))"),
        ("img-src", "document.body.append(Object.assign(new Image(), {src: 'https://nowhere.invalid/x.png'}))"),
        ("connect-src", "fetch('https://nowhere.invalid/').catch(() => 0)"),
    ],
)
def test_pages_let_in_nothing_from_elsewhere(window: Window, directive: str, script: str) -> None:
    window.editor.open("Policy.lean", "")
    window.editor.run("Tacit: Search Lemmas")
    window.editor.browser.wait("#question:focus", frame="Search")
    blocked = f"""new Promise((resolve) => {{
      document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective))
      {script}
    }})"""
    assert window.editor.browser.evaluate(blocked, frame="Search").startswith(directive)
    window.editor.back()


def test_what_was_taken_is_counted_and_drawn(window: Window) -> None:
    editor = window.editor
    editor.open("Forgotten.lean", "")
    editor.run("Tacit: Forget My Figures")
    editor.open("Counted.lean", "theorem t : 1 = 1 := by\n")
    editor.press("End")
    editor.ghost()
    editor.press("Tab")
    editor.saved("Counted.lean", "rfl")
    editor.run("Tacit: Show My Figures")
    editor.browser.wait("tr:has(th:text-is('Ghost text')) td", text="100 %", frame="My figures")
    assert editor.browser.texts("tr:has(th:text-is('Ghost text')) td", "My figures") == ["1", "1", "100 %"]
    editor.browser.wait("svg .accepted", frame="My figures")
    window.picture("harness-figures")


def test_ghost_text_is_taken_word_by_word(window: Window) -> None:
    editor = window.editor
    editor.open("Word.lean", "theorem t : 1 = 1 := by\n")
    editor.press("End")
    editor.ghost()
    editor.press("Control+ArrowRight")  # the blank
    editor.press("Control+ArrowRight")
    assert editor.saved("Word.lean", "exact") == "theorem t : 1 = 1 := by exact\n"


def test_ghost_text_gives_way_to_an_open_list_of_completions(window: Window) -> None:
    editor = window.editor
    editor.open("List.lean", "theorem t : 1 = 1 := by ")
    editor.press("Control+End")
    editor.ghost()
    editor.press("Control+Space")
    editor.browser.wait(".suggest-widget.visible .monaco-list-row")
    editor.browser.gone(GHOST)
    editor.press("Escape")
    editor.browser.gone(".suggest-widget.visible")
    editor.type(" ")
    editor.ghost()


def test_ghost_text_gives_way_to_an_abbreviation(window: Window) -> None:
    editor = window.editor
    editor.open("Abbreviation.lean", "theorem t : 1 = 1 := by ")
    editor.press("Control+End")
    editor.ghost()
    editor.type("\\")
    editor.browser.gone(GHOST)
    editor.press("Backspace")
    editor.ghost()


def test_a_sidecar_that_is_killed_comes_back(window: Window) -> None:
    editor = window.editor
    editor.open("Killed.lean", "theorem t : 1 = 1 := by\n")
    (before,) = until(partial(_answering, window.server, set()), PATIENCE, "no sidecar runs")
    before.kill()
    until(partial(_answering, window.server, {before.pid}), PATIENCE, "the sidecar does not come back")
    editor.put_cursor(1, 24)
    editor.type(" ")
    assert editor.ghost() == fake_sidecar.GHOST


def test_a_sidecar_that_keeps_dying_stays_off_until_asked_for(window: Window) -> None:
    editor = window.editor
    editor.open("Dying.lean", "theorem t : 1 = 1 := by\n")
    killed: set[int] = set()
    said = "ended 5 times in 3 minutes and stays off"

    def dies_or_stays_off() -> bool:
        for sidecar in _answering(window.server, killed):
            killed.add(sidecar.pid)
            sidecar.kill()
        return any(said in text for text in editor.notifications())

    until(dies_or_stays_off, PATIENCE, "it is started again and again")
    assert not _answering(window.server, killed)
    editor.press_button("Restart Tacit", of="stays off")
    until(partial(_answering, window.server, killed), PATIENCE, "the button does not start it")


def test_a_sidecar_that_cannot_be_had_is_named_and_another_one_taken_at_once(window: Window) -> None:
    editor = window.editor
    editor.open("Missing.lean", "theorem t : 1 = 1 := by\n")
    editor.settings({"tacit.serverPath": "/nowhere/tacit"})
    editor.notification("names ‘/nowhere/tacit’, but there is no such program")
    until(lambda: not window.server.sidecars(FAKE.name), PATIENCE, "the sidecar before it still runs")

    editor.settings({"tacit.serverPath": "false"})
    editor.notification("sidecar ended while it started")

    editor.settings({})
    until(lambda: window.server.sidecars(FAKE.name), PATIENCE, "the sidecar that works is not started")
    editor.press("End")
    assert editor.ghost() == fake_sidecar.GHOST


def test_a_missing_sidecar_offers_the_settings(window: Window) -> None:
    editor = window.editor
    editor.open("Button.lean", "")
    editor.settings({"tacit.serverPath": "/nowhere/else"})
    editor.notification("/nowhere/else")
    window.picture("harness-sidecar-missing")
    editor.press_button("Open Settings", of="/nowhere/else")
    editor.browser.wait(".settings-editor .setting-item-label", text="Server Path")
