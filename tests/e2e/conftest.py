"""Starts the real VS Code once for each set of settings, and keeps a picture and the log when a test fails.

TACIT_E2E_SCREENSHOTS names a folder for the pictures that tests take; without it none are taken.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.browser import Browser, BrowserError
from tests.e2e.code_server import CodeServer
from tests.e2e.editor import Editor
from tests.e2e.programs import CACHE, Programs, Unavailable, find_programs, install_extension

FAILURES = CACHE / "failures"


class Window:
    """An editor in a browser, and the server behind it."""

    def __init__(self, server: CodeServer, editor: Editor) -> None:
        self.server = server
        self.editor = editor

    def picture(self, name: str) -> None:
        """Take a picture, where TACIT_E2E_SCREENSHOTS asks for pictures."""
        if folder := os.environ.get("TACIT_E2E_SCREENSHOTS"):
            self.editor.browser.screenshot(Path(folder) / f"{name}.png")


OpenWindow = Callable[[Mapping[str, Any]], Window]


@pytest.fixture(scope="session")
def programs() -> Programs:
    try:
        return find_programs()
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def extensions(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("e2e") / "extensions"
    try:
        install_extension(folder)
    except Unavailable as reason:
        pytest.skip(str(reason))
    return folder


@pytest.fixture(scope="module")
def open_window(programs: Programs, extensions: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenWindow]:
    """Opens VS Code on an empty folder with some settings; all that were opened are closed after the module."""
    with ExitStack() as stack:

        def open_(settings: Mapping[str, Any]) -> Window:
            folder = tmp_path_factory.mktemp("window")
            project = folder / "project"
            project.mkdir()
            (project / "README.md").write_text("A folder for tests.\n", encoding="utf-8")
            server = CodeServer(programs, folder, extensions, settings)
            stack.callback(server.close)
            browser = Browser(programs)
            stack.callback(browser.close)
            return Window(server, Editor(browser, server.url, project))

        yield open_


@pytest.fixture(autouse=True)
def _keep_what_failed(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    report = request.node.stash.get(_report, None)
    window = request.node.funcargs.get("window")
    if report is not None and report.failed and isinstance(window, Window):
        with suppress(BrowserError):
            window.editor.browser.screenshot(FAILURES / f"{request.node.name}.png")
        (FAILURES / f"{request.node.name}.log").write_text(window.server.log(), encoding="utf-8")


_report = pytest.StashKey[pytest.TestReport]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if report.when == "call":
        item.stash[_report] = report
    return report  # type: ignore[return-value]
