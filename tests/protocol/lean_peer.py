"""A Lean server that breaks the rules of its own protocol, where `scripted_lean` breaks those of Lean. Run as a script.

    lean_peer.py MODE LOG

`LOG` gets the bytes it reads. It answers `initialize`, and then:

    deaf        reads nothing any more
    shapes      publishes what no server should (no range, a severity of 9, a list for an object), then answers
    asks        asks the client something of its own, in requests known and unknown, and notes the answers
    twice       answers every request twice, and one that nobody made
    other       publishes an error of another document too
    quiet       answers, and publishes an empty list
    null        publishes without a list of diagnostics
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

ASKED = ("client/registerCapability", "workspace/configuration", "tacit/unheard-of")


def send(message: Any) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message} if isinstance(message, dict) else message).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    sys.stdout.buffer.flush()


def read(log: Path) -> dict[str, Any] | None:
    length = 0
    while line := sys.stdin.buffer.readline():
        with log.open("ab") as file:
            file.write(line)
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
        elif not line.strip():
            body = sys.stdin.buffer.read(length)
            with log.open("ab") as file:
                file.write(body + b"\n")
            message: dict[str, Any] = json.loads(body)
            return message
    return None


def publish(version: int, **more: Any) -> None:
    send({"method": "textDocument/publishDiagnostics", "params": {"uri": URI, "version": version, **more}})


def misshapen(version: int) -> None:
    send({"method": "textDocument/publishDiagnostics", "params": [1, 2]})
    send({"method": "textDocument/publishDiagnostics", "params": None})
    send({"method": "$/unheard/of", "params": {"x": 1}})
    send({"neither": "request nor answer"})
    publish(version, diagnostics=[{"severity": 9, "message": None}])


URI = ""
PLACE = {"line": 0, "character": 0}


def main(mode: str, log: Path) -> None:
    global URI
    version = 0
    while (message := read(log)) is not None:
        method, params = message.get("method"), message.get("params") or {}
        if method == "initialize":
            send({"id": message["id"], "result": {"capabilities": {}}})
        elif method == "initialized" and mode == "deaf":
            time.sleep(1000)
        elif method in ("textDocument/didOpen", "textDocument/didChange"):
            document = params["textDocument"]
            URI, version = document["uri"], document["version"]
        elif method == "textDocument/waitForDiagnostics":
            if mode == "shapes":
                misshapen(version)
            elif mode == "null":
                publish(version, diagnostics=None)
            else:
                publish(version, diagnostics=[])
            if mode == "other":
                error = {"severity": 1, "message": "elsewhere", "range": {"start": PLACE, "end": PLACE}}
                elsewhere = {"uri": URI.replace("A.lean", "B.lean"), "version": version, "diagnostics": [error]}
                send({"method": "textDocument/publishDiagnostics", "params": elsewhere})
            if mode == "asks":
                for number, asked in enumerate(ASKED):
                    send({"id": number, "method": asked, "params": {"items": [{}]}})
                for _ in ASKED:
                    read(log)
            if mode == "twice":
                send({"id": 999, "result": {}})
                send({"id": message["id"], "result": {}})
            send({"id": message["id"], "result": {}})
        elif "id" in message and method:
            send({"id": message["id"], "result": None})


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
