"""The list of models on disk, what may stand in it, and which model is chosen."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.server import model_choice, models
from tacit.server.errors import BadInput, TacitError
from tacit.server.model.presets import template
from tacit.server.model_choice import Choice, choose
from tacit.server.models import Installed, Models
from tacit.server.settings import Settings
from tests.unit.gguf_bytes import gguf


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, no shipped weights, and a llama.cpp that is installed."""
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TACIT_MODEL", raising=False)
    monkeypatch.setattr(models, "WEIGHTS", tmp_path / "tacit-tiny.gguf")
    monkeypatch.setattr(model_choice, "can_run", lambda: True)
    return tmp_path / "cache"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Some-7B.gguf"
    path.write_bytes(gguf())
    return path


def put(*some: Installed, used: str = "") -> None:
    models.change(lambda _: Models(some, used))


def ship() -> None:
    models.WEIGHTS.write_bytes(gguf())


# ---------------------------------------------------------------- the list


def test_what_is_put_on_the_list_is_read_again(file: Path) -> None:
    assert models.read() == Models()
    own = Installed(
        "b", "b.gguf", "mine", "https://x.org/b", "ab" * 32, 7, "MIT", "2026-01-01T00:00:00+00:00", {"p": 1}
    )
    models.change(lambda old: replace(old.having(Installed("a", str(file), "few-shot")).having(own), used="b"))
    found = models.read()
    assert found.find("b") == own
    assert found.used == "b"
    assert own.path == models.folder() / "b.gguf"
    assert own.own
    left = found.find("a")
    assert left is not None
    assert left.path == file
    assert not left.own


def test_a_model_takes_the_place_of_one_with_its_name_and_goes_with_what_was_chosen() -> None:
    some = Models((Installed("a", "a.gguf", "x"), Installed("b", "b.gguf", "x")), "a", {"u": "h"})
    assert [each.file for each in some.having(Installed("a", "new.gguf", "x")).models] == ["b.gguf", "new.gguf"]
    assert some.without("a") == Models(some.models[1:], "", {"u": "h"})
    assert some.without("b").used == "a"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is damaged"),
        ("[]", "is damaged"),
        ("[" * 100_000, "is damaged"),
        ('{"version": 1}', "is damaged"),
        ('{"version": 1, "models": [3]}', "is damaged"),
        ('{"version": 1, "models": [{"name": "a", "preset": "b"}]}', "is damaged"),
        ('{"version": 1, "models": [{"name": "a", "preset": "b", "file": "../../home"}]}', "is damaged"),
        ('{"version": 1, "models": [{"name": "a", "preset": "b", "file": ""}]}', "is damaged"),
        ('{"version": 1, "models": [{"name": "../a", "preset": "b", "file": "c"}]}', "is damaged"),
        ('{"version": 1, "models": [{"name": "a", "preset": "b", "file": "c", "size": "d"}]}', "is damaged"),
        ('{"version": 1, "models": [{"name": "a", "preset": "b", "file": "c", "template": []}]}', "is damaged"),
        ('{"version": 1, "models": [], "hashes": 3}', "is damaged"),
        ('{"version": 2, "models": []}', "was written by a newer Tacit"),
    ],
)
def test_a_list_that_cannot_be_used_says_so_and_is_not_written_over(cache: Path, text: str, said: str) -> None:
    place = cache / "models" / "models.json"
    place.parent.mkdir(parents=True)
    place.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=said):
        models.read()
    with pytest.raises(BadInput, match=said):
        models.change(lambda old: old)
    assert place.read_text(encoding="utf-8") == text


SOME = st.none() | st.booleans() | st.integers() | st.text(max_size=9)
FIELDS = st.dictionaries(
    st.sampled_from([each.name for each in fields(Installed)]) | st.text(max_size=5),
    SOME | st.lists(SOME, max_size=2) | st.dictionaries(st.text(max_size=3), SOME, max_size=2),
)


@given(
    st.fixed_dictionaries(
        {"models": SOME | st.lists(SOME | FIELDS, max_size=3)}, optional={"used": SOME, "hashes": SOME}
    )
)
def test_whatever_stands_there_is_a_list_or_a_sentence(raw: dict[str, Any]) -> None:
    place = models.folder() / "models.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(raw), encoding="utf-8")
    try:
        found = models.read().models
    except BadInput:
        found = ()
    for each in found:
        assert "/" not in each.name
        assert not each.own or each.path.parent == models.folder()
        choose(Settings())


def test_a_field_of_a_tacit_to_come_is_passed_over(cache: Path) -> None:
    place = cache / "models" / "models.json"
    place.parent.mkdir(parents=True)
    model = {"name": "a", "preset": "b", "file": "c", "colour": "red"}
    place.write_text(json.dumps({"version": 1, "models": [model], "more": 1}), encoding="utf-8")
    assert models.read() == Models((Installed("a", "c", "b"),))


def test_a_folder_that_cannot_be_written_is_one_sentence(cache: Path) -> None:
    cache.write_text("a file where the folder would be")
    with pytest.raises(TacitError, match=r"cannot be written: .* TACIT_CACHE names another folder"):
        models.change(lambda old: old)


ADD_MANY = """
import sys
from tacit.server import models
for number in range(20):
    made = models.Installed(f"{sys.argv[1]}-{number}", "x.gguf", "few-shot")
    models.change(lambda old: old.having(made))
"""


