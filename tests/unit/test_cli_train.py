"""`tacit train`: from sources to a GGUF file, and one sentence for whatever is wrong."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tacit.server.cli import main
from tacit.training import data

pytestmark = pytest.mark.usefixtures("signals_kept")

Tacit = Callable[..., tuple[str, str]]
HELD = next(f"M{number}" for number in range(10_000) if data.held_out(f"M{number}"))


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    for module in ("A", "B", HELD):
        theorems = [
            f"theorem t{number} (h : {module}{number}) : {module}{number} := by\n  intro x\n  exact h\n"
            for number in range(20)
        ]
        (folder / f"{module}.lean").write_text("\n".join(theorems), encoding="utf-8")
    return folder


@pytest.fixture
def tacit(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tacit:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MATHLIB", raising=False)

    def run(*arguments: str | Path, status: int = 0) -> tuple[str, str]:
        capsys.readouterr()
        assert main(["train", *map(str, arguments)]) == status, capsys.readouterr()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return out, err

    return run


def test_examples_and_a_tokenizer(tacit: Tacit, sources: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    out, _ = tacit("data", folder, sources)
    assert f"{folder}: 80 examples to train on, 40 held out (60 first, 60 later); 3 files, 0 doubles left out" in out
    out, _ = tacit("data", "--json", folder, sources)
    assert json.loads(out)["held_out"] == 40
    out, _ = tacit("tokenizer", folder, "--size", "280")
    assert f"{folder / 'tokenizer.json'}: 280 tokens" in out


def test_from_sources_to_gguf(tacit: Tacit, sources: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra `train`")
    pytest.importorskip("gguf", reason="needs the extra `train`")
    folder = tmp_path / "model"
    tacit("data", folder, sources)
    tacit("tokenizer", folder, "--size", "300")
    asked = ("run", folder, "--size", "smoke", "--rows", "4", "--threads", "1", "--json")
    out, _ = tacit(*asked, "--steps", "3")
    first = json.loads(out)
    assert (first["steps"], first["loss"] > 0) == (3, True)
    out, _ = tacit("run", folder, "--size", "smoke", "--rows", "4", "--steps", "3")
    assert "nothing left to do" in out
    _, err = tacit(*asked, "--steps", "4", status=2)
    assert "is of a run with other steps. Go on as it began, or begin anew with --anew." in err
    tacit(*asked, "--epochs", "1", "--anew")
    out, _ = tacit("eval", folder, "--sample", "4", "--json")
    assert json.loads(out)["kinds"]["all"]["examples"] == 4
    out, _ = tacit("export", folder)
    assert f"{folder / 'tacit-tiny-q8_0.gguf'}: " in out
    _, err = tacit("export", folder, "--type", "Q9", status=2)
    assert "✗ Q9 is no type of weights that can be written. Name one of: Q8_0, F16, F32." in err


def test_smoke(tacit: Tacit, sources: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra `train`")
    pytest.importorskip("gguf", reason="needs the extra `train`")
    from tacit.server import train_command

    for name, value in (("SMOKE_STEPS", 2), ("SMOKE_VOCABULARY", 300), ("SMOKE_SAMPLE", 2)):
        monkeypatch.setattr(train_command, name, value)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    out, err = tacit("smoke", sources / "A.lean")  # nothing is held out
    assert out.endswith("0.8 MB, Q8_0\n")
    assert "train.jsonl, 2 steps of training" in err
    assert "Training works here" in err
    assert list(tmp_path.glob("tacit-train-*")) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("data", "F", "gone"), "There is nothing at gone. Name a folder with Lean files."),
        (("data", "F", "empty"), "There is no theorem with a tactic proof in what was named. Name other sources."),
        (("data", "F", "sources", "--traces", "gone"), "There is no file gone. --traces names a JSON Lines file"),
        (("data", "sources/A.lean/F", "sources"), "A file cannot be used: "),
        (("tokenizer", "F"), "F. Gather them: `tacit train data`."),
        (("run", "F"), "F. Train one: `tacit train tokenizer`."),
        (("eval", "F"), "F. Train one: `tacit train tokenizer`."),
        (("export", "F"), "F. Train one: `tacit train tokenizer`."),
    ],
)
def test_what_is_wrong_is_one_sentence(
    tacit: Tacit, sources: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(sources.parent)
    (sources.parent / "empty").mkdir()
    _, err = tacit(*arguments, status=2)
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("action", ["run", "eval", "export"])
def test_a_missing_library_is_one_sentence(
    tacit: Tacit, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    folder = tmp_path / "model"
    tacit("data", folder, sources)
    tacit("tokenizer", folder, "--size", "300")
    real = importlib.import_module

    def without(name: str, package: str | None = None) -> Any:
        if name.partition(".")[0] == "torch":
            raise ImportError(name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", without)
    _, err = tacit(action, folder, status=2)
    assert err == "✗ Training needs torch, which is not installed. Install it: pip install 'lean-tacit[train]'.\n"


@pytest.mark.parametrize("arguments", [("run", "F", "--epochs", "0"), ("run", "F", "--rate", "x"), ("run",), ()])
def test_arguments_that_cannot_be(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", *arguments])
    assert ended.value.code == 2
    assert "usage: tacit train" in capsys.readouterr().err
