"""Finding packages: manifests, lakefiles, toolchains, and folders that are none of these."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tacit.index.packages import find_packages, package_at, toolchain_sources, workspace_of
from tacit.index.places import index_of
from tacit.index.source import Problem

TOML = """
name = "foo"
defaultTargets = ["Foo"]
[[lean_lib]]
name = "Foo"
[[lean_lib]]
name = "FooTest"
"""


def write(root: Path, *files: str, **contents: str) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("", encoding="utf-8")
    for name, content in contents.items():
        (root / {"toml": "lakefile.toml", "lean": "lakefile.lean", "manifest": "lake-manifest.json"}[name]).write_text(
            content, encoding="utf-8"
        )


def modules(root: Path) -> list[str]:
    return sorted(each.module for each in package_at(root).sources())


def test_the_default_libraries_of_a_lakefile_in_toml(tmp_path: Path) -> None:
    write(tmp_path, "Foo.lean", "Foo/A.lean", "Foo/B/C.lean", "FooTest/D.lean", "scripts/e.lean", toml=TOML)
    assert modules(tmp_path) == ["Foo", "Foo.A", "Foo.B.C"]
    assert package_at(tmp_path).name == "foo"


@pytest.mark.parametrize(
    "text",
    [
        'package foo where\n  srcDir := "src"\n\n@[default_target]\nlean_lib Foo\n\nlean_lib T where\n  globs := #[]\n',
        'package «foo» where\nlean_lib «Bar» where\n  srcDir := "src"\n  roots := #[`Foo]\n',
        "import Lake\npackage foo {\n srcDir := \"src\" -- where\n}\nlean_lib Foo {\n}\nlean_exe x {\n}",
    ],
)  # fmt: skip
def test_libraries_of_a_lakefile_in_lean(tmp_path: Path, text: str) -> None:
    write(tmp_path, "src/Foo.lean", "src/Foo/A.lean", "src/Other.lean", "Test.lean", lean=text)
    assert modules(tmp_path) == ["Foo", "Foo.A"]
    assert package_at(tmp_path).name == "foo"


def test_without_libraries_every_file_counts(tmp_path: Path) -> None:
    write(tmp_path, "A.lean", "B/C-d.lean", ".lake/packages/x/E.lean", "build/F.lean", "lakefile.lean")
    assert modules(tmp_path) == ["A", "B.«C-d»"]


def test_one_file_is_a_package_too(tmp_path: Path) -> None:
    write(tmp_path, "Foo.lean", "Foo/A.lean", "Bar.lean")
    assert modules(tmp_path / "Bar.lean") == ["Bar"]


def test_a_workspace_and_its_packages(tmp_path: Path) -> None:
    entries = [
        {"name": "foo", "type": "git", "rev": "abc", "subDir": None, "url": "u"},
        {"name": "«bar-baz»", "type": "git", "rev": "def", "subDir": "lib"},
        {"name": "near", "type": "path", "dir": "../near"},
        {"name": "gone", "type": "git", "rev": "0"},
        {"git": {"name": "old", "rev": "1"}},
    ]
    home, near = tmp_path / "home", tmp_path / "near"
    write(home, "Main.lean", "Other/A.lean", toml='name = "mine"\n[[lean_lib]]\nname = "Main"\n')
    (home / "lake-manifest.json").write_text(json.dumps({"packagesDir": "deps", "packages": entries}), encoding="utf-8")
    write(home / "deps" / "foo", "Foo/A.lean", "FooTest/D.lean", toml=TOML)
    write(home / "deps" / "bar-baz" / "lib", "Bar.lean")
    write(home / "deps" / "old", "Old.lean")
    write(near, "Near.lean")
    found = find_packages(home)
    assert {each.name: each.revision for each in found.packages} == {
        "mine": "", "foo": "abc", "«bar-baz»": "def", "near": "", "old": "1",
    }  # fmt: skip
    assert {each.name: sorted(source.module for source in each.sources()) for each in found.packages} == {
        "mine": ["Main", "Other.A"],
        "foo": ["Foo.A"],
        "«bar-baz»": ["Bar"],
        "near": ["Near"],
        "old": ["Old"],
    }
    assert [each.message for each in found.problems] == ["The package gone is not there: run `lake update`."]


@pytest.mark.parametrize(
    "lakefile",
    [
        {"toml": 'name = "mine"\n[[lean_lib]]\nname = "Mine"\nsrcDir = "src"\n'},
        {"lean": 'package mine where\n  srcDir := "src"\nlean_lib Mine\n'},
    ],
    ids=["toml", "lean"],
)
def test_the_modules_of_a_workspace_begin_in_its_source_folder(tmp_path: Path, lakefile: dict[str, str]) -> None:
    """Otherwise `import Mine.Basic` would name no file of the index, and nothing of it could be used anywhere."""
    write(tmp_path, "src/Mine.lean", "src/Mine/Basic.lean", "Mine/Basic.lean", "Try.lean", **lakefile)
    mine = find_packages(tmp_path).packages[0]
    assert {each.module: each.path for each in mine.sources()} == {
        "Mine": tmp_path / "src/Mine.lean",
        "Mine.Basic": tmp_path / "src/Mine/Basic.lean",  # not the one outside, which nothing can import
        "Try": tmp_path / "Try.lean",
    }
    for name in ("Mine.lean", "Mine/New.lean"):
        assert mine.module_of(tmp_path / "src" / name) == name.removesuffix(".lean").replace("/", ".")
    assert mine.module_of(tmp_path / "Try.lean") == "Try"


def test_packages_are_where_links_and_dots_lead(tmp_path: Path) -> None:
    """An editor's path is compared with these: `home/../near/Near.lean` would be another file than `near/Near.lean`."""
    home, near, far = tmp_path / "home", tmp_path / "near", tmp_path / "far"
    write(near, "Near.lean")
    write(far, "Far.lean", toml='name = "far"\n[[lean_lib]]\nname = "Far"\n')
    write(home, "Main.lean", toml="")
    (home / ".lake" / "packages").mkdir(parents=True)
    (home / ".lake" / "packages" / "far").symlink_to(far)
    (home / ".lake" / "packages" / "round").symlink_to("round")
    named = [{"name": "near", "type": "path", "dir": "../near"}]
    linked = [{"name": each, "type": "git", "rev": "abc"} for each in ("far", "round")]
    (home / "lake-manifest.json").write_text(json.dumps({"packages": named + linked}), encoding="utf-8")
    found = find_packages(home)
    assert [source.path for each in found.packages[1:] for source in each.sources()] == [
        near / "Near.lean",
        far / "Far.lean",
    ]
    assert found.packages[1].module_of(near / "New.lean") == "New"
    assert found.problems[-1].message == "The package round is not there: run `lake update`."


