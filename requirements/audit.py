"""Asks whether anything that Tacit is locked to has a known fault: pip-audit for PyPI, npm audit for npm.

    python requirements/audit.py [PIP-AUDIT]

What cannot be asked (no network, no such service behind a mirror, no npm) is one sentence and no failure; only a known
fault is. A package that the service does not know counts as not asked, and is counted.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKS = ("runtime", "encoder", "model", "model-build", "model-run", "dev", "audit")
FOLDERS = ("vscode-extension", "tests/e2e")
SECONDS = 300

Run = Callable[[Sequence[str], Path], str]
"""Runs a command in a folder; what it prints. Raises OSError or subprocess.TimeoutExpired."""


@dataclass(slots=True)
class Asked:
    """What became of one question. `faults`: a line each."""

    what: str
    asked: int = 0
    unknown: int = 0
    faults: list[str] = field(default_factory=list)
    why: str = ""
    """Why it was not asked at all."""

    def __str__(self) -> str:
        if self.why:
            return f"{self.what}: not asked, because {self.why}."
        if not self.asked:
            return f"{self.what}: not asked, because the service knows none of its {self.unknown} packages."
        unknown = f" ({self.unknown} more are not known there)" if self.unknown else ""
        found = f"{len(self.faults)} known faults" if self.faults else "no known fault"
        return f"{self.what}: {found} in {self.asked} packages{unknown}."


def of_pip(what: str, text: str) -> Asked:
    """Read what `pip-audit -f json` prints."""
    asked = Asked(what)
    try:
        packages: list[dict[str, Any]] = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):
        asked.why = "pip-audit could not reach its service"
        return asked
    for each in packages:
        if "skip_reason" in each:
            asked.unknown += 1
            continue
        asked.asked += 1
        for fault in each.get("vulns", ()):
            fixed = ", ".join(fault.get("fix_versions", ())) or "no version yet"
            asked.faults.append(f"{each['name']} {each['version']}: {fault['id']}, mended in {fixed}")
    return asked


def of_npm(what: str, text: str) -> Asked:
    """Read what `npm audit --json` prints."""
    asked = Asked(what)
    try:
        said: Mapping[str, Any] = json.loads(text)
        faults, counts = said["vulnerabilities"], said["metadata"]["dependencies"]
    except (ValueError, KeyError, TypeError):
        asked.why = "npm could not reach its service"
        return asked
    asked.asked = int(counts["total"])
    for name, fault in faults.items():
        asked.faults.append(f"{name} {fault.get('range', '')}: {fault.get('severity', 'of unknown severity')}")
    return asked


def ask(run: Run, pip_audit: str, npm: str | None) -> list[Asked]:
    """Ask for every lock file."""
    found = []
    options = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "-f", "json")
    for name in LOCKS:
        what = f"requirements/{name}.lock"
        try:
            found.append(of_pip(what, run([pip_audit, *options, "-r", what], ROOT)))
        except (OSError, subprocess.TimeoutExpired) as error:
            found.append(Asked(what, why=f"pip-audit could not be run ({type(error).__name__})"))
    for folder in FOLDERS:
        what = f"{folder}/package-lock.json"
        if npm is None:
            found.append(Asked(what, why="there is no npm here"))
            continue
        try:
            found.append(of_npm(what, run([npm, "audit", "--json", "--package-lock-only"], ROOT / folder)))
        except (OSError, subprocess.TimeoutExpired) as error:
            found.append(Asked(what, why=f"npm could not be run ({type(error).__name__})"))
    return found


def _run(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    return done.stdout


def main(arguments: list[str], run: Run = _run) -> int:
    """Ask, and say what was found; 1 where anything has a known fault."""
    found = ask(run, arguments[0] if arguments else "pip-audit", shutil.which("npm"))
    for each in found:
        print(each)
        for fault in each.faults:
            print(f"  {fault}")
    return 1 if any(each.faults for each in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
