"""Runs a code-server that has everything of its own: settings, extensions, port. Knows nothing of browsers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil

from tests.e2e.programs import Programs

T = TypeVar("T")

START_LIMIT = 120.0
_LISTENING = re.compile(r"HTTP server listening on (http://127\.0\.0\.1:\d+)")

QUIET: Mapping[str, Any] = {
    "security.workspace.trust.enabled": False,
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "window.autoDetectColorScheme": False,
    "workbench.enableExperiments": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "extensions.ignoreRecommendations": True,
    "extensions.autoCheckUpdates": False,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "chat.disableAIFeatures": True,
    "git.enabled": False,
    "files.hotExit": "off",
    "editor.accessibilitySupport": "off",
}
"""Settings that keep everything off the screen that is not tested."""


class CodeServer:
    """A running code-server. `folder` takes its files; `extensions` is where the extension was unpacked.

    `trusting`: nobody is asked whether a folder is to be trusted, and each is.
    """

    def __init__(
        self,
        programs: Programs,
        folder: Path,
        extensions: Path,
        settings: Mapping[str, Any],
        *,
        trusting: bool = True,
    ) -> None:
        self._folder = folder
        # Of settings that belong to a machine, such as the path of a program, a window on a server reads those of the
        # server. From the user's it takes them only when it happens to read them before it knows what they are.
        machine = {name: value for name, value in settings.items() if name.startswith("tacit.")}
        for whose, these in (("User", {**QUIET, **settings}), ("Machine", machine)):
            file = folder / "user-data" / whose / "settings.json"
            file.parent.mkdir(parents=True)
            file.write_text(json.dumps(these, indent=2), encoding="utf-8")
        config = folder / "config.yaml"
        config.write_text("auth: none\n", encoding="utf-8")
        command: list[str | Path] = [
            programs.node, programs.code_server,
            "--config", config,
            "--bind-addr", "127.0.0.1:0",
            "--auth", "none",
            "--user-data-dir", folder / "user-data",
            "--extensions-dir", extensions,
            "--disable-telemetry",
            "--disable-update-check",
            "--reconnection-grace-time", "5",
            *(["--disable-workspace-trust"] if trusting else []),
        ]  # fmt: skip
        homes = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("CONFIG", "DATA", "CACHE", "STATE")}
        with (folder / "code-server.log").open("w", encoding="utf-8") as log:
            self._process = psutil.Popen(
                command,
                env={**os.environ, **homes},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self.url = self._wait_for_url()
        except BaseException:
            self.close()
            raise

    def sidecars(self, mark: str) -> list[psutil.Process]:
        """The running descendants whose command line contains a word."""
        found = []
        for process in self.processes()[1:]:
            try:
                if mark in " ".join(process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        # A launcher and the Python it starts both carry the word: the innermost is the sidecar.
        parents = {process.ppid() for process in found}
        return [process for process in found if process.pid not in parents]

    def processes(self) -> list[psutil.Process]:
        """It and all that it started."""
        return [self._process, *self._process.children(recursive=True)]

    def log(self) -> str:
        """What the extension wrote to its output channel."""
        files = sorted((self._folder / "user-data" / "logs").rglob("*Tacit*.log"))
        return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)

    def close(self) -> None:
        """End it with everything it started."""
        family = self.processes()
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        _, left = psutil.wait_procs(family, timeout=3)
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=10)

    def _wait_for_url(self) -> str:
        log = self._folder / "code-server.log"

        def listening() -> str | None:
            said = log.read_text(encoding="utf-8", errors="replace")
            if self._process.poll() is not None:
                raise AssertionError(f"code-server ended:\n{said}")
            match = _LISTENING.search(said)
            return match[1] if match else None

        return until(listening, START_LIMIT, "code-server does not listen")


def until(ask: Callable[[], T | None], seconds: float, otherwise: str) -> T:
    """Ask again and again until the answer is something. Raises AssertionError when time runs out."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := ask():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{otherwise} ({seconds:g} s)")
        time.sleep(0.1)