def test_packages_without_a_manifest(tmp_path: Path) -> None:
    write(tmp_path, "Main.lean", ".lake/packages/foo/Foo.lean", ".lake/packages/foo/lakefile.toml", toml="")
    assert [each.name for each in find_packages(tmp_path).packages][1:] == ["foo"]


@pytest.mark.parametrize(
    "text", ["{", "[1]", '{"packages": 3}', '{"packages": [3, {"name": 4, "git": 5}, {}]}', "\xff"]
)
def test_a_broken_manifest_hides_nothing_else(tmp_path: Path, text: str) -> None:
    write(tmp_path, "Main.lean", toml="")
    (tmp_path / "lake-manifest.json").write_bytes(text.encode("latin-1"))
    found = find_packages(tmp_path)
    assert [source.module for source in found.packages[0].sources()] == ["Main"]


@pytest.mark.parametrize("text", ["name = ", "[[lean_lib]]\nname = 3\n", 'lean_lib = [3]\nname = "x"'])
def test_a_broken_lakefile_hides_nothing(tmp_path: Path, text: str) -> None:
    write(tmp_path, "Main.lean", toml=text)
    assert modules(tmp_path) == ["Main"]


def test_the_workspace_around_a_file(tmp_path: Path) -> None:
    write(
        tmp_path, "Main.lean", "A/B.lean", ".lake/packages/foo/Foo/A.lean", ".lake/packages/foo/lakefile.toml", toml=""
    )
    assert workspace_of(tmp_path / "A" / "B.lean") == tmp_path
    assert workspace_of(tmp_path) == tmp_path
    assert workspace_of(tmp_path / ".lake" / "packages" / "foo" / "Foo" / "A.lean") == tmp_path
    assert workspace_of(tmp_path.parent / "elsewhere.lean") is None


