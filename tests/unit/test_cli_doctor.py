"""`tacit doctor`: what it says of a machine, told from what is on it and from one real request."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tacit.index.build import build
from tacit.index.encoder import DEFAULT, EncoderUnavailable
from tacit.index.places import places
from tacit.server import models
from tacit.server.cli import main
from tacit.server.errors import LeanDied
from tacit.server.settings import Settings
from tests.unit.cli_engine import FakeEngine, Tactic
from tests.unit.corpus import ANALYSIS, write
from tests.unit.gguf_bytes import gguf

WORKS = FakeEngine({"t": [Tactic("exact h")]})


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where nothing is, on a machine with nothing."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(models, "WEIGHTS", tmp_path / "tacit-tiny.gguf")
    monkeypatch.setattr("tacit.server.model_choice.can_run", lambda: False)
    monkeypatch.setattr("tacit.server.doctor.can_run", lambda: False)
    for name in ("TACIT_LEAN", "TACIT_MODEL", "ELAN_HOME", "MATHLIB"):
        monkeypatch.delenv(name, raising=False)
    return folder


def install(folder: Path, name: str, says: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def lines(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Name → mark and text of each line; hints under the name above them with a `+`."""
    found, name = {}, ""
    for line in capsys.readouterr().out.splitlines():
        if line.startswith(("✓ ", "✗ ", "– ")):
            name = line[2:13].strip()
            found[name] = line[0] + " " + line[13:]
        elif line.startswith(" "):
            found[name + "+"] = line.strip()
        elif line:
            found["end"] = line
    return found


