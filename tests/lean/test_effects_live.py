"""What candidates do beside proving, seen from outside: no file, no process, no connection; in a sandbox not even what
a file of the user's does. Each system call is looked at where `strace` is there, else files, processes and a port."""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from tacit.server import sandbox
from tacit.server.lean.checker import Checker, Limits
from tacit.server.lean.elaborator import Outcome
from tacit.server.lean.hole import holes
from tacit.server.lean.live import LiveElaborator
from tacit.server.lean.locate import LeanSettings, find_lean, server_commands
from tacit.server.values import Candidate, Verdict

pytestmark = [pytest.mark.lean, pytest.mark.live, pytest.mark.usefixtures("live_lean")]

STRACE = shutil.which("strace")
NO_SANDBOX = sandbox._problem(sandbox._program(os.environ))
CALLS = "execve,socket,connect,bind,openat,creat,mkdir,unlink,unlinkat,rename,renameat,truncate,symlink,link,chmod"
# A line of strace that changes something: opened for writing or made, another program, a connection.
_OTHER = "|".join(CALLS.replace("openat,", "").split(","))
CHANGES = re.compile(rf"\bopenat\(.*O_(?:WRONLY|RDWR|CREAT)|\b(?:{_OTHER})\(")
TEXT = "theorem mine (p q : Prop) (hp : p) (hq : q) : p ∧ q := by\n  sorry\n"
HONEST = ("exact ⟨hp, hq⟩", "constructor", "simp", "assumption")


def hostile(folder: Path, port: int) -> list[str]:
    """What a model might write to do something: to a file `canary`, to a port, to start a program."""
    write = f'IO.FS.writeFile "{folder}/canary" "x"'
    run = f'IO.Process.output {{ cmd := "touch", args := #["{folder}/canary"] }}'
    call = f'IO.Process.output {{ cmd := "curl", args := #["http://127.0.0.1:{port}"] }}'
    read = f'IO.FS.readFile "{folder}/secret"'
    effects = (write, run, call, read)
    return [
        *(f"exact ⟨hp, hq⟩\n#eval {each}" for each in effects),
        *(f"exact ⟨hp, hq⟩\n\n\n#eval ({each} : IO _)\ntheorem x : True := by trivial" for each in effects),
        *(f"constructor)\n#eval {each}\n(skip" for each in effects),
        *(f"have h := unsafeIO ({each}); exact ⟨hp, hq⟩" for each in effects),
        *(f"exact match unsafeIO ({each}) with | _ => ⟨hp, hq⟩" for each in effects),
        *(f"run_tac {each}" for each in effects),
        *(f"exact by_elab do {{ let _ ← ({each} : IO _); return default }}" for each in effects),
        *(f"exact eval% ({each})" for each in effects),
        *(f"first | (exact dbgTrace (toString (unsafeIO ({each}))) fun _ => ⟨hp, hq⟩) | skip" for each in effects),
        *(f"exact ⟨hp, hq⟩ -- \n#eval {each}" for each in effects),
        *(f"exact ⟨hp, hq⟩ /- -/\ninitialize {each}" for each in effects),
        *(f"open Lean in run_cmd {each}" for each in effects),
        *(f"exact ⟨hp, hq⟩\nend\nsection\n#eval {each}" for each in effects),
        f'exact (include_str "{folder}/secret").casesOn',
        f'exact absurd (include_bytes "{folder}/secret") (by decide)',
        "have : (IO.FS.createDir ⟨toString 1⟩) = pure () := rfl; exact ⟨hp, hq⟩",
        "have h := (IO.FS.createDir (System.FilePath.mk (toString 1)) : IO Unit); exact ⟨hp, hq⟩",
        "have h := (IO.FS.removeFile (toString 1)).toBaseIO; decide",
        "have h : (unsafeBaseIO (IO.FS.createDir ⟨toString 2⟩).toBaseIO) = _ := by native_decide",
        "exact (IO.Process.exit 0 : IO _)",
        "decide (config := { kernel := true })",
        "#exit",
        "exact ⟨hp, hq⟩\nimport Lean",
        'exact ⟨hp, hq⟩\nmacro "constructor" : tactic => `(tactic| sorry)',
        f'set_option trace.profiler.output "{folder}/canary" in exact ⟨hp, hq⟩',
        f'set_option server.stderrAsMessages "{folder}/canary" in simp',
        f'lakefile "{folder}"',
        'exact ⟨hp, hq⟩\n@[extern "system"] constant sys : String → UInt32\n#eval sys "touch canary"',
        "exact ⟨hp, hq⟩\n@[implementedBy unsafeCast] def f : Nat → IO Unit := fun _ => pure ()\n#eval f 1",
    ]


