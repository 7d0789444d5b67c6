"""Finding the toolchain whose Lean works on a workspace: elan's, one that another way installed, one that was built."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tacit.index import toolchain
from tacit.index.places import index_of, packages_behind
from tacit.index.toolchain import elan_toolchain, prefix_of, toolchain_of
from tests.unit.corpus import write

V27 = "leanprover--lean4---v4.27.0"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a Lean."""
    for name in ("TACIT_LEAN_SOURCES", "TACIT_LEAN", "ELAN_HOME", "ELAN_TOOLCHAIN", "MATHLIB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "work"
    write(root, {"Main.lean": "", "lakefile.toml": 'name = "work"\n'})
    return root


def lean(prefix: Path, *, sources: str | None = "src/lean", says: str = "exit 1") -> Path:
    """A toolchain, its sources in a folder of it; its `lean` runs `says` and notes that it ran."""
    if sources is not None:
        write(prefix / sources, {"Init.lean": "", "Init/Core.lean": ""})
    script(prefix / "bin" / "lean", f'echo "$@" >> {prefix}/ran; {says}')
    return prefix


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def on_path(tmp_path: Path, target: Path) -> Path:
    link = tmp_path / "bin" / "lean"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(target)
    return link


def elan(tmp_path: Path, *toolchains: str) -> Path:
    """elan as it installs itself, which is never to be run; the folder of its toolchains."""
    home = tmp_path / "home" / ".elan"
    script(home / "bin" / "elan", f"touch {tmp_path}/elan-ran")
    os.link(home / "bin" / "elan", home / "bin" / "lean")
    for each in toolchains:
        lean(home / "toolchains" / each)
    return home / "toolchains"


def test_links_lead_to_the_sources_and_nothing_is_run(tmp_path: Path, workspace: Path) -> None:
    prefix = lean(tmp_path / "store" / "lean-4.27")
    on_path(tmp_path, prefix / "bin" / "lean")
    assert toolchain_of(workspace) == prefix
    assert not (prefix / "ran").exists()


def test_a_build_in_a_checkout_is_found(tmp_path: Path, workspace: Path) -> None:
    built = lean(tmp_path / "lean4" / "build" / "release" / "stage1", sources="../../../src")
    on_path(tmp_path, built / "bin" / "lean")
    assert toolchain_of(workspace) == built
    assert [each.root for each in packages_behind(workspace)[0]] == [workspace, tmp_path / "lean4" / "src"]


def test_a_script_around_lean_is_asked_once_and_again_when_it_changes(tmp_path: Path, workspace: Path) -> None:
    first, second = lean(tmp_path / "one"), lean(tmp_path / "two")
    wrapper = script(tmp_path / "bin" / "lean", f'echo "$@" >> {tmp_path}/asked; echo {first}')
    assert [toolchain_of(workspace), toolchain_of(workspace)] == [first, first]
    assert (tmp_path / "asked").read_text().split() == ["--print-prefix"]
    script(wrapper, f"echo {second} # another")
    assert toolchain_of(workspace) == second


@pytest.mark.parametrize("says", ["exit 1", "echo", "echo relative", "echo /nowhere/at/all", "printf '\\377'"])
def test_a_lean_that_says_no_prefix_has_none(tmp_path: Path, workspace: Path, says: str) -> None:
    script(tmp_path / "bin" / "lean", says)
    assert toolchain_of(workspace) is None
    assert len(packages_behind(workspace)[0]) == 1


def test_a_lean_that_never_answers_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "ASK_SECONDS", 0.5)
    hanging = script(tmp_path / "bin" / "lean", f"echo $$ > {tmp_path}/pid; PATH=/usr/bin:/bin; sleep 600")
    assert prefix_of(hanging) is None
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 20
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _alive(pid)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_is_named_comes_before_what_is_found(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [lean(tmp_path / name) for name in ("settings", "variable", "path")]
    settings, variable, path = places
    on_path(tmp_path, path / "bin" / "lean")
    assert toolchain_of(workspace) == path
    monkeypatch.setenv("TACIT_LEAN", str(variable / "bin" / "lean"))
    assert toolchain_of(workspace) == variable
    assert toolchain_of(workspace, str(settings)) == settings
    assert toolchain_of(workspace, "/nowhere/lean") is None, "then no Lean is started either"
    first, second = (index_of(packages_behind(workspace, str(each))[0][1]) for each in (settings, path))
    assert first != second, "two toolchains have two indexes"


def test_sources_may_be_named_or_left_out(tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = lean(tmp_path / "bare", sources=None, says=f"echo {tmp_path}/bare")
    on_path(tmp_path, bare / "bin" / "lean")
    packages, problems = packages_behind(workspace)
    assert [each.name for each in packages] == ["work"]
    assert "TACIT_LEAN_SOURCES" in problems[0].message
    lean(tmp_path / "elsewhere")
    monkeypatch.setenv("TACIT_LEAN_SOURCES", str(tmp_path / "elsewhere" / "src" / "lean"))
    packages, problems = packages_behind(workspace)
    assert ([each.name for each in packages], problems) == (["work", "lean4"], [])
    monkeypatch.setenv("TACIT_LEAN_SOURCES", "OFF")
    packages, problems = packages_behind(workspace)
    assert ([each.name for each in packages], problems) == (["work"], [])


def test_a_folder_without_lake_can_import_core_lean_too(tmp_path: Path) -> None:
    prefix = lean(tmp_path / "toolchain")
    on_path(tmp_path, prefix / "bin" / "lean")
    write(tmp_path / "plain", {"A.lean": ""})
    assert [each.name for each in packages_behind(tmp_path / "plain")[0]] == ["plain", "lean4"]
    assert [each.name for each in packages_behind(tmp_path / "plain" / "A.lean")[0]] == ["A"]
    assert [each.name for each in packages_behind(prefix)[0]] == ["lean4"]


def test_who_works_on_lean_itself_has_its_sources_once(tmp_path: Path) -> None:
    built = lean(tmp_path / "lean4" / "build" / "release" / "stage1", sources="../../../src")
    on_path(tmp_path, built / "bin" / "lean")
    write(tmp_path / "lean4" / "src", {"lakefile.toml": 'name = "lean4-sources"\n'})
    assert [each.name for each in packages_behind(tmp_path / "lean4" / "src")[0]] == ["lean4-sources"]


# elan.


def test_elan_is_not_run_and_the_workspace_names_the_toolchain(tmp_path: Path, workspace: Path) -> None:
    toolchains = elan(tmp_path, V27, "leanprover--lean4---v4.28.0")
    other = lean(tmp_path / "other")
    on_path(tmp_path, toolchains.parent / "bin" / "lean")
    write(workspace, {"lean-toolchain": "leanprover/lean4:v4.27.0\n"})
    assert toolchain_of(workspace) == toolchains / V27
    assert packages_behind(workspace)[0][1].revision == "v4.27.0"
    assert toolchain_of(workspace, str(other)) == other, "as the settings name another Lean"
    write(workspace, {"lean-toolchain": "leanprover/lean4:v4.99.0\n"})
    assert toolchain_of(workspace) is None
    assert not (tmp_path / "elan-ran").exists()


def test_a_link_to_elan_under_the_name_of_lean_is_elan(tmp_path: Path, workspace: Path) -> None:
    write(workspace, {"lean-toolchain": "v4.27.0"})
    lean(tmp_path / "home" / ".elan" / "toolchains" / V27)
    script(tmp_path / "opt" / "elan-init", f"touch {tmp_path}/elan-ran")
    on_path(tmp_path, tmp_path / "opt" / "elan-init")
    toolchain = toolchain_of(workspace)
    assert toolchain is not None
    assert toolchain.name == V27
    assert not (tmp_path / "elan-ran").exists()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("leanprover/lean4:v4.27.0", V27),
        ("leanprover/lean4:4.27.0", V27),
        ("4.27.0", V27),
        ("v4.27.0\nanything", V27),
        ("my-lean", "my-lean"),
        ("someone/lean4:v4.27.0", None),
        ("stable", "leanprover--lean4---v4.28.0"),
        ("leanprover/lean4:beta", "leanprover--lean4---v4.29.0-rc2"),
        ("nightly", "leanprover--lean4-nightly---nightly-2026-01-31"),
        ("leanprover/lean4:nightly-2026-01-30", "leanprover--lean4-nightly---nightly-2026-01-30"),
        ("../..", None),
        ("", None),
    ],
)
def test_names_of_toolchains(tmp_path: Path, workspace: Path, name: str, found: str | None) -> None:
    releases = ("v4.9.0", "v4.27.0", "v4.28.0-rc1", "v4.28.0", "v4.29.0-rc1", "v4.29.0-rc2")
    nightlies = ("nightly-2026-01-30", "nightly-2026-01-31")
    names = [f"leanprover--lean4---{each}" for each in releases]
    names += [f"leanprover--lean4-nightly---{each}" for each in nightlies]
    for each in (*names, "my-lean"):
        (tmp_path / "toolchains" / each).mkdir(parents=True)
    (workspace / "lean-toolchain").write_text(name, encoding="utf-8")
    prefix = elan_toolchain(workspace, tmp_path)
    assert (prefix.name if prefix is not None else None) == found


def test_elan_chooses_by_variable_override_file_above_and_default(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("a", "b", "c", "d"):
        (tmp_path / "elan" / "toolchains" / each).mkdir(parents=True)

    def chosen() -> str:
        prefix = elan_toolchain(workspace, tmp_path / "elan")
        return prefix.name if prefix is not None else ""

    assert chosen() == ""
    settings = tmp_path / "elan" / "settings.toml"
    settings.write_text('default_toolchain = "d"\n', encoding="utf-8")
    assert chosen() == "d"
    (tmp_path / "lean-toolchain").write_text("c", encoding="utf-8")
    assert chosen() == "c"
    settings.write_text(f'default_toolchain = "d"\n[overrides]\n"{workspace}" = "b"\n', encoding="utf-8")
    assert chosen() == "b"
    monkeypatch.setenv("ELAN_TOOLCHAIN", "a")
    assert chosen() == "a"
    settings.write_text("not TOML", encoding="utf-8")
    assert chosen() == "a"
