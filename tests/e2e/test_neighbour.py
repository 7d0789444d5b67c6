"""The extension beside the official one: it is asked what its Lean knows, and nothing stands on the screen twice."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

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
# What the official extension gives to others, as its source has it: the features come as a promise.
MAIN = """
const client = {
  sendRequest: async (method, { position }) =>
    method === '$/lean/plainGoal' && position.line === 1
      ? { rendered: '', goals: ['h : p\\n⊢ what_the_neighbour = knows'] }
      : null,
}
const { Diagnostic, DiagnosticSeverity, Range, languages, window } = require('vscode')

/** Where Lean says that goals are left: the whole proof, in VS Code its first line. */
function unsolved(document) {
  const diagnostic = new Diagnostic(new Range(0, 23, 0, 25), 'unsolved goals\\n⊢ 1 = 1', DiagnosticSeverity.Error)
  diagnostic.fullRange = new Range(0, 23, 1, 13)
  return document.getText().includes('constructor') ? [diagnostic] : []
}

exports.activate = () => {
  const all = languages.createDiagnosticCollection('lean4')
  const show = (editor) => editor && all.set(editor.document.uri, unsolved(editor.document))
  window.onDidChangeActiveTextEditor(show)
  show(window.activeTextEditor)
  return { lean4EnabledFeatures: Promise.resolve({ clientProvider: { getActiveClient: () => client } }) }
}
"""


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


def test_the_goal_to_search_from_is_the_one_that_its_lean_knows(window: Window) -> None:
    editor = window.editor
    editor.open("Goal.lean", "theorem t : 1 = 1 := by\n  sorry\n")
    until(lambda: window.server.sidecars(FAKE.name), 15, "no sidecar runs")
    editor.put_cursor(2, 3)
    editor.run("Tacit: Search Lemmas from This Goal")
    editor.browser.wait(".statement", text="⊢ what_the_neighbour = knows", frame="Search", timeout=20)


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
