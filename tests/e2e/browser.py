"""A page of a headless Chromium, driven through driver.mjs. Knows browsers and nothing of VS Code."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from pathlib import Path
from typing import Any

import psutil

from tests.e2e.programs import Programs

DRIVER = Path(__file__).parent / "driver.mjs"
PATIENCE = 60.0
"""Seconds that something may take to appear, unless a test says otherwise: only a test that fails waits for so long."""
GRACE = 60.0
"""Seconds over its own time limit after which a silent driver counts as dead."""


class BrowserError(Exception):
    """The page did not do what was asked of it in time; the message is Playwright's."""


class Browser:
    """One page. Elements are named by CSS selector and, where given, a text they contain; only visible ones count.

    `frame` is the title of the document in a frame of the page that they are looked for in.
    """

    def __init__(self, programs: Programs) -> None:
        self._driver = psutil.Popen(
            [programs.node, DRIVER, programs.playwright, programs.chromium],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        try:
            self._receive(PATIENCE)
        except BaseException:
            self.close()
            raise

    def goto(self, url: str, timeout: float = PATIENCE) -> None:
        self._ask("goto", timeout, url=url)

    def press(self, key: str) -> None:
        """Press a key such as `Control+S`."""
        self._ask("press", key=key)

    def type(self, text: str) -> None:
        """Type as a person does, key by key."""
        self._ask("type", text=text, delay=15)

    def click(
        self, selector: str, text: str | None = None, timeout: float = PATIENCE, frame: str | None = None
    ) -> None:
        self._ask("click", timeout, selector=selector, text=text, frame=frame)

    def hover(self, selector: str, text: str | None = None, timeout: float = PATIENCE) -> None:
        """Put the mouse on such an element."""
        self._ask("hover", timeout, selector=selector, text=text)

    def wait(self, selector: str, text: str | None = None, timeout: float = PATIENCE, frame: str | None = None) -> None:
        """Return when such an element is there."""
        self._ask("wait", timeout, selector=selector, text=text, frame=frame)

    def gone(self, selector: str, text: str | None = None, timeout: float = PATIENCE, frame: str | None = None) -> None:
        """Return when no such element is there."""
        self._ask("gone", timeout, selector=selector, text=text, frame=frame)

    def texts(self, selector: str, frame: str | None = None) -> list[str]:
        """The text of each such element that is there now."""
        texts: list[str] = self._ask("texts", selector=selector, frame=frame)
        return texts

    def evaluate(self, script: str, frame: str | None = None) -> Any:
        """What a JavaScript expression is worth in the page, or in a frame; of a promise, what it comes to."""
        return self._ask("evaluate", script=script, frame=frame)

    def settle(self) -> None:
        """Let what is on its way onto the screen arrive there."""
        self._ask("settle")

    def screenshot(self, path: Path, height: int | None = None) -> None:
        """Keep a picture of the page, or of so many pixels of it from its top."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._ask("screenshot", path=str(path), height=height)

    def processes(self) -> list[psutil.Process]:
        """The driver, and the browser with all that it started."""
        return [self._driver, *self._driver.children(recursive=True)]

    def close(self) -> None:
        assert self._driver.stdin is not None
        self._driver.stdin.close()
        try:
            self._driver.wait(10)
        except subprocess.TimeoutExpired:
            self._driver.kill()
            self._driver.wait()

    def _ask(self, action: str, timeout: float = PATIENCE, **parameters: Any) -> Any:
        assert self._driver.stdin is not None
        given = {name: value for name, value in parameters.items() if value is not None}
        json.dump({"action": action, "timeout": timeout * 1000, **given}, self._driver.stdin)
        self._driver.stdin.write("\n")
        self._driver.stdin.flush()
        return self._receive(timeout)

    def _receive(self, timeout: float) -> Any:
        try:
            line = self._answers.get(timeout=timeout + GRACE)
        except queue.Empty:
            raise BrowserError("the browser's driver does not answer") from None
        if not line:
            raise BrowserError("the browser's driver ended")
        answer = json.loads(line)
        if "error" in answer:
            raise BrowserError(answer["error"])
        return answer["value"]

    def _read(self) -> None:
        assert self._driver.stdout is not None
        for line in self._driver.stdout:
            self._answers.put(line)
        self._answers.put("")
        self._driver.stdout.close()