def test_the_sources_of_a_toolchain(tmp_path: Path) -> None:
    prefix = tmp_path / "toolchains" / "leanprover--lean4---v4.27.0"
    write(
        prefix / "src" / "lean",
        "Init.lean",
        "Init/Core.lean",
        "Std/A.lean",
        "Lean/B.lean",
        "lake/Lake/C.lean",
        "x/D.lean",
    )
    core = toolchain_sources(prefix)
    assert core is not None
    assert (core.name, core.revision) == ("lean4", "v4.27.0")
    assert sorted(each.module for each in core.sources()) == ["Init", "Init.Core", "Lake.C", "Lean.B", "Std.A"]
    write(tmp_path, "Main.lean", toml="")
    assert [each.name for each in find_packages(tmp_path, prefix).packages][1:] == ["lean4"]
    assert "has no sources" in find_packages(tmp_path, tmp_path / "nothing").problems[0].message


def test_a_toolchain_that_was_not_installed_by_elan_says_its_version(tmp_path: Path) -> None:
    write(tmp_path, "src/lean/Init.lean", "src/lean/Init/Core.lean", "include/lean/version.h")
    assert revision(tmp_path) == "v0.0.0"
    defined = "#define LEAN_VERSION_{} {}\n"
    numbers = "".join(map(defined.format, ("MAJOR", "MINOR", "PATCH"), (4, 27, 1)))
    special = '#define LEAN_SPECIAL_VERSION_DESC "{}"\n'
    for word, said in (("", "v4.27.1"), ("rc1", "v4.27.1-rc1"), ("nightly-2026-01-31", "nightly-2026-01-31")):
        (tmp_path / "include" / "lean" / "version.h").write_text(numbers + special.format(word), encoding="utf-8")
        assert revision(tmp_path) == said


def revision(prefix: Path) -> str:
    core = toolchain_sources(prefix)
    assert core is not None
    return core.revision


@pytest.mark.parametrize("linked", [True, False], ids=["newer", "2021"])
def test_a_build_has_the_sources_of_the_checkout_around_it(tmp_path: Path, linked: bool) -> None:
    built = tmp_path / "build" / "release" / "stage1"
    write(tmp_path, "src/Init.lean", "src/Init/Core.lean")
    write(built, "include/lean/version.h", "lib/lean/Init/Core.ilean")
    if linked:
        (built / "src").mkdir()
        (built / "src" / "lean").symlink_to(tmp_path / "src", target_is_directory=True)
    core = toolchain_sources(built)
    assert core is not None
    # Named by its own path it is the same package, of one index; it is worked on, and so has no revision.
    assert core == toolchain_sources(tmp_path)
    assert (core.root, core.revision) == (tmp_path / "src", "")
    (source,) = (each for each in core.sources() if each.module == "Init.Core")
    assert source.ilean is not None


