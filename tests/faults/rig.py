"""One round: a folder with a project, an editor, its sidecar, and the processes below it. Injects nothing.

async with Rig.begin(folder, lean=…, …) as rig:
    await rig.warm()            # the demo goal was answered
    ...
    await rig.answers()         # all that an editor asks for
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.faults import peers
from tests.faults.peers import LeanPeer, ModelPeer, Peer
from tests.protocol import scripted_lean
from tests.protocol.editor import Editor, Message, Refusal, at, within_range
from tests.unit.corpus import FILES, write

ANSWER = 120.0
"""Seconds after which an answer is called missing. A suggestion may take its budget, and a start of Lean before."""
RECOVERY = 300.0
"""Seconds after which a sidecar is called not recovered."""
END = 30.0
"""Seconds for the sidecar to end after `shutdown`."""

RULES = Path(scripted_lean.__file__).with_name("lean_rules.py")
# For a scripted Lean the comments say what works; to a real one they are comments.
DEMO = """--# goal n : Nat\\n⊢ n + 0 = n
--# closes rfl
--# leaves simp => ⊢ n = n
-- edit 0

theorem demo (n : Nat) : n + 0 = n := by
  sorry
"""
EDITED = 3  # the line that `touch` writes
SETTINGS: dict[str, Any] = {"suggest": {"budget": 10}, "index": {"automatic": False}}


class NoAnswer(Exception):
    """A request that was never answered."""


@dataclass(slots=True)
class Rig:
    """What a round works on. `workspace`, `home` and `cache` are folders of its own; `mark` names the round."""

    folder: Path
    mark: str
    workspace: Path
    home: Path
    cache: Path
    lean: LeanPeer
    model: ModelPeer
    editor: Editor
    environment: dict[str, str]
    settings: dict[str, Any]
    scripted: bool
    weights: Path
    version: int = 0
    exit: int | None = None
    errors: bytes = b""
    """What sidecars of this round that have ended wrote on standard error."""
    past: list[Message] = field(default_factory=list)
    """What they said."""
    also: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
    """What must be waited for besides a suggestion until the sidecar has recovered."""

    @property
    def file(self) -> Path:
        """The document, which is a file of the workspace too."""
        return self.workspace / "Top" / "Demo.lean"

    @property
    def uri(self) -> str:
        """Of the document."""
        return self.file.as_uri()

    @property
    def heard(self) -> Sequence[Message]:
        """All that was said in this round."""
        return [*self.past, *self.editor.heard]

    # ------------------------------------------------------------------ from begin to end

    @classmethod
    @asynccontextmanager
    async def begin(
        cls,
        folder: Path,
        *,
        lean: Path | None,
        model: bool = False,
        index: bool = False,
        proxied: bool = False,
        settings: dict[str, Any] | None = None,
    ) -> AsyncIterator[Rig]:
        """A round in an empty folder. `lean` is the real one; None: a scripted peer in its place.

        `model`: the local model takes part. `index`: the project is indexed, words only. `proxied`: Lean and the
        model run behind proxies, so that `behave` works.
        """
        mark = uuid.uuid4().hex
        workspace, home, cache, control = (folder / name for name in ("workspace", "home", "cache", "control"))
        for each in (workspace, home, cache, control):
            each.mkdir(parents=True)
        write(workspace, FILES)
        (workspace / "lakefile.toml").write_text('name = "top"\n', encoding="utf-8")
        (workspace / "Top" / "Demo.lean").write_text(DEMO, encoding="utf-8")
        weights = home / "tacit-tiny.gguf"
        real = lean or scripted_lean.install(home, rules=RULES)
        environment = peers.environment(mark, control / "model") | {
            "TACIT_CACHE": str(cache),
            "TACIT_LEAN_SOURCES": "off",
            "MATHLIB": "",
            "HOME": str(home),
            "TACIT_MODEL": str(weights) if model else "off",
        }
        scripted_model = find_spec("llama_cpp") is None or lean is None
        if model:
            _write_weights(weights, scripted=scripted_model)
        lean_peer = LeanPeer(mark, control / "lean", real, proxied=proxied)
        model_peer = ModelPeer(mark, control / "model", proxied=proxied, scripted=scripted_model)
        environment["TACIT_LEAN"] = str(lean_peer.launcher)
        if index:
            await rebuild(workspace, environment)
        editor = await _start(folder, environment)
        rig = cls(
            folder, mark, workspace, home, cache, lean_peer, model_peer, editor, environment,
            SETTINGS | (settings or {}), lean is None, weights,
        )  # fmt: skip
        try:
            await rig.hello()
            yield rig
        finally:
            await rig.editor.stop()
            peers.end(peers.of_round(mark))
            _writable(folder)

    async def hello(self, *, open_demo: bool = True) -> None:
        """Say hello to a sidecar that has just been started, and open the document."""
        await self.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": self.workspace.as_uri(),
                "capabilities": _capabilities(),
                "initializationOptions": self.settings,
            },
        )
        self.editor.notify("initialized", {})
        if open_demo:
            self.open()

    def open(self) -> None:
        """Open the document."""
        self.version += 1
        self.editor.open(self.text, uri=self.uri, version=self.version)

    async def restart(self, *, hello: bool = True) -> None:
        """End the sidecar that there is, as the editor's reload does, and start another, with the document open.

        Without `hello` nothing is said to it yet.
        """
        await self.shutdown()
        self.past += self.editor.heard
        self.errors += self.editor.stderr
        self.exit = None
        self.editor = await _start(self.folder, self.environment)
        if hello:
            await self.hello()

    async def shutdown(self) -> None:
        """Have the sidecar end in order, as an editor does that gives it its time; killed after that. Sets `exit`."""
        editor = self.editor
        with suppress(TimeoutError, Refusal, EOFError, ConnectionError, RuntimeError):
            async with asyncio.timeout(END):
                if editor.process.returncode is None:
                    _, answer = editor.begin("shutdown")
                    await answer
                    editor.notify("exit")
                self.exit = await editor.process.wait()
        await editor.stop()

    # ------------------------------------------------------------------ asking

    @property
    def text(self) -> str:
        """The document as the editor has it."""
        return DEMO.replace("-- edit 0", f"-- edit {self.version}")

    def touch(self) -> None:
        """Edit a comment above the goal: what was found before is void."""
        before = self.text.split("\n")[EDITED]
        self.version += 1
        after = self.text.split("\n")[EDITED]
        self.editor.change(self.version, {"range": within_range(EDITED, 0, len(before)), "text": after}, uri=self.uri)

    @property
    def cursor(self) -> Message:
        """At the demo goal's `sorry`."""
        line = next(n for n, each in enumerate(DEMO.split("\n")) if each.strip() == "sorry")
        return at(line, 4, self.uri)

    async def ask(self, method: str, params: Any = None, *, patience: float = ANSWER) -> Any:
        """An answer. Raises Refusal for one that is an error, NoAnswer where none comes."""
        number, answer = self.editor.begin(method, params)
        try:
            async with asyncio.timeout(patience):
                return await answer
        except TimeoutError:
            self.editor.cancel(number)
            raise NoAnswer(f"{method} was not answered in {patience:g} s") from None
        except (EOFError, ConnectionError) as error:
            raise NoAnswer(f"{method} was not answered: the sidecar ended") from error

    async def suggest(self, *, patience: float = ANSWER) -> Message:
        """Edit, and ask for suggestions at the demo goal; the whole answer."""
        self.touch()
        # So many that the model is asked too, however many tactics others have for the goal.
        answer: Message = await self.ask("tacit/suggest", {**self.cursor, "limit": 100}, patience=patience)
        return answer

    async def answers(self) -> None:
        """Ask for all that an editor asks for. A refusal is an answer. Raises NoAnswer."""
        line = self.cursor["position"]["line"]
        action = {
            "textDocument": {"uri": self.uri},
            "range": within_range(line, 4, 4),
            "context": {"diagnostics": [], "triggerKind": 1},
        }
        self.touch()
        for method, params in (
            ("textDocument/inlineCompletion", {**self.cursor, "context": {"triggerKind": 1}}),
            ("tacit/suggest", {**self.cursor, "limit": 100}),
            ("textDocument/codeAction", action),
            ("tacit/search", {"text": "commutative"}),
            ("workspace/symbol", {"query": "comm"}),
            ("tacit/status", None),
        ):
            with suppress(Refusal):
                await self.ask(method, params)

    async def warm(self, *, model: bool = False) -> None:
        """Wait until the demo goal is closed by a suggestion, and the model is loaded if asked. Raises NoAnswer."""
        await self.recovered(model=model)

    async def recovered(self, *, model: bool = False) -> float:
        """Seconds until a suggestion closes the demo goal again, asking as often as it takes. Raises NoAnswer.

        `model`: until the model is loaded too.
        """
        began = time.monotonic()
        notice = ""
        while time.monotonic() < began + RECOVERY:
            try:
                answer = await self.suggest()
            except Refusal as refusal:
                notice = refusal.message
            else:
                found = any(each["verdict"] == "closes" and each["verified"] for each in answer["suggestions"])
                notice = answer.get("notice") or ""
                if found and model:
                    state = (await self.ask("tacit/status"))["model"]
                    found = state["state"] == "ready"
                    notice = state["sentence"]
                if found:
                    for each in self.also:
                        await each()
                    return time.monotonic() - began
            await asyncio.sleep(0.1)
        raise NoAnswer(f"no suggestion came in {RECOVERY:g} s: {notice}")

    async def taken(self, peer: Peer, what: str) -> None:
        """Wait until a process that runs now has taken up a behaviour; where none runs, the next one will."""
        end = time.monotonic() + 10
        while what not in peer.taken() and peer.processes() and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def until(self, seen: Any, what: str, *, patience: float = ANSWER) -> None:
        """Wait until something is so. Raises NoAnswer with `what`."""
        end = time.monotonic() + patience
        while not seen():
            if time.monotonic() > end:
                raise NoAnswer(f"{what}: not in {patience:g} s")
            await asyncio.sleep(0.02)