def test_a_machine_with_nothing_but_lean(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lean = install(here.parent / "bin", "lean", "Lean (version 4.27.0, x86_64, commit abc, Release)")
    assert main(["doctor"], build=lambda _: WORKS) == 0
    said = lines(capsys)
    assert said["Lean"] == f"✓ 4.27.0 at {lean} (from PATH)"
    assert said["Lake"].startswith("– none")
    assert said["elan"].startswith("– none")
    assert said["elan+"].startswith("https://")
    assert said["Workspace"].startswith("– no lakefile")
    assert said["VS Code"].startswith("– none")
    assert said["Check"].startswith("✓ a small theorem, proved by `exact h` with propext in ")
    assert said["end"] == "Suggestions work."
    document, position, options = WORKS.asked[-1]
    assert document.path == here / "TacitDoctor.lean"
    assert not (here / "TacitDoctor.lean").exists()
    assert document.text.split("\n")[position.line][position.column :] == "sorry"
    assert options.stop_at_first_close


@pytest.mark.parametrize(
    ("wanted", "why", "said"),
    [
        ("", "bubblewrap (bwrap) is not installed", "– not wanted"),
        ("on", "", "✓ Lean and the model run in bubblewrap"),
        ("on", "bubblewrap (bwrap) is not installed", "✗ wanted, but bubblewrap (bwrap) is not installed: "),
    ],
)
def test_whether_there_is_a_sandbox(
    wanted: str, why: str, said: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TACIT_SANDBOX", wanted)
    monkeypatch.setattr("tacit.server.sandbox.missing", lambda: why)
    main(["doctor"], build=lambda _: WORKS)
    assert lines(capsys)["Sandbox"].startswith(said)


def test_a_workspace_with_all_it_needs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elan = here.parent / ".elan" / "bin"
    install(elan, "lean", "Lean (version 4.27.0, x86_64, commit abc, Release)")
    install(elan, "lake")
    install(elan, "elan")
    (here / "lakefile.toml").touch()
    (here / "lean-toolchain").write_text("leanprover/lean4:v4.27.0\n")
    (here / ".lake" / "build").mkdir(parents=True)
    assert main(["doctor"], build=lambda _: WORKS) == 0
    said = lines(capsys)
    assert said["Lake"] == f"✓ {elan / 'lake'}"
    assert said["elan"] == f"✓ {elan / 'elan'}"
    assert said["Workspace"] == f"✓ {here}, asks for Lean 4.27.0, built"


def test_a_workspace_that_wants_another_lean(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(here.parent / "bin", "lean", "Lean (version 4.0.0, Release)")
    (here / "lakefile.lean").touch()
    (here / "lean-toolchain").write_text("leanprover/lean4:v4.35.0-rc1")
    assert main(["doctor"], build=lambda _: WORKS) == 0
    said = lines(capsys)
    assert said["Lake"].startswith("✗ none beside that Lean")
    assert said["Workspace"] == f"✗ {here}, asks for Lean 4.35.0-rc1, but 4.0.0 was found"


def test_without_lean_nothing_is_tried(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = FakeEngine()
    assert main(["doctor"], build=lambda _: engine) == 3
    said = lines(capsys)
    assert said["Lean"].startswith("✗ No Lean was found")
    assert "https://lean-lang.org/install" in said["Lean+"]
    assert said["Check"] == "✗ not tried without Lean"
    assert said["end"] == "Suggestions do not work here yet."
    assert engine.asked == []


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        (FakeEngine({"t": LeanDied("Lean died.")}), "✗ Lean died."),
        (FakeEngine({"t": [Tactic("simp", left=1)]}), "✗ no tactic proves `theorem t (p : Prop) (h : p) : p`, tried"),
    ],
)
def test_a_check_that_fails_fails_it_all(
    engine: FakeEngine, said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(here.parent / "bin", "lean", "Lean (version 4.27.0, Release)")
    assert main(["doctor"], build=lambda _: engine) == 3
    assert lines(capsys)["Check"].startswith(said)


def test_what_is_indexed_and_where(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(here.parent / "bin", "lean", "Lean (version 4.27.0, Release)")
    cache = here.parent / "cache" / "index"
    main(["doctor"], build=lambda _: WORKS)
    said = lines(capsys)
    assert said["Index"] == f"– nothing of {here} in {cache}"
    assert "`tacit index build`" in said["Index+"]
    (here / "lakefile.toml").write_text('name = "top"\n')
    manifest = '{"packages": [{"type": "path", "name": "dep", "dir": "dep"}]}'
    (here / "lake-manifest.json").write_text(manifest)
    write(here)
    write(here / "dep", {"Dep.lean": "theorem dep : 1 = 1 := rfl\n"})
    for place in places(here):
        if place.corpus.name == "top":
            build(place.index, place.corpus, ANALYSIS, lambda *_: None)
    main(["doctor"], build=lambda _: WORKS)
    said = lines(capsys)
    assert said["Index"].startswith("– top (")
    assert ", words only): 0." in said["Index"]
    assert said["Index"].endswith(f"in {cache}; not dep")
    assert "`tacit index update`" in said["Index+"]
    for place in places(here):
        build(place.index, place.corpus, ANALYSIS, lambda *_: None)
    main(["doctor"], build=lambda _: WORKS)
    assert lines(capsys)["Index"].startswith("✓ top (")


def test_that_lean_came_without_its_sources(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TACIT_LEAN_SOURCES")
    lean = install(here.parent / "bin", "lean", f"Lean (version 4.27.0, Release)\n{here.parent}")
    main(["doctor"], build=lambda _: WORKS)
    assert f"{lean.parent.parent}: This toolchain has no sources" in lines(capsys)["Index+"]


def test_whether_there_is_an_encoder(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def there() -> tuple[Path, str]:
        return here, ""

    install(here.parent / "bin", "lean", "Lean (version 4.27.0, Release)")
    monkeypatch.setattr("tacit.server.doctor.packaged_model", there)
    main(["doctor"], build=lambda _: WORKS)
    assert lines(capsys)["Encoder"] == f"✓ {DEFAULT}, for search by meaning"
    monkeypatch.setattr("tacit.server.doctor.packaged_model", missing)
    main(["doctor"], build=lambda _: WORKS)
    said = lines(capsys)
    assert said["Encoder"].startswith(f"– {DEFAULT} is not installed")
    assert said["Encoder+"] == "pip install it."


def test_which_model_is_used_or_why_none(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> tuple[str, str]:
        main(["doctor"], build=lambda _: WORKS)
        found = lines(capsys)
        return found["Model"], found.get("Model+", "")

    install(here.parent / "bin", "lean", "Lean (version 4.27.0, Release)")
    none = "– No model is used: none was chosen, and none comes with this Tacit"
    assert said() == (none, "`tacit models list` says which can be had.")
    models.WEIGHTS.write_bytes(gguf())
    pip = 'Install it with `pip install "lean-tacit[model]"`.'
    assert said() == ("– No model is used: llama-cpp-python is not installed", pip)
    chosen = here.parent / "chosen.gguf"
    monkeypatch.setenv("TACIT_MODEL", str(chosen))
    assert said()[0] == f"✗ There is no model file {chosen}"
    chosen.write_bytes(gguf())
    assert said() == (f"✗ {chosen}, but llama-cpp-python is not installed", pip)
    monkeypatch.setattr("tacit.server.model_choice.can_run", lambda: True)
    monkeypatch.setattr("tacit.server.doctor.can_run", lambda: True)
    about = f"✓ {chosen}, as TACIT_MODEL says: 0.0 M parameters, 0.0 MB, preset few-shot"
    assert said() == (about, "`tacit models test` tries it.")
    monkeypatch.delenv("TACIT_MODEL")
    assert said()[0] == "✓ tacit-tiny, which comes with Tacit: 0.0 M parameters, 0.0 MB, preset tacit-tiny"


def test_no_model_is_loaded_for_the_check(here: Path) -> None:
    install(here.parent / "bin", "lean", "Lean (version 4.27.0, Release)")

    def build(settings: Settings) -> FakeEngine:
        assert settings.model_path == "off"
        return WORKS

    assert main(["doctor"], build=build) == 0


def missing() -> tuple[Path, str]:
    raise EncoderUnavailable("pip install it.")


def test_json(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tacit.server.doctor.packaged_model", missing)
    install(here.parent / "bin", "lean", "Lean (version 4.27.0, Release)")
    assert main(["doctor", "--json"], build=lambda _: WORKS) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["works"] is True
    found = {check["name"]: check["ok"] for check in shown["checks"]}
    assert found == {
        "Tacit": True,
        "Lean": True,
        "Lake": None,
        "elan": None,
        "Workspace": None,
        "VS Code": None,
        "Index": None,
        "Encoder": None,
        "Model": None,
        "Sandbox": None,
        "Log": None,
        "Check": True,
    }


def test_where_the_log_lies(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def said() -> str:
        main(["doctor"], build=lambda _: WORKS)
        return lines(capsys)["Log"]

    folder = here.parent / "cache" / "logs"
    assert said() == "– none is written"
    monkeypatch.setenv("TACIT_LOG", "info")
    assert said() == f"✓ {folder}, nothing yet"
    folder.mkdir(parents=True)
    (folder / "serve-20260101T000000-7.log").touch()
    assert said() == f"✓ {folder}, the newest serve-20260101T000000-7.log"
