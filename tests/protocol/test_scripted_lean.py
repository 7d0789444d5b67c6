"""The peer that plays Lean does what its docstring says: a test that it fails would prove nothing."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.editor import within, within_range
from tests.protocol.scripted_lean import diagnostic, edited, entries, install, survivors

URI = "file:///project/Foo.lean"
RULES = """
from runpy import run_path
def diagnostics(text, version):
    return [{"message": text, "severity": 1, "range": None}, {"message": str(version), "severity": 3, "range": None}]
def goals(text, line, character):
    return None if line else ["⊢ " + text]
"""


class Talk:
    """A client that only reads and writes frames."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    def send(self, method: str, params: Any, number: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        body = json.dumps(message if number is None else message | {"id": number}).encode()
        self._in.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def open(self, text: str) -> None:
        self.send("textDocument/didOpen", {"textDocument": {"uri": URI, "version": 1, "text": text}})

    def change(self, version: int, *changes: Any) -> None:
        document = {"uri": URI, "version": version}
        self.send("textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)})

    def wait(self, version: int, number: int) -> None:
        self.send("textDocument/waitForDiagnostics", {"uri": URI, "version": version}, number)

    async def header(self) -> bytes:
        return bytes(await within(self._out.readuntil(b"\r\n\r\n")))

    async def hear(self) -> Any:
        header = await self.header()
        return json.loads(await within(self._out.readexactly(int(header.split(b":")[1]))))

    async def until_answer(self, number: int) -> list[Any]:
        heard = [await self.hear()]
        while heard[-1].get("id") != number:
            heard.append(await self.hear())
        return heard


@asynccontextmanager
async def talking(folder: Path, *words: str, rules: str | None = RULES) -> AsyncIterator[Talk]:
    process = await asyncio.create_subprocess_exec(
        install(folder, *words, rules=rules),
        "--server",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=1 << 24,
    )
    talk = Talk(process)
    talk.send("initialize", {}, 0)
    try:
        yield talk
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def published(folder: Path, *words: str) -> list[Any]:
    async with talking(folder, *words) as talk:
        await talk.hear()
        talk.open("a")
        talk.wait(1, 1)
        heard = await talk.until_answer(1)
    return [each["params"] for each in heard if each.get("method") == "textDocument/publishDiagnostics"]


def words_of(params: Any) -> list[str]:
    return [each["message"] for each in params["diagnostics"]]


def test_says_its_version(tmp_path: Path) -> None:
    lean = install(tmp_path, "version=4.9.1")
    said = subprocess.run([lean, "--version"], capture_output=True, text=True, check=True).stdout
    assert said.startswith("Lean (version 4.9.1, ")
    said = subprocess.run([tmp_path / "lake", "--version"], capture_output=True, text=True, check=True).stdout
    assert "Lean version 4.9.1" in said


async def test_answers_and_follows_edits_in_utf16(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        assert "capabilities" in (await talk.hear())["result"]
        talk.open("𝕜x\nb")
        talk.wait(1, 1)
        [first, answer] = await talk.until_answer(1)
        assert (words_of(first["params"]), first["params"]["version"]) == (["𝕜x\nb", "1"], 1)
        assert answer == {"jsonrpc": "2.0", "id": 1, "result": {}}
        talk.change(2, {"range": within_range(0, 2, 3), "text": "y"}, {"range": within_range(1, 1, 9), "text": "!"})
        talk.wait(2, 2)
        assert words_of((await talk.until_answer(2))[0]["params"]) == ["𝕜y\nb!", "2"]
        talk.send("$/lean/plainGoal", {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}, 3)
        assert (await talk.hear())["result"]["goals"] == ["⊢ 𝕜y\nb!"]
        talk.send("$/lean/plainGoal", {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 0}}, 4)
        assert (await talk.hear())["result"] is None
        talk.send("exit", None)
        assert await within(talk.process.wait()) == 0
    assert [entry["version"] for entry in entries(tmp_path, "text")] == [1, 2]


async def test_ways_to_publish(tmp_path: Path) -> None:
    assert [words_of(each) for each in await published(tmp_path, "split")] == [[], ["a"], ["a", "1"]]
    grown = await published(tmp_path, "incremental")
    assert [(words_of(each), each.get("isIncremental")) for each in grown] == [(["a"], None), (["1"], True)]
    assert [each.get("version") for each in await published(tmp_path, "unversioned")] == [None]
    [mixed] = await published(tmp_path, "silent")
    assert [bool(each.get("isSilent")) for each in mixed["diagnostics"]] == [True, False, False, True]
    late = await published(tmp_path, "late")
    assert [(each["version"], words_of(each)) for each in late] == [(1, ["a", "1"]), (0, ["stale"])]
    assert await published(tmp_path, "overflow") == []


async def test_floods(tmp_path: Path) -> None:
    async with talking(tmp_path, "flood@1") as talk:
        talk.open("a")
        talk.wait(1, 1)
        heard = await talk.until_answer(1)
    assert sum(each.get("method") == "$/lean/fileProgress" for each in heard) == 2000
    assert max(len(json.dumps(each)) for each in heard) > 1_000_000


async def test_answers_out_of_order(tmp_path: Path) -> None:
    async with talking(tmp_path, "out-of-order") as talk:
        await talk.hear()
        talk.open("a")
        for number in (1, 2):
            talk.wait(1, number)
        await talk.hear()
        assert [(await talk.hear())["id"] for _ in range(2)] == [2, 1]
        talk.wait(1, 3)
        assert (await talk.hear())["id"] == 3


@pytest.mark.parametrize("word", ["die@2", "cut@2"])
async def test_dies_in_mid_request_and_counts_on_in_the_next_process(tmp_path: Path, word: str) -> None:
    async with talking(tmp_path, word) as talk:
        talk.open("a")
        talk.wait(1, 1)
        await talk.until_answer(1)
        talk.change(2, {"text": "b"})
        talk.wait(2, 2)
        assert await within(talk.process.wait()) == 1
    async with talking(tmp_path, word) as talk:
        talk.open("a")
        talk.wait(1, 1)
        assert (await talk.until_answer(1))[-1]["result"] == {}


async def test_broken_frames(tmp_path: Path) -> None:
    for word, header in (("bad-header", b"Content-Size: 12\r\n\r\n"), ("bad-json", b"Content-Length: 14\r\n\r\n")):
        async with talking(tmp_path, word, rules=None) as talk:
            await talk.hear()
            talk.open("a")
            await talk.hear()
            talk.wait(1, 1)
            assert await talk.header() == header


async def test_refusals_and_deaths_that_lean_survives(tmp_path: Path) -> None:
    async with talking(tmp_path, "worker-error") as talk:
        talk.open("a")
        talk.wait(1, 1)
        assert (await talk.until_answer(1))[-1]["error"]["code"] == -32902
    async with talking(tmp_path, "refuses") as talk:
        assert "error" in await talk.hear()
    async with talking(tmp_path, "no-start") as talk:
        assert await within(talk.process.wait()) == 1


async def test_hangs_whatever_is_asked(tmp_path: Path) -> None:
    async with talking(tmp_path, "hang") as talk:
        await talk.hear()
        talk.open("a")
        talk.wait(1, 1)
        while not entries(tmp_path, "text"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        talk.process.terminate()
        assert talk.process.stdin is not None
        talk.process.stdin.close()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(talk.hear(), 0.3)
        assert talk.process.returncode is None
    assert survivors(tmp_path) == []


async def test_a_worker_outlives_its_parent(tmp_path: Path) -> None:
    async with talking(tmp_path, "worker") as talk:
        talk.open("a")
        talk.wait(1, 1)
        await talk.until_answer(1)
        talk.process.kill()
        await talk.process.wait()
        [worker] = survivors(tmp_path)
        subprocess.run(["kill", "-TERM", str(worker)], check=True)  # noqa: ASYNC221
        await asyncio.sleep(0.1)
        assert survivors(tmp_path) == [worker]
        subprocess.run(["kill", "-KILL", str(worker)], check=True)  # noqa: ASYNC221
        while survivors(tmp_path):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_makes_diagnostics_and_edits() -> None:
    made = diagnostic("no", (1, 2))
    assert (made["range"]["start"], made["severity"]) == ({"line": 1, "character": 2}, 1)
    assert edited("𝕜b\nc", {"range": within_range(0, 2, 0, end_line=1), "text": "-"}) == "𝕜-c"
    assert edited("abc", {"text": "x"}) == "x"
