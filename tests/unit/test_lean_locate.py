"""Which Lean is taken, what it says of itself, and how its server is started. All executables here are scripts."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import psutil
import pytest

from tacit.server.errors import LeanNotFound
from tacit.server.lean.elaborator import LeanIdentity
from tacit.server.lean.locate import (
    QUIET,
    LeanInstall,
    LeanSettings,
    candidates,
    find_lean,
    read_version,
    server_commands,
    workspace_root,
)


def script(path: Path, body: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def saying(path: Path, version: str) -> Path:
    return script(path, f'test "$1" = --version && echo "Lean (version {version}, commit 0, Release)"')


def settings(path: Path | str | None = None, *, args: tuple[str, ...] = (), **environment: Path) -> LeanSettings:
    named = str(path) if path is not None else None
    return LeanSettings(named, args, None, {name: str(value) for name, value in environment.items()})


# ---------------------------------------------------------------------------------------------- where


async def test_the_order_is_settings_variable_path_elan(tmp_path: Path) -> None:
    leans = {name: saying(tmp_path / name / "lean", f"4.{n}.0") for n, name in enumerate(("set", "var", "path"))}
    home = tmp_path / "home"
    leans["elan"] = saying(home / ".elan" / "bin" / "lean", "4.3.0")
    var, path = leans["var"], leans["path"].parent
    expected = [
        (settings(leans["set"], TACIT_LEAN=var, PATH=path, HOME=home), "the settings", "4.0.0", "set"),
        (settings(TACIT_LEAN=var, PATH=path, HOME=home), "TACIT_LEAN", "4.1.0", "var"),
        (settings(PATH=path, HOME=home), "PATH", "4.2.0", "path"),
        (settings(HOME=home), "~/.elan/bin", "4.3.0", "elan"),
        (settings(PATH=tmp_path / "nothing", HOME=home), "~/.elan/bin", "4.3.0", "elan"),
    ]
    for given, origin, version, name in expected:
        assert await find_lean(given, tmp_path) == LeanInstall(leans[name], None, version, origin)


@pytest.mark.parametrize("where", ["settings", "variable"])
@pytest.mark.parametrize("wrong", ["nowhere", "folder", "not executable"])
async def test_a_wrong_place_that_was_named_is_an_error(tmp_path: Path, where: str, wrong: str) -> None:
    """Another Lean than the one asked for would check against another library."""
    named = tmp_path / "named"
    if wrong == "folder":
        named.mkdir()
    elif wrong == "not executable":
        named.write_text("#!/bin/sh\n", encoding="utf-8")
    path = saying(tmp_path / "bin" / "lean", "4.2.0").parent
    given = settings(named, PATH=path) if where == "settings" else settings(TACIT_LEAN=named, PATH=path)
    with pytest.raises(LeanNotFound) as raised:
        await find_lean(given, tmp_path)
    assert str(named) in str(raised.value)
    assert ("the settings" if where == "settings" else "TACIT_LEAN") in str(raised.value)
    assert raised.value.hint


async def test_a_named_lean_that_fails_is_an_error_too(tmp_path: Path) -> None:
    broken = script(tmp_path / "broken" / "lean", "echo 'no such toolchain' >&2; exit 1")
    saying(tmp_path / "bin" / "lean", "4.2.0")
    with pytest.raises(LeanNotFound, match="no such toolchain"):
        await find_lean(settings(broken, PATH=tmp_path / "bin"), tmp_path)


async def test_one_that_fails_gives_way_to_the_next_where_none_was_named(tmp_path: Path) -> None:
    script(tmp_path / "bin" / "lean", "exit 1")
    elan = saying(tmp_path / ".elan" / "bin" / "lean", "4.3.0")
    found = await find_lean(settings(PATH=tmp_path / "bin", HOME=tmp_path), tmp_path)
    assert (found.lean, found.origin) == (elan, "~/.elan/bin")


async def test_when_all_fail_every_reason_is_told(tmp_path: Path) -> None:
    script(tmp_path / "bin" / "lean", "echo 'first reason' >&2; exit 1")
    script(tmp_path / ".elan" / "bin" / "lean", "echo 'second reason' >&2; exit 3")
    with pytest.raises(LeanNotFound, match=r"(?s)first reason.*second reason"):
        await find_lean(settings(PATH=tmp_path / "bin", HOME=tmp_path), tmp_path)


async def test_where_there_is_none_the_hint_says_how_to_install(tmp_path: Path) -> None:
    with pytest.raises(LeanNotFound) as raised:
        await find_lean(settings(PATH=tmp_path, HOME=tmp_path), tmp_path)
    assert "elan" in raised.value.hint
    with pytest.raises(LeanNotFound):
        await find_lean(settings(), tmp_path)


@pytest.mark.parametrize("layout", ["lean", "bin/lean"])
async def test_a_toolchain_folder_may_be_named(tmp_path: Path, layout: str) -> None:
    lean = saying(tmp_path / "toolchain" / layout, "4.27.0")
    lake = script(lean.with_name("lake"))
    found = await find_lean(settings(tmp_path / "toolchain"), tmp_path)
    assert found == LeanInstall(lean, lake, "4.27.0", "the settings")


async def test_a_name_is_looked_up_on_the_path_and_a_tilde_in_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lean = saying(tmp_path / "lean-nightly", "4.1.0")
    assert candidates(settings("lean-nightly", PATH=tmp_path)) == [("the settings", lean)]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert candidates(settings("~/lean-nightly")) == [("the settings", lean)]


async def test_lake_is_that_of_the_same_toolchain_behind_a_link(tmp_path: Path) -> None:
    lean = saying(tmp_path / "toolchain" / "bin" / "lean", "4.27.0")
    lake = script(lean.with_name("lake"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "lean").symlink_to(lean)
    found = await find_lean(settings(PATH=tmp_path / "bin"), tmp_path)
    assert found.lake == lake
    assert found.lean == tmp_path / "bin" / "lean"


async def test_a_lake_that_cannot_run_is_none(tmp_path: Path) -> None:
    lean = saying(tmp_path / "lean", "4.27.0")
    (tmp_path / "lake").write_text("", encoding="utf-8")
    assert (await find_lean(settings(lean), tmp_path)).lake is None


# ---------------------------------------------------------------------------------------------- elan


def elan(home: Path, *toolchains: str) -> Path:
    """elan as it installs itself: its `lean`, which would fetch what a workspace names, notes that it was run."""
    folder = home / ".elan"
    program = script(folder / "bin" / "elan", f'touch {home}/elan-ran; echo "Lean (version 4.99.0, Release)"')
    os.link(program, folder / "bin" / "lean")
    for each in toolchains:
        saying(folder / "toolchains" / f"leanprover--lean4---v{each}" / "bin" / "lean", each)
    return folder / "bin" / "lean"


async def test_the_toolchain_that_a_workspace_names_is_run_without_elan(tmp_path: Path) -> None:
    elan(tmp_path, "4.26.0", "4.27.0")
    (tmp_path / "lean-toolchain").write_text("leanprover/lean4:v4.27.0\n", encoding="utf-8")
    found = await find_lean(settings(HOME=tmp_path), tmp_path)
    assert (found.version, found.origin) == ("4.27.0", "~/.elan/bin")
    assert found.lean == tmp_path / ".elan" / "toolchains" / "leanprover--lean4---v4.27.0" / "bin" / "lean"
    assert not (tmp_path / "elan-ran").exists()


@pytest.mark.parametrize(
    ("named", "said", "advised"),
    [
        ("leanprover/lean4:v4.28.0\n", "leanprover/lean4:v4.28.0", "elan toolchain install leanprover/lean4:v4.28.0"),
        ("stable", "stable", "elan toolchain install stable"),
        ("someone/else:v1", "someone/else:v1", "github.com/someone/else"),
        ("$(touch ran)\n", "no name of a toolchain", "lean-toolchain"),
        ("--help", "no name of a toolchain", "lean-toolchain"),
        ("..", "no name of a toolchain", "lean-toolchain"),
        ("x\x1b]0;title\x07", "no name of a toolchain", "lean-toolchain"),
        (None, "no toolchain", "elan default"),
    ],
)
async def test_a_toolchain_that_a_workspace_names_is_never_fetched(
    tmp_path: Path, named: str | None, said: str, advised: str
) -> None:
    """elan would fetch it from wherever the file says, and run it, before anybody was asked."""
    elan(tmp_path, "4.27.0")
    if named is not None:
        (tmp_path / "lean-toolchain").write_text(named, encoding="utf-8")
    with pytest.raises(LeanNotFound) as raised:
        await find_lean(settings(PATH=tmp_path / ".elan" / "bin"), tmp_path)
    assert not (tmp_path / "elan-ran").exists()
    assert said in str(raised.value)
    assert advised in str(raised.value)
    assert str(raised.value).isprintable()
    assert "touch" not in str(raised.value)


async def test_elan_that_is_named_in_the_settings_fetches_nothing_either(tmp_path: Path) -> None:
    lean = elan(tmp_path)
    (tmp_path / "lean-toolchain").write_text("v4.1.0", encoding="utf-8")
    with pytest.raises(LeanNotFound, match=r"v4\.1\.0"):
        await find_lean(settings(lean, HOME=tmp_path), tmp_path)
    assert not (tmp_path / "elan-ran").exists()


# ---------------------------------------------------------------------------------------------- other people's files


async def test_a_bare_name_is_no_file_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`lean` means the one on the PATH: the current folder, most often the workspace, may have a file of that name."""
    saying(tmp_path / "work" / "lean", "4.6.6")
    saying(tmp_path / "work" / "nightly" / "bin" / "lean", "4.6.6")
    right = saying(tmp_path / "bin" / "lean", "4.2.0")
    monkeypatch.chdir(tmp_path / "work")
    assert candidates(settings("lean", PATH=tmp_path / "bin")) == [("the settings", right)]
    with pytest.raises(LeanNotFound):
        candidates(settings("nightly", PATH=tmp_path / "bin"))
    assert candidates(settings(PATH=Path(f"{tmp_path / 'no'}::.:{tmp_path / 'bin'}"))) == [("PATH", right)]


