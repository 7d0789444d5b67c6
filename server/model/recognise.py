"""Says in a process of its own whether the llama.cpp here knows a file's architecture: it ends the process for some.

    python -m tacit.server.model.recognise MODEL.gguf

Prints `{"sentence": …, "hint": …}`; both are empty where it does.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main(path: str) -> int:
    """Look at one file; the exit status."""
    from tacit.server.model.llama import ModelError, recognise

    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what native code prints is no answer
    answer = {"sentence": "", "hint": ""}
    try:
        recognise(Path(path))
    except ModelError as error:
        answer = {"sentence": error.sentence, "hint": error.hint}
    json.dump(answer, output)
    output.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
