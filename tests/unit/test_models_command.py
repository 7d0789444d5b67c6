"""`tacit models list|add|use|remove`: what is said, what is kept, and that a person's own files stay where they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tacit.server import model_choice, models, models_report
from tacit.server.cli import main
from tacit.server.errors import BadInput
from tacit.server.models_command import remove_model
from tacit.server.settings import Settings
from tests.unit.cli_engine import FakeEngine, Tactic
from tests.unit.gguf_bytes import gguf
from tests.unit.person import Person

pytestmark = pytest.mark.usefixtures("signals_kept")

Tacit = Callable[..., tuple[str, str]]
PIP = 'Install it with `pip install "lean-tacit[model]"`.'


@pytest.fixture
def tacit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tacit:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TACIT_MODEL", raising=False)
    monkeypatch.setattr(models, "WEIGHTS", tmp_path / "tacit-tiny.gguf")
    monkeypatch.setattr(model_choice, "can_run", lambda: False)
    monkeypatch.setattr("tacit.server.models_command.can_run", lambda: False)

    def run(*arguments: str | Path, status: int = 0) -> tuple[str, str]:
        capsys.readouterr()
        assert main(["models", *map(str, arguments)]) == status, capsys.readouterr()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return out, err

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ReProver-7B.gguf"
    path.write_bytes(gguf())
    return path


def installed(tacit: Tacit) -> dict[str, Any]:
    return {each["name"]: each for each in json.loads(tacit("list", "--json")[0])["installed"]}


def test_a_file_is_put_on_the_list_and_stays_where_it_is(tacit: Tacit, file: Path) -> None:
    out, err = tacit("add", file)
    assert out == f"ReProver-7B: llama, 0.0 M parameters, 0.0 MB, preset few-shot, {file}\n"
    assert err == f"`tacit models use ReProver-7B` lets it propose tactics; that takes llama-cpp-python. {PIP}\n"
    model = installed(tacit)["ReProver-7B"]
    assert model["path"] == str(file)
    assert model["sha256"] == hashlib.sha256(gguf()).hexdigest()
    assert (model["size"], model["own"], model["used"], model["there"]) == (len(gguf()), False, False, True)
    assert model["added"].endswith("+00:00")
    out, _ = tacit("remove", "ReProver-7B")  # nobody need be asked: nothing is lost
    assert out == f"ReProver-7B: taken off the list; its file stays: {file}\n"
    assert file.exists()
    assert installed(tacit) == {}


def test_a_copy_is_tacits_own(tacit: Tacit, file: Path) -> None:
    tacit("add", file, "--copy", "--name", "mine", "--use")
    copy = models.folder() / "mine.gguf"
    assert copy.read_bytes() == file.read_bytes()
    model = installed(tacit)["mine"]
    assert (model["path"], model["source"], model["own"], model["used"]) == (str(copy), str(file), True, True)
    assert "Say --yes." in tacit("remove", "mine", status=2)[1]
    assert copy.exists()
    assert tacit("remove", "mine", "--yes")[0] == "mine: removed, 0.0 MB\n"
    assert (copy.exists(), file.exists()) == (False, True)
    assert models.read().used == ""


def test_a_relative_path_is_kept_whole(tacit: Tacit, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    tacit("add", file.name)
    assert installed(tacit)["ReProver-7B"]["path"] == str(file)


def test_one_that_is_added_again_is_asked_in_the_new_way(tacit: Tacit, file: Path) -> None:
    tacit("add", file)
    tacit("add", file, "--preset", "llmstep")
    assert installed(tacit)["ReProver-7B"]["preset"] == "llmstep"
    other = file.with_name("other.gguf")
    other.write_bytes(gguf())
    _, err = tacit("add", other, "--name", "ReProver-7B", status=2)
    assert f"There is a model ReProver-7B already, {file}. Give this one another name with --name" in err


def test_one_that_tacit_fetched_stays_its_own_when_it_is_added_again(tacit: Tacit) -> None:
    models.folder().mkdir(parents=True)
    own = models.folder() / "a.gguf"
    own.write_bytes(gguf())
    fetched = models.Installed("a", "a.gguf", "few-shot", "https://x.org/a.gguf", licence="MIT")
    models.change(lambda old: old.having(fetched))
    tacit("add", own, "--preset", "llmstep")
    model = installed(tacit)["a"]
    assert (model["preset"], model["own"], model["source"], model["licence"]) == (
        *("llmstep", True, "https://x.org/a.gguf", "MIT"),
    )


def test_a_template_of_ones_own_is_kept_with_the_model(tacit: Tacit, file: Path) -> None:
    mine = file.with_name("mine.json")
    mine.write_text(json.dumps({"prompt": "{state} ?", "stop": ["!"]}), encoding="utf-8")
    tacit("add", file, "--template", mine, "--use")
    found = model_choice.choose(Settings())
    assert (found.preset, found.own["mine"].template, found.own["mine"].stop) == ("mine", "{state} ?", ("!",))
    mine.write_text('{"prompt": "{goal}"}', encoding="utf-8")
    assert "has an unknown field {goal}" in tacit("add", file, "--template", mine, status=2)[1]
    mine.write_text("{", encoding="utf-8")
    assert "is not JSON" in tacit("add", file, "--template", mine, status=2)[1]
    assert "cannot be read" in tacit("add", file, "--template", file.parent / "none.json", status=2)[1]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.gguf", b"PK", "is no GGUF file. Models for Tacit end in .gguf"),
        ("a.gguf", gguf(data=3), "is cut off"),
        ("a.gguf", gguf(kind_of="adapter"), "is a GGUF file, but no model: it says that it is of the type adapter."),
        ("tacit-tiny.gguf", gguf(), "A model cannot be called tacit-tiny: that has a meaning of its own. Say --name"),
        ("a b.gguf", gguf(), "A model cannot be called 'a b'."),
    ],
)
def test_what_cannot_be_added_is_one_sentence(
    tacit: Tacit, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / "some" / name
    path.parent.mkdir()
    path.write_bytes(content)
    out, err = tacit("add", path, status=2)
    assert (out, err.count("\n")) == ("", 1)
    assert said in err
    assert "There is no model file" in tacit("add", tmp_path / "none.gguf", status=2)[1]
    assert "cannot be read: Is a directory" in tacit("add", tmp_path, status=2)[1]
    assert "There is no preset 'x'." in tacit("add", path, "--preset", "x", status=2)[1]


def test_what_this_llama_cpp_does_not_know_is_not_added(
    tacit: Tacit, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tacit.server.models_command.unknown_here", lambda path: f"{path} is of the architecture x.")
    assert f"✗ {file} is of the architecture x.\n" == tacit("add", file, status=2)[1]


def test_what_llama_cpp_says_is_read_and_silence_says_nothing(
    tacit: Tacit, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert models_report.unknown_here(file) == "", "there is no llama.cpp"
    monkeypatch.setattr(model_choice, "can_run", lambda: True)

    def saying(code: str) -> None:
        monkeypatch.setattr(models_report, "LOOK", ("-c", code))

    saying('print(\'{"sentence": "It is of the architecture x.", "hint": "Update."}\')')
    assert models_report.unknown_here(file) == "It is of the architecture x. Update."
    for silent in ("print()", "import os; os.abort()", "print('[]')"):
        saying(silent)
        assert models_report.unknown_here(file) == ""


def test_one_is_chosen_and_none(tacit: Tacit, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tacit("add", file)
    out, err = tacit("use", "ReProver-7B")
    assert out == "ReProver-7B proposes tactics from now on.\n"
    assert "That takes llama-cpp-python, which is not installed." in err
    assert "Editors take it up when Tacit starts there the next time." in err
    out, err = tacit("list")
    assert out.startswith("✓ ReProver-7B")
    assert err.startswith("Used: ReProver-7B, as `tacit models use` says. That takes llama-cpp-python, which is not")
    assert json.loads(tacit("use", "off", "--json")[0])["used"] == "off"
    assert tacit("use", "off")[0] == "No model proposes tactics from now on.\n"
    assert tacit("list")[1] == "No model is used: `tacit models use off` was said.\n"
    monkeypatch.setenv("TACIT_MODEL", "off")
    assert "Here TACIT_MODEL goes before." in tacit("use", "ReProver-7B")[1]


def test_what_cannot_be_used_is_not_chosen(tacit: Tacit, file: Path) -> None:
    assert "There is no model x. `tacit models list` says which there are." in tacit("use", "x", status=2)[1]
    assert "There is no model tacit-tiny." in tacit("use", "tacit-tiny", status=2)[1]
    tacit("add", file)
    file.unlink()
    assert "There is no model file" in tacit("use", "ReProver-7B", status=2)[1]
    assert models.read().used == ""
    assert f"{file} is gone; `tacit models remove ReProver-7B` takes it off the list" in tacit("list")[0]


def test_the_shipped_one_is_on_the_list_and_stays(tacit: Tacit, monkeypatch: pytest.MonkeyPatch) -> None:
    models.WEIGHTS.write_bytes(gguf())
    monkeypatch.setattr(model_choice, "can_run", lambda: True)
    monkeypatch.setattr("tacit.server.models_command.can_run", lambda: True)
    out, err = tacit("list")
    assert out.startswith("✓ tacit-tiny")
    assert err == "Used: tacit-tiny, which comes with Tacit.\n"
    assert "comes with Tacit and stays." in tacit("remove", "tacit-tiny", "--yes", status=2)[1]
    tacit("use", "tacit-tiny")
    assert models.read().used == "tacit-tiny"


def test_what_could_be_fetched_is_listed_with_size_and_licence(tacit: Tacit) -> None:
    out, err = tacit("list")
    assert "  bfs-prover-v2             4.7 GB  BFS-Prover-V2 7B, a step prover, 4 bits; licence: Apache-2.0\n" in out
    assert err == "No model is used: none was chosen, and none comes with this Tacit.\n"
    shown = json.loads(tacit("list", "--json")[0])
    assert shown["used"]["origin"] == "none"
    assert shown["folder"] == str(models.folder())
    llemma = {each["name"]: each for each in shown["available"]}["llemma-7b"]
    assert llemma["repository"] == "TheBloke/llemma_7b-GGUF"
    assert llemma["sha256"].startswith("308a34d8")


def test_several_are_removed_at_once_and_nothing_is_said_twice(tacit: Tacit, file: Path) -> None:
    tacit("add", file)
    tacit("add", file, "--name", "b", "--copy")
    report = json.loads(tacit("remove", "ReProver-7B", "b", "--yes", "--json")[0])
    assert [(each["name"], each["left"]) for each in report] == [("ReProver-7B", str(file)), ("b", "")]
    assert "There is no model b." in tacit("remove", "b", status=2)[1]
    assert "There is no model ../b" not in tacit("remove", "../b", status=2)[1]


def test_a_person_is_asked_before_a_file_goes(tacit: Tacit, file: Path) -> None:
    tacit("add", file, "--name", "b", "--copy")
    with pytest.raises(BadInput, match="b was not removed"):
        remove_model(no := Person(False), ["b"], yes=False, as_json=False)
    assert no.asked == f"Remove b.gguf (0.0 MB) in {models.folder()}?"
    assert remove_model(Person(True), ["b"], yes=False, as_json=False) == 0
    assert not (models.folder() / "b.gguf").exists()


def test_a_damaged_list_is_one_sentence(tacit: Tacit) -> None:
    models.folder().mkdir(parents=True)
    (models.folder() / "models.json").write_text("{")
    for arguments in (("list",), ("use", "off"), ("remove", "x")):
        _, err = tacit(*arguments, status=2)
        assert "models.json is damaged. Remove it;" in err


@pytest.mark.parametrize("arguments", [(), ("pull",), ("add",), ("use",), ("fly",), ("remove",)])
def test_arguments_that_cannot_be(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["models", *arguments])
    assert ended.value.code == 2
    assert "usage: tacit models" in capsys.readouterr().err


@pytest.mark.parametrize(("flags", "path"), [([], ""), (["--no-model"], "off")])
@pytest.mark.parametrize("command", [["suggest", "F.lean:2"], ["prove", "F.lean"]])
def test_commands_do_without_the_model_where_they_are_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], flags: list[str], path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "F.lean").write_text("theorem foo (p : Prop) (h : p) : p := by\n  sorry\n", encoding="utf-8")
    seen = []

    def build(settings: Settings) -> FakeEngine:
        seen.append(settings.model_path)
        return FakeEngine({"foo": [Tactic("exact h")]})

    assert main([*command, *flags], build=build) == 0
    assert seen == [path]
