"""Which folders are workspaces, which changes on disk matter, and how a builder is run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tacit.server.following import Following, source_folders, wanted
from tacit.server.indexer import Indexer, IndexWork
from tacit.server.workplace import workspaces


def touch(*files: Path) -> None:
    for each in files:
        each.parent.mkdir(parents=True, exist_ok=True)
        each.touch()


def test_workspaces_are_found_above_folders_and_below_them_for_open_documents(tmp_path: Path) -> None:
    nested, top = tmp_path / "repository" / "lean", tmp_path / "top"
    touch(nested / "lakefile.toml", nested / "A" / "B.lean", top / "lakefile.lean", top / "T" / "U.lean")
    repository = tmp_path / "repository"
    assert workspaces([repository], []) == []
    assert workspaces([repository], [nested / "A" / "B.lean"]) == [nested]
    assert workspaces([top / "T"], []) == [top]
    assert workspaces([repository, top], [top / "T" / "U.lean"]) == [top]
    assert workspaces([tmp_path / "nowhere"], [tmp_path / "nowhere" / "A.lean"]) == []
    assert workspaces([repository], [top / "T" / "U.lean"]) == [], "a document of elsewhere brings nothing with it"


@pytest.mark.parametrize(
    ("path", "matters"),
    [
        ("Top/A.lean", True),
        ("Top", True),
        ("lakefile.toml", True),
        ("lake-manifest.json", True),
        ("lean-toolchain", True),
        ("README.md", False),
        ("Top/.A.lean.swp", False),
        (".lake/packages/mathlib/Mathlib.lean", False),
        (".git/index", False),
        ("Top/build/A.olean", False),
    ],
)
def test_which_changes_matter(path: str, matters: bool) -> None:
    root = Path("/home/build/project")  # a folder whose own name would be left out below a workspace
    assert wanted(root / path, [root]) is matters


def test_only_folders_of_sources_are_watched(tmp_path: Path) -> None:
    touch(*(tmp_path / each / "x" for each in ("Top", ".lake", ".git", "build", "docs")), tmp_path / "Top.lean")
    assert [each.name for each in source_folders(tmp_path)] == ["Top", "docs"]
    assert source_folders(tmp_path / "nowhere") == []


async def test_what_cannot_be_watched_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def watch(*paths: Path, **_: object) -> None:
        raise OSError("OS file watch limit reached. about /x\nmore")

    monkeypatch.setattr("watchfiles.watch", watch)
    said: asyncio.Queue[str] = asyncio.Queue()
    following = Following(lambda changes: None, said.put_nowait)
    following.follow([tmp_path])
    sentence = await asyncio.wait_for(said.get(), 20)
    following.close()
    assert sentence.startswith("Files cannot be watched here (OS file watch limit reached. about /x)")
    assert "\n" not in sentence


async def test_changes_are_told_and_threads_end(tmp_path: Path) -> None:
    touch(tmp_path / "lakefile.toml", tmp_path / "Top" / "A.lean")
    told: asyncio.Queue[frozenset[Path]] = asyncio.Queue()
    following = Following(told.put_nowait, lambda sentence: None)
    following.follow([tmp_path])
    threads = list(following._threads)
    name = tmp_path / "Top" / "A.lean"

    async def until_told() -> None:
        number = 0
        while told.empty():  # the watcher may not have begun yet
            number += 1
            name.write_text(f"-- {number}\n", encoding="utf-8")
            await asyncio.sleep(0.1)

    await asyncio.wait_for(until_told(), 20)
    assert name in await told.get()
    following.close()
    for each in threads:
        await asyncio.to_thread(each.join, 20)
        assert not each.is_alive()


class Heard:
    def __init__(self) -> None:
        self.works: list[IndexWork] = []
        self.built: list[str] = []

    def indexer(self, code: str) -> Indexer:
        return Indexer(self.works.append, self.built.append, (sys.executable, "-c", code))


async def until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not so():  # noqa: ASYNC110 (no event tells)
            await asyncio.sleep(0.01)


async def done(indexer: Indexer) -> None:
    await until(lambda: not indexer.busy and indexer.work.state not in ("working", "waiting"))
    if indexer._task is not None:
        await indexer._task


LINES = """
import json, sys
for line in {lines!r}:
    print(json.dumps(line) if isinstance(line, dict) else line, flush=True)
sys.exit({code})
"""


async def test_what_a_builder_says_is_told(tmp_path: Path) -> None:
    lines = [
        {"package": "top", "what": "reading", "done": 1, "total": 9},
        "not JSON at all",
        {"package": "top", "words": 9, "read": 9, "fresh": True, "problems": []},
        {"package": "mathlib", "waiting": True},
        {"package": "mathlib", "problem": "The disk is full."},
    ]
    heard = Heard()
    indexer = heard.indexer(LINES.format(lines=lines, code=0))
    indexer.ask([tmp_path])
    assert indexer.busy
    await done(indexer)
    assert [each.state for each in heard.works] == ["working", "waiting", "idle"]
    assert heard.works[0] == IndexWork("working", "top", "reading", 1, 9)
    assert heard.works[-1].sentence == "The disk is full."
    assert heard.built == ["top"]


async def test_a_builder_that_fails_is_a_sentence(tmp_path: Path) -> None:
    heard = Heard()
    indexer = heard.indexer("import os; os._exit(3)")
    indexer.ask([tmp_path])
    await done(indexer)
    assert (heard.works[-1].state, "status 3" in heard.works[-1].sentence) == ("failed", True)
    missing = Indexer(heard.works.append, command=(str(tmp_path / "nothing"),))
    missing.ask([tmp_path])
    await done(missing)
    assert heard.works[-1].sentence.startswith("Indexing could not be started")


async def test_one_builder_at_a_time_and_what_is_asked_meanwhile_is_done_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = f"import sys, time; open({str(log)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n'); time.sleep(0.3)"
    indexer = Heard().indexer(code)
    one, other = tmp_path / "one", tmp_path / "other"
    indexer.ask([one])
    await until(lambda: indexer._process is not None)
    for _ in range(5):
        indexer.ask([other], own=True)
        indexer.ask([one], own=True)
    await done(indexer)
    assert log.read_text().splitlines() == [f"-- {one}", f"--own -- {other} {one}"]
    indexer.ask([one], own=True)
    indexer.ask([one])  # all of it is more than what is worked on
    await done(indexer)
    assert log.read_text().splitlines()[2:] == [f"-- {one}"]


async def test_a_builder_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('{}', flush=True); time.sleep(60)"
    heard = Heard()
    indexer = heard.indexer(code)
    indexer.ask([tmp_path])
    await until(lambda: indexer._process is not None)
    process = indexer._process
    assert process is not None
    await asyncio.wait_for(indexer.stop(), 20)
    assert process.returncode is not None
    assert heard.works[-1].state == "stopped"
    await indexer.aclose()
