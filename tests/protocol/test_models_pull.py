"""`tacit models pull` as a person runs it, from a hub on this machine: fetched, refused, killed and taken up again."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tacit.server import models
from tacit.server.errors import BadInput
from tacit.server.model_catalogue import CATALOGUE
from tacit.server.models_pull import Wish, pull
from tests.protocol.file_server import File, Files, serving
from tests.unit.gguf_bytes import gguf
from tests.unit.person import Person

MODEL = gguf(data=1_500_000, name="a step prover")
DIGEST = hashlib.sha256(MODEL).hexdigest()
OTHER = gguf(data=1_500_000, name="another one")
OTHER_DIGEST = hashlib.sha256(OTHER).hexdigest()
BFS = CATALOGUE["bfs-prover-v2"]
FILE = "BFS-Prover-V2-7B.Q4_K_M.gguf"
RESOLVE = f"/{BFS.repository}/resolve/main/{FILE}"
TREE = f"/api/models/{BFS.repository}/tree/main"


@pytest.fixture
def hub() -> Iterator[Files]:
    with serving() as files:
        have(files, MODEL)
        yield files


def have(hub: Files, content: bytes, **more: Any) -> None:
    """Let the hub have this as BFS-Prover, as it describes large files, and lead to where they are."""
    digest = hashlib.sha256(content).hexdigest()
    listed = [
        {"type": "file", "path": "README.md", "size": 3, "oid": "abc"},
        {"type": "file", "path": "BFS-Prover-V2-7B.Q8_0.gguf", "size": 9, "lfs": {"oid": "0" * 64, "size": 9}},
        {"type": "file", "path": FILE, "size": len(content), "lfs": {"oid": digest, "size": len(content)}},
    ]
    hub.put(TREE, File(json.dumps(listed).encode()))
    hub.put("/cdn/x", File(content, etag=f'"{digest[:8]}"', **more))
    stated = {"X-Linked-ETag": f'"{digest}"', "X-Linked-Size": str(len(content))}
    hub.put(RESOLVE, File(to="/cdn/x", headers=stated))


class Shell:
    def __init__(self, folder: Path, endpoint: str) -> None:
        self.folder = folder / "cache" / "models"
        kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        self.environment = {**kept, "TACIT_CACHE": str(folder / "cache"), "HF_ENDPOINT": endpoint, "TACIT_MODEL": ""}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tacit.server.cli", "models", *arguments]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        if os.name == "posix":  # a test run in the background of a shell ignores SIGINT, and so would what it starts
            pipes["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        return subprocess.Popen(command, env=self.environment, text=True, start_new_session=True, **pipes)

    def run(self, *arguments: str, status: int = 0) -> tuple[str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        assert process.returncode == status, err
        assert "Traceback" not in err
        return out, err

    def installed(self) -> dict[str, Any]:
        """Without the model that comes with Tacit."""
        found = json.loads(self.run("list", "--json")[0])
        return {each["name"]: each for each in found["installed"] if each["name"] != "tacit-tiny"}

    def files(self) -> list[str]:
        return sorted(
            each.name for each in self.folder.glob("*") if each.suffix != ".lock" and each.name != "models.json"
        )


@pytest.fixture
def shell(tmp_path: Path, hub: Files) -> Shell:
    return Shell(tmp_path, hub.url)


def test_a_model_of_the_catalogue_is_fetched_used_and_removed(shell: Shell, hub: Files) -> None:
    out, err = shell.run("pull", "bfs-prover-v2", "--yes")
    assert f"bfs-prover-v2: {FILE}, 1.5 MB, licence: Apache-2.0." in err
    assert f"Its SHA-256 must be {DIGEST}, as the hub states it." in err
    assert " are free." in err
    assert out == f"bfs-prover-v2: 1.5 MB, preset bfs-prover-v2, in {shell.folder / 'bfs-prover-v2.gguf'}\n"
    assert shell.files() == ["bfs-prover-v2.gguf"]
    model = shell.installed()["bfs-prover-v2"]
    assert (model["sha256"], model["size"], model["licence"]) == (DIGEST, len(MODEL), "Apache-2.0")
    assert model["source"] == f"https://huggingface.co{RESOLVE}"
    assert (model["own"], model["used"]) == (True, False)
    shell.run("use", "bfs-prover-v2")
    assert shell.installed()["bfs-prover-v2"]["used"]
    before = len(hub.asked)
    assert "is here already" in shell.run("pull", "bfs-prover-v2")[1]
    assert len(hub.asked) == before
    assert "nobody here can be asked. Say --yes." in shell.run("remove", "bfs-prover-v2", status=2)[1]
    assert shell.run("remove", "bfs-prover-v2", "--yes")[0] == "bfs-prover-v2: removed, 1.5 MB\n"
    assert shell.files() == []
    assert shell.installed() == {}


def test_nothing_is_fetched_without_a_yes(shell: Shell, hub: Files) -> None:
    _, err = shell.run("pull", "bfs-prover-v2", status=2)
    assert "bfs-prover-v2 was not fetched: nobody here can be asked. Say --yes." in err
    assert [each.path for each in hub.asked] == [TREE]
    out, _ = shell.run("pull", "bfs-prover-v2", "--json", status=2)
    assert json.loads(out)["error"]["kind"] == "BadInput"
    out, _ = shell.run("pull", "bfs-prover-v2", "--json", "--yes", "--use")
    assert json.loads(out)["used"] is True


@pytest.mark.usefixtures("signals_kept")
def test_a_person_is_asked_first(hub: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    with pytest.raises(BadInput, match="bfs-prover-v2 was not fetched"):
        pull(no := Person(False), Wish("bfs-prover-v2"))
    assert no.asked == "Fetch it?"
    assert models.read() == models.Models()
    assert pull(Person(True), Wish("bfs-prover-v2")) == 0
    assert [each.name for each in models.read().models] == ["bfs-prover-v2"]


def test_what_was_fetched_once_must_be_the_same_later(shell: Shell, hub: Files) -> None:
    shell.run("pull", "bfs-prover-v2", "--yes")
    shell.run("remove", "bfs-prover-v2", "--yes")
    have(hub, OTHER)
    for what in ("bfs-prover-v2", hub.url + RESOLVE):
        _, err = shell.run("pull", what, "--yes", status=2)
        assert f"is another file now: its SHA-256 is {OTHER_DIGEST}, and was {DIGEST}." in err
        assert f"--sha256 {OTHER_DIGEST}`" in err
    assert shell.files() == []
    shell.run("pull", "bfs-prover-v2", "--yes", "--sha256", OTHER_DIGEST)
    assert shell.installed()["bfs-prover-v2"]["sha256"] == OTHER_DIGEST
    shell.run("remove", "bfs-prover-v2", "--yes")
    have(hub, MODEL)
    assert "is another file now" in shell.run("pull", "bfs-prover-v2", "--yes", status=2)[1]


def test_a_hub_with_another_file_than_tacit_knows_is_not_asked_for_it(shell: Shell, hub: Files) -> None:
    known = CATALOGUE["internlm2.5-step-prover"]
    listed = [{"type": "file", "path": known.file, "size": 3, "lfs": {"oid": OTHER_DIGEST, "size": 3}}]
    hub.put(f"/api/models/{known.repository}/tree/{known.revision}", File(json.dumps(listed).encode()))
    _, err = shell.run("pull", known.name, "--yes", status=2)
    assert f"and was {known.sha256}" in err
    assert len(hub.asked) == 1
    hub.put(f"/api/models/{known.repository}/tree/{known.revision}", File(b"[]"))
    assert f"has no file {known.file} now" in shell.run("pull", known.name, "--yes", status=2)[1]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_one_that_is_stopped_in_the_middle_goes_on_where_it_was(shell: Shell, hub: Files, how: signal.Signals) -> None:
    have(hub, MODEL, holds=1_000_000)
    process = shell.start("pull", "bfs-prover-v2", "--yes")
    assert hub.held.wait(60)
    part = shell.folder / "bfs-prover-v2.gguf.part"
    while not part.exists() or part.stat().st_size < 500_000:
        time.sleep(0.01)
    assert "Another process is fetching" in shell.run("pull", "bfs-prover-v2", "--yes", status=2)[1]
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}[how]
    if how is not signal.SIGKILL:
        assert "`tacit models pull bfs-prover-v2` goes on where it stopped." in err
    hub.go.set()
    there = part.stat().st_size
    out = shell.run("list")[0]
    assert "fetched so far: `tacit models pull` goes on" in out
    assert shell.installed() == {}
    _, err = shell.run("pull", "bfs-prover-v2", "--yes")
    assert " of it are there already." in err
    assert hub.ranges("/cdn/x")[-1] == f"bytes={there}-"
    assert shell.files() == ["bfs-prover-v2.gguf"]
    assert (shell.folder / "bfs-prover-v2.gguf").read_bytes() == MODEL


def test_what_was_begun_can_be_thrown_away(shell: Shell, hub: Files) -> None:
    have(hub, MODEL, cuts=[400_000, 0, 0, 0, 0, 0, 0])
    process = shell.start("pull", "bfs-prover-v2", "--yes")
    part = shell.folder / "bfs-prover-v2.gguf.part"
    while not part.exists() or part.stat().st_size < 400_000:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    process.communicate()
    assert shell.run("remove", "bfs-prover-v2", "--yes")[0] == "bfs-prover-v2: removed, 0.4 MB\n"
    assert shell.files() == []


def test_one_that_is_killed_before_it_is_on_the_list_is_not_fetched_again(shell: Shell, hub: Files) -> None:
    shell.run("pull", "bfs-prover-v2", "--yes")
    (shell.folder / "models.json").unlink()
    before = hub.ranges("/cdn/x")
    shell.run("pull", "bfs-prover-v2", "--yes")
    assert hub.ranges("/cdn/x") == before
    assert shell.installed()["bfs-prover-v2"]["sha256"] == DIGEST
    (shell.folder / "models.json").unlink()
    have(hub, OTHER)
    shell.run("pull", "bfs-prover-v2", "--yes")
    assert (shell.folder / "bfs-prover-v2.gguf").read_bytes() == OTHER


def test_any_address_can_be_fetched(shell: Shell, hub: Files) -> None:
    url = hub.put("/a%20b/My%20Model-7B.gguf", File(MODEL)).replace("127.0.0.1", "localhost")  # not the hub's
    _, err = shell.run("pull", url, "--yes")
    assert "licence: not stated." in err
    assert "Nobody states its SHA-256: what arrives is taken, and must be the same later." in err
    model = shell.installed()["My-Model-7B"]
    assert (model["sha256"], model["preset"], model["source"]) == (DIGEST, "few-shot", url)
    shell.run("remove", "My-Model-7B", "--yes")
    hub.put("/a%20b/My%20Model-7B.gguf", File(OTHER))
    _, err = shell.run("pull", url, "--yes", status=2)
    assert f"its SHA-256 is {OTHER_DIGEST}, not {DIGEST}" in err
    assert shell.files() == []
    shell.run("pull", url, "--yes", "--sha256", OTHER_DIGEST.upper(), "--name", "mine", "--preset", "llmstep", "--use")
    model = shell.installed()["mine"]
    assert (model["sha256"], model["preset"], model["used"]) == (OTHER_DIGEST, "llmstep", True)
    assert "There is a model mine already" in shell.run("pull", "bfs-prover-v2", "--name", "mine", status=2)[1]


def test_the_page_of_a_file_on_the_hub_is_its_address_too(shell: Shell) -> None:
    page = f"https://huggingface.co/{BFS.repository}/blob/main/{FILE}?show=1"
    _, err = shell.run("pull", page, "--yes")
    assert f"Its SHA-256 must be {DIGEST}, as its server states it." in err
    model = shell.installed()["BFS-Prover-V2-7B.Q4_K_M"]
    assert (model["preset"], model["source"]) == ("bfs-prover-v2", f"https://huggingface.co{RESOLVE}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>log in</html>", "is no GGUF file"),
        (MODEL[:200], "is damaged, or was not copied whole"),
        (gguf(data=20), "is cut off"),
        (gguf(architecture="clip"), "which writes no text"),
    ],
)
def test_what_is_no_model_is_not_kept(shell: Shell, hub: Files, content: bytes, said: str) -> None:
    url = hub.put("/m.gguf", File(content))
    assert said in shell.run("pull", url, "--yes", status=2)[1]
    assert shell.files() == []
    assert shell.installed() == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "No model 'nothing' is known. There are bfs-prover-v2, "),
        (("ftp://a/b.gguf",), "is no address that begins with https://."),
        (("ntp-mathlib-st",), "No GGUF of ntp-mathlib-st is known. Convert https://huggingface.co/l3lab/"),
        (("bfs-prover-v2", "--sha256", "abc"), "'abc' is no SHA-256."),
        (("bfs-prover-v2", "--preset", "gpt"), "There is no preset 'gpt'."),
        (("bfs-prover-v2", "--name", "off"), "A model cannot be called off"),
        (("bfs-prover-v2", "--name", "a/b"), "A model cannot be called 'a/b'."),
    ],
)
def test_what_cannot_be_wanted_is_one_sentence(shell: Shell, hub: Files, arguments: tuple[str, ...], said: str) -> None:
    out, err = shell.run("pull", *arguments, status=2)
    assert (out, err.count("\n")) == ("", 1)
    assert said in err
    assert hub.asked == []


def test_a_missing_file_is_one_sentence(shell: Shell, hub: Files) -> None:
    assert f"There is no file at {hub.url}/none.gguf." in shell.run("pull", f"{hub.url}/none.gguf", status=2)[1]


def test_offline_it_says_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        shell = Shell(tmp_path, f"http://127.0.0.1:{unused.getsockname()[1]}")
    out, err = shell.run("pull", "bfs-prover-v2", "--yes", status=2)
    assert (out, err.count("\n")) == ("", 1)
    assert "Connection refused. Try again when there is a network" in err
    assert "or copy a GGUF to this machine and name it: `tacit models add PATH`." in err