@pytest.fixture
def port() -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        yield listening


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "secret").write_text("nobody's business", encoding="utf-8")
    return tmp_path / "work"


@asynccontextmanager
async def traced(folder: Path, settings: LeanSettings) -> AsyncIterator[tuple[LiveElaborator, Path]]:
    """A real Lean for a file of the folder, and where its system calls are written."""
    install = await find_lean(settings, folder)
    commands = server_commands(install, folder / "Test.lean", settings)
    log = folder.parent / "calls"
    if STRACE is not None and not settings.sandbox:
        words = (STRACE, "-f", "-qq", "-e", f"trace={CALLS}", "-o", str(log))
        commands = [type(each)((*words, *each.argv), each.cwd, each.lake, each.version) for each in commands]
    lean = LiveElaborator(commands, (folder / "Test.lean").as_uri())
    try:
        yield lean, log
    finally:
        await lean.aclose()


def changes(log: Path) -> list[str]:
    """What is written of changes, but for what a device takes."""
    if not log.exists():
        return []
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in lines if CHANGES.search(line) and '"/dev/' not in line and "ENOENT" not in line]


def untouched(folder: Path, port: socket.socket) -> None:
    assert [each.name for each in folder.iterdir()] == ["secret"]
    with pytest.raises(BlockingIOError):
        port.accept()
    family = psutil.Process().children(recursive=True)
    assert not {each.name() for each in family} & {"touch", "curl", "sh"}


async def test_candidates_do_nothing_that_reaches_beyond_lean(folder: Path, port: socket.socket) -> None:
    tactics = hostile(folder, port.getsockname()[1])
    assert len(tactics) > 60
    async with traced(folder, LeanSettings()) as (lean, log):
        checker = Checker(lean, Limits(batch=60.0, split=60.0, each=1.0))
        command, places = holes(TEXT, TEXT.index("sorry"))
        site = await checker.open(TEXT, command, places)
        honest = await checker.check(site, [Candidate(each, "test") for each in HONEST])
        assert honest[0].verdict is Verdict.CLOSES
        before = changes(log)
        verdicts = {}
        for each in tactics:
            (checked,) = await checker.check(site, [Candidate(each, "model")])
            if checked.verdict is Verdict.CLOSES:
                checked = await checker.verify(site, checked)
            verdicts[each] = checked.verdict
        untouched(folder, port)
        assert changes(log) == before
        done = [each for each, verdict in verdicts.items() if verdict is Verdict.CLOSES]
        assert done == []
        assert sum(verdict is Verdict.REFUSED for verdict in verdicts.values()) >= len(tactics) - 4
        # That it would have been seen: the same Lean, told the same by a file of the user's, does it.
        result = await lean.elaborate(f'#eval IO.FS.writeFile "{folder}/canary" "x"\n', timeout=60)
        assert result.outcome is Outcome.DONE
        assert (folder / "canary").read_text(encoding="utf-8") == "x"
        if STRACE is not None:
            assert any("canary" in line for line in changes(log))


@pytest.mark.skipif(bool(NO_SANDBOX), reason=NO_SANDBOX)
async def test_in_a_sandbox_not_even_the_users_file_reaches_beyond_it(folder: Path, port: socket.socket) -> None:
    outside = folder.parent / "outside"
    outside.write_text("nobody's business", encoding="utf-8")
    text = (
        f'#eval IO.FS.writeFile "{folder}/canary" "x"\n'
        f'#eval IO.FS.writeFile "{outside}" "x"\n'
        f'#eval (do IO.println (← IO.FS.readFile "{outside}") : IO Unit)\n'
        f'#eval (do IO.println (← IO.FS.readFile "{folder}/secret") : IO Unit)\n'
        'example : 1 + 1 = 2 := rfl\n#eval (do IO.println "the end" : IO Unit)\n'
    )
    async with traced(folder, LeanSettings(sandbox=True)) as (lean, _):
        result = await lean.elaborate(text, timeout=120)
    assert result.outcome is Outcome.DONE
    said = "\n".join(message.text for message in result.messages)
    assert "the end" in said
    assert said.count("nobody's business") == 1, "the workspace can be read, and nothing beside it"
    assert outside.read_text(encoding="utf-8") == "nobody's business"
    untouched(folder, port)
