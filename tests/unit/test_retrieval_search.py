"""Search over a small package: every form of question, filters, what is held back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tacit.index.store import Store
from tacit.retrieval.evaluation import place, quality
from tacit.retrieval.hybrid import Hybrid, Shelf
from tacit.retrieval.lexical import Lexical
from tacit.retrieval.question import parse, understand
from tacit.retrieval.ranker import Query, Ranked
from tacit.retrieval.rerank import Mix
from tests.unit.corpus import found, index, library, write


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("search")
    write(root / "src")
    index(root / "src", root / "top.db")
    return root / "top.db"


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("a continuous function on a compact set attains its maximum", "IsCompact.exists_isMaxOn"),
        ("extreme value theorem", "IsCompact.exists_isMaxOn"),
        ("_ * _ = _ * _", "Group.mul_comm"),
        ("?a * ?b = ?b * ?a", "Group.mul_comm"),
        ("_ + _ + _ = _ + (_ + _)", "Group.add_assoc"),
        ("?g ∘ ?f", "Continuous.comp"),
        ("h : q ∈ p\n⊢ p * q = q * p", "Group.mul_comm"),
        ("⊢ Continuous (g ∘ f)", "Continuous.comp"),
        (r"$\sum_i f_i \le \sum_i g_i$", "sum_le_sum"),
        ("Group.mul_comm", "Group.mul_comm"),
        ("mul_comm", "Group.mul_comm"),
        ("mul_co", "Group.mul_comm"),
        ("commutativity of multiplication", "Group.mul_comm"),
        ("cancellation principle of Noether", "Group.inv_unique"),
        ("compact kind:def", "IsCompact"),
        ("compact kind:instance module:Top.Topology", "instCompactSpace"),
    ],
)
def test_it_comes_first(path: Path, question: str, name: str) -> None:
    assert found(path, question)[0] == name


def test_filters_hold_back(path: Path) -> None:
    assert found(path, "compact module:Top.Algebra") == []
    assert found(path, "compact package:other") == []
    assert found(path, "compact package:TOP") != []
    assert found(path, "compact kind:nonsense") == []


def test_filters_alone_list_what_satisfies_them_as_it_stands_in_the_files(path: Path) -> None:
    assert found(path, "kind:theorem module:Top.Algebra") == [
        "Group.mul_comm",
        "Group.add_assoc",
        "Group.inv_unique",
        "Group.commutative_mul",
    ]
    assert found(path, "kind:def kind:instance") == ["IsCompact", "instCompactSpace"]
    assert [each.stored.premise.name for each in library(path).search("package:top", 2)] == [
        "Group.mul_comm",
        "Group.add_assoc",
    ]
    assert found(path, "package:other") == found(path, "module:Top.Algebra kind:instance") == []


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("compact kind:lemmma", "There is no kind lemmma; there are theorem, axiom, def,"),
        ("compact module:Tip", "No module that is searched here is called Tip or lies below it."),
        ("compact package:mathlib", "No package mathlib is searched here; top is."),
        ("(((", "There is no word, name or symbol in it"),
        ("?a", "There is no word, name or symbol in it"),
    ],
)
def test_a_question_that_can_have_no_answer_is_told_why(path: Path, question: str, sentence: str) -> None:
    (said,) = library(path).objections(question)
    assert said.startswith(sentence)


def test_a_question_that_has_no_answer_is_not_blamed(path: Path) -> None:
    for question in ("zzz", "kind:Lemma compact", "module:top package:TOP zzz", "module:Topology", "⊢ p"):
        assert library(path).objections(question) == []


def test_a_statement_about_variables_asks_for_what_says_the_same_of_others(tmp_path: Path) -> None:
    more = "".join(f"theorem C_add{n} (a b : R) : C (a + b + b) = C a + C b\n" for n in range(20))
    write(tmp_path, {"A.lean": more + "theorem add_comm : ∀ x y : G, x + y = y + x := h\n"})
    index(tmp_path, tmp_path / "a.db")
    for question in ("a + b = b + a", "⊢ a + b = b + a", "n m : ℕ\nh : n = m\n|- n + m = m + n"):
        assert found(tmp_path / "a.db", question)[0] == "add_comm", question
    assert understand(parse("a + b = b + a")).pattern is not None
    for prose in ("x", "a ring", "Nat.add a b = c", r"a \le b", "a b c", "M ≃ₗ[R] (ι →₀ R)"):
        assert understand(parse(prose)).pattern is None, prose


def test_signs_that_keyboards_lack_may_be_spelled() -> None:
    assert parse("a <= b -> b >= a /\\ p <-> q |- r").text == "a ≤ b → b ≥ a ∧ p ↔ q ⊢ r"
    assert parse(r"a/\sqrt{b} |-x| <=> => p\/q").text == r"a/\sqrt{b} |-x| <=> => p\/q"
    assert understand(parse("⊢ p ⊢ q ∣ r")).terms == understand(parse("p q ∣ r")).terms


def test_private_names_stay_in_their_file(path: Path) -> None:
    assert "Group.secret_lemma" not in found(path, "secret_lemma")
    hybrid = library(path)
    here = hybrid.shelves[0].store.named("Group.mul_comm")[0].path
    assert "Group.secret_lemma" in [each.stored.premise.name for each in hybrid.search("secret_lemma", path=here)]


def test_what_is_deprecated_comes_later(path: Path) -> None:
    answers = found(path, "?a * ?b = ?b * ?a")
    assert answers.index("Group.mul_comm") < answers.index("Group.commutative_mul")


@pytest.mark.parametrize(
    "question", ["", "   ", "kind:def", "the of a", "(((", "_", "?", "\\", "~", "=", "\x00", "\ud800"]
)
def test_questions_that_ask_nothing(path: Path, question: str) -> None:
    found(path, question)


def test_a_question_of_100_000_characters(path: Path) -> None:
    assert "IsCompact" in found(path, "compact set " * 9000)
    found(path, "x" * 100_000)
    found(path, "_ + " * 25_000)


def test_the_score_of_a_premise_is_the_one_it_is_ranked_by(path: Path) -> None:
    store = Store.open(path)
    lexical = Lexical(store)
    ranked = lexical.rank(parse("compact set"))
    assert lexical.scores(parse("compact set"), [each.premise for each in ranked]) == [each.score for each in ranked]
    assert lexical.scores(parse("compact set"), [10**6]) == [0.0]
    store.close()


class Fake:
    """A ranker of meanings that knows one answer."""

    name = "dense"

    def __init__(self, premise: int, others: float = 0.1) -> None:
        self.premise = premise
        self.others = others

    def rank(self, query: Query, limit: int = 200) -> list[Ranked]:
        return [Ranked(self.premise, 0.9)][:limit]

    def scores(self, query: Query, premises: list[int]) -> list[float]:
        return [0.9 if each == self.premise else self.others for each in premises]


def test_vectors_find_what_no_word_does_and_filters_hold_for_them(path: Path) -> None:
    store = Store.open(path)
    dense = Fake(store.named("Continuous.comp")[0].id)
    hybrid = Hybrid([Shelf("top", store, Lexical(store), dense)])  # type: ignore[arg-type]
    assert [each.stored.premise.name for each in hybrid.search("zzz")] == ["Continuous.comp"]
    assert hybrid.search("zzz kind:def") == []
    assert hybrid.search("(((") == []
    store.close()


def test_two_packages_answer_together(path: Path, tmp_path: Path) -> None:
    write(tmp_path / "own", {"Own.lean": "theorem own_compact_lemma : IsCompact s := sorry\n"})
    index(tmp_path / "own", tmp_path / "own.db")
    stores = [Store.open(path), Store.open(tmp_path / "own.db")]
    hybrid = Hybrid([Shelf(name, store, Lexical(store)) for name, store in zip(("top", "own"), stores, strict=True)])
    hits = hybrid.search("compact")
    assert {each.package for each in hits} == {"top", "own"}
    assert hybrid.search("own_compact_lemma")[0].stored.premise.name == "own_compact_lemma"
    assert {each.package for each in hybrid.search("compact package:own")} == {"own"}
    for store in stores:
        store.close()


def test_quality_counts_what_is_missing_as_a_miss() -> None:
    assert place(["a", "a", "b"], "b") == 1
    assert place(["a"], "b") is None
    found = quality([0, 1, None, 11])
    assert (found.questions, found.first, found.among) == (4, 0.25, 0.5)
    assert round(found.gain, 4) == round((1 + 0.63093) / 4, 4)


def test_words_judge_what_vectors_found_and_the_other_way_round(path: Path) -> None:
    store = Store.open(path)
    lexical = Lexical(store)
    # Both have the words; one is near, too.
    near = Fake(store.named("Group.commutative_mul")[0].id)
    hybrid = Hybrid([Shelf("top", store, lexical, near)], Mix(deprecated=0.0))  # type: ignore[arg-type]
    assert hybrid.search("a * b = b * a")[0].stored.premise.name == "Group.commutative_mul"
    # What vectors found has its share of the words although it is not among the best by words.
    hybrid = Hybrid([Shelf("top", store, lexical, Fake(store.named("sum_le_sum")[0].id, 0.6))])  # type: ignore[arg-type]
    answers = [each.stored.premise.name for each in hybrid.search("compact set")]
    assert answers.index("IsCompact") < answers.index("sum_le_sum")
    # A pattern with holes means nothing to them.
    assert "sum_le_sum" not in [each.stored.premise.name for each in hybrid.search("_ * _ = _ * _")]
    store.close()


class Halfway(Fake):
    """A ranker whose vectors are still being made: it has one of them."""

    def scores(self, query: Query, premises: list[int]) -> list[float]:
        return [0.2 if each == self.premise else 0.0 for each in premises]


def test_what_has_no_vector_yet_is_as_near_as_its_words_say(path: Path) -> None:
    store = Store.open(path)
    dense = Halfway(store.named("Continuous.comp")[0].id)
    hybrid = Hybrid([Shelf("top", store, Lexical(store), dense)])  # type: ignore[arg-type]
    assert hybrid.search("extreme value theorem")[0].stored.premise.name == "IsCompact.exists_isMaxOn"
    store.close()


def test_a_notion_comes_before_what_is_said_of_it(path: Path) -> None:
    assert found(path, "compact set")[0] == "IsCompact"


def test_tests_and_examples_come_later_and_notions_do_not_come_before_lemmas_with_that_name(tmp_path: Path) -> None:
    files = {
        "TopTest/Bar.lean": "theorem bar (f g : G) : f * g = g * f := sorry\n",
        "Top/Comm.lean": "theorem other_comm : ∀ a b : G, a * b = b * a := sorry\nclass OtherComm (G : Type) : Prop\n",
    }
    write(tmp_path / "src", files)
    index(tmp_path / "src", tmp_path / "top.db")
    assert found(tmp_path / "top.db", "?a * ?b = ?b * ?a") == ["other_comm", "bar"]
    assert found(tmp_path / "top.db", "other_com")[0] == "other_comm"
    assert found(tmp_path / "top.db", "other comm")[0] == "OtherComm"


def test_filters_by_module_change_with_the_question(path: Path) -> None:
    hybrid = library(path)
    for _ in range(2):
        names = [each.stored.premise.name for each in hybrid.search("compact kind:def module:Top.Topology")]
        assert names == ["IsCompact"]
        assert hybrid.search("compact module:Top.Algebra") == []
    hybrid.shelves[0].store.close()


def test_a_pattern_that_is_all_of_a_statement_and_a_question_word_for_word_come_first(tmp_path: Path) -> None:
    text = """
