"""A project that means harm, in a real VS Code: what it says is text, and before it is trusted nothing is started."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.browser import Browser
from tests.e2e.code_server import CodeServer, until
from tests.e2e.conftest import OpenWindow, Window
from tests.e2e.editor import Editor
from tests.e2e.programs import Programs
from tests.e2e.test_panels import HIT, LOOKS, SEARCH, find

pytestmark = [pytest.mark.e2e]

DOC = (
    "<img src=x onerror=\"document.title='ran'\"> <script>document.title='ran'</script> <b>bold</b> "
    "[click](command:workbench.action.closeAllEditors) &lt;i&gt; <iframe src='https://models.example'></iframe> planted"
)
FILES = {
    "lakefile.toml": 'name = "<b>evil</b>[click](command:tacit.restart)"\n\n[[lean_lib]]\nname = "Evil"\n',
    "Evil/Html.lean": f'/-- {DOC} -/\ntheorem Evil.«<img src=x>» : "<b>x</b>" = "<b>x</b>" :=\n  rfl\n',
}


@pytest.fixture(scope="module")
def window(open_window: OpenWindow, sidecar: Mapping[str, Any]) -> Window:
    return open_window({**LOOKS, **sidecar}, FILES)


@pytest.mark.lean
@pytest.mark.usefixtures("who_answers")
def test_a_docstring_is_text_and_the_page_lets_nothing_else_in(window: Window) -> None:
    window.editor.open("Use.lean", "example : 1 = 1 := ")
    find(window, "planted bold click", "<img")
    browser = window.editor.browser
    assert [each for each in browser.texts(f"{HIT} .doc", frame=SEARCH) if DOC.split(" planted")[0] in each]
    elements = (
        "[...document.querySelectorAll('#page img, #page script, #page b, #page a, #page iframe, #page i')].length"
    )
    assert browser.evaluate(elements, frame=SEARCH) == 0
    inline = (
        "(() => { const made = document.createElement('script'); made.textContent = 'globalThis.ran = 1';"
        " document.body.append(made); return globalThis.ran ?? 0 })()"
    )
    assert browser.evaluate(inline, frame=SEARCH) == 0
    remote = (
        "new Promise((tell) => {"
        " document.addEventListener('securitypolicyviolation', (event) => tell(event.effectiveDirective));"
        " new Image().src = 'https://models.example/x'; setTimeout(() => tell('nothing'), 20000) })"
    )
    assert browser.evaluate(remote, frame=SEARCH) == "img-src"
    assert browser.evaluate("document.title", frame=SEARCH) == "Search"


@pytest.fixture
def untrusted(programs: Programs, extensions: Path, tmp_path: Path) -> Iterator[tuple[Window, Path]]:
    """A folder that nobody has said is trusted, whose settings name a program in it as the sidecar."""
    project = tmp_path / "project"
    (project / ".vscode").mkdir(parents=True)
    program = project / "tacit"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexec sleep 60\n", encoding="utf-8")
    program.chmod(0o755)
    own = json.dumps({"tacit.serverPath": str(program)})
    (project / ".vscode" / "settings.json").write_text(own, encoding="utf-8")
    settings = {**LOOKS, "security.workspace.trust.enabled": True, "security.workspace.trust.startupPrompt": "never"}
    with ExitStack() as stack:
        server = CodeServer(programs, tmp_path, extensions, settings, trusting=False)
        stack.callback(server.close)
        browser = Browser(programs)
        stack.callback(browser.close)
        yield Window(server, Editor(browser, server.url, project)), tmp_path / "ran"


def test_a_folder_starts_nothing_before_it_is_trusted(untrusted: tuple[Window, Path]) -> None:
    window, ran = untrusted
    editor = window.editor
    editor.open("A.lean", "theorem t : 1 = 1 := by\n  ")
    editor.browser.wait(".statusbar-item", text="Restricted Mode")
    editor.type("rfl")
    editor.browser.settle()
    assert not ran.exists()
    assert window.server.sidecars("tacit") == []
    # That it would have been seen: once the folder is trusted, its settings count.
    editor.run("Workspaces: Manage Workspace Trust")
    editor.browser.click(".workspace-trust-buttons .monaco-button", text="Trust")
    until(ran.exists, 60, "nothing is started in a folder that is trusted")
