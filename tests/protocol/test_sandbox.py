"""Programs in a sandbox: in a real one, where this machine has it, and what is said and done where it has none."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest

from tacit.server import sandbox
from tacit.server.compose import lean_settings, local_model
from tacit.server.errors import LeanNotFound, ModelUnavailable
from tacit.server.lean.live import LiveElaborator
from tacit.server.lean.locate import LeanInstall, server_commands
from tacit.server.model.client import COMMAND, ModelClient, room
from tacit.server.model.messages import Load
from tacit.server.model_choice import Choice
from tacit.server.sandbox import NoSandbox, Room, enclosed, wanted
from tacit.server.settings import Settings, read_settings
from tests.tiny_gguf import write_tiny

WHY_NOT = sandbox.missing()
real = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A workspace with a lakefile, in a home that holds a secret."""
    home = tmp_path / "home"
    (home / "project" / ".lake" / "config").mkdir(parents=True)
    (home / "project" / "lakefile.toml").write_text('name = "project"\n', encoding="utf-8")
    (home / "project" / "A.lean").write_text("example : 1 = 1 := rfl\n", encoding="utf-8")
    (home / "secret").write_text("nobody's business", encoding="utf-8")
    return home / "project"


def environment(project: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(project.parent), "LANG": "C.UTF-8", **more}


def inside(prefix: Sequence[str], code: str) -> str:
    """What a shell in there says."""
    done = subprocess.run([*prefix, "/bin/sh", "-c", code], capture_output=True, text=True, timeout=300, check=False)
    return done.stdout + done.stderr


def lean_prefix(project: Path, **more: str) -> tuple[str, ...]:
    """What stands before Lean in a workspace whose settings want a sandbox."""
    settings = lean_settings(read_settings({"sandbox": "on"})[0])
    prefix = project.parent / "toolchain"
    install = LeanInstall(prefix / "bin" / "lean", prefix / "bin" / "lake", "4.27.0", "PATH")
    (prefix / "bin").mkdir(parents=True, exist_ok=True)
    for name in ("lean", "lake"):
        (prefix / "bin" / name).write_text("#!/bin/sh\necho ran\n", encoding="utf-8")
        (prefix / "bin" / name).chmod(0o755)
    lake, lean = server_commands(install, project / "A.lean", settings)
    assert lake.sandbox == lean.sandbox
    return lake.sandbox


# ---------------------------------------------------------------- a real one


@real
def test_the_disk_is_not_there_but_for_what_is_given(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(project.parent))
    prefix = lean_prefix(project)
    assert inside(prefix, f"cat {project}/A.lean; pwd").splitlines() == ["example : 1 = 1 := rfl", str(project)]
    assert inside(prefix, f"{project.parent}/toolchain/bin/lean") == "ran\n"
    assert "No such file" in inside(prefix, f"cat {project.parent}/secret")
    assert "No such file" in inside(prefix, f"cat {Path(__file__)}")
    assert set(inside(prefix, "ls /etc").split()) <= {each.rpartition("/")[2] for each in sandbox._BESIDE}


@real
def test_nothing_can_be_changed_but_what_lake_compiles(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(project.parent))
    prefix = lean_prefix(project)
    for place in ("A.lean", "New.lean", ".lake/new", "lakefile.toml"):
        assert "Read-only file system" in inside(prefix, f"echo x > {project}/{place}")
    assert inside(prefix, f"echo x > {project}/.lake/config/lakefile.olean; echo y > /tmp/own; cat /tmp/own") == "y\n"
    assert (project / ".lake" / "config" / "lakefile.olean").read_text() == "x\n"
    assert sorted(each.name for each in project.iterdir()) == [".lake", "A.lean", "lakefile.toml"]


@real
def test_a_link_of_the_workspace_leads_to_no_place_that_may_be_changed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(project.parent))
    (project / ".lake" / "config").rmdir()
    (project.parent / "precious").mkdir()
    (project / ".lake" / "config").symlink_to(project.parent / "precious")
    inside(lean_prefix(project), f"echo x > {project}/.lake/config/canary; echo x > {project.parent}/precious/canary")
    assert list((project.parent / "precious").iterdir()) == []


