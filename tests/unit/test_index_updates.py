"""After an update an index holds what one made anew would: files that depend on a changed one are read again."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tacit.index import build as building
from tacit.index.build import Built
from tacit.index.store import Store
from tests.unit.corpus import index, write
from tests.unit.properties import examples

MODULES = ("A", "B", "C", "D", "E")
PARTS = (
    "structure S where\n  f : Nat\n  g : Nat\n",
    "structure S where\n  f : Nat\n",
    "structure T extends S where\n  h : Nat\n  ok : IsGood h\n",
    "@[simps] def s : S := x\n",
    "@[simps! f_f] def t : T := { h := 1 }\n",
    "@[ext] structure U extends T where\n  i : Nat\n",
    "initialize_simps_projections S (f → apply)\n",
    'infixl:25 " ≃ " => S\n',
    "@[simps] def e : A ≃ B := x\n",
    "def IsGood (x : Nat) : Prop := x = x\n",
    "class Mul' (M : Type) where\n  mul : M\n",
    "class Add' (M : Type) [Q M] where\n  add : M\n",
    "attribute [to_additive] Mul'\n",
    "@[to_additive existing] structure Mul' where\n  x : Nat\n",
    "@[to_additive] theorem Mul'.one_mul {M} [Mul' M] (x : M) : Mul'.mul x = x.prod := h\n",
    "@[to_additive Sum.foo] theorem Prod.foo : p := h\n",
    "@[to_additive] theorem Prod.foo.mul : Prod.foo x = y.foo := h\n",
    "insert_to_additive_translation Prod Sum\n",
    "/-- Doc. -/\ntheorem one : p ↔ q := h\n",
    "theorem one : q ↔ r := h\n",
    "alias two := one\n",
    "alias ⟨three, four⟩ := one\n",
    "@[inherit_doc one] def five := 1\n",
    "attribute [to_additive] one\n",
    "attribute [reassoc, mk_iff] one\n",
    "instance : Foo Bar := x\n",
    "instance : Foo Bar := y\n",
    "instance [Mul' M] [IsGood M] : Foo (Bar M) := y\n",
    "instance : Foo (A ≃ B) := y\n",
    "instance : Add' Nat := y\n",
    "def instFooBar := 1\n",
    "namespace S\ninstance : Inhabited Nat := y\nend S\n",
    "/-! * `one`: the first. -/\n",
    "theorem alone : p := h\n",
)

text = st.tuples(
    st.lists(st.sampled_from(MODULES), max_size=2, unique=True), st.lists(st.sampled_from(PARTS), max_size=5)
).map(lambda both: "".join(f"import {each}\n" for each in both[0]) + "\n" + "".join(both[1]))
files = st.dictionaries(st.sampled_from(MODULES), text, min_size=3)
edits = st.lists(st.tuples(st.sampled_from(MODULES), st.none() | text), min_size=1, max_size=4)


def contents(path: Path) -> tuple[object, ...]:
    """All that an index says, but for the numbers that it gives."""
    store = Store.open(path)
    try:
        premises = sorted((repr(each.premise), each.digest, each.note, each.path) for each in store.all())
        links = store.links()
        asked = {module: store.asked(file.id) for module, file in store.files().items()}
        return premises, links, dict(store.taught()), asked
    finally:
        store.close()


def put(root: Path, module: str, content: str | None) -> None:
    if content is None:
        (root / f"{module}.lean").unlink(missing_ok=True)
    else:
        write(root, {f"{module}.lean": content})


# Each example makes several indexes: a third of what other properties get.
@settings(examples, max_examples=max(1, examples.max_examples // 3))
@given(files, st.lists(edits, min_size=1, max_size=3))
def test_an_update_says_what_a_new_index_would(
    before: dict[str, str], rounds: list[list[tuple[str, str | None]]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, path = Path(folder, "src"), Path(folder, "old.db")
        root.mkdir()
        write(root, {f"{module}.lean": content for module, content in before.items()})
        index(root, path)
        for number, some in enumerate(rounds):
            for module, content in some:
                put(root, module, content)
            index(root, path)
            index(root, Path(folder, f"new{number}.db"))
            assert contents(path) == contents(Path(folder, f"new{number}.db"))


BASE = {
    "A.lean": "structure S where\n  f : Nat\n  g : Nat\ntheorem one : p ↔ q := h\n",
    "B.lean": "import A\n@[simps] def s : S := x\n",
    "C.lean": "import B\nalias two := one\n",
    "D.lean": "import A\ntheorem alone : p := h\n",
    "E.lean": "@[simps] def s' : S := x\nalias two' := one\n",
}


def update(root: Path, path: Path, files: dict[str, str]) -> Built:
    write(root, files)
    return index(root, path)


@pytest.fixture
def based(tmp_path: Path) -> tuple[Path, Path]:
    write(tmp_path / "src", BASE)
    path = tmp_path / "x.db"
    assert index(tmp_path / "src", path).read == 5
    return tmp_path / "src", path


def names(path: Path, module: str) -> list[str]:
    store = Store.open(path)
    try:
        return [each.premise.name for each in store.all() if each.premise.module == module]
    finally:
        store.close()


def test_a_new_field_reaches_the_lemmas_of_simps_in_files_that_see_it(based: tuple[Path, Path]) -> None:
    root, path = based
    assert names(path, "B") == ["s", "s_f", "s_g"]
    done = update(root, path, {"A.lean": BASE["A.lean"].replace("  g : Nat\n", "  g : Nat\n  h : Nat\n")})
    assert names(path, "B") == ["s", "s_f", "s_g", "s_h"]
    assert names(path, "E") == ["s'", "two'"]
    assert done.read == 2  # not C, which sees it and does not ask; not D; not E, which does not see it


def test_a_statement_reaches_its_aliases(based: tuple[Path, Path]) -> None:
    root, path = based
    done = update(root, path, {"A.lean": BASE["A.lean"].replace("p ↔ q", "r ↔ q")})
    store = Store.open(path)
    assert [each.premise.type for each in store.named("two")] == ["r ↔ q"]
    store.close()
    assert done.read == 2


def test_an_import_more_reaches_those_that_see_it_now(based: tuple[Path, Path]) -> None:
    root, path = based
    update(root, path, {"F.lean": "import E\n@[simps] def u : S := x\n"})
    assert names(path, "F") == ["u"]
    done = update(root, path, {"E.lean": "import D\n" + BASE["E.lean"]})
    assert names(path, "F") == ["u", "u_f", "u_g"]
    assert done.read == 2
    done = update(root, path, {"D.lean": ""})
    assert names(path, "F") == ["u"]
    assert names(path, "E") == ["s'", "two'"]
    assert done.read == 3


def test_what_a_removed_file_taught_is_gone(based: tuple[Path, Path]) -> None:
    root, path = based
    (root / "A.lean").unlink()
    assert index(root, path).removed == 1
    assert (names(path, "B"), names(path, "C")) == (["s"], ["two"])


def test_a_proof_concerns_nobody_else(based: tuple[Path, Path]) -> None:
    root, path = based
    assert update(root, path, {"A.lean": BASE["A.lean"].replace(":= h", ":= by simp")}).read == 1


def test_premises_that_say_the_same_keep_their_digests(based: tuple[Path, Path]) -> None:
    root, path = based
    before = contents(path)
    update(root, path, {"A.lean": "-- more\n" + BASE["A.lean"]})
    store = Store.open(path)
    assert {digest for _, digest in store.digests()} == {each[1] for each in before[0]}  # type: ignore[attr-defined]
    store.close()


def test_many_processes_make_the_very_same_index_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "src"
    parts = iter(PARTS * 4)
    write(root, {f"M{n}.lean": f"import M{n - 1}\nimport M{n // 2}\n" + next(parts) + next(parts) for n in range(60)})
    (root / "Latin.lean").write_bytes("/-- Gödel -/\ntheorem godel : 1 = 1 := rfl\n".encode("latin-1"))
    alone = index(root, tmp_path / "one.db")
    monkeypatch.setattr(building, "MANY", 0)
    monkeypatch.setattr(building, "CHUNK", 7)
    monkeypatch.setattr(building, "allowed", lambda: 3)
    together = index(root, tmp_path / "many.db")
    again = index(root, tmp_path / "again.db")
    assert (alone.read, alone.premises, alone.problems) == (together.read, together.premises, together.problems)
    assert again.read == 61
    assert dump(tmp_path / "one.db") == dump(tmp_path / "many.db") == dump(tmp_path / "again.db")


def dump(path: Path) -> list[str]:
    """Every row, ids and order included."""
    store = Store.open(path)
    try:
        return list(store.database.iterdump())
    finally:
        store.close()


def test_a_folder_inside_a_package_may_be_indexed_alone(tmp_path: Path) -> None:
    files = {f"Deep/{name}": text.replace("import ", "import Top.Deep.") for name, text in BASE.items()}
    write(tmp_path / "Top", files)
    index(tmp_path / "Top" / "Deep", tmp_path / "x.db")
    assert names(tmp_path / "x.db", "B") == ["s", "s_f", "s_g"]
    assert names(tmp_path / "x.db", "E") == ["s'", "two'"]
