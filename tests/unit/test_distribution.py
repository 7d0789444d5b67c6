"""What pyproject.toml and the lock files say of the distribution agrees with the folders and with each other."""

from __future__ import annotations

import importlib
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS: dict[str, str] = PROJECT["tool"]["setuptools"]["package-dir"]
LOCKS = ("runtime", "dev", "encoder", "model", "model-build", "model-run", "audit")


def requirements(file: str) -> list[str]:
    lines = (ROOT / "requirements" / file).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def test_every_package_is_listed() -> None:
    found = {
        ".".join([name, *file.parent.relative_to(ROOT / folder).parts])
        for name, folder in FOLDERS.items()
        for file in (ROOT / folder).rglob("__init__.py")
    }
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == sorted(found)


def test_every_folder_with_python_in_it_is_a_package() -> None:
    for folder in FOLDERS.values():
        without = {file.parent for file in (ROOT / folder).rglob("*.py")}
        assert {each for each in without if not (each / "__init__.py").exists()} == set()


def test_type_checkers_see_every_folder_under_its_import_name() -> None:
    for name, folder in FOLDERS.items():
        assert (ROOT / ".links" / Path(*name.split("."))).resolve() == ROOT / folder


@pytest.mark.parametrize("name", FOLDERS)
def test_a_second_copy_is_never_imported_from_the_repository_root(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = FOLDERS[name]
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.delitem(sys.modules, folder, raising=False)
    with pytest.raises(ImportError, match=f"^import this package as {re.escape(name)}$"):
        importlib.import_module(folder)


def test_the_requirements_are_those_of_the_project() -> None:
    assert requirements("runtime.in") == PROJECT["project"]["dependencies"]
    assert requirements("model.in") == PROJECT["project"]["optional-dependencies"]["model"]
    assert set(PROJECT["project"]["optional-dependencies"]["mcp"]) <= set(requirements("dev.in"))


@pytest.mark.parametrize("name", LOCKS)
def test_everything_in_a_lock_is_pinned_and_hashed(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-zA-Z0-9])", text, flags=re.MULTILINE)
    wrong = [
        each.splitlines()[0]
        for each in entries
        if each.strip() and not re.match(r"\S+==\S+.*\n    --hash=sha256:", each)
    ]
    assert wrong == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_place_to_install_from(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
    assert re.findall(r"://|--(?:extra-)?index-url|--find-links|--trusted-host| @ ", text) == []


def test_the_tests_run_on_the_versions_that_users_get() -> None:
    dev = pins("dev")
    assert {name: dev.get(name) for name in pins("runtime")} == pins("runtime")
