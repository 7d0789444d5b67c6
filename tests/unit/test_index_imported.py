"""What other tools wrote about Lean files: `.ilean` files and LeanDojo's corpus."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tacit.index.ilean import Ilean, Place, read_ilean, settle
from tacit.index.leandojo import module_of, read_corpus
from tacit.index.premise import Kind, Origin
from tacit.index.reader import read_text
from tacit.index.source import Import, Problem


def constant(name: str, module: str = "M") -> str:
    return json.dumps({"c": {"m": module, "n": name}})


ILEAN = {
    "version": 5,
    "module": "M",
    "directImports": [["Init", False, False, False]],
    "references": {
        constant("a"): {"definition": [0, 8, 0, 9], "usages": [[2, 20, 2, 21, "b"]]},
        constant("b"): {"definition": [2, 8, 2, 9], "usages": [[2, 30, 2, 31, "b"], [5, 0, 5, 1]]},
        constant("Nat.succ", "Init"): {"definition": None, "usages": [[2, 25, 2, 26], [2, 27, 2, 28, "a"]]},
        json.dumps({"f": {"m": "M", "i": "_uniq.1"}}): {"definition": [0, 1, 0, 2], "usages": []},
        "no identifier": 3,
    },
    "decls": {"b": [2, 0, 3, 0, 2, 8, 2, 9], "c": "?"},
}


def ilean(tmp_path: Path, values: object) -> Ilean | Problem:
    path = tmp_path / "M.ilean"
    path.write_text(values if isinstance(values, str) else json.dumps(values), encoding="utf-8")
    return read_ilean(path)


def test_names_and_uses(tmp_path: Path) -> None:
    found = ilean(tmp_path, ILEAN)
    assert isinstance(found, Ilean)
    assert (found.module, found.version) == ("M", 5)
    assert found.definitions == {"a": Place(0, 8, 0, 9), "b": Place(2, 8, 2, 9)}
    assert found.usages["a"] == (Place(2, 20, 2, 21, "b"),)
    # A usage that names no declaration is one of the declaration around it.
    assert found.uses() == {"b": frozenset(("a", "Nat.succ")), "a": frozenset(("Nat.succ",))}


def test_an_older_version(tmp_path: Path) -> None:
    values = {
        "version": 2,
        "module": "M",
        "references": {"c:a": {"definition": [0, 1, 0, 2], "usages": [[1, 0, 1, 1]]}},
    }
    found = ilean(tmp_path, values)
    assert isinstance(found, Ilean)
    assert (found.definitions, found.uses()) == ({"a": Place(0, 1, 0, 2)}, {})


@pytest.mark.parametrize("values", ["{", "[]", "3", '{"module": 3}', "[" * 10_000])
def test_no_ilean_at_all(tmp_path: Path, values: str) -> None:
    found = ilean(tmp_path, values)
    assert isinstance(found, Problem)
    assert "building the project again" in found.message


def test_an_ilean_that_is_gone(tmp_path: Path) -> None:
    assert isinstance(read_ilean(tmp_path / "M.ilean"), Problem)


def test_odd_parts_are_left_out(tmp_path: Path) -> None:
    odd = {
        "module": "M",
        "references": {constant("a"): {"definition": [1], "usages": [3, [1, 2, 3, "x"]]}},
        "decls": [],
    }
    assert ilean(tmp_path, odd) == Ilean("M")


def test_names_are_settled() -> None:
    text = "instance : Foo Bar := h\n@[to_additive] theorem mul : p := h\n@[to_additive] theorem one : p := h\n"
    text += "def new := 1\n"
    read = read_text(text, "M").premises
    assert [each.name for each in read] == ["instFooBar", "mul", "one", "new", "add", "zero"]
    definitions = {"instFooBarOfBaz": Place(0, 0, 0, 8), "mul": Place(1, 23, 1, 26), "zero": Place(2, 2, 2, 13)}
    settled = settle(read, Ilean("M", 5, definitions))
    assert [each.name for each in settled] == ["instFooBarOfBaz", "mul", "one", "new", "zero"]


CORPUS = {
    "path": ".lake/packages/mathlib/Mathlib/Order/Lattice.lean",
    "imports": ["Mathlib/Order/Defs.lean", ".lake/packages/std/Std/Data.lean"],
    "premises": [
        {"full_name": "Foo.bar", "code": "@[simp] theorem bar (n : ℕ) : n = n := rfl", "start": [7, 1], "end": [8, 3]},
        {"full_name": "Foo", "code": "whatever : x", "start": [3, 1], "end": [4, 1], "kind": "structure"},
        {"full_name": "Odd"},
    ],
}  # fmt: skip


def test_a_corpus(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_text(json.dumps(CORPUS) + "\n\nnonsense\n" + json.dumps({"path": 3}), encoding="utf-8")
    first, *others = read_corpus(path)
    assert (first.module, first.imports) == (
        "Mathlib.Order.Lattice",
        (Import("Mathlib.Order.Defs"), Import("Std.Data")),
    )
    bar, foo = first.premises
    assert (bar.name, bar.kind, bar.statement, bar.line) == ("Foo.bar", Kind.THEOREM, "(n : ℕ) : n = n", 7)
    assert (bar.attributes, bar.origin, bar.module) == (("simp",), Origin.IMPORTED, "Mathlib.Order.Lattice")
    assert (foo.name, foo.kind, foo.type) == ("Foo", Kind.STRUCTURE, "whatever : x")
    assert first.problems[0].message.startswith("1 of 3 premises of .lake")
    assert [each.problems[0].message for each in others] == ["It is not a file of a LeanDojo corpus."] * 2
    assert "could not be read" in next(read_corpus(tmp_path / "gone.jsonl")).problems[0].message


def test_modules_of_paths() -> None:
    assert module_of("src/lean/Init/Core.lean") == "Init.Core"
    assert module_of("/home/x/src/lean/lake/Lake/A.lean") == "Lake.A"
    assert module_of("A/B.lean") == "A.B"
