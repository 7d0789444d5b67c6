"""Stands between a sidecar and the real Lean, or the real model worker, and spoils what it says. Standard library only.

    proxy.py lsp|model FOLDER COMMAND…

Starts the command and passes on what goes in and out, message by message, unless `FOLDER/order.json` says how to
behave: {"what": …, "once": …, "dice": …}. It is looked for at every message and every 0.1 s; `once` means that the one
process that takes it removes it. `FOLDER/taken` gets a line for each behaviour that a process took up.

    slow seconds=…     each message comes so much later
    silent             nothing comes any more
    deaf               nothing is read from the sidecar any more
    half               half of the next message comes, then nothing
    exit code=…        it ends at the next message; a negative code is a signal
    garbage            the next messages are random bytes
    long, short, huge, negative, lengthless     the length of a message says more, less, far more than there is, …
    shapes             the next messages are JSON that no protocol has
    fields             fields are missing from the next messages, or hold something else
    unasked            answers to requests that nobody made come before each message
    twice              each message comes twice
    flood              notifications come without end, between the messages
    giant megabytes=…  one message of that size comes first
    endless            a message without end

It ends with its command, in the same way.
"""

from __future__ import annotations

import json
import os
import random
import re
import resource
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

LOOK = 0.1  # seldom: who works all the time looks alive
_HEAD = re.compile(rb"Content-Length: (\d+)\r\n(?:[^\r\n]+\r\n)*\r\n")


