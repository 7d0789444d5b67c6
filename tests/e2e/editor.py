"""What a person does in VS Code and sees there, in words of the tests. The only place that knows its page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.e2e.browser import PATIENCE, Browser, BrowserError
from tests.e2e.code_server import until

GHOST = ".monaco-editor .ghost-text-decoration, .monaco-editor .ghost-text"
LENS = ".codelens-decoration a"
STATUS_ITEM = "#lean-tacit\\.tacit\\.tacit\\.status"
QUICK_INPUT = ".quick-input-widget input:focus"
"""When it is merely there, keys may still go to where the focus was: into a page in the side bar."""
FOCUSED = ".editor-instance .monaco-editor.focused"
QUICK_FIX = ".action-widget .monaco-list-row.action"
NOTIFICATION = ".notifications-toasts .notification-list-item-message"


class Editor:
    """One VS Code window with one folder."""

    def __init__(self, browser: Browser, url: str, folder: Path) -> None:
        self.browser = browser
        self.folder = folder
        browser.goto(f"{url}/?folder={quote(str(folder))}")
        browser.wait(".monaco-workbench .explorer-folders-view .monaco-list-row", timeout=2 * PATIENCE)

    def open(self, name: str, text: str) -> None:
        """Write a file into the folder and open it."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        self.browser.press("Control+P")
        self.browser.wait(QUICK_INPUT)
        self.browser.type(str(path))
        self.browser.wait(".quick-input-list .monaco-list-row.focused", text=name)
        self.browser.press("Enter")
        self.browser.wait(".tab.active", text=name)
        self.browser.wait(f"{FOCUSED} .view-line")

    def settings(self, settings: Mapping[str, Any]) -> None:
        """Let the folder have these settings and no others. The user's own are read once, at the start."""
        path = self.folder / ".vscode" / "settings.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(settings), encoding="utf-8")

    def back(self) -> None:
        """Leave a panel of Tacit's for the editor, as its key does."""
        self.browser.press("Escape")
        self.focused()

    def focused(self) -> None:
        """Return when keys go to the editor: it may be shown while they still go to a page or a list."""
        self.browser.wait(FOCUSED)

    def put_cursor(self, line: int, column: int) -> None:
        """Put the cursor before the column-th character of a line, both counted from 1."""
        self.browser.press("Control+G")
        self.browser.wait(QUICK_INPUT)
        self.browser.type(f"{line}:{column}")
        self.browser.press("Enter")
        self.browser.gone(".quick-input-widget")
        self.focused()

    def type(self, text: str) -> None:
        self.browser.type(text)

    def press(self, key: str) -> None:
        self.browser.press(key)

    def ghost(self, timeout: float = PATIENCE) -> str:
        """The ghost text, when it has appeared."""

        def shown() -> str | None:
            return "".join(self.browser.texts(GHOST)) or None

        return until(shown, timeout, "no ghost text appears")

    def quick_fixes(self, containing: str, timeout: float = PATIENCE) -> list[str]:
        """Open the lightbulb's menu at the cursor, wait for an entry with such a text, and return all entries."""

        def listed() -> list[str] | None:
            self.browser.press("Control+.")
            try:
                self.browser.wait(QUICK_FIX, timeout=10)
            except BrowserError:
                return None
            entries = self.browser.texts(QUICK_FIX)
            if any(containing in entry for entry in entries):
                return entries
            self.browser.press("Escape")
            self.browser.gone(QUICK_FIX)
            return None

        return until(listed, timeout, f"no quick fix “{containing}” appears")

    def choose_quick_fix(self, containing: str) -> None:
        self.browser.click(QUICK_FIX, text=containing)
        self.browser.gone(QUICK_FIX)

    def run(self, command: str) -> None:
        """Run a command of the palette by its title."""
        self.browser.press("F1")
        self.browser.wait(QUICK_INPUT)
        self.browser.type(command)
        self.browser.wait(".quick-input-list .monaco-list-row.focused", text=command)
        self.browser.press("Enter")

    def symbols(self, query: str) -> None:
        """List the symbols of the workspace with such a name."""
        self.browser.press("Control+T")
        self.browser.wait(QUICK_INPUT)
        self.browser.type(query)

    def notification(self, containing: str, timeout: float = PATIENCE) -> None:
        """Return when a notification with such a text is there."""
        self.browser.wait(NOTIFICATION, text=containing, timeout=timeout)

    def notifications(self) -> list[str]:
        """The notifications that are there now."""
        return self.browser.texts(NOTIFICATION)

    def press_button(self, label: str, of: str) -> None:
        """Press a button of the notification with a text."""
        self.browser.click(f".notifications-toasts .notification-list-item:has-text({of!r}) .monaco-button", text=label)

    def saved(self, name: str, containing: str, timeout: float = PATIENCE) -> str:
        """Save until the file on disk contains a text; the whole file."""

        def holds() -> str | None:
            self.browser.press("Control+S")
            text = (self.folder / name).read_text(encoding="utf-8")
            return text if containing in text else None

        return until(holds, timeout, f"“{containing}” does not get into {name}")
