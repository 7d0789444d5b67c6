"""Importing the server needs no model library and no index library: they are loaded when they are used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.architecture import modules

ROOT = Path(__file__).parents[2]
HEAVY = (
    "torch", "llama_cpp", "faiss", "onnx", "onnxruntime", "tokenizers", "safetensors", "sentence_transformers",
    "transformers", "tantivy", "bm25s", "scipy",
)  # fmt: skip
# What asks for a library is seen whether or not the library is installed here.
CHILD = """
import importlib, json, sys
modules, heavy = json.loads(sys.argv[1])

class Recorder:
    asked = []
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in heavy:
            self.asked.append(name)
        return None

sys.meta_path.insert(0, Recorder())
for module in modules:
    importlib.import_module(module)
print(json.dumps(Recorder.asked))
"""


def asked_for(names: list[str], heavy: tuple[str, ...] = HEAVY) -> list[str]:
    command = [sys.executable, "-c", CHILD, json.dumps([names, heavy])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def test_no_module_of_the_server_imports_a_heavy_library() -> None:
    names = [name for name in modules({"tacit.server": ROOT / "server"}) if not name.endswith(".__main__")]
    assert asked_for(names) == []


def test_only_the_server_for_agents_imports_what_it_needs() -> None:
    names = modules({"tacit.server": ROOT / "server"})
    others = [name for name in names if ".mcp_" not in name and not name.endswith(".__main__")]
    assert asked_for([*others, "tacit.server.mcp_command"], ("mcp", "mcp_types", "pydantic", "starlette")) == []


def test_the_probe_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "guilty.py").write_text("try:\n    import faiss\nexcept ImportError:\n    pass\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert asked_for(["guilty"])[0] == "faiss"