@pytest.mark.parametrize("theirs", [True, False])
def test_a_lakefile_that_anybody_could_have_put_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: bool
) -> None:
    """In /tmp another user's lakefile would be run for every file below that belongs to no project."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "lakefile.lean").touch()
    tmp_path.chmod(0o1777)
    assert workspace_root(tmp_path / "mine" / "A.lean") == (tmp_path, True), "what one has put there oneself counts"
    monkeypatch.setattr(os, "geteuid", lambda: 12345 if theirs else (tmp_path / "lakefile.lean").lstat().st_uid)
    if theirs:
        monkeypatch.setattr("tacit.index.packages.ROOT", 54321)
    assert workspace_root(tmp_path / "mine" / "A.lean") == ((tmp_path / "mine", False) if theirs else (tmp_path, True))


def test_lean_is_not_started_where_anybody_can_put_a_lakefile(tmp_path: Path) -> None:
    """Lean itself runs the lakefile of the folder that it is started in, also one that comes later."""
    tmp_path.chmod(0o1777)
    (command,) = server_commands(install(tmp_path), tmp_path / "B.lean", settings())
    assert command.cwd == QUIET
    assert not QUIET.stat().st_mode & 0o022
    (tmp_path / "mine").mkdir()
    (command,) = server_commands(install(tmp_path), tmp_path / "mine" / "B.lean", settings())
    assert command.cwd == tmp_path / "mine"


# ---------------------------------------------------------------------------------------------- versions


@pytest.mark.parametrize(
    ("said", "version", "key"),
    [
        ("Lean (version 4.0.0, Release)", "4.0.0", (4, 0, 0)),
        ("Lean (version 4.0.0, commit 2a2cbe7f1d0b, Release)", "4.0.0", (4, 0, 0)),
        ("Lean (version 4.0.0-nightly-2021-11-25, commit 0, Release)", "4.0.0-nightly-2021-11-25", (4, 0, 0)),
        ("Lean (version 4.0.0-m2, commit 0, Release)", "4.0.0-m2", (4, 0, 0)),
        ("Lean (version 4.9.0-rc1, commit 0, Release)", "4.9.0-rc1", (4, 9, 0)),
        ("Lean (version 4.27.0, x86_64-unknown-linux-gnu, commit db93fe, Release)", "4.27.0", (4, 27, 0)),
        ("Lean (version 4.28.0-nightly-2026-01-02, arm64-apple-darwin)", "4.28.0-nightly-2026-01-02", (4, 28, 0)),
        ("Lean (version 4.33.0-rc1, x86_64-w64-windows-gnu, commit 0, Release)", "4.33.0-rc1", (4, 33, 0)),
        ("info: downloading\nLean (version 4.1.2, commit 0, Release)", "4.1.2", (4, 1, 2)),
    ],
)  # fmt: skip
async def test_versions(tmp_path: Path, said: str, version: str, key: tuple[int, ...]) -> None:
    lean = script(tmp_path / "lean", f"cat <<'END'\n{said}\nEND")
    found = await find_lean(settings(lean), tmp_path)
    assert found.version == version
    assert found.key == key
    assert LeanIdentity(found.version).key == key


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("exit 2", "exit code 2"),
        ("echo 'error: toolchain not installed' >&2; exit 1", "toolchain not installed"),
        ("echo hello", "hello"),
        ("echo 'Lean (version 4.0.0, Release)'; exit 1", "4.0.0"),
        ("printf '\\377\\376 broken' >&2; exit 1", "broken"),
        ("kill -9 $$", "exit code -9"),
    ],
)
async def test_a_lean_that_says_no_version_is_none(tmp_path: Path, body: str, reason: str) -> None:
    with pytest.raises(LeanNotFound) as raised:
        await read_version(script(tmp_path / "lean", body), tmp_path)
    assert reason in str(raised.value)
    assert raised.value.hint


async def test_what_cannot_be_started_is_none(tmp_path: Path) -> None:
    for lean in (tmp_path / "missing", tmp_path):
        with pytest.raises(LeanNotFound, match="cannot be started"):
            await read_version(lean, tmp_path)


async def test_the_version_is_asked_for_in_the_workspace(tmp_path: Path) -> None:
    """elan's `lean` chooses the toolchain by the folder it runs in."""
    lean = script(tmp_path / "lean", 'echo "Lean (version $(cat toolchain), Release)"')
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "toolchain").write_text("4.5.6", encoding="utf-8")
    assert await read_version(lean, tmp_path / "work") == "4.5.6"


