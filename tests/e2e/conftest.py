"""Starts the real VS Code once for each set of settings, and keeps a picture and the log when a test fails.

TACIT_E2E_SCREENSHOTS names a folder for the pictures that tests take; without it none are taken.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import pytest

from tests.e2e.browser import Browser, BrowserError
from tests.e2e.code_server import CodeServer
from tests.e2e.editor import Editor
from tests.e2e.lean import RECORDINGS, Lean, NoLean, find
from tests.e2e.programs import CACHE, Programs, Unavailable, find_programs, install_extension
from tests.e2e.second_try import SecondTries

FAILURES = CACHE / "failures"
THEMES = {"": ("Dark Modern", "vs-dark"), "-light": ("Light Modern", "vs")}
"""What pictures are taken in: the end of the file's name, the theme, and how the page tells that it is there."""


class Window:
    """An editor in a browser, and the server behind it."""

    def __init__(self, server: CodeServer, editor: Editor) -> None:
        self.server = server
        self.editor = editor

    def picture(self, name: str, height: int | None = None) -> None:
        """Take a picture in the dark and one in the light, where TACIT_E2E_SCREENSHOTS asks for pictures.

        `height`: so many pixels from the top are enough.
        """
        if folder := os.environ.get("TACIT_E2E_SCREENSHOTS"):
            for suffix, (theme, mark) in THEMES.items():
                self.editor.settings({"workbench.colorTheme": theme})
                self.editor.browser.wait(f".monaco-workbench.{mark}")
                self.editor.browser.settle()
                self.editor.browser.screenshot(Path(folder) / f"{name}{suffix}.png", height)
            self.editor.settings({})


class OpenWindow(Protocol):
    """Opens VS Code with some settings, on a folder with some files."""

    def __call__(self, settings: Mapping[str, Any], files: Mapping[str, str] = ...) -> Window:
        """The window, when it is there."""
        ...


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
    """Opens VS Code on a folder of its own; all that were opened are closed after the module."""
    with ExitStack() as stack:

        def open_(settings: Mapping[str, Any], files: Mapping[str, str] = MappingProxyType({})) -> Window:
            folder = tmp_path_factory.mktemp("window")
            project = folder / "project"
            project.mkdir()
            for name, text in {"README.md": "A folder for tests.\n", **files}.items():
                (project / name).parent.mkdir(parents=True, exist_ok=True)
                (project / name).write_text(text, encoding="utf-8")
            server = CodeServer(programs, folder, extensions, settings)
            stack.callback(server.close)
            browser = Browser(programs)
            stack.callback(browser.close)
            return Window(server, Editor(browser, server.url, project))

        yield open_


@pytest.fixture(scope="module")
def recordings(request: pytest.FixtureRequest) -> Path:
    """What Lean answered to a module's tests."""
    return RECORDINGS / f"{request.path.stem}.jsonl"


@pytest.fixture(scope="module")
def lean(request: pytest.FixtureRequest, recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Lean:
    recording = bool(request.config.getoption("--record"))
    try:
        return find(tmp_path_factory.mktemp("lean"), recordings, recording=recording)
    except NoLean as exc:
        if recording:
            pytest.fail(str(exc))
        pytest.skip(str(exc))


@pytest.fixture(scope="module")
def sidecar(lean: Lean, recordings: Path) -> Mapping[str, Any]:
    """The settings with which the real sidecar runs."""
    return lean.settings(recordings)


@pytest.fixture
def who_answers(request: pytest.FixtureRequest, lean: Lean) -> None:
    """Let the last lines of the run say how Lean took part."""
    request.node.user_properties.append(("lean", "replayed" if lean.install is None else "live"))
    request.node.user_properties.append(("lean-version", lean.version))


@pytest.fixture(autouse=True)
def _keep_what_failed(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    report = request.node.stash.get(_report, None)
    window = (request.node.funcargs or {}).get("window")  # none of it is left when the run is interrupted
    if report is not None and report.failed and isinstance(window, Window):
        with suppress(BrowserError):
            window.editor.browser.screenshot(FAILURES / f"{request.node.name}.png")
        (FAILURES / f"{request.node.name}.log").write_text(window.server.log(), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Give tests in the editor a second try."""
    if not config.pluginmanager.has_plugin("second-tries"):
        config.pluginmanager.register(SecondTries(Path(__file__).parent), "second-tries")


_report = pytest.StashKey[pytest.TestReport]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if report.when == "call":
        item.stash[_report] = report
    return report  # type: ignore[return-value]