def test_several_processes_lose_nothing(cache: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", ADD_MANY, str(each)]) for each in range(4)]
    assert [each.wait() for each in processes] == [0] * 4
    assert len(models.read().models) == 80
    assert sorted(each.name for each in models.folder().iterdir()) == ["models.json", "models.json.lock"]


# Written, and not yet in its place.
KILLED = """
import os, signal
from tacit.server import models
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
models.change(lambda _: models.Models())
"""


def test_a_kill_while_it_is_written_leaves_the_old_list(cache: Path) -> None:
    put(Installed("a", "a.gguf", "few-shot"))
    before = (models.folder() / "models.json").read_bytes()
    killed = subprocess.run([sys.executable, "-c", KILLED], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (models.folder() / "models.json").read_bytes() == before
    assert len(list(models.folder().glob("*.new"))) == 1
    put(Installed("b", "b.gguf", "few-shot"))
    assert [each.name for each in models.read().models] == ["b"]
    assert list(models.folder().glob("*.new")) == []


@pytest.mark.parametrize("name", ["", "off", "tacit-tiny", "a/b", "../a", ".hidden", "a b", "x" * 101, "-x"])
def test_names_that_a_model_cannot_have(name: str) -> None:
    with pytest.raises(BadInput, match="--name"):
        models.fit_name(name)


def test_a_name_that_it_can_have() -> None:
    assert models.fit_name("Qwen2.5_Coder+x-0.5B") == "Qwen2.5_Coder+x-0.5B"


# ---------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>", "is no GGUF file"),
        (gguf(data=1), "is cut off"),
        (gguf(architecture=""), "does not say of which architecture"),
        (gguf(architecture="nomic-bert"), "of the architecture nomic-bert, which writes no text"),
        (gguf(architecture="clip"), "writes no text"),
        (gguf(split=3), r"is one of 3 parts of a model\. Join them first"),
    ],
)
def test_a_file_that_can_be_no_model_says_why(file: Path, content: bytes, said: str) -> None:
    file.write_bytes(content)
    with pytest.raises(BadInput, match=said):
        models.examine(file)


@pytest.mark.parametrize(
    ("stem", "inside", "preset"),
    [
        ("BFS-Prover-V2-7B.Q4_K_M", "x", "bfs-prover-v2"),
        ("model", "internlm2.5 step prover", "internlm2.5-step-prover"),
        ("model", "x", "few-shot"),
    ],
)
def test_the_preset_goes_by_the_file_or_by_what_the_model_calls_itself(
    tmp_path: Path, stem: str, inside: str, preset: str
) -> None:
    path = tmp_path / f"{stem}.gguf"
    path.write_bytes(gguf(name=inside))
    assert models.preset_for(models.examine(path)) == preset


# ---------------------------------------------------------------- the choice


def test_without_anything_none_is_used() -> None:
    found = choose(Settings())
    assert found.path is None
    assert found.sentence == "No model is used: none was chosen, and none comes with this Tacit."
    assert "`tacit models list`" in found.hint


def test_the_shipped_one_is_used_where_it_can_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ship()
    found = choose(Settings())
    assert (found.path, found.preset, found.origin) == (models.WEIGHTS, "tacit-tiny", "shipped")
    monkeypatch.setattr(model_choice, "can_run", lambda: False)
    found = choose(Settings())
    assert found == Choice(
        None,
        "No model is used: llama-cpp-python is not installed.",
        'Install it with `pip install "lean-tacit[model]"`.',
    )


def test_the_settings_come_before_the_environment_and_that_before_what_was_chosen(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship()
    put(Installed("chosen", str(file), "llmstep"), used="chosen")
    found = choose(Settings())
    assert (found.path, found.preset, found.origin) == (file, "llmstep", "use")
    assert found.sentence == "chosen, as `tacit models use` says."
    monkeypatch.setenv("TACIT_MODEL", "/m/REAL-Prover.gguf")
    found = choose(Settings())
    assert (found.path, found.preset, found.origin) == (Path("/m/REAL-Prover.gguf"), "real-prover", "environment")
    found = choose(Settings(model_path="~/x.gguf"))
    assert (found.path, found.preset, found.origin) == (Path.home() / "x.gguf", "few-shot", "settings")
    assert found.sentence == f"{Path.home() / 'x.gguf'}, as tacit.model.path says."


def test_off_is_off_wherever_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    ship()
    assert choose(Settings(model_path="off")).sentence == "No model is used: tacit.model.path says so."
    put(used="off")
    assert choose(Settings()).sentence == "No model is used: `tacit models use off` was said."
    put()
    monkeypatch.setenv("TACIT_MODEL", "OFF")
    assert choose(Settings()) == Choice(None, "No model is used: TACIT_MODEL says so.")


def test_the_shipped_one_can_be_chosen_by_its_name() -> None:
    ship()
    put(used="tacit-tiny")
    assert choose(Settings()).path == models.WEIGHTS
    models.WEIGHTS.unlink()
    found = choose(Settings())
    assert found.path is None
    assert found.sentence == "No model is used: There is no model tacit-tiny."


def test_the_preset_of_the_settings_wins_and_own_templates_are_known(file: Path) -> None:
    mine = {"prompt": "{state} ?"}
    put(Installed("a", str(file), "mine", template=mine), used="a")
    found = choose(Settings())
    assert found.preset == "mine"
    assert found.own["mine"] == template("mine", mine)
    settings = Settings(model_preset="theirs", model_templates=(template("theirs", {"prompt": "{state}"}),))
    found = choose(settings)
    assert found.preset == "theirs"
    assert set(found.own) == {"mine", "theirs"}


def test_a_damaged_list_leaves_tacit_without_a_model(cache: Path) -> None:
    ship()
    (cache / "models").mkdir(parents=True)
    (cache / "models" / "models.json").write_text("{", encoding="utf-8")
    found = choose(Settings())
    assert found.path is None
    assert "models.json is damaged." in found.sentence
    assert "Remove it" in found.hint