def alive(file: Path) -> bool:
    try:
        return psutil.Process(int(file.read_text(encoding="utf-8"))).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def written(file: Path) -> bool:
    return file.exists() and file.read_text(encoding="utf-8").endswith("\n")


async def until_written(file: Path) -> None:
    while not written(file):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def gone(file: Path) -> None:
    """Waits until a process is no more; the kernel may take a moment."""
    while alive(file):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


HANGS = "sleep 1000 & echo $! > child; echo $$ > pid; wait"


async def test_one_that_never_answers_is_ended_with_all_it_started(tmp_path: Path) -> None:
    lean = script(tmp_path / "lean", HANGS)
    with pytest.raises(LeanNotFound, match="gave no answer"):
        await read_version(lean, tmp_path, timeout=1.0)
    await gone(tmp_path / "pid")
    await gone(tmp_path / "child")


async def test_nothing_is_left_when_the_question_is_cancelled(tmp_path: Path) -> None:
    lean = script(tmp_path / "lean", HANGS)
    task = asyncio.ensure_future(read_version(lean, tmp_path))
    await until_written(tmp_path / "pid")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone(tmp_path / "pid")
    await gone(tmp_path / "child")


def running_in(folder: Path) -> list[int]:
    return [p.pid for p in psutil.process_iter(["cwd"]) if p.info["cwd"] == str(folder)]


