"""Reading files: their order, what is wrong with them, and that nothing is lost for the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given

from tacit.index.declarations import read_alone
from tacit.index.generated import complete
from tacit.index.known import Known
from tacit.index.premise import Origin
from tacit.index.reader import in_import_order, read_file, read_sources, read_text, survey
from tacit.index.source import Problem, Reading, Source
from tests.unit.properties import any_texts, examples, lean_texts


def write(folder: Path, files: dict[str, str | bytes]) -> list[Source]:
    sources = []
    for module, content in files.items():
        path = folder / f"{module}.lean"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        sources.append(Source(module, path))
    return sources


def names(readings: list[Reading]) -> dict[str, list[str]]:
    return {each.module: [premise.name for premise in each.premises] for each in readings}


def test_imports_are_read_first(tmp_path: Path) -> None:
    sources = write(
        tmp_path,
        {
            "A": "import B\nalias x := y\n@[to_additive] theorem Mul.one : p := h\n",
            "B": "module\npublic import C\n",
            "C": "theorem y : p ↔ q := h\nattribute [to_additive] Mul",
            "D": "import E\ntheorem d : p := h",
            "E": "import D\ntheorem e : p := h",
        },
    )
    readings = list(read_sources(sources))
    assert names(readings) == {"C": ["y"], "B": [], "A": ["x", "Mul.one", "Add.zero"], "E": ["e"], "D": ["d"]}
    assert readings[2].premises[0].type == "p ↔ q"
    assert [each.module for each in readings[:3]] == ["C", "B", "A"]


def test_a_file_sees_what_it_imports_and_no_more() -> None:
    known = Known()
    read_text("@[to_additive existing Sum.old] theorem Prod.old : p := h\ntheorem y : q := h", "A", known)
    text = "@[to_additive] theorem Prod.old.mul : p := h\nalias x := y\n"
    seen = complete(read_alone(text, "B"), known, lambda module: module == "A")
    assert [(each.name, each.type) for each in seen] == [("Prod.old.mul", "p"), ("x", "q"), ("Sum.old.add", "p")]
    unseen = complete(read_alone(text, "B"), known, lambda module: False)
    assert [(each.name, each.type) for each in unseen] == [("Prod.old.mul", "p"), ("x", ""), ("Prod.old.add", "p")]


def test_what_a_file_taught_is_unlearnt_when_it_is_read_again() -> None:
    known = Known()
    read_text("structure S where\n  f : Nat\n  g : Nat\n", "A", known)
    text = "@[simps] def s : S := x"
    assert [each.name for each in read_text(text, "B", known).premises] == ["s", "s_f", "s_g"]
    read_text("structure S where\n  f : Nat\n", "A", known)
    assert [each.name for each in read_text(text, "B", known).premises] == ["s", "s_f"]
    read_text("", "A", known)
    assert [each.name for each in read_text(text, "B", known).premises] == ["s"]


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    [reading] = read_sources([Source("A", tmp_path / "A.lean")])
    assert [str(each) for each in reading.problems] == [
        f"{tmp_path / 'A.lean'}: It could not be read: No such file or directory."
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    [source] = write(tmp_path, {"A": "def a := 1"})
    source.path.chmod(0)
    assert "Permission denied" in read_file(source).problems[0].message


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "A.lean").mkdir()
    assert "Is a directory" in read_file(Source("A", tmp_path / "A.lean")).problems[0].message


def test_another_encoding_loses_no_more_than_the_characters(tmp_path: Path) -> None:
    sources = write(
        tmp_path, {"A": "theorem a : p := h\n-- caf\xe9\ntheorem b : p := h".encode("latin-1"), "B": "def c := 1"}
    )
    readings = list(read_sources(sources))
    assert names(readings) == {"A": ["a", "b"], "B": ["c"]}
    assert readings[0].problems[0].message == "It is not UTF-8 (line 2); what could be made out was read."
    [odd] = write(tmp_path, {"C": "def c := 1".encode("utf-16")})
    assert len(read_file(odd).problems) == 1


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    [source] = write(tmp_path, {"A": b"\xef\xbb\xbfimport B\ndef c := 1"})
    reading = read_file(source)
    assert (names([reading]), [each.module for each in reading.imports]) == ({"A": ["c"]}, ["B"])


def test_too_large_a_file_is_refused_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tacit.index.reader.LARGEST", 3)
    [source] = write(tmp_path, {"A": "def c := 1"})
    assert "too large" in read_file(source).problems[0].message


def test_a_survey_tells_digests_and_imports(tmp_path: Path) -> None:
    sources = write(tmp_path, {"A": "/- import X -/\n-- import Y\nimport B C\n\nimport D\ndef e := 1\n", "B": ""})
    first, second = survey(sources)
    assert not isinstance(first, Problem)
    assert not isinstance(second, Problem)
    assert [each.module for each in first.imports] == ["B", "C", "D"]
    assert first.digest == read_file(sources[0]).digest
    assert [each.source.module for each in in_import_order([first, second])] == ["B", "A"]


MEGABYTES = "theorem a (x : Nat) : x = x := rfl\n" * 3_000
HOSTILE = {
    "brackets": "(" * 200_000,
    "attributes": "@[\n" * 50_000,
    "indented attributes": "(\n" + "  @[simp] \n" * 50_000,
    "comments": "/-\ndef x := 1\n" * 20_000,
    "ends": "section\n" * 20_000 + "end a\n" * 20_000,
    "constructors": "inductive T\n" + "| a (x : Nat)\n" * 5_000,
    "fields": "structure T where\n" + "  a : Nat\n" * 5_000,
    "deep": "@[to_additive, to_dual] theorem mul_a : " + "(" * 3_000 + "x" + ")" * 3_000 + " := rfl\n",
    "arrows": "instance : " + "A → " * 5_000 + "B := x\n",
    "in": "open A in " * 5_000 + "def x := 1",
    "variables": "variable (x : Nat)\n" * 5_000,
    "namespaces": "namespace A\n" * 10_000,
    "one name": "instance : Foo Bar := x\n" * 5_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_are_read_to_their_end(text: str) -> None:
    found = read_text(text + "\n\ntheorem last : p := h\n", "M")
    assert found.module == "M"


@examples
@given(any_texts)
def test_no_text_is_too_odd(text: str) -> None:
    check(text)


@examples
@given(lean_texts)
def test_declarations_of_odd_parts(text: str) -> None:
    check(f"variable {{a : T}} [C a]\n@[to_additive (attr := simps, ext), to_dual] instance mul : {text}\n")
    check(
        f"@[simps] structure S {text} extends {text} where\n  a : {text}\n  {text}\ninductive T | {text}\nalias {text}"
    )


def check(text: str) -> None:
    lines = text.count("\n") + 1
    for each in read_text(text, "M").premises:
        assert each.module == "M"
        assert each.name
        assert 1 <= each.line <= lines
        assert 0 <= each.start <= each.body <= each.stop <= len(text)
        assert "\n" not in each.statement
        assert (each.made_from == "") is (each.origin in (Origin.SOURCE, Origin.INSTANCE_NAME))
        assert len(each.digest) == 32
