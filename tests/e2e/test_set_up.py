"""A fresh machine without the sidecar: the extension sets it up in its own storage, and takes it from then on."""

from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from tests.e2e import fake_sidecar
from tests.e2e.browser import PATIENCE
from tests.e2e.code_server import until
from tests.e2e.conftest import OpenWindow
from tests.e2e.programs import install_extension

pytestmark = pytest.mark.e2e

FAKE = Path(__file__).with_name("fake_sidecar.py")
NAME = "lean_tacit-0.1.0"
MODULE = f"""import os


def main():
    os.execv({sys.executable!r}, [{sys.executable!r}, {str(FAKE)!r}])
"""
PARTS = {
    "tacit/server/cli.py": MODULE,
    f"{NAME}.dist-info/METADATA": "Metadata-Version: 2.1\nName: lean-tacit\nVersion: 0.1.0\n",
    f"{NAME}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{NAME}.dist-info/entry_points.txt": "[console_scripts]\ntacit = tacit.server.cli:main\n",
    f"{NAME}.dist-info/RECORD": "",
}
"""A wheel as the extension comes with, but what it installs is the scripted sidecar: nothing has to be fetched."""
BUILDER = """import os, sys

print("The local model is left out: there is no compiler here. To have it:", os.environ["TACIT_MODEL_AGAIN"])
sys.exit(1)
"""
"""What the extension comes with to build llama.cpp, where that cannot be built."""


@pytest.fixture(scope="module")
def extensions(extensions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    del extensions  # says whether there can be any
    folder = tmp_path_factory.mktemp("set-up") / "extensions"
    install_extension(folder)
    parts = folder / "lean-tacit.tacit" / "sidecar"
    shutil.rmtree(parts, ignore_errors=True)
    (parts / "model").mkdir(parents=True)
    (parts / "model" / "install_model.py").write_text(BUILDER, encoding="utf-8")
    with zipfile.ZipFile(parts / f"{NAME}-py3-none-any.whl", "w") as wheel:
        for name, text in PARTS.items():
            wheel.writestr(name, text)
    return folder


def test_the_sidecar_is_set_up_where_there_is_none(
    open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", "/usr/local/bin:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    window = open_window({})
    editor = window.editor
    editor.open("Fresh.lean", "theorem t : 1 = 1 := by\n")
    editor.notification("Tacit can set it up in a folder of its own")
    window.picture("harness-set-up")
    editor.press_button("Set Up Tacit", of="is not on this machine yet")
    (sidecar,) = until(
        lambda: window.server.sidecars(FAKE.name), 4 * PATIENCE, "the sidecar that was set up does not run"
    )
    editor.notification("there is no compiler here. To have it: Tacit: Set Up the Local Model")
    editor.press("End")
    assert editor.ghost() == fake_sidecar.GHOST

    sidecar.kill()
    again = until(
        lambda: [each for each in window.server.sidecars(FAKE.name) if each.pid != sidecar.pid],
        PATIENCE,
        "the sidecar does not come back",
    )
    assert again
