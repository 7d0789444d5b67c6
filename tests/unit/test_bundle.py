"""What a report of a fault holds, and that nothing of the user's is in it, wherever it was planted."""

from __future__ import annotations

import json
import logging
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tacit.index.build import build
from tacit.index.places import places
from tacit.server import bundle, logs, memory_store, models
from tacit.server.cli import main
from tacit.server.errors import BadInput
from tacit.server.memory_proofs import ACCEPTED, Known, Step
from tacit.server.scrub import Scrub
from tests.unit.cli_engine import FakeEngine, Tactic
from tests.unit.corpus import ANALYSIS, write

WORKS = FakeEngine({"t": [Tactic("exact h")]})
SECRETS = (
    *("zorbLemma", "quxTactic", "Quuxicity", "mySecretProject", "frobnitz", "grmblfx", "hunter2", "Zaphod"),
    *("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "sk-live-4eC39HqLyjWDarjtT1zdp7dc", "Blrgh"),
)
SOURCE = "theorem zorbLemma (grmblfx : Quuxicity) : frobnitz grmblfx = 7 := by quxTactic\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home full of secrets; the workspace is the current folder."""
    home = tmp_path / "Zaphod Blrgh"
    folder = home / "my work" / "mySecretProject"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", str(home / "lean-frobnitz" / "bin"))
    monkeypatch.setenv("TACIT_CACHE", str(home / ".cache" / "tacit"))
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_16C7e42F292c6912E7710c838347Ae178B4a")
    monkeypatch.setenv("TACIT_PASSWORD", "hunter2")
    monkeypatch.setenv("MATHLIB", str(home / "frobnitz" / "mathlib"))
    monkeypatch.setenv("LANG", "hunter2")
    monkeypatch.setattr(models, "WEIGHTS", tmp_path / "tacit-tiny.gguf")
    for name in ("TACIT_LEAN", "TACIT_MODEL", "ELAN_HOME", "TACIT_LOG"):
        monkeypatch.delenv(name, raising=False)
    lean = home / "lean-frobnitz" / "bin" / "lean"
    lean.parent.mkdir(parents=True)
    lean.write_text("#!/bin/sh\necho 'Lean (version 4.27.0, Release)'\n")
    lean.chmod(0o755)
    (folder / "lakefile.toml").write_text('name = "mySecretProject"\n# hunter2\n')
    write(folder, {"mySecretProject/Quuxicity.lean": SOURCE})
    build(places(folder)[0].index, places(folder)[0].corpus, ANALYSIS, lambda *_: None)
    taken = Known("⊢ Quuxicity", "zorbLemma", "", (), (Step("quxTactic", ACCEPTED, ""),))
    memory_store.append(memory_store.store_of(folder), "Quuxicity.lean", taken)
    cache = home / ".cache" / "tacit"
    (cache / "traces").mkdir()
    (cache / "traces" / "x.jsonl").write_text('{"search": 1, "goal": "⊢ Quuxicity"}\n')
    (cache / "experience.json").write_text('{"schema": 1, "searches": 3.5, "states": {"hunter2": [1, 1]}, "steps": {}}')
    logs.begin("serve", cache / "logs", level="debug")
    log = logging.getLogger("tacit.server.test")
    log.debug("the goal is %s", SOURCE)
    log.warning("%s cannot be read: no permission", folder / "mySecretProject" / "Quuxicity.lean")
    log.info("indexing of %s ended, token sk-live-4eC39HqLyjWDarjtT1zdp7dc", folder)
    log.warning("C:\\Users\\Zaphod\\mySecretProject failed; see https://hunter2@example.org/zorbLemma?t=hunter2")
    try:
        raise ValueError(SOURCE)
    except ValueError:
        log.exception("background work failed for `zorbLemma` = %r", SOURCE)
    logging.getLogger("some.library").error("library says hunter2")
    logs.end()
    with next((cache / "logs").iterdir()).open("a") as more:
        more.write(f'{SOURCE}\n[1]\n{{"level": "debug", "said": "zorbLemma"}}\n{{"broken')
    yield folder
    logs.end()


def read(file: Path) -> dict[str, str]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def given() -> dict[str, Any]:
    return {
        "tacit": {
            "lean": {
                "args": ["-Dtoken=hunter2", "--zorbLemma"],
                "path": str(Path.home() / "lean-frobnitz" / "bin" / "lean"),
            },
            "model": {"path": "/srv/grmblfx/secret.gguf", "templates": {"hunter2": {"prompt": "{state} zorbLemma"}}},
            "suggest": {"budget": 3},
            "log": {"level": "warning"},
            "prove": {"workers": 4},
        }
    }


def collect(machine: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[dict[str, str], str]:
    file = machine.parent / "report.zip"
    arguments = ["doctor", "--bundle", str(file), "--settings", json.dumps(given()), *words]
    assert main(arguments, build=lambda _: WORKS) == 0
    return read(file), capsys.readouterr().out


def test_nothing_planted_anywhere_is_in_it(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts, _ = collect(machine, capsys)
    for name, text in parts.items():
        found = [secret for secret in SECRETS if secret.lower() in (name + text).lower()]
        assert found == [], f"{found} in {name}: {text}"


def test_what_a_reader_needs_is_in_it(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts, _ = collect(machine, capsys)
    told: dict[str, Any] = {name: json.loads(text) for name, text in parts.items() if name.endswith(".json")}
    assert told["doctor.json"]["works"] is True
    checks = {each["name"]: each["said"] for each in told["doctor.json"]["checks"]}
    assert checks["Lean"].startswith("4.27.0 at ~/<path ")
    assert "a small theorem, proved by" in checks["Check"]
    assert checks["Workspace"].startswith("<folder ")
    assert told["versions.json"]["libraries"]["pygls"].startswith("2.")
    assert told["settings.json"]["suggest.budget"] == 3
    assert told["settings.json"]["log.level"] == "warning"
    assert told["settings.json"]["lean.args"] == "2 of them"
    assert told["settings.json"]["lean.path"].startswith("~/<path ")
    assert told["limits.json"]["memory"]["total"] > 0
    [index] = told["indexes.json"]
    assert (index["schema"], index["premises"], index["package"][:9]) == ("1", 1, "<package ")
    assert told["kept.json"]["memory"]["files"] == 1
    assert told["kept.json"]["experience"]["searches"] == 3.5
    [log] = [text for name, text in parts.items() if name.startswith("logs/serve-")]
    lines = [json.loads(line) for line in log.splitlines()]
    assert [each["level"] for each in lines] == ["warning", "info", "warning", "error", "error"]
    assert lines[0]["said"].endswith("cannot be read: no permission")
    assert lines[1]["said"].startswith("indexing of <folder ")
    [error] = lines[3]["error"]
    assert error["type"] == "ValueError"
    assert error["at"][0].startswith("tacit/tests/unit/test_bundle.py:")


def test_everything_in_it_is_listed_before(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts, out = collect(machine, capsys)
    for name in parts:
        assert name in out
    assert out.index("README.txt") < out.index("Wrote ")
    assert "Nothing was sent" in out
    assert all(f"{name}: " in parts["README.txt"] for name in parts if name != "README.txt")


def test_as_json_it_says_what_is_in_it(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts, out = collect(machine, capsys, "--json")
    told = json.loads(out)["bundle"]
    assert told["file"] == str(machine.parent / "report.zip")
    assert {each["name"]: each["bytes"] for each in told["contents"]} == {k: len(v.encode()) for k, v in parts.items()}


def test_only_its_owner_may_read_it_and_nothing_is_overwritten(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    collect(machine, capsys)
    file = machine.parent / "report.zip"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    assert main(["doctor", "--bundle", str(file)], build=lambda _: WORKS) == 2
    assert "is there already. Name another file." in capsys.readouterr().err
    assert file.read_bytes() == before


def test_without_a_name_it_lies_here(machine: Path) -> None:
    assert main(["doctor", "--bundle"], build=lambda _: WORKS) == 0
    [file] = machine.glob("tacit-report-*.zip")
    assert "README.txt" in read(file)


def test_a_doctor_that_breaks_is_reported(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = FakeEngine({"t": ValueError("zorbLemma")})
    file = machine.parent / "report.zip"
    assert main(["doctor", "--bundle", str(file)], build=lambda _: engine) == 3
    parts = read(file)
    assert json.loads(parts["doctor.json"])["checks"][-1]["name"] == "Doctor"
    assert "zorbLemma" not in "".join(parts.values())
    [log] = [text for name, text in parts.items() if name.startswith("logs/command-")]
    assert json.loads(log)["error"][0]["type"] == "ValueError"


def test_what_cannot_be_read_is_said_in_its_place(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = machine.parents[1] / ".cache" / "tacit"
    (cache / "experience.json").write_text("{hunter2")
    (cache / "models").mkdir()
    (cache / "models" / "models.json").write_text("hunter2")
    for each in (cache / "index").glob("*.db"):
        each.write_bytes(b"hunter2" * 100)
    parts, _ = collect(machine, capsys)
    assert "hunter2" not in "".join(parts.values())
    assert json.loads(parts["kept.json"]) == {"error": "JSONDecodeError"}
    assert json.loads(parts["models.json"]) == {"error": "BadInput"}
    assert [each["error"] for each in json.loads(parts["indexes.json"])] == ["StoreError"]


def test_a_settings_text_that_is_no_json_is_told(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--settings", "{"], build=lambda _: WORKS) == 2
    assert "--settings is no JSON." in capsys.readouterr().err


# ---------------------------------------------------------------- what is taken out


@pytest.fixture
def scrub() -> Scrub:
    places = {Path("/home/zaphod/My Project"): "<folder 0123abcd>", Path("/c/tacit"): "<cache>"}
    return Scrub(Path("/home/zaphod"), places)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Lean did not stop within 5 s", "Lean did not stop within 5 s"),
        ("Lean 4.27.0-rc1 was found.", "Lean 4.27.0-rc1 was found."),
        ("/home/zaphod/My Project is not there any more.", "<folder 0123abcd> is not there any more."),
        ("The index at /c/tacit cannot be read: disk I/O error.", "The index at <cache> cannot be read: disk "),
        ("the goal `zorb ⊢ ℕ` failed", "the goal `…` failed"),
        ("the setting `lean.path` is not 'by zorb := 7'", "the setting `lean.path` is not '…'"),
        ("see https://x:y@h/p?q=1 for more", "see <address> for more"),
        ("key=hunter2x", "key=…"),
    ],
)
def test_words_of_tacit_stay_and_others_go(text: str, left: str, scrub: Scrub) -> None:
    assert scrub.text(text).startswith(left)


def test_the_same_path_has_the_same_hash_and_another_has_not(scrub: Scrub) -> None:
    one, two, other = (scrub.path(each) for each in ("/srv/a b/x.lean", "/srv/a b/x.lean", "/srv/a b/y.lean"))
    assert one == two != other
    assert one.startswith("<path ")
    assert one.endswith(".lean")
    assert scrub.path("/home/zaphod/.elan/bin/lean").startswith("~/.elan/<path ")
    assert scrub.path("/usr/bin/lean") == "/usr/bin/lean"


def test_a_name_that_only_begins_like_a_known_folder_is_not_one(scrub: Scrub) -> None:
    assert "<cache>" not in scrub.text("/c/tacitus is gone")


def test_a_report_is_never_half_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        bundle.write([bundle.Part("a", "b", b"c")], tmp_path / "nowhere" / "x.zip")
