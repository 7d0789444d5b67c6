#!/usr/bin/env python3
"""A peer that plays Lean's language server, as well or as badly as a test wants. Standard library only.

As a program it takes Lean's command lines: `lean --version`, `lean --server …`, and `lake serve …` when it is called
`lake`. Tests install it with

    lean = install(tmp_path, "split", "die@3", rules=RULES)       # → tmp_path/lean, an executable; `lake` beside it
    log = entries(tmp_path)                                        # what it was asked, see below

What it says of a text comes from a rules file (Python), or else nothing is wrong with any text:

    def diagnostics(text, version):         # → a list of LSP diagnostics (UTF-16 positions), or "hang", "die",
        return []                           #   "overflow" (the worker dies: no diagnostics, the wait is answered),
                                            #   "runs" (it ends with the next text); or one of these and a list: what
                                            #   is published before
    def goals(text, line, character):       # → goals as Lean prints them; None: no answer to `plainGoal`
        return ["⊢ True"]

`lean_rules.py` beside this file is such a file and plays a small Lean. `diagnostic(…)` here makes one diagnostic.

Words say what goes wrong. `@n` means at the n-th text that it is sent (didOpen is the first; a process that takes the
place of another counts on), `@n-` from then on, neither: always. Several may be combined: `"split", "slow=2@5"`.

    version=4.0.0        what `--version` says; version-fails: it fails; version-hangs: it never ends
    no-start             `--server` fails at once, with a sentence on standard error
    refuses              initialize is answered with an error
    slow-start=0.5       initialize is answered after so many seconds
    stderr               loud on standard error, not in UTF-8
    bad-header           the answer's frame has a header without a length
    bad-json             the answer's frame holds no JSON
    out-of-order         two answers are held back and sent the later first (a single one after 0.3 s)
    slow=0.2             each text takes so many seconds
    die                  the process ends before it answers (status 1, a sentence on standard error)
    cut                  it ends in the middle of a frame
    overflow             the worker's stack overflows: no diagnostics, yet the wait is answered (as both Leans do)
    worker-error         the worker dies and the wait is answered with error -32902
    hang                 it never says anything again, ignores SIGTERM, and does not end with its standard input
    runs                 the wait is answered only when the next text comes, as today's Lean stops what an edit has made
                         void; what is published before is all but the last diagnostic
    spins                the same, but it computes on whatever comes
    flood                2000 notifications and a message of 2 MB before the answer
    split                the diagnostics come in three publishes, each the whole so far
    incremental          they come one by one, each after the first marked `isIncremental: true`
    late                 before the answer, diagnostics of the version before (wrong by now) come once more
    unversioned          diagnostics carry no version
    silent               `isSilent` diagnostics are mixed in
    worker               a process with a session of its own is started for each document, as v4.27's watchdog does;
                         it ignores SIGTERM and hang-up, and outlives this one unless it is killed

The log has one JSON object a line: {"event": "start" | "worker" | "end", "pid"}, {"event": "text", "version", "text"},
{"event": "message", "method"}.
"""

from __future__ import annotations

import json
import os
import runpy
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

Message = dict[str, Any]
LOG = "lean-log"


# ---------------------------------------------------------------------------------------------- for tests


