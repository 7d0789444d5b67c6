"""What other tools wrote about Lean files: `.ilean` files and LeanDojo's corpus."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tacit.index.build import Built, build
from tacit.index.ilean import Ilean, Place, read_ilean, settle
from tacit.index.leandojo import module_of, read_corpus
from tacit.index.places import places
from tacit.index.premise import Kind, Origin
from tacit.index.reader import read_text
from tacit.index.source import Import, Problem
from tacit.index.store import Store, StoreError
from tests.unit.corpus import ANALYSIS, write


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


# As Lake leaves a built package; positions are those of the text.
BUILT = {
    "Top/A.lean": "class Foo (α) where\n  x : α\nclass Bar\ninstance : Foo Bar := h\ntheorem a : Foo.x = y := Foo.mk\n",
    "Top/B.lean": "import Top.A\ntheorem b : p := a\n",
}
LEAN_SAYS = {
    "version": 5,
    "module": "Top.A",
    "directImports": [],
    "references": {
        constant("instFooBar'", "Top.A"): {"definition": [3, 0, 3, 8, "instFooBar'"], "usages": []},
        constant("Foo", "Top.A"): {"definition": [0, 6, 0, 9, "Foo"], "usages": [[3, 11, 3, 14, "instFooBar'"]]},
        constant("Foo.x", "Top.A"): {"definition": None, "usages": [[4, 12, 4, 17, "a"]]},
        constant("a", "Top.A"): {"definition": [4, 8, 4, 9, "a"], "usages": []},
    },
    "decls": {"a": [4, 0, 4, 32, 4, 8, 4, 9], "Foo": [0, 0, 1, 7, 0, 6, 0, 9]},
}
OLD_LEAN_SAYS = {
    "version": 1,
    "module": "Top.B",
    "references": {
        "c:b": {"definition": [1, 8, 1, 9], "usages": []},
        "c:a": {"definition": None, "usages": [[1, 17, 1, 18]]},
        "c:Top": {"definition": None, "usages": [[0, 7, 0, 10]]},
    },
}


@pytest.mark.parametrize("folder", [".lake/build/lib/lean", ".lake/build/lib", "build/lib"])
def test_what_lean_wrote_when_it_built_a_package_counts(tmp_path: Path, folder: str) -> None:
    root, path = tmp_path / "src", tmp_path / "x.db"
    write(root, BUILT)
    (root / "lakefile.toml").write_text('name = "top"\n', encoding="utf-8")

    def built() -> Built:
        return build(path, places(root)[0].corpus, ANALYSIS, lambda *_: None)

    assert built().read == 2
    assert "instFooBar" in names(path)
    said = {"A": LEAN_SAYS, "B": OLD_LEAN_SAYS}
    write(root / folder / "Top", {f"{each}.ilean": json.dumps(values) for each, values in said.items()})
    assert built().read == 2
    assert "instFooBar" not in names(path)
    assert "instFooBar'" in names(path)
    store = Store.open(path)
    uses = {"Top.A": {"instFooBar'": ["Foo"], "a": ["Foo.x"]}, "Top.B": {"b": ["a"]}}
    assert dict(store.uses()) == uses
    assert dict(store.uses(["Top.B"])) == {"Top.B": {"b": ["a"]}}
    store.close()
    assert built().read == 0
    # Of a text that is newer than that, Lean has said nothing yet.
    newer = (root / "Top/A.lean").stat().st_mtime_ns + 10**9
    os.utime(root / "Top/A.lean", ns=(newer, newer))
    assert built().read == 0  # the same text
    write(root, {"Top/A.lean": BUILT["Top/A.lean"] + "instance : Foo Nat := h\n"})
    os.utime(root / "Top/A.lean", ns=(newer + 1, newer + 1))
    assert built().read == 1
    assert {"instFooBar", "instFooNat"} <= names(path)


def test_what_is_no_ilean_is_told_and_the_text_counts(tmp_path: Path) -> None:
    write(tmp_path, {**BUILT, "build/lib/Top/A.ilean": "[", "lakefile.toml": 'name = "top"\n'})
    done = build(tmp_path / "x.db", places(tmp_path)[0].corpus, ANALYSIS, lambda *_: None)
    assert [Path(each.path).name for each in done.problems] == ["A.ilean"]
    assert "instFooBar" in names(tmp_path / "x.db")


def test_a_corpus_is_a_package_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "corpus.jsonl"
    other = {"path": "A/B.lean", "imports": [], "premises": [{"full_name": "b", "code": "def b := 1", "start": [1, 1]}]}
    file.write_text(json.dumps(CORPUS) + "\n" + json.dumps(other) + "\n", encoding="utf-8")
    (place,) = places(file)
    assert (place.corpus.name, place.corpus.root) == ("corpus", file)
    done = build(place.index, place.corpus, ANALYSIS, lambda *_: None)
    assert (done.read, done.premises, len(done.problems)) == (2, 3, 1)
    assert names(place.index) == {"Foo.bar", "Foo", "b"}
    store = Store.open(place.index)
    assert store.imports()["Mathlib.Order.Lattice"] == ("Mathlib.Order.Defs", "Std.Data")
    (found,) = store.named("Foo.bar")
    assert (found.path, found.premise.statement) == (CORPUS["path"], "(n : ℕ) : n = n")
    store.close()
    assert build(place.index, place.corpus, ANALYSIS, lambda *_: None).read == 0
    changed = json.dumps({**other, "premises": []})
    file.write_text(json.dumps(CORPUS) + "\n" + changed + "\n" + changed.replace("{", "{ ", 1), encoding="utf-8")
    done = build(place.index, place.corpus, ANALYSIS, lambda *_: None)
    assert (done.read, done.unchanged, done.removed) == (1, 1, 1)
    assert "twice" in done.problems[-1].message
    assert names(place.index) == {"Foo.bar", "Foo"}


def test_a_corpus_of_many_lines_is_read_by_several_processes_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [json.dumps({**CORPUS, "path": f"M{number}.lean"}) for number in range(40)]
    (tmp_path / "corpus.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (place,) = places(tmp_path / "corpus.jsonl")
    build(tmp_path / "one.db", place.corpus, ANALYSIS, lambda *_: None)
    monkeypatch.setattr("tacit.index.build.MANY", 0)
    build(tmp_path / "many.db", place.corpus, ANALYSIS, lambda *_: None)
    one, many = Store.open(tmp_path / "one.db"), Store.open(tmp_path / "many.db")
    assert list(one.database.iterdump()) == list(many.database.iterdump())
    one.close()
    many.close()


def test_what_is_no_corpus_is_one_sentence_and_the_old_index_stays(tmp_path: Path) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_text(json.dumps(CORPUS), encoding="utf-8")
    (place,) = places(file)
    path = tmp_path / "x.db"
    build(path, place.corpus, ANALYSIS, lambda *_: None)
    file.write_text("nonsense\n[]\n", encoding="utf-8")
    with pytest.raises(StoreError, match=r"is no corpus of LeanDojo's: It is not a file"):
        build(path, place.corpus, ANALYSIS, lambda *_: None)
    assert names(path) == {"Foo.bar", "Foo"}


def names(path: Path) -> set[str]:
    store = Store.open(path)
    try:
        return {each.premise.name for each in store.all()}
    finally:
        store.close()
