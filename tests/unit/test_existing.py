"""Which names can mean nothing at a place: never one that does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tacit.index.store import Store
from tacit.retrieval.access import Modules, header_of
from tacit.retrieval.existing import Existing, Names, Scope, Shelf
from tests.unit.corpus import index, write

FILES = {
    "Init.lean": "prelude\naxiom propext : p\ntheorem Classical.not_forall : p := h\n",
    "Top/Base.lean": """
structure Pair (α : Type) where
  first : α
  second : α
class Semi (α : Type) where
  semi_assoc : ∀ x : α, x = x
inductive Tree where
  | leaf
  | node (l r : Tree)
def Tree.size : Tree → Nat := sorry
def Tree.swap (t : Tree) : Tree := sorry
@[simps] def equivTree : Pair Nat := sorry
theorem Tree.size_swap (t : Tree) : t.swap.size = t.size := sorry
namespace Outer.Inner
theorem deep_one : p ↔ q := sorry
private theorem hidden_one : p := sorry
end Outer.Inner
def Good (n : Nat) : Prop := True
theorem le_one_trans : p := sorry
theorem Good.add_left (h : Good n) : Good (m + n) := sorry
""",
    "Top/Apart.lean": "theorem apart_one : p := sorry\n",
    "Top/Mine.lean": "import Top.Base\ntheorem saved_one : p := sorry\n",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    write(tmp_path / "src", FILES)
    index(tmp_path / "src", tmp_path / "top.db")
    found = Store.open(tmp_path / "top.db")
    yield found
    found.close()


EMPTY = Scope()


def existing(store: Store, scope: Scope = EMPTY, text: str = "import Top.Base\n", own: str = "") -> Existing:
    access = Modules.of([store]).access(header_of(text))
    assert access.complete
    names = Names([Shelf.of(store)])
    file = store.file(own)
    return Existing([(names, names.mask(access.masks, [file.id if file else None]))], scope)


def unknown(store: Store, *names: str, scope: Scope = EMPTY, own: str = "") -> set[str]:
    return set(existing(store, scope, own=own).unknown(names))


@pytest.mark.parametrize(
    "name",
    [
        "Tree", "Tree.size_swap", "Tree.leaf", "Pair.first", "Semi.semi_assoc", "propext", "_root_.Tree.size_swap",
        "Outer.Inner.deep_one", "Good.add_left",
        # fields, of what may have some
        "Outer.Inner.deep_one.mp.first", "Tree.size_swap.trans.first", "equivTree.first", "Outer.Inner.deep_one.1",
        # what no source shows
        "Tree.rec", "Tree.casesOn", "Tree.node.injEq", "Tree.size.eq_1", "Tree.size.induct", "Pair.mk", "Pair.ext_iff",
        "Tree.noConfusion", "equivTree_first", "equivTree_apply_coe", "Nat.reduceAdd", "reduceIte", "UInt8.lt_foo",
        # what classes export, or Lean does
        "semi_assoc", "Tree.semi_assoc", "not_forall", "subset_one_trans", "Quot.lift",
        ".first", ".size.swap", ".rec", ".leaf", ".2",
    ],
)  # fmt: skip
def test_what_is_there_is_known(store: Store, name: str) -> None:
    fields = {"mp", "trans"}
    known = unknown(store, name, scope=Scope(frozenset(fields)))
    assert known == set()


@pytest.mark.parametrize(
    "name",
    [
        "Tree.size_add", "Tree.first", "tree_size_swap", "deep_one", "Inner.deep_one", "Tree.size_swap.foo_bar",
        "Good.foo_bar", "Outer.Inner.hidden_one", "apart_one", "saved_one", "equivTree_size_swap", ".foo_bar",
        ".first.foo_bar", "_root_.deep_one", "Nowhere.rec", "Nowhere.semi_assoc", "Tree.second", "subset_one_symm",
        "Pair_first", "Good_first", "equivTree_iff",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not(store: Store, name: str) -> None:
    assert unknown(store, name) == {name}


def test_namespaces_and_what_is_open_count(store: Store) -> None:
    names = ("deep_one", "Inner.deep_one", "size_swap")
    assert unknown(store, *names, scope=Scope(namespace="Outer.Inner")) == {"size_swap"}
    assert unknown(store, *names, scope=Scope(opens=("Outer.Inner", "Tree"))) == {"Inner.deep_one"}
    assert unknown(store, *names, scope=Scope(opens=("Outer", "Inner"))) == {"size_swap"}
    assert unknown(store, "size_swap", scope=Scope(opens=("Tree (size_swap)",))) == set()


def test_the_own_file_counts_as_it_was_saved_and_as_it_stands(store: Store) -> None:
    assert unknown(store, "saved_one", own="Top.Mine") == set()
    scope = Scope(frozenset({"Mine.typed_one"}), "Mine")
    assert unknown(store, "typed_one", "Mine.typed_one.foo_bar", scope=scope) == {"Mine.typed_one.foo_bar"}


def test_a_file_is_seen_whole_only_if_all_it_imports_is_indexed(store: Store) -> None:
    modules = Modules.of([store])
    assert modules.access(header_of("import Top.Mine\n")).complete
    assert not modules.access(header_of("import Top.Mine\nimport Elsewhere\n")).complete


def test_what_an_import_imports_must_be_indexed_too(tmp_path: Path) -> None:
    write(tmp_path / "src", {"Init.lean": "prelude\n", "A.lean": "import Far.Away\n", "B.lean": "import A\n"})
    index(tmp_path / "src", tmp_path / "top.db")
    found = Store.open(tmp_path / "top.db")
    modules = Modules.of([found])
    assert not modules.access(header_of("import B\n")).complete
    assert modules.access(header_of("")).complete
    found.close()


def test_two_indexes_are_as_one(tmp_path: Path) -> None:
    stores = []
    for name, text in (("A", "theorem Both.a_one : p := sorry\n"), ("B", "theorem Both.b_one : p := sorry\n")):
        write(tmp_path / name, {f"{name}.lean": f"prelude\n{text}"})
        index(tmp_path / name, tmp_path / f"{name}.db")
        stores.append(Store.open(tmp_path / f"{name}.db"))
    access = Modules.of(stores).access(header_of("prelude\nimport A\nimport B\n"))
    names = Names([Shelf.of(each) for each in stores])
    found = Existing([(names, names.mask(access.masks))], Scope(opens=("Both",)))
    assert found.unknown(["a_one", "b_one", "c_one"]) == {"c_one"}
    for each in stores:
        each.close()
