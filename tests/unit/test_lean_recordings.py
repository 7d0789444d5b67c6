"""What Lean said is kept and answered again, and nothing else is ever answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.server.errors import BadInput
from tacit.server.lean.elaborator import Elaboration, Elaborator, LeanIdentity, Message, Outcome, Severity
from tacit.server.lean.recordings import FORMAT, Recorder, Recordings, ReplayElaborator, replay_notice
from tacit.server.text import Position
from tests.unit.fake_lean import Closes, FakeLean
from tests.unit.properties import examples

HEAD = json.dumps({"format": FORMAT, "lean": "4.27.0"})


def message(text: str) -> Message:
    return Message(Severity.INFORMATION, Position(1, 2), Position(3, 4), text)


def replayed(*files: Path) -> ReplayElaborator:
    return ReplayElaborator(Recordings.load(files))


async def ask(lean: Elaborator, text: str) -> Elaboration:
    return await lean.elaborate(text, timeout=1.0)


ODD = "𝕜 \u2028 \u2029 \x85 \x0b \x0c \x1c ⟨⟩ \r\n \\ \" ' \t end"


async def test_what_was_recorded_is_answered_again(tmp_path: Path) -> None:
    recorder = Recorder()
    answers = {
        "theorem a : True := by\n  trivial\n": Elaboration(Outcome.DONE, (message("no goals"), message(ODD))),
        "theorem a : True := by\n  simp\n": Elaboration(Outcome.DONE),
        f"-- {ODD}\n": Elaboration(Outcome.DONE, (message("x"),)),
        "loop": Elaboration(Outcome.TIMED_OUT, (), "no answer in 2.0 s"),
        "boom": Elaboration(Outcome.CRASHED, (), "Stack overflow\u2028detected"),
    }
    recorder.wrap(FakeLean(version="4.27.0"))
    for text, answer in answers.items():
        recorder.note(text, "label \u2028", answer)
    file = tmp_path / "deep" / "er" / "recordings.jsonl"
    recorder.write(file)
    lean = replayed(file)
    assert {text: await ask(lean, text) for text in answers} == answers
    assert lean.identity == LeanIdentity("4.27.0", live=False)
    assert [p.name for p in file.parent.iterdir()] == ["recordings.jsonl"], "nothing is left beside it"


async def test_a_wrapped_lean_answers_and_is_noted(tmp_path: Path) -> None:
    recorder = Recorder()
    inner = FakeLean({"rfl": Closes()}, goal="h : p\n⊢ q", version="4.0.0")
    lean = recorder.wrap(inner)
    assert lean.identity == inner.identity
    text = "theorem a : b := by\n  rfl\n#print axioms a\n"
    answer = await ask(lean, text)
    goals = await lean.goals(text, Position(1, 2), timeout=1.0)
    await lean.aclose()
    assert inner.closed == 1
    recorder.write(tmp_path / "r.jsonl")
    again = replayed(tmp_path / "r.jsonl")
    assert await ask(again, text) == answer
    assert answer.messages
    assert tuple(await again.goals(text, Position(1, 2), timeout=1.0)) == tuple(goals) == ("h : p\n⊢ q",)
    assert await again.goals(text, Position(1, 3), timeout=1.0) == ()
    await again.aclose()
    assert again.identity.version == "4.0.0"


async def test_what_was_never_recorded_has_no_answer(tmp_path: Path) -> None:
    recorder = Recorder()
    recorder.wrap(FakeLean())
    recorder.note("text", "", Elaboration(Outcome.DONE, (message("no goals"),)))
    recorder.write(tmp_path / "r.jsonl")
    lean = replayed(tmp_path / "r.jsonl")
    for text in ("text ", "text\n", " text", "Text", "", "text\0"):
        answer = await ask(lean, text)
        assert answer.outcome is Outcome.UNRECORDED
        assert answer.messages == ()
        assert replay_notice("4.27.0") in answer.detail
    assert await lean.goals("text", Position(0, 0), timeout=1.0) == ()


def test_the_notice_names_the_version_and_where_to_get_lean() -> None:
    assert "4.27.0" in replay_notice("4.27.0")
    assert "https://" in replay_notice("4.27.0")


async def test_of_two_answers_the_later_counts(tmp_path: Path) -> None:
    recorder = Recorder()
    recorder.wrap(FakeLean())
    recorder.note("text", "", Elaboration(Outcome.TIMED_OUT))
    recorder.note("text", "", Elaboration(Outcome.DONE, (message("x"),)))
    recorder.write(tmp_path / "r.jsonl")
    assert (await ask(replayed(tmp_path / "r.jsonl"), "text")).outcome is Outcome.DONE
    assert len((tmp_path / "r.jsonl").read_text(encoding="utf-8").strip().split("\n")) == 2


async def test_several_files_answer_together(tmp_path: Path) -> None:
    for name in ("one", "two"):
        recorder = Recorder()
        recorder.wrap(FakeLean())
        recorder.note(name, "", Elaboration(Outcome.DONE))
        recorder.write(tmp_path / f"{name}.jsonl")
    lean = replayed(tmp_path / "one.jsonl", tmp_path / "two.jsonl")
    for name in ("one", "two"):
        assert (await ask(lean, name)).outcome is Outcome.DONE


async def test_a_file_is_made_to_be_read(tmp_path: Path) -> None:
    """Each entry shows only what differs from the one above, in plain UTF-8."""
    recorder = Recorder()
    recorder.wrap(FakeLean())
    recorder.note("theorem a : 𝕜 := by\n  one\n", "first", Elaboration(Outcome.DONE))
    recorder.note("theorem a : 𝕜 := by\n  two\n", "second", Elaboration(Outcome.DONE))
    recorder.write(tmp_path / "r.jsonl")
    head, first, second = (tmp_path / "r.jsonl").read_text(encoding="utf-8").strip().split("\n")
    assert json.loads(head) == {"format": FORMAT, "lean": "4.27.0"}
    assert "𝕜" in first
    assert json.loads(second)["from"] == 1
    assert json.loads(second)["text"] == ["  two", ""]
    assert json.loads(second)["for"] == "second"


def test_writing_again_replaces_the_file_and_writing_the_same_gives_the_same(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    contents = []
    for _ in range(2):
        recorder = Recorder()
        recorder.wrap(FakeLean())
        recorder.note("a\nb", "x", Elaboration(Outcome.DONE, (message("m"),)))
        recorder.write(file)
        contents.append(file.read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.parametrize(
    ("lines", "number", "reason"),
    [
        (["nonsense"], 1, "Expecting value"),
        (["{}"], 1, "format"),
        (['{"format":99,"lean":"4.27.0"}'], 1, "format 99"),
        (['{"format":1}'], 1, "lean"),
        (["[]"], 1, ""),
        (["1"], 1, ""),
        ([""], 1, ""),
        ([HEAD, "nonsense"], 2, "Expecting value"),
        ([HEAD, ""], 2, ""),
        ([HEAD, "[]"], 2, ""),
        ([HEAD, '"text"'], 2, ""),
        ([HEAD, "null"], 2, ""),
        ([HEAD, "{}"], 2, "key"),
        ([HEAD, '{"key":"k"}'], 2, "messages"),
        ([HEAD, '{"key":"k","messages":[[1]]}'], 2, ""),
        ([HEAD, '{"key":"k","messages":[[9,0,0,0,0,"x"]]}'], 2, "9"),
        ([HEAD, '{"key":"k","messages":[5]}'], 2, ""),
        ([HEAD, '{"key":"k","messages":5}'], 2, ""),
        ([HEAD, '{"key":"k","messages":[["x",0,0,0,0,"x"]]}'], 2, ""),
        ([HEAD, '{"key":"k","outcome":"MAYBE","messages":[]}'], 2, "MAYBE"),
        ([HEAD, '{"key":"k","goals":7}'], 2, ""),
        ([HEAD, '{"key":"k","messages":[]}', "{"], 3, ""),
    ],
)
def test_a_bad_line_is_named_in_one_sentence(tmp_path: Path, lines: list[str], number: int, reason: str) -> None:
    file = tmp_path / "r.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(BadInput) as raised:
        Recordings.load([file])
    sentence = str(raised.value)
    assert f"{file}:{number} " in sentence
    assert reason in sentence
    assert "\n" not in sentence
    assert raised.value.hint


def test_files_of_different_versions_do_not_mix(tmp_path: Path) -> None:
    for name, version in (("one", "4.0.0"), ("two", "4.27.0")):
        (tmp_path / name).write_text(json.dumps({"format": FORMAT, "lean": version}) + "\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"two:1 .*4\.27\.0"):
        Recordings.load([tmp_path / "one", tmp_path / "two"])


def test_no_file_and_an_empty_one_have_no_answers(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(BadInput):
        Recordings.load([])
    with pytest.raises(BadInput, match="empty"):
        Recordings.load([tmp_path / "empty"])


@pytest.mark.parametrize("what", ["missing", "folder", "not UTF-8"])
def test_what_cannot_be_read_is_named(tmp_path: Path, what: str) -> None:
    file = tmp_path / "r.jsonl"
    if what == "folder":
        file.mkdir()
    elif what == "not UTF-8":
        file.write_bytes(HEAD.encode() + b"\n\xff\xfe\n")
    with pytest.raises(BadInput) as raised:
        Recordings.load([file])
    assert str(file) in str(raised.value)


texts = st.text(st.sampled_from('ab\n \u2028\x85𝕜\r\\"'), max_size=12)
messages = st.builds(
    Message,
    st.sampled_from(list(Severity)),
    st.builds(Position, st.integers(0, 99), st.integers(0, 99)),
    st.builds(Position, st.integers(0, 99), st.integers(0, 99)),
    texts,
)
elaborations = st.builds(
    Elaboration,
    st.sampled_from([Outcome.DONE, Outcome.CRASHED, Outcome.TIMED_OUT]),
    st.lists(messages, max_size=3).map(tuple),
    st.just(""),
)


@given(st.dictionaries(texts, elaborations, max_size=6))
@examples
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, answers: dict[str, Elaboration]) -> None:
    recorder = Recorder()
    recorder.wrap(FakeLean())
    for text, answer in answers.items():
        recorder.note(text, text, answer)
    file = tmp_path_factory.mktemp("r") / "r.jsonl"
    recorder.write(file)
    loaded = Recordings.load([file])
    assert sorted(loaded.elaborations.values(), key=repr) == sorted(answers.values(), key=repr)
