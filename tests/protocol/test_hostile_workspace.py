"""A workspace in which every file wants to be started: what the sidecar does when it is opened, and when a file is."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.protocol.editor import Editor, editing, within
from tests.protocol.test_planted_modules import PLANTED
from tests.protocol.test_search import environment, until_found

TACIT = Path(sys.executable).with_name("tacit")
pytestmark = pytest.mark.skipif(not TACIT.exists(), reason="the console script is not installed")
TEXT = "theorem planted (p : Prop) (h : p) : p := by\n  sorry\n"


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Each of its files, were it started, makes a file `ran-…` outside of it."""
    root = tmp_path / "$(touch ran-shell)"
    root.mkdir()
    for name in ("lean", "lake", "elan", "python3", "python", "git", "tacit", "bwrap", "curl", ".lake/build/bin/lake"):
        program(root / name, f"touch {tmp_path}/ran-{Path(name).name}")
        program(root / "bin" / Path(name).name, f"touch {tmp_path}/ran-bin-{Path(name).name}")
    touch = f"import os\nos.close(os.open({str(tmp_path / 'ran-python')!r}, os.O_CREAT | os.O_WRONLY))\n"
    for module in (*PLANTED, "sitecustomize", "usercustomize", "conftest"):
        (root / f"{module}.py").write_text(touch, encoding="utf-8")
    (root / "lean-toolchain").write_text("mallory/evil:v6.6.6\n", encoding="utf-8")
    lakefile = (
        'import Lake\nopen Lake DSL\n#eval IO.FS.writeFile "../ran-lakefile" "x"\npackage hostile\nlean_lib Evil\n'
    )
    (root / "lakefile.lean").write_text(lakefile, encoding="utf-8")
    outside = [
        {"type": "path", "name": "etc", "dir": "../../../../../../etc"},
        {"type": "git", "name": "--help", "url": "ext::sh"},
    ]
    (root / "lake-manifest.json").write_text(json.dumps({"version": 7, "packages": outside}), encoding="utf-8")
    settings = {
        "tacit.lean.path": str(root / "lean"), "tacit.serverPath": str(root / "tacit"), "tacit.sandbox": "off",
        "tacit.model.path": str(root / "model.gguf"), "lean4.toolchainPath": str(root),
    }  # fmt: skip
    (root / ".vscode").mkdir()
    for file in (".vscode/settings.json", ".vscode/mcp.json", "tacit.json", ".tacit.json"):
        (root / file).write_text(json.dumps(settings), encoding="utf-8")
    (root / ".envrc").write_text(f"touch {tmp_path}/ran-envrc\nexport TACIT_LEAN={root}/lean\n", encoding="utf-8")
    (root / "Evil.lean").write_text(TEXT, encoding="utf-8")
    for name in ("--version.lean", "-c.lean", "a\nb.lean", "q\"u'o.lean", "`touch ran-back`.lean"):
        (root / name).write_text("theorem odd : 1 = 1 := rfl\n", encoding="utf-8")
    return root


def ran(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("ran-*"))


async def opened(editor: Editor, root: Path) -> None:
    """Open the workspace, and wait until it is indexed."""
    await editor.initialize(rootUri=root.as_uri())
    await until_found(editor, "planted", "planted")


def here(tmp_path: Path) -> dict[str, str]:
    """A machine whose Lean notes how it was started."""
    for name in ("lean", "lake"):
        program(tmp_path / "opt" / "bin" / name, f'echo "{name} $PWD $@" >> {tmp_path}/started; exit 1')
    path = f"{tmp_path / 'opt' / 'bin'}::.:bin:/usr/bin:/bin"
    return environment(tmp_path) | {"PATH": path, "TACIT_LEAN": "", "TACIT_MODEL": "off", "TACIT_LEAN_SOURCES": "off"}


async def test_a_workspace_that_is_opened_starts_nothing(tmp_path: Path, hostile: Path) -> None:
    """Its sources are read; neither its programs are started nor a Lean, which would run its lakefile."""
    async with editing(hostile, str(TACIT), "serve", environment=here(tmp_path)) as editor:
        await opened(editor, hostile)
        assert ran(tmp_path) == []
        assert not (tmp_path / "started").exists()
        await editor.shutdown()
    assert ran(tmp_path) == []
    assert not (tmp_path / "started").exists()


async def test_a_file_that_is_opened_starts_the_lean_of_this_machine_alone(tmp_path: Path, hostile: Path) -> None:
    """That Lean runs the lakefile, as it does for every editor; see docs/security.md."""
    async with editing(hostile, str(TACIT), "serve", environment=here(tmp_path)) as editor:
        await opened(editor, hostile)
        editor.open(TEXT, uri=(hostile / "Evil.lean").as_uri())
        await within(editor.until((tmp_path / "started").exists))
        await editor.shutdown()
    assert ran(tmp_path) == []
    assert {line.split(" ")[0] for line in (tmp_path / "started").read_text().splitlines()} <= {"lean", "lake"}


async def test_a_toolchain_that_it_names_is_not_fetched(tmp_path: Path, hostile: Path) -> None:
    elan = tmp_path / ".elan" / "bin"
    program(elan / "elan", f"touch {tmp_path}/ran-real-elan")
    (elan / "lean").hardlink_to(elan / "elan")
    given = here(tmp_path) | {"PATH": f"{elan}:/usr/bin:/bin"}
    async with editing(hostile, str(TACIT), "serve", environment=given) as editor:
        await opened(editor, hostile)
        editor.open(TEXT, uri=(hostile / "Evil.lean").as_uri())
        place = {"textDocument": {"uri": (hostile / "Evil.lean").as_uri()}, "position": {"line": 1, "character": 2}}
        await editor.ask("tacit/suggest", place)
        await editor.shutdown()
    said = [each["params"]["message"] for each in editor.heard if each.get("method") == "window/showMessage"]
    assert len(said) == 1
    assert "The toolchain mallory/evil:v6.6.6, which is to be used in" in said[0]
    assert "If you trust this folder and github.com/mallory/evil:" in said[0]
    assert ran(tmp_path) == []
