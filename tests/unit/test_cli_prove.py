"""`tacit prove`: which `sorry` is replaced, on which text each is tried, and what becomes of the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tacit.server.cli import main
from tacit.server.errors import LeanDied, LeanNotFound, NoGoal
from tacit.server.settings import Settings
from tests.unit.cli_engine import FakeEngine, Tactic

TEXT = """theorem one (p : Prop) (h : p) : p := by
  sorry -- sorry

/- sorry -/
theorem two (p : Prop) (h : p) : p := sorry

theorem three (p : Prop) (h : p) : p := by
  have := "sorry"
  sorry
"""
CLOSES = {
    "one": [Tactic("cases h\n· rfl", text="cases h\n  · rfl")],
    "two": [Tactic("exact h", text="by exact h")],
    "three": [Tactic("assumption")],
}
CLOSED = (
    TEXT.replace("  sorry -- sorry", "  cases h\n  · rfl -- sorry")
    .replace(":= sorry", ":= by exact h")
    .replace('"sorry"\n  sorry', '"sorry"\n  assumption')
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "Foo.lean"
    path.write_bytes(TEXT.encode())
    return path


def prove(engine: FakeEngine, *arguments: str) -> int:
    return main(["prove", "Foo.lean", *arguments], build=lambda _: engine)


def test_each_is_tried_on_what_those_above_have_left(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = FakeEngine(CLOSES)
    assert prove(engine) == 0
    out, err = capsys.readouterr()
    assert [line for line in out.splitlines() if line[:1] in "+-"] == [
        "--- a/Foo.lean",
        "+++ b/Foo.lean",
        "-  sorry -- sorry",
        "+  cases h",
        "+  · rfl -- sorry",
        "-theorem two (p : Prop) (h : p) : p := sorry",
        "+theorem two (p : Prop) (h : p) : p := by exact h",
        "-  sorry",
        "+  assumption",
    ]
    assert err.startswith("✓ closed 3 of 3 in ")
    assert file.read_text() == TEXT
    texts = [document.text for document, _, _ in engine.asked]
    assert [document.version for document, _, _ in engine.asked] == [1, 2, 3]
    assert [position.line for _, position, _ in engine.asked] == [1, 5, 9]
    assert texts[0] == TEXT
    assert "· rfl" in texts[1]
    assert "by exact h" in texts[2]
    assert all(options.closes_only and options.stop_at_first_close for _, _, options in engine.asked)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_written_with_the_line_ends_it_had(
    end: str, last: bool, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = (text if last else text.removesuffix("\n") for text in (TEXT, CLOSED))
    file.write_bytes(before.replace("\n", end).encode())
    file.chmod(0o600)
    assert prove(FakeEngine(CLOSES), "--write") == 0
    assert file.read_bytes() == after.replace("\n", end).encode()
    assert file.stat().st_mode & 0o777 == 0o600
    out, err = capsys.readouterr()
    assert out == ""
    assert "✓ Foo.lean:6  two  exact h\n" in err  # its line in the file as it is now
    assert "Foo.lean was written" in err


def test_only_what_was_verified_in_place_is_taken(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = FakeEngine(
        {
            "one": [Tactic("exact h", verified=False)],
            "two": [Tactic("simp", left=1), Tactic("simp [h]", left=2)],
            "three": [Tactic("exact this", note="The declaration has errors elsewhere.")],
        }
    )
    assert prove(engine, "--write") == 1
    err = capsys.readouterr().err
    assert file.read_text() == TEXT
    assert "✗ Foo.lean:5  two  None of the 3 tactics tried closes it. Best: `simp` (1 goal left).\n" in err
    assert "✗ Foo.lean:9  three  `exact this` would do, but: The declaration has errors elsewhere.\n" in err
    assert "– closed 0 of 3 in " in err


def test_data_is_left_to_the_user_but_inside_a_theorem(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(TEXT.replace("theorem two", "def     two"))
    assert prove(FakeEngine(CLOSES, data=frozenset({"one", "two"}))) == 1
    out, err = capsys.readouterr()
    assert "· rfl" in out
    assert "by exact h" not in out
    assert "✗ Foo.lean:5  two  It is data, not a proof" in err


def test_one_without_a_goal_does_not_keep_the_others(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prove(FakeEngine({**CLOSES, "two": NoGoal("Lean shows no goal here.")})) == 1
    out, err = capsys.readouterr()
    assert "+  assumption" in out
    assert "✗ Foo.lean:5  Lean shows no goal here.\n" in err


def test_only_the_line_asked_for(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prove(FakeEngine(CLOSES), "--line", "5", "--write") == 0
    assert file.read_text() == TEXT.replace(":= sorry", ":= by exact h")
    assert prove(FakeEngine(CLOSES), "--line", "4") == 2
    assert prove(FakeEngine(CLOSES), "--line", "99") == 2
    assert "There is no `sorry` on line 4 of Foo.lean." in capsys.readouterr().err


def test_a_file_without_sorry_is_done(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("-- sorry\n")
    engine = FakeEngine()
    assert prove(engine, "--write") == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "There is no `sorry` in Foo.lean.\n")
    assert engine.asked == []


def test_a_file_that_changes_meanwhile_is_not_written(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = FakeEngine(CLOSES, meanwhile=lambda: file.write_text("mine"))
    assert prove(engine, "--write") == 2
    assert file.read_text() == "mine"
    assert "changed on disk while Tacit was working" in capsys.readouterr().err


def test_without_lean_it_is_3(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prove(FakeEngine({"one": LeanNotFound("No Lean was found.")})) == 3
    assert capsys.readouterr().err == "✗ No Lean was found.\n"


def test_a_lean_that_dies_twice_in_a_row_is_left_alone(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    died = LeanDied("Lean died.")
    engine = FakeEngine({**CLOSES, "two": died, "three": died})
    assert prove(engine, "--json") == 3
    shown = json.loads(capsys.readouterr().out)
    assert (shown["closed"], shown["total"]) == (1, 3)
    engine = FakeEngine({"one": died, "two": died, "three": died})
    assert prove(engine) == 3
    assert len(engine.asked) == 2
    engine = FakeEngine({**CLOSES, "two": died})
    assert prove(engine) == 1


def test_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prove(FakeEngine({**CLOSES, "three": []}), "--json") == 1
    shown = json.loads(capsys.readouterr().out)
    assert (shown["file"], shown["closed"], shown["total"], shown["written"]) == ("Foo.lean", 2, 3, False)
    assert [goal["declaration"] for goal in shown["goals"]] == ["one", "two", "three"]
    assert [goal["closed"] for goal in shown["goals"]] == [True, True, False]
    two = shown["goals"][1]
    assert (two["tactic"], two["newText"], two["source"], two["axioms"]) == (
        "exact h",
        "by exact h",
        "fixed",
        ["propext"],
    )
    # Where it stands in the file as it was, though a line was added above.
    assert two["range"] == {"start": {"line": 4, "character": 38}, "end": {"line": 4, "character": 43}}
    assert shown["goals"][2]["reason"] == "The one tactic tried does not close it."
    assert shown["diff"].startswith("--- a/Foo.lean\n")
    assert shown["lean"] == {"version": "4.27.0", "live": True}


def test_traces_name_the_module(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lakefile.lean").write_text("import Lake\nopen Lake DSL\npackage own\n", encoding="utf-8")
    assert prove(FakeEngine(CLOSES), "--traces", "tried.jsonl") == 0
    kept = [json.loads(line) for line in (tmp_path / "tried.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(each["module"], each["name"]) for each in kept] == [("Foo", name) for name in ("one", "two", "three")]


def test_other_proofs_are_shown_where_they_are_asked_for(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beside = {"two": [Tactic("cases h\n· rfl", text="by cases h"), Tactic("simp")]}
    assert prove(FakeEngine(CLOSES, beside=beside), "--alternatives") == 0
    shown = capsys.readouterr().err
    assert "✓ Foo.lean:5  two  exact h\n  or cases h\n     · rfl\n  or simp\n" in shown
    assert "  one  " not in shown, "there is but one proof"
    assert prove(FakeEngine(CLOSES, beside=beside)) == 0
    assert "  or " not in capsys.readouterr().err


def test_other_proofs_and_their_axioms_are_told_as_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beside = {"two": [Tactic("cases h\n· rfl", text="by cases h")]}
    assert prove(FakeEngine(CLOSES, beside=beside), "--json") == 0
    goals = json.loads(capsys.readouterr().out)["goals"]
    other = {"tactic": "cases h\n· rfl", "newText": "by cases h", "axioms": ["propext"]}
    assert [goal["alternatives"] for goal in goals] == [[], [other], []]


def test_how_to_finish_is_asked_of_the_search(file: Path) -> None:
    for arguments, wanted in (
        ((), (False, 0, None)),
        (("--simp-only",), (True, 0, None)),
        (("--alternatives",), (False, 3, None)),
        (("--seed", "7"), (False, 0, 7)),
    ):
        engine = FakeEngine(CLOSES)
        prove(engine, *arguments)
        finish = {options.finish for _, _, options in engine.asked}
        assert [(each.simp_only, each.alternatives, each.seed) for each in finish] == [wanted]


def test_learning_can_be_left_out_once(file: Path) -> None:
    asked: list[Settings] = []

    def build(settings: Settings) -> FakeEngine:
        asked.append(settings)
        return FakeEngine(CLOSES)

    for flags in ([], ["--no-learn"]):
        assert main(["prove", "Foo.lean", *flags], build=build) == 0
    assert [each.prove_learn for each in asked] == [True, False]
