"""Neater forms of proofs: which are proposed, how texts are taken apart, what lies on the page."""

from __future__ import annotations

import pytest

from tacit.server.prover.binders import cleared, names, unused, without
from tacit.server.prover.layout import WIDTH, wrapped
from tacit.server.prover.neater import changes, together, with_alternatives
from tacit.server.prover.proof import Proof, apart, read_block
from tacit.server.prover.terms import term

EVERYTHING = ("rintro", "obtain", "simpa", "rwa")


def proof(text: str) -> Proof:
    """The proof that a text is; its last tactics leave nothing."""
    read = read_block(text)
    assert read is not None
    assert read.text == text
    return read


def proposed(text: str, *known: str) -> set[str]:
    whole = proof(text)
    return {change.of(whole).text for change in changes(whole, known)}


@pytest.mark.parametrize(
    ("text", "neater"),
    [
        ("intro a\nintro b\nexact a", "intro a b\nexact a"),
        ("rw [h]\nrw [k, ← l]", "rw [h, k, ← l]"),
        ("rw [h] at k\nrw [l] at k\nexact k", "rw [h, l] at k\nexact k"),
        ("rw [h] at k\nexact k", "rwa [h] at k"),
        ("rw [h]\nexact k", "rwa [h]"),
        ("simp at h\nexact h", "simpa using h"),
        ("simp only [f, g] at h\nexact h", "simpa only [f, g] using h"),
        ("simp [f]\nexact g h", "simpa [f] using g h"),
        ("have h := f x\nexact g h", "exact g (f x)"),
        ("have h : p := f x\nsimpa using h", "simpa using f x"),
        ("have h := f x\nexact h.1", "exact (f x).1"),
        ("intro h\nobtain ⟨a, b⟩ := h\nexact a", "rintro ⟨a, b⟩\nexact a"),
        ("intro h\nrcases h with a | b\n· exact f a\n· exact g b", None),
        ("constructor\n· exact hp\n· exact hq", "exact ⟨hp, hq⟩"),
        ("constructor\n· exact hp\n· constructor\n  · exact hq\n  · exact hr", "exact ⟨hp, hq, hr⟩"),
        ("constructor\n· exact hp\n· simp", "exact ⟨hp, by simp⟩"),
        ("constructor\n· simp\n· omega", None),
        ("constructor\n· exact hp\n· intro x\n  cases x <;> omega", "refine ⟨hp, ?_⟩\nintro x\ncases x <;> omega"),
        ("constructor\n· intro h\n  exact f h a\n· intro h\n  exact h.1", "exact ⟨fun h => f h a, fun h => h.1⟩"),
        ("exists a\nexact h", "exact ⟨a, h⟩"),
        ("refine ⟨a, ?_⟩\nexact f h", "exact ⟨a, f h⟩"),
        ("refine f ?_ b\nexact g h", "exact f (g h) b"),
        ("apply f\n· exact a\n· exact g b", "exact f a (g b)"),
        ("intro h\nexact f h", "exact f"),
        ("left\nexact f h", "exact Or.inl (f h)"),
        ("constructor\n· simp_all\n· simp_all", "constructor <;> simp_all"),
        ("have h : p := foo\nsimp [bar]", "simp [bar]"),
        ("revert a\nintro a\nsimp", "simp"),
        ("exact ⟨a, ⟨b, c⟩⟩", "exact ⟨a, b, c⟩"),
        ("exact ⟨(f a), (g b)⟩", "exact ⟨f a, (g b)⟩"),
        ("exact ⟨(f a), (g b)⟩", "exact ⟨f a, g b⟩"),
        ("exact ⟨(a : Nat), b⟩", None),
        ("exact (f a)", "exact f a"),
        ("exact f (fun x => g (fun y => h y x))", "exact f fun x => g fun y => h y x"),
        ("exact ⟨f (fun x => x), (g a)⟩", "exact ⟨f fun x => x, g a⟩"),
        ("exact h (fun x => x) a", None),
        ("exact f (fun x : Nat => x)", "exact f fun x : Nat => x"),
        ("repeat constructor\n· exact a\n· exact b\n· exact c", "exact ⟨a, b, c⟩"),
        ("simp [f, g]", "simp [f]"),
        ("intro a <;> cases a <;> simp", "intro a\ncases a <;> simp"),
        ("(cases a <;> simp)", None),
        ("exact fun x h => f x", "exact fun x _ => f x"),
        (
            "induction n with\n| zero => rfl\n| succ n ih =>\n  simp\n  exact f n",
            "cases n with\n| zero => rfl\n| succ n =>\n  simp\n  exact f n",
        ),
        ("induction n with\n| zero => rfl\n| succ n ih => exact f ih", None),
        ("cases h with\n| intro a b => exact f b", "obtain ⟨a, b⟩ := h\nexact f b"),
    ],
)  # fmt: skip
def test_what_is_proposed(text: str, neater: str | None) -> None:
    found = proposed(text, *EVERYTHING)
    if neater is not None:
        assert neater in found
    else:
        assert not any(each.startswith(("exact", "rintro", "cases")) and each != text for each in found)


def test_tactics_that_lean_lacks_are_not_proposed() -> None:
    assert not any("simpa" in each for each in proposed("simp at h\nexact h"))
    assert not any("rwa" in each for each in proposed("rw [h] at k\nexact k"))
    assert "intro ⟨a, b⟩\nexact a" in proposed("intro h\nhave ⟨a, b⟩ := h\nexact a")


