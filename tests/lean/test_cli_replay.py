"""The demo without Lean: the committed recordings must answer what the demo asks today."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2] / "lean-project"


@pytest.mark.lean
def test_the_recordings_of_the_demo_fit_it(request: pytest.FixtureRequest) -> None:
    if not (PROJECT / "recordings").is_dir():
        pytest.skip("The demo has not been recorded.")
    command = [sys.executable, "-m", "tacit.server.cli", "demo", "--replay", "--json", str(PROJECT)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    shown = json.loads(run.stdout)
    request.node.user_properties.append(("lean", "replayed"))
    request.node.user_properties.append(("lean-version", shown["lean"]["version"]))
    never_asked = [f"{goal['file']}:{goal['line']}" for goal in shown["goals"] if not goal["checked"]]
    assert never_asked == [], "record it again: make record"
    assert shown["closed"] > shown["total"] / 2