class Proxy:
    """One process with its behaviour."""

    def __init__(self, how: str, folder: Path, command: list[str]) -> None:
        self.lsp = how == "lsp"
        self.folder = folder
        self.order: dict[str, Any] = {}
        self.stamp: object = None
        self.dice = random.Random(0)
        self.deaf = False
        self.begun = False
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self) -> None:
        """Pass on until the command ends."""
        threading.Thread(target=self.pass_in, daemon=True).start()
        assert self.child.stdout is not None
        source = self.child.stdout.fileno()
        rest = b""
        while True:
            self.look()
            ready, _, _ = select.select([source], [], [], LOOK)
            if not ready:
                self.idle()
                continue
            data = os.read(source, 1 << 16)
            if not data:
                break
            rest += data
            while (end := self.whole(rest)) is not None:
                message, rest = rest[:end], rest[end:]
                self.look()
                self.say(message)
        self.end(self.child.wait())

    def pass_in(self) -> None:
        """What the sidecar says, to the command; its end is passed on too."""
        assert self.child.stdin is not None
        target = self.child.stdin.fileno()
        with suppress(OSError):
            while data := os.read(0, 1 << 16):
                while self.deaf:
                    time.sleep(LOOK)
                view = memoryview(data)
                while view:
                    view = view[os.write(target, view) :]
        with suppress(OSError):
            self.child.stdin.close()

    def whole(self, data: bytes) -> int | None:
        """Where the first message ends, once it is there."""
        if self.lsp:
            head = _HEAD.match(data)
            if head is None:
                return None
            end = head.end() + int(head[1])
        else:
            if len(data) < 4:
                return None
            end = 4 + struct.unpack(">I", data[:4])[0]
        return end if len(data) >= end else None

    def framed(self, body: bytes) -> bytes:
        """A message with its length."""
        return b"Content-Length: %d\r\n\r\n%s" % (len(body), body) if self.lsp else struct.pack(">I", len(body)) + body

    def body(self, message: bytes) -> bytes:
        """Without its length."""
        return message[message.index(b"\r\n\r\n") + 4 :] if self.lsp else message[4:]

    def look(self) -> None:
        """Take up the behaviour that is asked for now."""
        file = self.folder / "order.json"
        try:
            found = file.stat()
        except OSError:
            if self.stamp is not None and not self.order.get("once"):
                self.order, self.deaf = {}, False
            self.stamp = None
            return
        stamp = found.st_ino, found.st_mtime_ns
        if stamp == self.stamp:
            return
        try:
            order = json.loads(file.read_bytes())
            if order["once"]:
                file.unlink()  # whoever removes it has it
        except (OSError, ValueError):
            return
        self.stamp, self.order, self.begun = stamp, order, False
        self.deaf = order["what"] == "deaf"
        self.dice = random.Random(order.get("dice", 0))
        with (self.folder / "taken").open("a") as log:
            log.write(f"{order['what']}\n")

    def idle(self) -> None:
        """What a behaviour does without a message."""
        if self.order.get("what") == "flood":
            for _ in range(200):
                self.write(self.notification())

    def say(self, message: bytes) -> None:
        """Pass a message on, as the behaviour has it."""
        what = self.order.get("what", "")
        if what == "slow":
            time.sleep(self.order["seconds"])
        elif what == "silent":
            return
        elif what == "exit":
            self.child.kill()
            self.end(self.order["code"])
        elif what == "half":
            if not self.begun:
                self.begun = True
                self.write(message[: len(message) // 2])
            return
        elif what == "flood":
            for _ in range(200):
                self.write(self.notification())
        elif what == "giant" and not self.begun:
            self.begun = True
            self.write(self.giant(int(self.order["megabytes"]) << 20))
        elif what == "endless":
            while True:
                self.write(b"x" * (1 << 16))
        elif what == "twice":
            self.write(message)
        elif what == "unasked":
            self.write(self.framed(b'{"jsonrpc":"2.0","id":%d,"result":{}}' % self.dice.randrange(10**6, 10**9)))
            self.write(self.framed(b'{"jsonrpc":"2.0","id":"x","error":{"code":1,"message":"unasked"}}'))
        elif what:
            message = self.spoiled(what, message)
        self.write(message)

    def spoiled(self, what: str, message: bytes) -> bytes:
        """A message that is none."""
        body = self.body(message)
        if what == "garbage":
            return self.dice.randbytes(len(message))
        if what == "shapes":
            shapes = (b"[]", b"null", b"7", b'"text"', b"{}", b'{"id":[]}', b"[" * 5000, b'{"method":{},"params":[]}')
            return self.framed(self.dice.choice(shapes))
        if what == "fields":
            return self.framed(json.dumps(self.changed(json.loads(body))).encode())
        lengths = {"long": len(body) + 40, "short": len(body) // 2, "huge": 10**15, "negative": -5}
        if self.lsp:
            head = b"Content-Size: 5\r\n\r\n" if what == "lengthless" else b"Content-Length: %d\r\n\r\n" % lengths[what]
            return head + body
        return struct.pack(">I", min(lengths.get(what, 0), 2**32 - 1) & 0xFFFFFFFF) + body

    def changed(self, value: Any) -> Any:
        """A value with one field in four missing, or of another kind. (Its id is kept, or the answer has no place.)"""
        if isinstance(value, dict):
            kept = {
                k: self.changed(v) for k, v in value.items() if k in ("id", "jsonrpc") or self.dice.random() > 0.125
            }
            return kept | {k: v for k, v in value.items() if k in ("id", "jsonrpc")}
        if isinstance(value, list):
            return [self.changed(each) for each in value]
        return self.dice.choice((None, -1, [], "", {"x": 1}, 2**70)) if self.dice.random() < 0.125 else value

    def notification(self) -> bytes:
        """Something that nobody asked to be told."""
        place = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
        diagnostic = {"range": place, "fullRange": place, "severity": 3, "message": "x" * 400}
        params = {"uri": "file:///nowhere/at/all.lean", "version": 1, "diagnostics": [diagnostic] * 5}
        message = {"jsonrpc": "2.0", "method": "textDocument/publishDiagnostics", "params": params}
        return self.framed(json.dumps(message).encode())

    def giant(self, size: int) -> bytes:
        """One whole message of that many bytes."""
        return self.framed(b'{"jsonrpc":"2.0","method":"window/logMessage","params":{"message":"%s"}}' % (b"x" * size))

    def write(self, data: bytes) -> None:
        """To the sidecar; where nobody reads any more, this ends."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(1, view) :]
        except OSError:
            self.child.kill()
            os._exit(1)

    def end(self, code: int) -> None:
        """End as the command did."""
        if code < 0:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            with suppress(OSError, ValueError):  # SIGKILL has no handler to take back
                signal.signal(-code, signal.SIG_DFL)
            os.kill(os.getpid(), -code)
        os._exit(code)


if __name__ == "__main__":
    Proxy(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]).run()
