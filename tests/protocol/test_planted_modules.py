"""A workspace whose files are called like Python's modules: what Tacit starts there runs none of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tacit.server import indexer, models_report, sidecar
from tacit.server.model import client

PLANTED = (
    "argparse", "ctypes", "json", "multiprocessing", "numpy", "psutil", "pygls", "queue", "resource", "signal",
    "tacit", "threading", "tokenize",
)  # fmt: skip
CREW = """
from tacit.index.workers import Crew, allowed
if __name__ == "__main__":
    with Crew(1) as crew:
        crew.submit(allowed).result()
"""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder in which each of these names is a module, and a package, that says that it ran."""
    folder = tmp_path / "hostile"
    (folder / "tacit").mkdir(parents=True)
    says = f"import os\nos.close(os.open({str(tmp_path / 'ran')!r}, os.O_CREAT | os.O_WRONLY))\n"
    for name in PLANTED:
        (folder / f"{name}.py").write_text(says, encoding="utf-8")
    (folder / "tacit" / "__init__.py").write_text(says, encoding="utf-8")
    return folder


def start(command: Sequence[str], folder: Path) -> str:
    """Run it there until it ends by itself; what it said on standard error."""
    environment = {**os.environ, "TACIT_CACHE": str(folder.parent / "cache"), "TACIT_LEAN": ""}
    environment.pop("PYTHONSAFEPATH", None)
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    return done.stderr


@pytest.mark.parametrize(
    "command",
    [
        (*indexer.COMMAND, "nowhere"),
        client.COMMAND,
        (sys.executable, *models_report.LOOK, "nowhere.gguf"),
        (*sidecar.COMMAND, "--version"),
    ],
    ids=["index builder", "model worker", "look at a model", "sidecar of the demo"],
)
def test_what_tacit_starts_takes_no_module_of_the_folder(hostile: Path, command: Sequence[str]) -> None:
    said = start(command, hostile)
    assert "ModuleNotFoundError" not in said, said
    assert not (hostile.parent / "ran").exists(), said


def test_workers_of_the_index_take_no_module_of_the_folder(hostile: Path) -> None:
    """As the console script starts: its own folder, not the current one, comes first."""
    script = hostile.parent / "crew.py"
    script.write_text(CREW, encoding="utf-8")
    said = start((sys.executable, str(script)), hostile)
    assert "Error" not in said, said
    assert not (hostile.parent / "ran").exists()
