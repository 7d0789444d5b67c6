"""Imports are edited while Lean checks: added, removed, broken; modules are built, rebuilt and spoilt meanwhile."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import AsyncIterator

from tests.faults.fault import When, fault
from tests.faults.rig import Rig
from tests.faults.searching import indexed, save, until_found
from tests.protocol.editor import Refusal

ANY = (When.IDLE, When.BUSY)
HEADERS = (
    "import Top.Nowhere\n",
    "import Init\n",
    "import\n",
    "import Top.\n",
    "prelude\n",
    "import Init import Top.Nowhere\n",
    "/- not ended\nimport Init\n",
    "import «a b».c\n",
)


def _edit(rig: Rig, header: str = "") -> None:
    """The whole of the document is another: the usual one below this header."""
    rig.version += 1
    rig.editor.change(rig.version, {"text": header + rig.text}, uri=rig.uri)


@fault("imports", "They are edited again and again in the middle of a check", when=ANY)
async def edited(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    asked = []
    for _ in range(dice.randint(3, 8)):
        _edit(rig, dice.choice(HEADERS))
        asked.append(asyncio.ensure_future(rig.ask("tacit/suggest", rig.cursor)))
        await asyncio.sleep(dice.choice((0.0, 0.05, 0.5)))
    _edit(rig)
    for answer in await asyncio.gather(*asked, return_exceptions=True):
        if isinstance(answer, BaseException) and not isinstance(answer, Refusal):
            raise answer
    yield
    _edit(rig)


@fault("imports", "They do not load for a while", lasts=True)
async def broken(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """What is asked then is answered with a sentence, not with silence."""
    _edit(rig, "import Top.Nowhere\n")
    for _ in range(2):
        try:
            answer = await rig.ask("tacit/suggest", rig.cursor)
        except Refusal:
            continue
        assert not any(each["verdict"] == "closes" for each in answer["suggestions"]) or rig.scripted
    yield
    _edit(rig)


@fault("imports", "The file is saved with other imports than the editor has", lasts=True, when=ANY)
async def saved(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    await indexed(rig)
    before = rig.file.read_bytes()
    rig.file.write_bytes(dice.choice(HEADERS).encode() + before)
    save(rig, rig.file)
    yield
    rig.file.write_bytes(before)
    save(rig, rig.file)


@fault("imports", "A circle of imports, and modules that go while they are read", lasts=True)
async def circle(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    await indexed(rig)
    top = rig.workspace / "Top"
    made = [top / f"Ring{number}.lean" for number in range(6)]
    for number, file in enumerate(made):
        text = f"import Top.Ring{(number + 1) % 6}\nimport Top.Algebra\ntheorem ring_{number} : 1 = 1 := rfl\n"
        file.write_text(text, encoding="utf-8")
        save(rig, file)
    await until_found(rig, "ring_3", "ring_3")
    made[dice.randrange(6)].unlink()
    yield
    for file in made:
        file.unlink(missing_ok=True)


@fault("imports", "What Lean loads is rebuilt, and spoilt, while it checks", when=ANY, lasts=True)
async def rebuilt(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """The `.olean` of a module of the workspace, where a build of Lake's has it."""
    built = rig.workspace / ".lake" / "build" / "lib" / "lean" / "Top"
    built.mkdir(parents=True)
    for _ in range(4):
        for suffix in (".olean", ".ilean"):
            (built / f"Algebra{suffix}").write_bytes(dice.randbytes(dice.choice((0, 10, 10_000))))
        (rig.workspace / "Top" / "Algebra.lean").touch()
        _edit(rig, "import Top.Algebra\n")
        try:
            await rig.ask("tacit/suggest", rig.cursor)
        except Refusal:
            continue
        finally:
            _edit(rig)
    yield
    shutil.rmtree(rig.workspace / ".lake")