def install(folder: Path, *words: str, rules: Path | str | None = None) -> Path:
    """Put an executable `lean` (and `lake`) into a folder; its path. `rules` is a file, or the text of one."""
    if isinstance(rules, str):
        file = folder / "lean_rules_here.py"
        file.write_text(rules, encoding="utf-8")
        rules = file
    environment = {
        "SCRIPTED_LEAN": " ".join(words),
        "SCRIPTED_LEAN_RULES": str(rules or ""),
        "SCRIPTED_LEAN_LOG": str(folder / LOG),
    }
    exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment.items())
    # -S -E -B: starts in 15 ms, and nothing of the test's environment reaches it.
    program = f"{shlex.quote(sys.executable)} -S -E -B {shlex.quote(str(Path(__file__).resolve()))}"
    start = f'exec {program} "$(basename "$0")" "$@"'
    for name in ("lake", "lean"):
        (folder / name).write_text(f"#!/bin/sh\n{exports}\n{start}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder / "lean"


def entries(folder: Path, event: str | None = None) -> list[Message]:
    """The log so far, or its entries of one kind."""
    file = folder / LOG
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [entry for entry in map(json.loads, lines) if event is None or entry["event"] == event]


def survivors(folder: Path) -> list[int]:
    """The processes of this peer, workers included, that are still there."""
    return [entry["pid"] for entry in entries(folder) if "pid" in entry and _runs(entry["pid"])]


def diagnostic(
    message: str,
    start: tuple[int, int],
    end: tuple[int, int] | None = None,
    *,
    severity: int = 1,
    **more: Any,
) -> Message:
    """An LSP diagnostic: 1 error, 2 warning, 3 information. Positions are (line, UTF-16 column)."""
    end = end or (start[0], start[1] + 1)
    places = {"start": _place(*start), "end": _place(*end)}
    return {"range": places, "fullRange": places, "severity": severity, "message": message, "source": "Lean 4", **more}


# ---------------------------------------------------------------------------------------------- the peer


class Words:
    """The scenario: `name`, `name=value`, `name@n`, `name@n-`."""

    def __init__(self, text: str) -> None:
        self._words: list[tuple[str, str, int, bool]] = []
        for word in text.split():
            head, _, when = word.partition("@")
            name, _, value = head.partition("=")
            self._words.append((name, value, int(when.removesuffix("-") or 0), when.endswith("-")))

    def get(self, name: str, count: int = 0) -> str | None:
        """The value of a word that holds now ("" when it has none), None when none does."""
        for word, value, at, onwards in self._words:
            if word == name and (at == 0 or at == count or (onwards and count >= at)):
                return value
        return None

    def has(self, name: str, count: int = 0) -> bool:
        return self.get(name, count) is not None


class ScriptedLean:
    """One server process."""

    def __init__(self, words: Words, rules: Message, source: BinaryIO, sink: BinaryIO) -> None:
        self._words = words
        self._diagnostics: Callable[[str, int], Any] = rules.get("diagnostics", lambda text, version: [])
        self._goals: Callable[[str, int, int], Any] = rules.get("goals", lambda text, line, character: [])
        self._source, self._sink = source, sink
        self._lock = threading.Lock()
        self._texts: dict[str, str] = {}
        self._last: dict[str, list[Message]] = {}
        self._fate: dict[str, str] = {}
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._unanswered: list[Message] = []
        self._held: list[Message] = []
        self._count = texts_before()

    def serve(self) -> int:
        note("start", pid=os.getpid())
        if self._words.has("stderr"):
            os.write(2, b"\xff\xfe\x00 warning: \xe2\x28\xa1 " * 20000 + b"\n")
        while (message := self._read()) is not None:
            note("message", method=message.get("method", ""))
            if message.get("method") == "exit":
                break
            self._handle(message)
        self._end_workers()
        note("end", pid=os.getpid())
        return 0

    def _handle(self, message: Message) -> None:
        method, params = message.get("method"), message.get("params") or {}
        if method == "initialize":
            self._initialize(message)
        elif method == "textDocument/didOpen":
            document = params["textDocument"]
            if self._words.has("worker"):
                self._start_worker(document["uri"])
            self._elaborate(document["uri"], document["version"], document["text"])
        elif method == "textDocument/didChange":
            uri = params["textDocument"]["uri"]
            text = self._texts[uri]
            for change in params["contentChanges"]:
                text = edited(text, change)
            self._elaborate(uri, params["textDocument"]["version"], text)
        elif method == "textDocument/didClose":
            self._end_worker(params["textDocument"]["uri"])
        elif method == "textDocument/waitForDiagnostics":
            self._answer_wait(message, params["uri"])
        elif method == "$/lean/plainGoal":
            place = params["position"]
            goals = self._goals(self._texts[params["textDocument"]["uri"]], place["line"], place["character"])
            rendered = "\n\n".join(f"```lean\n{goal}\n```" for goal in goals or [])
            self._answer(message, None if goals is None else {"rendered": rendered, "goals": list(goals)})
        elif "id" in message and method is not None:
            self._answer(message, None)

    def _initialize(self, message: Message) -> None:
        if self._words.has("refuses"):
            self._send({"id": message["id"], "error": {"code": -32603, "message": "out of luck"}})
            return
        time.sleep(float(self._words.get("slow-start") or 0))
        sync = {"openClose": True, "change": 2}
        info = {"name": "Lean 4 Server", "version": "0.3.0"}
        self._send({"id": message["id"], "result": {"capabilities": {"textDocumentSync": sync}, "serverInfo": info}})

    def _elaborate(self, uri: str, version: int, text: str) -> None:
        self._count += 1
        before = self._last.get(uri, [])
        self._texts[uri] = text
        note("text", version=version, text=text)
        time.sleep(float(self._words.get("slow", self._count) or 0))
        if self._unanswered:
            self._progress(uri, version)
        for request in self._unanswered:
            self._answer(request, {})
        self._unanswered.clear()
        found = self._diagnostics(text, version)
        if isinstance(found, str):
            found = found, []
        fate, diagnostics = found if isinstance(found, tuple) else ("", found)
        for word in ("hang", "die", "overflow", "worker-error", "cut", "runs", "spins"):
            if self._words.has(word, self._count):
                fate, diagnostics = word, diagnostics[:-1] if word in ("runs", "spins") else []
        self._fate[uri] = fate
        if fate in ("die", "cut", "overflow", "worker-error"):
            self._progress(uri, version)  # as Lean does first of all: it is this text that it dies of
        if fate and diagnostics:
            self._publish(uri, version, diagnostics)
        if fate == "hang":
            hang()
        if fate == "spins":
            threading.Thread(target=spin, daemon=True).start()
        if fate:
            return
        self._last[uri] = diagnostics
        if self._words.has("flood", self._count):
            self._flood(uri, version)
        if self._words.has("silent", self._count):
            silent = diagnostic("Goals accomplished!", (0, 0), severity=3, isSilent=True)
            diagnostics = [silent, *diagnostics, silent]
        self._publish_all(uri, version, diagnostics)
        if self._words.has("late", self._count):
            self._publish(uri, version - 1, [*before, diagnostic("stale", (0, 0))])

    def _publish_all(self, uri: str, version: int, diagnostics: list[Message]) -> None:
        if self._words.has("split", self._count):
            for part in (0, len(diagnostics) // 2, len(diagnostics)):
                self._publish(uri, version, diagnostics[:part])
        elif self._words.has("incremental", self._count):
            self._publish(uri, version, diagnostics[:1])
            for each in diagnostics[1:]:
                self._publish(uri, version, [each], isIncremental=True)
        else:
            self._publish(uri, version, diagnostics)

    def _publish(self, uri: str, version: int, diagnostics: list[Message], **more: Any) -> None:
        params = {"uri": uri, "version": version, "diagnostics": diagnostics, **more}
        if self._words.has("unversioned", self._count):
            del params["version"]
        self._send({"method": "textDocument/publishDiagnostics", "params": params})

    def _answer_wait(self, message: Message, uri: str) -> None:
        fate = self._fate.get(uri, "")
        if fate == "die":
            os.write(2, b"uncaught exception: the scripted Lean died\n")
            os._exit(1)
        if fate == "cut":
            self._write(b'Content-Length: 400\r\n\r\n{"jsonrpc"')
            os._exit(1)
        if fate in ("runs", "spins"):
            self._unanswered.append(message)
            return
        if fate == "overflow":
            os.write(2, b"Stack overflow detected. Aborting.\n")
        if fate == "worker-error":
            error = {"code": -32902, "message": "The Lean worker for this file crashed."}
            self._send({"id": message["id"], "error": error})
        elif self._words.has("bad-header", self._count):
            self._write(b"Content-Size: 12\r\n\r\n{}")
        elif self._words.has("bad-json", self._count):
            self._write(b"Content-Length: 14\r\n\r\n{'jsonrpc': 2}")
        else:
            self._answer(message, {})

    def _progress(self, uri: str, version: int) -> None:
        bar = {"range": {"start": _place(0, 0), "end": _place(1, 0)}, "kind": 1}
        document = {"uri": uri, "version": version}
        self._send({"method": "$/lean/fileProgress", "params": {"textDocument": document, "processing": [bar]}})

    def _flood(self, uri: str, version: int) -> None:
        document = {"uri": uri, "version": version}
        for line in range(2000):
            bar = {"range": {"start": _place(line, 0), "end": _place(line + 1, 0)}, "kind": 1}
            self._send({"method": "$/lean/fileProgress", "params": {"textDocument": document, "processing": [bar]}})
        self._send({"method": "window/logMessage", "params": {"type": 4, "message": "𝕜" * 500_000}})

    def _answer(self, request: Message, result: Any) -> None:
        answer = {"id": request["id"], "result": result}
        if not self._words.has("out-of-order", self._count):
            self._send(answer)
            return
        with self._lock:
            self._held.append(answer)
            full = len(self._held) > 1
        if full:
            self._release()
        else:
            threading.Timer(0.3, self._release).start()

    def _release(self) -> None:
        with self._lock:
            held, self._held = self._held, []
        for answer in reversed(held):
            self._send(answer)

    def _start_worker(self, uri: str) -> None:
        code = (
            "import signal, sys, time\n"
            "for name in ('SIGTERM', 'SIGHUP', 'SIGINT'): signal.signal(getattr(signal, name), signal.SIG_IGN)\n"
            "sys.stdout.write('!'), sys.stdout.flush()\n"
            "time.sleep(600)"
        )
        command = [sys.executable, "-S", "-E", "-c", code, "--worker"]
        # Standard error it shares, as Lean's workers do.
        worker = subprocess.Popen(command, start_new_session=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert worker.stdout is not None
        worker.stdout.read(1)
        self._workers[uri] = worker
        note("worker", pid=worker.pid)

    def _end_worker(self, uri: str) -> None:
        if worker := self._workers.pop(uri, None):
            worker.kill()
            worker.wait()

    def _end_workers(self) -> None:
        for uri in tuple(self._workers):
            self._end_worker(uri)

    def _send(self, message: Message) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode("utf-8")
        self._write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def _write(self, data: bytes) -> None:
        with self._lock:
            try:
                self._sink.write(data)
                self._sink.flush()
            except OSError:
                os._exit(1)

    def _read(self) -> Message | None:
        length = -1
        while line := self._source.readline():
            if line.strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            elif length >= 0:
                message: Message = json.loads(self._source.read(length))
                return message
        return None


def edited(text: str, change: Message) -> str:
    """A text after one change: ranges are in UTF-16, lines end at LF."""
    new: str = change["text"]
    if change.get("range") is None:
        return new
    start, end = (offset(text, **change["range"][which]) for which in ("start", "end"))
    return text[:start] + new + text[end:]


def offset(text: str, line: int, character: int) -> int:
    """Where an LSP position stands in a text."""
    at = 0
    for _ in range(line):
        at = text.index("\n", at) + 1
    end = text.find("\n", at)
    rest = (text[at:] if end < 0 else text[at:end]).encode("utf-16-le")
    return at + len(rest[: 2 * character].decode("utf-16-le"))


def hang() -> None:
    """Never come back, whatever is asked."""
    for name in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)
    while True:
        time.sleep(600)


def spin() -> None:
    """Compute, whatever is asked."""
    while True:
        sum(range(1000))


def note(event: str, **more: Any) -> None:
    """Add to the log, in one write, so that two processes do not mix their lines."""
    if file := os.environ.get("SCRIPTED_LEAN_LOG"):
        log = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.write(log, (json.dumps({"event": event, **more}) + "\n").encode("utf-8"))
        os.close(log)


def texts_before() -> int:
    """How many texts the processes before this one were sent."""
    file = Path(os.environ.get("SCRIPTED_LEAN_LOG") or os.devnull)
    return file.read_text(encoding="utf-8").count('{"event": "text"') if file.exists() else 0


def _place(line: int, character: int) -> Message:
    return {"line": line, "character": character}


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def main(name: str, arguments: list[str]) -> int:
    """`lean --version`, `lean --server …`, `lake serve …`."""
    words = Words(os.environ.get("SCRIPTED_LEAN", ""))
    version = words.get("version") or "4.27.0"
    if "--version" in arguments:
        if words.has("version-hangs"):
            hang()
        if words.has("version-fails"):
            os.write(2, b"error: toolchain 'leanprover/lean4:v9' is not installed\n")
            return 1
        lake = f"Lake version 5.0.0-src (Lean version {version})"
        print(lake if name == "lake" else f"Lean (version {version}, x86_64-unknown-linux-gnu, commit 0, Release)")
        return 0
    if ("serve" if name == "lake" else "--server") not in arguments:
        os.write(2, f"{name}: unexpected arguments {arguments}\n".encode())
        return 2
    if words.has("no-start"):
        os.write(2, b"error: the scripted Lean does not start\n")
        return 1
    rules_file = os.environ.get("SCRIPTED_LEAN_RULES")
    rules = runpy.run_path(rules_file) if rules_file else {}
    return ScriptedLean(words, rules, sys.stdin.buffer, sys.stdout.buffer).serve()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "lean", sys.argv[2:]))
