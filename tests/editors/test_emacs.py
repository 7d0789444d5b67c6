"""The recipes for Emacs, lsp-mode and Eglot, in a real Emacs without a window, with the sidecar and a scripted Lean.

Skipped where there is no `emacs`, or not the package.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.editors.setting import CLOSED, ROOT, TEXT, run

RECIPES = ROOT / "docs" / "editors"
DRIVER = Path(__file__).with_name("driver.el")
READY = {
    "eglot": '(tacit-test-wait "eglot" (lambda () (and (eglot-current-server) eglot--managed-mode)))',
    "lsp": """(progn (setq lsp-session-file (expand-file-name "session") lsp-restart 'ignore
                           lsp-enable-file-watchers nil lsp-enable-suggest-server-download nil)
                     (lsp-workspace-folders-add default-directory) (lsp)
                     (tacit-test-wait "lsp" (lambda () (and (lsp-workspaces)
                       (seq-every-p (lambda (each) (eq 'initialized (lsp--workspace-status each)))
                                    (lsp-workspaces))))))""",
}
PACKAGES = {"eglot": "eglot", "lsp": "lsp-mode"}


@cache
def missing(package: str) -> str:
    """Why a package cannot be tested here; empty where it can."""
    if shutil.which("emacs") is None:
        return "There is no Emacs here (apt install emacs-nox elpa-eglot elpa-lsp-mode)."
    command = ["emacs", "--batch", "-q", "--eval", f"(progn (package-initialize) (require '{package}))"]
    found = subprocess.run(command, capture_output=True, check=False)
    return "" if found.returncode == 0 else f"This Emacs has no {package} (apt install elpa-{package})."


@pytest.fixture(params=sorted(READY))
def kind(request: pytest.FixtureRequest) -> str:
    which: str = request.param
    if why := missing(PACKAGES[which]):
        pytest.skip(why)
    return which


def emacs(folder: Path, kind: str, *forms: str, text: str = TEXT, words: Sequence[str] = ()) -> dict[str, Any]:
    """Open the file, wait for Tacit, evaluate the forms; what was noted."""
    load = [part for file in (RECIPES / f"tacit-{kind}.el", DRIVER) for part in ("-l", str(file))]
    command = ["emacs", "--batch", "-q", "--eval", "(package-initialize)", *load]
    return run(folder, command, {"TACIT_DO": f"({READY[kind]} {' '.join(forms)})"}, text=text, words=words)


def test_the_command_closes_the_goal(tmp_path: Path, kind: str) -> None:
    found = emacs(
        tmp_path, kind, '(tacit-test-go "sorry")', "(tacit-close-goal)", '(tacit-test-hears "Closed the goal")'
    )
    assert found["text"] == CLOSED
    assert "Closed the goal with `rfl`." in found["notices"]


def test_a_suggestion_is_chosen_from_a_menu(tmp_path: Path, kind: str) -> None:
    found = emacs(
        tmp_path, kind, '(tacit-test-go "sorry")', '(setq tacit-test-choice "simp")', "(tacit-suggest)",
        '(tacit-test-shows "by simp")',
    )  # fmt: skip
    assert found["text"] == TEXT.replace("sorry", "simp")
    assert found["actions"] == ["rfl", "simp  (1 left)"]


def test_a_checked_tactic_is_a_code_action(tmp_path: Path, kind: str) -> None:
    actions = {
        "eglot": "(call-interactively 'eglot-code-actions)",
        "lsp": "(lsp-execute-code-action (seq-find (lambda (each) (string-match-p (regexp-quote tacit-test-choice)"
        " (lsp-get each :title))) (lsp-code-actions-at-point)))",
    }
    act = f"(tacit-test-try (lambda () {actions[kind]}))"
    found = emacs(
        tmp_path, kind, '(tacit-test-go "sorry")', '(setq tacit-test-choice "Try this: rfl")', act,
        '(tacit-test-shows "by rfl")',
    )  # fmt: skip
    assert found["text"] == CLOSED


def test_what_is_typed_counts_before_it_is_saved(tmp_path: Path, kind: str) -> None:
    found = emacs(
        tmp_path, kind, "(goto-char (point-min))", '(insert "-- 𝓝 𝕜 added above\\n")', '(tacit-test-go "sorry")',
        '(insert "(𝕜𝕜)")', "(delete-char -4)", "(tacit-close-goal)", '(tacit-test-hears "Closed the goal")',
    )  # fmt: skip
    assert found["text"] == f"-- 𝓝 𝕜 added above\n{CLOSED}"
