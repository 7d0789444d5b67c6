"""Who answers for Lean in the tests that drive the real sidecar: a real Lean where there is one, else recordings."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tacit.server.errors import LeanNotFound
from tacit.server.lean.locate import LeanInstall, LeanSettings, find_lean
from tacit.server.lean.recordings import Recordings

RECORDINGS = Path(__file__).parent / "recordings"
RECORDED_SIDECAR = Path(__file__).with_name("recorded_sidecar.py")


class NoLean(Exception):
    """Neither a Lean nor recordings; the message says so."""


@dataclass(frozen=True, slots=True)
class Lean:
    """Who answers: a real Lean (`install`), or its recordings."""

    install: LeanInstall | None
    recording: bool
    version: str

    def accepts(self, file: Path) -> bool:
        """Whether Lean finds no error in a file and no `sorry`. Recordings were accepted when they were made."""
        if self.install is None:
            return True
        done = subprocess.run([self.install.lean, file], capture_output=True, text=True, timeout=180, check=False)
        return done.returncode == 0 and "sorry" not in done.stdout + done.stderr

    def settings(self, recordings: Path) -> dict[str, Any]:
        """The settings of VS Code with which this one answers."""
        if self.install is not None and not self.recording:
            command, arguments = Path(sys.executable).with_name("tacit"), ["serve"]
        else:
            mode = "record" if self.recording else "replay"
            command, arguments = Path(sys.executable), [str(RECORDED_SIDECAR), mode, str(recordings)]
        return {"tacit.serverPath": str(command), "tacit.serverArgs": arguments}


def find(folder: Path, recordings: Path, *, recording: bool) -> Lean:
    """Who can answer here. Raises NoLean."""
    try:
        install = asyncio.run(find_lean(LeanSettings(), folder))
        return Lean(install, recording, install.version)
    except LeanNotFound as exc:
        if recording:
            raise NoLean(f"Recording needs a real Lean. {exc}") from exc
        if not recordings.is_file():
            raise NoLean(f"No Lean and no recordings: {exc}") from exc
        return Lean(None, False, Recordings.load([recordings]).version)
