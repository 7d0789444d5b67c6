"""A model worker that behaves as it is told on its command line: a scripted peer of ModelClient.

    python model_peer.py BEHAVIOUR [COUNTER]

COUNTER is a file that gets one more byte at each start, so that a test sees how often it was started; a behaviour
`a,b` is `a` at the first start and `b` later.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tacit.server.model import messages
from tacit.server.model.messages import Cancel, Done, Failed, Generate, Load, Loaded, Proposed, Working


def say(message: messages.Message) -> None:
    sys.stdout.buffer.write(messages.encode(message))
    sys.stdout.buffer.flush()


def order() -> messages.Message:
    found = messages.read(sys.stdin.buffer)
    if found is None:
        sys.exit(0)
    return found


def hang() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)


def main(behaviour: str, counter: str = "") -> None:
    starts = 1
    if counter:
        with Path(counter).open("ab") as file:
            file.write(b".")
        starts = Path(counter).stat().st_size
    turns = behaviour.split(",")
    behaviour = turns[min(starts, len(turns)) - 1]
    if behaviour == "silent":
        hang()
    if behaviour == "dies at once":
        sys.stderr.write("libllama.so: cannot open shared object file\n")
        sys.exit(3)
    load = order()
    assert isinstance(load, Load)
    if behaviour == "knows only plain instructions":
        behaviour = "fine" if load.plain else "illegal"
    if behaviour == "refuses":
        say(Failed(0, "x.gguf is no GGUF file.", "Models for Tacit end in .gguf."))
        sys.exit(0)
    if behaviour == "loads slowly":
        time.sleep(0.5)
    say(Loaded("peer", "llama", 1, 512, 0.1))
    while True:
        asked = order()
        if isinstance(asked, Cancel):
            continue
        assert isinstance(asked, Generate)
        say(Proposed(asked.id, f"simp {asked.id}", -1.0, 2))
        answer(behaviour, asked.id)
        say(Done(asked.id, generated=2))


def answer(behaviour: str, number: int) -> None:
    match behaviour:
        case "crashes":
            sys.stderr.write("GGML_ASSERT(false) failed\n")
            sys.stderr.flush()
            os.kill(os.getpid(), signal.SIGSEGV)
        case "illegal":
            os.kill(os.getpid(), signal.SIGILL)
        case "dies when idle":
            say(Done(number))
            sys.exit(1)
        case "hangs":
            hang()
        case "hangs with a child":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            say(Proposed(number, f"child {child.pid}", 0.0, 1))
            hang()
        case "garbage":
            sys.stdout.buffer.write(b"ggml_backend: warming up\n" * 50)
            sys.stdout.buffer.flush()
            hang()
        case "half a message":
            sys.stdout.buffer.write(messages.encode(Proposed(number, "omega", 0.0, 1))[:-3])
            sys.stdout.buffer.flush()
            sys.exit(0)
        case "floods":
            while True:
                say(Proposed(number, "omega", 0.0, 1))
        case "for another":
            say(Proposed(number + 7, "omega", 0.0, 1))
        case "noisy":
            sys.stderr.write("x" * 1_000_000)
        case "trims":
            say(Working(number, "3 of 9 premises did not fit."))
            say(Working(number + 7, "of another request"))
        case "slow":
            for _ in range(6):
                time.sleep(0.1)
                say(Working(number))
        case "fails":
            say(Failed(number, "The goal is too long for the model.", "Try less."))
            main_again()
        case "until cancelled":
            while True:
                asked = order()
                if isinstance(asked, Cancel) and asked.id == number:
                    return


def main_again() -> None:
    """Answer what comes next as usual."""
    while True:
        asked = order()
        if isinstance(asked, Generate):
            say(Proposed(asked.id, f"simp {asked.id}", -1.0, 2))
            say(Done(asked.id))


if __name__ == "__main__":
    main(*sys.argv[1:])