def test_changes_at_different_places_go_together() -> None:
    whole = proof("constructor\n· simp [a]\n· rw [h]\n  rw [k]")
    wanted = {"constructor\n· simp\n· rw [h]\n  rw [k]", "constructor\n· simp [a]\n· rw [h, k]"}
    both = together(whole, [each for each in changes(whole) if each.of(whole).text in wanted])
    assert both is not None
    assert both.text == "constructor\n· simp\n· rw [h, k]"
    assert together(whole, list(changes(whole))[:1]) is None


@pytest.mark.parametrize(
    "text",
    [
        "intro h",
        "constructor\n· exact a\n· intro x\n  exact b",
        "cases h with\n| inl a => exact f a\n| inr b =>\n  simp\n  exact b",
        "intro x\ninduction x with\n| zero => rfl\n| succ n ih =>\n  cases ih\n  · rfl\n  · simp",
        "have h : p := by\n  simp\n  exact q\nexact h",
    ],
)
def test_a_text_is_taken_apart_and_written_as_it_was(text: str) -> None:
    read = read_block(text)
    assert read is not None
    assert read.text == text


def test_what_a_source_wrote_in_one_piece_comes_apart() -> None:
    assert apart(Proof("intro h; exact h")) == Proof("intro h", (Proof("exact h"),))
    assert apart(Proof("intro h; constructor", (Proof("a"), Proof("b")))).text == "intro h\nconstructor\n· a\n· b"
    assert apart(Proof("cases x <;> simp")).tactics == 1
    assert apart(Proof("exact (by intro h; exact h)")).tactics == 1
    tactic = "induction n with\n| zero => ?_\n| succ n ih => ?_"
    filled = apart(Proof(tactic, (Proof("rfl"), Proof("simp; exact ih"))))
    assert filled.text == "induction n with\n| zero => rfl\n| succ n ih =>\n  simp\n  exact ih"
    assert [path for path, _ in filled.walk()] == [(), (0,), (1,), (1, 0)]


def test_the_goals_of_an_induction_are_alternatives() -> None:
    whole = Proof(
        "intro n", (Proof("induction n", (Proof("rfl"), Proof("simp", (Proof("assumption"),))), ("zero", "succ")),)
    )
    assert whole.text == "intro n\ninduction n\n· rfl\n· simp\n  assumption"
    assert with_alternatives(whole).text == (
        "intro n\ninduction n with\n| zero => rfl\n| succ =>\n  simp\n  assumption"
    )
    assert (
        with_alternatives(Proof("induction n", whole.parts[0].parts)).text == "induction n\n· rfl\n· simp\n  assumption"
    )
    named = Proof("cases h", (Proof("rfl"), Proof("simp")), ("inl", "inr"))
    assert with_alternatives(named) == named


def test_a_term_is_none_where_it_would_not_read() -> None:
    assert term(proof("intro x\nsimp")) is None
    assert term(proof("rw [h]\nexact k")) is None
    assert term(proof("constructor\n· exact " + "a" * 60 + "\n· exact " + "b" * 60)) is None


@pytest.mark.parametrize(
    ("tactic", "given"),
    [
        ("intro a _ b", ["a", "b"]),
        ("rintro ⟨a, rfl⟩ (h : p x)", ["a", "h"]),
        ("obtain ⟨a, b⟩ := f c", ["a", "b"]),
        ("obtain ⟨a, b⟩ : p c := d", ["a", "b"]),
        ("rcases h with ⟨a, b⟩ | c", ["a", "b", "c"]),
        ("cases' h with a b", ["a", "b"]),
        ("have h := f x", []),
        ("have ⟨a, b⟩ := h", ["a", "b"]),
        ("induction n with\n| zero => ?_\n| succ n ih => ?_", ["n", "ih"]),
        ("simp [a] at h", []),
        ("intro a <;> simp", []),
    ],
)
def test_names_that_a_tactic_gives(tactic: str, given: list[str]) -> None:
    found = names(tactic)
    assert [each.text for each in found] == given
    assert [tactic[each.start : each.end] for each in found] == given


def test_names_that_nothing_mentions_are_cleared_to_see_whether_they_are_used() -> None:
    whole = proof("intro a b c\ncases n with\n| zero => exact c\n| succ n ih => omega")
    found = list(unused(whole))
    assert [each.name.text for each in found] == ["a", "b", "ih"], "`n` is mentioned: it is what `cases` is about"
    assert cleared(whole, found[1:2]).text.startswith("intro a b c\nclear b\ncases n with")
    assert cleared(whole, found).text == (
        "intro a b c\nclear a\nclear b\ncases n with\n| zero => exact c\n| succ n ih =>\n  clear ih\n  omega"
    )
    neat = without(whole, [found[0], found[1], found[-1]])
    assert neat.text == "intro _ _ c\ncases n with\n| zero => exact c\n| succ n _ => omega"


def test_long_lines_are_broken_behind_a_comma() -> None:
    lemmas = ", ".join(f"some_lemma_{n}" for n in range(12))
    lines = wrapped(["intro x", f"· simp only [{lemmas}] at h"], 2)
    assert lines[0] == "intro x"
    assert len(lines) == 3
    assert max(map(len, lines)) <= WIDTH - 2
    assert lines[1].startswith("· simp only [some_lemma_0, ")
    assert lines[1].endswith(",")
    assert lines[2].startswith("    some_lemma_")
    assert wrapped(["exact " + "a" * 200], 2) == ["exact " + "a" * 200]
    assert wrapped(["short"], 96) == ["short"]
    again = " ".join(part.strip() for part in lines[1:])
    assert again == f"· simp only [{lemmas}] at h"


def test_a_long_application_is_broken_at_a_blank() -> None:
    text = "exact " + " ".join(f"argument{n}" for n in range(14))
    first, second = wrapped([text], 2)
    assert (len(first) <= WIDTH - 2, second[:4]) == (True, "  ar")