async def _start(folder: Path, environment: dict[str, str]) -> Editor:
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "tacit.server.cli", "serve")
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, cwd=folder
    )
    return Editor(process, folder)


def _write_weights(file: Path, *, scripted: bool) -> None:
    """A copy of the model that comes with Tacit, or a file that a scripted worker is given."""
    from tacit.server import models

    shipped = None if scripted else models.shipped()
    file.write_bytes(b"GGUF" if shipped is None else shipped.path.read_bytes())


async def rebuild(workspace: Path, environment: dict[str, str]) -> None:
    """Index the project, without vectors, as the user's command does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tacit.server.cli", "index", "build", "--no-vectors",
        cwd=workspace, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, errors = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the project could not be indexed: {errors.decode(errors='replace')}")


def _capabilities() -> dict[str, Any]:
    from tests.protocol.editor import CAPABILITIES

    return CAPABILITIES


def _writable(folder: Path) -> None:
    """Let the folder be removed, whatever a fault did to rights."""
    for each in (folder, *folder.rglob("*")):
        with suppress(OSError):
            if each.is_dir() and not each.is_symlink():
                each.chmod(0o700)


def real_lean() -> Path | None:
    """The Lean of this machine, if there is one."""
    found = shutil.which("lean")
    return Path(found) if found else None


__all__ = ["ANSWER", "END", "RECOVERY", "NoAnswer", "Rig", "real_lean", "rebuild"]
