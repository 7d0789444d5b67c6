"""`tacit suggest`: how a place is read, and what is shown for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tacit.server.cli import main
from tacit.server.errors import BadInput
from tacit.server.patch import LeanFile
from tacit.server.suggest import Remark
from tacit.server.suggest_at import Place
from tacit.server.text import Position
from tests.unit.cli_engine import FakeEngine, Tactic

TEXT = "-- sorry\ntheorem 𝕜 (p : Prop) (h : p) : p := by\n  sorry\n\nexample : True := ⟨sorry, sorry⟩ -- sorry\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "Foo.lean"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Foo.lean:3", Place(Path("Foo.lean"), 3)),
        ("a/Foo.lean:3:7", Place(Path("a/Foo.lean"), 3, 7)),
        ("Foo.lean:3:7:", Place(Path("Foo.lean"), 3, 7)),  # as compilers print it
        ("a:1:2:3", Place(Path("a:1"), 2, 3)),
    ],
)
def test_a_place_is_read(text: str, place: Place) -> None:
    assert Place.parse(text) == place


@pytest.mark.parametrize("text", ["Foo.lean", "", ":3", "Foo.lean:", "Foo.lean:x"])
def test_what_names_no_line_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"Write .*:LINE"):
        Place.parse(text)


@pytest.mark.parametrize(
    ("line", "column", "position"),
    [
        (1, None, Position(0, 8)),  # that sorry is a comment
        (2, None, Position(1, 38)),
        (2, 39, Position(1, 38)),
        (3, None, Position(2, 2)),
        (5, None, Position(4, 19)),  # the first of the line, not the one in the comment behind them
        (6, None, Position(5, 0)),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_where_a_place_is(line: int, column: int | None, position: Position, ends: str, file: Path) -> None:
    file.write_text(TEXT, encoding="utf-8", newline=ends)
    assert Place(file, line, column).position(LeanFile.read(file)) == position


@pytest.mark.parametrize(("line", "column"), [(0, None), (7, None), (2, 0), (2, 40)])
def test_a_place_outside_the_file_is_refused(line: int, column: int | None, file: Path) -> None:
    with pytest.raises(BadInput, match=r"Foo\.lean"):
        Place(file, line, column).position(LeanFile.read(file))


def test_the_goal_then_each_suggestion_with_what_is_new_in_its_goals(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = FakeEngine({"𝕜": [Tactic("cases h with\n| inl x => ?_", left=1), Tactic("exact h")]}, notice="Stopped.")
    assert main(["suggest", "Foo.lean:3"], build=lambda _: engine) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "Foo.lean:3:3  𝕜",
        "  p : Prop",
        "  h : p",
        "  ⊢ p",
        "",
        "→ cases h with                                  1 goal left · fixed · 0.25 s",
        "  | inl x => ?_",
        "    case inl",
        "    n m : Nat",
        "    ⊢ m = n",
        "✓ exact h                                       closes with propext · fixed · 0.25 s",
    ]
    assert "3 candidates checked in " in err
    assert "Lean 4.27.0" in err
    assert err.endswith("Stopped.\n")
    assert engine.closed == 1


def test_what_a_source_says_stands_below(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = (Remark("3 of 9 premises did not fit.", "context"), Remark("Gone.", "model", failed=True))
    engine = FakeEngine({"𝕜": [Tactic("exact h")]}, notice="Gone.", remarks=said)
    assert main(["suggest", "Foo.lean:3"], build=lambda _: engine) == 0
    assert capsys.readouterr().err.endswith("3 of 9 premises did not fit. Gone.\n")
    assert main(["suggest", "Foo.lean:3", "--json"], build=lambda _: engine) == 0
    assert json.loads(capsys.readouterr().out)["notice"] == "3 of 9 premises did not fit. Gone."


def test_only_progress_or_nothing_is_1(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    progress = [Tactic("simp", left=1), Tactic("exact h", note="The declaration has errors elsewhere.")]
    assert main(["suggest", "Foo.lean:3"], build=lambda _: FakeEngine({"𝕜": progress})) == 1
    assert "closes this goal, not all of the declaration" in capsys.readouterr().out
    assert main(["suggest", "Foo.lean:3"], build=lambda _: FakeEngine()) == 1
    assert "Nothing that was tried" in capsys.readouterr().out


def test_a_column_is_meant_exactly_and_a_line_is_not(file: Path) -> None:
    engine = FakeEngine()
    main(["suggest", "Foo.lean:3", "--budget", "3s"], build=lambda _: engine)
    main(["suggest", "Foo.lean:3:1"], build=lambda _: engine)
    assert [options.near for _, _, options in engine.asked] == [True, False]
    assert engine.asked[0][2].budget == 3


def test_progress_beyond_the_limit_is_left_out_and_a_close_is_not(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = [*(Tactic(f"simp [h{n}]", left=1) for n in range(5)), Tactic("exact h"), Tactic("trivial")]
    assert main(["suggest", "Foo.lean:3", "--limit", "2"], build=lambda _: FakeEngine({"𝕜": script})) == 0
    out = capsys.readouterr().out
    assert [line.split("  ")[0] for line in out.splitlines() if line.startswith(("✓", "→"))] == [
        "→ simp [h0]",
        "→ simp [h1]",
        "✓ exact h",
    ]


def test_json_is_one_document_with_lsp_positions(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("theorem foo (𝕜 : True) : True := sorry\n", encoding="utf-8")
    engine = FakeEngine({"foo": [Tactic("simp", left=1), Tactic("exact 𝕜", text="by exact 𝕜")]})
    assert main(["suggest", "--json", "Foo.lean:1"], build=lambda _: engine) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["position"] == {"line": 0, "character": 34}  # 𝕜 is two UTF-16 units
    closing, progress = shown["suggestions"]
    assert (closing["tactic"], closing["verdict"], closing["verified"]) == ("exact 𝕜", "closes", True)
    assert closing["edit"] == {
        "range": {"start": {"line": 0, "character": 34}, "end": {"line": 0, "character": 39}},
        "newText": "by exact 𝕜",
    }
    assert progress["goals"][0]["hypotheses"][-1] == {"names": ["n", "m"], "type": "Nat", "value": None}
    assert shown["goals"][0]["target"] == "p"
    assert shown["lean"] == {"version": "4.27.0", "live": True}
    assert shown["declaration"] == "foo"
    assert shown["checked"] == 3