def test_links_in_a_circle_are_followed_once(tmp_path: Path) -> None:
    write(tmp_path, "A/B.lean")
    (tmp_path / "A" / "Loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "A" / "Self.lean").symlink_to(tmp_path / "A" / "Self.lean")
    (tmp_path / "Dangling").symlink_to(tmp_path / "nowhere")
    assert modules(tmp_path) == ["A.B"]


def test_names_that_are_not_utf8_are_left_out_and_said(tmp_path: Path) -> None:
    write(tmp_path, "A/B.lean", "A/Odd/C.lean")
    (tmp_path / "A" / os.fsdecode(b"\xff.lean")).touch()
    (tmp_path / "A" / "Odd").rename(tmp_path / "A" / os.fsdecode(b"Odd\xff"))
    problems: list[Problem] = []
    assert [each.module for each in package_at(tmp_path).sources(problems)] == ["A.B"]
    assert sorted(each.message.partition(" is ")[0] for each in problems) == ["The file's name", "The folder's name"]
    assert all(str(each).isascii() for each in problems)


def test_what_may_not_be_looked_at_hides_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside a folder without the right to search it, every stat fails; the tests may run as root, who has it."""
    write(tmp_path, "A/B.lean", "C.lean", "A/lakefile.toml")
    stat, listed = os.stat, os.scandir

    def denied(path: object, *rest: Any, **options: Any) -> os.stat_result:
        if isinstance(path, str | Path) and Path(path).parent == tmp_path / "A":
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, *rest, **options)  # type: ignore[arg-type]

    def closed(path: Any) -> Any:
        if Path(path) == tmp_path / "A":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "stat", denied)
    monkeypatch.setattr(os, "scandir", closed)
    problems: list[Problem] = []
    assert [each.module for each in package_at(tmp_path).sources(problems)] == ["C"]
    assert "cannot be listed: Permission denied" in problems[0].message
    assert workspace_of(tmp_path / "A") is None
    assert list(package_at(tmp_path / "A").sources([])) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list everything")
def test_a_folder_that_may_not_be_listed(tmp_path: Path) -> None:
    write(tmp_path, "A/B.lean", "C.lean")
    (tmp_path / "A").chmod(0)
    problems: list[Problem] = []
    assert [each.module for each in package_at(tmp_path).sources(problems)] == ["C"]
    (tmp_path / "A").chmod(0o700)
    assert "cannot be listed: Permission denied" in problems[0].message


NONSENSE: tuple[object, ...] = (
    {"packages": 3},
    {"packages": [1, None, [], "a"]},
    {"packagesDir": "a\0b", "packages": [{"name": "a", "type": "git"}]},
    {"packagesDir": ["a"], "packages": [{"name": "a", "type": "git", "subDir": {"b": 1}}]},
    {"packages": [{"name": name, "type": "path", "dir": name} for name in ("\ud800", "\udc80", "a\0b", "x" * 5000)]},
    {"packages": [{"name": "a", "type": "path", "dir": "a", "rev": "\ud800"}]},
    {"packages": [{"name": "a", "type": "path", "dir": "circle"}]},
)


@pytest.mark.parametrize("manifest", NONSENSE)
def test_a_manifest_that_makes_no_sense_costs_its_own_packages_only(tmp_path: Path, manifest: object) -> None:
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "A.lean").write_text("def a := 1\n", encoding="utf-8")
    (tmp_path / "lakefile.toml").write_text('name = "top"\n', encoding="utf-8")
    (tmp_path / "lake-manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    found = find_packages(tmp_path)
    assert [each.module for each in found.packages[0].sources()] == ["A"]
    for each in found.packages:
        index_of(each)


@pytest.mark.parametrize(
    "lakefile",
    [
        'name = 3\nlean_lib = 7\ndefaultTargets = "x"\n',
        'lean_lib = [1, {name = 2}, {name = "B", roots = 3, srcDir = ["a"]}]\n',
        'name = "a\\u0000b"\n[[lean_lib]]\nname = "x\\u0000"\nsrcDir = "\\u0000"\n',
        f"a = {'[' * 100_000}\n",
    ],
)
def test_a_lakefile_that_makes_no_sense_names_no_libraries(tmp_path: Path, lakefile: str) -> None:
    (tmp_path / "A.lean").write_text("def a := 1\n", encoding="utf-8")
    (tmp_path / "lakefile.toml").write_text(lakefile, encoding="utf-8")
    found = find_packages(tmp_path)
    assert [each.module for each in found.packages[0].sources()] == ["A"]
    index_of(found.packages[0])


@pytest.mark.parametrize("folder", ["/", "..", ".", "", "../../../../../../../.."])
def test_a_package_in_a_folder_around_the_workspace_is_left_out(tmp_path: Path, folder: str) -> None:
    (tmp_path / "lakefile.toml").write_text('name = "top"\n', encoding="utf-8")
    manifest = {"packages": [{"name": "all", "type": "path", "dir": folder}]}
    (tmp_path / "lake-manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    found = find_packages(tmp_path)
    assert [each.name for each in found.packages] == ["top"]
    assert "in a folder around the workspace" in found.problems[0].message
