"""Tests in the editor get a second try, with everything made anew, and the run says which needed it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CONFTEST = """
from pathlib import Path

from tests.e2e.second_try import SecondTries


def pytest_configure(config):
    config.pluginmanager.register(SecondTries(Path(__file__).parent / "here"), "second-tries")
"""
TESTS = """
import pytest

tries = []


@pytest.fixture(scope="module")
def window():
    tries.append("opened")
    yield len(tries)
    tries.append("closed")


def test_slow_once(window):
    tries.append("tried")
    assert tries.count("tried") == 2, "too slow"


def test_the_window_is_another(window):
    assert tries[:5] == ["opened", "tried", "closed", "opened", "tried"]
"""


def run(folder: Path, tests: str) -> tuple[int, str]:
    """The status and the output of a run of some tests that may be tried twice."""
    (folder / "here").mkdir()
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "here" / "test_some.py").write_text(tests, encoding="utf-8")
    (folder / "test_elsewhere.py").write_text("def test_elsewhere():\n    pass\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder, folder],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_test_that_passes_then_is_named_and_counts_once(tmp_path: Path) -> None:
    status, said = run(tmp_path, TESTS)
    assert status == 0, said
    assert "3 passed" in said
    assert "1 test needed a second try:" in said
    assert "here/test_some.py::test_slow_once: passed then; before: AssertionError: too slow" in said


def test_a_test_that_fails_again_has_failed(tmp_path: Path) -> None:
    status, said = run(tmp_path, "def test_broken():\n    assert False, 'broken'\n")
    assert status == 1, said
    assert "1 failed, 1 passed" in said
    assert "test_broken: failed again; before: AssertionError: broken" in said


def test_only_a_few_get_one(tmp_path: Path) -> None:
    tests = "import pytest\n\n@pytest.mark.parametrize('n', range(9))\ndef test_broken(n):\n    assert False\n"
    status, said = run(tmp_path, tests)
    assert status == 1, said
    assert "9 failed, 1 passed" in said
    assert "3 tests needed a second try:" in said
