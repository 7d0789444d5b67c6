"""What the tests of editors share: a Lean file full of characters beyond 16 bits, and a machine with `tacit` on it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.protocol import scripted_lean
from tests.protocol.scripted_lean import survivors

ROOT = Path(__file__).parents[2]
RULES = ROOT / "tests" / "protocol" / "lean_rules.py"
PATIENCE = 120.0
WORLD = """--# goal 𝕜 : Nat\\n⊢ 𝕜 = 𝕜
--# closes rfl
--# leaves simp => ⊢ 𝕜 = 0
--# unknown norm_num
"""
THEOREM = "theorem 𝓕𝓸𝓸 (𝕜 : Nat) : 𝕜 = 𝕜 := by"
LINE = WORLD.count("\n") + 1
"""The theorem's, from 1."""
TEXT = f"{WORLD}{THEOREM} sorry\n"
CLOSED = f"{WORLD}{THEOREM} rfl\n"
UNFINISHED = f"{WORLD}{THEOREM}\n  \n"


def run(
    folder: Path, command: Sequence[str], more: Mapping[str, str], *, text: str = TEXT, words: Sequence[str] = ()
) -> dict[str, Any]:
    """Run an editor on a file with this text, with `tacit` and a scripted Lean; what it wrote as JSON into TACIT_SAID.

    No process is left behind.
    """
    file = folder / "𝕜 Foo.lean"
    file.write_text(text, encoding="utf-8")
    peer, said = folder / "peer", folder / "said.json"
    peer.mkdir()
    lean = scripted_lean.install(peer, *words, rules=RULES)
    environment = {**_environment(folder, lean), "TACIT_FILE": str(file), "TACIT_SAID": str(said), **more}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        out, _ = process.communicate(timeout=PATIENCE)
        assert said.exists(), out.decode(errors="replace")
        found: dict[str, Any] = json.loads(said.read_text(encoding="utf-8"))
        assert "missing" not in found, (found, out.decode(errors="replace"))
        assert file.read_text(encoding="utf-8") == text, "nobody has saved it"
        deadline = time.monotonic() + PATIENCE
        while survivors(peer) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert survivors(peer) == [], "no Lean is left behind"
        return found
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        for pid in survivors(peer):
            os.kill(pid, signal.SIGKILL)


def _environment(folder: Path, lean: Path) -> dict[str, str]:
    """A machine on whose PATH `tacit` is, with nothing indexed and no model."""
    programs = folder / "bin"
    programs.mkdir()
    tacit = programs / "tacit"
    tacit.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tacit.server.cli "$@"\n', encoding="utf-8")
    tacit.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name in ("PYTHONPATH", "TACIT_LEAN_SOURCES")}
    return {
        "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "XDG_CONFIG_HOME": f"{folder}/config",
        "LANG": "C.UTF-8", "TACIT_LEAN": str(lean), "TACIT_MODEL": "off", "TACIT_CACHE": f"{folder}/cache", **kept,
    }  # fmt: skip
