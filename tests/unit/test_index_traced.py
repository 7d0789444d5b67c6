"""Repositories that LeanDojo has traced: what is taken out of them, with a stand-in for the package."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tacit.index.leandojo import read_corpus
from tacit.index.traced import TracedError, write_corpus
from tacit.server.cli import main

PREMISE = {
    "full_name": "Order.le_refl",
    "code": "/-- Reflexive. -/\ntheorem le_refl (a : α) : a ≤ a",
    "start": [3, 1],
    "end": [4, 31],
    "kind": "commanddeclaration",
}


class Graph:
    """As much of a `networkx.DiGraph` as a traced repository's graph is asked for."""

    def __init__(self, files: dict[str, list[dict[str, Any]]], edges: dict[str, list[str]]) -> None:
        self.nodes = {
            name: {"traced_file": SimpleNamespace(path=Path(name), get_premise_definitions=lambda some=some: some)}
            for name, some in files.items()
        }
        self._edges = edges

    def successors(self, name: str) -> list[str]:
        return self._edges.get(name, [])


@pytest.fixture
def dojo(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("lean_dojo")
    graph = Graph({"Top/Order.lean": [PREMISE], "Top.lean": []}, {"Top.lean": ["Top/Order.lean"]})

    class TracedRepo:
        traced_files_graph: Any = graph

        @classmethod
        def load_from_disk(cls, root_dir: Path) -> TracedRepo:
            if not root_dir.is_dir():
                raise RuntimeError(f"{root_dir} is not a Git repo.")
            return cls()

    module.TracedRepo = TracedRepo  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lean_dojo", module)
    return module


def test_a_traced_repository_becomes_a_corpus(dojo: ModuleType, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    assert write_corpus(tmp_path, tmp_path / "c" / "corpus.jsonl", lambda *each: told.append(each)) == 1
    assert told[-1] == ("reading", 1, 2)
    order, top = read_corpus(tmp_path / "c" / "corpus.jsonl")
    (premise,) = order.premises
    assert (premise.name, premise.doc, premise.type) == ("Order.le_refl", "Reflexive.", "a ≤ a")
    assert [each.module for each in top.imports] == ["Top.Order"]
    assert not order.problems + top.problems


def test_what_was_traced_is_indexed_and_searched(
    dojo: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("tacit.server.index_command.stop_cleanly", lambda: None)
    (tmp_path / "repository").mkdir()
    assert main(["index", "build", "--no-vectors", "--traced", str(tmp_path / "repository")]) == 0
    out, err = capsys.readouterr()
    assert "1 declaration;" in out
    assert "1 premises, as LeanDojo traced them" in err
    corpus = next((tmp_path / "cache" / "traced").rglob("corpus.jsonl"))
    assert main(["search", "le_refl", "--json", "--in", str(corpus)]) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "Order.le_refl"


def test_what_lean_dojo_cannot_load_is_said(dojo: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(TracedError, match=r"LeanDojo cannot load .*gone: .* is not a Git repo\."):
        write_corpus(tmp_path / "gone", tmp_path / "corpus.jsonl", lambda *_: None)
    dojo.TracedRepo.traced_files_graph = Graph({}, {})
    with pytest.raises(TracedError, match="no premises"):
        write_corpus(tmp_path, tmp_path / "corpus.jsonl", lambda *_: None)
    assert not (tmp_path / "corpus.jsonl").exists()


def test_without_the_extra_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "lean_dojo", None)
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("tacit.server.index_command.stop_cleanly", lambda: None)
    assert main(["index", "build", "--traced", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert 'pip install "lean-tacit[dojo]"' in err
    assert main(["index", "build", "--traced", str(tmp_path / "gone"), "--json"]) == 2
    assert "There is no folder" in json.loads(capsys.readouterr().out)["error"]["message"]
