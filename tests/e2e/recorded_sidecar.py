"""The real sidecar, except that its Lean is recorded or replayed. Its search is real, and no source of tactics.

python recorded_sidecar.py record FILE    a real Lean answers; when the editor is gone, FILE holds what it answered
python recorded_sidecar.py replay FILE    what a real Lean answered is read from FILE
"""

from __future__ import annotations

import sys
from pathlib import Path

from tacit.server.app import serve
from tacit.server.compose import build_suggester
from tacit.server.lean.recordings import Recorder


def main(mode: str, file: Path) -> int:
    if mode == "replay":
        return serve(lambda settings, _: build_suggester(settings, recordings=[file]), search=True)
    recorder = Recorder()
    try:
        return serve(lambda settings, _: build_suggester(settings, recorder=recorder), search=True)
    finally:
        recorder.write(file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
