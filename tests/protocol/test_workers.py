"""Workers that are killed at any moment: whoever waits for them gets on."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
SIZE = 100_000_000


def large(marker: str) -> bytes:
    """So much that it is still being sent when the worker is killed."""
    Path(marker).touch()
    return bytes(SIZE)


def test_a_worker_that_is_killed_while_it_sends_does_not_hold_up_the_end(tmp_path: Path) -> None:
    script = """
        import sys, time
        from pathlib import Path
        from tacit.index.workers import Crew
        from tests.protocol.test_workers import large

        if __name__ == "__main__":
            for number in range(4):
                marker = Path(sys.argv[1]) / str(number)
                try:
                    with Crew(2) as crew:
                        crew.submit(large, str(marker))
                        while not marker.exists():
                            time.sleep(0.001)
                        time.sleep(0.04 * number)
                        raise KeyboardInterrupt
                except KeyboardInterrupt:
                    print("ended")
    """
    (tmp_path / "script.py").write_text(textwrap.dedent(script))
    command = [sys.executable, str(tmp_path / "script.py"), str(tmp_path)]
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=ROOT, env=here, capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.count("ended") == 4
    assert "Traceback" not in run.stderr
