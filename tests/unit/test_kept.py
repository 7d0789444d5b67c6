"""What is kept on disk: the way up from every earlier version, and that what a newer Tacit wrote stays as it is."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tacit.index.build import build
from tacit.index.store import NewerIndex, OtherSchema, Store, StoreError
from tacit.retrieval.analysis import VERSION
from tacit.server import memory_store, models
from tacit.server.cli import main
from tacit.server.errors import BadInput
from tacit.server.kept import Kept, Newer
from tacit.server.lean.goals import parse_goals
from tacit.server.memory_proofs import ACCEPTED, Known, Step
from tacit.server.prover import experience, traces
from tacit.server.prover.experience import Experience
from tacit.server.prover.value import lesson
from tacit.server.settings import KEYS, Settings, read_settings
from tests.unit.corpus import ANALYSIS, corpus, write

OLD = Path(__file__).with_name("old_versions")
KEPT = (memory_store.KEPT, traces.KEPT, experience.KEPT)


def old(pattern: str) -> list[Path]:
    found = sorted(OLD.glob(pattern))
    assert found
    return found


# ---------------------------------------------------------------- the way up


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept.name)
def test_every_version_has_a_way_up_and_a_file_that_it_wrote(kept: Kept) -> None:
    assert set(kept.steps) == set(range(1, kept.version))
    files = old(f"{kept.name.partition(' ')[0]}-*")
    first = {json.loads(line)["schema"] for file in files for line in file.read_text().splitlines()[:1]}
    assert first == set(range(1, kept.version + 1))


def test_a_record_goes_up_step_by_step() -> None:
    kept = Kept("things", 3, {1: lambda each: {**each, "b": each["a"] + 1}, 2: lambda each: {"c": each["b"] * 10}})
    assert kept.brought_up({"schema": 1, "a": 1}) == {"schema": 3, "c": 20}
    assert kept.brought_up({"schema": 2, "b": 5}) == {"schema": 3, "c": 50}
    assert kept.brought_up({"schema": 3, "c": 7}) == {"schema": 3, "c": 7}


@pytest.mark.parametrize("schema", [0, -1, "1", None, True, 1.0])
def test_what_is_no_version_is_damage(schema: object) -> None:
    with pytest.raises(ValueError, match="schema"):
        Kept("things", 1, {}).brought_up({"schema": schema})


def test_a_newer_version_is_told_apart_from_damage() -> None:
    with pytest.raises(Newer):
        Kept("things", 1, {}).brought_up({"schema": 2})


# ---------------------------------------------------------------- what was accepted


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    [file] = old("memory-*")
    return Path(shutil.copy(file, tmp_path / "memory.jsonl"))


ONE = Known("⊢ p", "t", "", (), (Step("rfl", ACCEPTED, ""),))
NEWER_LINE = '{"schema": 2, "file": "My/File.lean", "what": "nobody knows yet"}\n'


def test_what_was_accepted_then_is_remembered_now(memory: Path) -> None:
    first, second = memory_store.load(memory)
    assert first[0] == "My/File.lean"
    assert (first[1].goal, first[1].steps[0].tactic) == ("n : ℕ\n⊢ n + 0 = n", "simp")
    assert (second[1].name, second[1].opens, second[1].steps[0].tactic) == ("my_theorem1", ("Nat",), "exact h.2")


def test_what_a_newer_tacit_remembers_is_left_and_said_once(memory: Path, caplog: pytest.LogCaptureFixture) -> None:
    memory.write_text(memory.read_text(encoding="utf-8") + NEWER_LINE * 2, encoding="utf-8")
    with caplog.at_level(logging.INFO, logger="tacit"):
        assert len(memory_store.load(memory)) == 2
        memory_store.append(memory, "My/File.lean", ONE)
        assert len(memory_store.load(memory)) == 3
    assert memory.read_text(encoding="utf-8").count(NEWER_LINE) == 2
    [said, *_] = [each.getMessage() for each in caplog.records]
    assert said == f"2 lines of {memory} were written by a newer Tacit, and are left as they are."


def test_shortening_keeps_what_a_newer_tacit_wrote(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_store, "MOST", 4)
    memory.write_text(NEWER_LINE + memory.read_text(encoding="utf-8"), encoding="utf-8")
    for number in range(20):
        memory_store.append(memory, "My/File.lean", Known(f"⊢ p {number} " + "x" * 200, "t", "", (), ONE.steps))
    assert NEWER_LINE in memory.read_text(encoding="utf-8")
    assert len(memory.read_text(encoding="utf-8").splitlines()) < 10


# ---------------------------------------------------------------- traces


def test_traces_of_then_are_read_now() -> None:
    sums = traces.totals(old("traces-*"))
    assert (sums.searches, sums.proved, sums.states, sums.broken, sums.newer) == (1, 1, 2, 0, 0)
    assert [each["tactic"] for each in traces.pairs(old("traces-*"))] == ["intro h", "exact h"]
    [(about, tree)] = traces.trees(old("traces-*"))
    assert about["name"] == "foo"
    assert lesson(tree).states


def test_a_search_that_a_newer_tacit_traced_is_counted_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [file] = old("traces-*")
    lines = file.read_text(encoding="utf-8")
    newer = lines.replace('"schema": 1', '"schema": 2').replace('"tried": [[', '"tried": [["new shape"], [')
    mixed = tmp_path / "traces.jsonl"
    mixed.write_text(newer + lines + newer, encoding="utf-8")
    sums = traces.totals([mixed])
    assert (sums.searches, sums.newer, sums.broken) == (1, 2, 0)
    assert len(list(traces.trees([mixed]))) == 1
    assert len(list(traces.pairs([mixed], tries=True))) == 3
    assert main(["traces", "stats", str(mixed)]) == 0
    assert "2 searches were written by a newer Tacit and are left out." in capsys.readouterr().err


# ---------------------------------------------------------------- weights


@pytest.mark.parametrize("file", old("experience-*"), ids=lambda file: file.stem)
def test_what_searches_taught_then_counts_now_and_is_added_to(file: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(file, tmp_path / "experience.json"))
    before = json.loads(copy.read_text(encoding="utf-8"))
    assert Experience(copy).judge() != Experience().judge()
    [(_, tree)] = traces.trees(old("traces-*"))
    Experience(copy).learn(lesson(tree))
    after = json.loads(copy.read_text(encoding="utf-8"))
    assert after["schema"] == experience.KEPT.version
    assert after["searches"] > before["searches"]
    assert set(before["states"]) <= set(after["states"])


def learn_from(file: Path) -> Experience:
    [(_, tree)] = traces.trees(old("traces-*"))
    learner = Experience(file)
    for _ in range(2):
        learner.learn(lesson(tree))
    return learner


def test_weights_of_a_newer_tacit_are_left_as_they_are(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "experience.json"
    text = json.dumps({"schema": 2, "searches": 400, "tensors": "nobody knows yet"})
    file.write_text(text)
    with caplog.at_level(logging.INFO, logger="tacit"):
        learn_from(file)
    assert file.read_text() == text
    [said] = [each.getMessage() for each in caplog.records]
    assert said == f"{file} was written by a newer Tacit and is left as it is: nothing is learned from searches here."


def test_damaged_weights_are_kept_beside_the_new_ones(tmp_path: Path) -> None:
    file = tmp_path / "experience.json"
    file.write_text('{"schema": 1, "searches": 400, "states": {"size": [1')
    learn_from(file)
    assert json.loads(file.read_text())["searches"] > 1
    assert (tmp_path / "experience.json.damaged").read_text().endswith('"size": [1')


# ---------------------------------------------------------------- models


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path))
    (tmp_path / "models").mkdir()
    [file] = old("models-*")
    return Path(shutil.copy(file, tmp_path / "models" / models.LIST))


def test_the_list_of_models_of_then_is_read_and_changed_now(listed: Path) -> None:
    found = models.read()
    assert (found.used, [each.name for each in found.models]) == ("mine", ["mine"])
    models.change(lambda each: each.without("other"))
    assert models.read() == found


def test_a_list_of_models_of_a_newer_tacit_is_left_as_it_is(listed: Path) -> None:
    text = json.dumps({**json.loads(listed.read_text()), "version": models.VERSION + 1, "more": 1})
    listed.write_text(text)
    with pytest.raises(BadInput, match="was written by a newer Tacit"):
        models.change(lambda each: each.without("mine"))
    assert listed.read_text() == text


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize("file", old("settings-*"), ids=lambda file: file.stem)
def test_what_could_be_set_then_can_be_set_now(file: Path) -> None:
    given: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert set(given) <= set(KEYS)
    settings, complaints = read_settings({"tacit": given})
    assert complaints == ()
    unset = asdict(Settings())
    assert [key for key in given if asdict(settings)[KEYS[key].field] == unset[KEYS[key].field]] == []


# ---------------------------------------------------------------- indexes


def restored(file: Path, place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(place)
    database.executescript(file.read_text(encoding="utf-8"))
    database.close()
    return place


def changed(place: Path, **values: str) -> bytes:
    database = sqlite3.connect(place)
    database.executemany("UPDATE manifest SET value = ? WHERE key = ?", [(v, k) for k, v in values.items()])
    database.commit()
    database.close()
    return place.read_bytes()


@pytest.mark.parametrize("file", old("index-*"), ids=lambda file: file.stem)
def test_an_index_of_then_is_used_or_made_anew(file: Path, tmp_path: Path) -> None:
    place = restored(file, tmp_path / "index" / "top.db")
    root = tmp_path / "top"
    write(root)
    changed(place, root=str(root))
    done = build(place, corpus(root), ANALYSIS, lambda *_: None)
    assert done.premises == 10
    store = Store.open(place)
    assert (store.manifest().analysis, store.named("Group.mul_comm") != []) == (VERSION, True)
    store.close()


@pytest.mark.parametrize("key", ["schema", "analysis", "reading"])
def test_an_index_of_a_newer_tacit_is_left_as_it_is(key: str, tmp_path: Path) -> None:
    place = restored(old("index-*")[1], tmp_path / "index" / "top.db")
    root = tmp_path / "top"
    write(root)
    before = changed(place, root=str(root), **{key: "99"})
    for anew in (False, True):
        with pytest.raises(StoreError) as raised:
            build(place, corpus(root), ANALYSIS, lambda *_: None, anew=anew)
        assert str(raised.value) == (
            f"The index at {place} was written by a newer version of Tacit and is left as it is: use that one, "
            "or remove it with `tacit index remove`."
        )
    assert place.read_bytes() == before


def test_a_newer_schema_is_said_to_be_one(tmp_path: Path) -> None:
    place = restored(old("index-*")[1], tmp_path / "top.db")
    changed(place, schema="2")
    with pytest.raises(NewerIndex, match="newer version"):
        Store.open(place)
    changed(place, schema="0")
    with pytest.raises(OtherSchema, match="another version"):
        Store.open(place)


def test_an_index_of_a_newer_tacit_is_not_unused_but_can_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path))
    place = restored(old("index-*")[1], tmp_path / "index" / "top.db")
    changed(place, schema="2")
    gone = restored(old("index-*")[0], tmp_path / "index" / "old.db")
    assert main(["index", "remove", "--all-unused"]) == 0
    assert (place.exists(), gone.exists()) == (True, False)
    assert main(["index", "remove", str(place)]) == 0
    assert not place.exists()
    assert "removed" in capsys.readouterr().out


def test_goals_of_then_are_goals_now() -> None:
    [file] = old("traces-*")
    goals = [json.loads(line)["goal"] for line in file.read_text(encoding="utf-8").splitlines() if '"state"' in line]
    assert all(parse_goals(each) for each in goals)
