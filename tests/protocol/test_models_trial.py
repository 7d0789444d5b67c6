"""`tacit models test`: a model is loaded and writes, over a scripted worker, and over a real one where there is one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tacit.server import model_choice, models, models_trial
from tacit.server.cli import main
from tacit.server.errors import BadInput
from tacit.server.model.client import ModelClient, Patience
from tacit.server.model.messages import Load
from tacit.server.models_trial import asked_for
from tests.tiny_gguf import write_tiny
from tests.unit.gguf_bytes import gguf

pytestmark = pytest.mark.usefixtures("signals_kept")

PEER = Path(__file__).with_name("model_peer.py")
Tacit = Callable[..., tuple[str, str]]


@pytest.fixture
def tacit(
    nothing_indexed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Tacit:
    monkeypatch.delenv("TACIT_MODEL")
    monkeypatch.setattr(models, "WEIGHTS", tmp_path / "tacit-tiny.gguf")

    def run(*arguments: str | Path, status: int = 0) -> tuple[str, str]:
        capsys.readouterr()
        assert main(["models", *map(str, arguments)]) == status, capsys.readouterr()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return out, err

    return run


@pytest.fixture
def peer(tacit: Tacit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A worker that behaves as it is told, for a model that is on the list."""
    file = tmp_path / "m.gguf"
    file.write_bytes(gguf())
    monkeypatch.setattr(models_trial, "can_run", lambda: True)
    monkeypatch.setattr("tacit.server.models_command.unknown_here", lambda _: "")  # a real llama.cpp would refuse it
    tacit("add", file)

    def behave(behaviour: str) -> None:
        command = (sys.executable, str(PEER), behaviour)

        def client(load: Load, patience: Patience, *, sandbox: bool) -> ModelClient:
            return ModelClient(load, command, patience, sandbox=sandbox)

        monkeypatch.setattr(models_trial, "ModelClient", client)

    return behave


def test_what_it_writes_and_how_fast(tacit: Tacit, peer: Callable[[str], None]) -> None:
    peer("fine")
    out, err = tacit("test", "m")
    assert out == "   -1.00    2 tokens  simp 1\n"
    assert err.startswith("m: llama, 0.0 M parameters, preset few-shot, context 512 tokens, loaded in 0.10 s\n")
    assert "p q : Prop\nh : p ∧ q\n⊢ q ∧ p\n1 candidate in " in err
    assert " tokens a second; the prompt (0 tokens) was read in " in err
    shown = json.loads(tacit("test", "m", "--json", "--goal", "n + 0 = n")[0])
    assert shown["candidates"] == [{"tactic": "simp 1", "log_prob": -1.0, "tokens": 2}]
    assert (shown["goal"], shown["preset"], shown["load_seconds"]) == ("⊢ n + 0 = n", "few-shot", 0.1)


def test_the_one_that_is_used_is_tried_where_none_is_named(tacit: Tacit, peer: Callable[[str], None]) -> None:
    peer("fine")
    assert "No model is used: none was chosen" in tacit("test", status=2)[1]
    tacit("use", "m")
    assert "simp 1" in tacit("test")[0]


def test_a_machine_without_some_instructions_gets_a_second_try(tacit: Tacit, peer: Callable[[str], None]) -> None:
    peer("knows only plain instructions")
    out, err = tacit("test", "m")
    assert "simp 2" in out
    assert "→ The model worker ended by itself (SIGILL). The second time it worked." in err


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("refuses", "x.gguf is no GGUF file. Models for Tacit end in .gguf."),
        ("crashes", "The model worker ended by itself (SIGSEGV: GGML_ASSERT(false) failed)."),
        ("dies at once", "The model worker ended by itself (status 3: libllama.so: cannot open shared object file)."),
    ],
)
def test_a_model_that_fails_is_one_sentence(
    tacit: Tacit, peer: Callable[[str], None], behaviour: str, said: str
) -> None:
    peer(behaviour)
    out, err = tacit("test", "m", status=2)
    assert out == ""
    assert err.endswith(f"✗ {said}\n")


def test_without_llama_cpp_it_says_how_to_get_it(
    tacit: Tacit, peer: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models_trial, "can_run", lambda: False)
    _, err = tacit("test", "m", status=2)
    assert err == (
        '✗ A model takes llama-cpp-python, which is not installed. Install it with `pip install "lean-tacit[model]"`.\n'
    )


@pytest.mark.parametrize(
    ("text", "hypotheses", "target"),
    [
        ("p → p", (), "⊢ p → p"),
        ("⊢ p", (), "⊢ p"),
        ("case inl\nh : a =\n  b\nn : Nat\n⊢ f n\n  = 0\n", ("h : a =\n  b", "n : Nat"), "⊢ f n\n  = 0"),
    ],
)
def test_goals_as_a_person_writes_them(text: str, hypotheses: tuple[str, ...], target: str) -> None:
    (goal,) = asked_for(text).goals
    assert (goal.hypotheses, goal.target) == (hypotheses, target)


def test_what_is_no_goal() -> None:
    with pytest.raises(BadInput, match="has no line that begins with ⊢"):
        asked_for("n : Nat\nm : Nat")


@pytest.mark.model
def test_a_real_model_is_added_tried_and_removed(tacit: Tacit, tmp_path: Path) -> None:
    tacit("add", write_tiny(tmp_path / "random.gguf"), "--use")
    shown: dict[str, Any] = json.loads(tacit("test", "--json")[0])
    assert (shown["architecture"], shown["context"], shown["name"]) == ("llama", 512, "random")
    assert shown["candidates"]
    assert min(shown["tokens_per_second"], shown["candidates_per_second"], shown["memory"]) > 0
    unknown = write_tiny(tmp_path / "unknown.gguf", architecture="mamba9")
    assert (
        "is of the architecture mamba9, which the llama.cpp here does not know." in tacit("add", unknown, status=2)[1]
    )
    assert model_choice.can_run()
    tacit("remove", "random")