@pytest.mark.parametrize("turns", range(5))
async def test_nothing_is_left_when_the_question_is_cancelled_in_its_first_moments(tmp_path: Path, turns: int) -> None:
    lean = script(tmp_path / "lean", HANGS)
    task = asyncio.ensure_future(read_version(lean, tmp_path))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    while running_in(tmp_path):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_a_lean_that_reads_its_input_does_not_wait_for_it(tmp_path: Path) -> None:
    lean = script(tmp_path / "lean", 'cat; echo "Lean (version 4.0.0, Release)"')
    assert await read_version(lean, tmp_path) == "4.0.0"


# ---------------------------------------------------------------------------------------------- workspace and command


def install(tmp_path: Path, version: str = "4.27.0", *, lake: bool = True) -> LeanInstall:
    return LeanInstall(tmp_path / "lean", tmp_path / "lake" if lake else None, version, "PATH")


@pytest.mark.parametrize("lakefile", ["lakefile.toml", "lakefile.lean"])
def test_the_workspace_is_that_of_the_nearest_lakefile(tmp_path: Path, lakefile: str) -> None:
    inner = tmp_path / "outer" / "inner"
    (inner / "A" / "B").mkdir(parents=True)
    (inner / lakefile).touch()
    (tmp_path / "outer" / "lakefile.toml").touch()
    assert workspace_root(inner / "A" / "B" / "C.lean") == (inner, True)
    assert workspace_root(inner / "A") == (inner, True)
    assert workspace_root(inner / "C.lean") == (inner, True)
    assert workspace_root(tmp_path / "outer" / "C.lean") == (tmp_path / "outer", True)


