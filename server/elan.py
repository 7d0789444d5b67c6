"""Offers to install Lean through elan, its official version manager. Nothing is downloaded before the user says yes."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

from tacit.server.terminal import Terminal

HOST = "elan.lean-lang.org"
COMMAND = f"curl --proto '=https' --tlsv1.2 https://{HOST}/elan-init.sh -sSf | sh -s -- -y"
"""What https://lean-lang.org/install/manual says, without further questions: the one question is asked here."""

REACH_SECONDS = 3.0


def offer(terminal: Terminal, project: Path, *, command: str = COMMAND, host: str = HOST) -> bool:
    """Ask whether to install Lean and do so; whether there is reason to look for it again."""
    if not _reachable(host):
        terminal.note(f"Lean is not installed, and {host} cannot be reached to install it.")
        return False
    terminal.note("Lean is not installed. Its official installer, elan, can be run now:")
    terminal.note("    ", (command, "bold"))
    terminal.note(("    It writes to ~/.elan and adds that to the PATH in your shell's profile.", "dim"))
    if not terminal.ask("Run it?"):
        return False
    # `pipefail` is bash's: in plain sh a failed download would pass for a success of the empty script.
    status = subprocess.run(["bash", "-o", "pipefail", "-c", command], check=False).returncode
    if status:
        terminal.note(f"The installer failed (exit status {status}); what it said stands above.")
        return False
    terminal.note("elan is installed. Fetching the Lean that the project names; this takes a minute.")
    lean = Path(os.environ.get("ELAN_HOME") or Path.home() / ".elan") / "bin" / "lean"
    status = subprocess.run([str(lean), "--version"], cwd=project, check=False).returncode if lean.exists() else 1
    if status:
        terminal.note("Lean could not be fetched; `lean --version` in the project's folder says why.")
    return status == 0


def _reachable(host: str) -> bool:
    try:
        with socket.create_connection((host, 443), timeout=REACH_SECONDS):
            return True
    except OSError:
        return False