@real
def test_there_is_no_network_no_other_process_and_no_more_rights(project: Path) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0.2)
        prefix = enclosed(Room(project, [project, Path(sys.prefix), Path(sys.base_prefix)]), environment(project))
        code = f"import socket; socket.create_connection(('127.0.0.1', {listening.getsockname()[1]}), 3)"
        done = subprocess.run([*prefix, sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
        assert "ConnectionRefusedError" in done.stderr or "unreachable" in done.stderr
        with pytest.raises(TimeoutError):
            listening.accept()
    assert inside(prefix, "echo $$; ls -d /proc/[0-9]* | wc -l").split() in (["2", "3"], ["2", "4"]), "and `ls`"
    status = inside(prefix, "cat /proc/self/status")
    assert "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status
    assert inside(prefix, "hostname || cat /proc/sys/kernel/hostname") == "tacit\n"


@real
def test_variables_are_the_few_that_are_needed(project: Path) -> None:
    given = environment(project, GITHUB_TOKEN="s3cret", LAKE_CACHE_KEY="s3cret", LEAN_PATH="/x", SSH_AUTH_SOCK="s3cret")
    prefix = enclosed(Room(project, [project]), given)
    seen = inside(prefix, "cat /proc/*/environ | tr '\\0' '\\n'")
    assert "s3cret" not in seen
    assert "LEAN_PATH=/x" in seen
    assert f"HOME={project.parent}" in seen


@real
@pytest.mark.parametrize("wide", ["home", "above", "/", "/tmp", "/etc"])
def test_what_is_far_more_than_a_project_is_not_given(project: Path, wide: str) -> None:
    folder = {"home": project.parent, "above": project.parent.parent}.get(wide, Path(wide))
    prefix = enclosed(Room(folder, [folder]), environment(project))
    assert inside(prefix, "pwd") == f"{folder}\n"
    assert "No such file" in inside(prefix, f"cat {project.parent}/secret")
    assert "No such file" in inside(prefix, "cat /etc/shadow")


@real
def test_names_that_mean_something_to_a_shell_or_to_bwrap_are_names(project: Path) -> None:
    for name in ("--bind", "a b", "$(touch ran)", "quo'te\"", "new\nline", "-- x"):
        folder = project / name
        folder.mkdir()
        (folder / "f").write_text(name, encoding="utf-8")
        prefix = enclosed(Room(folder, [folder]), environment(project))
        done = subprocess.run([*prefix, "/bin/cat", "f"], capture_output=True, text=True, check=False)
        assert done.stdout == name, done.stderr
    assert not list(project.rglob("ran"))


@real
def test_what_runs_in_there_ends_with_whoever_started_it(project: Path) -> None:
    prefix = enclosed(Room(project, [project]), environment(project))
    mark = "3141592.65"
    code = f"import subprocess, sys; subprocess.Popen(sys.argv[1:]).wait() # {project}"
    command = [sys.executable, "-c", code, *prefix, "/bin/sh", "-c", f"sleep {mark} & sleep {mark}"]
    with subprocess.Popen(command, start_new_session=True) as starter:
        until(lambda: len(sleeping(mark)) >= 2)
        starter.kill()
    until(lambda: not sleeping(mark))


def sleeping(mark: str) -> list[psutil.Process]:
    return [each for each in psutil.process_iter(["cmdline"]) if (each.info["cmdline"] or [])[-2:] == ["sleep", mark]]


def until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@real
@pytest.mark.model
async def test_a_model_answers_in_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    file = write_tiny(tmp_path / "tiny.gguf")
    client = ModelClient(Load(str(file), 512, 2, 16, 1), sandbox=True)
    try:
        loaded = await client.load()
    finally:
        await client.aclose()
    assert loaded.parameters > 0
    (tmp_path / "secret").touch()
    assert set(inside(enclosed(room(file)), f"ls {tmp_path}").split()) <= {"cache", "tiny.gguf"}


# ---------------------------------------------------------------- none


@pytest.fixture
def without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def bwrap(folder: Path, text: str) -> None:
    program = folder / "bin" / "bwrap"
    program.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    program.chmod(0o755)


@pytest.mark.usefixtures("without")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "bubblewrap (bwrap) is not installed"),
        (
            "echo 'bwrap: No permissions to create new namespace, likely because the kernel forbids it.' >&2; exit 1",
            "bubblewrap cannot make one on this machine (No permissions to create new namespace, likely because",
        ),
        ("kill -9 $$", "cannot make one on this machine (status -9)"),
    ],
)
async def test_where_there_is_none_nothing_is_started_and_one_sentence_says_so(
    tmp_path: Path, project: Path, text: str | None, said: str
) -> None:
    if text is not None:
        bwrap(tmp_path, text)
    with pytest.raises(LeanNotFound) as lean:
        lean_prefix(project)
    client = ModelClient(Load("/nowhere.gguf", 512, 2, 16, 1), ("/bin/touch", str(tmp_path / "ran")), sandbox=True)
    with pytest.raises(ModelUnavailable) as model:
        await client.load()
    for raised in (lean, model):
        assert said in raised.value.sentence
        assert raised.value.sentence.startswith("Nothing runs outside of the sandbox that was asked for, and ")
        assert "tacit.sandbox" in raised.value.hint
    assert not (tmp_path / "ran").exists()


@pytest.mark.usefixtures("without")
def test_on_other_systems_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(NoSandbox, match="there is one on Linux alone"):
        enclosed(Room(Path("/")))


@pytest.mark.usefixtures("without")
async def test_lean_is_started_with_it_and_spoken_of_without(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bwrap that notes what it was asked and runs the command."""
    bwrap(tmp_path, f'for each; do echo "$each" >> {tmp_path}/asked; done; exit 3')
    monkeypatch.setattr(sandbox, "_tried", lambda _: "")
    settings = lean_settings(Settings(sandbox="on"))
    install = LeanInstall(project / "lean", None, "4.27.0", "PATH")
    commands = server_commands(install, project / "A.lean", settings)
    lean = LiveElaborator(commands, (project / "A.lean").as_uri())
    with pytest.raises(LeanNotFound) as raised:
        await lean.start()
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert asked[asked.index("--") + 1 :] == [str(project / "lean"), "--server", "-Dserver.reportDelayMs=0"]
    assert {"--unshare-all", "--die-with-parent"} <= set(asked)
    assert "bwrap" not in str(raised.value)
    await lean.aclose()


@pytest.mark.parametrize(
    ("setting", "variable", "on"),
    [("off", "", False), ("on", "", True), ("off", "on", True), ("on", "off", True), ("off", "off", False)],
)
def test_the_settings_or_the_environment_want_one(setting: str, variable: str, on: bool) -> None:
    settings, complaints = read_settings({"sandbox": setting})
    assert complaints == ()
    assert wanted(lean_settings(settings).sandbox, {sandbox.VARIABLE: variable}) is on
    assert read_settings({"sandbox": "maybe"}, settings)[0] == settings


def test_the_model_has_the_choice_of_the_settings() -> None:
    model = local_model(Choice(Path("m.gguf"), "", preset="few-shot"), Settings(sandbox="on"))
    assert model is not None
    assert model.client._sandbox is True
    assert COMMAND[0] == sys.executable
