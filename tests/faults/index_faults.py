"""Indexes truncated, overwritten, swapped, locked, of other versions, replaced by what is no file, or gone."""

from __future__ import annotations

import fcntl
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path

from tests.faults.fault import Told, fault
from tests.faults.rig import Rig
from tests.faults.searching import (
    HARMS,
    harm,
    indexed,
    mended,
    names,
    remove,
    replace,
    save,
    until_idle,
    until_told,
    with_log,
)


def _harmed(how: str) -> None:
    @fault("index", f"An index that is open is harmed: {how}")
    async def harmed(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
        index = await indexed(rig)
        harm(index, how, dice)
        await names(rig)
        yield
        await mended(rig, index)

    @fault("index", f"An index is harmed between two sessions: {how}")
    async def found_so(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
        index = await indexed(rig)
        await rig.shutdown()
        harm(index, how, dice)
        await rig.restart()
        yield
        await mended(rig, index)


for _how in HARMS:
    _harmed(_how)


@fault("index", "What SQLite keeps beside an index is harmed")
async def log_harmed(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """The write-ahead log and the memory that processes share, of a session that was killed."""
    index = await indexed(rig)
    with closing(sqlite3.connect(index)) as database:
        database.execute("UPDATE files SET stamp = 'x'")
        database.commit()
        kept = {each: each.read_bytes() for each in with_log(index)}
    await rig.shutdown()
    for each, content in kept.items():
        each.write_bytes(content)
    harm(dice.choice(with_log(index)[1:]), dice.choice(HARMS), dice)
    await rig.restart()
    yield
    await mended(rig, index)


@fault("index", "Another database is in the place of an index")
async def other_database(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    index = await indexed(rig)
    other = rig.folder / "other.db"
    with closing(sqlite3.connect(other)) as database:
        database.executescript(
            dice.choice(
                (
                    "CREATE TABLE places(url TEXT); INSERT INTO places VALUES('a')",
                    "CREATE TABLE manifest(key TEXT, value TEXT); INSERT INTO manifest VALUES('schema', '1')",
                    "CREATE VIEW manifest AS SELECT 'schema' AS key, '1' AS value",
                )
            )
        )
    replace(index, other.read_bytes())
    await names(rig)
    yield


@fault("index", "The indexes of two packages are swapped")
async def swapped(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    index = await indexed(rig)
    near = rig.folder / "near"
    (near / "Near").mkdir(parents=True)
    (near / "lakefile.toml").write_text('name = "near"\n', encoding="utf-8")
    (near / "Near" / "Gem.lean").write_text("theorem near_gem : 1 = 1 := rfl\n", encoding="utf-8")
    added = {"event": {"added": [{"uri": near.as_uri(), "name": "near"}], "removed": []}}
    rig.editor.notify("workspace/didChangeWorkspaceFolders", added)
    await rig.until(lambda: list(rig.cache.glob("index/near-*.db")), "the other package is indexed")
    await until_idle(rig)
    (other,) = rig.cache.glob("index/near-*.db")
    await rig.shutdown()
    aside = index.with_name("aside")
    index.rename(aside)
    other.rename(index)
    aside.rename(other)
    await rig.restart()
    yield


def _in_its_place(name: str) -> None:
    @fault("index", f"{name} is in the place of an index", lasts=True, told=Told.SAID, says="index")
    async def placed(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
        index = await indexed(rig)
        for each in with_log(index):
            remove(each)
        if name == "A folder":
            index.mkdir()
        elif name == "A circle of links":
            index.symlink_to(index.name)
        else:
            index.symlink_to("/dev/zero")
        await names(rig)
        yield
        remove(index)
        save(rig, rig.file)  # what the user does anyway


for _name in ("A folder", "A circle of links", "An endless device"):
    _in_its_place(_name)


@fault("index", "An index that is open is removed")
async def removed(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    index = await indexed(rig)
    for each in with_log(index):
        if dice.random() < 0.8:
            remove(each)
    remove(index)
    assert "Group.mul_comm" in await names(rig), "what is open answers"
    yield


@fault("index", "The cache folder is removed while all of it is in use")
async def cache_removed(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    await indexed(rig)
    shutil.rmtree(rig.cache, ignore_errors=True)
    yield


@fault("index", "A file is in the place of the cache folder", lasts=True)
async def cache_is_a_file(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    await indexed(rig)
    aside = rig.folder / "cache-aside"
    rig.cache.rename(aside)
    rig.cache.write_text("no folder\n", encoding="utf-8")
    save(rig, rig.file)
    yield
    rig.cache.unlink()
    if dice.random() < 0.5:
        aside.rename(rig.cache)
    save(rig, rig.file)


@fault("index", "Another program has locked an index", lasts=True, told=Told.SAID, says="locked")
async def locked(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    index = await indexed(rig)
    await rig.shutdown()
    with closing(sqlite3.connect(index)) as database:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("BEGIN EXCLUSIVE")
        await rig.restart()
        yield


@fault("index", "A builder that stands still holds the lock", lasts=True, told=Told.SAID, says="Another process")
async def lock_held(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    index = await indexed(rig)
    with index.with_name(f"{index.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (rig.workspace / "lakefile.toml").touch()
        await until_told(rig, "Another process")
        assert "Group.mul_comm" in await names(rig), "the old index answers"
        yield


@fault("index", "Locks of processes that are dead are left")
async def stale_locks(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    index = await indexed(rig)
    for each in (index.with_name(f"{index.name}.lock"), index.with_suffix(".vectors") / "lock"):
        with suppress(OSError):
            each.write_text("4194303\n", encoding="utf-8")
    index.with_name(f"{index.name}.new").write_bytes(dice.randbytes(1000))
    harm(index, "random bytes", dice)
    await names(rig)
    yield
    await mended(rig, index)


def _of_version(version: str, *, healed: bool) -> None:
    what = "an older" if healed else "a newer"
    told = Told.QUIET if healed else Told.SAID

    @fault("index", f"An index is of {what} version", lasts=not healed, told=told, says="newer")
    async def other_version(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
        index = await indexed(rig)
        await rig.shutdown()
        with closing(sqlite3.connect(index)) as database:
            database.execute("UPDATE manifest SET value = ? WHERE key = 'schema'", (version,))
            database.commit()
        await rig.restart()
        yield
        if not healed:
            for each in with_log(index):
                remove(each)
            save(rig, rig.file)


_of_version("0", healed=True)
_of_version("999", healed=False)


@fault("index", "Vectors are harmed")
async def vectors_harmed(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    index = await indexed(rig)
    await rig.shutdown()
    files = [each for each in sorted(index.with_suffix(".vectors").iterdir()) if each.name != "lock"]
    assert files
    for each in dice.sample(files, dice.randint(1, len(files))):
        harm(each, dice.choice(HARMS), dice)
    await rig.restart()
    yield


@fault("index", "What proofs name is harmed")
async def uses_harmed(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    index = await indexed(rig)
    uses = index.with_suffix(".uses")
    _harm_or_replace(uses, dice)
    await rig.restart()
    yield


def _harm_or_replace(path: Path, dice: random.Random) -> None:
    """Any harm, or a folder in its place."""
    how = dice.choice((*HARMS, "a folder"))
    if how == "a folder":
        remove(path)
        path.mkdir()
    else:
        harm(path, how, dice)


KEPT = {
    "experience.json": b'{"schema": 1, "searches": 1.0, "states": {"size": [1.0, 0.5]}, "steps": {}}',
    "models/models.json": b'{"version": 1, "models": [], "used": ""}',
}


def _kept(name: str, told: Told) -> None:
    @fault("index", f"{name} is harmed", told=told, says="models.json")
    async def harmed(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
        file = rig.cache / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(KEPT[name])
        _harm_or_replace(file, dice)
        if told is Told.SAID:  # where none is wanted the list is not read
            rig.environment["TACIT_MODEL"] = ""
        await rig.restart()
        yield


_kept("experience.json", Told.QUIET)
_kept("models/models.json", Told.SAID)


@fault("index", "The memory of what was accepted is harmed")
async def memory_harmed(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    from tacit.server.memory_store import store_of

    file = rig.cache / "memory" / store_of(rig.workspace).name
    file.parent.mkdir(parents=True, exist_ok=True)
    line = b'{"schema": 1, "file": "Top/Demo.lean", "name": "a", "goal": "b", "tactic": "rfl", "namespace": "",'
    file.write_bytes((line + b' "opens": [], "before": ""}\n') * 50)
    how = dice.choice((*HARMS, "a folder", "a line that does not end", "deep"))
    if how == "a line that does not end":
        file.write_bytes(b"[" + b"1," * (8 << 20))
    elif how == "deep":
        file.write_bytes(b"[" * 100_000 + b"\n" + line)
    else:
        _harm_or_replace(file, dice)
    await rig.restart()
    yield