def test_without_a_lakefile_the_folder_is_the_files(tmp_path: Path) -> None:
    assert workspace_root(tmp_path / "C.lean") == (tmp_path, False)
    assert workspace_root(tmp_path) == (tmp_path, False)
    (tmp_path / "lakefile.toml").mkdir()
    assert workspace_root(tmp_path / "C.lean") == (tmp_path, False)


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_a_name_that_no_folder_can_have_is_one_without_a_lakefile(tmp_path: Path, name: str) -> None:
    assert workspace_root(tmp_path / name / "C.lean") == (tmp_path / name, False)
    (command,) = server_commands(install(tmp_path), tmp_path / name / "C.lean", settings())
    assert command.cwd == tmp_path / name


def test_in_a_workspace_lake_serves_and_lean_stands_by(tmp_path: Path) -> None:
    (tmp_path / "lakefile.toml").touch()
    (tmp_path / "A").mkdir()
    lake, lean = server_commands(install(tmp_path), tmp_path / "A" / "B.lean", settings())
    assert lake.argv == (str(tmp_path / "lake"), "serve", "--", "-Dserver.reportDelayMs=0")
    assert lean.argv == (str(tmp_path / "lean"), "--server", "-Dserver.reportDelayMs=0")
    assert (lake.lake, lean.lake) == (True, False)
    assert lake.cwd == lean.cwd == tmp_path
    assert lake.version == lean.version == "4.27.0"


def test_elsewhere_or_without_lake_lean_serves(tmp_path: Path) -> None:
    (only,) = server_commands(install(tmp_path), tmp_path / "B.lean", settings())
    assert only.argv[:2] == (str(tmp_path / "lean"), "--server")
    (tmp_path / "lakefile.toml").touch()
    (only,) = server_commands(install(tmp_path, lake=False), tmp_path / "B.lean", settings())
    assert not only.lake


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("4.0.0", False),
        ("4.0.0-nightly-2021-11-25", False),
        ("4.8.0", False),
        ("4.8.12", False),
        ("4.9.0", True),
        ("4.9.0-rc1", True),
        ("4.10.0", True),
        ("4.27.0", True),
        ("5.0.0", True),
    ],
)
def test_the_report_delay_is_switched_off_where_the_option_exists(tmp_path: Path, version: str, expected: bool) -> None:
    (command,) = server_commands(install(tmp_path, version), tmp_path / "B.lean", settings())
    assert ("-Dserver.reportDelayMs=0" in command.argv) is expected


def test_the_users_arguments_come_first_and_win(tmp_path: Path) -> None:
    given = settings(args=("-DmaxHeartbeats=1", "-Dserver.reportDelayMs=50"))
    (command,) = server_commands(install(tmp_path), tmp_path / "B.lean", given)
    assert command.argv[2:] == ("-DmaxHeartbeats=1", "-Dserver.reportDelayMs=50")
    (tmp_path / "lakefile.lean").touch()
    lake, _ = server_commands(install(tmp_path, "4.0.0"), tmp_path / "B.lean", settings(args=("-x",)))
    assert lake.argv[1:] == ("serve", "--", "-x")
    lake, _ = server_commands(install(tmp_path, "4.0.0"), tmp_path / "B.lean", settings())
    assert lake.argv[1:] == ("serve",)


def test_the_environment_is_that_of_the_process_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TACIT_LEAN", "/nowhere/lean")
    assert LeanSettings().environment["TACIT_LEAN"] == "/nowhere/lean"
    assert LeanSettings().environment is not os.environ


@pytest.mark.parametrize(
    ("version", "key"), [("4.27.0", (4, 27, 0)), ("4.9.0-rc1", (4, 9, 0)), ("4.x", ()), ("", ()), ("nightly", ())]
)
def test_identities_compare_by_number(version: str, key: tuple[int, ...]) -> None:
    assert LeanIdentity(version).key == key
