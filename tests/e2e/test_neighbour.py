"""The extension beside the official one: it is asked what its Lean knows, and nothing stands on the screen twice."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.e2e.browser import PATIENCE
from tests.e2e.code_server import until
from tests.e2e.conftest import OpenWindow, Window
from tests.e2e.editor import LENS

pytestmark = pytest.mark.e2e

FAKE = Path(__file__).with_name("fake_sidecar.py")
MANIFEST = {
    "name": "lean4",
    "publisher": "leanprover",
    "version": "0.0.1",
    "engines": {"vscode": "^1.91.0"},
    "main": "./main.js",
    "activationEvents": ["onLanguage:lean4"],
}
# What the official extension gives to others, as version 0.0.239 does: the features come as a promise, which is kept
# only when it has found a Lean to run (here: when Installed.lean is opened); until the user has said whether to install
# one, it is pending. What is being processed stands under keys that are objects, the newest last.
MAIN = """
const { Diagnostic, DiagnosticSeverity, Range, languages, window } = require('vscode')

const progress = new Map()
const client = {
  running: true,
  progress,
  sendRequest: async (method, { position }) =>
    method === '$/lean/plainGoal' && position.line === 1
      ? { rendered: '', goals: ['h : p\\n⊢ what_the_neighbour = knows'] }
      : null,
}

/** A file that says so is elaborated down to its second line, and never further. */
function processing(document) {
  const end = { line: document.lineCount, character: 0 }
  return document.getText().includes('-- slow') ? [{ range: { start: { line: 1, character: 0 }, end }, kind: 1 }] : []
}

/** Where Lean says that goals are left: the whole proof, in VS Code its first line. */
function unsolved(document) {
  const diagnostic = new Diagnostic(new Range(0, 23, 0, 25), 'unsolved goals\\n⊢ 1 = 1', DiagnosticSeverity.Error)
  diagnostic.fullRange = new Range(0, 23, 1, 13)
  return document.getText().includes('constructor') ? [diagnostic] : []
}

exports.activate = () => {
  const all = languages.createDiagnosticCollection('lean4')
  let found
  const lean4EnabledFeatures = new Promise((resolve) => (found = resolve))
  const show = (editor) => {
    if (!editor) return
    const { document } = editor
    all.set(document.uri, unsolved(document))
    // Each news has a key of its own, and what it was before stays there.
    const key = () => ({ toString: () => document.uri.toString() })
    progress.set(key(), [{ range: { start: { line: 0, character: 0 }, end: { line: 1, character: 0 } }, kind: 1 }])
    progress.set(key(), processing(document))
    if (document.fileName.endsWith('Installed.lean')) found({ clientProvider: { getActiveClient: () => client } })
  }
  window.onDidChangeActiveTextEditor(show)
  show(window.activeTextEditor)
  return { alwaysEnabledFeatures: {}, lean4EnabledFeatures }
}
"""
GOAL = "theorem t : 1 = 1 := by\n  sorry\n"
SAID = """(() => {
  window.said = []
  const note = () => said.push(document.querySelector('.sentence').textContent)
  new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true })
})()"""
"""From now on the panel notes what it says, however short it stands there."""
OF_TACIT, OF_NEIGHBOUR = "⊢ 1 = 1", "⊢ what_the_neighbour = knows"


@pytest.fixture(scope="module")
def extensions(extensions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("neighbours") / "extensions"
    # What the editor has noted down of the folder would hide the one that is added.
    shutil.copytree(extensions, folder, ignore=shutil.ignore_patterns("extensions.json"))
    official = folder / "leanprover.lean4"
    official.mkdir()
    (official / "package.json").write_text(json.dumps(MANIFEST), encoding="utf-8")
    (official / "main.js").write_text(MAIN, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def window(open_window: OpenWindow) -> Window:
    return open_window({"tacit.serverPath": sys.executable, "tacit.serverArgs": [str(FAKE)]})


@pytest.fixture
def neighbour(window: Window) -> Window:
    """The window, when the other extension has found its Lean."""
    window.editor.open("Installed.lean", "")
    return window


def search_from_goal(window: Window, name: str, text: str) -> None:
    """Ask for lemmas for the goal in the second line of a file."""
    editor = window.editor
    editor.open(name, text)
    until(lambda: window.server.sidecars(FAKE.name), PATIENCE, "no sidecar runs")
    editor.put_cursor(2, 3)
    editor.run("Tacit: Search Lemmas from This Goal")


def test_while_it_has_no_lean_the_goal_is_the_one_that_tacits_lean_knows(window: Window) -> None:
    search_from_goal(window, "None.lean", GOAL)
    window.editor.browser.wait(".statement", text=OF_TACIT, frame="Search")


def test_the_goal_to_search_from_is_the_one_that_its_lean_knows(neighbour: Window) -> None:
    search_from_goal(neighbour, "Goal.lean", GOAL)
    neighbour.editor.browser.wait(".statement", text=OF_NEIGHBOUR, frame="Search")


def test_its_lean_is_not_asked_for_a_goal_that_it_has_not_come_to(neighbour: Window) -> None:
    search_from_goal(neighbour, "Slow.lean", f"{GOAL}-- slow\n")
    neighbour.editor.browser.wait(".statement", text=OF_TACIT, frame="Search")


def test_the_panel_of_suggestions_gives_way_to_its_lean_but_not_for_ever(neighbour: Window) -> None:
    editor = neighbour.editor
    editor.open("Ahead.lean", "")
    editor.run("Tacit: Show Suggestions")
    editor.browser.wait("[role=listbox]:focus", frame="Suggestions")
    editor.browser.evaluate(SAID, frame="Suggestions")
    editor.back()
    editor.open("Way.lean", f"-- slow\n-- as can be\n{GOAL}")
    editor.put_cursor(4, 3)
    until(lambda: "suggestions for line 4" in neighbour.server.log(), PATIENCE, "Tacit's own Lean is never asked")
    assert any("Lean is still elaborating" in each for each in editor.browser.evaluate("said", frame="Suggestions"))


def test_symbols_are_left_to_it(window: Window) -> None:
    editor = window.editor
    editor.open("Symbols.lean", "")
    editor.symbols("lemma_of_all")
    editor.browser.wait(".quick-input-list .monaco-list-row", text="No matching workspace symbols")
    editor.press("Escape")


def test_goals_that_its_lean_says_are_unsolved_can_be_closed_from_a_lens(window: Window) -> None:
    editor = window.editor
    editor.open("Unsolved.lean", "theorem t : 1 = 1 ∧ 2 = 2 := by\n  constructor\n")
    editor.settings({"tacit.codeLens": "all"})
    editor.browser.wait(LENS, text="Close this goal")
    editor.browser.click(LENS, text="Close this goal")
    editor.notification(
        "There is no goal on line 2."
    )  # what the scripted sidecar says: it was asked for the proof's end
    editor.settings({})
    editor.browser.gone(LENS)