/-- A case of something. The **rule of Hamilton**, at last. -/
theorem long_name_of_a_case : ∀ a b : G, a * b = b * a := sorry
/-- Of a rule, by Hamilton. -/
theorem about_rule (a b c : G) (h : c = 1) : c * (a * b = b * a) = 1 := sorry
"""
    write(tmp_path / "src", {"Top/Rules.lean": text})
    index(tmp_path / "src", tmp_path / "top.db")
    assert found(tmp_path / "top.db", "rule of Hamilton")[0] == "long_name_of_a_case"
    assert found(tmp_path / "top.db", "_ * _ = _ * _")[0] == "long_name_of_a_case"


def test_a_pattern_finds_the_general_statement_first_translated_or_not(tmp_path: Path) -> None:
    text = """
@[to_additive]
theorem mul_comm : ∀ a b : G, a * b = b * a := sorry
theorem Number.mul_comm (a b : Number) : a * b = b * a := sorry
theorem Number.add_comm (a b : Number) : a + b = b + a := sorry
"""
    write(tmp_path / "src", {"Top/Rules.lean": text})
    index(tmp_path / "src", tmp_path / "top.db")
    assert found(tmp_path / "top.db", "?a * ?b = ?b * ?a")[:2] == ["mul_comm", "Number.mul_comm"]
    assert found(tmp_path / "top.db", "?a + ?b = ?b + ?a")[:2] == ["add_comm", "Number.add_comm"]
