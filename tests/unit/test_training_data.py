"""Gathering examples: sources and traces, held out by file, without doubles, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tacit.index.source import Source
from tacit.training import data
from tacit.training.errors import TrainingError
from tacit.training.examples import Example

KEPT, HELD = "Kept.A", next(f"Held.M{n}" for n in range(10_000) if data.held_out(f"Held.M{n}"))


def gather(folder: Path, files: dict[str, str], *traces: Path) -> data.Gathered:
    sources = []
    for module, text in files.items():
        path = folder.parent / f"{module}.lean"
        path.write_text(text, encoding="utf-8")
        sources.append(Source(module, path))
    return data.gather(folder, sources, traces, lambda *_: None, workers=0)


def read(folder: Path, name: str = data.TRAIN) -> list[Example]:
    return list(data.read(folder / name))


def test_files_are_held_out_whole_and_one_in_fifty() -> None:
    held = [data.held_out(f"Mathlib.Some.Module{number}") for number in range(20_000)]
    assert 0.015 < sum(held) / len(held) < 0.03
    assert not data.held_out("")


def test_what_is_held_out_is_among_what_the_ranking_never_saw() -> None:
    from tacit.server.eval_premises import held_out

    assert all(held_out(name) for number in range(5_000) if data.held_out(name := f"Mathlib.Module{number}"))


def test_examples_are_written_once_and_a_double_is_left_out_where_it_is_held_out(tmp_path: Path) -> None:
    same = "theorem a : 1 = 1 := by simp\n"
    other = "theorem b : 2 = 2 := by rfl\n"
    done = gather(tmp_path / "out", {HELD: same + other, KEPT: same + same})
    assert (done.train, done.held_out, done.doubles, done.files) == (1, 1, 2, 2)
    assert [each.module for each in read(tmp_path / "out")] == [KEPT]
    assert [each.goal for each in read(tmp_path / "out", data.HELD_OUT)] == ["⊢ 2 = 2"]
    manifest = json.loads((tmp_path / "out" / data.MANIFEST).read_text(encoding="utf-8"))
    assert (manifest["schema"], manifest["kinds"]) == (1, {"first": 2})


def test_traces_are_read_and_what_is_none_is_said_once(tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    good = {"goal": "n : ℕ\n⊢ n = n", "tactic": "rfl", "seconds": 0.1}
    lines = [json.dumps(good), "", "[1]", "{", json.dumps({"goal": "⊢ p"}), json.dumps({"tactic": "rfl"})]
    trace.write_text("\n".join([*lines, json.dumps({**good, "goal": 1})]), encoding="utf-8")
    done = gather(tmp_path / "out", {}, trace)
    assert done.problems == (f"{trace}:3 is no trace: it is no object; such lines are passed over.",)
    assert read(tmp_path / "out") == [Example("rfl", "n : ℕ\n⊢ n = n")]


def test_traces_of_held_out_files_are_held_out_and_none_that_was_learned_from(tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    records = [{"goal": goal, "tactic": "a", "module": m} for goal, m in (("⊢ p", HELD), ("⊢ q", HELD), ("⊢ p", KEPT))]
    trace.write_text("".join(json.dumps(each) + "\n" for each in records))
    done = gather(tmp_path / "out", {}, trace)
    assert (done.train, done.held_out, done.doubles) == (1, 1, 1)
    assert [each.goal for each in read(tmp_path / "out", data.HELD_OUT)] == ["⊢ q"]


@pytest.mark.parametrize("files", [{}, {KEPT: "def a := 1\n"}])
def test_no_examples_leave_what_was_there(tmp_path: Path, files: dict[str, str]) -> None:
    out = tmp_path / "out"
    gather(out, {KEPT: "theorem a : 1 = 1 := by simp\n"})
    with pytest.raises(TrainingError, match=r"^There is no theorem with a tactic proof in what was named\.$"):
        gather(out, files)
    assert len(read(out)) == 1
    assert {each.name for each in tmp_path.iterdir() if each.is_dir()} == {"out"}


def test_files_that_cannot_be_read_are_problems_and_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "good.lean").write_bytes(b"\xef\xbb\xbftheorem a : 1 = 1 := by\r\n  simp\r\n  rfl -- \xff\r\n")
    sources = [Source("Good", tmp_path / "good.lean"), Source("Gone", tmp_path / "gone.lean")]
    done = data.gather(tmp_path / "out", sources, [], lambda *_: None, workers=0)
    assert [each.tactic for each in read(tmp_path / "out")] == ["simp", "rfl"]
    assert done.problems == (f"{tmp_path / 'gone.lean'}: It could not be read: No such file or directory.",)


def test_several_processes_give_the_same(tmp_path: Path) -> None:
    files = {f"M{number}": f"theorem a{number} : {number} = {number} := by simp\n" for number in range(70)}
    gather(tmp_path / "one", files)
    sources = [Source(module, tmp_path / f"{module}.lean") for module in files]
    data.gather(tmp_path / "two", sources, [], lambda *_: None, workers=2)
    for name in (data.TRAIN, data.HELD_OUT, data.MANIFEST):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_what_is_no_folder_of_examples_is_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="There are no examples in"):
        read(tmp_path)
    (tmp_path / data.TRAIN).write_text('{"goal": "p", "tactic": "t"}\nnot\n')
    with pytest.raises(TrainingError, match=r"train\.jsonl:2 is no example"):
        read(tmp_path)
