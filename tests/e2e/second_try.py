"""One more try for a test that failed, with everything that it uses made anew. What needed one is listed in the end.

A browser, an editor and a Lean share two cores with whatever else the machine does, and now and then one of them is
slower than any person would wait for. A fault of Tacit's own that shows now and then would look the same: that is why
such a test is named in the summary, with its first error, and why only a few may need it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

MOST = 3
"""So many tests of a run get a second try. Where more fail, something is broken."""


class SecondTries:
    """A plugin of pytest's for the tests below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._given: list[tuple[str, str]] = []
        self._helped: set[str] = set()

    @pytest.hookimpl
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run a test; once more when it fails. Only the last try counts."""
        if not item.path.is_relative_to(self._folder):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        properties = list(item.user_properties)
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        failed = next((report for report in reports if report.failed), None)
        if failed is not None and len(self._given) < MOST:
            self._given.append((item.nodeid, _error(failed)))
            # The windows and servers of the module go too: the next try begins as if it were the only one.
            item.session._setupstate.teardown_exact(None)
            item.user_properties[:] = properties
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
            if not any(report.failed for report in reports):
                self._helped.add(item.nodeid)
        _log(item, reports)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which tests needed it."""
        if not self._given:
            return
        say = terminalreporter.write_line
        say(f"{len(self._given)} {'test' if len(self._given) == 1 else 'tests'} needed a second try:", yellow=True)
        for name, error in self._given:
            say(f"  {name}: {'passed then' if name in self._helped else 'failed again'}; before: {error}", yellow=True)


def _error(report: pytest.TestReport) -> str:
    """The line that says what went wrong."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message if crash is not None else report.longrepr)
    return text.strip().split("\n")[0][:200]


def _log(item: pytest.Item, reports: Sequence[pytest.TestReport]) -> None:
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
