"""What of remembered proofs is found for a goal, and how its constants are written there."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from tacit.server.lean.goals import parse_goal
from tacit.server.memory import Memory, Place
from tacit.server.memory_proofs import ACCEPTED, Known, Step, read_proofs

BASIC = """\
namespace Own

def twice (n : Nat) : Nat := n + n

theorem twice_eq (n : Nat) : twice n = n + n := by
  unfold twice
  rfl

theorem twice_zero : twice 0 = 0 := by simp [twice]

end Own
"""
MORE = """\
import Own.Basic

open Own

theorem twice_succ (n : Nat) : twice (n + 1) = twice n + 2 := by
  simp [twice_eq, Nat.add_assoc]

theorem later (n : Nat) : twice n = n + n + 0 := by
  exact twice_eq n
"""


def memory(**files: str) -> Memory:
    found = Memory()
    for module, text in files.items():
        found.put(part(module), read_proofs(text, f"Own.{module}"))
    return found


def part(module: str) -> str:
    return str(PurePosixPath("/ws/Own") / f"{module}.lean")


def place(goal: str, above: str = "", *, module: str = "Mine", declaration: str = "mine", **more: str | bool) -> Place:
    return Place(parse_goal(goal), part(module), f"Own.{module}", declaration, above, **more)  # type: ignore[arg-type]


def tactics(found: Memory, asked: Place, limit: int = 50) -> list[str]:
    return [each.tactic for each in found.recall(asked, limit)]


IMPORTS = "import Own.More\n\nopen Own\n"
GOAL = "m : Nat\n⊢ twice (m + 3) = twice m + 6"


def test_the_likest_goal_comes_first() -> None:
    found = memory(Basic=BASIC, More=MORE)
    assert tactics(found, place(GOAL, IMPORTS))[0] == "simp [twice_eq, Nat.add_assoc]"


def test_parentheses_that_lean_would_not_print_do_not_count() -> None:
    text = "theorem t (a b c : Nat) : twice ((a + b) + c) = (a + (b)) + c := by\n  own_tactic\n"
    goal = "x y z : Nat\n⊢ twice (x + y + z) = x + y + z"
    near, far = (
        memory(Basic=each).recall(place(goal), 1)[0].weight
        for each in (text, text.replace("(a + (b)) + c", "a + (b + c)"))
    )
    assert near > 1.5 * far


def test_it_is_the_same_each_time() -> None:
    first, second = (tactics(memory(Basic=BASIC, More=MORE), place(GOAL, IMPORTS)) for _ in range(2))
    assert first == second


def test_names_are_written_as_the_place_asks() -> None:
    found = memory(Basic=BASIC, More=MORE)
    assert "simp [twice]" in tactics(found, place(GOAL, IMPORTS))
    assert "simp [Own.twice]" in tactics(found, place(GOAL, "import Own.More\n"))


def test_what_is_not_imported_is_not_offered() -> None:
    found = memory(Basic=BASIC, More=MORE)
    assert not any("twice" in each for each in tactics(found, place(GOAL, "import Other\n")))


def test_the_theorem_itself_and_later_ones_are_not_offered() -> None:
    found = memory(Basic=BASIC, More=MORE)
    above = MORE[: MORE.index("theorem twice_succ")]
    asked = place("n : Nat\n⊢ twice (n + 1) = twice n + 2", above, module="More", declaration="twice_succ")
    assert "simp [twice_eq, Nat.add_assoc]" not in tactics(found, asked)
    uses_later = MORE + "\ntheorem last (n : Nat) : twice n + 0 = n + n := by\n  rw [later]\n"
    found.put(part("More"), read_proofs(uses_later, "Own.More"))
    assert "rw [later]" not in tactics(found, asked)
    assert "exact twice_eq n" in tactics(found, asked)  # it stands below, what it names does not


def test_what_stands_below_can_be_left_out() -> None:
    found = memory(Basic=BASIC, More=MORE)
    above = MORE[: MORE.index("theorem twice_succ")]
    asked = place(GOAL, above, module="More", declaration="twice_succ", below=False)
    assert "exact twice_eq n" not in tactics(found, asked)


def test_files_that_import_this_one_can_be_left_out() -> None:
    later = "import Own.More\n\ntheorem far (n : Nat) : twice n + 0 = n + n := by\n  omega\n"
    found = memory(Basic=BASIC, More=MORE, Later=later, Apart=later.removeprefix("import Own.More\n"))
    asked = place("n : Nat\n⊢ twice n + 0 = n + n", module="Basic", declaration="mine")
    assert [each.tactic for each in found.recall(asked, 50)].count("omega") == 2
    strict = place("n : Nat\n⊢ twice n + 0 = n + n", module="Basic", declaration="mine", below=False)
    assert [each.tactic for each in found.recall(strict, 50)].count("omega") == 1


def test_lemmas_change_as_the_theorem_does() -> None:
    text = BASIC.replace("end Own", "") + (
        "def thrice (n : Nat) : Nat := n + n + n\n"
        "theorem thrice_eq (n : Nat) : thrice n = n + n + n := by rfl\n\n"
        "end Own\n"
    )
    found = memory(Basic=text, More=MORE)
    asked = place("m : Nat\n⊢ thrice (m + 1) = thrice m + 2", IMPORTS, declaration="thrice_succ")
    assert "simp [thrice_eq, Nat.add_assoc]" in tactics(found, asked)


def test_a_name_that_would_be_made_up_is_not() -> None:
    found = memory(Basic=BASIC, More=MORE)
    asked = place("m : Nat\n⊢ fourfold (m + 1) = fourfold m + 2", IMPORTS, declaration="fourfold_succ")
    assert not any("fourfold" in each for each in tactics(found, asked))


def test_a_file_takes_the_place_of_what_it_was_and_goes() -> None:
    found = memory(Basic=BASIC, More=MORE)
    found.put(part("More"), read_proofs(MORE.replace("Nat.add_assoc", "Nat.add_comm"), "Own.More"))
    assert tactics(found, place(GOAL, IMPORTS))[0] == "simp [twice_eq, Nat.add_comm]"
    found.put(part("More"), None)
    assert "simp [twice_eq, Nat.add_comm]" not in tactics(found, place(GOAL, "import Own.Basic\nopen Own\n"))
    assert len(found) == read_proofs(BASIC, "Own.Basic").steps


def test_what_was_accepted_is_found_at_once() -> None:
    found = memory()
    known = Known("a b : Nat\n⊢ twice a = b", "t", "", (), (Step("omega_nat", ACCEPTED),))
    found.accept(part("Mine"), known)
    assert not found.accept(part("Mine"), known)
    assert len(found) == 1
    [first, *_] = found.recall(place("x y : Nat\n⊢ twice x = y"), 5)
    assert (first.tactic, first.goal.target) == ("omega_nat", "twice a = b")


@pytest.mark.parametrize("target", ["", "⊢", "∀", "(", "⊢ ⟨ [ {", "a" * 5_000, "\u2028 ✝ ?x.1"])
def test_no_goal_is_too_odd(target: str) -> None:
    memory(Basic=BASIC).recall(place(f"h : {target}\n⊢ {target}"), 5)
