"""The processes that a sidecar of a round has below it: found, killed, stopped, and made to behave badly.

Lean is started by a launcher of the round, the model worker through `sitecustomize`; either runs the real program, or
`proxy` around it once a behaviour was asked for before the round began (`Rig(proxied=…)`).
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

PROXY = Path(__file__).with_name("proxy.py")
SCRIPTED_MODEL = Path(__file__).parents[1] / "protocol" / "model_peer.py"
WORKER = "tacit.server.model.worker"
MARK = "TACIT_FAULTS_ROUND"
"""In the environment of all that a round starts: however far it went away, it is found by it."""


def of_round(mark: str) -> list[psutil.Process]:
    """Every process of a round that runs now, wherever it stands in the tree. (One that ended but was not waited for
    has no environment any more.)"""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                found.append(process)
    return found


class Peer:
    """One kind of process below the sidecar. `folder` holds what its launcher and its proxy go by."""

    def __init__(self, mark: str, folder: Path, *words: str) -> None:
        self._mark = mark
        self._words = words
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)

    def processes(self) -> list[psutil.Process]:
        """Those that run now, without their proxies; the oldest first."""
        found = []
        for process in of_round(self._mark):
            with suppress(psutil.Error):
                line = process.cmdline()
                if str(PROXY) not in line and all(any(word in each for each in line) for word in self._words):
                    found.append((process.create_time(), process.pid, process))
        return [process for *_, process in sorted(found, key=lambda each: each[:2])]

    def send(self, number: signal.Signals, *, which: slice = slice(None)) -> list[int]:
        """Send a signal to those that run, or some of them; their pids."""
        sent = []
        for process in self.processes()[which]:
            with suppress(psutil.Error):
                process.send_signal(number)
                sent.append(process.pid)
        return sent

    def behave(self, what: str, *, once: bool = False, **more: Any) -> None:
        """Have its proxies behave so from the next message on, new ones included, until `well`.

        `once`: only the first process that takes notice. See `proxy` for the behaviours.
        """
        order = self.folder / "order.new"
        order.write_text(json.dumps({"what": what, "once": once, **more}), encoding="utf-8")
        order.rename(self.folder / "order.json")

    def well(self) -> None:
        """Behave as the real one does."""
        with suppress(FileNotFoundError):
            (self.folder / "order.json").unlink()

    def taken(self) -> list[str]:
        """The behaviours that a process took notice of, in order."""
        file = self.folder / "taken"
        return file.read_text(encoding="utf-8").split("\n")[:-1] if file.exists() else []


class LeanPeer(Peer):
    """Lean, through a launcher that a fault may change: `launcher` is the file that the sidecar starts."""

    def __init__(self, mark: str, folder: Path, real: Path, *, proxied: bool) -> None:
        super().__init__(mark, folder, "lean", "--")
        self.real = real
        self.launcher = folder / "lean"
        self._proxied = proxied
        self.launch()

    def processes(self) -> list[psutil.Process]:
        """Servers and workers that run now; one that only tells its version is none."""
        return [each for each in super().processes() if _serves(each)]

    def launch(self, before: str = "") -> None:
        """Write the launcher; `before` is shell that runs ahead of Lean (`exit 3`, `ulimit -v …`)."""
        real = shlex.quote(str(self.real))
        start = f'exec {real} "$@"'
        if self._proxied:
            proxy = (
                f"{shlex.quote(sys.executable)} -S -E -B {shlex.quote(str(PROXY))} lsp {shlex.quote(str(self.folder))}"
            )
            start = f'case " $* " in *" --server "*) exec {proxy} {real} "$@";; esac\n{start}'
        new = self.launcher.with_suffix(".new")
        new.write_text(f"#!/bin/sh\n{before}\n{start}\n", encoding="utf-8")
        new.chmod(0o755)
        new.rename(self.launcher)


class ModelPeer(Peer):
    """The model worker."""

    def __init__(self, mark: str, folder: Path, *, proxied: bool, scripted: bool) -> None:
        super().__init__(mark, folder, str(SCRIPTED_MODEL) if scripted else WORKER)
        # The sidecar starts its own Python, which reads this before anything else.
        before = ["-S", "-E", "-B", str(PROXY), "model", str(folder), sys.executable] if proxied else []
        real = [str(SCRIPTED_MODEL), "fine"] if scripted else None
        site = f"""import os, sys
line = sys.orig_argv
if {WORKER!r} in line and not os.environ.pop("TACIT_FAULTS_DIRECT", ""):
    os.environ["TACIT_FAULTS_DIRECT"] = "1"
    os.execv(sys.executable, [sys.executable, *{before!r}, *({real!r} or line[1:])])
"""
        if before or real:
            (folder / "sitecustomize.py").write_text(site, encoding="utf-8")


def _serves(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return "--server" in process.cmdline() or "--worker" in process.cmdline()
    return False


def end(processes: list[psutil.Process]) -> None:
    """Kill them, stopped ones included."""
    for process in processes:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(processes, timeout=5)


def environment(mark: str, folder: Path) -> dict[str, str]:
    """What a sidecar of a round is started with, beside the machine's own; see `Rig`."""
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    return {**os.environ, MARK: mark, "PYTHONPATH": path}
