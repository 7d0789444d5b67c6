"""What Tacit is made of: locked with hashes, under licences that go together, listed; and the question for faults."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from requirements import audit, licences
from requirements.licences import NotAllowed, bundled, is_allowed, licence_of, needed, read_lock

ROOT = Path(__file__).parents[2]
NPM = ("vscode-extension", "tests/e2e")


def npm(folder: str) -> dict[str, Any]:
    lock: dict[str, Any] = json.loads((ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))
    return lock


# ---------------------------------------------------------------- locks


@pytest.mark.parametrize("folder", NPM)
def test_every_package_of_npm_is_pinned_with_a_hash_and_from_the_registry(folder: str) -> None:
    lock = npm(folder)
    assert lock["lockfileVersion"] == 3
    packages = {path: each for path, each in lock["packages"].items() if path and not each.get("link")}
    assert len(packages) > 10
    unhashed = [path for path, each in packages.items() if not each.get("integrity", "").startswith("sha512-")]
    assert unhashed == []
    # Without an address npm takes the registry that it is set up for, and the hash decides.
    elsewhere = [
        path
        for path, each in packages.items()
        if not each.get("resolved", "https://registry.npmjs.org/").startswith("https://registry.npmjs.org/")
    ]
    assert elsewhere == []


@pytest.mark.parametrize("folder", NPM)
def test_what_package_json_asks_for_is_what_is_locked(folder: str) -> None:
    asked = json.loads((ROOT / folder / "package.json").read_text(encoding="utf-8"))
    root = npm(folder)["packages"][""]
    for kind in ("dependencies", "devDependencies", "optionalDependencies"):
        assert root.get(kind, {}) == asked.get(kind, {})


def test_only_scripts_that_were_looked_at_run_when_the_extension_is_built() -> None:
    """Of what the extension is built with, these run a script of their own when they are installed."""
    scripts = {
        path.removeprefix("node_modules/")
        for path, each in npm("vscode-extension")["packages"].items()
        if each.get("hasInstallScript")
    }
    assert scripts <= {"esbuild", "keytar", "@vscode/vsce-sign"}


def test_the_lock_of_the_tools_for_audits_is_made_as_the_others_are() -> None:
    make = (ROOT / "Makefile").read_text(encoding="utf-8")
    [names] = re.findall(r"^\t@for name in (.*); do", make, re.MULTILINE)
    assert {f"{name}.lock" for name in names.split()} == {each.name for each in (ROOT / "requirements").glob("*.lock")}
    assert set(audit.LOCKS) == set(names.split())


# ---------------------------------------------------------------- licences


def test_the_page_of_licences_is_up_to_date() -> None:
    text, written = licences.page(), licences.PAGE.read_text(encoding="utf-8")
    if sys.version_info[:2] != (3, 11):  # another version of a package may word its licence otherwise
        text, written = (re.sub(r"^(\|.*?\|.*?\|).*", r"\1", each, flags=re.MULTILINE) for each in (text, written))
    assert text == written, "`make licences` writes it"


def test_it_lists_everything_that_is_installed_for_a_user() -> None:
    text = licences.PAGE.read_text(encoding="utf-8")
    for lock in ("runtime", "encoder", "model"):
        for name in read_lock((ROOT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8")):
            assert f"\n| {name} | " in text


def test_it_lists_everything_that_esbuild_put_into_the_extension() -> None:
    notices = ROOT / "vscode-extension" / "out" / "THIRD_PARTY_NOTICES.txt"
    if not notices.exists():
        pytest.skip("the extension is not built")
    named = set(re.findall(r"^(\S+) (\d\S*) \(([^)]+)\)$", notices.read_text(encoding="utf-8"), re.MULTILINE))
    assert named
    assert named <= set(bundled(npm("vscode-extension")))


LOCK = """\
anyio==4.16.0 \\
    --hash=sha256:59bb
    # via httpx
httpx==1.0 ; python_full_version < '3.12' \\
    --hash=sha256:59bb
    # via
    #   -r requirements/x.in
    #   mcp
httpx==2.0 ; python_full_version >= '3.12' \\
    --hash=sha256:59bb
    # via mcp
mcp==2.3.0 \\
    --hash=sha256:59bb
    # via -r requirements/x.in
other==1 \\
    --hash=sha256:59bb
