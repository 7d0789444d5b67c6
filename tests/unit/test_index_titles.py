"""What lists of theorems call declarations, and what lists may look like."""

from __future__ import annotations

from pathlib import Path

import pytest

from tacit.index.titles import LARGEST, LONGEST, titles
from tests.unit.corpus import ALGEBRA, found, index
from tests.unit.corpus import write as write_package

HUNDRED = """
1:
  title  : The Irrationality of the Square Root of 2
  decl   : irrational_sqrt_two
  authors: mathlib
5:
  title  : Prime Number Theorem
  links  :
    Prime Number Theorem : https://github.com/x/y#L1
7:
  title  : Law of Quadratic Reciprocity
  decls  :
    - legendreSym.quadratic_reciprocity
    - jacobiSym.quadratic_reciprocity
"""
OVERVIEW = """
Group theory:
  Sylow:
    first Sylow theorem: 'Sylow.exists_subgroup_card_pow_prime'
    rank of a system of linear equations: 'https://example.org/rank.pdf'
    "$p$-adic number": Padic
    not there yet: ''
  irrationality: irrational_sqrt_two
"""


def write(root: Path, **lists: str | bytes) -> Path:
    (root / "docs").mkdir()
    for name, text in lists.items():
        data = text.encode() if isinstance(text, str) else text
        (root / "docs" / f"{name.strip('_')}.yaml").write_bytes(data)
    return root


def test_titles_of_all_lists(tmp_path: Path) -> None:
    assert titles(write(tmp_path, _100=HUNDRED, overview=OVERVIEW)) == {
        "irrational_sqrt_two": "The Irrationality of the Square Root of 2. irrationality",
        "legendreSym.quadratic_reciprocity": "Law of Quadratic Reciprocity",
        "jacobiSym.quadratic_reciprocity": "Law of Quadratic Reciprocity",
        "Sylow.exists_subgroup_card_pow_prime": "first Sylow theorem",
        "Padic": "$p$-adic number",
    }


def test_the_same_title_in_two_lists_counts_once(tmp_path: Path) -> None:
    lists = {"_100": "1: {title: Binomial Theorem, decl: add_pow}", "undergrad": "binomial theorem: add_pow"}
    assert titles(write(tmp_path, **lists)) == {"add_pow": "Binomial Theorem"}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"just a word",
        b"[1, 2, {a: b}",
        b"\xff\xfe\x00",
        b"a: &a [*a]",
        b"a: &a {k: *a, l: *a}",
        b"1: {title: t, decls: {a: b}}",
        b"1: {title: t, decl: 5}",
        b"- a\n- b\n",
        b"!!python/object/apply:os.system ['true']",
        b"[" * 20_000,
        b"a: b\n" * (LARGEST // 4),
    ],
)
def test_lists_that_make_no_sense_say_nothing(tmp_path: Path, text: bytes) -> None:
    assert titles(write(tmp_path, overview=text, _100=text)) == {}


def test_lists_that_refer_to_themselves_come_to_an_end(tmp_path: Path) -> None:
    bomb = "a0: &a0 {t: x}\n" + "".join(
        f"a{n}: &a{n} {{{', '.join(f'k{k}: *a{n - 1}' for k in range(10))}}}\n" for n in range(1, 12)
    )
    found = titles(write(tmp_path, overview=bomb))
    assert list(found) == ["x"]
    assert len(found["x"]) <= LONGEST


def test_a_package_without_lists(tmp_path: Path) -> None:
    assert titles(tmp_path) == {}


def test_a_declaration_is_found_by_its_title_and_other_titles_count_for_what_is_read_anew(tmp_path: Path) -> None:
    write_package(tmp_path / "src")
    assert "Group.add_assoc" not in found(indexed(tmp_path), "rule of Hamilton")[:1]
    write(tmp_path / "src", overview="Algebra:\n  rule of Hamilton: Group.add_assoc\n")
    path = indexed(tmp_path, anew=True)
    assert found(path, "rule of Hamilton")[0] == "Group.add_assoc"
    (tmp_path / "src" / "docs" / "overview.yaml").write_text("law of Gauss: Group.mul_comm\n", encoding="utf-8")
    (tmp_path / "src" / "Top" / "Algebra.lean").write_text(ALGEBRA + "\n", encoding="utf-8")
    assert found(indexed(tmp_path), "law of Gauss")[0] == "Group.mul_comm"
    assert found(path, "rule of Hamilton") == []


def indexed(root: Path, *, anew: bool = False) -> Path:
    index(root / "src", root / "top.db", anew=anew)
    return root / "top.db"
