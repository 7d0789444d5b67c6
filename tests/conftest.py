"""What every test level shares: `--record`, and a line each at the end that says how Lean and llama.cpp took part.

A test marked `lean` tells where its answers came from by appending to `request.node.user_properties`:
`("lean", "live")` or `("lean", "replayed")`, and, where it is known, `("lean-version", "4.27.0")`.
A test marked `model` runs llama.cpp, and is skipped where llama-cpp-python is missing.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from importlib.util import find_spec

import pytest

LIVE, REPLAYED, SKIPPED, SILENT = "live", "replayed", "skipped", "silent"

_lean_tests = pytest.StashKey[frozenset[str]]()
_model_tests = pytest.StashKey[frozenset[str]]()


@pytest.fixture(autouse=True, scope="session")
def sources_of_lean_left_out() -> Iterator[None]:
    """What Lean this machine has must not change what a test indexes or finds, in processes that it starts neither."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TACIT_LEAN_SOURCES", "off")
        yield


@pytest.fixture(autouse=True, scope="session")
def no_log() -> Iterator[None]:
    """The tests of the log alone write one: others must not leave any in the cache of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TACIT_LOG", "off")
        yield


@pytest.fixture
def signals_kept() -> Iterator[None]:
    """For tests of commands that say how SIGTERM ends them: the test run must not end so."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record",
        action="store_true",
        default=False,
        help="run the tests marked `lean` on a real Lean and keep its answers, for machines that have none",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if find_spec("llama_cpp") is None:
        missing = pytest.mark.skip(reason="llama-cpp-python is not installed: `make model` says why")
        for item in items:
            if any(item.iter_markers("model")):
                item.add_marker(missing)


def pytest_collection_finish(session: pytest.Session) -> None:
    session.config.stash[_model_tests] = frozenset(
        item.nodeid for item in session.items if any(item.iter_markers("model"))
    )
    # Markers and not `report.keywords`: those hold folder names too, and one of the folders is called lean.
    session.config.stash[_lean_tests] = frozenset(
        item.nodeid for item in session.items if any(item.iter_markers("lean")) or any(item.iter_markers("live"))
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    reports = list(_reports(terminalreporter))
    for line in (
        lean_line(reports, config.stash.get(_lean_tests, frozenset())),
        model_line(reports, config.stash.get(_model_tests, frozenset())),
    ):
        if line:
            terminalreporter.write_line(line)


def _reports(terminalreporter: pytest.TerminalReporter) -> Iterator[pytest.TestReport]:
    for reports in terminalreporter.stats.values():
        yield from (report for report in reports if isinstance(report, pytest.TestReport))


def lean_line(reports: Iterable[pytest.TestReport], lean_tests: frozenset[str]) -> str:
    """The summary line, each Lean test counted once; empty when none of them ran or was skipped."""
    how: dict[str, str] = {}
    versions: dict[str, set[str]] = {LIVE: set(), REPLAYED: set()}
    for report in reports:
        if report.nodeid not in lean_tests:
            continue
        said = [value for name, value in report.user_properties if name == "lean"]
        kind = str(said[-1]) if said else SILENT
        if report.skipped and not hasattr(report, "wasxfail"):
            kind = SKIPPED
        # One test may have several reports (a failure, then an error while it is torn down).
        if how.get(report.nodeid, SILENT) == SILENT:
            how[report.nodeid] = kind
        if kind in versions:
            versions[kind] |= {str(value) for name, value in report.user_properties if name == "lean-version"}
    if not how:
        return ""
    counts = {kind: sum(1 for each in how.values() if each == kind) for kind in (LIVE, REPLAYED, SKIPPED, SILENT)}
    live, replayed = _joined(versions[LIVE]), _joined(versions[REPLAYED])
    parts = [
        f"{counts[LIVE]} live" + (f" (Lean {live})" if live else ""),
        f"{counts[REPLAYED]} replayed from recordings" + (f" of Lean {replayed}" if replayed else ""),
        f"{counts[SKIPPED]} skipped",
    ]
    if counts[SILENT]:
        parts.append(f"{counts[SILENT]} that asked Lean nothing")
    return "lean tests: " + ", ".join(parts)


def model_line(reports: Iterable[pytest.TestReport], model_tests: frozenset[str]) -> str:
    """The summary line, each test of the local model counted once; empty when none of them ran or was skipped."""
    skipped: dict[str, bool] = {}
    for report in reports:
        if report.nodeid in model_tests:
            # Its teardown has a report too, which says nothing of a skip.
            here = report.skipped and not hasattr(report, "wasxfail")
            skipped[report.nodeid] = here or skipped.get(report.nodeid, False)
    if not skipped:
        return ""
    left_out = sum(skipped.values())
    return f"model tests: {len(skipped) - left_out} live, {left_out} skipped"


def _joined(versions: set[str]) -> str:
    return " and ".join(sorted(versions))
