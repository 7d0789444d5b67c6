"""What proofs name, read from their texts, and how that is kept beside an index."""

from __future__ import annotations

from pathlib import Path

from tacit.index import uses
from tacit.index.reader import read_text
from tacit.index.store import Store
from tacit.index.uses import Names, Uses, key, named_in
from tests.unit.corpus import index, write

FILE = """
namespace Nat
theorem one_le : p := sorry
theorem two_le (h : Foo n) : q := by
  -- not one_lt
  have := one_le
  simp [Nat.two_iff.mp, zero_add, h.bar.symm, "three_le"]
theorem Other.long : r := two_le
end Nat
"""
KNOWN = {"Nat.one_le", "Nat.one_lt", "Nat.two_iff", "zero_add", "Foo", "Foo.bar", "three_le", "Nat.two_le", "simp"}


def named(text: str, name: str, known: set[str] = KNOWN) -> list[str]:
    premise = next(each for each in read_text(text, "M").premises if each.name == name)
    return named_in(premise, text, Names(known.__contains__))


def test_names_are_settled_by_namespace_dots_and_types_of_hypotheses() -> None:
    assert named(FILE, "Nat.two_le") == ["Nat.one_le", "Nat.two_iff", "zero_add", "Foo.bar"]


def test_a_proof_does_not_name_itself() -> None:
    assert named("theorem a.b : p := by exact a.b\n", "a.b", {"a.b"}) == []


def test_opened_namespaces_count() -> None:
    text = "open Nat in\ntheorem t : p := one_le\n"
    assert named(text, "t") == ["Nat.one_le"]


def kept(store: Store) -> dict[str, set[str]]:
    found = uses.load(uses.uses_file(store.path))
    assert found is not None
    names = {key(each.premise.name): each.premise.name for each in store.all()}
    owners = {each.id: each.premise.name for each in store.all()}
    return {
        owners[int(owner)]: {names[int(each)] for each in found.named[start:stop]}
        for owner, start, stop in zip(found.owners, found.starts, found.starts[1:], strict=False)
    }


FILES = {
    "Top/A.lean": "theorem one : p := sorry\ntheorem two : q := one\n",
    "Top/B.lean": "import Top.A\ntheorem three : r := by exact one two\n",
}


def test_only_what_changed_is_read_again(tmp_path: Path) -> None:
    root, path = tmp_path / "files", tmp_path / "top.db"
    write(root, FILES)
    index(root, path)

    def update() -> int:
        store = Store.open(path)
        try:
            return uses.update(store, uses.uses_file(path), Names.of([store]), lambda *_: None)
        finally:
            store.close()

    assert update() == 3
    assert update() == 0
    write(root, {"Top/B.lean": "import Top.A\ntheorem three : r := one\ntheorem four : s := by simp [three]\n"})
    index(root, path)
    assert update() == 2
    store = Store.open(path)
    assert kept(store) == {"two": {"one"}, "three": {"one"}, "four": {"three"}}
    store.close()


def test_additive_declarations_name_the_additive_ones(tmp_path: Path) -> None:
    root, path = tmp_path / "files", tmp_path / "top.db"
    text = "@[to_additive]\ntheorem mul_one : p := sorry\n@[to_additive]\ntheorem mul_two : q := mul_one\n"
    write(root, {"Top/A.lean": text})
    index(root, path)
    store = Store.open(path)
    uses.update(store, uses.uses_file(path), Names.asked([store]), lambda *_: None)
    assert kept(store) == {"mul_two": {"mul_one"}, "add_two": {"add_zero"}}
    store.close()


def test_a_damaged_file_is_none(tmp_path: Path) -> None:
    file = tmp_path / "x.uses"
    assert uses.load(file) is None
    for content in (b"", b"PK\x03\x04 no archive", b"anything"):
        file.write_bytes(content)
        found: Uses | None = uses.load(file)
        assert found is None