"""


def test_a_lock_is_read_with_who_asks_for_what() -> None:
    locked = read_lock(LOCK)
    assert {name: each.versions for name, each in locked.items()} == {
        "anyio": ("4.16.0",),
        "httpx": ("1.0", "2.0"),
        "mcp": ("2.3.0",),
        "other": ("1",),
    }
    assert locked["httpx"].asked_by == {"mcp"}
    assert {each.name for each in needed(locked, "mcp")} == {"anyio", "httpx", "mcp"}


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("GPL-3.0-only OR MIT", True),
        ("(MIT)", True),
        ("GPL-3.0-or-later", False),
        ("MIT AND LGPL-2.1-only", False),
        ("MIT AND (GPL-2.0-only OR AGPL-3.0-only)", False),
        ("SSPL-1.0", False),
        ("UNLICENSED", False),
        ("", False),
        ("MIT OR", False),
        ("(MIT", False),
        ("MIT License", False),
        ("see the file LICENSE", False),
    ],
)
def test_a_licence_is_allowed_or_not(expression: str, allowed: bool) -> None:
    assert is_allowed(expression) is allowed


def package(folder: Path, name: str, *lines: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    text = "\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *lines])
    (info / "METADATA").write_text(text + "\n")


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        (["License-Expression: MIT", "License: nonsense"], "MIT"),
        (["License: Apache 2.0"], "Apache-2.0"),
        (["Classifier: License :: OSI Approved :: MIT License"], "MIT"),
        (["License: GPL-3.0-only"], "GPL-3.0-only"),
    ],
)
def test_a_package_says_its_licence(
    lines: list[str], licence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "zorb", *lines)
    monkeypatch.syspath_prepend(tmp_path)
    assert licence_of("zorb") == licence


@pytest.mark.parametrize("lines", [[], ["License: Copyright 2020, see file"], ["License: UNKNOWN TERMS"]])
def test_a_package_without_a_licence_is_refused(
    lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "zorb", *lines)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(NotAllowed, match="zorb does not say its licence"):
        licence_of("zorb")


def test_a_package_that_is_added_to_a_lock_makes_the_page_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "requirements").mkdir()
    for file in (ROOT / "requirements").glob("*.lock"):
        text = file.read_text(encoding="utf-8")
        more = "zorb==1.0 \\\n    --hash=sha256:00\n" if file.name == "runtime.lock" else ""
        (tmp_path / "requirements" / file.name).write_text(text + more)
    monkeypatch.setattr(licences, "ROOT", tmp_path)
    assert licences.main(["--check"]) == 1
    assert "zorb is not installed here" in capsys.readouterr().err
    package(tmp_path, "zorb", "License-Expression: GPL-3.0-only")
    monkeypatch.syspath_prepend(tmp_path)
    assert licences.main(["--check"]) == 1
    assert "zorb is under GPL-3.0-only, which ALLOWED does not hold." in capsys.readouterr().err


def test_what_npm_bundles_is_found_as_node_finds_it() -> None:
    packages = {
        "": {},
        "node_modules/a": {"version": "1", "license": "MIT", "dependencies": {"b": "*", "c": "*"}},
        "node_modules/b": {"version": "1", "license": "ISC"},
        "node_modules/c": {"version": "1", "license": "MIT", "dependencies": {"b": "*"}},
        "node_modules/c/node_modules/b": {"version": "2", "license": "ISC", "dependencies": {"a": "*"}},
        "node_modules/tool": {"version": "1", "license": "GPL-3.0-only"},
    }
    assert bundled({"packages": packages}, ["a"]) == [
        ("a", "1", "MIT"),
        ("b", "1", "ISC"),
        ("b", "2", "ISC"),
        ("c", "1", "MIT"),
    ]
    with pytest.raises(NotAllowed, match="gone is not in"):
        bundled({"packages": packages}, ["gone"])


# ---------------------------------------------------------------- known faults

CLEAN_PIP = json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": []}]})
BAD_PIP = json.dumps(
    {
        "dependencies": [
            {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}, {"id": "CVE-2"}]},
            {"name": "b", "skip_reason": "Dependency not found on PyPI"},
        ]
    }
)
CLEAN_NPM = json.dumps({"vulnerabilities": {}, "metadata": {"dependencies": {"total": 9}}})
BAD_NPM = json.dumps(
    {"vulnerabilities": {"z": {"severity": "high", "range": "<2"}}, "metadata": {"dependencies": {"total": 9}}}
)
REFUSED_NPM = json.dumps({"message": "405 Method Not Allowed", "error": {}})


@pytest.fixture(autouse=True)
def npm_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("requirements.audit.shutil.which", lambda name: f"/bin/{name}")


def audited(pip: str, npm_said: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    def run(command: Sequence[str], folder: Path) -> str:
        assert folder.is_dir()
        return npm_said if "npm" in command[0] else pip

    status = audit.main([], run)
    return status, capsys.readouterr().out.splitlines()


def test_nothing_known_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    status, lines = audited(CLEAN_PIP, CLEAN_NPM, capsys)
    assert status == 0
    assert lines[0] == "requirements/runtime.lock: no known fault in 1 packages."
    assert lines[-1] == "tests/e2e/package-lock.json: no known fault in 9 packages."
    assert len(lines) == len(audit.LOCKS) + len(audit.FOLDERS)


@pytest.mark.parametrize(("pip", "npm_said"), [(BAD_PIP, CLEAN_NPM), (CLEAN_PIP, BAD_NPM)])
def test_a_known_fault_fails(pip: str, npm_said: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines = audited(pip, npm_said, capsys)
    assert status == 1
    if pip == BAD_PIP:
        assert lines[:3] == [
            "requirements/runtime.lock: 2 known faults in 1 packages (1 more are not known there).",
            "  a 1: PYSEC-1, mended in 2",
            "  a 1: CVE-2, mended in no version yet",
        ]
    else:
        assert lines[-1] == "  z <2: high"


@pytest.mark.parametrize("pip", ["", "Traceback", json.dumps({"dependencies": [{"name": "a", "skip_reason": "?"}]})])
def test_what_cannot_be_asked_is_said_and_no_failure(pip: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines = audited(pip, REFUSED_NPM, capsys)
    assert status == 0
    assert all(": not asked, because " in each for each in lines)


def test_tools_that_are_missing_are_said_and_no_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: Sequence[str], folder: Path) -> str:
        if "npm" in command[0]:
            raise subprocess.TimeoutExpired(list(command), 1.0)
        raise FileNotFoundError

    assert audit.main([], run) == 0
    out = capsys.readouterr().out
    assert "pip-audit could not be run (FileNotFoundError)" in out
    assert "npm could not be run (TimeoutExpired)" in out
    monkeypatch.setattr("requirements.audit.shutil.which", lambda name: None)
    assert audit.main([], run) == 0
    assert "there is no npm here" in capsys.readouterr().out


def test_the_metadata_of_tacit_itself_name_its_licence() -> None:
    assert metadata.metadata("lean-tacit").get_all("License-Expression") == ["Apache-2.0"]
