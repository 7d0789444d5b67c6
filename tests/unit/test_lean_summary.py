"""The lines at the end of a test run that say how many tests met a real Lean and a real llama.cpp."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CONFTEST = Path(__file__).parents[1] / "conftest.py"
FIXTURES = """
import pytest

@pytest.fixture
def lean(request):
    how, version = request.param
    if how == "none":
        pytest.skip("no Lean and no recording")
    request.node.user_properties.append(("lean", how))
    request.node.user_properties.append(("lean-version", version))

def on(*params):
    return pytest.mark.parametrize("lean", params, indirect=True)
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\nmarkers =\n  lean: .\n  live: .\n  model: .\n")
    pytester.makeconftest(CONFTEST.read_text(encoding="utf-8"))
    return pytester


def run(project: pytest.Pytester, body: str, *args: str) -> pytest.RunResult:
    project.makepyfile(FIXTURES + body)
    return project.runpytest_inprocess(
        *"-p no:cacheprovider -p no:asyncio -p no:anyio -p no:hypothesispytest".split(), *args
    )


def lean_lines(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if line.startswith("lean tests:")]


def test_live_replayed_and_skipped_are_counted_apart(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
@on(("live", "4.27.0"), ("live", "4.27.0"), ("replayed", "4.27.0"), ("none", ""))
@pytest.mark.lean
def test_it(lean): pass
""",
    )
    assert lean_lines(result) == [
        "lean tests: 2 live (Lean 4.27.0), 1 replayed from recordings of Lean 4.27.0, 1 skipped"
    ]
    assert "passed" in result.outlines[-1], "pytest's own closing line stays last"


def test_two_versions_are_both_named(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
@on(("replayed", "4.27.0"), ("replayed", "4.9.0"))
@pytest.mark.lean
def test_it(lean): pass
""",
    )
    assert lean_lines(result) == ["lean tests: 0 live, 2 replayed from recordings of Lean 4.27.0 and 4.9.0, 0 skipped"]


def test_a_failing_test_counts_once_even_when_its_teardown_fails_too(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
@pytest.fixture
def broken():
    yield
    raise RuntimeError

@on(("live", "4.27.0"))
@pytest.mark.lean
def test_it(broken, lean): assert False
""",
    )
    assert lean_lines(result) == ["lean tests: 1 live (Lean 4.27.0), 0 replayed from recordings, 0 skipped"]


def test_a_lean_test_that_asked_nothing_does_not_pass_for_a_live_one(project: pytest.Pytester) -> None:
    result = run(project, "\n@pytest.mark.lean\ndef test_it(): pass\n")
    assert lean_lines(result) == [
        "lean tests: 0 live, 0 replayed from recordings, 0 skipped, 1 that asked Lean nothing"
    ]


def test_tests_marked_live_are_lean_tests(project: pytest.Pytester) -> None:
    result = run(project, "\n@pytest.mark.live\ndef test_it(): pytest.skip('no Lean here')\n")
    assert lean_lines(result) == ["lean tests: 0 live, 0 replayed from recordings, 1 skipped"]


def test_no_line_where_no_test_needs_lean(project: pytest.Pytester) -> None:
    assert lean_lines(run(project, "\ndef test_it(): pass\n")) == []


@pytest.mark.parametrize(("found", "line"), [(True, "1 live, 1 skipped"), (False, "0 live, 2 skipped")])
def test_tests_of_the_model_ran_or_were_skipped(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, found: bool, line: str
) -> None:
    monkeypatch.syspath_prepend(str(project.path))
    if found:
        project.makepyfile(llama_cpp="")
    else:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = run(
        project,
        """
@pytest.mark.model
def test_it(): pass

@pytest.mark.model
def test_that(): pytest.skip("another reason")

def test_other(): pass
""",
    )
    assert [each for each in result.outlines if each.startswith("model tests:")] == [f"model tests: {line}"]


def test_record_is_off_unless_asked_for(project: pytest.Pytester) -> None:
    body = "\ndef test_it(request): assert request.config.getoption('--record')\n"
    run(project, body).assert_outcomes(failed=1)
    run(project, body, "--record").assert_outcomes(passed=1)
