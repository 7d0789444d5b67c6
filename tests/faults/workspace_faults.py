"""The workspace is moved away, removed, replaced, full of what is no Lean file; its plans and builds are nonsense."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from tests.faults.fault import Told, When, fault
from tests.faults.rig import Rig
from tests.faults.searching import KNOWN, indexed, keep_indexed, names, remove, save, until_found, until_told

GONE = "There is no folder"
ANY = (When.IDLE, When.BUSY)


def _to_elsewhere(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def _to_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("no folder\n", encoding="utf-8")


def _to_a_circle(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder.name)


def _gone(name: str, take: Callable[[Path], None]) -> None:
    @fault("workspace", name, when=ANY, lasts=True, told=Told.SAID, says=GONE)
    async def gone(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
        keep_indexed(rig)
        await until_found(rig)
        kept = rig.folder / "kept"
        shutil.copytree(rig.workspace, kept)
        take(rig.workspace)
        await until_told(rig, GONE)
        # What was indexed is searched, but for files that were seen to be removed one after the other.
        if take is _to_elsewhere:
            assert KNOWN in await names(rig)
        yield
        remove(rig.workspace)
        kept.rename(rig.workspace)
        rig.also += [lambda: until_found(rig), lambda: _followed(rig)]


async def _followed(rig: Rig) -> None:
    """What is written to the workspace is found again; the file goes in the end."""
    gem = rig.workspace / "Top" / "Gem.lean"
    gem.write_text("theorem followed_gem : 1 = 1 := rfl\n", encoding="utf-8")
    await until_found(rig, "followed_gem", "followed_gem")
    gem.unlink()


_gone("It is moved away, and back", _to_elsewhere)
_gone("It is removed, and put back", shutil.rmtree)
_gone("A file takes its place, then it is back", _to_a_file)
_gone("A circle of links takes its place, then it is back", _to_a_circle)


@fault("workspace", "It is away while Lean must be started anew", lasts=True, told=Told.SHOWN, says="folder")
async def away_at_start(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    elsewhere = rig.folder / "elsewhere"
    rig.workspace.rename(elsewhere)
    for process in rig.lean.processes():
        process.kill()
    yield
    elsewhere.rename(rig.workspace)


PLANS = ("lake-manifest.json", "lakefile.toml", "lakefile.lean", "lean-toolchain")
NONSENSE: dict[str, Callable[[random.Random], bytes]] = {
    "nothing": lambda dice: b"",
    "random bytes": lambda dice: dice.randbytes(5000),
    "half of it": lambda dice: b'{"version": "1.1.0", "packages": [{"name": "a", "type": "git", "rev',
    "deep": lambda dice: b"[" * 200_000,
    "enormous": lambda dice: b'{"packages": [' + b'{"name": "a", "type": "path", "dir": "../a"},' * 400_000 + b"{}]}",
    "other types": lambda dice: json.dumps(
        {"packages": [1, None, [], {"name": 3, "type": "path", "dir": ["a"]}, {"name": "\ud800", "dir": "\0"}]}
    ).encode(),
    "paths out of it": lambda dice: json.dumps(
        {"packagesDir": "/", "packages": [{"name": "../..", "type": "path", "dir": "/proc/self/fd"}]}
    ).encode(),
    "names that cannot be": lambda dice: json.dumps(
        {"packages": [{"name": name, "type": "path", "dir": name} for name in ("\udc80", "a\0b", "x" * 5000, "\ud83d")]}
    ).encode(),
    "toml of other types": lambda dice: b'name = 3\nlean_lib = [1, {name = 2}]\nsrcDir = ["a"]\ndefaultTargets = "x"\n',
    "toml with odd names": lambda dice: b'name = "a\\u0000b"\n[[lean_lib]]\nname = "x\\u0000"\nroots = 3\n',
}


@fault("workspace", "Its plans are nonsense", lasts=True)
async def plans(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    await indexed(rig)
    file = rig.workspace / dice.choice(PLANS)
    before = file.read_bytes() if file.exists() else None
    how = dice.choice((*NONSENSE, "a folder", "a pipe", "a circle of links"))
    remove(file)
    if how == "a folder":
        file.mkdir()
    elif how == "a pipe":
        os.mkfifo(file)
    elif how == "a circle of links":
        file.symlink_to(file.name)
    else:
        file.write_bytes(NONSENSE[how](dice))
    if dice.random() < 0.5:
        await rig.restart()
    await asyncio.sleep(1.0)  # long enough to be noticed by who watches
    yield
    remove(file)
    if before is not None:
        file.write_bytes(before)


def _odd_files(rig: Rig, dice: random.Random) -> list[Path]:
    """Files of the workspace that no Lean project has."""
    top = rig.workspace / "Top"
    made = []

    def made_of(name: str) -> Path:
        made.append(top / name)
        return top / name

    os.mkfifo(made_of("Pipe.lean"))
    made_of("Folder.lean").mkdir()
    made_of("Circle.lean").symlink_to("Circle.lean")
    made_of("Endless.lean").symlink_to("/dev/zero")
    made_of("Nowhere.lean").symlink_to("Nowhere2.lean")
    made_of("Up").symlink_to(rig.workspace)
    made_of("Random.lean").write_bytes(dice.randbytes(200_000))
    made_of("Nul.lean").write_bytes(b"theorem a\0b : 1 = 1 := by\0 rfl\n" * 1000)
    made_of("Utf16.lean").write_bytes("theorem a : 1 = 1 := rfl\n".encode("utf-16"))
    made_of("Latin.lean").write_bytes("theorem \xe9 : 1 = 1 := rfl\n".encode("latin-1"))
    made_of("OneLine.lean").write_bytes(b"theorem long : 1 = 1 := by " + b"rfl <;> " * (50 << 17) + b"rfl\n")
    made_of("Deep.lean").write_bytes(b"theorem deep : " + b"(" * 200_000 + b"1" + b")" * 200_000 + b" = 1 := rfl\n")
    made_of("Comment.lean").write_bytes(b"/-" * 300_000)
    made_of("New\nline.lean").write_bytes(b"theorem a : 1 = 1 := rfl\n")
    made_of("\udcff.lean").write_bytes(b"theorem a : 1 = 1 := rfl\n")
    made_of("Blank.lean").write_bytes(b" " * 5_000_000)
    made_of("Sparse.lean").touch()
    os.truncate(top / "Sparse.lean", 1 << 34)
    return made


@fault("workspace", "It is full of files that no Lean project has", lasts=True)
async def odd_files(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    await indexed(rig)
    made = await asyncio.to_thread(_odd_files, rig, dice)
    if dice.random() < 0.5:
        await rig.restart()
    save(rig, rig.file)
    for each in dice.sample(made, 4):
        if each.suffix == ".lean" and "\udcff" not in each.name:
            await rig.ask("tacit/search", {"text": "mul_comm", "textDocument": {"uri": each.as_uri()}})
    await _followed(rig)
    yield
    for each in made:
        remove(each)


@fault("workspace", "Files come and go by the thousand", lasts=True)
async def many_files(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    await indexed(rig)
    many = rig.workspace / "Many"
    many.mkdir()
    for number in range(2000):
        (many / f"M{number}.lean").write_text(f"theorem m{number} : 1 = 1 := rfl\n", encoding="utf-8")
    yield
    shutil.rmtree(many)


@fault("workspace", "What Lean built is nonsense", lasts=True)
async def builds(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """`.ilean` and `.olean` files of its modules are damaged, folders, pipes, or enormous."""
    await indexed(rig)
    lake = rig.workspace / ".lake"
    built = lake / "build" / "lib" / "lean" / "Top"
    built.mkdir(parents=True)
    for number, module in enumerate(("Algebra", "Topology", "Demo")):
        for suffix in (".ilean", ".olean"):
            file = built / f"{module}{suffix}"
            how = dice.randrange(5)
            if how == 0:
                file.mkdir()
            elif how == 1:
                os.mkfifo(file)
            elif how == 2:
                file.write_bytes(b"[" * 500_000)
            elif how == 3:
                said = {"version": number, "module": "Top.Other", "references": {"c:a": {"usages": [[1, 2], "x"]}}}
                file.write_text(json.dumps(said), encoding="utf-8")
            else:
                file.write_bytes(dice.randbytes(10_000))
    save(rig, rig.workspace / "Top" / "Algebra.lean")
    save(rig, rig.file)
    if dice.random() < 0.5:
        await rig.restart()
    yield
    shutil.rmtree(lake)


@fault("workspace", "The document's own file is another on disk", lasts=True, when=ANY)
async def document(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """The editor's text counts: what stands on disk is no text, a folder, or gone."""
    await indexed(rig)
    before = rig.file.read_bytes()
    how = dice.choice(("gone", "a folder", "no UTF-8", "a pipe", "a circle of links"))
    remove(rig.file)
    if how == "a folder":
        rig.file.mkdir()
    elif how == "a pipe":
        os.mkfifo(rig.file)
    elif how == "a circle of links":
        rig.file.symlink_to(rig.file.name)
    elif how == "no UTF-8":
        rig.file.write_bytes(dice.randbytes(5000))
    rig.editor.notify("textDocument/didSave", {"textDocument": {"uri": rig.uri}})
    yield
    remove(rig.file)
    rig.file.write_bytes(before)
    rig.editor.notify("textDocument/didSave", {"textDocument": {"uri": rig.uri}})
